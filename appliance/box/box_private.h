/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by box.c, which sets interfaces, and claim.c, which moves devices; included by these two
 * only. */
#ifndef SEKISHO_BOX_BOX_PRIVATE_H
#define SEKISHO_BOX_BOX_PRIVATE_H

#include "appliance/box/box.h"
#include "appliance/box/vlans.h"

/* Handles for the three namespaces, opened together and closed together. */
struct handles {
	struct rtnl *home, *data, *admin;
};

int box_open(const struct box_spaces *s, struct handles *h, struct err *e);
void box_close(struct handles *h);
/* All devices of the data and of the admin namespace, in this order. Owned by the caller (free);
 * NULL = they cannot be read. */
struct devices *box_see(const struct handles *h, struct err *e);
/* Puts the name of the interface before the text of the error. */
int box_named(const struct ir_interface *i, struct err *e);
/* Keeps the first failure of several; returns its code. */
int box_first(int code, const struct err *e, struct err *kept);

/* Limits the rate of ARP requests on the data interfaces (kernel/arp_limit.h). Parameters as for
 * vlans_cards. */
int box_askers(const struct box_spaces *s, const struct ir *ir, bool dry, rtnl_note *note, void *ctx, struct err *e);
/* Finishes packets for the verdict cache, if the policy has lanes with commands
 * (kernel/finished.h). */
int box_finished(const struct box_spaces *s, const struct ir *ir, bool dry);

static inline struct vlan_places box_places(const struct box_spaces *s, const struct handles *h)
{
	return (struct vlan_places){ .s = s, .home = h->home, .data = h->data, .admin = h->admin };
}

/* Whether the interface's card belongs to the admin namespace. A card that carries VLANs
 * never does. */
static inline bool box_card_admin(const struct ir_interface *i)
{
	return i->admin && i->vlan == 0;
}

#endif
