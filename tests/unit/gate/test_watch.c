/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/gate/watch.c appliance/gate/ring.c appliance/gate/verdict.c
 * LINK: appliance/role/outstanding.c appliance/gate/overdue.c
 * LINK: appliance/gate/reset.c appliance/kernel/conntrack.c appliance/kernel/talk.c
 * LINK: appliance/role/vigil.c appliance/wire/ring.c
 * LINK: appliance/wire/pairs.c appliance/base/addr.c appliance/base/bytes.c appliance/base/clock.c
 * LINK: appliance/base/err.c
 * LIBS: libmnl libnetfilter_queue
 */
/* Begin and end of a worker, with a clock of the test. The packets that wait in the queues are a
 * file, and the kernel is a socket. */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/gate/gate.h"
#include "appliance/gate/overdue.h"
#include "appliance/gate/stray.h"
#include "appliance/gate/verdict.h"
#include "appliance/wire/reason.h"

#define MS 1000000u
#define N 4

/* For each lane, what happens to packets without a worker; the cut lane is the last one. */
static const struct lane lanes[N - 1] = {
	{ LANE_COMMANDS, CRIT_CARGO, FAIL_CLOSED, FAIL_CLOSED },
	{ LANE_COMMANDS, CRIT_CARGO, FAIL_HOLD, FAIL_CLOSED },
	{ LANE_NAMING, CRIT_SUPPORT, FAIL_OPEN, FAIL_OPEN },
};
enum { CLOSED, HOLD, OPEN, CUT };

struct fixture {
	struct gate g;
	uint32_t lane[N];
	int kernel[N]; /* the other end of each queue's socket */
	struct ring *ring;
	struct ring *of_worker; /* the worker's own mapping of the last ring */
	struct mono now;
};

static struct fixture f;
static unsigned told_hung;
static struct pulse pulse;
static struct event events[16];
static size_t n_events;

bool gate_messages(struct gate *g)
{
	(void)g;
	return true;
}

int msg_send(int fd, uint32_t id, const struct msg_body *body, const int *fds, size_t n_fds)
{
	(void)fd;
	(void)id;
	(void)fds;
	(void)n_fds;
	told_hung += body->type == MSG_HUNG;
	return 0;
}

struct event event_new(enum event_kind kind, uint64_t wall_ns)
{
	return (struct event){ .kind = kind, .wall_ns = wall_ns };
}

void event_send(struct event_port *p, const struct event *e)
{
	(void)p;
	assert_true(n_events < sizeof(events) / sizeof(events[0]));
	events[n_events++] = *e;
}

/* The number of waiting packets in each queue, and the id of the newest one. */
static void waiting(const uint32_t n[N], const uint32_t last[N])
{
	char text[N * 80];
	int at = 0;

	for (unsigned i = 0; i < N; i++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%5u 77 %5u 2 65535 0 0 %8u  1\n",
			       lane_queue(f.lane[i], 0), n[i], last[i]);
	assert_int_equal(ftruncate(f.g.proc, 0), 0);
	assert_int_equal(pwrite(f.g.proc, text, (size_t)at, 0), at);
}

static void nothing_waits(void)
{
	waiting((uint32_t[N]){ 0 }, (uint32_t[N]){ 9, 9, 9, 9 });
}

/* Expects the message that decides all packets of a queue up to an id, or expects none. */
static void expect_upto(unsigned lane, bool sent, uint32_t id, bool accept)
{
	uint8_t want[VERDICT_ONE], got[256];
	size_t n = verdict_upto_message(want, lane_queue(f.lane[lane], 0), id, accept);
	ssize_t r = recv(f.kernel[lane], got, sizeof(got), 0);

	if (!sent) {
		assert_int_equal(r, -1);
		return;
	}
	assert_int_equal(r, n);
	assert_memory_equal(got, want, n);
}

static void expect_silence(void)
{
	for (unsigned i = 0; i < N; i++)
		expect_upto(i, false, 0, false);
}

static void pass(uint64_t ns)
{
	f.now.ns += ns;
	gate_tick(&f.g, f.now);
}

static void beat(void)
{
	atomic_fetch_add(&f.ring->heartbeat, 1);
}

/* Announces a worker; the descriptors that it gets belong to the gate. */
static void worker(void)
{
	int fds[3] = { eventfd(0, 0), eventfd(0, 0), -1 }, fd = ring_create(NULL);

	f.ring = ring_map(fd, NULL);
	ring_unmap(f.of_worker);
	f.of_worker = ring_map(fd, NULL);
	close(fd);
	assert_true(f.ring != NULL && f.of_worker != NULL);
	gate_begin(&f.g, f.ring, fds, 1, 0, f.now);
}

static void running_worker(void)
{
	nothing_waits();
	worker();
	beat();
	pass(GATE_TICK_DOWN_NS);
	assert_int_equal(f.g.state, GATE_RUNNING);
	n_events = 0;
}

static int gate_make(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	f.now.ns = 1000u * MS;
	f.g = (struct gate){
		.wake = -1, .pidfd = -1, .stat = -1, .raw4 = -1, .raw6 = -1, .sessions = -1, .pulse = &pulse
	};
	pulse = (struct pulse){ 0 };
	f.g.last_tick = f.g.last_report = f.now;
	f.g.epoll = epoll_create1(0);
	f.g.proc = memfd_create("queues", 0);
	told_hung = 0;
	n_events = 0;
	for (unsigned i = 0; i < N; i++) {
		int s[2];

		f.lane[i] = i == CUT ? LANE_CUT : lane_number(lanes[i]);
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, s) < 0)
			return 1;
		f.kernel[i] = s[1];
		f.g.lanes[f.lane[i]] = (struct gate_lane){ .fd = s[0], .lane = f.lane[i], .slots = 1 };
		f.g.used |= (uint64_t)1 << f.lane[i];
	}
	nothing_waits();
	return 0;
}

static int gate_drop(void **state)
{
	(void)state;
	gate_worker_dead(&f.g, f.now);
	for (unsigned i = 0; i < N; i++) {
		close(f.kernel[i]);
		close(f.g.lanes[f.lane[i]].fd);
	}
	close(f.g.epoll);
	close(f.g.proc);
	return 0;
}

/* ---- nobody is there ------------------------------------------------------------------------- */

/* The packets that were decided in each lane, as reported to the supervisor. */
static void decided(uint64_t in_closed, uint64_t in_hold, uint64_t in_open, uint64_t in_cut)
{
	const uint64_t want[N] = { in_closed, in_hold, in_open, in_cut };

	for (unsigned i = 0; i < N; i++)
		assert_int_equal(atomic_load(&pulse.decided[f.lane[i]]), want[i]);
}

/* Here only packets of closed lanes are dropped. The chain behind the queues decides about the
 * others, because it knows the flow. */
static void dead_worker(void **state)
{
	(void)state;
	running_worker();
	waiting((uint32_t[N]){ 3, 2, 0, 1 }, (uint32_t[N]){ 10, 20, 30, 40 });
	gate_worker_dead(&f.g, f.now);
	assert_int_equal(f.g.state, GATE_ALONE);
	assert_int_equal(f.g.counts.died, 1);
	expect_upto(CLOSED, true, 10, false);
	expect_upto(HOLD, true, 20, true);
	expect_upto(OPEN, false, 0, false); /* nothing waited there */
	expect_upto(CUT, true, 40, false);
	assert_int_equal(f.g.counts.decided, 6);
	decided(3, 2, 0, 1);
	assert_null(f.g.ring);
	assert_int_equal(f.g.wake, -1);
	/* Packets that come later are decided as they come. */
	waiting((uint32_t[N]){ 1, 0, 5, 0 }, (uint32_t[N]){ 11, 20, 35, 40 });
	pass(GATE_TICK_DOWN_NS);
	expect_upto(CLOSED, true, 11, false);
	expect_upto(OPEN, true, 35, true);
	expect_silence();
	decided(4, 2, 5, 1);
	gate_worker_dead(&f.g, f.now); /* reported twice, counted once */
	assert_int_equal(f.g.counts.died, 1);
}

static void is_told(void **state)
{
	static const struct {
		uint64_t n;
		enum event_verdict verdict;
		enum reason reason;
	} want[N] = { { 3, EV_DENY, R_DOWN_CLOSED },
		      { 2, EV_ALLOW, R_DOWN_HELD },
		      { 4, EV_ALLOW, R_DOWN_OPEN },
		      { 1, EV_DENY, R_DOWN_CLOSED } };

	(void)state;
	waiting((uint32_t[N]){ 3, 2, 4, 1 }, (uint32_t[N]){ 10, 20, 30, 40 });
	pass(GATE_TICK_DOWN_NS);
	assert_int_equal(n_events, 0); /* packets are not reported one by one */
	nothing_waits();
	pass(GATE_REPORT_NS);
	assert_int_equal(n_events, N);
	for (unsigned i = 0; i < N; i++) {
		const struct event *e = NULL;

		for (size_t k = 0; k < n_events; k++)
			if (events[k].value == f.lane[i])
				e = &events[k];
		assert_non_null(e);
		assert_int_equal(e->kind, EVENT_DECIDED);
		assert_int_equal(e->count, want[i].n);
		assert_int_equal(e->verdict, want[i].verdict);
		assert_int_equal(e->reason, want[i].reason);
	}
	pass(GATE_REPORT_NS);
	assert_int_equal(n_events, N); /* once */
}

/* Nobody reads the sockets: they would become full, and the kernel would drop packets that may
 * pass. */
static void what_nobody_reads(void **state)
{
	uint8_t byte;

	(void)state;
	waiting((uint32_t[N]){ 1, 1, 0, 0 }, (uint32_t[N]){ 10, 20, 9, 9 });
	for (unsigned i = 0; i < 200; i++) /* more than are read and discarded at once */
		assert_int_equal(send(f.kernel[HOLD], "x", 1, 0), 1);
	pass(GATE_TICK_DOWN_NS);
	assert_int_equal(recv(f.g.lanes[f.lane[HOLD]].fd, &byte, 1, 0), -1);
}

static void unsent(void **state)
{
	int keep = f.g.lanes[f.lane[CLOSED]].fd;

	(void)state;
	waiting((uint32_t[N]){ 3, 0, 0, 0 }, (uint32_t[N]){ 10, 9, 9, 9 });
	f.g.lanes[f.lane[CLOSED]].fd = -1;
	pass(GATE_TICK_DOWN_NS);
	assert_int_equal(f.g.counts.unsent, 1);
	assert_int_equal(f.g.counts.decided, 0);
	f.g.lanes[f.lane[CLOSED]].fd = keep;
	pass(GATE_TICK_DOWN_NS); /* tried again */
	expect_upto(CLOSED, true, 10, false);
	assert_int_equal(f.g.counts.decided, 3);
}

/* Each slot of a lane is a queue with ids of its own. A slot of another pair of gate and worker
 * does not concern this gate. */
static void every_slot(void **state)
{
	struct gate_lane *l = &f.g.lanes[f.lane[CLOSED]];
	uint8_t want[VERDICT_ONE], got[256];
	char text[3 * 80];
	int n = 0;

	(void)state;
	l->slots = 0x21;
	for (unsigned slot = 0; slot <= 5; slot += slot == 0 ? 3 : 2)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%5u 77 %5u 2 65535 0 0 %8u  1\n",
			      lane_queue(l->lane, slot), 2, 100 + slot);
	assert_int_equal(ftruncate(f.g.proc, 0), 0);
	assert_int_equal(pwrite(f.g.proc, text, (size_t)n, 0), n);
	worker();
	for (unsigned slot = 0; slot <= 5; slot += 5) {
		size_t len = verdict_upto_message(want, lane_queue(l->lane, slot), 100 + slot, false);

		assert_int_equal(recv(f.kernel[CLOSED], got, sizeof(got), 0), len);
		assert_memory_equal(got, want, len);
		assert_int_equal(atomic_load(&f.ring->decided_set[l->lane][slot]), 1);
		assert_int_equal(atomic_load(&f.ring->decided[l->lane][slot]), 100 + slot);
	}
	expect_silence();
	assert_int_equal(atomic_load(&f.ring->decided_set[l->lane][3]), 0);
	assert_int_equal(f.g.counts.decided, 4);
	assert_null(gate_lane_of(&f.g, lane_queue(l->lane, 3)));
	assert_ptr_equal(gate_lane_of(&f.g, lane_queue(l->lane, 5)), l);
}

/* ---- a worker begins ------------------------------------------------------------------------- */

static void begins(void **state)
{
	struct ring *first;

	(void)state;
	waiting((uint32_t[N]){ 3, 0, 0, 2 }, (uint32_t[N]){ 10, 20, 30, 40 });
	f.g.strays = (struct stray_budget){ .last_id = { 1 }, .credit = 5 };
	f.g.unlooked_ns = f.g.unlooked_beats = 77; /* of the worker before */
	f.g.lanes[f.lane[CLOSED]].queues[0].overdue.marked = true;
	worker();
	assert_int_equal(f.g.unlooked_ns + f.g.unlooked_beats, 0);
	assert_false(f.g.lanes[f.lane[CLOSED]].queues[0].overdue.marked);
	assert_int_equal(f.g.state, GATE_STARTING);
	assert_int_equal(atomic_load(&f.ring->open), 1);
	expect_upto(CLOSED, true, 10, false);
	expect_upto(CUT, true, 40, false);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(atomic_load(&f.ring->decided_set[f.lane[i]][0]), 1);
		assert_int_equal(atomic_load(&f.ring->decided[f.lane[i]][0]), 10 * (i + 1));
	}
	/* a lane that is not this gate's */
	assert_int_equal(atomic_load(&f.ring->decided_set[1][0]), 0);
	/* Packets that the gate decided do not allow a reset. */
	assert_int_equal(f.g.strays.last_id[0], 40);
	assert_int_equal(f.g.strays.credit, 0);
	/* Until the worker works, the gate decides its packets and tells it. */
	waiting((uint32_t[N]){ 1, 0, 0, 0 }, (uint32_t[N]){ 11, 20, 30, 40 });
	pass(GATE_TICK_DOWN_NS);
	expect_upto(CLOSED, true, 11, false);
	assert_int_equal(atomic_load(&f.ring->decided[f.lane[CLOSED]][0]), 11);
	beat();
	waiting((uint32_t[N]){ 1, 0, 0, 0 }, (uint32_t[N]){ 12, 20, 30, 40 });
	pass(GATE_TICK_DOWN_NS);
	assert_int_equal(f.g.state, GATE_RUNNING);
	assert_int_equal(n_events, 2); /* of both lanes, because a worker has taken over */
	pass(GATE_TICK_NS);
	expect_silence(); /* the worker decides its own packets */
	/* Another worker takes its place. */
	first = f.ring;
	nothing_waits();
	worker();
	assert_ptr_not_equal(f.ring, first);
	assert_int_equal(f.g.state, GATE_STARTING);
	assert_int_equal(f.g.counts.died, 0);
}

/* A verdict covers all packets up to an id. So a worker that starts too early could skip packets,
 * or decide packets that it has not read. */
static void not_before_all_is_decided(void **state)
{
	int keep = f.g.lanes[f.lane[CLOSED]].fd;

	(void)state;
	waiting((uint32_t[N]){ 3, 0, 0, 0 }, (uint32_t[N]){ 10, 20, 30, 40 });
	f.g.lanes[f.lane[CLOSED]].fd = -1;
	worker();
	assert_int_equal(atomic_load(&f.ring->open), 0);
	assert_int_equal(atomic_load(&f.ring->decided_set[f.lane[CLOSED]][0]), 0);
	f.g.lanes[f.lane[CLOSED]].fd = keep;
	pass(GATE_TICK_DOWN_NS);
	expect_upto(CLOSED, true, 10, false);
	assert_int_equal(atomic_load(&f.ring->open), 1);
	assert_int_equal(atomic_load(&f.ring->decided[f.lane[CLOSED]][0]), 10);
}

/* ---- it is watched --------------------------------------------------------------------------- */

static void idle_is_not_hung(void **state)
{
	(void)state;
	running_worker();
	for (unsigned i = 0; i < 100; i++)
		pass(GATE_TICK_REST_NS);
	assert_int_equal(f.g.state, GATE_RUNNING);
	assert_int_equal(told_hung, 0);
}

static void hung_is_noticed(void **state)
{
	unsigned ticks = 0;

	(void)state;
	running_worker();
	waiting((uint32_t[N]){ 1, 0, 0, 0 }, (uint32_t[N]){ 10, 9, 9, 9 });
	while (f.g.state == GATE_RUNNING && ticks < 100) {
		pass(GATE_TICK_NS);
		ticks++;
	}
	/* The first look finds the packet; from then on its time counts. */
	assert_true(ticks * GATE_TICK_NS >= GATE_HUNG_NS && ticks * GATE_TICK_NS <= GATE_HUNG_NS + 4 * GATE_TICK_NS);
	assert_int_equal(f.g.state, GATE_ALONE);
	assert_int_equal(told_hung, 1);
	assert_int_equal(f.g.counts.hung, 1);
	/* should it work again, its entries no longer count */
	assert_int_equal(atomic_load(&f.of_worker->open), 0);
	expect_upto(CLOSED, true, 10, false);
	assert_int_equal(f.g.counts.decided, 1);
}

/* If a queue cannot be read, packets may be waiting: the worker is asked for its pulse all the
 * same. */
static void unreadable_is_not_empty(void **state)
{
	int keep = f.g.proc;

	(void)state;
	running_worker();
	f.g.proc = -1;
	for (unsigned i = 0; i < 30 && f.g.state == GATE_RUNNING; i++)
		pass(GATE_TICK_REST_NS);
	assert_int_equal(f.g.counts.hung, 1);
	f.g.proc = keep;
}

static void beating_is_not_hung(void **state)
{
	(void)state;
	running_worker();
	for (uint32_t i = 0; i < 200; i++) {
		/* a busy worker: packets come and are decided */
		waiting((uint32_t[N]){ 1, 0, 0, 0 }, (uint32_t[N]){ 10 + i, 9, 9, 9 });
		overdue_verdict(&f.g.lanes[f.lane[CLOSED]].queues[0].overdue, 9 + i);
		beat();
		pass(GATE_TICK_NS);
	}
	assert_int_equal(f.g.state, GATE_RUNNING);
	expect_silence();
}

/* The worker runs but decides nothing. */
static void forgetful_is_noticed(void **state)
{
	unsigned ticks = 0;

	(void)state;
	running_worker();
	waiting((uint32_t[N]){ 0, 1, 0, 0 }, (uint32_t[N]){ 9, 10, 9, 9 });
	while (f.g.state == GATE_RUNNING && ticks < 100) {
		beat();
		pass(GATE_TICK_NS);
		ticks++;
	}
	assert_true(ticks * GATE_TICK_NS >= OVERDUE_NS && ticks * GATE_TICK_NS <= OVERDUE_NS + 3 * GATE_LOOK_NS);
	assert_int_equal(f.g.counts.overdue, 1);
	assert_int_equal(f.g.counts.hung, 1);
	assert_int_equal(told_hung, 1);
	expect_upto(HOLD, true, 10, true);
}

/* The packets that wait in one queue of a lane behind many in another queue, and the newest id of
 * these. */
static void waiting_behind(const struct gate_lane *l, uint32_t crowd, uint32_t newest)
{
	char text[2 * 80];
	int n = snprintf(text, sizeof(text), "%5u 77 %5u 2 65535 0 0 %8u  1\n%5u 77 %5u 2 65535 0 0 %8u  1\n",
			 lane_queue(l->lane, 0), crowd, newest, lane_queue(l->lane, 1), 1u, 10u);

	assert_int_equal(ftruncate(f.g.proc, 0), 0);
	assert_int_equal(pwrite(f.g.proc, text, (size_t)n, 0), n);
}

/* All packets of a lane come by one socket: a packet behind many of another queue counts as
 * forgotten only when these have had their turn. */
static void crowd_is_not_forgetful(void **state)
{
	struct gate_lane *l = &f.g.lanes[f.lane[HOLD]];
	uint32_t crowd = 1000, decided = 0;

	(void)state;
	l->slots = 0x3;
	running_worker();
	while (f.g.state == GATE_RUNNING && decided < 10 * crowd) {
		waiting_behind(l, crowd, 1000 + decided); /* as many packets come as are decided */
		for (unsigned i = 0; i < 10; i++)
			overdue_verdict(&l->queues[0].overdue, ++decided);
		l->verdicts += 10;
		beat();
		pass(GATE_TICK_NS);
	}
	assert_true(decided > crowd && decided < crowd + 200);
	/* longer than a packet without others before it could wait */
	assert_true(decided / 10 * GATE_TICK_NS > 2 * OVERDUE_NS);
	assert_int_equal(f.g.counts.overdue, 1);
}

static void liar(void **state)
{
	(void)state;
	running_worker();
	waiting((uint32_t[N]){ 2, 0, 0, 0 }, (uint32_t[N]){ 10, 9, 9, 9 });
	f.g.half = true;
	gate_worker_lied(&f.g, f.now);
	assert_int_equal(told_hung, 1);
	assert_int_equal(f.g.counts.lies, 1);
	assert_int_equal(atomic_load(&f.of_worker->open), 0);
	assert_int_equal(f.g.state, GATE_ALONE);
	/* the first entry of the next worker is not taken for the second part */
	assert_false(f.g.half);
	expect_upto(CLOSED, true, 10, false);
}

static void when_due(void **state)
{
	(void)state;
	assert_int_equal(gate_due(&f.g, f.now), GATE_TICK_DOWN_NS);
	running_worker();
	assert_int_equal(gate_due(&f.g, f.now), GATE_TICK_REST_NS);
	f.g.waiting = 1;
	assert_int_equal(gate_due(&f.g, f.now), GATE_TICK_NS);
	assert_int_equal(gate_due(&f.g, (struct mono){ f.now.ns + 2 * MS }), GATE_TICK_NS - 2 * MS);
	assert_int_equal(gate_due(&f.g, (struct mono){ f.now.ns + 1000 * MS }), 0);
	gate_worker_dead(&f.g, f.now);
	assert_int_equal(gate_due(&f.g, f.now), GATE_TICK_DOWN_NS);
	f.g.used = 0; /* no policy: nothing to decide */
	assert_int_equal(gate_due(&f.g, f.now), GATE_TICK_REST_NS);
}

#define T(x) cmocka_unit_test_setup_teardown(x, gate_make, gate_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(dead_worker),
		T(is_told),
		T(what_nobody_reads),
		T(unsent),
		T(every_slot),
		T(begins),
		T(not_before_all_is_decided),
		T(idle_is_not_hung),
		T(hung_is_noticed),
		T(unreadable_is_not_empty),
		T(beating_is_not_hung),
		T(forgetful_is_noticed),
		T(crowd_is_not_forgetful),
		T(liar),
		T(when_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
