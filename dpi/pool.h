/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared byte pool: one region of stated size, cut into small blocks, from which every stream
 * keeps bytes.
 *
 * A `struct chain` is a queue of bytes: append at the end, drop from the front, read anywhere. An
 * append that does not fit fails, and changes nothing. The pool belongs to one inspector; pages are
 * touched only when first used, and freed blocks are used again first, so resident memory follows
 * the peak of use. Blocks of a chain are booked on its holder, and no share gets more than its part
 * (dpi/share.h).
 */
#ifndef SEKISHO_DPI_POOL_H
#define SEKISHO_DPI_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "dpi/share.h"

#define POOL_BLOCK 128u
#define POOL_NONE UINT32_MAX

struct pool {
	uint8_t *blocks;	     /* n * POOL_BLOCK bytes, owned */
	uint32_t *next;		     /* per block: next in its chain or in the free list; owned */
	uint32_t n;		     /* blocks in all */
	uint32_t used;		     /* blocks in chains */
	uint32_t free;		     /* head of the free list, POOL_NONE = empty */
	uint32_t fresh;		     /* first block that was never used */
	struct share_table *holders; /* borrowed; NULL = blocks are not booked */
	uint32_t holder;	     /* the holder on which blocks of empty chains are booked now */
	uint32_t in_share[SHARES];   /* blocks */
	uint32_t part[SHARES];
};

struct chain {
	uint32_t first, last; /* blocks; meaningful while bytes > 0 */
	uint32_t skip;	      /* bytes of the first block already dropped, below POOL_BLOCK */
	uint32_t bytes;	      /* in the chain */
	uint32_t holder;      /* holder of its blocks; meaningful while bytes > 0 */
};

bool pool_init(struct pool *p, size_t size_bytes); /* false when memory is out */
void pool_done(struct pool *p);
size_t pool_used_bytes(const struct pool *p);
/* From now on blocks are booked on holders. No block may be in use. */
void pool_book(struct pool *p, struct share_table *holders);
/* As flow_divide. */
void pool_divide(struct pool *p, uint32_t used, bool whole);
bool pool_is_divided(const struct pool *p);
/* From now on blocks of empty chains are booked on this holder. */
void pool_for(struct pool *p, uint32_t holder);
/* Books the blocks of the chain on another holder. */
void chain_move(struct pool *p, struct chain *c, uint32_t holder);
/* Whether `n` more bytes fit in the chain, and in the part of its share. */
bool chain_room(const struct pool *p, const struct chain *c, size_t n);
/* Appends a copy of the bytes. False, without a change, when the pool is too full. */
bool chain_append(struct pool *p, struct chain *c, struct bytes b);
/* Frees the first n bytes (at most all). */
void chain_drop(struct pool *p, struct chain *c, size_t n);
void chain_clear(struct pool *p, struct chain *c);
/* Copies n bytes from offset `at` out; false when the chain is shorter. */
bool chain_copy(const struct pool *p, const struct chain *c, size_t at, void *out, size_t n);
/* True when the chain holds exactly these bytes at offset `at`. */
bool chain_equal(const struct pool *p, const struct chain *c, size_t at, struct bytes with);

#endif
