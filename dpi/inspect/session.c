/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/session.h"

#include "dpi/inspect/change.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/event.h"
#include "dpi/inspect/fresh.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/midstream.h"
#include "dpi/inspect/name.h"
#include "dpi/inspect/search.h"
#include "dpi/inspect/weak.h"

/* ---- a segment of a known flow -------------------------------------------------------------- */

/* a flow ends after more segments than this of which it is not known how the receiver reads them */
#define BLIND_MAX 3u
/* a flow ends after more segments in a row than this that acknowledge bytes never seen */
#define ASTRAY_MAX 3u

/* Handles a SYN of a flow that is new or begins anew. */
static MUST_SEND struct verdict follow_open(struct crossing *x)
{
	enum protocol p;

	x->dir = DIR_C2S;
	stream_open(&x->f->stream, DIR_C2S, &x->d);
	x->f->waiting_pick_up = x->f->midstream = x->d.payload.left > 0;
	p = name_only_commands(x);
	if (p != PROTO_NONE && !command_follow(x, p))
		return verdict_refuse(R_OVERLOADED);
	crossing_touch(x);
	return verdict_pass(R_HANDSHAKE);
}

static MUST_SEND struct verdict follow_stream(struct crossing *x);

/* Begins a live session anew that both ends have forgotten: the server has answered a new SYN of
 * the client. */
static MUST_SEND struct verdict redial(struct crossing *x)
{
	uint32_t taken = x->f->stream.redial, last = x->f->stream.dialled;
	enum protocol p;

	life_restart(x, x->dir);
	stream_redial(&x->f->stream, taken, last);
	p = name_only_commands(x);
	if (p != PROTO_NONE && !command_follow(x, p))
		return verdict_refuse(R_OVERLOADED);
	return follow_stream(x);
}

/* Handles a segment without new bytes. */
static MUST_SEND struct verdict pass_old(struct crossing *x, enum reason r)
{
	struct verdict v = go_on();

	search_note_before(x);
	if (x->d.payload.left > 0)
		v = repeat_judge(x);
	if (v.step != STEP_ON)
		return v;
	crossing_touch(x);
	return and_close(verdict_pass(r));
}

/* Handles a segment that acknowledges bytes that never passed here. */
static MUST_SEND struct verdict take_lost(struct crossing *x, const struct stream_result *s)
{
	struct verdict v;

	v = midstream_go_on_behind(x);
	if (v.step != STEP_ON)
		return v;
	if (crossing_is_observed(x))
		return midstream_await(x);
	if (++x->f->astray > ASTRAY_MAX)
		return midstream_give_up_place(x);
	return verdict_refuse(s->reason);
}

/* Handles bytes of which it is not known whether they passed before, or from which position they
 * are read. After several of them the flow ends, so that its ends start again. */
static MUST_SEND struct verdict take_blind(struct crossing *x, enum reason r)
{
	struct verdict v;

	if (crossing_is_observed(x)) {
		search_note_before(x);
		x->f->let_by |= x->dir == DIR_C2S;
		return verdict_pass(R_RETRANSMISSION);
	}
	v = midstream_go_back(x);
	if (v.step != STEP_ON)
		return v;
	if (++x->f->blind > BLIND_MAX)
		return end_flow(R_MIDSTREAM_RESET, PROTO_NONE);
	return verdict_refuse(r);
}

static MUST_SEND struct verdict take_bad(struct crossing *x, enum reason r)
{
	/* An end that sends to a closed session is reset. */
	if (r == R_AFTER_CLOSE && x->f->stream.state == TCP_CLOSED && !crossing_is_observed(x))
		return and_hear(verdict_refuse(r), HEAR_PACKET);
	return verdict_refuse(r);
}

/* Handles a segment of a session whose protocol is known, and of which only the hellos are read. A
 * problem that would stop another session only ends the reading. */
static MUST_SEND struct verdict go_on_reading(struct crossing *x, const struct stream_result *s)
{
	struct verdict v = go_on();

	switch (s->answer) {
	case STREAM_AHEAD:
		v = ahead_take(x);
		if (v.step != STEP_REFUSE && v.step != STEP_END && !x->f->waiting_pick_up)
			return v;
		/* the session need not be picked up */
		x->f->waiting_pick_up = x->f->midstream = false;
		return greet_let_go(x);
	case STREAM_LOST:
	case STREAM_BLIND:
	case STREAM_DROP:
	case STREAM_RESET:
		return greet_let_go(x);
	case STREAM_PASS:
	case STREAM_NEW:
	case STREAM_RESTART:
	case STREAM_REDIAL:
		break;
	}
	return v;
}

/* The same for a session of which no unread hello may pass: if bytes passed unseen, the session
 * ends; otherwise the segment is treated as in any other session. */
static MUST_SEND struct verdict go_on_holding(struct crossing *x, const struct stream_result *s)
{
	if (s->answer != STREAM_LOST)
		return go_on();
	if (++x->f->astray > ASTRAY_MAX || (midstream_may_miss(x) && midstream_acknowledges_unseen(x)))
		return greet_let_go(x);
	return verdict_refuse(s->reason);
}

static MUST_SEND struct verdict follow_stream(struct crossing *x)
{
	struct flow *f = x->f;
	struct verdict v = go_on();
	struct stream_result s;

	if (x->i->limits.gaps_stay)
		v = captured_prepare(x);
	if (v.step != STEP_ON)
		return v;
	s = stream_segment(&f->stream, &x->i->pool, x->dir, &x->d);
	rejudge_give_back(x->i, f, other_end(x->dir));
	if (f->judge_again)
		v = rejudge(x);
	if (v.step == STEP_ON && f->greets)
		v = greet_stops(x->permit) ? go_on_holding(x, &s) : go_on_reading(x, &s);
	if (v.step != STEP_ON)
		return v;
	switch (s.answer) {
	case STREAM_PASS:
		return pass_old(x, s.reason);
	case STREAM_NEW:
		return fresh_judge(x, &s);
	case STREAM_AHEAD:
		return ahead_take(x);
	case STREAM_LOST:
		return take_lost(x, &s);
	case STREAM_BLIND:
		return take_blind(x, s.reason);
	case STREAM_DROP:
		return take_bad(x, s.reason);
	case STREAM_RESET:
		return end_flow(s.reason, PROTO_NONE);
	case STREAM_RESTART:
		life_restart(x, DIR_C2S);
		return follow_open(x);
	case STREAM_REDIAL:
		return redial(x);
	}
	return verdict_refuse(s.reason); /* no such answer */
}

/* Repeats the judgement while the verdict is STEP_AGAIN; each time the position advances, or the
 * session is no longer met half-way. */
static MUST_SEND struct verdict follow_on(struct crossing *x, struct verdict v)
{
	while (v.step == STEP_AGAIN)
		v = x->f->waiting_pick_up ? midstream_meet(x) : follow_stream(x);
	return v;
}

struct verdict session_follow(struct crossing *x)
{
	pool_for(&x->i->pool, x->f->holder);
	return follow_on(x, verdict_again());
}

struct verdict follow_half_way(struct crossing *x)
{
	pool_for(&x->i->pool, x->f->holder);
	return follow_on(x, midstream_await(x));
}

/* ---- a segment as it comes in --------------------------------------------------------------- */

static bool is_syn(const struct crossing *x)
{
	return (x->d.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static bool is_answer(const struct crossing *x)
{
	return (x->d.tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
}

/*
 * Handles a SYN|ACK of a session that is no longer inspected. A SYN would have begun the session
 * anew here, so the SYN|ACK repeats the answer of the old session, or answers a SYN that did not
 * pass here. Only a repeated answer passes: after any other, the next session would count as
 * confirmed by the protocol of the old one.
 */
static MUST_SEND struct verdict meet_answer(struct crossing *x)
{
	const struct stream *s = &x->f->stream;
	const struct stream_dir *client = &s->dir[DIR_C2S], *server = &s->dir[DIR_S2C];

	if (x->dir != DIR_S2C || !client->known || !server->known || x->d.seq != server->isn ||
	    x->d.ack != client->isn + 1u)
		return verdict_refuse(R_TCP_FLAGS);
	return verdict_pass(R_HANDSHAKE);
}

/* Handles a SYN on the ports of a flow: a new connection. */
static MUST_SEND struct verdict open_anew(struct crossing *x)
{
	life_restart(x, DIR_C2S);
	return follow_open(x);
}

/* Handles a packet of a flow that was refused, or is no longer inspected. */
static MUST_SEND struct verdict meet_settled(struct crossing *x)
{
	struct flow *f = x->f;

	if (f->kind != KIND_REFUSED && f->kind != KIND_NAMED && f->kind != KIND_FREE)
		return go_on();
	/* Client and server of a live session do not change. */
	if (is_syn(x) && x->dir == DIR_S2C && f->kind != KIND_REFUSED && f->class != CLASS_ENDED)
		return verdict_refuse(R_TCP_FLAGS);
	if (is_syn(x))
		return open_anew(x);
	if (f->kind != KIND_REFUSED) {
		if (f->class == CLASS_ENDED)
			return go_on();
		if (is_answer(x))
			return meet_answer(x);
		crossing_touch(x);
		if (!(x->d.tcp_flags & TCP_RST))
			x->spared = outcome_let_go_for(f);
		return verdict_pass(R_ALLOWED);
	}
	if (x->d.tcp_flags & TCP_RST) /* the end confirms that it accepted the reset */
		return verdict_pass(R_HANDSHAKE);
	crossing_touch(x);
	return and_hear(verdict_drop((enum reason)f->reason), HEAR_PACKET);
}

/*
 * Multipath TCP spreads one stream over several connections, which cannot be inspected. The
 * kernel's rules remove the option of Multipath TCP from each SYN. Where they cannot (Linux before
 * 5.18), a client may send the option, because most servers do not know it and answer without it.
 * If a server answers with the option, the server is reset, and the client's next SYN may pass only
 * without the option.
 */
static MUST_SEND struct verdict refuse_multipath(struct crossing *x)
{
	bool answer = (x->d.tcp_flags & TCP_ACK) != 0;

	if (!x->d.multipath || !(x->d.tcp_flags & TCP_SYN) || !crossing_has_commands_lane(x))
		return go_on();
	if (!answer && !x->d.joins && (x->f == NULL || !x->f->one_path))
		return go_on();
	if (crossing_is_observed(x)) {
		x->spared = R_MULTIPATH;
		return go_on();
	}
	if (!answer || x->dir != DIR_S2C || x->f == NULL || x->f->stream.state != TCP_SYN_SENT || x->f->one_path)
		return verdict_refuse(R_MULTIPATH);
	x->f->one_path = true;
	return and_hear(verdict_refuse(R_MULTIPATH), HEAR_SERVER);
}

/*
 * Text in a RST is at best read by people. No byte may pass uninspected, so the packet is dropped.
 * If its receiver would have accepted the RST, both ends are reset without the text.
 */
static MUST_SEND struct verdict refuse_text(struct crossing *x)
{
	struct verdict v = verdict_refuse(R_TCP_FLAGS);

	x->d.payload = bytes_of(NULL, 0);
	if (x->f->kind == KIND_FOLLOWED && !x->f->waiting_pick_up && x->f->stream.state != TCP_CLOSED)
		stream_segment(&x->f->stream, &x->i->pool, x->dir, &x->d);
	if (x->f->stream.state == TCP_CLOSED && !x->f->told_end)
		v = and_close(and_hear(v, HEAR_FLOW));
	return v;
}

/* Handles a packet on ports without a flow. */
static MUST_SEND struct verdict meet_stranger(struct crossing *x)
{
	struct verdict v = refuse_multipath(x);

	if (v.step != STEP_ON)
		return v;
	if (!is_syn(x) && (x->d.tcp_flags & TCP_RST))
		return x->d.payload.left > 0 ? verdict_refuse(R_TCP_FLAGS) : verdict_pass(R_HANDSHAKE);
	if (!life_open(x, is_syn(x) ? DIR_C2S : life_guess_dir(x)))
		return verdict_refuse(R_OVERLOADED);
	if (is_syn(x))
		return follow_open(x);
	x->f->waiting_pick_up = x->f->midstream = true;
	if (x->i->forgot[share_of(x->lane)] || !life_tells_ends(x))
		return midstream_refuse_pick_up(x);
	return go_on();
}

/* Handles a packet of a session that was silent for long and forgotten, but not closed: the
 * position of its stream is not known any more. */
static MUST_SEND struct verdict meet_forgotten(struct crossing *x)
{
	bool followed_it = x->f->no_claim || (!x->f->waiting_pick_up && x->f->kind == KIND_FOLLOWED);

	if (is_syn(x))
		return open_anew(x);
	/* The server may ignore a RST. So a RST must not turn a followed session into one that was
	 * never followed. */
	if (followed_it && (x->d.tcp_flags & TCP_RST))
		return verdict_pass(R_HANDSHAKE);
	life_restart(x, life_guess_dir(x));
	x->f->waiting_pick_up = x->f->midstream = true;
	return followed_it ? midstream_refuse_pick_up(x) : go_on();
}

static MUST_SEND struct verdict meet_known(struct crossing *x)
{
	struct verdict v;

	x->f = flow_at(&x->i->flows, x->fi);
	v = relabel(x);
	if (v.step == STEP_ON)
		v = refuse_multipath(x);
	if (v.step != STEP_ON)
		return v;
	if ((x->d.tcp_flags & TCP_RST) && x->d.payload.left > 0 && !crossing_is_observed(x))
		return refuse_text(x);
	v = meet_settled(x);
	if (v.step != STEP_ON)
		return v;
	if (x->f->class == CLASS_ENDED && x->f->stream.state != TCP_CLOSED)
		return meet_forgotten(x);
	if (x->f->waiting_pick_up && is_syn(x)) /* as in a session that is followed */
		return x->dir == DIR_S2C ? verdict_refuse(R_TCP_FLAGS) : open_anew(x);
	return go_on();
}

struct verdict session_meet(struct crossing *x)
{
	enum reason r = stream_flags(&x->d);
	struct verdict v;

	/* only the server knows whether it accepted the data in the SYN: see follow_open */
	if (r == R_SYN_DATA && crossing_is_observed(x)) {
		event_tell_drop(x, EV_OBSERVE, r);
		x->spared = r;
		r = R_NONE;
	}
	if (r != R_NONE)
		return verdict_refuse(r);
	x->fi = flow_find(&x->i->flows, &x->d, &x->dir);
	v = x->fi == FLOW_NONE ? meet_stranger(x) : meet_known(x);
	if (v.step == STEP_ON && x->d.multipath && x->f->waiting_pick_up && crossing_has_commands_lane(x) &&
	    !crossing_is_observed(x))
		/* The session began without removal of the option, so its order does not follow
		 * its numbers. */
		return end_flow(R_MULTIPATH, PROTO_NONE);
	return v;
}
