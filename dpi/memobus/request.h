/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads commands into operations, and says how long the answer may be. Part of the MEMOBUS
 * enforcer, used by nobody else. Pure; knows no policy.
 */
#ifndef SEKISHO_DPI_MEMOBUS_REQUEST_H
#define SEKISHO_DPI_MEMOBUS_REQUEST_H

#include "appliance/wire/operation.h"
#include "dpi/memobus/frame.h"

struct memobus_request {
	bool well_formed;
	uint16_t answer, answer_max;  /* length of the answer's message: minimum and maximum */
	uint32_t n, max;	      /* operations, and how many there is room for (at least 2) */
	struct operation *operations; /* lent; values are borrowed from the message */
	struct operation like;	      /* the values that all operations have in common */
};

/* Reads a command or a general-purpose message. The caller sets only `operations` and `max` of
 * *ret. The result has at least one operation. */
void memobus_request_parse(const struct memobus_head *h, struct memobus_request *ret);

#endif
