/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start, death and restart of roles. A role that dies is restarted at once. If it dies repeatedly
 * soon after its start, the restart waits up to a quarter of a second, so that the box does not
 * lack the role for longer. Each start and death is recorded.
 */
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/pair.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/relay.h"
#include "appliance/supervise/roles.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/sockets.h"
#include "appliance/supervise/spawn.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/workers.h"

#define QUICK_DEATH (2 * SECOND)
#define BACKOFF_FIRST 25000000ull
/* ns: if one packet kills every worker, the next worker must still come soon */
#define BACKOFF_MOST 250000000ull

void roles_init(struct supervisor *s)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		s->slots[i] = (struct slot){ .number = i,
					     .role = slot_role(i),
					     .index = slot_index(i),
					     .pidfd = -1,
					     .chan = -1,
					     .stat = -1,
					     .event_in = -1,
					     .event_out = -1 };
		s->workforce.partition.group[i] = -1;
	}
	for (uint32_t w = 0; w < PAIR_MAX; w++) {
		struct pair *p = &s->workforce.pairs[w];

		p->ring = p->wake = p->kept_fd = p->pulse_fd = -1;
		for (unsigned l = 0; l < LANE_COUNT; l++)
			p->queues[l] = -1;
	}
}

/* Gives the journal the reading end of a role's event socket. */
static void give_source(struct supervisor *s, enum role r, uint32_t index, int fd)
{
	const struct msg_body m = { MSG_SOURCE, .source = { .role = (uint8_t)r, .index = index } };

	role_send(s, &s->slots[SLOT_JOURNAL], 0, &m, &fd, 1);
}

static int open_event_socket(struct supervisor *s, struct slot *sl, struct err *e)
{
	int sv[2];

	if (sl->event_in >= 0)
		return 0;
	if (event_pair(sv, e) < 0)
		return e->code;
	sl->event_in = sv[1];
	sl->event_out = sv[0];
	if (sl->role != ROLE_JOURNAL && slot_alive(&s->slots[SLOT_JOURNAL]))
		give_source(s, sl->role, sl->index, sl->event_out);
	return 0;
}

/* A new journal gets the names first and then each source, because records of earlier generations
 * may wait in it. If the journal before it has not read the names, they still wait. */
static void tell_journal(struct supervisor *s)
{
	if (poll(&(struct pollfd){ .fd = s->sockets.told_out, .events = POLLIN }, 1, 0) == 0)
		journal_doors(s);
	journal_retention(s);
	for (unsigned i = 0; i < SLOTS; i++)
		if (i != SLOT_JOURNAL && s->slots[i].event_out >= 0)
			give_source(s, s->slots[i].role, s->slots[i].index, s->slots[i].event_out);
	give_source(s, ROLE_SUPERVISOR, 0, s->ground.events_out);
}

static bool role_start(struct supervisor *s, struct slot *sl, uint64_t now)
{
	struct err e = { 0 };
	int fds[ROLE_FDS], nsfd, n = open_event_socket(s, sl, &e);
	int r = n < 0 ? n : (n = role_descriptors(s, sl, fds, &nsfd, &e));

	if (r >= 0) {
		r = spawn(&s->workforce.partition, sl, fds, (size_t)n, nsfd, &e);
		for (int i = 0; i < n; i++)
			close(fds[i]);
	}
	if (r < 0) {
		supervisor_say(s, M_ROLE_NOT_STARTED, role_name(sl->role), e.text);
		sl->failed = e;
		sl->state = SLOT_DEAD;
		sl->restart_at = now + SECOND;
		return false;
	}
	sl->state = SLOT_STARTING;
	sl->started = now;
	sl->asked = 0;
	sl->works = 0;
	vigil_begin(&sl->vigil, sl->pid, sl->stat);
	vigil_begin(&sl->work, sl->pid, sl->stat);
	sl->since_wall = clock_wall_ns();
	if (sl->role != ROLE_COMPILE) /* the compiler's answer is an event of its own */
		role_event(s, sl->role, sl->index, ROLE_STARTED);
	if (sl->role == ROLE_JOURNAL)
		tell_journal(s);
	return true;
}

static bool start(struct supervisor *s, struct slot *sl, uint64_t now)
{
	if (!role_start(s, sl, now))
		return false;
	role_told(s, sl);
	relay_begin(s, sl);
	if (sl->role == ROLE_GATE)
		return gate_start(s, sl->index);
	if (sl->role == ROLE_DPI)
		return worker_start(s, sl->index);
	return true;
}

void roles_want(struct supervisor *s, unsigned slot)
{
	struct slot *sl = &s->slots[slot];

	if (sl->state != SLOT_OFF)
		return;
	sl->heard = mono_ns(); /* from now on the role has to show a sign of life */
	sl->state = SLOT_DEAD;
	sl->restart_at = 0;
	start(s, sl, mono_ns());
}

/* Whether the pair was requested only in this turn. */
static bool is_new(const struct supervisor *s, unsigned slot)
{
	const struct slot *sl = &s->slots[slot];

	return slot >= SLOT_GATE && sl->state == SLOT_OFF && s->workforce.pairs[sl->index].wanted;
}

/* When the slot's process is to be started again. A worker starts only beside a living gate,
 * because the gate decides in the worker's place when the worker dies. */
static uint64_t again_at(const struct supervisor *s, const struct slot *sl)
{
	if (sl->state != SLOT_DEAD || (sl->role == ROLE_DPI && !slot_alive(&s->slots[SLOT_GATE + sl->index])))
		return UINT64_MAX;
	return sl->restart_at;
}

uint64_t roles_due(struct supervisor *s, uint64_t now)
{
	uint64_t due = UINT64_MAX, at;

	for (unsigned i = 0; i < SLOTS && !s->ground.ending; i++) {
		if (is_new(s, i))
			roles_want(s, i);
		if (now >= again_at(s, &s->slots[i]))
			start(s, &s->slots[i], now);
		at = again_at(s, &s->slots[i]);
		due = at < due ? at : due;
	}
	return due;
}

static uint64_t backoff(struct slot *sl, uint64_t now)
{
	uint64_t wait = BACKOFF_FIRST;

	sl->quick = now - sl->started < QUICK_DEATH ? sl->quick + 1 : 0;
	if (sl->quick < 3)
		return now;
	for (uint32_t i = 3; i < sl->quick && wait < BACKOFF_MOST; i++)
		wait *= 2;
	return now + (wait < BACKOFF_MOST ? wait : BACKOFF_MOST);
}

bool role_reap(struct supervisor *s, struct slot *sl, siginfo_t *ret_how)
{
	uint64_t now = mono_ns();
	char title[SLOT_TITLE];
	bool wanted = sl->role != ROLE_COMPILE;

	*ret_how = (siginfo_t){ 0 };
	if (waitid(P_PIDFD, (id_t)sl->pidfd, ret_how, WEXITED | WNOHANG) < 0 || ret_how->si_pid == 0)
		return false;
	close(sl->pidfd);
	close(sl->chan);
	if (sl->stat >= 0)
		close(sl->stat);
	sl->pidfd = sl->chan = sl->stat = -1;
	sl->state = wanted ? SLOT_DEAD : SLOT_OFF;
	sl->pid = 0;
	if (s->ground.ending || !wanted)
		return true;
	if (sl->renewed) {
		sl->renewed = false;
		sl->restart_at = now;
		return true;
	}
	sl->restarts++;
	sl->restart_at = backoff(sl, now);
	role_event(s, sl->role, sl->index, ROLE_DIED);
	supervisor_say(s, M_ROLE_DIED, slot_title(sl, title), ret_how->si_code == CLD_EXITED ? "status" : "signal",
		       ret_how->si_status);
	return true;
}
