/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/enforce/heard.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/enforce/generation.h"
#include "appliance/enforce/session.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/mark.h"
#include "policy/ir/moment.h"

#define SECOND 1000000000ull

static const struct ir_conduit *conduit_of(const struct generation_held *g, const struct heard_conduit *w)
{
	return &g->ir.conduits[w->conduit];
}

const struct heard_conduit *heard_of(const struct heard *h, uint32_t conduit)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->list[i].conduit == conduit)
			return &h->list[i];
	return NULL;
}

static void begin_watch(struct heard_conduit *w, struct mono now, uint64_t wall_ns)
{
	*w = (struct heard_conduit){ .conduit = w->conduit,
				     .since = now,
				     .since_wall_ns = wall_ns,
				     .silent = w->silent,
				     .held = w->held,
				     .based = w->based };
}

static uint64_t seconds_since(const struct heard_conduit *w, struct mono now)
{
	return now.ns > w->since.ns ? (now.ns - w->since.ns) / SECOND : 0;
}

/* Maps permits to the watched conduits that grant something under them. */
static bool map_permits(struct heard *h, const struct generation_held *g)
{
	const struct ir *ir = &g->ir;
	uint32_t *place = calloc((size_t)ir->n_conduits + 1, sizeof(*place));
	size_t n = 0, grants = 0;

	for (uint32_t i = 0; i < ir->n_permits; i++) {
		const struct command_permit *p = commands_permit(&ir->table, i + 1);

		grants += p != NULL ? p->n_grants : 0;
	}
	h->first = calloc((size_t)ir->n_permits + 1, sizeof(*h->first));
	h->watched = calloc(grants + 1, sizeof(*h->watched));
	h->carried = calloc((size_t)ir->n_permits + 1, sizeof(*h->carried));
	h->untold = calloc((size_t)ir->n_permits + 1, sizeof(*h->untold));
	h->proves = calloc((size_t)ir->n_permits + 1, sizeof(*h->proves));
	if (place == NULL || h->first == NULL || h->watched == NULL || h->carried == NULL || h->untold == NULL ||
	    h->proves == NULL) {
		free(place);
		return false;
	}
	for (size_t i = 0; i < h->n; i++)
		place[h->list[i].conduit] = (uint32_t)i + 1;
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		const struct command_permit *p = commands_permit(&ir->table, i + 1);

		h->first[i] = (uint32_t)n;
		for (uint32_t k = 0; p != NULL && k < p->n_grants; k++) {
			uint32_t c = ir->table.grants[p->first_grant + k].conduit;

			if (c < ir->n_conduits && place[c] != 0)
				h->watched[n++] = place[c] - 1;
			for (uint32_t w = 0; w < ir->n_needs_conduits; w++)
				h->proves[i] |= (uint64_t)(ir->needs_conduits[w] == c) << w;
		}
	}
	h->first[ir->n_permits] = (uint32_t)n;
	free(place);
	return true;
}

static bool take_conduits(struct heard *h, const struct ir *ir, struct mono now, uint64_t wall_ns)
{
	size_t n = 0;

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		n += ir->conduits[i].heard_within != 0;
	h->list = calloc(n + 1, sizeof(*h->list));
	if (h->list == NULL)
		return false;
	for (uint32_t i = 0; i < ir->n_conduits; i++)
		if (ir->conduits[i].heard_within != 0) {
			h->list[h->n].conduit = i;
			begin_watch(&h->list[h->n++], now, wall_ns);
		}
	return true;
}

/* A conduit that has the same heard_within in the next policy keeps its state. */
static bool carry_on(const struct heard *old, const struct heard_conduit *w, struct heard *next)
{
	const struct ir_conduit *was = conduit_of(old->g, w);

	for (size_t i = 0; i < next->n; i++) {
		const struct ir_conduit *c = conduit_of(next->g, &next->list[i]);
		uint32_t conduit = next->list[i].conduit;

		if (c->heard_within != was->heard_within || strcmp(c->name, was->name) != 0)
			continue;
		next->list[i] = *w;
		next->list[i].conduit = conduit;
		return true;
	}
	return false;
}

static void leave_conduits(struct heard *h)
{
	free(h->list);
	free(h->first);
	free(h->watched);
	free(h->carried);
	free(h->untold);
	free(h->proves);
	h->list = NULL;
	h->first = h->watched = NULL;
	h->carried = h->untold = h->proves = NULL;
	h->n = 0;
	h->g = NULL;
}

void heard_free(struct heard *h)
{
	leave_conduits(h);
	machines_free(&h->machines);
	free(h->before.list);
	free(h->now.list);
	*h = (struct heard){ 0 };
}

bool heard_adopt(struct heard *h, const struct generation_held *next, struct mono now, uint64_t wall_ns,
		 heard_tell *tell, void *ctx)
{
	struct heard old = *h;
	bool taken;

	h->g = next;
	h->list = NULL;
	h->first = h->watched = NULL;
	h->carried = h->untold = h->proves = NULL;
	h->proven = 0;
	h->n = 0;
	h->anew = true;
	taken = machines_adopt(&h->machines, old.g != NULL ? &old.g->ir : NULL, &next->ir) &&
		take_conduits(h, &next->ir, now, wall_ns) && map_permits(h, next);
	if (!taken)
		leave_conduits(h);
	for (size_t i = 0; old.g != NULL && i < old.n; i++)
		if (!carry_on(&old, &old.list[i], h) && old.list[i].silent)
			tell(ctx, old.g, old.list[i].conduit, SILENCE_OVER, seconds_since(&old.list[i], now));
	leave_conduits(&old);
	return taken;
}

void heard_restart(void *heard)
{
	struct heard *h = heard;

	h->now.n = 0;
	machines_begin(&h->machines);
	for (size_t i = 0; i < h->n; i++)
		h->list[i].fresh = false;
	for (uint32_t i = 0; h->g != NULL && i < h->g->ir.n_permits; i++)
		h->carried[i] = 0;
}

void heard_begin(struct heard *h, uint64_t moment_s)
{
	h->moment_s = moment_s;
	heard_restart(h);
}

static int by_key(const void *pa, const void *pb)
{
	const struct heard_session *a = pa, *b = pb;

	return (a->key > b->key) - (a->key < b->key);
}

/* A key made of the session's kernel id and ports; two sessions rarely have the same one. */
static uint64_t key_of(const struct session *s)
{
	return (uint64_t)s->id << 32 | (uint64_t)s->client_port << 16 | s->server_port;
}

/* The number of packets that show a conduit alive: for TCP and ICMP the answers; for other
 * protocols the packets of both directions, because some send in one direction only. */
static uint64_t packets_carried(const struct session *s)
{
	if (s->l4proto == IPPROTO_TCP)
		return s->assured ? s->packets_back : 0;
	if (s->l4proto == IPPROTO_ICMP || s->l4proto == IPPROTO_ICMPV6)
		return s->packets_back;
	return s->packets + s->packets_back;
}

/* The permit that a session counts for if its own is of an earlier policy (on_tighten): it is found
 * by the session's addresses. */
static uint32_t permit_by_place(const struct heard *h, const struct session *s, const struct heard_session *was)
{
	const struct question q = session_question(s, h->moment_s);
	const struct ir_cell *c;

	if (was != NULL && !h->anew)
		return was->permit;
	c = evaluate_ir(&h->g->ir, &q);
	return c != NULL ? c->permit : UINT32_MAX;
}

static bool keep_session(struct heard_sessions *to, struct heard_session one)
{
	if (to->n == to->room) {
		size_t room = to->room > 0 ? to->room * 2 : 256;
		struct heard_session *list = room <= HEARD_SESSIONS ? realloc(to->list, room * sizeof(*list)) : NULL;

		if (list == NULL)
			return false;
		to->list = list;
		to->room = room;
	}
	to->list[to->n++] = one;
	return true;
}

static uint64_t increase(uint64_t now, uint64_t was)
{
	return now > was ? now - was : 0;
}

/* The needed assets that have this address. */
static uint64_t assets_proven(const struct ir *ir, const struct addr *from)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < ir->n_needs_assets; i++) {
		const struct ir_asset *a = &ir->assets[ir->needs_assets[i]];

		for (uint32_t k = 0; k < a->n_ranges; k++)
			bits |= (uint64_t)addr_in(from, &a->ranges[k]) << (ir->n_needs_conduits + i);
	}
	return bits;
}

int heard_note(const struct session *s, void *heard)
{
	struct heard *h = heard;
	const struct heard_session key = { .key = key_of(s) }, *was;
	struct heard_session one = {
		.key = key.key, .packets = packets_carried(s), .sent = s->packets, .answered = s->packets_back
	};
	uint32_t id = mark_permit(s->mark);

	was = h->before.n > 0 ? bsearch(&key, h->before.list, h->before.n, sizeof(key), by_key) : NULL;
	one.permit = generation_permit(h->g, id);
	if (one.permit == UINT32_MAX && !generation_lingers(h->g, id))
		return 0;
	if (one.permit == UINT32_MAX)
		one.permit = permit_by_place(h, s, was);
	if (!keep_session(&h->now, one))
		return -ENOMEM;
	/* It is not known how old packets from before the first look are, so they do not count. */
	if (h->looked.ns != 0) {
		machines_note(&h->machines, &s->client, increase(one.sent, was != NULL ? was->sent : 0));
		machines_note(&h->machines, &s->server, increase(one.answered, was != NULL ? was->answered : 0));
	}
	/* In the first look under a generation, packets may be older than the generation. */
	if (!h->anew && one.sent > (was != NULL ? was->sent : 0))
		h->proven |= assets_proven(&h->g->ir, &s->client);
	if (!h->anew && one.answered > (was != NULL ? was->answered : 0))
		h->proven |= assets_proven(&h->g->ir, &s->server);
	if (one.permit == UINT32_MAX || one.packets <= (was != NULL ? was->packets : 0))
		return 0;
	h->proven |= h->anew ? 0 : h->proves[one.permit];
	/* The rules count new sessions. */
	h->carried[one.permit] += was != NULL ? one.packets - was->packets : 0;
	for (uint32_t i = h->first[one.permit]; i < h->first[one.permit + 1]; i++)
		h->list[h->watched[i]].fresh = h->list[h->watched[i]].based;
	return 0;
}

static bool one_is_up(const struct ir *ir, uint32_t zone, const bool *up)
{
	const struct ir_zone *z = &ir->zones[zone];

	for (uint32_t i = 0; i < z->n_interfaces; i++)
		if (up[z->interfaces[i]])
			return true;
	return z->n_interfaces == 0;
}

/* A conduit that is not in force now need not be heard. */
static bool is_shut(const struct ir *ir, const struct ir_conduit *c, uint64_t moment)
{
	struct time_zone z = { 0 };
	struct window w;
	struct times t = ir_times(ir, c, &w);
	uint64_t end, next;

	return (ir->time_zone[0] != '\0' && !time_zone_parse(ir->time_zone, &z)) ||
	       !times_hold(&t, &z, moment, &end, &next);
}

static void settle_conduit(struct heard *h, struct heard_conduit *w, const bool *up, uint64_t gap_ns, struct mono now,
			   uint64_t wall_ns, heard_tell *tell, void *ctx)
{
	const struct ir_conduit *c = conduit_of(h->g, w);
	bool over = is_shut(&h->g->ir, c, h->moment_s),
	     cut = !one_is_up(&h->g->ir, c->from, up) || !one_is_up(&h->g->ir, c->to, up), held = w->held;

	w->held = over || cut;
	if (w->fresh || (over && w->silent)) {
		if (w->silent)
			tell(ctx, h->g, w->conduit, w->fresh ? SILENCE_HEARD : SILENCE_OVER, seconds_since(w, now));
		w->silent = false;
		begin_watch(w, now, wall_ns);
		w->heard = !over;
		return;
	}
	/* A conduit that was silent before its link went down stays silent until it is heard. */
	if (w->silent)
		return;
	if (w->held || held) {
		begin_watch(w, now, wall_ns);
		return;
	}
	w->quiet_ns += w->based ? gap_ns : 0;
	if (w->quiet_ns < c->heard_within * SECOND)
		return;
	w->silent = true;
	tell(ctx, h->g, w->conduit, SILENCE_BEGAN, seconds_since(w, now));
}

void heard_end(struct heard *h, const bool *up, struct mono now, uint64_t wall_ns, heard_tell *tell, void *ctx)
{
	struct heard_sessions was = h->before;
	uint64_t gap_ns = h->looked.ns != 0 ? now.ns - h->looked.ns : 0;

	for (size_t i = 0; i < h->n; i++) {
		settle_conduit(h, &h->list[i], up, gap_ns < HEARD_GAP_NS ? gap_ns : HEARD_GAP_NS, now, wall_ns, tell,
			       ctx);
		h->list[i].based = true;
	}
	machines_end(&h->machines, gap_ns < HEARD_IDLE_NS ? gap_ns : HEARD_IDLE_NS, wall_ns);
	if (h->now.n > 1)
		qsort(h->now.list, h->now.n, sizeof(*h->now.list), by_key);
	h->before = h->now;
	h->now = was;
	h->looked = now;
	h->missed = 0;
	h->anew = false;
}

void heard_clock(struct heard *h, struct mono now, uint64_t wall_ns)
{
	for (size_t i = 0; i < h->n; i++) {
		uint64_t ago = now.ns - h->list[i].since.ns;

		h->list[i].since_wall_ns = wall_ns > ago ? wall_ns - ago : 0;
	}
}
