/* SPDX-License-Identifier: Apache-2.0 */
/* What a session has asked for and got since it began, by kinds: to be judged again when its policy is about to change. */
#ifndef SEKISHO_DPI_INSPECT_DEEDS_H
#define SEKISHO_DPI_INSPECT_DEEDS_H

#include "dpi/judge.h"

#define DEEDS_MAX 12u /* operations remembered per flow over its whole life */

/* A kind of operation that went by. Those of one group stand behind each other. */
struct deed {
	struct operation operation; /* what it wrote as the least and the largest value so far */
	uint64_t count;
	uint32_t n;	/* operations of the group that begins here; 0: belongs to the one before it */
	uint32_t wrong; /* enum reason: a request that made no sense */
};

struct deeds {
	struct deed deeds[DEEDS_MAX];
	uint32_t n;
	uint64_t more; /* groups that found no place */
};

/* A request that passes, or would have passed but for its flow's end. */
void deeds_remember(struct deeds *all, const struct parsed *p);
/* To come back to; only what is in use is copied. */
void deeds_copy(struct deeds *to, const struct deeds *from);
/* `each` is called for every kind of group that these rows refuse. */
void deeds_judge_again(const struct deeds *all, const struct enforcer *e, const struct command_table *t,
		       const struct command_permit *permit,
		       void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx);

#endif
