/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/admin_rules.h"
#include "appliance/box/box_private.h"
#include "appliance/box/netns.h"
#include "appliance/box/rtnl_address.h"

/* ---- the three namespaces -------------------------------------------------------------------- */

static void handles_close(struct handles *h)
{
	rtnl_close(h->home);
	rtnl_close(h->data);
	rtnl_close(h->admin);
	free(h->seen);
}

static int handles_open(const struct box_spaces *s, struct handles *h, struct err *e)
{
	struct err why = { .code = -ENOMEM };

	*h = (struct handles){ .s = s, .home = rtnl_open(s->home, s->home, &why) };
	h->data = h->home != NULL ? rtnl_open(s->data, s->home, &why) : NULL;
	h->admin = h->data != NULL ? rtnl_open(s->admin, s->home, &why) : NULL;
	if (h->admin != NULL)
		return 0;
	handles_close(h);
	return first_kept(&why, e);
}

/* Reads h->seen. */
static int handles_see(struct handles *h, struct err *e)
{
	struct devices *seen = calloc(2, sizeof(*seen));
	int r = seen == NULL ? err_set(e, -ENOMEM, "devices") : devices_read(h->data, &seen[0], e);

	if (r == 0)
		r = devices_read(h->admin, &seen[1], e);
	if (r == 0)
		h->seen = seen;
	else
		free(seen);
	return r;
}

/* Puts the name of the interface before the text of the error. */
static int name_interface(const struct ir_interface *i, struct err *e)
{
	struct err inner = *e;

	snprintf(e->text, sizeof(e->text), "interface %.32s (%.16s): %.150s", i->name, i->device, inner.text);
	return e->code;
}

/* ---- moving devices into the namespaces where they belong ------------------------------------ */

/* The handle of the namespace where the interface's card belongs. */
static struct rtnl *own_of(const struct handles *h, const struct ir_interface *i)
{
	return box_card_admin(i) ? h->admin : h->data;
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

/* 0, 1: the card stays at home, or negative errno. */
static int claim_card(const struct handles *h, const struct ir_interface *i, bool stays, bool *moved, struct err *e)
{
	struct rtnl *own = own_of(h, i), *other = box_card_admin(i) ? h->data : h->admin;
	int to = box_card_admin(i) ? h->s->admin : h->s->data;
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
	if (stays)
		return 1;
	r = rtnl_link_get(h->home, card, &l, e);
	if (r == 0)
		r = may_leave_home(h->home, card, l.index, e);
	if (r == 0)
		r = rtnl_link_move(h->home, l.index, to, NULL, e);
	*moved = r == 0;
	return r;
}

static int claim_one(const struct handles *h, const struct ir *ir, uint32_t n, bool stays, bool *moved, struct err *e)
{
	const struct ir_interface *i = &ir->interfaces[n];
	int r = i->vlan != 0 ? vlans_name_free(h, i, e) : 0;

	if (r == 0)
		r = claim_card(h, i, stays, moved, e);
	/* This is done for a card that was there already, too, because an earlier run may have died
	 * before this step. */
	if (r == 0 && vlans_first(ir, n))
		r = vlans_clear(h, i, e);
	return r != 0 || i->vlan == 0 || vlans_stand(h, i) ? r : vlans_ensure(h, i, e);
}

int box_claim(const struct box_spaces *s, const struct ir *ir, box_stays *stays, const void *ctx, bool *moved,
	      struct err *e)
{
	struct err why = { 0 }, one = { 0 };
	struct handles h;
	int r = handles_open(s, &h, e);

	memset(moved, 0, ir->n_interfaces * sizeof(*moved));
	if (r < 0)
		return r;
	r = handles_see(&h, &why);
	for (uint32_t i = 0; i < ir->n_interfaces && r == 0; i++)
		if (claim_one(&h, ir, i, stays != NULL && stays(ctx, ir_card(&ir->interfaces[i])), &moved[i], &one) < 0)
			keep_first(&why, name_interface(&ir->interfaces[i], &one), &one);
	handles_close(&h);
	return first_kept(&why, e);
}

/* Moves a device between the two namespaces of the box. loan.h gives devices back to the first
 * namespace. */
static void back_to_its_side(const struct handles *h, const struct ir_interface *i)
{
	struct rtnl *own = own_of(h, i), *other = box_card_admin(i) ? h->data : h->admin;
	struct device l;

	if (rtnl_link_get(own, ir_card(i), &l, NULL) == -ENODEV && rtnl_link_get(other, ir_card(i), &l, NULL) == 0)
		rtnl_link_move(other, l.index, box_card_admin(i) ? h->s->admin : h->s->data, NULL, NULL);
}

void box_unclaim(const struct box_spaces *s, const struct ir *ir)
{
	struct handles h;

	if (handles_open(s, &h, NULL) < 0)
		return;
	vlans_sweep(&h, ir);
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		back_to_its_side(&h, &ir->interfaces[i]);
	handles_close(&h);
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
	int r = handles_open(s, &h, e);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < ir->n_interfaces && r == 0; i++)
		if (try_one(&h, &ir->interfaces[i], e) < 0)
			r = name_interface(&ir->interfaces[i], e);
	handles_close(&h);
	return r;
}

/* ---- setting --------------------------------------------------------------------------------- */

/* Sets one value of the interface; its namespace need not have it. */
static int own_value(const char *folder, const char *device, const char *name, const char *value, struct err *e)
{
	char path[80];
	int r;

	snprintf(path, sizeof(path), "%s/%.16s/%s", folder, device, name);
	r = netns_sysctl(path, value, e);
	return r == -ENOENT ? 0 : r;
}

/* Sets the interface's own values in /proc, from inside its namespace. A kernel without IPv6 is no
 * error. */
static int own_settings(const struct box_spaces *s, const struct ir_interface *i, struct err *e)
{
	static const char *const settings[][3] = {
		{ "ipv6/conf", "disable_ipv6", "0" },
		{ "ipv6/conf", "accept_ra", "0" },
		{ "ipv6/conf", "autoconf", "0" },
		{ "ipv6/conf", "accept_redirects", "0" },
		/* No duplicate address detection: the link-local address must be usable at once. */
		{ "ipv6/conf", "accept_dad", "0" },
		{ "ipv6/conf", "dad_transmits", "0" },
		/* Redirects are ignored: only the policy's routes decide where packets go. */
		{ "ipv4/conf", "accept_redirects", "0" },
		/* When one address of a network is removed, the others must stay. */
		{ "ipv4/conf", "promote_secondaries", "1" },
		/* Proxy ARP answers at once; by default the kernel delays up to 0.8 s. */
		{ "ipv4/neigh", "proxy_delay", "0" },
		{ "ipv6/neigh", "proxy_delay", "0" },
	};
	int r = netns_enter(i->admin ? s->admin : s->data, e);

	if (r < 0)
		return r;
	for (size_t n = 0; n < sizeof(settings) / sizeof(settings[0]) && r == 0; n++)
		r = own_value(settings[n][0], i->device, settings[n][1], settings[n][2], e);
	/*
	 * MLD version 1 (RFC 2710) answers a switch's query with one packet for each group. The box
	 * is a member of a group for each host that it answers for. A stranger who sends queries
	 * could then make it send thousands of packets. Version 2 (RFC 3810) packs about a hundred
	 * groups into a packet.
	 */
	if (r == 0)
		r = own_value("ipv6/conf", i->device, "force_mld_version", i->n_answers > 0 ? "2" : "0", e);
	/* Redirects must be off in both settings: an interface that does not forward follows them
	 * if either setting is on. */
	if (r == 0)
		r = netns_sysctl("ipv4/conf/all/accept_redirects", "0", e);
	/*
	 * A log server that loses its power does not close its connection, and all records that the
	 * connection takes after that are lost. So a connection is given up after six tries, about
	 * 13 s, instead of a quarter of an hour. The setting holds for IPv4 and IPv6, in spite of
	 * its name.
	 */
	if (r == 0 && i->admin)
		r = netns_sysctl("ipv4/tcp_retries2", "5", e);
	netns_return(s->home);
	return r;
}

static int set_one(const struct handles *p, const struct ir *ir, const struct ir_interface *i, bool dry, struct err *e)
{
	struct rtnl *own = i->admin ? p->admin : p->data;
	struct device l = { 0 };
	int r = i->vlan != 0 && !vlans_stand(p, i) ? vlans_ensure(p, i, e) : 0;

	/* In a dry run, the VLAN device is missing or wrong, and vlans_ensure has reported that. So
	 * there are no addresses to compare. */
	if (r == -EALREADY)
		return 0;
	if (r == 0)
		r = rtnl_link_get(own, i->device, &l, e);
	if (r == 0 && !dry)
		r = own_settings(p->s, i, e);
	/* If a program that listens on a mirror port is killed, the card stays with ARP off. Then
	 * no host would find the box there, and the box would find no host. */
	if (r == 0 && l.mute)
		r = rtnl_link_mute(own, l.index, false, e);
	if (r == 0 && (!l.up || (i->mtu != 0 && l.mtu != i->mtu)))
		r = rtnl_link_set(own, l.index, true, i->mtu != 0 && l.mtu != i->mtu ? i->mtu : 0, e);
	if (r == 0)
		r = box_addresses(own, l.index, i, e);
	return r < 0 || i->admin ? r : box_answers(own, l.index, ir, i, e);
}

/* The caller of box_compare, and whether this is a dry run, which changes nothing. */
struct hearer {
	box_difference *each; /* NULL = nobody */
	void *ctx;
	char where[80];
	bool dry;
};

static void hear_finding(void *ctx, const char *what, const char *detail)
{
	const struct hearer *x = ctx;

	x->each(x->ctx, x->where, what, detail);
}

/* Takes down an interface that is no longer in the policy. It stays in the namespace of the box,
 * because the first namespace has no rules of the box. */
static void retire_one(const struct handles *h, const struct ir_interface *i)
{
	const struct ir_interface none = { .name = i->name, .device = ir_card(i) };
	struct rtnl *own = own_of(h, i);
	struct device l;

	if (rtnl_link_get(own, ir_card(i), &l, NULL) < 0)
		return;
	box_addresses(own, l.index, &none, NULL);
	rtnl_link_set(own, l.index, false, 0, NULL);
}

static bool has_card(const struct ir *ir, const struct ir_interface *i)
{
	for (uint32_t n = 0; n < ir->n_interfaces; n++)
		if (strcmp(ir_card(&ir->interfaces[n]), ir_card(i)) == 0)
			return true;
	return false;
}

/* Limits how often a host may ask for the box by ARP on each data interface
 * (kernel/small_tables.h). */
static int askers(const struct box_spaces *s, const struct ir *ir, bool dry, rtnl_note *note, void *ctx, struct err *e)
{
	const char **devices = calloc(ir->n_interfaces + 1u, sizeof(*devices));
	size_t n = 0;
	int r;

	if (devices == NULL)
		return err_set(e, -ENOMEM, "ARP");
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (!ir->interfaces[i].admin)
			devices[n++] = ir->interfaces[i].device;
	r = netns_enter(s->data, e);
	if (r == 0) {
		r = arp_limit_set(devices, n, dry, note, ctx, e);
		netns_return(s->home);
	}
	free(devices);
	return r;
}

/* If the policy has lanes with commands, sets the table that finishes packets for the verdict cache
 * (kernel/small_tables.h); otherwise removes it. */
static int finished(const struct box_spaces *s, const struct ir *ir, bool dry)
{
	struct err e;
	int r = netns_enter(s->data, &e);

	if (r < 0)
		return r;
	r = finished_set(ir_lanes(ir) != 0, dry, &e);
	netns_return(s->home);
	return r;
}

static int set_all(const struct box_spaces *s, const struct ir *ir, const struct ir *before, struct hearer *x,
		   struct err *e)
{
	rtnl_note *note = x->each != NULL ? hear_finding : NULL;
	struct err why = { 0 }, one = { 0 };
	struct handles h;
	int r = handles_open(s, &h, e);

	if (r < 0)
		return r;
	(void)handles_see(&h, NULL);
	if (note != NULL) {
		rtnl_tell(h.data, x->dry, note, x);
		rtnl_tell(h.admin, x->dry, note, x);
	}
	for (uint32_t i = 0; before != NULL && i < before->n_interfaces; i++)
		if (!has_card(ir, &before->interfaces[i]))
			retire_one(&h, &before->interfaces[i]);
	/* The rules of the admin namespace are set before an interface there gets an address. */
	snprintf(x->where, sizeof(x->where), "admin namespace");
	keep_first(&why, box_admin_rules(s, ir, x->dry, note, x, &one), &one);
	snprintf(x->where, sizeof(x->where), "ARP");
	keep_first(&why, askers(s, ir, x->dry, note, x, &one), &one);
	/* May fail: without this table the verdict cache passes nothing, and workers judge every
	 * packet. */
	(void)finished(s, ir, x->dry);
	snprintf(x->where, sizeof(x->where), "VLANs");
	vlans_sweep(&h, ir);
	keep_first(&why, vlans_cards(&h, ir, x->dry, note, x, &one), &one);
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		int code;

		snprintf(x->where, sizeof(x->where), "interface %.64s", ir->interfaces[i].name);
		code = set_one(&h, ir, &ir->interfaces[i], x->dry, &one);
		if (code == -ENODEV && x->each != NULL)
			x->each(x->ctx, x->where, "gone", ir->interfaces[i].device);
		else if (code < 0)
			keep_first(&why, name_interface(&ir->interfaces[i], &one), &one);
	}
	snprintf(x->where, sizeof(x->where), "routes");
	for (int admin = 0; admin < 2; admin++) {
		struct rtnl *own = admin ? h.admin : h.data;

		keep_first(&why, box_connected(own, ir, admin != 0, &one), &one);
		keep_first(&why, box_routes(own, ir, admin != 0, &one), &one);
	}
	handles_close(&h);
	return first_kept(&why, e);
}

int box_set(const struct box_spaces *s, const struct ir *ir, const struct ir *before, struct err *e)
{
	struct hearer nobody = { 0 };

	return set_all(s, ir, before, &nobody, e);
}

int box_compare(const struct box_spaces *s, const struct ir *ir, bool mend, box_difference *each, void *ctx,
		struct err *e)
{
	struct hearer x = { .each = each, .ctx = ctx, .dry = !mend };

	return set_all(s, ir, NULL, &x, e);
}

/* Foreign addresses of the interface as text; a text that is too long ends in "...". */
static void addresses_text(struct rtnl *r, uint32_t index, char *out, size_t size)
{
	struct rtnl_address *list = NULL;
	size_t n = 0, at = 0;

	out[0] = '\0';
	if (rtnl_addresses(r, index, &list, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		char text[ADDR_TEXT];

		if (list[i].link_local)
			continue;
		if (at + ADDR_TEXT + 8 >= size) {
			snprintf(out + at, size - at, " ...");
			break;
		}
		addr_text(&list[i].addr, text);
		at += (size_t)snprintf(out + at, size - at, "%s%s/%u", at > 0 ? " " : "", text, list[i].prefix);
	}
	free(list);
}

int box_interfaces(const struct box_spaces *s, const struct ir *ir, box_interface *each, void *ctx, struct err *e)
{
	struct handles h;
	int r = handles_open(s, &h, e);

	if (r < 0)
		return r;
	r = handles_see(&h, e);
	for (uint32_t i = 0; i < ir->n_interfaces && r == 0; i++) {
		const struct ir_interface *x = &ir->interfaces[i];
		const struct device *d = devices_find(&h.seen[x->admin], x->device),
				    *card = x->vlan != 0 ? devices_find(&h.seen[0], x->card) : NULL;
		char addresses[512] = "";

		if (d != NULL)
			addresses_text(x->admin ? h.admin : h.data, d->index, addresses, sizeof(addresses));
		each(ctx, x, d, card, addresses);
	}
	handles_close(&h);
	return r;
}

bool box_has(const struct box_spaces *s, const char *device)
{
	struct handles h;
	struct device l;
	bool has;

	if (handles_open(s, &h, NULL) < 0)
		return false;
	has = rtnl_link_get(h.data, device, &l, NULL) == 0 || rtnl_link_get(h.admin, device, &l, NULL) == 0;
	handles_close(&h);
	return has;
}

int box_indexes(const struct box_spaces *s, const struct ir *ir, uint32_t *ret, struct err *e)
{
	struct handles h;
	int r = handles_open(s, &h, e);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		struct device l;

		ret[i] = rtnl_link_get(ir->interfaces[i].admin ? h.admin : h.data, ir->interfaces[i].device, &l,
				       NULL) == 0
				 ? l.index
				 : 0;
	}
	handles_close(&h);
	return 0;
}

int box_loopback(const struct box_spaces *s, struct err *e)
{
	struct handles h;
	struct device l;
	int r = handles_open(s, &h, e);

	if (r < 0)
		return r;
	for (int admin = 0; admin < 2 && r == 0; admin++) {
		struct rtnl *own = admin ? h.admin : h.data;

		r = rtnl_link_get(own, "lo", &l, e);
		if (r == 0 && !l.up)
			r = rtnl_link_set(own, l.index, true, 0, e);
	}
	handles_close(&h);
	return r;
}

/* Lists the hosts for which the kernel answers now, whoever entered them; otherwise people would
 * have to count lines of `ip neigh`. */

static int one_answering(struct rtnl *data, const struct ir_interface *i, box_answered *each, void *ctx, struct err *e)
{
	struct addr_range *ranges = NULL;
	struct rtnl_answer *have = NULL;
	struct addr *hosts = NULL;
	struct device l;
	size_t n = 0;
	int r = rtnl_link_get(data, i->device, &l, e);

	if (r == 0)
		r = rtnl_answers(data, l.index, &have, &n, e);
	if (r == -ENODEV)
		r = 0;
	if (r == 0 && n > 0) {
		ranges = calloc(n, sizeof(*ranges));
		hosts = calloc(n, sizeof(*hosts));
		r = ranges == NULL || hosts == NULL ? err_set(e, -ENOMEM, "list for whom it answers") : 0;
	}
	for (size_t k = 0; hosts != NULL && k < n; k++)
		hosts[k] = have[k].host;
	if (r == 0)
		each(ctx, i, ranges, n > 0 ? box_joined(hosts, n, ranges) : 0);
	free(hosts);
	free(ranges);
	free(have);
	return r;
}

int box_answering(const struct box_spaces *s, const struct ir *ir, box_answered *each, void *ctx, struct err *e)
{
	struct handles h;
	bool any = false;
	int r;

	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		any = any || ir->interfaces[i].n_answers > 0;
	if (!any)
		return 0;
	r = handles_open(s, &h, e);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < ir->n_interfaces && r == 0; i++)
		if (ir->interfaces[i].n_answers > 0)
			r = one_answering(h.data, &ir->interfaces[i], each, ctx, e);
	handles_close(&h);
	return r;
}

int box_hold(const struct box_spaces *s, const char *device, struct err *e)
{
	struct rtnl *home = rtnl_open(s->home, s->home, e);
	struct device l;
	int r;

	if (home == NULL)
		return e->code;
	r = rtnl_link_get(home, device, &l, e);
	/* A device that was moved is down and has no addresses. */
	if (r == 0)
		r = rtnl_link_move(home, l.index, s->data, NULL, e);
	rtnl_close(home);
	return r == -ENODEV ? 0 : r;
}

/*
 * A dry run: in two empty namespaces, makes devices with the same names and MTUs, and does there
 * what box_set would do. So the person who applies sees what the kernel would refuse, and in which
 * words.
 */

int scratch_open(int home, struct box_spaces *ret, struct err *e)
{
	*ret = (struct box_spaces){ home, -1, -1 };
	ret->data = netns_scratch(e);
	if (ret->data < 0)
		return ret->data;
	ret->admin = netns_scratch(e);
	return ret->admin < 0 ? ret->admin : 0;
}

/* The device's present MTU, whichever namespace it is in. */
static uint32_t mtu_of(const struct handles *real, const struct ir_interface *i)
{
	struct rtnl *const spaces[] = { real->data, real->admin, real->home };
	struct device l;

	for (unsigned n = 0; n < 3; n++)
		if (rtnl_link_get(spaces[n], ir_card(i), &l, NULL) == 0)
			return l.mtu;
	return i->mtu;
}

/* Makes a substitute for a device. A substitute of an earlier try is deleted first. */
static int stand_in(struct rtnl *r, const struct ir_interface *i, uint32_t number, uint32_t mtu, struct err *e)
{
	struct device l;
	char peer[16];

	if (rtnl_link_get(r, ir_card(i), &l, NULL) == 0)
		rtnl_link_delete(r, l.index, NULL);
	snprintf(peer, sizeof(peer), "~%u", number); /* no policy can name such a device */
	return rtnl_link_pair(r, ir_card(i), peer, mtu, e);
}

int scratch_try(const struct box_spaces *s, const struct box_spaces *scratch, const struct ir *ir, struct err *e)
{
	struct handles real, here;
	struct device l;
	int r = handles_open(s, &real, e);

	if (r < 0)
		return r;
	r = handles_open(scratch, &here, e);
	if (r < 0) {
		handles_close(&real);
		return r;
	}
	/* box_set makes the VLANs itself. */
	for (uint32_t i = 0; i < ir->n_interfaces && r == 0; i++)
		if (vlans_first(ir, i))
			r = stand_in(own_of(&here, &ir->interfaces[i]), &ir->interfaces[i], i,
				     mtu_of(&real, &ir->interfaces[i]), e);
	/* The kernel does not support virtual pairs, so there is no dry run. box_try has already
	 * found what can be found without them. */
	if (r == -EOPNOTSUPP)
		r = 0;
	else if (r == 0)
		r = box_set(scratch, ir, NULL, e);
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (rtnl_link_get(own_of(&here, &ir->interfaces[i]), ir_card(&ir->interfaces[i]), &l, NULL) == 0)
			rtnl_link_delete(own_of(&here, &ir->interfaces[i]), l.index, NULL);
	handles_close(&here);
	handles_close(&real);
	return r;
}
