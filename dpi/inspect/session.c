/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/session.h"

#include "dpi/inspect/event.h"
#include "dpi/inspect/follow.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/midstream.h"
#include "dpi/inspect/outcome.h"
#include "dpi/inspect/relabel.h"

static bool is_syn(const struct crossing *x)
{
	return (x->d.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static bool is_answer(const struct crossing *x)
{
	return (x->d.tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
}

/*
 * A server that answers a SYN over a session that was let go of. The SYN itself began it anew here: so this is the answer of that session
 * once more, or it answers nothing that went by. To pass it by the name that the session had would be to name the next one so.
 */
static MUST_SEND struct verdict meet_answer(struct crossing *x)
{
	const struct stream *s = &x->f->stream;
	const struct stream_dir *client = &s->dir[DIR_C2S], *server = &s->dir[DIR_S2C];

	if (x->dir != DIR_S2C || !client->known || !server->known || x->d.seq != server->isn ||
	    x->d.ack != client->isn + 1u)
		return refuse(R_TCP_FLAGS);
	return pass(R_HANDSHAKE);
}

/* A SYN where a flow was: a new connection on its ports. */
static MUST_SEND struct verdict open_anew(struct crossing *x)
{
	life_restart(x, DIR_C2S);
	return follow_open(x);
}

/* A flow that was refused, or let go of, and is here again. */
static MUST_SEND struct verdict meet_settled(struct crossing *x)
{
	struct flow *f = x->f;

	if (f->kind != KIND_REFUSED && f->kind != KIND_NAMED && f->kind != KIND_FREE)
		return go_on();
	/* The ends of a live session do not change places. */
	if (is_syn(x) && x->dir == DIR_S2C && f->kind != KIND_REFUSED && f->class != CLASS_ENDED)
		return refuse(R_TCP_FLAGS);
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
		return pass(R_ALLOWED);
	}
	if (x->d.tcp_flags & TCP_RST) /* an end that believed the reset says so */
		return pass(R_HANDSHAKE);
	crossing_touch(x);
	return and_hear(drop((enum reason)f->reason), HEAR_PACKET);
}

/*
 * Multipath TCP lets one stream of data flow over several connections, of which each is seen alone. The kernel's rules take it
 * out of each SYN. Where they cannot (Linux before 5.18) a client may offer it: most servers of commands do not know it, and
 * their plain answer settles it without delay. A server that takes the offer is told that nothing comes of it, and the
 * client's next SYNs pass only without.
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
		return refuse(R_MULTIPATH);
	x->f->one_path = true;
	return and_hear(refuse(R_MULTIPATH), HEAR_SERVER);
}

/*
 * Text in a reset is read by people, if by anybody. No byte passes that nobody judges, so the packet does not; but what it says is
 * said to both ends without the text, when its receiver would have believed it.
 */
static MUST_SEND struct verdict refuse_text(struct crossing *x)
{
	struct verdict v = refuse(R_TCP_FLAGS);

	x->d.payload = bytes_of(NULL, 0);
	if (x->f->kind == KIND_FOLLOWED && !x->f->waiting_pick_up && x->f->stream.state != TCP_CLOSED)
		stream_segment(&x->f->stream, &x->i->pool, x->dir, &x->d);
	if (x->f->stream.state == TCP_CLOSED && !x->f->told_end)
		v = and_close(and_hear(v, HEAR_FLOW));
	return v;
}

/* Of these ports nothing is known. */
static MUST_SEND struct verdict meet_stranger(struct crossing *x)
{
	struct verdict v = refuse_multipath(x);

	if (v.step != STEP_ON)
		return v;
	if (!is_syn(x) && (x->d.tcp_flags & TCP_RST))
		return x->d.payload.left > 0 ? refuse(R_TCP_FLAGS) : pass(R_HANDSHAKE);
	if (!life_open(x, is_syn(x) ? DIR_C2S : life_guess_dir(x)))
		return refuse(R_OVERLOADED);
	if (is_syn(x))
		return follow_open(x);
	x->f->waiting_pick_up = x->f->midstream = true;
	if (x->i->forgot[share_of(x->lane)] || !life_tells_ends(x))
		return midstream_refuse_pick_up(x);
	return go_on();
}

/* Long silent and forgotten, not closed: nobody knows any more where its stream stands. */
static MUST_SEND struct verdict meet_forgotten(struct crossing *x)
{
	bool followed_it = x->f->no_claim || (!x->f->waiting_pick_up && x->f->kind == KIND_FOLLOWED);

	if (is_syn(x))
		return open_anew(x);
	/* By one that its server ignores nobody makes it a session that was never followed. */
	if (followed_it && (x->d.tcp_flags & TCP_RST))
		return pass(R_HANDSHAKE);
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
		return x->dir == DIR_S2C ? refuse(R_TCP_FLAGS) : open_anew(x);
	return go_on();
}

struct verdict session_meet(struct crossing *x)
{
	enum reason r = stream_flags(&x->d);
	struct verdict v;

	if (r == R_SYN_DATA &&
	    crossing_is_observed(x)) { /* only its server knows whether it took them: see follow_open */
		event_tell_drop(x, EV_OBSERVE, r);
		x->spared = r;
		r = R_NONE;
	}
	if (r != R_NONE)
		return refuse(r);
	x->fi = flow_find(&x->i->flows, &x->d, &x->dir);
	v = x->fi == FLOW_NONE ? meet_stranger(x) : meet_known(x);
	if (v.step == STEP_ON && x->d.multipath && x->f->waiting_pick_up && crossing_has_commands_lane(x) &&
	    !crossing_is_observed(x))
		/* Begun where nobody took the option out: its order is not that of its numbers. */
		return end_flow(R_MULTIPATH, PROTO_NONE);
	return v;
}
