/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads how many packets wait in the kernel's queues from /proc/net/netfilter/nfnetlink_queue,
 * through a descriptor that was opened before the sandbox closed. For gates, and for control. Owns
 * nothing; never writes.
 */
#ifndef SEKISHO_ROLE_OUTSTANDING_H
#define SEKISHO_ROLE_OUTSTANDING_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

struct queue_state {
	uint16_t queue;
	uint32_t outstanding;  /* packets without a verdict */
	uint32_t dropped_full; /* packets dropped because the queue was full */
	uint32_t dropped_user; /* packets dropped because the socket was full */
	uint32_t last_id;      /* of the newest packet; ids rise by one */
};

/* Reads lines of text into ret[0..max). Lines that are not as expected are left out. Returns how
 * many were read. */
size_t outstanding_parse(struct bytes text, struct queue_state *ret, size_t max);
/* As outstanding_parse, from the file. Negative errno on failure. */
int outstanding_read(int fd, struct queue_state *ret, size_t max);

#endif
