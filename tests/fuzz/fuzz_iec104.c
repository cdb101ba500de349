/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IEC 60870-5-104 enforcer. The input is a policy, which does not change, and then a whole
 * session in pieces of both directions.
 * LINK: $(COMMANDS_PARTS) dpi/iec104/%.c
 * LIBS: nettle
 *
 * Input: 8 bytes of policy (flags, words, two ends of objects, of values and of qualifiers), then
 * pieces: one byte whose top bit is the direction, one byte of length, the bytes. The session runs
 * as in session.h. The target aborts when a command is allowed that this policy does not allow, by
 * a second reading of the standard that shares no code with the enforcer, or when a verdict depends
 * on where the bytes were cut.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dpi/iec104_desk.h"

/* The policy in plain numbers. */
struct limits {
	bool places, values, qualifiers, station;
	unsigned classes;
	uint32_t place[2], value[2], qualifier[2];
};

#define FUZZ_STREAM (IEC104_PDU_MAX + 512)
#define FUZZ_POLICY 8u
#define FUZZ_LEAST 6u
#include "tests/fuzz/session.h"

static void policy(struct desk *d, const uint8_t p[8], struct limits *l)
{
	struct command_row *row = desk_row(d);

	*l = (struct limits){ .places = p[0] & 1,
			      .values = p[0] & 2,
			      .qualifiers = p[0] & 4,
			      .station = p[0] & 8,
			      .classes = p[1] & CLASS_ALL,
			      .place = { p[2], p[2] + (uint32_t)p[3] },
			      .value = { p[4], p[4] + (uint32_t)p[5] },
			      .qualifier = { 2u * p[6], 2u * p[6] + p[7] } };
	allow_services(d, row, l->classes, false);
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

/* Reads an I frame of the client that was allowed: `p` is its ASDU, of n bytes. */
static void second_reading(const struct limits *l, const uint8_t *p, size_t n)
{
	unsigned type = p[0], class = type <= 47 || (type >= 58 && type <= 60) ? CLASS_CONTROL : CLASS_WRITE;
	const uint8_t *o = p + 9;
	size_t object = n - 9;

	MUST(n >= 9 && type >= 45 && p[1] == 1 && low_first(p + 4, 2) != 0);
	MUST(low_first(p + 4, 2) == 1 || (!l->station && low_first(p + 4, 2) != 65535));
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
		MUST(low_first(p + 6, 3) == 0);
	else
		is_between(l->places, low_first(p + 6, 3), l->place);
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
		is_between(l->values, low_first(o, 2), l->value);
		is_between(l->qualifiers, (o[2] & 127u) | (o[2] >> 7) * 256u, l->qualifier);
		break;
	case 50:
	case 63:
		MUST(object == (type < 60 ? 5 : 12));
		is_between(l->values, low_first(o, 4), l->value);
		is_between(l->qualifiers, (o[4] & 127u) | (o[4] >> 7) * 256u, l->qualifier);
		break;
	case 51:
	case 64:
		is_between(l->values, low_first(o, 4), l->value);
		break;
	case 110:
	case 111:
		is_between(l->values, low_first(o, 2), l->value);
		is_between(l->qualifiers, o[2], l->qualifier);
		break;
	case 112:
		is_between(l->values, low_first(o, 4), l->value);
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

static void begin_session(struct session *s, const uint8_t *p)
{
	policy(&s->d, p, &s->l);
	if ((p[0] & 16) != 0)
		pending_missed(&iec104_enforcer, s->d.state, (p[0] & 32) != 0);
}

static bool send_piece(struct session *s, enum direction dir, uint8_t flags, const uint8_t *p, size_t n)
{
	(void)flags;
	return send_bytes(s, dir, p, n);
}

static void is_allowed(const struct session *s, enum direction dir, const uint8_t *pdu, size_t n)
{
	if (dir == DIR_C2S && (pdu[2] & 1) == 0)
		second_reading(&s->l, pdu + 6, n - 6);
}
