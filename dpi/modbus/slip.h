/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server reads that lost its place. A server may throw away the beginning of a request that came in two segments
 * (pymodbus 3.0 and OpenPLC do at once, others when the rest is late), and takes what comes next for a request of its own.
 * From the first place where a segment began inside a request, the client's bytes are therefore kept until an answer shows
 * that the server reads where the client writes, and are read the other ways as well, on from every such place:
 *
 *   by length     as pymodbus does: the header's length says where a request ends, its protocol number is ignored
 *   by function   as OpenPLC, libmodbus and nanoMODBUS do: the function says where a request ends, whatever the header says
 *   by search     whatever is no header is skipped, byte by byte or eight at a time (nanoMODBUS): the next request may begin
 *                 anywhere; only after a late rest
 *
 * An answer shows it only where no such server could have given it to something else that it read.
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
	uint32_t at;		 /* where `bytes` begin, by the offset in the stream */
	uint16_t n;		 /* 0: every segment began with a request */
	bool late;		 /* some rest was late: whoever gave up then may be lost still */
	uint8_t bytes[SLIP_MAX]; /* from here on all is written anew when the first bytes are added */
	uint8_t starts[SLIP_READERS][SLIP_MAX / 8u]; /* one bit a byte: such a server may go on there */
};

/* A request as such a server reads it, with the bytes that it is read from. */
struct modbus_reading {
	struct modbus_request request;
	uint8_t pdu[MODBUS_PDU_MAX];
};

/* The client's bytes from `at` on, which follow those that are kept. False when there is no room for them. */
bool modbus_slip_add(struct modbus_slip *s, uint32_t at, struct bytes b);
/* As above from an earlier place on: `b` ends where the kept bytes end. */
bool modbus_slip_extend(struct modbus_slip *s, uint32_t at, struct bytes b);
/* A server that lost its place may go on here, within the bytes. `late`: those as well that wait a while for a rest. */
void modbus_slip_start(struct modbus_slip *s, uint32_t at, bool late);
/* Whether some reading holds a request that no row allows; then *ret is that request and *ret_ruling why. */
bool modbus_slip_forbids(const struct modbus_slip *s, const struct command_table *t, const struct command_permit *p,
			 struct modbus_reading *ret, struct ruling *ret_ruling);
/* Whether a server that goes by length and begins anywhere in `b` finds a request that no row allows. */
bool modbus_slip_anywhere(struct bytes b, const struct command_table *t, const struct command_permit *p,
			  struct modbus_reading *ret, struct ruling *ret_ruling);

/* Whether whoever goes by the function code has a whole request in these bytes, whatever their header says. */
bool modbus_slip_whole(struct bytes b);

/* What tells whose answer it is, and where the client's requests begin that wait for one (that one among them). */
struct modbus_asked {
	uint16_t tid;
	uint8_t unit, function;
	bool any_tid, any_unit; /* which the answer does not tell */
	uint32_t at[MODBUS_OPEN_MAX];
	uint32_t n;
};

/*
 * The request of `length` bytes at `at` seems to be answered. So the server read it where the client wrote it, unless the bytes
 * that are kept hold another one, for a server that lost its place, which it would answer alike.
 */
void modbus_slip_answered(struct modbus_slip *s, uint32_t at, uint32_t length, const struct modbus_asked *asked);

#endif
