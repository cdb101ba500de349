/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/api/nameless.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/json_each.h"

/* Members with a person's name: these, and texts in members that end with "_by". */
static const char *const persons[] = { "by", "account", "person", "second", "applicant", "responsible", "authors" };
/* What a person wrote, in an object that names him. */
static const char *const written[] = { "reason", "note", "ticket", "comment" };

static bool is_one_of(const char *key, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(key, list[i]) == 0)
			return true;
	return false;
}

static bool is_person(const char *key, const json_t *v)
{
	size_t n = strlen(key);

	return !json_is_null(v) && (is_one_of(key, persons, sizeof(persons) / sizeof(persons[0])) ||
				    (json_is_string(v) && n > 3 && strcmp(key + n - 3, "_by") == 0));
}

static bool names_person(json_t *object)
{
	const char *key;
	json_t *v;

	json_object_foreach(object, key, v) {
		if (is_person(key, v))
			return true;
	}
	return false;
}

/* Takes the texts out of `v` into `hidden`, whose keys they become. Members stay, and are empty. */
static void take_texts(json_t *v, json_t *hidden)
{
	if (json_is_string(v) && json_string_length(v) > 0) {
		(void)json_object_set_new(hidden, json_string_value(v), json_true());
		(void)json_string_set(v, "");
	}
	json_each(one, v)
		take_texts(one, hidden);
}

static void take_persons(json_t *v, json_t *hidden)
{
	bool named = names_person(v);
	const char *key;
	json_t *member;

	json_object_foreach(v, key, member) {
		if (is_person(key, member) || (named && is_one_of(key, written, sizeof(written) / sizeof(written[0]))))
			take_texts(member, hidden);
		else
			take_persons(member, hidden);
	}
	json_each(one, v)
		take_persons(one, hidden);
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Whether `name` stands at `at` of `text` as a word of its own. */
static bool stands_at(const char *text, const char *at, const char *name)
{
	size_t n = strlen(name);

	return strncmp(at, name, n) == 0 && !(at > text && in_word(at[-1]) && in_word(name[0])) &&
	       !(in_word(name[n - 1]) && in_word(at[n]));
}

/* The length of the longest hidden text that stands there; 0: none. */
static size_t hidden_at(json_t *hidden, const char *text, const char *at)
{
	const char *name;
	size_t most = 0;
	json_t *v;

	json_object_foreach(hidden, name, v) {
		if (strlen(name) > most && stands_at(text, at, name))
			most = strlen(name);
	}
	return most;
}

static void hide_in_text(json_t *v, json_t *hidden)
{
	const char *text = json_string_value(v);
	char *out = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&out, &n);

	if (to == NULL) {
		(void)json_string_set(v, "");
		return;
	}
	for (const char *at = text; *at != 0;) {
		size_t length = hidden_at(hidden, text, at);

		if (length > 0)
			fputs("...", to);
		else
			fputc(*at, to);
		at += length > 0 ? length : 1;
	}
	if (fclose(to) != 0 || json_string_set(v, out) < 0)
		(void)json_string_set(v, "");
	free(out);
}

static void hide(json_t *v, json_t *hidden)
{
	const char *key;
	json_t *member;

	if (json_is_string(v))
		hide_in_text(v, hidden);
	json_object_foreach(v, key, member) {
		hide(member, hidden);
	}
	json_each(one, v)
		hide(one, hidden);
}

char *state_nameless(const char *state)
{
	json_t *j = json_loads(state, 0, NULL), *hidden = json_object();
	char *text = NULL;

	if (json_is_object(j) && hidden != NULL) {
		take_persons(j, hidden);
		hide(j, hidden);
		text = json_dumps(j, JSON_COMPACT);
	}
	json_decref(hidden);
	json_decref(j);
	return text;
}
