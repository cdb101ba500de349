/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets interfaces, addresses, MTU and routes of a generation in the kernel. Supervisor only. There
 * are three namespaces: `home`, where devices are when the box starts, data and admin. Only
 * differences are written, so that an address or route that stays is not removed even for a moment.
 * This module does not decide which traffic passes: devices are down when they are moved, and the
 * caller has loaded the deny base in the data namespace before.
 */
#ifndef SEKISHO_BOX_BOX_H
#define SEKISHO_BOX_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/box/rtnl.h"
#include "policy/ir/ir.h"

struct box_spaces {
	int home, data, admin; /* namespace descriptors, borrowed; the process is in `home` */
};

/*
 * Moves every card of `ir` into its namespace, and creates missing VLANs on it. A card that is
 * already there is left alone. If `stays` (may be NULL) returns true for a card at home, the card
 * stays there, without VLANs. -EBUSY: another device at home is above the card, and would stay
 * there and go on using it. The machine's own VLANs on the card are deleted.
 * moved[i], for i below ir->n_interfaces, is set for cards that came from home. Goes on after a
 * failure; returns the first one (negative errno), or 0.
 */
typedef bool box_stays(const void *ctx, const char *device);
int box_claim(const struct box_spaces *s, const struct ir *ir, box_stays *stays, const void *ctx, bool *moved,
	      struct err *e);
/*
 * Whether box_claim and box_set would succeed: every device is in one of the three namespaces, and
 * supports the MTU. Changes nothing. 0 or the first failure, as box_claim reports it.
 */
int box_try(const struct box_spaces *s, const struct ir *ir, struct err *e);
/*
 * Sets addresses, MTU, link state and routes as `ir` says. Interfaces of `before` (or NULL) that
 * are not in `ir` lose their addresses and are taken down. Goes on after a failure, so that one
 * missing device does not affect the others; returns the first failure (negative errno; *e names
 * interface and object), or 0. A failed change is undone by a call with the old `ir`.
 */
int box_set(const struct box_spaces *s, const struct ir *ir, const struct ir *before, struct err *e);
/* `where` "interface lan1" (its name in the policy) or "routes", `what` as rtnl_note; texts are
 * valid during the call. */
typedef void box_difference(void *ctx, const char *where, const char *what, const char *detail);
/* As box_set, and calls `each` for every difference, including missing devices. Without `mend`
 * nothing is changed. */
int box_compare(const struct box_spaces *s, const struct ir *ir, bool mend, box_difference *each, void *ctx,
		struct err *e);
/* Whether `device` is in the data or the admin namespace. */
bool box_has(const struct box_spaces *s, const char *device);
/* Writes the kernel index of every interface in its namespace to ret[ir->n_interfaces]; 0 where it
 * is absent. */
int box_indexes(const struct box_spaces *s, const struct ir *ir, uint32_t *ret, struct err *e);
/* Undoes a box_claim that was made for another policy. `ir` is the policy in force: VLANs that are
 * not in `ir` are deleted, and the cards of `ir` return to their namespaces. */
void box_unclaim(const struct box_spaces *s, const struct ir *ir);
/* How many frames the filter of a card with VLANs has refused since the filter was made. */
uint64_t box_refused(const struct box_spaces *s, const char *card);
/* Called for one interface as it is now. `d` NULL = the device does not exist. `card`: the card of
 * a VLAN, NULL = it does not exist. Addresses are written as "10.0.0.1/24", separated by spaces. */
typedef void box_interface(void *ctx, const struct ir_interface *i, const struct device *d, const struct device *card,
			   const char *addresses);
int box_interfaces(const struct box_spaces *s, const struct ir *ir, box_interface *each, void *ctx, struct err *e);
/*
 * Called for each interface that has `answers` in `ir`, with the hosts for which the kernel answers
 * ARP and neighbour discovery there now: ascending ranges, disjoint and not touching; none where
 * the device is gone. Valid during the call.
 */
typedef void box_answered(void *ctx, const struct ir_interface *i, const struct addr_range *list, size_t n);
int box_answering(const struct box_spaces *s, const struct ir *ir, box_answered *each, void *ctx, struct err *e);
/* Whether the nth interface is the first one on its card. */
bool vlans_first(const struct ir *ir, uint32_t n);
/* Sets the loopback interfaces of both namespaces up. */
int box_loopback(const struct box_spaces *s, struct err *e);

/* A device that belongs to the box but is in no policy: it is kept in the data namespace, down. */

/* Moves the device out of the first namespace. 0, also when the device is not there; or
 * negative errno. */
int box_hold(const struct box_spaces *s, const char *device, struct err *e);

/* Tries the addresses and routes of a generation in empty namespaces. Supervisor only. */

/* Creates two empty namespaces, which exist as long as their descriptors. `home` as in struct
 * box_spaces. 0 or negative errno. */
int scratch_open(int home, struct box_spaces *ret, struct err *e);
/* Whether box_set would succeed; returns what box_set would return. To be called after box_try has
 * succeeded. Changes nothing in the box. */
int scratch_try(const struct box_spaces *s, const struct box_spaces *scratch, const struct ir *ir, struct err *e);

/* Whether a route belongs to the admin namespace. It belongs to the namespace of its interface, or
 * of the interface whose network contains the gateway; otherwise to data. */
bool box_route_is_admin(const struct ir *ir, const struct ir_route *r);

#endif
