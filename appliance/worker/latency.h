/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What inspection costs a packet: from when its worker turned to read the batch it came in until the verdicts of that batch were said. How long it had waited in its
 * queue before that nobody knows, since the kernel gives packets no time. Two readings of the clock a batch, no allocation. A packet that waits for those
 * before it (at most 10 ms) counts with the batch that it came in. Pure.
 */
#ifndef SEKISHO_WORKER_LATENCY_H
#define SEKISHO_WORKER_LATENCY_H

#include <stdint.h>

#include "appliance/wire/lane.h"

#define LATENCY_STEPS 100u /* four an octave, from 1 us on; the last one is all beyond 25 s */
#define LATENCY_WINDOW_NS 60000000000ull

struct latency {
	struct latency_share {
		uint64_t packets, sum_ns, steps[LATENCY_STEPS]; /* since the worker began */
		struct latency_window {
			uint64_t max_ns;
			uint64_t steps[LATENCY_STEPS];
		} windows[2]; /* of this minute and of the one before, by turns */
	} shares[LANE_SHARES];
	uint64_t minute; /* that windows[minute % 2] is of */
};

/* Of the last minute or two, up to now. A step's upper end, so at most a fifth too much; 0 = there was none. */
struct latency_recent {
	uint64_t p50_ns, p99_ns, max_ns;
};

/* `n` packets of a lane of that share, each so long, at `now` (monotonic ns). */
void latency_note(struct latency *l, uint32_t share, uint32_t n, uint64_t ns, uint64_t now);
struct latency_recent latency_recent(struct latency *l, uint32_t share, uint64_t now);
/* Packets that took at most so many us; a power of two. */
uint64_t latency_within(const struct latency *l, uint32_t share, uint32_t us);

#endif
