/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether wall time was set shows in its difference to monotonic time.
 * LINK: appliance/base/clock.c
 */
#include "tests/unit/cmocka.h"

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
	assert_false(after(&c, 3651, BEGIN + 3601 * S)); /* a long pause of both clocks */
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

/* A daemon that asks several times a second is told the sum of small steps. */
static void small_steps_add_up(void **state)
{
	struct clock_pair c = { 0 };

	(void)state;
	after(&c, 10, BEGIN);
	assert_false(after(&c, 11, BEGIN + 19 * S / 10));
	assert_true(after(&c, 12, BEGIN + 38 * S / 10));
	assert_false(after(&c, 13, BEGIN + 57 * S / 10)); /* counted anew */
	assert_true(after(&c, 14, BEGIN + 76 * S / 10));
	for (uint64_t i = 1; i <= 10; i++)
		assert_int_equal(after(&c, 14 + i, BEGIN + 76 * S / 10 + i * S - i * S / 8), i == 9);
}

static void noise_does_not_add_up(void **state)
{
	struct clock_pair c = { 0 };

	(void)state;
	after(&c, 10, BEGIN);
	for (uint64_t i = 1; i <= 10000; i++)
		assert_false(after(&c, 10 + i, BEGIN + i * S + (i % 2 == 0 ? S / 1000 : 0)));
	/* not more than an adjustment of the clock's rate may cause */
	assert_false(after(&c, 20000, BEGIN + 19990 * S + S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_forward_back_and_not),
		cmocka_unit_test(an_adjustment_is_none),
		cmocka_unit_test(small_steps_add_up),
		cmocka_unit_test(noise_does_not_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
