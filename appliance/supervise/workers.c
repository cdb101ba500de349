/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of gate and worker. The queue sockets belong to the supervisor and stay open over every death, so that packets
 * wait instead of being lost; the gate answers for what waits. A worker is given its table before its first queue: no
 * packet ever meets a worker that knows no permits while the box has a policy.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "appliance/base/sha256.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/ring.h"

static struct slot *gate_of(struct supervisor *s, uint32_t w)
{
	return &s->slots[SLOT_GATE + w];
}

static struct slot *worker_of(struct supervisor *s, uint32_t w)
{
	return &s->slots[SLOT_DPI + w];
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool send_lane(struct supervisor *s, struct slot *sl, uint32_t lane, uint32_t w)
{
	const struct msg_body m = { MSG_LANE, .lane = { .lane = lane, .queue = lane_queue(lane, w) } };

	return role_send(s, sl, 0, &m, &s->pairs[w].queues[lane], 1);
}

static bool send_lanes(struct supervisor *s, struct slot *sl, uint32_t w)
{
	for (uint32_t l = 0; l < LANE_COUNT; l++)
		if (s->pairs[w].queues[l] >= 0 && !send_lane(s, sl, l, w))
			return false;
	return true;
}

static bool send_table(struct supervisor *s, uint32_t w)
{
	struct msg_body m = { .type = MSG_TABLE };

	s->pairs[w].acked = false;
	if (s->table_fd < 0)
		return true;
	m.table.n_image = (uint32_t)s->n_table;
	m.table.now = event_generation(s->now->number, s->now->ir->digest);
	s->pairs[w].owed++;
	return role_send(s, worker_of(s, w), 0, &m, &s->table_fd, 1);
}

/* To the gate: this worker has begun. */
static bool send_worker(struct supervisor *s, uint32_t w)
{
	struct pair *p = &s->pairs[w];
	struct slot *sl = worker_of(s, w);
	const struct msg_body m = { MSG_WORKER, .worker = { .worker = w, .pid = (uint32_t)sl->pid } };
	int fds[4] = { p->ring, p->wake, sl->pidfd, sl->stat };

	return role_send(s, gate_of(s, w), 0, &m, fds, 4);
}

bool gate_start(struct supervisor *s, uint32_t w)
{
	vigil_begin(&s->pairs[w].vigil, gate_of(s, w)->pid, gate_of(s, w)->stat);
	return send_lanes(s, gate_of(s, w), w);
}

bool worker_start(struct supervisor *s, uint32_t w)
{
	struct pair *p = &s->pairs[w];
	const struct msg_body m = { MSG_DPI_START, .dpi_start = { .worker = w } };
	struct err e = { 0 };

	/* One ring per worker lifetime: nothing that the last one wrote is ever read again. */
	close_fd(&p->ring);
	close_fd(&p->wake);
	p->owed = 0;
	p->ring = ring_create(&e);
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->ring < 0 || p->wake < 0) {
		say(s, M_ROLE_NOT_STARTED, role_name(ROLE_DPI), p->ring < 0 ? e.text : strerror(errno));
		role_kill(s, worker_of(s, w));
		return false;
	}
	return send_worker(s, w) && role_send(s, worker_of(s, w), 0, &m, (const int[]){ p->ring, p->wake }, 2) &&
	       send_table(s, w) && send_lanes(s, worker_of(s, w), w);
}

void worker_died(struct supervisor *s, uint32_t w)
{
	struct pair *p = &s->pairs[w];

	close_fd(&p->ring);
	close_fd(&p->wake);
	p->acked = false;
	op_tables(s);
}

void gate_died(struct supervisor *s, uint32_t w)
{
	/* What the worker has put into the ring nobody will read, and its next gate knows nothing of it: begin together. */
	role_kill(s, worker_of(s, w));
}

void worker_hung(struct supervisor *s, uint32_t w, const struct msg_hung *who)
{
	struct slot *sl = worker_of(s, w);

	/* A report about a worker that is gone already is late, not wrong. */
	if (who->worker != w || !slot_alive(sl) || (pid_t)who->pid != sl->pid)
		return;
	role_event(s, ROLE_DPI, w, ROLE_HUNG);
	role_kill(s, sl);
}

void worker_acked(struct supervisor *s, uint32_t w, const uint8_t digest[32])
{
	struct pair *p = &s->pairs[w];

	if (p->owed == 0)
		return;
	memcpy(p->ack, digest, sizeof(p->ack));
	/* Answers come in order; only the last one is about the table that it has now. */
	p->acked = --p->owed == 0;
	op_tables(s);
}

static int open_lane(struct supervisor *s, uint32_t lane, uint32_t w, struct err *e)
{
	int fd;

	if (s->pairs[w].queues[lane] >= 0)
		return 0;
	fd = queue_socket(s, lane, w, e);
	if (fd < 0)
		return fd;
	s->pairs[w].queues[lane] = fd;
	if (slot_alive(gate_of(s, w)))
		send_lane(s, gate_of(s, w), lane, w);
	if (slot_alive(worker_of(s, w)))
		send_lane(s, worker_of(s, w), lane, w);
	return 0;
}

/* A worker that shares its core with another waits for its turns: no more of them than cores. */
uint32_t workers_for(const struct supervisor *s, uint32_t asked)
{
	return asked < s->cores ? asked : s->cores;
}

int workers_prepare(struct supervisor *s, uint64_t lanes, uint32_t pairs, struct err *e)
{
	uint32_t asked = pairs > s->o->workers ? pairs : s->o->workers, n = workers_for(s, asked);

	if (n < asked && asked != s->workers_asked)
		say(s, M_WORKERS_FEWER, asked, s->cores);
	s->workers_asked = asked;

	s->lanes |= lanes | (uint64_t)1 << LANE_CUT;
	for (uint32_t w = 0; w < WORKER_MAX; w++) {
		if (w >= n && !s->pairs[w].wanted)
			continue;
		s->pairs[w].wanted = true;
		for (uint32_t l = 1; l < LANE_COUNT; l++) {
			int r = (s->lanes >> l & 1) != 0 ? open_lane(s, l, w, e) : 0;

			if (r < 0)
				return r;
		}
		roles_want(s, SLOT_GATE + w);
		roles_want(s, SLOT_DPI + w);
	}
	return 0;
}

/* The image, and behind it whose permits they are. */
static int table_memfd(const uint8_t *image, size_t n, const struct stamps *stamps)
{
	size_t size = n + (size_t)stamps->n * 12;
	uint8_t *both = malloc(size + 1);
	struct outbuf o = outbuf_of(both, both != NULL ? size : 0);
	int fd;

	if (both == NULL)
		return -ENOMEM;
	out_bytes(&o, image, n);
	for (uint32_t i = 0; i < stamps->n; i++)
		event_generation_put(&o, stamps->list[i].of);
	fd = o.failed ? -EOVERFLOW : memfd_sealed("sekisho-table", both, size);
	free(both);
	return fd;
}

int table_set(struct supervisor *s, uint8_t *image, size_t n, const struct policy *p, bool in_force, struct err *e)
{
	struct stamps stamps = { 0 };
	int fd = stamps_make(&s->stamps, image, n, p, in_force, &stamps);

	if (fd == 0)
		fd = table_memfd(image, n, &stamps);
	if (fd < 0) {
		free(image);
		free(stamps.list);
		return err_set(e, fd, "command table");
	}
	free(s->stamps.list);
	s->stamps = stamps;
	close_fd(&s->table_fd);
	free(s->table);
	s->table_fd = fd;
	s->table = image;
	s->n_table = n;
	sha256(image, n, s->table_digest);
	for (uint32_t w = 0; w < WORKER_MAX; w++)
		if (slot_alive(worker_of(s, w)))
			send_table(s, w);
	return 0;
}

void workers_end_silent(struct supervisor *s)
{
	for (uint32_t w = 0; w < WORKER_MAX; w++)
		/* One that is still starting is not silent, only young. */
		if (s->pairs[w].wanted && !s->pairs[w].acked && worker_of(s, w)->state == SLOT_RUNNING) {
			role_event(s, ROLE_DPI, w, ROLE_HUNG);
			role_kill(s, worker_of(s, w));
		}
}

enum table_state table_state(const struct supervisor *s)
{
	enum table_state all = TABLE_EQUAL;

	for (uint32_t w = 0; w < WORKER_MAX; w++) {
		const struct pair *p = &s->pairs[w];

		if (!p->wanted)
			continue;
		if (!p->acked)
			all = TABLE_WAIT;
		else if (memcmp(p->ack, s->table_digest, sizeof(p->ack)) != 0)
			return TABLE_REFUSED;
	}
	return all;
}
