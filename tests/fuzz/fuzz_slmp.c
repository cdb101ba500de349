/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SLMP enforcer. The input is a policy, which does not change, and then a whole session in
 * pieces of both directions.
 * LINK: $(COMMANDS_PARTS) dpi/slmp/%.c
 * LIBS: nettle
 *
 * Input: 8 bytes of policy (flags, words, two ends of D and of M, two of values), then pieces: one
 * byte whose top bit is the direction, one byte of length, the bytes. The session runs as in
 * session.h. The target aborts when a PDU is allowed that this policy does not allow, by a second
 * reading of the manual that shares no code with the enforcer, or when a verdict depends on where
 * the bytes were cut.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dpi/slmp_desk.h"

/* The policy in plain numbers. */
struct limits {
	bool places, values;
	unsigned classes;
	uint32_t d[2], m[2], v[2];
};

#define FUZZ_STREAM (SLMP_PDU_MAX + 512)
#define FUZZ_POLICY 8u
#define FUZZ_LEAST 11u
#include "tests/fuzz/session.h"

static void policy(struct desk *d, const uint8_t p[8], struct limits *l)
{
	struct command_row *row = desk_row(d);

	*l = (struct limits){ .places = p[0] & 1,
			      .values = p[0] & 2,
			      .classes = p[1] & CLASS_ALL,
			      .d = { p[2], p[2] + (uint32_t)p[3] },
			      .m = { p[4], p[4] + (uint32_t)p[5] },
			      .v = { p[6], p[6] + (uint32_t)p[7] } };
	d->grants[0].lenient = p[0] >> 4 & 3;
	allow_services(d, row, l->classes, true);
	if (l->places) {
		desk_space(d, row, SLMP_M, desk_ranges(d, l->m, 1));
		desk_space(d, row, SLMP_D, desk_ranges(d, l->d, 1));
	}
	if (l->values)
		row->values = desk_ranges(d, l->v, 1);
}

/* ---- a second reading: batch and random access of MELSEC-Q and L, in both codings ------------ */

struct second {
	const uint8_t *p;
	bool ascii;
};

static uint32_t hexes(const uint8_t *p, unsigned digits)
{
	char s[12] = { 0 };

	memcpy(s, p, digits);
	return (uint32_t)strtoul(s, NULL, 16);
}

static uint32_t second_number(struct second *s, unsigned width)
{
	uint32_t v = 0;

	if (s->ascii)
		v = hexes(s->p, 2 * width);
	else
		for (unsigned i = width; i > 0; i--)
			v = v << 8 | s->p[i - 1];
	s->p += s->ascii ? 2 * width : width;
	return v;
}

/* 'D', 'M' or another. */
static char second_device(struct second *s, uint32_t *ret_number)
{
	char text[8] = { 0 }, letter = '?';

	if (s->ascii) {
		memcpy(text, s->p + 2, 6);
		*ret_number = (uint32_t)strtoul(text, NULL, 10);
		letter = s->p[1] == '*' || s->p[1] == ' ' ? (char)s->p[0] : '?';
		s->p += 8;
		return letter;
	}
	*ret_number = second_number(s, 3);
	letter = s->p[0] == 0xa8 ? 'D' : s->p[0] == 0x90 ? 'M' : '?';
	s->p++;
	return letter;
}

static void touches(const struct limits *l, char device, uint32_t first, uint32_t words, uint32_t bits)
{
	const uint32_t *range = device == 'D' ? l->d : l->m;
	uint32_t count = words + bits;

	if (!l->places)
		return;
	MUST(device == 'D' || device == 'M');
	if (device == 'M')
		count = 16 * words + bits;
	MUST(first >= range[0] && first + count - 1 <= range[1]);
}

static void writes_word(const struct limits *l, char device, uint32_t v)
{
	/* Values without addresses limit every device; this reading knows the width of only two
	 * devices. */
	if (!l->values || (device != 'D' && device != 'M'))
		return;
	if (device == 'D')
		MUST(v >= l->v[0] && v <= l->v[1]);
	for (unsigned i = 0; i < 16 && device == 'M'; i++)
		MUST((v >> i & 1u) >= l->v[0] && (v >> i & 1u) <= l->v[1]);
}

static void second_reading(const struct limits *l, const uint8_t *pdu, size_t n)
{
	struct second s = { .ascii = pdu[0] == '5' };
	bool four = s.ascii ? pdu[1] == '4' : pdu[0] == 0x54;
	uint32_t length, command, sub, count, first, doubles;
	char device;

	s.p = pdu + (s.ascii ? 2 : 1) * (four ? 11 : 7);
	length = second_number(&s, 2);
	MUST((size_t)(s.p - pdu) + length == n);
	second_number(&s, 2);
	command = second_number(&s, 2);
	sub = second_number(&s, 2);
	if (command >> 8 == 0x14 || command >> 8 == 0x16)
		MUST(l->classes & (command == 0x1617 || command >= 0x1630 ? CLASS_CONTROL : CLASS_WRITE));
	if (command >> 8 == 0x10)
		MUST(l->classes & CLASS_CONTROL);
	if (command >> 8 == 0x18)
		MUST(l->classes & CLASS_PROGRAM);
	if (command == 0x0401 || command == 0x0403 || command == 0x0406)
		MUST(l->classes & CLASS_READ);
	if (sub > 1)
		return;
	switch (command) {
	case 0x0401:
	case 0x1401:
		device = second_device(&s, &first);
		count = second_number(&s, 2);
		touches(l, device, first, sub ? 0 : count, sub ? count : 0);
		for (uint32_t i = 0; i < count && command == 0x1401 && !sub; i++)
			writes_word(l, device, second_number(&s, 2));
		for (uint32_t i = 0; i < count && command == 0x1401 && sub && l->values; i++) {
			uint32_t v = s.ascii ? s.p[i] - (uint32_t)'0'
					     : (uint32_t)(i % 2 ? s.p[i / 2] & 15 : s.p[i / 2] >> 4);

			MUST(device != 'D' && v >= l->v[0] && v <= l->v[1]);
		}
		break;
	case 0x0403:
	case 0x1402:
		count = second_number(&s, 1);
		doubles = sub ? 0 : second_number(&s, 1);
		for (uint32_t i = 0; i < count + doubles; i++) {
			uint32_t v;

			device = second_device(&s, &first);
			touches(l, device, first, sub ? 0 : i < count ? 1 : 2, sub);
			if (command == 0x0403)
				continue;
			v = second_number(&s, sub ? 1 : i < count ? 2 : 4);
			if (sub && l->values)
				MUST(device != 'D' && v >= l->v[0] && v <= l->v[1]);
			if (!sub)
				writes_word(l, device, v & 0xffff);
			if (!sub && i >= count)
				writes_word(l, device, v >> 16);
		}
		break;
	default:
		break;
	}
}

/* ---- a life ---------------------------------------------------------------------------------- */

static void begin_session(struct session *s, const uint8_t *p)
{
	policy(&s->d, p, &s->l);
}

static bool send_piece(struct session *s, enum direction dir, uint8_t flags, const uint8_t *p, size_t n)
{
	(void)flags;
	return send_bytes(s, dir, p, n);
}

/* Both ends may ask. */
static void is_allowed(const struct session *s, enum direction dir, const uint8_t *pdu, size_t n)
{
	(void)dir;
	if (pdu[0] == '5' || pdu[0] == 0x50 || pdu[0] == 0x54)
		second_reading(&s->l, pdu, n);
}
