/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the rows of one policy allow all that those of another one allow, function by function, whatever they look like: a row
 * that is cut in two, one that lies in another, or a key that does not touch a function makes no difference. Operations of one
 * group have to be allowed by one row (wire/evaluate.h), so places side by side in two rows are less than in one. Where it is not
 * certain the answer is no. Pure; scratch memory is the arena's.
 */
#ifndef SEKISHO_POLICY_SPACE_ROW_SETS_H
#define SEKISHO_POLICY_SPACE_ROW_SETS_H

#include "appliance/base/arena.h"
#include "appliance/wire/commands.h"

struct row_set {
	const struct command_table *const *tables; /* one for each row */
	const struct command_row *const *rows;
	size_t n;
	bool whole; /* the whole protocol, whatever cannot be read as well */
};

/* ret_missing[i]: of function i of the vocabulary something is allowed by `a` and not by `b`; [v->n_functions]: of one without a name,
 * of which *ret_code is the lowest. True: nothing is missing. False as well when memory is out. */
bool row_set_within(const struct row_set *a, const struct row_set *b, const struct vocabulary *v, struct arena *scratch,
		    bool *ret_missing, uint32_t *ret_code);

#endif
