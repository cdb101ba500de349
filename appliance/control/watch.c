/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control/watch.h"
#include "appliance/control/tried.h"
#include "appliance/control/uninspected.h"

#include "appliance/control/certificates.h"
#include "appliance/control/control.h"

#define SECOND 1000000000ull

static const struct {
	void (*look)(struct control *s, uint64_t now);
	uint64_t every_ns;
	bool anew;     /* also looks at once when another policy is in force */
	bool by_clock; /* also looks at once when the clock becomes trusted */
} watches[WATCHES] = {
	[WATCH_REVIEW] = { review_look, 60 * SECOND, true, true },
	[WATCH_TRIED] = { tried_look, 60 * SECOND, false, true },
	[WATCH_NEAR_END] = { near_end_look, 10 * SECOND, true, true },
	[WATCH_CERTIFICATES] = { certificates_look, 10 * SECOND, true, false },
	/* The supervisor says when a second has passed. If it is late, these two look by
	 * themselves. */
	[WATCH_UNINSPECTED] = { uninspected_look, UNSERVED_LOOK_NS / 2 * 3, false, false },
	[WATCH_UNHEARD] = { unheard_look, UNSERVED_LOOK_NS / 2 * 3, false, false },
};

void watches_due(struct control *s, uint64_t now)
{
	for (size_t i = 0; i < WATCHES; i++) {
		struct watch *w = &s->watches[i];

		if (now < w->at && (!watches[i].anew || w->generation == s->now->number) &&
		    (!watches[i].by_clock || !s->trusted || w->trusted))
			continue;
		*w = (struct watch){ now + watches[i].every_ns, s->now->number, s->trusted };
		watches[i].look(s, now);
	}
}

uint64_t watches_next(const struct control *s)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < WATCHES; i++)
		next = s->watches[i].at < next ? s->watches[i].at : next;
	return next;
}
