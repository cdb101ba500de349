/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How accepted operations are counted, when the counts are reported, and what happens when the
 * table is full: only details are lost.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "appliance/wire/operation.h"
#include "dpi/decode.h"
#include "dpi/inspect/count.h"
#include "dpi/modbus/words.h"
#include "tests/unit/dpi/inspect_setup.h"

#define HOUR 3600000000000u

/* Function 1 reads two registers; function 2 reads them and writes one with the value behind it.
 * Both use the address in the PDU. */
static void counting_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	uint8_t function, unit;
	uint16_t at, value;

	(void)state;
	ret->asks = dir == DIR_C2S;
	ret->wrong = R_ALLOWED;
	bytes_skip(&pdu, 2);
	bytes_u8(&pdu, &function);
	bytes_u8(&pdu, &unit);
	bytes_be16(&pdu, &at);
	bytes_be16(&pdu, &value);
	ret->operations[ret->n++] = (struct operation){
		.service = function, .targets = { unit, 7, 8, 9 }, .space = MODBUS_HOLDING, .first = at, .count = 2
	};
	if (function == 2)
		ret->operations[ret->n++] =
			(struct operation){ .service = function,
					    .targets = { unit, 7, 8, 9 },
					    .space = MODBUS_HOLDING,
					    .first = at,
					    .count = 1,
					    .values = { .form = VALUES_BETWEEN, .n = 1, .lo = value, .hi = value } };
}

static struct enforcer counting;

static int begin(void **state)
{
	counting = toy;
	counting.parse = counting_parse;
	counting.datagrams = 0;
	desk_enforcer = &counting;
	return setup(state);
}

static int stop(void **state)
{
	desk_enforcer = &toy;
	return teardown(state);
}

static void ask(struct conn *k, uint8_t function, uint8_t unit, uint16_t at, uint16_t value)
{
	uint8_t pdu[12];

	toy_pdu(pdu, sizeof(pdu), function);
	pdu[3] = unit;
	pdu[4] = (uint8_t)(at >> 8);
	pdu[5] = (uint8_t)at;
	pdu[6] = (uint8_t)(value >> 8);
	pdu[7] = (uint8_t)value;
	assert_int_equal(desk_send(k, DIR_C2S, pdu, sizeof(pdu)), OUTCOME_ACCEPT);
	/* Acknowledges, so that no stream fills the pool. */
	desk_segment(k, DIR_S2C, k->s, k->c, DESK_ACK, NULL, 0);
}

/* Lets time pass until nothing more will be written for a while; the events stay. */
static void write_out(void)
{
	desk.n_events = 0;
	while (inspector_tick(desk_i) < HOUR / 2)
		desk_now += 10000000u;
}

static const struct event *counted(size_t nth)
{
	for (size_t n = 0; n < desk.n_events; n++)
		if (desk.events[n].kind == EVENT_COUNTS && nth-- == 0)
			return &desk.events[n];
	fail_msg("too few records");
	return NULL;
}

static void one_record_an_hour(void **state)
{
	const struct event *e;

	(void)state;
	/* Three sessions send the same request; one of them sends another one as well. */
	for (unsigned s = 0; s < 3; s++) {
		struct conn k = desk_conn(P_TOY);

		desk_handshake(&k);
		for (unsigned n = 0; n < 5; n++)
			ask(&k, 1, 3, 400, 0);
		if (s == 1)
			for (uint16_t v = 4; v < 9; v++)
				ask(&k, 2, 3, 500, v);
		desk_now += 600000000000u;
	}
	assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 0);
	desk_now += HOUR;
	write_out();
	assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 3);
	e = counted(0);
	assert_int_equal(e->count, 15);
	assert_int_equal(e->value & UINT32_MAX, 3);
	assert_true(e->value >> 32 >= 3600);
	assert_int_equal(e->conduit, P_TOY);
	assert_int_equal(e->permit, P_TOY);
	assert_int_equal(e->client_port, 0);
	assert_int_equal(e->server_port, 502);
	assert_int_equal(e->function, 1);
	assert_memory_equal(e->targets, ((uint32_t[]){ 3, 7, 8, 9 }), sizeof(e->targets));
	assert_int_equal(e->space, MODBUS_HOLDING);
	assert_int_equal(e->address, 400);
	assert_int_equal(e->quantity, 2);
	assert_int_equal(e->limit.what, LIMIT_NONE);
	/* A request that reads and writes is two operations. */
	assert_int_equal(counted(1)->quantity, 2);
	e = counted(2);
	assert_int_equal(e->quantity, 1);
	assert_int_equal(e->count, 5);
	assert_int_equal(e->value & UINT32_MAX, 1);
	assert_int_equal(e->limit.what, LIMIT_WROTE);
	assert_int_equal(e->limit.allowed[0].lo, 4);
	assert_int_equal(e->limit.allowed[0].hi, 8);
	/* Reported once. The next period of an hour begins with the next request. */
	desk_now += 2 * HOUR;
	write_out();
	assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 0);
}

static void a_session_counts_in_every_hour(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	desk_handshake(&k);
	for (unsigned hour = 0; hour < 3; hour++) {
		ask(&k, 1, 1, 0, 0);
		ask(&k, 1, 1, 0, 0);
		desk_now += HOUR;
		write_out();
		assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 1);
		assert_int_equal(counted(0)->count, 2);
		assert_int_equal(counted(0)->value & UINT32_MAX, 1);
	}
}

static void another_generation_and_the_end(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	inspector_generations(desk_i, (struct event_generation){ 1, 11 }, bytes_of(NULL, 0));
	desk_handshake(&k);
	ask(&k, 1, 1, 0, 0);
	inspector_generations(desk_i, (struct event_generation){ 1, 11 }, bytes_of(NULL, 0));
	write_out();
	assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 0); /* the table stays the same */
	inspector_generations(desk_i, (struct event_generation){ 2, 22 }, bytes_of(NULL, 0));
	write_out();
	assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 1);
	assert_int_equal(counted(0)->generation.number, 1);
	ask(&k, 1, 1, 0, 0);
	desk.n_events = 0;
	inspector_finish(desk_i);
	assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 1);
	assert_int_equal(counted(0)->generation.number, 2);
}

/* Refused requests, and requests in a segment that did not pass, are not counted. */
static void what_did_not_pass_does_not_count(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t train[24];

	(void)state;
	desk_handshake(&k);
	toy_pdu(train, 12, 1);
	toy_pdu(train + 12, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_send(&k, DIR_C2S, train, sizeof(train)), OUTCOME_DROP);
	desk_now += HOUR;
	write_out();
	assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 0);
}

/* One host uses every address, so that its counts fill the table. Counts of another pair of hosts
 * still have entries of their own. */
static void a_full_table(void **state)
{
	struct conn k = desk_conn(P_TOY), other = desk_conn(P_TOY_2);
	uint64_t sum = 0, wide = 0;
	size_t records = 0;
	unsigned asked = 0;

	(void)state;
	desk_handshake(&k);
	desk_handshake(&other);
	for (uint16_t at = 0; at < 3000; at++, asked++)
		ask(&k, 1, 1, at, 0);
	for (unsigned n = 0; n < 3; n++, asked++)
		ask(&other, 1, 1, 9000, 0);
	/* Then come many kinds of requests that differ in more than their addresses. */
	for (unsigned n = 0; n < 1000; n++, asked++)
		ask(&k, (uint8_t)(3 + n % 100), (uint8_t)(2 + n / 100), 1, 0);
	desk_now += HOUR;
	write_out();
	for (size_t n = 0; n < desk.n_events; n++) {
		const struct event *e = &desk.events[n];

		if (e->kind != EVENT_COUNTS)
			continue;
		records++;
		sum += e->count;
		if (e->permit == P_TOY && e->function == 1 && e->quantity > 2) {
			assert_int_equal(e->address, COUNTS_EXACT);
			assert_int_equal(e->quantity, 3000 - COUNTS_EXACT + 1);
			wide = e->count;
		}
		if (e->permit == P_TOY_2) {
			assert_int_equal(e->count, 3);
			assert_int_equal(e->address, 9000);
		}
	}
	assert_int_equal(sum, asked);
	assert_int_equal(wide, 3000 - COUNTS_EXACT);
	/* and one record for all requests that found no place */
	assert_int_equal(records, COUNTS_MAX + 1);
	/* The next hour begins with an empty table. */
	ask(&other, 1, 1, 9000, 0);
	desk_now += HOUR;
	write_out();
	assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 1);
}

/* Nobody waits for the records: they are written in portions, and requests that come meanwhile
 * count for the next hour. */
static void helpings(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	desk_handshake(&k);
	for (uint16_t at = 0; at < 1000; at++)
		ask(&k, 1, 1, at, 0);
	desk_now += HOUR;
	desk.n_events = 0;
	inspector_tick(desk_i);
	assert_in_range(desk_count(EVENT_COUNTS, R_ALLOWED), 1, 100);
	for (uint16_t at = 0; at < 1000; at++)
		ask(&k, 1, 1, at, 0);
	while (inspector_tick(desk_i) < HOUR / 2)
		desk_now += 10000000u;
	desk_now += HOUR;
	while (inspector_tick(desk_i) < HOUR / 2)
		desk_now += 10000000u;
	uint64_t sum = 0;

	for (size_t n = 0; n < desk.n_events; n++)
		sum += desk.events[n].kind == EVENT_COUNTS ? desk.events[n].count : 0;
	assert_int_equal(sum, 2000);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_record_an_hour), CASE(a_session_counts_in_every_hour),	  CASE(another_generation_and_the_end),
		CASE(a_full_table),	  CASE(what_did_not_pass_does_not_count), CASE(helpings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
