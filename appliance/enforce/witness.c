/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is expected is written here from the policy language and the meaning of marks and lanes (wire/mark.h, wire/lane.h),
 * not from the rules: what no conduit allows never passes; what one allows carries its permit and goes to its lane, and
 * behind the lane's queue the outcome decides; whoever comes by a wrong way, or without a session, gets nowhere.
 */
#include "appliance/enforce/witness.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/walk.h"
#include "appliance/wire/lane.h"
#include "policy/ir/evaluate.h"

#define TOLD_MAX 8u  /* counterexamples of one kind */
#define TIME_NEAR 3u /* seconds around an end in which either answer is right */
#define TCP 6u
#define UDP 17u
#define FIN 1u
#define SYN 2u
#define RST 4u
#define ACK 16u

struct asking {
	struct witness *w;
	const struct ruleset *r;
	witness_each *each;
	void *ctx;
	uint64_t random, deadline;
	unsigned told;
};

/* One question: a tuple, and where it comes in and goes out (positions of interfaces in the policy). */
struct tuple {
	uint32_t in, out;
	struct addr src, dst;
	uint8_t l4proto;
	uint16_t port;
};

static uint32_t pick(struct asking *a, uint32_t n)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 7;
	a->random ^= a->random << 17;
	return n == 0 ? 0 : (uint32_t)(a->random % n);
}

static bool over(const struct asking *a)
{
	return a->told >= TOLD_MAX || (a->deadline != 0 && clock_mono().ns > a->deadline);
}

static const char *transport(uint8_t l4proto, char buf[8])
{
	if (l4proto == TCP)
		return "tcp";
	if (l4proto == UDP)
		return "udp";
	if (l4proto == 1 || l4proto == 58)
		return "icmp";
	snprintf(buf, 8, "%u", l4proto);
	return buf;
}

static void tell(struct asking *a, const struct tuple *t, const char *kind, const char *what,
		 const struct walk_result *r)
{
	static const char *const ends[] = { "accept", "drop", "queue", "?" };
	char src[ADDR_TEXT], dst[ADDR_TEXT], number[8], text[300];
	const struct ir *ir = a->w->ir;

	addr_text(&t->src, src);
	addr_text(&t->dst, dst);
	snprintf(text, sizeof(text), "%s -> %s %s %s -> %s:%u (%s): chain %s: %s", ir->interfaces[t->in].name,
		 ir->interfaces[t->out].name, transport(t->l4proto, number), src, dst, t->port, kind,
		 r->chain != NULL ? r->chain : "-", ends[r->end]);
	a->told++;
	a->each(a->ctx, what, text);
}

static struct walk_packet packet(const struct asking *a, const struct tuple *t)
{
	return (struct walk_packet){
		.iif = a->w->interfaces[t->in],
		.oif = a->w->interfaces[t->out],
		.src = t->src,
		.dst = t->dst,
		.l4proto = t->l4proto,
		.sport = 40000,
		.dport = t->port,
		.tcp_flags = SYN,
		.hop_limit = 63,
		.routed = true,
		.first_src = t->src,
		.first_dst = t->dst,
		.first_port = t->port,
	};
}

/* A later packet of the session that `p` opened, in either direction. */
static struct walk_packet later(const struct walk_packet *p, bool reply, uint32_t ct_mark)
{
	struct walk_packet q = *p;
	bool ports = p->l4proto == TCP || p->l4proto == UDP;

	q.state = WALK_ESTABLISHED;
	q.tcp_flags = ACK;
	q.mark = 0;
	q.ct_mark = ct_mark;
	q.reply = reply;
	if (reply) {
		q.iif = p->oif;
		q.oif = p->iif;
		q.src = p->dst;
		q.dst = p->src;
		q.sport = ports ? p->dport : 0;
		q.dport = ports ? p->sport : p->l4proto == 58 ? 129u << 8 : 0; /* ICMP: an echo answer */
	}
	return q;
}

/* From the wire to the queue, or through. */
static struct walk_result forward(const struct asking *a, struct walk_packet *p)
{
	struct walk_result r = walk(a->r, NF_INET_PRE_ROUTING, INT32_MIN, p);

	a->w->packets++;
	return r.end == WALK_ACCEPT ? walk(a->r, NF_INET_FORWARD, INT32_MIN, p) : r;
}

static bool is_cut(const struct walk_result *r)
{
	return r->end == WALK_QUEUE && r->queue == lane_queue(LANE_CUT, 0) && !r->bypass;
}

/* Neither forwarded nor shown to a worker as something of a lane: the cut queue only resets. */
static bool is_refused(const struct walk_result *r)
{
	return r->end == WALK_DROP || is_cut(r);
}

static bool is_lane(const struct asking *a, const struct walk_result *r, uint32_t lane)
{
	struct lane l;

	return r->end == WALK_QUEUE && lane_of(lane, &l) && r->queue == lane_queue(lane, 0) &&
	       r->queues == a->w->ir->workers && r->bypass == (l.when_down != FAIL_CLOSED);
}

static void expect_refused(struct asking *a, const struct tuple *t, const char *kind, struct walk_packet p)
{
	struct walk_result r = forward(a, &p);

	if (!is_refused(&r))
		tell(a, t, kind, "passes", &r);
}

/* ---- behind the queue --------------------------------------------------------------------------------------------- */

/* The packet comes back with a mark, and the base chains after the one that queued it decide. */
static struct walk_result resumed(const struct asking *a, struct walk_packet p, const struct walk_result *queued,
				  uint32_t mark)
{
	struct walk_result r;

	p.mark = mark;
	a->w->packets++;
	r = walk(a->r, NF_INET_FORWARD, queued->priority, &p);
	/* Judged once more when its permit had changed: the second answer counts. */
	if (r.end == WALK_QUEUE)
		r = walk(a->r, NF_INET_FORWARD, r.priority, (p.mark = mark, &p));
	return r;
}

static void behind_queue(struct asking *a, const struct tuple *t, const struct walk_packet *p,
			 const struct walk_result *queued, uint32_t id, uint32_t lane)
{
	struct walk_result r;
	struct walk_packet live = *p;
	struct lane l;

	for (uint32_t o = MARK_GOOD; o <= MARK_CONFIRMED; o++) {
		r = resumed(a, *p, queued, mark_make(id, 0, (enum mark_outcome)o));
		if (r.end != WALK_ACCEPT)
			tell(a, t, "judged good", "refused", &r);
	}
	r = resumed(a, *p, queued, mark_make(id ^ 0x200000u, 0, MARK_GOOD));
	if (r.end == WALK_ACCEPT)
		tell(a, t, "judged by another permit", "passes", &r);
	r = resumed(a, *p, queued, mark_make(id, 0, (enum mark_outcome)3));
	if (r.end == WALK_ACCEPT)
		tell(a, t, "an outcome that there is not", "passes", &r);
	if (!lane_of(lane, &l))
		return;
	/* Nobody answered: the new one, then one of a session that was judged before. */
	r = resumed(a, *p, queued, p->mark);
	if ((r.end == WALK_ACCEPT) != (lane_unanswered(l) == FAIL_OPEN))
		tell(a, t, "new, unanswered", r.end == WALK_ACCEPT ? "passes" : "refused", &r);
	live.state = WALK_ESTABLISHED;
	live.ct_mark = mark_make(id, lane, MARK_GOOD);
	r = resumed(a, live, queued, p->mark);
	if ((r.end == WALK_ACCEPT) != (lane_unanswered(l) != FAIL_CLOSED))
		tell(a, t, "live, unanswered", r.end == WALK_ACCEPT ? "passes" : "refused", &r);
}

/* ---- a session that the policy allows ----------------------------------------------------------------------------- */

/* Which way its packets have to take. */
static void expect_way(struct asking *a, const struct tuple *t, const char *kind, struct walk_packet p, uint32_t lane,
		       bool fast)
{
	struct walk_result r = forward(a, &p);

	if (fast ? r.end == WALK_ACCEPT : is_lane(a, &r, lane))
		return;
	tell(a, t, kind, is_refused(&r) ? "refused" : "otherwise", &r);
}

/* What tracking remembers of a session that is as it should be: nobody ever judges what no worker sees. */
static uint32_t live_mark(uint32_t id, uint32_t lane)
{
	return mark_make(id, lane, lane == LANE_NONE ? MARK_UNJUDGED : MARK_GOOD);
}

static void live_session(struct asking *a, const struct tuple *t, const struct walk_packet *p, uint32_t id,
			 uint32_t lane)
{
	bool naming = false;
	struct walk_packet q;
	struct lane l;

	if (lane_of(lane, &l))
		naming = l.kind == LANE_NAMING;
	for (int reply = 0; reply < 2; reply++) {
		q = later(p, reply != 0, live_mark(id, lane));
		expect_way(a, t, reply ? "answer" : "live", q, lane, lane == LANE_NONE);
		q = later(p, reply != 0, mark_make(id, lane, MARK_CONFIRMED));
		if (lane != LANE_NONE)
			expect_way(a, t, reply ? "answer, confirmed" : "live, confirmed", q, lane, naming);
		/* The same by every other way in. */
		for (uint32_t i = 0; i < a->w->ir->n_interfaces; i++) {
			q = later(p, reply != 0, live_mark(id, lane));
			if (a->w->interfaces[i] == 0 || a->w->interfaces[i] == q.iif)
				continue;
			q.iif = a->w->interfaces[i];
			expect_refused(a, t, "live, by a wrong interface", q);
		}
	}
	/* Its permit has ended, the policy allows it all the same: relabelled. */
	q = later(p, false, live_mark(0x3ffff0u, lane));
	expect_way(a, t, "relabelled", q, lane, lane == LANE_NONE);
}

static void allowed(struct asking *a, const struct tuple *t, const struct ir_cell *cell)
{
	uint32_t id = a->w->ids[cell->permit], lane = a->w->ir->permits[cell->permit].lane;
	struct walk_packet first = packet(a, t), p = first, q;
	struct walk_result r = forward(a, &p);
	bool right = lane == LANE_NONE ? r.end == WALK_ACCEPT : is_lane(a, &r, lane) && mark_permit(p.mark) == id;

	if (!right || mark_permit(p.ct_mark) != id || mark_lane(p.ct_mark) != lane) {
		tell(a, t, "new", is_refused(&r) ? "refused" : "otherwise", &r);
		return;
	}
	if (r.end == WALK_QUEUE)
		behind_queue(a, t, &p, &r, id, lane);
	live_session(a, t, &first, id, lane);
	q = first;
	q.routed = false;
	if (t->src.family == 6 || t->l4proto == TCP)
		expect_refused(a, t, "forged source", q);
	q = first;
	q.options = true;
	expect_refused(a, t, "options", q);
	if (t->l4proto != TCP)
		return;
	for (uint32_t flags = 0; flags < 32; flags++) {
		q = first;
		q.tcp_flags = (uint8_t)flags;
		if ((flags & (FIN | SYN | RST | ACK)) != SYN)
			expect_refused(a, t, "no SYN", q);
	}
	q = first;
	q.state = WALK_INVALID;
	q.tcp_flags = ACK;
	expect_refused(a, t, "no session", q);
}

static void refused(struct asking *a, const struct tuple *t)
{
	struct walk_packet first = packet(a, t), q;

	expect_refused(a, t, "new", first);
	/* A session of a permit that ended, and one whose permit is live, but which is not what that permit is about. */
	q = later(&first, false, mark_make(0x3ffff0u, LANE_NONE, MARK_CONFIRMED));
	expect_refused(a, t, "permit ended", q);
	q = later(&first, true, mark_make(0x3ffff0u, LANE_NONE, MARK_CONFIRMED));
	expect_refused(a, t, "permit ended, answer", q);
	q = first;
	q.state = WALK_INVALID;
	q.tcp_flags = ACK;
	expect_refused(a, t, "no session", q);
	q = first;
	q.mark = MARK_FAST; /* a mark that a packet brings along never counts */
	expect_refused(a, t, "marked before", q);
}

static bool is_error(const struct tuple *t)
{
	uint8_t type = (uint8_t)(t->port >> 8);

	if (t->l4proto == 58)
		return type < 128;
	return t->l4proto == 1 && (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

static void ask(struct asking *a, const struct tuple *t)
{
	const struct ir *ir = a->w->ir;
	struct question q = {
		.iif = ir->interfaces[t->in].name,
		.oif = ir->interfaces[t->out].name,
		.source = t->src,
		.destination = t->dst,
		.l4proto = t->l4proto,
		.port = t->port,
	};
	const struct ir_cell *now, *before, *after;

	if (t->src.family != t->dst.family || a->w->interfaces[t->in] == 0 || a->w->interfaces[t->out] == 0 || over(a))
		return;
	q.now = a->w->now;
	now = evaluate_ir(ir, &q);
	q.now = a->w->now > TIME_NEAR ? a->w->now - TIME_NEAR : 0;
	before = evaluate_ir(ir, &q);
	q.now = a->w->now + TIME_NEAR;
	after = evaluate_ir(ir, &q);
	if (now != before || now != after)
		return;
	/* Errors are no sessions, whatever a conduit says of their numbers: errors() asks about them. */
	if (now != NULL && is_error(t))
		return;
	if (now != NULL)
		allowed(a, t, now);
	else
		refused(a, t);
	if (a->w->between != NULL)
		a->w->between(a->w->between_ctx);
}

/* ---- which packets ------------------------------------------------------------------------------------------------ */

/* One less or one more; false where there is none. */
static bool beside(const struct addr *x, bool up, struct addr *ret)
{
	*ret = *x;
	for (size_t i = addr_len(x->family); i > 0; i--) {
		ret->b[i - 1] = (uint8_t)(ret->b[i - 1] + (up ? 1 : 0xff));
		if (ret->b[i - 1] != (up ? 0 : 0xff))
			return true;
	}
	return false;
}

static void port_edges(struct asking *a, struct tuple t, uint16_t lo, uint16_t hi)
{
	t.port = hi;
	ask(a, &t);
	if (hi < UINT16_MAX) {
		t.port = (uint16_t)(hi + 1);
		ask(a, &t);
	}
	t.port = lo;
	ask(a, &t);
	if (lo > 0) {
		t.port = (uint16_t)(lo - 1);
		ask(a, &t);
	}
}

/* At, and one beside, every edge of a box of packets; then with another protocol and by other interfaces. */
static void edges(struct asking *a, const struct tuple *lowest, const struct addr *src_hi, const struct addr *dst_hi,
		  uint16_t port_hi)
{
	static const uint8_t protocols[] = { TCP, UDP, 1, 58, 47, 132 };
	struct tuple t = *lowest;

	port_edges(a, t, lowest->port, port_hi);
	if (beside(&lowest->src, false, &t.src))
		ask(a, &t);
	if (beside(src_hi, true, &t.src))
		ask(a, &t);
	t.src = *src_hi;
	ask(a, &t);
	if (beside(&lowest->dst, false, &t.dst))
		ask(a, &t);
	if (beside(dst_hi, true, &t.dst))
		ask(a, &t);
	t.dst = *dst_hi;
	ask(a, &t);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		t = *lowest;
		t.l4proto = protocols[i];
		if ((t.l4proto == 1 && t.src.family == 6) || (t.l4proto == 58 && t.src.family == 4))
			continue;
		ask(a, &t);
	}
	for (uint32_t i = 0; i < a->w->ir->n_interfaces; i++) {
		t = *lowest;
		t.in = i;
		ask(a, &t);
		t = *lowest;
		t.out = i;
		ask(a, &t);
	}
	/* The way back as if it were a way there. */
	t = *lowest;
	t.in = lowest->out;
	t.out = lowest->in;
	t.src = lowest->dst;
	t.dst = lowest->src;
	ask(a, &t);
}

static void cells(struct asking *a)
{
	const struct ir *ir = a->w->ir;
	uint32_t start = pick(a, ir->n_cells);

	for (uint32_t i = 0; i < ir->n_cells && !over(a); i++) {
		const struct ir_cell *c = &ir->cells[(start + i) % ir->n_cells];
		struct tuple t = { c->iif, c->oif, c->src.lo, c->dst.lo, c->l4proto, c->lo };

		edges(a, &t, &c->src.hi, &c->dst.hi, c->hi);
	}
}

static bool position(const struct asking *a, const uint8_t *key, uint32_t *ret)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	for (uint32_t i = 0; i < a->w->ir->n_interfaces; i++)
		if (a->w->interfaces[i] == index && index != 0) {
			*ret = i;
			return true;
		}
	return false;
}

/* Whatever stands in the kernel's maps is asked as well: an element that no cell explains is an edge of its own. */
static void elements(struct asking *a)
{
	for (size_t s = 0; s < a->r->n_sets; s++) {
		const struct set_read *set = &a->r->sets[s];
		size_t n = set->key_len == 24 ? 4 : 16;
		size_t start = pick(a, (uint32_t)set->n);

		if (!set->map || (set->key_len != 24 && set->key_len != 48))
			continue;
		for (size_t i = 0; i < set->n && !over(a); i++) {
			const struct element_read *e = &set->list[(start + i) % set->n];
			struct addr hi[2] = { { .family = n == 4 ? 4 : 6 }, { .family = n == 4 ? 4 : 6 } };
			struct tuple t = { .src = hi[0], .dst = hi[0], .l4proto = e->key[8 + 2 * n] };

			if (!position(a, e->key, &t.in) || !position(a, e->key + 4, &t.out))
				continue;
			memcpy(t.src.b, e->key + 8, n);
			memcpy(t.dst.b, e->key + 8 + n, n);
			memcpy(hi[0].b, e->key_end + 8, n);
			memcpy(hi[1].b, e->key_end + 8 + n, n);
			t.port = (uint16_t)(e->key[12 + 2 * n] << 8 | e->key[13 + 2 * n]);
			edges(a, &t, &hi[0], &hi[1], (uint16_t)(e->key_end[12 + 2 * n] << 8 | e->key_end[13 + 2 * n]));
		}
	}
}

/* Nobody reaches the box itself, and it opens nothing. */
static void box_itself(struct asking *a)
{
	static const uint8_t protocols[] = { TCP, UDP, 47, 132 };

	for (uint32_t i = 0; i < a->w->ir->n_interfaces && !over(a); i++)
		for (size_t k = 0; k < 2 * sizeof(protocols); k++) {
			bool six = k >= sizeof(protocols);
			struct addr x = { .family = six ? 6 : 4, .b = { 10, 1, 2, 3 } };
			struct tuple t = { i, i, x, x, protocols[k % sizeof(protocols)], 22 };
			struct walk_packet p = packet(a, &t), q = p;
			struct walk_result r = walk(a->r, NF_INET_PRE_ROUTING, INT32_MIN, &p);

			if (a->w->interfaces[i] == 0)
				continue;
			if (r.end == WALK_ACCEPT)
				r = walk(a->r, NF_INET_LOCAL_IN, INT32_MIN, &p);
			if (r.end != WALK_DROP)
				tell(a, &t, "to the box itself", "passes", &r);
			r = walk(a->r, NF_INET_LOCAL_OUT, INT32_MIN, &q);
			if (r.end != WALK_DROP)
				tell(a, &t, "from the box itself", "passes", &r);
			a->w->packets += 2;
		}
}

/* Errors about live sessions pass, but for those types that nobody needs and those from where their source is not. */
static void errors(struct asking *a)
{
	static const struct {
		uint8_t family, l4proto, type;
		bool passes;
	} kinds[] = { { 4, 1, 3, true },  { 4, 1, 11, true },  { 4, 1, 12, true },   { 4, 1, 4, false },
		      { 4, 1, 5, false }, { 6, 58, 1, true },  { 6, 58, 2, true },   { 6, 58, 3, true },
		      { 6, 58, 4, true }, { 6, 58, 0, false }, { 6, 58, 100, false } };

	for (uint32_t c = 0; c < a->w->ir->n_cells && c < 64 && !over(a); c++) {
		const struct ir_cell *cell = &a->w->ir->cells[c];
		const struct ir_permit *permit = &a->w->ir->permits[cell->permit];
		struct tuple t = { cell->oif, cell->iif, cell->dst.lo, cell->src.lo, 0, 0 };

		if (a->w->interfaces[t.in] == 0 || a->w->interfaces[t.out] == 0 || permit->until != 0)
			continue;
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			struct walk_packet p, forged;
			struct walk_result r;

			if (kinds[k].family != t.src.family)
				continue;
			t.l4proto = kinds[k].l4proto;
			t.port = (uint16_t)(kinds[k].type << 8);
			p = packet(a, &t);
			p.state = WALK_RELATED;
			p.reply = true;
			p.ct_mark = live_mark(a->w->ids[cell->permit], permit->lane);
			forged = p;
			forged.routed = false;
			r = forward(a, &p);
			if ((r.end == WALK_ACCEPT) != kinds[k].passes)
				tell(a, &t, "error", kinds[k].passes ? "refused" : "passes", &r);
			expect_refused(a, &t, "error, forged", forged);
		}
	}
}

void witness_ask(struct witness *w, const struct ruleset *r, witness_each *each, void *ctx)
{
	struct asking a = {
		.w = w,
		.r = r,
		.each = each,
		.ctx = ctx,
		.random = w->seed | 1,
		.deadline = w->limit_ns == 0 ? 0 : clock_mono().ns + w->limit_ns,
	};

	w->packets = 0;
	box_itself(&a);
	errors(&a);
	elements(&a);
	cells(&a);
}
