/* SPDX-License-Identifier: Apache-2.0 */
/* Finds which ranges of packet space contain which single packets. Pure; memory of the arena
 * given. */
#ifndef SEKISHO_POLICY_SPACE_POINTS_H
#define SEKISHO_POLICY_SPACE_POINTS_H

#include "policy/space/boxes.h"

/* The order by lower corners, for qsort and bsearch. It is total, so the result does not depend on
 * the C library's sort. */
int box_order(const void *pa, const void *pb);
bool box_is_point(const struct box *b);

/* Says that the range with this tag contains this point. The point is named by its index; of equal
 * points, by the index of the first one. */
struct over {
	uint32_t point, tag;
};

struct points_over {
	struct arena *memory;
	struct box *points, *ranges; /* points: sorted by box_order; ranges: in the given order */
	size_t n_points, n_ranges;
	struct over *list; /* which ranges contain which points, filled by points_find */
	size_t n, room;
};

/*
 * Fills the list. Of equal points only the first one appears. The list stays empty when ranges and
 * points are too many to compare; then points are cut like ranges. False when memory is out.
 */
bool points_find(struct points_over *l);

#endif
