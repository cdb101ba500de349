/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life and death of roles. A role that dies is started again at once; only one that keeps dying soon after its start waits,
 * a quarter of a second at most, so that the box never stays without it for longer. Every start and death is an event.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/settings.h"

#define SECOND 1000000000ull
#define QUICK_DEATH (2 * SECOND)
#define BACKOFF_FIRST 25000000ull
/* A packet that ends every worker it meets must not keep the next one away for long. */
#define BACKOFF_MOST 250000000ull

void roles_init(struct supervisor *s)
{
	static const enum role single[] = {
		[SLOT_JOURNAL] = ROLE_JOURNAL, [SLOT_ENFORCE] = ROLE_ENFORCE, [SLOT_TAP] = ROLE_TAP,
		[SLOT_MGMT] = ROLE_MGMT,       [SLOT_COMPILE] = ROLE_COMPILE, [SLOT_ACCOUNTS] = ROLE_ACCOUNTS,
	};

	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *sl = &s->slots[i];

		*sl = (struct slot){
			.pidfd = -1, .chan = -1, .stat = -1, .group = -1, .event_in = -1, .event_out = -1
		};
		if (i < SLOT_GATE)
			sl->role = single[i];
		else
			sl->role = i < SLOT_DPI ? ROLE_GATE : ROLE_DPI;
		if (i >= SLOT_GATE)
			sl->index = i - (i < SLOT_DPI ? SLOT_GATE : SLOT_DPI);
	}
	for (uint32_t w = 0; w < PAIR_MAX; w++) {
		struct pair *p = &s->pairs[w];

		p->ring = p->wake = p->pulse_fd = -1;
		for (unsigned l = 0; l < LANE_COUNT; l++)
			p->queues[l] = -1;
	}
}

/* To the journal: the reading end of one role's event socket. */
static void give_source(struct supervisor *s, enum role r, uint32_t index, int fd)
{
	const struct msg_body m = { MSG_SOURCE, .source = { .role = (uint8_t)r, .index = index } };

	role_send(s, &s->slots[SLOT_JOURNAL], 0, &m, &fd, 1);
}

/* A pair with room for some thousand records, so that none is lost while the journal is started anew. */
int event_pair(int sv[2], struct err *e)
{
	const int room = 4 << 20;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv) < 0)
		return err_set(e, -errno, "event socket");
	setsockopt(sv[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	return 0;
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

bool slot_alive(const struct slot *sl)
{
	return sl->state == SLOT_STARTING || sl->state == SLOT_RUNNING;
}

const char *slot_title(const struct slot *sl, char out[SLOT_TITLE])
{
	if (sl->role == ROLE_DPI || sl->role == ROLE_GATE)
		snprintf(out, SLOT_TITLE, "%s/%u (%s)", role_name(sl->role), sl->index,
			 lane_kind_words[pair_kind(sl->index)]);
	else
		snprintf(out, SLOT_TITLE, "%s", role_name(sl->role));
	return out;
}

/* A new journal hears of the names, then of every source: records wait there that were made by earlier generations. */
static void tell_journal(struct supervisor *s)
{
	journal_generations(s);
	journal_retention(s);
	for (unsigned i = 0; i < SLOTS; i++)
		if (i != SLOT_JOURNAL && s->slots[i].event_out >= 0)
			give_source(s, s->slots[i].role, s->slots[i].index, s->slots[i].event_out);
	give_source(s, ROLE_SUPERVISOR, 0, s->events_out);
}

static bool role_start(struct supervisor *s, struct slot *sl, uint64_t now)
{
	struct err e = { 0 };
	int fds[ROLE_FDS], nsfd, n = open_event_socket(s, sl, &e);
	int r = n < 0 ? n : (n = role_descriptors(s, sl, fds, &nsfd, &e));

	if (r >= 0) {
		r = spawn(&s->partition, sl, fds, (size_t)n, nsfd, &e);
		for (int i = 0; i < n; i++)
			close(fds[i]);
	}
	if (r < 0) {
		say(s, M_ROLE_NOT_STARTED, role_name(sl->role), e.text);
		sl->failed = e;
		sl->state = SLOT_DEAD;
		sl->restart_at = now + SECOND;
		return false;
	}
	sl->state = SLOT_STARTING;
	sl->started = now;
	sl->asked = 0;
	vigil_begin(&sl->vigil, sl->pid, sl->stat);
	vigil_begin(&sl->work, sl->pid, sl->stat);
	sl->since_wall = clock_wall_ns();
	if (sl->role != ROLE_COMPILE) /* it lives for one answer, which is an event of its own */
		role_event(s, sl->role, sl->index, ROLE_STARTED);
	if (sl->role == ROLE_JOURNAL)
		tell_journal(s);
	return true;
}

static bool start(struct supervisor *s, struct slot *sl, uint64_t now)
{
	if (!role_start(s, sl, now))
		return false;
	in_force_tell_one(s, sl);
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
	sl->heard = mono_ns(); /* from now on it is waited for */
	sl->state = SLOT_DEAD;
	sl->restart_at = 0;
	start(s, sl, mono_ns());
}

void roles_start_due(struct supervisor *s, uint64_t now)
{
	for (unsigned i = 0; i < SLOTS && !s->ending; i++) {
		struct slot *sl = &s->slots[i];

		if (sl->state == SLOT_DEAD && now >= sl->restart_at) {
			/* A worker without its gate has nobody to answer for it. */
			if (sl->role == ROLE_DPI && !slot_alive(&s->slots[SLOT_GATE + sl->index]))
				continue;
			start(s, sl, now);
		}
	}
}

uint64_t roles_due(const struct supervisor *s)
{
	uint64_t due = UINT64_MAX;

	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *sl = &s->slots[i];

		if (sl->state == SLOT_DEAD && sl->restart_at < due &&
		    !(sl->role == ROLE_DPI && !slot_alive(&s->slots[SLOT_GATE + sl->index])))
			due = sl->restart_at;
	}
	return due;
}

void role_kill(struct supervisor *s, struct slot *sl)
{
	(void)s;
	if (slot_alive(sl))
		pidfd_send_signal(sl->pidfd, SIGKILL, NULL, 0);
}

bool role_send(struct supervisor *s, struct slot *sl, uint32_t id, const struct msg_body *body, const int *fds,
	       size_t n)
{
	char title[SLOT_TITLE];
	int r;

	if (!slot_alive(sl) || sl->chan < 0)
		return false;
	r = msg_send(sl->chan, id, body, fds, n);
	if (r == 0)
		return true;
	/* A full channel means that it has not read for very long; a broken one, that it is about to be reaped. */
	if (r != -EPIPE && r != -ECONNRESET)
		say(s, M_ROLE_SILENT, slot_title(sl, title));
	role_kill(s, sl);
	return false;
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

/* Whose it was, it says itself; the other may have it now. */
static void compile_gone(struct supervisor *s, const siginfo_t *how)
{
	backup_sealer_died(s);
	op_compile_died(s, how);
}

void role_exited(struct supervisor *s, struct slot *sl)
{
	uint64_t now = mono_ns();
	siginfo_t info = { 0 };
	char title[SLOT_TITLE];
	bool wanted = sl->role != ROLE_COMPILE;

	if (waitid(P_PIDFD, (id_t)sl->pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return;
	close(sl->pidfd);
	close(sl->chan);
	if (sl->stat >= 0)
		close(sl->stat);
	sl->pidfd = sl->chan = sl->stat = -1;
	sl->state = wanted ? SLOT_DEAD : SLOT_OFF;
	sl->pid = 0;
	collect_gone(s, sl);
	if (sl->role == ROLE_MGMT) {
		change_forget(s);
		records_forget(s);
	}
	if (s->ending)
		return;
	if (wanted) {
		sl->restarts++;
		sl->restart_at = backoff(sl, now);
		role_event(s, sl->role, sl->index, ROLE_DIED);
		say(s, M_ROLE_DIED, slot_title(sl, title), info.si_code == CLD_EXITED ? "status" : "signal",
		    info.si_status);
	}
	if (sl->role == ROLE_DPI)
		worker_died(s, sl->index);
	else if (sl->role == ROLE_GATE)
		gate_died(s, sl->index);
	else if (sl->role == ROLE_ENFORCE)
		op_enforce_died(s);
	else if (sl->role == ROLE_COMPILE)
		compile_gone(s, &info);
	roles_start_due(s, now);
}

void role_ready(struct supervisor *s, struct slot *sl)
{
	bool first = sl->state == SLOT_STARTING;

	sl->state = SLOT_RUNNING;
	sl->heard = mono_ns();
	if (first && sl->restarts > 0)
		role_event(s, sl->role, sl->index, ROLE_TOOK_OVER);
	if (first && sl->role == ROLE_ENFORCE)
		op_enforce_ready(s);
}

uint64_t role_heard_from(const struct supervisor *s, const struct slot *sl)
{
	return sl == &s->slots[SLOT_MGMT] ? collect_hears(s) : 0;
}

void role_readable(struct supervisor *s, struct slot *sl)
{
	struct peer p = { .s = s, .slot = sl, .asker.kind = ASKER_MGMT, .by = role_name(sl->role) };
	char title[SLOT_TITLE];

	/* A bounded number a turn, so that no role keeps the loop to itself. */
	for (unsigned i = 0; i < 16 && slot_alive(sl) && mono_ns() >= role_heard_from(s, sl); i++) {
		struct msg m;
		int r = msg_recv(sl->chan, sl->role, ROLE_SUPERVISOR, &m);

		if (r == -EAGAIN)
			return;
		if (r == 1 && peer_said(&p, &m))
			continue;
		if (r == 1)
			r = -EBADMSG;
		if (r == -EBADMSG || r == -EPROTO)
			say(s, M_ROLE_BROKE_RULES, slot_title(sl, title));
		/* Closed, broken or dishonest: its process ends, and a successor is started when it was reaped. The channel is
		 * shut so that it cannot wake the loop again before that. */
		role_kill(s, sl);
		shutdown(sl->chan, SHUT_RDWR);
		return;
	}
}
