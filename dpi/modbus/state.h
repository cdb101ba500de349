/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Modbus enforcer remembers of a flow. Part of the Modbus enforcer, used by nobody else.
 *
 * Requests wait for their answers as dpi/pending.h has it. A client may have several under way; only sixteen that are all still
 * due are too many.
 */
#ifndef SEKISHO_DPI_MODBUS_STATE_H
#define SEKISHO_DPI_MODBUS_STATE_H

#include "dpi/judge.h"
#include "dpi/modbus/modbus.h"
#include "dpi/modbus/serial.h"
#include "dpi/modbus/slip.h"
#include "dpi/pending.h"

struct open_request {
	struct pending_entry wait;
	uint32_t at; /* offset in the client's stream */
	uint16_t length;
	uint16_t tid;
	uint16_t address, quantity, value; /* as in struct modbus_request */
	uint8_t unit;
	uint8_t function;
	uint8_t alone; /* 1: nothing may follow before its answer */
};

/* An answer that was passed: serial gateways say the same once more. */
struct told {
	struct open_request request;
	uint64_t digest; /* of the answer */
};

#define TOLD_MAX 4u

struct modbus_state {
	struct pending wait;
	struct open_request open[MODBUS_OPEN_MAX]; /* broadcasts among them have no answer */
	uint8_t lenient;			   /* LENIENT_*, as of the last bytes */
	uint8_t n_told; /* how many there ever were, up to 255; the next one goes to n_told modulo TOLD_MAX */
	struct told told[TOLD_MAX];
	struct modbus_serial serial;
	struct modbus_slip slip; /* last: empty but in few sessions, and then what is kept has no meaning */
};

/*
 * Whether a request that this choice allows goes whole and alone: a row allows it, not the grant of the whole protocol (where
 * everything is allowed nothing can be misread), and some server does not know its function.
 */
bool modbus_goes_alone(const struct ruling *ruling, uint8_t function);
/* Names the conduit and its line, and the row that allowed it. */
void modbus_name_conduit(const struct command_table *t, const struct command_permit *p, uint16_t choice,
			 struct pdu *ret);
/* A request of which only the answer was seen, or the head. */
void modbus_unseen(const struct command_table *t, const struct command_permit *p, uint8_t unit, uint8_t function,
		   struct ruling *ret);
/* The enforcer's `frame`, `segment` and `repeat`, see dpi/protocol.h; where nothing is forgiven `state` may be NULL. */
enum frame_result modbus_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len);
bool modbus_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		    const struct command_table *t, const struct command_permit *p, struct pdu *ret);
bool modbus_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		   const struct command_table *t, const struct command_permit *p, struct pdu *ret);

#endif
