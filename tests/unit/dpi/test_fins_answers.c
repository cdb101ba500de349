/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FINS enforcer: which answers fit an open request, and how a session over TCP begins.
 * LINK: $(COMMANDS_PARTS) dpi/fins/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/fins_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))

static void whole(struct desk *d)
{
	desk_row(d);
	d->rows[0].targets[1] = desk_range(d, 0, 255);
	datagrams(d);
}

/* An answer has exactly the length that was asked for, and comes only once. */
static void reads_are_answered_in_full(void **state)
{
	static const struct {
		const char *asks;
		uint16_t command;
		size_t n;
	} reads[] = {
		{ "0101 82 0064 00 0001", 0x0101, 2 },
		{ "0101 82 0064 00 03e7", 0x0101, 1998 },
		{ "0101 30 0064 00 0003", 0x0101, 3 },
		{ "0101 f0 0064 00 0003", 0x0101, 12 },
		{ "0101 dc 0100 00 0003", 0x0101, 12 },
		{ "0104 82 0064 00 30 0000 05 f0 0000 00", 0x0104, 10 },
		{ "0701", 0x0701, 7 },
		{ "0620 01", 0x0620, 12 },
		{ "0801 0102030405", 0x0801, 5 },
		{ "230a 80 0000 00 0004", 0x230a, 14 },
		{ "0920 8001", 0x0920, 18 },
		{ "2210 0001", 0x2210, 258 },
		{ "0102 82 0064 00 0001 0000", 0x0102, 0 },
		{ "0401 ffff 04", 0x0401, 0 },
		{ "2301 0001 0001 30 0000 05", 0x2301, 0 },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(reads); k++)
		for (int off = -2; off <= 2; off++) {
			int n = (int)reads[k].n + off;

			if (n < 0 || n > 1998)
				continue;
			whole(&d);
			assert_true(ask(&d, 5, reads[k].asks)->allowed);
			tell(&d, 5, reads[k].command, 0, (size_t)n);
			if (d.p.reason != (off == 0 ? R_ALLOWED : R_FINS_RESPONSE))
				fail_msg("%s: %d: reason %d", reads[k].asks, n, d.p.reason);
			if (off == 0)
				assert_int_equal(tell(&d, 5, reads[k].command, 0, (size_t)n)->reason, R_FINS_RESPONSE);
		}
}

/* End codes: errors, which are shorter; the flag of a controller with an error of its own; and a
 * relay that could not forward the request. */
static void end_codes_are_told_apart(void **state)
{
	static const struct {
		uint16_t code;
		size_t n;
		bool fits, error;
	} ends[] = {
		{ 0x0000, 4, true, false }, { 0x0040, 4, true, false },	 { 0x0080, 4, true, false },
		{ 0x00c0, 4, true, false }, { 0x0040, 2, false, false }, { 0x0001, 0, true, true },
		{ 0x1103, 0, true, true },  { 0x1104, 2, true, true },	 { 0x1104, 4, true, true },
		{ 0x1104, 6, false, true }, { 0x8501, 2, true, true },	 { 0x8501, 4, false, true },
		{ 0x2140, 0, true, true },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(ends); k++) {
		whole(&d);
		assert_true(ask(&d, 5, "0101 82 0064 00 0002")->allowed);
		tell(&d, 5, 0x0101, ends[k].code, ends[k].n);
		if (d.p.allowed != ends[k].fits || d.p.exception != ends[k].error)
			fail_msg("%04x and %zu bytes: reason %d", ends[k].code, ends[k].n, d.p.reason);
		if (ends[k].fits) {
			assert_int_equal(d.p.function, 0x01010000);
			assert_int_equal(d.p.space, FINS_D);
			assert_int_equal(d.p.address, 100);
			assert_int_equal(d.p.quantity, 2);
		}
	}
}

/* Tries other numbers, command codes and addresses at each place of the header. */
static void answers_belong_to_their_requests(void **state)
{
	struct frame good = answer_of(5, 0x0101, 0, 4);
	struct desk d;

	(void)state;
	for (unsigned at = 0; at < 12; at++)
		for (unsigned v = 0; v < 256; v++) {
			struct frame f = good;
			bool same = v == good.p[at] || (at == 0 && (v & 0x7e) == 0x40) || (at == 2 && v <= 7);

			f.p[at] = (uint8_t)v;
			whole(&d);
			assert_true(ask(&d, 5, "0101 82 0064 00 0002")->allowed);
			/* The networks were 0, the local network, which has a number as well. */
			same = same || ((at == 3 || at == 6) && v < 128);
			if (desk_judge(&d, DIR_S2C, f.p, f.n)->allowed != same)
				fail_msg("byte %u is %02x: reason %d", at, v, d.p.reason);
		}
}

/* A node that was addressed as 0 answers with its number. With lenience any node may answer, also
 * as number 0. */
static void local_nodes_have_numbers(void **state)
{
	struct ends local = { { 0, 0, 0 }, { 0, 0, 0xef } };
	struct frame f = frame_of(0x80, local, 5, 0x0701), a;
	struct desk d;

	(void)state;
	a = frame_of(0xc0, (struct ends){ { 0, 251, 0xef }, { 0, 200, 0 } }, 5, 0x0701);
	put_hex(&a, "0000 26112809300006");
	whole(&d);
	assert_true(desk_judge(&d, DIR_C2S, f.p, f.n)->allowed);
	assert_true(desk_judge(&d, DIR_S2C, a.p, a.n)->allowed);
	a.p[8] = 1; /* another unit */
	assert_true(desk_judge(&d, DIR_C2S, f.p, f.n)->allowed);
	assert_int_equal(desk_judge(&d, DIR_S2C, a.p, a.n)->reason, R_FINS_RESPONSE);
	d.grants[0].lenient = LENIENT_UNIT;
	assert_true(desk_judge(&d, DIR_S2C, a.p, a.n)->allowed);
	assert_true(ask(&d, 7, "0701")->allowed);
	assert_int_equal(tell(&d, 0, 0x0701, 0, 7)->reason, R_FINS_RESPONSE);
	d.grants[0].lenient = LENIENT_TRANSACTION;
	assert_true(tell(&d, 0, 0x0701, 0, 7)->allowed);
}

/* A number is used again before the first request has its answer: each request gets one answer. */
static void numbers_may_come_again(void **state)
{
	struct desk d;

	(void)state;
	whole(&d);
	assert_true(ask(&d, 7, "0101 82 0000 00 0001")->allowed);
	assert_true(ask(&d, 7, "0101 82 0000 00 0002")->allowed);
	assert_true(ask(&d, 7, "0101 82 0005 00 0001")->allowed);
	assert_true(tell(&d, 7, 0x0101, 0, 4)->allowed);
	assert_int_equal(d.p.quantity, 2);
	assert_true(tell(&d, 7, 0x0101, 0, 2)->allowed);
	assert_int_equal(d.p.address, 0);
	assert_true(tell(&d, 7, 0x0101, 0, 2)->allowed);
	assert_int_equal(d.p.address, 5);
	assert_int_equal(tell(&d, 7, 0x0101, 0, 2)->reason, R_FINS_RESPONSE);
}

/* A command without an answer gets none; a reset may get one. */
static void silence_is_kept(void **state)
{
	struct frame f = request_of(1, "0102 82 0000 00 0001 0007");
	struct desk d;

	(void)state;
	f.p[0] = 0x81;
	whole(&d);
	assert_true(desk_judge(&d, DIR_C2S, f.p, f.n)->allowed);
	assert_int_equal(tell(&d, 1, 0x0102, 0, 0)->reason, R_FINS_RESPONSE);
	for (unsigned i = 0; i < 100; i++)
		assert_true(desk_judge(&d, DIR_C2S, f.p, f.n)->allowed);
	for (unsigned i = 0; i < 100; i++)
		assert_true(ask(&d, 2, "0403")->allowed);
	assert_true(tell(&d, 2, 0x0403, 0x2605, 0)->allowed);
}

static void sixteen_may_wait(void **state)
{
	struct desk d;

	(void)state;
	whole(&d);
	for (uint8_t i = 0; i < 16; i++)
		assert_true(ask(&d, i, "0701")->allowed);
	assert_int_equal(ask(&d, 16, "0701")->reason, R_FINS_PENDING);
	assert_true(tell(&d, 3, 0x0701, 0, 7)->allowed);
	assert_true(ask(&d, 16, "0701")->allowed);
	pending_clear(&fins_enforcer, d.state);
	assert_int_equal(tell(&d, 4, 0x0701, 0, 7)->reason, R_FINS_RESPONSE);
}

/* If refusals do not end the session, the answer to a refused request is refused for the same
 * reason. */
static void refused_ones_are_remembered(void **state)
{
	struct desk d;

	(void)state;
	only(&d, FINS_D, 0, 9);
	assert_int_equal(ask(&d, 1, "0101 82 0064 00 0001")->reason, R_FINS_ADDRESS);
	assert_int_equal(tell(&d, 1, 0x0101, 0, 2)->reason, R_FINS_ADDRESS);
	assert_int_equal(ask(&d, 1, "0101 82 0064 00 0000")->reason, R_FINS_FRAME);
	assert_int_equal(tell(&d, 1, 0x0101, 0x1100, 0)->reason, R_FINS_FRAME);
}

/* A PLC's requests to the client, and a client's answers, are refused. */
static void roles_stay_as_they_are(void **state)
{
	struct frame f = request_of(1, "0102 82 0000 00 0001 0007"), a = answer_of(1, 0x0102, 0, 0);
	struct desk d;

	(void)state;
	whole(&d);
	assert_int_equal(desk_judge(&d, DIR_S2C, f.p, f.n)->reason, R_ASKED_BACK);
	assert_int_equal(desk_judge(&d, DIR_C2S, a.p, a.n)->reason, R_FINS_RESPONSE);
	assert_true(ask(&d, 1, "0102 82 0000 00 0001 0007")->allowed);
	assert_int_equal(desk_judge(&d, DIR_C2S, a.p, a.n)->reason, R_FINS_RESPONSE);
	assert_true(desk_judge(&d, DIR_S2C, a.p, a.n)->allowed);
	/* The answer to a reset, which is not always answered, needs its request as well. */
	a = answer_of(1, 0x0403, 0, 0);
	assert_int_equal(desk_judge(&d, DIR_C2S, a.p, a.n)->reason, R_FINS_RESPONSE);
	assert_int_equal(tell(&d, 1, 0x0403, 0, 0)->reason, R_FINS_RESPONSE);
	assert_true(ask(&d, 2, "0403")->allowed);
	assert_true(tell(&d, 2, 0x0403, 0, 0)->allowed);
}

/* A session met half-way: an answer to an unseen request passes, unless it may be the answer to a
 * refused one. */
static void unseen_requests_are_answered(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned unread = 0; unread < 2; unread++) {
		whole(&d);
		pending_missed(&fins_enforcer, d.state, unread != 0);
		assert_int_equal(tell(&d, 9, 0x0101, 0, 2)->reason, unread ? R_FINS_UNREAD : R_FINS_UNSEEN);
		assert_int_equal(d.p.allowed, !unread);
	}
}

/* ---- FINS/TCP -------------------------------------------------------------------------------- */

static const struct pdu *says(struct desk *d, enum direction dir, uint8_t command, uint32_t error, size_t n)
{
	static const uint8_t nodes[8] = { 0, 0, 0, 251, 0, 0, 0, 200 };
	struct frame f = over_tcp(command, error, nodes, n);

	return desk_judge(d, dir, f.p, f.n);
}

static const struct pdu *frame_over_tcp(struct desk *d, enum direction dir, struct frame f)
{
	struct frame t = over_tcp(2, 0, f.p, f.n);

	return desk_judge(d, dir, t.p, t.n);
}

static void nodes_are_exchanged_once(void **state)
{
	struct frame read = request_of(1, "0701"), answer = answer_of(1, 0x0701, 0, 7);
	struct desk d;

	(void)state;
	desk_row(&d);
	assert_int_equal(says(&d, DIR_S2C, 1, 0, 8)->reason, R_FINS_SESSION); /* unasked */
	assert_int_equal(says(&d, DIR_S2C, 6, 0, 0)->reason, R_FINS_SESSION);
	assert_true(says(&d, DIR_C2S, 0, 0, 4)->allowed);
	assert_int_equal(d.p.function, 0x00010000);
	assert_true(says(&d, DIR_S2C, 1, 0, 8)->allowed);
	assert_int_equal(says(&d, DIR_S2C, 1, 0, 8)->reason, R_FINS_SESSION); /* twice */
	assert_true(frame_over_tcp(&d, DIR_C2S, read)->allowed);
	assert_true(says(&d, DIR_S2C, 6, 0, 0)->allowed);
	assert_true(frame_over_tcp(&d, DIR_S2C, answer)->allowed);
	assert_true(says(&d, DIR_S2C, 3, 2, 0)->allowed);
	assert_true(d.p.exception);
	assert_true(says(&d, DIR_C2S, 3, 2, 0)->allowed);
	assert_int_equal(says(&d, DIR_C2S, 0, 0, 4)->reason, R_FINS_SESSION); /* once more */
	/* Commands that only one end may send come from the other end. */
	assert_int_equal(says(&d, DIR_C2S, 1, 0, 8)->reason, R_FINS_SESSION);
	assert_int_equal(says(&d, DIR_C2S, 6, 0, 0)->reason, R_FINS_SESSION);
	assert_int_equal(says(&d, DIR_S2C, 0, 0, 4)->reason, R_FINS_SESSION);
	/* Refused, by the server. */
	desk_reset(&d);
	assert_true(says(&d, DIR_C2S, 0, 0, 4)->allowed);
	assert_true(says(&d, DIR_S2C, 1, 0x20, 8)->allowed);
	assert_true(d.p.exception);
	/* The exchange of node numbers is left out; after a frame it is too late for it. */
	desk_reset(&d);
	assert_true(frame_over_tcp(&d, DIR_C2S, read)->allowed);
	assert_true(frame_over_tcp(&d, DIR_S2C, answer)->allowed);
	assert_int_equal(says(&d, DIR_C2S, 0, 0, 4)->reason, R_FINS_SESSION);
	/* A session that was met half-way. */
	desk_reset(&d);
	pending_missed(&fins_enforcer, d.state, false);
	assert_int_equal(says(&d, DIR_S2C, 1, 0, 8)->reason, R_FINS_UNSEEN);
	assert_true(d.p.allowed);
}

/* The exchange of node numbers is part of every use: it needs no word, but without a row nobody may
 * do it. */
static void nodes_need_no_word(void **state)
{
	struct desk d;

	(void)state;
	desk_row(&d)->services = desk_range(&d, 0x01010000, 0x01010000);
	for (unsigned i = 0; i < 4; i++)
		d.rows[0].targets[i] = desk_range(&d, 1, 1);
	desk_space(&d, &d.rows[0], FINS_D, desk_range(&d, 0, 0));
	assert_true(says(&d, DIR_C2S, 0, 0, 4)->allowed);
	assert_true(says(&d, DIR_S2C, 1, 0, 8)->allowed);
	desk_clear(&d);
	assert_false(says(&d, DIR_C2S, 0, 0, 4)->allowed);
}

/* A FINS/TCP error code in a frame that must not have one. */
static void frames_have_no_error_code(void **state)
{
	struct frame f = request_of(1, "0701"), t = over_tcp(2, 1, f.p, f.n);
	struct desk d;

	(void)state;
	desk_row(&d);
	assert_int_equal(desk_judge(&d, DIR_C2S, t.p, t.n)->reason, R_FINS_FRAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_are_answered_in_full),
		cmocka_unit_test(end_codes_are_told_apart),
		cmocka_unit_test(answers_belong_to_their_requests),
		cmocka_unit_test(local_nodes_have_numbers),
		cmocka_unit_test(numbers_may_come_again),
		cmocka_unit_test(silence_is_kept),
		cmocka_unit_test(sixteen_may_wait),
		cmocka_unit_test(refused_ones_are_remembered),
		cmocka_unit_test(roles_stay_as_they_are),
		cmocka_unit_test(unseen_requests_are_answered),
		cmocka_unit_test(nodes_are_exchanged_once),
		cmocka_unit_test(nodes_need_no_word),
		cmocka_unit_test(frames_have_no_error_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
