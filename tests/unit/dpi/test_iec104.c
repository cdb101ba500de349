/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IEC 60870-5-104 enforcer: APDUs, every type with its length, and what each command touches,
 * writes and says about itself. Sessions and confirmations are in test_iec104_session.c.
 * LINK: $(COMMANDS_PARTS) dpi/iec104/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/iec104_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))
#define SINGLE "2d 01 0600 0100 010000 01"

/* ---- APDUs ----------------------------------------------------------------------------------- */

static enum frame_result cut(const uint8_t *p, size_t n, size_t *len)
{
	static uint8_t zero[ENFORCER_STATE_MAX];
	const uint8_t *copy = exact_copy(p, n);
	enum frame_result r = iec104_enforcer.frame(zero, DIR_C2S, bytes_of(copy, n), len);

	exact_done(copy, n);
	return r;
}

/* Every prefix of an APDU waits, the whole APDU is whole, and one more byte changes nothing. */
static void apdus_are_as_long_as_they_say(void **state)
{
	struct apdu all[] = { i_frame(5, 7, SINGLE),
			      i_frame(0x7fff, 0x7fff, "7d 01 0d00 0100 010000 0100 01 03 aabbcc"),
			      u_frame(IEC104_STARTDT_ACT), s_frame(0x7fff) };
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

/* Tries any value at any byte of the control fields: the six functions of a U frame, and S with its
 * number. A value that cannot stand there ends the flow at that byte. */
static void control_fields_are_read_byte_by_byte(void **state)
{
	static const uint8_t says[] = { 0x07, 0x0b, 0x13, 0x23, 0x43, 0x83 };
	struct apdu u = u_frame(IEC104_TESTFR_ACT), s = s_frame(3);
	size_t len;

	(void)state;
	for (unsigned at = 0; at < 6; at++)
		for (unsigned v = 0; v < 256; v++) {
			struct apdu other = u;
			bool fits = other.p[at] == v;

			other.p[at] = (uint8_t)v;
			for (size_t k = 0; at == 2 && k < N(says); k++)
				fits = fits || says[k] == v;
			fits = fits || (at == 2 && v == 1); /* an S frame with the number 0 */
			assert_int_equal(cut(other.p, 6, &len), fits ? FRAME_WHOLE : FRAME_BAD);
			if (!fits && at != 1 && (at != 2 || (v & 1) != 0))
				assert_int_equal(cut(other.p, at + 1, &len), FRAME_BAD);
			other = s;
			other.p[at] = (uint8_t)v;
			if (at > 2)
				assert_int_equal(cut(other.p, 6, &len),
						 at == 5 || (at == 4 && v % 2 == 0) || (at == 3 && v == 0) ? FRAME_WHOLE
													   : FRAME_BAD);
		}
	/* The lowest bits of both numbers of an I frame are 0. */
	for (unsigned v = 0; v < 256; v++) {
		struct apdu other = i_frame(0, 0, SINGLE);

		other.p[4] = (uint8_t)v;
		assert_int_equal(cut(other.p, other.n, &len), v % 2 == 0 ? FRAME_WHOLE : FRAME_BAD);
		other = i_frame(0, 0, SINGLE);
		other.p[3] = other.p[5] = (uint8_t)v;
		assert_int_equal(cut(other.p, other.n, &len), FRAME_WHOLE);
	}
}

/* ---- every type ------------------------------------------------------------------------------ */

/* Number of bytes of an object (IEC 60870-5-101, 7.3), and how many objects an ASDU may have: 1 =
 * one, 2 = several, each with its address, 3 = also several in sequence. c: who sends the type. */
static const struct type_case {
	uint8_t type, bytes, several;
	char who;
	const char *name;
} types[] = {
	{ 1, 1, 3, 's', "M_SP_NA_1" },	 { 2, 4, 2, 's', "M_SP_TA_1" },	   { 3, 1, 3, 's', "M_DP_NA_1" },
	{ 4, 4, 2, 's', "M_DP_TA_1" },	 { 5, 2, 3, 's', "M_ST_NA_1" },	   { 6, 5, 2, 's', "M_ST_TA_1" },
	{ 7, 5, 3, 's', "M_BO_NA_1" },	 { 8, 8, 2, 's', "M_BO_TA_1" },	   { 9, 3, 3, 's', "M_ME_NA_1" },
	{ 10, 6, 2, 's', "M_ME_TA_1" },	 { 11, 3, 3, 's', "M_ME_NB_1" },   { 12, 6, 2, 's', "M_ME_TB_1" },
	{ 13, 5, 3, 's', "M_ME_NC_1" },	 { 14, 8, 2, 's', "M_ME_TC_1" },   { 15, 5, 3, 's', "M_IT_NA_1" },
	{ 16, 8, 2, 's', "M_IT_TA_1" },	 { 17, 6, 2, 's', "M_EP_TA_1" },   { 18, 7, 2, 's', "M_EP_TB_1" },
	{ 19, 7, 2, 's', "M_EP_TC_1" },	 { 20, 5, 3, 's', "M_PS_NA_1" },   { 21, 2, 3, 's', "M_ME_ND_1" },
	{ 30, 8, 2, 's', "M_SP_TB_1" },	 { 31, 8, 2, 's', "M_DP_TB_1" },   { 32, 9, 2, 's', "M_ST_TB_1" },
	{ 33, 12, 2, 's', "M_BO_TB_1" }, { 34, 10, 2, 's', "M_ME_TD_1" },  { 35, 10, 2, 's', "M_ME_TE_1" },
	{ 36, 12, 2, 's', "M_ME_TF_1" }, { 37, 12, 2, 's', "M_IT_TB_1" },  { 38, 10, 2, 's', "M_EP_TD_1" },
	{ 39, 11, 2, 's', "M_EP_TE_1" }, { 40, 11, 2, 's', "M_EP_TF_1" },  { 45, 1, 1, 'c', "C_SC_NA_1" },
	{ 46, 1, 1, 'c', "C_DC_NA_1" },	 { 47, 1, 1, 'c', "C_RC_NA_1" },   { 48, 3, 1, 'c', "C_SE_NA_1" },
	{ 49, 3, 1, 'c', "C_SE_NB_1" },	 { 50, 5, 1, 'c', "C_SE_NC_1" },   { 51, 4, 1, 'c', "C_BO_NA_1" },
	{ 58, 8, 1, 'c', "C_SC_TA_1" },	 { 59, 8, 1, 'c', "C_DC_TA_1" },   { 60, 8, 1, 'c', "C_RC_TA_1" },
	{ 61, 10, 1, 'c', "C_SE_TA_1" }, { 62, 10, 1, 'c', "C_SE_TB_1" },  { 63, 12, 1, 'c', "C_SE_TC_1" },
	{ 64, 11, 1, 'c', "C_BO_TA_1" }, { 70, 1, 1, 's', "M_EI_NA_1" },   { 100, 1, 1, 'c', "C_IC_NA_1" },
	{ 101, 1, 1, 'c', "C_CI_NA_1" }, { 102, 0, 1, 'c', "C_RD_NA_1" },  { 103, 7, 1, 'c', "C_CS_NA_1" },
	{ 104, 2, 1, 'c', "C_TS_NA_1" }, { 105, 1, 1, 'c', "C_RP_NA_1" },  { 106, 2, 1, 'c', "C_CD_NA_1" },
	{ 107, 9, 1, 'c', "C_TS_TA_1" }, { 110, 3, 1, 'c', "P_ME_NA_1" },  { 111, 3, 1, 'c', "P_ME_NB_1" },
	{ 112, 5, 1, 'c', "P_ME_NC_1" }, { 113, 1, 1, 'c', "P_AC_NA_1" },  { 120, 6, 1, 'b', "F_FR_NA_1" },
	{ 121, 7, 1, 'b', "F_SR_NA_1" }, { 122, 4, 1, 'c', "F_SC_NA_1" },  { 123, 5, 1, 'b', "F_LS_NA_1" },
	{ 124, 4, 1, 'b', "F_AF_NA_1" }, { 126, 13, 3, 's', "F_DR_TA_1" }, { 127, 16, 1, 'c', "F_SC_NB_1" },
};

static const struct type_case *type_of(unsigned type)
{
	for (size_t k = 0; k < N(types); k++)
		if (types[k].type == type)
			return &types[k];
	return NULL;
}

/* Each type, each number of objects with and without SQ, and each length of an APDU. */
static void every_type_has_its_length(void **state)
{
	uint8_t p[IEC104_PDU_MAX];
	size_t len;

	(void)state;
	for (unsigned type = 0; type < 256; type++)
		for (unsigned vsq = 0; vsq < 256; vsq++) {
			const struct type_case *t = type_of(type);
			unsigned n = vsq & 0x7f, run = vsq >> 7;

			if (type == 125) /* a segment of a file contains its own length */
				continue;
			for (unsigned length = 0; length < 256; length++) {
				bool fits = length >= 13 && length <= 253 && n > 0 && type > 0;

				memset(p, 0, sizeof(p));
				memcpy(p, (uint8_t[]){ 0x68, (uint8_t)length, 0, 0, 0, 0, (uint8_t)type, (uint8_t)vsq },
				       8);
				if (t != NULL)
					fits = fits && (n == 1 || t->several > 1) && (!run || t->several == 3) &&
					       length == 10 + (run ? 3 + n * t->bytes : n * (3u + t->bytes));
				if (iec104_enforcer.frame(NULL, DIR_C2S, bytes_of(p, sizeof(p)), &len) !=
				    (fits ? FRAME_WHOLE : FRAME_BAD))
					fail_msg("type %u, VSQ %02x, length %u", type, vsq, length);
				/* the length is refused before the bytes arrive that would make a
				 * command */
				if (!fits)
					assert_int_equal(cut(p, 8, &len), FRAME_BAD);
			}
		}
}

static void segments_say_how_long_they_are(void **state)
{
	uint8_t p[IEC104_PDU_MAX] = { 0x68, 0, 0, 0, 0, 0, 125, 1, 13, 0, 1, 0, 1, 0, 0, 1, 0, 1 };
	size_t len;

	(void)state;
	for (unsigned los = 0; los < 256; los++)
		for (unsigned length = 4; length <= 253; length++) {
			p[1] = (uint8_t)length;
			p[18] = (uint8_t)los;
			assert_int_equal(iec104_enforcer.frame(NULL, DIR_C2S, bytes_of(p, sizeof(p)), &len),
					 length == 17 + los ? FRAME_WHOLE : FRAME_BAD);
		}
}

/* Names and words of the vocabulary exist for these types. A type that one end sends must not come
 * from the other. */
static void every_type_has_its_direction(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned type = 1; type < 128; type++) {
		const struct function_info *f = function_by_code(&vocabulary_iec104, type);
		const struct type_case *t = type_of(type);
		char asdu[128];
		size_t n;

		if (type == 125)
			continue;
		assert_int_equal(f != NULL, t != NULL);
		if (t == NULL)
			continue;
		assert_string_equal(f->name, t->name);
		assert_int_equal(f->classes != 0, t->who != 's');
		n = (size_t)snprintf(asdu, sizeof(asdu), "%02x 01 0300 0100 010000", type);
		for (unsigned i = 0; i < t->bytes; i++)
			n += (size_t)snprintf(asdu + n, sizeof(asdu) - n, "00");
		open_desk(&d);
		ask(&d, asdu);
		assert_int_equal(d.p.reason == R_IEC104_DIRECTION, t->who == 's');
		assert_false(d.p.allowed);
		open_desk(&d);
		tell(&d, asdu);
		assert_int_equal(d.p.allowed, t->who == 's');
		assert_int_equal(d.p.reason, t->who == 's' ? R_ALLOWED : R_IEC104_RESPONSE);
		assert_int_equal(d.p.function, type);
	}
}

/* A type without a name: the addresses that it touches are unknown, and no word covers it. */
static void other_types_pass_where_they_are_named(void **state)
{
	struct command_row *row;
	struct desk d;
	char asdu[64];

	(void)state;
	for (unsigned type = 1; type < 256; type++) {
		if (type_of(type) != NULL || type == 125)
			continue;
		snprintf(asdu, sizeof(asdu), "%02x 01 0600 0100 010000 00", type);
		row = open_desk(&d);
		row->services = desk_range(&d, 1, type - 1);
		assert_int_equal(ask(&d, asdu)->reason, R_IEC104_FUNCTION);
		row->services = desk_range(&d, type, type);
		start(&d);
		assert_true(ask(&d, asdu)->allowed);
		/* confirmed by the same type, and only once */
		assert_true(tell(&d, asdu)->allowed);
		assert_int_equal(tell(&d, asdu)->reason, R_IEC104_RESPONSE);
		desk_space(&d, row, IEC104_IOA, desk_range(&d, 0, 0xffffff));
		start(&d);
		assert_int_equal(ask(&d, asdu)->reason, R_IEC104_ADDRESS);
		row->spaces_any = true;
		row->values = desk_range(&d, 0, UINT32_MAX);
		start(&d);
		assert_int_equal(ask(&d, asdu)->reason, R_IEC104_VALUE);
	}
}

/* ---- what commands say ----------------------------------------------------------------------- */

/* Each command: word, object address (-1: none), value (-1: none, -2: unknown), qualifier (-1:
 * none). */
static const struct command_case {
	const char *asdu;
	uint32_t service;
	unsigned class;
	long ioa;
	long long value;
	int qualifier;
} commands[] = {
	{ "2d 01 0600 0100 030201 00", 45, CLASS_CONTROL, 0x010203, 0, 0 },
	{ "2d 01 0600 0100 030201 81", 45, CLASS_CONTROL, 0x010203, 1, 0x100 },
	{ "2d 01 0600 0100 030201 0d", 45, CLASS_CONTROL, 0x010203, 1, 3 },
	{ "2d 01 0800 0100 030201 fc", 45, CLASS_CONTROL, 0x010203, 0, 0x11f },
	{ "2e 01 0600 0100 030201 01", 46, CLASS_CONTROL, 0x010203, 1, 0 },
	{ "2e 01 0600 0100 030201 8a", 46, CLASS_CONTROL, 0x010203, 2, 0x102 },
	{ "2f 01 0600 0100 030201 02", 47, CLASS_CONTROL, 0x010203, 2, 0 },
	{ "30 01 0600 0100 030201 3412 05", 48, CLASS_WRITE, 0x010203, 0x1234, 5 },
	{ "31 01 0600 0100 030201 ffff 80", 49, CLASS_WRITE, 0x010203, 0xffff, 0x100 },
	{ "32 01 0600 0100 030201 00004842 ff", 50, CLASS_WRITE, 0x010203, 0x42480000, 0x17f },
	{ "33 01 0600 0100 030201 78563412", 51, CLASS_WRITE, 0x010203, 0x12345678, -1 },
	{ "3a 01 0600 0100 030201 01 5fea3b177f0c63", 58, CLASS_CONTROL, 0x010203, 1, 0 },
	{ "3b 01 0600 0100 030201 02 00000000000000", 59, CLASS_CONTROL, 0x010203, 2, 0 },
	{ "3c 01 0600 0100 030201 01 00000000000000", 60, CLASS_CONTROL, 0x010203, 1, 0 },
	{ "3d 01 0600 0100 030201 0100 00 00000000000000", 61, CLASS_WRITE, 0x010203, 1, 0 },
	{ "3e 01 0600 0100 030201 0100 81 00000000000000", 62, CLASS_WRITE, 0x010203, 1, 0x101 },
	{ "3f 01 0600 0100 030201 01000000 00 00000000000000", 63, CLASS_WRITE, 0x010203, 1, 0 },
	{ "40 01 0600 0100 030201 02000000 00000000000000", 64, CLASS_WRITE, 0x010203, 2, -1 },
	{ "64 01 0600 0100 000000 14", 100, CLASS_READ, -1, -1, 20 },
	{ "65 01 0600 0100 000000 05", 101, CLASS_READ, -1, -1, 5 },
	{ "65 01 0600 0100 000000 3f", 101, CLASS_READ, -1, -1, 0x3f },
	{ "65 01 0600 0100 000000 45", 301, CLASS_CONTROL, -1, -1, 0x45 },
	{ "65 01 0600 0100 000000 c5", 301, CLASS_CONTROL, -1, -1, 0xc5 },
	{ "66 01 0500 0100 030201", 102, CLASS_READ, 0x010203, -1, -1 },
	{ "67 01 0600 0100 000000 5fea3b177f0c63", 103, CLASS_CONTROL, -1, -1, -1 },
	{ "68 01 0600 0100 000000 aa55", 104, CLASS_DIAGNOSE, -1, -1, -1 },
	{ "69 01 0600 0100 000000 01", 105, CLASS_CONTROL, -1, -1, 1 },
	{ "6a 01 0600 0100 000000 0100", 106, CLASS_CONTROL, -1, -1, -1 },
	{ "6b 01 0600 0100 000000 0100 00000000000000", 107, CLASS_DIAGNOSE, -1, -1, -1 },
	{ "6e 01 0600 0100 030201 0300 01", 110, CLASS_WRITE, 0x010203, 3, 1 },
	{ "6f 01 0600 0100 030201 0300 82", 111, CLASS_WRITE, 0x010203, 3, 0x82 },
	{ "70 01 0600 0100 030201 03000000 04", 112, CLASS_WRITE, 0x010203, 3, 4 },
	{ "71 01 0600 0100 030201 01", 113, CLASS_WRITE, 0x010203, -1, 1 },
	{ "78 01 0d00 0100 030201 0100 100000 00", 120, CLASS_PROGRAM, 0x010203, -2, -1 },
	{ "79 01 0d00 0100 030201 0100 01 100000 00", 121, CLASS_PROGRAM, 0x010203, -2, -1 },
	{ "7a 01 0500 0100 030201 0100 00 02", 122, CLASS_PROGRAM, 0x010203, -2, -1 },
	{ "7b 01 0d00 0100 030201 0100 01 01 00", 123, CLASS_PROGRAM, 0x010203, -2, -1 },
	{ "7c 01 0d00 0100 030201 0100 01 03", 124, CLASS_PROGRAM, 0x010203, -2, -1 },
	{ "7d 01 0d00 0100 030201 0100 01 02 aabb", 125, CLASS_PROGRAM, 0x010203, -2, -1 },
	{ "7f 01 0500 0100 030201 0100 00000000000000 00000000000000", 127, CLASS_PROGRAM, 0x010203, -2, -1 },
};

/* A row whose limit just fits allows the command, and a row with one less does not: by word,
 * object, value and qualifier. */
static void every_command_is_what_it_says(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(commands); k++) {
		const struct command_case *c = &commands[k];

		row = open_desk(&d);
		row->services = desk_range(&d, c->service, c->service);
		assert_int_equal(function_by_code(&vocabulary_iec104, c->service)->classes, c->class);
		if (!ask(&d, c->asdu)->allowed || d.p.function != c->service)
			fail_msg("%s: %d", c->asdu, d.p.reason);
		assert_int_equal(d.p.space, c->ioa < 0 ? SPACE_NONE : IEC104_IOA);
		if (c->ioa >= 0)
			assert_int_equal(d.p.address, c->ioa);
		row->services = desk_range(&d, c->service + 1, c->service + 1);
		start(&d);
		assert_int_equal(ask(&d, c->asdu)->reason, R_IEC104_FUNCTION);

		for (unsigned other = 0; other < 2; other++) {
			row = open_desk(&d);
			desk_space(&d, row, IEC104_IOA, desk_range(&d, 0x010203 + other, 0x010203 + other));
			assert_int_equal(ask(&d, c->asdu)->reason,
					 c->ioa < 0 || other == 0 ? R_ALLOWED : R_IEC104_ADDRESS);

			row = open_desk(&d);
			row->targets[IEC104_QUALIFIER] = c->qualifier < 0
								 ? desk_range(&d, 7, 7)
								 : desk_range(&d, (unsigned)c->qualifier + other,
									      (unsigned)c->qualifier + other);
			assert_int_equal(ask(&d, c->asdu)->reason,
					 c->qualifier < 0 || other == 0 ? R_ALLOWED : R_IEC104_TARGET);

			row = open_desk(&d);
			row->values = c->value < 0
					      ? desk_range(&d, 0, UINT32_MAX)
					      : desk_range(&d, (uint64_t)c->value + other, (uint64_t)c->value + other);
			assert_int_equal(ask(&d, c->asdu)->reason,
					 c->value == -1 || (c->value >= 0 && other == 0) ? R_ALLOWED : R_IEC104_VALUE);
		}
	}
}

/* Destination and source: common address, originator, cause with its bits. "All stations" has to be
 * named in the row. */
static void ends_are_told(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	for (unsigned k = 0; k < 3; k++)
		for (int other = -1; other < 2; other++) {
			static const int are[] = { 0x1234, 9, 0x86 };
			unsigned may = (unsigned)(are[k] + other);

			row = open_desk(&d);
			row->targets[k] = desk_range(&d, may, may);
			assert_int_equal(ask(&d, "2d 01 8609 3412 010000 01")->reason,
					 other == 0 ? R_ALLOWED : R_IEC104_TARGET);
			if (other != 0) {
				assert_int_equal(d.p.targets[0], 0x1234);
				assert_int_equal(d.p.targets[1], 9);
				assert_int_equal(d.p.targets[2], 0x86);
			}
		}
	row = open_desk(&d);
	assert_true(ask(&d, "64 01 0600 ffff 000000 14")->allowed);
	row->targets[IEC104_CA] = (struct number_set){ .any = true };
	start(&d);
	assert_int_equal(ask(&d, "64 01 0600 ffff 000000 14")->reason, R_IEC104_TARGET);
	assert_true(ask(&d, "64 01 0600 feff 000000 14")->allowed);
}

/* The allowed causes of each command: any other cause is refused, with and without the test bit and
 * P/N. */
static void causes_are_those_of_the_type(void **state)
{
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(commands); k++) {
		uint32_t type = commands[k].service == 301 ? 101 : commands[k].service;

		for (unsigned cause = 0; cause < 256; cause++) {
			unsigned c = cause & 0x3f;
			bool fits = type == 102			 ? c == 5
				    : type == 122 || type == 127 ? c == 5 || c == 13
				    : type >= 120		 ? c == 13
				    : type == 106		 ? c == 3 || c == 6
				    : type == 113 || type <= 101 ? c == 6 || c == 8
								 : c == 6;
			struct apdu a;

			open_desk(&d);
			a = i_frame(0, 0, commands[k].asdu);
			a.p[8] = (uint8_t)cause;
			judge(&d, DIR_C2S, a);
			if (d.p.reason != (fits ? R_ALLOWED : R_IEC104_FRAME))
				fail_msg("type %u, cause %u: %d", type, cause, d.p.reason);
		}
	}
}

/* Test patterns, an object address where there is none, impossible times, no station. The states 0
 * and 3 and the year 109 are none of the standard's, but clients send them. */
static void fields_have_limits(void **state)
{
	static const struct {
		const char *asdu;
		bool fits;
	} cases[] = {
		{ "2e 01 0600 0100 010000 00", true },
		{ "2e 01 0600 0100 010000 03", true },
		{ "2f 01 0600 0100 010000 04", true },
		{ "2f 01 0600 0100 010000 83", true },
		{ "3b 01 0600 0100 010000 03 00000000000000", true },
		{ "64 01 0600 0100 010000 14", false },
		{ "67 01 0600 0100 000001 00000000000000", false },
		{ "66 01 0500 0100 000000", true },
		{ "68 01 0600 0100 000000 55aa", false },
		{ "68 01 0600 0100 000000 0000", false },
		{ "67 01 0600 0100 000000 5fea 3b 17 1f 0c 63", true },
		{ "67 01 0600 0100 000000 60ea 3b 17 1f 0c 63", false },
		{ "67 01 0600 0100 000000 5fea 3c 17 1f 0c 63", false },
		/* IV, summer time and a day of the week are set */
		{ "67 01 0600 0100 000000 5fea bb 97 ff 0c 63", true },
		{ "67 01 0600 0100 000000 5fea 3b 18 1f 0c 63", false },
		{ "67 01 0600 0100 000000 5fea 3b 17 1f 0d 63", false },
		{ "67 01 0600 0100 000000 5fea 3b 17 1f 0c 6d", true },
		{ "6b 01 0600 0100 000000 ffff 60ea 3b 17 1f 0c 63", false },
		{ "3f 01 0600 0100 010000 00000000 00 60ea 3b 17 1f 0c 63", false },
		{ "2d 01 0600 0000 010000 01", false },
		{ "81 01 0600 0000 010000 01", false },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		open_desk(&d);
		ask(&d, cases[k].asdu);
		if (d.p.reason != (cases[k].fits ? R_ALLOWED : R_IEC104_FRAME))
			fail_msg("%s: %d", cases[k].asdu, d.p.reason);
	}
}

/* A frame of a file transfer contains no time, however long the file is. */
static void files_have_no_times(void **state)
{
	struct desk d;
	char asdu[128];
	size_t n;

	(void)state;
	for (unsigned name = 0; name < 65536; name += 4369)
		for (unsigned length = 1; length < 65536; length += 13) {
			open_desk(&d);
			snprintf(asdu, sizeof(asdu), "79 01 0d00 0100 010000 %02x%02x 01 %02x%02x00 00", name & 255u,
				 name >> 8, length & 255u, length >> 8);
			if (!ask(&d, asdu)->allowed)
				fail_msg("%s: %d", asdu, d.p.reason);
		}
	for (unsigned los = 0; los < 16; los++) {
		open_desk(&d);
		n = (size_t)snprintf(asdu, sizeof(asdu), "7d 01 0d00 0100 010000 ffff ff %02x", los);
		for (unsigned i = 0; i < los; i++)
			n += (size_t)snprintf(asdu + n, sizeof(asdu) - n, "ff");
		if (!ask(&d, asdu)->allowed)
			fail_msg("%s: %d", asdu, d.p.reason);
	}
}

/* Two objects in one command: some stations would carry out only the first. */
static void commands_have_one_object(void **state)
{
	struct apdu a = i_frame(0, 0, "2d 02 0600 0100 010000 01 020000 01");
	size_t len;

	(void)state;
	assert_int_equal(cut(a.p, a.n, &len), FRAME_BAD);
	a = i_frame(0, 0, "2d 82 0600 0100 010000 01 01");
	assert_int_equal(cut(a.p, a.n, &len), FRAME_BAD);
}

/* ---- hostile bytes --------------------------------------------------------------------------- */

/* Random bytes: what was allowed is what a second reading of the bytes finds. */
static void any_bytes_are_judged(void **state)
{
	unsigned seed = 104, passed = 0;
	struct command_row *row;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	row->services = desk_range(&d, 45, 50);
	desk_space(&d, row, IEC104_IOA, desk_range(&d, 1, 9));
	for (unsigned k = 0; k < 200000; k++) {
		struct apdu a = i_frame(0, 0, k % 2 ? SINGLE : "30 01 0600 0100 020000 3412 05");
		size_t len;

		for (unsigned i = 0; i < 1 + k % 3; i++) {
			seed = seed * 1103515245u + 12345u;
			a.p[seed >> 16 & 0xf] = (uint8_t)(seed >> 8);
		}
		start(&d);
		if (cut(a.p, a.n, &len) != FRAME_WHOLE || len != a.n || !desk_judge(&d, DIR_C2S, a.p, len)->allowed ||
		    (a.p[2] & 1) != 0)
			continue;
		passed++;
		assert_true(a.p[6] >= 45 && a.p[6] <= 50 && a.p[7] == 1 && a.p[12] >= 1 && a.p[12] <= 9 &&
			    a.p[13] == 0 && a.p[14] == 0 && a.p[2] == 0 && a.p[3] == 0);
	}
	assert_true(passed > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apdus_are_as_long_as_they_say),
		cmocka_unit_test(control_fields_are_read_byte_by_byte),
		cmocka_unit_test(every_type_has_its_length),
		cmocka_unit_test(segments_say_how_long_they_are),
		cmocka_unit_test(every_type_has_its_direction),
		cmocka_unit_test(other_types_pass_where_they_are_named),
		cmocka_unit_test(every_command_is_what_it_says),
		cmocka_unit_test(ends_are_told),
		cmocka_unit_test(causes_are_those_of_the_type),
		cmocka_unit_test(fields_have_limits),
		cmocka_unit_test(files_have_no_times),
		cmocka_unit_test(commands_have_one_object),
		cmocka_unit_test(any_bytes_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
