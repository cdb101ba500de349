/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pairs of addresses the isolations in force cut, and which exceptions stay allowed, under
 * the policy in force and the next one. An isolation covers all addresses that the isolated name
 * has had since the order, so an apply can only cut more. It keeps a conduit only if the policy at
 * the time of the order kept it and the present policy keeps it too. It knows the conduit again by
 * its name, or by what it allows if it has got another name.
 *
 * Kept conduits pass by their permits. A permit is kept if each isolation keeps all conduits of the
 * permit that it covers. From the addresses of a kept permit, the pairs of isolations that do not
 * keep it are left out.
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

/* An address, and the MAC address that the kernel's table of neighbours shows for it. */
struct neighbour {
	struct addr address;
	uint64_t mac;
};

#define ISOLATED_ADDRESSES 256u /* of one MAC address */

#define ISOLATIONS_MOST 64u /* isolations at the same time */

/* The present addresses of an isolated object, as texts; NULL: the policy has no object of that
 * name. Owned by the caller. */
json_t *isolation_texts(const struct ir *ir, const char *what);
/* Notes in an isolation the conduits that it keeps under this policy: all that its declaration
 * keeps, if it is just `ordered`, otherwise those that it has also kept until now. Without a
 * declaration nothing changes. True: something changed. */
bool isolation_keeps(const struct ir *ir, json_t *isolation, bool ordered);
/* An isolation ordered just now, of these pairs (isolation_texts; taken over; NULL = none), with
 * what it keeps under the policy (NULL = nothing). Owned by the caller. */
json_t *isolation_entry(const struct ir *ir, const char *what, const char *by, const char *reason, json_t *pairs);
/* Brings the addresses of an isolation by MAC address up to date ("addresses" of the entry): adds
 * those that the neighbours show for it, and keeps each until another MAC address has it. True:
 * something changed. */
bool isolation_follows(json_t *isolation, const struct neighbour *list, size_t n);
/* Finds what these isolations cut, and what stays allowed. *ret_cut and *ret_kept must be empty;
 * the caller frees them. `next` may be NULL. False: no memory. */
bool isolation_pairs(const json_t *list, const struct isolated_policy *now, const struct isolated_policy *next,
		     struct apart *ret_cut, struct apart *ret_kept);
/* Statements `always` of the policy that these isolations break; owned by the caller. */
json_t *isolation_breaks(const struct ir *ir, const json_t *list);

#endif
