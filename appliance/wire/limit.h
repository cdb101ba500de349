/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The number in a refused command that was outside the limits of the best row, and what this row
 * allows: "wrote 9 to holding 400; allowed 0 to 1". The evaluator fills it in, an event carries it,
 * JSON and texts show it.
 */
#ifndef SEKISHO_WIRE_LIMIT_H
#define SEKISHO_WIRE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

enum limit_what {
#define LIMIT(id, ...) id,
#include "appliance/wire/limit.def"
	LIMIT_WHAT_COUNT
};

#define LIMIT_RANGES 2u /* number of ranges for which a record has room */

struct limit {
	uint8_t what; /* enum limit_what */
	/* how many ranges are allowed, at most 255; the first LIMIT_RANGES of them are below */
	uint8_t n;
	/* LIMIT_ADDRESS: the first address outside the limits; LIMIT_VALUE: the first address whose
	 * value is outside; LIMIT_TARGET: the index of the target */
	uint64_t at;
	uint64_t wrote; /* LIMIT_VALUE: the written value */
	struct {
		uint64_t lo, hi; /* both inclusive */
	} allowed[LIMIT_RANGES];
};

/* Adds an allowed range; one that finds no room is only counted. */
static inline void limit_allow(struct limit *l, uint64_t lo, uint64_t hi)
{
	if (l->n < LIMIT_RANGES) {
		l->allowed[l->n].lo = lo;
		l->allowed[l->n].hi = hi;
	}
	if (l->n < UINT8_MAX)
		l->n++;
}

#endif
