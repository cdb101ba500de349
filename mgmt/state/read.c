/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/wire/hours.h"

const char *js(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

bool js_is(const json_t *o, const char *key, const char *word)
{
	return strcmp(js(o, key), word) == 0;
}

unsigned long long ju(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 ? (unsigned long long)v : 0;
}

bool jb(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

const json_t *ja(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_array(v) || json_is_object(v) ? v : NULL;
}

const json_t *json_find(const json_t *list, const char *key, const char *text)
{
	json_each(o, list)
		if (js_is(o, key, text))
			return o;
	return NULL;
}

void render_time(const char *rfc3339, char out[RENDER_TEXT])
{
	struct tm utc = { 0 };

	snprintf(out, RENDER_TEXT, "%s", rfc3339);
	if (strptime(rfc3339, "%Y-%m-%dT%H:%M:%S", &utc) != NULL)
		moment_text((uint64_t)timegm(&utc) * 1000000000u, out);
}

const char *render_kind(const char *word, enum lang l)
{
	return message_format(strcmp(word, "naming") == 0 ? M_KIND_NAMING : M_KIND_COMMANDS, l);
}

void render_conduit(const json_t *silent, enum lang l, char *out, size_t size)
{
	const char *name = js(silent, "conduit"), *label = js(silent, "label");

	if (*label != '\0' && strcmp(label, name) != 0)
		message_text(out, size, l, M_SILENT_CONDUIT, label, name);
	else
		snprintf(out, size, "%s", name);
}

void render_conduits(const json_t *list, unsigned long long all, enum lang l, char *out, size_t size)
{
	size_t at = 0, n = 0;
	char name[RENDER_TEXT * 4];

	out[0] = '\0';
	for (; n < json_array_size(list) && n < CONDUITS_NAMED && at < size; n++) {
		render_conduit(json_array_get(list, n), l, name, sizeof(name));
		at += (size_t)snprintf(out + at, size - at, "%s%s", n > 0 ? ", " : "", name);
	}
	if (all > n && at < size)
		snprintf(out + at, size - at, ", +%llu", all - n);
}

static bool has_names(const json_t *grant)
{
	return json_array_size(ja(grant, "names")) > 0;
}

bool declares_servers(const json_t *permit, const json_t *grant)
{
	if (!json_is_string(json_object_get(permit, "lane")) || jb(grant, "shadow") || !has_names(grant))
		return false;
	json_each(g, ja(permit, "grants"))
		if (strcmp(js(g, "protocol"), "tls") == 0 && !jb(g, "shadow") && !has_names(g))
			return false;
	return true;
}

void json_joined(const json_t *list, const char *between, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(list) && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s", i > 0 ? between : "",
				       json_string_value(json_array_get(list, i)));
}

const enum message *word_message(const char *subject, const char *word)
{
	static const struct {
		const char *subject, *word;
		enum message text;
	} all[] = {
#define WORD(subject, word, text) { #subject, #word, text },
#include "mgmt/state/words.def"
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].word, word) == 0 && strcmp(all[i].subject, subject) == 0)
			return &all[i].text;
	return NULL;
}

const char *word_text(const char *subject, const char *word, enum lang l)
{
	const enum message *m = word_message(subject, word);

	return m != NULL ? message_format(*m, l) : word;
}

char *text_closed(FILE *to, char **text)
{
	if (fclose(to) == 0)
		return *text;
	free(*text);
	return NULL;
}
