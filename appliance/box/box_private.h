/* SPDX-License-Identifier: Apache-2.0 */
/* What box.c (facts of interfaces) and claim.c (where their devices are) share; nobody else includes it. */
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
/* All devices of the data and of the admin namespace; owned by the caller (free), NULL when they cannot be read. */
struct devices *box_see(const struct handles *h, struct err *e);
/* Puts the interface's name before what went wrong. */
int box_named(const struct ir_interface *i, struct err *e);
/* Keeps the first failure of several; returns its code. */
int box_first(int code, const struct err *e, struct err *kept);

/* How often who asks for the box is heard on the data interfaces. askers.c; as vlans_cards. */
int box_askers(const struct box_spaces *s, const struct ir *ir, bool dry, rtnl_note *note, void *ctx, struct err *e);

static inline struct vlan_places box_places(const struct box_spaces *s, const struct handles *h)
{
	return (struct vlan_places){ .s = s, .home = h->home, .data = h->data, .admin = h->admin };
}

/* Where the interface's card belongs: one that carries VLANs is not the admin namespace's, whatever it carries. */
static inline bool box_card_admin(const struct ir_interface *i)
{
	return i->admin && i->vlan == 0;
}

#endif
