/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP: what the stream gate says about a segment, and what follows from it for the flow.
 *
 * A followed flow goes through the gate byte by byte; midstream.c has those whose place is not known. A flow whose protocol is known on a lane for naming only is let go.
 */
#include <string.h>

#include "dpi/inspect/core.h"
#include "dpi/inspect/enforcers.h"

void crossing_tell_closed(struct crossing *x)
{
	if (x->f->stream.state == TCP_CLOSED && !x->f->told_end)
		flow_end(x->i, x->fi);
}

/* ---- new bytes --------------------------------------------------------------------------------------------------- */

void crossing_pass_bytes(struct crossing *x, const struct stream_result *s, size_t unjudged, enum reason r)
{
	/* Room was asked for before anything was judged. */
	if (!stream_commit(&x->f->stream, &x->i->pool, x->dir, s->fresh, s->fin, unjudged)) {
		crossing_refuse(x, R_POOL_FULL);
		return;
	}
	x->f->gave_up[x->dir] = 0;
	x->f->astray = 0;
	crossing_touch_flow(x);
	if (reason_kind(r) == REASON_PASS || r == R_MIDSTREAM_WAIT)
		crossing_accept(x, r);
	else
		crossing_drop(x, r); /* a capture goes on behind what would have been refused */
}

/* Bytes of this direction were missed: whether it can be read again from here. If not, the packet is decided. */
static bool takes_up(struct crossing *x, struct stream_result *s, bool turned)
{
	const struct enforcer *e = x->f->commands->enforcer;
	const struct stream_dir *server = &x->f->stream.dir[DIR_S2C];

	if (x->i->limits.as_captured) {
		if (!crossing_find_boundary(x, s, turned))
			return false;
	} else if (x->d.payload.left != s->fresh.left || !commands_whole(e, x->dir, s->fresh) ||
		   (x->dir == DIR_C2S && !x->f->adrift[DIR_S2C] && x->d.ack != server->next)) {
		if (crossing_await_boundary(x))
			crossing_pass_bytes(x, s, 0, R_MIDSTREAM_WAIT);
		return false;
	} else {
		event_tell_flow(x, EV_ALLOW, R_PICKED_UP, (enum protocol)x->f->protocol);
	}
	stream_frame(&x->f->stream, x->dir);
	x->f->adrift[x->dir] = false;
	x->f->unjudged = 0;
	x->f->missed = x->f->adrift[x->dir == DIR_C2S ? DIR_S2C : DIR_C2S];
	return true;
}

/*
 * The judge of one segment. When requests are too many at a time, nothing of it is remembered: it waits for its turn, which comes
 * when its sender repeats it and others have been answered. One that would be too many alone need not wait, nor what was
 * ahead of a gap and is with its receiver already. Answers never wait.
 */
static struct judged judge_in_turn(struct crossing *x, struct bytes fresh)
{
	struct command_state *c = x->f->commands;
	_Alignas(16) uint8_t before[ENFORCER_STATE_MAX];
	struct judged j;
	size_t used;

	if (x->dir == DIR_S2C || crossing_is_lenient(x))
		return crossing_judge_commands(x, fresh);
	used = c->enforcer->state_used(c->state);
	memcpy(before, c->state, used);
	j = crossing_judge_commands(x, fresh);
	if (!j.later)
		return j;
	counts_keep(x->i, c, false);
	memset(c->state, 0, c->enforcer->state_size);
	x->crowded = crossing_judge_commands(x, fresh).later;
	counts_keep(x->i, c, false);
	memcpy(c->state, before, used);
	return x->crowded ? crossing_judge_commands(x, fresh) : j;
}

static void judge_commands(struct crossing *x, struct stream_result *s)
{
	struct command_state *c = x->f->commands;
	bool turned = x->f->turn != x->dir;
	struct judged j;

	x->f->turn = (uint8_t)x->dir;
	if (x->f->adrift[x->dir] && !takes_up(x, s, turned))
		return;
	j = judge_in_turn(x, s->fresh);
	if (j.later) {
		counts_keep(x->i, c, false);
		crossing_refuse(x, j.reason);
		return;
	}
	if (j.denied && !crossing_is_lenient(x)) {
		counts_keep(x->i, c, false);
		crossing_refuse_flow(x, j.reason, j.speaks);
		return;
	}
	counts_keep(x->i, c, true);
	if (j.denied)
		crossing_note_refusal(x, j.reason, j.speaks);
	if (j.opaque && crossing_is_observed(x)) {
		x->f->kind = KIND_FREE;
		flow_release(x->i, x->fi);
		crossing_touch_flow(x);
		crossing_accept(x, R_OBSERVED);
		return;
	}
	if (j.opaque) { /* a capture goes on: perhaps the next segment can be read again */
		x->f->adrift[x->dir] = true;
		commands_note_missed(x->f, x->dir == DIR_C2S);
	}
	crossing_pass_bytes(x, s, j.unjudged, !j.denied ? R_ALLOWED : crossing_is_observed(x) ? R_OBSERVED : j.reason);
}

static void judge_name(struct crossing *x, struct stream_result *s)
{
	struct naming n = crossing_name_stream(x, s->fresh);
	bool keep; /* bytes that an enforcer may have to read again */

	switch (n.step) {
	case NAMING_REFUSE:
		crossing_refuse_flow(x, n.reason, n.protocol);
		return;
	case NAMING_ANY:
	case NAMING_CONFIRM:
		crossing_confirm_flow(x, n.step == NAMING_ANY ? PROTO_NONE : n.protocol);
		crossing_accept(x, n.step == NAMING_ANY ? R_ALLOWED : R_CONFIRMED);
		return;
	case NAMING_COMMANDS:
		if (!crossing_add_enforcer(x, n.protocol)) {
			crossing_refuse(x, R_OVERLOADED);
			return;
		}
		judge_commands(x, s);
		return;
	case NAMING_PASS:
		break;
	}
	keep = x->dir == DIR_C2S && crossing_has_commands_lane(x);
	crossing_pass_bytes(x, s, keep ? stream_carry(&x->f->stream, x->dir) + s->fresh.left : 0, n.reason);
}

#define WAYS_MAX 4u /* sessions that give way to one segment */

static bool make_room(struct crossing *x, size_t n)
{
	bool fits = stream_room(&x->f->stream, &x->i->pool, x->dir, n);

	for (unsigned ways = 0; !fits && ways < WAYS_MAX && crossing_make_room(x, n); ways++)
		fits = stream_room(&x->f->stream, &x->i->pool, x->dir, n);
	return fits;
}

static void take_new(struct crossing *x, struct stream_result *s)
{
	if (!stream_join(&x->f->stream, &x->i->pool, x->dir, s->fin, &s->fresh, x->i->segment_room)) {
		crossing_refuse_flow(x, R_OVERLAP, PROTO_NONE);
		return;
	}
	if (!make_room(x, s->fresh.left)) {
		if (crossing_is_lenient(x))
			crossing_lose_track(x);
		else
			crossing_refuse(x, R_POOL_FULL);
		return;
	}
	if (s->fresh.left == 0)
		crossing_pass_bytes(x, s, stream_carry(&x->f->stream, x->dir), R_HANDSHAKE);
	else if (x->f->commands == NULL)
		judge_name(x, s);
	else if (s->fresh.left == x->d.payload.left ||
		 crossing_judge_repeat(x)) /* what it begins with may have passed before */
		judge_commands(x, s);
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static void open_flow(struct crossing *x)
{
	enum protocol p;

	x->dir = DIR_C2S;
	stream_open(&x->f->stream, DIR_C2S, &x->d);
	x->f->waiting_pick_up = x->f->midstream = x->d.payload.left > 0;
	p = permit_only_commands(x);
	if (p != PROTO_NONE && !crossing_add_enforcer(x, p)) {
		crossing_refuse(x, R_OVERLOADED);
		return;
	}
	crossing_touch_flow(x);
	crossing_accept(x, R_HANDSHAKE);
}

static void follow(struct crossing *x);

/* Both ends have forgotten the live session; what the server answers now belongs to the SYN that was let by over it. */
static void redial(struct crossing *x)
{
	uint32_t isn = x->f->stream.redial;
	enum protocol p;

	crossing_restart_flow(x, x->dir);
	x->f->stream.redial = isn;
	stream_redial(&x->f->stream);
	p = permit_only_commands(x);
	if (p != PROTO_NONE && !crossing_add_enforcer(x, p))
		crossing_refuse(x, R_OVERLOADED);
	else
		follow(x);
}

static void follow(struct crossing *x)
{
	struct flow *f = x->f;
	struct stream_result s;

	if (x->i->limits.as_captured && stream_assume(&f->stream, x->dir, &x->d))
		f->midstream = true;
	s = stream_segment(&f->stream, &x->i->pool, x->dir, &x->d);
	commands_give_back(x->i, f, x->dir == DIR_C2S ? DIR_S2C : DIR_C2S);
	if (f->judge_again && !crossing_judge_again(x))
		return;
	switch (s.answer) {
	case STREAM_PASS:
		if (x->d.payload.left > 0 && !crossing_judge_repeat(x))
			return;
		crossing_touch_flow(x);
		crossing_accept(x, s.reason);
		crossing_tell_closed(x);
		return;
	case STREAM_NEW:
		take_new(x, &s);
		return;
	case STREAM_AHEAD:
		if (!crossing_go_on_at(x))
			crossing_take_ahead(x);
		return;
	case STREAM_LOST:
		if (x->i->limits.as_captured && s.data && crossing_acknowledges_unseen(x)) {
			crossing_hold(x); /* captured out of order: what it acknowledges may follow */
		} else if (x->i->limits.as_captured) {
			x->d.tcp_flags &= (uint8_t)~TCP_ACK;
			follow(x);
		} else if (crossing_go_on_behind(x)) {
			return;
		} else if (crossing_is_lenient(x)) {
			crossing_await_pick_up(x);
		} else if (++f->astray > ASTRAY_MAX) {
			crossing_give_up_place(x);
		} else {
			crossing_refuse(x, s.reason);
		}
		return;
	case STREAM_BLIND:
		/* Nobody knows whether these are the bytes that passed then. Sooner or later one end has to start again. */
		if (crossing_is_lenient(x))
			crossing_accept(x, R_RETRANSMISSION);
		else if (++f->blind > BLIND_MAX)
			crossing_refuse_flow(x, R_MIDSTREAM_RESET, PROTO_NONE);
		else
			crossing_refuse(x, s.reason);
		return;
	case STREAM_DROP:
		if (x->i->limits.as_captured && f->midstream && (x->d.tcp_flags & TCP_SYN)) {
			crossing_accept(x, R_HANDSHAKE); /* what it belongs to is not in the capture */
			return;
		}
		/* Whoever goes on talking to an ended session hears that it is over. */
		if (s.reason == R_AFTER_CLOSE && f->stream.state == TCP_CLOSED && !crossing_is_observed(x))
			crossing_reset(x, true);
		crossing_refuse(x, s.reason);
		return;
	case STREAM_RESET:
		crossing_refuse_flow(x, s.reason, PROTO_NONE);
		return;
	case STREAM_RESTART:
		crossing_restart_flow(x, DIR_C2S);
		open_flow(x);
		return;
	case STREAM_REDIAL:
		redial(x);
		return;
	}
}

void crossing_follow(struct crossing *x)
{
	if (x->d.bad_checksum)
		x->f->bad_checksum = true;
	pool_for(&x->i->pool, x->f->holder);
	if (x->f->waiting_pick_up)
		crossing_meet_half_way(x);
	else
		follow(x);
}

/* A flow that was refused, or let go of, and is here again. True when the packet is decided. */
static bool decide_settled(struct crossing *x, bool syn)
{
	struct flow *f = x->f;

	if (f->kind != KIND_REFUSED && f->kind != KIND_NAMED && f->kind != KIND_FREE)
		return false;
	if (syn && x->dir == DIR_S2C && f->kind != KIND_REFUSED && f->class != CLASS_ENDED) {
		crossing_refuse(x, R_TCP_FLAGS); /* the ends of a live session do not change places */
		return true;
	}
	if (syn) {
		crossing_restart_flow(x, DIR_C2S);
		open_flow(x);
		return true;
	}
	if (f->kind != KIND_REFUSED) {
		if (f->class == CLASS_ENDED)
			return false;
		crossing_touch_flow(x);
		crossing_accept(x, R_ALLOWED);
		return true;
	}
	if (x->d.tcp_flags & TCP_RST) { /* an end that believed the reset says so */
		crossing_accept(x, R_HANDSHAKE);
		return true;
	}
	crossing_reset(x, true);
	crossing_touch_flow(x);
	crossing_drop(x, (enum reason)f->reason);
	return true;
}

/*
 * Multipath TCP lets one stream of data flow over several connections, of which each is seen alone. The kernel's rules take it
 * out of each SYN. Where they cannot (Linux before 5.18) a client may offer it: most servers of commands do not know it, and
 * their plain answer settles it without delay. A server that takes the offer is told that nothing comes of it, and the
 * client's next SYNs pass only without.
 */
static bool refuse_multipath(struct crossing *x)
{
	bool answer = (x->d.tcp_flags & TCP_ACK) != 0;

	if (!x->d.multipath || !(x->d.tcp_flags & TCP_SYN) || !crossing_has_commands_lane(x) || crossing_is_observed(x))
		return false;
	if (!answer && !x->d.joins && (x->f == NULL || !x->f->one_path))
		return false;
	crossing_refuse(x, R_MULTIPATH);
	if (answer && x->dir == DIR_S2C && x->f != NULL && x->f->stream.state == TCP_SYN_SENT && !x->f->one_path) {
		x->f->one_path = true;
		crossing_reset_server(x);
	}
	return true;
}

/*
 * Text in a reset is read by people, if by anybody. No byte passes that nobody judges, so the packet does not; but what it says is
 * said to both ends without the text, when its receiver would have believed it.
 */
static void refuse_text(struct crossing *x)
{
	x->d.payload = bytes_of(NULL, 0);
	if (x->f->kind == KIND_FOLLOWED && !x->f->waiting_pick_up && x->f->stream.state != TCP_CLOSED)
		stream_segment(&x->f->stream, &x->i->pool, x->dir, &x->d);
	crossing_refuse(x, R_TCP_FLAGS);
	if (x->f->stream.state == TCP_CLOSED && !x->f->told_end) {
		crossing_reset(x, false);
		crossing_tell_closed(x);
	}
}

void crossing_judge_tcp(struct crossing *x)
{
	enum reason r = stream_flags(&x->d);
	bool syn = (x->d.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

	if (r == R_SYN_DATA &&
	    crossing_is_observed(x)) { /* only its server knows whether it took them: see open_flow */
		event_tell_drop(x, EV_OBSERVE, r);
		r = R_NONE;
	}
	if (r != R_NONE) {
		crossing_refuse(x, r);
		return;
	}
	x->fi = flow_find(&x->i->flows, &x->d, &x->dir);
	if (x->fi == FLOW_NONE) {
		if (refuse_multipath(x))
			return;
		if (!syn && (x->d.tcp_flags & TCP_RST)) {
			if (x->d.payload.left > 0)
				crossing_refuse(x, R_TCP_FLAGS);
			else
				crossing_accept(x, R_HANDSHAKE);
			return;
		}
		if (!crossing_add_flow(x, syn ? DIR_C2S : crossing_guess_dir(x)))
			return;
		if (syn) {
			open_flow(x);
			return;
		}
		x->f->waiting_pick_up = x->f->midstream = true;
		if ((x->i->forgot[crossing_share(x)] || !crossing_tells_ends(x)) && crossing_refuse_pick_up(x))
			return;
	} else {
		bool followed_it;

		x->f = flow_at(&x->i->flows, x->fi);
		if (!crossing_relabel_flow(x) || refuse_multipath(x))
			return;
		if ((x->d.tcp_flags & TCP_RST) && x->d.payload.left > 0 && !crossing_is_lenient(x)) {
			refuse_text(x);
			return;
		}
		if (x->i->limits.as_captured && (syn || (x->d.tcp_flags & TCP_RST)))
			wait_give_up(x->i, x->fi); /* nothing of what ends here will follow any more */
		if (decide_settled(x, syn))
			return;
		if (x->f->class == CLASS_ENDED && x->f->stream.state != TCP_CLOSED) {
			/* Long silent and forgotten, not closed: nobody knows any more where its stream stands. */
			followed_it = !x->f->waiting_pick_up && x->f->kind == KIND_FOLLOWED;
			crossing_restart_flow(x, syn ? DIR_C2S : crossing_guess_dir(x));
			if (syn) {
				open_flow(x);
				return;
			}
			x->f->waiting_pick_up = x->f->midstream = true;
			if (followed_it && crossing_refuse_pick_up(x))
				return;
		} else if (x->f->waiting_pick_up && syn) {
			if (x->dir == DIR_S2C) { /* as in a session that is followed */
				crossing_refuse(x, R_TCP_FLAGS);
				return;
			}
			crossing_restart_flow(x, DIR_C2S);
			open_flow(x);
			return;
		}
	}
	if (x->d.multipath && x->f->waiting_pick_up && crossing_has_commands_lane(x) && !crossing_is_lenient(x)) {
		/* Begun where nobody took the option out: its order is not that of its numbers. */
		crossing_refuse_flow(x, R_MULTIPATH, PROTO_NONE);
		return;
	}
	crossing_follow(x);
	if (x->f != NULL && x->f->first_wait != SLOT_NONE)
		wait_release(x->i, x->fi, x->dir, x->p->frame);
}
