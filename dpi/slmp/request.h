/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads command, subcommand and data of requests into operations, and says how long the data of the
 * answer will be. Part of the SLMP enforcer, used by nobody else. Pure; knows no policy.
 */
#ifndef SEKISHO_DPI_SLMP_REQUEST_H
#define SEKISHO_DPI_SLMP_REQUEST_H

#include "appliance/wire/operation.h"
#include "dpi/slmp/frame.h"

#define SLMP_ANY 0xffffu /* an answer of any length */

struct slmp_request {
	uint32_t service; /* command << 16 | subcommand */
	uint16_t answer;  /* bytes or characters of data in its answer; SLMP_ANY */
	uint16_t later;	  /* for a request 0801: as `answer`, for the requests 0802 that follow */
	bool well_formed;
	/* some of its data are missing. If not set, a malformed request cannot become well-formed
	 * by more data */
	bool short_of;
	uint32_t n, max; /* operations, and how many there is room for (at least 2) */
	/* lent; each is a group of its own, and values are borrowed from `data` */
	struct operation *operations;
	struct operation like; /* the values that all operations have in common */
};

/* Reads the data of a request. The caller sets only `operations` and `max` of *ret. The result has
 * at least one operation. */
void slmp_request_parse(uint32_t service, const uint32_t targets[SLMP_TARGETS], struct slmp_reader data,
			struct slmp_request *ret);
/* Replaces the operations by one that may touch any address, and, if it writes, write any value. */
void slmp_request_forget_place(struct slmp_request *r);

#endif
