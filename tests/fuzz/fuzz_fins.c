/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FINS enforcer. The input is a policy, which does not change, and then a whole session in
 * pieces of both directions, or a flow of datagrams.
 * LINK: $(COMMANDS_PARTS) dpi/fins/%.c
 * LIBS: nettle
 *
 * Input: 8 bytes of policy (flags, words, two ends of D and of W in bits, two of values), then
 * pieces: one byte whose top bit is the direction, one byte of length, the bytes. The session runs
 * as in session.h. In a flow each piece is a datagram. The target aborts when a PDU is allowed that
 * this policy does not allow, by a second reading of the manuals that shares no code with the
 * enforcer, or when a verdict depends on where the bytes were cut.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dpi/fins_desk.h"

/* The policy in plain numbers. */
struct limits {
	bool places, values, datagrams, node;
	unsigned classes;
	uint32_t d[2], w[2], v[2];
};

#define FUZZ_STREAM (FINS_PDU_MAX + 512)
#define FUZZ_POLICY 8u
#define FUZZ_LEAST 16u
#include "tests/fuzz/session.h"

static void policy(struct desk *d, const uint8_t p[8], struct limits *l)
{
	struct command_row *row = desk_row(d);

	*l = (struct limits){ .places = p[0] & 1,
			      .values = p[0] & 2,
			      .datagrams = p[0] & 4,
			      .node = p[0] & 8,
			      .classes = p[1] & CLASS_ALL,
			      .d = { p[2], p[2] + (uint32_t)p[3] },
			      .w = { p[4], p[4] + (uint32_t)p[5] },
			      .v = { p[6], p[6] + (uint32_t)p[7] } };
	d->grants[0].lenient = p[0] >> 4 & 3;
	allow_services(d, row, l->classes, false);
	if (l->node)
		row->targets[1] = desk_range(d, 10, 10);
	if (l->places) {
		desk_space(d, row, FINS_W, desk_ranges(d, l->w, 1));
		desk_space(d, row, FINS_D, desk_ranges(d, l->d, 1));
	}
	if (l->values)
		row->values = desk_ranges(d, l->v, 1);
}

/* ---- a second reading: DM and W by words and bits (W342, 5-2) -------------------------------- */

static uint32_t number(const uint8_t *p, unsigned width)
{
	uint32_t v = 0;

	while (width-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* The policy must allow `n` items from the four bytes of address at `p` on. Returns the bytes of an
 * item, 0 for areas that this reading does not know. */
static unsigned touches(const struct limits *l, const uint8_t *p, uint32_t n)
{
	uint32_t word = number(p + 1, 2), bit = p[3], first, last;

	switch (p[0]) {
	case 0x82:
	case 0x02:
		first = word;
		last = p[0] == 0x82 ? word + n - 1 : word + (bit + n - 1) / 16;
		break;
	case 0xb1:
	case 0xf1:
		first = 16 * word;
		last = first + 16 * n - 1;
		break;
	case 0x31:
	case 0x71:
		first = 16 * word + bit;
		last = first + n - 1;
		break;
	default: /* neither of the row's two areas: nothing of it passes if addresses are limited */
		MUST(!l->places);
		return 0;
	}
	if (l->places) {
		const uint32_t *range = (p[0] & 0x0f) == 2 ? l->d : l->w;

		MUST(bit <= 15 && (bit == 0 || p[0] < 0x80));
		MUST(n > 0 && first >= range[0] && last <= range[1]);
	}
	return p[0] == 0xf1 ? 4 : p[0] >= 0x80 ? 2 : 1;
}

/* The policy must allow writing the value `v` at the address at `p`. */
static void writes(const struct limits *l, const uint8_t *p, uint32_t v)
{
	if (!l->values)
		return;
	/* writes a bit of a word, or forced bits: the resulting value would be unknown */
	MUST(p[0] != 0x02 && p[0] != 0x71 && p[0] != 0xf1);
	/* the row's range must be exactly one value of this width */
	if (p[0] == 0x31 || p[0] == 0xb1)
		MUST(l->places && l->w[1] - l->w[0] == (p[0] == 0x31 ? 0u : 15u));
	MUST(v >= l->v[0] && v <= l->v[1]);
}

static void second_reading(const struct limits *l, const uint8_t *f, size_t n)
{
	uint32_t command = number(f + 10, 2), count;
	const uint8_t *p = f + 12;
	unsigned size;

	MUST(n >= 12 && (f[0] & 0x7e) == 0 && f[1] == 0 && f[2] <= 7);
	MUST(l->node ? f[4] == 10 : f[4] != 255);
	n -= 12;
	switch (command >> 8) {
	case 0x02:
	case 0x03:
	case 0x22:
	case 0x27:
		MUST(l->classes & CLASS_PROGRAM || command == 0x2720 || command >= 0x2731);
		break;
	case 0x04:
	case 0x0c:
		MUST(l->classes & CLASS_CONTROL);
		break;
	case 0x23:
		MUST(command == 0x230a || ((l->classes & CLASS_CONTROL) && (l->classes & CLASS_WRITE)));
		break;
	default:
		break;
	}
	switch (command) {
	case 0x0101:
		MUST(n == 6 && (l->classes & CLASS_READ));
		touches(l, p, number(p + 4, 2));
		break;
	case 0x0104:
		MUST(n > 0 && n % 4 == 0 && (l->classes & CLASS_READ));
		for (; n > 0; n -= 4, p += 4)
			touches(l, p, 1);
		break;
	case 0x0102:
	case 0x0103:
		MUST(l->classes & CLASS_WRITE);
		count = number(p + 4, 2);
		size = touches(l, p, count);
		MUST(command == 0x0103 ? n == 8 : size == 0 || n == 6 + count * size);
		for (uint32_t i = 0; size > 0 && i < (command == 0x0103 ? 1 : count); i++)
			writes(l, p,
			       command == 0x0103 ? (size == 1 ? UINT32_MAX : number(p + 6, 2))
						 : number(p + 6 + i * size, size));
		break;
	case 0x0105:
		MUST(n == 10 && (l->classes & CLASS_READ) && (l->classes & CLASS_WRITE) && !l->values);
		touches(l, p, number(p + 8, 2));
		touches(l, p + 4, number(p + 8, 2));
		break;
	case 0x220a:
		MUST(n >= 22 && (l->classes & CLASS_WRITE) && number(p, 2) <= 2);
		MUST(number(p, 2) != 1 || !l->values);
		touches(l, p + 2, number(p + 6, 2));
		break;
	case 0x2301:
		count = number(p, 2);
		MUST(count > 0 && n == 2 + 6 * count);
		for (p += 2; count > 0; count--, p += 6)
			if (touches(l, p + 2, 1) == 1)
				writes(l, p + 2, number(p, 2) == 0xffff ? UINT32_MAX : p[1]);
		break;
	case 0x2302:
		MUST(!l->places && !l->values);
		break;
	default:
		MUST(!l->places || (command >> 8 != 0x02 && command >> 8 != 0x03 && command >> 8 != 0x22));
		break;
	}
}

/* ---- a life ---------------------------------------------------------------------------------- */

static void begin_session(struct session *s, const uint8_t *p)
{
	policy(&s->d, p, &s->l);
	fins_enforcer.begin(s->d.state, s->l.datagrams, 9600);
}

static void is_allowed(const struct session *s, enum direction dir, const uint8_t *pdu, size_t n)
{
	size_t head = s->l.datagrams ? 0 : 16;

	if (dir == DIR_C2S && (s->l.datagrams || pdu[11] == 2))
		second_reading(&s->l, pdu + head, n - head);
}

static bool send_piece(struct session *s, enum direction dir, uint8_t flags, const uint8_t *p, size_t n)
{
	const uint8_t *copy;
	size_t len;

	(void)flags;
	if (!s->l.datagrams)
		return send_bytes(s, dir, p, n);
	copy = exact_copy(p, n);
	if (fins_enforcer.frame(s->d.state, dir, bytes_of(copy, n), &len) == FRAME_WHOLE) {
		MUST(len == n);
		desk_judge(&s->d, dir, p, n);
		MUST(s->d.p.reason < REASON_COUNT);
		judged(s, dir, p, n);
	}
	exact_done(copy, n);
	return true;
}
