/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector and what was lost with a worker: it waited for the one that died, and what was said
 * behind it comes to its successor first.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/inspect_setup.h"

/*
 * A request waited for the worker when that died, and went with it. The next ones pass their new
 * worker before anybody has noticed. Its repetition is judged as a gap's is, with all that passed
 * behind it, and the session goes on.
 */
static void lost_with_the_worker(void **state)
{
	static const uint32_t permits[] = { P_TOY_HOLD_PICK_UP, P_TOY_PICK_UP };
	uint8_t train[64];

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		/* One was lost, and is said again alone; two were, and they are said again one by
		 * one; the client repeats all of it. */
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
		/* What has passed since cannot be exchanged. */
		k.c = from + (i < 4 ? 12 * (lost + 1) : 48);
		assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, k.c - from), OUTCOME_ACCEPT);
		for (unsigned n = 0; n < (k.c - from) / 12; n++)
			assert_int_equal(desk_send(&k, DIR_S2C, train + (size_t)12 * n, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk.n_resets, 0);
		goes_on_judged(&k);
	}
}

/* Each request counts once, in the records and in what is remembered of the session, however often
 * its stream went back. */
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

		/* The fourth passes, with the beginning of a fifth; then the third is repeated, the
		 * first, and the second between them. */
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

/* By the rule of a pick-up, and no other: nothing that is forbidden, cut, or told in two ways goes
 * to where nobody looked. */
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
		case 1: /* a request reaches over what passed, which is said in another way now */
			toy_pdu(train, 24, 4);
			assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 24), OUTCOME_DROP);
			assert_int_equal(desk_count(EVENT_FLOW, R_OVERLAP), 1);
			break;
		/* the same in two pieces, the second of which passed: bytes that are no
		 * PDU together */
		case 2:
			toy_pdu(train, 12, 4);
			train[1] = 20;
			assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 12), OUTCOME_DROP);
			assert_int_equal(desk.n_resets, 0);
			continue;
		case 3: /* filled, and then filled in another way */
			assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 12), OUTCOME_ACCEPT);
			toy_pdu(train, 12, 4);
			assert_int_equal(desk_segment(&k, DIR_C2S, from, k.s, DESK_ACK, train, 12), OUTCOME_DROP);
			assert_int_equal(desk_count(EVENT_FLOW, R_OVERLAP), 1);
			break;
		/* before what the server acknowledged: an old duplicate that reaches into what
		 * it lacks */
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
