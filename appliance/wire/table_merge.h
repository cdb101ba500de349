/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two command tables as one, so that workers know the permits of the old and of the new policy
 * while the kernel changes from one to the other. Supervisor only; pure.
 */
#ifndef SEKISHO_WIRE_TABLE_MERGE_H
#define SEKISHO_WIRE_TABLE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Merges all of `a` with the permits of `b` that are not in `a` and for which `keep(ctx, permit)`
 * is true (NULL: all). Unused rows and ranges of `b` are left out. malloc'd image, owned by the
 * caller; NULL when an image is malformed or memory is out.
 */
uint8_t *table_merge(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b,
		     bool (*keep)(const void *ctx, uint32_t permit), const void *ctx, size_t *ret_n);
/* The lanes of all permits in an image, as bits; 0 when the image is malformed or memory is out. */
uint64_t table_lanes(const uint8_t *image, size_t n);

#endif
