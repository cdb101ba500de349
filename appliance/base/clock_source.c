/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/clock_source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <unistd.h>

#define BATTERY "/sys/class/rtc/rtc0/since_epoch"

enum clock_sync clock_synchronised(void)
{
	struct timex t = { .modes = 0 };
	int state = adjtimex(&t);

	if (state < 0)
		return CLOCK_SYNC_UNKNOWN;
	return state != TIME_ERROR && (t.status & STA_UNSYNC) == 0 ? CLOCK_SYNC_YES : CLOCK_SYNC_NO;
}

bool clock_error(uint64_t *ret_us)
{
	struct timex t = { .modes = 0 };
	int state = adjtimex(&t);
	long offset = (t.status & STA_NANO) != 0 ? t.offset / 1000 : t.offset;

	*ret_us = (uint64_t)labs(offset) + (uint64_t)(t.esterror > 0 ? t.esterror : 0);
	return state >= 0 && state != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
}

int clock_battery_open(void)
{
	return open(BATTERY, O_RDONLY | O_CLOEXEC);
}

bool clock_battery(int fd, uint64_t *ret_s)
{
	char text[32], *end;
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false;
	text[n] = 0;
	*ret_s = strtoull(text, &end, 10);
	return end != text && (*end == '\n' || *end == 0);
}
