/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/fins/fins.h"

#include <stddef.h>
#include <string.h>

#include "dpi/fins/words.h"
#include "dpi/once.h"

_Static_assert(sizeof(struct fins_state) <= ENFORCER_STATE_MAX, "FINS state must fit into a flow");
_Static_assert(FINS_PDU_MAX <= ENFORCER_PDU_MAX, "the longest frame must fit into what is kept");

/* bits of an end code: the controller has an error, but executed the command */
#define END_FLAGS 0x00c0u
#define END_RELAY 0x8000u /* a relay could not forward the command; two more bytes name it */
#define RELAY_BYTES 3u	  /* at most, if the unit is named too */

/* Indexes of parsed.kept, in which `parse` hands data to `asked`. */
enum kept { KEPT_TCP, KEPT_SID, KEPT_ANSWER, KEPT_ANSWER_MAX, KEPT_DUE };

static void fins_begin(void *state, bool datagrams, uint16_t port)
{
	struct fins_state *s = state;

	s->datagrams = datagrams;
}

static enum frame_result fins_find_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	return fins_frame(((const struct fins_state *)state)->datagrams, head, ret_len);
}

static enum utterance fins_says(struct bytes datagram)
{
	struct fins_head h;

	return !fins_head_parse(true, datagram, &h) ? UTTERS_NOTHING : h.asks ? UTTERS_REQUEST : UTTERS_ANSWER;
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The commands of FINS/TCP itself: every session needs them. */
static void parse_tcp(const struct fins_head *h, enum direction dir, struct parsed *ret)
{
	ret->asks = dir == DIR_C2S;
	ret->n = 1;
	ret->operations[0] =
		(struct operation){ .service = FINS_TCP(h->tcp), .space = SPACE_NONE, .setup = true, .idle = 0x0f };
	ret->wrong = R_ALLOWED;
	ret->kept[KEPT_TCP] = h->tcp;
}

static void fins_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	struct fins_request r = { .operations = ret->operations, .max = OPERATIONS_MAX };
	struct fins_head h;

	ret->kept[KEPT_TCP] = FINS_TCP_FRAME;
	if (!fins_head_parse(((const struct fins_state *)state)->datagrams, pdu, &h)) {
		ret->asks = dir == DIR_C2S;
		return;
	}
	if (h.tcp != FINS_TCP_FRAME) {
		parse_tcp(&h, dir, ret);
		return;
	}
	ret->asks = h.asks || dir == DIR_C2S;
	if (!ret->asks)
		return;
	if (!h.asks) { /* clients are not asked for anything, so they have nothing to answer */
		ret->n = 1;
		ret->operations[0] = (struct operation){ .service = FINS_CODE(h.command, 0),
							 .targets = { h.to.network, h.to.node, h.to.unit },
							 .space = SPACE_NONE };
		ret->wrong = R_FINS_RESPONSE;
		ret->kept[KEPT_DUE] = FINS_NEVER;
		return;
	}
	fins_request_parse(&h, &r);
	ret->n = r.n;
	ret->wrong = r.well_formed ? R_ALLOWED : R_FINS_FRAME;
	ret->kept[KEPT_SID] = h.sid;
	ret->kept[KEPT_ANSWER] = r.answer;
	ret->kept[KEPT_ANSWER_MAX] = r.answer_max;
	ret->kept[KEPT_DUE] = r.due;
}

/* The client sends its node number once, before anything else. It must not send the messages
 * of servers. */
static void tcp_asked(struct fins_state *s, const struct parsed *p, const struct ruling *ruling, struct pdu *ret)
{
	bool in_turn = p->kept[KEPT_TCP] == FINS_TCP_ERROR;

	if (p->kept[KEPT_TCP] == FINS_TCP_NODE) {
		in_turn = s->phase == FINS_FRESH || s->met;
		if (s->phase == FINS_FRESH) {
			s->phase = FINS_ASKED;
			s->choice = ruling->choice;
			s->reason = (uint8_t)ret->reason;
		}
	}
	if (!in_turn && ret->reason == R_ALLOWED)
		ret->reason = R_FINS_SESSION;
}

static void new_table(void *state)
{
	((struct fins_state *)state)->choice = NO_CHOICE;
}

static void fins_asked(void *state, const struct parsed *p, const struct ruling *ruling, struct pdu *ret)
{
	struct fins_state *s = state;
	const struct operation *o = p->operations;

	if (p->n == 0)
		return;
	if (p->kept[KEPT_TCP] != FINS_TCP_FRAME) {
		tcp_asked(s, p, ruling, ret);
		return;
	}
	if (ret->dir == DIR_S2C) { /* rows are only about requests of clients */
		if (ret->reason == R_ALLOWED)
			ret->reason = R_FINS_RESPONSE;
		return;
	}
	if (s->phase == FINS_FRESH)
		s->phase = FINS_SPOKEN;
	if (p->kept[KEPT_DUE] == FINS_NEVER)
		return;
	if (!pending_room(&fins_enforcer, s, ret))
		return;
	s->open[s->wait.n++] = (struct fins_open){
		.wait = { ruling->choice, (uint8_t)ret->reason, p->kept[KEPT_DUE] == FINS_MAY_COME },
		.service = ret->function,
		.first = o->first,
		.count = o->count > UINT32_MAX ? UINT32_MAX : (uint32_t)o->count,
		.answer = (uint16_t)p->kept[KEPT_ANSWER],
		.answer_max = (uint16_t)p->kept[KEPT_ANSWER_MAX],
		.space = o->space,
		.sid = (uint8_t)p->kept[KEPT_SID],
		.to = { (uint8_t)o->targets[0], (uint8_t)o->targets[1], (uint8_t)o->targets[2] },
		.from = { (uint8_t)(o->targets[3] >> 16), (uint8_t)(o->targets[3] >> 8), (uint8_t)o->targets[3] },
	};
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Whether an answer comes from the addressed node. A node addressed as 0 (local) answers with
 * its number. */
static bool is_end(const struct fins_address *asked, const struct fins_address *told)
{
	return asked->unit == told->unit && (asked->node == 0 || asked->node == told->node) &&
	       (asked->network == 0 || asked->network == told->network);
}

static bool is_answer(const struct fins_open *o, const struct fins_head *h, uint16_t end_code, unsigned lenient)
{
	if (o->service >> 16 != h->command || (o->sid != h->sid && (h->sid != 0 || !(lenient & LENIENT_TRANSACTION))) ||
	    (!(lenient & LENIENT_UNIT) && (!is_end(&o->to, &h->from) || !is_end(&o->from, &h->to))))
		return false;
	/* the answer to a malformed request has no prescribed form */
	if (o->wait.reason == R_FINS_FRAME)
		return true;
	if ((end_code & ~END_FLAGS) == 0)
		return h->rest.left >= o->answer && h->rest.left <= o->answer_max;
	return h->rest.left <=
	       ((end_code & END_RELAY) != 0 || o->answer_max < RELAY_BYTES ? RELAY_BYTES : o->answer_max);
}

static void answer_open(struct fins_state *s, uint32_t i, const struct allowance *by, struct pdu *ret)
{
	struct fins_open o = s->open[i];

	ret->function = o.service;
	judge_answer(by, &o.wait, ret);
	if (o.space != SPACE_NONE && o.wait.reason != R_FINS_FRAME) {
		ret->space = o.space;
		ret->address = o.first;
		ret->quantity = o.count;
	}
	pending_overtake(s->open, sizeof(s->open[0]), i);
	pending_answered(&s->wait, s->open, sizeof(s->open[0]), i);
}

static void answered_frame(struct fins_state *s, struct fins_head *h, const struct allowance *by, struct pdu *ret)
{
	unsigned lenient = judge_leniency(by);
	uint16_t end_code;

	ret->function = FINS_CODE(h->command, 0);
	if (!bytes_be16(&h->rest, &end_code))
		return;
	ret->exception = (end_code & ~END_FLAGS) != 0;
	for (uint32_t i = 0; i < s->wait.n; i++)
		if (is_answer(&s->open[i], h, end_code, lenient)) {
			answer_open(s, i, by, ret);
			return;
		}
	pending_answered_unseen(&s->wait, R_FINS_UNSEEN, R_FINS_UNREAD, ret);
}

static void answered_tcp(struct fins_state *s, const struct fins_head *h, const struct allowance *by, struct pdu *ret)
{
	ret->function = FINS_TCP(h->tcp);
	ret->exception = h->error != 0;
	ret->reason = R_FINS_SESSION;
	switch (h->tcp) {
	case FINS_TCP_NODES:
		if (s->phase != FINS_ASKED && !s->met)
			return;
		ret->reason = s->phase == FINS_ASKED ? (enum reason)s->reason : R_FINS_UNSEEN;
		if (s->phase == FINS_ASKED)
			pdu_name_choice(by, s->choice, ret);
		s->phase = FINS_AGREED;
		break;
	case FINS_TCP_ERROR:
	case FINS_TCP_CONFIRMS:
		if (s->phase == FINS_FRESH && !s->met)
			return;
		ret->reason = R_ALLOWED;
		break;
	default:
		return;
	}
	ret->allowed = ret->reason == R_ALLOWED || ret->reason == R_FINS_UNSEEN;
}

static void fins_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	struct fins_state *s = state;
	struct fins_head h;

	ret->reason = R_FINS_RESPONSE;
	pdu_name_choice(by, 0, ret);
	if (!fins_head_parse(s->datagrams, pdu, &h)) {
		ret->reason = R_FINS_FRAME;
		return;
	}
	if (h.tcp != FINS_TCP_FRAME) {
		answered_tcp(s, &h, by, ret);
		return;
	}
	ret->targets[0] = h.from.network;
	ret->targets[1] = h.from.node;
	ret->targets[2] = h.from.unit;
	ret->targets[3] = (uint32_t)h.to.network << 16 | (uint32_t)h.to.node << 8 | h.to.unit;
	answered_frame(s, &h, by, ret);
}

static void fins_missed(void *state)
{
	struct fins_state *s = state;

	s->met = true;
}

/* Commands without a name may have any form, so they do not count. */
static bool fins_likely(const void *state, enum direction dir, struct bytes pdu)
{
	struct operation room[2];
	struct fins_request r = { .operations = room, .max = 2 };
	struct fins_head h;

	if (!fins_head_parse(((const struct fins_state *)state)->datagrams, pdu, &h))
		return false;
	if (h.tcp != FINS_TCP_FRAME)
		return h.tcp == FINS_TCP_ERROR || (h.tcp == FINS_TCP_NODE) == (dir == DIR_C2S);
	if (h.asks != (dir == DIR_C2S))
		return false;
	if (!h.asks)
		return h.rest.left >= 2;
	fins_request_parse(&h, &r);
	return r.well_formed && function_by_code(vocabulary_of(PROTO_FINS), r.service) != NULL;
}

/* ---- commands inside a segment --------------------------------------------------------------- */

/*
 * Finds commands that a server would execute if it does not frame FINS/TCP correctly.
 *
 * The first case is a FINS/TCP header at a position where the client began no frame, for example
 * in written values. A server that takes the result of one recv for a frame, or that searches for
 * the next "FINS" after an error, would execute the bytes after it. Real values do not look like
 * this.
 *
 * The second case is a command that is complete although the length of its frame says that more is
 * to come, because a server that takes the result of one recv for a frame would not wait.
 */

/* operations of an incomplete list that are read; in a longer list, the rest may be anything */
#define PARTS 64u

/* Whether a header may begin at `b`, as far as there are bytes: "FINS", and the bytes that are the
 * same in all lengths and commands. */
static bool may_begin(struct bytes b)
{
	static const uint8_t begins[] = { 'F', 'I', 'N', 'S', 0, 0 };
	uint32_t length, command;

	if (!bytes_starts(&b, begins, sizeof(begins)))
		return false;
	bytes_skip(&b, 4);
	return !bytes_be32(&b, &length) || !bytes_be32(&b, &command) || command <= FINS_TCP_CONFIRMS;
}

/* Whether the incomplete frame at `b` already holds a complete command that is refused. Its length
 * says that more bytes follow, but a server may not wait for them. */
static bool whole_too_early(struct bytes b, const struct allowance *by, struct ruling *ret)
{
	struct operation room[PARTS];
	struct fins_request r = { .operations = room, .max = PARTS };
	struct fins_head h;
	size_t least;

	if (!bytes_skip(&b, FINS_TCP_HEADER) || !fins_head_parse(true, b, &h) || !h.asks)
		return false;
	least = fins_request_least(&h);
	if (least > h.rest.left)
		return false;
	h.rest = bytes_of(h.rest.p, least);
	fins_request_parse(&h, &r);
	if (!r.well_formed)
		return false;
	evaluate(by, r.operations, r.n, ret);
	return ret->reason != R_ALLOWED;
}

static bool refuse_segment(struct pdu *ret, const struct ruling *ruling, enum reason reason)
{
	pdu_name_ruling(ret, ruling);
	ret->reason = reason;
	return false;
}

static bool fins_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
			 const struct allowance *by, struct pdu *ret)
{
	struct ruling ruling = { .reason = R_FINS_INSIDE };
	struct bytes frames = b;
	size_t begins = 0, n = 0;

	if (evaluate_allows_all(by)) /* nothing can be misread */
		return true;
	for (size_t at = 0; b.left > 0; bytes_skip(&b, 1), at++) {
		if (at == begins) {
			begins = fins_frame(false, frames, &n) == FRAME_WHOLE && bytes_skip(&frames, n) ? at + n
													: SIZE_MAX;
		} else if (b.p[0] == 'F' && may_begin(b)) {
			evaluate_choice(by, 0, &ruling);
			return refuse_segment(ret, &ruling, R_FINS_INSIDE);
		}
	}
	return !whole_too_early(frames, by, &ruling) || refuse_segment(ret, &ruling, R_FINS_CUT);
}

/* ---- templates of repeated requests ---------------------------------------------------------- */

/* Templates for repeated polls. A repeated poll differs only in its service id, and its answer has
 * the same service id. */

#define SID_AT (FINS_TCP_HEADER + 9u)

/* Whether the judgement of a request depends only on its bytes. */
static bool is_settled(const struct fins_state *s)
{
	return !s->datagrams && s->wait.n == 0 && s->wait.unseen == 0 && !s->wait.unread;
}

static bool fins_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret)
{
	struct operation room[2];
	struct fins_request r = { .operations = room, .max = 2 };
	struct fins_head asks, says;
	size_t n = FINS_TCP_HEADER + FINS_HEADER + 2u;
	uint16_t end_code;

	if (!is_settled(state) || !fins_head_parse(false, request, &asks) || asks.tcp != FINS_TCP_FRAME || !asks.asks ||
	    !fins_head_parse(false, answer, &says) || says.tcp != FINS_TCP_FRAME || says.asks)
		return false;
	fins_request_parse(&asks, &r);
	if (!r.well_formed || r.due != FINS_DUE || r.answer != r.answer_max || says.command != asks.command ||
	    function_by_code(vocabulary_of(PROTO_FINS), r.service) == NULL || !bytes_be16(&says.rest, &end_code) ||
	    end_code != 0 || says.rest.left != r.answer)
		return false;
	/* A later answer must have the same end code and, except for the service id, the same
	 * header. So it comes from the same node. */
	return once_begin(ret, request, n + r.answer) && once_repeats(ret, SID_AT, SID_AT, 1) &&
	       once_says(ret, 0, answer.p, SID_AT) &&
	       once_says(ret, SID_AT + 1u, answer.p + SID_AT + 1u, n - SID_AT - 1u);
}

static bool fins_keep(const void *state, struct outbuf *to)
{
	const struct fins_state *s = state;

	out_u8(to, s->phase);
	out_u8(to, s->met);
	return is_settled(s);
}

static bool fins_again(void *state, struct bytes kept)
{
	struct fins_state *s = state;
	uint8_t met;

	bytes_u8(&kept, &s->phase);
	bytes_u8(&kept, &met);
	s->met = met != 0;
	s->choice = NO_CHOICE;
	return bytes_done(&kept) && (s->phase == FINS_AGREED || s->phase == FINS_SPOKEN) && met <= 1;
}

const struct enforcer fins_enforcer = {
	.protocol = PROTO_FINS,
	.pdu_max = FINS_PDU_MAX,
	.state_size = sizeof(struct fins_state),
	.open = PENDING_IN(struct fins_state, FINS_OPEN_MAX),
	.datagrams = 1,
	.says = fins_says,
	.begin = fins_begin,
	.frame = fins_find_frame,
	.malformed = R_FINS_FRAME,
	.pending = R_FINS_PENDING,
	.parse = fins_parse,
	.asked = fins_asked,
	.answered = fins_answered,
	.segment = fins_segment,
	.missed = fins_missed,
	.new_table = new_table,
	.likely = fins_likely,
	.once = fins_once,
	.keep = fins_keep,
	.again = fins_again,
};
