/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector from packet to outcome, with a toy protocol: lanes with commands, resets, segments
 * that are repeated or reordered, handshakes over live sessions, ends, cuts, shadows, observing,
 * lack of room, counts, changes of the table.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/inspect_setup.h"

static int setup_capture(void **state)
{
	(void)state;
	desk_observes = true;
	desk_open((struct inspector_limits){
		.flows = 64, .pool_bytes = 1u << 20, .table_bytes = 1u << 16, .undivided = true, .gaps_stay = true });
	return 0;
}

static int teardown_capture(void **state)
{
	desk_observes = false;
	return teardown(state);
}

static void allowed_command_passes(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, toy_pdu(pdu, 12, 3)), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, toy_pdu(pdu, 30, 3)), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, toy_pdu(pdu, 12, 4)), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 3);
	assert_int_equal(desk.pdus[2].offset, 12);
	assert_int_equal(desk.n_resets, 0);
	/* Everything except the last request is acknowledged, and its memory is free again. */
	assert_int_equal(stats().pool_used, 128);
}

static void forbidden_command_is_cut_and_heard(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, pdu, toy_pdu(pdu, 12, 3));
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, toy_pdu(pdu, 12, TOY_FORBIDDEN)), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk.resets[0].to_client.seq, k.s);
	assert_int_equal(desk.resets[0].to_client.ack, k.c);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
	assert_int_equal(desk.resets[0].to_server.ack, k.s);
	assert_true(desk.resets[0].to_client.valid && desk.resets[0].to_server.valid);
	assert_int_equal(desk.resets[0].client_port, k.client_port);
	assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_FUNCTION), 1);
	assert_int_equal(desk_count(EVENT_FLOW, R_MODBUS_FUNCTION), 1);
	/* allowed requests are only counted, and reported each hour */
	assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 0);
	assert_int_equal(desk.flows[0].v, EV_DENY);
	/* Whatever comes later is dropped and answered by a reset, with the sequence numbers of the
	 * end that still sends. */
	desk_now += 1000000000u;
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, "x", 1), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 2);
	assert_int_equal(desk.resets[1].to_server.seq, k.c);
	/* An end that accepted the reset sends a RST itself: it passes, and causes no further
	 * reset. */
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_RST | DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_resets, 2);
	assert_int_equal(desk.twice, 0);
	assert_int_equal(stats().pool_used, 0);
	/* A new connection on the same ports is followed as a new session. */
	k.c += 5000;
	k.s += 5000;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, toy_pdu(pdu, 12, 3)), OUTCOME_ACCEPT);
	inspector_finish(desk_i);
	assert_int_equal(desk.flows[desk.n_flows - 1].info.n, 2);
}

/* The bytes in front of the cut were lost behind the box. The server answers the reset with a
 * challenge ACK at once, and gets a reset with the number that this ACK names. */
static void challenged_reset_is_sent_again(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];
	uint32_t base;

	(void)state;
	desk_handshake(&k);
	base = k.c;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	desk_send(&k, DIR_C2S, pdu, 7);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 7, 5), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk.resets[0].to_server.seq, base + 7);
	desk_segment(&k, DIR_S2C, k.s, base, DESK_ACK, NULL, 0);
	assert_int_equal(desk.n_resets, 2);
	assert_true(desk.resets[1].to_server.valid);
	assert_int_equal(desk.resets[1].to_server.seq, base);
	assert_false(desk.resets[1].to_client.valid);
	/* A repeated challenge ACK is answered only after a pause. */
	desk_segment(&k, DIR_S2C, k.s, base, DESK_ACK, NULL, 0);
	assert_int_equal(desk.n_resets, 2);
	desk_now += 20000000u;
	desk_segment(&k, DIR_S2C, k.s, base, DESK_ACK, NULL, 0);
	assert_int_equal(desk.n_resets, 3);
}

/* A reset may get lost, and the server would wait for a client that is gone. So resets are
 * repeated. */
static void resets_are_said_again(void **state)
{
	struct conn k = desk_conn(P_TOY), other = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, pdu, 12);
	desk_handshake(&other);
	desk_send(&other, DIR_C2S, pdu, 12);
	assert_int_equal(desk.n_resets, 2);
	assert_true(inspector_tick(desk_i) <= 300000000u);
	assert_int_equal(desk.n_resets, 2);
	for (unsigned round = 0; round < 4; round++) {
		/* each second repetition also asks for the number (a second reset, whose number is
		 * 512 higher) */
		size_t before = desk.n_resets, asks = round % 2;

		desk_now += 300000000u;
		inspector_tick(desk_i);
		assert_int_equal(desk.n_resets, before + 2 + 2 * asks);
		for (unsigned i = 0; i < 2; i++) {
			struct reset_record r = desk.resets[i];

			assert_memory_equal(&desk.resets[before + i * (1 + asks)], &r, sizeof(r));
			r.to_client.seq += 512;
			r.to_server.seq += 512;
			if (asks)
				assert_memory_equal(&desk.resets[before + 2 * i + 1], &r, sizeof(r));
		}
	}
	assert_int_equal(desk.n_resets, 2 + 12);
	/* A new connection on the same ports gets no resets of the old one. */
	k.c += 5000;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	for (unsigned n = 0; n < 5; n++) {
		desk_now += 300000000u;
		inspector_tick(desk_i);
	}
	assert_int_equal(desk.n_resets, 14 + 7);
	for (size_t n = 14; n < 21; n++)
		assert_int_equal(desk.resets[n].client_port, other.client_port);
}

/* On a machine with one core, the gate's socket holds only a few hundred packets until the kernel
 * runs. So the resets of many sessions are repeated in parts. */
static void a_crowd_is_told_in_parts(void **state)
{
	enum { CROWD = 100, AT_ONCE = 32 };
	uint8_t pdu[64];
	size_t before;

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	for (unsigned n = 0; n < CROWD; n++) {
		struct conn k = desk_conn(P_TOY);

		desk_handshake(&k);
		desk_send(&k, DIR_C2S, pdu, 12);
	}
	before = desk.n_resets;
	assert_int_equal(before, CROWD);
	desk_now += 300000000u;
	for (unsigned part = 1; part * AT_ONCE < CROWD; part++) {
		assert_true(inspector_tick(desk_i) <= 1000000u);
		assert_int_equal(desk.n_resets, before + (size_t)part * AT_ONCE);
		inspector_tick(desk_i); /* nothing before the pause is over */
		assert_int_equal(desk.n_resets, before + (size_t)part * AT_ONCE);
		desk_now += 1000000u;
	}
	inspector_tick(desk_i);
	assert_int_equal(desk.n_resets, before + CROWD);
	assert_true(inspector_tick(desk_i) > 100000000u);
}

/*
 * Bytes passed unseen, and then the session is cut: the reset of each end uses the numbers that
 * this end sends, or may have, not the numbers that the inspector has seen.
 */
static void reset_by_what_an_end_has(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];
	size_t n;

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, toy_pdu(pdu, 12, 3)), OUTCOME_ACCEPT);
	/* the server acknowledges 12 bytes that did not pass here, until the inspector gives the
	 * session up */
	for (n = 0; n < 8 && desk.n_resets == 0; n++) {
		desk_now += 200000000u;
		desk_segment(&k, DIR_S2C, k.s, k.c + 12, DESK_ACK, pdu, 12);
	}
	assert_true(desk.n_resets > 0);
	assert_int_equal(desk.resets[0].to_server.seq, k.c + 12);
	/* the client's numbers show it as well: the client sends bytes behind those 12 */
	k = desk_conn(P_TOY);
	desk_clear();
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, toy_pdu(pdu, 12, 3)), OUTCOME_ACCEPT);
	n = desk_tcp(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, pdu, 12);
	assert_int_equal(desk.outcome[desk_hand(n, P_TOY, LANE_CUT, false)], OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 2);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
	assert_int_equal(desk.resets[1].to_server.seq, k.c + 12);
	assert_false(desk.resets[1].to_client.valid);
}

/* Cut at every byte: no piece with the last byte of the forbidden PDU passes, every earlier piece
 * does. */
static void split_write_never_completes(void **state)
{
	(void)state;
	for (uint8_t cut = 1; cut < 12; cut++) {
		struct conn k = desk_conn(P_TOY);
		uint8_t pdu[64];

		toy_pdu(pdu, 12, TOY_FORBIDDEN);
		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, cut), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu + cut, 12u - cut), OUTCOME_DROP);
		assert_int_equal(desk.resets[desk.n_resets - 1].to_server.seq, k.c);
	}
	for (unsigned n = 0; n < 1; n++) { /* one byte a segment */
		struct conn k = desk_conn(P_TOY);
		uint8_t pdu[64];

		toy_pdu(pdu, 12, TOY_FORBIDDEN);
		desk_handshake(&k);
		for (unsigned b = 0; b < 11; b++)
			assert_int_equal(desk_send(&k, DIR_C2S, pdu + b, 1), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu + 11, 1), OUTCOME_DROP);
	}
}

/* Several PDUs in one segment, the forbidden one at each place; also cut at each byte of the whole
 * train. */
static void trains(void **state)
{
	(void)state;
	for (unsigned bad = 0; bad < 5; bad++) {
		uint8_t train[128];
		size_t n = 0, last = 0;

		for (unsigned i = 0; i < 5; i++) {
			n += toy_pdu(train + n, (uint8_t)(6 + i), i == bad ? TOY_FORBIDDEN : 3);
			if (i == bad)
				last = n - 1;
		}
		for (size_t cut = 0; cut < n; cut++) {
			struct conn k = desk_conn(P_TOY);
			unsigned first = OUTCOME_ACCEPT;

			desk_handshake(&k);
			if (cut > 0) {
				first = desk_send(&k, DIR_C2S, train, cut);
				assert_int_equal(first, cut > last ? OUTCOME_DROP : OUTCOME_ACCEPT);
			}
			if (first == OUTCOME_ACCEPT)
				assert_int_equal(desk_send(&k, DIR_C2S, train + cut, n - cut), OUTCOME_DROP);
		}
	}
}

static void repetition_must_be_the_same(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64], other[64];
	uint32_t from;

	(void)state;
	desk_handshake(&k);
	from = k.c;
	toy_pdu(pdu, 12, 3);
	toy_pdu(other, 12, 9);
	desk_send(&k, DIR_C2S, pdu, 12);
	assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, from + 4, k.s, DESK_ACK, pdu + 4, 3), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 1); /* judged once */
	assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, other, 12), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_OVERLAP), 1);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
}

static void acknowledged_bytes_are_past(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64], other[64];
	uint32_t from;

	(void)state;
	desk_handshake(&k);
	from = k.c;
	toy_pdu(pdu, 12, 3);
	toy_pdu(other, 12, 9);
	desk_send(&k, DIR_C2S, pdu, 12);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	/* The receiver has these bytes already and ignores what comes again. */
	assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, other, 12), OUTCOME_ACCEPT);
	/* A keep-alive with a garbage byte. */
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 1, k.s, DESK_ACK, "\0", 1), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 1, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	/* Repeated bytes that differ, in front of new bytes, do no harm; the new bytes are
	 * judged. */
	memcpy(other + 12, pdu, 12);
	assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, other, 24), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 2);
	/* Bytes that never passed cannot be acknowledged. */
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 100, DESK_ACK, NULL, 0), OUTCOME_DROP);
}

static void reversed_order_waits(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD);
	uint8_t train[64];
	uint32_t first, second;

	(void)state;
	desk_handshake(&k);
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, 4);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 11, k.s, DESK_ACK, train + 11, 13), 0);
	second = desk_id;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 5, k.s, DESK_ACK, train + 5, 6), 0);
	first = desk_id;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, train, 5), OUTCOME_ACCEPT);
	assert_int_equal(desk.outcome[first], OUTCOME_ACCEPT);
	assert_int_equal(desk.outcome[second], OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 2);
	assert_int_equal(desk.pdus[0].function, 3);
}

static void reversed_forbidden_is_cut(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 3, k.s, DESK_ACK, pdu + 3, 9), 0);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 3), OUTCOME_ACCEPT);
	assert_int_equal(desk.outcome[desk_id - 1], OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk.resets[0].to_server.seq, k.c + 3);
}

static void waiting_ends_after_ten_milliseconds(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, pdu, 11), 0);
	assert_int_equal(inspector_tick(desk_i), 10000000u);
	desk_now += 10000000u;
	inspector_tick(desk_i);
	assert_int_equal(desk.outcome[desk_id], OUTCOME_DROP);
	assert_int_equal(stats().reasons[R_OUT_OF_ORDER], 1);
	assert_int_equal(stats().pool_used, 0);
}

static void waiting_is_bounded_and_must_agree(void **state)
{
	struct conn k = desk_conn(P_TOY_HOLD);
	uint8_t pdu[64], other[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	toy_pdu(other, 12, 9);
	for (unsigned n = 1; n <= 8; n++)
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12 * n, k.s, DESK_ACK, pdu, 11), 0);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12 * 9, k.s, DESK_ACK, pdu, 11), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 0);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 13, k.s, DESK_ACK, other + 1, 11), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_OVERLAP), 1);
	assert_int_equal(stats().pool_used, 0);
}

static void impossible_segments(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, pdu, 12), OUTCOME_DROP);
	assert_int_equal(stats().reasons[R_SYN_DATA], 1);
	desk_handshake(&k);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK | DESK_URG, pdu, 12), OUTCOME_DROP);
	assert_int_equal(stats().reasons[R_URGENT], 1);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_SYN | DESK_FIN, NULL, 0), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_SYN | DESK_RST, NULL, 0), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, 0, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_FIN, NULL, 0), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 4000, k.s, DESK_RST, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, 0, DESK_SYN, NULL, 0), OUTCOME_DROP);
	assert_int_equal(stats().reasons[R_TCP_FLAGS], 6);
	/* the session still works */
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
}

static void data_before_the_handshake(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 1, 0, DESK_ACK, pdu, 12), OUTCOME_DROP);
	desk_segment(&k, DIR_S2C, k.s, k.c + 1, DESK_SYN | DESK_ACK, NULL, 0);
	/* The client's acknowledgement and its first data may be one segment. */
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 1, k.s + 1, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_pdus, 1);
}

static void fin_games(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	desk_send(&k, DIR_C2S, pdu, 12);
	/* A FIN whose number lies inside the bytes that passed. */
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 6, k.s, DESK_ACK | DESK_FIN, NULL, 0), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_OVERLAP), 1);

	k = desk_conn(P_TOY);
	desk_handshake(&k);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK | DESK_FIN, pdu, 12), OUTCOME_ACCEPT);
	k.c += 13;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 12), OUTCOME_DROP);
	assert_int_equal(stats().reasons[R_AFTER_CLOSE], 1);
	/* These pass: the repeated FIN, data of the server on the half-closed connection, its FIN,
	 * the last acknowledgement. */
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 13, k.s, DESK_ACK | DESK_FIN, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK | DESK_FIN, NULL, 0), OUTCOME_ACCEPT);
	k.s++;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk.flows[desk.n_flows - 1].v, EV_ALLOW);
	assert_int_equal(stats().pool_used, 0);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s - 1, k.c, DESK_ACK | DESK_FIN, NULL, 0), OUTCOME_ACCEPT);
}

static void rst_closes_for_good(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];
	size_t resets;

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	desk_send(&k, DIR_C2S, pdu, 12);
	/* A RST with a number far from the right one: no end accepts it. */
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 4000, k.s, DESK_RST, NULL, 0), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_RST, NULL, 0), OUTCOME_ACCEPT);
	resets = desk.n_resets;
	/* After a RST nothing more is delivered, repeated or new, and an end that still sends gets
	 * a reset. */
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 12, k.s, DESK_ACK, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, pdu, 12), OUTCOME_DROP);
	assert_true(desk.n_resets > resets);
}

static void syn_on_a_live_session(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 90000, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	/* The old session goes on; segments with the new numbers do not pass. */
	/* the segment is far ahead, and waits */
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 90001, k.s, DESK_ACK, pdu, 12), 0);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
}

/* Both ends lost the session (the PLC was off, and the client always uses one port): the new
 * session may begin, and is judged. */
static void both_ends_dial_anew(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint32_t old_c, old_s;
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	desk_send(&k, DIR_C2S, pdu, 12);
	old_c = k.c;
	old_s = k.s;
	k.c += 9000000;
	k.s += 700000;
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 1, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 5, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	/* The numbers of the old session are no longer accepted, and the new session is judged from
	 * its first byte. */
	assert_int_equal(desk_segment(&k, DIR_C2S, old_c, old_s, DESK_ACK, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 11), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 11, 1), OUTCOME_DROP);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
}

/*
 * Both ends lost the session, and begin with the same initial numbers as before: a device that
 * begins with the same number after each start, and its client. Bytes that were acknowledged in the
 * old session are new to such a server. A server that still has the old session shows it by
 * acknowledging bytes that were sent after the SYN.
 */
static void both_ends_dial_anew_with_the_same_numbers(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint32_t first, server;
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	first = k.c;
	server = k.s;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, first, k.s, DESK_ACK, pdu, 12),
			 OUTCOME_ACCEPT); /* an old duplicate */
	assert_int_equal(desk_segment(&k, DIR_C2S, first - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, server - 1, first, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, first, server, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_segment(&k, DIR_C2S, first, server, DESK_ACK, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_S2C, server, first, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, first, server, DESK_ACK, pdu, 11), OUTCOME_DROP);
	/* This acknowledgement may have been under way when the SYN reached the server. */
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, first, server, DESK_ACK, pdu, 12), OUTCOME_DROP);
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, first, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
}

/* The client begins with its old number, the server with a new one; once with a SYN-ACK that is
 * lost before it reaches the box. */
static void only_the_server_has_another_number(void **state)
{
	uint8_t read[64], write[64];

	(void)state;
	toy_pdu(read, 12, 3);
	toy_pdu(write, 12, TOY_FORBIDDEN);
	for (unsigned lost = 0; lost < 2; lost++) {
		struct conn k = desk_conn(P_TOY);
		uint32_t first, server;

		desk_clear();
		desk_handshake(&k);
		first = k.c;
		server = k.s - 5000;
		assert_int_equal(desk_send(&k, DIR_C2S, read, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_S2C, read, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, first - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
		if (!lost)
			assert_int_equal(desk_segment(&k, DIR_S2C, server - 1, first, DESK_SYN | DESK_ACK, NULL, 0),
					 OUTCOME_ACCEPT);
		else /* the server also states its number when a segment is outside its window */
			assert_int_equal(desk_segment(&k, DIR_S2C, server, first, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, first, server, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, first, server, DESK_ACK, write, 12), OUTCOME_DROP);
		if (!lost)
			continue;
		assert_int_equal(desk_segment(&k, DIR_S2C, server - 1, first, DESK_SYN | DESK_ACK, NULL, 0),
				 OUTCOME_ACCEPT);
		k.c = first;
		k.s = server;
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		goes_on_judged(&k);
	}
}

/* Two SYNs over a live session, and the server accepts the first: bytes from its number on are new
 * to the server, although it has read them before. */
static void dialled_twice_over_a_session(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t read[64], write[64];
	uint32_t first, taken;

	(void)state;
	toy_pdu(read, 12, 3);
	toy_pdu(write, 12, TOY_FORBIDDEN);
	desk_handshake(&k);
	first = k.c;
	for (unsigned n = 0; n < 2; n++) {
		assert_int_equal(desk_send(&k, DIR_C2S, read, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_S2C, read, 12), OUTCOME_ACCEPT);
	}
	taken = first + 12;
	assert_int_equal(desk_segment(&k, DIR_C2S, taken - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, first + 70000, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	k.c = taken;
	k.s -= 5000;
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s - 1, k.c, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	goes_on_judged(&k);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, write, 12), OUTCOME_DROP);
}

/* An allowed request with a forbidden one inside; a server that begins to read in the middle would
 * read the forbidden one. */
#define INSIDE 8u

static void toy_nested(uint8_t *out)
{
	toy_pdu(out, 20, 3);
	toy_pdu(out + INSIDE, 12, TOY_FORBIDDEN);
}

/* One request and its answer; the answer acknowledges the request. */
static void asks_and_is_answered(struct conn *k)
{
	uint8_t pdu[64];

	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
}

/*
 * A SYN over a live session. Its number points into a request that the client sends afterwards, or
 * has sent without an acknowledgement. The server accepted the SYN, and its answer was lost before
 * it reached the box. Then the server reads the request from its middle.
 */
static void dialled_into_a_request(void **state)
{
	uint8_t nested[64];

	(void)state;
	toy_nested(nested);
	for (unsigned said = 0; said <= 20; said++) {
		struct conn k = desk_conn(P_TOY);
		uint32_t at, server;

		desk_clear();
		desk_handshake(&k);
		asks_and_is_answered(&k);
		at = k.c;
		server = k.s - 5000;
		if (said > 0)
			assert_int_equal(desk_segment(&k, DIR_C2S, at, k.s, DESK_ACK, nested, said), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, at + INSIDE - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
		/* The server states its number because a segment was outside its window; another
		 * segment of the old session was still under way. */
		desk_segment(&k, DIR_S2C, server, at + INSIDE, DESK_ACK, NULL, 0);
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, at, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, at + INSIDE, server, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, at, server, DESK_ACK, nested, 20), OUTCOME_DROP);
		assert_int_equal(desk_segment(&k, DIR_C2S, at, server, DESK_ACK, nested, INSIDE), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, at + INSIDE, server, DESK_ACK, nested + INSIDE, 12),
				 OUTCOME_DROP);
		/* The SYN-ACK came after all: from there on the new session is judged. */
		assert_int_equal(desk_segment(&k, DIR_S2C, server - 1, at + INSIDE, DESK_SYN | DESK_ACK, NULL, 0),
				 OUTCOME_ACCEPT);
		k.c = at + INSIDE;
		k.s = server;
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		goes_on_judged(&k);
	}
}

/* The same with a SYN whose number lies before the acknowledged bytes, or before the session; the
 * first of several SYNs was accepted. */
static void dialled_behind_a_session(void **state)
{
	uint8_t write[64];

	(void)state;
	toy_pdu(write, 12, TOY_FORBIDDEN);
	for (unsigned how = 0; how < 8; how++) {
		struct conn k = desk_conn(P_TOY);
		bool asked = how & 1, another = how & 2, under_way = how & 4;
		uint32_t taken;

		desk_clear();
		desk_handshake(&k);
		if (asked)
			asks_and_is_answered(&k);
		taken = k.c - 12;
		assert_int_equal(desk_segment(&k, DIR_C2S, taken - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
		if (another)
			assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 70000, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
		if (under_way)
			assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s - 5000, taken, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, taken, k.s - 5000, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, taken, k.s - 5000, DESK_ACK, write, 12), OUTCOME_DROP);
	}
}

/*
 * The server accepted and answered the first of two SYNs, and then the second, whose answer was
 * lost. What the client sends after the first answer may be read from the second SYN's number on,
 * in the middle of a request.
 */
static void answered_before_the_last(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t nested[64], write[64];
	uint32_t at;

	(void)state;
	toy_nested(nested);
	toy_pdu(write, 12, TOY_FORBIDDEN);
	desk_handshake(&k);
	asks_and_is_answered(&k);
	at = k.c + 5000;
	assert_int_equal(desk_segment(&k, DIR_C2S, at - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, at + INSIDE - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	k.c = at;
	k.s += 5000;
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s - 1, k.c, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, nested, 20), OUTCOME_DROP);
	/* The answer to the second SYN came after all. */
	k.c = at + INSIDE;
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s - 1, k.c, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	goes_on_judged(&k);
	assert_int_equal(desk_segment(&k, DIR_C2S, at, k.s, DESK_ACK, write, 12), OUTCOME_DROP);
}

/* The SYN of the session is repeated, and the server accepts it. Bytes ahead of a gap would be kept
 * by the server for the new session, but the inspector would have no copy: so they do not pass. */
static void ahead_of_its_own_number(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t read[64], write[64];
	uint32_t first;

	(void)state;
	toy_pdu(read, 12, 3);
	toy_pdu(write, 12, TOY_FORBIDDEN);
	desk_handshake(&k);
	first = k.c;
	assert_int_equal(desk_segment(&k, DIR_C2S, first - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	assert_int_not_equal(desk_segment(&k, DIR_C2S, first + 12, k.s, DESK_ACK, write, 12), OUTCOME_ACCEPT);
	k.s += 5000;
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s - 1, first, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, first, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	goes_on_judged(&k);
}

/* The SYN of the session is repeated, and bytes of the old session are acknowledged by a segment
 * that was still under way. */
static void acknowledged_under_way(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t read[64], write[64];
	uint32_t first;

	(void)state;
	toy_pdu(read, 12, 3);
	toy_pdu(write, 12, TOY_FORBIDDEN);
	desk_handshake(&k);
	first = k.c;
	assert_int_equal(desk_send(&k, DIR_C2S, read, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, first - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, read, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, first, k.s - 5000, DESK_ACK, write, 12), OUTCOME_DROP);
}

/* The client sent more after its SYN. A server that accepted the SYN has these bytes ahead of a
 * gap. When its answer comes, both ends have to begin again. */
static void went_on_behind_its_number(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t read[64];

	(void)state;
	toy_pdu(read, 12, 3);
	desk_handshake(&k);
	asks_and_is_answered(&k);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 3, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, read, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s + 5000, k.c - 2, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 2, k.s + 5001, DESK_ACK, read, 2), OUTCOME_DROP);
	desk_clear();
	k.c += 5000;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	goes_on_judged(&k);
}

/* The SYN was repeated, once before the answer came and once after it: the session has sent nothing
 * yet, and begins. */
static void said_again_at_the_beginning(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	desk_handshake(&k);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	goes_on_judged(&k);
}

/*
 * A server with SYN cookies keeps nothing of a handshake. It accepts the handshake that the client
 * completes, and the third segment of the other one need not pass here. Bytes between the two
 * initial numbers were never part of this session.
 */
static void said_before_its_beginning(void **state)
{
	struct conn k = desk_conn(P_TOY), first = k;
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 1, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 1, 0, DESK_RST, NULL, 0), OUTCOME_ACCEPT);
	k.c += 12;
	k.s += 12;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	for (uint32_t cut = 0; cut < 12; cut++)
		assert_int_equal(
			desk_segment(&k, DIR_C2S, first.c + 1 + cut, first.s + 1, DESK_ACK, pdu + cut, 12 - cut),
			cut < 11 ? OUTCOME_DROP : OUTCOME_ACCEPT);
	/* The single byte of a keep-alive passes, and so do later repetitions. */
	toy_pdu(pdu, 12, 3);
	asks_and_is_answered(&k);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 12, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	goes_on_judged(&k);
}

/*
 * The server still has an older session, in which it waits for the rest of a request. It refuses
 * the SYN and states which byte it lacks: the one with the SYN's number. A keep-alive would deliver
 * this byte.
 */
static void no_keep_alive_before_an_answer(void **state)
{
	struct conn k = desk_conn(P_TOY_PICK_UP);
	uint8_t byte = 0;

	(void)state;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, &byte, 1), OUTCOME_DROP);
		desk_segment(&k, DIR_C2S, k.c + 1, 0, DESK_RST, NULL, 0);
	}
}

/* If nothing shows whether the server knows the session, it is ended soon: a client that is alive
 * connects again. */
static void stays_in_doubt(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t nested[64];

	(void)state;
	toy_nested(nested);
	desk_handshake(&k);
	asks_and_is_answered(&k);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + INSIDE - 1, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	for (unsigned n = 0; n < 4; n++) {
		assert_int_equal(desk.n_resets, 0);
		assert_int_equal(desk_send(&k, DIR_C2S, nested, 20), OUTCOME_DROP);
	}
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
	assert_int_equal(desk.resets[0].to_client.seq, k.s);
	desk_clear();
	k.c += 5000;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	goes_on_judged(&k);
}

/* In a capture the answer to such a SYN may be missing: what follows belongs to the new session. */
static void dialled_in_a_capture(void **state)
{
	struct conn k = desk_conn(P_TOY);
	size_t before;

	(void)state;
	desk_handshake(&k);
	asks_and_is_answered(&k);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 9000, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	k.c += 9001;
	k.s += 70000;
	before = desk.n_pdus;
	for (unsigned n = 0; n < 3; n++)
		asks_and_is_answered(&k);
	assert_true(desk.n_pdus >= before + 5);
}

/* SYNs in the client's name, which the server does not answer, do not stop the client's session.
 * (If the number of such a SYN lay in the next request, it would end the session, just as a RST
 * with the next number does.) */
static void dialled_in_anothers_name(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	for (uint32_t n = 0; n < 1000; n++) {
		const uint32_t numbers[] = { k.c + 12 + n, k.c - 2 - n, k.c + 0x40000000u, k.c - 0x40000000u };

		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(desk_segment(&k, DIR_C2S, numbers[i], 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
		asks_and_is_answered(&k);
		/* A lost segment is repeated, once the server has shown that it knows the
		 * session. */
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 12, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	}
	goes_on_judged(&k);
}

/* A new worker, while the server still has an older session: the client gets the server's challenge
 * ACK, whatever its number is. */
static void challenge_of_an_older_session(void **state)
{
	(void)state;
	for (unsigned far = 0; far < 2; far++) {
		struct conn k = desk_conn(P_TOY);

		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + (far ? 900000 : 0u - 900000), DESK_ACK, NULL, 0),
				 OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 900000, DESK_ACK, "x", 1), OUTCOME_DROP);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + (far ? 900000 : 0u - 900000), 0, DESK_RST, NULL, 0),
				 OUTCOME_ACCEPT);
		assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	}
}

/* A record about a protocol that no conduit promises names a conduit that decides, wherever the
 * shadow stands in the policy. */
static void no_record_names_a_shadow(void **state)
{
	struct conn k;

	desk_shadows = true;
	teardown(state);
	setup(state);
	desk_shadows = false;
	k = desk_conn(P_TOY);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "GET / HTTP/1.1\r\n\r\n"), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_WRONG_PROTOCOL), 1);
	assert_int_equal(desk.events[desk.n_events - 1].conduit, P_TOY);
	assert_int_equal(desk.events[desk.n_events - 1].line, 100 + P_TOY);
}

/* A request that only the shadow's rows would refuse passes, and is recorded once under the
 * shadow's name. A request that is refused anyway is recorded as refused. */
static void a_shadow_records(void **state)
{
	uint8_t more[12], read[12], forbidden[12];
	uint32_t at;
	struct conn k;

	desk_shadows = true;
	teardown(state);
	setup(state);
	desk_shadows = false;
	toy_pdu(more, 12, TOY_READ_MAX + 1);
	toy_pdu(read, 12, TOY_READ_MAX);
	toy_pdu(forbidden, 12, TOY_FORBIDDEN);
	for (unsigned permit = P_TOY; permit <= P_TOY_OBSERVE; permit++) {
		k = desk_conn(permit);
		desk_handshake(&k);
		desk_clear();
		assert_int_equal(desk_send(&k, DIR_C2S, read, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk.n_events, 0);
		at = k.c;
		assert_int_equal(desk_send(&k, DIR_C2S, more, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, at, k.s, DESK_ACK, more, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk.n_events, 1);
		assert_int_equal(desk.events[0].kind, EVENT_PDU);
		assert_int_equal(desk.events[0].verdict, EV_OBSERVE);
		assert_int_equal(desk.events[0].reason, R_MODBUS_FUNCTION);
		assert_int_equal(desk.events[0].conduit, P_COUNT);
		assert_int_equal(desk.n_resets, 0);
	}
	/* In observe mode both the conduit and its shadow would refuse it. */
	desk_clear();
	assert_int_equal(desk_send(&k, DIR_C2S, forbidden, 12), OUTCOME_ACCEPT);
	assert_int_not_equal(desk_send(&k, DIR_C2S, forbidden, 12), OUTCOME_DROP);
	k = desk_conn(P_TOY);
	desk_handshake(&k);
	desk_clear();
	assert_int_equal(desk_send(&k, DIR_C2S, forbidden, 12), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_FUNCTION), 1);
	assert_int_equal(desk.events[0].conduit, P_TOY);
}

/* However many records a shadow causes: a refusal has a record of its own, and records without room
 * are counted with their own verdict. */
static void a_shadow_hides_no_refusal(void **state)
{
	uint64_t sums[EVENT_VERDICT_COUNT] = { 0 };
	uint8_t more[12], forbidden[12];
	struct conn k;

	desk_shadows = true;
	teardown(state);
	setup(state);
	desk_shadows = false;
	toy_pdu(more, 12, TOY_READ_MAX + 1);
	toy_pdu(forbidden, 12, TOY_FORBIDDEN);
	k = desk_conn(P_TOY);
	desk_handshake(&k);
	desk_clear();
	for (unsigned n = 0; n < 3000; n++)
		assert_int_equal(desk_send(&k, DIR_C2S, more, 12), OUTCOME_ACCEPT);
	assert_true(desk.n_events < 3000);
	assert_int_equal(desk_send(&k, DIR_C2S, forbidden, 12), OUTCOME_DROP);
	assert_int_equal(desk.events[desk.n_events - 1].verdict, EV_DENY);
	assert_int_equal(desk.events[desk.n_events - 1].conduit, P_TOY);
	desk_now += 2000000000u;
	inspector_tick(desk_i);
	for (size_t n = 0; n < desk.n_events; n++)
		sums[desk.events[n].verdict] += desk.events[n].reason == R_MODBUS_FUNCTION ? desk.events[n].count : 0;
	assert_int_equal(sums[EV_OBSERVE], 3000);
	/* the request, and the session that the request ended */
	assert_int_equal(sums[EV_DENY], 2);
}

static void other_protocol_on_the_port(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "GET / HTTP/1.1\r\n\r\n"), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_WRONG_PROTOCOL), 1);
	assert_int_equal(desk.events[desk.n_events - 1].protocol, PROTO_HTTP);
	assert_int_equal(desk.n_resets, 1);
	k = desk_conn(P_TOY);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, "\xff\xff\xff\xff", 4), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_MODBUS_FRAME), 1);
}

/* In a capture: bytes of one connection that could not be read do not count for the next connection
 * on the same ports. */
static void unread_in_one_connection(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_send(&k, DIR_C2S, "\x03\x04\x05", 3); /* met half-way, in the middle of a PDU */
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	desk_send(&k, DIR_C2S, pdu, 12);
	desk_send(&k, DIR_S2C, pdu, 12);
	inspector_finish(desk_i);
	assert_int_equal(desk.n_flows, 2);
	assert_int_equal(desk.flows[0].info.n, 1);
	assert_int_equal(desk.flows[0].info.unread, 3);
	assert_int_equal(desk.flows[1].info.n, 2);
	assert_int_equal(desk.flows[1].info.unread, 0);
	assert_false(desk.flows[1].info.lost_place);
}

static void observe_stops_nothing(void **state)
{
	struct conn k = desk_conn(P_TOY_OBSERVE);
	uint8_t train[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(train, 12, TOY_FORBIDDEN);
	toy_pdu(train + 12, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_send(&k, DIR_C2S, train, 24), OUTCOME_ACCEPT);
	assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_FUNCTION), 2);
	assert_int_equal(desk.flows[0].v, EV_OBSERVE);
	assert_int_equal(desk_send(&k, DIR_C2S, "junk", 4), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, train, 24), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK | DESK_URG, train, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_resets, 0);
	assert_int_equal(stats().dropped, 0);
	/* This holds for a session that was met half-way as well. */
	k = desk_conn(P_TOY_OBSERVE);
	assert_int_equal(desk_send(&k, DIR_C2S, train + 3, 5), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, train, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_resets, 0);
}

/* The office opens as many sessions as it likes: the half-open session of a crane is not forgotten,
 * and there is room for the next crane. */
static void room_is_kept_for_commands(void **state)
{
	struct conn k = desk_conn(P_TOY), office;
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	for (unsigned n = 0; n < 400; n++) {
		office = desk_conn(P_TLS);
		/* sessions of the same share make room */
		assert_int_equal(desk_handshake(&office), OUTCOME_ACCEPT);
	}
	k.c++;
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	k.s++;
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_resets, 0);
	for (unsigned n = 0; n < 8; n++) {
		k = desk_conn(P_TOY);
		assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	}
	assert_int_equal(stats().reasons[R_OVERLOADED], 0);
}

/* Sessions whose receiver acknowledges nothing fill the pool of their share. Sessions of another
 * share notice nothing, even days later. In the same share, the session with most bytes is ended to
 * make room for a small one, and both its ends get a reset. */
static void the_pool_is_shared(void **state)
{
	struct conn greedy[16], safe = desk_conn(P_TOY_SAFETY), small = desk_conn(P_TOY);
	static uint8_t many[12 * 100];

	(void)state;
	for (unsigned n = 0; n < 100; n++)
		toy_pdu(many + (size_t)12 * n, 12, 3);
	small.host = 70;
	desk_handshake(&safe);
	desk_handshake(&small);
	for (unsigned n = 0; n < 16; n++) {
		greedy[n] = desk_conn(P_TOY);
		desk_handshake(&greedy[n]);
		for (unsigned k = 0; k < 400; k++)
			desk_send(&greedy[n], DIR_C2S, many, sizeof(many));
	}
	assert_true(stats().reasons[R_POOL_FULL] > 0);
	assert_true(stats().pool_used > (1u << 20) / 4);
	for (unsigned day = 0; day < 5; day++) {
		desk.n_resets = 0;
		assert_int_equal(desk_send(&safe, DIR_C2S, many, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk.n_resets, 0);
		assert_int_equal(desk_send(&small, DIR_C2S, many, 120), OUTCOME_ACCEPT);
		if (day == 0) { /* the first request made room */
			assert_int_equal(desk.n_resets, 1);
			assert_int_not_equal(desk.resets[0].client_port, small.client_port);
			assert_true(desk.resets[0].to_client.valid && desk.resets[0].to_server.valid);
		}
		desk_now += 20u * 3600u * 1000000000ull;
		inspector_tick(desk_i);
	}
}

/* A worker for commands keeps no room for lanes for naming, which other workers have, nor the other
 * way round. */
static void room_for_its_own_kind(void **state)
{
	(void)state;
	for (uint32_t kinds = 1; kinds < 4; kinds++) {
		uint32_t flows[LANE_KINDS] = { 0 }, pool[LANE_KINDS] = { 0 };
		struct inspector_limits l = { .flows = 64, .pool_bytes = 1u << 20, .table_bytes = 1u << 16 };

		desk_close();
		l.kinds = kinds;
		desk_open(l);
		for (uint32_t s = 0; s < SHARE_LANES; s++) {
			flows[s / CRITICALITIES] += stats().shares[s].flows_part;
			pool[s / CRITICALITIES] += stats().shares[s].pool_part;
		}
		for (uint32_t k = 0; k < LANE_KINDS; k++) {
			bool own = (kinds >> k & 1u) != 0, alone = kinds != 3;

			assert_true(own ? flows[k] >= (alone ? 56u : 10u) : flows[k] == 0);
			assert_true(own ? pool[k] > (alone ? 900000u : 200000u) : pool[k] == 0);
		}
	}
}

static void cut_lane(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];
	size_t n;

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	desk_send(&k, DIR_C2S, pdu, 12);
	n = desk_tcp(&k, DIR_S2C, k.s, k.c, DESK_ACK, pdu, 12);
	assert_int_equal(desk.outcome[desk_hand(n, P_TOY, LANE_CUT, false)], OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk.resets[0].lane, LANE_CUT);
	assert_int_equal(desk.resets[0].to_client.seq, k.s);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
	assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
	/* A flow that the worker does not know, with an unknown permit. */
	k = desk_conn(P_TOY);
	n = desk_tcp(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 12);
	assert_int_equal(desk.outcome[desk_hand(n, 4000, LANE_CUT, false)], OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 3);
	assert_int_equal(desk.resets[1].to_client.seq, k.s);
	assert_int_equal(desk.resets[1].to_server.seq, k.c);
	/* A SYN-ACK in a session that is followed: both ends get a reset with the numbers of the
	 * SYN-ACK, so that the client does not try again. */
	k = desk_conn(P_TOY);
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, pdu, 12);
	desk_clear();
	n = desk_tcp(&k, DIR_S2C, 555000u, 666001u, DESK_SYN | DESK_ACK, NULL, 0);
	assert_int_equal(desk.outcome[desk_hand(n, 4000, LANE_CUT, false)], OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_true(desk.resets[0].to_client.valid && desk.resets[0].to_client.with_ack);
	assert_int_equal(desk.resets[0].to_client.ack, 666001u);
	assert_int_equal(desk.resets[0].to_server.seq, 666001u);
	assert_int_equal(desk.resets[0].to_server.ack, 555001u);
	assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
	/* Such packets never pass, even if the permit only observes. */
	k = desk_conn(P_TOY_OBSERVE);
	desk_handshake(&k);
	n = desk_tcp(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 12);
	assert_int_equal(desk.outcome[desk_hand(n, P_TOY_OBSERVE, LANE_CUT, false)], OUTCOME_DROP);
}

/* Segments that connection tracking calls invalid are dropped, and both ends are proposed for a
 * reset, which the gate sends if there is no session. A flow that is alive gets no reset. */
static void strays(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];
	size_t n;

	(void)state;
	toy_pdu(pdu, 12, 3);
	n = desk_tcp(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0);
	assert_int_equal(desk.outcome[desk_hand_as(n, MARK_STRAY, false) % DESK_IDS], OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_true(desk.resets[0].stray);
	assert_int_equal(desk.resets[0].to_client.seq, k.s);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
	assert_int_equal(stats().flows, 0);
	n = desk_tcp(&k, DIR_C2S, k.c, k.s, DESK_RST | DESK_ACK, NULL, 0);
	assert_int_equal(desk.outcome[desk_hand_as(n, MARK_STRAY, false) % DESK_IDS], OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1); /* a RST is never answered by a RST */
	/* A segment far outside the windows of a live flow, and at once a forbidden command: the
	 * reset because of the command is sent all the same. */
	desk_handshake(&k);
	n = desk_tcp(&k, DIR_C2S, k.c + 500000, k.s, DESK_ACK, pdu, 12);
	assert_int_equal(desk.outcome[desk_hand_as(n, MARK_STRAY, false) % DESK_IDS], OUTCOME_DROP);
	desk.n_resets = 0;
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_false(desk.resets[0].stray);
}

static void unreadable_packets(void **state)
{
	struct conn k = desk_conn(P_TOY_OBSERVE);
	struct packet p = { .id = 5000, .mark = mark_make(P_TOY_OBSERVE, 40, MARK_UNJUDGED), .truncated = true };
	size_t n;

	(void)state;
	inspector_packet(desk_i, &p);
	assert_int_equal(desk.outcome[5000], OUTCOME_DROP);
	n = desk_tcp(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0);
	desk_packet[n - 1] ^= 1;
	assert_int_equal(desk.outcome[desk_hand(n, P_TOY_OBSERVE, 40, false)], OUTCOME_DROP);
	assert_int_equal(stats().reasons[R_CHECKSUM], 1);
	n = desk_tcp(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0);
	assert_int_equal(desk.outcome[desk_hand(n, 999, 40, false)], OUTCOME_DROP);
	assert_int_equal(stats().reasons[R_UNKNOWN_PERMIT], 1);
}

static void a_full_table_forgets_the_cheapest(void **state)
{
	uint8_t pdu[64];
	struct conn live[60];

	(void)state;
	toy_pdu(pdu, 12, 3);
	/* One host with many sessions, and two other hosts. */
	for (unsigned n = 0; n < 60; n++) {
		live[n] = desk_conn(P_TOY);
		live[n].host = n < 2 ? 80 : 0;
		assert_int_equal(desk_handshake(&live[n]), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&live[n], DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	}
	for (unsigned n = 0; n < 100; n++) {
		struct conn k = desk_conn(P_TOY);

		k.host = (uint8_t)(n % 3);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	}
	assert_int_equal(desk_send(&live[0], DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&live[1], DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(stats().reasons[R_OVERLOADED], 0);
}

static void gso_frame_of_many_commands(void **state)
{
	static uint8_t train[60000];
	struct conn k = desk_conn(P_TOY);
	size_t n = 0;

	(void)state;
	desk_handshake(&k);
	while (n + 60 <= sizeof(train))
		n += toy_pdu(train + n, 60, 3);
	assert_int_equal(desk_send(&k, DIR_C2S, train, n), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	toy_pdu(train + 60 * 700, 60, TOY_FORBIDDEN);
	assert_int_equal(desk_send(&k, DIR_C2S, train, n), OUTCOME_DROP);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
}

static void pool_full_drops_and_goes_on(void **state)
{
	static uint8_t train[60000];
	struct conn k = desk_conn(P_TOY);
	size_t n = 0, sent = 0;

	(void)state;
	desk_handshake(&k);
	while (n + 60 <= sizeof(train))
		n += toy_pdu(train + n, 60, 3);
	while (desk_send(&k, DIR_C2S, train, n) == OUTCOME_ACCEPT)
		sent++;
	assert_int_equal(sent, 262144 / 60000); /* the bound of one flow */
	assert_int_equal(stats().reasons[R_POOL_FULL], 1);
	assert_int_equal(desk.n_resets, 0);
	desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
	assert_int_equal(desk_send(&k, DIR_C2S, train, n), OUTCOME_ACCEPT);
}

static void counts_are_written(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];
	uint64_t sum = 0;

	(void)state;
	desk_handshake(&k);
	for (uint8_t f = 1; f <= 20; f++)
		for (uint8_t n = 0; n < f; n++)
			desk_send(&k, DIR_C2S, pdu, toy_pdu(pdu, 12, f));
	assert_true(inspector_tick(desk_i) <= 3600000000000u);
	desk_now += 3600000000000u;
	inspector_tick(desk_i);
	for (size_t n = 0; n < desk.n_events; n++) {
		if (desk.events[n].kind != EVENT_COUNTS)
			continue;
		sum += desk.events[n].count;
		if (desk.events[n].function != 0)
			assert_int_equal(desk.events[n].count, desk.events[n].function);
	}
	assert_int_equal(sum, 210);
	assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 20);
}

/* PDUs that were accepted under one generation are reported under this generation, also when the
 * next generation has come. */
static void counts_keep_their_generation(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64], digest[32];
	size_t n;
	uint8_t *image = desk_image(1, &n);
	uint64_t by[3] = { 0 };

	(void)state;
	inspector_generations(desk_i, (struct event_generation){ 1, 11 }, bytes_of(NULL, 0));
	toy_pdu(pdu, 12, 3);
	desk_handshake(&k);
	for (int i = 0; i < 3; i++)
		desk_send(&k, DIR_C2S, pdu, 12);
	assert_true(inspector_table(desk_i, bytes_of(image, n), digest));
	inspector_generations(desk_i, (struct event_generation){ 2, 22 }, bytes_of(NULL, 0));
	for (int i = 0; i < 4; i++)
		desk_send(&k, DIR_C2S, pdu, 12);
	desk_now += 3600000000000u;
	inspector_tick(desk_i);
	for (size_t e = 0; e < desk.n_events; e++)
		if (desk.events[e].kind == EVENT_COUNTS && desk.events[e].generation.number < 3) {
			assert_int_equal(desk.events[e].generation.digest, 11 * desk.events[e].generation.number);
			by[desk.events[e].generation.number] += desk.events[e].count;
		}
	assert_int_equal(by[0], 0);
	assert_int_equal(by[1], 3);
	assert_int_equal(by[2], 4);
	free(image);
}

/*
 * During an apply the table holds the old permits beside the new ones. A PDU that was judged by an
 * old permit is reported, accepted or refused, under the generation of this permit.
 */
static void permits_keep_their_generation(void **state)
{
	struct conn old = desk_conn(P_TOY), new = desk_conn(P_TOY_2);
	uint8_t pdu[64], of_permits[12 * P_TOY_2], seen[2][2] = { { 0 } };
	struct outbuf o = outbuf_of(of_permits, sizeof(of_permits));

	(void)state;
	new.client_port = (uint16_t)(old.client_port + 1);
	for (uint32_t permit = 1; permit <= P_TOY_2; permit++)
		event_generation_put(&o, permit == P_TOY ? (struct event_generation){ 1, 11 }
							 : (struct event_generation){ 2, 22 });
	inspector_generations(desk_i, (struct event_generation){ 2, 22 }, bytes_of(of_permits, sizeof(of_permits)));
	desk_handshake(&old);
	desk_handshake(&new);
	toy_pdu(pdu, 12, 3);
	desk_send(&old, DIR_C2S, pdu, 12);
	desk_send(&new, DIR_C2S, pdu, 12);
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	desk_send(&old, DIR_C2S, pdu, 12);
	desk_send(&new, DIR_C2S, pdu, 12);
	desk_now += 3600000000000u;
	inspector_tick(desk_i);
	for (size_t e = 0; e < desk.n_events; e++) {
		const struct event *ev = &desk.events[e];

		if (ev->permit != P_TOY && ev->permit != P_TOY_2)
			continue;
		assert_int_equal(ev->generation.number, ev->permit == P_TOY ? 1 : 2);
		assert_int_equal(ev->generation.digest, ev->permit == P_TOY ? 11 : 22);
		seen[ev->permit == P_TOY][ev->kind == EVENT_COUNTS]++;
	}
	for (int k = 0; k < 4; k++)
		assert_true(seen[k / 2][k % 2] > 0);
}

static void relabelled_flows(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, pdu, 12);
	k.permit = P_TOY_2; /* promises the same */
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	k.permit = P_TLS; /* promises something else */
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
}

static void a_new_table_counts_at_once(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64], digest[32], again[32];
	size_t n;
	uint8_t *image = desk_image(P_TOY_OBSERVE, &n);

	(void)state;
	toy_pdu(pdu, 12, 3);
	desk_handshake(&k);
	assert_true(inspector_table(desk_i, bytes_of(image, n), digest));
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP);
	assert_int_equal(stats().reasons[R_UNKNOWN_PERMIT], 1);
	image[n / 2] ^= 0x55;
	image[n - 1] ^= 0x55;
	if (!inspector_table(desk_i, bytes_of(image, n - 3), again))
		assert_memory_equal(digest, again, 32);
	else
		fail();
	free(image);
}

static void refusals_beyond_the_budget_are_counted(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint64_t sum = 0;

	(void)state;
	for (unsigned n = 0; n < 3000; n++)
		desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN | DESK_FIN, NULL, 0);
	assert_true(desk.n_events < 1100);
	desk_now += 2000000000u;
	inspector_tick(desk_i);
	for (size_t n = 0; n < desk.n_events; n++)
		sum += desk.events[n].count;
	assert_int_equal(sum, 3000);
}

/* The reason that the outside was told for the last packet. */
static enum reason told(void)
{
	return (enum reason)desk.why[desk_id % DESK_IDS];
}

static void captures_are_read_across_gaps(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t train[64];

	(void)state;
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, TOY_FORBIDDEN);
	/* A capture without a handshake, with a wrong checksum, then with a gap; sessions go on
	 * after requests that would have been refused. */
	assert_int_equal(desk_send(&k, DIR_C2S, train, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, train + 12, 12), OUTCOME_ACCEPT);
	assert_int_equal(told(), R_MODBUS_FUNCTION);
	k.c += 12;
	assert_int_equal(desk_send(&k, DIR_C2S, train, 12), OUTCOME_ACCEPT);
	assert_int_equal(told(), R_ALLOWED);
	k.c += 500;
	assert_int_equal(desk_send(&k, DIR_C2S, train, 12), OUTCOME_ACCEPT);
	/* Bytes that are no PDU do not end the session either: the next PDU behind them is
	 * found. */
	assert_int_equal(desk_send(&k, DIR_C2S, "junk", 4), OUTCOME_ACCEPT);
	assert_int_equal(told(), R_MODBUS_FRAME);
	assert_int_equal(desk_send(&k, DIR_C2S, train, 12), OUTCOME_ACCEPT);
	inspector_finish(desk_i);
	assert_int_equal(desk.n_pdus, 5);
	assert_int_equal(desk.n_resets, 0);
	assert_true(desk.flows[desk.n_flows - 1].info.midstream);
	assert_int_equal(desk.flows[desk.n_flows - 1].v, EV_OBSERVE);
	assert_true(desk.pdus[4].offset > desk.pdus[3].offset);
}

/* If a permit only observes, the caller is told why something would not have passed: PDUs, packets,
 * and all packets of a flow that is no longer inspected. */
static void observed_packets_say_why(void **state)
{
	struct conn k = desk_conn(P_TOY_OBSERVE);
	uint8_t pdu[64];
	size_t n;

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	desk_handshake(&k);
	assert_int_equal(told(), R_HANDSHAKE);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(told(), R_MODBUS_FUNCTION);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK | DESK_URG, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(told(), R_URGENT);
	n = desk_tcp(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 12);
	assert_int_equal(desk.outcome[desk_hand(n, P_TOY_OBSERVE, LANE_CUT, false)], OUTCOME_DROP);
	assert_int_equal(told(), R_ENDED);
	/* Data in a SYN. */
	k = desk_conn(P_TOY_OBSERVE);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(told(), R_SYN_DATA);
	/* Another protocol: the flow is no longer inspected. */
	k = desk_conn(P_TLS_OBSERVE);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "GET / HTTP/1.1\r\n\r\n"), OUTCOME_CONFIRMED);
	assert_int_equal(told(), R_WRONG_PROTOCOL);
	assert_int_equal(desk_text(&k, DIR_S2C, "HTTP/1.1 200 OK\r\n\r\n"), OUTCOME_CONFIRMED);
	assert_int_equal(told(), R_WRONG_PROTOCOL);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_RST | DESK_ACK, NULL, 0), OUTCOME_CONFIRMED);
	assert_int_equal(told(), R_ALLOWED);
	/* If the permit enforces, a dropped packet has the same reason. */
	k = desk_conn(P_TOY);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP);
	assert_int_equal(told(), R_MODBUS_FUNCTION);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(allowed_command_passes),
		T(forbidden_command_is_cut_and_heard),
		T(split_write_never_completes),
		T(resets_are_said_again),
		T(a_crowd_is_told_in_parts),
		T(reset_by_what_an_end_has),
		T(challenged_reset_is_sent_again),
		T(trains),
		T(repetition_must_be_the_same),
		T(acknowledged_bytes_are_past),
		T(reversed_order_waits),
		T(reversed_forbidden_is_cut),
		T(waiting_ends_after_ten_milliseconds),
		T(waiting_is_bounded_and_must_agree),
		T(impossible_segments),
		T(data_before_the_handshake),
		T(fin_games),
		T(rst_closes_for_good),
		T(syn_on_a_live_session),
		T(no_record_names_a_shadow),
		T(a_shadow_records),
		T(a_shadow_hides_no_refusal),
		T(other_protocol_on_the_port),
		T(observe_stops_nothing),
		T(observed_packets_say_why),
		T(room_is_kept_for_commands),
		T(the_pool_is_shared),
		T(room_for_its_own_kind),
		T(cut_lane),
		T(strays),
		T(both_ends_dial_anew),
		T(both_ends_dial_anew_with_the_same_numbers),
		T(only_the_server_has_another_number),
		T(dialled_twice_over_a_session),
		T(dialled_into_a_request),
		T(dialled_behind_a_session),
		T(answered_before_the_last),
		T(ahead_of_its_own_number),
		T(acknowledged_under_way),
		T(went_on_behind_its_number),
		T(said_again_at_the_beginning),
		T(said_before_its_beginning),
		T(no_keep_alive_before_an_answer),
		T(stays_in_doubt),
		T(dialled_in_anothers_name),
		T(challenge_of_an_older_session),
		T(unreadable_packets),
		T(a_full_table_forgets_the_cheapest),
		T(gso_frame_of_many_commands),
		T(pool_full_drops_and_goes_on),
		T(counts_are_written),
		T(counts_keep_their_generation),
		T(permits_keep_their_generation),
		T(relabelled_flows),
		T(a_new_table_counts_at_once),
		T(refusals_beyond_the_budget_are_counted),
		cmocka_unit_test_setup_teardown(captures_are_read_across_gaps, setup_capture, teardown_capture),
		cmocka_unit_test_setup_teardown(unread_in_one_connection, setup_capture, teardown_capture),
		cmocka_unit_test_setup_teardown(dialled_in_a_capture, setup_capture, teardown_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
