/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of which not everything went by here: met half-way after a restart, or with packets that a full queue let pass.
 *
 * Of a session met half-way nothing is known but what its packets say. It is picked up at a segment of exactly whole PDUs.
 * Where the session's place was known, only the direction that lacks bytes is adrift: it goes on where its receiver says
 * that it is, and is judged again from the next segment of exactly whole PDUs. Until then the conduit's failure decision
 * speaks: `closed` lets no byte by that nobody has judged, the others keep the session alive for a while.
 */
#include <string.h>

#include "dpi/inspect/core.h"

static enum direction other(enum direction dir)
{
	return dir == DIR_C2S ? DIR_S2C : DIR_C2S;
}

/* Its stream is followed byte by byte, and has not ended. */
static bool is_followed(const struct flow *f)
{
	return !f->waiting_pick_up && f->stream.state != TCP_CLOSED && f->kind == KIND_FOLLOWED;
}

static bool is_ahead(const struct crossing *x)
{
	return is_followed(x->f) && seq_diff(x->d.seq, x->f->stream.dir[x->dir].next) > 0;
}

bool crossing_acknowledges_unseen(const struct crossing *x)
{
	const struct stream_dir *peer = &x->f->stream.dir[other(x->dir)];

	return is_followed(x->f) && (x->d.tcp_flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK && peer->known &&
	       seq_diff(x->d.ack, peer->next) > 0 && x->d.ack - peer->next <= STREAM_AHEAD_MAX;
}

/* ---- until its place is known again ------------------------------------------------------------------------------ */

bool crossing_may_miss(const struct crossing *x)
{
	struct lane lane;

	return lane_of(x->permit->lane, &lane) && lane.when_overloaded != FAIL_CLOSED;
}

/* Whether its conduits let bytes by that nobody can judge: while no worker lived, or while their queue was full. */
static bool may_pass_unjudged(const struct crossing *x)
{
	struct lane lane;

	if (crossing_is_lenient(x))
		return true;
	if (!lane_of(x->permit->lane, &lane))
		return false;
	return (x->f->missed ? lane.when_overloaded : lane.when_down) != FAIL_CLOSED;
}

/* An end that never says anything whole would go on unjudged for ever: a session that lives is at a boundary soon. */
static bool waited_enough(struct crossing *x)
{
	struct flow *f = x->f;

	if (crossing_is_lenient(x) || x->d.payload.left == 0)
		return false;
	if (f->unjudged == 0)
		f->unjudged_ns = x->i->now_ns;
	if (f->unjudged >= UNJUDGED_MAX || x->i->now_ns - f->unjudged_ns >= UNJUDGED_NS)
		return true;
	f->unjudged++;
	return false;
}

bool crossing_await_boundary(struct crossing *x)
{
	if (waited_enough(x)) {
		crossing_refuse_flow(x, R_MIDSTREAM_RESET, PROTO_NONE);
		return false;
	}
	if (x->d.payload.left > 0 && !may_pass_unjudged(x)) {
		crossing_touch_flow(x);
		crossing_drop(x, R_MIDSTREAM_WAIT);
		return false;
	}
	return true;
}

/* ---- met half-way ------------------------------------------------------------------------------------------------ */

/*
 * What waits for its pick-up may pass unjudged, so that a live session outlives a worker. A session that this worker
 * followed and then forgot (its handshake never ended, it was silent, or the table was full) has no claim to that: whoever
 * can make the worker forget would choose what passes. It is reset, whatever the conduit says. True when that decided it.
 */
bool crossing_refuse_pick_up(struct crossing *x)
{
	if (crossing_is_lenient(x) || x->permit->midstream != MID_PICK_UP || (x->d.tcp_flags & TCP_RST))
		return false;
	crossing_refuse_flow(x, R_MIDSTREAM_RESET, PROTO_NONE);
	return true;
}

static bool picks_up(const struct crossing *x, enum protocol p)
{
	const struct stream_dir *server = &x->f->stream.dir[DIR_S2C];
	const struct enforcer *e = enforcer_of(p);

	if (e == NULL || x->d.payload.left == 0 || (x->d.tcp_flags & TCP_SYN))
		return false;
	/*
	 * A client that speaks has everything that the server sent, or an answer is still on its way in pieces. Captures miss
	 * packets and name numbers that nobody sent; there a place is looked for, whatever comes first.
	 */
	return x->i->limits.as_captured || ((x->dir == DIR_S2C || !server->known || x->d.ack == server->next) &&
					    commands_whole(e, x->dir, x->d.payload));
}

static enum protocol pick_up_as(const struct crossing *x)
{
	const struct inspector *i = x->i;

	if (x->f->commands != NULL)
		return picks_up(x, (enum protocol)x->f->protocol) ? (enum protocol)x->f->protocol : PROTO_NONE;
	for (uint32_t g = 0; crossing_has_commands_lane(x) && g < x->permit->n_grants; g++) {
		const struct command_grant *grant = &i->table.grants[x->permit->first_grant + g];

		if (!grant->shadow && picks_up(x, (enum protocol)grant->protocol))
			return (enum protocol)grant->protocol;
	}
	return PROTO_NONE;
}

static void pick_up(struct crossing *x, enum protocol p)
{
	struct flow *f = x->f;

	stream_pick_up(&f->stream, &x->i->pool, x->dir, &x->d);
	memset(f->commands->state, 0, ENFORCER_STATE_MAX);
	commands_note_missed(f, false);
	f->waiting_pick_up = false;
	f->unjudged = 0;
	/* What the client is in the middle of, an answer does not tell; of a capture nothing is told. */
	memset(f->adrift, x->i->limits.as_captured, sizeof(f->adrift));
	f->adrift[DIR_C2S] |= x->dir == DIR_S2C;
	event_tell_flow(x, EV_ALLOW, R_PICKED_UP, p);
	crossing_follow(x);
}

/* Both ends had said that they are done. What comes now is nothing's continuation. True when that decided it. */
static bool goes_on_after_its_end(struct crossing *x)
{
	if (!x->f->told_end || x->d.payload.left == 0)
		return false;
	if (!crossing_is_lenient(x)) {
		crossing_reset(x, true);
		crossing_refuse(x, R_AFTER_CLOSE);
		return true;
	}
	crossing_restart_flow(x, x->dir);
	x->f->waiting_pick_up = x->f->midstream = true;
	return false;
}

/* Counts bytes that pass while nobody knows where their streams stand. */
static void leave_unread(struct crossing *x)
{
	x->f->unread += x->d.payload.left;
	x->f->lost_place |= x->d.payload.left > 0;
}

void crossing_meet_half_way(struct crossing *x)
{
	struct flow *f = x->f;
	enum midstream rule = crossing_is_lenient(x) || f->missed ? MID_PICK_UP : (enum midstream)x->permit->midstream;
	enum protocol p;

	if (x->d.tcp_flags & TCP_RST) { /* whether it is believed cannot be told here; a new SYN will tell */
		crossing_accept(x, R_HANDSHAKE);
		return;
	}
	if (goes_on_after_its_end(x))
		return;
	if (permit_promises_any(x->i, x->permit, IP_TCP)) { /* nothing is looked for in it, so nothing was missed */
		f->waiting_pick_up = false;
		crossing_confirm_flow(x, PROTO_NONE);
		crossing_accept(x, R_ALLOWED);
		return;
	}
	if (rule == MID_RESET) {
		crossing_refuse_flow(x, R_MIDSTREAM_RESET, PROTO_NONE);
		return;
	}
	if (rule == MID_DROP) {
		crossing_note_refusal(x, R_MIDSTREAM_DROP, PROTO_NONE);
		crossing_touch_flow(x);
		crossing_drop(x, R_MIDSTREAM_DROP);
		return;
	}
	p = pick_up_as(x);
	if (p != PROTO_NONE && (f->commands != NULL || crossing_add_enforcer(x, p))) {
		pick_up(x, p);
		return;
	}
	if (!crossing_await_boundary(x))
		return;
	leave_unread(x);
	stream_watch(&f->stream, &x->i->pool, x->dir, &x->d);
	crossing_touch_flow(x);
	crossing_accept(x, R_MIDSTREAM_WAIT);
	crossing_tell_closed(x);
}

/* ---- bytes that are missing for good ----------------------------------------------------------------------------- */

/*
 * Goes on behind them. What is there most likely starts with a PDU; if not, a later segment will.
 */
void flow_skip(struct inspector *i, struct flow *f, enum direction dir, uint32_t to)
{
	stream_skip(&f->stream, &i->pool, dir, to);
	commands_note_missed(f, false);
	f->midstream = f->adrift[dir] = true;
}

void crossing_skip_gap(struct crossing *x)
{
	if (is_ahead(x))
		flow_skip(x->i, x->f, x->dir, x->d.seq);
	if (crossing_acknowledges_unseen(x))
		flow_skip(x->i, x->f, other(x->dir), x->d.ack);
	crossing_follow(x);
}

void crossing_await_pick_up(struct crossing *x)
{
	x->f->waiting_pick_up = x->f->midstream = true;
	if (!x->i->limits.as_captured)
		wait_drop(x->i, x->fi, R_MIDSTREAM_WAIT);
	stream_free(&x->f->stream, &x->i->pool);
	crossing_meet_half_way(x);
}

/*
 * A queue that lets nothing by did not see them, and yet they went by: somebody took the rules away for a moment, say. To drop
 * what follows for ever would leave both ends with a session that is dead and does not end.
 */
void crossing_give_up_place(struct crossing *x)
{
	x->f->waiting_pick_up = x->f->midstream = true;
	wait_drop(x->i, x->fi, R_MIDSTREAM_WAIT);
	stream_free(&x->f->stream, &x->i->pool);
	if (!crossing_refuse_pick_up(x))
		crossing_meet_half_way(x);
}

void crossing_lose_track(struct crossing *x)
{
	x->f->waiting_pick_up = x->f->midstream = true;
	wait_drop(x->i, x->fi, R_MIDSTREAM_WAIT);
	leave_unread(x);
	stream_watch(&x->f->stream, &x->i->pool, x->dir, &x->d);
	crossing_touch_flow(x);
	crossing_accept(x, R_MIDSTREAM_WAIT);
}

/* ---- bytes that a full queue let by ------------------------------------------------------------------------------ */

bool crossing_go_on_behind(struct crossing *x)
{
	struct flow *f = x->f;

	if (!crossing_acknowledges_unseen(x) || !(crossing_may_miss(x) || f->adrift[other(x->dir)]))
		return false;
	f->missed = crossing_may_miss(x);
	if (f->commands == NULL) { /* its name was in what is missing: it goes on for a while, and then begins anew */
		crossing_await_pick_up(x);
		return true;
	}
	crossing_skip_gap(x);
	return true;
}

bool crossing_go_on_at(struct crossing *x)
{
	struct flow *f = x->f;

	if (!crossing_may_miss(x) || f->commands == NULL || f->gave_up[x->dir] < GAVE_UP_MAX ||
	    f->gave_up_seq[x->dir] != x->d.seq)
		return false;
	f->missed = true;
	f->gave_up[x->dir] = 0;
	crossing_skip_gap(x);
	return true;
}

void crossing_note_given_up(struct crossing *x)
{
	struct flow *f = x->f;

	if (f->gave_up_seq[x->dir] != x->d.seq)
		f->gave_up[x->dir] = 0;
	f->gave_up_seq[x->dir] = x->d.seq;
	if (f->gave_up[x->dir] < GAVE_UP_MAX)
		f->gave_up[x->dir]++;
}
