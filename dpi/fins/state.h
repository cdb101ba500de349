/* SPDX-License-Identifier: Apache-2.0 */
/* What the FINS enforcer remembers of a flow. Part of the FINS enforcer, used by nobody else.
 * Requests wait for their answers as in dpi/pending.h. */
#ifndef SEKISHO_DPI_FINS_STATE_H
#define SEKISHO_DPI_FINS_STATE_H

#include "dpi/fins/fins.h"
#include "dpi/judge.h"
#include "dpi/pending.h"

struct fins_open {
	struct pending_entry wait;
	uint32_t service;
	uint64_t first; /* first address of the request, for events */
	uint32_t count;
	uint16_t answer, answer_max; /* as in struct fins_request */
	uint8_t space;
	uint8_t sid;
	struct fins_address to, from;
};

enum fins_phase {
	FINS_FRESH,  /* nothing was said */
	FINS_ASKED,  /* the client said its node */
	FINS_AGREED, /* the server has named the nodes of both ends */
	/* frames came without an exchange of node numbers, which some servers accept */
	FINS_SPOKEN,
};

struct fins_state {
	struct pending wait;
	bool datagrams;
	bool met;	/* the session was met half-way, so its earlier messages are not known */
	uint8_t phase;	/* enum fins_phase, of FINS/TCP */
	uint8_t reason; /* enum reason: why the client's node number is not accepted */
	uint16_t choice;
	struct fins_open open[FINS_OPEN_MAX];
};

/* The enforcer's `segment`, `once`, `keep` and `again`, see dpi/protocol.h. */
bool fins_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		  const struct command_table *t, const struct command_permit *p, struct pdu *ret);
bool fins_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret);
bool fins_keep(const void *state, struct outbuf *to);
bool fins_again(void *state, struct bytes kept);

#endif
