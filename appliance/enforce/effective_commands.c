/* SPDX-License-Identifier: Apache-2.0 */
/* What permits grant, as people read it: their conduits' protocols, and of command rows what passes. */
#include "appliance/enforce/enforce.h"
#include "appliance/wire/commands_json.h"
#include "appliance/wire/evaluate.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/vocabulary.h"

/* The functions that pass: one that the row names, but whose addresses or values it refuses, is none of them. */
static json_t *functions_json(const struct command_table *t, const struct command_row *r, const struct vocabulary *v)
{
	struct number_range rest = { 0, UINT32_MAX };
	json_t *list = json_array();
	uint32_t code;

	while (v != NULL && rest.lo <= rest.hi && evaluate_passes(t, r, v, rest, CLASS_ALL, &code)) {
		struct number_range passing = { code, evaluate_passes_to(t, r, v, code) };

		codes_json(list, passing);
		rest.lo = passing.hi + 1;
	}
	return list;
}

static json_t *row_json(const struct ir *ir, const struct command_row *r, const struct vocabulary *v)
{
	const struct command_table *t = &ir->table;
	json_t *j = json_object();

	json_object_set_new(j, "file", json_text(r->file < ir->n_sources ? ir->sources[r->file].name : NULL));
	json_object_set_new(j, "line", json_integer(r->line));
	json_object_set_new(j, "functions", functions_json(t, r, v));
	/* "any" as in a policy that names none: writes to unit 0, the broadcast of a serial line, are refused then. */
	for (unsigned i = 0; v != NULL && i < v->n_targets; i++)
		json_object_set_new(j, v->targets[i].key,
				    numbers_json(t, &r->targets[i], notation_of_target(&v->targets[i])));
	spaces_json(j, t, r, v);
	json_object_set_new(j, "values", numbers_json(t, &r->values, notation_plain(INT64_MAX)));
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
			json_pack("{s:o,s:s,s:b,s:b,s:o,s:I,s:o,s:o*}", "conduit",
				  json_text(grant->conduit < g->ir.n_conduits ? g->ir.conduits[grant->conduit].name
									      : NULL),
				  "protocol", protocol_info((enum protocol)grant->protocol)->name, "whole",
				  grant->whole, "shadow", grant->shadow, "lenient", lenient, "undecided_bytes",
				  (json_int_t)grant->undecided_bytes, "rows", rows, "names", names_json(t, grant)));
	}
	return list;
}
