/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a master's fragment into operations. Part of the DNP3 enforcer, used by nobody else. Pure;
 * knows no policy. */
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
	uint32_t max; /* number of operations that there is room for, at least 1 */
	/* lent by the caller; values are borrowed from the fragment */
	struct operation *operations;
	struct bytes objects; /* behind the function */
};

/* Reads a fragment of a master. The caller sets `operations` and `max` of *ret. False: the
 * application header is incomplete, and nothing else is set. */
bool dnp3_request_parse(const struct dnp3_unit *u, struct dnp3_request *ret);

#endif
