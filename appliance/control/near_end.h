/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conduits that end soon (ending.h): an alarm each, in time to have one extended before its sessions are cut, and a record when it begins. Since when they are in force
 * is carried from policy to policy; a start reads it from the generations that are kept. What was said is in memory alone, so that a start says it again.
 */
#ifndef SEKISHO_CONTROL_NEAR_END_H
#define SEKISHO_CONTROL_NEAR_END_H

#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/control/asker.h"
#include "appliance/control/ending.h"

struct control;

struct near_ends {
	uint64_t look_at;    /* monotonic ns */
	uint64_t generation; /* of what was looked at last; 0 = nothing */
	unsigned back;	     /* how many generations were looked at, at the start */
	struct endings endings;
};

/* Looks every ten seconds, and at once when another policy is in force. */
void near_end_due(struct control *s, uint64_t now);
uint64_t near_end_next(const struct control *s); /* monotonic ns */
/* A generation before, that was asked for. */
void near_end_told(struct control *s, struct asker a, int status, int fd);
/* For `status`: {"near", "conduits"}; null while the clock is not trusted. */
json_t *json_ending(const struct control *s);

#endif
