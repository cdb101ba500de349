/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/enip/enip.h"

#include <stddef.h>
#include <string.h>

#include "dpi/enip/words.h"

_Static_assert(sizeof(struct enip_state) <= ENFORCER_STATE_MAX, "EtherNet/IP state must fit into a flow");
_Static_assert(TAG_MAX + 1u == SPELLED_MAX, "there must be room for every name");
_Static_assert(sizeof(struct enip_asked) <= sizeof(((struct parsed *)0)->kept), "a request must fit into what is kept");

/* Adds the operation of an encapsulation command. */
static void plain_command(struct parsed *ret, uint16_t command, bool part_of_any_use)
{
	struct operation *o = cip_plain_operation(ret, ENIP_COMMAND(command), (struct cip_way){ 0 });

	o->setup = part_of_any_use;
	o->idle = 1;
	ret->wrong = R_ALLOWED;
}

static bool is_version_1(struct bytes data)
{
	uint16_t version, flags;

	bytes_le16(&data, &version);
	bytes_le16(&data, &flags);
	return bytes_done(&data) && version == 1 && flags == 0;
}

/*
 * Judges a Forward Close. If this flow opened the connection, closing it is part of every session,
 * whatever objects a row has. Otherwise the connection may be another originator's, or its opening
 * was not seen, so the rows decide.
 */
static void judge_closing(const struct enip_state *s, const struct cip_asked *cip, struct parsed *ret)
{
	if (cip->kind != CIP_CLOSES || ret->wrong != R_ALLOWED)
		return;
	ret->operations[0].unbegun =
		enip_connection_of(s, &cip->opening.opener) == NULL && !enip_has_io(s, &cip->opening.opener);
	if (ret->operations[0].unbegun)
		return;
	ret->operations[0].setup = true;
	ret->operations[0].space = SPACE_NONE;
}

/* Keeps the request for an I/O connection until the answer gives the ids of its datagrams. */
static void ask_for_io(const struct cip_asked *cip, struct parsed *ret)
{
	if (cip->kind != CIP_OPENS || cip->opening.transport != TRANSPORT_IO || ret->wrong != R_ALLOWED)
		return;
	if (ret->n > GROUP_MAX) /* the datagrams could not be judged by all its operations */
		ret->wrong = R_ENIP_MANY;
	else if (cip->opening.sends[DIR_C2S] || cip->opening.sends[DIR_S2C])
		ret->bond = (struct bond){ .kind = BOND_ASKS, .key = enip_opener_key(&cip->opening.opener) };
}

static void parse_unconnected(const struct enip_state *s, struct bytes data, struct enip_asked *asked,
			      struct parsed *ret)
{
	struct encap_items items;

	if (!encap_unconnected(data, &items)) {
		plain_command(ret, ENCAP_REQUEST, false);
		ret->wrong = R_ENIP_FRAME;
		return;
	}
	cip_parse(items.message, (struct cip_way){ 0 }, ret, &asked->cip);
	if (items.elsewhere)
		ret->wrong = R_ENIP_FRAME;
	judge_closing(s, &asked->cip, ret);
	ask_for_io(&asked->cip, ret);
}

/* The target of a connection whose opening was not seen is not known. */
static void parse_connected(const struct enip_state *s, struct bytes data, struct enip_asked *asked, struct parsed *ret)
{
	const struct enip_connection *c;
	struct cip_way way = { .route = ENIP_ROUTE_UNKNOWN };
	struct encap_items items;

	plain_command(ret, ENCAP_UNIT, false);
	ret->wrong = R_ENIP_FRAME;
	if (!encap_connected(data, &items))
		return;
	asked->connection = items.connection;
	asked->sequence = items.sequence;
	c = enip_connection_out(s, items.connection);
	if (c == NULL && !s->missed) {
		ret->wrong = R_ENIP_CONNECTION;
		return;
	}
	ret->n = 0;
	if (c != NULL)
		way = (struct cip_way){ .route = c->route, .far = c->far };
	if (c == NULL || c->transport == TRANSPORT_REQUESTS) {
		cip_parse(items.message, way, ret, &asked->cip);
		judge_closing(s, &asked->cip, ret);
		ask_for_io(&asked->cip, ret);
		return;
	}
	cip_plain_operation(ret, ENIP_CONNECTED_DATA, way)->place_unknown = true;
	ret->operations[0].values.form = VALUES_UNKNOWN;
	ret->wrong = R_ALLOWED;
}

static bool is_list(uint16_t command)
{
	return command == ENCAP_LIST_SERVICES || command == ENCAP_LIST_IDENTITY || command == ENCAP_LIST_INTERFACES;
}

static bool needs_session(uint16_t command)
{
	return command == ENCAP_REQUEST || command == ENCAP_UNIT || command == ENCAP_UNREGISTER;
}

static bool has_session(const struct enip_state *s, uint32_t handle)
{
	return s->session == SESSION_UNSEEN || (s->session == SESSION_OPEN && handle == s->handle);
}

static void enip_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	const struct enip_state *s = state;
	struct enip_asked asked = { 0 };
	struct encap_items items;
	struct encap e;
	bool fits;

	if (s->datagrams && encap_io(pdu, &items)) { /* either end's */
		cip_plain_operation(ret, ENIP_CONNECTED_DATA, (struct cip_way){ 0 });
		ret->bond = (struct bond){ .kind = BOND_USES,
					   .id = { items.connection },
					   .bytes = { (uint32_t)items.message.left } };
		return;
	}
	ret->asks = dir == DIR_C2S;
	if (!ret->asks)
		return;
	fits = encap_read(pdu, &e) && e.options == 0 && e.status == 0;
	asked.command = e.command;
	asked.context = e.context;
	switch (e.command) {
	/* the data have no meaning and there is no answer; without a session, one NOP is enough */
	case ENCAP_NOP:
		plain_command(ret, e.command, true);
		if (s->session == SESSION_NONE && s->idled)
			ret->wrong = R_ENIP_SESSION;
		break;
	case ENCAP_REGISTER:
		plain_command(ret, e.command, true);
		fits = fits && is_version_1(e.data) && e.handle == 0;
		if (s->session == SESSION_OPEN || s->session == SESSION_ASKED)
			ret->wrong = R_ENIP_SESSION;
		break;
	case ENCAP_UNREGISTER:
		plain_command(ret, e.command, true);
		fits = fits && e.length == 0;
		break;
	case ENCAP_REQUEST:
		parse_unconnected(s, e.data, &asked, ret);
		break;
	case ENCAP_UNIT:
		parse_connected(s, e.data, &asked, ret);
		break;
	case ENCAP_LIST_ADDRESS:
	case ENCAP_LIST_SERVICES:
	case ENCAP_LIST_IDENTITY:
	case ENCAP_LIST_INTERFACES:
		plain_command(ret, e.command, false);
		fits = fits && e.length == 0;
		break;
	default:
		plain_command(ret, e.command, false);
		break;
	}
	if (ret->wrong == R_ALLOWED && needs_session(e.command) && !has_session(s, e.handle))
		ret->wrong = R_ENIP_SESSION;
	if (s->datagrams && !is_list(e.command))
		ret->wrong = R_ENIP_SESSION;
	if (!fits)
		ret->wrong = R_ENIP_FRAME;
	memcpy(ret->kept, &asked, sizeof(asked));
}

/* The number of open connections, including those whose request is not answered yet. */
static uint32_t connections(const struct enip_state *s)
{
	uint32_t n = s->n_connections;

	for (uint32_t i = 0; i < s->wait.n; i++)
		n += s->open[i].what.cip.kind == CIP_OPENS && s->open[i].wait.reason == R_ALLOWED &&
		     s->open[i].what.cip.opening.transport != TRANSPORT_IO;
	return n;
}

static bool is_answered(uint16_t command)
{
	return command != ENCAP_NOP && command != ENCAP_UNREGISTER && command != ENCAP_INDICATE_STATUS &&
	       command != ENCAP_CANCEL;
}

/* Keeps the numbers of elements of a Multiple Service Packet's parts, as far as there is room. */
static void keep_parts(struct enip_state *s, const struct parsed *p, struct enip_open *o)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->wait.n; i++) {
		struct enip_open *kept = &s->open[i];

		memmove(&s->parts[n], &s->parts[kept->parts_at], kept->n_parts * sizeof(s->parts[0]));
		kept->parts_at = (uint8_t)n;
		n += kept->n_parts;
	}
	o->parts_at = (uint8_t)n;
	o->n_parts = o->what.cip.parts;
	if (o->n_parts > ENIP_PARTS_KEPT - n)
		o->n_parts = (uint8_t)(ENIP_PARTS_KEPT - n);
	memcpy(&s->parts[n], p->joined, o->n_parts * sizeof(s->parts[0]));
	s->n_parts = n + o->n_parts;
}

static void enip_note_asked(void *state, const struct parsed *p, const struct ruling *ruling, struct pdu *ret)
{
	struct enip_state *s = state;
	struct enip_asked what;
	struct enip_open open;

	memcpy(&what, p->kept, sizeof(what));
	pending_seen(&enip_enforcer, s);
	s->idled = s->idled || what.command == ENCAP_NOP;
	if (what.command == ENCAP_UNREGISTER && ret->reason == R_ALLOWED) {
		s->session = SESSION_NONE;
		s->n_connections = s->n_io = 0;
	}
	if (!is_answered(what.command))
		return;
	if (!pending_room(&enip_enforcer, s, ret))
		return;
	if (ret->reason == R_ALLOWED && what.cip.kind == CIP_OPENS && what.cip.opening.transport != TRANSPORT_IO &&
	    connections(s) >= ENIP_CONNECTIONS_MAX)
		ret->reason = R_ENIP_CONNECTIONS;
	if (what.command == ENCAP_REGISTER && ret->reason == R_ALLOWED)
		s->session = SESSION_ASKED;
	open = (struct enip_open){
		.wait = { ruling->choice, (uint8_t)ret->reason, 0 },
		.what = what,
		.address = ret->address,
		.quantity = ret->quantity,
		.route = ret->targets[0],
		.service = ret->function,
		.space = ret->space,
	};
	if (p->wrong == R_ALLOWED) /* otherwise not all parts were read */
		keep_parts(s, p, &open);
	s->open[s->wait.n++] = open;
}

static bool framed_else(void *state, bool begins, struct bytes fresh, const struct allowance *by, struct pdu *ret)
{
	((struct enip_state *)state)->lenient = (uint8_t)judge_leniency(by);
	return true;
}

static void enip_missed(void *state)
{
	struct enip_state *s = state;

	s->missed = s->cut = true;
	if (s->session != SESSION_OPEN)
		s->session = SESSION_UNSEEN;
}

static bool enip_likely(const void *state, enum direction dir, struct bytes pdu)
{
	struct encap_items items;
	struct encap e;

	if (!encap_read(pdu, &e) || e.options != 0 || (dir == DIR_C2S && e.status != 0))
		return false;
	if (e.command == ENCAP_REQUEST && e.status == 0)
		return encap_unconnected(e.data, &items);
	if (e.command == ENCAP_UNIT && e.status == 0)
		return encap_connected(e.data, &items);
	return e.length <= 512;
}

static void enip_begin(void *state, bool datagrams, uint16_t port)
{
	struct enip_state *s = state;

	s->datagrams = datagrams;
}

static size_t state_used(const void *state)
{
	const struct enip_state *s = state;

	if (s->n_parts > 0)
		return offsetof(struct enip_state, parts) + s->n_parts * sizeof(s->parts[0]);
	return offsetof(struct enip_state, open) + s->wait.n * sizeof(s->open[0]);
}

const struct enforcer enip_enforcer = {
	.protocol = PROTO_ENIP,
	.pdu_max = ENIP_PDU_MAX,
	.state_size = sizeof(struct enip_state),
	.open = PENDING_IN(struct enip_state, ENIP_OPEN_MAX),
	.datagrams = 1,
	.begin = enip_begin,
	.state_used = state_used,
	.frame = enip_frame,
	.malformed = R_ENIP_FRAME,
	.pending = R_ENIP_PENDING,
	.parse = enip_parse,
	.asked = enip_note_asked,
	.answered = enip_answered,
	.framed_else = framed_else,
	.segment = enip_segment,
	.repeat = enip_repeat,
	.missed = enip_missed,
	.likely = enip_likely,
	.spell = enip_path_spell,
	.once = enip_once,
	.keep = enip_keep,
	.again = enip_again,
};
