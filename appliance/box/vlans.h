/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VLANs of box.cfg: the devices that the box makes on a card, and the card below them, which carries them and is nothing else: it has no
 * address and no IPv6, and a gate (kernel/trunk.h) that lets in frames with one tag of its VLANs. The card is in the data namespace,
 * also where it carries the admin VLAN; only that VLAN's device is in the admin namespace. Used by box.c; supervisor only.
 *
 * A device that the box made bears its alias, so that it is known again after a restart, and goes when no policy wants it. One that has
 * everything but the alias, since who made it died before it had that, is made anew, and goes with its card.
 */
#ifndef SEKISHO_BOX_VLANS_H
#define SEKISHO_BOX_VLANS_H

#include "appliance/box/box.h"
#include "appliance/box/rtnl.h"

struct vlan_places {
	const struct box_spaces *s;
	struct rtnl *home, *data, *admin; /* borrowed */
	const struct devices *seen;	  /* of the data and the admin namespace; borrowed; NULL = not read */
};

/* The VLAN's device stood in its namespace, and its card below it, when they were seen. */
bool vlans_stand(const struct vlan_places *p, const struct ir_interface *i);
/* Somebody else's device has the name of the VLAN's: -EEXIST. Asked before anything is moved. */
int vlans_name_free(const struct vlan_places *p, const struct ir_interface *i, struct err *e);

/*
 * The VLAN's device in its namespace, made (down) where it is missing, made anew where it is another; its card is in the data
 * namespace, or it is -ENODEV. Who listens at the handle hears of it; a dry one changes nothing and gives -EALREADY.
 */
int vlans_ensure(const struct vlan_places *p, const struct ir_interface *i, struct err *e);
/*
 * The machine's own VLANs on a card that is in its namespace go: from the first namespace they would go on over it, past every rule, and
 * two devices cannot have one VLAN. What the card was then says how they are made anew when it goes back (loan.h).
 */
int vlans_clear(const struct vlan_places *p, const struct ir_interface *i, struct err *e);
/* Devices that the box made and `ir` does not want. */
void vlans_sweep(const struct vlan_places *p, const struct ir *ir);
/* Those that the box made on the card with that index of the data namespace; before it goes home. s->admin may be -1. */
void vlans_off(const struct box_spaces *s, struct rtnl *data, uint32_t index);
/*
 * Cards of ir's VLANs, without what would make them answer, and the gate on them; then they are up. Without the gate none is. A card that
 * fails keeps no other down; first failure, or 0.
 */
int vlans_cards(const struct vlan_places *p, const struct ir *ir, bool dry, rtnl_note *note, void *ctx, struct err *e);
/* The nth interface is the first on its card. */
bool vlans_first(const struct ir *ir, uint32_t n);

#endif
