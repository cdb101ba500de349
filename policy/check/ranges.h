/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of address ranges: sorted, merged, subtracted. All memory is in the arena of the compile
 * run.
 */
#ifndef SEKISHO_POLICY_CHECK_RANGES_H
#define SEKISHO_POLICY_CHECK_RANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/check/say.h"
#include "policy/read/ast.h"

struct addr_range;
struct check;

struct ranges {
	struct addr_range *list;
	size_t n, room;
};

bool ranges_add(struct check *k, struct ranges *r, const struct addr_range *one);
/* Makes the list sorted and disjoint, and joins touching ranges. */
void ranges_merge(struct ranges *r);
/* Whether `one` is inside the merged `list`. */
bool ranges_hold(const struct addr_range *list, size_t n, const struct addr_range *one);
/* *ret: the addresses of `all` that are not in `less`. Both must be merged. */
bool ranges_minus(struct check *k, const struct ranges *all, const struct ranges *less, struct ranges *ret);
/* All unicast addresses that a box can forward to, of both families. */
bool ranges_unicast(struct check *k, struct ranges *ret);
/* Reads an address or prefix; bits beyond the prefix and invalid texts are reported. */
bool address_of(struct check *k, const struct ast_node *node, struct object o, struct addr_range *ret);

#endif
