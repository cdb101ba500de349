/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/slmp/slmp.h"

#include <string.h>

#include "dpi/once.h"
#include "dpi/slmp/words.h"

_Static_assert(sizeof(struct slmp_state) <= ENFORCER_STATE_MAX, "SLMP state must fit into a flow");
_Static_assert(SLMP_PDU_MAX <= ENFORCER_PDU_MAX, "the longest frame must fit into what is kept");

static uint64_t slmp_route(const uint32_t targets[SLMP_TARGETS])
{
	return (uint64_t)targets[0] << 32 | targets[1] << 24 | targets[2] << 8 | targets[3];
}

static enum frame_result slmp_find_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	return slmp_frame(((const struct slmp_state *)state)->form, head, ret_len);
}

/* ---- requests -------------------------------------------------------------------------------- */

static void registered_places(const struct slmp_monitor *m, struct slmp_request *r)
{
	for (uint32_t i = 0; i < m->n && r->n < r->max; i++) {
		r->operations[r->n] = r->like;
		r->operations[r->n].group = (uint8_t)r->n;
		r->operations[r->n].space = m->places[i].space;
		r->operations[r->n].first = m->places[i].first;
		r->operations[r->n].count = m->places[i].count;
		r->n++;
	}
}

/*
 * 0802 reads the devices that were registered in this session, at the same station. Between a
 * registration and its answer, it may read the new or the earlier devices. Registrations of other
 * sessions are not known here.
 */
static void parse_monitor(const struct slmp_state *s, struct slmp_request *r)
{
	uint64_t route = slmp_route(r->like.targets);
	const struct slmp_monitor *both[2] = { &s->registered, &s->registering };
	bool known = s->registered.n + s->registering.n > 0;

	for (unsigned i = 0; i < 2; i++)
		known = known && (both[i]->n == 0 || (both[i]->n != SLMP_MONITOR_MORE && both[i]->route == route));
	if (!known)
		return;
	r->n = 0;
	registered_places(&s->registered, r);
	registered_places(&s->registering, r);
	if (s->registering.n == 0)
		r->answer = s->registered.answer;
}

static enum utterance slmp_says(struct bytes datagram)
{
	struct slmp_head h;

	return !slmp_head_parse(datagram, &h) ? UTTERS_NOTHING : h.asks ? UTTERS_REQUEST : UTTERS_ANSWER;
}

static void slmp_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	struct slmp_request r = { .operations = ret->operations, .max = OPERATIONS_MAX };
	struct slmp_head h;
	uint32_t timer, command, sub;

	if (!slmp_head_parse(pdu, &h)) {
		ret->asks = dir == DIR_C2S;
		return;
	}
	ret->asks = h.asks;
	if (!h.asks)
		return;
	slmp_number(&h.rest, 2, &timer);
	slmp_number(&h.rest, 2, &command);
	slmp_number(&h.rest, 2, &sub);
	if (h.rest.b.failed)
		return;
	slmp_request_parse(command << 16 | sub, h.targets, h.rest, &r);
	if (r.well_formed && r.service == (uint32_t)SLMP_MONITOR << 16)
		parse_monitor(state, &r);
	ret->n = r.n;
	ret->wrong = r.well_formed ? R_ALLOWED : R_SLMP_FRAME;
	ret->kept[0] = h.serial;
	ret->kept[1] = r.answer;
	ret->kept[2] = h.form;
	ret->kept[3] = r.later;
}

/* Remembers a registration. The effect of a malformed one is not known. */
static void remember_monitor(struct slmp_monitor *m, const struct parsed *p)
{
	*m = (struct slmp_monitor){ .route = slmp_route(p->operations[0].targets), .answer = (uint16_t)p->kept[3] };
	if (p->wrong != R_ALLOWED) {
		m->n = SLMP_MONITOR_MORE;
		return;
	}
	for (uint32_t i = 0; i < p->n && m->n != SLMP_MONITOR_MORE; i++) {
		const struct operation *o = &p->operations[i];

		if (m->n == SLMP_MONITOR_MAX || o->place_unknown || o->space == SPACE_NONE || o->first > UINT32_MAX ||
		    o->count > UINT32_MAX) {
			m->n = SLMP_MONITOR_MORE;
			return;
		}
		m->places[m->n].space = o->space;
		m->places[m->n].first = (uint32_t)o->first;
		m->places[m->n].count = (uint32_t)o->count;
		m->n++;
	}
}

static bool same_devices(const struct slmp_monitor *a, const struct slmp_monitor *b)
{
	bool same = a->route == b->route && a->n == b->n && a->answer == b->answer;

	for (uint32_t i = 0; same && i < a->n && i < SLMP_MONITOR_MAX; i++)
		same = a->places[i].space == b->places[i].space && a->places[i].first == b->places[i].first &&
		       a->places[i].count == b->places[i].count;
	return same;
}

/* Notes a registration. If two are waiting for answers, either may fail, so the registered devices
 * are not known, unless both are equal. */
static void note_registration(struct slmp_state *s, const struct parsed *p)
{
	struct slmp_monitor m;

	remember_monitor(&m, p);
	if (s->registering.n > 0 && !same_devices(&s->registering, &m))
		m.n = SLMP_MONITOR_MORE;
	s->registering = m;
}

static bool is_register(uint32_t service)
{
	return service >> 16 == SLMP_MONITOR_REGISTER;
}

static void slmp_asked(void *state, const struct parsed *p, const struct ruling *ruling, struct pdu *ret)
{
	struct slmp_state *s = state;
	const struct operation *o = p->operations;
	uint32_t command = ret->function >> 16;
	bool registers = is_register(ret->function) && ret->dir == DIR_C2S;

	if (p->n == 0)
		return;
	if (s->form == 0)
		s->form = (uint8_t)p->kept[2];
	/* rows are only about requests of clients */
	if (ret->dir == DIR_S2C && ret->reason == R_ALLOWED)
		ret->reason = R_SLMP_RESPONSE;
	if (!pending_room(&slmp_enforcer, s, ret)) {
		if (registers)
			s->registered.n = SLMP_MONITOR_MORE;
		return;
	}
	/* A refused registration is noted as well, because it reaches the PLC if the conduits
	 * only observe. */
	if (registers)
		note_registration(s, p);
	s->open[s->wait.n++] = (struct slmp_open){
		.wait = { ruling->choice, (uint8_t)ret->reason, command == SLMP_RESET || command == SLMP_ON_DEMAND },
		.route = slmp_route(o->targets),
		.first = o->first,
		.count = o->count,
		.service = ret->function,
		.serial = (uint16_t)p->kept[0],
		.answer = (uint16_t)p->kept[1],
		.space = o->space,
		.asker = (uint8_t)ret->dir,
	};
}

/* ---- answers --------------------------------------------------------------------------------- */

struct answer {
	struct slmp_head h;
	uint32_t end_code;
	enum direction dir;
};

/* Whether the data of an error fit: the station and the failed command, or nothing. */
static bool is_failure_of(const struct slmp_open *o, struct slmp_reader rest)
{
	uint32_t command, sub;

	if (rest.b.left == 0)
		return true;
	if (!bytes_skip(&rest.b, rest.ascii ? 10 : 5))
		return false;
	slmp_number(&rest, 2, &command);
	slmp_number(&rest, 2, &sub);
	return bytes_done(&rest.b) && (command << 16 | sub) == o->service;
}

static bool is_answer(const struct slmp_open *o, const struct answer *a, unsigned lenient)
{
	if (o->asker == (uint8_t)a->dir ||
	    (o->serial != a->h.serial && (a->h.serial != 0 || !(lenient & LENIENT_TRANSACTION))) ||
	    (o->route != slmp_route(a->h.targets) && !(lenient & LENIENT_UNIT)))
		return false;
	/* the answer to a malformed request has no prescribed form */
	if (o->wait.reason == R_SLMP_FRAME)
		return true;
	if (a->end_code != 0)
		return is_failure_of(o, a->h.rest);
	return o->answer == SLMP_ANY || o->answer == a->h.rest.b.left;
}

/* Notes the answer to a registration. If several registrations were under way and one failed, the
 * registered devices stay unknown, because another one may still take effect. */
static void settle_monitor(struct slmp_state *s, const struct slmp_open *o, bool failed)
{
	if (!is_register(o->service) || o->asker != DIR_C2S)
		return;
	if (!failed)
		s->registered = s->registering;
	if (!failed || s->registering.n != SLMP_MONITOR_MORE)
		s->registering.n = 0;
}

static void answer_open(struct slmp_state *s, uint32_t i, const struct answer *a, const struct allowance *by,
			struct pdu *ret)
{
	struct slmp_open o = s->open[i];

	ret->function = o.service;
	judge_answer(by, &o.wait, ret);
	if (o.space != SPACE_NONE && o.wait.reason != R_SLMP_FRAME) {
		ret->space = o.space;
		ret->address = o.first;
		ret->quantity = (uint32_t)o.count;
	}
	for (uint32_t k = 0; k < i; k++)
		if (s->open[k].asker == o.asker)
			s->open[k].wait.expendable = 1;
	settle_monitor(s, &o, a->end_code != 0);
	pending_answered(&s->wait, s->open, sizeof(s->open[0]), i);
	if (s->wait.n == 0)
		s->unanswered = 0;
}

static void slmp_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	struct slmp_state *s = state;
	struct answer a = { .dir = ret->dir };
	unsigned lenient = judge_leniency(by);

	ret->reason = R_SLMP_RESPONSE;
	pdu_name_choice(by, 0, ret);
	if (!slmp_head_parse(pdu, &a.h) || (s->form != 0 && s->form != a.h.form) ||
	    !slmp_number(&a.h.rest, 2, &a.end_code))
		return;
	memcpy(ret->targets, a.h.targets, sizeof(a.h.targets));
	ret->exception = a.end_code != 0;
	for (uint32_t i = 0; i < s->wait.n; i++)
		if (is_answer(&s->open[i], &a, lenient)) {
			answer_open(s, i, &a, by, ret);
			return;
		}
	pending_answered_unseen(&s->wait, R_SLMP_UNSEEN, R_SLMP_UNREAD, ret);
}

static void slmp_missed(void *state)
{
	struct slmp_state *s = state;

	/* Another registration may have been in the missed bytes. */
	if (s->registered.n > 0)
		s->registered.n = SLMP_MONITOR_MORE;
	if (s->registering.n > 0)
		s->registering.n = SLMP_MONITOR_MORE;
}

/* Commands without a name may have any form, so they do not count. Answers show only their
 * length. */
static bool slmp_likely(const void *state, enum direction dir, struct bytes pdu)
{
	struct operation room[2];
	struct slmp_request r = { .operations = room, .max = 2 };
	struct slmp_head h;
	uint32_t timer, command, sub;

	if (!slmp_head_parse(pdu, &h) || h.asks != (dir == DIR_C2S))
		return false;
	if (!h.asks)
		return true;
	slmp_number(&h.rest, 2, &timer);
	slmp_number(&h.rest, 2, &command);
	slmp_number(&h.rest, 2, &sub);
	slmp_request_parse(command << 16 | sub, h.targets, h.rest, &r);
	return r.well_formed && function_by_code(vocabulary_of(PROTO_SLMP), r.service) != NULL;
}

static size_t state_used(const void *state)
{
	return sizeof(struct slmp_state);
}

/* ---- templates of repeated requests ---------------------------------------------------------- */

/* Templates for repeated polls. A repeated 4E frame in binary has another serial number, which the
 * answer repeats; a repeated 3E frame is the same. 4E frames in ASCII have no template, because a
 * serial number in digits does not allow arbitrary bytes. */

#define SERIAL_AT 2u

/* Bytes or characters of its answer's data; SLMP_ANY: they depend on more than the request. */
static uint16_t answer_of(struct bytes request, struct slmp_head *h)
{
	struct operation room[2];
	struct slmp_request r = { .operations = room, .max = 2 };
	uint32_t timer, command, sub;

	if (!slmp_head_parse(request, h) || !h->asks)
		return SLMP_ANY;
	slmp_number(&h->rest, 2, &timer);
	slmp_number(&h->rest, 2, &command);
	slmp_number(&h->rest, 2, &sub);
	if (h->rest.b.failed || command == SLMP_MONITOR || command == SLMP_MONITOR_REGISTER || command == SLMP_RESET ||
	    command == SLMP_ON_DEMAND)
		return SLMP_ANY;
	slmp_request_parse(command << 16 | sub, h->targets, h->rest, &r);
	return r.well_formed ? r.answer : SLMP_ANY;
}

/* Adds length and end code, low byte first or in digits. */
static bool says_end(struct once_template *t, size_t head, bool ascii, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t text[8] = { 0, 0, 0, 0, '0', '0', '0', '0' };

	if (!ascii)
		return once_says(t, head - 2u, (uint8_t[]){ (uint8_t)(n + 2u), (uint8_t)((n + 2u) >> 8), 0, 0 }, 4);
	for (unsigned i = 0; i < 4; i++)
		text[i] = (uint8_t)digits[(n + 4u) >> (12u - 4u * i) & 15u];
	return once_says(t, head - 4u, text, sizeof(text));
}

/* Whether the judgement of a request depends only on its bytes, except for registered devices. */
static bool is_settled(const struct slmp_state *s)
{
	return s->wait.n == 0 && s->wait.unseen == 0 && !s->wait.unread && !s->cut;
}

static bool slmp_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret)
{
	const struct slmp_state *s = state;
	struct slmp_head h;
	uint16_t n = answer_of(request, &h);
	bool ascii = (h.form & SLMP_ASCII) != 0;
	size_t head = slmp_head_length(h.form), route = head - (ascii ? 14u : 7u);

	if (n == SLMP_ANY || answer.left != head + (ascii ? 4u : 2u) + n || !is_settled(s) || s->form != h.form ||
	    (ascii && (h.form & SLMP_4E)))
		return false;
	if (!once_begin(ret, request, head + (ascii ? 4u : 2u) + n) || !once_says(ret, 0,
										  ascii		     ? "D000"
										  : h.form & SLMP_4E ? "\xd4"
												     : "\xd0",
										  ascii ? 4 : 1))
		return false;
	if (!ascii && !once_says(ret, 1, "\0", 1))
		return false;
	if ((h.form & SLMP_4E) && (!once_repeats(ret, SERIAL_AT, SERIAL_AT, 2) || !once_says(ret, 4, "\0\0", 2)))
		return false;
	return once_says(ret, route, (const uint8_t *)ret->request + route, ascii ? 10 : 5) &&
	       says_end(ret, head, ascii, n);
}

static bool slmp_keep(const void *state, struct outbuf *to)
{
	const struct slmp_state *s = state;
	const struct slmp_monitor *m = &s->registered;

	out_u8(to, s->form);
	out_u8(to, m->n);
	out_be64(to, m->route);
	out_be16(to, m->answer);
	for (uint32_t i = 0; m->n != SLMP_MONITOR_MORE && i < m->n; i++) {
		out_be32(to, m->places[i].first);
		out_be32(to, m->places[i].count);
		out_u8(to, m->places[i].space);
	}
	return is_settled(s) && s->registering.n == 0;
}

static bool slmp_again(void *state, struct bytes kept)
{
	struct slmp_state *s = state;
	struct slmp_monitor *m = &s->registered;

	bytes_u8(&kept, &s->form);
	bytes_u8(&kept, &m->n);
	bytes_be64(&kept, &m->route);
	bytes_be16(&kept, &m->answer);
	if ((s->form & SLMP_FORM) == 0 || s->form > (SLMP_FORM | SLMP_ASCII | SLMP_4E) ||
	    (m->n > SLMP_MONITOR_MAX && m->n != SLMP_MONITOR_MORE))
		return false;
	for (uint32_t i = 0; m->n != SLMP_MONITOR_MORE && i < m->n; i++) {
		bytes_be32(&kept, &m->places[i].first);
		bytes_be32(&kept, &m->places[i].count);
		bytes_u8(&kept, &m->places[i].space);
		if (space_key(vocabulary_of(PROTO_SLMP), m->places[i].space) == NULL)
			return false;
	}
	return bytes_done(&kept);
}

const struct enforcer slmp_enforcer = {
	.protocol = PROTO_SLMP,
	.pdu_max = SLMP_PDU_MAX,
	.state_size = sizeof(struct slmp_state),
	.open = PENDING_IN(struct slmp_state, SLMP_OPEN_MAX),
	.datagrams = 1,
	.says = slmp_says,
	.state_used = state_used,
	.frame = slmp_find_frame,
	.malformed = R_SLMP_FRAME,
	.pending = R_SLMP_PENDING,
	.parse = slmp_parse,
	.asked = slmp_asked,
	.answered = slmp_answered,
	.framed_else = slmp_framed_else,
	.segment = slmp_segment,
	.repeat = slmp_repeat,
	.afresh = true,
	.missed = slmp_missed,
	.likely = slmp_likely,
	.once = slmp_once,
	.keep = slmp_keep,
	.again = slmp_again,
};
