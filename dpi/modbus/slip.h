/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the client's bytes in the ways of a server that has lost its position in the stream. A
 * server may discard the beginning of a request that came in two segments, and read the next bytes
 * as a new request. pymodbus 3.0 and OpenPLC do so at once, others when the rest is late. So from
 * the first segment that begins inside a request, the client's bytes are kept until an answer shows
 * that the server is in step with the client. Meanwhile they are also read in these ways, from
 * every position where a segment began inside a request:
 *
 *   by length     as pymodbus does: the header's length says where a request ends, its protocol
 *                 number is ignored
 *   by function   as OpenPLC, libmodbus and nanoMODBUS do: the function says where a request ends,
 *                 whatever the header says
 *   by search     whatever is no header is skipped, byte by byte or eight at a time (nanoMODBUS):
 *                 the next request may begin anywhere; only after a late rest
 *
 * An answer shows that the server is in step only if no server out of step could have given it to
 * another request.
 *
 * Part of the Modbus enforcer, used by nobody else. Pure.
 */
#ifndef SEKISHO_DPI_MODBUS_SLIP_H
#define SEKISHO_DPI_MODBUS_SLIP_H

#include "appliance/wire/evaluate.h"
#include "dpi/modbus/modbus.h"
#include "dpi/modbus/pdu.h"

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

/* A request as such a server reads it, with the bytes of that request. */
struct modbus_reading {
	struct modbus_request request;
	uint8_t pdu[MODBUS_PDU_MAX];
};

/* Adds the client's bytes from offset `at` on, which follow the kept ones. False when there is no
 * room for them. */
bool modbus_slip_add(struct modbus_slip *s, uint32_t at, struct bytes b);
/* Like modbus_slip_add, but `b` begins earlier, and ends where the kept bytes end. */
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

#endif
