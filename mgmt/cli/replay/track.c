/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/replay/tracker.h"
#include "policy/ir/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/lasting.h"
#include "appliance/wire/mark.h"
#include "appliance/wire/silence.h"
#include "policy/ir/lasting.h"
#include "policy/ir/moment.h"

#define NOTHING UINT32_MAX
#define BUCKETS 65536u
#define NS 1000000000ull

struct tracker {
	struct ir *ir;
	bool as_captured;
	tracker_ask *ask; /* NULL: no further knowledge */
	void *ctx;
	struct session *sessions; /* owned; a session keeps its index */
	uint32_t n, room;
	uint32_t buckets[BUCKETS]; /* newest first */
};

struct tracker *tracker_new(struct ir *ir, bool as_captured)
{
	struct tracker *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->ir = ir;
	t->as_captured = as_captured;
	memset(t->buckets, 0xff, sizeof(t->buckets));
	return t;
}

void tracker_asks(struct tracker *t, tracker_ask *ask, void *ctx)
{
	t->ask = ask;
	t->ctx = ctx;
}

void tracker_free(struct tracker *t)
{
	if (t == NULL)
		return;
	free(t->sessions);
	free(t);
}

struct session *tracker_at(struct tracker *t, uint32_t index)
{
	return &t->sessions[index];
}

uint32_t tracker_count(const struct tracker *t)
{
	return t->n;
}

/* An ICMP reply belongs to the session of its request. */
static bool icmp_answer(const struct decoded *d, uint16_t *ret_question)
{
	static const struct {
		uint8_t l4proto, answer, question;
	} pairs[] = {
		{ IP_ICMP, 0, 8 }, { IP_ICMP, 14, 13 }, { IP_ICMP, 16, 15 }, { IP_ICMP, 18, 17 }, { IP_ICMP6, 129, 128 }
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pairs[i].l4proto == d->l4proto && pairs[i].answer == d->dport >> 8) {
			*ret_question = (uint16_t)(pairs[i].question << 8);
			return true;
		}
	return false;
}

/* Both directions of a session have the same hash. */
static uint32_t hash(const struct decoded *d, uint16_t sport, uint16_t dport)
{
	uint32_t h = d->l4proto * 0x9e3779b1u;
	uint32_t a = sport, b = dport;

	for (size_t i = 0; i < sizeof(d->src.b); i++) {
		a = a * 31u + d->src.b[i];
		b = b * 31u + d->dst.b[i];
	}
	h ^= (a ^ (a >> 15)) * 0x85ebca6bu + (b ^ (b >> 15)) * 0x85ebca6bu;
	h ^= h >> 13;
	return (h * 0xc2b2ae35u) >> 16;
}

static bool matches(const struct session *s, const struct decoded *d, uint16_t sport, uint16_t dport,
		    bool *ret_from_server)
{
	if (s->l4proto != d->l4proto)
		return false;
	*ret_from_server = false;
	if (s->client_port == sport && s->server_port == dport && addr_cmp(&s->client, &d->src) == 0 &&
	    addr_cmp(&s->server, &d->dst) == 0)
		return true;
	*ret_from_server = true;
	return s->client_port == dport && s->server_port == sport && addr_cmp(&s->client, &d->dst) == 0 &&
	       addr_cmp(&s->server, &d->src) == 0;
}

/* The newest session with the packet's ends. `flip`: the packet is an ICMP reply, which counts as
 * from the server. */
static uint32_t find(const struct tracker *t, const struct decoded *d, bool *ret_from_server)
{
	uint16_t sport = d->sport, dport = d->dport, question;
	struct decoded back;

	if (icmp_answer(d, &question)) {
		back = *d;
		back.src = d->dst;
		back.dst = d->src;
		back.dport = question;
		for (uint32_t i = t->buckets[hash(&back, 0, question)]; i != NOTHING; i = t->sessions[i].hash_next)
			if (matches(&t->sessions[i], &back, 0, question, ret_from_server) && !*ret_from_server) {
				*ret_from_server = true;
				return i;
			}
		return NOTHING;
	}
	for (uint32_t i = t->buckets[hash(d, sport, dport)]; i != NOTHING; i = t->sessions[i].hash_next)
		if (matches(&t->sessions[i], d, sport, dport, ret_from_server))
			return i;
	return NOTHING;
}

uint32_t tracker_find(const struct tracker *t, const struct decoded *d)
{
	bool from_server;

	return find(t, d, &from_server);
}

static uint32_t zone_of(const struct ir *ir, const struct addr *a)
{
	for (uint32_t z = 0; z < ir->n_zones; z++)
		for (uint32_t i = 0; i < ir->zones[z].n_ranges; i++)
			if (addr_in(a, &ir->zones[z].ranges[i]))
				return z;
	return NOTHING;
}

static const struct ir_cell *ask(const struct tracker *t, const struct session *s, uint64_t wall_ns)
{
	struct question q = {
		.source = s->client,
		.destination = s->server,
		.l4proto = s->l4proto,
		.port = s->server_port,
		.now = wall_ns / NS,
	};

	return evaluate_ir(t->ir, &q);
}

static void swap_ends(struct session *s)
{
	struct addr a = s->client;
	uint16_t p = s->client_port;

	s->client = s->server;
	s->client_port = s->server_port;
	s->server = a;
	s->server_port = p;
}

/* What the rules find for a datagram that no cell admits: the mark of a permit by which its
 * receiver may have subscribed; 0: none. Of a capture that lacks the beginning (`late`), nobody
 * knows who subscribed, if it may be the server's answer. */
static uint32_t notice_of(const struct tracker *t, const struct session *s, bool late, uint64_t wall_ns)
{
	struct session other = *s;
	const struct ir_cell *cell;

	if (s->l4proto != IP_UDP)
		return 0;
	swap_ends(&other);
	cell = ask(t, &other, wall_ns);
	if (cell != NULL && late)
		return 0;
	if (cell == NULL) {
		other.server_port = other.client_port;
		cell = ask(t, &other, wall_ns);
	}
	return cell == NULL || !ir_lasting(t->ir, cell->permit)
		       ? 0
		       : mark_make(cell->permit + 1, t->ir->permits[cell->permit].lane, MARK_UNJUDGED);
}

/* Whether the packet does not tell who opened the session. */
static bool half_way(const struct decoded *d)
{
	return d->l4proto == IP_TCP && (d->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN;
}

bool tracker_registered(uint16_t port)
{
	static const uint16_t ports[] = { 102, 502, 2222, 5006, 5007, 44818 };

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i] == port)
			return true;
	return false;
}

static enum tracker_server by_registered_port(const struct decoded *d)
{
	bool source = tracker_registered(d->sport), destination = tracker_registered(d->dport);

	if (d->l4proto != IP_TCP || source == destination)
		return SERVER_UNTOLD;
	return source ? SERVER_SOURCE : SERVER_DESTINATION;
}

/*
 * The ends and permit of a new session. A TCP session without its beginning gets the direction that
 * the policy allows. If it allows both or neither, a SYN-ACK tells the server, then a controller's
 * port; otherwise the lower port is the server's.
 */
static void begin(const struct tracker *t, struct session *s, const struct decoded *d, uint32_t older, uint64_t wall_ns)
{
	uint16_t question;
	const struct ir_cell *cell, *back;
	bool answer = icmp_answer(d, &question);
	enum tracker_server told = SERVER_UNTOLD;

	s->client = d->src;
	s->server = d->dst;
	s->client_port = d->sport;
	s->server_port = answer ? question : d->dport;
	s->l4proto = d->l4proto;
	if (answer) {
		s->client = d->dst;
		s->server = d->src;
	}
	s->midstream = answer || half_way(d);
	s->asked = t->ir->at_s;
	cell = ask(t, s, wall_ns);
	if (cell == NULL)
		s->notice = notice_of(t, s, t->as_captured && older == NOTHING, wall_ns);
	if (t->ask != NULL && (half_way(d) || d->l4proto == IP_UDP))
		told = t->ask(t->ctx, d);
	if (!answer && s->notice == 0 &&
	    (half_way(d) || told == SERVER_SOURCE || (d->l4proto == IP_UDP && cell == NULL && t->as_captured))) {
		struct session other = *s;
		bool syn_ack = d->l4proto == IP_TCP && (d->tcp_flags & TCP_SYN) != 0;

		swap_ends(&other);
		back = ask(t, &other, wall_ns);
		if (told == SERVER_UNTOLD && !syn_ack && (cell == NULL) == (back == NULL))
			told = by_registered_port(d);
		if (syn_ack || told == SERVER_SOURCE || (told == SERVER_UNTOLD && cell == NULL && back != NULL) ||
		    (told == SERVER_UNTOLD && (cell == NULL) == (back == NULL) && s->client_port < s->server_port &&
		     d->l4proto == IP_TCP)) {
			*s = other;
			s->midstream = true;
			cell = back;
			/* the policy tells which end is the server, and the inspector cannot see
			 * it */
			if (d->l4proto == IP_UDP)
				told = SERVER_SOURCE;
		}
	}
	/* of datagrams, the kernel takes the first sender for the client */
	s->told = d->l4proto == IP_UDP || (s->midstream && told != SERVER_UNTOLD);
	s->same_zone =
		zone_of(t->ir, &s->client) != NOTHING && zone_of(t->ir, &s->client) == zone_of(t->ir, &s->server);
	s->refused = R_NONE;
	if (s->notice != 0) {
		s->lane = mark_lane(s->notice);
	} else if (cell == NULL) {
		s->refused = R_NO_CONDUIT; /* refused from its first packet on */
	} else {
		s->permit = cell->permit + 1;
		s->until = t->ir->permits[cell->permit].until;
		s->lane = t->ir->permits[cell->permit].lane;
		if (s->midstream && !t->as_captured)
			s->refused = d->l4proto == IP_TCP ? R_NO_SESSION : R_INVALID;
	}
}

static bool opens_anew(const struct session *s, const struct decoded *d)
{
	return d->l4proto == IP_TCP && (d->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
	       ((s->closed && s->answered) || s->syn_seq != d->seq || s->midstream);
}

/* Refused packets opened no session, or it has ended. So a datagram of the other end may open one,
 * and so may a packet of the same end once a conduit has opened. A TCP session needs a SYN for
 * that. */
static bool opens_now(const struct tracker *t, struct session *s, const struct decoded *d, bool from_server,
		      uint64_t wall_ns)
{
	struct session other = *s;
	/* of datagrams: the session was never more than refused packets */
	bool never = s->l4proto == IP_UDP && from_server && s->refused == R_NONE && s->passed == 0 && s->dropped > 0;

	if ((s->refused != R_NO_CONDUIT && s->refused != R_ENDED && !never) ||
	    (from_server ? t->as_captured || s->l4proto != IP_UDP || s->refused == R_ENDED
			 : s->asked == t->ir->at_s ||
				   (s->l4proto == IP_TCP && (d->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)))
		return false;
	if (from_server)
		swap_ends(&other);
	else
		s->asked = t->ir->at_s;
	return ask(t, &other, wall_ns) != NULL;
}

/* Whether the kernel has forgotten the session, so that the packet begins another one. */
static bool is_forgotten(const struct session *s, uint64_t wall_ns)
{
	return s->l4proto == IP_UDP && wall_ns > s->last_ns && wall_ns - s->last_ns >= s->silence_ns;
}

static void follow_silence(struct session *s, bool from_server, uint64_t wall_ns)
{
	if (s->packets == 0)
		s->began_ns = wall_ns;
	s->silence_ns = (s->answered && wall_ns - s->began_ns > SILENCE_NEW_S * NS ? SILENCE_S : SILENCE_FIRST_S) * NS;
	s->answered |= from_server;
	s->last_ns = wall_ns;
}

static uint32_t twin_of(const struct tracker *t, const struct session *s, uint64_t wall_ns)
{
	const struct ir_cell *cell;
	struct session twin = *s;

	swap_ends(&twin);
	cell = ask(t, &twin, wall_ns);
	return cell == NULL ? 0 : mark_make(cell->permit + 1, t->ir->permits[cell->permit].lane, MARK_UNJUDGED);
}

uint32_t tracker_twin(const struct tracker *t, const struct session *s)
{
	return twin_of(t, s, s->last_ns);
}

uint32_t tracker_notice(const struct tracker *t, const struct session *s)
{
	uint32_t mark = notice_of(t, s, false, s->last_ns);

	return mark == 0 ? 0 : mark | MARK_NOTICE | MARK_REPLY;
}

static void follow(struct session *s, const struct decoded *d, bool from_server, uint64_t wall_ns)
{
	if (d->l4proto == IP_UDP)
		follow_silence(s, from_server, wall_ns);
	s->packets++;
	if (d->bad_checksum)
		s->bad_checksum = true;
	s->spoke |= d->payload.left > 0;
	if (d->l4proto != IP_TCP)
		return;
	if (!from_server && (d->tcp_flags & TCP_SYN) && !s->answered)
		s->closed = false; /* opened again with the same ports */
	if (from_server && (d->tcp_flags & TCP_SYN))
		s->answered = true;
	if ((d->tcp_flags & (TCP_ACK | TCP_RST)) == TCP_ACK)
		s->went_on = true;
	if (d->tcp_flags & TCP_FIN)
		s->fins |= from_server ? 2 : 1;
	if ((d->tcp_flags & TCP_RST) || s->fins == 3)
		s->closed = true;
}

static bool add(struct tracker *t, const struct decoded *d, uint32_t older, uint32_t frame, uint64_t wall_ns)
{
	struct session *s;
	struct decoded key = *d;
	uint32_t *bucket;

	if (t->n == t->room) {
		uint32_t room = t->room ? t->room * 2 : 1024;
		struct session *more = t->n < NOTHING / 2 ? realloc(t->sessions, room * sizeof(*more)) : NULL;

		if (more == NULL)
			return false;
		t->sessions = more;
		t->room = room;
	}
	s = &t->sessions[t->n];
	memset(s, 0, sizeof(*s));
	begin(t, s, d, older, wall_ns);
	s->n = 1;
	if (older != NOTHING && addr_cmp(&t->sessions[older].client, &s->client) == 0 &&
	    t->sessions[older].client_port == s->client_port)
		s->n = t->sessions[older].n + 1;
	s->older = older;
	s->first_frame = frame;
	s->refused_frame = s->refused != R_NONE ? frame : 0;
	s->syn_seq = d->seq;
	key.src = s->client;
	key.dst = s->server;
	bucket = &t->buckets[hash(&key, s->client_port, s->server_port)];
	s->hash_next = *bucket;
	*bucket = t->n++;
	return true;
}

/*
 * The session's permit has ended, or a conduit may have opened: from here on the permit of this
 * moment applies. If there is none, both ends are reset.
 */
static void come_to_moment(const struct tracker *t, struct session *s, uint32_t frame, uint64_t wall_ns)
{
	const struct ir_cell *cell;

	if (s->refused != R_NONE || (s->asked == t->ir->at_s && (s->until == 0 || wall_ns / NS < s->until)))
		return;
	s->asked = t->ir->at_s;
	cell = ask(t, s, wall_ns);
	s->notice = s->notice != 0 && cell == NULL ? notice_of(t, s, false, wall_ns) : 0;
	if (s->notice != 0) {
		s->lane = mark_lane(s->notice);
		return;
	}
	s->twin = cell == NULL && s->l4proto == IP_UDP && s->answered ? twin_of(t, s, wall_ns) : 0;
	if (mark_lane(s->twin) != LANE_NONE) {
		s->lane = mark_lane(s->twin);
		return;
	}
	if (cell == NULL) {
		s->refused = R_ENDED;
		s->refused_frame = frame;
		return;
	}
	s->released = s->released && s->lane == t->ir->permits[cell->permit].lane;
	s->permit = cell->permit + 1;
	s->until = t->ir->permits[cell->permit].until;
	s->lane = t->ir->permits[cell->permit].lane;
}

bool tracker_packet(struct tracker *t, const struct decoded *d, uint32_t frame, uint64_t wall_ns, uint32_t *ret_index)
{
	bool from_server = false;
	uint32_t i = find(t, d, &from_server);

	ir_follow(t->ir, wall_ns / NS);
	if (i == NOTHING || opens_anew(&t->sessions[i], d) || is_forgotten(&t->sessions[i], wall_ns) ||
	    opens_now(t, &t->sessions[i], d, from_server, wall_ns)) {
		if (!add(t, d, i, frame, wall_ns))
			return false;
		i = t->n - 1;
		from_server = addr_cmp(&t->sessions[i].server, &d->src) == 0 && t->sessions[i].server_port == d->sport;
	}
	come_to_moment(t, &t->sessions[i], frame, wall_ns);
	follow(&t->sessions[i], d, from_server, wall_ns);
	*ret_index = i;
	return true;
}
