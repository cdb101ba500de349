/* SPDX-License-Identifier: Apache-2.0 */
/* Which permits allow lasting subscriptions. */
#ifndef SEKISHO_POLICY_IR_LASTING_H
#define SEKISHO_POLICY_IR_LASTING_H

#include "policy/ir/ir.h"

/* For ir_skeleton, beside the lanes in use: some permit allows lasting subscriptions. No lane has
 * this bit, because lane 0 has no queue. */
#define LANES_LASTING 1u
/* A limit in SET_LIMITED that is none: the permit allows lasting subscriptions. */
#define LIMIT_LASTING 0u

/* Whether this permit (an index) enforces commands, and a row allows a request that subscribes. */
bool ir_lasting(const struct ir *ir, uint32_t permit);
/* LANES_LASTING, or 0 if no permit does. */
uint64_t ir_lasting_lanes(const struct ir *ir);

#endif
