/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two command tables as one, so that workers know the permits of the old and of the new policy
 * while the kernel changes from one to the other. Each permit keeps the generation that it is from,
 * because records of its packets name it. Supervisor only; pure.
 */
#ifndef SEKISHO_WIRE_TABLE_MERGE_H
#define SEKISHO_WIRE_TABLE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/event.h"

struct table_permit {
	uint32_t permit;
	struct event_generation of;
};

/* An image, and its permits in its order; owned. */
struct table {
	uint8_t *image;
	size_t n;
	struct table_permit *permits;
	uint32_t n_permits;
};

/* A table to be merged. `permits` NULL: all its permits are from generation `of`. */
struct table_part {
	const uint8_t *image;
	size_t n;
	const struct table_permit *permits;
	struct event_generation of;
};

/*
 * Merges all of `a` with the permits of `b` that are not in `a` and for which `keep(ctx, permit)`
 * is true (NULL: all). Unused rows and ranges of `b` are left out. False, and nothing in *ret, when
 * an image is malformed or memory is out.
 */
bool table_merge(const struct table_part *a, const struct table_part *b, bool (*keep)(const void *ctx, uint32_t permit),
		 const void *ctx, struct table *ret);
void table_drop(struct table *t);
/* The lanes of all permits in an image, as bits; 0 when the image is malformed or memory is out. */
uint64_t table_lanes(const uint8_t *image, size_t n);

#endif
