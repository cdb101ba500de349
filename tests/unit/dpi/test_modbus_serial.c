/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What receivers of Modbus RTU and ASCII find in bytes of Modbus/TCP, and which bytes are such a
 * request and nothing else.
 * LINK: $(COMMANDS_PARTS) dpi/modbus/%.c
 * LIBS: nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/dpi/modbus_desk.h"

/* Holding registers may be read, and nothing else. */
static void reads(struct desk *d)
{
	desk_row(d)->services = DESK_ONLY(d, 3);
}

/* The checksum by shifts, as in the standard; the product uses a table. */
static uint16_t check_of(const uint8_t *p, size_t n)
{
	uint16_t crc = 0xffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (unsigned k = 0; k < 8; k++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
	}
	return crc;
}

static size_t rtu(uint8_t *to, const uint8_t *p, size_t n)
{
	uint16_t crc = check_of(p, n);

	memcpy(to, p, n);
	to[n] = (uint8_t)crc;
	to[n + 1] = (uint8_t)(crc >> 8);
	return n + 2;
}

static size_t ascii(uint8_t *to, const uint8_t *p, size_t n)
{
	uint8_t sum = 0;
	size_t at = 1;

	to[0] = ':';
	for (size_t i = 0; i <= n; i++) {
		uint8_t v = i < n ? p[i] : (uint8_t)-sum;

		at += (size_t)snprintf((char *)to + at, 3, i % 2 ? "%02x" : "%02X", v);
		sum = (uint8_t)(sum + v);
	}
	memcpy(to + at, "\r\n", 2);
	return at + 2;
}

static bool goes(struct desk *d, bool begins, const uint8_t *p, size_t n)
{
	const uint8_t *copy = exact_copy(p, n);
	bool passes;

	memset(&d->p, 0, sizeof(d->p));
	passes = modbus_enforcer.framed_else(d->state, begins, bytes_of(copy, n), desk_by(d), &d->p);
	exact_done(copy, n);
	return passes;
}

/* A read in Modbus/TCP. Together with the beginning of the next request it is a write of six
 * registers in RTU. */
static const uint8_t both[] = { 0x01, 0x10, 0, 0, 0, 6, 0x0c, 3, 0, 0, 0, 1, 0xdd, 0x12, 0, 0, 0, 6, 1, 3, 0 };

static void a_read_that_is_a_write(void **state)
{
	struct desk d;

	(void)state;
	/* In one segment, in two at every cut, and byte by byte: refused when the checksum is
	 * there, and not before. */
	/* its last byte is 0, which does not change the checksum */
	for (size_t cut = 0; cut + 1 < sizeof(both); cut++) {
		reads(&d);
		assert_true(cut == 0 || goes(&d, true, both, cut));
		assert_false(goes(&d, cut == 0, both + cut, sizeof(both) - cut));
		assert_int_equal(d.p.reason, R_MODBUS_SERIAL);
		assert_true(d.p.reading);
		assert_int_equal(d.p.function, 16);
		assert_int_equal(d.p.targets[0], 1);
		assert_int_equal(d.p.quantity, 6);
	}
	reads(&d);
	for (size_t at = 0; at < sizeof(both); at++)
		assert_int_equal(goes(&d, at == 0, both + at, 1), at + 1 < sizeof(both));
	desk_whole(&d);
	assert_true(goes(&d, true, both, sizeof(both)));
}

/* Each kind of request behind any number of bytes, in both codings; with a wrong checksum it is not
 * found. */
static void anywhere(void **state)
{
	static const struct {
		uint8_t n, pdu[16];
	} requests[] = {
		{ 6, { 9, 5, 0, 0, 0xff, 0 } },
		{ 6, { 9, 5, 0, 0, 0, 1 } }, /* a value that some devices read as off */
		{ 6, { 9, 6, 1, 3, 0, 7 } },
		{ 8, { 9, 15, 0, 0, 0, 8, 1, 1 } },
		{ 9, { 9, 16, 0, 0, 0, 1, 2, 0, 7 } },
		{ 9, { 9, 16, 0, 0, 0, 2, 2, 0, 7 } }, /* its length follows from its byte count */
		{ 8, { 9, 22, 0, 0, 0, 1, 0, 1 } },
		{ 13, { 9, 23, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 7 } },
		{ 6, { 9, 1, 0, 0, 0, 8 } },
		{ 2, { 9, 17 } },
		{ 6, { 9, 8, 0, 1, 0, 0 } },
		{ 4, { 9, 24, 0, 5 } },
		{ 12, { 9, 21, 9, 6, 0, 4, 0, 1, 0, 1, 0, 7 } },
	};
	struct desk d;
	uint8_t b[600];

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		for (unsigned coding = 0; coding < 2; coding++)
			for (size_t before = 0; before < 300; before += before < 9 ? 1 : 7)
				for (unsigned cut = 0; cut < 3; cut++) {
					size_t n, first;

					memset(b, 0xfe, sizeof(b));
					n = before + (coding ? ascii : rtu)(b + before, requests[i].pdu, requests[i].n);
					first = cut == 0 ? 0 : cut == 1 ? before : n - 1;
					reads(&d);
					assert_true(first == 0 || goes(&d, true, b, first));
					assert_false(goes(&d, false, b + first, n - first));
					assert_int_equal(d.p.reason, R_MODBUS_SERIAL);
					assert_int_equal(d.p.function, requests[i].pdu[1]);
					b[n - (coding ? 3 : 1)] ^= 1;
					reads(&d);
					assert_true(goes(&d, false, b, n));
				}
}

/* A function whose length is unknown is found by the silence around it: a segment of its own. */
static void a_segment_that_is_one(void **state)
{
	struct desk d;
	uint8_t b[64];
	size_t n = rtu(b, (uint8_t[]){ 1, 90, 0, 0x23, 1, 0 }, 6);

	(void)state;
	reads(&d);
	assert_false(goes(&d, false, b, n));
	assert_int_equal(d.p.function, 90);
	reads(&d);
	b[n] = 1;
	assert_true(goes(&d, false, b, n + 1));
}

/* Ordinary polls, one or several: they are reported as what they are, whatever the rows say. */
static void polls_are_named(void **state)
{
	struct desk d;
	uint8_t b[64];
	size_t n;

	(void)state;
	for (unsigned whole = 0; whole < 2; whole++)
		for (unsigned coding = 0; coding < 2; coding++)
			for (uint8_t quantity = 1; quantity < 20; quantity++) {
				n = (coding ? ascii : rtu)(b, (uint8_t[]){ 1, 3, 0, 0, 0, quantity }, 6);
				n += (coding ? ascii : rtu)(b + n, (uint8_t[]){ 1, 3, 0, 9, 0, quantity }, 6);
				for (unsigned one = 0; one < 2; one++) {
					if (whole)
						desk_whole(&d);
					else
						reads(&d);
					assert_false(goes(&d, true, b, one ? n / 2 : n));
					assert_int_equal(d.p.reason, R_MODBUS_SERIAL);
					assert_false(d.p.reading);
					assert_int_equal(d.p.targets[0], 1);
					assert_int_equal(d.p.function, 3);
					assert_int_equal(d.p.quantity, quantity);
				}
			}
}

/* A server that answers in Modbus/TCP is a server for Modbus/TCP; unless its answer could also be
 * one in RTU. */
static void what_an_answer_shows(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned tid = 0; tid < 256; tid++) {
		bool could = tid == 5 || tid == 6 || tid == 7 || tid == 8 || tid == 11 || tid == 15 || tid == 16 ||
			     tid == 22 || tid == 90;

		reads(&d);
		assert_true(request(&d, (uint16_t)tid, 1, 3, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed);
		assert_true(response(&d, (uint16_t)tid, 1, 3, (uint8_t[]){ 2, 0, 7 }, 3)->allowed);
		assert_int_equal(goes(&d, true, both, sizeof(both)), !could);
		/* The next answer shows nothing about the server. */
		reads(&d);
		for (unsigned k = 0; k < 2; k++) {
			uint16_t id = k == 0 ? (uint16_t)tid : 0;

			assert_true(request(&d, id, 1, 3, (uint8_t[]){ 0, 0, 0, 1 }, 4)->allowed);
			assert_true(response(&d, id, 1, 3, (uint8_t[]){ 2, 0, 7 }, 3)->allowed);
		}
		assert_int_equal(goes(&d, true, both, sizeof(both)), !could);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_that_is_a_write), cmocka_unit_test(anywhere),
		cmocka_unit_test(a_segment_that_is_one),  cmocka_unit_test(polls_are_named),
		cmocka_unit_test(what_an_answer_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
