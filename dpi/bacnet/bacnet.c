/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/bacnet/bacnet.h"

#include <stddef.h>

#include "dpi/bacnet/words.h"
#include "dpi/lasting.h"

_Static_assert(sizeof(struct bacnet_state) <= ENFORCER_STATE_MAX, "BACnet state must fit into a flow");
_Static_assert(BACNET_PDU_MAX <= ENFORCER_PDU_MAX, "the longest datagram must fit into what is kept");

#define ANY UINT32_MAX
/* Device 4194303. It means the addressed device, whatever its instance (clause 15.5.2). */
#define ANY_DEVICE (8u << BACNET_INSTANCE_BITS | 0x3fffffu)
#define DEVICE_TYPE 8u

/* Indexes of parsed.kept, in which `parse` hands data to `asked`. */
enum kept { KEPT_DUE, KEPT_INVOKE, KEPT_CHOICE, KEPT_SEGMENTED, KEPT_ACKNOWLEDGES, KEPT_OBJECT, KEPT_PROPERTY };

/* The kind of message that answers a request. */
enum due { DUE_NOTHING, DUE_APDU, DUE_RESULT, DUE_TABLE };

/* ---- what comes by itself -------------------------------------------------------------------- */

#define MAX_REQUESTS 3u

/*
 * Messages that a server sends by itself: they answer no invoke id. Each entry has the code of the
 * message, and the codes of the requests that ask for it. If an entry names no request, a row must
 * allow the message itself.
 */
static const struct {
	uint32_t code;
	uint32_t asked_by[MAX_REQUESTS];
} comes[] = {
	{ BACNET_UNCONFIRMED(0), { BACNET_UNCONFIRMED(8) } },
	{ BACNET_UNCONFIRMED(1), { BACNET_UNCONFIRMED(7) } },
	{ BACNET_UNCONFIRMED(2), { BACNET_SUBSCRIBE_COV, BACNET_SUBSCRIBE_COV_PROPERTY } },
	{ BACNET_CONFIRMED_COV, { BACNET_SUBSCRIBE_COV, BACNET_SUBSCRIBE_COV_PROPERTY } },
	{ BACNET_UNCONFIRMED(11), { BACNET_SUBSCRIBE_COV_MULTIPLE } },
	{ BACNET_CONFIRMED_COV_MULTIPLE, { BACNET_SUBSCRIBE_COV_MULTIPLE } },
	{ BACNET_NETWORK(1), { BACNET_NETWORK(0) } },
	{ BACNET_NETWORK(7), { BACNET_NETWORK(6) } },
	{ BACNET_NETWORK(0x13), { BACNET_NETWORK(0x12) } },
	{ BACNET_NETWORK(3), { 0 } },
	{ BACNET_UNCONFIRMED(3), { 0 } },
	{ BACNET_CONFIRMED_EVENT, { 0 } },
	{ BACNET_UNCONFIRMED(4), { 0 } },
	{ BACNET_UNCONFIRMED(12), { 0 } },
	{ 32, { 0 } },
};

#define COMES (sizeof(comes) / sizeof(comes[0]))

_Static_assert(COMES <= 32, "a bit each");

static enum frame_result bacnet_find_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	return bacnet_frame(head, ret_len);
}

static enum utterance bacnet_says(struct bytes datagram)
{
	struct bacnet_unit u;

	if (!bacnet_unwrap(datagram, &u))
		return UTTERS_NOTHING;
	if (!u.carries)
		return u.function == BACNET_RESULT || u.function == 3 || u.function == 7 ? UTTERS_ANSWER
											 : UTTERS_REQUEST;
	return u.message || u.type <= BACNET_UNCONFIRMED_REQUEST ? UTTERS_REQUEST : UTTERS_ANSWER;
}

/* ---- requests -------------------------------------------------------------------------------- */

static uint64_t due_of(const struct bacnet_unit *u)
{
	if (!u->carries)
		return u->function == 2 || u->function == 6 ? DUE_TABLE
		       : u->function == BACNET_SECURE	    ? DUE_NOTHING
							    : DUE_RESULT;
	return !u->message && u->type == BACNET_CONFIRMED_REQUEST &&
			       (u->route & ((1u << BACNET_STATION_BITS) - 1u)) != BACNET_STATION_ALL &&
			       u->function != BACNET_BROADCAST && u->function != BACNET_DISTRIBUTE
		       ? DUE_APDU
		       : DUE_NOTHING;
}

static void bacnet_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	uint32_t object, property;
	struct bacnet_unit u;

	ret->asks = dir == DIR_C2S;
	if (!ret->asks)
		return;
	if (!bacnet_unwrap(pdu, &u)) { /* malformed: only the link's function is known */
		u.carries = false;
		ret->operations[0] = bacnet_operation(&u, BACNET_LINK(u.function));
		ret->n = 1;
		ret->wrong = R_BACNET_FRAME;
		ret->kept[KEPT_DUE] = DUE_NOTHING;
		return;
	}
	bacnet_request_parse(&u, ret);
	ret->kept[KEPT_DUE] = due_of(&u);
	ret->kept[KEPT_INVOKE] = u.invoke;
	ret->kept[KEPT_CHOICE] = u.carries ? u.service : u.function;
	ret->kept[KEPT_SEGMENTED] = u.segmented;
	ret->kept[KEPT_ACKNOWLEDGES] = u.carries && !u.message && u.type > BACNET_UNCONFIRMED_REQUEST ? u.type : 0;
	bacnet_begins_with(u.rest, &object, &property);
	if (u.service != BACNET_READ_PROPERTY)
		property = ANY;
	ret->kept[KEPT_OBJECT] = u.service == BACNET_READ_PROPERTY || u.service == BACNET_READ_MULTIPLE ? object : ANY;
	ret->kept[KEPT_PROPERTY] = property;
}

/* Whether the client may send this answer. It must fit a request of the server or segments of the
 * server's answer, and go only to the station that sent this request or these segments. */
static bool is_told(struct bacnet_state *s, const struct parsed *p)
{
	uint8_t type = (uint8_t)p->kept[KEPT_ACKNOWLEDGES], invoke = (uint8_t)p->kept[KEPT_INVOKE];
	uint32_t route = p->operations[0].targets[BACNET_ROUTE], way = p->operations[0].targets[BACNET_WAY];

	/* no request of a server is answered with data */
	if (type == BACNET_COMPLEX_ACK)
		return false;
	if (way != BACNET_UNICAST && way != BACNET_RELAYED + BACNET_UNICAST)
		return false;
	if (s->met && route == 0)
		return true;
	for (uint32_t i = 0; i < s->wait.n && (type == BACNET_SEGMENT_ACK || type == BACNET_ABORT); i++)
		if (s->open[i].invoke == invoke && s->open[i].route == route)
			return true;
	for (unsigned i = 0; i < BACNET_TOLD_MAX; i++) {
		const struct bacnet_told *t = &s->told[i];

		if (t->is && t->invoke == invoke && t->route == route && type != BACNET_SEGMENT_ACK &&
		    (type == BACNET_REJECT || type == BACNET_ABORT || t->choice == p->kept[KEPT_CHOICE]))
			return true;
	}
	return false;
}

/* Notes what the server may send by itself from now on, because this request asks for it. */
static void expect(struct bacnet_state *s, const struct operation *o)
{
	for (unsigned i = 0; i < COMES; i++)
		for (unsigned k = 0; k < MAX_REQUESTS; k++)
			if (comes[i].asked_by[k] != 0 && comes[i].asked_by[k] == o->service)
				s->asked |= 1u << i;
}

static uint8_t link_due(const struct parsed *p)
{
	if (p->kept[KEPT_DUE] == DUE_APDU)
		return 0;
	return p->kept[KEPT_DUE] == DUE_TABLE ? (uint8_t)(p->kept[KEPT_CHOICE] + 1u) : (uint8_t)p->kept[KEPT_CHOICE];
}

static void bacnet_asked(void *state, const struct parsed *p, const struct ruling *ruling, struct pdu *ret)
{
	struct bacnet_state *s = state;
	const struct operation *o = p->operations;

	if (p->n == 0)
		return;
	if (p->kept[KEPT_ACKNOWLEDGES] != 0) {
		if (ret->reason == R_ALLOWED && !is_told(s, p))
			ret->reason = R_BACNET_RESPONSE;
		return;
	}
	/* The contents of segments are not read. So a request in segments passes only if the grant
	 * allows the whole protocol. */
	if (p->kept[KEPT_SEGMENTED] != 0 && ret->reason == R_ALLOWED &&
	    !(ruling->grant != NULL && ruling->grant->whole))
		ret->reason = R_BACNET_SEGMENT;
	if (ret->reason == R_ALLOWED)
		expect(s, o);
	if (p->kept[KEPT_DUE] == DUE_NOTHING)
		return;
	/* A repeated request is remembered only once, and so are the segments of one request,
	 * because only one answer is due. */
	for (uint32_t i = 0; i < s->wait.n; i++) {
		struct bacnet_open *w = &s->open[i];

		if (w->wait.reason == (uint8_t)ret->reason && w->invoke == p->kept[KEPT_INVOKE] &&
		    w->service == ret->function && w->route == o->targets[BACNET_ROUTE] &&
		    w->object == (uint32_t)p->kept[KEPT_OBJECT] && w->property == (uint32_t)p->kept[KEPT_PROPERTY] &&
		    w->link == link_due(p) && !w->began) {
			w->wait.choice = ruling->choice;
			return;
		}
	}
	if (!pending_room(&bacnet_enforcer, s, ret))
		return;
	s->open[s->wait.n++] = (struct bacnet_open){
		.wait = { ruling->choice, (uint8_t)ret->reason, 0 },
		.invoke = (uint8_t)p->kept[KEPT_INVOKE],
		.service = ret->function,
		.choice = (uint8_t)p->kept[KEPT_CHOICE],
		.link = link_due(p),
		.route = o->targets[BACNET_ROUTE],
		.object = (uint32_t)p->kept[KEPT_OBJECT],
		.property = (uint32_t)p->kept[KEPT_PROPERTY],
	};
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Whether an acknowledgement is of the kind (simple or complex) that the service has. Any other
 * answer, for example an error, fits every service. */
static bool is_due(const struct bacnet_open *o, const struct bacnet_unit *u)
{
	enum bacnet_answer due = bacnet_answer_of(o->choice);

	if (u->type == BACNET_SIMPLE_ACK)
		return due != BACNET_ANSWER_COMPLEX;
	return u->type != BACNET_COMPLEX_ACK || due != BACNET_ANSWER_SIMPLE;
}

/* Whether an acknowledgement begins with the object and the property that were asked for. Segments
 * after the first do not have them. */
static bool begins_right(const struct bacnet_open *o, const struct bacnet_unit *u)
{
	uint32_t object, property;

	if (u->type != BACNET_COMPLEX_ACK || (u->segmented && u->sequence > 0) || o->object == ANY)
		return true;
	bacnet_begins_with(u->rest, &object, &property);
	return (object == o->object || (o->object == ANY_DEVICE && object >> BACNET_INSTANCE_BITS == DEVICE_TYPE)) &&
	       (o->property == ANY || property == o->property);
}

static bool open_fits(const struct bacnet_open *o, const struct bacnet_unit *u)
{
	if (!u->carries)
		return o->link != 0 && (u->function == BACNET_RESULT ? true : u->function == o->link);
	if (o->link != 0 || o->invoke != u->invoke || o->route != u->source)
		return false;
	if (u->type >= BACNET_REJECT || u->type == BACNET_SEGMENT_ACK)
		return true;
	/* a later segment fits only if the first one has come */
	return o->choice == u->service && is_due(o, u) && begins_right(o, u) &&
	       (!u->segmented || u->sequence == 0 || o->began);
}

static void answer_open(struct bacnet_state *s, uint32_t i, const struct bacnet_unit *u, const struct allowance *by,
			struct pdu *ret)
{
	struct bacnet_open *o = &s->open[i];

	ret->function = o->service;
	judge_answer(by, &o->wait, ret);
	if (o->object != ANY) {
		ret->space = BACNET_OBJECTS;
		ret->address = o->object;
		ret->quantity = 1;
	}
	pending_overtake(s->open, sizeof(s->open[0]), i);
	o->began = true;
	/* Segments may come again. So the request is still remembered, but after its last segment
	 * it is the first to be dropped. */
	if (u->type != BACNET_SEGMENT_ACK && !u->segmented)
		pending_answered(&s->wait, s->open, sizeof(s->open[0]), i);
	else
		o->wait.expendable = !u->more;
}

static void answered_request(struct bacnet_state *s, const struct bacnet_unit *u, const struct allowance *by,
			     struct pdu *ret)
{
	ret->reason = R_BACNET_RESPONSE;
	for (uint32_t i = s->wait.n; i > 0; i--)
		if (open_fits(&s->open[i - 1u], u)) {
			answer_open(s, i - 1u, u, by, ret);
			return;
		}
	pending_answered_unseen(&s->wait, R_BACNET_UNSEEN, R_BACNET_UNREAD, ret);
}

static bool may_come(const struct bacnet_unit *u, uint32_t code, const struct allowance *by, struct pdu *ret)
{
	struct operation o = bacnet_operation(u, code);
	struct ruling ruling;

	/* rows need not name the route or way of what the server sends */
	o.broadcast = 0;
	o.idle = (1u << TARGET_MAX) - 1u;
	evaluate(by, &o, 1, &ruling);
	ret->reason = ruling.reason;
	pdu_name_ruling(ret, &ruling);
	return ruling.reason == R_ALLOWED;
}

/* Judges a message that the server sends by itself, by its entry in `comes`. If the entry names
 * requests, the client must have sent one of them, and a row must still allow that request.
 * Otherwise a row must allow the message itself. */
static void came(struct bacnet_state *s, const struct bacnet_unit *u, const struct allowance *by, struct pdu *ret)
{
	uint32_t code = bacnet_code(u);

	ret->reason = R_BACNET_DIRECTION;
	for (unsigned i = 0; i < COMES && !ret->allowed; i++) {
		if (comes[i].code != code)
			continue;
		if (comes[i].asked_by[0] == 0) {
			ret->allowed = may_come(u, code, by, ret);
			continue;
		}
		ret->reason = R_BACNET_RESPONSE;
		for (unsigned k = 0; k < MAX_REQUESTS && !ret->allowed; k++)
			ret->allowed = comes[i].asked_by[k] != 0 && (s->met || (s->asked >> i & 1u) != 0) &&
				       may_come(u, comes[i].asked_by[k], by, ret);
	}
	if (!ret->allowed || u->message || u->type != BACNET_CONFIRMED_REQUEST)
		return;
	s->told[s->next_told] = (struct bacnet_told){ true, u->invoke, u->service, u->source };
	s->next_told = (uint8_t)((s->next_told + 1u) % BACNET_TOLD_MAX);
}

/* Whether the tagged data of an answer are whole, if it has any. A segment has only a part of them,
 * and is not checked. */
static bool is_whole(const struct bacnet_unit *u)
{
	uint32_t code = u->type == BACNET_UNCONFIRMED_REQUEST ? BACNET_UNCONFIRMED(u->service) : u->service;

	return !u->carries || u->message || u->segmented || bacnet_is_whole(code, u->rest);
}

static void bacnet_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	struct bacnet_state *s = state;
	struct bacnet_unit u;

	ret->reason = R_BACNET_FRAME;
	pdu_name_choice(by, 0, ret);
	if (!bacnet_unwrap(pdu, &u))
		return;
	ret->targets[BACNET_ROUTE] = u.source;
	ret->targets[BACNET_WAY] = u.carries ? u.function + (u.relayed ? BACNET_RELAYED : 0) : BACNET_UNICAST;
	ret->targets[BACNET_PROPERTY] = BACNET_PROPERTY_NONE;
	ret->targets[BACNET_PRIORITY] = BACNET_PRIORITY_NONE;
	ret->function = bacnet_code(&u);
	if (!is_whole(&u))
		return;
	if (!u.carries) {
		ret->exception = u.function == BACNET_RESULT && (u.rest.left < 2 || (u.rest.p[0] | u.rest.p[1]) != 0);
		ret->reason = R_BACNET_DIRECTION;
		if (u.function == BACNET_RESULT || u.function == 3 || u.function == 7)
			answered_request(s, &u, by, ret);
		return;
	}
	/* a request of the server in segments cannot be judged; it is refused below */
	if (u.message || (u.type <= BACNET_UNCONFIRMED_REQUEST && !u.segmented)) {
		came(s, &u, by, ret);
		return;
	}
	ret->exception = u.type >= BACNET_ERROR;
	ret->reason = R_BACNET_DIRECTION;
	if (u.type != BACNET_CONFIRMED_REQUEST)
		answered_request(s, &u, by, ret);
}

/* ---- lasting subscriptions ------------------------------------------------------------------- */

/*
 * A subscription is known by the process that subscribed (its number), the object and the station.
 * SubscribeCOVPropertyMultiple has one for all its objects. A request with neither `issue confirmed
 * notifications` nor a lifetime ends it (clause 13.14); SubscribeCOVProperty does so for its
 * property.
 */
static void read_lasting(enum direction dir, struct bytes pdu, struct lasting *ret)
{
	struct bacnet_unit u;
	struct bacnet_subscription s;
	uint32_t code;

	if (!bacnet_unwrap(pdu, &u) || !u.carries || u.message || u.segmented)
		return;
	code = bacnet_code(&u);
	if (!bacnet_subscription_read(code, u.rest, &s) || s.tells != (dir == DIR_S2C))
		return;
	ret->kind = s.tells ? LASTING_TELLS : s.ends ? LASTING_ENDS : LASTING_BEGINS;
	ret->key[0] = s.process;
	ret->key[1] = s.object;
	ret->key[2] = s.tells ? u.source : u.route;
	ret->parts = s.property == ANY ? 1u : 2u << s.property % 31u;
	ret->seconds = s.lifetime;
}

/* The message may have been asked for in a flow that is forgotten, and a subscription of this flow
 * may have ended. */
static void bacnet_recall(void *state, struct bytes pdu, bool known)
{
	struct bacnet_state *s = state;
	struct bacnet_unit u;

	if (!bacnet_unwrap(pdu, &u))
		return;
	for (unsigned i = 0; i < COMES; i++)
		if (comes[i].code == bacnet_code(&u))
			s->asked = known ? s->asked | 1u << i : s->asked & ~(1u << i);
}

static void bacnet_missed(void *state)
{
	struct bacnet_state *s = state;

	s->met = true;
}

static bool bacnet_likely(const void *state, enum direction dir, struct bytes pdu)
{
	struct bacnet_unit u;

	return bacnet_unwrap(pdu, &u) && function_by_code(vocabulary_of(PROTO_BACNET), bacnet_code(&u)) != NULL;
}

const struct enforcer bacnet_enforcer = {
	.protocol = PROTO_BACNET,
	.pdu_max = BACNET_PDU_MAX,
	.state_size = sizeof(struct bacnet_state),
	.open = PENDING_IN(struct bacnet_state, BACNET_OPEN_MAX),
	.datagrams = 1,
	.says = bacnet_says,
	.frame = bacnet_find_frame,
	.malformed = R_BACNET_FRAME,
	.pending = R_BACNET_PENDING,
	.parse = bacnet_parse,
	.asked = bacnet_asked,
	.answered = bacnet_answered,
	.missed = bacnet_missed,
	.likely = bacnet_likely,
};

const struct lasting_reader bacnet_lasting = { .read = read_lasting, .recall = bacnet_recall };
