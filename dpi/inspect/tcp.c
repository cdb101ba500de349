/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP: what the stream gate says about a segment, and what follows from it for the flow.
 *
 * A followed flow goes through the gate byte by byte. A session met half-way is watched until a client segment of exactly
 * whole PDUs, if its conduits say so. A flow whose protocol is known on a lane for naming only is let go.
 */
#include <string.h>

#include "dpi/inspect/core.h"
#include "dpi/inspect/enforcers.h"

static void closed(struct look *l)
{
	if (l->f->stream.state == TCP_CLOSED && !l->f->told_end)
		flow_end(l->i, l->fi);
}

/* ---- new bytes --------------------------------------------------------------------------------------------------- */

static void pass_bytes(struct look *l, const struct stream_result *s, size_t unjudged, enum reason r)
{
	/* Room was asked for before anything was judged. */
	if (!stream_commit(&l->f->stream, &l->i->pool, l->dir, s->fresh, s->fin, unjudged)) {
		look_refuse(l, R_POOL_FULL);
		return;
	}
	l->f->missed_ns = 0;
	look_touch(l);
	if (reason_kind(r) == REASON_PASS || r == R_MIDSTREAM_WAIT)
		look_accept(l, r);
	else
		look_drop(l, r); /* a capture goes on behind what would have been refused */
}

static void judge_commands(struct look *l, const struct stream_result *s)
{
	struct command_state *c = l->f->commands;
	bool turned = l->f->turn != l->dir;
	struct judged j;

	l->f->turn = (uint8_t)l->dir;
	if (l->f->adrift[l->dir] && !commands_begin(c->enforcer, l->dir, s->fresh, turned)) {
		pass_bytes(l, s, 0, R_MIDSTREAM_WAIT);
		return;
	}
	l->f->adrift[l->dir] = false;
	j = look_judge(l, s->fresh);
	if (j.denied && !look_lenient(l)) {
		counts_keep(l->i, c, false);
		look_refuse_flow(l, j.reason, j.speaks);
		return;
	}
	counts_keep(l->i, c, true);
	if (j.denied)
		look_note_refusal(l, j.reason, j.speaks);
	if (j.opaque && look_observes(l)) {
		l->f->kind = KIND_FREE;
		flow_release(l->i, l->fi);
		look_touch(l);
		look_accept(l, R_OBSERVED);
		return;
	}
	if (j.opaque) { /* a capture goes on: perhaps the next segment can be read again */
		l->f->adrift[l->dir] = true;
		commands_missed(l->f);
	}
	pass_bytes(l, s, j.unjudged, !j.denied ? R_ALLOWED : look_observes(l) ? R_OBSERVED : j.reason);
}

static void judge_name(struct look *l, const struct stream_result *s)
{
	struct naming n = look_name(l, s->fresh);
	bool keep; /* bytes that an enforcer may have to read again */

	switch (n.step) {
	case NAMING_REFUSE:
		look_refuse_flow(l, n.reason, n.protocol);
		return;
	case NAMING_ANY:
	case NAMING_CONFIRM:
		look_confirm(l, n.step == NAMING_ANY ? PROTO_NONE : n.protocol);
		look_accept(l, n.step == NAMING_ANY ? R_ALLOWED : R_CONFIRMED);
		return;
	case NAMING_COMMANDS:
		if (!look_enforce(l, n.protocol)) {
			look_refuse(l, R_OVERLOADED);
			return;
		}
		judge_commands(l, s);
		return;
	case NAMING_PASS:
		break;
	}
	keep = l->dir == DIR_C2S && look_commands_lane(l);
	pass_bytes(l, s, keep ? stream_carry(&l->f->stream, l->dir) + s->fresh.left : 0, n.reason);
}

/* Nothing may be stopped and this segment cannot be kept: from here on only the numbers are followed. */
static void lose_track(struct look *l)
{
	l->f->waiting_pick_up = l->f->midstream = true;
	wait_drop(l->i, l->fi, R_MIDSTREAM_WAIT);
	stream_watch(&l->f->stream, &l->i->pool, l->dir, &l->d);
	look_touch(l);
	look_accept(l, R_MIDSTREAM_WAIT);
}

static bool room(struct look *l, size_t n)
{
	bool fits = stream_room(&l->f->stream, &l->i->pool, l->dir, n);

	while (!fits && look_make_way(l, n))
		fits = stream_room(&l->f->stream, &l->i->pool, l->dir, n);
	return fits;
}

static void new_bytes(struct look *l, const struct stream_result *s)
{
	if (!room(l, s->fresh.left)) {
		if (look_lenient(l))
			lose_track(l);
		else
			look_refuse(l, R_POOL_FULL);
		return;
	}
	if (s->fresh.left == 0)
		pass_bytes(l, s, stream_carry(&l->f->stream, l->dir), R_HANDSHAKE);
	else if (l->f->commands != NULL)
		judge_commands(l, s);
	else
		judge_name(l, s);
}

/* ---- sessions met half-way --------------------------------------------------------------------------------------- */

static bool picks_up(const struct look *l, enum protocol p)
{
	const struct stream_dir *server = &l->f->stream.dir[DIR_S2C];
	const struct enforcer *e = enforcer_of(p);
	bool captured = l->i->limits.as_captured;

	/*
	 * The client must have everything that the server sent, or an answer is still on its way in pieces. Captures miss
	 * packets and name numbers that nobody sent; there the PDUs must do, the server's as well.
	 */
	return e != NULL && (l->dir == DIR_C2S || captured) && l->d.payload.left > 0 && !(l->d.tcp_flags & TCP_SYN) &&
	       (!server->known || l->d.ack == server->next || captured) && commands_whole(e, l->dir, l->d.payload);
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

static void half_way(struct look *l)
{
	struct flow *f = l->f;
	enum midstream rule = look_lenient(l) ? MID_PICK_UP : (enum midstream)l->permit->midstream;
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
		stream_pick_up(&f->stream, &l->i->pool, l->dir, &l->d);
		memset(f->commands->state, 0, ENFORCER_STATE_MAX);
		commands_missed(f);
		f->waiting_pick_up = false;
		f->unjudged = 0;
		event_flow(l, EV_ALLOW, R_PICKED_UP, p);
		look_tcp_flow(l);
		return;
	}
	if (waited_enough(l)) {
		look_refuse_flow(l, R_MIDSTREAM_RESET, PROTO_NONE);
		return;
	}
	stream_watch(&f->stream, &l->i->pool, l->dir, &l->d);
	look_touch(l);
	look_accept(l, R_MIDSTREAM_WAIT);
	closed(l);
}

/* Its stream is followed byte by byte, and has not ended. */
static bool followed_kind(const struct flow *f)
{
	return !f->waiting_pick_up && f->stream.state != TCP_CLOSED && f->kind == KIND_FOLLOWED;
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static void open_flow(struct look *l)
{
	enum protocol p;

	l->dir = DIR_C2S;
	stream_open(&l->f->stream, DIR_C2S, &l->d);
	p = permit_only_commands(l);
	if (p != PROTO_NONE && !look_enforce(l, p)) {
		look_refuse(l, R_OVERLOADED);
		return;
	}
	look_touch(l);
	look_accept(l, R_HANDSHAKE);
}

static void followed(struct look *l);

/* Both ends have forgotten the live session; what the server answers now belongs to the SYN that was let by over it. */
static void redial(struct look *l)
{
	uint32_t isn = l->f->stream.redial;
	enum protocol p;

	look_restart(l, l->dir);
	l->f->stream.redial = isn;
	stream_redial(&l->f->stream);
	p = permit_only_commands(l);
	if (p != PROTO_NONE && !look_enforce(l, p))
		look_refuse(l, R_OVERLOADED);
	else
		followed(l);
}

/*
 * What waits for its pick-up passes unjudged, so that a live session outlives a worker. A session that this worker
 * followed and then forgot (its handshake never ended, it was silent, or the table was full) has no claim to that: whoever
 * can make the worker forget would choose what passes. It is reset, whatever the conduit says. True when that decided it.
 */
static bool refuse_pick_up(struct look *l)
{
	if (look_lenient(l) || l->permit->midstream != MID_PICK_UP || (l->d.tcp_flags & TCP_RST))
		return false;
	look_refuse_flow(l, R_MIDSTREAM_RESET, PROTO_NONE);
	return true;
}

/* Whether packets of its lane may go by while this worker lives: a full queue lets them. */
static bool may_miss(const struct look *l)
{
	struct lane lane;

	return lane_of(l->permit->lane, &lane) && lane.when_overloaded != FAIL_CLOSED;
}

/*
 * Acknowledges what did not go by here. After a pick-up that may be bytes that their sender will repeat. When he does not,
 * the session is alive and nobody knows where its streams stand: dropped in silence it would hang.
 */
static void missed(struct look *l, enum reason r)
{
	struct flow *f = l->f;

	if (f->missed_ns == 0)
		f->missed_ns = l->i->now_ns;
	if (l->i->now_ns - f->missed_ns < MISSED_NS) {
		look_refuse(l, r);
		return;
	}
	f->waiting_pick_up = f->midstream = true;
	if (!refuse_pick_up(l))
		look_tcp_gap(l);
}

/* Acknowledges what did not go by here. Numbers far ahead are nobody's. */
static bool is_early(const struct look *l)
{
	const struct stream_dir *peer = &l->f->stream.dir[l->dir == DIR_C2S ? DIR_S2C : DIR_C2S];

	return followed_kind(l->f) && (l->d.tcp_flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK && peer->known &&
	       seq_diff(l->d.ack, peer->next) > 0 && l->d.ack - peer->next <= STREAM_AHEAD_MAX;
}

static void followed(struct look *l)
{
	struct flow *f = l->f;
	struct stream_result s;

	if (l->i->limits.as_captured && stream_assume(&f->stream, l->dir, &l->d))
		f->midstream = true;
	s = stream_segment(&f->stream, &l->i->pool, l->dir, &l->d);
	commands_give_back(l->i, f, l->dir == DIR_C2S ? DIR_S2C : DIR_C2S);
	if (f->judge_again && !look_judge_again(l))
		return;
	switch (s.answer) {
	case STREAM_PASS:
		look_touch(l);
		look_accept(l, s.reason);
		closed(l);
		return;
	case STREAM_NEW:
		new_bytes(l, &s);
		return;
	case STREAM_AHEAD:
		look_wait(l);
		return;
	case STREAM_LOST:
		if (l->i->limits.as_captured && s.data && is_early(l)) {
			look_wait(l); /* captured out of order: what it acknowledges may follow */
		} else if (l->i->limits.as_captured) {
			l->d.tcp_flags &= (uint8_t)~TCP_ACK;
			followed(l);
		} else if (look_lenient(l)) {
			look_tcp_gap(l);
		} else if (may_miss(l)) {
			missed(l, s.reason);
		} else {
			look_refuse(l, s.reason);
		}
		return;
	case STREAM_BLIND:
		/* Nobody knows whether these are the bytes that passed then. Sooner or later one end has to start again. */
		if (look_lenient(l))
			look_accept(l, R_RETRANSMISSION);
		else if (++f->blind > BLIND_MAX)
			look_refuse_flow(l, R_MIDSTREAM_RESET, PROTO_NONE);
		else
			look_refuse(l, s.reason);
		return;
	case STREAM_DROP:
		/* Whoever goes on talking to an ended session hears that it is over. */
		if (s.reason == R_AFTER_CLOSE && f->stream.state == TCP_CLOSED && !look_observes(l))
			look_reset(l, true);
		look_refuse(l, s.reason);
		return;
	case STREAM_RESET:
		look_refuse_flow(l, s.reason, PROTO_NONE);
		return;
	case STREAM_RESTART:
		look_restart(l, DIR_C2S);
		open_flow(l);
		return;
	case STREAM_REDIAL:
		redial(l);
		return;
	}
}

void look_tcp_flow(struct look *l)
{
	if (l->d.bad_checksum)
		l->f->bad_checksum = true;
	pool_for(&l->i->pool, l->f->holder);
	if (l->f->waiting_pick_up)
		half_way(l);
	else
		followed(l);
}

/* A flow that was refused, or let go of, and is here again. True when the packet is decided. */
static bool settled(struct look *l, bool syn)
{
	struct flow *f = l->f;

	if (f->kind != KIND_REFUSED && f->kind != KIND_NAMED && f->kind != KIND_FREE)
		return false;
	if (syn && l->dir == DIR_S2C && f->kind != KIND_REFUSED && f->class != CLASS_ENDED) {
		look_refuse(l, R_TCP_FLAGS); /* the ends of a live session do not change places */
		return true;
	}
	if (syn) {
		look_restart(l, DIR_C2S);
		open_flow(l);
		return true;
	}
	if (f->kind != KIND_REFUSED) {
		if (f->class == CLASS_ENDED)
			return false;
		look_touch(l);
		look_accept(l, R_ALLOWED);
		return true;
	}
	if (l->d.tcp_flags & TCP_RST) { /* an end that believed the reset says so */
		look_accept(l, R_HANDSHAKE);
		return true;
	}
	look_reset(l, true);
	look_touch(l);
	look_drop(l, (enum reason)f->reason);
	return true;
}

static bool is_ahead(const struct look *l)
{
	return followed_kind(l->f) && seq_diff(l->d.seq, l->f->stream.dir[l->dir].next) > 0;
}

/*
 * Reading a capture, and bytes are missing that nobody will repeat: goes on behind them. What is there most likely starts
 * with a PDU; if not, a later segment will.
 */
void flow_skip(struct inspector *i, struct flow *f, enum direction dir, uint32_t to)
{
	stream_skip(&f->stream, &i->pool, dir, to);
	commands_missed(f);
	f->midstream = f->adrift[dir] = true;
}

void look_tcp_across(struct look *l)
{
	if (is_ahead(l))
		flow_skip(l->i, l->f, l->dir, l->d.seq);
	if (is_early(l))
		flow_skip(l->i, l->f, l->dir == DIR_C2S ? DIR_S2C : DIR_C2S, l->d.ack);
	look_tcp_flow(l);
}

void look_tcp_gap(struct look *l)
{
	l->f->waiting_pick_up = l->f->midstream = true;
	if (!l->i->limits.as_captured)
		wait_drop(l->i, l->fi, R_MIDSTREAM_WAIT);
	stream_free(&l->f->stream, &l->i->pool);
	half_way(l);
}

void look_tcp(struct look *l)
{
	enum reason r = stream_flags(&l->d);
	bool syn = (l->d.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

	/* Multipath TCP lets one stream of data flow over several connections, of which each is seen alone. */
	if (r == R_NONE && l->d.multipath && look_commands_lane(l))
		r = R_MULTIPATH;
	if (r != R_NONE) {
		look_refuse(l, r);
		return;
	}
	l->fi = flow_find(&l->i->flows, &l->d, &l->dir);
	if (l->fi == FLOW_NONE) {
		if (!syn && (l->d.tcp_flags & TCP_RST)) {
			look_accept(l, R_HANDSHAKE);
			return;
		}
		if (!look_new_flow(l, syn ? DIR_C2S : look_guess_dir(l)))
			return;
		if (syn) {
			open_flow(l);
			return;
		}
		l->f->waiting_pick_up = l->f->midstream = true;
		if (l->i->forgot[look_share(l)] && refuse_pick_up(l))
			return;
	} else {
		bool followed_it;

		l->f = flow_at(&l->i->flows, l->fi);
		if (!look_relabel(l))
			return;
		if (l->i->limits.as_captured && (syn || (l->d.tcp_flags & TCP_RST)))
			wait_give_up(l->i, l->fi); /* nothing of what ends here will follow any more */
		if (settled(l, syn))
			return;
		if (l->f->class == CLASS_ENDED && l->f->stream.state != TCP_CLOSED) {
			/* Long silent and forgotten, not closed: nobody knows any more where its stream stands. */
			followed_it = !l->f->waiting_pick_up && l->f->kind == KIND_FOLLOWED;
			look_restart(l, syn ? DIR_C2S : look_guess_dir(l));
			if (syn) {
				open_flow(l);
				return;
			}
			l->f->waiting_pick_up = l->f->midstream = true;
			if (followed_it && refuse_pick_up(l))
				return;
		} else if (l->f->waiting_pick_up && syn) {
			if (l->dir == DIR_S2C) { /* as in a session that is followed */
				look_refuse(l, R_TCP_FLAGS);
				return;
			}
			look_restart(l, DIR_C2S);
			open_flow(l);
			return;
		}
	}
	look_tcp_flow(l);
	if (l->f != NULL && l->f->first_wait != SLOT_NONE)
		wait_release(l->i, l->fi, l->dir, l->p->frame);
}
