/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether wall time was set is told by comparing it with monotonic time.
 * LINK: appliance/base/clock.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "appliance/base/clock.h"

#define S 1000000000ull
#define BEGIN (1700000000ull * S)

static bool after(struct clock_pair *c, uint64_t mono_s, uint64_t wall_ns)
{
	return clock_was_set(c, (struct mono){ mono_s * S }, wall_ns);
}

static void set_forward_back_and_not(void **state)
{
	struct clock_pair c = { 0 };

	(void)state;
	assert_false(after(&c, 50, BEGIN)); /* nothing to compare with */
	assert_false(after(&c, 51, BEGIN + S));
	assert_false(after(&c, 3651, BEGIN + 3601 * S)); /* a long pause of both */
	assert_true(after(&c, 3652, BEGIN + 7200 * S));
	assert_false(after(&c, 3653, BEGIN + 7201 * S)); /* said once */
	assert_true(after(&c, 3654, BEGIN + 100 * S));
	assert_false(after(&c, 3655, BEGIN + 101 * S));
	assert_true(after(&c, 3655, 1000 * S)); /* 1970, as after a boot without a battery */
	assert_true(after(&c, 3656, BEGIN));
}

static void an_adjustment_is_none(void **state)
{
	struct clock_pair c = { 0 };

	(void)state;
	after(&c, 10, BEGIN);
	assert_false(after(&c, 11, BEGIN + S + S / 2));
	assert_false(after(&c, 12, BEGIN + 2 * S));
	assert_false(clock_was_set(&c, clock_mono(), clock_wall_ns()) &&
		     clock_was_set(&c, clock_mono(), clock_wall_ns()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_forward_back_and_not),
		cmocka_unit_test(an_adjustment_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
