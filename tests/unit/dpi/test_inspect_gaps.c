/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector with segments that come too early: what passes after a gap, what is held, and that
 * no receiver can read what was not judged.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/inspect_setup.h"

/* A receiver that keeps bytes that come ahead of a gap: the first copy of each byte. */
static struct {
	uint8_t bytes[256];
	bool have[256];
	uint32_t next;
} server;

static void receive(uint32_t at, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!server.have[at + i]) {
			server.bytes[at + i] = p[i];
			server.have[at + i] = true;
		}
	while (server.next < sizeof(server.bytes) && server.have[server.next])
		server.next++;
}

static unsigned send_at(struct conn *k, uint32_t base, const uint8_t *train, uint32_t at, uint32_t n)
{
	unsigned o = desk_segment(k, DIR_C2S, base + at, k->s, DESK_ACK, train + at, n);

	if (o == OUTCOME_ACCEPT)
		receive(at, train + at, n);
	return o;
}

static void passes_ahead_and_is_judged(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t train[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, 4);
	toy_pdu(train + 24, 12, 5);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 24, k.s, DESK_ACK, train + 24, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 5, k.s, DESK_ACK, train + 5, 7), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 5, k.s, DESK_ACK, train + 5, 7),
			 OUTCOME_ACCEPT); /* repeated */
	assert_int_equal(desk.n_pdus, 0);
	assert_int_equal(stats().reasons[R_AHEAD], 3);
	/* The server acknowledges what it has, and so shows the gap. */
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, train, 5), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 1);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, train + 12, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 3);
	k.c += 36;
	assert_int_equal(desk_send(&k, DIR_S2C, train, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, train, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(stats().pool_used, 0);
}

/* Three pieces of a train whose middle command is forbidden, in every order: no receiver gets the
 * command's last byte. */
static void in_every_order(void **state)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	uint8_t train[36];
	unsigned runs = 0;

	(void)state;
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, TOY_FORBIDDEN);
	toy_pdu(train + 24, 12, 3);
	for (uint32_t a = 1; a < 35; a++) {
		for (uint32_t b = a + 1; b < 36; b++, runs++) {
			const uint32_t from[4] = { 0, a, b, 36 };
			const uint8_t *order = orders[runs % 6];
			struct conn k = desk_conn(P_TOY);
			uint32_t base = k.c + 1;

			memset(&server, 0, sizeof(server));
			desk_handshake(&k);
			for (unsigned n = 0; n < 3; n++)
				send_at(&k, base, train, from[order[n]], from[order[n] + 1] - from[order[n]]);
			assert_true(server.next < 24);
			inspector_finish(desk_i);
		}
	}
}

/* Three pieces of an allowed train, in every order: everything arrives, without waiting for a
 * repetition. */
static void nothing_allowed_is_lost(void **state)
{
	uint8_t train[36];

	(void)state;
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, 4);
	toy_pdu(train + 24, 12, 3);
	for (uint32_t a = 1; a < 35; a++) {
		for (uint32_t b = a + 1; b < 36; b++) {
			struct conn k = desk_conn(P_TOY);
			uint32_t base = k.c + 1;
			size_t before = desk.n_pdus;

			memset(&server, 0, sizeof(server));
			desk_handshake(&k);
			send_at(&k, base, train, b, 36 - b);
			send_at(&k, base, train, a, b - a);
			send_at(&k, base, train, 0, a);
			assert_int_equal(server.next, 36);
			assert_int_equal(desk.n_pdus, before + 3);
			inspector_finish(desk_i);
		}
		desk_clear();
	}
}

static void what_passed_ahead_must_stay_the_same(void **state)
{
	uint8_t train[64], other[64];
	struct conn k;

	(void)state;
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, 4);
	toy_pdu(other, 12, 9);
	toy_pdu(other + 12, 12, 9);
	for (unsigned way = 0; way < 3; way++) {
		k = desk_conn(P_TOY);
		desk_handshake(&k);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, train + 12, 12), OUTCOME_ACCEPT);
		/* other bytes at the same place; other bytes around it; or other bytes in what
		 * fills the gap */
		if (way == 0)
			desk_segment(&k, DIR_C2S, k.c + 15, k.s, DESK_ACK, other + 15, 9);
		else if (way == 1)
			desk_segment(&k, DIR_C2S, k.c + 5, k.s, DESK_ACK, other + 5, 19);
		else
			desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, other, 24);
		assert_int_equal(desk.outcome[desk_id % DESK_IDS], OUTCOME_DROP);
		assert_int_equal(desk_count(EVENT_FLOW, R_OVERLAP), way + 1);
	}
	/* The segment that fills the gap also repeats bytes that have passed, unchanged. */
	k = desk_conn(P_TOY);
	desk_handshake(&k);
	desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, train + 12, 12);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, train, 24), OUTCOME_ACCEPT);
	/* A FIN whose number lies before the bytes that passed ahead. */
	k = desk_conn(P_TOY);
	desk_handshake(&k);
	desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, train + 12, 12);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK | DESK_FIN, train, 6), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_OVERLAP), 4);
}

/* The bytes that are kept are limited. A segment without room waits, and is then dropped so that
 * its sender repeats it. */
static void what_passes_ahead_is_bounded(void **state)
{
	static uint8_t train[64 * 1024];
	struct conn k = desk_conn(P_TOY);
	uint32_t at = 1000, passed = 0;

	(void)state;
	for (size_t n = 0; n + 50 <= sizeof(train); n += 50)
		toy_pdu(train + n, 50, 3);
	desk_handshake(&k);
	while (passed < 100 && desk_segment(&k, DIR_C2S, k.c + at, k.s, DESK_ACK, train + at, 1000) == OUTCOME_ACCEPT) {
		at += 1000;
		passed++;
	}
	assert_int_equal(passed, 32);
	desk_now += 11000000u;
	inspector_tick(desk_i);
	assert_int_equal(desk.outcome[desk_id % DESK_IDS], OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, train, 1000), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 33 * 20);
	/* More gaps than there are places for. */
	k = desk_conn(P_TOY);
	desk_handshake(&k);
	for (unsigned n = 1; n <= 4; n++)
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 100 * n, k.s, DESK_ACK, train, 50), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 500, k.s, DESK_ACK, train, 50), 0);
}

/* If a session may go on without this worker, only whole allowed PDUs pass ahead of a gap, and
 * everything else waits. A successor would lack the copies of what passed; and with a full queue
 * the kernel may let pass what fills the gap. */
static void only_whole_allowed_pdus_pass_ahead(void **state)
{
	static const uint32_t permits[] = { P_TOY_PICK_UP, P_TOY_HOLD, P_TOY_HOLD_PICK_UP };
	uint8_t pdu[64], other[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	for (unsigned i = 0; i < 3; i++) {
		struct conn k = desk_conn(permits[i]);

		desk_handshake(&k);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, pdu, 11), 0);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk.outcome[(desk_id - 1) % DESK_IDS], OUTCOME_ACCEPT);
		/* A whole and allowed PDU passes ahead; a whole and forbidden one waits. */
		k = desk_conn(permits[i]);
		desk_handshake(&k);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
		toy_pdu(other, 12, TOY_FORBIDDEN);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 24, k.s, DESK_ACK, other, 12), 0);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk.outcome[(desk_id - 1) % DESK_IDS], OUTCOME_DROP);
	}
}

static void narrowed_before_the_gap_was_filled(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t train[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, 20);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, train + 12, 12), OUTCOME_ACCEPT);
	k.permit = P_TOY_READS;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, train, 12), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
}

/* In observe mode nothing waits, and PDUs behind a gap are read all the same. */
static void observed_ahead(void **state)
{
	struct conn k = desk_conn(P_TOY_OBSERVE);
	uint8_t train[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, train + 12, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, train, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 2);
	assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_FUNCTION), 1);
}

/* The worker forgets a session with bytes ahead of a gap: the bytes that fill it do not pass. */
static void forgotten_with_bytes_ahead(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t train[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, TOY_FORBIDDEN);
	desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, train + 12, 12);
	inspector_finish(desk_i);
	assert_int_equal(stats().pool_used, 0);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, train, 12), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
}

/* A SYN over the live session: a server that has forgotten the session reads on from there, so
 * nothing passes ahead of a gap. */
static void dialled_over_a_gap(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t train[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(train, 12, TOY_FORBIDDEN);
	toy_pdu(train + 12, 12, 3);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 9000, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 9001, k.s, DESK_ACK, train, 12), 0);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 9013, k.s, DESK_ACK, train + 12, 12), 0);
	assert_int_equal(stats().reasons[R_AHEAD], 0);
	/* The server still has the session and answers with the old numbers: the session goes
	 * on. */
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, train + 12, 12), OUTCOME_ACCEPT);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(passes_ahead_and_is_judged),
		T(in_every_order),
		T(nothing_allowed_is_lost),
		T(what_passed_ahead_must_stay_the_same),
		T(what_passes_ahead_is_bounded),
		T(only_whole_allowed_pdus_pass_ahead),
		T(narrowed_before_the_gap_was_filled),
		T(observed_ahead),
		T(forgotten_with_bytes_ahead),
		T(dialled_over_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
