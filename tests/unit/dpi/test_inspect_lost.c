/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector with packets that were lost with a dead worker: a packet waited for that worker,
 * and the packets after it come to its successor first.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/inspect_setup.h"

/*
 * A request waited for the worker when the worker died, and was lost. The next requests pass the
 * new worker before anybody has noticed. Its repetition is judged like the filling of a gap,
 * together with everything that passed behind it, and the session goes on.
 */
static void lost_with_the_worker(void **state)
{
	static const uint32_t permits[] = { P_TOY_HOLD_PICK_UP, P_TOY_PICK_UP };
	uint8_t train[64];

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		/* One request was lost and is repeated alone; or two were lost and are repeated one
		 * by one; or the client repeats everything. */
		struct conn k = desk_conn(permits[i % 2]);
		unsigned lost = i / 2 == 1 ? 2 : 1;
		uint32_t from = k.c;

		desk_clear();
		for (unsigned n = 0; n < 4; n++)
			toy_pdu(train + (size_t)12 * n, 12, (uint8_t)(3 + n));
		k.c += 12 * lost;
		assert_int_equal(desk_send(&k, DIR_C2S, train + (size_t)12 * lost, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk_count(EVENT_FLOW, R_PICKED_UP), 1);
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, from, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		if (lost == 2)
			assert_int_equal(desk_segment(&k, DIR_C2S, from + 12, k.s, DESK_ACK, train + 12, 12),
					 OUTCOME_ACCEPT);
		k.c = from;
		assert_int_equal(desk_send(&k, DIR_C2S, train, i < 4 ? 12 : 48), OUTCOME_ACCEPT);
		/* Bytes that have passed since cannot be replaced by others. */
		k.c = from + (i < 4 ? 12 * (lost + 1) : 48);
		assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, k.c - from), OUTCOME_ACCEPT);
		for (unsigned n = 0; n < (k.c - from) / 12; n++)
			assert_int_equal(desk_send(&k, DIR_S2C, train + (size_t)12 * n, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk.n_resets, 0);
		goes_on_judged(&k);
	}
}

/* Each request counts once, in the records and in the session's state, however often its stream
 * went back. */
static void counted_once(void **state)
{
	uint8_t train[48];
	uint64_t sum = 0;

	(void)state;
	for (unsigned n = 0; n < 4; n++)
		toy_pdu(train + (size_t)12 * n, 12, (uint8_t)(3 + n));
	for (unsigned i = 0; i < 3; i++) {
		struct conn k = desk_conn(P_TOY_HOLD_PICK_UP);
		uint32_t from = k.c;

		/* The fourth request passes, with the beginning of a fifth. Then the third is
		 * repeated, then the first, then the second between them. */
		k.c = from + 36;
		assert_int_equal(desk_send(&k, DIR_C2S, train + 36, 12), OUTCOME_ACCEPT);
		if (i == 1)
			assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, train, 5), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, from, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		if (i < 2)
			assert_int_equal(desk_segment(&k, DIR_C2S, from + 24, k.s, DESK_ACK, train + 24, 12),
					 OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, from + 12, k.s, DESK_ACK, train + 12, i < 2 ? 12 : 24),
				 OUTCOME_ACCEPT);
		if (i == 1) {
			k.c = from + 53;
			assert_int_equal(desk_send(&k, DIR_C2S, train + 5, 7), OUTCOME_ACCEPT);
		}
		assert_int_equal(desk.n_resets, 0);
	}
	desk.n_events = 0;
	inspector_finish(desk_i);
	for (size_t n = 0; n < desk.n_events; n++)
		sum += desk.events[n].kind == EVENT_COUNTS ? desk.events[n].count : 0;
	assert_int_equal(sum, 4 + 5 + 4);
}

/* An answer, likewise. */
static void an_answer_lost_with_the_worker(void **state)
{
	struct conn k = desk_conn(P_TOY_PICK_UP);
	uint8_t train[24];
	uint32_t from = k.s;

	(void)state;
	toy_pdu(train, 12, 3);
	toy_pdu(train + 12, 12, 4);
	k.s += 12;
	assert_int_equal(desk_send(&k, DIR_S2C, train + 12, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, from, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_segment(&k, DIR_S2C, from, k.c, DESK_ACK, train, 12), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_resets, 0);
	goes_on_judged(&k);
}

/* Only under a permit with pick-up. No forbidden request, no part of one, and no second version of
 * bytes passes in the place of what was lost. */
static void what_was_lost_is_judged(void **state)
{
	uint8_t train[64];

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct conn k = desk_conn(P_TOY_HOLD_PICK_UP);
		uint32_t from = k.c;

		desk_clear();
		toy_pdu(train, 12, i == 0 ? TOY_FORBIDDEN : 3);
		toy_pdu(train + 12, 12, 3);
		toy_pdu(train + 24, 12, 3);
		k.c += 12;
		assert_int_equal(desk_send(&k, DIR_C2S, train + 12, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, from, DESK_ACK, NULL, 0), OUTCOME_ACCEPT);
		switch (i) {
		case 0: /* forbidden */
			assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 12), OUTCOME_DROP);
			assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_FUNCTION), 1);
			break;
		case 1: /* a request that reaches into bytes that passed, and changes them */
			toy_pdu(train, 24, 4);
			assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 24), OUTCOME_DROP);
			assert_int_equal(desk_count(EVENT_FLOW, R_OVERLAP), 1);
			break;
		/* the beginning of a longer request, whose second piece would be the bytes that
		 * have passed: together they are no PDU */
		case 2:
			toy_pdu(train, 12, 4);
			train[1] = 20;
			assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 12), OUTCOME_DROP);
			assert_int_equal(desk.n_resets, 0);
			continue;
		case 3: /* the place is filled, and then filled again with other bytes */
			assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 12), OUTCOME_ACCEPT);
			toy_pdu(train, 12, 4);
			assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 12), OUTCOME_DROP);
			assert_int_equal(desk_count(EVENT_FLOW, R_OVERLAP), 1);
			break;
		/* an old duplicate from before the server's acknowledgement that reaches into bytes
		 * that the server lacks */
		case 4:
			assert_int_equal(desk_segment(&k, DIR_C2S, from - 12, k.s, DESK_ACK, train, 24), OUTCOME_DROP);
			assert_int_equal(desk.n_resets, 0);
			continue;
		default:
			break;
		}
		assert_int_equal(desk.n_resets, 1);
		assert_true(desk.resets[0].to_client.valid && desk.resets[0].to_server.valid);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(lost_with_the_worker),
		T(counted_once),
		T(an_answer_lost_with_the_worker),
		T(what_was_lost_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
