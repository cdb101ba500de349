/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OPC UA enforcer. The input is a policy, which does not change, and then a whole session in
 * pieces of both directions.
 * LINK: $(COMMANDS_PARTS) dpi/opcua/%.c
 * LIBS: nettle
 *
 * Input: 6 bytes of policy (flags, words, two ends of nodes and of values), then pieces: one byte,
 * one byte of length, the bytes. Of the first byte the top bit is the direction. The next bit means
 * that a message is made of the bytes, with the session's channel, token and next numbers, and from
 * the client with a request's header after the first four bytes. The session runs as in session.h.
 * The target aborts when a request is allowed that this policy does not allow, by a second reading
 * of the standard that shares no code with the enforcer, or when a verdict depends on where the
 * bytes were cut.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dpi/opcua_desk.h"

/* The policy in plain numbers. */
struct limits {
	bool places, values, negative, secured, unnamed; /* unnamed: no security policy is named */
	unsigned classes;
	uint32_t place[2], value[2]; /* places: of namespace 2; values: as rows write them */
};

#define FUZZ_STREAM (OPCUA_PDU_MAX + 1024)
#define FUZZ_POLICY 6u
#define FUZZ_LEAST 1u
#include "tests/fuzz/session.h"

static void policy(struct desk *d, const uint8_t p[FUZZ_POLICY], struct limits *l)
{
	struct command_row *row = desk_row(d);

	*l = (struct limits){ .places = p[0] & 1,
			      .values = p[0] & 2,
			      .secured = p[0] & 4,
			      .unnamed = p[0] & 8,
			      .negative = p[0] & 128,
			      .classes = p[1] & CLASS_ALL,
			      .place = { p[2], p[2] + (uint32_t)p[3] },
			      .value = { p[4], p[4] + (uint32_t)p[5] } };
	if (l->negative) {
		l->value[0] = UINT32_MAX - p[5];
		l->value[1] = UINT32_MAX;
	}
	allow_services(d, row, l->classes, false);
	row->targets[OPCUA_POLICY] = l->unnamed ? (struct number_set){ .any = true }
						: desk_range(d, l->secured ? 0 : 1, l->secured ? 255 : 1);
	if (l->places)
		desk_space(d, row, OPCUA_NODES,
			   desk_range(d, UINT64_C(2) << 32 | l->place[0], UINT64_C(2) << 32 | l->place[1]));
	if (l->values)
		row->values = desk_ranges(d, l->value, 1);
}

/* ---- a second reading ------------------------------------------------------------------------ */

/* The rest of a request. Every field must fit into it, because the request was allowed. */
struct rest {
	const uint8_t *p;
	size_t n;
};

static uint32_t number(struct rest *r, unsigned width)
{
	uint32_t v = 0;

	MUST(r->n >= width);
	for (unsigned i = 0; i < width && i < 4; i++)
		v |= (uint32_t)r->p[i] << 8 * i;
	r->p += width;
	r->n -= width;
	return v;
}

static void text(struct rest *r)
{
	uint32_t n = number(r, 4);

	if (n != UINT32_MAX) {
		MUST(n <= r->n);
		r->p += n;
		r->n -= n;
	}
}

static bool node(struct rest *r, uint64_t *ret)
{
	uint64_t high;

	switch (number(r, 1)) {
	case 0:
		*ret = number(r, 1);
		return true;
	case 1:
		high = number(r, 1);
		*ret = high << 32 | number(r, 2);
		return true;
	case 2:
		high = number(r, 2);
		*ret = high << 32 | number(r, 4);
		return true;
	case 3:
	case 5:
		number(r, 2);
		text(r);
		return false;
	case 4:
		number(r, 18);
		return false;
	default:
		abort();
	}
}

static void is_place(const struct limits *l, struct rest *r)
{
	uint64_t at = 0;
	bool known = node(r, &at);

	MUST(!l->places ||
	     (known && at >= (UINT64_C(2) << 32 | l->place[0]) && at <= (UINT64_C(2) << 32 | l->place[1])));
}

static unsigned class_of(uint32_t service, bool attribute)
{
	switch (service) {
	case 673:
		return attribute ? CLASS_PROGRAM : CLASS_WRITE;
	case 700:
		return CLASS_WRITE;
	case 712:
		return CLASS_CONTROL;
	case 437:
	case 488:
	case 494:
	case 500:
	case 506:
	case 12211:
		return CLASS_PROGRAM;
	case 422:
	case 428:
	case 12208:
		return CLASS_DIAGNOSE;
	case 446:
	case 452:
	case 461:
	case 467:
	case 473:
	case 479:
		return 0;
	default:
		return CLASS_READ;
	}
}

/* Numbers. A value of another form cannot be limited. */
static void is_value(const struct limits *l, struct rest *r)
{
	static const uint8_t width[] = { 0, 1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8 };
	uint32_t has = number(r, 1), type;
	double low = l->value[0], high = l->value[1], wide;
	int64_t v;
	float narrow;

	MUST((has & 1) != 0 || !l->values);
	if ((has & 1) == 0 || !l->values)
		return;
	type = number(r, 1);
	MUST(type >= 1 && type <= 11 && r->n >= width[type]);
	memcpy(&narrow, r->p, sizeof(narrow) < r->n ? sizeof(narrow) : r->n);
	memcpy(&wide, r->p, sizeof(wide) < r->n ? sizeof(wide) : r->n);
	v = number(r, width[type] < 4 ? width[type] : 4);
	if (width[type] == 8)
		v |= (int64_t)((uint64_t)number(r, 4) << 32);
	MUST(type != 9 || v >= 0);
	if (type == 1)
		v = v != 0;
	if (type == 2)
		v = (int8_t)v;
	if (type == 4)
		v = (int16_t)v;
	if (type == 6)
		v = (int32_t)v;
	if (type < 10)
		wide = (double)v;
	if (type == 10)
		wide = (double)narrow;
	if (l->negative && (type % 2 == 0 || type == 11)) {
		low -= 4294967296.0;
		high -= 4294967296.0;
	}
	MUST(wide >= low && wide <= high);
}

/* Takes an ExtensionObject. True: it has a body whose type does not say where it ends. */
static bool has_body(struct rest *r)
{
	uint64_t type = 0;
	bool known = node(r, &type);
	uint32_t length;

	if (number(r, 1) == 0)
		return false;
	length = number(r, 4);
	MUST(length <= r->n);
	r->p += length;
	r->n -= length;
	return !known || ((type != 724 || length != 16) && (type != 649 || length != 22));
}

/* Whether a DataValue is an ExtensionObject with such a body. */
static bool is_structure(struct rest r)
{
	return (number(&r, 1) & 1) != 0 && number(&r, 1) == 22 && has_body(&r);
}

/* Reads a request of the client that was allowed: `r` begins at its node id. */
static void second_reading(const struct limits *l, struct rest r)
{
	uint64_t service = 0;
	uint32_t n;
	bool attribute = false;

	MUST(node(&r, &service) && service > 0 && service < 65536);
	node(&r, &(uint64_t){ 0 });
	number(&r, 8 + 4 + 4);
	text(&r);
	number(&r, 4);
	node(&r, &(uint64_t){ 0 });
	if (number(&r, 1) != 0)
		text(&r);
	switch (service) {
	case 631: /* the other fields of an item are read one by one */
		number(&r, 8 + 4);
		for (n = number(&r, 4); n > 0 && n != UINT32_MAX; n--) {
			is_place(l, &r);
			number(&r, 4);
			text(&r);
			number(&r, 2);
			text(&r);
		}
		break;
	case 664:
		MUST(!has_body(&r) || !l->places);
		number(&r, 4 + 1);
		for (n = number(&r, 4); n > 0 && n != UINT32_MAX; n--) {
			is_place(l, &r);
			text(&r);
			number(&r, 2);
			text(&r);
			text(&r);
		}
		break;
	case 751: /* the first of them */
		number(&r, 4 + 4);
		if ((n = number(&r, 4)) > 0 && n != UINT32_MAX) {
			is_place(l, &r);
			number(&r, 4);
			text(&r);
			number(&r, 2);
			text(&r);
			number(&r, 4 + 4 + 8);
			MUST(!has_body(&r) || n == 1 || !l->places);
		}
		break;
	case 560:
		for (n = number(&r, 4); n > 0 && n != UINT32_MAX; n--)
			is_place(l, &r);
		break;
	case 500:
		for (n = number(&r, 4); n > 0 && n != UINT32_MAX; n--) {
			MUST(!l->values);
			is_place(l, &r);
			number(&r, 1);
		}
		break;
	case 673: /* the first of them */
		if ((n = number(&r, 4)) > 0 && n != UINT32_MAX) {
			is_place(l, &r);
			attribute = number(&r, 4) != 13;
			MUST(!attribute || !l->values);
			MUST(!l->values || number(&r, 4) + 1 <= 1);
			if (!l->values)
				text(&r);
			if (n > 1 && is_structure(r)) /* behind it, anything may be written */
				MUST(!l->places && !l->values &&
				     (~l->classes & (unsigned)(CLASS_WRITE | CLASS_PROGRAM)) == 0);
			is_value(l, &r);
		}
		break;
	case 712:
		if ((n = number(&r, 4)) > 0 && n != UINT32_MAX) {
			is_place(l, &r);
			is_place(l, &r);
		}
		break;
	case 615:
	case 621:
	case 700:
	case 841:
		MUST(!l->places);
		break;
	default:
		break;
	}
	MUST(class_of((uint32_t)service, attribute) == 0 || (l->classes & class_of((uint32_t)service, attribute)) != 0);
}

/* A message with all its chunks, assembled. */
static void allowed(const struct desk *d, const struct limits *l, const uint8_t *p, size_t n)
{
	static uint8_t joined[OPCUA_PDU_MAX];
	size_t all = 0;

	if (memcmp(p, "HEL", 3) == 0)
		return;
	if (d->p.function == OPCUA_SECURED) {
		MUST(l->classes == CLASS_ALL && !l->places && !l->values);
		/* policies that may mean None have to be named */
		MUST(l->unnamed ? d->p.targets[OPCUA_POLICY] > OPCUA_POLICY_NONE &&
					  d->p.targets[OPCUA_POLICY] < OPCUA_POLICY_OTHER
				: l->secured);
		return;
	}
	MUST(!l->unnamed);
	if (memcmp(p, "MSG", 3) != 0)
		return;
	while (n > 0) {
		size_t size = p[4] | (size_t)p[5] << 8;

		MUST(size >= 24 && size <= n && p[6] == 0 && p[7] == 0 && p[3] == (size == n ? 'F' : 'C'));
		memcpy(joined + all, p + 24, size - 24);
		all += size - 24;
		p += size;
		n -= size;
	}
	second_reading(l, (struct rest){ joined, all });
}

/* ---- a life ---------------------------------------------------------------------------------- */

/* A message with these bytes, with the numbers of the session. */
static struct message made(enum direction dir, const uint8_t *p, size_t n)
{
	struct message m = message_of("MSGF");

	put_32(&m, CHANNEL);
	put_32(&m, TOKEN);
	requests += dir == DIR_C2S;
	put_numbers(&m, dir, requests);
	if (dir == DIR_C2S && n >= 4) {
		put(&m, p, 4);
		put_hex(&m, ASKS);
		p += 4;
		n -= 4;
	}
	put(&m, p, n);
	return sized(m);
}

static void begin_session(struct session *s, const uint8_t *p)
{
	policy(&s->d, p, &s->l);
	desk_reset(&s->d);
	sequences[0] = sequences[1] = 0;
	requests = 0;
	if ((p[0] & 16) == 0)
		start(&s->d);
	if ((p[0] & 32) != 0)
		pending_missed(&opcua_enforcer, s->d.state, (p[0] & 64) != 0);
}

static bool send_piece(struct session *s, enum direction dir, uint8_t flags, const uint8_t *p, size_t n)
{
	struct message m = { .n = 0 };

	if ((flags & 0x40) != 0)
		m = made(dir, p, n);
	else
		put(&m, p, n);
	return send_bytes(s, dir, m.p, m.n);
}

static void is_allowed(const struct session *s, enum direction dir, const uint8_t *pdu, size_t n)
{
	if (dir == DIR_C2S)
		allowed(&s->d, &s->l, pdu, n);
}
