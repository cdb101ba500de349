/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lower layers of S7comm: packets, TPDUs, messages of several DT TPDUs, and the contents of a
 * connection request.
 * LINK: appliance/wire/settings.c appliance/base/bytes.c dpi/s7comm/frame.c
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "dpi/s7comm/transport.h"

static uint8_t buffer[2 * S7_PDU_MAX];

static enum frame_result framed(const uint8_t *p, size_t n, size_t *ret)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	enum frame_result r;

	assert_non_null(copy);
	if (n > 0)
		memcpy(copy, p, n);
	r = s7_frame(bytes_of(copy, n), ret);
	free(copy);
	return r;
}

/* A DT with n bytes of 'x'; returns its length. */
static size_t dt(uint8_t *p, size_t n, uint8_t number)
{
	const uint8_t head[7] = { 3, 0, (uint8_t)((n + 7) >> 8), (uint8_t)(n + 7), 2, 0xf0, number };

	memcpy(p, head, sizeof(head));
	memset(p + 7, 'x', n);
	return n + 7;
}

/* The packet is whole at its length and only there; every shorter piece may still become whole. */
static void whole_at(const uint8_t *p, size_t n)
{
	size_t len;

	for (size_t k = 0; k < n; k++) {
		assert_int_equal(framed(p, k, &len), FRAME_NEED_MORE);
		assert_int_equal(len, 0);
	}
	assert_int_equal(framed(p, n, &len), FRAME_WHOLE);
	assert_int_equal(len, n);
}

static void bad(const uint8_t *p, size_t n)
{
	size_t len;

	assert_int_equal(framed(p, n, &len), FRAME_BAD);
}

static void packets(void **unused)
{
	size_t n;

	(void)unused;
	for (size_t data = 1; data < 40; data++) {
		n = dt(buffer, data, 0x80);
		whole_at(buffer, n);
		dt(buffer + n, 3, 0x80); /* what follows is another */
		assert_int_equal(framed(buffer, n + 10, &(size_t){ 0 }), FRAME_WHOLE);
	}
	/* each byte of a header has only one or a few possible values */
	for (unsigned v = 0; v < 256; v++) {
		uint8_t one[8] = { (uint8_t)v };

		n = dt(buffer, 8, 0x80);
		assert_int_equal(framed(one, 1, &(size_t){ 0 }), v == 3 ? FRAME_NEED_MORE : FRAME_BAD);
		buffer[1] = (uint8_t)v;
		assert_int_equal(framed(buffer, n, &(size_t){ 0 }), v == 0 ? FRAME_WHOLE : FRAME_BAD);
		n = dt(buffer, 8, 0x80);
		buffer[4] = (uint8_t)v;
		assert_int_equal(framed(buffer, n, &(size_t){ 0 }), v == 2 ? FRAME_WHOLE : FRAME_BAD);
		/* the number of a DT may be anything: only the end of the message counts */
		n = dt(buffer, 8, (uint8_t)v);
		assert_int_equal(framed(buffer, n, &(size_t){ 0 }), v >= 0x80 ? FRAME_WHOLE : FRAME_NEED_MORE);
	}
}

/* The length of the packet compared with that of the TPDU: -2 to +7. A disconnect request may have
 * up to six bytes behind it. */
static void lengths(void **unused)
{
	static const int tpdus[] = { 0xe0, 0xd0, 0x80, 0x70, 0xf0, 0x60, 0x20, 0x10, 0xc0, 0x50, 0xe1, 0xf1 };
	static const int least[] = { 6, 6, 6, 4, 2 };

	(void)unused;
	for (unsigned t = 0; t < sizeof(tpdus) / sizeof(tpdus[0]); t++)
		for (int header = 0; header < 256; header++)
			for (int more = -2; more <= 7; more++) {
				int length = 5 + header + more;
				uint8_t p[275] = { 3,
						   0,
						   (uint8_t)(length >> 8),
						   (uint8_t)length,
						   (uint8_t)header,
						   (uint8_t)tpdus[t],
						   0x80 };
				bool good = t < 5 && header >= least[t] &&
					    (more == 0 || (tpdus[t] == 0x80 && more > 0 && more < 7));

				if (length < 0 || length > 275)
					continue;
				if (tpdus[t] == 0xf0)
					/* a header and at least one byte of data */
					good = header == 2 && more > 0;
				if (length < 7) {
					bad(p, 7);
					continue;
				}
				assert_int_equal(framed(p, (size_t)length, &(size_t){ 0 }),
						 good ? FRAME_WHOLE : FRAME_BAD);
			}
	for (size_t n = S7_MESSAGE_MAX - 2; n <= S7_MESSAGE_MAX + 2; n++) {
		size_t all = dt(buffer, n, 0x80);

		assert_int_equal(framed(buffer, all, &(size_t){ 0 }), n <= S7_MESSAGE_MAX ? FRAME_WHOLE : FRAME_BAD);
	}
	memcpy(buffer, (uint8_t[]){ 3, 0, 0xff, 0xff, 2, 0xf0, 0x80 }, 7);
	bad(buffer, 7);
}

static void fragments(void **unused)
{
	struct s7_unit u;
	uint8_t joined[S7_MESSAGE_MAX];
	size_t n = 0;

	(void)unused;
	n += dt(buffer, 5, 0);
	n += dt(buffer + n, 6, 0);
	n += dt(buffer + n, 7, 0x80);
	whole_at(buffer, n);
	s7_unwrap(bytes_of(buffer, n), joined, &u);
	assert_true(u.well_formed && u.tpdu == TPDU_DT && u.fragments == 3 && u.message.left == 18);
	for (size_t i = 0; i < 18; i++)
		assert_int_equal(u.message.p[i], 'x');
	s7_unwrap(bytes_of(buffer, n), NULL, &u);
	assert_false(u.well_formed);

	n = dt(buffer, 5, 0); /* no other TPDU may stand between them, and no empty one */
	n += dt(buffer + n, 0, 0);
	bad(buffer, n);
	n = dt(buffer, 5, 0);
	n += dt(buffer + n, 0, 0x80);
	bad(buffer, n);
	n = dt(buffer, 5, 0);
	memcpy(buffer + n, (uint8_t[]){ 3, 0, 0, 11, 6, 0x80, 0, 0, 0, 0, 0 }, 11);
	bad(buffer, n + 11);

	n = 0; /* the maximum number of them, and one more */
	for (unsigned i = 0; i < S7_FRAGMENTS_MAX - 1; i++)
		n += dt(buffer + n, 1, 0);
	assert_int_equal(framed(buffer, n, &(size_t){ 0 }), FRAME_NEED_MORE);
	n += dt(buffer + n, 1, 0x80);
	assert_int_equal(framed(buffer, n, &(size_t){ 0 }), FRAME_WHOLE);
	buffer[n - 2] = 0;
	bad(buffer, n);

	/* 4096 bytes together are the maximum */
	for (size_t last = 94; last <= 98; last++) {
		n = dt(buffer, 4000, 0);
		n += dt(buffer + n, last, 0x80);
		assert_int_equal(framed(buffer, n, &(size_t){ 0 }), last <= 96 ? FRAME_WHOLE : FRAME_BAD);
		assert_int_equal(framed(buffer, 4007 + 7, &(size_t){ 0 }), last <= 96 ? FRAME_NEED_MORE : FRAME_BAD);
	}
}

static void acknowledgements(void **unused)
{
	struct s7_unit u;
	size_t n = dt(buffer, 0, 0);

	(void)unused;
	whole_at(buffer, n);
	s7_unwrap(bytes_of(buffer, n), NULL, &u);
	assert_true(u.well_formed && u.message.left == 0 && u.fragments == 0);
	n = dt(buffer, 0, 0x80); /* an empty message */
	bad(buffer, n);
}

struct called {
	const char *what;
	uint8_t parameters[40];
	size_t n;
	bool good;
	uint16_t slot;
};

static void connections(void **unused)
{
	static const struct called all[] = {
		{ "rack 0, slot 2", { 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2 }, 11, true, 2 },
		{ "rack 3, slot 4", { 0xc2, 2, 3, 0x64, 0xc1, 2, 1, 0 }, 8, true, 0x64 },
		{ "a name", { 0xc2, 4, 'R', 'O', 'O', 'T' }, 6, true, SLOT_UNKNOWN },
		{ "another family", { 0xc2, 2, 6, 0 }, 4, true, SLOT_UNKNOWN },
		{ "routed", { 0xc2, 2, 1, 2, 0xc6, 1, 0 }, 7, true, SLOT_UNKNOWN },
		{ "called twice", { 0xc2, 2, 1, 2, 0xc2, 2, 1, 3 }, 8, false, 0 },
		{ "nobody called", { 0xc1, 2, 1, 0 }, 4, false, 0 },
		{ "nothing", { 0 }, 0, false, 0 },
		{ "an empty name", { 0xc2, 0 }, 2, false, 0 },
		{ "one byte short", { 0xc2, 2, 1 }, 3, false, 0 },
		{ "a code alone", { 0xc2, 2, 1, 2, 0xc1 }, 5, false, 0 },
		{ "size 6", { 0xc2, 2, 1, 2, 0xc0, 1, 6 }, 7, false, 0 },
		{ "size 14", { 0xc2, 2, 1, 2, 0xc0, 1, 14 }, 7, false, 0 },
		{ "size of two bytes", { 0xc2, 2, 1, 2, 0xc0, 2, 0, 7 }, 8, false, 0 },
	};
	struct s7_unit u;

	(void)unused;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (unsigned class = 0; class < 256; class += 0x10) {
			uint8_t p[64] = { 3, 0, 0, (uint8_t)(11 + all[i].n), (uint8_t)(6 + all[i].n), 0xe0, 0,
					  0, 0, 9, (uint8_t) class };

			memcpy(p + 11, all[i].parameters, all[i].n);
			s7_unwrap(bytes_of(p, 11 + all[i].n), NULL, &u);
			if (u.well_formed != (all[i].good && class == 0))
				fail_msg("%s, class %u", all[i].what, class >> 4);
			if (u.well_formed)
				assert_true(u.slot == all[i].slot && u.from == 9);
			p[7] = 1; /* a destination reference, which nobody has given yet */
			s7_unwrap(bytes_of(p, 11 + all[i].n), NULL, &u);
			assert_false(u.well_formed);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets),	    cmocka_unit_test(lengths),	   cmocka_unit_test(fragments),
		cmocka_unit_test(acknowledgements), cmocka_unit_test(connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
