/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time for replay: that of the capture while one is being read, the kernel's otherwise. It stands
 * in for base/clock.c in `sekisho`, so that deadlines and timeouts of the inspector run as they did
 * when the packets were seen.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_CLOCK_H
#define SEKISHO_MGMT_CLI_REPLAY_CLOCK_H

#include <stdint.h>

/* Moves the capture's time; captures whose times run backwards stand still instead. */
void replay_clock_set(uint64_t wall_ns);
/* Back to the kernel's clocks. */
void replay_clock_clear(void);

#endif
