/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of its state that the enforcer calls unused has no effect: two flows get the same random
 * packets, and in one of them the unused part is overwritten before each packet. Both must be
 * judged alike.
 * LINK: $(COMMANDS_PARTS) dpi/modbus/%.c
 * LIBS: nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/dpi/modbus_desk.h"

#define FLOWS 3000u
#define STEPS 60u
#define REQUEST_MAX 64u

static uint32_t chance;

static uint32_t draw(uint32_t n)
{
	chance ^= chance << 13;
	chance ^= chance >> 17;
	chance ^= chance << 5;
	return chance % n;
}

static void spoil(struct desk *d)
{
	for (size_t i = pending_state_used(&modbus_enforcer, d->state); i < modbus_enforcer.state_size; i++)
		d->state[i] = (uint8_t)draw(256);
}

/* The request's data contain headers and forbidden functions, which a reader that begins in the
 * middle would find. */
static size_t make_request(uint8_t *pdu)
{
	static const uint8_t functions[] = { 1, 3, 4, 5, 6, 16, 23, 43, 100 };
	size_t data = draw(REQUEST_MAX - 8u);

	memcpy(pdu,
	       (uint8_t[]){ 0, (uint8_t)draw(8), 0, 0, 0, (uint8_t)(data + 2), 1, functions[draw(sizeof(functions))] },
	       8);
	for (size_t i = 0; i < data; i++)
		pdu[8 + i] = (uint8_t)draw(8);
	return data + 8;
}

/* One step of both flows, with the same random numbers. */
static void both(struct desk *d,
		 void (*step)(struct desk *d, uint64_t offset, const uint8_t *bytes, size_t n, uint32_t way),
		 uint64_t offset, const uint8_t *bytes, size_t n)
{
	uint32_t way = draw(1u << 20);

	spoil(&d[1]);
	for (unsigned k = 0; k < 2; k++) {
		memset(&d[k].p, 0, sizeof(d[k].p));
		step(&d[k], offset, bytes, n, way);
	}
	assert_memory_equal(&d[0].p, &d[1].p, sizeof(d[0].p));
	assert_int_equal(pending_state_used(&modbus_enforcer, d[0].state),
			 pending_state_used(&modbus_enforcer, d[1].state));
}

static void ask(struct desk *d, uint64_t offset, const uint8_t *bytes, size_t n, uint32_t way)
{
	(void)way;
	d->p.offset = offset;
	d->p.length = (uint32_t)n;
	desk_ask(d, DIR_C2S, bytes_of(bytes, n));
}

static void answer(struct desk *d, uint64_t offset, const uint8_t *bytes, size_t n, uint32_t way)
{
	(void)offset;
	(void)way;
	desk_ask(d, DIR_S2C, bytes_of(bytes, n));
}

static void segment(struct desk *d, uint64_t offset, const uint8_t *bytes, size_t n, uint32_t way)
{
	size_t carried = way % 3u != 0 ? way % n : 0;

	modbus_enforcer.segment(d->state, offset, carried, (way & 64u) != 0, bytes_of(bytes, n), desk_by(d), &d->p);
}

static void repeat(struct desk *d, uint64_t offset, const uint8_t *bytes, size_t n, uint32_t way)
{
	size_t carried = way % n;

	modbus_enforcer.repeat(d->state, offset, carried, n - carried, (way & 64u) != 0, bytes_of(bytes, n), desk_by(d),
			       &d->p);
}

static void miss(struct desk *d, uint64_t offset, const uint8_t *bytes, size_t n, uint32_t way)
{
	(void)offset;
	(void)bytes;
	(void)n;
	pending_missed(&modbus_enforcer, d->state, way & 1u);
}

static void unused_means_nothing(void **ctx)
{
	uint32_t kept = 0, empty = 0;

	(void)ctx;
	for (uint32_t f = 0; f < FLOWS; f++) {
		struct desk d[2];
		uint64_t offset = draw(2) != 0 ? 0 : 0xffffff80u;

		for (unsigned k = 0; k < 2; k++) {
			struct command_row *row = desk_row(&d[k]);

			row->services = desk_ranges(&d[k], (uint32_t[]){ 0, 4, 6, 255 }, 2);
		}
		d[1].table.permits = &d[1].permit;
		for (uint32_t s = 0; s < STEPS; s++) {
			uint8_t bytes[REQUEST_MAX];
			size_t n = make_request(bytes);

			both(d, segment, offset, bytes, n);
			if (draw(3) == 0)
				both(d, repeat, offset, bytes, n);
			both(d, ask, offset, bytes, n);
			offset += n;
			if (draw(2) == 0)
				both(d, answer, 0, bytes, make_request(bytes));
			if (draw(30) == 0)
				both(d, miss, 0, bytes, 0);
			*(pending_state_used(&modbus_enforcer, d[0].state) < modbus_enforcer.state_size ? &empty
													: &kept) += 1;
		}
	}
	assert_true(kept > FLOWS && empty > FLOWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(unused_means_nothing) };
	const char *given = getenv("SEED");

	chance = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)time(NULL) | 1u;
	printf("seed %u\n", chance);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
