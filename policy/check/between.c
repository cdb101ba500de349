/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One network that the box splits (`between` in box.cfg), without new addresses or gateways for its
 * hosts. A host's zone tells on which side the host is. From that follow a route to the host, and
 * the sides on which the box answers for it. For a host without a zone there is no route and no
 * answer, so it cannot be reached across the box.
 */
#include <string.h>

#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/names.h"
#include "policy/check/network.h"
#include "policy/check/ranges.h"
#include "policy/check/say.h"

#define BETWEEN_MAX 64u
#define ROUTES_MOST 4096u

/* ---- reading `between` ----------------------------------------------------------------------- */

static void read_sides(struct check *k, const struct ast_node *list, struct model_between *b, struct object o)
{
	size_t n = list != NULL ? list->n : 0;

	b->sides = arena_array(k->a, n, sizeof(void *));
	for (const struct ast_node *c = NULL; b->sides != NULL && (c = list_next(k, list, c, AST_STRING, o)) != NULL;) {
		struct model_interface *i = names_need(k, &k->interfaces, c, MP_NO_INTERFACE, "policy.unknown_name", o);

		if (i == NULL)
			continue;
		if (i->admin) {
			check_value(k, SEV_ERROR, "policy.admin_interface", c, MP_BETWEEN_ADMIN, o, c->string)->also =
				i->at;
		} else if (i->between != NULL) {
			check_value(k, SEV_ERROR, "policy.twice", c, MP_BETWEEN_SIDE_TWICE, o, c->string);
		} else {
			i->between = b;
			b->sides[b->n_sides++] = i;
		}
	}
	if (list != NULL && list->n < 2)
		check_value(k, SEV_ERROR, "policy.between", list, MP_BETWEEN_FEW, o, "");
}

static bool shares_network(const struct model_interface *f, const struct addr_range *net)
{
	for (size_t i = 0; i < f->n_addresses; i++) {
		struct addr_range r, both;

		interface_network(f, i, &r);
		if (addr_range_meet(&r, net, &both))
			return true;
	}
	return false;
}

static void report_overlaps(struct check *k, const struct model_between *b, const struct ast_node *node,
			    struct object o)
{
	const struct model_box *box = &k->m->box;
	struct addr_range net;
	char text[2 * ADDR_TEXT + 2];

	for (size_t i = 0; i < b->shared.n_addresses; i++) {
		bool elsewhere = false;

		interface_network(&b->shared, i, &net);
		for (size_t n = 0; n < box->n_interfaces && !elsewhere; n++)
			elsewhere = shares_network(&box->interfaces[n], &net);
		for (const struct model_between *other = box->betweens; other < b && !elsewhere; other++)
			elsewhere = shares_network(&other->shared, &net);
		addr_range_text(&net, text, sizeof(text));
		if (elsewhere)
			check_value(k, SEV_ERROR, "policy.duplicate", node, MP_BETWEEN_OVERLAP, o, text);
	}
}

void check_betweens(struct check *k, const struct ast_node *list)
{
	struct object all = { MP_OBJ_SECTION, "between" };
	struct model_box *box = &k->m->box;

	if (!check_fits(k, list, BETWEEN_MAX, all))
		return;
	box->betweens = arena_array(k->a, list != NULL ? list->n : 0, sizeof(box->betweens[0]));
	for (const struct ast_node *c = NULL;
	     box->betweens != NULL && (c = list_next(k, list, c, AST_GROUP, all)) != NULL;) {
		struct object o = { MP_OBJ_BETWEEN, arena_printf(k->a, "%zu", box->n_betweens + 1) };
		struct model_between *b = &box->betweens[box->n_betweens++];
		const struct ast_node *v[KEYS(between_keys)];

		*b = (struct model_between){ .shared = { .name = "", .device = "", .card = "" }, .at = c->at };
		if (!keys_read(k, c, between_keys, KEYS(between_keys), o, b, v))
			continue;
		read_sides(k, v[BETWEEN_SIDES], b, o);
		interface_addresses(k, v[BETWEEN_ADDRESSES], o, &b->shared);
		check_not_empty(k, v[BETWEEN_ADDRESSES], o, NO_HINT);
		if (b->shared.n_addresses > 0)
			report_overlaps(k, b, v[BETWEEN_ADDRESSES], o);
	}
}

/* ---- which host is on which side ------------------------------------------------------------- */

static size_t side_of(const struct model_between *b, const struct model_interface *i)
{
	size_t n = 0;

	while (n < b->n_sides && b->sides[n] != i)
		n++;
	return n;
}

/* The side on which the zone is. *two: another side on which it is, too. Both are n_sides if there
 * is none. */
static size_t side_of_zone(const struct model_between *b, const struct model_zone *z, size_t *two)
{
	size_t ret = b->n_sides;

	*two = b->n_sides;
	for (size_t i = 0; i < z->n_interfaces; i++) {
		size_t n = side_of(b, z->interfaces[i]);

		if (n < b->n_sides && ret < b->n_sides && n != ret)
			*two = n;
		else if (n < b->n_sides)
			ret = n;
	}
	return ret;
}

/* Gives the zone's hosts in this network to the zone's side. A zone behind other interfaces may not
 * have hosts here. If it takes the "rest", its ranges may contain this network all the same,
 * because hosts of this network are not meant. */
static void add_zone(struct check *k, const struct model_between *b, const struct model_zone *z,
		     const struct addr_range *net, struct ranges *sides)
{
	size_t two, side = side_of_zone(b, z, &two);
	struct addr_range both;

	for (size_t i = 0; i < z->n_ranges; i++) {
		bool lost = side == b->n_sides && !z->rest;
		char text[2 * ADDR_TEXT + 2];
		struct diag *g;

		if (!addr_range_meet(&z->ranges[i], net, &both))
			continue;
		if (!lost && two == b->n_sides) {
			if (side < b->n_sides && !ranges_add(k, &sides[side], &both))
				return;
			continue;
		}
		addr_range_text(&both, text, sizeof(text));
		g = diag_add(k->d, SEV_ERROR, "policy.between", z->at, lost ? MP_BETWEEN_NO_SIDE : MP_BETWEEN_TWO_SIDES,
			     z->name, text, b->sides[lost ? 0 : side]->name, b->sides[lost ? 1 : two]->name);
		g->width = (uint32_t)strlen(z->name);
		g->also = b->at;
		return;
	}
}

/* The side of a gateway in this network: by its zone, or if it has no zone, by the route's
 * interface. */
static void add_gateway(struct check *k, const struct model_between *b, struct model_route *r, struct ranges *sides)
{
	struct addr_range one = { r->via, r->via };
	char text[ADDR_TEXT];
	size_t n = 0;

	addr_text(&r->via, text);
	while (n < b->n_sides && !ranges_hold(sides[n].list, sides[n].n, &one))
		n++;
	if (n == b->n_sides && r->interface != NULL) {
		n = side_of(b, r->interface);
		ranges_add(k, &sides[n], &one);
		ranges_merge(&sides[n]); /* the next gateway is looked up in it */
	} else if (n == b->n_sides) {
		diag_add(k->d, SEV_ERROR, "policy.between", r->at, MP_BETWEEN_VIA, text, b->sides[0]->name,
			 b->sides[1]->name);
	} else if (r->interface != NULL && r->interface != b->sides[n]) {
		diag_add(k->d, SEV_ERROR, "policy.between", r->at, MP_BETWEEN_VIA_SIDE, text, b->sides[n]->name,
			 r->interface->name);
	} else {
		r->interface = b->sides[n];
	}
}

/* The box's own addresses, and the network and broadcast addresses of IPv4, belong to no side. */
static bool nobody(struct check *k, const struct model_between *b, struct ranges *ret)
{
	bool added = true;

	for (size_t i = 0; i < b->shared.n_addresses; i++) {
		const struct addr *own = &b->shared.addresses[i];
		struct addr_range net;

		interface_network(&b->shared, i, &net);
		added = added && ranges_add(k, ret, &(struct addr_range){ *own, *own });
		if (own->family == 4 && b->shared.prefix_lengths[i] < 31)
			added = added && ranges_add(k, ret, &(struct addr_range){ net.lo, net.lo }) &&
				ranges_add(k, ret, &(struct addr_range){ net.hi, net.hi });
	}
	ranges_merge(ret);
	return added;
}

/* ---- routes ---------------------------------------------------------------------------------- */

/* The largest prefix that begins at lo and ends at or before hi. */
static struct addr_range first_prefix(const struct addr_range *r)
{
	unsigned bits = 8u * (unsigned)addr_len(r->lo.family);
	struct addr_range ret = { r->lo, r->lo };

	for (unsigned free = 1; free <= bits; free++) {
		unsigned at = bits - free;
		struct addr hi = ret.hi;

		hi.b[at / 8] |= (uint8_t)(0x80u >> (at % 8));
		if ((r->lo.b[at / 8] & (0x80u >> (at % 8))) != 0 || addr_cmp(&hi, &r->hi) > 0)
			break;
		ret.hi = hi;
	}
	return ret;
}

struct routes {
	struct model_route *list;
	size_t n, room;
};

static bool add_routes(struct check *k, const struct model_between *b, size_t side, const struct ranges *hosts,
		       struct routes *ret)
{
	for (size_t i = 0; i < hosts->n; i++) {
		struct addr_range left = hosts->list[i];
		bool more = true;

		while (more) {
			struct addr_range one = first_prefix(&left);
			struct model_route *r = arena_grow(k->a, (void **)&ret->list, &ret->n, &ret->room, sizeof(*r));

			if (r == NULL)
				return false;
			*r = (struct model_route){ .to = one, .interface = b->sides[side], .at = b->at };
			if (ret->n > ROUTES_MOST) {
				diag_add(k->d, SEV_ERROR, "policy.too_large", b->at, MP_BETWEEN_ROUTES, ROUTES_MOST);
				return false;
			}
			more = addr_next(&one.hi, &left.lo) && addr_cmp(&one.hi, &left.hi) < 0;
		}
	}
	return true;
}

/* The box's address has the full prefix length, because every other host has a route to its
 * side. */
static void own_addresses(struct check *k, const struct model_between *b)
{
	for (size_t s = 0; s < b->n_sides; s++) {
		struct model_interface *i = b->sides[s];
		size_t n = i->n_addresses + b->shared.n_addresses;
		struct addr *addresses = arena_array(k->a, n, sizeof(*addresses));
		uint8_t *lengths = arena_array(k->a, n, sizeof(*lengths));

		if (addresses == NULL || lengths == NULL)
			return;
		for (size_t a = 0; a < n; a++) {
			bool shared = a >= i->n_addresses;

			addresses[a] = shared ? b->shared.addresses[a - i->n_addresses] : i->addresses[a];
			lengths[a] = shared ? (uint8_t)(8u * addr_len(addresses[a].family)) : i->prefix_lengths[a];
		}
		i->addresses = addresses;
		i->prefix_lengths = lengths;
		i->n_addresses = n;
	}
}

static bool one_between(struct check *k, const struct model_between *b, struct routes *routes)
{
	struct ranges *sides = arena_array(k->a, b->n_sides, sizeof(*sides)), less = { 0 };
	struct addr_range net;

	if (sides == NULL || !nobody(k, b, &less))
		return false;
	for (size_t i = 0; i < b->shared.n_addresses; i++) {
		interface_network(&b->shared, i, &net);
		for (size_t z = 0; z < k->m->n_zones; z++)
			add_zone(k, b, &k->m->zones[z], &net, sides);
	}
	for (size_t s = 0; s < b->n_sides; s++)
		ranges_merge(&sides[s]);
	for (size_t i = 0; i < b->shared.n_addresses; i++) {
		interface_network(&b->shared, i, &net);
		for (size_t r = 0; r < k->m->box.n_routes; r++)
			if (addr_in(&k->m->box.routes[r].via, &net) &&
			    (k->m->box.routes[r].interface == NULL || k->m->box.routes[r].interface->between == b))
				add_gateway(k, b, &k->m->box.routes[r], sides);
	}
	for (size_t s = 0; s < b->n_sides; s++) {
		struct ranges hosts = { 0 };

		if (!ranges_minus(k, &sides[s], &less, &hosts) || !add_routes(k, b, s, &hosts, routes))
			return false;
	}
	own_addresses(k, b);
	return true;
}

void check_sides(struct check *k)
{
	struct model_box *box = &k->m->box;
	struct routes routes = { 0 };

	for (size_t i = 0; i < box->n_betweens; i++)
		if (box->betweens[i].n_sides > 1 && !one_between(k, &box->betweens[i], &routes))
			return;
	/* The routes of box.cfg come after the routes to hosts, because their gateways may be such
	 * hosts. */
	for (size_t i = 0; i < box->n_routes && routes.n > 0; i++) {
		struct model_route *r = arena_grow(k->a, (void **)&routes.list, &routes.n, &routes.room, sizeof(*r));

		if (r == NULL)
			return;
		*r = box->routes[i];
	}
	if (routes.n > 0) {
		box->routes = routes.list;
		box->n_routes = routes.n;
	}
}

/* ---- hosts for which the box answers --------------------------------------------------------- */

/*
 * Hosts for which the box answers ARP and neighbour discovery on the other sides of their network:
 * those with a route (check/between.c), one by one, because the kernel has no proxy entries for
 * whole networks. If there are too many, the box answers only for assets and gateways.
 */

#define ANSWERS_MOST 4096u /* for one interface: the kernel has an entry for each */
/* hosts of one family behind one side; beyond, only assets and gateways */
#define ANSWERS_WHOLE 2048u

/* The number of addresses, ANSWERS_MOST + 1 when there are more. */
static size_t count(const struct addr_range *r)
{
	size_t n = 0;

	for (size_t i = 0; i < addr_len(r->lo.family); i++) {
		n = n * 256 + r->hi.b[i] - r->lo.b[i];
		if (n > 1u << 20)
			return ANSWERS_MOST + 1;
	}
	return n + 1;
}

static bool is_host_route(const struct model_route *r, const struct model_interface *f, uint8_t family)
{
	return r->via.family == 0 && r->interface == f && f->between != NULL && r->to.lo.family == family;
}

/* Adds assets and gateways. */
static bool add_named(struct check *k, const struct addr_range *in, struct ranges *ret)
{
	const struct model_box *box = &k->m->box;
	struct addr_range both;

	for (size_t i = 0; i < k->m->n_assets; i++)
		for (size_t j = 0; j < k->m->assets[i].n_ranges; j++)
			if (addr_range_meet(&k->m->assets[i].ranges[j], in, &both) && !ranges_add(k, ret, &both))
				return false;
	for (size_t i = 0; i < box->n_routes; i++) {
		const struct addr *via = &box->routes[i].via;

		if (addr_in(via, in) && !ranges_add(k, ret, &(struct addr_range){ *via, *via }))
			return false;
	}
	return true;
}

/* Adds the hosts of that family behind the side: all, or only the named ones when all would be too
 * many. */
static bool add_known(struct check *k, const struct model_interface *f, uint8_t family, struct ranges *ret)
{
	const struct model_box *box = &k->m->box;
	const struct model_route *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < box->n_routes && n <= ANSWERS_WHOLE; i++)
		if (is_host_route(&box->routes[i], f, family)) {
			n += count(&box->routes[i].to);
			first = first == NULL ? &box->routes[i] : first;
		}
	for (size_t i = 0; i < box->n_routes; i++)
		if (is_host_route(&box->routes[i], f, family) &&
		    !(n <= ANSWERS_WHOLE ? ranges_add(k, ret, &box->routes[i].to)
					 : add_named(k, &box->routes[i].to, ret)))
			return false;
	if (n > ANSWERS_WHOLE)
		diag_add(k->d, SEV_WARNING, "policy.between_wide", first->at, MP_BETWEEN_WIDE, f->name, family,
			 ANSWERS_WHOLE);
	return true;
}

void check_answers(struct check *k)
{
	struct model_box *box = &k->m->box;
	struct ranges *known = arena_array(k->a, box->n_interfaces, sizeof(*known));

	for (size_t i = 0; i < box->n_interfaces; i++)
		if (known == NULL || !add_known(k, &box->interfaces[i], 4, &known[i]) ||
		    !add_known(k, &box->interfaces[i], 6, &known[i]))
			return;
	for (size_t i = 0; i < box->n_interfaces; i++) {
		struct model_interface *f = &box->interfaces[i];
		const struct model_between *b = f->between;
		struct ranges all = { 0 };
		size_t n = 0;

		if (b == NULL)
			continue;
		for (size_t s = 0; s < b->n_sides; s++) {
			const struct ranges *theirs = &known[b->sides[s] - box->interfaces];

			for (size_t r = 0; b->sides[s] != f && r < theirs->n; r++)
				if (!ranges_add(k, &all, &theirs->list[r]))
					return;
		}
		ranges_merge(&all);
		f->answers = all.list;
		f->n_answers = all.n;
		for (size_t r = 0; r < all.n && n <= ANSWERS_MOST; r++)
			n += count(&all.list[r]);
		if (n > ANSWERS_MOST)
			diag_add(k->d, SEV_ERROR, "policy.too_large", b->at, MP_BETWEEN_ANSWERS, ANSWERS_MOST, f->name);
	}
}
