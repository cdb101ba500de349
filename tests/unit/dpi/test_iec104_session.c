/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IEC 60870-5-104 enforcer: start, stop and test of a session, numbers, which confirmations fit
 * an open command, files, sessions met half-way, commands inside an APDU.
 * LINK: $(COMMANDS_PARTS) dpi/iec104/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/iec104_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))
#define READS "66 01 0500 0100 010000"
#define MEASURED "0d 01 0300 0100 010000 00000000 00"
#define INTERROGATES "64 01 0600 0100 000000 14"

/* ---- sessions -------------------------------------------------------------------------------- */

/* Each step is a frame: who sends it, and whether it passes. says: the function of a U frame, 0 =
 * an I frame. */
static void transfer_is_started_and_stopped(void **state)
{
	static const struct {
		uint8_t says; /* 0: data */
		bool server, passes;
	} steps[] = {
		{ 0, false, false },
		{ 0, true, false },
		{ IEC104_STARTDT_CON, true, false }, /* nobody asked */
		{ IEC104_STARTDT_ACT, true, false }, /* a server does not ask */
		{ IEC104_STARTDT_CON, false, false },
		{ IEC104_TESTFR_CON, false, false },
		{ IEC104_TESTFR_ACT, false, true },
		{ IEC104_TESTFR_CON, false, false },
		{ IEC104_TESTFR_CON, true, true },
		{ IEC104_TESTFR_CON, true, false },
		{ IEC104_TESTFR_ACT, true, true },
		{ IEC104_TESTFR_CON, false, true },
		{ IEC104_STOPDT_CON, true, true }, /* data transfer is stopped already */
		{ IEC104_STARTDT_ACT, false, true },
		{ 0, true, false },
		{ 0, false, true },
		{ IEC104_STARTDT_CON, true, true },
		{ 0, true, true },
		{ 0, false, true },
		{ IEC104_STARTDT_ACT, false, true }, /* once more */
		{ IEC104_STARTDT_CON, true, true },
		{ 0, true, true },
		{ IEC104_STOPDT_ACT, true, false },
		{ IEC104_STOPDT_CON, true, false },
		{ IEC104_STOPDT_ACT, false, true },
		{ 0, false, false },
		{ 0, true, true }, /* a frame that was still under way */
		{ IEC104_STOPDT_CON, true, true },
		{ 0, true, false },
		{ 0, false, false },
		{ IEC104_STARTDT_ACT, false, true },
		{ IEC104_STARTDT_CON, true, true },
		{ 0, true, true },
	};
	struct desk d;

	(void)state;
	open_desk(&d);
	desk_reset(&d);
	for (size_t k = 0; k < N(steps); k++) {
		enum direction dir = steps[k].server ? DIR_S2C : DIR_C2S;

		if (steps[k].says != 0)
			judge(&d, dir, u_frame(steps[k].says));
		else
			say(&d, dir, steps[k].server ? MEASURED : READS);
		if (d.p.reason != (steps[k].passes ? R_ALLOWED : R_IEC104_SESSION) || d.p.allowed != steps[k].passes)
			fail_msg("step %zu: %d", k, d.p.reason);
		if (steps[k].says != 0)
			assert_int_equal(d.p.function, IEC104_SAYS(steps[k].says));
	}
}

/* Frames of the session need no word in a row: a client with any row for the device may send
 * them. */
static void sessions_need_no_word(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d)->services = desk_range(&d, 102, 102);
	d.rows[0].targets[IEC104_CA] = desk_range(&d, 7, 7);
	start(&d);
	assert_true(judge(&d, DIR_C2S, u_frame(IEC104_TESTFR_ACT))->allowed);
	assert_true(judge(&d, DIR_C2S, s_frame(0))->allowed);
}

/* N(S) of each end increases by one, also across 2^15. N(R) never acknowledges more than was sent,
 * and never decreases. */
static void numbers_follow(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	for (unsigned k = 0; k < 70000; k++) {
		enum direction dir = k % 3 ? DIR_S2C : DIR_C2S;

		say(&d, dir, dir == DIR_S2C ? MEASURED : READS);
		if (!d.p.allowed)
			fail_msg("%u: %d", k, d.p.reason);
	}
	for (int off = -3; off <= 3; off++)
		for (int back = -4; back <= 3; back++) {
			uint16_t ns = 3, acked = 2;

			open_desk(&d);
			for (unsigned k = 0; k < 3; k++) {
				ask(&d, READS);
				tell(&d, MEASURED);
			}
			/* the client has acknowledged 2 of 3 */
			judge(&d, DIR_C2S,
			      i_frame((uint16_t)(ns + off) & 0x7fff, (uint16_t)(3 + back) & 0x7fff, READS));
			assert_int_equal(d.p.reason,
					 off == 0 && 3 + back >= acked && 3 + back <= 3 ? R_ALLOWED : R_IEC104_NUMBER);
			judge(&d, DIR_C2S, s_frame((uint16_t)(3 + back) & 0x7fff));
			assert_int_equal(d.p.allowed, 3 + back >= acked && 3 + back <= 3);
		}
	open_desk(&d);
	assert_int_equal(judge(&d, DIR_S2C, i_frame(1, 0, MEASURED))->reason, R_IEC104_NUMBER);
	assert_int_equal(judge(&d, DIR_S2C, s_frame(1))->reason, R_IEC104_NUMBER);
}

/* At most 32767 frames may be unacknowledged. */
static void windows_end(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	for (unsigned k = 0; k < 32767; k++)
		assert_true(judge(&d, DIR_S2C, i_frame((uint16_t)k, 0, MEASURED))->allowed);
	assert_int_equal(judge(&d, DIR_S2C, i_frame(32767, 0, MEASURED))->reason, R_IEC104_NUMBER);
}

/* In a session met half-way the first number of each end is accepted as it is; the later ones have
 * to follow it. */
static void half_way_the_first_numbers_count(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	desk_reset(&d);
	pending_missed(&iec104_enforcer, d.state, false);
	assert_true(judge(&d, DIR_C2S, u_frame(IEC104_TESTFR_CON))->allowed);
	assert_true(judge(&d, DIR_C2S, i_frame(777, 31000, READS))->allowed);
	assert_true(judge(&d, DIR_C2S, i_frame(778, 31000, READS))->allowed);
	assert_true(judge(&d, DIR_S2C, i_frame(31001, 700, MEASURED))->allowed);
	assert_true(judge(&d, DIR_S2C, s_frame(779))->allowed);
	assert_int_equal(judge(&d, DIR_S2C, s_frame(780))->reason, R_IEC104_NUMBER);
	assert_int_equal(judge(&d, DIR_S2C, i_frame(31003, 779, MEASURED))->reason, R_IEC104_NUMBER);
	assert_true(judge(&d, DIR_S2C, i_frame(31004, 779, MEASURED))->allowed);
	assert_int_equal(judge(&d, DIR_C2S, i_frame(777, 31000, READS))->reason, R_IEC104_NUMBER);
	/* a command from before may be confirmed */
	assert_int_equal(judge(&d, DIR_S2C, i_frame(31005, 778, "2d 01 0700 0100 010000 01"))->reason, R_IEC104_UNSEEN);
	assert_true(d.p.allowed);
	open_desk(&d);
	pending_missed(&iec104_enforcer, d.state, true);
	assert_int_equal(judge(&d, DIR_S2C, i_frame(0, 0, "2d 01 0700 0100 010000 01"))->reason, R_IEC104_UNREAD);
	assert_false(d.p.allowed);
}

/* ---- confirmations --------------------------------------------------------------------------- */

/* A confirmation has the type, station and object of its command, and a fitting cause. Each comes
 * once; the termination may come after the confirmation or without it. */
static void confirmations_belong_to_their_commands(void **state)
{
	static const struct {
		const char *asks, *tells[4];
		const char *passes; /* + or - each */
	} cases[] = {
		{ "2d 01 0600 0100 010000 01",
		  { "2d 01 0700 0100 010000 01", "2d 01 0700 0100 010000 01", "2d 01 0a00 0100 010000 01",
		    "2d 01 0a00 0100 010000 01" },
		  "+-+-" },
		{ "2d 01 0600 0100 010000 01", { "2d 01 0a00 0100 010000 01", "2d 01 0700 0100 010000 01" }, "+-" },
		{ "2d 01 0600 0100 010000 01", { "2d 01 4700 0100 010000 01", "2d 01 0a00 0100 010000 01" }, "+-" },
		{ "2d 01 0600 0100 010000 01", { "2d 01 6f00 0100 010000 01", "2d 01 0700 0100 010000 01" }, "+-" },
		{ "2d 01 0600 0100 010000 01",
		  { "2d 01 0700 0200 010000 01", "2d 01 0700 0100 020000 01", "2e 01 0700 0100 010000 01",
		    "2d 01 0700 0100 010000 01" },
		  "---+" },
		{ "2d 01 0600 0100 010000 01",
		  { "2d 01 0900 0100 010000 01", "2d 01 0600 0100 010000 01", "2d 01 0300 0100 010000 01",
		    "2d 01 0700 0100 010000 01" },
		  "---+" },
		{ "2d 01 0800 0100 010000 01",
		  { "2d 01 0700 0100 010000 01", "2d 01 0900 0100 010000 01", "2d 01 0900 0100 010000 01" },
		  "-+-" },
		{ "64 01 0600 ffff 000000 14",
		  { "64 01 0700 0100 000000 14", "64 01 0700 0200 000000 14", "64 01 0a00 0100 000000 14",
		    "65 01 0700 0100 000000 14" },
		  "+++-" },
		{ "65 01 0600 0100 000000 45", { "65 01 0700 0100 000000 45", "65 01 0a00 0100 000000 45" }, "++" },
		{ "66 01 0500 0100 010000",
		  { "66 01 0500 0100 010000", "66 01 6f00 0100 010000", "66 01 6f00 0100 010000" },
		  "-+-" },
		{ "66 01 0500 0100 010000", { "66 01 4700 0100 010000", "66 01 6f00 0100 010000" }, "+-" },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		open_desk(&d);
		for (size_t i = 0; i < 4; i++) /* before anybody asked */
			if (cases[k].tells[i] != NULL)
				assert_false(tell(&d, cases[k].tells[i])->allowed);
		assert_true(ask(&d, cases[k].asks)->allowed);
		for (size_t i = 0; cases[k].passes[i] != '\0'; i++) {
			tell(&d, cases[k].tells[i]);
			if (d.p.allowed != (cases[k].passes[i] == '+'))
				fail_msg("%s: %s: %d", cases[k].asks, cases[k].tells[i], d.p.reason);
		}
	}
}

/* The confirmation of a refused command is refused for the same reason. */
static void what_was_refused_is_not_confirmed(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d)->services = desk_range(&d, 102, 102);
	start(&d);
	assert_int_equal(ask(&d, "2d 01 0600 0100 010000 01")->reason, R_IEC104_FUNCTION);
	assert_int_equal(tell(&d, "2d 01 0700 0100 010000 01")->reason, R_IEC104_FUNCTION);
}

/* Only a limited number of commands may wait; a confirmation makes room. */
static void commands_wait(void **state)
{
	char asdu[64];
	struct desk d;

	(void)state;
	open_desk(&d);
	for (unsigned k = 0; k < IEC104_OPEN_MAX; k++) {
		snprintf(asdu, sizeof(asdu), "2d 01 0600 0100 %02x0000 01", k);
		assert_true(ask(&d, asdu)->allowed);
	}
	assert_int_equal(ask(&d, "2d 01 0600 0100 ff0000 01")->reason, R_IEC104_PENDING);
	assert_true(tell(&d, "2d 01 0700 0100 050000 01")->allowed);
	assert_true(ask(&d, "2d 01 0600 0100 ff0000 01")->allowed);
	assert_true(tell(&d, "2d 01 0700 0100 ff0000 01")->allowed);
	assert_int_equal(pending_state_used(&iec104_enforcer, d.state) <= ENFORCER_STATE_MAX, true);
}

/* Years of interrogations, each of which ends: no open interrogation is forgotten because of
 * another one. */
static void polls_go_on(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	for (unsigned k = 0; k < 5000; k++) {
		assert_true(ask(&d, INTERROGATES)->allowed);
		assert_true(tell(&d, "64 01 0700 0100 000000 14")->allowed);
		assert_true(tell(&d, "01 82 1400 0100 010000 01 00")->allowed);
		if (k % 7 != 0) /* some stations leave the confirmation out */
			assert_true(tell(&d, "64 01 0a00 0100 000000 14")->allowed);
		assert_true(ask(&d, READS)->allowed);
		assert_true(tell(&d, "0d 01 0500 0100 010000 00000000 00")->allowed);
	}
}

/* What a station sends without being asked: every cause, from one station. */
static void monitored_data_have_causes(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned cause = 0; cause < 256; cause++) {
		unsigned c = cause & 0x3f;
		bool fits = (c >= 1 && c <= 5) || (c >= 11 && c <= 13) || (c >= 20 && c <= 41);
		struct apdu a = i_frame(0, 0, MEASURED);

		open_desk(&d);
		a.p[8] = (uint8_t)cause;
		judge(&d, DIR_S2C, a);
		assert_int_equal(d.p.reason, fits ? R_ALLOWED : R_IEC104_FRAME);
	}
	open_desk(&d);
	assert_int_equal(tell(&d, "0d 01 0300 0000 010000 00000000 00")->reason, R_IEC104_FRAME);
	assert_int_equal(tell(&d, "0d 01 0300 ffff 010000 00000000 00")->reason, R_IEC104_FRAME);
	/* a parameter, interrogated */
	assert_true(tell(&d, "6e 01 1400 0100 010000 0000 01")->allowed);
	assert_int_equal(tell(&d, "6e 01 0300 0100 010000 0000 01")->reason, R_IEC104_RESPONSE);
}

/* A file may be sent when it was requested, and by the station that was asked. */
static void files_are_asked_for(void **state)
{
	static const char ready[] = "78 01 0d00 0100 010000 0100 100000 00";
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_int_equal(tell(&d, ready)->reason, R_IEC104_RESPONSE);
	assert_true(ask(&d, "7a 01 0d00 0100 010000 0100 00 01")->allowed);
	assert_true(tell(&d, ready)->allowed);
	assert_true(tell(&d, "7d 01 0d00 0100 010000 0100 01 02 aabb")->allowed);
	assert_false(tell(&d, "78 01 0d00 0200 010000 0100 100000 00")->allowed);
	assert_int_equal(tell(&d, "7a 01 0d00 0100 010000 0100 00 01")->reason, R_IEC104_RESPONSE);
	assert_true(tell(&d, "7e 01 0300 0100 010000 0100 100000 00 00000000000000")->allowed);
	open_desk(&d)->services = desk_range(&d, 100, 102);
	start(&d);
	assert_int_equal(ask(&d, "7a 01 0d00 0100 010000 0100 00 01")->reason, R_IEC104_FUNCTION);
	assert_int_equal(tell(&d, ready)->reason, R_IEC104_RESPONSE);
}

/* ---- inside ---------------------------------------------------------------------------------- */

static bool segment(struct desk *d, const struct apdu *parts, size_t n)
{
	uint8_t b[4 * IEC104_PDU_MAX];
	struct pdu p = { .dir = DIR_C2S };
	size_t len = 0;
	bool passes;

	for (size_t k = 0; k < n; k++) {
		memcpy(b + len, parts[k].p, parts[k].n);
		len += parts[k].n;
	}
	passes = iec104_enforcer.segment(d->state, 0, 0, false, bytes_of(b, len), desk_by(d), &p);
	assert_true(passes || p.reason == R_IEC104_INSIDE);
	return passes;
}

/* A forbidden command hidden in the segment of a file, or in values across the end of an APDU, is
 * found. An allowed command, and bytes that only look like the beginning of a command, do no
 * harm. */
static void commands_inside_are_found(void **state)
{
	struct apdu parts[3];
	struct desk d;

	(void)state;
	open_desk(&d)->services = desk_ranges(&d, (uint32_t[]){ 63, 63, 102, 102, 120, 127 }, 3);
	start(&d);
	parts[0] = i_frame(0, 0, "7d 01 0d00 0100 010000 0100 01 10 680e 0000 0000 2d01 0600 0100 010000 01");
	assert_false(segment(&d, parts, 1));
	parts[0] = i_frame(0, 0, "7d 01 0d00 0100 010000 0100 01 0f 680d 0000 0000 6601 0500 0100 010000");
	assert_true(segment(&d, parts, 1));
	parts[0] = i_frame(0, 0, "7d 01 0d00 0100 010000 0100 01 10 680e 0000 0000 2d01 0600 0100 010000 ");
	parts[0].n--;
	parts[0].p[1]--;
	assert_true(segment(&d, parts, 1)); /* the inner command is not complete */
	/* the value, its qualifier and a time look like a header, the first bytes of the next APDU
	 * like the object */
	parts[0] = i_frame(0, 0, "3f 01 0600 0100 010000 680e0000 00 002d 01 06 01 01 00");
	parts[1] = i_frame(1, 0, READS);
	assert_true(segment(&d, parts, 1));
	assert_false(segment(&d, parts, 2));
	desk_whole(&d);
	assert_true(segment(&d, parts, 2));
}

/* Stations that begin with another number than 0, or skip one: where a service says so, or the
 * whole protocol is allowed. Clients have to count. */
static void stations_may_count_otherwise(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		open_desk(&d);
		if (k == 2)
			desk_whole(&d);
		start(&d);
		d.grants[0].lenient = k == 1 ? LENIENT_NUMBERING : 0;
		numbers[DIR_S2C] = 1;
		assert_int_equal(say(&d, DIR_S2C, MEASURED)->reason, k == 0 ? R_IEC104_NUMBER : R_ALLOWED);
		numbers[DIR_S2C] += 7;
		assert_int_equal(say(&d, DIR_S2C, MEASURED)->reason, k == 0 ? R_IEC104_NUMBER : R_ALLOWED);
		assert_true(judge(&d, DIR_C2S, s_frame(numbers[DIR_S2C]))->allowed);
		numbers[DIR_C2S]++;
		assert_int_equal(say(&d, DIR_C2S, READS)->reason, R_IEC104_NUMBER);
	}
}

/* A station may confirm a read before it sends the value. */
static void reads_may_be_confirmed(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_int_equal(tell(&d, "66 01 0700 0100 010000")->reason, R_IEC104_RESPONSE);
	assert_true(ask(&d, READS)->allowed);
	assert_int_equal(tell(&d, "66 01 0700 0100 020000")->reason, R_IEC104_RESPONSE);
	assert_true(tell(&d, "66 01 0700 0100 010000")->allowed);
	assert_true(tell(&d, "0d 01 0500 0100 010000 00000000 00")->allowed);
	assert_int_equal(tell(&d, "66 01 0700 0100 010000")->reason, R_IEC104_RESPONSE);
}

/* A station may send a private type that rows name, and no other. */
static void private_types_are_named(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d)->services = desk_range(&d, 136, 136);
	d.rows[0].targets[IEC104_CA] = desk_range(&d, 1, 1);
	start(&d);
	assert_int_equal(tell(&d, "89 01 0300 0100 010000 0102")->reason, R_IEC104_RESPONSE);
	assert_int_equal(tell(&d, "88 01 0300 0200 010000 0102")->reason, R_IEC104_RESPONSE);
	assert_true(tell(&d, "88 01 0300 0100 010000 0102")->allowed);
}

/* Commands with every N(S), N(R) and object address, in trains: none of these numbers is taken for
 * a command inside. */
static void numbers_are_no_commands(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d)->services = desk_range(&d, 45, 50);
	start(&d);
	for (unsigned ns = 0; ns < 32768; ns++) {
		struct apdu parts[3] = { i_frame((uint16_t)ns, 52, "2d 01 0609 6868 686868 01"),
					 i_frame((uint16_t)(ns + 1) & 0x7fff, (uint16_t)ns,
						 "30 01 0668 6868 686868 6868 68"),
					 i_frame((uint16_t)(ns + 2) & 0x7fff, 0x3434, "2d 01 0600 0100 010000 01") };

		if (!segment(&d, parts, 3))
			fail_msg("N(S) %u", ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transfer_is_started_and_stopped),
		cmocka_unit_test(sessions_need_no_word),
		cmocka_unit_test(numbers_follow),
		cmocka_unit_test(windows_end),
		cmocka_unit_test(half_way_the_first_numbers_count),
		cmocka_unit_test(confirmations_belong_to_their_commands),
		cmocka_unit_test(what_was_refused_is_not_confirmed),
		cmocka_unit_test(commands_wait),
		cmocka_unit_test(polls_go_on),
		cmocka_unit_test(monitored_data_have_causes),
		cmocka_unit_test(files_are_asked_for),
		cmocka_unit_test(commands_inside_are_found),
		cmocka_unit_test(numbers_are_no_commands),
		cmocka_unit_test(stations_may_count_otherwise),
		cmocka_unit_test(reads_may_be_confirmed),
		cmocka_unit_test(private_types_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
