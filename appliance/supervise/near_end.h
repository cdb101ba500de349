/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conduits that end soon (ending.h): an alarm each, in time to have one extended before its sessions are cut, and a record when it begins. Since when they are in force
 * is carried from policy to policy; a start reads it from the generations that are kept. What was said is in memory alone, so that a start says it again.
 */
#ifndef SEKISHO_SUPERVISE_NEAR_END_H
#define SEKISHO_SUPERVISE_NEAR_END_H

#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/supervise/ending.h"

struct supervisor;

struct near_ends {
	uint64_t look_at;    /* monotonic ns */
	uint64_t generation; /* of what was looked at last; 0 = nothing */
	struct endings endings;
};

/* Looks every ten seconds, and at once when another policy is in force. */
void near_end_due(struct supervisor *s, uint64_t now);
uint64_t near_end_next(const struct supervisor *s); /* monotonic ns */
/* For `status`: {"near", "conduits"}; null while the clock is not trusted. */
json_t *json_ending(const struct supervisor *s);

#endif
