/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which permits continue under the same id, and which must not.
 *
 * LINK: $(COMPILER_PARTS) tests/unit/policy/evaluate_model.c policy/ir/carry.c policy/ir/evaluate.c
 * LIBS: nettle
 */
#include "policy/ir/evaluate.h"
#include "policy/ir/identity.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/policy/model_make.h"

struct gen {
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *reads, *whole, *tls;
};

static void begin_with(struct gen *g, const char *a, const char *b)
{
	maker_init(&g->k);
	maker_interface(&g->k, "lan0");
	maker_interface(&g->k, "lan1");
	g->a = maker_zone(&g->k, "a", "lan0", a);
	g->b = maker_zone(&g->k, "b", "lan1", b);
	g->reads = maker_service(&g->k, "reads", PROTO_MODBUS, "tcp/502");
	maker_allow(&g->k, g->reads, CLASS_READ, 0, 99);
	g->whole = maker_service(&g->k, "whole", PROTO_MODBUS, "tcp/502");
	g->tls = maker_service(&g->k, "tls", PROTO_TLS, "tcp/443");
}

static void begin(struct gen *g)
{
	begin_with(g, "10.1.0.0/24", "10.2.0.0/24");
}

static struct model_conduit *add(struct gen *g, const char *name, const char *src, const char *dst,
				 struct model_service *s)
{
	return maker_conduit(&g->k, name, g->a, g->b, src, dst, s);
}

/* The permit that decides a packet of this client. */
static uint32_t at(struct gen *g, const char *src, const char *dst)
{
	struct question q = { .iif = "lan0", .oif = "lan1", .l4proto = 6, .port = 502, .now = 1000 };
	const struct ir_cell *c;

	assert_true(addr_parse(src, &q.source) && addr_parse(dst, &q.destination));
	c = evaluate_ir(g->k.c.ir, &q);
	return c != NULL ? c->permit : UINT32_MAX;
}

/* Whether the permit of this packet in `now` continues as the permit of that packet in `next`. */
static bool goes_on(struct gen *now, struct gen *next, const char *src, const char *dst)
{
	uint32_t *from = arena_array(next->k.arena, next->k.c.ir->n_permits + 1u, sizeof(*from));

	assert_true(ir_carry_on(now->k.c.ir, next->k.c.ir, next->k.arena, from));
	return at(next, src, dst) != UINT32_MAX && from[at(next, src, dst)] == at(now, src, dst);
}

static void finish(struct gen *now, struct gen *next)
{
	maker_free(&now->k);
	maker_free(&next->k);
}

static void beside_others(void **state)
{
	struct gen now, next;

	(void)state;
	begin(&now);
	add(&now, "net", "", "", now.reads);
	assert_true(maker_lower(&now.k));
	begin(&next);
	add(&next, "net-renamed", "", "", next.reads);
	add(&next, "pair", "10.1.0.9", "10.2.0.9", next.whole);
	assert_true(maker_lower(&next.k));
	/* A pair of hosts inside the net is allowed more: sessions of the net continue. They also
	 * continue when the pair's conduit is removed, because the net's permit becomes wider. */
	assert_true(goes_on(&now, &next, "10.1.0.8", "10.2.0.9"));
	assert_true(goes_on(&next, &now, "10.1.0.8", "10.2.0.9"));
	finish(&now, &next);
}

/* A new conduit for a pair of hosts lies over a conduit for a net, and allows less there. Sessions
 * with the net's id may exist between these hosts, so the net's permit does not continue. */
static void a_pair_that_allows_less(void **state)
{
	struct gen now, next;

	(void)state;
	begin(&now);
	add(&now, "net", "", "", now.reads)->when_midstream = MID_RESET;
	assert_true(maker_lower(&now.k));
	begin(&next);
	add(&next, "net", "", "", next.reads)->when_midstream = MID_RESET;
	add(&next, "pair", "10.1.0.9", "10.2.0.9", next.whole)->when_midstream = MID_DROP;
	assert_true(maker_lower(&next.k));
	assert_int_equal(next.k.c.ir->n_cells, 2);
	assert_false(goes_on(&now, &next, "10.1.0.8", "10.2.0.9"));
	assert_true(goes_on(&next, &now, "10.1.0.8", "10.2.0.9"));
	/* If the pair was there before, nothing changes. */
	assert_true(goes_on(&next, &next, "10.1.0.8", "10.2.0.9"));
	finish(&now, &next);
}

static void narrowed_by_address(void **state)
{
	struct gen now, next;

	(void)state;
	begin(&now);
	add(&now, "net", "", "", now.reads);
	assert_true(maker_lower(&now.k));
	begin(&next);
	add(&next, "net", "10.1.0.0/25", "", next.reads);
	assert_true(maker_lower(&next.k));
	assert_false(goes_on(&now, &next, "10.1.0.8", "10.2.0.9"));
	assert_true(goes_on(&next, &now, "10.1.0.8", "10.2.0.9"));
	finish(&now, &next);
}

/* A conduit that replaces a part of another must allow as much: another service does not, nor a
 * stricter failure decision. */
static void what_takes_over(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		struct gen now, next;
		struct model_conduit *pair;

		begin(&now);
		add(&now, "net", "", "", now.reads)->when_down = FAIL_HOLD;
		assert_true(maker_lower(&now.k));
		begin(&next);
		add(&next, "net", "10.1.0.0/29", "", next.reads)->when_down = FAIL_HOLD;
		pair = add(&next, "rest", "10.1.0.8/29 10.1.0.16/28 10.1.0.32/27 10.1.0.64/26 10.1.0.128/25", "",
			   how == 1   ? next.tls
			   : how == 2 ? next.whole
				      : next.reads);
		pair->when_down = how == 3 ? FAIL_CLOSED : FAIL_HOLD;
		assert_true(maker_lower(&next.k));
		/* Only 0 continues: two conduits with the same rows share the space of the old
		 * permit. 2: a service that is written differently is not compared with the rows of
		 * the old one. */
		assert_int_equal(goes_on(&now, &next, "10.1.0.1", "10.2.0.9"), how == 0);
		finish(&now, &next);
	}
}

/* A conduit that ends earlier, or is stricter in any other setting, does not continue the permit;
 * one that is equal or less strict does. */
static void by_every_setting(void **state)
{
	static const struct {
		enum failure overloaded;
		enum midstream midstream;
		uint64_t until;
		uint8_t lenient;
		bool carries;
	} rest[] = {
		{ FAIL_HOLD, MID_RESET, 6000, LENIENT_UNIT, true },
		{ FAIL_OPEN, MID_RESET, 6000, LENIENT_UNIT, true },
		{ FAIL_CLOSED, MID_RESET, 6000, LENIENT_UNIT, false },
		{ FAIL_HOLD, MID_PICK_UP, 6000, LENIENT_UNIT, true },
		{ FAIL_HOLD, MID_DROP, 6000, LENIENT_UNIT, false },
		{ FAIL_HOLD, MID_RESET, 5999, LENIENT_UNIT, false },
		{ FAIL_HOLD, MID_RESET, 7000, LENIENT_UNIT, true },
		{ FAIL_HOLD, MID_RESET, 0, LENIENT_UNIT, true },
		{ FAIL_HOLD, MID_RESET, 6000, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
		struct gen now, next;
		struct model_conduit *c;

		begin(&now);
		now.reads->lenient = LENIENT_UNIT;
		c = add(&now, "net", "", "", now.reads);
		c->when_overloaded = FAIL_HOLD;
		c->until = 6000;
		assert_true(maker_lower(&now.k));
		begin(&next);
		next.reads->lenient = LENIENT_UNIT;
		c = add(&next, "net", "10.1.0.0/29", "", next.reads);
		c->when_overloaded = FAIL_HOLD;
		c->until = 6000;
		next.whole = maker_service(&next.k, "as-strict", PROTO_MODBUS, "tcp/502");
		maker_allow(&next.k, next.whole, CLASS_READ, 0, 99);
		next.whole->lenient = rest[i].lenient;
		c = add(&next, "rest", "10.1.0.8/29 10.1.0.16/28 10.1.0.32/27 10.1.0.64/26 10.1.0.128/25", "",
			next.whole);
		c->when_overloaded = rest[i].overloaded;
		c->when_midstream = rest[i].midstream;
		c->until = rest[i].until;
		assert_true(maker_lower(&next.k));
		assert_int_equal(goes_on(&now, &next, "10.1.0.1", "10.2.0.9"), rest[i].carries);
		finish(&now, &next);
	}
}

/* If weak TLS is denied from now on, the permit does not continue; if it is no longer denied, it
 * does. */
static void by_weak_tls(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 4; how++) {
		bool was = (how & 1u) != 0, is = (how & 2u) != 0;
		struct gen now, next;

		begin(&now);
		now.whole = maker_service(&now.k, "web", PROTO_TLS, "tcp/502");
		add(&now, "net", "", "", now.whole)->deny_weak_tls = was;
		assert_true(maker_lower(&now.k));
		assert_int_equal(now.k.c.ir->permits[0].deny_weak_tls, was);
		begin(&next);
		next.whole = maker_service(&next.k, "web", PROTO_TLS, "tcp/502");
		add(&next, "net", "10.1.0.0/29", "", next.whole)->deny_weak_tls = was;
		add(&next, "rest", "10.1.0.8/29 10.1.0.16/28 10.1.0.32/27 10.1.0.64/26 10.1.0.128/25", "", next.whole)
			->deny_weak_tls = is;
		assert_true(maker_lower(&next.k));
		assert_int_equal(goes_on(&now, &next, "10.1.0.1", "10.2.0.9"), was || !is);
		finish(&now, &next);
	}
}

/* This setting only concerns TLS: the permits of other sessions continue when a site denies weak
 * TLS. */
static void of_tls_alone(void **state)
{
	uint8_t identity[2][32];

	(void)state;
	for (unsigned how = 0; how < 2; how++) {
		struct gen g;

		begin(&g);
		add(&g, "net", "", "", g.reads)->deny_weak_tls = how == 1;
		assert_true(maker_lower(&g.k));
		assert_false(g.k.c.ir->permits[0].deny_weak_tls);
		memcpy(identity[how], g.k.c.ir->permits[0].identity, 32);
		maker_free(&g.k);
	}
	assert_memory_equal(identity[0], identity[1], 32);
}

/* Two conduits with the same settings and rows, which only differ in their addresses. One is
 * removed; the other keeps its id. */
static void twins(void **state)
{
	struct gen now, next;
	uint32_t from = 0;

	(void)state;
	begin(&now);
	add(&now, "one", "", "10.2.0.1", now.reads);
	add(&now, "two", "10.1.0.0/25", "10.2.0.2", now.reads);
	assert_true(maker_lower(&now.k));
	begin(&next);
	add(&next, "two", "", "10.2.0.2", next.reads);
	assert_true(maker_lower(&next.k));
	assert_true(goes_on(&now, &next, "10.1.0.5", "10.2.0.2"));
	finish(&now, &next);
	/* A conduit whose addresses changed does not continue the permit. */
	begin(&now);
	add(&now, "one", "10.1.0.1", "", now.reads);
	assert_true(maker_lower(&now.k));
	begin(&next);
	add(&next, "one", "10.1.0.2", "", next.reads);
	assert_true(maker_lower(&next.k));
	assert_int_equal(at(&next, "10.1.0.1", "10.2.0.2"), UINT32_MAX);
	assert_true(ir_carry_on(now.k.c.ir, next.k.c.ir, next.k.arena, &from));
	assert_int_equal(from, UINT32_MAX);
	finish(&now, &next);
}

/* A conduit with an end, for a host of a net that another conduit allows, changes nothing in the
 * permit of the net. If its end changes, the host gets another permit. */
static void windows(void **state)
{
	struct gen now, next;

	(void)state;
	begin(&now);
	add(&now, "net", "", "", now.reads);
	add(&now, "window", "10.1.0.9", "", now.whole)->until = 5000;
	assert_true(maker_lower(&now.k));
	begin(&next);
	add(&next, "net", "", "", next.reads);
	add(&next, "window", "10.1.0.9", "", next.whole)->until = 6000;
	assert_true(maker_lower(&next.k));
	assert_true(goes_on(&now, &next, "10.1.0.8", "10.2.0.9"));
	assert_false(goes_on(&now, &next, "10.1.0.9", "10.2.0.9"));
	finish(&now, &next);
}

/* A permit that continues is allowed by at least the conduits that allowed it before. Random
 * policies, in which one conduit is removed, added or moved. SEED=n repeats a run. */
static void never_too_much(void **state)
{
	const char *given = getenv("SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL), carried = 0;

	(void)state;
	print_message("SEED=%u\n", seed);
	for (int round = 0; round < 200; round++) {
		struct model_maker now, next;
		unsigned again = seed;
		uint32_t *from;

		maker_init(&now);
		maker_random(&now, &again);
		maker_init(&next);
		maker_random(&next, &seed);
		next.m.conduits[(unsigned)rand_r(&seed) % next.m.n_conduits].until = 500;
		assert_true(maker_lower(&now) && maker_lower(&next));
		from = arena_array(next.arena, next.c.ir->n_permits + 1u, sizeof(*from));
		assert_true(ir_carry_on(now.c.ir, next.c.ir, next.arena, from));
		for (int p = 0; p < 300; p++) {
			struct question q = maker_question(&now, &seed);
			const struct ir_cell *was, *is;
			uint32_t want[64], have[64];
			size_t n_want, n_have, k = 0;

			q.now = 600;
			was = evaluate_ir(now.c.ir, &q);
			for (uint32_t i = 0; was != NULL && i < next.c.ir->n_permits; i++) {
				if (from[i] != was->permit)
					continue;
				carried++;
				is = evaluate_ir(next.c.ir, &q);
				assert_non_null(is);
				n_want = evaluate_model(&now.m, &q, want, 64);
				n_have = evaluate_model(&next.m, &q, have, 64);
				for (size_t w = 0; w < n_want && is->permit == i; w++) {
					while (k < n_have && have[k] < want[w])
						k++;
					assert_true(k < n_have && have[k] == want[w]);
				}
			}
		}
		maker_free(&now);
		maker_free(&next);
	}
	assert_true(carried > 1000);
}

/* Thousands of permits with the same meaning, and all of them have moved: a permit that cannot be
 * matched in time gets a new id, which is safe. */
static void many_that_moved(void **state)
{
	struct timespec begin, end;
	struct gen g[2];
	uint32_t *from;

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		begin_with(&g[k], "10.1.0.0/16", "10.2.0.0/16");
		for (unsigned i = 0; i < 4000; i++) {
			char src[32], dst[32];

			snprintf(src, sizeof(src), "10.1.%u.%u", i / 200, i % 200 + 1);
			snprintf(dst, sizeof(dst), "10.2.%u.%u", i / 200, i % 200 + 1 + k);
			add(&g[k], "pair", src, dst, i % 2 ? g[k].reads : g[k].whole);
		}
		assert_true(maker_lower(&g[k].k));
	}
	from = arena_array(g[1].k.arena, g[1].k.c.ir->n_permits + 1u, sizeof(*from));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	assert_true(ir_carry_on(g[0].k.c.ir, g[1].k.c.ir, g[1].k.arena, from));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_true(end.tv_sec - begin.tv_sec < 5);
	finish(&g[0], &g[1]);
}

/* One of thousands of pairs below a broad conduit is removed: all other permits keep their ids. */
static void one_less_of_many(void **state)
{
	struct timespec begin, end;
	struct gen g[2];
	uint32_t *from;
	unsigned fresh = 0;

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		begin_with(&g[k], "10.1.0.0/16", "10.2.0.0/16");
		add(&g[k], "broad", "", "", g[k].reads);
		for (unsigned i = 0; i < 4000; i++) {
			char src[32], dst[32];

			snprintf(src, sizeof(src), "10.1.%u.%u", i / 200, i % 200 + 1);
			snprintf(dst, sizeof(dst), "10.2.%u.%u", i / 200, i % 200 + 1);
			if (k == 0 || i != 1234)
				add(&g[k], "pair", src, dst, g[k].whole);
		}
		assert_true(maker_lower(&g[k].k));
	}
	for (unsigned way = 0; way < 2; way++) {
		const struct ir *now = g[way].k.c.ir, *next = g[!way].k.c.ir;

		from = arena_array(g[0].k.arena, next->n_permits + 1u, sizeof(*from));
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
		assert_true(ir_carry_on(now, next, g[0].k.arena, from));
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
		print_message("%u cells, %.0f ms\n", next->n_cells,
			      1e3 * (double)(end.tv_sec - begin.tv_sec) + 1e-6 * (double)(end.tv_nsec - begin.tv_nsec));
		fresh = 0;
		for (uint32_t i = 0; i < next->n_permits; i++)
			fresh += from[i] == UINT32_MAX;
		print_message("%u permits, %u new ids\n", next->n_permits, fresh);
		assert_true(fresh <= 1);
	}
	finish(&g[0], &g[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_others),
		cmocka_unit_test(a_pair_that_allows_less),
		cmocka_unit_test(narrowed_by_address),
		cmocka_unit_test(what_takes_over),
		cmocka_unit_test(by_every_setting),
		cmocka_unit_test(by_weak_tls),
		cmocka_unit_test(of_tls_alone),
		cmocka_unit_test(twins),
		cmocka_unit_test(many_that_moved),
		cmocka_unit_test(one_less_of_many),
		cmocka_unit_test(windows),
		cmocka_unit_test(never_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
