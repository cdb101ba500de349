/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of IEC 60870-5-104.
 *
 * For each command of a controlling station (the client), type, common address, object, value and
 * qualifier must be allowed, both to select and to execute. A controlled station (the server) may
 * send monitored values at any time. An ASDU of a command's type must confirm an open command by
 * type, common address and object. I frames must have consecutive numbers, and data are sent only
 * after STARTDT. The enforcer owns nothing but the flow's inline state, and never sees packets,
 * time or other flows.
 */
#ifndef SEKISHO_DPI_IEC104_IEC104_H
#define SEKISHO_DPI_IEC104_IEC104_H

#include "appliance/wire/operation.h"
#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"

#define IEC104_OPEN_MAX 32u /* commands that may wait for their confirmations in one flow */

/* ---- APDUs ----------------------------------------------------------------------------------- */

/*
 * APDUs of IEC 60870-5-104, and the layout of their types.
 *
 *   APCI (5)      68, length of all that follows (4 to 253), four bytes of control field: I frames
 *                 have N(S) and N(R), S frames N(R), U frames one of six functions
 *   ASDU (7.1)    type, SQ and number of objects, cause with test and P/N, originator, common
 *                 address (2 bytes), objects: address (3 bytes), then the fields of the type
 *
 * Numbers have the low byte first. IEC 60870-5-101 also allows fields of other lengths; -104 does
 * not.
 */

#define IEC104_START 0x68u
#define IEC104_HEADER 2u /* start and length */
#define IEC104_CONTROL 4u
#define IEC104_LENGTH_MAX 253u
#define IEC104_PDU_MAX (IEC104_HEADER + IEC104_LENGTH_MAX)
#define IEC104_ASDU 6u /* bytes of an ASDU before its objects */
#define IEC104_ADDRESS 3u

/* Bits of the octet of a cause (IEC 60870-5-101, 7.2.3). */
#define IEC104_CAUSE_BITS 0x3fu
#define IEC104_NEGATIVE 0x40u

/* Causes that a controlling station may give, as bits. */
#define CAUSE_BIT(cause) (1u << (cause))
#define CAUSE_SPONT CAUSE_BIT(3)
#define CAUSE_REQ CAUSE_BIT(5)
#define CAUSE_ACT CAUSE_BIT(6)
#define CAUSE_DEACT CAUSE_BIT(8)
#define CAUSE_FILE CAUSE_BIT(13)

enum iec104_who { IEC104_NOBODY, IEC104_SERVER, IEC104_CLIENT, IEC104_BOTH };
enum iec104_shape { IEC104_ONE, IEC104_EACH, IEC104_RUN };
enum iec104_value {
	IEC104_NOTHING,
	IEC104_SINGLE, /* bit 0 */
	IEC104_DOUBLE, /* bits 0 and 1: 1 or 2 */
	IEC104_TWO_BYTES,
	IEC104_FOUR_BYTES,
	IEC104_UNKNOWN,
};
enum iec104_qualifier {
	IEC104_NONE,
	IEC104_IN_VALUE,     /* bits 2 to 6 of the value's byte; bit 7 means select */
	IEC104_OF_SET_POINT, /* a byte after the value, whose bit 7 means select */
	IEC104_WHOLE,	     /* a byte after the value, without a bit for select */
};

struct iec104_layout {
	uint8_t who;   /* enum iec104_who */
	uint8_t bytes; /* bytes of an object after its address */
	uint8_t shape, value, qualifier;
	bool places; /* the object address has a meaning */
	uint16_t causes;
};

/* An APDU taken apart. */
struct iec104_head {
	uint8_t says; /* enum iec104_says; 0: an I frame, and the fields below are valid */
	uint16_t ns;  /* I frames */
	uint16_t nr;  /* I and S frames */
	uint8_t type, n;
	bool run;	    /* SQ */
	uint8_t cause;	    /* with IEC104_NEGATIVE and the test bit */
	uint8_t originator; /* 0: there is none */
	uint16_t ca;
	uint32_t ioa;	     /* of the first object */
	struct bytes object; /* the first object after its address, with all that follows */
	const struct iec104_layout *layout;
};

/* Implements `frame` of struct enforcer. FRAME_BAD also if the length does not fit the type. */
enum frame_result iec104_frame(struct bytes head, size_t *ret_len);
/* Reads one whole APDU. False: it is malformed. */
bool iec104_head_parse(struct bytes pdu, struct iec104_head *ret);

/* ---- commands -------------------------------------------------------------------------------- */

/* Reads an ASDU of a controlling station into an operation. */

/* A command has one object, which becomes one operation; its values are borrowed from the PDU.
 * Returns R_ALLOWED, or what is wrong with the command. */
enum reason iec104_request_parse(const struct iec104_head *h, struct operation *ret);

/* ---- the state of a flow --------------------------------------------------------------------- */

/* What the IEC 60870-5-104 enforcer remembers of a flow. Commands wait for their answers as in
 * dpi/pending.h. */

struct iec104_open {
	struct pending_entry wait;
	uint8_t cause;	/* only IEC104_CAUSE_BITS */
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
	uint8_t tested[2]; /* by direction: number of test frames that are not confirmed yet */
	/* a file was requested from station `files_ca`, allowed by `files_choice` */
	bool files;
	uint16_t files_choice, files_ca;
	struct iec104_side sides[2]; /* by direction */
	struct iec104_open open[IEC104_OPEN_MAX];
};

#endif
