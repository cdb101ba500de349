/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that the kernel's neighbour table has heard of (ARP and neighbour discovery): who asked for the box, who answered it, and who was confirmed since. The
 * kernel tells whoever listens, and nothing is asked of the hosts. Who never speaks with the box is not in it: tap.h has those.
 *
 * The socket is the supervisor's, which opens it in the data namespace and hands the tap a copy: what comes while the tap is started anew waits in it.
 * The parser is pure and believes no length that the bytes do not bear out.
 */
#ifndef SEKISHO_TAP_NEIGHBOUR_H
#define SEKISHO_TAP_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/tap/sighting.h"

/* A netlink socket in the current namespace that hears of neighbours, first of those that are known now. Non-blocking; owned by the caller; negative errno on
 * failure. */
int tap_neighbours_open(struct err *e);

/* Takes one netlink message off `datagram`. True when *ret is somebody who was heard; false with bytes left: nobody. `malformed` is counted up. */
bool tap_neighbour_next(struct bytes *datagram, struct sighting *ret, uint64_t *malformed);

#endif
