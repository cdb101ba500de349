/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S7comm enforcer: the first bytes are a policy; then come pieces of the streams of both
 * directions.
 * LINK: $(COMMANDS_PARTS) dpi/s7comm/%.c
 * LIBS: nettle
 *
 * Input: 8 bytes of policy, then pieces: one byte whose top bit is the direction, two bytes of
 * length, the bytes. The bytes of each direction are collected, framed and judged as the stream
 * gate does it. The target aborts when a PDU is complete that would have been another one with
 * fewer bytes, or when one is allowed by which a server like snap7's would read or write what the
 * policy does not allow.
 *
 * If the seventh byte is odd, each piece from the client is a segment: it may be late, or be lost
 * and come again in two parts. Then the target also aborts when a server that gave up would execute
 * what the client did not write as a message (s7_impatient.h).
 */
#include "tests/fuzz/s7_impatient.h"
#include "tests/unit/dpi/s7comm_desk.h"

#define FUZZ_STREAM (2 * S7_PDU_MAX)
#include "tests/fuzz/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define POLICY 8u

/* The policy in plain numbers; the desk gives the same to the enforcer. */
struct limits {
	bool reads, writes, places, values;
	uint64_t first, last; /* bits of flags */
	uint32_t highest;     /* value */
};

static void policy(struct desk *d, struct limits *l, const uint8_t p[POLICY])
{
	struct command_row *row;
	uint32_t lo = S7_FUNCTION(S7_READ), hi = S7_FUNCTION(S7_WRITE);

	l->reads = (p[0] & 1) != 0;
	l->writes = (p[0] & 2) != 0;
	l->places = (p[0] & 4) != 0;
	l->values = (p[0] & 8) != 0;
	l->first = (uint64_t)p[1] * 8;
	l->last = l->first + p[2];
	l->highest = (uint32_t)p[3] << (p[4] % 24);
	desk_empty(d);
	if ((p[0] & 0x30) == 0x30) /* everything else as well */
		codes(d, S7_FUNCTION(S7_WRITE) + 1, UINT32_MAX);
	if (!l->reads && !l->writes)
		return;
	row = codes(d, l->reads ? lo : hi, l->writes ? hi : lo);
	if (l->places)
		desk_place(d, row, S7_FLAGS, l->first, l->last - l->first + 1);
	if (l->values)
		row->values = desk_range(d, 0, l->highest);
}

static uint32_t be(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

static uint32_t element(uint8_t type)
{
	return type >= 1 && type <= 3					? 1
	       : type == 4 || type == 5 || type == 0x1c || type == 0x1d ? 2
	       : type >= 6 && type <= 8					? 4
									: 0;
}

/* What snap7's server writes: `n` bytes at `data`, element by element. */
static void written(const struct limits *l, const uint8_t *data, uint32_t elements, uint32_t width)
{
	for (uint32_t i = 0; i < elements; i++)
		MUST(be(data + (size_t)i * width, width) <= l->highest);
}

/*
 * Reads as snap7's server does: function and number of items at fixed offsets, twelve bytes for
 * every item, the width of an element by its type, and the offset of the next item's data by the
 * type of this item.
 */
static void read_as_snap7(const struct limits *l, const uint8_t *message, size_t n)
{
	const uint8_t *items = message + 12, *data = message + 10 + be(message + 6, 2), *end = message + n;
	uint8_t function = message[10];

	if (message[0] != 0x32 || message[1] != 1 || (function != S7_READ && function != S7_WRITE))
		return;
	MUST(function == S7_READ ? l->reads : l->writes);
	MUST(n >= 14 && n == 10 + be(message + 6, 2) + be(message + 8, 2));
	for (uint32_t i = 0; i < message[11]; i++, items += 12) {
		uint32_t width, count, address, bytes;

		MUST(!l->places || items + 12 <= end);
		if (items + 12 > end)
			return;
		width = element(items[3]);
		count = be(items + 4, 2);
		address = be(items + 9, 3);
		if (width > 0 && l->places) {
			uint64_t bits = items[3] == 1 ? count : (uint64_t)count * width * 8;

			MUST(items[8] == 0x83 && address >= l->first && address + bits - 1 <= l->last);
		}
		if (function == S7_READ)
			continue;
		if (data + 4 > end) {
			MUST(!l->values);
			return;
		}
		bytes = be(data + 2, 2);
		if (items[3] != 1 && items[3] != 0x1c && items[3] != 0x1d)
			bytes /= 8;
		if (l->values && width > 0) {
			uint32_t length = be(data + 2, 2);

			if (data[1] != 9 && data[1] != 7 && data[1] != 3)
				length /= 8;
			if (length == count * width) { /* otherwise snap7's server writes nothing */
				MUST(data + 4 + length <= end);
				written(l, data + 4, count, width);
				if (items[3] != 0x1c && items[3] != 0x1d)
					MUST(l->places && address == l->first &&
					     address + (items[3] == 1 ? 1 : count * width * 8) - 1 == l->last);
			}
		}
		data += 4 + bytes + bytes % 2;
	}
}

/* The message, if it came in one DT or was put together from two. A message in more parts was
 * refused. */
static void second_reading(const struct limits *l, const uint8_t *pdu, size_t n)
{
	uint8_t message[2 * S7_PDU_MAX];
	size_t all = 0;

	if (pdu[5] != 0xf0)
		return;
	for (size_t at = 0; at < n;) {
		size_t length = be(pdu + at + 2, 2);

		MUST(pdu[at] == 3 && pdu[at + 4] == 2 && pdu[at + 5] == 0xf0 && length >= 7 && length <= n - at);
		memcpy(message + all, pdu + at + 7, length - 7);
		all += length - 7;
		at += length;
	}
	if (all >= 12)
		read_as_snap7(l, message, all);
}

/* Judges each whole PDU; false when the flow ends. */
static bool turn(struct desk *d, const struct limits *l, struct stream *s, enum direction dir, size_t cut,
		 struct passed *p)
{
	size_t head = p->n - s->n; /* the client's PDU: its offset in the bytes that passed */

	for (;;) {
		uint8_t *copy = malloc(s->n ? s->n : 1);
		size_t len = 0, less = 0;
		enum frame_result r, shorter;

		MUST(copy != NULL);
		memcpy(copy, s->bytes, s->n);
		r = s7comm_enforcer.frame(d->state, dir, bytes_of(copy, s->n), &len);
		cut = s->n > 0 ? cut % s->n : 0;
		shorter = s7comm_enforcer.frame(d->state, dir, bytes_of(copy, cut), &less);
		/* However the bytes come: a PDU that is whole was not something else with fewer
		 * bytes, and a bad PDU stays bad. */
		if (r == FRAME_WHOLE)
			MUST(cut >= len ? shorter == FRAME_WHOLE && less == len : shorter == FRAME_NEED_MORE);
		else
			MUST(shorter == FRAME_NEED_MORE || (r == FRAME_BAD && shorter == FRAME_BAD));
		free(copy);
		if (r == FRAME_BAD)
			return false;
		if (r == FRAME_NEED_MORE) {
			MUST(s->n < s7comm_enforcer.pdu_max);
			return true;
		}
		MUST(len >= 7 && len <= s->n && len <= s7comm_enforcer.pdu_max);
		judge_bytes(d, dir, s->bytes, len);
		MUST(d->p.reason < REASON_COUNT);
		if (d->p.allowed && dir == DIR_C2S)
			second_reading(l, s->bytes, len);
		if (!d->p.allowed)
			return false;
		if (dir == DIR_C2S) {
			p->begins[head] = true;
			head += len;
		}
		memmove(s->bytes, s->bytes + len, s->n - len);
		s->n -= len;
	}
}

#define LATE 0x40u
/* the server's wait began with an acknowledgement; nothing is late */
#define HURRIES 0x20u
#define LOST 0x10u

/* Repeats `n` of the passed bytes, from `from` on, because they were lost the first time. */
static bool again(struct desk *d, const struct stream *s, const struct passed *p, size_t from, size_t n, bool late)
{
	size_t pdu = from;

	while (pdu > 0 && !p->begins[pdu] && pdu != p->n - s->n)
		pdu--;
	d->p = (struct pdu){ .dir = DIR_C2S };
	return s7comm_enforcer.repeat(d->state, pdu, from - pdu, n, late, bytes_of(p->bytes + pdu, p->n - pdu),
				      desk_by(d), &d->p);
}

/* One segment of the client, from the bytes of `s`: whether it may pass, and what the server does
 * with it. */
static bool segment(struct desk *d, const struct limits *l, struct stream *s, struct passed *p,
		    struct impatient *server, size_t n, uint8_t how)
{
	size_t carried = s->n - n, offset = p->n - carried, cut = how & 0x0fu;
	bool late = (how & LATE) != 0, gives_up = late || ((how & HURRIES) != 0 && impatient_acknowledged(server, p));

	d->p = (struct pdu){ .dir = DIR_C2S };
	if (!s7comm_enforcer.segment(d->state, offset, carried, late, bytes_of(s->bytes, s->n), desk_by(d), &d->p)) {
		/* a segment is refused only for these two reasons */
		MUST(d->p.reason == R_S7COMM_CUT || d->p.reason == R_S7COMM_FRAME);
		return false;
	}
	memcpy(p->bytes + p->n, s->bytes + carried, n);
	p->n += n;
	if (!turn(d, l, s, DIR_C2S, how, p))
		return false;
	if ((how & LOST) == 0 || cut == 0 || cut >= n) {
		impatient_gets(server, p, n, gives_up && carried > 0);
		return true;
	}
	if (!again(d, s, p, p->n - n, cut, late))
		return false;
	impatient_gets(server, p, cut, gives_up && carried > 0);
	if (!again(d, s, p, p->n - n + cut, n - cut, late))
		return false;
	impatient_gets(server, p, n - cut, late);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct desk d;
	static struct stream streams[2];
	static struct passed passed;
	struct impatient server = { .n = 0 };
	struct limits l;
	bool segments;

	if (size < POLICY)
		return 0;
	policy(&d, &l, data);
	if (data[5] & 1)
		pending_missed(&s7comm_enforcer, d.state, (data[5] & 2) != 0);
	segments = (data[6] & 1) != 0;
	server.deaf = evaluate_allows_all(&(struct allowance){ &d.table, &d.permit, &vocabulary_s7comm });
	streams[0].n = streams[1].n = 0;
	memset(passed.begins, 0, sizeof(passed.begins));
	passed.n = 0;
	for (data += POLICY, size -= POLICY; size >= 3;) {
		enum direction dir = data[0] & 0x80 ? DIR_S2C : DIR_C2S;
		size_t n = (size_t)(data[1] << 8 | data[2]);
		uint8_t how = data[0] & 0x7f;

		data += 3;
		size -= 3;
		n = n > size ? size : n;
		n = n > S7_PDU_MAX ? S7_PDU_MAX : n;
		if (n > LOG_MOST - passed.n)
			return 0;
		memcpy(streams[dir].bytes + streams[dir].n, data, n);
		streams[dir].n += n;
		data += n;
		size -= n;
		if (segments && dir == DIR_C2S && n > 0) {
			if (!segment(&d, &l, &streams[dir], &passed, &server, n, how))
				return 0;
			continue;
		}
		if (dir == DIR_C2S)
			passed.n += n;
		else
			/* a server that gave up cannot have sent that */
			server.deaf |= server.gave_up;
		if (!turn(&d, &l, &streams[dir], dir, how, &passed))
			return 0;
	}
	return 0;
}
