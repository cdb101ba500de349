/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. Monotonic time drives timers and limits. Wall time is for records, and for times that a
 * policy names. `clock.c` reads the kernel's clocks; replay links `mgmt/cli/replay/clock.c`
 * instead, where time is that of the capture.
 */
#ifndef SEKISHO_BASE_CLOCK_H
#define SEKISHO_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct mono {
	uint64_t ns; /* since an arbitrary start; never steps */
};

struct mono clock_mono(void);
uint64_t clock_wall_ns(void); /* since 1970-01-01 UTC */

uint64_t clock_boot_ns(void); /* since the machine's start, with the time in which it slept */

/* clock_wall_ns in seconds. */
static inline uint64_t clock_wall_s(void)
{
	return clock_wall_ns() / 1000000000u;
}

#define CLOCK_STEP_NS 1000000000ull /* a smaller sum of steps is an adjustment */

/* Both clocks at the last reported step, or at the first call. Starts as zeros. */
struct clock_pair {
	struct mono mono;
	uint64_t wall_ns;
};

/*
 * True when wall time was set, or the machine slept, since the last report: wall time and monotonic
 * time have advanced by different amounts. Small steps add up. Slewing moves both clocks alike, and
 * is not reported.
 */
static inline bool clock_was_set(struct clock_pair *last, struct mono now, uint64_t wall_ns)
{
	uint64_t due = last->wall_ns + (now.ns - last->mono.ns);
	uint64_t apart = wall_ns > due ? wall_ns - due : due - wall_ns;
	bool first = last->mono.ns == 0;

	if (!first && apart <= CLOCK_STEP_NS)
		return false;
	*last = (struct clock_pair){ .mono = now, .wall_ns = wall_ns };
	return !first;
}

#endif
