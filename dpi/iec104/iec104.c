/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/iec104/iec104.h"

#include <stddef.h>
#include <string.h>

#include "dpi/iec104/words.h"

_Static_assert(sizeof(struct iec104_state) <= ENFORCER_STATE_MAX, "IEC 104 state must fit into a flow");
_Static_assert(IEC104_PDU_MAX <= ENFORCER_PDU_MAX, "the longest APDU must fit into what is kept");

#define NUMBERS 0x7fffu /* 15 bits */
/* How many I frames may be unacknowledged: `k` of a pair of stations is 12 by default and 32767 at
 * most (IEC 60870-5-104, 5.5), and no frame says which. */
#define WINDOW_MAX 32767u
#define TESTS_MAX 255u

/* Causes of ASDUs that a controlled station sends (IEC 60870-5-101, 7.2.3). */
#define REQUEST 5u
#define ACT 6u
#define ACT_CON 7u
#define DEACT 8u
#define DEACT_CON 9u
#define ACT_TERM 10u
#define INTERROGATED 20u
#define UNKNOWN_FIRST 44u /* unknown type, cause, common address, object address */
#define UNKNOWN_LAST 47u

/* Indexes of parsed.kept, in which `parse` hands data to `asked`. */
enum kept { KEPT_SAYS, KEPT_NS, KEPT_NR, KEPT_FILES };

static enum frame_result iec104_find_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	return iec104_frame(head, ret_len);
}

/* ---- session state: sequence numbers and U frames -------------------------------------------- */

static uint16_t distance(uint16_t from, uint16_t to)
{
	return (uint16_t)(to - from) & NUMBERS;
}

/* Whether N(S) is the expected number, and fewer frames than the window are unacknowledged. In any
 * case, this N(S) plus one is the number expected next. */
static bool sends(struct iec104_side *side, uint16_t ns)
{
	bool fits = side->next_unknown ||
		    (ns == side->next && (side->acked_unknown || distance(side->acked, side->next) < WINDOW_MAX));

	if (side->next_unknown || ns != side->next)
		side->acked_unknown = true;
	side->next_unknown = false;
	side->next = (ns + 1u) & NUMBERS;
	return fits;
}

/* Whether N(R) acknowledges only frames that the other end has sent, and none that it acknowledged
 * before. */
static bool acknowledges(struct iec104_side *other, uint16_t nr)
{
	bool fits = other->next_unknown || other->acked_unknown ||
		    distance(other->acked, nr) <= distance(other->acked, other->next);

	if (!fits)
		return false;
	other->acked = nr;
	other->acked_unknown = other->next_unknown;
	return true;
}

static bool phase_follow(struct iec104_state *s, enum direction dir, uint8_t what)
{
	bool client = dir == DIR_C2S;
	uint8_t before = s->phase;

	switch (what) {
	case IEC104_STARTDT_ACT:
		if (client && before != IEC104_STARTED)
			s->phase = IEC104_STARTING;
		return client;
	case IEC104_STARTDT_CON:
		/* a repeated STARTDT act has a second confirmation */
		if (!client && (before == IEC104_STARTING || before == IEC104_ANY))
			s->phase = IEC104_STARTED;
		return !client && (before == IEC104_STARTING || before == IEC104_STARTED || before == IEC104_ANY);
	case IEC104_STOPDT_ACT:
		if (client && before != IEC104_STOPPED)
			s->phase = IEC104_STOPPING;
		return client;
	case IEC104_STOPDT_CON:
		if (!client && (before == IEC104_STOPPING || before == IEC104_ANY))
			s->phase = IEC104_STOPPED;
		return !client && (before == IEC104_STOPPING || before == IEC104_STOPPED || before == IEC104_ANY);
	case IEC104_TESTFR_ACT:
		if (s->tested[dir] < TESTS_MAX)
			s->tested[dir]++;
		return true;
	default: /* its confirmation */
		if (s->tested[!dir] == 0)
			return s->met;
		s->tested[!dir]--;
		return true;
	}
}

/* A controlling station may send data from its request (STARTDT act) on. A controlled station may
 * send data from its confirmation of the start until its confirmation of the stop. */
static bool transfers(const struct iec104_state *s, enum direction dir)
{
	if (s->phase == IEC104_STARTED || s->phase == IEC104_ANY)
		return true;
	return s->phase == (dir == DIR_C2S ? IEC104_STARTING : IEC104_STOPPING);
}

/* The reason why a frame is not allowed in the present state of its session; R_ALLOWED when it
 * is. `any_ns`: the sender may skip numbers, or begin with another one than 0. */
static enum reason in_session(struct iec104_state *s, enum direction dir, uint8_t what, uint16_t ns, uint16_t nr,
			      bool any_ns)
{
	bool fits;

	if (what == IEC104_S)
		return acknowledges(&s->sides[!dir], nr) ? R_ALLOWED : R_IEC104_NUMBER;
	if (what != 0)
		return phase_follow(s, dir, what) ? R_ALLOWED : R_IEC104_SESSION;
	fits = sends(&s->sides[dir], ns) || any_ns;
	if (!acknowledges(&s->sides[!dir], nr) || !fits)
		return R_IEC104_NUMBER;
	return transfers(s, dir) ? R_ALLOWED : R_IEC104_SESSION;
}

/* ---- commands -------------------------------------------------------------------------------- */

static void iec104_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	struct iec104_head h;

	ret->asks = dir == DIR_C2S;
	if (!ret->asks || !iec104_head_parse(pdu, &h))
		return;
	ret->n = 1;
	ret->kept[KEPT_SAYS] = h.says;
	ret->kept[KEPT_NS] = h.ns;
	ret->kept[KEPT_NR] = h.nr;
	if (h.says != 0) { /* S and U frames: every session needs them */
		ret->operations[0] = (struct operation){
			.service = IEC104_SAYS(h.says), .space = SPACE_NONE, .setup = true, .idle = 0x0f
		};
		ret->wrong = R_ALLOWED;
		return;
	}
	ret->wrong = iec104_request_parse(&h, &ret->operations[0]);
	ret->kept[KEPT_FILES] = h.layout != NULL && h.layout->value == IEC104_UNKNOWN;
}

static void new_table(void *state)
{
	((struct iec104_state *)state)->files_choice = NO_CHOICE;
}

static void iec104_asked(void *state, const struct parsed *p, const struct ruling *ruling, struct pdu *ret)
{
	struct iec104_state *s = state;
	const struct operation *o = p->operations;
	enum reason session;

	if (p->n == 0)
		return;
	session = in_session(s, ret->dir, (uint8_t)p->kept[KEPT_SAYS], (uint16_t)p->kept[KEPT_NS],
			     (uint16_t)p->kept[KEPT_NR], false);
	if (ret->reason == R_ALLOWED)
		ret->reason = session;
	if (p->kept[KEPT_SAYS] != 0)
		return;
	if (p->kept[KEPT_FILES] != 0) {
		if (ret->reason == R_ALLOWED) {
			s->files = true;
			s->files_choice = ruling->choice;
			s->files_ca = (uint16_t)o->targets[IEC104_CA];
		}
		return;
	}
	if (!pending_room(&iec104_enforcer, s, ret))
		return;
	s->open[s->wait.n++] = (struct iec104_open){
		/* a read is answered by monitored values, so it needs no confirmation */
		.wait = { ruling->choice, (uint8_t)ret->reason,
			  (o->targets[IEC104_CAUSE] & IEC104_CAUSE_BITS) == REQUEST },
		.cause = o->targets[IEC104_CAUSE] & IEC104_CAUSE_BITS,
		.service = (uint16_t)o->service,
		.ca = (uint16_t)o->targets[IEC104_CA],
		.ioa = o->space != SPACE_NONE ? (uint32_t)o->first : 0,
	};
}

/* ---- confirmations --------------------------------------------------------------------------- */

static uint8_t type_of(const struct iec104_open *o)
{
	return o->service == IEC104_FREEZES ? IEC104_C_CI : (uint8_t)o->service;
}

/* Whether `h` confirms `o`: the same type and object, from the addressed station, or from any
 * station if the command was for all. A station may also send a command back whose type, cause or
 * address it does not know. */
static bool is_confirmed_by(const struct iec104_open *o, const struct iec104_head *h)
{
	uint8_t cause = h->cause & IEC104_CAUSE_BITS;

	if (type_of(o) != h->type || h->n != 1 || (o->ca != h->ca && o->ca != IEC104_CA_ALL))
		return false;
	if (h->layout == NULL)
		return true;
	if (o->ioa != h->ioa)
		return false;
	switch (cause) {
	case ACT_CON:
		/* some stations confirm a read, too, before its value comes */
		return (o->cause == ACT || o->cause == REQUEST) && (!o->confirmed || o->ca == IEC104_CA_ALL);
	case DEACT_CON:
		return o->cause == DEACT && (!o->confirmed || o->ca == IEC104_CA_ALL);
	case ACT_TERM:
		return o->cause == ACT;
	default:
		return cause >= UNKNOWN_FIRST && cause <= UNKNOWN_LAST;
	}
}

static void confirm_open(struct iec104_state *s, uint32_t i, const struct iec104_head *h, const struct allowance *by,
			 struct pdu *ret)
{
	struct iec104_open *o = &s->open[i];
	uint8_t cause = h->cause & IEC104_CAUSE_BITS;

	ret->function = o->service;
	judge_answer(by, &o->wait, ret);
	/* Other stations may still confirm, and the end of the command may still be reported, but
	 * neither has to come. */
	o->wait.expendable = 1;
	if (o->ca != IEC104_CA_ALL &&
	    (cause == ACT_TERM || cause >= UNKNOWN_FIRST || ret->exception || o->cause == DEACT || h->layout == NULL))
		pending_answered(&s->wait, s->open, sizeof(s->open[0]), i);
	else
		o->confirmed = true;
}

/* Whether the common address is that of one station: nothing else says whose values they are. */
static bool names_one_station(const struct iec104_head *h)
{
	return h->ca != 0 && h->ca != IEC104_CA_ALL;
}

/* Whether a station sends data with this cause by itself, or because it was interrogated. */
static bool is_of_monitor(const struct iec104_head *h)
{
	uint8_t cause = h->cause & IEC104_CAUSE_BITS;

	return (cause >= 1 && cause <= 5) || (cause >= 11 && cause <= 13) || (cause >= INTERROGATED && cause <= 41);
}

/* Whether these are values that a station sends without a request. */
static bool is_monitored(const struct iec104_head *h)
{
	if (h->layout == NULL || !names_one_station(h))
		return false;
	if (h->type >= IEC104_P_ME_FIRST && h->type <= IEC104_P_ME_LAST)
		return (h->cause & IEC104_CAUSE_BITS) == INTERROGATED;
	return h->layout->who == IEC104_SERVER && is_of_monitor(h);
}

/* Whether rows name this type although the specification does not, so that stations may send it as
 * they send values. */
static bool is_named(const struct iec104_head *h, const struct allowance *by, struct pdu *ret)
{
	const struct operation o = {
		.service = h->type,
		.targets = { [IEC104_CA] = h->ca, [IEC104_ORIGINATOR] = h->originator, [IEC104_CAUSE] = h->cause },
		.space = SPACE_NONE
	};
	struct ruling ruling;

	if (h->layout != NULL || !names_one_station(h) || !is_of_monitor(h))
		return false;
	evaluate_unseen(by, &o, &ruling);
	if (ruling.reason != R_ALLOWED)
		return false;
	ret->allowed = true;
	ret->reason = R_ALLOWED;
	pdu_name_ruling(ret, &ruling);
	return true;
}

static void confirm_match(struct iec104_state *s, const struct iec104_head *h, const struct allowance *by,
			  struct pdu *ret)
{
	for (uint32_t i = 0; i < s->wait.n; i++)
		if (is_confirmed_by(&s->open[i], h)) {
			confirm_open(s, i, h, by, ret);
			return;
		}
	if (is_named(h, by, ret))
		return;
	ret->reason = R_IEC104_RESPONSE;
	pending_answered_unseen(&s->wait, R_IEC104_UNSEEN, R_IEC104_UNREAD, ret);
}

/* Allows a part of a file only from a station that was asked for a file. */
static void answered_file(struct iec104_state *s, const struct iec104_head *h, const struct allowance *by,
			  struct pdu *ret)
{
	ret->reason = R_IEC104_RESPONSE;
	if (s->files && (s->files_ca == h->ca || s->files_ca == IEC104_CA_ALL)) {
		pdu_name_choice(by, s->files_choice, ret);
		ret->reason = R_ALLOWED;
	} else if (s->wait.unseen == UNSEEN_ANY && !s->wait.unread) {
		ret->reason = R_IEC104_UNSEEN;
	}
	ret->allowed = ret->reason != R_IEC104_RESPONSE;
}

static void iec104_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	struct iec104_state *s = state;
	struct iec104_head h;
	enum reason session;

	ret->reason = R_IEC104_FRAME;
	pdu_name_choice(by, 0, ret);
	if (!iec104_head_parse(pdu, &h))
		return;
	session = in_session(s, DIR_S2C, h.says, h.ns, h.nr, judge_forgives(by, LENIENT_NUMBERING));
	ret->function = h.says != 0 ? IEC104_SAYS(h.says) : h.type;
	ret->reason = R_ALLOWED;
	ret->allowed = true;
	if (h.says == 0) {
		ret->targets[IEC104_CA] = h.ca;
		ret->targets[IEC104_ORIGINATOR] = h.originator;
		ret->targets[IEC104_CAUSE] = h.cause;
		ret->exception = (h.cause & IEC104_NEGATIVE) != 0;
		if (h.layout != NULL && h.layout->places) {
			ret->space = IEC104_IOA;
			ret->address = h.ioa;
			ret->quantity = h.run ? h.n : 1;
		}
		if (!is_monitored(&h)) {
			ret->allowed = false;
			ret->reason = R_IEC104_DIRECTION;
			if (h.layout != NULL && h.layout->who == IEC104_SERVER)
				ret->reason = R_IEC104_FRAME;
			else if (h.layout != NULL && h.layout->who == IEC104_BOTH)
				answered_file(s, &h, by, ret);
			else
				confirm_match(s, &h, by, ret);
		}
	}
	if (session != R_ALLOWED && ret->allowed) {
		ret->allowed = false;
		ret->reason = session;
	}
}

static void iec104_missed(void *state)
{
	struct iec104_state *s = state;

	s->met = true;
	s->phase = IEC104_ANY;
	for (unsigned i = 0; i < 2; i++)
		s->sides[i].next_unknown = s->sides[i].acked_unknown = true;
}

/* For a client, a valid command; for a server, a valid address. PDUs of unknown types may be
 * anything, so they do not count. */
static bool iec104_likely(const void *state, enum direction dir, struct bytes pdu)
{
	struct operation o;
	struct iec104_head h;

	if (!iec104_head_parse(pdu, &h))
		return false;
	if (h.says != 0)
		return true;
	if (h.layout == NULL)
		return false;
	return dir == DIR_C2S ? iec104_request_parse(&h, &o) == R_ALLOWED : h.ca != 0;
}

/* ---- commands inside a segment --------------------------------------------------------------- */

/*
 * Searches for commands that a server would execute if it does not read APDUs as the specification
 * describes: a forbidden command at a position where the client began no APDU, for example in a
 * file segment or across the end of an APDU. A server that takes the result of one recv for an
 * APDU, or looks for the next 68 after an error, would execute it.
 *
 * An APDU with a wrong length cannot hide a command, because the length must fit the type before
 * any byte of the command passes.
 */

/* Whether a command begins at `b`, where the client began no APDU, and rows forbid it. */
static bool is_forbidden(struct bytes b, const struct allowance *by, struct ruling *ret)
{
	struct operation o;
	struct iec104_head h;
	size_t n;

	if (iec104_frame(b, &n) != FRAME_WHOLE || !iec104_head_parse(bytes_of(b.p, n), &h) || h.says != 0 ||
	    iec104_request_parse(&h, &o) != R_ALLOWED)
		return false;
	evaluate(by, &o, 1, ret);
	return ret->reason != R_ALLOWED;
}

static bool iec104_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
			   const struct allowance *by, struct pdu *ret)
{
	struct ruling ruling;
	struct bytes apdus = b;
	size_t begins = 0, n = 0;

	if (evaluate_allows_all(by)) /* nothing can be misread */
		return true;
	for (size_t at = 0; b.left > 0; bytes_skip(&b, 1), at++) {
		if (at == begins) {
			begins = iec104_frame(apdus, &n) == FRAME_WHOLE && bytes_skip(&apdus, n) ? at + n : SIZE_MAX;
		} else if (b.p[0] == IEC104_START && is_forbidden(b, by, &ruling)) {
			pdu_name_ruling(ret, &ruling);
			ret->reason = R_IEC104_INSIDE;
			return false;
		}
	}
	return true;
}

const struct enforcer iec104_enforcer = {
	.protocol = PROTO_IEC104,
	.pdu_max = IEC104_PDU_MAX,
	.state_size = sizeof(struct iec104_state),
	.open = PENDING_IN(struct iec104_state, IEC104_OPEN_MAX),
	.frame = iec104_find_frame,
	.malformed = R_IEC104_FRAME,
	.pending = R_IEC104_PENDING,
	.parse = iec104_parse,
	.asked = iec104_asked,
	.answered = iec104_answered,
	.segment = iec104_segment,
	.missed = iec104_missed,
	.new_table = new_table,
	.likely = iec104_likely,
};
