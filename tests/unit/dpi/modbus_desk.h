/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk for trying Modbus PDUs: one permit with a few grants and rows that a test writes down, one flow's state, and
 * calls that build a PDU and have it judged. Grant k is of conduit k, its line is given, its row's line is one more
 * (the first: conduit line 100, row line 11). Ranges live in the desk.
 */
#ifndef SEKISHO_TESTS_MODBUS_DESK_H
#define SEKISHO_TESTS_MODBUS_DESK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/evaluate.h"
#include "dpi/judge.h"
#include "dpi/modbus/modbus.h"

#ifndef DESK_ENFORCER /* another protocol's desk says so before it includes this one */
#define DESK_ENFORCER modbus_enforcer
#endif

#define DESK_GRANTS 8
#define DESK_SPACES 4
#define DESK_RANGES 512

struct desk {
	struct command_table table;
	struct command_permit permit;
	struct command_grant grants[DESK_GRANTS];
	struct command_row rows[DESK_GRANTS];
	struct space_set spaces[DESK_GRANTS * DESK_SPACES]; /* so many places a row */
	struct number_range ranges[DESK_RANGES];
	_Alignas(16) uint8_t state[ENFORCER_STATE_MAX];
	struct pdu p; /* what judge said last */
};

/* Forgets the flow, keeps the policy. */
static inline void desk_reset(struct desk *d)
{
	memset(d->state, 0, sizeof(d->state));
}

static inline struct number_set desk_ranges(struct desk *d, const uint32_t *pairs, uint32_t n)
{
	struct number_set s = { .any = false, .first = d->table.n_ranges, .n = n };

	if (n > DESK_RANGES - d->table.n_ranges)
		abort();
	for (uint32_t i = 0; i < n; i++)
		d->ranges[d->table.n_ranges++] = (struct number_range){ .lo = pairs[2 * i], .hi = pairs[2 * i + 1] };
	return s;
}

/* The numbers of 0..255 whose bit is set, in runs. */
static inline struct number_set desk_bits(struct desk *d, const uint64_t bits[4])
{
	struct number_set s = { .first = d->table.n_ranges };

	for (uint32_t i = 0; i < 256; i++) {
		if ((bits[i / 64] >> (i % 64) & 1u) == 0)
			continue;
		if (s.n > 0 && d->ranges[d->table.n_ranges - 1].hi + 1 == i)
			d->ranges[d->table.n_ranges - 1].hi++;
		else
			s.n += desk_ranges(d, (uint32_t[]){ i, i }, 1).n;
	}
	return s;
}

/* These numbers alone; sorted. */
static inline struct number_set desk_some(struct desk *d, const uint8_t *numbers, size_t n)
{
	uint64_t bits[4] = { 0 };

	for (size_t i = 0; i < n; i++)
		bits[numbers[i] / 64] |= (uint64_t)1 << numbers[i] % 64;
	return desk_bits(d, bits);
}

#define DESK_ONLY(d, ...) desk_some(d, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* Limits the row's addresses to those of the spaces that are given; once more for the same space replaces it. */
static inline void desk_space(struct desk *d, struct command_row *row, uint8_t space, struct number_set numbers)
{
	uint32_t i = 0;

	row->spaces_any = false;
	while (i < row->n_spaces && d->spaces[row->first_space + i].space != space)
		i++;
	if (i == DESK_SPACES)
		abort();
	row->n_spaces += i == row->n_spaces;
	d->spaces[row->first_space + i] = (struct space_set){ space, numbers };
}

static inline struct command_row *desk_more(struct desk *d, uint32_t conduit, uint32_t line, bool shadow)
{
	uint32_t k = d->permit.n_grants;
	struct command_row *row = &d->rows[k];

	d->grants[k] = (struct command_grant){ .conduit = conduit,
					       .line = line,
					       .protocol = (uint16_t)DESK_ENFORCER.protocol,
					       .shadow = shadow,
					       .first_row = k,
					       .n_rows = 1 };
	*row = (struct command_row){ .services.any = true,
				     .values.any = true,
				     .spaces_any = true,
				     .first_space = k * DESK_SPACES,
				     .line = k == 0 ? 11 : line + 1 };
	for (unsigned i = 0; i < TARGET_MAX; i++)
		row->targets[i].any = true;
	row->targets[0] = desk_ranges(d, (uint32_t[]){ 0, 255 }, 1); /* named, all of them: writes to 0 too */
	d->permit.n_grants = d->table.n_grants = d->table.n_rows = k + 1;
	return row;
}

/* One grant whose one row allows everything; the caller narrows it. */
static inline struct command_row *desk_row(struct desk *d)
{
	memset(d, 0, sizeof(*d));
	d->permit.permit = 1;
	d->table.permits = &d->permit;
	d->table.n_permits = 1;
	d->table.grants = d->grants;
	d->table.rows = d->rows;
	d->table.spaces = d->spaces;
	d->table.ranges = d->ranges;
	d->table.digest[0] = 1;
	return desk_more(d, 0, 100, false);
}

static inline void desk_whole(struct desk *d)
{
	desk_row(d);
	d->grants[0].whole = true;
	d->grants[0].n_rows = 0;
	d->table.n_rows = 0;
}

static inline void desk_ask(struct desk *d, enum direction dir, struct bytes pdu)
{
	static struct judge_room room;
	struct parsed parsed;

	judge_pdu(&DESK_ENFORCER, d->state, dir, pdu, &d->table, &d->permit, &room, &parsed, &d->p);
}

/* An exact-size copy, so that the sanitizers see an over-read. */
static inline const struct pdu *desk_judge(struct desk *d, enum direction dir, const uint8_t *pdu, size_t n)
{
	uint8_t *copy = malloc(n);

	if (copy == NULL)
		abort();
	memcpy(copy, pdu, n);
	memset(&d->p, 0xee, sizeof(d->p));
	desk_ask(d, dir, bytes_of(copy, n));
	free(copy);
	return &d->p;
}

static inline const struct pdu *desk_pdu(struct desk *d, enum direction dir, uint16_t tid, uint8_t unit,
					 uint8_t function, const uint8_t *data, size_t n)
{
	uint8_t pdu[MODBUS_PDU_MAX];

	memcpy(pdu, (uint8_t[]){ (uint8_t)(tid >> 8), (uint8_t)tid, 0, 0, 0, (uint8_t)(n + 2), unit, function }, 8);
	if (n > 0)
		memcpy(pdu + 8, data, n);
	return desk_judge(d, dir, pdu, n + 8);
}

static inline const struct pdu *request(struct desk *d, uint16_t tid, uint8_t unit, uint8_t function,
					const uint8_t *data, size_t n)
{
	return desk_pdu(d, DIR_C2S, tid, unit, function, data, n);
}

static inline const struct pdu *response(struct desk *d, uint16_t tid, uint8_t unit, uint8_t function,
					 const uint8_t *data, size_t n)
{
	return desk_pdu(d, DIR_S2C, tid, unit, function, data, n);
}

/* Function 23; every register is written with `value`. */
static inline const struct pdu *read_write(struct desk *d, uint16_t read_at, uint16_t read_n, uint16_t write_at,
					   uint16_t write_n, uint16_t value)
{
	uint8_t data[252];
	uint16_t words[4] = { read_at, read_n, write_at, write_n };

	for (size_t i = 0; i < 4; i++) {
		data[2 * i] = (uint8_t)(words[i] >> 8);
		data[2 * i + 1] = (uint8_t)words[i];
	}
	data[8] = (uint8_t)(write_n * 2);
	for (size_t i = 0; i < write_n && 9 + 2 * i + 2 <= sizeof(data); i++) {
		data[9 + 2 * i] = (uint8_t)(value >> 8);
		data[10 + 2 * i] = (uint8_t)value;
	}
	return request(d, 1, 1, 23, data, 9u + 2u * write_n);
}

#endif
