/* SPDX-License-Identifier: Apache-2.0 */
/* PDUs that are not requests: answers, questions of the server, and PDUs of the connection itself.
 * push.c has messages that the server sends by itself. */
#include "dpi/s7comm/s7comm.h"
#include "dpi/s7comm/transport.h"

#include <string.h>

void s7_forget(struct s7_state *s, uint32_t i)
{
	uint32_t at = 0;

	for (uint32_t k = 0; k < i; k++)
		at += s->open[k].lengths;
	memmove(&s->lengths[at], &s->lengths[at + s->open[i].lengths],
		(s->n_lengths - at - s->open[i].lengths) * sizeof(s->lengths[0]));
	s->n_lengths -= s->open[i].lengths;
	memmove(&s->open[i], &s->open[i + 1], (s->wait.n - i - 1u) * sizeof(s->open[0]));
	s->wait.n--;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* The function in the answer to a request. */
static uint32_t service_of(const struct s7_message *m)
{
	return m->kind == S7_USERDATA ? S7_SUB(m->group, m->sub) : S7_FUNCTION(m->function);
}

static bool same_function(const struct s7_open *o, const struct s7_message *m)
{
	if (m->kind == S7_USERDATA)
		return o->service == service_of(m);
	return (o->service & ~0xffu) == service_of(m) || (m->function == 0 && (m->kind == S7_ACK || m->error != 0));
}

static bool items_fit(const struct s7_open *o, const uint16_t *lengths, const struct s7_message *m)
{
	struct bytes b = m->parameters, results = m->data;
	uint8_t n;

	if (m->kind == S7_ACK || m->error != 0)
		return m->parameters.left <= 1 && m->data.left == 0;
	if (!bytes_u8(&b, &n) || b.left > 0 || n != o->items)
		return false;
	return o->lengths > 0 ? s7_items_answered(results, n, lengths) : results.left == n;
}

static bool is_answer(const struct s7_state *s, uint32_t i, uint32_t at, const struct s7_message *m)
{
	const struct s7_open *o = &s->open[i];

	if (o->reference != m->reference || (o->kind == S7_USERDATA) != (m->kind == S7_USERDATA) ||
	    !same_function(o, m))
		return false;
	/* the request was malformed, so the form of its answer is not known */
	if (o->wait.reason == R_S7COMM_FRAME)
		return true;
	return o->items > 0 ? items_fit(o, &s->lengths[at], m) : s7_answer_fits(o->service, m);
}

/*
 * Applies the effect of an answer on the session. A refused setup is answered only if refusals do
 * not end the flow. The session then continues with the values that both ends agreed on, also under
 * later rows.
 */
static void take_effect(struct s7_state *s, const struct s7_open *o, const struct s7_message *m, struct pdu *ret)
{
	uint16_t size = s7_setup_size(m);

	if (m->kind != S7_ACK_DATA || m->error != 0 || !o->in_turn)
		return;
	if (o->service == S7_FUNCTION(S7_REQUEST_DOWNLOAD) && o->wait.reason == R_ALLOWED)
		s->download = 1;
	if (o->service != S7_FUNCTION(S7_SETUP))
		return;
	/* a size above the requested one is not allowed */
	if (s->size_asked > 0 && size > s->size_asked) {
		ret->allowed = false;
		ret->reason = R_S7COMM_RESPONSE;
		return;
	}
	s->size = size;
	if (s->phase == PHASE_CONNECTED)
		s->phase = PHASE_READY;
}

/* Fills in the request that is answered, by its first item. */
static void name_request(const struct s7_open *o, struct pdu *ret)
{
	ret->function = o->service;
	if (o->space == SPACE_NONE || o->wait.reason == R_S7COMM_FRAME)
		return;
	ret->space = o->space;
	ret->address = o->first;
	ret->quantity = o->count;
}

/*
 * Judges an answer to no open request. After bytes were missed, it may belong to an unseen request;
 * it is then allowed if some such request could be allowed.
 */
static void judge_unseen(const struct s7_state *s, const struct s7_message *m, const struct allowance *by,
			 struct pdu *ret)
{
	if (!s->met)
		return;
	s7_rule_unseen(s, service_of(m), by, ret);
	if (!ret->allowed)
		return;
	ret->allowed = !s->wait.unread;
	ret->reason = s->wait.unread ? R_S7COMM_UNREAD : R_S7COMM_UNSEEN;
}

static void answer_message(struct s7_state *s, const struct s7_message *m, const struct allowance *by, struct pdu *ret)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < s->wait.n; at += s->open[i].lengths, i++) {
		struct s7_open o = s->open[i];

		if (!is_answer(s, i, at, m))
			continue;
		judge_answer(by, &o.wait, ret);
		name_request(&o, ret);
		take_effect(s, &o, m, ret);
		if ((int16_t)(o.number - s->lost_number) >= 0)
			s->lost = 0;
		pending_overtake(s->open, sizeof(s->open[0]), i);
		s7_forget(s, i);
		return;
	}
	judge_unseen(s, m, by, ret);
}

/* ---- questions ------------------------------------------------------------------------------- */

/* During a download the server asks for the block, part by part, and says when it has it. */
static void judge_question(struct s7_state *s, const struct s7_message *m, const struct allowance *by, struct pdu *ret)
{
	struct operation room[1];
	enum reason wrong;

	if ((m->function != S7_DOWNLOAD_BLOCK && m->function != S7_DOWNLOAD_ENDED) || !(s->download || s->met) ||
	    s->asked_back != 0)
		return;
	s7_request_operations(m, room, &wrong);
	if (wrong != R_ALLOWED)
		return;
	s7_rule_unseen(s, S7_FUNCTION(m->function), by, ret);
	s->asked_back = m->function;
	s->back_reference = m->reference;
}

static void judge_message(struct s7_state *s, struct bytes message, const struct allowance *by, struct pdu *ret)
{
	struct s7_message m;

	s7_message_read(message, &m);
	ret->reason = m.wrong == R_ALLOWED ? R_S7COMM_RESPONSE : m.wrong;
	if (m.wrong != R_ALLOWED)
		return;
	ret->function = service_of(&m);
	ret->exception = m.error != 0 || m.fault != 0;
	if (s->size > 0 && message.left > s->size) {
		ret->reason = R_S7COMM_SIZE;
		return;
	}
	switch (m.kind) {
	case S7_ACK:
	case S7_ACK_DATA:
		answer_message(s, &m, by, ret);
		break;
	case S7_JOB:
		judge_question(s, &m, by, ret);
		break;
	default:
		if (m.says == S7_ANSWERS)
			answer_message(s, &m, by, ret);
		else if (m.says == S7_PUSHES)
			s7_push(s, &m, by, ret);
		else
			s7_block_pushed(s, &m, by, ret);
		break;
	}
}

/* ---- the connection -------------------------------------------------------------------------- */

static void connection_confirm(struct s7_state *s, const struct s7_unit *u, const struct allowance *by, struct pdu *ret)
{
	if (s->met && s->phase == PHASE_FRESH) {
		ret->allowed = true;
		ret->reason = R_S7COMM_UNSEEN;
		return;
	}
	if (s->phase != PHASE_ASKED || u->to != s->client) {
		ret->reason = R_S7COMM_RESPONSE;
		return;
	}
	s->phase = PHASE_CONNECTED;
	ret->reason = (enum reason)s->connect_reason;
	ret->allowed = ret->reason == R_ALLOWED;
	pdu_name_choice(by, s->connect_choice, ret);
}

void s7_answered(struct s7_state *s, enum direction dir, const struct s7_unit *u, const struct allowance *by,
		 struct pdu *ret)
{
	ret->targets[0] = s7_slot(s);
	ret->function = S7_TPDU(u->tpdu);
	pdu_name_choice(by, 0, ret);
	if (!u->well_formed)
		return;
	switch (u->tpdu) {
	case TPDU_CC:
		connection_confirm(s, u, by, ret);
		return;
	case TPDU_DR:
	case TPDU_ER:
		ret->allowed = s->phase != PHASE_FRESH || s->met;
		break;
	case TPDU_DT:
		if (u->message.left > 0 && dir == DIR_S2C) {
			judge_message(s, u->message, by, ret);
			return;
		}
		ret->allowed = s->phase >= PHASE_CONNECTED || s->met; /* an acknowledgement */
		if (dir == DIR_C2S && ret->allowed)
			s7_lose(s);
		break;
	default:
		break;
	}
	ret->reason = ret->allowed ? R_ALLOWED : R_S7COMM_SESSION;
}
