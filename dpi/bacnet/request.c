/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/bacnet/bacnet.h"

#include <string.h>

#include "dpi/bacnet/words.h"

#define STATE_WARM 1u /* higher states give the device another configuration (clause 16.4) */

struct service {
	uint32_t code;
	bool places;
	uint8_t untold;
	uint8_t answer; /* enum bacnet_answer */
	const char *layout;
};

#define SIMPLE BACNET_ANSWER_SIMPLE
#define COMPLEX BACNET_ANSWER_COMPLEX

static const struct service services[] = {
#define CONFIRMED(choice, name, class, places, untold, answer, layout) { choice, places, untold, answer, layout },
#define UNCONFIRMED(choice, name, class, places, untold, layout)                                                       \
	{ BACNET_UNCONFIRMED(choice), places, untold, BACNET_ANSWER_ANY, layout },
#include "dpi/bacnet/services.def"
};

static const struct service *service_of(uint32_t code)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (services[i].code == code)
			return &services[i];
	return NULL;
}

enum bacnet_answer bacnet_answer_of(uint8_t service)
{
	const struct service *s = service_of(service);

	return s != NULL ? (enum bacnet_answer)s->answer : BACNET_ANSWER_ANY;
}

uint32_t bacnet_code(const struct bacnet_unit *u)
{
	if (!u->carries)
		return BACNET_LINK(u->function);
	if (u->message)
		return BACNET_NETWORK(u->message_type);
	if (u->type == BACNET_CONFIRMED_REQUEST)
		return u->service;
	return u->type == BACNET_UNCONFIRMED_REQUEST ? BACNET_UNCONFIRMED(u->service) : BACNET_APDU(u->type);
}

struct operation bacnet_operation(const struct bacnet_unit *u, uint32_t code)
{
	struct operation o = {
		.service = code,
		.space = SPACE_NONE,
		.targets = { [BACNET_PROPERTY] = BACNET_PROPERTY_NONE, [BACNET_PRIORITY] = BACNET_PRIORITY_NONE },
		.idle = 1u << BACNET_PROPERTY | 1u << BACNET_PRIORITY
	};

	o.targets[BACNET_ROUTE] = u->route;
	o.targets[BACNET_WAY] = u->carries ? u->function + (u->relayed ? BACNET_RELAYED : 0) : BACNET_UNICAST;
	if (!u->carries)
		o.idle |= 1u << BACNET_ROUTE | 1u << BACNET_WAY;
	/* a row must name routes to other stations, and ways other than unicast */
	o.broadcast =
		(uint8_t)((u->route != 0) << BACNET_ROUTE | (o.targets[BACNET_WAY] != BACNET_UNICAST) << BACNET_WAY);
	return o;
}

/* ---- reading by a layout --------------------------------------------------------------------- */

struct reader {
	struct bytes b;
	struct parsed *to;
	const struct bacnet_unit *unit;
	const struct service *service;
	/* code of the service; for 'S' it depends on the requested state of the device */
	uint32_t code;
	bool crowded;
	/* the following fields belong to the present operation */
	bool has_object, has_property, has_index, writes, null;
	uint8_t holder; /* number of the constructed data that are being read */
	bool again;	/* data inside a value have the same number as the data around it */
	uint64_t object, objects;
	uint32_t property, index, priority;
	struct values value;
};

static void begin_operation(struct reader *r)
{
	r->has_property = r->has_index = r->writes = r->null = false;
	r->priority = BACNET_PRIORITY_LOWEST;
	r->value = (struct values){ .form = VALUES_NONE };
}

static uint32_t property_of(const struct reader *r)
{
	uint32_t index = !r->has_index ? BACNET_INDEX_NONE : r->index;

	if (r->has_index && r->index > BACNET_INDEX_BEYOND)
		index = BACNET_INDEX_BEYOND;
	/* a property beyond the numbers that rows can name counts as unknown */
	return r->property >= UINT32_MAX >> BACNET_INDEX_BITS ? BACNET_PROPERTY_NONE
							      : BACNET_PROPERTY_OF(r->property, index);
}

/* The code of a service that writes depends on whether it writes a value to the present value, NULL
 * to the present value, or another property. */
static uint32_t code_of_write(const struct reader *r)
{
	if (r->code != BACNET_WRITE_PROPERTY && r->code != BACNET_WRITE_MULTIPLE)
		return r->code;
	return r->code + (r->property != BACNET_PRESENT_VALUE ? BACNET_OTHER : r->null ? BACNET_RELINQUISH : 0);
}

static void end_operation(struct reader *r)
{
	struct operation o = bacnet_operation(r->unit, r->code);

	if (r->to->n == OPERATIONS_MAX) {
		r->crowded = true;
		return;
	}
	o.group = (uint8_t)r->to->n;
	o.values = r->value;
	o.place_unknown = !r->has_object;
	if (r->has_object) {
		o.space = BACNET_OBJECTS;
		o.first = r->object;
		o.count = r->objects;
	}
	if (r->has_property) {
		o.service = code_of_write(r);
		o.targets[BACNET_PROPERTY] = property_of(r);
		o.idle &= (uint8_t) ~(1u << BACNET_PROPERTY);
	}
	if (r->writes) {
		/* a device may find the value's end elsewhere, and read another priority there */
		o.targets[BACNET_PRIORITY] = r->again ? BACNET_PRIORITY_NONE : r->priority;
		o.idle &= (uint8_t) ~(1u << BACNET_PRIORITY);
		if (r->null || (r->service->untold & UNTOLD_VALUE) != 0)
			o.values = (struct values){ .form = VALUES_UNKNOWN };
	} else if ((r->service->untold & UNTOLD_VALUE) != 0) {
		o.values.form = VALUES_UNKNOWN;
	}
	r->to->operations[r->to->n++] = o;
}

static void take_object(struct reader *r, struct bytes holds)
{
	uint32_t id;

	if (!bytes_be32(&holds, &id))
		r->b.failed = true;
	r->has_object = true;
	r->object = id;
	r->objects = 1;
}

static void number_field(struct reader *r, char kind, struct bytes holds)
{
	uint32_t v;

	if (!bacnet_number(holds, &v)) {
		r->b.failed = true;
		return;
	}
	switch (kind) {
	case 'P':
		r->has_property = true;
		r->property = v;
		break;
	case 'I':
		r->has_index = true;
		r->index = v;
		break;
	case 'R':
		r->priority = v;
		r->b.failed |= v < 1 || v > BACNET_PRIORITY_LOWEST;
		break;
	case 'T': /* any object of this type */
		r->has_object = true;
		r->object = (uint64_t)v << BACNET_INSTANCE_BITS;
		r->objects = BACNET_INSTANCES;
		r->b.failed |= v > UINT32_MAX >> BACNET_INSTANCE_BITS;
		break;
	case 'S':
		r->code += v > STATE_WARM ? BACNET_OTHER : 0;
		break;
	default:
		break;
	}
}

static enum bacnet_type type_of(char kind)
{
	static const struct {
		char kind;
		uint8_t type;
	} types[] = { { 'b', BACNET_BOOLEAN },	  { 'u', BACNET_UNSIGNED },   { 'I', BACNET_UNSIGNED },
		      { 'R', BACNET_UNSIGNED },	  { 'i', BACNET_SIGNED },     { 'r', BACNET_REAL },
		      { 'y', BACNET_OCTETS },	  { 's', BACNET_STRING },     { 't', BACNET_BITS },
		      { 'e', BACNET_ENUMERATED }, { 'P', BACNET_ENUMERATED }, { 'T', BACNET_ENUMERATED },
		      { 'S', BACNET_ENUMERATED }, { 'd', BACNET_DATE },	      { 'm', BACNET_TIME } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].kind == kind)
			return (enum bacnet_type)types[i].type;
	return BACNET_OBJECT_ID;
}

/* Whether the next tag is the one of an item: "0O", "aO" or "0{". */
static bool is_next(struct bytes b, const char *item)
{
	struct bacnet_tag t;

	if (b.left == 0 || !bacnet_tag_take(&b, &t))
		return false;
	if (item[0] == 'a')
		return t.kind == BACNET_APPLICATION && t.number == type_of(item[1]);
	return t.number == item[0] - '0' && t.kind == (item[1] == '{' ? BACNET_OPENING : BACNET_CONTEXT);
}

static bool is_closed(const struct reader *r)
{
	struct bytes b = r->b;
	struct bacnet_tag t;

	return b.failed || b.left == 0 || (bacnet_tag_take(&b, &t) && t.kind == BACNET_CLOSING);
}

static void read_rest(struct reader *r, bool writes)
{
	struct bacnet_any any;

	if (!bacnet_any(&r->b, r->holder, &any) || !writes)
		return;
	r->writes = true;
	r->value = any.written;
	if (any.again)
		r->value.form = VALUES_UNKNOWN;
	r->null = any.null;
	r->again |= any.again;
}

static void read_fields(struct reader *r, const char *layout);

/* The position behind the item that begins here. An item is a tag and its kind, or something in
 * brackets. */
static const char *behind_item(const char *layout)
{
	unsigned open = 0;

	if (*layout != '[')
		layout++;
	do {
		open += *layout == '[' || *layout == '{';
		open -= *layout == ']' || *layout == '}';
		layout++;
	} while (open > 0);
	return layout;
}

static void read_item(struct reader *r, const char *layout)
{
	struct bacnet_tag t;

	if (layout[0] == '[') {
		do
			read_fields(r, layout + 1);
		while (!r->crowded && !is_closed(r));
		return;
	}
	if (!is_next(r->b, layout) || !bacnet_tag_take(&r->b, &t)) {
		r->b.failed = true;
		return;
	}
	if (layout[1] == '{') {
		uint8_t number = t.number, holder = r->holder;

		r->holder = number;
		read_fields(r, layout + 2);
		r->holder = holder;
		if (!r->b.failed && (!bacnet_tag_take(&r->b, &t) || t.kind != BACNET_CLOSING || t.number != number))
			r->b.failed = true;
		return;
	}
	if (!bacnet_is_of(&t, type_of(layout[1])))
		r->b.failed = true;
	else if (layout[1] == 'O')
		take_object(r, t.holds);
	else if (strchr("PIRTS", layout[1]) != NULL)
		number_field(r, layout[1], t.holds);
}

/* Reads exactly one of several items, each of which has '^' in front. */
static const char *one_of(struct reader *r, const char *layout)
{
	unsigned chosen = 0;

	while (*layout == '^') {
		layout++;
		if (is_next(r->b, layout)) {
			read_item(r, layout);
			chosen++;
		}
		layout = behind_item(layout);
	}
	r->b.failed |= chosen != 1;
	return layout;
}

static const char *apply_mark(struct reader *r, const char *layout)
{
	if (*layout == '<')
		begin_operation(r);
	else if (*layout == '>')
		end_operation(r);
	else if (*layout == '~')
		bytes_skip(&r->b, r->b.left);
	else
		read_rest(r, *layout == 'V');
	return layout + 1;
}

/* Calls itself, at most as deep as the brackets in the table's layouts. */
static void read_fields(struct reader *r, const char *layout)
{
	while (*layout != '\0' && *layout != ']' && *layout != '}' && !r->b.failed && !r->crowded) {
		bool may_lack = *layout == '?';

		if (*layout == '^') {
			layout = one_of(r, layout);
		} else if (strchr("<>*V~", *layout) != NULL) {
			layout = apply_mark(r, layout);
		} else {
			layout += may_lack;
			if (!may_lack || (*layout == '[' ? !is_closed(r) : is_next(r->b, layout)))
				read_item(r, layout);
			layout = behind_item(layout);
		}
	}
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Makes the only operation of a message. Either nothing but its code is known, or the code says
 * everything. */
static void make_only(struct parsed *to, const struct bacnet_unit *u, uint32_t code, unsigned untold)
{
	struct operation o = bacnet_operation(u, code);

	if ((untold & UNTOLD_PLACE) != 0) {
		o.place_unknown = true;
		o.idle &= (uint8_t) ~(1u << BACNET_PROPERTY);
	}
	if ((untold & UNTOLD_VALUE) != 0)
		o.values.form = VALUES_UNKNOWN;
	to->operations[0] = o;
	to->n = 1;
}

/* For a value that contains a closing tag with the number of the data around the value. A device
 * may take this tag for the end of the value, and read anything that the service can write behind
 * it. Adds operations for that. */
static void anything_behind(struct reader *r)
{
	static const uint32_t others[] = { 0, BACNET_OTHER, BACNET_RELINQUISH };
	unsigned n = r->code == BACNET_WRITE_MULTIPLE ? 3 : r->code == BACNET_CREATE_OBJECT ? 1 : 0;

	for (unsigned i = 0; i < n && !r->crowded; i++) {
		begin_operation(r);
		r->has_object = false;
		r->writes = true;
		r->value.form = VALUES_UNKNOWN;
		end_operation(r);
		if (!r->crowded) {
			struct operation *o = &r->to->operations[r->to->n - 1u];

			o->service += others[i];
			o->idle &= (uint8_t) ~(1u << BACNET_PROPERTY);
		}
	}
}

static void parse_service(const struct bacnet_unit *u, struct parsed *ret)
{
	uint32_t code = bacnet_code(u);
	const struct service *s = service_of(code);
	struct reader r = {
		.b = u->rest, .to = ret, .unit = u, .service = s, .code = code, .holder = BACNET_NO_HOLDER
	};

	if (s == NULL || u->segmented) {
		make_only(ret, u, code, UNTOLD_PLACE | UNTOLD_VALUE);
		ret->wrong = R_ALLOWED;
		return;
	}
	begin_operation(&r);
	read_fields(&r, s->layout);
	if (r.again)
		anything_behind(&r);
	ret->wrong = r.crowded ? R_BACNET_MANY : bytes_done(&r.b) ? R_ALLOWED : R_BACNET_FRAME;
	if (ret->n == 0 || ret->wrong != R_ALLOWED)
		make_only(ret, u, r.code,
			  function_by_code(vocabulary_of(PROTO_BACNET), r.code)->untold |
				  (s->places ? UNTOLD_PLACE | UNTOLD_VALUE : 0));
}

enum end { CLIENT, SERVER, BOTH };

/* What is wrong with a message whose length must be `least` bytes plus a multiple of `each`. The
 * length is checked because a device that does not know messages of the network layer reads their
 * bytes as a request. */
static enum reason wrong_of(const struct bacnet_unit *u, enum end end, size_t least, size_t each)
{
	if (end == SERVER)
		return R_BACNET_DIRECTION;
	return bacnet_is_length(u->rest.left, least, each) && (!u->message || u->message_type != 0 || u->rest.left <= 2)
		       ? R_ALLOWED
		       : R_BACNET_FRAME;
}

/* What is wrong with a message of the network layer, or a function of the link. */
static enum reason wrong_beside(const struct bacnet_unit *u)
{
	switch (bacnet_code(u)) {
#define NETWORK(type, name, class, end, least, each, form)                                                             \
	case BACNET_NETWORK(type):                                                                                     \
		return wrong_of(u, end, least, each);
#define LINK(function, name, class, end, least, each, form)                                                            \
	case BACNET_LINK(function):                                                                                    \
		return wrong_of(u, end, least, each);
#include "dpi/bacnet/services.def"
	default:
		return R_ALLOWED;
	}
}

void bacnet_request_parse(const struct bacnet_unit *u, struct parsed *ret)
{
	uint32_t code = bacnet_code(u);
	const struct function_info *f = function_by_code(vocabulary_of(PROTO_BACNET), code);

	ret->n = 0;
	if (u->carries && !u->message && u->type <= BACNET_UNCONFIRMED_REQUEST) {
		parse_service(u, ret);
		return;
	}
	make_only(ret, u, code, f != NULL ? f->untold : UNTOLD_PLACE | UNTOLD_VALUE);
	if (u->carries && !u->message) {
		/* every use needs answers to the server; is_told checks to which station they go */
		ret->operations[0].setup = true;
		ret->operations[0].broadcast = 0;
		ret->operations[0].idle |= 1u << BACNET_ROUTE | 1u << BACNET_WAY;
	}
	ret->wrong = wrong_beside(u);
	if (u->carries && !u->message && u->type == BACNET_ERROR && !bacnet_is_whole(u->service, u->rest))
		ret->wrong = R_BACNET_FRAME;
}

bool bacnet_is_whole(uint32_t code, struct bytes rest)
{
	const struct service *s = service_of(code);
	struct bacnet_any any;

	return (s != NULL && s->layout[0] == '~') || (bacnet_any(&rest, BACNET_NO_HOLDER, &any) && bytes_done(&rest));
}

/* Takes a context tag with this number, if it is next. */
static bool take_number(struct bytes *b, uint8_t number, uint32_t *ret)
{
	struct bytes peek = *b;
	struct bacnet_tag t;

	if (peek.left == 0 || !bacnet_tag_take(&peek, &t) || t.kind != BACNET_CONTEXT || t.number != number ||
	    !bacnet_number(t.holds, ret))
		return false;
	*b = peek;
	return true;
}

static bool take_context(struct bytes *b, uint8_t number, struct bytes *ret)
{
	struct bacnet_tag t;

	if (b->left == 0 || !bacnet_tag_take(b, &t) || t.kind != BACNET_CONTEXT || t.number != number)
		return false;
	*ret = t.holds;
	return true;
}

/* The fields behind the object: `issue confirmed notifications`, lifetime, and the property. */
static void read_terms(uint32_t code, struct bytes b, uint8_t first, struct bacnet_subscription *ret)
{
	struct bacnet_tag t;
	uint32_t flag;
	bool confirmed = take_number(&b, first, &flag), lasts = take_number(&b, (uint8_t)(first + 1u), &ret->lifetime);

	ret->ends = !confirmed && !lasts;
	/* of 4{0P}: the opening tag, then the property */
	if (code == BACNET_SUBSCRIBE_COV_PROPERTY &&
	    (!bacnet_tag_take(&b, &t) || t.kind != BACNET_OPENING || !take_number(&b, 0, &ret->property)))
		ret->property = 0;
}

bool bacnet_subscription_read(uint32_t code, struct bytes rest, struct bacnet_subscription *ret)
{
	bool multiple = code == BACNET_SUBSCRIBE_COV_MULTIPLE || code == BACNET_CONFIRMED_COV_MULTIPLE ||
			code == BACNET_UNCONFIRMED(11);
	struct bytes object;

	*ret = (struct bacnet_subscription){ .object = UINT32_MAX, .property = UINT32_MAX };
	ret->tells = code == BACNET_CONFIRMED_COV || code == BACNET_UNCONFIRMED(2) ||
		     code == BACNET_CONFIRMED_COV_MULTIPLE || code == BACNET_UNCONFIRMED(11);
	if (!ret->tells && !multiple && code != BACNET_SUBSCRIBE_COV && code != BACNET_SUBSCRIBE_COV_PROPERTY)
		return false;
	if (!take_number(&rest, 0, &ret->process))
		return false;
	if (multiple) {
		if (!ret->tells)
			read_terms(code, rest, 1, ret);
		return true;
	}
	/* in front of the object, a message has that of its device */
	if ((ret->tells && !take_context(&rest, 1, &object)) || !take_context(&rest, ret->tells ? 2 : 1, &object) ||
	    !bytes_be32(&object, &ret->object))
		return false;
	if (!ret->tells)
		read_terms(code, rest, 2, ret);
	return true;
}

void bacnet_begins_with(struct bytes rest, uint32_t *ret_object, uint32_t *ret_property)
{
	struct bacnet_tag t;

	*ret_object = *ret_property = UINT32_MAX;
	if (!bacnet_tag_take(&rest, &t) || t.kind != BACNET_CONTEXT || t.number != 0 ||
	    !bytes_be32(&t.holds, ret_object))
		*ret_object = UINT32_MAX;
	if (!bacnet_tag_take(&rest, &t) || t.kind != BACNET_CONTEXT || t.number != 1 ||
	    !bacnet_number(t.holds, ret_property))
		*ret_property = UINT32_MAX;
}
