/* SPDX-License-Identifier: Apache-2.0 */
/* What permits grant, as people read it: their conduits' protocols, and of command rows what passes. */
#include <stdio.h>

#include "appliance/enforce/enforce.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/vocabulary.h"

/* "0-99,400"; "any" without restriction, "" for nothing. Caller owns the reference. */
static json_t *numbers_json(const struct command_table *t, const struct number_set *s)
{
	char text[1024];
	size_t at = 0;

	if (s->any)
		return json_string("any");
	text[0] = '\0';
	for (uint32_t i = 0; i < s->n && at < sizeof(text) - 32; i++) {
		const struct number_range *r = &t->ranges[s->first + i];
		const char *comma = i > 0 ? "," : "";

		at += (size_t)(r->lo == r->hi ? snprintf(text + at, sizeof(text) - at, "%s%u", comma, r->lo)
					      : snprintf(text + at, sizeof(text) - at, "%s%u-%u", comma, r->lo, r->hi));
	}
	return json_string(text);
}

static json_t *units_json(const uint64_t set[4])
{
	char text[1024];
	size_t at = 0;

	text[0] = '\0';
	for (unsigned lo = 0; lo < 256; lo++) {
		unsigned hi = lo;

		if (!bit_test(set, (uint8_t)lo))
			continue;
		while (hi < 255 && bit_test(set, (uint8_t)(hi + 1)))
			hi++;
		if (at < sizeof(text) - 32)
			at += (size_t)(lo == hi ? snprintf(text + at, sizeof(text) - at, "%s%u", at > 0 ? "," : "", lo)
						: snprintf(text + at, sizeof(text) - at, "%s%u-%u", at > 0 ? "," : "",
							   lo, hi));
		lo = hi;
	}
	return json_string(text);
}

/* The functions that pass: one that the row names, but whose addresses or values it refuses, is none of them. */
static json_t *functions_json(const struct command_table *t, const struct command_row *r, const struct vocabulary *v)
{
	struct row_reach reach = { .any_place = r->spaces_any,
				   .any_value = r->values.any,
				   .bit_value = number_in(t, &r->values, 0) || number_in(t, &r->values, 1) };
	json_t *list = json_array();

	for (unsigned s = 0; s < SPACE_MAX; s++)
		if (r->spaces[s].any || r->spaces[s].n > 0)
			reach.spaces |= 1u << s;
	for (unsigned c = 0; v != NULL && c < 256; c++)
		if (bit_test(r->functions, (uint8_t)c) && function_within(v, (uint8_t)c, &reach))
			(void)json_array_append_new(list, json_integer(c));
	return list;
}

static json_t *row_json(const struct ir *ir, const struct command_row *r, const struct vocabulary *v)
{
	static const struct number_set any = { .any = true };
	const struct command_table *t = &ir->table;
	json_t *j = json_object();

	json_object_set_new(j, "file", json_text(r->file < ir->n_sources ? ir->sources[r->file].name : NULL));
	json_object_set_new(j, "line", json_integer(r->line));
	json_object_set_new(j, "functions", functions_json(t, r, v));
	/* "any" as in a policy that names none: writes to unit 0, the broadcast of a serial line, are refused then. */
	json_object_set_new(j, "units", r->units_any ? json_string("any") : units_json(r->units));
	for (unsigned s = 0; v != NULL && s < SPACE_MAX; s++)
		if (v->spaces[s] != NULL)
			json_object_set_new(j, v->spaces[s], numbers_json(t, r->spaces_any ? &any : &r->spaces[s]));
	json_object_set_new(j, "values", numbers_json(t, &r->values));
	return j;
}

json_t *effective_grants(const struct generation_held *g, const struct command_permit *p)
{
	const struct command_table *t = &g->ir.table;
	json_t *list = json_array();

	for (uint32_t i = 0; p != NULL && i < p->n_grants; i++) {
		const struct command_grant *grant = &t->grants[p->first_grant + i];
		const struct vocabulary *v = vocabulary_of((enum protocol)grant->protocol);
		json_t *rows = json_array(), *lenient = json_array();

		for (unsigned b = 0; b < LENIENT_WORDS; b++)
			if (grant->lenient & 1u << b)
				(void)json_array_append_new(lenient, json_string(lenient_words[b]));
		for (uint32_t k = 0; k < grant->n_rows; k++)
			(void)json_array_append_new(rows, row_json(&g->ir, &t->rows[grant->first_row + k], v));
		(void)json_array_append_new(
			list,
			json_pack("{s:o,s:s,s:b,s:b,s:o,s:I,s:o}", "conduit",
				  json_text(grant->conduit < g->ir.n_conduits ? g->ir.conduits[grant->conduit].name
									      : NULL),
				  "protocol", protocol_info((enum protocol)grant->protocol)->name, "whole",
				  grant->whole, "shadow", grant->shadow, "lenient", lenient, "undecided_bytes",
				  (json_int_t)grant->undecided_bytes, "rows", rows));
	}
	return list;
}
