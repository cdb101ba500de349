/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doors of the policy in force that people have opened, each until a fixed moment. They are stored
 * in a file of state before enforce is told. After a restart, the box opens them again once its
 * clock is trusted, but never for longer. If the file cannot be read, no door is open. The kernel
 * shuts each door by itself; this module records that. If an apply shortens `at_most` or removes a
 * door, this takes effect at once.
 */
#ifndef SEKISHO_SUPERVISE_DOORS_H
#define SEKISHO_SUPERVISE_DOORS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/supervise/operation.h"

struct supervisor; /* supervise.h */
struct policy;	   /* policy.h */
struct msg;

struct door_order {
	uint8_t order;	 /* CHANGE_OPEN, CHANGE_SHUT or CHANGE_REVIEW_DOOR */
	uint32_t for_s;	 /* seconds; 0: the person agrees to another person's request */
	uint32_t duties; /* the roles of the person who orders it */
	char object[ISOLATE_OBJECT], person[DOOR_TEXT], ticket[DOOR_TEXT], comment[COMMENT_BYTES], by[USER_BY];
	char account[BY_BYTES]; /* "" = root */
};

struct doors {
	/* owned: open doors, requests that wait for a second person, and uses of break-glass doors
	 * without a review */
	json_t *list;
	bool unsaved;	/* it is not on the disk, which is full or fails */
	uint64_t again; /* monotonic ns: when writing is tried again */
	/* The order that waits for enforce; there is at most one. */
	bool waits;
	uint32_t id;
	uint64_t deadline; /* monotonic ns */
	struct asker asker;
};

void doors_open(struct supervisor *s); /* from the disk */
/* Answers the asker, at once or when enforce has done it. */
void door_ordered(struct supervisor *s, struct asker a, const struct door_order *o);
/* Takes enforce's answer. False: the answer belongs to another question. */
bool door_done(struct supervisor *s, struct msg *m);
/* To be called before a generation is sent to enforce. */
void doors_before(struct supervisor *s, const struct policy *p);
/* Whether a policy would open a conduit at once, because it puts it behind a door that is open. */
bool doors_notice(const struct supervisor *s, const struct policy *p, struct sentence *ret);
void doors_due(struct supervisor *s, uint64_t now);
uint64_t doors_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */
/* For `status`: all doors of the policy in force, and which are open. */
json_t *json_doors(const struct supervisor *s);

#endif
