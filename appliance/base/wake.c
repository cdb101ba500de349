/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/wake.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000u

int wake_open(struct wake *a)
{
	*a = (struct wake){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), .at_ns = UINT64_MAX };
	return a->fd >= 0 ? 0 : -errno;
}

int wake_by(struct wake *a, struct mono at)
{
	/* A time of zero would disarm the timer. */
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(at.ns / SECOND),
						 .tv_nsec = (long)(at.ns % SECOND) | 1 } };

	if (at.ns >= a->at_ns)
		return 0;
	if (timerfd_settime(a->fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		return -errno;
	a->at_ns = at.ns;
	return 0;
}

void wake_rang(struct wake *a)
{
	uint64_t times;

	/* If there is nothing to read, the timer was set anew meanwhile, and will fire again. */
	if (read(a->fd, &times, sizeof(times)) == (ssize_t)sizeof(times))
		a->at_ns = UINT64_MAX;
}
