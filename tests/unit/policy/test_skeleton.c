/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: policy/ir/evaluate.c
 * LINK: $(COMPILER_PARTS) tests/unit/kernel/rule_box.c policy/ir/elements.c policy/ir/skeleton/%.c
 * LINK: policy/ir/names.c appliance/wire/reason.c
 * LIBS: nettle
 */
/* Packets through a model of the rules: every rule of the skeleton that matters to an attacker is
 * tried here. */
#include "policy/ir/evaluate.h"
#include "policy/ir/limits.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/wire/lasting.h"
#include "policy/ir/lasting.h"
#include "tests/unit/kernel/rule_box.h"
#include "tests/unit/policy/model_make.h"

#define SYN 2u
#define ACK 16u
#define RST 4u

enum { LAN0, LAN1, LAN2, LAN3, WAN0 };

struct world {
	struct model_maker k;
	struct box_rules b;
	uint32_t ids[256];
};

static void world_rules(struct world *w)
{
	w->b.lanes = ir_lanes(w->k.c.ir);
	struct ir_limits limits = { .n = 0 };

	ir_limits_add_all(&limits, w->k.c.ir);
	w->b.n_rules = ir_skeleton(w->b.lanes | ir_lasting_lanes(w->k.c.ir), ir_maps(w->k.c.ir), &limits, w->k.arena,
				   &w->b.rules);
	w->b.n_elements = ir_elements(w->k.c.ir, w->ids, w->k.arena, &w->b.elements);
	w->b.now = 1000;
	assert_true(w->b.n_rules > 0);
}

static void world_open(struct world *w)
{
	memset(w, 0, sizeof(*w));
	maker_init(&w->k);
	maker_site(&w->k);
	assert_true(maker_lower(&w->k));
	for (uint32_t i = 0; i < w->k.c.ir->n_permits; i++)
		w->ids[i] = 100 + i;
	world_rules(w);
}

static struct box_packet packet(struct box_flow *f, uint32_t iif, uint32_t oif, const char *src, const char *dst,
				uint8_t proto, uint16_t port)
{
	struct box_packet p = { .iif = iif,
				.oif = oif,
				.l4proto = proto,
				.sport = 40000,
				.dport = port,
				.tcp_flags = SYN,
				.hop_limit = 64,
				.flow = f };

	assert_true(addr_parse(src, &p.src));
	assert_true(addr_parse(dst, &p.dst));
	*f = (struct box_flow){ .state = CT_NEW, .src = p.src, .dst = p.dst, .l4proto = proto, .port = port };
	return p;
}

/* The next packet of the same session. */
static struct box_packet next(const struct box_packet *p, uint8_t direction)
{
	struct box_packet q = *p;

	q.direction = direction;
	q.tcp_flags = ACK;
	q.mark = 0;
	q.flow->state = CT_ESTABLISHED;
	if (direction == 1) {
		q.iif = p->oif;
		q.oif = p->iif;
		q.src = p->dst;
		q.dst = p->src;
		q.sport = p->dport;
		q.dport = p->sport;
	}
	return q;
}

static struct box_result forward(struct world *w, struct box_packet *p)
{
	return box_run(&w->b, CHAIN_FORWARD, p);
}

/* What the gate's verdict sets: the permit that was judged, and the outcome. */
static struct box_result judged(struct world *w, struct box_packet *p, enum mark_outcome o)
{
	struct box_result r;

	p->mark = mark_make(mark_permit(p->mark), 0, o);
	r = box_run(&w->b, CHAIN_POST, p);
	/* A packet that this chain accepts goes through the next chain as well. */
	return r.verdict == BOX_ACCEPT ? box_run(&w->b, CHAIN_LAST, p) : r;
}

/* As `judged`, after the packet was queued a second time. */
static struct box_result judged_again(struct world *w, struct box_packet *p, enum mark_outcome o)
{
	p->mark = mark_make(mark_permit(p->mark), 0, o);
	return box_run(&w->b, CHAIN_LAST, p);
}

static void expect_drop(struct box_result r, enum reason reason)
{
	assert_int_equal(r.verdict, BOX_DROP);
	assert_string_equal(reason_word(r.reason), reason_word(reason));
}

static void new_packets_agree_with_cells(void **state)
{
	const char *given = getenv("SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL), through = 0;

	(void)state;
	print_message("SEED=%u\n", seed);
	for (int round = 0; round < 60; round++) {
		struct world w;

		memset(&w, 0, sizeof(w));
		maker_init(&w.k);
		maker_random(&w.k, &seed);
		assert_true(maker_lower(&w.k));
		assert_true(w.k.c.ir->n_permits <= 256);
		for (uint32_t i = 0; i < w.k.c.ir->n_permits; i++)
			w.ids[i] = 1 + (uint32_t)rand_r(&seed) % 1000 + 1000 * i;
		world_rules(&w);
		for (int n = 0; n < 200; n++) {
			struct question q = maker_question(&w.k, &seed), twin;
			const struct ir_cell *c = evaluate_ir(w.k.c.ir, &q), *back;
			struct box_flow f = { .state = CT_NEW,
					      .src = q.source,
					      .dst = q.destination,
					      .l4proto = q.l4proto,
					      .port = q.port };
			struct box_packet p = { .src = q.source,
						.dst = q.destination,
						.l4proto = q.l4proto,
						.sport = 9,
						.dport = q.port,
						.tcp_flags = SYN,
						.flow = &f };
			struct box_result r;

			for (uint32_t i = 0; i < w.k.c.ir->n_interfaces; i++) {
				p.iif = strcmp(w.k.c.ir->interfaces[i].name, q.iif) == 0 ? i : p.iif;
				p.oif = strcmp(w.k.c.ir->interfaces[i].name, q.oif) == 0 ? i : p.oif;
			}
			w.b.now = q.now;
			r = forward(&w, &p);
			assert_int_equal(c != NULL, r.verdict != BOX_DROP);
			if (c == NULL) {
				assert_int_equal(f.mark, 0);
				continue;
			}
			through++;
			assert_int_equal(mark_permit(f.mark), w.ids[c->permit]);
			assert_int_equal(mark_lane(f.mark), w.k.c.ir->permits[c->permit].lane);
			assert_int_equal(r.verdict, mark_lane(f.mark) ? BOX_QUEUE : BOX_ACCEPT);
			assert_int_equal(p.mark, mark_lane(f.mark) ? f.mark : MARK_FAST);
			/* Both directions of the flow are live, at the right interfaces only. */
			p = next(&p, 1);
			assert_int_equal(forward(&w, &p).verdict, mark_lane(f.mark) ? BOX_QUEUE : BOX_ACCEPT);
			/* Later the session has the rights that a new one would have then, only by
			 * the timeouts of the kernel. */
			q.now += (uint64_t)rand_r(&seed) % 2500;
			c = evaluate_ir(w.k.c.ir, &q);
			w.b.now = q.now;
			p.mark = 0; /* the answer once more */
			r = forward(&w, &p);
			twin = q;
			twin.iif = q.oif;
			twin.oif = q.iif;
			twin.source = q.destination;
			twin.destination = q.source;
			twin.port = p.dport;
			back = q.l4proto == 17 ? evaluate_ir(w.k.c.ir, &twin) : NULL;
			if (c != NULL) {
				assert_int_equal(mark_permit(f.mark), w.ids[c->permit]);
				assert_int_equal(r.verdict, mark_lane(f.mark) ? BOX_QUEUE : BOX_ACCEPT);
			} else if (back != NULL) { /* a conduit of the other end still allows it */
				assert_int_equal(r.verdict,
						 w.k.c.ir->permits[back->permit].lane ? BOX_QUEUE : BOX_ACCEPT);
			} else {
				assert_int_equal(r.verdict, q.l4proto == 6 ? BOX_QUEUE : BOX_DROP);
				assert_int_equal(r.reason, R_ENDED);
			}
		}
		maker_free(&w.k);
	}
	assert_true(through > 500);
}

static void command_lane_never_lets_go(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	assert_int_equal(judged(&w, &p, MARK_CONFIRMED).verdict, BOX_ACCEPT);
	assert_int_equal(mark_outcome(f.mark), MARK_CONFIRMED);
	for (uint8_t d = 0; d < 2; d++) {
		q = next(&p, d);
		assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
		assert_int_equal(mark_outcome(q.mark), MARK_UNJUDGED);
	}
	maker_free(&w.k);
}

/* The worker does not need bare acknowledgements of this session. A packet with a byte behind its
 * header, or with any other flag, still goes to the worker. */
static void bare_acknowledgements_pass_by_the_worker(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;
	uint32_t quiet;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	assert_int_equal(judged(&w, &p, MARK_GOOD).verdict, BOX_ACCEPT);
	q = next(&p, 0);
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	assert_int_equal(judged(&w, &q, MARK_QUIET).verdict, BOX_ACCEPT);
	quiet = f.mark;
	for (uint8_t d = 0; d < 2; d++) {
		for (unsigned flags = 0; flags < 64; flags++) {
			f.mark = quiet; /* an answer to a SYN ends this */
			q = next(&p, d);
			q.tcp_flags = (uint8_t)flags;
			assert_int_equal(forward(&w, &q).verdict, flags == ACK ? BOX_ACCEPT : BOX_QUEUE);
		}
		f.mark = quiet;
		q = next(&p, d);
		assert_int_equal(forward(&w, &q).verdict, BOX_ACCEPT);
		assert_int_equal(box_run(&w.b, CHAIN_POST, &q).verdict, BOX_ACCEPT);
		q = next(&p, d);
		q.loaded = true;
		assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
		q = next(&p, d);
		q.iif = WAN0;
		expect_drop(forward(&w, &q), R_SPOOFED);
	}
	/* The last verdict counts. */
	q = next(&p, 0);
	q.loaded = true;
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	assert_int_equal(judged(&w, &q, MARK_GOOD).verdict, BOX_ACCEPT);
	q = next(&p, 0);
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	/* After the flow got another permit, its next worker has to say so again. */
	f.mark = mark_make(mark_permit(f.mark) + 500, mark_lane(f.mark), MARK_QUIET);
	q = next(&p, 0);
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	assert_int_equal(mark_outcome(f.mark), MARK_GOOD);
	maker_free(&w.k);
}

static void naming_lane_lets_go_once_confirmed(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q, late;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN0, LAN1, "10.10.3.4", "10.20.0.80", 6, 443);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	assert_int_equal(judged(&w, &p, MARK_GOOD).verdict, BOX_ACCEPT);
	q = next(&p, 1);
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	late = next(&p, 0);
	assert_int_equal(forward(&w, &late).verdict, BOX_QUEUE);
	assert_int_equal(judged(&w, &q, MARK_CONFIRMED).verdict, BOX_ACCEPT);
	/* A packet that waited in the queue meanwhile does not take the confirmation back. */
	assert_int_equal(judged(&w, &late, MARK_GOOD).verdict, BOX_ACCEPT);
	q = next(&p, 0);
	assert_int_equal(forward(&w, &q).verdict, BOX_ACCEPT);
	assert_int_equal(q.mark, MARK_FAST);
	assert_int_equal(box_run(&w.b, CHAIN_POST, &q).verdict, BOX_ACCEPT);
	maker_free(&w.k);
}

/* The elements, and in addition those of a permit that is only kept for live sessions, for both
 * directions of this session. */
static struct ir_element *with_live(struct world *w, uint32_t mark)
{
	struct ir_element *list = arena_array(w->k.arena, w->b.n_elements + 2, sizeof(*list));

	assert_non_null(list);
	memcpy(list, w->b.elements, w->b.n_elements * sizeof(*list));
	for (uint8_t d = 0; d < 2; d++) {
		struct ir_element *e = &list[w->b.n_elements++];

		*e = (struct ir_element){ .set = SET_LIVE,
					  .iif = d == 0 ? LAN0 : LAN1,
					  .direction = d,
					  .mark_key = mark & ~MARK_OUTCOME_MASK,
					  .data = (mark & ~MARK_OUTCOME_MASK) | (d == 1 ? MARK_REPLY : 0) };
	}
	return list;
}

/* Connection tracking takes a session that begins anew for the old one, whose mark says that it
 * need not be inspected. */
static void a_session_that_begins_anew_is_not_the_old_one(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;
	struct box_result r;
	uint32_t confirmed, lane;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN0, LAN1, "10.10.3.4", "10.20.0.80", 6, 443);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	lane = mark_lane(f.mark);
	assert_int_equal(judged(&w, &p, MARK_CONFIRMED).verdict, BOX_ACCEPT);
	confirmed = f.mark;
	/* The SYN goes to the worker and does not change the mark of the session. */
	q = next(&p, 0);
	q.tcp_flags = SYN;
	r = forward(&w, &q);
	assert_int_equal(r.verdict, BOX_QUEUE);
	assert_int_equal(r.lane, lane);
	assert_int_equal(q.mark, mark_make(mark_permit(confirmed), lane, MARK_UNJUDGED));
	assert_int_equal(judged(&w, &q, MARK_GOOD).verdict, BOX_ACCEPT);
	assert_int_equal(f.mark, confirmed);
	/* Without a worker the SYN does not pass because of the old session. */
	q = next(&p, 0);
	q.tcp_flags = SYN;
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	assert_int_equal(box_run(&w.b, CHAIN_POST, &q).verdict, BOX_DROP);
	q = next(&p, 0);
	assert_int_equal(forward(&w, &q).verdict, BOX_ACCEPT);
	/* A SYN-ACK from the wrong end or at a wrong interface does not change the mark either. */
	q = next(&p, 0);
	q.tcp_flags = SYN | ACK;
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	assert_int_equal(f.mark, confirmed);
	q = next(&p, 1);
	q.tcp_flags = SYN | ACK;
	q.iif = WAN0;
	expect_drop(forward(&w, &q), R_SPOOFED);
	assert_int_equal(f.mark, confirmed);
	/* The server's SYN-ACK: from there on the session is inspected. */
	q = next(&p, 1);
	q.tcp_flags = SYN | ACK;
	r = forward(&w, &q);
	assert_int_equal(r.verdict, BOX_QUEUE);
	assert_int_equal(r.lane, lane);
	assert_int_equal(q.mark, mark_make(mark_permit(confirmed), lane, MARK_UNJUDGED) | MARK_REPLY);
	assert_int_equal(f.mark, mark_make(mark_permit(confirmed), lane, MARK_GOOD));
	q = next(&p, 0);
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	/* Under a permit that is only kept for live sessions, a new session gets the permit of the
	 * present policy. */
	f.mark = mark_make(4000, lane, MARK_CONFIRMED);
	w.b.elements = with_live(&w, f.mark);
	q = next(&p, 0);
	assert_int_equal(forward(&w, &q).verdict, BOX_ACCEPT);
	q = next(&p, 1);
	q.tcp_flags = SYN | ACK;
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	assert_int_equal(f.mark, mark_make(mark_permit(confirmed), lane, MARK_GOOD));
	/* On this port the present policy allows nothing. */
	f.port = 444;
	f.mark = mark_make(4000, lane, MARK_CONFIRMED);
	q = next(&p, 1);
	q.tcp_flags = SYN | ACK;
	r = forward(&w, &q);
	assert_int_equal(r.verdict, BOX_QUEUE);
	assert_int_equal(r.lane, LANE_CUT);
	/* The old permit is gone from the mark. */
	assert_int_equal(mark_permit(f.mark), 0);
	q = next(&p, 0);
	r = forward(&w, &q);
	assert_int_equal(r.lane, LANE_CUT);
	maker_free(&w.k);
}

static void spoofed_packets_change_nothing(void **state)
{
	static const uint32_t wrong[] = { LAN0, LAN3, WAN0 };
	struct world w;
	struct box_flow f;
	struct box_packet p, q;
	uint32_t mark;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN1, LAN2, "2001:db8:20::10", "2001:db8:30::10", 6, 502);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	assert_int_equal(judged(&w, &p, MARK_GOOD).verdict, BOX_ACCEPT);
	mark = f.mark;
	for (size_t i = 0; i < 3; i++)
		for (uint8_t d = 0; d < 2; d++) {
			q = next(&p, d);
			q.iif = wrong[i];
			/* lan3 is also an interface of the crane zone, so this zone's replies
			 * may come from lan3. */
			if (wrong[i] == LAN3 && d == 1)
				continue;
			expect_drop(forward(&w, &q), R_SPOOFED);
			assert_int_equal(f.mark, mark);
		}
	/* The server's packet at the interface of the client, and the other way round. */
	q = next(&p, 1);
	q.iif = LAN1;
	expect_drop(forward(&w, &q), R_SPOOFED);
	q = next(&p, 0);
	q.iif = LAN2;
	expect_drop(forward(&w, &q), R_SPOOFED);
	maker_free(&w.k);
}

/* Connection tracking believes a SYN and its answer from any interface, so packets from a wrong
 * interface are dropped before it sees them. */
static void strangers_do_not_reach_tracking(void **state)
{
	static const uint8_t opening[] = { SYN, SYN | ACK, RST, RST | ACK, 1, 1 | ACK, SYN | 1 };
	struct world w;
	struct box_flow f;
	struct box_packet p, q;

	(void)state;
	world_open(&w);
	for (unsigned six = 0; six < 2; six++) {
		p = packet(&f, LAN1, LAN2, six ? "2001:db8:20::10" : "10.20.0.10",
			   six ? "2001:db8:30::10" : "10.30.1.10", 6, 502);
		for (size_t i = 0; i < sizeof(opening); i++) {
			p.tcp_flags = opening[i];
			p.unrouted = true;
			expect_drop(box_run(&w.b, CHAIN_GUARD, &p), R_SPOOFED);
			p.unrouted = false;
			assert_int_equal(box_run(&w.b, CHAIN_GUARD, &p).verdict, BOX_ACCEPT);
		}
		p.tcp_flags = ACK;
		assert_int_equal(box_run(&w.b, CHAIN_GUARD, &p).verdict, BOX_ACCEPT);
		/* A header that no rule names stops every packet, whatever session it belongs
		 * to. */
		p.options = true;
		expect_drop(box_run(&w.b, CHAIN_GUARD, &p), R_IP_OPTIONS);
		p.l4proto = 17;
		expect_drop(box_run(&w.b, CHAIN_GUARD, &p), R_IP_OPTIONS);
		p.options = false;
		assert_int_equal(box_run(&w.b, CHAIN_GUARD, &p).verdict, BOX_ACCEPT);
		/* The box's own addresses and forged ones open no session either. */
		p.unrouted = true;
		expect_drop(forward(&w, &p), R_SPOOFED);
		assert_int_equal(f.mark, 0);
	}
	/* A session whose permit has just ended: only packets from its own ends get it a new
	 * permit. */
	p = packet(&f, LAN1, LAN2, "2001:db8:20::10", "2001:db8:30::10", 6, 502);
	forward(&w, &p);
	assert_int_equal(judged(&w, &p, MARK_GOOD).verdict, BOX_ACCEPT);
	f.mark = mark_make(mark_permit(f.mark) + 500, mark_lane(f.mark), MARK_GOOD);
	q = next(&p, 0);
	q.iif = LAN0;
	q.unrouted = true;
	expect_drop(forward(&w, &q), R_SPOOFED);
	assert_int_equal(mark_permit(f.mark) >= 500, true);
	q = next(&p, 0);
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	assert_int_equal(mark_permit(f.mark) < 500, true);
	maker_free(&w.k);
}

static void odd_openings_are_refused(void **state)
{
	static const uint8_t flags[] = { 0, ACK, SYN | ACK, SYN | RST, RST, SYN | 1, 1, 0x3f };
	struct world w;
	struct box_flow f;
	struct box_packet p;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < sizeof(flags); i++) {
		p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
		p.tcp_flags = flags[i];
		expect_drop(forward(&w, &p), R_TCP_FLAGS);
		assert_int_equal(f.mark, 0);
	}
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	f.state = 0; /* untracked */
	expect_drop(forward(&w, &p), R_NO_CONDUIT);
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 47, 502);
	expect_drop(forward(&w, &p), R_NO_CONDUIT);
	maker_free(&w.k);
}

/* The mark tells the worker the direction of a packet, also in a session that it never saw and in
 * one that was looked up again. */
static void the_mark_says_the_direction(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	assert_int_equal(p.mark & MARK_REPLY, 0);
	for (unsigned round = 0; round < 2; round++) {
		for (uint8_t d = 0; d < 2; d++) {
			q = next(&p, d);
			assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
			assert_int_equal(q.mark & MARK_REPLY, d ? MARK_REPLY : 0);
			assert_int_equal(judged(&w, &q, MARK_GOOD).verdict, BOX_ACCEPT);
			assert_int_equal(f.mark & (MARK_REPLY | MARK_FAST), 0);
			for (uint32_t i = 0; i < w.k.c.ir->n_permits && round == 0; i++)
				w.ids[i] += 100;
			world_rules(&w);
		}
	}
	for (uint32_t i = 0; i < w.k.c.ir->n_permits; i++)
		w.ids[i] += 1000;
	w.b.n_elements = 0;
	for (uint8_t d = 0; d < 2; d++) {
		q = next(&p, d);
		assert_int_equal(forward(&w, &q).lane, LANE_CUT);
		assert_int_equal(q.mark & MARK_REPLY, d ? MARK_REPLY : 0);
	}
	maker_free(&w.k);
}

/* New sessions and repeated SYNs are limited in rate and number. Packets of a live session, and of
 * one that is looked up again, are never refused because of that. */
static void shares_of_the_kernel(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	w.b.fast = true; /* the pair competes with others, and there is room */
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	w.b.flooded = true;
	q = next(&p, 0);
	for (unsigned flags = ACK; flags <= ACK + 8; flags += 8) {
		q.tcp_flags = (uint8_t)flags;
		assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	}
	q.tcp_flags = SYN;
	expect_drop(forward(&w, &q), R_PACE);
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	expect_drop(forward(&w, &p), R_PACE);
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	w.b.fast = false; /* a pair that opens few sessions is not affected by a flood of others */
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	w.b.greedy = true;
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	expect_drop(forward(&w, &p), R_SHARE_PAIR);
	w.b.greedy = false;
	w.b.full = true;
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	expect_drop(forward(&w, &p), R_SHARE_ZONE);
	w.b.full = false;
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	w.b.fast = w.b.flooded = w.b.greedy = w.b.full = true;
	for (uint32_t i = 0; i < w.k.c.ir->n_permits; i++)
		w.ids[i] += 100;
	world_rules(&w);
	q = next(&p, 1);
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	maker_free(&w.k);
}

static void what_an_old_policy_judged_is_stale(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	q = p;
	/* A live permit, but not the one of this flow: the packet is queued again, once. */
	q.mark = mark_make(mark_permit(p.mark) + 1, 0, MARK_GOOD);
	assert_int_equal(box_run(&w.b, CHAIN_POST, &q).verdict, BOX_QUEUE);
	assert_int_equal(q.mark, p.mark);
	q.mark = mark_make(mark_permit(p.mark) + 1, 0, MARK_GOOD);
	expect_drop(box_run(&w.b, CHAIN_LAST, &q), R_STALE);
	q.mark = mark_make(0, 0, MARK_GOOD);
	expect_drop(box_run(&w.b, CHAIN_POST, &q), R_STALE);
	/* The flow got another permit while the packet waited: the packet is not lost, and does not
	 * pass with the judgement of the old permit alone. */
	assert_int_equal(judged(&w, &p, MARK_GOOD).verdict, BOX_ACCEPT);
	p = next(&p, 0);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	for (uint32_t i = 0; i < w.k.c.ir->n_permits; i++)
		w.ids[i] += 1000;
	world_rules(&w);
	q = p;
	assert_int_equal(judged(&w, &p, MARK_GOOD).verdict, BOX_QUEUE);
	assert_int_equal(mark_permit(p.mark), mark_permit(q.mark) + 1000);
	assert_int_equal(mark_outcome(f.mark), MARK_GOOD); /* a live session stays one */
	expect_drop(judged_again(&w, &q, MARK_GOOD), R_STALE);
	assert_int_equal(judged_again(&w, &p, MARK_GOOD).verdict, BOX_ACCEPT);
	maker_free(&w.k);
}

/* Two conduits between the same hosts, one each way, with the same port at both ends: C, D or both.
 * `idle`: a limit of their sessions. */
enum { C = 1, D = 2 };

static void world_twins(struct world *w, unsigned conduits, uint32_t idle)
{
	struct model_zone *office, *ot;
	struct model_service *reads, *writes;

	memset(w, 0, sizeof(*w));
	maker_init(&w->k);
	maker_interface(&w->k, "lan0");
	maker_interface(&w->k, "lan1");
	office = maker_zone(&w->k, "office", "lan0", "10.10.0.0/16 2001:db8:10::/48");
	ot = maker_zone(&w->k, "ot", "lan1", "10.30.0.0/16 2001:db8:30::/48");
	reads = maker_service(&w->k, "reads", PROTO_FINS, "udp/9600");
	maker_allow(&w->k, reads, CLASS_READ, 0, 99);
	writes = maker_service(&w->k, "writes", PROTO_FINS, "udp/9600");
	maker_allow(&w->k, writes, CLASS_WRITE, 100, 199);
	if (conduits & C)
		maker_conduit(&w->k, "c", office, ot, "", "", reads);
	if (conduits & D)
		maker_conduit(&w->k, "d", ot, office, "", "", writes);
	assert_true(maker_lower(&w->k));
	for (uint32_t i = 0; i < w->k.c.ir->n_permits; i++) {
		w->ids[i] = 100 + i;
		w->k.c.ir->permits[i].idle = idle;
	}
	world_rules(w);
}

static struct box_packet datagram(struct box_flow *f, bool six, bool from_office)
{
	const char *office = six ? "2001:db8:10::5" : "10.10.0.5", *plc = six ? "2001:db8:30::9" : "10.30.1.9";
	struct box_packet p = packet(f, from_office ? LAN0 : LAN1, from_office ? LAN1 : LAN0,
				     from_office ? office : plc, from_office ? plc : office, 17, 9600);

	p.sport = 9600;
	return p;
}

/* The worker does not judge the datagram, and gets it again as its twin's. Returns its
 * mark then. */
static uint32_t second_look(struct world *w, struct box_packet *p)
{
	p->mark = mark_make(PERMIT_TWIN, 0, MARK_GOOD);
	assert_int_equal(box_run(&w->b, CHAIN_POST, p).verdict, BOX_QUEUE);
	assert_true((p->mark & MARK_TWIN) != 0);
	assert_int_equal(mark_outcome(p->mark), MARK_UNJUDGED);
	return p->mark;
}

static struct box_result judged_as(struct world *w, const struct box_packet *p, enum ir_chain chain, uint32_t permit)
{
	struct box_packet q = *p;

	q.mark = mark_make(permit, 0, MARK_GOOD);
	return box_run(&w->b, chain, &q);
}

static void a_datagram_may_be_its_twins(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 8; n++) {
		bool six = n & 1, office_first = n & 2;
		struct box_packet p, q;
		struct box_flow f, other;
		struct world w;
		uint32_t own, twin;

		world_twins(&w, C | D, n & 4 ? 60 : 0);
		p = datagram(&other, six, !office_first);
		assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
		twin = mark_permit(p.mark);
		p = datagram(&f, six, office_first);
		assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
		own = mark_permit(p.mark);
		assert_int_not_equal(own, twin);
		/* nothing came from the other end that it could answer */
		q = p;
		assert_int_equal(mark_permit(second_look(&w, &q)), own);
		assert_int_equal(judged(&w, &p, MARK_GOOD).verdict, BOX_ACCEPT);
		for (uint8_t reply = 0; reply < 2; reply++) {
			q = next(&p, reply);
			assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
			assert_int_equal(mark_permit(q.mark), own);
			assert_int_equal((q.mark & MARK_REPLY) != 0, reply);
			assert_int_equal(mark_permit(second_look(&w, &q)), twin);
			assert_int_equal((q.mark & MARK_REPLY) != 0, !reply);
			/* Both permits are good for it, at once and at the second look, and
			 * no other. */
			for (int last = 0; last < 2; last++) {
				enum ir_chain chain = last ? CHAIN_LAST : CHAIN_POST;

				assert_int_equal(judged_as(&w, &q, chain, own).verdict, BOX_ACCEPT);
				assert_int_equal(judged_as(&w, &q, chain, twin).verdict, BOX_ACCEPT);
			}
			expect_drop(judged_as(&w, &q, CHAIN_LAST, PERMIT_TWIN), R_STALE);
			expect_drop(judged_as(&w, &q, CHAIN_LAST, own + 1000), R_STALE);
			expect_drop(judged_as(&w, &q, CHAIN_POST, 0), R_STALE);
			/* Nobody answered: the twin's lane decides (closed). */
			q.mark &= ~MARK_TWIN;
			expect_drop(box_run(&w.b, CHAIN_LAST, &q), R_DOWN_CLOSED);
		}
		/* The session's own outcome and label stay. */
		assert_int_equal(mark_permit(f.mark), own);
		/* The twin's permit was narrowed while a worker had the datagram. */
		for (uint32_t i = 0; i < w.k.c.ir->n_permits; i++)
			w.ids[i] += w.ids[i] == twin ? 1000 : 0;
		world_rules(&w);
		q = next(&p, 1);
		expect_drop(judged_as(&w, &q, CHAIN_LAST, twin), R_STALE);
		q.mark = mark_make(twin, 0, MARK_GOOD);
		assert_int_equal(box_run(&w.b, CHAIN_POST, &q).verdict, BOX_QUEUE);
		assert_int_equal(mark_permit(q.mark), twin + 1000);
		/* Its conduit ends by time. */
		for (size_t i = 0; i < w.b.n_elements; i++)
			if (mark_permit(w.b.elements[i].data) == twin + 1000)
				w.b.elements[i].until = w.b.now + 5;
		assert_int_equal(mark_permit(second_look(&w, &q)), twin + 1000);
		w.b.now += 6;
		expect_drop(judged_as(&w, &q, CHAIN_LAST, twin + 1000), R_STALE);
		assert_int_equal(mark_permit(second_look(&w, &q)), own);
		maker_free(&w.k);
	}
}

/* Without a twin the worker gets the datagram again as it was; an isolation is about the twin's own
 * permit. */
static void without_a_twin_nothing_changes(void **state)
{
	struct ir_element apart[2] = { { 0 } };
	struct box_packet p, q;
	struct box_flow f, other;
	struct world w;
	uint32_t own, twin;

	(void)state;
	world_twins(&w, C, 0);
	p = datagram(&f, false, true);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	own = mark_permit(p.mark);
	assert_int_equal(judged(&w, &p, MARK_GOOD).verdict, BOX_ACCEPT);
	for (uint8_t reply = 0; reply < 2; reply++) {
		q = next(&p, reply);
		assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
		assert_int_equal(mark_permit(second_look(&w, &q)), own);
		assert_int_equal((q.mark & MARK_REPLY) != 0, reply);
	}
	maker_free(&w.k);
	world_twins(&w, C | D, 0);
	p = datagram(&other, false, false);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	twin = mark_permit(p.mark);
	p = datagram(&f, false, true);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	own = mark_permit(p.mark);
	q = next(&p, 1);
	/* Both ends are isolated, and only the session's permit is kept. */
	apart[0].set = SET_APART4;
	apart[0].src = (struct addr_range){ q.src, q.src };
	apart[0].dst = (struct addr_range){ q.dst, q.dst };
	apart[1] = apart[0];
	apart[1].src = apart[0].dst;
	apart[1].dst = apart[0].src;
	struct ir_element *all = calloc(w.b.n_elements + 3, sizeof(*all));

	assert_non_null(all);
	memcpy(all, w.b.elements, w.b.n_elements * sizeof(*all));
	memcpy(all + w.b.n_elements, apart, sizeof(apart));
	all[w.b.n_elements + 2] = apart[1];
	all[w.b.n_elements + 2].set = SET_KEPT4;
	all[w.b.n_elements + 2].mark_key = own;
	w.b.elements = all;
	w.b.n_elements += 3;
	assert_int_equal(judged_as(&w, &q, CHAIN_LAST, own).verdict, BOX_ACCEPT);
	expect_drop(judged_as(&w, &q, CHAIN_LAST, twin), R_ISOLATED);
	q.mark = mark_make(PERMIT_TWIN, 0, MARK_GOOD);
	expect_drop(box_run(&w.b, CHAIN_POST, &q), R_ISOLATED);
	free(all);
	maker_free(&w.k);
}

/* Conduit C from the office to the plant, BACnet with the rows of these classes. */
static void world_lasting(struct world *w, unsigned classes, bool observe)
{
	struct model_zone *office, *ot;
	struct model_service *service;

	memset(w, 0, sizeof(*w));
	maker_init(&w->k);
	maker_interface(&w->k, "lan0");
	maker_interface(&w->k, "lan1");
	office = maker_zone(&w->k, "office", "lan0", "10.10.0.0/16 2001:db8:10::/48");
	ot = maker_zone(&w->k, "ot", "lan1", "10.30.0.0/16 2001:db8:30::/48");
	service = maker_service(&w->k, "bacnet", PROTO_BACNET, "udp/47808");
	maker_allow(&w->k, service, classes, 0, 99);
	service->allows[0].row.spaces_any = service->allows[0].row.targets[0].any = true;
	service->allows[0].row.n_spaces = 0;
	maker_conduit(&w->k, "c", office, ot, "", "", service)->observe = observe;
	assert_true(maker_lower(&w->k));
	assert_int_equal(w->k.c.ir->n_permits, 1);
	w->ids[0] = 100;
	world_rules(w);
}

static struct box_packet told(struct box_flow *f, bool six, uint16_t sport, uint16_t dport)
{
	struct box_packet p = datagram(f, six, false);

	p.sport = sport;
	p.dport = f->port = dport;
	return p;
}

/* What a server sends for a subscription opens a session without a label: it is shown to a worker,
 * as what the server of conduit C sends, and passes only by its judgement. */
static void a_subscription_opens_a_session(void **state)
{
	static const uint16_t ports[][2] = { { 47808, 47808 }, { 47808, 50000 }, { 1042, 47808 } };

	(void)state;
	for (unsigned n = 0; n < 6; n++) {
		uint16_t sport = ports[n % 3][0], dport = ports[n % 3][1];
		struct box_packet p, q;
		struct box_flow f;
		struct world w;

		world_lasting(&w, CLASS_READ, false);
		p = told(&f, n >= 3, sport, dport);
		assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
		assert_int_equal(p.mark & ~MARK_LANE_MASK, 100 | MARK_TWIN | MARK_NOTICE | MARK_REPLY);
		assert_int_equal(f.mark, 0);
		for (int last = 0; last < 2; last++) {
			enum ir_chain chain = last ? CHAIN_LAST : CHAIN_POST;

			assert_int_equal(judged_as(&w, &p, chain, 100).verdict, BOX_ACCEPT);
			expect_drop(judged_as(&w, &p, CHAIN_LAST, 101), R_STALE);
			expect_drop(judged_as(&w, &p, chain, 0), R_STALE);
			/* nobody answered */
			q = p;
			expect_drop(box_run(&w.b, chain, &q), R_DOWN_CLOSED);
		}
		/* Its client answers, and both go on. */
		for (uint8_t reply = 0; reply < 2; reply++) {
			q = next(&p, reply);
			assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
			assert_int_equal(q.mark & ~MARK_LANE_MASK, 100 | MARK_TWIN | (reply ? 0 : MARK_REPLY));
			assert_int_equal(judged_as(&w, &q, CHAIN_POST, 100).verdict, BOX_ACCEPT);
			f.state = CT_NEW;
		}
		assert_int_equal(f.mark, 0);
		/* from elsewhere, or in a flood */
		q = p;
		q.mark = 0;
		q.unrouted = true;
		expect_drop(forward(&w, &q), R_SPOOFED);
		w.b.fast = w.b.flooded = true;
		q = p;
		q.mark = 0;
		expect_drop(forward(&w, &q), R_PACE);
		w.b.fast = w.b.flooded = false;
		w.b.greedy = true;
		q = p;
		q.mark = 0;
		expect_drop(forward(&w, &q), R_SHARE_PAIR);
		w.b.greedy = false;
		/* The permit got another number while a worker had the datagram. */
		w.ids[0] = 1100;
		world_rules(&w);
		q = p;
		q.mark = mark_make(100, 0, MARK_GOOD);
		assert_int_equal(box_run(&w.b, CHAIN_POST, &q).verdict, BOX_QUEUE);
		assert_int_equal(q.mark & ~MARK_LANE_MASK, 1100 | MARK_TWIN | MARK_NOTICE | MARK_REPLY);
		expect_drop(judged_as(&w, &p, CHAIN_LAST, 100), R_STALE);
		/* its time is over */
		for (size_t i = 0; i < w.b.n_elements; i++)
			w.b.elements[i].until = w.b.now + 5;
		w.b.now += 6;
		expect_drop(judged_as(&w, &p, CHAIN_LAST, 1100), R_STALE);
		q = p;
		q.mark = 0;
		expect_drop(forward(&w, &q), R_NO_CONDUIT);
		maker_free(&w.k);
	}
}

/* No other session is opened by the other end: not to other ports, not by rows that subscribe to
 * nothing, and not under a conduit that only observes. The record names no permit. */
static void nothing_else_opens_a_session(void **state)
{
	static const struct {
		unsigned classes;
		bool observe;
		uint16_t sport, dport;
	} cases[] = { { CLASS_READ, false, 1042, 50000 },
		      { CLASS_WRITE, false, 47808, 47808 },
		      { CLASS_READ, true, 47808, 47808 } };

	(void)state;
	for (unsigned n = 0; n < 3; n++) {
		struct box_packet p;
		struct box_flow f;
		struct world w;

		world_lasting(&w, cases[n].classes, cases[n].observe);
		p = told(&f, false, cases[n].sport, cases[n].dport);
		expect_drop(forward(&w, &p), R_NO_CONDUIT);
		assert_int_equal(mark_lane(p.mark), 0);
		maker_free(&w.k);
	}
}

/* An isolation ends it, unless it keeps the client's permit. */
static void a_subscription_is_isolated(void **state)
{
	(void)state;
	for (unsigned keeps = 0; keeps < 2; keeps++) {
		struct ir_element apart = { .set = SET_APART4 }, *all;
		struct box_packet p, q;
		struct box_flow f;
		struct world w;

		world_lasting(&w, CLASS_READ, false);
		p = told(&f, false, 47808, 47808);
		all = calloc(w.b.n_elements + 3, sizeof(*all));
		assert_non_null(all);
		memcpy(all, w.b.elements, w.b.n_elements * sizeof(*all));
		apart.src = (struct addr_range){ p.src, p.src };
		apart.dst = (struct addr_range){ p.dst, p.dst };
		all[w.b.n_elements++] = apart;
		apart.src = (struct addr_range){ p.dst, p.dst };
		apart.dst = (struct addr_range){ p.src, p.src };
		all[w.b.n_elements++] = apart;
		apart.set = SET_KEPT4;
		apart.mark_key = 100;
		/* an element of permit 0 stands for any */
		all[w.b.n_elements] = apart;
		w.b.elements = all;
		if (keeps) {
			struct ir_element any = apart;

			any.mark_key = 0;
			w.b.n_elements++;
			all = realloc(all, (w.b.n_elements + 1) * sizeof(*all));
			assert_non_null(all);
			all[w.b.n_elements++] = any;
			w.b.elements = all;
		}
		q = p;
		if (keeps)
			assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
		else
			expect_drop(forward(&w, &q), R_ISOLATED);
		q = p;
		if (keeps)
			assert_int_equal(judged_as(&w, &q, CHAIN_LAST, 100).verdict, BOX_ACCEPT);
		else
			expect_drop(judged_as(&w, &q, CHAIN_LAST, 100), R_ISOLATED);
		free(all);
		maker_free(&w.k);
	}
}

/* The conduit of the end that spoke first is gone. What the other one allows goes on at once, and
 * nothing else does: not under the former permit, and not from another interface. */
static void a_twin_outlives_its_session(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 8; n++) {
		bool six = n & 1, office_first = n & 2, inspected = n & 4;
		struct box_packet p, q;
		struct box_flow f, other;
		struct world w;
		uint32_t own, twin;

		world_twins(&w, C | D, 0);
		p = datagram(&other, six, !office_first);
		assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
		twin = mark_permit(p.mark);
		p = datagram(&f, six, office_first);
		assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
		own = mark_permit(p.mark);
		maker_free(&w.k);

		world_twins(&w, office_first ? D : C, 0);
		w.ids[0] = twin;
		w.k.c.ir->permits[0].lane = inspected ? w.k.c.ir->permits[0].lane : LANE_NONE;
		world_rules(&w);
		for (uint8_t reply = 0; reply < 2; reply++) {
			q = next(&p, reply);
			q.iif = LAN2;
			assert_int_equal(forward(&w, &q).verdict, BOX_DROP);
			q = next(&p, reply);
			if (!inspected) {
				/* whether an answer was asked for is not known */
				assert_int_equal(forward(&w, &q).verdict, reply ? BOX_ACCEPT : BOX_DROP);
				continue;
			}
			assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
			assert_int_equal(mark_permit(q.mark), twin);
			assert_true((q.mark & MARK_TWIN) != 0);
			assert_int_equal((q.mark & MARK_REPLY) != 0, !reply);
			for (int last = 0; last < 2; last++)
				assert_int_equal(judged_as(&w, &q, last ? CHAIN_LAST : CHAIN_POST, twin).verdict,
						 BOX_ACCEPT);
			expect_drop(judged_as(&w, &q, CHAIN_LAST, own), R_STALE);
			expect_drop(judged_as(&w, &q, CHAIN_LAST, PERMIT_TWIN), R_STALE);
			q.mark = mark_make(own, 0, MARK_GOOD);
			assert_int_equal(box_run(&w.b, CHAIN_POST, &q).verdict, BOX_QUEUE);
			assert_int_equal(mark_permit(q.mark), twin);
		}
		w.b.n_elements = 0; /* D ends as well */
		q = next(&p, 1);
		expect_drop(forward(&w, &q), R_ENDED);
		maker_free(&w.k);
	}
}

static void lapsed_flows_are_looked_up_again(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;

	(void)state;
	for (uint8_t d = 0; d < 2; d++) {
		world_open(&w);
		p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
		assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
		assert_int_equal(judged(&w, &p, MARK_GOOD).verdict, BOX_ACCEPT);
		for (uint32_t i = 0; i < w.k.c.ir->n_permits; i++)
			w.ids[i] += 1000;
		world_rules(&w);
		q = next(&p, d);
		assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
		assert_true(mark_permit(f.mark) >= 1000);
		assert_int_equal(mark_outcome(f.mark), MARK_GOOD);
		maker_free(&w.k);
	}
}

static void flows_nothing_allows_are_cut(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;

	(void)state;
	world_open(&w);
	p = packet(&f, WAN0, LAN2, "2.3.4.5", "10.30.1.9", 6, 443);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	assert_int_equal(judged(&w, &p, MARK_CONFIRMED).verdict, BOX_ACCEPT);
	q = next(&p, 0);
	assert_int_equal(forward(&w, &q).verdict, BOX_ACCEPT);
	/* the end of the permit: without the daemon, without a change of the rules */
	w.b.now = 2000000000u;
	for (uint8_t d = 0; d < 2; d++) {
		struct box_result r;

		q = next(&p, d);
		r = forward(&w, &q);
		assert_int_equal(r.verdict, BOX_QUEUE);
		assert_int_equal(r.lane, LANE_CUT);
		assert_false(r.bypass);
		assert_int_equal(r.reason, R_ENDED);
		/* The packet does not pass, whatever verdict the worker gives. */
		for (int o = MARK_UNJUDGED; o <= MARK_CONFIRMED; o++) {
			struct box_packet out = q;

			out.mark = mark_make(mark_permit(f.mark), LANE_CUT, (enum mark_outcome)o);
			r = box_run(&w.b, CHAIN_POST, &out);
			assert_int_equal(r.verdict, BOX_QUEUE);
			assert_int_equal(r.lane, LANE_CUT);
			out.mark = mark_make(mark_permit(f.mark), LANE_CUT, (enum mark_outcome)o);
			expect_drop(box_run(&w.b, CHAIN_LAST, &out), R_STALE);
		}
		expect_drop(box_run(&w.b, CHAIN_POST, &q), R_STALE);
	}
	/* The resets may leave, to both ends, and only as resets. */
	q = next(&p, 1);
	q.tcp_flags = RST | ACK;
	q.mark = mark_make(0, LANE_CUT, MARK_UNJUDGED);
	assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &q).verdict, BOX_ACCEPT);
	q.tcp_flags = ACK;
	expect_drop(box_run(&w.b, CHAIN_OUTPUT, &q), R_SELF_OUT);
	w.b.now = 1000; /* the permit is live: its sessions are not cut */
	q.tcp_flags = RST;
	expect_drop(box_run(&w.b, CHAIN_OUTPUT, &q), R_SELF_OUT);
	maker_free(&w.k);
}

/* The elements, and in addition those for two isolated hosts and for the permits that are kept
 * between them. */
static void isolate(struct world *w, const struct box_packet *p, const uint32_t *kept, size_t n_kept)
{
	struct ir_element *list = arena_array(w->k.arena, w->b.n_elements + 1 + n_kept, sizeof(*list));
	struct ir_element one = { .set = SET_APART4, .src = { p->src, p->src }, .dst = { p->dst, p->dst } };

	assert_non_null(list);
	memcpy(list, w->b.elements, w->b.n_elements * sizeof(*list));
	list[w->b.n_elements++] = one;
	one.set = SET_KEPT4;
	for (size_t i = 0; i < n_kept; i++) {
		one.mark_key = kept[i];
		list[w->b.n_elements++] = one;
	}
	w->b.elements = list;
}

/* A permit of an earlier policy whose sessions may go on. */
static void linger(struct world *w, uint32_t permit)
{
	struct ir_element *list = arena_array(w->k.arena, w->b.n_elements + 1, sizeof(*list));

	assert_non_null(list);
	memcpy(list, w->b.elements, w->b.n_elements * sizeof(*list));
	list[w->b.n_elements++] = (struct ir_element){ .set = SET_AGREE, .mark_key = permit };
	w->b.elements = list;
}

/* Sessions of isolated hosts are cut, old and new, also behind the queues. Kept permits go on, and
 * a new session is looked up twice. */
static void isolated_but_for_what_is_kept(void **state)
{
	uint32_t kept[2] = { 0, 0 };

	(void)state;
	/* the isolation keeps nothing, the permit of the session, or another permit */
	for (int keeps = 0; keeps < 3; keeps++) {
		struct world w;
		struct box_flow f, g;
		struct box_packet p, q, n;
		struct box_result r;

		world_open(&w);
		p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
		assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
		q = p;
		assert_int_equal(judged(&w, &q, MARK_GOOD).verdict, BOX_ACCEPT);
		kept[1] = mark_permit(f.mark) + (keeps == 2);
		isolate(&w, &p, kept, keeps > 0 ? 2 : 0);
		n = packet(&g, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
		r = forward(&w, &n);
		if (keeps == 1)
			assert_int_equal(r.verdict, BOX_QUEUE);
		else
			expect_drop(r, R_ISOLATED);
		/* The packet was with a worker when the hosts were isolated. */
		q = p;
		r = judged(&w, &q, MARK_GOOD);
		if (keeps == 1)
			assert_int_equal(r.verdict, BOX_ACCEPT);
		else
			expect_drop(r, R_ISOLATED);
		q = next(&p, 0);
		r = forward(&w, &q);
		assert_int_equal(r.verdict, BOX_QUEUE);
		assert_int_equal(r.lane == LANE_CUT, keeps != 1);
		assert_int_equal(mark_permit(f.mark) == 0, keeps != 1);
		maker_free(&w.k);
	}
}

static void expect_cut(struct box_result r, bool tcp)
{
	assert_int_equal(r.verdict, tcp ? BOX_QUEUE : BOX_DROP);
	assert_true(!tcp || r.lane == LANE_CUT);
	assert_string_equal(reason_word(r.reason), reason_word(R_ISOLATED));
}

/* A session was silent while its permit changed. So its label names no permit, one that ended, or
 * one that lingers. The isolation asks about the permit that the session gets now: in both
 * directions, and behind the queues too. */
static void isolated_with_a_former_permit(void **state)
{
	static const struct {
		const char *src, *dst;
		uint32_t iif, oif;
		uint16_t state, port;
		uint8_t proto, direction;
	} ways[] = {
		{ "10.20.0.10", "10.30.1.10", LAN1, LAN2, CT_ESTABLISHED, 502, 6, 0 },
		{ "10.20.0.10", "10.30.1.10", LAN1, LAN2, CT_ESTABLISHED, 502, 6, 1 },
		{ "10.10.0.4", "11.0.0.1", LAN0, WAN0, CT_NEW, 53, 17, 0 },
		{ "10.10.0.4", "11.0.0.1", LAN0, WAN0, CT_ESTABLISHED, 53, 17, 1 },
		{ "10.10.0.4", "10.20.0.10", LAN0, LAN1, CT_NEW, 0x800, 1, 0 },
		{ "10.10.0.4", "10.20.0.10", LAN0, LAN1, CT_ESTABLISHED, 0x800, 1, 1 },
	};
	enum { NONE, ENDED, LINGERS, FORMERS };

	(void)state;
	for (unsigned n = 0; n < sizeof(ways) / sizeof(ways[0]) * FORMERS * 2; n++) {
		unsigned way = n / FORMERS / 2, former = n / 2 % FORMERS;
		bool keeps = n % 2 == 1, tcp = ways[way].proto == 6;
		struct world w;
		struct box_flow f;
		struct box_packet p, q;
		struct box_result r;
		uint32_t kept[2] = { 0, 0 }, permit;

		world_open(&w);
		p = packet(&f, ways[way].iif, ways[way].oif, ways[way].src, ways[way].dst, ways[way].proto,
			   ways[way].port);
		assert_int_not_equal(forward(&w, &p).verdict, BOX_DROP);
		permit = mark_permit(f.mark);
		kept[1] = keeps ? permit : permit + 1;
		isolate(&w, &p, kept, 2);
		if (former == LINGERS)
			linger(&w, 77);
		f.mark = mark_make(former == NONE ? 0 : 77, mark_lane(f.mark), MARK_UNJUDGED);
		q = next(&p, ways[way].direction);
		f.state = ways[way].state;
		r = forward(&w, &q);
		if (keeps) {
			assert_int_equal(r.verdict, mark_lane(f.mark) == LANE_NONE ? BOX_ACCEPT : BOX_QUEUE);
			assert_true(r.verdict == BOX_ACCEPT || r.lane == mark_lane(f.mark));
			assert_int_equal(mark_permit(f.mark), permit);
		} else {
			expect_cut(r, tcp);
		}
		/* a worker had the packet when the policy changed and the hosts were isolated */
		f.mark = mark_make(77, mark_lane(p.mark), MARK_GOOD);
		q.mark = mark_make(77, 0, MARK_GOOD);
		r = box_run(&w.b, CHAIN_POST, &q);
		if (!keeps)
			expect_cut(r, tcp);
		else if (mark_lane(f.mark) != LANE_NONE)
			assert_int_equal(r.lane, mark_lane(f.mark));
		assert_int_equal(mark_permit(f.mark) == permit, keeps || !tcp);
		/* nothing allows it any more */
		f.mark = mark_make(77, mark_lane(p.mark), MARK_GOOD);
		f.port = 1;
		q = next(&p, 1);
		expect_cut(forward(&w, &q), tcp);
		maker_free(&w.k);
	}
}

static void failure_decisions(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;
	struct box_result r;

	(void)state;
	world_open(&w);
	/* closed: tls */
	p = packet(&f, LAN0, LAN1, "10.10.3.4", "10.20.0.80", 6, 443);
	r = forward(&w, &p);
	assert_false(r.bypass);
	expect_drop(box_run(&w.b, CHAIN_POST, &p), R_DOWN_CLOSED);
	/* modbus has `hold` where no other conduit overrules it */
	p = packet(&f, LAN1, LAN2, "10.20.0.99", "10.30.1.99", 6, 502);
	r = forward(&w, &p);
	assert_true(r.bypass);
	q = p;
	expect_drop(box_run(&w.b, CHAIN_POST, &q), R_DOWN_HOLD_NEW);
	assert_int_equal(judged(&w, &p, MARK_GOOD).verdict, BOX_ACCEPT);
	q = next(&p, 1);
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	r = box_run(&w.b, CHAIN_POST, &q);
	assert_int_equal(r.verdict, BOX_ACCEPT);
	assert_int_equal(r.reason, R_DOWN_HELD);
	/* A new session is new, though connection tracking knows its addresses and ports. */
	q = next(&p, 0);
	q.tcp_flags = SYN;
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	expect_drop(box_run(&w.b, CHAIN_POST, &q), R_DOWN_HOLD_NEW);
	q = next(&p, 1);
	q.tcp_flags = SYN | ACK;
	assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
	assert_int_equal(box_run(&w.b, CHAIN_POST, &q).reason, R_DOWN_HELD);
	/* open */
	for (size_t i = 0; i < w.k.m.n_conduits; i++)
		w.k.m.conduits[i].when_down = w.k.m.conduits[i].when_overloaded = FAIL_OPEN;
	assert_true(maker_lower(&w.k));
	world_rules(&w);
	p = packet(&f, LAN0, LAN1, "10.10.3.4", "10.20.0.80", 6, 443);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	r = box_run(&w.b, CHAIN_POST, &p);
	assert_int_equal(r.verdict, BOX_ACCEPT);
	assert_int_equal(r.reason, R_DOWN_OPEN);
	maker_free(&w.k);
}

static struct box_packet error_about(const struct box_packet *p, unsigned six, unsigned type)
{
	struct box_packet q = next(p, 1);

	q.flow->state = CT_RELATED;
	q.l4proto = six ? 58 : 1;
	q.dport = (uint16_t)(type << 8);
	return q;
}

/* ICMP errors that connection tracking relates to sessions: five types of IPv4, of which nobody
 * needs two; in IPv6 the types below 128, of which there are four. */
static void related_error(struct world *w, const struct box_packet *p, unsigned six, unsigned type)
{
	struct box_packet q = error_about(p, six, type);
	bool listed = six ? type >= 1 && type <= 4 : type == 3 || type == 11 || type == 12;
	bool is_error = six ? type < 128 : listed || type == 4 || type == 5;

	if (is_error && !listed) {
		expect_drop(box_run(&w->b, CHAIN_GUARD, &q), R_RELATED);
		return;
	}
	assert_int_equal(box_run(&w->b, CHAIN_GUARD, &q).verdict, BOX_ACCEPT);
	if (!listed)
		return;
	assert_int_equal(forward(w, &q).verdict, BOX_ACCEPT);
	assert_int_equal(q.mark, MARK_FAST);
	/* The same error from the wrong end, and at an interface where its source cannot be. */
	q.iif = WAN0;
	expect_drop(forward(w, &q), R_RELATED);
	q.unrouted = true;
	expect_drop(box_run(&w->b, CHAIN_GUARD, &q), R_SPOOFED);
}

static void related_errors(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;

	(void)state;
	world_open(&w);
	/* A session whose commands are inspected, in both families, and one that is no longer
	 * inspected. */
	for (unsigned kind = 0; kind < 3; kind++) {
		unsigned six = kind == 1;

		p = packet(&f, LAN1, LAN2, six ? "2001:db8:20::10" : "10.20.0.10",
			   six ? "2001:db8:30::10" : "10.30.1.10", 6, 502);
		if (kind == 2)
			p = packet(&f, LAN0, LAN1, "10.10.3.4", "10.20.0.80", 6, 443);
		assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
		if (kind == 2)
			assert_int_equal(judged(&w, &p, MARK_CONFIRMED).verdict, BOX_ACCEPT);
		for (unsigned type = 0; type < 256; type++)
			related_error(&w, &p, six, type);
		/* An error about a session that has ended. */
		q = error_about(&p, six, six ? 1 : 3);
		f.mark += 500;
		expect_drop(forward(&w, &q), R_RELATED);
	}
	maker_free(&w.k);
}

static void strays_are_answered_only_between_allowed_pairs(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p;
	struct box_result r;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	f.state = CT_INVALID;
	p.tcp_flags = ACK;
	r = forward(&w, &p);
	assert_int_equal(r.verdict, BOX_QUEUE);
	assert_int_equal(r.lane, LANE_CUT);
	assert_false(r.bypass);
	assert_int_equal(p.mark, MARK_STRAY);
	assert_int_equal(r.reason, R_NO_SESSION);
	p = packet(&f, LAN2, LAN1, "10.30.1.10", "10.20.0.10", 6, 33000);
	p.sport = 502;
	f.state = CT_INVALID;
	p.tcp_flags = SYN | ACK;
	/* its client still waits for it, or for the next */
	expect_drop(forward(&w, &p), R_INVALID);
	p.tcp_flags = ACK;
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	/* A stray segment does not pass, whatever verdict it is given. */
	for (unsigned o = 0; o < 8; o++) {
		struct box_packet q = p;

		q.mark = mark_make(1, LANE_CUT, (enum mark_outcome)o);
		expect_drop(box_run(&w.b, CHAIN_POST, &q), R_STALE);
		q.mark = mark_make(0, LANE_CUT, (enum mark_outcome)o);
		expect_drop(box_run(&w.b, CHAIN_POST, &q), R_STALE);
	}
	p.tcp_flags = RST;
	expect_drop(forward(&w, &p), R_INVALID); /* a RST is never answered by a RST */
	p.tcp_flags = ACK;
	p.iif = LAN0;
	expect_drop(forward(&w, &p), R_INVALID);
	p = packet(&f, LAN0, LAN2, "10.10.0.9", "10.30.1.10", 6, 502);
	f.state = CT_INVALID;
	expect_drop(forward(&w, &p), R_INVALID);
	p = packet(&f, LAN0, LAN1, "10.10.0.9", "10.20.0.10", 17, 53);
	f.state = CT_INVALID;
	expect_drop(forward(&w, &p), R_INVALID);
	/* The gate's RST leaves. The same with another mark, or into a session, does not. */
	p = packet(&f, LAN1, LAN1, "10.30.1.10", "10.20.0.10", 6, 40000);
	p.tcp_flags = RST | ACK;
	p.mark = MARK_STRAY;
	f.state = CT_INVALID;
	assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &p).verdict, BOX_ACCEPT);
	p.mark = 0;
	expect_drop(box_run(&w.b, CHAIN_OUTPUT, &p), R_SELF_OUT);
	p.mark = MARK_STRAY;
	f.state = CT_ESTABLISHED;
	expect_drop(box_run(&w.b, CHAIN_OUTPUT, &p), R_SELF_OUT);
	maker_free(&w.k);
}

static void the_box_itself(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p;

	(void)state;
	world_open(&w);
	for (unsigned type = 0; type < 256; type++) {
		bool nd_in = type == 133 || type == 135 || type == 136, nd_out = type == 135 || type == 136;

		p = packet(&f, LAN0, LAN0, "2001:db8:10::5", "2001:db8:10::1", 58, (uint16_t)(type << 8));
		p.hop_limit = 255;
		assert_int_equal(box_run(&w.b, CHAIN_INPUT, &p).verdict, nd_in || type == 128 ? BOX_ACCEPT : BOX_DROP);
		assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &p).verdict, nd_out ? BOX_ACCEPT : BOX_DROP);
		p.hop_limit = 254;
		assert_int_equal(box_run(&w.b, CHAIN_INPUT, &p).verdict, type == 128 ? BOX_ACCEPT : BOX_DROP);
		assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &p).verdict, BOX_DROP);
		/* Membership reports for multicast groups, which switches ask for: they have an
		 * option in the header. */
		p.hop_limit = 1;
		p.options = true;
		assert_int_equal(box_run(&w.b, CHAIN_GUARD, &p).verdict, type == 130 ? BOX_ACCEPT : BOX_DROP);
		assert_int_equal(box_run(&w.b, CHAIN_INPUT, &p).verdict,
				 type == 130 || type == 128 ? BOX_ACCEPT : BOX_DROP);
		assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &p).verdict,
				 type == 131 || type == 132 || type == 143 ? BOX_ACCEPT : BOX_DROP);
		p.hop_limit = 2;
		expect_drop(box_run(&w.b, CHAIN_GUARD, &p), R_IP_OPTIONS);
	}
	/* Neighbour solicitations beyond a limit are dropped, advertisements are not. */
	w.b.asked = true;
	for (unsigned type = 133; type <= 136; type++) {
		p = packet(&f, LAN0, LAN0, "2001:db8:10::5", "2001:db8:10::1", 58, (uint16_t)(type << 8));
		p.hop_limit = 255;
		assert_int_equal(box_run(&w.b, CHAIN_INPUT, &p).verdict, type == 136 ? BOX_ACCEPT : BOX_DROP);
	}
	w.b.asked = false;
	/* An echo reply or an error leaves at the interface at which its cause came in, whatever
	 * its source is. */
	for (uint32_t in = LAN0; in <= LAN2; in++)
		for (unsigned six = 0; six < 2; six++)
			for (unsigned error = 0; error < 2; error++) {
				p = packet(&f, in, LAN0, six ? "2001:db8:10::1" : "10.10.0.1",
					   six ? "2001:db8:10::5" : "10.10.0.5", six ? 58 : 1,
					   (uint16_t)((six     ? (error ? 3 : 129)
						       : error ? 11
							       : 0)
						      << 8));
				f.state = error ? CT_RELATED : CT_ESTABLISHED;
				/* the packet that caused it; the answer has its mark */
				(void)box_run(&w.b, CHAIN_GUARD, &p);
				assert_int_equal(p.mark, mark_arrived(in + 1));
				assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &p).verdict,
						 in == LAN0 ? BOX_ACCEPT : BOX_DROP);
				p.mark = 0; /* answered before the guard */
				expect_drop(box_run(&w.b, CHAIN_OUTPUT, &p), R_SPOOFED);
				/* it passed, so it came from the interface of its source */
				p.mark = MARK_FAST;
				assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &p).verdict, BOX_ACCEPT);
			}
	p = packet(&f, LAN0, LAN0, "2001:db8:30::5", "2001:db8:10::1", 58, 128 << 8);
	p.unrouted = true;
	expect_drop(box_run(&w.b, CHAIN_INPUT, &p), R_SPOOFED);
	p = packet(&f, LAN0, LAN0, "10.10.0.5", "10.10.0.1", 6, 443);
	expect_drop(box_run(&w.b, CHAIN_INPUT, &p), R_SELF);
	p = packet(&f, LAN0, LAN0, "10.10.0.5", "10.10.0.1", 17, 123);
	expect_drop(box_run(&w.b, CHAIN_INPUT, &p), R_SELF);
	p = packet(&f, LAN0, LAN0, "10.10.0.1", "10.10.0.5", 6, 443);
	expect_drop(box_run(&w.b, CHAIN_OUTPUT, &p), R_SELF_OUT);
	maker_free(&w.k);
}

static void a_gate_resets_only_its_own_lane(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	for (uint32_t lane = 1; lane < LANE_COUNT; lane++) {
		q = next(&p, 0);
		q.tcp_flags = RST;
		q.mark = mark_make(0, lane, MARK_UNJUDGED);
		assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &q).verdict,
				 lane == mark_lane(f.mark) ? BOX_ACCEPT : BOX_DROP);
	}
	q.mark = mark_make(0, mark_lane(f.mark), MARK_UNJUDGED);
	q.tcp_flags = SYN | RST;
	assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &q).verdict, BOX_DROP);
	q.tcp_flags = RST;
	/* An end may answer this reset by a bare acknowledgement, so from here on the worker gets
	 * bare acknowledgements again. Nothing else in the mark changes. */
	for (uint32_t o = MARK_UNJUDGED; o <= MARK_QUIET; o++) {
		f.mark = mark_make(mark_permit(f.mark), mark_lane(f.mark), (enum mark_outcome)o);
		q.mark = mark_make(0, mark_lane(f.mark) ^ 1u, MARK_UNJUDGED);
		assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &q).verdict, BOX_DROP);
		assert_int_equal(mark_outcome(f.mark), o);
		q.mark = mark_make(0, mark_lane(f.mark), MARK_UNJUDGED);
		assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &q).verdict, BOX_ACCEPT);
		assert_int_equal(mark_outcome(f.mark), o == MARK_QUIET ? MARK_GOOD : o);
	}
	f.state = CT_INVALID; /* outside its window: not tracked, and not sent */
	assert_int_equal(box_run(&w.b, CHAIN_OUTPUT, &q).verdict, BOX_DROP);
	maker_free(&w.k);
}

/* Sessions of a service with companions go to one worker, whatever their transport and direction,
 * from the first packet on. */
static void openers_and_companions_meet(void **state)
{
	static const struct {
		const char *src, *dst;
		uint8_t proto;
		uint16_t port;
		bool together;
	} tries[] = {
		{ "10.20.0.20", "10.30.1.20", 6, 44818, true },
		{ "10.20.0.20", "10.30.1.20", 17, 2222, true },
		{ "2001:db8:20::20", "2001:db8:30::20", 6, 44818, true },
		{ "2001:db8:20::20", "2001:db8:30::20", 17, 2222, true },
		{ "10.20.0.20", "10.30.1.20", 6, 502, false },
	};
	struct world w = { 0 };

	(void)state;
	maker_init(&w.k);
	maker_site(&w.k);
	maker_together(&w.k);
	assert_true(maker_lower(&w.k));
	for (uint32_t i = 0; i < w.k.c.ir->n_permits; i++)
		w.ids[i] = 100 + i;
	world_rules(&w);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct box_flow f;
		struct box_packet p = packet(&f, LAN1, LAN2, tries[i].src, tries[i].dst, tries[i].proto, tries[i].port),
				  q;
		struct box_result r = forward(&w, &p);

		assert_int_equal(r.verdict, BOX_QUEUE);
		assert_int_equal(r.together, tries[i].together);
		for (uint8_t d = 0; d < 2; d++) {
			q = next(&p, d);
			r = forward(&w, &q);
			assert_int_equal(r.verdict, BOX_QUEUE);
			assert_int_equal(r.together, tries[i].together);
		}
		/* Looked up again, because its permit has ended. */
		f.mark = mark_make(77, mark_lane(f.mark), MARK_GOOD);
		q = next(&p, 0);
		r = forward(&w, &q);
		assert_int_equal(r.verdict, BOX_QUEUE);
		assert_int_equal(r.together, tries[i].together);
	}
	maker_free(&w.k);
}

/* Every chain ends with a drop, a queue or an accept; no packet leaves it without being counted. */
static void every_chain_ends(void **state)
{
	bool seen[CHAIN_COUNT] = { false };
	struct world w;
	char name[16];

	(void)state;
	world_open(&w);
	for (unsigned c = 0; c < CHAIN_COUNT; c++) {
		const struct ir_rule *last = NULL;

		for (size_t i = 0; i < w.b.n_rules; i++) {
			if (w.b.rules[i].chain != c)
				continue;
			last = &w.b.rules[i];
			assert_true(last->n >= 1 && last->n <= IR_STMTS);
			assert_int_equal(last->line, 0);
			for (uint32_t s = 0; s < last->n; s++)
				if (last->stmts[s].kind == IR_GOTO)
					seen[last->stmts[s].a] = true;
		}
		assert_true(strlen(ir_chain_name((enum ir_chain)c, name)) < 16);
		if (last == NULL) {
			assert_true(c >= CHAIN_LANE_FIRST);
			continue;
		}
		switch ((int)last->stmts[last->n - 1].kind) {
		case IR_DROP:
		case IR_QUEUE:
		case IR_GOTO:
		case IR_ACCEPT:
			break;
		default:
			fail_msg("chain %s has an open end", name);
		}
	}
	assert_true(seen[CHAIN_ADMIT] && seen[CHAIN_CUT] && seen[CHAIN_LAPSED] && seen[CHAIN_INVALID]);
	maker_free(&w.k);
}

/* While the cells are changed, packets that arrive are answered before packets that leave, and
 * where a cell is already removed; at no other time. */
static void bridges_answer_while_cells_change(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p;
	uint32_t mark, moved = 0;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN0, LAN1, "10.10.3.4", "10.20.0.80", 6, 443);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	mark = f.mark;
	for (size_t i = 0; i < w.b.n_elements; i++)
		if (w.b.elements[i].set == SET_RANGE4 && w.b.elements[i].data == mark) {
			w.b.elements[i].set = SET_BRIDGE4;
			moved++;
		}
	assert_true(moved > 0);
	p = packet(&f, LAN0, LAN1, "10.10.3.4", "10.20.0.80", 6, 443);
	expect_drop(forward(&w, &p), R_NO_CONDUIT);
	w.b.switched = true;
	p = packet(&f, LAN0, LAN1, "10.10.3.4", "10.20.0.80", 6, 443);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	assert_int_equal(f.mark, mark);
	/* A session whose permit has ended goes to the queue, too. */
	p = next(&p, 0);
	f.mark = mark_make(77, mark_lane(mark), MARK_GOOD);
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	assert_int_equal(mark_permit(f.mark), mark_permit(mark));
	maker_free(&w.k);
}

/* Many ranges are divided over several maps. Each range is in one of them, where it stays when
 * others come; packets find the ranges in all of them, and nothing between them. */
static void divided_ranges_are_found(void **state)
{
	enum { MANY = 80 };
	size_t in[SET_COUNT] = { 0 }, most = 0, least = SIZE_MAX;
	struct model_conduit *c;
	struct addr_range *ranges;
	struct world w;

	(void)state;
	memset(&w, 0, sizeof(w));
	maker_init(&w.k);
	maker_site(&w.k);
	c = maker_conduit(&w.k, "many", &w.k.m.zones[0], &w.k.m.zones[2], "10.10.0.1", "10.30.0.1", &w.k.m.services[0]);
	ranges = arena_array(w.k.arena, 2 * MANY, sizeof(*ranges));
	for (unsigned i = 0; i < MANY; i++) {
		ranges[i] = c->sources[0];
		ranges[i].lo.b[2] = ranges[i].hi.b[2] = (uint8_t)i;
		ranges[i].hi.b[3] = 2;
		ranges[MANY + i] = c->destinations[0];
		ranges[MANY + i].lo.b[3] = ranges[MANY + i].hi.b[3] = (uint8_t)(2 * i + 1);
	}
	c->sources = ranges;
	c->destinations = ranges + MANY;
	c->n_sources = c->n_destinations = MANY;
	assert_true(maker_lower(&w.k));
	assert_int_equal(ir_maps(w.k.c.ir).parts, IR_PARTS);
	for (uint32_t i = 0; i < w.k.c.ir->n_permits; i++)
		w.ids[i] = 100 + i;
	world_rules(&w);
	for (size_t i = 0; i < w.b.n_elements; i++)
		in[w.b.elements[i].set]++;
	for (unsigned s = SET_RANGE4; s < SET_RANGE4 + IR_PARTS; s++) {
		most = in[s] > most ? in[s] : most;
		least = in[s] < least ? in[s] : least;
	}
	assert_true(least > 0 && most < 2 * least);
	for (unsigned i = 0; i < 40 * MANY; i++) {
		char src[ADDR_TEXT], dst[ADDR_TEXT];
		unsigned from = i % 40, to = i / 40;
		struct box_flow f;
		struct box_packet p;

		snprintf(src, sizeof(src), "10.10.%u.%u", 2 * from, 1 + i % 2);
		snprintf(dst, sizeof(dst), "10.30.0.%u", 2 * to + 1);
		p = packet(&f, LAN0, LAN2, src, dst, 6, 502);
		assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
		snprintf(dst, sizeof(dst), "10.30.0.%u", 2 * to + 2);
		p = packet(&f, LAN0, LAN2, src, dst, 6, 502);
		expect_drop(forward(&w, &p), R_NO_CONDUIT);
	}
	maker_free(&w.k);
}

/* In an inspected session the option that offers further paths is removed from SYNs, their answers
 * and repetitions. A SYN that joins another session is dropped. */
static void inspected_sessions_have_one_path(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;

	(void)state;
	world_open(&w);
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	p.tcp_options = 1;
	assert_int_equal(forward(&w, &p).verdict, BOX_QUEUE);
	assert_int_equal(p.tcp_options, 0);
	for (uint8_t direction = 0; direction < 2; direction++) {
		q = next(&p, direction);
		q.tcp_flags = direction ? SYN | ACK : SYN;
		q.tcp_options = 1;
		assert_int_equal(forward(&w, &q).verdict, BOX_QUEUE);
		assert_int_equal(q.tcp_options, 0);
		q = next(&p, direction);
		q.tcp_flags = direction ? SYN | ACK : SYN;
		q.tcp_options = 2;
		expect_drop(forward(&w, &q), R_MULTIPATH);
	}
	p = packet(&f, LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502);
	p.tcp_options = 2;
	expect_drop(forward(&w, &p), R_MULTIPATH);
	maker_free(&w.k);
}

/* ---- limits ---------------------------------------------------------------------------------- */

#define IDLE 900u
#define LASTS 28800u

/* The site, with this limit for each permit; `again`: the next policy, whose permits have other
 * ids. */
static void limit(struct world *w, uint32_t idle, uint32_t session, bool again)
{
	uint64_t now = w->b.now;

	for (uint32_t i = 0; i < w->k.c.ir->n_permits; i++) {
		w->k.c.ir->permits[i].idle = idle;
		w->k.c.ir->permits[i].session = session;
		w->ids[i] += again ? 1000 : 0;
	}
	world_rules(w);
	w->b.now = again ? now : w->b.now;
}

/* One session of each kind: commands are inspected, only the protocol is recognised, not inspected;
 * TCP and UDP. */
static struct box_packet kind_of(struct world *w, struct box_flow *f, unsigned kind)
{
	static const struct {
		uint32_t iif, oif;
		const char *src, *dst;
		uint8_t proto;
		uint16_t port;
	} kinds[] = { { LAN1, LAN2, "10.20.0.10", "10.30.1.10", 6, 502 },
		      { LAN0, LAN1, "10.10.3.4", "10.20.0.80", 6, 443 },
		      { LAN0, WAN0, "10.10.0.4", "11.0.0.1", 17, 53 } };

	if (kind >= 3)
		for (uint32_t i = 0; i < w->k.c.ir->n_permits; i++)
			w->k.c.ir->permits[i].lane = LANE_NONE;
	kind %= 3;
	return packet(f, kinds[kind].iif, kinds[kind].oif, kinds[kind].src, kinds[kind].dst, kinds[kind].proto,
		      kinds[kind].port);
}

static bool passes(struct world *w, const struct box_packet *p, uint8_t direction)
{
	struct box_packet q = next(p, direction);
	struct box_result r = forward(w, &q);

	if (r.verdict == BOX_QUEUE && r.lane != LANE_CUT)
		r = judged(w, &q, MARK_GOOD);
	else if (r.verdict == BOX_ACCEPT)
		r = box_run(&w->b, CHAIN_POST, &q);
	return r.verdict == BOX_ACCEPT;
}

/* The session is over and stays over, in both directions, also for packets that open a session, and
 * under every later policy. */
static void expect_over(struct world *w, const struct box_packet *p, enum reason reason)
{
	for (unsigned n = 0; n < 6; n++) {
		struct box_packet q = next(p, n % 2);
		struct box_result r;

		q.tcp_flags = n == 2 ? SYN : n == 3 ? SYN | ACK : ACK;
		q.flow->state = n == 4 && p->l4proto == 17 ? CT_NEW : CT_ESTABLISHED;
		r = forward(w, &q);
		assert_int_equal(r.verdict, p->l4proto == 6 ? BOX_QUEUE : BOX_DROP);
		assert_string_equal(reason_word(r.reason), reason_word(reason));
		if (p->l4proto == 6) {
			assert_int_equal(r.lane, LANE_CUT);
			assert_int_equal(q.mark, (reason == R_LIMIT_IDLE ? MARK_IDLED : MARK_AGED) |
							 (n % 2 != 0 ? MARK_REPLY : 0));
			assert_int_equal(mark_permit(p->flow->mark), 0);
		}
		if (n == 3)
			limit(w, IDLE, LASTS, true);
		if (n == 4)
			limit(w, IDLE + 1, LASTS + 1, true);
	}
}

static void begin(struct world *w, unsigned kind, struct box_flow *f, struct box_packet *p, uint32_t idle,
		  uint32_t session)
{
	world_open(w);
	*p = kind_of(w, f, kind);
	limit(w, idle, session, false);
	assert_int_not_equal(forward(w, p).verdict, BOX_DROP);
	assert_true(passes(w, p, 1));
	assert_true(passes(w, p, 0));
}

static void sessions_end_with_their_limits(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p;

	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		begin(&w, kind, &f, &p, IDLE, 0);
		for (unsigned n = 0; n < 100; n++) {
			w.b.now += IDLE - 1;
			assert_true(passes(&w, &p, n % 2));
		}
		w.b.now += IDLE;
		expect_over(&w, &p, R_LIMIT_IDLE);
		maker_free(&w.k);

		begin(&w, kind, &f, &p, IDLE, LASTS);
		for (unsigned n = 0; n < LASTS / (IDLE - 1); n++) {
			w.b.now += IDLE - 1;
			assert_true(passes(&w, &p, n % 2));
		}
		w.b.now += IDLE - 1;
		expect_over(&w, &p, R_LIMIT_SESSION);
		maker_free(&w.k);
	}
}

/* Whatever policies come and go meanwhile, whether the session has packets then or not. */
static void no_change_gives_a_session_more_time(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p;

	(void)state;
	for (unsigned kind = 0; kind < 6; kind++)
		for (unsigned speaks = 0; speaks < 2; speaks++) {
			begin(&w, kind, &f, &p, 0, LASTS);
			for (unsigned n = 0; n < 4; n++) {
				w.b.now += LASTS / 4 - 1;
				limit(&w, n % 2 != 0 ? LASTS : 0, LASTS + n, true);
				if (speaks)
					assert_true(passes(&w, &p, n % 2));
			}
			w.b.now += 4;
			limit(&w, 0, LASTS, true);
			expect_over(&w, &p, R_LIMIT_SESSION);
			maker_free(&w.k);
		}
}

/* A session that existed before its conduit had a limit gets the whole time, from its next packet
 * on. */
static void a_new_limit_begins_with_the_policy(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p;

	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		begin(&w, kind, &f, &p, 0, 0);
		assert_int_equal(f.mark & MARK_LIMITS, 0);
		w.b.now += 100 * LASTS;
		limit(&w, 0, LASTS, true);
		assert_true(passes(&w, &p, 1));
		w.b.now += LASTS - 1;
		assert_true(passes(&w, &p, 1));
		w.b.now += 1;
		expect_over(&w, &p, R_LIMIT_SESSION);
		maker_free(&w.k);
	}
}

static void strangers_keep_no_session_alive(void **state)
{
	struct world w;
	struct box_flow f;
	struct box_packet p, q;
	uint32_t mark;

	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		begin(&w, kind, &f, &p, IDLE, 0);
		w.b.now += IDLE - 1;
		mark = f.mark;
		q = next(&p, 0);
		q.iif = LAN3;
		expect_drop(forward(&w, &q), R_SPOOFED);
		q.unrouted = true;
		expect_drop(forward(&w, &q), R_SPOOFED);
		assert_int_equal(f.mark, mark);
		w.b.now += 1;
		q = next(&p, 0);
		q.iif = LAN3;
		q.unrouted = true;
		expect_drop(forward(&w, &q), R_SPOOFED);
		assert_int_equal(f.mark, mark);
		expect_over(&w, &p, R_LIMIT_IDLE);
		maker_free(&w.k);
	}
}

static void without_room_nothing_begins(void **state)
{
	struct world w;
	struct box_flow f, g;
	struct box_packet p, q;

	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		begin(&w, kind, &f, &p, IDLE, LASTS);
		w.b.crowded = true;
		q = kind_of(&w, &g, kind);
		expect_drop(forward(&w, &q), R_LIMIT_FULL);
		assert_true(passes(&w, &p, 1));
		assert_true(passes(&w, &p, 0));
		maker_free(&w.k);
	}
}

/* From these the program knows that the tap must get reports; lanes and layers do not matter. */
static void what_is_logged_wherever_it_is_counted(void **state)
{
	const struct ir_limits any = { .list = { 60, 3600 | IR_LIMIT_IDLE }, .n = 2 }, none = { .n = 0 };
	struct arena *a = arena_new(16u << 20);
	struct ir_rule *few, *all;
	size_t n_few = ir_skeleton(0, (struct ir_maps){ IR_LAYERS, 1 }, &any, a, &few),
	       n_all = ir_skeleton(~((uint64_t)1 << 63), (struct ir_maps){ 0, 1 }, &none, a, &all);

	(void)state;
	assert_true(n_few > 0 && n_all > 0);
	assert_true(ir_logged(few, n_few, R_NO_CONDUIT));
	assert_true(ir_logged(few, n_few, R_SPOOFED));
	assert_true(ir_logged(few, n_few, R_SELF));
	assert_true(ir_logged(few, n_few, R_DOWN_OPEN));
	/* Packets with these reasons are counted without a report, or nowhere. */
	assert_false(ir_logged(few, n_few, R_ENDED));
	assert_false(ir_logged(few, n_few, R_NO_SESSION));
	assert_false(ir_logged(few, n_few, R_DOWN_HELD));
	assert_false(ir_logged(few, n_few, R_CHECKSUM));
	for (uint32_t r = 0; r < REASON_COUNT; r++)
		if (r != R_LIMIT_FULL) /* without limits nobody counts */
			assert_int_equal(ir_logged(few, n_few, r), ir_logged(all, n_all, r));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_logged_wherever_it_is_counted),
		cmocka_unit_test(new_packets_agree_with_cells),
		cmocka_unit_test(command_lane_never_lets_go),
		cmocka_unit_test(bare_acknowledgements_pass_by_the_worker),
		cmocka_unit_test(naming_lane_lets_go_once_confirmed),
		cmocka_unit_test(a_session_that_begins_anew_is_not_the_old_one),
		cmocka_unit_test(spoofed_packets_change_nothing),
		cmocka_unit_test(odd_openings_are_refused),
		cmocka_unit_test(strangers_do_not_reach_tracking),
		cmocka_unit_test(the_mark_says_the_direction),
		cmocka_unit_test(shares_of_the_kernel),
		cmocka_unit_test(what_an_old_policy_judged_is_stale),
		cmocka_unit_test(lapsed_flows_are_looked_up_again),
		cmocka_unit_test(flows_nothing_allows_are_cut),
		cmocka_unit_test(isolated_but_for_what_is_kept),
		cmocka_unit_test(isolated_with_a_former_permit),
		cmocka_unit_test(failure_decisions),
		cmocka_unit_test(related_errors),
		cmocka_unit_test(strays_are_answered_only_between_allowed_pairs),
		cmocka_unit_test(the_box_itself),
		cmocka_unit_test(a_gate_resets_only_its_own_lane),
		cmocka_unit_test(bridges_answer_while_cells_change),
		cmocka_unit_test(divided_ranges_are_found),
		cmocka_unit_test(openers_and_companions_meet),
		cmocka_unit_test(inspected_sessions_have_one_path),
		cmocka_unit_test(sessions_end_with_their_limits),
		cmocka_unit_test(no_change_gives_a_session_more_time),
		cmocka_unit_test(a_new_limit_begins_with_the_policy),
		cmocka_unit_test(a_datagram_may_be_its_twins),
		cmocka_unit_test(without_a_twin_nothing_changes),
		cmocka_unit_test(a_twin_outlives_its_session),
		cmocka_unit_test(a_subscription_opens_a_session),
		cmocka_unit_test(nothing_else_opens_a_session),
		cmocka_unit_test(a_subscription_is_isolated),
		cmocka_unit_test(strangers_keep_no_session_alive),
		cmocka_unit_test(without_room_nothing_begins),
		cmocka_unit_test(every_chain_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
