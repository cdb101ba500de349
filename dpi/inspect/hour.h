/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When sums become records: an hour after the first of them began, or as soon as their generation
 * is over. The records are written in portions, so that the records of all workers find room in the
 * journal's socket. The caller keeps the sums in places 0 to n - 1 and writes their records; this
 * module only says when, and keeps the position.
 */
#ifndef SEKISHO_DPI_INSPECT_HOUR_H
#define SEKISHO_DPI_INSPECT_HOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/clock.h"

#define HOUR_NS (3600u * (uint64_t)SECOND_NS)
#define HOUR_PACE_NS 10000000u /* ns between two portions */
#define HOUR_HELPING 64u       /* records in a portion */
#define HOUR_NEVER UINT64_MAX

struct hour {
	uint32_t at, end; /* while sums are written: index of the next one, and end */
	uint64_t due_ns;  /* when the next portion is due; HOUR_NEVER: there is nothing to write */
	bool writing;
};

/* There is at least one sum: starts the hour if it is not running. */
static inline void hour_runs(struct hour *h, uint64_t now_ns)
{
	if (h->due_ns == HOUR_NEVER)
		h->due_ns = now_ns + HOUR_NS;
}

/* The generation of all `n` sums has ended, including sums that began while others were
 * being written. */
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

/* A portion is written. True when there are more. */
static inline bool hour_pauses(struct hour *h, uint64_t now_ns)
{
	h->due_ns = now_ns + HOUR_PACE_NS;
	return h->at < h->end;
}

/* All sums are written. `more`: new sums began meanwhile. */
static inline void hour_over(struct hour *h, bool more, uint64_t now_ns)
{
	*h = (struct hour){ .due_ns = more ? now_ns + HOUR_NS : HOUR_NEVER };
}

/* The length of the span in seconds, as records have it. */
static inline uint32_t hour_seconds(uint64_t since_ns, uint64_t now_ns)
{
	uint64_t s = (now_ns - since_ns) / SECOND_NS;

	return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

#endif
