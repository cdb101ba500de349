/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy that is too large is told: not where a limit was met, which hangs on the order of the text, but which
 * conduits take most of it. Pure; texts in the arena given.
 */
#ifndef SEKISHO_POLICY_SPACE_COSTS_H
#define SEKISHO_POLICY_SPACE_COSTS_H

#include "appliance/base/arena.h"
#include "appliance/base/diag.h"
#include "policy/check/model.h"

/* cost[i]: what conduit i takes. Adds the error, at the costliest, with the next one beside it and up to five named. */
void costs_report(struct diags *d, const char *code, const struct model *m, const uint64_t *cost, struct arena *a,
		  const char *en, const char *ja);

#endif
