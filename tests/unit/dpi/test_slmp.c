/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SLMP enforcer: frames of all four forms, what each command touches and writes, the lengths of
 * every command, and the destination of a request. Answers are in test_slmp_answers.c.
 * LINK: $(COMMANDS_PARTS) dpi/slmp/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/slmp_desk.h"

/* Every prefix of a frame waits, the whole frame is whole, and one more byte changes nothing. */
static void frames_are_as_long_as_they_say(void **state)
{
	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		struct text data = data_of(all_forms[f]), t;
		size_t len;
		uint8_t zero[ENFORCER_STATE_MAX] = { 0 };

		put_d(&data, false, 100);
		put(&data, 2, 3);
		t = request_of(all_forms[f], 7, own, 0x04010000, &data);
		for (size_t n = 0; n < t.n; n++)
			assert_int_equal(slmp_enforcer.frame(zero, DIR_C2S, bytes_of(t.p, n), &len), FRAME_NEED_MORE);
		t.p[t.n] = 0xee;
		for (size_t more = 0; more < 2; more++) {
			assert_int_equal(slmp_enforcer.frame(zero, DIR_C2S, bytes_of(t.p, t.n + more), &len),
					 FRAME_WHOLE);
			assert_int_equal(len, t.n);
		}
	}
}

/* Tries any value at any byte of a header: a value that cannot stand there ends the flow at that
 * byte. */
static void headers_are_read_byte_by_byte(void **state)
{
	uint8_t zero[ENFORCER_STATE_MAX] = { 0 };
	uint32_t bad = 0;

	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		struct text data = data_of(all_forms[f]), t = request_of(all_forms[f], 0, own, 0x01010000, &data);
		size_t header = slmp_head_length(all_forms[f]), len;

		for (size_t i = 0; i < header; i++)
			for (unsigned v = 0; v < 256; v++) {
				struct text other = t;
				enum frame_result r;

				other.p[i] = (uint8_t)v;
				r = slmp_enforcer.frame(zero, DIR_C2S, bytes_of(other.p, header), &len);
				if (r == FRAME_BAD)
					bad++;
				if (t.ascii && slmp_digit((uint8_t)v) < 0)
					assert_int_equal(r, FRAME_BAD);
				if (!t.ascii && i == 1 && v != 0)
					assert_int_equal(r, FRAME_BAD);
			}
	}
	assert_true(bad > 1000);
}

static void lengths_have_limits(void **state)
{
	uint8_t zero[ENFORCER_STATE_MAX] = { 0 };

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (uint32_t n = 0; n < 0x10000; n++) {
			struct text t = data_of(all_forms[f]);
			uint32_t width = t.ascii ? 2 : 1;
			size_t len;

			put(&t, 2,
			    t.ascii ? (all_forms[f] & SLMP_4E ? 0x5400 : 0x5000)
				    : (all_forms[f] & SLMP_4E ? 0x54 : 0x50));
			if (all_forms[f] & SLMP_4E)
				put(&t, 4, 0);
			put(&t, 4, 0x03ffff00);
			put(&t, 1, 0);
			put(&t, 2, n);
			assert_int_equal(slmp_enforcer.frame(zero, DIR_C2S, bytes_of(t.p, t.n), &len),
					 n < 6 * width || n > SLMP_LENGTH_MAX ? FRAME_BAD : FRAME_NEED_MORE);
		}
}

/* All frames of a session must have the form of its first frame. */
static void form_never_changes(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned a = 0; a < 4; a++)
		for (unsigned b = 0; b < 4; b++) {
			struct text data = data_of(all_forms[b]),
				    t = request_of(all_forms[b], 2, own, 0x01010000, &data);
			size_t len;

			desk_row(&d);
			assert_true(read_d(&d, all_forms[a], 1, 0, 1)->allowed);
			assert_int_equal(slmp_enforcer.frame(d.state, DIR_C2S, bytes_of(t.p, t.n), &len),
					 a == b ? FRAME_WHOLE : FRAME_BAD);
			for (size_t n = 1; n < 4 && a != b; n++)
				assert_true(n < 2 || ((all_forms[a] ^ all_forms[b]) & SLMP_ASCII) == 0 ||
					    slmp_enforcer.frame(d.state, DIR_C2S, bytes_of(t.p, n), &len) == FRAME_BAD);
		}
}

/* ---- what is touched ------------------------------------------------------------------------- */

struct device_case {
	const char *old, *new;
	uint8_t code, space;
	bool hex, bits;
};

static const struct device_case every_device[] = {
	{ "SM", "SM", 0x91, SLMP_SM, false, true },	{ "SD", "SD", 0xa9, SLMP_SD, false, false },
	{ "X", "X", 0x9c, SLMP_X, true, true },		{ "Y", "Y", 0x9d, SLMP_Y, true, true },
	{ "M", "M", 0x90, SLMP_M, false, true },	{ "L", "L", 0x92, SLMP_L, false, true },
	{ "F", "F", 0x93, SLMP_F, false, true },	{ "V", "V", 0x94, SLMP_V, false, true },
	{ "B", "B", 0xa0, SLMP_B, true, true },		{ "D", "D", 0xa8, SLMP_D, false, false },
	{ "W", "W", 0xb4, SLMP_W, true, false },	{ "TS", "TS", 0xc1, SLMP_TS, false, true },
	{ "TC", "TC", 0xc0, SLMP_TC, false, true },	{ "TN", "TN", 0xc2, SLMP_TN, false, false },
	{ "SS", "STS", 0xc7, SLMP_STS, false, true },	{ "SC", "STC", 0xc6, SLMP_STC, false, true },
	{ "SN", "STN", 0xc8, SLMP_STN, false, false },	{ "CS", "CS", 0xc4, SLMP_CS, false, true },
	{ "CC", "CC", 0xc3, SLMP_CC, false, true },	{ "CN", "CN", 0xc5, SLMP_CN, false, false },
	{ NULL, "LTS", 0x51, SLMP_LTS, false, true },	{ NULL, "LTC", 0x50, SLMP_LTC, false, true },
	{ NULL, "LSTS", 0x59, SLMP_LSTS, false, true }, { NULL, "LSTC", 0x58, SLMP_LSTC, false, true },
	{ NULL, "LCS", 0x55, SLMP_LCS, false, true },	{ NULL, "LCC", 0x54, SLMP_LCC, false, true },
	{ "SB", "SB", 0xa1, SLMP_SB, true, true },	{ "SW", "SW", 0xb5, SLMP_SW, true, false },
	{ "DX", "DX", 0xa2, SLMP_DX, true, true },	{ "DY", "DY", 0xa3, SLMP_DY, true, true },
	{ "S", "S", 0x98, SLMP_S, false, true },	{ "Z", "Z", 0xcc, SLMP_Z, false, false },
	{ "R", "R", 0xaf, SLMP_R, false, false },	{ "RD", "RD", 0x2c, SLMP_RD, false, false },
};

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* Reads two words from 0x98 of every device; these are 32 points of a bit device. A row with one
 * address less at either end refuses the request. */
static void every_device_has_its_place(void **state)
{
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(every_device); k++)
		for (unsigned f = 0; f < 4; f++)
			for (unsigned wide = 0; wide < 2; wide++) {
				const struct device_case *c = &every_device[k];
				struct text t = data_of(all_forms[f]);
				uint32_t last = 0x98 + (c->bits ? 32 : 2) - 1, service = 0x04010000 | wide << 1;

				if (c->old == NULL && !wide)
					continue;
				put_device(&t, wide, wide ? c->new : c->old, c->code, c->hex, 0x98);
				put(&t, 2, 2);
				only(&d, c->space, 0x98, last);
				assert_true(ask(&d, all_forms[f], 1, service, &t)->allowed);
				only(&d, c->space, 0x98, last - 1);
				assert_int_equal(ask(&d, all_forms[f], 1, service, &t)->reason, R_SLMP_ADDRESS);
				assert_int_equal(d.p.space, c->space);
				assert_int_equal(d.p.address, 0x98);
				only(&d, c->space, 0x99, last);
				assert_false(ask(&d, all_forms[f], 1, service, &t)->allowed);
			}
}

/* Every device code in binary: the codes of the table have their space and no other; all other
 * codes are unknown. */
static void unknown_devices_are_nowhere(void **state)
{
	struct desk d;
	uint32_t known = 0;

	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		struct text t = data_of(SLMP_FORM);

		put(&t, 3, 5);
		put(&t, 1, code);
		put(&t, 2, 1);
		desk_row(&d);
		/* nothing is limited */
		assert_true(ask(&d, SLMP_FORM, 1, 0x04010000, &t)->allowed);
		known += d.p.space != SPACE_NONE;
		only(&d, SLMP_BUFFER, 0, 0xffffffff);
		assert_int_equal(ask(&d, SLMP_FORM, 1, 0x04010000, &t)->reason, R_SLMP_ADDRESS);
	}
	assert_int_equal(known, N(every_device) + 5); /* LTN, LSTN, LCN, LZ, ZR */
}

/* "ZR10" means 10 or 16, "X10" means 16 or, to an FX5, 8: the rows must allow both readings. */
static void digits_of_two_readings(void **state)
{
	struct desk d;
	static const struct {
		const char *text;
		uint8_t space;
		uint32_t lo, hi;
	} cases[] = {
		{ "ZR000010", SLMP_ZR, 10, 16 }, { "X*000010", SLMP_X, 8, 16 },	  { "Y*    10", SLMP_Y, 8, 16 },
		{ "X*000019", SLMP_X, 25, 25 },	 { "ZR00001F", SLMP_ZR, 31, 31 }, { "W*000010", SLMP_W, 16, 16 },
		{ "M*000010", SLMP_M, 10, 10 },
	};

	(void)state;
	for (size_t k = 0; k < N(cases); k++)
		for (unsigned side = 0; side < 3; side++) {
			struct text t = data_of(SLMP_FORM | SLMP_ASCII);

			put_raw(&t, cases[k].text, 8);
			put(&t, 2, 1);
			only(&d, cases[k].space, cases[k].lo + (side == 1), cases[k].hi - (side == 2) + (side == 1));
			/* one bit of a bit device */
			ask(&d, SLMP_FORM | SLMP_ASCII, 1, 0x04010001, &t);
			assert_int_equal(d.p.allowed, side == 0);
		}
}

/* Random reads: first the words, then the double words, each judged by itself; monitors have the
 * same form. */
static void lists_touch_each_device(void **state)
{
	static const uint32_t services[] = { 0x04030000, 0x04030002, 0x08010000, 0x08010002 };
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (size_t k = 0; k < N(services); k++)
			for (uint32_t lo = 0; lo < 2; lo++)
				for (uint32_t hi = 40; hi < 43; hi++) {
					struct text t = data_of(all_forms[f]);
					bool wide = services[k] & 2;

					put(&t, 1, 2);
					put(&t, 1, 1);
					put_d(&t, wide, 0);
					put_d(&t, wide, 7);
					put_d(&t, wide, 40); /* 40 and 41 */
					only(&d, SLMP_D, lo, hi);
					ask(&d, all_forms[f], 1, services[k], &t);
					assert_int_equal(d.p.allowed, lo == 0 && hi >= 41);
					assert_int_equal(d.p.reason, d.p.allowed ? R_ALLOWED : R_SLMP_ADDRESS);
				}
}

/* The maximum of a frame: 192 devices that are not neighbours. In ASCII each X has two readings,
 * and together these are too many. */
static void many_devices(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (uint32_t hi = 381; hi < 384; hi++) {
			struct text t = data_of(all_forms[f]);

			put(&t, 1, 192);
			put(&t, 1, 0);
			for (uint32_t i = 0; i < 192; i++)
				put_d(&t, false, 2 * i);
			only(&d, SLMP_D, 0, hi);
			assert_int_equal(ask(&d, all_forms[f], 1, 0x04030000, &t)->allowed, hi >= 382);
			t = data_of(all_forms[f]);
			put(&t, 1, 192);
			put(&t, 1, 0);
			for (uint32_t i = 0; i < 192; i++)
				put_device(&t, false, "X", 0x9c, true, 0x1000 + 32 * i);
			only(&d, SLMP_X, 0, 0xffff);
			assert_int_equal(ask(&d, all_forms[f], 1, 0x04030000, &t)->allowed, !t.ascii);
			desk_row(&d);
			assert_true(ask(&d, all_forms[f], 1, 0x04030000, &t)->allowed);
		}
}

/* ---- what is written ------------------------------------------------------------------------- */

/* Each of the words or bits in turn has a value that the row does not allow. */
static void every_written_value_counts(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (unsigned bits = 0; bits < 2; bits++)
			for (uint32_t wrong = 0; wrong < 8; wrong++) {
				struct text t = data_of(all_forms[f]);
				struct command_row *row;

				if (bits)
					put_m(&t, false, 20);
				else
					put_d(&t, false, 20);
				put(&t, 2, 7);
				for (uint32_t i = 0; i < 7 && !bits; i++)
					put(&t, 2, i == wrong ? 0x1234 : 0x1000 + i);
				for (uint32_t i = 0; i < 4 && bits && !t.ascii; i++)
					put(&t, 1, (2 * i == wrong ? 0x10u : 0) | (2 * i + 1 == wrong ? 1u : 0));
				for (uint32_t i = 0; i < 7 && bits && t.ascii; i++)
					put_raw(&t, i == wrong ? "1" : "0", 1);
				row = only(&d, bits ? SLMP_M : SLMP_D, 20, 26);
				row->values = bits ? desk_ranges(&d, (uint32_t[]){ 0, 0 }, 1)
						   : desk_ranges(&d, (uint32_t[]){ 0x1000, 0x1006 }, 1);
				ask(&d, all_forms[f], 1, 0x14010000 | bits, &t);
				assert_int_equal(d.p.reason, wrong == 7 ? R_ALLOWED : R_SLMP_VALUE);
				if (wrong < 7) {
					assert_int_equal(d.p.limit.what, LIMIT_VALUE);
					assert_int_equal(d.p.limit.at, 20 + wrong);
					assert_int_equal(d.p.limit.wrote, bits ? 1 : 0x1234);
				}
			}
}

/* A word that is written to a bit device sets 16 bits, the lowest first. */
static void words_of_bits(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (uint32_t bit = 0; bit < 33; bit++) {
			uint64_t v = bit < 32 ? (uint64_t)1 << bit : 0;
			struct text t = data_of(all_forms[f]), blocks = t, doubles = t;
			uint32_t services[] = { 0x14010000, 0x14060000, 0x14020000 };
			const struct text *texts[] = { &t, &blocks, &doubles };

			put_m(&t, false, 64);
			put(&t, 2, 2);
			put(&t, 2, v & 0xffffu);
			put(&t, 2, (uint32_t)(v >> 16));
			put(&blocks, 1, 0);
			put(&blocks, 1, 1);
			put_raw(&blocks, t.p, t.n);
			put(&doubles, 1, 0);
			put(&doubles, 1, 1);
			put_m(&doubles, false, 64);
			put(&doubles, 4, (uint32_t)v);
			for (size_t k = 0; k < 3; k++) {
				only(&d, SLMP_M, 64, 95)->values = desk_ranges(&d, (uint32_t[]){ 0, 0 }, 1);
				ask(&d, all_forms[f], 1, services[k], texts[k]);
				assert_int_equal(d.p.reason, bit == 32 ? R_ALLOWED : R_SLMP_VALUE);
				if (bit < 32)
					assert_int_equal(d.p.limit.at, 64 + bit);
			}
		}
}

/* For a row with fewer bits than a word, the proofs say the same as the worker does. */
static void words_of_fewer_bits(void **state)
{
	static const uint32_t services[] = { 0x04030000, 0x04060000, 0x08010000, 0x14060000 };
	const struct vocabulary *v = vocabulary_of(PROTO_SLMP);
	struct desk d;
	uint32_t code;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (uint32_t last = 78; last < 81; last++)
			for (size_t k = 0; k < N(services); k++) {
				struct text t = data_of(all_forms[f]);
				bool blocks = k == 1 || k == 3;
				struct command_row *row;

				put(&t, 1, !blocks);
				put(&t, 1, blocks);
				put_m(&t, false, 64);
				if (blocks)
					put(&t, 2, 1);
				if (k == 3)
					put(&t, 2, 0);
				row = only(&d, SLMP_M, 64, last);
				row->services = desk_range(&d, services[k], services[k]);
				assert_int_equal(ask(&d, all_forms[f], 1, services[k], &t)->allowed, last >= 79);
				assert_int_equal(evaluate_passes(&d.table, row, v,
								 (struct number_range){ services[k], services[k] },
								 CLASS_ALL, &code),
						 last >= 79);
			}
}

static void random_writes(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (unsigned wide = 0; wide < 2; wide++)
			for (unsigned wrong = 0; wrong < 5; wrong++) {
				struct text t = data_of(all_forms[f]), b = t;
				struct command_row *row;

				put(&t, 1, 1);
				put(&t, 1, 1);
				put_d(&t, wide, 10);
				put(&t, 2, wrong == 0 ? 9 : 1);
				put_d(&t, wide, 20);
				put(&t, 4, wrong == 1 ? 0x00090001 : wrong == 2 ? 0x00010009 : 0x00010001);
				row = only(&d, SLMP_D, 10, 21);
				row->values = desk_ranges(&d, (uint32_t[]){ 0, 1 }, 1);
				ask(&d, all_forms[f], 1, 0x14020000 | wide << 1, &t);
				assert_int_equal(d.p.reason, wrong > 2 ? R_ALLOWED : R_SLMP_VALUE);
				only(&d, SLMP_D, 10, 20);
				assert_false(ask(&d, all_forms[f], 1, 0x14020000 | wide << 1, &t)->allowed);
				put(&b, 1, 2);
				put_m(&b, wide, 5);
				put(&b, wide ? 2 : 1, 0);
				put_m(&b, wide, 9);
				put(&b, wide ? 2 : 1, wrong == 0);
				row = only(&d, SLMP_M, 5, 9);
				row->values = desk_ranges(&d, (uint32_t[]){ 0, 0 }, 1);
				ask(&d, all_forms[f], 1, 0x14020001 | wide << 1, &b);
				assert_int_equal(d.p.reason, wrong == 0 ? R_SLMP_VALUE : R_ALLOWED);
			}
}

static void buffers(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		struct text t = data_of(all_forms[f]), w = t, m = t;

		put(&t, 4, 0x78);
		put(&t, 2, 3);
		for (uint32_t hi = 0x79; hi < 0x7c; hi++) {
			only(&d, SLMP_BUFFER, 0x78, hi);
			assert_int_equal(ask(&d, all_forms[f], 1, 0x06130000, &t)->allowed, hi >= 0x7a);
		}
		w = t;
		for (uint32_t i = 0; i < 3; i++)
			put(&w, 2, 7 + i);
		only(&d, SLMP_BUFFER, 0x78, 0x7a)->values = desk_ranges(&d, (uint32_t[]){ 7, 9 }, 1);
		assert_true(ask(&d, all_forms[f], 1, 0x16130000, &w)->allowed);
		d.ranges[d.rows[0].values.first].hi = 8;
		assert_int_equal(ask(&d, all_forms[f], 1, 0x16130000, &w)->reason, R_SLMP_VALUE);
		put(&m, 4, 0x100);
		put(&m, 2, 4);
		put(&m, 2, 0x3e1);
		only(&d, SLMP_MODULE_BUFFER, 0, 0);
		d.ranges[d.spaces[0].numbers.first] = (struct number_range){ 0x3e100000100, 0x3e100000103 };
		assert_true(ask(&d, all_forms[f], 1, 0x06010000, &m)->allowed);
		d.ranges[d.spaces[0].numbers.first].hi--;
		assert_int_equal(ask(&d, all_forms[f], 1, 0x06010000, &m)->reason, R_SLMP_ADDRESS);
	}
}

/* ---- lengths --------------------------------------------------------------------------------- */

/* The right data for a service; `n` = -1: any length is right. */
static bool right_data(uint32_t service, struct text *t)
{
	bool wide = service & 2;

	switch (service >> 16) {
	case SLMP_BATCH_READ:
		put_d(t, wide, 1);
		put(t, 2, 2);
		return true;
	case SLMP_BATCH_WRITE:
		put_m(t, wide, 1);
		put(t, 2, 2);
		if (service & 1)
			put_raw(t, t->ascii ? (const void *)"10" : (const void *)"\x10", t->ascii ? 2 : 1);
		else
			put(t, 4, 5);
		return true;
	case SLMP_RANDOM_READ:
	case SLMP_MONITOR_REGISTER:
		put(t, 1, 1);
		put(t, 1, 1);
		put_d(t, wide, 1);
		put_d(t, wide, 9);
		return true;
	case SLMP_RANDOM_WRITE:
		put(t, 1, 1);
		if (!(service & 1))
			put(t, 1, 0);
		put_m(t, wide, 1);
		put(t, service & 1 ? wide ? 2 : 1 : 2, 1);
		return true;
	case SLMP_BLOCK_READ:
	case SLMP_BLOCK_WRITE:
		put(t, 1, 1);
		put(t, 1, 1);
		for (unsigned i = 0; i < 2; i++) {
			put_d(t, wide, 1);
			put(t, 2, 1);
			if (service >> 16 == SLMP_BLOCK_WRITE)
				put(t, 2, 3);
		}
		return true;
	case SLMP_MODULE_READ:
	case SLMP_MODULE_WRITE:
		put(t, 4, 1);
		put(t, 2, 2);
		put(t, 2, 3);
		if (service >> 16 == SLMP_MODULE_WRITE)
			put(t, 2, 4);
		return true;
	case SLMP_BUFFER_READ:
	case SLMP_BUFFER_WRITE:
		put(t, 4, 1);
		put(t, 2, 1);
		if (service >> 16 == SLMP_BUFFER_WRITE)
			put(t, 2, 4);
		return true;
	case SLMP_SELF_TEST:
		put(t, 2, 4);
		put_raw(t, "ABCD", 4);
		return true;
	case SLMP_RUN:
		put(t, 2, 1);
		put(t, 2, 0);
		return true;
	case SLMP_STOP:
	case SLMP_PAUSE:
	case SLMP_LATCH_CLEAR:
	case SLMP_RESET:
		put(t, 2, 1);
		return true;
	case SLMP_TYPE_NAME:
	case SLMP_MONITOR:
		return true;
	default:
		return false;
	}
}

/* Every command of the table with every length of data, up to three bytes too many: only the right
 * length makes sense. */
static void every_command_every_length(void **state)
{
	const struct vocabulary *v = vocabulary_of(PROTO_SLMP);
	uint32_t exact = 0, open = 0;
	struct desk d;

	(void)state;
	for (unsigned k = 0; k < v->n_functions; k++)
		for (uint32_t service = v->functions[k].code;
		     service <= v->functions[k].last && (service & 0xffff) < 0x84; service++)
			for (unsigned f = 0; f < 4; f++) {
				struct text t = data_of(all_forms[f]), right;
				bool fixed = right_data(service, &t) && (service & 0xfffc) == 0;
				/* no such unit */
				bool none =
					(service & 1) && fixed &&
					(service >> 16 == SLMP_RANDOM_READ || service >> 16 == SLMP_BLOCK_READ ||
					 service >> 16 == SLMP_BLOCK_WRITE || service >> 16 == SLMP_MONITOR_REGISTER);

				right = t;
				memset(t.p + t.n, '0', 8);
				for (size_t n = 0; n < right.n + 4; n++) {
					bool ok = !fixed || (n == right.n && !none) ||
						  (n == 0 && service >> 16 == SLMP_RESET);

					t.n = n;
					desk_row(&d);
					ask(&d, all_forms[f], 1, service, &t);
					if (d.p.reason != (ok ? R_ALLOWED : R_SLMP_FRAME))
						print_error("service %08x form %u length %zu\n", service, f, n);
					assert_int_equal(d.p.reason, ok ? R_ALLOWED : R_SLMP_FRAME);
				}
				exact += fixed;
				open += !fixed;
			}
	assert_true(exact > 100 && open > 100);
}

/* Numbers of points: 0, 1, the maximum, and one more; each class of request with one word or bit
 * too few and too many. */
static void counts_have_limits(void **state)
{
	static const struct {
		uint32_t service, most;
		bool bits;
	} cases[] = { { 0x04010000, 960, false }, { 0x04010001, 7168, true }, { 0x14010000, 960, false },
		      { 0x14010001, 7168, true }, { 0x06130000, 480, false }, { 0x16130000, 480, false },
		      { 0x06010000, 1920, true }, { 0x06190000, 960, true } };
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (size_t k = 0; k < N(cases); k++)
			for (uint32_t at = 0; at < 5; at++)
				for (int off = -2; off <= 2; off++) {
					uint32_t most = cases[k].most, command = cases[k].service >> 16, n, data = 0;
					struct text t = data_of(all_forms[f]);

					/* the maximum that fits into an answer in ASCII, or into a
					 * request */
					if (t.ascii && most == 7168)
						most = cases[k].service == 0x14010001 ? 4072 : 4092;
					n = (uint32_t[]){ 0, 1, 2, most, most + 1 }[at];
					if (command == SLMP_BATCH_READ || command == SLMP_BATCH_WRITE)
						put_m(&t, false, 0);
					else if (command != SLMP_SELF_TEST)
						put(&t, 4, 0);
					put(&t, 2, n);
					if (command == SLMP_MODULE_READ)
						put(&t, 2, 3);
					if (command == SLMP_SELF_TEST)
						data = n;
					else if (cases[k].service >> 28 == 1)
						data = cases[k].bits ? t.ascii ? n : (n + 1) / 2
								     : n * (t.ascii ? 4 : 2);
					if ((int)data + off < 0)
						continue;
					data = (uint32_t)((int)data + off);
					memset(t.p + t.n, t.ascii ? '0' : 0, data);
					t.n += data;
					if (t.n + (t.ascii ? 12 : 6) > SLMP_LENGTH_MAX)
						continue; /* no frame is that long */
					desk_row(&d);
					ask(&d, all_forms[f], 1, cases[k].service, &t);
					assert_int_equal(d.p.allowed, off == 0 && n >= 1 && n <= most);
				}
}

/* ---- whom, and which command ----------------------------------------------------------------- */

static void routes_are_judged(void **state)
{
	struct desk d;
	static const struct whom whom[] = {
		{ 1, 2, 0x3e0, 3 }, { 2, 2, 0x3e0, 3 }, { 1, 3, 0x3e0, 3 }, { 1, 2, 0x3e1, 3 }, { 1, 2, 0x3e0, 4 }
	};

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (size_t k = 0; k < N(whom); k++) {
			struct command_row *row = desk_row(&d);
			struct text none = data_of(all_forms[f]),
				    t = request_of(all_forms[f], 1, whom[k], 0x01010000, &none);

			row->targets[0] = desk_ranges(&d, (uint32_t[]){ 1, 1 }, 1);
			row->targets[1] = desk_ranges(&d, (uint32_t[]){ 2, 2 }, 1);
			row->targets[2] = desk_ranges(&d, (uint32_t[]){ 0x3e0, 0x3e0 }, 1);
			row->targets[3] = desk_ranges(&d, (uint32_t[]){ 3, 3 }, 1);
			assert_int_equal(desk_judge(&d, DIR_C2S, t.p, t.n)->reason, k == 0 ? R_ALLOWED : R_SLMP_TARGET);
		}
}

static bool allows_words(unsigned classes, uint32_t service)
{
	struct desk d;
	struct command_row *row = desk_row(&d);
	const struct vocabulary *v = vocabulary_of(PROTO_SLMP);
	struct text t = data_of(SLMP_FORM);

	row->services = (struct number_set){ .first = d.table.n_ranges };
	for (unsigned k = 0; k < v->n_functions; k++)
		if ((v->functions[k].classes & ~classes) == 0)
			row->services.n +=
				desk_ranges(&d, (uint32_t[]){ v->functions[k].code, v->functions[k].last }, 1).n;
	right_data(service, &t);
	return ask(&d, SLMP_FORM, 1, service, &t)->allowed;
}

static void words_grant_their_commands(void **state)
{
	static const uint32_t reads[] = { 0x04010000, 0x04010003, 0x04030000, 0x04060002, 0x08010000, 0x06130000 },
			      others[] = { 0x14010000, 0x14010001, 0x14020003, 0x14060000, 0x16130000, 0x16010000,
					   0x10010000, 0x10020000, 0x10030000, 0x10050000, 0x10060000, 0x16300000,
					   0x16310000, 0x16170000, 0x18270000, 0x18280040, 0x141b0000, 0x0e310000,
					   0x01010000, 0x06190000, 0x04010040, 0x12340000, 0x14010084 };

	(void)state;
	for (size_t k = 0; k < N(reads); k++)
		assert_true(allows_words(CLASS_READ, reads[k]));
	for (size_t k = 0; k < N(others); k++)
		assert_false(allows_words(CLASS_READ, others[k]));
	assert_true(allows_words(CLASS_CONTROL, 0x10020000));
	assert_false(allows_words(CLASS_CONTROL, 0x10050000)); /* clears memory as well */
	assert_true(allows_words(CLASS_CONTROL | CLASS_WRITE, 0x10050000));
}

/* A request that does not state an address or a value is allowed only if no row limits it. */
static void untold_places(void **state)
{
	static const uint32_t services[] = { 0x04010080, 0x04010083, 0x14010082, 0x041a0000, 0x041c0000,
					     0x141a0000, 0x18280000, 0x08020000, 0x12345678 };
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (size_t k = 0; k < N(services); k++) {
			struct text t = data_of(all_forms[f]);

			if (services[k] != 0x08020000)
				put(&t, 4, 0x01020304);
			desk_row(&d);
			assert_true(ask(&d, all_forms[f], 1, services[k], &t)->allowed);
			only(&d, SLMP_D, 0, 0xffffffff);
			assert_int_equal(ask(&d, all_forms[f], 1, services[k], &t)->reason, R_SLMP_ADDRESS);
			desk_row(&d)->values = desk_ranges(&d, (uint32_t[]){ 0, 0xffff }, 1);
			ask(&d, all_forms[f], 1, services[k], &t);
			assert_int_equal(d.p.allowed, services[k] >> 24 == 4 || services[k] >> 24 == 8);
		}
}

/* A remote run that also clears devices needs more than the word for a remote run. */
static void run_may_clear(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (uint32_t clear = 0; clear < 3; clear++) {
			struct text t = data_of(all_forms[f]);

			put(&t, 2, 1);
			put(&t, 1, clear);
			put(&t, 1, 0);
			only(&d, SLMP_D, 0, 9);
			assert_int_equal(ask(&d, all_forms[f], 1, 0x10010000, &t)->allowed, clear == 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_as_long_as_they_say),
		cmocka_unit_test(headers_are_read_byte_by_byte),
		cmocka_unit_test(lengths_have_limits),
		cmocka_unit_test(form_never_changes),
		cmocka_unit_test(every_device_has_its_place),
		cmocka_unit_test(unknown_devices_are_nowhere),
		cmocka_unit_test(digits_of_two_readings),
		cmocka_unit_test(lists_touch_each_device),
		cmocka_unit_test(many_devices),
		cmocka_unit_test(every_written_value_counts),
		cmocka_unit_test(words_of_bits),
		cmocka_unit_test(words_of_fewer_bits),
		cmocka_unit_test(random_writes),
		cmocka_unit_test(buffers),
		cmocka_unit_test(every_command_every_length),
		cmocka_unit_test(counts_have_limits),
		cmocka_unit_test(routes_are_judged),
		cmocka_unit_test(words_grant_their_commands),
		cmocka_unit_test(untold_places),
		cmocka_unit_test(run_may_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
