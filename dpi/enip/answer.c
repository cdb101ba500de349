/* SPDX-License-Identifier: Apache-2.0 */
/* Answers. Each must fit a waiting request, and may change the state of session and connections. */
#include "dpi/enip/enip.h"

#include <string.h>

#include "dpi/enip/words.h"

#define IO_SILENT_MIN_MS 10000u

#define STATUS_PARTIAL 0x06u
#define TYPE_BOOL 0xc1u
#define SERVICE_READ 0x4cu	    /* Read Tag */
#define SERVICE_READ_PIECE 0x52u    /* Read Tag Fragmented */
#define ERROR_MAX 32u		    /* largest number of bytes that an error has after its code */
#define STATUS_SERVICE_ERRORS 0x1eu /* some part of a Multiple Service Packet failed */

const struct enip_connection *enip_connection_out(const struct enip_state *s, uint32_t number)
{
	for (uint32_t i = 0; i < s->n_connections; i++)
		if (s->connections[i].out == number)
			return &s->connections[i];
	return NULL;
}

static bool enip_same_opener(const struct enip_opener *a, const struct enip_opener *b)
{
	return a->serial == b->serial && a->connection == b->connection && a->vendor == b->vendor;
}

uint64_t enip_opener_key(const struct enip_opener *o)
{
	return (uint64_t)o->serial << 32 | (uint64_t)o->vendor << 16 | o->connection;
}

const struct enip_connection *enip_connection_of(const struct enip_state *s, const struct enip_opener *opener)
{
	for (uint32_t i = 0; i < s->n_connections; i++)
		if (enip_same_opener(&s->connections[i].opener, opener))
			return &s->connections[i];
	return NULL;
}

bool enip_has_io(const struct enip_state *s, const struct enip_opener *opener)
{
	for (uint32_t i = 0; i < s->n_io; i++)
		if (enip_same_opener(&s->io[i], opener))
			return true;
	return false;
}

/* A reply: service with the bit of an answer, 0, status, additional status in words, data. */
struct reply {
	uint8_t service, status;
	struct bytes data;
};

static bool read_reply(struct bytes b, struct reply *ret)
{
	uint8_t zero, words;

	bytes_u8(&b, &ret->service);
	bytes_u8(&b, &zero);
	bytes_u8(&b, &ret->status);
	bytes_u8(&b, &words);
	if (!bytes_skip(&b, 2u * (size_t)words) || (ret->service & CIP_REPLY) == 0 || zero != 0)
		return false;
	ret->service = (uint8_t)(ret->service & ~CIP_REPLY);
	ret->data = b;
	return true;
}

/* What the target says about a connection that it has opened, by enum direction. */
struct opened {
	uint32_t id[2];
	uint32_t interval[2]; /* microseconds */
};

static bool opening_fits(struct bytes data, const struct enip_opening *asked, struct opened *ret)
{
	struct enip_opener opener;
	uint8_t words, zero;

	bytes_le32(&data, &ret->id[DIR_C2S]);
	bytes_le32(&data, &ret->id[DIR_S2C]);
	bytes_le16(&data, &opener.connection);
	bytes_le16(&data, &opener.vendor);
	bytes_le32(&data, &opener.serial);
	bytes_le32(&data, &ret->interval[DIR_C2S]);
	bytes_le32(&data, &ret->interval[DIR_S2C]);
	bytes_u8(&data, &words);
	bytes_u8(&data, &zero);
	bytes_skip(&data, 2u * (size_t)words);
	return bytes_done(&data) && enip_same_opener(&opener, &asked->opener) &&
	       (ret->id[DIR_S2C] == asked->id || asked->transport == TRANSPORT_IO);
}

/*
 * Whether the data of a tag fit: a type, then values. For an elementary type there are as many
 * values as the request asked for, or fewer if the answer says that more follow, or if the request
 * was for a fragment. The length of structures is not known here. Omron's controllers use a word
 * for a BOOL, one bit for each BOOL of an array, and pad an odd number of bytes.
 */
static bool values_fit(uint16_t elements, const struct reply *r)
{
	struct bytes data = r->data;
	uint16_t type;
	uint32_t size, all;
	bool number, piece = r->service == SERVICE_READ_PIECE || r->status == STATUS_PARTIAL;

	if (!bytes_le16(&data, &type) || (size = cip_size_of_type(type, &number)) == 0)
		return true;
	all = size * elements;
	if (type == TYPE_BOOL && (data.left == 2u * all || data.left == (elements + 15u) / 16u * 2u))
		return true;
	if (data.left == all + 1u && (all & 1u) != 0)
		return true;
	return piece ? data.left <= all : data.left == all;
}

/* Whether the answer to a part of a Multiple Service Packet fits, if the part's number of elements
 * is known. */
static bool part_fits(uint16_t elements, const struct reply *r)
{
	if (r->status == 0 && elements == CIP_EMPTY)
		return r->data.left == 0;
	if (elements > 0 && elements != CIP_EMPTY && (r->status == 0 || r->status == STATUS_PARTIAL))
		return values_fit(elements, r);
	return r->status == 0 || r->status == STATUS_PARTIAL || r->data.left <= ERROR_MAX;
}

/* The same for a part whose number of elements was not kept. It may have as many elements as the
 * largest part. */
static bool any_part_fits(uint16_t most, const struct reply *r)
{
	struct reply piece = *r;

	if (most == 0 || (r->service != SERVICE_READ && r->service != SERVICE_READ_PIECE))
		return part_fits(0, r);
	piece.service = SERVICE_READ_PIECE;
	return part_fits(most, &piece);
}

/* Whether there is an answer for each part, in the order of the parts. */
static bool several_fit(const struct enip_state *s, struct bytes data, const struct enip_open *o)
{
	const struct cip_asked *asked = &o->what.cip;
	struct bytes offsets = data, rest = data, part;
	uint16_t n, at, next;
	uint32_t digest = 0;
	struct reply r;

	if (!bytes_le16(&offsets, &n) || n != asked->parts || !bytes_skip(&rest, 2u + 2u * (size_t)n) ||
	    !bytes_le16(&offsets, &at) || at != 2u + 2u * n)
		return false;
	for (uint32_t i = 0; i < n; i++, at = next) {
		next = (uint16_t)data.left;
		if (i + 1u < n)
			bytes_le16(&offsets, &next);
		if (next <= at || data.left > UINT16_MAX || !bytes_take(&rest, (size_t)(next - at), &part) ||
		    !read_reply(part, &r))
			return false;
		if (!(i < o->n_parts ? part_fits(s->parts[o->parts_at + i], &r) : any_part_fits(asked->elements, &r)))
			return false;
		digest = cip_digest(digest, r.service);
	}
	return bytes_done(&rest) && digest == asked->digest;
}

/* Whether a reply fits. For a malformed request, the form of the answer is not known. */
static bool reply_fits(const struct enip_state *s, const struct enip_open *o, struct bytes message, struct reply *ret)
{
	const struct cip_asked *asked = &o->what.cip;
	struct opened opened;

	if (!read_reply(message, ret))
		return false;
	if (o->wait.reason == R_ENIP_FRAME || o->wait.reason == R_ENIP_CONNECTION)
		return true;
	if (asked->sent_on && ret->service == SERVICE_UNCONNECTED_SEND && ret->status != 0)
		/* an error of the router: its data are the size of the rest of the route */
		return ret->data.left <= 2;
	if (ret->service != asked->service)
		return false;
	if (asked->parts > 0 && (ret->status == 0 || ret->status == STATUS_SERVICE_ERRORS))
		return several_fit(s, ret->data, o);
	if (ret->status == 0 && asked->empty)
		return ret->data.left == 0;
	if (ret->status == 0 && asked->kind == CIP_OPENS)
		return opening_fits(ret->data, &asked->opening, &opened);
	return part_fits(asked->parts > 0 ? 0 : asked->elements, ret);
}

/* Whether an answer may come over this connection. It must be the connection of the request. If the
 * opening of that connection was not seen, any connection is accepted. */
static bool is_way_back(const struct enip_state *s, const struct enip_open *o, const struct encap_items *items)
{
	const struct enip_connection *c = enip_connection_out(s, o->what.connection);

	return items->sequence == o->what.sequence && (c == NULL ? s->missed : c->in == items->connection);
}

static bool is_answer(const struct enip_state *s, const struct enip_open *o, const struct encap *e,
		      const struct encap_items *items, struct reply *r)
{
	if (o->what.command != e->command)
		return false;
	if (e->command == ENCAP_UNIT)
		return e->status == 0 && is_way_back(s, o, items) && reply_fits(s, o, items->message, r);
	if (o->what.context != e->context)
		return false;
	if (e->status != 0)
		return e->length == 0 || e->length == 4;
	switch (e->command) {
	case ENCAP_REQUEST:
		return reply_fits(s, o, items->message, r);
	case ENCAP_REGISTER:
		return e->length == 4 && e->handle != 0;
	default:
		return encap_is_list(e->data);
	}
}

static void remove_connection(struct enip_state *s, const struct enip_opener *opener)
{
	const struct enip_connection *c = enip_connection_of(s, opener);
	size_t i;

	for (uint32_t k = 0; k < s->n_io; k++)
		if (enip_same_opener(&s->io[k], opener))
			s->io[k--] = s->io[--s->n_io];
	if (c == NULL)
		return;
	i = (size_t)(c - s->connections);
	memmove(&s->connections[i], &s->connections[i + 1], (s->n_connections - i - 1u) * sizeof(s->connections[0]));
	s->n_connections--;
}

/*
 * Opens an I/O connection: datagrams with these ids may pass, up to the requested size. The
 * connection ends when no datagram came for its timeout, or for ten seconds if that is longer
 * (volume 1, 3-4.5.2). When a session ends, a device closes its connections for requests, but not
 * its I/O connections.
 */
static void open_io(struct enip_state *s, const struct enip_opening *a, const struct opened *is, struct bond *ret)
{
	uint64_t us = is->interval[is->interval[DIR_S2C] > is->interval[DIR_C2S]],
		 ms = (us << (2u + a->multiplier)) / 1000u;

	/* forgets the oldest one, whose Forward Close is then judged like that of an
	 * unknown connection */
	if (s->n_io == ENIP_IO_MAX)
		memmove(&s->io[0], &s->io[1], --s->n_io * sizeof(s->io[0]));
	s->io[s->n_io++] = a->opener;
	*ret = (struct bond){ .kind = BOND_OPENS,
			      .stays = true,
			      .sends = { a->sends[DIR_C2S], a->sends[DIR_S2C] },
			      .id = { is->id[DIR_C2S], is->id[DIR_S2C] },
			      .bytes = { a->bytes[DIR_C2S], a->bytes[DIR_S2C] },
			      .key = enip_opener_key(&a->opener),
			      .silent_ms = ms > IO_SILENT_MIN_MS ? ms : IO_SILENT_MIN_MS };
}

static void answer_conclude(struct enip_state *s, const struct enip_open *o, const struct encap *e,
			    const struct reply *r, struct bond *bond)
{
	const struct enip_opening *opening = &o->what.cip.opening;
	struct opened opened = { 0 };

	if (e->command == ENCAP_REGISTER && s->session == SESSION_ASKED) {
		s->session = e->status == 0 ? SESSION_OPEN : SESSION_NONE;
		s->handle = e->handle;
	}
	if (e->status != 0 || r->status != 0 || o->what.cip.kind == CIP_PLAIN || r->service != o->what.cip.service)
		return;
	if (o->what.cip.kind == CIP_OPENS && opening->transport == TRANSPORT_IO && !opening->sends[DIR_C2S] &&
	    !opening->sends[DIR_S2C])
		return; /* it only configures an open connection */
	remove_connection(s, &opening->opener);
	if (o->what.cip.kind == CIP_CLOSES)
		*bond = (struct bond){ .kind = BOND_CLOSES, .key = enip_opener_key(&opening->opener) };
	if (o->what.cip.kind != CIP_OPENS || !opening_fits(r->data, opening, &opened))
		return;
	if (opening->transport == TRANSPORT_IO)
		open_io(s, opening, &opened, bond);
	else if (s->n_connections < ENIP_CONNECTIONS_MAX)
		s->connections[s->n_connections++] = (struct enip_connection){ .out = opened.id[DIR_C2S],
									       .in = opening->id,
									       .opener = opening->opener,
									       .route = opening->route,
									       .transport = opening->transport,
									       .far = opening->far };
}

/* Whether this service may be the answer to some request that a row allows. */
static bool unseen_may(const struct allowance *by, uint8_t service, struct ruling *ruling)
{
	struct operation o = { .service = service, .targets = { ENIP_ROUTE_UNKNOWN }, .space = SPACE_NONE };

	evaluate_unseen(by, &o, ruling);
	for (unsigned i = 0; i < by->v->n_functions && ruling->reason != R_ALLOWED; i++) {
		o.service = by->v->functions[i].code;
		if ((o.service & 0xffu) == service && o.service >> 24 == 0)
			evaluate_unseen(by, &o, ruling);
	}
	return ruling->reason == R_ALLOWED;
}

/* After bytes were missed, an answer may belong to a request that was not seen. */
static void judge_unseen(struct enip_state *s, const struct encap *e, const struct encap_items *items,
			 const struct allowance *by, struct pdu *ret)
{
	struct ruling ruling;
	struct reply r;

	if (s->wait.unseen == 0 || e->status != 0 || (e->command != ENCAP_REQUEST && e->command != ENCAP_UNIT) ||
	    !read_reply(items->message, &r))
		return;
	pending_answered_unseen(&s->wait, R_ENIP_UNSEEN, R_ENIP_UNREAD, ret);
	if (!unseen_may(by, r.service == SERVICE_MULTIPLE ? 0x03 : r.service, &ruling)) {
		ret->allowed = false;
		ret->reason = R_ENIP_FUNCTION;
	}
	ret->function = r.service;
	ret->exception = r.status != 0;
	pdu_name_ruling(ret, &ruling);
}

/*
 * Whether the effect of a refused request on connections is kept. A refused request is answered
 * only if refusals do not end the flow. Its connection is then really open or closed. This is
 * remembered so that data over the connection are judged by the request that opened it, now and
 * under a later policy that enforces. The effect of an unreadable request is not known.
 */
static bool is_kept(const struct enip_open *o)
{
	return o->what.cip.kind != CIP_PLAIN && o->wait.reason != R_ENIP_FRAME;
}

void enip_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	struct enip_state *s = state;
	struct encap_items items = { 0 };
	struct bond unasked;
	struct encap e;
	bool fits;

	ret->reason = R_ENIP_RESPONSE;
	pdu_name_choice(by, 0, ret);
	fits = (encap_read(pdu, &e) || ((s->lenient & LENIENT_LISTING) && encap_says_nothing(pdu))) && e.options == 0;
	ret->function = ENIP_COMMAND(e.command);
	if (e.status == 0 && e.command == ENCAP_REQUEST)
		fits = fits && encap_unconnected(e.data, &items);
	if (e.status == 0 && e.command == ENCAP_UNIT)
		fits = fits && encap_connected(e.data, &items);
	if (fits && s->session == SESSION_OPEN && (e.command == ENCAP_REQUEST || e.command == ENCAP_UNIT))
		fits = e.handle == s->handle;
	if (!fits) {
		ret->reason = R_ENIP_FRAME;
		return;
	}
	/* a NOP keeps a session alive; before there is a session, zeros are not a NOP */
	if (e.command == ENCAP_NOP) {
		ret->allowed = s->session != SESSION_NONE;
		ret->reason = ret->allowed ? R_ALLOWED : R_ENIP_SESSION;
		return;
	}
	for (uint32_t i = 0; i < s->wait.n; i++) {
		const struct enip_open o = s->open[i];
		struct reply r = { 0 };

		if (!is_answer(s, &o, &e, &items, &r))
			continue;
		judge_answer(by, &o.wait, ret);
		ret->function = o.service;
		ret->targets[0] = o.route;
		ret->space = o.space;
		ret->address = o.address;
		ret->quantity = o.quantity;
		ret->exception = e.status != 0 || r.status != 0;
		pending_overtake(s->open, sizeof(s->open[0]), i);
		if (ret->allowed || is_kept(&o))
			answer_conclude(s, &o, &e, &r, ret->bond != NULL ? ret->bond : &unasked);
		pending_answered(&s->wait, s->open, sizeof(s->open[0]), i);
		return;
	}
	judge_unseen(s, &e, &items, by, ret);
}
