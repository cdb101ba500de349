/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap: what the kernel's rules drop and log arrives here by NFLOG and leaves as fixed-size event records.
 *
 * tap_open runs in the supervisor, inside the data namespace; the role itself has one socket that it may only read. It
 * parses packets that somebody hostile may have sent, so everything goes through struct bytes. Records are a sample (the
 * rules limit them); the exact numbers are the kernel's counters. What is lost on the way is counted exactly, by the gaps in
 * the kernel's own sequence.
 *
 * Each says as well from which MAC address the packet came. So do the ARP packets that arrive there beside them (kernel/arp_limit.h), which
 * are no drops: by those devices are heard that never speak with the box.
 */
#ifndef SEKISHO_TAP_TAP_H
#define SEKISHO_TAP_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/tap/sighting.h"
#include "appliance/wire/event.h"

#define TAP_GROUP 1u

/* A netlink socket bound to the NFLOG group of the current namespace, headers copied only. Non-blocking; owned by the
 * caller; negative errno on failure. */
int tap_open(struct err *e);

/* Counts across messages. Start from zero bytes. */
struct tap {
	bool started;  /* `next` is known */
	uint32_t next; /* sequence number expected */
	uint64_t records, lost, malformed;
	struct sighting seen; /* by the message that was taken last, whether it is a record or not */
};

/* Takes one netlink message off `datagram`. True when *ret is a record to hand on; false with bytes left: not one. */
bool tap_next(struct tap *t, struct bytes *datagram, struct event *ret);
/*
 * Multicast that never leaves its link (224.0.0.0/24, RFC 5771 section 4; ff02::/16, RFC 4291 section 2.7), to or from the
 * box: the chatter of hosts about who listens to what. It is dropped and counted like anything else, but is no event.
 */
bool tap_is_chatter(const struct event *e);

#endif
