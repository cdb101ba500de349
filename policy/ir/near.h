/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cells of a generation by where they lie, so that those which meet a box are found without looking at all: a tree over
 * halves of them, each with the least box around its cells. Lives in the caller's arena, borrows the generation.
 */
#ifndef SEKISHO_POLICY_IR_NEAR_H
#define SEKISHO_POLICY_IR_NEAR_H

#include "policy/ir/ir.h"

struct ir_near {
	const struct ir *ir;
	uint32_t *cells;	/* numbers of cells; the middle of a part is its root, both halves are parts */
	struct ir_cell *around; /* by place in `cells`: the least box around the part of which that is the root */
	uint32_t n;
};

/* False when memory is out. */
bool ir_near_make(const struct ir *ir, struct arena *a, struct ir_near *ret);

/*
 * The first cell found that meets `box` and that `wanted` takes; NULL when there is none, or when *steps ran out on the way.
 * Each part that is looked at takes one of *steps.
 */
const struct ir_cell *ir_near_find(const struct ir_near *t, const struct ir_cell *box,
				   bool (*wanted)(void *ctx, const struct ir_cell *cell), void *ctx, uint64_t *steps);

#endif
