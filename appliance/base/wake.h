/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wake-up of a poll loop: a descriptor that becomes readable at a set time, so that the
 * loop can poll without a time-out.
 *
 * If a loop that is woken for every packet polled with a time-out, each poll could set the
 * processor's timer twice, which costs time. A wake-up is set once and comes whether or not the
 * loop slept since. It owns its descriptor. Setting it costs nothing while it is set for an earlier
 * time; the loop then wakes, finds nothing due, and sets it again. This module never reads a clock:
 * times are those of clock_mono.
 */
#ifndef SEKISHO_BASE_WAKE_H
#define SEKISHO_BASE_WAKE_H

#include <stdint.h>

#include "appliance/base/clock.h"

struct wake {
	int fd;
	uint64_t at_ns; /* the time for which it is set; UINT64_MAX = not set */
};

/* Opens the descriptor; to be called before the sandbox closes. 0 or negative errno. */
int wake_open(struct wake *a);
/* Sets it to `at`, unless it is set for an earlier time. 0 or negative errno. */
int wake_by(struct wake *a, struct mono at);
/* To be called when the descriptor is readable. Afterwards it is not set. */
void wake_rang(struct wake *a);

#endif
