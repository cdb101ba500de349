/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/asked.h"

#include "policy/space/passes.h"

struct walking {
	struct proof p;
	struct model then; /* the policy as it is at the asked time */
	const struct asked *q;
	struct arena *a;
	struct walk *list;
	size_t n, room;
	/* walks_to, by zone: the last hop of the walk from there */
	struct asked_line *last;
	bool *begun; /* walks_to, by conduit: a walk begins with it */
};

static bool walking_begin(struct walking *w, const struct model *m, const struct asked *q, struct arena *a)
{
	*w = (struct walking){ .then = *m, .q = q, .a = a };
	w->then.now = q->at;
	if (!proof_begin(&w->p, &w->then, a))
		return false;
	w->last = arena_array(w->p.work, m->n_zones, sizeof(*w->last));
	w->begun = arena_array(w->p.work, m->n_conduits + 1, sizeof(*w->begun));
	return !arena_failed(w->p.work);
}

static struct walk *add_walk(struct walking *w, size_t n_hops)
{
	struct walk *slot = arena_grow(w->a, (void **)&w->list, &w->n, &w->room, sizeof(*slot));

	if (slot == NULL)
		return NULL;
	*slot = (struct walk){ .hops = arena_array(w->a, n_hops, sizeof(struct model_conduit *)), .n_hops = n_hops };
	return slot->hops != NULL ? slot : NULL;
}

static struct asked_end end_of(const struct model_zone *z)
{
	return (struct asked_end){ z, NULL, z->ranges, z->n_ranges };
}

/* ---- to -------------------------------------------------------------------------------------- */

/* Adds the shortest walk that begins with this conduit. via[zone]: the conduit by which the walk
 * continues from the zone; last[zone]: its last hop. */
static void add_to(struct walking *w, const struct model_conduit *first)
{
	const struct model_conduit **via = w->p.via, *c;
	const struct asked_line *last = &w->last[first->to->index];
	struct walk *walk;
	size_t n = 2;

	for (c = via[first->to->index]; c != last->conduit; c = via[c->to->index])
		n++;
	walk = add_walk(w, n);
	if (walk == NULL)
		return;
	walk->last = *last;
	walk->hops[0] = first;
	n = 1;
	for (c = via[first->to->index]; c != last->conduit; c = via[c->to->index])
		walk->hops[n++] = c;
	walk->hops[n] = c;
	w->begun[first->index] = true;
}

/* Puts each zone from which one hop leads to the target on the queue, once. */
static size_t last_hops(struct walking *w)
{
	const struct model *m = &w->then;
	size_t n = 0;

	for (size_t i = 0; i < m->n_conduits; i++) {
		const struct model_conduit *c = &m->conduits[i];
		struct asked q = *w->q;
		struct asked_line line;
		struct walk *walk;

		q.from = end_of(c->from);
		line = ask_conduit(m, c, &q);
		walk = line.lack >= ASKED_DOOR ? add_walk(w, 1) : NULL;
		if (walk == NULL)
			continue;
		walk->hops[0] = c;
		walk->last = line;
		w->begun[i] = true;
		if (w->p.via[c->from->index] != NULL || c->from == c->to)
			continue;
		w->p.via[c->from->index] = c;
		w->last[c->from->index] = line;
		w->p.queue[n++] = c->from->index;
	}
	return n;
}

size_t walks_to(const struct model *m, const struct asked *q, struct arena *a, struct walk **ret)
{
	struct walking w;
	struct proof *p = &w.p;
	bool ok = walking_begin(&w, m, q, a);
	size_t end = ok ? last_hops(&w) : 0;

	for (size_t at = 0; at < end; at++)
		for (size_t i = 0; i < p->n_hops; i++) {
			const struct hop *h = &p->hops[i];

			if (h->to != p->queue[at] || h->from == h->to || h->from == q->to.zone->index)
				continue;
			for (uint32_t k = 0; k < h->n; k++) {
				const struct model_conduit *c = &w.then.conduits[p->sorted[h->first + k]];

				if (w.begun[c->index] || !conduit_leads_on(p, c))
					continue;
				add_to(&w, c);
				if (p->via[h->from] != NULL)
					continue;
				p->via[h->from] = c;
				w.last[h->from] = w.last[h->to];
				p->queue[end++] = h->from;
			}
		}
	proof_end(p, a);
	*ret = w.list;
	return w.n;
}

/* ---- from ------------------------------------------------------------------------------------ */

/* Adds the shortest walk that ends with the conduit of `line`. via[zone]: the conduit by which the
 * shortest walk came to the zone; NULL where a walk starts. */
static void add_from(struct walking *w, const struct asked_line *line, const struct asked_end *ends, size_t n_ends)
{
	const struct model_conduit **via = w->p.via, *c = line->conduit;
	const struct model_zone *z;
	struct walk *walk;
	size_t n = 1;

	for (z = c->from; via[z->index] != NULL; z = via[z->index]->from)
		n++;
	walk = add_walk(w, n);
	if (walk == NULL)
		return;
	walk->last = *line;
	walk->hops[--n] = c;
	for (z = c->from; via[z->index] != NULL; z = via[z->index]->from)
		walk->hops[--n] = via[z->index];
	walk->beside = true;
	for (size_t i = 0; i < n_ends; i++)
		if (ends[i].zone == walk->hops[0]->from &&
		    asked_end_meets(&ends[i], walk->hops[0]->sources, walk->hops[0]->n_sources))
			walk->beside = false;
}

/* Whether a walk starts in this zone. Starts come first on the queue. */
static bool is_start(const struct walking *w, uint32_t zone, size_t n_starts)
{
	for (size_t i = 0; i < n_starts; i++)
		if (w->p.queue[i] == zone)
			return true;
	return false;
}

static size_t starts(struct walking *w, const struct asked_end *ends, size_t n_ends, bool *seen)
{
	size_t n = 0;

	for (size_t i = 0; i < n_ends && w->p.queue != NULL; i++)
		if (ends[i].zone != NULL && !seen[ends[i].zone->index]) {
			seen[ends[i].zone->index] = true;
			w->p.queue[n++] = ends[i].zone->index;
		}
	return n;
}

size_t walks_from(const struct model *m, const struct asked_end *from, size_t n, uint64_t at, struct arena *a,
		  struct walk **ret)
{
	const struct asked anything = { .at = at };
	struct walking w;
	struct proof *p = &w.p;
	bool ok = walking_begin(&w, m, &anything, a);
	bool *seen = ok ? arena_array(p->work, m->n_zones, sizeof(*seen)) : NULL;
	const size_t n_starts = seen != NULL ? starts(&w, from, n, seen) : 0;
	size_t end = n_starts;

	for (size_t i = 0; i < end; i++)
		for (uint32_t k = p->first_hop[p->queue[i]]; k < p->first_hop[p->queue[i] + 1]; k++) {
			struct hop *h = &p->hops[k];
			const struct model_conduit *c;

			if (i >= n_starts && is_start(&w, h->to, n_starts))
				continue;
			for (uint32_t x = 0; x < h->n; x++) {
				struct asked q = anything;
				struct asked_line line;

				c = &w.then.conduits[p->sorted[h->first + x]];
				q.from = end_of(c->from);
				q.to = end_of(c->to);
				line = ask_conduit(&w.then, c, &q);
				if (line.lack >= ASKED_DOOR)
					add_from(&w, &line, from, n);
			}
			c = !seen[h->to] ? hop_leading(p, h) : NULL;
			if (c == NULL)
				continue;
			seen[h->to] = true;
			p->via[h->to] = c;
			p->queue[end++] = h->to;
		}
	proof_end(p, a);
	*ret = w.list;
	return w.n;
}
