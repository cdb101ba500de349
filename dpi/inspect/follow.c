/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/follow.h"

#include "dpi/inspect/ahead.h"
#include "dpi/inspect/captured.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/fresh.h"
#include "dpi/inspect/greet.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/midstream.h"
#include "dpi/inspect/name.h"
#include "dpi/inspect/rejudge.h"
#include "dpi/inspect/repeat.h"
#include "dpi/inspect/search.h"

#define BLIND_MAX 3u  /* segments that nobody knows how the receiver reads, before the flow ends */
#define ASTRAY_MAX 3u /* segments in a row that acknowledge what was never seen, before it does */

struct verdict follow_open(struct crossing *x)
{
	enum protocol p;

	x->dir = DIR_C2S;
	stream_open(&x->f->stream, DIR_C2S, &x->d);
	x->f->waiting_pick_up = x->f->midstream = x->d.payload.left > 0;
	p = name_only_commands(x);
	if (p != PROTO_NONE && !command_follow(x, p))
		return refuse(R_OVERLOADED);
	crossing_touch(x);
	return pass(R_HANDSHAKE);
}

static MUST_SEND struct verdict follow_stream(struct crossing *x);

/* Both ends have forgotten the live session; what the server answers now belongs to the SYN that was let by over it. */
static MUST_SEND struct verdict redial(struct crossing *x)
{
	uint32_t taken = x->f->stream.redial, last = x->f->stream.dialled;
	enum protocol p;

	life_restart(x, x->dir);
	stream_redial(&x->f->stream, taken, last);
	p = name_only_commands(x);
	if (p != PROTO_NONE && !command_follow(x, p))
		return refuse(R_OVERLOADED);
	return follow_stream(x);
}

/* Nothing new in it. */
static MUST_SEND struct verdict pass_old(struct crossing *x, enum reason r)
{
	struct verdict v = go_on();

	search_note_before(x);
	if (x->d.payload.left > 0)
		v = repeat_judge(x);
	if (v.step != STEP_ON)
		return v;
	crossing_touch(x);
	return and_close(pass(r));
}

/* It acknowledges what never went by here. */
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
	return refuse(s->reason);
}

/* Nobody knows whether these bytes passed then, or where they are read from. Sooner or later one end has to start again. */
static MUST_SEND struct verdict take_blind(struct crossing *x, enum reason r)
{
	struct verdict v;

	if (crossing_is_observed(x)) {
		search_note_before(x);
		x->f->let_by |= x->dir == DIR_C2S;
		return pass(R_RETRANSMISSION);
	}
	v = midstream_go_back(x);
	if (v.step != STEP_ON)
		return v;
	if (++x->f->blind > BLIND_MAX)
		return end_flow(R_MIDSTREAM_RESET, PROTO_NONE);
	return refuse(r);
}

static MUST_SEND struct verdict take_bad(struct crossing *x, enum reason r)
{
	/* Whoever goes on talking to an ended session hears that it is over. */
	if (r == R_AFTER_CLOSE && x->f->stream.state == TCP_CLOSED && !crossing_is_observed(x))
		return and_hear(refuse(r), HEAR_PACKET);
	return refuse(r);
}

/* A session that has its name, and of which only more is read: what would stop another one ends the reading. */
static MUST_SEND struct verdict go_on_reading(struct crossing *x, const struct stream_result *s)
{
	struct verdict v = go_on();

	switch (s->answer) {
	case STREAM_AHEAD:
		v = ahead_take(x);
		if (v.step != STEP_REFUSE && v.step != STEP_END && !x->f->waiting_pick_up)
			return v;
		x->f->waiting_pick_up = x->f->midstream = false; /* nothing of it has to be picked up */
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

/* The same where a hello that nobody read may not pass: only bytes that went by unseen end it, the rest is as with any other session. */
static MUST_SEND struct verdict go_on_holding(struct crossing *x, const struct stream_result *s)
{
	if (s->answer != STREAM_LOST)
		return go_on();
	if (++x->f->astray > ASTRAY_MAX || (midstream_may_miss(x) && midstream_acknowledges_unseen(x)))
		return greet_let_go(x);
	return refuse(s->reason);
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
	return refuse(s.reason); /* no such answer */
}

/* Each time it stands further on, or is met half-way no more. */
static MUST_SEND struct verdict follow_on(struct crossing *x, struct verdict v)
{
	while (v.step == STEP_AGAIN)
		v = x->f->waiting_pick_up ? midstream_meet(x) : follow_stream(x);
	return v;
}

struct verdict follow(struct crossing *x)
{
	pool_for(&x->i->pool, x->f->holder);
	return follow_on(x, again());
}

struct verdict follow_half_way(struct crossing *x)
{
	pool_for(&x->i->pool, x->f->holder);
	return follow_on(x, midstream_await(x));
}
