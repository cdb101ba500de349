/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/command.h"

#include <stdlib.h>
#include <string.h>

#include "dpi/enforcers.h"
#include "dpi/inspect/companion.h"
#include "dpi/inspect/event.h"
#include "dpi/inspect/lasting.h"
#include "dpi/inspect/rules.h"
#include "dpi/inspect/state.h"
#include "dpi/name.h"
#include "dpi/pending.h"

struct commands {
	struct command_state *states; /* owned; one per flow, touched as used */
	uint32_t *free;		      /* owned; stack */
	uint32_t n_free, fresh, size;
	struct deeds before; /* saved deeds of the flow that is judged, to restore them */
};

struct commands *commands_new(uint32_t flows)
{
	struct commands *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->size = flows;
	all->states = calloc(flows, sizeof(*all->states));
	all->free = calloc(flows, sizeof(*all->free));
	if (all->states == NULL || all->free == NULL) {
		commands_free(all);
		return NULL;
	}
	return all;
}

void commands_free(struct commands *all)
{
	if (all == NULL)
		return;
	free(all->states);
	free(all->free);
	free(all);
}

static void state_begin(struct command_state *c, const struct flow *f)
{
	memset(c->state, 0, ENFORCER_STATE_MAX);
	c->life = 0;
	if (c->enforcer->begin != NULL)
		c->enforcer->begin(c->state, f->l4proto != IP_TCP, f->server_port);
}

bool command_follow(struct crossing *x, enum protocol p)
{
	struct commands *all = x->i->commands;
	const struct enforcer *e = enforcer_of(p);
	struct command_state *c;
	uint32_t slot;

	if (e == NULL || e->state_size > ENFORCER_STATE_MAX || e->pdu_max > ENFORCER_PDU_MAX ||
	    (x->f->l4proto != IP_TCP && e->datagrams == 0))
		return false;
	if (all->n_free > 0)
		slot = all->free[--all->n_free];
	else if (all->fresh < all->size)
		slot = all->fresh++;
	else
		return false;
	c = &all->states[slot];
	memset(c, 0, sizeof(*c));
	c->enforcer = e;
	state_begin(c, x->f);
	x->f->commands = c;
	x->f->kind = KIND_FOLLOWED;
	x->f->protocol = (uint16_t)p;
	if (x->f->l4proto == IP_TCP) {
		stream_frame(&x->f->stream, DIR_C2S);
		stream_frame(&x->f->stream, DIR_S2C);
	}
	return true;
}

void command_release(struct inspector *i, struct flow *f)
{
	struct commands *all = i->commands;

	if (f->commands == NULL)
		return;
	if (f->commands->opens)
		bond_end(i, f);
	all->free[all->n_free++] = (uint32_t)(f->commands - all->states);
	f->commands = NULL;
}

const struct enforcer *command_enforcer(const struct flow *f)
{
	return f->commands != NULL ? f->commands->enforcer : NULL;
}

const void *command_known(const struct flow *f)
{
	static const _Alignas(16) uint8_t nothing[ENFORCER_STATE_MAX];

	return f != NULL && f->commands != NULL ? f->commands->state : nothing;
}

void command_forget(const struct flow *f)
{
	state_begin(f->commands, f);
	command_note_missed(f, false);
}

bool command_is_whole(const struct enforcer *e, const void *known, enum direction dir, struct bytes b)
{
	while (b.left > 0) {
		size_t n = 0;

		if (e->frame(known, dir, b, &n) != FRAME_WHOLE || n == 0 || !bytes_skip(&b, n))
			return false;
	}
	return !b.failed;
}

bool command_starts(const struct flow *f, enum direction dir, struct bytes b, bool turned)
{
	enum frame_result r = FRAME_WHOLE;
	bool enough = turned && b.left >= BEGIN_MIN;
	size_t n = 0;

	for (uint32_t whole = 0; b.left > 0; whole++) {
		r = command_enforcer(f)->frame(command_known(f), dir, b, &n);
		if (r != FRAME_WHOLE)
			return r == FRAME_NEED_MORE && (whole > 0 || enough);
		if (n == 0 || !bytes_skip(&b, n))
			return false;
	}
	return true;
}

void command_note_missed(const struct flow *f, bool unread)
{
	struct command_state *c = f->commands;

	if (c != NULL)
		pending_missed(c->enforcer, c->state, unread);
}

void command_tell(struct crossing *x, const struct pdu *u, struct judged *j)
{
	event_tell_pdu(x, u);
	if (u->allowed)
		return;
	if (!j->denied)
		j->reason = u->reason;
	j->denied = true;
}

/* The way in which a segment is judged. */
enum attempt {
	ATTEMPT_FIRST,
	/* only tests whether the segment alone has too many requests; nothing is recorded */
	ATTEMPT_ALONE,
	/* too many requests are open, and waiting would not help, so pending_crowd makes room */
	ATTEMPT_CROWDED
};

static void note_request(struct crossing *x, const struct parsed *parsed, const struct pdu *u)
{
	if (u->allowed || crossing_is_observed(x))
		deeds_remember(&x->f->commands->deeds, parsed);
	if (u->allowed)
		count_hold(x, x->dir, parsed->operations, parsed->n, u);
}

/*
 * Notes a misread PDU that passes under observe. From here on, nobody knows where the server sees
 * the next PDU begin, so a permit that enforces commands cannot take this session over later.
 */
static void note_misread(struct crossing *x)
{
	x->f->let_by |= crossing_is_observed(x);
}

/* Shadows stop nothing. What their rows would refuse is recorded like refusals of an
 * observing conduit. */
static void tell_shadows(struct crossing *x, const struct parsed *parsed, const struct pdu *u)
{
	struct pdu shadow = *u;

	if (parsed->wrong == R_ALLOWED && (u->allowed || crossing_is_observed(x)) &&
	    judge_shadows(x->f->commands->enforcer, parsed->operations, parsed->n, x->table, x->permit, &shadow))
		event_tell_shadow(x, &shadow);
}

/* Keeps the bytes of the request for offer.c: by them the kernel will recognise a repetition. */
static void note_asked(const struct crossing *x, struct bytes pdu)
{
	struct command_state *c = x->f->commands;

	c->asked_permit = x->permit->permit;
	c->asked_turn = rules_turn(x->i->rules);
	c->asked_hops = x->d.hops;
	c->asked_words = x->d.words;
	c->n_asked = (uint16_t)(pdu.left <= ONCE_REQUEST ? pdu.left : 0);
	if (c->n_asked > 0)
		bytes_copy(&pdu, c->asked, c->n_asked);
}

/* Judges one whole PDU at `offset` of its direction. */
static void judge_one(struct crossing *x, enum attempt how, struct bytes pdu, uint64_t offset, struct judged *j)
{
	struct command_state *c = x->f->commands;
	struct pdu u = {
		.dir = x->dir, .offset = offset, .length = (uint32_t)pdu.left, .space = 255, .conduit = EVENT_NO_CONDUIT
	};
	struct parsed *parsed = &x->i->rooms.judge->parsed;
	bool waits = how != ATTEMPT_CROWDED && !crossing_is_observed(x), asks, alone;

	lasting_recall(x, c->enforcer, x->dir, c->state, pdu);
	/* before it is judged, because a request that is judged twice would count as a repetition
	 * of itself */
	if (!waits)
		pending_crowd(c->enforcer, c->state);
	judge_pdu(c->enforcer, c->state, x->dir, pdu, x->table, x->permit, x->i->rooms.judge, parsed, &u);
	if (waits && !u.allowed && u.reason == c->enforcer->pending) {
		j->later = j->denied = true;
		j->reason = u.reason;
		return;
	}
	if (how == ATTEMPT_ALONE) {
		j->denied |= !u.allowed;
		return;
	}
	if (parsed->asks) {
		u.operations = parsed->operations;
		u.n_operations = parsed->n;
	}
	if (parsed->bond.kind != BOND_NONE)
		c->opens |= bond_note(x, parsed, &u);
	if (x->dir == DIR_C2S && !u.allowed && c->enforcer->misread != NULL && c->enforcer->misread(parsed, &u))
		note_misread(x);
	if (x->dir == DIR_C2S && u.allowed)
		lasting_note(x, c->enforcer, pdu);
	alone = !count_holds(x->i);
	c->deeds.last = 0;
	asks = parsed->asks && !stream_judged_before(&x->f->stream, x->dir, offset, u.length);
	if (asks)
		note_request(x, parsed, &u);
	if (parsed->bond.kind == BOND_USES && u.allowed)
		count_hold(x, DIR_C2S, u.operations, u.n_operations, &u);
	if (x->dir == DIR_C2S && x->i->limits.offer != NULL)
		note_asked(x, u.allowed && asks && alone ? pdu : bytes_of(NULL, 0));
	command_tell(x, &u, j);
	if (asks)
		tell_shadows(x, parsed, &u);
}

static void find_no_pdu(struct crossing *x, enum frame_result r, struct bytes head, uint64_t offset, struct judged *j)
{
	enum protocol p = (enum protocol)x->f->protocol, speaks = PROTO_NONE;

	if (offset == 0) /* the first bytes: another protocol, or a bad start? */
		speaks = recognise_any(x->dir, head);
	if (!j->denied)
		j->reason = speaks != PROTO_NONE && speaks != p ? R_WRONG_PROTOCOL
			    : r == FRAME_LONG			? x->f->commands->enforcer->too_long
								: enforcer_malformed(p);
	j->speaks = speaks == p ? PROTO_NONE : speaks;
	j->denied = j->opaque = true;
	j->unjudged = 0;
}

/* Completes and judges the PDU that began in earlier segments, if there is one, and takes its bytes
 * off `fresh`. True: the rest of `fresh`, which may be empty, is still to be judged. */
static bool judge_carried(struct crossing *x, enum attempt how, struct bytes *fresh, uint64_t *offset, struct judged *j)
{
	const struct command_state *c = x->f->commands;
	const struct enforcer *e = c->enforcer;
	size_t carry = stream_carry(&x->f->stream, x->dir), n = 0, part;
	uint8_t *room = x->i->rooms.pdu;
	struct bytes both, taken = *fresh;
	enum frame_result r;

	if (carry == 0)
		return true;
	if (carry >= e->pdu_max || !stream_carry_copy(&x->f->stream, &x->i->pool, x->dir, room)) {
		find_no_pdu(x, FRAME_BAD, *fresh, *offset, j);
		return false;
	}
	part = fresh->left < e->pdu_max - carry ? fresh->left : e->pdu_max - carry;
	bytes_copy(&taken, room + carry, part);
	both = bytes_of(room, carry + part);
	r = e->frame(c->state, x->dir, both, &n);
	switch (r) {
	case FRAME_WHOLE:
		if (n <= carry || n > both.left)
			break; /* the PDU was whole before, or is longer than what is there */
		judge_one(x, how, bytes_of(room, n), *offset, j);
		*offset += n;
		return bytes_skip(fresh, n - carry);
	case FRAME_NEED_MORE:
		if (part < fresh->left)
			break; /* longer than any PDU */
		j->unjudged = both.left;
		return false;
	case FRAME_BAD:
	case FRAME_LONG:
		break;
	}
	find_no_pdu(x, r, both, *offset, j);
	return false;
}

/*
 * Judges the bytes as receivers with another framing would read them (framed_else). False: nothing
 * remains to be judged, because the bytes are refused, or are a request only in the other framing.
 */
static bool judge_else(struct crossing *x, enum attempt how, bool begins, struct bytes fresh, uint64_t offset,
		       struct judged *j)
{
	struct command_state *c = x->f->commands;
	const struct allowance by = { x->table, x->permit, vocabulary_of(c->enforcer->protocol) };
	struct pdu u = { .dir = x->dir,
			 .offset = offset,
			 .length = (uint32_t)fresh.left,
			 .space = 255,
			 .conduit = EVENT_NO_CONDUIT };

	if (x->dir != DIR_C2S || c->enforcer->framed_else == NULL || x->f->lacking ||
	    c->enforcer->framed_else(c->state, begins, fresh, &by, &u))
		return true;
	note_misread(x);
	if (how == ATTEMPT_ALONE)
		j->denied = true;
	else
		command_tell(x, &u, j);
	return u.reading && crossing_is_observed(x);
}

/*
 * Asks the enforcer whether the bytes may pass in this segment. The beginning of the PDU from
 * earlier segments is put before them.
 */
static bool judge_segment(struct crossing *x, enum attempt how, struct bytes fresh, uint64_t offset, struct judged *j)
{
	struct command_state *c = x->f->commands;
	const struct allowance by = { x->table, x->permit, vocabulary_of(c->enforcer->protocol) };
	size_t carry = stream_carry(&x->f->stream, x->dir);
	struct pdu u = { .dir = x->dir, .offset = offset, .space = 255, .conduit = EVENT_NO_CONDUIT };
	struct bytes b = fresh;
	bool late;

	if (x->dir != DIR_C2S || c->enforcer->segment == NULL || carry >= c->enforcer->pdu_max)
		return true;
	if (x->f->lacking) /* the awaited answers may be among the missing bytes */
		return true;
	if (carry > 0) {
		if (!stream_carry_copy(&x->f->stream, &x->i->pool, x->dir, x->i->rooms.pdu) ||
		    fresh.left > PDUS_MAX - carry)
			return true; /* a broken PDU, which will be refused when it is judged */
		memcpy(x->i->rooms.pdu + carry, fresh.p, fresh.left);
		b = bytes_of(x->i->rooms.pdu, carry + fresh.left);
	}
	u.length = (uint32_t)fresh.left;
	/* otherwise the time when this PDU began is already known */
	if (carry == 0 || offset != c->begun) {
		c->begun = offset;
		c->begun_ns = carry == 0 ? x->i->now_ns : c->segment_ns;
	}
	c->segment_ns = x->i->now_ns;
	late = x->i->now_ns - c->begun_ns > LATE_NS;
	if (c->enforcer->segment(c->state, offset, carry, late, b, &by, &u))
		return true;
	if (u.early && crossing_is_observed(x))
		return true;
	note_misread(x);
	if (u.reason == c->enforcer->pending) { /* under observe, requests do not wait */
		j->later = j->denied = !crossing_is_observed(x);
		j->reason = j->later ? u.reason : j->reason;
		return !j->later;
	}
	/* under observe the requests in them are reported as well */
	u.reading |= crossing_is_observed(x);
	if (how != ATTEMPT_ALONE)
		command_tell(x, &u, j);
	return false;
}

static struct judged attempt_judge(struct crossing *x, enum attempt how, struct bytes fresh)
{
	struct flow *f = x->f;
	const struct enforcer *e = f->commands->enforcer;
	uint64_t offset = f->stream.dir[x->dir].offset - stream_carry(&f->stream, x->dir);
	struct judged j = { .reason = R_ALLOWED };

	/* Only for the first bytes: inside a PDU there may be any bytes. */
	if (offset == 0 && stream_carry(&f->stream, x->dir) == 0) {
		enum protocol named = recognise_any(x->dir, fresh);

		if (named != PROTO_NONE && name_contradicts(named, (enum protocol)f->protocol))
			return (struct judged){
				.denied = true, .opaque = true, .speaks = named, .reason = R_WRONG_PROTOCOL
			};
	}
	if (!judge_else(x, how, stream_carry(&f->stream, x->dir) == 0, fresh, offset, &j))
		return j;
	if (!judge_segment(x, how, fresh, offset, &j) && !crossing_is_observed(x))
		return j;
	if (!judge_carried(x, how, &fresh, &offset, &j))
		return j;
	while (fresh.left > 0 && (!j.denied || crossing_is_observed(x))) {
		struct bytes pdu;
		size_t n = 0;
		enum frame_result r = e->frame(f->commands->state, x->dir, fresh, &n);

		switch (r) {
		case FRAME_WHOLE:
			if (n == 0 || !bytes_take(&fresh, n, &pdu)) {
				find_no_pdu(x, FRAME_BAD, fresh, offset, &j);
				return j;
			}
			judge_one(x, how, pdu, offset, &j);
			offset += n;
			break;
		case FRAME_NEED_MORE:
			if (fresh.left >= e->pdu_max) {
				find_no_pdu(x, FRAME_BAD, fresh, offset, &j);
				return j;
			}
			j.unjudged = fresh.left;
			return j;
		case FRAME_BAD:
		case FRAME_LONG:
			find_no_pdu(x, r, fresh, offset, &j);
			return j;
		}
	}
	return j;
}

static void state_age(struct crossing *x)
{
	struct command_state *c = x->f->commands;

	for (unsigned n = 0; n < 2 && x->i->now_ns - c->aged_ns >= AGE_NS; n++) {
		c->aged_ns = n == 0 && c->aged_ns > 0 ? c->aged_ns + AGE_NS : x->i->now_ns;
		pending_age(c->enforcer, c->state);
	}
}

/*
 * If too many requests are open, nothing of the segment is remembered, and the segment has to wait:
 * it passes when its sender repeats it after other requests have been answered. A segment does not
 * wait if it alone has too many requests, or if it passed ahead of a gap, because its receiver has
 * it already. Answers never wait.
 */
struct judged command_judge(struct crossing *x, struct bytes fresh)
{
	struct command_state *c = x->f->commands;
	uint8_t *before = x->i->rooms.before;
	struct judged j;
	size_t used;
	bool crowded;

	state_age(x);
	if (x->dir == DIR_S2C || crossing_is_observed(x))
		return attempt_judge(x, ATTEMPT_FIRST, fresh);
	used = pending_state_used(c->enforcer, c->state);
	memcpy(before, c->state, used);
	deeds_copy(&x->i->commands->before, &c->deeds);
	j = attempt_judge(x, ATTEMPT_FIRST, fresh);
	if (!j.later)
		return j;
	command_settle(x, false);
	deeds_copy(&c->deeds, &x->i->commands->before);
	if (c->enforcer->afresh) {
		state_begin(c, x->f);
	} else {
		memcpy(c->state, before, used);
		pending_clear(c->enforcer, c->state);
	}
	crowded = attempt_judge(x, ATTEMPT_ALONE, fresh).later;
	memcpy(c->state, before, used);
	return crowded ? attempt_judge(x, ATTEMPT_CROWDED, fresh) : j;
}

/* The number of PDUs in these bytes; 0 when they are not whole PDUs, or more than a datagram
 * may have. */
static uint32_t count_pdus(const struct enforcer *e, const void *known, enum direction dir, struct bytes b)
{
	uint32_t whole = 0;
	size_t n = 0;

	for (; b.left > 0; whole++)
		if (whole == e->datagrams || b.left > e->pdu_max || e->frame(known, dir, b, &n) != FRAME_WHOLE ||
		    n == 0 || !bytes_skip(&b, n))
			return 0;
	return whole;
}

bool command_is_datagram(const struct enforcer *e, enum direction dir, uint16_t port, struct bytes payload)
{
	_Alignas(16) uint8_t state[ENFORCER_STATE_MAX] = { 0 };

	if (e->begin != NULL)
		e->begin(state, true, port);
	return count_pdus(e, state, dir, payload) > 0;
}

bool command_would_allow(const struct crossing *x, const struct flow *f, const struct enforcer *e,
			 const struct command_permit *permit, enum direction dir)
{
	uint8_t *state = x->i->rooms.before;
	struct bytes b = x->d.payload, pdu;
	struct parsed parsed;
	struct pdu u;
	size_t n = 0;

	if (f != NULL) {
		memcpy(state, command_known(f), pending_state_used(e, command_known(f)));
	} else {
		memset(state, 0, ENFORCER_STATE_MAX);
		if (e->begin != NULL)
			e->begin(state, true, dir == DIR_C2S ? x->d.dport : x->d.sport);
	}
	if (count_pdus(e, state, dir, b) == 0)
		return false;
	while (b.left > 0) {
		u = (struct pdu){ .dir = dir, .space = 255, .conduit = EVENT_NO_CONDUIT };
		if (e->frame(state, dir, b, &n) != FRAME_WHOLE || n == 0 || !bytes_take(&b, n, &pdu))
			return false;
		lasting_recall(x, e, dir, state, pdu);
		judge_pdu(e, state, dir, pdu, x->table, permit, x->i->rooms.judge, &parsed, &u);
		if (!u.allowed)
			return false;
	}
	return true;
}

/*
 * A refused datagram does not reach its receiver, so nothing of it is remembered, unless it passes
 * nevertheless, or a capture shows that it did. Requests in datagrams may get lost, and are not
 * repeated with the same number: when too many are open, the older ones count as lost.
 */
struct judged command_judge_datagram(struct crossing *x, struct bytes payload)
{
	struct command_state *c = x->f->commands;
	uint8_t *before = x->i->rooms.before;
	struct judged j = { .reason = R_ALLOWED };
	size_t used = pending_state_used(c->enforcer, c->state), n = 0;
	/* to restore the deeds: a PDU may be allowed although its datagram is refused */
	struct deeds deeds = { 0 };
	struct bytes pdu;

	memcpy(before, c->state, used);
	if (c->enforcer->datagrams > 1)
		deeds = c->deeds;
	if (!judge_else(x, ATTEMPT_CROWDED, true, payload, 0, &j))
		payload.left = 0;
	else if (count_pdus(c->enforcer, c->state, x->dir, payload) == 0)
		j = (struct judged){ .denied = true, .opaque = true, .reason = c->enforcer->malformed };
	while (!j.opaque && payload.left > 0 && (!j.denied || crossing_is_observed(x))) {
		if (c->enforcer->frame(c->state, x->dir, payload, &n) != FRAME_WHOLE || n == 0 ||
		    !bytes_take(&payload, n, &pdu)) {
			j = (struct judged){ .denied = true, .opaque = true, .reason = c->enforcer->malformed };
			break;
		}
		judge_one(x, ATTEMPT_CROWDED, pdu, 0, &j);
	}
	if (j.denied && !crossing_is_observed(x)) {
		memcpy(c->state, before, used);
		if (c->enforcer->datagrams > 1)
			c->deeds = deeds;
	}
	return j;
}

void command_settle(struct crossing *x, bool passed)
{
	struct command_state *c = x->f->commands;

	count_keep(x, &c->tally, passed);
	if (passed && x->dir == DIR_C2S && x->i->limits.offer != NULL && c->n_asked > 0) {
		if (!count_last(x->i, &c->again))
			c->n_asked = 0;
		c->again.deeds = c->deeds.last;
	}
}

uint64_t command_judge_deeds(const struct flow *f, const struct command_table *t, const struct command_permit *permit,
			     void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx)
{
	const struct command_state *c = f->commands;

	deeds_judge_again(&c->deeds, c->enforcer, t, permit, each, ctx);
	return c->deeds.more;
}
