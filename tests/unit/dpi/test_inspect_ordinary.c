/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector with what ordinary network stacks and devices do: none of it ends a session that
 * goes on.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/inspect_setup.h"

static void goes_on(struct conn *k)
{
	uint8_t pdu[64];

	toy_pdu(pdu, 12, 3);
	for (unsigned n = 0; n < 2; n++) {
		assert_int_equal(desk_send(k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	}
	assert_int_equal(desk.n_resets, 0);
}

/* The answer to a SYN is lost, and the server's next answer has another number; or both answers
 * arrive, and the client acknowledges one of them. */
static void answered_with_another_number(void **state)
{
	(void)state;
	for (unsigned which = 0; which < 2; which++) {
		struct conn k = desk_conn(P_TOY);

		desk_clear();
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_S2C, 5000, k.c + 1, DESK_SYN | DESK_ACK, NULL, 0),
				 OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 1, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		k.s = which == 0 ? k.s + 1 : 5001;
		k.c++;
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		/* From here on the number cannot change any more. */
		assert_int_equal(desk_segment(&k, DIR_S2C, 9000, k.c, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_DROP);
		goes_on(&k);
	}
}

/* TCP Fast Open: the data in the SYN are refused, and the client falls back to a SYN without
 * data. */
static void data_in_a_syn(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	goes_on(&k);
	/* In observe mode they pass, and the session is followed whether the server accepted them
	 * or not. */
	for (unsigned took = 0; took < 2; took++) {
		k = desk_conn(P_TOY_OBSERVE);
		desk_clear();
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, pdu, 12), OUTCOME_ACCEPT);
		k.c++;
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + (took ? 12 : 0), DESK_SYN | DESK_ACK, NULL, 0),
				 OUTCOME_ACCEPT);
		k.s++;
		if (took)
			k.c += 12;
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		goes_on(&k);
		assert_true(desk.n_pdus >= 4);
	}
}

/* A RST with text ends the session like one without, at both ends; the text does not pass. */
static void reset_with_text(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	desk_handshake(&k);
	goes_on(&k);
	/* A RST with a number that its receiver does not accept changes nothing. */
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s - 4000, k.c, DESK_RST | DESK_ACK, "gone", 4), OUTCOME_DROP);
	goes_on(&k);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_RST | DESK_ACK, "gone", 4), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_true(desk.resets[0].to_client.valid && desk.resets[0].to_server.valid);
	assert_int_equal(desk.resets[0].to_client.seq, k.s);
	assert_int_equal(stats().flows, 0);
	/* The client dials again. */
	desk_clear();
	k.c += 70000;
	k.s += 70000;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	goes_on(&k);
}

static unsigned with_option(struct conn *k, enum direction dir, unsigned flags, const char *option)
{
	unsigned o;

	desk_option_words = 1;
	o = desk_segment(k, dir, dir == DIR_C2S ? k->c : k->s, k->c + 1, flags, option, 4);
	desk_option_words = 0;
	return o;
}

#define CAPABLE "\x1e\x04\x01\x00"
#define JOIN "\x1e\x04\x11\x00"

/* A client that offers Multipath TCP to a server without it loses no time. If the server has it
 * too, further SYNs with the option are dropped, so that the client falls back to one without. */
static void multipath(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	assert_int_equal(with_option(&k, DIR_C2S, DESK_SYN, CAPABLE), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 1, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	k.c++;
	k.s++;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	goes_on(&k);
	k = desk_conn(P_TOY);
	assert_int_equal(with_option(&k, DIR_C2S, DESK_SYN, CAPABLE), OUTCOME_ACCEPT);
	assert_int_equal(with_option(&k, DIR_S2C, DESK_SYN | DESK_ACK, CAPABLE), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_false(desk.resets[0].to_client.valid);
	assert_int_equal(desk.resets[0].to_server.seq, k.c + 1);
	assert_int_equal(with_option(&k, DIR_C2S, DESK_SYN, CAPABLE), OUTCOME_DROP);
	desk.n_resets = 0;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	goes_on(&k);
	/* Nothing joins another connection. */
	k = desk_conn(P_TOY);
	assert_int_equal(with_option(&k, DIR_C2S, DESK_SYN, JOIN), OUTCOME_DROP);
	assert_int_equal(stats().reasons[R_MULTIPATH], 3);
}

/* A session met half-way that uses Multipath TCP: the order of its bytes is in its options, which
 * the inspector does not read. */
static void multipath_half_way(void **state)
{
	struct conn k = desk_conn(P_TOY_PICK_UP);
	uint8_t pdu[4 + 12] = "\x1e\x04\x20\x00";

	(void)state;
	toy_pdu(pdu + 4, 12, 1);
	desk_option_words = 1;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, sizeof(pdu)), OUTCOME_DROP);
	desk_option_words = 0;
	assert_int_equal(desk_count(EVENT_FLOW, R_MULTIPATH), 1);
	assert_true(desk.n_resets > 0);
	/* If the handshake had no such option, the receiver ignores it as well. */
	k = desk_conn(P_TOY_PICK_UP);
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	desk_option_words = 1;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, pdu, sizeof(pdu)), OUTCOME_ACCEPT);
	desk_option_words = 0;
}

/* More requests at a time than are remembered: the next one waits for its turn. */
static void pipelined_beyond_the_limit(void **state)
{
	struct conn k = desk_conn(P_TOY_FEW);
	uint8_t train[120], pdu[64];
	uint32_t from;

	(void)state;
	toy_pdu(pdu, 12, 3);
	for (unsigned n = 0; n < 10; n++)
		toy_pdu(train + n * 12, 12, 3);
	desk_handshake(&k);
	for (unsigned n = 0; n < TOY_FEW; n++)
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	from = k.c;
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP); /* repeated too early */
	assert_int_equal(desk_segment(&k, DIR_C2S, from + 12, k.s, DESK_ACK, pdu, 12),
			 OUTCOME_ACCEPT); /* one more, ahead */
	assert_int_equal(desk.n_resets, 0);
	assert_int_equal(desk_count(EVENT_DROP, R_MODBUS_PENDING), 2);
	for (unsigned n = 0; n < 2; n++)
		assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	k.c += 12;
	for (unsigned n = 0; n < TOY_FEW; n++)
		assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	/* A segment with more requests than may be open is not held, because waiting would not
	 * help. This also holds behind a gap. */
	assert_int_equal(desk_send(&k, DIR_C2S, train, 120), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, train, 108), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, train, 12), OUTCOME_ACCEPT);
	k.c += 120;
	/* A forbidden request among them is found all the same. */
	toy_pdu(train + 96, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_send(&k, DIR_C2S, train, 120), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_FUNCTION), 1);
	assert_int_equal(desk.n_resets, 1);
}

/* A protocol whose requests are numbered: the function of a request is the number after the last
 * request's. */
struct numbered {
	struct pending wait;
	uint8_t last;
	struct pending_entry open[TOY_FEW];
};

static void numbered_asked(void *state, const struct parsed *p, const struct ruling *r, struct pdu *ret)
{
	struct numbered *s = state;

	if (p->operations[0].service != s->last + 1u && ret->reason == R_ALLOWED)
		ret->reason = R_MODBUS_TWICE;
	s->last = (uint8_t)p->operations[0].service;
	if (pending_room(desk_enforcer, s, ret))
		s->open[s->wait.n++] = (struct pending_entry){ r->choice, (uint8_t)ret->reason, 0, 0 };
}

/* Too many numbered requests that do not wait, because waiting would not help or because nothing
 * waits under observe: none of them counts as a repetition of itself. */
static void numbered_beyond_the_limit(void **state)
{
	static const uint32_t permits[] = { P_TOY_FEW, P_TOY_OBSERVE };
	struct enforcer numbered = toy;
	uint8_t train[120];

	(void)state;
	numbered.state_size = sizeof(struct numbered);
	numbered.open = (struct pending_place)PENDING_IN(struct numbered, TOY_FEW);
	numbered.asked = numbered_asked;
	desk_enforcer = &numbered;
	for (unsigned n = 0; n < 10; n++)
		toy_pdu(train + n * 12, 12, (uint8_t)(n + 1));
	for (unsigned i = 0; i < 2; i++) {
		struct conn k = desk_conn(permits[i]);

		desk_clear();
		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, train, 120), OUTCOME_ACCEPT);
		assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_TWICE), 0);
		for (unsigned n = 0; n < 10; n++)
			assert_int_equal(desk_send(&k, DIR_S2C, train, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk.n_resets, 0);
	}
	desk_enforcer = &toy;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(answered_with_another_number),
		T(data_in_a_syn),
		T(reset_with_text),
		T(multipath),
		T(multipath_half_way),
		T(pipelined_beyond_the_limit),
		T(numbered_beyond_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
