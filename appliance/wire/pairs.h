/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pairs of hosts between which the policy in force allows TCP. Enforce sends them to
 * gates, through the supervisor, in a sealed memfd: an array of struct known_pair. A gate answers
 * segments without a session only between such pairs. Sender and receiver are the same program on
 * the same machine, so the struct is sent as it is.
 */
#ifndef SEKISHO_WIRE_PAIRS_H
#define SEKISHO_WIRE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"

#define PAIRS_MAX_BYTES (64u << 20)

struct known_pair {
	struct addr_range client, server;
	uint16_t lo, hi; /* the server's ports */
};

/* True when some conduit lets one of the two open a connection to the other one's port. */
bool pairs_know(const struct known_pair *list, size_t n, const struct addr *a, uint16_t a_port, const struct addr *b,
		uint16_t b_port);

#endif
