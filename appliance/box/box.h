/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Box facts in the kernel: interfaces, addresses, MTU and routes of a generation. Supervisor only.
 *
 * Three namespaces: `home`, where devices are found when the box starts, data and admin. Only differences are written,
 * so that an address or route that stays is never taken away for an instant. Nothing here decides who may talk: devices
 * arrive down, and only after the deny base stands in the data namespace (the caller's order).
 */
#ifndef SEKISHO_BOX_BOX_H
#define SEKISHO_BOX_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "policy/ir/ir.h"

struct box_spaces {
	int home, data, admin; /* namespace descriptors, borrowed; the process is in `home` */
};

/*
 * Brings every card of `ir` into its namespace, and makes VLANs on it that are missing; one that is already there is left alone, as is at home one that `leave`
 * (or NULL) says so of. One at home on which something lies that would stay there and go on over it is -EBUSY; VLANs of the machine's go. moved[i] is set for those that came from home (moved has ir->n_interfaces entries). Goes on over
 * failures; returns the first (negative errno), or 0.
 */
typedef bool box_leave(const void *ctx, const char *device);
int box_claim(const struct box_spaces *s, const struct ir *ir, box_leave *leave, const void *ctx, bool *moved,
	      struct err *e);
/*
 * Whether box_claim and box_set would do: every device is in one of the three namespaces and takes the MTU. Changes nothing;
 * 0 or the first failure, as box_claim tells it.
 */
int box_try(const struct box_spaces *s, const struct ir *ir, struct err *e);
/*
 * Makes addresses, MTU, up and routes what `ir` says. `before` (or NULL) names interfaces that are no longer part of the
 * box: they lose their addresses and go down. Goes on over failures, so that one missing device does not take the others
 * along; returns the first (negative errno; *e names interface and object), or 0. Calling it with the old facts undoes a
 * failed change.
 */
int box_set(const struct box_spaces *s, const struct ir *ir, const struct ir *before, struct err *e);
/* `where` "interface lan1" (its name in the policy) or "routes", `what` as rtnl_note; texts are valid during the call. */
typedef void box_difference(void *ctx, const char *where, const char *what, const char *detail);
/* As box_set, and tells of every difference, a missing device among them; without `mend` it only tells. */
int box_compare(const struct box_spaces *s, const struct ir *ir, bool mend, box_difference *each, void *ctx,
		struct err *e);
/* A device of that name is in the data or the admin namespace. */
bool box_has(const struct box_spaces *s, const char *device);
/* Kernel index of every interface in its namespace, 0 where it is absent, into ret[ir->n_interfaces]. */
int box_indexes(const struct box_spaces *s, const struct ir *ir, uint32_t *ret, struct err *e);
/* After a box_claim for another policy than `ir`, which is in force: VLANs that are not its go, and its cards go back to their sides. */
void box_unclaim(const struct box_spaces *s, const struct ir *ir);
/* How many frames a card that carries VLANs has refused since its gate stands. */
uint64_t box_refused(const struct box_spaces *s, const char *card);
/* One interface as it is now; `d` NULL = its device is not there; `card`: what a VLAN lies on, NULL = not there. Addresses as "10.0.0.1/24", separated by spaces. */
struct device;
typedef void box_interface(void *ctx, const struct ir_interface *i, const struct device *d, const struct device *card,
			   const char *addresses);
int box_interfaces(const struct box_spaces *s, const struct ir *ir, box_interface *each, void *ctx, struct err *e);
/*
 * For whom the kernel answers now (ARP, neighbour discovery) on each interface where `ir` gives it somebody: ascending ranges, disjoint and not
 * touching, none where the device is gone; valid during the call.
 */
typedef void box_answered(void *ctx, const struct ir_interface *i, const struct addr_range *list, size_t n);
int box_answering(const struct box_spaces *s, const struct ir *ir, box_answered *each, void *ctx, struct err *e);
/* The loopback interfaces of both namespaces up. */
int box_loopback(const struct box_spaces *s, struct err *e);

/* ---- pure parts, for tests -------------------------------------------------------------------------------------- */

/* The namespace of a route: its interface's, or that of the interface whose network holds the gateway, or data. */
bool box_route_is_admin(const struct ir *ir, const struct ir_route *r);

/* A device that is the box's and of no policy: in the data namespace, down. */

/* Out of the first namespace. 0 also where it is not there; negative errno. */
int box_hold(const struct box_spaces *s, const char *device, struct err *e);

/* Addresses and routes of a generation, tried where nobody is. Supervisor only. */

/* Two empty namespaces, kept by their descriptors alone; `home` as in struct box_spaces. 0 or negative errno. */
int scratch_open(int home, struct box_spaces *ret, struct err *e);
/* Whether box_set would do, as it would tell it; box_try has been asked before. Changes nothing of the box. */
int scratch_try(const struct box_spaces *s, const struct box_spaces *scratch, const struct ir *ir, struct err *e);

#endif
