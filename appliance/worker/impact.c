/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers what the next generation's table would do to the sessions that this worker follows. The
 * answer consists of numbers, with the index of each session in the question. The supervisor knows
 * the names.
 */
#include <stdlib.h>
#include <unistd.h>

#include "appliance/role/roles.h"
#include "appliance/wire/msg.h"
#include "appliance/worker/worker.h"
#include "dpi/inspect/deeds.h"

struct telling {
	struct msg_foretold_session of;
	struct msg_foretold_command commands[IMPACT_COMMANDS];
};

static void refused(void *ctx, const struct deed *d, const struct pdu *u)
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

/* Whether the session would move to a lane of the other kind. A worker of that kind then picks it
 * up half-way, and what this worker knows is lost. */
static bool leaves(const struct worker *w, const struct msg_told_session *s)
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

	if (s->unseen)
		inspector_note_unseen(w->inspector, &ends);
	if (leaves(w, s))
		return false;
	inspector_foretell(w->inspector, &w->tried, &ends, s->permit, refused, &t, &x);
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

static bool answer(uint32_t id, bool table, uint32_t n, const struct outbuf *o)
{
	const struct msg_body m = { MSG_FORETOLD, .foretold = { .table = table, .n_sessions = n } };
	int fd = o->failed ? -1 : memfd_sealed("sekisho-foretold", o->p, o->len);
	bool sent = fd < 0 || msg_send(ROLE_FD_CONTROL, id, &m, &fd, 1) == 0;

	if (fd >= 0)
		close(fd);
	return sent; /* without memory there is no answer, and the sessions are unknown */
}

#define SESSIONS_BYTES (2 * TOLD_MOST * TOLD_SESSION_BYTES)

bool worker_impact(void *ctx, struct msg *m)
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
	sent = answer(m->id, w->trying, told, &o);
	free(space);
	free(all);
	return sent;
}
