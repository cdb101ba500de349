/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts for which the box answers ARP and neighbour discovery on the other sides of their network:
 * those with a route (check/between.c), one by one, because the kernel has no proxy entries for
 * whole networks. If there are too many, the box answers only for assets and gateways.
 */
#include "policy/check/check.h"

#define ANSWERS_MOST 4096u  /* for one interface: the kernel has an entry for each */
#define ANSWERS_WHOLE 2048u /* of one family behind one side: above it, only assets and gateways */

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
		diag_hint(k->d,
			  diag_add(k->d, SEV_WARNING, "policy.between_wide", first->at, MP_BETWEEN_WIDE, f->name,
				   family, ANSWERS_WHOLE),
			  MP_HINT_BETWEEN_ANSWERS);
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
			diag_hint(k->d,
				  diag_add(k->d, SEV_ERROR, "policy.too_large", b->at, MP_BETWEEN_ANSWERS, ANSWERS_MOST,
					   f->name),
				  MP_HINT_BETWEEN_ANSWERS);
	}
}
