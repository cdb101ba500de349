/* SPDX-License-Identifier: Apache-2.0 */
/* What a master's fragment asks for. Part of the DNP3 enforcer, used by nobody else. Pure; knows
 * no policy. */
#ifndef SEKISHO_DPI_DNP3_REQUEST_H
#define SEKISHO_DPI_DNP3_REQUEST_H

#include "appliance/wire/operation.h"
#include "dpi/dnp3/frame.h"

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
	uint32_t max;		      /* room for operations, at least 1 */
	struct operation *operations; /* lent; values are borrowed from the fragment */
	struct bytes objects;	      /* behind the function */
};

/* Reads a fragment of a master. The caller sets `operations` and `max` of *ret. False: there is no
 * application header, and nothing else is set. */
bool dnp3_request_parse(const struct dnp3_unit *u, struct dnp3_request *ret);

#endif
