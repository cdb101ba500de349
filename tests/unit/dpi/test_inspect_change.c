/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector when the policy changes: a flow's whole life under one permit, and what becomes of
 * a flow whose permit changes.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/inspect/deeds.h"
#include "tests/unit/dpi/inspect_setup.h"

/* Both ends of an observed session send FIN while bytes before a gap are still missing; then the
 * session goes on. */
static void closed_and_heard_again(void **state)
{
	static const uint32_t permits[] = { P_TOY_OBSERVE, P_TOY_PICK_UP, P_TOY_HOLD_PICK_UP };
	uint8_t pdu[64];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct conn k = desk_conn(permits[i]);

		toy_pdu(pdu, 12, 3);
		desk_handshake(&k);
		/* behind a gap of one byte */
		desk_segment(&k, DIR_C2S, k.c + 1, k.s, DESK_ACK, pdu + 1, 6);
		desk_now += 11000000u;
		inspector_tick(desk_i);
		desk_segment(&k, DIR_C2S, k.c + 7, k.s, DESK_ACK | DESK_FIN, NULL, 0);
		desk_segment(&k, DIR_S2C, k.s, k.c + 8, DESK_ACK | DESK_FIN, NULL, 0);
		desk_now += 11000000u;
		inspector_tick(desk_i);
		desk_segment(&k, DIR_C2S, k.c + 8, k.s + 1, DESK_ACK, pdu, 12);
		desk_now += 11000000u;
		inspector_tick(desk_i);
		/* If the permit holds, the server's acknowledgement shows that a full queue let the
		 * first byte pass. */
		assert_int_equal(desk.outcome[desk_id], permits[i] == P_TOY_PICK_UP ? OUTCOME_DROP : OUTCOME_ACCEPT);
	}
}

static struct cut_session ends_of(const struct conn *k)
{
	return (struct cut_session){ .client = { .family = 4, .b = { 10, 20, 0, (uint8_t)(10 + k->host) } },
				     .server = { .family = 4, .b = { 10, 30, 1, 10 } },
				     .client_port = k->client_port,
				     .server_port = k->server_port };
}

/* A session in which nobody sends. Its sequence numbers are known, so both ends get a reset as soon
 * as the session is cut. */
static void an_idle_session_is_cut_at_once(void **state)
{
	struct conn k = desk_conn(P_TOY), other = desk_conn(P_TOY), half = desk_conn(P_TOY_PICK_UP);
	struct cut_session s;
	uint8_t pdu[64];
	const struct reset_record *r = &desk.resets[0];

	(void)state;
	toy_pdu(pdu, 12, 3);
	desk_handshake(&k);
	desk_handshake(&other);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	s = ends_of(&k);
	inspector_cut(desk_i, &s, 1504);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(r->queue, 1504);
	assert_int_equal(r->lane, LANE_CUT);
	assert_false(r->stray);
	assert_true(r->to_client.valid && r->to_server.valid);
	assert_int_equal(r->to_server.seq, k.c);
	assert_int_equal(r->to_client.seq, k.s);
	assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
	/* Only one reset, however often the session is cut. The other session goes on, and an
	 * unknown session causes no reset. */
	inspector_cut(desk_i, &s, 1504);
	s.client_port = 1;
	inspector_cut(desk_i, &s, 1504);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk_send(&other, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	/* Met half-way and not picked up: its sequence numbers are not known. */
	desk_segment(&half, DIR_S2C, half.s, half.c, DESK_ACK, NULL, 0);
	s = ends_of(&half);
	inspector_cut(desk_i, &s, 1504);
	assert_int_equal(desk.n_resets, 1);
	/* The reset is repeated until the ends have probably received it. */
	for (unsigned n = 0; n < 20; n++) {
		desk_now += 300000000u;
		inspector_tick(desk_i);
	}
	assert_int_equal(desk.n_resets, 1 + 12 + 6);
}

#define WRITE 20 /* a function that P_TOY allows and P_TOY_READS does not */

/* The server's stack has not accepted a write. When the write is repeated, only reads are
 * allowed. */
static void what_the_server_has_not_taken_is_judged_again(void **state)
{
	uint8_t pdu[64];

	(void)state;
	for (unsigned whole = 0; whole < 2; whole++) {
		struct conn k = desk_conn(P_TOY);
		uint32_t from = k.c + 1;

		desk_clear();
		desk_handshake(&k);
		toy_pdu(pdu, 12, WRITE);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
		k.permit = P_TOY_READS;
		/* The client repeats the whole write, or only the bytes that the server lacks. */
		assert_int_equal(desk_segment(&k, DIR_C2S, from + (whole ? 0 : 5), k.s, DESK_ACK, pdu + (whole ? 0 : 5),
					      whole ? 12 : 7),
				 OUTCOME_DROP);
		assert_int_equal(desk.n_resets, 1);
		assert_true(desk.resets[0].to_client.valid && desk.resets[0].to_server.valid);
		assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_FUNCTION), 1);
		assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
		assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, pdu, 12), OUTCOME_DROP);
		assert_int_equal(stats().pool_used, 0);
	}
}

static void nothing_is_listed(void *ctx, const struct deed *d, const struct pdu *refused)
{
	(void)d;
	(void)refused;
	++*(unsigned *)ctx;
}

/* What a dry run says about a session is what happens at its next packet. */
static void what_is_judged_again_is_foretold(void **state)
{
	uint8_t pdu[64], *image;
	size_t n;

	(void)state;
	for (unsigned taken = 0; taken < 2; taken++) {
		struct conn k = desk_conn(P_TOY);
		struct cut_session s = ends_of(&k);
		struct session_ends ends = { s.client, s.server, s.client_port, s.server_port, 6 };
		struct command_table t;
		struct impact impact;
		unsigned listed = 0;

		desk_handshake(&k);
		toy_pdu(pdu, 12, WRITE);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
		if (taken)
			assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		desk_clear();
		image = desk_image(1, &n);
		assert_true(inspector_try_table(desk_i, bytes_of(image, n), &t));
		inspector_foretell(desk_i, &t, &ends, P_TOY_READS, nothing_is_listed, &listed, &impact);
		free(image);
		assert_true(impact.known);
		assert_int_equal(impact.reason, taken ? R_NONE : R_ENDED);
		assert_int_equal(desk.n_resets + desk.n_events + desk.n_pdus, 0);
		/* A dry run changes nothing: under the old permit the write may still be
		 * repeated. */
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 12, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
		k.permit = P_TOY_READS;
		toy_pdu(pdu, 12, 3);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), taken ? OUTCOME_ACCEPT : OUTCOME_DROP);
		assert_int_equal(desk.n_resets, taken ? 0 : 1);
	}
}

static void count_requests(void *ctx, const struct deed *d, const struct pdu *refused)
{
	(void)refused;
	*(uint64_t *)ctx += d->count;
}

/* A dry run lists requests that waited for their turn only once, however often their segment was
 * repeated. */
static void what_waited_its_turn_is_foretold_once(void **state)
{
	struct conn k = desk_conn(P_TOY_FEW);
	struct cut_session s = ends_of(&k);
	struct session_ends ends = { s.client, s.server, s.client_port, s.server_port, 6 };
	struct command_table t;
	struct impact impact;
	uint8_t pdu[64], train[3 * 12], *image;
	uint64_t requests = 0;
	uint32_t from;
	size_t n;

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	for (unsigned i = 0; i < 3; i++)
		toy_pdu(train + 12 * i, 12, WRITE);
	for (unsigned i = 0; i < TOY_FEW - 2; i++)
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	from = k.c;
	for (unsigned i = 0; i < 2; i++) /* there is room for only two of the three requests */
		assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 36), OUTCOME_DROP);
	for (unsigned i = 0; i < TOY_FEW - 2; i++)
		assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 36), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, from + 36, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	image = desk_image(1, &n);
	assert_true(inspector_try_table(desk_i, bytes_of(image, n), &t));
	inspector_foretell(desk_i, &t, &ends, P_TOY_READS, count_requests, &requests, &impact);
	free(image);
	assert_int_equal(impact.reason, R_NONE);
	assert_int_equal(requests, 3);
}

/* A part of the first bytes is still on its way: it may still become the promised protocol. */
static void a_part_of_a_name_is_foretold(void **state)
{
	struct conn k = desk_conn(P_TLS);
	struct cut_session s = ends_of(&k);
	struct session_ends ends = { s.client, s.server, s.client_port, s.server_port, 6 };
	struct command_table t;
	struct impact impact;
	unsigned listed = 0;
	size_t n;
	uint8_t *image = desk_image(1, &n);

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, "\x16\x03\x01", 3), OUTCOME_ACCEPT);
	assert_true(inspector_try_table(desk_i, bytes_of(image, n), &t));
	inspector_foretell(desk_i, &t, &ends, P_TLS, nothing_is_listed, &listed, &impact);
	free(image);
	assert_true(impact.known);
	assert_int_equal(impact.reason, R_NONE);
}

/* The server's stack has accepted the first half of the write. Repeating the second half would
 * complete it. */
static void a_write_taken_in_part_is_judged_again(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t train[64];
	uint32_t from = k.c + 1;

	(void)state;
	desk_handshake(&k);
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, WRITE);
	assert_int_equal(desk_send(&k, DIR_C2S, train, 24), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, from + 17, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	k.permit = P_TOY_READS;
	assert_int_equal(desk_segment(&k, DIR_C2S, from + 17, k.s, DESK_ACK, train + 17, 7), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
	assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_FUNCTION), 1);
}

/* A change loses nothing that is still allowed and under way, and no answer to a request that the
 * server has. */
static void what_is_still_allowed_goes_on(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	desk_send(&k, DIR_C2S, pdu, 12);
	k.permit = P_TOY_READS;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 12, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	k.permit = P_TOY;
	toy_pdu(pdu, 12, WRITE);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	/* The server acknowledges the write before the policy is narrowed; or its acknowledgement
	 * is the first packet after that. */
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	k.permit = P_TOY_READS;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	k.permit = P_TOY;
	toy_pdu(pdu, 12, WRITE);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	k.permit = P_TOY_READS;
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_resets, 0);
}

/* The first packet after the change comes from the server: the client's write is judged again all
 * the same. */
static void any_packet_finds_it(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, WRITE);
	desk_send(&k, DIR_C2S, pdu, 12);
	k.permit = P_TOY_READS;
	/* The server sends, but does not acknowledge the write. */
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c - 12, DESK_ACK, NULL, 0), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
}

/* When observing ends, requests that were only observed are judged, as far as the server has not
 * acknowledged them. */
static void observed_and_then_enforced(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	k.permit = P_TOY_OBSERVE;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 12, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	k.permit = P_TOY;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 12, k.s, DESK_ACK, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk.flows[desk.n_flows - 1].v, EV_DENY);
	assert_int_equal(desk.flows[desk.n_flows - 1].r, R_ENDED);
}

/* The session `k` does not go on under P_TOY, as a dry run says, and the inspector keeps nothing of
 * it. */
static void is_met_half_way(struct conn *k)
{
	struct cut_session s = ends_of(k);
	struct session_ends ends = { s.client, s.server, s.client_port, s.server_port, 6 };
	struct command_table t;
	struct impact impact;
	unsigned listed = 0;
	uint8_t pdu[64], *image;
	size_t n;

	toy_pdu(pdu, 12, 3);
	image = desk_image(1, &n);
	assert_true(inspector_try_table(desk_i, bytes_of(image, n), &t));
	inspector_foretell(desk_i, &t, &ends, P_TOY, nothing_is_listed, &listed, &impact);
	free(image);
	assert_int_equal(impact.reason, R_MIDSTREAM_RESET);
	k->permit = P_TOY;
	assert_int_equal(desk_send(k, DIR_C2S, pdu, 12), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
	assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 1);
	assert_int_equal(stats().pool_used, 0);
}

/* If the policy only observes, a client may choose the place from which its session is read, for
 * example inside a request. */
static void picked_up_while_observed(void **state)
{
	struct conn k = desk_conn(P_TOY_OBSERVE);
	uint8_t pdu[64];

	(void)state;
	/* A forbidden request of 44 bytes, with three allowed ones inside. */
	toy_pdu(pdu, 44, TOY_FORBIDDEN);
	toy_pdu(pdu + 8, 12, 3);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 8), OUTCOME_ACCEPT);
	k.s += 12; /* the client acknowledges bytes that the server never sent */
	for (unsigned n = 0; n < 2; n++)
		assert_int_equal(desk_send(&k, DIR_C2S, pdu + 8, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_count(EVENT_FLOW, R_PICKED_UP), 1);
	is_met_half_way(&k);
}

/* Bytes that the inspector could not follow passed all the same, and it has no copy of them. So
 * later repetitions cannot be compared. */
static void let_by_while_observed(void **state)
{
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 20, TOY_FORBIDDEN);
	for (unsigned n = 0; n < 2; n++) {
		struct conn k = desk_conn(P_TOY_OBSERVE);

		desk_clear();
		if (n == 0) { /* before the session is open, ahead of its first byte */
			desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0);
			desk_segment(&k, DIR_S2C, k.s, k.c + 1, DESK_SYN | DESK_ACK, NULL, 0);
			k.c++;
			assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s - 9, DESK_ACK, pdu, 19),
					 OUTCOME_ACCEPT);
			k.s++;
			desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0);
		} else { /* behind a SYN that the server may have accepted */
			desk_handshake(&k);
			desk_segment(&k, DIR_C2S, k.c + 3, 0, DESK_SYN, NULL, 0);
			assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 19), OUTCOME_ACCEPT);
		}
		is_met_half_way(&k);
	}
}

/*
 * The worker has lost its place in a session, which may be alive or closed by a reset that its
 * server ignored. The permit allows no pick-up. A later policy that allows pick-ups does not pick
 * this session up. A bare acknowledgement of the server does not turn it into an unknown session.
 */
static void lost_and_then_picked_up(void **state)
{
	static const uint32_t permits[] = { P_TOY, P_TOY_DROP, P_TOY_HOLD };
	uint8_t pdu[64], forbidden[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	toy_pdu(forbidden, 12, TOY_FORBIDDEN);
	/* a live session under `hold` goes on behind the gap, because a full queue may have let the
	 * bytes pass */
	for (unsigned i = 0; i < 5; i++) {
		struct conn k = desk_conn(permits[i % 3]);

		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
		if (i < 3)
			desk_segment(&k, DIR_C2S, k.c, 0, DESK_RST, NULL, 0);
		for (unsigned n = 0; n < 6; n++) {
			desk_segment(&k, DIR_C2S, k.c + 3, k.s + 100, DESK_ACK, pdu, 9);
			desk_now += 11000000u;
			inspector_tick(desk_i);
			assert_int_equal(desk.outcome[desk_id], OUTCOME_DROP);
		}
		k.permit = P_TOY_HOLD_PICK_UP;
		for (unsigned n = 0; n < 4; n++) {
			desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
			desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, forbidden, 3);
			desk_now += 11000000u;
			inspector_tick(desk_i);
			assert_int_equal(desk.outcome[desk_id], OUTCOME_DROP);
		}
		/* The client begins a new session, which works. */
		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	}
}

/* Loss, repetition and reordering are followed while the policy observes: such a session goes on
 * when observing ends. */
static void followed_while_observed(void **state)
{
	struct conn k = desk_conn(P_TOY_OBSERVE);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	desk_handshake(&k);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	k.c += 12;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 24, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	k.permit = P_TOY;
	goes_on_judged(&k);
}

/* A queue was full and its conduit let packets pass, so the session waits for its pick-up. Under a
 * permit that lets nothing pass it is not picked up. */
static void let_by_and_then_closed(void **state)
{
	struct conn k = desk_conn(P_MIXED_HOLD);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 20, TOY_FORBIDDEN);
	toy_pdu(pdu + 8, 12, 3);
	desk_handshake(&k);
	k.c += 12; /* 12 bytes passed unseen */
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 8), OUTCOME_ACCEPT);
	k.permit = P_MIXED;
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 8, 12), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_PICKED_UP), 0);
	assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 1);
}

/* Bytes behind a gap wait under the old permit; the gap is filled under the new one. */
static void what_waits_is_judged_by_what_holds_then(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, WRITE);
	desk_segment(&k, DIR_C2S, k.c + 5, k.s, DESK_ACK, pdu + 5, 7);
	k.permit = P_TOY_READS;
	desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 5);
	/* the kernel knows that the rest was held under the old permit */
	if (desk.outcome[desk_id] == OUTCOME_ACCEPT)
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 5, k.s, DESK_ACK, pdu + 5, 7), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
}

/* Bytes that passed before the protocol was known must also be within the number that the new
 * permit lets pass. */
static void undecided_bytes_are_counted_again(void **state)
{
	struct conn k = desk_conn(P_TLS_LATE);

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "\x01\x02\x03"), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 3, k.s, DESK_ACK, "\x01\x02\x03", 3), OUTCOME_ACCEPT);
	k.permit = P_TLS;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 3, k.s, DESK_ACK, "\x01\x02\x03", 3), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
	/* The session goes on if the new permit promises the protocol that its first bytes may
	 * become, and ends if not. */
	k = desk_conn(P_TLS_OR_SSH);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "SSH-2"), OUTCOME_ACCEPT);
	k.permit = P_SSH;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 5, k.s, DESK_ACK, "SSH-2", 5), OUTCOME_ACCEPT);
	k.permit = P_TLS;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 5, k.s, DESK_ACK, "SSH-2", 5), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 2);
}

/* Bytes that the server has acknowledged still count: seven bytes under one permit and five under
 * the next would make a whole request. */
static void undecided_bytes_stay_counted(void **state)
{
	struct conn k = desk_conn(P_MIXED_LATE);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 7), OUTCOME_ACCEPT);
	desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
	k.permit = P_TLS_LATE;
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 7, 1), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu + 8, 1), OUTCOME_DROP);
}

/* Bytes that passed undecided on a lane for naming were never read as commands. */
static void undecided_bytes_are_no_commands(void **state)
{
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 8, TOY_FORBIDDEN);
	for (unsigned taken = 0; taken < 2; taken++) {
		struct conn k = desk_conn(P_TLS_LATE);

		desk_clear();
		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, taken ? 4 : 8), OUTCOME_ACCEPT);
		if (taken)
			desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
		k.permit = P_TOY;
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c - (taken ? 0 : 8), k.s, DESK_ACK, pdu + (taken ? 4 : 0),
					      taken ? 4 : 8),
				 OUTCOME_DROP);
		assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
	}
}

#define SECOND_NS 1000000000ull
#define HOUR_NS (3600u * SECOND_NS)

static void pass_hours(unsigned n)
{
	for (; n > 0; n--) {
		desk_now += HOUR_NS;
		inspector_tick(desk_i);
	}
}

/* Waits until no resets of earlier sessions are repeated any more. */
static void waits_for_resets(void)
{
	for (unsigned n = 0; n < 30; n++) {
		desk_now += 300000000u;
		inspector_tick(desk_i);
	}
	desk_clear();
}

static struct impact foretell(const struct conn *k, uint32_t permit)
{
	struct cut_session s = ends_of(k);
	struct session_ends ends = { s.client, s.server, s.client_port, s.server_port, 6 };
	struct command_table t;
	struct impact impact;
	unsigned listed = 0;
	size_t n;
	uint8_t *image = desk_image(1, &n);

	assert_true(inspector_try_table(desk_i, bytes_of(image, n), &t));
	inspector_foretell(desk_i, &t, &ends, permit, nothing_is_listed, &listed, &impact);
	free(image);
	return impact;
}

/* A session that is no longer inspected may be busy or silent for any length of time, and none of
 * its packets comes to the inspector. */
static void let_go_for_days(void **state)
{
	static const unsigned hours[] = { 1, 23, 25, 6 * 24 + 1, 90 * 24 };
	static const char hello[] = "SSH-2.0-OpenSSH_9.2\r\n", data[] = "xxxxxxxxxxxxxxxx";

	(void)state;
	for (unsigned i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
		struct conn k = desk_conn(P_SSH), other = desk_conn(P_SSH), dialled = desk_conn(P_SSH);
		struct impact impact;

		desk_clear();
		for (struct conn *c = &k; c != NULL; c = c == &k ? &other : c == &other ? &dialled : NULL) {
			desk_handshake(c);
			assert_int_equal(desk_text(c, DIR_C2S, hello), OUTCOME_CONFIRMED);
		}
		pass_hours(hours[i]);
		k.c += 100000; /* unseen */
		k.s += 3000000;
		impact = foretell(&k, P_TLS_OR_SSH);
		assert_true(impact.known);
		assert_int_equal(impact.reason, R_NONE);
		k.permit = P_TLS_OR_SSH;
		for (unsigned n = 0; n < 3; n++) {
			assert_int_equal(desk_text(&k, DIR_C2S, data), OUTCOME_CONFIRMED);
			assert_int_equal(desk_text(&k, DIR_S2C, data), OUTCOME_CONFIRMED);
		}
		assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 0);
		/* The session is remembered for another day, and its protocol is still known. */
		pass_hours(25);
		assert_int_equal(desk_text(&k, DIR_S2C, data), OUTCOME_CONFIRMED);
		/* The new permit must allow the protocol of the session. */
		assert_int_equal(foretell(&other, P_TLS).reason, R_ENDED);
		other.permit = P_TLS;
		assert_int_equal(desk_text(&other, DIR_C2S, data), OUTCOME_DROP);
		assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
		/* A new session on the same ports does not inherit this, whichever end opens it
		 * once the old session may be over. */
		assert_int_equal(desk_segment(&dialled, DIR_S2C, 77, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
		dialled.c += 500000;
		desk_handshake(&dialled);
		assert_int_equal(desk_text(&dialled, DIR_C2S, "GET / HTTP/1.1\r\n\r\n"), OUTCOME_DROP);
	}
}

/* On a lane for commands every packet comes to the inspector, and such a session may be silent just
 * as long. */
static void silent_for_days_beside_commands(void **state)
{
	struct conn k = desk_conn(P_MIXED);

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "GET / HTTP/1.1\r\n\r\n"), OUTCOME_ACCEPT);
	for (unsigned i = 0; i < 4; i++) {
		pass_hours(25 + 100 * i);
		assert_int_equal(desk_text(&k, DIR_S2C, "data"), OUTCOME_ACCEPT);
		assert_int_equal(desk_text(&k, DIR_C2S, "data"), OUTCOME_ACCEPT);
	}
	assert_int_equal(desk.n_resets, 0);
}

/* Ended sessions make room first: the table never grows, and a session that was forgotten counts as
 * met half-way. */
static void let_go_and_then_crowded_out(void **state)
{
	struct conn k = desk_conn(P_SSH), late[200];

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "SSH-2.0-OpenSSH_9.2\r\n"), OUTCOME_CONFIRMED);
	pass_hours(25);
	for (unsigned i = 0; i < 200; i++) {
		late[i] = desk_conn(P_SSH);
		late[i].host = (uint8_t)(i % 100);
		desk_now += SECOND_NS;
		desk_handshake(&late[i]);
	}
	assert_true(stats().flows <= 64);
	assert_false(foretell(&k, P_TLS_OR_SSH).known);
	k.permit = P_TLS_OR_SSH;
	assert_int_equal(desk_text(&k, DIR_C2S, "xxxx"), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 1);
}

/* The kernel reports that no worker sees the session; `speaks`: then both ends send bytes that no
 * worker sees. */
static void goes_by_unseen(struct conn *k, bool speaks)
{
	struct cut_session s = ends_of(k);
	struct session_ends ends = { s.client, s.server, s.client_port, s.server_port, 6 };

	inspector_note_unseen(desk_i, &ends);
	k->c += speaks ? 120 : 0;
	k->s += speaks ? 240 : 0;
}

/* Inspection is turned off and on again, as by a trial and its end: the session is handled as its
 * conduit says for a session that no worker knows, and a dry run says the same. */
static void unseen_for_a_while(void **state)
{
	static const struct {
		uint32_t permit, then;
		bool goes_on;
	} kinds[] = { { P_TOY_PICK_UP, P_TOY_PICK_UP, true }, { P_TOY_HOLD_PICK_UP, P_TOY_HOLD_PICK_UP, true },
		      { P_TOY, P_TOY_PICK_UP, true },	      { P_TOY, P_TOY_2, false },
		      { P_TOY_HOLD, P_TOY_HOLD, false },      { P_TOY_DROP, P_TOY_DROP, false } };
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	for (unsigned i = 0; i < 2 * sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint32_t then = kinds[i / 2].then;
		struct conn k = desk_conn(kinds[i / 2].permit);
		bool goes_on = kinds[i / 2].goes_on;
		struct impact impact;

		waits_for_resets();
		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
		goes_by_unseen(&k, true);
		impact = foretell(&k, then);
		assert_true(impact.known);
		assert_int_equal(impact.reason, goes_on		     ? R_NONE
						: then == P_TOY_DROP ? R_MIDSTREAM_DROP
								     : R_MIDSTREAM_RESET);
		k.permit = then;
		if (goes_on) {
			/* the server's first packet has data, or is only an acknowledgement */
			if (i % 2)
				assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0),
						 OUTCOME_ACCEPT);
			goes_on_judged(&k);
			assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 0);
		} else {
			assert_int_equal(desk_send(&k, i % 2 ? DIR_S2C : DIR_C2S, pdu, 12), OUTCOME_DROP);
			assert_int_equal(desk_count(EVENT_FLOW, impact.reason), 1);
		}
	}
}

/* Without a report of the kernel, sequence numbers that nobody saw are the client's invention,
 * whatever has changed. */
static void made_up_behind_a_change(void **state)
{
	struct conn k = desk_conn(P_TOY_READS);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	k.permit = P_TOY_PICK_UP;
	for (unsigned n = 0; n < 6; n++)
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s + 100, DESK_ACK, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_PICKED_UP), 0);
}

/* Nothing was sent while no worker saw the session: it goes on at its place. */
static void unseen_and_silent(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	goes_by_unseen(&k, false);
	k.permit = P_TOY_2;
	goes_on_judged(&k);
}

/* A client that always uses one port: its session was closed, or refused because of a write, and
 * the client opened a new one while no worker saw it. */
static void dialled_anew_unseen(void **state)
{
	static const uint32_t permits[] = { P_TOY_PICK_UP, P_TOY_HOLD_PICK_UP };
	uint8_t pdu[64], forbidden[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	toy_pdu(forbidden, 12, TOY_FORBIDDEN);
	for (unsigned i = 0; i < 8; i++) {
		struct conn k = desk_conn(permits[i % 2]);
		bool cut = i / 2 % 2, late = i / 4;
		uint32_t c, s;

		waits_for_resets();
		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
		if (cut) {
			assert_int_equal(desk_send(&k, DIR_C2S, forbidden, 12), OUTCOME_DROP);
		} else {
			desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK | DESK_FIN, NULL, 0);
			desk_segment(&k, DIR_C2S, k.c, k.s + 1, DESK_ACK | DESK_FIN, NULL, 0);
			desk_segment(&k, DIR_S2C, k.s + 1, k.c + 1, DESK_ACK, NULL, 0);
		}
		if (late)
			pass_hours(1);
		waits_for_resets();
		c = k.c;
		s = k.s;
		goes_by_unseen(&k, false);
		/* The old session does not go on. */
		assert_int_equal(desk_segment(&k, DIR_C2S, c, s, DESK_ACK, pdu, 12), OUTCOME_DROP);
		k.c = c + 700000000u;
		k.s = s + 64000u; /* a device that continues its sequence numbers */
		waits_for_resets();
		goes_on_judged(&k);
	}
}

/* On a conduit that only names protocols no session is picked up: an unknown session ends at once,
 * as a dry run says. */
static void nothing_to_pick_up(void **state)
{
	struct conn known = desk_conn(P_TCP), stranger = desk_conn(P_TLS_PICK_UP);

	(void)state;
	desk_handshake(&known);
	assert_int_equal(desk_text(&known, DIR_C2S, "anything"), OUTCOME_ACCEPT);
	assert_int_equal(foretell(&known, P_TCP).reason, R_NONE);
	assert_int_equal(foretell(&known, P_TLS_PICK_UP).reason, R_MIDSTREAM_RESET);
	known.permit = P_TLS_PICK_UP;
	assert_int_equal(desk_text(&known, DIR_C2S, "anything"), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 1);
	assert_int_equal(desk_text(&stranger, DIR_S2C, "anything"), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_MIDSTREAM_RESET), 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(closed_and_heard_again),
		T(an_idle_session_is_cut_at_once),
		T(what_the_server_has_not_taken_is_judged_again),
		T(what_is_judged_again_is_foretold),
		T(what_waited_its_turn_is_foretold_once),
		T(a_part_of_a_name_is_foretold),
		T(a_write_taken_in_part_is_judged_again),
		T(what_is_still_allowed_goes_on),
		T(any_packet_finds_it),
		T(observed_and_then_enforced),
		T(picked_up_while_observed),
		T(let_by_while_observed),
		T(lost_and_then_picked_up),
		T(followed_while_observed),
		T(let_by_and_then_closed),
		T(what_waits_is_judged_by_what_holds_then),
		T(undecided_bytes_are_counted_again),
		T(undecided_bytes_stay_counted),
		T(undecided_bytes_are_no_commands),
		T(let_go_for_days),
		T(silent_for_days_beside_commands),
		T(let_go_and_then_crowded_out),
		T(unseen_for_a_while),
		T(made_up_behind_a_change),
		T(unseen_and_silent),
		T(dialled_anew_unseen),
		T(nothing_to_pick_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
