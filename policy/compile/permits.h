/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permits: what the sets of conduits on cells mean together. Joint settings are the strictest ones, and every place where
 * one conduit overrules another is a warning that names both lines.
 *
 * Compile stage between cells and the rule IR. Pure; results in the arena given.
 */
#ifndef SEKISHO_POLICY_COMPILE_PERMITS_H
#define SEKISHO_POLICY_COMPILE_PERMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"
#include "appliance/base/diag.h"
#include "policy/check/model.h"
#include "policy/ir/ir.h"
#include "policy/space/cells.h"

/*
 * Fills ir->permits (one per set of cells, same numbers) but for their identity. Conduits that only shadow an enforced
 * set change none of its settings. False after an error in `d`.
 */
bool permits_make(const struct model *m, const struct cells *cells, struct arena *a, struct diags *d, struct ir *ir);

/*
 * Fills in the identities: SHA-256 over what a permit means, settings and grants with their rows, not over where it lies:
 * who is added beside it, or taken out of it, changes nothing for the others. Neither names of conduits nor lines are in it, so
 * that a comment keeps every session. After commands_make. False when memory is out.
 */
bool permits_identify(struct ir *ir, struct arena *a);

#endif
