/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passed ahead of a gap in a stream: a few runs of bytes, apart from each other, of which copies are kept in the pool until
 * the gap is filled. Part of the stream gate. Sequence numbers are host order and compared with wrap-around.
 */
#ifndef SEKISHO_DPI_RUNS_H
#define SEKISHO_DPI_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "dpi/pool.h"

#define RUNS_MAX 4u
#define RUNS_BYTES (32u * 1024u) /* in all of them */

struct run {
	uint32_t from;
	uint16_t judged_at,
		judged; /* bytes from its beginning that nobody read, and behind them those that were in order once */
	struct chain bytes;
};
_Static_assert(RUNS_BYTES <= UINT16_MAX, "places in a run");

struct runs {
	struct run run[RUNS_MAX]; /* by number */
	uint32_t n;
};

static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

enum runs_answer {
	RUNS_KEPT,    /* the bytes may pass: a copy is kept */
	RUNS_DIFFER,  /* they are not what passed there before */
	RUNS_NO_ROOM, /* nothing was changed */
};

enum runs_answer runs_add(struct runs *r, struct pool *pool, uint32_t seq, struct bytes b);
/*
 * What is kept elsewhere lies ahead of a gap now, and before all runs: *bytes is theirs, and empty. What lies from one number to the
 * other of it was in order and judged. False: there is no room.
 */
bool runs_take_first(struct runs *r, uint32_t seq, uint32_t judged_from, uint32_t judged_to, struct chain *bytes);
/* Whether these n bytes were in order and judged before, all of them. */
bool runs_judged(const struct runs *r, uint32_t seq, uint32_t n);
/*
 * The fresh bytes begin at `begin`, where the stream ends so far: *fresh becomes all that they complete, in `room` (for a packet and
 * RUNS_BYTES), or stays as it is. `fin`: the stream ends behind them. False when they contradict what passed ahead.
 */
bool runs_join(const struct runs *r, const struct pool *pool, uint32_t begin, bool fin, struct bytes *fresh,
	       uint8_t *room);
void runs_drop(struct runs *r, struct pool *pool,
	       uint32_t to); /* the stream goes to here: forgets runs that begin before */
void runs_clear(struct runs *r, struct pool *pool);
void runs_move(struct runs *r, struct pool *pool, uint32_t holder);
size_t runs_bytes(const struct runs *r);

#endif
