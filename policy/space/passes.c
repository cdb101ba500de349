/* SPDX-License-Identifier: Apache-2.0 */
/* What one conduit lets pass, as the head of prove.c defines it: packets, commands, and what passes
 * while nobody judges. */
#include <string.h>

#include "appliance/wire/evaluate.h"
#include "policy/check/port.h"
#include "policy/read/compilation.h"
#include "policy/space/passes.h"

/* Whether the conduit is not open now and will not be later, even if its door is opened. */
static bool never_comes(const struct model *m, const struct model_conduit *c)
{
	struct times t = conduit_times(c);
	uint64_t end, next;

	t.door = NULL;
	return !times_hold(&t, &m->zone, m->now, &end, &next) && next == 0;
}

bool conduit_matters(const struct proof *p, const struct model_conduit *c)
{
	return !c->shadow && !never_comes(p->m, c) && c->from->n_interfaces > 0 && c->to->n_interfaces > 0;
}

/* The second address of the range, if there is one: the first address of a network belongs to no
 * host. */
static struct addr example_of(const struct addr_range *range)
{
	struct addr next;

	return addr_next(&range->lo, &next) && addr_cmp(&next, &range->hi) <= 0 ? next : range->lo;
}

/* Chooses the two ends of an example: two different hosts, if the ranges have two. */
static void ends_of(const struct addr_range *src, const struct addr_range *dst, struct counterexample *ret)
{
	struct addr other;

	ret->source = example_of(src);
	ret->destination = example_of(dst);
	if (addr_cmp(&ret->source, &ret->destination) != 0)
		return;
	if (addr_next(&ret->destination, &other) && addr_cmp(&other, &dst->hi) <= 0)
		ret->destination = other;
	else if (addr_next(&ret->source, &other) && addr_cmp(&other, &src->hi) <= 0)
		ret->source = other;
	else if (addr_cmp(&dst->lo, &ret->destination) != 0)
		ret->destination = dst->lo;
	else
		ret->source = src->lo;
}

/* The first part of this range that the statement is about; false: none. */
static bool hosts_clip(const struct model_hosts *h, const struct addr_range *range, struct addr_range *ret)
{
	size_t lo = 0, hi = h->n;

	*ret = *range;
	if (h->n == 0)
		return true;
	/* Finds the first range that ends at or behind the start of this one. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr_cmp(&h->ranges[mid].hi, &range->lo) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == h->n || addr_cmp(&h->ranges[lo].lo, &range->hi) > 0)
		return false;
	if (addr_cmp(&h->ranges[lo].lo, &range->lo) > 0)
		ret->lo = h->ranges[lo].lo;
	if (addr_cmp(&h->ranges[lo].hi, &range->hi) < 0)
		ret->hi = h->ranges[lo].hi;
	return true;
}

/* A packet that the conduit lets pass between hosts of the statement (NULL: any). False: none,
 * because the address families differ. */
static bool packet_of(const struct model_conduit *c, const struct model_service *s, const struct model_never *never,
		      struct counterexample *ret)
{
	for (size_t p = 0; p < s->n_ports; p++)
		for (size_t i = 0; i < c->n_sources; i++)
			for (size_t k = 0; k < c->n_destinations; k++) {
				struct addr_range src = c->sources[i], dst = c->destinations[k];
				struct number_range ports[2];

				if (src.lo.family != dst.lo.family ||
				    port_in_family(&s->ports[p], src.lo.family, &ret->l4proto, ports) == 0)
					continue;
				if (never != NULL && (!hosts_clip(&never->sources, &c->sources[i], &src) ||
						      !hosts_clip(&never->destinations, &c->destinations[k], &dst)))
					continue;
				ends_of(&src, &dst, ret);
				ret->port = (uint16_t)ports[0].lo;
				return true;
			}
	return false;
}

/* Whether the range holds only assets with a chain_break. */
static bool all_broken(const struct proof *p, const struct addr_range *range)
{
	const struct model *m = p->m;
	struct addr at = range->lo;

	/* From the range's start through adjoining assets with a chain_break, as far as they
	 * reach. */
	for (bool covered = true; covered;) {
		covered = false;
		for (size_t b = 0; b < m->n_breaks && !covered; b++)
			for (size_t r = 0; r < m->breaks[b].asset->n_ranges && !covered; r++) {
				const struct addr_range *x = &m->breaks[b].asset->ranges[r];

				if (p->breaks_off != NULL && p->breaks_off[b])
					break;
				covered = addr_in(&at, x);
				if (covered && (addr_cmp(&x->hi, &range->hi) >= 0 || !addr_next(&x->hi, &at)))
					return true;
			}
	}
	return false;
}

/*
 * Whether hosts only give answers over this service of the conduit. False if other traffic may pass
 * on its ports, because the conduit observes, or because it is `open` while the inspector is down
 * or overloaded.
 */
static bool only_answers(const struct proof *p, const struct model_conduit *c, const struct model_service *s)
{
	const struct model_never *never = p->asked;
	bool open = c->when_down == FAIL_OPEN || c->when_overloaded == FAIL_OPEN;

	if (never == NULL || c->observe || (open && protocol_info(s->protocol)->depth != DEPTH_TRANSPORT))
		return false;
	for (size_t i = 0; i < never->n_answers; i++)
		if (never->answers[i] == s && (p->answers_off == NULL || !p->answers_off[i]))
			return true;
	return false;
}

bool conduit_leads_on(const struct proof *p, const struct model_conduit *c)
{
	struct counterexample unused;

	for (size_t k = 0; k < c->n_destinations && conduit_matters(p, c); k++) {
		struct model_conduit one = *c;

		if (all_broken(p, &c->destinations[k]))
			continue;
		one.destinations = &c->destinations[k];
		one.n_destinations = 1;
		for (size_t s = 0; s < c->n_services; s++)
			if (!only_answers(p, c, c->services[s]) && packet_of(&one, c->services[s], NULL, &unused))
				return true;
	}
	return false;
}

static int64_t any_function(const struct vocabulary *v, unsigned classes)
{
	for (unsigned i = 0; i < v->n_functions; i++)
		if ((v->functions[i].classes & classes) != 0)
			return v->functions[i].code;
	return -1;
}

static const struct cells *cells_of(struct proof *p)
{
	struct cells *cells;
	struct diags *unsaid;

	if (p->scratch != NULL)
		return p->cells;
	p->scratch = arena_new(COMPILE_BUDGET);
	if (p->scratch == NULL)
		return NULL;
	cells = arena_alloc(p->scratch, sizeof(*cells));
	unsaid = arena_alloc(p->scratch, sizeof(*unsaid));
	if (cells == NULL || unsaid == NULL)
		return NULL;
	diags_init(unsaid, p->scratch); /* lowering reports errors of the cells */
	p->pair_at = arena_array(p->scratch, p->m->n_conduits + 1, sizeof(*p->pair_at));
	if (p->pair_at == NULL)
		return NULL;
	for (size_t i = 0; i < p->m->n_conduits; i++)
		p->pair_at[i + 1] = p->pair_at[i] + (uint32_t)p->m->conduits[i].n_services;
	if (cells_make(p->m, CELLS_APART, p->scratch, unsaid, cells))
		p->cells = cells;
	return p->cells;
}

/* Whether the conduit lets unjudged packets pass. */
static bool passes_unjudged(enum unattended u, const struct model_conduit *c)
{
	switch (u) {
	case UNATTENDED_OPEN:
		return c->when_down == FAIL_OPEN || c->when_overloaded == FAIL_OPEN;
	case UNATTENDED_HOLD:
		return c->when_down != FAIL_CLOSED || c->when_overloaded != FAIL_CLOSED;
	case UNATTENDED_PICK_UP:
		return c->when_midstream == MID_PICK_UP;
	case ATTENDED:
		break;
	}
	return false;
}

/* Whether unjudged packets pass in a cell with this set of conduits. They do not if one of its
 * conduits is stricter. */
static bool decides(const struct proof *p, const struct cells *cells, const struct interned *set)
{
	enum failure least = p->unattended == UNATTENDED_OPEN ? FAIL_OPEN : FAIL_HOLD;
	bool down = true, overloaded = true, picks_up = true;

	for (uint32_t i = 0; i < set->n; i++) {
		const struct model_conduit *other = &p->m->conduits[cells->pairs[set->values[i]].conduit];

		if (conduit_past(other, p->m->now))
			return false; /* a layer that has ended */
		if (other->observe)
			continue;
		down = down && other->when_down >= least;
		overloaded = overloaded && other->when_overloaded >= least;
		picks_up = picks_up && other->when_midstream == MID_PICK_UP;
	}
	return p->unattended == UNATTENDED_PICK_UP ? picks_up : down || overloaded;
}

/* For each pair, the first cell (its index + 1) in which unjudged packets between hosts of the
 * statement pass; 0 = none. */
static const uint32_t *decided(struct proof *p, const struct cells *cells, const struct model_never *never)
{
	uint32_t **ret = never_of_hosts(never) ? &p->decided_hosts : &p->decided[p->unattended];
	struct addr_range unused;

	if (*ret != NULL && (!never_of_hosts(never) || (p->hosts_of == never && p->hosts_way == p->unattended)))
		return *ret;
	if (*ret == NULL)
		*ret = arena_array(p->scratch, cells->n_pairs + 1, sizeof(**ret));
	else
		memset(*ret, 0, (cells->n_pairs + 1) * sizeof(**ret));
	if (never_of_hosts(never)) {
		p->hosts_of = never;
		p->hosts_way = p->unattended;
	}
	for (size_t i = 0; i < cells->n && *ret != NULL; i++) {
		const struct cell *cell = &cells->list[i];
		const struct interned *set = &cells->sets[cell->set];

		if (!hosts_clip(&never->sources, &cell->src, &unused) ||
		    !hosts_clip(&never->destinations, &cell->dst, &unused) || !decides(p, cells, set))
			continue;
		for (uint32_t k = 0; k < set->n; k++)
			if ((*ret)[set->values[k]] == 0)
				(*ret)[set->values[k]] = (uint32_t)i + 1;
	}
	return *ret;
}

/* A packet that this conduit alone lets pass; `service` is the index of its service. */
static bool own_packet(struct proof *p, const struct model_conduit *c, size_t service, const struct model_never *never,
		       struct counterexample *ret)
{
	const struct cells *cells = ret->unattended != ATTENDED ? cells_of(p) : NULL;
	const uint32_t *first = cells != NULL ? decided(p, cells, never) : NULL;
	struct addr_range src, dst;
	const struct cell *cell;
	uint32_t at;

	if (first == NULL)
		return packet_of(c, c->services[service], never, ret);
	at = first[p->pair_at[c->index] + service];
	if (at == 0)
		return false;
	cell = &cells->list[at - 1];
	if (!hosts_clip(&never->sources, &cell->src, &src) || !hosts_clip(&never->destinations, &cell->dst, &dst))
		return false;
	ends_of(&src, &dst, ret);
	ret->l4proto = cell->l4proto;
	ret->port = cell->lo;
	return true;
}

/* Whether this service carries what the statement forbids. ret->function: a code, or -1 for any. */
static bool carries(const struct proof *p, const struct model_conduit *c, const struct model_service *s,
		    const struct model_never *never, struct counterexample *ret)
{
	const struct vocabulary *v = vocabulary_of(s->protocol);

	ret->function = -1;
	ret->observed = false;
	ret->unattended = ATTENDED;
	if (never->all_commands || s->tunnel)
		return true;
	if (s->protocol == PROTO_ICMP)
		return false;
	if (v == NULL)
		return true;
	if (s->whole) {
		ret->function = any_function(v, never->classes);
		return true;
	}
	for (size_t i = 0; i < s->n_allows; i++) {
		uint32_t code;

		if (!evaluate_passes(&p->m->rows.t, &s->allows[i].row, v, (struct number_range){ 0, UINT32_MAX },
				     never->classes, &code))
			continue;
		ret->function = code;
		return true;
	}
	ret->observed = c->observe;
	if (!c->observe && passes_unjudged(p->unattended, c))
		ret->unattended = p->unattended;
	ret->function = any_function(v, never->classes);
	return ret->observed || ret->unattended != ATTENDED;
}

bool conduit_breaks(struct proof *p, const struct model_conduit *c, const struct model_never *never,
		    struct counterexample *ret)
{
	if (c->to != never->to || !conduit_matters(p, c))
		return false;
	for (size_t s = 0; s < c->n_services; s++) {
		if (!carries(p, c, c->services[s], never, ret) || !own_packet(p, c, s, never, ret))
			continue;
		ret->service = c->services[s];
		return true;
	}
	return false;
}
