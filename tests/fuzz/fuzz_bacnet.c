/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BACnet enforcer. The input is a policy, and then a whole flow of datagrams.
 * LINK: $(COMMANDS_PARTS) dpi/bacnet/%.c
 * LIBS: nettle
 *
 * Input: 6 bytes of policy (flags, words, first and last instance of analog outputs, priority,
 * value), then datagrams: one byte whose top bit is the direction, one byte of length, the bytes.
 * The target aborts when a datagram is allowed in which a device that reads tags in any form finds
 * something that this policy does not allow, or when a verdict depends on where memory lies.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dpi/bacnet_desk.h"

#define MUST(x)                                                                                                        \
	do {                                                                                                           \
		if (!(x))                                                                                              \
			abort();                                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The policy in plain numbers. */
struct limits {
	bool places, values, properties, priorities;
	unsigned classes;
	uint32_t lo, hi, priority, value;
};

static void policy(struct desk *d, const uint8_t p[6], struct limits *l)
{
	const struct vocabulary *v = vocabulary_of(PROTO_BACNET);
	struct command_row *row = desk_row(d);

	*l = (struct limits){ .places = p[0] & 1,
			      .values = p[0] & 2,
			      .properties = p[0] & 4,
			      .priorities = p[0] & 8,
			      .classes = p[1] & CLASS_ALL,
			      .lo = p[2],
			      .hi = p[2] + (uint32_t)p[3],
			      .priority = 1u + p[4] % 16u,
			      .value = p[5] };
	row->services = (struct number_set){ .first = d->table.n_ranges };
	for (unsigned i = 0; i < v->n_functions; i++)
		if (v->functions[i].classes != 0 && (v->functions[i].classes & ~l->classes) == 0 &&
		    v->functions[i].framing != FRAMING_APART)
			row->services.n +=
				desk_ranges(d, (uint32_t[]){ v->functions[i].code, v->functions[i].last }, 1).n;
	if (l->places)
		desk_space(d, row, BACNET_OBJECTS, desk_range(d, AO(l->lo), AO(l->hi)));
	if (l->properties)
		row->targets[BACNET_PROPERTY] = desk_range(d, BACNET_PROPERTY_OF(85, 0), BACNET_PROPERTY_OF(85, 511));
	if (l->priorities)
		row->targets[BACNET_PRIORITY] = desk_range(d, l->priority, 16);
	if (l->values)
		row->values = desk_range(d, 0, l->value);
}

/* ---- a device that takes any form of a tag --------------------------------------------------- */

struct reader {
	const uint8_t *p;
	size_t left;
};

struct tag {
	unsigned number, said;
	bool context;
	size_t n;
	const uint8_t *at;
};

static bool next(struct reader *r, struct tag *t)
{
	size_t head = 1;

	if (r->left == 0)
		return false;
	*t = (struct tag){ .number = r->p[0] >> 4, .said = r->p[0] & 7u, .context = (r->p[0] & 8) != 0 };
	if (t->number == 15) {
		if (r->left < 2)
			return false;
		t->number = r->p[head++];
	}
	t->n = t->said < 5 ? t->said : 0;
	if (t->said == 5) {
		unsigned width = 0;

		if (r->left < head + 1)
			return false;
		t->n = r->p[head++];
		width = t->n == 254 ? 2 : t->n == 255 ? 4 : 0;
		if (width > 0)
			t->n = 0;
		if (r->left < head + width)
			return false;
		while (width-- > 0)
			t->n = t->n << 8 | r->p[head++];
	}
	if (!t->context && t->number == 1)
		t->n = 0;
	if (r->left - head < t->n)
		return false;
	t->at = r->p + head;
	r->p += head + t->n;
	r->left -= head + t->n;
	return true;
}

static uint32_t number(const struct tag *t)
{
	uint32_t v = 0;

	for (size_t i = 0; i < t->n; i++)
		v = v << 8 | t->at[i];
	return v;
}

static bool is(struct reader *r, unsigned what, unsigned said, struct tag *t)
{
	struct reader before = *r;

	if (next(r, t) && t->context && t->number == what && (said == 0 ? t->said < 6 : t->said == said))
		return true;
	*r = before;
	return false;
}

/* Checks the first value, as a device converts it. */
static void written(const struct limits *l, struct reader *r, uint32_t property)
{
	struct tag t;
	float real;
	uint32_t v;

	MUST(l->classes & (property == 85 ? CLASS_WRITE : CLASS_PROGRAM));
	if (!l->values || !next(r, &t) || t.context)
		return;
	v = number(&t);
	switch (t.number) {
	case 1:
		MUST(t.said <= l->value);
		break;
	case 2:
	case 9:
		MUST(v <= l->value);
		break;
	case 3:
		MUST(t.n > 0 && (t.at[0] & 0x80) == 0 && v <= l->value);
		break;
	case 4:
		memcpy(&real, &v, 4);
		MUST(real >= 0.0f && real <= (float)l->value);
		break;
	case 5:
		break;
	default:
		MUST(false);
	}
}

static void touched(const struct limits *l, uint32_t object, uint32_t property)
{
	MUST(!l->places || (object >> 22 == 1 && (object & 0x3fffff) >= l->lo && (object & 0x3fffff) <= l->hi));
	MUST(!l->properties || property == 85);
}

/* Reads what follows an object: property and index, and of a write also value and priority. The
 * numbers of their tags begin with `base`. */
static bool element(const struct limits *l, struct reader *r, uint32_t object, unsigned base, bool writes)
{
	uint32_t property;
	struct tag t;

	if (!is(r, base, 0, &t))
		return false;
	property = number(&t);
	touched(l, object, property);
	is(r, base + 1, 0, &t);
	if (!writes)
		return true;
	if (!is(r, base + 2, 6, &t))
		return false;
	written(l, r, property);
	while (r->left > 0 && !is(r, base + 2, 7, &t))
		next(r, &t);
	if (is(r, base + 3, 0, &t))
		MUST(!l->priorities || number(&t) >= l->priority);
	else
		MUST(!l->priorities || 16 >= l->priority);
	return true;
}

static void second_reading(const struct limits *l, const uint8_t *p, size_t n)
{
	struct reader r;
	struct tag t;
	uint8_t service;

	MUST(p[0] == 0x81 && (p[2] << 8 | p[3]) == (int)n);
	if (p[1] != 10) {
		MUST(p[1] == 0x02 || p[1] == 0x06);
		return;
	}
	/* not routed to another network, and sent by the client itself */
	MUST(p[4] == 1 && (p[5] & 0x7c & ~4) == 0);
	if ((p[5] & 0x80) != 0 || p[6] >> 4 != 0)
		return;
	MUST((p[6] & 8) == 0);
	service = p[9];
	r = (struct reader){ p + 10, n - 10 };
	switch (service) {
	case 12:
	case 15:
		MUST(l->classes & (service == 12 ? CLASS_READ : CLASS_WRITE | CLASS_PROGRAM));
		if (is(&r, 0, 0, &t))
			element(l, &r, number(&t), 1, service == 15);
		break;
	case 14:
	case 16:
		MUST(l->classes & (service == 14 ? CLASS_READ : CLASS_WRITE | CLASS_PROGRAM));
		while (is(&r, 0, 0, &t)) {
			uint32_t object = number(&t);

			if (!is(&r, 1, 6, &t))
				break;
			while (element(l, &r, object, 0, service == 16)) {
			}
			is(&r, 1, 7, &t);
		}
		break;
	case 6:
	case 7:
	case 8:
	case 9:
	case 10:
	case 11:
		MUST(l->classes & CLASS_PROGRAM);
		MUST(!l->values);
		break;
	case 1:
	case 31:
		MUST(l->classes & CLASS_WRITE);
		break;
	case 0:
	case 2:
	case 17:
	case 19:
	case 27:
	case 32:
		MUST(l->classes & CLASS_CONTROL);
		break;
	case 20:
		MUST(l->classes & (CLASS_CONTROL | CLASS_PROGRAM));
		break;
	case 18:
	case 24:
	case 25:
	case 34:
		MUST(l->classes == CLASS_ALL && !l->places && !l->values && !l->properties);
		break;
	default:
		MUST(service < 35);
		break;
	}
}

static void mix(uint64_t *h, uint64_t v)
{
	*h = (*h ^ v) * 0x9e3779b97f4a7c15u;
	*h ^= *h >> 29;
}

static uint64_t life(const uint8_t *data, size_t size)
{
	static struct desk d;
	struct limits l;
	uint64_t h = 7;

	policy(&d, data, &l);
	data += 6;
	size -= 6;
	while (size >= 2) {
		enum direction dir = data[0] & 0x80 ? DIR_S2C : DIR_C2S;
		size_t n = data[1], len = 0;
		const uint8_t *copy;

		data += 2;
		size -= 2;
		n = n < size ? n : size;
		copy = exact_copy(data, n);
		if (bacnet_enforcer.frame(d.state, dir, bytes_of(copy, n), &len) == FRAME_WHOLE) {
			MUST(len == n);
			desk_judge(&d, dir, data, n);
			MUST(d.p.reason < REASON_COUNT);
			MUST(pending_state_used(&bacnet_enforcer, d.state) <= bacnet_enforcer.state_size);
			if (d.p.allowed && dir == DIR_C2S)
				second_reading(&l, copy, n);
			mix(&h, d.p.reason);
			mix(&h, d.p.function);
			mix(&h, d.p.address);
		}
		exact_done(copy, n);
		data += n;
		size -= n;
	}
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 6)
		return 0;
	MUST(life(data, size) == life(data, size));
	return 0;
}
