/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits the resets that a worker may ask for as answers to segments without a session (strays).
 * The kernel lets the gate's other resets pass only for tracked sessions. For strays it cannot
 * check this, so a compromised worker could send any reset to any host. Therefore each reset for
 * a stray needs a real packet that was dropped, is sent only between pairs that the policy knows
 * (wire/pairs.h), and is deducted from a budget. Pure; used by the gate.
 */
#ifndef SEKISHO_GATE_STRAY_H
#define SEKISHO_GATE_STRAY_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/lane.h"

/* resets for one packet: the receiver may expect the sequence number of the packet's beginning or
 * of its end */
#define STRAY_EACH 2u
#define STRAY_UNUSED 64u  /* unused resets that may be saved for later */
#define STRAY_SECOND 500u /* resets a second; the same number may be sent at once */

struct stray_budget {
	/* for each queue of the cut lane, the newest id that was counted. Only higher ids are
	 * counted, so each packet counts once */
	uint32_t last_id[LANE_SLOTS];
	uint32_t credit, tokens;
	uint64_t filled_ns;
};

/* To be called when a worker begins. */
void stray_begin(struct stray_budget *s);
/* Packets of this slot up to `id` were not read by this worker. */
void stray_decided(struct stray_budget *s, uint32_t slot, uint32_t id);
/* The worker had packet `id` of the cut lane dropped; `newest` is the last one that the kernel put
 * into the queue. */
void stray_dropped(struct stray_budget *s, uint32_t slot, uint32_t id, uint32_t newest);
/* Whether a reset may be sent now (to one end or to both). If so, it is deducted from the
 * budget. */
bool stray_pay(struct stray_budget *s, uint64_t now_ns);

#endif
