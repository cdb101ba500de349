/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own recognisers: what the first bytes of a direction are. Each reads straight down through a view and answers with
 * what the bytes rule out, so that a hello that arrives in pieces is "more" for as long as nothing contradicts it. Those of protocols with
 * a folder stand there.
 */
#include <string.h>

#include "dpi/prefix.h"

/* Record header (RFC 8446, 5.1), then a hello, or an alert as the server's only words. */
enum recognition recognise_tls(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t type = next_byte(&p);

	if (p.more)
		return RECOGNISE_MORE;
	if (type != 22 && !(type == 21 && dir == DIR_S2C))
		return RECOGNISE_NOT;
	if (!may_be(&p, 3, 3) || !may_be(&p, 0, 4))
		return RECOGNISE_NOT;
	if (type == 21)
		return may_be_be16(&p, 2, 2) && may_be(&p, 1, 2) ? so_far(&p) : RECOGNISE_NOT;
	if (!may_be_be16(&p, 6, 16384) || !may_be(&p, dir == DIR_C2S ? 1 : 2, dir == DIR_C2S ? 1 : 2))
		return RECOGNISE_NOT;
	if (!may_be(&p, 0, 0) || !may_be_be16(&p, 38, 65535)) /* length of the hello: three bytes, the first is 0 */
		return RECOGNISE_NOT;
	if (!may_be(&p, 3, 3) || !may_be(&p, 0, 4))
		return RECOGNISE_NOT;
	return so_far(&p);
}

enum recognition recognise_ssh(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head }, old = { .b = head };

	(void)dir;
	if (may_be_word(&p, "SSH-2.0-"))
		return so_far(&p);
	if (may_be_word(&old, "SSH-1.99-"))
		return so_far(&old);
	return RECOGNISE_NOT;
}

/* What may stand after a method: a path, an asterisk, an absolute address; CONNECT names a host instead. */
static bool http_target(struct prefix *p, bool connect)
{
	struct prefix path = *p, star = *p, absolute = *p, host = *p;

	if (connect) {
		uint32_t c = next_byte(&host);

		*p = host;
		return host.more || c == '[' || (c >= '0' && c <= '9') || ((c | 32u) >= 'a' && (c | 32u) <= 'z');
	}
	if (may_be(&path, '/', '/')) {
		*p = path;
		return true;
	}
	if (may_be(&star, '*', '*')) {
		*p = star;
		return true;
	}
	if (may_be_word(&absolute, "http")) {
		*p = absolute;
		return true;
	}
	return false;
}

enum head_step recognise_head(enum protocol p, struct head *h, struct bytes more)
{
	uint8_t byte;

	h->whole = h->whole || p != PROTO_HTTP;
	while (!h->whole && more.left > 0 && bytes_u8(&more, &byte)) {
		if (byte == 0 || (byte == '\n') != (h->last == '\r') || ++h->n > HEAD_MAX)
			return HEAD_AMBIGUOUS;
		h->whole = byte == '\n' && !h->on_line;
		h->on_line = byte != '\n' && (h->on_line || byte != '\r');
		h->last = byte;
	}
	return h->whole ? HEAD_WHOLE : HEAD_GOES_ON;
}

enum recognition recognise_http(enum direction dir, struct bytes head)
{
	static const char *const methods[] = { "GET ",	   "POST ",  "HEAD ",  "PUT ",	    "DELETE ",
					       "OPTIONS ", "PATCH ", "TRACE ", "PROPFIND ", "CONNECT " };
	enum recognition best = RECOGNISE_NOT;
	struct prefix p = { .b = head };

	if (dir == DIR_S2C)
		return may_be_word(&p, "HTTP/1.") && may_be(&p, '0', '1') ? so_far(&p) : RECOGNISE_NOT;
	for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct prefix m = { .b = head };

		if (!may_be_word(&m, methods[i]) || !http_target(&m, methods[i][0] == 'C'))
			continue;
		if (!m.more)
			return RECOGNISED;
		best = RECOGNISE_MORE;
	}
	if (may_be_word(&p, "PRI * HTTP/2.0")) /* HTTP/2 without TLS */
		return so_far(&p);
	return best;
}

#define PG_CANCEL 80877102u
#define PG_SSL 80877103u
#define PG_GSS 80877104u
#define PG_VERSION_3 196608u

/* First message of a client: length and code; the length of the fixed ones must be exact. */
static enum recognition postgresql_client(struct bytes head)
{
	struct bytes b = head;
	uint32_t length, code;
	uint8_t first;

	for (unsigned i = 0; i < 2 && i < head.left; i++) {
		struct bytes peek = head;

		bytes_skip(&peek, i);
		if (bytes_u8(&peek, &first) && first != 0)
			return RECOGNISE_NOT; /* no first message is longer than 64 kB */
	}
	if (head.left < 8)
		return RECOGNISE_MORE;
	bytes_be32(&b, &length);
	bytes_be32(&b, &code);
	if (code == PG_SSL || code == PG_GSS)
		return length == 8 ? RECOGNISED : RECOGNISE_NOT;
	if (code == PG_CANCEL)
		return length == 16 || (length > 16 && length <= 268) ? RECOGNISED : RECOGNISE_NOT;
	if (code < PG_VERSION_3 || code > PG_VERSION_3 + 9 || length < 9 || length > 10000)
		return RECOGNISE_NOT;
	if (!bytes_u8(&b, &first))
		return RECOGNISE_MORE;
	return first == 0 || (first >= 'A' && first <= 'z') ? RECOGNISED : RECOGNISE_NOT;
}

/* Answer to an SSL or GSS request (one byte, then silence), or authentication, negotiation, error. */
static enum recognition postgresql_server(struct bytes head)
{
	struct bytes b = head;
	uint32_t length;
	uint8_t type;

	if (!bytes_u8(&b, &type))
		return RECOGNISE_MORE;
	if (type == 'S' || type == 'N' || type == 'G')
		return b.left == 0 ? RECOGNISED : RECOGNISE_NOT;
	if (type != 'R' && type != 'E' && type != 'v')
		return RECOGNISE_NOT;
	if (!bytes_be32(&b, &length))
		return RECOGNISE_MORE;
	return length >= 5 && length <= 30000 ? RECOGNISED : RECOGNISE_NOT;
}

enum recognition recognise_postgresql(enum direction dir, struct bytes head)
{
	return dir == DIR_C2S ? postgresql_client(head) : postgresql_server(head);
}

/*
 * A query over TCP (RFC 1035, 4.1.1 and 4.2.2): length, header with one question and nothing answered yet. nDPI knows it too,
 * but looks at packets: a resolver that sends the length by itself would never be named. Answers are its business alone.
 */
static enum recognition dns_stream(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };

	if (dir == DIR_S2C || !may_be_be16(&p, 17, 65535))
		return RECOGNISE_NOT;
	next_byte(&p); /* identifier */
	next_byte(&p);
	if (!may_be(&p, 0, 7) || !may_be(&p, 0, 0x30)) /* a standard query, no error */
		return RECOGNISE_NOT;
	if (!may_be_be16(&p, 1, 1) || !may_be_be16(&p, 0, 0) || !may_be_be16(&p, 0, 0) || !may_be_be16(&p, 0, 2))
		return RECOGNISE_NOT;
	return so_far(&p);
}

enum recognition recognise(enum protocol p, enum direction dir, struct bytes head)
{
#define OWN(id, name) [PROTO_##id] = recognise_##name,
#define RECOGNISED(id, name, ...) OWN(id, name)
#define ENFORCED(id, name, ...) OWN(id, name)
	static enum recognition (*const all[PROTO_COUNT])(enum direction, struct bytes) = {
		[PROTO_DNS] = dns_stream,
#include "appliance/wire/protocols.def"
	};

	if (head.failed || (unsigned)p >= PROTO_COUNT || all[p] == NULL)
		return RECOGNISE_NOT;
	return head.left > 0 ? all[p](dir, head) : RECOGNISE_MORE;
}

enum protocol recognise_any(enum direction dir, struct bytes head)
{
	for (unsigned brief = 0; brief < 2 && head.left > 0; brief++) {
		for (unsigned i = 1; i < PROTO_COUNT; i++) {
			enum protocol p = (enum protocol)i;

			/* A single answer byte of PostgreSQL says nothing by itself. */
			if (protocol_is(p, PROTO_BRIEF) == (brief > 0) && (p != PROTO_POSTGRESQL || head.left >= 8) &&
			    recognise(p, dir, head) == RECOGNISED)
				return p;
		}
	}
	return PROTO_NONE;
}
