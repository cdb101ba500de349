/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/name.h"

#include <string.h>

#include "dpi/inspect/command.h"
#include "dpi/inspect/rules.h"
#include "dpi/name.h"

/* bytes that a server may send before the protocol is known; no greeting is longer */
#define GREETING_MAX 8192u
/* bytes of a client that may pass while only the server's answer can decide */
#define ANSWER_MAX 1024u
/* bytes of a client that are enough to decide which protocol's PDU begins there */
#define FRAMED 16u

struct promise {
	struct protocol_set named;	/* a recogniser of our own decides */
	struct protocol_set by_library; /* nDPI decides */
	struct protocol_set commands;	/* an enforcer decides */
	uint32_t undecided;		/* bytes that may pass unrecognised */
};

static struct promise promise_of(const struct crossing *x)
{
	unsigned transport = x->d.l4proto == IP_TCP ? TRANSPORT_TCP : TRANSPORT_UDP;
	bool commands = crossing_has_commands_lane(x);
	struct promise ret = { 0 };

	for (uint32_t g = 0; g < x->permit->n_grants; g++) {
		const struct command_grant *grant = &x->table->grants[x->permit->first_grant + g];
		const struct protocol_info *info = protocol_info((enum protocol)grant->protocol);

		if (grant->shadow || !(info->transports & transport))
			continue;
		if (grant->undecided_bytes > ret.undecided)
			ret.undecided = grant->undecided_bytes;
		if (info->depth == DEPTH_COMMANDS && commands)
			protocols_add(&ret.commands, grant->protocol);
		else if (info->depth == DEPTH_COMMANDS || info->depth == DEPTH_RECOGNISED)
			protocols_add(&ret.named, grant->protocol);
		else if (info->depth == DEPTH_NDPI)
			protocols_add(&ret.by_library, grant->protocol);
	}
	/* Unrecognised bytes may contain a command. Where commands are judged, no bytes
	 * pass unread. */
	if (!protocols_none(&ret.commands))
		ret.undecided = 0;
	return ret;
}

enum protocol name_only_commands(const struct crossing *x)
{
	struct promise p = promise_of(x);

	if (!protocols_none(&p.named) || !protocols_none(&p.by_library) || promises_any(x->table, x->permit, IP_TCP))
		return PROTO_NONE;
	return protocols_only(&p.commands);
}

/*
 * Whether a name of nDPI is accepted. nDPI gives wrong names even at full confidence. So where
 * there is a recogniser of ours, the recogniser must agree. Where there is none, the name counts
 * only for permits that allow names of nDPI.
 */
static bool bears_out(enum protocol p, const struct crossing *x, const struct promise *promised)
{
	struct bytes head =
		bytes_of(x->d.payload.p, x->d.payload.left < RECOGNISE_MAX ? x->d.payload.left : RECOGNISE_MAX);

	if (protocol_info(p)->depth == DEPTH_NDPI)
		return !protocols_none(&promised->by_library);
	return x->d.l4proto == IP_TCP && recognise(p, x->dir, head) == RECOGNISED;
}

/* Asks nDPI about this packet. PROTO_NONE when nDPI does not know, has no state left, or has seen
 * enough packets. */
static enum protocol ask_library(struct crossing *x, const struct promise *promised)
{
	struct inspector *i = x->i;
	struct flow *f = x->f;
	struct name_answer a;

	/* Workers for commands have no nDPI. Captures are judged as by workers, so in lanes for
	 * commands nDPI is not asked there either. */
	if (i->namer == NULL || crossing_has_commands_lane(x) || f->name.packets >= NAME_PACKETS ||
	    x->d.payload.left == 0)
		return PROTO_NONE;
	if (f->name.slot == SLOT_NONE)
		f->name.slot = name_open(i->namer);
	if (f->name.slot == SLOT_NONE)
		return PROTO_NONE;
	f->name.packets++;
	a = name_packet(i->namer, f->name.slot, x->dir, x->d.ip, i->now_ns / 1000000u);
	if (protocols_have(&promised->by_library, a.inside))
		return a.inside;
	return a.named && bears_out(a.protocol, x, promised) ? a.protocol : PROTO_NONE;
}

static struct naming naming_of(enum naming_step s, enum reason r, enum protocol p)
{
	return (struct naming){ .step = s, .reason = r, .protocol = p };
}

static struct bytes said_first(const struct flow *f, enum direction dir)
{
	return bytes_of(f->name.prefix[dir], f->name.prefix_len[dir]);
}

/* The recogniser's result for the first bytes of a direction. If it is undecided after
 * RECOGNISE_MAX bytes, it counts as RECOGNISE_NOT. */
static enum recognition direction_says(const struct flow *f, enum protocol p, enum direction dir)
{
	enum recognition r = recognise(p, dir, said_first(f, dir));

	return r == RECOGNISE_MORE && f->name.prefix_len[dir] >= RECOGNISE_MAX ? RECOGNISE_NOT : r;
}

/* The allowed protocol that a direction alone is recognised as. */
static enum protocol says_one(const struct flow *f, const struct protocol_set *promised, enum direction dir)
{
	for (enum protocol p = PROTO_NONE; (p = protocols_next(promised, p)) != PROTO_NONE;)
		if (direction_says(f, p, dir) == RECOGNISED)
			return p;
	return PROTO_NONE;
}

/* The protocol whose header is read to its end in this direction. */
static enum protocol head_reader(enum direction dir)
{
	return dir == DIR_C2S ? PROTO_HTTP : PROTO_SSH;
}

/* `fresh`: the new bytes of this segment; `rest`: those of them after the kept first bytes. */
static void read_head(struct flow *f, const struct promise *promised, enum direction dir, struct bytes fresh,
		      struct bytes rest)
{
	enum protocol p = head_reader(dir);
	enum recognition r = direction_says(f, p, dir);

	if (!protocols_have(&promised->named, p) || r == RECOGNISE_MORE || r == RECOGNISE_NOT)
		return;
	if (f->name.spoken[dir] == PROTO_NONE) {
		recognise_head(p, dir, &f->name.head[dir], said_first(f, dir));
		fresh = rest;
	}
	f->name.spoken[dir] = (uint8_t)p;
	recognise_head(p, dir, &f->name.head[dir], fresh);
}

static enum head_step head_of(struct flow *f, enum protocol p)
{
	for (unsigned dir = 0; dir < 2; dir++)
		if (p == head_reader((enum direction)dir) && f->name.prefix_len[dir] > 0)
			return recognise_head(p, (enum direction)dir, &f->name.head[dir], bytes_of(NULL, 0));
	return HEAD_WHOLE;
}

enum outlook { IT_IS_NOT, IT_MAY_BE, IT_IS };

/*
 * Judges both directions as one protocol. The client's bytes decide; the server's bytes must fit,
 * too. If the client's bytes fit several protocols, the server's bytes decide.
 */
static enum outlook outlook_of(const struct crossing *x, enum protocol p, size_t fresh)
{
	struct flow *f = x->f;
	enum recognition client = direction_says(f, p, DIR_C2S), server = direction_says(f, p, DIR_S2C);
	enum head_step head = head_of(f, p);
	bool greeted = f->name.prefix_len[DIR_S2C] > 0, is = false;
	uint64_t said[2] = { f->stream.dir[DIR_C2S].offset, f->stream.dir[DIR_S2C].offset };

	said[x->dir] += fresh;
	if (client == RECOGNISE_NOT || server == RECOGNISE_NOT || head == HEAD_AMBIGUOUS)
		return IT_IS_NOT;
	if (!greeted &&
	    (client == RECOGNISE_IF_GREETED || (protocol_is(p, PROTO_SERVER_FIRST) && f->name.prefix_len[DIR_C2S] > 0)))
		return IT_IS_NOT;
	if (client == RECOGNISED)
		is = !greeted || server != RECOGNISE_MORE;
	else if (client == RECOGNISE_IF_GREETED)
		is = server != RECOGNISE_MORE;
	else if (client == RECOGNISE_HALF)
		is = server == RECOGNISED;
	if (is && head == HEAD_WHOLE)
		return IT_IS;
	return said[DIR_C2S] <= (client == RECOGNISED ? HEAD_MAX : ANSWER_MAX) && said[DIR_S2C] <= GREETING_MAX
		       ? IT_MAY_BE
		       : IT_IS_NOT;
}

/* The enforcer that can cut the client's first bytes into PDUs; *ret_more: there are too
 * few bytes. */
static enum protocol frame_one(const struct crossing *x, const struct protocol_set *promised, struct bytes fresh,
			       bool *ret_more)
{
	size_t carry = stream_carry(&x->f->stream, DIR_C2S), n;
	struct outbuf o = outbuf_of(x->i->rooms.pdu, PACKET_MAX);

	*ret_more = false;
	if (x->dir != DIR_C2S || protocols_none(promised) || carry > PACKET_MAX || x->f->stream.dir[DIR_S2C].offset > 0)
		return PROTO_NONE;
	stream_carry_copy(&x->f->stream, &x->i->pool, DIR_C2S, x->i->rooms.pdu);
	o.len = carry;
	out_bytes(&o, fresh.p, fresh.left < PACKET_MAX - carry ? fresh.left : PACKET_MAX - carry);
	for (enum protocol p = PROTO_NONE; (p = protocols_next(promised, p)) != PROTO_NONE;) {
		const struct enforcer *e = enforcer_of(p);

		if (e == NULL)
			continue;
		switch (e->frame(command_known(x->f), DIR_C2S, bytes_of(o.p, o.len), &n)) {
		case FRAME_WHOLE:
			return p;
		case FRAME_NEED_MORE:
			if (o.len >= FRAMED)
				return p;
			*ret_more = true;
			break;
		case FRAME_BAD:
		case FRAME_LONG:
			break;
		}
	}
	return PROTO_NONE;
}

/*
 * The bytes fit no allowed protocol so far. `form`: the protocol by a recogniser of ours;
 * `library`: by nDPI. If the permit allows names of nDPI, nDPI's answer counts before the
 * recogniser's: nDPI also recognises what is inside TLS, or what comes after a greeting that
 * several protocols have, but needs more bytes for that.
 */
static struct naming unrecognised(struct crossing *x, const struct promise *promised, enum protocol form,
				  enum protocol library, size_t n)
{
	struct flow *f = x->f;
	bool waits = !protocols_none(&promised->by_library);
	enum protocol speaks = form == PROTO_NONE || (waits && library != PROTO_NONE) ? library : form;
	bool other = speaks != PROTO_NONE && !protocols_have(&promised->named, speaks) &&
		     !protocols_have(&promised->by_library, speaks) && !protocols_have(&promised->commands, speaks);
	bool full = f->name.undecided > promised->undecided || n > promised->undecided - f->name.undecided ||
		    (waits && f->name.packets >= NAME_PACKETS);

	if (other && (full || !waits || library != PROTO_NONE))
		return naming_of(NAMING_REFUSE, R_WRONG_PROTOCOL, speaks);
	if (full)
		return naming_of(NAMING_REFUSE, R_UNRECOGNISED, PROTO_NONE);
	f->name.undecided += (uint32_t)n;
	return naming_of(NAMING_PASS, R_UNDECIDED, PROTO_NONE);
}

/* Keeps the first bytes of this direction. Bytes that remain in `all` are not kept. */
static void keep_first(struct flow *f, enum direction dir, struct bytes *all)
{
	size_t room = RECOGNISE_MAX - f->name.prefix_len[dir];

	if (room > all->left)
		room = all->left;
	bytes_copy(all, f->name.prefix[dir] + f->name.prefix_len[dir], room);
	f->name.prefix_len[dir] = (uint8_t)(f->name.prefix_len[dir] + room);
}

static struct naming name_stream(struct crossing *x, const struct promise *promised, struct bytes fresh,
				 enum protocol library)
{
	struct flow *f = x->f;
	enum direction dir = x->dir;
	struct bytes rest = fresh;
	enum protocol own, peer, enforced;
	bool more = false, more_pdu = false;

	keep_first(f, dir, &rest);
	read_head(f, promised, dir, fresh, rest);
	for (enum protocol p = PROTO_NONE; (p = protocols_next(&promised->named, p)) != PROTO_NONE;) {
		enum outlook o = outlook_of(x, p, fresh.left);

		if (o != IT_IS_NOT && library != PROTO_NONE && name_contradicts(library, p) &&
		    direction_says(f, p, dir) == RECOGNISED)
			return naming_of(NAMING_REFUSE, R_CONTRADICTED, library);
		if (o == IT_IS)
			return naming_of(NAMING_CONFIRM, R_CONFIRMED, p);
		more = more || o == IT_MAY_BE;
	}
	enforced = frame_one(x, &promised->commands, fresh, &more_pdu);
	if (enforced != PROTO_NONE && !more)
		return naming_of(NAMING_COMMANDS, R_ALLOWED, enforced);
	if (more || more_pdu)
		return naming_of(NAMING_PASS, R_UNDECIDED, PROTO_NONE);
	/* nDPI decides alone only when no recogniser of ours can still match. */
	if (protocols_have(&promised->by_library, library))
		return naming_of(NAMING_CONFIRM, R_CONFIRMED, library);
	own = says_one(f, &promised->named, dir);
	peer = says_one(f, &promised->named, other_end(dir));
	if (own != PROTO_NONE && head_of(f, own) == HEAD_AMBIGUOUS)
		return naming_of(NAMING_REFUSE, R_AMBIGUOUS, own);
	if (own != PROTO_NONE && peer != PROTO_NONE && peer != own)
		return naming_of(NAMING_REFUSE, R_WRONG_PROTOCOL, own);
	/* The protocol is allowed. But the other end sent something that does not fit it, or sent
	 * nothing although it has to speak first. */
	if (own != PROTO_NONE)
		return unrecognised(x, promised, PROTO_NONE, PROTO_NONE, fresh.left);
	return unrecognised(x, promised, recognise_any(dir, said_first(f, dir)), library, fresh.left);
}

/* The protocol of this set whose form a datagram has. */
static enum protocol form_of(const struct crossing *x, const struct protocol_set *of)
{
	for (enum protocol p = PROTO_NONE; (p = protocols_next(of, p)) != PROTO_NONE;)
		if (recognise_datagram(p, x->dir, x->d.payload))
			return p;
	return PROTO_NONE;
}

/* The enforcer that judges this datagram: the only allowed one, or the one whose form it has. */
static enum protocol datagram_one(const struct crossing *x, const struct promise *promised)
{
	struct bytes head =
		bytes_of(x->d.payload.p, x->d.payload.left < RECOGNISE_MAX ? x->d.payload.left : RECOGNISE_MAX);
	bool alone = protocols_only(&promised->commands) != PROTO_NONE && protocols_none(&promised->by_library) &&
		     protocols_none(&promised->named);

	for (enum protocol p = PROTO_NONE; (p = protocols_next(&promised->commands, p)) != PROTO_NONE;) {
		const struct enforcer *e = enforcer_of(p);

		if (e == NULL || e->datagrams == 0)
			continue;
		if (alone || (recognise(p, x->dir, head) == RECOGNISED &&
			      command_is_datagram(e, x->dir, x->f->server_port, x->d.payload)))
			return p;
	}
	return PROTO_NONE;
}

static struct naming name_datagram(struct crossing *x, const struct promise *promised, enum protocol library)
{
	enum protocol p = datagram_one(x, promised);
	struct protocol_set all = { 0 };

	if (p != PROTO_NONE)
		return naming_of(NAMING_COMMANDS, R_ALLOWED, p);
	p = form_of(x, &promised->named);
	if (p == PROTO_NONE && protocols_have(&promised->by_library, library))
		p = library;
	if (p != PROTO_NONE)
		return naming_of(NAMING_CONFIRM, R_CONFIRMED, p);
	for (unsigned n = 1; n < protocols_end(); n++)
		protocols_add(&all, n);
	p = form_of(x, &all);
	return unrecognised(x, promised, p, library, x->d.payload.left);
}

struct naming name_bytes(struct crossing *x, struct bytes fresh)
{
	struct promise promised = promise_of(x);
	enum protocol library = PROTO_NONE;
	struct naming ret;

	if (promises_any(x->table, x->permit, x->d.l4proto))
		return naming_of(NAMING_ANY, R_ALLOWED, PROTO_NONE);
	/* A packet that repeats old bytes is not given to nDPI. Datagrams are given to it only if
	 * the permit allows names of nDPI. */
	if (x->d.payload.left == fresh.left && (x->d.l4proto == IP_TCP || !protocols_none(&promised.by_library)))
		library = ask_library(x, &promised);
	ret = x->d.l4proto == IP_TCP ? name_stream(x, &promised, fresh, library) : name_datagram(x, &promised, library);
	if (ret.step == NAMING_PASS)
		x->f->name.passed += (uint32_t)fresh.left;
	return ret;
}

/* Whether the bytes of a direction so far fit the permit, may still fit it, or are few enough. */
static bool fits_promise(struct crossing *x, const struct promise *promised, enum direction dir)
{
	struct flow *f = x->f;
	size_t n;

	for (enum protocol p = PROTO_NONE; (p = protocols_next(&promised->named, p)) != PROTO_NONE;)
		if (direction_says(f, p, dir) != RECOGNISE_NOT)
			return true;
	for (enum protocol p = PROTO_NONE;
	     dir == DIR_C2S && (p = protocols_next(&promised->commands, p)) != PROTO_NONE;) {
		const struct enforcer *e = enforcer_of(p);

		if (e != NULL && e->frame(command_known(f), dir, said_first(f, dir), &n) < FRAME_BAD)
			return true;
	}
	return f->name.undecided <= promised->undecided;
}

/* Bytes that passed unrecognised under another permit count against the limit of this one. */
static void count_undecided(struct flow *f, enum direction dir)
{
	uint64_t passed = f->stream.dir[dir].offset;

	if (f->name.undecided < passed)
		f->name.undecided = passed > UINT32_MAX ? UINT32_MAX : (uint32_t)passed;
}

bool name_fits_again(struct crossing *x)
{
	struct promise promised = promise_of(x);

	/* An enforcer has to read from the first byte on, but a lane for naming does not
	 * keep bytes. */
	if (!protocols_none(&promised.commands) &&
	    stream_carry(&x->f->stream, DIR_C2S) != x->f->stream.dir[DIR_C2S].offset)
		return false;
	for (unsigned dir = 0; dir < 2; dir++) {
		const struct stream_dir *d = &x->f->stream.dir[dir];

		count_undecided(x->f, (enum direction)dir);
		if (d->known && d->offset > 0 && d->acked != d->next && !promises_any(x->table, x->permit, IP_TCP) &&
		    !fits_promise(x, &promised, (enum direction)dir))
			return false;
	}
	return true;
}

void name_forget(struct inspector *i, struct flow *f)
{
	if (f->name.slot != SLOT_NONE)
		name_close(i->namer, f->name.slot);
	f->name.slot = SLOT_NONE;
}

void name_restart(struct flow *f)
{
	f->name = (struct flow_name){ .slot = f->name.slot };
}
