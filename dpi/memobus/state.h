/* SPDX-License-Identifier: Apache-2.0 */
/* What the MEMOBUS enforcer remembers of a flow. Part of the MEMOBUS enforcer, used by nobody else.
 * Requests wait for their answers as in dpi/pending.h. */
#ifndef SEKISHO_DPI_MEMOBUS_STATE_H
#define SEKISHO_DPI_MEMOBUS_STATE_H

#include "dpi/judge.h"
#include "dpi/memobus/memobus.h"
#include "dpi/pending.h"

struct memobus_open {
	struct pending_entry wait;
	uint16_t service;
	uint16_t answer, answer_max; /* as in struct memobus_request */
	uint64_t first;		     /* first address of the request, for events */
	uint32_t count;
	uint8_t space;
	uint8_t number;
	uint8_t to_cpu, from_cpu, to_channel, from_channel;
};

struct memobus_state {
	struct pending wait;
	struct memobus_open open[MEMOBUS_OPEN_MAX];
};

/* The enforcer's `segment`, `once`, `keep` and `again`, see dpi/protocol.h. */
bool memobus_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		     const struct command_table *t, const struct command_permit *p, struct pdu *ret);
bool memobus_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret);
bool memobus_keep(const void *state, struct outbuf *to);
bool memobus_again(void *state, struct bytes kept);

#endif
