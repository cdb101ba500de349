/* SPDX-License-Identifier: Apache-2.0 */
/* Do the facts of box.cfg fit each other and the zones? What the kernel would refuse, or lead astray, is said here. */
#include <string.h>

#include "policy/check/check.h"

/* Data and admin interfaces live in namespaces of their own: what one has says nothing about the other. */
static bool same_realm(const struct model_interface *a, const struct model_interface *b)
{
	return a->admin == b->admin;
}

static void report_pair(struct check *k, const struct model_interface *a, size_t i, const struct model_interface *b,
			size_t j)
{
	struct addr_range x, y;
	char text[2 * ADDR_TEXT + 2];
	bool same = addr_cmp(&a->addresses[i], &b->addresses[j]) == 0;
	struct diag *g;

	interface_network(a, i, &x);
	interface_network(b, j, &y);
	if (is_of_a_link(&a->addresses[i]))
		return;
	if (same && a->between != NULL && a->between == b->between)
		return; /* sides of one network have the box's address in it */
	if (!same && (addr_cmp(&x.lo, &y.lo) != 0 || addr_cmp(&x.hi, &y.hi) != 0))
		return;
	if (same)
		addr_text(&a->addresses[i], text);
	else
		addr_range_text(&x, text, sizeof(text));
	g = diag_add(k->d, SEV_ERROR, "policy.duplicate", b->at, same ? MP_BOX_SAME_ADDRESS : MP_BOX_SAME_NETWORK, text,
		     a->name, b->name);
	g->width = (uint32_t)strlen(b->name);
	g->also = a->at;
}

static void report_same_networks(struct check *k)
{
	const struct model_box *b = &k->m->box;

	for (size_t i = 1; i < b->n_interfaces; i++)
		for (size_t j = 0; j < i; j++)
			for (size_t x = 0; x < b->interfaces[i].n_addresses; x++)
				for (size_t y = 0; y < b->interfaces[j].n_addresses; y++)
					if (same_realm(&b->interfaces[i], &b->interfaces[j]))
						report_pair(k, &b->interfaces[j], y, &b->interfaces[i], x);
}

/* The interface behind which the route's gateway stands, or NULL. */
static const struct model_interface *gateway_side(const struct model_box *b, const struct model_route *r)
{
	for (size_t i = 0; i < b->n_interfaces && r->interface == NULL; i++) {
		for (size_t j = 0; j < b->interfaces[i].n_addresses; j++) {
			struct addr_range net;

			interface_network(&b->interfaces[i], j, &net);
			if (addr_in(&r->via, &net))
				return &b->interfaces[i];
		}
	}
	return r->interface;
}

static void report_same_routes(struct check *k)
{
	const struct model_box *b = &k->m->box;

	for (size_t i = 1; i < b->n_routes; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct model_interface *x = gateway_side(b, &b->routes[i]),
						     *y = gateway_side(b, &b->routes[j]);
			char text[2 * ADDR_TEXT + 2];

			if (x == NULL || y == NULL || !same_realm(x, y) ||
			    addr_cmp(&b->routes[i].to.lo, &b->routes[j].to.lo) != 0 ||
			    addr_cmp(&b->routes[i].to.hi, &b->routes[j].to.hi) != 0)
				continue;
			addr_range_text(&b->routes[i].to, text, sizeof(text));
			diag_add(k->d, SEV_ERROR, "policy.duplicate", b->routes[i].at, MP_ROUTE_TWICE, text)->also =
				b->routes[j].at;
			break;
		}
	}
}

static bool is_of_zone(const struct model_zone *z, const struct model_interface *f)
{
	for (size_t i = 0; i < z->n_interfaces; i++)
		if (z->interfaces[i] == f)
			return true;
	return false;
}

/* What the box reaches behind the zone's interfaces. False when they have no addresses: then others route for it. */
static bool reached(struct check *k, const struct model_zone *z, struct ranges *ret)
{
	const struct model_box *b = &k->m->box;
	bool any = false;

	for (size_t i = 0; i < z->n_interfaces; i++) {
		for (size_t j = 0; j < z->interfaces[i]->n_addresses; j++) {
			struct addr_range net;

			interface_network(z->interfaces[i], j, &net);
			any = ranges_add(k, ret, &net);
		}
	}
	for (size_t i = 0; i < b->n_routes; i++) {
		const struct model_interface *f = gateway_side(b, &b->routes[i]);

		if (f != NULL && is_of_zone(z, f) && !ranges_add(k, ret, &b->routes[i].to))
			return false;
	}
	ranges_merge(ret);
	return any;
}

/* The guard drops what comes from where no route leads back, so that such a network would be cut off in silence. */
static void report_unreached(struct check *k, const struct model_zone *z)
{
	struct ranges have = { 0 }, all = { z->ranges, z->n_ranges, z->n_ranges }, left = { 0 };
	char text[2 * ADDR_TEXT + 2];
	struct diag *g;

	if (z->rest || z->self || k->unsure[z->index] || !reached(k, z, &have) ||
	    !ranges_minus(k, &all, &have, &left) || left.n == 0)
		return;
	addr_range_text(&left.list[0], text, sizeof(text));
	g = diag_add(k->d, SEV_WARNING, "policy.no_route", z->at, MP_ZONE_UNREACHED, z->name, text);
	g->width = (uint32_t)strlen(z->name);
	diag_hint(k->d, g, MP_HINT_ZONE_UNREACHED);
}

void check_network(struct check *k)
{
	report_same_networks(k);
	report_same_routes(k);
	for (size_t i = 0; i < k->m->n_zones; i++)
		report_unreached(k, &k->m->zones[i]);
}
