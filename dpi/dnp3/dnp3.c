/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/dnp3/dnp3.h"

#include <stddef.h>
#include <string.h>

#include "dpi/dnp3/words.h"
#include "dpi/lasting.h"

_Static_assert(sizeof(struct dnp3_state) <= ENFORCER_STATE_MAX, "DNP3 state must fit into a flow");
_Static_assert(DNP3_PDU_MAX <= ENFORCER_PDU_MAX, "the longest fragment must fit into what is kept");

#define RESERVED_FIRST 0xfff0u /* addresses that nobody has (IEEE 1815, clause 9) */
#define HEADER 2u	       /* bytes of a fragment's control and function */
#define SELF_ADDRESS 0xfffcu
/* Second byte of a response's indications (clause 4): function, object or parameter not known. */
#define NOT_UNDERSTOOD 0x07u

/* Indexes of parsed.kept, in which `parse` hands data to `asked`. */
enum kept { KEPT_DATA, KEPT_FUNCTION, KEPT_CONTROL, KEPT_OBJECTS, KEPT_SILENT };

static void dnp3_begin(void *state, bool datagrams, uint16_t port)
{
	struct dnp3_state *s = state;

	s->datagrams = datagrams;
}

static enum dnp3_form form_of(const void *state, enum direction dir)
{
	return ((const struct dnp3_state *)state)->datagrams ? DNP3_DATAGRAM
	       : dir == DIR_S2C				     ? DNP3_ANSWER
							     : DNP3_WHOLE;
}

static enum frame_result dnp3_find_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	return dnp3_frame(form_of(state, dir), head, ret_len);
}

/* Whether a request to `asked` was for this station. Every outstation may answer to the
 * self-address, and does so with its own. */
static bool is_station(uint32_t asked, uint16_t station)
{
	return asked == station || asked == SELF_ADDRESS;
}

/* Only a master sets the direction bit (IEEE 1815, clause 9). */
static enum utterance dnp3_says(struct bytes datagram)
{
	if (!dnp3_is_header(datagram))
		return UTTERS_NOTHING;
	return (datagram.p[3] & DNP3_DIR) != 0 ? UTTERS_REQUEST : UTTERS_ANSWER;
}

static uint32_t link_code(const struct dnp3_unit *u)
{
	return DNP3_LINK((u->control & DNP3_PRM) != 0, u->control & DNP3_LINK_FUNCTION);
}

/* ---- requests -------------------------------------------------------------------------------- */

static void dnp3_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	struct dnp3_request r = { .operations = ret->operations, .max = OPERATIONS_MAX };
	struct dnp3_unit u;

	ret->asks = dir == DIR_C2S;
	if (!ret->asks || !dnp3_unwrap(form_of(state, dir), pdu, ret->joined, &u))
		return;
	if (u.data) {
		if (!dnp3_request_parse(&u, &r))
			return;
	} else { /* link layer services: every use needs them */
		r.n = 1;
		r.wrong = R_ALLOWED;
		ret->operations[0] = (struct operation){
			.service = link_code(&u),
			.targets = { [DNP3_OUTSTATION] = u.to, [DNP3_MASTER] = u.from },
			.broadcast = u.to >= DNP3_BROADCAST ? 1u << DNP3_OUTSTATION : 0,
			.space = SPACE_NONE,
			.setup = true,
			.idle = 1u << DNP3_OBJECT | 1u << DNP3_CODE,
		};
	}
	if (u.from >= RESERVED_FIRST && r.wrong == R_ALLOWED)
		r.wrong = R_DNP3_FRAME;
	ret->n = r.n;
	ret->wrong = (u.control & DNP3_DIR) != 0 ? r.wrong : R_DNP3_DIRECTION;
	ret->kept[KEPT_DATA] = u.data;
	ret->kept[KEPT_FUNCTION] = r.function;
	ret->kept[KEPT_CONTROL] = r.control;
	ret->kept[KEPT_OBJECTS] = r.objects.left;
	ret->kept[KEPT_SILENT] = r.silent;
}

/* Whether a response with this number asked to be confirmed. A repeated confirmation is
 * accepted. */
static bool is_told(const struct dnp3_state *s, const struct operation *o, uint8_t control)
{
	if (s->met)
		return true;
	for (unsigned i = 0; i < DNP3_TOLD_MAX; i++) {
		const struct dnp3_told *t = &s->told[i];

		if (t->is && t->unsolicited == ((control & DNP3_UNS) != 0) && t->number == (control & DNP3_NUMBER) &&
		    is_station(o->targets[DNP3_OUTSTATION], t->outstation) && t->master == o->targets[DNP3_MASTER])
			return true;
	}
	return false;
}

static void select_objects(struct dnp3_state *s, const struct operation *o, uint8_t control, struct bytes objects)
{
	s->select_number = (control + 1u) & DNP3_NUMBER;
	s->select_outstation = (uint16_t)o->targets[DNP3_OUTSTATION];
	s->select_master = (uint16_t)o->targets[DNP3_MASTER];
	s->select_unknown = false;
	s->n_selected = 0;
	if (objects.left <= DNP3_SELECT_MAX) {
		s->n_selected = (uint16_t)objects.left;
		bytes_copy(&objects, s->selected, objects.left);
	}
}

/* Whether an OPERATE matches the SELECT before it: the next number, the same bytes, the same ends
 * (clause 4: select before operate). */
static bool is_selected(struct dnp3_state *s, const struct operation *o, uint8_t control, struct bytes objects)
{
	bool unknown = s->select_unknown;

	s->select_unknown = false;
	return unknown ||
	       (s->n_selected > 0 && s->n_selected == objects.left && s->select_number == (control & DNP3_NUMBER) &&
		s->select_outstation == o->targets[DNP3_OUTSTATION] && s->select_master == o->targets[DNP3_MASTER] &&
		bytes_starts(&objects, s->selected, s->n_selected));
}

static void dnp3_asked(void *state, const struct parsed *p, const struct ruling *ruling, struct pdu *ret)
{
	uint8_t function = (uint8_t)p->kept[KEPT_FUNCTION], control = (uint8_t)p->kept[KEPT_CONTROL];
	struct dnp3_state *s = state;
	const struct operation *o = p->operations;
	struct bytes objects;

	if (p->n == 0 || p->kept[KEPT_DATA] == 0)
		return;
	objects = bytes_of(p->joined + HEADER, (size_t)p->kept[KEPT_OBJECTS]);
	if (function == DNP3_CONFIRM) {
		if (ret->reason == R_ALLOWED && !is_told(s, o, control))
			ret->reason = R_DNP3_SESSION;
		return;
	}
	if (function == DNP3_SELECT)
		select_objects(s, o, control, objects);
	if (function == DNP3_OPERATE && !is_selected(s, o, control, objects) && ret->reason == R_ALLOWED)
		ret->reason = R_DNP3_SELECT;
	if (p->kept[KEPT_SILENT] != 0)
		return;
	if (!pending_room(&dnp3_enforcer, s, ret))
		return;
	s->open[s->wait.n++] = (struct dnp3_open){
		/* an authentication is not answered by itself: the challenged request is answered
		 * instead */
		.wait = { ruling->choice, (uint8_t)ret->reason, function == DNP3_AUTHENTICATE },
		.number = control & DNP3_NUMBER,
		.outstation = (uint16_t)o->targets[DNP3_OUTSTATION],
		.master = (uint16_t)o->targets[DNP3_MASTER],
		.service = ret->function,
	};
}

/* ---- responses ------------------------------------------------------------------------------- */

struct response {
	uint8_t control, function;
	uint8_t understood; /* second byte of the indications */
	bool secure;
};

/* Checks what an outstation may send in general, and whether its objects are complete. */
static enum reason response_parse(const struct dnp3_unit *u, struct response *ret)
{
	struct bytes b = u->fragment;
	uint8_t first;
	bool unsolicited;

	*ret = (struct response){ .control = 0 };
	bytes_u8(&b, &ret->control);
	bytes_u8(&b, &ret->function);
	if (!b.failed && ret->function < DNP3_RESPONSE)
		return R_DNP3_DIRECTION;
	bytes_u8(&b, &first);
	if (!bytes_u8(&b, &ret->understood) || ret->function > DNP3_CHALLENGE)
		return R_DNP3_FRAME;
	unsolicited = (ret->control & DNP3_UNS) != 0;
	if (ret->function != DNP3_CHALLENGE && unsolicited != (ret->function == DNP3_UNSOLICITED))
		return R_DNP3_FRAME;
	if (unsolicited && (ret->control & (DNP3_FIR | DNP3_FIN)) != (DNP3_FIR | DNP3_FIN))
		return R_DNP3_FRAME;
	/* the contents of a response in several datagrams are not kept, so only the last part is
	 * checked */
	if (u->ends && !dnp3_objects_fit(b, &ret->secure))
		return R_DNP3_FRAME;
	ret->secure = ret->secure || ret->function == DNP3_CHALLENGE;
	return R_ALLOWED;
}

static bool open_fits(const struct dnp3_open *o, const struct dnp3_unit *u, const struct response *r)
{
	bool first = (r->control & DNP3_FIR) != 0;

	return is_station(o->outstation, u->from) && o->master == u->to && o->number == (r->control & DNP3_NUMBER) &&
	       first != o->began;
}

/* Whether the last response comes again: the same control octet between the same ends. */
static bool is_last(const struct dnp3_last *l, const struct dnp3_unit *u, const struct response *r)
{
	return l->is && l->control == r->control && l->outstation == u->from && l->master == u->to;
}

/* Finds the youngest request that this response fits, because an older request may have had the
 * same number. */
static void answered_request(struct dnp3_state *s, const struct dnp3_unit *u, const struct response *r,
			     const struct allowance *by, struct pdu *ret)
{
	uint32_t i = s->wait.n;

	while (i > 0 && !open_fits(&s->open[i - 1u], u, r))
		i--;
	if (i > 0) {
		struct dnp3_open *o = &s->open[--i];

		ret->function = o->service;
		judge_answer(by, &o->wait, ret);
		s->last = (struct dnp3_last){ ret->allowed, r->control, u->from, u->to, o->wait.choice };
		pending_overtake(s->open, sizeof(s->open[0]), i);
		o->began = true;
		o->number = (o->number + 1u) & DNP3_NUMBER;
		if ((r->control & DNP3_FIN) != 0)
			pending_answered(&s->wait, s->open, sizeof(s->open[0]), i);
		return;
	}
	if (is_last(&s->last, u, r)) {
		ret->allowed = true;
		ret->reason = R_ALLOWED;
		pdu_name_choice(by, s->last.choice, ret);
		return;
	}
	ret->reason = R_DNP3_RESPONSE;
	pending_answered_unseen(&s->wait, R_DNP3_UNSEEN, R_DNP3_UNREAD, ret);
}

/* Objects of secure authentication pass if a row names them or lets the master authenticate. */
static bool is_secure_allowed(const struct dnp3_unit *u, const struct allowance *by, struct pdu *ret)
{
	static const uint16_t services[] = { DNP3_AUTHENTICATE, DNP3_AUTHENTICATE_NR, DNP3_SECURE };
	struct operation o = { .targets = { [DNP3_OUTSTATION] = u->from, [DNP3_MASTER] = u->to },
			       .space = SPACE_NONE,
			       .idle = 1u << DNP3_OBJECT | 1u << DNP3_CODE };
	struct ruling ruling = { .reason = R_DNP3_FUNCTION };

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]) && ruling.reason != R_ALLOWED; i++) {
		o.service = services[i];
		evaluate(by, &o, 1, &ruling);
	}
	ret->reason = ruling.reason;
	pdu_name_ruling(ret, &ruling);
	return ruling.reason == R_ALLOWED;
}

static struct dnp3_rest *rest_of(struct dnp3_state *s, const struct dnp3_unit *u)
{
	for (unsigned i = 0; i < DNP3_RESTS_MAX; i++)
		if (s->rests[i].is && s->rests[i].outstation == u->from && s->rests[i].master == u->to)
			return &s->rests[i];
	return NULL;
}

/* Whether a PDU continues a response: its segments come next in order, between the same ends. The
 * outstation's link layer may also repeat its last frame. */
static bool goes_on(struct dnp3_rest *rest, const struct dnp3_unit *u)
{
	uint8_t before;

	if (rest == NULL)
		return false;
	before = (rest->segment - 1u) & DNP3_SEGMENT_NUMBER;
	if (u->first == before && u->last == before && (u->control & DNP3_LINK_FUNCTION) == DNP3_LINK_CONFIRMED)
		return true;
	if (!rest->due || rest->segment != u->first)
		return false;
	rest->segment = (u->last + 1u) & DNP3_SEGMENT_NUMBER;
	rest->due = !u->ends;
	return true;
}

static void rest_note(struct dnp3_state *s, const struct dnp3_unit *u, const struct response *r)
{
	struct dnp3_rest *rest = rest_of(s, u);

	if (rest == NULL) {
		rest = &s->rests[s->next_rest];
		s->next_rest = (uint8_t)((s->next_rest + 1u) % DNP3_RESTS_MAX);
	}
	*rest = (struct dnp3_rest){ true, !u->ends, (u->last + 1u) & DNP3_SEGMENT_NUMBER, u->from, u->to };
	if ((r->control & DNP3_CON) == 0)
		return;
	s->told[s->next_told] =
		(struct dnp3_told){ true, (r->control & DNP3_UNS) != 0, r->control & DNP3_NUMBER, u->from, u->to };
	s->next_told = (uint8_t)((s->next_told + 1u) % DNP3_TOLD_MAX);
}

static void dnp3_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	uint8_t joined[DNP3_FRAGMENT_MAX];
	struct dnp3_state *s = state;
	struct dnp3_unit u;
	struct response r;

	ret->reason = R_DNP3_FRAME;
	pdu_name_choice(by, 0, ret);
	if (!dnp3_unwrap(form_of(s, DIR_S2C), pdu, joined, &u))
		return;
	ret->targets[DNP3_OUTSTATION] = u.from;
	ret->targets[DNP3_MASTER] = u.to;
	ret->function = u.data ? DNP3_RESPONSE : link_code(&u);
	if ((u.control & DNP3_DIR) != 0) {
		ret->reason = R_DNP3_DIRECTION;
		return;
	}
	if (!u.data || !u.begins) {
		ret->allowed = !u.data || goes_on(rest_of(s, &u), &u);
		ret->reason = ret->allowed ? R_ALLOWED : R_DNP3_SESSION;
		return;
	}
	ret->reason = response_parse(&u, &r);
	ret->function = r.function;
	ret->exception = (r.understood & NOT_UNDERSTOOD) != 0;
	if (ret->reason != R_ALLOWED || (r.secure && !is_secure_allowed(&u, by, ret)))
		return;
	ret->allowed = true;
	if (r.function == DNP3_RESPONSE) {
		ret->allowed = false;
		answered_request(s, &u, &r, by, ret);
	}
	if (ret->allowed)
		rest_note(s, &u, &r);
}

/* ---- lasting subscriptions ------------------------------------------------------------------- */

#define GROUP_CLASSES 60u

/* The classes of events that a request switches, a bit each. */
static uint32_t classes_of(struct bytes objects)
{
	struct dnp3_objects o;
	uint32_t parts = 0;

	while (objects.left > 0 && dnp3_objects_take(&objects, false, &o))
		parts |= o.group == GROUP_CLASSES && o.variation < 32 ? 1u << o.variation : 1u;
	return parts;
}

/* A master enables the unsolicited responses of an outstation, by classes; they have
 * no lifetime. */
static void read_lasting(enum direction dir, struct bytes pdu, struct lasting *ret)
{
	uint8_t joined[DNP3_FRAGMENT_MAX], control, function;
	struct dnp3_unit u;
	struct bytes b;

	if (!dnp3_unwrap(DNP3_DATAGRAM, pdu, joined, &u) || !u.data || !u.begins)
		return;
	b = u.fragment;
	if (!bytes_u8(&b, &control) || !bytes_u8(&b, &function))
		return;
	ret->key[0] = dir == DIR_C2S ? u.to : u.from;
	ret->key[1] = dir == DIR_C2S ? u.from : u.to;
	if (dir == DIR_S2C) {
		ret->kind = function == DNP3_UNSOLICITED ? LASTING_TELLS : LASTING_NOTHING;
		return;
	}
	if (function != DNP3_ENABLE_UNSOLICITED && function != DNP3_DISABLE_UNSOLICITED)
		return;
	ret->kind = function == DNP3_ENABLE_UNSOLICITED ? LASTING_BEGINS : LASTING_ENDS;
	ret->parts = classes_of(b);
}

static void new_table(void *state)
{
	((struct dnp3_state *)state)->last.is = false;
}

static void dnp3_missed(void *state)
{
	struct dnp3_state *s = state;

	s->met = true;
	s->select_unknown = true;
}

/* Whether the direction bit and the function are such as this end sends. */
static bool dnp3_likely(const void *state, enum direction dir, struct bytes pdu)
{
	uint8_t joined[DNP3_FRAGMENT_MAX];
	struct dnp3_unit u;

	if (!dnp3_unwrap(form_of(state, dir), pdu, joined, &u) || ((u.control & DNP3_DIR) != 0) != (dir == DIR_C2S))
		return false;
	return !u.data || !u.begins || u.fragment.left < HEADER || (joined[1] < DNP3_REQUESTS) == (dir == DIR_C2S);
}

static size_t state_used(const void *state)
{
	const struct dnp3_state *s = state;

	return offsetof(struct dnp3_state, selected) + s->n_selected;
}

/* ---- requests inside a segment --------------------------------------------------------------- */

/*
 * Searches for requests that an outstation would execute if it does not read frames as the
 * specification describes.
 *
 * The first case is a frame at a position where the client began none, for example in a value or a
 * file. An outstation that takes the result of one recv for a frame, or that looks for the next 05
 * 64 after an error, would execute it. The header has a checksum, so real values do not
 * look like it.
 *
 * The second case is a segment that is a request by itself. An outstation that knows only requests
 * of one segment may not put segments together, and would execute this one at once.
 */

static bool begins_data(struct bytes b)
{
	return dnp3_is_header(b) && b.p[2] > 5 && (b.p[3] & DNP3_DIR) != 0;
}

/* Whether the frame has one of several segments of a fragment, and rows forbid what this segment
 * would be as a request by itself. A segment is too short to need more than OPERATIONS_MAX
 * operations. */
static bool is_forbidden_alone(struct bytes frame, const struct allowance *by, struct ruling *ret)
{
	struct operation room[OPERATIONS_MAX];
	struct dnp3_request r = { .operations = room, .max = OPERATIONS_MAX };
	uint8_t joined[DNP3_SEGMENT_MAX];
	struct dnp3_unit u;

	/* Unknown functions are skipped, because files may contain any bytes. */
	if (!dnp3_segment_alone(frame, joined, &u) || !dnp3_request_parse(&u, &r) || r.wrong != R_ALLOWED ||
	    r.function >= DNP3_REQUESTS)
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

static bool dnp3_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
			 const struct allowance *by, struct pdu *ret)
{
	struct ruling ruling = { .reason = R_DNP3_INSIDE };
	struct bytes frames = b, frame;
	size_t begins = 0, n = 0;

	if (evaluate_allows_all(by)) /* nothing can be misread */
		return true;
	for (size_t at = 0; b.left > 0; bytes_skip(&b, 1), at++) {
		if (at == begins) {
			begins = SIZE_MAX;
			if (dnp3_link_frame(frames, &n) != FRAME_WHOLE || !bytes_take(&frames, n, &frame))
				continue;
			begins = at + n;
			if (is_forbidden_alone(frame, by, &ruling))
				return refuse_segment(ret, &ruling, R_DNP3_CUT);
		} else if (b.p[0] == 0x05 && begins_data(b)) {
			evaluate_choice(by, 0, &ruling);
			return refuse_segment(ret, &ruling, R_DNP3_INSIDE);
		}
	}
	return true;
}

/* Searches a datagram for requests that an outstation would find if it does not read datagrams as
 * the specification describes. */
static bool framed_else(void *state, bool begins, struct bytes fresh, const struct allowance *by, struct pdu *ret)
{
	if (!((const struct dnp3_state *)state)->datagrams || dnp3_segment(state, 0, 0, false, fresh, by, ret))
		return true;
	ret->reading = true;
	return false;
}

const struct enforcer dnp3_enforcer = {
	.protocol = PROTO_DNP3,
	.pdu_max = DNP3_PDU_MAX,
	.state_size = sizeof(struct dnp3_state),
	.open = PENDING_IN(struct dnp3_state, DNP3_OPEN_MAX),
	.datagrams = DNP3_DATAGRAM_MAX,
	.says = dnp3_says,
	.begin = dnp3_begin,
	.state_used = state_used,
	.frame = dnp3_find_frame,
	.malformed = R_DNP3_FRAME,
	.pending = R_DNP3_PENDING,
	.parse = dnp3_parse,
	.asked = dnp3_asked,
	.answered = dnp3_answered,
	.framed_else = framed_else,
	.segment = dnp3_segment,
	.missed = dnp3_missed,
	.new_table = new_table,
	.likely = dnp3_likely,
};

const struct lasting_reader dnp3_lasting = { .read = read_lasting };
