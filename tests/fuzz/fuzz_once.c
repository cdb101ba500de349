/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the program of the verdict cache (appliance/cache/program.c, compiled natively) with the
 * inspector. Two inspectors see the same sessions. One gets every packet. The other lends each
 * session to the program as early as possible, gets only the packets that the program does not
 * pass, and takes the session back with the first of them. The handshakes pass by the program, too.
 * What the program passes, the first inspector must pass, too. About all other packets both must
 * decide alike, and after a session was taken back, both must know the same about it. The second
 * one may die: the next one goes on with what was lent, and the same holds for it.
 *
 * Input: which protocol's session (tests/unit/dpi/speeches.h), then two bytes for each step: what
 * happens in which session, and a number for it.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: appliance/wire/tag.c
 * LINK: appliance/cache/program.c
 * LIBS: libndpi nettle
 */
#include <linux/bpf.h>

#include "dpi/inspect/crossing.h"
#include "dpi/inspect/state.h"
#include "tests/unit/cache/native.h"
#include "tests/unit/dpi/inspect_desk.h"
#include "tests/unit/dpi/speeches.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 400u
#define CONNS 3u
#define LIVES 512u
#define READS 1u /* permits: one for the policy of the speech, one for the whole protocol */
#define WHOLE 2u
#define SAID 600u
#define FLOWS 32u

static void must(bool x)
{
	if (!x)
		abort();
}

/* ---- a session and its ends ------------------------------------------------------------------ */

struct life {
	struct conn k;
	uint32_t permit;
	struct once_lease *lease, note; /* `note`: kept for another worker if there is no lease */
	uint32_t uses[ONCE_USES], n_uses;
	uint8_t last[2][SAID]; /* what passed, by direction */
	uint32_t n_last[2];
	uint8_t words[2], hops[2];
	uint16_t tid;
	bool elsewhere; /* the SYN of the session did not pass here */
	bool resumed;	/* `lends` knows it from a lease, and counts other offsets */
};

static struct {
	/* the inspector that sees all packets, and the one that gives leases */
	struct inspector *all, *lends;
	unsigned runs;
	uint8_t *images[2];
	size_t n_images[2];
} desks[SPEECHES + 1u];

static struct blob {
	uint8_t b[320];
	size_t n;
} greeting[2][2], requests[3], answer;

/* A form that is not among the speeches. */
static const struct speech slmp_4e = {
	.name = "SLMP, 4E binary",
	.enforcer = &slmp_enforcer,
	.port = 5007,
	.read = "5400 0100 0000 00ff ff03 00 0c00 1000 0104 0000 0a0000 a8 0200",
	.answer = "d400 0100 0000 00ff ff03 00 0600 0000 0700 0700",
	.writes = { "5400 0100 0000 00ff ff03 00 1000 1000 0114 0000 310000 a8 0200 0100 0700",
		    "5400 0100 0000 00ff ff03 00 0c00 1000 0104 0000 640000 a8 0200" },
	.policy = slmp_policy,
};

static const struct speech *speech;
static unsigned which;
static struct life lives[CONNS];
static struct offer offer;
static struct {
	uint32_t all, lends;
} pairs[STEPS_MAX * 4];
static size_t n_pairs;
static unsigned table; /* the image in force */
static unsigned begun; /* handshakes that the second inspector does not know yet */
static uint32_t n_templates;

static struct blob blob_of(const char *hex)
{
	struct blob m = { .n = 0 };

	for (; hex != NULL && *hex != '\0'; hex++) {
		char two[3] = { hex[0], hex[1], '\0' };

		if (*hex == ' ')
			continue;
		m.b[m.n++] = (uint8_t)strtoul(two, NULL, 16);
		hex++;
	}
	return m;
}

static struct session_ends ends_of(const struct life *l)
{
	struct conn k = l->k;
	struct session_ends e = { .client_port = k.client_port, .server_port = k.server_port, .l4proto = IP_TCP };
	struct decoded d;

	must(decode_packet(bytes_of(desk_packet, desk_tcp(&k, DIR_C2S, 0, 0, DESK_ACK, NULL, 0)), CHECKSUM_STRICT,
			   &d) == R_NONE);
	e.client = d.src;
	e.server = d.dst;
	return e;
}

static const struct flow *flow_of(struct inspector *i, const struct life *l)
{
	struct session_ends e = ends_of(l);
	struct decoded d = {
		.src = e.client, .dst = e.server, .sport = e.client_port, .dport = e.server_port, .l4proto = IP_TCP
	};
	enum direction dir;
	uint32_t fi = flow_find(&i->flows, &d, &dir);

	return fi == FLOW_NONE ? NULL : flow_at(&i->flows, fi);
}

/* ---- lending and taking back ----------------------------------------------------------------- */

static void same_of(const struct life *l)
{
	const struct flow *a = flow_of(desks[which].all, l), *b = flow_of(desks[which].lends, l);

	if (a == NULL || b == NULL)
		abort();
	if (b->kind != KIND_FOLLOWED || a->kind != KIND_FOLLOWED)
		return;
	for (unsigned k = 0; k < 2; k++) {
		must(a->stream.dir[k].next == b->stream.dir[k].next &&
		     a->stream.dir[k].acked == b->stream.dir[k].acked);
		must(l->resumed || a->stream.dir[k].offset == b->stream.dir[k].offset);
		must(stream_unacknowledged(&a->stream, (enum direction)k) ==
		     stream_unacknowledged(&b->stream, (enum direction)k));
		must(a->stream.dir[k].kept.bytes == b->stream.dir[k].kept.bytes);
	}
}

static void take_back(struct life *l)
{
	const struct once_lease *x = l->lease;

	if (x == NULL)
		return;
	l->lease->state = ONCE_BACK;
	inspector_take_back(desks[which].lends, x,
			    x->last == ONCE_NOTHING ? NULL : &native.templates[x->uses[x->last]]);
	same_of(l);
	memset(l->lease, 0, sizeof(*l->lease));
	l->lease = NULL;
}

/* The second inspector learns the handshakes that passed; NULL: of all sessions. */
static void catch_up(const struct life *l)
{
	for (uint32_t i = 0; begun > 0 && i < ONCE_HANDSHAKES; i++) {
		struct once_handshake *h = &native.handshakes.of[i];

		if (h->mark == 0 || (l != NULL && (h->client_port != l->k.client_port || h->family != l->k.family)))
			continue;
		inspector_catch_up(desks[which].lends, h);
		h->mark = 0;
		h->state = ONCE_BACK;
		begun--;
	}
}

/* Sessions share equal templates. */
static void keep_template(struct life *l, const struct once_template *t)
{
	uint32_t at = 0;

	while (at < n_templates && memcmp(&native.templates[at], t, sizeof(*t)) != 0)
		at++;
	for (uint32_t i = 0; i < l->n_uses; i++)
		if (l->uses[i] == at)
			return;
	if (at == ONCE_TEMPLATES)
		return;
	native.templates[at] = *t;
	n_templates += at == n_templates;
	l->uses[l->n_uses < ONCE_USES ? l->n_uses++ : t->length % ONCE_USES] = at;
}

static void lend(struct life *l)
{
	struct once_lease x = offer.lease;
	uint32_t place;

	if (offer.is == OFFER_NEVER)
		l->n_uses = 0;
	if (!inspector_offers(desks[which].lends))
		return;
	if (offer.is == OFFER_NEVER) {
		l->note = offer.lease;
		return;
	}
	must(l->lease == NULL && x.client_port == l->k.client_port);
	keep_template(l, &offer.of);
	if (l->n_uses == 0)
		return;
	for (uint32_t i = 0; i < ONCE_USES; i++)
		x.uses[i] = l->uses[i < l->n_uses ? i : 0];
	memcpy(x.words, l->words, 2);
	memcpy(x.hops, l->hops, 2);
	place = once_place(x.client, x.server, (uint32_t)x.client_port << 16 | x.server_port);
	for (uint32_t i = 0; i < ONCE_WAYS && l->lease == NULL; i++)
		if (native.leases[place + i].permit == 0)
			l->lease = &native.leases[place + i];
	if (l->lease == NULL)
		return;
	x.state = ONCE_GIVEN;
	*l->lease = x;
}

/* ---- a packet -------------------------------------------------------------------------------- */

struct odd {
	uint8_t hops;	 /* 0: unchanged */
	bool times, cut; /* options; a frame that is not yet divided into segments */
};

static size_t build(struct life *l, enum direction dir, uint32_t seq, uint32_t ack, unsigned flags, const void *p,
		    size_t n, struct odd odd)
{
	static const uint8_t times[12] = { 1, 1, 8, 10 };
	uint8_t both[SAID + 12];
	size_t size;

	if (odd.times) {
		memcpy(both, times, 12);
		memcpy(both + 12, p, n);
		desk_option_words = 3;
	}
	size = desk_tcp(&l->k, dir, seq, ack, flags, odd.times ? both : p, odd.times ? n + 12 : n);
	desk_option_words = 0;
	if (odd.hops != 0 && l->k.family == 4) {
		desk_packet[8] = odd.hops;
		put16(desk_packet + 10, 0);
		put16(desk_packet + 10, ~sum16(0, desk_packet, 20) & 0xffff);
	} else if (odd.hops != 0) {
		desk_packet[7] = odd.hops;
	}
	return size;
}

/* True: the sequence numbers of the ends advance. */
static bool hand(struct life *l, enum direction dir, uint32_t seq, uint32_t ack, unsigned flags, const void *p,
		 size_t n, struct odd odd)
{
	size_t size = build(l, dir, seq, ack, flags, p, n, odd);
	uint32_t mark = mark_make(l->permit, lane_number(desk_lane(P_TOY)), MARK_UNJUDGED) |
			(dir == DIR_S2C ? MARK_REPLY : 0),
		 id, all;
	struct __sk_buff skb = {
		.len = (uint32_t)size, .mark = mark, .priority = ONCE_FINISHED, .gso_size = odd.cut ? 1000 : 0
	};
	struct once_lease *lease = l->lease;
	const struct flow *f = flow_of(desks[which].all, l);
	bool passes;

	/* The rules do not finish a SYN over a session that is tracked (kernel/finished.c). */
	if (flags == DESK_SYN && f != NULL && f->class != CLASS_ENDED)
		skb.priority = 0;
	size = build(l, dir, seq, ack, flags, p, n, odd); /* the look-up used its place */
	native.packet = desk_packet;
	native.bytes = size;
	native.handshakes.alive_ns = native.now = desk_now;
	passes = once_match(&skb) != 0;
	must(!passes || lease != NULL || n == 0);
	must(lease == NULL || odd.cut || lease->state == (passes ? ONCE_GIVEN : ONCE_BACK));
	begun += passes && lease == NULL && flags == DESK_SYN;
	if (passes && lease == NULL)
		l->note.n_kept = 0; /* a handshake that passes over a note ends it (program.c) */
	if (!passes) {
		take_back(l);
		catch_up(l);
		size = build(l, dir, seq, ack, flags, p, n, odd);
	}
	desk_i = desks[which].all;
	all = desk_hand_as(size, mark, false);
	if (passes) {
		must(desk.outcome[all % DESK_IDS] >= OUTCOME_ACCEPT);
		return true;
	}
	desk_i = desks[which].lends;
	l->note.n_kept = 0;
	id = desk_hand_as(size, mark, false);
	l->words[dir] = odd.times ? 8 : 5;
	l->hops[dir] = odd.hops != 0 ? odd.hops : 64;
	lend(l);
	if (n_pairs < sizeof(pairs) / sizeof(pairs[0])) {
		pairs[n_pairs].all = all;
		pairs[n_pairs++].lends = id;
	}
	if (desk.outcome[id % DESK_IDS] < OUTCOME_ACCEPT)
		return false;
	l->n_last[dir] = (uint32_t)(n < SAID ? n : 0);
	if (l->n_last[dir] > 0)
		memcpy(l->last[dir], p, l->n_last[dir]);
	return true;
}

static const struct odd plain = { 0 };

static void client_sends(struct life *l, const uint8_t *p, size_t n, struct odd odd)
{
	if (hand(l, DIR_C2S, l->k.c, l->k.s, DESK_ACK | DESK_PSH, p, n, odd))
		l->k.c += (uint32_t)n;
}

static void server_sends(struct life *l, const uint8_t *p, size_t n, struct odd odd)
{
	if (hand(l, DIR_S2C, l->k.s, l->k.c, DESK_ACK | DESK_PSH, p, n, odd))
		l->k.s += (uint32_t)n;
}

/* Writes a number into a request, where this speech has one. */
static void number(struct life *l, struct blob *b)
{
	size_t at = speech->enforcer == &s7comm_enforcer ? 11 : speech->enforcer == &enip_enforcer ? 12 : 0;

	if (speech->enforcer == &slmp_enforcer)
		at = b->b[0] == 0x54 || b->b[0] == 0xd4 ? 2 : SAID;
	if (speech->enforcer == &fins_enforcer) {
		if (b->n > 25)
			b->b[25] = (uint8_t)l->tid;
		return;
	}
	if (at + 2 > b->n)
		return;
	b->b[at] = (uint8_t)(l->tid >> 8);
	b->b[at + 1] = (uint8_t)l->tid;
}

static struct blob request_of(struct life *l, unsigned k)
{
	struct blob b = requests[k % 8 == 7 ? 2 : k % 8 == 6 ? 1 : 0];

	l->tid = (uint16_t)(l->tid * 3u + 257u);
	number(l, &b);
	return b;
}

static struct blob answer_of(struct life *l)
{
	struct blob b = answer;

	number(l, &b);
	if (speech->enforcer == &modbus_enforcer && b.n > 10)
		b.b[10] = (uint8_t)l->tid;
	return b;
}

static void open_life(struct life *l, bool plainly)
{
	uint16_t port = l->k.client_port;

	take_back(l);
	if (plainly) {
		desk_conn(P_TOY);
		l->k.client_port = port;
	}
	l->k.c += 100000u;
	l->k.s += 77777u;
	l->n_uses = 0;
	l->elsewhere = l->resumed = false;
	if (!hand(l, DIR_C2S, l->k.c, 0, DESK_SYN, NULL, 0, plain))
		return;
	l->k.c++;
	hand(l, DIR_S2C, l->k.s, l->k.c, DESK_SYN | DESK_ACK, NULL, 0, plain);
	l->k.s++;
	hand(l, DIR_C2S, l->k.c, l->k.s, DESK_ACK, NULL, 0, plain);
	for (unsigned i = 0; i < 2 && greeting[i][0].n > 0; i++) {
		client_sends(l, greeting[i][0].b, greeting[i][0].n, plain);
		server_sends(l, greeting[i][1].b, greeting[i][1].n, plain);
	}
}

static void table_now(uint8_t arg)
{
	uint8_t digest[32];

	catch_up(NULL);
	table = arg & 1u;
	must(inspector_table(desks[which].all, bytes_of(desks[which].images[arg & 1u], desks[which].n_images[arg & 1u]),
			     digest));
	must(inspector_table(desks[which].lends,
			     bytes_of(desks[which].images[arg & 1u], desks[which].n_images[arg & 1u]), digest));
}

/* ---- another worker -------------------------------------------------------------------------- */

#define DEATHS_MAX 4u
static unsigned deaths;

/* Both know the same state, as far as a worker would keep it. */
static void same_state_of(const struct life *l)
{
	const struct flow *a = flow_of(desks[which].all, l), *b = flow_of(desks[which].lends, l);
	uint8_t kept[2][ONCE_KEPT];
	struct outbuf o[2] = { outbuf_of(kept[0], ONCE_KEPT), outbuf_of(kept[1], ONCE_KEPT) };

	if (a == NULL || b == NULL || a->commands == NULL || b->commands == NULL)
		return;
	must(a->commands->enforcer->keep(a->commands->state, &o[0]) ==
	     b->commands->enforcer->keep(b->commands->state, &o[1]));
	must(o[0].len == o[1].len && memcmp(kept[0], kept[1], o[0].len) == 0);
}

/* Whether the leases of a worker that dies now hold everything that the next one needs. */
static bool may_die(void)
{
	for (unsigned c = 0; c < CONNS; c++) {
		const struct flow *f = flow_of(desks[which].lends, &lives[c]);

		if (f != NULL && f->wait.n > 0)
			return false;
		/* an answer that the serial gateway may repeat */
		if (speech->enforcer == &modbus_enforcer &&
		    (lives[c].note.n_kept > 0 || (lives[c].lease != NULL && lives[c].lease->last == ONCE_NOTHING)))
			return false;
	}
	return deaths < DEATHS_MAX;
}

static void resume(struct life *l)
{
	bool lent = l->lease != NULL;
	struct once_lease was = lent ? *l->lease : l->note;

	if (lent)
		memset(l->lease, 0, sizeof(*l->lease));
	l->lease = NULL;
	l->note.n_kept = 0;
	l->n_uses = 0;
	if (!inspector_resume(desks[which].lends, &was,
			      was.last == ONCE_NOTHING ? NULL : &native.templates[was.uses[was.last]], lent))
		return;
	l->resumed = true;
	same_of(l);
	same_state_of(l);
}

/* The worker that lends dies. The next one goes on with what was lent, and knows nothing else. */
static void another_worker(void)
{
	struct inspector_limits limits = { .outside = desk_outside,
					   .flows = FLOWS,
					   .pool_bytes = 1u << 16,
					   .table_bytes = 1u << 16,
					   .offer = &offer };
	uint8_t digest[32];

	if (!may_die())
		return;
	deaths++;
	desks[which].runs = 0; /* the two inspectors now know different earlier sessions */
	inspector_free(desks[which].lends);
	desks[which].lends = inspector_new(&limits);
	must(desks[which].lends != NULL &&
	     inspector_table(desks[which].lends, bytes_of(desks[which].images[table], desks[which].n_images[table]),
			     digest));
	for (unsigned c = 0; c < CONNS; c++) {
		struct life *l = &lives[c];

		if (l->lease != NULL || l->note.n_kept > 0)
			resume(l);
		if (flow_of(desks[which].lends, l) != NULL)
			continue;
		l->k.client_port = (uint16_t)(41000u + 16u * deaths + c);
		l->elsewhere = true;
		open_life(l, false);
	}
}

/* What a worker that somebody had taken over may leave: any bytes. Nothing is compared. */
static void lie(const struct life *l, uint8_t arg)
{
	static struct inspector *to[SPEECHES + 1u];
	struct inspector_limits limits = {
		.outside = desk_outside, .flows = FLOWS, .pool_bytes = 1u << 16, .table_bytes = 1u << 16
	};
	struct once_lease x = l->lease != NULL ? *l->lease : l->note;
	struct once_template t = native.templates[x.uses[0] % ONCE_TEMPLATES];
	uint8_t digest[32];
	uint32_t seed = arg;

	if (to[which] == NULL)
		to[which] = inspector_new(&limits);
	must(to[which] != NULL &&
	     inspector_table(to[which], bytes_of(desks[which].images[table], desks[which].n_images[table]), digest));
	for (unsigned n = 0; n < 1u + arg % 8u; n++) {
		seed = seed * 1664525u + 1013904223u;
		((uint8_t *)&x)[(seed >> 8) % sizeof(x)] ^= (uint8_t)(1u << (seed & 7u));
		x.kept[(seed >> 12) % ONCE_KEPT] ^= (uint8_t)(seed >> 24 & (arg & 1u ? 0xffu : 0x03u));
		((uint8_t *)&t)[(seed >> 6) % sizeof(t)] ^= (uint8_t)(seed & 4u ? seed >> 20 : 0);
	}
	inspector_resume(to[which], &x, arg & 2u ? &t : NULL, arg & 4u);
	inspector_recount(to[which], &x, &t, arg);
	inspector_tick(to[which]);
}

static void one_step(uint8_t what, uint8_t arg)
{
	struct life *l = &lives[(what & 3u) % CONNS];
	const struct flow *f = flow_of(desks[which].all, l);
	struct blob b;
	size_t n;

	if (f == NULL ? !l->elsewhere : f->kind != KIND_FOLLOWED || f->class == CLASS_ENDED)
		open_life(l, true);
	switch (what >> 2) {
	case 0:
		open_life(l, true);
		break;
	case 1 ... 9:
		b = request_of(l, arg);
		client_sends(l, b.b, b.n, plain);
		break;
	case 10 ... 18:
		b = answer_of(l);
		server_sends(l, b.b, b.n, plain);
		break;
	case 19 ... 24: /* request and answer, in time */
		b = request_of(l, arg);
		client_sends(l, b.b, b.n, plain);
		b = answer_of(l);
		server_sends(l, b.b, b.n, plain);
		break;
	case 25:
		hand(l, DIR_C2S, l->k.c, l->k.s - (arg & 1u ? arg : 0u), DESK_ACK, NULL, 0, plain);
		break;
	case 26:
		hand(l, DIR_S2C, l->k.s, l->k.c - (arg & 1u ? arg : 0u), DESK_ACK, NULL, 0, plain);
		break;
	case 27 ... 29:
		b = request_of(l, arg >> 6);
		b.b[arg % b.n] ^= (uint8_t)(1u << (what & 7u));
		client_sends(l, b.b, b.n, plain);
		break;
	case 30 ... 32:
		b = answer_of(l);
		b.b[arg % b.n] ^= (uint8_t)(1u << (what & 7u));
		server_sends(l, b.b, b.n, plain);
		break;
	case 33:
	case 34: /* the same once more, or other bytes in its place */
		b = request_of(l, arg >> 5);
		memcpy(b.b, l->last[0], l->n_last[0] < b.n && arg & 1u ? l->n_last[0] : 0);
		hand(l, DIR_C2S, l->k.c - (uint32_t)b.n, l->k.s, DESK_ACK, b.b, b.n, plain);
		break;
	case 35:
	case 36:
		b = answer_of(l);
		b.b[b.n - 1] ^= arg & 1u;
		hand(l, DIR_S2C, l->k.s - (uint32_t)b.n, l->k.c, DESK_ACK, b.b, b.n, plain);
		break;
	case 37:
		if (hand(l, arg & 1u ? DIR_C2S : DIR_S2C, arg & 1u ? l->k.c : l->k.s, arg & 1u ? l->k.s : l->k.c,
			 arg & 2u ? DESK_ACK | DESK_FIN : DESK_RST, NULL, 0, plain) &&
		    arg & 2u)
			/* of the FIN; the other end may still send */
			++*(arg & 1u ? &l->k.c : &l->k.s);
		break;
	case 38:
		b = request_of(l, 0);
		client_sends(l, b.b, b.n, (struct odd){ .hops = (uint8_t)(arg | 1u) });
		break;
	case 39:
		b = request_of(l, 0);
		client_sends(l, b.b, b.n, (struct odd){ .times = true });
		break;
	case 40:
		b = answer_of(l);
		server_sends(l, b.b, b.n, (struct odd){ .times = arg & 1u, .hops = arg & 2u ? 63 : 0 });
		break;
	case 41: /* after a gap, or before the byte that is due */
		b = request_of(l, 0);
		hand(l, DIR_C2S, l->k.c + arg - 128u, l->k.s, DESK_ACK, b.b, b.n, plain);
		break;
	case 42:
		b = request_of(l, 0);
		n = arg % b.n;
		client_sends(l, b.b, n, plain);
		client_sends(l, b.b + n, b.n - n, plain);
		break;
	case 43: /* two requests in one segment */
		b = request_of(l, 0);
		memcpy(b.b + b.n, b.b, b.n <= 160 ? b.n : 0);
		client_sends(l, b.b, b.n <= 160 ? 2 * b.n : b.n, plain);
		break;
	case 44:
		b = request_of(l, 0);
		hand(l, DIR_C2S, l->k.c, l->k.s - arg, DESK_ACK, b.b, b.n, plain);
		break;
	case 45:
		b = answer_of(l);
		hand(l, DIR_S2C, l->k.s, l->k.c - arg, DESK_ACK, b.b, b.n, plain);
		break;
	case 46:
		catch_up(NULL);
		desk_now += (uint64_t)arg * 40000000u;
		inspector_tick(desks[which].all);
		inspector_tick(desks[which].lends);
		break;
	case 47:
	case 48:
		l->permit = arg & 1u ? READS : WHOLE;
		break;
	case 49:
		table_now(arg);
		break;
	case 50:
		take_back(l);
		break;
	case 51:
		b = request_of(l, 0);
		hand(l, arg & 64u ? DIR_C2S : DIR_S2C, arg & 64u ? l->k.c : l->k.s, arg & 64u ? l->k.s : l->k.c,
		     arg & 63u, b.b, arg & 128u ? b.n : 0, plain);
		break;
	case 52:
		b = request_of(l, 0);
		client_sends(l, b.b, b.n, (struct odd){ .cut = true });
		break;
	case 53: /* over the session */
		hand(l, DIR_C2S, l->k.c + arg * 1000u, 0, DESK_SYN, NULL, 0, plain);
		break;
	case 54:
		b = answer;
		b.b[arg % b.n] = (uint8_t)(b.b[arg % b.n] + 1u);
		server_sends(l, b.b, b.n - (what & 1u), plain);
		break;
	case 55: /* a session that began elsewhere, under the permit that picks it up */
		take_back(l);
		l->note.n_kept = 0;
		l->n_uses = 0;
		l->permit = arg & 3u ? WHOLE : READS;
		l->k.client_port = (uint16_t)(42000u + 1000u * deaths + arg * CONNS + (uint32_t)(l - lives));
		l->elsewhere = true;
		break;
	case 56:
	case 57:
		another_worker();
		break;
	case 58:
		lie(l, arg);
		break;
	case 59: /* both end, one after the other, in any order */
	case 60:
		for (unsigned k = 0; k < 2 + (arg & 1u); k++) {
			enum direction dir = (k ^ what) & 1u ? DIR_S2C : DIR_C2S;
			uint32_t *own = dir == DIR_C2S ? &l->k.c : &l->k.s;

			if (hand(l, dir, *own, dir == DIR_C2S ? l->k.s : l->k.c, k < 2 ? DESK_ACK | DESK_FIN : DESK_ACK,
				 NULL, 0, plain) &&
			    k < 2)
				++*own;
		}
		break;
	default:
		b = request_of(l, 0);
		client_sends(l, b.b, b.n, plain);
		b = answer_of(l);
		server_sends(l, b.b, b.n, plain);
		hand(l, DIR_C2S, l->k.c, l->k.s, DESK_ACK, NULL, 0, plain);
		break;
	}
}

/* ---- the policy ------------------------------------------------------------------------------ */

static uint8_t *image_of(const struct speech *s, bool other, size_t *ret_n)
{
	static struct desk d;
	static struct command_permit permits[2];
	struct command_row *row;
	struct outbuf o;
	uint8_t *p;

	desk_clear_policy(&d);
	row = desk_grant(&d, 0, other ? 200 : 100, false);
	s->policy(&d, row);
	d.table.n_spaces = row->n_spaces;
	d.permit.lane = lane_number(desk_lane(P_TOY));
	d.permit.midstream = MID_RESET;
	d.permit.ports = desk_range(&d, s->port, s->port);
	permits[0] = permits[1] = d.permit;
	permits[0].permit = READS;
	permits[1].permit = WHOLE;
	permits[1].first_grant = 1;
	permits[1].n_grants = 1;
	permits[1].midstream = MID_PICK_UP;
	d.grants[1] = d.grants[0];
	d.grants[1].whole = true;
	d.grants[1].n_rows = 0;
	d.table.grants = d.grants;
	d.table.n_grants = 2;
	d.table.permits = permits;
	d.table.n_permits = 2;
	*ret_n = commands_size(&d.table);
	p = malloc(*ret_n);
	o = outbuf_of(p, *ret_n);
	must(p != NULL && commands_encode(&d.table, &o));
	*ret_n = o.len;
	return p;
}

static void begin(unsigned k)
{
	struct inspector_limits limits = {
		.outside = desk_outside, .flows = FLOWS, .pool_bytes = 1u << 16, .table_bytes = 1u << 16
	};

	which = k;
	speech = k == SPEECHES ? &slmp_4e : &speeches[k];
	desk_enforcer = speech->enforcer;
	desk_directed = true;
	for (unsigned i = 0; i < 4; i++)
		greeting[i / 2][i % 2] = blob_of(speech->greeting[i / 2][i % 2]);
	requests[0] = blob_of(speech->read);
	requests[1] = blob_of(speech->writes[0]);
	requests[2] = blob_of(speech->writes[1]);
	answer = blob_of(speech->answer);
	if (desks[k].runs++ % LIVES == 0) {
		inspector_free(desks[k].all);
		inspector_free(desks[k].lends);
		desks[k].all = inspector_new(&limits);
		limits.offer = &offer;
		desks[k].lends = inspector_new(&limits);
		must(desks[k].all != NULL && desks[k].lends != NULL);
		for (unsigned i = 0; i < 2 && desks[k].images[i] == NULL; i++)
			desks[k].images[i] = image_of(speech, i == 1, &desks[k].n_images[i]);
	}
	table_now(0);
	desk_now += 4000u * (uint64_t)1000000000u;
	memset(&native.handshakes, 0, sizeof(native.handshakes));
	begun = 0;
	desk_clear();
	desk_id = 0;
	n_pairs = n_templates = deaths = 0;
	for (unsigned c = 0; c < CONNS; c++) {
		lives[c] = (struct life){ .permit = READS, .k = desk_conn(P_TOY) };
		lives[c].k.client_port = (uint16_t)(41000u + c);
		lives[c].k.server_port = speech->port;
		lives[c].k.family = c == 1 ? 6 : 4;
	}
}

static void end(void)
{
	for (unsigned c = 0; c < CONNS; c++)
		if (lives[c].lease != NULL)
			take_back(&lives[c]);
	catch_up(NULL);
	inspector_finish(desks[which].all);
	inspector_finish(desks[which].lends);
	for (size_t i = 0; i < n_pairs; i++)
		must((desk.outcome[pairs[i].lends % DESK_IDS] < OUTCOME_ACCEPT) ==
		     (desk.outcome[pairs[i].all % DESK_IDS] < OUTCOME_ACCEPT));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = bytes_of(data, size);
	uint8_t k = 0, what, arg;

	bytes_u8(&b, &k);
	begin(k % (SPEECHES + 1u));
	for (unsigned c = 0; c < CONNS; c++)
		open_life(&lives[c], true);
	for (unsigned n = 0; n < STEPS_MAX && bytes_u8(&b, &what) && bytes_u8(&b, &arg); n++)
		one_step(what, arg);
	end();
	return 0;
}
