/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets that a statement asks for are a region of packet space. The packets that conduits
 * without end allow are another one. Any part of the first region that lies outside of the second
 * will be refused one day.
 */
#include <netinet/in.h>

#include "policy/check/port.h"
#include "policy/space/boxes.h"
#include "policy/space/cells.h"
#include "policy/space/prove.h"

#define STEPS_MAX 50000000u /* for all statements together */
#define BUDGET ((size_t)256 << 20)

enum { ASKED, ALLOWED }; /* tags */

struct region {
	struct arena *a;
	struct box *list;
	size_t n, room;
};

/* Whether this service lets everything pass that the wanted one does on these ports. */
static bool as_much(const struct model_conduit *c, const struct model_service *s, const struct model_service *wanted)
{
	if (s == wanted || c->observe || protocol_info(s->protocol)->depth == DEPTH_TRANSPORT)
		return true;
	return s->protocol == wanted->protocol && s->whole && s->undecided_bytes >= wanted->undecided_bytes &&
	       (wanted->lenient & ~s->lenient) == 0;
}

/* Adds all packets between these ends of one family and transport, by a service's ports. */
static bool add_packets(struct region *r, const struct addr_range *src, size_t n_src, const struct addr_range *dst,
			size_t n_dst, const struct ir_port *port, uint8_t family, uint8_t l4proto, uint32_t tag)
{
	struct number_range ports[2];
	uint8_t l4;
	size_t n = port_in_family(port, family, &l4, ports);

	if (n == 0 || l4 != l4proto)
		return true;
	for (size_t i = 0; i < n_src; i++)
		for (size_t k = 0; k < n_dst && src[i].lo.family == family; k++)
			for (size_t p = 0; p < n && dst[k].lo.family == family; p++) {
				struct box *b = arena_grow(r->a, (void **)&r->list, &r->n, &r->room, sizeof(*r->list));

				if (b == NULL || r->n > BOXES_MAX)
					return false;
				*b = (struct box){
					.d = { span_of(&src[i]), span_of(&dst[k]), { ports[p].lo, ports[p].hi } },
					.tag = tag
				};
			}
	return true;
}

struct found {
	struct span d[DIMS];
	bool any;
};

static bool piece(void *ctx, const struct span d[DIMS], const uint32_t *tags, size_t n_tags)
{
	struct found *f = ctx;

	if (n_tags > 1 || tags[0] != ASKED)
		return true;
	for (int i = 0; i < DIMS; i++)
		f->d[i] = d[i];
	f->any = true;
	return false;
}

struct always_ends always_ends(const struct model_always *w)
{
	return (struct always_ends){
		w->sources.n > 0 ? w->sources.ranges : w->from->ranges,
		w->destinations.n > 0 ? w->destinations.ranges : w->to->ranges,
		w->sources.n > 0 ? w->sources.n : w->from->n_ranges,
		w->destinations.n > 0 ? w->destinations.n : w->to->n_ranges,
	};
}

static bool leads_there(const struct model *m, const struct model_conduit *c, const struct model_always *w)
{
	return c->from == w->from && c->to == w->to && !c->shadow && !conduit_past(c, m->now) &&
	       c->from->n_interfaces > 0 && c->to->n_interfaces > 0;
}

bool always_carried(const struct model *m, const struct model_conduit *c, const struct model_always *w)
{
	if (!leads_there(m, c, w))
		return false;
	for (size_t i = 0; i < w->n_services; i++)
		for (size_t k = 0; k < c->n_services; k++)
			if (as_much(c, c->services[k], w->services[i]))
				return true;
	return false;
}

/* Adds the wanted region, and the region that is allowed without end. */
static bool lay_out(const struct model *m, const struct model_always *w, const struct model_service *s, uint8_t family,
		    uint8_t l4proto, struct region *r)
{
	struct always_ends e = always_ends(w);

	for (size_t p = 0; p < s->n_ports; p++)
		if (!add_packets(r, e.src, e.n_src, e.dst, e.n_dst, &s->ports[p], family, l4proto, ASKED))
			return false;
	for (size_t i = 0; i < m->n_conduits && r->n > 0; i++) {
		const struct model_conduit *c = &m->conduits[i];

		if (!leads_there(m, c, w) || c->until != 0 || c->within != NULL || c->door != NULL ||
		    c->starts > m->now)
			continue;
		for (size_t k = 0; k < c->n_services; k++)
			for (size_t p = 0; p < c->services[k]->n_ports && as_much(c, c->services[k], s); p++)
				if (!add_packets(r, c->sources, c->n_sources, c->destinations, c->n_destinations,
						 &c->services[k]->ports[p], family, l4proto, ALLOWED))
					return false;
	}
	return true;
}

static bool holds_addr(const struct addr_range *list, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (addr_in(a, &list[i]))
			return true;
	return false;
}

/* The conduit that lets this packet pass until its end. */
static const struct model_conduit *ending(const struct model *m, const struct lapse *x)
{
	for (size_t i = 0; i < m->n_conduits; i++) {
		const struct model_conduit *c = &m->conduits[i];

		if (!leads_there(m, c, x->always) || !holds_addr(c->sources, c->n_sources, &x->source) ||
		    !holds_addr(c->destinations, c->n_destinations, &x->destination))
			continue;
		for (size_t k = 0; k < c->n_services; k++)
			for (size_t p = 0; p < c->services[k]->n_ports && as_much(c, c->services[k], x->service); p++) {
				struct number_range ports[2];
				uint8_t l4;
				size_t n = port_in_family(&c->services[k]->ports[p], x->source.family, &l4, ports);

				for (size_t q = 0; q < n; q++)
					if (l4 == x->l4proto && ports[q].lo <= x->port && x->port <= ports[q].hi)
						return c;
			}
	}
	return NULL;
}

/* Proves one service over one family and transport. *ret_any: something was asked. False: out of
 * memory or steps. */
static bool prove_part(const struct model *m, struct lapse *x, uint8_t family, uint8_t l4proto, uint64_t *steps,
		       bool *ret_any, bool *ret_lapsed)
{
	struct region r = { .a = arena_new(BUDGET) };
	struct found f = { .any = false };
	struct box_sink sink = { &f, piece };
	bool ok = r.a != NULL && lay_out(m, x->always, x->service, family, l4proto, &r);

	if (ok && r.n > 0) {
		*ret_any = true;
		ok = boxes_split(r.list, r.n, NULL, r.a, steps, &sink) || f.any;
	}
	if (ok && f.any) {
		*ret_lapsed = true;
		x->source = range_of_span(f.d[DIM_SOURCE], family).lo;
		x->destination = range_of_span(f.d[DIM_DESTINATION], family).lo;
		x->l4proto = l4proto;
		x->port = (uint16_t)f.d[DIM_PORT].lo;
		x->ends = ending(m, x);
	}
	arena_free(r.a);
	return ok;
}

/* Proves one service of a statement. *ret_lapsed is set if it does not hold; then `x` tells why.
 * False: out of memory or steps. */
static bool prove_service(const struct model *m, struct lapse *x, uint64_t *steps, bool *ret_lapsed)
{
	static const struct {
		uint8_t family, l4proto;
	} parts[] = { { 4, IPPROTO_TCP }, { 4, IPPROTO_UDP }, { 4, IPPROTO_ICMP },
		      { 6, IPPROTO_TCP }, { 6, IPPROTO_UDP }, { 6, IPPROTO_ICMPV6 } };
	bool any = false;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !*ret_lapsed; i++)
		if (!prove_part(m, x, parts[i].family, parts[i].l4proto, steps, &any, ret_lapsed))
			return false;
	if (!any) { /* the ends and the service have no address family in common */
		struct always_ends e = always_ends(x->always);

		*ret_lapsed = true;
		x->source = e.n_src > 0 ? e.src[0].lo : (struct addr){ .family = 4 };
		x->destination = e.n_dst > 0 ? e.dst[0].lo : (struct addr){ .family = 4 };
		x->l4proto = x->service->ports[0].l4proto;
		x->port = x->service->ports[0].lo;
	}
	return true;
}

size_t prove_always(const struct model *m, struct arena *a, struct lapse **ret)
{
	uint64_t steps = STEPS_MAX;
	size_t n = 0;

	*ret = arena_array(a, m->n_always, sizeof(**ret));
	for (size_t i = 0; *ret != NULL && i < m->n_always; i++) {
		const struct model_always *w = &m->always[i];
		bool lapsed = false;

		for (size_t s = 0; s < w->n_services && !lapsed; s++) {
			(*ret)[n] = (struct lapse){ .always = w, .service = w->services[s] };
			if (!prove_service(m, &(*ret)[n], &steps, &lapsed)) {
				arena_fail(a);
				return 0;
			}
		}
		n += lapsed;
	}
	return n;
}
