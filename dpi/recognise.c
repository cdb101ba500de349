/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own recognisers: what the first bytes of a direction are. Each reads straight down through a view and answers with
 * what the bytes rule out, so that a hello that arrives in pieces is "more" for as long as nothing contradicts it.
 */
#include <string.h>

#include "dpi/protocol.h"

/* A byte of the prefix: unread bytes are "not there yet", which rules nothing out. */
struct prefix {
	struct bytes b;
	bool more; /* ran out of bytes */
};

static uint32_t next_byte(struct prefix *p)
{
	uint8_t v;

	if (!bytes_u8(&p->b, &v)) {
		p->more = true;
		return 256;
	}
	return v;
}

/* The next byte is in lo..hi, or is not there yet. */
static bool may_be(struct prefix *p, uint32_t lo, uint32_t hi)
{
	uint32_t v = next_byte(p);

	return p->more || (v >= lo && v <= hi);
}

static enum recognition so_far(const struct prefix *p)
{
	return p->more ? RECOGNISE_MORE : RECOGNISED;
}

/* As much of `word` as there are bytes for. */
static bool may_be_word(struct prefix *p, const char *word)
{
	for (; *word != '\0'; word++)
		if (!may_be(p, (uint8_t)*word, (uint8_t)*word))
			return false;
	return true;
}

/* A big-endian number of two bytes in lo..hi. One byte alone may rule it out already. */
static bool may_be_be16(struct prefix *p, uint32_t lo, uint32_t hi)
{
	uint32_t a = next_byte(p), b;

	if (p->more)
		return true;
	b = next_byte(p);
	if (p->more)
		return a >= lo >> 8 && a <= hi >> 8;
	return (a << 8 | b) >= lo && (a << 8 | b) <= hi;
}

/* Record header (RFC 8446, 5.1), then a hello, or an alert as the server's only words. */
static enum recognition tls(enum direction dir, struct bytes head)
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

static enum recognition ssh(struct bytes head)
{
	struct prefix p = { .b = head }, old = { .b = head };

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

static enum recognition http(enum direction dir, struct bytes head)
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

/* MBAP header and function code: transaction, protocol 0, length, unit, function. */
static enum recognition modbus(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };

	next_byte(&p);
	next_byte(&p);
	if (!may_be_be16(&p, 0, 0) || !may_be_be16(&p, 2, 254))
		return RECOGNISE_NOT;
	next_byte(&p);
	if (!may_be(&p, 1, dir == DIR_C2S ? 127 : 255))
		return RECOGNISE_NOT;
	return so_far(&p);
}

/* A frame of MC protocol, in either coding: subheader, route, length. Binary: one that its devices can send. */
static enum recognition slmp(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	bool ascii = head.p[0] == '5' || head.p[0] == 'D',
	     four = ascii ? head.left > 1 && head.p[1] == '4' : (head.p[0] & 0x7fu) == 0x54;

	if (ascii) {
		if (!may_be_word(&p, dir == DIR_C2S ? four ? "5400" : "5000" : four ? "D400" : "D000"))
			return RECOGNISE_NOT;
		for (unsigned i = 4; i < RECOGNISE_MAX && p.b.left > 0; i++)
			if (!(p.b.p[0] >= 'A' && p.b.p[0] <= 'F' ? next_byte(&p), true : may_be(&p, '0', '9')))
				return RECOGNISE_NOT;
		return head.left < RECOGNISE_MAX ? RECOGNISE_MORE : RECOGNISED;
	}
	if (!may_be(&p, dir == DIR_C2S ? 0x50 : 0xd0, dir == DIR_C2S ? 0x54 : 0xd4) || (head.p[0] & 0x6bu) != 0x40)
		return RECOGNISE_NOT;
	if (!may_be(&p, 0, 0))
		return RECOGNISE_NOT;
	for (unsigned i = 0; four && i < 2; i++)
		next_byte(&p);
	if (four && !may_be_be16(&p, 0, 0))
		return RECOGNISE_NOT;
	for (unsigned i = 0; i < 6; i++) /* the route, and the low byte of the length */
		next_byte(&p);
	return may_be(&p, 0, 16) ? so_far(&p) : RECOGNISE_NOT;
}

/* Command, length, the session's number, status: a client has none, and nothing but a session's first message has no session. */
static enum recognition enip(enum direction dir, struct bytes head)
{
	static const struct {
		uint8_t command, length;
		bool any_length, session;
	} first[] = { { 0x00, 0, true, false },	 { 0x04, 0, false, false }, { 0x63, 0, false, false },
		      { 0x64, 0, false, false }, { 0x65, 4, false, false }, { 0x6f, 0, true, true },
		      { 0x70, 0, true, true } };
	enum recognition best = RECOGNISE_NOT;

	for (unsigned i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct prefix p = { .b = head };
		uint8_t low = first[i].any_length || dir == DIR_S2C ? 0 : first[i].length;
		uint8_t high = first[i].any_length || dir == DIR_S2C ? 255 : first[i].length;
		uint32_t session = 0;

		if (!may_be(&p, first[i].command, first[i].command) || !may_be(&p, 0, 0) || !may_be(&p, low, high) ||
		    !may_be(&p, 0, high == 255 ? 0x11 : 0))
			continue;
		for (unsigned k = 0; k < 4; k++)
			session |= next_byte(&p);
		if (!p.more && dir == DIR_C2S && (session != 0) != first[i].session)
			continue;
		for (unsigned k = 0; k < 4; k++)
			if (!may_be(&p, 0, dir == DIR_C2S ? 0 : 255))
				session = UINT32_MAX;
		if (!p.more && session != UINT32_MAX)
			return RECOGNISED;
		best = p.more && session != UINT32_MAX ? RECOGNISE_MORE : best;
	}
	return best;
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

/*
 * The request for a COTP connection of class 0, or its confirmation, with TSAPs or a size as its first parameter (RFC 1006; RFC 905,
 * 13.3); the remote desktop's has none of them. Which of Siemens' two protocols follows shows when the connection stands.
 */
static enum recognition s7_connection(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t type = dir == DIR_C2S ? 0xe0 : 0xd0;

	if (!may_be(&p, 3, 3) || !may_be(&p, 0, 0) || !may_be_be16(&p, 14, 259) || !may_be(&p, 9, 254) ||
	    !may_be(&p, type, type))
		return RECOGNISE_NOT;
	if (dir == DIR_C2S && !may_be_be16(&p, 0, 0))
		return RECOGNISE_NOT;
	for (unsigned i = 0; i < (dir == DIR_C2S ? 2u : 4u); i++)
		next_byte(&p); /* references */
	if (!may_be(&p, 0, 0) || !may_be(&p, 0xc0, 0xc2))
		return RECOGNISE_NOT;
	return so_far(&p);
}

enum recognition recognise(enum protocol p, enum direction dir, struct bytes head)
{
	if (head.failed)
		return RECOGNISE_NOT;
	if (head.left == 0)
		return RECOGNISE_MORE;
	switch (p) {
	case PROTO_TLS:
		return tls(dir, head);
	case PROTO_SSH:
		return ssh(head);
	case PROTO_HTTP:
		return http(dir, head);
	case PROTO_POSTGRESQL:
		return dir == DIR_C2S ? postgresql_client(head) : postgresql_server(head);
	case PROTO_MODBUS:
		return modbus(dir, head);
	case PROTO_SLMP:
		return slmp(dir, head);
	case PROTO_DNS:
		return dns_stream(dir, head);
	case PROTO_ENIP:
		return enip(dir, head);
	case PROTO_S7COMM:
	case PROTO_S7COMM_PLUS:
		return s7_connection(dir, head);
	case PROTO_NONE:
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_ICMP:
	case PROTO_NTP:
	case PROTO_RDP:
	case PROTO_SMB:
	case PROTO_FTP:
	case PROTO_TELNET:
	case PROTO_SNMP:
	case PROTO_SYSLOG:
	case PROTO_MQTT:
	case PROTO_MYSQL:
	case PROTO_LDAP:
	case PROTO_KERBEROS:
	case PROTO_COUNT:
		break;
	}
	return RECOGNISE_NOT;
}

enum protocol recognise_any(enum direction dir, struct bytes head)
{
	/* Modbus last: its signature is the shortest. A single answer byte of PostgreSQL says nothing by itself. */
	static const enum protocol order[] = { PROTO_TLS,  PROTO_SSH,  PROTO_HTTP,   PROTO_POSTGRESQL, PROTO_DNS,
					       PROTO_SLMP, PROTO_ENIP, PROTO_S7COMM, PROTO_MODBUS };

	if (head.left == 0)
		return PROTO_NONE;
	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if ((order[i] != PROTO_POSTGRESQL || head.left >= 8) && recognise(order[i], dir, head) == RECOGNISED)
			return order[i];
	return PROTO_NONE;
}
