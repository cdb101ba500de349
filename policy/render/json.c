/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule IR as JSON: everything in a generation except the texts, which are named by their
 * digests. Keys equal those of `effective` where both tell the same (docs/json.md); permits are
 * numbered from 1 as in the nft text.
 */
#include <time.h>

#include "appliance/wire/commands_json.h"
#include "policy/ir/json.h"
#include "policy/ir/needs.h"
#include "policy/render/render.h"

static json_t *row_json(const struct command_table *t, const struct command_row *r, const struct vocabulary *v)
{
	json_t *o = json_object(), *functions = json_array();

	for (uint32_t i = 0; i < r->services.n; i++)
		codes_json(functions, t->ranges[r->services.first + i]);
	json_object_set_new(o, "line", json_integer(r->line));
	json_object_set_new(o, "functions", functions);
	for (unsigned i = 0; v != NULL && i < v->n_targets; i++)
		json_object_set_new(o, v->targets[i].key,
				    numbers_json(t, &r->targets[i], notation_of_target(&v->targets[i])));
	spaces_json(o, t, r, v);
	json_object_set_new(o, "values", numbers_json(t, &r->values, notation_plain(INT64_MAX)));
	return o;
}

static json_t *lenient_json(uint8_t bits)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < LENIENT_WORDS; i++)
		if (bits & 1u << i)
			json_array_append_new(list, json_string(lenient_words[i]));
	return list;
}

static json_t *grant_json(const struct ir *ir, const struct command_grant *g)
{
	const struct command_table *t = &ir->table;
	json_t *o = json_object(), *rows = json_array();

	for (uint32_t k = 0; k < g->n_rows; k++)
		json_array_append_new(
			rows, row_json(t, &t->rows[g->first_row + k], vocabulary_of((enum protocol)g->protocol)));
	json_object_set_new(o, "conduit", json_text(ir->conduits[g->conduit].name));
	json_object_set_new(o, "line", json_integer(g->line));
	json_object_set_new(o, "protocol", json_string(protocol_info((enum protocol)g->protocol)->name));
	json_object_set_new(o, "whole", json_boolean(g->whole));
	json_object_set_new(o, "shadow", json_boolean(g->shadow));
	json_object_set_new(o, "lenient", lenient_json(g->lenient));
	json_object_set_new(o, "undecided_bytes", json_integer(g->undecided_bytes));
	json_object_set_new(o, "rows", rows);
	if (g->n_names > 0)
		json_object_set_new(o, "names", names_json(t, g));
	return o;
}

static json_t *grants_json(const struct command_permit *p, json_t *made)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < p->n_grants; i++)
		json_array_append(list, json_array_get(made, p->first_grant + i));
	return list;
}

static const char *door_need_word(unsigned i)
{
	return i < DOOR_NEEDS ? door_need_words[i] : NULL;
}

static json_t *words_json(const char *(*word)(unsigned), uint32_t bits)
{
	json_t *list = json_array();

	for (unsigned i = 0; word(i) != NULL; i++)
		if ((bits >> i & 1u) != 0)
			json_array_append_new(list, json_string(word(i)));
	return list;
}

/* Adds what the command table has under a permit's index, and what a cell gets from its permit. */
static void add_from_table(json_t *o, const struct ir *ir)
{
	json_t *permits = json_object_get(o, "permits"), *cells = json_object_get(o, "cells"), *made = json_array();

	/* once, though permits share them: stairs of 80 conduits have 88,560 in 160 objects */
	for (uint32_t i = 0; i < ir->table.n_grants; i++)
		json_array_append_new(made, grant_json(ir, &ir->table.grants[i]));

	for (uint32_t i = 0; i < ir->n_permits; i++) {
		json_t *p = json_array_get(permits, i);

		/* cells refer to it by this number */
		json_object_set_new(p, "permit", json_integer((json_int_t)i + 1));
		json_object_set_new(p, "server_ports",
				    numbers_json(&ir->table, &ir->table.permits[i].ports, notation_plain(65535)));
		json_object_set_new(p, "grants", grants_json(&ir->table.permits[i], made));
	}
	json_decref(made);
	for (uint32_t i = 0; i < ir->n_doors; i++) {
		json_t *door = json_array_get(json_object_get(o, "doors"), i);

		json_object_set_new(door, "opened_by", words_json(duty_word, ir->doors[i].opened_by));
		json_object_set_new(door, "needs", words_json(door_need_word, ir->doors[i].needs));
	}
	for (uint32_t i = 0; i < ir->n_cells; i++)
		json_object_set_new(json_array_get(cells, i), "until",
				    ir_until_json(ir->permits[ir->cells[i].permit].until));
}

static void put_said(json_t *j, const char *word, uint32_t value)
{
	if (value != 0)
		json_object_set_new(j, word, json_integer(value));
}

/* The settings of the policy; NULL: none. */
static json_t *detect_json(const struct ir *ir)
{
	json_t *j = json_object();

#define ATTACK(id, word, ...) put_said(j, #word, ir->detect_##word);
#define ATTACK_SETTING(word, ...) put_said(j, #word, ir->detect_##word);
#include "appliance/wire/attack.def"
	if (json_object_size(j) > 0)
		return j;
	json_decref(j);
	return NULL;
}

static json_t *day_json(uint32_t day)
{
	time_t t = (time_t)day * 86400;
	char text[16];
	struct tm tm;

	if (day == 0 || gmtime_r(&t, &tm) == NULL || strftime(text, sizeof(text), "%Y-%m-%d", &tm) == 0)
		return json_null();
	return json_string(text);
}

/* Windows as written in a policy. */
static json_t *windows_json(const struct ir *ir)
{
	static const char days[][4] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_windows; i++) {
		const struct ir_window *w = &ir->windows[i];
		json_t *j = json_object(), *on = json_array(), *except = json_array();

		for (unsigned d = 0; d < 7; d++)
			if ((w->days >> d & 1) != 0)
				json_array_append_new(on, json_string(days[d]));
		for (uint32_t k = 0; k < w->n_except; k++)
			json_array_append_new(except, day_json(w->except[k].day));
		json_object_set_new(j, "name", json_text(w->name));
		json_object_set_new(j, "label", json_text(w->label));
		json_object_set_new(j, "days", on);
		json_object_set_new(
			j, "hours",
			json_sprintf("%02u:%02u-%02u:%02u", w->from / 60u, w->from % 60u, w->to / 60u, w->to % 60u));
		json_object_set_new(j, "first", day_json(w->first));
		json_object_set_new(j, "last", day_json(w->last));
		json_object_set_new(j, "except", except);
		json_array_append_new(list, j);
	}
	return list;
}

json_t *render_json(const struct ir *ir)
{
	json_t *o = json_object(), *site = json_object(), *generation = json_object(), *detect = detect_json(ir);

	json_object_set_new(site, "name", json_text(ir->site_name));
	json_object_set_new(site, "label", json_text(ir->site_label));
	if (ir->site_contact[0] != '\0')
		json_object_set_new(site, "contact", json_text(ir->site_contact));
	if (ir->keep_days != 0)
		json_object_set_new(site, "retention",
				    json_pack("{s:I, s:I}", "keep_days", (json_int_t)ir->keep_days, "delete_after_days",
					      (json_int_t)ir->delete_after_days));
	if (ir->records_purpose[0] != '\0')
		json_object_set_new(site, "records",
				    json_pack("{s:o, s:o}", "purpose", json_text(ir->records_purpose), "responsible",
					      json_text(ir->records_responsible)));
	if (detect != NULL)
		json_object_set_new(site, "detect", detect);
	if (ir->record_passed)
		json_object_set_new(site, "record_passed", json_true());
	if (ir->time_zone[0] != '\0')
		json_object_set_new(site, "time_zone", json_text(ir->time_zone));
	if (ir_needs_count(ir) > 0)
		json_object_set_new(site, "confirm_needs", ir_needs_json(ir, ir_needs_left(ir, 0)));
	json_object_set_new(o, "site", site);
	json_object_set_new(generation, "digest", json_hex(ir->digest, sizeof(ir->digest)));
	json_object_set_new(o, "generation", generation);
	json_object_set_new(o, "tables_digest", json_hex(ir->table.digest, sizeof(ir->table.digest)));
	ir_fields_json(o, ir, ir_generation, ir);
	if (ir->n_windows > 0)
		json_object_set_new(o, "windows", windows_json(ir));
	if (ir->n_isolations > 0)
		json_object_set_new(o, "isolations", ir_isolations_json(ir));
	add_from_table(o, ir);
	return o;
}
