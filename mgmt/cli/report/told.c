/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/report/told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/event_words.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/words/sentence.h"

bool told_traffic(const json_t *event)
{
	static const char *const kinds[] = { "drop", "pdu", "flow" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(js(event, "kind"), kinds[i]) == 0)
			return true;
	return false;
}

void told_host(const char *end, char out[64])
{
	const char *colon = strrchr(end, ':'), *from = end, *to;

	if (*end == '[') {
		from = end + 1;
		to = strchr(from, ']');
	} else {
		/* several colons: an IPv6 address without a port */
		to = colon != NULL && strchr(end, ':') == colon ? colon : NULL;
	}
	snprintf(out, 64, "%.*s", to != NULL ? (int)(to - from) : 63, from);
}

void told_cell_time(struct page *p, const char *when)
{
	char text[RENDER_TEXT];

	render_time(when, text);
	page_cell(p, text);
}

void told_span(const char *from, const char *until, char *out, size_t size)
{
	char a[RENDER_TEXT], b[RENDER_TEXT];

	render_time(from, a);
	render_time(until, b);
	snprintf(out, size, "%s - %s", a, b);
}

void told_table(struct page *p, const json_t *events, unsigned long long more)
{
	static const enum message heads[] = { M_TOLD_NUMBER, M_TOLD_TIME, M_TOLD_WHAT };
	const json_t *e;
	size_t i;

	if (json_array_size(events) == 0) {
		page_say(p, M_TOLD_NONE);
		return;
	}
	page_table(p, heads, 3);
	json_array_foreach(events, i, e)
	{
		char *sentence = event_sentence(e, page_lang(p));

		page_cellf(p, "%llu", ju(e, "seq"));
		told_cell_time(p, js(e, "time"));
		page_cell(p, sentence != NULL ? sentence : "");
		free(sentence);
	}
	if (more > 0)
		page_say(p, M_TOLD_MORE, more);
}

json_t *told_refusal(const json_t *event, char *key, size_t size)
{
	const char *verdict = js(event, "verdict"), *reason = js(event, "reason"), *conduit = js(event, "conduit");

	snprintf(key, size, "%s/%s/%s", verdict, reason, conduit);
	return json_pack("{s:o,s:o,s:o}", "verdict", json_text(verdict), "reason", json_text(reason), "conduit",
			 json_text(conduit));
}

void told_refusals(struct page *p, const json_t *rows)
{
	static const enum message heads[] = { M_TOLD_VERDICT, M_TOLD_REASON, M_TOLD_CONDUIT, M_TOLD_COUNT,
					      M_TOLD_RECORDS, M_TOLD_FIRST,  M_TOLD_LAST };
	enum lang l = page_lang(p);
	const json_t *r;
	size_t i;

	if (json_array_size(rows) == 0) {
		page_say(p, M_TOLD_NONE);
		return;
	}
	page_table(p, heads, 7);
	json_array_foreach(rows, i, r)
	{
		page_cell(p, jb(r, "more") ? message_format(M_TOLD_OTHERS, l)
					   : event_verdict_text(js(r, "verdict"), lang_name(l)));
		page_cell(p, *js(r, "reason") != '\0' ? render_reason(js(r, "reason"), l) : "-");
		page_cell(p, *js(r, "conduit") != '\0' ? js(r, "conduit") : "-");
		page_cellf(p, "%llu", ju(r, "count"));
		page_cellf(p, "%llu", ju(r, "records"));
		told_cell_time(p, js(r, "first"));
		told_cell_time(p, js(r, "last"));
	}
}
