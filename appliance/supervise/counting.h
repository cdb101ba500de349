/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of packets that were not inspected, or not reported to the tap. Control adds them up and
 * decides when that is an alarm. The supervisor tells control what enforce reads of the kernel's
 * counters, that the tap receives packets, and how many packets the gates have decided
 * (wire/ring.h).
 */
#ifndef SEKISHO_SUPERVISE_COUNTING_H
#define SEKISHO_SUPERVISE_COUNTING_H

#include <stdint.h>

#include "appliance/wire/msg.h"

struct supervisor;

struct counting {
	struct msg_body last; /* of enforce, for the next control; MSG_NONE = none */
	uint64_t look_at;     /* monotonic ns */
};

void counting_told(struct supervisor *s, struct msg *m);
uint64_t counting_due(struct supervisor *s, uint64_t now);

#endif
