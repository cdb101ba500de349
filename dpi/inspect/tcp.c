/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP: what the stream gate says about a segment, and what follows from it for the flow.
 *
 * A followed flow goes through the gate byte by byte; midstream.c has those whose place is not known. A flow whose protocol is known on a lane for naming only is let go.
 */
#include <string.h>

#include "dpi/inspect/core.h"
#include "dpi/inspect/enforcers.h"

void look_end_closed(struct look *l)
{
	if (l->f->stream.state == TCP_CLOSED && !l->f->told_end)
		flow_end(l->i, l->fi);
}

/* ---- new bytes --------------------------------------------------------------------------------------------------- */

void look_pass_bytes(struct look *l, const struct stream_result *s, size_t unjudged, enum reason r)
{
	/* Room was asked for before anything was judged. */
	if (!stream_commit(&l->f->stream, &l->i->pool, l->dir, s->fresh, s->fin, unjudged)) {
		look_refuse(l, R_POOL_FULL);
		return;
	}
	l->f->gave_up[l->dir] = 0;
	look_touch(l);
	if (reason_kind(r) == REASON_PASS || r == R_MIDSTREAM_WAIT)
		look_accept(l, r);
	else
		look_drop(l, r); /* a capture goes on behind what would have been refused */
}

/* Bytes of this direction were missed: whether it can be read again from here. If not, the packet is decided. */
static bool takes_up(struct look *l, struct stream_result *s, bool turned)
{
	const struct enforcer *e = l->f->commands->enforcer;
	const struct stream_dir *server = &l->f->stream.dir[DIR_S2C];

	if (l->i->limits.as_captured) {
		if (!look_search(l, s, turned))
			return false;
	} else if (l->d.payload.left != s->fresh.left || !commands_whole(e, l->dir, s->fresh) ||
		   (l->dir == DIR_C2S && !l->f->adrift[DIR_S2C] && l->d.ack != server->next)) {
		if (look_wait_for_boundary(l))
			look_pass_bytes(l, s, 0, R_MIDSTREAM_WAIT);
		return false;
	} else {
		event_flow(l, EV_ALLOW, R_PICKED_UP, (enum protocol)l->f->protocol);
	}
	stream_frame(&l->f->stream, l->dir);
	l->f->adrift[l->dir] = false;
	l->f->unjudged = 0;
	l->f->missed = l->f->adrift[l->dir == DIR_C2S ? DIR_S2C : DIR_C2S];
	return true;
}

/*
 * The judge of one segment. When requests are too many at a time, nothing of it is remembered: it waits for its turn, which comes
 * when its sender repeats it and others have been answered. One that would be too many alone need not wait, nor what was
 * ahead of a gap and is with its receiver already.
 */
static struct judged judge_in_turn(struct look *l, struct bytes fresh)
{
	struct command_state *c = l->f->commands;
	_Alignas(16) uint8_t before[ENFORCER_STATE_MAX];
	struct judged j;

	memcpy(before, c->state, c->enforcer->state_size);
	j = look_judge(l, fresh);
	if (!j.later)
		return j;
	counts_keep(l->i, c, false);
	memset(c->state, 0, c->enforcer->state_size);
	l->crowded = look_judge(l, fresh).later;
	counts_keep(l->i, c, false);
	memcpy(c->state, before, c->enforcer->state_size);
	return l->crowded ? look_judge(l, fresh) : j;
}

static void judge_commands(struct look *l, struct stream_result *s)
{
	struct command_state *c = l->f->commands;
	bool turned = l->f->turn != l->dir;
	struct judged j;

	l->f->turn = (uint8_t)l->dir;
	if (l->f->adrift[l->dir] && !takes_up(l, s, turned))
		return;
	j = judge_in_turn(l, s->fresh);
	if (j.later) {
		counts_keep(l->i, c, false);
		look_refuse(l, j.reason);
		return;
	}
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
		commands_miss(l->f, l->dir == DIR_C2S);
	}
	look_pass_bytes(l, s, j.unjudged, !j.denied ? R_ALLOWED : look_observes(l) ? R_OBSERVED : j.reason);
}

static void judge_name(struct look *l, struct stream_result *s)
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
	look_pass_bytes(l, s, keep ? stream_carry(&l->f->stream, l->dir) + s->fresh.left : 0, n.reason);
}

#define WAYS_MAX 4u /* sessions that give way to one segment */

static bool make_room(struct look *l, size_t n)
{
	bool fits = stream_room(&l->f->stream, &l->i->pool, l->dir, n);

	for (unsigned ways = 0; !fits && ways < WAYS_MAX && look_make_way(l, n); ways++)
		fits = stream_room(&l->f->stream, &l->i->pool, l->dir, n);
	return fits;
}

static void take_new(struct look *l, struct stream_result *s)
{
	if (!stream_join(&l->f->stream, &l->i->pool, l->dir, s->fin, &s->fresh, l->i->segment_room)) {
		look_refuse_flow(l, R_OVERLAP, PROTO_NONE);
		return;
	}
	if (!make_room(l, s->fresh.left)) {
		if (look_lenient(l))
			look_lose_track(l);
		else
			look_refuse(l, R_POOL_FULL);
		return;
	}
	if (s->fresh.left == 0)
		look_pass_bytes(l, s, stream_carry(&l->f->stream, l->dir), R_HANDSHAKE);
	else if (l->f->commands == NULL)
		judge_name(l, s);
	else if (s->fresh.left == l->d.payload.left || look_repeat(l)) /* what it begins with may have passed before */
		judge_commands(l, s);
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static void open_flow(struct look *l)
{
	enum protocol p;

	l->dir = DIR_C2S;
	stream_open(&l->f->stream, DIR_C2S, &l->d);
	l->f->waiting_pick_up = l->f->midstream = l->d.payload.left > 0;
	p = permit_only_commands(l);
	if (p != PROTO_NONE && !look_enforce(l, p)) {
		look_refuse(l, R_OVERLOADED);
		return;
	}
	look_touch(l);
	look_accept(l, R_HANDSHAKE);
}

static void follow(struct look *l);

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
		follow(l);
}

static void follow(struct look *l)
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
		if (l->d.payload.left > 0 && !look_repeat(l))
			return;
		look_touch(l);
		look_accept(l, s.reason);
		look_end_closed(l);
		return;
	case STREAM_NEW:
		take_new(l, &s);
		return;
	case STREAM_AHEAD:
		if (!look_go_on_at(l))
			look_come_ahead(l);
		return;
	case STREAM_LOST:
		if (l->i->limits.as_captured && s.data && look_acknowledges_unseen(l)) {
			look_wait(l); /* captured out of order: what it acknowledges may follow */
		} else if (l->i->limits.as_captured) {
			l->d.tcp_flags &= (uint8_t)~TCP_ACK;
			follow(l);
		} else if (look_go_on_behind(l)) {
			return;
		} else if (look_lenient(l)) {
			look_tcp_gap(l);
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
		look_meet_half_way(l);
	else
		follow(l);
}

/* A flow that was refused, or let go of, and is here again. True when the packet is decided. */
static bool decide_settled(struct look *l, bool syn)
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

/*
 * Multipath TCP lets one stream of data flow over several connections, of which each is seen alone. A client may offer it:
 * most servers of commands do not know it, and their plain answer settles it without delay. A server that takes the offer is
 * told that nothing comes of it, and the client's next SYNs pass only without.
 */
static bool refuse_multipath(struct look *l)
{
	bool answer = (l->d.tcp_flags & TCP_ACK) != 0;

	if (!l->d.multipath || !look_commands_lane(l) || look_observes(l))
		return false;
	if (!answer && !l->d.joins && (l->f == NULL || !l->f->one_path))
		return false;
	look_refuse(l, R_MULTIPATH);
	if (answer && l->dir == DIR_S2C && l->f != NULL && l->f->stream.state == TCP_SYN_SENT && !l->f->one_path) {
		l->f->one_path = true;
		look_reset_server(l);
	}
	return true;
}

/*
 * Text in a reset is read by people, if by anybody. No byte passes that nobody judges, so the packet does not; but what it says is
 * said to both ends without the text, when its receiver would have believed it.
 */
static void refuse_text(struct look *l)
{
	l->d.payload = bytes_of(NULL, 0);
	if (l->f->kind == KIND_FOLLOWED && !l->f->waiting_pick_up && l->f->stream.state != TCP_CLOSED)
		stream_segment(&l->f->stream, &l->i->pool, l->dir, &l->d);
	look_refuse(l, R_TCP_FLAGS);
	if (l->f->stream.state == TCP_CLOSED && !l->f->told_end) {
		look_reset(l, false);
		look_end_closed(l);
	}
}

void look_tcp(struct look *l)
{
	enum reason r = stream_flags(&l->d);
	bool syn = (l->d.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

	if (r == R_SYN_DATA && look_observes(l)) { /* only its server knows whether it took them: see open_flow */
		event_drop(l, EV_OBSERVE, r);
		r = R_NONE;
	}
	if (r != R_NONE) {
		look_refuse(l, r);
		return;
	}
	l->fi = flow_find(&l->i->flows, &l->d, &l->dir);
	if (l->fi == FLOW_NONE) {
		if (refuse_multipath(l))
			return;
		if (!syn && (l->d.tcp_flags & TCP_RST)) {
			if (l->d.payload.left > 0)
				look_refuse(l, R_TCP_FLAGS);
			else
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
		if ((l->i->forgot[look_share(l)] || !look_tells_ends(l)) && look_refuse_pick_up(l))
			return;
	} else {
		bool followed_it;

		l->f = flow_at(&l->i->flows, l->fi);
		if (!look_relabel(l) || refuse_multipath(l))
			return;
		if ((l->d.tcp_flags & TCP_RST) && l->d.payload.left > 0 && !look_lenient(l)) {
			refuse_text(l);
			return;
		}
		if (l->i->limits.as_captured && (syn || (l->d.tcp_flags & TCP_RST)))
			wait_give_up(l->i, l->fi); /* nothing of what ends here will follow any more */
		if (decide_settled(l, syn))
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
			if (followed_it && look_refuse_pick_up(l))
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
