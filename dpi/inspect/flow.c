/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dpi/inspect/core.h"

void flow_info_of(const struct flow *f, struct flow_info *ret)
{
	*ret = (struct flow_info){
		.client = f->client,
		.server = f->server,
		.client_port = f->client_port,
		.server_port = f->server_port,
		.l4proto = f->l4proto,
		.n = f->n,
		.permit = f->permit,
		.lane = f->lane,
		.protocol = (enum protocol)f->protocol,
		.midstream = f->midstream,
		.bad_checksum = f->bad_checksum,
		.lost_place = f->lost_place,
		.unread = f->unread,
	};
}

void look_touch(struct look *l)
{
	const struct flow *f = l->f;
	enum flow_class class = CLASS_LIVE;

	if (f->kind == KIND_REFUSED || f->l4proto != IP_TCP)
		class = CLASS_DATAGRAM;
	else if (f->class == CLASS_ENDED && f->told_end)
		class = CLASS_ENDED;
	else if (f->kind == KIND_NAMED || f->kind == KIND_FREE)
		class = CLASS_NAMED;
	else if (!f->waiting_pick_up && f->stream.state != TCP_OPEN)
		class = CLASS_HALF_OPEN;
	else if (!f->waiting_pick_up && f->stream.dir[0].offset == 0 && f->stream.dir[1].offset == 0)
		class = CLASS_SILENT;
	flow_touch(&l->i->flows, l->fi, class, l->i->now_ns);
}

void flow_release(struct inspector *i, uint32_t fi)
{
	struct flow *f = flow_at(&i->flows, fi);

	stream_free(&f->stream, &i->pool);
	if (f->name_slot != SLOT_NONE)
		name_close(i->namer, f->name_slot);
	f->name_slot = SLOT_NONE;
	if (f->commands != NULL) {
		counts_write(i, f->commands);
		command_state_free(i, f->commands);
	}
	f->commands = NULL;
}

void flow_end(struct inspector *i, uint32_t fi)
{
	struct flow *f = flow_at(&i->flows, fi);
	struct flow_info info;

	wait_drop(i, fi, R_OUT_OF_ORDER);
	if (i->limits.as_captured)
		search_end(i, f);
	flow_release(i, fi);
	if (!f->told_end) {
		f->told_end = true;
		flow_info_of(f, &info);
		outside_flow(&info, (enum event_verdict)f->verdict,
			     f->reason == R_NONE ? R_ALLOWED : (enum reason)f->reason, f->refused_frame);
	}
	flow_touch(&i->flows, fi, CLASS_ENDED, i->now_ns);
}

bool look_tells_ends(const struct look *l)
{
	return l->p->directed || l->d.l4proto != IP_TCP ||
	       number_in(&l->i->table, &l->permit->ports, l->d.dport) !=
		       number_in(&l->i->table, &l->permit->ports, l->d.sport);
}

enum direction look_guess_dir(const struct look *l)
{
	bool to_server, from_server;

	if (l->p->directed)
		return l->p->mark & MARK_REPLY ? DIR_S2C : DIR_C2S;
	if (l->d.l4proto != IP_TCP && l->d.l4proto != IP_UDP)
		return DIR_C2S;
	to_server = l->permit == NULL || number_in(&l->i->table, &l->permit->ports, l->d.dport);
	from_server = l->permit == NULL || number_in(&l->i->table, &l->permit->ports, l->d.sport);
	if (to_server != from_server)
		return to_server ? DIR_C2S : DIR_S2C;
	/* Both or neither: of a datagram the first sender opens; of a session met half-way the lower port serves. */
	return l->d.l4proto == IP_TCP && l->d.sport < l->d.dport ? DIR_S2C : DIR_C2S;
}

/* Its lane may be of another share than it was; what it holds goes along. */
static void change_share(struct look *l)
{
	struct inspector *i = l->i;

	if (l->f->share == look_share(l))
		return;
	flow_move(&i->flows, l->fi, look_share(l));
	wait_move(i, l->fi);
	stream_move(&l->f->stream, &i->pool, l->f->holder);
}

/* A flow of this permit, before anything is known about it. */
static void begin(struct look *l)
{
	struct flow *f = l->f;

	f->permit = l->permit != NULL ? l->permit->permit : mark_permit(l->p->mark);
	f->lane = l->lane;
	change_share(l);
	f->queue = l->p->queue;
	f->table_turn = l->i->table_turn;
	f->verdict = EV_ALLOW;
	if (l->p->connection != 0)
		f->n = l->p->connection;
}

bool look_try_flow(struct look *l, enum direction dir)
{
	struct flow_table *t = &l->i->flows;

	uint32_t share = look_share(l);

	/* A share that got smaller comes down to its part by two for each newcomer. */
	for (unsigned n = 0; n < 2 && flow_full(t, share); n++) {
		uint32_t victim = flow_victim(t, share, l->i->now_ns);
		const struct flow *v;

		if (victim == FLOW_NONE && n == 0)
			return false;
		if (victim == FLOW_NONE)
			break;
		v = flow_at(t, victim);
		if (v->l4proto == IP_TCP && !v->stream.over)
			l->i->forgot[v->share] = true;
		flow_end(l->i, victim);
		flow_remove(t, victim);
	}
	l->fi = flow_add(t, &l->d, dir, share, l->i->now_ns);
	if (l->fi == FLOW_NONE)
		return false;
	l->f = flow_at(t, l->fi);
	l->dir = dir;
	begin(l);
	return true;
}

bool look_new_flow(struct look *l, enum direction dir)
{
	if (look_try_flow(l, dir))
		return true;
	look_refuse(l, R_OVERLOADED);
	return false;
}

void look_restart(struct look *l, enum direction dir)
{
	struct flow *f = l->f;

	flow_end(l->i, l->fi);
	if (dir != l->dir) { /* the ends change places */
		struct addr a = f->client;
		uint16_t port = f->client_port;

		f->client = f->server;
		f->client_port = f->server_port;
		f->server = a;
		f->server_port = port;
	}
	f->n++;
	f->kind = KIND_FOLLOWED;
	f->waiting_pick_up = f->midstream = f->bad_checksum = f->told_end = false;
	f->protocol = PROTO_NONE;
	f->judge_again = false;
	f->reason = R_NONE;
	f->name_packets = 0;
	f->refused_frame = f->undecided = 0;
	f->reset_ns = 0;
	f->missed = false;
	memset(f->gave_up, 0, sizeof(f->gave_up));
	f->blind = f->unjudged = 0;
	memset(f->adrift, 0, sizeof(f->adrift));
	memset(f->prefix_len, 0, sizeof(f->prefix_len));
	memset(f->spoken, 0, sizeof(f->spoken));
	memset(&f->stream, 0, sizeof(f->stream));
	l->dir = dir;
	begin(l);
}

/* ---- permits ----------------------------------------------------------------------------------------------------- */

const struct command_grant *table_promises(const struct command_table *t, const struct command_permit *permit,
					   enum protocol p)
{
	for (uint32_t g = 0; g < permit->n_grants; g++) {
		const struct command_grant *grant = &t->grants[permit->first_grant + g];

		if (!grant->shadow && grant->protocol == p)
			return grant;
	}
	return NULL;
}

const struct command_grant *permit_promises(const struct inspector *i, const struct command_permit *permit,
					    enum protocol p)
{
	return table_promises(&i->table, permit, p);
}

static enum protocol anything_of(uint8_t l4proto)
{
	return l4proto == IP_TCP ? PROTO_TCP : l4proto == IP_UDP ? PROTO_UDP : PROTO_ICMP;
}

bool permit_any(const struct inspector *i, const struct command_permit *permit, uint8_t l4proto)
{
	return permit_promises(i, permit, anything_of(l4proto)) != NULL;
}

enum relabel relabel_rule(const struct flow *f, const struct command_table *t, const struct command_permit *permit)
{
	enum protocol p = (enum protocol)f->protocol;
	bool promised = table_promises(t, permit, anything_of(f->l4proto)) != NULL ||
			(p != PROTO_NONE && table_promises(t, permit, p) != NULL);

	if (f->kind == KIND_REFUSED || (f->kind == KIND_FOLLOWED && f->commands == NULL))
		return RELABEL_STAYS;
	if (!promised && p != PROTO_NONE)
		return RELABEL_ENDS;
	if (f->commands != NULL)
		return permit_commands_lane(permit) ? RELABEL_STAYS : RELABEL_CONFIRMS;
	/* It was let go of before; a permit that looks inside meets it half-way. */
	if (!promised || (permit_commands_lane(permit) && protocol_info(p)->depth == DEPTH_COMMANDS))
		return RELABEL_HALF_WAY;
	return RELABEL_STAYS;
}

bool look_relabel(struct look *l)
{
	struct flow *f = l->f;

	f->queue = l->p->queue;
	if (f->permit == l->permit->permit && f->table_turn == l->i->table_turn)
		return true;
	f->permit = l->permit->permit;
	f->lane = l->lane;
	f->table_turn = l->i->table_turn;
	change_share(l);
	f->judge_again = true;
	switch (relabel_rule(f, &l->i->table, l->permit)) {
	case RELABEL_STAYS:
		break;
	case RELABEL_ENDS:
		look_refuse_flow(l, R_ENDED, PROTO_NONE);
		return false;
	case RELABEL_CONFIRMS:
		look_confirm(l, (enum protocol)f->protocol);
		break;
	case RELABEL_HALF_WAY:
		f->kind = KIND_FOLLOWED;
		if (f->l4proto == IP_TCP) {
			f->waiting_pick_up = f->midstream = true;
			memset(&f->stream, 0, sizeof(f->stream));
		}
		break;
	}
	return true;
}

/* ---- the end by decision ----------------------------------------------------------------------------------------- */

/* What the flow itself knows of a direction: numbers of a stream that was followed to this packet. */
static bool knows(const struct flow *f)
{
	return !f->waiting_pick_up && f->kind != KIND_NAMED && f->kind != KIND_FREE && f->stream.dir[DIR_C2S].known;
}

void look_reset(struct look *l, bool by_packet)
{
	const struct decoded *d = &l->d;
	struct flow *f = l->f;
	struct reset_side own, peer;
	struct reset_record r;
	bool acks = (d->tcp_flags & TCP_ACK) != 0, guessed = true, paused;
	uint32_t covers = (uint32_t)d->payload.left + ((d->tcp_flags & TCP_FIN) != 0);

	if (d->l4proto != IP_TCP)
		return;
	paused = f != NULL && f->reset_ns != 0 && l->i->now_ns - f->reset_ns < RESET_PAUSE_NS;
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
		const struct stream_dir *from = &f->stream.dir[l->dir];
		const struct stream_dir *to = &f->stream.dir[l->dir == DIR_C2S ? DIR_S2C : DIR_C2S];

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
		if (!acks || d->ack == f->reset_seq[l->dir])
			return;
		own.seq = d->ack;
		peer.valid = 0;
	}
	r = (struct reset_record){
		.client = l->dir == DIR_C2S ? d->src : d->dst,
		.server = l->dir == DIR_C2S ? d->dst : d->src,
		.client_port = l->dir == DIR_C2S ? d->sport : d->dport,
		.server_port = l->dir == DIR_C2S ? d->dport : d->sport,
		.lane = l->lane,
		.stray = l->p->mark == MARK_STRAY,
		.queue = l->p->queue,
		.to_client = l->dir == DIR_C2S ? own : peer,
		.to_server = l->dir == DIR_C2S ? peer : own,
	};
	if (!r.to_client.valid && !r.to_server.valid)
		return;
	if (f != NULL) {
		f->reset_ns = l->i->now_ns;
		f->reset_seq[l->dir] = own.seq;
		if (peer.valid)
			f->reset_seq[l->dir == DIR_C2S ? DIR_S2C : DIR_C2S] = peer.seq;
	}
	l->i->stats.resets++;
	outside_reset(&r);
	if (!by_packet)
		again_note(l, &r);
	/* A repetition of what the other end has already begins before that number: then it expects what follows. */
	if (!guessed || covers == 0 || !peer.valid)
		return;
	peer.seq += covers;
	own.valid = 0;
	r.to_client = l->dir == DIR_C2S ? own : peer;
	r.to_server = l->dir == DIR_C2S ? peer : own;
	outside_reset(&r);
}

void look_reset_server(struct look *l)
{
	const struct decoded *d = &l->d;
	const struct reset_record r = {
		.client = d->dst,
		.server = d->src,
		.client_port = d->dport,
		.server_port = d->sport,
		.lane = l->lane,
		.queue = l->p->queue,
		.to_server = { .seq = d->ack, .ack = d->seq + 1u, .with_ack = 1, .valid = 1 },
	};

	if (l->i->limits.as_captured)
		return;
	l->i->stats.resets++;
	outside_reset(&r);
}

/* The first refusal is the flow's verdict, unless it was only observed; later ones are only counted. */
static void note(struct look *l, enum event_verdict v, enum reason r, enum protocol speaks)
{
	struct flow *f = l->f;
	struct flow_info info;

	event_flow(l, v, r, speaks);
	if (f->verdict == EV_DENY || (f->verdict == EV_OBSERVE && v != EV_DENY))
		return;
	f->verdict = (uint8_t)v;
	f->reason = (uint16_t)r;
	f->refused_frame = l->p->frame;
	flow_info_of(f, &info);
	outside_flow(&info, v, r, l->p->frame);
}

void look_note_refusal(struct look *l, enum reason r, enum protocol speaks)
{
	if (l->f->verdict == EV_ALLOW)
		note(l, look_observes(l) ? EV_OBSERVE : EV_DENY, r, speaks);
}

static void end_flow(struct look *l, enum reason r)
{
	note(l, EV_DENY, r, PROTO_NONE);
	l->f->kind = KIND_REFUSED;
	wait_drop(l->i, l->fi, r);
	flow_release(l->i, l->fi);
	look_touch(l);
}

void look_cut_flow(struct look *l, enum reason r)
{
	bool again = l->f != NULL && l->f->kind == KIND_REFUSED;

	look_reset(l, again);
	if (l->f != NULL && !again)
		end_flow(l, r);
	look_drop(l, r);
}

void look_cut_idle(struct look *l, enum reason r)
{
	const struct flow *f = l->f;

	if (f->kind == KIND_REFUSED || !knows(f) || !f->stream.dir[DIR_S2C].known)
		return;
	look_reset(l, false);
	end_flow(l, r);
}

void look_refuse_flow(struct look *l, enum reason r, enum protocol speaks)
{
	struct flow *f = l->f;

	if (speaks != PROTO_NONE && f->protocol == PROTO_NONE)
		f->protocol = (uint16_t)speaks;
	if (look_observes(l)) {
		note(l, EV_OBSERVE, r, speaks);
		f->kind = KIND_FREE;
		wait_drop(l->i, l->fi, r);
		flow_release(l->i, l->fi);
		look_touch(l);
		look_accept(l, R_OBSERVED);
		return;
	}
	look_reset(l, false);
	note(l, EV_DENY, r, speaks);
	f->kind = KIND_REFUSED;
	wait_drop(l->i, l->fi, r);
	flow_release(l->i, l->fi);
	look_touch(l);
	look_drop(l, r);
}

void look_confirm(struct look *l, enum protocol p)
{
	struct flow *f = l->f;
	struct flow_info info;

	f->protocol = (uint16_t)p;
	f->kind = p == PROTO_NONE ? KIND_FREE : KIND_NAMED;
	if (f->verdict == EV_ALLOW)
		f->reason = R_CONFIRMED;
	event_flow(l, EV_ALLOW, R_CONFIRMED, p);
	flow_info_of(f, &info);
	outside_flow(&info, EV_ALLOW, R_CONFIRMED, 0);
	wait_drop(l->i, l->fi, R_OUT_OF_ORDER);
	flow_release(l->i, l->fi);
	look_touch(l);
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
	struct look l = { .i = i, .p = &p, .lane = f->lane, .fi = fi, .f = f, .dir = DIR_C2S };

	l.permit = commands_permit(&i->table, f->permit);
	l.d = (struct decoded){ .src = f->client,
				.dst = f->server,
				.sport = f->client_port,
				.dport = f->server_port,
				.l4proto = f->l4proto };
	if (look_lenient(&l)) {
		wait_drop(i, fi, R_POOL_FULL);
		stream_free(&f->stream, &i->pool);
		f->waiting_pick_up = f->midstream = true;
		note(&l, EV_OBSERVE, R_POOL_FULL, PROTO_NONE);
		return;
	}
	look_reset(&l, false);
	note(&l, EV_DENY, R_POOL_FULL, PROTO_NONE);
	f->kind = KIND_REFUSED;
	wait_drop(i, fi, R_POOL_FULL);
	flow_release(i, fi);
	look_touch(&l);
}

bool look_make_way(struct look *l, size_t bytes)
{
	struct inspector *i = l->i;
	const struct holder *all = i->flows.holders.holders;
	uint32_t h = share_greediest(&i->flows.holders, l->f->share, HELD_BLOCKS), fi;

	if (i->limits.as_captured || h == HOLDER_NONE ||
	    all[h].held[HELD_BLOCKS] <= all[l->f->holder].held[HELD_BLOCKS] + bytes / POOL_BLOCK)
		return false;
	for (unsigned n = 0; n < WAY_LOOKS; n++) {
		fi = flow_heaviest(&i->flows, h, keeps);
		if (fi == FLOW_NONE || fi == l->fi)
			return false;
		if (keeps(flow_at(&i->flows, fi)) > 0) {
			give_way(i, fi);
			return true;
		}
	}
	return false; /* its next packet looks on */
}
