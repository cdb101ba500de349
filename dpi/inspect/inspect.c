/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "dpi/inspect/core.h"

/* No table of this many bytes has more. */
static size_t permits_most(const struct inspector_limits *l)
{
	return l->table_bytes / sizeof(struct command_permit) + 1;
}

struct inspector *inspector_new(const struct inspector_limits *l)
{
	struct inspector *i = calloc(1, sizeof(*i));

	if (i == NULL)
		return NULL;
	i->limits = *l;
	i->table_turn = 1;
	i->table_memory[0] = aligned_alloc(16, (l->table_bytes + 15u) & ~15u);
	i->table_memory[1] = aligned_alloc(16, (l->table_bytes + 15u) & ~15u);
	for (unsigned k = 0; k < 2; k++)
		i->generations[k] = calloc(permits_most(l), sizeof(*i->generations[k]));
	i->waiting = calloc(WAIT_PACKETS, sizeof(*i->waiting));
	i->commands = calloc(l->flows, sizeof(*i->commands));
	i->command_free = calloc(l->flows, sizeof(*i->command_free));
	i->packet_room = malloc(PACKET_MAX);
	i->pdu_room = malloc(PACKET_MAX);
	i->segment_room = malloc(PACKET_MAX + RUNS_BYTES);
	i->namer = namer_new(l->flows);
	if (!flow_init(&i->flows, l->flows) || !pool_init(&i->pool, l->pool_bytes) || i->namer == NULL ||
	    i->table_memory[0] == NULL || i->table_memory[1] == NULL || i->generations[0] == NULL ||
	    i->generations[1] == NULL || i->waiting == NULL || i->commands == NULL || i->command_free == NULL ||
	    i->packet_room == NULL || i->pdu_room == NULL || i->segment_room == NULL) {
		inspector_free(i);
		return NULL;
	}
	pool_book(&i->pool, &i->flows.holders);
	share_divide(WAIT_PACKETS, 0, true, i->waiting_part);
	i->counts_oldest = i->counts_newest = SLOT_NONE;
	i->now_ns = clock_mono().ns;
	wait_init(i);
	budget_init(i);
	return i;
}

void inspector_free(struct inspector *i)
{
	if (i == NULL)
		return;
	flow_done(&i->flows);
	pool_done(&i->pool);
	namer_free(i->namer);
	free(i->table_memory[0]);
	free(i->table_memory[1]);
	free(i->generations[0]);
	free(i->generations[1]);
	free(i->waiting);
	free(i->commands);
	free(i->command_free);
	free(i->packet_room);
	free(i->pdu_room);
	free(i->segment_room);
	free(i);
}

/* What is scarce is divided among the lanes in use; a capture has all of it. */
static void divide(struct inspector *i)
{
	bool whole = i->limits.as_captured;
	uint32_t used = 0;

	for (uint32_t n = 0; n < i->table.n_permits; n++) {
		uint32_t share = share_of(i->table.permits[n].lane);

		if (share != SHARE_OTHER)
			used |= 1u << share;
	}
	flow_divide(&i->flows, used, whole);
	pool_divide(&i->pool, used, whole);
	share_divide(WAIT_PACKETS, used, whole, i->waiting_part);
	budget_divide(i, used);
}

bool inspector_table(struct inspector *i, struct bytes image, uint8_t digest[32])
{
	unsigned next = 1u - i->table_now;
	struct command_table t;
	bool good = commands_decode(image, i->table_memory[next], i->limits.table_bytes, &t);

	if (good) {
		i->table = t;
		i->table_now = next;
		i->table_turn++;
		divide(i);
		for (uint32_t k = 0; k < t.n_permits; k++)
			i->generations[next][k] = (struct event_generation){ 0 };
	}
	memcpy(digest, i->table.digest, 32);
	return good;
}

void inspector_generations(struct inspector *i, struct event_generation now, struct bytes of_permits)
{
	i->generation = now;
	for (uint32_t k = 0; k < i->table.n_permits; k++) {
		struct event_generation g;

		i->generations[i->table_now][k] = event_generation_get(&of_permits, &g) ? g : now;
	}
}

/* Time only goes forward, also where a capture's stamps do not. */
static void turn_clock(struct inspector *i)
{
	uint64_t now = clock_mono().ns;

	if (now > i->now_ns)
		i->now_ns = now;
}

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

static void decide(struct crossing *x, enum outcome o, enum reason r)
{
	struct inspector_stats *s = &x->i->stats;

	s->reasons[r]++;
	if (o == OUTCOME_DROP)
		s->dropped++;
	else if (o == OUTCOME_CONFIRMED)
		s->confirmed++;
	else
		s->accepted++;
	outside_decide(x->p->queue, x->p->id, o, mark_permit(x->p->mark), r);
}

void crossing_accept(struct crossing *x, enum reason r)
{
	bool known = x->f != NULL && (x->f->kind == KIND_NAMED || x->f->kind == KIND_FREE);

	/* A lane for commands sees every packet of its flows, known or not. */
	decide(x, known && !crossing_has_commands_lane(x) ? OUTCOME_CONFIRMED : OUTCOME_ACCEPT, r);
}

void crossing_drop(struct crossing *x, enum reason r)
{
	decide(x, OUTCOME_DROP, r);
}

void crossing_refuse(struct crossing *x, enum reason r)
{
	if (crossing_is_observed(x)) {
		if (r != R_OUT_OF_ORDER)
			event_tell_drop(x, EV_OBSERVE, r);
		crossing_accept(x, R_OBSERVED);
		return;
	}
	if (r != R_OUT_OF_ORDER) /* a lost segment is no event */
		event_tell_drop(x, EV_DENY, r);
	crossing_drop(x, r);
}

/* ---- packets ----------------------------------------------------------------------------------------------------- */

/*
 * A segment that tracking calls invalid. Mostly the box has lost the session (it was off, or rebooted) and its ends have
 * not: both are reset, so that the client dials anew and the server's slot is free. Whether there is a live session after
 * all, out of whose windows the segment is, only the kernel knows; the gate asks. No flow is made for it: anybody can
 * send as many of these as he likes.
 */
static void drop_stray(struct crossing *x)
{
	x->dir = crossing_guess_dir(x);
	crossing_drop(x,
		      R_NO_SESSION); /* first: the gate sends a reset for a packet that was dropped, and for no other */
	if ((x->d.tcp_flags & TCP_RST) == 0)
		crossing_reset(x, true); /* by its own numbers; a flow that may be alive hears nothing of it */
}

static void cut(struct crossing *x)
{
	if (x->d.l4proto != IP_TCP) {
		crossing_drop(x, R_ENDED);
		return;
	}
	x->fi = flow_find(&x->i->flows, &x->d, &x->dir);
	if (x->fi == FLOW_NONE) {
		x->dir = crossing_guess_dir(x);
		/* Without room for it the cut is as good; only its event is missing. */
		if (crossing_try_flow(x, x->dir))
			x->f->waiting_pick_up = true; /* nothing is known but this packet's numbers */
	} else {
		x->f = flow_at(&x->i->flows, x->fi);
	}
	crossing_cut_flow(x, R_ENDED);
}

void inspector_cut(struct inspector *i, const struct cut_session *s, uint16_t queue)
{
	const struct packet none = { .queue = queue, .mark = mark_make(0, LANE_CUT, MARK_UNJUDGED) };
	struct crossing x = { .i = i,
			      .p = &none,
			      .d = { .src = s->client,
				     .dst = s->server,
				     .l4proto = IP_TCP,
				     .sport = s->client_port,
				     .dport = s->server_port },
			      .lane = LANE_CUT };

	turn_clock(i);
	x.fi = flow_find(&i->flows, &x.d, &x.dir);
	if (x.fi == FLOW_NONE)
		return;
	x.f = flow_at(&i->flows, x.fi);
	crossing_cut_idle(&x, R_ENDED);
}

void inspector_packet(struct inspector *i, const struct packet *p)
{
	struct crossing x = { .i = i, .p = p, .lane = mark_lane(p->mark), .fi = FLOW_NONE };
	enum checksum_rule rule = p->checksum_not_ready	  ? CHECKSUM_UNREADY
				  : i->limits.as_captured ? CHECKSUM_FLAG
							  : CHECKSUM_STRICT;
	enum reason r;

	turn_clock(i);
	i->stats.packets++;
	r = p->truncated ? R_TRUNCATED : decode_packet(p->ip, rule, &x.d);
	if (r != R_NONE) {
		/* What cannot be read is never let through, under observe neither. */
		event_tell_drop(&x, EV_DENY, r);
		crossing_drop(&x, r);
		return;
	}
	x.permit = commands_permit(&i->table, mark_permit(p->mark));
	if (p->mark == MARK_STRAY && x.d.l4proto == IP_TCP) {
		drop_stray(&x);
		return;
	}
	if (x.lane == LANE_CUT) {
		cut(&x);
		return;
	}
	if (x.permit == NULL) {
		event_tell_drop(&x, EV_DENY, R_UNKNOWN_PERMIT);
		crossing_drop(&x, R_UNKNOWN_PERMIT);
		return;
	}
	if (x.d.l4proto == IP_TCP)
		crossing_judge_tcp(&x);
	else
		crossing_judge_datagram(&x);
}

/* ---- clock work -------------------------------------------------------------------------------------------------- */

uint64_t inspector_tick(struct inspector *i)
{
	uint64_t due = UINT64_MAX, next[5];

	turn_clock(i);
	wait_expire(i);
	again_send_due(i);
	counts_write_due(i);
	for (unsigned n = 0; n < TICK_FLOWS; n++) {
		uint32_t fi = flow_due(&i->flows, i->now_ns);

		if (fi == FLOW_NONE)
			break;
		flow_end(i, fi);
	}
	events_flush(i, false);
	next[0] = wait_next_due(i);
	next[1] = counts_next_due(i);
	next[2] = flow_next_due(&i->flows);
	next[3] = events_next_due(i);
	next[4] = again_next_due(i);
	for (unsigned n = 0; n < 5; n++)
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
		if (flow_at(&i->flows, fi)->n > 0) {
			if (i->limits.as_captured)
				wait_give_up(i, fi);
			flow_end(i, fi);
		}
	events_flush(i, true);
}

void inspector_stats(const struct inspector *i, struct inspector_stats *ret)
{
	*ret = i->stats;
	ret->flows = flow_live(&i->flows);
	ret->flows_max = i->flows.size;
	ret->pool_used = (uint32_t)pool_used_bytes(&i->pool);
	ret->pool_bytes = i->limits.pool_bytes;
	for (uint32_t s = 0; s < SHARES; s++) {
		/* What nobody would miss is not counted. */
		ret->shares[s].flows =
			i->flows.in_share[s] - i->flows.lists[s][CLASS_ENDED].n - i->flows.lists[s][CLASS_NAMED].n;
		ret->shares[s].flows_part = i->flows.part[s];
		ret->shares[s].pool = i->pool.in_share[s] * POOL_BLOCK;
		ret->shares[s].pool_part = i->pool.part[s] * POOL_BLOCK;
	}
}
