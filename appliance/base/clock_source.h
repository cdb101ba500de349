/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the machine's clock: whether it is synchronised, and the time of the battery-backed
 * clock (RTC). Both are only read, without privileges. If the kernel denies access, the answer is
 * "unknown", which counts as no.
 */
#ifndef SEKISHO_BASE_CLOCK_SOURCE_H
#define SEKISHO_BASE_CLOCK_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

enum clock_sync { CLOCK_SYNC_UNKNOWN, CLOCK_SYNC_NO, CLOCK_SYNC_YES };

/* The kernel's state. A time daemon sets it to synchronised, and the kernel resets it when the
 * daemon does not renew it (adjtimex(2), STA_UNSYNC). */
enum clock_sync clock_synchronised(void);
/* By how many microseconds the clock may be wrong: what the kernel still has to correct, and the
 * error that the time daemon estimates. False: not known. */
bool clock_error(uint64_t *ret_us);
/* The machine's first RTC, opened before a sandbox closes; negative when there is none. */
int clock_battery_open(void);
/* Seconds since 1970 by that RTC. False when there is none, or it cannot be read. */
bool clock_battery(int fd, uint64_t *ret_s);

#endif
