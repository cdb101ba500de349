/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "dpi/inspect/change.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/companion.h"
#include "dpi/inspect/count.h"
#include "dpi/inspect/crossing.h"
#include "dpi/inspect/datagram.h"
#include "dpi/inspect/event.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/midstream.h"
#include "dpi/inspect/reset.h"
#include "dpi/inspect/rules.h"
#include "dpi/inspect/session.h"
#include "dpi/inspect/wait.h"
#include "dpi/inspect/weak.h"
#include "dpi/name.h"

/* ---- packets of lost and ended sessions ----------------------------------------------------- */

/*
 * Handles a segment without a session. Usually the box has lost the session (it was off, or
 * rebooted), but its ends have not: both are reset, so that the client connects again and the
 * server's slot is free. The segment may also be outside the window of a live session. Only the
 * kernel knows whether there is one, so the gate asks the kernel. No flow is made, because any host
 * can send such segments without limit.
 */
static MUST_SEND struct verdict cut_stray(struct crossing *x)
{
	x->dir = life_guess_dir(x);
	/* The reset uses the segment's own numbers, and does not affect a flow that may
	 * be alive. */
	return and_hear(verdict_drop(R_NO_SESSION), x->d.tcp_flags & TCP_RST ? HEAR_NOTHING : HEAR_PACKET);
}

/* The reason why the session has ended, from the mark of the rules. */
static enum reason cut_reason(uint32_t mark)
{
	mark &= MARK_LANE_MASK | MARK_OUTCOME_MASK;
	return mark == MARK_AGED ? R_LIMIT_SESSION : mark == MARK_IDLED ? R_LIMIT_IDLE : R_ENDED;
}

/* Judges a packet of the cut lane. */
static MUST_SEND struct verdict cut_judge(struct crossing *x)
{
	enum reason r = cut_reason(x->p->mark);

	if (x->d.l4proto != IP_TCP)
		return verdict_drop(r);
	x->fi = flow_find(&x->i->flows, &x->d, &x->dir);
	if (x->fi != FLOW_NONE) {
		x->f = flow_at(&x->i->flows, x->fi);
		if (x->f->kind != KIND_REFUSED && x->dir == DIR_S2C && (x->d.tcp_flags & TCP_SYN)) {
			/* A new session on the ports of a known one: only this packet's numbers are
			 * known. */
			life_restart(x, x->dir);
			x->f->waiting_pick_up = true;
		}
		return x->f->kind == KIND_REFUSED ? and_hear(verdict_drop(r), HEAR_PACKET) : verdict_of(STEP_CUT, r);
	}
	x->dir = life_guess_dir(x);
	/* Without room for a flow, the session is cut as well; only the event is missing. */
	if (!life_open(x, x->dir))
		return and_hear(verdict_drop(r), HEAR_FLOW);
	x->f->waiting_pick_up = true; /* only this packet's numbers are known */
	return verdict_of(STEP_CUT, r);
}

/* ---- packets that waited for missing bytes -------------------------------------------------- */

static MUST_SEND struct verdict judge_taken(struct taken *t)
{
	struct verdict v = relabel(&t->x);

	return v.step == STEP_ON ? session_follow(&t->x) : v;
}

/* Takes out waiting packets that are now in order. `frame` of `dir` filled the gap; 0 when
 * none did. */
static void release_waiting(struct inspector *i, uint32_t fi, enum direction dir, uint32_t frame)
{
	uint32_t filled[2] = { 0 }; /* by direction: the last frame that was needed */
	struct taken t;
	uint32_t w;
	bool good;

	if (i->releasing)
		return;
	i->releasing = true;
	filled[dir] = frame;
	while ((w = wait_ready(i, fi)) != SLOT_NONE) {
		good = wait_take(i, w, &t);
		/* The receiver gets these bytes when the gap is filled, not when they
		 * arrived here. */
		if (t.ahead && t.p.frame < filled[t.x.dir])
			t.p.frame = filled[t.x.dir];
		filled[t.x.dir] = t.p.frame;
		life_send(&t.x, good ? judge_taken(&t) : verdict_drop(R_UNKNOWN_PERMIT));
	}
	i->releasing = false;
}

/* Handles a segment whose flow is known, and segments that waited for it. */
static void turn_take(struct crossing *x)
{
	life_send(x, session_follow(x));
	if (x->f->wait.first != SLOT_NONE)
		release_waiting(x->i, x->fi, x->dir, x->p->frame);
}

/* Handles a waiting packet whose time is over. */
static void give_up(struct inspector *i, uint32_t fi, uint32_t w)
{
	struct taken t;

	if (!wait_take(i, w, &t)) {
		life_send(&t.x, verdict_drop(R_UNKNOWN_PERMIT));
	} else if (t.x.f->greets && !greet_stops(t.x.permit)) {
		life_send(&t.x, greet_let_go(&t.x));
	} else if (crossing_is_observed(&t.x)) {
		life_send(&t.x, follow_half_way(&t.x));
	} else {
		midstream_note_given_up(&t.x);
		life_send(&t.x, verdict_drop(R_OUT_OF_ORDER));
	}
	release_waiting(i, fi, t.x.dir, t.p.frame);
}

/* Takes out the waiting packets whose time is over. Most of them are dropped, and their senders
 * repeat them. */
static void turn_expire(struct inspector *i)
{
	uint32_t w, fi;

	while ((w = wait_overdue(i, &fi)) != SLOT_NONE)
		give_up(i, fi, w);
}

/* ---- the inspector: memory, rules and time -------------------------------------------------- */

#define TICK_FLOWS 64u /* flows that one tick ends, at most */

/* Whether packets of this lane come to this worker: all workers have the same table, but not the
 * same lanes. */
static bool comes_here(const struct inspector *i, uint32_t lane)
{
	return i->limits.kinds == 0 || (i->limits.kinds >> lane_kind_of(lane) & 1u) != 0;
}

/* Divides scarce memory among the lanes in use. */
static void divide_memory(struct inspector *i)
{
	const struct command_table *t = rules_table(i->rules);
	bool whole = i->limits.undivided;
	uint32_t used = 0;

	for (uint32_t n = 0; n < t->n_permits; n++) {
		uint32_t share = share_of(t->permits[n].lane);

		if (share != SHARE_OTHER && comes_here(i, t->permits[n].lane))
			used |= 1u << share;
	}
	flow_divide(&i->flows, used, whole);
	pool_divide(&i->pool, used, whole);
	waits_divide(i->waits, used, whole);
	companions_divide(i->companions, used, whole);
	records_divide(i->records, used, whole);
}

struct inspector *inspector_new(const struct inspector_limits *l)
{
	struct inspector *i = calloc(1, sizeof(*i));

	if (i == NULL)
		return NULL;
	i->limits = *l;
	i->now_ns = clock_mono().ns;
	i->rules = rules_new(l->table_bytes);
	i->namer = l->no_library ? NULL : namer_new(l->flows);
	i->commands = commands_new(l->flows);
	i->companions = companions_new();
	i->counts = counts_new();
	i->weaks = weaks_new();
	i->waits = waits_new();
	i->resets = resets_new();
	i->records = records_new(i->now_ns);
	i->outcomes = outcomes_new();
	i->rooms.packet = malloc(PACKET_MAX);
	i->rooms.segment = malloc(PACKET_MAX + RUNS_BYTES);
	i->rooms.pdu = malloc(PDUS_MAX);
	i->rooms.judge = calloc(1, sizeof(*i->rooms.judge));
	i->rooms.before = calloc(1, ENFORCER_STATE_MAX);
	if (!flow_init(&i->flows, l->flows) || !pool_init(&i->pool, l->pool_bytes) || i->rules == NULL ||
	    (i->namer == NULL && !l->no_library) || i->commands == NULL || i->companions == NULL || i->counts == NULL ||
	    i->weaks == NULL || i->waits == NULL || i->resets == NULL || i->records == NULL || i->outcomes == NULL ||
	    i->rooms.packet == NULL || i->rooms.segment == NULL || i->rooms.pdu == NULL || i->rooms.judge == NULL ||
	    i->rooms.before == NULL) {
		inspector_free(i);
		return NULL;
	}
	pool_book(&i->pool, &i->flows.holders);
	records_divide(i->records, 0, true);
	return i;
}

void inspector_free(struct inspector *i)
{
	if (i == NULL)
		return;
	flow_done(&i->flows);
	pool_done(&i->pool);
	rules_free(i->rules);
	namer_free(i->namer);
	commands_free(i->commands);
	companions_free(i->companions);
	counts_free(i->counts);
	weaks_free(i->weaks);
	waits_free(i->waits);
	resets_free(i->resets);
	records_free(i->records);
	outcomes_free(i->outcomes);
	free(i->rooms.packet);
	free(i->rooms.segment);
	free(i->rooms.pdu);
	free(i->rooms.judge);
	free(i->rooms.before);
	free(i);
}

/* Makes nDPI look for all names only if the policy uses names of nDPI, because this is slow. */
static void choose_names(struct inspector *i)
{
	const struct command_table *t = rules_table(i->rules);
	uint32_t g = 0;

	while (g < t->n_grants && protocol_info((enum protocol)t->grants[g].protocol)->depth != DEPTH_NDPI)
		g++;
	if (i->namer != NULL)
		name_look_for_all(i->namer, g < t->n_grants);
}

bool inspector_table(struct inspector *i, struct bytes image, uint8_t digest[32])
{
	bool good = rules_load(i->rules, image);

	if (good) {
		divide_memory(i);
		choose_names(i);
	}
	memcpy(digest, rules_table(i->rules)->digest, 32);
	return good;
}

void inspector_generations(struct inspector *i, struct event_generation now, struct bytes of_permits)
{
	struct event_generation before = rules_generation(i->rules, NULL);

	rules_note_generations(i->rules, now, of_permits);
	if (event_generation_same(before, now))
		return;
	counts_end_hour(i);
	weaks_end_hour(i);
}

/* Advances the time, which never goes back, even if the time stamps of a capture do. */
static void turn_clock(struct inspector *i)
{
	uint64_t now = clock_mono().ns;

	if (now > i->now_ns)
		i->now_ns = now;
}

/* ---- packets --------------------------------------------------------------------------------- */

void inspector_cut(struct inspector *i, const struct cut_session *s, uint16_t queue)
{
	const struct packet none = { .queue = queue, .mark = s->mark | mark_make(0, LANE_CUT, MARK_UNJUDGED) };
	struct crossing x = { .i = i,
			      .p = &none,
			      .d = { .src = s->client,
				     .dst = s->server,
				     .l4proto = IP_TCP,
				     .sport = s->client_port,
				     .dport = s->server_port },
			      .lane = LANE_CUT,
			      .table = rules_table(i->rules) };

	turn_clock(i);
	x.fi = flow_find(&i->flows, &x.d, &x.dir);
	if (x.fi == FLOW_NONE)
		return;
	x.f = flow_at(&i->flows, x.fi);
	outcome_cut_idle(&x, cut_reason(s->mark));
}

/* Finds the flow of a packet. STEP_ON for a segment whose turn it is in its flow. */
static MUST_SEND struct verdict meet_packet(struct crossing *x)
{
	const struct packet *p = x->p;
	enum reason r = p->truncated ? R_TRUNCATED : decode_packet(p->ip, p->checksums, &x->d);

	/* an unreadable packet never passes, not even under observe, because its permit is not
	 * known yet */
	if (r != R_NONE)
		return verdict_refuse(r);
	x->permit = commands_permit(x->table, mark_permit(p->mark));
	if (p->mark == MARK_STRAY && x->d.l4proto == IP_TCP)
		return cut_stray(x);
	if (x->lane == LANE_CUT)
		return cut_judge(x);
	if (x->permit == NULL)
		return verdict_refuse(R_UNKNOWN_PERMIT);
	return x->d.l4proto == IP_TCP ? session_meet(x) : datagram_judge(x);
}

void inspector_packet(struct inspector *i, const struct packet *p)
{
	struct crossing x = {
		.i = i, .p = p, .lane = mark_lane(p->mark), .table = rules_table(i->rules), .fi = FLOW_NONE
	};
	struct verdict v;

	turn_clock(i);
	if (i->limits.offer != NULL)
		i->limits.offer->is = OFFER_NONE;
	outcomes_note_packet(i->outcomes);
	v = meet_packet(&x);
	if (v.step == STEP_ON)
		turn_take(&x);
	else
		life_send(&x, v);
}

/* ---- deadlines, end and statistics ----------------------------------------------------------- */

uint64_t inspector_tick(struct inspector *i)
{
	uint64_t due = UINT64_MAX, next[6];

	turn_clock(i);
	turn_expire(i);
	resets_send_due(i);
	counts_write_due(i);
	weaks_write_due(i);
	for (unsigned n = 0; n < TICK_FLOWS; n++) {
		uint32_t fi = flow_due(&i->flows, i->now_ns);

		if (fi == FLOW_NONE)
			break;
		life_end(i, fi);
	}
	records_flush(i, false);
	next[0] = waits_next_due(i->waits);
	next[1] = counts_next_due(i->counts);
	next[2] = flow_next_due(&i->flows);
	next[3] = records_next_due(i->records);
	next[4] = resets_next_due(i->resets);
	next[5] = weaks_next_due(i->weaks);
	for (unsigned n = 0; n < 6; n++)
		if (next[n] < due)
			due = next[n];
	if (due == UINT64_MAX)
		return UINT64_MAX;
	return due > i->now_ns ? due - i->now_ns : 0;
}

void inspector_finish(struct inspector *i)
{
	turn_clock(i);
	for (uint32_t fi = 0; fi < i->flows.fresh; fi++)
		if (flow_at(&i->flows, fi)->n > 0)
			life_end(i, fi);
	counts_write_all(i);
	weaks_write_all(i);
	records_flush(i, true);
}

void inspector_stats(const struct inspector *i, struct inspector_stats *ret)
{
	*ret = (struct inspector_stats){ .resets = resets_count(i->resets) };
	outcomes_stats(i->outcomes, ret);
	ret->flows = flow_live(&i->flows);
	ret->flows_max = i->flows.size;
	ret->pool_used = (uint32_t)pool_used_bytes(&i->pool);
	ret->pool_bytes = i->limits.pool_bytes;
	for (uint32_t s = 0; s < SHARES; s++) {
		/* Flows that could be removed without loss are not counted. */
		ret->shares[s].flows =
			i->flows.in_share[s] - i->flows.lists[s][CLASS_ENDED].n - i->flows.lists[s][CLASS_NAMED].n;
		ret->shares[s].flows_part = i->flows.part[s];
		ret->shares[s].pool = i->pool.in_share[s] * POOL_BLOCK;
		ret->shares[s].pool_part = i->pool.part[s] * POOL_BLOCK;
	}
}
