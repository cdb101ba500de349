/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests: command, subcommand and data taken apart into operations, and how long the answer's data will be. Part of the SLMP
 * enforcer, used by nobody else. Pure; knows no policy.
 */
#ifndef SEKISHO_DPI_SLMP_REQUEST_H
#define SEKISHO_DPI_SLMP_REQUEST_H

#include "appliance/wire/operation.h"
#include "dpi/slmp/frame.h"

#define SLMP_ANY 0xffffu /* an answer of any length */

struct slmp_request {
	uint32_t service; /* command << 16 | subcommand */
	uint16_t answer;  /* bytes or characters of data that its answer has; SLMP_ANY */
	uint16_t later;	  /* of 0801: the same of the answers to 0802 that follow it */
	bool well_formed;
	bool short_of;	 /* not all of its data is there; without that, more cannot mend what is not well formed */
	uint32_t n, max; /* operations, and how many there is room for (at least 2) */
	struct operation *operations; /* lent; each is a group of its own, and values are borrowed from `data` */
	struct operation like;	      /* what all of them have in common */
};

/* Data of a request: `ret` with room for operations, and with nothing else. At least one operation comes of it. */
void slmp_request_parse(uint32_t service, const uint32_t targets[SLMP_TARGETS], struct slmp_reader data,
			struct slmp_request *ret);
/* Makes it one operation that may touch anything, and write anything where it writes. */
void slmp_request_forget_place(struct slmp_request *r);

#endif
