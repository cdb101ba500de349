/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a permit last let a session in, also when its end has come since and the kernel shows it no longer; and a conduit, whatever permits it has had.
 *
 * LINK: appliance/enforce/matched.c
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/enforce/enforce.h"
#include "appliance/enforce/matched.h"
#include "appliance/wire/mark.h"

/* Permits 10, 11, ... of the policy in force, if it has no list of them. */
uint32_t generation_permit(const struct generation_held *g, uint32_t id)
{
	for (uint32_t i = 0; g->ids != NULL && i < g->ir.n_permits; i++)
		if (g->ids[i] == id)
			return i;
	return g->ids == NULL && id >= 10 && id < 10 + g->ir.n_permits ? id - 10 : UINT32_MAX;
}

const struct command_permit *commands_permit(const struct command_table *t, uint32_t permit)
{
	return permit >= 1 && permit <= t->n_permits ? &t->permits[permit - 1] : NULL;
}

/* By the set's first key alone, which is all that these images have. */
const struct image_element *image_find(const struct image *i, unsigned set, const uint8_t *key, const uint8_t *key_end)
{
	(void)key_end;
	for (size_t k = 0; k < i->elements[set].n; k++)
		if (i->elements[set].list[k].key[0] == key[0])
			return &i->elements[set].list[k];
	return NULL;
}

/* The kernel shows 10 with so many packets, and 11 with so many; UINT64_MAX: it does not show it. */
static void look(struct matched *m, const struct generation_held *g, uint64_t ten, uint64_t eleven, uint64_t at)
{
	struct image_element list[2] = { 0 };
	struct image have = { 0 };
	size_t n = 0;

	if (ten != UINT64_MAX)
		list[n++] = (struct image_element){ .data = mark_make(10, LANE_NONE, MARK_GOOD), .packets = ten };
	if (eleven != UINT64_MAX)
		list[n++] = (struct image_element){ .data = mark_make(11, LANE_NONE, MARK_GOOD), .packets = eleven };
	have.elements[SET_UNTIL4].list = list;
	have.elements[SET_UNTIL4].n = n;
	matched_note(m, &have, g, at);
}

static void after_its_end(void **state)
{
	static struct generation_held g = { .ir = { .n_permits = 2 } };
	struct matched m = { 0 };

	(void)state;
	look(&m, &g, 0, 0, 100);
	look(&m, &g, 0, 3, 200);
	assert_int_equal(matched_last(&m, 10), 0);
	assert_int_equal(matched_last(&m, 11), 200);
	look(&m, &g, 0, UINT64_MAX, 300);
	look(&m, &g, 4, UINT64_MAX, 400);
	assert_int_equal(matched_last(&m, 10), 400);
	assert_int_equal(matched_last(&m, 11), 200);
	/* It is back, as when the clock was set to before its end, and counts anew. */
	look(&m, &g, 4, 0, 500);
	assert_int_equal(matched_last(&m, 11), 200);
	look(&m, &g, 4, 3, 600);
	assert_int_equal(matched_last(&m, 11), 600);
	assert_int_equal(matched_last(&m, 10), 400);
	free(m.list);
}

/* Hosts that counted 5 and 2 under permit 10 go on under 11 and 12: nobody came in by that. */
static void under_another_permit(void **state)
{
	static struct generation_held g = { .ir = { .n_permits = 2 } };
	struct image_element was[2] = { { .data = mark_make(10, LANE_NONE, MARK_GOOD), .key = { 1 }, .packets = 5 },
					{ .data = mark_make(10, LANE_NONE, MARK_GOOD), .key = { 2 }, .packets = 2 } };
	struct image_element is[2] = { { .data = mark_make(11, LANE_NONE, MARK_GOOD), .key = { 1 } },
				       { .data = mark_make(12, LANE_NONE, MARK_GOOD), .key = { 2 } } };
	struct image have = { 0 }, want = { 0 };
	struct matched m = { 0 };

	(void)state;
	have.elements[SET_EXACT4] = (struct image_elements){ .list = was, .n = 2 };
	want.elements[SET_EXACT4] = (struct image_elements){ .list = is, .n = 2 };
	matched_note(&m, &have, &g, 100);
	matched_carry(&m, &have, &want);
	is[0].packets = 5;
	is[1].packets = 3;
	matched_note(&m, &want, &g, 200);
	assert_int_equal(matched_last(&m, 11), 0);
	assert_int_equal(matched_last(&m, 12), 200);
	free(m.list);
}

static void of_another_policy(void **state)
{
	static struct generation_held g = { .ir = { .n_permits = 2 } }, next = { .ir = { .n_permits = 1 } };
	struct matched m = { 0 };

	(void)state;
	look(&m, &g, 0, 0, 100);
	look(&m, &g, 0, 3, 200);
	look(&m, &next, 0, UINT64_MAX, 300);
	assert_int_equal(matched_last(&m, 11), 0);
	assert_int_equal(m.n, 1);
	free(m.list);
}

/* A policy of conduits a, b (or c): a grants by the first permit alone, the other by both. Its permits have these ids. */
struct conduits {
	struct generation_held g;
	struct ir_conduit list[2];
	struct command_permit permits[2];
	struct command_grant grants[3];
	uint32_t ids[2];
};

static struct generation_held *policy(struct conduits *c, const char *other, uint32_t first, uint32_t second)
{
	*c = (struct conduits){
		.list = { { .name = "a" }, { .name = other } },
		.permits = { { .first_grant = 0, .n_grants = 2 }, { .first_grant = 2, .n_grants = 1 } },
		.grants = { { .conduit = 0 }, { .conduit = 1 }, { .conduit = 1 } },
		.ids = { first, second },
	};
	c->g.ir = (struct ir){ .conduits = c->list, .n_conduits = 2, .n_permits = 2 };
	c->g.ir.table =
		(struct command_table){ .permits = c->permits, .n_permits = 2, .grants = c->grants, .n_grants = 3 };
	c->g.ids = c->ids;
	return &c->g;
}

static void used(const struct matched *m, const struct generation_held *g, uint64_t first, uint64_t second)
{
	uint64_t *last = matched_conduits(m, g);

	assert_non_null(last);
	assert_int_equal(last[0], first);
	assert_int_equal(last[1], second);
	free(last);
}

static void conduits_outlive_permits(void **state)
{
	struct conduits one, two, three;
	struct generation_held *g = policy(&one, "b", 10, 11), *narrowed = policy(&two, "b", 20, 21),
			       *without = policy(&three, "c", 20, 21);
	struct matched m = { 0 };

	(void)state;
	look(&m, g, 0, 0, 100);
	look(&m, g, 3, 0, 200);
	look(&m, g, 3, 1, 300);
	used(&m, g, 200, 300);
	/* Narrowed: other permits, none of which let anybody in yet. */
	matched_leave(&m, g);
	look(&m, narrowed, UINT64_MAX, UINT64_MAX, 400);
	assert_int_equal(m.n, 0);
	used(&m, narrowed, 200, 300);
	/* One conduit is out for a while, as on a trial. */
	matched_leave(&m, narrowed);
	used(&m, without, 200, 0);
	matched_leave(&m, without);
	look(&m, g, 0, 0, 500);
	look(&m, g, 5, 0, 600);
	used(&m, g, 600, 600);
	matched_leave(&m, g);
	used(&m, narrowed, 600, 600);
	assert_int_equal(m.n_used, 2);
	while (m.n_used > 0)
		free(m.used[--m.n_used].name);
	free(m.used);
	free(m.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_its_end),
		cmocka_unit_test(under_another_permit),
		cmocka_unit_test(of_another_policy),
		cmocka_unit_test(conduits_outlive_permits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
