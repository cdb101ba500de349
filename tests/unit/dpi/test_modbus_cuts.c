/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server finds if it cuts the client's bytes itself. Until it has answered, no more bytes
 * pass than it reads at once, unless everything is allowed or nothing forbidden can be found in the
 * bytes.
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

#define LONG 251u /* a write of 119 registers */
#define READ 1024u

/* Registers 0 to 127 may be read and written. */
static void writes(struct desk *d)
{
	struct command_row *row = desk_row(d);

	row->services = DESK_ONLY(d, 3, 16);
	desk_space(d, row, MODBUS_HOLDING, desk_ranges(d, (uint32_t[]){ 0, 127 }, 1));
}

static size_t put_long(uint8_t *at, uint16_t tid)
{
	memset(at, 0, LONG);
	memcpy(at, (uint8_t[]){ (uint8_t)(tid >> 8), (uint8_t)tid, 0, 0, 0, LONG - 6, 1, 16, 0, 0, 0, 119, 238 }, 13);
	return LONG;
}

/* Five such writes, more than a server reads at once. */
static size_t put_five(uint8_t many[5 * LONG])
{
	size_t n = 0;

	for (uint16_t k = 0; k < 5; k++)
		n += put_long(many + n, k);
	return n;
}

/* Sends one segment that begins with a request; if it may pass, its requests are judged. */
static bool passes(struct desk *d, uint64_t offset, const uint8_t *bytes, size_t n)
{
	memset(&d->p, 0, sizeof(d->p));
	d->p.offset = offset;
	if (!modbus_enforcer.segment(d->state, offset, 0, false, bytes_of(bytes, n), desk_by(d), &d->p))
		return false;
	for (size_t at = 0, one = 0; at < n; at += one) {
		assert_int_equal(modbus_enforcer.frame(d->state, DIR_C2S, bytes_of(bytes + at, n - at), &one),
				 FRAME_WHOLE);
		d->p.offset = offset + at;
		d->p.length = (uint32_t)one;
		desk_ask(d, DIR_C2S, bytes_of(bytes + at, one));
		assert_true(d->p.allowed);
	}
	return true;
}

static void no_more_than_is_read_at_once(void **state)
{
	struct desk d;
	uint8_t pdu[LONG];

	(void)state;
	writes(&d);
	for (uint16_t k = 0; k < READ / LONG; k++) {
		put_long(pdu, k);
		assert_true(passes(&d, k * (uint64_t)LONG, pdu, LONG));
	}
	for (unsigned again = 0; again < 3; again++) { /* a fifth write waits */
		put_long(pdu, 4);
		assert_false(passes(&d, 4 * LONG, pdu, LONG));
		assert_int_equal(d.p.reason, R_MODBUS_PENDING);
	}
	assert_true(response(&d, 0, 1, 16, (uint8_t[]){ 0, 0, 0, 119 }, 4)->allowed);
	assert_true(passes(&d, 4 * LONG, pdu, LONG));
	assert_false(passes(&d, 5 * LONG, pdu, LONG));
	/* The answer to the last request shows that all requests before it were read. */
	assert_true(response(&d, 4, 1, 16, (uint8_t[]){ 0, 0, 0, 119 }, 4)->allowed);
	assert_true(passes(&d, 5 * LONG, pdu, LONG));
}

static void numbers_wrap(void **state)
{
	struct desk d;
	uint8_t pdu[LONG];
	uint64_t offset = 0xffffff00u;

	(void)state;
	writes(&d);
	for (uint16_t k = 0; k < READ / LONG; k++, offset += LONG) {
		put_long(pdu, k);
		assert_true(passes(&d, offset, pdu, LONG));
	}
	assert_false(passes(&d, offset, pdu, LONG));
}

static void too_much_alone(void **state)
{
	struct desk d;
	uint8_t many[5 * LONG];
	size_t n = put_five(many);

	(void)state;
	writes(&d);
	/* zeros: a server that begins to read in the middle finds no request */
	assert_true(passes(&d, 0, many, n));
	memcpy(many + READ, (uint8_t[]){ 0, 7, 0, 0, 0, 6, 1, 6, 1, 3, 0, 7 }, 12);
	desk_reset(&d);
	assert_false(passes(&d, 0, many, n));
	assert_int_equal(d.p.reason, R_MODBUS_CUT);
	assert_int_equal(d.p.function, 6);
	assert_int_equal(d.p.address, 0x103);
	desk_whole(&d);
	assert_true(passes(&d, 0, many, n));
	assert_true(passes(&d, n, many, n));
}

/* The values that such a server would write are judged as well. They are read from the bytes that
 * are still there. */
static void values_in_the_middle(void **state)
{
	struct desk d;
	uint8_t many[5 * LONG];
	size_t n = put_five(many);

	(void)state;
	writes(&d);
	/* the values that the bytes below give to registers of the long request, and 7 */
	d.rows[0].values = desk_ranges(
		&d, (uint32_t[]){ 0, 1, 5, 5, 7, 7, 9, 9, 0x110, 0x110, 0x200, 0x200, 0x700, 0x700, 0x800, 0x800 }, 8);
	memcpy(many + READ + 1, (uint8_t[]){ 0, 7, 0, 0, 0, 9, 1, 16, 0, 5, 0, 1, 2, 0, 7 }, 15);
	assert_true(modbus_enforcer.segment(d.state, 0, 0, false, bytes_of(many, n), desk_by(&d), &d.p));
	many[READ + 15] = 8;
	assert_false(modbus_enforcer.segment(d.state, 0, 0, false, bytes_of(many, n), desk_by(&d), &d.p));
	assert_int_equal(d.p.reason, R_MODBUS_CUT);
	assert_int_equal(d.p.limit.what, LIMIT_VALUE);
	assert_int_equal(d.p.limit.wrote, 8);
}

/* A read whose header and body come apart, the body late: whatever it asks for, the rest is never a
 * command that changes something. */
static void a_read_may_be_cut(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned quantity = 1; quantity <= 125; quantity++) {
		for (size_t cut = 1; cut < 12; cut++) {
			const uint8_t read[] = { 0, 5, 0, 0, 0, 6, 1, 3, 0, 2, 0, (uint8_t)quantity };

			writes(&d);
			memset(&d.p, 0, sizeof(d.p));
			assert_true(
				modbus_enforcer.segment(d.state, 0, 0, false, bytes_of(read, cut), desk_by(&d), &d.p));
			assert_true(
				modbus_enforcer.segment(d.state, 0, cut, true, bytes_of(read, 12), desk_by(&d), &d.p));
		}
	}
}

/* A server that has lost its place goes on behind a header whose length says that nothing
 * follows. */
static void a_header_of_nothing(void **state)
{
	struct desk d;
	uint8_t pdu[LONG];

	(void)state;
	for (uint8_t length = 0; length < 2; length++) {
		writes(&d);
		put_long(pdu, 5);
		pdu[13 + 5] = length;
		memcpy(pdu + 13 + 6 + length, (uint8_t[]){ 0, 7, 0, 0, 0, 6, 1, 6, 1, 3, 0, 7 }, 12);
		memset(&d.p, 0, sizeof(d.p));
		assert_true(modbus_enforcer.segment(d.state, 0, 0, false, bytes_of(pdu, 13), desk_by(&d), &d.p));
		assert_false(modbus_enforcer.segment(d.state, 0, 13, false, bytes_of(pdu, LONG), desk_by(&d), &d.p));
		assert_int_equal(d.p.reason, R_MODBUS_CUT);
		assert_int_equal(d.p.address, 0x103);
	}
}

/* A server that goes by the function code does not wait for the rest that a header announces. */
static void headers_that_say_more(void **state)
{
	static const struct {
		uint8_t n, pdu[20];
	} requests[] = {
		{ 4, { 1, 0, 0, 0, 1 } },
		{ 4, { 3, 0, 0, 0, 1 } },
		{ 4, { 5, 0, 0, 0xff, 0 } },
		{ 4, { 6, 1, 3, 0, 7 } },
		{ 0, { 17 } },
		{ 6, { 22, 0, 0, 0, 1, 0, 1 } },
		{ 6, { 15, 0, 0, 0, 8, 1, 1 } },
		{ 7, { 16, 0, 0, 0, 1, 2, 0, 7 } },
		/* its length follows from the number of values */
		{ 7, { 16, 0, 0, 0, 1, 200, 0, 7 } },
		{ 11, { 23, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 7 } },
	};
	struct desk d;

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		for (unsigned length = requests[i].n + 3u; length <= 254; length++) {
			uint8_t b[8 + 20 + 12] = { 0, 5, 0, 0, 0, (uint8_t)length, 1 };
			size_t n = 8u + requests[i].n;

			memcpy(b + 7, requests[i].pdu, 1u + requests[i].n);
			for (unsigned whole = 0; whole < 2; whole++) {
				if (whole)
					desk_whole(&d);
				else
					writes(&d);
				memset(&d.p, 0, sizeof(d.p));
				if (n > 8) /* it may be refused before its last byte comes */
					assert_true(modbus_enforcer.segment(d.state, 0, 0, false, bytes_of(b, n - 1),
									    desk_by(&d), &d.p) ||
						    d.p.early);
				assert_false(modbus_enforcer.segment(d.state, 0, n > 8 ? n - 1 : 0, false,
								     bytes_of(b, n), desk_by(&d), &d.p));
				assert_int_equal(d.p.reason, R_MODBUS_FRAME);
				assert_int_equal(d.p.function, requests[i].pdu[0]);
			}
		}
	}
}

/*
 * A server that takes what one read() returns as a request executes the beginning of a request,
 * with zeros for the missing bytes. So a request is refused as soon as its bytes show that it is
 * forbidden. An allowed request may be cut anywhere.
 */
static void beginnings(void **state)
{
	static const struct {
		size_t n, refused; /* number of bytes that are there when it is refused; 0: never */
		enum reason reason;
		uint8_t pdu[24];
	} requests[] = {
		{ 12, 8, R_MODBUS_FUNCTION, { 0, 5, 0, 0, 0, 6, 1, 6, 0, 0, 0, 1 } },
		{ 12, 8, R_MODBUS_FUNCTION, { 0, 5, 0, 0, 0, 6, 1, 5, 0, 0, 0xff, 0 } },
		{ 14, 8, R_MODBUS_FUNCTION, { 0, 5, 0, 0, 0, 8, 1, 15, 0, 0, 0, 8, 1, 1 } },
		{ 12, 0, R_ALLOWED, { 0, 5, 0, 0, 0, 6, 1, 3, 0, 0, 0, 128 - 3 } },
		{ 12, 0, R_ALLOWED, { 0, 5, 0, 0, 0, 6, 1, 3, 0, 127, 0, 1 } },
		{ 12, 12, R_MODBUS_ADDRESS, { 0, 5, 0, 0, 0, 6, 1, 3, 0, 127, 0, 2 } },
		{ 17, 0, R_ALLOWED, { 0, 5, 0, 0, 0, 11, 1, 16, 0, 126, 0, 2, 4, 0, 1, 0, 1 } },
		{ 17, 12, R_MODBUS_ADDRESS, { 0, 5, 0, 0, 0, 11, 1, 16, 0, 127, 0, 2, 4, 0, 1, 0, 1 } },
		{ 17, 12, R_MODBUS_QUANTITY, { 0, 5, 0, 0, 0, 11, 1, 16, 0, 127, 1, 2, 4, 0, 1, 0, 1 } },
		{ 17, 12, R_MODBUS_QUANTITY, { 0, 5, 0, 0, 0, 11, 1, 16, 0, 127, 0, 0, 4, 0, 1, 0, 1 } },
		/* a function without a name, see below */
		{ 12, 0, R_ALLOWED, { 0, 5, 0, 0, 0, 6, 1, 33, 0, 0, 0, 1 } },
		{ 12, 0, R_ALLOWED, { 0, 5, 0, 0, 0, 6, 1, 6, 0, 100, 0, 9 } },
		{ 12, 10, R_MODBUS_ADDRESS, { 0, 5, 0, 0, 0, 6, 1, 6, 0, 128, 0, 9 } },
		{ 14, 10, R_MODBUS_ADDRESS, { 0, 5, 0, 0, 0, 8, 1, 22, 0, 128, 0, 9, 0, 9 } },
		{ 12, 8, R_MODBUS_UNIT, { 0, 5, 0, 0, 0, 6, 7, 6, 0, 100, 0, 9 } },
		{ 19, 0, R_ALLOWED, { 0, 5, 0, 0, 0, 13, 1, 23, 0, 0, 0, 9, 0, 127, 0, 1, 2, 0, 7 } },
		{ 19, 12, R_MODBUS_ADDRESS, { 0, 5, 0, 0, 0, 13, 1, 23, 0, 120, 0, 9, 0, 127, 0, 1, 2, 0, 7 } },
		{ 21, 16, R_MODBUS_ADDRESS, { 0, 5, 0, 0, 0, 15, 1, 23, 0, 0, 0, 9, 0, 127, 0, 2, 4, 0, 7, 0, 7 } },
	};
	struct desk d;

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const uint8_t *pdu = requests[i].pdu;
		bool first_rows = i <= 9;

		for (size_t n = 1; n < requests[i].n; n++) {
			bool passes;

			writes(&d);
			if (!first_rows) {
				d.rows[0].services = DESK_ONLY(&d, 6, 22, 23, 33);
				d.rows[0].targets[0] = DESK_ONLY(&d, 1);
				d.rows[0].spaces_any = pdu[7] == 33;
			}
			memset(&d.p, 0, sizeof(d.p));
			passes = modbus_enforcer.segment(d.state, 0, 0, false, bytes_of(pdu, n), desk_by(&d), &d.p);
			/* this function has to come alone in a segment (segment.c) */
			if (pdu[7] == 33) {
				assert_int_equal(passes, n < 8);
				continue;
			}
			assert_int_equal(passes, requests[i].refused == 0 || n < requests[i].refused);
			if (passes)
				continue;
			assert_true(d.p.early || d.p.reason == R_MODBUS_FRAME);
			/* otherwise the header announces more bytes, and the server does not wait
			 * for them */
			if (d.p.early)
				assert_int_equal(d.p.reason, requests[i].reason);
			assert_int_equal(d.p.function, pdu[7]);
			assert_int_equal(d.p.targets[0], pdu[6]);
		}
		/* The whole request is refused for the same reason. */
		if (requests[i].reason == R_ALLOWED)
			continue;
		desk_judge(&d, DIR_C2S, pdu, requests[i].n);
		assert_int_equal(d.p.reason, requests[i].reason);
	}
	desk_whole(&d); /* if everything is allowed, nothing can be misread */
	assert_true(modbus_enforcer.segment(d.state, 0, 0, false, bytes_of(requests[0].pdu, 11), desk_by(&d), &d.p));
}

/* A read in two pieces is not refused when its address looks like the function code of a write and
 * too few bytes for a write follow. */
static void reads_in_two_pieces(void **state)
{
	static const uint8_t writes_of[] = { 5, 6, 15, 16, 22, 23 };
	struct desk d;

	(void)state;
	for (size_t i = 0; i < sizeof(writes_of); i++) {
		const uint8_t read[] = { 0, 5, 0, 0, 0, 6, 1, 3, 0, writes_of[i], 0, 1 };

		for (size_t cut = 1; cut < sizeof(read); cut++) {
			writes(&d);
			memset(&d.p, 0, sizeof(d.p));
			assert_true(
				modbus_enforcer.segment(d.state, 0, 0, false, bytes_of(read, cut), desk_by(&d), &d.p));
			assert_true(modbus_enforcer.segment(d.state, 0, cut, false, bytes_of(read, sizeof(read)),
							    desk_by(&d), &d.p));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_than_is_read_at_once),
		cmocka_unit_test(numbers_wrap),
		cmocka_unit_test(too_much_alone),
		cmocka_unit_test(values_in_the_middle),
		cmocka_unit_test(a_read_may_be_cut),
		cmocka_unit_test(a_header_of_nothing),
		cmocka_unit_test(headers_that_say_more),
		cmocka_unit_test(beginnings),
		cmocka_unit_test(reads_in_two_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
