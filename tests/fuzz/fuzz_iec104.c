/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IEC 60870-5-104 enforcer. The input is a policy, which does not change, and then a whole
 * session in pieces of both directions.
 * LINK: $(COMMANDS_PARTS) dpi/iec104/%.c
 * LIBS: nettle
 *
 * Input: 8 bytes of policy (flags, words, two ends of objects, of values and of qualifiers), then
 * pieces: one byte whose top bit is the direction, one byte of length, the bytes. A session runs
 * twice, in these pieces and byte by byte, and must be judged in the same way; in a third run each
 * piece is a segment. The target aborts when a command is allowed that this policy does not allow,
 * by a second reading of the standard that shares no code with the enforcer, or when a verdict
 * depends on where the bytes were cut.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dpi/iec104_desk.h"

#define FUZZ_STREAM (IEC104_PDU_MAX + 512)
#include "tests/fuzz/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The policy in plain numbers. */
struct limits {
	bool places, values, qualifiers, station;
	unsigned classes;
	uint32_t place[2], value[2], qualifier[2];
};

static void policy(struct desk *d, const uint8_t p[8], struct limits *l)
{
	const struct vocabulary *v = &vocabulary_iec104;
	struct command_row *row = desk_row(d);

	*l = (struct limits){ .places = p[0] & 1,
			      .values = p[0] & 2,
			      .qualifiers = p[0] & 4,
			      .station = p[0] & 8,
			      .classes = p[1] & CLASS_ALL,
			      .place = { p[2], p[2] + (uint32_t)p[3] },
			      .value = { p[4], p[4] + (uint32_t)p[5] },
			      .qualifier = { 2u * p[6], 2u * p[6] + p[7] } };
	row->services = (struct number_set){ .first = d->table.n_ranges };
	for (unsigned i = 0; i < v->n_functions; i++)
		if (v->functions[i].classes != 0 && (v->functions[i].classes & ~l->classes) == 0)
			row->services.n +=
				desk_ranges(d, (uint32_t[]){ v->functions[i].code, v->functions[i].last }, 1).n;
	row->targets[0] = (struct number_set){ .any = true };
	if (l->station)
		row->targets[0] = desk_range(d, 1, 1);
	if (l->places)
		desk_space(d, row, IEC104_IOA, desk_ranges(d, l->place, 1));
	if (l->values)
		row->values = desk_ranges(d, l->value, 1);
	if (l->qualifiers)
		row->targets[3] = desk_ranges(d, l->qualifier, 1);
}

static uint32_t number(const uint8_t *p, unsigned width)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v |= (uint32_t)p[i] << 8 * i;
	return v;
}

static void is_between(bool limited, uint32_t v, const uint32_t ends[2])
{
	MUST(!limited || (v >= ends[0] && v <= ends[1]));
}

/* Reads an I frame of the client that was allowed: `p` is its ASDU, of n bytes. */
static void second_reading(const struct limits *l, const uint8_t *p, size_t n)
{
	unsigned type = p[0], class = type <= 47 || (type >= 58 && type <= 60) ? CLASS_CONTROL : CLASS_WRITE;
	const uint8_t *o = p + 9;
	size_t object = n - 9;

	MUST(n >= 9 && type >= 45 && p[1] == 1 && number(p + 4, 2) != 0);
	MUST(number(p + 4, 2) == 1 || (!l->station && number(p + 4, 2) != 65535));
	if (type == 100 || type == 102 || (type == 101 && o[0] < 64))
		class = CLASS_READ;
	else if (type == 101 || type == 103 || type == 105 || type == 106)
		class = CLASS_CONTROL;
	else if (type == 104 || type == 107)
		class = CLASS_DIAGNOSE;
	else if (type >= 120)
		class = CLASS_PROGRAM;
	MUST((l->classes & class) != 0);
	if (type >= 100 && type <= 107 && type != 102)
		MUST(number(p + 6, 3) == 0);
	else
		is_between(l->places, number(p + 6, 3), l->place);
	switch (type) {
	case 45:
	case 58:
		is_between(l->values, o[0] & 1u, l->value);
		is_between(l->qualifiers, (o[0] >> 2 & 31u) | (o[0] >> 7) * 256u, l->qualifier);
		break;
	case 46:
	case 47:
	case 59:
	case 60:
		is_between(l->values, o[0] & 3u, l->value);
		is_between(l->qualifiers, (o[0] >> 2 & 31u) | (o[0] >> 7) * 256u, l->qualifier);
		break;
	case 48:
	case 49:
	case 61:
	case 62:
		MUST(object == (type < 60 ? 3 : 10));
		is_between(l->values, number(o, 2), l->value);
		is_between(l->qualifiers, (o[2] & 127u) | (o[2] >> 7) * 256u, l->qualifier);
		break;
	case 50:
	case 63:
		MUST(object == (type < 60 ? 5 : 12));
		is_between(l->values, number(o, 4), l->value);
		is_between(l->qualifiers, (o[4] & 127u) | (o[4] >> 7) * 256u, l->qualifier);
		break;
	case 51:
	case 64:
		is_between(l->values, number(o, 4), l->value);
		break;
	case 110:
	case 111:
		is_between(l->values, number(o, 2), l->value);
		is_between(l->qualifiers, o[2], l->qualifier);
		break;
	case 112:
		is_between(l->values, number(o, 4), l->value);
		is_between(l->qualifiers, o[4], l->qualifier);
		break;
	case 100:
	case 101:
	case 105:
	case 113:
		is_between(l->qualifiers, o[0], l->qualifier);
		break;
	case 102:
	case 103:
	case 104:
	case 106:
	case 107:
		break;
	default: /* files */
		MUST(type >= 120 && type <= 127 && type != 126 && !l->values);
		break;
	}
}

/* ---- a life ---------------------------------------------------------------------------------- */

static void mix(uint64_t *h, uint64_t v)
{
	*h = (*h ^ v) * 0x9e3779b97f4a7c15u;
	*h ^= *h >> 29;
}

/* Judges each whole PDU; false when the flow ends. */
static bool turn(struct desk *d, const struct limits *l, struct stream *s, enum direction dir, uint64_t *h)
{
	enum frame_result r;
	size_t len;

	while ((r = next_pdu(d, s, dir, 6, &len)) == FRAME_WHOLE) {
		if (d->p.allowed && dir == DIR_C2S && (s->bytes[2] & 1) == 0)
			second_reading(l, s->bytes + 6, len - 6);
		mix(h, d->p.reason);
		mix(h, d->p.function);
		mix(h, d->p.address);
		if (!d->p.allowed)
			return false;
		stream_drop(s, len);
	}
	if (r == FRAME_BAD)
		mix(h, 1);
	return r == FRAME_NEED_MORE;
}

/* Whether a segment may pass, given what was carried over before it. */
static bool may_pass(struct desk *d, const struct stream *s, size_t carried)
{
	const uint8_t *copy = exact_copy(s->bytes, s->n);
	bool may = iec104_enforcer.segment(d->state, 0, carried, false, bytes_of(copy, s->n), &d->table, &d->permit,
					   &d->p);

	exact_done(copy, s->n);
	return may;
}

static uint64_t life(const uint8_t *data, size_t size, bool by_byte, bool as_segments)
{
	static struct desk d;
	static struct stream streams[2];
	struct limits l;
	uint64_t h = 7;

	policy(&d, data, &l);
	if ((data[0] & 16) != 0)
		pending_missed(&iec104_enforcer, d.state, (data[0] & 32) != 0);
	streams[0].n = streams[1].n = 0;
	data += 8;
	size -= 8;
	while (size >= 2) {
		enum direction dir = data[0] & 0x80 ? DIR_S2C : DIR_C2S;
		size_t n = data[1];

		data += 2;
		size -= 2;
		n = n < size ? n : size;
		for (size_t done = 0; done < n;) {
			struct stream *s = &streams[dir];
			size_t part = by_byte ? 1 : n - done, carried = s->n;

			memcpy(s->bytes + s->n, data + done, part);
			s->n += part;
			done += part;
			if (as_segments && dir == DIR_C2S && !may_pass(&d, s, carried))
				return h;
			if (!turn(&d, &l, s, dir, &h))
				return h;
		}
		data += n;
		size -= n;
	}
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 8)
		return 0;
	MUST(life(data, size, false, false) == life(data, size, true, false));
	life(data, size, false, true);
	return 0;
}
