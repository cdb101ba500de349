/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/standing_json.h"

#include "appliance/wire/commands_json.h"
#include "appliance/wire/evaluate.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/vocabulary.h"
#include "policy/ir/moment.h"
#include "policy/ir/objects_json.h"

/* The functions that pass. Functions that the row names, but whose addresses or values it refuses,
 * are left out. */
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
	/* Without targets in the policy the list holds "any", which does not include unit 0, the
	 * broadcast of a serial line: writes to unit 0 are refused. */
	for (unsigned i = 0; v != NULL && i < v->n_targets; i++)
		json_object_set_new(j, v->targets[i].key,
				    numbers_json(t, &r->targets[i], notation_of_target(&v->targets[i])));
	spaces_json(j, t, r, v);
	json_object_set_new(j, "values", numbers_json(t, &r->values, notation_plain(INT64_MAX)));
	return j;
}

static json_t *grant_json(const struct ir *ir, const struct command_grant *grant)
{
	const struct command_table *t = &ir->table;
	const struct vocabulary *v = vocabulary_of((enum protocol)grant->protocol);
	json_t *rows = json_array(), *lenient = json_array();

	for (unsigned b = 0; b < LENIENT_WORDS; b++)
		if (grant->lenient & 1u << b)
			(void)json_array_append_new(lenient, json_string(lenient_words[b]));
	for (uint32_t k = 0; k < grant->n_rows; k++)
		(void)json_array_append_new(rows, row_json(ir, &t->rows[grant->first_row + k], v));
	return json_pack("{s:o,s:s,s:b,s:b,s:o,s:I,s:o,s:o*}", "conduit",
			 json_text(grant->conduit < ir->n_conduits ? ir->conduits[grant->conduit].name : NULL),
			 "protocol", protocol_info((enum protocol)grant->protocol)->name, "whole", grant->whole,
			 "shadow", grant->shadow, "lenient", lenient, "undecided_bytes",
			 (json_int_t)grant->undecided_bytes, "rows", rows, "names", names_json(t, grant));
}

json_t *ir_grants_json(const struct ir *ir, const struct command_permit *p, json_t *made)
{
	json_t *list = json_array();

	for (uint32_t i = 0; p != NULL && i < p->n_grants; i++) {
		uint32_t at = p->first_grant + i;
		json_t *grant = json_array_get(made, at);

		if (json_is_null(grant) && (grant = grant_json(ir, &ir->table.grants[at])) != NULL)
			(void)json_array_set_new(made, at, grant);
		(void)json_array_append(list, grant);
	}
	return list;
}

json_t *ir_grants_made(const struct ir *ir)
{
	json_t *made = json_array();

	for (uint32_t i = 0; i < ir->table.n_grants; i++)
		(void)json_array_append_new(made, json_null());
	return made;
}

/* For a conduit with hours: until when it is open, or when it opens. */
static void put_hours(json_t *j, const struct ir *ir, const struct ir_conduit *c, uint64_t at_s)
{
	struct time_zone z = { 0 };
	struct window w;
	struct times t = ir_times(ir, c, &w);
	uint64_t end = 0, next = 0;
	bool open = (ir->time_zone[0] == '\0' || time_zone_parse(ir->time_zone, &z)) &&
		    times_hold(&t, &z, at_s, &end, &next);

	json_object_set_new(j, "open", json_boolean(open));
	json_object_set_new(j, "closes", ir_until_json(end));
	json_object_set_new(j, "opens", ir_until_json(next));
}

json_t *ir_conduits_json(const struct ir *ir, uint64_t at_s)
{
	json_t *list = ir_list_json(ir, "conduits");

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		put_hours(json_array_get(list, i), ir, &ir->conduits[i], at_s);
	return list;
}

json_t *ir_organisations_json(const struct ir *ir)
{
	json_t *list = ir_list_json(ir, "organisations");

	for (uint32_t i = 0; i < ir->n_organisations; i++) {
		json_t *names = json_array();

		for (uint32_t k = 0; k < ir->n_conduits; k++)
			if (ir->conduits[k].from == ir->organisations[i].zone ||
			    ir->conduits[k].to == ir->organisations[i].zone)
				(void)json_array_append_new(names, json_text(ir->conduits[k].name));
		json_object_set_new(json_array_get(list, i), "conduits", names);
	}
	return list;
}

void ir_standing_json(json_t *j, const struct ir *ir, uint64_t at_s)
{
	json_t *conduits = ir_conduits_json(ir, at_s), *permits = json_array(), *made = ir_grants_made(ir);

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		if (ir->conduits[i].door != UINT32_MAX)
			json_object_set_new(json_array_get(conduits, i), "open", json_null());
	for (uint32_t i = 0; i < ir->n_permits; i++)
		json_array_append_new(permits, json_pack("{s:I, s:s, s:o}", "permit", (json_int_t)i + 1, "mode",
							 mode_words[ir->permits[i].observe], "grants",
							 ir_grants_json(ir, commands_permit(&ir->table, i + 1), made)));
	json_decref(made);
	json_object_set_new(
		j, "site",
		json_pack("{s:o, s:o}", "name", json_text(ir->site_name), "label", json_text(ir->site_label)));
	json_object_set_new(j, "conduits", conduits);
	json_object_set_new(j, "permits", permits);
	json_object_set_new(j, "assets", ir_list_json(ir, "assets"));
	json_object_set_new(j, "zones", ir_list_json(ir, "zones"));
	json_object_set_new(j, "organisations", ir_organisations_json(ir));
}
