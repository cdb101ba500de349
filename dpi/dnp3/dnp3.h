/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of DNP3, over TCP and in datagrams.
 *
 * For each request of a master (the client), function, outstation, objects, points, values and
 * operations must be allowed. OPERATE has to repeat the bytes of the SELECT before it. An
 * outstation (the server) answers an open request by its number, and may send unsolicited
 * responses at any time. A master confirms only responses that asked to be confirmed. The enforcer
 * owns nothing but the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_DNP3_DNP3_H
#define SEKISHO_DPI_DNP3_DNP3_H

#include "appliance/base/bytes.h"
#include "appliance/wire/operation.h"
#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"

#define DNP3_OPEN_MAX 16u /* requests that may wait for their answers in one flow */
#define DNP3_TOLD_MAX 64u /* responses that may wait to be confirmed */
/* bytes of the objects of a SELECT that are kept: 42 outputs with one-byte indexes */
#define DNP3_SELECT_MAX 512u
#define DNP3_DATAGRAM_MAX 8u /* fragments in one datagram */
#define DNP3_RESTS_MAX 4u    /* responses that may be interrupted at a time */

/* ---- frames ---------------------------------------------------------------------------------- */

/*
 * Link frames of DNP3, and the segments in them that make a fragment.
 *
 *   frame (IEEE 1815, clause 9)     05 64, length of what follows without checksums (5 to 255),
 *                                   control, destination, source (2 bytes each, the low one
 *                                   first), checksum; data in blocks of 16 bytes, a checksum
 *                                   behind each
 *   segment (clause 8)              FIN, FIR and a number of 6 bits, then a part of a fragment
 *   fragment (clause 4)             FIR, FIN, CON, UNS and a number of 4 bits, function; of a
 *                                   response two bytes of indications; objects
 *
 * A PDU is either one frame of a link layer service, or all frames of a fragment, between which
 * frames of link layer services may stand. Over UDP a datagram has whole frames, and a
 * response may take several datagrams; a request may not. Over TCP a response may be interrupted by
 * frames of another outstation behind the same gateway; each of its parts is then a PDU.
 */

#define DNP3_HEADER 10u
#define DNP3_FRAME_MAX 292u
#define DNP3_SEGMENT_MAX 249u /* bytes of a segment after its octet */
/* Fragments are 2,048 bytes at most where nobody set more (clause 4). */
#define DNP3_FRAGMENT_MAX 2048u
/* frames of one fragment; enough even for a device that puts only 128 bytes into a frame */
#define DNP3_FRAMES_MAX 16u
#define DNP3_PDU_MAX (DNP3_FRAMES_MAX * DNP3_FRAME_MAX)

/* Bits of a control octet (clause 9). */
#define DNP3_DIR 0x80u
#define DNP3_PRM 0x40u
#define DNP3_LINK_FUNCTION 0x0fu
#define DNP3_LINK_CONFIRMED 3u /* user data that the link layer has to confirm */

/* Bits of a segment's octet (clause 8). */
#define DNP3_SEGMENT_FIN 0x80u
#define DNP3_SEGMENT_FIR 0x40u
#define DNP3_SEGMENT_NUMBER 0x3fu

struct dnp3_unit {
	uint8_t control; /* control octet of the first frame with data, or of the only frame */
	uint16_t to, from;
	bool data;	     /* there is a fragment, or a part of one */
	bool begins, ends;   /* the fragment's first segment is here; its last one is here */
	uint8_t first, last; /* numbers of the first and last segment here */
	struct bytes fragment;
};

/* What a PDU may be. */
enum dnp3_form {
	DNP3_WHOLE,    /* all frames of a fragment */
	DNP3_ANSWER,   /* the same, or a part of a fragment that another outstation interrupts */
	DNP3_DATAGRAM, /* the frames that are there */
};

/* Implements `frame` of struct enforcer. */
enum frame_result dnp3_frame(enum dnp3_form form, struct bytes head, size_t *ret_len);
/* Reads a whole PDU; any form but DNP3_WHOLE means a PDU of the frames that are there. The fragment
 * is put together in `joined`, which has room for DNP3_FRAGMENT_MAX bytes. */
bool dnp3_unwrap(enum dnp3_form form, struct bytes pdu, uint8_t *joined, struct dnp3_unit *ret);
/* Reads one whole frame whose segment is a part of a fragment, as if that part were a fragment.
 * `joined` has room for DNP3_SEGMENT_MAX bytes. False: the frame has a whole fragment, or no
 * data. */
bool dnp3_segment_alone(struct bytes frame, uint8_t *joined, struct dnp3_unit *ret);
/* Finds the end of the frame at `head`, and checks its checksums. */
enum frame_result dnp3_link_frame(struct bytes head, size_t *ret_len);
/* Whether a complete link header with a valid checksum begins at `head`. */
bool dnp3_is_header(struct bytes head);

/* ---- objects --------------------------------------------------------------------------------- */

/*
 * Object headers of DNP3, and the length of the objects after each (IEEE 1815, clauses 4 and 11).
 *
 *   header     group, variation, qualifier, range
 *   qualifier  bits 4 to 6: the prefix of each object (none, its index in 1, 2 or 4 bytes, its size
 *              in as many bytes); bits 0 to 3: the range (first and last index in 1, 2 or 4 bytes;
 *              all; a count in 1, 2 or 4 bytes; a count in 1 byte, with sizes)
 */

struct dnp3_objects {
	uint8_t group, variation;
	uint8_t index, size; /* bytes of the index, or of the size, in front of each object */
	bool ranged;	     /* the objects have consecutive indexes from `first` on */
	bool all;	     /* no range: all objects of this kind */
	bool holds;	     /* objects have data; otherwise at most indexes */
	uint8_t bits;	     /* bits of an object if objects are packed, else 0 */
	/* bytes of an object with data; 0: each object states its length, or objects are packed */
	uint32_t bytes;
	uint64_t first, count;
	struct bytes body; /* indexes, sizes and data */
};

/*
 * Reads one object header and its objects from *b. `holds`: objects of this message have data
 * (objects with a size prefix always have). False: it is malformed, or the length of its objects is
 * not known.
 */
bool dnp3_objects_take(struct bytes *b, bool holds, struct dnp3_objects *ret);
/* Reads the next object from o->body: its index, which for consecutive objects follows from `k`,
 * and its data. Not for packed objects. */
bool dnp3_object_take(struct dnp3_objects *o, uint64_t k, uint64_t *ret_index, struct bytes *ret);
/* Whether the bytes are complete objects with data, as in a response. *ret_secure: some belong to
 * secure authentication. */
bool dnp3_objects_fit(struct bytes b, bool *ret_secure);
bool dnp3_is_secure(uint8_t group);

/* ---- requests -------------------------------------------------------------------------------- */

/* Reads a master's fragment into operations. */

/* The application header (IEEE 1815, clause 4). */
#define DNP3_FIR 0x80u
#define DNP3_FIN 0x40u
#define DNP3_CON 0x20u
#define DNP3_UNS 0x10u
#define DNP3_NUMBER 0x0fu

struct dnp3_request {
	uint8_t control;  /* FIR, FIN, CON, UNS, number */
	uint8_t function; /* enum dnp3_function */
	bool silent;	  /* no answer is due */
	enum reason wrong;
	uint32_t n;
	uint32_t max; /* number of operations that there is room for, at least 1 */
	/* an array of the caller; values point into the fragment */
	struct operation *operations;
	struct bytes objects; /* behind the function */
};

/* Reads a fragment of a master. The caller sets `operations` and `max` of *ret. False: the
 * application header is incomplete, and nothing else is set. */
bool dnp3_request_parse(const struct dnp3_unit *u, struct dnp3_request *ret);

/* ---- the state of a flow --------------------------------------------------------------------- */

/* What the DNP3 enforcer remembers of a flow. Requests wait for their answers as in
 * dpi/pending.h. */

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

/* The part of a response that is still to come in further datagrams, or after the frames of another
 * outstation. */
struct dnp3_rest {
	bool is, due;
	uint8_t segment; /* number of the next segment */
	uint16_t outstation, master;
};

/* The last response that passed; an outstation sends it again if it hears no confirmation. */
struct dnp3_last {
	bool is;
	uint8_t control;
	uint16_t outstation, master;
	uint16_t choice;
};

struct dnp3_state {
	struct pending wait;
	bool datagrams;
	bool met; /* the session was met half-way: earlier bytes were not seen */
	uint8_t next_told, next_rest;
	struct dnp3_rest rests[DNP3_RESTS_MAX];
	struct dnp3_last last;
	struct dnp3_told told[DNP3_TOLD_MAX];
	struct dnp3_open open[DNP3_OPEN_MAX];
	uint8_t select_number; /* number of the OPERATE that may follow */
	bool select_unknown;   /* a SELECT may have passed unseen */
	uint16_t select_outstation, select_master;
	uint16_t n_selected;
	uint8_t selected[DNP3_SELECT_MAX]; /* objects of the SELECT; last member, see state_used */
};

#endif
