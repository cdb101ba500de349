/* SPDX-License-Identifier: Apache-2.0 */
/* A record of what was done or noticed just now, in texts. */
#ifndef SEKISHO_ROLE_SAID_H
#define SEKISHO_ROLE_SAID_H

#include <stdint.h>

#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"

/* The texts of a record: the person, the subject, and two texts whose meaning depends on the event;
 * NULL = none. So does that of the number; 0 = none. */
struct said {
	const char *by, *object, *before, *after;
	uint32_t quantity;
};

void event_record(struct event_port *p, enum event_kind kind, uint8_t code, uint64_t value, struct said x);

#endif
