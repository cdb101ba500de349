/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates for repeated unconnected requests. A repetition has another sender context, which the
 * answer repeats. There are templates only for a single plain service that succeeded. Connected
 * messages would have to repeat a sequence number; no test covers them yet.
 */
#include "dpi/once.h"
#include "dpi/enip/enip.h"

#define CONTEXT_AT 12u
#define CONTEXT 8u
#define MESSAGE_AT 40u /* where the message of CIP begins */
#define REPLY 6u       /* bytes of its answer: service and status; for a tag also the type */

/* Whether the judgement of a request depends only on its bytes: no request waits, the server is in
 * step, and the session was seen from its beginning. */
static bool is_settled(const struct enip_state *s)
{
	return s->session == SESSION_OPEN && !s->datagrams && !s->missed && !s->cut && s->wait.n == 0 &&
	       s->wait.unseen == 0 && !s->wait.unread && s->lenient == 0;
}

/* Whether the service is plain: it neither opens or closes anything nor contains other requests. */
static bool is_plain(uint8_t service)
{
	return (service & CIP_REPLY) == 0 && service != SERVICE_MULTIPLE && service != SERVICE_FORWARD_CLOSE &&
	       service != SERVICE_UNCONNECTED_SEND && service != SERVICE_FORWARD_OPEN &&
	       service != SERVICE_LARGE_FORWARD_OPEN;
}

/* Reads the message at its usual position. False: there are other items, or none. */
static bool read_message(struct bytes pdu, struct encap *e, struct encap_items *ret)
{
	return encap_read(pdu, e) && e->command == ENCAP_REQUEST && e->status == 0 && encap_unconnected(e->data, ret) &&
	       ret->message.left > 0 && ret->message.left + MESSAGE_AT == pdu.left;
}

bool enip_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret)
{
	struct encap_items asks, says;
	struct encap e;
	size_t n;

	if (!is_settled(state) || !read_message(request, &e, &asks) || !read_message(answer, &e, &says) ||
	    !is_plain(asks.message.p[0]) || says.message.left < 4 || says.message.p[2] != 0 || says.message.p[3] != 0)
		return false;
	n = MESSAGE_AT + (says.message.left < REPLY ? says.message.left : REPLY);
	return once_begin(ret, request, answer.left) && once_repeats(ret, CONTEXT_AT, CONTEXT_AT, CONTEXT) &&
	       once_says(ret, 0, answer.p, CONTEXT_AT) &&
	       once_says(ret, CONTEXT_AT + CONTEXT, answer.p + CONTEXT_AT + CONTEXT, n - CONTEXT_AT - CONTEXT);
}

/* ---- what another worker needs --------------------------------------------------------------- */

static void put_opener(struct outbuf *to, const struct enip_opener *o)
{
	out_be32(to, o->serial);
	out_be16(to, o->connection);
	out_be16(to, o->vendor);
}

static void read_opener(struct bytes *b, struct enip_opener *ret)
{
	bytes_be32(b, &ret->serial);
	bytes_be16(b, &ret->connection);
	bytes_be16(b, &ret->vendor);
}

/* A session with NOPs is not written, because the bytes before each message matter there. */
bool enip_keep(const void *state, struct outbuf *to)
{
	const struct enip_state *s = state;

	out_be32(to, s->handle);
	out_u8(to, (uint8_t)s->n_connections);
	for (uint32_t i = 0; i < s->n_connections; i++) {
		const struct enip_connection *c = &s->connections[i];

		out_be32(to, c->out);
		out_be32(to, c->in);
		put_opener(to, &c->opener);
		out_be32(to, c->route);
		out_u8(to, c->transport);
		out_u8(to, c->far);
	}
	for (uint32_t i = 0; i < s->n_io; i++)
		put_opener(to, &s->io[i]);
	return is_settled(s) && !s->idled;
}

static bool connect_again(struct enip_state *s, struct bytes *kept)
{
	struct enip_connection c = { 0 };
	uint8_t far;

	bytes_be32(kept, &c.out);
	bytes_be32(kept, &c.in);
	read_opener(kept, &c.opener);
	bytes_be32(kept, &c.route);
	bytes_u8(kept, &c.transport);
	c.far = bytes_u8(kept, &far) && far != 0;
	if (kept->failed || far > 1 || (c.transport != TRANSPORT_REQUESTS && c.transport != TRANSPORT_OTHER) ||
	    enip_connection_out(s, c.out) != NULL)
		return false;
	s->connections[s->n_connections++] = c;
	return true;
}

bool enip_again(void *state, struct bytes kept)
{
	struct enip_state *s = state;
	uint8_t n;

	bytes_be32(&kept, &s->handle);
	if (!bytes_u8(&kept, &n) || s->handle == 0 || n > ENIP_CONNECTIONS_MAX)
		return false;
	s->session = SESSION_OPEN;
	while (s->n_connections < n)
		if (!connect_again(s, &kept))
			return false;
	while (kept.left > 0 && s->n_io < ENIP_IO_MAX)
		read_opener(&kept, &s->io[s->n_io++]);
	return bytes_done(&kept);
}
