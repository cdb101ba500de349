/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the supervisor tells a worker: its ring, its lanes, its command table, and questions. Any
 * other message ends the worker.
 */
#include "appliance/worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/role/roles.h"
#include "appliance/wire/cuts.h"
#include "appliance/wire/ends.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"
#include "dpi/inspect/deeds.h"

static bool on_start(void *ctx, struct msg *m)
{
	struct worker *w = ctx;
	struct err e = { 0 };

	if (w->ring != NULL)
		return false;
	w->ring = ring_map(m->fds[0], &e);
	if (w->ring == NULL) {
		fprintf(stderr, "sekishod dpi: %s\n", e.text);
		return false;
	}
	w->wake = msg_take_fd(m, 1);
	if (m->n_fds > 2 && !lends_follow(&w->lends, msg_take_fd(m, 2)))
		return false;
	return m->n_fds < 5 || lends_open(&w->lends, w->kept, msg_take_fd(m, 3), msg_take_fd(m, 4));
}

static struct worker_port port_of(uint32_t lane, int fd)
{
	struct worker_port p = {
		.ready = true, .lane = lane, .fd = fd, .class = CRIT_SUPPORT + 1u, .share = LANE_SHARES
	};
	struct lane l;

	if (lane_of(lane, &l)) { /* not the cut lane */
		p.commands = l.kind == LANE_COMMANDS;
		p.class = (unsigned)l.criticality;
		p.share = (uint32_t)l.kind * CRITICALITIES + (uint32_t)l.criticality;
	}
	p.credit = worker_budget(p.class);
	return p;
}

static bool on_lane(void *ctx, struct msg *m)
{
	struct worker *w = ctx;
	struct worker_port p = port_of(m->body.lane.lane, m->fds[0]);
	unsigned at = 0;

	for (unsigned i = 0; i < w->n_ports; i++)
		if (w->ports[i].lane == p.lane) {
			/* If the worker has the lane already, the new socket replaces the old
			 * one. */
			close(w->ports[i].fd);
			(void)msg_take_fd(m, 0);
			verdicts_forget(&w->verdicts, p.lane);
			w->sockets[p.lane] = p.fd;
			w->ports[i] = p;
			return true;
		}
	if (w->n_ports == LANE_COUNT)
		return false;
	while (at < w->n_ports && (w->ports[at].commands > p.commands ||
				   (w->ports[at].commands == p.commands && w->ports[at].class <= p.class)))
		at++;
	memmove(&w->ports[at + 1], &w->ports[at], (w->n_ports - at) * sizeof(p));
	w->ports[at] = p;
	w->sockets[p.lane] = p.fd;
	w->n_ports++;
	(void)msg_take_fd(m, 0);
	return true;
}

static bool on_table(void *ctx, struct msg *m)
{
	const struct msg_table *b = &m->body.table;
	struct msg_body answer = { .type = MSG_TABLE_ACK };
	struct worker *w = ctx;
	uint8_t *image, digest[32];
	struct err e = { 0 };
	size_t n;

	if (w->table)
		lends_take_all_back(&w->lends, w->inspector);
	/* the table of the last MSG_IMPACT is given up, because the new one needs its room */
	w->trying = false;
	if (memfd_read(m->fds[0], 2 * WORKER_TABLE_BYTES, &image, &n, &e) < 0)
		fprintf(stderr, "sekishod dpi: %s\n", e.text);
	else if (b->n_image <= n && b->n_image <= WORKER_TABLE_BYTES &&
		 inspector_table(w->inspector, bytes_of(image, b->n_image), digest)) {
		w->events.now = b->now;
		inspector_generations(w->inspector, b->now, bytes_of(image + b->n_image, n - b->n_image));
		memcpy(answer.table_ack.digest, digest, sizeof(digest));
		memcpy(w->digest, digest, sizeof(digest));
		w->table = true;
	}
	free(image);
	return msg_send(ROLE_FD_CONTROL, m->id, &answer, NULL, 0) == 0;
}

/* The kernel lets these resets pass only for sessions whose permit has ended. */
static bool on_cuts(void *ctx, struct msg *m)
{
	struct worker *w = ctx;
	struct err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;

	if (memfd_read(m->fds[0], CUTS_MAX_BYTES, &p, &n, &e) < 0) {
		fprintf(stderr, "sekishod dpi: %s\n", e.text);
		n = 0;
	}
	/* resets need the sequence numbers of lent sessions */
	lends_take_all_back(&w->lends, w->inspector);
	for (size_t i = 0; w->serving && i < n / sizeof(struct cut_session); i++)
		inspector_cut(w->inspector, &((const struct cut_session *)(const void *)p)[i], lane_queue(LANE_CUT, 0));
	free(p);
	return true;
}

_Static_assert(SHARE_LANES == LANE_SHARES, "a share for each kind and criticality");

static void fill_latency(struct worker *w, uint32_t share, struct msg_dpi_status *a)
{
	struct latency_recent r = latency_recent(&w->latency, share, clock_mono().ns);

	a->latency_packets[share] = w->latency.shares[share].packets;
	a->latency_sum[share] = w->latency.shares[share].sum_ns;
	a->latency_p50[share] = r.p50_ns;
	a->latency_p99[share] = r.p99_ns;
	a->latency_max[share] = r.max_ns;
	for (uint32_t i = 0; i < LATENCY_TOLD; i++)
		a->latency_within[share * LATENCY_TOLD + i] =
			latency_within(&w->latency, share, 1u << (LATENCY_FIRST + i));
}

static bool on_status(void *ctx, struct msg *m)
{
	struct msg_body answer = { .type = MSG_DPI_STATUS };
	struct msg_dpi_status *a = &answer.dpi_status;
	struct worker *w = ctx;
	struct inspector_stats s = { 0 };

	lends_count(&w->lends, w->inspector);
	inspector_stats(w->inspector, &s);
	memcpy(a->table, w->digest, sizeof(a->table));
	a->packets = s.packets;
	a->accepted = s.accepted;
	a->confirmed = s.confirmed;
	a->dropped = s.dropped;
	a->resets = s.resets;
	a->flows = s.flows;
	a->flows_max = s.flows_max;
	a->pool_used = s.pool_used;
	a->pool_bytes = s.pool_bytes;
	a->kernel_errors = w->errors;
	a->skipped = w->skipped;
	a->ring_full = w->ring_full;
	a->lent = w->lends.n_given;
	a->lent_max = w->lends.leases != NULL ? ONCE_LEASES : 0;
	a->lent_requests = w->lends.requests;
	a->lent_without_room = w->lends.without_room;
	a->events_lost = w->events.lost;
	memcpy(a->reasons, s.reasons, sizeof(a->reasons));
	for (uint32_t n = 0; n < LANE_SHARES; n++) {
		a->share_flows[n] = s.shares[n].flows;
		a->share_flows_max[n] = s.shares[n].flows_part;
		a->share_pool_used[n] = s.shares[n].pool;
		a->share_pool_bytes[n] = s.shares[n].pool_part;
		fill_latency(w, n, a);
	}
	return msg_send(ROLE_FD_CONTROL, m->id, &answer, NULL, 0) == 0;
}

/* ---- what a change would do ------------------------------------------------------------------ */

/*
 * What the next generation's table would do to the sessions that this worker follows. The answer
 * has only numbers: each session is named by its index in the question, and the supervisor knows
 * the names.
 */

struct telling {
	struct msg_foretold_session of;
	struct msg_foretold_command commands[IMPACT_COMMANDS];
};

static void deed_refused(void *ctx, const struct deed *d, const struct pdu *u)
{
	struct telling *t = ctx;
	const struct values *wrote = NULL;

	for (uint32_t i = 0; i < d->n; i++)
		if (d[i].operation.values.form == VALUES_BETWEEN)
			wrote = &d[i].operation.values;

	if (t->of.n_commands == IMPACT_COMMANDS) {
		t->of.forgotten += d->count;
		return;
	}
	t->commands[t->of.n_commands++] = (struct msg_foretold_command){
		.target_0 = d->operation.targets[0],
		.target_1 = d->operation.targets[1],
		.target_2 = d->operation.targets[2],
		.target_3 = d->operation.targets[3],
		.service = d->operation.service,
		.space = (uint8_t)u->space,
		.address = u->address,
		.quantity = u->quantity,
		.low = wrote != NULL ? wrote->lo : 0,
		.high = wrote != NULL ? wrote->hi : 0,
		.writes = wrote != NULL,
		.count = d->count,
		.reason = (uint16_t)u->reason,
	};
}

/* Whether the session would move to a lane of the other kind. Then a worker of that kind sees it
 * from the middle on, and what this worker knows of it is lost. */
static bool leaves_lane(const struct worker *w, const struct msg_told_session *s)
{
	const struct command_permit *p = commands_permit(&w->tried, s->permit);

	return p != NULL && p->lane != LANE_NONE && lane_kind_of(p->lane) != w->kind;
}

/* Foretells one session. False: this worker does not follow it. */
static bool foretell(struct worker *w, const struct msg_told_session *s, uint32_t at, struct outbuf *o)
{
	struct session_ends ends = { s->ends.client, s->ends.server, s->ends.client_port, s->ends.server_port,
				     s->ends.l4proto };
	struct telling t = { .of.at = at };
	struct impact x;

	lends_take_one_back(&w->lends, w->inspector, &ends);
	if (s->unseen)
		inspector_note_unseen(w->inspector, &ends);
	if (leaves_lane(w, s))
		return false;
	inspector_foretell(w->inspector, &w->tried, &ends, s->permit, deed_refused, &t, &x);
	if (!x.known)
		return false;
	t.of.reason = (uint16_t)x.reason;
	t.of.protocol = (uint16_t)x.protocol;
	t.of.forgotten += x.forgotten;
	t.of.partly = x.partly;
	msg_put_foretold_session(o, &t.of);
	for (uint32_t i = 0; i < t.of.n_commands; i++)
		msg_put_foretold_command(o, &t.commands[i]);
	return true;
}

static bool answer_foretold(uint32_t id, bool table, uint32_t n, const struct outbuf *o)
{
	const struct msg_body m = { MSG_FORETOLD, .foretold = { .table = table, .n_sessions = n } };
	int fd = o->failed ? -1 : memfd_sealed("sekisho-foretold", o->p, o->len);
	bool sent = fd < 0 || msg_send(ROLE_FD_CONTROL, id, &m, &fd, 1) == 0;

	if (fd >= 0)
		close(fd);
	/* without memory nothing is answered, so what would happen to the sessions stays unknown */
	return sent;
}

#define SESSIONS_BYTES (2 * TOLD_MOST * TOLD_SESSION_BYTES)

static bool on_impact(void *ctx, struct msg *m)
{
	const struct msg_impact *q = &m->body.impact;
	size_t n = 0, room = IMPACT_SESSIONS * (FORETOLD_SESSION_BYTES + IMPACT_COMMANDS * FORETOLD_COMMAND_BYTES);
	uint8_t *all = NULL, *space = malloc(room);
	struct outbuf o = outbuf_of(space, space != NULL ? room : 0);
	struct msg_told_session s;
	struct worker *w = ctx;
	struct bytes b, image;
	struct err e = { 0 };
	uint32_t told = 0;
	bool sent;

	if (memfd_read(m->fds[0], q->n_image > 0 ? WORKER_TABLE_BYTES : SESSIONS_BYTES, &all, &n, &e) < 0)
		n = 0;
	b = bytes_of(all, n);
	if (q->n_image > 0 || n == 0)
		w->trying = q->n_image <= WORKER_TABLE_BYTES && bytes_take(&b, q->n_image, &image) &&
			    inspector_try_table(w->inspector, image, &w->tried);
	bytes_skip(&b, q->n_image > 0 ? 0 : (size_t)q->first * TOLD_SESSION_BYTES);
	if (w->serving)
		lends_catch_up(&w->lends, w->inspector);
	for (uint32_t i = 0; w->trying && i < q->n_sessions && msg_take_told_session(&b, &s); i++)
		told += foretell(w, &s, i, &o);
	sent = answer_foretold(m->id, w->trying, told, &o);
	free(space);
	free(all);
	return sent;
}

/* ---- the channel ----------------------------------------------------------------------------- */

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_DPI_START] = on_start, [MSG_LANE] = on_lane,     [MSG_TABLE] = on_table,
	[MSG_CUTS] = on_cuts,	    [MSG_STATUS] = on_status, [MSG_IMPACT] = on_impact,
};

bool worker_messages(struct worker *w)
{
	int r;

	do
		r = msg_serve(ROLE_FD_CONTROL, ROLE_DPI, handlers, w);
	while (r == 1);
	return r == -EAGAIN;
}
