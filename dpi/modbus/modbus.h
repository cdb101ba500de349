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
#include "dpi/modbus/words.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"

#define MODBUS_PDU_MAX 260 /* bytes: 7 of header, 253 of function and data */
#define MODBUS_OPEN_MAX 16 /* requests that may wait for their answers in one flow */

/* ---- requests and responses ------------------------------------------------------------------ */

/* Modbus requests and responses as the specification describes them: the operations of a request,
 * and whether a response has the shape of its answer. */

enum modbus_function {
	MB_READ_COILS = 1,
	MB_READ_DISCRETE = 2,
	MB_READ_HOLDING = 3,
	MB_READ_INPUT = 4,
	MB_WRITE_COIL = 5,
	MB_WRITE_REGISTER = 6,
	MB_EXCEPTION_STATUS = 7,
	MB_DIAGNOSTICS = 8,
	MB_EVENT_COUNTER = 11,
	MB_EVENT_LOG = 12,
	MB_WRITE_COILS = 15,
	MB_WRITE_REGISTERS = 16,
	MB_SERVER_ID = 17,
	MB_READ_FILE = 20,
	MB_WRITE_FILE = 21,
	MB_MASK_WRITE = 22,
	MB_READ_WRITE = 23,
	MB_READ_FIFO = 24,
	MB_ENCAPSULATED = 43,
	MB_UMAS = 90,
};

#define MODBUS_OPERATIONS 2u /* of one request: function 23 reads, then writes */

struct modbus_request {
	uint16_t tid;
	uint8_t unit;
	uint8_t function;
	/* false: only the three fields before this one, and perhaps the addresses of an operation,
	 * are valid */
	bool well_formed;
	/* enum reason: what is wrong with the request; R_ALLOWED when it is well-formed */
	uint8_t wrong;
	uint8_t n; /* operations, one group; written values are borrowed from the PDU */
	struct operation operations[MODBUS_OPERATIONS];
	/* The values that the answer must repeat; their meaning depends on the function. */
	uint16_t address, quantity, value;
};

/* `pdu` is one whole PDU with its MBAP header. */
void modbus_request_parse(struct bytes pdu, struct modbus_request *ret);
/*
 * Reads the beginning of a request as far as it has come, without values. Only for functions of
 * which all servers determine the length in the same way, at least up to the end of `pdu`. If the
 * first operation has no addresses (SPACE_NONE), they have not come yet. `well_formed`: the request
 * may still become well-formed.
 */
void modbus_request_begin(struct bytes pdu, struct modbus_request *ret);
/*
 * Whether this is a malformed request that some servers carry out nevertheless: a coil value that
 * is neither on nor off, or a byte count that does not fit. The written values are then set to
 * unknown.
 */
bool modbus_request_forgiven(struct modbus_request *r);

/* The address space that a function's addresses lie in; SPACE_NONE when it has none. */
uint8_t modbus_space(uint8_t function);
/* Whether the function touches one address and has no quantity field. */
bool modbus_single(uint8_t function);

/*
 * True when `data` (the bytes after the function code) have the form of this function's answer to a
 * request with these numbers. Not for exceptions. For functions whose layout the specification
 * leaves open, any data fit.
 */
bool modbus_response_fits(uint8_t function, uint16_t address, uint16_t quantity, uint16_t value, struct bytes data);
/* Whether `data` could answer some request of this function. */
bool modbus_response_possible(uint8_t function, struct bytes data);

/* ---- requests of Modbus RTU and ASCII -------------------------------------------------------- */

/*
 * Searches the client's bytes for requests in the framing of Modbus RTU and ASCII. Some gateways
 * pass all TCP bytes on to a serial line, and some servers are configured for that framing. They
 * do not know the header of Modbus/TCP; for them, any bytes with the right checksum are a request.
 *
 * So until it is known that the server reads Modbus/TCP, the bytes are searched for such requests
 * at every position, across requests, segments and datagrams, and each request must be allowed.
 * Bytes that are such a request and nothing else are reported as a request.
 */

/* bytes of a frame, including its checksum; a longer ASCII frame does not fit in a PDU */
#define SERIAL_MAX 256u

enum serial_reads {
	READS_UNTOLD,
	READS_TCP, /* the server has shown that it reads Modbus/TCP */
	/* the first answer could also be an RTU answer, so later answers prove nothing */
	READS_EITHER,
};

struct modbus_serial {
	uint8_t reads; /* enum serial_reads */
	uint8_t n;
	uint8_t tail[SERIAL_MAX - 1u]; /* the client's last bytes */
};

/*
 * Judges new bytes of a segment or of a datagram. `begins`: they begin with a request. False: a
 * receiver of RTU or ASCII frames would find a request that is not allowed, or the bytes are one
 * such request. *ret then has that request; `reading` is set if the bytes may also be Modbus/TCP.
 */
bool modbus_serial_judge(struct modbus_serial *s, bool begins, struct bytes b, const struct command_table *t,
			 const struct command_permit *p, struct pdu *ret);
/* The first Modbus/TCP answer to an allowed request shows how the server reads, unless the answer
 * could also be RTU. */
void modbus_serial_answered(struct modbus_serial *s, uint16_t tid);

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
bool modbus_slip_forbids(const struct modbus_slip *s, const struct command_table *t, const struct command_permit *p,
			 struct modbus_reading *ret, struct ruling *ret_ruling);
/* Whether a server that reads by length, from any position in `b`, finds a request that no
 * row allows. */
bool modbus_slip_anywhere(struct bytes b, const struct command_table *t, const struct command_permit *p,
			  struct modbus_reading *ret, struct ruling *ret_ruling);

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
void modbus_unseen(const struct command_table *t, const struct command_permit *p, uint8_t unit, uint8_t function,
		   struct ruling *ret);
enum frame_result modbus_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len);
bool modbus_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		    const struct command_table *t, const struct command_permit *p, struct pdu *ret);
bool modbus_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		   const struct command_table *t, const struct command_permit *p, struct pdu *ret);

#endif
