/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes that the kernel makes for an address: to its network, to the box's own address, and for
 * IPv6 multicast, by which hosts look for neighbours. The kernel makes each of them once, and does
 * not notice when it is gone. Then a zone, or the box itself, cannot be reached although all
 * addresses exist.
 *
 * A missing route is made anew with the kernel's protocol number, so that it disappears together
 * with its address. A route with that number but without an address was made by another program,
 * and is removed.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/box.h"
#include "appliance/box/facts.h"

#define METRIC6 256u /* the metric of the kernel's own IPv6 routes */

struct view {
	struct rtnl_route *routes; /* routes with the kernel's protocol number */
	struct rtnl_address *addresses;
	size_t n_routes, n_addresses;
};

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

/* The route to the network of `a`, on its device. */
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

static bool there(const struct view *v, const struct rtnl_route *want)
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

/* Adds the route if it is missing. Keeps the first failure. */
static int require(struct rtnl *r, struct view *v, const struct rtnl_route *want, int kept, struct err *e)
{
	struct err one = { 0 };
	bool missing = !there(v, want);
	int code = missing ? rtnl_route_change(r, want, true, &one) : 0;

	/* The route exists now; perhaps the kernel itself made it meanwhile. */
	if (code == -EEXIST)
		code = 0;
	if (missing && code == 0)
		remember(v, want);
	if (code < 0 && kept == 0 && e != NULL)
		*e = one;
	return kept < 0 ? kept : code;
}

static int of_address(struct rtnl *r, struct view *v, const struct rtnl_address *a, bool loopback, struct err *e)
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
	int status = 0;

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
	status = require(r, v, &place, status, e);
	if (loopback)
		return status;
	if (a->prefix > 0 && a->prefix < bits_of(&a->addr))
		status = require(r, v, &net, status, e);
	return six ? require(r, v, &groups, status, e) : status;
}

static int of_device(struct rtnl *r, struct view *v, const char *device, struct err *e)
{
	struct err one = { 0 };
	struct device l;
	int status = 0;

	/* A missing or down device is reported elsewhere. */
	if (rtnl_link_get(r, device, &l, NULL) < 0 || !l.up)
		return 0;
	for (size_t n = 0; n < v->n_addresses; n++) {
		const struct rtnl_address *a = &v->addresses[n];
		int code = a->index != l.index || a->unusable || a->young
				   ? 0
				   : of_address(r, v, a, strcmp(device, "lo") == 0, &one);

		if (code < 0 && status == 0) {
			status = code;
			if (e != NULL)
				*e = one;
		}
	}
	return status;
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
	struct view v = { 0 };
	struct err one = { 0 };
	int status = read_both(r, &v, e);
	bool whole = status == 0;

	if (whole)
		status = of_device(r, &v, "lo", e);
	for (uint32_t i = 0; whole && i < ir->n_interfaces; i++) {
		int code = ir->interfaces[i].admin == admin ? of_device(r, &v, ir->interfaces[i].device, &one) : 0;

		if (code < 0 && status == 0) {
			status = code;
			if (e != NULL)
				*e = one;
		}
	}
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
	return status;
}
