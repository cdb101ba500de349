/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/facts.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "appliance/box/box.h"

static bool wanted(const struct ir_interface *i, const struct rtnl_address *a, bool *same_address)
{
	*same_address = false;
	for (uint32_t n = 0; n < i->n_addresses; n++) {
		if (addr_cmp(&i->addresses[n], &a->addr) != 0)
			continue;
		if (i->prefix_lengths[n] == a->prefix && !a->unusable)
			return true;
		*same_address = true;
	}
	return false;
}

static bool present(const struct rtnl_address *have, size_t n, const struct addr *a, uint8_t prefix)
{
	for (size_t i = 0; i < n; i++)
		if (!have[i].unusable && have[i].prefix == prefix && addr_cmp(&have[i].addr, a) == 0)
			return true;
	return false;
}

int box_addresses(struct rtnl *r, uint32_t index, const struct ir_interface *i, struct err *e)
{
	struct rtnl_address *have;
	size_t n;
	int status = rtnl_addresses(r, index, &have, &n, e);
	bool same;

	if (status < 0)
		return status;
	/* An address with another prefix length, or one that cannot be used, must be removed before
	 * it is added again. */
	for (size_t k = 0; k < n && status == 0; k++)
		if (!have[k].link_local && !wanted(i, &have[k], &same) && same)
			status = rtnl_address_change(r, index, &have[k].addr, have[k].prefix, false, e);
	for (uint32_t k = 0; k < i->n_addresses && status == 0; k++)
		if (!present(have, n, &i->addresses[k], i->prefix_lengths[k]))
			status = rtnl_address_change(r, index, &i->addresses[k], i->prefix_lengths[k], true, e);
	/* New addresses are added before old ones are removed, so that the network always has
	 * one. */
	for (size_t k = 0; k < n && status == 0; k++)
		if (!have[k].link_local && !wanted(i, &have[k], &same) && !same) {
			status = rtnl_address_change(r, index, &have[k].addr, have[k].prefix, false, e);
			if (status == -EADDRNOTAVAIL)
				/* a secondary address was removed together with its primary one */
				status = 0;
		}
	free(have);
	return status;
}

static bool holds(const struct ir_interface *i, const struct addr *a)
{
	for (uint32_t n = 0; n < i->n_addresses; n++) {
		unsigned bits = i->prefix_lengths[n];
		bool equal = i->addresses[n].family == a->family;

		for (unsigned b = 0; b < bits && equal; b++) {
			uint8_t mask = (uint8_t)(0x80u >> (b % 8));

			equal = (i->addresses[n].b[b / 8] & mask) == (a->b[b / 8] & mask);
		}
		if (equal)
			return true;
	}
	return false;
}

/* The interface of a route: the policy names it, or it is the first with a network that contains
 * the gateway. */
static const struct ir_interface *leads_to(const struct ir *ir, const struct ir_route *r)
{
	if (r->interface < ir->n_interfaces)
		return &ir->interfaces[r->interface];
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (holds(&ir->interfaces[i], &r->via))
			return &ir->interfaces[i];
	return NULL;
}

bool box_route_is_admin(const struct ir *ir, const struct ir_route *r)
{
	const struct ir_interface *i = leads_to(ir, r);

	return i != NULL && i->admin;
}

#define FLOOR 0xf0000000u /* metric of floors (see add_floors): after every real route */

/* Compares destinations. A route and its floor have the same destination, but different metrics. */
static bool same_destination(const struct rtnl_route *a, const struct rtnl_route *b)
{
	return a->prefix == b->prefix && addr_cmp(&a->to, &b->to) == 0 &&
	       (a->priority == FLOOR) == (b->priority == FLOOR);
}

/* Whether the kernel has the wanted route. The kernel always says the interface; a wanted route may
 * name its gateway alone. */
static bool same_route(const struct rtnl_route *want, const struct rtnl_route *have)
{
	return same_destination(want, have) && have->table != RT_TABLE_LOCAL &&
	       have->type == (want->type != 0 ? want->type : RTN_UNICAST) && have->tos == 0 &&
	       addr_cmp(&want->via, &have->via) == 0 && (want->oif == 0 || want->oif == have->oif);
}

/* Writes a route of the policy as a route for the kernel. -ENODEV: its interface does not exist. */
static int to_kernel(struct rtnl *r, const struct ir *ir, const struct ir_route *from, struct rtnl_route *ret,
		     struct err *e)
{
	const struct ir_interface *i = leads_to(ir, from);
	struct device l = { 0 };
	unsigned prefix;
	int status = 0;

	if (!addr_range_is_prefix(&from->to, &prefix))
		return err_set(e, -EINVAL, "a route to what is no prefix");
	*ret = (struct rtnl_route){ .to = from->to.lo, .prefix = (uint8_t)prefix, .via = from->via };
	if (i != NULL)
		status = rtnl_link_get(r, i->device, &l, e);
	if (from->interface < ir->n_interfaces)
		ret->oif = l.index;
	return status;
}

/* Keeps the first failure of several, because the others are tried all the same. */
static int first(int kept, struct err *e, int code, const struct err *one)
{
	if (kept < 0 || code >= 0)
		return kept;
	if (e != NULL)
		*e = *one;
	return code;
}

/* Writes the wanted routes whose interface exists, and returns their number. A missing interface is
 * reported elsewhere. */
static size_t wanted_routes(struct rtnl *r, const struct ir *ir, bool admin, struct rtnl_route *want, int *status,
			    struct err *e)
{
	size_t n = 0;

	for (uint32_t i = 0; i < ir->n_routes; i++) {
		struct err one = { 0 };
		int code;

		if (box_route_is_admin(ir, &ir->routes[i]) != admin)
			continue;
		code = to_kernel(r, ir, &ir->routes[i], &want[n], &one);
		n += code == 0;
		*status = first(*status, e, code != -ENODEV ? code : 0, &one);
	}
	return n;
}

static size_t add_floor(struct rtnl_route *want, size_t n, const struct addr *of, unsigned prefix)
{
	struct addr to = *of;

	if (prefix == 0)
		return n;
	for (unsigned b = prefix; b < 8u * addr_len(to.family); b++)
		to.b[b / 8] &= (uint8_t) ~(0x80u >> (b % 8));
	want[n] =
		(struct rtnl_route){ .to = to, .prefix = (uint8_t)prefix, .type = RTN_UNREACHABLE, .priority = FLOOR };
	return n + 1;
}

/*
 * Adds a floor for each route of the data namespace except the default routes: an unreachable route
 * to the same destination, which counts only if the real one is missing. A route disappears
 * together with its interface. Without a floor, packets, even of live sessions, would then take a
 * wider route, for example the default one, into another zone.
 */
static size_t add_floors(const struct ir *ir, struct rtnl_route *want, size_t n)
{
	unsigned prefix;

	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		for (uint32_t k = 0; k < ir->interfaces[i].n_addresses && !ir->interfaces[i].admin; k++)
			n = add_floor(want, n, &ir->interfaces[i].addresses[k], ir->interfaces[i].prefix_lengths[k]);
	for (uint32_t i = 0; i < ir->n_routes; i++)
		if (!box_route_is_admin(ir, &ir->routes[i]) && addr_range_is_prefix(&ir->routes[i].to, &prefix))
			n = add_floor(want, n, &ir->routes[i].to.lo, prefix);
	return n;
}

static size_t room_of_floors(const struct ir *ir)
{
	size_t n = ir->n_routes;

	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		n += ir->interfaces[i].n_addresses;
	return n;
}

int box_routes(struct rtnl *r, const struct ir *ir, bool admin, struct err *e)
{
	struct rtnl_route *want = calloc(ir->n_routes + room_of_floors(ir) + 1u, sizeof(*want)), *have = NULL;
	size_t n_want, n_have = 0;
	struct err one = { 0 };
	int status;

	if (want == NULL)
		return err_set(e, -ENOMEM, "routes");
	/* In the data namespace, other programs may not add routes. */
	status = rtnl_routes(r, admin ? ROUTES_OURS : ROUTES_SET, &have, &n_have, e);
	if (status < 0) {
		free(want);
		return status;
	}
	n_want = wanted_routes(r, ir, admin, want, &status, e);
	if (!admin)
		n_want = add_floors(ir, want, n_want);
	for (size_t i = 0; i < n_want; i++) {
		bool there = false;

		for (size_t k = 0; k < n_have && !there; k++)
			there = same_route(&want[i], &have[k]);
		if (!there)
			status = first(status, e, rtnl_route_change(r, &want[i], true, &one), &one);
	}
	for (size_t k = 0; k < n_have; k++) {
		bool stays = false;
		int code;

		for (size_t i = 0; i < n_want && !stays; i++)
			stays = same_route(&want[i], &have[k]) ||
				(!have[k].foreign && same_destination(&want[i], &have[k]));
		/* A route to a destination that stays was replaced in place above. Only routes to
		 * unwanted destinations are deleted. */
		if (stays)
			continue;
		code = rtnl_route_change(r, &have[k], false, &one);
		/* -ESRCH: the route disappeared together with its interface. */
		status = first(status, e, code != -ESRCH ? code : 0, &one);
	}
	free(want);
	free(have);
	return status;
}
