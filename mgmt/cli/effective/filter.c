/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/effective/effective.h"

#include <string.h>

#include "appliance/base/addr.h"
#include "mgmt/cli/words/render.h"

#define RANGES 64u

struct wanted {
	const struct effective_filter *f;
	const json_t *conduits;
	struct addr_range ranges[RANGES];
	size_t n;
};

/* Reads "10.0.0.0/8", "10.0.0.1" or "10.0.0.1-10.0.0.9"; host bits behind a prefix are ignored. */
static bool range_of(const char *text, struct addr_range *ret)
{
	bool stray;

	return addr_range_parse(text, ret) || prefix_parse(text, ret, &stray) || stray;
}

static bool meets(const struct wanted *w, const char *text)
{
	struct addr_range have, both;

	if (!range_of(text, &have))
		return false;
	for (size_t i = 0; i < w->n; i++)
		if (addr_range_meet(&have, &w->ranges[i], &both))
			return true;
	return false;
}

static bool conduit_wanted(const struct wanted *w, const json_t *k)
{
	const struct effective_filter *f = w->f;

	return (f->conduit == NULL || js_is(k, "name", f->conduit)) &&
	       (f->zone == NULL || js_is(k, "from", f->zone) || js_is(k, "to", f->zone));
}

static bool cell_wanted(const struct wanted *w, const json_t *cell)
{
	const json_t *names = ja(cell, "conduits");
	bool by_conduit = w->f->conduit == NULL && w->f->zone == NULL;

	for (size_t i = 0; i < json_array_size(names) && !by_conduit; i++) {
		const json_t *k = json_find(w->conduits, "name", json_string_value(json_array_get(names, i)));

		by_conduit = k != NULL && conduit_wanted(w, k);
	}
	return by_conduit && (w->n == 0 || meets(w, js(cell, "source")) || meets(w, js(cell, "destination")));
}

static bool names_it(const json_t *cells, const char *conduit)
{
	for (size_t i = 0; i < json_array_size(cells); i++) {
		const json_t *names = ja(json_array_get(cells, i), "conduits");

		for (size_t k = 0; k < json_array_size(names); k++)
			if (strcmp(json_string_value(json_array_get(names, k)), conduit) == 0)
				return true;
	}
	return false;
}

static bool permit_used(const json_t *cells, unsigned long long permit)
{
	for (size_t i = 0; i < json_array_size(cells); i++)
		if (ju(json_array_get(cells, i), "permit") == permit)
			return true;
	return false;
}

static bool zone_known(const json_t *conduits, const json_t *assets, const char *zone)
{
	for (size_t i = 0; i < json_array_size(conduits); i++)
		if (js_is(json_array_get(conduits, i), "from", zone) || js_is(json_array_get(conduits, i), "to", zone))
			return true;
	for (size_t i = 0; i < json_array_size(assets); i++)
		if (js_is(json_array_get(assets, i), "zone", zone))
			return true;
	return false;
}

const char *effective_lacks(const json_t *effective, const struct effective_filter *f)
{
	const json_t *conduits = ja(effective, "conduits"), *assets = ja(effective, "assets");

	if (f->conduit != NULL && json_find(conduits, "name", f->conduit) == NULL)
		return f->conduit;
	if (f->zone != NULL && !zone_known(conduits, assets, f->zone))
		return f->zone;
	return f->asset != NULL && json_find(assets, "name", f->asset) == NULL ? f->asset : NULL;
}

bool effective_host(const char *text)
{
	struct addr_range r;

	return range_of(text, &r);
}

static void take_ranges(struct wanted *w, const json_t *assets)
{
	const json_t *list = w->f->asset != NULL ? ja(json_find(assets, "name", w->f->asset), "addresses") : NULL;

	for (size_t i = 0; i < json_array_size(list) && w->n < RANGES; i++)
		w->n += range_of(json_string_value(json_array_get(list, i)), &w->ranges[w->n]);
	if (w->f->host == NULL)
		return;
	if (w->n == RANGES)
		w->n--;
	w->n += range_of(w->f->host, &w->ranges[w->n]);
}

/* The entries of a list that `keep` accepts. */
static json_t *kept(const json_t *list, bool (*keep)(const void *ctx, const json_t *one), const void *ctx)
{
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(list); i++)
		if (keep(ctx, json_array_get(list, i)))
			json_array_append(out, json_array_get(list, i));
	return out;
}

static bool keep_cell(const void *ctx, const json_t *cell)
{
	return cell_wanted(ctx, cell);
}

struct rest {
	const struct wanted *w;
	json_t *cells;
};

static bool keep_conduit(const void *ctx, const json_t *k)
{
	const struct rest *r = ctx;

	return conduit_wanted(r->w, k) && (r->w->n == 0 || names_it(r->cells, js(k, "name")));
}

static bool keep_permit(const void *ctx, const json_t *p)
{
	return permit_used(((const struct rest *)ctx)->cells, ju(p, "permit"));
}

bool effective_filter(json_t *effective, const struct effective_filter *f, const char **ret)
{
	struct wanted w = { .f = f, .conduits = ja(effective, "conduits") };
	const json_t *assets = ja(effective, "assets");
	struct rest rest = { .w = &w };
	json_t *said;

	*ret = effective_lacks(effective, f);
	if (*ret != NULL)
		return false;
	said = json_object();
	take_ranges(&w, assets);
	rest.cells = kept(ja(effective, "cells"), keep_cell, &w);
	json_object_set_new(effective, "permits", kept(ja(effective, "permits"), keep_permit, &rest));
	json_object_set_new(effective, "conduits", kept(w.conduits, keep_conduit, &rest));
	json_object_set_new(effective, "cells", rest.cells);
	if (f->conduit != NULL)
		json_object_set_new(said, "conduit", json_string(f->conduit));
	if (f->zone != NULL)
		json_object_set_new(said, "zone", json_string(f->zone));
	if (f->asset != NULL)
		json_object_set_new(said, "asset", json_string(f->asset));
	if (f->host != NULL)
		json_object_set_new(said, "host", json_string(f->host));
	json_object_set_new(effective, "filter", said);
	return true;
}
