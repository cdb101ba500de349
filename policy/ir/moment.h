/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation at a moment.
 *
 * A generation holds a cell for every set of conduits that holds together at some moment. Those whose permit opens by hours are sealed
 * as over; here their ends are worked out anew, each time that something may have opened: then the generation is an ordinary one, in
 * which every permit stays, or ends, or is over, and whoever reads it need not know of hours.
 *
 * What an end of IR_NO_END means: it has opened and does not end. A door that people open is one more condition here: whoever knows which are
 * open says so in ir_door.open_until before he asks, and nothing else has to know of them.
 */
#ifndef SEKISHO_POLICY_IR_MOMENT_H
#define SEKISHO_POLICY_IR_MOMENT_H

#include "policy/ir/ir.h"

/* When a conduit holds. `w` keeps what the result borrows. */
struct times ir_times(const struct ir *ir, const struct ir_conduit *c, struct window *w);
/* Sets the ends of all permits that open by hours. Returns the next moment at which something opens; UINT64_MAX = none. */
uint64_t ir_at(struct ir *ir, uint64_t moment);
/* The same, for who asks about one moment after the other: only where something may have opened since the last one. */
void ir_follow(struct ir *ir, uint64_t moment);

#endif
