/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/memobus/memobus.h"

#include <stddef.h>

#include "dpi/memobus/words.h"
#include "dpi/once.h"

_Static_assert(sizeof(struct memobus_state) <= ENFORCER_STATE_MAX, "MEMOBUS state must fit into a flow");
_Static_assert(MEMOBUS_PDU_MAX <= ENFORCER_PDU_MAX, "the longest message must fit into what is kept");

/* Indexes of parsed.kept, in which `parse` hands data to `asked`. */
enum kept { KEPT_NUMBER, KEPT_ANSWER, KEPT_ANSWER_MAX, KEPT_SILENT };

static enum frame_result memobus_find_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	return memobus_frame(head, ret_len);
}

static enum utterance memobus_says(struct bytes datagram)
{
	struct memobus_head h;

	return !memobus_head_parse(datagram, &h) ? UTTERS_NOTHING
	       : h.type == MEMOBUS_RESPONSE	 ? UTTERS_ANSWER
						 : UTTERS_REQUEST;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void memobus_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	struct memobus_request r = { .operations = ret->operations, .max = OPERATIONS_MAX };
	struct memobus_head h;

	if (!memobus_head_parse(pdu, &h)) {
		ret->asks = dir == DIR_C2S;
		return;
	}
	ret->asks = h.type != MEMOBUS_RESPONSE || dir == DIR_C2S;
	if (!ret->asks)
		return;
	if (h.type == MEMOBUS_RESPONSE) { /* servers ask nothing, so there is nothing to answer */
		ret->n = 1;
		ret->operations[0] = (struct operation){ .service = h.service & ~MEMOBUS_FAILED, .space = SPACE_NONE };
		ret->wrong = R_MEMOBUS_RESPONSE;
		ret->kept[KEPT_SILENT] = true;
		return;
	}
	memobus_request_parse(&h, &r);
	ret->n = r.n;
	ret->wrong = r.well_formed ? R_ALLOWED : R_MEMOBUS_FRAME;
	ret->kept[KEPT_NUMBER] = h.number;
	ret->kept[KEPT_ANSWER] = r.answer;
	ret->kept[KEPT_ANSWER_MAX] = r.answer_max;
	ret->kept[KEPT_SILENT] = h.type == MEMOBUS_GENERAL_PURPOSE;
}

static void memobus_asked(void *state, const struct parsed *p, const struct ruling *ruling, struct pdu *ret)
{
	struct memobus_state *s = state;
	const struct operation *o = p->operations;

	if (p->n == 0)
		return;
	if (ret->dir == DIR_S2C) { /* rows are only about requests of clients */
		if (ret->reason == R_ALLOWED)
			ret->reason = R_MEMOBUS_RESPONSE;
		return;
	}
	if (p->kept[KEPT_SILENT] != 0)
		return;
	if (!pending_room(&memobus_enforcer, s, ret))
		return;
	s->open[s->wait.n++] = (struct memobus_open){
		.wait = { ruling->choice, (uint8_t)ret->reason, 0 },
		.service = (uint16_t)o->service,
		.answer = (uint16_t)p->kept[KEPT_ANSWER],
		.answer_max = (uint16_t)p->kept[KEPT_ANSWER_MAX],
		.first = o->first,
		.count = o->count > UINT32_MAX ? UINT32_MAX : (uint32_t)o->count,
		.space = o->space,
		.number = (uint8_t)p->kept[KEPT_NUMBER],
		.to_cpu = (uint8_t)o->targets[MEMOBUS_CPU],
		.from_cpu = (uint8_t)o->targets[MEMOBUS_SENDER],
		.to_channel = (uint8_t)(o->targets[MEMOBUS_CHANNEL] >> 8),
		.from_channel = (uint8_t)o->targets[MEMOBUS_CHANNEL],
	};
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Whether the destination and source of an answer are those of the request, exchanged (2.16,
 * example of CPU numbers). Channels may also be the same as in the request, because no figure shows
 * them. */
static bool is_ends(const struct memobus_open *o, const struct memobus_head *h)
{
	return h->to_cpu == o->from_cpu && h->from_cpu == o->to_cpu &&
	       ((h->to_channel == o->from_channel && h->from_channel == o->to_channel) ||
		(h->to_channel == o->to_channel && h->from_channel == o->from_channel));
}

static bool is_answer(const struct memobus_open *o, const struct memobus_head *h, unsigned lenient)
{
	if ((h->service & ~MEMOBUS_FAILED) != o->service ||
	    (o->number != h->number && (h->number != 0 || !(lenient & LENIENT_TRANSACTION))) ||
	    (!(lenient & LENIENT_UNIT) && !is_ends(o, h)))
		return false;
	/* the answer to a malformed request has no prescribed form */
	if (o->wait.reason == R_MEMOBUS_FRAME)
		return true;
	if ((h->service & MEMOBUS_FAILED) != 0)
		return h->length == MEMOBUS_ERROR;
	if (o->service == MEMOBUS_READ_MIXED && (h->length - o->answer) % 2u != 0)
		return false;
	return h->length >= o->answer && h->length <= o->answer_max;
}

static void answer_open(struct memobus_state *s, uint32_t i, const struct allowance *by, struct pdu *ret)
{
	struct memobus_open o = s->open[i];

	ret->function = o.service;
	judge_answer(by, &o.wait, ret);
	if (o.space != SPACE_NONE && o.wait.reason != R_MEMOBUS_FRAME) {
		ret->space = o.space;
		ret->address = o.first;
		ret->quantity = o.count;
	}
	pending_overtake(s->open, sizeof(s->open[0]), i);
	pending_answered(&s->wait, s->open, sizeof(s->open[0]), i);
}

static void memobus_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	struct memobus_state *s = state;
	unsigned lenient = judge_leniency(by);
	struct memobus_head h;

	ret->reason = R_MEMOBUS_RESPONSE;
	pdu_name_choice(by, 0, ret);
	if (!memobus_head_parse(pdu, &h)) {
		ret->reason = R_MEMOBUS_FRAME;
		return;
	}
	ret->function = h.service & ~MEMOBUS_FAILED;
	ret->exception = (h.service & MEMOBUS_FAILED) != 0;
	ret->targets[MEMOBUS_CPU] = h.from_cpu;
	ret->targets[MEMOBUS_SENDER] = h.to_cpu;
	ret->targets[MEMOBUS_CHANNEL] = (uint32_t)h.from_channel << 8 | h.to_channel;
	for (uint32_t i = 0; i < s->wait.n; i++)
		if (is_answer(&s->open[i], &h, lenient)) {
			answer_open(s, i, by, ret);
			return;
		}
	pending_answered_unseen(&s->wait, R_MEMOBUS_UNSEEN, R_MEMOBUS_UNREAD, ret);
}

/* Messages of functions without a name may have any form, so they do not count. */
static bool memobus_likely(const void *state, enum direction dir, struct bytes pdu)
{
	struct operation room[2];
	struct memobus_request r = { .operations = room, .max = 2 };
	struct memobus_head h;

	if (!memobus_head_parse(pdu, &h) || h.type == MEMOBUS_GENERAL_PURPOSE ||
	    (h.type == MEMOBUS_COMMAND) != (dir == DIR_C2S) || memobus_layout_of(h.service & ~MEMOBUS_FAILED) == NULL)
		return false;
	if (dir == DIR_S2C)
		return true;
	memobus_request_parse(&h, &r);
	return r.well_formed;
}

/* ---- messages inside a segment --------------------------------------------------------------- */

/*
 * Finds hidden messages: forbidden ones at a position where the client began no message, for
 * example in written values or across the end of a message. A controller that does not read
 * messages as the manual describes could carry them out, for example if it takes the bytes of each
 * recv() for a message, or looks for the next header after an error. No message is incomplete
 * here: its lengths must fit its function and count before any of its bytes pass.
 */

/* operations of a hidden message that are read one by one; the others count as unknown */
#define PARTS 64u

/* Whether the bytes at `b`, where no message begins, could be read as a forbidden message. */
static bool is_forbidden(struct bytes b, const struct allowance *by, struct ruling *ret)
{
	struct operation room[PARTS];
	struct memobus_request r = { .operations = room, .max = PARTS };
	struct memobus_head h;
	size_t n;

	if (memobus_frame(b, &n) != FRAME_WHOLE || !memobus_head_parse(bytes_of(b.p, n), &h) ||
	    h.type == MEMOBUS_RESPONSE)
		return false;
	memobus_request_parse(&h, &r);
	if (!r.well_formed)
		return false;
	evaluate(by, r.operations, r.n, ret);
	return ret->reason != R_ALLOWED;
}

static bool memobus_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
			    const struct allowance *by, struct pdu *ret)
{
	struct ruling ruling;
	struct bytes messages = b;
	size_t begins = 0, n = 0;

	if (evaluate_allows_all(by)) /* nothing can be misread */
		return true;
	for (size_t at = 0; b.left > 0; bytes_skip(&b, 1), at++) {
		if (at == begins) {
			begins = memobus_frame(messages, &n) == FRAME_WHOLE && bytes_skip(&messages, n) ? at + n
													: SIZE_MAX;
		} else if ((b.p[0] == MEMOBUS_COMMAND || b.p[0] == MEMOBUS_GENERAL_PURPOSE) &&
			   is_forbidden(b, by, &ruling)) {
			pdu_name_ruling(ret, &ruling);
			ret->reason = R_MEMOBUS_INSIDE;
			return false;
		}
	}
	return true;
}

/* ---- templates of repeated requests ---------------------------------------------------------- */

/* Templates for repeated polls. A repetition has another number, which the answer repeats. */

#define NUMBER_AT 1u
/* bytes of an answer up to its body */
#define SAID (MEMOBUS_HEADER + MEMOBUS_LENGTH + MEMOBUS_LEAST)

/* Whether the judgement of a request depends only on its bytes. */
static bool is_settled(const struct memobus_state *s)
{
	return s->wait.n == 0 && s->wait.unseen == 0 && !s->wait.unread;
}

static bool memobus_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret)
{
	struct operation room[2];
	struct memobus_request r = { .operations = room, .max = 2 };
	struct memobus_head asks, says;

	if (!is_settled(state) || !memobus_head_parse(request, &asks) || asks.type != MEMOBUS_COMMAND ||
	    !memobus_head_parse(answer, &says) || says.type != MEMOBUS_RESPONSE)
		return false;
	memobus_request_parse(&asks, &r);
	if (!r.well_formed || r.answer != r.answer_max || says.service != asks.service || says.length != r.answer ||
	    memobus_layout_of(asks.service) == NULL)
		return false;
	/* A later answer has the same header except the number, so it is from the same CPU. */
	return once_begin(ret, request, MEMOBUS_HEADER + MEMOBUS_LENGTH + r.answer) &&
	       once_repeats(ret, NUMBER_AT, NUMBER_AT, 1) && once_says(ret, 0, answer.p, NUMBER_AT) &&
	       once_says(ret, NUMBER_AT + 1u, answer.p + NUMBER_AT + 1u, SAID - NUMBER_AT - 1u);
}

/* Nothing is written, because the state is the same in all sessions with a template. */
static bool memobus_keep(const void *state, struct outbuf *to)
{
	return is_settled(state);
}

static bool memobus_again(void *state, struct bytes kept)
{
	return bytes_done(&kept);
}

const struct enforcer memobus_enforcer = {
	.protocol = PROTO_MEMOBUS,
	.pdu_max = MEMOBUS_PDU_MAX,
	.state_size = sizeof(struct memobus_state),
	.open = PENDING_IN(struct memobus_state, MEMOBUS_OPEN_MAX),
	.datagrams = 1,
	.says = memobus_says,
	.frame = memobus_find_frame,
	.malformed = R_MEMOBUS_FRAME,
	.pending = R_MEMOBUS_PENDING,
	.parse = memobus_parse,
	.asked = memobus_asked,
	.answered = memobus_answered,
	.segment = memobus_segment,
	.likely = memobus_likely,
	.once = memobus_once,
	.keep = memobus_keep,
	.again = memobus_again,
};
