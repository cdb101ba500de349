/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads commands and their parameters into operations, and says how long the data of the answer may
 * be. Part of the FINS enforcer, used by nobody else. Pure; knows no policy.
 */
#ifndef SEKISHO_DPI_FINS_REQUEST_H
#define SEKISHO_DPI_FINS_REQUEST_H

#include "appliance/wire/operation.h"
#include "dpi/fins/frame.h"

#define FINS_ANSWER_MAX (FINS_DATA_MAX - 2u) /* behind the end code */

/* Whether the command is answered. */
enum fins_due {
	FINS_DUE,
	FINS_MAY_COME, /* only an error is answered */
	FINS_NEVER,
};

struct fins_request {
	uint32_t service; /* FINS_CODE */
	bool well_formed;
	uint8_t due;		      /* enum fins_due */
	uint16_t answer, answer_max;  /* bytes after an end code of success: minimum and maximum */
	uint32_t n, max;	      /* operations, and how many there is room for (at least 2) */
	struct operation *operations; /* lent; values are borrowed from the frame */
	struct operation like;	      /* the values that all operations have in common */
};

/* Reads a request. The caller sets only `operations` and `max` of *ret. The result has at least
 * one operation. */
void fins_request_parse(const struct fins_head *h, struct fins_request *ret);

/* How many bytes of parameters the command needs, according to its own fields. If this is more than
 * are there, the command is not complete yet. */
size_t fins_request_least(const struct fins_head *h);

#endif
