/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Once the clock is trusted, records when a window of the policy in force begins or ends, and
 * when a conduit begins (`starts`). Enforce and the kernel open and shut conduits
 * (policy/ir/moment.h), not this module. A file says up to which moment changes are recorded. So
 * a new control repeats no record, and adds records of the changes while no daemon ran.
 */
#ifndef SEKISHO_CONTROL_WATCH_HOURS_H
#define SEKISHO_CONTROL_WATCH_HOURS_H

#include <stdint.h>

#include "appliance/base/json.h"

struct control;

/* when several windows open (or shut) at the same time, so many of them get a record each; one
 * further record has the number of the others */
#define HOURS_TOLD 16u

struct hours {
	/* seconds since 1970, 0 = not known: all changes up to `looked_s` are recorded; the next
	 * change comes at `next_s` */
	uint64_t looked_s, next_s;
	/* the generation that these times belong to; UINT64_MAX = that in force at the start */
	uint64_t number;
};

void hours_open(struct control *s); /* from the disk */
void hours_due(struct control *s, uint64_t now);
uint64_t hours_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */
/* For `status`: all windows of the policy in force, and which are open. */
json_t *json_windows(const struct control *s);

#endif
