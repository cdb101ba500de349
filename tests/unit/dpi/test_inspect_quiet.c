/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the inspector does not need acknowledgements without data, and that a session is judged in
 * the same way without them.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/inspect_setup.h"

static bool asks(struct conn *k, uint8_t *pdu)
{
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
	return desk.quiet;
}

static bool answers(struct conn *k, uint8_t *pdu)
{
	toy_pdu(pdu, 12, 3);
	assert_int_equal(desk_send(k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	return desk.quiet;
}

/* A whole session: the third segment of the handshake and every bare acknowledgement do not come to
 * the inspector, until the first FIN. */
static void a_life_without_them(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, 0, DESK_SYN, NULL, 0), OUTCOME_ACCEPT);
	assert_false(desk.quiet); /* it is not known yet which end answers, and with which number */
	k.c++;
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_true(desk.quiet);
	k.s++;
	desk_now += 60 * 1000000000ull; /* longer than a handshake may take */
	for (unsigned n = 0; n < 1000; n++) {
		/* whether the server has the bytes matters when the policy changes */
		assert_false(asks(&k, pdu));
		assert_true(answers(&k, pdu));
	}
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK | DESK_FIN, NULL, 0), OUTCOME_ACCEPT);
	assert_false(desk.quiet);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 1, DESK_ACK | DESK_FIN, NULL, 0), OUTCOME_ACCEPT);
	assert_false(desk.quiet);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 1, k.s + 1, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_resets, 0);
}

/* The third segment did not come, and the server sends first: its bytes are judged, and not taken
 * for an impossible segment. */
static void a_server_that_speaks_first(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];

	(void)state;
	desk_segment(&k, DIR_C2S, k.c++, 0, DESK_SYN, NULL, 0);
	desk_segment(&k, DIR_S2C, k.s++, k.c, DESK_SYN | DESK_ACK, NULL, 0);
	assert_true(desk.quiet);
	answers(&k, pdu);
	assert_int_equal(desk.n_pdus, 1);
	asks(&k, pdu);
	assert_int_equal(desk.n_pdus, 2);
	/* Only the client's acknowledgement shows which of two answers to its SYN arrived. */
	k = desk_conn(P_TOY);
	desk_segment(&k, DIR_C2S, k.c++, 0, DESK_SYN, NULL, 0);
	desk_segment(&k, DIR_S2C, 5000, k.c, DESK_SYN | DESK_ACK, NULL, 0);
	desk_segment(&k, DIR_S2C, k.s++, k.c, DESK_SYN | DESK_ACK, NULL, 0);
	assert_false(desk.quiet);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, pdu, 12), OUTCOME_DROP);
}

/* Only the server sends: its bytes are kept until an acknowledgement shows that they have
 * arrived. */
static void kept_bytes_are_given_back(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[64];
	unsigned quiet = 0;

	(void)state;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	for (unsigned n = 0; n < 200; n++)
		quiet += answers(&k, pdu);
	assert_true(quiet > 10 && quiet < 100); /* 12 bytes each, 1,024 in all */
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_true(desk.quiet);
}

/* If a session was met half-way, or the inspector has lost its place, the numbers come from
 * acknowledgements. */
static void not_before_the_place_is_known(void **state)
{
	struct conn k = desk_conn(P_TOY_PICK_UP);
	uint8_t pdu[64];

	(void)state;
	toy_pdu(pdu, 12, 3);
	desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
	assert_false(desk.quiet);
	/* Acknowledgements are needed while a segment waits for another one. */
	k = desk_conn(P_TOY);
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	assert_true(answers(&k, pdu));
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + 12, k.s, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	assert_false(desk.quiet);
	/* They are also needed while a segment of the server waits. */
	k = desk_conn(P_TOY);
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	assert_true(answers(&k, pdu));
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s + 12, k.c, DESK_ACK, pdu, 12), OUTCOME_ACCEPT);
	assert_false(desk.quiet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_life_without_them, setup, teardown),
		cmocka_unit_test_setup_teardown(a_server_that_speaks_first, setup, teardown),
		cmocka_unit_test_setup_teardown(kept_bytes_are_given_back, setup, teardown),
		cmocka_unit_test_setup_teardown(not_before_the_place_is_known, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
