/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "policy/space/boxes_sweep.h"

/*
 * A region cut into slabs along the first dimension, each slab's section cut along the second, then the third; slabs
 * that touch and have the same section are one. That form depends on the region and the order of dimensions only. Of the
 * orders that begin with the source and with the destination, the one that needs fewer boxes is taken.
 */
struct form {
	struct cutter c;
	const int *order;
	struct box *out;
	size_t n, room;
	size_t limit; /* more boxes than this: give up on this order */
};

static bool put(struct form *f, const struct span d[DIMS])
{
	struct box *b = f->n < f->limit ? arena_grow(f->c.arena, (void **)&f->out, &f->n, &f->room, sizeof(*b)) : NULL;

	if (b == NULL)
		return false;
	memcpy(b->d, d, sizeof(b->d));
	b->tag = 0;
	return true;
}

/* out[a .. b) and out[b .. n) are the same section but for dimension `dim`. */
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
	size_t before = 0; /* where the slab before this one begins in `out` */
	wide before_end = 0;
	bool ok = true, any = false;
	int dim;

	if (level == DIMS)
		return put(f, w);
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

		/* Cutting rows into columns costs the product of both; the other order gives fewer boxes anyway. */
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
	/* Neither order stays small: the pieces as they came are a right description, if not the only one. */
	*ret = arena_array(a, n, sizeof(**ret));
	if (*ret == NULL)
		return false;
	memcpy(*ret, boxes, n * sizeof(*boxes));
	for (size_t i = 0; i < n; i++)
		(*ret)[i].tag = 0;
	*ret_n = n;
	return true;
}
