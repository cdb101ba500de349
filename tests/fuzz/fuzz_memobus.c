/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MEMOBUS enforcer. The input is a policy, which does not change, and then a whole session in
 * pieces of both directions.
 * LINK: $(COMMANDS_PARTS) dpi/memobus/%.c
 * LIBS: nettle
 *
 * Input: 8 bytes of policy (flags, words, two ends of places and of values, CPU, space), then
 * pieces: one byte whose top bit is the direction, one byte of length, the bytes. The session runs
 * as in session.h. The target aborts when a message is allowed that this policy does not allow, by
 * a second reading of the manual that shares no code with the enforcer, or when a verdict depends
 * on where the bytes were cut.
 */
#include <stdlib.h>
#include <string.h>

#include "dpi/once.h"
#include "tests/unit/dpi/memobus_desk.h"

/* The policy in plain numbers. */
struct limits {
	bool places, values, cpu;
	unsigned classes, only_cpu;
	uint8_t space;
	uint32_t place[2], value[2];
};

#define FUZZ_STREAM (MEMOBUS_PDU_MAX + 512)
#define FUZZ_POLICY 8u
#define FUZZ_LEAST 13u
#include "tests/fuzz/session.h"

static void policy(struct desk *d, const uint8_t p[8], struct limits *l)
{
	struct command_row *row = desk_row(d);

	*l = (struct limits){ .places = p[0] & 1,
			      .values = p[0] & 2,
			      .cpu = p[0] & 4,
			      .classes = p[1] & CLASS_ALL,
			      .place = { p[2], p[2] + (uint32_t)p[3] },
			      .value = { p[4], p[4] + (uint32_t)p[5] },
			      .only_cpu = p[6] & 15u,
			      .space = p[7] % MEMOBUS_SPACES };
	allow_services(d, row, l->classes, true);
	if (l->cpu)
		row->targets[0] = desk_range(d, l->only_cpu, l->only_cpu);
	if (l->places)
		desk_space(d, row, l->space, desk_ranges(d, l->place, 1));
	if (l->values)
		row->values = desk_ranges(d, l->value, 1);
}

static uint32_t high(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static void touches(const struct limits *l, unsigned space, uint64_t first, uint64_t n)
{
	MUST(n > 0 && first + n - 1 <= (space < 4 ? 0xffffu : 0xffffffffu));
	MUST(!l->places || (space == l->space && first >= l->place[0] && first + n - 1 <= l->place[1]));
}

static void writes(const struct limits *l, uint32_t v)
{
	MUST(!l->values || (v >= l->value[0] && v <= l->value[1]));
}

static void writes_bits(const struct limits *l, const uint8_t *p, uint32_t n, size_t left)
{
	MUST(left == (n + 7) / 8);
	for (uint32_t i = 0; i < n; i++)
		writes(l, (unsigned)p[i / 8] >> i % 8 & 1u);
}

static void writes_words(const struct limits *l, const uint8_t *p, uint32_t n, size_t left, bool big)
{
	MUST(left == 2 * (size_t)n);
	for (uint32_t i = 0; i < n; i++)
		writes(l, big ? high(p + 2 * i) : low_first(p + 2 * i, 2));
}

/* Reads the functions 01 to 06, 0F and 10; `p` is behind the CPU number. */
static void second_reading_short(const struct limits *l, unsigned sub, const uint8_t *p, size_t n)
{
	static const uint8_t spaces[] = { 0, 0, 1, 3, 2, 0, 3 };
	unsigned space = sub < 7 ? spaces[sub] : sub == 15 ? 0 : 3;

	MUST(n >= 4);
	if (sub == 5 || sub == 6) {
		MUST(n == 4);
		touches(l, space, high(p), 1);
		MUST(sub == 6 || (p[3] == 0 && (p[2] == 0 || p[2] == 0xff)));
		writes(l, sub == 6 ? high(p + 2) : p[2] & 1u);
		return;
	}
	touches(l, space, high(p), high(p + 2));
	if (sub == 15)
		writes_bits(l, p + 4, high(p + 2), n - 4);
	else if (sub == 16)
		writes_words(l, p + 4, high(p + 2), n - 4, true);
	else
		MUST(n == 4);
}

static void second_reading_extended(const struct limits *l, unsigned sub, const uint8_t *p, size_t n)
{
	uint32_t items = low_first(p + 1, 2);

	MUST(n >= 3 && p[0] == 0);
	if (sub == 13 || sub == 14) {
		MUST(n == 3 + (size_t)items * (sub == 13 ? 2 : 4));
		for (uint32_t i = 0; i < items; i++) {
			touches(l, 3, low_first(p + 3 + (size_t)i * (sub == 13 ? 2 : 4), 2), 1);
			if (sub == 14)
				writes(l, low_first(p + 5 + (size_t)i * 4, 2));
		}
		return;
	}
	MUST(n >= 5);
	touches(l, sub == 10 ? 2 : 3, low_first(p + 1, 2), low_first(p + 3, 2));
	if (sub == 11)
		writes_words(l, p + 5, low_first(p + 3, 2), n - 5, false);
	else
		MUST(n == 5);
}

static void second_reading_registers(const struct limits *l, unsigned sub, const uint8_t *p, size_t n)
{
	static const char types[] = "MGIOS";
	const char *type;
	uint32_t items;

	if (sub == 0x4d || sub == 0x4e) {
		MUST(n >= 3 && p[0] == 0 && !l->places && (sub == 0x4d || !l->values));
		return;
	}
	MUST(n >= 9 && p[0] == 0 && p[1] != 0 && p[2] == 0);
	type = strchr(types, p[1]);
	MUST(type != NULL);
	items = sub == 0x4f ? low_first(p + 7, 4) : low_first(p + 7, 2);
	if (sub == 0x45 || sub == 0x46)
		items = 1;
	touches(l, (sub == 0x41 || sub == 0x45 || sub == 0x4f ? 9u : 4u) + (unsigned)(type - types),
		low_first(p + 3, 4), items);
	if (sub == 0x45) {
		MUST(n == 9 && p[8] == 0 && (p[7] == 0 || p[7] == 0xff));
		writes(l, p[7] & 1u);
	} else if (sub == 0x46) {
		MUST(n == 9);
		writes(l, low_first(p + 7, 2));
	} else if (sub == 0x4b) {
		writes_words(l, p + 9, items, n - 9, false);
	} else if (sub == 0x4f) {
		writes_bits(l, p + 11, items, n - 11);
	} else {
		MUST(n == 9 || (sub == 0x41 && n == 11 && p[9] == 0 && p[10] == 0));
	}
}

/* Reads a message of the client that was allowed. */
static void second_reading(const struct limits *l, const uint8_t *m, size_t n)
{
	static const uint32_t reads = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 9 | 1u << 10 | 1u << 13;
	unsigned class = CLASS_WRITE, sub;

	MUST(low_first(m + 6, 2) == n && low_first(m + 4, 2) == 0 && low_first(m + 8, 4) == 0);
	if (m[0] == 0x12) {
		MUST((l->classes & CLASS_WRITE) != 0 && !l->places && !l->values);
		return;
	}
	MUST(m[0] == 0x11 && n >= 17 && low_first(m + 12, 2) == n - 14 && (m[14] == 0x20 || m[14] == 0x43));
	MUST(!l->cpu || m[16] >> 4 == (int)l->only_cpu);
	sub = m[15];
	if (m[14] == 0x43) {
		if (sub == 0x41 || sub == 0x49 || sub == 0x4d)
			class = CLASS_READ;
		second_reading_registers(l, sub, m + 17, n - 17);
	} else if (sub == 8) {
		class = CLASS_DIAGNOSE;
		MUST(n == 21 && high(m + 17) == 0);
	} else if (sub <= 6 || sub == 15 || sub == 16) {
		class = sub < 16 && (reads >> sub & 1u) != 0 ? CLASS_READ : CLASS_WRITE;
		second_reading_short(l, sub, m + 17, n - 17);
	} else if (sub <= 14) {
		class = (reads >> sub & 1u) != 0 ? CLASS_READ : CLASS_WRITE;
		second_reading_extended(l, sub, m + 17, n - 17);
	} else {
		MUST(sub >= 0x21 && sub <= 0x4f && !l->places && (!l->values || sub == 0x32));
		class = sub == 0x32 ? CLASS_READ : sub == 0x31 || sub == 0x33 ? CLASS_WRITE : CLASS_PROGRAM;
	}
	MUST((l->classes & class) != 0);
}

/* ---- a life ---------------------------------------------------------------------------------- */

static void begin_session(struct session *s, const uint8_t *p)
{
	policy(&s->d, p, &s->l);
	if ((p[0] & 16) != 0)
		pending_missed(&memobus_enforcer, s->d.state, (p[0] & 32) != 0);
}

static bool send_piece(struct session *s, enum direction dir, uint8_t flags, const uint8_t *p, size_t n)
{
	(void)flags;
	return send_bytes(s, dir, p, n);
}

static void is_allowed(const struct session *s, enum direction dir, const uint8_t *pdu, size_t n)
{
	if (dir == DIR_C2S)
		second_reading(&s->l, pdu, n);
}
