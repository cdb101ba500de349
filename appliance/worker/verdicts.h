/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends the decisions of the inspector to the kernel. It uses the prepared messages of this worker,
 * its forms (worker/form.h), and decides several packets of one queue with one send. Each decision
 * is also reported to the gate through the ring, so that the gate can notice forgotten packets. The
 * gate sends verdicts that the worker may not send (the cut lane) or that the kernel did not take.
 * A worker whose gate has given it up sends nothing more.
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

/* The largest number of packets that one verdict decides. Packets with different verdicts take
 * several sends. */
#define VERDICTS_MOST 64u

/* Starts zeroed. */
struct verdicts {
	/* this worker has forms; otherwise the gate sends all verdicts */
	bool forms;
	uint32_t open[LANE_COUNT][LANE_SLOTS]; /* packets taken and not decided yet */
	/* Verdicts that verdicts_flush will send: n packets of one queue, in the order of their
	 * ids, that all go on, or one packet that does not. */
	uint32_t n;
	struct form_entry entries[VERDICTS_MOST];
	struct form_entry all; /* one verdict for all of them */
	bool same;	       /* `all` can be used, because permit and outcome fit all of them */
	uint16_t queue;
	int fd;
};

struct worker;

/* Notes that a packet was read from this queue and will be decided. */
void verdicts_taken(struct verdicts *v, uint16_t queue);
/* The lane has another socket now: forgets packets that were read from the old one. */
void verdicts_forget(struct verdicts *v, uint32_t lane);
/* Decides a packet of this queue; `fd` is its lane's socket. */
void verdicts_decide(struct worker *w, int fd, uint16_t queue, uint32_t id, enum outcome o, uint32_t permit);
/* Sends the verdicts that are not sent yet. */
void verdicts_flush(struct worker *w);

#endif
