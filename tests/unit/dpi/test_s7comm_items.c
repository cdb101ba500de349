/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items of S7comm reads and writes: which addresses each touches, which values it writes, and how
 * long its answer is.
 * LINK: $(COMMANDS_PARTS) dpi/s7comm/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "dpi/s7comm/s7comm.h"
#include "tests/unit/dpi/s7comm_desk.h"

#define READ S7_FUNCTION(S7_READ)
#define WRITE S7_FUNCTION(S7_WRITE)
#define BYTE(n) ((uint64_t)(n)*8u)
#define DB(n, byte) ((uint64_t)(n) << S7_AREA_BITS | BYTE(byte))

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* One item in a read. */
static enum reason read_one(struct desk *d, unsigned type, unsigned count, unsigned block, unsigned area,
			    unsigned address)
{
	struct made p = { .n = 0 }, none = { .n = 0 };

	open_session(d, RACK_0_SLOT_2, "03c0");
	put_hex(&p, "0401");
	put_item(&p, type, count, block, area, address);
	return tell(d, DIR_C2S, message(1, 2, &p, &none));
}

static enum reason write_items(struct desk *d, const struct made *items, unsigned n, const char *data)
{
	struct made p = { .n = 0 }, values = { .n = 0 };

	open_session(d, RACK_0_SLOT_2, "03c0");
	put_hex(&p, "05");
	put8(&p, n);
	put(&p, items->b, items->n);
	put_hex(&values, data);
	return tell(d, DIR_C2S, message(1, 2, &p, &values));
}

static enum reason write_one(struct desk *d, unsigned type, unsigned count, const char *data)
{
	struct made items = { .n = 0 };

	put_item(&items, type, count, 0, 0x83, BYTE(10));
	return write_items(d, &items, 1, data);
}

struct area {
	unsigned code, type;
	uint8_t space;
	uint64_t base, size; /* the first bit in data block 7, and the bits of one element */
};

static const struct area areas[] = {
	{ 0x81, 2, S7_INPUTS, 0, 8 },	   { 0x82, 2, S7_OUTPUTS, 0, 8 },   { 0x83, 2, S7_FLAGS, 0, 8 },
	{ 0x80, 2, S7_PERIPHERALS, 0, 8 }, { 0x84, 2, S7_DB, DB(7, 0), 8 }, { 0x1c, 0x1c, S7_COUNTERS, 0, 1 },
	{ 0x1d, 0x1d, S7_TIMERS, 0, 1 },
};

/* Exactly these addresses are allowed; with one less at either end, or for another space, the
 * request is refused. */
static void places(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N(areas); i++) {
		const struct area *a = &areas[i];
		uint64_t first = a->base + 10 * a->size, count = 4 * a->size;

		for (unsigned less = 0; less < 3; less++) {
			struct desk d;

			desk_empty(&d);
			desk_place(&d, codes(&d, READ, READ), a->space, first + (less == 1), count - (less > 0));
			assert_int_equal(read_one(&d, a->type, 4, 7, a->code, (unsigned)(10 * a->size)),
					 less == 0 ? R_ALLOWED : R_S7COMM_ADDRESS);
			assert_true(d.p.space == a->space && d.p.address == first && d.p.quantity == count);
		}
		for (size_t k = 0; k < N(areas); k++) {
			struct desk d;

			desk_empty(&d);
			desk_place(&d, codes(&d, READ, READ), areas[k].space, 0, (uint64_t)1 << 40);
			assert_int_equal(read_one(&d, a->type, 4, 7, a->code, (unsigned)(10 * a->size)),
					 k == i ? R_ALLOWED : R_S7COMM_ADDRESS);
		}
	}
}

/* Areas and types whose addresses are unknown: allowed only if no row limits addresses. */
static void unknown_places(void **unused)
{
	static const unsigned known[] = { 0x80, 0x81, 0x82, 0x83, 0x84 };
	struct desk d;

	(void)unused;
	desk_empty(&d);
	desk_place(&d, codes(&d, READ, READ), S7_FLAGS, 0, (uint64_t)1 << S7_AREA_BITS);
	for (uint8_t space = S7_INPUTS; space <= S7_TIMERS; space++)
		if (space != S7_FLAGS && space != S7_COUNTERS && space != S7_TIMERS && d.rows[0].n_spaces < 4)
			desk_place(&d, &d.rows[0], space, 0, (uint64_t)1 << 40);
	for (unsigned area = 0; area < 256; area++) {
		bool is_known = false;

		for (size_t i = 0; i < N(known); i++)
			is_known |= known[i] == area;
		if (!is_known)
			assert_int_equal(read_one(&d, 2, 1, 1, area, 0), R_S7COMM_ADDRESS);
		desk_reset(&d);
	}
	for (unsigned type = 0; type < 256; type++) {
		static const unsigned sized[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 0x13 };
		bool is_sized = false;

		for (size_t i = 0; i < N(sized); i++)
			is_sized |= sized[i] == type;
		assert_int_equal(read_one(&d, type, 1, 0, 0x83, 0), is_sized ? R_ALLOWED : R_S7COMM_ADDRESS);
	}
	desk_whole(&d);
	assert_int_equal(read_one(&d, 0x77, 1, 0, 0x99, 3), R_ALLOWED);
}

/* The size of each type, the addresses at which it may begin, and the end of each area. */
static void sizes(void **unused)
{
	static const struct {
		unsigned type, bits;
	} all[] = { { 1, 1 },  { 2, 8 },  { 3, 8 },   { 4, 16 },  { 5, 16 },  { 6, 32 },  { 7, 32 },
		    { 8, 32 }, { 9, 16 }, { 10, 32 }, { 11, 32 }, { 12, 16 }, { 15, 64 }, { 0x13, 16 } };

	(void)unused;
	for (size_t i = 0; i < N(all); i++) {
		uint64_t count = 3u * all[i].bits;
		unsigned end = (1u << S7_AREA_BITS) - (unsigned)count;
		struct desk d;

		desk_empty(&d);
		desk_place(&d, codes(&d, READ, READ), S7_FLAGS, BYTE(10), count);
		assert_int_equal(read_one(&d, all[i].type, 3, 0, 0x83, BYTE(10)), R_ALLOWED);
		assert_true(d.p.quantity == count);
		assert_int_equal(read_one(&d, all[i].type, 4, 0, 0x83, BYTE(10)), R_S7COMM_ADDRESS);
		desk_whole(&d);
		assert_int_equal(read_one(&d, all[i].type, 0, 0, 0x83, BYTE(10)), R_S7COMM_FRAME);
		assert_int_equal(read_one(&d, all[i].type, 1, 0, 0x83, BYTE(10) + 1),
				 all[i].type == 1 ? R_ALLOWED : R_S7COMM_FRAME);
		assert_int_equal(read_one(&d, all[i].type, 3, 0, 0x83, end), R_ALLOWED);
		assert_int_equal(read_one(&d, all[i].type, 4, 0, 0x83, end), R_S7COMM_FRAME);
		/* The end of a block is not followed by the next block. */
		assert_int_equal(read_one(&d, all[i].type, 4, 1, 0x84, end), R_S7COMM_FRAME);
	}
}

/* Each item needs a row; an item without one stops the request, wherever it stands. */
static void several_items(void **unused)
{
	struct desk d;

	(void)unused;
	desk_empty(&d);
	desk_place(&d, codes(&d, READ, READ), S7_FLAGS, 0, BYTE(10));
	desk_place(&d, codes(&d, READ, READ), S7_DB, DB(5, 0), BYTE(10));
	for (unsigned n = 0; n <= 79; n++)
		for (unsigned wrong = 0; wrong <= n; wrong += n < 4 ? 1 : n) {
			struct made p = { .n = 0 }, none = { .n = 0 };
			enum reason want = n == 0 ? R_S7COMM_FRAME : wrong < n ? R_S7COMM_ADDRESS : R_ALLOWED;

			put_hex(&p, "04");
			put8(&p, n);
			for (unsigned i = 0; i < n; i++)
				put_item(&p, 2, 2, 5, i % 2 ? 0x83 : 0x84, i == wrong ? BYTE(9) : BYTE(8));
			open_session(&d, RACK_0_SLOT_2, "03c0");
			assert_int_equal(tell(&d, DIR_C2S, message(1, 2, &p, &none)), want);
			if (want == R_S7COMM_ADDRESS)
				assert_true(d.p.address == (wrong % 2 ? BYTE(9) : DB(5, 9)));
			if (n == 0)
				break;
		}
}

/* Items in other forms, which only some servers understand. */
static void other_forms(void **unused)
{
	static const char *const all[] = {
		/* the number of a symbol (1200, 1500) */
		"0401 120e b2 ff 0000 0052 12345678 22000001",
		/* bytes of several blocks (400) */
		"0401 1207 b0 01 02 0005 0000",
		"0402 1208 82 01 0001 0001 1a01 120a1002000100008300 0000", /* a machine tool's */
	};
	struct desk d;

	(void)unused;
	for (size_t i = 0; i < N(all); i++) {
		desk_empty(&d);
		codes(&d, READ, READ);
		open_session(&d, RACK_0_SLOT_2, "03c0");
		assert_int_equal(job(&d, 2, all[i], ""), R_ALLOWED);
		desk_place(&d, &d.rows[0], S7_FLAGS, 0, (uint64_t)1 << S7_AREA_BITS);
		desk_place(&d, &d.rows[0], S7_DB, 0, (uint64_t)1 << 40);
		assert_int_equal(job(&d, 3, all[i], ""), R_S7COMM_ADDRESS);
	}
	desk_whole(&d);
	open_session(&d, RACK_0_SLOT_2, "03c0");
	assert_int_equal(job(&d, 2, "0401 110a 10 02 0001 0000 83 000000", ""), R_S7COMM_FRAME);
	assert_int_equal(job(&d, 2, "0401 1209 10 02 0001 0000 83 0000", ""), R_S7COMM_FRAME);
	assert_int_equal(job(&d, 2, "0401 120b 10 02 0001 0000 83 00000000", ""), R_S7COMM_FRAME);
	assert_int_equal(job(&d, 2, "0401 1200", ""), R_S7COMM_FRAME);
	assert_int_equal(job(&d, 2, "0401", ""), R_S7COMM_FRAME);
	assert_int_equal(job(&d, 2, "04", ""), R_S7COMM_FRAME);
}

/* Names `n` values of `size` bits, from this bit of the flags on, each of them alone. */
static void each_value(struct desk *d, struct command_row *row, uint64_t first, uint64_t size, unsigned n)
{
	struct number_set s = { .first = d->table.n_ranges, .n = n };

	for (unsigned i = 0; i < n; i++, first += size)
		desk_range(d, first, first + size - 1);
	desk_space(d, row, S7_FLAGS, s);
}

/* A row that allows writing lo to hi to three such values. */
static void writes_of(struct desk *d, uint64_t size, uint32_t lo, uint32_t hi)
{
	struct command_row *row;

	desk_empty(d);
	row = codes(d, WRITE, WRITE);
	row->values = desk_range(d, lo, hi);
	each_value(d, row, BYTE(10), size, 3);
}

static unsigned size_of(unsigned type)
{
	return type == 1 ? 1 : type <= 3 ? 8 : type >= 6 && type <= 8 ? 32 : 16;
}

struct written {
	unsigned type, count;
	const char *data;
	enum reason r; /* result if values from 1 to 1000 may be written */
};

static void values(void **unused)
{
	static const struct written all[] = {
		{ 1, 1, "00 03 0001 01", R_ALLOWED },
		{ 1, 1, "00 03 0001 00", R_S7COMM_VALUE },
		{ 1, 1, "ff 03 0001 01", R_ALLOWED }, /* as PLC4X writes */
		{ 1, 1, "ff 03 0001 00", R_S7COMM_VALUE },
		{ 1, 1, "00 03 0001 02", R_S7COMM_FRAME },
		{ 1, 2, "00 03 0002 0101", R_S7COMM_FRAME },
		{ 1, 1, "00 04 0008 01", R_S7COMM_FRAME },
		{ 2, 1, "00 04 0008 ff", R_ALLOWED },
		{ 2, 1, "00 04 0008 00", R_S7COMM_VALUE },
		{ 2, 3, "00 04 0018 010203", R_ALLOWED },
		{ 2, 3, "00 04 0018 010200", R_S7COMM_VALUE },
		{ 4, 1, "00 04 0010 03e8", R_ALLOWED },
		{ 4, 1, "00 04 0010 03e9", R_S7COMM_VALUE },
		{ 5, 1, "00 05 0010 03e8", R_ALLOWED },
		{ 5, 2, "00 05 0020 03e8ffff", R_S7COMM_VALUE },
		{ 6, 1, "00 04 0020 000003e8", R_ALLOWED },
		{ 6, 1, "00 04 0020 010003e8", R_S7COMM_VALUE },
		{ 7, 1, "00 06 0004 000003e8", R_ALLOWED },
		{ 8, 1, "00 07 0004 000003e8", R_ALLOWED },
		{ 8, 1, "00 07 0004 3f800000", R_S7COMM_VALUE },
		{ 3, 2, "00 09 0002 6162", R_ALLOWED },
		{ 12, 1, "00 04 0010 0001", R_ALLOWED },
		/* eight bytes: not a value of this kind */
		{ 15, 1, "00 09 0008 0000000000000001", R_S7COMM_ADDRESS },
		{ 0x77, 1, "00 09 0002 0001", R_S7COMM_ADDRESS },
		/* Lengths that differ from the length of the item. */
		{ 4, 1, "00 04 0008 01", R_S7COMM_FRAME },
		{ 4, 1, "00 04 0018 000102", R_S7COMM_FRAME },
		{ 4, 1, "00 04 0000", R_S7COMM_FRAME },
		{ 4, 1, "00 04 0010 0001 00", R_S7COMM_FRAME },
		{ 4, 1, "00 04 0010 00", R_S7COMM_FRAME },
		{ 4, 1, "00 04 000f 0001", R_S7COMM_FRAME },
		{ 4, 1, "00 04 ffff 0001", R_S7COMM_FRAME },
		{ 4, 1, "01 04 0010 0001", R_S7COMM_FRAME },
		{ 4, 1, "00 00 0010 0001", R_S7COMM_FRAME },
		{ 4, 1, "00 08 0010 0001", R_S7COMM_FRAME },
		{ 4, 1, "00", R_S7COMM_FRAME },
		{ 4, 1, "", R_S7COMM_FRAME },
	};

	(void)unused;
	for (size_t i = 0; i < N(all); i++) {
		struct desk d;

		writes_of(&d, size_of(all[i].type), 1, 1000);
		if (write_one(&d, all[i].type, all[i].count, all[i].data) != all[i].r)
			fail_msg("type %u, %s: %d", all[i].type, all[i].data, d.p.reason);
		desk_whole(&d);
		assert_int_equal(write_one(&d, all[i].type, all[i].count, all[i].data),
				 all[i].r == R_S7COMM_FRAME ? R_S7COMM_FRAME : R_ALLOWED);
	}
}

/*
 * The client states the width of a value. A limit applies to the values that the row names: not to
 * their halves, which may both be within the limit while the value is not; not to two of them at
 * once; and not to a value that lies across two.
 */
static void widths_of_a_value(void **unused)
{
	static const struct {
		uint64_t size; /* bits of each value that the row names, from byte 10 on */
		unsigned type, count, address;
		const char *data;
		enum reason r; /* result if 1 may be written */
	} all[] = {
		{ 16, 4, 1, BYTE(10), "00040010 0001", R_ALLOWED },
		{ 16, 4, 1, BYTE(12), "00040010 0001", R_ALLOWED },
		{ 16, 4, 3, BYTE(10), "00040030 000100010001", R_ALLOWED },
		{ 16, 5, 2, BYTE(12), "00050020 00010001", R_ALLOWED },
		/* bytes 12 and 13 become 0100 or more */
		{ 16, 4, 1, BYTE(11), "00040010 0001", R_S7COMM_VALUE },
		{ 16, 4, 2, BYTE(11), "00040020 00010001", R_S7COMM_VALUE },
		{ 16, 2, 1, BYTE(10), "00040008 01", R_S7COMM_VALUE }, /* 0100 */
		{ 16, 2, 1, BYTE(11), "00040008 01", R_S7COMM_VALUE },
		{ 16, 2, 2, BYTE(10), "00040010 0001", R_S7COMM_VALUE },
		{ 16, 3, 2, BYTE(10), "00090002 0101", R_S7COMM_VALUE },
		{ 16, 1, 1, BYTE(10), "00030001 01", R_S7COMM_VALUE },
		{ 16, 6, 1, BYTE(10), "00040020 00000001", R_S7COMM_VALUE },
		{ 16, 8, 1, BYTE(10), "00070004 00000001", R_S7COMM_VALUE },
		{ 16, 4, 3, BYTE(12), "00040030 000100010001", R_S7COMM_ADDRESS },
		{ 32, 6, 1, BYTE(14), "00040020 00000001", R_ALLOWED },
		{ 32, 8, 2, BYTE(10), "00040040 0000000100000001", R_ALLOWED },
		{ 32, 6, 1, BYTE(12), "00040020 00000001", R_S7COMM_VALUE },
		{ 32, 4, 1, BYTE(12), "00040010 0001", R_S7COMM_VALUE },
		{ 32, 2, 1, BYTE(13), "00040008 01", R_S7COMM_VALUE },
		{ 8, 2, 3, BYTE(10), "00040018 010101", R_ALLOWED },
		{ 8, 3, 1, BYTE(12), "00090001 01", R_ALLOWED },
		{ 8, 4, 1, BYTE(10), "00040010 0001", R_S7COMM_VALUE }, /* 10 becomes 0 */
		{ 8, 1, 1, BYTE(10) + 1, "00030001 01", R_S7COMM_VALUE },
		{ 1, 1, 1, BYTE(10) + 1, "00030001 01", R_ALLOWED },
		{ 1, 2, 1, BYTE(10), "00040008 01", R_S7COMM_ADDRESS },
		{ 64, 6, 1, BYTE(10), "00040020 00000001", R_S7COMM_VALUE },
	};

	(void)unused;
	for (size_t i = 0; i < N(all); i++) {
		struct made items = { .n = 0 };
		struct desk d;

		put_item(&items, all[i].type, all[i].count, 0, 0x83, all[i].address);
		writes_of(&d, all[i].size, 1, 1);
		if (write_items(&d, &items, 1, all[i].data) != all[i].r)
			fail_msg("%zu: %d", i, d.p.reason);
		assert_int_equal(d.p.limit.what, all[i].r == R_S7COMM_VALUE	? LIMIT_VALUE_UNTOLD
						 : all[i].r == R_S7COMM_ADDRESS ? LIMIT_ADDRESS
										: LIMIT_NONE);
		/* If the row names no address, the width of a value is unknown. */
		d.rows[0].spaces_any = true;
		assert_int_equal(write_items(&d, &items, 1, all[i].data), R_S7COMM_VALUE);
	}
}

/* The record names the address of the value that is outside the limit. */
static void the_value_that_is_outside(void **unused)
{
	struct made items = { .n = 0 };
	struct desk d;

	(void)unused;
	put_item(&items, 4, 3, 0, 0x83, BYTE(10));
	writes_of(&d, 16, 0, 5);
	assert_int_equal(write_items(&d, &items, 1, "00040030 000100060001"), R_S7COMM_VALUE);
	assert_int_equal(d.p.limit.what, LIMIT_VALUE);
	assert_true(d.p.limit.at == BYTE(12) && d.p.limit.wrote == 6);
}

/* Counters and timers are words whatever the client states: a limit applies to each. */
static void counters_hold_words(void **unused)
{
	struct made items = { .n = 0 };
	struct desk d;

	(void)unused;
	put_item(&items, 0x1c, 2, 0, 0x1c, 5);
	desk_empty(&d);
	codes(&d, WRITE, WRITE)->values = desk_range(&d, 0, 5);
	assert_int_equal(write_items(&d, &items, 1, "00090004 00010005"), R_ALLOWED);
	assert_int_equal(write_items(&d, &items, 1, "00090004 00010006"), R_S7COMM_VALUE);
	desk_place(&d, &d.rows[0], S7_COUNTERS, 0, 10);
	assert_int_equal(write_items(&d, &items, 1, "00090004 00010005"), R_ALLOWED);
	assert_int_equal(write_items(&d, &items, 1, "00090004 00010006"), R_S7COMM_VALUE);
}

/* Data of an odd length are padded, except the last ones. If a pad is missing, or there is one too
 * many, the following data lie elsewhere. */
static void padding(void **unused)
{
	struct made items = { .n = 0 };
	struct desk d;

	(void)unused;
	put_item(&items, 2, 1, 0, 0x83, BYTE(10));
	put_item(&items, 4, 1, 0, 0x83, BYTE(12));
	desk_empty(&d);
	codes(&d, WRITE, WRITE)->values = desk_range(&d, 0, 5);
	desk_space(&d, &d.rows[0], S7_FLAGS,
		   desk_ranges(&d, (uint32_t[]){ BYTE(10), BYTE(10) + 7, BYTE(12), BYTE(13) + 7 }, 2));
	assert_int_equal(write_items(&d, &items, 2, "00040008 01 00 00040010 0005"), R_ALLOWED);
	assert_int_equal(write_items(&d, &items, 2, "00040008 01 00 00040010 0006"), R_S7COMM_VALUE);
	assert_int_equal(write_items(&d, &items, 2, "00040008 06 00 00040010 0005"), R_S7COMM_VALUE);
	assert_int_equal(write_items(&d, &items, 2, "00040008 01 00040010 0005"), R_S7COMM_FRAME);
	assert_int_equal(write_items(&d, &items, 2, "00040008 01 00 00040010 0005 00"), R_S7COMM_FRAME);
	assert_int_equal(write_items(&d, &items, 2, "00040008 01 00"), R_S7COMM_FRAME);
	assert_int_equal(write_items(&d, &items, 1, "00040008 01"), R_S7COMM_FRAME);
}

/* Sharp7 also pads the last data: a zero may follow a byte or a bit, and nothing else. */
static void padding_of_the_last(void **unused)
{
	struct made items = { .n = 0 };
	struct desk d;

	(void)unused;
	put_item(&items, 4, 1, 0, 0x83, BYTE(12));
	put_item(&items, 2, 1, 0, 0x83, BYTE(10));
	put_item(&items, 1, 1, 0, 0x83, BYTE(14));
	desk_empty(&d);
	codes(&d, WRITE, WRITE)->values = desk_range(&d, 0, 5);
	desk_space(
		&d, &d.rows[0], S7_FLAGS,
		desk_ranges(&d, (uint32_t[]){ BYTE(10), BYTE(10) + 7, BYTE(12), BYTE(13) + 7, BYTE(14), BYTE(14) }, 3));
	for (unsigned n = 2; n <= 3; n++) {
		struct made some = items;

		some.n = n * 12;
		for (unsigned i = 0; i < 5; i++) {
			static const char *const ends[] = { "", "00", "01", "0000", "00040008 01" };
			char data[80];

			snprintf(data, sizeof(data), "00040010 0005 00040008 01 %s%s", n == 2 ? "" : "00 00030001 01",
				 ends[i]);
			assert_int_equal(write_items(&d, &some, n, data), i < 2 ? R_ALLOWED : R_S7COMM_FRAME);
		}
	}
	items.n = 0;
	put_item(&items, 2, 1, 0, 0x83, BYTE(10));
	assert_int_equal(write_items(&d, &items, 1, "00040008 01"), R_ALLOWED);
	/* no client writes in this form */
	assert_int_equal(write_items(&d, &items, 1, "00040008 01 00"), R_S7COMM_FRAME);
}

/*
 * snap7's server finds the data of the second item by the type of the first one. If this type does
 * not agree with the data's own length, it would write bytes from elsewhere: then the values are
 * unknown.
 */
static void data_found_in_two_ways(void **unused)
{
	struct made items = { .n = 0 };
	struct desk d;

	(void)unused;
	put_item(&items, 8, 1, 0, 0x83, BYTE(10));
	put_item(&items, 4, 1, 0, 0x83, BYTE(20));
	desk_empty(&d);
	codes(&d, WRITE, WRITE)->values = desk_range(&d, 0, 5);
	desk_space(&d, &d.rows[0], S7_FLAGS,
		   desk_ranges(&d, (uint32_t[]){ BYTE(10), BYTE(13) + 7, BYTE(20), BYTE(21) + 7 }, 2));
	assert_int_equal(write_items(&d, &items, 2, "00070004 00000001 00040010 0005"), R_S7COMM_VALUE);
	assert_true(d.p.address == BYTE(20));
	assert_int_equal(write_items(&d, &items, 2, "00040020 00000001 00040010 0005"), R_ALLOWED);
	d.rows[0].values.any = true;
	assert_int_equal(write_items(&d, &items, 2, "00070004 00000001 00040010 0005"), R_ALLOWED);
}

static void answers(void **unused)
{
	static const struct {
		const char *parameters, *data;
		enum reason r;
	} all[] = {
		{ "0402", "ff040018 010203 00 ff040010 0001", R_ALLOWED },
		{ "0402", "ff090003 010203 00 ff090002 0001", R_ALLOWED },
		{ "0402", "0a000000 ff040010 0001", R_ALLOWED },
		{ "0402", "0a000004 05000000", R_ALLOWED }, /* snap7's server writes 4 */
		{ "0402", "ff040010 0102 ff040010 0001", R_S7COMM_RESPONSE },
		{ "0402", "ff040020 01020304 ff040010 0001", R_S7COMM_RESPONSE },
		{ "0402", "ff040018 010203 ff040010 0001", R_S7COMM_RESPONSE },
		{ "0402", "ff040018 010203 00", R_S7COMM_RESPONSE },
		{ "0402", "ff040018 010203 00 ff040010 0001 00", R_S7COMM_RESPONSE },
		{ "0402", "ff0400", R_S7COMM_RESPONSE },
		{ "0402", "", R_S7COMM_RESPONSE },
		{ "0401", "ff040018 010203", R_S7COMM_RESPONSE },
		{ "0403", "ff040018 010203 00 ff040010 0001", R_S7COMM_RESPONSE },
		{ "04", "ff040018 010203 00 ff040010 0001", R_S7COMM_RESPONSE },
		{ "0502", "ffff", R_S7COMM_RESPONSE },
	};
	struct desk d;

	(void)unused;
	desk_whole(&d);
	for (size_t i = 0; i < N(all); i++) {
		struct made p = { .n = 0 }, none = { .n = 0 };

		open_session(&d, RACK_0_SLOT_2, "03c0");
		put_hex(&p, "0402");
		put_item(&p, 2, 3, 0, 0x83, BYTE(10));
		put_item(&p, 4, 1, 1, 0x84, BYTE(10));
		assert_int_equal(tell(&d, DIR_C2S, message(1, 2, &p, &none)), R_ALLOWED);
		if (reply(&d, 2, all[i].parameters, all[i].data) != all[i].r)
			fail_msg("%s / %s: %d", all[i].parameters, all[i].data, d.p.reason);
	}
}

/* A cyclic read names addresses in the same way as a read. */
static void cyclic(void **unused)
{
	struct desk d;

	(void)unused;
	desk_empty(&d);
	desk_place(&d, codes(&d, S7_SUB(S7_CYCLIC, 1), S7_SUB(S7_CYCLIC, 1)), S7_DB, DB(1, 0), BYTE(8));
	open_session(&d, RACK_0_SLOT_2, "03c0");
	assert_int_equal(
		userdata(&d, DIR_C2S, 2, "000112 04 11 42 01 00", "ff090010 0001 00 05 120a1002000800018400 0000"),
		R_ALLOWED);
	assert_true(d.p.address == DB(1, 0) && d.p.quantity == BYTE(8));
	assert_int_equal(
		userdata(&d, DIR_C2S, 3, "000112 04 11 42 01 00", "ff090010 0001 00 05 120a1002000900018400 0000"),
		R_S7COMM_ADDRESS);
	assert_int_equal(userdata(&d, DIR_C2S, 4, "000112 04 11 42 01 00", "ff090002 0001"), R_S7COMM_ADDRESS);
}

#define CYCLIC_ASK "000112 04 11 42 01 00"
#define CYCLIC_PUSH "000112 08 12 02 01 01 00 00 0000"

/* Asks for two bytes of DB1, cyclically; the first byte increases with each call. */
static enum reason watch(struct desk *d, unsigned byte)
{
	char data[64];

	snprintf(data, sizeof(data), "ff090010 0001 00 05 120a1002000200018400 %04x", byte * 8);
	return userdata(d, DIR_C2S, 2, CYCLIC_ASK, data);
}

static enum reason pushes(struct desk *d)
{
	return userdata(d, DIR_S2C, 0, CYCLIC_PUSH, "ff090002 0102");
}

/* Cyclic reads of a data block's first bytes. */
static struct command_row *may_watch(struct desk *d, unsigned last_sub, unsigned bytes)
{
	struct command_row *row;

	desk_empty(d);
	row = codes(d, S7_SUB(S7_CYCLIC, 1), S7_SUB(S7_CYCLIC, last_sub));
	desk_place(d, row, S7_DB, DB(1, 0), BYTE(bytes));
	return row;
}

/* Each push of a cyclic read is judged as a read, by the rows of that moment, address by
 * address. */
static void cyclic_after_a_change(void **unused)
{
	struct command_row *row;
	struct desk d;

	(void)unused;
	row = may_watch(&d, 1, 100);
	open_session(&d, RACK_0_SLOT_2, "03c0");
	assert_int_equal(watch(&d, 10), R_ALLOWED);
	assert_int_equal(watch(&d, 20), R_ALLOWED);
	assert_int_equal(pushes(&d), R_ALLOWED);
	/* one byte of the cyclic read is no longer allowed */
	desk_place(&d, row, S7_DB, DB(1, 0), BYTE(21));
	d.table.digest[0]++;
	d.permit.permit++;
	assert_int_equal(pushes(&d), R_S7COMM_ADDRESS);
	assert_true(d.p.space == S7_DB && d.p.address == DB(1, 20) && d.p.quantity == BYTE(2));
	desk_place(&d, row, S7_DB, DB(1, 0), BYTE(22));
	assert_int_equal(pushes(&d), R_ALLOWED);
	row->services = desk_range(&d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_READ));
	assert_int_equal(pushes(&d), R_S7COMM_FUNCTION);
}

/* More addresses than are kept: their pushes pass as long as the permit does not change. */
static void cyclic_too_many(void **unused)
{
	struct command_row *row;
	struct desk d;

	(void)unused;
	for (unsigned n = S7_WATCHED_MAX - 1; n < S7_WATCHED_MAX + 2; n++) {
		row = may_watch(&d, 4, 200);
		open_session(&d, RACK_0_SLOT_2, "03c0");
		for (unsigned again = 0; again < 3;
		     again++) /* a repeated request adds nothing, nor does the end of one */
			for (unsigned i = 0; i < n; i++) {
				assert_int_equal(watch(&d, 2 * i), R_ALLOWED);
				assert_int_equal(
					userdata(&d, DIR_S2C, 2, "000112 08 12 82 01 01 00 00 0000", "ff090000"),
					R_ALLOWED);
				assert_int_equal(userdata(&d, DIR_C2S, 3, "000112 04 11 42 04 00", "ff090002 0501"),
						 R_ALLOWED);
				assert_int_equal(
					userdata(&d, DIR_S2C, 3, "000112 08 12 82 04 01 00 00 0000", "0a000000"),
					R_ALLOWED);
			}
		d.table.digest[0]++; /* a change elsewhere */
		assert_int_equal(pushes(&d), R_ALLOWED);
		d.permit.permit++;
		assert_int_equal(pushes(&d), n <= S7_WATCHED_MAX ? R_ALLOWED : R_S7COMM_ADDRESS);
		row->spaces_any = true;
		assert_int_equal(pushes(&d), R_ALLOWED);
	}
}

/* A session met half-way: the addresses are unknown, so every push needs a row without limits. So
 * does a push for which there was no request. */
static void pushes_of_unknown_places(void **unused)
{
	struct command_row *row;
	struct desk d;

	(void)unused;
	may_watch(&d, 1, 100);
	pending_missed(&s7comm_enforcer, d.state, false);
	assert_int_equal(pushes(&d), R_ALLOWED);
	d.permit.permit++;
	assert_int_equal(pushes(&d), R_S7COMM_ADDRESS);
	desk_empty(&d);
	row = codes(&d, S7_SUB(S7_TEST, 2), S7_SUB(S7_TEST, 2));
	open_session(&d, RACK_0_SLOT_2, "03c0");
	assert_int_equal(userdata(&d, DIR_C2S, 2, "000112 04 11 41 02 00", "ff090002 0001"), R_ALLOWED);
	assert_int_equal(userdata(&d, DIR_S2C, 0, "000112 08 12 01 02 01 00 00 0000", "ff090002 0102"), R_ALLOWED);
	desk_place(&d, row, S7_DB, DB(1, 0), BYTE(100));
	assert_int_equal(userdata(&d, DIR_S2C, 0, "000112 08 12 01 02 01 00 00 0000", "ff090002 0102"),
			 R_S7COMM_ADDRESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(unknown_places),
		cmocka_unit_test(sizes),
		cmocka_unit_test(several_items),
		cmocka_unit_test(other_forms),
		cmocka_unit_test(values),
		cmocka_unit_test(widths_of_a_value),
		cmocka_unit_test(the_value_that_is_outside),
		cmocka_unit_test(counters_hold_words),
		cmocka_unit_test(padding),
		cmocka_unit_test(padding_of_the_last),
		cmocka_unit_test(data_found_in_two_ways),
		cmocka_unit_test(answers),
		cmocka_unit_test(cyclic),
		cmocka_unit_test(cyclic_after_a_change),
		cmocka_unit_test(cyclic_too_many),
		cmocka_unit_test(pushes_of_unknown_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
