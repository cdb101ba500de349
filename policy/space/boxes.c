/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/boxes.h"

#include <stdlib.h>
#include <string.h>

#include "policy/space/boxes_sweep.h"

static wide wide_of(const struct addr *a)
{
	wide w = 0;

	for (size_t i = 0; i < addr_len(a->family); i++)
		w = w << 8 | a->b[i];
	return w;
}

static struct addr addr_of(wide w, uint8_t family)
{
	struct addr a = { .family = family };

	for (size_t i = addr_len(family); i-- > 0; w >>= 8)
		a.b[i] = (uint8_t)w;
	return a;
}

struct span span_of(const struct addr_range *r)
{
	return (struct span){ wide_of(&r->lo), wide_of(&r->hi) };
}

struct addr_range range_of_span(struct span s, uint8_t family)
{
	return (struct addr_range){ addr_of(s.lo, family), addr_of(s.hi, family) };
}

struct split {
	struct cutter c;
	const bool *wanted;
	const struct box_sink *sink;
	uint64_t *steps;
};

static bool all_same(const struct cutter *c, size_t at, size_t n, int dim, const struct span w[DIMS])
{
	struct span first = sweep_clipped(c, at, dim, w);

	for (size_t i = 1; i < n; i++) {
		struct span s = sweep_clipped(c, at + i, dim, w);

		if (s.lo != first.lo || s.hi != first.hi)
			return false;
	}
	return true;
}

static int by_number(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return (a > b) - (a < b);
}

/* Every box of the list covers the same piece. */
static bool emit(struct split *s, size_t at, size_t n, const struct span w[DIMS])
{
	struct span d[DIMS];
	uint32_t *tags;
	size_t kept = 0;

	for (int i = 0; i < DIMS; i++)
		d[i] = sweep_clipped(&s->c, at, i, w);
	if (!sweep_reserve(&s->c, n))
		return false;
	tags = s->c.stack + s->c.top;
	for (size_t i = 0; i < n; i++)
		tags[i] = s->c.boxes[s->c.stack[at + i]].tag;
	qsort(tags, n, sizeof(*tags), by_number);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || tags[i] != tags[kept - 1])
			tags[kept++] = tags[i];
	return s->sink->piece(s->sink->ctx, d, tags, kept);
}

static bool cut(struct split *s, size_t at, size_t n, const struct span w[DIMS]);

/* A part of a list: numbers at stack[at .. at + n). */
struct part {
	size_t at, n;
};

/* The next part of a sorted list, from `from` on: nothing behind it touches it along `dim`. */
static struct part next_part(const struct cutter *c, struct part list, size_t from, int dim, const struct span w[DIMS])
{
	wide reach = sweep_clipped(c, list.at + from, dim, w).hi;
	size_t i = from + 1;

	for (; i < list.n; i++) {
		struct span x = sweep_clipped(c, list.at + i, dim, w);

		if (x.lo > reach)
			break;
		reach = x.hi > reach ? x.hi : reach;
	}
	return (struct part){ list.at + from, i - from };
}

/*
 * Where the list falls apart along `dim`, each part is cut by itself, but for the largest, which is left in *list for the
 * caller to go on with: so lists inside lists halve, and the recursion is no deeper than their logarithm. *apart: it did.
 */
static bool cut_parts(struct split *s, struct part *list, int dim, const struct span w[DIMS], bool *apart)
{
	struct part largest = { 0, 0 }, p;

	sweep_sort(&s->c, list->at, list->n, dim);
	for (size_t i = 0; i < list->n; i += p.n) {
		p = next_part(&s->c, *list, i, dim, w);
		if (p.n > largest.n)
			largest = p;
	}
	*apart = largest.n < list->n;
	/* A part is sorted anew by its own cutting; what stands behind it is still in order. */
	for (size_t i = 0; *apart && i < list->n; i += p.n) {
		p = next_part(&s->c, *list, i, dim, w);
		if (p.at != largest.at && !cut(s, p.at, p.n, w))
			return false;
	}
	*list = largest;
	return true;
}

static bool cut_slabs(struct split *s, size_t at, size_t n, int dim, const struct span w[DIMS])
{
	struct span inner[DIMS];
	struct sweep sweep;
	bool ok = true;

	sweep_sort(&s->c, at, n, dim);
	if (!sweep_begin(&s->c, &sweep, at, n, dim, w))
		return false;
	memcpy(inner, w, sizeof(inner));
	while (ok && sweep_next(&s->c, &sweep)) {
		inner[dim] = sweep.slab;
		ok = cut(s, sweep.sub, sweep.n_sub, inner);
		sweep_advance(&sweep);
	}
	sweep_end(&s->c, &sweep);
	return ok;
}

/*
 * First apart, then slabs: a list that falls apart along any dimension costs only a sort; slabs are cut only through
 * boxes that are tied together in all three, along the dimension where that touches the fewest. Within a slab all boxes are
 * the same along its dimension, so slabs lie in slabs three times at most.
 */
static bool cut(struct split *s, size_t at, size_t n, const struct span w[DIMS])
{
	struct part list = { at, n };
	uint64_t best_cost = UINT64_MAX, cost;
	bool same[DIMS], apart, wanted;
	int best = -1;

	do {
		wanted = s->wanted == NULL;
		for (size_t i = 0; i < list.n && !wanted; i++)
			wanted = s->wanted[s->c.boxes[s->c.stack[list.at + i]].tag];
		if (!wanted)
			return true;
		if (*s->steps < list.n)
			return false;
		*s->steps -= list.n;
		if (list.n == 1)
			return emit(s, list.at, list.n, w);
		apart = false;
		for (int d = 0; d < DIMS && !apart; d++) {
			same[d] = all_same(&s->c, list.at, list.n, d, w);
			if (!same[d] && !cut_parts(s, &list, d, w, &apart))
				return false;
		}
	} while (apart);
	for (int d = 0; d < DIMS; d++) {
		if (same[d])
			continue;
		if (!sweep_cost(&s->c, list.at, list.n, d, w, &cost))
			return false;
		if (cost < best_cost) {
			best_cost = cost;
			best = d;
		}
	}
	return best < 0 ? emit(s, list.at, list.n, w) : cut_slabs(s, list.at, list.n, best, w);
}

bool boxes_split(const struct box *boxes, size_t n, const bool *wanted, struct arena *a, uint64_t *steps,
		 const struct box_sink *sink)
{
	struct split s = { .wanted = wanted, .sink = sink, .steps = steps };

	return n == 0 || (sweep_start(&s.c, boxes, n, a) && cut(&s, 0, n, sweep_everything));
}
