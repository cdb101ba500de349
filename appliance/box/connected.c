/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel makes of an address by itself: the way to its network, the box's own place there,
 * and over IPv6 that of multicast, by which neighbours ask. It makes each once and never misses it;
 * without them a zone is dead, or the box is, while every address stands. One that is gone is made
 * anew, in the kernel's name, so that it goes with its address; one in the kernel's name that no
 * address has is somebody else's.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/box.h"
#include "appliance/box/facts.h"

#define METRIC6 256u /* what the kernel gives its own over IPv6 */

struct view {
	struct rtnl_route *routes; /* the kernel's */
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

/* Its network, on its device. */
static bool leads_there(const struct rtnl_route *x, const struct rtnl_address *a)
{
	struct addr net = network_of(a->addr, a->prefix);

	return x->oif == a->index && x->prefix == a->prefix && addr_cmp(&x->to, &net) == 0;
}

/* A host of this machine itself; of the loopback's addresses the whole network is. */
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

/* Addresses of one network share its way. */
static void remember(struct view *v, const struct rtnl_route *x)
{
	struct rtnl_route *routes = reallocarray(v->routes, v->n_routes + 1, sizeof(*routes));

	if (routes == NULL)
		return;
	v->routes = routes;
	v->routes[v->n_routes++] = *x;
}

/* The first failure stays. */
static int require(struct rtnl *r, struct view *v, const struct rtnl_route *want, int kept, struct err *e)
{
	struct err one = { 0 };
	bool missing = !there(v, want);
	int code = missing ? rtnl_route_change(r, want, true, &one) : 0;

	/* Somebody was quicker, the kernel itself for instance. */
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
	struct rtnl_link l;
	int status = 0;

	/* It is told of elsewhere. */
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
	/* In this order: an address that goes meanwhile takes its routes along, and one that comes
	 * has none here. */
	int status = rtnl_routes_of_kernel(r, &v->routes, &v->n_routes, e);

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

		/* Broadcast and the like lead to nobody. In the admin namespace others have ways of
		 * their own. */
		if ((x->table == RT_TABLE_LOCAL ? x->type != RTN_LOCAL : admin) || has_address(&v, x))
			continue;
		/* That it went with its address is no failure, and what else it is says the
		 * next look. */
		(void)rtnl_route_change(r, x, false, NULL);
	}
	free(v.routes);
	free(v.addresses);
	return status;
}
