/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The differences between what a namespace has and what a generation wants: addresses of one interface and for whom it
 * answers, routes of one namespace. Used by box.c; supervisor only.
 */
#ifndef SEKISHO_BOX_FACTS_H
#define SEKISHO_BOX_FACTS_H

#include "appliance/box/rtnl.h"
#include "policy/ir/ir.h"

/* The interface has exactly these addresses afterwards (IPv6 link-local ones are the kernel's own affair). */
int box_addresses(struct rtnl *r, uint32_t index, const struct ir_interface *i, struct err *e);
/* The kernel answers there for exactly its `answers`, and for nobody else; for gateways of the generation's routes as routers. */
int box_answers(struct rtnl *r, uint32_t index, const struct ir *ir, const struct ir_interface *i, struct err *e);
/*
 * Addresses of interfaces that are up have the routes that the kernel makes of them, and no others are in its name (in the admin namespace:
 * of the box's own places). Before box_routes, whose gateways lie there; as that, it goes on over what fails. connected.c.
 */
int box_connected(struct rtnl *r, const struct ir *ir, bool admin, struct err *e);
/*
 * The namespace has exactly these routes of ours afterwards, but for those that lead to an interface which is not there: that is not
 * told here. One that fails keeps no other from being set; the first failure is told. `admin`: which of the generation's are meant.
 */
int box_routes(struct rtnl *r, const struct ir *ir, bool admin, struct err *e);
/* Addresses, which it sorts, as ascending ranges that do not touch, into ret[n]; returns how many. Pure. */
size_t box_joined(struct addr *list, size_t n, struct addr_range *ret);

#endif
