/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Modbus enforcer: framing, lengths of all function codes, ranges, values, units, reasons.
 * Answers are in test_modbus_answers.c.
 * LINK: $(COMMANDS_PARTS) dpi/modbus/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/modbus_desk.h"

/* Length of the data after the function code that is right for every content used here; -1: it
 * depends on the content, see below. */
static int fixed_length(unsigned function)
{
	switch (function) {
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
		return 4;
	case 7:
	case 11:
	case 12:
	case 17:
		return 0;
	case 22:
		return 6;
	case 24:
		return 2;
	default:
		return -1;
	}
}

static bool counted(unsigned function)
{
	return function == 8 || function == 15 || function == 16 || function == 20 || function == 21 ||
	       function == 23 || function == 43;
}

static enum reason wrong_length(unsigned function)
{
	return function == 0 || function > 127 ? R_MODBUS_FIELD : R_MODBUS_FRAME;
}

/* Every function code with every data length: only the right length if the specification fixes it,
 * any length if not. */
static void all_codes_all_lengths(void **state)
{
	struct desk d;
	uint8_t data[252] = { 0, 5, 0, 1 };

	(void)state;
	desk_whole(&d);
	for (unsigned function = 0; function < 256; function++)
		for (size_t n = 0; n <= sizeof(data); n++) {
			bool good = function > 0 && function < 128 && !counted(function) &&
				    (fixed_length(function) < 0 || fixed_length(function) == (int)n);
			const struct pdu *p;

			if (counted(function))
				continue; /* in counted_functions */
			desk_reset(&d);
			if (function == 5)
				data[2] = 0xff, data[3] = 0;
			p = request(&d, 7, 1, (uint8_t)function, data, n);
			data[2] = 0, data[3] = 1;
			assert_int_equal(p->allowed, good);
			assert_int_equal(p->reason, good ? R_ALLOWED : wrong_length(function));
			assert_int_equal(p->function, function);
			assert_int_equal(p->targets[0], 1);
		}
}

/* A good request of each function with a count; and the same one byte shorter, one byte longer, or
 * with a count that is wrong by one. */
static void counted_functions(void **state)
{
	static const struct {
		uint8_t function;
		size_t n;
		size_t count_at; /* the offset of its count byte; 0 = none */
		uint8_t data[24];
	} good[] = {
		{ 8, 4, 0, { 0, 0, 0x12, 0x34 } },
		{ 8, 4, 0, { 0, 1, 0xff, 0 } },
		{ 8, 4, 0, { 0, 10, 0, 0 } },
		{ 15, 7, 4, { 0, 19, 0, 10, 2, 0xcd, 1 } },
		{ 15, 6, 4, { 0, 0, 0, 8, 1, 0xff } },
		{ 16, 9, 4, { 0, 1, 0, 2, 4, 0, 10, 1, 2 } },
		{ 20, 8, 0, { 7, 6, 0, 4, 0, 1, 0, 2 } },
		{ 20, 15, 0, { 14, 6, 0, 4, 0, 1, 0, 2, 6, 0, 3, 0, 9, 0, 2 } },
		{ 21, 14, 0, { 13, 6, 0, 4, 0, 7, 0, 3, 6, 0xaf, 4, 0xbe, 0x10, 0x0d } },
		{ 23, 11, 8, { 0, 3, 0, 6, 0, 14, 0, 1, 2, 0, 0xff } },
		{ 43, 3, 0, { 14, 1, 0 } },
	};
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint8_t data[32] = { 0 };

		memcpy(data, good[i].data, sizeof(good[i].data));
		for (size_t n = 0; n <= good[i].n + 2; n++) {
			bool right = n == good[i].n;

			/* the query data may be any number of words */
			if (good[i].function == 8 && good[i].data[1] == 0)
				right = n >= 4 && n % 2 == 0;
			desk_reset(&d);
			assert_int_equal(request(&d, 1, 1, good[i].function, data, n)->allowed, right);
		}
		for (int off = -1; off <= 1 && good[i].count_at != 0; off++) {
			desk_reset(&d);
			data[good[i].count_at] = (uint8_t)(good[i].data[good[i].count_at] + off);
			assert_int_equal(request(&d, 1, 1, good[i].function, data, good[i].n)->allowed, off == 0);
			/* as many bytes as the byte count says, but not as the quantity says */
			desk_reset(&d);
			assert_int_equal(
				request(&d, 1, 1, good[i].function, data, (size_t)((int)good[i].n + off))->allowed,
				off == 0);
		}
	}
}

/* Contents that the specification forbids although every length is right. */
static void forbidden_contents(void **state)
{
	static const struct {
		uint8_t function;
		size_t n;
		uint8_t data[16];
	} bad[] = {
		{ 5, 4, { 0, 1, 0xff, 1 } },
		{ 5, 4, { 0, 1, 0, 1 } },
		{ 5, 4, { 0, 1, 1, 0 } },
		{ 8, 4, { 0, 1, 0, 1 } },   /* restart: 0000 or FF00 */
		{ 8, 4, { 0, 3, 'x', 1 } }, /* the delimiter has to be a character and a zero */
		{ 8, 4, { 0, 2, 0, 1 } },   /* diagnostic register: zero */
		{ 8, 3, { 0, 0, 1 } },
		{ 20, 8, { 7, 5, 0, 4, 0, 1, 0, 2 } },	     /* reference type */
		{ 20, 8, { 7, 6, 0, 0, 0, 1, 0, 2 } },	     /* file 0 */
		{ 20, 8, { 7, 6, 0, 4, 0x27, 0x10, 0, 2 } }, /* record 10000 */
		{ 20, 8, { 7, 6, 0, 4, 0, 1, 0, 0 } },	     /* nothing to read */
		{ 20, 8, { 7, 6, 0, 4, 0, 1, 0, 125 } },     /* more than fits into an answer */
		{ 20, 8, { 7, 6, 0, 4, 0, 1, 0xff, 0xff } },
		/* a second sub-request begins, and the data end */
		{ 20, 9, { 8, 6, 0, 4, 0, 1, 0, 2, 6 } },
		{ 20, 1, { 0 } },
		/* two registers are announced, one is there */
		{ 21, 10, { 9, 6, 0, 4, 0, 7, 0, 2, 0, 1 } },
		{ 21, 10, { 9, 6, 0, 4, 0, 7, 0xff, 0xff, 0, 1 } },
		{ 21, 10, { 9, 5, 0, 4, 0, 7, 0, 1, 0, 1 } },
		{ 43, 3, { 14, 0, 0 } },
		{ 43, 3, { 14, 5, 0 } },
		{ 43, 0, { 0 } },
	};
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct pdu *p;

		desk_reset(&d);
		p = request(&d, 1, 1, bad[i].function, bad[i].data, bad[i].n);
		assert_false(p->allowed);
		assert_true(p->reason == R_MODBUS_FRAME || p->reason == R_MODBUS_QUANTITY ||
			    p->reason == R_MODBUS_COIL || p->reason == R_MODBUS_FIELD);
		assert_int_equal(p->conduit, 0);
		assert_int_equal(p->line, 100);
	}
}

static bool range_allowed(struct desk *d, uint8_t function, uint32_t first, uint32_t n)
{
	uint8_t data[252] = { (uint8_t)(first >> 8), (uint8_t)first, (uint8_t)(n >> 8), (uint8_t)n };
	/* the bits of 1969 coils would still fit into a PDU */
	size_t bytes = function == 15 ? (n + 7) / 8 : n * 2;

	desk_reset(d);
	if (function == 15 || function == 16) {
		if (bytes > 247)
			bytes = 247;
		data[4] = (uint8_t)bytes;
		return request(d, 1, 1, function, data, 5 + bytes)->allowed;
	}
	return request(d, 1, 1, function, data, 4)->allowed;
}

/* Quantity limits of the specification, and the end of the address space, in a policy that allows
 * everything. */
static void quantities_and_wrap(void **state)
{
	static const struct {
		uint8_t function;
		uint32_t max;
	} limits[] = { { 1, 2000 }, { 2, 2000 }, { 3, 125 }, { 4, 125 }, { 15, 1968 }, { 16, 123 } };
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint8_t f = limits[i].function;
		uint32_t max = limits[i].max;

		assert_false(range_allowed(&d, f, 0, 0));
		assert_true(range_allowed(&d, f, 0, 1));
		assert_true(range_allowed(&d, f, 0, max));
		assert_false(range_allowed(&d, f, 0, max + 1));
		assert_false(range_allowed(&d, f, 0, 65535));
		assert_true(range_allowed(&d, f, 65535, 1));
		assert_false(range_allowed(&d, f, 65535, 2));
		assert_true(range_allowed(&d, f, 65536 - max, max));
		assert_false(range_allowed(&d, f, 65537 - max, max));
	}
}

/* Both ranges of function 23 have their own limits. */
static void read_write_limits(void **state)
{
	static const struct {
		uint16_t read_at, read_n, write_at, write_n;
		bool good;
	} cases[] = {
		{ 0, 125, 0, 121, true },  { 0, 126, 0, 1, false },	   { 0, 0, 0, 1, false },
		{ 0, 1, 0, 0, false },	   { 65535, 1, 65535, 1, true },   { 65535, 2, 0, 1, false },
		{ 0, 1, 65535, 2, false }, { 65535, 1, 65415, 121, true },
	};
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desk_reset(&d);
		assert_int_equal(
			read_write(&d, cases[i].read_at, cases[i].read_n, cases[i].write_at, cases[i].write_n, 0)
				->allowed,
			cases[i].good);
	}
}

/* An allowed range: its first address, its last one, one before, one after, across a hole, across
 * two ranges that touch. */
static void allowed_ranges(void **state)
{
	static const uint8_t functions[] = { 1, 2, 3, 4, 15, 16 };
	static const uint8_t spaces[] = { MODBUS_COILS, MODBUS_DISCRETE, MODBUS_HOLDING,
					  MODBUS_INPUT, MODBUS_COILS,	 MODBUS_HOLDING };
	struct desk d;

	(void)state;
	for (size_t i = 0; i < sizeof(functions); i++) {
		uint8_t f = functions[i];
		struct command_row *row = desk_row(&d);

		desk_space(&d, row, spaces[i], desk_ranges(&d, (uint32_t[]){ 100, 109, 110, 119, 130, 139 }, 3));
		assert_true(range_allowed(&d, f, 100, 1));
		assert_true(range_allowed(&d, f, 119, 1));
		assert_false(range_allowed(&d, f, 99, 1));
		assert_false(range_allowed(&d, f, 120, 1));
		assert_true(range_allowed(&d, f, 100, 20));
		assert_false(range_allowed(&d, f, 99, 20));
		assert_false(range_allowed(&d, f, 100, 21));
		assert_true(range_allowed(&d, f, 105, 10));
		assert_false(range_allowed(&d, f, 115, 20));
		assert_false(range_allowed(&d, f, 100, 40));
		assert_true(range_allowed(&d, f, 130, 10));
		assert_int_equal(d.p.reason, R_ALLOWED);
		assert_int_equal(d.p.line, 100);
		assert_int_equal(d.p.row.line, 11);
		assert_false(range_allowed(&d, f, 131, 10));
		assert_int_equal(d.p.reason, R_MODBUS_ADDRESS);
		assert_int_equal(d.p.line, 100);
		assert_int_equal(d.p.row.line, 0);
		assert_int_equal(d.p.space, spaces[i]);
		assert_int_equal(d.p.address, 131);
		assert_int_equal(d.p.quantity, 10);
	}
}

/* The same address in another space is not allowed. */
static void spaces_are_apart(void **state)
{
	static const struct {
		uint8_t function;
		uint8_t space;
	} uses[] = { { 1, 0 }, { 5, 0 }, { 15, 0 }, { 2, 1 },  { 4, 2 },
		     { 3, 3 }, { 6, 3 }, { 16, 3 }, { 22, 3 }, { 24, 3 } };
	struct desk d;

	(void)state;
	for (uint8_t space = 0; space < DESK_SPACES; space++)
		for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
			struct command_row *row = desk_row(&d);
			uint8_t data[16] = { 0, 5, 0, 1 };
			size_t n = uses[i].function == 22 ? 6 : uses[i].function == 24 ? 2 : 4;

			desk_space(&d, row, space, desk_ranges(&d, (uint32_t[]){ 0, 65535 }, 1));
			if (uses[i].function == 5)
				data[3] = 0;
			if (uses[i].function >= 15 && uses[i].function <= 16) {
				data[4] = uses[i].function == 15 ? 1 : 2;
				n = 5u + data[4];
			}
			assert_int_equal(request(&d, 1, 1, uses[i].function, data, n)->allowed, uses[i].space == space);
			assert_int_equal(d.p.reason, uses[i].space == space ? R_ALLOWED : R_MODBUS_ADDRESS);
			assert_int_equal(d.p.space, uses[i].space);
			assert_int_equal(d.p.quantity, uses[i].function == 24 ? 32 : 1);
		}
}

/* The queue begins behind the register that counts it and has 31 registers at most: the example of
 * clause 6.18. */
static void a_queue_is_more_than_its_count(void **state)
{
	struct desk d;
	struct command_row *row;

	(void)state;
	for (unsigned first = 0; first < 65536; first += 73) {
		uint32_t last = first + 31 < 65535 ? first + 31 : 65535;
		uint8_t data[2] = { (uint8_t)(first >> 8), (uint8_t)first };

		row = desk_row(&d);
		desk_space(&d, row, MODBUS_HOLDING, desk_ranges(&d, (uint32_t[]){ first, last }, 1));
		assert_true(request(&d, 1, 1, 24, data, 2)->allowed);
		assert_int_equal(d.p.address, first);
		assert_int_equal(d.p.quantity, last - first + 1);
		row = desk_row(&d);
		desk_space(&d, row, MODBUS_HOLDING, desk_ranges(&d, (uint32_t[]){ first, last - 1 }, 1));
		assert_false(request(&d, 1, 1, 24, data, 2)->allowed);
		assert_int_equal(d.p.reason, R_MODBUS_ADDRESS);
	}
}

static void read_write_checks_both(void **state)
{
	struct desk d;
	struct command_row *row = desk_row(&d);

	(void)state;
	desk_space(&d, row, MODBUS_HOLDING, desk_ranges(&d, (uint32_t[]){ 10, 19 }, 1));
	row->values = desk_ranges(&d, (uint32_t[]){ 0, 7 }, 1);
	assert_true(read_write(&d, 10, 10, 10, 10, 7)->allowed);
	assert_int_equal(d.p.address, 10);
	assert_false(read_write(&d, 9, 10, 12, 1, 7)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_ADDRESS);
	assert_int_equal(d.p.address, 9);
	assert_false(read_write(&d, 10, 10, 19, 2, 7)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_ADDRESS);
	assert_int_equal(d.p.address, 19);
	assert_int_equal(d.p.quantity, 2);
	assert_false(read_write(&d, 10, 10, 12, 1, 8)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_VALUE);
	assert_int_equal(d.p.address, 12);
}

/* Functions without an address: which of them a row with limited values or spaces allows. */
static void functions_without_addresses(void **state)
{
	static const struct {
		uint8_t function;
		size_t n;
		uint8_t data[16];
		bool harmless; /* allowed beside a named space */
	} uses[] = {
		{ 7, 0, { 0 }, true },
		{ 8, 4, { 0, 0, 1, 2 }, true },
		{ 8, 4, { 0, 4, 0, 0 }, true },
		{ 8, 6, { 0, 21, 1, 2, 3, 4 }, false },
		{ 11, 0, { 0 }, true },
		{ 12, 0, { 0 }, true },
		{ 17, 0, { 0 }, true },
		{ 43, 3, { 14, 1, 0 }, true },
		{ 43, 3, { 13, 1, 0 }, false },
		{ 20, 8, { 7, 6, 0, 4, 0, 1, 0, 2 }, false },
		{ 21, 10, { 9, 6, 0, 4, 0, 7, 0, 1, 0, 1 }, false },
		{ 90, 3, { 0, 1, 2 }, false },
		{ 100, 0, { 0 }, false },
	};
	struct desk d;

	(void)state;
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		struct command_row *row = desk_row(&d);
		bool writes = uses[i].function == 21 || uses[i].function == 90 || uses[i].function == 100;

		assert_true(request(&d, 1, 1, uses[i].function, uses[i].data, uses[i].n)->allowed);
		assert_int_equal(d.p.space, 255);
		assert_int_equal(d.p.quantity, 0);
		row->values = desk_ranges(&d, (uint32_t[]){ 0, 65535 }, 1);
		assert_int_equal(request(&d, 1, 1, uses[i].function, uses[i].data, uses[i].n)->allowed,
				 !writes && (uses[i].harmless || uses[i].function == 20));
		row->values = (struct number_set){ .any = true };
		row->spaces_any = false;
		assert_int_equal(request(&d, 1, 1, uses[i].function, uses[i].data, uses[i].n)->allowed,
				 uses[i].harmless);
		row->services = (struct number_set){ 0 };
		assert_false(request(&d, 1, 1, uses[i].function, uses[i].data, uses[i].n)->allowed);
		assert_int_equal(d.p.reason, R_MODBUS_FUNCTION);
	}
}

/* The record of a refused request names the number that is wrong, and what would have been
 * right. */
static void limits(void **state)
{
	struct desk d;
	struct command_row *row = desk_row(&d);

	(void)state;
	desk_space(&d, row, MODBUS_HOLDING, desk_ranges(&d, (uint32_t[]){ 0, 99, 398, 402, 900, 900 }, 3));
	row->values = desk_ranges(&d, (uint32_t[]){ 0, 1 }, 1);
	row->targets[0] = DESK_ONLY(&d, 1, 254, 255);

	assert_true(request(&d, 1, 1, 6, (uint8_t[]){ 1, 0x90, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.limit.what, LIMIT_NONE);

	assert_false(request(&d, 1, 1, 6, (uint8_t[]){ 1, 0x90, 0, 9 }, 4)->allowed);
	assert_int_equal(d.p.limit.what, LIMIT_VALUE);
	assert_int_equal(d.p.limit.at, 400);
	assert_int_equal(d.p.limit.wrote, 9);
	assert_int_equal(d.p.limit.n, 1);
	assert_int_equal(d.p.limit.allowed[0].lo, 0);
	assert_int_equal(d.p.limit.allowed[0].hi, 1);
	/* of several registers, the one whose value is wrong is recorded */
	assert_false(request(&d, 1, 1, 16, (uint8_t[]){ 1, 0x8e, 0, 3, 6, 0, 1, 0, 0, 0x12, 0x34 }, 11)->allowed);
	assert_int_equal(d.p.limit.at, 400);
	assert_int_equal(d.p.limit.wrote, 0x1234);
	/* for function 23 the written range counts */
	assert_false(read_write(&d, 0, 10, 398, 2, 7)->allowed);
	assert_int_equal(d.p.limit.what, LIMIT_VALUE);
	assert_int_equal(d.p.limit.at, 398);
	assert_int_equal(d.p.limit.wrote, 7);
	assert_false(request(&d, 1, 1, 22, (uint8_t[]){ 1, 0x90, 0, 0, 0, 1 }, 6)->allowed);
	assert_int_equal(d.p.limit.what, LIMIT_VALUE_UNTOLD);
	assert_int_equal(d.p.limit.n, 1);

	assert_false(request(&d, 1, 1, 3, (uint8_t[]){ 0, 90, 0, 20 }, 4)->allowed);
	assert_int_equal(d.p.limit.what, LIMIT_ADDRESS);
	assert_int_equal(d.p.limit.at, 100);
	assert_int_equal(d.p.limit.n, 3); /* more ranges than a record has room for */
	assert_int_equal(d.p.limit.allowed[1].lo, 398);
	assert_int_equal(d.p.limit.allowed[1].hi, 402);
	assert_false(read_write(&d, 0, 10, 97, 4, 0)->allowed);
	assert_int_equal(d.p.limit.at, 100);
	/* no coil is allowed */
	assert_false(request(&d, 1, 1, 1, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.limit.what, LIMIT_ADDRESS);
	assert_int_equal(d.p.limit.n, 0);
	assert_false(request(&d, 1, 1, 100, NULL, 0)->allowed);
	assert_int_equal(d.p.limit.what, LIMIT_ADDRESS_UNTOLD);

	assert_false(request(&d, 1, 2, 3, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.limit.what, LIMIT_TARGET);
	assert_int_equal(d.p.limit.n, 2);
	assert_int_equal(d.p.limit.allowed[0].lo, 1);
	assert_int_equal(d.p.limit.allowed[0].hi, 1);
	assert_int_equal(d.p.limit.allowed[1].lo, 254);
	assert_int_equal(d.p.limit.allowed[1].hi, 255);

	row->services = (struct number_set){ 0 };
	assert_false(request(&d, 1, 1, 3, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.limit.what, LIMIT_NONE);
}

static void values(void **state)
{
	struct desk d;
	struct command_row *row = desk_row(&d);

	(void)state;
	row->values = desk_ranges(&d, (uint32_t[]){ 1, 1, 500, 600 }, 2);
	assert_true(request(&d, 1, 1, 5, (uint8_t[]){ 0, 9, 0xff, 0 }, 4)->allowed);
	assert_false(request(&d, 1, 1, 5, (uint8_t[]){ 0, 9, 0, 0 }, 4)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_VALUE);
	assert_true(request(&d, 1, 1, 6, (uint8_t[]){ 0, 9, 1, 0xf4 }, 4)->allowed);  /* 500 */
	assert_false(request(&d, 1, 1, 6, (uint8_t[]){ 0, 9, 1, 0xf3 }, 4)->allowed); /* 499 */
	assert_true(request(&d, 1, 1, 6, (uint8_t[]){ 0, 9, 2, 0x58 }, 4)->allowed);  /* 600 */
	assert_false(request(&d, 1, 1, 6, (uint8_t[]){ 0, 9, 2, 0x59 }, 4)->allowed); /* 601 */
	assert_false(request(&d, 1, 1, 6, (uint8_t[]){ 0, 9, 0xff, 0xff }, 4)->allowed);
	/* every register counts, also the last one */
	assert_true(request(&d, 1, 1, 16, (uint8_t[]){ 0, 9, 0, 2, 4, 0, 1, 2, 0x58 }, 9)->allowed);
	assert_false(request(&d, 1, 1, 16, (uint8_t[]){ 0, 9, 0, 2, 4, 0, 1, 2, 0x59 }, 9)->allowed);
	/* each of the nine coils counts; the bits behind them are no coils */
	assert_true(request(&d, 1, 1, 15, (uint8_t[]){ 0, 9, 0, 9, 2, 0xff, 1 }, 7)->allowed);
	assert_true(request(&d, 1, 1, 15, (uint8_t[]){ 0, 9, 0, 9, 2, 0xff, 0xfd }, 7)->allowed);
	assert_false(request(&d, 1, 1, 15, (uint8_t[]){ 0, 9, 0, 9, 2, 0xff, 0 }, 7)->allowed);
	assert_false(request(&d, 1, 1, 15, (uint8_t[]){ 0, 9, 0, 9, 2, 0x7f, 1 }, 7)->allowed);
	/* the result of a mask write is only known to the device */
	assert_false(request(&d, 1, 1, 22, (uint8_t[]){ 0, 9, 0, 0, 0, 1 }, 6)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_VALUE);
	/* reads have no values */
	assert_true(request(&d, 1, 1, 3, (uint8_t[]){ 0, 9, 0, 1 }, 4)->allowed);
	row->values = (struct number_set){ .any = false };
	desk_reset(&d);
	assert_true(request(&d, 1, 1, 3, (uint8_t[]){ 0, 9, 0, 1 }, 4)->allowed);
	assert_false(request(&d, 1, 1, 6, (uint8_t[]){ 0, 9, 0, 1 }, 4)->allowed);
}

static void units(void **state)
{
	struct desk d;
	struct command_row *row = desk_row(&d);

	(void)state;
	row->targets[0] = DESK_ONLY(&d, 1, 255);
	for (unsigned unit = 0; unit < 256; unit++) {
		desk_reset(&d);
		assert_int_equal(request(&d, 1, (uint8_t)unit, 3, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed,
				 unit == 1 || unit == 255);
		assert_int_equal(d.p.targets[0], unit);
		if (!d.p.allowed)
			assert_int_equal(d.p.reason, R_MODBUS_UNIT);
	}
}

/* A row without a unit: unit 0 is the device itself in requests that cannot be a broadcast. To be
 * written, unit 0 has to be named. */
static void unit_zero(void **state)
{
	struct desk d;
	struct command_row *row = desk_row(&d);

	(void)state;
	row->targets[0] = (struct number_set){ .any = true };
	assert_true(request(&d, 1, 0, 3, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed);
	desk_reset(&d);
	assert_false(request(&d, 1, 0, 6, (uint8_t[]){ 0, 9, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_UNIT);
	row->targets[0] = desk_ranges(&d, (uint32_t[]){ 1, 255 }, 1);
	desk_reset(&d);
	assert_false(request(&d, 1, 0, 3, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed);
	row->targets[0] = desk_ranges(&d, (uint32_t[]){ 0, 255 }, 1);
	desk_reset(&d);
	assert_true(request(&d, 1, 0, 6, (uint8_t[]){ 0, 9, 0, 1 }, 4)->allowed);
}

/* Whether this row allows any request of this function; tries one of each form at address 10. */
static bool some_pass(struct desk *d, uint8_t function)
{
	static const struct {
		size_t n;
		uint8_t data[16];
	} tried[] = {
		{ 0, { 0 } },
		{ 2, { 0, 10 } },
		{ 3, { 14, 1, 0 } },
		{ 4, { 0, 0, 0x12, 0x34 } },
		{ 4, { 0, 10, 0, 0 } },
		{ 4, { 0, 10, 0, 1 } },
		{ 4, { 0, 10, 0, 5 } },
		{ 4, { 0, 10, 0xff, 0 } },
		{ 6, { 0, 10, 0, 0, 0, 0 } },
		{ 6, { 0, 10, 0, 1, 1, 1 } },
		{ 7, { 0, 10, 0, 1, 2, 0, 1 } },
		{ 7, { 0, 10, 0, 1, 2, 0, 5 } },
		{ 8, { 7, 6, 0, 4, 0, 1, 0, 2 } },
		{ 11, { 0, 10, 0, 1, 0, 10, 0, 1, 2, 0, 1 } },
		{ 11, { 0, 10, 0, 1, 0, 10, 0, 1, 2, 0, 5 } },
		{ 14, { 13, 6, 0, 4, 0, 7, 0, 3, 6, 0xaf, 4, 0xbe, 0x10, 0x0d } },
	};

	for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
		desk_reset(d);
		if (request(d, 1, 1, function, tried[i].data, tried[i].n)->allowed)
			return true;
	}
	return false;
}

/* The proofs and the list of effective commands say the same about a row as the worker does. */
static void vocabulary_knows_what_passes(void **state)
{
	static const uint32_t values[][2] = { { 0, 1 }, { 5, 5 } };
	const struct vocabulary *v = vocabulary_of(PROTO_MODBUS);
	uint32_t code;

	(void)state;
	for (unsigned spaces = 0; spaces < 17; spaces++)
		for (unsigned limit = 0; limit < 3; limit++) {
			struct desk d;
			struct command_row *row = desk_row(&d);

			row->spaces_any = spaces == 16;
			for (uint8_t s = 0; s < DESK_SPACES; s++)
				if ((spaces >> s & 1u) != 0)
					desk_space(&d, row, s, desk_ranges(&d, (uint32_t[]){ 10, 20 }, 1));
			if (limit > 0)
				row->values = desk_ranges(&d, values[limit - 1], 1);
			for (unsigned f = 0; f < 256; f++)
				assert_int_equal(some_pass(&d, (uint8_t)f),
						 evaluate_passes(&d.table, row, v, (struct number_range){ f, f },
								 CLASS_ALL, &code));
		}
}

/* Under a row with fewer registers than a queue may have, a queue can only be read at the end of
 * the address space. */
static void vocabulary_knows_where_queues_fit(void **state)
{
	static const struct {
		uint32_t n, ranges[4];
		bool passes;
	} tried[] = {
		{ 1, { 10, 40 }, false },	 { 1, { 10, 41 }, true },
		{ 1, { 10, 90 }, true },	 { 2, { 10, 25, 26, 41 }, true },
		{ 2, { 10, 25, 27, 60 }, true }, { 2, { 10, 25, 27, 57 }, false },
		{ 1, { 65504, 65534 }, false },	 { 1, { 65505, 65535 }, true },
		{ 1, { 65535, 65535 }, true },	 { 2, { 10, 40, 65530, 65535 }, true },
		{ 1, { 0, 65535 }, true },
	};
	const struct vocabulary *v = vocabulary_of(PROTO_MODBUS);

	(void)state;
	for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
		struct desk d;
		struct command_row *row = desk_row(&d);
		bool some = false;
		uint32_t code;

		desk_space(&d, row, MODBUS_HOLDING, desk_ranges(&d, tried[i].ranges, tried[i].n));
		for (uint32_t first = 0; first < 65536 && !some; first++) {
			desk_reset(&d);
			some = request(&d, 1, 1, 24, (uint8_t[]){ (uint8_t)(first >> 8), (uint8_t)first }, 2)->allowed;
		}
		assert_int_equal(some, tried[i].passes);
		assert_int_equal(evaluate_passes(&d.table, row, v, (struct number_range){ 24, 24 }, CLASS_ALL, &code),
				 some);
	}
}

/* Rows are never added up. A refusal names the row that fitted best. */
static void rows_and_reasons(void **state)
{
	struct desk d;
	struct command_row *read_row = desk_row(&d);
	struct command_row *write_row = desk_more(&d, 1, 200, false);

	(void)state;
	read_row->services = DESK_ONLY(&d, 3);
	desk_space(&d, read_row, MODBUS_HOLDING, desk_ranges(&d, (uint32_t[]){ 0, 99 }, 1));
	write_row->services = DESK_ONLY(&d, 6);
	write_row->targets[0] = DESK_ONLY(&d, 1);
	desk_space(&d, write_row, MODBUS_HOLDING, desk_ranges(&d, (uint32_t[]){ 400, 400 }, 1));
	write_row->values = desk_ranges(&d, (uint32_t[]){ 0, 1 }, 1);

	assert_true(request(&d, 1, 1, 3, (uint8_t[]){ 0, 99, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.conduit, 0);
	assert_int_equal(d.p.line, 100);
	assert_int_equal(d.p.row.line, 11);
	assert_true(request(&d, 1, 1, 6, (uint8_t[]){ 1, 0x90, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.conduit, 1);
	assert_int_equal(d.p.line, 200);
	assert_int_equal(d.p.row.line, 201);
	/* no row allows reading 400, and none writing 99 */
	assert_false(request(&d, 1, 1, 3, (uint8_t[]){ 1, 0x90, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_ADDRESS);
	assert_int_equal(d.p.conduit, 0);
	assert_int_equal(d.p.line, 100);
	assert_false(request(&d, 1, 1, 6, (uint8_t[]){ 0, 99, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_ADDRESS);
	assert_int_equal(d.p.conduit, 1);
	assert_int_equal(d.p.line, 200);
	assert_false(request(&d, 1, 1, 6, (uint8_t[]){ 1, 0x90, 0, 2 }, 4)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_VALUE);
	assert_false(request(&d, 1, 2, 6, (uint8_t[]){ 1, 0x90, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_UNIT);
	assert_false(request(&d, 1, 1, 16, (uint8_t[]){ 1, 0x90, 0, 1, 2, 0, 1 }, 7)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_FUNCTION);
	assert_int_equal(d.p.conduit, 0);
	/* a range that only both rows together cover */
	desk_space(&d, write_row, MODBUS_HOLDING, desk_ranges(&d, (uint32_t[]){ 100, 199 }, 1));
	write_row->services = DESK_ONLY(&d, 3, 6);
	assert_false(request(&d, 1, 1, 3, (uint8_t[]){ 0, 95, 0, 10 }, 4)->allowed);
}

static void grants(void **state)
{
	struct desk d;
	struct command_row *row = desk_row(&d);

	(void)state;
	row->services = (struct number_set){ 0 };
	/* a shadow whose row would allow everything, and which never decides */
	desk_more(&d, 1, 200, true);
	assert_false(request(&d, 1, 1, 3, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.conduit, 0);
	desk_more(&d, 2, 300, false);
	/* a grant for another protocol says nothing about Modbus */
	d.grants[2].protocol = PROTO_SSH;
	assert_false(request(&d, 1, 1, 3, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed);
	desk_more(&d, 3, 400, false);
	d.grants[3].whole = true;
	d.grants[3].n_rows = 0;
	assert_true(request(&d, 1, 1, 3, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.conduit, 3);
	assert_int_equal(d.p.line, 400);
	assert_int_equal(d.p.row.line, 0);
	/* no grant for Modbus at all */
	d.permit.n_grants = 0;
	assert_false(request(&d, 1, 1, 3, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_FUNCTION);
	assert_int_equal(d.p.conduit, EVENT_NO_CONDUIT);
	assert_int_equal(d.p.line, 0);
}

/* A stream of PDUs cut at every byte: an incomplete PDU always needs more, never gets a wrong
 * length, and the bytes behind a PDU are not read. */
static void framing(void **state)
{
	uint8_t stream[3 * MODBUS_PDU_MAX], *small;
	size_t lengths[] = { 2, 6, 254 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t whole = 6 + lengths[i], ret;

		memset(stream, 0xa5, sizeof(stream));
		memcpy(stream, (uint8_t[]){ 0x12, 0x34, 0, 0, 0, (uint8_t)lengths[i] }, 6);
		for (size_t n = 0; n <= whole + 20; n++) {
			/* a copy of exactly this size, so that the sanitizer sees a read beyond
			 * it */
			small = test_malloc(n ? n : 1);
			memcpy(small, stream, n);
			assert_int_equal(modbus_enforcer.frame(NULL, DIR_C2S, bytes_of(small, n), &ret),
					 n < whole ? FRAME_NEED_MORE : FRAME_WHOLE);
			assert_int_equal(ret, n < whole ? 0 : whole);
			test_free(small);
		}
		assert_true(whole <= modbus_enforcer.pdu_max);
	}
}

/* A header with a wrong byte is refused at this byte, however few bytes are there. */
static void bad_headers(void **state)
{
	static const struct {
		uint8_t head[6];
		size_t lie; /* which byte */
	} bad[] = {
		{ { 0, 1, 1, 0, 0, 6 }, 2 },	{ { 0, 1, 0, 1, 0, 6 }, 3 }, { { 0, 1, 0, 0, 1, 6 }, 4 },
		{ { 0, 1, 0, 0, 0xff, 6 }, 4 }, { { 0, 1, 0, 0, 0, 0 }, 5 }, { { 0, 1, 0, 0, 0, 1 }, 5 },
		{ { 0, 1, 0, 0, 0, 255 }, 5 },
	};
	uint8_t pdu[300] = { 0 };
	size_t ret;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(pdu, bad[i].head, 6);
		for (size_t n = 0; n < sizeof(pdu); n++)
			assert_int_equal(modbus_enforcer.frame(NULL, DIR_S2C, bytes_of(pdu, n), &ret),
					 n > bad[i].lie ? FRAME_BAD : FRAME_NEED_MORE);
	}
}

/* The record of a refusal names what is wrong. */
static void what_is_wrong(void **state)
{
	static const struct {
		uint8_t function;
		size_t n;
		enum reason reason;
		uint8_t data[12];
	} bad[] = {
		{ 5, 4, R_MODBUS_COIL, { 0, 0, 0, 1 } },
		{ 5, 4, R_MODBUS_COIL, { 0, 0, 0xff, 0xff } },
		{ 3, 4, R_MODBUS_QUANTITY, { 0, 0, 0, 126 } },
		{ 3, 4, R_MODBUS_QUANTITY, { 0, 0, 0, 0 } },
		{ 4, 4, R_MODBUS_QUANTITY, { 0xff, 0xff, 0, 2 } },
		{ 1, 4, R_MODBUS_QUANTITY, { 0, 0, 0x07, 0xd1 } },
		{ 16, 7, R_MODBUS_QUANTITY, { 0, 0, 0, 0, 2, 0, 1 } },
		{ 16, 7, R_MODBUS_FRAME, { 0, 0, 0, 2, 2, 0, 1 } },
		{ 3, 5, R_MODBUS_FRAME, { 0, 0, 0, 1, 0 } },
		{ 3, 3, R_MODBUS_FRAME, { 0, 0, 0 } },
		{ 8, 4, R_MODBUS_FIELD, { 0, 1, 0, 1 } },
		{ 43, 3, R_MODBUS_FIELD, { 14, 5, 0 } },
		{ 0, 4, R_MODBUS_FIELD, { 0, 0, 0, 1 } },
		{ 131, 1, R_MODBUS_FIELD, { 2 } },
	};
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		desk_reset(&d);
		assert_false(request(&d, 1, 1, bad[i].function, bad[i].data, bad[i].n)->allowed);
		assert_int_equal(d.p.reason, bad[i].reason);
		/* One answer, with any content, counts as the answer to this request. */
		assert_int_equal(response(&d, 1, 1, bad[i].function & 0x7fu, (uint8_t[]){ 7 }, 1)->reason,
				 bad[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(all_codes_all_lengths),
		cmocka_unit_test(counted_functions),
		cmocka_unit_test(forbidden_contents),
		cmocka_unit_test(quantities_and_wrap),
		cmocka_unit_test(read_write_limits),
		cmocka_unit_test(allowed_ranges),
		cmocka_unit_test(spaces_are_apart),
		cmocka_unit_test(a_queue_is_more_than_its_count),
		cmocka_unit_test(read_write_checks_both),
		cmocka_unit_test(functions_without_addresses),
		cmocka_unit_test(limits),
		cmocka_unit_test(values),
		cmocka_unit_test(units),
		cmocka_unit_test(unit_zero),
		cmocka_unit_test(vocabulary_knows_what_passes),
		cmocka_unit_test(vocabulary_knows_where_queues_fit),
		cmocka_unit_test(rows_and_reasons),
		cmocka_unit_test(grants),
		cmocka_unit_test(framing),
		cmocka_unit_test(bad_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
