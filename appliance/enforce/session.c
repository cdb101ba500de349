/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live sessions. Describes them in the words of the policy, for the lists of an apply and for
 * questions about sessions; counts them by zone and lane; and reads them for conduits with
 * heard_within.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/links.h"
#include "appliance/enforce/session.h"
#include "appliance/wire/settings.h"
#include "policy/ir/needs.h"

/* Adds the names that the policy has for an address: for the end "server" as "server_asset",
 * "server_label", "server_zone". */
static void end_note(const struct generation_held *g, json_t *to, const char *end, const struct addr *a)
{
	uint32_t zone = ir_book_zone(&g->book, a), asset = ir_book_asset(&g->book, a);
	char key[24];

	if (asset != UINT32_MAX) {
		snprintf(key, sizeof(key), "%s_asset", end);
		json_object_set_new(to, key, json_text(g->ir.assets[asset].name));
		snprintf(key, sizeof(key), "%s_label", end);
		if (*g->ir.assets[asset].label != '\0')
			json_object_set_new(to, key, json_text(g->ir.assets[asset].label));
	}
	if (zone != UINT32_MAX) {
		snprintf(key, sizeof(key), "%s_zone", end);
		json_object_set_new(to, key, json_text(g->ir.zones[zone].name));
	}
}

static const struct ir_conduit *conduit_of(const struct generation_held *now, const struct session *s,
					   const struct question *q)
{
	uint32_t index = now != NULL ? generation_permit(now, mark_permit(s->mark)) : UINT32_MAX;
	/* If the label is of an older policy, the session is listed under the conduit that allows
	 * it now. */
	const struct ir_cell *cell = index == UINT32_MAX && now != NULL ? evaluate_ir(&now->ir, q) : NULL;

	if (cell != NULL)
		index = cell->permit;
	return index != UINT32_MAX ? generation_conduit(now, index) : NULL;
}

json_t *enforce_session_json(const struct generation_held *now, const struct generation_held *names,
			     const struct session *s, const struct question *q)
{
	bool ports = s->l4proto == IPPROTO_TCP || s->l4proto == IPPROTO_UDP;
	const struct ir_conduit *conduit = conduit_of(now, s, q);
	char transport[WORD_TEXT];
	json_t *j = json_pack("{s:o,s:o,s:s,s:o}", "client", json_endpoint(&s->client, ports ? s->client_port : 0),
			      "server", json_endpoint(&s->server, ports ? s->server_port : 0), "transport",
			      transport_text(s->l4proto, transport), "conduit",
			      json_text(conduit != NULL ? conduit->name : NULL));

	if (j != NULL && (now != NULL || names != NULL)) {
		end_note(now != NULL ? now : names, j, "client", &s->client);
		end_note(now != NULL ? now : names, j, "server", &s->server);
	}
	return j;
}

/* ---- all present sessions -------------------------------------------------------------------- */

struct asked {
	const struct generation_held *now;
	const struct event_filter *filter;
	struct addr_range host; /* family 0 = any */
	uint64_t now_s;
	uint32_t most;
	uint64_t tracked, matching;
	json_t *list; /* owned */
	bool failed;
};

/* The word for what lets the session pass now (docs/json.md, flows). */
static const char *state_word(const struct generation_held *now, const struct session *s, bool conduit)
{
	uint32_t lane = mark_lane(s->mark);

	if (s->ending)
		return "ending";
	if (lane == LANE_CUT || (!conduit && !generation_lingers(now, mark_permit(s->mark))))
		return "cut";
	if (!conduit)
		return "lingering";
	if (lane == LANE_NONE)
		return "not_inspected";
	switch (mark_outcome(s->mark)) {
	case MARK_UNJUDGED:
		return "undecided";
	case MARK_CONFIRMED:
		return "let_go";
	default:
		return "inspected";
	}
}

static bool zone_is(const struct generation_held *g, const struct addr *a, const char *name)
{
	uint32_t zone = ir_book_zone(&g->book, a);

	return zone != UINT32_MAX && strcmp(g->ir.zones[zone].name, name) == 0;
}

static bool asset_is(const struct generation_held *g, const struct addr *a, const char *name)
{
	uint32_t asset = ir_book_asset(&g->book, a);

	return asset != UINT32_MAX && strcmp(g->ir.assets[asset].name, name) == 0;
}

/* Whether all conditions hold. Zone, asset and host may match either end. */
static bool session_wanted(const struct asked *a, const struct session *s, const struct question *q)
{
	const char *conduit = a->filter->text[FILTER_CONDUIT], *zone = a->filter->text[FILTER_ZONE],
		   *asset = a->filter->text[FILTER_ASSET];
	const struct ir_conduit *of = *conduit != '\0' ? conduit_of(a->now, s, q) : NULL;

	return (a->host.lo.family == 0 || addr_in(&s->client, &a->host) || addr_in(&s->server, &a->host)) &&
	       (*conduit == '\0' || (of != NULL && strcmp(of->name, conduit) == 0)) &&
	       (*zone == '\0' || zone_is(a->now, &s->client, zone) || zone_is(a->now, &s->server, zone)) &&
	       (*asset == '\0' || asset_is(a->now, &s->client, asset) || asset_is(a->now, &s->server, asset));
}

static int list_session(const struct session *s, void *ctx)
{
	struct asked *a = ctx;
	const struct question q = session_question(s, a->now_s);
	char lane[WORD_TEXT];
	json_t *j;

	a->tracked++;
	if (!session_wanted(a, s, &q) || ++a->matching > a->most)
		return 0;
	j = enforce_session_json(a->now, NULL, s, &q);
	if (j != NULL) {
		bool conduit = json_is_string(json_object_get(j, "conduit"));

		json_object_set_new(j, "state", json_string(state_word(a->now, s, conduit)));
		json_object_set_new(j, "lane", json_string(lane_text(mark_lane(s->mark), lane)));
		json_object_set_new(j, "permit", json_integer(mark_permit(s->mark)));
	}
	a->failed |= json_array_append_new(a->list, j) < 0;
	return 0;
}

const char *enforce_flows_lacks(const struct generation_held *now, const struct event_filter *filter)
{
	const char *conduit = filter->text[FILTER_CONDUIT], *zone = filter->text[FILTER_ZONE],
		   *asset = filter->text[FILTER_ASSET];
	const struct ir *ir = &now->ir;
	bool found = *conduit == '\0';

	for (uint32_t i = 0; i < ir->n_conduits && !found; i++)
		found = strcmp(ir->conduits[i].name, conduit) == 0;
	if (!found)
		return conduit;
	found = *zone == '\0';
	for (uint32_t i = 0; i < ir->n_zones && !found; i++)
		found = strcmp(ir->zones[i].name, zone) == 0;
	if (!found)
		return zone;
	found = *asset == '\0';
	for (uint32_t i = 0; i < ir->n_assets && !found; i++)
		found = strcmp(ir->assets[i].name, asset) == 0;
	return found ? NULL : asset;
}

static void list_restart(void *ctx)
{
	struct asked *a = ctx;

	json_array_clear(a->list);
	a->tracked = a->matching = 0;
}

json_t *enforce_flows(struct enforce *f, const struct msg_flows *m, struct err *e)
{
	struct asked a = {
		.now = f->now, .filter = &m->filter, .now_s = enforce_moment(f), .most = m->most, .list = json_array()
	};
	const char *host = m->filter.text[FILTER_HOST];
	bool stray;
	int r = 0;

	if (*host != '\0' && !prefix_parse(host, &a.host, &stray))
		r = err_set(e, -EINVAL, "host");
	if (r == 0)
		r = conntrack_dump(&f->kernel.net, list_session, list_restart, &a, e);
	if (r == 0 && a.failed)
		r = err_set(e, -ENOMEM, "sessions");
	if (r < 0) {
		json_decref(a.list);
		return NULL;
	}
	return json_pack("{s:o,s:o,s:I,s:I}", "digest", json_hex(f->now->ir.digest, sizeof(f->now->ir.digest)), "flows",
			 a.list, "tracked", (json_int_t)a.tracked, "matching", (json_int_t)a.matching);
}

/* ---- shares ---------------------------------------------------------------------------------- */

/*
 * How full connection tracking is, and whose sessions fill it, by zone and lane as the rules limit
 * them. Sessions are counted one by one only when there are enough to half fill a share.
 */
json_t *enforce_lane_json(uint32_t number)
{
	char text[WORD_TEXT];

	return json_string(lane_text(number, text));
}

struct census {
	const struct ir *ir;
	/* by zone; the last row is for sessions that belong to no zone of the policy in force */
	uint32_t (*n)[LANE_COUNT];
};

static uint32_t zone_of(const struct ir *ir, const struct addr *a)
{
	for (uint32_t z = 0; z < ir->n_zones; z++)
		for (uint32_t r = 0; r < ir->zones[z].n_ranges; r++)
			if (addr_in(a, &ir->zones[z].ranges[r]))
				return z;
	return ir->n_zones;
}

static int count_session(const struct session *s, void *ctx)
{
	struct census *c = ctx;

	if (!s->ending)
		c->n[zone_of(c->ir, &s->client)][mark_lane(s->mark)]++;
	return 0;
}

static void count_again(void *ctx)
{
	struct census *c = ctx;

	for (uint32_t z = 0; z <= c->ir->n_zones; z++)
		for (uint32_t lane = 0; lane < LANE_COUNT; lane++)
			c->n[z][lane] = 0;
}

static void half_full(struct enforce *f, json_t *list)
{
	const struct ir *ir = &f->now->ir;
	struct census c = { ir, calloc(ir->n_zones + 1u, sizeof(*c.n)) };
	struct err e;

	if (c.n == NULL || conntrack_dump(&f->kernel.net, count_session, count_again, &c, &e) < 0) {
		free(c.n);
		return;
	}
	for (uint32_t z = 0; z < ir->n_zones; z++)
		for (uint32_t lane = 0; lane < LANE_COUNT; lane++) {
			/* Each interface of a zone has a share. */
			uint32_t most =
				IR_ZONE_SESSIONS * (ir->zones[z].n_interfaces > 0 ? ir->zones[z].n_interfaces : 1u);

			if (c.n[z][lane] >= most / 2)
				(void)json_array_append_new(
					list, json_pack("{s:s,s:s,s:o,s:I,s:I}", "zone", ir->zones[z].name, "label",
							ir->zones[z].label != NULL ? ir->zones[z].label : "", "lane",
							enforce_lane_json(lane), "sessions", (json_int_t)c.n[z][lane],
							"most", (json_int_t)most));
		}
	free(c.n);
}

json_t *enforce_tracking(struct enforce *f)
{
	json_t *list = json_array();
	uint32_t n = 0, most = 0;
	struct err e;

	if (conntrack_count(&f->kernel.net, &n, &most, &e) == 0 && f->now != NULL && n >= IR_ZONE_SESSIONS / 2)
		half_full(f, list);
	return json_pack("{s:I,s:I,s:i,s:o}", "sessions", (json_int_t)n, "most", (json_int_t)most, "share",
			 (int)IR_ZONE_SESSIONS, "shares", list);
}

/* ---- conduits with heard_within (heard.h) ---------------------------------------------------- */

/* largest number of names in the list; the total number is given, too */
#define SILENT_SHOWN 32u
#define MACHINES_SHOWN 128u
#define INTERFACES_BUDGET 65536u /* bytes */

static void tell_silence(void *ctx, const struct generation_held *g, uint32_t conduit, enum silence_event what,
			 uint64_t seconds)
{
	struct enforce *f = ctx;
	struct event e = event_new(EVENT_SILENCE, clock_wall_ns());

	e.code = (uint8_t)what;
	e.conduit = conduit;
	e.line = g->ir.conduits[conduit].line;
	e.value = seconds;
	event_send(&f->roles.events, &e);
}

void enforce_listen_adopt(struct enforce *f)
{
	(void)heard_adopt(&f->uses.heard, f->now, clock_mono(), clock_wall_ns(), tell_silence, f);
}

void enforce_listen(struct enforce *f)
{
	uint64_t proven = f->uses.heard.proven;
	struct arena *a;
	struct err e;
	bool *up;

	if (f->now == NULL || f->uses.heard.g == NULL ||
	    (f->uses.heard.n == 0 && ir_needs_left(&f->now->ir, f->uses.heard.proven) == 0 &&
	     json_array_size(f->isolated.list) == 0 && clock_mono().ns - f->uses.heard.looked.ns < HEARD_IDLE_NS))
		return;
	a = arena_new(INTERFACES_BUDGET);
	up = a != NULL ? arena_array(a, f->now->ir.n_interfaces + 1u, sizeof(*up)) : NULL;
	heard_begin(&f->uses.heard, enforce_moment(f));
	/* If the dump fails, this look does not count: the next one covers the time since the last
	 * that did. */
	if (up != NULL && conntrack_dump(&f->kernel.net, heard_note, heard_restart, &f->uses.heard, &e) == 0) {
		links_up(f->kernel.links, &f->now->ir, up);
		heard_end(&f->uses.heard, up, clock_mono(), clock_wall_ns(), tell_silence, f);
		for (uint32_t i = 0; i < f->now->ir.n_permits; i++)
			if (f->uses.heard.carried[i] > 0) {
				matched_carried(&f->uses.matched, f->now->ids[i], clock_wall_ns());
				f->uses.heard.untold[i] += f->uses.heard.carried[i];
			}
		carried_looked(f);
		if (f->uses.heard.proven != proven)
			(void)msg_send(f->roles.control, 0,
				       &(struct msg_body){ MSG_PROVEN, .proven = { .needs = f->uses.heard.proven } },
				       NULL, 0);
	} else if (f->uses.heard.missed < HEARD_MISSED) {
		f->uses.heard.missed++;
	}
	arena_free(a);
}

static json_t *machines_json(const struct machines *m, const struct ir *ir)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n && i < MACHINES_SHOWN; i++) {
		const struct heard_machine *x = &m->list[i];
		const struct ir_asset *a = &ir->assets[x->asset];

		(void)json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:o, s:b, s:I, s:I}", "name", json_text(a->name), "label",
					json_text(a->label), "zone", json_text(ir->zones[a->zone].name), "last",
					x->heard_wall_ns != 0 ? json_time(x->heard_wall_ns) : json_null(), "silent",
					(int)machine_is_silent(x), "a_minute", (json_int_t)x->last, "usual",
					(json_int_t)x->usual));
	}
	return list;
}

json_t *enforce_expected(const struct enforce *f)
{
	json_t *list = json_array();
	size_t n = 0;

	for (size_t i = 0; f->now != NULL && i < f->uses.heard.n; i++) {
		const struct heard_conduit *w = &f->uses.heard.list[i];
		const struct ir_conduit *c = &f->now->ir.conduits[w->conduit];

		if (!w->silent || n++ >= SILENT_SHOWN)
			continue;
		(void)json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:o, s:b}", "conduit", json_text(c->name),
							    "label", json_text(c->label), "within_s",
							    (json_int_t)c->heard_within, "since",
							    json_time(w->since_wall_ns), "heard", (int)w->heard));
	}
	return json_pack("{s:I, s:I, s:b, s:o, s:o}", "watched", (json_int_t)f->uses.heard.n, "silent", (json_int_t)n,
			 "unread", (int)(f->uses.heard.n > 0 && f->uses.heard.missed == HEARD_MISSED), "conduits", list,
			 "machines",
			 f->now != NULL ? machines_json(&f->uses.heard.machines, &f->now->ir) : json_array());
}
