/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the supervisor what became of packets that passed their queue without an answer: the kernel alone counts them. */
#include <string.h>

#include "appliance/enforce/enforce.h"
#include "appliance/kernel/dump.h"
#include "appliance/wire/reason.h"

#define COUNTERS_BUDGET 65536u /* bytes */

void enforce_unanswered(struct enforce *f)
{
	struct arena *a = arena_new(COUNTERS_BUDGET);
	struct msg_body m = { .type = MSG_UNANSWERED };
	struct msg_unanswered *u = &m.unanswered;
	static struct image have; /* large */
	struct err e;

	/* What could not be read now is read the next time: the kernel goes on counting. */
	if (a != NULL && netlink_dump_counters(&f->net, a, &have, &e) == 0 && have.counters[R_DOWN_OPEN].present) {
		u->closed = have.counters[R_DOWN_CLOSED].packets;
		u->held = have.counters[R_DOWN_HELD].packets;
		u->hold_new = have.counters[R_DOWN_HOLD_NEW].packets;
		u->open = have.counters[R_DOWN_OPEN].packets;
		if (!f->unanswered_told || memcmp(u, &f->unanswered, sizeof(*u)) != 0)
			f->unanswered_told = msg_send(f->control, 0, &m, NULL, 0) == 0;
		f->unanswered = *u;
	}
	arena_free(a);
}
