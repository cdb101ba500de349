/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of the worker. A turn finds the queues with packets, serves the lanes (those with
 * commands first, in each kind by criticality, and each lane up to a limit), lets the inspector's
 * timers run, and counts up its heartbeat. The verdicts of a batch are sent when the whole batch
 * was judged. The gate is woken at most once in a turn for work that only the gate can do, and when
 * half of the ring is unread (worker/verdicts.c).
 *
 * A worker takes packets once it has a ring that the gate has opened, a command table, and a lane.
 * Until then the gate decides, so no packet waits for a worker that is being set up.
 */
#include "appliance/worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/json.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "appliance/worker/form.h"

#define START_MS 1 /* ms between looks at a ring that the gate has not opened yet */
/* while packets keep coming, other lanes and messages are looked at after this many turns ... */
#define LOOK_TURNS 16
#define LOOK_PACKETS WORKER_BATCH /* ... or after this many packets, whichever comes first */
#define SLEEP_NS 1000000000u	  /* ns: the longest sleep while something is due */
#define WAKE_MS 1		  /* ms between looks if the wake-up cannot be set */

/* ---- called by the inspector: towards the gate and the journal ------------------------------- */

static void tell_decision(void *ctx, uint16_t queue, uint32_t id, enum outcome o, uint32_t permit, enum reason r)
{
	struct worker *w = ctx;

	verdicts_decide(w, w->sockets[queue_lane(queue) % LANE_COUNT], queue, id, o, permit);
}

static void tell_reset(void *ctx, const struct reset_record *r)
{
	struct ring_entry e = { .kind = RING_RESET,
				.queue = r->queue,
				.family = r->client.family,
				.stray = r->stray,
				.client_port = r->client_port,
				.server_port = r->server_port };
	struct ring_sides s = { .kind = RING_RESET_SIDES, .to_client = r->to_client, .to_server = r->to_server };

	memcpy(e.u.a.client, r->client.b, sizeof(e.u.a.client));
	memcpy(e.u.a.server, r->server.b, sizeof(e.u.a.server));
	worker_push_two(ctx, &e, &s);
}

static void tell_event(void *ctx, const struct event *e)
{
	struct worker *w = ctx;

	event_send(&w->events, e);
}

/* ---- packets --------------------------------------------------------------------------------- */

static void take_packet(struct worker *w, struct worker_port *p, const struct packet *packet)
{
	uint32_t slot = queue_slot(packet->queue);

	if (p->skipping[slot]) {
		if ((int32_t)(packet->id - p->skip_to[slot]) <= 0) { /* ids are serial numbers */
			w->skipped++;
			return;
		}
		/* ids only rise, so the gate decided none of the packets that follow */
		p->skipping[slot] = false;
	}
	verdicts_taken(&w->verdicts, packet->queue);
	lends_before(&w->lends, w->inspector, packet);
	inspector_packet(w->inspector, packet);
	lends_after(&w->lends, w->inspector);
}

static void take_datagram(struct worker *w, struct worker_port *p, struct bytes d)
{
	struct packet packet;
	enum queue_item item;

	while ((item = queue_next(&d, &packet)) != QUEUE_END) {
		if (item == QUEUE_PACKET)
			take_packet(w, p, &packet);
		else if (item == QUEUE_ERROR)
			w->errors++;
		else
			w->others++;
	}
}

/* Serves one batch of a port. If fewer packets come than were asked for, the port is empty until
 * poll reports further packets. */
static void serve_batch(struct worker *w, struct worker_port *p, unsigned *left)
{
	unsigned most = *left < WORKER_BATCH ? *left : WORKER_BATCH;
	uint64_t began = clock_mono().ns, now;
	int n = queue_receive(w->reader, p->fd, most);

	for (int i = 0; i < n; i++)
		take_datagram(w, p, queue_datagram(w->reader, (unsigned)i));
	verdicts_flush(w);
	if (n > 0) {
		now = clock_mono().ns;
		latency_note(&w->latency, p->share, (uint32_t)n, now - began, now);
	}
	p->ready = n == (int)most;
	p->hot = n > 0;
	*left -= n > 0 ? (unsigned)n : 0;
	w->taken += n > 0 ? (unsigned)n : 0;
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* Notes up to which packets the gate has decided before this worker began; these are not judged
 * again. */
static void skip_decided(struct worker *w, struct worker_port *p)
{
	for (uint32_t slot = 0; slot < LANE_SLOTS; slot++) {
		p->skipping[slot] = atomic_load(&w->ring->decided_set[p->lane][slot]) != 0;
		p->skip_to[slot] = atomic_load(&w->ring->decided[p->lane][slot]);
	}
}

/* Begins service when the gate has opened the ring and there is a table. */
static void begin_service(struct worker *w)
{
	if (w->ring == NULL || !w->table || atomic_load(&w->ring->open) == 0)
		return;
	for (unsigned i = 0; i < w->n_ports; i++)
		skip_decided(w, &w->ports[i]);
	w->events.lost += inspector_keep_counts(w->inspector, w->kept);
	lends_begin(&w->lends, w->inspector);
	w->serving = true;
	worker_beat(w);
}

/* How long poll may sleep in ms: normally for ever (-1), because a descriptor wakes the worker. */
static int sleep_ms(struct worker *w, uint64_t due_ns, bool more)
{
	struct mono at;

	if (more)
		return 0;
	if (!w->serving)
		return w->ring != NULL && w->table ? START_MS : -1;
	if (due_ns == UINT64_MAX)
		return -1;
	at.ns = clock_mono().ns + (due_ns < SLEEP_NS ? due_ns : SLEEP_NS);
	return wake_by(&w->tick, at) == 0 ? -1 : WAKE_MS;
}

/*
 * Sleeps up to `ms` (0: does not sleep) and handles what happened. This uses poll and not epoll,
 * because with epoll the kernel reports each packet even while nobody sleeps.
 */
static void worker_look(struct worker *w, int ms)
{
	struct pollfd at[2 + LANE_COUNT] = { { ROLE_FD_CONTROL, POLLIN, 0 }, { w->tick.fd, POLLIN, 0 } };
	bool sleeps = ms != 0 && w->ring != NULL;
	unsigned n = w->serving ? w->n_ports : 0;
	int r;

	for (unsigned i = 0; i < n; i++)
		at[2 + i] = (struct pollfd){ w->ports[i].fd, POLLIN, 0 };
	if (sleeps)
		atomic_store_explicit(&w->ring->sleeping, 1, memory_order_relaxed);
	r = poll(at, 2 + n, ms);
	if (sleeps)
		atomic_store_explicit(&w->ring->sleeping, 0, memory_order_relaxed);
	if (r <= 0)
		return;
	/* The ports are handled before the messages, which may change them. */
	for (unsigned i = 0; i < n; i++)
		w->ports[i].ready |= at[2 + i].revents != 0;
	if (at[1].revents != 0)
		wake_rang(&w->tick);
	if (at[0].revents != 0 && !worker_messages(w))
		w->ended = true;
}

static void serve_commands(struct worker *w)
{
	for (unsigned i = 0; i < w->n_ports && w->ports[i].commands; i++) {
		struct worker_port *p = &w->ports[i];
		unsigned left = worker_budget(p->class);

		while (p->ready && left > 0)
			serve_batch(w, p, &left);
	}
}

static bool any_ready(const struct worker *w, bool commands)
{
	for (unsigned i = 0; i < w->n_ports; i++)
		if (w->ports[i].commands == commands && w->ports[i].ready)
			return true;
	return false;
}

/*
 * The next lane without commands that has packets and still has credit, the number of packets that
 * it may get judged in this round. If there is no such lane, the round is over: all credits are
 * renewed, and NULL is returned. A round may take several turns if commands come in between.
 */
static struct worker_port *next_other(struct worker *w)
{
	for (unsigned i = 0; i < w->n_ports; i++)
		if (!w->ports[i].commands && w->ports[i].ready && w->ports[i].credit > 0)
			return &w->ports[i];
	for (unsigned i = 0; i < w->n_ports; i++)
		w->ports[i].credit = worker_budget(w->ports[i].class);
	return NULL;
}

/* Serves the lanes with commands first. Then serves the others batch by batch, until a command
 * comes. True: some port may have more packets. */
static bool serve_lanes(struct worker *w)
{
	struct worker_port *p;

	serve_commands(w);
	while ((p = next_other(w)) != NULL) {
		serve_batch(w, p, &p->credit);
		worker_look(w, 0);
		if (any_ready(w, true))
			break;
	}
	return any_ready(w, true) || any_ready(w, false);
}

/* A packet that goes on is often answered at once. So ports that had packets are looked at once
 * more before sleeping. True: there are such ports. */
static bool stay_hot(struct worker *w)
{
	bool any = false;

	for (unsigned i = 0; i < w->n_ports; i++) {
		struct worker_port *p = &w->ports[i];

		p->ready |= p->hot;
		any |= p->hot;
		p->hot = false;
	}
	return any;
}

/* Reports the times of inspection for the journal's trends. Returns ns until the next report. */
static uint64_t tell_latency(struct worker *w)
{
	uint64_t now = clock_mono().ns, p99 = 0, n = latency_told(&w->latency, now, &p99);
	struct event e;

	if (n > 0) {
		e = event_new(EVENT_COUNTS, clock_wall_ns());
		e.code = COUNTS_INSPECTED;
		e.count = n;
		e.value = p99;
		event_send(&w->events, &e);
	}
	return latency_due(&w->latency, now);
}

static void worker_turn(struct worker *w)
{
	uint64_t due = UINT64_MAX;
	bool more = false;

	if (!w->serving)
		begin_service(w);
	if (w->serving) {
		more = serve_lanes(w);
		worker_beat(w);
	}
	verdicts_flush(w);
	worker_wake_gate(w);
	more |= stay_hot(w);
	if (more && ++w->turns < LOOK_TURNS && w->taken < LOOK_PACKETS)
		return;
	w->turns = 0;
	w->taken = 0;
	if (w->serving) {
		uint64_t tell = tell_latency(w);

		uint64_t look = lends_look(&w->lends, w->inspector, clock_mono().ns);

		due = inspector_tick(w->inspector);
		due = tell < due ? tell : due;
		due = look < due ? look : due;
		verdicts_flush(w);
		worker_wake_gate(w);
	}
	worker_look(w, sleep_ms(w, due, more));
}

static int prepare_inspector(struct worker *w, struct err *e)
{
	const struct inspector_limits limits = {
		.outside = { .ctx = w, .decide = tell_decision, .reset = tell_reset, .event = tell_event },
		.flows = WORKER_FLOWS,
		.pool_bytes = WORKER_POOL_BYTES,
		.table_bytes = WORKER_TABLE_BYTES,
		.kinds = 1u << w->kind,
		.no_library = w->kind == LANE_COMMANDS,
		.offer = w->kind == LANE_COMMANDS ? &w->lends.offer : NULL,
	};

	/* before the sandbox closes, because this reads random bytes from a file, once */
	json_object_seed(0);
	w->inspector = inspector_new(&limits);
	w->reader = queue_reader_new(WORKER_BATCH);
	if (w->inspector == NULL || w->reader == NULL)
		return err_set(e, -ENOMEM, "memory of the worker");
	w->kept = shared_map("counts", DPI_FD_COUNTS, sizeof(*w->kept), e);
	if (w->kept == NULL)
		return e->code;
	close(DPI_FD_COUNTS);
	if (fcntl(ROLE_FD_CONTROL, F_SETFL, O_NONBLOCK) < 0 || wake_open(&w->tick) < 0)
		return err_set(e, -errno, "control channel");
	/* A worker with nDPI sends no verdicts to the kernel, because nDPI is the largest parser.
	 * Its gate sends them. */
	w->verdicts.forms = w->kind == LANE_COMMANDS;
	if ((w->verdicts.forms ? forms_make(e) : forms_none(e)) < 0)
		return e->code;
	return sandbox_enter_pair(ROLE_DPI, w->kind, e);
}

int role_dpi(enum lane_kind kind)
{
	static struct worker w;
	struct err e = { 0 };

	w = (struct worker){ .kind = kind, .events = { .fd = ROLE_FD_EVENTS }, .wake = -1 };
	if (prepare_inspector(&w, &e) == 0 &&
	    msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) < 0)
		err_set(&e, -EPIPE, "control channel");
	if (e.code != 0) {
		fprintf(stderr, "sekishod dpi: %s\n", e.text);
		return 1;
	}
	while (!w.ended)
		worker_turn(&w);
	if (w.ring != NULL) {
		lends_leave(&w.lends, w.inspector);
		inspector_finish(w.inspector);
		verdicts_flush(&w);
		worker_wake_gate(&w);
	}
	return 0;
}
