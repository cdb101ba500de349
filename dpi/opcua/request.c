/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/opcua/opcua.h"

#include "dpi/opcua/words.h"

/* The headers of requests and answers (OPC 10000-4, 7.32 and 7.33). Request: session token, time,
 * handle, diagnostics mask, audit id, timeout, and an additional header, which must be empty
 * because everything that is judged comes after it. Answer: time, handle, result, diagnostics,
 * texts, additional header. */
#define REQUEST_HEADER "n844s4y"
#define ANSWER_HEADER "844d[s]x"
#define ANSWER_STATUS_AT 12u
#define STATUS_BAD 0x80000000u /* OPC 10000-4, 7.39 */
#define PLACES_MAX 2u

struct service {
	uint16_t request, answer;
	uint8_t class;
	bool places;
	uint8_t untold;
	const char *layout;
};

static const struct service services[] = {
#define SERVICE(request, response, name, class, places, untold, layout)                                                \
	{ request, response, class, places, untold, layout },
#include "dpi/opcua/services.def"
};

#define SERVICES (sizeof(services) / sizeof(services[0]))

static const struct service *service_of(uint32_t code)
{
	for (size_t i = 0; i < SERVICES; i++)
		if (services[i].request == code)
			return &services[i];
	return NULL;
}

uint32_t opcua_service_of_answer(uint32_t service)
{
	for (size_t i = 0; i < SERVICES; i++)
		if (services[i].answer == service)
			return services[i].request;
	return 0;
}

uint32_t opcua_answer_of_service(uint32_t service)
{
	const struct service *s = service_of(service == OPCUA_WRITE_ATTRIBUTE ? OPCUA_WRITE : service);

	return s != NULL ? s->answer : 0;
}

bool opcua_service_take(struct bytes *body, uint32_t *ret)
{
	struct opcua_node id;

	*ret = 0;
	if (!opcua_node(body, false, &id) || !id.number || id.place == 0 || id.place > OPCUA_SERVICE_MAX)
		return false;
	*ret = (uint32_t)id.place;
	return true;
}

/* Whether a row must name the policy: None, and policies of unknown name, which a server may take
 * for None. */
static bool is_named(uint8_t policy)
{
	return policy <= OPCUA_POLICY_NONE || policy == OPCUA_POLICY_OTHER;
}

struct operation opcua_operation(uint32_t service, uint8_t policy)
{
	return (struct operation){ .service = service,
				   .targets = { [OPCUA_POLICY] = policy },
				   .broadcast = is_named(policy) ? 1u << OPCUA_POLICY : 0,
				   .space = SPACE_NONE,
				   .idle = 1u << OPCUA_ATTRIBUTE };
}

/* ---- reading by a layout --------------------------------------------------------------------- */

struct reader {
	struct bytes b;
	struct parsed *to; /* NULL: no operations are made */
	const struct service *service;
	uint8_t policy;
	bool crowded, bodies;
	/* there is no room for one operation per item, so several items become one operation, which
	 * one row must allow */
	bool joins;
	/* a body was skipped before the present item, so servers may read another item here */
	bool doubtful;
	bool doubted; /* one operation stands for all doubtful items */
	/* the following fields belong to the present item */
	uint8_t group;
	struct opcua_node places[PLACES_MAX];
	uint32_t n_places, attribute;
	bool has_attribute, ranged;
	struct values value;
};

/* Makes the last operation stand for `o` too, if neither has a value, and the node of `o` is in the
 * last operation or follows it. False: this is not possible. */
static bool goes_on(struct operation *last, const struct operation *o)
{
	if (last->service != o->service || last->targets[OPCUA_ATTRIBUTE] != o->targets[OPCUA_ATTRIBUTE] ||
	    last->place_unknown != o->place_unknown || last->values.form != VALUES_NONE ||
	    o->values.form != VALUES_NONE)
		return false;
	if (o->place_unknown)
		return true;
	if (o->first - last->first >= last->count)
		last->count += o->first - last->first == last->count;
	return o->first - last->first < last->count;
}

/* Makes the last operation that there is room for stand for `o` too. It then covers both nodes and
 * all between them, or unknown nodes if the two are in different namespaces. The attribute becomes
 * unknown if the two differ in it, and a value always does. False: they are different services. */
static bool stands_for(struct operation *last, const struct operation *o)
{
	uint64_t end = last->first + last->count;

	if (last->service != o->service || last->idle != o->idle)
		return false;
	if (last->targets[OPCUA_ATTRIBUTE] != o->targets[OPCUA_ATTRIBUTE])
		last->targets[OPCUA_ATTRIBUTE] = OPCUA_ATTRIBUTE_UNKNOWN;
	if (last->place_unknown || o->place_unknown ||
	    last->first >> OPCUA_IDENTIFIER_BITS != o->first >> OPCUA_IDENTIFIER_BITS) {
		last->place_unknown = true;
		last->space = SPACE_NONE;
	} else {
		end = end > o->first + o->count ? end : o->first + o->count;
		last->first = last->first < o->first ? last->first : o->first;
		last->count = end - last->first;
	}
	if (last->values.form != VALUES_NONE || o->values.form != VALUES_NONE)
		last->values = (struct values){ .form = VALUES_UNKNOWN };
	return true;
}

static void operation_put(struct reader *r, const struct operation *o)
{
	bool joins = r->joins && r->n_places == 1 && r->to->n > 0;

	if (joins && goes_on(&r->to->operations[r->to->n - 1u], o))
		return;
	if (r->to->n < OPERATIONS_MAX)
		r->to->operations[r->to->n++] = *o;
	else if (!r->joins || !stands_for(&r->to->operations[OPERATIONS_MAX - 1u], o))
		r->crowded = true;
}

static void operation_add(struct reader *r, const struct opcua_node *at, struct values value)
{
	struct operation o = opcua_operation(r->service->request, r->policy);

	if (r->doubtful && r->n_places == 1) {
		if (r->doubted)
			return;
		r->doubted = true;
	}
	o.group = r->group;
	o.values = value;
	o.place_unknown = !at->number || r->doubtful || (r->service->untold & UNTOLD_PLACE) != 0;
	if ((r->service->untold & UNTOLD_VALUE) != 0 || (r->doubtful && value.form != VALUES_NONE))
		o.values.form = VALUES_UNKNOWN;
	if (r->has_attribute) {
		o.targets[OPCUA_ATTRIBUTE] = r->attribute;
		o.idle = 0;
		if (o.service == OPCUA_WRITE && r->attribute != OPCUA_VALUE) {
			o.service = OPCUA_WRITE_ATTRIBUTE;
			o.values.form = VALUES_UNKNOWN;
		}
	}
	if (r->doubtful && r->has_attribute)
		o.targets[OPCUA_ATTRIBUTE] = OPCUA_ATTRIBUTE_UNKNOWN;
	if (!o.place_unknown) {
		o.space = OPCUA_NODES;
		o.first = at->place;
		o.count = 1;
	}
	operation_put(r, &o);
	/* the attribute may be the value or another one */
	if (r->doubtful && r->service->request == OPCUA_WRITE) {
		o.service = o.service == OPCUA_WRITE ? OPCUA_WRITE_ATTRIBUTE : OPCUA_WRITE;
		o.group = (uint8_t)r->to->n;
		operation_put(r, &o);
	}
}

static void place_read(struct reader *r, bool expanded, bool may_be_null)
{
	struct opcua_node at;

	if (opcua_node(&r->b, expanded, &at) && !(may_be_null && at.null) && r->n_places < PLACES_MAX)
		r->places[r->n_places++] = at;
}

/* Adds one operation for each argument, all on the method. A row must also allow the object of the
 * method. */
static void arguments(struct reader *r)
{
	const struct opcua_node method = r->places[r->n_places - 1u];
	/* after a skipped body, servers may read other arguments, even if there are none */
	struct values none = { .form = r->doubtful ? VALUES_UNKNOWN : VALUES_NONE }, value;
	uint32_t n;

	opcua_count(&r->b, &n);
	if (r->to != NULL) {
		operation_add(r, &r->places[0], none);
		if (n == 0)
			operation_add(r, &method, none);
	}
	for (uint32_t i = 0; i < n && opcua_variant(&r->b, &value, &r->bodies); i++)
		if (r->to != NULL)
			operation_add(r, &method, value);
	r->n_places = 0;
}

static void end_item(struct reader *r)
{
	if (r->ranged && r->value.form != VALUES_NONE) /* only a part of the value is written */
		r->value.form = VALUES_UNKNOWN;
	for (uint32_t i = 0; i < r->n_places && r->to != NULL; i++)
		operation_add(r, &r->places[i], r->value);
}

static void read_fields(struct reader *r, const char *layout);

/* The layout after the bracket that closes the present group. */
static const char *behind_group(const char *layout)
{
	for (unsigned open = 1; open > 0; layout++) {
		open += *layout == '[' || *layout == '{';
		open -= *layout == ']' || *layout == '}';
	}
	return layout;
}

static void repeat(struct reader *r, const char *layout, bool operations)
{
	uint32_t n;

	opcua_count(&r->b, &n);
	for (uint32_t i = 0; i < n && !r->b.failed && !r->crowded; i++) {
		if (operations) {
			r->doubtful = r->bodies;
			r->group = (uint8_t)(r->to != NULL ? r->to->n : 0);
			r->n_places = 0;
			r->has_attribute = r->ranged = false;
			r->value = (struct values){ .form = VALUES_NONE };
		}
		read_fields(r, layout);
		if (operations && !r->b.failed)
			end_item(r);
	}
}

static void read_field(struct reader *r, char what)
{
	struct opcua_node node;
	struct bytes text;
	uint8_t encoding;

	switch (what) {
	case '1':
	case '2':
	case '4':
	case '8':
		bytes_skip(&r->b, (size_t)(what - '0'));
		break;
	case 's':
		opcua_string(&r->b, &text);
		break;
	case 'n':
	case 'e':
		opcua_node(&r->b, what == 'e', &node);
		break;
	case 'N':
	case 'E':
	case 'O':
		place_read(r, what != 'N', what == 'O');
		break;
	case 'q':
		opcua_qualified_name(&r->b);
		break;
	case 'l':
		opcua_localized_text(&r->b);
		break;
	case 'x':
		opcua_extension(&r->b, &r->bodies);
		break;
	case 'y':
		if (!opcua_node(&r->b, false, &node) || !bytes_u8(&r->b, &encoding) || encoding != 0)
			r->b.failed = true;
		break;
	case 'd':
		opcua_diagnostic(&r->b);
		break;
	case 'a':
		r->has_attribute = bytes_le32(&r->b, &r->attribute);
		break;
	case 'r':
		r->ranged = opcua_string(&r->b, &text) && text.left > 0;
		break;
	case 'V':
		opcua_data_value(&r->b, &r->value, &r->bodies);
		break;
	default: /* 'A' */
		if (!r->b.failed)
			arguments(r);
		break;
	}
}

/* Recursion is as deep as the brackets of the table. */
static void read_fields(struct reader *r, const char *layout)
{
	while (*layout != '\0' && *layout != ']' && *layout != '}' && !r->b.failed) {
		char what = *layout++;

		if (what != '[' && what != '{') {
			read_field(r, what);
			continue;
		}
		repeat(r, layout, what == '{');
		layout = behind_group(layout);
	}
}

/* ---- requests and answers -------------------------------------------------------------------- */

static void make_only(struct parsed *to, uint32_t code, uint8_t policy, unsigned untold, bool setup)
{
	struct operation o = opcua_operation(code, policy);

	o.setup = setup;
	o.place_unknown = (untold & UNTOLD_PLACE) != 0;
	if ((untold & UNTOLD_VALUE) != 0)
		o.values.form = VALUES_UNKNOWN;
	to->operations[to->n++] = o;
}

void opcua_request_parse(struct bytes body, uint8_t policy, struct parsed *ret)
{
	struct reader r = { .b = body, .to = ret, .policy = policy };
	struct bytes b;
	uint32_t code;

	ret->n = 0;
	if (!opcua_service_take(&r.b, &code))
		return;
	r.service = service_of(code);
	if (r.service == NULL) { /* unknown service: its nodes and values are not known */
		make_only(ret, code, policy, UNTOLD_PLACE | UNTOLD_VALUE, false);
		ret->wrong = R_ALLOWED;
		return;
	}
	read_fields(&r, REQUEST_HEADER);
	b = r.b;
	read_fields(&r, r.service->layout);
	if (r.crowded) {
		ret->n = 0;
		r = (struct reader){ .b = b, .to = ret, .service = r.service, .policy = policy, .joins = true };
		read_fields(&r, r.service->layout);
	}
	ret->wrong = r.crowded ? R_OPCUA_MANY : bytes_done(&r.b) ? R_ALLOWED : R_OPCUA_FRAME;
	if (ret->n == 0 || ret->wrong != R_ALLOWED) {
		ret->n = 0;
		/* after a skipped body, servers may find nodes where there are none */
		make_only(ret, code, policy, r.service->untold | (r.bodies && r.service->places ? UNTOLD_PLACE : 0),
			  r.service->class == 0);
	}
}

bool opcua_request_is_whole(struct bytes body)
{
	struct reader r = { .b = body };
	uint32_t code;

	if (!opcua_service_take(&r.b, &code))
		return false;
	r.service = service_of(code);
	if (r.service == NULL)
		return false;
	read_fields(&r, REQUEST_HEADER);
	read_fields(&r, r.service->layout);
	return !r.b.failed;
}

bool opcua_request_header_take(struct bytes *b)
{
	struct reader r = { .b = *b };

	read_fields(&r, REQUEST_HEADER);
	*b = r.b;
	return !b->failed;
}

bool opcua_answer_header_take(struct bytes *b, bool *ret_bad)
{
	struct reader r = { .b = *b };
	struct bytes at = *b;
	uint32_t status;

	bytes_skip(&at, ANSWER_STATUS_AT);
	bytes_le32(&at, &status);
	*ret_bad = (status & STATUS_BAD) != 0;
	read_fields(&r, ANSWER_HEADER);
	*b = r.b;
	return !b->failed;
}

/* ---- requests inside a segment --------------------------------------------------------------- */

/*
 * Searches for requests that a server would execute if it takes the result of one recv for a
 * message: requests that are complete although their chunk says that more is to come. The bytes
 * before the end of a message pass before the message is judged, so such a server must not find a
 * complete request in them.
 */

/* Whether a complete request is in the last chunk of `b`, which is incomplete by its size, or in a
 * chunk after which the message continues. */
static bool holds_its_request(struct bytes b)
{
	struct opcua_numbers n;
	struct opcua_chunk c;
	size_t len;

	/* reads single chunks, whether they form one message or not; only the last chunk of a
	 * message may be a request by itself */
	while (opcua_frame(b, DIR_C2S, false, &len) == FRAME_WHOLE) {
		if (!opcua_chunk_take(&b, &c))
			return false;
		if (c.chunk == 'C' && c.kind >= OPCUA_OPEN && opcua_numbers_take(&c.body, &n) &&
		    opcua_request_is_whole(c.body))
			return true;
	}
	return opcua_chunk_take(&b, &c) && c.kind >= OPCUA_OPEN && opcua_numbers_take(&c.body, &n) &&
	       opcua_request_is_whole(c.body);
}

bool opcua_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b, const struct allowance *by,
		   struct pdu *ret)
{
	const struct opcua_state *s = state;

	if (s->policy > OPCUA_POLICY_NONE || evaluate_allows_all(by) || !holds_its_request(b))
		return true;
	ret->reason = R_OPCUA_FRAME;
	return false;
}
