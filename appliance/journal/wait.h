/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that wait for room on the disk: a fixed amount of memory, ordered by gravity. When it is full the least grave go, of those
 * the newest; what went is counted by class, with the time of the first and the last, until somebody says that it was told.
 * What only says how many records of a role were lost before becomes one with those of the same role, and goes only when it finds
 * no place at all: then its count is kept.
 * Journal role only; pure.
 */
#ifndef SEKISHO_JOURNAL_WAIT_H
#define SEKISHO_JOURNAL_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

#define WAIT_SLOTS 256u

/* The gravest first. */
enum wait_class {
	WAIT_POLICY,  /* who changed what the box enforces */
	WAIT_BOX,     /* drift, roles, the machine; records that are gone */
	WAIT_OTHER,   /* what else the box says of itself, and counts of accepted commands */
	WAIT_TRAFFIC, /* what peers cause: packets, commands, sessions, clients of the API */
	WAIT_CLASSES
};
/* The last for which the reserve (reserve.h) is there. */
#define WAIT_GRAVE WAIT_BOX

struct wait_record {
	struct event event;
	enum role from;
	uint64_t records; /* that it is the sum of; 1 = it is itself */
	uint64_t number;  /* in the order in which they came; 0 = the place is free */
};

struct wait_dropped {
	uint64_t first_ns, last_ns; /* wall clock, by the records' own time; nothing went: 0 */
	uint64_t of[WAIT_CLASSES];  /* records */
	uint64_t packets;	    /* or requests, that those of WAIT_TRAFFIC were of */
	uint64_t lost;		    /* that those which say of records that were lost before said */
};

/* Start from zero bytes. */
struct wait {
	struct wait_record slots[WAIT_SLOTS];
	size_t n[WAIT_CLASSES];
	uint64_t numbers; /* given out */
	struct wait_dropped dropped;
};

const char *wait_class_word(enum wait_class c);
enum wait_class wait_class_of(const struct event *e);
void wait_in(struct wait *w, const struct event *e, enum role from, uint64_t records);
/* Of the gravest, as far as `to`, the one that came first; NULL = none. Stays until wait_taken. */
const struct wait_record *wait_first(const struct wait *w, enum wait_class to);
void wait_taken(struct wait *w, const struct wait_record *r);
/* All that are less grave than `kept` go, counted. */
void wait_drop(struct wait *w, enum wait_class kept);
size_t wait_count(const struct wait *w);
/* Records that went and are not told yet. */
uint64_t wait_dropped(const struct wait *w);
/* They were told. */
void wait_told(struct wait *w);

#endif
