/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of the box's processes. The supervisor passes control's questions to a role
 * unchanged. The request id names the role, and the answer has the same id.
 */
#ifndef SEKISHO_WIRE_SLOT_H
#define SEKISHO_WIRE_SLOT_H

#include <stdint.h>

#include "appliance/wire/lane.h"

enum {
	SLOT_JOURNAL,
	SLOT_ENFORCE,
	SLOT_TAP,
	SLOT_MGMT,
	SLOT_ACCOUNTS,
	SLOT_COMPILE, /* for the operation that changes the box */
	SLOT_ERRAND,  /* another compiler, for control: a question or an encryption */
	SLOT_CONTROL,
	SLOT_GATE,			 /* + number of the pair */
	SLOT_DPI = SLOT_GATE + PAIR_MAX, /* + number of the pair */
	SLOTS = SLOT_DPI + PAIR_MAX
};

/* Number beyond the slots for the supervisor itself, which control asks like a role. */
#define SLOT_BOX SLOTS

/* A process, as the supervisor sees it. */
enum slot_state {
	SLOT_OFF,      /* not wanted now */
	SLOT_DEAD,     /* to be started at restart_at */
	SLOT_STARTING, /* running, not yet MSG_READY */
	SLOT_RUNNING,
};

/* Request ids of control: bit 31 is set, bits 24 to 30 are the slot that is asked, the rest is the
 * number of the question. The supervisor's own questions have lower ids. A number with bit 23 is
 * the supervisor's, for an order at the machine, whose answer control passes on. */
#define RELAYED 0x80000000u
#define RELAYED_NUMBER 0x00ffffffu
#define RELAYED_BOXS 0x00800000u
_Static_assert(SLOTS < 0x7f, "slots in seven bits");

static inline uint32_t relayed_id(unsigned slot, uint32_t number)
{
	return RELAYED | (uint32_t)slot << 24 | (number & RELAYED_NUMBER);
}

static inline unsigned relayed_slot(uint32_t id)
{
	return id >> 24 & 0x7fu;
}

#endif
