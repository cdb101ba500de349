/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alarm of a poll loop: never late, never lost, and no work while it is set for an earlier
 * time.
 * LINK: appliance/base/wake.c appliance/base/clock.c
 */
#include "tests/unit/cmocka.h"

#include <poll.h>
#include <unistd.h>

#include "appliance/base/wake.h"

#define MS 1000000u
#define DEADLINE_MS 5000

static int setup(void **state)
{
	static struct wake a;

	*state = &a;
	return wake_open(&a);
}

static int teardown(void **state)
{
	return close(((struct wake *)*state)->fd);
}

static int rings_within(const struct wake *a, int ms)
{
	struct pollfd p = { .fd = a->fd, .events = POLLIN };

	return poll(&p, 1, ms);
}

static struct mono in(uint64_t ns)
{
	return (struct mono){ clock_mono().ns + ns };
}

static void silent_until_set(void **state)
{
	const struct wake *a = *state;

	assert_int_equal(rings_within(a, 0), 0);
	assert_true(a->at_ns == UINT64_MAX);
}

static void rings_once_and_not_before(void **state)
{
	struct wake *a = *state;
	struct mono at = in(20 * MS);

	assert_int_equal(wake_by(a, at), 0);
	assert_int_equal(rings_within(a, DEADLINE_MS), 1);
	assert_true(clock_mono().ns >= at.ns);
	wake_rang(a);
	assert_int_equal(rings_within(a, 0), 0);
	assert_true(a->at_ns == UINT64_MAX);
}

static void a_time_gone_by_rings_at_once(void **state)
{
	struct wake *a = *state;

	assert_int_equal(wake_by(a, (struct mono){ 0 }), 0);
	assert_int_equal(rings_within(a, DEADLINE_MS), 1);
	wake_rang(a);
	assert_int_equal(wake_by(a, clock_mono()), 0);
	assert_int_equal(rings_within(a, DEADLINE_MS), 1);
}

static void later_changes_nothing_earlier_does(void **state)
{
	struct wake *a = *state;
	struct mono far = in(3600000ull * MS), near = in(MS);

	assert_int_equal(wake_by(a, far), 0);
	assert_int_equal(wake_by(a, in(7200000ull * MS)), 0);
	assert_true(a->at_ns == far.ns);
	assert_int_equal(wake_by(a, near), 0);
	assert_true(a->at_ns == near.ns);
	assert_int_equal(rings_within(a, DEADLINE_MS), 1);
}

/* An alarm that is due is set for an earlier time before anybody has read it: it is still due. */
static void set_anew_before_it_was_read(void **state)
{
	struct wake *a = *state;

	assert_int_equal(wake_by(a, clock_mono()), 0);
	assert_int_equal(rings_within(a, DEADLINE_MS), 1);
	assert_int_equal(wake_by(a, (struct mono){ 1 }), 0);
	assert_int_equal(rings_within(a, DEADLINE_MS), 1);
	wake_rang(a);
	assert_true(a->at_ns == UINT64_MAX);
	assert_int_equal(rings_within(a, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(silent_until_set, setup, teardown),
		cmocka_unit_test_setup_teardown(rings_once_and_not_before, setup, teardown),
		cmocka_unit_test_setup_teardown(a_time_gone_by_rings_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(later_changes_nothing_earlier_does, setup, teardown),
		cmocka_unit_test_setup_teardown(set_anew_before_it_was_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
