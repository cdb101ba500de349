/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs of `never`.
 *
 * direct: no conduit from -> to lets a packet with one of the named commands through.
 * chain:  no walk in the graph of zones from `from` ends in such a hop into `to`. Commands are tested on the last hop;
 *         any permission makes an earlier one.
 *
 * Every moment from now on counts: a conduit that ends one day passes traffic until then, one that has ended means nothing
 * any more. Where a stricter conduit ends before a laxer one on the same packets, what the laxer lets by afterwards counts
 * too; the layers of the cells are these intervals. An earlier hop may have ended by then: who went that way is there.
 *
 * What counts as carrying a command: rows by the functions that can pass them (a function counts for each of its classes,
 * and one without a name for all); a whole command protocol, and everything that cannot be read down to its commands, for
 * all. ICMP carries none, unless its service is a tunnel; it is still a permission, for earlier hops and for a `never` that
 * names no commands.
 *
 * What a conduit observes passes whatever its rows say, so it carries all commands. One that shadows allows nothing and
 * counts nowhere.
 *
 * A conduit that is `open` when its inspector is down or overloaded carries all commands in that time, one that holds carries
 * them in its live sessions, and one that picks sessions up in those that it met half-way, unless a stricter one shares the
 * cell. That is a site's own decision and no error, but a proof that kept it to itself would mislead: each statement that
 * holds is tried again with it.
 *
 * Walks go from zone to zone, not from host to host: hosts of one zone reach each other without passing the box, so that
 * whoever has reached one host of a zone can go on from any of them. A `chain_break` says of an asset that nobody goes on
 * from there. So a walk ends where a hop leads to nothing but broken assets; if the hop also leads to any other host of
 * that zone, the walk goes on, even when the next conduit starts at the broken asset alone, because the box does not see
 * what those hosts do to each other. The last hop is not a going on: a broken asset never excuses what reaches it. Nor
 * does it excuse a walk that starts in its zone.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/read/compilation.h"
#include "policy/space/cells.h"
#include "policy/space/prove.h"

/* What a `never` may name: each set of command words, and any permission at all. */
#define WANTS (CLASS_ALL + 2u)
#define WAYS 4u /* enum unattended */
#define UNASKED UINT32_MAX
#define NOBODY (UINT32_MAX - 1u)

/* All conduits from one zone to another, and what has been found out about them: every statement asks the same. */
struct hop {
	uint32_t from, to; /* zones */
	uint32_t first, n; /* in proof.sorted */
	uint32_t leads;	   /* the first by which a walk may go on, or one of the above */
	uint32_t *breaker; /* [WANTS * WAYS]: the first that carries what is forbidden; NULL = never asked */
};

struct proof {
	const struct model *m;
	struct arena *a;
	struct counterexample *list;
	size_t n, room;
	uint32_t *sorted; /* conduits by from, to, index */
	struct hop *hops; /* by from, then by their first conduit */
	size_t n_hops;
	uint32_t *first_hop;	   /* by zone; one more at the end */
	struct arena *scratch;	   /* of the cells, made when they are first asked */
	const struct cells *cells; /* NULL: not made yet, or too many */
	uint32_t *pair_at;	   /* by conduit: its first pair in the cells */
	uint32_t
		*decided[WAYS]; /* by pair: the first cell in which it passes the unjudged, + 1; NULL = not asked yet */
	enum unattended unattended; /* what is tried */
	const bool *breaks_off;	    /* by number: those that do not count; NULL = none */
};

/* In force now or later, and able to let anything through. */
static bool matters(const struct proof *p, const struct model_conduit *c)
{
	return !c->shadow && !conduit_past(c, p->m->now);
}

/* The first address of a network is nobody's; its second is a better example. */
static struct addr example_of(const struct addr_range *range)
{
	struct addr next;

	return addr_next(&range->lo, &next) && addr_cmp(&next, &range->hi) <= 0 ? next : range->lo;
}

/* Both ends of an example: two hosts, where the networks have two. */
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

/* A packet that a conduit passes, or false: lists of different families let nothing through. */
static bool packet_of(const struct model_conduit *c, const struct model_service *s, struct counterexample *ret)
{
	for (size_t p = 0; p < s->n_ports; p++)
		for (size_t i = 0; i < c->n_sources; i++)
			for (size_t k = 0; k < c->n_destinations; k++) {
				const struct addr_range *src = &c->sources[i], *dst = &c->destinations[k];
				struct number_range ports[2];

				if (src->lo.family != dst->lo.family ||
				    cell_ports(&s->ports[p], src->lo.family, &ret->l4proto, ports) == 0)
					continue;
				ends_of(src, dst, ret);
				ret->port = (uint16_t)ports[0].lo;
				return true;
			}
	return false;
}

static bool connected(const struct model_conduit *c)
{
	return c->from->n_interfaces > 0 && c->to->n_interfaces > 0;
}

/* Nothing but broken assets in this range. */
static bool all_broken(const struct proof *p, const struct addr_range *range)
{
	const struct model *m = p->m;
	struct addr at = range->lo;

	/* From the range's start, over one broken asset after the other, as far as they reach without a gap. */
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

/* Some packet crosses by this conduit to an address from where a walk may go on. */
static bool leads_on(const struct proof *p, const struct model_conduit *c)
{
	struct counterexample unused;

	for (size_t k = 0; k < c->n_destinations && connected(c) && matters(p, c); k++) {
		struct model_conduit one = *c;

		if (all_broken(p, &c->destinations[k]))
			continue;
		one.destinations = &c->destinations[k];
		one.n_destinations = 1;
		for (size_t s = 0; s < c->n_services; s++)
			if (packet_of(&one, c->services[s], &unused))
				return true;
	}
	return false;
}

/* A function code of these classes that the row lets through somewhere, or -1. */
static int function_in(const struct model_allow *row, const struct vocabulary *v, unsigned classes)
{
	struct row_reach reach = row_reach_of(row);

	for (int code = 1; code <= v->code_max; code++) {
		const struct function_info *f = function_by_code(v, (uint8_t)code);

		if (bit_test(row->functions, (uint8_t)code) && (f == NULL || (f->classes & classes) != 0) &&
		    function_within(v, (uint8_t)code, &reach))
			return code;
	}
	return -1;
}

static int any_function(const struct vocabulary *v, unsigned classes)
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
	diags_init(unsaid, p->scratch); /* what is wrong with the cells, lowering says */
	p->pair_at = arena_array(p->scratch, p->m->n_conduits + 1, sizeof(*p->pair_at));
	if (p->pair_at == NULL)
		return NULL;
	for (size_t i = 0; i < p->m->n_conduits; i++)
		p->pair_at[i + 1] = p->pair_at[i] + (uint32_t)p->m->conduits[i].n_services;
	if (cells_make(p->m, p->scratch, unsaid, cells))
		p->cells = cells;
	return p->cells;
}

/* Does this conduit pass what nobody has judged? */
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

/* Does the cell do what this conduit would do alone? Not where one that passes the unjudged meets a stricter one. */
static bool decides(const struct proof *p, const struct cells *cells, const struct interned *set)
{
	enum failure least = p->unattended == UNATTENDED_OPEN ? FAIL_OPEN : FAIL_HOLD;
	bool down = true, overloaded = true, picks_up = true;

	for (uint32_t i = 0; i < set->n; i++) {
		const struct model_conduit *other = &p->m->conduits[cells->pairs[set->values[i]].conduit];

		if (conduit_past(other, p->m->now))
			return false; /* a layer that is over */
		if (other->observe)
			continue;
		down = down && other->when_down >= least;
		overloaded = overloaded && other->when_overloaded >= least;
		picks_up = picks_up && other->when_midstream == MID_PICK_UP;
	}
	return p->unattended == UNATTENDED_PICK_UP ? picks_up : down || overloaded;
}

/* The first cell of each pair in which what is tried passes. */
static const uint32_t *decided(struct proof *p, const struct cells *cells)
{
	uint32_t **ret = &p->decided[p->unattended];

	if (*ret != NULL)
		return *ret;
	*ret = arena_array(p->scratch, cells->n_pairs + 1, sizeof(**ret));
	for (size_t i = 0; i < cells->n && *ret != NULL; i++) {
		const struct interned *set = &cells->sets[cells->list[i].set];

		if (!decides(p, cells, set))
			continue;
		for (uint32_t k = 0; k < set->n; k++)
			if ((*ret)[set->values[k]] == 0)
				(*ret)[set->values[k]] = (uint32_t)i + 1;
	}
	return *ret;
}

/* A packet that this conduit passes on its own account; `service` is the number of the service in it. */
static bool own_packet(struct proof *p, const struct model_conduit *c, size_t service, struct counterexample *ret)
{
	const struct cells *cells = ret->unattended != ATTENDED ? cells_of(p) : NULL;
	const uint32_t *first = cells != NULL ? decided(p, cells) : NULL;
	const struct cell *cell;
	uint32_t at;

	if (first == NULL)
		return packet_of(c, c->services[service], ret);
	at = first[p->pair_at[c->index] + service];
	if (at == 0)
		return false;
	cell = &cells->list[at - 1];
	ends_of(&cell->src, &cell->dst, ret);
	ret->l4proto = cell->l4proto;
	ret->port = cell->lo;
	return true;
}

/* Does this service carry what the statement forbids? ret->function: a code, or -1 for anything. */
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
		ret->function = function_in(&s->allows[i], v, never->classes);
		if (ret->function >= 0)
			return true;
	}
	ret->observed = c->observe;
	if (!c->observe && passes_unjudged(p->unattended, c))
		ret->unattended = p->unattended;
	ret->function = any_function(v, never->classes);
	return ret->observed || ret->unattended != ATTENDED;
}

/* The forbidden packet of a last hop by this conduit. */
static bool breaks(struct proof *p, const struct model_conduit *c, const struct model_never *never,
		   struct counterexample *ret)
{
	if (c->to != never->to || !connected(c) || !matters(p, c))
		return false;
	for (size_t s = 0; s < c->n_services; s++) {
		if (!carries(p, c, c->services[s], never, ret) || !own_packet(p, c, s, ret))
			continue;
		ret->service = c->services[s];
		return true;
	}
	return false;
}

static bool add(struct proof *p, const struct model_never *never, const struct model_conduit *const *via,
		const struct model_conduit *last, struct counterexample *x)
{
	struct counterexample *slot = arena_grow(p->a, (void **)&p->list, &p->n, &p->room, sizeof(*slot));
	const struct model_zone *z;
	size_t n = 1;

	if (slot == NULL)
		return false;
	for (z = last->from; via[z->index] != NULL; z = via[z->index]->from)
		n++;
	x->never = never;
	x->n_hops = n;
	x->hops = arena_array(p->a, n, sizeof(struct model_conduit *));
	if (x->hops == NULL)
		return false;
	x->hops[--n] = last;
	for (z = last->from; via[z->index] != NULL; z = via[z->index]->from)
		x->hops[--n] = via[z->index];
	*slot = *x;
	return true;
}

/* ---- walks ----------------------------------------------------------------------------------------------------------- */

static int by_ends(const void *pa, const void *pb, void *ctx)
{
	const struct model *m = ctx;
	const struct model_conduit *a = &m->conduits[*(const uint32_t *)pa], *b = &m->conduits[*(const uint32_t *)pb];

	if (a->from->index != b->from->index)
		return a->from->index < b->from->index ? -1 : 1;
	if (a->to->index != b->to->index)
		return a->to->index < b->to->index ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

static int by_first(const void *pa, const void *pb, void *ctx)
{
	const struct hop *a = pa, *b = pb;
	const uint32_t *sorted = ctx;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (sorted[a->first] > sorted[b->first]) - (sorted[a->first] < sorted[b->first]);
}

static bool proof_begin(struct proof *p, const struct model *m, struct arena *a)
{
	uint32_t n = 0, zone = 0;

	*p = (struct proof){ .m = m, .a = a };
	p->sorted = arena_array(a, m->n_conduits + 1, sizeof(*p->sorted));
	p->hops = arena_array(a, m->n_conduits + 1, sizeof(*p->hops));
	p->first_hop = arena_array(a, m->n_zones + 1, sizeof(*p->first_hop));
	if (p->sorted == NULL || p->hops == NULL || p->first_hop == NULL)
		return false;
	for (size_t i = 0; i < m->n_conduits; i++)
		if (matters(p, &m->conduits[i]) && connected(&m->conduits[i]))
			p->sorted[n++] = (uint32_t)i;
	if (n > 1)
		qsort_r(p->sorted, n, sizeof(*p->sorted), by_ends, (void *)(uintptr_t)m);
	for (uint32_t i = 0; i < n; i++) {
		const struct model_conduit *c = &m->conduits[p->sorted[i]];
		struct hop *h = p->n_hops > 0 ? &p->hops[p->n_hops - 1] : NULL;

		if (h == NULL || h->from != c->from->index || h->to != c->to->index) {
			h = &p->hops[p->n_hops++];
			*h = (struct hop){ c->from->index, c->to->index, i, 0, UNASKED, NULL };
		}
		h->n++;
	}
	if (p->n_hops > 1)
		qsort_r(p->hops, p->n_hops, sizeof(*p->hops), by_first, p->sorted);
	for (uint32_t i = 0; i < p->n_hops; i++)
		while (zone <= p->hops[i].from)
			p->first_hop[zone++] = i;
	while (zone <= m->n_zones)
		p->first_hop[zone++] = (uint32_t)p->n_hops;
	return true;
}

/* The first conduit of this hop by which a walk may go on. */
static const struct model_conduit *leading(struct proof *p, struct hop *h)
{
	if (h->leads == UNASKED) {
		h->leads = NOBODY;
		for (uint32_t i = 0; i < h->n && h->leads == NOBODY; i++)
			if (leads_on(p, &p->m->conduits[p->sorted[h->first + i]]))
				h->leads = p->sorted[h->first + i];
	}
	return h->leads == NOBODY ? NULL : &p->m->conduits[h->leads];
}

/* The first conduit of this hop that carries what the statement forbids, with the packet. */
static const struct model_conduit *breaking(struct proof *p, struct hop *h, const struct model_never *never,
					    struct counterexample *x)
{
	uint32_t want = never->all_commands ? WANTS - 1 : never->classes & CLASS_ALL, *known;

	if (h->breaker == NULL) {
		h->breaker = arena_array(p->a, (size_t)WANTS * WAYS, sizeof(*h->breaker));
		for (uint32_t i = 0; h->breaker != NULL && i < WANTS * WAYS; i++)
			h->breaker[i] = UNASKED;
	}
	if (h->breaker == NULL)
		return NULL;
	known = &h->breaker[want * WAYS + p->unattended];
	if (*known == UNASKED) {
		*known = NOBODY;
		for (uint32_t i = 0; i < h->n && *known == NOBODY; i++)
			if (breaks(p, &p->m->conduits[p->sorted[h->first + i]], never, x))
				*known = p->sorted[h->first + i];
	}
	/* What was found for another statement is found again, with its packet. */
	return *known != NOBODY && breaks(p, &p->m->conduits[*known], never, x) ? &p->m->conduits[*known] : NULL;
}

/* True: it holds. Breadth first, so that the shortest chain is told. via[zone] = the conduit by which the walk came; NULL at
 * the start. */
static bool holds(struct proof *p, const struct model_never *never)
{
	const struct model_conduit **via = arena_array(p->a, p->m->n_zones, sizeof(struct model_conduit *));
	uint32_t *queue = arena_array(p->a, p->m->n_zones, sizeof(*queue));
	struct counterexample x = { 0 };
	size_t n = 0;

	if (via == NULL || queue == NULL)
		return true;
	queue[n++] = never->from->index;
	for (size_t at = 0; at < n; at++) {
		uint32_t first = p->first_hop[queue[at]], end = p->first_hop[queue[at] + 1];

		for (uint32_t i = first; i < end; i++) {
			const struct model_conduit *c =
				p->hops[i].to == never->to->index ? breaking(p, &p->hops[i], never, &x) : NULL;

			if (c != NULL) {
				add(p, never, via, c, &x);
				return false;
			}
		}
		for (uint32_t i = first; i < end && never->chain; i++) {
			struct hop *h = &p->hops[i];
			const struct model_conduit *c;

			if (h->to == never->from->index || via[h->to] != NULL)
				continue;
			c = leading(p, h);
			if (c == NULL)
				continue;
			via[h->to] = c;
			queue[n++] = h->to;
		}
	}
	return true;
}

size_t prove_nevers(const struct model *m, struct arena *a, struct counterexample **ret)
{
	struct proof p;

	*ret = NULL;
	if (!proof_begin(&p, m, a))
		return 0;
	for (size_t i = 0; i < m->n_nevers; i++) {
		const struct model_never *never = &m->nevers[i];

		p.unattended = ATTENDED;
		if (!holds(&p, never))
			continue;
		/* What is open passes live sessions as well: that need not be said twice. */
		p.unattended = UNATTENDED_OPEN;
		if (holds(&p, never)) {
			p.unattended = UNATTENDED_HOLD;
			(void)holds(&p, never);
		}
		p.unattended = UNATTENDED_PICK_UP;
		(void)holds(&p, never);
	}
	arena_free(p.scratch);
	*ret = p.list;
	return p.n;
}

/* Where walks go on hangs on the breaks. */
static void ask_again(struct proof *p)
{
	for (size_t i = 0; i < p->n_hops; i++)
		p->hops[i].leads = UNASKED;
}

size_t prove_rests_on(const struct model *m, const struct model_never *never, struct arena *a,
		      const struct model_chain_break ***ret)
{
	bool *off = arena_array(a, m->n_breaks, sizeof(*off));
	struct proof p;
	size_t n = 0;

	*ret = arena_array(a, m->n_breaks, sizeof(struct model_chain_break *));
	if (!never->chain || m->n_breaks == 0 || off == NULL || *ret == NULL || !proof_begin(&p, m, a))
		return 0;
	p.breaks_off = off;
	/* All off; then one after the other on again, as long as the statement does not hold by the others alone. */
	for (size_t i = 0; i < m->n_breaks; i++)
		off[i] = true;
	if (holds(&p, never))
		return 0;
	for (size_t i = 0; i < m->n_breaks; i++)
		off[i] = false;
	for (size_t i = 0; i < m->n_breaks; i++) {
		off[i] = true;
		ask_again(&p);
		if (!holds(&p, never)) {
			off[i] = false;
			(*ret)[n++] = &m->breaks[i];
		}
	}
	return n;
}

bool prove_is_vacuous(const struct model_never *never)
{
	return never->from->self || never->to->self || never->from->n_interfaces == 0 || never->to->n_interfaces == 0;
}
