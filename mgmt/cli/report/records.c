/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mgmt/cli/report/report.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/words/event.h"

static bool put_moment(time_t t, char out[MOMENT_TEXT])
{
	struct tm tm;

	return t >= 0 && gmtime_r(&t, &tm) != NULL && strftime(out, MOMENT_TEXT, "%Y-%m-%dT%H:%M:%S.000Z", &tm) > 0;
}

/* Parses "2026-10" in this machine's time zone. */
static bool span_month(const char *text, struct span *ret)
{
	struct tm first = { .tm_mday = 1, .tm_isdst = -1 }, next;
	const char *rest = strptime(text, "%Y-%m", &first);

	if (rest == NULL || *rest != '\0' || strlen(text) != strlen("2026-10") || first.tm_year < 70)
		return false;
	next = first;
	next.tm_mon++;
	return put_moment(mktime(&first), ret->from) && put_moment(mktime(&next), ret->until);
}

int span_read(struct cli *c, const char *month, const char *from, const char *until, const char *now, struct span *ret)
{
	if ((month != NULL) == (from != NULL) || (month != NULL && until != NULL))
		return cli_fail(c, CLI_INVALID, M_SPAN_WHICH);
	if (month != NULL)
		return span_month(month, ret) ? CLI_YES : cli_fail(c, CLI_INVALID, M_SPAN_MONTH, month);
	if (!moment_parse(from, ret->from))
		return cli_fail(c, CLI_INVALID, M_SPAN_MOMENT, "--from", from);
	if (until == NULL)
		snprintf(ret->until, sizeof(ret->until), "%.*s", MOMENT_TEXT - 1, now);
	else if (!moment_parse(until, ret->until))
		return cli_fail(c, CLI_INVALID, M_SPAN_MOMENT, "--until", until);
	return strcmp(ret->from, ret->until) < 0 ? CLI_YES : cli_fail(c, CLI_INVALID, M_SPAN_ORDER);
}

uint64_t span_seconds(const char *moment)
{
	struct tm tm = { 0 };
	time_t t;

	if (strptime(moment, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
		return 0;
	t = timegm(&tm);
	return t > 0 ? (uint64_t)t : 0;
}

/* ---- rows with counts ------------------------------------------------------------------------ */

void tally_open(struct tally *t)
{
	t->rows = json_array();
	t->places = json_object();
}

json_t *tally_close(struct tally *t)
{
	json_t *rows = t->rows;

	json_decref(t->places);
	*t = (struct tally){ NULL, NULL };
	return rows;
}

static json_t *row_of(struct tally *t, const char *key, json_t *fresh)
{
	json_t *place = json_object_get(t->places, key);

	if (place == NULL && json_array_size(t->rows) >= TALLY_ROWS) {
		key = "";
		place = json_object_get(t->places, key);
		json_decref(fresh);
		fresh = place == NULL ? json_pack("{s:b}", "more", 1) : NULL;
	}
	if (place != NULL) {
		json_decref(fresh);
		return json_array_get(t->rows, (size_t)json_integer_value(place));
	}
	if (fresh == NULL ||
	    json_object_set_new(t->places, key, json_integer((json_int_t)json_array_size(t->rows))) < 0) {
		json_decref(fresh);
		return NULL;
	}
	(void)json_array_append_new(t->rows, fresh);
	return fresh;
}

static void grow(json_t *row, const char *key, unsigned long long n)
{
	(void)json_object_set_new(row, key, json_integer((json_int_t)(ju(row, key) + n)));
}

void tally_add(struct tally *t, const char *key, json_t *fresh, unsigned long long count, const char *when)
{
	json_t *row = row_of(t, key, fresh);

	if (row == NULL)
		return;
	grow(row, "count", count > 0 ? count : 1);
	grow(row, "records", 1);
	if (*js(row, "first") == '\0' || strcmp(when, js(row, "first")) < 0)
		(void)json_object_set_new(row, "first", json_text(when));
	if (strcmp(when, js(row, "last")) > 0)
		(void)json_object_set_new(row, "last", json_text(when));
}

struct counted {
	json_t *row; /* borrowed */
	unsigned long long count;
	size_t at; /* position of its first occurrence, which orders equal ones */
};

static int by_count(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->at > y->at ? 1 : -1;
}

void tally_sort(struct tally *t)
{
	size_t n = json_array_size(t->rows);
	struct counted *list = calloc(n > 0 ? n : 1, sizeof(*list));
	json_t *sorted = json_array();

	if (list == NULL || sorted == NULL) {
		free(list);
		json_decref(sorted);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		list[i].at = i;
		list[i].row = json_array_get(t->rows, i);
		list[i].count = ju(list[i].row, "count");
	}
	qsort(list, n, sizeof(*list), by_count);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append(sorted, list[i].row);
	free(list);
	json_decref(t->rows);
	t->rows = sorted;
}

void tally_keep(json_t *list, unsigned long long *more, const json_t *j)
{
	if (json_array_size(list) < TALLY_ROWS)
		(void)json_array_append_new(list, json_deep_copy(j));
	else
		++*more;
}

/* ---- tables of records ----------------------------------------------------------------------- */

bool event_is_traffic(const json_t *event)
{
	static const char *const kinds[] = { "drop", "pdu", "flow" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (js_is(event, "kind", kinds[i]))
			return true;
	return false;
}

void host_of_end(const char *end, char out[64])
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

void page_cell_time(struct page *p, const char *when)
{
	char text[RENDER_TEXT];

	render_time(when, text);
	page_cell(p, text);
}

void page_rows(struct page *p, const struct answer_row *table, const json_t *list)
{
	enum message heads[TABLE_COLUMNS];

	if (json_array_size(list) == 0) {
		page_say(p, M_TOLD_NONE);
		return;
	}
	page_table(p, heads, answer_heads(table, heads));
	json_each(row, list) {
		const struct value_place at = { list, row, page_lang(p) };

		for (const struct answer_row *i = table + 1; i->what != ANSWER_END; i++) {
			char *text = i->what == ANSWER_COLUMN ? answer_cell(i, &at) : NULL;

			if (i->what == ANSWER_COLUMN)
				page_cell(p, text);
			free(text);
		}
	}
}

void span_text(const char *from, const char *until, char *out, size_t size)
{
	char a[RENDER_TEXT], b[RENDER_TEXT];

	render_time(from, a);
	render_time(until, b);
	snprintf(out, size, "%s - %s", a, b);
}

void page_events(struct page *p, const json_t *events, unsigned long long more)
{
	static const enum message heads[] = { M_TOLD_NUMBER, M_TOLD_TIME, M_TOLD_WHAT };

	if (json_array_size(events) == 0) {
		page_say(p, M_TOLD_NONE);
		return;
	}
	page_table(p, heads, 3);
	json_each(e, events) {
		char *sentence = event_sentence(e, page_lang(p));

		page_cellf(p, "%llu", ju(e, "seq"));
		page_cell_time(p, js(e, "time"));
		page_cell(p, sentence != NULL ? sentence : "");
		free(sentence);
	}
	if (more > 0)
		page_say(p, M_TOLD_MORE, more);
}

json_t *refusal_row(const json_t *event, char *key, size_t size)
{
	const char *verdict = js(event, "verdict"), *reason = js(event, "reason"), *conduit = js(event, "conduit");

	snprintf(key, size, "%s/%s/%s", verdict, reason, conduit);
	return json_pack("{s:o,s:o,s:o}", "verdict", json_text(verdict), "reason", json_text(reason), "conduit",
			 json_text(conduit));
}

void page_refusals(struct page *p, const json_t *rows)
{
	static const struct answer_row table[] = {
#define ROWS_REFUSALS
#include "mgmt/cli/report/report.def"
	};

	page_rows(p, table, rows);
}
