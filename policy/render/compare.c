/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the settings of two policies, and says in words what differs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/json_each.h"
#include "appliance/base/utf8.h"
#include "policy/render/settings.h"

/* The entries of `list` that `other` lacks. */
json_t *settings_without(const json_t *list, const json_t *other)
{
	json_t *there = json_object(), *left = json_array();

	json_each(one, other)
		(void)json_object_set_new(there, json_string_value(one), json_true());
	json_each(one, list)
		if (json_object_get(there, json_string_value(one)) == NULL)
			(void)json_array_append(left, (json_t *)(uintptr_t)one);
	json_decref(there);
	return left;
}

static bool same_value(const json_t *a, const json_t *b)
{
	json_t *gone, *come;
	bool same;

	if (!json_is_array(a) || !json_is_array(b))
		return json_equal(a, b);
	gone = settings_without(a, b);
	come = settings_without(b, a);
	same = json_array_size(gone) == 0 && json_array_size(come) == 0;
	json_decref(gone);
	json_decref(come);
	return same;
}

static bool same_settings(const json_t *a, const json_t *b)
{
	json_t *value, *all = json_object_get(a, "settings");
	const char *key;

	json_object_foreach(all, key, value) {
		if (!same_value(value, json_object_get(json_object_get(b, "settings"), key)))
			return false;
	}
	return true;
}

/* Groups objects of the same kind and name: a list of their indexes. */
static json_t *by_name(const json_t *all)
{
	json_t *map = json_object();

	json_each_at(i, one, all) {
		json_t *key = json_sprintf("%s %s", text_in(one, "object"), text_in(one, "name")), *list;

		list = json_object_get(map, json_string_value(key));
		if (list == NULL) {
			list = json_array();
			(void)json_object_set_new(map, json_string_value(key), list);
		}
		(void)json_array_append_new(list, json_integer((json_int_t)i));
		json_decref(key);
	}
	return map;
}

/*
 * For each of `after` its index in `before`; SIZE_MAX: none. Several objects of one name
 * (statements about the same zones) are first matched by their contents, so that an additional one
 * does not look like a change of all.
 */
static size_t *pair(const json_t *before, const json_t *after)
{
	size_t n = json_array_size(after), *of = calloc(n + 1, sizeof(*of));
	json_t *names = by_name(before);

	for (size_t i = 0; of != NULL && i < n; i++)
		of[i] = SIZE_MAX;
	for (int round = 0; of != NULL && round < 2; round++)
		for (size_t i = 0; i < n; i++) {
			const json_t *one = json_array_get(after, i);
			json_t *key = json_sprintf("%s %s", text_in(one, "object"), text_in(one, "name"));
			json_t *list = json_object_get(names, json_string_value(key));

			json_decref(key);
			for (size_t k = 0; of[i] == SIZE_MAX && k < json_array_size(list); k++) {
				size_t at = (size_t)json_integer_value(json_array_get(list, k));

				if (round == 0 && !same_settings(json_array_get(before, at), one))
					continue;
				of[i] = at;
				(void)json_array_remove(list, k);
			}
		}
	json_decref(names);
	return of;
}

static json_t *change(const char *what, const json_t *o)
{
	return json_pack("{s:s, s:O, s:O, s:O, s:O}", "change", what, "object", json_object_get(o, "object"), "name",
			 json_object_get(o, "name"), "file", json_object_get(o, "file"), "line",
			 json_object_get(o, "line"));
}

static void whole(json_t *list, const char *what, const json_t *o)
{
	json_t *one = change(what, o);

	(void)json_object_set(one, "settings", json_object_get(o, "settings"));
	(void)json_array_append_new(list, one);
}

/* Returns the number of changes. */
static size_t changed(json_t *list, const json_t *before, const json_t *after)
{
	json_t *was = json_object_get(before, "settings"), *is = json_object_get(after, "settings"), *value;
	const char *key;
	size_t n = 0;

	json_object_foreach(is, key, value) {
		json_t *one;

		if (same_value(json_object_get(was, key), value))
			continue;
		one = change("changed", after);
		(void)json_object_set_new(one, "setting", json_string(key));
		(void)json_object_set(one, "before", json_object_get(was, key));
		(void)json_object_set(one, "after", value);
		(void)json_array_append_new(list, one);
		n++;
	}
	return n;
}

json_t *settings_compare(const json_t *before, const json_t *after)
{
	size_t n = json_array_size(before), made = 0, *of = pair(before, after);
	bool *found = calloc(n + 1, sizeof(*found));
	json_t *list = of != NULL && found != NULL ? json_array() : NULL;

	for (size_t i = 0; list != NULL && i < json_array_size(after); i++) {
		if (of[i] == SIZE_MAX) {
			whole(list, "added", json_array_get(after, i));
			made++;
			continue;
		}
		found[of[i]] = true;
		made += changed(list, json_array_get(before, of[i]), json_array_get(after, i));
	}
	for (size_t i = 0; list != NULL && i < n; i++)
		if (!found[i]) {
			whole(list, "removed", json_array_get(before, i));
			made++;
		}
	free(of);
	free(found);
	return list != NULL ? json_list_whole(list, made) : NULL;
}

/* ---- in words -------------------------------------------------------------------------------- */

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

/* "old/site.cfg:12: conduit "x"": the object and its place. Owned by the caller. */
static char *head_text(const json_t *change, enum lang lang, const char *folder)
{
	const char *file = text_in(change, "file"), *object = text_in(change, "object");
	const char *name = text_in(change, "name");
	enum message called = MP_OBJ_SECTION;
	char *head = NULL;
	size_t size;
	FILE *to = open_memstream(&head, &size);

	if (to == NULL)
		return NULL;
	if (*file != '\0')
		fprintf(to, "%s%s:%lld: ", folder, file,
			(long long)json_integer_value(json_object_get(change, "line")));
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (strcmp(objects[i].object, object) == 0)
			called = objects[i].called;
	message_print(to, lang, called, called == MP_OBJ_SECTION ? object : name);
	return fclose(to) == 0 ? head : NULL;
}

/* A value as a policy writes it; the members of a list separated by commas. Owned by the caller. */
static char *value_text(const json_t *value, enum lang lang)
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
		fprintf(to, "%s\"%s\"", i > 0 ? message_format(M_COMPARE_COMMA, lang) : "", json_string_value(one));
	return fclose(to) == 0 ? text : NULL;
}

/* Prints a sentence with the entries of `list` that `other` lacks, if any. */
static void members(FILE *to, enum lang lang, enum message m, const char *head, const char *key, const json_t *list,
		    const json_t *other)
{
	json_t *left = settings_without(list, other);
	char *text = value_text(left, lang);

	if (json_array_size(left) > 0) {
		message_print(to, lang, m, head, key, text != NULL ? text : "?");
		fputc('\n', to);
	}
	free(text);
	json_decref(left);
}

static bool is_said(const json_t *value)
{
	return !json_is_null(value) && !(json_is_array(value) && json_array_size(value) == 0);
}

static void one_setting(FILE *to, enum lang lang, const char *head, const json_t *change)
{
	const char *key = text_in(change, "setting");
	const json_t *was = json_object_get(change, "before"), *is = json_object_get(change, "after");
	char *before = value_text(was, lang), *after = value_text(is, lang);

	if (json_is_array(was) && json_is_array(is)) {
		members(to, lang, M_COMPARE_COME, head, key, is, was);
		members(to, lang, M_COMPARE_GONE, head, key, was, is);
	} else if (before == NULL || after == NULL)
		fputc('?', to);
	else if (!is_said(was))
		message_print(to, lang, M_COMPARE_SET, head, key, after);
	else if (!is_said(is))
		message_print(to, lang, M_COMPARE_UNSET, head, key, before);
	else
		message_print(to, lang, M_COMPARE_CHANGED, head, key, before, after);
	if (!json_is_array(was) || !json_is_array(is))
		fputc('\n', to);
	free(before);
	free(after);
}

/* An object that only one of the policies has, with all its settings. */
static void all_settings(FILE *to, enum lang lang, enum message m, const char *head, const json_t *change)
{
	json_t *value;
	const char *key;

	message_print(to, lang, m, head);
	fputc('\n', to);
	json_object_foreach(json_object_get(change, "settings"), key, value) {
		char *text = is_said(value) ? value_text(value, lang) : NULL;

		if (text != NULL)
			message_print(to, lang, M_COMPARE_SETTING, key, text);
		free(text);
	}
}

char *settings_text(const json_t *change, enum lang lang, const char *folder)
{
	char *text = NULL, *head = head_text(change, lang, folder);
	const char *what = text_in(change, "change");
	size_t size;
	FILE *to = head != NULL ? open_memstream(&text, &size) : NULL;

	if (to != NULL && strcmp(what, "changed") == 0)
		one_setting(to, lang, head, change);
	else if (to != NULL)
		all_settings(to, lang, strcmp(what, "added") == 0 ? M_COMPARE_ADDED : M_COMPARE_REMOVED, head, change);
	free(head);
	return to != NULL && fclose(to) == 0 ? text : NULL;
}

/* The text without its last line end, and not longer than SETTINGS_TEXT. */
static json_t *bounded_text(const json_t *change, enum lang lang)
{
	char *text = settings_text(change, lang, "");
	size_t n = text != NULL ? strlen(text) : 0;
	json_t *j;

	if (n > SETTINGS_TEXT) {
		for (n = SETTINGS_TEXT - strlen("…"); ((unsigned char)text[n] & 0xc0u) == 0x80;)
			n--;
		memcpy(text + n, "…", sizeof("…"));
	} else if (n > 0)
		text[n - 1] = '\0';
	j = json_text(text);
	free(text);
	return j;
}

void settings_tell(json_t *sentences, const struct compilation *before, const struct compilation *after)
{
	json_t *was = settings_json(before), *is = settings_json(after);
	json_t *changes = was != NULL && is != NULL ? settings_compare(was, is) : NULL;

	json_each(one, changes)
		(void)json_array_append_new(
			sentences,
			json_pack("{s:s, s:O, s:O, s:O*, s:O, s:O, s:[], s:{s:o, s:o}}", "kind", "settings", "object",
				  json_object_get(one, "object"), "name", json_object_get(one, "name"), "setting",
				  json_object_get(one, "setting"), "file", json_object_get(one, "file"), "line",
				  json_object_get(one, "line"), "places", "text", "en", bounded_text(one, LANG_EN),
				  "ja", bounded_text(one, LANG_JA)));
	json_decref(changes);
	json_decref(was);
	json_decref(is);
}
