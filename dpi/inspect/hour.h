/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When sums become records: an hour after the first of them began, or as soon as their generation is over. They are written a helping at a time, so that those
 * of all workers find room in the journal's socket. Whoever keeps the sums has them in places 0 to n - 1, and writes; here stands only when, and how far it came.
 */
#ifndef SEKISHO_DPI_INSPECT_HOUR_H
#define SEKISHO_DPI_INSPECT_HOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/clock.h"

#define HOUR_NS (3600u * (uint64_t)SECOND_NS)
#define HOUR_PACE_NS 10000000u /* between two helpings */
#define HOUR_HELPING 64u       /* records */
#define HOUR_NEVER UINT64_MAX

struct hour {
	uint32_t at, end; /* while sums are written: from here to there */
	uint64_t due_ns;  /* the next helping; HOUR_NEVER: there is nothing to write */
	bool writing;
};

/* A sum is there. */
static inline void hour_runs(struct hour *h, uint64_t now_ns)
{
	if (h->due_ns == HOUR_NEVER)
		h->due_ns = now_ns + HOUR_NS;
}

/* The generation of all `n` is over: those that came while others are written as well. */
static inline void hour_end(struct hour *h, uint32_t n, uint64_t now_ns)
{
	if (h->due_ns == HOUR_NEVER)
		return;
	if (h->writing)
		h->end = n;
	h->due_ns = now_ns;
}

static inline void hour_write(struct hour *h, uint32_t n)
{
	*h = (struct hour){ .end = n, .due_ns = h->due_ns, .writing = true };
}

/* A helping is written. True when there are more. */
static inline bool hour_pauses(struct hour *h, uint64_t now_ns)
{
	h->due_ns = now_ns + HOUR_PACE_NS;
	return h->at < h->end;
}

/* All are written; `more` came meanwhile. */
static inline void hour_over(struct hour *h, bool more, uint64_t now_ns)
{
	*h = (struct hour){ .due_ns = more ? now_ns + HOUR_NS : HOUR_NEVER };
}

/* As records have it. */
static inline uint32_t hour_seconds(uint64_t since_ns, uint64_t now_ns)
{
	uint64_t s = (now_ns - since_ns) / SECOND_NS;

	return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

#endif
