/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector with sessions that it has not seen completely: met half-way after a restart,
 * or with packets that a full queue let pass.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/inspect_setup.h"

static void half_way_reset(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 2);
	assert_int_equal(desk.resets[0].client_port, k.client_port);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
	assert_int_equal(desk.resets[0].to_client.seq, k.s);
	/* The client may have got this answer already; then it expects the number behind the
	 * answer. The server has heard the first reset by now. */
	assert_int_equal(desk.resets[1].to_client.seq, k.s + 12);
	assert_true(desk.resets[1].to_client.valid && !desk.resets[1].to_server.valid);
	/* The reset after a bare acknowledgement uses the number where its receiver is. */
	k = desk_conn(P_TOY);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 3);
	assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 2);
	k = desk_conn(P_TOY_DROP);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 3);
	assert_int_equal(stats().reasons[R_MIDSTREAM_DROP], 2);
}

static void half_way_pick_up(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD_PICK_UP);
	uint8_t train[64];

	(void)state;
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, TOY_FORBIDDEN);
	/* The end of an answer, and half a request: the live session goes on without being
	 * judged. */
	assert_int_equal(desk_send(&k, DIR_S2C, train + 5, 7), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, train + 6, 6), OUTCOME_ACCEPT);
	assert_int_equal(stats().reasons[R_MIDSTREAM_WAIT], 2);
	assert_int_equal(desk.n_pdus, 0);
	assert_int_equal(desk_send(&k, DIR_C2S, train, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 1);
	assert_int_equal(desk_count(EVENT_FLOW, R_PICKED_UP), 1);
	assert_int_equal(desk_send(&k, DIR_S2C, train, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, train + 12, 5), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, train + 17, 7), OUTCOME_DROP);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
	/* The segment of the pick-up is itself judged. */
	k = desk_conn(P_TOY_HOLD_PICK_UP);
	assert_int_equal(desk_send(&k, DIR_C2S, train, 24), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 2);
}

/* A session in which no whole PDU comes does not go on unjudged for ever. */
static void a_pick_up_comes_soon_or_never(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD_PICK_UP);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	for (unsigned n = 0; n < 64; n++)
		assert_int_equal(desk_send(&k, n % 2 ? DIR_S2C : DIR_C2S, pdu + 4, 8), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_resets, 0);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 4, 8), OUTCOME_DROP);
	assert_true(desk.n_resets > 0 && desk.resets[0].to_client.valid && desk.resets[0].to_server.valid);
	assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 1);
	/* This also holds if its bytes come slowly. A silent session, and one whose PDU is whole at
	 * last, are not ended. */
	k = desk_conn(P_TOY_HOLD_PICK_UP);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 4, 8), OUTCOME_ACCEPT);
	desk_now += 11000000000u;
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 1);
	k = desk_conn(P_TOY_HOLD_PICK_UP);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 4, 8), OUTCOME_ACCEPT);
	desk_now += 11000000000u;
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 4, 8), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 2);
}

/* Bytes that passed unjudged before the pick-up cannot be replaced afterwards, unless the receiver
 * has acknowledged them. */
static void nothing_slips_in_before_the_pick_up(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD_PICK_UP);
	uint8_t pdu[64];
	uint32_t from = k.c;

	(void)state;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 4, 8), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 1);
	for (unsigned n = 0; n < 3; n++)
		assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, "other!!!", 8), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 0);
	/* After the acknowledgement it is an old duplicate like any other. */
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, "other!!!", 8), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	/* The receiver never gets the bytes: both ends get a reset, because the session cannot go
	 * on. */
	k = desk_conn(P_TOY_HOLD_PICK_UP);
	from = k.c;
	desk_send(&k, DIR_C2S, pdu + 4, 8);
	desk_send(&k, DIR_C2S, pdu, 12);
	for (unsigned n = 0; n < 4; n++)
		assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, "other!!!", 8), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
}

static void half_way_to_the_end(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD_PICK_UP);

	(void)state;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK | DESK_FIN, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 1, DESK_ACK | DESK_FIN, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_flows, 1);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 1, k.s + 1, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(stats().flows, 0);
}

/* The server of a session that waits for its pick-up does not become a client. */
static void half_way_server_dials_nobody(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD_PICK_UP);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 4, 8), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, 77, 0, DESK_SYN, NULL, 0), OUTCOME_DROP);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 1);
}

/* A pick-up is for sessions that outlive a worker. If a session makes the worker forget it, it is
 * not picked up. */
static void forgotten_handshake_is_no_pick_up(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD_PICK_UP), other;
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	/* The SYN is not answered until it is forgotten. */
	desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0);
	k.c++;
	k.s++;
	desk_now += 31000000000u;
	inspector_tick(desk_i);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 5), OUTCOME_DROP);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 5, 7), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 2);
	/* Evicted from a full table. */
	k = desk_conn(P_TOY_HOLD_PICK_UP);
	desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0);
	k.c++;
	k.s++;
	for (unsigned n = 0; n < 128; n++) {
		other = desk_conn(P_TOY_HOLD_PICK_UP);
		desk_segment(&other, DIR_C2S, other.c, 0, DESK_SYN, NULL, 0);
	}
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 5), OUTCOME_DROP);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 5, 7), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 4);
}

/* A session may outlive a RST that the server may have answered with a challenge ACK. So it is
 * remembered, even if the table was full since. */
static void forgotten_after_a_reset_is_no_pick_up(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD_PICK_UP), other;
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 5), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	/* The server has none of these bytes: they were lost behind the box, and their sender knows
	 * it. */
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu + 5, 4), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 2, k.s, DESK_RST, NULL, 0), OUTCOME_ACCEPT);
	for (unsigned n = 0; n < 128; n++) {
		other = desk_conn(P_TOY_HOLD_PICK_UP);
		desk_segment(&other, DIR_C2S, other.c, 0, DESK_SYN, NULL, 0);
		desk_segment(&other, DIR_C2S, other.c + 1, 0, DESK_RST, NULL, 0);
	}
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu + 5, 7), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
}

/* A session in the middle of a PDU is silent until the worker forgets it. */
static void forgotten_in_silence_is_no_pick_up(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD_PICK_UP);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 5), OUTCOME_ACCEPT);
	/* for as long as the kernel tracks the session */
	desk_now += 5ull * 24u * 3600u * 1000000000u + 1000000000u;
	inspector_tick(desk_i);
	assert_int_equal(stats().flows, 1);
	desk_now += 24ull * 3600u * 1000000000u;
	inspector_tick(desk_i);
	assert_int_equal(stats().flows, 0);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 5, 7), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
}

/* A RST that the server ignores neither ends the session nor makes it unknown, so the session is
 * not picked up. */
static void forgotten_before_a_reset_is_no_pick_up(void **state)
{
	static const uint32_t permits[] = { P_TOY_HOLD_PICK_UP, P_TOY_PICK_UP };
	uint8_t pdu[64];

	(void)state;
	/* A forbidden request with an allowed one inside. */
	toy_pdu(pdu, 20, TOY_FORBIDDEN);
	toy_pdu(pdu + 8, 12, 3);
	for (unsigned n = 0; n < 2; n++) {
		struct conn k = desk_conn(permits[n]);

		desk_clear();
		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 8), OUTCOME_ACCEPT);
		desk_now += 7ull * 24u * 3600u * 1000000000u;
		inspector_tick(desk_i);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 50000u, k.s, DESK_RST, NULL, 0), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu + 8, 12), OUTCOME_DROP);
		assert_true(desk.n_resets > 0);
		assert_int_equal(desk_count(EVENT_FLOW, R_PICKED_UP), 0);
	}
}

/* If nothing may pass unjudged, a session is picked up at a whole PDU of either end, and nothing
 * passes before that. */
static void closed_passes_nothing_before_the_pick_up(void **state)
{
	struct conn k = desk_conn(P_TOY_PICK_UP);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 4, 8), OUTCOME_DROP);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu + 4, 8), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_resets, 0);
	/* The answer that was under way, as a whole; then the next request. */
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 1);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 4, 8), OUTCOME_DROP);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 2);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 5), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 5, 7), OUTCOME_ACCEPT);
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	/* Both ends get a reset if no whole PDU comes. */
	k = desk_conn(P_TOY_PICK_UP);
	desk_clear();
	for (unsigned n = 0; n < 65; n++)
		assert_int_equal(desk_send(&k, DIR_C2S, pdu + 4, 8), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
	assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 1);
}

/* Another program removed the rules while a request and its answer passed. Nothing of the session
 * is accepted any more, but it does not hang either: both ends get a reset with the numbers that
 * they expect. */
static void bytes_that_went_by_the_box(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	k.c += 12;
	k.s += 12;
	/* Up to three such packets may just be late. */
	for (int n = 0; n < 3; n++)
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 0);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 12), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
	assert_int_equal(desk.resets[0].to_client.seq, k.s);
	assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 1);
	/* Making the worker lose its place does not let a client choose where its session is picked
	 * up. */
	desk_clear();
	k = desk_conn(P_TOY_PICK_UP);
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	k.s += 12;
	for (int n = 0; n < 4; n++)
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 12), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
}

/* The server acknowledges more of the client than this worker has seen: its answers must still
 * pass. */
static void picked_up_at_an_answer(void **state)
{
	struct conn k = desk_conn(P_TOY_PICK_UP);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	k.c += 12; /* asked before this worker existed */
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_resets, 0);
}

/* The client's port is a server port as well: nobody knows which end is the server, and an answer
 * is not taken for a request. */
static void nobody_guesses_who_is_the_server(void **state)
{
	struct conn k = desk_conn(P_TOY_PICK_UP);
	uint8_t pdu[64];

	(void)state;
	k.client_port = 502;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
	assert_int_equal(desk.n_pdus, 0);
}

/* Both ends use the server's port, and the server sends first: connection tracking still knows who
 * opened the session. */
static void half_way_with_like_ports(void **state)
{
	uint8_t pdu[64];

	(void)state;
	desk_directed = true;
	for (unsigned first = 0; first < 2; first++) {
		struct conn k = desk_conn(P_TOY_HOLD_PICK_UP);

		k.client_port = 502;
		k.host = (uint8_t)(40 + first);
		toy_pdu(pdu, 12, 3);
		if (first == 0)
			assert_int_equal(desk_send(&k, DIR_S2C, pdu, 5), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk_count(EVENT_FLOW, R_PICKED_UP), first + 1);
		toy_pdu(pdu, 12, TOY_FORBIDDEN);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP);
		assert_int_equal(desk.flows[desk.n_flows - 1].info.client.b[3], 10 + k.host);
	}
	desk_directed = false;
}

/* ---- a full queue ---------------------------------------------------------------------------- */

static struct conn live(uint32_t permit)
{
	struct conn k = desk_conn(permit);
	uint8_t pdu[64];

	desk_clear();
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	return k;
}

static const uint32_t kept_alive[] = { P_TOY_HOLD, P_TOY_HOLD_PICK_UP };

static void a_request_went_by(void **state)
{
	uint8_t pdu[64];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct conn k = live(kept_alive[i]);

		toy_pdu(pdu, 12, 3);
		k.c += 12;
		assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT); /* its answer */
		goes_on_judged(&k);
	}
}

static void an_answer_went_by(void **state)
{
	uint8_t pdu[64];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct conn k = live(kept_alive[i]);

		toy_pdu(pdu, 12, 3);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
		k.s += 12;
		goes_on_judged(&k);
	}
}

static void an_exchange_went_by(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct conn k = live(kept_alive[i]);

		k.c += 12;
		k.s += 12;
		goes_on_judged(&k);
		k = live(kept_alive[i]);
		k.c += 4000;
		k.s += 9000;
		goes_on_judged(&k);
	}
}

/* The next request comes before the answer that shows that a request passed unseen. */
static void pipelined_behind_what_went_by(void **state)
{
	struct conn k = live(P_TOY_HOLD);
	uint8_t pdu[64];
	uint32_t id;

	(void)state;
	toy_pdu(pdu, 12, 3);
	/* not a whole PDU, so it waits */
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, pdu, 11), 0);
	id = desk_id;
	k.c += 12;
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.outcome[id % DESK_IDS], OUTCOME_ACCEPT);
	k.c += 11;
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 11, 1), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	goes_on_judged(&k);
	/* A whole PDU passes ahead. */
	k = live(P_TOY_HOLD);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	k.c += 12;
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	k.c += 12;
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	goes_on_judged(&k);
}

/* Neither the server nor the client acknowledges what passed unseen: only the client's repetitions
 * of what follows show it. */
static void only_repetitions_tell(void **state)
{
	struct conn k = live(P_TOY_HOLD);
	uint8_t pdu[64];
	unsigned n;

	(void)state;
	toy_pdu(pdu, 12, 3);
	for (n = 0; n < 5 && desk.n_resets == 0; n++) {
		desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, pdu, 11);
		if (desk.outcome[desk_id % DESK_IDS] == OUTCOME_ACCEPT)
			break;
		desk_now += 11000000u;
		inspector_tick(desk_i);
		assert_int_equal(desk.outcome[desk_id % DESK_IDS], OUTCOME_DROP);
		desk_now += 200000000u;
	}
	assert_true(n < 5);
	k.c += 23;
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 11, 1), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	goes_on_judged(&k);
}

/* A lost segment that did not pass unseen is repeated first, and nothing is skipped. */
static void a_loss_is_no_bypass(void **state)
{
	struct conn k = live(P_TOY_HOLD);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	for (unsigned n = 0; n < 2; n++) { /* the segment and one repetition */
		desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, pdu, 11);
		desk_now += 11000000u;
		inspector_tick(desk_i);
		assert_int_equal(desk.outcome[desk_id % DESK_IDS], OUTCOME_DROP);
	}
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	goes_on_judged(&k);
}

/* ---- a client that invents bytes that passed unseen ---------------- */

/* The client repeats a segment ahead of a gap, with this acknowledgement, until it passes or five
 * attempts were in vain. */
static unsigned insists(const struct conn *k, uint32_t at, uint32_t ack, const uint8_t *p, size_t n)
{
	unsigned o = OUTCOME_DROP;

	for (unsigned i = 0; i < 5 && o < OUTCOME_ACCEPT; i++) {
		desk_segment(k, DIR_C2S, at, ack, DESK_ACK, p, n);
		desk_now += 11000000u;
		inspector_tick(desk_i);
		o = desk.outcome[desk_id % DESK_IDS];
		desk_now += 200000000u;
	}
	return o;
}

static void skipped_and_then_said(void **state)
{
	uint8_t pdu[64], whole[64];

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	toy_pdu(whole, 12, 3);
	for (unsigned i = 0; i < 8; i++) {
		struct conn k = live(kept_alive[i % 2]);
		uint32_t ack = i & 2u ? k.s + 100 : k.s;
		bool passed;

		if (i < 4) { /* the end of a request, and then its beginning */
			passed = insists(&k, k.c + 5, ack, pdu + 5, 7) >= OUTCOME_ACCEPT;
			passed &= desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 5) >= OUTCOME_ACCEPT;
		} else { /* a request behind the gap, and then the end of the first one */
			assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 5), OUTCOME_ACCEPT);
			desk_segment(&k, DIR_S2C, k.s, k.c + 5, DESK_ACK, NULL, 0);
			insists(&k, k.c + 12, ack, whole, i & 2u ? 12 : 11);
			passed = desk_segment(&k, DIR_C2S, k.c + 5, k.s, DESK_ACK, pdu + 5, 7) >= OUTCOME_ACCEPT;
		}
		assert_false(passed);
		/* Repeated again and again, it ends the session. */
		for (unsigned n = 0; n < 4 && desk.n_resets == 0; n++)
			assert_int_equal(desk_segment(&k, DIR_C2S, i < 4 ? k.c : k.c + 5, k.s, DESK_ACK,
						      i < 4 ? pdu : pdu + 5, i < 4 ? 5 : 7),
					 OUTCOME_DROP);
		assert_true(desk.n_resets > 0);
	}
}

/* Alone these bytes are an allowed request. But the server is in the middle of another request, and
 * would read them as its rest. */
static void skipped_and_then_begun(void **state)
{
	uint8_t outer[64], whole[64];

	(void)state;
	toy_pdu(outer, 20, TOY_FORBIDDEN);
	toy_pdu(outer + 8, 12, 3);
	toy_pdu(whole, 12, 3);
	for (unsigned i = 0; i < 4; i++) {
		struct conn k = live(kept_alive[i % 2]);

		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, outer, 8), OUTCOME_ACCEPT);
		desk_segment(&k, DIR_S2C, k.s, k.c + 8, DESK_ACK, NULL, 0);
		insists(&k, k.c + 20, i & 2u ? k.s + 100 : k.s, whole, 12);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 8, i & 2u ? k.s + 100 : k.s, DESK_ACK, outer + 8, 12),
				 OUTCOME_DROP);
	}
}

/* A session whose packets pass when a queue is full: two sessions that are judged, and a third
 * whose protocol is not known yet. */
static struct conn let_by(unsigned i)
{
	struct conn k = i < 2 ? live(kept_alive[i]) : desk_conn(P_MIXED_HOLD);

	if (i == 2) {
		desk_clear();
		assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	}
	return k;
}

/* An acknowledgement of bytes that the server never sent does not keep the client's bytes from
 * being judged. */
static void acknowledges_what_was_not_said(void **state)
{
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	for (unsigned i = 0; i < 3; i++) {
		struct conn k = let_by(i);

		desk_segment(&k, DIR_C2S, k.c, k.s + 100, DESK_ACK, NULL, 0);
		for (unsigned n = 0; n < 4 && i < 2; n++)
			desk_segment(&k, DIR_C2S, k.c, k.s + (1u << 21), DESK_ACK, NULL, 0);
		assert_true(desk_send(&k, DIR_C2S, pdu, 5) < OUTCOME_ACCEPT ||
			    desk_send(&k, DIR_C2S, pdu + 5, 7) < OUTCOME_ACCEPT);
		assert_true(desk.n_resets > 0);
	}
}

/* The server accepts a SYN over the session, and its answer is lost. Its next acknowledgement
 * refers to this SYN, and nothing has passed unseen. */
static void dialled_and_not_missed(void **state)
{
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	for (unsigned i = 0; i < 3; i++) {
		struct conn k = let_by(i);
		unsigned passed = 0;

		k.c += 30;
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
		k.s -= 5000;
		for (unsigned n = 0; n < 5; n++) {
			passed += desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 5) >= OUTCOME_ACCEPT;
			desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
		}
		passed += desk_segment(&k, DIR_C2S, k.c + 5, k.s, DESK_ACK, pdu + 5, 7) >= OUTCOME_ACCEPT;
		assert_int_equal(passed, 0);
		assert_true(desk.n_resets > 0);
	}
}

/* The bytes that passed unseen ended inside a PDU: the session goes on as its conduit says, and is
 * judged again from the next PDU on. */
static void inside_a_pdu(void **state)
{
	struct conn k = live(P_TOY_HOLD);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	k.c += 5;
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 5, 7), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(stats().reasons[R_MIDSTREAM_WAIT], 1);
	goes_on_judged(&k);
	/* Unjudged bytes do not pass for ever. */
	k = live(P_TOY_HOLD);
	k.c += 5;
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	for (unsigned n = 0; n < 64; n++)
		assert_int_equal(desk_send(&k, DIR_C2S, pdu + 5, 7), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 5, 7), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
}

/* If a full queue lets nothing pass, an acknowledgement of bytes that the inspector did not see is
 * not believed. */
static void closed_misses_nothing(void **state)
{
	struct conn k = live(P_TOY);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 12, DESK_ACK, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s + 12, DESK_ACK, pdu, 12), OUTCOME_DROP);
	goes_on_judged(&k);
}

/* The policy becomes narrower while unjudged bytes are under way. If the new permit lets no
 * unjudged bytes pass, the session is ended. */
static void unjudged_and_then_closed(void **state)
{
	struct conn k = live(P_TOY_HOLD);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	k.c += 5;
	desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 5, 7), OUTCOME_ACCEPT);
	k.permit = P_TOY;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 7, k.s, DESK_ACK, pdu + 5, 7), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
	/* It is also ended if the bytes behind them were judged. It goes on under another permit
	 * that lets unjudged bytes pass. */
	k = live(P_TOY_HOLD);
	k.c += 5;
	desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 5, 7), OUTCOME_ACCEPT);
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	k.permit = P_TOY_HOLD_PICK_UP;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 12, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	k.permit = P_TOY;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 12, k.s, DESK_ACK, pdu, 12), OUTCOME_DROP);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(half_way_reset),
		T(bytes_that_went_by_the_box),
		T(half_way_pick_up),
		T(a_pick_up_comes_soon_or_never),
		T(nothing_slips_in_before_the_pick_up),
		T(half_way_to_the_end),
		T(half_way_server_dials_nobody),
		T(forgotten_handshake_is_no_pick_up),
		T(forgotten_after_a_reset_is_no_pick_up),
		T(forgotten_before_a_reset_is_no_pick_up),
		T(forgotten_in_silence_is_no_pick_up),
		T(closed_passes_nothing_before_the_pick_up),
		T(picked_up_at_an_answer),
		T(nobody_guesses_who_is_the_server),
		T(half_way_with_like_ports),
		T(a_request_went_by),
		T(an_answer_went_by),
		T(an_exchange_went_by),
		T(pipelined_behind_what_went_by),
		T(only_repetitions_tell),
		T(a_loss_is_no_bypass),
		T(skipped_and_then_said),
		T(skipped_and_then_begun),
		T(acknowledges_what_was_not_said),
		T(dialled_and_not_missed),
		T(inside_a_pdu),
		T(closed_misses_nothing),
		T(unjudged_and_then_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
