/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Set-up and tear-down of the inspector's unit tests: each test has its own desk, and at its end no
 * packet may have been decided twice. Also questions about a session that several tests ask.
 */
#ifndef SEKISHO_TESTS_UNIT_INSPECT_SETUP_H
#define SEKISHO_TESTS_UNIT_INSPECT_SETUP_H

#include "tests/unit/dpi/inspect_desk.h"

static inline int setup(void **state)
{
	(void)state;
	desk_open((struct inspector_limits){ .flows = 64, .pool_bytes = 1u << 20, .table_bytes = 1u << 16 });
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	inspector_finish(desk_i);
	assert_int_equal(desk.twice, 0);
	desk_close();
	return 0;
}

static inline struct inspector_stats stats(void)
{
	struct inspector_stats s;

	inspector_stats(desk_i, &s);
	return s;
}

/* The session goes on: allowed requests pass, and a forbidden one is refused. */
static inline void goes_on_judged(struct conn *k)
{
	size_t before = desk.n_pdus;
	uint8_t pdu[64];

	toy_pdu(pdu, 12, 3);
	for (unsigned n = 0; n < 3; n++) {
		assert_int_equal(desk_send(k, DIR_C2S, pdu, 12), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(k, DIR_S2C, pdu, 12), OUTCOME_ACCEPT);
	}
	assert_int_equal(desk.n_pdus, before + 6);
	assert_int_equal(desk.n_resets, 0);
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_send(k, DIR_C2S, pdu, 5), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(k, DIR_C2S, pdu + 5, 7), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
}

#endif
