/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/learn/learn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/base/utf8.h"
#include "appliance/wire/operation.h"
#include "appliance/wire/tag.h"
#include "mgmt/cli/replay/book.h"
#include "mgmt/cli/replay/run.h"
#include "mgmt/cli/replay/tracker.h"
#include "policy/compile/compile.h"

#define ROUND 65536u /* sessions, or kinds of requests, after which a round ends */
#define COPIES 4096u /* frames that are kept to recognise copies; a power of two */
#define COPY_NS 20000000u
#define SERVERS 65536u /* a power of two */

#define TELNET_PORT 23u
#define ENIP_REQUESTS 44818u
#define ENIP_IO 2222u

enum { COMMANDS, NAMES, POLICY, ROUNDS };

/* An end that accepted a session: hosts that talk to it are clients, even when the beginning was
 * not seen. */
struct server {
	struct addr addr; /* family 0: a free place */
	uint16_t port;
};

struct study {
	struct arena *arena;
	struct ir *ir[ROUNDS];	       /* the site's policy may be NULL */
	struct replay *replay[ROUNDS]; /* NULL between rounds, and without a policy */
	struct learnt learnt;
	uint64_t key; /* key of the hash, so that nobody can choose colliding places in `servers` */
	struct {
		uint64_t digest, at_ns;
	} copies[COPIES];
	struct server servers[SERVERS];
	uint32_t n_servers;
};

/* ---- policies that allow everything ---------------------------------------------------------- */

/* Services of all protocols with commands, or of all others; `names` collects "a", "b". */
static char *services(struct arena *a, bool commands, const char **ret_names)
{
	char *text = arena_printf(a, "icmp = { protocol = \"icmp\"; };");
	const char *names = "\"icmp\"";

	for (unsigned p = PROTO_NONE + 1; p < protocols_end() && text != NULL && names != NULL; p++) {
		const struct protocol_info *i = protocol_info((enum protocol)p);

		if (i->depth == DEPTH_TRANSPORT || (i->depth == DEPTH_COMMANDS) != commands)
			continue;
		text = arena_printf(a, "%s p%u = { protocol = \"%s\"; undecided_bytes = 65536; };", text, p, i->name);
		names = arena_printf(a, "%s, \"p%u\"", names, p);
	}
	*ret_names = names;
	return text;
}

static int load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const char *text = ctx;

	if (strcmp(name, "all.cfg") != 0)
		return -ENOENT;
	*ret = (struct source_text){ .name = arena_strndup(a, name, strlen(name)), .text = text, .size = strlen(text) };
	return ret->name != NULL ? 0 : -ENOMEM;
}

static struct ir *all_allowed(struct arena *a, bool commands)
{
	struct compilation c = { .arena = a };
	const char *names;
	char *list = services(a, commands, &names);
	struct policy_loader loader = { .load = load };

	if (list == NULL || names == NULL)
		return NULL;
	loader.ctx = arena_printf(
		a,
		"language_version = 1; zones = { all = { interfaces = [\"any\"]; networks = [\"rest\"]; }; }; services "
		"= { %s };"
		" conduits = ( { name = \"all\"; from = \"all\"; to = \"all\"; services = [%s]; mode = \"observe\";"
		" when_midstream = \"pick_up\"; purpose = \"-\"; owner = \"-\"; review_by = \"2199-12-31\"; } );",
		list, names);
	return loader.ctx != NULL && policy_check(&c, &loader, "all.cfg") && policy_lower(&c) ? c.ir : NULL;
}

/* ---- which end is the server ----------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

static uint64_t mix_bytes(uint64_t h, struct bytes b)
{
	uint64_t word = 0;
	uint8_t v;

	for (size_t i = 0; bytes_u8(&b, &v); i++) {
		word = word << 8 | v;
		if (i % 8 == 7)
			h = mix(h, word);
	}
	return mix(h, word);
}

/* An end's place in the table, or the free place for it. */
static struct server *place_of(struct study *s, const struct addr *a, uint16_t port)
{
	uint64_t h = mix(mix_bytes(s->key, bytes_of(a->b, sizeof(a->b))), port);

	for (;; h++) {
		struct server *at = &s->servers[h % SERVERS];

		if (at->addr.family == 0 || (at->port == port && addr_cmp(&at->addr, a) == 0))
			return at;
	}
}

static bool serves(struct study *s, const struct addr *a, uint16_t port)
{
	return place_of(s, a, port)->addr.family != 0;
}

/* Notes the end that answers a SYN as a server. None is added once the table is three quarters
 * full. */
static void note_server(struct study *s, const struct decoded *d)
{
	struct server *at;

	if (d->l4proto != IP_TCP || (d->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK))
		return;
	at = place_of(s, &d->src, d->sport);
	if (at->addr.family != 0 || s->n_servers >= SERVERS / 4 * 3)
		return;
	*at = (struct server){ d->src, d->sport };
	s->n_servers++;
}

/* Servers usually have low ports and clients high ones. */
static int rank(uint16_t port)
{
	return port < 1024 ? 0 : port < 32768 ? 1 : 2;
}

/* Both ends of ENIP I/O use one port, and either may send first: the device is the end that accepts
 * the sessions in which the I/O is set up. */
static bool is_device(struct study *s, const struct decoded *d, const struct addr *a)
{
	return d->l4proto == IP_UDP && d->sport == ENIP_IO && d->dport == ENIP_IO && serves(s, a, ENIP_REQUESTS);
}

/* Tells which end is the server of a session whose beginning is missing; see tracker_asks. */
static enum tracker_server which_serves(void *ctx, const struct decoded *d)
{
	struct study *s = ctx;
	bool source = d->l4proto == IP_TCP ? serves(s, &d->src, d->sport) : is_device(s, d, &d->src);
	bool destination = d->l4proto == IP_TCP ? serves(s, &d->dst, d->dport) : is_device(s, d, &d->dst);

	if (source == destination && d->l4proto == IP_TCP) {
		source = tracker_registered(d->sport);
		destination = tracker_registered(d->dport);
	}
	if (source != destination)
		return source ? SERVER_SOURCE : SERVER_DESTINATION;
	if (d->l4proto == IP_UDP && rank(d->sport) < rank(d->dport))
		return SERVER_SOURCE;
	return SERVER_UNTOLD;
}

/* ---- copies ---------------------------------------------------------------------------------- */

/*
 * A mirror of both directions, or of a router's VLANs, shows a frame twice within moments, the
 * second time perhaps one hop later. The fields that a hop changes are left out. A real repetition
 * by a host has another IP id, or comes later.
 */
static bool is_copy(struct study *s, const struct capture_frame *f)
{
	struct bytes b = f->ip;
	uint64_t h = b.left;
	uint32_t word;
	bool v4;

	if (b.left < 20)
		return false;
	v4 = b.p[0] >> 4 == 4;
	/* IPv4: the third word holds the hop count and header checksum; IPv6: the second the hop
	 * limit */
	for (unsigned i = 0; i < 3; i++) {
		bytes_be32(&b, &word);
		if (v4 && i == 2)
			word &= 0x00ff0000u;
		else if (!v4 && i == 1)
			word &= 0xffffff00u;
		h = mix(h, word);
	}
	h = mix_bytes(h, b);
	if (s->copies[h % COPIES].digest == h && f->wall_ns >= s->copies[h % COPIES].at_ns &&
	    f->wall_ns - s->copies[h % COPIES].at_ns <= COPY_NS)
		return true;
	s->copies[h % COPIES].digest = h;
	s->copies[h % COPIES].at_ns = f->wall_ns;
	return false;
}

/* ---- the requests ---------------------------------------------------------------------------- */

/* The part of a target that a policy can name, if it was told at all. */
static uint32_t target_of(const struct vocabulary *v, const struct operation *o, unsigned i)
{
	bool written = i < v->n_targets && o->targets[i] <= v->targets[i].max &&
		       target_word(&v->targets[i], o->targets[i]) == NULL;

	if (i < v->n_targets && (o->idle >> i & 1u) != 0)
		return LEARNT_IDLE_TARGET;
	return written ? o->targets[i] : LEARNT_NO_TARGET;
}

/* The thing that contains the address, such as a data block: addresses of two things are never
 * adjoining. 0: the address lies in the space itself, or the first part of the address is a byte,
 * which contains no others. */
static uint64_t thing_of(const struct space_info *s, uint64_t address)
{
	unsigned below = 0;

	if (s->named)
		return address;
	if (s->parts[0].bits == 0 || strcmp(s->parts[0].what, "byte") == 0)
		return 0;
	for (unsigned i = 1; i < PARTS_MAX; i++)
		below += s->parts[i].bits;
	return address >> below;
}

/* Whether the function does more than read. Then a row must not allow addresses between those that
 * were touched. */
static bool changes_something(const struct vocabulary *v, uint32_t code)
{
	const struct function_info *f = function_by_code(v, code);

	return f == NULL || (f->classes & ~(unsigned)CLASS_READ) != 0;
}

/* Keeps a name that a policy can write: only with the allowed characters. */
static void keep_name(struct study *s, enum protocol p, const struct operation *o)
{
	char text[SPELLED_MAX];
	uint64_t digest;

	if (learnt_name_of(&s->learnt, o->first) == NULL &&
	    enforcer_of(p)->spell(bytes_of(o->spelling, o->n_spelling), text) && text_is_plain(text, TAG_MAX) &&
	    tag_read(text, strlen(text), &digest) && digest == o->first)
		learnt_name(&s->learnt, digest, text);
}

static void keep_operation(struct study *s, const struct flow_info *f, const struct operation *o, uint8_t turn)
{
	const struct vocabulary *v = vocabulary_of(f->protocol);
	struct act a = { .client = f->client,
			 .server = f->server,
			 .port = f->server_port,
			 .l4proto = f->l4proto,
			 .space = SPACE_NONE,
			 .half = o->unbegun,
			 .unknown = o->place_unknown,
			 .turn = turn,
			 .protocol = f->protocol,
			 .function = o->service,
			 .count = 1 };

	for (unsigned i = 0; i < TARGET_MAX; i++) {
		a.targets[i] = target_of(v, o, i);
		if (a.targets[i] == LEARNT_NO_TARGET && (o->broadcast >> i & 1u) != 0) {
			s->learnt.tally.no_row++;
			return;
		}
	}
	s->learnt.tally.halves += a.half;
	if (o->spelling != NULL)
		keep_name(s, f->protocol, o);
	if (!o->place_unknown && o->space < v->n_spaces) {
		a.space = o->space;
		a.thing = thing_of(&v->spaces[o->space], o->first);
		a.lowest = o->first;
		a.highest = o->first + (o->count > 0 ? o->count - 1u : 0);
		a.exact = changes_something(v, o->service);
	}
	learnt_act(&s->learnt, &a);
}

/*
 * Each PDU is judged under a policy that allows all commands. The groups of operations tell which
 * ones a row must allow together: evaluate.h. Requests that every use needs, such as opening a
 * session, need no row.
 */
static void keep_request(void *ctx, const struct flow_info *f, const struct pdu *p, enum event_verdict v,
			 uint32_t frame)
{
	uint8_t turn = 0;

	if (v != EV_ALLOW || p->dir != DIR_C2S)
		return;
	for (uint32_t i = 0; i < p->n_operations; i++) {
		turn = i > 0 && p->operations[i].group == p->operations[i - 1u].group ? turn + 1u : 0;
		if (!p->operations[i].setup)
			keep_operation(ctx, f, &p->operations[i], turn);
	}
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static void end_round(struct study *s)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (s->replay[i] != NULL)
			replay_close(s->replay[i]);
		free(s->replay[i]);
		s->replay[i] = NULL;
	}
}

static bool begin_round(struct study *s, struct err *e)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (s->ir[i] == NULL)
			continue;
		s->replay[i] = calloc(1, sizeof(*s->replay[i]));
		if (s->replay[i] == NULL || replay_open(s->replay[i], s->ir[i], true, e) != 0)
			return false;
		tracker_asks(s->replay[i]->tracker, which_serves, s);
		if (i == COMMANDS) {
			s->replay[i]->pdu = keep_request;
			s->replay[i]->ctx = s;
		}
	}
	return true;
}

static const struct book_flow *flow_of(struct replay *r, const struct session *s)
{
	return book_flow(&r->book, &s->client, s->client_port, &s->server, s->server_port, s->l4proto, s->n);
}

/* The protocol of a session. PROTO_NONE: neither inspection recognised it; a guess of nDPI, if
 * there is one, is kept in `t`. */
static enum protocol protocol_of(struct study *s, const struct session *session, struct talk *t)
{
	const struct book_flow *commands = flow_of(s->replay[COMMANDS], session);
	const struct book_flow *named = flow_of(s->replay[NAMES], session);

	/* Text of a terminal is text of many other protocols: only the port tells them apart. */
	if (named != NULL && named->protocol == PROTO_TELNET && session->server_port != TELNET_PORT)
		return PROTO_NONE;
	/* S7comm Plus begins like S7comm, its predecessor: this reason tells them apart */
	if (commands != NULL && commands->reason == R_S7COMM_PLUS)
		return PROTO_S7COMM_PLUS;
	if (commands != NULL && protocol_info(commands->protocol)->depth == DEPTH_COMMANDS &&
	    (commands->pdus > commands->denied + commands->observed || commands->reason == R_NOT_OPENED))
		return commands->protocol;
	if (named != NULL && named->verdict == EV_ALLOW && named->protocol != PROTO_NONE &&
	    protocol_info(named->protocol)->depth != DEPTH_TRANSPORT) {
		t->undecided = named->undecided;
		if (protocol_info(named->protocol)->depth != DEPTH_NDPI)
			return named->protocol;
		t->guess = named->protocol;
	}
	return PROTO_NONE;
}

/* Whether what the session sent fits the protocol that its first bytes promised. What lacks its
 * beginning may fit. */
static bool fits(struct study *s, const struct session *session)
{
	const struct book_flow *f = flow_of(s->replay[COMMANDS], session);

	return f == NULL || f->denied + f->observed == 0 || f->reason == R_NOT_OPENED;
}

static bool was_answered(const struct session *s)
{
	return s->l4proto != IP_TCP || (s->midstream ? s->packets > 1 : s->went_on);
}

static void keep_talk(struct study *s, const struct session *session)
{
	struct talk t = { .client = session->client,
			  .server = session->server,
			  .port = session->server_port,
			  .l4proto = session->l4proto,
			  .sessions = 1,
			  /* Acknowledgements, a FIN or a RST alone do not show the protocol of a
			   * session that began before the capture. */
			  .cut = session->cut > 0 ||
				 (session->l4proto == IP_TCP && session->midstream && !session->spoke) };
	struct tally *y = &s->learnt.tally;
	bool client, server;

	if (session->refused == R_NO_CONDUIT) {
		y->not_unicast++;
		return;
	}
	if (!was_answered(session)) {
		y->unanswered++;
		return;
	}
	t.protocol = protocol_of(s, session, &t);
	t.misfits = !fits(s, session);
	if (session->l4proto == IP_TCP && session->midstream) {
		client = serves(s, &session->client, session->client_port);
		server = serves(s, &session->server, session->server_port);
		if (client && !server) {
			/* The direction was recognised late, so what was read before was read in
			 * the wrong direction. */
			t.client = session->server;
			t.server = session->client;
			t.port = session->client_port;
		}
		t.guessed = client == server;
	} else if (session->l4proto == IP_UDP && protocol_info(t.protocol)->depth != DEPTH_COMMANDS) {
		/* Commands are valid in one direction only. Without commands the direction is a
		 * guess, unless both the first sender and the ports agree. */
		t.guessed = session->midstream || rank(session->server_port) >= rank(session->client_port);
	}
	learnt_talk(&s->learnt, &t);
}

/* Whether the session's client asked for something that fits a protocol of commands. */
static bool has_asked(const struct study *s, const struct session *session)
{
	const struct book_flow *f = flow_of(s->replay[COMMANDS], session);

	return f != NULL && f->pdus > f->denied + f->observed;
}

/*
 * Where both ends may ask, the session of the kernel is one, and each end has talks of its own. An
 * end that only answers has none, although its answer may be the first datagram: a conduit for it
 * would let the other end's requests pass as answers.
 */
static void keep_both(struct study *s, const struct session *session)
{
	struct session twin = *session;

	twin.client = session->server;
	twin.client_port = session->server_port;
	twin.server = session->client;
	twin.server_port = session->client_port;
	if (session->l4proto != IP_UDP || !has_asked(s, &twin)) {
		keep_talk(s, session);
		return;
	}
	if (has_asked(s, session))
		keep_talk(s, session);
	keep_talk(s, &twin);
}

/* The requests that rows of the site's policy refuse. */
static uint64_t refused_by_rows(const struct book *b)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < b->n_commands; i++)
		if (b->commands[i].verdict == EV_DENY && b->commands[i].dir == DIR_C2S &&
		    reason_kind(b->commands[i].reason) == REASON_DENY)
			n += b->commands[i].count;
	return n;
}

static void learn_round(struct study *s)
{
	struct replay *r = s->replay[COMMANDS];

	if (r == NULL || s->replay[NAMES] == NULL)
		return;
	for (int i = 0; i < ROUNDS; i++)
		if (s->replay[i] != NULL)
			replay_finish(s->replay[i]);
	for (uint32_t i = 0; i < tracker_count(r->tracker); i++)
		keep_both(s, tracker_at(r->tracker, i));
	for (uint32_t i = 0; i < r->book.n_commands; i++)
		if ((r->book.commands[i].verdict != EV_ALLOW || r->book.commands[i].dir != DIR_C2S) &&
		    r->book.commands[i].reason != R_S7COMM_PLUS)
			s->learnt.tally.misfits += r->book.commands[i].count;
	for (int i = 0; i < ROUNDS; i++)
		s->learnt.failed |= s->replay[i] != NULL && s->replay[i]->book.failed;
	if (s->replay[POLICY] != NULL)
		s->learnt.tally.refused += refused_by_rows(&s->replay[POLICY]->book);
	s->learnt.tally.not_ip += r->not_ip;
	s->learnt.tally.cut += r->truncated;
	learnt_settle(&s->learnt);
}

struct study *study_new(struct ir *policy, struct err *e)
{
	struct study *s = calloc(1, sizeof(*s));

	if (s == NULL || getrandom(&s->key, sizeof(s->key), 0) != (ssize_t)sizeof(s->key)) {
		free(s);
		err_set(e, -ENOMEM, "learn");
		return NULL;
	}
	s->arena = arena_new(COMPILE_BUDGET);
	for (int i = 0; s->arena != NULL && i < ROUNDS; i++)
		s->ir[i] = i == POLICY ? policy : all_allowed(s->arena, i == COMMANDS);
	if (s->arena == NULL || s->ir[COMMANDS] == NULL || s->ir[NAMES] == NULL || !begin_round(s, e)) {
		study_free(s);
		err_set(e, -ENOMEM, "learn");
		return NULL;
	}
	return s;
}

void study_free(struct study *s)
{
	if (s == NULL)
		return;
	end_round(s);
	learnt_free(&s->learnt);
	arena_free(s->arena);
	free(s);
}

void study_frame(struct study *s, const struct capture_frame *f)
{
	struct tally *y = &s->learnt.tally;
	struct decoded d;
	struct err e;

	if (y->frames++ == 0)
		y->first_ns = f->wall_ns;
	if (f->wall_ns > y->last_ns)
		y->last_ns = f->wall_ns;
	if (s->learnt.failed)
		return;
	if (f->has_ip && is_copy(s, f)) {
		y->copies++;
		return;
	}
	if (f->has_ip && decode_packet(f->ip, CHECKSUM_FLAG, &d) == R_NONE)
		note_server(s, &d);
	for (int i = 0; i < ROUNDS; i++)
		if (s->replay[i] != NULL)
			replay_frame(s->replay[i], f);
	const struct replay *r = s->replay[COMMANDS];
	if (r == NULL || (tracker_count(r->tracker) < ROUND && r->book.n_commands < ROUND))
		return;
	learn_round(s);
	end_round(s);
	s->learnt.failed |= !begin_round(s, &e);
}

const struct tally *study_tally(const struct study *s)
{
	return &s->learnt.tally;
}

uint32_t study_sessions(const struct study *s)
{
	return s->replay[COMMANDS] != NULL ? tracker_count(s->replay[COMMANDS]->tracker) : 0;
}

struct learnt *study_finish(struct study *s)
{
	learn_round(s);
	end_round(s);
	return &s->learnt;
}
