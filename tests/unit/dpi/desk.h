/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk for testing PDUs of a protocol: one permit with a few grants and rows that a test writes,
 * the state of one flow, and a call that judges a PDU. Grant k belongs to conduit k. A test gives
 * the line of the conduit; the line of the row is one more (for the first grant: 100 and 11).
 * Ranges are stored in the desk. A protocol's own desk defines DESK_ENFORCER, includes this file
 * and adds functions that write its PDUs.
 */
#ifndef SEKISHO_TESTS_DESK_H
#define SEKISHO_TESTS_DESK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/evaluate.h"
#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"
#include "tests/unit/dpi/exact.h"

#define DESK_GRANTS 8
#define DESK_SPACES 4
#define DESK_RANGES 512

struct desk {
	struct command_table table;
	struct command_permit permit;
	struct allowance by; /* as an enforcer is given the two */
	struct command_grant grants[DESK_GRANTS];
	struct command_row rows[DESK_GRANTS];
	struct space_set spaces[DESK_GRANTS * DESK_SPACES]; /* DESK_SPACES of each row */
	struct number_range ranges[DESK_RANGES];
	_Alignas(16) uint8_t state[ENFORCER_STATE_MAX];
	struct pdu p; /* what judge said last */
};

/* Forgets the flow, keeps the policy. */
static inline void desk_reset(struct desk *d)
{
	memset(d->state, 0, sizeof(d->state));
}

static inline struct number_set desk_range(struct desk *d, uint64_t lo, uint64_t hi)
{
	struct number_set s = { .first = d->table.n_ranges, .n = 1 };

	if (d->table.n_ranges == DESK_RANGES)
		abort();
	d->ranges[d->table.n_ranges++] = (struct number_range){ lo, hi };
	return s;
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

/* The set of the numbers 0..255 whose bit is set, as ranges. */
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

/* The set of exactly these numbers, which are sorted. */
static inline struct number_set desk_some(struct desk *d, const uint8_t *numbers, size_t n)
{
	uint64_t bits[4] = { 0 };

	for (size_t i = 0; i < n; i++)
		bits[numbers[i] / 64] |= (uint64_t)1 << numbers[i] % 64;
	return desk_bits(d, bits);
}

#define DESK_ONLY(d, ...) desk_some(d, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* Limits the row's addresses to `space` and those of earlier calls; a second call for the same
 * space replaces the first. */
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

/* Adds a grant with one row that limits nothing. */
static inline struct command_row *desk_grant(struct desk *d, uint32_t conduit, uint32_t line, bool shadow)
{
	uint32_t k = d->permit.n_grants;
	struct command_row *row = &d->rows[k];

	if (k == DESK_GRANTS)
		abort();
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
	d->permit.n_grants = d->table.n_grants = d->table.n_rows = k + 1;
	return row;
}

/* As desk_grant, but the row names every number of its first target, so it also allows writes to
 * target 0. */
static inline struct command_row *desk_more(struct desk *d, uint32_t conduit, uint32_t line, bool shadow)
{
	struct command_row *row = desk_grant(d, conduit, line, shadow);

	row->targets[0] = desk_range(d, 0, 255);
	return row;
}

/* Nothing is granted. */
static inline void desk_clear(struct desk *d)
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
}

/* A policy of one grant whose one row allows everything; the caller narrows it. */
static inline struct command_row *desk_row(struct desk *d)
{
	desk_clear(d);
	return desk_more(d, 0, 100, false);
}

static inline void desk_whole(struct desk *d)
{
	desk_row(d);
	d->grants[0].whole = true;
	d->grants[0].n_rows = 0;
	d->table.n_rows = 0;
}

/* Whether the vocabulary says that requests of this code have what the operation has. `check` and
 * proofs go by it. */
static inline bool desk_in_reach(const struct vocabulary *v, const struct operation *o, uint8_t target, uint64_t lo,
				 uint64_t hi, bool named)
{
	bool told = false;

	for (unsigned i = 0; i < v->n_reaches; i++) {
		const struct reach_info *r = &v->reaches[i];

		if (r->target != target || o->service < r->first || o->service > r->last)
			continue;
		if (r->lo > r->hi || (lo >= r->lo && hi <= r->hi && (named || !r->named)))
			return true;
		told = true;
	}
	return !told;
}

static inline void desk_reaches(const struct vocabulary *v, const struct operation *o)
{
	if (o->setup)
		return;
	for (uint8_t i = 0; i < v->n_targets; i++) {
		bool named = (o->broadcast >> i & 1u) != 0;

		/* A number that no row names is not asked for, and of a request that is not read
		 * nothing is known. */
		if ((o->idle >> i & 1u) != 0 ? !o->place_unknown && function_has_target(v, o->service, i) &&
						       !desk_in_reach(v, o, i, 0, UINT32_MAX, true)
					     : o->targets[i] <= v->targets[i].max &&
						       !desk_in_reach(v, o, i, o->targets[i], o->targets[i], named)) {
			fprintf(stderr, "%s: code %u, target %s = %u, idle %u, broadcast %u\n",
				protocol_info(v->protocol)->name, o->service, v->targets[i].key, o->targets[i], o->idle,
				o->broadcast);
			abort();
		}
	}
	if (o->values.form == VALUES_BETWEEN && !desk_in_reach(v, o, REACH_VALUES, o->values.lo, o->values.hi, true)) {
		fprintf(stderr, "%s: code %u, value %llu\n", protocol_info(v->protocol)->name, o->service,
			(unsigned long long)o->values.lo);
		abort();
	}
}

static inline const struct allowance *desk_by(struct desk *d)
{
	d->by = (struct allowance){ &d->table, &d->permit, vocabulary_of(DESK_ENFORCER.protocol) };
	return &d->by;
}

static inline void desk_ask(struct desk *d, enum direction dir, struct bytes pdu)
{
	static struct judge_room room;
	struct parsed parsed;

	judge_pdu(&DESK_ENFORCER, d->state, dir, pdu, &d->table, &d->permit, &room, &parsed, &d->p);
	for (uint32_t i = 0; i < parsed.n && parsed.asks && parsed.wrong == R_ALLOWED; i++)
		desk_reaches(vocabulary_of(DESK_ENFORCER.protocol), &parsed.operations[i]);
}

/* Judges a copy of exactly the PDU's size, so that the sanitizers see a read beyond it. */
static inline const struct pdu *desk_judge(struct desk *d, enum direction dir, const uint8_t *pdu, size_t n)
{
	const uint8_t *copy = exact_copy(pdu, n);

	memset(&d->p, 0xee, sizeof(d->p));
	desk_ask(d, dir, bytes_of(copy, n));
	exact_done(copy, n);
	return &d->p;
}

#endif
