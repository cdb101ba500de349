/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets packets through that a worker has judged before (appliance/wire/once.h). The kernel runs
 * this program before a command lane's queue, as a match of xt_bpf. It knows no protocol. A packet
 * passes under three conditions: - its session has a lease in the kernel; - the lease was given
 * under the permit in the packet's mark; - by its sequence numbers, the packet comes next, and it
 * is exactly one whole request or answer.
 *
 * Any other packet is queued and revokes the lease in the same step, so from then on the whole
 * session is queued. The packets of a TCP handshake pass, too, until the session's first other
 * packet.
 *
 * Rules that come before this program ensure that there are no IP options and no fragments, and
 * that the checksums are right: that of the IP header, and that of TCP if it is written already.
 *
 * clang builds it for the kernel; tests include it as it is and supply the three functions below.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#include "appliance/wire/once.h"

#define MARK_PERMIT 0x003fffffu	 /* as in appliance/wire/mark.h */
#define MARK_SESSION 0x3f3fffffu /* permit and lane */
#define MARK_JUDGED 0x80c00000u
#define MARK_AGAINST 0x40000000u

#ifdef __bpf__
#define SECTION(name) __attribute__((section(name), used))

static long (*const once_load)(const struct __sk_buff *packet, uint32_t at, void *to,
			       uint32_t n) = (void *)BPF_FUNC_skb_load_bytes;
static void *(*const look_up)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static uint64_t (*const once_now)(void) = (void *)BPF_FUNC_ktime_get_ns;

#define MAP(name, kind, n)                                                                                             \
	struct {                                                                                                       \
		int (*type)[BPF_MAP_TYPE_ARRAY];                                                                       \
		int (*map_flags)[BPF_F_MMAPABLE];                                                                      \
		int (*max_entries)[n];                                                                                 \
		uint32_t *key;                                                                                         \
		struct kind *value;                                                                                    \
	} name SECTION(".maps")

MAP(leases, once_lease, ONCE_LEASES);
MAP(templates, once_template, ONCE_TEMPLATES);
MAP(handshakes, once_handshakes, 1);

#define INLINE static inline __attribute__((always_inline))
#define lease_at(place) ((struct once_lease *)look_up(&leases, &(place)))
#define template_at(place) ((const struct once_template *)look_up(&templates, &(place)))
#define handshakes_at(place) ((struct once_handshakes *)look_up(&handshakes, &(place)))
/* Hides a value from the compiler, which would remove a bound that the verifier needs. For a length
 * n, n - 1 is bounded: the verifier of Linux 6.1 does not conclude n >= 1 from n != 0. */
#define BOUND(n) __asm__ volatile("" : "+r"(n))

char licence[] SECTION("license") = "Apache-2.0";
#else
#define SECTION(name)
#define INLINE static inline
#define BOUND(n)
#define lease_at(place) once_lease_at(place)
#define template_at(place) once_template_at(place)
#define handshakes_at(place) once_handshakes_at(place)

long once_load(const struct __sk_buff *packet, uint32_t at, void *to, uint32_t n);
uint64_t once_now(void);
struct once_lease *once_lease_at(uint32_t place);
const struct once_template *once_template_at(uint32_t place);
struct once_handshakes *once_handshakes_at(uint32_t place);
#endif

int once_match(struct __sk_buff *packet);
int once_begin(struct __sk_buff *packet);

#define TCP_ENDS 0x01u
#define TCP_BEGINS 0x02u
#define TCP_RESETS 0x04u
#define TCP_ACKS 0x10u
#define TCP_PUSHES 0x08u
#define PROTOCOL_TCP 6u

/* Headers as they are in memory. Values that are only compared stay in network byte order. */
struct head4 {
	uint8_t version, service;
	uint16_t total, id, fragment;
	uint8_t hops, protocol;
	uint16_t sum;
	uint32_t from, to;
};

struct head6 {
	uint32_t version;
	uint16_t length;
	uint8_t protocol, hops;
	uint32_t from[4], to[4];
};

struct head_tcp {
	uint16_t from, to;
	uint32_t number, acknowledged;
	uint8_t words, flags;
	uint16_t window, sum, urgent;
};

struct segment {
	uint32_t from[4], to[4];
	uint16_t from_port, to_port;
	uint32_t number, acknowledged, options;
	uint32_t at, n; /* offset and length of the data */
	uint8_t family, hops, words, flags;
};

INLINE uint16_t of16(uint16_t v)
{
	return __builtin_bswap16(v);
}

INLINE uint32_t of32(uint32_t v)
{
	return __builtin_bswap32(v);
}

/* The length of the IP header; 0: not a packet for this program. */
INLINE uint32_t read_ip(const struct __sk_buff *packet, struct segment *s)
{
	uint8_t version = 0;

	if (once_load(packet, 0, &version, 1) < 0)
		return 0;
	if (version == 0x45) {
		struct head4 h = { 0 };

		if (once_load(packet, 0, &h, sizeof(h)) < 0 || h.protocol != PROTOCOL_TCP ||
		    of16(h.total) != packet->len || (of16(h.fragment) & 0xbfffu) != 0)
			return 0;
		s->family = 4;
		s->hops = h.hops;
		s->from[0] = h.from;
		s->to[0] = h.to;
		return sizeof(h);
	}
	if (version >> 4 == 6) {
		struct head6 h = { 0 };

		if (once_load(packet, 0, &h, sizeof(h)) < 0 || h.protocol != PROTOCOL_TCP ||
		    of16(h.length) + sizeof(h) != packet->len)
			return 0;
		s->family = 6;
		s->hops = h.hops;
		for (unsigned i = 0; i < 4; i++) {
			s->from[i] = h.from[i];
			s->to[i] = h.to[i];
		}
		return sizeof(h);
	}
	return 0;
}

INLINE bool read_segment(const struct __sk_buff *packet, struct segment *s)
{
	uint32_t at = read_ip(packet, s), words;
	struct head_tcp h = { 0 };

	if (at == 0 || once_load(packet, at, &h, sizeof(h)) < 0)
		return false;
	words = h.words >> 4;
	if (words < 5 || packet->len < at + words * 4u)
		return false;
	if (words > 5 && once_load(packet, at + (uint32_t)sizeof(h), &s->options, 4) < 0)
		return false;
	s->from_port = of16(h.from);
	s->to_port = of16(h.to);
	s->number = of32(h.number);
	s->acknowledged = of32(h.acknowledged);
	s->words = h.words;
	s->flags = h.flags;
	s->at = at + words * 4u;
	s->n = packet->len - s->at;
	return true;
}

INLINE uint32_t state_exchange(uint32_t *state, uint32_t is, uint32_t becomes)
{
	return __sync_val_compare_and_swap(state, is, becomes);
}

/* Whether the packet will leave with exactly these bytes (checksum included), as one segment. */
INLINE bool is_finished(const struct __sk_buff *packet)
{
	return (packet->priority & ONCE_FINISHED) != 0 && packet->gso_size == 0;
}

/* ---- the lease of a segment ------------------------------------------------------------------ */

INLINE bool is_of(const struct once_lease *l, const struct segment *s, bool back)
{
	const uint32_t *client = back ? s->to : s->from, *server = back ? s->from : s->to;
	uint32_t differ = 0;

	for (unsigned i = 0; i < 4; i++)
		differ |= (l->client[i] ^ client[i]) | (l->server[i] ^ server[i]);
	return differ == 0 && l->family == s->family && l->client_port == (back ? s->to_port : s->from_port) &&
	       l->server_port == (back ? s->from_port : s->to_port);
}

INLINE struct once_lease *lease_find(const struct segment *s, bool back)
{
	uint32_t ports = back ? (uint32_t)s->to_port << 16 | s->from_port : (uint32_t)s->from_port << 16 | s->to_port;
	uint32_t first = back ? once_place(s->to, s->from, ports) : once_place(s->from, s->to, ports);

	for (uint32_t i = 0; i < ONCE_WAYS; i++) {
		uint32_t place = first + i;
		struct once_lease *l = lease_at(place);

		if (l != NULL && is_of(l, s, back))
			return l;
	}
	return NULL;
}

/* ---- whether it is what comes next ----------------------------------------------------------- */

#define TIME_ALONE 0x0101080au /* two bytes of padding, then kind and length of the option */

/* Whether the segment is next in order, acknowledges all data of the other end, and has no unusual
 * flags; or is a RST with exactly the next number, which the other end accepts. */
INLINE bool is_in_order(const struct once_lease *l, const struct segment *s, unsigned dir)
{
	unsigned other = 1u - dir;

	/* No options, or the timestamp alone. The lower four bits of `words` are reserved. */
	if (s->words != l->words[dir] << 4 ||
	    (s->words != 5u << 4 && (s->words != 8u << 4 || of32(s->options) != TIME_ALONE)))
		return false;
	if (s->hops < l->hops[dir] || s->number != l->next[dir])
		return false;
	if (l->ended[0] == ONCE_RESET || l->ended[1] == ONCE_RESET)
		return false;
	if (s->n == 0 && (s->flags == TCP_RESETS || s->flags == (TCP_RESETS | TCP_ACKS)))
		return l->ended[dir] == 0;
	if (s->n == 0 && s->flags == TCP_ACKS) /* an acknowledgement may be repeated */
		return s->acknowledged == l->next[other] || s->acknowledged == l->acked[other];
	if (l->ended[dir] != 0 || s->acknowledged != l->next[other])
		return false;
	if (s->n == 0)
		return s->flags == (TCP_ENDS | TCP_ACKS) && l->waits == ONCE_NOTHING;
	return (s->flags & ~TCP_PUSHES) == TCP_ACKS;
}

INLINE bool is_asked_again(const struct once_template *t, const uint64_t *request, uint32_t permit, uint32_t n)
{
	uint64_t differ = 0;

	for (unsigned i = 0; i < ONCE_REQUEST / 8; i++)
		differ |= (t->request[i] ^ request[i]) & t->mask[i];
	return differ == 0 && t->permit == permit && t->length == n;
}

INLINE bool is_its_answer(const struct once_template *t, const struct once_lease *l, uint32_t n)
{
	const uint8_t *request = (const uint8_t *)l->request, *answer = (const uint8_t *)l->answer;
	uint64_t differ = 0;

	for (unsigned i = 0; i < ONCE_HEAD / 8; i++)
		differ |= (t->head[i] ^ l->answer[i]) & t->head_mask[i];
	for (unsigned i = 0; i < ONCE_REPEATS; i++) {
		const struct once_repeat *r = &t->repeats[i];

		differ |= (uint8_t)(answer[r->at % ONCE_HEAD] ^ request[r->from % ONCE_REQUEST]) & r->any;
	}
	return differ == 0 && t->permit == l->permit && t->answer == n;
}

/*
 * Whether the packet is one of the leased requests, no request waits for its answer, and all data
 * are acknowledged. If not, `last` stays the last request that passed, and the worker continues
 * from there.
 */
INLINE bool take_request(const struct __sk_buff *packet, struct once_lease *l, const struct segment *s)
{
	uint64_t request[ONCE_REQUEST / 8] = { 0 };
	uint32_t more = s->n - 1u;

	if (l->waits != ONCE_NOTHING || l->acked[0] != l->next[0])
		return false;
	BOUND(more);
	if (more >= ONCE_REQUEST || once_load(packet, s->at, request, more + 1u) < 0)
		return false;
	for (uint32_t i = 0; i < ONCE_USES; i++) {
		uint32_t place = l->uses[i];
		const struct once_template *t = template_at(place);

		if (t == NULL || !is_asked_again(t, request, l->permit, s->n))
			continue;
		for (unsigned k = 0; k < ONCE_REQUEST / 8; k++)
			l->request[k] = request[k];
		l->last = l->waits = i;
		l->asked[i]++;
		return true;
	}
	return false;
}

INLINE bool take_answer(const struct __sk_buff *packet, struct once_lease *l, const struct segment *s)
{
	uint32_t more = s->n - 1u, waits = l->waits, place;
	const struct once_template *t;

	BOUND(waits);
	if (waits >= ONCE_USES || l->acked[1] != l->next[1])
		return false;
	place = l->uses[waits];
	t = template_at(place);
	BOUND(more);
	if (t == NULL || more >= ONCE_ANSWER || once_load(packet, s->at, l->answer, more + 1u) < 0 ||
	    !is_its_answer(t, l, s->n))
		return false;
	l->waits = ONCE_NOTHING;
	return true;
}

/* True: the packet passes and the lease has advanced. False: the lease's data are unchanged. */
INLINE bool lease_take(const struct __sk_buff *packet, struct once_lease *l, const struct segment *s, unsigned dir)
{
	if (!is_in_order(l, s, dir))
		return false;
	if (s->n > 0 && !(dir == 0 ? take_request(packet, l, s) : take_answer(packet, l, s)))
		return false;
	if ((s->flags & TCP_RESETS) != 0) {
		l->ended[dir] = ONCE_RESET;
		return true;
	}
	l->acked[1u - dir] = s->acknowledged;
	l->next[dir] += s->n;
	if ((s->flags & TCP_ENDS) != 0) {
		l->ended[dir] = l->ended[1u - dir] + 1u;
		l->next[dir]++;
	}
	l->seen_ns = once_now();
	return true;
}

/* ---- handshakes ------------------------------------------------------------------------------ */

#define OPTIONS 10u /* words of 4 bytes, at most */

/*
 * Whether a SYN or SYN-ACK has only the usual options with the usual padding. A worker has to see
 * all other options: some are malformed, and Multipath TCP spreads a session over several
 * connections.
 */
INLINE bool has_usual_options(const struct __sk_buff *packet, const struct segment *s)
{
	uint32_t n = ((uint32_t)s->words >> 4) - 5u, more = n * 4u - 1u, free = 0, options[OPTIONS] = { 0 };

	if ((s->words & 0x0fu) != 0) /* reserved bits */
		return false;
	BOUND(more);
	if (n > 0 && (more >= OPTIONS * 4u || once_load(packet, s->at - n * 4u, options, more + 1u) < 0))
		return false;
	for (uint32_t i = 0; i < OPTIONS; i++) {
		uint32_t word = of32(options[i]);

		if (i >= n)
			break;
		if (free > 0)
			free--;
		else if (word == 0x0402080a || word == TIME_ALONE) /* two words of time follow */
			free = 2;
		else if (word >> 16 != 0x0204 &&		   /* segment size */
			 word >> 8 != 0x010303 &&		   /* window scale */
			 word != 0x01010402 && word != 0x04020000) /* selective acknowledgements */
			return false;
	}
	return free == 0;
}

INLINE bool handshake_begins(const struct once_handshake *h, const struct segment *s, bool back)
{
	const uint32_t *client = back ? s->to : s->from, *server = back ? s->from : s->to;
	uint32_t differ = h->mark == 0;

	for (unsigned i = 0; i < 4; i++)
		differ |= (h->client[i] ^ client[i]) | (h->server[i] ^ server[i]);
	return differ == 0 && h->family == s->family && h->client_port == (back ? s->to_port : s->from_port) &&
	       h->server_port == (back ? s->from_port : s->to_port);
}

/* Whether the segment is next in the handshake. */
INLINE bool is_next(const struct __sk_buff *packet, const struct once_handshake *h, const struct segment *s, bool back)
{
	if (s->n > 0 || !is_finished(packet) || (packet->mark & MARK_SESSION) != h->mark)
		return false;
	if (back)
		return h->passed == 1 && s->flags == (TCP_BEGINS | TCP_ACKS) && s->acknowledged == h->number[0] + 1u &&
		       has_usual_options(packet, s);
	/* this acknowledgement may be repeated */
	return h->passed >= 2 && s->flags == TCP_ACKS && s->number == h->number[0] + 1u &&
	       s->acknowledged == h->number[1] + 1u;
}

/* Stores the handshake in this slot, if it is free. */
INLINE bool handshake_begin(struct once_handshake *h, uint32_t mark, const struct segment *s)
{
	if (h->mark != 0 || state_exchange(&h->state, ONCE_BACK, ONCE_BUSY) != ONCE_BACK)
		return false;
	if (h->mark == 0) {
		for (unsigned i = 0; i < 4; i++) {
			h->client[i] = s->from[i];
			h->server[i] = s->to[i];
		}
		h->client_port = s->from_port;
		h->server_port = s->to_port;
		h->family = s->family;
		h->number[0] = s->number;
		h->since_ns = once_now();
		h->passed = 1;
		h->mark = mark & MARK_SESSION;
		if (state_exchange(&h->state, ONCE_BUSY, ONCE_GIVEN) == ONCE_BUSY)
			return true;
		h->mark = 0; /* the worker took the slot back, and gets this packet */
	}
	__sync_lock_test_and_set(&h->state, ONCE_BACK);
	return false;
}

INLINE bool go_on(const struct __sk_buff *packet, struct once_handshake *h, const struct segment *s, bool back)
{
	uint32_t was = state_exchange(&h->state, ONCE_GIVEN, ONCE_BUSY);
	uint8_t passed;
	bool passes;

	if (was == ONCE_BUSY)
		state_exchange(&h->state, ONCE_BUSY, ONCE_RECALLED);
	if (was != ONCE_GIVEN)
		return false;
	passed = h->passed;
	passes = handshake_begins(h, s, back) && is_next(packet, h, s, back);
	if (passes) {
		h->passed = back ? 2 : 3;
		if (back)
			h->number[1] = s->number;
		if (state_exchange(&h->state, ONCE_BUSY, ONCE_GIVEN) == ONCE_BUSY)
			return true;
		h->passed = passed;
	}
	__sync_lock_test_and_set(&h->state, ONCE_BACK);
	return false;
}

/* Whether the packet begins a session or comes next in its handshake, and so passes. Any other
 * packet of the session gives the handshake back to the worker. */
INLINE bool shake_hands(const struct __sk_buff *packet, const struct segment *s, bool back)
{
	uint32_t ports = back ? (uint32_t)s->to_port << 16 | s->from_port : (uint32_t)s->from_port << 16 | s->to_port;
	uint32_t first = back ? once_place(s->to, s->from, ports) : once_place(s->from, s->to, ports);
	uint32_t only = 0;
	struct once_handshakes *all = handshakes_at(only);

	first &= ONCE_HANDSHAKES - ONCE_WAYS;
	if (all == NULL)
		return false;
	for (uint32_t i = 0; i < ONCE_WAYS; i++)
		if (handshake_begins(&all->of[first + i], s, back))
			return go_on(packet, &all->of[first + i], s, back);
	if (back || s->flags != TCP_BEGINS || s->n > 0 || !is_finished(packet) || !has_usual_options(packet, s) ||
	    once_now() - all->alive_ns > ONCE_ALIVE_NS)
		return false;
	for (uint32_t i = 0; i < ONCE_WAYS; i++)
		if (handshake_begin(&all->of[first + i], packet->mark, s))
			return true;
	return false;
}

/* ---- the two programs ------------------------------------------------------------------------ */

/* For lanes with commands. */
SECTION("socket")
int once_match(struct __sk_buff *packet)
{
	bool back = (packet->mark & MARK_AGAINST) != 0, passes;
	struct segment s = { 0 };
	struct once_lease *l;
	uint32_t was;

	if ((packet->mark & MARK_JUDGED) != 0 || !read_segment(packet, &s))
		return 0;
	l = lease_find(&s, back);
	if (l == NULL)
		return shake_hands(packet, &s, back);
	was = state_exchange(&l->state, ONCE_GIVEN, ONCE_BUSY);
	/* another processor holds the lease, so this packet is queued, and all later packets must
	 * be queued behind it */
	if (was == ONCE_BUSY)
		state_exchange(&l->state, ONCE_BUSY, ONCE_RECALLED);
	if (was == ONCE_BACK) { /* the lease may be of an earlier session on these ports */
		passes = shake_hands(packet, &s, back);
		/* a new session begins, so no worker may go on with the earlier one */
		if (passes)
			l->n_kept = 0;
		return passes;
	}
	if (was != ONCE_GIVEN)
		return 0;
	if (!is_of(l, &s, back)) { /* meanwhile the lease was given to another session */
		if (state_exchange(&l->state, ONCE_BUSY, ONCE_GIVEN) != ONCE_BUSY)
			state_exchange(&l->state, ONCE_RECALLED, ONCE_BACK);
		return 0;
	}
	passes = is_finished(packet) && l->permit != 0 && (packet->mark & MARK_PERMIT) == l->permit &&
		 lease_take(packet, l, &s, back ? 1u : 0u);
	if (!passes || state_exchange(&l->state, ONCE_BUSY, ONCE_GIVEN) != ONCE_BUSY)
		__sync_lock_test_and_set(&l->state, ONCE_BACK);
	return passes;
}

/* For lanes whose worker only names sessions. */
SECTION("socket")
int once_begin(struct __sk_buff *packet)
{
	struct segment s = { 0 };

	return (packet->mark & MARK_JUDGED) == 0 && read_segment(packet, &s) &&
	       shake_hands(packet, &s, (packet->mark & MARK_AGAINST) != 0);
}
