/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/unheard.h"

#include <stdio.h>

#include "appliance/base/clock.h"
#include "appliance/supervise/supervise.h"

#define COUNT_TEXT 24u

/* The rules count from the moment at which they were loaded, which may be before this daemon was started. */
void unheard_logged(struct supervisor *s, uint64_t packets)
{
	struct unheard *u = &s->unheard;

	if (u->told)
		u->packets += packets >= u->logged ? packets - u->logged : packets;
	u->logged = packets;
	u->told = true;
}

void unheard_heard(struct supervisor *s)
{
	s->unheard.heard = true;
}

static void tell(struct supervisor *s, uint8_t what)
{
	struct event e = event_new(EVENT_MACHINE, clock_wall_ns());
	char number[COUNT_TEXT];

	e.code = what;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)s->unheard.deaf.packets);
	event_say(&e, EVENT_BEFORE, number);
	event_send(&s->events, &e);
}

void unheard_due(struct supervisor *s, uint64_t now)
{
	struct unheard *u = &s->unheard;

	if (now < u->look_at)
		return;
	u->look_at = now + DEAF_LOOK_NS;
	switch (deaf_look(&u->deaf, u->packets, u->heard, s->slots[SLOT_TAP].state == SLOT_RUNNING, now,
			  clock_wall_ns())) {
	case DEAF_BEGINS:
		tell(s, MACHINE_TAP_DEAF);
		break;
	case DEAF_ENDS:
		tell(s, MACHINE_TAP_HEARS);
		deaf_forget(&u->deaf);
		break;
	case DEAF_SAME:
		break;
	}
	u->packets = 0;
	u->heard = false;
}

uint64_t unheard_next(const struct supervisor *s)
{
	return s->unheard.look_at;
}

json_t *json_unheard(const struct supervisor *s)
{
	const struct deaf *d = &s->unheard.deaf;

	return json_pack("{s:b, s:o, s:o, s:I}", "now", (int)d->on, "since",
			 d->on ? json_time(d->since_wall_ns) : json_null(), "last",
			 d->on ? json_time(d->last_wall_ns) : json_null(), "packets",
			 d->on ? (json_int_t)d->packets : 0);
}
