/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises DNS, NTP, syslog and MQTT. */
#include "dpi/prefix.h"

/* ---- DNS ---- */

#define QUERY 0u
#define NOTIFY 4u
#define UPDATE 5u

/*
 * Reads the header (RFC 1035, 4.1.1). A query has one question, and no other records than those
 * that describe it (IXFR: RFC 1995, 3; EDNS: RFC 6891, 6.1.1; TSIG). A NOTIFY may have an answer
 * (RFC 1996, 3.7), and an UPDATE any number of records (RFC 2136, 2.2).
 */
static bool may_be_dns(struct prefix *p, enum direction dir, uint32_t *ret_questions)
{
	uint32_t high, low, opcode, answers, authorities, more;

	pass_bytes(p, 2); /* identifier */
	high = next_byte(p);
	opcode = high >> 3 & 15u;
	if (!p->more && ((high >> 7) != (dir == DIR_S2C) || (opcode != QUERY && opcode != NOTIFY && opcode != UPDATE)))
		return false;
	low = next_byte(p);
	if (!p->more && ((low & 0x40u) != 0 || (dir == DIR_C2S && (low & 0x0fu) != 0)))
		return false;
	*ret_questions = next_number(p, 2);
	if (!p->more && (*ret_questions > 1 || (dir == DIR_C2S && *ret_questions == 0 && opcode != QUERY)))
		return false;
	answers = next_number(p, 2);
	if (!p->more && dir == DIR_C2S && answers > (opcode == QUERY ? 0u : opcode == NOTIFY ? 1u : 65535u))
		return false;
	authorities = next_number(p, 2);
	if (!p->more && dir == DIR_C2S && opcode != UPDATE && authorities > 1)
		return false;
	more = next_number(p, 2);
	/* asks for a cookie (RFC 7873, 5.4) */
	if (!p->more && dir == DIR_C2S && *ret_questions == 0)
		return authorities == 0 && more == 1 && may_be(p, 0, 0) && may_be_be16(p, 41, 41);
	return p->more || opcode == UPDATE || dir == DIR_S2C || more <= 4;
}

/* A name, a type, a class; questions are never compressed (RFC 1035, 4.1.2). */
static bool is_question(struct prefix *p)
{
	uint32_t length, all = 1, type, class;

	while ((length = next_byte(p)) != 0) {
		all += length + 1u;
		if (p->more || length > 63 || all > 255)
			return false;
		pass_bytes(p, length);
	}
	type = next_number(p, 2);
	class = next_number(p, 2);
	return !p->more && type != 0 && ((class >= 1 && class <= 4) || class == 254 || class == 255);
}

#define QUESTION_MAX 271u /* the header, a name, its type and class */

/* Over TCP (RFC 1035, 4.2.2): the length, then the header as far as it has arrived. A message with
 * only a question is at most QUESTION_MAX bytes long. */
enum recognition recognise_dns(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head }, counts = { .b = head };
	uint32_t questions, length;

	if (!may_be_be16(&p, dir == DIR_C2S ? 17 : 12, 65535) || !may_be_dns(&p, dir, &questions))
		return RECOGNISE_NOT;
	length = next_number(&counts, 2);
	pass_bytes(&counts, 6);
	if (!p.more && dir == DIR_C2S && length > QUESTION_MAX && may_be_zeros(&counts, 6))
		return RECOGNISE_NOT;
	return so_far(&p);
}

/* The response for an error may have no question. */
bool datagram_dns(enum direction dir, struct bytes b)
{
	struct prefix p = { .b = b };
	uint32_t questions;

	return may_be_dns(&p, dir, &questions) && !p.more && (questions == 0 || is_question(&p));
}

/* ---- NTP ---- */

#define CONTROL 6u

/* Whether n bytes after a message can be an authenticator: a key's number and a digest, or nothing.
 * A key's number alone means that the digest was wrong (RFC 5905, 7.3 and 10). */
static bool is_authenticator(size_t n)
{
	return n == 0 || n == 4 || n == 20 || n == 24;
}

/*
 * Reads a control message (RFC 9327, 2): flags for response, error and more, an operation, as many
 * bytes of data as `count` says, padded to a multiple of 4, and perhaps an authenticator, before
 * which some programs pad to a multiple of 8. In a request, status, error, more and offset are 0,
 * and the leap indicator is 0, or 3 ("not known") from clients of NTPsec.
 */
static bool is_control(enum direction dir, uint8_t first, struct bytes b)
{
	uint16_t sequence, status, association, offset, count;
	uint8_t second;

	bytes_u8(&b, &second);
	bytes_be16(&b, &sequence);
	bytes_be16(&b, &status);
	bytes_be16(&b, &association);
	bytes_be16(&b, &offset);
	bytes_be16(&b, &count);
	if (b.failed || (second >> 7) != (dir == DIR_S2C))
		return false;
	if ((second & 31u) == 0 || ((second & 31u) > 12 && (second & 31u) != 31))
		return false;
	if (dir == DIR_C2S && ((first >> 6) % 3 != 0 || (second >> 5) != 0 || status != 0 || offset != 0))
		return false;
	if (!bytes_skip(&b, (count + 3u) & ~3u))
		return false;
	return is_authenticator(b.left) || (count % 8 >= 1 && count % 8 <= 4 && (b.left == 24 || b.left == 28));
}

/* Whether the bytes after the header are well-formed: in version 4 extension fields with their
 * lengths (RFC 7822, 3), then an authenticator, which could have 12 bytes in earlier versions. */
static bool ends_as_ntp(uint8_t version, struct bytes b)
{
	uint16_t type, length;

	if (version < 4)
		return is_authenticator(b.left) || (version > 0 && b.left == 12);
	while (!is_authenticator(b.left))
		if (!bytes_be16(&b, &type) || !bytes_be16(&b, &length) || length < 16 || length % 4 != 0 ||
		    !bytes_skip(&b, length - 4u))
			return false;
	return true;
}

/*
 * Recognises NTP as in RFC 5905, 7.3, and in the versions before it. The first one, RFC 958, has no
 * version and no mode, but a status up to 4. Version 5 has the form of version 4. Mode 7 (private)
 * is not accepted, because no document defines its form.
 */
bool datagram_ntp(enum direction dir, struct bytes b)
{
	size_t n = b.left;
	uint8_t first, stratum, poll, mode, version;
	struct bytes control;

	bytes_u8(&b, &first);
	mode = first & 7u;
	version = first >> 3 & 7u;
	control = b;
	bytes_u8(&b, &stratum);
	bytes_u8(&b, &poll);
	if (b.failed || version > 5)
		return false;
	if (mode == CONTROL && version >= 1 && version <= 4)
		return is_control(dir, first, control);
	if (n < 48 || !bytes_skip(&b, 45))
		return false;
	if (version == 0)
		return n == 48 && mode <= 4;
	if (!ends_as_ntp(version, b))
		return false;
	if (version == 5)
		return mode == (dir == DIR_C2S ? 3 : 4);
	/* the interval is 2^poll seconds: at most 2^17 (MAXPOLL), on a LAN below 1 */
	if (stratum > 16 || (poll > 17 && poll < 0xf0))
		return false;
	/* this version has no modes: ports distinguish client and server */
	if (version == 1 && mode == 0)
		return true;
	return mode == 1 || mode == 2 || mode == (dir == DIR_C2S ? 3 : 4) || (mode == 5 && dir == DIR_S2C);
}

/* ---- syslog ---- */

/* A priority in angle brackets, and text (RFC 3164, 4.1; RFC 5424, 6). */
static bool may_be_priority(struct prefix *p)
{
	uint32_t priority = 0, digits = 0, c;

	if (!may_be(p, '<', '<'))
		return false;
	while ((c = next_byte(p)) != '>' && !p->more) {
		if (c < '0' || c > '9' || ++digits > 3)
			return false;
		priority = priority * 10 + c - '0';
	}
	if (!p->more && (digits == 0 || priority > 191))
		return false;
	c = next_byte(p);
	return p->more || is_text(c);
}

/* Some senders leave out the priority. Such a message begins with its time: "Oct 11 22:14:15", or
 * "2003-10-11T22:14:15" (RFC 3164, 4.1.2; RFC 5424, 6.2.3). */
static bool may_be_time(struct prefix *p)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec", form[] = " ?0 00:00:00",
			  date[] = "0000-00-00T00:00:00";
	struct prefix month = { .b = p->b };
	const char *rest = date;

	for (unsigned i = 0; i < sizeof(months) - 1 && rest == date; i += 3, month = *p)
		if (may_be(&month, (uint8_t)months[i], (uint8_t)months[i]) &&
		    may_be(&month, (uint8_t)months[i + 1], (uint8_t)months[i + 1]) &&
		    may_be(&month, (uint8_t)months[i + 2], (uint8_t)months[i + 2])) {
			*p = month;
			rest = form;
		}
	for (; *rest != '\0'; rest++) {
		uint32_t c = next_byte(p);
		bool digit = c >= '0' && c <= '9';

		if (!p->more && !(*rest == '0' ? digit : *rest == '?' ? digit || c == ' ' : c == (uint8_t)*rest))
			return false;
	}
	return true;
}

/* Whether a message may begin here; `p` is behind its priority or its time then. */
static bool may_be_message(struct prefix *p)
{
	struct prefix timed = *p;

	if (may_be_priority(p))
		return true;
	*p = timed;
	return may_be_time(p);
}

/* Over TCP (RFC 6587, 3.4) a message begins with its priority, or with its length and a blank.
 * Nobody answers. */
enum recognition recognise_syslog(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head }, counted = { .b = head };
	unsigned digits = 0;
	uint32_t c;

	if (dir == DIR_S2C)
		return RECOGNISE_NOT;
	if (may_be_message(&p))
		return so_far(&p);
	while ((c = next_byte(&counted)) != ' ' && !counted.more)
		if (c < (digits == 0 ? '1' : '0') || c > '9' || ++digits > 7)
			return RECOGNISE_NOT;
	return (counted.more || digits > 0) && may_be_message(&counted) ? so_far(&counted) : RECOGNISE_NOT;
}

/* A message is text to its end; some senders add a zero byte (RFC 5426, 3.1). */
bool datagram_syslog(enum direction dir, struct bytes b)
{
	struct prefix p = { .b = b };

	if (dir == DIR_S2C || !may_be_message(&p) || p.more)
		return false;
	while (p.b.left > 0) {
		uint32_t c = next_byte(&p);

		if (!is_text(c) && c != '\r' && c != '\n' && (c != 0 || p.b.left > 0))
			return false;
	}
	return true;
}

/* ---- MQTT (3.1.1, 5.0: 2.2.3, 3.1, 3.2, 3.15; version 3.1 has another protocol name) ---- */

/* Reads the remaining length of a packet: up to four bytes of seven bits each. */
static bool may_be_remaining(struct prefix *p, uint32_t lo, uint32_t *ret)
{
	uint32_t v = 0, c = 0x80;

	for (unsigned i = 0; i < 4 && (c & 0x80u) != 0; i++) {
		c = next_byte(p);
		v |= (c & 0x7fu) << (7 * i);
	}
	*ret = v;
	return p->more || ((c & 0x80u) == 0 && v >= lo);
}

static enum recognition mqtt_server(struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t type = next_byte(&p), n, code;

	if (p.more)
		return RECOGNISE_MORE;
	if (type == 0xf0) /* AUTH, with the reason "continue" */
		return may_be_remaining(&p, 1, &n) && may_be(&p, 0x18, 0x18) ? so_far(&p) : RECOGNISE_NOT;
	if (type != 0x20 || !may_be_remaining(&p, 2, &n) || !may_be(&p, 0, 1))
		return RECOGNISE_NOT;
	code = next_byte(&p);
	return p.more || code <= 5 || code >= 0x80 ? so_far(&p) : RECOGNISE_NOT;
}

/* Recognises CONNECT: the protocol's name, its level (a bridge sets the highest bit), and flags, of
 * which one is reserved. */
enum recognition recognise_mqtt(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head }, old;
	uint32_t n, level, flags;

	if (dir == DIR_S2C)
		return mqtt_server(head);
	if (!may_be(&p, 0x10, 0x10) || !may_be_remaining(&p, 12, &n) || !may_be(&p, 0, 0))
		return RECOGNISE_NOT;
	old = p;
	if (may_be(&p, 4, 4) && may_be_word(&p, "MQTT")) {
		level = next_byte(&p) & 0x7fu;
		if (!p.more && level != 4 && level != 5)
			return RECOGNISE_NOT;
	} else if (may_be(&old, 6, 6) && may_be_word(&old, "MQIsdp")) {
		p = old;
		level = next_byte(&p) & 0x7fu;
		if (!p.more && level != 3)
			return RECOGNISE_NOT;
	} else {
		return RECOGNISE_NOT;
	}
	flags = next_byte(&p);
	return p.more || (flags & 1u) == 0 ? so_far(&p) : RECOGNISE_NOT;
}
