/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Geometry of packet space: boxes of three dimensions (source, destination, port), cut into
 * disjoint pieces.
 *
 * Addresses of either family are plain numbers here; the caller separates families, interfaces and
 * transports. Pure; everything lives in the arena given, and a budget of steps bounds the time that
 * a hostile policy can take.
 */
#ifndef SEKISHO_POLICY_SPACE_BOXES_H
#define SEKISHO_POLICY_SPACE_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/arena.h"

/* an IPv6 address as a number; C17 has no name for it */
__extension__ typedef unsigned __int128 wide;

enum { DIM_SOURCE, DIM_DESTINATION, DIM_PORT, DIMS };

struct span {
	wide lo, hi; /* both inside */
};

struct box {
	struct span d[DIMS];
	uint32_t tag; /* whose box it is */
};

struct span span_of(const struct addr_range *r);
struct addr_range range_of_span(struct span s, uint8_t family);

/* Receives a piece of space from boxes_split, with the sorted, distinct tags of the boxes that
 * cover all of it. `tags` is borrowed until the function returns. False ends the split. */
struct box_sink {
	void *ctx;
	bool (*piece)(void *ctx, const struct span d[DIMS], const uint32_t *tags, size_t n_tags);
};

/*
 * Cuts the union of `boxes` into disjoint pieces; each piece is covered by the same boxes
 * everywhere. `wanted`: one flag per tag, NULL = all; groups of overlapping boxes without a wanted
 * tag are skipped. Each step of the walk along a dimension takes about one from *steps for each box
 * that it touches. False when the steps run out, the sink refuses, or memory is out. The recursion
 * is as deep as the logarithm of n.
 */
bool boxes_split(const struct box *boxes, size_t n, const bool *wanted, struct arena *a, uint64_t *steps,
		 const struct box_sink *sink);

/*
 * Describes the same region as the disjoint boxes[0..n) by other boxes, which depend on the region
 * alone; touching boxes are merged. *ret is in the arena, with tags 0. False when memory is out.
 */
bool boxes_canonical(const struct box *boxes, size_t n, struct arena *a, struct box **ret, size_t *ret_n);

/* ---- which ranges of packet space contain which single packets ------------------------------- */

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
