/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that passed ahead of a gap in a stream: a few separate runs, copies of which are kept in
 * the pool until the gap is filled. Part of the stream gate. Sequence numbers are host order and
 * compared with wrap-around.
 */
#ifndef SEKISHO_DPI_RUNS_H
#define SEKISHO_DPI_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "dpi/pool.h"

#define RUNS_MAX 4u
#define RUNS_BYTES (32u * 1024u) /* bytes in all runs together */

struct run {
	uint32_t from;
	/* `judged` bytes of the run, from its byte `judged_at` on, were in order at some time and
	 * were judged then */
	uint16_t judged_at, judged;
	struct chain bytes;
};
_Static_assert(RUNS_BYTES <= UINT16_MAX, "places in a run");

struct runs {
	struct run run[RUNS_MAX]; /* by sequence number */
	uint32_t n;
};

static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

enum runs_answer {
	RUNS_KEPT,    /* the bytes may pass: a copy is kept */
	RUNS_DIFFER,  /* the bytes differ from those that passed there before */
	RUNS_NO_ROOM, /* nothing was changed */
};

enum runs_answer runs_add(struct runs *r, struct pool *pool, uint32_t seq, struct bytes b);
/*
 * Makes kept bytes of a stream the first run, because a gap before them has appeared. *bytes is
 * taken over, and is empty afterwards. The bytes from `judged_from` to `judged_to` were in order
 * and judged. False: there is no room.
 */
bool runs_take_first(struct runs *r, uint32_t seq, uint32_t judged_from, uint32_t judged_to, struct chain *bytes);
/* Whether all of these n bytes were in order and judged before. */
bool runs_judged(const struct runs *r, uint32_t seq, uint32_t n);
/*
 * The fresh bytes begin at `begin`, the present end of the stream. If they fill a gap, *fresh
 * becomes the fresh bytes and all following runs, in `room` (PACKET_MAX and RUNS_BYTES bytes);
 * otherwise it stays as it is. `fin`: the stream ends after them. False when they contradict bytes
 * that passed ahead.
 */
bool runs_join(const struct runs *r, const struct pool *pool, uint32_t begin, bool fin, struct bytes *fresh,
	       uint8_t *room);
void runs_drop(struct runs *r, struct pool *pool,
	       uint32_t to); /* the stream now reaches to here: removes runs that begin before */
void runs_clear(struct runs *r, struct pool *pool);
void runs_move(struct runs *r, struct pool *pool, uint32_t holder);
size_t runs_bytes(const struct runs *r);

#endif
