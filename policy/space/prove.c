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
#include <string.h>

#include "policy/read/compilation.h"
#include "policy/space/cells.h"
#include "policy/space/prove.h"

struct proof {
	const struct model *m;
	struct arena *a;
	struct counterexample *list;
	size_t n, room;
	struct arena *scratch;	    /* of the cells, made when they are first asked */
	const struct cells *cells;  /* NULL: not made yet, or too many */
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
	if (cells_make(p->m, p->scratch, unsaid, cells))
		p->cells = cells;
	return p->cells;
}

/* Is this pair part of the cell? */
static bool has_pair(const struct cells *cells, const struct interned *set, const struct model_conduit *c,
		     const struct model_service *s)
{
	for (uint32_t i = 0; i < set->n; i++) {
		const struct cell_pair *pair = &cells->pairs[set->values[i]];

		if (pair->conduit == c->index && pair->service == s)
			return true;
	}
	return false;
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

/* A packet that this conduit passes on its own account. */
static bool own_packet(struct proof *p, const struct model_conduit *c, const struct model_service *s,
		       struct counterexample *ret)
{
	const struct cells *cells = ret->unattended != ATTENDED ? cells_of(p) : NULL;

	if (cells == NULL)
		return packet_of(c, s, ret);
	for (size_t i = 0; i < cells->n; i++) {
		const struct cell *cell = &cells->list[i];
		const struct interned *set = &cells->sets[cell->set];

		if (!has_pair(cells, set, c, s) || !decides(p, cells, set))
			continue;
		ends_of(&cell->src, &cell->dst, ret);
		ret->l4proto = cell->l4proto;
		ret->port = cell->lo;
		return true;
	}
	return false;
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
		if (!carries(p, c, c->services[s], never, ret) || !own_packet(p, c, c->services[s], ret))
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

/* True: it holds. Breadth first, so that the shortest chain is told. via[zone] = the conduit by which the walk came; NULL at
 * the start. */
static bool holds(struct proof *p, const struct model_never *never)
{
	const struct model_conduit **via = arena_array(p->a, p->m->n_zones, sizeof(struct model_conduit *));
	const struct model_zone **queue = arena_array(p->a, p->m->n_zones, sizeof(struct model_zone *));
	struct counterexample x = { 0 };
	size_t n = 0;

	if (via == NULL || queue == NULL)
		return true;
	queue[n++] = never->from;
	for (size_t at = 0; at < n; at++) {
		for (size_t i = 0; i < p->m->n_conduits; i++) {
			const struct model_conduit *c = &p->m->conduits[i];

			if (c->from == queue[at] && breaks(p, c, never, &x)) {
				add(p, never, via, c, &x);
				return false;
			}
		}
		for (size_t i = 0; i < p->m->n_conduits && never->chain; i++) {
			const struct model_conduit *c = &p->m->conduits[i];

			if (c->from != queue[at] || c->to == never->from || via[c->to->index] != NULL ||
			    !leads_on(p, c))
				continue;
			via[c->to->index] = c;
			queue[n++] = c->to;
		}
	}
	return true;
}

size_t prove_nevers(const struct model *m, struct arena *a, struct counterexample **ret)
{
	struct proof p = { .m = m, .a = a };

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

size_t prove_rests_on(const struct model *m, const struct model_never *never, struct arena *a,
		      const struct model_chain_break ***ret)
{
	bool *off = arena_array(a, m->n_breaks, sizeof(*off));
	struct proof p = { .m = m, .a = a, .breaks_off = off };
	size_t n = 0;

	*ret = arena_array(a, m->n_breaks, sizeof(struct model_chain_break *));
	if (!never->chain || off == NULL || *ret == NULL)
		return 0;
	/* All off; then one after the other on again, as long as the statement does not hold by the others alone. */
	for (size_t i = 0; i < m->n_breaks; i++)
		off[i] = true;
	if (holds(&p, never))
		return 0;
	for (size_t i = 0; i < m->n_breaks; i++)
		off[i] = false;
	for (size_t i = 0; i < m->n_breaks; i++) {
		off[i] = true;
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
