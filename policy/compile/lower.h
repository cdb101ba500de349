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

/* Copies a member that the model and a generation have in common (policy/check/model.h). */
#define TAKE(member) to->member = from->member;

/*
 * Fills ir->permits. Each set of cells has one permit, whose index is the number of the set. All
 * members are filled in except the identity. Conduits that only shadow an enforced set change none
 * of its settings. False after an error in `d`.
 */
bool permits_make(const struct model *m, const struct cells *cells, struct arena *a, struct diags *d, struct ir *ir);

/*
 * Fills in the permits' identities. An identity is a SHA-256 over what the permit allows: its
 * settings and its grants with their rows. It does not cover addresses, so adding or removing a
 * host changes no other permit. It does not cover names and lines of conduits either, so a new
 * comment in the text cuts no session. To be called after commands_make. False when memory is out.
 */
bool permits_identify(struct ir *ir, struct arena *a);

/*
 * The command table of a policy: grants and rows of every permit, in permit index order.
 *
 * This compile stage comes after permits_make. Rows are written once per service and shared by the
 * grants that use it; equal number lists are written once. Pure; results in the arena given.
 */

/* Fills ir->table and its digest, and sets each service's range of rows. Needs ir->permits and
 * ir->services. False when memory is out. */
bool commands_make(const struct model *m, const struct cells *cells, struct arena *a, struct ir *ir);

/*
 * Risks of a policy that a site should know before it is in force: ways from outside to equipment
 * that cannot be patched, clear text and remote desktops from outside, all commands to a control
 * network, test and production together, and what a peer can send without inspection. Each is a
 * warning at the conduit that opens the way, unless that conduit accepts it with a reason
 * (`accept`). Pure.
 */

/* Adds the warnings to c->diags. */
void exposure_report(struct compilation *c);

/*
 * Fills isolations, `always` statements and the list of read-only conduits in `ir`; to be called
 * after cells and commands. Reports contradictions of an isolation. False: it was refused, or
 * memory is out.
 */
bool isolations_make(struct compilation *c, struct ir *ir);

#endif
