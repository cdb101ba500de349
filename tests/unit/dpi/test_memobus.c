/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MEMOBUS enforcer: messages, every function with its length, what each touches and writes, the
 * destination of a message, answers, sessions met half-way, messages inside of others.
 * LINK: $(COMMANDS_PARTS) dpi/memobus/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "dpi/memobus/memobus.h"
#include "dpi/once.h"
#include "tests/unit/dpi/memobus_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))
#define READ "2009 10 00 6400 0200"

/* ---- messages -------------------------------------------------------------------------------- */

static enum frame_result cut(const uint8_t *p, size_t n, size_t *len)
{
	static uint8_t zero[ENFORCER_STATE_MAX];
	const uint8_t *copy = exact_copy(p, n);
	enum frame_result r = memobus_enforcer.frame(zero, DIR_C2S, bytes_of(copy, n), len);

	exact_done(copy, n);
	return r;
}

/* Every prefix of a message waits, the whole message is whole, and one more byte changes
 * nothing. */
static void messages_are_as_long_as_they_say(void **state)
{
	struct message all[] = { message_of(MEMOBUS_COMMAND, 1, READ),
				 message_of(MEMOBUS_COMMAND, 2, "200b 10 00 6400 0200 0100 0200"),
				 message_of(MEMOBUS_COMMAND, 3, "2050 10 aabbcc"),
				 message_of(MEMOBUS_RESPONSE, 4, "2009 01 00 0100 0700"),
				 message_of(MEMOBUS_GENERAL_PURPOSE, 5, "01") };
	size_t len;

	(void)state;
	for (size_t k = 0; k < N(all); k++) {
		for (size_t n = 0; n < all[k].n; n++)
			assert_int_equal(cut(all[k].p, n, &len), FRAME_NEED_MORE);
		for (size_t more = 0; more < 2; more++) {
			assert_int_equal(cut(all[k].p, all[k].n + more, &len), FRAME_WHOLE);
			assert_int_equal(len, all[k].n);
		}
	}
}

/* Tries any value at any byte of the 218 header: a value that cannot stand there ends the flow at
 * that byte. */
static void headers_are_read_byte_by_byte(void **state)
{
	struct message m = message_of(MEMOBUS_COMMAND, 1, READ);
	size_t len;

	(void)state;
	for (size_t at = 0; at < 14; at++)
		for (unsigned v = 0; v < 256; v++) {
			struct message other = m;
			bool unused = at == 4 || at == 5 || (at >= 8 && at < 12);
			bool free = at >= 1 && at <= 3;

			other.p[at] = (uint8_t)v;
			if (unused || at == 0)
				assert_int_equal(cut(other.p, at + 1, &len),
						 v == 0 && unused				    ? FRAME_NEED_MORE
						 : at == 0 && (v == 0x11 || v == 0x12 || v == 0x19) ? FRAME_NEED_MORE
												    : FRAME_BAD);
			else
				assert_int_equal(cut(other.p, m.n, &len),
						 free || v == m.p[at] ? FRAME_WHOLE : FRAME_BAD);
		}
}

/* Both length fields at their limits, together and each alone. */
static void lengths_have_limits(void **state)
{
	size_t len;

	(void)state;
	for (unsigned type = 0; type < 3; type++)
		for (uint32_t n = 0; n < 0x10000; n++) {
			static const uint8_t types[] = { MEMOBUS_COMMAND, MEMOBUS_GENERAL_PURPOSE, MEMOBUS_RESPONSE };
			uint8_t head[14] = { types[type], 0, 0, 0, 0, 0, (uint8_t)n, (uint8_t)(n >> 8) };
			bool general = types[type] == MEMOBUS_GENERAL_PURPOSE;
			bool may = n >= (general ? 13 : 17) && n <= 4108;

			head[12] = (uint8_t)(n - 14);
			head[13] = (uint8_t)((n - 14) >> 8);
			assert_int_equal(cut(head, 8, &len), may ? FRAME_NEED_MORE : FRAME_BAD);
			if (!may || general)
				continue;
			assert_int_equal(cut(head, 14, &len), FRAME_NEED_MORE);
			head[12] ^= 1;
			assert_int_equal(cut(head, 14, &len), FRAME_BAD);
		}
}

/* ---- every function -------------------------------------------------------------------------- */

/* Messages as in the figures of the manuals, with the addresses that they touch, and their answers.
 * If they are cut anywhere, or one byte longer, they make no sense. */
static const struct example {
	uint32_t service;
	const char *says, *answer;
	uint8_t space;
	uint64_t first, count;
} examples[] = {
	{ 0x2001, "2001 10 0064 000a", "2001 01 ffff", MEMOBUS_COILS, 100, 10 },
	{ 0x2002, "2002 10 0064 0008", "2002 01 ff", MEMOBUS_RELAYS, 100, 8 },
	{ 0x2003, "2003 10 006b 0003", "2003 01 000100020003", MEMOBUS_HOLDING, 107, 3 },
	{ 0x2004, "2004 10 0064 0001", "2004 01 0001", MEMOBUS_INPUT, 100, 1 },
	{ 0x2005, "2005 10 0064 ff00", "2005 01 0064 ff00", MEMOBUS_COILS, 100, 1 },
	{ 0x2006, "2006 10 0064 0032", "2006 01 0064 0032", MEMOBUS_HOLDING, 100, 1 },
	{ 0x2008, "2008 10 0000 aaaa", "2008 01 0000 aaaa", SPACE_NONE, 0, 0 },
	{ 0x2009, "2009 10 00 6400 0200", "2009 01 00 0200 0100 0200", MEMOBUS_HOLDING, 100, 2 },
	{ 0x200a, "200a 10 00 6400 0200", "200a 01 00 0200 0100 0200", MEMOBUS_INPUT, 100, 2 },
	{ 0x200b, "200b 10 00 6400 0200 3200 0100", "200b 01 00 6400 0200", MEMOBUS_HOLDING, 100, 2 },
	{ 0x200d, "200d 10 00 0100 6400", "200d 01 00 0100 0700", MEMOBUS_HOLDING, 100, 1 },
	{ 0x200e, "200e 10 00 0100 6400 3200", "200e 01 00 0100", MEMOBUS_HOLDING, 100, 1 },
	{ 0x200f, "200f 10 0064 0009 ff01", "200f 01 0064 0009", MEMOBUS_COILS, 100, 9 },
	{ 0x2010, "2010 10 0064 0002 0032 0001", "2010 01 0064 0002", MEMOBUS_HOLDING, 100, 2 },
	{ 0x4341, "4341 10 00 4d 00 40060000 0a00", "4341 01 00 4d 00 ffff", MEMOBUS_MB, 1600, 10 },
	{ 0x4341, "4341 10 00 47 00 40060000 0a000000", "4341 01 00 47 00 ffff", MEMOBUS_GB, 1600, 10 },
	{ 0x4345, "4345 10 00 4f 00 40060000 ff00", "4345 01 00 4f 00 40060000 ff00", MEMOBUS_OB, 1600, 1 },
	{ 0x4346, "4346 10 00 4d 00 a0860100 3200", "4346 01 00 4d 00 a0860100 3200", MEMOBUS_MW, 100000, 1 },
	{ 0x4349, "4349 10 00 49 00 64000000 0200", "4349 01 00 49 00 0200 0100 0200", MEMOBUS_IW, 100, 2 },
	{ 0x434b, "434b 10 00 53 00 64000000 0200 3200 0100", "434b 01 00 53 00 64000000 0200", MEMOBUS_SW, 100, 2 },
	{ 0x434d, "434d 10 00 0100 4d02 64000000", "434d 01 00 0100 0700", SPACE_NONE, 0, 0 },
	{ 0x434e, "434e 10 00 0100 4d02 64000000 0100", "434e 01 00 0100", SPACE_NONE, 0, 0 },
	{ 0x434f, "434f 10 00 4d 00 40060000 09000000 ff01", "434f 01 00 4d 00 40060000 09000000", MEMOBUS_MB, 1600,
	  9 },
};

static void every_function_has_its_length(void **state)
{
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(examples); k++) {
		const struct example *e = &examples[k];
		struct message m = message_of(MEMOBUS_COMMAND, 1, e->says);
		size_t whole = m.n;

		assert_non_null(function_by_code(&vocabulary_memobus, e->service));
		for (size_t n = 17; n <= whole + 3; n++) {
			bool fits = n == whole;

			/* 4341 has two lengths */
			fits = fits || (e->service == 0x4341 && (n == 26 || n == 28));
			desk_row(&d);
			memset(m.p + whole, 0, 4);
			m.n = n;
			seal(&m);
			judge(&d, DIR_C2S, &m);
			if (d.p.reason != (fits ? R_ALLOWED : R_MEMOBUS_FRAME))
				fail_msg("%s: %zu of %zu bytes: %d", e->says, n, whole, d.p.reason);
			if (n == whole && d.p.function != e->service)
				fail_msg("%s: %08x", e->says, d.p.function);
		}
	}
}

/* A row with one address less at either end refuses the request, and so does a row for another
 * space. */
static void every_function_has_its_place(void **state)
{
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(examples); k++) {
		const struct example *e = &examples[k];

		for (unsigned space = 0; space < MEMOBUS_SPACES; space++) {
			only(&d, (uint8_t)space, 0, UINT32_MAX);
			ask(&d, 1, e->says);
			if (d.p.allowed != (space == e->space || e->service == 0x2008))
				fail_msg("%s, space %u: %d", e->says, space, d.p.reason);
		}
		if (e->space == SPACE_NONE)
			continue;
		only(&d, e->space, e->first, e->first + e->count - 1u);
		if (!ask(&d, 1, e->says)->allowed)
			fail_msg("%s: %d", e->says, d.p.reason);
		assert_int_equal(d.p.space, e->space);
		assert_int_equal(d.p.address, e->first);
		assert_int_equal(d.p.quantity, e->count);
		only(&d, e->space, e->first + 1u, UINT32_MAX);
		assert_int_equal(ask(&d, 1, e->says)->reason, R_MEMOBUS_ADDRESS);
		only(&d, e->space, 0, e->first + e->count - 2u);
		assert_int_equal(ask(&d, 1, e->says)->reason, R_MEMOBUS_ADDRESS);
	}
}

/* The answer of the manual is accepted; shorter and longer ones are not. An error of 4 bytes is
 * accepted. */
static void every_function_has_its_answer(void **state)
{
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(examples); k++) {
		const struct example *e = &examples[k];
		struct message right = message_of(MEMOBUS_RESPONSE, 1, e->answer), wrong;

		for (size_t n = right.n - 2; n <= right.n + 2; n++) {
			bool fits = n == right.n || (e->service == 0x434d && n == right.n + 2);

			desk_row(&d);
			assert_true(ask(&d, 1, e->says)->allowed);
			wrong = right;
			wrong.n = n;
			seal(&wrong);
			judge(&d, DIR_S2C, &wrong);
			if (d.p.allowed != fits ||
			    (!fits && d.p.reason != (n < 17 ? R_MEMOBUS_FRAME : R_MEMOBUS_RESPONSE)))
				fail_msg("%s, %zu bytes: %d", e->answer, n, d.p.reason);
			if (fits)
				assert_int_equal(d.p.function, e->service);
		}
		for (unsigned extra = 0; extra < 3; extra++) {
			desk_row(&d);
			ask(&d, 1, e->says);
			wrong = right;
			wrong.n = 17 + extra;
			wrong.p[15] |= 0x80;
			seal(&wrong);
			judge(&d, DIR_S2C, &wrong);
			assert_int_equal(d.p.allowed, extra == 1);
			assert_true(d.p.exception);
		}
	}
}

/* Each possible code: a code without a name is allowed by a row that has the code, and by no
 * word. */
static void codes_without_a_name_are_of_no_word(void **state)
{
	struct desk d;
	char says[32];

	(void)state;
	for (uint32_t code = 0x0100; code < 0x10000; code++) {
		struct command_row *row = desk_row(&d);

		if (function_by_code(&vocabulary_memobus, code) != NULL)
			continue;
		snprintf(says, sizeof(says), "%04x 10 00", code);
		row->services = (struct number_set){ .first = d.table.n_ranges };
		for (unsigned i = 0; i < vocabulary_memobus.n_functions; i++)
			row->services.n += desk_range(&d, vocabulary_memobus.functions[i].code,
						      vocabulary_memobus.functions[i].last)
						   .n;
		ask(&d, 1, says);
		if ((code & 0x80) != 0) { /* the answer would look like an error */
			assert_int_equal(d.p.reason, R_MEMOBUS_FRAME);
			continue;
		}
		assert_int_equal(d.p.reason, R_MEMOBUS_FUNCTION);
		row->services = desk_range(&d, code, code);
		desk_space(&d, row, MEMOBUS_HOLDING, desk_range(&d, 0, 65535));
		assert_int_equal(ask(&d, 1, says)->reason, R_MEMOBUS_ADDRESS);
		row->spaces_any = true;
		assert_true(ask(&d, 1, says)->allowed);
	}
}

/* A row for reads allows nothing that writes or programs, and each word only its own functions. */
static void words_are_apart(void **state)
{
	static const struct {
		const char *says;
		unsigned class;
	} others[] = { { "2021 10", CLASS_PROGRAM },	{ "2030 10", CLASS_PROGRAM },
		       { "2034 10 00", CLASS_PROGRAM }, { "204f 10 0000", CLASS_PROGRAM },
		       { "2031 10 00", CLASS_WRITE },	{ "2032 10 00", CLASS_READ },
		       { "2033 10 00", CLASS_WRITE } };
	struct desk d;

	(void)state;
	for (unsigned class = 1; class <= CLASS_DIAGNOSE; class <<= 1)
		for (size_t k = 0; k < N(examples) + N(others) + 1; k++) {
			struct command_row *row = desk_row(&d);
			struct message m = message_of(MEMOBUS_GENERAL_PURPOSE, 1, "0102");
			unsigned is = CLASS_WRITE;

			if (k < N(examples))
				is = function_by_code(&vocabulary_memobus, examples[k].service)->classes;
			else if (k < N(examples) + N(others))
				is = others[k - N(examples)].class;
			row->services = (struct number_set){ .first = d.table.n_ranges };
			for (unsigned i = 0; i < vocabulary_memobus.n_functions; i++)
				if (vocabulary_memobus.functions[i].classes == class)
					row->services.n += desk_range(&d, vocabulary_memobus.functions[i].code,
								      vocabulary_memobus.functions[i].last)
								   .n;
			if (k < N(examples) + N(others))
				m = message_of(MEMOBUS_COMMAND, 1,
					       k < N(examples) ? examples[k].says : others[k - N(examples)].says);
			judge(&d, DIR_C2S, &m);
			assert_int_equal(d.p.reason, is == class ? R_ALLOWED : R_MEMOBUS_FUNCTION);
		}
}

/* ---- counts, values -------------------------------------------------------------------------- */

static const struct pdu *counted(struct desk *d, const char *says, uint32_t n, bool high, size_t at, size_t wide,
				 size_t bytes)
{
	struct message m = message_of(MEMOBUS_COMMAND, 1, says);

	for (size_t i = 0; i < wide; i++)
		m.p[14 + at + (high ? wide - 1 - i : i)] = (uint8_t)(n >> 8 * i);
	memset(m.p + m.n, 0, bytes);
	/* items of mixed lists: words of M registers */
	for (size_t each = strncmp(says, "434d", 4) == 0   ? 6
			   : strncmp(says, "434e", 4) == 0 ? 8
							   : 0,
		    i = 0;
	     each > 0 && i + each <= bytes; i += each) {
		m.p[m.n + i] = 0x4d;
		m.p[m.n + i + 1] = 2;
	}
	m.n += bytes;
	seal(&m);
	desk_row(d);
	return judge(d, DIR_C2S, &m);
}

/* No items, the maximum, and one more (2.4, "Data Size"), for functions that write as many items as
 * the count says. */
static void counts_have_limits(void **state)
{
	static const struct {
		const char *says;
		uint32_t most;
		bool high;
		uint8_t at, wide, bits;
	} all[] = {
		{ "2001 10 0000 0000", 2000, true, 5, 2, 0 },
		{ "2002 10 0000 0000", 2000, true, 5, 2, 0 },
		{ "2003 10 0000 0000", 125, true, 5, 2, 0 },
		{ "2004 10 0000 0000", 125, true, 5, 2, 0 },
		{ "2009 10 00 0000 0000", 2044, false, 6, 2, 0 },
		{ "200a 10 00 0000 0000", 2044, false, 6, 2, 0 },
		{ "200b 10 00 0000 0000", 2043, false, 6, 2, 16 },
		{ "200d 10 00 0000", 2044, false, 4, 2, 16 },
		{ "200e 10 00 0000", 1022, false, 4, 2, 32 },
		{ "200f 10 0000 0000", 800, true, 5, 2, 1 },
		{ "2010 10 0000 0000", 100, true, 5, 2, 16 },
		{ "4341 10 00 4d 00 00000000 0000", 32704, false, 10, 2, 0 },
		{ "4341 10 00 4d 00 00000000 00000000", 32704, false, 10, 4, 0 },
		{ "4349 10 00 4d 00 00000000 0000", 2043, false, 10, 2, 0 },
		{ "434b 10 00 4d 00 00000000 0000", 2041, false, 10, 2, 16 },
		{ "434d 10 00 0000", 681, false, 4, 2, 48 },
		{ "434e 10 00 0000", 511, false, 4, 2, 64 },
		{ "434f 10 00 4d 00 00000000 00000000", 32640, false, 10, 4, 1 },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(all); k++) {
		for (uint32_t n = 0; n <= all[k].most + 1u;
		     n += n < 3 || n + 3 > all[k].most ? 1 : all[k].most - n - 2) {
			size_t bytes = ((size_t)n * all[k].bits + 7) / 8;

			counted(&d, all[k].says, n, all[k].high, all[k].at, all[k].wide, bytes);
			if (d.p.allowed != (n > 0 && n <= all[k].most))
				fail_msg("%s: %u: %d", all[k].says, n, d.p.reason);
			if (n == 0 || n > all[k].most || all[k].bits == 0)
				continue;
			counted(&d, all[k].says, n, all[k].high, all[k].at, all[k].wide, bytes + 1);
			assert_int_equal(d.p.reason, R_MEMOBUS_FRAME);
			counted(&d, all[k].says, n, all[k].high, all[k].at, all[k].wide, bytes - 1);
			assert_int_equal(d.p.reason, R_MEMOBUS_FRAME);
		}
		assert_false(counted(&d, all[k].says, 65535, all[k].high, all[k].at, all[k].wide, 0)->allowed);
	}
}

/* Addresses beyond the last one, unused bytes, register types that do not exist, values of a coil
 * that are neither on nor off, bits behind the last one. */
static void what_makes_no_sense(void **state)
{
	static const struct {
		const char *says;
		bool fits;
	} all[] = {
		{ "2003 10 ffff 0001", true },
		{ "2003 10 ffff 0002", false },
		{ "2001 10 fff8 0008", true },
		{ "2001 10 fff8 0009", false },
		{ "2009 10 00 ffff 0100", true },
		{ "2009 10 00 ffff 0200", false },
		{ "4349 10 00 4d 00 ffffffff 0100", true },
		{ "4349 10 00 4d 00 ffffffff 0200", false },
		{ "434f 10 00 4d 00 ffffffff 01000000 01", true },
		{ "434f 10 00 4d 00 ffffffff 02000000 01", false },
		{ "2009 10 01 6400 0200", false },
		{ "200b 10 80 6400 0100 0000", false },
		{ "200d 10 01 0100 6400", false },
		{ "434d 10 01 0100 4d02 64000000", false },
		{ "4349 10 01 4d 00 64000000 0100", false },
		{ "4349 10 00 53 00 64000000 0100", true },
		{ "4349 10 00 05 00 64000000 0100", false },
		{ "4349 10 00 00 00 64000000 0100", false },
		{ "4349 10 00 00 01 64000000 0100", false },
		{ "2005 10 0064 0000", true },
		{ "2005 10 0064 0001", false },
		{ "2005 10 0064 00ff", false },
		{ "2005 10 0064 ff01", false },
		{ "4345 10 00 4d 00 40060000 0000", true },
		{ "4345 10 00 4d 00 40060000 00ff", false },
		{ "4345 10 00 4d 00 40060000 0100", false },
		{ "2008 10 0000 1234", true },
		{ "2008 10 0001 1234", false },
		{ "200f 10 0064 0009 ff01", true },
		{ "200f 10 0064 0009 ff02", false },
		{ "200f 10 0064 0007 80", false },
		{ "434f 10 00 4d 00 40060000 03000000 08", false },
		{ "2089 10 00 6400 0200", false },
		{ "0020 10 00", false },
		{ "0000 10 00", false },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(all); k++) {
		desk_row(&d);
		ask(&d, 1, all[k].says);
		if (d.p.reason != (all[k].fits ? R_ALLOWED : R_MEMOBUS_FRAME))
			fail_msg("%s: %d", all[k].says, d.p.reason);
	}
}

/* Under a row with values 0 to 49: each function that writes, with a value that fits and one that
 * does not. */
static void values_are_held_to_limits(void **state)
{
	static const struct {
		const char *says;
		bool fits;
	} all[] = {
		{ "2005 10 0064 ff00", true },
		{ "2006 10 0064 0031", true },
		{ "2006 10 0064 0032", false },
		{ "2006 10 0064 3100", false },
		{ "200b 10 00 6400 0200 3100 0000", true },
		{ "200b 10 00 6400 0200 3100 3200", false },
		{ "200b 10 00 6400 0100 0031", false },
		{ "200e 10 00 0200 6400 3100 c800 3100", true },
		{ "200e 10 00 0200 6400 3100 c800 3200", false },
		{ "200f 10 0064 0002 03", true },
		{ "2010 10 0064 0002 0031 0000", true },
		{ "2010 10 0064 0002 0000 0032", false },
		{ "2010 10 0064 0001 3100", false },
		{ "4345 10 00 4d 00 40060000 ff00", true },
		{ "4346 10 00 4d 00 64000000 3100", true },
		{ "4346 10 00 4d 00 64000000 3200", false },
		{ "434b 10 00 4d 00 64000000 0200 3100 3100", true },
		{ "434b 10 00 4d 00 64000000 0200 3100 3200", false },
		{ "434f 10 00 4d 00 40060000 02000000 03", true },
		{ "434e 10 00 0100 4d02 64000000 0100", false }, /* unknown */
		{ "2031 10 00", false },
		{ "2033 10 00", false },
		{ "2040 10 00", false },
		{ "2050 10 00", false },
		{ "2009 10 00 6400 0200", true }, /* reads */
		{ "2032 10 00", true },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(all); k++) {
		desk_row(&d);
		d.rows[0].values = desk_range(&d, 0, 49);
		ask(&d, 1, all[k].says);
		if (d.p.reason != (all[k].fits ? R_ALLOWED : R_MEMOBUS_VALUE))
			fail_msg("%s: %d", all[k].says, d.p.reason);
	}
	/* under a row with value 0 alone: one coil, one of several, one bit */
	for (unsigned on = 0; on < 2; on++) {
		static const char *const says[2][3] = {
			{ "2005 10 0064 0000", "200f 10 0064 0009 0000", "4345 10 00 4d 00 40060000 0000" },
			{ "2005 10 0064 ff00", "200f 10 0064 0009 0001", "4345 10 00 4d 00 40060000 ff00" }
		};

		for (unsigned k = 0; k < 3; k++) {
			desk_row(&d);
			d.rows[0].values = desk_range(&d, 0, 0);
			assert_int_equal(ask(&d, 1, says[on][k])->allowed, !on);
		}
	}
}

/* Each address of a list needs a row. Lists that are too long for the room become ranges, of one
 * value each if they are written. If there are still too many, only a row without limits allows
 * them. */
static void lists_need_rows(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned writes = 0; writes < 2; writes++)
		for (unsigned step = 1; step <= 2; step++)
			for (unsigned n = 250; n <= 1022; n += n < 260 ? 1 : 381) {
				struct message m =
					message_of(MEMOBUS_COMMAND, 1, writes ? "200e 10 00 0000" : "200d 10 00 0000");

				for (unsigned last = 0; last < 2; last++) {
					m.n = 20;
					m.p[18] = (uint8_t)n;
					m.p[19] = (uint8_t)(n >> 8);
					for (unsigned i = 0; i < n; i++) {
						m.p[m.n++] = (uint8_t)(i * step);
						m.p[m.n++] = (uint8_t)(i * step >> 8);
						if (writes) {
							m.p[m.n++] = i % 8;
							m.p[m.n++] = 0;
						}
					}
					seal(&m);
					only(&d, MEMOBUS_HOLDING, 0, (n - 1) * step - last);
					d.rows[0].values = desk_range(&d, 0, 7);
					judge(&d, DIR_C2S, &m);
					assert_int_equal(d.p.allowed,
							 last == 0 && ((step == 1 && !writes) || n <= 254));
					d.rows[0].values = desk_range(&d, 0, 6);
					judge(&d, DIR_C2S, &m);
					assert_int_equal(d.p.allowed, !writes && last == 0 && (step == 1 || n <= 254));
					desk_row(&d);
					assert_true(judge(&d, DIR_C2S, &m)->allowed);
				}
			}
	/* two rows may together cover a list, but not one range */
	only(&d, MEMOBUS_HOLDING, 100, 101);
	desk_space(&d, desk_more(&d, 1, 200, false), MEMOBUS_HOLDING, desk_range(&d, 102, 103));
	assert_true(ask(&d, 1, "200d 10 00 0200 6400 6700")->allowed);
	assert_false(ask(&d, 2, "2009 10 00 6400 0400")->allowed);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void ends_are_named(void **state)
{
	struct message m = message_of(MEMOBUS_COMMAND, 1, READ);
	struct desk d;

	(void)state;
	for (unsigned cpus = 0; cpus < 256; cpus++)
		for (unsigned which = 0; which < 2; which++) {
			m.p[16] = (uint8_t)cpus;
			desk_row(&d);
			d.rows[0].targets[which ? MEMOBUS_SENDER : MEMOBUS_CPU] = desk_range(&d, 3, 4);
			judge(&d, DIR_C2S, &m);
			assert_int_equal(d.p.reason,
					 (which ? cpus & 15 : cpus >> 4) - 3u < 2 ? R_ALLOWED : R_MEMOBUS_TARGET);
			assert_int_equal(d.p.targets[MEMOBUS_CPU], cpus >> 4);
			assert_int_equal(d.p.targets[MEMOBUS_SENDER], cpus & 15);
		}
	for (unsigned to = 0; to < 256; to++) {
		m.p[2] = (uint8_t)to;
		m.p[3] = 7;
		desk_row(&d);
		d.rows[0].targets[MEMOBUS_CHANNEL] = desk_range(&d, 0x0507, 0x0607);
		judge(&d, DIR_C2S, &m);
		assert_int_equal(d.p.reason, to == 5 || to == 6 ? R_ALLOWED : R_MEMOBUS_TARGET);
	}
}

/* A general-purpose message names no address, has no CPU number, and gets no answer. */
static void general_messages(void **state)
{
	struct message m = message_of(MEMOBUS_GENERAL_PURPOSE, 1, "0102 0304");
	struct desk d;

	(void)state;
	desk_row(&d);
	d.rows[0].targets[MEMOBUS_CPU] = desk_range(&d, 3, 3);
	judge(&d, DIR_C2S, &m);
	assert_true(d.p.allowed);
	assert_int_equal(d.p.function, MEMOBUS_GENERAL);
	assert_int_equal(((struct memobus_state *)d.state)->wait.n, 0);
	only(&d, MEMOBUS_HOLDING, 0, 65535);
	assert_int_equal(judge(&d, DIR_C2S, &m)->reason, R_MEMOBUS_ADDRESS);
	desk_row(&d);
	d.rows[0].values = desk_range(&d, 0, 65535);
	assert_int_equal(judge(&d, DIR_C2S, &m)->reason, R_MEMOBUS_VALUE);
	desk_row(&d);
	assert_int_equal(judge(&d, DIR_S2C, &m)->reason, R_ASKED_BACK);
	/* no command has this code */
	desk_row(&d);
	d.rows[0].services = desk_range(&d, MEMOBUS_GENERAL, MEMOBUS_GENERAL);
	assert_true(judge(&d, DIR_C2S, &m)->allowed);
	assert_int_equal(ask(&d, 1, "1200 10 00")->reason, R_MEMOBUS_FUNCTION);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void answers_fit_requests(void **state)
{
	static const struct {
		uint8_t at, v;
		unsigned lenient; /* the lenience that accepts this answer */
	} wrong[] = {
		{ 1, 6, 0 },
		{ 1, 0, LENIENT_TRANSACTION },
		{ 2, 1, LENIENT_UNIT },
		{ 15, 0x0a, 0 },
		{ 15, 0x8a, 0 },
		{ 14, 0x43, 0 },
		{ 16, 0x10, LENIENT_UNIT },
		{ 16, 0x21, LENIENT_UNIT },
	};
	struct message right = message_of(MEMOBUS_RESPONSE, 5, "2009 01 00 0200 0100 0200"), m;
	struct desk d;

	(void)state;
	desk_row(&d);
	assert_int_equal(judge(&d, DIR_S2C, &right)->reason, R_MEMOBUS_RESPONSE); /* nobody asked */
	ask(&d, 5, READ);
	assert_true(judge(&d, DIR_S2C, &right)->allowed);
	assert_int_equal(d.p.function, 0x2009);
	assert_int_equal(d.p.address, 100);
	assert_int_equal(judge(&d, DIR_S2C, &right)->reason, R_MEMOBUS_RESPONSE); /* once */
	for (size_t k = 0; k < N(wrong); k++)
		for (unsigned lenient = 0; lenient <= LENIENT_UNIT; lenient++) {
			desk_row(&d);
			d.grants[0].lenient = (uint8_t)lenient;
			ask(&d, 5, READ);
			m = right;
			m.p[wrong[k].at] = wrong[k].v;
			judge(&d, DIR_S2C, &m);
			assert_int_equal(d.p.allowed, (lenient & wrong[k].lenient) != 0);
		}
	/* the channel numbers of both ends, as in the request or exchanged */
	for (unsigned turned = 0; turned < 3; turned++) {
		static const uint8_t told[3][2] = { { 1, 2 }, { 2, 1 }, { 1, 1 } };
		struct message asks = message_of(MEMOBUS_COMMAND, 5, READ);

		asks.p[2] = 1;
		asks.p[3] = 2;
		desk_row(&d);
		judge(&d, DIR_C2S, &asks);
		m = right;
		m.p[2] = told[turned][0];
		m.p[3] = told[turned][1];
		assert_int_equal(judge(&d, DIR_S2C, &m)->allowed, turned < 2);
	}
	/* requests of a server, answers of a client */
	desk_row(&d);
	m = message_of(MEMOBUS_COMMAND, 5, READ);
	assert_int_equal(judge(&d, DIR_S2C, &m)->reason, R_ASKED_BACK);
	assert_int_equal(judge(&d, DIR_C2S, &right)->reason, R_MEMOBUS_RESPONSE);
}

static void requests_wait_in_a_bounded_list(void **state)
{
	struct desk d;

	(void)state;
	desk_row(&d);
	for (uint8_t n = 0; n < MEMOBUS_OPEN_MAX; n++)
		assert_true(ask(&d, n, READ)->allowed);
	assert_int_equal(ask(&d, 99, READ)->reason, R_MEMOBUS_PENDING);
	assert_true(tell(&d, 7, "2009 01 00 0200 0100 0200")->allowed);
	assert_true(ask(&d, 99, READ)->allowed);
	/* a forgotten request makes room, and its late answer counts as an answer to an unseen
	 * request */
	assert_true(tell(&d, 99, "2009 01 00 0200 0100 0200")->allowed);
	assert_true(pending_state_used(&memobus_enforcer, d.state) <= sizeof(struct memobus_state));
}

/* In a session met half-way an answer may belong to an unseen request, except if a request was
 * refused or could not be read. */
static void sessions_met_half_way(void **state)
{
	struct desk d;

	(void)state;
	desk_row(&d);
	pending_missed(&memobus_enforcer, d.state, false);
	assert_int_equal(tell(&d, 7, "2009 01 00 0100 0700")->reason, R_MEMOBUS_UNSEEN);
	assert_true(d.p.allowed);
	desk_reset(&d);
	pending_missed(&memobus_enforcer, d.state, true);
	assert_int_equal(tell(&d, 7, "2009 01 00 0100 0700")->reason, R_MEMOBUS_UNREAD);
	assert_false(d.p.allowed);
	/* the answer to a refused request is refused for the same reason */
	desk_row(&d);
	d.rows[0].services = desk_range(&d, 0x2008, 0x2008);
	assert_false(ask(&d, 1, READ)->allowed);
	assert_int_equal(tell(&d, 1, "2009 01 00 0200 0100 0200")->reason, R_MEMOBUS_FUNCTION);
}

/* ---- once, and inside ------------------------------------------------------------------------ */

static void a_poll_may_be_asked_once_more(void **state)
{
	struct message r = message_of(MEMOBUS_COMMAND, 5, READ);
	struct message a = message_of(MEMOBUS_RESPONSE, 5, "2009 01 00 0200 0100 0200");
	struct once_template t;
	struct desk d;

	(void)state;
	desk_row(&d);
	judge(&d, DIR_C2S, &r);
	/* the answer has not come yet */
	assert_false(memobus_enforcer.once(d.state, bytes_of(r.p, r.n), bytes_of(a.p, a.n), &t));
	judge(&d, DIR_S2C, &a);
	assert_true(memobus_enforcer.once(d.state, bytes_of(r.p, r.n), bytes_of(a.p, a.n), &t));
	assert_int_equal(t.length, r.n);
	assert_int_equal(t.answer, a.n);
	for (size_t i = 0; i < r.n; i++)
		assert_int_equal(((uint8_t *)t.mask)[i], i == 1 ? 0 : 0xff);
	for (size_t i = 0; i < 17; i++)
		assert_int_equal(((uint8_t *)t.head_mask)[i], i == 1 ? 0 : 0xff);
	assert_int_equal(((uint8_t *)t.head_mask)[20], 0);
	assert_int_equal(t.repeats[0].at, 1);
	a.p[15] |= 0x80;
	a.n = 18;
	seal(&a);
	/* an error */
	assert_false(memobus_enforcer.once(d.state, bytes_of(r.p, r.n), bytes_of(a.p, a.n), &t));
	r = message_of(MEMOBUS_COMMAND, 5, "434d 10 00 0100 4d02 64000000");
	a = message_of(MEMOBUS_RESPONSE, 5, "434d 01 00 0100 0700");
	assert_false(memobus_enforcer.once(d.state, bytes_of(r.p, r.n), bytes_of(a.p, a.n), &t));
}

/* A message inside written values: it is refused if the rows forbid it, wherever it stands. */
static void messages_inside_of_one(void **state)
{
	struct message hidden[] = { message_of(MEMOBUS_COMMAND, 9, "2006 10 0005 0007"),
				    message_of(MEMOBUS_GENERAL_PURPOSE, 9, "01"),
				    message_of(MEMOBUS_COMMAND, 9, "2006 10 0065 0007"),
				    message_of(MEMOBUS_RESPONSE, 9, "2009 01 00 0100 0700") };
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(hidden); k++)
		for (size_t at = 0; at < 8; at++) {
			struct message m = message_of(MEMOBUS_COMMAND, 1, "200b 10 00 6400 1400");
			struct pdu p = { .dir = DIR_C2S };

			memset(m.p + m.n, 0, 40);
			memcpy(m.p + m.n + at, hidden[k].p, hidden[k].n);
			m.n += 40;
			seal(&m);
			only(&d, MEMOBUS_HOLDING, 100, 199);
			assert_int_equal(
				memobus_enforcer.segment(d.state, 0, 0, false, bytes_of(m.p, m.n), desk_by(&d), &p),
				k > 1);
			assert_int_equal(p.reason, k > 1 ? 0 : R_MEMOBUS_INSIDE);
			assert_true(judge(&d, DIR_C2S, &m)->allowed); /* by itself */
			desk_whole(&d);
			assert_true(
				memobus_enforcer.segment(d.state, 0, 0, false, bytes_of(m.p, m.n), desk_by(&d), &p));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_as_long_as_they_say),
		cmocka_unit_test(headers_are_read_byte_by_byte),
		cmocka_unit_test(lengths_have_limits),
		cmocka_unit_test(every_function_has_its_length),
		cmocka_unit_test(every_function_has_its_place),
		cmocka_unit_test(every_function_has_its_answer),
		cmocka_unit_test(codes_without_a_name_are_of_no_word),
		cmocka_unit_test(words_are_apart),
		cmocka_unit_test(counts_have_limits),
		cmocka_unit_test(what_makes_no_sense),
		cmocka_unit_test(values_are_held_to_limits),
		cmocka_unit_test(lists_need_rows),
		cmocka_unit_test(ends_are_named),
		cmocka_unit_test(general_messages),
		cmocka_unit_test(answers_fit_requests),
		cmocka_unit_test(requests_wait_in_a_bounded_list),
		cmocka_unit_test(sessions_met_half_way),
		cmocka_unit_test(a_poll_may_be_asked_once_more),
		cmocka_unit_test(messages_inside_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
