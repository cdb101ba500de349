/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of DNP3: responses and their numbers, unsolicited responses and confirmations, select
 * before operate, datagrams, sessions met half-way, frames inside frames.
 * LINK: $(COMMANDS_PARTS) dpi/dnp3/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/dnp3_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))
#define CROB "0c 01 17 01 07 03 01 64000000 64000000 00"

/* ---- responses ------------------------------------------------------------------------------- */

/* A response has the number of a request, which only its repetitions share, and comes from the
 * requested outstation to the master that asked. */
static void responses_have_requests(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_int_equal(tell(&d, "c0 81 0000")->reason, R_DNP3_RESPONSE);
	for (unsigned asked = 0; asked < 16; asked++)
		for (unsigned told = 0; told < 16; told++) {
			char text[64];

			start(&d);
			snprintf(text, sizeof(text), "c%x 01 3c 02 06", asked);
			assert_true(ask(&d, text)->allowed);
			snprintf(text, sizeof(text), "c%x 81 0000 01 02 00 03 04 81 81", told);
			assert_int_equal(tell(&d, text)->reason, asked == told ? R_ALLOWED : R_DNP3_RESPONSE);
			assert_int_equal(d.p.function, asked == told ? 1001 : 129);
			assert_int_equal(tell(&d, text)->reason, asked == told ? R_ALLOWED : R_DNP3_RESPONSE);
		}
	for (unsigned k = 0; k < 3; k++) {
		struct wire f = hex("c0 81 0000"), w = segments(0x44, k == 1 ? 2 : 1, k == 2 ? 11 : 10, &f, 249, 0);

		start(&d);
		ask(&d, "c0 01 3c 02 06");
		assert_int_equal(judge(&d, DIR_S2C, &w)->reason, k == 0 ? R_ALLOWED : R_DNP3_RESPONSE);
	}
}

/* A request that needs an answer gets one; a request that needs none gets none. */
static void silent_functions_have_no_answer(void **state)
{
	static const struct {
		const char *fragment;
		bool due;
	} cases[] = {
		{ "c3 05 " CROB, true },
		{ "c3 06 " CROB, false },
		{ "c3 07 14 00 06", true },
		{ "c3 08 14 00 06", false },
		{ "c3 09 14 00 06", true },
		{ "c3 0a 14 00 06", false },
		{ "c3 0d", true },
		{ "c3 17", true },
		{ "c3 21 78 07 5b 01 0100 00", false },
		{ "c3 02 50 01 00 07 07 00", true },
	};
	struct wire f, w;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		open_desk(&d);
		assert_true(ask(&d, cases[k].fragment)->allowed);
		assert_int_equal(tell(&d, "c3 81 0000")->reason, cases[k].due ? R_ALLOWED : R_DNP3_RESPONSE);
	}
	open_desk(&d);
	f = hex("c3 0d");
	w = segments(0xc4, 0xffff, MASTER, &f, 249, 0);
	assert_true(judge(&d, DIR_C2S, &w)->allowed);
	assert_int_equal(tell(&d, "c3 81 0000")->reason, R_DNP3_RESPONSE);
}

/* A response of several fragments: FIR on the first, numbers that follow, FIN on the last. */
static void fragments_follow(void **state)
{
	static const struct {
		const char *told[3];
		enum reason second, third;
	} cases[] = {
		{ { "8e 81 0000", "0f 81 0000", "40 81 0000" }, R_ALLOWED, R_ALLOWED },
		{ { "8e 81 0000", "00 81 0000", "40 81 0000" }, R_DNP3_RESPONSE, R_DNP3_RESPONSE },
		{ { "8e 81 0000", "8f 81 0000", "4f 81 0000" }, R_DNP3_RESPONSE, R_ALLOWED },
		{ { "8e 81 0000", "4f 81 0000", "40 81 0000" }, R_ALLOWED, R_DNP3_RESPONSE },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		open_desk(&d);
		ask(&d, "ce 01 3c 02 06");
		assert_true(tell(&d, cases[k].told[0])->allowed);
		assert_int_equal(tell(&d, cases[k].told[1])->reason, cases[k].second);
		assert_int_equal(tell(&d, cases[k].told[2])->reason, cases[k].third);
	}
	open_desk(&d);
	ask(&d, "ce 01 3c 02 06");
	assert_int_equal(tell(&d, "4e 81 0000")->reason, R_DNP3_RESPONSE); /* not its first */
}

/* An outstation that hears no confirmation sends its last response again. Another one may not, nor
 * may it after another response, or under another policy. */
static void the_last_response_comes_again(void **state)
{
	struct wire f = hex("e0 81 0000"), other = segments(0x44, MASTER, OUTSTATION + 1u, &f, 249, 0);
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_true(ask(&d, "c0 01 3c 02 06")->allowed);
	assert_true(tell(&d, "e0 81 0000")->allowed);
	assert_true(tell(&d, "e0 81 0000")->allowed);
	assert_int_equal(judge(&d, DIR_S2C, &other)->reason, R_DNP3_RESPONSE);
	assert_true(ask(&d, "c0 00")->allowed);
	assert_true(ask(&d, "c1 01 3c 02 06")->allowed);
	assert_true(tell(&d, "e0 81 0000")->allowed);
	assert_true(tell(&d, "c1 81 0000")->allowed);
	assert_int_equal(tell(&d, "e0 81 0000")->reason, R_DNP3_RESPONSE);
	assert_true(tell(&d, "c1 81 0000")->allowed);
	d.table.digest[0]++;
	assert_true(ask(&d, "c2 01 3c 02 06")->allowed);
	assert_int_equal(tell(&d, "c1 81 0000")->reason, R_DNP3_RESPONSE);
}

/* A request to the self-address is answered by the outstation's own. */
static void any_outstation_answers_to_self(void **state)
{
	struct wire f = hex("c0 01 3c 02 06"), w = segments(0xc4, 0xfffc, MASTER, &f, 249, 0);
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_true(judge(&d, DIR_C2S, &w)->allowed);
	assert_true(tell(&d, "e0 81 0000")->allowed);
	f = hex("c0 00");
	w = segments(0xc4, 0xfffc, MASTER, &f, 249, 0);
	assert_true(judge(&d, DIR_C2S, &w)->allowed);
}

/* Two outstations behind one gateway: their frames mix, and each may repeat its last frame. */
static void frames_of_two_outstations_mix(void **state)
{
	static const char *const asks[] = { "c0 01 3c 02 06", "c1 01 3c 02 06" };
	struct wire parts[2][3], all = { .n = 0 };
	struct desk d;
	size_t n;

	(void)state;
	for (unsigned o = 0; o < 2; o++)
		for (unsigned k = 0; k < 3; k++) {
			const uint8_t said[][6] = { { 0x45, (uint8_t)(0xc0 + o), 0x81, 0, 0, 30 },
						    { 0x06, 2, 0x2a, 0, 0, 0 },
						    { 0x87, 0, 0, 1, 0, 0 } };

			parts[o][k] = (struct wire){ .n = 0 };
			put_frame(&parts[o][k], k == 2 ? 0x73 : 0x44, MASTER, (uint16_t)(OUTSTATION + o), said[k], 6);
		}
	open_desk(&d);
	for (unsigned o = 0; o < 2; o++) {
		struct wire f = hex(asks[o]), w = segments(0xc4, (uint16_t)(OUTSTATION + o), MASTER, &f, 249, 0);

		assert_true(judge(&d, DIR_C2S, &w)->allowed);
	}
	for (unsigned k = 0; k < 3; k++)
		for (unsigned o = 0; o < 2; o++) {
			memcpy(all.p + all.n, parts[o][k].p, parts[o][k].n);
			all.n += parts[o][k].n;
		}
	for (unsigned at = 0, k = 0; k < 6; k++) {
		assert_int_equal(dnp3_enforcer.frame(d.state, DIR_S2C, bytes_of(all.p + at, all.n - at), &n),
				 FRAME_WHOLE);
		assert_int_equal(n, parts[k % 2][k / 2].n);
		assert_int_equal(judge(&d, DIR_S2C, &parts[k % 2][k / 2])->reason, R_ALLOWED);
		at += (unsigned)n;
	}
	assert_true(judge(&d, DIR_S2C, &parts[0][2])->allowed); /* its link layer repeats it */
	assert_int_equal(judge(&d, DIR_S2C, &parts[0][1])->reason, R_DNP3_SESSION);
}

/* Which responses an outstation may send at all. */
static void responses_make_sense(void **state)
{
	static const struct {
		const char *told;
		enum reason reason;
	} cases[] = {
		{ "c0 81 0000", R_ALLOWED },
		{ "c0 81 00", R_DNP3_FRAME },
		{ "c0 81", R_DNP3_FRAME },
		{ "c0", R_DNP3_FRAME },
		{ "d0 81 0000", R_DNP3_FRAME }, /* UNS */
		{ "c0 82 0000", R_DNP3_FRAME },
		{ "f0 82 0000", R_ALLOWED },
		{ "d0 82 0000", R_ALLOWED },
		{ "70 82 0000", R_DNP3_FRAME },
		{ "b0 82 0000", R_DNP3_FRAME },
		{ "c0 84 0000", R_DNP3_FRAME },
		{ "c0 01 3c 02 06", R_DNP3_DIRECTION },
		{ "c0 05 " CROB, R_DNP3_DIRECTION },
		{ "c0 00", R_DNP3_DIRECTION },
		{ "c0 81 0000 1e 01 00 00 01 01 00000000 01 00000000", R_ALLOWED },
		{ "c0 81 0000 1e 01 00 00 01 01 00000000 01 000000", R_DNP3_FRAME },
		{ "c0 81 0000 1e 01 00 00 01 01 00000000 01 00000000 00", R_DNP3_FRAME },
		{ "c0 81 0000 1e 00 00 00 01 01 00000000 01 00000000", R_DNP3_FRAME },
		{ "c0 81 0000 01 01 00 00 09 ff 03", R_ALLOWED },
		{ "c0 81 0000 03 01 00 00 08 ff ff 03", R_ALLOWED },
		{ "c0 81 0000 03 01 00 00 08 ff ff", R_DNP3_FRAME },
		{ "c0 81 0000 33 01 07 01 112233445566 02 03 28 0100 0500 81 3412", R_ALLOWED },
		{ "c0 81 0000 00 fa 00 00 00 01 03 616263", R_ALLOWED },
		{ "c0 81 0000 00 fa 00 00 00 01 04 616263", R_DNP3_FRAME },
		{ "c0 81 0000 46 05 5b 01 0900 000000000000000041", R_ALLOWED },
		{ "c0 81 0000 6f 03 28 0100 0700 616263", R_ALLOWED },
		{ "c0 81 0000 fe 03 28 0100 0700 616263", R_DNP3_FRAME }, /* nobody knows its end */
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		open_desk(&d);
		ask(&d, "c0 01 3c 02 06");
		tell(&d, cases[k].told);
		if (d.p.reason != cases[k].reason || d.p.allowed != (cases[k].reason == R_ALLOWED))
			fail_msg("%s: %d", cases[k].told, d.p.reason);
	}
	for (unsigned iin = 0; iin < 256; iin++) {
		char text[32];

		open_desk(&d);
		ask(&d, "c0 01 3c 02 06");
		snprintf(text, sizeof(text), "c0 81 ff %02x", iin);
		assert_int_equal(tell(&d, text)->exception, (iin & 7) != 0);
	}
}

/* Every object of the standard is accepted with exactly its number of bytes, and with no other
 * number. */
static void every_object_has_its_length(void **state)
{
	/* by group, from variation 1 on; annex A of IEEE 1815 */
	static const struct {
		uint8_t group;
		const char *bytes;
	} groups[] = {
		{ 2, "\1\7\3" },
		{ 4, "\1\7\3" },
		{ 11, "\1\7" },
		{ 12, "\13\13" },
		{ 13, "\1\7" },
		{ 20, "\5\3\5\3\4\2\4\2" },
		{ 21, "\5\3\5\3\13\11\13\11\4\2\4\2" },
		{ 22, "\5\3\5\3\13\11\13\11" },
		{ 23, "\5\3\5\3\13\11\13\11" },
		{ 30, "\5\3\4\2\5\11" },
		{ 31, "\5\3\13\11\4\2\5\11" },
		{ 32, "\5\3\13\11\5\11\13\17" },
		{ 33, "\5\3\13\11\5\11\13\17" },
		{ 34, "\2\4\4" },
		{ 40, "\5\3\5\11" },
		{ 41, "\5\3\5\11" },
		{ 42, "\5\3\13\11\5\11\13\17" },
		{ 43, "\5\3\13\11\5\11\13\17" },
		{ 50, "\6\12\6\13" },
		{ 51, "\6\6" },
		{ 52, "\2\2" },
		{ 121, "\7" },
		{ 122, "\7\15" },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(groups); k++)
		for (unsigned v = 1; v < 16; v++)
			for (unsigned n = 0; n < 20; n++) {
				struct wire f = hex("c0 81 0000"), w;
				bool fits = v <= strlen(groups[k].bytes) && (unsigned)groups[k].bytes[v - 1] == n;

				memcpy(f.p + f.n, (uint8_t[]){ groups[k].group, (uint8_t)v, 0x28, 1, 0, 5, 0 }, 7);
				memset(f.p + f.n + 7, 0xff, n);
				f.n += 7 + n;
				open_desk(&d);
				ask(&d, "c0 01 3c 02 06");
				w = segments(0x44, MASTER, OUTSTATION, &f, 249, 0);
				if (judge(&d, DIR_S2C, &w)->allowed != fits)
					fail_msg("%u.%u of %u bytes: %d", groups[k].group, v, n, d.p.reason);
			}
}

/* ---- unsolicited, confirmations, the link ---------------------------------------------------- */

static void confirmations_are_of_what_was_told(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_int_equal(ask(&d, "c0 00")->reason, R_DNP3_SESSION);
	start(&d);
	assert_true(tell(&d, "f5 82 0000")->allowed); /* before anything is asked */
	assert_int_equal(ask(&d, "c5 00")->reason, R_DNP3_SESSION);
	assert_int_equal(ask(&d, "d6 00")->reason, R_DNP3_SESSION);
	assert_true(ask(&d, "d5 00")->allowed);
	assert_true(ask(&d, "d5 00")->allowed); /* a repeated confirmation does no harm */
	ask(&d, "c3 01 3c 02 06");
	assert_true(tell(&d, "e3 81 0000")->allowed);
	assert_true(ask(&d, "c3 00")->allowed);
	assert_true(ask(&d, "d5 00")->allowed);
	start(&d);
	tell(&d, "d5 82 0000"); /* asks for none */
	assert_int_equal(ask(&d, "d5 00")->reason, R_DNP3_SESSION);
	start(&d);
	for (unsigned k = 0; k < 9; k++) { /* all wait */
		char text[16];

		snprintf(text, sizeof(text), "f%x 82 0000", k);
		tell(&d, text);
	}
	assert_true(ask(&d, "d0 00")->allowed);
	assert_true(ask(&d, "d1 00")->allowed);
	assert_true(ask(&d, "d8 00")->allowed);
}

/* A confirmation and frames of the link layer need no word in a row, only a row for this
 * outstation. */
static void sessions_need_no_word(void **state)
{
	static const uint8_t says[] = { 0xc0, 0xd2, 0xc9, 0x80, 0x81, 0x8b, 0x8f };
	struct command_row *row;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(says); k++)
		for (unsigned other = 0; other < 2; other++) {
			struct wire w = { .n = 0 };

			row = open_desk(&d);
			row->services = desk_range(&d, 1, 1);
			row->targets[DNP3_OUTSTATION] = desk_range(&d, 10, 10);
			put_frame(&w, says[k], (uint16_t)(10 + other), 1, NULL, 0);
			assert_int_equal(judge(&d, DIR_C2S, &w)->reason, other ? R_DNP3_TARGET : R_ALLOWED);
			assert_int_equal(d.p.function, 9000 + ((says[k] & 0x40) != 0 ? 0 : 100) + (says[k] & 15));
			w = (struct wire){ .n = 0 };
			put_frame(&w, says[k] & 0x7fu, 1, 10, NULL, 0);
			assert_true(judge(&d, DIR_S2C, &w)->allowed);
		}
	row = open_desk(&d);
	row->services = desk_range(&d, 1, 1);
	tell(&d, "f5 82 0000");
	assert_true(ask(&d, "d5 00")->allowed);
}

/* Secure authentication that the outstation begins: a challenge, and its objects in a response. */
static void authentication_is_named(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	/* named in no row; by `authenticate` alone; also by its objects beside any function */
	for (unsigned named = 0; named < 3; named++) {
		row = open_desk(&d);
		row->services = named ? desk_ranges(&d, (uint32_t[]){ 1, 1, 5, 5, 32, 32, 6000, 6000 }, 2 + named)
				      : desk_range(&d, 1, 5);
		ask(&d, "c0 05 " CROB);
		assert_int_equal(tell(&d, "c0 83 0000 78 01 5b 01 0100 00")->reason,
				 named ? R_ALLOWED : R_DNP3_FUNCTION);
		assert_int_equal(ask(&d, "c0 20 78 02 5b 01 0100 00")->reason, named ? R_ALLOWED : R_DNP3_FUNCTION);
		if (named)
			assert_true(tell(&d, "c0 81 0000 " CROB)->allowed);
		start(&d);
		ask(&d, "c0 01 1e 00 06");
		assert_int_equal(tell(&d, "c0 81 0000 78 03 07 01 010203040506")->reason,
				 named ? R_ALLOWED : R_DNP3_FUNCTION);
	}
}

/* ---- select before operate ------------------------------------------------------------------- */

/* An OPERATE repeats every bit of its SELECT, with the next number and the same ends. */
static void operate_repeats_select(void **state)
{
	struct wire operate = hex("c4 04 " CROB), w;
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_int_equal(ask(&d, "c4 04 " CROB)->reason, R_DNP3_SELECT);
	for (size_t bit = 0; bit <= 8 * operate.n; bit++) {
		struct wire other = operate;

		if (bit < 8 * operate.n)
			other.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		start(&d);
		assert_true(ask(&d, "c3 03 " CROB)->allowed);
		tell(&d, "c3 81 0000 " CROB);
		w = segments(0xc4, OUTSTATION, MASTER, &other, 249, 0);
		judge(&d, DIR_C2S, &w);
		if (other.p[1] == 4 && d.p.allowed != (bit == 8 * operate.n))
			fail_msg("bit %zu: %d", bit, d.p.reason);
	}
	for (unsigned k = 0; k < 3; k++) {
		start(&d);
		ask(&d, "c3 03 " CROB);
		w = segments(0xc4, k == 1 ? 11 : 10, k == 2 ? 2 : 1, &operate, 249, 0);
		assert_int_equal(judge(&d, DIR_C2S, &w)->reason, k == 0 ? R_ALLOWED : R_DNP3_SELECT);
	}
	/* repeated, as it was */
	start(&d);
	ask(&d, "cf 03 " CROB);
	assert_true(ask(&d, "c0 04 " CROB)->allowed);
	assert_true(ask(&d, "c0 04 " CROB)->allowed);
	/* more objects, fewer objects, another request in between, a SELECT that was refused */
	start(&d);
	ask(&d, "c3 03 " CROB);
	assert_int_equal(ask(&d, "c4 04 " CROB " " CROB)->reason, R_DNP3_SELECT);
	start(&d);
	ask(&d, "c3 03 " CROB " " CROB);
	assert_int_equal(ask(&d, "c4 04 " CROB)->reason, R_DNP3_SELECT);
	start(&d);
	ask(&d, "c3 03 " CROB);
	ask(&d, "c3 03 29 02 17 01 07 0100 00");
	assert_int_equal(ask(&d, "c4 04 " CROB)->reason, R_DNP3_SELECT);
}

/* A SELECT that is longer than what the enforcer keeps may be sent, but no OPERATE for it. */
static void long_selects_stay_selects(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned n = 42; n <= 43; n++) {
		struct wire f = hex("c3 03 0c 01 17"), w;

		f.p[f.n++] = (uint8_t)n;
		for (unsigned i = 0; i < n; i++) {
			f.p[f.n++] = (uint8_t)i;
			put_hex(&f, "03 01 64000000 64000000 00");
		}
		open_desk(&d);
		w = segments(0xc4, OUTSTATION, MASTER, &f, 249, 0);
		assert_true(judge(&d, DIR_C2S, &w)->allowed);
		assert_true(pending_state_used(&dnp3_enforcer, d.state) <= dnp3_enforcer.state_size);
		f.p[0] = 0xc4;
		f.p[1] = 4;
		w = segments(0xc4, OUTSTATION, MASTER, &f, 249, 0);
		assert_int_equal(judge(&d, DIR_C2S, &w)->reason, n == 42 ? R_ALLOWED : R_DNP3_SELECT);
	}
}

/* ---- half-way, many, datagrams --------------------------------------------------------------- */

static void sessions_may_be_met_half_way(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned unread = 0; unread < 2; unread++) {
		open_desk(&d);
		pending_missed(&dnp3_enforcer, d.state, unread);
		assert_int_equal(tell(&d, "c7 81 0000")->reason, unread ? R_DNP3_UNREAD : R_DNP3_UNSEEN);
		assert_int_equal(d.p.allowed, !unread);
		assert_true(ask(&d, "c7 00")->allowed);
		/* an OPERATE whose SELECT was not seen */
		assert_true(ask(&d, "c4 04 " CROB)->allowed);
		assert_int_equal(ask(&d, "c4 04 " CROB)->reason, R_DNP3_SELECT);
	}
}

static void too_many_wait(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	for (unsigned k = 0; k < DNP3_OPEN_MAX; k++)
		assert_true(ask(&d, "c0 0d")->allowed);
	assert_int_equal(ask(&d, "c0 0d")->reason, R_DNP3_PENDING);
	/* the newest request with this number: older ones are forgotten */
	assert_true(tell(&d, "c0 81 0000")->allowed);
	assert_true(ask(&d, "c0 0d")->allowed);
	assert_true(ask(&d, "c0 0d")->allowed);
}

/* A response in several datagrams: its segments come in order, and from the same outstation. */
static void responses_in_datagrams(void **state)
{
	struct wire f = { .n = 600 }, w[3];
	struct desk d;

	(void)state;
	memcpy(f.p, (uint8_t[]){ 0xe0, 0x81, 0, 0, 30, 1, 1, 0, 0, 117, 0 }, 11);
	f.n = 11 + 118 * 5;
	for (unsigned k = 0; k < 3; k++) {
		uint8_t data[250] = { (uint8_t)(63 + k) };
		size_t part = f.n - 249 * k < 249 ? f.n - 249 * k : 249;

		data[0] = (uint8_t)((data[0] & 63) | (k == 0 ? 0x40 : 0) | (k == 2 ? 0x80 : 0));
		memcpy(data + 1, f.p + 249 * k, part);
		w[k] = (struct wire){ .n = 0 };
		put_frame(&w[k], 0x44, MASTER, OUTSTATION, data, part + 1);
	}
	for (unsigned order = 0; order < 5; order++) {
		open_desk(&d);
		dnp3_enforcer.begin(d.state, true, 20000);
		ask(&d, "c0 01 3c 02 06");
		assert_int_equal(judge(&d, DIR_S2C, &w[1])->reason, R_DNP3_SESSION);
		assert_true(judge(&d, DIR_S2C, &w[0])->allowed);
		if (order == 1)
			assert_int_equal(judge(&d, DIR_S2C, &w[2])->reason, R_DNP3_SESSION);
		assert_true(judge(&d, DIR_S2C, &w[1])->allowed);
		if (order == 2)
			assert_int_equal(judge(&d, DIR_S2C, &w[1])->reason, R_DNP3_SESSION);
		assert_true(judge(&d, DIR_S2C, &w[2])->allowed);
		assert_int_equal(judge(&d, DIR_S2C, &w[2])->reason, R_DNP3_SESSION);
		assert_true(ask(&d, "c0 00")->allowed);
	}
}

/* ---- frames inside frames -------------------------------------------------------------------- */

static enum reason refused(struct desk *d, const struct wire *w)
{
	const uint8_t *copy = exact_copy(w->p, w->n);
	struct pdu u = { .dir = DIR_C2S };
	bool may = dnp3_enforcer.segment(d->state, 0, 0, false, bytes_of(copy, w->n), desk_by(d), &u);

	exact_done(copy, w->n);
	return may ? R_ALLOWED : u.reason;
}

static bool passes(struct desk *d, const struct wire *w)
{
	enum reason r = refused(d, w);

	assert_true(r == R_ALLOWED || r == R_DNP3_INSIDE);
	return r == R_ALLOWED;
}

/* The first, a middle or the last segment, read without the others, is a restart, an allowed read,
 * or makes no sense. */
static void no_segment_is_a_request(void **state)
{
	static const struct {
		const char *segment;
		bool forbidden;
	} cases[] = {
		{ "c0 0d", true },	  { "c1 05 " CROB, true }, { "c0 01 1e 00 06", false }, { "00 0d", false },
		{ "c0 05 0c 01", false }, { "c0 0d 00", false },   { "c0 40 01", false },
	};
	struct command_row *row;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(cases); k++)
		for (unsigned place = 0; place < 5; place++) {
			struct wire w = { .n = 0 }, s = hex(cases[k].segment);
			static const uint8_t octets[] = { 0x40, 0x01, 0x81, 0xc0, 0x3f };
			uint8_t data[64] = { octets[place] };

			row = open_desk(&d);
			row->services = desk_range(&d, 1, 2);
			if (place == 1 || place == 2)
				put_frame(&w, 0xc4, 10, 1, (const uint8_t[]){ 0x40, 0xc0, 2, 110, 200 }, 5);
			memcpy(data + 1, s.p, s.n);
			put_frame(&w, 0xc4, 10, 1, data, s.n + 1);
			/* a whole fragment is judged by its own content */
			assert_int_equal(refused(&d, &w), cases[k].forbidden && place != 3 ? R_DNP3_CUT : R_ALLOWED);
			desk_whole(&d);
			assert_int_equal(refused(&d, &w), R_ALLOWED);
		}
}

/* Two segments of an allowed read in one datagram; the second alone would be a restart. */
static void datagrams_are_searched(void **state)
{
	struct wire w = hex("05640cc40a000100920f40c0011e001702e3c9056408c40a000100fc4281c00d4b13");
	struct command_row *row;
	struct desk d;

	(void)state;
	for (unsigned datagrams = 0; datagrams < 2; datagrams++) {
		struct pdu u = { .dir = DIR_C2S };

		row = open_desk(&d);
		row->services = desk_range(&d, 1, 1);
		dnp3_enforcer.begin(d.state, datagrams != 0, 20000);
		assert_int_equal(dnp3_enforcer.framed_else(d.state, true, bytes_of(w.p, w.n), desk_by(&d), &u),
				 /* over TCP the function `segment` searches the bytes */
				 !datagrams);
		assert_int_equal(u.reading, datagrams != 0);
		assert_int_equal(refused(&d, &w), R_DNP3_CUT);
	}
}

static void no_frame_is_inside_another(void **state)
{
	struct wire f, w, inner = request("c0 0d");
	struct desk d;

	(void)state;
	for (size_t lead = 0; lead < 40; lead++) {
		f = hex("c0 02 46 05 5b 01");
		f.p[f.n++] = (uint8_t)(lead + inner.n);
		f.p[f.n++] = 0;
		f.n += lead;
		memcpy(f.p + f.n, inner.p, inner.n);
		f.n += inner.n;
		w = segments(0xc4, OUTSTATION, MASTER, &f, 249, 0);
		open_desk(&d);
		/* a checksum inside the header breaks the frame, except where it is the header's
		 * own checksum: zeros in front do not change a checksum */
		assert_int_equal(passes(&d, &w), (lead + 9) % 16 > 6 && (lead + 9) % 16 != 8);
		desk_whole(&d);
		assert_true(passes(&d, &w));
	}
	open_desk(&d);
	w = request("c0 0d");
	memcpy(w.p + w.n, inner.p, inner.n); /* a frame behind another frame is not inside it */
	w.n += inner.n;
	assert_true(passes(&d, &w));
	f = hex("c0 02 46 05 5b 01 0a00");
	put_frame(&f, 0x44, 1, 10, (const uint8_t[]){ 0xc0, 0x81 }, 2); /* an outstation's */
	w = segments(0xc4, OUTSTATION, MASTER, &f, 249, 0);
	assert_true(passes(&d, &w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responses_have_requests),
		cmocka_unit_test(silent_functions_have_no_answer),
		cmocka_unit_test(fragments_follow),
		cmocka_unit_test(the_last_response_comes_again),
		cmocka_unit_test(any_outstation_answers_to_self),
		cmocka_unit_test(frames_of_two_outstations_mix),
		cmocka_unit_test(responses_make_sense),
		cmocka_unit_test(every_object_has_its_length),
		cmocka_unit_test(confirmations_are_of_what_was_told),
		cmocka_unit_test(sessions_need_no_word),
		cmocka_unit_test(authentication_is_named),
		cmocka_unit_test(operate_repeats_select),
		cmocka_unit_test(long_selects_stay_selects),
		cmocka_unit_test(sessions_may_be_met_half_way),
		cmocka_unit_test(too_many_wait),
		cmocka_unit_test(responses_in_datagrams),
		cmocka_unit_test(no_segment_is_a_request),
		cmocka_unit_test(datagrams_are_searched),
		cmocka_unit_test(no_frame_is_inside_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
