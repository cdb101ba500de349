/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP sessions that a change of policy has just ended, as the supervisor tells them to workers in a
 * sealed memfd: an array of struct cut_session. The worker that follows such a session knows its
 * sequence numbers and resets both ends at once. Sender and receiver are the same program on the
 * same machine, so the struct is sent as it is.
 */
#ifndef SEKISHO_WIRE_CUTS_H
#define SEKISHO_WIRE_CUTS_H

#include <stdint.h>

#include "appliance/base/addr.h"

#define CUTS_MAX_BYTES (16u << 20)

struct cut_session {
	struct addr client, server;
	uint16_t client_port, server_port; /* host order */
	uint32_t mark;			   /* mark of the cut lane, with the reason (wire/mark.h) */
};

#endif
