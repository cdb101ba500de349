/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live sessions in the words of the policy: for lists of those that a change ends, and for
 * questions about sessions.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "appliance/enforce/enforce.h"
#include "appliance/kernel/conntrack.h"
#include "appliance/wire/settings.h"
#include "policy/ir/evaluate.h"

/* "server_asset", "server_label", "server_zone": the names of an address in the policy. */
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
	/* The label is of an older policy: the session gets the name of the conduit that allows it
	 * now. */
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

/* All conditions must hold; zone, asset and host match either end. */
static bool wanted(const struct asked *a, const struct session *s, const struct question *q)
{
	const char *conduit = a->filter->text[FILTER_CONDUIT], *zone = a->filter->text[FILTER_ZONE],
		   *asset = a->filter->text[FILTER_ASSET];
	const struct ir_conduit *of = *conduit != '\0' ? conduit_of(a->now, s, q) : NULL;

	return (a->host.lo.family == 0 || addr_in(&s->client, &a->host) || addr_in(&s->server, &a->host)) &&
	       (*conduit == '\0' || (of != NULL && strcmp(of->name, conduit) == 0)) &&
	       (*zone == '\0' || zone_is(a->now, &s->client, zone) || zone_is(a->now, &s->server, zone)) &&
	       (*asset == '\0' || asset_is(a->now, &s->client, asset) || asset_is(a->now, &s->server, asset));
}

static int look(const struct session *s, void *ctx)
{
	struct asked *a = ctx;
	const struct question q = { .source = s->client,
				    .destination = s->server,
				    .l4proto = s->l4proto,
				    .port = s->server_port,
				    .now = a->now_s };
	char lane[WORD_TEXT];
	json_t *j;

	a->tracked++;
	if (!wanted(a, s, &q) || ++a->matching > a->most)
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

static void again(void *ctx)
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
		r = conntrack_dump(&f->net, look, again, &a, e);
	if (r == 0 && a.failed)
		r = err_set(e, -ENOMEM, "sessions");
	if (r < 0) {
		json_decref(a.list);
		return NULL;
	}
	return json_pack("{s:o,s:o,s:I,s:I}", "digest", json_hex(f->now->ir.digest, sizeof(f->now->ir.digest)), "flows",
			 a.list, "tracked", (json_int_t)a.tracked, "matching", (json_int_t)a.matching);
}
