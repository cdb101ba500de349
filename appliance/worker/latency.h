/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures how long inspection takes: from the moment when the worker begins to read a packet's
 * batch until the verdicts of that batch have been sent. The time in the queue before that is not
 * known, because the kernel does not time-stamp queued packets. The measurement needs two readings
 * of the clock for each batch, and no allocation. A packet that waits for earlier bytes (at most 10
 * ms) is counted with the batch in which it arrived. Pure.
 */
#ifndef SEKISHO_WORKER_LATENCY_H
#define SEKISHO_WORKER_LATENCY_H

#include <stdint.h>

#include "appliance/wire/lane.h"

/* four for each doubling of the time, from 1 us on; the last one is for all times beyond 25 s */
#define LATENCY_STEPS 100u
#define LATENCY_WINDOW_NS 60000000000ull

struct latency {
	struct latency_share {
		uint64_t packets, sum_ns, steps[LATENCY_STEPS]; /* since the worker began */
		struct latency_window {
			uint64_t max_ns;
			uint64_t steps[LATENCY_STEPS];
		} windows[2]; /* by minute % 2: the present minute and the one before */
	} shares[LANE_SHARES];
	uint64_t minute; /* the present minute; its window is windows[minute % 2] */
	/* number of packets that latency_told has reported, and when it may report again */
	uint64_t told, told_at;
};

/* The values of the last one to two minutes. Each is the upper end of a step, so it is at most a
 * quarter too large; 0 = there were no packets. */
struct latency_recent {
	uint64_t p50_ns, p99_ns, max_ns;
};

/* Notes that `n` packets of a lane with that share took `ns` each. `now`: monotonic ns. */
void latency_note(struct latency *l, uint32_t share, uint32_t n, uint64_t ns, uint64_t now);
struct latency_recent latency_recent(struct latency *l, uint32_t share, uint64_t now);
/* To be called often. Once a minute it returns the number of packets, over all shares, since it
 * last did so; otherwise 0. *ret_p99_ns: the largest 99th percentile of all shares. */
uint64_t latency_told(struct latency *l, uint64_t now, uint64_t *ret_p99_ns);
/* Nanoseconds until latency_told may return a number; UINT64_MAX = there are no new packets. */
uint64_t latency_due(const struct latency *l, uint64_t now);
/* How many packets took at most `us` microseconds, a power of two. */
uint64_t latency_within(const struct latency *l, uint32_t share, uint32_t us);

#endif
