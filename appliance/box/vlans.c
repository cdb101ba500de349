/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/box_private.h"
#include "appliance/kernel/small_tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/netns.h"
#include "appliance/box/rtnl_private.h"

bool vlans_first(const struct ir *ir, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(ir_card(&ir->interfaces[i]), ir_card(&ir->interfaces[n])) == 0)
			return false;
	return true;
}

/* ---- devices --------------------------------------------------------------------------------- */

static bool right(const struct handles *p, const struct device *d, const struct ir_interface *i, uint32_t card)
{
	return d->ours && d->vlan == i->vlan && d->vlan_plain &&
	       device_lies_on(d, card, i->admin ? rtnl_nsid(p->admin, p->s->data) : -1);
}

bool vlans_stand(const struct handles *p, const struct ir_interface *i)
{
	const struct device *d = p->seen != NULL ? devices_find(&p->seen[i->admin], i->device) : NULL,
			    *card = d != NULL ? devices_find(&p->seen[0], i->card) : NULL;

	return card != NULL && right(p, d, i, card->index);
}

/*
 * Whether the box began to make this VLAN and died before it set the alias, which the kernel takes
 * only afterwards. Such a device has the name, VLAN id and card that only the box would give it,
 * and is in the card's namespace, where the machine makes no interfaces.
 */
static bool half_made(const struct device *d, const struct device *card)
{
	char name[32];

	if (card == NULL || d->ours || d->vlan == 0 || !d->vlan_plain || !device_lies_on(d, card->index, -1))
		return false;
	snprintf(name, sizeof(name), "%s.%u", card->name, d->vlan);
	return strcmp(d->name, name) == 0;
}

static int not_ours(const struct ir_interface *i, struct err *e)
{
	return err_set(e, -EEXIST, "device %s is there already, and not made by the box: release it first", i->device);
}

int vlans_name_free(const struct handles *p, const struct ir_interface *i, struct err *e)
{
	const struct device *d = p->seen != NULL ? devices_find(&p->seen[i->admin], i->device) : NULL;

	if (d == NULL || d->ours || (!i->admin && half_made(d, devices_find(&p->seen[0], i->card))))
		return 0;
	return not_ours(i, e);
}

static int vlan_make(const struct handles *p, const struct ir_interface *i, uint32_t card, struct err *e)
{
	struct device l = { 0 };
	int r = rtnl_link_vlan(p->data, i->device, card, i->vlan, true, e);

	if (r < 0 || !i->admin)
		return r;
	r = rtnl_link_get(p->data, i->device, &l, e);
	if (r == 0)
		r = rtnl_link_move(p->data, l.index, p->s->admin, NULL, e);
	if (r < 0 && l.index != 0)
		rtnl_link_delete(p->data, l.index, NULL);
	return r;
}

/* Deletes a VLAN with the name of `i` in the other namespace. Such a VLAN is there if the policy
 * has moved its interface to this namespace, or if the box died before it moved the VLAN. */
static int other_side(struct rtnl *other, const struct ir_interface *i, struct devices *all, struct err *e)
{
	const struct device *d;
	int r = devices_read(other, all, e);

	d = r == 0 ? devices_find(all, i->device) : NULL;
	if (d == NULL || (!d->ours && !(i->admin && half_made(d, devices_find(all, i->card)))))
		return r;
	return rtnl_link_delete(other, d->index, e);
}

int vlans_ensure(const struct handles *p, const struct ir_interface *i, struct err *e)
{
	struct rtnl *own = i->admin ? p->admin : p->data;
	struct devices *all = calloc(1, sizeof(*all));
	const struct device *d;
	struct device card = { 0 };
	int r = all == NULL ? err_set(e, -ENOMEM, "VLAN %u", i->vlan) : rtnl_link_get(p->data, i->card, &card, e);

	if (r == 0)
		r = devices_read(own, all, e);
	if (r < 0)
		goto out;
	d = devices_find(all, i->device);
	if (d != NULL && right(p, d, i, card.index))
		goto out;
	if (d != NULL && !d->ours && !(!i->admin && half_made(d, devices_find(all, i->card)))) {
		r = not_ours(i, e);
		goto out;
	}
	if (!rtnl_told(own, d != NULL ? "changed" : "missing", i->device)) {
		r = -EALREADY;
		goto out;
	}
	if (d != NULL)
		r = rtnl_link_delete(own, d->index, e);
	if (r == 0)
		r = other_side(i->admin ? p->data : p->admin, i, all, e);
	if (r == 0)
		r = vlan_make(p, i, card.index, e);
out:
	free(all);
	return r;
}

int vlans_clear(const struct handles *p, const struct ir_interface *i, struct err *e)
{
	bool admin = i->admin && i->vlan == 0;
	const char *card = ir_card(i);
	struct devices *all = calloc(1, sizeof(*all));
	struct device l = { 0 };
	int32_t nsid = -1;
	int r = all == NULL ? err_set(e, -ENOMEM, "device %s", card)
			    : rtnl_link_get(admin ? p->admin : p->data, card, &l, e);

	if (r == 0)
		r = devices_read(p->home, all, e);
	/* Only after devices_read: the kernel numbers a namespace when somebody asks for a device
	 * that is linked to one in it. */
	if (r == 0)
		nsid = rtnl_nsid(p->home, admin ? p->s->admin : p->s->data);
	for (size_t n = 0; all != NULL && nsid >= 0 && r == 0 && n < all->n; n++)
		if (device_lies_on(&all->list[n], l.index, nsid))
			r = rtnl_link_delete(p->home, all->list[n].index, e);
	free(all);
	return r;
}

static bool vlan_wanted(const struct ir *ir, const struct device *d, bool admin)
{
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (ir->interfaces[i].vlan != 0 && ir->interfaces[i].admin == admin &&
		    strcmp(ir->interfaces[i].device, d->name) == 0)
			return true;
	return false;
}

void vlans_sweep(const struct handles *p, const struct ir *ir)
{
	struct devices *all = calloc(1, sizeof(*all));

	for (int admin = 0; all != NULL && admin < 2; admin++) {
		struct rtnl *r = admin ? p->admin : p->data;

		if (devices_read(r, all, NULL) < 0)
			continue;
		for (size_t i = 0; i < all->n; i++)
			if (all->list[i].ours && all->list[i].vlan != 0 &&
			    !vlan_wanted(ir, &all->list[i], admin != 0) && rtnl_told(r, "extra", all->list[i].name))
				rtnl_link_delete(r, all->list[i].index, NULL);
	}
	free(all);
}

void vlans_off(const struct box_spaces *s, struct rtnl *data, uint32_t index)
{
	struct rtnl *admin = s->admin >= 0 ? rtnl_open(s->admin, s->home, NULL) : NULL;
	struct devices *all = calloc(1, sizeof(*all));

	for (int side = 0; all != NULL && side < 2; side++) {
		struct rtnl *r = side == 0 ? data : admin;
		int32_t nsid = -1;

		if (r == NULL || devices_read(r, all, NULL) < 0)
			continue;
		if (side != 0)
			nsid = rtnl_nsid(r, s->data);
		if (side != 0 && nsid < 0)
			continue;
		for (size_t i = 0; i < all->n; i++)
			if ((all->list[i].ours || (side == 0 && half_made(&all->list[i], devices_at(all, index)))) &&
			    device_lies_on(&all->list[i], index, nsid))
				rtnl_link_delete(r, all->list[i].index, NULL);
	}
	free(all);
	rtnl_close(admin);
}

/* ---- cards ----------------------------------------------------------------------------------- */

/* The largest MTU of the card's VLANs; 0 = the MTU is left as it is. */
static uint32_t mtu_of(const struct ir *ir, const char *card)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (ir->interfaces[i].vlan != 0 && strcmp(ir->interfaces[i].card, card) == 0 &&
		    ir->interfaces[i].mtu > most)
			most = ir->interfaces[i].mtu;
	return most;
}

static int by_card(const void *pa, const void *pb)
{
	const struct trunk_vlan *a = pa, *b = pb;
	int c = strcmp(a->card, b->card);

	return c != 0 ? c : (int)a->vlan - (int)b->vlan;
}

/* The VLANs whose card exists. */
static size_t vlans_present(const struct handles *p, const struct ir *ir, struct trunk_vlan *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		const struct ir_interface *x = &ir->interfaces[i];
		struct device l;

		if (x->vlan != 0 && rtnl_link_get(p->data, x->card, &l, NULL) == 0)
			ret[n++] = (struct trunk_vlan){ x->card, x->vlan };
	}
	qsort(ret, n, sizeof(*ret), by_card);
	return n;
}

/* Turns IPv6 off on the card. Otherwise it would have a link-local address and answer there. */
static int card_silence(const struct handles *p, const char *card, struct err *e)
{
	char name[80];
	int r = netns_enter(p->s->data, e);

	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "ipv6/conf/%.16s/disable_ipv6", card);
	r = netns_sysctl(name, "1", e);
	netns_return(p->s->home);
	return r == -ENOENT ? 0 : r;
}

static int gate(const struct handles *p, const struct trunk_vlan *list, size_t n, bool dry, rtnl_note *note, void *ctx,
		struct err *e)
{
	int r = netns_enter(p->s->data, e);

	if (r < 0)
		return r;
	r = trunk_gate_set(list, n, dry, note, ctx, e);
	netns_return(p->s->home);
	return r;
}

uint64_t box_refused(const struct box_spaces *s, const char *card)
{
	struct err e;
	uint64_t n;

	if (netns_enter(s->data, &e) < 0)
		return 0;
	n = trunk_gate_refused(card);
	netns_return(s->home);
	return n;
}

static int card_up(const struct handles *p, const struct ir *ir, const char *card, bool dry, struct err *e)
{
	const struct ir_interface none = { .name = card, .device = card };
	uint32_t mtu = mtu_of(ir, card);
	struct device l;
	int r = rtnl_link_get(p->data, card, &l, e);

	if (r == 0 && !dry)
		r = card_silence(p, card, e);
	if (r == 0)
		r = box_addresses(p->data, l.index, &none, e);
	if (r == 0 && (!l.up || (mtu != 0 && l.mtu != mtu)))
		r = rtnl_link_set(p->data, l.index, true, mtu != 0 && l.mtu != mtu ? mtu : 0, e);
	return r;
}

/* Puts the card's name in front of the error. */
static int card_named(const char *card, int code, const struct err *one, struct err *e)
{
	if (e != NULL) {
		e->code = code;
		snprintf(e->text, sizeof(e->text), "card %.16s: %.200s", card, one->text);
	}
	return code;
}

/*
 * Removes this program's VLANs from a card that box.cfg does not name any more, for example after
 * it was renamed. The card is about to lose its gate (kernel/small_tables.h), and without the gate
 * such a VLAN would still pass packets under the interface number that the rules know. After the
 * removal, the VLAN is reported as missing.
 */
static void off_strange_cards(const struct handles *p, const struct ir *ir)
{
	int32_t nsid = p->seen != NULL && !p->seen[0].more ? rtnl_nsid(p->admin, p->s->data) : -1;

	for (uint32_t i = 0; i < ir->n_interfaces && p->seen != NULL && !p->seen[0].more; i++) {
		const struct ir_interface *x = &ir->interfaces[i];
		const struct device *d = x->vlan != 0 ? devices_find(&p->seen[x->admin], x->device) : NULL,
				    *card = d != NULL ? devices_find(&p->seen[0], x->card) : NULL;

		if (d == NULL || !d->ours ||
		    (card != NULL && (device_lies_on(d, card->index, x->admin ? nsid : -1) || (x->admin && nsid < 0))))
			continue;
		rtnl_link_delete(x->admin ? p->admin : p->data, d->index, NULL);
	}
}

int vlans_cards(const struct handles *p, const struct ir *ir, bool dry, rtnl_note *note, void *ctx, struct err *e)
{
	struct trunk_vlan *list = calloc(ir->n_interfaces + 1u, sizeof(*list));
	size_t n;
	int r, stands;

	if (list == NULL)
		return err_set(e, -ENOMEM, "VLANs");
	if (!dry)
		off_strange_cards(p, ir);
	n = vlans_present(p, ir, list);
	/* The gate is in place before a card may receive anything. */
	r = stands = gate(p, list, n, dry, note, ctx, e);
	for (size_t i = 0; i < n && stands == 0; i++) {
		bool first = i == 0 || strcmp(list[i].card, list[i - 1].card) != 0;
		struct err one = { 0 };
		int code = first ? card_up(p, ir, list[i].card, dry, &one) : 0;

		if (code < 0 && r == 0)
			r = card_named(list[i].card, code, &one, e);
	}
	free(list);
	return r;
}
