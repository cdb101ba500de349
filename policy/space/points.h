/* SPDX-License-Identifier: Apache-2.0 */
/* Which ranges of packet space hold which single packets. Pure; memory of the arena given. */
#ifndef SEKISHO_POLICY_SPACE_POINTS_H
#define SEKISHO_POLICY_SPACE_POINTS_H

#include "policy/space/boxes.h"

/* By where they begin: for qsort and bsearch, the C library's sort never decides. */
int box_order(const void *pa, const void *pb);
bool box_is_point(const struct box *b);

/* One of the boxes that apply on a point, by the number of the first box of that point. */
struct over {
	uint32_t point, tag;
};

struct points_over {
	struct arena *memory;
	struct box *points, *ranges; /* sorted by box_order; as they came */
	size_t n_points, n_ranges;
	struct over *list; /* what ranges apply on which points, found by points_find */
	size_t n, room;
};

/*
 * Fills the list; a point stands for all that are the same. It stays empty where ranges and points
 * are too many to be held against each other: then points cut as ranges do. False when memory
 * is out.
 */
bool points_find(struct points_over *l);

#endif
