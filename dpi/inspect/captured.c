/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/captured.h"

#include "dpi/inspect/midstream.h"

/* A SYN that fits no stream: what it belongs to is not in the capture. */
static bool fits_nothing(struct crossing *x)
{
	struct stream tried = x->f->stream;

	return stream_segment(&tried, &x->i->pool, x->dir, &x->d).answer == STREAM_DROP;
}

static bool is_open(const struct crossing *x)
{
	const struct stream *s = &x->f->stream;

	return s->state == TCP_OPEN ||
	       (s->state == TCP_SYN_RECV && x->dir == DIR_C2S && x->d.ack == s->dir[DIR_S2C].next);
}

/* Bytes before it are missing. Numbers far ahead are nobody's. */
static bool is_behind_gap(const struct crossing *x)
{
	const struct stream_dir *own = &x->f->stream.dir[x->dir];

	return (x->d.payload.left > 0 || (x->d.tcp_flags & TCP_FIN)) && !own->fin && is_open(x) &&
	       seq_diff(x->d.seq, own->next) > 0 && x->d.seq - own->next <= STREAM_AHEAD_MAX;
}

static bool acknowledges_ahead(const struct crossing *x)
{
	const struct stream *s = &x->f->stream;
	const struct stream_dir *peer = &s->dir[other_end(x->dir)];

	if (s->state == TCP_SYN_RECV && x->dir == DIR_C2S && s->answered_twice && x->d.ack == s->answered + 1u)
		return false; /* the first of two answers to the SYN, as the stream finds */
	return (x->d.tcp_flags & TCP_ACK) && peer->known && seq_diff(x->d.ack, peer->next) > 0;
}

static void skip(struct crossing *x, enum direction dir, uint32_t to)
{
	midstream_skip(x->i, x->f, dir, to, true);
	x->f->stream.anew = false; /* perhaps it was begun anew, and the answer was not captured */
	x->f->adrift[dir] = ADRIFT_SEARCHED;
	x->f->lacking = true;
}

/* What would have told the protocol may be what is missing: the session is met half-way, as if it had no beginning. */
static bool lacks_its_name(const struct crossing *x)
{
	return x->f->commands == NULL && crossing_has_commands_lane(x);
}

struct verdict captured_prepare(struct crossing *x)
{
	struct flow *f = x->f;
	bool gap, unseen = false;

	if (x->d.tcp_flags & TCP_SYN)
		return f->midstream && fits_nothing(x) ? pass(R_HANDSHAKE) : go_on();
	if (x->d.tcp_flags & TCP_RST)
		return go_on();
	if (stream_assume(&f->stream, x->dir, &x->d))
		f->midstream = f->lacking = true;
	gap = is_behind_gap(x);
	if (acknowledges_ahead(x)) {
		if (x->d.payload.left > 0 && midstream_acknowledges_unseen(x)) {
			gap = seq_diff(x->d.seq, f->stream.dir[x->dir].next) > 0;
			skip(x, other_end(x->dir), x->d.ack);
			unseen = true;
		} else {
			x->d.tcp_flags &= (uint8_t)~TCP_ACK;
		}
	}
	if (gap)
		skip(x, x->dir, x->d.seq);
	return (gap || unseen) && lacks_its_name(x) ? midstream_await(x) : go_on();
}
