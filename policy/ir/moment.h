/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation as it is at a moment.
 *
 * A generation holds a cell for every set of conduits that are open together at some moment. Cells
 * of a permit with hours are sealed as ended. This module computes their ends anew whenever
 * something may have opened. The result is an ordinary generation, in which every permit stays,
 * ends, or has ended, and whose readers need not know of hours.
 *
 * A permit with the end IR_NO_END is open and does not end. A door is one more condition: the
 * caller sets ir_door.open_until of open doors before the call, and no other code has to know of
 * doors.
 */
#ifndef SEKISHO_POLICY_IR_MOMENT_H
#define SEKISHO_POLICY_IR_MOMENT_H

#include "policy/ir/ir.h"

/* The times at which a conduit is in force. The result points into `ir` and into `w`, which this
 * function fills. */
struct times ir_times(const struct ir *ir, const struct ir_conduit *c, struct window *w);
/* Sets the ends of all permits that open by hours. Returns the next moment at which something
 * opens; UINT64_MAX = none. */
uint64_t ir_at(struct ir *ir, uint64_t moment);
/* The same as ir_at for increasing moments: does nothing until something may have opened since the
 * last call. */
void ir_follow(struct ir *ir, uint64_t moment);

#endif
