/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/reset.h"

#include <stdlib.h>

#define RESET_PAUSE_NS 20000000ull /* shortest time between two resets of a refused flow */
#define AGAIN_PLACES 4096u
#define AGAIN_NS 300000000ull /* time between two repetitions of the same reset */
/*
 * Resets that are repeated at once before a pause. On a machine with one core, the kernel sends the
 * gate's packets only when no process of the box needs the core (Linux before 6.3), and queues at
 * most about 270 packets until then.
 */
#define AGAIN_AT_ONCE 32u
#define AGAIN_PAUSE_NS 1000000ull
/*
 * Bytes may have passed unseen (the rules were removed for a moment). An end that has more bytes
 * than the reset says does not even answer. A number ahead of what the end has, within its window,
 * makes it send the number that it expects (RFC 5961, 3.2).
 */
#define ASK_AHEAD 512u
/* repetitions of a reset; if one packet in three is lost, one end in 1.5 million gets no reset */
#define AGAIN_TIMES 12u

/* A reset that is repeated. */
struct again {
	struct reset_record r;
	uint64_t due_ns;
	uint32_t flow, n; /* not repeated once another connection has taken the flow's slot */
	uint8_t left;
};

struct resets {
	uint64_t n;
	struct again again[AGAIN_PLACES]; /* a ring, in the order in which they are due */
	uint32_t first, waiting;
	uint64_t resume_ns; /* no reset is repeated before this time */
};

struct resets *resets_new(void)
{
	return calloc(1, sizeof(struct resets));
}

void resets_free(struct resets *s)
{
	free(s);
}

uint64_t resets_count(const struct resets *s)
{
	return s->n;
}

/* ---- repeated resets ------------------------------------------------------------------------- */

static void put_again(struct resets *s, const struct again *a)
{
	s->again[(s->first + s->waiting++) % AGAIN_PLACES] = *a;
}

static void note_again(struct crossing *x, const struct reset_record *r)
{
	struct resets *s = x->i->resets;

	if (x->f == NULL || s->waiting == AGAIN_PLACES)
		return;
	put_again(
		s,
		&(struct again){
			.r = *r, .due_ns = x->i->now_ns + AGAIN_NS, .flow = x->fi, .n = x->f->n, .left = AGAIN_TIMES });
}

/* Repeats a reset with the known numbers. Every second time, sends another reset, at which the ends
 * send the numbers that they expect (ASK_AHEAD). */
static void say_again(struct inspector *i, const struct again *a)
{
	struct reset_record r = a->r;

	outside_reset(&i->limits.outside, &r);
	if (a->left % 2u == AGAIN_TIMES % 2u)
		return;
	r.to_client.seq += ASK_AHEAD;
	r.to_server.seq += ASK_AHEAD;
	outside_reset(&i->limits.outside, &r);
}

void resets_send_due(struct inspector *i)
{
	struct resets *s = i->resets;
	uint32_t said = 0;

	if (i->now_ns < s->resume_ns)
		return;
	while (s->waiting > 0 && s->again[s->first].due_ns <= i->now_ns) {
		struct again a = s->again[s->first];
		const struct flow *f = flow_at(&i->flows, a.flow);

		s->first = (s->first + 1u) % AGAIN_PLACES;
		s->waiting--;
		if (f->n != a.n || f->kind != KIND_REFUSED)
			continue;
		say_again(i, &a);
		if (--a.left > 0) {
			a.due_ns = i->now_ns + AGAIN_NS;
			put_again(s, &a);
		}
		if (++said == AGAIN_AT_ONCE) {
			s->resume_ns = i->now_ns + AGAIN_PAUSE_NS;
			return;
		}
	}
}

uint64_t resets_next_due(const struct resets *s)
{
	uint64_t due = s->waiting > 0 ? s->again[s->first].due_ns : UINT64_MAX;

	return due < s->resume_ns ? s->resume_ns : due;
}

/* ---- sequence numbers of resets -------------------------------------------------------------- */

/* Whether the flow knows the numbers, because its stream was followed up to this packet. */
static bool knows(const struct flow *f)
{
	return !f->waiting_pick_up && f->kind != KIND_NAMED && f->kind != KIND_FREE && f->stream.dir[DIR_C2S].known;
}

void reset_both(struct crossing *x, bool by_packet)
{
	const struct decoded *d = &x->d;
	struct flow *f = x->f;
	struct reset_side own, peer;
	struct reset_record r;
	bool acks = (d->tcp_flags & TCP_ACK) != 0, guessed = true, paused;
	uint32_t covers = (uint32_t)d->payload.left + ((d->tcp_flags & TCP_FIN) != 0);

	if (d->l4proto != IP_TCP)
		return;
	paused = f != NULL && f->reset.ns != 0 && x->i->now_ns - f->reset.ns < RESET_PAUSE_NS;
	/*
	 * An end accepts exactly the number that it expects next. For the packet's sender, this is
	 * its acknowledgement; for the other end, it is the number of this packet, or, if the
	 * stream was followed, the next number of the stream.
	 */
	own = (struct reset_side){ .seq = acks ? d->ack : 0,
				   .ack = d->seq + ((d->tcp_flags & TCP_SYN) != 0),
				   .with_ack = 1,
				   .valid = acks || (d->tcp_flags & TCP_SYN) };
	peer = (struct reset_side){
		.seq = d->seq,
		.ack = d->ack,
		.with_ack = acks,
		/* A client whose SYN|ACK is dropped repeats its SYN. It is reset only in the cut
		 * lane, where its attempts would be in vain. */
		.valid = !(d->tcp_flags & TCP_SYN) || (acks && x->lane == LANE_CUT),
	};
	if (f != NULL && knows(f)) {
		const struct stream_dir *from = &f->stream.dir[x->dir];
		const struct stream_dir *to = &f->stream.dir[other_end(x->dir)];

		guessed = !from->known;
		if (from->known)
			peer = (struct reset_side){
				.seq = from->next, .ack = to->next, .with_ack = to->known, .valid = 1
			};
		/* The next number of the stream, unless the end itself acknowledges more. */
		if (to->known && !by_packet && !(acks && seq_diff(d->ack, to->next) > 0))
			own = (struct reset_side){ .seq = to->next, .ack = from->next, .with_ack = 1, .valid = 1 };
	}
	if (paused) {
		/* Soon after a reset, an end is answered only if it sends another number than the
		 * one in the reset: it did not accept the reset, and asks for the right number. */
		if (!acks || d->ack == f->reset.seq[x->dir])
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
		f->reset.ns = x->i->now_ns;
		f->reset.seq[x->dir] = own.seq;
		if (peer.valid)
			f->reset.seq[other_end(x->dir)] = peer.seq;
	}
	x->i->resets->n++;
	outside_reset(&x->i->limits.outside, &r);
	if (!by_packet)
		note_again(x, &r);
	/*
	 * If the packet repeats bytes that the other end has, the end expects a later number. If
	 * bytes before this packet never passed here, the other end may have them nevertheless.
	 */
	if (!peer.valid || (guessed ? covers == 0 : by_packet || !acks || seq_diff(d->seq, peer.seq) <= 0))
		return;
	peer.seq = guessed ? peer.seq + covers : d->seq;
	own.valid = 0;
	r.to_client = x->dir == DIR_C2S ? own : peer;
	r.to_server = x->dir == DIR_C2S ? peer : own;
	outside_reset(&x->i->limits.outside, &r);
}

void reset_server(struct crossing *x)
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

	x->i->resets->n++;
	outside_reset(&x->i->limits.outside, &r);
}

bool reset_knows_both(const struct flow *f)
{
	return knows(f) && f->stream.dir[DIR_S2C].known;
}
