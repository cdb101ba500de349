/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that set devices, VLANs, addresses and routes. Supervisor only. */
#ifndef SEKISHO_BOX_BOX_PRIVATE_H
#define SEKISHO_BOX_BOX_PRIVATE_H

#include "appliance/box/box.h"

/* The three namespaces; opened together, and closed together. */
struct handles {
	const struct box_spaces *s; /* borrowed */
	struct rtnl *home, *data, *admin;
	/* All devices of the data and of the admin namespace, in this order; NULL = they were not
	 * read, so each is read by itself. Owned. */
	struct devices *seen;
};

/* Keeps the first failure of several, because the others are tried all the same. */
static inline void keep_first(struct err *kept, int code, const struct err *one)
{
	if (code < 0 && kept->code == 0) {
		*kept = *one;
		kept->code = code;
	}
}

/* The result after several attempts: the failure that keep_first kept (also in *e), or 0. */
static inline int first_kept(const struct err *kept, struct err *e)
{
	if (kept->code < 0 && e != NULL)
		*e = *kept;
	return kept->code;
}

/* Whether the interface's card belongs to the admin namespace. A card that carries VLANs
 * never does. */
static inline bool box_card_admin(const struct ir_interface *i)
{
	return i->admin && i->vlan == 0;
}

/* ---- facts.c, answers.c: the differences between a namespace and a generation ---------------- */

/* Gives the interface exactly these addresses. IPv6 link-local addresses are left to the kernel. */
int box_addresses(struct rtnl *r, uint32_t index, const struct ir_interface *i, struct err *e);
/* Makes the kernel answer on the interface for exactly the hosts in `answers`; gateways of the
 * generation's routes are announced as routers. */
int box_answers(struct rtnl *r, uint32_t index, const struct ir *ir, const struct ir_interface *i, struct err *e);
/*
 * Makes sure that interfaces which are up have exactly the routes that the kernel makes from their
 * addresses (in the admin namespace, only the box's own interfaces are checked). To be called
 * before box_routes, whose gateways need these routes. Goes on after a failure.
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

/* ---- vlans.c --------------------------------------------------------------------------------- */

/*
 * VLANs of box.cfg: the devices that the box makes on a card, and the card below these devices. The
 * card only carries VLANs: it has no address and no IPv6. A gate on the card
 * (kernel/small_tables.h) accepts only frames with a single tag, which must be one of the card's
 * VLANs. A card with the admin VLAN is in the data namespace, too; only the device of the admin
 * VLAN is in the admin namespace.
 *
 * The box recognises the devices that it made by an alias, also after a restart, and deletes those
 * that no policy wants. If the box died before it set the alias, the device is made anew.
 */

/* Whether the VLAN's device was in its namespace, on its card, when the devices were read. */
bool vlans_stand(const struct handles *p, const struct ir_interface *i);
/* -EEXIST when a device that the box did not make has the name of the VLAN's device. To be called
 * before anything is moved. */
int vlans_name_free(const struct handles *p, const struct ir_interface *i, struct err *e);

/*
 * Creates the VLAN's device (down) in its namespace if it is missing, and replaces a wrong one.
 * -ENODEV when its card is not in the data namespace. The change is reported to the handle's
 * `note`; a dry handle changes nothing and gives -EALREADY.
 */
int vlans_ensure(const struct handles *p, const struct ir_interface *i, struct err *e);
/*
 * Deletes the machine's own VLANs on a card of the box. In the first namespace they would go on
 * using the card, bypassing every rule, and two devices cannot have the same VLAN. They are created
 * again from the card's picture when the card is given back (loan.h).
 */
int vlans_clear(const struct handles *p, const struct ir_interface *i, struct err *e);
/* Deletes devices that the box made and that are not in `ir`. */
void vlans_sweep(const struct handles *p, const struct ir *ir);
/* Deletes the devices that the box made on the card with that index in the data namespace, before
 * the card is given back. s->admin may be -1. */
void vlans_off(const struct box_spaces *s, struct rtnl *data, uint32_t index);
/*
 * Removes addresses and IPv6 from the cards of ir's VLANs, sets the gate on them, and sets them up.
 * Without the gate no card is set up. Goes on after a failure; returns the first one, or 0.
 */
int vlans_cards(const struct handles *p, const struct ir *ir, bool dry, rtnl_note *note, void *ctx, struct err *e);

#endif
