/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMPILER_PARTS) policy/ir/elements.c
 * LIBS: nettle
 */
#include "policy/ir/elements.h"
#include "policy/ir/sets.h"
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/policy/model_make.h"

struct world {
	struct model_maker k;
	uint32_t ids[64];
	struct ir_element *e;
	size_t n;
};

static void world_open(struct world *w)
{
	memset(w, 0, sizeof(*w));
	maker_init(&w->k);
	maker_site(&w->k);
	assert_true(maker_lower(&w->k));
	for (uint32_t i = 0; i < w->k.c.ir->n_permits; i++)
		w->ids[i] = 50 - i;
	w->n = ir_elements(w->k.c.ir, w->ids, w->k.arena, &w->e);
	assert_true(w->n > 0);
}

static size_t index_of(const struct world *w, uint32_t id)
{
	for (uint32_t i = 0; i < w->k.c.ir->n_permits; i++)
		if (w->ids[i] == id)
			return i;
	fail_msg("permit %u is nobody's", id);
	return 0;
}

static bool single(const struct ir_element *e)
{
	return addr_cmp(&e->src.lo, &e->src.hi) == 0 && addr_cmp(&e->dst.lo, &e->dst.hi) == 0 && e->lo == e->hi;
}

static void every_cell_is_in_its_map(void **state)
{
	struct world w;
	size_t cells = 0;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < w.n; i++) {
		const struct ir_element *e = &w.e[i];
		const struct ir_permit *p;

		if (e->set < SET_UNTIL4 || e->set >= SET_CELLS_END)
			continue;
		cells++;
		p = &w.k.c.ir->permits[index_of(&w, mark_permit(e->data))];
		assert_int_equal(mark_lane(e->data), p->lane);
		assert_int_equal(mark_outcome(e->data), MARK_UNJUDGED);
		assert_int_equal(e->data & MARK_FAST, 0);
		assert_int_equal(e->src.lo.family, e->set >= SET_UNTIL6 ? 6 : 4);
		assert_true(e->line > 0);
		if (e->set == SET_UNTIL4 || e->set == SET_UNTIL6) {
			assert_int_equal(e->until, 2000000000u);
		} else {
			assert_int_equal(e->until, 0);
			assert_int_equal(single(e), e->set == SET_EXACT4 || e->set == SET_EXACT6);
		}
	}
	assert_int_equal(cells, w.k.c.ir->n_cells);
	maker_free(&w.k);
}

static void live_and_agree(void **state)
{
	bool agrees[64] = { false };
	size_t fast = 0, lasting = 0;
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < w.n; i++) {
		const struct ir_element *e = &w.e[i];
		const struct ir_permit *p;

		if (e->set == SET_AGREE) {
			assert_int_not_equal(e->mark_key, 0); /* permit 0 is never live */
			agrees[index_of(&w, e->mark_key)] = true;
		}
		if (e->set != SET_LIVE)
			continue;
		p = &w.k.c.ir->permits[index_of(&w, mark_permit(e->mark_key))];
		assert_int_equal(e->until, p->until);
		assert_int_equal(mark_lane(e->mark_key), p->lane);
		assert_true(e->iif < w.k.c.ir->n_interfaces && e->oif == UINT32_MAX && e->direction <= 1);
		assert_int_equal(mark_outcome(e->mark_key), MARK_UNJUDGED);
		/* One element for each interface, for all outcomes of a session. */
		assert_false(i > 0 && e[-1].set == SET_LIVE && e[-1].iif == e->iif && e[-1].direction == e->direction &&
			     mark_permit(e[-1].mark_key) == mark_permit(e->mark_key));
		if (p->lane == LANE_NONE) {
			assert_int_equal(e->data, MARK_FAST);
			fast++;
		} else {
			assert_int_equal(e->data, mark_make(mark_permit(e->mark_key), p->lane, MARK_UNJUDGED) |
							  (e->direction == 1 ? MARK_REPLY : 0));
			lasting++;
		}
	}
	assert_true(fast > 0 && lasting > 0);
	for (uint32_t i = 0; i < w.k.c.ir->n_permits; i++)
		assert_true(agrees[i]);
	maker_free(&w.k);
}

/* Permits whose sessions open what other permits use are kept together, and no others. */
static void who_stays_together(void **state)
{
	struct world w = { 0 };
	unsigned permits = 0, found = 0;

	(void)state;
	maker_init(&w.k);
	maker_site(&w.k);
	maker_together(&w.k);
	assert_true(maker_lower(&w.k));
	for (uint32_t i = 0; i < w.k.c.ir->n_permits; i++) {
		w.ids[i] = 50 - i;
		permits += protocols_have(&w.k.c.ir->permits[i].protocols, PROTO_ENIP);
	}
	w.n = ir_elements(w.k.c.ir, w.ids, w.k.arena, &w.e);
	for (size_t i = 0; i < w.n; i++) {
		if (w.e[i].set != SET_TOGETHER)
			continue;
		found++;
		assert_true(protocols_have(&w.k.c.ir->permits[index_of(&w, w.e[i].mark_key)].protocols, PROTO_ENIP));
		/* Permits that are not inspected need not be kept together. */
		w.k.c.ir->permits[index_of(&w, w.e[i].mark_key)].lane = LANE_NONE;
		assert_false(ir_together(&w.k.c.ir->permits[index_of(&w, w.e[i].mark_key)]));
	}
	assert_true(permits > 0 && permits == found);
	maker_free(&w.k);
}

static int compare(const struct ir_element *a, const struct ir_element *b)
{
	const uint64_t x[] = { a->set, a->iif, a->oif }, y[] = { b->set, b->iif, b->oif };
	int c = 0;

	for (size_t i = 0; i < 3 && c == 0; i++)
		c = (x[i] > y[i]) - (x[i] < y[i]);
	c = c ? c : addr_cmp(&a->src.lo, &b->src.lo);
	c = c ? c : addr_cmp(&a->dst.lo, &b->dst.lo);
	c = c ? c : a->l4proto - b->l4proto;
	c = c ? c : a->lo - b->lo;
	c = c ? c : a->direction - b->direction;
	return c ? c : (a->mark_key > b->mark_key) - (a->mark_key < b->mark_key);
}

static void canonical_and_without_doubles(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 1; i < w.n; i++)
		assert_true(compare(&w.e[i - 1], &w.e[i]) < 0);
	maker_free(&w.k);
}

static void lanes_and_resets(void **state)
{
	uint64_t lanes, resets = 0;
	struct world w;

	(void)state;
	world_open(&w);
	lanes = ir_lanes(w.k.c.ir);
	assert_int_equal(lanes & 1, 0);
	assert_int_equal(lanes >> LANE_CUT, 0);
	for (size_t i = 0; i < w.n; i++)
		if (w.e[i].set == SET_RESETS) {
			assert_int_equal(w.e[i].mark_key, w.e[i].mark_key2);
			resets |= (uint64_t)1 << mark_lane(w.e[i].mark_key);
		}
	assert_true(lanes == resets && lanes != 0);
	maker_free(&w.k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_in_its_map), cmocka_unit_test(live_and_agree),
		cmocka_unit_test(who_stays_together),	    cmocka_unit_test(canonical_and_without_doubles),
		cmocka_unit_test(lanes_and_resets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
