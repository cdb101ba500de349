/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/value.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "appliance/base/errno_text.h"
#include "appliance/wire/attack.h"
#include "appliance/wire/duty.h"
#include "appliance/wire/event_words.h"
#include "appliance/wire/hours.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/state/alarms.h"
#include "mgmt/state/faults.h"
#include "mgmt/state/journal.h"
#include "mgmt/state/stand.h"
#include "mgmt/words/event.h"

#define VALUE_NAME 64u
#define VALUE_LIST 1024u

static const json_t *value_found(const struct value_place *p, const char *path, size_t n)
{
	const json_t *at = n > 0 && *path == '/' ? p->root : p->row;
	char key[VALUE_NAME];

	for (size_t i = n > 0 && *path == '/', k; i < n && at != NULL; i += k + 1) {
		k = strcspn(path + i, ".");
		k = k > n - i ? n - i : k;
		snprintf(key, sizeof(key), "%.*s", (int)k, path + i);
		if (json_is_array(at) && k > 0)
			at = json_array_get(at, strtoul(key, NULL, 10));
		else
			at = k > 0 ? json_object_get(at, key) : at;
	}
	return at;
}

const json_t *value_at(const struct value_place *p, const char *path)
{
	return value_found(p, path, strlen(path));
}

/* ---- kinds ----------------------------------------------------------------------------------- */

#define VALUE_TEXT 1200u

/* Duties by their names in this language. */
static void value_duties(const struct value_place *p, const json_t *list, char out[VALUE_TEXT])
{
	size_t n = 0;

	json_each(word, list) {
		enum duty d = json_is_string(word) ? duty_by_word(json_string_value(word)) : DUTY_COUNT;

		if (d != DUTY_COUNT && n < VALUE_TEXT)
			n += (size_t)snprintf(out + n, VALUE_TEXT - n, "%s%s",
					      n == 0 ? "" : message_format(M_COMPARE_COMMA, p->lang),
					      message_format(duty_name(d), p->lang));
	}
}

/* A text that the journal itself wrote is translated. */
static void value_journal(const struct value_place *p, const char *text, char out[VALUE_TEXT])
{
	char *said = lost_text(p->lang, text);

	snprintf(out, VALUE_TEXT, "%s", said != NULL ? said : text);
	free(said);
}

/* "what reads, plc-read": as many conduits as there is room for. */
static void value_goes_on(const struct value_place *p, const json_t *o, char *out)
{
	const json_t *keep = ja(o, "keep");
	size_t at = 0;

	if (js(o, "stage")[0] != '\0')
		at = (size_t)snprintf(out, RENDER_TEXT, "%s", message_format(M_ISOLATE_STAGE_READS, p->lang));
	for (size_t i = 0; i < json_array_size(keep) && at + 1 < RENDER_TEXT; i++)
		at += (size_t)snprintf(out + at, RENDER_TEXT - at, "%s%s", at > 0 ? ", " : "",
				       json_string_value(json_array_get(keep, i)));
	if (at >= RENDER_TEXT)
		memcpy(out + RENDER_TEXT - 4, "...", 4);
}

/* Whether the date is before today. */
static bool value_past(const char *date)
{
	char today[MOMENT_FOR_PEOPLE];

	moment_text(clock_wall_ns(), today);
	return strlen(date) == 10 && strncmp(date, today, 10) < 0;
}

/* "ports=20 hosts=8" */
static void value_settings(const json_t *o, char *out)
{
	const char *word;
	json_t *value;
	size_t at = 0;

	json_object_foreach((json_t *)(uintptr_t)o, word, value) {
		if (at < VALUE_TEXT)
			at += (size_t)snprintf(out + at, VALUE_TEXT - at, "%s%s=%lld", at > 0 ? " " : "", word,
					       (long long)json_integer_value(value));
	}
}

#define KIND(name, make)                                                                                               \
	static void value_make_##name(const struct value_place *p, const json_t *v, const char *text,                  \
				      unsigned long long n, char *out)                                                 \
	{                                                                                                              \
		make;                                                                                                  \
	}
#include "mgmt/cli/words/value.def"
#undef KIND
#undef SAY

static const struct {
	const char *name;
	void (*make)(const struct value_place *p, const json_t *v, const char *text, unsigned long long n, char *out);
} kinds[] = {
#define KIND(name, make) { #name, value_make_##name },
#include "mgmt/cli/words/value.def"
};

/* A text, a number that is not negative, or a truth. */
static char *value_plain(const json_t *v)
{
	json_int_t n = json_integer_value(v);
	char *text = NULL;

	if (json_is_integer(v))
		return asprintf(&text, "%lld", n > 0 ? (long long)n : 0) < 0 ? NULL : text;
	if (json_is_boolean(v))
		return strdup(json_is_true(v) ? "true" : "false");
	return strdup(json_is_string(v) ? json_string_value(v) : "");
}

/* "a, b": these members of the list's objects, "either": the texts in the reader's language. */
static char *value_joined(const struct value_place *p, const json_t *list, const char *key)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	json_each_at(i, o, list)
		if (to != NULL)
			fprintf(to, "%s%s", i > 0 ? ", " : "",
				js(o, strcmp(key, "either") == 0 ? lang_name(p->lang) : key));
	return to != NULL ? text_closed(to, &text) : NULL;
}

/* "a+b": the sum of these members of the list's objects. */
static void value_total(const json_t *list, char *keys, char out[VALUE_TEXT])
{
	unsigned long long sum = 0;
	char *key;

	while ((key = strsep(&keys, "+")) != NULL)
		json_each(o, list)
			sum += ju(o, key);
	snprintf(out, VALUE_TEXT, "%llu", sum);
}

static char *value_made(const struct value_place *p, const char *kind, size_t k, const json_t *v, const char *text)
{
	const char *dot = memchr(kind, '.', k);
	json_int_t n = json_integer_value(v);
	char out[VALUE_TEXT] = "", of[VALUE_NAME];

	if (dot != NULL) {
		snprintf(of, sizeof(of), "%.*s", (int)(kind + k - dot - 1), dot + 1);
		if (*kind == 'w')
			return strdup(word_text(of, text, p->lang));
		if (*kind == 'j')
			return value_joined(p, v, of);
		if (*kind == 'e')
			event_end(v, of, out);
		else
			value_total(v, of, out);
		return strdup(out);
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == k && strncmp(kinds[i].name, kind, k) == 0)
			kinds[i].make(p, v, json_is_string(v) ? text : "", n > 0 ? (unsigned long long)n : 0, out);
	return strdup(out);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* One alternative: `n` bytes of `value`. */
static char *value_one(const struct value_place *p, const char *value, size_t n)
{
	const char *colon = *value != '\'' ? memchr(value, ':', n) : NULL, *path = colon != NULL ? colon + 1 : value;
	size_t k = n - (size_t)(path - value);
	const json_t *v = value_found(p, path, k);
	char *text = k > 1 && *path == '\'' ? strndup(path + 1, k - 2) : value_plain(v), *made;

	if (colon == NULL || text == NULL)
		return text;
	made = value_made(p, value, (size_t)(colon - value), v, text);
	free(text);
	return made;
}

/* A text with values in braces. */
static char *value_filled(const struct value_place *p, const char *form)
{
	char *text = NULL, *name, *part;
	size_t size, n;
	FILE *to = open_memstream(&text, &size);

	for (; to != NULL && *form != '\0'; form += n) {
		n = strcspn(form, "{}");
		fwrite(form, 1, n, to);
		if (form[n] != '{')
			continue;
		form += n + 1;
		n = strcspn(form, "}");
		name = strndup(form, n);
		part = name != NULL ? value_text(p, name) : NULL;
		fputs(part != NULL ? part : "", to);
		free(part);
		free(name);
		n += form[n] == '}';
	}
	return to != NULL ? text_closed(to, &text) : NULL;
}

char *value_text(const struct value_place *p, const char *value)
{
	char *text = NULL;

	if (strchr(value, '{') != NULL)
		return value_filled(p, value);
	for (size_t n; text == NULL || *text == '\0'; value += n + 1) {
		n = strcspn(value, ",");
		free(text);
		text = value_one(p, value, n);
		if (text == NULL || value[n] == '\0')
			break;
	}
	return text;
}

/* One term's alternative. */
static bool value_is(const struct value_place *p, const char *term, size_t n)
{
	bool no = n > 0 && *term == '!', there;
	const char *left = term + no;
	size_t size = n - no, k = strcspn(left, "=>"), unlike;
	const json_t *v = value_found(p, left, size);
	char *text, *other;

	if (size > 0 && *left == '?')
		return (value_found(p, left + 1, size - 1) != NULL) != no;
	if (json_is_object(v) || json_is_array(v))
		return (json_is_object(v) || json_array_size(v) > 0) != no;
	k = k < size ? k : size;
	unlike = k > 0 && k < size && left[k - 1] == '!';
	text = json_is_null(value_found(p, left, k - unlike)) && k < size ? strdup("null")
									  : value_one(p, left, k - unlike);
	other = k < size && left[k] == '>' ? value_one(p, left + k + 1, size - k - 1) : NULL;
	if (other != NULL)
		there = text != NULL && strtoull(text, NULL, 10) > strtoull(other, NULL, 10);
	else if (k < size)
		there = text != NULL && strlen(text) == size - k - 1 && memcmp(text, left + k + 1, size - k - 1) == 0;
	else
		there = text != NULL && *text != '\0' && strcmp(text, "0") != 0 && strcmp(text, "false") != 0;
	free(other);
	free(text);
	return there != (no || unlike > 0);
}

bool value_holds(const struct value_place *p, const char *condition)
{
	while (*condition != '\0') {
		bool any = false;

		for (size_t n; *condition != '\0' && *condition != ' '; condition += n + (condition[n] == '|')) {
			n = strcspn(condition, "| ");
			any = value_is(p, condition, n) || any;
		}
		if (!any)
			return false;
		condition += *condition == ' ';
	}
	return true;
}

char *value_sentence(const struct value_place *p, enum message m, const char *const args[VALUE_ARGS])
{
	const char *form = message_format(m, p->lang);
	char *text = NULL, *said;
	size_t size, next = 0, at, n;
	FILE *to = open_memstream(&text, &size);

	for (; to != NULL && *form != '\0'; form++) {
		if (*form != '%' || *++form == '%') {
			fputc(*form, to);
			continue;
		}
		n = strspn(form, "0123456789");
		at = form[n] == '$' ? strtoul(form, NULL, 10) - 1 : next++;
		form += form[n] == '$' ? n + 1 : 0;
		said = at < VALUE_ARGS && args[at] != NULL ? value_text(p, args[at]) : NULL;
		form += strspn(form, "lz");
		if (said != NULL && *said != '\0')
			fputs(strncmp(form, ".0", 2) != 0 ? said : "", to);
		else if (*form != 's' && *form != '.')
			fputc('0', to); /* a number that is missing */
		free(said);
		form += *form == '.' ? 2 : 0;
	}
	text = to != NULL ? text_closed(to, &text) : NULL;
	if (text == NULL || p->lang != LANG_JA || args[0] == NULL || (said = errno_japanese(text)) == NULL)
		return text;
	free(text);
	return said;
}
