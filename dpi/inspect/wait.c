/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments that arrived before their predecessors. Mostly they pass at once: their receiver can read nothing of them before
 * the gap is filled, and what fills it is judged together with a copy of them. So the receiver says what it lacks, and its
 * sender repeats that alone and soon. A worker that dies takes the copies with it; where its successor would go on with a
 * session (when_midstream pick_up), or packets may pass without a worker, only whole allowed PDUs pass like this, and the
 * others are held: undecided, with a copy of its packet in the shared pool,
 * until the gap is filled or its time is over; then it is decided like any other, or dropped so that its sender repeats
 * it. A capture is read with more patience, because nothing in it will be repeated on our account.
 */
#include <string.h>

#include "dpi/inspect/core.h"

void wait_init(struct inspector *i)
{
	for (uint32_t n = 0; n < WAIT_PACKETS; n++)
		i->waiting[n].next = n + 1 < WAIT_PACKETS ? n + 1 : SLOT_NONE;
	i->wait_free = 0;
	i->wait_oldest = i->wait_newest = SLOT_NONE;
}

static void book(struct inspector *i, uint32_t holder, int32_t by)
{
	uint32_t share = i->flows.holders.holders[holder].share;

	i->waiting_in[share] += (uint32_t)by;
	share_book(&i->flows.holders, holder, HELD_WAITS, by);
}

/* Takes one out of all lists; its bytes go back into the pool. */
static void unlink_wait(struct inspector *i, uint32_t w)
{
	struct waiting *me = &i->waiting[w];
	struct flow *f = flow_at(&i->flows, me->flow);
	uint32_t *at = &f->first_wait;

	while (*at != w)
		at = &i->waiting[*at].next;
	*at = me->next;
	f->n_waits--;
	f->wait_bytes -= me->bytes.bytes;
	if (me->older != SLOT_NONE)
		i->waiting[me->older].newer = me->newer;
	else
		i->wait_oldest = me->newer;
	if (me->newer != SLOT_NONE)
		i->waiting[me->newer].older = me->older;
	else
		i->wait_newest = me->older;
	chain_clear(&i->pool, &me->bytes);
	me->next = i->wait_free;
	i->wait_free = w;
	book(i, me->holder, -1);
}

void wait_move(struct inspector *i, uint32_t fi)
{
	const struct flow *f = flow_at(&i->flows, fi);

	for (uint32_t w = f->first_wait; w != SLOT_NONE; w = i->waiting[w].next) {
		book(i, f->holder, 1);
		book(i, i->waiting[w].holder, -1);
		i->waiting[w].holder = f->holder;
		chain_move(&i->pool, &i->waiting[w].bytes, f->holder);
	}
}

/* A share has its part of the places, a holder a part of that. */
static bool may_wait(const struct inspector *i, const struct flow *f)
{
	uint32_t part = i->waiting_part[f->share];

	return i->waiting_in[f->share] < part &&
	       (i->limits.as_captured ||
		i->flows.holders.holders[f->holder].held[HELD_WAITS] < 1u + part / WAIT_HOLDER_PART);
}

/* Compares the bytes that two waiting segments both carry. */
static bool agrees(const struct crossing *x, const struct waiting *w)
{
	struct bytes mine = x->d.payload, both;
	uint32_t end = x->d.seq + (uint32_t)mine.left;
	uint32_t from = seq_diff(x->d.seq, w->seq) > 0 ? x->d.seq : w->seq;
	uint32_t to = seq_diff(end, w->end) < 0 ? end : w->end;

	if (x->dir != w->dir || seq_diff(to, from) <= 0)
		return true;
	bytes_skip(&mine, from - x->d.seq);
	bytes_take(&mine, to - from, &both);
	return !both.failed && chain_equal(&x->i->pool, &w->bytes, w->payload_at + (from - w->seq), both);
}

static void give_up(struct inspector *i, uint32_t w);

void crossing_hold(struct crossing *x)
{
	struct inspector *i = x->i;
	struct flow *f = x->f;
	bool capture = crossing_is_lenient(x);
	size_t size = x->d.ip.left;
	uint32_t w = i->wait_free;
	struct waiting *me;

	for (uint32_t o = f->first_wait; o != SLOT_NONE; o = i->waiting[o].next) {
		if (!agrees(x, &i->waiting[o])) {
			crossing_refuse_flow(x, R_OVERLAP, PROTO_NONE);
			return;
		}
		if (i->waiting[o].dir == x->dir && i->waiting[o].seq == x->d.seq && i->waiting[o].bytes.bytes == size) {
			crossing_refuse(x, R_OUT_OF_ORDER); /* the same one once more */
			return;
		}
	}
	if (i->limits.as_captured && !i->releasing && f->first_wait != SLOT_NONE &&
	    (w == SLOT_NONE || i->pool.used == i->pool.n || f->n_waits >= WAIT_CAPTURE_FLOW_PACKETS ||
	     size > WAIT_CAPTURE_FLOW_BYTES - f->wait_bytes)) {
		give_up(i, f->first_wait);
		crossing_follow(x);
		return;
	}
	if (w == SLOT_NONE || !may_wait(i, f) ||
	    f->n_waits >= (capture ? WAIT_CAPTURE_FLOW_PACKETS : WAIT_FLOW_PACKETS) ||
	    size > (capture ? WAIT_CAPTURE_FLOW_BYTES : WAIT_FLOW_BYTES) - f->wait_bytes ||
	    !chain_append(&i->pool, &i->waiting[w].bytes, x->d.ip)) {
		if (i->limits.as_captured)
			crossing_skip_gap(x);
		else if (capture)
			crossing_await_pick_up(x);
		else
			crossing_refuse(x, R_OUT_OF_ORDER);
		return;
	}
	me = &i->waiting[w];
	i->wait_free = me->next;
	me->holder = f->holder;
	book(i, me->holder, 1);
	me->p = *x->p;
	me->p.ip = bytes_of(NULL, 0);
	me->flow = x->fi;
	me->dir = x->dir;
	me->seq = x->d.seq;
	me->end = x->d.seq + (uint32_t)x->d.payload.left;
	me->ack = x->d.ack;
	me->acks = i->limits.as_captured && (x->d.tcp_flags & TCP_ACK);
	me->ahead = seq_diff(me->seq, f->stream.dir[me->dir].next) > 0;
	me->payload_at = (uint32_t)(size - x->d.payload.left);
	me->deadline_ns = i->now_ns + (i->limits.as_captured ? WAIT_CAPTURE_NS : WAIT_NS);
	me->next = f->first_wait;
	f->first_wait = w;
	f->n_waits++;
	f->wait_bytes += me->bytes.bytes;
	me->older = i->wait_newest;
	me->newer = SLOT_NONE;
	if (me->older != SLOT_NONE)
		i->waiting[me->older].newer = w;
	else
		i->wait_oldest = w;
	i->wait_newest = w;
	crossing_touch_flow(x);
}

/*
 * A session that ends when its worker dies takes along what is ahead of its gap. Where it goes on, whole allowed PDUs are what
 * a successor would let pass behind a pick-up. An end of the stream waits for what comes before it. Behind a SYN over the live
 * session a server that forgot it would read on from the number of that SYN, and see no gap.
 */
static bool may_pass_ahead(const struct crossing *x)
{
	struct lane lane;

	if (x->dir == DIR_C2S && x->f->stream.redialled && !crossing_is_observed(x))
		return false;
	if (x->i->limits.as_captured || x->f->adrift[x->dir] || x->d.payload.left == 0 || (x->d.tcp_flags & TCP_FIN))
		return false;
	return crossing_is_observed(x) ||
	       (lane_of(x->permit->lane, &lane) && lane.when_down == FAIL_CLOSED &&
		lane.when_overloaded == FAIL_CLOSED && x->permit->midstream != MID_PICK_UP) ||
	       commands_allow_each(x, x->d.payload);
}

void crossing_take_ahead(struct crossing *x)
{
	enum runs_answer a = RUNS_NO_ROOM;

	if (may_pass_ahead(x))
		a = runs_add(&x->f->stream.dir[x->dir].runs, &x->i->pool, x->d.seq, x->d.payload);
	if (a == RUNS_DIFFER) {
		crossing_refuse_flow(x, R_OVERLAP, PROTO_NONE);
	} else if (a == RUNS_KEPT) {
		crossing_touch_flow(x);
		crossing_accept(x, R_AHEAD);
	} else {
		crossing_hold(x);
	}
}

/* Makes a crossing of a waiting packet, whose bytes go to packet_room, and takes it out. False when its permit is gone. */
static bool take(struct inspector *i, uint32_t w, struct packet *p, struct crossing *x)
{
	struct waiting *me = &i->waiting[w];
	size_t size = me->bytes.bytes;
	bool acks = me->acks;

	*p = me->p;
	*x = (struct crossing){ .i = i, .p = p, .lane = mark_lane(p->mark), .fi = me->flow, .dir = me->dir };
	x->f = flow_at(&i->flows, me->flow);
	x->permit = commands_permit(&i->table, mark_permit(p->mark));
	if (size <= PACKET_MAX)
		chain_copy(&i->pool, &me->bytes, 0, i->packet_room, size);
	p->ip = bytes_of(i->packet_room, size <= PACKET_MAX ? size : 0);
	unlink_wait(i, w);
	/* It was whole and good when it came in, or a capture's checksums are only noted. */
	if (decode_packet(p->ip, i->limits.as_captured ? CHECKSUM_FLAG : CHECKSUM_UNREADY, &x->d) != R_NONE)
		return false;
	if (i->limits.as_captured && !acks) /* see read_on */
		x->d.tcp_flags &= (uint8_t)~TCP_ACK;
	return x->permit != NULL;
}

static bool ready(const struct waiting *w, const struct flow *f)
{
	const struct stream_dir *own = &f->stream.dir[w->dir];
	const struct stream_dir *peer = &f->stream.dir[w->dir == DIR_C2S ? DIR_S2C : DIR_C2S];

	return own->known && seq_diff(w->seq, own->next) <= 0 &&
	       (!w->acks || !peer->known || seq_diff(w->ack, peer->next) <= 0 ||
		w->ack - peer->next > STREAM_AHEAD_MAX);
}

/* The one that came first of those that nothing is missing for; of a stream that is not followed, any. */
static uint32_t in_order(const struct inspector *i, const struct flow *f)
{
	uint32_t found = SLOT_NONE;

	for (uint32_t w = f->first_wait; w != SLOT_NONE; w = i->waiting[w].next)
		if (f->waiting_pick_up || ready(&i->waiting[w], f))
			found = w;
	return found;
}

void wait_release(struct inspector *i, uint32_t fi, enum direction dir, uint32_t frame)
{
	struct flow *f = flow_at(&i->flows, fi);
	uint32_t filled[2] = { 0 }; /* the last frame that was needed, by direction */
	struct packet p;
	struct crossing x;
	uint32_t w;

	if (i->releasing)
		return;
	i->releasing = true;
	filled[dir] = frame;
	while ((w = in_order(i, f)) != SLOT_NONE) {
		struct waiting *me = &i->waiting[w];

		/* Its bytes reach the receiver when the gap is filled, not when they arrived. */
		if (me->ahead && me->p.frame < filled[me->dir])
			me->p.frame = filled[me->dir];
		filled[me->dir] = me->p.frame;
		if (!take(i, w, &p, &x))
			crossing_drop(&x, R_UNKNOWN_PERMIT);
		else if (crossing_relabel_flow(&x))
			crossing_follow(&x);
	}
	i->releasing = false;
}

void wait_drop(struct inspector *i, uint32_t fi, enum reason r)
{
	struct flow *f = flow_at(&i->flows, fi);

	while (f->first_wait != SLOT_NONE) {
		const struct waiting *me = &i->waiting[f->first_wait];
		struct packet p = me->p;
		struct crossing x = { .i = i, .p = &p, .lane = mark_lane(p.mark), .fi = fi, .f = f, .dir = me->dir };

		x.permit = commands_permit(&i->table, mark_permit(p.mark));
		unlink_wait(i, f->first_wait);
		if (crossing_is_observed(&x) || f->kind == KIND_NAMED || f->kind == KIND_FREE)
			crossing_accept(&x, crossing_is_observed(&x) ? R_OBSERVED : R_ALLOWED);
		else
			crossing_drop(&x, r);
	}
}

/* Reading a capture: what this one waits for was never captured. Moves its flow on by one step, to the next bytes there are. */
static void read_on(struct inspector *i, struct flow *f, uint32_t w)
{
	struct waiting *me = &i->waiting[w];
	enum direction peer = me->dir == DIR_C2S ? DIR_S2C : DIR_C2S;
	uint32_t to = me->ack;

	if (seq_diff(me->seq, f->stream.dir[me->dir].next) > 0) {
		flow_skip(i, f, me->dir, me->seq);
		return;
	}
	for (uint32_t o = f->first_wait; o != SLOT_NONE; o = i->waiting[o].next)
		if (i->waiting[o].dir == peer && seq_diff(i->waiting[o].seq, to) < 0)
			to = i->waiting[o].seq;
	if (me->acks && seq_diff(to, f->stream.dir[peer].next) > 0)
		flow_skip(i, f, peer, to);
	else
		me->acks = false; /* each acknowledges the other: one of them lies */
}

/* The time of one is over. A capture is read on at the first of its direction. */
static void give_up(struct inspector *i, uint32_t w)
{
	uint32_t fi = i->waiting[w].flow;
	struct flow *f = flow_at(&i->flows, fi);
	struct packet p;
	struct crossing x;

	if (i->limits.as_captured && !f->waiting_pick_up) {
		for (uint32_t o = f->first_wait; o != SLOT_NONE; o = i->waiting[o].next)
			if (i->waiting[o].dir == i->waiting[w].dir &&
			    seq_diff(i->waiting[o].seq, i->waiting[w].seq) < 0)
				w = o;
		read_on(i, f, w);
		wait_release(i, fi, DIR_C2S, 0);
		return;
	}
	if (!take(i, w, &p, &x))
		crossing_drop(&x, R_UNKNOWN_PERMIT);
	else if (crossing_is_lenient(&x)) {
		crossing_await_pick_up(&x);
	} else {
		crossing_note_given_up(&x);
		crossing_drop(&x, R_OUT_OF_ORDER);
	}
	wait_release(i, fi, x.dir, p.frame);
}

void wait_expire(struct inspector *i)
{
	while (i->wait_oldest != SLOT_NONE && i->waiting[i->wait_oldest].deadline_ns <= i->now_ns)
		give_up(i, i->wait_oldest);
}

void wait_give_up(struct inspector *i, uint32_t fi)
{
	struct flow *f = flow_at(&i->flows, fi);

	while (f->first_wait != SLOT_NONE)
		give_up(i, f->first_wait);
}

uint64_t wait_next_due(const struct inspector *i)
{
	return i->wait_oldest == SLOT_NONE ? UINT64_MAX : i->waiting[i->wait_oldest].deadline_ns;
}
