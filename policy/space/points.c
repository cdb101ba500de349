/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/points.h"

#include <stdlib.h>

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
