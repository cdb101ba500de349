/* SPDX-License-Identifier: Apache-2.0 */
/* The disk of the machine, and the moments at which its power can go. */
#ifndef SEKISHO_TESTS_LIFE_DISK_H
#define SEKISHO_TESTS_LIFE_DISK_H

#include <stdbool.h>
#include <stdint.h>

struct disk {
	uint64_t moments; /* number of moments that the daemon has passed since the life began */
	uint64_t off_at;  /* the moment at which the power fails; 0 = never */
	/* number of files that were renamed into place before their bytes were synced */
	uint64_t unsynced;
};

extern struct disk disk;

/* The power has failed. `renamed`: the last rename is on the disk, even if it was not synced. */
void disk_power_lost(bool renamed);

#endif
