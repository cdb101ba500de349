/* SPDX-License-Identifier: Apache-2.0 */
/* What a session has asked for and got since it began, by kinds: to be judged again when its policy is about to change. */
#ifndef SEKISHO_DPI_INSPECT_DEEDS_H
#define SEKISHO_DPI_INSPECT_DEEDS_H

#include "dpi/protocol.h"

#define DEEDS_MAX 12u /* kinds of requests remembered per flow over its whole life */

struct deeds {
	struct deed deeds[DEEDS_MAX];
	uint32_t n;
	uint64_t more; /* that found no place */
};

/* A request that passes, or would have passed but for its flow's end. */
void deed_remember(struct deeds *all, const struct enforcer *e, struct bytes pdu);
/* `each` is called for every kind of request that these rows refuse. */
void deeds_judge_again(const struct deeds *all, const struct enforcer *e, const struct command_table *t,
		       const struct command_permit *permit,
		       void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx);

#endif
