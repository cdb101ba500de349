/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/replay/clock.h"

#include <stdbool.h>
#include <time.h>

#include "appliance/base/clock.h"

/* One clock for the program, like the kernel's; replaces appliance/base/clock.c at link time. */
static struct {
	bool set;
	uint64_t ns;
} capture_time;

void replay_clock_set(uint64_t wall_ns)
{
	if (!capture_time.set || wall_ns > capture_time.ns)
		capture_time.ns = wall_ns;
	capture_time.set = true;
}

void replay_clock_clear(void)
{
	capture_time.set = false;
	capture_time.ns = 0;
}

static uint64_t kernel_ns(clockid_t which)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(which, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct mono clock_mono(void)
{
	return (struct mono){ .ns = capture_time.set ? capture_time.ns : kernel_ns(CLOCK_MONOTONIC) };
}

uint64_t clock_wall_ns(void)
{
	return capture_time.set ? capture_time.ns : kernel_ns(CLOCK_REALTIME);
}
