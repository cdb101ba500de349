/* SPDX-License-Identifier: Apache-2.0 */
/* Zones: interfaces and networks; no address is in two of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/plain.h"
#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/ledger.h"
#include "policy/check/names.h"
#include "policy/check/network.h"
#include "policy/check/ranges.h"
#include "policy/check/say.h"

/* A network that a zone's text claims. */
struct claim {
	struct addr_range range;
	struct model_zone *zone;
	const struct ast_node *node;
};

struct claims {
	struct claim *list;
	size_t n, room;
};

static void zone_interfaces(struct check *k, const struct ast_node *list, struct model_zone *z, struct object o)
{
	if (list == NULL || !check_fits(k, list, INTERFACES_MAX, o))
		return;
	z->interfaces = arena_array(k->a, list->n, sizeof(void *));
	for (const struct ast_node *c = NULL;
	     z->interfaces != NULL && (c = list_next(k, list, c, AST_STRING, o)) != NULL;) {
		const struct model_interface *i =
			names_need(k, &k->interfaces, c, MP_NO_INTERFACE, "policy.unknown_name", o);
		size_t j = 0;

		if (i == NULL)
			continue;
		while (j < z->n_interfaces && z->interfaces[j] != i)
			j++;
		if (j < z->n_interfaces) {
			check_value(k, SEV_ERROR, "policy.twice", c, MP_TWICE, o, c->string);
		} else if (i->admin) {
			struct diag *g =
				check_value(k, SEV_ERROR, "policy.admin_interface", c, MP_ADMIN_IN_ZONE, o, c->string);

			g->also = i->at;
		} else {
			z->interfaces[z->n_interfaces++] = i;
		}
	}
	check_not_empty(k, list, o, NO_HINT);
}

static void zone_lines(struct check *k, const struct ast_node *list, struct model_zone *z)
{
	struct object o = { MP_OBJ_LINE, z->name };

	z->lines = arena_array(k->a, list != NULL ? list->n : 0, sizeof(z->lines[0]));
	for (const struct ast_node *c = NULL; z->lines != NULL && (c = list_next(k, list, c, AST_GROUP, o)) != NULL;) {
		const struct ast_node *v[KEYS(line_keys)];
		struct ir_line *one = &z->lines[z->n_lines++];

		*one = (struct ir_line){ "", "", "" };
		keys_read(k, c, line_keys, KEYS(line_keys), o, one, v);
	}
}

/* "0.0.0.0/0", or "0.0.0.0" as other products write it. */
static bool is_everything(const struct addr_range *r)
{
	static const struct addr none = { .family = 4 };
	unsigned len;

	return (addr_range_is_prefix(r, &len) && len == 0) ||
	       (addr_cmp(&r->lo, &none) == 0 && addr_cmp(&r->hi, &none) == 0);
}

static void zone_networks(struct check *k, const struct ast_node *list, struct model_zone *z, struct object o,
			  const struct ranges *unicast, struct claims *claims)
{
	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING, o)) != NULL;) {
		struct addr_range r;
		struct claim *slot;
		struct diag *g;

		if (strcmp(c->string, "rest") == 0) {
			if (z->rest)
				check_value(k, SEV_ERROR, "policy.twice", c, MP_TWICE, o, c->string);
			z->rest = true;
			continue;
		}
		if (!address_of(k, c, o, &r)) {
			k->unsure[z->index] = true;
			continue;
		}
		if (!ranges_hold(unicast->list, unicast->n, &r)) {
			g = check_value(k, SEV_ERROR, "policy.not_unicast", c, MP_NOT_UNICAST, o, c->string);
			diag_hint(k->d, g, is_everything(&r) ? MP_HINT_REST : MP_HINT_UNICAST);
			k->unsure[z->index] = true;
			continue;
		}
		slot = arena_grow(k->a, (void **)&claims->list, &claims->n, &claims->room, sizeof(*slot));
		if (slot == NULL)
			return;
		*slot = (struct claim){ r, z, c };
	}
	check_not_empty(k, list, o, NO_HINT);
}

static int by_range(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;
	int c = addr_cmp(&a->range.lo, &b->range.lo);

	if (c == 0)
		c = addr_cmp(&b->range.hi, &a->range.hi);
	return c != 0 ? c : (a->zone->index > b->zone->index) - (a->zone->index < b->zone->index);
}

static bool stands_before(const struct srcpos *a, const struct srcpos *b)
{
	if (a->file != b->file)
		return a->file < b->file;
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* Sorts the claims by address. Then a claim that overlaps any claim before it also overlaps the one
 * of these with the highest end, `far`. */
static void report_overlaps(struct check *k, struct claims *claims)
{
	const struct claim *far;

	if (claims->n == 0)
		return;
	qsort(claims->list, claims->n, sizeof(claims->list[0]), by_range);
	far = &claims->list[0];
	for (size_t i = 1; i < claims->n; i++) {
		const struct claim *one = &claims->list[i];

		if (far->range.lo.family == one->range.lo.family && addr_cmp(&one->range.lo, &far->range.hi) <= 0 &&
		    one->zone != far->zone) {
			bool swap = stands_before(&one->node->value_at, &far->node->value_at);
			const struct claim *late = swap ? far : one, *early = swap ? one : far;
			struct diag *g =
				diag_add(k->d, SEV_ERROR, "policy.overlap", late->node->value_at, MP_OVERLAP,
					 late->node->string, late->zone->name, early->node->string, early->zone->name);

			g->width = late->node->value_width;
			g->also = early->node->value_at;
		}
		if (far->range.lo.family != one->range.lo.family || addr_cmp(&one->range.hi, &far->range.hi) > 0)
			far = one;
	}
}

/* Adds the admin networks to the claimed addresses, because no host behind a data interface may
 * have an address in them. */
static bool add_admin(struct check *k, struct ranges *claimed)
{
	for (size_t i = 0; i < k->m->box.n_interfaces; i++) {
		const struct model_interface *f = &k->m->box.interfaces[i];
		struct addr_range r;

		for (size_t j = 0; f->admin && j < f->n_addresses; j++) {
			interface_network(f, j, &r);
			if (!ranges_add(k, claimed, &r))
				return false;
		}
	}
	return true;
}

/* Gives the addresses that no zone claims to each zone with "rest", besides the zone's own
 * claims. */
static void expand_rest(struct check *k, const struct ranges *unicast, const struct claims *claims)
{
	struct ranges claimed = { 0 }, rest = { 0 };

	for (size_t i = 0; i < claims->n; i++)
		if (!ranges_add(k, &claimed, &claims->list[i].range))
			return;
	if (!add_admin(k, &claimed))
		return;
	ranges_merge(&claimed);
	if (!ranges_minus(k, unicast, &claimed, &rest))
		return;
	for (size_t i = 0; i < k->m->n_zones; i++) {
		struct model_zone *z = &k->m->zones[i];
		struct ranges both = { 0 };

		if (!z->rest)
			continue;
		if (z->n_ranges == 0) {
			z->ranges = rest.list;
			z->n_ranges = rest.n;
			continue;
		}
		for (size_t j = 0; j < z->n_ranges; j++)
			if (!ranges_add(k, &both, &z->ranges[j]))
				return;
		for (size_t j = 0; j < rest.n; j++)
			if (!ranges_add(k, &both, &rest.list[j]))
				return;
		ranges_merge(&both);
		z->ranges = both.list;
		z->n_ranges = both.n;
	}
}

/* Two zones that both take the rest behind one interface would be the same zone. */
static void report_rest_twice(struct check *k)
{
	const struct model_interface *base = k->m->box.interfaces;
	const struct model_zone **owner = arena_array(k->a, k->m->box.n_interfaces, sizeof(void *));

	for (size_t i = 0; owner != NULL && i < k->m->n_zones; i++) {
		const struct model_zone *z = &k->m->zones[i];

		for (size_t j = 0; z->rest && j < z->n_interfaces; j++) {
			const struct model_zone **first = &owner[z->interfaces[j] - base];

			if (*first != NULL) {
				struct diag *g = diag_add(k->d, SEV_ERROR, "policy.overlap", z->at, MP_REST_TWICE,
							  z->name, (*first)->name, z->interfaces[j]->name);

				g->width = (uint32_t)strlen(z->name);
				g->also = (*first)->at;
				break;
			}
			*first = z;
		}
	}
}

/* For "10.30.0.0" the network 10.30.0.0/16, by its zeros. False: not such an address. */
static bool as_network(const char *text, struct addr_range *ret)
{
	char net[ADDR_TEXT + 4];
	struct addr a;
	unsigned len = 32;
	bool stray;

	if (!addr_parse(text, &a) || a.family != 4)
		return false;
	while (len > 8 && a.b[len / 8 - 1] == 0)
		len -= 8;
	snprintf(net, sizeof(net), "%s/%u", text, len);
	return len < 32 && prefix_parse(net, ret, &stray);
}

bool check_lone_network(struct check *k, const struct model_zone *z, const struct addr_range *r)
{
	const struct ast_node *list = k->networks[z->index];
	struct object o = { MP_OBJ_ZONE, z->name };
	char text[2 * ADDR_TEXT + 2];
	struct addr_range net;
	struct diag *g;

	for (const struct ast_node *c = list != NULL ? list->child : NULL; c != NULL; c = c->next) {
		if (c->kind != AST_STRING || !as_network(c->string, &net) || !ranges_hold(&net, 1, r))
			continue;
		addr_range_text(&net, text, sizeof(text));
		g = check_value(k, SEV_ERROR, "policy.address", c, MP_LONE_NETWORK, o, c->string);
		diag_hint(k->d, g, MP_HINT_STRAY, text, (int)strlen(c->string), c->string);
		k->unsure[z->index] = true;
		return true;
	}
	return false;
}

static int by_zone(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;

	return (a->zone->index > b->zone->index) - (a->zone->index < b->zone->index);
}

static void assign_ranges(struct check *k, const struct claims *claims)
{
	struct claim *sorted = arena_array(k->a, claims->n, sizeof(*sorted));
	size_t i = 0;

	if (sorted == NULL || claims->n == 0)
		return;
	memcpy(sorted, claims->list, claims->n * sizeof(*sorted));
	qsort(sorted, claims->n, sizeof(*sorted), by_zone);
	while (i < claims->n) {
		struct model_zone *z = sorted[i].zone;
		struct ranges r = { 0 };

		for (; i < claims->n && sorted[i].zone == z; i++)
			if (!ranges_add(k, &r, &sorted[i].range))
				return;
		ranges_merge(&r);
		z->ranges = r.list;
		z->n_ranges = r.n;
	}
}

/* A contact may name mailboxes, to which alarms go. */
static void zone_contact(struct check *k, const struct ast_node *v, struct object o)
{
	char one[PLAIN_MAILBOX_MAX + 2];
	const char *at = v != NULL ? v->string : "";

	while (plain_mailbox_next(&at, one))
		if (!plain_mailbox(one))
			check_hinted(k, SEV_ERROR, "policy.value", v, MP_MAIL_ADDRESS, o, one, MP_HINT_MAIL_ADDRESS);
}

static void one_zone(struct check *k, const struct ast_node *node, struct model_zone *z, const struct ranges *unicast,
		     struct claims *claims)
{
	const struct ast_node *v[KEYS(zone_keys)];
	struct object o = { MP_OBJ_ZONE, node->name };

	*z = (struct model_zone){ .name = node->name,
				  .label = "",
				  .owner = "",
				  .purpose = "",
				  .approved_by = "",
				  .contact = "",
				  .class = CLASS_IT,
				  .patchable = true,
				  .index = z->index,
				  .at = node->at };
	if (name_check(k, node->name, node->at, node->width) && strcmp(node->name, "self") == 0) {
		struct diag *g = diag_add(k->d, SEV_ERROR, "policy.reserved", node->at, MP_SELF_DEFINED);

		g->width = node->width;
	}
	if (!keys_read(k, node, zone_keys, KEYS(zone_keys), o, z, v))
		return;
	k->networks[z->index] = v[ZONE_NETWORKS];
	k->unsure[z->index] = v[ZONE_NETWORKS] == NULL || v[ZONE_NETWORKS]->n == 0;
	z->review_by = ledger_day(k, v[ZONE_REVIEW], &due_review, o);
	zone_contact(k, v[ZONE_CONTACT], o);
	zone_lines(k, v[ZONE_LINES], z);
	zone_interfaces(k, v[ZONE_INTERFACES], z, o);
	zone_networks(k, v[ZONE_NETWORKS], z, o, unicast, claims);
}

void check_zones(struct check *k, const struct ast_node *node)
{
	size_t n = node != NULL ? node->n : 0;
	struct ranges unicast = { 0 };
	struct claims claims = { 0 };
	struct model *m = k->m;

	m->zones = arena_array(k->a, n + 1, sizeof(m->zones[0]));
	k->unsure = arena_array(k->a, n + 1, sizeof(k->unsure[0]));
	k->networks = arena_array(k->a, n + 1, sizeof(void *));
	if (!names_new(k, &k->zones, n + 1) || m->zones == NULL || k->unsure == NULL || k->networks == NULL ||
	    !ranges_unicast(k, &unicast))
		return;
	for (const struct ast_node *c = node != NULL ? node->child : NULL; c != NULL; c = c->next) {
		struct model_zone *z = &m->zones[m->n_zones];

		z->index = (uint32_t)m->n_zones++;
		one_zone(k, c, z, &unicast, &claims);
	}
	/* The zone of the box comes last, so that the others are numbered as in the text. */
	m->zones[m->n_zones] = (struct model_zone){ .name = "self",
						    .label = "",
						    .owner = "",
						    .purpose = "",
						    .approved_by = "",
						    .contact = "",
						    .review_by = "",
						    .class = CLASS_MANAGEMENT,
						    .self = true,
						    .index = (uint32_t)m->n_zones };
	m->n_zones++;
	for (size_t i = 0; i < m->n_zones; i++)
		names_put(&k->zones, m->zones[i].name, &m->zones[i]);
	if (!names_build(k, &k->zones))
		return;
	report_overlaps(k, &claims);
	report_rest_twice(k);
	assign_ranges(k, &claims);
	expand_rest(k, &unicast, &claims);
}
