/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Challenges: each is valid once, for its address and its time, and only unchanged.
 * LINK: appliance/accounts/challenges.c appliance/accounts/secret.c appliance/base/bytes.c
 * LINK: appliance/base/sha256.c appliance/base/addr.c
 * LIBS: nettle
 */
#include "appliance/accounts/challenges.h"
#include "appliance/base/addr.h"
#include "tests/unit/cmocka.h"

#include <string.h>

#define S UINT64_C(1000000000)
#define NOW (5000 * S)

static const struct addr here = { .family = 4, .b = { 192, 0, 2, 10 } },
			 there = { .family = 4, .b = { 192, 0, 2, 66 } };

static struct challenges begun(void)
{
	struct challenges c;

	assert_true(challenge_begin(&c));
	return c;
}

static void good_once_here_and_now(void **state)
{
	struct challenges c = begun(), other = begun();
	uint8_t one[WEBAUTHN_CHALLENGE], two[WEBAUTHN_CHALLENGE];

	(void)state;
	assert_true(challenge_make(&c, &here, NOW, one));
	assert_true(challenge_make(&c, &here, NOW, two));
	assert_memory_not_equal(one, two, sizeof(one));
	assert_false(challenge_use(&c, &there, NOW, one));
	/* a challenge from before a restart of the role */
	assert_false(challenge_use(&other, &here, NOW, one));
	assert_false(challenge_use(&c, &here, NOW - 1 * S, one));
	assert_false(challenge_use(&c, &here, NOW + WEBAUTHN_CHALLENGE_S * S, one));
	assert_true(challenge_use(&c, &here, NOW + (WEBAUTHN_CHALLENGE_S - 1) * S, one));
	assert_false(challenge_use(&c, &here, NOW + (WEBAUTHN_CHALLENGE_S - 1) * S, one));
	assert_false(challenge_use(&c, &here, NOW, one));
	assert_true(challenge_use(&c, &here, NOW, two));
}

static void each_bit_counts(void **state)
{
	struct challenges c = begun();
	uint8_t one[WEBAUTHN_CHALLENGE];

	(void)state;
	assert_true(challenge_make(&c, &here, NOW, one));
	for (unsigned bit = 0; bit < 8 * WEBAUTHN_CHALLENGE; bit++) {
		one[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(challenge_use(&c, &here, NOW, one));
		one[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(challenge_use(&c, &here, NOW, one));
}

/* If all places are used, nobody gets in with a key; challenges that are too old make room. */
static void all_places_used(void **state)
{
	struct challenges c = begun();
	uint8_t one[WEBAUTHN_CHALLENGE];

	(void)state;
	for (unsigned i = 0; i < CHALLENGE_USED; i++) {
		assert_true(challenge_make(&c, &here, NOW, one));
		assert_true(challenge_use(&c, &here, NOW, one));
	}
	assert_true(challenge_make(&c, &here, NOW + 1 * S, one));
	assert_false(challenge_use(&c, &here, NOW + 1 * S, one));
	assert_true(challenge_use(&c, &here, NOW + WEBAUTHN_CHALLENGE_S * S, one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_once_here_and_now),
		cmocka_unit_test(each_bit_counts),
		cmocka_unit_test(all_places_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
