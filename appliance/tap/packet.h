/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little that a drop record says of its packet: addresses, transport, ports. Used by the tap only; pure; believes no
 * length that the bytes do not bear out. What cannot be read is left empty, never guessed.
 */
#ifndef SEKISHO_TAP_PACKET_H
#define SEKISHO_TAP_PACKET_H

#include "appliance/base/bytes.h"
#include "appliance/wire/event.h"

/* Fills client, server, l4proto and ports from the first bytes of an IP packet (possibly cut). */
void tap_packet(struct bytes ip, struct event *ret);

#endif
