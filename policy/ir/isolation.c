/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/isolation.h"

#include <stdio.h>
#include <string.h>

static const struct addr_range all[2] = {
	{ { .family = 4 }, { .family = 4, .b = { 255, 255, 255, 255 } } },
	{ { .family = 6 },
	  { .family = 6, .b = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 } } },
};

struct telling {
	ir_each_pair *each;
	void *ctx;
};

static void both_ways(const struct telling *t, const struct addr_range *a, const struct addr_range *b)
{
	if (a->lo.family != b->lo.family)
		return;
	t->each(t->ctx, a, b);
	t->each(t->ctx, b, a);
}

static void from_all(const struct telling *t, const struct addr_range *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		both_ways(t, &list[i], &all[list[i].lo.family == 6]);
}

static const struct ir_zone *zone_of(const struct ir *ir, const char *name, size_t n)
{
	for (uint32_t i = 0; i < ir->n_zones; i++)
		if (strlen(ir->zones[i].name) == n && memcmp(ir->zones[i].name, name, n) == 0)
			return &ir->zones[i];
	return NULL;
}

static const struct ir_asset *asset_of(const struct ir *ir, const char *name)
{
	for (uint32_t i = 0; i < ir->n_assets; i++)
		if (strcmp(ir->assets[i].name, name) == 0)
			return &ir->assets[i];
	return NULL;
}

static const struct ir_interface *interface_of(const struct ir *ir, const char *name)
{
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (!ir->interfaces[i].admin && strcmp(ir->interfaces[i].name, name) == 0)
			return &ir->interfaces[i];
	return NULL;
}

static bool is_behind(const struct ir *ir, const struct ir_zone *z, const struct ir_interface *x)
{
	for (uint32_t i = 0; i < z->n_interfaces; i++)
		if (&ir->interfaces[z->interfaces[i]] == x)
			return true;
	return false;
}

uint64_t ir_isolated_mac(const char *what)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t mac = 0;

	if (strncmp(what, "mac ", 4) != 0 || strlen(what += 4) != sizeof("02:00:00:00:00:01") - 1)
		return 0;
	for (unsigned i = 0; i < 17; i++) {
		const char *digit = i % 3 != 2 ? strchr(digits, what[i]) : NULL;

		if (digit == NULL && (i % 3 != 2 || what[i] != ':'))
			return 0;
		if (digit != NULL)
			mac = mac << 4 | (uint64_t)(digit - digits);
	}
	return mac >> 40 & 1u ? 0 : mac; /* a group is nobody's address */
}

/* An isolation that needs no declaration. */
static bool by_words(const struct ir *ir, const char *what, const struct telling *t)
{
	const char *name = strchr(what, ' '), *second = name != NULL ? strchr(name + 1, ' ') : NULL;

	if (strcmp(what, ISOLATE_EVERYTHING) == 0) {
		from_all(t, all, 2);
		return true;
	}
	if (name != NULL && strncmp(what, "asset ", 6) == 0) {
		const struct ir_asset *a = asset_of(ir, name + 1);

		if (a != NULL)
			from_all(t, a->ranges, a->n_ranges);
		return a != NULL;
	}
	if (name != NULL && strncmp(what, "zone ", 5) == 0) {
		const struct ir_zone *z = zone_of(ir, name + 1, strlen(name + 1));

		if (z != NULL)
			from_all(t, z->ranges, z->n_ranges);
		return z != NULL;
	}
	if (name != NULL && strncmp(what, "address ", 8) == 0) {
		struct addr_range range;
		bool good = addr_range_parse(name + 1, &range);

		if (good)
			from_all(t, &range, 1);
		return good;
	}
	if (name != NULL && strncmp(what, "interface ", 10) == 0) {
		const struct ir_interface *x = interface_of(ir, name + 1);

		for (uint32_t i = 0; x != NULL && i < ir->n_zones; i++)
			if (is_behind(ir, &ir->zones[i], x))
				from_all(t, ir->zones[i].ranges, ir->zones[i].n_ranges);
		return x != NULL;
	}
	if (ir_isolated_mac(what) != 0)
		return true;
	if (second != NULL && strncmp(what, "zones ", 6) == 0) {
		const struct ir_zone *a = zone_of(ir, name + 1, (size_t)(second - name - 1)),
				     *b = zone_of(ir, second + 1, strlen(second + 1));

		for (uint32_t i = 0; a != NULL && b != NULL && i < a->n_ranges; i++)
			for (uint32_t k = 0; k < b->n_ranges; k++)
				both_ways(t, &a->ranges[i], &b->ranges[k]);
		return a != NULL && b != NULL;
	}
	return false;
}

static const char *called(const char *label, const char *name)
{
	return *label != '\0' ? label : name;
}

void ir_isolated_label(const struct ir *ir, const char *what, char *out, size_t size)
{
	const struct ir_isolation *x = ir_isolation_of(ir, what);
	const char *name = strchr(what, ' '), *second = name != NULL ? strchr(name + 1, ' ') : NULL;
	size_t n = name != NULL ? (second != NULL ? (size_t)(second - name - 1) : strlen(name + 1)) : 0;
	const struct ir_asset *asset = name != NULL && strncmp(what, "asset ", 6) == 0 ? asset_of(ir, name + 1) : NULL;
	const struct ir_zone *a = name != NULL && strncmp(what, "zone", 4) == 0 ? zone_of(ir, name + 1, n) : NULL,
			     *b = a != NULL && second != NULL ? zone_of(ir, second + 1, strlen(second + 1)) : NULL;

	out[0] = '\0';
	if (x != NULL)
		snprintf(out, size, "%s", called(x->label, x->name));
	else if (asset != NULL)
		snprintf(out, size, "%s", called(asset->label, asset->name));
	else if (b != NULL)
		snprintf(out, size, "%s – %s", called(a->label, a->name), called(b->label, b->name));
	else if (a != NULL && second == NULL)
		snprintf(out, size, "%s", called(a->label, a->name));
	else if (name != NULL && a == NULL)
		snprintf(out, size, "%s", name + 1);
}

static void note_things(const struct ir *ir, const char *what, bool *zones, bool *assets)
{
	const char *name = strchr(what, ' '), *second = name != NULL ? strchr(name + 1, ' ') : NULL;
	const struct ir_asset *asset = name != NULL && strncmp(what, "asset ", 6) == 0 ? asset_of(ir, name + 1) : NULL;
	const struct ir_zone *of[2] = { NULL, NULL };

	for (uint32_t i = 0; name != NULL && strncmp(what, "interface ", 10) == 0 && i < ir->n_zones; i++)
		if (interface_of(ir, name + 1) != NULL && is_behind(ir, &ir->zones[i], interface_of(ir, name + 1)))
			zones[i] = true;
	if (name != NULL && strncmp(what, "zone", 4) == 0)
		of[0] = zone_of(ir, name + 1, second != NULL ? (size_t)(second - name - 1) : strlen(name + 1));
	if (of[0] != NULL && second != NULL)
		of[1] = zone_of(ir, second + 1, strlen(second + 1));
	if (asset != NULL)
		assets[asset - ir->assets] = true;
	for (unsigned i = 0; i < 2; i++)
		if (of[i] != NULL)
			zones[of[i] - ir->zones] = true;
}

void ir_isolated_things(const struct ir *ir, const char *what, bool *zones, bool *assets)
{
	const struct ir_isolation *x = ir_isolation_of(ir, what);

	for (uint32_t i = 0; x != NULL && i < x->n_cuts; i++)
		note_things(ir, x->cuts[i].what, zones, assets);
	if (x == NULL)
		note_things(ir, what, zones, assets);
}

const struct ir_isolation *ir_isolation_of(const struct ir *ir, const char *name)
{
	for (uint32_t i = 0; i < ir->n_isolations; i++)
		if (strcmp(ir->isolations[i].name, name) == 0)
			return &ir->isolations[i];
	return NULL;
}

bool ir_isolated(const struct ir *ir, const char *what, ir_each_pair *each, void *ctx)
{
	const struct telling t = { each, ctx };
	const struct ir_isolation *x = ir_isolation_of(ir, what);

	for (uint32_t i = 0; x != NULL && i < x->n_cuts; i++)
		/* `check` has made sure that the names exist */
		(void)by_words(ir, x->cuts[i].what, &t);
	return x != NULL || by_words(ir, what, &t);
}

bool ir_permit_kept(const struct ir *ir, uint32_t permit, const bool *kept)
{
	const struct command_permit *p = &ir->table.permits[permit];
	bool any = false;

	for (uint32_t i = 0; i < p->n_grants; i++) {
		const struct command_grant *g = &ir->table.grants[p->first_grant + i];

		if (g->shadow)
			continue;
		if (!kept[g->conduit])
			return false;
		any = true;
	}
	return any;
}

static bool meets(const struct addr_range *list, uint32_t n, const struct addr_range *x, struct addr_range *ret)
{
	for (uint32_t i = 0; i < n; i++)
		if (addr_range_meet(&list[i], x, ret))
			return true;
	return false;
}

/* A conduit of the statement that grants something in this cell and is not kept. */
static uint32_t lost(const struct ir *ir, const struct ir_always *w, const struct ir_cell *c, const bool *kept)
{
	const struct command_permit *p = &ir->table.permits[c->permit];

	for (uint32_t i = 0; i < w->n_conduits; i++)
		for (uint32_t k = 0; k < p->n_grants && !kept[w->conduits[i]]; k++)
			if (ir->table.grants[p->first_grant + k].conduit == w->conduits[i])
				return w->conduits[i];
	return UINT32_MAX;
}

uint32_t ir_always_cut(const struct ir *ir, const struct ir_always *w, const struct ir_cut_range *list, size_t n,
		       const bool *kept)
{
	struct addr_range s, d, unused;

	for (size_t i = 0; i < n; i++) {
		if (!meets(w->sources, w->n_sources, &list[i].source, &s) ||
		    !meets(w->destinations, w->n_destinations, &list[i].destination, &d))
			continue;
		for (uint32_t k = 0; k < ir->n_cells; k++) {
			const struct ir_cell *c = &ir->cells[k];
			uint32_t by;

			if (!addr_range_meet(&c->src, &list[i].source, &s) ||
			    !addr_range_meet(&c->dst, &list[i].destination, &d) ||
			    !meets(w->sources, w->n_sources, &s, &unused) ||
			    !meets(w->destinations, w->n_destinations, &d, &unused))
				continue;
			by = lost(ir, w, c, kept);
			if (by != UINT32_MAX)
				return by;
		}
	}
	return UINT32_MAX;
}
