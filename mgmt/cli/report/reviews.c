/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/report/reviews.h"

#include <stdio.h>
#include <string.h>

#include "mgmt/cli/report/told.h"

#define REVIEWED "records_reviewed"
#define FOUND "records_reviewed_found"
#define REVIEWS_MOST 400u

/* "2026-09-30T15:00:00Z/2026-10-31T15:00:00Z" in the form of an event's time. */
static bool span_of(const char *text, struct span *ret)
{
	const char *slash = strchr(text, '/');
	static const size_t n = sizeof("2026-09-30T15:00:00") - 1;

	if (slash == NULL || slash != text + n + 1 || strlen(slash + 1) != n + 1)
		return false;
	snprintf(ret->from, sizeof(ret->from), "%.*s.000Z", (int)n, text);
	snprintf(ret->until, sizeof(ret->until), "%.*s.000Z", (int)n, slash + 1);
	return true;
}

void reviews_take(json_t *list, const json_t *event, const struct span *s)
{
	bool found = strcmp(js(event, "code"), FOUND) == 0;
	char by[96], host[64];
	struct span of;

	if (strcmp(js(event, "kind"), "account") != 0 || (!found && strcmp(js(event, "code"), REVIEWED) != 0))
		return;
	if (!span_of(js(event, "before"), &of) || strcmp(of.from, s->until) >= 0 || strcmp(of.until, s->from) <= 0)
		return;
	/* Signed over the web nobody entered it for somebody; the address stands there. */
	told_host(js(event, "client"), host);
	snprintf(by, sizeof(by), "%s%s", *host != '\0' ? "web " : js(event, "by"), host);
	if (json_array_size(list) < REVIEWS_MOST)
		(void)json_array_append_new(
			list, json_pack("{s:I,s:o,s:o,s:s,s:s,s:s,s:o,s:o}", "seq", (json_int_t)ju(event, "seq"),
					"time", json_text(js(event, "time")), "name", json_text(js(event, "object")),
					"from", of.from, "until", of.until, "result", found ? "findings" : "none",
					"note", json_text(js(event, "after")), "by", json_text(by)));
}

const char *reviews_cover(const json_t *list, const struct span *s)
{
	char reached[MOMENT_TEXT];
	const json_t *r;
	bool grown = true;
	size_t i;

	snprintf(reached, sizeof(reached), "%s", s->from);
	while (grown && strcmp(reached, s->until) < 0) {
		grown = false;
		json_array_foreach(list, i, r)
		{
			if (strcmp(js(r, "from"), reached) <= 0 && strcmp(js(r, "until"), reached) > 0) {
				snprintf(reached, sizeof(reached), "%s", js(r, "until"));
				grown = true;
			}
		}
	}
	if (strcmp(reached, s->until) >= 0)
		return "all";
	return json_array_size(list) > 0 ? "partly" : "no";
}

void reviews_name(json_t *list, const json_t *accounts)
{
	json_t *r;
	const json_t *a;
	size_t i, k;

	json_array_foreach(list, i, r)
	{
		const char *full = "";

		json_array_foreach(accounts, k, a)
		{
			if (strcmp(js(a, "name"), js(r, "name")) == 0)
				full = js(a, "full_name");
		}
		(void)json_object_set_new(r, "full_name", *full != '\0' ? json_text(full) : json_null());
	}
}

void reviews_page(struct page *p, const json_t *list, const struct span *s)
{
	static const enum message heads[] = { M_REVIEWS_WHO,  M_REVIEWS_WHEN, M_REVIEWS_SPAN, M_REVIEWS_RESULT,
					      M_REVIEWS_NOTE, M_REVIEWS_BY,   M_TOLD_NUMBER };
	static const enum message state[] = { M_REVIEWS_STATE };
	const char *cover = reviews_cover(list, s);
	enum lang l = page_lang(p);
	const json_t *r;
	char text[160];
	size_t i;

	page_section(p, M_REVIEWS_SECTION);
	page_table(p, state, 1);
	if (strcmp(cover, "all") == 0)
		page_cell_mark(p, M_REVIEWS_ALL, "met");
	else
		page_cell_mark(p, *cover == 'p' ? M_REVIEWS_PARTLY : M_REVIEWS_NOT, *cover == 'p' ? "partly" : "not");
	if (json_array_size(list) == 0)
		return;
	page_table(p, heads, 7);
	json_array_foreach(list, i, r)
	{
		bool found = strcmp(js(r, "result"), "findings") == 0;

		if (*js(r, "full_name") != '\0')
			page_cellf(p, "%s (%s)", js(r, "full_name"), js(r, "name"));
		else
			page_cellf(p, "%s (%s)", js(r, "name"), message_format(M_REVIEWS_GONE, l));
		told_cell_time(p, js(r, "time"));
		told_span(js(r, "from"), js(r, "until"), text, sizeof(text));
		page_cell(p, text);
		page_cell_mark(p, found ? M_REVIEWS_FINDINGS : M_REVIEWS_NONE, found ? "partly" : "met");
		page_cell(p, *js(r, "note") != '\0' ? js(r, "note") : "-");
		page_cell(p, *js(r, "by") != '\0' ? js(r, "by") : "-");
		page_cellf(p, "%llu", ju(r, "seq"));
	}
}
