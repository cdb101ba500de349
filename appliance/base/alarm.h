/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alarm clock for a poll loop: a descriptor that becomes readable by a time, so that the loop can sleep without one.
 *
 * A loop that sleeps and is woken for every packet pays for a time-out each time, up to two settings of the processor's
 * timer; an alarm is set once and goes off whether the loop slept since or not. It owns its descriptor. Setting it costs
 * nothing while it is set for an earlier time anyway; the loop then wakes, finds nothing due, and sets it again. It never
 * reads a clock: times are those of clock_mono.
 */
#ifndef SEKISHO_BASE_ALARM_H
#define SEKISHO_BASE_ALARM_H

#include <stdint.h>

#include "appliance/base/clock.h"

struct alarm {
	int fd;
	uint64_t at_ns; /* what it is set for; UINT64_MAX = not set */
};

/* Before the sandbox closes. 0 or negative errno. */
int alarm_open(struct alarm *a);
/* It goes off at `at` or earlier. 0 or negative errno. */
int alarm_by(struct alarm *a, struct mono at);
/* To be called when the descriptor is readable: it is not set any more. */
void alarm_rang(struct alarm *a);

#endif
