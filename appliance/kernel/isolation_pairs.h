/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pairs of addresses the isolations in force cut, and which exceptions stay allowed, under
 * the policy in force and the next one. An apply can only cut more. An isolation covers all
 * addresses that the isolated name has had since the order. It keeps a conduit only if both the
 * policy at the time of the order and the present one keep it.
 *
 * A kept exception passes by its permit. A permit is kept if all its conduits are kept by each
 * isolation that covers them. Isolations that do not keep a permit cut its boxes.
 */
#ifndef SEKISHO_KERNEL_ISOLATION_PAIRS_H
#define SEKISHO_KERNEL_ISOLATION_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/kernel/apart.h"
#include "policy/ir/ir.h"

/* A policy, and the id of each of its permits on this box. */
struct isolated_policy {
	const struct ir *ir;
	const uint32_t *ids;
};

#define ISOLATIONS_MOST 64u /* isolations at the same time */

/* The present addresses of an isolated object, as texts; NULL: the policy has no object of that
 * name. Owned by the caller. */
json_t *isolation_texts(const struct ir *ir, const char *what);
/* The names of the conduits that the isolation of `what` keeps now; owned by the caller. */
json_t *isolation_keeps(const struct ir *ir, const char *what);
/* Removes from an isolation's `keep` the conduits that its declaration in the policy does not keep,
 * if there is a declaration. True: some were removed. */
bool isolation_keeps_less(const struct ir *ir, json_t *isolation);
/* What these isolations cut, and what stays allowed; both are empty before, and the caller's to
 * free. `next` may be NULL. False: no memory. */
bool isolation_pairs(const json_t *list, const struct isolated_policy *now, const struct isolated_policy *next,
		     struct apart *ret_cut, struct apart *ret_kept);
/* Statements `always` of the policy that these isolations break; owned by the caller. */
json_t *isolation_breaks(const struct ir *ir, const json_t *list);

#endif
