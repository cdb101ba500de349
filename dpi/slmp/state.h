/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the SLMP enforcer remembers of a flow. Part of the SLMP enforcer, used by nobody else.
 *
 * Requests of both ends wait for their answers, see dpi/pending.h. A remote reset is not answered.
 */
#ifndef SEKISHO_DPI_SLMP_STATE_H
#define SEKISHO_DPI_SLMP_STATE_H

#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/slmp/request.h"
#include "dpi/slmp/slmp.h"

struct slmp_open {
	struct pending_entry wait;
	uint32_t service;
	uint64_t route; /* the four targets in one number */
	/* first address of the request and number of addresses, for events */
	uint64_t first, count;
	uint16_t serial;
	uint16_t answer; /* as in struct slmp_request */
	uint8_t space;
	uint8_t asker; /* enum direction */
};

/* Devices that a client registered (command 0801), to be read by 0802. */
#define SLMP_MONITOR_MAX 12u
#define SLMP_MONITOR_MORE 255u /* in `n`: not all registered devices are known */

struct slmp_monitor {
	uint64_t route;
	struct {
		uint32_t first, count;
		uint8_t space;
	} places[SLMP_MONITOR_MAX];
	uint8_t n; /* 0: nothing is registered */
	uint16_t answer;
};

/* bytes of a header, of any coding and form, that may be in the preceding segment */
#define SLMP_TAIL 48u

struct slmp_state {
	struct pending wait;
	uint8_t form; /* form of all frames of the session; 0: none was seen */
	bool cut;     /* a server may be out of step, and read from where no request begins */
	uint8_t n_tail;
	/* bytes of the client since the last moment when all requests were answered */
	uint32_t unanswered;
	struct slmp_open open[SLMP_OPEN_MAX];
	/* `registering`: the request is not answered yet */
	struct slmp_monitor registered, registering;
	uint8_t tail[SLMP_TAIL];
};

/* The enforcer's `once`, `keep`, `again`, `framed_else`, `segment` and `repeat`,
 * see dpi/protocol.h. */
bool slmp_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret);
bool slmp_keep(const void *state, struct outbuf *to);
bool slmp_again(void *state, struct bytes kept);
bool slmp_framed_else(void *state, bool begins, struct bytes fresh, const struct command_table *t,
		      const struct command_permit *p, struct pdu *ret);
bool slmp_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		  const struct command_table *t, const struct command_permit *p, struct pdu *ret);
bool slmp_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		 const struct command_table *t, const struct command_permit *p, struct pdu *ret);

#endif
