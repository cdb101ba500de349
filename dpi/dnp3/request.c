/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/dnp3/dnp3.h"

#include "dpi/dnp3/words.h"

#define INDEXES ((uint64_t)UINT32_MAX + 1u)

/* Groups (IEEE 1815, annex A). */
enum group {
	GROUP_CROB = 12,
	GROUP_DEADBAND = 34,
	GROUP_ANALOG_OUTPUT = 41,
	GROUP_TIME = 50,
	GROUP_TIME_LAST = 52,
	GROUP_CLASS = 60,
	GROUP_FILE = 70,
	GROUP_INDICATIONS = 80,
	GROUP_TERMINAL = 112,
	GROUP_TERMINAL_LAST = 113,
	GROUP_SECURE = 120,
};

/* Kinds of a control (annex A, object 12, variation 1): low four bits and the two high ones. */
enum control {
	PULSE_ON = 1,
	PULSE_OFF = 2,
	LATCH_ON = 3,
	LATCH_OFF = 4,
};
#define CLOSE 0x40u
#define TRIP 0x80u
#define STEERED 0xc0u

/* The kind of point of an object group; SPACE_NONE: a kind that rows cannot name. */
static uint8_t space_of(uint8_t group)
{
	static const struct {
		uint8_t first, last, space;
	} spaces[] = {
		{ 1, 2, DNP3_BINARY_INPUTS }, { 3, 4, DNP3_DOUBLE_INPUTS },   { 10, 13, DNP3_BINARY_OUTPUTS },
		{ 20, 23, DNP3_COUNTERS },    { 30, 34, DNP3_ANALOG_INPUTS }, { 40, 43, DNP3_ANALOG_OUTPUTS },
		{ 110, 111, DNP3_STRINGS },
	};

	for (unsigned i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (group >= spaces[i].first && group <= spaces[i].last)
			return spaces[i].space;
	return SPACE_NONE;
}

static bool is_control(uint8_t function)
{
	return function >= DNP3_SELECT && function <= DNP3_DIRECT_OPERATE_NR;
}

static uint32_t service_of(uint8_t function, uint8_t group)
{
	if (dnp3_is_secure(group) && function != DNP3_AUTHENTICATE && function != DNP3_AUTHENTICATE_NR)
		return DNP3_SECURE;
	if (is_control(function))
		return group == GROUP_ANALOG_OUTPUT ? DNP3_OF_ANALOG + function : function;
	if (function != DNP3_READ && function != DNP3_WRITE)
		return function;
	if (group == GROUP_CLASS)
		return function == DNP3_READ ? DNP3_OF_CLASSES + function : function;
	if (group == GROUP_FILE)
		return DNP3_OF_FILES + function;
	if (group >= GROUP_TIME && group <= GROUP_TIME_LAST)
		return DNP3_OF_TIME + function;
	if (group == GROUP_INDICATIONS)
		return DNP3_OF_INDICATIONS + function;
	if (group >= GROUP_TERMINAL && group <= GROUP_TERMINAL_LAST)
		return DNP3_OF_TERMINALS + function;
	return function;
}

/* Whether objects of this function have data in a request (clause 4). */
static bool holds_data(uint8_t function, uint8_t group)
{
	if (group == GROUP_SECURE) /* secure authentication goes with any function (clause 7) */
		return true;
	switch (function) {
	case DNP3_READ:
	case DNP3_FREEZE:
	case DNP3_FREEZE_NR:
	case DNP3_FREEZE_CLEAR:
	case DNP3_FREEZE_CLEAR_NR:
	case DNP3_ENABLE_UNSOLICITED:
	case DNP3_DISABLE_UNSOLICITED:
	case DNP3_ASSIGN_CLASS:
		return false;
	case DNP3_FREEZE_AT_TIME:
	case DNP3_FREEZE_AT_TIME_NR:
		return group == GROUP_TIME;
	default:
		return true;
	}
}

/* Groups without points that concern the outstation as a whole. Rows that limit points allow
 * them. */
static bool is_for_the_whole(uint8_t function, uint8_t group)
{
	if (group >= GROUP_TIME && group <= GROUP_TIME_LAST)
		return true;
	if (group == GROUP_INDICATIONS)
		return function == DNP3_READ || function == DNP3_WRITE;
	/* application identifiers; classes whose reports are switched, or to which points are
	 * assigned */
	return (function >= DNP3_INITIALIZE_APPLICATION && function <= DNP3_DISABLE_UNSOLICITED) ||
	       (function == DNP3_ASSIGN_CLASS && group == GROUP_CLASS);
}

static void like(struct dnp3_request *r, const struct dnp3_unit *u, struct operation *o)
{
	*o = (struct operation){
		.service = r->function,
		.targets = { [DNP3_OUTSTATION] = u->to, [DNP3_MASTER] = u->from },
		.broadcast = u->to >= DNP3_BROADCAST ? 1u << DNP3_OUTSTATION : 0,
		.space = SPACE_NONE,
		.idle = 1u << DNP3_OBJECT | 1u << DNP3_CODE,
		.group = (uint8_t)r->n,
	};
}

/* The value to which a control sets an output. A pulse without trip or close sets it to 1 and back
 * to 0. */
static struct values set_to(uint8_t code)
{
	uint8_t kind = code & 0x0fu, steers = code & STEERED;

	if (steers == CLOSE && (kind == PULSE_ON || kind == LATCH_ON))
		return (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = 1, .hi = 1 };
	if (steers == TRIP && (kind == PULSE_ON || kind == LATCH_OFF))
		return (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = 0, .hi = 0 };
	if (steers != 0)
		return (struct values){ .form = VALUES_UNKNOWN };
	switch (kind) {
	case LATCH_ON:
		return (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = 1, .hi = 1 };
	case LATCH_OFF:
		return (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = 0, .hi = 0 };
	case PULSE_ON:
	case PULSE_OFF:
		return (struct values){ .form = VALUES_BETWEEN, .n = 2, .lo = 0, .hi = 1 };
	default:
		return (struct values){ .form = VALUES_UNKNOWN };
	}
}

/* The value of one object. Rows cannot express floating-point values, so these count as unknown. */
static struct values value_of(const struct dnp3_objects *o, struct bytes data)
{
	if (o->group == GROUP_ANALOG_OUTPUT && o->variation == 2)
		return values_at(VALUES_U16LE, 1, data);
	if (o->group == GROUP_ANALOG_OUTPUT && (o->variation == 1 || o->variation == 3))
		return values_at(VALUES_U32LE, 1, data);
	if (o->group == GROUP_DEADBAND)
		return values_at(o->variation == 1 ? VALUES_U16LE : VALUES_U32LE, 1, data);
	return (struct values){ .form = VALUES_UNKNOWN };
}

static bool operation_add(struct dnp3_request *r, const struct operation *o)
{
	if (r->n == r->max)
		return false;
	r->operations[r->n] = *o;
	r->operations[r->n].group = (uint8_t)r->n;
	r->n++;
	return true;
}

/* Adds an operation for each object that has an index or a value of its own. */
static bool add_each(struct dnp3_request *r, struct dnp3_objects *h, const struct operation *same)
{
	for (uint64_t k = 0; k < h->count; k++) {
		struct operation o = *same;
		struct bytes data;
		uint64_t index;
		uint8_t code;

		if (!dnp3_object_take(h, k, &index, &data))
			return false;
		if (h->index > 0 || h->ranged) {
			o.first = index;
			o.count = 1;
		} else {
			o.place_unknown = true;
		}
		if (h->holds && h->group == GROUP_CROB && h->variation <= 2) {
			if (!bytes_u8(&data, &code))
				return false;
			o.targets[DNP3_CODE] = code;
			o.idle &= (uint8_t) ~(1u << DNP3_CODE);
			o.values = h->variation == 1 ? set_to(code) : (struct values){ .form = VALUES_UNKNOWN };
		} else if (h->holds) {
			o.values = value_of(h, data);
		}
		if (!operation_add(r, &o))
			return false;
	}
	return true;
}

/* Adds the operations of one object header. */
static bool add_objects(struct dnp3_request *r, const struct dnp3_unit *u, struct dnp3_objects *h)
{
	bool writes = h->holds;
	struct operation o;

	like(r, u, &o);
	o.service = service_of(r->function, h->group);
	o.targets[DNP3_OBJECT] = (uint32_t)h->group << 8 | h->variation;
	o.idle = 1u << DNP3_CODE;
	/* a function with an unknown effect has an unknown effect on these objects */
	if (function_by_code(vocabulary_of(PROTO_DNP3), r->function)->untold != 0) {
		o.place_unknown = true;
		o.values.form = VALUES_UNKNOWN;
		return operation_add(r, &o);
	}
	o.space = space_of(h->group);
	if (o.space == SPACE_NONE) {
		o.place_unknown = !is_for_the_whole(r->function, h->group);
		/* clocks, indications and applications have no value that a row could limit */
		o.values.form = writes && o.place_unknown ? VALUES_UNKNOWN : VALUES_NONE;
		return operation_add(r, &o);
	}
	if (h->index > 0 || (h->holds && h->bits == 0))
		return add_each(r, h, &o);
	o.first = h->ranged ? h->first : 0; /* without a range, any indexes may be meant */
	o.count = h->ranged ? h->count : INDEXES;
	if (h->bits == 1 && h->group != GROUP_CROB)
		o.values = values_at(VALUES_BITS, (uint32_t)h->count, h->body);
	else if (h->bits > 0)
		o.values.form = VALUES_UNKNOWN;
	return operation_add(r, &o);
}

/* Adds an operation for a function whose objects are not read. `told`: the function is known to
 * touch no points. */
static void add_whole(struct dnp3_request *r, const struct dnp3_unit *u, bool told)
{
	like(r, u, &r->operations[0]);
	r->operations[0].place_unknown = !told;
	r->operations[0].values.form = told ? VALUES_NONE : VALUES_UNKNOWN;
	r->n = 1;
}

static bool needs_objects(uint8_t function)
{
	return function == DNP3_WRITE || is_control(function) || function == DNP3_ASSIGN_CLASS;
}

/* If all objects belong to secure authentication, adds an operation for the function itself, which
 * then has no objects of its own. */
static bool beside_authentication(struct dnp3_request *r, const struct dnp3_unit *u)
{
	struct operation o;

	if (r->function == DNP3_AUTHENTICATE || r->function == DNP3_AUTHENTICATE_NR)
		return true;
	for (uint32_t i = 0; i < r->n; i++)
		if (r->operations[i].service != DNP3_SECURE)
			return true;
	like(r, u, &o);
	o.place_unknown = true;
	o.values.form = VALUES_UNKNOWN;
	return operation_add(r, &o);
}

static enum reason parse_objects(struct dnp3_request *r, const struct dnp3_unit *u)
{
	struct bytes b = r->objects;

	if (b.left == 0) {
		bool told = function_by_code(vocabulary_of(PROTO_DNP3), r->function)->untold == 0;

		add_whole(r, u,
			  told && r->function != DNP3_READ &&
				  (r->function < DNP3_FREEZE || r->function > DNP3_FREEZE_AT_TIME_NR));
		return needs_objects(r->function) ? R_DNP3_FRAME : R_ALLOWED;
	}
	while (b.left > 0) {
		struct bytes peek = b;
		struct dnp3_objects h;
		uint8_t group = 0;

		bytes_u8(&peek, &group);
		if (!dnp3_objects_take(&b, holds_data(r->function, group), &h) || !add_objects(r, u, &h)) {
			add_whole(r, u, false);
			return R_DNP3_FRAME;
		}
	}
	return beside_authentication(r, u) ? R_ALLOWED : R_DNP3_FRAME;
}

bool dnp3_request_parse(const struct dnp3_unit *u, struct dnp3_request *ret)
{
	struct bytes b = u->fragment;

	ret->n = 0;
	ret->wrong = R_ALLOWED;
	bytes_u8(&b, &ret->control);
	if (!bytes_u8(&b, &ret->function))
		return false;
	ret->objects = b;
	ret->silent = u->to >= DNP3_BROADCAST || ret->function == DNP3_DIRECT_OPERATE_NR ||
		      ret->function == DNP3_FREEZE_NR || ret->function == DNP3_FREEZE_CLEAR_NR ||
		      ret->function == DNP3_FREEZE_AT_TIME_NR || ret->function == DNP3_AUTHENTICATE_NR;
	if (ret->function == DNP3_CONFIRM) { /* every use needs it */
		add_whole(ret, u, true);
		ret->operations[0].setup = true;
		ret->wrong = b.left == 0 ? R_ALLOWED : R_DNP3_FRAME;
	} else if (ret->function >= DNP3_REQUESTS) {
		add_whole(ret, u, false);
		ret->wrong = ret->function >= DNP3_RESPONSE ? R_DNP3_DIRECTION : R_ALLOWED;
	} else {
		ret->wrong = parse_objects(ret, u);
	}
	/* A request is one fragment, and masters do not ask for confirmation. */
	if ((ret->control & (DNP3_FIR | DNP3_FIN | DNP3_CON)) != (DNP3_FIR | DNP3_FIN) ||
	    ((ret->control & DNP3_UNS) != 0 && ret->function != DNP3_CONFIRM) || !u->begins || !u->ends)
		ret->wrong = ret->wrong == R_ALLOWED ? R_DNP3_FRAME : ret->wrong;
	return true;
}
