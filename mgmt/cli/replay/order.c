/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/replay/order.h"
#include "mgmt/cli/replay/tracker.h"

#include <stdlib.h>
#include <string.h>

#include "dpi/runs.h"

#define PLACES 1024u /* packets that can wait at a time */
#define SESSION_PACKETS 64u
#define SESSION_BYTES (512u * 1024u)
#define WAIT_NS 3000000000ull
#define AHEAD_MAX (1u << 20) /* sequence numbers further ahead are invalid */
#define BEHIND_MAX (1u << 22)
#define NOTHING UINT32_MAX

/* The state of both ends of a session, by direction. */
struct sides {
	uint32_t next[2];  /* next sequence number to hand on */
	bool known[2];	   /* next[] is valid */
	bool spoke[2];	   /* data of this direction were handed on */
	uint32_t frame[2]; /* frame at which next[] was reached */
	uint32_t first;	   /* the session's newest waiting packet, NOTHING = none */
	uint32_t n, bytes;
};

struct parked {
	uint8_t *ip; /* owned while it waits */
	size_t len;
	uint32_t session, frame;
	uint32_t seq, ack; /* sequence number of its payload; acknowledgement number */
	enum direction dir;
	bool acks;  /* the packet also waits for what it acknowledges */
	bool ahead; /* data before it were missing */
	uint64_t deadline_ns;
	uint32_t next; /* next older packet of its session, or next in the free list */
	uint32_t older, newer;
};

struct order {
	void (*hand_on)(void *ctx, uint32_t session, struct bytes ip, uint32_t frame);
	void *ctx;
	struct sides *sessions; /* owned; by session number */
	uint32_t n_sessions;
	struct parked places[PLACES];
	uint32_t free, oldest, newest;
};

struct order *order_new(void (*hand_on)(void *ctx, uint32_t session, struct bytes ip, uint32_t frame), void *ctx)
{
	struct order *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->hand_on = hand_on;
	o->ctx = ctx;
	o->oldest = o->newest = NOTHING;
	for (uint32_t w = 0; w < PLACES; w++)
		o->places[w].next = w + 1 < PLACES ? w + 1 : NOTHING;
	return o;
}

void order_free(struct order *o)
{
	for (uint32_t w = 0; o != NULL && w < PLACES; w++)
		free(o->places[w].ip);
	if (o != NULL)
		free(o->sessions);
	free(o);
}

/* The state of the ends of this session, made if needed. NULL: no memory. */
static struct sides *ends_of(struct order *o, uint32_t session)
{
	if (session >= o->n_sessions) {
		uint32_t n = session < 1024 ? 1024 : session * 2;
		struct sides *more = session < NOTHING / 2 ? realloc(o->sessions, n * sizeof(*more)) : NULL;

		if (more == NULL)
			return NULL;
		for (uint32_t i = o->n_sessions; i < n; i++)
			more[i] = (struct sides){ .first = NOTHING };
		o->sessions = more;
		o->n_sessions = n;
	}
	return &o->sessions[session];
}

/* ---- the state of the ends ------------------------------------------------------------------- */

static bool is_ahead(const struct sides *e, enum direction dir, uint32_t number)
{
	return e->known[dir] && seq_diff(number, e->next[dir]) > 0 && number - e->next[dir] <= AHEAD_MAX;
}

static enum direction other(enum direction dir)
{
	return dir == DIR_C2S ? DIR_S2C : DIR_C2S;
}

static bool must_wait(const struct sides *e, enum direction dir, const struct decoded *d)
{
	bool data = d->payload.left > 0;

	if (d->tcp_flags & (TCP_SYN | TCP_RST))
		return false;
	if ((data || (d->tcp_flags & TCP_FIN)) && is_ahead(e, dir, d->seq))
		return true;
	return data && (d->tcp_flags & TCP_ACK) && is_ahead(e, other(dir), d->ack);
}

/* Whether a SYN was captured after later packets of its session. */
static bool is_late(const struct sides *e, uint32_t isn)
{
	return e->known[DIR_C2S] && e->next[DIR_C2S] - (isn + 1u) <= BEHIND_MAX;
}

/* Updates the ends for a packet that is handed on. */
static void move_on(struct sides *e, enum direction dir, const struct decoded *d, uint32_t frame)
{
	bool syn = (d->tcp_flags & TCP_SYN) != 0, ack = (d->tcp_flags & TCP_ACK) != 0;
	uint32_t len = (uint32_t)d->payload.left + ((d->tcp_flags & TCP_FIN) != 0), end = d->seq + syn + len;

	if ((d->tcp_flags & TCP_RST) || (syn && !ack && is_late(e, d->seq)))
		return;
	if (syn && !ack) { /* a new session begins */
		memset(e->known, 0, sizeof(e->known));
		memset(e->spoke, 0, sizeof(e->spoke));
	}
	/* A bare acknowledgement adds nothing, and far-away numbers are invalid. */
	if (!e->known[dir] || (syn && !e->spoke[dir]) ||
	    (len > 0 && seq_diff(end, e->next[dir]) > 0 && d->seq - e->next[dir] + AHEAD_MAX <= 2 * AHEAD_MAX)) {
		e->next[dir] = end;
		e->frame[dir] = frame;
	}
	e->known[dir] = true;
	e->spoke[dir] |= d->payload.left > 0;
	if (ack && !e->known[other(dir)]) {
		e->known[other(dir)] = true;
		e->next[other(dir)] = d->ack;
	}
}

/* ---- waiting packets ------------------------------------------------------------------------- */

static bool keep(struct order *o, struct sides *e, const struct parked *h, struct bytes ip)
{
	uint32_t w = o->free;
	struct parked *me;
	uint8_t *copy = w != NOTHING ? malloc(ip.left) : NULL;

	if (copy == NULL)
		return false;
	me = &o->places[w];
	o->free = me->next;
	*me = *h;
	me->ip = copy;
	me->len = ip.left;
	memcpy(copy, ip.p, ip.left);
	me->next = e->first;
	e->first = w;
	e->n++;
	e->bytes += (uint32_t)ip.left;
	me->older = o->newest;
	me->newer = NOTHING;
	if (me->older != NOTHING)
		o->places[me->older].newer = w;
	else
		o->oldest = w;
	o->newest = w;
	return true;
}

/* Removes a packet from all lists; its bytes then belong to the caller. */
static struct parked take(struct order *o, uint32_t w)
{
	struct parked *me = &o->places[w], ret = *me;
	struct sides *e = &o->sessions[me->session];
	uint32_t *at = &e->first;

	while (*at != w)
		at = &o->places[*at].next;
	*at = me->next;
	e->n--;
	e->bytes -= (uint32_t)me->len;
	if (me->older != NOTHING)
		o->places[me->older].newer = me->newer;
	else
		o->oldest = me->newer;
	if (me->newer != NOTHING)
		o->places[me->newer].older = me->older;
	else
		o->newest = me->older;
	me->ip = NULL;
	me->next = o->free;
	o->free = w;
	return ret;
}

/* The earliest waiting packet for which nothing is missing. */
static uint32_t ready(const struct order *o, const struct sides *e)
{
	uint32_t found = NOTHING;

	for (uint32_t w = e->first; w != NOTHING; w = o->places[w].next) {
		const struct parked *h = &o->places[w];

		if (!is_ahead(e, h->dir, h->seq) && !(h->acks && is_ahead(e, other(h->dir), h->ack)))
			found = w;
	}
	return found;
}

/* Hands on everything that is in order now. */
static void release(struct order *o, uint32_t session)
{
	struct sides *e = &o->sessions[session];
	uint32_t w;

	while ((w = ready(o, e)) != NOTHING) {
		struct parked h = take(o, w);
		struct bytes ip = bytes_of(h.ip, h.len);
		struct decoded d;

		/* The packet counts as read when the gap before it was filled, not when it
		 * arrived. */
		if (h.ahead && h.frame < e->frame[h.dir])
			h.frame = e->frame[h.dir];
		decode_packet(ip, CHECKSUM_FLAG, &d);
		move_on(e, h.dir, &d, h.frame);
		o->hand_on(o->ctx, session, ip, h.frame);
		free(h.ip);
	}
}

/* Two packets wait for each other's data, so one acknowledgement is wrong. This packet's
 * acknowledgement is set to what was seen. */
static void correct_ack(struct parked *h, uint32_t ack)
{
	size_t at = (h->ip[0] >> 4 == 4 ? (h->ip[0] & 15u) * 4u : 40u);
	uint8_t *t = h->ip + at;
	uint32_t sum;

	h->acks = false;
	if (h->len < at + 20)
		return;
	/* Adjusts the checksum, so that it stays as right or wrong as it was. */
	sum = (uint32_t)(uint16_t) ~(t[16] << 8 | t[17]);
	for (unsigned i = 8; i < 12; i += 2) {
		uint16_t now = (uint16_t)(ack >> (i == 8 ? 16 : 0));

		sum += (uint16_t) ~(t[i] << 8 | t[i + 1]);
		sum += now;
		t[i] = (uint8_t)(now >> 8);
		t[i + 1] = (uint8_t)now;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	t[16] = (uint8_t)(~sum >> 8);
	t[17] = (uint8_t)~sum;
	h->ack = ack;
}

/* The data that the first packet of this direction waits for were never captured: continues at the
 * next data. */
static void give_up(struct order *o, uint32_t w)
{
	struct sides *e = &o->sessions[o->places[w].session];
	struct parked *me;
	enum direction peer;
	uint32_t to;

	for (uint32_t k = e->first; k != NOTHING; k = o->places[k].next)
		if (o->places[k].dir == o->places[w].dir && seq_diff(o->places[k].seq, o->places[w].seq) < 0)
			w = k;
	me = &o->places[w];
	peer = other(me->dir);
	to = me->ack;
	for (uint32_t k = e->first; k != NOTHING; k = o->places[k].next)
		if (o->places[k].dir == peer && seq_diff(o->places[k].seq, to) < 0)
			to = o->places[k].seq;
	if (seq_diff(me->seq, e->next[me->dir]) > 0)
		e->next[me->dir] = me->seq;
	else if (me->acks && seq_diff(to, e->next[peer]) > 0)
		e->next[peer] = to;
	else
		correct_ack(me, e->next[peer]);
	release(o, me->session);
}

/* ---- packets --------------------------------------------------------------------------------- */

static bool waits_already(const struct order *o, const struct sides *e, enum direction dir, const struct decoded *d)
{
	for (uint32_t w = e->first; w != NOTHING; w = o->places[w].next)
		if (o->places[w].dir == dir && o->places[w].seq == d->seq && o->places[w].len == d->ip.left)
			return true;
	return false;
}

static bool is_crowded(const struct order *o, const struct sides *e, size_t len)
{
	return o->free == NOTHING || e->n >= SESSION_PACKETS || len > SESSION_BYTES - e->bytes;
}

bool order_packet(struct order *o, uint32_t session, const struct decoded *d, enum direction dir, uint32_t frame,
		  uint64_t now_ns)
{
	struct sides *e = ends_of(o, session);
	struct parked h = { .session = session,
			    .frame = frame,
			    .seq = d->seq,
			    .ack = d->ack,
			    .dir = dir,
			    .acks = (d->tcp_flags & TCP_ACK) && d->payload.left > 0,
			    .deadline_ns = now_ns + WAIT_NS };

	if (e == NULL || d->l4proto != IP_TCP) {
		o->hand_on(o->ctx, session, d->ip, frame);
		return true;
	}
	if ((d->tcp_flags & TCP_RST) || (d->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		order_give_up(o, session);
	if (must_wait(e, dir, d) && waits_already(o, e, dir, d))
		return false;
	while (must_wait(e, dir, d) && e->first != NOTHING && is_crowded(o, e, d->ip.left))
		give_up(o, e->first);
	h.ahead = is_ahead(e, dir, d->seq);
	if (must_wait(e, dir, d)) {
		if (keep(o, e, &h, d->ip))
			return true;
		e->next[dir] = h.ahead ? d->seq : e->next[dir]; /* no room to wait */
	}
	move_on(e, dir, d, frame);
	o->hand_on(o->ctx, session, d->ip, frame);
	release(o, session);
	return true;
}

void order_give_up(struct order *o, uint32_t session)
{
	while (session < o->n_sessions && o->sessions[session].first != NOTHING)
		give_up(o, o->sessions[session].first);
}

void order_go_on_as(struct order *o, uint32_t older, uint32_t session, uint32_t isn)
{
	struct sides *new = ends_of(o, session);
	const struct sides *e;

	order_give_up(o, older);
	if (new == NULL || older >= o->n_sessions)
		return;
	e = &o->sessions[older];
	if (!is_late(e, isn))
		return;
	memcpy(new->known, e->known, sizeof(new->known));
	memcpy(new->next, e->next, sizeof(new->next));
	memcpy(new->spoke, e->spoke, sizeof(new->spoke));
	memcpy(new->frame, e->frame, sizeof(new->frame));
}

void order_give_up_all(struct order *o)
{
	for (uint32_t s = 0; s < o->n_sessions; s++)
		order_give_up(o, s);
}

void order_expire(struct order *o, uint64_t now_ns)
{
	while (o->oldest != NOTHING && o->places[o->oldest].deadline_ns <= now_ns)
		give_up(o, o->oldest);
}

uint64_t order_next_due(const struct order *o)
{
	return o->oldest == NOTHING ? UINT64_MAX : o->places[o->oldest].deadline_ns;
}
