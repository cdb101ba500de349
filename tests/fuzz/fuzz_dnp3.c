/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DNP3 enforcer. The input is a policy, which does not change, and then a whole session in
 * pieces of both directions.
 * LINK: $(COMMANDS_PARTS) dpi/dnp3/%.c
 * LIBS: nettle
 *
 * Input: 8 bytes of policy (flags, words, two ends of points, of values and of control codes), then
 * pieces: one byte of flags, one byte of length, the bytes. Flags: 80 = from the server; 40 = the
 * bytes are sent as they are, otherwise as a fragment that is put into frames, so that the
 * checksums are right; the lowest bits = length of its segments. A session of TCP runs as in
 * session.h. Over UDP each piece is a datagram. The target aborts when a request is allowed that
 * this policy does not allow, by a second reading of the standard that shares no code with the
 * enforcer, or when a verdict depends on where the bytes were cut.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dpi/dnp3_desk.h"

/* The policy in plain numbers. */
struct limits {
	bool places, values, codes, station, datagrams;
	unsigned classes;
	uint32_t place[2], value[2], code[2];
};

#define FUZZ_STREAM (DNP3_PDU_MAX + 5000)
#define FUZZ_POLICY 8u
#define FUZZ_LEAST 10u
#include "tests/fuzz/session.h"

static void policy(struct desk *d, const uint8_t p[8], struct limits *l)
{
	struct command_row *row = desk_row(d);

	*l = (struct limits){ .places = p[0] & 1,
			      .values = p[0] & 2,
			      .codes = p[0] & 4,
			      .station = p[0] & 8,
			      .classes = p[1] & CLASS_ALL,
			      .place = { p[2], p[2] + (uint32_t)p[3] },
			      .value = { p[4], p[4] + (uint32_t)p[5] },
			      .code = { p[6], p[6] + (uint32_t)p[7] > 255 ? 255u : p[6] + (uint32_t)p[7] } };
	allow_services(d, row, l->classes, false);
	row->targets[DNP3_OUTSTATION] = (struct number_set){ .any = true };
	if (l->station)
		row->targets[DNP3_OUTSTATION] = desk_range(d, OUTSTATION, OUTSTATION);
	if (l->places) {
		desk_space(d, row, DNP3_BINARY_OUTPUTS, desk_ranges(d, l->place, 1));
		desk_space(d, row, DNP3_ANALOG_INPUTS, desk_ranges(d, l->place, 1));
		desk_space(d, row, DNP3_ANALOG_OUTPUTS, desk_ranges(d, l->place, 1));
	}
	if (l->values)
		row->values = desk_ranges(d, l->value, 1);
	if (l->codes)
		row->targets[DNP3_CODE] = desk_ranges(d, l->code, 1);
}

/* ---- a second reading ------------------------------------------------------------------------ */

static unsigned class_of(unsigned function, unsigned group)
{
	bool file = group == 70, terminal = group == 112 || group == 113;

	if (group >= 120 && group <= 122)
		return CLASS_ALL;
	switch (function) {
	case 1:
		return file || terminal ? CLASS_PROGRAM : CLASS_READ;
	case 2:
		return file || terminal		    ? CLASS_PROGRAM
		       : group >= 50 && group <= 52 ? CLASS_CONTROL
		       : group == 80		    ? CLASS_CONTROL
						    : CLASS_WRITE;
	case 19:
	case 25:
	case 26:
	case 27:
	case 28:
	case 29:
	case 30:
	case 31:
		return CLASS_PROGRAM;
	case 23:
		return CLASS_DIAGNOSE;
	case 32:
	case 33:
		return CLASS_ALL;
	default:
		MUST(function >= 3 && function <= 24);
		return function <= 6 && group == 41 ? CLASS_WRITE : CLASS_CONTROL;
	}
}

/* One control of an output, and one setting of a value. */
static void is_output(const struct limits *l, unsigned group, unsigned variation, const uint8_t *data)
{
	if (group == 12 && variation == 1) {
		unsigned kind = data[0] & 15u, steers = data[0] >> 6;

		is_between(l->codes, data[0], l->code);
		if (kind == 3 || steers == 1)
			is_between(l->values, 1, l->value);
		else if (kind == 4 || steers == 2)
			is_between(l->values, 0, l->value);
		else if (kind == 1 || kind == 2)
			MUST(!l->values || (l->value[0] == 0 && l->value[1] >= 1));
		else
			MUST(!l->values);
	} else if (group == 41 && variation <= 3) {
		is_between(l->values, low_first(data, variation == 2 ? 2 : 4), l->value);
	} else {
		MUST(!l->values);
	}
}

/* Reads a fragment that was allowed: each header, up to the first one that this reading does not
 * know. */
static void second_reading(const struct limits *l, uint16_t to, const uint8_t *p, size_t n)
{
	static const uint8_t of_41[] = { 0, 5, 3, 5, 9 };
	unsigned function = n > 1 ? p[1] : 0;

	MUST(n >= 2);
	MUST(l->station ? to == OUTSTATION : to < 0xfffd);
	if (function == 0) {
		MUST(n == 2 && (p[0] & 0xe0) == 0xc0);
		return;
	}
	MUST((p[0] & 0xf0) == 0xc0 && function < 34);
	MUST((class_of(function, 0) & l->classes) != 0 || function <= 6);
	for (size_t at = 2; at + 4 < n;) {
		unsigned group = p[at], variation = p[at + 1], q = p[at + 2], count, width, each;
		bool point =
			(group >= 10 && group <= 13) || (group >= 30 && group <= 34) || (group >= 40 && group <= 43);

		MUST((class_of(function, group) & ~l->classes) == 0);
		if (q == 6) {
			MUST(!l->places || !point);
			at += 3;
			continue;
		}
		if (q == 0 && function == 1 && at + 5 <= n) {
			MUST(p[at + 3] <= p[at + 4]);
			if (point && l->places)
				MUST(p[at + 3] >= l->place[0] && p[at + 4] <= l->place[1]);
			MUST(point || !l->places || (group >= 50 && group <= 52) || group == 80);
			at += 5;
			continue;
		}
		if ((q != 0x17 && q != 0x28) || function < 3 || function > 6 || (group != 12 && group != 41))
			return;
		width = q == 0x17 ? 1 : 2;
		count = low_first(p + at + 3, width);
		each = group == 12 ? 11 : variation <= 4 ? of_41[variation] : 0;
		MUST(count > 0 && each > 0 && (n - at - 3 - width) / (width + each) >= count);
		at += 3 + width;
		for (unsigned k = 0; k < count; k++, at += width + each) {
			if (group == 12 && variation == 3)
				return;
			is_between(l->places, low_first(p + at, width), l->place);
			is_output(l, group, variation, p + at + width);
		}
	}
}

/* Takes the fragment out of its frames, which were whole. */
static void read_frames(const struct limits *l, const uint8_t *p, size_t n)
{
	uint8_t fragment[DNP3_PDU_MAX];
	size_t length = 0;
	uint16_t to = (uint16_t)low_first(p + 4, 2);
	bool data = false, ended = false;

	while (n > 0) {
		size_t left, at = 10;

		MUST(n >= 10 && p[0] == 5 && p[1] == 0x64 && p[2] >= 5 && bitwise_crc(p, 8) == low_first(p + 8, 2));
		MUST((p[3] & 0x80) != 0 && low_first(p + 4, 2) == to);
		left = p[2] - 5u;
		for (bool first = true; left > 0; first = false) {
			size_t part = left < 16 ? left : 16;

			MUST(n >= at + part + 2 && bitwise_crc(p + at, part) == low_first(p + at + part, 2));
			if (first) {
				MUST(((p[at] & 0x40) != 0) == !data && !ended);
				ended = (p[at] & 0x80) != 0;
				data = true;
			}
			memcpy(fragment + length, p + at + first, part - first);
			length += part - first;
			at += part + 2;
			left -= part;
		}
		p += at;
		n -= at;
	}
	MUST(data == ended);
	if (data)
		second_reading(l, to, fragment, length);
	else
		MUST(!l->station || to == OUTSTATION);
}

/* ---- a life ---------------------------------------------------------------------------------- */

static void is_allowed(const struct session *s, enum direction dir, const uint8_t *pdu, size_t n)
{
	if (dir == DIR_C2S)
		read_frames(&s->l, pdu, n);
}

/* Every PDU of a datagram. */
static void datagram(struct session *s, const struct wire *w, enum direction dir)
{
	size_t at = 0, len;

	while (at < w->n) {
		const uint8_t *copy = exact_copy(w->p + at, w->n - at);
		enum frame_result r = dnp3_enforcer.frame(s->d.state, dir, bytes_of(copy, w->n - at), &len);

		exact_done(copy, w->n - at);
		MUST(r != FRAME_NEED_MORE);
		if (r == FRAME_BAD)
			return;
		MUST(len >= FUZZ_LEAST && len <= w->n - at);
		desk_judge(&s->d, dir, w->p + at, len);
		MUST(pending_state_used(&dnp3_enforcer, s->d.state) <= dnp3_enforcer.state_size);
		judged(s, dir, w->p + at, len);
		at += len;
	}
}

/* A piece in the form in which it is sent. */
static void put_piece(struct wire *w, const uint8_t *p, size_t n, uint8_t flags)
{
	static const uint8_t sizes[4] = { 249, 16, 7, 100 };
	struct wire fragment = { .n = n };
	bool server = (flags & 0x80) != 0;

	w->n = 0;
	if ((flags & 0x40) != 0) {
		memcpy(w->p, p, n);
		w->n = n;
		return;
	}
	memcpy(fragment.p, p, n);
	*w = segments(server ? 0x44 : 0xc4, server ? MASTER : OUTSTATION, server ? OUTSTATION : MASTER, &fragment,
		      n > 64 ? 249 : sizes[flags & 3], flags >> 2 & 15);
}

static void begin_session(struct session *s, const uint8_t *p)
{
	policy(&s->d, p, &s->l);
	s->l.datagrams = (p[0] & 64) != 0;
	dnp3_enforcer.begin(s->d.state, s->l.datagrams, 20000);
	if ((p[0] & 16) != 0)
		pending_missed(&dnp3_enforcer, s->d.state, (p[0] & 32) != 0);
}

static bool send_piece(struct session *s, enum direction dir, uint8_t flags, const uint8_t *p, size_t n)
{
	static struct wire w;

	put_piece(&w, p, n, flags);
	if (!s->l.datagrams)
		return send_bytes(s, dir, w.p, w.n);
	datagram(s, &w, dir);
	return true;
}
