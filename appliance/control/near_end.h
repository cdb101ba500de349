/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conduit that ends soon (ending.c) is an alarm, which comes early enough to extend the conduit
 * before its sessions are cut. The beginning of the alarm is recorded. The time since when a
 * conduit is in force is carried from policy to policy; after a start it is read from the stored
 * generations. Which alarms were recorded is kept in memory only, so they are recorded again after
 * a start.
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
	uint64_t generation; /* generation that was read last; 0 = none */
	unsigned back;	     /* how many generations have been read since the start */
	struct endings endings;
};

/* Looks every ten seconds, and at once when another policy is in force. */
void near_end_due(struct control *s, uint64_t now);
uint64_t near_end_next(const struct control *s); /* monotonic ns */
/* Takes an earlier generation that was asked for. */
void near_end_told(struct control *s, struct asker a, int status, int fd);
/* For `status`: {"near", "conduits"}; null while the clock is not trusted. */
json_t *json_ending(const struct control *s);

#endif
