/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/base/addr.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/addr.h"

static struct addr_range range(const char *lo, const char *hi)
{
	struct addr_range r;

	assert_true(addr_parse(lo, &r.lo));
	assert_true(addr_parse(hi, &r.hi));
	return r;
}

static void addresses_are_read_and_written(void **state)
{
	static const char *const good[] = { "0.0.0.0", "10.30.1.10",	 "255.255.255.255",
					    "::",      "2001:db8:10::1", "::ffff:1.2.3.4" };
	static const char *const bad[] = {
		"",	     "10",	   "10.1.1", "10.1.1.256",   "010.1.1.1",	  " 10.1.1.1",
		"10.1.1.1 ", "10.1.1.1/8", "g::",    "2001:db8:::1", "1:2:3:4:5:6:7:8:9", "fe80::1%eth0"
	};
	char text[ADDR_TEXT];
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(addr_parse(good[i], &a));
		addr_text(&a, text);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(addr_parse(bad[i], &a));
		assert_int_equal(a.family, 0);
	}
}

static void prefixes_tell_stray_bits(void **state)
{
	struct addr_range r;
	char text[2 * ADDR_TEXT];
	bool stray;

	(void)state;
	assert_true(prefix_parse("10.30.0.0/22", &r, &stray));
	assert_false(stray);
	addr_text(&r.hi, text);
	assert_string_equal(text, "10.30.3.255");
	assert_false(prefix_parse("10.30.1.0/22", &r, &stray));
	assert_true(stray);
	addr_range_text(&r, text, sizeof(text));
	assert_string_equal(text, "10.30.0.0/22");
	for (size_t i = 0; i < 6; i++) {
		static const char *const printed[] = { "10.0.0.1",    "10.0.0.0/8",    "10.0.0.1-10.0.0.9",
						       "2001:db8::1", "2001:db8::/64", "::1-2001:db8::ff" };

		assert_true(addr_range_parse(printed[i], &r));
		addr_range_text(&r, text, sizeof(text));
		assert_string_equal(text, printed[i]);
	}
	for (size_t i = 0; i < 8; i++) {
		static const char *const bad[] = { "",		 "-",	      "10.0.0.9-10.0.0.1",
						   "10.0.0.1-",	 "-10.0.0.1", "10.0.0.1-::1",
						   "x-10.0.0.1", "10.0.0.1/8" };

		assert_false(addr_range_parse(bad[i], &r));
	}
	assert_true(prefix_parse("0.0.0.0/0", &r, &stray));
	assert_true(prefix_parse("2001:db8::/32", &r, &stray));
	assert_true(prefix_parse("2001:db8::1/128", &r, &stray));
	assert_true(prefix_parse("10.1.1.1", &r, &stray));
	assert_int_equal(addr_cmp(&r.lo, &r.hi), 0);
	for (size_t i = 0; i < 8; i++) {
		static const char *const bad[] = { "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08",  "10.0.0.0/-1",
						   "::/129",	  "/8",	       "10.0.0.0/8/8", "10.0.0.0/4294967304" };

		assert_false(prefix_parse(bad[i], &r, &stray));
		assert_false(stray);
	}
}

static void ranges_print_as_prefix_when_they_are_one(void **state)
{
	struct addr_range r = range("10.0.0.0", "10.0.0.255"), odd = range("10.0.0.1", "10.0.0.255"),
			  all = range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	char text[2 * ADDR_TEXT];
	unsigned len;

	(void)state;
	assert_true(addr_range_is_prefix(&r, &len));
	assert_int_equal(len, 24);
	assert_false(addr_range_is_prefix(&odd, &len));
	assert_true(addr_range_is_prefix(&all, &len));
	assert_int_equal(len, 0);
	addr_range_text(&odd, text, sizeof(text));
	assert_string_equal(text, "10.0.0.1-10.0.0.255");
	addr_range_text(&all, text, sizeof(text));
	assert_string_equal(text, "::/0");
}

static void neighbours_end_at_both_ends(void **state)
{
	struct addr a, b;

	(void)state;
	assert_true(addr_parse("10.0.255.255", &a));
	assert_true(addr_next(&a, &b));
	assert_true(addr_parse("10.1.0.0", &a));
	assert_int_equal(addr_cmp(&a, &b), 0);
	assert_true(addr_prev(&b, &a));
	assert_true(addr_parse("255.255.255.255", &a));
	assert_false(addr_next(&a, &b));
	assert_true(addr_parse("::", &a));
	assert_false(addr_prev(&a, &b));
	/* The last IPv4 address is not followed by an IPv6 address. */
	assert_true(addr_parse("255.255.255.255", &a));
	assert_true(addr_parse("::", &b));
	assert_true(addr_cmp(&a, &b) < 0);
}

/* meet and minus, compared with counting all addresses of a small space: those that differ in the
 * last byte. */
static void set_operations_agree_with_counting(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	printf("seed %u\n", seed);
	srand(seed);
	for (unsigned round = 0; round < 5000; round++) {
		unsigned p[4];
		struct addr_range a, b, both, parts[2];
		char text[32];
		bool meet;
		size_t n;

		for (unsigned i = 0; i < 4; i++)
			p[i] = (unsigned)rand() % 16;
		snprintf(text, sizeof(text), "10.0.0.%u", p[0] < p[1] ? p[0] : p[1]);
		addr_parse(text, &a.lo);
		snprintf(text, sizeof(text), "10.0.0.%u", p[0] < p[1] ? p[1] : p[0]);
		addr_parse(text, &a.hi);
		snprintf(text, sizeof(text), "10.0.0.%u", p[2] < p[3] ? p[2] : p[3]);
		addr_parse(text, &b.lo);
		snprintf(text, sizeof(text), "10.0.0.%u", p[2] < p[3] ? p[3] : p[2]);
		addr_parse(text, &b.hi);
		meet = addr_range_meet(&a, &b, &both);
		n = addr_range_minus(&a, &b, parts);
		assert_true(n <= 2);
		for (unsigned v = 0; v < 16; v++) {
			struct addr one;
			bool in_parts = false;

			snprintf(text, sizeof(text), "10.0.0.%u", v);
			addr_parse(text, &one);
			for (size_t i = 0; i < n; i++)
				in_parts = in_parts || addr_in(&one, &parts[i]);
			assert_int_equal(in_parts, addr_in(&one, &a) && !addr_in(&one, &b));
			assert_int_equal(meet && addr_in(&one, &both), addr_in(&one, &a) && addr_in(&one, &b));
		}
	}
}

static void other_families_never_meet(void **state)
{
	struct addr_range a = range("0.0.0.0", "255.255.255.255"), b = range("::", "ffff::"), both, parts[2];

	(void)state;
	assert_false(addr_range_meet(&a, &b, &both));
	assert_int_equal(addr_range_minus(&a, &b, parts), 1);
	assert_memory_equal(&parts[0], &a, sizeof(a));
	assert_int_equal(addr_range_minus(&a, &a, parts), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(prefixes_tell_stray_bits),
		cmocka_unit_test(ranges_print_as_prefix_when_they_are_one),
		cmocka_unit_test(neighbours_end_at_both_ends),
		cmocka_unit_test(set_operations_agree_with_counting),
		cmocka_unit_test(other_families_never_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
