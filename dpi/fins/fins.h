/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of FINS, in datagrams and over TCP.
 *
 * Every address that a command touches, and every value that it writes, must be allowed. Commands
 * whose addresses or values are not in the frame are allowed only by rows without limits. An
 * answer must fit an open request by service id, command, both ends and length. The enforcer owns
 * nothing but the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_FINS_FINS_H
#define SEKISHO_DPI_FINS_FINS_H

#include "appliance/base/bytes.h"
#include "appliance/wire/operation.h"
#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"

#define FINS_PDU_MAX (FINS_TCP_HEADER + FINS_FRAME_MAX)
#define FINS_OPEN_MAX 16u /* requests that may wait for their answers in one flow */

/* ---- frames ---------------------------------------------------------------------------------- */

/*
 * FINS frames, and the FINS/TCP header that carries them over TCP.
 *
 *   FINS/TCP (W421, 7-4-2)   "FINS", length of all that follows, command, error code: 4 bytes each,
 *                            the high one first
 *   FINS (W421, 7-2)         ICF, RSV, GCT; network, node and unit of the destination, the same of
 *                            the source; SID; command
 *   answer                   the same, then the end code
 *
 * A datagram is a frame of FINS.
 */

#define FINS_HEADER 12u	    /* with the command */
#define FINS_TCP_HEADER 16u /* "FINS", length, command, error code */
#define FINS_DATA_MAX 2000u /* behind the command: W421, 7-2 */
#define FINS_FRAME_MAX (FINS_HEADER + FINS_DATA_MAX)

/* Commands of FINS/TCP. */
enum fins_tcp {
	FINS_TCP_NODE = 0,  /* the client sends its node number, or asks for one */
	FINS_TCP_NODES = 1, /* the server's answer: both nodes */
	FINS_TCP_FRAME = 2,
	FINS_TCP_ERROR = 3,
	FINS_TCP_CONFIRMS = 6, /* the server asks whether the client is still there */
};

/* Network, node, unit. */
struct fins_address {
	uint8_t network, node, unit;
};

/* The parts of a PDU. For a datagram, `tcp` is FINS_TCP_FRAME. */
struct fins_head {
	uint8_t tcp;	/* enum fins_tcp */
	uint32_t error; /* the error code of the FINS/TCP header */
	bool asks;	/* a FINS frame is a request, not an answer */
	bool silent;	/* the sender of the request wants no answer */
	struct fins_address to, from;
	uint8_t sid;
	uint16_t command;
	/* the bytes after the command; in a command of FINS/TCP itself, after the error code */
	struct bytes rest;
};

/* Implements `frame` of struct enforcer. */
enum frame_result fins_frame(bool datagrams, struct bytes head, size_t *ret_len);
/* Reads a whole PDU. False when it is malformed: then at most the addresses in *ret are set. */
bool fins_head_parse(bool datagrams, struct bytes pdu, struct fins_head *ret);

/* ---- memory areas ---------------------------------------------------------------------------- */

/* Memory areas: what a code and an address stand for (W227, 2-2 and 3-2; W342, 5-2). */

enum fins_kind {
	FINS_KIND_BIT,	/* a byte each */
	FINS_KIND_WORD, /* two bytes each */
	FINS_KIND_FORCED_BIT,
	FINS_KIND_FORCED_WORD, /* four bytes each: a mask of forced bits, then the word */
	FINS_KIND_LONG,	       /* four bytes each, whose meaning is not documented */
};

/* A run of items in one memory area. */
struct fins_place {
	uint8_t code;
	uint8_t size; /* bytes of an item; 0: the area code is unknown */
	uint8_t kind; /* enum fins_kind */
	/* address space of the vocabulary; SPACE_NONE: a policy has no key for the area, or the
	 * address does not exist in it */
	uint8_t space;
	uint8_t each; /* number of addresses that an item covers */
	bool part;    /* the item is only a part of its address: one bit of a word */
	uint64_t first;
	uint64_t count; /* addresses */
};

/* Reads area code and address. False: there are not enough bytes. */
bool fins_place_parse(struct bytes *b, struct fins_place *ret);
/* Extends the run to `items` items. False: `items` is 0, or the items go beyond the
 * last address. */
bool fins_place_extend(struct fins_place *p, uint32_t items);

/* ---- requests -------------------------------------------------------------------------------- */

/* Reads commands and their parameters into operations, and says how long the data of the answer may
 * be. */

#define FINS_ANSWER_MAX (FINS_DATA_MAX - 2u) /* behind the end code */

/* Whether the command is answered. */
enum fins_due {
	FINS_DUE,
	FINS_MAY_COME, /* only an error is answered */
	FINS_NEVER,
};

struct fins_request {
	uint32_t service; /* FINS_CODE */
	bool well_formed;
	uint8_t due;		      /* enum fins_due */
	uint16_t answer, answer_max;  /* bytes after an end code of success: minimum and maximum */
	uint32_t n, max;	      /* operations, and how many there is room for (at least 2) */
	struct operation *operations; /* of the caller; values point into the frame */
	struct operation like;	      /* the values that all operations have in common */
};

/* Reads a request. The caller sets only `operations` and `max` of *ret. The result has at least
 * one operation. */
void fins_request_parse(const struct fins_head *h, struct fins_request *ret);

/* How many bytes of parameters the command needs, according to its own fields. If this is more than
 * are there, the command is not complete yet. */
size_t fins_request_least(const struct fins_head *h);

/* ---- the state of a flow --------------------------------------------------------------------- */

/* What the FINS enforcer remembers of a flow. Requests wait for their answers as in
 * dpi/pending.h. */

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
	FINS_ASKED,  /* the client has sent its node number, or asked for one */
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

#endif
