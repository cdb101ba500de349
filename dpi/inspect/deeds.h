/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of requests that a session made and that passed since it began, to be judged
 * again when its policy is about to change. */
#ifndef SEKISHO_DPI_INSPECT_DEEDS_H
#define SEKISHO_DPI_INSPECT_DEEDS_H

#include "dpi/judge.h"

#define DEEDS_MAX 12u /* operations remembered per flow over its whole life */

/* A kind of operation that has passed. The operations of one group are adjacent. */
struct deed {
	/* its values are the smallest and the largest one written so far */
	struct operation operation;
	uint64_t count;
	/* number of operations in the group that begins here; 0: belongs to the group before */
	uint32_t n;
	uint32_t wrong; /* enum reason: what was wrong with a malformed request */
};

struct deeds {
	struct deed deeds[DEEDS_MAX];
	uint32_t n;
	uint64_t more; /* number of groups that found no place */
	uint32_t last; /* bit n: the last request was counted in entry n */
};

/* Remembers a request that passes, or that would pass if its flow did not end. */
void deeds_remember(struct deeds *all, const struct parsed *p);
/* The request that was counted in these entries (bits as in `last`) passed `times` times more. */
void deeds_repeat(struct deeds *all, uint32_t which, uint64_t times);
/* Copies the entries in use, to restore them later. */
void deeds_copy(struct deeds *to, const struct deeds *from);
/* Calls `each` for every remembered group that these rows refuse. */
void deeds_judge_again(const struct deeds *all, const struct enforcer *e, const struct command_table *t,
		       const struct command_permit *permit,
		       void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx);

#endif
