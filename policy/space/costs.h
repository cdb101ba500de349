/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message for a policy that is too large. It names the conduits that take the most, and not the
 * place where the limit was reached, which depends on the order of the text. Pure; texts in the
 * arena given.
 */
#ifndef SEKISHO_POLICY_SPACE_COSTS_H
#define SEKISHO_POLICY_SPACE_COSTS_H

#include "appliance/base/arena.h"
#include "appliance/base/diag.h"
#include "policy/check/model.h"

/* cost[i]: the cost of conduit i. Adds the error at the costliest conduit, with the second one's
 * place beside it, and names up to five conduits. */
void costs_report(struct diags *d, const char *code, const struct model *m, const uint64_t *cost, struct arena *a,
		  const char *en, const char *ja);

#endif
