/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DNP3 enforcer: frames with their checksums, segments, objects with every qualifier, and what
 * each request touches and writes. Sessions are in test_dnp3_session.c.
 * LINK: $(COMMANDS_PARTS) dpi/dnp3/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/dnp3_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))
#define CROB "0c 01 17 01 07 03 01 64000000 64000000 00"

/* ---- frames and segments --------------------------------------------------------------------- */

static enum frame_result cut_as(bool datagrams, const uint8_t *p, size_t n, size_t *len)
{
	_Alignas(16) static uint8_t state[ENFORCER_STATE_MAX];
	const uint8_t *copy = exact_copy(p, n);
	enum frame_result r;

	memset(state, 0, sizeof(state));
	dnp3_enforcer.begin(state, datagrams, 20000);
	r = dnp3_enforcer.frame(state, DIR_C2S, bytes_of(copy, n), len);
	exact_done(copy, n);
	return r;
}

static enum frame_result cut(const struct wire *w, size_t n, size_t *len)
{
	return cut_as(false, w->p, n, len);
}

static struct wire of_size(size_t n)
{
	struct wire f = { .p = { 0xc0, 1 }, .n = n };

	return f;
}

/* Every prefix of a frame waits, the whole frame is whole, and one more byte changes nothing: from
 * the shortest frame, of the link layer alone, to the longest fragment. */
static void frames_are_as_long_as_they_say(void **state)
{
	static const size_t sizes[] = { 2, 15, 16, 17, 31, 248, 249, 250, 498, 2047, 2048 };
	struct wire f, w;
	size_t len;

	(void)state;
	for (size_t k = 0; k <= N(sizes); k++) {
		w = (struct wire){ .n = 0 };
		if (k == N(sizes)) {
			put_frame(&w, 0xc9, 10, 1, NULL, 0);
		} else {
			f = of_size(sizes[k]);
			w = segments(0xc4, 10, 1, &f, 249, 60); /* past 63 */
		}
		for (size_t n = 0; n < w.n; n++)
			assert_int_equal(cut(&w, n, &len), FRAME_NEED_MORE);
		for (size_t more = 0; more < 2; more++) {
			assert_int_equal(cut(&w, w.n + more, &len), FRAME_WHOLE);
			assert_int_equal(len, w.n);
		}
	}
	f = of_size(2049);
	w = segments(0xc4, 10, 1, &f, 249, 0);
	assert_int_equal(cut(&w, w.n, &len), FRAME_BAD);
	f = of_size(16 * 3);
	w = segments(0xc4, 10, 1, &f, 3, 0);
	assert_int_equal(cut(&w, w.n, &len), FRAME_WHOLE);
	f = of_size(16 * 3 + 1);
	w = segments(0xc4, 10, 1, &f, 3, 0);
	assert_int_equal(cut(&w, w.n, &len), FRAME_BAD);
}

/* Each bit of a frame with two blocks, header included, is inverted: the checksum notices it. */
static void every_bit_is_summed(void **state)
{
	struct wire w = request("c0 05 " CROB), other;
	size_t len;

	(void)state;
	assert_int_equal(cut(&w, w.n, &len), FRAME_WHOLE);
	for (size_t bit = 0; bit < 8 * w.n; bit++) {
		other = w;
		other.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* a length that is longer waits for the rest, unless its checksum is already there
		 * and wrong */
		assert_int_equal(cut(&other, other.n, &len), FRAME_BAD);
	}
}

/* Tries every control octet, with and without data, and every length. */
static void controls_are_those_of_the_clause(void **state)
{
	size_t len;

	(void)state;
	for (unsigned control = 0; control < 256; control++)
		for (unsigned n = 0; n < 3; n++) {
			struct wire w = { .n = 0 };
			bool prm = (control & 0x40) != 0, fcv = (control & 0x10) != 0, fits;

			put_frame(&w, (uint8_t)control, 10, 1, (const uint8_t[]){ 0xc0, 1 }, n);
			switch (control & 0x0f) {
			case 0:
				fits = n == 0 && (prm ? !fcv : (control & 0x20) == 0);
				break;
			case 9:
				fits = prm && n == 0 && !fcv;
				break;
			case 2:
				fits = prm && n == 0 && fcv;
				break;
			case 3:
				fits = prm && n == 2 && fcv;
				break;
			case 4:
				fits = prm && n == 2 && !fcv;
				break;
			case 1:
			case 11:
			case 15:
				fits = !prm && n == 0 && (control & 0x20) == 0;
				break;
			default:
				fits = false;
				break;
			}
			if (cut(&w, w.n, &len) != (fits ? FRAME_WHOLE : FRAME_BAD))
				fail_msg("control %02x, %u bytes", control, n);
		}
	for (unsigned length = 0; length < 5; length++)
		assert_int_equal(cut_as(false, (const uint8_t[]){ 5, 0x64, (uint8_t)length }, 3, &len), FRAME_BAD);
}

/* A fragment begins with FIR. Its segments follow with numbers that increase by one, from one
 * source to one destination. Frames of the link layer may stand between them. */
static void segments_follow(void **state)
{
	struct wire w;
	size_t len;

	(void)state;
	for (unsigned second = 0; second < 256; second++) {
		w = (struct wire){ .n = 0 };
		put_frame(&w, 0xc4, 10, 1, (const uint8_t[]){ 0x7f, 0xc0, 0x01 }, 3);
		put_frame(&w, 0xc4, 10, 1, (const uint8_t[]){ (uint8_t)second, 60, 2, 6 }, 4);
		assert_int_equal(cut(&w, w.n, &len), second == 0x80   ? FRAME_WHOLE
						     : second == 0x00 ? FRAME_NEED_MORE
								      : FRAME_BAD);
	}
	for (unsigned first = 0; first < 256; first++) {
		w = (struct wire){ .n = 0 };
		put_frame(&w, 0xc4, 10, 1, (const uint8_t[]){ (uint8_t)first, 0xc0, 0x0d }, 3);
		assert_int_equal(cut(&w, w.n, &len), (first & 0x40) == 0   ? FRAME_BAD
						     : (first & 0x80) != 0 ? FRAME_WHOLE
									   : FRAME_NEED_MORE);
		assert_int_equal(cut_as(true, w.p, w.n, &len), FRAME_WHOLE); /* judged alone */
	}
	for (unsigned k = 0; k < 4; k++) {
		w = (struct wire){ .n = 0 };
		put_frame(&w, 0xc4, 10, 1, (const uint8_t[]){ 0x40, 0xc0, 0x01 }, 3);
		put_frame(&w, 0xc9, 10, 1, NULL, 0);
		put_frame(&w, k == 3 ? 0x44 : 0xc4, k == 1 ? 11 : 10, k == 2 ? 2 : 1,
			  (const uint8_t[]){ 0x81, 60, 2, 6 }, 4);
		assert_int_equal(cut(&w, w.n, &len), k == 0 ? FRAME_WHOLE : FRAME_BAD);
	}
	w = (struct wire){ .n = 0 };
	put_frame(&w, 0xc4, 10, 1, (const uint8_t[]){ 0xc0 }, 1); /* a segment without data */
	assert_int_equal(cut(&w, w.n, &len), FRAME_BAD);
	/* a datagram has whole frames */
	w = request("c0 0d");
	assert_int_equal(cut_as(true, w.p, w.n - 1, &len), FRAME_BAD);
}

/* ---- what requests say ----------------------------------------------------------------------- */

/* One operation: word, code, group.variation (-1: none), space, first and last index (-1: not
 * stated), value (-1: none, -2: unknown), control code (-1: none). */
static const struct request_case {
	const char *fragment;
	uint32_t service;
	unsigned class;
	int object;
	uint8_t space;
	long long first, last;
	long long value;
	int code;
} requests[] = {
	{ "c0 01 3c 02 06", 1001, CLASS_READ, 0x3c02, 255, -1, -1, -1, -1 },
	{ "c0 01 3c 02 07 05", 1001, CLASS_READ, 0x3c02, 255, -1, -1, -1, -1 },
	{ "c0 01 01 00 06", 1, CLASS_READ, 0x0100, DNP3_BINARY_INPUTS, 0, 0xffffffff, -1, -1 },
	{ "c0 01 02 03 08 0500", 1, CLASS_READ, 0x0203, DNP3_BINARY_INPUTS, 0, 0xffffffff, -1, -1 },
	{ "c0 01 03 02 00 04 09", 1, CLASS_READ, 0x0302, DNP3_DOUBLE_INPUTS, 4, 9, -1, -1 },
	{ "c0 01 0a 02 01 0401 0901", 1, CLASS_READ, 0x0a02, DNP3_BINARY_OUTPUTS, 0x104, 0x109, -1, -1 },
	{ "c0 01 14 01 02 04000100 09000100", 1, CLASS_READ, 0x1401, DNP3_COUNTERS, 0x10004, 0x10009, -1, -1 },
	{ "c0 01 1e 05 17 01 09", 1, CLASS_READ, 0x1e05, DNP3_ANALOG_INPUTS, 9, 9, -1, -1 },
	{ "c0 01 28 00 28 0100 0902", 1, CLASS_READ, 0x2800, DNP3_ANALOG_OUTPUTS, 0x209, 0x209, -1, -1 },
	{ "c0 01 6e 00 39 01000000 09020000", 1, CLASS_READ, 0x6e00, DNP3_STRINGS, 0x209, 0x209, -1, -1 },
	{ "c0 01 46 05 5b 01 0800 0100000000000000", 2001, CLASS_PROGRAM, 0x4605, 255, -1, -1, -2, -1 },
	{ "c0 01 32 01 07 01", 3001, CLASS_READ, 0x3201, 255, -3, -1, -1, -1 },
	{ "c0 01 50 00 06", 4001, CLASS_READ, 0x5000, 255, -3, -1, -1, -1 },
	{ "c0 01 00 fe 00 00 00", 1, CLASS_READ, 0x00fe, 255, -1, -1, -1, -1 },
	{ "c0 01 ff 00 06", 1, CLASS_READ, 0xff00, 255, -1, -1, -1, -1 },
	{ "c0 02 22 01 00 04 04 3412", 2, CLASS_WRITE, 0x2201, DNP3_ANALOG_INPUTS, 4, 4, 0x1234, -1 },
	{ "c0 02 22 02 17 01 04 78563412", 2, CLASS_WRITE, 0x2202, DNP3_ANALOG_INPUTS, 4, 4, 0x12345678, -1 },
	{ "c0 02 0a 01 00 04 04 01", 2, CLASS_WRITE, 0x0a01, DNP3_BINARY_OUTPUTS, 4, 4, 1, -1 },
	{ "c0 02 6e 03 00 07 07 616263", 2, CLASS_WRITE, 0x6e03, DNP3_STRINGS, 7, 7, -2, -1 },
	{ "c0 02 32 01 07 01 112233445566", 3002, CLASS_CONTROL, 0x3201, 255, -3, -1, -1, -1 },
	{ "c0 02 50 01 00 07 07 00", 4002, CLASS_CONTROL, 0x5001, 255, -3, -1, -1, -1 },
	{ "c0 02 46 05 5b 01 0900 010000000000000041", 2002, CLASS_PROGRAM, 0x4605, 255, -1, -1, -2, -1 },
	{ "c0 02 70 02 17 01 00 6162", 5002, CLASS_PROGRAM, 0x7002, 255, -1, -1, -2, -1 },
	{ "c0 03 " CROB, 3, CLASS_CONTROL, 0x0c01, DNP3_BINARY_OUTPUTS, 7, 7, 1, 3 },
	{ "c0 05 " CROB, 5, CLASS_CONTROL, 0x0c01, DNP3_BINARY_OUTPUTS, 7, 7, 1, 3 },
	{ "c0 06 0c 01 28 0100 0702 04 01 64000000 64000000 00", 6, CLASS_CONTROL, 0x0c01, DNP3_BINARY_OUTPUTS, 0x207,
	  0x207, 0, 4 },
	{ "c0 05 0c 01 17 01 07 41 01 64000000 64000000 00", 5, CLASS_CONTROL, 0x0c01, DNP3_BINARY_OUTPUTS, 7, 7, 1,
	  0x41 },
	{ "c0 05 0c 01 17 01 07 81 01 64000000 64000000 00", 5, CLASS_CONTROL, 0x0c01, DNP3_BINARY_OUTPUTS, 7, 7, 0,
	  0x81 },
	{ "c0 05 0c 01 17 01 07 c1 01 64000000 64000000 00", 5, CLASS_CONTROL, 0x0c01, DNP3_BINARY_OUTPUTS, 7, 7, -2,
	  0xc1 },
	{ "c0 05 0c 01 17 01 07 00 01 64000000 64000000 00", 5, CLASS_CONTROL, 0x0c01, DNP3_BINARY_OUTPUTS, 7, 7, -2,
	  0 },
	{ "c0 05 0c 03 00 00 07 ff", 5, CLASS_CONTROL, 0x0c03, DNP3_BINARY_OUTPUTS, 0, 7, -2, -1 },
	{ "c0 05 29 01 17 01 07 78563412 00", 7005, CLASS_WRITE, 0x2901, DNP3_ANALOG_OUTPUTS, 7, 7, 0x12345678, -1 },
	{ "c0 03 29 02 17 01 07 3412 00", 7003, CLASS_WRITE, 0x2902, DNP3_ANALOG_OUTPUTS, 7, 7, 0x1234, -1 },
	{ "c0 06 29 02 17 01 07 3412 00", 7006, CLASS_WRITE, 0x2902, DNP3_ANALOG_OUTPUTS, 7, 7, 0x1234, -1 },
	{ "c0 05 29 02 17 01 07 3412 00", 7005, CLASS_WRITE, 0x2902, DNP3_ANALOG_OUTPUTS, 7, 7, 0x1234, -1 },
	{ "c0 05 29 03 17 01 07 00004842 00", 7005, CLASS_WRITE, 0x2903, DNP3_ANALOG_OUTPUTS, 7, 7, 0x42480000, -1 },
	{ "c0 05 29 04 17 01 07 0000000000004940 00", 7005, CLASS_WRITE, 0x2904, DNP3_ANALOG_OUTPUTS, 7, 7, -2, -1 },
	{ "c0 07 14 00 06", 7, CLASS_CONTROL, 0x1400, DNP3_COUNTERS, 0, 0xffffffff, -1, -1 },
	{ "c0 08 14 00 00 01 02", 8, CLASS_CONTROL, 0x1400, DNP3_COUNTERS, 1, 2, -1, -1 },
	{ "c0 09 1e 00 00 01 02", 9, CLASS_CONTROL, 0x1e00, DNP3_ANALOG_INPUTS, 1, 2, -1, -1 },
	{ "c0 0a 14 00 06", 10, CLASS_CONTROL, 0x1400, DNP3_COUNTERS, 0, 0xffffffff, -1, -1 },
	{ "c0 0d", 13, CLASS_CONTROL, -1, 255, -3, -1, -1, -1 },
	{ "c0 0e", 14, CLASS_CONTROL, -1, 255, -3, -1, -1, -1 },
	{ "c0 0f", 15, CLASS_CONTROL, -1, 255, -1, -1, -2, -1 },
	{ "c0 10 5a 01 5b 01 0300 616263", 16, CLASS_CONTROL, 0x5a01, 255, -3, -1, -1, -1 },
	{ "c0 11", 17, CLASS_CONTROL, -1, 255, -3, -1, -1, -1 },
	{ "c0 12", 18, CLASS_CONTROL, -1, 255, -3, -1, -1, -1 },
	{ "c0 13", 19, CLASS_PROGRAM, -1, 255, -1, -1, -2, -1 },
	{ "c0 14 3c 02 06", 20, CLASS_CONTROL, 0x3c02, 255, -3, -1, -1, -1 },
	{ "c0 15 3c 02 06", 21, CLASS_CONTROL, 0x3c02, 255, -3, -1, -1, -1 },
	{ "c0 16 3c 02 06", 22, CLASS_CONTROL, 0x3c02, 255, -3, -1, -1, -1 },
	{ "c0 17", 23, CLASS_DIAGNOSE, -1, 255, -3, -1, -1, -1 },
	{ "c0 18", 24, CLASS_CONTROL, -1, 255, -3, -1, -1, -1 },
	{ "c0 19 46 03 5b 01 0100 00", 25, CLASS_PROGRAM, 0x4603, 255, -1, -1, -2, -1 },
	{ "c0 1a 46 04 5b 01 0100 00", 26, CLASS_PROGRAM, 0x4604, 255, -1, -1, -2, -1 },
	{ "c0 1b 46 03 5b 01 0100 00", 27, CLASS_PROGRAM, 0x4603, 255, -1, -1, -2, -1 },
	{ "c0 1c 46 07 5b 01 0100 00", 28, CLASS_PROGRAM, 0x4607, 255, -1, -1, -2, -1 },
	{ "c0 1d 46 02 5b 01 0100 00", 29, CLASS_PROGRAM, 0x4602, 255, -1, -1, -2, -1 },
	{ "c0 1e 46 04 5b 01 0100 00", 30, CLASS_PROGRAM, 0x4604, 255, -1, -1, -2, -1 },
	{ "c0 1f 46 08 5b 01 0100 00", 31, CLASS_PROGRAM, 0x4608, 255, -1, -1, -2, -1 },
	{ "c0 20 78 04 07 01 0100", 32, CLASS_ALL, 0x7804, 255, -1, -1, -2, -1 },
	{ "c0 21 78 07 5b 01 0100 00", 33, CLASS_ALL, 0x7807, 255, -1, -1, -2, -1 },
	{ "c0 40 0102030405", 64, 0, -1, 255, -1, -1, -2, -1 },
};

static enum reason is(struct desk *d, const char *fragment)
{
	start(d);
	return ask(d, fragment)->reason;
}

/* Objects of authentication beside a function need a row as well as the function; they do not
 * replace it. */
static void authentication_stands_beside(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		row = open_desk(&d);
		row->services = desk_ranges(&d, (uint32_t[]){ 13, k == 0 ? 12 : 13, 6000, k == 1 ? 5999 : 6000 }, 2);
		if (k == 0)
			row->services = desk_range(&d, 6000, 6000);
		assert_int_equal(is(&d, "c0 0d 78 03 07 01 010203040506") == R_ALLOWED, k == 2);
	}
}

/* A frame that the link layer confirms may be dropped as a repetition, and with it a part of a
 * request. So only whole requests may be sent in such a frame. */
static void confirmed_parts_are_refused(void **state)
{
	struct wire w;
	size_t len;

	(void)state;
	for (unsigned octet = 0; octet < 4; octet++) {
		w.n = 0;
		put_frame(&w, 0xd3, OUTSTATION, MASTER, (const uint8_t[]){ (uint8_t)(octet << 6), 0xc0, 0x01 }, 3);
		assert_int_equal(cut(&w, w.n, &len), octet == 3 ? FRAME_WHOLE : FRAME_BAD);
	}
}

/* A row whose limit just fits allows the request, and a row with the next number does not: by word,
 * object, point, value and code. first: -1 = the points cannot be known, -3 = it has none. */
static void every_request_is_what_it_says(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(requests); k++) {
		const struct request_case *c = &requests[k];
		const struct function_info *f = function_by_code(&vocabulary_dnp3, c->service);

		row = open_desk(&d);
		row->services = desk_range(&d, c->service, c->service);
		assert_int_equal(f != NULL ? f->classes : 0, c->class);
		if (is(&d, c->fragment) != R_ALLOWED || d.p.function != c->service)
			fail_msg("%s: %d, %u", c->fragment, d.p.reason, d.p.function);
		assert_int_equal(d.p.space, c->space);
		if (c->first >= 0 && c->space != 255)
			assert_int_equal(d.p.address, c->first);
		row->services = desk_range(&d, c->service + 1, c->service + 1);
		assert_int_equal(is(&d, c->fragment), R_DNP3_FUNCTION);

		for (unsigned other = 0; other < 2; other++) {
			uint64_t first = c->first < 0 ? 0 : (uint64_t)c->first,
				 last = c->last < 0 ? 0 : (uint64_t)c->last;
			bool in = other == 0;

			row = open_desk(&d);
			row->targets[DNP3_OBJECT] = desk_range(&d, c->object < 0 ? 1 : (uint64_t)c->object + other,
							       c->object < 0 ? 1 : (uint64_t)c->object + other);
			if (is(&d, c->fragment) != (c->object < 0 || in ? R_ALLOWED : R_DNP3_TARGET))
				fail_msg("%s: object, %d", c->fragment, d.p.reason);

			row = open_desk(&d);
			row->targets[DNP3_CODE] = desk_range(&d, c->code < 0 ? 9 : (uint64_t)c->code + other,
							     c->code < 0 ? 9 : (uint64_t)c->code + other);
			assert_int_equal(is(&d, c->fragment), c->code < 0 || in ? R_ALLOWED : R_DNP3_TARGET);

			row = open_desk(&d);
			desk_space(&d, row, c->space == 255 ? 0 : c->space, desk_range(&d, first + other, last));
			if (first + other > last)
				desk_space(&d, row, c->space == 255 ? 0 : c->space, desk_range(&d, last + 1, last + 1));
			if (is(&d, c->fragment) !=
			    (c->first == -3 || (c->space != 255 && in) ? R_ALLOWED : R_DNP3_ADDRESS))
				fail_msg("%s: places, %d", c->fragment, d.p.reason);

			row = open_desk(&d);
			row->values = c->value < 0
					      ? desk_range(&d, 0, UINT32_MAX)
					      : desk_range(&d, (uint64_t)c->value + other, (uint64_t)c->value + other);
			if (is(&d, c->fragment) != (c->value == -1 || (c->value >= 0 && in) ? R_ALLOWED : R_DNP3_VALUE))
				fail_msg("%s: values, %d", c->fragment, d.p.reason);
		}
	}
}

/* Every word of the vocabulary has a case above, and every case has its word. */
static void every_function_is_tried(void **state)
{
	(void)state;
	for (unsigned i = 0; i < vocabulary_dnp3.n_functions; i++) {
		uint32_t code = vocabulary_dnp3.functions[i].code;
		bool found = code == 0 || (code >= 129 && code <= 131) || code >= 9000 || code == 4 || code == 7004 ||
			     code == 11 || code == 12 || code == 5001 || code == 6000;

		for (size_t k = 0; k < N(requests); k++)
			found = found || requests[k].service == code;
		if (!found)
			fail_msg("%s", vocabulary_dnp3.functions[i].name);
	}
}

/* If a request has several headers, or a header several objects, each of them has to be allowed. */
static void every_object_is_judged(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	desk_space(&d, row, DNP3_BINARY_OUTPUTS, desk_range(&d, 7, 8));
	assert_int_equal(is(&d, "c0 05 0c 01 17 02 07 03 01 64000000 64000000 00 08 03 01 64000000 64000000 00"),
			 R_ALLOWED);
	assert_int_equal(is(&d, "c0 05 0c 01 17 02 07 03 01 64000000 64000000 00 09 03 01 64000000 64000000 00"),
			 R_DNP3_ADDRESS);
	assert_int_equal(is(&d, "c0 05 " CROB " 29 02 17 01 07 0100 00"), R_DNP3_ADDRESS);
	desk_space(&d, row, DNP3_ANALOG_OUTPUTS, desk_range(&d, 7, 7));
	assert_int_equal(is(&d, "c0 05 " CROB " 29 02 17 01 07 0100 00"), R_ALLOWED);
	/* a time in front, then the objects that are frozen */
	row = open_desk(&d);
	desk_space(&d, row, DNP3_COUNTERS, desk_range(&d, 1, 2));
	assert_int_equal(is(&d, "c0 0b 32 02 07 01 112233445566 00000000 14 00 00 01 02"), R_ALLOWED);
	assert_int_equal(is(&d, "c0 0b 32 02 07 01 112233445566 00000000 14 00 00 01 03"), R_DNP3_ADDRESS);
	/* a class, then the objects that are assigned to it */
	assert_int_equal(is(&d, "c0 16 3c 02 06 14 00 00 01 02"), R_ALLOWED);
	assert_int_equal(is(&d, "c0 16 3c 02 06 14 00 06"), R_DNP3_ADDRESS);
	/* aggressive authentication beside a command needs its own word */
	row = open_desk(&d);
	row->services = desk_range(&d, 5, 5);
	assert_int_equal(is(&d, "c0 05 78 03 07 01 010203040506 " CROB), R_DNP3_FUNCTION);
	assert_int_equal(is(&d, "c0 05 " CROB), R_ALLOWED);
}

/* Objects that make no sense, for every qualifier of the standard, with data and without. */
static void qualifiers_are_those_of_the_clause(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned q = 0; q < 256; q++) {
		unsigned prefix = q >> 4 & 7, code = q & 15;
		bool range = code <= 2, all = code == 6, counts = code >= 7 && code <= 9,
		     sized = prefix >= 4 && prefix <= 6;
		bool fits = q < 128 && ((prefix == 0 && (range || all || counts)) ||
					(prefix >= 1 && prefix <= 3 && counts) || (sized && code == 11));
		struct wire f = { .p = { 0xc0, 1, 30, 0, (uint8_t)q }, .n = 5 }, w;
		unsigned width = range ? 1u << code : counts ? 1u << (code - 7) : code == 11 ? 1 : 0;

		if (range)
			f.n += width; /* from 0 */
		if (width > 0) {
			f.p[f.n] = 1;
			f.n += width;
		}
		if (prefix >= 1 && prefix <= 3)
			f.n += 1u << (prefix - 1); /* an index */
		if (sized)
			f.n += 1u << (prefix - 4); /* a size of 0 */
		for (unsigned less = 0; less < 2; less++) {
			open_desk(&d);
			w = segments(0xc4, OUTSTATION, MASTER, &f, 249, 0);
			judge(&d, DIR_C2S, &w);
			if (d.p.reason != (fits && less == 0 ? R_ALLOWED : R_DNP3_FRAME))
				fail_msg("qualifier %02x, %u: %d", q, less, d.p.reason);
			f.n--;
		}
	}
}

static void lengths_are_those_of_the_objects(void **state)
{
	static const char *const bad[] = {
		"c0 05 0c 01 17 01 07 03 01 64000000 640000",	      /* short */
		"c0 05 0c 01 17 01 07 03 01 64000000 64000000 00 00", /* a byte more */
		"c0 05 0c 01 17 02 07 03 01 64000000 64000000 00",    /* one of two */
		"c0 05 0c 01 17 00",				      /* none */
		"c0 05 0c 01 06",				      /* "all objects", with data */
		"c0 05 0c 00 17 01 07 03 01 64000000 64000000 00",    /* any variation */
		"c0 05 0c 04 17 01 07 03 01 64000000 64000000 00",    /* an unknown variation */
		"c0 05 0c 01 5b 01 0b00 03 01 64000000 64000000 00",  /* a size for a known size */
		"c0 01 1e 00 00 05 04",				      /* backwards */
		"c0 01 1e 00 17 02 05",				      /* an index of two */
		"c0 01 1e 00 39 ffffffff 00000000",
		"c0 02 0a 01 00 00 08 ff", /* nine bits in eight */
		"c0 02 0a 01 01 0000 ffff 00",
		"c0 02 22 01 02 00000000 ffffffff 0000",
		"c0 02 46 05 5b 01 ffff 00",
		"c0 02 46 05 5b ff 0000",
		"c0 02 46 05 07 01 00",		   /* the size is missing */
		"c0 02 00 f7 00 00 00 01 03 6162", /* two bytes of three */
		"c0 02",
		"c0 03",
		"c0 04",
		"c0 05",
		"c0 06",
		"c0 16", /* nothing */
		"c0 01 3c",
		"c0 01 3c 02",
		"c0 01 3c 02 06 3c",
		"c0 00 3c 02 06", /* a confirmation of objects */
		"40 01 3c 02 06",
		"80 01 3c 02 06",
		"00 01 3c 02 06", /* a part */
		"e0 01 3c 02 06",
		"d0 01 3c 02 06",
		"f0 05 0c 01 17 01 07 03 01 64000000 64000000 00", /* CON, UNS */
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(bad); k++) {
		open_desk(&d);
		ask(&d, bad[k]);
		if (d.p.reason != R_DNP3_FRAME || d.p.allowed)
			fail_msg("%s: %d", bad[k], d.p.reason);
	}
	/* more operations than are allowed in a request */
	open_desk(&d);
	{
		struct wire f = { .p = { 0xc0, 1 }, .n = 2 }, w;

		for (unsigned k = 0; k < 256; k++)
			put_hex(&f, "3c 02 06");
		w = segments(0xc4, OUTSTATION, MASTER, &f, 249, 0);
		assert_int_equal(judge(&d, DIR_C2S, &w)->reason, R_DNP3_FRAME);
		f.n -= 3;
		w = segments(0xc4, OUTSTATION, MASTER, &f, 249, 0);
		assert_int_equal(judge(&d, DIR_C2S, &w)->reason, R_ALLOWED);
	}
}

/* Every function without a name is allowed by a row with its code, and by no row with other
 * limits. */
static void other_functions_pass_where_they_are_named(void **state)
{
	struct command_row *row;
	struct desk d;
	char fragment[32];

	(void)state;
	for (unsigned f = 34; f < 256; f++) {
		bool response = f >= 129;

		snprintf(fragment, sizeof(fragment), "c0 %02x 00 01 02", f);
		row = open_desk(&d);
		assert_int_equal(ask(&d, fragment)->reason, response ? R_DNP3_DIRECTION : R_ALLOWED);
		if (response)
			continue;
		row->services = desk_range(&d, 0, f - 1);
		assert_int_equal(is(&d, fragment), R_DNP3_FUNCTION);
		row->services = desk_range(&d, f, f);
		desk_space(&d, row, 0, desk_range(&d, 0, 0xffffffff));
		assert_int_equal(is(&d, fragment), R_DNP3_ADDRESS);
		row->spaces_any = true;
		row->values = desk_range(&d, 0, UINT32_MAX);
		assert_int_equal(is(&d, fragment), R_DNP3_VALUE);
	}
}

/* Source and destination. Broadcast addresses (0xfffd to 0xffff) have to be named in the row, and
 * no reserved address may be a source. */
static void ends_are_told(void **state)
{
	struct wire f = hex("c0 0d"), w;
	struct command_row *row;
	struct desk d;

	(void)state;
	for (unsigned k = 0; k < 2; k++)
		for (int other = -1; other < 2; other++) {
			unsigned may = (unsigned)((k == 0 ? 0x1234 : 0x2345) + other);

			row = open_desk(&d);
			row->targets[k] = desk_range(&d, may, may);
			w = segments(0xc4, 0x1234, 0x2345, &f, 249, 0);
			assert_int_equal(judge(&d, DIR_C2S, &w)->reason, other == 0 ? R_ALLOWED : R_DNP3_TARGET);
			assert_int_equal(d.p.targets[0], 0x1234);
			assert_int_equal(d.p.targets[1], 0x2345);
		}
	for (unsigned to = 0xfff0; to <= 0xffff; to++) {
		row = open_desk(&d);
		w = segments(0xc4, (uint16_t)to, 1, &f, 249, 0);
		assert_true(judge(&d, DIR_C2S, &w)->allowed);
		row->targets[DNP3_OUTSTATION].any = true;
		start(&d);
		assert_int_equal(judge(&d, DIR_C2S, &w)->reason, to >= 0xfffd ? R_DNP3_TARGET : R_ALLOWED);
		w = segments(0xc4, 1, (uint16_t)to, &f, 249, 0);
		start(&d);
		assert_int_equal(judge(&d, DIR_C2S, &w)->reason, R_DNP3_FRAME);
	}
	/* frames of the client have the direction bit, frames of the outstation do not */
	open_desk(&d);
	w = segments(0x44, 10, 1, &f, 249, 0);
	assert_int_equal(judge(&d, DIR_C2S, &w)->reason, R_DNP3_DIRECTION);
	w = segments(0xc4, 1, 10, &f, 249, 0);
	assert_int_equal(judge(&d, DIR_S2C, &w)->reason, R_DNP3_DIRECTION);
}

/* A request may come in segments of any size; over UDP it is in one datagram. */
static void requests_come_in_segments(void **state)
{
	struct command_row *row;
	struct wire f = hex("c0 05 " CROB), w;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	desk_space(&d, row, DNP3_BINARY_OUTPUTS, desk_range(&d, 7, 7));
	for (size_t each = 2; each <= f.n; each++)
		for (unsigned udp = 0; udp < 2; udp++) {
			w = segments(0xc4, OUTSTATION, MASTER, &f, each, 62);
			start(&d);
			dnp3_enforcer.begin(d.state, udp, 20000);
			assert_true(judge(&d, DIR_C2S, &w)->allowed);
			f.p[6] = 9;
			w = segments(0xc4, OUTSTATION, MASTER, &f, each, 62);
			f.p[6] = 7;
			assert_int_equal(judge(&d, DIR_C2S, &w)->reason, R_DNP3_ADDRESS);
		}
	open_desk(&d);
	dnp3_enforcer.begin(d.state, true, 20000);
	w = (struct wire){ .n = 0 };
	put_frame(&w, 0xc4, 10, 1, (const uint8_t[]){ 0x40, 0xc0, 0x0d }, 3);
	assert_int_equal(judge(&d, DIR_C2S, &w)->reason, R_DNP3_FRAME);
	w = (struct wire){ .n = 0 };
	put_frame(&w, 0xc4, 10, 1, (const uint8_t[]){ 0x81, 0xc0, 0x0d }, 3);
	assert_int_equal(judge(&d, DIR_C2S, &w)->reason, R_DNP3_FRAME);
}

/* ---- hostile bytes --------------------------------------------------------------------------- */

static void mend(struct wire *w)
{
	struct wire fixed = { .n = 0 };
	uint8_t data[250];
	size_t n = 0, left = w->p[2] - 5u;

	for (size_t at = 10; left > 0; at += 18) {
		size_t part = left < 16 ? left : 16;

		memcpy(data + n, w->p + at, part);
		n += part;
		left -= part;
	}
	put_frame(&fixed, w->p[3], (uint16_t)(w->p[4] | w->p[5] << 8), (uint16_t)(w->p[6] | w->p[7] << 8), data, n);
	*w = fixed;
}

/* Random bytes: what was allowed is what a second reading of the bytes finds. */
static void any_bytes_are_judged(void **state)
{
	unsigned seed = 1815, passed = 0;
	struct command_row *row;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	row->services = desk_range(&d, 5, 6);
	row->targets[DNP3_OUTSTATION] = desk_range(&d, 10, 10);
	desk_space(&d, row, DNP3_BINARY_OUTPUTS, desk_range(&d, 1, 9));
	for (unsigned k = 0; k < 200000; k++) {
		struct wire w = request("c0 05 " CROB);
		size_t len;

		for (unsigned i = 0; i < 1 + k % 2; i++) {
			seed = seed * 1103515245u + 12345u;
			w.p[3 + (seed >> 16) % 24] = (uint8_t)(seed >> 8);
		}
		mend(&w);
		start(&d);
		if (cut(&w, w.n, &len) != FRAME_WHOLE || len != w.n || !judge(&d, DIR_C2S, &w)->allowed ||
		    (w.p[3] & 0x40) == 0 || w.p[2] == 5)
			continue;
		passed++;
		assert_true((w.p[3] & 0xc0) == 0xc0 && w.p[4] == 10 && w.p[5] == 0 && (w.p[10] & 0xc0) == 0xc0 &&
			    (w.p[11] & 0xf0) == 0xc0);
		assert_true(w.p[12] == 0 || w.p[12] == 5 || w.p[12] == 6);
		assert_true(w.p[13] == 12 && (w.p[14] == 1 || w.p[14] == 2) && w.p[17] >= 1 && w.p[17] <= 9);
		assert_true((w.p[15] == 0x17 && w.p[16] == 1) || (w.p[15] == 0 && w.p[16] == w.p[17]));
	}
	assert_true(passed > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_as_long_as_they_say),
		cmocka_unit_test(every_bit_is_summed),
		cmocka_unit_test(controls_are_those_of_the_clause),
		cmocka_unit_test(segments_follow),
		cmocka_unit_test(authentication_stands_beside),
		cmocka_unit_test(confirmed_parts_are_refused),
		cmocka_unit_test(every_request_is_what_it_says),
		cmocka_unit_test(every_function_is_tried),
		cmocka_unit_test(every_object_is_judged),
		cmocka_unit_test(qualifiers_are_those_of_the_clause),
		cmocka_unit_test(lengths_are_those_of_the_objects),
		cmocka_unit_test(other_functions_pass_where_they_are_named),
		cmocka_unit_test(ends_are_told),
		cmocka_unit_test(requests_come_in_segments),
		cmocka_unit_test(any_bytes_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
