/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds TCP resets from addresses and numbers only, and sends them through raw sockets that never
 * receive.
 *
 * reset_socket_open runs in the supervisor (inside the data namespace), the rest in the gate. The
 * module owns nothing beyond a call. No byte of any packet is ever copied into a reset.
 */
#ifndef SEKISHO_GATE_RESET_H
#define SEKISHO_GATE_RESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"

#define RESET_MAX 60u /* bytes: IPv6 and TCP header */

/* One segment, as its receiver will see it. Addresses are of one family. */
struct reset {
	struct addr source, destination;
	uint16_t source_port, destination_port; /* host order */
	uint32_t seq;
	uint32_t ack;
	bool with_ack;
};

/* Writes the packet, IP header first, with both checksums. Returns its length; 0: the two addresses
 * are not of one family, IPv4 or IPv6. */
size_t reset_build(const struct reset *r, uint8_t out[RESET_MAX]);
/* Builds the reset and sends it, with this packet mark, on the raw socket of its family. 0 or
 * negative errno. */
int reset_send(int fd, const struct reset *r, uint32_t mark);

/* A raw socket (family AF_INET or AF_INET6) that sends whole packets and receives nothing. Owned by
 * the caller; negative errno on failure. */
int reset_socket_open(int family, struct err *e);

#endif
