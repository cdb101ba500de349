/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/name.h"

#include <string.h>

#include "dpi/datagram.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/rules.h"
#include "dpi/name.h"
#include "dpi/plausible.h"

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
	/* Behind bytes that nobody could name, a server may read a command: where commands are judged, none goes unread. */
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

enum protocol name_ask_library(struct crossing *x)
{
	struct inspector *i = x->i;
	struct flow *f = x->f;
	struct name_answer a;

	/* Who works on lanes for commands has no library, and a capture is judged as it would be there. */
	if (i->namer == NULL || crossing_has_commands_lane(x) || f->name.packets >= NAME_PACKETS ||
	    x->d.payload.left == 0)
		return PROTO_NONE;
	if (f->name.slot == SLOT_NONE)
		f->name.slot = name_open(i->namer);
	if (f->name.slot == SLOT_NONE)
		return PROTO_NONE;
	f->name.packets++;
	a = name_packet(i->namer, f->name.slot, x->dir, x->d.ip, i->now_ns / 1000000u);
	return a.named && plausible(a.protocol, x->dir, x->d.l4proto, x->d.payload) ? a.protocol : PROTO_NONE;
}

static struct naming step(enum naming_step s, enum reason r, enum protocol p)
{
	return (struct naming){ .step = s, .reason = r, .protocol = p };
}

/* Which of the promised protocols these first bytes are; *ret_more when they may still become one. */
static enum protocol recognise_one(const struct protocol_set *promised, enum direction dir, struct bytes head,
				   bool *ret_more)
{
	*ret_more = false;
	for (enum protocol p = PROTO_NONE; (p = protocols_next(promised, p)) != PROTO_NONE;) {
		switch (recognise(p, dir, head)) {
		case RECOGNISED:
			return p;
		case RECOGNISE_MORE:
			*ret_more = true;
			break;
		case RECOGNISE_NOT:
			break;
		}
	}
	if (head.left >= RECOGNISE_MAX)
		*ret_more = false;
	return PROTO_NONE;
}

/* Which enforcer can cut the client's first bytes; *ret_more when there are too few to say. */
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
			if (o.len >= RECOGNISE_MAX)
				return p;
			*ret_more = true;
			break;
		case FRAME_BAD:
			break;
		}
	}
	return PROTO_NONE;
}

/* Nothing of what was promised, as far as anybody can say. */
static struct naming unrecognised(struct crossing *x, const struct promise *promised, enum protocol speaks, size_t n)
{
	struct flow *f = x->f;

	if (speaks != PROTO_NONE && !protocols_have(&promised->named, speaks) &&
	    !protocols_have(&promised->by_library, speaks) && !protocols_have(&promised->commands, speaks))
		return step(NAMING_REFUSE, R_WRONG_PROTOCOL, speaks);
	if (f->name.undecided > promised->undecided || n > promised->undecided - f->name.undecided ||
	    (!protocols_none(&promised->by_library) && f->name.packets >= NAME_PACKETS))
		return step(NAMING_REFUSE, R_UNRECOGNISED, PROTO_NONE);
	f->name.undecided += (uint32_t)n;
	return step(NAMING_PASS, R_UNDECIDED, PROTO_NONE);
}

/* `fresh`: what this segment brought; `rest`: of it, what is not among the first bytes that are kept. */
static enum head_step read_head(struct flow *f, enum protocol own, enum direction dir, struct bytes fresh,
				struct bytes rest)
{
	enum head_step s;

	if (f->name.spoken[dir] != PROTO_NONE)
		return recognise_head(own, &f->name.head[dir], fresh);
	s = recognise_head(own, &f->name.head[dir], bytes_of(f->name.prefix[dir], f->name.prefix_len[dir]));
	return s == HEAD_GOES_ON ? recognise_head(own, &f->name.head[dir], rest) : s;
}

static struct naming name_stream(struct crossing *x, const struct promise *promised, struct bytes fresh,
				 enum protocol library)
{
	struct flow *f = x->f;
	enum direction dir = x->dir, back = dir == DIR_C2S ? DIR_S2C : DIR_C2S;
	struct bytes head = bytes_of(f->name.prefix[dir], f->name.prefix_len[dir]), all = fresh;
	size_t room = RECOGNISE_MAX - f->name.prefix_len[dir];
	enum protocol own = (enum protocol)f->name.spoken[dir], peer = (enum protocol)f->name.spoken[back];
	enum protocol enforced, speaks;
	bool more = false, more_library = false, more_pdu = false;

	if (room > all.left)
		room = all.left;
	bytes_copy(&all, f->name.prefix[dir] + f->name.prefix_len[dir], room);
	f->name.prefix_len[dir] = (uint8_t)(f->name.prefix_len[dir] + room);
	head.left = f->name.prefix_len[dir];
	if (own == PROTO_NONE)
		own = recognise_one(&promised->named, dir, head, &more);
	if (own != PROTO_NONE) {
		if (peer != PROTO_NONE && peer != own)
			return step(NAMING_REFUSE, R_WRONG_PROTOCOL, own);
		if (library != PROTO_NONE && name_contradicts(library, own))
			return step(NAMING_REFUSE, R_CONTRADICTED, library);
		if (read_head(f, own, dir, fresh, all) == HEAD_AMBIGUOUS)
			return step(NAMING_REFUSE, R_WRONG_PROTOCOL, own);
		f->name.spoken[dir] = (uint8_t)own;
		/* A session is let go of only when nothing of the client's first header is left to look at. */
		if (own == PROTO_HTTP && !f->name.head[DIR_C2S].whole)
			return step(NAMING_PASS, R_UNDECIDED, own);
		/* The client's words confirm; if the server spoke as well, both must be the same. */
		if (peer == own || (dir == DIR_C2S && f->name.prefix_len[back] == 0))
			return step(NAMING_CONFIRM, R_CONFIRMED, own);
		/* The other end said something that is not this, nor on the way to it. */
		head = bytes_of(f->name.prefix[back], f->name.prefix_len[back]);
		if (recognise(own, back, head) != RECOGNISE_MORE)
			return unrecognised(x, promised, PROTO_NONE, fresh.left);
		return step(NAMING_PASS, R_UNDECIDED, own);
	}
	if (library != PROTO_NONE && protocols_have(&promised->by_library, library))
		return step(NAMING_CONFIRM, R_CONFIRMED, library);
	/* The library looks at packets; a hello in pieces is no packet of its. */
	own = recognise_one(&promised->by_library, dir, head, &more_library);
	if (own != PROTO_NONE && library == PROTO_NONE)
		return step(NAMING_CONFIRM, R_CONFIRMED, own);
	enforced = frame_one(x, &promised->commands, fresh, &more_pdu);
	if (enforced != PROTO_NONE && !more)
		return step(NAMING_COMMANDS, R_ALLOWED, enforced);
	if (more || more_pdu || more_library)
		return step(NAMING_PASS, R_UNDECIDED, PROTO_NONE);
	speaks = recognise_any(dir, head);
	return unrecognised(x, promised, speaks != PROTO_NONE ? speaks : library, fresh.left);
}

/* Which enforcer judges this datagram: the only one that may, or the one whose it looks like. */
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

struct naming name_bytes(struct crossing *x, struct bytes fresh)
{
	struct promise promised = promise_of(x);
	enum protocol library = PROTO_NONE, enforced;

	if (promises_any(x->table, x->permit, x->d.l4proto))
		return step(NAMING_ANY, R_ALLOWED, PROTO_NONE);
	if (x->d.payload.left == fresh.left) /* a packet that repeats old bytes is not shown to the library */
		library = name_ask_library(x);
	if (x->d.l4proto == IP_TCP)
		return name_stream(x, &promised, fresh, library);
	enforced = datagram_one(x, &promised);
	if (enforced != PROTO_NONE)
		return step(NAMING_COMMANDS, R_ALLOWED, enforced);
	if (library != PROTO_NONE && protocols_have(&promised.by_library, library))
		return step(NAMING_CONFIRM, R_CONFIRMED, library);
	for (enum protocol p = PROTO_NONE;
	     library == PROTO_NONE && (p = protocols_next(&promised.by_library, p)) != PROTO_NONE;)
		if (datagram_is(p, x->d.payload))
			return step(NAMING_CONFIRM, R_CONFIRMED, p);
	return unrecognised(x, &promised, library, fresh.left);
}

/* What a direction said so far is what the permit promises, or may become it, or is few bytes enough. */
static bool fits_promise(struct crossing *x, const struct promise *promised, enum direction dir)
{
	struct flow *f = x->f;
	struct bytes head = bytes_of(f->name.prefix[dir], f->name.prefix_len[dir]);
	bool more = false, more_library = false;
	size_t n;

	if (f->name.spoken[dir] != PROTO_NONE)
		return protocols_have(&promised->named, f->name.spoken[dir]);
	if (recognise_one(&promised->named, dir, head, &more) != PROTO_NONE || more ||
	    recognise_one(&promised->by_library, dir, head, &more_library) != PROTO_NONE || more_library)
		return true;
	for (enum protocol p = PROTO_NONE;
	     dir == DIR_C2S && (p = protocols_next(&promised->commands, p)) != PROTO_NONE;) {
		const struct enforcer *e = enforcer_of(p);

		if (e != NULL && e->frame(command_known(f), dir, head, &n) != FRAME_BAD)
			return true;
	}
	return f->name.undecided <= promised->undecided;
}

/* What passed without a name under another permit is of the bytes that may do so under this one. */
static void count_undecided(struct flow *f, enum direction dir)
{
	uint64_t passed = f->stream.dir[dir].offset;

	if (f->name.undecided < passed)
		f->name.undecided = passed > UINT32_MAX ? UINT32_MAX : (uint32_t)passed;
}

bool name_fits_again(struct crossing *x)
{
	struct promise promised = promise_of(x);

	/* An enforcer has to read from the first byte on; what went before on a lane for naming is not kept. */
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
