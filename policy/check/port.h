/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports as policies write them, and what they are in packets.
 */
#ifndef SEKISHO_POLICY_CHECK_PORT_H
#define SEKISHO_POLICY_CHECK_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/commands.h"
#include "policy/ir/ir.h"

struct transport {
	const char *name;
	unsigned bit; /* TRANSPORT_* */
	uint8_t l4proto;
};
#define PORT_TRANSPORTS 3u
extern const struct transport port_transports[PORT_TRANSPORTS];
/* Reads "tcp/502", "tcp/1024-2000", "icmp/8". Returns the transport; NULL: invalid. */
const struct transport *port_parse(const char *text, struct ir_port *ret);
/* The port in packets of one family (4 or 6): at most two ranges, because "any ICMP type" is echo
 * and its answer on IPv6. Returns the number of ranges, 0 where IPv6 has no such type. *l4proto is
 * the IP protocol number. */
size_t port_in_family(const struct ir_port *p, uint8_t family, uint8_t *l4proto, struct number_range ret[2]);

#endif
