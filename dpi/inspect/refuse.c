/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision about a flow as a whole: refused, cut, let go of, or made to give way. Whatever ends a TCP session tells both
 * of its ends; the first refusal is what is remembered of it.
 */
#include "dpi/inspect/core.h"

/* What the flow itself knows of a direction: numbers of a stream that was followed to this packet. */
static bool knows(const struct flow *f)
{
	return !f->waiting_pick_up && f->kind != KIND_NAMED && f->kind != KIND_FREE && f->stream.dir[DIR_C2S].known;
}

void crossing_reset(struct crossing *x, bool by_packet)
{
	const struct decoded *d = &x->d;
	struct flow *f = x->f;
	struct reset_side own, peer;
	struct reset_record r;
	bool acks = (d->tcp_flags & TCP_ACK) != 0, guessed = true, paused;
	uint32_t covers = (uint32_t)d->payload.left + ((d->tcp_flags & TCP_FIN) != 0);

	if (d->l4proto != IP_TCP)
		return;
	paused = f != NULL && f->reset_ns != 0 && x->i->now_ns - f->reset_ns < RESET_PAUSE_NS;
	/*
	 * An end believes exactly the number that it expects next. The packet's sender says it in its acknowledgement; for
	 * the other end it is where this packet starts, or what has passed when the stream was followed.
	 */
	own = (struct reset_side){ .seq = acks ? d->ack : 0,
				   .ack = d->seq + ((d->tcp_flags & TCP_SYN) != 0),
				   .with_ack = 1,
				   .valid = acks || (d->tcp_flags & TCP_SYN) };
	peer = (struct reset_side){
		.seq = d->seq, .ack = d->ack, .with_ack = acks, .valid = !(d->tcp_flags & TCP_SYN)
	};
	if (f != NULL && knows(f)) {
		const struct stream_dir *from = &f->stream.dir[x->dir];
		const struct stream_dir *to = &f->stream.dir[x->dir == DIR_C2S ? DIR_S2C : DIR_C2S];

		guessed = !from->known;
		if (from->known)
			peer = (struct reset_side){
				.seq = from->next, .ack = to->next, .with_ack = to->known, .valid = 1
			};
		if (to->known && !by_packet)
			own = (struct reset_side){ .seq = to->next, .ack = from->next, .with_ack = 1, .valid = 1 };
	}
	if (paused) {
		/* Soon after a reset only an end that says another number than it was given is answered: what went before
		 * was lost on the way to it, and it challenges. */
		if (!acks || d->ack == f->reset_seq[x->dir])
			return;
		own.seq = d->ack;
		peer.valid = 0;
	}
	r = (struct reset_record){
		.client = x->dir == DIR_C2S ? d->src : d->dst,
		.server = x->dir == DIR_C2S ? d->dst : d->src,
		.client_port = x->dir == DIR_C2S ? d->sport : d->dport,
		.server_port = x->dir == DIR_C2S ? d->dport : d->sport,
		.lane = x->lane,
		.stray = x->p->mark == MARK_STRAY,
		.queue = x->p->queue,
		.to_client = x->dir == DIR_C2S ? own : peer,
		.to_server = x->dir == DIR_C2S ? peer : own,
	};
	if (!r.to_client.valid && !r.to_server.valid)
		return;
	if (f != NULL) {
		f->reset_ns = x->i->now_ns;
		f->reset_seq[x->dir] = own.seq;
		if (peer.valid)
			f->reset_seq[x->dir == DIR_C2S ? DIR_S2C : DIR_C2S] = peer.seq;
	}
	x->i->stats.resets++;
	outside_reset(&r);
	if (!by_packet)
		again_note(x, &r);
	/* A repetition of what the other end has already begins before that number: then it expects what follows. */
	if (!guessed || covers == 0 || !peer.valid)
		return;
	peer.seq += covers;
	own.valid = 0;
	r.to_client = x->dir == DIR_C2S ? own : peer;
	r.to_server = x->dir == DIR_C2S ? peer : own;
	outside_reset(&r);
}

void crossing_reset_server(struct crossing *x)
{
	const struct decoded *d = &x->d;
	const struct reset_record r = {
		.client = d->dst,
		.server = d->src,
		.client_port = d->dport,
		.server_port = d->sport,
		.lane = x->lane,
		.queue = x->p->queue,
		.to_server = { .seq = d->ack, .ack = d->seq + 1u, .with_ack = 1, .valid = 1 },
	};

	if (x->i->limits.as_captured)
		return;
	x->i->stats.resets++;
	outside_reset(&r);
}

/* The first refusal is the flow's verdict, unless it was only observed; later ones are only counted. */
static void note(struct crossing *x, enum event_verdict v, enum reason r, enum protocol speaks)
{
	struct flow *f = x->f;
	struct flow_info info;

	event_tell_flow(x, v, r, speaks);
	if (f->verdict == EV_DENY || (f->verdict == EV_OBSERVE && v != EV_DENY))
		return;
	f->verdict = (uint8_t)v;
	f->reason = (uint16_t)r;
	f->refused_frame = x->p->frame;
	flow_info_of(f, &info);
	outside_flow(&info, v, r, x->p->frame);
}

void crossing_note_refusal(struct crossing *x, enum reason r, enum protocol speaks)
{
	if (x->f->verdict == EV_ALLOW)
		note(x, crossing_is_observed(x) ? EV_OBSERVE : EV_DENY, r, speaks);
}

static void end_flow(struct crossing *x, enum reason r)
{
	note(x, EV_DENY, r, PROTO_NONE);
	x->f->kind = KIND_REFUSED;
	wait_drop(x->i, x->fi, r);
	flow_release(x->i, x->fi);
	crossing_touch_flow(x);
}

void crossing_cut_flow(struct crossing *x, enum reason r)
{
	bool again = x->f != NULL && x->f->kind == KIND_REFUSED;

	crossing_reset(x, again);
	if (x->f != NULL && !again)
		end_flow(x, r);
	crossing_drop(x, r);
}

void crossing_cut_idle(struct crossing *x, enum reason r)
{
	const struct flow *f = x->f;

	if (f->kind == KIND_REFUSED || !knows(f) || !f->stream.dir[DIR_S2C].known)
		return;
	crossing_reset(x, false);
	end_flow(x, r);
}

void crossing_refuse_flow(struct crossing *x, enum reason r, enum protocol speaks)
{
	struct flow *f = x->f;

	if (speaks != PROTO_NONE && f->protocol == PROTO_NONE)
		f->protocol = (uint16_t)speaks;
	if (crossing_is_observed(x)) {
		note(x, EV_OBSERVE, r, speaks);
		f->kind = KIND_FREE;
		wait_drop(x->i, x->fi, r);
		flow_release(x->i, x->fi);
		crossing_touch_flow(x);
		crossing_accept(x, R_OBSERVED);
		return;
	}
	crossing_reset(x, false);
	note(x, EV_DENY, r, speaks);
	f->kind = KIND_REFUSED;
	wait_drop(x->i, x->fi, r);
	flow_release(x->i, x->fi);
	crossing_touch_flow(x);
	crossing_drop(x, r);
}

void crossing_confirm_flow(struct crossing *x, enum protocol p)
{
	struct flow *f = x->f;
	struct flow_info info;

	f->protocol = (uint16_t)p;
	f->kind = p == PROTO_NONE ? KIND_FREE : KIND_NAMED;
	if (f->verdict == EV_ALLOW)
		f->reason = R_CONFIRMED;
	event_tell_flow(x, EV_ALLOW, R_CONFIRMED, p);
	flow_info_of(f, &info);
	outside_flow(&info, EV_ALLOW, R_CONFIRMED, 0);
	wait_drop(x->i, x->fi, R_OUT_OF_ORDER);
	flow_release(x->i, x->fi);
	crossing_touch_flow(x);
}

/* ---- room in the pool -------------------------------------------------------------------------------------------- */

#define WAY_LOOKS 8u

static uint32_t keeps(const struct flow *f)
{
	return (uint32_t)stream_kept(&f->stream) + f->wait_bytes;
}

/* Its kept bytes are given back, so nobody can compare any more what it repeats: it ends, and both ends hear it. */
static void give_way(struct inspector *i, uint32_t fi)
{
	struct flow *f = flow_at(&i->flows, fi);
	struct packet p = { .queue = f->queue, .mark = mark_make(f->permit, f->lane, MARK_UNJUDGED) };
	struct crossing x = { .i = i, .p = &p, .lane = f->lane, .fi = fi, .f = f, .dir = DIR_C2S };

	x.permit = commands_permit(&i->table, f->permit);
	x.d = (struct decoded){ .src = f->client,
				.dst = f->server,
				.sport = f->client_port,
				.dport = f->server_port,
				.l4proto = f->l4proto };
	if (crossing_is_lenient(&x)) {
		wait_drop(i, fi, R_POOL_FULL);
		stream_free(&f->stream, &i->pool);
		f->waiting_pick_up = f->midstream = true;
		note(&x, EV_OBSERVE, R_POOL_FULL, PROTO_NONE);
		return;
	}
	crossing_reset(&x, false);
	note(&x, EV_DENY, R_POOL_FULL, PROTO_NONE);
	f->kind = KIND_REFUSED;
	wait_drop(i, fi, R_POOL_FULL);
	flow_release(i, fi);
	crossing_touch_flow(&x);
}

bool crossing_make_room(struct crossing *x, size_t bytes)
{
	struct inspector *i = x->i;
	const struct holder *all = i->flows.holders.holders;
	uint32_t h = share_greediest(&i->flows.holders, x->f->share, HELD_BLOCKS), fi;

	if (i->limits.as_captured || h == HOLDER_NONE ||
	    all[h].held[HELD_BLOCKS] <= all[x->f->holder].held[HELD_BLOCKS] + bytes / POOL_BLOCK)
		return false;
	for (unsigned n = 0; n < WAY_LOOKS; n++) {
		fi = flow_heaviest(&i->flows, h, keeps);
		if (fi == FLOW_NONE || fi == x->fi)
			return false;
		if (keeps(flow_at(&i->flows, fi)) > 0) {
			give_way(i, fi);
			return true;
		}
	}
	return false; /* its next packet looks on */
}
