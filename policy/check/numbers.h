/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of numbers, ranges and paths in a policy: read by their notation, and what is wrong with them said where it stands. */
#ifndef SEKISHO_POLICY_CHECK_NUMBERS_H
#define SEKISHO_POLICY_CHECK_NUMBERS_H

#include "appliance/wire/notation.h"
#include "policy/check/check.h"

struct numbers {
	struct number_range *list;
	size_t n;
};

/* What one value of the list `key` names. False: it was refused. */
bool number_of_text(struct check *k, const struct ast_node *node, const char *key, struct notation n, struct object o,
		    struct number_range *ret);
/* All of them that can be read, sorted and apart, those that touch as one; in the arena. */
struct numbers numbers_of(struct check *k, const struct ast_node *list, struct notation n, struct object o);
/* The same, but those that touch stay what they are. */
struct numbers numbers_each(struct check *k, const struct ast_node *list, struct notation n, struct object o);

#endif
