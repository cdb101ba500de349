/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP sessions that a change of policy has just ended, as the supervisor tells them to workers in a sealed memfd: an array of
 * struct cut_session. Whoever follows such a session knows its numbers, so that both ends hear of it at once. Both ends of the
 * message are the same program on the same machine, so the layout is that of the machine.
 */
#ifndef SEKISHO_WIRE_CUTS_H
#define SEKISHO_WIRE_CUTS_H

#include <stdint.h>

#include "appliance/base/addr.h"

#define CUTS_MAX_BYTES (16u << 20)

struct cut_session {
	struct addr client, server;
	uint16_t client_port, server_port; /* host order */
};

#endif
