/* SPDX-License-Identifier: Apache-2.0 */
/* An ARP packet as the kernel's log has it (RFC 826): who sent it, and which address it said is its own. The tap's; pure, behind the checked cursor. */
#ifndef SEKISHO_TAP_ARP_H
#define SEKISHO_TAP_ARP_H

#include "appliance/base/bytes.h"
#include "appliance/tap/sighting.h"

/* `frame`: the MAC address that the frame came from, NULL = not known. Where ARP names another as its sender, that is who has the address (a router's virtual one). */
struct sighting tap_arp(struct bytes packet, uint32_t iif, const uint8_t *frame);

#endif
