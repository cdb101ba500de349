/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Modbus request against the rows of a permit. Part of the Modbus enforcer, used by nobody else. Pure.
 */
#ifndef SEKISHO_DPI_MODBUS_RULES_H
#define SEKISHO_DPI_MODBUS_RULES_H

#include "appliance/wire/commands.h"
#include "appliance/wire/limit.h"
#include "appliance/wire/reason.h"
#include "dpi/modbus/pdu.h"

#define MODBUS_NO_CHOICE 0xffffu

struct modbus_ruling {
	enum reason reason; /* R_ALLOWED, or how far the best row came: function, unit, address, value */
	uint16_t choice;    /* the row that decided, counted over the permit's Modbus grants; MODBUS_NO_CHOICE */
	uint8_t bad_touch;  /* which of the request's touches is reported: the refused one */
};

/* `r` is well formed. */
void modbus_rule(const struct command_table *t, const struct command_permit *p, const struct modbus_request *r,
		 struct modbus_ruling *ret);

/* Of a refused request: the number that was outside, and what the row that decided would have allowed. */
void modbus_limit(const struct command_table *t, const struct command_permit *p, const struct modbus_request *r,
		  const struct modbus_ruling *ruling, struct limit *ret);

/* A request of which only the answer was seen: allowed when some row has its function and unit. */
void modbus_rule_unseen(const struct command_table *t, const struct command_permit *p, uint8_t unit, uint8_t function,
			struct modbus_ruling *ret);

/* Whether some grant is of the whole protocol: then nothing can be misread. */
bool modbus_allows_all(const struct command_table *t, const struct command_permit *p);

/* The grant and, unless it grants the whole protocol, the row that a choice stands for. False: there is none. */
bool modbus_choice(const struct command_table *t, const struct command_permit *p, uint16_t choice,
		   const struct command_grant **ret_grant, const struct command_row **ret_row);

#endif
