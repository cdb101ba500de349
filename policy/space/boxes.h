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
 * tag are skipped. Takes about one from *steps per box and slab. False when the steps run out, the
 * sink refuses, or memory is out. The recursion is as deep as the logarithm of n.
 */
bool boxes_split(const struct box *boxes, size_t n, const bool *wanted, struct arena *a, uint64_t *steps,
		 const struct box_sink *sink);

/*
 * Describes the same region as the disjoint boxes[0..n) by other boxes, which depend on the region
 * alone; touching boxes are merged. *ret is in the arena, with tags 0. False when memory is out.
 */
bool boxes_canonical(const struct box *boxes, size_t n, struct arena *a, struct box **ret, size_t *ret_n);

#endif
