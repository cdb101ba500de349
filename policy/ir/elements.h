/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The elements of the kernel's sets for a generation and its permit ids.
 */
#ifndef SEKISHO_POLICY_IR_ELEMENTS_H
#define SEKISHO_POLICY_IR_ELEMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "policy/ir/sets.h"

struct arena;
struct ir;
struct ir_cell;

/* One set element in the kernel's own byte layout: every field of a concatenation padded to 4
 * bytes. Interface indexes are given as positions (iif/oif) because only enforce knows the
 * kernel's numbers. */
struct ir_element {
	enum ir_set set;
	uint32_t iif, oif; /* interface index of the generation; UINT32_MAX = field not used */
	uint8_t direction; /* SET_LIVE */
	/* SET_LIVE: conntrack mark; SET_AGREE, SET_LIMITED: permit; SET_RESETS: packet mark */
	uint32_t mark_key;
	uint32_t mark_key2; /* SET_RESETS: conntrack mark; SET_LIMITED: the limit */
	struct addr_range src, dst;
	uint8_t l4proto;
	uint16_t lo, hi;
	uint32_t data;	/* mark, for maps */
	uint64_t until; /* seconds since 1970 at which it ends; 0 = it stays */
	uint32_t line;
};

/* All elements for `ids` (one permit id per permit index). Elements in the arena, in a
 * canonical order. */
size_t ir_elements(const struct ir *ir, const uint32_t *ids, struct arena *a, struct ir_element **ret);

/* The kernel map that holds this cell, where layer 0 has so many parts. */
enum ir_set ir_set_of_cell(const struct ir_cell *c, uint32_t parts);

#endif
