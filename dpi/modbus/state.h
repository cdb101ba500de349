/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Modbus enforcer remembers of a flow. Part of the Modbus enforcer, used by nobody else.
 *
 * Requests wait for their answers as in dpi/pending.h. A client may have several waiting
 * requests; it may not have more than sixteen that are all still to be answered.
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
	uint8_t alone; /* 1: no further request may be sent before its answer */
};

/* An answer that has passed. Serial gateways may send it twice. */
struct told {
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
	struct told told[TOLD_MAX];
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
/* The enforcer's `once`, `keep`, `again`, `frame`, `segment` and `repeat`, see dpi/protocol.h;
 * `state` may be NULL where no deviations are forgiven. */
bool modbus_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret);
bool modbus_keep(const void *state, struct outbuf *to);
bool modbus_again(void *state, struct bytes kept);
enum frame_result modbus_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len);
bool modbus_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		    const struct command_table *t, const struct command_permit *p, struct pdu *ret);
bool modbus_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		   const struct command_table *t, const struct command_permit *p, struct pdu *ret);

#endif
