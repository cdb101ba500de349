/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule IR as JSON: everything that a generation holds but the source texts, which are named by their digests. Keys are
 * those of `effective` wherever both say the same thing (docs/json.md); permits are numbered from 1 as in the nft text.
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "policy/render/render.h"

static const char *const failure_words[] = { "closed", "hold", "open" };
static const char *const midstream_words[] = { "drop", "reset", "pick_up" };
static const char *const criticality_words[] = { "safety", "cargo", "support" };
static const char *const class_words[] = { "it", "operations", "ot", "external", "test", "management" };

static json_t *range_json(const struct addr_range *r)
{
	char text[2 * ADDR_TEXT];

	addr_range_text(r, text, sizeof(text));
	return json_string(text);
}

static json_t *until_json(uint64_t until)
{
	return until != 0 ? json_time(until * 1000000000u) : json_null();
}

static json_t *interface_name(const struct ir *ir, uint32_t i)
{
	return i < ir->n_interfaces ? json_text(ir->interfaces[i].name) : json_null();
}

static const char *file_of(const struct ir *ir, uint32_t file)
{
	return file < ir->n_sources ? ir->sources[file].name : "";
}

static json_t *interfaces_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		const struct ir_interface *f = &ir->interfaces[i];
		json_t *o = json_object(), *addresses = json_array();

		for (uint32_t k = 0; k < f->n_addresses; k++) {
			char text[ADDR_TEXT];

			addr_text(&f->addresses[k], text);
			json_array_append_new(addresses, json_sprintf("%s/%u", text, (unsigned)f->prefix_lengths[k]));
		}
		json_object_set_new(o, "name", json_text(f->name));
		json_object_set_new(o, "device", json_text(f->device));
		json_object_set_new(o, "admin", json_boolean(f->admin));
		json_object_set_new(o, "mtu", f->mtu ? json_integer(f->mtu) : json_null());
		json_object_set_new(o, "addresses", addresses);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *routes_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_routes; i++) {
		const struct ir_route *r = &ir->routes[i];
		json_t *o = json_object();

		json_object_set_new(o, "to", range_json(&r->to));
		json_object_set_new(o, "via", r->via.family != 0 ? json_addr(&r->via) : json_null());
		json_object_set_new(o, "interface", interface_name(ir, r->interface));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *sources_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_sources; i++) {
		json_t *o = json_object();
		uint8_t digest[32];

		sha256(ir->sources[i].text, ir->sources[i].size, digest);
		json_object_set_new(o, "file", json_text(ir->sources[i].name));
		json_object_set_new(o, "sha256", json_hex(digest, sizeof(digest)));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *zones_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_zones; i++) {
		const struct ir_zone *z = &ir->zones[i];
		json_t *o = json_object(), *interfaces = json_array(), *networks = json_array();

		for (uint32_t k = 0; k < z->n_interfaces; k++)
			json_array_append_new(interfaces, interface_name(ir, z->interfaces[k]));
		for (uint32_t k = 0; k < z->n_ranges; k++)
			json_array_append_new(networks, range_json(&z->ranges[k]));
		json_object_set_new(o, "name", json_text(z->name));
		json_object_set_new(o, "label", json_text(z->label));
		json_object_set_new(o, "class",
				    z->class < sizeof(class_words) / sizeof(class_words[0])
					    ? json_string(class_words[z->class])
					    : json_null());
		json_object_set_new(o, "interfaces", interfaces);
		json_object_set_new(o, "networks", networks);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *assets_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_assets; i++) {
		const struct ir_asset *a = &ir->assets[i];
		json_t *o = json_object(), *addresses = json_array();

		for (uint32_t k = 0; k < a->n_ranges; k++)
			json_array_append_new(addresses, range_json(&a->ranges[k]));
		json_object_set_new(o, "name", json_text(a->name));
		json_object_set_new(o, "label", json_text(a->label));
		json_object_set_new(o, "zone", json_text(ir->zones[a->zone].name));
		json_object_set_new(o, "addresses", addresses);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *accept_json(const struct ir_conduit *c)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < c->n_accepts; i++) {
		json_t *o = json_object();

		json_object_set_new(o, "warning", json_text(c->accepts[i].warning));
		json_object_set_new(o, "reason", json_text(c->accepts[i].reason));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *conduits_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_conduits; i++) {
		const struct ir_conduit *c = &ir->conduits[i];
		json_t *o = json_object();

		json_object_set_new(o, "name", json_text(c->name));
		json_object_set_new(o, "label", json_text(c->label));
		json_object_set_new(o, "from", json_text(ir->zones[c->from].name));
		json_object_set_new(o, "to", json_text(ir->zones[c->to].name));
		json_object_set_new(o, "file", json_text(file_of(ir, c->file)));
		json_object_set_new(o, "line", json_integer(c->line));
		json_object_set_new(o, "mode", json_string(c->observe ? "observe" : "enforce"));
		json_object_set_new(o, "shadow", json_boolean(c->shadow));
		json_object_set_new(o, "purpose", json_text(c->purpose));
		json_object_set_new(o, "owner", json_text(c->owner));
		json_object_set_new(o, "approved_by", json_text(c->approved_by));
		json_object_set_new(o, "review_by", json_text(c->review_by));
		json_object_set_new(o, "until", until_json(c->until));
		json_object_set_new(o, "accept", accept_json(c));
		json_array_append_new(list, o);
	}
	return list;
}

/* "any", or ranges as a policy writes them: "0-99,400". */
static json_t *numbers_json(const struct command_table *t, const struct number_set *s)
{
	size_t size = 24u * (size_t)s->n + 1, at = 0;
	char *text;
	json_t *j;

	if (s->any)
		return json_string("any");
	text = calloc(1, size);
	for (uint32_t i = 0; i < s->n && text != NULL; i++) {
		const struct number_range *r = &t->ranges[s->first + i];
		int n = r->lo == r->hi ? snprintf(text + at, size - at, "%s%u", i ? "," : "", r->lo)
				       : snprintf(text + at, size - at, "%s%u-%u", i ? "," : "", r->lo, r->hi);

		at += n > 0 ? (size_t)n : 0;
	}
	j = json_text(text);
	free(text);
	return j;
}

/* Units and the like: a bit set as ranges. */
static json_t *bits_json(const uint64_t set[4])
{
	char text[256 * 4 + 1] = "";
	size_t at = 0;

	for (unsigned lo = 0, hi; lo < 256; lo = hi + 1) {
		hi = lo;
		if (!bit_test(set, (uint8_t)lo))
			continue;
		while (hi + 1 < 256 && bit_test(set, (uint8_t)(hi + 1)))
			hi++;
		if (lo == 0 && hi == 255)
			return json_string("any");
		at += (size_t)snprintf(text + at, sizeof(text) - at, lo == hi ? "%s%u" : "%s%u-%u", at ? "," : "", lo,
				       hi);
	}
	return json_string(text);
}

static json_t *row_json(const struct command_table *t, const struct command_row *r, const struct vocabulary *v)
{
	json_t *o = json_object(), *functions = json_array();

	for (unsigned code = 0; code < 256; code++)
		if (bit_test(r->functions, (uint8_t)code))
			json_array_append_new(functions, json_integer((json_int_t)code));
	json_object_set_new(o, "line", json_integer(r->line));
	json_object_set_new(o, "functions", functions);
	json_object_set_new(o, "units", bits_json(r->units));
	for (unsigned s = 0; s < SPACE_MAX; s++)
		if (v != NULL && v->spaces[s] != NULL)
			json_object_set_new(o, v->spaces[s],
					    r->spaces_any ? json_string("any") : numbers_json(t, &r->spaces[s]));
	json_object_set_new(o, "values", numbers_json(t, &r->values));
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

static json_t *grants_json(const struct ir *ir, uint32_t permit)
{
	const struct command_table *t = &ir->table;
	json_t *list = json_array();

	for (uint32_t i = 0; i < t->permits[permit].n_grants; i++) {
		const struct command_grant *g = &t->grants[t->permits[permit].first_grant + i];
		const struct protocol_info *info = protocol_info((enum protocol)g->protocol);
		json_t *o = json_object(), *rows = json_array();

		for (uint32_t k = 0; k < g->n_rows; k++)
			json_array_append_new(rows, row_json(t, &t->rows[g->first_row + k],
							     vocabulary_of((enum protocol)g->protocol)));
		json_object_set_new(o, "conduit", json_text(ir->conduits[g->conduit].name));
		json_object_set_new(o, "line", json_integer(g->line));
		json_object_set_new(o, "protocol", json_string(info->name));
		json_object_set_new(o, "whole", json_boolean(g->whole));
		json_object_set_new(o, "shadow", json_boolean(g->shadow));
		json_object_set_new(o, "lenient", lenient_json(g->lenient));
		json_object_set_new(o, "undecided_bytes", json_integer(g->undecided_bytes));
		json_object_set_new(o, "rows", rows);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *lane_json(uint32_t number)
{
	struct lane l;

	if (!lane_of(number, &l))
		return json_null();
	return json_sprintf("%s/%s/%s/%s", l.kind == LANE_COMMANDS ? "commands" : "naming",
			    criticality_words[l.criticality], failure_words[l.when_down],
			    failure_words[l.when_overloaded]);
}

static json_t *permits_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_permits; i++) {
		const struct ir_permit *p = &ir->permits[i];
		json_t *o = json_object();

		json_object_set_new(o, "permit", json_integer((json_int_t)i + 1));
		json_object_set_new(o, "identity", json_hex(p->identity, sizeof(p->identity)));
		json_object_set_new(o, "lane", lane_json(p->lane));
		json_object_set_new(o, "mode", json_string(p->observe ? "observe" : "enforce"));
		json_object_set_new(o, "midstream", json_string(midstream_words[p->midstream]));
		json_object_set_new(o, "on_tighten", json_string(p->tighten_new_flows ? "new_flows" : "all"));
		json_object_set_new(o, "until", until_json(p->until));
		json_object_set_new(o, "server_ports", numbers_json(&ir->table, &ir->table.permits[i].ports));
		json_object_set_new(o, "grants", grants_json(ir, i));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *ports_json(const struct ir_cell *c)
{
	if (c->l4proto == 1 || c->l4proto == 58) /* "8": the type; 8/1: type and code */
		return c->lo == c->hi && (c->lo & 0xffu) == 0
			       ? json_sprintf("%u", (unsigned)c->lo >> 8)
			       : json_sprintf("%u/%u-%u/%u", (unsigned)c->lo >> 8, c->lo & 0xffu, (unsigned)c->hi >> 8,
					      c->hi & 0xffu);
	return c->lo == c->hi ? json_sprintf("%u", (unsigned)c->lo)
			      : json_sprintf("%u-%u", (unsigned)c->lo, (unsigned)c->hi);
}

static json_t *cells_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_cells; i++) {
		const struct ir_cell *c = &ir->cells[i];
		json_t *o = json_object();

		json_object_set_new(o, "in", interface_name(ir, c->iif));
		json_object_set_new(o, "out", interface_name(ir, c->oif));
		json_object_set_new(o, "source", range_json(&c->src));
		json_object_set_new(o, "destination", range_json(&c->dst));
		json_object_set_new(o, "protocol",
				    json_string(c->l4proto == 6	   ? "tcp"
						: c->l4proto == 17 ? "udp"
						: c->l4proto == 1  ? "icmp"
								   : "icmpv6"));
		json_object_set_new(o, "ports", ports_json(c));
		json_object_set_new(o, "permit", json_integer((json_int_t)c->permit + 1));
		json_object_set_new(o, "until", until_json(ir->permits[c->permit].until));
		json_object_set_new(o, "file", json_text(file_of(ir, c->file)));
		json_object_set_new(o, "line", json_integer(c->line));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *render_json(const struct ir *ir)
{
	json_t *o = json_object(), *site = json_object(), *generation = json_object();

	json_object_set_new(site, "name", json_text(ir->site_name));
	json_object_set_new(site, "label", json_text(ir->site_label));
	json_object_set_new(o, "site", site);
	json_object_set_new(generation, "digest", json_hex(ir->digest, sizeof(ir->digest)));
	json_object_set_new(o, "generation", generation);
	json_object_set_new(o, "workers", json_integer(ir->workers));
	json_object_set_new(o, "tables_digest", json_hex(ir->table.digest, sizeof(ir->table.digest)));
	json_object_set_new(o, "sources", sources_json(ir));
	json_object_set_new(o, "interfaces", interfaces_json(ir));
	json_object_set_new(o, "routes", routes_json(ir));
	json_object_set_new(o, "zones", zones_json(ir));
	json_object_set_new(o, "assets", assets_json(ir));
	json_object_set_new(o, "conduits", conduits_json(ir));
	json_object_set_new(o, "permits", permits_json(ir));
	json_object_set_new(o, "cells", cells_json(ir));
	return o;
}
