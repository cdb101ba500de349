/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of BACnet/IP.
 *
 * Of each request of a client, the service, route, way, objects, properties, priorities and values
 * must be allowed. If a request has several elements, each must be allowed. A server may answer an
 * open request by its invoke id with what was asked for. Without a request it may send only what a
 * client has subscribed to or what a row names. The enforcer owns nothing but the flow's inline
 * state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_BACNET_BACNET_H
#define SEKISHO_DPI_BACNET_BACNET_H

#include "appliance/base/bytes.h"
#include "appliance/wire/operation.h"
#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"

#define BACNET_OPEN_MAX 24u /* requests that may wait for their answers in one flow */
#define BACNET_TOLD_MAX 16u /* requests of the server that may wait for their answers in one flow */

/* ---- datagrams ------------------------------------------------------------------------------- */

/*
 * A datagram of BACnet/IP, taken apart.
 *
 *   link (ANSI/ASHRAE 135, annex J.2)	81, function, length of the datagram; in a forwarded message
 *  *					also the address of its sender (6 bytes)
 *   network layer (clause 6.2)		01, control; destination (network, length, address), source
 *  *					(the same), hop count, type of a message: each only if
 *  *					control says that it is there
 *   APDU (clause 20.1)			type and flags; if confirmed, the invoke id, and in a
 *  *					segment its number and window; service; tagged data
 */

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

/* ---- tags ------------------------------------------------------------------------------------ */

/* The tags of BACnet (ANSI/ASHRAE 135, clause 20.2.1). The enforcer accepts a tag only in its
 * shortest form, because receivers read other forms differently. */

enum bacnet_tag_kind { BACNET_APPLICATION, BACNET_CONTEXT, BACNET_OPENING, BACNET_CLOSING };

struct bacnet_tag {
	uint8_t kind; /* enum bacnet_tag_kind */
	uint8_t number;
	bool truth;	    /* value of an application BOOLEAN, which has no contents */
	struct bytes holds; /* its contents */
};

/* Types of application tags (clause 20.2.1.4). */
enum bacnet_type {
	BACNET_NULL,
	BACNET_BOOLEAN,
	BACNET_UNSIGNED,
	BACNET_SIGNED,
	BACNET_REAL,
	BACNET_DOUBLE,
	BACNET_OCTETS,
	BACNET_STRING,
	BACNET_BITS,
	BACNET_ENUMERATED,
	BACNET_DATE,
	BACNET_TIME,
	BACNET_OBJECT_ID,
	BACNET_TYPES,
};

#define BACNET_DEPTH_MAX 12u /* levels of constructed data inside each other */

/* Takes a tag with its contents. */
bool bacnet_tag_take(struct bytes *b, struct bacnet_tag *ret);
/* Whether the contents may be of this type. */
bool bacnet_is_of(const struct bacnet_tag *t, enum bacnet_type type);
/* Reads an Unsigned or ENUMERATED. False: it has more bytes than necessary, or more than four. */
bool bacnet_number(struct bytes holds, uint32_t *ret);
struct bacnet_any {
	struct values written; /* the number of a single primitive value; otherwise unknown */
	bool null;	       /* it is a single NULL */
	bool again;	       /* a tag inside has the number `holder` */
};

#define BACNET_NO_HOLDER 255u

/* Takes all data up to the first closing tag whose opening tag is not in the data, or to the end.
 * `holder`: number of the constructed data around the taken data, or BACNET_NO_HOLDER. */
bool bacnet_any(struct bytes *b, uint8_t holder, struct bacnet_any *ret);

/* ---- requests -------------------------------------------------------------------------------- */

/* What a client's datagram asks for. */

/* The kind of message that acknowledges a confirmed service. */
enum bacnet_answer { BACNET_ANSWER_SIMPLE, BACNET_ANSWER_COMPLEX, BACNET_ANSWER_ANY };

/* An operation with this code and the datagram's route and way, without an object. */
struct operation bacnet_operation(const struct bacnet_unit *u, uint32_t code);
/* The code of the datagram, as rows name it. A service that writes has its plain code here. */
uint32_t bacnet_code(const struct bacnet_unit *u);
/* Sets `n`, the operations and `wrong` of a client's request; there is at least one operation. */
void bacnet_request_parse(const struct bacnet_unit *u, struct parsed *ret);
/* How this confirmed service is acknowledged. */
enum bacnet_answer bacnet_answer_of(uint8_t service);
/* A request that subscribes to changes of values, or a message about them. */
struct bacnet_subscription {
	bool tells;	   /* it is a message */
	bool ends;	   /* the request ends the subscription */
	uint32_t process;  /* number that the subscriber chose */
	uint32_t object;   /* all ones: several */
	uint32_t property; /* all ones: those that the device chooses, or several */
	uint32_t lifetime; /* seconds; 0: without end */
};

/* False: it is neither, or does not begin as such a one. */
bool bacnet_subscription_read(uint32_t code, struct bytes rest, struct bacnet_subscription *ret);
/* Whether tagged data of this service are whole, to their end. */
bool bacnet_is_whole(uint32_t code, struct bytes rest);
/* The object and property that tagged data begin with; all ones where there is none. */
void bacnet_begins_with(struct bytes rest, uint32_t *ret_object, uint32_t *ret_property);

/* ---- the state of a flow --------------------------------------------------------------------- */

/* What the BACnet enforcer remembers of a flow. Requests wait for their answers as in
 * dpi/pending.h. */

struct bacnet_open {
	struct pending_entry wait;
	bool began; /* segments of the answer came */
	uint8_t invoke;
	uint8_t sequence; /* number of the answer's next segment */
	uint32_t service; /* as rows name it */
	uint8_t choice;	  /* as answers repeat it */
	uint8_t link;	  /* the answer is this function of the link; 0: an APDU */
	uint32_t route;
	uint32_t object, property; /* the answer must begin with these; all ones: any */
};

/* A request of the server that its client may answer. */
struct bacnet_told {
	bool is;
	uint8_t invoke, choice;
	uint32_t route;
};

struct bacnet_state {
	struct pending wait;
	bool met; /* bytes went by unseen */
	uint8_t next_told;
	uint32_t asked; /* bit n: row n of `comes` (bacnet.c) was asked for */
	struct bacnet_told told[BACNET_TOLD_MAX];
	struct bacnet_open open[BACNET_OPEN_MAX];
};

#endif
