/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S7comm enforcer: every code of every kind, wrong lengths, and the order of a session.
 * LINK: $(COMMANDS_PARTS) dpi/s7comm/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "appliance/wire/vocabulary.h"
#include "tests/unit/dpi/s7comm_desk.h"

/* The form of a request for each function that the enforcer knows, and of its answer. */
struct form {
	uint32_t service;
	const char *parameters, *data;
	const char *answer, *answer_data;
};

#define BLOCK "00 0000 00000000 09 5f3041303030303150"

static const struct form forms[] = {
	{ S7_FUNCTION(S7_READ), "0401 120a1002000800008300 0050", "", "0401", "ff040040 0000000000000000" },
	{ S7_FUNCTION(S7_WRITE), "0501 120a10020001000083000050", "00040008 2a", "0501", "ff" },
	{ S7_FUNCTION(S7_REQUEST_DOWNLOAD), "1a" BLOCK "0d 31303030353030303030343030", "", "1a", "" },
	{ S7_FUNCTION(S7_START_UPLOAD), "1d" BLOCK, "", "1d00 0100 00000007 07 30303030323136", "" },
	{ S7_FUNCTION(S7_UPLOAD), "1e00 0000 00000007", "", "1e00", "0002 00fb 0102" },
	{ S7_FUNCTION(S7_END_UPLOAD), "1f00 0000 00000007", "", "1f", "" },
	{ S7_FUNCTION(S7_PI) | S7_PI_INSERT, "28 000000000000 fd 000a 0100 3041303030303150 05 5f494e5345", "", "28",
	  "" },
	{ S7_FUNCTION(S7_PI) | S7_PI_DELETE, "28 000000000000 fd 000a 0100 3041303030303150 05 5f44454c45", "", "28",
	  "" },
	{ S7_FUNCTION(S7_PI) | S7_PI_START, "28 000000000000 fd 0000 09 505f50524f4752414d", "", "28", "" },
	{ S7_FUNCTION(S7_PI) | S7_PI_START_COLD, "28 000000000000 fd 0002 4320 09 505f50524f4752414d", "", "28", "" },
	{ S7_FUNCTION(S7_PI) | S7_PI_RAM_TO_ROM, "28 000000000000 fd 0002 4550 05 5f4d4f4455", "", "28", "" },
	{ S7_FUNCTION(S7_PI) | S7_PI_COMPRESS, "28 000000000000 fd 0000 05 5f47415242", "", "28", "" },
	{ S7_FUNCTION(S7_PI) | S7_PI_OTHER, "28 000000000000 fd 0000 05 5f4e5f4c47", "", "28", "" },
	{ S7_FUNCTION(S7_STOP), "29 0000000000 09 505f50524f4752414d", "", "29", "" },
	{ S7_FUNCTION(S7_SETUP), "f000 0001 0001 01e0", "", "f000 0001 0001 00f0", "" },
};

#define N(list) (sizeof(list) / sizeof((list)[0]))

static void ready(struct desk *d)
{
	open_session(d, RACK_0_SLOT_2, "03c0");
}

static void with_row(struct desk *d, uint32_t lo, uint32_t hi)
{
	desk_empty(d);
	codes(d, lo, hi);
	ready(d);
}

/* Judges the request under a row that names exactly its code, and under one that names all
 * others. */
static void by_code(uint32_t service, const char *parameters, const char *data, const char *answer,
		    const char *answer_data)
{
	struct desk d;

	with_row(&d, service, service);
	if (job(&d, 2, parameters, data) != R_ALLOWED)
		fail_msg("%06x refused: %d", service, d.p.reason);
	assert_true(d.p.function == service && d.p.line == 100);
	assert_int_equal(job(&d, 2, parameters, ""), data[0] == '\0' ? R_ALLOWED : R_S7COMM_FRAME);
	ready(&d);
	assert_int_equal(job(&d, 2, parameters, data), R_ALLOWED);
	/* the answer has the number of another request */
	assert_int_equal(reply(&d, 3, answer, answer_data), R_S7COMM_RESPONSE);
	if (reply(&d, 2, answer, answer_data) != R_ALLOWED)
		fail_msg("%06x: its answer is refused: %d", service, d.p.reason);
	assert_true(d.p.function == service && d.p.line == 100);
	assert_int_equal(reply(&d, 2, answer, answer_data), R_S7COMM_RESPONSE); /* once more */

	desk_empty(&d);
	codes(&d, 0, service - 1);
	codes(&d, service + 1, UINT32_MAX);
	ready(&d);
	assert_int_equal(job(&d, 2, parameters, data),
			 service == S7_FUNCTION(S7_SETUP) ? R_ALLOWED : R_S7COMM_FUNCTION);
	assert_true(d.p.function == service);
}

static void jobs(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N(forms); i++)
		by_code(forms[i].service, forms[i].parameters, forms[i].data, forms[i].answer, forms[i].answer_data);
}

/* Each form one byte shorter and longer, in its parameters and in its data. */
static void forms_of_other_lengths(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N(forms); i++)
		for (int part = 0; part < 2; part++)
			for (int more = -2; more <= 2; more++) {
				struct made p = { .n = 0 }, data = { .n = 0 }, *changed = part ? &data : &p;
				struct desk d;
				enum reason r;

				put_hex(&p, forms[i].parameters);
				put_hex(&data, forms[i].data);
				if (more < 0 && changed->n < (size_t)-more)
					continue;
				memset(changed->b + changed->n, 0, 2);
				changed->n = (size_t)((int)changed->n + more);
				desk_whole(&d);
				ready(&d);
				r = tell(&d, DIR_C2S, message(1, 2, &p, &data));
				if (r != (more == 0 ? R_ALLOWED : R_S7COMM_FRAME))
					fail_msg("%06x, %s %+d: %d", forms[i].service, part ? "data" : "parameters",
						 more, r);
			}
}

/* All 256 functions of jobs: a function without a known form is allowed by its code alone, and by
 * no row that limits addresses or values. */
static void unknown_functions(void **unused)
{
	struct desk d;
	char text[8];

	(void)unused;
	for (unsigned f = 0; f < 256; f++) {
		const struct function_info *known = function_by_code(&vocabulary_s7comm, S7_FUNCTION(f));

		if (known != NULL)
			continue;
		snprintf(text, sizeof(text), "%02x", f);
		with_row(&d, S7_FUNCTION(f), S7_FUNCTION(f));
		assert_int_equal(job(&d, 2, text, ""), R_ALLOWED);
		assert_int_equal(job(&d, 3, text, "0011"), R_ALLOWED);
		desk_place(&d, &d.rows[0], S7_FLAGS, 0, 8);
		assert_int_equal(job(&d, 4, text, ""), R_S7COMM_ADDRESS);
		d.rows[0].spaces_any = true;
		d.rows[0].values = desk_range(&d, 0, UINT32_MAX);
		assert_int_equal(job(&d, 5, text, ""), R_S7COMM_VALUE);
	}
}

static void all_userdata(void **unused)
{
	struct desk d;

	(void)unused;
	desk_empty(&d);
	codes(&d, 0, 0);
	for (unsigned group = 0; group < 64; group++)
		for (unsigned sub = 0; sub < 256; sub++) {
			const uint32_t code = S7_SUB(group, sub);
			char ask[32], answer[40], push[40];

			d.ranges[0] = (struct number_range){ code, code };
			ready(&d);
			snprintf(ask, sizeof(ask), "000112 04 11 %02x %02x 00", 0x40 | group, sub);
			snprintf(answer, sizeof(answer), "000112 08 12 %02x %02x 01 00 00 0000", 0x80 | group, sub);
			snprintf(push, sizeof(push), "000112 08 12 %02x %02x 01 00 00 0000", group, sub);
			assert_int_equal(userdata(&d, DIR_C2S, 2, ask, "0a000000"), R_ALLOWED);
			assert_true(d.p.function == code);
			assert_int_equal(userdata(&d, DIR_S2C, 3, answer, "0a000000"), R_S7COMM_RESPONSE);
			assert_int_equal(userdata(&d, DIR_S2C, 2, answer, "0a000000"), R_ALLOWED);
			assert_int_equal(userdata(&d, DIR_S2C, 2, answer, "0a000000"), R_S7COMM_RESPONSE);
			d.ranges[0] = (struct number_range){ code + 1, code + 1 };
			assert_int_equal(userdata(&d, DIR_C2S, 2, ask, "0a000000"), R_S7COMM_FUNCTION);
			/* A client does not answer, and a server asks only to send a block. */
			assert_int_equal(userdata(&d, DIR_C2S, 2, answer, "0a000000"), R_S7COMM_RESPONSE);
			assert_int_equal(userdata(&d, DIR_S2C, 2, ask, "0a000000"),
					 group == S7_PBC ? R_S7COMM_FUNCTION : R_S7COMM_RESPONSE);
		}
}

/* The parameters of userdata have eight or twelve bytes, and the length inside says which. */
static void userdata_lengths(void **unused)
{
	static const struct {
		const char *parameters, *data;
		enum reason r;
	} all[] = {
		{ "000112 04 11 44 01 00", "ff090004 00110000", R_ALLOWED },
		{ "000112 04 11 44 01 00", "ff090003 00110000", R_S7COMM_FRAME },
		{ "000112 04 11 44 01 00", "ff090005 00110000", R_S7COMM_FRAME },
		{ "000112 04 11 44 01 00", "ff0900", R_S7COMM_FRAME },
		{ "000112 04 11 44 01 00", "", R_S7COMM_FRAME },
		{ "000112 04 11 44 01", "0a000000", R_S7COMM_FRAME },
		{ "000112 04 11 44 01 0000", "0a000000", R_S7COMM_FRAME },
		{ "000112 04 12 44 01 00", "0a000000", R_S7COMM_FRAME },
		{ "000112 08 12 44 01 00 0000 0000", "0a000000", R_ALLOWED },
		{ "000112 08 11 44 01 00 0000 0000", "0a000000", R_S7COMM_FRAME },
		{ "000112 08 12 44 01 00 0002 0000", "0a000000", R_S7COMM_FRAME },
		{ "000112 08 12 44 01 00 0000 00", "0a000000", R_S7COMM_FRAME },
		{ "000112 04 11 44 01 00 0000 0000", "0a000000", R_S7COMM_FRAME },
		{ "000112 08 12 44 01 00", "0a000000", R_S7COMM_FRAME },
		{ "000113 04 11 44 01 00", "0a000000", R_S7COMM_FRAME },
		{ "010112 04 11 44 01 00", "0a000000", R_S7COMM_FRAME },
		{ "000112 04 11 c4 01 00", "0a000000", R_S7COMM_FRAME },
		{ "", "", R_S7COMM_FRAME },
	};
	struct desk d;

	(void)unused;
	desk_whole(&d);
	for (size_t i = 0; i < N(all); i++) {
		ready(&d);
		if (userdata(&d, DIR_C2S, 2, all[i].parameters, all[i].data) != all[i].r)
			fail_msg("%s / %s: %d", all[i].parameters, all[i].data, d.p.reason);
	}
}

/* The lengths in the header are compared with the bytes: 0, 1, -2 to +2, the largest; for every
 * kind. */
static void headers(void **unused)
{
	static const unsigned others[] = { 0, 1, 0xffff };
	struct desk d;

	(void)unused;
	desk_whole(&d);
	for (unsigned field = 6; field <= 8; field += 2)
		for (int more = -2; more <= 5; more++) {
			struct made m = message_hex(1, 2, "0501 120a10020002000083000050", "00040010 2a2b");
			unsigned was = (unsigned)(m.b[field] << 8 | m.b[field + 1]);
			unsigned is = more <= 2 ? was + (unsigned)more : others[more - 3];

			m.b[field] = (uint8_t)(is >> 8);
			m.b[field + 1] = (uint8_t)is;
			ready(&d);
			assert_int_equal(tell(&d, DIR_C2S, m), is == was ? R_ALLOWED : R_S7COMM_FRAME);
		}
	for (unsigned kind = 0; kind < 256; kind++) {
		struct made m = message_hex(kind, 2, "04", "");
		enum reason want = kind == 1		    ? R_S7COMM_FRAME
				   : kind == 2 || kind == 3 ? R_S7COMM_RESPONSE
							    : R_S7COMM_FRAME;

		ready(&d);
		assert_int_equal(tell(&d, DIR_C2S, m), want);
		assert_false(d.p.allowed);
	}
	for (unsigned protocol = 0; protocol < 256; protocol++) {
		struct made m = message_hex(1, 2, "0401 120a10020008000083000050", "");

		m.b[0] = (uint8_t)protocol;
		ready(&d);
		assert_int_equal(tell(&d, DIR_C2S, m), protocol == 0x32	  ? R_ALLOWED
						       : protocol == 0x72 ? R_S7COMM_PLUS
									  : R_S7COMM_FRAME);
	}
	for (size_t n = 1; n < 11; n++) { /* shorter than any header */
		struct made m = message_hex(1, 2, "04", "");

		m.n = n;
		ready(&d);
		assert_int_equal(tell(&d, DIR_C2S, m), R_S7COMM_FRAME);
		ready(&d);
		assert_int_equal(tell(&d, DIR_S2C, m), R_S7COMM_FRAME);
	}
}

/* A PI service with unknown arguments is covered by no word. */
static void pi_services(void **unused)
{
	static const char *const other[] = {
		/* as long as the name of a start: snap7's server goes by the length */
		"28 000000000000 fd 0004 20202020 05 5f47415242",
		/* the name of a start inside: python-snap7's server searches for it */
		"28 000000000000 fd 0009 505f50524f4752414d 05 5f494e5345",
		/* two blocks, one name */
		"28 000000000000 fd 000a 0200 3041303030303150 05 5f494e5345",
		"28 000000000000 fd 0009 0100 30413030303031 05 5f494e5345",
		"28 000000000000 fd 0000 05 5f494e5345",
		"28 000000000000 fd 0002 4552 05 5f4d4f4455",
		"28 000000000000 fd 0003 432020 09 505f50524f4752414d",
		"28 000000000000 fd 0000 04 5f494e53",
		"28 000000000000 fd 0000 0a 505f50524f4752414d20",
	};
	struct desk d;

	(void)unused;
	for (size_t i = 0; i < N(other); i++) {
		with_row(&d, S7_FUNCTION(S7_PI) + 1, S7_FUNCTION(S7_PI) + 0xff);
		assert_int_equal(job(&d, 2, other[i], ""), R_S7COMM_FUNCTION);
		with_row(&d, S7_FUNCTION(S7_PI), S7_FUNCTION(S7_PI));
		assert_int_equal(job(&d, 2, other[i], ""), R_ALLOWED);
	}
	assert_int_equal(job(&d, 2, "28 010000000000 fd 0000 05 5f47415242", ""), R_S7COMM_FRAME);
	assert_int_equal(job(&d, 2, "28 000000000000 fc 0000 05 5f47415242", ""), R_S7COMM_FRAME);
	assert_int_equal(job(&d, 2, "29 0000000000 08 505f50524f475241", ""), R_S7COMM_FRAME);
}

/* Names are unique, and codes are sorted and do not overlap, so that the tables of policies can be
 * built from them. */
static void the_words(void **unused)
{
	const struct vocabulary *v = &vocabulary_s7comm;

	(void)unused;
	for (unsigned i = 0; i < v->n_functions; i++) {
		assert_true(v->functions[i].code <= v->functions[i].last);
		assert_true(i == 0 || v->functions[i].code > v->functions[i - 1].last);
		assert_ptr_equal(function_by_name(v, v->functions[i].name), &v->functions[i]);
		assert_true(v->functions[i].code >= v->code_first && v->functions[i].last <= v->code_last);
	}
	assert_int_equal(function_by_name(v, "plc_stop")->classes, CLASS_CONTROL);
	assert_int_equal(function_by_name(v, "write_var")->classes, CLASS_WRITE);
	assert_int_equal(function_by_name(v, "set_clock")->classes, CLASS_CONTROL);
	assert_int_equal(function_by_name(v, "connect")->classes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs),
		cmocka_unit_test(forms_of_other_lengths),
		cmocka_unit_test(unknown_functions),
		cmocka_unit_test(all_userdata),
		cmocka_unit_test(userdata_lengths),
		cmocka_unit_test(headers),
		cmocka_unit_test(pi_services),
		cmocka_unit_test(the_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
