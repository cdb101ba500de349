/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an isolation does under a generation: which addresses it cuts, what stays open, and which
 * `always` it would break. The compiler uses it for declared isolations, enforce for those that
 * people order. Pure.
 */
#ifndef SEKISHO_POLICY_IR_ISOLATION_H
#define SEKISHO_POLICY_IR_ISOLATION_H

#include "policy/ir/ir.h"

#define ISOLATE_EVERYTHING "everything"

/* The MAC address of "mac 02:00:00:00:00:01", as a number; 0 = these words name none. */
uint64_t ir_isolated_mac(const char *what);

typedef void ir_each_pair(void *ctx, const struct addr_range *source, const struct addr_range *destination);

/*
 * Calls `each` for the pairs of addresses that an isolation cuts, in both directions. `what`:
 * "asset NAME", "zone NAME", "zones NAME NAME", "address A" (also a range or a network),
 * "interface NAME" (all zones behind it), "everything", or the name of a declared isolation. "mac
 * M" has the addresses that its neighbours show, which the generation does not know: none here.
 * False: the generation has nothing of that name.
 */
bool ir_isolated(const struct ir *ir, const char *what, ir_each_pair *each, void *ctx);
/* Writes what people call the isolation: its label, or "A – B" for two zones. "" for everything,
 * and if the generation has nothing of that name. */
void ir_isolated_label(const struct ir *ir, const char *what, char *out, size_t size);
/* Sets zones[i] and assets[i] to true for those that the isolation's words name. */
void ir_isolated_things(const struct ir *ir, const char *what, bool *zones, bool *assets);
/* The declared isolation with this name, or NULL. */
const struct ir_isolation *ir_isolation_of(const struct ir *ir, const char *name);
/* Whether the permit has grants, and all of them belong to kept conduits. `kept`: by conduit. */
bool ir_permit_kept(const struct ir *ir, uint32_t permit, const bool *kept);

struct ir_cut_range {
	struct addr_range source, destination;
};
/* Returns a conduit that fulfils the statement of `always` now, and would be cut by an isolation
 * with this list. UINT32_MAX: the list does not meet the statement, or all conduits that it meets
 * are kept. */
uint32_t ir_always_cut(const struct ir *ir, const struct ir_always *w, const struct ir_cut_range *list, size_t n,
		       const bool *kept);

#endif
