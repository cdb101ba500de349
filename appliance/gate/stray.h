/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker may have the gate say to ends of no session. The kernel lets a reset of a session's lane out only for a
 * tracked flow, but of strays it knows nothing: there a worker that lies could send resets with numbers of its choice to
 * anybody. So each is paid for by a packet that was really there and was dropped, and goes only between pairs that the
 * policy knows (wire/pairs.h), within a budget. Pure; used by the gate.
 */
#ifndef SEKISHO_GATE_STRAY_H
#define SEKISHO_GATE_STRAY_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/lane.h"

#define STRAY_EACH 2u	  /* records for one packet: its receiver expects where it begins, or where it ends */
#define STRAY_UNUSED 64u  /* that may be left over for later */
#define STRAY_SECOND 500u /* records a second, and at once */

struct stray_budget {
	uint32_t last_id[LANE_SLOTS]; /* of each queue of the cut lane; ids rise: a packet pays once */
	uint32_t credit, tokens;
	uint64_t filled_ns;
};

/* A worker begins. */
void stray_begin(struct stray_budget *s);
/* Packets of this slot up to this one are not its own. */
void stray_decided(struct stray_budget *s, uint32_t slot, uint32_t id);
/* The worker had packet `id` of the cut lane dropped; `newest` is the last one that the kernel put into the queue. */
void stray_dropped(struct stray_budget *s, uint32_t slot, uint32_t id, uint32_t newest);
/* True, and paid for, when one more record may be followed. */
bool stray_pay(struct stray_budget *s, uint64_t now_ns);

#endif
