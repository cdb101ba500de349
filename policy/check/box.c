/* SPDX-License-Identifier: Apache-2.0 */
/* box.cfg: the hardware behind the policy's interface roles, with addresses and static routes. */
#include <stdlib.h>
#include <string.h>

#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/names.h"
#include "policy/check/network.h"
#include "policy/check/ranges.h"
#include "policy/check/say.h"

/* ---- VLANs ----------------------------------------------------------------------------------- */

/*
 * VLANs in box.cfg: several interfaces on one card, told apart by the number in a frame's tag (IEEE
 * 802.1Q-2018, 9.6). The box refuses other frames on such a card (without a tag, with two, of
 * another VLAN), so this file refuses interfaces that would need such frames.
 */

#define DEVICE_NAME_MOST 15u /* IFNAMSIZ without its NUL */

/* Derives the device name of an interface whose `vlan` was read. */
static void vlan_name(struct check *k, struct model_interface *i, const struct ast_node *vlan)
{
	struct object o = { MP_OBJ_INTERFACE, i->name };
	const char *name;

	/* An invalid number was reported; the device is not compared with others. */
	if (vlan->number != i->vlan) {
		i->vlan = 0;
		i->device = "";
		return;
	}
	name = arena_printf(k->a, "%s.%u", i->device, i->vlan);
	if (name == NULL)
		return;
	if (strlen(name) > DEVICE_NAME_MOST)
		diag_hint(k->d, check_value(k, SEV_ERROR, "policy.name", vlan, MP_VLAN_NAME_LONG, o, name),
			  MP_HINT_VLAN_NAME_LONG, DEVICE_NAME_MOST);
	i->card = i->device;
	i->device = name;
}

static void place(struct diag *g, const struct model_interface *at, const struct model_interface *also)
{
	g->width = (uint32_t)strlen(at->name);
	g->also = also->at;
}

/* Reports a conflict of two interfaces, `a` first in the text; true when there is one. */
static bool report_pair(struct check *k, const struct model_interface *a, const struct model_interface *b)
{
	const struct model_interface *tagged = a->vlan != 0 ? a : b, *other = a->vlan != 0 ? b : a;

	if (tagged->vlan == 0)
		return false;
	if (other->vlan == 0 && strcmp(tagged->card, other->device) == 0)
		place(diag_add(k->d, SEV_ERROR, "policy.vlan", b->at, MP_VLAN_UNTAGGED, tagged->card, tagged->name,
			       tagged->vlan, other->name),
		      b, a);
	else if (strcmp(a->card, b->device) == 0 || strcmp(b->card, a->device) == 0)
		place(diag_add(k->d, SEV_ERROR, "policy.vlan", b->at, MP_VLAN_DOUBLE, a->name, b->name), b, a);
	else if (other->vlan == 0 || strcmp(a->card, b->card) != 0)
		return false;
	else if (a->vlan == b->vlan)
		place(diag_add(k->d, SEV_ERROR, "policy.duplicate", b->at, MP_VLAN_TWICE, a->vlan, a->card, a->name,
			       b->name),
		      b, a);
	else if ((a->mtu == 0) != (b->mtu == 0))
		place(diag_add(k->d, SEV_ERROR, "policy.vlan", b->at, MP_VLAN_MTU, a->card,
			       a->mtu != 0 ? a->name : b->name, a->mtu != 0 ? b->name : a->name),
		      b, a);
	else
		return false;
	return true;
}

/* Compares the VLANs of all interfaces. */
static void check_vlans(struct check *k)
{
	const struct model_box *b = &k->m->box;

	for (size_t i = 1; i < b->n_interfaces; i++)
		for (size_t j = 0; j < i; j++)
			if (report_pair(k, &b->interfaces[j], &b->interfaces[i]))
				break;
}

/* ---- interfaces and routes ------------------------------------------------------------------- */

#define ROUTES_MAX 4096u

/* Checks an interface name by the kernel's rules, without confusing characters. */
static bool device_check(struct check *k, const char *name, struct srcpos at, uint32_t width)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@");
	struct diag *g;

	if (n > 0 && name[n] == '\0' && n <= 15 && name[0] != '-' && name[0] != '.' && strcmp(name, "lo") != 0)
		return true;
	g = diag_add(k->d, SEV_ERROR, "policy.name", at, MP_DEVICE_BAD, name);
	g->width = width;
	return false;
}

static void one_interface(struct check *k, const struct ast_node *node, struct model_interface *i)
{
	const struct ast_node *v[KEYS(interface_keys)];
	struct object o = { MP_OBJ_INTERFACE, node->name };

	*i = (struct model_interface){ .name = node->name, .label = "", .device = "", .card = "", .at = node->at };
	name_check(k, node->name, node->at, node->width);
	if (!keys_read(k, node, interface_keys, KEYS(interface_keys), o, i, v))
		return;
	if (v[IF_DEVICE] != NULL) {
		i->device = v[IF_DEVICE]->string;
		if (device_check(k, i->device, v[IF_DEVICE]->value_at, v[IF_DEVICE]->value_width) && v[IF_VLAN] != NULL)
			vlan_name(k, i, v[IF_VLAN]);
	}
	interface_addresses(k, v[IF_ADDRESSES], o, i);
}

static void index_interfaces(struct check *k)
{
	struct model_box *b = &k->m->box;

	if (!names_new(k, &k->interfaces, b->n_interfaces) || b->interfaces == NULL)
		return;
	for (size_t i = 0; i < b->n_interfaces; i++)
		names_put(&k->interfaces, b->interfaces[i].name, &b->interfaces[i]);
	names_build(k, &k->interfaces);
}

/* The same VLAN twice on a card is also the same device twice; check_vlans reports it. */
static bool same_device(const struct model_interface *a, const struct model_interface *b)
{
	return a->device[0] != '\0' && strcmp(a->device, b->device) == 0 && (a->vlan == 0 || b->vlan == 0);
}

static void report_same_devices(struct check *k)
{
	const struct model_box *b = &k->m->box;

	for (size_t i = 1; i < b->n_interfaces; i++) {
		for (size_t j = 0; j < i; j++) {
			struct diag *g;

			if (!same_device(&b->interfaces[i], &b->interfaces[j]))
				continue;
			g = diag_add(k->d, SEV_ERROR, "policy.duplicate", b->interfaces[i].at, MP_DEVICE_TWICE,
				     b->interfaces[i].device, b->interfaces[j].name, b->interfaces[i].name);
			g->width = (uint32_t)strlen(b->interfaces[i].name);
			g->also = b->interfaces[j].at;
			break;
		}
	}
}

/* The next hop must be in a network of the box, or the kernel refuses the route. */
static bool reachable(const struct model_box *b, const struct addr *via, const struct model_interface *only)
{
	for (size_t i = 0; i < b->n_interfaces; i++)
		if ((only == NULL || only == &b->interfaces[i]) && in_network(&b->interfaces[i], via))
			return true;
	for (size_t i = 0; i < b->n_betweens; i++)
		if ((only == NULL || only->between == &b->betweens[i]) && in_network(&b->betweens[i].shared, via))
			return true;
	return false;
}

/* Whether the route belongs in this interface's namespace (data or admin). A route belongs in the
 * namespace of the first interface whose networks contain its gateway. */
static bool beside_gateway(const struct model_box *b, const struct model_route *r, const struct model_interface *f)
{
	const struct model_interface *side = gateway_side(b, r);

	return side != NULL && side->admin == f->admin;
}

/* The interface of the box whose network is the route's destination; NULL: none. */
static const struct model_interface *connected(const struct model_box *b, const struct model_route *r)
{
	for (size_t i = 0; i < b->n_interfaces; i++)
		for (size_t j = 0; j < b->interfaces[i].n_addresses; j++) {
			struct addr_range net;

			interface_network(&b->interfaces[i], j, &net);
			if (addr_cmp(&net.lo, &r->to.lo) == 0 && addr_cmp(&net.hi, &r->to.hi) == 0 &&
			    beside_gateway(b, r, &b->interfaces[i]))
				return &b->interfaces[i];
		}
	return NULL;
}

/* The destination must be a whole network and not one of the box's own: that route exists already
 * and would be replaced. */
static void route_destination(struct check *k, const struct ast_node *node, const struct model_route *r,
			      struct object o)
{
	const struct model_interface *f = connected(&k->m->box, r);
	unsigned length;

	if (!addr_range_is_prefix(&r->to, &length)) {
		check_hinted(k, SEV_ERROR, "policy.route", node, MP_ROUTE_NO_PREFIX, o, node->string,
			     MP_HINT_ROUTE_NO_PREFIX);
	} else if (f != NULL) {
		check_say(k, SEV_ERROR, "policy.route", node->value_at, node->value_width, MP_ROUTE_CONNECTED, o,
			  node->string, f->name)
			->also = f->at;
	}
}

static void one_route(struct check *k, const struct ast_node *node, struct model_route *r, size_t nth)
{
	struct object o = { MP_OBJ_ROUTE, arena_printf(k->a, "%zu", nth) };
	const struct ast_node *v[KEYS(route_keys)];
	bool to = false, via = false;

	*r = (struct model_route){ .at = node->at };
	if (!keys_read(k, node, route_keys, KEYS(route_keys), o, r, v))
		return;
	if (v[ROUTE_TO] != NULL)
		to = address_of(k, v[ROUTE_TO], o, &r->to);
	if (v[ROUTE_VIA] != NULL) {
		via = addr_parse(v[ROUTE_VIA]->string, &r->via);
		if (!via)
			check_value(k, SEV_ERROR, "policy.address", v[ROUTE_VIA], MP_VIA_BAD, o, v[ROUTE_VIA]->string);
	}
	if (v[ROUTE_INTERFACE] != NULL)
		r->interface =
			names_need(k, &k->interfaces, v[ROUTE_INTERFACE], MP_NO_INTERFACE, "policy.unknown_name", o);
	if (to && via && r->to.lo.family != r->via.family)
		check_value(k, SEV_ERROR, "policy.address", v[ROUTE_VIA], MP_VIA_FAMILY, o, v[ROUTE_VIA]->string);
	else if (via && !reachable(&k->m->box, &r->via, r->interface))
		check_value(k, SEV_ERROR, "policy.route", v[ROUTE_VIA], MP_VIA_UNREACHABLE, o, v[ROUTE_VIA]->string);
	else if (via && v[ROUTE_INTERFACE] == NULL && is_of_a_link(&r->via))
		check_hinted(k, SEV_ERROR, "policy.route", v[ROUTE_VIA], MP_VIA_LINK, o, v[ROUTE_VIA]->string,
			     MP_HINT_VIA_LINK);
	else if (via && is_nobody(&k->m->box, &r->via, r->interface))
		check_value(k, SEV_ERROR, "policy.route", v[ROUTE_VIA], MP_VIA_NOBODY, o, v[ROUTE_VIA]->string);
	if (to)
		route_destination(k, v[ROUTE_TO], r, o);
}

void check_box(struct check *k, const struct ast_node *root)
{
	struct object o = { MP_OBJ_BOX, "" }, routes = { MP_OBJ_SECTION, "routes" };
	struct model_box *b = &k->m->box;
	const struct ast_node *v[KEYS(box_keys)], *list;

	if (!keys_read(k, root, box_keys, KEYS(box_keys), o, b, v))
		return;
	if (v[BOX_VERSION] != NULL && v[BOX_VERSION]->number != 1)
		check_value(k, SEV_ERROR, "policy.version", v[BOX_VERSION], MP_VERSION, o, "");
	list = v[BOX_INTERFACES];
	if (!check_fits(k, list, INTERFACES_MAX, o))
		return;
	b->interfaces = arena_array(k->a, list != NULL ? list->n : 0, sizeof(b->interfaces[0]));
	for (const struct ast_node *c = list != NULL ? list->child : NULL; b->interfaces != NULL && c != NULL;
	     c = c->next)
		one_interface(k, c, &b->interfaces[b->n_interfaces++]);
	index_interfaces(k);
	report_same_devices(k);
	check_vlans(k);
	check_betweens(k, v[BOX_BETWEEN]);
	list = v[BOX_ROUTES];
	if (!check_fits(k, list, ROUTES_MAX, o))
		return;
	b->routes = arena_array(k->a, list != NULL ? list->n : 0, sizeof(b->routes[0]));
	for (const struct ast_node *c = NULL;
	     b->routes != NULL && (c = list_next(k, list, c, AST_GROUP, routes)) != NULL; b->n_routes++)
		one_route(k, c, &b->routes[b->n_routes], b->n_routes + 1);
	check_peers(k, v + BOX_TIME);
}

static int by_name(const void *pa, const void *pb)
{
	const struct ast_node *a = *(const struct ast_node *const *)pa, *b = *(const struct ast_node *const *)pb;

	return strcmp(a->string, b->string);
}

/* All strings in the zones' `interfaces`. */
static size_t named_interfaces(const struct ast_node *zones, const struct ast_node **ret)
{
	size_t n = 0;

	for (const struct ast_node *z = zones != NULL ? zones->child : NULL; z != NULL; z = z->next) {
		for (const struct ast_node *v = z->kind == AST_GROUP ? z->child : NULL; v != NULL; v = v->next) {
			if (strcmp(v->name, "interfaces") != 0 || (v->kind & AST_LISTS) == 0)
				continue;
			for (const struct ast_node *e = v->child; e != NULL; e = e->next) {
				if (e->kind != AST_STRING)
					continue;
				if (ret != NULL)
					ret[n] = e;
				n++;
			}
		}
	}
	return n;
}

void check_box_default(struct check *k, const struct ast_node *zones)
{
	struct model_box *b = &k->m->box;
	size_t n = named_interfaces(zones, NULL);
	const struct ast_node **all = arena_array(k->a, n, sizeof(void *));

	if (all == NULL)
		return;
	named_interfaces(zones, all);
	qsort(all, n, sizeof(void *), by_name);
	b->interfaces = arena_array(k->a, n, sizeof(b->interfaces[0]));
	for (size_t i = 0; b->interfaces != NULL && i < n; i++) {
		if (i > 0 && strcmp(all[i - 1]->string, all[i]->string) == 0)
			continue;
		device_check(k, all[i]->string, all[i]->value_at, all[i]->value_width);
		b->interfaces[b->n_interfaces++] = (struct model_interface){
			.name = all[i]->string, .device = all[i]->string, .card = "", .at = all[i]->value_at
		};
	}
	index_interfaces(k);
}
