/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When packets that were not inspected are an alarm, how many they are, and when the alarm is over.
 *
 * LINK: appliance/control/unserved.c
 */
#include "tests/unit/cmocka.h"

#include "appliance/control/unserved.h"

#define S 1000000000ull

static struct unserved u;
static struct unserved_counts c;
static uint64_t now;
static uint32_t closed, open_, held, mixed;

static int set_up(void **state)
{
	(void)state;
	u = (struct unserved){ 0 };
	c = (struct unserved_counts){ 0 };
	now = 1000 * S;
	closed = lane_number((struct lane){ LANE_COMMANDS, CRIT_CARGO, FAIL_CLOSED, FAIL_CLOSED });
	open_ = lane_number((struct lane){ LANE_NAMING, CRIT_SUPPORT, FAIL_OPEN, FAIL_OPEN });
	held = lane_number((struct lane){ LANE_NAMING, CRIT_CARGO, FAIL_HOLD, FAIL_CLOSED });
	mixed = lane_number((struct lane){ LANE_COMMANDS, CRIT_CARGO, FAIL_CLOSED, FAIL_OPEN });
	return 0;
}

static enum unserved_change look(uint64_t later)
{
	now += later;
	return unserved_look(&u, &c, now, now);
}

static void nothing_is_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++)
		assert_int_equal(look(S), UNSERVED_SAME);
	assert_false(u.on);
	assert_int_equal(unserved_dropped(&u) + unserved_passed(&u), 0);
}

/* Many short failures are one alarm, with all their packets; the quiet time begins with the last
 * one. */
static void a_full_queue_at_once(void **state)
{
	(void)state;
	c.lanes[closed][UNSERVED_FULL] += 3;
	assert_int_equal(look(S), UNSERVED_BEGINS);
	assert_int_equal(u.since_wall_ns, now);
	for (int i = 0; i < 50; i++) {
		c.lanes[closed][i % 2 ? UNSERVED_FULL : UNSERVED_UNREAD] += 2;
		assert_int_equal(look(UNSERVED_QUIET_NS - S), UNSERVED_SAME);
		assert_true(u.on);
	}
	assert_int_equal(unserved_dropped(&u), 103);
	assert_int_equal(look(UNSERVED_QUIET_NS - 1), UNSERVED_SAME);
	assert_int_equal(look(1), UNSERVED_ENDS);
	assert_int_equal(unserved_dropped(&u), 103);
	unserved_forget(&u);
	assert_int_equal(unserved_dropped(&u), 0);
	assert_int_equal(look(S), UNSERVED_SAME);
	c.lanes[closed][UNSERVED_FULL]++;
	assert_int_equal(look(S), UNSERVED_BEGINS);
	assert_int_equal(unserved_dropped(&u), 1);
}

/* One or two workers that are replaced within a second or two are no alarm. A third is one, and so
 * is a worker that stays away. */
static void a_worker_away(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		c.lanes[closed][UNSERVED_AWAY] += 40;
		assert_int_equal(look(S), UNSERVED_SAME);
		c.lanes[closed][UNSERVED_AWAY] += 2;
		assert_int_equal(look(S), UNSERVED_SAME);
		assert_int_equal(look(20 * S), UNSERVED_SAME);
	}
	c.lanes[closed][UNSERVED_AWAY]++;
	assert_int_equal(look(S), UNSERVED_BEGINS);
	assert_int_equal(unserved_dropped(&u), 85);
	assert_int_equal(look(UNSERVED_QUIET_NS), UNSERVED_ENDS);
	unserved_forget(&u);
	/* One worker that is away every UNSERVED_QUIET_NS is no alarm. */
	for (int round = 0; round < 20; round++) {
		c.lanes[closed][UNSERVED_AWAY]++;
		assert_int_equal(look(S), UNSERVED_SAME);
		assert_int_equal(look(UNSERVED_QUIET_NS), UNSERVED_SAME);
	}
	for (int i = 0; i < 4; i++) {
		c.lanes[closed][UNSERVED_AWAY]++;
		assert_int_equal(look(S), i < 3 ? UNSERVED_SAME : UNSERVED_BEGINS);
	}
	assert_int_equal(unserved_dropped(&u), 4);
}

/* The kernel counts packets that the gates gave back. Only packets beyond that number passed
 * because of a full queue. */
static void what_passes(void **state)
{
	(void)state;
	c.lanes[open_][UNSERVED_AWAY] += 10;
	c.lanes[held][UNSERVED_AWAY] += 5;
	c.fates[UNSERVED_OPEN] += 10;
	c.fates[UNSERVED_HELD] += 3;
	c.fates[UNSERVED_HOLD_NEW] += 2;
	assert_int_equal(look(S), UNSERVED_SAME);
	assert_int_equal(look(S), UNSERVED_SAME);
	assert_int_equal(unserved_passed(&u), 13);
	assert_int_equal(unserved_dropped(&u), 2);
	assert_false(unserved_lane(&u, mixed));
	/* The counters are read one after the other: a difference in a single look means
	 * nothing. */
	c.fates[UNSERVED_OPEN] += 100;
	assert_int_equal(look(S), UNSERVED_SAME);
	c.lanes[open_][UNSERVED_AWAY] += 100;
	assert_int_equal(look(S), UNSERVED_SAME);
	assert_int_equal(look(S), UNSERVED_SAME);
	c.fates[UNSERVED_OPEN] += 1;
	assert_int_equal(look(S), UNSERVED_SAME);
	assert_int_equal(look(S), UNSERVED_BEGINS);
	assert_int_equal(unserved_passed(&u), 114);
	assert_true(unserved_lane(&u, open_));
	assert_true(unserved_lane(&u, held));
	/* The kernel does not say whose queue was full: it may be any lane that lets packets
	 * pass. */
	assert_true(unserved_lane(&u, mixed));
	assert_false(unserved_lane(&u, closed));
}

/* Packets of the cut lane belong to sessions that end in any case. */
static void the_cut_lane_is_none(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		for (unsigned cause = 0; cause < UNSERVED_CAUSES; cause++)
			c.lanes[LANE_CUT][cause] += 1000;
		assert_int_equal(look(S), UNSERVED_SAME);
	}
	assert_int_equal(unserved_dropped(&u), 0);
	assert_false(unserved_lane(&u, LANE_CUT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_nothing, set_up),
		cmocka_unit_test_setup(a_full_queue_at_once, set_up),
		cmocka_unit_test_setup(a_worker_away, set_up),
		cmocka_unit_test_setup(what_passes, set_up),
		cmocka_unit_test_setup(the_cut_lane_is_none, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
