/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles that live but do nothing. Every second each is asked how it is; one that owes three answers is ended, and a
 * successor is started like that of any dead role. A worker with packets waiting is seen much sooner, by its gate. Turns are
 * counted, not time: a machine that stood still as a whole has no hung roles.
 */
#include "appliance/base/clock.h"
#include "appliance/supervise/supervise.h"

#define EVERY 1000000000ull /* ns */
#define OWED 3u

/* A role that does something long for somebody answers when that is done, and has a limit of its own. */
static bool busy(const struct supervisor *s, unsigned slot)
{
	if (slot == SLOT_ENFORCE && s->op.kind != OP_NONE)
		return true;
	for (size_t i = 0; i < COLLECTS; i++)
		if (s->collects[i].kind > COLLECT_STATUS && s->collects[i].waiting[slot])
			return true;
	return false;
}

static void ask(struct supervisor *s, struct slot *sl)
{
	uint8_t space[1];
	struct outbuf b = outbuf_of(space, sizeof(space));

	out_u8(&b, QUERY_STATUS);
	sl->asked = ++s->next_id;
	(void)role_send(s, sl, MSG_QUERY, sl->asked, &b, NULL, 0);
}

static void look(struct supervisor *s, unsigned slot)
{
	struct slot *sl = &s->slots[slot];

	if (sl->state != SLOT_RUNNING || sl->role == ROLE_COMPILE || busy(s, slot)) {
		sl->asked = 0;
		sl->owed = 0;
		return;
	}
	if (sl->asked == 0) {
		ask(s, sl);
		return;
	}
	if (++sl->owed < OWED)
		return;
	sl->asked = 0;
	sl->owed = 0;
	say(s, M_ROLE_SILENT, role_name(sl->role), sl->index);
	role_event(s, sl->role, sl->index, ROLE_HUNG);
	role_kill(s, sl);
}

bool watch_answered(struct slot *sl, uint32_t id)
{
	if (sl->asked == 0 || sl->asked != id)
		return false;
	sl->asked = 0;
	sl->owed = 0;
	return true;
}

void watch_due(struct supervisor *s, uint64_t now)
{
	if (now < s->watch_at)
		return;
	s->watch_at = now + EVERY;
	for (unsigned i = 0; i < SLOTS; i++)
		look(s, i);
}

uint64_t watch_next(const struct supervisor *s)
{
	return s->watch_at;
}
