/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `sekisho setup` accepts about a network with the box in its middle, word by word: each
 * mistake is reported as soon as it is typed.
 *
 * LINK: mgmt/cli/setup/sides.c appliance/base/addr.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>

#include "mgmt/cli/setup/setup.h"
#include "mgmt/cli/setup/sides.h"

static struct addr address(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static struct sides both_families(void)
{
	struct sides s = { .n_networks = 0 };

	assert_int_equal(sides_network(&s, "10.30.0.2/24"), SIDE_GOOD);
	assert_int_equal(sides_network(&s, "2001:db8:30::2/64"), SIDE_GOOD);
	return s;
}

static void network_is_taken(void **state)
{
	struct sides s = both_families();
	char text[2 * ADDR_TEXT];

	(void)state;
	assert_int_equal(s.n_networks, 2);
	addr_range_text(&s.networks[0].range, text, sizeof(text));
	assert_string_equal(text, "10.30.0.0/24");
	addr_text(&s.networks[1].own, text);
	assert_string_equal(text, "2001:db8:30::2");
	assert_int_equal(sides_network(&s, "10.31.0.2/24"), SIDE_TWICE);
	assert_int_equal(sides_network(&s, "2001:db8:31::2/64"), SIDE_TWICE);
}

static void network_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum side_fault want;
	} cases[] = {
		{ "", SIDE_WORD },
		{ "10.30.0.2", SIDE_WORD },
		{ "10.30.0.2/", SIDE_WORD },
		{ "10.30.0.2/33", SIDE_WORD },
		{ "10.30.0.300/24", SIDE_WORD },
		{ "/24", SIDE_WORD },
		{ "10.30.0.2-10.30.0.9", SIDE_WORD },
		{ "2001:db8::2/129", SIDE_WORD },
		{ "111111111111111111111111111111111111111111111111111111111111/24", SIDE_WORD },
		{ "10.30.0.0/24", SIDE_NOBODY },
		{ "10.30.0.255/24", SIDE_NOBODY },
		{ "2001:db8:30::/64", SIDE_NOBODY },
		{ "127.0.0.2/24", SIDE_NOBODY },
		{ "10.30.0.2/0", SIDE_NOBODY },
		{ "239.0.0.2/24", SIDE_NOBODY },
		{ "169.254.0.2/24", SIDE_NOBODY },
		{ "fe80::2/64", SIDE_NOBODY },
		{ "10.30.0.1/30", SIDE_SMALL },
		{ "10.30.0.1/31", SIDE_SMALL },
		{ "10.30.0.1/32", SIDE_SMALL },
		{ "2001:db8::1/127", SIDE_SMALL },
		{ "10.30.0.2/29", SIDE_GOOD },
		{ "2001:db8::1/126", SIDE_GOOD },
		/* in IPv6 the last address may belong to a host */
		{ "2001:db8::ffff/112", SIDE_GOOD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sides s = { .n_networks = 0 };
		enum side_fault f = sides_network(&s, cases[i].text);

		if (f != cases[i].want || s.n_networks != (f == SIDE_GOOD ? 1u : 0u))
			fail_msg("%s: %d, %zu networks", cases[i].text, f, s.n_networks);
	}
}

static void hosts_are_judged(void **state)
{
	static const struct {
		const char *text;
		enum side_fault want;
	} cases[] = {
		{ "10.30.0.10", SIDE_GOOD },
		{ "10.30.0.20-10.30.0.29", SIDE_GOOD },
		{ "10.30.0.64/26", SIDE_GOOD },
		/* the box is in this range, and is left out */
		{ "10.30.0.0-10.30.0.9", SIDE_GOOD },
		{ "2001:db8:30::10", SIDE_GOOD },
		{ "2001:db8:30::100/120", SIDE_GOOD },
		{ "rtg01", SIDE_WORD },
		{ "10.30.0.65/26", SIDE_WORD },
		{ "10.30.0.29-10.30.0.20", SIDE_WORD },
		{ "10.30.0.20-2001:db8:30::20", SIDE_WORD },
		{ "10.30.0.20-", SIDE_WORD },
		{ "-10.30.0.20", SIDE_WORD },
		{ "10.30.1.10", SIDE_OUTSIDE },
		{ "10.30.0.250-10.30.1.3", SIDE_OUTSIDE },
		{ "10.30.0.0/22", SIDE_OUTSIDE },
		{ "2001:db8:31::10", SIDE_OUTSIDE },
		{ "10.30.0.2", SIDE_NOBODY },
		{ "10.30.0.0", SIDE_NOBODY },
		{ "10.30.0.255", SIDE_NOBODY },
		{ "2001:db8:30::2", SIDE_NOBODY },
		{ "2001:db8:30::", SIDE_NOBODY },
		{ "10.30.0.200", SIDE_TAKEN },
		{ "10.30.0.195-10.30.0.205", SIDE_TAKEN },
		{ "10.30.0.128/25", SIDE_TAKEN },
		{ "10.30.0.204-10.30.0.220", SIDE_TAKEN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t side = 0; side < SIDES; side++) {
			struct sides s = both_families();
			enum side_fault f;

			assert_int_equal(sides_host(&s, 1 - side, "10.30.0.200-10.30.0.204"), SIDE_GOOD);
			f = sides_host(&s, side, cases[i].text);
			if (f != cases[i].want || s.n_hosts[side] != (f == SIDE_GOOD ? 1u : 0u))
				fail_msg("%s on side %zu: %d", cases[i].text, side, f);
		}
}

static void hosts_have_an_end(void **state)
{
	struct sides s = both_families();
	char text[ADDR_TEXT];

	(void)state;
	for (unsigned i = 0; i < SIDE_HOSTS; i++) {
		snprintf(text, sizeof(text), "10.30.0.%u", 10 + i);
		assert_int_equal(sides_host(&s, 0, text), SIDE_GOOD);
	}
	assert_int_equal(sides_host(&s, 0, "10.30.0.100"), SIDE_MANY);
	assert_int_equal(sides_host(&s, 1, "10.30.0.100"), SIDE_GOOD);
}

static void gateways_have_a_side(void **state)
{
	struct sides s = both_families();
	struct addr router = address("10.30.0.1"), other = address("2001:db8:30::1");

	(void)state;
	assert_int_equal(sides_gateway(&s, 0, "2001:db8:30::1"), SIDE_OUTSIDE);
	assert_int_equal(sides_gateway(&s, 0, "10.31.0.1"), SIDE_OUTSIDE);
	assert_int_equal(sides_gateway(&s, 0, "10.30.0.2"), SIDE_NOBODY);
	assert_int_equal(sides_gateway(&s, 0, "10.30.0.255"), SIDE_NOBODY);
	assert_int_equal(sides_gateway(&s, 0, "10.30.0.1/24"), SIDE_WORD);
	assert_int_equal(s.networks[0].gateway.family, 0);
	assert_int_equal(sides_gateway(&s, 0, "10.30.0.1"), SIDE_GOOD);
	assert_int_equal(addr_cmp(&s.networks[0].gateway, &router), 0);
	assert_int_equal(sides_gateway(&s, 1, "2001:db8:30::1"), SIDE_GOOD);
	/* The host is named on one side, so all others are on the other side. */
	assert_int_equal(sides_host(&s, 1, "10.30.0.10"), SIDE_GOOD);
	assert_true(sides_names(&s, 1, 0));
	assert_false(sides_names(&s, 1, 1));
	assert_false(sides_names(&s, 0, 0));
	assert_int_equal(sides_of(&s, &router), 0);
	assert_int_equal(sides_host(&s, 1, "10.30.0.1"), SIDE_GOOD);
	assert_int_equal(sides_of(&s, &router), 1);
	assert_int_equal(sides_of(&s, &other), 0);
	/* Hosts are named on both sides: for other hosts the side is open. */
	assert_int_equal(sides_host(&s, 0, "10.30.0.20"), SIDE_GOOD);
	assert_int_equal(sides_of(&s, &other), SIDES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(network_is_taken),	cmocka_unit_test(network_is_refused),
		cmocka_unit_test(hosts_are_judged),	cmocka_unit_test(hosts_have_an_end),
		cmocka_unit_test(gateways_have_a_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
