/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of gate and worker. The supervisor keeps the queue sockets open when a process dies, so
 * that packets wait instead of being lost; the gate decides what happens to the waiting ones. A
 * worker gets its table before its first queue, so while the box has a policy, no packet meets a
 * worker without permits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "appliance/base/sha256.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/once.h"
#include "appliance/supervise/pair.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/sockets.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/workers.h"
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
	const struct msg_body m = { MSG_LANE, .lane = { .lane = lane, .slots = s->workforce.pairs[w].slots } };

	return role_send(s, sl, 0, &m, &s->workforce.pairs[w].queues[lane], 1);
}

static bool send_lanes(struct supervisor *s, struct slot *sl, uint32_t w)
{
	for (uint32_t l = 0; l < LANE_COUNT; l++)
		if (s->workforce.pairs[w].queues[l] >= 0 && !send_lane(s, sl, l, w))
			return false;
	return true;
}

static bool send_table(struct supervisor *s, uint32_t w)
{
	struct msg_body m = { .type = MSG_TABLE };

	s->workforce.pairs[w].acked = false;
	if (s->workforce.table_fd < 0)
		return true;
	m.table.n_image = (uint32_t)s->workforce.table.n;
	m.table.now = event_generation(s->gens.now->number, s->gens.now->ir->digest);
	s->workforce.pairs[w].owed++;
	return role_send(s, worker_of(s, w), 0, &m, &s->workforce.table_fd, 1);
}

/* Tells the gate that a new worker has begun. */
static bool send_worker(struct supervisor *s, uint32_t w)
{
	struct pair *p = &s->workforce.pairs[w];
	struct slot *sl = worker_of(s, w);
	const struct msg_body m = { MSG_WORKER, .worker = { .worker = w, .pid = (uint32_t)sl->pid } };
	int fds[4] = { p->ring, p->wake, sl->pidfd, sl->stat };

	return role_send(s, gate_of(s, w), 0, &m, fds, 4);
}

bool gate_start(struct supervisor *s, uint32_t w)
{
	vigil_begin(&s->workforce.pairs[w].vigil, gate_of(s, w)->pid, gate_of(s, w)->stat);
	return send_lanes(s, gate_of(s, w), w);
}

bool worker_start(struct supervisor *s, uint32_t w)
{
	struct pair *p = &s->workforce.pairs[w];
	const struct msg_body m = { MSG_DPI_START, .dpi_start = { .worker = w } };
	int fds[5] = { -1 };
	struct err e = { 0 };
	unsigned n;

	/* Each worker has a new ring, so that nothing from the former worker is read again. */
	close_fd(&p->ring);
	close_fd(&p->wake);
	p->owed = 0;
	p->awaited = false;
	p->ring = ring_create(&e);
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->ring < 0 || p->wake < 0) {
		supervisor_say(s, M_ROLE_NOT_STARTED, role_name(ROLE_DPI), p->ring < 0 ? e.text : strerror(errno));
		role_kill(s, worker_of(s, w));
		return false;
	}
	fds[0] = p->ring;
	fds[1] = p->wake;
	n = 2 + once_memory(s, w, fds + 2);
	/* without the memory, this worker cannot end the leases of a former daemon's worker */
	if (n == 2)
		once_void(s, pair_kind(w));
	return send_worker(s, w) && role_send(s, worker_of(s, w), 0, &m, fds, n) && send_table(s, w) &&
	       send_lanes(s, worker_of(s, w), w);
}

void worker_died(struct workforce *workforce, uint32_t w)
{
	struct pair *p = &workforce->pairs[w];

	close_fd(&p->ring);
	close_fd(&p->wake);
	p->acked = false;
}

void gate_died(struct supervisor *s, uint32_t w)
{
	/* Entries in the ring will not be read any more, and the next gate does not know them. So
	 * the worker begins anew, too. */
	role_kill(s, worker_of(s, w));
}

bool worker_hung(struct supervisor *s, struct slot *gate, struct msg *m)
{
	uint32_t w = gate->index;
	struct slot *sl = worker_of(s, w);

	/* A report about a worker that has ended is ignored; it is only late. */
	if (m->body.hung.worker != w || !slot_alive(sl) || (pid_t)m->body.hung.pid != sl->pid)
		return true;
	role_event(s, ROLE_DPI, w, ROLE_HUNG);
	once_void(s, pair_kind(w));
	s->workforce.pairs[w].distrusted = true;
	role_kill(s, sl);
	return true;
}

void worker_acked(struct workforce *workforce, uint32_t w, const uint8_t digest[32])
{
	struct pair *p = &workforce->pairs[w];

	if (p->owed == 0)
		return;
	p->refuses = memcmp(digest, workforce->digest, sizeof(workforce->digest)) != 0;
	p->awaited = false;
	/* Answers come in order, so only the last one is about the present table. */
	p->acked = --p->owed == 0;
}

static int open_lane(struct supervisor *s, uint32_t lane, uint32_t w, struct err *e)
{
	int fd;

	if (s->workforce.pairs[w].queues[lane] >= 0)
		return 0;
	fd = queue_socket(s, lane, s->workforce.pairs[w].slots, e);
	if (fd < 0)
		return fd;
	s->workforce.pairs[w].queues[lane] = fd;
	if (slot_alive(gate_of(s, w)))
		send_lane(s, gate_of(s, w), lane, w);
	if (slot_alive(worker_of(s, w)))
		send_lane(s, worker_of(s, w), lane, w);
	return 0;
}

/* ---- the number of workers ------------------------------------------------------------------- */

/*
 * The number of workers that the policy asks for, or that suits the cores: half of them for
 * commands, a quarter for naming. The rest is for the kernel's own work, and commands go first on a
 * shared core. With the verdict cache there is one worker for commands: one is enough, because the
 * kernel repeats its verdicts, and only one may write leases.
 */
static uint32_t asked_for(const struct supervisor *s, const struct ir *ir, enum lane_kind kind)
{
	bool commands = kind == LANE_COMMANDS;
	uint32_t n = commands ? ir->command_workers : ir->naming_workers;

	if (n == 0)
		n = commands && s->workforce.once.leases != NULL ? 1 : s->workforce.cores / (commands ? 2 : 4);
	n = n < 1 ? 1 : n < WORKER_MAX ? n : WORKER_MAX;
	return n > s->ground.o->workers ? n : s->ground.o->workers;
}

/*
 * Divides the slots of a kind among its workers, once, when the first lane of this kind opens. If a
 * slot went to another worker later, its sessions would come to a worker that does not know them.
 * So a changed number of workers takes effect at the daemon's next start, when no session is
 * followed yet.
 */
static void divide(struct workforce *workforce, enum lane_kind kind)
{
	/* at most one for each core, because two on one core only wait for each other */
	uint32_t n = workforce->asked[kind] < workforce->cores ? workforce->asked[kind] : workforce->cores;

	if (workforce->running[kind] != 0)
		return;
	workforce->running[kind] = n;
	for (uint32_t i = 0; i < n; i++) {
		struct pair *p = &workforce->pairs[pair_number(kind, i)];

		p->wanted = true;
		p->slots = pair_slots(i, n);
	}
}

int workers_prepare(struct supervisor *s, const struct ir *ir, struct err *e)
{
	int r = 0;

	if (ir->n_zones == 0 && s->workforce.lanes == 0)
		return 0;
	s->workforce.lanes |= ir_lanes(ir) | (uint64_t)1 << LANE_CUT;
	for (unsigned k = 0; k < LANE_KINDS; k++)
		s->workforce.asked[k] = asked_for(s, ir, (enum lane_kind)k);
	for (uint32_t l = 1; l < LANE_COUNT; l++) {
		if ((s->workforce.lanes >> l & 1) == 0)
			continue;
		divide(&s->workforce, lane_kind_of(l));
		for (uint32_t w = 0; r >= 0 && w < PAIR_MAX; w++)
			if (s->workforce.pairs[w].wanted && pair_kind(w) == lane_kind_of(l))
				r = open_lane(s, l, w, e);
	}
	return r;
}

/* A memfd with the image, followed by the generation of each permit. */
static int table_memfd(const struct table *t)
{
	size_t size = t->n + (size_t)t->n_permits * 12;
	uint8_t *both = malloc(size + 1);
	struct outbuf o = outbuf_of(both, both != NULL ? size : 0);
	int fd;

	if (both == NULL)
		return -ENOMEM;
	out_bytes(&o, t->image, t->n);
	for (uint32_t i = 0; i < t->n_permits; i++)
		event_generation_put(&o, t->permits[i].of);
	fd = o.failed ? -EOVERFLOW : memfd_sealed("sekisho-table", both, size);
	free(both);
	return fd;
}

int table_set(struct supervisor *s, struct table *t, struct table *ret_before, struct err *e)
{
	int fd = table_memfd(t);

	if (fd < 0) {
		table_drop(t);
		return err_set(e, fd, "command table");
	}
	if (ret_before != NULL)
		*ret_before = s->workforce.table;
	else
		table_drop(&s->workforce.table);
	s->workforce.table = *t;
	*t = (struct table){ .image = NULL };
	close_fd(&s->workforce.table_fd);
	s->workforce.table_fd = fd;
	sha256(s->workforce.table.image, s->workforce.table.n, s->workforce.digest);
	for (uint32_t w = 0; w < PAIR_MAX; w++)
		if (slot_alive(worker_of(s, w)))
			send_table(s, w);
	return 0;
}

void workers_end_refusing(struct supervisor *s)
{
	char title[SLOT_TITLE];

	for (uint32_t w = 0; w < PAIR_MAX; w++)
		if (s->workforce.pairs[w].wanted && s->workforce.pairs[w].acked && s->workforce.pairs[w].refuses) {
			supervisor_say(s, M_WORKER_REFUSED, slot_title(worker_of(s, w), title));
			s->workforce.pairs[w].acked = false;
			s->workforce.pairs[w].distrusted = true;
			role_kill(s, worker_of(s, w));
		}
}

enum table_state table_state(const struct supervisor *s)
{
	bool refused = false, taken = false;

	for (uint32_t w = 0; w < PAIR_MAX; w++) {
		const struct pair *p = &s->workforce.pairs[w];

		if (!p->wanted)
			continue;
		if (!p->acked)
			return TABLE_WAIT;
		refused |= p->refuses;
		taken |= !p->refuses;
	}
	if (!refused)
		return TABLE_EQUAL;
	return taken ? TABLE_DISPUTED : TABLE_REFUSED;
}
