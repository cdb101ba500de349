/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a permit last let a session in, also when its end has come since and the kernel shows it no longer.
 *
 * LINK: appliance/enforce/matched.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "appliance/enforce/enforce.h"
#include "appliance/enforce/matched.h"
#include "appliance/wire/mark.h"

/* Permits 10, 11, ... of the policy in force. */
uint32_t generation_permit(const struct generation_held *g, uint32_t id)
{
	return id >= 10 && id < 10 + g->ir.n_permits ? id - 10 : UINT32_MAX;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_its_end),
		cmocka_unit_test(of_another_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
