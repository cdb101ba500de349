/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector and change: a flow's whole life under one permit, and what becomes of a flow whose
 * permit changes.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/inspect/deeds.h"
#include "tests/unit/dpi/inspect_setup.h"

/* Both ends of an observed session say that they are done while bytes before a gap are still
 * missing; then it goes on. */
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
		/* Under hold the server's acknowledgement says that the first byte went by. */
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

/* A session that nobody speaks in: its numbers are known, so both ends are told as soon as it
 * has ended. */
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
	/* Once, however often it is said; the other session goes on; and of one that is unknown
	 * nothing is said. */
	inspector_cut(desk_i, &s, 1504);
	s.client_port = 1;
	inspector_cut(desk_i, &s, 1504);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk_send(&other, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	/* Met half-way and not picked up: no number is known. */
	desk_segment(&half, DIR_S2C, half.s, half.c, DESK_ACK, NULL, 0);
	s = ends_of(&half);
	inspector_cut(desk_i, &s, 1504);
	assert_int_equal(desk.n_resets, 1);
	/* What it says again until somebody may have heard it. */
	for (unsigned n = 0; n < 20; n++) {
		desk_now += 300000000u;
		inspector_tick(desk_i);
	}
	assert_int_equal(desk.n_resets, 1 + 12 + 6);
}

#define WRITE 20 /* a function that P_TOY allows and P_TOY_READS does not */

/* The server's stack did not take a write; by the time it is repeated only reads are allowed. */
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
		/* As a whole, or the bytes that its receiver lacks alone. */
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

/* What a dry run says of the next packet is what happens at it. */
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
		/* Asking changes nothing: under the old permit it may still be repeated. */
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

/* Requests that waited for their turn are told once, however often their segment was repeated. */
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
	for (unsigned i = 0; i < 2; i++) /* there is room for two of the three */
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

/* A part of the first words lies between the ends: it may still become what is promised. */
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

/* The server's stack took the first half of it: the other half is a repetition that would
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

/* Nothing is lost to a change that leaves what is under way allowed, nor by what the server has
 * and answers. */
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
	/* The server says that it has the write, and then it is narrowed; or the very segment that
	 * says so comes after. */
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

/* The table changes under the same permit, and a packet of another direction is the first to come
 * after it. */
static void any_packet_finds_it(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	toy_pdu(pdu, 12, WRITE);
	desk_send(&k, DIR_C2S, pdu, 12);
	k.permit = P_TOY_READS;
	/* The server speaks, but does not say that it has the write. */
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c - 12, DESK_ACK, NULL, 0), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
}

/* What was only observed is judged when observing ends, as far as its receiver lacks it. */
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

/* Of the session `k` nothing goes on under P_TOY, as a dry run says, and nothing is kept of it. */
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

/* Where nothing is stopped a client may choose the place from which its session is read, say within
 * a request. */
static void picked_up_while_observed(void **state)
{
	struct conn k = desk_conn(P_TOY_OBSERVE);
	uint8_t pdu[64];

	(void)state;
	/* A forbidden one of 44 bytes; within it three that are allowed. */
	toy_pdu(pdu, 44, TOY_FORBIDDEN);
	toy_pdu(pdu + 8, 12, 3);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 8), OUTCOME_ACCEPT);
	k.s += 12; /* it acknowledges what its server never said */
	for (unsigned n = 0; n < 2; n++)
		assert_int_equal(desk_send(&k, DIR_C2S, pdu + 8, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_count(EVENT_FLOW, R_PICKED_UP), 1);
	is_met_half_way(&k);
}

/* What nobody could follow passed all the same, and is not kept: its server has bytes that cannot
 * be compared. */
static void let_by_while_observed(void **state)
{
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 20, TOY_FORBIDDEN);
	for (unsigned n = 0; n < 2; n++) {
		struct conn k = desk_conn(P_TOY_OBSERVE);

		desk_clear();
		if (n == 0) { /* before the session is open, ahead of where it begins */
			desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0);
			desk_segment(&k, DIR_S2C, k.s, k.c + 1, DESK_SYN | DESK_ACK, NULL, 0);
			k.c++;
			assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s - 9, DESK_ACK, pdu, 19),
					 OUTCOME_ACCEPT);
			k.s++;
			desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0);
		} else { /* behind a SYN that its server may have taken */
			desk_handshake(&k);
			desk_segment(&k, DIR_C2S, k.c + 3, 0, DESK_SYN, NULL, 0);
			assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, 19), OUTCOME_ACCEPT);
		}
		is_met_half_way(&k);
	}
}

/* Loss, repetition and another order are followed while observed: such a session goes on when
 * observing ends. */
/*
 * A session whose place this worker lost, closed by a reset that its server ignored or alive, under
 * conduits that pick nothing up: it gets no claim to be picked up by a policy that says so later. A
 * server's bare acknowledgement does not make it one that nobody knew.
 */
static void lost_and_then_picked_up(void **state)
{
	static const uint32_t permits[] = { P_TOY, P_TOY_DROP, P_TOY_HOLD };
	uint8_t pdu[64], forbidden[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	toy_pdu(forbidden, 12, TOY_FORBIDDEN);
	/* alive under `hold` it goes on behind the gap: a full queue may have let it by */
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
		/* Its client dials anew, and is heard. */
		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	}
}

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

/* A queue was full, and its conduit let by what came: what waits for its pick-up then has no claim
 * to it where nothing is let by. */
static void let_by_and_then_closed(void **state)
{
	struct conn k = desk_conn(P_MIXED_HOLD);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 20, TOY_FORBIDDEN);
	toy_pdu(pdu + 8, 12, 3);
	desk_handshake(&k);
	k.c += 12; /* these went by unseen */
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
	if (desk.outcome[desk_id] ==
	    OUTCOME_ACCEPT) /* the rest was held under the old permit, which the kernel knows */
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 5, k.s, DESK_ACK, pdu + 5, 7), OUTCOME_DROP);
	assert_true(desk.n_resets > 0);
}

/* Bytes that passed before their protocol was known are no more than the new permit lets pass. */
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
	/* The beginning of what the new one promises as well goes on; of what it does not, not. */
	k = desk_conn(P_TLS_OR_SSH);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "SSH-2"), OUTCOME_ACCEPT);
	k.permit = P_SSH;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 5, k.s, DESK_ACK, "SSH-2", 5), OUTCOME_ACCEPT);
	k.permit = P_TLS;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - 5, k.s, DESK_ACK, "SSH-2", 5), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 2);
}

/* What the server has taken of them stays a part of them: seven bytes here and five there would
 * make a whole request. */
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

/* What passed undecided on a lane for naming was never read as commands. */
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

/* Until nothing is said again of what ended before. */
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

/* A session that was let go of is busy or idle for as long as it likes, and nothing of it
 * comes here. */
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
		/* It is remembered for another day, and then for what it is again. */
		pass_hours(25);
		assert_int_equal(desk_text(&k, DIR_S2C, data), OUTCOME_CONFIRMED);
		/* What it speaks still has to be allowed. */
		assert_int_equal(foretell(&other, P_TLS).reason, R_ENDED);
		other.permit = P_TLS;
		assert_int_equal(desk_text(&other, DIR_C2S, data), OUTCOME_DROP);
		assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
		/* A new session on its ports is no part of it, whoever dials once the old one may
		 * be over. */
		assert_int_equal(desk_segment(&dialled, DIR_S2C, 77, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
		dialled.c += 500000;
		desk_handshake(&dialled);
		assert_int_equal(desk_text(&dialled, DIR_C2S, "GET / HTTP/1.1\r\n\r\n"), OUTCOME_DROP);
	}
}

/* Where commands are judged beside it every packet comes here, and such a session may be silent for
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

/* Ended ones make room before anybody else: a table is never larger, and who was forgotten is
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

/* The kernel says that no worker sees it, and then it says so much that none sees. */
static void goes_by_unseen(struct conn *k, bool speaks)
{
	struct cut_session s = ends_of(k);
	struct session_ends ends = { s.client, s.server, s.client_port, s.server_port, 6 };

	inspector_note_unseen(desk_i, &ends);
	k->c += speaks ? 120 : 0;
	k->s += speaks ? 240 : 0;
}

/* Inspection off and on again, as a trial and its end: the session goes on as its conduit says of
 * one that no worker knows, as is foretold. */
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
			/* its server is the first to say something, or it says no more than that it
			 * is there */
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

/* Without the kernel's word numbers that nobody saw are a client's own, whatever changed. */
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

/* It was silent meanwhile: it goes on where it was, and an old write is judged again as ever. */
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

/* A client with one port: what it had was closed, or refused for a write, and it dialled anew while
 * nobody looked. */
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
		/* Of the old session nothing goes on. */
		assert_int_equal(desk_segment(&k, DIR_C2S, c, s, DESK_ACK, pdu, 12), OUTCOME_DROP);
		k.c = c + 700000000u;
		k.s = s + 64000u; /* a device that counts on from the last */
		waits_for_resets();
		goes_on_judged(&k);
	}
}

/* Where only a name is promised nothing is picked up: whoever nobody knows ends at once, as
 * is foretold. */
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
