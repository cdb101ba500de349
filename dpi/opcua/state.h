/* SPDX-License-Identifier: Apache-2.0 */
/* What the OPC UA enforcer remembers of a flow. Part of the enforcer, used by nobody else. Requests
 * wait for their answers as in dpi/pending.h. */
#ifndef SEKISHO_DPI_OPCUA_STATE_H
#define SEKISHO_DPI_OPCUA_STATE_H

#include "dpi/judge.h"
#include "dpi/opcua/opcua.h"
#include "dpi/pending.h"

struct opcua_open {
	struct pending_entry wait;
	uint32_t request; /* the number of the request */
	uint32_t service;
	bool begun; /* a part of the answer has come */
};

/* The state of a connection (OPC 10000-6, 7.1.3). */
enum opcua_phase {
	OPCUA_FRESH,
	OPCUA_GREETED, /* the client said hello */
	OPCUA_READY,   /* ... and was acknowledged */
	OPCUA_OPENING, /* the client has requested a channel */
	OPCUA_OPENED,
	OPCUA_CLOSED,
	OPCUA_ANY, /* met half-way: earlier messages are not known */
};

struct opcua_state {
	struct pending wait;
	uint8_t phase;	      /* enum opcua_phase */
	uint8_t policy;	      /* of the channel; OPCUA_POLICY_UNKNOWN: none is open */
	bool met;	      /* bytes went by unseen */
	bool channel_known;   /* `channel`, `token` and `tokens` are known */
	uint8_t tokens;	      /* number of tokens that are known: the last, and the one before */
	bool counts[2];	      /* by direction: a sequence number is known */
	uint64_t certificate; /* of the client, as in chunk.h; 0: not known */
	uint32_t channel;
	uint32_t token[2];
	uint32_t sequence[2];
	/* remaining bytes of a server's long chunk, which are judged like its beginning */
	uint32_t rest, rest_function;
	uint8_t rest_reason;
	bool rest_allowed;
	struct opcua_open open[OPCUA_OPEN_MAX];
};

/* The enforcer's `segment`, see dpi/protocol.h. */
bool opcua_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		   const struct command_table *t, const struct command_permit *p, struct pdu *ret);

#endif
