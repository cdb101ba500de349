/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho report audit`: the records of a month for a person who has to review and sign them:
 * refusals, changes and their authors, logins and failures, grave events, holds, losses, whether
 * the chain is intact, and whether somebody has reviewed it.
 */
#include <stdio.h>
#include <string.h>

#include "mgmt/cli/report/report.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/report/page.h"
#include "mgmt/state/read.h"

/* The code of a record of a review: who reviewed the records of which time, and what he found. */

#define REVIEWED "records_reviewed"
#define FOUND "records_reviewed_found"
#define REVIEWS_MOST 400u

/* Parses "2026-09-30T15:00:00Z/2026-10-31T15:00:00Z" into the form of an event's time. */
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

/* Adds an event that is a review whose time overlaps the span. */
static void reviews_take(json_t *list, const json_t *event, const struct span *s)
{
	bool found = js_is(event, "code", FOUND);
	char by[96], host[64];
	struct span of;

	if (!js_is(event, "kind", "account") || (!found && !js_is(event, "code", REVIEWED)))
		return;
	if (!span_of(js(event, "before"), &of) || strcmp(of.from, s->until) >= 0 || strcmp(of.until, s->from) <= 0)
		return;
	/* A review over the web is signed by the person himself; the record has his address. */
	host_of_end(js(event, "client"), host);
	snprintf(by, sizeof(by), "%s%s", *host != '\0' ? "web " : js(event, "by"), host);
	if (json_array_size(list) < REVIEWS_MOST)
		(void)json_array_append_new(
			list, json_pack("{s:I,s:o,s:o,s:s,s:s,s:s,s:o,s:o}", "seq", (json_int_t)ju(event, "seq"),
					"time", json_text(js(event, "time")), "name", json_text(js(event, "object")),
					"from", of.from, "until", of.until, "result", found ? "findings" : "none",
					"note", json_text(js(event, "after")), "by", json_text(by)));
}

/* "all": the whole span is covered; "partly"; "no". */
static const char *reviews_cover(const json_t *list, const struct span *s)
{
	char reached[MOMENT_TEXT];
	bool grown = true;

	snprintf(reached, sizeof(reached), "%s", s->from);
	while (grown && strcmp(reached, s->until) < 0) {
		grown = false;
		json_each(r, list) {
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

/* Adds each person's full name from the list of accounts, which may be ""; null if the account was
 * removed. */
static void reviews_name(json_t *list, const json_t *accounts)
{
	json_each(r, list) {
		const json_t *a = json_find(accounts, "name", js(r, "name"));

		(void)json_object_set_new(r, "full_name", a != NULL ? json_text(js(a, "full_name")) : json_null());
	}
}

static void reviews_page(struct page *p, const json_t *list, const struct span *s)
{
	static const enum message heads[] = { M_REVIEWS_WHO,  M_REVIEWS_WHEN, M_REVIEWS_SPAN, M_REVIEWS_RESULT,
					      M_REVIEWS_NOTE, M_REVIEWS_BY,   M_TOLD_NUMBER };
	static const enum message state[] = { M_REVIEWS_STATE };
	const char *cover = reviews_cover(list, s);
	enum lang l = page_lang(p);
	char text[160];

	page_section(p, M_REVIEWS_SECTION);
	page_table(p, state, 1);
	if (strcmp(cover, "all") == 0)
		page_cell_mark(p, M_REVIEWS_ALL, "met");
	else
		page_cell_mark(p, *cover == 'p' ? M_REVIEWS_PARTLY : M_REVIEWS_NOT, *cover == 'p' ? "partly" : "not");
	if (json_array_size(list) == 0)
		return;
	page_table(p, heads, 7);
	json_each(r, list) {
		bool found = js_is(r, "result", "findings");

		if (json_is_null(json_object_get(r, "full_name")))
			page_cellf(p, "%s (%s)", js(r, "name"), message_format(M_REVIEWS_GONE, l));
		else if (*js(r, "full_name") != '\0')
			page_cellf(p, "%s (%s)", js(r, "full_name"), js(r, "name"));
		else
			page_cell(p, js(r, "name"));
		page_cell_time(p, js(r, "time"));
		span_text(js(r, "from"), js(r, "until"), text, sizeof(text));
		page_cell(p, text);
		page_cell_mark(p, found ? M_REVIEWS_FINDINGS : M_REVIEWS_NONE, found ? "partly" : "met");
		page_cell(p, *js(r, "note") != '\0' ? js(r, "note") : "-");
		page_cell(p, *js(r, "by") != '\0' ? js(r, "by") : "-");
		page_cellf(p, "%llu", ju(r, "seq"));
	}
}

#define KEY 256u
/* the key for records of the journal about itself that tell no loss */
#define OWN "journal"

/* Lists of single records in the report. */
enum listed { LIST_CHANGES, LIST_ACCOUNTS, LIST_ALARMS, LIST_HOLDS, LIST_LOST, LISTS };

static const struct {
	const char *word;
	enum message section;
} lists[LISTS] = {
	[LIST_CHANGES] = { "changes", M_AUDIT_CHANGES }, [LIST_ACCOUNTS] = { "account_changes", M_AUDIT_ACCOUNTS },
	[LIST_ALARMS] = { "alarms", M_AUDIT_ALARMS },	 [LIST_HOLDS] = { "holds", M_AUDIT_HOLDS },
	[LIST_LOST] = { "lost", M_AUDIT_LOST },
};

struct month {
	struct span span;
	struct tally kinds, traffic, logins;
	json_t *list[LISTS], *reviews;
	unsigned long long more[LISTS], records, first, last, lost;
};

/* Records of the journal about itself that tell of a loss or an error. */
static bool tells_of_loss(const json_t *e)
{
	static const char *const sound[] = { "checkpoint", "held", "hold_lifted", "preserved", "deleted" };

	if (!js_is(e, "kind", "lost"))
		return false;
	for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++)
		if (js_is(e, "code", sound[i]))
			return false;
	return true;
}

static bool comes_in(const json_t *e)
{
	static const char *const codes[] = { "logged_in", "refused",   "locked",    "logged_out",
					     "elsewhere", "forbidden", "recovered", "key_copied" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (js_is(e, "code", codes[i]))
			return true;
	return false;
}

static void login(struct month *m, const json_t *e, unsigned long long count)
{
	const char *what = js_is(e, "kind", "login") ? js(e, "verdict") : js(e, "code");
	char key[KEY], host[64];

	host_of_end(js(e, "client"), host);
	snprintf(key, sizeof(key), "%s/%s/%s/%s", js(e, "kind"), what, js(e, "object"), host);
	tally_add(&m->logins, key,
		  json_pack("{s:o,s:o,s:o,s:o}", "kind", json_text(js(e, "kind")), "what", json_text(what), "account",
			    json_text(js(e, "object")), "client", json_text(host)),
		  count, js(e, "time"));
}

static void month_list(struct month *m, enum listed which, const json_t *e)
{
	tally_keep(m->list[which], &m->more[which], e);
}

static void count_one(struct month *m, const json_t *e)
{
	unsigned long long count = ju(e, "count") > 0 ? ju(e, "count") : 1, seq = ju(e, "seq");
	const char *kind = js_is(e, "kind", "lost") && !tells_of_loss(e) ? OWN : js(e, "kind");
	char key[KEY];

	m->records++;
	m->first = m->first == 0 || seq < m->first ? seq : m->first;
	m->last = seq > m->last ? seq : m->last;
	tally_add(&m->kinds, kind, json_pack("{s:o}", "kind", json_text(kind)), count, js(e, "time"));
	if (event_is_traffic(e))
		tally_add(&m->traffic, key, refusal_row(e, key, sizeof(key)), count, js(e, "time"));
	else if (js_is(e, "kind", "policy"))
		month_list(m, LIST_CHANGES, e);
	else if (js_is(e, "kind", "login") || (js_is(e, "kind", "account") && comes_in(e)))
		login(m, e, count);
	else if (js_is(e, "kind", "account"))
		month_list(m, LIST_ACCOUNTS, e);
	else if (js_is(e, "code", "held") || js_is(e, "code", "hold_lifted"))
		month_list(m, LIST_HOLDS, e);
	else if (tells_of_loss(e)) {
		m->lost += *js(e, "code") == '\0' ? count : 0;
		month_list(m, LIST_LOST, e);
	}
	if (js_is(e, "severity", "serious"))
		month_list(m, LIST_ALARMS, e);
}

/* A month is reviewed after its end: later records are read too, for reviews only. */
static void each(void *ctx, const json_t *e)
{
	struct month *m = ctx;

	reviews_take(m->reviews, e, &m->span);
	if (strcmp(js(e, "time"), m->span.until) < 0)
		count_one(m, e);
}

/* ---- the page -------------------------------------------------------------------------------- */

static const struct answer_row kind_rows[] = {
#define ROWS_KINDS
#include "mgmt/cli/report/report.def"
};
static const struct answer_row login_rows[] = {
#define ROWS_LOGINS
#include "mgmt/cli/report/report.def"
};

static void kinds(struct page *p, const struct month *m, const json_t *rows)
{
	page_section(p, M_AUDIT_RECORDS);
	if (m->records == 0) {
		page_say(p, M_AUDIT_NO_RECORDS);
		return;
	}
	page_say(p, M_AUDIT_RECORDS_WHAT, m->records, m->first, m->last);
	page_rows(p, kind_rows, rows);
}

/* Whether the chain is intact for the counted records. */
static const char *chain_word(const json_t *facts, const struct month *m)
{
	const json_t *r = facts_answer(facts, "journal"), *whole = json_object_get(r, "whole");

	if (r == NULL)
		return "unread";
	if (json_is_false(whole))
		return "damaged";
	if (m->records > 0 && (ju(r, "first") > m->first || ju(r, "last") < m->last))
		return "not_these";
	return json_is_true(whole) ? "whole" : "unjudged";
}

static void chain(struct page *p, const json_t *facts, const struct month *m, const char *word)
{
	static const struct {
		const char *word;
		enum message text;
		const char *mark;
	} words[] = { { "unread", M_AUDIT_CHAIN_UNREAD, "ask" },
		      { "damaged", M_AUDIT_CHAIN_DAMAGED, "not" },
		      { "not_these", M_AUDIT_CHAIN_NOT_THESE, "not" },
		      { "whole", M_AUDIT_CHAIN_WHOLE, "met" },
		      { "unjudged", M_AUDIT_CHAIN_UNJUDGED, "partly" } };
	static const enum message heads[] = { M_AUDIT_CHAIN_STATE, M_CONTROLS_EVIDENCE };
	const json_t *r = facts_answer(facts, "journal");
	char text[400];

	page_section(p, M_AUDIT_CHAIN);
	page_table(p, heads, 2);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i].word) == 0)
			page_cell_mark(p, words[i].text, words[i].mark);
	if (r == NULL) {
		page_cell(p, facts_why(facts, "journal"));
		return;
	}
	(void)message_text(text, sizeof(text), page_lang(p), M_AUDIT_CHAIN_DETAIL, ju(r, "first"), ju(r, "last"),
			   js(r, "head"), ju(json_object_get(r, "signed"), "to"), ju(r, "faults"), m->last);
	page_cell(p, text);
}

static void lost_sum(struct page *p, const json_t *facts, const struct month *m)
{
	const json_t *j = json_object_get(facts_answer(facts, "status"), "journal");

	page_say(p, M_AUDIT_LOST_SUM, m->lost, ju(j, "lost"), ju(j, "left_out"), ju(j, "waiting"));
}

static json_t *data_of(const json_t *facts, struct month *m, const char *word, json_t *rows[3])
{
	const json_t *chain_said = facts_answer(facts, "journal");
	json_t *data = json_pack("{s:s,s:O,s:O,s:O,s:O,s:s,s:s,s:{s:I,s:I,s:I},s:O,s:O,s:O,s:I,s:{s:s,s:o},s:s,s:O}",
				 "report", "audit", "made", json_object_get(facts, "made"), "version",
				 json_object_get(facts, "version"), "host", json_object_get(facts, "host"), "site",
				 json_object_get(facts_answer(facts, "status"), "site"), "from", m->span.from, "until",
				 m->span.until, "records", "records", (json_int_t)m->records, "first",
				 (json_int_t)m->first, "last", (json_int_t)m->last, "kinds", rows[0], "traffic",
				 rows[1], "logins", rows[2], "lost_records", (json_int_t)m->lost, "chain", "state",
				 word, "journal", chain_said != NULL ? json_deep_copy(chain_said) : json_null(),
				 "reviewed", reviews_cover(m->reviews, &m->span), "reviews", m->reviews);

	for (unsigned i = 0; i < LISTS; i++) {
		char more[40];

		snprintf(more, sizeof(more), "%s_more", lists[i].word);
		(void)json_object_set(data, lists[i].word, m->list[i]);
		(void)json_object_set_new(data, more, json_integer((json_int_t)m->more[i]));
	}
	return data;
}

static int give(struct cli *c, const struct cli_args *a, const json_t *facts, struct month *m)
{
	struct page *p = page_new(c->lang, M_AUDIT_TITLE);
	const char *word = chain_word(facts, m);
	char text[160];
	json_t *rows[3], *data;

	tally_sort(&m->kinds);
	tally_sort(&m->traffic);
	tally_sort(&m->logins);
	rows[0] = tally_close(&m->kinds);
	rows[1] = tally_close(&m->traffic);
	rows[2] = tally_close(&m->logins);
	reviews_name(m->reviews, ja(facts_answer(facts, "accounts"), "accounts"));
	report_head(p, facts);
	span_text(m->span.from, m->span.until, text, sizeof(text));
	page_say(p, M_AUDIT_SPAN, text);
	if (strcmp(js(facts, "made"), m->span.until) < 0)
		page_say(p, M_AUDIT_NOT_OVER);
	reviews_page(p, m->reviews, &m->span);
	kinds(p, m, rows[0]);
	page_section(p, M_AUDIT_TRAFFIC);
	page_refusals(p, rows[1]);
	page_section(p, M_AUDIT_LOGINS);
	page_rows(p, login_rows, rows[2]);
	for (unsigned i = 0; i < LISTS; i++) {
		page_section(p, lists[i].section);
		if (i == LIST_LOST)
			lost_sum(p, facts, m);
		page_events(p, m->list[i], m->more[i]);
	}
	chain(p, facts, m, word);
	page_section(p, M_CONTROLS_SIGN);
	page_say(p, M_AUDIT_SIGN_HOW);
	page_blank(p, M_REPORT_SIGN_NAME);
	page_blank(p, M_REPORT_SIGN_DATE);
	data = data_of(facts, m, word, rows);
	for (size_t i = 0; i < 3; i++)
		json_decref(rows[i]);
	return report_give(c, a, p, data, CLI_YES);
}

int verb_report_audit(struct cli *c, const struct cli_args *a)
{
	struct month m = { .records = 0 };
	int status;
	json_t *facts = report_facts(c, a, &status);

	if (facts == NULL)
		return status;
	status = span_read(c, a->values[OPT_AUDIT_MONTH], a->values[OPT_AUDIT_FROM], a->values[OPT_AUDIT_UNTIL],
			   js(facts, "made"), &m.span);
	if (status != CLI_YES) {
		json_decref(facts);
		return status;
	}
	tally_open(&m.kinds);
	tally_open(&m.traffic);
	tally_open(&m.logins);
	m.reviews = json_array();
	for (unsigned i = 0; i < LISTS; i++)
		m.list[i] = json_array();
	if (report_events(c, facts, m.span.from, "9", each, &m, &status)) {
		status = give(c, a, facts, &m);
	} else {
		json_decref(tally_close(&m.kinds));
		json_decref(tally_close(&m.traffic));
		json_decref(tally_close(&m.logins));
	}
	json_decref(m.reviews);
	for (unsigned i = 0; i < LISTS; i++)
		json_decref(m.list[i]);
	json_decref(facts);
	return status;
}
