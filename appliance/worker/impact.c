/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the next generation's table would do to the sessions that this worker follows. Answered in numbers only, with the
 * place of each session in the question: the supervisor knows their names, and takes none from here.
 */
#include "appliance/wire/impact.h"

#include <stdlib.h>

#include "appliance/base/json.h"
#include "appliance/role/roles.h"
#include "appliance/wire/answer.h"
#include "appliance/worker/worker.h"

static void refused(void *ctx, const struct deed *d, const struct pdu *u)
{
	(void)json_array_append_new(ctx, json_pack("{s:i,s:i,s:i,s:I,s:I,s:i,s:i,s:b,s:I,s:s}", "unit", (int)u->unit,
						   "function", (int)u->function, "space", (int)u->space, "address",
						   (json_int_t)u->address, "quantity", (json_int_t)u->quantity, "low",
						   (int)d->lo, "high", (int)d->hi, "writes",
						   d->written != 0 && !d->value_unknown, "count", (json_int_t)d->count,
						   "reason", reason_word(u->reason)));
}

static void foretell(struct worker *w, const struct command_table *t, const struct impact_session *s, json_int_t at,
		     json_t *known, json_t *affected)
{
	struct session_ends ends = { s->client, s->server, s->client_port, s->server_port, s->l4proto };
	json_t *commands = json_array();
	struct impact x;

	inspector_foretell(w->inspector, t, &ends, s->permit, refused, commands, &x);
	if (x.known)
		(void)json_array_append_new(known, json_integer(at));
	if (x.known && (x.reason != R_NONE || json_array_size(commands) > 0 || x.forgotten > 0 || x.partly))
		(void)json_array_append_new(affected,
					    json_pack("{s:I,s:s?,s:i,s:O,s:I,s:b}", "at", at, "reason",
						      x.reason != R_NONE ? reason_word(x.reason) : NULL, "protocol",
						      (int)x.protocol, "commands", commands, "forgotten",
						      (json_int_t)x.forgotten, "partly", x.partly));
	json_decref(commands);
}

bool worker_impact(void *ctx, struct msg *m)
{
	const struct msg_impact *q = &m->body.impact;
	json_t *known = json_array(), *affected = json_array();
	struct worker *w = ctx;
	struct bytes b, image;
	struct err e = { 0 };
	uint8_t *all = NULL;
	size_t n = 0;

	if (memfd_read(m->fds[0], WORKER_TABLE_BYTES + IMPACT_SESSIONS * IMPACT_BYTES, &all, &n, &e) < 0)
		n = 0;
	b = bytes_of(all, n);
	if (q->n_image > 0 || n == 0)
		w->trying = q->n_image <= WORKER_TABLE_BYTES && bytes_take(&b, q->n_image, &image) &&
			    inspector_try_table(w->inspector, image, &w->tried);
	for (uint32_t i = 0; w->trying && i < q->n_sessions; i++) {
		struct impact_session s;

		if (!impact_take(&b, &s))
			break;
		foretell(w, &w->tried, &s, i, known, affected);
	}
	free(all);
	return msg_answer(ROLE_FD_CONTROL, m->id, ANSWER_YES,
			  json_pack("{s:b,s:o,s:o}", "table", w->trying, "known", known, "sessions", affected)) == 0;
}
