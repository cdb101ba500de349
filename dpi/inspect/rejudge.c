/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passed under one table and has not reached its receiver may be repeated under another. So PDUs are kept whole until
 * their receiver has acknowledged their last byte, and when the permit or the table changes they are judged once more, each
 * alone, by what holds now: their sender's repetition must not complete what is no longer allowed.
 */
#include <string.h>

#include "dpi/inspect/core.h"

void commands_give_back(struct inspector *i, struct flow *f, enum direction dir)
{
	const struct stream_dir *d = &f->stream.dir[dir];
	size_t n = 0;

	while (f->commands != NULL && stream_unacknowledged(&f->stream, dir) > 0 && seq_diff(d->acked, d->first) > 0) {
		size_t have = stream_unacknowledged(&f->stream, dir);

		/* Mostly all of it is acknowledged. */
		if (seq_diff(d->acked, d->first) < (int32_t)have) {
			struct bytes head = bytes_of(
				i->pdu_room, stream_unacknowledged_copy(&f->stream, &i->pool, dir, 0, i->pdu_room,
									f->commands->enforcer->pdu_max));

			if (f->commands->enforcer->frame(dir, head, &n) != FRAME_WHOLE || n == 0)
				n = d->acked - d->first; /* a capture: no PDU begins there */
			if ((int32_t)n > seq_diff(d->acked, d->first))
				return;
			have = n;
		}
		stream_acknowledged(&f->stream, &i->pool, dir, have);
	}
}

/* One PDU as if it were the first that this end says. */
static bool allows_alone(const struct crossing *x, enum direction dir, struct bytes pdu, struct pdu *ret)
{
	const struct enforcer *e = x->f->commands->enforcer;
	_Alignas(16) uint8_t state[ENFORCER_STATE_MAX];

	*ret = (struct pdu){ .dir = dir, .space = 255, .conduit = EVENT_NO_CONDUIT };
	memset(state, 0, e->state_size);
	if (e->missed != NULL)
		e->missed(state, false); /* what an answer belongs to has gone by */
	e->judge(state, dir, pdu, &x->i->table, x->permit, ret);
	ret->dir = dir;
	return ret->allowed;
}

bool commands_allow_each(const struct crossing *x, struct bytes b)
{
	const struct enforcer *e = x->f->commands != NULL ? x->f->commands->enforcer : NULL;
	struct bytes pdu;
	struct pdu u;
	size_t n = 0;

	while (e != NULL && b.left > 0)
		if (e->frame(x->dir, b, &n) != FRAME_WHOLE || n == 0 || !bytes_take(&b, n, &pdu) ||
		    !allows_alone(x, x->dir, pdu, &u))
			return false;
	return e != NULL;
}

static bool allows_direction(const struct crossing *x, enum direction dir, struct pdu *refused)
{
	const struct flow *f = x->f;
	const struct enforcer *e = f->commands->enforcer;
	size_t all = stream_unacknowledged(&f->stream, dir), at = 0, n;

	if (f->adrift[dir] || stream_unframed(&f->stream, dir) > 0) /* a full queue let it by, or what was before it */
		return crossing_may_miss(x);
	if (dir == DIR_S2C) /* an answer belongs to a request that was allowed when it reached the server */
		return true;
	while (at < all) {
		struct bytes head =
			bytes_of(x->i->pdu_room, stream_unacknowledged_copy(&f->stream, &x->i->pool, dir, at,
									    x->i->pdu_room, e->pdu_max));

		n = 0;
		if (e->frame(dir, head, &n) != FRAME_WHOLE || n == 0 || n > head.left)
			return false;
		if (!allows_alone(x, dir, bytes_of(x->i->pdu_room, n), refused))
			return false;
		at += n;
	}
	return true;
}

bool crossing_allows_unacknowledged(struct crossing *x, struct pdu *refused)
{
	struct flow *f = x->f;

	refused->allowed = true;
	if (crossing_is_lenient(x) || f->kind != KIND_FOLLOWED || f->stream.state == TCP_CLOSED)
		return true;
	if (f->commands == NULL)
		return crossing_name_again(x);
	commands_give_back(x->i, f, DIR_C2S);
	commands_give_back(x->i, f, DIR_S2C);
	return allows_direction(x, DIR_C2S, refused) && allows_direction(x, DIR_S2C, refused);
}

bool crossing_judge_again(struct crossing *x)
{
	struct pdu refused = { .allowed = true };

	x->f->judge_again = false;
	if (crossing_allows_unacknowledged(x, &refused))
		return true;
	if (!refused.allowed)
		event_tell_pdu(x, &refused, EV_DENY);
	crossing_refuse_flow(x, R_ENDED, PROTO_NONE);
	return false;
}
