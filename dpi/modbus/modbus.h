/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Modbus/TCP enforcer (MODBUS Application Protocol V1.1b3; Messaging on TCP/IP V1.0b).
 *
 * Runs in dpi workers and in replay. Every request must have exactly the form that the
 * specification gives for its function. Every register that it touches, and every value that it
 * writes, must be allowed by one row of one grant. Every response must answer an open request and
 * have the form of its answer. Nothing is repaired or guessed: a request whose effect is not known
 * (the result of a mask write, the addresses of an unknown function) is allowed only by rows
 * without limits. The enforcer owns nothing but the flow's inline state, and never sees packets,
 * time or other flows.
 */
#ifndef SEKISHO_DPI_MODBUS_MODBUS_H
#define SEKISHO_DPI_MODBUS_MODBUS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/evaluate.h"
#include "appliance/wire/operation.h"
#include "appliance/wire/reason.h"
#include "dpi/judge.h"
#include "dpi/modbus/request.h"
#include "dpi/modbus/serial.h"
#include "dpi/modbus/words.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"

#define MODBUS_OPEN_MAX 16 /* requests that may wait for their answers in one flow */

/* ---- servers out of step --------------------------------------------------------------------- */

/*
 * Reads the client's bytes in the ways of a server that has lost its position in the stream. A
 * server may discard the beginning of a request that came in two segments, and read the next bytes
 * as a new request. pymodbus 3.0 and OpenPLC do so at once, other servers only if the rest is late.
 * So from the first segment that begins inside a request, the client's bytes are kept until an
 * answer shows that the server is in step with the client. Meanwhile the bytes are also read in
 * these ways, from every position where a segment began inside a request:
 *
 *   by length     as pymodbus does: the header's length says where a request ends, its protocol
 *                 number is ignored
 *   by function   as OpenPLC, libmodbus and nanoMODBUS do: the function says where a request ends,
 *                 whatever the header says
 *   by search     only after a late rest: what is no header is skipped byte by byte, or eight bytes
 *                 at a time (nanoMODBUS), so the next request may begin anywhere
 *
 * An answer shows that the server is in step only if no server out of step could have given it to
 * another request.
 */

#define SLIP_MAX 768u /* bytes: nearly three of the longest requests */

enum slip_reader { SLIP_BY_LENGTH, SLIP_BY_FUNCTION, SLIP_BY_SEARCH, SLIP_READERS };

struct modbus_slip {
	uint32_t at; /* stream offset of the first byte in `bytes` */
	uint16_t n;  /* 0: every segment began with a request */
	/* the rest of some request was late: a server that stopped waiting may still be out
	 * of step */
	bool late;
	/* all fields from here on are initialised when the first bytes are added */
	uint8_t bytes[SLIP_MAX];
	/* one bit for each byte: a server out of step may begin a request there */
	uint8_t starts[SLIP_READERS][SLIP_MAX / 8u];
};

/* A request as a server out of step reads it, with the bytes of that request. */
struct modbus_reading {
	struct modbus_request request;
	uint8_t pdu[MODBUS_PDU_MAX];
};

/* Adds the client's bytes from offset `at` on, which follow the kept ones. False when there is no
 * room for them. */
bool modbus_slip_add(struct modbus_slip *s, uint32_t at, struct bytes b);
/* Replaces the kept bytes by `b`, which has earlier bytes and then the kept ones. Positions where a
 * request may begin stay marked. False when there is no room. */
bool modbus_slip_extend(struct modbus_slip *s, uint32_t at, struct bytes b);
/* A server out of step may begin a request at offset `at`. `late`: this includes servers that wait
 * for some time for the rest of a request. */
void modbus_slip_start(struct modbus_slip *s, uint32_t at, bool late);
/* Whether some way of reading finds a request that no row allows. Then *ret is that request, and
 * *ret_ruling says why it is refused. */
bool modbus_slip_forbids(const struct modbus_slip *s, const struct allowance *by, struct modbus_reading *ret,
			 struct ruling *ret_ruling);
/* Whether a server that reads by length, from any position in `b`, finds a request that no
 * row allows. */
bool modbus_slip_anywhere(struct bytes b, const struct allowance *by, struct modbus_reading *ret,
			  struct ruling *ret_ruling);

/* Whether a server that reads by function code finds a whole request in these bytes, whatever their
 * header says. */
bool modbus_slip_whole(struct bytes b);

/* What identifies an answer, and the offsets of all waiting requests of the client, including the
 * answered one. */
struct modbus_asked {
	uint16_t tid;
	uint8_t unit, function;
	bool any_tid, any_unit; /* the answer does not contain this number */
	uint32_t at[MODBUS_OPEN_MAX];
	uint32_t n;
};

/*
 * The request of `length` bytes at `at` seems to be answered, which means that the server is in
 * step. The answer proves nothing if a server out of step would find another request in the kept
 * bytes, and would answer it in the same way.
 */
void modbus_slip_answered(struct modbus_slip *s, uint32_t at, uint32_t length, const struct modbus_asked *asked);

/* ---- the state of a flow --------------------------------------------------------------------- */

/*
 * What the Modbus enforcer remembers of a flow.
 *
 * Requests wait for their answers as in dpi/pending.h. A client may have up to MODBUS_OPEN_MAX
 * requests that are still to be answered.
 */

struct open_request {
	struct pending_entry wait;
	uint32_t at; /* offset in the client's stream */
	uint16_t length;
	uint16_t tid;
	uint16_t address, quantity, value; /* as in struct modbus_request */
	uint8_t unit;
	uint8_t function;
	uint8_t alone; /* 1: no further request may be sent before its answer */
};

/* An answer that has passed. Serial gateways may send it twice. */
struct modbus_told {
	struct open_request request;
	uint64_t digest; /* of the answer */
};

#define TOLD_MAX 4u

struct modbus_state {
	struct pending wait;
	struct open_request open[MODBUS_OPEN_MAX]; /* including broadcasts, which have no answer */
	/* LENIENT_*: the deviations that were forgiven when the last bytes were judged */
	uint8_t lenient;
	/* how many answers have passed, up to 255; the next one is stored at n_told
	 * modulo TOLD_MAX */
	uint8_t n_told;
	struct modbus_told told[TOLD_MAX];
	struct modbus_serial serial;
	/* last member, because it is unused in most sessions */
	struct modbus_slip slip;
};

/*
 * Whether a request must be sent in one segment, and answered before the next one: some server does
 * not know its function, and a row allows it. If a grant of the whole protocol allows it,
 * misreading does no harm.
 */
bool modbus_goes_alone(const struct ruling *ruling, uint8_t function);
/* Judges a request of which only the answer, or only the header, was seen. */
void modbus_unseen(const struct allowance *by, uint8_t unit, uint8_t function, struct ruling *ret);
enum frame_result modbus_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len);
bool modbus_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b, const struct allowance *by,
		    struct pdu *ret);
bool modbus_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		   const struct allowance *by, struct pdu *ret);

#endif
