/* SPDX-License-Identifier: Apache-2.0 */
/* Which conduits of a policy were to be reviewed before today; one that has ended needs no review. Pure. */
#ifndef SEKISHO_CONTROL_OVERDUE_H
#define SEKISHO_CONTROL_OVERDUE_H

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

#define OVERDUE_SHOWN 32u /* by name; how many there are is said besides */
#define OVERDUE_DAY 11u	  /* "2027-03-31" and its NUL */

struct overdue {
	uint32_t n;
	const char *first;  /* the earliest day; the policy's own text, "" when there is none */
	uint8_t digest[32]; /* of their names and days: the same while the same are */
};

/* The day of that moment, in UTC as `check` has it. */
void overdue_day(uint64_t seconds, char out[OVERDUE_DAY]);
/* By that moment, seconds since 1970. `names`: [{"conduit","label","owner","review_by"}] of the first OVERDUE_SHOWN, the caller's; NULL = not wanted. */
struct overdue overdue_find(const struct ir *ir, uint64_t now, json_t *names);

#endif
