/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks how requests are cut into segments, because servers do not all determine the end of a
 * request as the specification does.
 *
 * These deviations were observed. libmodbus goes by the function code, and takes requests with an
 * unknown function for eight bytes; the rest of such a request, or the bytes that it discards after
 * it, shift the position of the next request. pymodbus 3.0 goes by the length, and discards the
 * beginning of a request that came in two segments.
 *
 * So a request with a function that some server does not know must be in one segment, and no other
 * request may follow before its answer. Where a request was cut, the client's bytes must not
 * contain a forbidden command for a server that is out of step there (slip.c).
 *
 * A request that is complete by its function although its header says that more is to come is
 * refused at once, because libmodbus would not wait. EasyModbus and NModbus never wait: they take
 * the result of one read for a request, and read missing bytes as zeros. So an incomplete request
 * is judged before the rest comes.
 */
#include "appliance/wire/vocabulary.h"
#include "dpi/modbus/modbus.h"
#include "dpi/modbus/request.h"

#define HEADER 7u      /* bytes before the function code */
#define READ_MAX 1024u /* the smallest number of bytes that a server reads at once: pymodbus 2 */

static bool framed_apart(uint8_t function)
{
	return function_framing(vocabulary_of(PROTO_MODBUS), function) != FRAMING_ALIKE;
}

bool modbus_goes_alone(const struct ruling *ruling, uint8_t function)
{
	return ruling->row != NULL && framed_apart(function);
}

void modbus_unseen(const struct allowance *by, uint8_t unit, uint8_t function, struct ruling *ret)
{
	const struct operation o = { .service = function, .targets = { unit }, .space = SPACE_NONE };

	evaluate_unseen(by, &o, ret);
}

static bool awaited(const struct modbus_state *s)
{
	for (uint32_t i = 0; i < s->wait.n; i++)
		if (s->open[i].wait.reason == R_ALLOWED && !s->open[i].wait.expendable)
			return true;
	return false;
}

static struct open_request *lone_request(struct modbus_state *s)
{
	for (uint32_t i = 0; i < s->wait.n; i++)
		if (s->open[i].wait.reason == R_ALLOWED && s->open[i].alone && !s->open[i].wait.expendable)
			return &s->open[i];
	return NULL;
}

static bool refuse_segment(struct pdu *ret, enum reason r, uint8_t unit, uint8_t function)
{
	ret->reason = r;
	ret->targets[0] = unit;
	ret->function = function;
	return false;
}

/*
 * Whether the part of a request that has come is allowed. If it is not, the complete request would
 * be refused for the same reason.
 */
static bool begins_allowed(struct bytes b, const struct allowance *by, struct pdu *ret)
{
	struct modbus_request r;
	struct ruling ruling;

	modbus_request_begin(b, &r);
	if (r.operations[0].space == SPACE_NONE)
		evaluate_unseen(by, r.operations, &ruling);
	else
		evaluate(by, r.operations, r.n, &ruling);
	if (ruling.reason == R_ALLOWED)
		return true;
	pdu_name_ruling(ret, &ruling);
	evaluate_limit(by, r.operations, &ruling, &ret->limit);
	pdu_name_operation(ret, r.operations, r.n, &ruling);
	ret->early = true;
	return refuse_segment(ret, r.well_formed ? ruling.reason : (enum reason)r.wrong, r.unit, r.function);
}

/* Checks requests that have to come alone (modbus_goes_alone): such a request must fill its
 * segment, and no answer may be due. Of an incomplete request, checks what has come. False:
 * refused. */
static bool careful(const struct modbus_state *s, size_t carried, struct bytes b, const struct allowance *by,
		    struct pdu *ret)
{
	bool single = carried == 0 && !awaited(s);

	for (bool first = true; b.left > HEADER; first = false) {
		size_t n = b.left;
		uint8_t unit = b.p[HEADER - 1], function = b.p[HEADER];
		enum frame_result r = modbus_frame(s, DIR_C2S, b, &n);
		struct ruling ruling;

		if (r == FRAME_BAD)
			return true; /* refused when the PDU is judged */
		modbus_unseen(by, unit, function, &ruling);
		pdu_name_ruling(ret, &ruling);
		if (r != FRAME_WHOLE && modbus_slip_whole(b))
			return refuse_segment(ret, R_MODBUS_FRAME, unit, function);
		if (ruling.reason != R_ALLOWED && r != FRAME_WHOLE && framed_apart(function))
			/* some servers take this for the complete request */
			return refuse_segment(ret, ruling.reason, unit, function);
		if (ruling.reason == R_ALLOWED && modbus_goes_alone(&ruling, function) &&
		    (r != FRAME_WHOLE || !single || !first || n != b.left))
			return refuse_segment(ret, R_MODBUS_ALONE, unit, function);
		if (r != FRAME_WHOLE)
			return framed_apart(function) || begins_allowed(b, by, ret);
		if (!bytes_skip(&b, n))
			return true;
	}
	return true;
}

/* Refuses a request that a server may find at a position where the client began none. */
static bool refuse_cut(struct pdu *ret, const struct allowance *by, const struct modbus_request *r,
		       const struct ruling *ruling)
{
	pdu_name_ruling(ret, ruling);
	evaluate_limit(by, r->operations, ruling, &ret->limit);
	pdu_name_operation(ret, r->operations, r->n, ruling);
	ret->reading = true;
	return refuse_segment(ret, R_MODBUS_CUT, r->unit, r->function);
}

/*
 * Whether one read of a server has room for the bytes and for the earlier requests that still wait.
 * If recent requests are in the way, the segment is held back (R_MODBUS_PENDING). If the segment is
 * too large alone, or only requests that have waited for long are in the way, it passes only if no
 * forbidden command begins anywhere in it.
 */
static bool fits_a_read(const struct modbus_state *s, uint32_t at, struct bytes b, const struct allowance *by,
			struct pdu *ret)
{
	uint32_t from = at, due = at, end = at + (uint32_t)b.left;
	struct modbus_reading r;
	struct ruling ruling;

	for (uint32_t i = 0; i < s->wait.n; i++) {
		if (s->open[i].wait.expendable)
			continue;
		if ((int32_t)(from - s->open[i].at) > 0)
			from = s->open[i].at;
		if (s->open[i].wait.aged < PENDING_AGED && (int32_t)(due - s->open[i].at) > 0)
			due = s->open[i].at;
	}
	if (end - from <= READ_MAX || evaluate_allows_all(by))
		return true;
	if (due != at && end - due > READ_MAX)
		return refuse_segment(ret, R_MODBUS_PENDING, 0, 0);
	return !modbus_slip_anywhere(b, by, &r, &ruling) || refuse_cut(ret, by, &r.request, &ruling);
}

/* A server may begin to read `carried` bytes after `at`, where the rest of a request begins.
 * Returns whether such a server finds no forbidden command. */
static bool is_unmistakable(struct modbus_state *s, uint32_t at, size_t carried, bool late, const struct allowance *by,
			    struct pdu *ret)
{
	struct modbus_reading r;
	struct ruling ruling;

	if (carried > 0)
		modbus_slip_start(&s->slip, at + (uint32_t)carried, late);
	if (carried == HEADER)
		modbus_slip_start(&s->slip, at + (uint32_t)carried - 1, false);
	if (!modbus_slip_forbids(&s->slip, by, &r, &ruling))
		return true;
	s->slip.n = 0; /* reported only once, if refusals do not end the flow */
	return refuse_cut(ret, by, &r.request, &ruling);
}

/*
 * The number of bytes that a server discards of the first `carried` bytes of a request. pymodbus
 * discards six bytes that it cannot read, so it keeps the unit of a header that came alone.
 */
static size_t thrown_away(size_t carried)
{
	return carried == HEADER ? carried - 1 : carried;
}

bool modbus_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b, const struct allowance *by,
		    struct pdu *ret)
{
	struct modbus_state *s = state;
	struct open_request *only = lone_request(s);
	size_t all = b.left;

	if (only != NULL) {
		only->wait.expendable = 1; /* reported once, where refusals do not end the flow */
		pdu_name_choice(by, only->wait.choice, ret);
		return refuse_segment(ret, R_MODBUS_ALONE, only->unit, only->function);
	}
	if (!careful(s, carried, b, by, ret) || !fits_a_read(s, (uint32_t)offset, b, by, ret))
		return false;
	if (carried == 0 && s->slip.n == 0)
		return true;
	bytes_skip(&b, s->slip.n == 0 ? thrown_away(carried) : carried);
	if (!modbus_slip_add(&s->slip, (uint32_t)offset + (uint32_t)(all - b.left), b))
		return refuse_segment(ret, R_MODBUS_CUT, 0, 0);
	return is_unmistakable(s, (uint32_t)offset, carried, late, by, ret);
}

bool modbus_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		   const struct allowance *by, struct pdu *ret)
{
	struct modbus_state *s = state;
	uint32_t from = (uint32_t)offset + (uint32_t)carried, to = from + (uint32_t)length;

	for (uint32_t i = 0; i < s->wait.n; i++) {
		const struct open_request *o = &s->open[i];

		if (!o->alone || o->wait.reason != R_ALLOWED || (o->at == from && o->at + o->length == to))
			continue;
		if ((int32_t)(to - o->at) > 0 && (int32_t)(o->at + o->length - from) > 0) {
			pdu_name_choice(by, o->wait.choice, ret);
			return refuse_segment(ret, R_MODBUS_ALONE, o->unit, o->function);
		}
	}
	if (carried == 0)
		return true;
	bytes_skip(&b, thrown_away(carried));
	from = (uint32_t)offset + (uint32_t)thrown_away(carried);
	if ((s->slip.n == 0 || (int32_t)(from - s->slip.at) < 0) && !modbus_slip_extend(&s->slip, from, b))
		return refuse_segment(ret, R_MODBUS_CUT, 0, 0);
	return is_unmistakable(s, (uint32_t)offset, carried, late, by, ret);
}
