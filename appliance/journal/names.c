/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/json_each.h"
#include "appliance/base/sha256.h"
#include "policy/ir/book.h"
#include "policy/ir/ir.h"
#include "policy/ir/meaning.h"
#include "policy/ir/seal.h"

#define UNSEAL_BUDGET (256u << 20)

#define PERMIT_DOORS 8u /* as many as can apply to one packet (policy/space/cells.h) */

struct conduit_name {
	const char *name, *label, *file;
	uint32_t line;
	bool observe;
	uint8_t meaning[32]; /* digest of the rows of an observing conduit */
};

/* Sorted by the box's permit id. */
struct permit_name {
	uint32_t permit;
	/* the first conduit with a grant under this permit, or UINT32_MAX */
	uint32_t conduit;
	/* the doors of its conduits, without gaps; NULL = no more */
	const char *doors[PERMIT_DOORS];
};

struct interface_name {
	uint32_t index;
	const char *name;
	uint32_t n_zones, zone; /* number of zones behind the interface; index of the first one */
	/* a byte for each zone of the generation: 1 = it is behind the interface */
	uint8_t *zones;
};

struct place_name {
	const char *name, *label;
	unsigned class; /* the zone's class */
};

struct named_generation {
	struct event_generation which;
	uint8_t made_from[2][32]; /* digests of the sealed bytes, and of the numbers */
	struct arena *arena;	  /* holds everything of this generation */
	const char **files;
	struct conduit_name *conduits;
	struct permit_name *permits;
	struct interface_name *interfaces;
	struct place_name *zones, *assets;
	struct ir_book book;
	uint32_t n_files, n_conduits, n_permits, n_interfaces, n_zones;
	struct attack_rule rule;
	bool sends;
};

static void generation_forget(struct named_generation *g)
{
	if (g == NULL)
		return;
	arena_free(g->arena);
	free(g);
}

void names_forget(struct names *n)
{
	while (n->n > 0)
		generation_forget(n->list[--n->n]);
	names_doors(n, NULL);
}

void names_doors(struct names *n, json_t *doors)
{
	json_decref(n->doors);
	n->doors = doors;
}

/* ---- taking what is needed ------------------------------------------------------------------- */

static int by_permit(const void *a, const void *b)
{
	const struct permit_name *x = a, *y = b;

	return (x->permit > y->permit) - (x->permit < y->permit);
}

static const char *keep_text(struct named_generation *g, const char *text)
{
	return text == NULL ? "" : arena_strndup(g->arena, text, strlen(text));
}

static uint32_t first_conduit(const struct ir *ir, uint32_t permit_index)
{
	const struct command_permit *p = commands_permit(&ir->table, permit_index + 1);

	/* Prefers a conduit that grants to one that only observes. */
	for (int shadow = 0; p != NULL && shadow < 2; shadow++)
		for (uint32_t i = 0; i < p->n_grants; i++) {
			const struct command_grant *g = &ir->table.grants[p->first_grant + i];

			if (g->shadow == (shadow == 1) && g->conduit < ir->n_conduits)
				return g->conduit;
		}
	return UINT32_MAX;
}

/* A door that only an observing conduit has lets nothing through. */
static void permit_doors(struct named_generation *g, const struct ir *ir, uint32_t permit_index)
{
	const struct command_permit *p = commands_permit(&ir->table, permit_index + 1);
	struct permit_name *to = &g->permits[permit_index];

	for (uint32_t i = 0; p != NULL && i < p->n_grants; i++) {
		const struct command_grant *grant = &ir->table.grants[p->first_grant + i];
		uint32_t door = grant->conduit < ir->n_conduits ? ir->conduits[grant->conduit].door : UINT32_MAX;
		unsigned at = 0;

		if (grant->shadow || door >= ir->n_doors)
			continue;
		while (at < PERMIT_DOORS && to->doors[at] != NULL && strcmp(to->doors[at], ir->doors[door].name) != 0)
			at++;
		if (at < PERMIT_DOORS && to->doors[at] == NULL)
			to->doors[at] = keep_text(g, ir->doors[door].name);
	}
}

static bool copy_files(struct named_generation *g, const struct ir *ir)
{
	g->files = arena_array(g->arena, (size_t)ir->n_sources + 1, sizeof(*g->files));
	for (uint32_t i = 0; g->files != NULL && i < ir->n_sources; i++)
		if ((g->files[g->n_files++] = keep_text(g, ir->sources[i].name)) == NULL)
			return false;
	return g->files != NULL;
}

static bool copy_conduits(struct named_generation *g, const struct ir *ir)
{
	g->n_conduits = ir->n_conduits;
	g->conduits = arena_array(g->arena, (size_t)ir->n_conduits + 1, sizeof(*g->conduits));
	for (uint32_t i = 0; g->conduits != NULL && i < ir->n_conduits; i++) {
		const struct ir_conduit *c = &ir->conduits[i];

		g->conduits[i] = (struct conduit_name){
			.name = keep_text(g, c->name),
			.label = keep_text(g, c->label),
			.file = c->file < g->n_files ? g->files[c->file] : NULL,
			.line = c->line,
			.observe = c->observe,
		};
		if (c->observe)
			ir_conduit_meaning(ir, c, g->conduits[i].meaning);
		if (g->conduits[i].name == NULL || g->conduits[i].label == NULL)
			return false;
	}
	return g->conduits != NULL;
}

static bool copy_permits(struct named_generation *g, const struct ir *ir, struct bytes ids)
{
	g->permits = arena_array(g->arena, (size_t)ir->n_permits + 1, sizeof(*g->permits));
	if (g->permits == NULL)
		return false;
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		g->permits[i].conduit = first_conduit(ir, i);
		permit_doors(g, ir, i);
		if (!bytes_be32(&ids, &g->permits[i].permit))
			break;
		g->n_permits++;
	}
	if (g->n_permits > 0)
		qsort(g->permits, g->n_permits, sizeof(*g->permits), by_permit);
	return true;
}

static bool copy_interfaces(struct named_generation *g, const struct ir *ir, const struct names_source *from)
{
	g->interfaces = arena_array(g->arena, (size_t)ir->n_interfaces + 1, sizeof(*g->interfaces));
	for (uint32_t i = 0; g->interfaces != NULL && i < ir->n_interfaces; i++) {
		g->interfaces[i].name = keep_text(g, ir->interfaces[i].name);
		if (g->interfaces[i].name == NULL)
			return false;
		if (i >= from->n_interfaces)
			break;
		g->interfaces[i].index = from->interfaces[i];
		g->n_interfaces++;
	}
	for (uint32_t i = 0; g->interfaces != NULL && i < ir->n_interfaces; i++) {
		g->interfaces[i].zones = arena_alloc(g->arena, (size_t)ir->n_zones + 1);
		if (g->interfaces[i].zones == NULL)
			return false;
	}
	for (uint32_t z = 0; g->interfaces != NULL && z < ir->n_zones; z++)
		for (uint32_t k = 0; k < ir->zones[z].n_interfaces; k++) {
			uint32_t i = ir->zones[z].interfaces[k];

			if (i >= ir->n_interfaces)
				continue;
			g->interfaces[i].zones[z] = 1;
			if (g->interfaces[i].n_zones++ == 0)
				g->interfaces[i].zone = z;
		}
	return g->interfaces != NULL;
}

static bool copy_places(struct named_generation *g, const struct ir *ir)
{
	g->zones = arena_array(g->arena, (size_t)ir->n_zones + 1, sizeof(*g->zones));
	g->assets = arena_array(g->arena, (size_t)ir->n_assets + 1, sizeof(*g->assets));
	if (g->zones == NULL || g->assets == NULL || !ir_book_make(ir, g->arena, &g->book))
		return false;
	g->n_zones = ir->n_zones;
	for (uint32_t i = 0; i < ir->n_zones; i++)
		g->zones[i] = (struct place_name){ keep_text(g, ir->zones[i].name), keep_text(g, ir->zones[i].label),
						   ir->zones[i].class };
	for (uint32_t i = 0; i < ir->n_assets; i++)
		g->assets[i] =
			(struct place_name){ keep_text(g, ir->assets[i].name), keep_text(g, ir->assets[i].label), 0 };
	return !arena_failed(g->arena);
}

static int copy_names(struct named_generation *g, const struct ir *ir, const struct names_source *from, struct err *e)
{
	g->which = event_generation(from->number, ir->digest);
#define ATTACK(id, word, ...) g->rule.at_least[id] = ir->detect_##word;
#define ATTACK_SETTING(word, ...) g->rule.word = ir->detect_##word;
#include "appliance/wire/attack.def"
	attack_rule_fill(&g->rule);
	if (!copy_files(g, ir) || !copy_conduits(g, ir) || !copy_permits(g, ir, from->permits) ||
	    !copy_interfaces(g, ir, from) || !copy_places(g, ir))
		return err_set(e, -ENOMEM, "names of a generation");
	return 0;
}

bool names_carried(struct bytes carried, struct event_generation g)
{
	struct event_generation one;

	while (event_generation_get(&carried, &one))
		if (event_generation_same(one, g))
			return true;
	return false;
}

static void forget_at(struct names *n, size_t at)
{
	generation_forget(n->list[at]);
	for (n->n--; at < n->n; at++)
		n->list[at] = n->list[at + 1];
}

/* The place of the oldest generation that no live session needs, or else of the oldest. */
static size_t goes_first(const struct names *n, struct bytes carried)
{
	size_t at = n->n - 1;

	while (at > 0 && names_carried(carried, n->list[at]->which))
		at--;
	return at > 0 ? at : n->n - 1;
}

static void put_first(struct names *n, struct named_generation *g, struct bytes carried)
{
	size_t at = 0, bytes = 0;

	while (at < n->n && !event_generation_same(n->list[at]->which, g->which))
		at++;
	if (at < n->n)
		forget_at(n, at);
	else if (n->n == NAMES_KEPT)
		forget_at(n, goes_first(n, carried));
	for (at = n->n++; at > 0; at--)
		n->list[at] = n->list[at - 1];
	n->list[0] = g;
	for (size_t i = 0; i < n->n; i++)
		bytes += arena_used(n->list[i]->arena);
	while (bytes > NAMES_BYTES && n->n > 1) {
		at = goes_first(n, carried);
		bytes -= arena_used(n->list[at]->arena);
		forget_at(n, at);
	}
}

/* Whether the newest generation was made from the same bytes and numbers. */
static bool is_newest(const struct names *n, const struct names_source *from, const uint8_t digests[2][32])
{
	return n->n > 0 && n->list[0]->which.number == (uint32_t)from->number &&
	       memcmp(n->list[0]->made_from, digests, sizeof(n->list[0]->made_from)) == 0;
}

/* Unseals a generation and adds its names to the list. */
static int add_generation(struct names *n, const struct names_source *from, const uint8_t made_from[2][32],
			  struct err *e)
{
	struct named_generation *g = calloc(1, sizeof(*g));
	struct arena *work = arena_new(UNSEAL_BUDGET);
	struct ir *ir = work != NULL ? arena_alloc(work, sizeof(*ir)) : NULL;
	int r = -ENOMEM;

	if (g == NULL || ir == NULL || (g->arena = arena_new(UNSEAL_BUDGET)) == NULL)
		err_set(e, r, "names of a generation");
	else
		r = ir_unseal(bytes_of(from->sealed, from->n_sealed), work, ir, e);
	if (r == 0)
		r = copy_names(g, ir, from, e);
	for (uint32_t i = 0; r == 0 && i < ir->n_peers; i++)
		g->sends |= ir->peers[i].ca[0] != '\0';
	arena_free(work);
	if (r == 0) {
		memcpy(g->made_from, made_from, sizeof(g->made_from));
		put_first(n, g, from->carried);
	} else {
		generation_forget(g);
	}
	return r;
}

int names_add(struct names *n, const struct names_source *from, struct err *e)
{
	uint8_t digests[2][32];

	sha256(from->sealed, from->n_sealed, digests[0]);
	sha256_pair(from->interfaces, from->n_interfaces * sizeof(*from->interfaces), from->permits.p,
		    from->permits.left, digests[1]);
	return is_newest(n, from, digests) ? 0 : add_generation(n, from, digests, e);
}

bool names_send(const struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->list[i]->sends)
			return true;
	return false;
}

/* ---- reading --------------------------------------------------------------------------------- */

static const struct named_generation *generation_of(const struct names *n, const struct event *e)
{
	for (size_t i = 0; i < n->n; i++)
		if (event_generation_same(n->list[i]->which, e->generation))
			return n->list[i];
	return NULL;
}

static const struct permit_name *permit_of(const struct named_generation *g, const struct event *e)
{
	const struct permit_name key = { .permit = e->permit };

	if (e->permit == 0 || g->n_permits == 0)
		return NULL;
	return bsearch(&key, g->permits, g->n_permits, sizeof(*g->permits), by_permit);
}

/* The conduit that the event names, else the first conduit with a grant under its permit. */
static uint32_t conduit_of(const struct named_generation *g, const struct event *e)
{
	const struct permit_name *p = e->conduit < g->n_conduits ? NULL : permit_of(g, e);

	return p != NULL ? p->conduit : e->conduit < g->n_conduits ? e->conduit : UINT32_MAX;
}

static void zone_of(const struct named_generation *g, uint32_t zone, struct named_end *ret)
{
	ret->zone = g->zones[zone].name;
	ret->zone_label = g->zones[zone].label;
	ret->zone_class = g->zones[zone].class;
}

static void end_of(const struct named_generation *g, const struct addr *a, struct named_end *ret)
{
	uint32_t zone = ir_book_zone(&g->book, a), asset = ir_book_asset(&g->book, a);

	if (zone != UINT32_MAX)
		zone_of(g, zone, ret);
	if (asset != UINT32_MAX) {
		ret->asset = g->assets[asset].name;
		ret->label = g->assets[asset].label;
	}
}

static void of_interface(const struct named_generation *g, const struct interface_name *i, const struct addr *client,
			 struct named *ret)
{
	uint32_t zone = ir_book_zone(&g->book, client);

	ret->interface = i->name;
	ret->interface_class = i->n_zones > 0 ? g->zones[i->zone].class : 0;
	ret->elsewhere = zone < g->n_zones && i->zones[zone] == 0;
	if (i->n_zones == 1)
		zone_of(g, i->zone, &ret->behind);
}

bool names_attack_rule(const struct names *n, struct attack_rule *ret, struct event_generation *ret_which)
{
	if (n->n == 0)
		return false;
	*ret = n->list[0]->rule;
	*ret_which = n->list[0]->which;
	return true;
}

void names_of_event(const struct names *n, const struct event *e, struct named *ret)
{
	const struct named_generation *g = generation_of(n, e);
	uint32_t c;

	*ret = (struct named){ .line = e->line };
	if (g == NULL)
		return;
	c = conduit_of(g, e);
	if (c < g->n_conduits) {
		const struct conduit_name *conduit = &g->conduits[c];

		ret->conduit = conduit->name;
		ret->conduit_label = conduit->label;
		ret->file = conduit->file;
		if (ret->line == 0)
			ret->line = conduit->line;
	}
	if (e->row.line != 0 && e->row.file < g->n_files)
		ret->row_file = g->files[e->row.file];
	for (uint32_t i = 0; e->iif != 0 && i < g->n_interfaces; i++)
		if (g->interfaces[i].index == e->iif)
			of_interface(g, &g->interfaces[i], &e->client, ret);
	end_of(g, &e->client, &ret->client);
	end_of(g, &e->server, &ret->server);
}

static void add_opening(json_t *to, const json_t *x)
{
	(void)json_array_append_new(to,
				    json_pack("{s:O, s:O, s:O, s:O}", "opening", json_object_get(x, "opening"), "door",
					      json_object_get(x, "door"), "person", json_object_get(x, "person"),
					      "ticket", json_object_get(x, "ticket")));
}

static void add_openings(json_t *to, const json_t *list, const char *door, uint64_t first_s, uint64_t last_s)
{
	const json_t *before = NULL;
	bool any = false;

	json_each(x, list) {
		if (strcmp(text_in(x, "door"), door) != 0 || count_in(x, "opening") == 0 ||
		    count_in(x, "since") > last_s)
			continue;
		before = before == NULL || count_in(before, "since") <= count_in(x, "since") ? x : before;
		if (!json_is_true(json_object_get(x, "open")) && count_in(x, "ended") < first_s)
			continue;
		add_opening(to, x);
		any = true;
	}
	if (!any && before != NULL)
		add_opening(to, before);
}

json_t *names_openings(const struct names *n, const struct event *e, uint64_t seconds)
{
	const struct named_generation *g = generation_of(n, e);
	const struct permit_name *p = g != NULL ? permit_of(g, e) : NULL;
	uint64_t last = e->wall_ns / 1000000000u;
	json_t *list;

	if (p == NULL || p->doors[0] == NULL)
		return NULL;
	list = json_array();
	for (unsigned i = 0; i < PERMIT_DOORS && p->doors[i] != NULL; i++)
		add_openings(list, n->doors, p->doors[i], last > seconds ? last - seconds : 0, last);
	return list;
}

bool names_observing(const struct names *n, struct clean_conduit **ret, size_t *ret_n)
{
	const struct named_generation *g = n->n > 0 ? n->list[0] : NULL;

	*ret = g != NULL ? calloc((size_t)g->n_conduits + 1, sizeof(**ret)) : NULL;
	*ret_n = 0;
	for (uint32_t i = 0; *ret != NULL && i < g->n_conduits; i++) {
		const struct conduit_name *c = &g->conduits[i];
		size_t len = strlen(c->name);

		if (!c->observe || len >= CLEAN_NAME)
			continue;
		memcpy((*ret)[*ret_n].name, c->name, len);
		memcpy((*ret)[(*ret_n)++].meaning, c->meaning, sizeof(c->meaning));
	}
	return *ret != NULL;
}

void names_of_place(const struct names *n, const struct event *e, struct named_place *ret)
{
	const struct named_generation *g = generation_of(n, e);
	uint32_t zone, asset;

	*ret = (struct named_place){ .zone = "" };
	g = g == NULL && n->n > 0 ? n->list[0] : g;
	for (uint32_t i = 0; g != NULL && e->iif != 0 && i < g->n_interfaces; i++) {
		if (g->interfaces[i].index != e->iif)
			continue;
		ret->interface = g->interfaces[i].name;
		zone = ir_book_zone(&g->book, &e->client);
		asset = ir_book_asset(&g->book, &e->client);
		/* With one zone behind the interface, the address does not matter; it may even be
		 * forged. */
		if (g->interfaces[i].n_zones == 1)
			zone = g->interfaces[i].zone;
		if (zone < g->n_zones)
			ret->zone = g->zones[zone].name;
		if (asset != UINT32_MAX)
			ret->asset = g->assets[asset].name;
		return;
	}
}
