/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two command tables as one, so that workers know the permits of the old and of the new policy while the kernel changes
 * from one to the other. Supervisor only; pure.
 */
#ifndef SEKISHO_SUPERVISE_TABLE_MERGE_H
#define SEKISHO_SUPERVISE_TABLE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Everything of `a`, and of `b` those permits that `a` does not know and that `keep(ctx, permit)` wants (NULL: all). Rows
 * and ranges nobody refers to are left out of b's part. malloc'd image, owned by the caller; NULL when an image is
 * malformed or memory is out.
 */
uint8_t *table_merge(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b,
		     bool (*keep)(const void *ctx, uint32_t permit), const void *ctx, size_t *ret_n);
/* Bit n: some permit of it has lane n. 0 when it is malformed or memory is out. */
uint64_t table_lanes(const uint8_t *image, size_t n);

#endif
