/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that wait for room on the disk: a fixed amount of memory, ordered by class. When it is
 * full, a record of the least serious class is dropped, the newest first. Dropped records are
 * counted by class, with the times of the first and the last, until wait_told. Reports of lost
 * records of the same role are merged. Such a report is dropped only when no slot can be freed for
 * it, and its count is then kept. Journal role only; pure.
 */
#ifndef SEKISHO_JOURNAL_WAIT_H
#define SEKISHO_JOURNAL_WAIT_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/event.h"
#include "appliance/wire/role.h"

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
