/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/stream.h"

#include <string.h>

static enum direction other_direction(enum direction dir)
{
	return dir == DIR_C2S ? DIR_S2C : DIR_C2S;
}

enum reason stream_flags(const struct decoded *d)
{
	uint8_t f = d->tcp_flags;

	if (f & TCP_URG)
		return R_URGENT;
	if (f & TCP_SYN) {
		if (f & (TCP_FIN | TCP_RST))
			return R_TCP_FLAGS;
		return d->payload.left > 0 ? R_SYN_DATA : R_NONE;
	}
	if (f & TCP_RST)
		return f & TCP_FIN ? R_TCP_FLAGS : R_NONE;
	return f & TCP_ACK ? R_NONE : R_TCP_FLAGS;
}

/* Keeps no bytes before `next`. */
static void keep_from(struct stream_dir *d, uint32_t next)
{
	d->next = d->head = d->first = d->kept_from = next;
}

/* The direction starts at `next`: earlier bytes have passed, or never existed. */
static void dir_at(struct stream_dir *d, uint32_t next)
{
	keep_from(d, next);
	d->acked = next;
	d->known = true;
}

void stream_open(struct stream *s, enum direction dir, const struct decoded *d)
{
	memset(s, 0, sizeof(*s));
	s->state = TCP_SYN_SENT;
	s->dir[dir].isn = d->seq;
	dir_at(&s->dir[dir], d->seq + 1u);
}

/*
 * The server may have accepted a SYN with this number, although its answer was not seen. After
 * several SYNs, only the server knows which one it accepted. So no bytes of the client pass from
 * the smallest possible position on, because the server may take them for new. If the SYN repeats
 * the session's own number and no byte is acknowledged yet, both readings are equal.
 */
static void perhaps_anew(struct stream *s, uint32_t syn)
{
	const struct stream_dir *client = &s->dir[DIR_C2S];
	int32_t ahead = seq_diff(syn + 1u, client->acked);

	s->dialled_at = client->next;
	if (ahead < 0 || (ahead == 0 && syn == client->isn)) {
		s->forgot = true;
	} else if (!s->anew || seq_diff(syn + 1u, s->anew_at) < 0) {
		s->anew = true;
		s->anew_at = syn + 1u;
	}
}

void stream_redial(struct stream *s, uint32_t taken, uint32_t last)
{
	const struct decoded syn = { .seq = taken };

	stream_open(s, DIR_C2S, &syn);
	if (last == taken)
		return;
	s->redialled = true;
	s->dialled = last;
	perhaps_anew(s, last);
}

/* Frees bytes that are both acknowledged and judged. */
static void trim(struct stream_dir *d, struct pool *pool)
{
	uint32_t keep = seq_diff(d->head, d->acked) < 0 ? d->head : d->acked, gone;

	if (d->framed && seq_diff(d->first, keep) < 0)
		keep = d->first;
	gone = keep - d->kept_from;
	if (seq_diff(keep, d->kept_from) <= 0)
		return;
	if (gone > d->kept.bytes)
		gone = d->kept.bytes; /* the FIN has a number but no byte */
	chain_drop(pool, &d->kept, gone);
	d->kept_from += gone;
}

static struct stream_result result_of(enum stream_answer a, enum reason r)
{
	return (struct stream_result){ .answer = a, .reason = r };
}

/*
 * Whether an acknowledgement proves that the server still has the session. An acknowledgement that
 * the server sent before the SYN arrived proves nothing. A server that accepted the SYN sends lower
 * acknowledgements than before, or those from the SYN's position on.
 */
static bool knows_the_session(const struct stream *s, uint32_t ack)
{
	return seq_diff(ack, s->dialled_at) > 0 && (!s->anew || seq_diff(ack, s->anew_at) < 0);
}

/*
 * The server answers the SYN of number `syn`, and may have accepted that SYN earlier. If bytes of
 * the client have passed since the SYN, they lie ahead of the server's position, and whoever sends
 * the bytes in between could choose how they are read. Then both ends are reset.
 */
static struct stream_result begins_anew(struct stream *s, uint32_t syn)
{
	if (s->went_on)
		return result_of(STREAM_RESET, R_OVERLAP);
	s->redial = syn;
	return result_of(STREAM_REDIAL, R_HANDSHAKE);
}

/* A SYN or SYN|ACK on a connection that is already known. */
static struct stream_result syn_segment(struct stream *s, enum direction dir, const struct decoded *d)
{
	struct stream_dir *own = &s->dir[dir], *peer = &s->dir[other_direction(dir)];

	if (d->tcp_flags & TCP_ACK) {
		if (dir != DIR_S2C || !peer->known)
			return result_of(STREAM_DROP, R_TCP_FLAGS);
		/*
		 * The server has begun a new session. With several SYNs, only the server knows
		 * which one it accepted. Dropping its answer would not help: it would read on from
		 * there, and its number can be learnt in other ways.
		 */
		if (s->redialled && d->ack != peer->isn + 1u)
			return begins_anew(s, d->ack - 1u);
		if (d->ack != peer->isn + 1u)
			return result_of(STREAM_DROP, R_TCP_FLAGS);
		if (s->state == TCP_SYN_SENT) {
			own->isn = d->seq;
			dir_at(own, d->seq + 1u);
			s->state = TCP_SYN_RECV;
			return result_of(STREAM_PASS, R_HANDSHAKE);
		}
		if ((s->state == TCP_SYN_RECV || s->state == TCP_OPEN) && own->known && own->isn == d->seq) {
			perhaps_anew(s, peer->isn);
			return result_of(STREAM_PASS, R_HANDSHAKE); /* repeated */
		}
		if (s->state == TCP_SYN_RECV) {
			/* The server did not keep its first answer. The client will show which of
			 * the two has arrived. */
			s->answered = own->isn;
			s->answered_twice = true;
			own->isn = d->seq;
			dir_at(own, d->seq + 1u);
			return result_of(STREAM_PASS, R_HANDSHAKE);
		}
		if (s->state == TCP_OPEN && s->said_again)
			return begins_anew(s, peer->isn);
		return result_of(STREAM_DROP, R_TCP_FLAGS);
	}
	if (s->state == TCP_CLOSED || s->state == TCP_NONE)
		return result_of(STREAM_RESTART, R_HANDSHAKE);
	if (dir != DIR_C2S) /* simultaneous open has no single client */
		return result_of(STREAM_DROP, R_TCP_FLAGS);
	if (own->isn != d->seq && s->state == TCP_SYN_SENT)
		return result_of(STREAM_RESTART, R_HANDSHAKE);
	s->dialled = d->seq;
	perhaps_anew(s, d->seq);
	if (own->isn == d->seq) {
		s->said_again |= s->state == TCP_OPEN;
		return result_of(STREAM_PASS, R_HANDSHAKE);
	}
	/*
	 * The client forgot a live session and dials again. The SYN passes and the state stays. A
	 * server that still has the session answers with the number that it expects, the client
	 * resets the session, and the next SYN finds it closed. If the SYN were dropped, the
	 * server's only slot would be taken for good. A server that forgot the session, too,
	 * accepts the SYN.
	 */
	s->redialled = true;
	return result_of(STREAM_PASS, R_HANDSHAKE);
}

/* Judges a RST. Exactly those that the receiver would accept close the connection here as well. */
static struct stream_result rst_segment(struct stream *s, enum direction dir, const struct decoded *d)
{
	const struct stream_dir *own = &s->dir[dir], *peer = &s->dir[other_direction(dir)];

	if (s->state == TCP_SYN_SENT && dir == DIR_S2C) {
		/* The server refuses the connection. The RST has no number of its own, only the
		 * acknowledgement of the SYN. */
		if (!(d->tcp_flags & TCP_ACK) || d->ack != peer->next)
			return result_of(STREAM_DROP, R_TCP_FLAGS);
		s->state = TCP_CLOSED;
		s->over = true;
		return result_of(STREAM_PASS, R_HANDSHAKE);
	}
	if (!own->known)
		return result_of(STREAM_PASS, R_HANDSHAKE);
	if (seq_diff(d->seq, own->acked) >= 0 && seq_diff(d->seq, own->kept_from) >= 0 &&
	    seq_diff(d->seq, own->next) <= 0) {
		s->state = TCP_CLOSED;
		/* A server that lacks a byte before the RST challenges it, and keeps
		 * the session. */
		s->over = dir == DIR_S2C;
		return result_of(STREAM_PASS, R_HANDSHAKE);
	}
	/* The RST is ahead of a lost segment, so the receiver may challenge it. It passes, and the
	 * connection stays. */
	if (s->state == TCP_SYN_SENT || (uint32_t)(d->seq - own->next) < STREAM_AHEAD_MAX)
		return result_of(STREAM_PASS, R_HANDSHAKE);
	return result_of(STREAM_DROP, R_OUT_OF_ORDER);
}

/* Takes the acknowledgement. False when the segment acknowledges bytes that never passed. */
static bool take_ack(struct stream *s, struct pool *pool, enum direction dir, const struct decoded *d)
{
	struct stream_dir *peer = &s->dir[other_direction(dir)];

	if (!(d->tcp_flags & TCP_ACK) || !peer->known)
		return true;
	if (seq_diff(d->ack, peer->next) > 0)
		return false;
	if (dir == DIR_S2C && knows_the_session(s, d->ack))
		s->forgot = s->anew = s->went_on = false;
	if (seq_diff(d->ack, peer->acked) > 0) {
		peer->acked = d->ack;
		trim(peer, pool);
	}
	return true;
}

/* Closes the connection when both directions are finished and acknowledged. */
static void close_when_done(struct stream *s)
{
	const struct stream_dir *a = &s->dir[0], *b = &s->dir[1];

	if (a->fin && b->fin && a->acked == a->next && b->acked == b->next) {
		s->state = TCP_CLOSED;
		s->over = true;
	}
}

/* Judges the FIN of a segment that ends at `end`. R_NONE when the FIN agrees with the bytes that
 * passed. */
static enum reason check_fin(const struct stream_dir *own, uint32_t end, bool fin, bool *ret_old)
{
	*ret_old = false;
	if (own->fin && seq_diff(end, own->fin_at) > 0)
		return R_AFTER_CLOSE;
	if (!fin || (own->fin && end == own->fin_at))
		return R_NONE;
	if (!own->fin && seq_diff(end, own->next) >= 0)
		return R_NONE;
	/* The FIN ends the stream before bytes that already passed. */
	*ret_old = seq_diff(end, own->acked) < 0;
	return *ret_old ? R_NONE : R_OVERLAP;
}

/* Whether the server answered one SYN and no other SYN was seen, so that a keep-alive before the
 * first request belongs to this session. */
static bool is_answered_once(const struct stream *s)
{
	return (s->state == TCP_SYN_RECV || s->state == TCP_OPEN) && !s->redialled && !s->answered_twice;
}

static struct stream_result data_segment(struct stream *s, const struct pool *pool, enum direction dir,
					 const struct decoded *d)
{
	struct stream_dir *own = &s->dir[dir];
	struct bytes payload = d->payload, again;
	uint32_t len = (uint32_t)payload.left, end = d->seq + len;
	/* the end of the bytes that passed */
	uint32_t data_end = own->fin ? own->fin_at : own->next;
	bool fin = (d->tcp_flags & TCP_FIN) != 0, old_fin;
	uint32_t from, to;
	enum reason r;

	if (len == 0 && !fin)
		return result_of(STREAM_PASS, R_HANDSHAKE);
	r = check_fin(own, end, fin, &old_fin);
	if (r == R_AFTER_CLOSE)
		return result_of(STREAM_DROP, r);
	if (r != R_NONE)
		return result_of(STREAM_RESET, r);
	if (seq_diff(d->seq, own->next) > 0)
		return d->seq - own->next > STREAM_AHEAD_MAX ? result_of(STREAM_DROP, R_OUT_OF_ORDER)
							     : result_of(STREAM_AHEAD, R_OUT_OF_ORDER);
	if (own->next - d->seq > STREAM_BEHIND_MAX)
		return result_of(STREAM_DROP, R_OUT_OF_ORDER);
	/* A client sends no byte before its first one, except in a keep-alive. A server that lacks
	 * such bytes has accepted another SYN. */
	if (dir == DIR_C2S && own->acked == own->isn + 1u && seq_diff(d->seq, own->acked) < 0 && len > 0 &&
	    !(len == 1 && d->seq == own->isn && is_answered_once(s)))
		return result_of(STREAM_DROP, R_OUT_OF_ORDER);
	/* A server that began a new session would take these bytes for new, and read later bytes
	 * from its new beginning. */
	if (dir == DIR_C2S && s->forgot && len > 0 && seq_diff(d->seq, own->acked) < 0)
		return result_of(STREAM_DROP, R_OUT_OF_ORDER);
	if (dir == DIR_C2S && s->anew && len > 0 && seq_diff(end, s->anew_at) > 0)
		return result_of(STREAM_BLIND, R_OUT_OF_ORDER);
	/* Bytes that overlap unacknowledged ones must equal those that passed. Bytes that the
	 * receiver has acknowledged are not compared, because it ignores them. */
	from = seq_diff(d->seq, own->acked) < 0 ? own->acked : d->seq;
	to = seq_diff(end, data_end) < 0 ? end : data_end;
	if (seq_diff(to, from) > 0) {
		struct bytes p = payload;

		bytes_skip(&p, from - d->seq);
		bytes_take(&p, to - from, &again);
		/* Bytes that were freed at the close, or passed before the pick-up, cannot
		 * be compared. */
		if (seq_diff(from, own->kept_from) < 0)
			return s->state == TCP_CLOSED ? result_of(STREAM_DROP, R_AFTER_CLOSE)
						      : result_of(STREAM_BLIND, R_MIDSTREAM_DROP);
		if (again.failed || !chain_equal(pool, &own->kept, from - own->kept_from, again))
			return result_of(STREAM_RESET, R_OVERLAP);
	}
	if (seq_diff(end, data_end) <= 0 && (!fin || own->fin || old_fin))
		return result_of(STREAM_PASS, R_RETRANSMISSION);
	bytes_skip(&payload, data_end - d->seq);
	return (struct stream_result){ .answer = STREAM_NEW, .reason = R_NONE, .fresh = payload, .fin = fin };
}

struct stream_result stream_segment(struct stream *s, struct pool *pool, enum direction dir, const struct decoded *d)
{
	struct stream_result r;

	if (d->tcp_flags & TCP_SYN)
		return syn_segment(s, dir, d);
	if (d->tcp_flags & TCP_RST)
		return rst_segment(s, dir, d);
	/*
	 * A server that still has an older session on these ports answers the SYN with the numbers
	 * of that session. The client must get this answer: it resets the old session, and its next
	 * SYN is accepted. The segment has no data.
	 */
	if (s->state == TCP_SYN_SENT && dir == DIR_S2C && d->payload.left == 0 && !(d->tcp_flags & TCP_FIN))
		return result_of(STREAM_PASS, R_HANDSHAKE);
	if (s->state == TCP_SYN_RECV && dir == DIR_C2S && s->answered_twice && d->ack == s->answered + 1u) {
		s->dir[DIR_S2C].isn = s->answered;
		dir_at(&s->dir[DIR_S2C], d->ack);
	}
	if (!take_ack(s, pool, dir, d))
		r = result_of(STREAM_LOST, R_OUT_OF_ORDER);
	else if (s->state == TCP_SYN_RECV && dir == DIR_C2S && d->ack == s->dir[DIR_S2C].next)
		s->state = TCP_OPEN, r = data_segment(s, pool, dir, d);
	else if (s->state == TCP_SYN_RECV && dir == DIR_S2C && !s->answered_twice)
		/* A server that sends data has received the third segment, which need not have
		 * passed here. */
		s->state = TCP_OPEN, r = data_segment(s, pool, dir, d);
	else if (s->state == TCP_OPEN || s->state == TCP_CLOSED)
		r = data_segment(s, pool, dir, d);
	else if (d->payload.left > 0 || (d->tcp_flags & TCP_FIN))
		r = result_of(STREAM_DROP, R_OUT_OF_ORDER); /* before the handshake is complete */
	else
		r = result_of(STREAM_PASS, R_HANDSHAKE);
	if (s->state == TCP_CLOSED && (r.answer == STREAM_NEW || r.answer == STREAM_AHEAD))
		r = result_of(STREAM_DROP, R_AFTER_CLOSE);
	r.data = d->payload.left > 0;
	s->went_on |= dir == DIR_C2S && s->forgot && r.data && (r.answer == STREAM_PASS || r.answer == STREAM_NEW);
	if (s->state == TCP_OPEN)
		close_when_done(s);
	return r;
}

bool stream_assume(struct stream *s, enum direction dir, const struct decoded *d)
{
	struct stream_dir *own = &s->dir[dir], *peer = &s->dir[other_direction(dir)];
	bool data = d->payload.left > 0;

	if (!(d->tcp_flags & TCP_ACK) || (d->tcp_flags & (TCP_SYN | TCP_RST)))
		return false;
	if (s->state == TCP_SYN_RECV && dir == DIR_S2C && data) {
		s->state = TCP_OPEN; /* a server that sends data has received the third segment */
		return false;
	}
	if (s->state != TCP_SYN_SENT)
		return false;
	if (dir == DIR_C2S && (data ? d->seq - own->next < STREAM_AHEAD_MAX : d->seq == own->next)) {
		peer->isn = d->ack - 1u;
		dir_at(peer, d->ack);
	} else if (dir == DIR_S2C && data && d->ack - peer->next < STREAM_AHEAD_MAX) {
		own->isn = d->seq - 1u;
		dir_at(own, d->seq);
	} else {
		return false;
	}
	s->state = TCP_OPEN;
	return true;
}

bool stream_join(const struct stream *s, const struct pool *pool, enum direction dir, bool fin, struct bytes *fresh,
		 uint8_t *room)
{
	const struct stream_dir *d = &s->dir[dir];

	return runs_join(&d->runs, pool, d->fin ? d->fin_at : d->next, fin, fresh, room);
}

bool stream_quiet(const struct stream *s)
{
	const struct stream_dir *a = &s->dir[DIR_C2S], *b = &s->dir[DIR_S2C];

	/* The effect of a change of policy depends on which requests the server has received, so
	 * these acknowledgements are needed at once. */
	return (s->state == TCP_SYN_RECV || s->state == TCP_OPEN) && a->known && b->known && !a->fin && !b->fin &&
	       a->acked == a->next && !s->redialled && !s->answered_twice && !s->forgot && !s->anew &&
	       runs_bytes(&a->runs) == 0 && runs_bytes(&b->runs) == 0 && stream_kept(s) <= STREAM_QUIET_MAX;
}

size_t stream_kept(const struct stream *s)
{
	return s->dir[0].kept.bytes + s->dir[1].kept.bytes + runs_bytes(&s->dir[0].runs) + runs_bytes(&s->dir[1].runs);
}

void stream_move(struct stream *s, struct pool *pool, uint32_t holder)
{
	for (unsigned i = 0; i < 2; i++) {
		chain_move(pool, &s->dir[i].kept, holder);
		runs_move(&s->dir[i].runs, pool, holder);
	}
}

bool stream_room(const struct stream *s, const struct pool *pool, enum direction dir, size_t n)
{
	const struct chain *kept = &s->dir[dir].kept;

	return n <= STREAM_KEEP_MAX - kept->bytes && chain_room(pool, kept, n);
}

bool stream_commit(struct stream *s, struct pool *pool, enum direction dir, struct bytes fresh, bool fin,
		   size_t unjudged)
{
	struct stream_dir *d = &s->dir[dir];
	size_t n = fresh.left;

	if (!stream_room(s, pool, dir, n) || !chain_append(pool, &d->kept, fresh))
		return false;
	d->next += (uint32_t)n;
	d->offset += n;
	d->head = d->next - (uint32_t)unjudged;
	if (fin) {
		d->fin = true;
		d->fin_at = d->next++;
		if (unjudged == 0)
			d->head = d->next;
	}
	runs_drop(&d->runs, pool, d->next);
	trim(d, pool);
	return true;
}

size_t stream_carry(const struct stream *s, enum direction dir)
{
	const struct stream_dir *d = &s->dir[dir];

	return (d->fin ? d->fin_at : d->next) - (d->fin && d->head == d->next ? d->fin_at : d->head);
}

bool stream_carry_copy(const struct stream *s, const struct pool *pool, enum direction dir, void *out)
{
	const struct stream_dir *d = &s->dir[dir];

	return chain_copy(pool, &d->kept, d->head - d->kept_from, out, stream_carry(s, dir));
}

void stream_frame(struct stream *s, enum direction dir)
{
	s->dir[dir].framed = true;
	s->dir[dir].first = s->dir[dir].head;
}

size_t stream_unacknowledged(const struct stream *s, enum direction dir)
{
	const struct stream_dir *d = &s->dir[dir];
	uint32_t end = d->fin && seq_diff(d->head, d->fin_at) > 0 ? d->fin_at : d->head;

	return d->framed && seq_diff(end, d->first) > 0 ? end - d->first : 0;
}

size_t stream_unacknowledged_copy(const struct stream *s, const struct pool *pool, enum direction dir, size_t at,
				  void *out, size_t n)
{
	const struct stream_dir *d = &s->dir[dir];
	size_t all = stream_unacknowledged(s, dir);

	if (at > all)
		return 0;
	if (n > all - at)
		n = all - at;
	return chain_copy(pool, &d->kept, d->first - d->kept_from + at, out, n) ? n : 0;
}

size_t stream_unframed(const struct stream *s, enum direction dir)
{
	const struct stream_dir *d = &s->dir[dir];
	uint32_t from = seq_diff(d->acked, d->kept_from) > 0 ? d->acked : d->kept_from;

	return d->framed && seq_diff(d->first, from) > 0 ? d->first - from : 0;
}

size_t stream_kept_copy(const struct stream *s, const struct pool *pool, enum direction dir, void *out, size_t n)
{
	const struct stream_dir *d = &s->dir[dir];
	uint32_t before = d->first - d->kept_from;
	size_t all = d->framed && before <= d->kept.bytes ? d->kept.bytes - before : 0;

	if (n > all)
		n = all;
	return chain_copy(pool, &d->kept, before, out, n) ? n : 0;
}

void stream_acknowledged(struct stream *s, struct pool *pool, enum direction dir, size_t n)
{
	s->dir[dir].first += (uint32_t)n;
	trim(&s->dir[dir], pool);
}

/* A single unusual number must not move the position away from the stream. */
static void watch_to(struct stream_dir *d, uint32_t to)
{
	if (seq_diff(to, d->next) <= 0 || to - d->next > STREAM_AHEAD_MAX)
		return;
	d->offset += to - d->next;
	keep_from(d, to);
}

/* The direction is first seen at `at`; what its receiver has acknowledged is not known. */
static void watch_from(struct stream_dir *d, uint32_t at)
{
	if (d->known)
		return;
	dir_at(d, at);
	d->acked = at - STREAM_BEHIND_MAX;
}

void stream_watch(struct stream *s, struct pool *pool, enum direction dir, const struct decoded *d)
{
	struct stream_dir *own = &s->dir[dir], *peer = &s->dir[other_direction(dir)];
	uint32_t first = d->seq + ((d->tcp_flags & TCP_SYN) != 0);
	uint32_t end = first + (uint32_t)d->payload.left + ((d->tcp_flags & TCP_FIN) != 0);

	stream_free(s, pool);
	watch_from(own, first);
	watch_to(own, end);
	if (d->tcp_flags & TCP_ACK) {
		watch_from(peer, d->ack);
		watch_to(peer, d->ack);
		if (seq_diff(d->ack, peer->acked) > 0 && seq_diff(d->ack, peer->next) <= 0)
			peer->acked = d->ack;
	}
	own->fin = own->fin || (d->tcp_flags & TCP_FIN);
	s->state = own->fin && peer->fin ? TCP_CLOSED : TCP_NONE;
}

/* Sets the offset to where judging starts; watched bytes may already be ahead of it. */
static void offset_to(struct stream_dir *d, uint32_t to)
{
	int32_t by = seq_diff(to, d->next);

	if (by >= 0 || (uint64_t) - (int64_t)by <= d->offset)
		d->offset += (uint64_t)(int64_t)by;
	else
		d->offset = 0;
}

void stream_pick_up(struct stream *s, struct pool *pool, enum direction dir, const struct decoded *d)
{
	struct stream_dir *own = &s->dir[dir], *peer = &s->dir[other_direction(dir)];

	stream_free(s, pool);
	watch_from(own, d->seq);
	watch_to(own, d->seq);
	watch_from(peer, d->ack);
	watch_to(peer, d->ack);
	offset_to(own, d->seq);
	offset_to(peer, d->ack);
	/* The client has all bytes before its acknowledgement. The server has only the bytes that
	 * it has acknowledged. */
	keep_from(own, d->seq);
	if (seq_diff(own->acked, d->seq) > 0)
		own->acked = d->seq;
	dir_at(peer, d->ack);
	own->fin = peer->fin = false;
	s->state = TCP_OPEN;
}

bool stream_go_back(struct stream *s, enum direction dir, uint32_t to)
{
	struct stream_dir *d = &s->dir[dir];
	uint32_t judged = d->framed && seq_diff(d->first, d->head) < 0 ? d->first : d->head;

	if (d->fin || d->skipped || seq_diff(to, d->acked) < 0 || seq_diff(to, d->kept_from) >= 0 ||
	    d->kept.bytes != d->next - d->kept_from ||
	    !runs_take_first(&d->runs, d->kept_from, judged, d->head, &d->kept))
		return false;
	offset_to(d, to);
	keep_from(d, to);
	return true;
}

bool stream_judged_before(const struct stream *s, enum direction dir, uint64_t offset, uint32_t n)
{
	const struct stream_dir *d = &s->dir[dir];

	return runs_judged(&d->runs, d->next + (uint32_t)(offset - d->offset), n);
}

void stream_skip(struct stream *s, struct pool *pool, enum direction dir, uint32_t to, bool arrived)
{
	struct stream_dir *d = &s->dir[dir];
	uint32_t acked = d->acked;

	chain_clear(pool, &d->kept);
	runs_clear(&d->runs, pool);
	d->offset += to - d->next;
	dir_at(d, to);
	if (!arrived) {
		d->acked = acked;
		d->skipped = true;
	}
}

void stream_free(struct stream *s, struct pool *pool)
{
	for (unsigned i = 0; i < 2; i++) {
		struct stream_dir *d = &s->dir[i];

		chain_clear(pool, &d->kept);
		runs_clear(&d->runs, pool);
		keep_from(d, d->next);
	}
}
