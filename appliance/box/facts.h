/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes the differences between a namespace and a generation: the addresses of an interface, the
 * hosts for which it answers, and the routes of a namespace. Used by box.c; supervisor only.
 */
#ifndef SEKISHO_BOX_FACTS_H
#define SEKISHO_BOX_FACTS_H

#include "appliance/box/rtnl.h"
#include "policy/ir/ir.h"

/* Gives the interface exactly these addresses. IPv6 link-local addresses are left to the kernel. */
int box_addresses(struct rtnl *r, uint32_t index, const struct ir_interface *i, struct err *e);
/* Makes the kernel answer on the interface for exactly the hosts in `answers`; gateways of the
 * generation's routes are announced as routers. */
int box_answers(struct rtnl *r, uint32_t index, const struct ir *ir, const struct ir_interface *i, struct err *e);
/*
 * Makes sure that interfaces which are up have exactly the routes that the kernel makes from their
 * addresses (in the admin namespace, only the box's own interfaces are checked). To be called
 * before box_routes, whose gateways need these routes. Goes on after a failure. In connected.c.
 */
int box_connected(struct rtnl *r, const struct ir *ir, bool admin, struct err *e);
/*
 * Gives the namespace the routes of the generation that belong there, and removes all others. In
 * the admin namespace (`admin`), routes of other programs stay. A route to an interface that does
 * not exist is left out, and not reported here. Goes on after a failure; returns the first one.
 */
int box_routes(struct rtnl *r, const struct ir *ir, bool admin, struct err *e);
/* Sorts the addresses, and writes them as ascending ranges that do not touch to ret[n]. Returns the
 * number of ranges. Pure. */
size_t box_joined(struct addr *list, size_t n, struct addr_range *ret);

#endif
