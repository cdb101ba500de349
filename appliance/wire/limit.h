/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which number of a refused command was outside of the row that came nearest, and what that row would have allowed: "wrote 9
 * to holding 400; allowed 0 to 1". The evaluator fills it, an event carries it, JSON and texts show it.
 */
#ifndef SEKISHO_WIRE_LIMIT_H
#define SEKISHO_WIRE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

enum limit_what {
	LIMIT_NONE = 0, /* no single number was */
	LIMIT_TARGET,	/* whom it was for */
	LIMIT_ADDRESS,
	LIMIT_VALUE,
	LIMIT_ADDRESS_UNTOLD, /* the command does not say which addresses it touches */
	LIMIT_VALUE_UNTOLD,   /* what the device holds after it cannot be known */
	LIMIT_WROTE,	      /* no limit: of accepted operations, from the least to the largest value written */
	LIMIT_WHAT_COUNT
};

#define LIMIT_RANGES 2u /* that a record has room for */

struct limit {
	uint8_t what; /* enum limit_what */
	uint8_t n;    /* how many ranges are allowed, at most 255; the first LIMIT_RANGES of them are below */
	uint64_t
		at; /* LIMIT_ADDRESS, LIMIT_VALUE: the first address that is wrong, or whose value is; LIMIT_TARGET: which target */
	uint64_t wrote; /* LIMIT_VALUE */
	struct {
		uint64_t lo, hi; /* both inclusive */
	} allowed[LIMIT_RANGES];
};

/* One more allowed range: what finds no room is only counted. */
static inline void limit_allow(struct limit *l, uint64_t lo, uint64_t hi)
{
	if (l->n < LIMIT_RANGES) {
		l->allowed[l->n].lo = lo;
		l->allowed[l->n].hi = hi;
	}
	if (l->n < UINT8_MAX)
		l->n++;
}

void limit_encode(const struct limit *l, struct outbuf *o);
/* False when `what` is out of range. */
bool limit_decode(struct bytes *b, struct limit *ret);
/* The upper 32 bits of its numbers, which stand elsewhere; what was decoded gets them. */
void limit_encode_high(const struct limit *l, struct outbuf *o);
bool limit_decode_high(struct bytes *b, struct limit *ret);

#endif
