/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/filter.h"

#include <stdio.h>
#include <string.h>

#include "appliance/wire/event_words.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/vocabulary.h"

/* characters of a time down to the second, "2026-11-20T08:10:11" of "2026-11-20T08:10:11.123Z" */
#define SECONDS 19u

/* Checks the form of a time, because records are compared with it as text. */
static bool is_moment(const char *text)
{
	static const char form[SECONDS + 1] = "0000-00-00T00:00:00";

	for (size_t i = 0; i < SECONDS; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

/* Whether a filter may ask for this protocol: "" = any, or the name of a protocol that this version
 * knows. Records are compared with it as text. */
static bool is_protocol(const char *text)
{
	return *text == '\0' || strcmp(text, FILTER_IN_CLEAR) == 0 || protocol_by_name(text) != PROTO_NONE;
}

static bool is_name(const char *word)
{
	for (unsigned p = 0; p < PROTO_COUNT; p++) {
		const struct vocabulary *v = vocabulary_of((enum protocol)p);

		if (v != NULL && function_by_name(v, word) != NULL)
			return true;
	}
	return false;
}

/* A code as people write it: decimal, or hexadecimal with 0x; at most UINT32_MAX. */
static bool is_code(const char *word, uint64_t *ret)
{
	bool hex = word[0] == '0' && word[1] == 'x';
	unsigned base = hex ? 16 : 10;
	const char *at = hex ? word + 2 : word;

	*ret = 0;
	if (*at == '\0')
		return false;
	for (; *at != '\0'; at++) {
		unsigned digit = *at >= '0' && *at <= '9'	   ? (unsigned)(*at - '0')
				 : hex && *at >= 'a' && *at <= 'f' ? (unsigned)(*at - 'a') + 10
								   : 99;

		if (digit >= base)
			return false;
		*ret = *ret * base + digit;
		if (*ret > UINT32_MAX)
			return false;
	}
	return true;
}

static bool take_command(struct line_filter *f, const char *word, size_t n)
{
	struct command_asked *c = &f->commands[f->n_commands];
	uint64_t code;

	if (f->n_commands == FILTER_COMMANDS || n >= sizeof(c->word))
		return false;
	*c = (struct command_asked){ 0 };
	memcpy(c->word, word, n);
	c->classes = command_class(c->word);
	c->by_code = is_code(c->word, &code);
	if (c->by_code)
		snprintf(c->word, sizeof(c->word), "%u", (unsigned)code);
	c->size = (uint8_t)strlen(c->word);
	f->n_commands++;
	return c->classes != 0 || c->by_code || is_name(c->word);
}

static bool take_commands(struct line_filter *f, const char *text)
{
	bool fits = true;

	if (*text == '\0')
		return true;
	for (const char *end; fits; text = end + 1) {
		end = strchrnul(text, ',');
		fits = take_command(f, text, (size_t)(end - text));
		if (*end == '\0')
			break;
	}
	return fits;
}

/* A number in JSON's form, as in records: at most 2^63 - 1. */
static bool take_number(const char **at, uint64_t *ret)
{
	const char *from = *at;

	*ret = 0;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		if (*ret > (INT64_MAX - 9u) / 10)
			return false;
		*ret = *ret * 10 + (uint64_t)(**at - '0');
	}
	return *at > from;
}

static bool take_value(struct line_filter *f, const char *text)
{
	if (*text == '\0')
		return true;
	if (!take_number(&text, &f->least))
		return false;
	f->most = f->least;
	if (*text == '-') {
		text++;
		if (!take_number(&text, &f->most))
			return false;
	}
	return *text == '\0' && f->least <= f->most;
}

bool line_filter_make(const struct event_filter *asked, struct line_filter *ret)
{
	bool stray;

	*ret = (struct line_filter){ .asked = asked };
	if (asked->text[FILTER_SEVERITY][0] != '\0')
		ret->gravity = event_severity_by_word(asked->text[FILTER_SEVERITY]);
	return ret->gravity < EVENT_SEVERITY_COUNT &&
	       (asked->text[FILTER_VERDICT][0] == '\0' ||
		event_verdict_by_word(asked->text[FILTER_VERDICT]) < EVENT_VERDICT_COUNT) &&
	       (asked->text[FILTER_KIND][0] == '\0' || event_kind_by_word(asked->text[FILTER_KIND]) != EVENT_NONE) &&
	       is_protocol(asked->text[FILTER_PROTOCOL]) &&
	       (asked->text[FILTER_REASON][0] == '\0' || reason_by_word(asked->text[FILTER_REASON]) < REASON_COUNT) &&
	       take_commands(ret, asked->text[FILTER_COMMAND]) && take_value(ret, asked->text[FILTER_VALUE]) &&
	       (asked->text[FILTER_UNTIL][0] == '\0' || is_moment(asked->text[FILTER_UNTIL])) &&
	       (asked->text[FILTER_SINCE][0] == '\0' || is_moment(asked->text[FILTER_SINCE])) &&
	       (asked->text[FILTER_HOST][0] == '\0' || prefix_parse(asked->text[FILTER_HOST], &ret->hosts, &stray) ||
		stray);
}

const char *line_value(const char *line, size_t n, const char *key)
{
	char mark[32];
	int size = snprintf(mark, sizeof(mark), "\"%s\":\"", key);
	const char *at = memmem(line, n, mark, (size_t)size);

	return at != NULL ? at + size : NULL;
}

const char *line_bare(const char *line, size_t n, const char *key)
{
	char mark[32];
	int size = snprintf(mark, sizeof(mark), "\"%s\":", key);
	const char *at = memmem(line, n, mark, (size_t)size);

	return at != NULL ? at + size : NULL;
}

static bool line_has(const char *line, size_t n, const char *key, const char *value)
{
	const char *at = line_value(line, n, key);
	size_t size = strlen(value), left = at != NULL ? n - (size_t)(at - line) : 0;

	return left > size && memcmp(at, value, size) == 0 && at[size] == '"';
}

static bool either(const char *line, size_t n, const char *kind, const char *value)
{
	char client[24], server[24];

	snprintf(client, sizeof(client), "client_%s", kind);
	snprintf(server, sizeof(server), "server_%s", kind);
	return line_has(line, n, client, value) || line_has(line, n, server, value);
}

bool line_end(const char *line, size_t n, const char *key, struct addr *ret)
{
	const char *at = line_value(line, n, key);
	size_t left = at != NULL ? n - (size_t)(at - line) : 0, size = 0;
	bool bracket = left > 0 && *at == '[';
	char text[ADDR_TEXT];

	if (bracket) {
		at++;
		left--;
	}
	while (size < left && at[size] != '"' && at[size] != (bracket ? ']' : ':'))
		size++;
	if (size == 0 || size >= sizeof(text))
		return false;
	memcpy(text, at, size);
	text[size] = '\0';
	return addr_parse(text, ret);
}

static bool end_in(const char *line, size_t n, const char *key, const struct addr_range *r)
{
	struct addr a;

	return line_end(line, n, key, &a) && a.family == r->lo.family && addr_in(&a, r);
}

static bool grave(const char *line, size_t n, unsigned least)
{
	bool found = least == EVENT_NOTICE;

	for (unsigned s = least; s < EVENT_SEVERITY_COUNT && !found; s++)
		found = line_has(line, n, "severity", event_severity_word((enum event_severity)s));
	return found;
}

static bool line_speaks(const char *line, size_t n, const char *protocol)
{
	static const char in_clear[] = "\"" FILTER_IN_CLEAR "\":true";

	if (strcmp(protocol, FILTER_IN_CLEAR) == 0)
		return memmem(line, n, in_clear, sizeof(in_clear) - 1) != NULL;
	return line_has(line, n, "protocol", protocol);
}

/* The number at `at`, before `end`; false when there is none. */
static bool number_at(const char *at, const char *end, uint64_t *ret)
{
	const char *from = at;

	*ret = 0;
	for (; at != NULL && at < end && *at >= '0' && *at <= '9'; at++)
		*ret = *ret * 10 + (uint64_t)(*at - '0');
	return at > from;
}

static bool of_class(const char *line, size_t n, unsigned classes)
{
	const char *protocol = line_value(line, n, "protocol"), *name = line_value(line, n, "function_name"),
		   *end = line + n;
	const char *protocol_end = protocol != NULL ? memchr(protocol, '"', (size_t)(end - protocol)) : NULL,
		   *name_end = name != NULL ? memchr(name, '"', (size_t)(end - name)) : NULL;
	char said[FILTER_TEXT], function[FILTER_TEXT];
	const struct function_info *f;
	const struct vocabulary *v;

	if (protocol_end == NULL || name_end == NULL || (size_t)(protocol_end - protocol) >= sizeof(said) ||
	    (size_t)(name_end - name) >= sizeof(function))
		return false;
	snprintf(said, sizeof(said), "%.*s", (int)(protocol_end - protocol), protocol);
	snprintf(function, sizeof(function), "%.*s", (int)(name_end - name), name);
	v = vocabulary_of(protocol_by_name(said));
	f = v != NULL ? function_by_name(v, function) : NULL;
	return f != NULL && (f->classes & classes) != 0;
}

static bool line_commands(const struct line_filter *f, const char *line, size_t n)
{
	for (unsigned i = 0; i < f->n_commands; i++) {
		const struct command_asked *c = &f->commands[i];
		const char *at = c->by_code ? line_bare(line, n, "function") : NULL;

		if (c->classes != 0 && of_class(line, n, c->classes))
			return true;
		if (c->by_code) {
			size_t left = at != NULL ? n - (size_t)(at - line) : 0;

			if (left > c->size && memcmp(at, c->word, c->size) == 0 &&
			    (at[c->size] == ',' || at[c->size] == '}'))
				return true;
		} else if (line_has(line, n, "function_name", c->word)) {
			return true;
		}
	}
	return false;
}

/* Whether the record's command wrote a value in that range. A refused command has one value; a sum
 * of accepted ones has its smallest and its largest. */
static bool wrote(const char *line, size_t n, uint64_t least, uint64_t most)
{
	const char *at = line_bare(line, n, "wrote"), *end = line + n;
	uint64_t low, high;

	if (at == NULL)
		return false;
	if (at < end && *at == '{')
		return number_at(line_bare(at, (size_t)(end - at), "low"), end, &low) &&
		       number_at(line_bare(at, (size_t)(end - at), "high"), end, &high) && low <= most && high >= least;
	return number_at(at, end, &low) && low <= most && low >= least;
}

static bool line_within(const char *line, size_t n, const char *since, const char *until)
{
	const char *time = line_value(line, n, "time");

	if (since[0] == '\0' && until[0] == '\0')
		return true;
	return time != NULL && n - (size_t)(time - line) >= SECONDS &&
	       (since[0] == '\0' || strncmp(time, since, SECONDS) >= 0) &&
	       (until[0] == '\0' || strncmp(time, until, SECONDS) < 0);
}

bool line_filter_match(const struct line_filter *f, const char *line, size_t n)
{
	const char(*t)[FILTER_TEXT] = f->asked->text;

	if (!line_within(line, n, t[FILTER_SINCE], t[FILTER_UNTIL]))
		return false;
	return grave(line, n, f->gravity) && (t[FILTER_KIND][0] == '\0' || line_has(line, n, "kind", t[FILTER_KIND])) &&
	       (t[FILTER_PROTOCOL][0] == '\0' || line_speaks(line, n, t[FILTER_PROTOCOL])) &&
	       (t[FILTER_REASON][0] == '\0' || line_has(line, n, "reason", t[FILTER_REASON])) &&
	       (f->n_commands == 0 || line_commands(f, line, n)) &&
	       (t[FILTER_VALUE][0] == '\0' || wrote(line, n, f->least, f->most)) &&
	       (t[FILTER_CONDUIT][0] == '\0' || line_has(line, n, "conduit", t[FILTER_CONDUIT])) &&
	       (t[FILTER_VERDICT][0] == '\0' || line_has(line, n, "verdict", t[FILTER_VERDICT])) &&
	       (t[FILTER_ZONE][0] == '\0' || either(line, n, "zone", t[FILTER_ZONE])) &&
	       (t[FILTER_ASSET][0] == '\0' || either(line, n, "asset", t[FILTER_ASSET])) &&
	       (t[FILTER_HOST][0] == '\0' || end_in(line, n, "client", &f->hosts) ||
		end_in(line, n, "server", &f->hosts));
}
