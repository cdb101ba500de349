/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command table of a policy: grants and rows of every permit, in permit index order.
 *
 * Compile stage after permits.h. Rows are written once per service and shared by the grants that use it; equal number
 * lists are written once. Pure; results in the arena given.
 */
#ifndef SEKISHO_POLICY_COMPILE_COMMANDS_H
#define SEKISHO_POLICY_COMPILE_COMMANDS_H

#include <stdbool.h>

#include "appliance/base/arena.h"
#include "policy/check/model.h"
#include "policy/ir/ir.h"
#include "policy/space/cells.h"

/* Fills ir->table and its digest, and tells services which rows are theirs; ir->permits and ir->services stand already. False when memory is out. */
bool commands_make(const struct model *m, const struct cells *cells, struct arena *a, struct ir *ir);

#endif
