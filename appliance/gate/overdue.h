/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds packets of a queue that a worker leaves without a verdict although its loop runs. Packet
 * ids increase by one, and a worker reads packets in order. So a worker that has decided a packet
 * has read all earlier ones; it may hold each of them for 10 ms. Pure. The gate has one struct
 * overdue for each queue, and zeroes it for every new worker.
 */
#ifndef SEKISHO_GATE_OVERDUE_H
#define SEKISHO_GATE_OVERDUE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/role/outstanding.h"
#include "appliance/wire/lane.h"

#define OVERDUE_NS 100000000u
/* A worker with fewer heartbeats than this had no core for part of the time. */
#define OVERDUE_BEATS 8u

/* The queues of one socket, which share one order of arrival. */
struct overdue_lane {
	uint64_t verdicts; /* all verdicts so far, on packets of all these queues */
	uint64_t waiting;  /* packets that wait in all these queues now */
};

struct overdue {
	/* `mark` is set, because packets waited at the last look */
	bool marked;
	uint32_t mark;	    /* the newest id when the mark was set */
	uint32_t lost;	    /* ids that had no packet by then */
	uint32_t behind;    /* verdicts since then on packets newer than the mark */
	uint32_t verdicts;  /* verdicts since the last look */
	uint64_t quiet_ns;  /* time without a verdict on this queue */
	uint64_t behind_ns; /* time since `behind` is not 0 */
	uint32_t quiet_beats, behind_beats;
	/* number of verdicts of the lane after which this queue's turn has come: by then all
	 * packets that waited before `quiet_ns` began could have been decided */
	uint64_t turn;
	uint64_t seen;	     /* verdicts of the lane at the last look */
	uint64_t stalled_ns; /* time without a verdict in the whole lane */
	uint32_t stalled_beats;
};

/* Notes that the worker has decided this packet. */
void overdue_verdict(struct overdue *o, uint32_t id);
/* Takes the present state of the queue and of the lane, and the time and the worker's heartbeats
 * since the last look. True: the worker has left packets without a verdict for OVERDUE_NS. Packets
 * that only wait behind many others of the lane do not count. */
bool overdue_look(struct overdue *o, const struct queue_state *q, const struct overdue_lane *lane, uint64_t passed_ns,
		  uint32_t beats);

#endif
