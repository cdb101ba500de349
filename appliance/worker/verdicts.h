/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the inspector decided, on its way to the kernel: by a form of this worker's own (worker/form.h), several packets of one
 * queue in one send. The ring tells the gate of each: it watches that no packet is forgotten. A verdict that is not the worker's to say
 * (the cut lane), or that the kernel did not take, the gate says. A worker whose gate has given it up says nothing any more.
 *
 * Owns its counts; the ring and descriptors are borrowed. No allocation.
 */
#ifndef SEKISHO_WORKER_VERDICTS_H
#define SEKISHO_WORKER_VERDICTS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/lane.h"
#include "appliance/wire/ring.h"
#include "appliance/worker/form.h"

/* Packets that one verdict decides at most; those that differ take as many sends as forms have room for. */
#define VERDICTS_MOST 64u

/* Starts zeroed. */
struct verdicts {
	bool forms;			       /* this worker has them: without, the gate says everything */
	uint32_t open[LANE_COUNT][LANE_SLOTS]; /* packets taken and not decided yet */
	/* What verdicts_flush will say: n packets of one queue, in the order of their ids, that all go on, or one that does not. */
	uint32_t n;
	struct form_entry entries[VERDICTS_MOST];
	struct form_entry all; /* what one verdict says for all of them ... */
	bool same;	       /* ... if it may: one permit, and outcomes that it serves */
	uint16_t queue;
	int fd;
};

struct worker;

/* A packet was taken from this queue and will be decided. */
void verdicts_taken(struct verdicts *v, uint16_t queue);
/* The lane has another socket now: what was taken from the old one is nobody's. */
void verdicts_forget(struct verdicts *v, uint32_t lane);
/* Decides a packet of this queue; `fd` is its lane's socket. */
void verdicts_decide(struct worker *w, int fd, uint16_t queue, uint32_t id, enum outcome o, uint32_t permit);
/* Says what was decided and not said yet. */
void verdicts_flush(struct worker *w);

#endif
