/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start and death of a worker. While no worker runs, each waiting packet is decided by its lane.
 * Packets of `closed` lanes are dropped. Those of `hold` and `open` lanes go back to the kernel
 * with their mark; the chain after the queue, which knows the session, decides and counts them.
 */
#include "appliance/gate/gate.h"
#include "appliance/gate/overdue.h"
#include "appliance/gate/stray.h"
#include "appliance/gate/verdict.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/wire/reason.h"

#define STATES (LANE_COUNT * LANE_SLOTS)
#define DISCARD_AT_ONCE 64u
#define DISCARD_ROUNDS 64

int64_t gate_look(struct gate *g)
{
	static struct queue_state states[STATES];
	int n = outstanding_read(g->proc, states, STATES);
	int64_t sum = 0;

	for (int i = 0; i < n; i++) {
		struct gate_lane *l = gate_lane_of(g, states[i].queue);

		if (l == NULL)
			continue;
		gate_queue_of(l, states[i].queue)->seen = states[i];
		sum += states[i].outstanding;
	}
	return n < 0 ? -1 : sum;
}

static void report_lane(struct gate *g, struct gate_lane *gl)
{
	struct event e = event_new(EVENT_DECIDED, clock_wall_ns());
	struct lane l;

	if (gl->unreported == 0)
		return;
	e.count = gl->unreported;
	e.value = gl->lane;
	gl->unreported = 0;
	e.verdict = EV_DENY;
	e.reason = R_DOWN_CLOSED;
	if (lane_of(gl->lane, &l) && l.when_down != FAIL_CLOSED) {
		e.verdict = EV_ALLOW;
		e.reason = lane_unanswered(l) == FAIL_OPEN ? R_DOWN_OPEN : R_DOWN_HELD;
	}
	event_send(&g->events, &e);
}

static void report_lanes(struct gate *g, struct mono now)
{
	uint32_t n;

	g->last_report = now;
	for (uint64_t rest = g->used; gate_each(&rest, &n);)
		report_lane(g, &g->lanes[n]);
}

/* Decides all packets that wait in a lane. False: some are still undecided. */
static bool decide_lane(struct gate *g, struct gate_lane *l)
{
	bool all = true;

	for (uint32_t slot = 0; slot < LANE_SLOTS; slot++) {
		const struct queue_state *q = &l->queues[slot].seen;

		if (q->outstanding == 0)
			continue;
		if (verdict_upto(l->fd, q->queue, q->last_id, lane_lets_on(l->lane)) < 0) {
			g->counts.unsent++; /* the next tick tries again */
			all = false;
			continue;
		}
		l->unreported += q->outstanding;
		g->counts.decided += q->outstanding;
		pulse_decided(g->pulse, l->lane, q->outstanding);
	}
	return all;
}

static bool any_waits(const struct gate_lane *l)
{
	for (uint32_t slot = 0; slot < LANE_SLOTS; slot++)
		if (l->queues[slot].seen.outstanding > 0)
			return true;
	return false;
}

/* Decides all waiting packets. Of lanes with commands, and of the others, those of criticality
 * "safety" come first. False: some packets are still undecided. */
static bool decide_waiting(struct gate *g)
{
	bool all = true;
	uint32_t n;

	if (gate_look(g) <= 0)
		return true;
	for (uint64_t rest = g->used; gate_each(&rest, &n);)
		all &= decide_lane(g, &g->lanes[n]);
	return all;
}

/*
 * Discards the datagrams of a lane that no worker reads, without copying a byte. Otherwise the
 * receive buffers would fill up, and the kernel would drop packets that `hold` and `open` let pass.
 */
static void lane_discard(const struct gate_lane *l)
{
	static struct mmsghdr heads[DISCARD_AT_ONCE]; /* message headers without buffers */

	for (int i = 0; i < DISCARD_ROUNDS; i++)
		if (recvmmsg(l->fd, heads, DISCARD_AT_ONCE, MSG_DONTWAIT, NULL) < (int)DISCARD_AT_ONCE)
			return;
}

/* Closes a descriptor. The supervisor has it too, so close() alone would not remove it from the
 * epoll set. */
static void forget_descriptor(const struct gate *g, int *fd)
{
	if (*fd >= 0) {
		epoll_ctl(g->epoll, EPOLL_CTL_DEL, *fd, NULL);
		close(*fd);
	}
	*fd = -1;
}

/* Tells the supervisor to kill the worker. */
static void report_hung(struct gate *g)
{
	msg_send(g->control, 0, &(struct msg_body){ MSG_HUNG, .hung = { .worker = g->worker, .pid = g->pid } }, NULL,
		 0);
}

/* Gives up the worker's ring and descriptors. Even if it recovers before the supervisor has ended
 * it, this gate sends none of its verdicts from here on, and neither does the worker itself,
 * because its ring is closed. */
static void give_up(struct gate *g)
{
	if (g->ring != NULL)
		atomic_store(&g->ring->open, 0);
	ring_unmap(g->ring);
	g->ring = NULL;
	g->half = false;
	g->state = GATE_ALONE;
	forget_descriptor(g, &g->wake);
	forget_descriptor(g, &g->pidfd);
	if (g->stat >= 0)
		close(g->stat);
	g->stat = -1;
}

/*
 * Decides the packets that wait, tells the worker up to which packet this was done, and opens its
 * ring. The worker must not start while older packets are undecided, because its first verdict for
 * a whole batch would decide them unread.
 */
static void open_ring(struct gate *g)
{
	uint32_t n;

	if (!decide_waiting(g))
		return;

	/* Packets that the gate decided add nothing to the budget for resets. */
	stray_begin(&g->strays);
	for (uint64_t rest = g->used; gate_each(&rest, &n);)
		for (uint32_t slot = 0; slot < LANE_SLOTS; slot++) {
			const struct queue_state *q = &g->lanes[n].queues[slot].seen;

			if (((uint32_t)g->lanes[n].slots >> slot & 1u) == 0)
				continue;
			atomic_store(&g->ring->decided[n][slot], q->last_id);
			atomic_store(&g->ring->decided_set[n][slot], 1);
			if (n == LANE_CUT)
				stray_decided(&g->strays, slot, q->last_id);
		}
	atomic_store(&g->ring->open, 1);
}

void gate_begin(struct gate *g, struct ring *ring, const int fds[3], uint32_t worker, uint32_t pid, struct mono now)
{
	uint32_t n;

	give_up(g);
	g->ring = ring;
	g->tail = 0;
	g->wake = fds[0];
	g->pidfd = fds[1];
	g->stat = fds[2];
	g->worker = worker;
	g->pid = pid;
	g->state = GATE_STARTING;
	g->heartbeat = 0;
	vigil_begin(&g->vigil, (pid_t)pid, g->stat);
	g->waiting = 0;
	g->unlooked_ns = 0;
	g->unlooked_beats = 0;
	for (uint64_t rest = g->used; gate_each(&rest, &n);)
		for (uint32_t slot = 0; slot < LANE_SLOTS; slot++)
			g->lanes[n].queues[slot].overdue = (struct overdue){ 0 };
	open_ring(g);
	g->last_tick = now;
}

/* Decides packets in the worker's place, by the failure decisions of the lanes. */
static void replace_worker(struct gate *g)
{
	give_up(g);
	(void)decide_waiting(g);
}

void gate_worker_dead(struct gate *g, struct mono now)
{
	if (g->state == GATE_ALONE)
		return;
	g->counts.died++;
	replace_worker(g);
	g->last_tick = now;
}

void gate_worker_lied(struct gate *g, struct mono now)
{
	g->counts.lies++;
	report_hung(g);
	replace_worker(g);
	g->last_tick = now;
}

/* Whether the worker runs but leaves packets of some queue without a verdict. */
static bool any_overdue(struct gate *g)
{
	bool any = false;
	uint32_t n;

	for (uint64_t rest = g->used; gate_each(&rest, &n);) {
		struct gate_lane *l = &g->lanes[n];
		struct overdue_lane all = { .verdicts = l->verdicts };

		for (uint32_t slot = 0; slot < LANE_SLOTS; slot++)
			all.waiting += l->queues[slot].seen.outstanding;
		for (struct gate_queue *q = l->queues; q < l->queues + LANE_SLOTS; q++) {
			any |= overdue_look(&q->overdue, &q->seen, &all, g->unlooked_ns, g->unlooked_beats);
		}
	}
	return any;
}

/* Whether the queues have to be read now. They are read often while packets wait and the worker has
 * no heartbeat, and seldom while it has one. */
static bool look_is_due(const struct gate *g, bool beat)
{
	uint64_t every = beat ? GATE_LOOK_NS : g->waiting > 0 ? GATE_TICK_NS : GATE_TICK_REST_NS;

	return g->unlooked_ns + GATE_TICK_NS / 2 >= every; /* a tick may come a little early */
}

static void watch_heartbeat(struct gate *g, uint64_t passed_ns)
{
	uint32_t beat = atomic_load_explicit(&g->ring->heartbeat, memory_order_relaxed);
	uint32_t beats = beat - g->heartbeat;
	bool awaited = g->waiting != 0, late = false;

	g->heartbeat = beat;
	g->unlooked_ns += passed_ns;
	g->unlooked_beats += beats;
	if (beats != 0)
		vigil_beat(&g->vigil);
	if (!look_is_due(g, beats != 0))
		return;
	g->waiting = gate_look(g);
	if (g->waiting == 0 || !awaited)
		vigil_beat(&g->vigil);
	else if (beats == 0)
		late = vigil_hung(&g->vigil, g->unlooked_ns, GATE_GAP_NS, GATE_HUNG_NS);
	if (!late && any_overdue(g)) {
		g->counts.overdue++;
		late = true;
	}
	g->unlooked_ns = 0;
	g->unlooked_beats = 0;
	if (!late)
		return;
	g->counts.hung++;
	report_hung(g);
	replace_worker(g);
}

void gate_tick(struct gate *g, struct mono now)
{
	uint64_t passed = now.ns - g->last_tick.ns;
	uint32_t n;

	g->last_tick = now;
	switch (g->state) {
	case GATE_RUNNING:
		watch_heartbeat(g, passed);
		break;
	case GATE_STARTING:
		g->heartbeat = atomic_load(&g->ring->heartbeat);
		if (g->heartbeat != 0) {
			g->state = GATE_RUNNING;
			report_lanes(g, now);
			break;
		}
		open_ring(g);
		break;
	case GATE_ALONE:
		(void)decide_waiting(g);
		for (uint64_t rest = g->used; gate_each(&rest, &n);)
			if (any_waits(&g->lanes[n]))
				lane_discard(&g->lanes[n]);
		break;
	}
	if (now.ns - g->last_report.ns >= GATE_REPORT_NS)
		report_lanes(g, now);
}

uint64_t gate_due(const struct gate *g, struct mono now)
{
	bool rest = g->state == GATE_RUNNING ? g->waiting == 0 : g->used == 0;
	uint64_t every = rest ? GATE_TICK_REST_NS : g->state == GATE_RUNNING ? GATE_TICK_NS : GATE_TICK_DOWN_NS;
	uint64_t passed = now.ns - g->last_tick.ns;

	return passed >= every ? 0 : every - passed;
}
