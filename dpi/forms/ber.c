/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises protocols in BER (X.690): LDAP, Kerberos, SNMP. */
#include "dpi/prefix.h"

#define ANY_LENGTH 0x7fffffffu

/*
 * Reads the head of an element (X.690, 8.1): a tag in lo..hi and a definite length. The element
 * must lie within the `left` remaining bytes of what contains it; *left becomes smaller by the
 * whole element. *ret is the length of the content.
 */
static bool may_be_element(struct prefix *p, uint32_t lo, uint32_t hi, uint32_t *left, uint32_t *ret)
{
	uint32_t head = 2, n;

	*ret = ANY_LENGTH;
	if (!may_be(p, lo, hi))
		return false;
	n = next_byte(p);
	if (p->more)
		return true;
	if (n == 0x80 || n > 0x84)
		return false;
	if (n > 0x80) {
		head += n & 0x7fu;
		n = next_number(p, n & 0x7fu);
	}
	if (p->more)
		return true;
	if (*left < head || n > *left - head)
		return false;
	*left -= head + n;
	*ret = n;
	return true;
}

/* Reads a non-negative integer in lo..hi, of at most four bytes. */
static bool may_be_integer(struct prefix *p, uint32_t tag, uint32_t *left, uint32_t lo, uint32_t hi)
{
	uint32_t n, v;

	if (!may_be_element(p, tag, tag, left, &n) || p->more)
		return p->more;
	if (n < 1 || n > 4)
		return false;
	v = next_number(p, n);
	return p->more || (v >= lo && v <= hi);
}

/* ---- LDAP (RFC 4511, 4) ---- */

/* The operations that may come first: the tag, who sends it, and how its content begins. */
static const struct {
	uint8_t tag;
	bool asks;
	enum { BEGINS_ANY, BEGINS_VERSION, BEGINS_NAME, BEGINS_OID, BEGINS_RESULT, BEGINS_NOT } begins;
} operations[] = {
	{ 0x60, true, BEGINS_VERSION }, { 0x42, true, BEGINS_NOT },	{ 0x63, true, BEGINS_NAME },
	{ 0x66, true, BEGINS_NAME },	{ 0x68, true, BEGINS_NAME },	{ 0x4a, true, BEGINS_ANY },
	{ 0x6c, true, BEGINS_NAME },	{ 0x6e, true, BEGINS_NAME },	{ 0x50, true, BEGINS_ANY },
	{ 0x77, true, BEGINS_OID },	{ 0x61, false, BEGINS_RESULT }, { 0x64, false, BEGINS_NAME },
	{ 0x65, false, BEGINS_RESULT }, { 0x67, false, BEGINS_RESULT }, { 0x69, false, BEGINS_RESULT },
	{ 0x6b, false, BEGINS_RESULT }, { 0x6d, false, BEGINS_RESULT }, { 0x6f, false, BEGINS_RESULT },
	{ 0x73, false, BEGINS_NAME },	{ 0x78, false, BEGINS_RESULT }, { 0x79, false, BEGINS_ANY },
};

/* Reads one message within `left` bytes: its number, an operation, and perhaps controls. *ret:
 * length of its content. */
static bool may_be_ldap(struct prefix *p, enum direction dir, uint32_t *left, uint32_t *ret)
{
	uint32_t message, tag, n, i = 0;
	struct prefix peek;

	if (!may_be_element(p, 0x30, 0x30, left, &message))
		return false;
	*ret = message;
	if (!may_be_integer(p, 0x02, &message, dir == DIR_C2S, ANY_LENGTH) || p->more)
		return p->more;
	peek = *p;
	tag = next_byte(&peek);
	while (i < sizeof(operations) / sizeof(operations[0]) && tag < 256 &&
	       (operations[i].tag != tag || operations[i].asks != (dir == DIR_C2S)))
		i++;
	if (i == sizeof(operations) / sizeof(operations[0]) || !may_be_element(p, 0, 255, &message, &n))
		return false;
	if (p->more)
		return true;
	if (message == 1)
		return false;
	switch (operations[i].begins) {
	case BEGINS_ANY:
		return n > 0 || tag == 0x79;
	case BEGINS_NOT:
		return n == 0;
	case BEGINS_VERSION:
		return may_be_integer(p, 0x02, &n, 2, 3) && may_be_element(p, 0x04, 0x04, &n, &message);
	case BEGINS_NAME:
		return may_be_element(p, 0x04, 0x04, &n, &message);
	case BEGINS_OID:
		return may_be_element(p, 0x80, 0x80, &n, &message) && may_be(p, '0', '2');
	case BEGINS_RESULT:
		return may_be_integer(p, 0x0a, &n, 0, 0x4000);
	}
	return false;
}

enum recognition recognise_ldap(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t all = ANY_LENGTH, n;

	return may_be_ldap(&p, dir, &all, &n) ? so_far(&p) : RECOGNISE_NOT;
}

/* Over UDP (MS-ADTS, 6.3.3): one request, or one or more complete answers. */
bool datagram_ldap(enum direction dir, struct bytes b)
{
	uint32_t left = (uint32_t)b.left, n, before;

	do {
		struct prefix p = { .b = b };

		before = left;
		if (!may_be_ldap(&p, dir, &left, &n) || p.more || !bytes_skip(&b, before - left))
			return false;
	} while (left > 0 && dir == DIR_S2C);
	return left == 0;
}

/* ---- Kerberos (RFC 4120, 5.4, 5.5, 5.9 and 7.2.2) ---- */

#define TAG_AP_REQ 0x6eu
#define TAG_AP_REP 0x6fu
#define TAG_ERROR 0x7eu

/* Reads the protocol version and the message type, which the tag repeats. In ticket requests these
 * two fields are numbered from 1, otherwise from 0. */
static bool may_be_message(struct prefix *p, uint32_t tag, uint32_t *left)
{
	uint32_t content, n, first = tag == 0x6a || tag == 0x6c;

	if (!may_be_element(p, tag, tag, left, &content) || !may_be_element(p, 0x30, 0x30, &content, &n))
		return false;
	for (unsigned i = 0; i < 2; i++)
		if (!may_be(p, 0xa0 + first + i, 0xa0 + first + i) || !may_be(p, 3, 3) || !may_be(p, 2, 2) ||
		    !may_be(p, 1, 1) || !may_be(p, i == 0 ? 5 : tag & 0x1fu, i == 0 ? 5 : tag & 0x1fu))
			return false;
	return true;
}

/* Reads a password change (RFC 3244, 2) of `all` bytes: lengths and a version, then an AP request
 * or its answer. */
static bool may_be_password(struct prefix *p, enum direction dir, uint32_t all)
{
	uint32_t version, inner;

	if (all > 65535 || !may_be_be16(p, all, all))
		return false;
	version = next_number(p, 2);
	inner = next_number(p, 2);
	if (p->more)
		return true;
	if ((version != 1 && version != 0xff80) || inner > all - 6)
		return false;
	if (inner == 0) {
		inner = all - 6;
		return dir == DIR_S2C && may_be_message(p, TAG_ERROR, &inner);
	}
	return may_be_message(p, dir == DIR_C2S ? TAG_AP_REQ : TAG_AP_REP, &inner);
}

/* One message of exactly `all` bytes. */
static bool may_be_kerberos(struct prefix *p, enum direction dir, uint32_t all)
{
	static const uint8_t asks[] = { 0x6a, 0x6c, TAG_AP_REQ }, answers[] = { 0x6b, 0x6d, TAG_ERROR };

	for (unsigned i = 0; i < 3; i++) {
		struct prefix one = *p;
		uint32_t left = all;

		if (may_be_message(&one, dir == DIR_C2S ? asks[i] : answers[i], &left) &&
		    (left == all ? one.more : left == 0)) {
			*p = one;
			return true;
		}
	}
	return may_be_password(p, dir, all);
}

/* Over TCP a message has its length in front; the highest bit of the length is reserved, so it must
 * be 0. */
enum recognition recognise_kerberos(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t length;

	if (!may_be(&p, 0, 0))
		return RECOGNISE_NOT;
	length = next_number(&p, 3);
	if (p.more)
		return RECOGNISE_MORE;
	return length >= 16 && may_be_kerberos(&p, dir, length) ? so_far(&p) : RECOGNISE_NOT;
}

bool datagram_kerberos(enum direction dir, struct bytes b)
{
	struct prefix p = { .b = b };

	return b.left >= 16 && may_be_kerberos(&p, dir, (uint32_t)b.left) && !p.more;
}

/* ---- SNMP (RFC 3416, 3 and RFC 3412, 6) ---- */

/* Recognises exactly one message: version, community and a PDU that this end may send; in version 3
 * header, security parameters and scope. */
bool datagram_snmp(enum direction dir, struct bytes b)
{
	struct prefix p = { .b = b }, scope;
	uint32_t all = (uint32_t)b.left, message, n, version;

	if (b.left > 65535 || !may_be_element(&p, 0x30, 0x30, &all, &message) || all != 0 ||
	    !may_be_element(&p, 0x02, 0x02, &message, &n) || n != 1)
		return false;
	version = next_byte(&p);
	if (version == 3) {
		if (!may_be_element(&p, 0x30, 0x30, &message, &n) || p.more || !bytes_skip(&p.b, n) ||
		    !may_be_element(&p, 0x04, 0x04, &message, &n) || p.more || !bytes_skip(&p.b, n))
			return false;
		scope = p; /* in clear, or encrypted */
		return (may_be_element(&p, 0x30, 0x30, &message, &n) ||
			may_be_element(&scope, 0x04, 0x04, &message, &n)) &&
		       !p.more && message == 0;
	}
	if (version > 1 || !may_be_element(&p, 0x04, 0x04, &message, &n) || p.more || !bytes_skip(&p.b, n))
		return false;
	scope = p;
	if (next_byte(&scope) == 0xa2 && dir == DIR_C2S) /* an answer */
		return false;
	return may_be_element(&p, 0xa0, 0xa8, &message, &n) && !p.more && n > 0 && message == 0;
}
