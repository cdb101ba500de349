/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/box.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/devices.h"
#include "appliance/box/facts.h"
#include "appliance/box/netns.h"

/* Handles for the three namespaces, opened together and closed together. */
struct handles {
	struct rtnl *home, *data, *admin;
};

static void close_all(struct handles *h)
{
	rtnl_close(h->home);
	rtnl_close(h->data);
	rtnl_close(h->admin);
}

static int open_all(const struct box_spaces *s, struct handles *h, struct err *e)
{
	struct err why = { .code = -ENOMEM };

	h->home = rtnl_open(s->home, s->home, &why);
	h->data = h->home != NULL ? rtnl_open(s->data, s->home, &why) : NULL;
	h->admin = h->data != NULL ? rtnl_open(s->admin, s->home, &why) : NULL;
	if (h->admin != NULL)
		return 0;
	close_all(h);
	if (e != NULL)
		*e = why;
	return why.code;
}

/* Puts the interface's name before what went wrong. */
static int named(const struct ir_interface *i, struct err *e)
{
	struct err inner = *e;

	snprintf(e->text, sizeof(e->text), "interface %.32s (%.16s): %.150s", i->name, i->device, inner.text);
	return e->code;
}

/* Keeps the first failure of several; returns its code. */
static int first(int code, const struct err *e, struct err *kept)
{
	if (kept->code == 0)
		*kept = *e;
	return kept->code != 0 ? kept->code : code;
}

static int claim_one(const struct box_spaces *s, struct handles *h, const struct ir_interface *i, bool leave,
		     bool *moved, struct err *e)
{
	struct rtnl *own = i->admin ? h->admin : h->data, *other = i->admin ? h->data : h->admin;
	int to = i->admin ? s->admin : s->data;
	struct rtnl_link l;
	int r = rtnl_link_get(own, i->device, &l, e);

	*moved = false;
	if (r != -ENODEV)
		return r;
	/* A role that changed sides comes from the other namespace, down on arrival like any other. */
	r = rtnl_link_get(other, i->device, &l, e);
	if (r == 0)
		return rtnl_link_move(other, l.index, to, NULL, e);
	if (r != -ENODEV)
		return r;
	if (leave)
		return err_set(e, -ENODEV, "device %s, released", i->device);
	r = rtnl_link_get(h->home, i->device, &l, e);
	if (r == 0)
		r = rtnl_link_move(h->home, l.index, to, NULL, e);
	*moved = r == 0;
	return r;
}

int box_claim(const struct box_spaces *s, const struct ir *ir, box_leave *leave, const void *ctx, bool *moved,
	      struct err *e)
{
	struct err why = { 0 };
	struct handles h;
	int r = open_all(s, &h, e);

	memset(moved, 0, ir->n_interfaces * sizeof(*moved));
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		struct err one = { 0 };

		if (claim_one(s, &h, &ir->interfaces[i], leave != NULL && leave(ctx, ir->interfaces[i].device),
			      &moved[i], &one) < 0)
			r = first(named(&ir->interfaces[i], &one), &one, &why);
	}
	close_all(&h);
	if (r < 0 && e != NULL)
		*e = why;
	return r;
}

static int try_one(struct handles *h, const struct ir_interface *i, struct err *e)
{
	struct rtnl *places[] = { i->admin ? h->admin : h->data, i->admin ? h->data : h->admin, h->home };
	struct rtnl_link l;
	int r = -ENODEV;

	for (size_t n = 0; n < 3 && r == -ENODEV; n++)
		r = rtnl_link_get(places[n], i->device, &l, e);
	if (r < 0)
		return r;
	if (i->mtu != 0 && ((l.mtu_min != 0 && i->mtu < l.mtu_min) || (l.mtu_max != 0 && i->mtu > l.mtu_max)))
		return err_set(e, -EINVAL, "set its MTU to %u", i->mtu);
	return 0;
}

int box_try(const struct box_spaces *s, const struct ir *ir, struct err *e)
{
	struct handles h;
	int r = open_all(s, &h, e);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < ir->n_interfaces && r == 0; i++)
		if (try_one(&h, &ir->interfaces[i], e) < 0)
			r = named(&ir->interfaces[i], e);
	close_all(&h);
	return r;
}

/* The interface's own settings in /proc, from inside its namespace. A missing IPv6 is no error. */
static int own_settings(const struct box_spaces *s, const struct ir_interface *i, struct err *e)
{
	static const char *const settings[][3] = {
		{ "ipv6", "disable_ipv6", "0" },
		{ "ipv6", "accept_ra", "0" },
		{ "ipv6", "autoconf", "0" },
		{ "ipv6", "accept_redirects", "0" },
		/* No waiting for duplicates: the link-local address, too, must be usable at once. */
		{ "ipv6", "accept_dad", "0" },
		{ "ipv6", "dad_transmits", "0" },
		/* Removing one address of a network must not take the others along. */
		{ "ipv4", "promote_secondaries", "1" },
	};
	struct err back;
	int r = netns_enter(i->admin ? s->admin : s->data, e);

	if (r < 0)
		return r;
	for (size_t n = 0; n < sizeof(settings) / sizeof(settings[0]) && r == 0; n++) {
		char name[80];

		snprintf(name, sizeof(name), "%s/conf/%.16s/%s", settings[n][0], i->device, settings[n][1]);
		r = netns_sysctl(name, settings[n][2], e);
		if (r == -ENOENT)
			r = 0;
	}
	if (netns_enter(s->home, &back) < 0)
		abort(); /* in the wrong namespace nothing may go on */
	return r;
}

static int set_one(const struct box_spaces *s, struct handles *h, const struct ir_interface *i, bool dry, struct err *e)
{
	struct rtnl *own = i->admin ? h->admin : h->data;
	struct rtnl_link l;
	int r = rtnl_link_get(own, i->device, &l, e);

	if (r == 0 && !dry)
		r = own_settings(s, i, e);
	if (r == 0 && (!l.up || (i->mtu != 0 && l.mtu != i->mtu)))
		r = rtnl_link_set(own, l.index, true, i->mtu != 0 && l.mtu != i->mtu ? i->mtu : 0, e);
	return r < 0 ? r : box_addresses(own, l.index, i, e);
}

/* Who hears of differences, and whether they stay. */
struct hearer {
	box_difference *each; /* NULL = nobody */
	void *ctx;
	char where[80];
	bool dry;
};

static void hear(void *ctx, const char *what, const char *detail)
{
	const struct hearer *x = ctx;

	x->each(x->ctx, x->where, what, detail);
}

/* An interface that is no longer part of the box: silent, but not handed back to a namespace without rules. */
static void retire_one(struct handles *h, const struct ir_interface *i)
{
	const struct ir_interface none = { .name = i->name, .device = i->device };
	struct rtnl *own = i->admin ? h->admin : h->data;
	struct rtnl_link l;

	if (rtnl_link_get(own, i->device, &l, NULL) < 0)
		return;
	box_addresses(own, l.index, &none, NULL);
	rtnl_link_set(own, l.index, false, 0, NULL);
}

static bool has_device(const struct ir *ir, const struct ir_interface *i)
{
	for (uint32_t n = 0; n < ir->n_interfaces; n++)
		if (strcmp(ir->interfaces[n].device, i->device) == 0)
			return true;
	return false;
}

static int set_all(const struct box_spaces *s, const struct ir *ir, const struct ir *before, struct hearer *x,
		   struct err *e)
{
	struct err why = { 0 }, one = { 0 };
	struct handles h;
	int r = open_all(s, &h, e);

	if (r < 0)
		return r;
	if (x->each != NULL) {
		rtnl_tell(h.data, x->dry, hear, x);
		rtnl_tell(h.admin, x->dry, hear, x);
	}
	for (uint32_t i = 0; before != NULL && i < before->n_interfaces; i++)
		if (!has_device(ir, &before->interfaces[i]))
			retire_one(&h, &before->interfaces[i]);
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		int code;

		snprintf(x->where, sizeof(x->where), "interface %.64s", ir->interfaces[i].name);
		code = set_one(s, &h, &ir->interfaces[i], x->dry, &one);
		if (code == -ENODEV && x->each != NULL)
			x->each(x->ctx, x->where, "missing", ir->interfaces[i].device);
		else if (code < 0)
			r = first(named(&ir->interfaces[i], &one), &one, &why);
	}
	snprintf(x->where, sizeof(x->where), "routes");
	for (int admin = 0; admin < 2; admin++)
		if (box_routes(admin ? h.admin : h.data, ir, admin != 0, &one) < 0)
			r = first(one.code, &one, &why);
	close_all(&h);
	if (r < 0 && e != NULL)
		*e = why;
	return r;
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

/* Addresses that people gave it, as text; what does not fit ends in "...". */
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
	struct devices *there = calloc(2, sizeof(*there));
	struct handles h;
	int r;

	if (there == NULL)
		return err_set(e, -ENOMEM, "interfaces");
	r = open_all(s, &h, e);
	if (r < 0) {
		free(there);
		return r;
	}
	r = devices_read(h.data, &there[0], e);
	if (r == 0)
		r = devices_read(h.admin, &there[1], e);
	for (uint32_t i = 0; i < ir->n_interfaces && r == 0; i++) {
		const struct ir_interface *x = &ir->interfaces[i];
		const struct device *d = devices_find(&there[x->admin], x->device);
		char addresses[512] = "";

		if (d != NULL)
			addresses_text(x->admin ? h.admin : h.data, d->index, addresses, sizeof(addresses));
		each(ctx, x, d, addresses);
	}
	close_all(&h);
	free(there);
	return r;
}

bool box_has(const struct box_spaces *s, const char *device)
{
	struct handles h;
	struct rtnl_link l;
	bool has;

	if (open_all(s, &h, NULL) < 0)
		return false;
	has = rtnl_link_get(h.data, device, &l, NULL) == 0 || rtnl_link_get(h.admin, device, &l, NULL) == 0;
	close_all(&h);
	return has;
}

int box_indexes(const struct box_spaces *s, const struct ir *ir, uint32_t *ret, struct err *e)
{
	struct handles h;
	int r = open_all(s, &h, e);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		struct rtnl_link l;

		ret[i] = rtnl_link_get(ir->interfaces[i].admin ? h.admin : h.data, ir->interfaces[i].device, &l,
				       NULL) == 0
				 ? l.index
				 : 0;
	}
	close_all(&h);
	return 0;
}

int box_loopback(const struct box_spaces *s, struct err *e)
{
	struct handles h;
	struct rtnl_link l;
	int r = open_all(s, &h, e);

	if (r < 0)
		return r;
	r = rtnl_link_get(h.data, "lo", &l, e);
	if (r == 0 && !l.up)
		r = rtnl_link_set(h.data, l.index, true, 0, e);
	if (r == 0)
		r = rtnl_link_get(h.admin, "lo", &l, e);
	if (r == 0 && !l.up)
		r = rtnl_link_set(h.admin, l.index, true, 0, e);
	close_all(&h);
	return r;
}
