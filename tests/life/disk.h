/* SPDX-License-Identifier: Apache-2.0 */
/* The disk of the machine, by the moments at which its power can go. */
#ifndef SEKISHO_TESTS_LIFE_DISK_H
#define SEKISHO_TESTS_LIFE_DISK_H

#include <stdbool.h>
#include <stdint.h>

struct disk {
	uint64_t moments;  /* that the daemon has passed since the life began */
	uint64_t off_at;   /* the one at which the power goes; 0 = it stays */
	uint64_t unsynced; /* files in place before their bytes were on the disk */
};

extern struct disk disk;

/* The power has gone. `renamed`: the last rename, if it was not synced yet, is on the disk. */
void disk_power_lost(bool renamed);

#endif
