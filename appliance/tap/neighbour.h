/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads hosts from the kernel's neighbour table (ARP and neighbour discovery): hosts that asked for
 * the box, answered it, or were confirmed since. The kernel notifies listeners, and nothing is sent
 * to the hosts. Hosts that never speak with the box are not in that table: see tap.h.
 *
 * The socket is the supervisor's, which opens it in the data namespace and hands the tap a copy:
 * notifications wait in it while the tap restarts. The parser is pure, and checks every length
 * against the bytes.
 */
#ifndef SEKISHO_TAP_NEIGHBOUR_H
#define SEKISHO_TAP_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/tap/tap.h"

/* Opens a netlink socket in the current namespace that receives neighbours: first those that are
 * known now, then changes. Non-blocking; owned by the caller; negative errno on failure. */
int tap_neighbours_open(struct err *e);

/* Takes one netlink message off `datagram`. True when *ret is a host that was heard; false with
 * bytes left: the message is about none. *malformed is incremented for a malformed one. */
bool tap_neighbour_next(struct bytes *datagram, struct sighting *ret, uint64_t *malformed);

#endif
