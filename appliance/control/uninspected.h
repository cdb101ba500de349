/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two alarms of the status, whose beginnings and ends are recorded; unserved.h decides about
 * both. `uninspected`: packets that should have been inspected were not. `unheard`: the tap
 * receives nothing, although the kernel counts packets that it should report to the tap. Counts
 * start at 0 with the daemon. A new control goes on with its predecessor's counts and alarms,
 * which are in memory of the supervisor.
 */
#ifndef SEKISHO_CONTROL_UNINSPECTED_H
#define SEKISHO_CONTROL_UNINSPECTED_H

#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/control/unserved.h"
#include "appliance/role/outstanding.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/mark.h"
#include "appliance/wire/msg.h"

struct control;

/* Sums of counters that the kernel starts anew when rules are loaded or a queue is made. */
struct counting {
	struct unserved_counts counts;
	/* what the kernel has counted for the tap, and how often the tap heard */
	uint64_t logged, heard;
	struct msg_unanswered was;
	/* by position in `lanes` of lane.h: the queues' counters at the last look */
	struct queue_state seen[LANE_COUNT * LANE_SLOTS];
	uint32_t any; /* 1: the kernel's counters have come */
};

struct uninspected {
	struct unserved unserved;
};

struct unheard {
	uint64_t logged_was, heard_was; /* at the last look */
	struct deaf deaf;
};

void alarms_open(struct control *s);
void unanswered_told(struct control *s, struct msg *m);
void heard_told(struct control *s, struct msg *m);
void away_told(struct control *s, struct msg *m);
void uninspected_look(struct control *s, uint64_t now);
void unheard_look(struct control *s, uint64_t now);
/* For `status` (docs/json.md). */
json_t *json_uninspected(const struct control *s);
json_t *json_unheard(const struct control *s);

#endif
