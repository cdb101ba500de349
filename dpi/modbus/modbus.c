/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/modbus/modbus.h"
#include "dpi/modbus/request.h"
#include "dpi/modbus/serial.h"

#include <stddef.h>
#include <string.h>

#include "appliance/wire/vocabulary.h"
#include "dpi/once.h"

_Static_assert(sizeof(struct modbus_state) <= ENFORCER_STATE_MAX, "Modbus state must fit into a flow");

static void new_table(void *state)
{
	struct modbus_state *s = state;

	for (uint32_t i = 0; i < TOLD_MAX; i++)
		s->told[i].request.wait.choice = NO_CHOICE;
}

static void modbus_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	struct modbus_request r;

	ret->asks = dir == DIR_C2S;
	if (!ret->asks)
		return;
	modbus_request_parse(pdu, &r);
	memcpy(ret->operations, r.operations, r.n * sizeof(r.operations[0]));
	ret->n = r.n;
	ret->wrong = (enum reason)r.wrong;
	ret->kept[0] = r.tid;
	ret->kept[1] = r.address;
	ret->kept[2] = r.quantity;
	ret->kept[3] = r.value;
}

static void modbus_note_asked(void *state, const struct parsed *p, const struct ruling *ruling, struct pdu *ret)
{
	struct modbus_state *s = state;
	bool alone;

	if (!pending_room(&modbus_enforcer, s, ret))
		return;
	alone = ret->reason == R_ALLOWED && modbus_goes_alone(ruling, (uint8_t)ret->function);
	s->open[s->wait.n++] = (struct open_request){
		.wait = { ruling->choice, (uint8_t)ret->reason, ret->targets[0] == 0 && !alone },
		.at = (uint32_t)ret->offset,
		.length = (uint16_t)ret->length,
		.tid = (uint16_t)p->kept[0],
		.address = (uint16_t)p->kept[1],
		.quantity = (uint16_t)p->kept[2],
		.value = (uint16_t)p->kept[3],
		.unit = (uint8_t)ret->targets[0],
		.function = (uint8_t)(ret->function & 0x7fu),
		.alone = alone,
	};
}

/* Whether the request was malformed, so that the form of its answer is not known. */
static bool is_senseless(const struct open_request *o)
{
	return o->wait.reason == R_MODBUS_FRAME || o->wait.reason == R_MODBUS_QUANTITY ||
	       o->wait.reason == R_MODBUS_COIL || o->wait.reason == R_MODBUS_FIELD;
}

static bool answer_fits(const struct open_request *o, bool exception, unsigned lenient, struct bytes data)
{
	uint8_t code;

	if (exception)
		return bytes_u8(&data, &code) && code != 0 && data.left == 0;
	if (is_senseless(o)) /* the form of its answer is not known */
		return true;
	if (o->wait.reason == R_MODBUS_UNSEEN)
		return modbus_response_possible(o->function, data);
	return modbus_response_fits(o->function, o->address, o->quantity, o->value, data) ||
	       ((lenient & LENIENT_COIL) && o->function == MB_WRITE_COIL && o->value != 0 &&
		modbus_response_fits(o->function, o->address, o->quantity, 1, data));
}

/* Sets the addresses of a response, which are those of its request. */
static void name_range(const struct open_request *o, struct pdu *ret)
{
	uint8_t space = modbus_space(o->function);

	if (space == SPACE_NONE || is_senseless(o))
		return;
	ret->space = space;
	ret->address = o->address;
	ret->quantity = modbus_single(o->function) ? 1 : o->quantity;
}

/*
 * Judges a response that answers no open request. After bytes were missed, it may belong to an
 * unseen request; it is then allowed if some such request could be allowed.
 */
static void judge_unseen(struct modbus_state *s, struct bytes data, const struct allowance *by, struct pdu *ret)
{
	const struct open_request nobodys = { .function = (uint8_t)ret->function, .wait.reason = R_MODBUS_UNSEEN };
	struct ruling ruling;

	if (s->wait.unseen == 0 || !answer_fits(&nobodys, ret->exception, 0, data))
		return;
	pending_answered_unseen(&s->wait, R_MODBUS_UNSEEN, R_MODBUS_UNREAD, ret);
	modbus_unseen(by, (uint8_t)ret->targets[0], (uint8_t)ret->function, &ruling);
	if (ruling.reason != R_ALLOWED) {
		ret->allowed = false;
		ret->reason = ruling.reason;
	}
	pdu_name_ruling(ret, &ruling);
}

/*
 * Takes eight bytes at a time, because a digest is computed for every answer. Each step folds the
 * upper half into the lower one, because otherwise the highest bits of two words could cancel each
 * other. A server that constructs another
 * answer with the same digest gains nothing, since it could have sent that answer in the first
 * place.
 */
static uint64_t digest_of(struct bytes pdu)
{
	uint64_t h = 0xcbf29ce484222325u ^ pdu.left, word;
	uint8_t byte;

	while (pdu.left >= sizeof(word) && bytes_be64(&pdu, &word)) {
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	while (pdu.left > 0 && bytes_u8(&pdu, &byte))
		h = (h ^ byte) * 0x100000001b3u;
	return h;
}

static void answer_remember(struct modbus_state *s, const struct open_request *o, struct bytes pdu)
{
	s->told[s->n_told % TOLD_MAX] = (struct modbus_told){ .request = *o, .digest = digest_of(pdu) };
	s->n_told = s->n_told == UINT8_MAX ? UINT8_MAX - TOLD_MAX + 1u : s->n_told + 1u;
}

/* Whether this is exactly an answer that passed a short time ago, which gives the client no
 * new information. */
static bool is_repeated(const struct modbus_state *s, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	uint64_t digest = digest_of(pdu);

	for (uint32_t i = 0; i < TOLD_MAX && i < s->n_told; i++) {
		const struct modbus_told *told = &s->told[i];

		if (told->digest != digest || told->request.function != ret->function)
			continue;
		ret->allowed = true;
		ret->reason = R_MODBUS_TWICE;
		pdu_name_choice(by, told->request.wait.choice, ret);
		name_range(&told->request, ret);
		return true;
	}
	return false;
}

/* Whether this is a wrong transaction id that some devices use, and that is forgiven. */
static bool is_forgiven(uint16_t asked, uint16_t tid, unsigned lenient)
{
	return ((lenient & LENIENT_TRANSACTION) && tid == 0) ||
	       ((lenient & LENIENT_NUMBERING) && (tid == 1 || tid == (uint16_t)(asked + 1u)));
}

/* Whether this is an answer to `o`; one byte more may follow it where that is forgiven. */
static bool is_answer(const struct open_request *o, uint16_t tid, const struct pdu *u, struct bytes data,
		      unsigned lenient)
{
	struct bytes less;

	if (o->function != u->function || (o->tid != tid && !is_forgiven(o->tid, tid, lenient)) ||
	    (o->unit != u->targets[0] && !(lenient & LENIENT_UNIT)))
		return false;
	return answer_fits(o, u->exception, lenient, data) ||
	       ((lenient & LENIENT_PADDING) && data.left > 0 && bytes_take(&data, data.left - 1, &less) &&
		answer_fits(o, u->exception, lenient, less));
}

/* Updates the bytes that are kept while it is not known whether the server is in step. */
static void note_answered(struct modbus_state *s, const struct open_request *o, uint16_t tid, unsigned lenient)
{
	struct modbus_asked asked = {
		.tid = o->tid,
		.unit = o->unit,
		.function = o->function,
		.any_tid = is_forgiven(o->tid, tid, lenient),
		.any_unit = (lenient & LENIENT_UNIT) != 0,
	};

	for (uint32_t i = 0; i < s->wait.n; i++)
		asked.at[asked.n++] = s->open[i].at;
	modbus_slip_answered(&s->slip, o->at, o->length, &asked);
	if (o->wait.reason == R_ALLOWED)
		modbus_serial_answered(&s->serial, tid);
}

/* Whether this is a second answer to the last answered request, where that is forgiven. */
static bool is_second(const struct modbus_state *s, uint16_t tid, struct bytes data, unsigned lenient,
		      const struct allowance *by, struct pdu *ret)
{
	const struct open_request *o = &s->told[(s->n_told + TOLD_MAX - 1u) % TOLD_MAX].request;

	if (!(lenient & LENIENT_DUPLICATE) || s->n_told == 0 || !is_answer(o, tid, ret, data, lenient))
		return false;
	ret->allowed = true;
	ret->reason = R_MODBUS_TWICE;
	pdu_name_choice(by, o->wait.choice, ret);
	name_range(o, ret);
	return true;
}

static void modbus_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	struct modbus_state *s = state;
	struct bytes whole = pdu;
	unsigned lenient = s->lenient = (uint8_t)judge_leniency(by);
	uint16_t tid;
	uint8_t unit, function;

	bytes_be16(&pdu, &tid);
	bytes_skip(&pdu, 4);
	bytes_u8(&pdu, &unit);
	bytes_u8(&pdu, &function);
	ret->targets[0] = unit;
	ret->function = function & 0x7fu;
	ret->exception = function > 0x7fu;
	ret->reason = R_MODBUS_RESPONSE;
	if (pdu.failed) {
		pdu_name_choice(by, 0, ret);
		return;
	}
	for (uint32_t i = 0; i < s->wait.n; i++) {
		struct open_request o = s->open[i];

		/* Oldest first, because a client that reuses an id gets its answers in order. */
		if (!is_answer(&o, tid, ret, pdu, lenient))
			continue;
		judge_answer(by, &o.wait, ret);
		name_range(&o, ret);
		pending_overtake(s->open, sizeof(s->open[0]), i);
		note_answered(s, &o, tid, lenient);
		if (ret->allowed)
			answer_remember(s, &o, whole);
		pending_answered(&s->wait, s->open, sizeof(s->open[0]), i);
		return;
	}
	pdu_name_choice(by, 0, ret);
	if (!is_repeated(s, whole, by, ret) && !is_second(s, tid, pdu, lenient, by, ret))
		judge_unseen(s, pdu, by, ret);
}

/* PDUs of functions without a name or a known layout may have any form, so they do not count. */
static bool modbus_likely(const void *state, enum direction dir, struct bytes pdu)
{
	struct modbus_request r;
	uint8_t function;

	if (dir == DIR_C2S) {
		modbus_request_parse(pdu, &r);
		return r.well_formed && function_by_code(vocabulary_of(PROTO_MODBUS), r.function) != NULL &&
		       r.function != MB_UMAS;
	}
	bytes_skip(&pdu, 7);
	return bytes_u8(&pdu, &function) && function_by_code(vocabulary_of(PROTO_MODBUS), function & 0x7fu) != NULL &&
	       function != MB_UMAS &&
	       (function > 0x7fu ? pdu.left == 1 && pdu.p[0] != 0 : modbus_response_possible(function, pdu));
}

/* Whether servers may find different ends of the request: most determine the end by the
 * function. */
static bool modbus_misread(const struct parsed *p, const struct pdu *u)
{
	return p->wrong != R_ALLOWED || function_framing(vocabulary_of(PROTO_MODBUS), u->function) != FRAMING_ALIKE;
}

static bool framed_else(void *state, bool begins, struct bytes fresh, const struct allowance *by, struct pdu *ret)
{
	struct modbus_state *s = state;

	s->lenient = (uint8_t)judge_leniency(by);
	return modbus_serial_judge(&s->serial, begins, fresh, by, ret);
}

static size_t state_used(const void *state)
{
	const struct modbus_state *s = state;

	return s->slip.n > 0 ? sizeof(*s) : offsetof(struct modbus_state, slip.bytes);
}

/* ---- templates of repeated requests ---------------------------------------------------------- */

/* Templates for repeated polls. A repetition has another transaction id, which the answer
 * repeats. */

#define HEADER 7u /* bytes before the function code */

/* Bytes of an answer after the function code; 0: they depend on more than the request, or some
 * servers read the request differently. */
static size_t answer_of(const struct modbus_request *r)
{
	switch (r->function) {
	case MB_READ_COILS:
	case MB_READ_DISCRETE:
		return 1u + (r->quantity + 7u) / 8u;
	case MB_READ_HOLDING:
	case MB_READ_INPUT:
		return 1u + r->quantity * 2u;
	case MB_WRITE_COIL:
	case MB_WRITE_REGISTER:
	case MB_WRITE_COILS:
	case MB_WRITE_REGISTERS:
		return 4;
	default:
		return 0;
	}
}

/* Whether the judgement of a request depends only on its bytes: no request waits, the server is in
 * step, and it reads Modbus/TCP. */
static bool is_settled(const struct modbus_state *s)
{
	return s->wait.n == 0 && s->wait.unseen == 0 && !s->wait.unread && s->slip.n == 0 && !s->slip.late &&
	       s->lenient == 0 && s->serial.reads == READS_TCP;
}

static bool modbus_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret)
{
	struct modbus_request r;
	uint8_t said[5];
	size_t n;

	modbus_request_parse(request, &r);
	if (!is_settled(state) || !r.well_formed || r.operations[0].broadcast)
		return false;
	n = answer_of(&r);
	if (n == 0 || answer.left != HEADER + 1u + n || !once_begin(ret, request, HEADER + 1u + n) ||
	    !once_repeats(ret, 0, 0, 2))
		return false;
	/* Protocol id 0, the number of following bytes, the unit and the function. */
	memcpy(said, (uint8_t[]){ 0, 0, (uint8_t)((n + 2u) >> 8), (uint8_t)(n + 2u), r.unit }, sizeof(said));
	if (!once_says(ret, 2, said, sizeof(said)) || !once_says(ret, HEADER, &r.function, 1))
		return false;
	if (n == 4) /* as in the request: the address, and the value or quantity */
		return once_says(ret, HEADER + 1u, (const uint8_t *)ret->request + HEADER + 1u, 4);
	said[0] = (uint8_t)(n - 1u);
	return once_says(ret, HEADER + 1u, said, 1);
}

/* Nothing is written, because the state is the same in all sessions with a template, except for
 * answers that gateways may send twice. */
static bool modbus_keep(const void *state, struct outbuf *to)
{
	return is_settled(state);
}

static bool modbus_again(void *state, struct bytes kept)
{
	((struct modbus_state *)state)->serial.reads = READS_TCP;
	return bytes_done(&kept);
}

const struct enforcer modbus_enforcer = {
	.protocol = PROTO_MODBUS,
	.pdu_max = MODBUS_PDU_MAX,
	.state_size = sizeof(struct modbus_state),
	.open = PENDING_IN(struct modbus_state, MODBUS_OPEN_MAX),
	.datagrams = 1, /* one PDU in each, because some servers would read on in a second one */
	.state_used = state_used,
	.frame = modbus_frame,
	.malformed = R_MODBUS_FRAME,
	.pending = R_MODBUS_PENDING,
	.parse = modbus_parse,
	.asked = modbus_note_asked,
	.answered = modbus_answered,
	.framed_else = framed_else,
	.segment = modbus_segment,
	.repeat = modbus_repeat,
	.afresh = true,
	.new_table = new_table,
	.likely = modbus_likely,
	.misread = modbus_misread,
	.once = modbus_once,
	.keep = modbus_keep,
	.again = modbus_again,
};
