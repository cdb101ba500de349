/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records each beginning and end of the hours of windows of the policy in force, and each beginning
 * of a conduit (`starts`), once the clock is trusted. Enforce and the kernel open and shut conduits
 * (policy/ir/moment.h), not this module. A file of state says up to when records were written, so
 * that a new daemon repeats none, and adds those for the time without a daemon.
 */
#ifndef SEKISHO_SUPERVISE_HOURS_H
#define SEKISHO_SUPERVISE_HOURS_H

#include <stdint.h>

#include "appliance/base/json.h"

struct supervisor; /* supervise.h */

/* of the windows that open at the same time, or shut, so many get a record each; the others are
 * counted in one record */
#define HOURS_TOLD 16u

struct hours {
	/* seconds since 1970, 0 = not known: all changes up to `looked_s` are recorded; the next
	 * change comes at `next_s` */
	uint64_t looked_s, next_s;
	uint64_t number; /* the generation that these times belong to */
};

void hours_open(struct supervisor *s); /* from the disk */
void hours_due(struct supervisor *s, uint64_t now);
uint64_t hours_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */
/* For `status`: all windows of the policy in force, and which are open. */
json_t *json_windows(const struct supervisor *s);

#endif
