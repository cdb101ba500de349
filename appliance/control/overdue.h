/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a policy was to be done before now: conduits and zones to be reviewed, assets to be replaced because nobody supports them,
 * reports of exceptions that have ended. Any other conduit that has ended needs nothing. Pure.
 */
#ifndef SEKISHO_CONTROL_OVERDUE_H
#define SEKISHO_CONTROL_OVERDUE_H

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

#define OVERDUE_SHOWN 32u /* by name; how many there are is said besides */
#define OVERDUE_DAY 11u	  /* "2027-03-31" and its NUL */

struct overdue {
	uint32_t n;
	uint64_t since;	    /* of the first of them, seconds since 1970; 0 = there is none */
	uint8_t digest[32]; /* of their names and days: the same while the same are */
};

/* The day of that moment, in UTC as `check` has it. */
void overdue_day(uint64_t seconds, char out[OVERDUE_DAY]);
/* By that moment, seconds since 1970. `names`: [{"what","name","label","owner","day"}] of the first OVERDUE_SHOWN, the caller's; NULL = not wanted. */
struct overdue overdue_find(const struct ir *ir, uint64_t now, json_t *names);

#endif
