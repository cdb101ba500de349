/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the supervisor tells a worker: its ring, its lanes, its command table, and questions. Whatever else it might be
 * told ends it.
 */
#include "appliance/worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "appliance/base/json.h"
#include "appliance/role/roles.h"
#include "appliance/wire/answer.h"
#include "appliance/wire/cuts.h"

bool worker_watch(struct worker *w, int fd, uint32_t what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = what };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static bool on_start(void *ctx, struct msg *m)
{
	struct worker *w = ctx;
	struct err e = { 0 };

	if (w->ring != NULL)
		return false;
	w->index = m->body.dpi_start.worker;
	w->ring = ring_map(m->fds[0], &e);
	if (w->ring == NULL) {
		fprintf(stderr, "sekishod dpi: %s\n", e.text);
		return false;
	}
	w->wake = msg_take_fd(m, 1);
	return true;
}

static bool on_lane(void *ctx, struct msg *m)
{
	const struct msg_lane *b = &m->body.lane;
	struct worker *w = ctx;
	struct worker_port p = { .ready = true, .lane = b->lane, .queue = b->queue, .fd = m->fds[0] };
	unsigned at = 0;

	p.class = worker_class(p.lane);
	p.commands = worker_commands(p.lane);
	p.credit = worker_budget(p.class);
	for (unsigned i = 0; i < w->n_ports; i++)
		if (w->ports[i].lane == p.lane) {
			/* The same lane again. Others hold the old socket open, and a closed descriptor alone would stay
			 * watched. */
			epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->ports[i].fd, NULL);
			close(w->ports[i].fd);
			(void)msg_take_fd(m, 0);
			w->ports[i] = p;
			return !w->serving || worker_watch(w, p.fd, p.lane);
		}
	if (w->n_ports == LANE_COUNT)
		return false;
	while (at < w->n_ports && (w->ports[at].commands > p.commands ||
				   (w->ports[at].commands == p.commands && w->ports[at].class <= p.class)))
		at++;
	memmove(&w->ports[at + 1], &w->ports[at], (w->n_ports - at) * sizeof(p));
	w->ports[at] = p;
	w->n_ports++;
	(void)msg_take_fd(m, 0);
	/* Lanes known from the start are watched when service begins. */
	return !w->serving || worker_watch(w, p.fd, p.lane);
}

static bool on_table(void *ctx, struct msg *m)
{
	const struct msg_table *b = &m->body.table;
	struct msg_body answer = { .type = MSG_TABLE_ACK };
	struct worker *w = ctx;
	uint8_t *image, digest[32];
	struct err e = { 0 };
	size_t n;

	w->trying = false; /* its room is taken by this one */
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

/* The kernel lets these resets out for sessions whose permit has ended and for no others. */
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
	for (size_t i = 0; w->serving && i < n / sizeof(struct cut_session); i++)
		inspector_cut(w->inspector, &((const struct cut_session *)(const void *)p)[i],
			      lane_queue(LANE_CUT, w->index));
	free(p);
	return true;
}

static json_t *reasons_json(const struct inspector_stats *s)
{
	json_t *j = json_object();

	for (unsigned r = 0; r < REASON_COUNT; r++)
		if (s->reasons[r] != 0)
			json_object_set_new(j, reason_word((enum reason)r), json_integer((json_int_t)s->reasons[r]));
	return j;
}

/* The parts of the lanes in use. */
static json_t *shares_json(const struct inspector_stats *s)
{
	static const char *const kinds[] = { "naming", "commands" }, *const criticalities[] = { "safety", "cargo",
												"support" };
	json_t *j = json_array();

	for (uint32_t n = 0; n < SHARE_LANES; n++)
		if (s->shares[n].flows_part > 0)
			(void)json_array_append_new(j, json_pack("{s:s,s:s,s:I,s:I,s:I,s:I}", "kind", kinds[n / 3],
								 "criticality", criticalities[n % 3], "flows",
								 (json_int_t)s->shares[n].flows, "flows_max",
								 (json_int_t)s->shares[n].flows_part, "pool_used",
								 (json_int_t)s->shares[n].pool, "pool_bytes",
								 (json_int_t)s->shares[n].pool_part));
	return j;
}

static json_t *status_json(const struct worker *w)
{
	struct inspector_stats s = { 0 };

	inspector_stats(w->inspector, &s);
	return json_pack(
		"{s:i,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "index", (int)w->index,
		"table", json_hex(w->digest, sizeof(w->digest)), "packets", (json_int_t)s.packets, "accepted",
		(json_int_t)s.accepted, "confirmed", (json_int_t)s.confirmed, "dropped", (json_int_t)s.dropped,
		"resets", (json_int_t)s.resets, "flows", (json_int_t)s.flows, "flows_max", (json_int_t)s.flows_max,
		"pool_used", (json_int_t)s.pool_used, "pool_bytes", (json_int_t)s.pool_bytes, "kernel_errors",
		(json_int_t)w->errors, "skipped", (json_int_t)w->skipped, "ring_full", (json_int_t)w->ring_full,
		"events_lost", (json_int_t)w->events.lost, "reasons", reasons_json(&s), "shares", shares_json(&s));
}

static bool on_status(void *ctx, struct msg *m)
{
	return msg_answer(ROLE_FD_CONTROL, m->id, ANSWER_YES, status_json(ctx)) == 0;
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_DPI_START] = on_start, [MSG_LANE] = on_lane,     [MSG_TABLE] = on_table,
	[MSG_CUTS] = on_cuts,	    [MSG_STATUS] = on_status, [MSG_IMPACT] = worker_impact,
};

bool worker_messages(struct worker *w)
{
	int r;

	do
		r = msg_serve(ROLE_FD_CONTROL, ROLE_DPI, handlers, w);
	while (r == 1);
	return r == -EAGAIN;
}
