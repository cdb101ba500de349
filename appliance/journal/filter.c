/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/filter.h"

#include <stdio.h>
#include <string.h>

#include "appliance/base/json.h"
#include "appliance/wire/event_words.h"
#include "appliance/wire/protocols.h"

#define SECONDS 19u /* of "2026-11-20T08:10:11.123Z" */

/* Records are compared with it letter by letter. */
static bool is_moment(const char *text)
{
	static const char form[SECONDS + 1] = "0000-00-00T00:00:00";

	for (size_t i = 0; i < SECONDS; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

/* Records have it as a word of its own, by what was known of the protocol when they were written. */
static bool is_protocol(const char *text)
{
	return *text == '\0' || strcmp(text, FILTER_IN_CLEAR) == 0 || protocol_by_name(text) != PROTO_NONE;
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

static bool has(const char *line, size_t n, const char *key, const char *value)
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
	return has(line, n, client, value) || has(line, n, server, value);
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
		found = has(line, n, "severity", event_severity_word((enum event_severity)s));
	return found;
}

static bool speaks(const char *line, size_t n, const char *protocol)
{
	static const char in_clear[] = "\"" FILTER_IN_CLEAR "\":true";

	if (strcmp(protocol, FILTER_IN_CLEAR) == 0)
		return memmem(line, n, in_clear, sizeof(in_clear) - 1) != NULL;
	return has(line, n, "protocol", protocol);
}

bool line_filter_match(const struct line_filter *f, const char *line, size_t n)
{
	const char(*t)[FILTER_TEXT] = f->asked->text;
	const char *time = line_value(line, n, "time");

	if (t[FILTER_SINCE][0] != '\0' &&
	    (time == NULL || n - (size_t)(time - line) < SECONDS || strncmp(time, t[FILTER_SINCE], SECONDS) < 0))
		return false;
	return grave(line, n, f->gravity) && (t[FILTER_KIND][0] == '\0' || has(line, n, "kind", t[FILTER_KIND])) &&
	       (t[FILTER_PROTOCOL][0] == '\0' || speaks(line, n, t[FILTER_PROTOCOL])) &&
	       (t[FILTER_CONDUIT][0] == '\0' || has(line, n, "conduit", t[FILTER_CONDUIT])) &&
	       (t[FILTER_VERDICT][0] == '\0' || has(line, n, "verdict", t[FILTER_VERDICT])) &&
	       (t[FILTER_ZONE][0] == '\0' || either(line, n, "zone", t[FILTER_ZONE])) &&
	       (t[FILTER_ASSET][0] == '\0' || either(line, n, "asset", t[FILTER_ASSET])) &&
	       (t[FILTER_HOST][0] == '\0' || end_in(line, n, "client", &f->hosts) ||
		end_in(line, n, "server", &f->hosts));
}
