/* SPDX-License-Identifier: Apache-2.0 */
/* The site's name, its rules for keeping records, and its assets: named addresses inside a zone. */
#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/ledger.h"
#include "policy/check/names.h"
#include "policy/check/ranges.h"
#include "policy/check/say.h"
#include "policy/check/windows.h"

#include <stdlib.h>
#include <string.h>

#define RETENTION_YEAR 365u

/* Thresholds for signs of an attack: one key for each condition, and the keys for all
 * conditions. */
static const struct key detect_keys[] = {
#define ATTACK(id, word, usual, most, ...)                                                                             \
	{ #word, AST_NUMBER, .use = KEY_NUMBER, INTO(attack_rule, at_least[id]), .lo = 1, .hi = (most) },
#define ATTACK_SETTING(word, usual, least, most)                                                                       \
	{ #word, AST_NUMBER, .use = KEY_NUMBER, INTO(attack_rule, word), .lo = (least), .hi = (most) },
#include "appliance/wire/attack.def"
};

/* Reads how long records are kept. There must be at least a day between the two limits, because a
 * file with the records of a day is deleted as a whole. */
static void check_retention(struct check *k, const struct ast_node *node)
{
	const struct ast_node *v[KEYS(retention_keys)];
	struct model_retention *r = &k->m->retention;
	struct object o = { MP_OBJ_RETENTION, "" };

	if (!keys_read(k, node, retention_keys, KEYS(retention_keys), o, r, v) || r->keep_days == 0 ||
	    r->delete_after_days == 0)
		return;
	if (r->delete_after_days <= r->keep_days) {
		check_hinted(k, SEV_ERROR, "policy.retention_order", v[RETENTION_DELETE], MP_RETENTION_ORDER, o, "",
			     MP_HINT_RETENTION_ORDER);
	} else if (r->keep_days < RETENTION_YEAR) {
		check_hinted(k, SEV_WARNING, "policy.retention_short", v[RETENTION_KEEP], MP_RETENTION_SHORT, o, "",
			     MP_HINT_RETENTION_SHORT);
	}
}

/* A missing purpose causes only a warning: records help after an incident in any case. */
static void check_records(struct check *k, const struct ast_node *node, const struct ast_node *passed)
{
	const struct ast_node *v[KEYS(records_keys)];

	if (node != NULL) {
		keys_read(k, node, records_keys, KEYS(records_keys), (struct object){ MP_OBJ_RECORDS, "" },
			  &k->m->records, v);
	} else if (k->m->record_passed) {
		check_hinted(k, SEV_WARNING, "policy.records_unstated", passed, MP_RECORDS_UNSTATED,
			     (struct object){ MP_OBJ_SITE, "" }, "", MP_HINT_RECORDS_UNSTATED);
	}
}

static void check_detect(struct check *k, const struct ast_node *node)
{
	const struct ast_node *v[KEYS(detect_keys)];

	keys_read(k, node, detect_keys, KEYS(detect_keys), (struct object){ MP_OBJ_DETECT, "" }, &k->m->detect, v);
}

void check_site(struct check *k, const struct ast_node *node)
{
	const struct ast_node *v[KEYS(site_keys)];
	struct object o = { MP_OBJ_SITE, "" };

	k->m->site_name = k->m->site_label = k->m->site_contact = "";
	k->m->records = (struct model_records){ "", "" };
	check_time_zone(k, NULL, o);
	if (node == NULL || !keys_read(k, node, site_keys, KEYS(site_keys), o, k->m, v))
		return;
	if (v[SITE_NAME] != NULL && k->m->site_name[0] != '\0')
		name_check(k, k->m->site_name, v[SITE_NAME]->value_at, v[SITE_NAME]->value_width);
	if (v[SITE_RETENTION] != NULL)
		check_retention(k, v[SITE_RETENTION]);
	else if (k->m->strict_ledger || v[SITE_RECORDS] != NULL)
		k->unkept = node;
	check_records(k, v[SITE_RECORDS], v[SITE_PASSED]);
	if (v[SITE_DETECT] != NULL)
		check_detect(k, v[SITE_DETECT]);
	if (v[SITE_ZONE] != NULL)
		check_time_zone(k, v[SITE_ZONE], o);
}

/* The zone that contains the range, for the message. */
static const struct model_zone *zone_holding(const struct model *m, const struct addr_range *r)
{
	for (size_t i = 0; i < m->n_zones; i++)
		if (ranges_hold(m->zones[i].ranges, m->zones[i].n_ranges, r))
			return &m->zones[i];
	return NULL;
}

static void asset_addresses(struct check *k, const struct ast_node *list, struct model_asset *a, struct object o)
{
	struct ranges r = { 0 };
	struct addr_range one;

	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING, o)) != NULL;) {
		const struct model_zone *other;
		struct diag *g;

		if (!address_of(k, c, o, &one))
			continue;
		if (a->zone == NULL || k->unsure[a->zone->index] ||
		    ranges_hold(a->zone->ranges, a->zone->n_ranges, &one) || check_lone_network(k, a->zone, &one)) {
			ranges_add(k, &r, &one);
			continue;
		}
		g = check_say(k, SEV_ERROR, "policy.outside_zone", c->value_at, c->value_width, MP_ASSET_OUTSIDE, o,
			      c->string, a->zone->name);
		g->also = a->zone->at;
		other = k->d->errors <= DIAG_SHOWN ? zone_holding(k->m, &one) : NULL;
		if (other != NULL)
			diag_hint(k->d, g, MP_HINT_OTHER_ZONE, c->string, other->name);
	}
	check_not_empty(k, list, o, NO_HINT);
	ranges_merge(&r);
	a->ranges = r.list;
	a->n_ranges = r.n;
}

/* A member of a machine, at one of its address ranges. */
struct placed {
	const struct model_asset *asset;
	const struct ast_node *node;
	const struct addr_range *range;
};

static int by_address(const void *pa, const void *pb)
{
	const struct placed *a = pa, *b = pb;
	int order = addr_cmp(&a->range->lo, &b->range->lo);

	return order != 0 ? order : (a->asset > b->asset) - (a->asset < b->asset);
}

/* "rtg07.plc" and "rtg07.drive" belong to one machine and may share an address. */
static bool one_machine(const char *a, const char *b)
{
	size_t n = strcspn(a, ".");

	return n == strcspn(b, ".") && memcmp(a, b, n) == 0;
}

/* Two machines with one address, as after copying a line in a spreadsheet: what one may do, the
 * other could do. */
static void check_members_apart(struct check *k, struct placed *list, size_t n)
{
	const struct placed *far = list; /* the earlier range with the highest end */

	if (n > 0)
		qsort(list, n, sizeof(list[0]), by_address);
	for (size_t i = 1; i < n; i++) {
		const struct placed *late = far->asset > list[i].asset ? far : &list[i],
				    *early = late == far ? &list[i] : far;

		if (!one_machine(late->asset->name, early->asset->name) &&
		    addr_cmp(&list[i].range->lo, &far->range->hi) <= 0)
			check_say(k, SEV_WARNING, "policy.members_meet", late->node->at, late->node->width,
				  MP_MEMBERS_MEET, (struct object){ MP_OBJ_ASSET, late->asset->name },
				  early->asset->name, "")
				->also = early->node->at;
		if (addr_cmp(&list[i].range->hi, &far->range->hi) > 0)
			far = &list[i];
	}
}

void check_assets(struct check *k, const struct ast_node *node)
{
	size_t n = node != NULL ? node->n : 0, n_placed = 0, room = 0;
	struct model *m = k->m;
	void *placed = NULL;

	m->assets = arena_array(k->a, n, sizeof(m->assets[0]));
	if (!names_new(k, &k->assets, n) || m->assets == NULL)
		return;
	for (const struct ast_node *c = node != NULL ? node->child : NULL; c != NULL; c = c->next) {
		const struct ast_node *v[KEYS(asset_keys)];
		struct object o = { MP_OBJ_ASSET, c->name };
		struct model_asset *a = &m->assets[m->n_assets++];

		*a = (struct model_asset){
			.name = c->name, .label = "", .model = "", .place = "", .support_until = "", .at = c->at
		};
		names_put(&k->assets, c->name, a);
		name_check(k, c->name, c->at, c->width);
		if (!keys_read(k, c, asset_keys, KEYS(asset_keys), o, a, v))
			continue;
		if (v[ASSET_ZONE] != NULL)
			a->zone = names_need(k, &k->zones, v[ASSET_ZONE], MP_NO_ZONE, "policy.unknown_name", o);
		if (a->zone != NULL && a->zone->self) {
			check_value(k, SEV_ERROR, "policy.reserved", v[ASSET_ZONE], MP_SELF_ASSET, o, "self");
			a->zone = NULL;
		}
		a->support_until = ledger_day(k, v[ASSET_SUPPORT], &due_support, o);
		asset_addresses(k, v[ASSET_ADDRESSES], a, o);
		for (size_t i = 0; i < a->n_ranges && c->of_fleet; i++) {
			struct placed *p = arena_grow(k->a, &placed, &n_placed, &room, sizeof(*p));

			if (p != NULL)
				*p = (struct placed){ a, c, &a->ranges[i] };
		}
	}
	check_members_apart(k, placed, n_placed);
	names_build(k, &k->assets);
}
