/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks that the box is in: the addresses of its interfaces and who is reached there. After
 * box.cfg and the zones were read, this checks whether they fit together, and reports what the
 * kernel would refuse or send the wrong way.
 */
#include <stdio.h>
#include <string.h>

#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/network.h"
#include "policy/check/ranges.h"
#include "policy/check/say.h"

#define ADDRESSES_MAX 64u /* of one interface */

/* ---- addresses of interfaces ----------------------------------------------------------------- */

bool is_host(const struct addr *a)
{
	static const char *const never[] = { "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/64", "ff00::/8" };
	struct addr_range r;
	bool stray;

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (prefix_parse(never[i], &r, &stray) && addr_in(a, &r))
			return false;
	return true;
}

bool is_of_a_link(const struct addr *a)
{
	struct addr_range links;
	bool stray;

	return prefix_parse("fe80::/10", &links, &stray) && addr_in(a, &links);
}

/* The last address of an IPv4 network is its broadcast address. */
static bool is_broadcast(const struct addr *a, const struct addr_range *net, unsigned len)
{
	return a->family == 4 && len < 31 && addr_cmp(a, &net->hi) == 0;
}

/* Reads "10.30.0.1/22": the box's address and the length of its network's prefix. */
static bool interface_address(struct check *k, const struct ast_node *node, struct object o, struct addr *ret,
			      uint8_t *ret_len)
{
	size_t n = strcspn(node->string, "/");
	char head[ADDR_TEXT];
	struct addr_range net;
	unsigned len = 0;
	bool stray, whole;

	whole = prefix_parse(node->string, &net, &stray);
	if ((whole || stray) && node->string[n] == '/' && n < sizeof(head) && addr_range_is_prefix(&net, &len)) {
		memcpy(head, node->string, n);
		head[n] = '\0';
		*ret_len = (uint8_t)len;
		/* Accepts an address with host bits, or any address of a network that is so small
		 * that each of its addresses may be a host's. */
		if (addr_parse(head, ret) && (stray || len >= (ret->family == 4 ? 31u : 127u))) {
			if (len > 0 && is_host(ret) && !is_broadcast(ret, &net, len))
				return true;
			check_value(k, SEV_ERROR, "policy.address", node, MP_BOX_NO_HOST, o, node->string);
			return false;
		}
		check_value(k, SEV_ERROR, "policy.address", node, MP_BOX_NETWORK, o, node->string);
	} else {
		check_value(k, SEV_ERROR, "policy.address", node, MP_BOX_ADDRESS, o, node->string);
	}
	return false;
}

void interface_addresses(struct check *k, const struct ast_node *list, struct object o, struct model_interface *i)
{
	size_t n = list != NULL ? list->n : 0;

	if (!check_fits(k, list, ADDRESSES_MAX, o))
		return;
	i->addresses = arena_array(k->a, n, sizeof(i->addresses[0]));
	i->prefix_lengths = arena_array(k->a, n, sizeof(i->prefix_lengths[0]));
	if (i->addresses == NULL || i->prefix_lengths == NULL)
		return;
	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING, o)) != NULL;)
		if (interface_address(k, c, o, &i->addresses[i->n_addresses], &i->prefix_lengths[i->n_addresses])) {
			for (size_t j = 0; j < i->n_addresses; j++)
				if (addr_cmp(&i->addresses[j], &i->addresses[i->n_addresses]) == 0)
					check_value(k, SEV_ERROR, "policy.twice", c, MP_TWICE, o, c->string);
			i->n_addresses++;
		}
}

void interface_network(const struct model_interface *f, size_t n, struct addr_range *ret)
{
	char text[ADDR_TEXT], net[ADDR_TEXT + 4];
	bool stray; /* host bits are set, but the network was meant */

	addr_text(&f->addresses[n], text);
	snprintf(net, sizeof(net), "%s/%u", text, f->prefix_lengths[n]);
	prefix_parse(net, ret, &stray);
}

bool in_network(const struct model_interface *f, const struct addr *via)
{
	for (size_t j = 0; j < f->n_addresses; j++) {
		struct addr_range r;

		interface_network(f, j, &r);
		if (addr_in(via, &r))
			return true;
	}
	return false;
}

bool is_nobody(const struct model_box *b, const struct addr *via, const struct model_interface *only)
{
	for (size_t i = 0; i < b->n_interfaces + b->n_betweens; i++) {
		const struct model_interface *f =
			i < b->n_interfaces ? &b->interfaces[i] : &b->betweens[i - b->n_interfaces].shared;

		if (only != NULL && f != only && is_of_a_link(via))
			continue; /* somebody else has the address there */
		for (size_t j = 0; j < f->n_addresses; j++) {
			struct addr_range r;

			interface_network(f, j, &r);
			if (addr_cmp(via, &f->addresses[j]) == 0 || is_broadcast(via, &r, f->prefix_lengths[j]) ||
			    (via->family == 4 && f->prefix_lengths[j] < 31 && addr_cmp(via, &r.lo) == 0))
				return true;
		}
	}
	return false;
}

/* ---- do the parts fit together --------------------------------------------------------------- */

/* Data and admin interfaces are in separate namespaces: the addresses of one do not matter to the
 * other. */
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
		return; /* the sides of one split network share the box's address */
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

const struct model_interface *gateway_side(const struct model_box *b, const struct model_route *r)
{
	for (size_t i = 0; i < b->n_interfaces && r->interface == NULL; i++)
		if (in_network(&b->interfaces[i], &r->via))
			return &b->interfaces[i];
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

/* The networks that the box reaches behind the zone's interfaces. False if those interfaces have no
 * addresses, because then another router sends packets there; and when memory is out. */
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

/* The guard drops packets whose source has no route back, so an unreachable network would be cut
 * off silently. */
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
}

void check_network(struct check *k)
{
	report_same_networks(k);
	report_same_routes(k);
	for (size_t i = 0; i < k->m->n_zones; i++)
		report_unreached(k, &k->m->zones[i]);
}
