/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs of `never`.
 *
 * A `direct` statement holds if no conduit from `from` to `to` lets a packet with one of the named
 * commands pass.
 *
 * A `chain` statement holds if no walk in the graph of zones that begins at `from` ends with such a
 * hop into `to`. Only on the last hop it matters which commands pass. For an earlier hop it is
 * enough that its conduit lets anything pass.
 *
 * Every time from now on counts. A conduit that ends one day passes traffic until then; one that
 * has ended does not count. Where a stricter conduit ends before a laxer one on the same packets,
 * what the laxer one lets pass afterwards counts too; each layer of the cells is one such period.
 * An earlier hop of a walk may have ended by then, because an attacker may have used it before.
 *
 * Which commands a service carries: with rows, those of the functions that can pass the rows. (A
 * function counts for each of its classes; a function without a name counts for all classes.) A
 * service that allows a whole command protocol, or whose commands cannot be read, carries all. ICMP
 * carries none, unless its service is a tunnel; it still counts for earlier hops, and for a `never`
 * without commands.
 *
 * An observed conduit lets everything pass whatever its rows say, so it carries all commands. A
 * shadow allows nothing and does not count.
 *
 * While the inspector is down or overloaded, an `open` conduit carries all commands, and a `hold`
 * conduit carries them in its live sessions. A conduit that picks up sessions carries all commands
 * in sessions that were picked up half-way. A stricter conduit on the same cell prevents all of
 * this. Such settings are the site's decision and no error, but a proof must mention what they let
 * pass. So each statement that holds is tried again with unjudged traffic.
 *
 * `answer_only` of a statement lists services over which a host only gives answers, and cannot be
 * used to go on. So a walk continues over a conduit only if the conduit allows something else.
 *
 * A statement may be about assets: then the last hop reaches one of them, and a direct one also
 * begins at one. A chain begins anywhere in the zone and continues from anywhere, for the following
 * reason.
 *
 * Walks go from zone to zone, not from host to host: hosts of one zone reach each other without
 * passing the box, so whoever has reached one host can continue from any of them. A `chain_break`
 * says that nobody continues from that asset. So a walk ends where a hop leads only to such assets.
 * If the hop also leads to another host of that zone the walk continues, even when the next conduit
 * starts at the asset with the chain_break alone, because the box does not see what those hosts do
 * to each other. A chain_break does not excuse a last hop that reaches the asset, nor a walk that
 * starts in its zone.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/read/compilation.h"
#include "policy/space/passes.h"

static bool add_counterexample(struct proof *p, const struct model_never *never, const struct model_conduit *const *via,
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

/* Allocates the memory that a proof needs for any statement. */
static bool proof_room(struct proof *p, const struct model *m, struct arena *a)
{
	*p = (struct proof){ .m = m, .a = a, .work = arena_new(COMPILE_BUDGET) };
	if (p->work == NULL)
		return false;
	p->sorted = arena_array(p->work, m->n_conduits + 1, sizeof(*p->sorted));
	p->hops = arena_array(p->work, m->n_conduits + 1, sizeof(*p->hops));
	p->first_hop = arena_array(p->work, m->n_zones + 1, sizeof(*p->first_hop));
	p->via = arena_array(p->work, m->n_zones, sizeof(struct model_conduit *));
	p->queue = arena_array(p->work, m->n_zones, sizeof(*p->queue));
	return !arena_failed(p->work);
}

void proof_end(struct proof *p, struct arena *a)
{
	if (p->work == NULL || arena_failed(p->work))
		arena_fail(a);
	arena_free(p->work);
	arena_free(p->scratch);
}

bool proof_begin(struct proof *p, const struct model *m, struct arena *a)
{
	uint32_t n = 0, zone = 0;

	if (!proof_room(p, m, a))
		return false;
	for (size_t i = 0; i < m->n_conduits; i++)
		if (conduit_matters(p, &m->conduits[i]))
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

const struct model_conduit *hop_leading(struct proof *p, struct hop *h)
{
	if (h->leads == UNASKED) {
		h->leads = NOBODY;
		for (uint32_t i = 0; i < h->n && h->leads == NOBODY; i++)
			if (conduit_leads_on(p, &p->m->conduits[p->sorted[h->first + i]]))
				h->leads = p->sorted[h->first + i];
	}
	return h->leads == NOBODY ? NULL : &p->m->conduits[h->leads];
}

/* The first conduit of this hop that carries what the statement forbids, with the packet. */
static const struct model_conduit *breaking(struct proof *p, struct hop *h, const struct model_never *never,
					    struct counterexample *x)
{
	uint32_t want = never->all_commands ? WANTS - 1 : never->classes & CLASS_ALL, *known;

	if (never_of_hosts(never)) {
		for (uint32_t i = 0; i < h->n; i++)
			if (conduit_breaks(p, &p->m->conduits[p->sorted[h->first + i]], never, x))
				return &p->m->conduits[p->sorted[h->first + i]];
		return NULL;
	}
	if (h->breaker == NULL) {
		h->breaker = arena_array(p->work, (size_t)WANTS * WAYS, sizeof(*h->breaker));
		for (uint32_t i = 0; h->breaker != NULL && i < WANTS * WAYS; i++)
			h->breaker[i] = UNASKED;
	}
	if (h->breaker == NULL)
		return NULL;
	known = &h->breaker[want * WAYS + p->unattended];
	if (*known == UNASKED) {
		*known = NOBODY;
		for (uint32_t i = 0; i < h->n && *known == NOBODY; i++)
			if (conduit_breaks(p, &p->m->conduits[p->sorted[h->first + i]], never, x))
				*known = p->sorted[h->first + i];
	}
	/* A conduit that was found for another statement is tested again, to get the packet. */
	return *known != NOBODY && conduit_breaks(p, &p->m->conduits[*known], never, x) ? &p->m->conduits[*known]
											: NULL;
}

/* Where walks continue depends on chain_breaks and answer_only. */
static void ask_again(struct proof *p)
{
	for (size_t i = 0; i < p->n_hops; i++)
		p->hops[i].leads = UNASKED;
}

/* True: the statement holds. Breadth first, so that the shortest chain is reported. via[zone]: the
 * conduit through which the walk came; NULL at the start. */
static bool holds(struct proof *p, const struct model_never *never)
{
	const struct model_conduit **via = p->via;
	uint32_t *queue = p->queue;
	struct counterexample x = { 0 };
	size_t n = 0;

	if (p->asked != never && (never->n_answers > 0 || (p->asked != NULL && p->asked->n_answers > 0)))
		ask_again(p);
	p->asked = never;
	memset(via, 0, p->m->n_zones * sizeof(struct model_conduit *));
	queue[n++] = never->from->index;
	for (size_t at = 0; at < n; at++) {
		uint32_t first = p->first_hop[queue[at]], end = p->first_hop[queue[at] + 1];

		for (uint32_t i = first; i < end; i++) {
			const struct model_conduit *c =
				p->hops[i].to == never->to->index ? breaking(p, &p->hops[i], never, &x) : NULL;

			if (c != NULL) {
				add_counterexample(p, never, via, c, &x);
				return false;
			}
		}
		for (uint32_t i = first; i < end && never->chain; i++) {
			struct hop *h = &p->hops[i];
			const struct model_conduit *c;

			if (h->to == never->from->index || via[h->to] != NULL)
				continue;
			c = hop_leading(p, h);
			if (c == NULL)
				continue;
			via[h->to] = c;
			queue[n++] = h->to;
		}
	}
	return true;
}

static void prove_one(struct proof *p, const struct model_never *never)
{
	p->unattended = ATTENDED;
	if (!holds(p, never))
		return;
	/* Conduits that fail open also pass what `hold` passes. So a statement that fails with
	 * `open` would only fail again with `hold`. */
	p->unattended = UNATTENDED_OPEN;
	if (holds(p, never)) {
		p->unattended = UNATTENDED_HOLD;
		(void)holds(p, never);
	}
	p->unattended = UNATTENDED_PICK_UP;
	(void)holds(p, never);
}

size_t prove_nevers(const struct model *m, struct arena *a, struct counterexample **ret)
{
	struct proof p;

	*ret = NULL;
	if (proof_begin(&p, m, a))
		for (size_t i = 0; i < m->n_nevers; i++)
			prove_one(&p, &m->nevers[i]);
	proof_end(&p, a);
	*ret = p.list;
	return p.n;
}

/*
 * Finds which of n excuses (chain_breaks, or services of answer_only) a statement needs. It needs
 * none if it holds with all of them off. Otherwise each is turned off in turn, and on again if the
 * statement fails without it. Returns how many it needs; *ret has their numbers, in the proof's
 * memory. `off`: where the proof looks up which excuses are off.
 */
static size_t rests_on(struct proof *p, const struct model_never *never, const bool **off, size_t n, size_t **ret)
{
	bool *ignored = arena_array(p->work, n, sizeof(*ignored));
	size_t found = 0;

	*ret = arena_array(p->work, n, sizeof(**ret));
	if (ignored == NULL || *ret == NULL)
		return 0;
	p->a = p->work; /* the counterexample itself is not needed */
	*off = ignored;
	memset(ignored, true, n);
	if (holds(p, never))
		return 0;
	memset(ignored, false, n);
	for (size_t i = 0; i < n; i++) {
		ignored[i] = true;
		ask_again(p);
		if (!holds(p, never)) {
			ignored[i] = false;
			(*ret)[found++] = i;
		}
	}
	return found;
}

size_t prove_rests_on(const struct model *m, const struct model_never *never, struct arena *a,
		      const struct model_chain_break ***ret)
{
	size_t *needed, n;
	struct proof p;

	*ret = NULL;
	if (!never->chain || m->n_breaks == 0)
		return 0;
	n = proof_begin(&p, m, a) ? rests_on(&p, never, &p.breaks_off, m->n_breaks, &needed) : 0;
	*ret = arena_array(a, n, sizeof(struct model_chain_break *));
	for (size_t i = 0; i < n && *ret != NULL; i++)
		(*ret)[i] = &m->breaks[needed[i]];
	proof_end(&p, a);
	return *ret != NULL ? n : 0;
}

size_t prove_rests_on_answers(const struct model *m, const struct model_never *never, struct arena *a,
			      const struct model_service ***ret)
{
	size_t *needed, n;
	struct proof p;

	*ret = NULL;
	if (!never->chain || never->n_answers == 0)
		return 0;
	n = proof_begin(&p, m, a) ? rests_on(&p, never, &p.answers_off, never->n_answers, &needed) : 0;
	*ret = arena_array(a, n, sizeof(struct model_service *));
	for (size_t i = 0; i < n && *ret != NULL; i++)
		(*ret)[i] = never->answers[needed[i]];
	proof_end(&p, a);
	return *ret != NULL ? n : 0;
}

bool prove_is_vacuous(const struct model_never *never)
{
	return never->from->self || never->to->self || never->from->n_interfaces == 0 || never->to->n_interfaces == 0;
}
