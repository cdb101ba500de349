/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/box_private.h"
#include "appliance/box/rtnl_address.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

static bool address_wanted(const struct ir_interface *i, const struct rtnl_address *a, bool *same_address)
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

static bool address_present(const struct rtnl_address *have, size_t n, const struct addr *a, uint8_t prefix)
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
		if (!have[k].link_local && !address_wanted(i, &have[k], &same) && same)
			status = rtnl_address_change(r, index, &have[k].addr, have[k].prefix, false, e);
	for (uint32_t k = 0; k < i->n_addresses && status == 0; k++)
		if (!address_present(have, n, &i->addresses[k], i->prefix_lengths[k]))
			status = rtnl_address_change(r, index, &i->addresses[k], i->prefix_lengths[k], true, e);
	/* New addresses are added before old ones are removed, so that the network always has
	 * one. */
	for (size_t k = 0; k < n && status == 0; k++)
		if (!have[k].link_local && !address_wanted(i, &have[k], &same) && !same) {
			status = rtnl_address_change(r, index, &have[k].addr, have[k].prefix, false, e);
			if (status == -EADDRNOTAVAIL)
				/* a secondary address was removed together with its primary one */
				status = 0;
		}
	free(have);
	return status;
}

static uint8_t bits_of(const struct addr *a)
{
	return (uint8_t)(8 * addr_len(a->family));
}

static struct addr network_of(struct addr a, unsigned prefix)
{
	for (unsigned b = prefix; b < bits_of(&a); b++)
		a.b[b / 8] &= (uint8_t) ~(0x80u >> (b % 8));
	return a;
}

static bool network_holds(const struct ir_interface *i, const struct addr *a)
{
	for (uint32_t n = 0; n < i->n_addresses; n++) {
		struct addr own = network_of(i->addresses[n], i->prefix_lengths[n]),
			    its = network_of(*a, i->prefix_lengths[n]);

		if (addr_cmp(&own, &its) == 0)
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
		if (network_holds(&ir->interfaces[i], &r->via))
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

/* Writes the wanted routes whose interface exists, and returns their number. A missing interface is
 * reported elsewhere. */
static size_t wanted_routes(struct rtnl *r, const struct ir *ir, bool admin, struct rtnl_route *want, struct err *why)
{
	size_t n = 0;

	for (uint32_t i = 0; i < ir->n_routes; i++) {
		struct err one = { 0 };
		int code;

		if (box_route_is_admin(ir, &ir->routes[i]) != admin)
			continue;
		code = to_kernel(r, ir, &ir->routes[i], &want[n], &one);
		n += code == 0;
		keep_first(why, code != -ENODEV ? code : 0, &one);
	}
	return n;
}

static size_t add_floor(struct rtnl_route *want, size_t n, const struct addr *of, unsigned prefix)
{
	struct addr to = network_of(*of, prefix);

	if (prefix == 0)
		return n;
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
	struct err why = { 0 }, one = { 0 };
	size_t n_want, n_have = 0;
	int status;

	if (want == NULL)
		return err_set(e, -ENOMEM, "routes");
	/* In the data namespace, other programs may not add routes. */
	status = rtnl_routes(r, admin ? ROUTES_OURS : ROUTES_SET, &have, &n_have, e);
	if (status < 0) {
		free(want);
		return status;
	}
	n_want = wanted_routes(r, ir, admin, want, &why);
	if (!admin)
		n_want = add_floors(ir, want, n_want);
	for (size_t i = 0; i < n_want; i++) {
		bool there = false;

		for (size_t k = 0; k < n_have && !there; k++)
			there = same_route(&want[i], &have[k]);
		if (!there)
			keep_first(&why, rtnl_route_change(r, &want[i], true, &one), &one);
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
		keep_first(&why, code != -ESRCH ? code : 0, &one);
	}
	free(want);
	free(have);
	return first_kept(&why, e);
}

/* ---- routes that the kernel makes ------------------------------------------------------------ */

/*
 * Routes that the kernel makes for an address: to its network, to the box's own address, and for
 * IPv6 multicast, by which hosts look for neighbours. The kernel makes each of them once, and does
 * not notice when it is gone. Without such a route, a zone or the box itself cannot be reached
 * although all addresses exist.
 *
 * A missing route is made anew with the kernel's protocol number, so that it disappears together
 * with its address. A route with that number but without an address was made by another program,
 * and is removed.
 */
#define METRIC6 256u /* the metric of the kernel's own IPv6 routes */

struct view {
	struct rtnl_route *routes; /* routes with the kernel's protocol number */
	struct rtnl_address *addresses;
	size_t n_routes, n_addresses;
};

/* Whether `x` is the route to the network of `a`, on the device of `a`. */
static bool leads_there(const struct rtnl_route *x, const struct rtnl_address *a)
{
	struct addr net = network_of(a->addr, a->prefix);

	return x->oif == a->index && x->prefix == a->prefix && addr_cmp(&x->to, &net) == 0;
}

/* Whether this is the local route to an address of this machine; for a loopback address, to its
 * whole network. */
static bool is_place(const struct rtnl_route *x, const struct rtnl_address *a)
{
	bool loop = a->addr.family == 4 && a->addr.b[0] == 127 && leads_there(x, a);

	return loop || (x->prefix == bits_of(&a->addr) && addr_cmp(&x->to, &a->addr) == 0);
}

static bool has_address(const struct view *v, const struct rtnl_route *x)
{
	bool local = x->table == RT_TABLE_LOCAL;

	if (!local && (x->type != RTN_UNICAST || x->via.family != 0 || x->nexthop != 0))
		return false;
	for (size_t i = 0; i < v->n_addresses; i++)
		if (local ? is_place(x, &v->addresses[i]) : leads_there(x, &v->addresses[i]))
			return true;
	return false;
}

static bool route_there(const struct view *v, const struct rtnl_route *want)
{
	for (size_t i = 0; i < v->n_routes; i++) {
		const struct rtnl_route *x = &v->routes[i];

		if (x->table == want->table && x->type == want->type && x->tos == 0 && x->via.family == 0 &&
		    x->prefix == want->prefix && addr_cmp(&x->to, &want->to) == 0 &&
		    (x->type == RTN_LOCAL || x->oif == want->oif))
			return true;
	}
	return false;
}

/* Adds the route to those that exist, because several addresses of one network share it. */
static void remember(struct view *v, const struct rtnl_route *x)
{
	struct rtnl_route *routes = reallocarray(v->routes, v->n_routes + 1, sizeof(*routes));

	if (routes == NULL)
		return;
	v->routes = routes;
	v->routes[v->n_routes++] = *x;
}

/* Adds the route if it is missing. */
static void require(struct rtnl *r, struct view *v, const struct rtnl_route *want, struct err *why)
{
	struct err one = { 0 };
	int code = 0;

	if (route_there(v, want))
		return;
	code = rtnl_route_change(r, want, true, &one);
	/* The route exists now; perhaps the kernel itself made it meanwhile. */
	if (code == -EEXIST)
		code = 0;
	if (code == 0)
		remember(v, want);
	keep_first(why, code, &one);
}

static void of_address(struct rtnl *r, struct view *v, const struct rtnl_address *a, bool loopback, struct err *why)
{
	bool six = a->addr.family == 6;
	struct rtnl_route net = { .to = network_of(a->addr, a->prefix),
				  .prefix = a->prefix,
				  .oif = a->index,
				  .protocol = RTPROT_KERNEL,
				  .type = RTN_UNICAST,
				  .table = RT_TABLE_MAIN,
				  .priority = six ? METRIC6 : 0 },
			  place = net, groups = net;

	if (!six)
		net.from = place.from = a->addr;
	place.to = a->addr;
	place.prefix = bits_of(&a->addr);
	place.type = RTN_LOCAL;
	place.table = groups.table = RT_TABLE_LOCAL;
	place.priority = 0;
	groups.to = (struct addr){ .family = 6, .b = { 0xff } };
	groups.prefix = 8;
	groups.type = RTN_MULTICAST;
	require(r, v, &place, why);
	if (loopback)
		return;
	if (a->prefix > 0 && a->prefix < bits_of(&a->addr))
		require(r, v, &net, why);
	if (six)
		require(r, v, &groups, why);
}

static void of_device(struct rtnl *r, struct view *v, const char *device, struct err *why)
{
	struct device l;

	/* A missing or down device is reported elsewhere. */
	if (rtnl_link_get(r, device, &l, NULL) < 0 || !l.up)
		return;
	for (size_t n = 0; n < v->n_addresses; n++) {
		const struct rtnl_address *a = &v->addresses[n];

		if (a->index == l.index && !a->unusable && !a->young)
			of_address(r, v, a, strcmp(device, "lo") == 0, why);
	}
}

static int read_both(struct rtnl *r, struct view *v, struct err *e)
{
	/* The routes are read before the addresses. If an address disappears in between, its routes
	 * disappear with it; for a new address nothing is removed here. */
	int status = rtnl_routes(r, ROUTES_KERNELS, &v->routes, &v->n_routes, e);

	return status < 0 ? status : rtnl_addresses(r, 0, &v->addresses, &v->n_addresses, e);
}

int box_connected(struct rtnl *r, const struct ir *ir, bool admin, struct err *e)
{
	struct err why = { 0 };
	struct view v = { 0 };
	bool whole = read_both(r, &v, &why) == 0;

	if (whole)
		of_device(r, &v, "lo", &why);
	for (uint32_t i = 0; whole && i < ir->n_interfaces; i++)
		if (ir->interfaces[i].admin == admin)
			of_device(r, &v, ir->interfaces[i].device, &why);
	for (size_t n = 0; whole && n < v.n_routes; n++) {
		struct rtnl_route *x = &v.routes[n];

		/* Broadcast routes and the like lead to no host. In the admin namespace other
		 * programs may add routes. */
		if ((x->table == RT_TABLE_LOCAL ? x->type != RTN_LOCAL : admin) || has_address(&v, x))
			continue;
		/* It is no failure if the route disappeared with its address. Any other failure
		 * shows at the next look. */
		(void)rtnl_route_change(r, x, false, NULL);
	}
	free(v.routes);
	free(v.addresses);
	return first_kept(&why, e);
}
