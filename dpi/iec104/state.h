/* SPDX-License-Identifier: Apache-2.0 */
/* What the IEC 60870-5-104 enforcer remembers of a flow. Part of it, used by nobody else. Commands
 * wait as dpi/pending.h has it. */
#ifndef SEKISHO_DPI_IEC104_STATE_H
#define SEKISHO_DPI_IEC104_STATE_H

#include "dpi/iec104/iec104.h"
#include "dpi/judge.h"
#include "dpi/pending.h"

struct iec104_open {
	struct pending_entry wait;
	uint8_t cause;	/* without its bits */
	bool confirmed; /* it may still end */
	uint16_t service;
	uint16_t ca;
	uint32_t ioa;
};

/* I frames of one end. */
struct iec104_side {
	uint16_t next;	/* N(S) of its next one */
	uint16_t acked; /* the last N(R) that the other end said */
	bool next_unknown, acked_unknown;
};

/* Whether data may be transferred (IEC 60870-5-104, 5.3). */
enum iec104_phase {
	IEC104_STOPPED,
	IEC104_STARTING, /* the client has asked for it */
	IEC104_STARTED,
	IEC104_STOPPING, /* ... for its end */
	IEC104_ANY,	 /* half-way: what was said before is not known */
};

struct iec104_state {
	struct pending wait;
	uint8_t phase;	   /* enum iec104_phase */
	bool met;	   /* bytes went by unseen */
	uint8_t tested[2]; /* by direction: so many tests of it are not confirmed */
	bool files;	   /* one was asked for, by this choice and of this station */
	uint16_t files_choice, files_ca;
	struct iec104_side sides[2]; /* by direction */
	struct iec104_open open[IEC104_OPEN_MAX];
};

/* The enforcer's `segment`, see dpi/protocol.h. */
bool iec104_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		    const struct command_table *t, const struct command_permit *p, struct pdu *ret);

#endif
