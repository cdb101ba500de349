/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a tap that receives nothing is an alarm, and when the alarm is over.
 *
 * LINK: appliance/control/unserved.c
 */
#include "tests/unit/cmocka.h"

#include "appliance/control/unserved.h"

#define S 1000000000ull

static struct deaf d;
static uint64_t now;

static int set_up(void **state)
{
	(void)state;
	d = (struct deaf){ 0 };
	now = 1000 * S;
	return 0;
}

static enum deaf_change look(uint64_t later, uint64_t packets, bool heard, bool runs)
{
	now += later;
	return deaf_look(&d, packets, heard, runs, now, now);
}

static void quiet(unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++)
		assert_int_equal(look(S, 0, false, true), DEAF_SAME);
}

/* No alarm without traffic, nor with traffic that the tap hears, in whichever order both are
 * reported. */
static void nothing_is_nothing(void **state)
{
	(void)state;
	quiet(300);
	for (int i = 0; i < 300; i++)
		assert_int_equal(look(S, 5, true, true), DEAF_SAME);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(look(3600 * S, 1, false, true), DEAF_SAME);
		assert_int_equal(look(2 * S, 0, true, true), DEAF_SAME);
		assert_int_equal(look(3600 * S, 0, true, true), DEAF_SAME);
		assert_int_equal(look(2 * S, 1, false, true), DEAF_SAME);
	}
	assert_false(d.on);
	assert_int_equal(d.packets, 0);
}

static void packets_that_nobody_hears(void **state)
{
	uint64_t began;

	(void)state;
	assert_int_equal(look(S, 3, true, true), DEAF_SAME);
	/* Packets that were just heard. */
	for (uint64_t t = S; t < DEAF_WAIT_NS; t += S)
		assert_int_equal(look(S, 3, false, true), DEAF_SAME);
	assert_int_equal(d.packets, 0);
	assert_int_equal(look(S, 3, false, true), DEAF_SAME);
	began = now;
	for (uint64_t t = S; t < DEAF_APART_NS + DEAF_WAIT_NS; t += S)
		assert_int_equal(look(S, 3, false, true), DEAF_SAME);
	assert_int_equal(look(S, 3, false, true), DEAF_BEGINS);
	assert_int_equal(now - began, DEAF_APART_NS + DEAF_WAIT_NS);
	assert_int_equal(d.since_wall_ns, began);
	assert_int_equal(d.packets, 33);
	/* Nothing comes because the link is down: it is unknown whether the tap can hear. */
	quiet(600);
	assert_true(d.on);
	/* A tap that follows one that ended is not judged until it has heard something. */
	assert_int_equal(look(S, 2, false, false), DEAF_SAME);
	assert_int_equal(look(S, 2, false, true), DEAF_SAME);
	assert_int_equal(d.packets, 37);
	assert_int_equal(d.last_wall_ns, now);
	assert_int_equal(look(S, 1, true, true), DEAF_ENDS);
	assert_int_equal(d.packets, 37);
	deaf_forget(&d);
	assert_int_equal(d.packets, 0);
	assert_int_equal(d.since_wall_ns, 0);
	quiet(600);
}

/* A counter above the number of reports, or a few packets at once, are not continuous traffic. */
static void one_is_not_enough(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(look(S, 1000, false, true), DEAF_SAME);
	quiet(3600);
	/* After a pause of any length one more unheard packet is enough: the alarm begins
	 * DEAF_WAIT_NS later. */
	assert_int_equal(look(S, 1, false, true), DEAF_SAME);
	for (uint64_t t = S; t < DEAF_WAIT_NS; t += S)
		assert_int_equal(look(S, 0, false, true), DEAF_SAME);
	assert_int_equal(look(S, 0, false, true), DEAF_BEGINS);
	assert_int_equal(d.packets, 4001);
}

/* Heard just in time: the waiting begins anew. */
static void heard_in_time(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		for (uint64_t t = 0; t < DEAF_APART_NS + DEAF_WAIT_NS; t += S)
			assert_int_equal(look(S, 1, false, true), DEAF_SAME);
		assert_int_equal(look(S, 1, true, true), DEAF_SAME);
	}
}

/* A role that does not run is reported as not running. */
static void a_tap_that_does_not_run(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++)
		assert_int_equal(look(S, 1, false, true), DEAF_SAME);
	for (int i = 0; i < 60; i++)
		assert_int_equal(look(S, 1, false, false), DEAF_SAME);
	for (uint64_t t = 0; t < DEAF_APART_NS + DEAF_WAIT_NS; t += S)
		assert_int_equal(look(S, 1, false, true), DEAF_SAME);
	assert_int_equal(look(S, 1, false, true), DEAF_BEGINS);
	assert_int_equal(d.packets, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_nothing, set_up),
		cmocka_unit_test_setup(packets_that_nobody_hears, set_up),
		cmocka_unit_test_setup(one_is_not_enough, set_up),
		cmocka_unit_test_setup(heard_in_time, set_up),
		cmocka_unit_test_setup(a_tap_that_does_not_run, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
