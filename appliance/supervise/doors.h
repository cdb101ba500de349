/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doors of the policy in force that people opened, each until a moment. They stand in a file of state, which is written before enforce hears of it: a box that
 * starts anew opens again what was open, once its clock is trusted, and never for longer. A file that cannot be read opens nothing. The kernel shuts each by
 * itself; here it is put on record. What an apply leaves of a door, a shorter `at_most` or none of that name, holds at once.
 */
#ifndef SEKISHO_SUPERVISE_DOORS_H
#define SEKISHO_SUPERVISE_DOORS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/supervise/asker.h"

struct supervisor; /* supervise.h */
struct policy;	   /* policy.h */
struct msg;

struct door_order {
	uint8_t order;	 /* CHANGE_OPEN, CHANGE_SHUT or CHANGE_REVIEW_DOOR */
	uint32_t for_s;	 /* 0: agrees to what somebody else asked */
	uint32_t duties; /* of who orders it */
	char object[ISOLATE_OBJECT], person[DOOR_TEXT], ticket[DOOR_TEXT], comment[COMMENT_BYTES], by[USER_BY];
	char account[BY_BYTES]; /* "" = root */
};

#define DOORS_ASKED 8u

struct doors {
	json_t *list;	/* owned: what is open, and uses of break-glass doors that nobody has reviewed */
	bool unsaved;	/* it is not on the disk, which is full or fails */
	uint64_t again; /* monotonic ns: then that is tried again */
	struct {
		struct door_order order;
		uint64_t until; /* monotonic ns; 0 = free */
	} asked[DOORS_ASKED];	/* what waits for a second person */
	/* The one order that waits for enforce. */
	bool waits;
	uint32_t id;
	uint64_t deadline; /* monotonic ns */
	struct asker asker;
};

void doors_open(struct supervisor *s); /* from the disk */
/* Answers the asker, at once or when enforce has done it. */
void door_ordered(struct supervisor *s, struct asker a, const struct door_order *o);
/* Enforce's answer. False: it is to something else. */
bool door_done(struct supervisor *s, struct msg *m);
/* Before a generation goes to enforce. */
void doors_before(struct supervisor *s, const struct policy *p);
void doors_due(struct supervisor *s, uint64_t now);
uint64_t doors_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */
/* For `status`: all doors of the policy in force, and which are open. */
json_t *json_doors(const struct supervisor *s);

#endif
