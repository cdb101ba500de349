/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the supervisor tells a gate: its lanes, its worker, the pairs of the policy, and questions.
 * Any other message ends the gate.
 */
#include "appliance/gate/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

int gate_watch_fd(const struct gate *g, int fd, uint32_t what, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.u32 = what };

	return epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

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
	return gate_watch_fd(g, g->wake, WATCH_WAKE, EPOLLIN | EPOLLET) == 0 &&
	       gate_watch_fd(g, g->pidfd, WATCH_PIDFD, EPOLLIN) == 0;
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
	struct gate *g = ctx;
	struct msg_body answer = { MSG_GATE_STATUS, .gate_status = g->counts };
	struct msg_gate_status *a = &answer.gate_status;
	uint32_t n;

	gate_look(g);
	a->starved_ms = g->vigil.starved_ns / 1000000u;
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
	/* if this is lost, the supervisor asks again */
	(void)msg_send(g->control, m->id, &answer, NULL, 0);
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
