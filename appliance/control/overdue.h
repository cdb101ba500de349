/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overdue entries: reviews of conduits and zones, assets whose support has ended, exceptions that
 * have ended without a report, and openings of doors that have ended a week ago without a note. The
 * review of a conduit that has ended is not overdue. Pure.
 */
#ifndef SEKISHO_CONTROL_OVERDUE_H
#define SEKISHO_CONTROL_OVERDUE_H

#include <stdint.h>

#include "appliance/base/json.h"

struct ir;

#define OVERDUE_SHOWN 32u /* listed by name; the total is given as well */
#define OVERDUE_DAY 11u	  /* "2027-03-31" and its NUL */

struct overdue {
	uint32_t n;
	uint64_t since;	    /* when the first was due, seconds since 1970; 0 = there is none */
	uint8_t digest[32]; /* digest of their names and days: unchanged while they are the same */
};

/* Writes the UTC date of a moment, in the form that `check` uses. */
void overdue_day(uint64_t seconds, char out[OVERDUE_DAY]);
/* Finds what is overdue at `now`, seconds since 1970; `doors`: the list of doors
 * (enforce/door_book.h). Adds {"what","name","label","owner","day"}
 * for each of the first OVERDUE_SHOWN entries to `names`, which stays the caller's; NULL = not
 * wanted. */
struct overdue overdue_find(const struct ir *ir, const json_t *doors, uint64_t now, json_t *names);

#endif
