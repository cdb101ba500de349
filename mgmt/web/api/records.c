/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes about the records, and about present sessions, which are filtered like these.
 *
 * /api/v1/events: records after a number, at most `limit`. Parameters, all optional: after, limit,
 * since (UTC, 2026-11-20T08:10:11), until (exclusive), conduit, verdict, zone, asset, host,
 * severity, kind, protocol, reason, command (several, separated by commas), value (9, 0-9).
 *
 * /api/v1/why: the same, each with its sentence in both languages
 *
 * /api/v1/flows: the present sessions of connection tracking, as in `sekisho flows`. limit,
 * conduit, zone, asset and host are optional. Sorted by conduit and ends; `left_off`: the number of
 * further matches.
 *
 * /api/v1/night?since=&kind= : what a shift hands over, with its sentences, for people who may not
 * read all records
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
#include "mgmt/state/journal.h"
#include "mgmt/state/read.h"
#include "mgmt/web/api/routes.h"
#include "mgmt/words/command.h"
#include "mgmt/words/event.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000
#define PART 1000u /* records that one question of an auditor searches */
#define REVIEWED "records_reviewed"
#define FOUND "records_reviewed_found"
#define KINDS 64u
#define MOMENT 19u /* characters of "2026-11-20T08:10:11" */

/* ---- events and sessions --------------------------------------------------------------------- */

static const char *const filters[FILTER_KEYS] = {
#define FILTER(id, word) [id] = (word),
#include "appliance/wire/filter.def"
};

#define BIT(key) (UINT32_C(1) << (key))
#define ALL_FILTERS (BIT(FILTER_KEYS) - 1u)

/* One of the filters in `keys`, or a number. The journal checks words, times and addresses. */
static bool take_filter(const struct target_parameter *p, uint32_t keys, struct event_filter *f)
{
	for (unsigned k = 0; k < FILTER_KEYS; k++)
		if ((keys & BIT(k)) != 0 && strcmp(p->key, filters[k]) == 0)
			return event_filter_set(f, (enum event_filter_key)k, p->text);
	return p->number && (strcmp(p->key, "limit") == 0 || (keys == ALL_FILTERS && strcmp(p->key, "after") == 0));
}

static bool take_all(const struct target *t, uint32_t keys, struct event_filter *f, uint32_t *ret_most)
{
	uint64_t limit = LIMIT_DEFAULT;

	for (size_t i = 0; i < t->n_parameters; i++)
		if (!take_filter(&t->parameters[i], keys, f))
			return false;
	target_number(t, "limit", &limit);
	*ret_most = (uint32_t)limit;
	return limit != 0 && limit <= LIMIT_MAX;
}

bool ask_events(const struct target *t, struct msg_body *question)
{
	struct msg_events *e = &question->events;
	uint64_t after = 0;

	target_number(t, "after", &after);
	e->after = after;
	/* JSON's numbers are signed. */
	return take_all(t, ALL_FILTERS, &e->filter, &e->most) && after <= INT64_MAX;
}

static bool add_sentence(json_t *event, const char *key, enum lang l)
{
	char *sentence = event_sentence(event, l);
	int r = sentence != NULL ? json_object_set_new(event, key, json_text(sentence)) : -1;

	free(sentence);
	return r == 0;
}

/* Beside a refused command: the row that lets it pass. */
static void add_needed(json_t *event)
{
	char *row = js_is(event, "verdict", "deny") ? row_needed(event) : NULL;

	if (row != NULL)
		json_object_set_new(event, "needs", json_text(row));
	free(row);
}

static json_t *with_sentences(const struct asked *a, json_t *all)
{
	json_t *list = json_object_get(all, "events");
	bool whole = json_is_array(list);

	json_each(event, list) {
		whole = whole && add_sentence(event, "en", LANG_EN) && add_sentence(event, "ja", LANG_JA);
		add_needed(event);
	}
	return whole ? json_incref(all) : NULL;
}

const struct route_form form_why = { "application/json", 0, with_sentences, NULL };

bool ask_flows(const struct target *t, struct msg_body *question)
{
	const struct target_parameter *host = target_find(t, "host");
	struct msg_flows *m = &question->flows;
	struct addr_range r;
	bool stray;

	return take_all(t, BIT(FILTER_CONDUIT) | BIT(FILTER_ZONE) | BIT(FILTER_ASSET) | BIT(FILTER_HOST), &m->filter,
			&m->most) &&
	       (host == NULL || prefix_parse(host->text, &r, &stray) || stray);
}

static json_t *sorted_flows(const struct asked *a, json_t *all)
{
	json_t *list = json_object_get(all, "flows"), *inorder = json_is_array(list) ? flows_sorted(list) : NULL;
	unsigned long long matching = ju(all, "matching"), rows = json_array_size(inorder);

	if (inorder == NULL)
		return NULL;
	json_object_set_new(all, "flows", inorder);
	json_object_set_new(all, "left_off", json_integer((json_int_t)(matching > rows ? matching - rows : 0)));
	return json_incref(all);
}

const struct route_form form_flows = { "application/json", 0, sorted_flows, NULL };

/* ---- what an auditor signs, and what he needs to see for it ---------------------------------- */

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

bool ask_night(const struct target *t, struct msg_body *question)
{
	static const char *const kinds[] = { "policy", "silence", "attack", NULL };
	const struct target_parameter *since = target_find(t, "since"), *kind = target_find(t, "kind");
	struct msg_events *e = &question->events;
	size_t n = 0;

	e->most = PART;
	return t->n_parameters == 2 && since != NULL && is_moment(since->text) &&
	       target_is_one_of(t, "kind", kinds, &n) && n == 1 &&
	       event_filter_set(&e->filter, FILTER_SINCE, since->text) &&
	       event_filter_set(&e->filter, FILTER_KIND, kind->text);
}

bool ask_reviews(const struct target *t, struct msg_body *question)
{
	return ask_part(t, false, &question->events) &&
	       event_filter_set(&question->events.filter, FILTER_KIND, "account");
}

bool ask_tally(const struct target *t, struct msg_body *question)
{
	return ask_part(t, true, &question->events);
}

bool ask_holds(const struct target *t, struct msg_body *question)
{
	question->hold.order = HOLD_LIST;
	question->hold.reason = "";
	return t->n_parameters == 0;
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
	bool found = js_is(e, "code", FOUND);

	if (!found && !js_is(e, "code", REVIEWED))
		return NULL;
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "seq", (json_int_t)ju(e, "seq"), "time",
			 json_text(js(e, "time")), "name", json_text(js(e, "object")), "from",
			 end_of(js(e, "before"), false), "until", end_of(js(e, "before"), true), "result",
			 found ? "findings" : "none", "note", json_text(js(e, "after")), "by", json_text(js(e, "by")),
			 "client", json_text(js(e, "client")));
}

static json_t *reviews(const struct asked *a, json_t *all)
{
	json_t *found = json_array(), *r;

	json_each(e, json_object_get(all, "events")) {
		r = review(e);
		if (r != NULL)
			json_array_append_new(found, r);
	}
	return json_pack("{s:o, s:O}", "reviews", found, "next", json_object_get(all, "next"));
}

struct tally {
	json_t *kinds; /* numbers by the word of the kind */
	uint64_t records, serious;
};

static void tally_count(struct tally *c, const json_t *e)
{
	const char *kind = js(e, "kind");
	json_t *one = json_object_get(c->kinds, kind);
	uint64_t times = ju(e, "count") > 0 ? ju(e, "count") : 1;

	c->records++;
	c->serious += js_is(e, "severity", "serious");
	if (one == NULL && json_object_size(c->kinds) < KINDS) {
		one = json_pack("{s:o, s:s, s:s, s:i, s:i}", "kind", json_text(kind), "en", event_kind_text(kind, "en"),
				"ja", event_kind_text(kind, "ja"), "records", 0, "times", 0);
		json_object_set_new(c->kinds, kind, one);
	}
	json_object_set_new(one, "records", json_integer((json_int_t)(ju(one, "records") + 1)));
	json_object_set_new(one, "times", json_integer((json_int_t)(ju(one, "times") + times)));
}

static json_t *tally(const struct asked *a, json_t *all)
{
	const struct target_parameter *until = target_find(a->t, "until");
	json_t *answer, *list = json_array(), *one;
	struct tally c = { .kinds = json_object() };
	const char *word;

	json_each(e, json_object_get(all, "events"))
		if (until == NULL || strncmp(js(e, "time"), until->text, MOMENT) < 0)
			tally_count(&c, e);
	json_object_foreach(c.kinds, word, one) {
		json_array_append(list, one);
	}
	answer = json_pack("{s:o, s:I, s:I, s:O}", "kinds", list, "records", (json_int_t)c.records, "serious",
			   (json_int_t)c.serious, "next", json_object_get(all, "next"));
	json_decref(c.kinds);
	return answer;
}

/* A reason that the journal itself wrote is given in both languages. */
static json_t *holds_worded(const struct asked *a, json_t *all)
{
	json_each(hold, json_object_get(all, "holds")) {
		for (unsigned l = 0; l < LANGUAGES; l++) {
			char *said = lost_text((enum lang)l, js(hold, "reason"));

			json_object_set_new(hold, lang_name((enum lang)l), json_text(said != NULL ? said : ""));
			free(said);
		}
	}
	return json_incref(all);
}

const struct route_form form_reviews = { "application/json", 0, reviews, NULL };
const struct route_form form_tally = { "application/json", 0, tally, NULL };
const struct route_form form_holds = { "application/json", 0, holds_worded, NULL };
