/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/wire/duty.h"
#include "appliance/wire/filter.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"
#include "mgmt/report/clauses.h"
#include "mgmt/state/read.h"

/* bytes of one answer, because this process has a small memory limit */
#define ANSWER_MOST (8u << 20)
#define EVENTS_EACH 1000u
/* most parts of a year's records that are read; the command line has no such limit */
#define EVENTS_PARTS 400u
/* parts of the chain's check, 4,096 records each (role_files.c): at most a minute */
#define CHAIN_PARTS 1000u
#define YEAR_S (366 * 86400)

/* In this order, because the first answers change soonest. */
static const struct {
	const char *name;
	enum right right;
	struct msg_body question;
} questions[] = {
	{ "status", RIGHT_READ_STATE, { .type = MSG_STATUS } },
	{ "effective", RIGHT_READ_RULES, { .type = MSG_EFFECTIVE } },
	{ "verify", RIGHT_READ_RULES, { .type = MSG_VERIFY } },
	{ "history", RIGHT_READ_RULES, { .type = MSG_HISTORY } },
	{ "accounts", RIGHT_READ_ACCOUNTS, { .type = MSG_REGISTER } },
	{ "tokens", RIGHT_READ_ACCOUNTS, { .type = MSG_REGISTER, .reg = { .tokens = 1 } } },
	{ "model", RIGHT_READ_RULES, { .type = MSG_ASK, .ask = { .promises = 1 } } },
	{ "journal", RIGHT_READ_EVENTS, { .type = MSG_CHAIN } },
};
#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

/* After the answers to `questions` come a year's records of the kinds that deeds_count needs. */
static const struct {
	const char *kind, *reason;
} kinds[] = { { "policy", "" }, { "account", "" },	 { "weak", "" },    { "undeclared", "" },
	      { "counts", "" }, { "flow", "confirmed" }, { "machine", "" }, { "attack", "" } };
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct web_report {
	report_of_clauses *report;
	enum { FORM_JSON, FORM_HTML, FORM_CSV } form;
	enum lang lang;
	uint32_t rights; /* bit n: enum right n */
	json_t *facts;
	struct deeds deeds;
	size_t at; /* index in `questions`, then in `kinds` */
	unsigned parts, chain_parts;
	uint64_t after; /* records of the present kind are asked for after this number */
	char since[32];
};

/* ---- what is asked for ----------------------------------------------------------------------- */

uint32_t web_report_rights(const json_t *words)
{
	uint32_t ret = 0;

	json_each(word, words)
		for (unsigned r = 0; r < RIGHT_COUNT; r++)
			if (json_is_string(word) && strcmp(json_string_value(word), right_word(r)) == 0)
				ret |= UINT32_C(1) << r;
	return ret;
}

/* Each report holds all answers until it is finished. */
#define REPORTS_MOST 2u
static unsigned running;

struct web_report *web_report_new(const struct target *t, const json_t *rights, json_t *platform)
{
	struct web_report *r = running < REPORTS_MOST ? calloc(1, sizeof(*r)) : NULL;
	const char *form = target_text(t, "form");
	time_t year = (time_t)clock_wall_s() - YEAR_S;
	struct tm tm = { 0 };

	if (r == NULL)
		return NULL;
	r->report = strcmp(target_text(t, "of"), "controls") == 0 ? report_controls : report_self_check;
	r->form = strcmp(form, "html") == 0 ? FORM_HTML : strcmp(form, "csv") == 0 ? FORM_CSV : FORM_JSON;
	r->lang = strcmp(target_text(t, "lang"), "en") == 0 ? LANG_EN : LANG_JA;
	r->rights = rights != NULL ? web_report_rights(rights) : ~(UINT32_C(1) << RIGHT_READ_ACCOUNTS);
	r->facts = facts_new();
	if (r->facts == NULL) {
		free(r);
		return NULL;
	}
	running++;
	if (gmtime_r(&year, &tm) != NULL)
		(void)strftime(r->since, sizeof(r->since), "%Y-%m-%dT%H:%M:%S", &tm);
	facts_put(r->facts, "platform", platform != NULL ? json_incref(platform) : NULL, "");
	return r;
}

void web_report_free(struct web_report *r)
{
	if (r != NULL) {
		json_decref(r->facts);
		running--;
	}
	free(r);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static bool has_right(const struct web_report *r, enum right right)
{
	return (r->rights >> right & 1u) != 0;
}

static const char *no_right(const struct web_report *r)
{
	return message_format(M_REPORT_NO_RIGHT, r->lang);
}

/* A part of the records would give wrong counts, so incomplete records are dropped. */
static void without_events(struct web_report *r, const char *why)
{
	facts_put(r->facts, "events", NULL, why);
	r->deeds.read = false;
	r->at = QUESTIONS + KINDS;
}

bool web_report_next(struct web_report *r, struct msg_body *ret)
{
	for (; r->at < QUESTIONS; r->at++) {
		*ret = questions[r->at].question;
		if (has_right(r, questions[r->at].right))
			return true;
		facts_put(r->facts, questions[r->at].name, NULL, no_right(r));
		if (ret->type == MSG_REGISTER && ret->reg.tokens == 0)
			facts_put(r->facts, "approval", NULL, no_right(r));
	}
	if (r->at == QUESTIONS && !has_right(r, RIGHT_READ_EVENTS))
		without_events(r, no_right(r));
	if (r->at == QUESTIONS + KINDS)
		return false;
	if (r->parts++ == EVENTS_PARTS) {
		without_events(r, message_format(M_REPORT_MANY_RECORDS, r->lang));
		return false;
	}
	*ret = (struct msg_body){ MSG_EVENTS, .events = { .after = r->after, .most = EVENTS_EACH } };
	(void)event_filter_set(&ret->events.filter, FILTER_SINCE, r->since);
	(void)event_filter_set(&ret->events.filter, FILTER_KIND, kinds[r->at - QUESTIONS].kind);
	(void)event_filter_set(&ret->events.filter, FILTER_REASON, kinds[r->at - QUESTIONS].reason);
	return true;
}

static void heard_events(struct web_report *r, const json_t *answer)
{
	uint64_t next = ju(answer, "next");
	const json_t *list = ja(answer, "events");

	if (list == NULL) {
		without_events(r, message_format(M_REPORT_NO_ANSWER, r->lang));
		return;
	}
	json_each(e, list)
		deeds_count(&r->deeds, e);
	if (next > r->after) {
		r->after = next;
		return;
	}
	r->after = 0;
	r->deeds.read = ++r->at == QUESTIONS + KINDS;
}

static void heard_fact(struct web_report *r, int status, json_t *answer)
{
	const char *name = questions[r->at].name, *said_why = js(json_object_get(answer, "error"), lang_name(r->lang));
	bool is_one = answer != NULL && (status == ANSWER_YES || status == ANSWER_NO);
	const char *why = *said_why != '\0' ? said_why : message_format(M_REPORT_NO_ANSWER, r->lang);
	json_t *approval = json_object_get(answer, "approval");

	/* the check goes on with the same question */
	if (json_is_true(json_object_get(answer, "more"))) {
		if (++r->chain_parts < CHAIN_PARTS)
			return;
		is_one = false;
		why = message_format(M_REPORT_AT_MACHINE, r->lang);
	}
	r->at++;
	/* This process may not ask the kernel for the machine's name. */
	if (json_is_string(json_object_get(answer, "host")))
		(void)json_object_set(r->facts, "host", json_object_get(answer, "host"));
	/* the answer about accounts also tells whether one person is enough */
	if (strcmp(name, "accounts") == 0)
		facts_put(r->facts, "approval",
			  is_one && approval != NULL ? json_pack("{s:O}", "approval", approval) : NULL, why);
	facts_put(r->facts, name, is_one ? json_incref(answer) : NULL, why);
}

void web_report_heard(struct web_report *r, int status, int fd)
{
	uint8_t *text = NULL;
	json_t *answer = NULL;
	struct err e;
	size_t n = 0;

	if (fd >= 0 && memfd_read(fd, ANSWER_MOST, &text, &n, &e) == 0)
		answer = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	if (fd >= 0)
		close(fd);
	free(text);
	if (r->at < QUESTIONS)
		heard_fact(r, status, answer);
	else
		heard_events(r, answer);
	json_decref(answer);
}

/* ---- its text -------------------------------------------------------------------------------- */

static char *page_as(const struct page *p, bool (*form)(const struct page *, FILE *), size_t *ret_n)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, ret_n);
	bool ok = to != NULL && form(p, to);

	if (to != NULL && fclose(to) != 0)
		ok = false;
	if (!ok) {
		free(text);
		return NULL;
	}
	return text;
}

char *web_report_text(const struct web_report *r, const char **ret_type, size_t *ret_n)
{
	static const char *const types[] = { [FORM_JSON] = "application/json",
					     [FORM_HTML] = "text/html; charset=utf-8",
					     [FORM_CSV] = "text/csv; charset=utf-8" };
	json_t *data = NULL;
	struct page *p;
	char *text;

	*ret_type = types[r->form];
	if (r->at != QUESTIONS + KINDS)
		return NULL;
	p = r->report(r->facts, &r->deeds, r->lang, &data);
	text = r->form == FORM_JSON ? json_dumps(data, JSON_COMPACT)
				    : page_as(p, r->form == FORM_HTML ? page_html : page_csv, ret_n);
	if (r->form == FORM_JSON && text != NULL)
		*ret_n = strlen(text);
	page_free(p);
	json_decref(data);
	return text;
}
