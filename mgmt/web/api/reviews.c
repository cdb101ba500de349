/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an auditor signs, and what he needs to see for it: three routes, whose answers are made from
 * existing questions to the journal.
 *
 * /api/v1/reviews?since=&after= : the recorded reviews, in parts
 *
 * /api/v1/tally?since=&until=&after= : the number of records of each kind between two times, in
 * parts
 *
 * /api/v1/holds : what is kept from deletion
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/event_words.h"
#include "mgmt/state/lost.h"
#include "mgmt/state/read.h"
#include "mgmt/web/api/routes.h"

#define PART 1000u /* records that one question searches */
#define REVIEWED "records_reviewed"
#define FOUND "records_reviewed_found"
#define KINDS 64u
#define MOMENT 19u /* characters of "2026-11-20T08:10:11" */

/* ---- asking ---------------------------------------------------------------------------------- */

/* "2026-11-20T08:10:11", optionally with a fraction and "Z": the journal's form of `since`. */
static bool is_moment(const char *text)
{
	static const char form[] = "0000-00-00T00:00:00";

	for (size_t i = 0; i < MOMENT; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	text += MOMENT;
	if (*text == '.') {
		size_t n = strspn(text + 1, "0123456789");

		if (n < 1 || n > 9)
			return false;
		text += 1 + n;
	}
	return *text == '\0' || strcmp(text, "Z") == 0;
}

static bool ask_part(const struct target *t, bool until, struct msg_events *e)
{
	uint64_t after = 0;

	for (size_t i = 0; i < t->n_parameters; i++) {
		const struct target_parameter *p = &t->parameters[i];

		if (strcmp(p->key, "since") == 0) {
			if (!is_moment(p->text) || !event_filter_set(&e->filter, FILTER_SINCE, p->text))
				return false;
		} else if (strcmp(p->key, "until") == 0) {
			if (!until || !is_moment(p->text))
				return false;
		} else if (strcmp(p->key, "after") != 0 || !p->number) {
			return false;
		}
	}
	target_number(t, "after", &after);
	e->after = after;
	e->most = PART;
	return after <= INT64_MAX;
}

static bool ask_reviews(const struct target *t, struct msg_body *question)
{
	return ask_part(t, false, &question->events) &&
	       event_filter_set(&question->events.filter, FILTER_KIND, "account");
}

static bool ask_tally(const struct target *t, struct msg_body *question)
{
	return ask_part(t, true, &question->events);
}

static bool ask_holds(const struct target *t, struct msg_body *question)
{
	question->hold.order = HOLD_LIST;
	question->hold.reason = "";
	return t->n_parameters == 0;
}

/* ---- answering ------------------------------------------------------------------------------- */

static char *text_of(json_t *j, size_t *ret_n)
{
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;

	if (text != NULL)
		*ret_n = strlen(text);
	json_decref(j);
	return text;
}

/* The part of "FROM/UNTIL" before the slash, or behind it. */
static json_t *end_of(const char *span, bool until)
{
	const char *slash = strchr(span, '/');

	if (slash == NULL)
		return json_null();
	return until ? json_text(slash + 1) : json_stringn(span, (size_t)(slash - span));
}

static json_t *review(const json_t *e)
{
	bool found = strcmp(js(e, "code"), FOUND) == 0;

	if (!found && strcmp(js(e, "code"), REVIEWED) != 0)
		return NULL;
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "seq", (json_int_t)ju(e, "seq"), "time",
			 json_text(js(e, "time")), "name", json_text(js(e, "object")), "from",
			 end_of(js(e, "before"), false), "until", end_of(js(e, "before"), true), "result",
			 found ? "findings" : "none", "note", json_text(js(e, "after")), "by", json_text(js(e, "by")),
			 "client", json_text(js(e, "client")));
}

static char *reviews_text(const struct target *t, const char *json, size_t n, size_t *ret_n)
{
	json_t *all = json_loadb(json, n, 0, NULL), *found = json_array(), *e, *r;
	size_t i;

	(void)t;
	json_array_foreach(json_object_get(all, "events"), i, e)
	{
		r = review(e);
		if (r != NULL)
			json_array_append_new(found, r);
	}
	r = json_pack("{s:o, s:O}", "reviews", found, "next", json_object_get(all, "next"));
	json_decref(all);
	return text_of(r, ret_n);
}

struct tally {
	json_t *kinds; /* numbers by the word of the kind */
	uint64_t records, serious;
};

static void count(struct tally *c, const json_t *e)
{
	const char *kind = js(e, "kind");
	json_t *one = json_object_get(c->kinds, kind);
	uint64_t times = ju(e, "count") > 0 ? ju(e, "count") : 1;

	c->records++;
	c->serious += strcmp(js(e, "severity"), "serious") == 0;
	if (one == NULL && json_object_size(c->kinds) < KINDS) {
		one = json_pack("{s:o, s:s, s:s, s:i, s:i}", "kind", json_text(kind), "en", event_kind_text(kind, "en"),
				"ja", event_kind_text(kind, "ja"), "records", 0, "times", 0);
		json_object_set_new(c->kinds, kind, one);
	}
	json_object_set_new(one, "records", json_integer((json_int_t)(ju(one, "records") + 1)));
	json_object_set_new(one, "times", json_integer((json_int_t)(ju(one, "times") + times)));
}

static char *tally_text(const struct target *t, const char *json, size_t n, size_t *ret_n)
{
	const struct target_parameter *until = target_find(t, "until");
	json_t *all = json_loadb(json, n, 0, NULL), *e, *answer, *list = json_array(), *one;
	struct tally c = { .kinds = json_object() };
	const char *word;
	size_t i;

	json_array_foreach(json_object_get(all, "events"), i, e)
	{
		if (until == NULL || strncmp(js(e, "time"), until->text, MOMENT) < 0)
			count(&c, e);
	}
	json_object_foreach(c.kinds, word, one)
	{
		json_array_append(list, one);
	}
	answer = json_pack("{s:o, s:I, s:I, s:O}", "kinds", list, "records", (json_int_t)c.records, "serious",
			   (json_int_t)c.serious, "next", json_object_get(all, "next"));
	json_decref(c.kinds);
	json_decref(all);
	return text_of(answer, ret_n);
}

/* A reason that the journal itself wrote is given in both languages. */
static char *holds_text(const struct target *t, const char *json, size_t n, size_t *ret_n)
{
	json_t *all = json_loadb(json, n, 0, NULL), *hold;
	size_t i;

	(void)t;
	json_array_foreach(json_object_get(all, "holds"), i, hold)
	{
		for (unsigned l = 0; l < LANGUAGES; l++) {
			char *said = lost_text((enum lang)l, js(hold, "reason"));

			json_object_set_new(hold, lang_name((enum lang)l), json_text(said != NULL ? said : ""));
			free(said);
		}
	}
	return text_of(all, ret_n);
}

const struct route route_reviews = { "/api/v1/reviews", MSG_EVENTS, ask_reviews,
				     &(const struct route_form){ "application/json", reviews_text, NULL },
				     RIGHT_READ_EVENTS };
const struct route route_tally = { "/api/v1/tally", MSG_EVENTS, ask_tally,
				   &(const struct route_form){ "application/json", tally_text, NULL },
				   RIGHT_READ_EVENTS };
const struct route route_holds = { "/api/v1/holds", MSG_HOLD, ask_holds,
				   &(const struct route_form){ "application/json", holds_text, NULL },
				   RIGHT_READ_EVENTS };
