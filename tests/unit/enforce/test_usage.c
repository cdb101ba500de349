/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which permits are still in use: of the policy in force, and of those that were kept for their
 * sessions.
 *
 * LINK: appliance/enforce/usage.c appliance/base/arena.c
 */
#include "appliance/enforce/generation.h"
#include "appliance/enforce/usage.h"
#include "appliance/kernel/conntrack.h"
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/wire/mark.h"

/* Permits 10, 11, ... of the policy in force. */
uint32_t generation_permit(const struct generation_held *g, uint32_t id)
{
	return id >= 10 && id < 10 + g->ir.n_permits ? id - 10 : UINT32_MAX;
}

static struct session carries(uint32_t permit, bool ending)
{
	return (struct session){ .mark = mark_make(permit, LANE_NONE, MARK_GOOD), .ending = ending };
}

static void note(struct usage *u, uint32_t permit, bool ending)
{
	struct session s = carries(permit, ending);

	assert_int_equal(usage_note(&s, u), 0);
}

static struct arena *room(void)
{
	struct arena *a = arena_new(1u << 20);

	assert_non_null(a);
	return a;
}

static void of_the_policy_and_kept(void **state)
{
	static struct generation_held g = { .ir = { .n_permits = 3 },
					    .lingering = { { 900, 1 }, { 7, 1 }, { 901, 1 } },
					    .n_lingering = 3 };
	struct arena *a = room();
	struct usage u;

	(void)state;
	assert_true(usage_begin(&g, NULL, a, &u));
	note(&u, 11, false);
	note(&u, 12, true);
	note(&u, 900, false);
	note(&u, 7, true);
	assert_false(usage_has(&u, 10));
	assert_true(usage_has(&u, 11));
	assert_false(usage_has(&u, 12));
	assert_true(usage_has(&u, 900));
	assert_false(usage_has(&u, 7));
	assert_false(usage_has(&u, 901));
	assert_false(usage_has(&u, 5));
	/* A dump that was interrupted begins anew. */
	usage_restart(&u);
	assert_false(usage_has(&u, 11));
	assert_false(usage_has(&u, 900));
	arena_free(a);
}

/* Sessions that were cut stay in the kernel's table until they time out. They are still told apart
 * under a policy with thousands of permits. */
static void among_many_that_were_cut(void **state)
{
	static struct generation_held g = { .ir = { .n_permits = 3 }, .lingering = { { 5000, 1 } }, .n_lingering = 1 };
	struct arena *a = room();
	struct usage u;

	(void)state;
	assert_true(usage_begin(&g, NULL, a, &u));
	for (uint32_t id = 100; id < 4100; id++)
		note(&u, id, false);
	assert_false(usage_has(&u, 5000));
	note(&u, 5000, false);
	assert_true(usage_has(&u, 5000));
	assert_false(usage_has(&u, 100));
	arena_free(a);
}

/* After a restart of this role only the kernel's table shows which permits were kept. */
static void by_the_kernels_table(void **state)
{
	struct arena *a = room();
	struct image_element list[2] = { { .line = 0 }, { .line = 0 } };
	struct image have;
	uint32_t ids[] = { 77, 3 };
	struct usage u;

	(void)state;
	memset(&have, 0, sizeof(have));
	for (size_t i = 0; i < 2; i++)
		memcpy(list[i].key, &ids[i], sizeof(ids[i]));
	have.elements[TABLE_LINGERING].list = list;
	have.elements[TABLE_LINGERING].n = 2;
	assert_true(usage_begin(NULL, &have, a, &u));
	for (uint32_t id = 100; id < 4100; id++)
		note(&u, id, false);
	note(&u, 3, false);
	assert_true(usage_has(&u, 3));
	assert_false(usage_has(&u, 77));
	assert_false(usage_has(&u, 100));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_the_policy_and_kept),
		cmocka_unit_test(among_many_that_were_cut),
		cmocka_unit_test(by_the_kernels_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
