/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of the gate: entries of the ring first, then what is due by the clock. Messages are read
 * whenever they come. The worker wakes the gate by an eventfd, which is edge-triggered and never
 * read, and writes it only if `waiting` in the ring says that the gate sleeps. So a packet of a
 * lane without commands costs the gate two system calls: one to sleep, one to send. Verdicts that a
 * worker for commands has sent itself are read at the next tick.
 */
#include "appliance/gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"

#define DRAIN_MOST 256u
#define WAKE_MS 1 /* ms between looks if the wake-up cannot be set */
#define EVENTS 4

/* How long epoll may sleep in ms: normally for ever (-1), because a descriptor wakes the gate. */
static int sleep_ms(struct gate *g)
{
	struct mono now = clock_mono();
	uint64_t due = gate_due(g, now);

	return wake_by(&g->tick, (struct mono){ now.ns + due }) == 0 ? -1 : WAKE_MS;
}

/* Sleeps until there is something to do; with `pending` entries it only looks. False: the gate must
 * end. */
static bool wait_events(struct gate *g, bool pending)
{
	struct epoll_event ev[EVENTS];
	bool dead = false, messages = false;
	int n = epoll_wait(g->epoll, ev, EVENTS, pending ? 0 : sleep_ms(g));

	if (n < 0 && errno != EINTR)
		return false;
	for (int i = 0; i < n; i++) {
		if (ev[i].data.u32 == WATCH_TICK)
			wake_rang(&g->tick);
		messages |= ev[i].data.u32 == WATCH_CONTROL;
		dead |= ev[i].data.u32 == WATCH_PIDFD;
	}
	/* The death of a worker is handled before the messages, because a message may announce its
	 * successor. */
	if (dead)
		gate_worker_dead(g, clock_mono());
	return !messages || gate_messages(g);
}

static bool sleep_until(struct gate *g)
{
	struct ring *r = g->ring;
	bool pending = r != NULL && ring_pending(r, g->tail);

	/* While entries wait, the descriptors are looked at only when a tick is due. */
	if (pending && gate_due(g, clock_mono()) > 0)
		return true;
	if (r != NULL && !pending) {
		/* `waiting` is set before the second look: either the worker sees it, or this look
		 * sees the worker's entry. */
		atomic_store(&r->waiting, 1);
		pending = ring_pending(r, g->tail);
	}
	if (!wait_events(g, pending))
		return false;
	if (g->ring != NULL)
		atomic_store_explicit(&g->ring->waiting, 0, memory_order_relaxed);
	return true;
}

static int gate_run(struct gate *g)
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
	static struct gate g; /* static, because it is too large for the stack */
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
	    wake_open(&g.tick) < 0 || gate_watch_fd(&g, g.tick.fd, WATCH_TICK, EPOLLIN) < 0 ||
	    gate_watch_fd(&g, ROLE_FD_CONTROL, WATCH_CONTROL, EPOLLIN) < 0)
		err_set(&e, -errno, "control channel");
	else
		sandbox_enter_pair(ROLE_GATE, kind, &e);
	if (e.code == 0 && msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) < 0)
		err_set(&e, -EPIPE, "control channel");
	if (e.code != 0) {
		fprintf(stderr, "sekishod gate: %s\n", e.text);
		return 1;
	}
	return gate_run(&g);
}
