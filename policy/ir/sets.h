/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sets and maps of the kernel's rules, as symbols. Which of them there are depends on the
 * policy (ir_maps).
 */
#ifndef SEKISHO_POLICY_IR_SETS_H
#define SEKISHO_POLICY_IR_SETS_H

#include <stdbool.h>
#include <stdint.h>

struct ir;

/*
 * The most different ends that can apply to one packet. For them, cells are in layers. Cells that
 * hold without end are in layer 0. A permit of conduits with n different ends is in layer n, and
 * ends with the earliest of them. Below it, layer n - 1 has what the other conduits allow together.
 * So even a kernel that can only let elements expire gives the right answer at every moment: the
 * highest layer that is left decides.
 */
#define IR_LAYERS 8u

/*
 * The maps over which the ranges of layer 0 are divided when there are many, because the kernel's
 * time to fill a map grows with the square of its elements. The bytes of a range decide its part,
 * so a change of policy moves no other range.
 */
#define IR_PARTS 16u
#define IR_PARTS_FROM 4096u /* ranges of a family, from which on they are divided */

/* Names of constants are made of `id`: no parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
enum ir_set {
#define SET(id, name) id,
#define LAYERS(id, name) id, id##_LAST = id + IR_LAYERS - 1,
#define PARTS(id, name) id, id##_LAST = id + IR_PARTS - 1,
#define BRIDGES LAYERS
#include "policy/ir/sets.def"
	SET_COUNT,
	SET_CELLS_END = SET_RESETS
};
/* NOLINTEND(bugprone-macro-parentheses) */

/* Sets that decide whether a permit is live. Only enforce's transactions fill them. */
static inline bool ir_set_label(unsigned s)
{
	return s <= SET_LIMITED; /* SET_LIVE is the first */
}

/* A map of cells, of either family. */
static inline bool ir_set_cells(unsigned s)
{
	return s >= SET_UNTIL4 && s < SET_CELLS_END;
}

/* One of the parts of the ranges of layer 0. */
static inline bool ir_set_range(unsigned s)
{
	return (s >= SET_RANGE4 && s < SET_UNTIL6) || (s >= SET_RANGE6 && s < SET_CELLS_END);
}

static inline bool ir_set_bridge(unsigned s)
{
	return s >= SET_BRIDGE4 && s < SET_COUNT;
}

static inline bool ir_set_six(unsigned s)
{
	return (s >= SET_UNTIL6 && s < SET_CELLS_END) || s == SET_APART6 || s == SET_APART6_NEXT || s == SET_KEPT6 ||
	       s == SET_KEPT6_NEXT || (s >= SET_BRIDGE6 && s < SET_COUNT);
}

static inline bool ir_set_apart(unsigned s)
{
	return s >= SET_APART4 && s <= SET_APART6_NEXT;
}

static inline bool ir_set_kept(unsigned s)
{
	return s >= SET_KEPT4 && s <= SET_KEPT6_NEXT;
}

/* The bridge map of an interval map of cells, used while that map changes. SET_COUNT for any other
 * set: it needs none, because it changes at once. */
static inline unsigned ir_set_bridge_of(unsigned s)
{
	if (s >= SET_UNTIL4 && s < SET_EXACT4)
		return SET_BRIDGE4 + IR_PARTS + s - SET_UNTIL4;
	if (s >= SET_UNTIL6 && s < SET_EXACT6)
		return SET_BRIDGE6 + IR_PARTS + s - SET_UNTIL6;
	if (s >= SET_RANGE4 && s < SET_UNTIL6)
		return SET_BRIDGE4 + s - SET_RANGE4;
	return s >= SET_RANGE6 && s < SET_CELLS_END ? SET_BRIDGE6 + s - SET_RANGE6 : SET_COUNT;
}
const char *ir_set_name(enum ir_set s);
/* The maps of cells in use: the highest layer, and the number of parts of layer 0 (1 or
 * IR_PARTS). */
struct ir_maps {
	uint32_t layers, parts;
};
struct ir_maps ir_maps(const struct ir *ir);

#endif
