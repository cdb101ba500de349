/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FINS enforcer: frames, what each command of the manuals touches and writes, the lengths of
 * every command, and the destination of a request. Answers and sessions are in test_fins_answers.c.
 * LINK: $(COMMANDS_PARTS) dpi/fins/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/fins_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* ---- frames ---------------------------------------------------------------------------------- */

/* Every prefix of a frame waits, the whole frame is whole, and one more byte changes nothing. */
static void frames_are_as_long_as_they_say(void **state)
{
	uint8_t zero[ENFORCER_STATE_MAX] = { 0 };
	struct frame f = request_of(1, "0101 82 0064 00 0002"), t = over_tcp(2, 0, f.p, f.n);
	size_t len;

	(void)state;
	for (size_t n = 0; n < t.n; n++)
		assert_int_equal(fins_enforcer.frame(zero, DIR_C2S, bytes_of(t.p, n), &len), FRAME_NEED_MORE);
	t.p[t.n] = 'F';
	for (size_t more = 0; more < 2; more++) {
		assert_int_equal(fins_enforcer.frame(zero, DIR_C2S, bytes_of(t.p, t.n + more), &len), FRAME_WHOLE);
		assert_int_equal(len, t.n);
	}
}

/* Tries any value at any byte of a header: a value that cannot stand there ends the flow at that
 * byte. */
static void headers_are_read_byte_by_byte(void **state)
{
	uint8_t zero[ENFORCER_STATE_MAX] = { 0 };
	struct frame f = request_of(1, "0501"), t = over_tcp(2, 0, f.p, f.n);
	size_t len;

	(void)state;
	for (size_t i = 0; i < 12; i++)
		for (unsigned v = 0; v < 256; v++) {
			struct frame other = t;

			other.p[i] = (uint8_t)v;
			if (i != 6 && i != 7 && i != 11 && v != t.p[i])
				assert_int_equal(fins_enforcer.frame(zero, DIR_C2S, bytes_of(other.p, i + 1), &len),
						 FRAME_BAD);
			if (i == 11)
				assert_int_equal(fins_enforcer.frame(zero, DIR_C2S, bytes_of(other.p, t.n), &len),
						 v == 2 ? FRAME_WHOLE : FRAME_BAD);
		}
}

/* The limits of lengths, for each FINS/TCP command (W421, 7-4-2) and for datagrams. */
static void lengths_have_limits(void **state)
{
	static const uint32_t limits[7][2] = { { 12, 12 }, { 16, 16 }, { 20, 2020 }, { 8, 8 },
					       { 1, 0 },   { 1, 0 },   { 8, 8 } };
	uint8_t zero[ENFORCER_STATE_MAX] = { 0 }, room[2100] = { 0 };
	struct desk d;
	size_t len;

	(void)state;
	for (uint8_t command = 0; command < 7; command++)
		for (uint32_t n = 0; n < 0x10000; n++) {
			uint8_t head[12] = {
				'F', 'I', 'N', 'S', 0, 0, (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0, command
			};
			bool may = n >= limits[command][0] && n <= limits[command][1];

			assert_int_equal(fins_enforcer.frame(zero, DIR_C2S, bytes_of(head, 12), &len),
					 may ? FRAME_NEED_MORE : FRAME_BAD);
		}
	desk_row(&d);
	datagrams(&d);
	for (size_t n = 0; n < sizeof(room); n++)
		assert_int_equal(fins_enforcer.frame(d.state, DIR_C2S, bytes_of(room, n), &len),
				 n >= 12 && n <= 2012 ? FRAME_WHOLE : FRAME_BAD);
}

/* Reserved bits of the control byte, the byte RSV, too many gateways, networks that do not
 * exist. */
static void reserved_bits_are_zero(void **state)
{
	struct frame good = request_of(1, "0501");
	struct desk d;

	(void)state;
	for (unsigned at = 0; at < 10; at++)
		for (unsigned v = 0; v < 256; v++) {
			struct frame f = good;
			bool answers = at == 0 && (v & 0x40) != 0, fits = true;

			f.p[at] = (uint8_t)v;
			fits = at == 0		    ? (v & 0x3e) == 0
			       : at == 1	    ? v == 0
			       : at == 2	    ? v <= 7
			       : at == 3 || at == 6 ? v < 128
						    : true;
			desk_row(&d);
			d.rows[0].targets[1] = desk_range(&d, 0, 255);
			datagrams(&d);
			desk_judge(&d, DIR_C2S, f.p, f.n);
			assert_int_equal(d.p.reason, !fits ? R_FINS_FRAME : answers ? R_FINS_RESPONSE : R_ALLOWED);
		}
}

/* ---- lengths of every command ---------------------------------------------------------------- */

/* Parameters as the sections of the manuals have them (W227 unless another is named). If they are
 * cut anywhere, or one byte longer, most of them make no sense. */
static const struct example {
	uint32_t service;
	const char *says;
	unsigned least; /* so many bytes behind the header are enough; 0: only all */
	bool longer;	/* more may follow */
} examples[] = {
	{ 0x01010000, "0101 80 0000 00 0002", 0, false },
	{ 0x01010000, "0101 30 0000 0f 0001", 0, false },
	{ 0x01020000, "0102 82 0064 00 0002 0007 0008", 0, false },
	{ 0x01020000, "0102 31 0000 05 0002 01 00", 0, false },
	{ 0x01030000, "0103 82 0064 00 000a 1234", 0, false },
	{ 0x01050000, "0105 82 0064 00 b1 0000 00 0005", 0, false },
	{ 0x02010000, "0201 8010 0000 0008", 0, false },
	{ 0x02020000, "0202 8010 0000 0001 0000", 8, true },
	{ 0x02030000, "0203 8010 0000 0100 0000", 0, false },
	{ 0x02200000, "0220 0000 534e 0000 0001", 0, false },
	{ 0x03040000, "0304 0000 00 00000000 ffffffff 50415353", 0, false },
	{ 0x03050000, "0305 0000 00 00000000 ffffffff 50415353", 0, false },
	{ 0x03060000, "0306 ffff 00000000 0100", 0, false },
	{ 0x03070000, "0307 ffff 00000000 0002 4142", 10, true },
	{ 0x03080000, "0308 ffff 00", 0, false },
	{ 0x04030000, "0403", 0, false },
	{ 0x05020000, "0502 00 19", 3, false },
	{ 0x06010000, "0601", 0, false },
	{ 0x06020000, "0602", 0, false },
	{ 0x06030000, "0603", 0, false },
	{ 0x06200000, "0620 00", 0, false },
	{ 0x06200001, "0620 01", 0, false },
	{ 0x07010000, "0701", 0, false },
	{ 0x07020000, "0702 26 11 28 09 30 00 06", 7, false },
	{ 0x08020000, "0802", 0, false },
	{ 0x09200000, "0920 00ff", 0, false },
	{ 0x09204000, "0920 40ff", 0, false },
	{ 0x09208000, "0920 8001", 0, false },
	{ 0x0c010000, "0c01 0000", 0, false },
	{ 0x0c020000, "0c02 0000", 0, false },
	{ 0x0c030000, "0c03 0000", 0, false },
	{ 0x21010000, "2101 fffe", 0, false },
	{ 0x21020000, "2102 0000 0001", 0, false },
	{ 0x21030000, "2103", 0, false },
	{ 0x21400000, "2140 0000 0001", 0, false },
	{ 0x21410000, "2141", 0, false },
	{ 0x22040000, "2204 8000", 0, false },
	{ 0x220f0000, "220f 0001 01", 0, false },
	{ 0x22100000, "2210 0001", 0, false },
	{ 0x23010000, "2301 0001 0001 30 0000 05", 0, false },
	{ 0x23010000, "2301 0002 0001 30 0000 05 8000 09 0003 00", 0, false },
	{ 0x230a0000, "230a 80 0000 00 0001", 0, false },
	{ 0x26020000, "2602", 0, false },
	{ 0x26030000, "2603", 0, false },
	{ 0x22020000, "2202 8000 46494c454e414d452e455845 00000000 0020", 22, true },
	{ 0x22030000, "2203 8000 0000 46494c454e414d452e455845 00000000 0000", 24, true },
	{ 0x22050000, "2205 8000 0001 46494c454e414d452e455845", 18, true },
	{ 0x22070000, "2207 8000 46494c454e414d452e455845 8001 46494c454e414d452e455845", 30, true },
	{ 0x22080000, "2208 8000 46494c454e414d452e455845 4f544845522020202e455845", 28, true },
	{ 0x22090000, "2209 8000 46494c454e414d452e455845", 16, true },
	{ 0x220a0000, "220a 0000 82 0064 00 0001 8000 46494c454e414d452e455845", 24, true },
	{ 0x220b0000, "220b 0000 8010 0000 0001 8000 46494c454e414d452e455845", 24, true },
	{ 0x220c0000, "220c 0000 0000 00000e00 000000ff 8000 46494c454e414d452e455845", 28, true },
};

static void every_command_has_its_length(void **state)
{
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(examples); k++) {
		const struct example *e = &examples[k];
		struct frame f = request_of(1, e->says);
		size_t whole = f.n, least = e->least > 0 ? 10u + e->least : whole;

		assert_non_null(function_by_code(&vocabulary_fins, e->service));
		for (size_t n = 12; n <= whole + 1; n++) {
			bool fits = (n >= least && n <= whole) || (n > whole && e->longer);

			desk_row(&d);
			datagrams(&d);
			f.p[whole] = 0;
			desk_judge(&d, DIR_C2S, f.p, n);
			if (d.p.reason != (fits ? R_ALLOWED : R_FINS_FRAME))
				fail_msg("%s: %zu of %zu bytes: %d", e->says, n, whole, d.p.reason);
			if (n == whole && d.p.function != e->service)
				fail_msg("%s: %08x", e->says, d.p.function);
		}
		/* no row has this code */
		desk_row(&d)->services = desk_range(&d, e->service + 1u, UINT32_MAX);
		datagrams(&d);
		desk_judge(&d, DIR_C2S, f.p, whole);
		if (d.p.reason != R_FINS_FUNCTION)
			fail_msg("%s: %d", e->says, d.p.reason);
	}
	/* 0401 alone, with a program number, with a program number and a mode. */
	for (unsigned n = 0; n < 5; n++) {
		static const char *const says[] = { "0401", "0401 ff", "0401 ffff", "0401 ffff 04", "0401 ffff 04 00" };

		desk_row(&d);
		datagrams(&d);
		assert_int_equal(ask(&d, 1, says[n])->allowed, n != 1 && n != 4);
	}
}

/* Each possible code: a code without a name is allowed by a row that has the code, and by no
 * word. */
static void codes_without_a_name_are_of_no_word(void **state)
{
	struct desk d;

	(void)state;
	for (uint32_t command = 0x0100; command < 0x3000; command++) {
		struct frame f = frame_of(0x80, usual, 1, (uint16_t)command);
		struct command_row *row = desk_row(&d);

		if (function_by_code(&vocabulary_fins, command << 16) != NULL)
			continue;
		row->services = (struct number_set){ .first = d.table.n_ranges };
		for (unsigned i = 0; i < vocabulary_fins.n_functions; i++)
			row->services.n +=
				desk_range(&d, vocabulary_fins.functions[i].code, vocabulary_fins.functions[i].last).n;
		datagrams(&d);
		desk_judge(&d, DIR_C2S, f.p, f.n);
		assert_true(d.p.reason == R_FINS_FUNCTION);
		row->services = desk_range(&d, command << 16, command << 16);
		desk_space(&d, row, FINS_D, desk_range(&d, 0, 65535));
		desk_judge(&d, DIR_C2S, f.p, f.n);
		/* nobody knows which addresses it touches */
		assert_int_equal(d.p.reason, R_FINS_ADDRESS);
		row->spaces_any = true;
		assert_true(desk_judge(&d, DIR_C2S, f.p, f.n)->allowed);
	}
}

/* ---- what is touched ------------------------------------------------------------------------- */

/* Two items from word 0x98. A row with one word less at either end refuses the request, and a row
 * for another space does too. */
static const struct area_case {
	uint8_t code, space;
	bool bits, part; /* for a bit the third byte of the address is 2 */
	uint64_t first, last;
} areas[] = {
	{ 0x00, FINS_CIO, true, false, 0x982, 0x983 },	    { 0x05, FINS_CIO, true, false, 0x982, 0x983 },
	{ 0x40, FINS_CIO, true, false, 0x982, 0x983 },	    { 0x80, FINS_CIO, false, false, 0x980, 0x99f },
	{ 0x85, FINS_CIO, false, false, 0x980, 0x99f },	    { 0xc0, FINS_CIO, false, false, 0x980, 0x99f },
	{ 0x30, FINS_CIO, true, false, 0x982, 0x983 },	    { 0x31, FINS_W, true, false, 0x982, 0x983 },
	{ 0x32, FINS_H, true, false, 0x982, 0x983 },	    { 0x33, FINS_A, true, false, 0x982, 0x983 },
	{ 0x70, FINS_CIO, true, false, 0x982, 0x983 },	    { 0x71, FINS_W, true, false, 0x982, 0x983 },
	{ 0x72, FINS_H, true, false, 0x982, 0x983 },	    { 0xb0, FINS_CIO, false, false, 0x980, 0x99f },
	{ 0xb1, FINS_W, false, false, 0x980, 0x99f },	    { 0xb2, FINS_H, false, false, 0x980, 0x99f },
	{ 0xb3, FINS_A, false, false, 0x980, 0x99f },	    { 0xf0, FINS_CIO, false, false, 0x980, 0x99f },
	{ 0xf1, FINS_W, false, false, 0x980, 0x99f },	    { 0xf2, FINS_H, false, false, 0x980, 0x99f },
	{ 0x01, FINS_TIM_FLAGS, false, false, 0x98, 0x99 }, { 0x41, FINS_TIM_FLAGS, false, false, 0x98, 0x99 },
	{ 0x09, FINS_TIM_FLAGS, false, false, 0x98, 0x99 }, { 0x49, FINS_TIM_FLAGS, false, false, 0x98, 0x99 },
	{ 0x81, FINS_TIM, false, false, 0x98, 0x99 },	    { 0x89, FINS_TIM, false, false, 0x98, 0x99 },
	{ 0x02, FINS_D, true, true, 0x98, 0x98 },	    { 0x82, FINS_D, false, false, 0x98, 0x99 },
	{ 0x20, FINS_E, true, true, 0x98, 0x98 },	    { 0x2f, FINS_E, true, true, 0xf0098, 0xf0098 },
	{ 0xe0, FINS_E, true, true, 0x100098, 0x100098 },   { 0xe8, FINS_E, true, true, 0x180098, 0x180098 },
	{ 0x60, FINS_E, false, false, 0x100098, 0x100099 }, { 0x68, FINS_E, false, false, 0x180098, 0x180099 },
	{ 0x90, FINS_E, false, false, 0x98, 0x99 },	    { 0x97, FINS_E, false, false, 0x70098, 0x70099 },
	{ 0xa0, FINS_E, false, false, 0x98, 0x99 },	    { 0xaf, FINS_E, false, false, 0xf0098, 0xf0099 },
	{ 0x0a, FINS_E_CURRENT, true, true, 0x98, 0x98 },   { 0x98, FINS_E_CURRENT, false, false, 0x98, 0x99 },
};

static const struct pdu *read_two(struct desk *d, uint8_t code, uint16_t word, uint8_t bit)
{
	char says[64];

	snprintf(says, sizeof(says), "0101 %02x %04x %02x 0002", code, word, bit);
	return ask(d, 1, says);
}

static void every_area_has_its_place(void **state)
{
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(areas); k++) {
		const struct area_case *a = &areas[k];
		uint8_t bit = a->bits ? 2 : 0;

		only(&d, a->space, a->first, a->last);
		if (!read_two(&d, a->code, 0x98, bit)->allowed)
			fail_msg("code %02x", a->code);
		assert_int_equal(d.p.space, a->space);
		assert_int_equal(d.p.address, a->first);
		for (unsigned less = 0; less < 2 && a->first < a->last; less++) {
			only(&d, a->space, a->first + less, a->last - (1u - less));
			assert_int_equal(read_two(&d, a->code, 0x98, bit)->reason, R_FINS_ADDRESS);
		}
		for (uint8_t other = 0; other < FINS_SPACES; other++) {
			only(&d, other, 0, 0x1fffff);
			assert_int_equal(read_two(&d, a->code, 0x98, bit)->allowed, other == a->space);
		}
		/* A bit number for an area of words, or a bit number that does not exist. */
		only(&d, a->space, 0, 0x1fffff);
		assert_int_equal(read_two(&d, a->code, 0x98, a->bits ? 16 : 1)->reason, R_FINS_ADDRESS);
	}
}

/* Area codes without a key are allowed only where no row limits addresses. */
static void other_areas_have_no_place(void **state)
{
	unsigned unnamed = 0;
	struct desk d;

	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		bool named = (code >= 0x20 && code <= 0x2f) || (code >= 0xe0 && code <= 0xe8) ||
			     (code >= 0x60 && code <= 0x68) || (code >= 0x90 && code <= 0x97) ||
			     (code >= 0xa0 && code <= 0xaf);

		for (size_t k = 0; k < N(areas); k++)
			named = named || areas[k].code == code;
		desk_row(&d);
		datagrams(&d);
		assert_true(read_two(&d, (uint8_t)code, 0x98, 0)->allowed);
		for (uint8_t s = 0; s < 4; s++)
			desk_space(&d, &d.rows[0], s, desk_range(&d, 0, 0xfffff));
		if (!named)
			assert_int_equal(read_two(&d, (uint8_t)code, 0x98, 0)->reason, R_FINS_ADDRESS);
		unnamed += !named;
	}
	assert_true(unnamed > 100);
}

/* In CV mode CIO, G and A have one common numbering, and so have timers and counters. Words between
 * the areas belong to none of them. */
static void old_codes_have_one_numbering(void **state)
{
	static const struct {
		uint8_t code;
		uint16_t word;
		uint8_t space;
		uint64_t first;
	} at[] = { { 0x80, 0x09fd, FINS_CIO, 0x9fd0 }, { 0x80, 0x0a00, FINS_G, 0 },
		   { 0x80, 0x0afe, FINS_G, 0xfe0 },    { 0x80, 0x0b00, FINS_A, 0 },
		   { 0x80, 0x0ebe, FINS_A, 0x3be0 },   { 0x80, 0x09fe, SPACE_NONE, 0 },
		   { 0x80, 0x09ff, SPACE_NONE, 0 },    { 0x80, 0x0aff, SPACE_NONE, 0 },
		   { 0x80, 0x0ec0, SPACE_NONE, 0 },    { 0x81, 0x07fe, FINS_TIM, 0x7fe },
		   { 0x81, 0x07ff, SPACE_NONE, 0 },    { 0x81, 0x0800, FINS_CNT, 0 },
		   { 0x89, 0x0fff, FINS_TIM, 0xfff },  { 0x89, 0x7fff, SPACE_NONE, 0 },
		   { 0x89, 0x8000, FINS_CNT, 0 },      { 0x01, 0x0801, FINS_CNT_FLAGS, 1 },
		   { 0x09, 0x8001, FINS_CNT_FLAGS, 1 } };
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(at); k++) {
		desk_row(&d);
		datagrams(&d);
		assert_true(read_two(&d, at[k].code, at[k].word, 0)->allowed);
		if (d.p.space != at[k].space || (at[k].space != SPACE_NONE && d.p.address != at[k].first))
			fail_msg("%02x %04x: space %u, %llu", at[k].code, at[k].word, d.p.space,
				 (unsigned long long)d.p.address);
	}
	/* Beyond the last word. */
	desk_row(&d);
	datagrams(&d);
	assert_int_equal(ask(&d, 1, "0101 82 ffff 00 0002")->reason, R_FINS_FRAME);
	assert_true(ask(&d, 1, "0101 82 ffff 00 0001")->allowed);
	assert_int_equal(ask(&d, 1, "0101 82 0000 00 0000")->reason, R_FINS_FRAME);
	/* more than fits into an answer */
	assert_int_equal(ask(&d, 1, "0101 82 0000 00 03e8")->reason, R_FINS_FRAME);
	assert_true(ask(&d, 1, "0101 82 0000 00 03e7")->allowed);
}

/* Each address of a list needs a row that covers it. A transfer needs one row that covers its
 * source and its destination. */
static void lists_and_transfers(void **state)
{
	struct desk d;

	(void)state;
	only(&d, FINS_D, 0, 99);
	assert_true(ask(&d, 1, "0104 82 0000 00 82 0063 00")->allowed);
	assert_int_equal(ask(&d, 2, "0104 82 0000 00 82 0064 00")->reason, R_FINS_ADDRESS);
	assert_int_equal(ask(&d, 3, "0104 82 0064 00 82 0000 00")->reason, R_FINS_ADDRESS);
	assert_int_equal(ask(&d, 3, "0104 82 0000 00 b1 0000 00")->reason, R_FINS_ADDRESS);
	assert_int_equal(ask(&d, 3, "0104")->reason, R_FINS_FRAME);
	assert_true(ask(&d, 4, "0105 82 0000 00 82 0032 00 0032")->allowed);
	assert_int_equal(ask(&d, 5, "0105 82 0000 00 82 0033 00 0032")->reason, R_FINS_ADDRESS);
	assert_int_equal(ask(&d, 5, "0105 82 0033 00 82 0000 00 0032")->reason, R_FINS_ADDRESS);
	/* Two rows, each for one end of the transfer: neither allows it. */
	desk_space(&d, desk_more(&d, 1, 200, false), FINS_D, desk_range(&d, 100, 199));
	assert_true(ask(&d, 6, "0104 82 0000 00 82 0064 00")->allowed);
	assert_int_equal(ask(&d, 7, "0105 82 0000 00 82 0064 00 0001")->reason, R_FINS_ADDRESS);
}

/* ---- what is written ------------------------------------------------------------------------- */

static void words_have_values(void **state)
{
	struct desk d;

	(void)state;
	only(&d, FINS_D, 0, 99)->values = desk_range(&d, 5, 500);
	assert_true(ask(&d, 1, "0102 82 0000 00 0002 0005 01f4")->allowed);
	assert_int_equal(ask(&d, 2, "0102 82 0000 00 0002 0004 01f4")->reason, R_FINS_VALUE);
	assert_int_equal(ask(&d, 2, "0102 82 0000 00 0002 0005 01f5")->reason, R_FINS_VALUE);
	assert_true(ask(&d, 3, "0103 82 0000 00 0064 01f4")->allowed);
	assert_int_equal(ask(&d, 4, "0103 82 0000 00 0064 01f5")->reason, R_FINS_VALUE);
	/* the other bits of this word are unknown */
	assert_int_equal(ask(&d, 5, "0102 02 0000 00 0001 01")->reason, R_FINS_VALUE);
	assert_int_equal(ask(&d, 5, "0105 82 0000 00 82 0032 00 0001")->reason, R_FINS_VALUE);
	assert_int_equal(ask(&d, 5, "220a 0001 82 0000 00 0001 8000 46494c454e414d452e455845")->reason, R_FINS_VALUE);
	assert_true(ask(&d, 6, "220a 0000 82 0000 00 0001 8000 46494c454e414d452e455845")->allowed);
	assert_int_equal(ask(&d, 7, "220a 0003 82 0000 00 0001 8000 46494c454e414d452e455845")->reason, R_FINS_FRAME);
	/* The data have one byte more or one byte less than the count says. */
	assert_int_equal(ask(&d, 8, "0102 82 0000 00 0002 0005 01")->reason, R_FINS_FRAME);
	assert_int_equal(ask(&d, 8, "0102 82 0000 00 0001 0005 0005")->reason, R_FINS_FRAME);
}

/* Each address of a row stands for one value, which is either a bit or a word. */
static void bits_and_words_are_apart(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	row = only(&d, FINS_W, 0x05, 0x05);
	row->values = desk_range(&d, 0, 1);
	assert_true(ask(&d, 1, "0102 31 0000 05 0001 01")->allowed);
	assert_int_equal(ask(&d, 2, "0102 31 0000 04 0001 01")->reason, R_FINS_ADDRESS);
	assert_int_equal(ask(&d, 2, "0102 31 0000 05 0001 02")->reason, R_FINS_FRAME);
	assert_int_equal(ask(&d, 2, "0102 b1 0000 00 0001 0020")->reason, R_FINS_ADDRESS);
	row->values = desk_range(&d, 0, 0);
	assert_int_equal(ask(&d, 3, "0102 31 0000 05 0001 01")->reason, R_FINS_VALUE);
	/* A row for a whole word: the word is one value, and its bits are none. */
	row = only(&d, FINS_H, 12 * 16, 12 * 16 + 15);
	row->values = desk_range(&d, 0, 500);
	assert_true(ask(&d, 1, "0102 b2 000c 00 0001 01f4")->allowed);
	assert_int_equal(ask(&d, 2, "0102 b2 000c 00 0001 01f5")->reason, R_FINS_VALUE);
	assert_int_equal(ask(&d, 2, "0102 32 000c 00 0001 01")->reason, R_FINS_VALUE);
	assert_true(ask(&d, 3, "0101 32 000c 00 0001")->allowed); /* a read has no value */
	assert_true(ask(&d, 4, "0103 b2 000c 00 0001 01f4")->allowed);
	assert_int_equal(ask(&d, 5, "0103 32 000c 00 0001 0001")->reason, R_FINS_VALUE);
}

static void forced_bits(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	row = only(&d, FINS_CIO, 0x05, 0x05);
	assert_true(ask(&d, 1, "2301 0001 0001 30 0000 05")->allowed);
	assert_true(ask(&d, 1, "2301 0001 ffff 30 0000 05")->allowed);
	assert_int_equal(ask(&d, 2, "2301 0002 0001 30 0000 05 0001 30 0000 06")->reason, R_FINS_ADDRESS);
	assert_int_equal(ask(&d, 2, "2301 0001 0002 30 0000 05")->reason, R_FINS_FRAME);
	assert_int_equal(ask(&d, 2, "2301 0001 8002 30 0000 05")->reason, R_FINS_FRAME);
	assert_int_equal(ask(&d, 2, "2301 0000")->reason, R_FINS_FRAME);
	assert_int_equal(ask(&d, 2, "2301 0002 0001 30 0000 05")->reason, R_FINS_FRAME);
	assert_int_equal(ask(&d, 2, "2302")->reason, R_FINS_ADDRESS); /* all forced bits */
	row->values = desk_range(&d, 0, 0);
	assert_true(ask(&d, 3, "2301 0001 0000 30 0000 05")->allowed);
	assert_true(ask(&d, 3, "2301 0001 8000 30 0000 05")->allowed);
	assert_int_equal(ask(&d, 4, "2301 0001 0001 30 0000 05")->reason, R_FINS_VALUE);
	assert_int_equal(ask(&d, 4, "2301 0001 8001 30 0000 05")->reason, R_FINS_VALUE);
	assert_int_equal(ask(&d, 4, "2301 0001 ffff 30 0000 05")->reason, R_FINS_VALUE);
}

/* More items than there is room for: the last item with room may be anything. */
static void many_items(void **state)
{
	struct frame f = request_of(1, "0104");
	struct desk d;

	(void)state;
	for (unsigned n = 1; n <= 499; n++) {
		put_hex(&f, "82 0000 00");
		desk_row(&d);
		datagrams(&d);
		assert_true(desk_judge(&d, DIR_C2S, f.p, f.n)->allowed);
		only(&d, FINS_D, 0, 0);
		assert_int_equal(desk_judge(&d, DIR_C2S, f.p, f.n)->allowed, n < OPERATIONS_MAX);
	}
}

/* ---- whom it is for -------------------------------------------------------------------------- */

static void targets_are_read(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned at = 3; at < 9; at++) {
		struct frame f = request_of(1, "0501");

		for (unsigned v = 0; v < 256; v++) {
			struct command_row *row = desk_row(&d);
			bool named = v == (at < 6 ? usual.to[at - 3] : usual.from[at - 6]);

			row->targets[0] = desk_range(&d, 0, 0);
			row->targets[1] = desk_range(&d, 10, 10);
			row->targets[2] = desk_range(&d, 0, 0);
			row->targets[3] = desk_range(&d, 25 << 8, 25 << 8);
			datagrams(&d);
			f.p[at] = (uint8_t)v;
			desk_judge(&d, DIR_C2S, f.p, f.n);
			assert_int_equal(d.p.reason, named			       ? R_ALLOWED
						     : (at == 3 || at == 6) && v > 127 ? R_FINS_FRAME
										       : R_FINS_TARGET);
		}
	}
}

/* 255 stands for all nodes: the row has to name it. */
static void all_nodes_are_named(void **state)
{
	struct frame f = request_of(1, "0402");
	struct desk d;

	(void)state;
	f.p[4] = 255;
	desk_row(&d);
	datagrams(&d);
	assert_int_equal(desk_judge(&d, DIR_C2S, f.p, f.n)->reason, R_FINS_TARGET);
	d.rows[0].targets[1] = desk_range(&d, 255, 255);
	assert_true(desk_judge(&d, DIR_C2S, f.p, f.n)->allowed);
	/* Nobody answers that. */
	assert_int_equal(tell(&d, 1, 0x0402, 0, 0)->reason, R_FINS_RESPONSE);
}

/* A frame inside the values of another frame: its first n bytes, with or without a whole frame in
 * front of the outer one. */
static void no_frame_is_inside(void **state)
{
	struct frame inner = request_of(2, "0402"), stop = over_tcp(2, 0, inner.p, inner.n), outer, t;
	struct desk d;

	(void)state;
	for (size_t n = 0; n <= stop.n; n += 2)
		for (unsigned behind = 0; behind < 2; behind++) {
			struct frame two = { .n = 0 };
			size_t carried;
			bool passes;

			outer = request_of(1, "0102 82 0000 00 0014");
			memset(outer.p + outer.n, 0x11, 40);
			memcpy(outer.p + outer.n + 4, stop.p, n < 36 ? n : 36);
			outer.n += 40;
			t = over_tcp(2, 0, outer.p, outer.n);
			if (behind != 0)
				put_bytes(&two, stop.p, stop.n);
			carried = two.n;
			put_bytes(&two, t.p, t.n);
			desk_row(&d);
			passes = fins_enforcer.segment(d.state, 0, 0, false, bytes_of(two.p, two.n), desk_by(&d), &d.p);
			assert_int_equal(passes, n < 12);
			if (!passes)
				assert_int_equal(d.p.reason, R_FINS_INSIDE);
			desk_whole(&d);
			assert_true(fins_enforcer.segment(d.state, 0, carried, false, bytes_of(two.p, two.n),
							  desk_by(&d), &d.p));
		}
	/* Frames behind each other are not inside each other. */
	t = stop;
	put_bytes(&t, stop.p, stop.n);
	put_bytes(&t, stop.p, 20);
	desk_row(&d);
	assert_true(fins_enforcer.segment(d.state, 0, 0, false, bytes_of(t.p, t.n), desk_by(&d), &d.p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_as_long_as_they_say),
		cmocka_unit_test(headers_are_read_byte_by_byte),
		cmocka_unit_test(lengths_have_limits),
		cmocka_unit_test(reserved_bits_are_zero),
		cmocka_unit_test(every_command_has_its_length),
		cmocka_unit_test(codes_without_a_name_are_of_no_word),
		cmocka_unit_test(every_area_has_its_place),
		cmocka_unit_test(other_areas_have_no_place),
		cmocka_unit_test(old_codes_have_one_numbering),
		cmocka_unit_test(lists_and_transfers),
		cmocka_unit_test(words_have_values),
		cmocka_unit_test(bits_and_words_are_apart),
		cmocka_unit_test(forced_bits),
		cmocka_unit_test(many_items),
		cmocka_unit_test(targets_are_read),
		cmocka_unit_test(all_nodes_are_named),
		cmocka_unit_test(no_frame_is_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
