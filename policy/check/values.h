/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Written values as people write them: "-100-100", "20.5-30.0". What such a number is in a request
 * depends on the functions, objects or addresses of the row (struct value_info). If these leave it
 * open, an error shows how to write the value.
 */
#ifndef SEKISHO_POLICY_CHECK_VALUES_H
#define SEKISHO_POLICY_CHECK_VALUES_H

#include "policy/check/check.h"
#include "policy/check/say.h"

/* A row whose functions, targets and addresses are known. */
struct value_reader {
	struct check *k;
	const struct vocabulary *v;
	const struct command_row *row;
	struct object o;
};

#define VALUE_RANGES 2u /* of one text: below zero, and from zero on */

/* Whether requests of the function write values that a row can limit, known or not. */
bool function_writes(const struct vocabulary *v, const struct function_info *f);
/* Reads a value with a sign or a point; *ret_n is 0 if it was refused. False: it has neither. */
bool value_read(const struct value_reader *r, const struct ast_node *node, struct number_range ret[VALUE_RANGES],
		size_t *ret_n);
/* Warns of a value without a point where requests carry floating-point numbers. */
void value_is_raw(const struct value_reader *r, const struct ast_node *node, struct number_range value);

#endif
