/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/boxes_sweep.h"

#include <stdlib.h>
#include <string.h>

const struct span sweep_everything[DIMS] = { { 0, ~(wide)0 }, { 0, ~(wide)0 }, { 0, ~(wide)0 } };

struct order {
	const struct box *boxes;
	int dim;
};

bool sweep_reserve(struct cutter *c, size_t n)
{
	uint32_t *more;
	size_t room = c->room;

	if (n <= c->room - c->top)
		return true;
	while (n > room - c->top)
		room = room ? room * 2 : 1024;
	more = arena_array(c->arena, room, sizeof(*more));
	if (more == NULL)
		return false;
	if (c->top > 0)
		memcpy(more, c->stack, c->top * sizeof(*more));
	c->stack = more;
	c->room = room;
	return true;
}

static int by_lo(const void *pa, const void *pb, void *ctx)
{
	const struct order *o = ctx;
	uint32_t ia = *(const uint32_t *)pa, ib = *(const uint32_t *)pb;
	const struct span *a = &o->boxes[ia].d[o->dim], *b = &o->boxes[ib].d[o->dim];

	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return (ia > ib) - (ia < ib);
}

void sweep_sort(struct cutter *c, size_t at, size_t n, int dim)
{
	struct order o = { c->boxes, dim };

	if (n > 1)
		qsort_r(c->stack + at, n, sizeof(*c->stack), by_lo, &o);
}

bool sweep_begin(struct cutter *c, struct sweep *s, size_t list, size_t n, int dim, const struct span *w)
{
	*s = (struct sweep){ .list = list, .n = n, .dim = dim, .w = w, .saved_top = c->top };
	if (!sweep_reserve(c, 2 * n))
		return false;
	s->active = c->top;
	s->sub = c->top + n;
	c->top += 2 * n;
	return true;
}

bool sweep_next(struct cutter *c, struct sweep *s)
{
	wide end;

	if (s->over)
		return false;
	if (s->n_active == 0) {
		if (s->next == s->n)
			return false;
		s->slab.lo = sweep_clipped(c, s->list + s->next, s->dim, s->w).lo;
	}
	while (s->next < s->n && sweep_clipped(c, s->list + s->next, s->dim, s->w).lo <= s->slab.lo)
		c->stack[s->active + s->n_active++] = c->stack[s->list + s->next++];
	end = ~(wide)0;
	for (size_t i = 0; i < s->n_active; i++) {
		wide hi = sweep_clipped(c, s->active + i, s->dim, s->w).hi;

		end = hi < end ? hi : end;
	}
	if (s->next < s->n) {
		wide lo = sweep_clipped(c, s->list + s->next, s->dim, s->w).lo;

		end = lo - 1 < end ? lo - 1 : end;
	}
	s->slab.hi = end;
	s->n_sub = s->n_active;
	memcpy(c->stack + s->sub, c->stack + s->active, s->n_active * sizeof(*c->stack));
	s->n_active = 0;
	for (size_t i = 0; i < s->n_sub; i++)
		if (sweep_clipped(c, s->sub + i, s->dim, s->w).hi > end)
			c->stack[s->active + s->n_active++] = c->stack[s->sub + i];
	return true;
}

void sweep_advance(struct sweep *s)
{
	if (s->slab.hi == ~(wide)0)
		s->over = true;
	else
		s->slab.lo = s->slab.hi + 1;
}

void sweep_end(struct cutter *c, struct sweep *s)
{
	c->top = s->saved_top;
}

static int by_value(const void *pa, const void *pb)
{
	wide a = *(const wide *)pa, b = *(const wide *)pb;

	return (a > b) - (a < b);
}

/* Position of the first mark above v. */
static size_t marks_above(const wide *marks, size_t n, wide v)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (marks[mid] > v)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

bool sweep_cost(struct cutter *c, size_t at, size_t n, int dim, const struct span w[DIMS], uint64_t *ret)
{
	size_t n_marks = 0, kept = 0;
	uint64_t sum = 0;

	if (2 * n > c->marks_room) {
		c->marks = arena_array(c->arena, 4 * n, sizeof(*c->marks));
		if (c->marks == NULL)
			return false;
		c->marks_room = 4 * n;
	}
	for (size_t i = 0; i < n; i++) {
		struct span s = sweep_clipped(c, at + i, dim, w);

		c->marks[n_marks++] = s.lo;
		if (s.hi != ~(wide)0)
			c->marks[n_marks++] = s.hi + 1;
	}
	if (n_marks > 1)
		qsort(c->marks, n_marks, sizeof(*c->marks), by_value);
	for (size_t i = 0; i < n_marks; i++)
		if (kept == 0 || c->marks[i] != c->marks[kept - 1])
			c->marks[kept++] = c->marks[i];
	for (size_t i = 0; i < n; i++) {
		struct span s = sweep_clipped(c, at + i, dim, w);

		sum += 1 + marks_above(c->marks, kept, s.hi) - marks_above(c->marks, kept, s.lo);
	}
	*ret = sum;
	return true;
}

bool sweep_start(struct cutter *c, const struct box *boxes, size_t n, struct arena *a)
{
	*c = (struct cutter){ .boxes = boxes, .arena = a };
	if (!sweep_reserve(c, n))
		return false;
	for (size_t i = 0; i < n; i++)
		c->stack[i] = (uint32_t)i;
	c->top = n;
	return true;
}
