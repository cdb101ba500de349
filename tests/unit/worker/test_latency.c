/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of the histogram of inspection times, and what is reported about the last minutes.
 *
 * LINK: appliance/worker/latency.c
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/worker/worker.h"

#define US 1000u
#define MINUTE LATENCY_WINDOW_NS

static struct latency l;

static void one(uint64_t ns, uint64_t *p50)
{
	memset(&l, 0, sizeof(l));
	latency_note(&l, 1, 1, ns, 5);
	/* a much longer time, because the longest one limits the result */
	latency_note(&l, 1, 1, UINT64_C(20000000000), 5);
	*p50 = latency_recent(&l, 1, 5).p50_ns;
}

/* The upper limit of a step is never below the time, at most a quarter above it, and in the same
 * power of two. */
static void steps(void **state)
{
	uint64_t p50;

	(void)state;
	for (uint64_t ns = 1; ns < UINT64_C(10000000000); ns += ns / 7 + 1) {
		one(ns, &p50);
		if (p50 < ns || p50 > (ns <= US ? US : ns + ns / 4 + US))
			fail_msg("%llu ns was told as %llu", (unsigned long long)ns, (unsigned long long)p50);
		for (uint32_t us = 1; us <= 1u << 20; us *= 2)
			if (latency_within(&l, 1, us) != (ns <= (uint64_t)us * US ? 1 : 0))
				fail_msg("%llu ns within %u us: %llu", (unsigned long long)ns, us,
					 (unsigned long long)latency_within(&l, 1, us));
	}
	one(UINT64_MAX / 4, &p50); /* beyond all of them */
	assert_int_equal(latency_within(&l, 1, 1u << 20), 0);
	assert_int_equal(l.shares[1].packets, 2);
}

static void the_last_minutes(void **state)
{
	struct latency_recent r;

	(void)state;
	memset(&l, 0, sizeof(l));
	r = latency_recent(&l, 2, 0);
	assert_true(r.p50_ns == 0 && r.p99_ns == 0 && r.max_ns == 0);
	latency_note(&l, 2, 98, 40 * US, MINUTE);
	latency_note(&l, 2, 2, 3000 * US, MINUTE);
	r = latency_recent(&l, 2, MINUTE);
	assert_in_range(r.p50_ns, 40 * US, 50 * US);
	assert_int_equal(r.p99_ns, 3000 * US);
	assert_int_equal(r.max_ns, 3000 * US);
	/* p99 says nothing about one in a thousand, the longest time does */
	latency_note(&l, 2, 1000, 40 * US, 2 * MINUTE);
	r = latency_recent(&l, 2, 2 * MINUTE);
	assert_in_range(r.p99_ns, 40 * US, 50 * US);
	assert_int_equal(r.max_ns, 3000 * US);
	r = latency_recent(&l, 2, 3 * MINUTE);
	assert_int_equal(r.max_ns, 40 * US);
	r = latency_recent(&l, 2, 4 * MINUTE);
	assert_int_equal(r.max_ns, 0);
	latency_note(&l, 2, 1, 7 * US, 4 * MINUTE);
	assert_int_equal(latency_recent(&l, 2, 900 * MINUTE).max_ns, 0); /* long after */
	/* The counts since the start stay. */
	assert_int_equal(l.shares[2].packets, 1101);
	assert_int_equal(l.shares[2].sum_ns, (uint64_t)(98 * 40 + 2 * 3000 + 1000 * 40 + 7) * US);
	assert_int_equal(latency_within(&l, 2, 64), 1099);
	assert_int_equal(latency_within(&l, 2, 4096), 1101);
}

/* The cut lane, and no lane. */
static void no_share(void **state)
{
	(void)state;
	memset(&l, 0, sizeof(l));
	latency_note(&l, LANE_SHARES, 5, 1, 1);
	latency_note(&l, 0, 0, 1, 1);
	for (uint32_t s = 0; s < LANE_SHARES; s++)
		assert_int_equal(l.shares[s].packets, 0);
	assert_int_equal(latency_recent(&l, LANE_SHARES, 1).max_ns, 0);
	assert_int_equal(latency_within(&l, LANE_SHARES, 1), 0);
}

static void a_minute_is_told_once(void **state)
{
	uint64_t p99 = 1;

	(void)state;
	memset(&l, 0, sizeof(l));
	assert_int_equal(latency_due(&l, 0), UINT64_MAX);
	assert_int_equal(latency_told(&l, 0, &p99), 0);
	latency_note(&l, 1, 10, 40 * US, MINUTE);
	latency_note(&l, 2, 5, 3000 * US, MINUTE);
	assert_int_equal(latency_due(&l, MINUTE), 0);
	assert_int_equal(latency_told(&l, MINUTE, &p99), 15);
	assert_in_range(p99, 3000 * US, 3750 * US);
	assert_int_equal(latency_due(&l, MINUTE), UINT64_MAX);
	latency_note(&l, 1, 4, 40 * US, MINUTE + 7);
	assert_int_equal(latency_due(&l, MINUTE + 7), MINUTE - 7);
	assert_int_equal(latency_told(&l, MINUTE + 7, &p99), 0);
	assert_int_equal(latency_told(&l, 2 * MINUTE, &p99), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps),
		cmocka_unit_test(the_last_minutes),
		cmocka_unit_test(a_minute_is_told_once),
		cmocka_unit_test(no_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
