/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of addresses that an isolation cuts: those of the order and those of the policy, each once.
 *
 * LINK: appliance/kernel/isolation_pairs.c appliance/kernel/apart.c policy/ir/isolation.c
 * LINK: appliance/kernel/image.c appliance/base/arena.c
 * LINK: appliance/wire/msg.c appliance/base/memfd.c
 * LINK: appliance/base/addr.c appliance/base/bytes.c appliance/base/clock.c appliance/base/err.c
 * LINK: appliance/base/json.c appliance/base/sha256.c appliance/base/utf8.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>

#include "appliance/kernel/isolation_pairs.h"

/* An order with `n` pairs of hosts, each named `times` times. */
static json_t *order_of(unsigned n, unsigned times)
{
	json_t *pairs = json_array();

	for (unsigned k = 0; k < times; k++)
		for (unsigned i = 0; i < n; i++) {
			char from[32], to[32];

			snprintf(from, sizeof(from), "10.10.%u.%u", i >> 8, i & 255);
			snprintf(to, sizeof(to), "10.30.%u.%u", i >> 8, i & 255);
			json_array_append_new(pairs, json_pack("[s, s]", from, to));
		}
	return json_pack("[{s:s, s:o, s:[]}]", "what", "zones a b", "pairs", pairs, "keep");
}

static size_t pairs_of_order(unsigned n, unsigned times)
{
	static struct ir ir;
	const struct isolated_policy now = { &ir, NULL };
	json_t *list = order_of(n, times);
	struct apart cut = { .n = 0 }, kept = { .n = 0 };
	size_t pairs;

	assert_true(isolation_pairs(list, &now, NULL, &cut, &kept));
	pairs = cut.n;
	assert_int_equal(kept.n, 0);
	apart_free(&cut);
	json_decref(list);
	return pairs;
}

/* If there are more than APART_MOST pairs, whole zones are cut, which are only a few pairs. */
static void pairs_count_once(void **state)
{
	size_t once = pairs_of_order(5000, 1);

	(void)state;
	assert_true(once > 0);
	assert_int_equal(pairs_of_order(5000, 2), once);
	assert_int_equal(pairs_of_order(2, 3), pairs_of_order(2, 1));
	assert_true(pairs_of_order(8193, 1) < once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_count_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
