/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho report opening` and `sekisho report organisation`: what went through a door while it was
 * open, or what an organisation did in a month: who opened it and when, what passed, what was
 * refused, what was allowed and not used, and how it went.
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/report/report.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/report/page.h"
#include "mgmt/state/read.h"

#define KEY 512u

/* What is asked about, and what the records say of it. */
struct visit {
	unsigned long long opening; /* 0 = an organisation */
	const char *organisation;
	json_t *doors, *conduits, *used; /* by name; of rows, "conduit/file:line" */
	json_t *events;			 /* the records of its openings */
	unsigned long long more;
	struct tally sessions, passed, refused;
};

static bool has(const json_t *set, const char *name)
{
	return *name != '\0' && json_object_get(set, name) != NULL;
}

static void put(json_t *set, const char *name)
{
	(void)json_object_set_new(set, name, json_true());
}

/* "nagoya: Tanaka, 4711" -> "nagoya" */
static void door_of(const json_t *e, char out[KEY])
{
	const char *object = js(e, "object");

	snprintf(out, KEY, "%.*s", (int)strcspn(object, ":"), object);
}

static bool concerns(const struct visit *v, const json_t *e)
{
	json_each(o, ja(e, "openings"))
		if (v->opening != 0 ? ju(o, "opening") == v->opening : has(v->doors, js(o, "door")))
			return true;
	return has(v->conduits, js(e, "conduit"));
}

/* Every record of traffic counts for the two hosts; each command, and each session whose commands
 * the box does not read, for what passed. */
static void traffic(struct visit *v, const json_t *e)
{
	const json_t *row = json_object_get(e, "row");
	unsigned long long count = ju(e, "count") > 0 ? ju(e, "count") : 1;
	const char *what = js(e, "function_name");
	char key[KEY], client[64];

	if (!js_is(e, "verdict", "allow")) {
		tally_add(&v->refused, key, refusal_row(e, key, sizeof(key)), count, js(e, "time"));
		return;
	}
	host_of_end(js(e, "client"), client);
	snprintf(key, sizeof(key), "%s/%s/%s/%s", client, js(e, "server"), js(e, "conduit"), js(e, "protocol"));
	tally_add(&v->sessions, key,
		  json_pack("{s:o,s:o,s:o,s:o}", "client", json_text(client), "server", json_text(js(e, "server")),
			    "conduit", json_text(js(e, "conduit")), "protocol", json_text(js(e, "protocol"))),
		  ju(e, "sessions"), js(e, "time"));
	snprintf(key, sizeof(key), "%s/%s/%s/%s", js(e, "conduit"), js(e, "protocol"), js(e, "kind"), what);
	tally_add(&v->passed, key,
		  json_pack("{s:o,s:o,s:o,s:o}", "conduit", json_text(js(e, "conduit")), "protocol",
			    json_text(js(e, "protocol")), "kind", json_text(js(e, "kind")), "function",
			    json_text(what)),
		  count, js(e, "time"));
	put(v->used, js(e, "conduit"));
	snprintf(key, sizeof(key), "%s/%s:%llu", js(e, "conduit"), js(row, "file"), ju(row, "line"));
	put(v->used, key);
}

static void each(void *ctx, const json_t *e)
{
	struct visit *v = ctx;
	char door[KEY];

	if (event_is_traffic(e) || js_is(e, "kind", "counts") || js_is(e, "kind", "passed")) {
		if (concerns(v, e))
			traffic(v, e);
		return;
	}
	if (!js_is(e, "kind", "policy") || strncmp(js(e, "code"), "door_", 5) != 0)
		return;
	door_of(e, door);
	if (v->opening != 0 ? ju(e, "opening") != v->opening : !has(v->doors, door))
		return;
	put(v->doors, door);
	tally_keep(v->events, &v->more, e);
}

/* What the conduits of these doors allow, by the policy in force now, and no record shows. */
static json_t *unused(const struct visit *v, const json_t *effective)
{
	json_t *list = json_array(), *seen = json_object();
	unsigned long long more = 0;
	char key[KEY];

	json_each(p, ja(effective, "permits")) {
		json_each(g, ja(p, "grants")) {
			const char *conduit = js(g, "conduit");
			const json_t *c = json_find(ja(effective, "conduits"), "name", conduit), *rows = ja(g, "rows");

			if (jb(g, "shadow") || (!has(v->doors, js(c, "door")) && !has(v->conduits, conduit)))
				continue;
			for (size_t i = 0; i < json_array_size(rows) || i == 0; i++) {
				const json_t *row = json_array_get(rows, i);

				snprintf(key, sizeof(key), "%s/%s:%llu", conduit, js(row, "file"), ju(row, "line"));
				if (has(v->used, row != NULL ? key : conduit) || has(seen, key))
					continue;
				put(seen, key);
				row = json_pack("{s:o,s:o,s:o,s:I}", "conduit", json_text(conduit), "protocol",
						json_text(js(g, "protocol")), "file", json_text(js(row, "file")),
						"line", (json_int_t)ju(row, "line"));
				tally_keep(list, &more, row);
				json_decref((json_t *)(uintptr_t)row);
			}
		}
	}
	json_decref(seen);
	return list;
}

static const struct answer_row session_rows[] = {
#define ROWS_VISIT_SESSIONS
#include "mgmt/cli/report/report.def"
};
static const struct answer_row passed_rows[] = {
#define ROWS_VISIT_PASSED
#include "mgmt/cli/report/report.def"
};
static const struct answer_row unused_rows[] = {
#define ROWS_VISIT_UNUSED
#include "mgmt/cli/report/report.def"
};

static int give(struct cli *c, const struct cli_args *a, const json_t *facts, const struct span *s, struct visit *v)
{
	struct page *p = page_new(c->lang, v->opening != 0 ? M_VISIT_OPENING_TITLE : M_VISIT_TITLE);
	json_t *sessions = tally_close(&v->sessions), *passed = tally_close(&v->passed),
	       *refused = tally_close(&v->refused), *left = unused(v, facts_answer(facts, "effective"));
	char text[160];

	report_head(p, facts);
	if (v->opening != 0)
		page_say(p, M_VISIT_OPENING, v->opening);
	else
		page_say(p, M_VISIT_ORGANISATION, v->organisation);
	span_text(s->from, s->until, text, sizeof(text));
	page_say(p, M_AUDIT_SPAN, text);
	page_section(p, M_VISIT_OPENINGS);
	page_events(p, v->events, v->more);
	page_section(p, M_VISIT_SESSIONS);
	page_rows(p, session_rows, sessions);
	page_section(p, M_VISIT_PASSED);
	page_rows(p, passed_rows, passed);
	page_section(p, M_VISIT_REFUSED);
	page_refusals(p, refused);
	page_section(p, M_VISIT_UNUSED);
	page_say(p, M_VISIT_UNUSED_WHAT);
	page_rows(p, unused_rows, left);
	return report_give(c, a, p,
			   json_pack("{s:s,s:I,s:o,s:O,s:s,s:s,s:O,s:I,s:o,s:o,s:o,s:o}", "report", "openings",
				     "opening", (json_int_t)v->opening, "organisation",
				     json_text_or_null(v->organisation), "made", json_object_get(facts, "made"), "from",
				     s->from, "until", s->until, "events", v->events, "events_more",
				     (json_int_t)v->more, "sessions", sessions, "passed", passed, "refused", refused,
				     "unused", left),
			   CLI_YES);
}

/* The doors and conduits of the organisation. False: there is no such organisation. */
static bool of_organisation(struct visit *v, const json_t *facts)
{
	const json_t *of = json_find(ja(facts_answer(facts, "effective"), "organisations"), "name", v->organisation);

	json_each(name, ja(of, "conduits"))
		put(v->conduits, json_string_value(name));
	json_each(d, ja(facts_answer(facts, "status"), "doors"))
		if (js_is(d, "organisation", v->organisation))
			put(v->doors, js(d, "door"));
	return of != NULL;
}

static int visit_told(struct cli *c, const struct cli_args *a, const json_t *facts, const struct span *s,
		      struct visit *v)
{
	int status;

	if (v->opening == 0 && !of_organisation(v, facts))
		return cli_fail(c, CLI_INVALID, M_VISIT_NO_ORGANISATION, v->organisation);
	if (!report_events(c, facts, s->from, s->until, each, v, &status))
		return status;
	if (v->opening != 0 && json_array_size(v->events) == 0)
		return cli_fail(c, CLI_INVALID, M_VISIT_NO_OPENING, v->opening);
	return give(c, a, facts, s, v);
}

static int visit_asked(struct cli *c, const struct cli_args *a, struct visit *v)
{
	const char *month = a->values[OPT_AUDIT_MONTH], *from = a->values[OPT_AUDIT_FROM];
	struct span s;
	int status;
	json_t *facts = report_facts(c, a, &status);

	if (facts == NULL)
		return status;
	if (month == NULL && from == NULL)
		from = "31d";
	status = span_read(c, month, from, a->values[OPT_AUDIT_UNTIL], js(facts, "made"), &s);
	v->doors = json_object();
	v->conduits = json_object();
	v->used = json_object();
	v->events = json_array();
	tally_open(&v->sessions);
	tally_open(&v->passed);
	tally_open(&v->refused);
	if (status == CLI_YES)
		status = visit_told(c, a, facts, &s, v);
	json_decref(tally_close(&v->sessions));
	json_decref(tally_close(&v->passed));
	json_decref(tally_close(&v->refused));
	json_decref(v->doors);
	json_decref(v->conduits);
	json_decref(v->used);
	json_decref(v->events);
	json_decref(facts);
	return status;
}

int verb_report_opening(struct cli *c, const struct cli_args *a)
{
	struct visit v = { .opening = strtoull(a->operands[0], NULL, 10) };

	if (v.opening == 0)
		return cli_fail(c, CLI_INVALID, M_VISIT_NO_OPENING, v.opening);
	return visit_asked(c, a, &v);
}

int verb_report_organisation(struct cli *c, const struct cli_args *a)
{
	return visit_asked(c, a, &(struct visit){ .organisation = a->operands[0] });
}
