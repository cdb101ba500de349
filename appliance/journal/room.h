/* SPDX-License-Identifier: Apache-2.0 */
/* The disk: how full it is, its reserve, and what waits for room. room.c keeps it. */
#ifndef SEKISHO_JOURNAL_ROOM_H
#define SEKISHO_JOURNAL_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/event.h"
#include "appliance/wire/role.h"

struct err;

/*
 * How full the file system of the records is, and when it will be full. "Nearly full" begins at 90
 * % of its bytes or files and ends below 85 %, so that small changes do not cause repeated alarms.
 * The time until it is full is computed from the growth within the last day, if there was growth
 * and a day has been seen. That includes the daily backup and the deletion of records. Only
 * disk_read reads the disk.
 */

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

/*
 * Room on the disk that is reserved for serious records: the file `reserve`, whose blocks are
 * allocated but unused. When the disk is full, the reserve is given back piece by piece; it is
 * built again when there is room. Journal role only.
 *
 * There is no reserve if the file system cannot allocate blocks without writing.
 */

#define RESERVE_BYTES (1u << 20) /* bytes; about 1,400 records */
#define RESERVE_SHARE 64u	 /* the reserve is at most 1/64 of the file system */
/* bytes given back at a time, because other programs may use the room first */
#define RESERVE_PIECE 4096u

/* All zeros: there is no reserve, and none is wanted. */
struct reserve {
	int dirfd;     /* borrowed */
	int fd;	       /* -1: not open */
	bool wanted;   /* a reserve is wanted and possible */
	uint64_t size; /* bytes that are allocated */
	uint64_t whole;
};

/* Begins a reserve; blocks that the file has stay allocated. reserve_build completes it. */
void reserve_begin(int dirfd, struct reserve *r);
void reserve_end(struct reserve *r);
/* Completes the reserve. 0 = it is complete, or not possible; negative errno: it is unchanged. */
int reserve_build(struct reserve *r, struct err *e);
/* Gives a piece back. False: nothing is left. */
bool reserve_release(struct reserve *r);

/*
 * Records that wait for room on the disk: a fixed amount of memory, ordered by class. When it is
 * full, a record of the least serious class is dropped, the newest first. Dropped records are
 * counted by class, with the times of the first and the last, until wait_told. Reports of lost
 * records of the same role are merged. Such a report is dropped only when no slot can be freed for
 * it, and its count is then kept. Journal role only; pure.
 */

#define WAIT_SLOTS 256u

/* Classes, the most serious first. */
enum wait_class {
	WAIT_POLICY,  /* changes of what the box enforces */
	WAIT_BOX,     /* drift, roles, the machine; missing records */
	WAIT_OTHER,   /* other events of the box, and counts of accepted commands */
	WAIT_TRAFFIC, /* events caused by hosts: packets, commands, sessions, clients of the API */
	WAIT_CLASSES
};
/* The least serious class that may use the reserve (room.c). */
#define WAIT_GRAVE WAIT_BOX

struct wait_record {
	struct event event;
	enum role from;
	uint64_t records; /* number of records of which this is the sum; 1 = a single record */
	uint64_t number;  /* order of arrival; 0 = a free slot */
};

struct wait_dropped {
	/* times of the first and the last dropped record, by their own wall time; 0 = none was
	 * dropped */
	uint64_t first_ns, last_ns;
	uint64_t of[WAIT_CLASSES]; /* records */
	/* packets or requests that the dropped records of WAIT_TRAFFIC stand for */
	uint64_t packets;
	uint64_t lost; /* lost records that the dropped reports counted */
};

/* Start from zero bytes. */
struct wait {
	struct wait_record slots[WAIT_SLOTS];
	size_t n[WAIT_CLASSES];
	uint64_t numbers; /* numbers given so far */
	struct wait_dropped dropped;
};

const char *wait_class_word(enum wait_class c);
enum wait_class wait_class_of(const struct event *e);
void wait_in(struct wait *w, const struct event *e, enum role from, uint64_t records);
/* The first record of the most serious class, down to class `to`; NULL = none. It stays until
 * wait_taken. */
const struct wait_record *wait_first(const struct wait *w, enum wait_class to);
void wait_taken(struct wait *w, const struct wait_record *r);
/* Drops and counts all records that are less serious than `kept`. */
void wait_drop(struct wait *w, enum wait_class kept);
size_t wait_count(const struct wait *w);
/* The number of dropped records that are not reported yet. */
uint64_t wait_dropped(const struct wait *w);
/* The dropped records have been reported. */
void wait_told(struct wait *w);

#endif
