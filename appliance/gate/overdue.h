/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of one queue that a worker leaves without a verdict although it turns. Ids rise by one and a worker reads them in
 * order, so what was there before a packet that it has decided was read too; it may keep that for 10 ms. Pure: numbers in,
 * an answer out. Used by the gate, one for each lane; starts zeroed and again with every worker.
 */
#ifndef SEKISHO_GATE_OVERDUE_H
#define SEKISHO_GATE_OVERDUE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/gate/outstanding.h"

#define OVERDUE_NS 100000000u
/* A worker that turned less often had no core for the rest of the time. */
#define OVERDUE_BEATS 8u

/* The queues that one socket brings, in the order in which packets came to any of them. */
struct overdue_lane {
	uint64_t verdicts; /* ever, on packets of all of them */
	uint64_t waiting;  /* in all of them, now */
};

struct overdue {
	bool marked;	    /* packets waited at the last look; the rest counts from a look on */
	uint32_t mark;	    /* the newest id then */
	uint32_t lost;	    /* ids that no packet had, then */
	uint32_t behind;    /* verdicts since on newer packets */
	uint32_t verdicts;  /* since the last look */
	uint64_t quiet_ns;  /* without a verdict */
	uint64_t behind_ns; /* since one on a newer packet was seen */
	uint32_t quiet_beats, behind_beats;
	uint64_t turn;	     /* with so many verdicts of the lane all is decided that waited before the quiet */
	uint64_t seen;	     /* verdicts of the lane at the last look */
	uint64_t stalled_ns; /* without a verdict in the whole lane */
	uint32_t stalled_beats;
};

/* The worker has decided this packet. */
void overdue_verdict(struct overdue *o, uint32_t id);
/* What is in the queue and its lane now, how long after the last look, and how often the worker has turned since. True: it has left
 * packets without a verdict for OVERDUE_NS, all of them or some. What only waits behind a crowd in the same lane is not left. */
bool overdue_look(struct overdue *o, const struct queue_state *q, const struct overdue_lane *lane, uint64_t passed_ns,
		  uint32_t beats);

#endif
