/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds roles that live but do nothing.
 * - Each role is asked every second for a sign of life; without an answer within 2.5 s it is
 *   ended and restarted like a dead one.
 * - A role at long work is not asked; it is ended after doing nothing for 5 s.
 * - A starting role is ended after doing nothing for 2.5 s, or after 10 s.
 * - A worker must also answer within 2.5 s to a table that it was given.
 * - Gates are watched more closely, because nothing passes while one stands still: each changes a
 *   number in shared memory with every turn of its loop, at rest a hundred times a second.
 * - A worker with waiting packets is watched by its gate.
 *
 * Only time in which the role could have had a processor counts. So no role counts as hung because
 * the whole machine stood still, or was busy with a higher priority.
 */
#include <errno.h>
#include <stdlib.h>

#include "appliance/base/clock.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/op.h"
#include "appliance/supervise/pair.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/watch.h"
#include "appliance/wire/ring.h"

#define EVERY 1000000000ull /* ns */
#define LIMIT 2500000000ull
#define START_LIMIT 10000000000ull
#define STILL_LIMIT 5000000000ull /* ns, for a role at long work, which is not asked meanwhile */
#define PULSE_EVERY 20000000ull
#define PULSE_MOST 25000000ull /* ns: the most that one interval between two looks counts for */
#define PULSE_LIMIT 50000000ull

struct watch {
	/* monotonic ns: when to ask every role; when that was last done */
	uint64_t at, done;
	uint64_t pulse_at, pulses_felt; /* the same for the pulses of the gates */
	bool gates;			/* there was a gate then */
};

int watch_open(struct supervisor *s, struct err *e)
{
	s->watch = calloc(1, sizeof(*s->watch));
	return s->watch == NULL ? err_set(e, -ENOMEM, "watch over roles") : 0;
}

/* Whether the role does a long task, and answers only at its end. */
static bool role_busy(const struct supervisor *s, unsigned slot)
{
	if (slot == SLOT_ENFORCE && s->op.kind != OP_NONE &&
	    (s->op.step == STEP_KERNEL || s->op.step == STEP_FORETELL || s->op.step == STEP_UNDO))
		return true;
	/* Enforce was told to stop. It does so after the present step, which may be long. */
	if (slot == SLOT_ENFORCE && s->gens.loading.enforce_leaves != 0)
		return true;
	/* Accounts never has a long task: a child process hashes, and may wait for a processor
	 * while accounts itself is idle. */
	if (slot == SLOT_ACCOUNTS)
		return false;
	return s->slots[slot].works > 0;
}

static void hung(struct supervisor *s, struct slot *sl)
{
	char title[SLOT_TITLE];

	sl->asked = 0;
	vigil_beat(&sl->vigil);
	vigil_beat(&sl->work);
	supervisor_say(s, M_ROLE_SILENT, slot_title(sl, title));
	if (sl->role != ROLE_COMPILE) /* the compiler's answer is an event of its own */
		role_event(s, sl->role, sl->index, ROLE_HUNG);
	role_kill(s, sl);
}

/* Whether `v` has hung for `limit` ns, `passed` ns after the last look. Time without a processor
 * does not count, here and for sl->heard. */
static bool is_hung(struct slot *sl, struct vigil *v, uint64_t passed, uint64_t limit)
{
	uint64_t before = v->ran_ns + v->idle_ns, own;
	bool yes = vigil_hung(v, passed, EVERY, limit);

	own = v->ran_ns + v->idle_ns - before;
	if (own < passed)
		sl->heard += passed - own;
	return yes;
}

/* A start counts as a long task and is watched without questions. Otherwise a role that hangs in
 * its start would get the longest limit. */
static void look_at_start(struct supervisor *s, struct slot *sl, uint64_t now, uint64_t passed)
{
	uint64_t age = now - sl->started;
	bool still = sl->role != ROLE_COMPILE && vigil_still(&sl->vigil, passed, EVERY, LIMIT);

	if (is_hung(sl, &sl->work, age < passed ? age : passed, START_LIMIT) || still)
		hung(s, sl);
}

/* Whether a worker answers pings but has not acknowledged its table for too long: it would hold up
 * every change. */
static bool keeps_table(struct workforce *workforce, const struct slot *sl, uint64_t passed)
{
	struct pair *p = &workforce->pairs[sl->index];

	if (sl->role != ROLE_DPI || p->owed == 0)
		return false;
	if (p->awaited)
		return vigil_hung(&p->table, passed, EVERY, LIMIT);
	p->awaited = true;
	vigil_begin(&p->table, sl->pid, sl->stat);
	return false;
}

static void watch_slot(struct supervisor *s, unsigned slot, uint64_t now, uint64_t passed)
{
	struct slot *sl = &s->slots[slot];

	if (sl->state == SLOT_STARTING) {
		look_at_start(s, sl, now, passed);
		return;
	}
	if (!slot_alive(sl) || sl->role == ROLE_COMPILE) {
		sl->asked = 0;
		return;
	}
	if (keeps_table(&s->workforce, sl, passed)) {
		s->workforce.pairs[sl->index].awaited = false;
		hung(s, sl);
		return;
	}
	if (role_busy(s, slot)) {
		if (!sl->long_work)
			vigil_beat(&sl->vigil);
		sl->asked = 0;
		sl->long_work = true;
		if (vigil_still(&sl->vigil, passed, EVERY, STILL_LIMIT))
			hung(s, sl);
		else
			sl->heard = now;
		return;
	}
	sl->long_work = false;
	if (sl->asked == 0) {
		sl->asked = ++s->numbers.next_id;
		vigil_beat(&sl->vigil);
		(void)role_send(s, sl, sl->asked, &(struct msg_body){ .type = MSG_PING }, NULL, 0);
		return;
	}
	if (is_hung(sl, &sl->vigil, passed, LIMIT))
		hung(s, sl);
}

bool watch_answered(struct supervisor *s, struct slot *sl, struct msg *m)
{
	if (sl->asked == m->id)
		sl->asked = 0;
	sl->heard = clock_mono().ns;
	return true;
}

/*
 * A sleeping gate should wake when its alarm fires. On a shared machine the gate's core may stand
 * still while this one runs. Then no alarm fires, and the gate looks idle although it only lacks a
 * processor. A message makes the gate runnable, on whichever core it is; if it sleeps even then, it
 * hangs.
 */
static void poke(struct supervisor *s, uint32_t w)
{
	if (!s->workforce.pairs[w].poked)
		(void)role_send(s, &s->slots[SLOT_GATE + w], 0, &(struct msg_body){ .type = MSG_PING }, NULL, 0);
	s->workforce.pairs[w].poked = true;
}

/* Whether there is such a gate. */
static bool feel(struct supervisor *s, uint32_t w, uint64_t passed)
{
	struct slot *sl = &s->slots[SLOT_GATE + w];
	struct pair *p = &s->workforce.pairs[w];
	uint32_t turns;

	if (sl->state != SLOT_RUNNING || p->pulse == NULL)
		return false;
	turns = pulse_feel(p->pulse);
	if (turns == p->pulse_seen && !vigil_hung(&p->vigil, passed, PULSE_MOST, PULSE_LIMIT)) {
		poke(s, w);
		return true;
	}
	if (turns == p->pulse_seen)
		hung(s, sl);
	p->pulse_seen = turns;
	p->poked = false;
	vigil_beat(&p->vigil);
	return true;
}

uint64_t watch_due(struct supervisor *s, uint64_t now)
{
	struct watch *x = s->watch;

	if (now >= x->pulse_at) {
		x->gates = false;
		for (uint32_t w = 0; w < PAIR_MAX; w++)
			x->gates |= feel(s, w, now - x->pulses_felt);
		x->pulses_felt = now;
		x->pulse_at = now + PULSE_EVERY;
	}
	for (unsigned i = 0; now >= x->at && i < SLOTS; i++)
		watch_slot(s, i, now, now - x->done);
	if (now >= x->at) {
		x->done = now;
		x->at = now + EVERY;
	}
	return x->gates && x->pulse_at < x->at ? x->pulse_at : x->at;
}
