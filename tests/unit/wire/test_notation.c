/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How numbers with any number of parts are read and printed: by examples, compared with a plain
 * reading for every range of small spaces, and for random ranges of the largest ones.
 * LINK: appliance/wire/notation.c appliance/wire/tag.c
 */
#include "tests/unit/cmocka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/wire/notation.h"
#include "tests/unit/wire/made_up.h"

static struct notation space(enum made_up_space s)
{
	return notation_of_space(&made_up_spaces[s]);
}

static void reads(struct notation n, const char *text, uint64_t lo, uint64_t hi)
{
	struct notation_mistake wrong;
	struct number_range r;

	if (!notation_read(&n, text, &r, &wrong))
		fail_msg("\"%s\" is refused: %d", text, wrong.fault);
	if (r.lo != lo || r.hi != hi)
		fail_msg("\"%s\" is %" PRIx64 "-%" PRIx64 ", not %" PRIx64 "-%" PRIx64, text, r.lo, r.hi, lo, hi);
}

static void prints(struct notation n, uint64_t lo, uint64_t hi, const char *expected)
{
	char text[NOTATION_TEXT];

	assert_int_equal(notation_text(&n, (struct number_range){ lo, hi }, text), strlen(expected));
	assert_string_equal(text, expected);
}

static void refuses(struct notation n, const char *text, enum notation_fault fault, size_t at, size_t width)
{
	struct notation_mistake wrong;
	struct number_range r = { 7, 8 };

	if (notation_read(&n, text, &r, &wrong))
		fail_msg("\"%s\" is taken", text);
	if (wrong.fault != fault || wrong.at != at || wrong.width != width)
		fail_msg("\"%s\": fault %d at %zu, %zu wide", text, wrong.fault, wrong.at, wrong.width);
	assert_int_equal(r.lo, 7);
	assert_int_equal(r.hi, 8);
}

static void one_number(void **state)
{
	struct notation n = space(MADE_UP_DATA);

	(void)state;
	reads(n, "0", 0, 0);
	reads(n, "99999", 99999, 99999);
	reads(n, "0-99999", 0, 99999);
	reads(n, "0x10-0x1F", 16, 31);
	reads(n, "007", 7, 7);
	prints(n, 0, 99999, "0-99999");
	prints(n, 65536, 65536, "65536");
	prints(n, 5, UINT64_MAX, "5-99999");
	refuses(n, "100000", NOTATION_HIGH, 0, 6);
	refuses(n, "5-100000", NOTATION_HIGH, 2, 6);
	refuses(n, "18446744073709551616", NOTATION_HIGH, 0, 20);
	refuses(n, "9-1", NOTATION_BACKWARDS, 0, 3);
	refuses(n, "1,2", NOTATION_SEVERAL, 0, 3);
	refuses(n, "1 2", NOTATION_SEVERAL, 0, 3);
	refuses(n, "", NOTATION_UNREADABLE, 0, 0);
	refuses(n, "-1", NOTATION_UNREADABLE, 0, 0);
	refuses(n, "1-", NOTATION_UNREADABLE, 2, 0);
	refuses(n, "1-2-3", NOTATION_UNREADABLE, 0, 1);
	refuses(n, "1.2", NOTATION_UNREADABLE, 2, 1);
	refuses(n, "1-2.3", NOTATION_UNREADABLE, 0, 1);
	refuses(n, "0x", NOTATION_UNREADABLE, 0, 2);
	refuses(n, "1f", NOTATION_UNREADABLE, 0, 2);
	refuses(n, "１", NOTATION_UNREADABLE, 0, 3);
	reads(notation_plain(INT64_MAX), "9223372036854775807", INT64_MAX, INT64_MAX);
	refuses(notation_plain(INT64_MAX), "9223372036854775808", NOTATION_HIGH, 0, 19);
}

static void hexadecimal(void **state)
{
	struct notation n = space(MADE_UP_RELAYS);

	(void)state;
	reads(n, "0x10", 16, 16);
	reads(n, "0X0-0x1fFf", 0, 0x1fff);
	prints(n, 16, 31, "0x10-0x1f");
	refuses(n, "10", NOTATION_DECIMAL, 0, 2);
	refuses(n, "1F", NOTATION_DECIMAL, 0, 2);
	refuses(n, "F0", NOTATION_DECIMAL, 0, 2);
	refuses(n, "0x10-1f", NOTATION_DECIMAL, 5, 2);
	refuses(n, "0x2000", NOTATION_HIGH, 0, 6);
	refuses(n, "1g", NOTATION_UNREADABLE, 0, 2);
}

static void paths(void **state)
{
	struct notation n = space(MADE_UP_BLOCKS);
	uint64_t block = (uint64_t)4 << 19;

	(void)state;
	reads(n, "4", block, block + (1u << 19) - 1);
	reads(n, "4-5", block, block + (2u << 19) - 1);
	reads(n, "4.100", block + 800, block + 807);
	reads(n, "4.100-109", block + 800, block + 879);
	reads(n, "4.100.3", block + 803, block + 803);
	reads(n, "4.0x64.3-5", block + 803, block + 805);
	reads(n, "65535.65535.7", n.max, n.max);
	refuses(n, "65536", NOTATION_HIGH, 0, 5);
	refuses(n, "4.65536.1", NOTATION_HIGH, 2, 5);
	refuses(n, "4.100.8", NOTATION_HIGH, 6, 1);
	refuses(n, "4.100.3-8", NOTATION_HIGH, 8, 1);
	refuses(n, "4.100.3.1", NOTATION_DEEP, 8, 1);
	refuses(n, "4-5.1", NOTATION_EARLY, 0, 1);
	refuses(n, "4.9-5", NOTATION_BACKWARDS, 2, 3);
	refuses(n, "4.", NOTATION_UNREADABLE, 2, 0);
	refuses(n, ".4", NOTATION_UNREADABLE, 0, 0);
	refuses(n, "4..1", NOTATION_UNREADABLE, 2, 0);
	prints(n, block, block + (1u << 19) - 1, "4");
	prints(n, block + 800, block + 815, "4.100-101");
	prints(n, block + 803, block + 805, "4.100.3-5");
	prints(n, 0, n.max, "0-65535");
	/* A range that no single path can name needs several: the rest of a byte, whole bytes, a
	 * block, and the same in reverse. */
	prints(n, block + 803, block + 817, "4.100.3-7,4.101,4.102.0-1");
	prints(n, block + 803, 3 * block + 9, "4.100.3-7,4.101-65535,5-11,12.0,12.1.0-1");
	prints(space(MADE_UP_OBJECTS), 0x6b, 0x6b, "0x0.0x0.0x6b");
	reads(space(MADE_UP_OBJECTS), "0x6b.0x1", ((uint64_t)0x6b << 47) + (1u << 15),
	      ((uint64_t)0x6b << 47) + (2u << 15) - 1);
	refuses(space(MADE_UP_OBJECTS), "0x6b.1", NOTATION_DECIMAL, 5, 1);
	reads(notation_of_target(&made_up_targets[3]), "1.2", 34, 34);
	reads(notation_of_target(&made_up_targets[3]), "1", 32, 63);
	prints(notation_of_target(&made_up_targets[3]), 34, 34, "1.2");
}

static void form(struct notation n, const char *expected)
{
	char text[64];

	notation_form(&n, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void forms(void **state)
{
	(void)state;
	form(space(MADE_UP_DATA), "number");
	form(space(MADE_UP_BLOCKS), "block.byte.bit");
	form(space(MADE_UP_DEEP), "a.b.c.d");
}

/* Reads a list of paths and checks that they are this range, each path beginning behind the one
 * before; returns their number. */
static unsigned says(const struct notation *n, const char *list, struct number_range r)
{
	char one[NOTATION_TEXT];
	struct notation_mistake wrong;
	struct number_range part;
	unsigned k = 0;

	for (uint64_t next = r.lo;; next = part.hi + 1, k++) {
		size_t len = strcspn(list, ",");

		snprintf(one, sizeof(one), "%.*s", (int)len, list);
		if (!notation_read(n, one, &part, &wrong) || part.lo != next || part.hi > r.hi)
			fail_msg("\"%s\" of \"%s\" for %" PRIu64 "-%" PRIu64, one, list, r.lo, r.hi);
		list += len;
		if (*list++ == '\0')
			break;
	}
	assert_int_equal(part.hi, r.hi);
	return k + 1;
}

/* Names of numbers, in two of three parts; another joint behind the first. */
static void names_of_numbers(void **state)
{
	static const struct number_name kinds[] = { { 1, "pump" }, { 2, "pump-set" }, { 3, "valve" } };
	static const struct number_name sides[] = { { 0, "left" }, { 7, "all" } };
	static const struct number_names first = { kinds, 3, ':' }, last = { sides, 2, '.' };
	static const struct space_info info = { .key = "k",
						.address_max = 0x7ff,
						.parts = { { 4, "kind" }, { 4, "number" }, { 3, "side" } },
						.names = { &first, NULL, &last } };
	struct notation n = notation_of_space(&info);

	(void)state;
	reads(n, "pump", 0x80, 0xff);
	reads(n, "pump-set", 0x100, 0x17f);
	reads(n, "pump:3", 0x98, 0x9f);
	reads(n, "pump.3", 0x98, 0x9f);
	reads(n, "1.3", 0x98, 0x9f);
	reads(n, "1:3", 0x98, 0x9f);
	reads(n, "pump:3-5", 0x98, 0xaf);
	reads(n, "pump:3.all", 0x9f, 0x9f);
	reads(n, "valve:0.left", 0x180, 0x180);
	refuses(n, "Pump", NOTATION_UNREADABLE, 0, 4);
	refuses(n, "pum", NOTATION_UNREADABLE, 0, 3);
	refuses(n, "pump:", NOTATION_UNREADABLE, 5, 0);
	refuses(n, "pump-valve", NOTATION_UNREADABLE, 0, 4);
	refuses(n, "pump-3", NOTATION_UNREADABLE, 0, 4);
	refuses(n, "pump:pump", NOTATION_UNREADABLE, 5, 4);
	refuses(n, "pump:3:left", NOTATION_UNREADABLE, 5, 6);
	refuses(n, "pump:3.left.left", NOTATION_UNREADABLE, 12, 4);
	prints(n, 0x80, 0xff, "pump");
	prints(n, 0x98, 0x9f, "pump:3");
	prints(n, 0x98, 0xaf, "pump:3-5");
	prints(n, 0x9f, 0x9f, "pump:3.all");
	prints(n, 0x9e, 0x9e, "pump:3.6");
	prints(n, 0x80, 0x17f, "1-2");
	prints(n, 0x200, 0x27f, "4");
	for (uint64_t lo = 0; lo < 0x800; lo += 5)
		for (uint64_t hi = lo; hi < 0x800; hi += 7) {
			struct number_range r = { lo, hi };
			char text[NOTATION_TEXT];

			notation_text(&n, r, text);
			assert_true(says(&n, text, r) > 0);
		}
}

/* The length of the shortest list of paths for a range, computed from the ranges that one path
 * names. */
static unsigned fewest(const bool *named, uint64_t max, struct number_range r)
{
	uint8_t best[64];

	best[0] = 0;
	for (uint64_t n = 1; n <= r.hi - r.lo + 1; n++) {
		best[n] = 255;
		for (uint64_t k = 0; k < n; k++)
			if (named[(r.lo + k) * (max + 1) + r.lo + n - 1] && best[k] + 1 < best[n])
				best[n] = (uint8_t)(best[k] + 1);
	}
	return best[r.hi - r.lo + 1];
}

/* All ranges of spaces with 1 to 4 parts and few addresses: no list of paths is shorter than the
 * printed one. */
static void every_range_of_small_spaces(void **state)
{
	static const struct part_info parts[4][PARTS_MAX] = {
		{ { 0, NULL, NULL } },
		{ { 2, "a", NULL }, { 3, "b", NULL } },
		{ { 1, "a", NULL }, { 2, "b", NULL }, { 2, "c", NULL } },
		{ { 2, "a", NULL }, { 1, "b", NULL }, { 1, "c", NULL }, { 1, "d", NULL } },
	};

	(void)state;
	for (unsigned s = 0; s < 4; s++)
		for (unsigned hex = 0; hex < 2; hex++) {
			struct space_info info = { .key = "k", .address_max = 31, .hex = hex };
			struct notation n;
			bool named[32 * 32] = { false };
			char text[NOTATION_TEXT];

			memcpy(info.parts, parts[s], sizeof(info.parts));
			n = notation_of_space(&info);
			for (unsigned pass = 0; pass < 2; pass++)
				for (uint64_t lo = 0; lo < 32; lo++)
					for (uint64_t hi = lo; hi < 32; hi++) {
						struct number_range r = { lo, hi };

						notation_text(&n, r, text);
						if (pass == 0)
							named[lo * 32 + hi] = says(&n, text, r) == 1;
						else
							assert_int_equal(says(&n, text, r), fewest(named, 31, r));
					}
		}
}

/* What manuals write before a part, and their codes of four hexadecimal digits. */
static void what_manuals_write(void **state)
{
	static const struct space_info nodes = { .key = "nodes",
						 .address_max = ((uint64_t)1 << 48) - 1,
						 .parts = { { 16, "namespace", "ns=" }, { 32, "identifier", ";i=" } } };
	static const struct space_info objects = { .key = "objects",
						   .address_max = 0xffff,
						   .parts = { { 8, "group", "g" }, { 8, "variation", "v" } } };
	static const struct function_info function = { 0x2003, 0x2003, "read", CLASS_READ, 0, 0, FRAMING_ALIKE };
	const struct vocabulary commands = { .code_max = UINT32_MAX, .code_digits = true, .code_below = 16 };
	const struct vocabulary codes = {
		.functions = &function, .n_functions = 1, .code_max = UINT32_MAX, .code_digits = true
	};
	uint64_t two = (uint64_t)2 << 32;

	(void)state;
	reads(notation_of_space(&nodes), "ns=2;i=1001", two | 1001, two | 1001);
	reads(notation_of_space(&nodes), "2.1001", two | 1001, two | 1001);
	reads(notation_of_space(&nodes), "ns=2;i=1000-1999", two | 1000, two | 1999);
	reads(notation_of_space(&nodes), "ns=2", two, two | UINT32_MAX);
	reads(notation_of_space(&nodes), "i=85", 85, 85);
	refuses(notation_of_space(&nodes), "ns=2;s=Speed", NOTATION_UNREADABLE, 3, 9);
	refuses(notation_of_space(&nodes), "ns=2;i=", NOTATION_UNREADABLE, 7, 0);
	reads(notation_of_space(&objects), "g30v1", 30 << 8 | 1, 30 << 8 | 1);
	reads(notation_of_space(&objects), "G30V1-5", 30 << 8 | 1, 30 << 8 | 5);
	reads(notation_of_space(&objects), "g30", 30 << 8, 30 << 8 | 255);
	prints(notation_of_space(&objects), 30 << 8 | 1, 30 << 8 | 1, "30.1");
	reads(notation_of_codes(&commands), "0101", 0x01010000, 0x0101ffff);
	reads(notation_of_codes(&commands), "0x101", 0x01010000, 0x0101ffff);
	reads(notation_of_codes(&commands), "0101-0104", 0x01010000, 0x0104ffff);
	reads(notation_of_codes(&commands), "0x01010000", 0x01010000, 0x01010000);
	reads(notation_of_codes(&codes), "2003", 0x2003, 0x2003);
	reads(notation_of_codes(&codes), "200a", 0x200a, 0x200a);
	/* a function by its decimal code */
	reads(notation_of_codes(&codes), "8195", 0x2003, 0x2003);
	reads(notation_of_codes(&codes), "0x2003", 0x2003, 0x2003);
}

static uint64_t drawn;

static uint64_t draw(void)
{
	drawn ^= drawn << 13;
	drawn ^= drawn >> 7;
	drawn ^= drawn << 17;
	return drawn;
}

static void ranges_of_large_spaces(void **state)
{
	char text[NOTATION_TEXT];

	(void)state;
	drawn = (uint64_t)time(NULL) | 1;
	printf("seed %" PRIu64 "\n", drawn);
	for (unsigned round = 0; round < 20000; round++) {
		struct notation n = space((enum made_up_space)(round % MADE_UP_N(made_up_spaces)));
		uint64_t a = draw() >> (draw() % 63 + 1), b = draw() >> (draw() % 63 + 1);
		struct number_range r;

		a = a > n.max ? a % (n.max + 1) : a;
		b = b > n.max ? b % (n.max + 1) : b;
		r = (struct number_range){ a < b ? a : b, a < b ? b : a };
		assert_true(notation_text(&n, r, text) < NOTATION_TEXT - 1);
		assert_true(says(&n, text, r) <= 2 * n.n - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_number),
		cmocka_unit_test(hexadecimal),
		cmocka_unit_test(paths),
		cmocka_unit_test(forms),
		cmocka_unit_test(names_of_numbers),
		cmocka_unit_test(what_manuals_write),
		cmocka_unit_test(every_range_of_small_spaces),
		cmocka_unit_test(ranges_of_large_spaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
