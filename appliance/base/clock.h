/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. Monotonic time drives every decision; wall time is only written down. `clock.c` reads the kernel's clocks;
 * replay links `mgmt/cli/replay_clock.c` instead, where time is that of the capture.
 */
#ifndef SEKISHO_BASE_CLOCK_H
#define SEKISHO_BASE_CLOCK_H

#include <stdint.h>

struct mono {
	uint64_t ns; /* since an arbitrary start; never steps */
};

struct mono clock_mono(void);
uint64_t clock_wall_ns(void); /* since 1970-01-01 UTC */

#endif
