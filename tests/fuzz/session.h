/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the fuzz targets whose input is a policy, which does not change, and then a whole
 * session: pieces of both directions, each with one byte of flags, of which the top bit is the
 * direction, and one byte of length. The session runs twice, in these pieces and byte by byte, and
 * must be judged in the same way; in a third run each piece of the client is a segment. Included
 * after the target's struct limits, with FUZZ_POLICY: bytes of the policy; FUZZ_LEAST: bytes of the
 * shortest PDU.
 */
#ifndef SEKISHO_TESTS_FUZZ_SESSION_H
#define SEKISHO_TESTS_FUZZ_SESSION_H

#include "tests/fuzz/stream.h"

struct session {
	struct desk d;
	struct limits l;
	struct stream streams[2]; /* by direction */
	bool by_byte, as_segments;
	uint64_t h; /* over all judgements */
};

/* ---- what each target defines ---- */

/* Begins a flow under the policy at the beginning of the input. */
static void begin_session(struct session *s, const uint8_t *policy);
/* Sends a piece. False: the flow has ended. */
static bool send_piece(struct session *s, enum direction dir, uint8_t flags, const uint8_t *p, size_t n);
/* A PDU was allowed: reads it by code of its own, and aborts if the policy does not allow it. */
static void is_allowed(const struct session *s, enum direction dir, const uint8_t *pdu, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the policy ---- */

/* The row allows the services all of whose classes are among `classes`; with `plain`, also those
 * that have none. */
static inline void allow_services(struct desk *d, struct command_row *row, unsigned classes, bool plain)
{
	const struct vocabulary *v = vocabulary_of(DESK_ENFORCER.protocol);

	row->services = (struct number_set){ .first = d->table.n_ranges };
	for (unsigned i = 0; i < v->n_functions; i++)
		if ((plain || v->functions[i].classes != 0) && (v->functions[i].classes & ~classes) == 0)
			row->services.n +=
				desk_ranges(d, (uint32_t[]){ v->functions[i].code, v->functions[i].last }, 1).n;
}

static inline void is_between(bool limited, uint32_t v, const uint32_t ends[2])
{
	MUST(!limited || (v >= ends[0] && v <= ends[1]));
}

/* A number of so many bytes, the low one first. */
static inline uint32_t low_first(const uint8_t *p, unsigned width)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v |= (uint32_t)p[i] << 8 * i;
	return v;
}

/* ---- the session ---- */

static inline void mix(uint64_t *h, uint64_t v)
{
	*h = (*h ^ v) * 0x9e3779b97f4a7c15u;
	*h ^= *h >> 29;
}

static inline void judged(struct session *s, enum direction dir, const uint8_t *pdu, size_t n)
{
	if (s->d.p.allowed)
		is_allowed(s, dir, pdu, n);
	mix(&s->h, s->d.p.reason);
	mix(&s->h, s->d.p.function);
	mix(&s->h, s->d.p.address);
	mix(&s->h, s->d.p.quantity);
}

/* Judges each whole PDU; false when the flow ends. */
static inline bool judge_whole(struct session *s, enum direction dir)
{
	struct stream *stream = &s->streams[dir];
	enum frame_result r;
	size_t len;

	while ((r = next_pdu(&s->d, stream, dir, FUZZ_LEAST, &len)) == FRAME_WHOLE) {
		judged(s, dir, stream->bytes, len);
		if (!s->d.p.allowed)
			return false;
		stream_drop(stream, len);
	}
	if (r == FRAME_BAD || r == FRAME_LONG)
		mix(&s->h, 1);
	return r == FRAME_NEED_MORE;
}

/* Whether a segment may pass, given what was carried over before it, as a server may read both. */
static inline bool may_pass(struct desk *d, const struct stream *s, size_t carried)
{
	const uint8_t *copy = exact_copy(s->bytes, s->n);
	bool may = DESK_ENFORCER.segment(d->state, 0, carried, false, bytes_of(copy, s->n), desk_by(d), &d->p);

	exact_done(copy, s->n);
	return may;
}

static inline bool send_bytes(struct session *s, enum direction dir, const uint8_t *p, size_t n)
{
	struct stream *stream = &s->streams[dir];

	for (size_t done = 0; done < n;) {
		size_t part = s->by_byte ? 1 : n - done, carried = stream->n;

		memcpy(stream->bytes + stream->n, p + done, part);
		stream->n += part;
		done += part;
		if (s->as_segments && dir == DIR_C2S && !may_pass(&s->d, stream, carried))
			return false;
		if (!judge_whole(s, dir))
			return false;
	}
	return true;
}

static inline uint64_t life(const uint8_t *data, size_t size, bool by_byte, bool as_segments)
{
	static struct session s;

	s.by_byte = by_byte;
	s.as_segments = as_segments;
	s.streams[0].n = s.streams[1].n = 0;
	s.h = 7;
	begin_session(&s, data);
	data += FUZZ_POLICY;
	size -= FUZZ_POLICY;
	while (size >= 2) {
		enum direction dir = data[0] & 0x80 ? DIR_S2C : DIR_C2S;
		size_t n = data[1] < size - 2 ? data[1] : size - 2;

		if (!send_piece(&s, dir, data[0], data + 2, n))
			break;
		data += 2 + n;
		size -= 2 + n;
	}
	return s.h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < FUZZ_POLICY)
		return 0;
	MUST(life(data, size, false, false) == life(data, size, true, false));
	life(data, size, false, true);
	return 0;
}

#endif
