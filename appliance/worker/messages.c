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
#include "appliance/wire/cuts.h"
#include "appliance/wire/msg.h"

bool worker_watch(struct worker *w, int fd, uint32_t what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = what };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static bool take_start(struct worker *w, struct msg *m)
{
	struct err e = { 0 };

	if (w->ring != NULL || !bytes_be32(&m->body, &w->index))
		return false;
	w->ring = ring_map(m->fds[0], &e);
	if (w->ring == NULL) {
		fprintf(stderr, "sekishod dpi: %s\n", e.text);
		return false;
	}
	w->wake = m->fds[1];
	m->fds[1] = -1;
	return true;
}

static bool take_lane(struct worker *w, struct msg *m)
{
	struct worker_port p = { .ready = true };
	unsigned at = 0;

	if (!bytes_be32(&m->body, &p.lane) || !bytes_be16(&m->body, &p.queue) || p.lane >= LANE_COUNT)
		return false;
	p.class = worker_class(p.lane);
	p.commands = worker_commands(p.lane);
	p.credit = worker_budget(p.class);
	p.fd = m->fds[0];
	for (unsigned i = 0; i < w->n_ports; i++)
		if (w->ports[i].lane == p.lane) {
			/* The same lane again. Others hold the old socket open, and a closed descriptor alone would stay
			 * watched. */
			epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->ports[i].fd, NULL);
			close(w->ports[i].fd);
			m->fds[0] = -1;
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
	m->fds[0] = -1;
	/* Lanes known from the start are watched when service begins. */
	return !w->serving || worker_watch(w, p.fd, p.lane);
}

static bool take_table(struct worker *w, struct msg *m)
{
	uint8_t *image, digest[32], answer[32] = { 0 };
	struct outbuf o = outbuf_of(answer, sizeof(answer));
	struct err e = { 0 };
	struct event_generation now;
	uint32_t length;
	size_t n;

	bytes_be32(&m->body, &length);
	if (!event_generation_get(&m->body, &now))
		return false;
	w->trying = false; /* its room is taken by this one */
	if (memfd_read(m->fds[0], 2 * WORKER_TABLE_BYTES, &image, &n, &e) < 0)
		fprintf(stderr, "sekishod dpi: %s\n", e.text);
	else if (length <= n && length <= WORKER_TABLE_BYTES &&
		 inspector_table(w->inspector, bytes_of(image, length), digest)) {
		w->events.now = now;
		inspector_generations(w->inspector, now, bytes_of(image + length, n - length));
		memcpy(answer, digest, sizeof(answer));
		memcpy(w->digest, digest, sizeof(digest));
		w->table = true;
	}
	free(image);
	o.len = sizeof(answer);
	return msg_send(ROLE_FD_CONTROL, MSG_TABLE_ACK, m->id, &o, NULL, 0) == 0;
}

/* The kernel lets these resets out for sessions whose permit has ended and for no others. */
static bool take_cuts(struct worker *w, struct msg *m)
{
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

static bool take_query(struct worker *w, struct msg *m)
{
	uint8_t what = 0, status = 2;
	struct outbuf o = outbuf_of(&status, 1);
	int fd = -1, r;

	bytes_u8(&m->body, &what);
	if (what == QUERY_STATUS) {
		json_t *j = status_json(w);

		fd = j != NULL ? json_memfd(j) : -ENOMEM;
		status = fd >= 0 ? 0 : 3;
	}
	o.len = 1;
	r = msg_send(ROLE_FD_CONTROL, MSG_ANSWER, m->id, &o, &fd, fd >= 0 ? 1 : 0);
	if (fd >= 0)
		close(fd);
	return r == 0;
}

static bool take(struct worker *w, struct msg *m)
{
	if (m->type == MSG_DPI_START)
		return take_start(w, m);
	if (m->type == MSG_LANE)
		return take_lane(w, m);
	if (m->type == MSG_TABLE)
		return take_table(w, m);
	if (m->type == MSG_CUTS)
		return take_cuts(w, m);
	if (m->type == MSG_QUERY)
		return take_query(w, m);
	if (m->type == MSG_IMPACT)
		return worker_impact(w, m);
	return m->type == MSG_TABLE_DROP; /* the previous image went when the new one came */
}

bool worker_messages(struct worker *w)
{
	for (;;) {
		struct msg m;
		int r = msg_recv(ROLE_FD_CONTROL, ROLE_SUPERVISOR, &m);
		bool ok;

		if (r == -EAGAIN)
			return true;
		if (r <= 0)
			return false;
		ok = take(w, &m);
		msg_close_fds(&m);
		if (!ok)
			return false;
	}
}
