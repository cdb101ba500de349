/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A datagram of BACnet/IP, taken apart. Part of its enforcer, used by nobody else. Pure; knows
 * no policy.
 *
 *   link (ANSI/ASHRAE 135, annex J.2)	81, function, length of the datagram; of a forwarded message
 *					the address of who sent it (6 bytes)
 *   network layer (clause 6.2)		01, control; destination (network, length, address), source
 *					(the same), hop count, type of a message, each where control
 *					says so
 *   APDU (clause 20.1)			type and flags; if confirmed, the invoke id, and in a
 *					segment its number and window; service; tagged data
 */
#ifndef SEKISHO_DPI_BACNET_FRAME_H
#define SEKISHO_DPI_BACNET_FRAME_H

#include "dpi/protocol.h"

#define BACNET_LINK_HEADER 4u
/* 1,497 bytes of network layer (annex J.1.2) behind the longest header of the link */
#define BACNET_PDU_MAX 1507u

/* Functions of the link that the enforcer knows by name: a result, those that carry a message, and
 * the encrypted one. */
enum bacnet_function {
	BACNET_RESULT = 0,
	BACNET_FORWARDED = 4,
	BACNET_DISTRIBUTE = 9,
	BACNET_UNICAST = 10,
	BACNET_BROADCAST = 11,
	BACNET_SECURE = 12,
};

enum bacnet_apdu_type {
	BACNET_CONFIRMED_REQUEST,
	BACNET_UNCONFIRMED_REQUEST,
	BACNET_SIMPLE_ACK,
	BACNET_COMPLEX_ACK,
	BACNET_SEGMENT_ACK,
	BACNET_ERROR,
	BACNET_REJECT,
	BACNET_ABORT,
};

struct bacnet_unit {
	uint8_t function; /* of the link */
	/* it has a network layer; otherwise `rest` is what follows the link's header */
	bool carries;
	bool relayed; /* it comes from another network, `source` */
	bool message; /* it is a message of the network layer, of type `message_type` */
	uint8_t message_type;
	uint32_t route, source; /* BACNET_ROUTE_OF; 0: none */
	/* the following only in an APDU */
	uint8_t type; /* enum bacnet_apdu_type */
	bool segmented, more, from_server;
	uint8_t invoke, sequence;
	uint8_t service;   /* or the reason of a Reject or an Abort */
	struct bytes rest; /* tagged data */
};

/* Finds the end of a datagram for `frame` of struct enforcer. */
enum frame_result bacnet_frame(struct bytes head, size_t *ret_len);
/* False: the datagram is malformed; *ret has what was read. */
bool bacnet_unwrap(struct bytes pdu, struct bacnet_unit *ret);
/* Whether the length is `least` bytes plus a multiple of `each`; exactly `least` if `each` is 0. */
bool bacnet_is_length(size_t bytes, size_t least, size_t each);
/* Whether so many bytes may follow the header of this function of the link. Not for functions that
 * carry a network layer. */
bool bacnet_link_fits(uint8_t function, size_t bytes);

#endif
