/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/rejudge.h"

#include <string.h>

#include "dpi/inspect/command.h"
#include "dpi/inspect/event.h"
#include "dpi/inspect/midstream.h"
#include "dpi/inspect/name.h"
#include "dpi/inspect/state.h"

void rejudge_give_back(struct inspector *i, struct flow *f, enum direction dir)
{
	const struct stream_dir *d = &f->stream.dir[dir];
	size_t n = 0;

	while (f->commands != NULL && stream_unacknowledged(&f->stream, dir) > 0 && seq_diff(d->acked, d->first) > 0) {
		size_t have = stream_unacknowledged(&f->stream, dir);

		/* Mostly all of it is acknowledged. */
		if (seq_diff(d->acked, d->first) < (int32_t)have) {
			struct bytes head = bytes_of(
				i->rooms.pdu, stream_unacknowledged_copy(&f->stream, &i->pool, dir, 0, i->rooms.pdu,
									 command_enforcer(f)->pdu_max));

			if (command_enforcer(f)->frame(command_known(f), dir, head, &n) != FRAME_WHOLE || n == 0)
				n = d->acked - d->first; /* a capture: no PDU begins there */
			if ((int32_t)n > seq_diff(d->acked, d->first))
				return;
			have = n;
		}
		stream_acknowledged(&f->stream, &i->pool, dir, have);
	}
}

/* One PDU as if it were the next that this end says, for who knows this much of the session. */
static bool allows_alone(const struct crossing *x, const void *known, enum direction dir, struct bytes pdu,
			 struct pdu *ret)
{
	const struct enforcer *e = command_enforcer(x->f);
	_Alignas(16) uint8_t state[ENFORCER_STATE_MAX];
	struct parsed parsed;

	*ret = (struct pdu){ .dir = dir, .space = 255, .conduit = EVENT_NO_CONDUIT };
	memcpy(state, known, e->state_used(known));
	if (e->missed != NULL)
		e->missed(state, false); /* what an answer belongs to has gone by */
	judge_pdu(e, state, dir, pdu, x->table, x->permit, x->i->rooms.judge, &parsed, ret);
	return ret->allowed;
}

bool rejudge_allows_each(const struct crossing *x, struct bytes b)
{
	const struct enforcer *e = command_enforcer(x->f);
	struct bytes pdu;
	struct pdu u;
	size_t n = 0;

	while (e != NULL && b.left > 0)
		if (e->frame(command_known(NULL), x->dir, b, &n) != FRAME_WHOLE || n == 0 || !bytes_take(&b, n, &pdu) ||
		    !allows_alone(x, command_known(NULL), x->dir, pdu, &u))
			return false;
	return e != NULL;
}

static bool allows_direction(const struct crossing *x, enum direction dir, struct pdu *refused)
{
	const struct flow *f = x->f;
	const struct enforcer *e = command_enforcer(f);
	size_t all = stream_unacknowledged(&f->stream, dir), at = 0, n;

	if (f->adrift[dir] || stream_unframed(&f->stream, dir) > 0) /* a full queue let it by, or what was before it */
		return midstream_may_miss(x);
	if (dir == DIR_S2C) /* an answer belongs to a request that was allowed when it reached the server */
		return true;
	while (at < all) {
		struct bytes head =
			bytes_of(x->i->rooms.pdu, stream_unacknowledged_copy(&f->stream, &x->i->pool, dir, at,
									     x->i->rooms.pdu, e->pdu_max));

		n = 0;
		if (e->frame(command_known(f), dir, head, &n) != FRAME_WHOLE || n == 0 || n > head.left)
			return false;
		if (!allows_alone(x, command_known(f), dir, bytes_of(x->i->rooms.pdu, n), refused))
			return false;
		at += n;
	}
	return true;
}

bool rejudge_allows(struct crossing *x, struct pdu *refused)
{
	struct flow *f = x->f;

	refused->allowed = true;
	if (crossing_is_observed(x) || f->kind != KIND_FOLLOWED || f->stream.state == TCP_CLOSED)
		return true;
	if (f->greets) /* it has its name, which relabel_decide held against the permit */
		return true;
	if (f->commands == NULL)
		return name_fits_again(x);
	rejudge_give_back(x->i, f, DIR_C2S);
	rejudge_give_back(x->i, f, DIR_S2C);
	return allows_direction(x, DIR_C2S, refused) && allows_direction(x, DIR_S2C, refused);
}

struct verdict rejudge(struct crossing *x)
{
	struct pdu refused = { .allowed = true };

	x->f->judge_again = false;
	if (rejudge_allows(x, &refused))
		return go_on();
	if (!refused.allowed)
		event_tell_refused(x, &refused, EV_DENY);
	return end_flow(R_ENDED, PROTO_NONE);
}
