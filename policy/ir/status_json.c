/* SPDX-License-Identifier: Apache-2.0 */
/* What `status` tells of a policy. */
#include "policy/ir/json.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/addr.h"
#include "appliance/wire/evaluate.h"
#include "appliance/wire/settings.h"
#include "policy/ir/isolation.h"

/* ---- conduits in words for people who may not read rules: those who open a door or see
 * an alarm */

struct ranges {
	const struct addr_range *list; /* ascending, disjoint */
	uint32_t n;
};

/* The first of the ranges that `x` meets; NULL: none. */
static const struct addr_range *met(struct ranges r, const struct addr_range *x)
{
	uint32_t lo = 0, hi = r.n;
	struct addr_range unused;

	while (lo < hi) {
		uint32_t middle = lo + (hi - lo) / 2;

		if (addr_cmp(&r.list[middle].hi, &x->lo) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo < r.n && addr_range_meet(&r.list[lo], x, &unused) ? &r.list[lo] : NULL;
}

static bool is_whole(const struct ir_zone *z, struct ranges r)
{
	for (uint32_t i = 0; i < z->n_ranges; i++) {
		const struct addr_range *in = met(r, &z->ranges[i]);

		if (in == NULL || addr_cmp(&in->lo, &z->ranges[i].lo) > 0 || addr_cmp(&in->hi, &z->ranges[i].hi) < 0)
			return false;
	}
	return true;
}

static uint32_t put_machines(json_t *hosts, const struct ir *ir, uint32_t zone, struct ranges r)
{
	uint32_t all = 0;

	for (uint32_t a = 0; a < ir->n_assets; a++) {
		const struct ir_asset *x = &ir->assets[a];
		bool there = false;

		for (uint32_t i = 0; i < x->n_ranges && x->zone == zone && !there; i++)
			there = met(r, &x->ranges[i]) != NULL;
		if (there && all++ < CONDUIT_HOSTS)
			(void)json_array_append_new(hosts, json_text(*x->label != '\0' ? x->label : x->name));
	}
	return all;
}

/* The machines at a conduit's end by name; by address where they have no names; nothing for the
 * whole zone. */
static json_t *end_json(const struct ir *ir, uint32_t zone, struct ranges r)
{
	const struct ir_zone *z = &ir->zones[zone];
	json_t *hosts = json_array();
	bool whole = is_whole(z, r);
	uint32_t all = whole ? 0 : put_machines(hosts, ir, zone, r);

	for (uint32_t i = 0; !whole && all == 0 && i < r.n && i < CONDUIT_HOSTS; i++)
		(void)json_array_append_new(hosts, json_addr_range(&r.list[i]));
	return json_pack("{s:o, s:o, s:o, s:I}", "zone", json_text(z->name), "label", json_text(z->label), "hosts",
			 hosts, "hosts_all", (json_int_t)(all == 0 && !whole ? r.n : all));
}

/* The command words that the conduit lets pass; null where commands are not inspected. */
static json_t *commands_json(const struct ir *ir, const struct ir_service *s)
{
	const struct vocabulary *v = vocabulary_of((enum protocol)s->protocol);
	json_t *list = v != NULL ? json_array() : json_null();

	for (unsigned bit = CLASS_READ; v != NULL && bit <= CLASS_DIAGNOSE; bit <<= 1) {
		bool passes = s->whole;
		uint32_t code;

		for (uint32_t i = 0; i < s->n_rows && !passes; i++)
			passes = evaluate_passes(&ir->table, &ir->table.rows[s->first_row + i], v,
						 (struct number_range){ 0, UINT32_MAX }, bit, &code);
		if (passes)
			(void)json_array_append_new(list, json_string(command_class_name(bit)));
	}
	return list;
}

/* {"conduit","label","from":{"zone","label","hosts":[...],"hosts_all"},"to":{...},
 *  "services":[{"service","protocol","commands":[...]|null}]} */
static json_t *ir_conduit_json(const struct ir *ir, uint32_t conduit)
{
	const struct ir_conduit *c = &ir->conduits[conduit];
	json_t *services = json_array();

	for (uint32_t i = 0; i < c->n_services; i++) {
		const struct ir_service *s = &ir->services[c->services[i]];

		(void)json_array_append_new(services,
					    json_pack("{s:o, s:s, s:o}", "service",
						      json_text(*s->label != '\0' ? s->label : s->name), "protocol",
						      protocol_info((enum protocol)s->protocol)->name, "commands",
						      commands_json(ir, s)));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "conduit", json_text(c->name), "label", json_text(c->label),
			 "from", end_json(ir, c->from, (struct ranges){ c->sources, c->n_sources }), "to",
			 end_json(ir, c->to, (struct ranges){ c->destinations, c->n_destinations }), "services",
			 services);
}

static void put_name(json_t *machines, const char *label, const char *name, json_int_t *all)
{
	if ((*all)++ < CONDUIT_HOSTS)
		(void)json_array_append_new(machines, json_text(*label != '\0' ? label : name));
}

static void put_end(json_t *machines, json_t *end)
{
	const char *zone = json_string_value(json_object_get(end, "zone")),
		   *label = json_string_value(json_object_get(end, "label"));
	json_t *hosts = json_object_get(end, "hosts");
	json_int_t all = json_integer_value(json_object_get(end, "hosts_all"));

	if (json_array_size(hosts) == 0)
		(void)json_array_append_new(machines, json_text(*label != '\0' ? label : zone));
	(void)json_array_extend(machines, hosts);
	if (all > (json_int_t)json_array_size(hosts))
		(void)json_array_append_new(
			machines, json_sprintf("+%lld", (long long)(all - (json_int_t)json_array_size(hosts))));
	json_decref(end);
}

/* Adds the zone's contact to the "contacts" of *of, once. */
static void put_contact(json_t *of, const struct ir_zone *z)
{
	json_t *contacts = json_object_get(of, "contacts");

	if (contacts == NULL)
		json_object_set_new(of, "contacts", contacts = json_array());
	for (size_t i = 0; i < json_array_size(contacts); i++)
		if (strcmp(json_string_value(json_array_get(contacts, i)), z->contact) == 0)
			return;
	if (*z->contact != '\0')
		(void)json_array_append_new(contacts, json_text(z->contact));
}

/* Whether the end of an attack is this machine, "RTG 7 (10.30.1.10)", or one of this zone,
 * "10.30.1.99 (Cranes)". */
static bool is_machine(const char *end, const char *label, const char *name)
{
	const char *text = *label != '\0' ? label : name;
	size_t n = strlen(text);

	return strncmp(end, text, n) == 0 && strncmp(end + n, " (", 2) == 0;
}

static bool is_zone(const char *end, const struct ir_zone *z)
{
	const char *text = *z->label != '\0' ? z->label : z->name, *at = strstr(end, " (");
	size_t n = strlen(text);

	return at != NULL && strncmp(at + 2, text, n) == 0 && strcmp(at + 2 + n, ")") == 0;
}

void ir_attack_json(const struct ir *ir, json_t *attack)
{
	const char *ends[] = { json_string_value(json_object_get(attack, "from")),
			       json_string_value(json_object_get(attack, "to")) };

	for (size_t e = 0; e < 2 && ends[e] != NULL; e++) {
		for (uint32_t i = 0; i < ir->n_assets; i++)
			if (is_machine(ends[e], ir->assets[i].label, ir->assets[i].name))
				put_contact(attack, &ir->zones[ir->assets[i].zone]);
		for (uint32_t z = 0; z < ir->n_zones; z++)
			if (is_zone(ends[e], &ir->zones[z]))
				put_contact(attack, &ir->zones[z]);
	}
}

void ir_machines_json(const struct ir *ir, json_t *of)
{
	const char *name = json_string_value(json_object_get(of, "conduit"));
	json_t *machines = json_array();

	for (uint32_t i = 0; name != NULL && i < ir->n_conduits; i++) {
		const struct ir_conduit *c = &ir->conduits[i];

		if (strcmp(c->name, name) != 0)
			continue;
		put_end(machines, end_json(ir, c->from, (struct ranges){ c->sources, c->n_sources }));
		put_end(machines, end_json(ir, c->to, (struct ranges){ c->destinations, c->n_destinations }));
		put_contact(of, &ir->zones[c->from]);
		put_contact(of, &ir->zones[c->to]);
	}
	json_object_set_new(of, "machines", machines);
}

static void put_isolated(const struct ir *ir, const bool *zones, bool *assets, json_t *machines)
{
	json_int_t all = 0;

	for (uint32_t z = 0; z < ir->n_zones; z++) {
		bool none = zones[z];

		for (uint32_t i = 0; i < ir->n_assets && zones[z]; i++)
			if (ir->assets[i].zone == z) {
				assets[i] = true;
				none = false;
			}
		if (none)
			put_name(machines, ir->zones[z].label, ir->zones[z].name, &all);
	}
	for (uint32_t i = 0; i < ir->n_assets; i++)
		if (assets[i])
			put_name(machines, ir->assets[i].label, ir->assets[i].name, &all);
	if (all > CONDUIT_HOSTS)
		(void)json_array_append_new(machines, json_sprintf("+%lld", (long long)(all - CONDUIT_HOSTS)));
}

void ir_isolation_json(const struct ir *ir, json_t *isolation)
{
	const char *what = json_string_value(json_object_get(isolation, "what"));
	bool *zones = calloc(ir->n_zones + 1u, sizeof(*zones)), *assets = calloc(ir->n_assets + 1u, sizeof(*assets));
	json_t *machines = json_array();

	if (what != NULL && zones != NULL && assets != NULL) {
		ir_isolated_things(ir, what, zones, assets);
		put_isolated(ir, zones, assets, machines);
		for (uint32_t i = 0; i < ir->n_assets; i++)
			zones[ir->assets[i].zone] |= assets[i];
		for (uint32_t z = 0; z < ir->n_zones; z++)
			if (zones[z])
				put_contact(isolation, &ir->zones[z]);
	}
	free(zones);
	free(assets);
	json_object_set_new(isolation, "machines", machines);
}

static uint32_t door_by_name(const struct ir *ir, const char *name)
{
	uint32_t i = 0;

	while (i < ir->n_doors && strcmp(ir->doors[i].name, name) != 0)
		i++;
	return i;
}

void ir_door_json(const struct ir *ir, json_t *door)
{
	const char *name = json_string_value(json_object_get(door, "door"));
	uint32_t d = door_by_name(ir, name != NULL ? name : ""), all = 0;
	json_t *conduits = json_array(), *contacts = json_array();
	const char *label = "";

	for (uint32_t i = 0; d < ir->n_doors && i < ir->n_conduits; i++)
		if (ir->conduits[i].door == d && all++ < DOOR_CONDUITS)
			(void)json_array_append_new(conduits, ir_conduit_json(ir, i));
	for (uint32_t i = 0; d < ir->n_doors && i < ir->n_organisations; i++) {
		const struct ir_organisation *o = &ir->organisations[i];

		if (strcmp(o->name, ir->doors[d].organisation) != 0)
			continue;
		label = o->label;
		for (uint32_t k = 0; k < o->n_contacts; k++)
			(void)json_array_append_new(contacts, json_text(o->contacts[k].contact));
	}
	json_object_set_new(door, "organisation_label", json_text(label));
	json_object_set_new(door, "contacts", contacts);
	json_object_set_new(door, "conduits", conduits);
	json_object_set_new(door, "conduits_all", json_integer(all));
}

/* ---- the hosts that another box.cfg shuts out of the management ------------------------------ */

static bool names_any(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == PEER_TERMINAL)
			return true;
	return false;
}

static bool names(const struct ir *ir, const struct addr *a)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == PEER_TERMINAL && addr_cmp(&ir->peers[i].address, a) == 0)
			return true;
	return false;
}

/* Whether the management is reached at the box's address `a`; NULL: at any address. */
static bool answers_at(const struct ir *ir, const struct addr *a)
{
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		for (uint32_t k = 0; ir->interfaces[i].admin && k < ir->interfaces[i].n_addresses; k++)
			if (a == NULL || addr_cmp(&ir->interfaces[i].addresses[k], a) == 0)
				return true;
	return false;
}

static void add_address(json_t *list, const struct addr *a)
{
	char text[ADDR_TEXT];

	addr_text(a, text);
	json_array_append_new(list, json_string(text));
}

json_t *ir_shut_out_json(const struct ir *now, const struct ir *next)
{
	bool reached = answers_at(now, NULL), nobody = reached && !answers_at(next, NULL);
	bool fewer = reached && (nobody || names_any(next)), others = fewer && !names_any(now);
	json_t *terminals = json_array(), *gone = json_array();

	for (uint32_t i = 0; fewer && i < now->n_peers; i++)
		if (now->peers[i].use == PEER_TERMINAL && (nobody || !names(next, &now->peers[i].address)))
			add_address(terminals, &now->peers[i].address);
	for (uint32_t i = 0; i < now->n_interfaces; i++)
		for (uint32_t k = 0; now->interfaces[i].admin && k < now->interfaces[i].n_addresses; k++)
			if (!answers_at(next, &now->interfaces[i].addresses[k]))
				add_address(gone, &now->interfaces[i].addresses[k]);
	if (others || json_array_size(terminals) > 0 || json_array_size(gone) > 0)
		return json_pack("{s:o, s:b, s:o, s:b}", "terminals", terminals, "others", (int)others, "addresses",
				 gone, "nobody", (int)nobody);
	json_decref(terminals);
	json_decref(gone);
	return NULL;
}
