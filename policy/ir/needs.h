/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be heard before a trial of this generation can be confirmed: first its conduits, then
 * its assets, in the order of the generation. A bit of a number stands for each. Pure.
 */
#ifndef SEKISHO_POLICY_IR_NEEDS_H
#define SEKISHO_POLICY_IR_NEEDS_H

#include "policy/ir/ir.h"

#define IR_NEEDS 64u /* at most */

static inline uint32_t ir_needs_count(const struct ir *ir)
{
	return ir->n_needs_conduits + ir->n_needs_assets;
}

/* Which of them are not among `heard`. */
static inline uint64_t ir_needs_left(const struct ir *ir, uint64_t heard)
{
	uint32_t n = ir_needs_count(ir);
	uint64_t all = n >= IR_NEEDS ? UINT64_MAX : (1ull << n) - 1;

	return all & ~heard;
}

#endif
