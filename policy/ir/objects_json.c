/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/objects_json.h"

#include <string.h>

#include "appliance/base/sha256.h"

static json_t *range_json(const struct addr_range *r)
{
	char text[2 * ADDR_TEXT];

	addr_range_text(r, text, sizeof(text));
	return json_string(text);
}

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
		return range_json(at);
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
			json_array_append_new(j, range_json(one));
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

json_t *ir_isolations_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_isolations; i++) {
		const struct ir_isolation *x = &ir->isolations[i];
		json_t *cut = json_array(), *keep = json_array();

		for (uint32_t k = 0; k < x->n_cuts; k++)
			json_array_append_new(cut, json_text(x->cuts[k].what));
		for (uint32_t k = 0; k < x->n_keep; k++)
			json_array_append_new(keep, json_text(ir->conduits[x->keep[k]].name));
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(x->name), "label",
						      json_text(x->label), "cut", cut, "keep", keep));
	}
	return list;
}
