/* SPDX-License-Identifier: Apache-2.0 */
/* A worker and its gate: what outlives their processes. */
#ifndef SEKISHO_SUPERVISE_PAIR_H
#define SEKISHO_SUPERVISE_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/role/vigil.h"
#include "appliance/wire/mark.h"

struct kept_counts;
struct pulse;

struct pair {
	bool wanted;
	uint8_t slots; /* slots of every lane of its kind; unchanged while this daemon runs */
	/* a socket for its slots of each lane, -1 = none; they stay open when the pair dies */
	int queues[LANE_COUNT];
	int ring, wake;			/* ring and eventfd of the living worker, -1 = none */
	int kept_fd;			/* what its successive workers count; -1 = none */
	const struct kept_counts *kept; /* NULL = none */
	int pulse_fd;			/* pulse of its successive gates; -1 = none */
	struct pulse *pulse;
	uint32_t pulse_seen;
	struct vigil vigil; /* time since the pulse last moved */
	bool poked;	    /* the gate has been sent something since the pulse last moved */
	bool refuses;	    /* its last acknowledgement was not of this table */
	/* outstanding acknowledgements of this table and earlier ones */
	uint32_t owed;
	struct vigil table; /* time since an acknowledgement has been awaited; watch.c */
	bool awaited;
	bool acked;
	bool distrusted; /* the worker hung or broke rules: nothing that it lent outlives it */
};

#endif
