/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VLANs of box.cfg: the devices that the box makes on a card, and the card below them, which only
 * carries VLANs: it has no address and no IPv6, and a gate (kernel/trunk.h) that accepts only
 * frames with a single tag of its VLANs. The card is in the data namespace, also where it carries
 * the admin VLAN; only that VLAN's device is in the admin namespace. Used by box.c; supervisor
 * only.
 *
 * The box recognises the devices that it made by an alias, also after a restart, and deletes those
 * that no policy wants. If the box died before it set the alias, the device is made anew.
 */
#ifndef SEKISHO_BOX_VLANS_H
#define SEKISHO_BOX_VLANS_H

#include "appliance/box/box.h"
#include "appliance/box/rtnl.h"

struct vlan_places {
	const struct box_spaces *s;
	struct rtnl *home, *data, *admin; /* borrowed */
	/* of the data and the admin namespace; borrowed; NULL = not read */
	const struct devices *seen;
};

/* Whether the VLAN's device was in its namespace, on its card, when the devices were read. */
bool vlans_stand(const struct vlan_places *p, const struct ir_interface *i);
/* -EEXIST when a device that the box did not make has the name of the VLAN's device. To be called
 * before anything is moved. */
int vlans_name_free(const struct vlan_places *p, const struct ir_interface *i, struct err *e);

/*
 * Creates the VLAN's device (down) in its namespace if it is missing, and replaces a wrong one.
 * -ENODEV when its card is not in the data namespace. The change is reported to the handle's
 * `note`; a dry handle changes nothing and gives -EALREADY.
 */
int vlans_ensure(const struct vlan_places *p, const struct ir_interface *i, struct err *e);
/*
 * Deletes the machine's own VLANs on a card of the box. In the first namespace they would go on
 * using the card, bypassing every rule, and two devices cannot have the same VLAN. They are created
 * again from the card's picture when the card is given back (loan.h).
 */
int vlans_clear(const struct vlan_places *p, const struct ir_interface *i, struct err *e);
/* Deletes devices that the box made and that are not in `ir`. */
void vlans_sweep(const struct vlan_places *p, const struct ir *ir);
/* Deletes the devices that the box made on the card with that index in the data namespace, before
 * the card is given back. s->admin may be -1. */
void vlans_off(const struct box_spaces *s, struct rtnl *data, uint32_t index);
/*
 * Removes addresses and IPv6 from the cards of ir's VLANs, sets the gate on them, and sets them up.
 * Without the gate no card is set up. Goes on after a failure; returns the first one, or 0.
 */
int vlans_cards(const struct vlan_places *p, const struct ir *ir, bool dry, rtnl_note *note, void *ctx, struct err *e);
/* Whether the nth interface is the first one on its card. */
bool vlans_first(const struct ir *ir, uint32_t n);

#endif
