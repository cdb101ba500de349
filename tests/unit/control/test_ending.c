/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From when on a conduit's end is near, and since when a conduit has been in force over several
 * policies.
 *
 * LINK: appliance/control/ending.c
 */
#include "appliance/control/ending.h"
#include "policy/ir/ir.h"
#include "tests/unit/cmocka.h"

#define HOUR 3600u
#define DAY 86400u
#define T 1800000000u

static void the_last_tenth(void **state)
{
	(void)state;
	assert_int_equal(ending_near(T, T + 10 * HOUR), T + 9 * HOUR);
	/* A conduit's end is near for the last tenth of its time: at most a day, at least five
	 * minutes. */
	assert_int_equal(ending_near(T, T + 10 * DAY), T + 9 * DAY);
	assert_int_equal(ending_near(T, T + 300 * DAY), T + 299 * DAY);
	assert_int_equal(ending_near(T, T + 3000), T + 2700);
	assert_int_equal(ending_near(T, T + 2999), T + 2699);
	assert_int_equal(ending_near(T, T + HOUR / 2), T + HOUR / 2 - 300);
	assert_true(ending_near(T, T + 120) < T);
	/* The clock was set meanwhile. */
	assert_int_equal(ending_near(T + HOUR, T), T - 300);
	assert_int_equal(ending_near(0, 100), 0);
}

static void over_policies(void **state)
{
	struct ir_conduit first[] = { { .name = "a", .until = T + DAY },
				      { .name = "stays" },
				      { .name = "b", .until = T + DAY } };
	struct ir_conduit second[] = { { .name = "b", .until = T + 2 * DAY },
				       { .name = "c", .until = T + DAY },
				       { .name = "a", .until = T + DAY } };
	struct ir one = { .conduits = first, .n_conduits = 3 }, two = { .conduits = second, .n_conduits = 3 },
		  none = { 0 };
	struct endings e = { 0 };

	(void)state;
	assert_true(endings_take(&e, &one, T));
	assert_int_equal(e.n, 2);
	assert_int_equal(e.list[1].since, T);
	e.list[0].said = e.list[1].said = true;
	assert_true(endings_take(&e, &two, T + HOUR));
	assert_int_equal(e.n, 3);
	/* Another end counts as a new conduit; unchanged conduits continue. */
	assert_string_equal(e.list[0].name, "b");
	assert_int_equal(e.list[0].since, T + HOUR);
	assert_false(e.list[0].said);
	assert_int_equal(e.list[2].since, T);
	assert_true(e.list[2].said);
	/* At a start the earlier generations are read, also for conduits that the list has
	 * already. */
	assert_int_equal(endings_older(&e, &one, T - HOUR), 1);
	assert_int_equal(e.list[2].since, T - HOUR);
	assert_int_equal(e.list[0].since, T + HOUR);
	assert_int_equal(endings_older(&e, &one, T), 1);
	assert_int_equal(e.list[2].since, T - HOUR);
	assert_int_equal(endings_older(&e, &none, 0), 0);
	assert_true(endings_take(&e, &none, T));
	assert_int_equal(e.n, 0);
	/* A conduit that was removed and comes back begins anew. */
	assert_true(endings_take(&e, &one, T + 2 * HOUR));
	assert_int_equal(e.list[0].since, T + 2 * HOUR);
	endings_free(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_tenth),
		cmocka_unit_test(over_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
