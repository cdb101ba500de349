/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two namespaces in which nothing runs and nothing is connected: what box_set would do is done there first, to devices of the same
 * names and MTU, so that a dry run hears of what the kernel refuses in the kernel's own words.
 */
#include "appliance/box/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "appliance/box/box_private.h"
#include "appliance/box/netns.h"
#include "appliance/box/rtnl.h"

int scratch_open(int home, struct box_spaces *ret, struct err *e)
{
	*ret = (struct box_spaces){ home, -1, -1 };
	ret->data = netns_scratch(e);
	if (ret->data < 0)
		return ret->data;
	ret->admin = netns_scratch(e);
	return ret->admin < 0 ? ret->admin : 0;
}

/* The MTU that the device has now, wherever it is. */
static uint32_t mtu_of(struct rtnl *const real[3], const struct ir_interface *i)
{
	struct rtnl_link l;

	for (unsigned n = 0; n < 3; n++)
		if (rtnl_link_get(real[n], ir_card(i), &l, NULL) == 0)
			return l.mtu;
	return i->mtu;
}

/* What a try before this one left goes first. */
static int stand_in(struct rtnl *r, const struct ir_interface *i, uint32_t number, uint32_t mtu, struct err *e)
{
	struct rtnl_link l;
	char peer[16];

	if (rtnl_link_get(r, ir_card(i), &l, NULL) == 0)
		rtnl_link_delete(r, l.index, NULL);
	snprintf(peer, sizeof(peer), "~%u", number); /* no policy names such a device */
	return rtnl_link_pair(r, ir_card(i), peer, mtu, e);
}

int scratch_try(const struct box_spaces *s, const struct box_spaces *scratch, const struct ir *ir, struct err *e)
{
	struct rtnl *real[3] = { rtnl_open(s->data, s->home, e), rtnl_open(s->admin, s->home, e),
				 rtnl_open(s->home, s->home, e) };
	struct rtnl *here[2] = { rtnl_open(scratch->data, s->home, e), rtnl_open(scratch->admin, s->home, e) };
	bool open = real[0] != NULL && real[1] != NULL && real[2] != NULL && here[0] != NULL && here[1] != NULL;
	struct rtnl_link l;
	int r = open ? 0 : e->code;

	/* VLANs on them box_set makes, as it does where they are missing. */
	for (uint32_t i = 0; i < ir->n_interfaces && r == 0; i++)
		if (vlans_first(ir, i))
			r = stand_in(here[box_card_admin(&ir->interfaces[i])], &ir->interfaces[i], i,
				     mtu_of(real, &ir->interfaces[i]), e);
	/* A kernel without such devices: what can be said without them box_try has said. */
	if (r == -EOPNOTSUPP)
		r = 0;
	else if (r == 0)
		r = box_set(scratch, ir, NULL, e);
	for (uint32_t i = 0; i < ir->n_interfaces && open; i++)
		if (rtnl_link_get(here[box_card_admin(&ir->interfaces[i])], ir_card(&ir->interfaces[i]), &l, NULL) == 0)
			rtnl_link_delete(here[box_card_admin(&ir->interfaces[i])], l.index, NULL);
	for (unsigned n = 0; n < 3; n++)
		rtnl_close(real[n]);
	for (unsigned n = 0; n < 2; n++)
		rtnl_close(here[n]);
	return r;
}
