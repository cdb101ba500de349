/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/boxes.h"

#include <stdlib.h>
#include <string.h>

#include "policy/space/intern.h"

/*
 * Walks through lists of boxes along one dimension. Used to cut boxes into pieces, and to write a
 * region in canonical form. No side effects. Memory is the arena's; false means that none is left.
 */

/*
 * The state of cutting. Lists of box numbers are on one stack, because cutting recurses and makes
 * many short lists. Functions get the position of a list and no pointer to it, because the stack
 * moves when it grows. Their `w` is the present window: a box is not copied to be cut, but clipped
 * to the window.
 */
struct cutter {
	const struct box *boxes;
	struct arena *arena;
	uint32_t *stack;
	size_t top, room;
	wide *marks; /* scratch memory of sweep_cost */
	size_t marks_room;
};

/* One side of the box with number stack[at], clipped to the window. Inline, because every step of
 * every walk calls it. */
static inline struct span sweep_clipped(const struct cutter *c, size_t at, int dim, const struct span w[DIMS])
{
	struct span s = c->boxes[c->stack[at]].d[dim];

	if (s.lo < w[dim].lo)
		s.lo = w[dim].lo;
	if (s.hi > w[dim].hi)
		s.hi = w[dim].hi;
	return s;
}

/*
 * A walk along one dimension of a sorted list. Each step is the next slab in which the same boxes
 * are present; their numbers are copied to stack[sub .. sub + n_sub). Between begin and end the
 * caller may push behind that.
 */
struct sweep {
	size_t list, n; /* sorted by lo in `dim` */
	int dim;
	const struct span *w;
	size_t active, n_active, next;
	size_t sub, n_sub;
	struct span slab;
	size_t saved_top;
	bool over;
};

static const struct span sweep_everything[DIMS] = { { 0, ~(wide)0 }, { 0, ~(wide)0 }, { 0, ~(wide)0 } };

struct order {
	const struct box *boxes;
	int dim;
};

/* Makes room for `n` more numbers above `top`. */
static bool sweep_reserve(struct cutter *c, size_t n)
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

/* Sorts stack[at .. at + n) by the beginning of the boxes in `dim`. */
static void sweep_sort(struct cutter *c, size_t at, size_t n, int dim)
{
	struct order o = { c->boxes, dim };

	if (n > 1)
		qsort_r(c->stack + at, n, sizeof(*c->stack), by_lo, &o);
}

static bool sweep_begin(struct cutter *c, struct sweep *s, size_t list, size_t n, int dim, const struct span *w)
{
	*s = (struct sweep){ .list = list, .n = n, .dim = dim, .w = w, .saved_top = c->top };
	if (!sweep_reserve(c, 2 * n))
		return false;
	s->active = c->top;
	s->sub = c->top + n;
	c->top += 2 * n;
	return true;
}

/* False: there is no further slab. */
static bool sweep_next(struct cutter *c, struct sweep *s)
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

/* Called after the slab was used. */
static void sweep_advance(struct sweep *s)
{
	if (s->slab.hi == ~(wide)0)
		s->over = true;
	else
		s->slab.lo = s->slab.hi + 1;
}

static void sweep_end(struct cutter *c, struct sweep *s)
{
	c->top = s->saved_top;
}

static int by_value(const void *pa, const void *pb)
{
	wide a = *(const wide *)pa, b = *(const wide *)pb;

	return (a > b) - (a < b);
}

/* Index of the first mark above v. */
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

/* The cost of cutting along a dimension: the sum of the numbers of boxes in its slabs. A box counts
 * once in each slab that it touches. */
static bool sweep_cost(struct cutter *c, size_t at, size_t n, int dim, const struct span w[DIMS], uint64_t *ret)
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

/* Begins with a stack that holds the numbers of all boxes, 0 to n - 1. */
static bool sweep_start(struct cutter *c, const struct box *boxes, size_t n, struct arena *a)
{
	*c = (struct cutter){ .boxes = boxes, .arena = a };
	if (!sweep_reserve(c, n))
		return false;
	for (size_t i = 0; i < n; i++)
		c->stack[i] = (uint32_t)i;
	c->top = n;
	return true;
}

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

/* Hands the piece to the sink: every box of the list covers all of it. */
static bool emit(struct split *s, size_t at, size_t n, const struct span w[DIMS])
{
	struct span d[DIMS];
	uint32_t *tags;

	for (int i = 0; i < DIMS; i++)
		d[i] = sweep_clipped(&s->c, at, i, w);
	if (!sweep_reserve(&s->c, n))
		return false;
	tags = s->c.stack + s->c.top;
	for (size_t i = 0; i < n; i++)
		tags[i] = s->c.boxes[s->c.stack[at + i]].tag;
	return s->sink->piece(s->sink->ctx, d, tags, distinct(tags, n));
}

static bool cut(struct split *s, size_t at, size_t n, const struct span w[DIMS]);

/* Part of a list: the numbers at stack[at .. at + n). */
struct part {
	size_t at, n;
};

/* The next part of a sorted list from `from` on, which no later box touches along `dim`. */
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
 * Where the list consists of separate parts along `dim`, cuts each part by itself. Only the largest
 * is left in *list for the caller. So a list that is cut by recursion has at most half of the
 * boxes, and the recursion is only logarithmically deep. *apart: there were separate parts.
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
	/* Cutting a part sorts it anew; what follows it stays in order. */
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
 * Separate parts first, then slabs: a list with separate parts along any dimension costs only a
 * sort. Slabs are cut only when the boxes are connected in all three dimensions, and along the
 * dimension where the slabs have the fewest boxes. Inside a slab all boxes are equal along its
 * dimension, so slabs nest at most three deep.
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

/*
 * The canonical form of a region. The region is cut into slabs along the first dimension, and the
 * section of each slab along the second and then the third. Adjacent slabs with equal sections are
 * joined. This form depends only on the region and the order of dimensions. Of the orders that
 * begin with source and with destination, the one with fewer boxes is used.
 */
struct form {
	struct cutter c;
	const int *order;
	struct box *out;
	size_t n, room;
	size_t limit; /* maximum of boxes, beyond which this order is given up */
};

static bool put_box(struct form *f, const struct span d[DIMS])
{
	struct box *b = f->n < f->limit ? arena_grow(f->c.arena, (void **)&f->out, &f->n, &f->room, sizeof(*b)) : NULL;

	if (b == NULL)
		return false;
	memcpy(b->d, d, sizeof(b->d));
	b->tag = 0;
	return true;
}

/* Whether out[a .. b) and out[b .. n) are the same section except in dimension `dim`. */
static bool same_section(const struct form *f, size_t a, size_t b, int dim)
{
	if (b - a != f->n - b)
		return false;
	for (size_t i = 0; i < b - a; i++)
		for (int d = 0; d < DIMS; d++)
			if (d != dim && (f->out[a + i].d[d].lo != f->out[b + i].d[d].lo ||
					 f->out[a + i].d[d].hi != f->out[b + i].d[d].hi))
				return false;
	return true;
}

static bool section(struct form *f, size_t at, size_t n, int level, const struct span w[DIMS])
{
	struct span inner[DIMS];
	struct sweep sweep;
	size_t before = 0; /* where the former slab begins in `out` */
	wide before_end = 0;
	bool ok = true, any = false;
	int dim;

	if (level == DIMS)
		return put_box(f, w);
	dim = f->order[level];
	sweep_sort(&f->c, at, n, dim);
	if (!sweep_begin(&f->c, &sweep, at, n, dim, w))
		return false;
	memcpy(inner, w, sizeof(inner));
	while (ok && sweep_next(&f->c, &sweep)) {
		size_t here = f->n;

		inner[dim] = sweep.slab;
		ok = section(f, sweep.sub, sweep.n_sub, level + 1, inner);
		if (ok && any && before_end + 1 == sweep.slab.lo && same_section(f, before, here, dim)) {
			for (size_t i = before; i < here; i++)
				f->out[i].d[dim].hi = sweep.slab.hi;
			f->n = here;
		} else {
			before = here;
		}
		any = true;
		before_end = sweep.slab.hi;
		sweep_advance(&sweep);
	}
	sweep_end(&f->c, &sweep);
	return ok;
}

bool boxes_canonical(const struct box *boxes, size_t n, struct arena *a, struct box **ret, size_t *ret_n)
{
	static const int orders[2][DIMS] = { { DIM_SOURCE, DIM_DESTINATION, DIM_PORT },
					     { DIM_DESTINATION, DIM_SOURCE, DIM_PORT } };
	uint64_t cost[2];
	struct cutter c;
	bool found = false;

	*ret = NULL;
	*ret_n = 0;
	if (!sweep_start(&c, boxes, n, a))
		return false;
	for (int i = 0; i < 2; i++)
		if (!sweep_cost(&c, 0, n, orders[i][0], sweep_everything, &cost[i]))
			return false;
	for (int i = 0; i < 2; i++) {
		struct form f = { .order = orders[i], .limit = found ? *ret_n : 16 * n + 1024 };

		/* Cutting rows into columns costs the product of their numbers. Then the other
		 * order gives fewer boxes anyway. */
		if (cost[i] > 16 * (uint64_t)n + 1024)
			continue;
		if (!sweep_start(&f.c, boxes, n, a))
			return false;
		if (!section(&f, 0, n, 0, sweep_everything)) {
			if (arena_failed(a))
				return false;
			continue;
		}
		if (found && f.n >= *ret_n)
			continue;
		*ret = f.out;
		*ret_n = f.n;
		found = true;
	}
	if (found)
		return true;
	/* Neither order stays small: the pieces as they are describe the region correctly, though
	 * not uniquely. */
	*ret = arena_array(a, n, sizeof(**ret));
	if (*ret == NULL)
		return false;
	memcpy(*ret, boxes, n * sizeof(*boxes));
	for (size_t i = 0; i < n; i++)
		(*ret)[i].tag = 0;
	*ret_n = n;
	return true;
}

/* ---- points in ranges ------------------------------------------------------------------------ */

/* comparisons of points with ranges; each may add an entry to the list */
#define LOOKS_MAX 8000000u

int box_order(const void *pa, const void *pb)
{
	const struct box *a = pa, *b = pb;

	for (int d = 0; d < DIMS; d++)
		if (a->d[d].lo != b->d[d].lo)
			return a->d[d].lo < b->d[d].lo ? -1 : 1;
	return 0;
}

bool box_is_point(const struct box *b)
{
	for (int d = 0; d < DIMS; d++)
		if (b->d[d].lo != b->d[d].hi)
			return false;
	return true;
}

static int over_order(const void *pa, const void *pb)
{
	const struct over *a = pa, *b = pb;

	if (a->point != b->point)
		return a->point < b->point ? -1 : 1;
	return (a->tag > b->tag) - (a->tag < b->tag);
}

/* The first of the sorted points whose source is not below `source`. */
static size_t first_point(const struct box *points, size_t n, wide source)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (points[mid].d[DIM_SOURCE].lo < source)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool holds_point(const struct box *b, const struct box *point)
{
	for (int d = 0; d < DIMS; d++)
		if (point->d[d].lo < b->d[d].lo || point->d[d].lo > b->d[d].hi)
			return false;
	return true;
}

/* The points with their source in the range: points[*at .. *end). */
static void points_of(const struct points_over *l, const struct box *r, size_t *at, size_t *end)
{
	wide hi = r->d[DIM_SOURCE].hi;

	*at = first_point(l->points, l->n_points, r->d[DIM_SOURCE].lo);
	*end = hi == ~(wide)0 ? l->n_points : first_point(l->points, l->n_points, hi + 1);
}

/* Whether ranges and points are so few that they can be compared one by one, in LOOKS_MAX
 * comparisons at most. Otherwise points are cut like ranges. */
static bool few(const struct points_over *l)
{
	size_t left = LOOKS_MAX, at, end;

	for (size_t i = 0; i < l->n_ranges; i++) {
		points_of(l, &l->ranges[i], &at, &end);
		if (end - at > left)
			return false;
		left -= end - at;
	}
	return true;
}

bool points_find(struct points_over *l)
{
	size_t at, end;

	if (l->n_points == 0 || !few(l))
		return true;
	for (size_t i = 0; i < l->n_ranges; i++) {
		const struct box *r = &l->ranges[i];

		for (points_of(l, r, &at, &end); at < end; at++) {
			struct over *o;

			if ((at > 0 && box_order(&l->points[at - 1], &l->points[at]) == 0) ||
			    !holds_point(r, &l->points[at]))
				continue;
			o = arena_grow(l->memory, (void **)&l->list, &l->n, &l->room, sizeof(*o));
			if (o == NULL)
				return false;
			*o = (struct over){ (uint32_t)at, r->tag };
		}
	}
	if (l->n > 1)
		qsort(l->list, l->n, sizeof(*l->list), over_order);
	return true;
}
