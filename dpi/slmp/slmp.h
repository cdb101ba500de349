/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of MELSEC communication protocol (MC protocol) and SLMP: 3E and 4E frames, binary
 * and ASCII, in streams and in datagrams.
 *
 * All PDUs of a session have the form of the first one. Every device that a request touches, and
 * every value that it writes, must be allowed. Requests whose addresses are not in the frame
 * (labels, extended device specifications, files) are allowed only by rows without limits. Answers
 * carry no command: they must fit an open request by serial number (4E), route and length. The
 * enforcer owns nothing but the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_SLMP_SLMP_H
#define SEKISHO_DPI_SLMP_SLMP_H

#include "appliance/wire/operation.h"
#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"

/* largest value of the length field: 960 words in ASCII need 3864, 7168 bits in binary 3596 */
#define SLMP_LENGTH_MAX 4096u
#define SLMP_PDU_MAX (26u + SLMP_LENGTH_MAX)
#define SLMP_OPEN_MAX 16u /* requests that may wait for their answers in one flow */

/* ---- frames ---------------------------------------------------------------------------------- */

/*
 * Frames of MC protocol: four forms with one order of fields.
 *
 *   subheader   5000 a request, D000 its answer (3E); 5400 and D400 (4E), which a serial number and
 *               two zero bytes follow
 *   route       network, station, module I/O number, multidrop station
 *   length      of all that follows: bytes; in ASCII, characters
 *   request     monitoring timer, command, subcommand, data
 *   answer      end code, data; or what could not be done
 *
 * Binary numbers have their low byte first, except the subheader. In ASCII all numbers are
 * upper-case hexadecimal, high digit first.
 */

#define SLMP_TARGETS 4u /* network, station, module I/O, multidrop: the order of the vocabulary */

/* Bits of a form; 0: no frame was seen yet. */
#define SLMP_FORM 1u
#define SLMP_ASCII 2u
#define SLMP_4E 4u

/* Reads numbers in both codings. */
struct slmp_reader {
	struct bytes b;
	bool ascii;
	/* a character was not a digit; `b` then counts as failed */
	bool garbled;
};

struct slmp_head {
	uint8_t form; /* SLMP_FORM and the other bits that apply */
	bool asks;
	uint16_t serial; /* 0 in a 3E frame */
	uint32_t targets[SLMP_TARGETS];
	struct slmp_reader rest; /* the bytes that the length field counts */
};

/* Reads a number of `n` bytes, at most 4. */
bool slmp_number(struct slmp_reader *r, unsigned n, uint32_t *ret);
/* The value of a digit 0..9 or A..F; -1 for other characters. */
int slmp_digit(uint8_t c);

/* Implements `frame` of struct enforcer. `form` 0: any form. */
enum frame_result slmp_frame(uint8_t form, struct bytes head, size_t *ret_len);
/* Reads the header of one whole PDU. False when it is malformed. */
bool slmp_head_parse(struct bytes pdu, struct slmp_head *ret);
/* Bytes of a frame before the part that its length field counts. */
size_t slmp_head_length(uint8_t form);

/* ---- devices --------------------------------------------------------------------------------- */

/* Devices of MELSEC controllers: the meaning of a code, the notation of its numbers, and the size
 * of a point. */

enum slmp_kind {
	SLMP_BIT, /* a word has 16 points */
	SLMP_WORD,
	SLMP_LONG, /* 32 bits: a point has two words */
	/* current value of a long timer: a point is read as four words, with contact and coil */
	SLMP_TIMER,
};

struct slmp_device {
	uint8_t code; /* binary */
	uint8_t kind; /* enum slmp_kind */
	uint8_t space;
	uint8_t radix; /* radix of its numbers in ASCII */
	/* the radix in those series of controllers whose manuals use another one; 0 = all series
	 * use `radix` */
	uint8_t elsewhere;
	/* ASCII code in the subcommands of MELSEC-Q and L, and of iQ-R; without padding */
	char old[3], new[5];
};

/* The device number in a request. If series read its digits with different radixes, it has
 * both numbers. */
struct slmp_device_number {
	const struct slmp_device *device; /* NULL: the device code is unknown */
	uint32_t number, other;		  /* equal unless series read the digits differently */
};

/* Reads a device specification; false when it is malformed. `wide`: in the form of the iQ-R
 * subcommands, with a longer number and code. */
bool slmp_device_parse(struct slmp_reader *r, bool wide, struct slmp_device_number *ret);
/* How many points `n` words of the device have. */
uint64_t slmp_device_points(const struct slmp_device *d, uint32_t n);

/* ---- requests -------------------------------------------------------------------------------- */

/* Reads command, subcommand and data of requests into operations, and says how long the data of the
 * answer will be. */

#define SLMP_ANY 0xffffu /* an answer of any length */

struct slmp_request {
	uint32_t service; /* command << 16 | subcommand */
	uint16_t answer;  /* bytes or characters of data in the answer, or SLMP_ANY */
	uint16_t later;	  /* for a request 0801: `answer` of the requests 0802 after it */
	bool well_formed;
	/* some data are missing. If false, more data cannot make a malformed request well-formed */
	bool short_of;
	uint32_t n, max; /* operations, and how many there is room for (at least 2) */
	/* an array of the caller; each is a group of its own, and values point into `data` */
	struct operation *operations;
	struct operation like; /* the values that all operations have in common */
};

/* Reads the data of a request. The caller sets only `operations` and `max` of *ret. The result has
 * at least one operation. */
void slmp_request_parse(uint32_t service, const uint32_t targets[SLMP_TARGETS], struct slmp_reader data,
			struct slmp_request *ret);
/* Replaces the operations by one that may touch any address, and, if it writes, write any value. */
void slmp_request_forget_place(struct slmp_request *r);

/* ---- operations ------------------------------------------------------------------------------ */

/* Adds operations for the addresses that a request touches, with the values that it writes
 * there. */

/* ---- the state of a flow --------------------------------------------------------------------- */

/*
 * What the SLMP enforcer remembers of a flow.
 *
 * Requests of both ends wait for their answers as in dpi/pending.h. A remote reset is not answered.
 */

struct slmp_open {
	struct pending_entry wait;
	uint32_t service;
	uint64_t route; /* the four targets in one number */
	/* first address of the request and number of addresses, for events */
	uint64_t first, count;
	uint16_t serial;
	uint16_t answer; /* as in struct slmp_request */
	uint8_t space;
	uint8_t asker; /* enum direction */
};

/* Devices that a client registered (command 0801), to be read by 0802. */
#define SLMP_MONITOR_MAX 12u
#define SLMP_MONITOR_MORE 255u /* in `n`: not all registered devices are known */

struct slmp_monitor {
	uint64_t route;
	struct {
		uint32_t first, count;
		uint8_t space;
	} places[SLMP_MONITOR_MAX];
	uint8_t n; /* 0: nothing is registered */
	uint16_t answer;
};

/* bytes of a header, of any coding and form, that may be in the preceding segment */
#define SLMP_TAIL 48u

struct slmp_state {
	struct pending wait;
	uint8_t form; /* form of all frames of the session; 0: none was seen */
	bool cut;     /* a server may be out of step, and read where no request begins */
	uint8_t n_tail;
	/* bytes of the client since the last moment when all requests were answered */
	uint32_t unanswered;
	struct slmp_open open[SLMP_OPEN_MAX];
	/* `registering`: the devices of a registration that is not answered yet */
	struct slmp_monitor registered, registering;
	uint8_t tail[SLMP_TAIL];
};

bool slmp_framed_else(void *state, bool begins, struct bytes fresh, const struct allowance *by, struct pdu *ret);
bool slmp_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b, const struct allowance *by,
		  struct pdu *ret);
bool slmp_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		 const struct allowance *by, struct pdu *ret);

#endif
