/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/s7comm/s7comm.h"
#include "dpi/s7comm/transport.h"

#include <stddef.h>
#include <string.h>

_Static_assert(sizeof(struct s7_state) <= ENFORCER_STATE_MAX, "S7comm state must fit into a flow");
_Static_assert(OPERATIONS_MAX >= S7_ITEMS_MAX, "every item of a request is an operation");
_Static_assert(S7_PDU_MAX <= ENFORCER_PDU_MAX, "a message of many fragments must be kept until it is whole");

#define PACKET_VERSION 3 /* first byte of every TPKT packet; no S7 message begins with it */

/* What `parse` hands to `asked`. KEPT_KIND: the kind of a message, or the type of another TPDU. */
enum kept { KEPT_REFERENCE, KEPT_KIND, KEPT_SAYS, KEPT_SIZE, KEPT_LENGTH, KEPT_FRAGMENTS };

/*
 * Whether a PDU is one that only servers send, or that clients do not need. On a confirmation or an
 * error, snap7's server discards all received bytes and reads on from there, even before the end of
 * the PDU by its length.
 */
static bool is_for_clients(struct bytes head)
{
	uint8_t type = 0;

	return bytes_skip(&head, 5) && bytes_u8(&head, &type) && (type == TPDU_CC || type == TPDU_ER);
}

static enum frame_result s7_find_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	*ret_len = 0;
	return dir == DIR_C2S && is_for_clients(head) ? FRAME_BAD : s7_frame(head, ret_len);
}

/* ---- parsing requests ------------------------------------------------------------------------ */

static void parse_tpdu(const struct s7_unit *u, uint32_t slot, struct parsed *ret)
{
	ret->asks = true;
	ret->n = 1;
	ret->operations[0] = (struct operation){ .service = S7_TPDU(u->tpdu),
						 .targets = { u->tpdu == TPDU_CR ? u->slot : slot },
						 .space = SPACE_NONE,
						 .setup = true };
	ret->wrong = u->well_formed ? R_ALLOWED : R_S7COMM_FRAME;
	ret->kept[KEPT_KIND] = u->tpdu;
	ret->kept[KEPT_REFERENCE] = u->from;
}

/* Whether this is a part of a block that the server asked for. It is judged by rows like a write,
 * when the client sends it. */
static bool is_download(const struct s7_message *m)
{
	return m->kind == S7_ACK_DATA && (m->function == S7_DOWNLOAD_BLOCK || m->function == S7_DOWNLOAD_ENDED);
}

/* Whether this is the answer to a block that the server sent by itself. Rows judge it as they
 * judged the block. */
static bool answers_block(const struct s7_state *s, const struct s7_message *m)
{
	return m->kind == S7_USERDATA && m->says == S7_ANSWERS && m->group == S7_PBC && (s->blocks > 0 || s->met);
}

static void parse_message(const struct s7_state *s, const struct s7_unit *u, struct parsed *ret)
{
	uint32_t slot = s7_slot(s);
	struct s7_message m;
	uint8_t says;

	s7_message_read(u->message, &m);
	says = m.kind == S7_USERDATA ? m.says : 0;
	ret->asks = true;
	ret->wrong = m.wrong;
	/* in a malformed message this byte may be anything */
	ret->kept[KEPT_KIND] = m.wrong == R_ALLOWED ? m.kind : 0;
	ret->kept[KEPT_SAYS] = says;
	ret->kept[KEPT_REFERENCE] = m.reference;
	ret->kept[KEPT_LENGTH] = u->message.left;
	ret->kept[KEPT_FRAGMENTS] = u->fragments;
	if (m.wrong == R_ALLOWED && is_download(&m)) {
		ret->n = 1;
		ret->operations[0] = (struct operation){ .service = S7_FUNCTION(m.function), .space = SPACE_NONE };
		ret->wrong = s7_answer_fits(S7_FUNCTION(m.function), &m) ? R_ALLOWED : R_S7COMM_FRAME;
	} else if (m.wrong == R_ALLOWED && answers_block(s, &m)) {
		ret->n = 1;
		ret->operations[0] = (struct operation){ .service = S7_SUB(m.group, m.sub),
							 .space = SPACE_NONE,
							 .place_unknown = true,
							 .values = { .form = VALUES_UNKNOWN } };
		ret->wrong = s7_answer_fits(S7_SUB(m.group, m.sub), &m) ? R_ALLOWED : R_S7COMM_FRAME;
	} else if (m.wrong == R_ALLOWED && (m.kind == S7_JOB || (m.kind == S7_USERDATA && says != S7_ANSWERS))) {
		ret->n = s7_request_operations(&m, ret->operations, &ret->wrong);
		if (ret->operations[0].service == S7_FUNCTION(S7_SETUP))
			ret->kept[KEPT_SIZE] = s7_setup_size(&m);
		ret->operations[0].setup = ret->operations[0].service == S7_FUNCTION(S7_SETUP);
	} else {
		ret->n = 1;
		ret->operations[0] = (struct operation){ .service = m.wrong == R_S7COMM_PLUS ? S7_TPDU(TPDU_DT)
											     : S7_FUNCTION(m.function),
							 .space = SPACE_NONE,
							 .place_unknown = true,
							 .values = { .form = VALUES_UNKNOWN } };
		if (m.wrong == R_ALLOWED)
			/* an answer although the server has asked for nothing */
			ret->wrong = R_S7COMM_RESPONSE;
	}
	for (uint32_t i = 0; i < ret->n; i++)
		ret->operations[i].targets[0] = slot;
}

static void s7_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	struct s7_unit u;

	s7_unwrap(pdu, ret->joined, &u);
	if (dir != DIR_C2S) {
		/* otherwise it is no S7 message, and is judged as a malformed one */
		if (u.fragments > 1 && u.message.p[0] != PACKET_VERSION)
			ret->answer = u.message;
		return;
	}
	if (u.tpdu != TPDU_DT || !u.well_formed)
		parse_tpdu(&u, s7_slot(state), ret);
	else if (u.message.left > 0)
		parse_message(state, &u, ret);
}

/* ---- judging requests ------------------------------------------------------------------------ */

static void new_table(void *state)
{
	((struct s7_state *)state)->connect_choice = NO_CHOICE;
}

static bool make_room(struct s7_state *s, uint32_t lengths)
{
	for (uint32_t i = 0; (s->wait.n == S7_OPEN_MAX || lengths > S7_LENGTHS - s->n_lengths) && i < s->wait.n;) {
		if (!s->open[i].wait.expendable && s->open[i].wait.aged < PENDING_AGED) {
			i++;
			continue;
		}
		/* its answer may still come */
		s->wait.unread |= s->open[i].wait.reason != R_ALLOWED;
		s7_forget(s, i);
	}
	return s->wait.n < S7_OPEN_MAX && lengths <= S7_LENGTHS - s->n_lengths;
}

/* Judges a connection request, which must be the first PDU of a session, and come only once. */
static void connect_asked(struct s7_state *s, const struct parsed *p, const struct ruling *r, struct pdu *ret)
{
	bool again = s->met && s->phase != PHASE_FRESH && s->client == p->kept[KEPT_REFERENCE] &&
		     s->slot == p->operations[0].targets[0]; /* a repetition of the same request */

	if (s->phase != PHASE_FRESH) {
		if (ret->reason == R_ALLOWED && !again)
			ret->reason = R_S7COMM_SESSION;
		return;
	}
	s->phase = PHASE_ASKED;
	s->client = (uint16_t)p->kept[KEPT_REFERENCE];
	s->slot = (uint16_t)p->operations[0].targets[0];
	s->slot_known = 1;
	s->connect_reason = (uint8_t)ret->reason;
	s->connect_choice = r->choice;
}

/* Whether the request is allowed in the present phase of the session. */
static enum reason in_turn(const struct s7_state *s, const struct parsed *p)
{
	bool setup = p->operations[0].service == S7_FUNCTION(S7_SETUP);

	if (s->phase == PHASE_CLOSED)
		return R_S7COMM_SESSION;
	if (!s->met && s->phase != PHASE_READY && !(setup && s->phase == PHASE_CONNECTED))
		return R_S7COMM_SESSION;
	return s->size > 0 && p->kept[KEPT_LENGTH] > s->size ? R_S7COMM_SIZE : R_ALLOWED;
}

/*
 * Whether snap7's server would misread the PDU: it reassembles the third and later fragments at
 * wrong positions, with bytes of earlier PDUs in between. Where everything is allowed, misreading
 * does no harm.
 */
static bool s7_misread(const struct parsed *p, const struct ruling *r)
{
	return p->kept[KEPT_FRAGMENTS] > 2 && (r->grant == NULL || !r->grant->whole);
}

/* Handles the client's answer to the server's request for a part of a block. */
static void block_sent(struct s7_state *s, const struct parsed *p, struct pdu *ret)
{
	if (ret->reason == R_ALLOWED && !s->met &&
	    (s->asked_back != (p->operations[0].service >> 8 & 0xffu) || s->back_reference != p->kept[KEPT_REFERENCE]))
		ret->reason = R_S7COMM_RESPONSE;
	s->asked_back = 0;
	if (p->operations[0].service == S7_FUNCTION(S7_DOWNLOAD_ENDED))
		s->download = 0;
}

static void request_remember(struct s7_state *s, const struct parsed *p, const struct ruling *r, struct pdu *ret)
{
	const struct operation *o = &p->operations[r->operation < p->n ? r->operation : 0];
	bool items = o->service == S7_FUNCTION(S7_READ) || o->service == S7_FUNCTION(S7_WRITE);
	uint32_t lengths = o->service == S7_FUNCTION(S7_READ) && p->wrong == R_ALLOWED ? p->n : 0;

	if (!make_room(s, lengths)) {
		if (ret->reason == R_ALLOWED)
			ret->reason = R_S7COMM_PENDING;
		else
			s->wait.unread = true;
		return;
	}
	for (uint32_t i = 0; i < lengths; i++)
		s->lengths[s->n_lengths++] = s7_answer_length(&p->operations[i]);
	s->open[s->wait.n++] = (struct s7_open){
		.wait = { r->choice, (uint8_t)ret->reason, 0 },
		.first = o->first,
		.count = o->count > UINT32_MAX ? UINT32_MAX : (uint32_t)o->count,
		.service = o->service,
		.reference = (uint16_t)p->kept[KEPT_REFERENCE],
		.number = s->number++,
		.kind = (uint8_t)p->kept[KEPT_KIND],
		.space = o->space,
		.items = (uint8_t)(items ? p->n : 0),
		.lengths = (uint8_t)lengths,
		.in_turn = p->wrong == R_ALLOWED && in_turn(s, p) == R_ALLOWED,
	};
}

static void message_asked(struct s7_state *s, const struct parsed *p, const struct ruling *r, struct pdu *ret)
{
	uint64_t kind = p->kept[KEPT_KIND];
	enum reason turn = in_turn(s, p);

	if (ret->reason == R_ALLOWED)
		ret->reason = turn;
	if (ret->reason == R_ALLOWED && s7_misread(p, r))
		ret->reason = R_S7COMM_FRAGMENTS;
	if (kind == S7_ACK_DATA) {
		block_sent(s, p, ret);
		return;
	}
	if (kind != S7_JOB && kind != S7_USERDATA)
		return;
	if (kind == S7_USERDATA && p->kept[KEPT_SAYS] == S7_ANSWERS) {
		if (s->blocks > 0)
			s->blocks--;
		return;
	}
	if (kind == S7_JOB || p->kept[KEPT_SAYS] == S7_ASKS)
		request_remember(s, p, r, ret);
	if (ret->reason == R_S7COMM_PENDING || p->wrong != R_ALLOWED)
		return;
	s7_subscribe(s, p);
	if (p->kept[KEPT_SIZE] > 0)
		s->size_asked = (uint16_t)p->kept[KEPT_SIZE];
}

static void s7_asked(void *state, const struct parsed *p, const struct ruling *r, struct pdu *ret)
{
	struct s7_state *s = state;

	switch (p->kept[KEPT_KIND]) {
	case TPDU_CR:
		connect_asked(s, p, r, ret);
		break;
	case TPDU_DR:
		s->phase = PHASE_CLOSED;
		break;
	case TPDU_CC:
		if (ret->reason == R_ALLOWED)
			ret->reason = R_S7COMM_SESSION;
		break;
	case TPDU_ER:
	case TPDU_DT:
		break;
	default:
		message_asked(s, p, r, ret);
		break;
	}
}

/* `b` is the PDU, or the message that several DTs made. */
static void s7_note_answered(void *state, struct bytes b, const struct allowance *by, struct pdu *ret)
{
	struct s7_unit u;

	s7_notice_permit(state, by->permit);
	s7_unwrap(b, NULL, &u);
	if (u.tpdu == 0)
		u = (struct s7_unit){ .tpdu = TPDU_DT, .well_formed = true, .message = b };
	s7_answered(state, ret->dir, &u, by, ret);
}

static void s7_missed(void *state)
{
	((struct s7_state *)state)->met = 1;
}

/* Messages of functions without a name may have any form, so they do not count. */
static bool s7_likely(const void *state, enum direction dir, struct bytes pdu)
{
	uint8_t room[S7_MESSAGE_MAX];
	struct s7_unit u;
	struct s7_message m;

	s7_unwrap(pdu, room, &u);
	if (u.tpdu != TPDU_DT || !u.well_formed || u.message.left == 0)
		return u.well_formed;
	s7_message_read(u.message, &m);
	return m.wrong == R_ALLOWED;
}

static void all_answered(void *state)
{
	((struct s7_state *)state)->n_lengths = 0;
}

static size_t state_used(const void *state)
{
	const struct s7_state *s = state;

	if (s->n_watched > 0)
		return offsetof(struct s7_state, watched) + s->n_watched * sizeof(s->watched[0]);
	return offsetof(struct s7_state, lengths) + s->n_lengths * sizeof(s->lengths[0]);
}

const struct enforcer s7comm_enforcer = {
	.protocol = PROTO_S7COMM,
	.pdu_max = S7_PDU_MAX,
	.state_size = sizeof(struct s7_state),
	.open = PENDING_IN(struct s7_state, S7_OPEN_MAX),
	.state_used = state_used,
	.frame = s7_find_frame,
	.malformed = R_S7COMM_FRAME,
	.pending = R_S7COMM_PENDING,
	.parse = s7_parse,
	.asked = s7_asked,
	.answered = s7_note_answered,
	.segment = s7_segment,
	.repeat = s7_repeat,
	.all_answered = all_answered,
	.missed = s7_missed,
	.new_table = new_table,
	.likely = s7_likely,
	.once = s7_once,
	.keep = s7_keep,
	.again = s7_again,
};
