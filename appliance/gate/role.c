/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: verdicts come first, the clock second, messages whenever there are any. The eventfd is edge-triggered and
 * never read, and the worker writes it only when the ring's `waiting` says that somebody sleeps: a packet of a naming lane costs the
 * gate two system calls, one to sleep and one to send. What a worker for commands has said itself waits for the clock.
 */
#include "appliance/gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/msg.h"

#define DRAIN_MOST 256u
#define ALARM_MS 1 /* between looks should the alarm ever fail */
#define EVENTS 4

enum { WATCH_CONTROL, WATCH_WAKE, WATCH_PIDFD, WATCH_ALARM };

static int watch_fd(const struct gate *g, int fd, uint32_t what, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.u32 = what };

	return epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static bool on_lane(void *ctx, struct msg *m)
{
	const struct msg_lane *b = &m->body.lane;
	struct gate *g = ctx;

	if (b->lane == LANE_NONE || b->slots == 0)
		return false;
	if ((g->used >> b->lane) & 1u)
		close(g->lanes[b->lane].fd);
	g->lanes[b->lane] = (struct gate_lane){ .fd = msg_take_fd(m, 0), .lane = b->lane, .slots = b->slots };
	g->used |= (uint64_t)1 << b->lane;
	return true;
}

static bool on_worker(void *ctx, struct msg *m)
{
	struct gate *g = ctx;
	struct err e = { 0 };
	struct ring *ring = ring_map(m->fds[0], &e);

	if (ring == NULL) {
		fprintf(stderr, "sekishod gate: %s\n", e.text);
		return false;
	}
	gate_begin(g, ring, &m->fds[1], m->body.worker.worker, m->body.worker.pid, clock_mono());
	for (size_t i = 1; i < m->n_fds; i++)
		msg_take_fd(m, i);
	return watch_fd(g, g->wake, WATCH_WAKE, EPOLLIN | EPOLLET) == 0 &&
	       watch_fd(g, g->pidfd, WATCH_PIDFD, EPOLLIN) == 0;
}

static bool on_pairs(void *ctx, struct msg *m)
{
	struct gate *g = ctx;
	struct err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;

	if (memfd_read(m->fds[0], PAIRS_MAX_BYTES, &p, &n, &e) < 0) {
		fprintf(stderr, "sekishod gate: %s\n", e.text);
		n = 0;
	}
	free(g->pairs);
	g->pairs = (void *)p;
	g->n_pairs = n / sizeof(*g->pairs);
	return true;
}

static bool on_in_force(void *ctx, struct msg *m)
{
	struct gate *g = ctx;

	g->events.now = m->body.in_force.now;
	return true;
}

static bool on_status(void *ctx, struct msg *m)
{
	struct msg_body answer = { .type = MSG_GATE_STATUS };
	struct msg_gate_status *a = &answer.gate_status;
	struct gate *g = ctx;
	const struct gate_counts *c = &g->counts;
	uint32_t n;

	gate_look(g);
	a->verdicts = c->verdicts;
	a->resets = c->resets;
	a->decided = c->decided;
	a->hung = c->hung;
	a->overdue = c->overdue;
	a->starved_ms = g->vigil.starved_ns / 1000000u;
	a->died = c->died;
	a->resets_unsent = c->resets_unsent;
	a->resets_refused = c->resets_refused;
	a->refused = c->refused;
	a->lies = c->lies;
	a->unsent = c->unsent;
	a->events_lost = g->events.lost;
	a->state = (uint8_t)g->state;
	a->lanes = g->used;
	for (uint64_t rest = g->used; gate_each(&rest, &n);)
		for (uint32_t slot = 0; slot < LANE_SLOTS; slot++) {
			const struct queue_state *q = &g->lanes[n].queues[slot].seen;

			a->outstanding[n] += q->outstanding;
			a->dropped_full[n] += q->dropped_full;
			a->dropped_user[n] += q->dropped_user;
		}
	(void)msg_send(g->control, m->id, &answer, NULL, 0); /* a supervisor that does not read asks again */
	return true;
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_LANE] = on_lane,	      [MSG_WORKER] = on_worker, [MSG_PAIRS] = on_pairs,
	[MSG_IN_FORCE] = on_in_force, [MSG_STATUS] = on_status,
};

bool gate_messages(struct gate *g)
{
	int r;

	do
		r = msg_serve(g->control, ROLE_GATE, handlers, g);
	while (r == 1);
	return r == -EAGAIN;
}

void gate_report_hung(struct gate *g)
{
	msg_send(g->control, 0, &(struct msg_body){ MSG_HUNG, .hung = { .worker = g->worker, .pid = g->pid } }, NULL,
		 0);
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

/* How long to sleep at most, for epoll: for ever, because the alarm does the waking. */
static int sleep_ms(struct gate *g)
{
	struct mono now = clock_mono();
	uint64_t due = gate_due(g, now);

	return alarm_by(&g->alarm, (struct mono){ now.ns + due }) == 0 ? -1 : ALARM_MS;
}

/* Sleeps until there is something to do, or only looks when there already is. False when the gate must end. */
static bool wait_events(struct gate *g, bool pending)
{
	struct epoll_event ev[EVENTS];
	bool dead = false, messages = false;
	int n = epoll_wait(g->epoll, ev, EVENTS, pending ? 0 : sleep_ms(g));

	if (n < 0 && errno != EINTR)
		return false;
	for (int i = 0; i < n; i++) {
		if (ev[i].data.u32 == WATCH_ALARM)
			alarm_rang(&g->alarm);
		messages |= ev[i].data.u32 == WATCH_CONTROL;
		dead |= ev[i].data.u32 == WATCH_PIDFD;
	}
	/* Death before messages: the next worker may be announced already. */
	if (dead)
		gate_worker_dead(g, clock_mono());
	return !messages || gate_messages(g);
}

static bool sleep_until(struct gate *g)
{
	struct ring *r = g->ring;
	bool pending = r != NULL && ring_pending(r, g->tail);

	/* While there is work, everything else is looked at only when a tick is due. */
	if (pending && gate_due(g, clock_mono()) > 0)
		return true;
	if (r != NULL && !pending) {
		/* Either the worker sees that somebody sleeps, or this sees what the worker wrote. */
		atomic_store(&r->waiting, 1);
		pending = ring_pending(r, g->tail);
	}
	if (!wait_events(g, pending))
		return false;
	if (g->ring != NULL)
		atomic_store_explicit(&g->ring->waiting, 0, memory_order_relaxed);
	return true;
}

static int run(struct gate *g)
{
	for (;;) {
		struct mono now;

		pulse_beat(g->pulse);
		if (!sleep_until(g))
			return 0;
		if (g->ring != NULL && gate_drain(g, DRAIN_MOST) == DRAIN_LIE)
			gate_worker_lied(g, clock_mono());
		now = clock_mono();
		if (gate_due(g, now) == 0)
			gate_tick(g, now);
	}
}

int role_gate(enum lane_kind kind)
{
	static struct gate g; /* too large for a stack */
	struct err e = { 0 };

	g = (struct gate){ .control = ROLE_FD_CONTROL,
			   .raw4 = GATE_FD_RESET4,
			   .raw6 = GATE_FD_RESET6,
			   .proc = GATE_FD_QUEUES,
			   .sessions = GATE_FD_SESSIONS,
			   .events = { .fd = ROLE_FD_EVENTS },
			   .wake = -1,
			   .pidfd = -1,
			   .stat = -1 };
	g.epoll = epoll_create1(EPOLL_CLOEXEC);
	g.pulse = pulse_map(GATE_FD_PULSE, &e);
	if (g.epoll < 0 || g.pulse == NULL || fcntl(ROLE_FD_CONTROL, F_SETFL, O_NONBLOCK) < 0 ||
	    alarm_open(&g.alarm) < 0 || watch_fd(&g, g.alarm.fd, WATCH_ALARM, EPOLLIN) < 0 ||
	    watch_fd(&g, ROLE_FD_CONTROL, WATCH_CONTROL, EPOLLIN) < 0)
		err_set(&e, -errno, "control channel");
	else
		sandbox_enter_pair(ROLE_GATE, kind, &e);
	if (e.code == 0 && msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) < 0)
		err_set(&e, -EPIPE, "control channel");
	if (e.code != 0) {
		fprintf(stderr, "sekishod gate: %s\n", e.text);
		return 1;
	}
	return run(&g);
}
