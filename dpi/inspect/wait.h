/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that wait for the bytes before them: undecided, with a copy in the shared pool, in places that are divided like all
 * that is scarce. Nothing is decided here; inspect.c takes them out when their gap is filled or their time is over.
 */
#ifndef SEKISHO_DPI_INSPECT_WAIT_H
#define SEKISHO_DPI_INSPECT_WAIT_H

#include "dpi/inspect/crossing.h"

struct waits *waits_new(void); /* NULL when memory is out */
void waits_free(struct waits *w);
void waits_divide(struct waits *w, uint32_t used, bool whole); /* as flow_divide */
uint64_t waits_next_due(const struct waits *w);

/* What this packet says beside those of its flow that wait: STEP_ON when it agrees with them and is not there yet. */
MUST_SEND struct verdict wait_compare(struct crossing *x);
/* Keeps the packet: STEP_KEEP, or STEP_ON when there is no room for it. */
MUST_SEND struct verdict wait_keep(struct crossing *x);
/* What waits belongs to the flow's holder of now. */
void wait_move(struct inspector *i, uint32_t fi);

/* One that waits, by its place; SLOT_NONE when there is none such. */
uint32_t wait_ready(const struct inspector *i,
		    uint32_t fi); /* of a flow: nothing is missing for it, and it came first */
uint32_t wait_overdue(const struct inspector *i, uint32_t *ret_fi); /* of any: its time is over */

/* Taken out again, with its bytes in the packet room. */
struct taken {
	struct packet p;
	struct crossing x; /* of `p` */
	bool ahead;	   /* bytes before it were missing */
};

/* False when its permit is gone, or it cannot be read any more. */
bool wait_take(struct inspector *i, uint32_t place, struct taken *ret);
/* Takes out any of a flow's, without its bytes; false when none waits. */
bool wait_take_any(struct inspector *i, uint32_t fi, struct packet *ret);

#endif
