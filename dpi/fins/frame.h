/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FINS frames, and the FINS/TCP header that carries them over TCP. Part of the FINS enforcer, used
 * by nobody else. Pure; knows no policy.
 *
 *   FINS/TCP (W421, 7-4-2)   "FINS", length of all that follows, command, error code: 4 bytes each,
 *                            the high one first
 *   FINS (W421, 7-2)         ICF, RSV, GCT; network, node and unit of the destination, the same of
 *                            the source; SID; command
 *   answer                   the same, then the end code
 *
 * A datagram is a frame of FINS.
 */
#ifndef SEKISHO_DPI_FINS_FRAME_H
#define SEKISHO_DPI_FINS_FRAME_H

#include "dpi/protocol.h"

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

#endif
