/* SPDX-License-Identifier: Apache-2.0 */
/* What the IEC 60870-5-104 enforcer remembers of a flow. Part of the enforcer, used by nobody else.
 * Commands wait for their answers as in dpi/pending.h. */
#ifndef SEKISHO_DPI_IEC104_STATE_H
#define SEKISHO_DPI_IEC104_STATE_H

#include "dpi/iec104/iec104.h"
#include "dpi/judge.h"
#include "dpi/pending.h"

struct iec104_open {
	struct pending_entry wait;
	uint8_t cause;	/* without its bits */
	bool confirmed; /* confirmed by the station; its termination may still come */
	uint16_t service;
	uint16_t ca;
	uint32_t ioa;
};

/* The sequence numbers of the I frames of one end. */
struct iec104_side {
	uint16_t next;	/* N(S) of its next I frame */
	uint16_t acked; /* the last N(R) that the other end has sent */
	bool next_unknown, acked_unknown;
};

/* Whether data may be transferred (IEC 60870-5-104, 5.3). */
enum iec104_phase {
	IEC104_STOPPED,
	IEC104_STARTING, /* the client has requested the start */
	IEC104_STARTED,
	IEC104_STOPPING, /* the client has requested the stop */
	IEC104_ANY,	 /* session met half-way: its earlier messages are not known */
};

struct iec104_state {
	struct pending wait;
	uint8_t phase;	   /* enum iec104_phase */
	bool met;	   /* the session was met half-way: earlier bytes were not seen */
	uint8_t tested[2]; /* by direction: number of its test frames that are not confirmed yet */
	/* a file was requested from station `files_ca`, allowed by `files_choice` */
	bool files;
	uint16_t files_choice, files_ca;
	struct iec104_side sides[2]; /* by direction */
	struct iec104_open open[IEC104_OPEN_MAX];
};

/* The enforcer's `segment`, see dpi/protocol.h. */
bool iec104_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		    const struct command_table *t, const struct command_permit *p, struct pdu *ret);

#endif
