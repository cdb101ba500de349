/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMPILER_PARTS) tests/unit/policy/evaluate_model.c policy/ir/evaluate.c
 * LINK: policy/ir/moment.c
 * LIBS: nettle
 */
/*
 * Two evaluators that share no code are compared: the meaning of the language, and the compiled
 * cells. Random models over a small space with random ends, packets at the limits of space and
 * time. SEED=n repeats a run.
 */
#include "policy/ir/evaluate.h"
#include "policy/ir/ir.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/ir/moment.h"
#include "tests/unit/policy/model_make.h"

/* Whether one map of the kernel would find both cells for one packet. */
static bool meet(const struct ir_cell *a, const struct ir_cell *b)
{
	return a->iif == b->iif && a->oif == b->oif && a->layer == b->layer && ir_cell_exact(a) == ir_cell_exact(b) &&
	       a->l4proto == b->l4proto && a->src.lo.family == b->src.lo.family && a->lo <= b->hi && b->lo <= a->hi &&
	       addr_cmp(&a->src.lo, &b->src.hi) <= 0 && addr_cmp(&b->src.lo, &a->src.hi) <= 0 &&
	       addr_cmp(&a->dst.lo, &b->dst.hi) <= 0 && addr_cmp(&b->dst.lo, &a->dst.hi) <= 0;
}

/* The conduits of a cell's grants, each once and in increasing order. */
static size_t conduits_of(const struct ir *ir, uint32_t permit, uint32_t *ret)
{
	const struct command_permit *p = &ir->table.permits[permit];
	size_t n = 0;

	for (uint32_t i = 0; i < p->n_grants; i++) {
		uint32_t c = ir->table.grants[p->first_grant + i].conduit;

		if (n == 0 || ret[n - 1] != c)
			ret[n++] = c;
	}
	return n;
}

static void compare(const struct model *m, const struct ir *ir, const struct question *q)
{
	uint32_t want[64], have[64];
	size_t n_want = evaluate_model(m, q, want, 64), n_have = 0;
	const struct ir_cell *c = evaluate_ir(ir, q);

	if (c != NULL)
		n_have = conduits_of(ir, c->permit, have);
	assert_int_equal(n_want, n_have);
	for (size_t i = 0; i < n_want; i++)
		assert_int_equal(want[i], have[i]);
}

static void random_models_agree(void **state)
{
	const char *given = getenv("SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL), crossed = 0;

	(void)state;
	print_message("SEED=%u\n", seed);
	for (int round = 0; round < 300; round++) {
		struct model_maker k;

		maker_init(&k);
		maker_random(&k, &seed);
		assert_true(maker_lower(&k));
		for (uint32_t i = 0; i < k.c.ir->n_cells; i++)
			for (uint32_t j = i + 1; j < k.c.ir->n_cells; j++)
				assert_false(meet(&k.c.ir->cells[i], &k.c.ir->cells[j]));
		for (int p = 0; p < 400; p++) {
			struct question q = maker_question(&k, &seed);

			compare(&k.m, k.c.ir, &q);
			/* The second before some end, and this second itself. */
			q.now = maker_end(&k, &seed, q.now);
			compare(&k.m, k.c.ir, &q);
			crossed += evaluate_ir(k.c.ir, &q) != NULL;
		}
		maker_free(&k);
	}
	/* If nothing ever crossed, the test would prove nothing. */
	assert_true(crossed > 1000);
}

/* Of the cells that are valid at one moment, no two are found for one packet by one map of the
 * kernel. */
static void assert_apart(const struct ir *ir, uint64_t moment)
{
	for (uint32_t i = 0; i < ir->n_cells; i++)
		for (uint32_t j = i + 1; j < ir->n_cells && ir->cells[j].layer == ir->cells[i].layer; j++) {
			const struct ir_cell *a = &ir->cells[i], *b = &ir->cells[j];
			uint64_t ua = ir->permits[a->permit].until, ub = ir->permits[b->permit].until;

			if ((ua == 0 || ua > moment) && (ub == 0 || ub > moment))
				assert_false(meet(a, b));
		}
}

/* Opens some doors for a while, and some until a moment ago, both in the model of the text and in
 * the generation. */
static void open_doors(struct model_maker *k, unsigned *seed, uint64_t moment)
{
	for (uint32_t i = 0; i < k->c.ir->n_doors; i++) {
		uint64_t until = moment - 1 + (uint64_t)rand_r(seed) % 2 * (1 + (uint64_t)rand_r(seed) % 20000);

		k->m.doors[i].open_until = k->c.ir->doors[i].open_until = rand_r(seed) % 3 == 0 ? 0 : until;
	}
}

/*
 * Conduits with hours: the generation is asked at a moment, and then at later moments before
 * something opens again, without being told the time. This is what the kernel has from one opening
 * to the next.
 */
static void hours_agree(void **state)
{
	const char *given = getenv("SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL), crossed = 0,
		 refused = 0, opened = 0;

	(void)state;
	print_message("SEED=%u\n", seed);
	for (int round = 0; round < 200; round++) {
		struct model_maker k;

		maker_init(&k);
		maker_random_hours(&k, &seed);
		if (!maker_lower(&k)) {
			refused++; /* too many layers */
			maker_free(&k);
			continue;
		}
		for (int at = 0; at < 40; at++) {
			uint64_t moment = 86400 * 2 + 1800 * ((uint64_t)rand_r(&seed) % 960) -
					  (uint64_t)rand_r(&seed) % 2,
				 next;

			open_doors(&k, &seed, moment);
			next = ir_at(k.c.ir, moment);
			assert_true(next > moment);
			opened += next != UINT64_MAX;
			assert_apart(k.c.ir, moment);
			for (int p = 0; p < 12; p++) {
				struct question q = maker_question(&k, &seed);

				q.now = moment;
				compare(&k.m, k.c.ir, &q);
				crossed += evaluate_ir(k.c.ir, &q) != NULL;
				/* Nothing opens before `next`, and what ends does so without being
				 * told. */
				q.now = next == UINT64_MAX ? moment + (uint64_t)rand_r(&seed) % 864000
							   : moment + (uint64_t)rand_r(&seed) % (next - moment);
				compare(&k.m, k.c.ir, &q);
				if (next != UINT64_MAX)
					q.now = next - 1;
				compare(&k.m, k.c.ir, &q);
			}
		}
		maker_free(&k);
	}
	print_message("%u crossed, %u openings, %u refused\n", crossed, opened, refused);
	assert_true(crossed > 1000 && opened > 1000 && refused < 60);
}

static struct question ask(const char *iif, const char *oif, const char *src, const char *dst, uint8_t proto,
			   uint16_t port)
{
	struct question q = { .iif = iif, .oif = oif, .l4proto = proto, .port = port, .now = 1000 };

	assert_true(addr_parse(src, &q.source));
	assert_true(addr_parse(dst, &q.destination));
	return q;
}

static void site_questions(void **state)
{
	struct model_maker k;
	struct question q;
	uint32_t list[8];

	(void)state;
	maker_init(&k);
	maker_site(&k);
	assert_true(maker_lower(&k));
	q = ask("lan1", "lan2", "10.20.0.10", "10.30.1.10", 6, 502);
	assert_int_equal(evaluate_model(&k.m, &q, list, 8), 2);
	assert_non_null(evaluate_ir(k.c.ir, &q));
	q = ask("lan1", "lan3", "2001:db8:20::10", "2001:db8:30::10", 6, 502);
	assert_int_equal(evaluate_model(&k.m, &q, list, 8), 2);
	q.iif = "lan0"; /* spoofed */
	assert_int_equal(evaluate_model(&k.m, &q, list, 8), 0);
	assert_null(evaluate_ir(k.c.ir, &q));
	q.iif = q.oif = NULL; /* the interfaces follow from the addresses */
	assert_int_equal(evaluate_model(&k.m, &q, list, 8), 2);
	assert_non_null(evaluate_ir(k.c.ir, &q));
	q = ask("lan0", "lan1", "2001:db8:10::1", "2001:db8:20::1", 58, 128 << 8);
	assert_int_equal(evaluate_model(&k.m, &q, list, 8), 1);
	assert_non_null(evaluate_ir(k.c.ir, &q));
	q = ask("lan0", "lan1", "2001:db8:10::1", "2001:db8:20::1", 1, 8 << 8);
	assert_int_equal(evaluate_model(&k.m, &q, list, 8), 0);
	assert_null(evaluate_ir(k.c.ir, &q));
	q = ask("wan0", "lan2", "2.3.4.5", "10.30.1.9", 6, 443);
	q.now = 1999999999u;
	assert_int_equal(evaluate_model(&k.m, &q, list, 8), 1);
	assert_non_null(evaluate_ir(k.c.ir, &q));
	q.now = 2000000000u;
	assert_int_equal(evaluate_model(&k.m, &q, list, 8), 0);
	assert_null(evaluate_ir(k.c.ir, &q));
	maker_free(&k);
}

/* A packet matches both a pair of hosts and the range below it: the pair decides, and has the
 * grants of both. */
static void a_pair_decides_over_its_range(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;
	struct question pair, beside;
	uint32_t list[8];

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan1");
	maker_interface(&k, "lan2");
	a = maker_zone(&k, "a", "lan1", "10.1.0.0/24");
	b = maker_zone(&k, "b", "lan2", "10.2.0.0/24");
	s = maker_service(&k, "s", PROTO_MODBUS, "tcp/502");
	maker_conduit(&k, "all", a, b, "", "", s);
	maker_conduit(&k, "one", a, b, "10.1.0.7", "10.2.0.9", s);
	assert_true(maker_lower(&k));
	pair = ask("lan1", "lan2", "10.1.0.7", "10.2.0.9", 6, 502);
	beside = ask("lan1", "lan2", "10.1.0.7", "10.2.0.8", 6, 502);
	assert_int_equal(evaluate_model(&k.m, &pair, list, 8), 2);
	assert_int_equal(evaluate_model(&k.m, &beside, list, 8), 1);
	compare(&k.m, k.c.ir, &pair);
	compare(&k.m, k.c.ir, &beside);
	maker_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(site_questions),
		cmocka_unit_test(a_pair_decides_over_its_range),
		cmocka_unit_test(random_models_agree),
		cmocka_unit_test(hours_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
