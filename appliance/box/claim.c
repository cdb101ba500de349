/* SPDX-License-Identifier: Apache-2.0 */
/* Moves devices into the namespaces where they belong. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/box_private.h"
#include "appliance/box/rtnl.h"

void box_close(struct handles *h)
{
	rtnl_close(h->home);
	rtnl_close(h->data);
	rtnl_close(h->admin);
}

int box_open(const struct box_spaces *s, struct handles *h, struct err *e)
{
	struct err why = { .code = -ENOMEM };

	h->home = rtnl_open(s->home, s->home, &why);
	h->data = h->home != NULL ? rtnl_open(s->data, s->home, &why) : NULL;
	h->admin = h->data != NULL ? rtnl_open(s->admin, s->home, &why) : NULL;
	if (h->admin != NULL)
		return 0;
	box_close(h);
	if (e != NULL)
		*e = why;
	return why.code;
}

struct devices *box_see(const struct handles *h, struct err *e)
{
	struct devices *seen = calloc(2, sizeof(*seen));

	if (seen == NULL) {
		err_set(e, -ENOMEM, "devices");
		return NULL;
	}
	if (devices_read(h->data, &seen[0], e) == 0 && devices_read(h->admin, &seen[1], e) == 0)
		return seen;
	free(seen);
	return NULL;
}

int box_named(const struct ir_interface *i, struct err *e)
{
	struct err inner = *e;

	snprintf(e->text, sizeof(e->text), "interface %.32s (%.16s): %.150s", i->name, i->device, inner.text);
	return e->code;
}

int box_first(int code, const struct err *e, struct err *kept)
{
	if (kept->code == 0)
		*kept = *e;
	return kept->code != 0 ? kept->code : code;
}

/* Whether the card may leave the first namespace. It may not if a device above it would stay there:
 * this device would go on sending over the card, without any rule. */
static int may_leave_home(struct rtnl *home, const char *card, uint32_t index, struct err *e)
{
	struct devices *all = calloc(1, sizeof(*all));
	int r = all == NULL ? err_set(e, -ENOMEM, "device %s", card) : devices_read(home, all, e);
	const struct device *d = r == 0 ? devices_stays(all, index) : NULL;

	if (d != NULL)
		r = err_set(
			e, -EBUSY,
			"%s %s lies on device %s in the first namespace, and would go past the box: remove it first",
			d->kind[0] != '\0' ? d->kind : "device", d->name, card);
	free(all);
	return r;
}

static int claim_card(const struct box_spaces *s, struct handles *h, const struct ir_interface *i, bool leave,
		      bool *moved, struct err *e)
{
	struct rtnl *own = box_card_admin(i) ? h->admin : h->data, *other = box_card_admin(i) ? h->data : h->admin;
	int to = box_card_admin(i) ? s->admin : s->data;
	const char *card = ir_card(i);
	struct device l;
	int r = rtnl_link_get(own, card, &l, e);

	*moved = false;
	if (r != -ENODEV)
		return r;
	/* A card that was in the box's other namespace until now is moved from there; it is then
	 * down. */
	r = rtnl_link_get(other, card, &l, e);
	if (r == 0)
		return rtnl_link_move(other, l.index, to, NULL, e);
	if (r != -ENODEV)
		return r;
	if (leave)
		return err_set(e, -ENODEV, "device %s, released", card);
	r = rtnl_link_get(h->home, card, &l, e);
	if (r == 0)
		r = may_leave_home(h->home, card, l.index, e);
	if (r == 0)
		r = rtnl_link_move(h->home, l.index, to, NULL, e);
	*moved = r == 0;
	return r;
}

static int claim_one(const struct vlan_places *p, struct handles *h, const struct ir *ir, uint32_t n, bool leave,
		     bool *moved, struct err *e)
{
	const struct ir_interface *i = &ir->interfaces[n];
	int r = i->vlan != 0 ? vlans_name_free(p, i, e) : 0;

	if (r == 0)
		r = claim_card(p->s, h, i, leave, moved, e);
	/* This is done for a card that was there already, too, because an earlier run may have died
	 * before this step. */
	if (r == 0 && vlans_first(ir, n))
		r = vlans_clear(p, i, e);
	return r < 0 || i->vlan == 0 || vlans_stand(p, i) ? r : vlans_ensure(p, i, e);
}

int box_claim(const struct box_spaces *s, const struct ir *ir, box_leave *leave, const void *ctx, bool *moved,
	      struct err *e)
{
	struct err why = { 0 };
	struct devices *seen;
	struct vlan_places p;
	struct handles h;
	int r = box_open(s, &h, e);

	memset(moved, 0, ir->n_interfaces * sizeof(*moved));
	if (r < 0)
		return r;
	p = box_places(s, &h);
	p.seen = seen = box_see(&h, &why);
	if (seen == NULL) {
		box_close(&h);
		return err_set(e, why.code, "%s", why.text);
	}
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		struct err one = { 0 };

		if (claim_one(&p, &h, ir, i, leave != NULL && leave(ctx, ir_card(&ir->interfaces[i])), &moved[i],
			      &one) < 0)
			r = box_first(box_named(&ir->interfaces[i], &one), &one, &why);
	}
	free(seen);
	box_close(&h);
	if (r < 0 && e != NULL)
		*e = why;
	return r;
}

/* Moves a device between the two namespaces of the box. loan.h gives devices back to the first
 * namespace. */
static void back_to_its_side(const struct box_spaces *s, struct handles *h, const struct ir_interface *i)
{
	struct rtnl *own = box_card_admin(i) ? h->admin : h->data, *other = box_card_admin(i) ? h->data : h->admin;
	struct device l;

	if (rtnl_link_get(own, ir_card(i), &l, NULL) == -ENODEV && rtnl_link_get(other, ir_card(i), &l, NULL) == 0)
		rtnl_link_move(other, l.index, box_card_admin(i) ? s->admin : s->data, NULL, NULL);
}

void box_unclaim(const struct box_spaces *s, const struct ir *ir)
{
	struct vlan_places p;
	struct handles h;

	if (box_open(s, &h, NULL) < 0)
		return;
	p = box_places(s, &h);
	vlans_sweep(&p, ir);
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		back_to_its_side(s, &h, &ir->interfaces[i]);
	box_close(&h);
}

static int try_one(struct handles *h, const struct ir_interface *i, struct err *e)
{
	struct rtnl *spaces[] = { i->admin ? h->admin : h->data, i->admin ? h->data : h->admin, h->home };
	struct device l;
	size_t at = 0;
	int r = -ENODEV;

	while (at < 3 && r == -ENODEV)
		r = rtnl_link_get(spaces[at++], ir_card(i), &l, e);
	if (r == 0 && spaces[at - 1] == h->home)
		r = may_leave_home(h->home, ir_card(i), l.index, e);
	if (r < 0)
		return r;
	if (i->mtu != 0 && ((l.mtu_min != 0 && i->mtu < l.mtu_min) || (l.mtu_max != 0 && i->mtu > l.mtu_max)))
		return err_set(e, -EINVAL, "set its MTU to %u", i->mtu);
	return 0;
}

int box_try(const struct box_spaces *s, const struct ir *ir, struct err *e)
{
	struct handles h;
	int r = box_open(s, &h, e);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < ir->n_interfaces && r == 0; i++)
		if (try_one(&h, &ir->interfaces[i], e) < 0)
			r = box_named(&ir->interfaces[i], e);
	box_close(&h);
	return r;
}
