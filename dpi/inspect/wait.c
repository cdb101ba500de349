/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/wait.h"

#include <stdlib.h>

#include "dpi/inspect/rules.h"

#define WAIT_NS 10000000ull  /* no packet is held longer */
#define WAIT_FLOW_PACKETS 8u /* held per flow */
#define WAIT_FLOW_BYTES (16u * 1024u)
#define WAIT_PACKETS 1024u	  /* held in all */
#define WAIT_HOLDER_PART 4u	  /* a holder may have 1/4 of its share's places */
#define WAIT_OBSERVED_PACKETS 64u /* packets held under observe, where packets are not dropped */
#define WAIT_OBSERVED_BYTES (512u * 1024u)

struct waiting {
	struct packet p;    /* `ip` is not valid; the bytes are in `bytes` */
	struct chain bytes; /* the packet from its IP header on */
	uint32_t flow;
	uint32_t seq, end;   /* first number of its payload, and first number after it */
	bool ahead;	     /* bytes before it were missing */
	uint32_t payload_at; /* offset of the payload in `bytes` */
	enum direction dir;
	uint64_t deadline_ns;
	uint32_t holder;       /* the holder of the place */
	uint32_t next;	       /* in its flow's list, or in the free list */
	uint32_t older, newer; /* by deadline */
};

struct waits {
	struct waiting places[WAIT_PACKETS];
	uint32_t free, oldest, newest;
	uint32_t in_share[SHARES], part[SHARES];
};

struct waits *waits_new(void)
{
	struct waits *w = calloc(1, sizeof(*w));

	for (uint32_t n = 0; w != NULL && n < WAIT_PACKETS; n++)
		w->places[n].next = n + 1 < WAIT_PACKETS ? n + 1 : SLOT_NONE;
	if (w != NULL) {
		w->oldest = w->newest = SLOT_NONE;
		waits_divide(w, 0, true);
	}
	return w;
}

void waits_free(struct waits *w)
{
	free(w);
}

void waits_divide(struct waits *w, uint32_t used, bool whole)
{
	share_divide(WAIT_PACKETS, used, whole, w->part);
}

uint64_t waits_next_due(const struct waits *w)
{
	return w->oldest == SLOT_NONE ? UINT64_MAX : w->places[w->oldest].deadline_ns;
}

static void waits_book(struct inspector *i, uint32_t holder, int32_t by)
{
	uint32_t share = i->flows.holders.holders[holder].share;

	i->waits->in_share[share] += (uint32_t)by;
	share_book(&i->flows.holders, holder, HELD_WAITS, by);
}

/* Takes a waiting packet out of all lists; its bytes go back into the pool. */
static void take_out(struct inspector *i, uint32_t w)
{
	struct waiting *me = &i->waits->places[w];
	struct flow *f = flow_at(&i->flows, me->flow);
	uint32_t *at = &f->wait.first;

	while (*at != w)
		at = &i->waits->places[*at].next;
	*at = me->next;
	f->wait.n--;
	f->wait.bytes -= me->bytes.bytes;
	if (me->older != SLOT_NONE)
		i->waits->places[me->older].newer = me->newer;
	else
		i->waits->oldest = me->newer;
	if (me->newer != SLOT_NONE)
		i->waits->places[me->newer].older = me->older;
	else
		i->waits->newest = me->older;
	chain_clear(&i->pool, &me->bytes);
	me->next = i->waits->free;
	i->waits->free = w;
	waits_book(i, me->holder, -1);
}

void wait_move(struct inspector *i, uint32_t fi)
{
	const struct flow *f = flow_at(&i->flows, fi);

	for (uint32_t w = f->wait.first; w != SLOT_NONE; w = i->waits->places[w].next) {
		waits_book(i, f->holder, 1);
		waits_book(i, i->waits->places[w].holder, -1);
		i->waits->places[w].holder = f->holder;
		chain_move(&i->pool, &i->waits->places[w].bytes, f->holder);
	}
}

/* ---- keeping a segment ---- */

/* Whether share and holder of the flow may have another place. */
static bool may_wait(const struct inspector *i, const struct flow *f)
{
	uint32_t part = i->waits->part[f->share];

	return i->waits->in_share[f->share] < part &&
	       i->flows.holders.holders[f->holder].held[HELD_WAITS] < 1u + part / WAIT_HOLDER_PART;
}

/* Whether this segment and a waiting one have the same bytes where they overlap. */
static bool waiting_agrees(const struct crossing *x, const struct waiting *w)
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

struct verdict wait_compare(struct crossing *x)
{
	const struct waiting *places = x->i->waits->places;

	for (uint32_t o = x->f->wait.first; o != SLOT_NONE; o = places[o].next) {
		if (!waiting_agrees(x, &places[o]))
			return end_flow(R_OVERLAP, PROTO_NONE);
		if (places[o].dir == x->dir && places[o].seq == x->d.seq && places[o].bytes.bytes == x->d.ip.left)
			return verdict_refuse(R_OUT_OF_ORDER); /* an exact repetition */
	}
	return go_on();
}

struct verdict wait_keep(struct crossing *x)
{
	struct inspector *i = x->i;
	struct flow *f = x->f;
	bool observed = crossing_is_observed(x);
	size_t size = x->d.ip.left;
	uint32_t w = i->waits->free;
	struct waiting *me;

	if (w == SLOT_NONE || !may_wait(i, f) || f->wait.n >= (observed ? WAIT_OBSERVED_PACKETS : WAIT_FLOW_PACKETS) ||
	    size > (observed ? WAIT_OBSERVED_BYTES : WAIT_FLOW_BYTES) - f->wait.bytes ||
	    !chain_append(&i->pool, &i->waits->places[w].bytes, x->d.ip))
		return go_on();
	me = &i->waits->places[w];
	i->waits->free = me->next;
	me->holder = f->holder;
	waits_book(i, me->holder, 1);
	me->p = *x->p;
	me->p.ip = bytes_of(NULL, 0);
	me->flow = x->fi;
	me->dir = x->dir;
	me->seq = x->d.seq;
	me->end = x->d.seq + (uint32_t)x->d.payload.left;
	me->ahead = seq_diff(me->seq, f->stream.dir[me->dir].next) > 0;
	me->payload_at = (uint32_t)(size - x->d.payload.left);
	me->deadline_ns = i->now_ns + WAIT_NS;
	me->next = f->wait.first;
	f->wait.first = w;
	f->wait.n++;
	f->wait.bytes += me->bytes.bytes;
	me->older = i->waits->newest;
	me->newer = SLOT_NONE;
	if (me->older != SLOT_NONE)
		i->waits->places[me->older].newer = w;
	else
		i->waits->oldest = w;
	i->waits->newest = w;
	crossing_touch(x);
	return verdict_of(STEP_KEEP, R_OUT_OF_ORDER);
}

/* ---- taking a segment out ---- */

bool wait_take_any(struct inspector *i, uint32_t fi, struct packet *ret)
{
	uint32_t w = flow_at(&i->flows, fi)->wait.first;

	if (w == SLOT_NONE)
		return false;
	*ret = i->waits->places[w].p;
	take_out(i, w);
	return true;
}

bool wait_take(struct inspector *i, uint32_t place, struct taken *ret)
{
	struct waiting *me = &i->waits->places[place];
	struct crossing *x = &ret->x;
	struct packet *p = &ret->p;
	size_t size = me->bytes.bytes;

	*p = me->p;
	ret->ahead = me->ahead;
	*x = (struct crossing){ .i = i, .p = p, .lane = mark_lane(p->mark), .fi = me->flow, .dir = me->dir };
	x->f = flow_at(&i->flows, me->flow);
	x->table = rules_table(i->rules);
	x->permit = commands_permit(x->table, mark_permit(p->mark));
	if (size <= PACKET_MAX)
		chain_copy(&i->pool, &me->bytes, 0, i->rooms.packet, size);
	p->ip = bytes_of(i->rooms.packet, size <= PACKET_MAX ? size : 0);
	take_out(i, place);
	/* The packet was complete and valid when it arrived. */
	if (decode_packet(p->ip, CHECKSUM_UNREADY, &x->d) != R_NONE)
		return false;
	return x->permit != NULL;
}

static bool waiting_ready(const struct waiting *w, const struct flow *f)
{
	const struct stream_dir *own = &f->stream.dir[w->dir];

	return own->known && seq_diff(w->seq, own->next) <= 0;
}

/* A waiting packet of this flow whose bytes have their turn. If the stream is not followed, any
 * waiting packet. */
uint32_t wait_ready(const struct inspector *i, uint32_t fi)
{
	const struct flow *f = flow_at(&i->flows, fi);
	uint32_t found = SLOT_NONE;

	for (uint32_t w = f->wait.first; w != SLOT_NONE; w = i->waits->places[w].next)
		if (f->waiting_pick_up || waiting_ready(&i->waits->places[w], f))
			found = w;
	return found;
}

uint32_t wait_overdue(const struct inspector *i, uint32_t *ret_fi)
{
	uint32_t w = i->waits->oldest;

	if (w == SLOT_NONE || i->waits->places[w].deadline_ns > i->now_ns)
		return SLOT_NONE;
	*ret_fi = i->waits->places[w].flow;
	return w;
}
