/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho impact POLICY --since 90d`: the accepted operations of the past that this policy would
 * have stopped. The policy is compiled here; the records come from the box; nothing is changed.
 * What the records cannot tell is printed with the numbers.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/policy/means.h"
#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/moment.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/words/command.h"
#include "mgmt/words/event.h"

#define SINCE_DEFAULT "90d"
#define LINES_MOST 20u

struct past {
	struct ir *ir;
	uint64_t now;
	uint64_t records, operations, vague; /* `vague`: operations in sums without details */
	uint64_t least, most;
	/* times of the first and the last record of operations */
	char from[RENDER_TEXT], to[RENDER_TEXT];
	json_t *kinds;	 /* what would have been stopped, by kind */
	json_t *pairs;	 /* the pairs of hosts, by their text */
	json_t *missing; /* records that are missing */
};

static uint64_t plus(uint64_t a, uint64_t b)
{
	return b > INT64_MAX - a ? INT64_MAX : a + b;
}

static void raise_by(json_t *o, const char *key, uint64_t by)
{
	json_object_set_new(o, key, json_integer((json_int_t)plus(ju(o, key), by)));
}

static void take_member(json_t *to, const json_t *e, const char *key)
{
	if (json_object_get(e, key) != NULL)
		json_object_set(to, key, json_object_get(e, key));
}

/* The common part of records of several hours. */
static json_t *kind_of(const json_t *e, const struct recorded *r)
{
	static const char *const common[] = { "conduit",      "conduit_label", "client",	"client_asset",
					      "client_label", "client_zone",   "server",	"server_asset",
					      "server_label", "server_zone",   "transport",	"direction",
					      "protocol",     "function",      "function_name", "space",
					      "address",      "quantity",      "place",		"places" };
	const struct vocabulary *v = command_words(e);
	json_t *k = json_object();

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		take_member(k, e, common[i]);
	for (unsigned i = 0; v != NULL && i < v->n_targets; i++)
		take_member(k, e, v->targets[i].one);
	json_object_set_new(k, "reason", json_string(reason_word(r->reason)));
	return k;
}

static void widen(json_t *kind, const json_t *wrote)
{
	json_t *known = json_object_get(kind, "wrote");

	if (wrote == NULL)
		return;
	if (known == NULL) {
		json_object_set_new(kind, "wrote", json_deep_copy(wrote));
		return;
	}
	if (ju(wrote, "low") < ju(known, "low"))
		json_object_set(known, "low", json_object_get(wrote, "low"));
	if (ju(wrote, "high") > ju(known, "high"))
		json_object_set(known, "high", json_object_get(wrote, "high"));
}

static void note_pair(struct past *p, const json_t *e)
{
	char client[EVENT_END_TEXT], server[EVENT_END_TEXT], pair[2 * EVENT_END_TEXT];
	char *port;

	snprintf(client, sizeof(client), "%s", js(e, "client"));
	snprintf(server, sizeof(server), "%s", js(e, "server"));
	port = strrchr(server, ':');
	if (port != NULL)
		*port = '\0';
	snprintf(pair, sizeof(pair), "%s %s", client, server);
	json_object_set_new(p->pairs, pair, json_true());
}

static void stopped(struct past *p, const json_t *e, const struct recorded *r)
{
	json_t *kind = kind_of(e, r);
	char *key = json_dumps(kind, JSON_SORT_KEYS | JSON_COMPACT);

	if (key != NULL && json_object_get(p->kinds, key) == NULL)
		json_object_set(p->kinds, key, kind);
	json_decref(kind);
	kind = key != NULL ? json_object_get(p->kinds, key) : NULL;
	free(key);
	if (kind == NULL)
		return;
	raise_by(kind, "least", r->least);
	raise_by(kind, "most", r->most);
	raise_by(kind, "sessions", r->sessions);
	widen(kind, json_object_get(e, "wrote"));
	p->least = plus(p->least, r->least);
	p->most = plus(p->most, r->most);
	note_pair(p, e);
}

/*
 * The time at which a record is judged. A policy with a time zone may have conduits with hours, so
 * the record's own time counts. Without a time zone, conduits can only end, and the present time
 * counts.
 */
static uint64_t moment_of(const struct past *p, const json_t *e)
{
	struct tm t = { 0 };

	if (p->ir->time_zone[0] == '\0' || strptime(js(e, "time"), "%Y-%m-%dT%H:%M:%S", &t) == NULL)
		return p->now;
	return (uint64_t)timegm(&t);
}

static void one_event(void *ctx, const json_t *e)
{
	struct past *p = ctx;
	struct recorded r;

	if (js_is(e, "kind", "lost") && !js_is(e, "code", "deleted") && !js_is(e, "code", "deleted_for_room") &&
	    !js_is(e, "code", "stuck") && !js_is(e, "code", "checkpoint") && !js_is(e, "code", "key_lost") &&
	    !js_is(e, "code", "unsigned"))
		json_array_append_new(p->missing, json_deep_copy(e));
	if (!js_is(e, "kind", "counts"))
		return;
	if (p->records++ == 0)
		snprintf(p->from, sizeof(p->from), "%s", js(e, "time"));
	snprintf(p->to, sizeof(p->to), "%s", js(e, "time"));
	if (!recorded_judge(p->ir, e, moment_of(p, e), &r))
		p->vague = plus(p->vague, r.operations);
	else if (r.most > 0)
		stopped(p, e, &r);
	p->operations = plus(p->operations, r.operations);
}

/* ---- output ---------------------------------------------------------------------------------- */

static int by_most(const void *pa, const void *pb)
{
	const json_t *const *a = pa, *const *b = pb;
	unsigned long long x = ju(*a, "most"), y = ju(*b, "most");

	return x != y ? (x < y) - (x > y) : strcmp(js(*a, "client"), js(*b, "client"));
}

/* The kinds sorted by their number of operations; a new reference. */
static json_t *sorted(json_t *kinds)
{
	size_t n = 0;
	const json_t **all = calloc(json_object_size(kinds) + 1, sizeof(const json_t *));
	json_t *list = json_array(), *kind;
	const char *key;

	json_object_foreach(kinds, key, kind) {
		if (all != NULL)
			all[n++] = kind;
	}
	if (all != NULL)
		qsort(all, n, sizeof(const json_t *), by_most);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_deep_copy(all[i]));
	free(all);
	return list;
}

static json_t *past_json(const struct past *p, const char *since, const json_t *oldest)
{
	json_t *begins = oldest != NULL ? json_string(js(oldest, "time")) : json_null();

	return json_pack("{s:s, s:o, s:b, s:s?, s:s?, s:I, s:I, s:I, s:O, s:{s:I, s:I, s:I}, s:o}", "since", since,
			 "records_begin", begins, "complete",
			 oldest != NULL && strcmp(js(oldest, "time"), since) <= 0 && p->vague == 0 &&
				 json_array_size(p->missing) == 0,
			 "first", p->records > 0 ? p->from : NULL, "last", p->records > 0 ? p->to : NULL, "records",
			 (json_int_t)p->records, "operations", (json_int_t)p->operations, "without_particulars",
			 (json_int_t)p->vague, "missing", p->missing, "stopped", "least", (json_int_t)p->least, "most",
			 (json_int_t)p->most, "pairs", (json_int_t)json_object_size(p->pairs), "kinds",
			 sorted(p->kinds));
}

static void kind_line(struct cli *c, const json_t *k)
{
	char client[EVENT_END_TEXT], server[EVENT_END_TEXT];
	char *what = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&what, &n);

	event_end(k, "client", client);
	event_end(k, "server", server);
	if (to != NULL) {
		event_command(to, k, c->lang);
		fclose(to);
	}
	render_line(c, ju(k, "least") == ju(k, "most") ? M_IMPACT_KIND : M_IMPACT_KIND_RANGE, client, server,
		    what != NULL ? what : "", ju(k, "most"), ju(k, "sessions"), render_reason(js(k, "reason"), c->lang),
		    ju(k, "least"));
	free(what);
}

static void past_text(struct cli *c, const json_t *j)
{
	const json_t *kinds = ja(j, "kinds"), *stops = json_object_get(j, "stopped"), *missing = ja(j, "missing");
	char first[RENDER_TEXT], last[RENDER_TEXT], since[RENDER_TEXT], begins[RENDER_TEXT];

	render_time(js(j, "since"), since);
	render_time(js(j, "first"), first);
	render_time(js(j, "last"), last);
	render_time(js(j, "records_begin"), begins);
	if (ju(j, "records") == 0)
		render_line(c, M_IMPACT_NO_RECORDS, since);
	else
		render_line(c, M_IMPACT_RECORDS, ju(j, "records"), first, last, ju(j, "operations"));
	if (*begins == '\0' || strcmp(js(j, "records_begin"), js(j, "since")) > 0)
		render_line(c, *begins != '\0' ? M_IMPACT_BEFORE : M_IMPACT_EMPTY, begins);
	for (size_t i = 0; i < json_array_size(missing) && i < LINES_MOST; i++) {
		char when[RENDER_TEXT];

		render_time(js(json_array_get(missing, i), "time"), when);
		render_line(c, M_IMPACT_MISSING, when, ju(json_array_get(missing, i), "count"));
	}
	if (ju(j, "without_particulars") > 0)
		render_line(c, M_IMPACT_VAGUE, ju(j, "without_particulars"));
	if (json_array_size(kinds) == 0) {
		render_line(c, M_IMPACT_NONE);
		return;
	}
	render_line(c, ju(stops, "least") == ju(stops, "most") ? M_IMPACT_STOPPED : M_IMPACT_STOPPED_RANGE,
		    ju(stops, "most"), ju(stops, "pairs"), ju(stops, "least"));
	for (size_t i = 0; i < json_array_size(kinds) && i < LINES_MOST; i++)
		kind_line(c, json_array_get(kinds, i));
	if (json_array_size(kinds) > LINES_MOST)
		render_line(c, M_IMPACT_MORE, json_array_size(kinds) - LINES_MOST);
	if (ju(stops, "least") != ju(stops, "most"))
		render_line(c, M_IMPACT_WHY_RANGE);
}

static void text(struct cli *c, const json_t *j)
{
	past_text(c, j);
	clock_waits_print(c, ja(j, "clock"));
}

static int ask_past(struct cli *c, const char *since, struct past *p)
{
	json_t *oldest, *all;
	int status;

	if (!events_oldest(c, &oldest, &status))
		return status;
	if (events_each(c, since, one_event, p, &status)) {
		json_t *waits = source_waits(c, p->ir);

		all = past_json(p, since, oldest);
		if (waits != NULL)
			json_object_set(all, "clock", waits);
		json_decref(waits);
		status = p->most > 0 ? CLI_NO : CLI_YES;
		if (all == NULL)
			status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
		else if (c->json)
			json_line(c->out, json_incref(all));
		else
			text(c, all);
		json_decref(all);
	}
	json_decref(oldest);
	return status;
}

int verb_impact(struct cli *c, const struct cli_args *a)
{
	const char *wanted = a->values[OPT_IMPACT_SINCE] != NULL ? a->values[OPT_IMPACT_SINCE] : SINCE_DEFAULT;
	struct past p = { .now = clock_wall_s() };
	char since[MOMENT_TEXT];
	struct source s;
	int status;

	if (!moment_parse(wanted, since))
		return cli_fail(c, CLI_INVALID, M_SINCE_BAD, wanted);
	if (source_open(c, a->operands[0], SOURCE_LOWER, &s, &status)) {
		p.ir = s.c.ir;
		p.kinds = json_object();
		p.pairs = json_object();
		p.missing = json_array();
		status = ask_past(c, since, &p);
		json_decref(p.kinds);
		json_decref(p.pairs);
		json_decref(p.missing);
	}
	source_close(&s);
	return status;
}
