/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock for replay: the time of the capture while one is read, else the kernel's time.
 * Replaces base/clock.c in `sekisho`, so that the inspector's deadlines and timeouts run as when
 * the packets were captured.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_CLOCK_H
#define SEKISHO_MGMT_CLI_REPLAY_CLOCK_H

#include <stdint.h>

/* Sets the capture's time. When times in a capture run backwards, the clock stands still. */
void replay_clock_set(uint64_t wall_ns);
/* Returns to the kernel's clocks. */
void replay_clock_clear(void);

#endif
