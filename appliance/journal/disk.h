/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How full the file system of the records is, and when it is going to be. Nearly full from 90 % of the room or of the files that it can have on, until less than 85 %
 * are used, so that what comes and goes at the brink is one alarm. When it is full is told from what came within the last day, once a day was seen and if it
 * has grown: a night's backup and the records that are deleted are in that, what nobody has done within a day is not. Only disk_read looks at the disk.
 */
#ifndef SEKISHO_JOURNAL_DISK_H
#define SEKISHO_JOURNAL_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define DISK_LOOK_NS 10000000000ull
#define DISK_HOURS 24u

/* As the journal can use it: what the file system keeps for root is neither used nor free. */
struct disk_room {
	uint64_t bytes, free;
	uint64_t files, files_free; /* 0 = it has no such limit */
};

enum disk_change { DISK_SAME, DISK_NEARLY_FULL, DISK_ROOM_AGAIN };

struct disk {
	bool known; /* the last look succeeded */
	struct disk_room room;
	bool near;
	uint64_t since_ns;	   /* wall: it is nearly full */
	uint64_t used[DISK_HOURS]; /* at each of the last full hours, a ring */
	uint64_t n;		   /* hours seen */
	uint64_t hour_at;	   /* monotonic: the next one */
};

/* 0, or negative errno. */
int disk_read(int dirfd, struct disk_room *ret);
/* What the files of that folder take of it; 0 as well when it cannot be read. */
uint64_t disk_of_folder(int dirfd);
/* NULL: it could not be read. Nothing begins or is over by that. */
enum disk_change disk_take(struct disk *d, const struct disk_room *room, uint64_t now, uint64_t wall_ns);
/* Of what can be used, rounded down: 100 = nothing is left. By files where more of them are used. */
unsigned disk_used_percent(const struct disk *d);
/* Seconds until it is full at the last day's rate; 0 = nobody can say, or it does not grow. */
uint64_t disk_full_in(const struct disk *d);

#endif
