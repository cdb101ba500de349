/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Set-up and tear-down of the inspector's unit tests: a desk for each, and at its end no packet that was decided twice.
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

#endif
