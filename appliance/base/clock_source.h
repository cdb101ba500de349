/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine says of its clock: whether somebody keeps it right, and what the clock with the battery shows. Both are only read; neither
 * needs privileges. Whoever is denied the question hears "unknown", which counts as no.
 */
#ifndef SEKISHO_BASE_CLOCK_SOURCE_H
#define SEKISHO_BASE_CLOCK_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

enum clock_sync { CLOCK_SYNC_UNKNOWN, CLOCK_SYNC_NO, CLOCK_SYNC_YES };

/* The kernel's own word, which a time daemon gives and the kernel takes back when nobody renews it (adjtimex(2), STA_UNSYNC). */
enum clock_sync clock_synchronised(void);
/* Seconds since 1970 by the machine's first clock with a battery; false when it has none, or it cannot be read. */
bool clock_battery(uint64_t *ret_s);

#endif
