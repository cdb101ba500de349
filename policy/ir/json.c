/* SPDX-License-Identifier: Apache-2.0 */
/* A generation as JSON, the same in `compile` and in `effective` (docs/json.md). */
#include "policy/ir/json.h"

#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/wire/commands_json.h"
#include "appliance/wire/evaluate.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/vocabulary.h"
#include "policy/ir/moment.h"
#include "policy/ir/needs.h"

/* ---- objects, by their rows of objects.def --------------------------------------------------- */

json_t *ir_until_json(uint64_t until)
{
	return until != 0 && until != IR_SHUT && until != IR_NO_END ? json_time(until * 1000000000u) : json_null();
}

/* The name of another object; for one without a name its number, from 1. */
static json_t *name_of(const struct ir *ir, const struct ir_field *f, uint64_t i)
{
	const struct ir_field *list = ir_generation->fields, *end = list + ir_generation->n;

	if (i >= ir_count(ir, f->list_n_at))
		return json_null();
	while (list < end && list->at != f->list_at)
		list++;
	if (list == end || list->of->fields[0].kind != IR_TEXT)
		return json_integer((json_int_t)i + 1);
	return json_text(ir_pointer((const char *)ir_pointer(ir, list->at) + i * list->size, list->of->fields[0].at));
}

static json_t *host_json(const struct addr *a, unsigned length)
{
	char text[ADDR_TEXT];

	addr_text(a, text);
	return json_sprintf("%s/%u", text, length);
}

static json_t *lane_json(uint32_t number)
{
	char text[WORD_TEXT];
	struct lane l;

	return lane_of(number, &l) ? json_string(lane_text(number, text)) : json_null();
}

static json_t *ports_json(const struct ir_cell *c)
{
	/* "8" for type 8, code 0; otherwise a range of types and codes, "8/0-8/255" */
	if (c->l4proto == 1 || c->l4proto == 58)
		return c->lo == c->hi && (c->lo & 0xffu) == 0
			       ? json_sprintf("%u", (unsigned)c->lo >> 8)
			       : json_sprintf("%u/%u-%u/%u", (unsigned)c->lo >> 8, c->lo & 0xffu, (unsigned)c->hi >> 8,
					      c->hi & 0xffu);
	return c->lo == c->hi ? json_sprintf("%u", (unsigned)c->lo)
			      : json_sprintf("%u-%u", (unsigned)c->lo, (unsigned)c->hi);
}

static json_t *sha256_json(const void *p, size_t n)
{
	uint8_t digest[32];

	sha256(p, n, digest);
	return json_hex(digest, sizeof(digest));
}

static json_t *list_json(const struct ir *ir, const struct ir_field *f, const void *p);

/* A field as its row in objects.def describes it. */
static json_t *field_json(const struct ir *ir, const struct ir_field *f, const void *p)
{
	const void *at = (const char *)p + f->at;
	char text[WORD_TEXT];
	uint64_t v;

	switch (f->kind) {
	case IR_TEXT:
		return json_text(ir_pointer(p, f->at));
	case IR_SOURCE_TEXT:
		return sha256_json(ir_pointer(p, f->at), ir_count(p, f->also));
	case IR_FLAG:
		return json_boolean(ir_number(p, f->at, f->size));
	case IR_CHOICE:
		v = ir_number(p, f->at, f->size);
		return v < words_n(f->words) ? json_string(f->words[v]) : json_null();
	case IR_NUMBER:
		v = ir_number(p, f->at, f->size);
		return v != 0 ? json_integer((json_int_t)v) : json_null();
	case IR_TIME:
		return ir_until_json(ir_number(p, f->at, f->size));
	case IR_INDEX:
	case IR_INDEX_OR_NONE:
		return name_of(ir, f, ir_number(p, f->at, f->size));
	case IR_ADDRESS_OR_NONE:
		return ((const struct addr *)at)->family != 0 ? json_addr(at) : json_null();
	case IR_RANGE:
		return json_addr_range(at);
	case IR_TRANSPORT:
		return json_string(transport_text((uint8_t)ir_number(p, f->at, f->size), text));
	case IR_PORTS:
		return ports_json(p); /* only cells have them */
	case IR_LANE:
		return lane_json((uint32_t)ir_number(p, f->at, f->size));
	case IR_PROTOCOLS:
		return json_null(); /* the grants name them */
	case IR_DIGEST:
		return json_hex(at, f->size);
	case IR_INDEXES:
	case IR_RANGES:
	case IR_HOSTS:
	case IR_LIST:
		break;
	}
	return list_json(ir, f, p);
}

void ir_fields_json(json_t *o, const struct ir *ir, const struct ir_object *object, const void *p)
{
	for (size_t i = 0; i < object->n; i++)
		if (object->fields[i].key != NULL)
			json_object_set_new(o, object->fields[i].key, field_json(ir, &object->fields[i], p));
}

static json_t *list_json(const struct ir *ir, const struct ir_field *f, const void *p)
{
	const char *list = ir_pointer(p, f->at);
	const uint8_t *lengths = f->kind == IR_HOSTS ? ir_pointer(p, f->also) : NULL;
	json_t *j = json_array();

	for (uint32_t i = 0; i < ir_count(p, f->n_at); i++) {
		const void *one = list + i * f->size;
		json_t *o;

		if (f->kind == IR_LIST) {
			o = json_object();
			ir_fields_json(o, ir, f->of, one);
			json_array_append_new(j, o);
		} else if (f->kind == IR_INDEXES) {
			json_array_append_new(j, name_of(ir, f, ir_number(one, 0, f->size)));
		} else if (f->kind == IR_RANGES) {
			json_array_append_new(j, json_addr_range(one));
		} else if (lengths != NULL) {
			json_array_append_new(j, host_json(one, lengths[i]));
		}
	}
	return j;
}

json_t *ir_list_json(const struct ir *ir, const char *key)
{
	const struct ir_field *f = ir_generation->fields;

	while (f->key == NULL || strcmp(f->key, key) != 0)
		f++;
	return list_json(ir, f, ir);
}

static json_t *need_json(const char *kind, const char *name, const char *label)
{
	return json_pack("{s:s, s:o, s:o}", "kind", kind, "name", json_text(name), "label",
			 json_text(*label != '\0' ? label : name));
}

json_t *ir_needs_json(const struct ir *ir, uint64_t which)
{
	json_t *list = json_array();
	size_t n = 0;

	for (uint32_t i = 0; i < ir_needs_count(ir); i++) {
		bool conduit = i < ir->n_needs_conduits;
		const struct ir_conduit *c = conduit ? &ir->conduits[ir->needs_conduits[i]] : NULL;
		const struct ir_asset *a = conduit ? NULL : &ir->assets[ir->needs_assets[i - ir->n_needs_conduits]];

		if ((which >> i & 1) == 0)
			continue;
		n++;
		(void)json_array_append_new(list, conduit ? need_json("conduit", c->name, c->label)
							  : need_json("asset", a->name, a->label));
	}
	return json_list_whole(list, n);
}

json_t *ir_isolations_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_isolations; i++) {
		const struct ir_isolation *x = &ir->isolations[i];
		json_t *cut = json_array(), *keep = json_array(), *on_alarm = json_array();

		for (uint32_t k = 0; k < x->n_cuts; k++)
			json_array_append_new(cut, json_text(x->cuts[k].what));
		for (uint32_t k = 0; k < x->n_keep; k++)
			json_array_append_new(keep, json_text(ir->conduits[x->keep[k]].name));
		for (unsigned k = 0; k < ATTACK_CAUSES; k++)
			if ((x->on_alarm >> k & 1) != 0)
				json_array_append_new(on_alarm, json_string(attack_word(k)));
		json_array_append_new(list,
				      json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", json_text(x->name), "label",
						json_text(x->label), "cut", cut, "keep", keep, "on_alarm", on_alarm));
	}
	return list;
}

/* ---- who may do what ------------------------------------------------------------------------- */

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

void ir_effective_json(json_t *j, const struct ir *ir, uint64_t at_s)
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
