/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permits: the joint meaning of the set of conduits on a cell. Joint settings are the strictest
 * ones, and every place where one conduit overrules another is a warning that names both lines.
 *
 * Compile stage between cells and the rule IR. Pure; results in the arena given.
 */
#ifndef SEKISHO_POLICY_COMPILE_LOWER_H
#define SEKISHO_POLICY_COMPILE_LOWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"
#include "appliance/base/diag.h"
#include "policy/check/model.h"
#include "policy/ir/ir.h"
#include "policy/read/compilation.h"
#include "policy/space/cells.h"

/*
 * Fills ir->permits (one per set of cells, same numbers) but for their identity. Conduits that only
 * shadow an enforced set change none of its settings. False after an error in `d`.
 */
bool permits_make(const struct model *m, const struct cells *cells, struct arena *a, struct diags *d, struct ir *ir);

/*
 * Fills in the identities: SHA-256 over what a permit means, settings and grants with their rows,
 * not over where it lies: who is added beside it, or taken out of it, changes nothing for the
 * others. Neither names of conduits nor lines are in it, so that a comment keeps every session.
 * After commands_make. False when memory is out.
 */
bool permits_identify(struct ir *ir, struct arena *a);

/*
 * The command table of a policy: grants and rows of every permit, in permit index order.
 *
 * Compile stage after permits.h. Rows are written once per service and shared by the grants that
 * use it; equal number lists are written once. Pure; results in the arena given.
 */

/* Fills ir->table and its digest, and tells services which rows are theirs; ir->permits and
 * ir->services stand already. False when memory is out. */
bool commands_make(const struct model *m, const struct cells *cells, struct arena *a, struct ir *ir);

/*
 * What a site should know of its own policy before it is in force: ways from outside to equipment
 * that cannot be mended, clear text and remote desktops from outside, all commands to a control
 * network, test and production together, and what a peer can force where a conduit passes without
 * inspection. Each is a warning at the conduit that opens the way, and is silent where that conduit
 * accepts it with a reason (`accept`). Pure.
 */

/* Adds the warnings to c->diags. */
void exposure_report(struct compilation *c);

/*
 * Behind cells and commands: isolations, what `always` asks for, and which conduits only read, into
 * `ir`. Says what an isolation contradicts. False: it was refused, or memory is out.
 */
bool isolations_make(struct compilation *c, struct ir *ir);

#endif
