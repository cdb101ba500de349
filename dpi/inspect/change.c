/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/change.h"

#include <string.h>

#include "dpi/inspect/command.h"
#include "dpi/inspect/companion.h"
#include "dpi/inspect/crossing.h"
#include "dpi/inspect/event.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/midstream.h"
#include "dpi/inspect/name.h"
#include "dpi/inspect/rules.h"
#include "dpi/inspect/state.h"
#include "dpi/inspect/weak.h"
#include "dpi/pending.h"

/* ---- kept bytes are judged again ------------------------------------------------------------ */

void rejudge_give_back(struct inspector *i, struct flow *f, enum direction dir)
{
	const struct stream_dir *d = &f->stream.dir[dir];
	size_t n = 0;

	while (f->commands != NULL && stream_unacknowledged(&f->stream, dir) > 0 && seq_diff(d->acked, d->first) > 0) {
		size_t have = stream_unacknowledged(&f->stream, dir);

		/* In most cases everything is acknowledged, and the PDUs need not be found. */
		if (seq_diff(d->acked, d->first) < (int32_t)have) {
			struct bytes head = bytes_of(
				i->rooms.pdu, stream_unacknowledged_copy(&f->stream, &i->pool, dir, 0, i->rooms.pdu,
									 command_enforcer(f)->pdu_max));

			if (command_enforcer(f)->frame(command_known(f), dir, head, &n) != FRAME_WHOLE || n == 0)
				/* only in a capture: no PDU begins at this byte */
				n = d->acked - d->first;
			if ((int32_t)n > seq_diff(d->acked, d->first))
				return;
			have = n;
		}
		stream_acknowledged(&f->stream, &i->pool, dir, have);
	}
}

/* Judges a PDU as if it were the next one of its sender, with a copy `known` of the
 * enforcer's state. */
static bool allows_alone(const struct crossing *x, const void *known, enum direction dir, struct bytes pdu,
			 struct pdu *ret)
{
	const struct enforcer *e = command_enforcer(x->f);
	_Alignas(16) uint8_t state[ENFORCER_STATE_MAX];
	struct parsed parsed;

	*ret = (struct pdu){ .dir = dir, .space = 255, .conduit = EVENT_NO_CONDUIT };
	memcpy(state, known, pending_state_used(e, known));
	pending_missed(e, state, false); /* the request of an answer may have passed unseen */
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

	/* a full queue let these bytes, or earlier ones, pass */
	if (f->adrift[dir] || stream_unframed(&f->stream, dir) > 0)
		return midstream_may_miss(x);
	/* answers need no judgement: their requests were allowed when they reached the server */
	if (dir == DIR_S2C)
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

/* Whether all unacknowledged bytes are allowed by x's permit and table; nothing is recorded.
 * *refused: the refused PDU; its `allowed` is true if the bytes are no PDU. */
static bool rejudge_allows(struct crossing *x, struct pdu *refused)
{
	struct flow *f = x->f;

	refused->allowed = true;
	if (crossing_is_observed(x) || f->kind != KIND_FOLLOWED || f->stream.state == TCP_CLOSED)
		return true;
	/* its protocol is known, and relabel_decide has compared it with the permit */
	if (f->greets)
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

/* ---- what a new permit means for a flow ----------------------------------------------------- */

/* Whether the permit must treat the session as met half-way, because it enforces commands, and the
 * client could choose from which byte the stream is read while its conduits only observed. */
static bool is_unsure(const struct flow *f, const struct command_permit *permit)
{
	return f->let_by && f->kind == KIND_FOLLOWED && f->l4proto == IP_TCP && !permit->observe &&
	       permit_commands_lane(permit);
}

static enum relabel relabel_decide(const struct flow *f, const struct command_table *t,
				   const struct command_permit *permit)
{
	enum protocol p = (enum protocol)f->protocol;
	bool promised = promises_any(t, permit, f->l4proto) || (p != PROTO_NONE && grant_of(t, permit, p) != NULL);

	if (f->kind == KIND_REFUSED ||
	    (f->kind == KIND_FOLLOWED && f->commands == NULL && !f->greets && !is_unsure(f, permit)))
		return RELABEL_STAYS;
	if ((!promised && p != PROTO_NONE) || greet_ends(f, permit))
		return RELABEL_ENDS;
	if (f->commands != NULL && !permit_commands_lane(permit))
		return RELABEL_CONFIRMS;
	if (f->kind == KIND_FOLLOWED)
		return !f->greets && is_unsure(f, permit) ? RELABEL_HALF_WAY : RELABEL_STAYS;
	/* The flow was no longer inspected; a permit that inspects commands treats it as
	 * met half-way. */
	if (!promised || (permit_commands_lane(permit) && protocol_info(p)->depth == DEPTH_COMMANDS))
		return RELABEL_HALF_WAY;
	return RELABEL_STAYS;
}

bool relabel_is_due(const struct crossing *x)
{
	return x->f->permit != x->permit->permit || x->f->table_turn != rules_turn(x->i->rules);
}

/*
 * Whether the session may still exist. Packets of a session that is no longer inspected do not come
 * here, so its silence means nothing. Such a flow has the class of ended flows, so it is the first
 * to be removed, but it is remembered until then.
 */
static bool relabel_lives(const struct flow *f)
{
	return f->class != CLASS_ENDED || (f->kind == KIND_NAMED && f->l4proto == IP_TCP);
}

/* Revives a flow that only timed out. A new session on its ports would have shown a SYN. */
static void live_again(struct crossing *x)
{
	if (x->f->class != CLASS_ENDED || !relabel_lives(x->f) || (x->d.tcp_flags & TCP_SYN))
		return;
	x->f->told_end = false;
	crossing_touch(x);
}

/* ---- bytes that passed unseen ---------------------------------------------------------------- */

/*
 * Under a permit without a lane, packets of a session, and of later sessions on its ports, do not
 * come here (inspector_note_unseen). The remembered state is then out of date, and a session is
 * treated as a worker that has just started would treat it. Only the kernel's report has this
 * effect. If sequence numbers could cause it, a client could choose at every change from which byte
 * its stream is read.
 */

/* Whether the numbers of this segment can be compared with the remembered ones. */
static bool has_numbers(const struct crossing *x)
{
	const struct stream *s = &x->f->stream;

	return x->d.l4proto == IP_TCP && !x->f->waiting_pick_up && s->dir[DIR_C2S].known && s->dir[DIR_S2C].known &&
	       (x->d.tcp_flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK;
}

static bool is_foreign(uint32_t number, uint32_t next)
{
	int32_t by = seq_diff(number, next);

	return by > 0 || by < -(int32_t)STREAM_BEHIND_MAX;
}

/* Whether the flow ended or was refused, and its ports now have another session. */
static bool is_another(const struct crossing *x)
{
	const struct flow *f = x->f;

	return f->stale && (f->kind == KIND_REFUSED || f->class == CLASS_ENDED) && !f->no_claim && has_numbers(x) &&
	       (is_foreign(x->d.seq, f->stream.dir[x->dir].next) ||
		is_foreign(x->d.ack, f->stream.dir[other_end(x->dir)].next));
}

/* Whether the segment acknowledges bytes that did not pass here. */
static bool has_moved_on(const struct crossing *x)
{
	const struct flow *f = x->f;

	return f->stale && f->kind == KIND_FOLLOWED && f->class != CLASS_ENDED && !f->greets &&
	       !crossing_is_observed(x) && has_numbers(x) &&
	       (f->stream.state == TCP_OPEN || (f->stream.state == TCP_SYN_RECV && !f->stream.answered_twice)) &&
	       seq_diff(x->d.ack, f->stream.dir[other_end(x->dir)].next) > 0;
}

/* Whether the segment is the next one in sequence, so that no bytes passed unseen. */
static bool goes_on_in_order(const struct crossing *x)
{
	const struct stream *s = &x->f->stream;

	return x->f->kind == KIND_FOLLOWED && x->f->class != CLASS_ENDED && has_numbers(x) &&
	       x->d.seq == s->dir[x->dir].next && seq_diff(x->d.ack, s->dir[other_end(x->dir)].next) <= 0;
}

static void meet_anew(struct crossing *x)
{
	life_restart(x, life_guess_dir(x));
	x->f->waiting_pick_up = x->f->midstream = true;
	crossing_touch(x);
}

static void go_half_way(struct crossing *x)
{
	struct flow *f = x->f;

	f->kind = KIND_FOLLOWED;
	f->stale = false;
	if (f->l4proto != IP_TCP)
		return;
	f->waiting_pick_up = f->midstream = true;
	/* that a full queue let bytes pass is no reason any more to pick the session up */
	f->missed = false;
	outcome_drop_waiting(x->i, x->fi, R_MIDSTREAM_WAIT);
	stream_free(&f->stream, &x->i->pool);
	memset(&f->stream, 0, sizeof(f->stream));
}

static void note_unchanged(struct crossing *x)
{
	if (has_moved_on(x))
		go_half_way(x);
	else if (x->f->stale && goes_on_in_order(x))
		x->f->stale = false;
}

/* ---- a flow changes to its new permit -------------------------------------------------------- */

struct verdict relabel(struct crossing *x)
{
	struct flow *f = x->f;
	bool due = relabel_is_due(x);
	enum relabel what;

	live_again(x);
	f->queue = x->p->queue;
	if (is_another(x)) {
		meet_anew(x);
		return go_on();
	}
	if (!due) {
		note_unchanged(x);
		return go_on();
	}
	f->permit = x->permit->permit;
	f->lane = x->lane;
	f->table_turn = rules_turn(x->i->rules);
	life_change_share(x);
	f->judge_again = true;
	what = relabel_decide(f, x->table, x->permit);
	if (what == RELABEL_STAYS && has_moved_on(x))
		what = RELABEL_HALF_WAY;
	switch (what) {
	case RELABEL_STAYS:
		if (goes_on_in_order(x))
			f->stale = false;
		break;
	case RELABEL_ENDS:
		return end_flow(R_ENDED, PROTO_NONE);
	case RELABEL_CONFIRMS:
		outcome_confirm(x, (enum protocol)f->protocol);
		break;
	case RELABEL_HALF_WAY:
		go_half_way(x);
		break;
	}
	/* The names in a hello are not looked up again for a session that is over, nor for one
	 * whose ports begin a new session. */
	if (f->kind != KIND_REFUSED && f->class != CLASS_ENDED && (x->d.tcp_flags & (TCP_SYN | TCP_RST)) == 0)
		greet_look_up(x->i, f, x->permit);
	return go_on();
}

/* ---- foretelling the effect of a policy on live sessions ------------------------------------ */

/*
 * Foretells the effect of a change of policy on live sessions. Each flow with an enforcer remembers
 * the kinds of its past requests. These are judged by the new rows, and the flow by the same rule
 * that will relabel it. So the prediction is correct as long as the session continues as before.
 */

bool inspector_try_table(struct inspector *i, struct bytes image, struct command_table *ret)
{
	return rules_try(i->rules, image, ret);
}

static struct flow *flow_between(struct inspector *i, const struct session_ends *ends)
{
	struct decoded d = { .src = ends->client,
			     .dst = ends->server,
			     .sport = ends->client_port,
			     .dport = ends->server_port,
			     .l4proto = ends->l4proto };
	enum direction dir;
	uint32_t fi = flow_find(&i->flows, &d, &dir);

	return fi != FLOW_NONE ? flow_at(&i->flows, fi) : NULL;
}

void inspector_note_unseen(struct inspector *i, const struct session_ends *ends)
{
	struct flow *f = flow_between(i, ends);

	if (f != NULL && f->l4proto == IP_TCP)
		f->stale = true;
}

static struct flow *flow_of_session(struct inspector *i, const struct session_ends *ends)
{
	struct flow *f = flow_between(i, ends);

	/* The kernel still tracks the session. If its flow was forgotten or has ended here, the
	 * session would be met half-way. */
	return f != NULL && relabel_lives(f) && f->kind != KIND_REFUSED ? f : NULL;
}

/* Whether the unacknowledged bytes would be allowed. They will be judged again at the session's
 * next packet. */
static bool survives(struct inspector *i, struct flow *f, const struct command_table *t, const struct command_permit *p)
{
	struct crossing x = { .i = i,
			      .f = f,
			      .fi = FLOW_NONE,
			      .d = { .l4proto = f->l4proto },
			      .table = t,
			      .permit = p,
			      .lane = p->lane };
	struct pdu refused;

	return f->waiting_pick_up || rejudge_allows(&x, &refused);
}

void inspector_foretell(struct inspector *i, const struct command_table *t, const struct session_ends *ends,
			uint32_t permit, void (*each)(void *ctx, const struct deed *d, const struct pdu *refused),
			void *ctx, struct impact *ret)
{
	const struct command_permit *p = commands_permit(t, permit);
	struct flow *f = flow_of_session(i, ends);
	enum relabel what;

	*ret = (struct impact){ .known = f != NULL && p != NULL, .reason = R_NONE };
	if (f == NULL || p == NULL || p->observe) /* observing ends nothing */
		return;
	ret->partly = f->midstream;
	ret->protocol = (enum protocol)f->protocol;
	what = relabel_decide(f, t, p);
	if (what != RELABEL_ENDS && f->kind == KIND_FOLLOWED && f->waiting_pick_up)
		what = RELABEL_HALF_WAY;
	/* Assumes that the session has sent bytes meanwhile. If it was silent, it goes on where it
	 * was. */
	if (what == RELABEL_STAYS && f->kind == KIND_FOLLOWED && f->stale && !f->greets)
		what = RELABEL_HALF_WAY;
	if (what == RELABEL_ENDS)
		ret->reason = R_ENDED;
	else if (what == RELABEL_HALF_WAY && f->l4proto == IP_TCP && !promises_any(t, p, IP_TCP) &&
		 (p->midstream == MID_RESET || (p->midstream == MID_PICK_UP && !midstream_picks_up(t, p))))
		ret->reason = R_MIDSTREAM_RESET;
	else if (what == RELABEL_HALF_WAY && f->l4proto == IP_TCP && !promises_any(t, p, IP_TCP) &&
		 p->midstream == MID_DROP)
		ret->reason = R_MIDSTREAM_DROP;
	else if (what == RELABEL_STAYS && f->l4proto == IP_TCP && !survives(i, f, t, p))
		ret->reason = R_ENDED;
	else if (what == RELABEL_STAYS && f->commands != NULL) {
		ret->forgotten = command_judge_deeds(f, t, p, each, ctx);
		bond_judge_uses(i, f, t, p, each, ctx);
	}
}
