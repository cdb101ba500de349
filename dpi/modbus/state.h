/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Modbus enforcer remembers of a flow. Part of the Modbus enforcer, used by nobody else.
 *
 * Requests that passed wait in a short list, oldest first, for their answers. A client may have several under way, and
 * an answer may never come: broadcasts have none, devices lose requests. So an entry that was overtaken (a later request
 * was answered) may be forgotten when room is short; only sixteen requests that are all still due are too many.
 *
 * Where refusals do not end the flow (observe, replay of a capture) the answer to a refused request does come; it is
 * refused for its request's reason. The list therefore remembers refused requests as well.
 */
#ifndef SEKISHO_DPI_MODBUS_STATE_H
#define SEKISHO_DPI_MODBUS_STATE_H

#include "dpi/judge.h"
#include "dpi/modbus/modbus.h"
#include "dpi/modbus/slip.h"

struct open_request {
	uint32_t at; /* offset in the client's stream */
	uint16_t length;
	uint16_t tid;
	uint16_t address, quantity, value; /* as in struct modbus_request */
	uint16_t choice;		   /* of the ruling that decided it */
	uint8_t unit;
	uint8_t function;
	uint8_t reason;	    /* enum reason; R_ALLOWED when it passed */
	uint8_t expendable; /* 1: overtaken, or a broadcast */
	uint8_t alone;	    /* 1: nothing may follow before its answer */
};

/* An answer that was passed: serial gateways say the same once more. */
struct told {
	struct open_request request;
	uint64_t digest; /* of the answer */
};

#define TOLD_MAX 4u

#define UNSEEN_ANY 255u /* no request was seen since bytes were missed: whatever comes answers one from before */

struct modbus_state {
	uint8_t table[4]; /* start of the digest that the choices belong to */
	uint8_t unseen;	  /* how many more answers may belong to requests that went by unseen */
	bool unread;	  /* ... or to requests that were refused, or could not be read */
	uint32_t n;
	struct open_request open[MODBUS_OPEN_MAX];
	uint8_t n_told; /* how many there ever were, up to 255; the next one goes to n_told modulo TOLD_MAX */
	struct told told[TOLD_MAX];
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
/* The enforcer's `segment` and `repeat`, see dpi/protocol.h. */
bool modbus_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		    const struct command_table *t, const struct command_permit *p, struct pdu *ret);
bool modbus_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		   const struct command_table *t, const struct command_permit *p, struct pdu *ret);

#endif
