/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a checked model have the form that workers read (appliance/wire/commands.h), so
 * that proofs use the same data and the same functions as workers. The lists in rows lie in a
 * pool of the model; the compiler copies what a generation needs.
 */
#ifndef SEKISHO_POLICY_CHECK_MODEL_ROWS_H
#define SEKISHO_POLICY_CHECK_MODEL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/commands.h"
#include "policy/ir/ir.h"

struct arena;

struct model_rows {
	struct command_table t; /* only spaces and ranges are used */
	size_t n_spaces, spaces_room, n_ranges, ranges_room;
};

/* A row that names no services, and limits neither targets nor addresses nor values. */
struct command_row row_new(void);
/* Sorts the ranges in place, and merges overlapping ones; unless `apart`, also adjacent ones.
 * Returns their number. */
size_t numbers_tidy(struct number_range *r, size_t n, bool apart);
/* Makes a set of these ranges, after numbers_tidy. False: out of memory. */
bool rows_numbers(struct model_rows *m, struct arena *a, struct number_range *r, size_t n, struct number_set *ret);
/* Adds a space with these tidy ranges to `row`, which must be the row that was begun last. A row's
 * spaces are added in the order of their numbers. */
bool rows_space(struct model_rows *m, struct arena *a, struct command_row *row, uint8_t space,
		const struct number_range *r, size_t n);

#endif
