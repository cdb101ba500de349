/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Earlier requests that are judged again: for random requests and random rows the verdict is the
 * same as for the request itself.
 * LINK: $(COMMANDS_PARTS) dpi/modbus/%.c dpi/inspect/deeds.c
 * LIBS: nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "dpi/inspect/deeds.h"
#include "tests/unit/dpi/modbus_desk.h"

#define ROUNDS 200000u

static uint32_t state;

static uint32_t draw(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

static const uint8_t functions[] = { 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43, 100 };

/* A request with its header, mostly well formed. */
static size_t make_request(uint8_t *pdu)
{
	uint8_t function = functions[draw(sizeof(functions))], n = (uint8_t)(1 + draw(3));
	struct outbuf o = outbuf_of(pdu, MODBUS_PDU_MAX);

	out_be16(&o, (uint16_t)draw(65536));
	out_be16(&o, 0);
	out_be16(&o, 0);
	out_u8(&o, (uint8_t)draw(3));
	out_u8(&o, function);
	if (function == 23) {
		out_be16(&o, (uint16_t)draw(12));
		out_be16(&o, (uint16_t)draw(4));
	}
	if (function != 7 && function != 11)
		out_be16(&o, (uint16_t)draw(12));
	if (function == 5)
		out_be16(&o, draw(2) ? 0xff00 : 0);
	else if (function == 15 || function == 16 || function == 23)
		out_be16(&o, n);
	else if (function != 24 && function != 7 && function != 11)
		out_be16(&o, (uint16_t)draw(4));
	if (function == 22)
		out_be16(&o, (uint16_t)draw(4));
	if (function == 15) {
		out_u8(&o, 1);
		out_u8(&o, (uint8_t)draw(8));
	}
	if (function == 16 || function == 23) {
		out_u8(&o, (uint8_t)(2 * n));
		for (unsigned i = 0; i < n; i++)
			out_be16(&o, (uint16_t)draw(6));
	}
	if (draw(20) == 0)
		out_u8(&o, 0);
	pdu[5] = (uint8_t)(o.len - 6);
	return o.len;
}

static void rows(struct desk *d)
{
	for (unsigned k = 0, n = 1 + draw(3); k < n; k++) {
		struct command_row *row = k == 0 ? desk_row(d) : desk_more(d, k, 100 + 10 * k, draw(4) == 0);
		uint32_t lo = draw(6);

		row->services =
			desk_bits(d, (uint64_t[4]){ ((uint64_t)draw(0x10000) << 16 | draw(0x10000)) & 0xfffffffe });
		row->targets[0] = desk_bits(d, (uint64_t[4]){ draw(8) });
		row->targets[0].any = draw(2);
		for (uint8_t s = 0; s < DESK_SPACES && draw(8) != 0; s++)
			desk_space(d, row, s, desk_ranges(d, (uint32_t[]){ lo, lo + draw(10) }, 1));
		row->spaces_any = draw(2);
		lo = draw(4);
		if (draw(2))
			row->values = desk_ranges(d, (uint32_t[]){ lo, lo + draw(4) }, 1);
	}
	if (draw(8) == 0)
		desk_whole(d);
}

struct told {
	struct pdu u;
	unsigned n;
};

static void tell(void *ctx, const struct deed *d, const struct pdu *refused)
{
	struct told *t = ctx;

	(void)d;
	t->u = *refused;
	t->n++;
}

static void the_same_ruling(void **unused)
{
	unsigned allowed = 0;

	(void)unused;
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t pdu[MODBUS_PDU_MAX];
		size_t n = make_request(pdu);
		struct operation room[OPERATIONS_MAX];
		struct parsed parsed = { .operations = room };
		struct deeds all = { .n = 0 };
		struct told told = { .n = 0 };
		struct desk d;

		rows(&d);
		desk_judge(&d, DIR_C2S, pdu, n);
		modbus_enforcer.parse(d.state, DIR_C2S, bytes_of(pdu, n), &parsed);
		deeds_remember(&all, &parsed);
		deeds_remember(&all, &parsed); /* of one kind: counted */
		assert_int_equal(all.deeds[0].count, 2);
		/* the deed must not refer to the bytes of the request */
		memset(pdu, 0xff, sizeof(pdu));
		deeds_judge_again(&all, &modbus_enforcer, &d.table, &d.permit, tell, &told);
		assert_int_equal(told.n, d.p.allowed ? 0 : 1);
		allowed += d.p.allowed;
		if (told.n == 0)
			continue;
		assert_int_equal(told.u.reason, d.p.reason);
		assert_int_equal(told.u.conduit, d.p.conduit);
		assert_int_equal(told.u.line, d.p.line);
		assert_int_equal(told.u.function, d.p.function);
		assert_int_equal(told.u.space, d.p.space);
		assert_int_equal(told.u.address, d.p.address);
	}
	assert_true(allowed > ROUNDS / 50 && allowed < ROUNDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_same_ruling) };
	const char *given = getenv("SEED");

	state = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)time(NULL) | 1u;
	printf("seed %u\n", state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
