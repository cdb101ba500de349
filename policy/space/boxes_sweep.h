/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of boxes, walked along one dimension: what cutting boxes into pieces (boxes.c) and writing a region in one form
 * (boxes_canonical.c) have in common. Pure; memory is the arena's, and false means that it is out.
 */
#ifndef SEKISHO_POLICY_SPACE_BOXES_SWEEP_H
#define SEKISHO_POLICY_SPACE_BOXES_SWEEP_H

#include "policy/space/boxes.h"

/*
 * Work in progress. Lists of box numbers stand on one stack, because cutting goes deeper and deeper and makes many short ones; they are
 * named by position, because the stack moves when it grows. `w` in the functions is the window that is being looked at:
 * boxes are never copied to be cut, they count as cut to the window.
 */
struct cutter {
	const struct box *boxes;
	struct arena *arena;
	uint32_t *stack;
	size_t top, room;
	wide *marks; /* scratch of sweep_cost */
	size_t marks_room;
};

extern const struct span sweep_everything[DIMS];

/* One side of the box whose number is stack[at], cut to the window. Here, because every step of every walk asks it. */
static inline struct span sweep_clipped(const struct cutter *c, size_t at, int dim, const struct span w[DIMS])
{
	struct span s = c->boxes[c->stack[at]].d[dim];

	if (s.lo < w[dim].lo)
		s.lo = w[dim].lo;
	if (s.hi > w[dim].hi)
		s.hi = w[dim].hi;
	return s;
}

/* Numbers 0 to n - 1 are on the stack, the first of them at 0. */
bool sweep_start(struct cutter *c, const struct box *boxes, size_t n, struct arena *a);
/* Room for `n` more numbers above `top`. */
bool sweep_reserve(struct cutter *c, size_t n);
/* stack[at .. at + n), by where the boxes begin in `dim`. */
void sweep_sort(struct cutter *c, size_t at, size_t n, int dim);
/* How many boxes all slabs of one dimension would hold together: what cutting along it would cost. */
bool sweep_cost(struct cutter *c, size_t at, size_t n, int dim, const struct span w[DIMS], uint64_t *ret);

/*
 * A walk along one dimension of a sorted list: each step is the next slab in which the same boxes are present, their
 * numbers copied to stack[sub .. sub + n_sub). Between begin and end the caller may push behind that.
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

bool sweep_begin(struct cutter *c, struct sweep *s, size_t list, size_t n, int dim, const struct span *w);
/* False: there is no more slab. */
bool sweep_next(struct cutter *c, struct sweep *s);
/* After the caller has used the slab. */
void sweep_advance(struct sweep *s);
void sweep_end(struct cutter *c, struct sweep *s);

#endif
