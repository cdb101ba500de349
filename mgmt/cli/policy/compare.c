/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the settings of two policies. */
#include <stdlib.h>

#include "mgmt/cli/policy/settings.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/state/read.h"
#include "policy/render/render.h"

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
		json_t *key = json_sprintf("%s %s", js(one, "object"), js(one, "name")), *list;

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
			json_t *key = json_sprintf("%s %s", js(one, "object"), js(one, "name"));
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

/* ---- effects --------------------------------------------------------------------------------- */

#define PLACES_SHOWN 6u

static void places_print(struct cli *c, const json_t *places, size_t more)
{
	const json_t *p;
	size_t i;

	json_array_foreach(places, i, p)
		if (i < PLACES_SHOWN)
			source_say(c, M_MEANS_PLACE, js(p, "source"), js(p, "destination"), js(p, "protocol"),
				   js(p, "ports"));
	more += i;
	if (more > PLACES_SHOWN)
		source_say(c, M_MEANS_MORE, more - PLACES_SHOWN);
}

static void sentence_print(struct cli *c, const char *text)
{
	char *safe = text_safe(text);

	text_wrap(c->out, safe != NULL ? safe : "", 0, 4);
	fputc('\n', c->out);
	free(safe);
}

void means_print(struct cli *c, const json_t *sentences, const char *before, const char *after)
{
	json_each(l, sentences) {
		char text[MEANS_LINE];

		means_line(l, c->lang, js_is(l, "of", "before") ? before : after, text, sizeof(text));
		sentence_print(c, text);
		places_print(c, ja(l, "places"), ju(l, "more_places"));
	}
	if (json_array_size(sentences) == 0)
		sentence_print(c, message_format(M_MEANS_SAME, c->lang));
}

void means_answered(struct cli *c, const json_t *answer, const char *folder)
{
	const json_t *all = json_object_get(answer, "meaning");

	if (!json_is_array(all))
		return;
	means_print(c, all, folder, folder);
	if (ju(answer, "more_meaning") == 0)
		return;
	message_print(c->out, c->lang, M_MEANS_OTHERS, (size_t)ju(answer, "more_meaning"));
	fputc('\n', c->out);
}
