/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Modbus enforcer: answers, open requests, pipelining, lost and repeated answers, a change of
 * the table in between.
 * LINK: $(COMMANDS_PARTS) dpi/modbus/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/modbus/modbus.h"
#include "tests/unit/dpi/modbus_desk.h"

struct exchange {
	uint8_t function;
	uint8_t n, back_n;
	uint8_t data[20], back[24];
};

/* One exchange of each function; most are the examples of the specification. */
static const struct exchange golden[] = {
	{ 1, 4, 4, { 0, 19, 0, 19 }, { 3, 0xcd, 0x6b, 5 } },
	{ 1, 4, 2, { 0, 0, 0, 8 }, { 1, 0xff } },
	{ 2, 4, 4, { 0, 196, 0, 22 }, { 3, 0xac, 0xdb, 0x35 } },
	{ 3, 4, 7, { 0, 107, 0, 3 }, { 6, 2, 0x2b, 0, 0, 0, 0x64 } },
	{ 4, 4, 3, { 0, 8, 0, 1 }, { 2, 0, 10 } },
	{ 5, 4, 4, { 0, 172, 0xff, 0 }, { 0, 172, 0xff, 0 } },
	{ 6, 4, 4, { 0, 1, 0, 3 }, { 0, 1, 0, 3 } },
	{ 7, 0, 1, { 0 }, { 0x6d } },
	{ 8, 4, 4, { 0, 0, 0xa5, 0x37 }, { 0, 0, 0xa5, 0x37 } },
	{ 8, 4, 4, { 0, 1, 0xff, 0 }, { 0, 1, 0xff, 0 } },
	{ 8, 4, 4, { 0, 2, 0, 0 }, { 0, 2, 0x12, 0x34 } },
	{ 8, 4, 4, { 0, 11, 0, 0 }, { 0, 11, 0, 99 } },
	{ 11, 0, 4, { 0 }, { 0xff, 0xff, 1, 8 } },
	{ 12, 0, 9, { 0 }, { 8, 0, 0, 1, 8, 1, 0x21, 0x20, 0 } },
	{ 15, 7, 4, { 0, 19, 0, 10, 2, 0xcd, 1 }, { 0, 19, 0, 10 } },
	{ 16, 9, 4, { 0, 1, 0, 2, 4, 0, 10, 1, 2 }, { 0, 1, 0, 2 } },
	{ 17, 0, 4, { 0 }, { 3, 9, 0xff, 1 } },
	{ 20,
	  15,
	  13,
	  { 14, 6, 0, 4, 0, 1, 0, 2, 6, 0, 3, 0, 9, 0, 2 },
	  { 12, 5, 6, 13, 0xfe, 0, 0x20, 5, 6, 0x33, 0xcd, 0, 0x40 } },
	{ 21,
	  14,
	  14,
	  { 13, 6, 0, 4, 0, 7, 0, 3, 6, 0xaf, 4, 0xbe, 16, 13 },
	  { 13, 6, 0, 4, 0, 7, 0, 3, 6, 0xaf, 4, 0xbe, 16, 13 } },
	{ 22, 6, 6, { 0, 4, 0, 0xf2, 0, 0x25 }, { 0, 4, 0, 0xf2, 0, 0x25 } },
	{ 23,
	  15,
	  13,
	  { 0, 3, 0, 6, 0, 14, 0, 3, 6, 0, 255, 0, 255, 0, 255 },
	  { 12, 0, 254, 10, 205, 0, 1, 0, 3, 0, 13, 0, 255 } },
	{ 24, 2, 8, { 4, 222 }, { 0, 6, 0, 2, 1, 184, 18, 132 } },
	{ 43, 3, 13, { 14, 1, 0 }, { 14, 1, 1, 0, 0, 2, 0, 2, 'a', 'b', 1, 1, 'c' } },
};

#define N_GOLDEN (sizeof(golden) / sizeof(golden[0]))

static void golden_round_trip(void **state)
{
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (size_t i = 0; i < N_GOLDEN; i++) {
		const struct exchange *e = &golden[i];

		assert_true(request(&d, (uint16_t)i, 17, e->function, e->data, e->n)->allowed);
		assert_true(response(&d, (uint16_t)i, 17, e->function, e->back, e->back_n)->allowed);
		assert_int_equal(d.p.reason, R_ALLOWED);
		assert_int_equal(d.p.conduit, 0);
		assert_int_equal(d.p.line, 100);
		assert_false(d.p.exception);
		/* a second time only with the same bytes */
		assert_true(response(&d, (uint16_t)i, 17, e->function, e->back, e->back_n)->allowed);
		assert_int_equal(d.p.reason, R_MODBUS_TWICE);
		assert_false(response(&d, (uint16_t)(i + 500), 17, e->function, e->back, e->back_n)->allowed);
		assert_int_equal(d.p.reason, R_MODBUS_RESPONSE);
	}
}

/* What a service may be lenient about, each alone: everything else is still refused. */
static void forgiven(void **state)
{
	static const uint8_t ask[] = { 0, 7, 0, 1 }, back[] = { 2, 0, 9 }, padded[] = { 2, 0, 9, 0x55, 0x55 };
	struct desk d;

	(void)state;
	for (unsigned bit = 0; bit <= LENIENT_WORDS; bit++) {
		unsigned lenient = bit == LENIENT_WORDS ? 0 : 1u << bit;

		for (unsigned what = 0; what < 6; what++) {
			bool ok = false;

			desk_whole(&d);
			d.grants[0].lenient = (uint8_t)lenient;
			assert_true(request(&d, 5, 17, 3, ask, 4)->allowed);
			switch (what) {
			case 0:
				ok = response(&d, 0, 17, 3, back, 3)->allowed;
				break;
			case 1:
				ok = response(&d, 5, 255, 3, back, 3)->allowed;
				break;
			case 2:
				assert_true(response(&d, 5, 17, 3, back, 3)->allowed);
				ok = response(&d, 5, 17, 3, (const uint8_t[]){ 2, 0, 8 }, 3)->allowed;
				break;
			case 3:
				ok = response(&d, 5, 17, 3, padded, 4)->allowed;
				break;
			/* never forgiven: another transaction, two bytes too many, another
			 * function */
			case 4:
				ok = response(&d, 7, 17, 3, back, 3)->allowed ||
				     response(&d, 5, 17, 3, padded, 5)->allowed;
				break;
			case 5:
				ok = response(&d, 5, 17, 4, back, 3)->allowed;
				break;
			}
			assert_int_equal(ok, what == bit && bit < 4);
		}
	}
	/* a shadow's leniency does not count; the leniency of one service of several is enough */
	desk_row(&d);
	desk_more(&d, 1, 200, true);
	d.grants[1].lenient = LENIENT_ALL;
	assert_true(request(&d, 5, 17, 3, ask, 4)->allowed);
	assert_false(response(&d, 0, 17, 3, back, 3)->allowed);
	d.grants[1].shadow = false;
	assert_true(response(&d, 0, 17, 3, back, 3)->allowed);
}

/* A wrong length, transaction, unit or function: the answer is refused, and the right answer is
 * still accepted. */
static void answers_that_are_not(void **state)
{
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (size_t i = 0; i < N_GOLDEN; i++) {
		const struct exchange *e = &golden[i];
		uint8_t back[32] = { 0 };

		memcpy(back, e->back, sizeof(e->back));
		assert_true(request(&d, 5, 17, e->function, e->data, e->n)->allowed);
		for (size_t n = 0; n <= e->back_n + 3u; n++)
			if (n != e->back_n)
				assert_false(response(&d, 5, 17, e->function, back, n)->allowed);
		assert_false(response(&d, 4, 17, e->function, back, e->back_n)->allowed);
		assert_false(response(&d, 5, 16, e->function, back, e->back_n)->allowed);
		assert_false(response(&d, 5, 17, e->function == 1 ? 2 : 1, back, e->back_n)->allowed);
		assert_int_equal(d.p.reason, R_MODBUS_RESPONSE);
		assert_true(response(&d, 5, 17, e->function, back, e->back_n)->allowed);
	}
}

/* Answers that repeat the request: the request determines every byte of them. */
static void echoes(void **state)
{
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (size_t i = 0; i < N_GOLDEN; i++) {
		const struct exchange *e = &golden[i];
		bool echo = e->function == 5 || e->function == 6 || e->function == 15 || e->function == 16 ||
			    e->function == 22 || (e->function == 8 && e->data[1] < 2);

		for (size_t k = 0; echo && k < e->back_n; k++) {
			uint8_t back[24];

			memcpy(back, e->back, sizeof(back));
			back[k] ^= 1;
			desk_reset(&d);
			request(&d, 5, 1, e->function, e->data, e->n);
			assert_false(response(&d, 5, 1, e->function, back, e->back_n)->allowed);
			assert_true(response(&d, 5, 1, e->function, e->back, e->back_n)->allowed);
		}
	}
}

/* Inner lengths that do not add up although the outer length is right. */
static void inner_lengths(void **state)
{
	struct desk d;

	(void)state;
	desk_whole(&d);
	/* file records: the answer must have the two registers that were asked for */
	request(&d, 5, 1, 20, (uint8_t[]){ 14, 6, 0, 4, 0, 1, 0, 2, 6, 0, 3, 0, 9, 0, 2 }, 15);
	assert_false(response(&d, 5, 1, 20, (uint8_t[]){ 10, 5, 6, 1, 2, 3, 4, 3, 6, 1, 2 }, 11)->allowed);
	assert_false(response(&d, 5, 1, 20, (uint8_t[]){ 6, 5, 6, 1, 2, 3, 4 }, 7)->allowed);
	assert_false(response(&d, 5, 1, 20, (uint8_t[]){ 12, 5, 6, 1, 2, 3, 4, 5, 7, 1, 2, 3, 4 }, 13)->allowed);
	assert_false(response(&d, 5, 1, 20, (uint8_t[]){ 12, 5, 6, 1, 2, 3, 4, 4, 6, 1, 2, 3, 4 }, 13)->allowed);
	assert_true(response(&d, 5, 1, 20, (uint8_t[]){ 12, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4 }, 13)->allowed);
	/* a queue whose two counts differ, or that is longer than the maximum */
	request(&d, 5, 1, 24, (uint8_t[]){ 0, 1 }, 2);
	assert_false(response(&d, 5, 1, 24, (uint8_t[]){ 0, 4, 0, 2, 1, 2, 3, 4 }, 8)->allowed);
	assert_false(response(&d, 5, 1, 24, (uint8_t[]){ 0, 6, 0, 1, 1, 2 }, 6)->allowed);
	assert_false(response(&d, 5, 1, 24, (uint8_t[68]){ 0, 66, 0, 32 }, 68)->allowed);
	assert_true(response(&d, 5, 1, 24, (uint8_t[66]){ 0, 64, 0, 31 }, 66)->allowed);
	/* identification: an object that is longer than the answer */
	request(&d, 5, 1, 43, (uint8_t[]){ 14, 1, 0 }, 3);
	assert_false(response(&d, 5, 1, 43, (uint8_t[]){ 14, 1, 1, 0, 0, 1, 0, 4, 'a' }, 9)->allowed);
	assert_false(response(&d, 5, 1, 43, (uint8_t[]){ 14, 2, 1, 0, 0, 1, 0, 1, 'a' }, 9)->allowed);
	assert_false(response(&d, 5, 1, 43, (uint8_t[]){ 14, 1, 1, 1, 0, 1, 0, 1, 'a' }, 9)->allowed);
	assert_true(response(&d, 5, 1, 43, (uint8_t[]){ 14, 1, 1, 0, 0, 1, 0, 1, 'a' }, 9)->allowed);
}

static void exceptions(void **state)
{
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (size_t i = 0; i < N_GOLDEN; i++) {
		const struct exchange *e = &golden[i];
		uint8_t fc = e->function | 0x80;

		request(&d, 5, 1, e->function, e->data, e->n);
		assert_false(response(&d, 5, 1, fc, (uint8_t[]){ 0 }, 1)->allowed);
		assert_false(response(&d, 5, 1, fc, (uint8_t[]){ 2, 0 }, 2)->allowed);
		assert_false(response(&d, 5, 1, fc, NULL, 0)->allowed);
		assert_true(response(&d, 5, 1, fc, (uint8_t[]){ 2 }, 1)->allowed);
		assert_true(d.p.exception);
		assert_int_equal(d.p.function, e->function);
	}
	assert_false(response(&d, 5, 1, 0x83, (uint8_t[]){ 2 }, 1)->allowed);
}

/* Functions whose data the specification leaves open: transaction, unit and function must be right,
 * the data may be anything. */
static void open_functions(void **state)
{
	struct desk d;

	(void)state;
	desk_whole(&d);
	assert_true(request(&d, 9, 1, 90, (uint8_t[]){ 0, 2 }, 2)->allowed);
	assert_false(response(&d, 8, 1, 90, (uint8_t[]){ 0, 0xfe, 1, 2, 3 }, 5)->allowed);
	assert_true(response(&d, 9, 1, 90, (uint8_t[]){ 0, 0xfe, 1, 2, 3 }, 5)->allowed);
	assert_false(response(&d, 9, 1, 90, (uint8_t[]){ 0, 0xfe, 1, 2, 4 }, 5)->allowed);
}

static const uint8_t read_one[4] = { 0, 0, 0, 1 }, one_register[3] = { 2, 0, 7 };

static void pipelining(void **state)
{
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (uint16_t tid = 0; tid < MODBUS_OPEN_MAX; tid++)
		assert_true(request(&d, tid, 1, 3, read_one, 4)->allowed);
	assert_false(request(&d, 99, 1, 3, read_one, 4)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_PENDING);
	assert_false(response(&d, 99, 1, 3, one_register, 3)->allowed);
	/* answers may come in any order */
	for (uint16_t tid = 0; tid < MODBUS_OPEN_MAX; tid++)
		assert_true(response(&d, (uint16_t)(tid ^ 5u), 1, 3, one_register, 3)->allowed);
	/* no request waits any more; an answer may only be repeated with the same bytes */
	assert_false(response(&d, 0, 1, 3, (uint8_t[]){ 2, 0, 8 }, 3)->allowed);
}

/* A serial gateway may send an answer twice: the same bytes are accepted, others are not. */
static void said_twice(void **state)
{
	struct desk d;

	(void)state;
	desk_whole(&d);
	assert_true(request(&d, 1, 1, 3, read_one, 4)->allowed);
	assert_false(response(&d, 2, 1, 3, one_register, 3)->allowed);
	assert_true(response(&d, 1, 1, 3, one_register, 3)->allowed);
	assert_int_equal(d.p.reason, R_ALLOWED);
	for (unsigned n = 0; n < 3; n++) {
		assert_true(response(&d, 1, 1, 3, one_register, 3)->allowed);
		assert_int_equal(d.p.reason, R_MODBUS_TWICE);
		assert_int_equal(d.p.address, 0);
		assert_int_equal(d.p.line, 100);
	}
	assert_false(response(&d, 1, 1, 3, (uint8_t[]){ 2, 0, 8 }, 3)->allowed);
	assert_false(response(&d, 1, 2, 3, one_register, 3)->allowed);
	/* The repetition comes late, after the next exchange; and only the last few answers are
	 * remembered. */
	for (uint16_t tid = 2; tid < 8; tid++) {
		assert_true(request(&d, tid, 1, 3, read_one, 4)->allowed);
		assert_true(response(&d, tid, 1, 3, one_register, 3)->allowed);
		assert_true(response(&d, (uint16_t)(tid - 1), 1, 3, one_register, 3)->allowed);
	}
	assert_false(response(&d, 3, 1, 3, one_register, 3)->allowed);
}

/* An answer is no repetition if one bit differs, or the same bit of two bytes. */
static void nearly_said_twice(void **state)
{
	uint8_t answer[41] = { 40 };
	struct desk d;

	(void)state;
	desk_whole(&d);
	assert_true(request(&d, 1, 1, 3, (uint8_t[]){ 0, 0, 0, 20 }, 4)->allowed);
	assert_true(response(&d, 1, 1, 3, answer, sizeof(answer))->allowed);
	for (size_t a = 1; a < sizeof(answer); a++)
		for (size_t b = a; b < sizeof(answer); b++)
			for (unsigned bit = 0; bit < 8; bit++) {
				answer[a] ^= (uint8_t)(1u << bit);
				if (b != a)
					answer[b] = (uint8_t)(1u << bit);
				assert_false(response(&d, 1, 1, 3, answer, sizeof(answer))->allowed);
				answer[a] = answer[b] = 0;
			}
	assert_true(response(&d, 1, 1, 3, answer, sizeof(answer))->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_TWICE);
}

/* A client that never changes its transaction number gets its answers in the order of its
 * requests. */
static void reused_ids(void **state)
{
	struct desk d;

	(void)state;
	desk_whole(&d);
	assert_true(request(&d, 0, 1, 3, (uint8_t[]){ 0, 10, 0, 1 }, 4)->allowed);
	assert_true(request(&d, 0, 1, 3, (uint8_t[]){ 0, 20, 0, 2 }, 4)->allowed);
	assert_true(response(&d, 0, 1, 3, one_register, 3)->allowed);
	assert_int_equal(d.p.address, 10);
	assert_int_equal(d.p.quantity, 1);
	assert_true(response(&d, 0, 1, 3, one_register, 3)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_TWICE);
	assert_true(response(&d, 0, 1, 3, (uint8_t[]){ 4, 0, 1, 0, 2 }, 5)->allowed);
	assert_int_equal(d.p.address, 20);
	assert_int_equal(d.p.quantity, 2);
}

/* Requests that the device loses, and broadcasts without an answer, must not fill the room for open
 * requests. */
static void lost_answers(void **state)
{
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (unsigned i = 0; i < 1000; i++) {
		/* never answered */
		assert_true(request(&d, (uint16_t)(2 * i), 1, 3, read_one, 4)->allowed);
		assert_true(request(&d, (uint16_t)(2 * i + 1), 1, 3, read_one, 4)->allowed);
		assert_true(response(&d, (uint16_t)(2 * i + 1), 1, 3, one_register, 3)->allowed);
	}
	/* the late answer to a request that was forgotten is still accepted */
	assert_true(response(&d, 1998, 1, 3, one_register, 3)->allowed);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(request(&d, (uint16_t)i, 0, 6, (uint8_t[]){ 0, 1, 0, 1 }, 4)->allowed);
	/* some devices answer a broadcast */
	assert_true(response(&d, 999, 0, 6, (uint8_t[]){ 0, 1, 0, 1 }, 4)->allowed);
	/* broadcasts make room for requests that need an answer */
	for (uint16_t tid = 0; tid < MODBUS_OPEN_MAX; tid++)
		assert_true(request(&d, tid, 1, 3, read_one, 4)->allowed);
	assert_false(request(&d, 99, 1, 3, read_one, 4)->allowed);
}

/* If refusals do not end the flow, the answer to a refused request is refused for the same
 * reason. */
static void answers_to_refused_requests(void **state)
{
	struct desk d;
	struct command_row *row = desk_row(&d);

	(void)state;
	row->services = DESK_ONLY(&d, 3);
	assert_false(request(&d, 1, 1, 6, (uint8_t[]){ 0, 1, 0, 1 }, 4)->allowed);
	assert_true(request(&d, 2, 1, 3, read_one, 4)->allowed);
	assert_false(response(&d, 1, 1, 6, (uint8_t[]){ 0, 1, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_FUNCTION);
	assert_int_equal(d.p.conduit, 0);
	assert_int_equal(d.p.line, 100);
	assert_true(response(&d, 2, 1, 3, one_register, 3)->allowed);
	/* the answer to a senseless request is usually an exception */
	assert_false(request(&d, 3, 1, 3, (uint8_t[]){ 0, 0, 0, 0 }, 4)->allowed);
	assert_false(response(&d, 3, 1, 0x83, (uint8_t[]){ 3 }, 1)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_QUANTITY);
	assert_int_equal(d.p.space, 255);
	/* if it is none, one answer with any content counts as the answer */
	assert_false(request(&d, 4, 1, 3, (uint8_t[]){ 0, 0, 0, 0 }, 4)->allowed);
	assert_false(response(&d, 4, 1, 3, (uint8_t[]){ 7 }, 1)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_QUANTITY);
	assert_false(response(&d, 4, 1, 3, (uint8_t[]){ 7 }, 1)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_RESPONSE);
}

/* A request that the old table allowed may still be answered. No conduit of the new table is named
 * for it. */
static void table_changes(void **state)
{
	struct desk d;
	struct command_row *row = desk_row(&d);

	(void)state;
	assert_true(request(&d, 1, 1, 3, read_one, 4)->allowed);
	row->services = (struct number_set){ 0 };
	d.table.digest[0] = 2;
	assert_true(response(&d, 1, 1, 3, one_register, 3)->allowed);
	assert_int_equal(d.p.conduit, EVENT_NO_CONDUIT);
	assert_int_equal(d.p.line, 0);
	assert_false(request(&d, 2, 1, 3, read_one, 4)->allowed);
}

/* The record of an answer names the conduit and the row that allowed its request. */
static void responses_name_the_row(void **state)
{
	struct desk d;
	struct command_row *row = desk_row(&d), *second = desk_more(&d, 1, 200, false);

	(void)state;
	row->services = DESK_ONLY(&d, 3);
	second->services = DESK_ONLY(&d, 6);
	request(&d, 1, 1, 6, (uint8_t[]){ 0, 9, 0, 1 }, 4);
	request(&d, 2, 1, 3, read_one, 4);
	assert_true(response(&d, 1, 1, 6, (uint8_t[]){ 0, 9, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.conduit, 1);
	assert_int_equal(d.p.line, 200);
	assert_int_equal(d.p.row.line, 201);
	assert_int_equal(d.p.space, MODBUS_HOLDING);
	assert_int_equal(d.p.address, 9);
	assert_int_equal(d.p.quantity, 1);
	assert_true(response(&d, 2, 1, 3, one_register, 3)->allowed);
	assert_int_equal(d.p.conduit, 0);
	assert_int_equal(d.p.line, 100);
	assert_int_equal(d.p.row.line, 11);
}

/* Bytes passed unseen: an answer to an earlier request passes if such a request might have been
 * allowed. */
static void answers_from_before(void **state)
{
	struct desk d;
	struct command_row *row;

	(void)state;
	desk_row(&d);
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		const struct exchange *e = &golden[i];

		desk_reset(&d);
		assert_false(response(&d, 1, 1, e->function, e->back, e->back_n)->allowed);
		pending_missed(&modbus_enforcer, d.state, false);
		assert_true(response(&d, 1, 1, e->function, e->back, e->back_n)->allowed);
		assert_int_equal(d.p.reason, R_MODBUS_UNSEEN);
		assert_int_equal(d.p.line, 100);
		assert_int_equal(d.p.row.line, 11);
		assert_int_equal(d.p.space, 255);
		if (e->function != 8) { /* the function echoes any number of words */
			assert_false(response(&d, 1, 1, e->function, e->back, e->back_n - 1u)->allowed);
			assert_int_equal(d.p.reason, R_MODBUS_RESPONSE);
		}
	}
	/* At most as many such answers pass as requests can have been open, and none after an
	 * answer to a later request. */
	for (unsigned answered = 0; answered < 2; answered++) {
		desk_reset(&d);
		pending_missed(&modbus_enforcer, d.state, false);
		for (unsigned i = 0; i < 3 * MODBUS_OPEN_MAX; i++)
			assert_true(response(&d, 7, 1, 3, one_register, 3)->allowed);
		request(&d, 1, 1, 3, read_one, 4);
		for (unsigned i = 0; i < MODBUS_OPEN_MAX - 1; i++)
			assert_true(response(&d, 7, 1, 3, one_register, 3)->allowed);
		if (answered) {
			assert_true(response(&d, 1, 1, 3, one_register, 3)->allowed);
			assert_int_equal(d.p.reason, R_ALLOWED);
		} else {
			assert_true(response(&d, 7, 1, 3, one_register, 3)->allowed);
		}
		assert_false(response(&d, 7, 1, 3, one_register, 3)->allowed);
	}
	/* Open requests whose answers may have passed unseen make room for others. */
	desk_reset(&d);
	for (uint16_t i = 0; i < 2 * MODBUS_OPEN_MAX; i++) {
		assert_true(request(&d, i, 1, 3, read_one, 4)->allowed);
		pending_missed(&modbus_enforcer, d.state, false);
	}
	/* An answer to a request that the policy never allows is refused. */
	row = desk_row(&d);
	row->services = DESK_ONLY(&d, 3);
	row->targets[0] = DESK_ONLY(&d, 1);
	pending_missed(&modbus_enforcer, d.state, false);
	assert_false(response(&d, 1, 1, 6, (uint8_t[]){ 0, 9, 0, 1 }, 4)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_FUNCTION);
	assert_false(response(&d, 1, 2, 3, one_register, 3)->allowed);
	assert_int_equal(d.p.reason, R_MODBUS_UNIT);
	assert_true(response(&d, 1, 1, 0x83, (uint8_t[]){ 2 }, 1)->allowed);
	assert_true(d.p.exception);
}

/* Answers with a count that is one too big, or always 1, or that state a coil switched on as
 * 0001. */
static void numbers_and_coils(void **state)
{
	static const uint8_t ask[] = { 0, 7, 0, 1 }, back[] = { 2, 0, 9 }, on[] = { 0, 7, 0xff, 0 },
			     off[] = { 0, 7, 0, 0 };
	struct desk d;

	(void)state;
	for (unsigned forgiven = 0; forgiven < 2; forgiven++) {
		desk_whole(&d);
		d.grants[0].lenient = forgiven ? LENIENT_NUMBERING | LENIENT_COIL : 0;
		for (uint16_t tid = 0xfffe; tid != 6; tid++) {
			assert_true(request(&d, tid, 17, 3, ask, 4)->allowed);
			assert_int_equal(response(&d, (uint16_t)(tid + 1u), 17, 3, back, 3)->allowed, forgiven);
			desk_reset(&d);
			assert_true(request(&d, tid, 17, 3, ask, 4)->allowed);
			assert_int_equal(response(&d, 1, 17, 3, back, 3)->allowed, forgiven || tid == 1);
			desk_reset(&d);
			assert_true(request(&d, tid, 17, 3, ask, 4)->allowed);
			assert_false(response(&d, (uint16_t)(tid + 2u), 17, 3, back, 3)->allowed && tid != 0xffff);
			desk_reset(&d);
		}
		assert_true(request(&d, 9, 17, 5, on, 4)->allowed);
		assert_int_equal(response(&d, 9, 17, 5, (uint8_t[]){ 0, 7, 0, 1 }, 4)->allowed, forgiven);
		desk_reset(&d);
		assert_true(request(&d, 9, 17, 5, off, 4)->allowed);
		assert_false(response(&d, 9, 17, 5, (uint8_t[]){ 0, 7, 0, 1 }, 4)->allowed);
		desk_reset(&d);
	}
}

/* Answers with a length that is one too big or too small, or with one byte of padding; alone and in
 * front of the next answer. The next answer stays complete. */
static void lengths_that_lie(void **state)
{
	static const uint8_t ask[] = { 0, 7, 0, 1 }, next[] = { 0, 6, 0, 0, 0, 5, 17, 3, 2, 0, 8 };
	struct desk d;

	(void)state;
	for (unsigned words = 0; words < 4; words++)
		for (int lie = -1; lie <= 1; lie++)
			for (size_t pad = 0; pad < 2; pad++)
				for (unsigned more = 0; more < 2; more++) {
					uint8_t b[32] = { 0, 5, 0, 0, 0, (uint8_t)(5 + lie), 17, 3, 2, 0, 9, 0x55 };
					size_t n = 11 + pad, got = 0;
					bool lengths = words & 1, padding = words & 2;
					enum frame_result r;

					desk_whole(&d);
					d.grants[0].lenient = (uint8_t)((lengths ? LENIENT_LENGTH : 0) |
									(padding ? LENIENT_PADDING : 0));
					modbus_enforcer.framed_else(d.state, true, bytes_of(ask, 0), desk_by(&d), &d.p);
					assert_true(request(&d, 5, 17, 3, ask, 4)->allowed);
					memcpy(b + n, next, sizeof(next));
					n += more ? sizeof(next) : 0;
					if (pad && lie != 1)
						/* a byte that the length does not count belongs to
						 * no answer */
						continue;
					r = modbus_enforcer.frame(d.state, DIR_S2C, bytes_of(b, n), &got);
					if (lie == 0) {
						assert_int_equal(r, FRAME_WHOLE);
						assert_int_equal(got, 11);
					} else if (pad) {
						assert_int_equal(r, FRAME_WHOLE);
						assert_int_equal(got, 12);
						assert_int_equal(desk_judge(&d, DIR_S2C, b, got)->allowed, padding);
						continue;
					} else if (lengths) {
						assert_int_equal(r, FRAME_WHOLE);
						assert_int_equal(got, 11);
					} else if (lie > 0 && padding) {
						/* refused, or waits for one more byte */
						assert_int_equal(r, more ? FRAME_BAD : FRAME_NEED_MORE);
						continue;
					} else {
						continue; /* by the header alone */
					}
					assert_true(desk_judge(&d, DIR_S2C, b, got)->allowed);
				}
}

/* Requests without an answer lose their places after some time. A late answer is still accepted. */
static void answers_that_never_come(void **state)
{
	static const uint8_t ask[] = { 0, 7, 0, 1 }, back[] = { 2, 0, 9 };
	struct desk d;

	(void)state;
	desk_whole(&d);
	for (uint16_t k = 0; k < MODBUS_OPEN_MAX; k++)
		assert_true(request(&d, k, 17, 3, ask, 4)->allowed);
	for (unsigned times = 0; times < 2; times++) {
		assert_int_equal(request(&d, 100, 17, 3, ask, 4)->reason, R_MODBUS_PENDING);
		pending_age(&modbus_enforcer, d.state);
	}
	for (uint16_t k = 0; k < 3; k++)
		assert_true(request(&d, (uint16_t)(100 + k), 17, 3, ask, 4)->allowed);
	for (uint16_t k = 0; k < 3; k++) {
		assert_true(response(&d, k, 17, 3, back, 3)->allowed);
		assert_int_equal(d.p.reason, R_MODBUS_UNSEEN);
	}
	assert_false(response(&d, 0, 17, 3, (uint8_t[]){ 2, 0, 7 }, 3)->allowed);
	assert_int_equal(response(&d, 100, 17, 3, back, 3)->reason, R_ALLOWED);
	/* When room is needed at once, no time has to pass. */
	desk_reset(&d);
	for (uint16_t k = 0; k < MODBUS_OPEN_MAX; k++)
		assert_true(request(&d, k, 17, 3, ask, 4)->allowed);
	pending_crowd(&modbus_enforcer, d.state);
	assert_true(request(&d, 100, 17, 3, ask, 4)->allowed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_coils),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(answers_that_never_come),
		cmocka_unit_test(answers_from_before),
		cmocka_unit_test(golden_round_trip),
		cmocka_unit_test(answers_that_are_not),
		cmocka_unit_test(forgiven),
		cmocka_unit_test(echoes),
		cmocka_unit_test(inner_lengths),
		cmocka_unit_test(exceptions),
		cmocka_unit_test(open_functions),
		cmocka_unit_test(pipelining),
		cmocka_unit_test(said_twice),
		cmocka_unit_test(nearly_said_twice),
		cmocka_unit_test(reused_ids),
		cmocka_unit_test(lost_answers),
		cmocka_unit_test(answers_to_refused_requests),
		cmocka_unit_test(table_changes),
		cmocka_unit_test(responses_name_the_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
