/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person who knows the code but not the seed cannot choose which keys share a bucket: of keys
 * that share one under one seed, few do under another, and their order is not kept. Tested for each
 * half of the seed alone, for IPv4 and IPv6, and for the tables that packets fill.
 *
 * LINK: dpi/flow.c dpi/share.c appliance/base/addr.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dpi/flow.h"
#include "dpi/keyed.h"

#define BUCKETS 256u
#define HOSTS 16384u /* 64 in a bucket */

/* The bucket of host n in a table with this seed. */
typedef uint32_t place(const uint64_t seed[2], uint32_t n);

static struct addr host4(uint32_t n)
{
	return (struct addr){ .family = 4, .b = { 10, 30, (uint8_t)(n >> 8), (uint8_t)n } };
}

/* Addresses that differ in the half that an attacker in one network chooses. */
static struct addr host6(uint32_t n)
{
	return (struct addr){ .family = 6, .b = { 0x20, 0x01, 0x0d, 0xb8, [14] = (uint8_t)(n >> 8), (uint8_t)n } };
}

/* Addresses that differ in either half: the attacker may come from anywhere. */
static struct addr network6(uint32_t n)
{
	return (struct addr){ .family = 6, .b = { 0x20, 0x01, 0x0d, 0xb8, (uint8_t)(n >> 8), (uint8_t)n, [15] = 1 } };
}

/* Tables mix once more with their seed; here with a fixed number, so that only keyed_addr is
 * tested. */
static uint32_t of_address(const uint64_t seed[2], struct addr a)
{
	return (uint32_t)keyed_mix(keyed_addr(seed, &a), 0x9e3779b97f4a7c15u) % BUCKETS;
}

static uint32_t of_host4(const uint64_t seed[2], uint32_t n)
{
	return of_address(seed, host4(n));
}

static uint32_t of_host6(const uint64_t seed[2], uint32_t n)
{
	return of_address(seed, host6(n));
}

static uint32_t of_network6(const uint64_t seed[2], uint32_t n)
{
	return of_address(seed, network6(n));
}

static uint32_t where(const uint32_t *buckets, uint32_t wanted)
{
	for (uint32_t i = 0; i < BUCKETS; i++)
		if (buckets[i] == wanted)
			return i;
	fail_msg("nothing holds %u", wanted);
	return 0;
}

static uint32_t of_flow(const uint64_t seed[2], uint32_t n)
{
	static struct flow_table t;
	struct decoded d = { .src = host4(n), .dst = host4(65535), .l4proto = IP_TCP, .sport = 40000, .dport = 502 };
	uint32_t f, at;

	if (t.flows == NULL)
		assert_true(flow_init(&t, BUCKETS));
	assert_int_equal(t.mask, BUCKETS - 1);
	memcpy(t.seed, seed, sizeof(t.seed));
	f = flow_add(&t, &d, DIR_C2S, SHARE_OTHER, 0);
	at = where(t.buckets, f);
	flow_remove(&t, f);
	return at;
}

static uint32_t of_holder(const uint64_t seed[2], uint32_t n)
{
	static struct share_table t;
	struct addr client = host4(n), server = host4(65535);
	uint32_t h, at;

	if (t.holders == NULL)
		assert_true(share_init(&t, BUCKETS));
	assert_int_equal(t.mask, BUCKETS - 1);
	memcpy(t.seed, seed, sizeof(t.seed));
	h = share_holder(&t, SHARE_OTHER, &client, &server);
	at = where(t.buckets, h);
	share_book(&t, h, HELD_FLOWS, 1);
	share_book(&t, h, HELD_FLOWS, -1);
	return at;
}

static const struct {
	const char *name;
	place *at;
} places[] = { { "IPv4 addresses", of_host4 },
	       { "IPv6 addresses of a network", of_host6 },
	       { "IPv6 networks", of_network6 },
	       { "flows", of_flow },
	       { "holders", of_holder } };

static uint64_t drawn(void)
{
	uint64_t x;

	assert_int_equal(getrandom(&x, sizeof(x), 0), sizeof(x));
	return x;
}

/* How many hosts that share a bucket under `a` share buckets under `b`, and how many pairs of them
 * all keep their order. */
static void compare(const char *name, place *at, const uint64_t a[2], const uint64_t b[2])
{
	static uint32_t of_a[HOSTS], of_b[HOSTS];
	bool seen[BUCKETS] = { false };
	uint32_t met = 0, apart = 0, alike = 0, pairs = 0;

	for (uint32_t n = 0; n < HOSTS; n++) {
		of_a[n] = at(a, n);
		of_b[n] = at(b, n);
		if (of_a[n] != of_a[0])
			continue;
		met++;
		apart += !seen[of_b[n]];
		seen[of_b[n]] = true;
	}
	for (uint32_t n = 0; n + 7 < HOSTS; n++) {
		if (of_a[n] == of_a[n + 7] || of_b[n] == of_b[n + 7])
			continue;
		pairs++;
		alike += (of_a[n] < of_a[n + 7]) == (of_b[n] < of_b[n + 7]);
	}
	print_message("%s, seeds %016llx %016llx and %016llx %016llx: %u of a bucket are in %u; %u of %u pairs in the "
		      "same order\n",
		      name, (unsigned long long)a[0], (unsigned long long)a[1], (unsigned long long)b[0],
		      (unsigned long long)b[1], met, apart, alike, pairs);
	/* 64 hosts of one bucket are in about 57 of 256 buckets if they are drawn at random. */
	assert_in_range(met, 1, HOSTS / 64);
	assert_true(apart * 2 > met);
	assert_in_range(alike, pairs * 3 / 10, pairs * 7 / 10);
}

static void each_half_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (unsigned half = 0; half < 2; half++) {
			uint64_t a[2] = { drawn(), drawn() }, b[2] = { a[0], a[1] };

			b[half] = drawn();
			compare(places[i].name, places[i].at, a, b);
		}
}

/* The seed is used before the mixing: the difference of two hashes under one seed says nothing
 * about their difference under another. */
static void seed_is_mixed_in(void **state)
{
	uint64_t a[2] = { drawn(), drawn() }, b[2] = { drawn(), drawn() };

	(void)state;
	print_message("seeds %016llx %016llx and %016llx %016llx\n", (unsigned long long)a[0], (unsigned long long)a[1],
		      (unsigned long long)b[0], (unsigned long long)b[1]);
	for (uint32_t n = 1; n < HOSTS; n++) {
		struct addr x = host6(n), y = host6(n - 1);
		uint64_t xa = keyed_addr(a, &x), ya = keyed_addr(a, &y), xb = keyed_addr(b, &x), yb = keyed_addr(b, &y);

		assert_true((xa ^ ya) != (xb ^ yb) && xa - ya != xb - yb);
	}
}

/* Nobody can know the seed: each table has another one, and both halves are set. */
static void seeds_are_drawn(void **state)
{
	struct flow_table f[2];
	uint64_t all[8];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_true(flow_init(&f[i], 8));
		memcpy(all + 4 * i, f[i].seed, sizeof(f[i].seed));
		memcpy(all + 4 * i + 2, f[i].holders.seed, sizeof(f[i].holders.seed));
		flow_done(&f[i]);
	}
	for (unsigned i = 0; i < 8; i++) {
		assert_true(all[i] != 0);
		for (unsigned k = 0; k < i; k++)
			assert_true(all[i] != all[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_half_counts),
		cmocka_unit_test(seed_is_mixed_in),
		cmocka_unit_test(seeds_are_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
