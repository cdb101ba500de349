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

static bool is_ahead(const struct look *l)
{
	return is_followed(l->f) && seq_diff(l->d.seq, l->f->stream.dir[l->dir].next) > 0;
}

bool look_acknowledges_unseen(const struct look *l)
{
	const struct stream_dir *peer = &l->f->stream.dir[other(l->dir)];

	return is_followed(l->f) && (l->d.tcp_flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK && peer->known &&
	       seq_diff(l->d.ack, peer->next) > 0 && l->d.ack - peer->next <= STREAM_AHEAD_MAX;
}

/* ---- until its place is known again ------------------------------------------------------------------------------ */

bool look_may_miss(const struct look *l)
{
	struct lane lane;

	return lane_of(l->permit->lane, &lane) && lane.when_overloaded != FAIL_CLOSED;
}

/* Whether its conduits let bytes by that nobody can judge: while no worker lived, or while their queue was full. */
static bool may_pass_unjudged(const struct look *l)
{
	struct lane lane;

	if (look_lenient(l))
		return true;
	if (!lane_of(l->permit->lane, &lane))
		return false;
	return (l->f->missed ? lane.when_overloaded : lane.when_down) != FAIL_CLOSED;
}

/* An end that never says anything whole would go on unjudged for ever: a session that lives is at a boundary soon. */
static bool waited_enough(struct look *l)
{
	struct flow *f = l->f;

	if (look_lenient(l) || l->d.payload.left == 0)
		return false;
	if (f->unjudged == 0)
		f->unjudged_ns = l->i->now_ns;
	if (f->unjudged >= UNJUDGED_MAX || l->i->now_ns - f->unjudged_ns >= UNJUDGED_NS)
		return true;
	f->unjudged++;
	return false;
}

bool look_wait_for_boundary(struct look *l)
{
	if (waited_enough(l)) {
		look_refuse_flow(l, R_MIDSTREAM_RESET, PROTO_NONE);
		return false;
	}
	if (l->d.payload.left > 0 && !may_pass_unjudged(l)) {
		look_touch(l);
		look_drop(l, R_MIDSTREAM_WAIT);
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
bool look_refuse_pick_up(struct look *l)
{
	if (look_lenient(l) || l->permit->midstream != MID_PICK_UP || (l->d.tcp_flags & TCP_RST))
		return false;
	look_refuse_flow(l, R_MIDSTREAM_RESET, PROTO_NONE);
	return true;
}

static bool picks_up(const struct look *l, enum protocol p)
{
	const struct stream_dir *server = &l->f->stream.dir[DIR_S2C];
	const struct enforcer *e = enforcer_of(p);

	if (e == NULL || l->d.payload.left == 0 || (l->d.tcp_flags & TCP_SYN))
		return false;
	/*
	 * A client that speaks has everything that the server sent, or an answer is still on its way in pieces. Captures miss
	 * packets and name numbers that nobody sent; there a place is looked for, whatever comes first.
	 */
	return l->i->limits.as_captured || ((l->dir == DIR_S2C || !server->known || l->d.ack == server->next) &&
					    commands_whole(e, l->dir, l->d.payload));
}

static enum protocol pick_up_as(const struct look *l)
{
	const struct inspector *i = l->i;

	if (l->f->commands != NULL)
		return picks_up(l, (enum protocol)l->f->protocol) ? (enum protocol)l->f->protocol : PROTO_NONE;
	for (uint32_t g = 0; look_commands_lane(l) && g < l->permit->n_grants; g++) {
		const struct command_grant *grant = &i->table.grants[l->permit->first_grant + g];

		if (!grant->shadow && picks_up(l, (enum protocol)grant->protocol))
			return (enum protocol)grant->protocol;
	}
	return PROTO_NONE;
}

static void pick_up(struct look *l, enum protocol p)
{
	struct flow *f = l->f;

	stream_pick_up(&f->stream, &l->i->pool, l->dir, &l->d);
	memset(f->commands->state, 0, ENFORCER_STATE_MAX);
	commands_miss(f, false);
	f->waiting_pick_up = false;
	f->unjudged = 0;
	/* What the client is in the middle of, an answer does not tell; of a capture nothing is told. */
	memset(f->adrift, l->i->limits.as_captured, sizeof(f->adrift));
	f->adrift[DIR_C2S] |= l->dir == DIR_S2C;
	event_flow(l, EV_ALLOW, R_PICKED_UP, p);
	look_tcp_flow(l);
}

/* Both ends had said that they are done. What comes now is nothing's continuation. True when that decided it. */
static bool goes_on_after_its_end(struct look *l)
{
	if (!l->f->told_end || l->d.payload.left == 0)
		return false;
	if (!look_lenient(l)) {
		look_reset(l, true);
		look_refuse(l, R_AFTER_CLOSE);
		return true;
	}
	look_restart(l, l->dir);
	l->f->waiting_pick_up = l->f->midstream = true;
	return false;
}

/* Counts bytes that pass while nobody knows where their streams stand. */
static void leave_unread(struct look *l)
{
	l->f->unread += l->d.payload.left;
	l->f->lost_place |= l->d.payload.left > 0;
}

void look_meet_half_way(struct look *l)
{
	struct flow *f = l->f;
	enum midstream rule = look_lenient(l) || f->missed ? MID_PICK_UP : (enum midstream)l->permit->midstream;
	enum protocol p;

	if (l->d.tcp_flags & TCP_RST) { /* whether it is believed cannot be told here; a new SYN will tell */
		look_accept(l, R_HANDSHAKE);
		return;
	}
	if (goes_on_after_its_end(l))
		return;
	if (permit_any(l->i, l->permit, IP_TCP)) { /* nothing is looked for in it, so nothing was missed */
		f->waiting_pick_up = false;
		look_confirm(l, PROTO_NONE);
		look_accept(l, R_ALLOWED);
		return;
	}
	if (rule == MID_RESET) {
		look_refuse_flow(l, R_MIDSTREAM_RESET, PROTO_NONE);
		return;
	}
	if (rule == MID_DROP) {
		look_note_refusal(l, R_MIDSTREAM_DROP, PROTO_NONE);
		look_touch(l);
		look_drop(l, R_MIDSTREAM_DROP);
		return;
	}
	p = pick_up_as(l);
	if (p != PROTO_NONE && (f->commands != NULL || look_enforce(l, p))) {
		pick_up(l, p);
		return;
	}
	if (!look_wait_for_boundary(l))
		return;
	leave_unread(l);
	stream_watch(&f->stream, &l->i->pool, l->dir, &l->d);
	look_touch(l);
	look_accept(l, R_MIDSTREAM_WAIT);
	look_end_closed(l);
}

/* ---- bytes that are missing for good ----------------------------------------------------------------------------- */

/*
 * Goes on behind them. What is there most likely starts with a PDU; if not, a later segment will.
 */
void flow_skip(struct inspector *i, struct flow *f, enum direction dir, uint32_t to)
{
	stream_skip(&f->stream, &i->pool, dir, to);
	commands_miss(f, false);
	f->midstream = f->adrift[dir] = true;
}

void look_tcp_across(struct look *l)
{
	if (is_ahead(l))
		flow_skip(l->i, l->f, l->dir, l->d.seq);
	if (look_acknowledges_unseen(l))
		flow_skip(l->i, l->f, other(l->dir), l->d.ack);
	look_tcp_flow(l);
}

void look_tcp_gap(struct look *l)
{
	l->f->waiting_pick_up = l->f->midstream = true;
	if (!l->i->limits.as_captured)
		wait_drop(l->i, l->fi, R_MIDSTREAM_WAIT);
	stream_free(&l->f->stream, &l->i->pool);
	look_meet_half_way(l);
}

void look_lose_track(struct look *l)
{
	l->f->waiting_pick_up = l->f->midstream = true;
	wait_drop(l->i, l->fi, R_MIDSTREAM_WAIT);
	leave_unread(l);
	stream_watch(&l->f->stream, &l->i->pool, l->dir, &l->d);
	look_touch(l);
	look_accept(l, R_MIDSTREAM_WAIT);
}

/* ---- bytes that a full queue let by ------------------------------------------------------------------------------ */

bool look_go_on_behind(struct look *l)
{
	struct flow *f = l->f;

	if (!look_acknowledges_unseen(l) || !(look_may_miss(l) || f->adrift[other(l->dir)]))
		return false;
	f->missed = look_may_miss(l);
	if (f->commands == NULL) { /* its name was in what is missing: it goes on for a while, and then begins anew */
		look_tcp_gap(l);
		return true;
	}
	look_tcp_across(l);
	return true;
}

bool look_go_on_at(struct look *l)
{
	struct flow *f = l->f;

	if (!look_may_miss(l) || f->commands == NULL || f->gave_up[l->dir] < GAVE_UP_MAX ||
	    f->gave_up_seq[l->dir] != l->d.seq)
		return false;
	f->missed = true;
	f->gave_up[l->dir] = 0;
	look_tcp_across(l);
	return true;
}

void look_note_given_up(struct look *l)
{
	struct flow *f = l->f;

	if (f->gave_up_seq[l->dir] != l->d.seq)
		f->gave_up[l->dir] = 0;
	f->gave_up_seq[l->dir] = l->d.seq;
	if (f->gave_up[l->dir] < GAVE_UP_MAX)
		f->gave_up[l->dir]++;
}
