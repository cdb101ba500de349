/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho diff OLD NEW`: what becomes possible or impossible, then every setting that differs. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"
#include "mgmt/cli/policy/settings.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "policy/render/render.h"

/* Words for kinds of objects; others are sections of box.cfg, which have their own names. */
static const struct {
	const char *object;
	enum message called;
} objects[] = {
	{ "site", MP_OBJ_SITE },
	{ "zone", MP_OBJ_ZONE },
	{ "door", MP_OBJ_DOOR },
	{ "organisation", MP_OBJ_ORGANISATION },
	{ "asset", MP_OBJ_ASSET },
	{ "service", MP_OBJ_SERVICE },
	{ "conduit", MP_OBJ_CONDUIT },
	{ "never", M_COMPARE_NEVER },
	{ "always", M_COMPARE_ALWAYS },
	{ "isolation", M_COMPARE_ISOLATION },
	{ "chain_break", M_COMPARE_BREAK },
	{ "box", MP_OBJ_BOX },
	{ "interface", MP_OBJ_INTERFACE },
	{ "route", M_COMPARE_ROUTE },
	{ "between", M_COMPARE_BETWEEN },
};

/* A text of any length, owned by the caller; NULL: no memory. */
static char *text_of(struct cli *c, enum message m, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, m);
	n = vasprintf(&text, message_format(m, c->lang), ap);
	va_end(ap);
	return n >= 0 ? text : NULL;
}

/* Prints a line, safe for a terminal and wrapped, and frees it. */
static void line(struct cli *c, char *text)
{
	char *safe;
	size_t n = text != NULL ? strlen(text) : 0;

	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	safe = text != NULL ? text_safe(text) : NULL;
	text_wrap(c->out, safe != NULL ? safe : "?", 0, 4);
	fputc('\n', c->out);
	free(safe);
	free(text);
}

/* "conduit "x"" in the reader's language. */
static char *called(struct cli *c, const json_t *change)
{
	const char *object = json_string_value(json_object_get(change, "object"));
	const char *name = json_string_value(json_object_get(change, "name"));

	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (strcmp(objects[i].object, object) == 0)
			return text_of(c, objects[i].called, name != NULL ? name : "");
	return text_of(c, MP_OBJ_SECTION, object);
}

/* "old/site.cfg:12: conduit "x"": the object and its place. Owned by the caller. */
static char *head_of(struct cli *c, const struct source *s, const json_t *change)
{
	const char *file = json_string_value(json_object_get(change, "file"));
	char *name = called(c, change), *head = NULL;
	size_t size;
	FILE *to = open_memstream(&head, &size);

	if (to != NULL && file != NULL)
		fprintf(to, "%s%s:%lld: ", s->c.diags.folder, file,
			(long long)json_integer_value(json_object_get(change, "line")));
	if (to != NULL)
		fprintf(to, "%s", name != NULL ? name : "?");
	free(name);
	return to != NULL && fclose(to) == 0 ? head : NULL;
}

/* A value as a policy writes it; the members of a list separated by commas. Owned by the caller. */
static char *value_text(struct cli *c, const json_t *value)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	if (json_is_string(value))
		fprintf(to, "\"%s\"", json_string_value(value));
	else if (json_is_integer(value))
		fprintf(to, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "true" : "false", to);
	json_each_at(i, one, value)
		fprintf(to, "%s\"%s\"", i > 0 ? message_format(M_COMPARE_COMMA, c->lang) : "", json_string_value(one));
	return fclose(to) == 0 ? text : NULL;
}

/* Prints a sentence with the entries of `list` that `other` lacks, if any. */
static void members(struct cli *c, enum message m, const char *head, const char *key, const json_t *list,
		    const json_t *other)
{
	json_t *left = settings_without(list, other);
	char *text = value_text(c, left);

	if (json_array_size(left) > 0)
		line(c, text_of(c, m, head, key, text != NULL ? text : "?"));
	free(text);
	json_decref(left);
}

static bool is_said(const json_t *value)
{
	return !json_is_null(value) && !(json_is_array(value) && json_array_size(value) == 0);
}

static void changed(struct cli *c, const char *head, const json_t *change)
{
	const char *key = json_string_value(json_object_get(change, "setting"));
	const json_t *was = json_object_get(change, "before"), *is = json_object_get(change, "after");
	char *before, *after;

	if (json_is_array(was) && json_is_array(is)) {
		members(c, M_COMPARE_COME, head, key, is, was);
		members(c, M_COMPARE_GONE, head, key, was, is);
		return;
	}
	before = value_text(c, was);
	after = value_text(c, is);
	if (before == NULL || after == NULL)
		line(c, NULL);
	else if (!is_said(was))
		line(c, text_of(c, M_COMPARE_SET, head, key, after));
	else if (!is_said(is))
		line(c, text_of(c, M_COMPARE_UNSET, head, key, before));
	else
		line(c, text_of(c, M_COMPARE_CHANGED, head, key, before, after));
	free(before);
	free(after);
}

/* An object that only one of the policies has, with all its settings. */
static void whole(struct cli *c, enum message m, const char *head, const json_t *change)
{
	json_t *value, *settings = json_object_get(change, "settings");
	const char *key;

	line(c, text_of(c, m, head));
	json_object_foreach(settings, key, value) {
		char *text = is_said(value) ? value_text(c, value) : NULL;

		if (text != NULL)
			line(c, text_of(c, M_COMPARE_SETTING, key, text));
		free(text);
	}
}

static void told(struct cli *c, const struct source *before, const struct source *after, const json_t *means,
		 const json_t *changes)
{
	size_t n = 0, come = 0, gone = 0;

	means_print(c, means, before->c.diags.folder, after->c.diags.folder);
	if (json_array_size(changes) > 0)
		source_say(c, M_MEANS_SETTINGS);
	json_each(one, changes) {
		const char *what = json_string_value(json_object_get(one, "change"));
		bool removed = strcmp(what, "removed") == 0, added = strcmp(what, "added") == 0;
		char *head = head_of(c, removed ? before : after, one);

		n += !removed && !added;
		come += added;
		gone += removed;
		if (head == NULL)
			line(c, NULL);
		else if (added || removed)
			whole(c, added ? M_COMPARE_ADDED : M_COMPARE_REMOVED, head, one);
		else
			changed(c, head, one);
		free(head);
	}
	if (json_array_size(changes) > 0)
		message_print(c->out, c->lang, M_COMPARE_SUM, n, come, gone);
}

static int compare(struct cli *c, const struct source *before, const struct source *after)
{
	json_t *was = settings_json(before), *is = settings_json(after);
	json_t *changes = was != NULL && is != NULL ? settings_compare(was, is) : NULL, *means;
	int status = json_array_size(changes) == 0 ? CLI_YES : CLI_NO;

	json_decref(was);
	json_decref(is);
	if (changes == NULL)
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	means = means_json(&before->c, &after->c, clock_wall_s());
	if (means == NULL) {
		json_decref(changes);
		return cli_fail(c, CLI_CANNOT, M_MEANS_LARGE);
	}
	if (c->json)
		json_line(c->out, json_pack("{s:b, s:b, s:O, s:O}", "same", status == CLI_YES, "same_meaning",
					    (int)(json_array_size(means) == 0), "meaning", means, "changes", changes));
	else
		told(c, before, after, means, changes);
	json_decref(means);
	json_decref(changes);
	return status;
}

int verb_diff(struct cli *c, const struct cli_args *a)
{
	struct source before, after = { 0 };
	int status;

	if (source_open_any(c, a->operands[0], SOURCE_UNPROVED, &before, &status) &&
	    source_open_any(c, a->operands[1], SOURCE_UNPROVED, &after, &status))
		status = compare(c, &before, &after);
	source_close(&before);
	source_close(&after);
	return status;
}
