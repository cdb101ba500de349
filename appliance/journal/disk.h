/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How full the file system of the records is, and when it will be full. "Nearly full" begins at 90
 * % of its bytes or files and ends below 85 %, so that small changes do not cause repeated alarms.
 * The time until it is full is computed from the growth within the last day, if there was growth
 * and a day has been seen. That includes the daily backup and the deletion of records. Only
 * disk_read reads the disk.
 */
#ifndef SEKISHO_JOURNAL_DISK_H
#define SEKISHO_JOURNAL_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define DISK_LOOK_NS 10000000000ull
#define DISK_HOURS 24u

/* The room that the journal can use. Blocks that the file system reserves for root count as neither
 * used nor free. */
struct disk_room {
	uint64_t bytes, free;
	uint64_t files, files_free; /* files 0 = no limit */
};

enum disk_change { DISK_SAME, DISK_NEARLY_FULL, DISK_ROOM_AGAIN };

struct disk {
	bool known; /* the last reading succeeded */
	struct disk_room room;
	bool near;
	uint64_t since_ns;	   /* wall ns since when it is nearly full */
	uint64_t used[DISK_HOURS]; /* bytes used at each of the last full hours, a ring buffer */
	uint64_t n;		   /* hours seen */
	uint64_t hour_at;	   /* monotonic ns: when the next hour is stored */
};

/* 0, or negative errno. */
int disk_read(int dirfd, struct disk_room *ret);
/* Bytes that the files of that folder take; 0 also when it cannot be read. */
uint64_t disk_of_folder(int dirfd);
/* Takes a reading. `room` NULL: the disk could not be read; the state does not change then. */
enum disk_change disk_take(struct disk *d, const struct disk_room *room, uint64_t now, uint64_t wall_ns);
/* Percent in use, rounded down, of bytes or of files, whichever is larger; 100 = nothing is
 * left. */
unsigned disk_used_percent(const struct disk *d);
/* Seconds until it is full at the rate of the last day; 0 = not known, or no growth. */
uint64_t disk_full_in(const struct disk *d);

#endif
