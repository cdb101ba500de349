/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/modbus/rules.h"

#include <stddef.h>

/*
 * A request is allowed when one row allows everything about it: rows are never added up, so that "read here" and "write
 * there" cannot become "write here". A refusal reports the row that came furthest, since that is the row the operator
 * had in mind.
 */

static bool covered(const struct command_table *t, const struct command_row *row, const struct modbus_request *r,
		    uint8_t *ret_bad)
{
	*ret_bad = 0;
	if (row->spaces_any)
		return true;
	if (r->place_unknown)
		return false;
	for (uint8_t i = 0; i < r->n_touches; i++) {
		const struct modbus_touch *c = &r->touches[i];

		*ret_bad = i;
		if (!number_covers(t, &row->spaces[c->space], c->first, c->first + c->n - 1u))
			return false;
	}
	return true;
}

static bool values_allowed(const struct command_table *t, const struct command_row *row, const struct modbus_request *r)
{
	if (row->values.any)
		return true;
	if (r->value_unknown)
		return false;
	for (uint32_t k = 0; k < r->n_values; k++)
		if (!number_in(t, &row->values, modbus_request_value(r, k)))
			return false;
	return true;
}

/*
 * Unit 0 is two things: behind a serial gateway the broadcast, which only functions that write can be (MODBUS over Serial
 * Line V1.02, 2.1), and on TCP/IP the device itself (Messaging on TCP/IP V1.0b, 4.4.2.2). So a row that names no unit allows
 * it for what cannot be a broadcast; a write to unit 0 must be named.
 */
static bool unit_allowed(const struct command_row *row, const struct modbus_request *r)
{
	static const uint8_t broadcasts[] = { 5, 6, 15, 16, 21, 22, 23 };

	if (bit_test(row->units, r->unit))
		return true;
	if (!row->units_any)
		return false;
	for (size_t i = 0; i < sizeof(broadcasts); i++)
		if (r->function == broadcasts[i])
			return false;
	return true;
}

static enum reason try_row(const struct command_table *t, const struct command_row *row, const struct modbus_request *r,
			   uint8_t *ret_bad)
{
	*ret_bad = 0;
	if (!bit_test(row->functions, r->function))
		return R_MODBUS_FUNCTION;
	if (!unit_allowed(row, r))
		return R_MODBUS_UNIT;
	if (!covered(t, row, r, ret_bad))
		return R_MODBUS_ADDRESS;
	*ret_bad = r->n_touches > 1 ? 1 : 0; /* only the written range has values */
	if (!values_allowed(t, row, r))
		return R_MODBUS_VALUE;
	*ret_bad = 0;
	return R_ALLOWED;
}

static void allow_numbers(struct limit *l, const struct command_table *t, const struct number_set *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		limit_allow(l, t->ranges[s->first + i].lo, t->ranges[s->first + i].hi);
}

static void allow_units(struct limit *l, const struct command_row *row)
{
	for (uint32_t u = 0, end; u < 256; u = end + 1) {
		end = u;
		if (!bit_test(row->units, (uint8_t)u))
			continue;
		while (end < 255 && bit_test(row->units, (uint8_t)(end + 1)))
			end++;
		limit_allow(l, u, end);
	}
}

static void limit_address(struct limit *l, const struct command_table *t, const struct command_row *row,
			  const struct modbus_touch *c)
{
	l->at = c->first;
	while (l->at < c->first + c->n - 1u && number_in(t, &row->spaces[c->space], l->at))
		l->at++;
	allow_numbers(l, t, &row->spaces[c->space]);
}

static void limit_value(struct limit *l, const struct command_table *t, const struct command_row *row,
			const struct modbus_request *r, const struct modbus_touch *c)
{
	allow_numbers(l, t, &row->values);
	for (uint32_t k = 0; k < r->n_values; k++) {
		l->at = c->first + k;
		l->wrote = modbus_request_value(r, k);
		if (!number_in(t, &row->values, l->wrote))
			return;
	}
}

void modbus_limit(const struct command_table *t, const struct command_permit *p, const struct modbus_request *r,
		  const struct modbus_ruling *ruling, struct limit *ret)
{
	const struct modbus_touch *c = &r->touches[ruling->bad_touch];
	const struct command_grant *grant;
	const struct command_row *row;

	*ret = (struct limit){ .what = LIMIT_NONE };
	if (!modbus_choice(t, p, ruling->choice, &grant, &row) || row == NULL)
		return;
	if (ruling->reason == R_MODBUS_UNIT) {
		ret->what = LIMIT_UNIT;
		allow_units(ret, row);
	} else if (ruling->reason == R_MODBUS_ADDRESS) {
		ret->what = r->place_unknown ? LIMIT_ADDRESS_UNTOLD : LIMIT_ADDRESS;
		if (!r->place_unknown)
			limit_address(ret, t, row, c);
	} else if (ruling->reason == R_MODBUS_VALUE) {
		ret->what = r->value_unknown ? LIMIT_VALUE_UNTOLD : LIMIT_VALUE;
		if (r->value_unknown)
			allow_numbers(ret, t, &row->values);
		else
			limit_value(ret, t, row, r, c);
	}
}

/* What can be said of a request of which only the answer was seen. */
static enum reason try_unseen(const struct command_row *row, uint8_t unit, uint8_t function)
{
	if (!bit_test(row->functions, function))
		return R_MODBUS_FUNCTION;
	return row->units_any || bit_test(row->units, unit) ? R_ALLOWED : R_MODBUS_UNIT;
}

static unsigned distance(enum reason r)
{
	return r == R_ALLOWED ? 5 : r == R_MODBUS_VALUE ? 4 : r == R_MODBUS_ADDRESS ? 3 : r == R_MODBUS_UNIT ? 2 : 1;
}

static bool speaks_modbus(const struct command_grant *g)
{
	return g->protocol == PROTO_MODBUS && !g->shadow;
}

/* Rows that a grant counts as: one that grants the whole protocol counts as one row. */
static uint32_t rows_of(const struct command_grant *g)
{
	return g->whole ? 1 : g->n_rows;
}

/* The best row by `r`, or, without a request, by unit and function alone. */
static void best_row(const struct command_table *t, const struct command_permit *p, const struct modbus_request *r,
		     uint8_t unit, uint8_t function, struct modbus_ruling *ret)
{
	uint32_t choice = 0;
	unsigned best = 0;

	*ret = (struct modbus_ruling){ .reason = R_MODBUS_FUNCTION, .choice = MODBUS_NO_CHOICE };
	for (uint32_t i = 0; i < p->n_grants; i++) {
		const struct command_grant *g = &t->grants[p->first_grant + i];

		if (!speaks_modbus(g))
			continue;
		for (uint32_t k = 0; k < rows_of(g); k++, choice++) {
			uint8_t bad = 0;
			const struct command_row *row = g->whole ? NULL : &t->rows[g->first_row + k];
			enum reason reason = row == NULL ? R_ALLOWED
					     : r != NULL ? try_row(t, row, r, &bad)
							 : try_unseen(row, unit, function);

			if (distance(reason) <= best)
				continue;
			best = distance(reason);
			ret->reason = reason;
			ret->bad_touch = bad;
			ret->choice = choice < MODBUS_NO_CHOICE ? (uint16_t)choice : MODBUS_NO_CHOICE;
			if (reason == R_ALLOWED)
				return;
		}
	}
}

void modbus_rule(const struct command_table *t, const struct command_permit *p, const struct modbus_request *r,
		 struct modbus_ruling *ret)
{
	best_row(t, p, r, 0, 0, ret);
}

void modbus_rule_unseen(const struct command_table *t, const struct command_permit *p, uint8_t unit, uint8_t function,
			struct modbus_ruling *ret)
{
	best_row(t, p, NULL, unit, function, ret);
}

bool modbus_allows_all(const struct command_table *t, const struct command_permit *p)
{
	for (uint32_t i = 0; i < p->n_grants; i++)
		if (speaks_modbus(&t->grants[p->first_grant + i]) && t->grants[p->first_grant + i].whole)
			return true;
	return false;
}

bool modbus_choice(const struct command_table *t, const struct command_permit *p, uint16_t choice,
		   const struct command_grant **ret_grant, const struct command_row **ret_row)
{
	uint32_t before = 0;

	*ret_grant = NULL;
	*ret_row = NULL;
	if (choice == MODBUS_NO_CHOICE)
		return false;
	for (uint32_t i = 0; i < p->n_grants; i++) {
		const struct command_grant *g = &t->grants[p->first_grant + i];

		if (!speaks_modbus(g))
			continue;
		if (choice - before < rows_of(g)) {
			*ret_grant = g;
			*ret_row = g->whole ? NULL : &t->rows[g->first_row + (choice - before)];
			return true;
		}
		before += rows_of(g);
	}
	return false;
}
