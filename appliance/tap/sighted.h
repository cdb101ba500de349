/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that were heard, on their way to the journal: the same one once in half a minute, and of each interface so many a second, since whoever invents
 * MAC addresses can be anybody as often as it likes. What is above that is counted, and the count is said. The tap's; pure, with a fixed amount of memory.
 */
#ifndef SEKISHO_TAP_SIGHTED_H
#define SEKISHO_TAP_SIGHTED_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/tap/sighting.h"
#include "appliance/wire/event.h"

#define SIGHTED_REMEMBERED 4096u
#define SIGHTED_INTERFACES 64u
#define SIGHTED_AGAIN_S 30u
#define SIGHTED_PACE 256u /* a second, of an interface */

struct sighted_told {
	struct sighting who;
	uint64_t at_s; /* monotonic */
};

struct sighted_pace {
	uint32_t iif, n;
	uint64_t second, over;
};

/* Start from zero bytes. */
struct sighted {
	struct sighted_told told[SIGHTED_REMEMBERED];
	struct sighted_pace paces[SIGHTED_INTERFACES];
	uint64_t all; /* that were heard */
};

/* True: *ret is to be sent. A sighting that is none is nothing. */
bool sighted_in(struct sighted *s, const struct sighting *who, uint64_t now_ns, struct event *ret);
/* Other names may hold from now on: whoever is heard is told again. */
void sighted_anew(struct sighted *s);
/* Something was not sent and not said yet. */
bool sighted_owes(const struct sighted *s);
/* How much, of one interface. Call until it says false. */
bool sighted_over(struct sighted *s, struct event *ret);

#endif
