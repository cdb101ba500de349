/* SPDX-License-Identifier: Apache-2.0 */
/* What the DNP3 enforcer remembers of a flow. Part of the enforcer, used by nobody else. Requests
 * wait for their answers as in dpi/pending.h. */
#ifndef SEKISHO_DPI_DNP3_STATE_H
#define SEKISHO_DPI_DNP3_STATE_H

#include "dpi/dnp3/dnp3.h"
#include "dpi/judge.h"
#include "dpi/pending.h"

struct dnp3_open {
	struct pending_entry wait;
	bool began; /* a fragment of the answer has come, and more follow */
	uint8_t function;
	uint8_t number; /* number of the answer's next fragment */
	uint16_t outstation, master;
	uint32_t service;
};

/* A response that asked to be confirmed. */
struct dnp3_told {
	bool is, unsolicited;
	uint8_t number;
	uint16_t outstation, master;
};

/* The part of a response that is still to come in further datagrams. */
struct dnp3_rest {
	bool due;
	uint8_t segment; /* number of the next segment */
	uint16_t outstation, master;
};

struct dnp3_state {
	struct pending wait;
	bool datagrams;
	bool met; /* the session was met half-way: earlier bytes were not seen */
	uint8_t next_told;
	struct dnp3_rest rest;
	struct dnp3_told told[DNP3_TOLD_MAX];
	struct dnp3_open open[DNP3_OPEN_MAX];
	uint8_t select_number; /* number of the OPERATE that may follow */
	bool select_unknown;   /* a SELECT may have passed unseen */
	uint16_t select_outstation, select_master;
	uint16_t n_selected;
	uint8_t selected[DNP3_SELECT_MAX]; /* objects of the SELECT; last member, see state_used */
};

/* The enforcer's `segment`, see dpi/protocol.h. */
bool dnp3_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		  const struct command_table *t, const struct command_permit *p, struct pdu *ret);

#endif
