/* SPDX-License-Identifier: Apache-2.0 */
/* never, always and chain_break: what must stay impossible or possible, and from which assets
 * nobody continues. */
#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/names.h"
#include "policy/check/ranges.h"
#include "policy/check/say.h"
#include "policy/check/written.h"

/* Reads a list of assets. Returns their zone. There is only one, because expansion has made one
 * statement for each zone. */
static const struct model_zone *hosts_read(struct check *k, const struct ast_node *list, struct object o,
					   struct model_hosts *ret)
{
	const struct model_zone *zone = NULL;
	struct ranges all = { 0 };

	ret->assets = arena_array(k->a, list->n, sizeof(void *));
	for (const struct ast_node *c = NULL;
	     ret->assets != NULL && (c = list_next(k, list, c, AST_STRING, o)) != NULL;) {
		const struct model_asset *a = names_need(k, &k->assets, c, MP_NO_ASSET, "policy.unknown_name", o);

		if (a == NULL)
			continue;
		zone = a->zone;
		ret->assets[ret->n_assets++] = a;
		for (size_t i = 0; i < a->n_ranges; i++)
			ranges_add(k, &all, &a->ranges[i]);
	}
	ranges_merge(&all);
	ret->ranges = all.list;
	ret->n = all.n;
	return zone;
}

/* One end of a statement, given by zone (keys[0]) or by assets (keys[2]). */
static const struct model_zone *end_read(struct check *k, const struct ast_node *group, const struct ast_node *zone,
					 const struct ast_node *assets, const struct key *keys, struct object o,
					 struct model_hosts *ret)
{
	if (zone != NULL && assets != NULL)
		check_value(k, SEV_ERROR, "policy.both", assets, MP_END_BOTH, o, zone->name);
	else if (assets != NULL)
		return hosts_read(k, assets, o, ret);
	else if (zone != NULL)
		return names_need(k, &k->zones, zone, MP_NO_ZONE, "policy.unknown_name", o);
	else if (node_member(group, keys[0].name) == NULL && node_member(group, keys[2].name) == NULL)
		/* otherwise its kind is wrong, and that was reported */
		key_missing(k, group, keys, o);
	return NULL;
}

/* Services over which a host only answers or receives messages: they do not let one host act
 * through another. A service that may pass other bytes (`tunnel`, or `undecided_bytes`, which pass
 * before its protocol is recognised) is not one of them. */
static bool only_answers(const struct model_service *s)
{
	static const enum protocol of[] = {
		PROTO_DNS, PROTO_NTP, PROTO_SYSLOG, PROTO_LDAP, PROTO_KERBEROS, PROTO_ICMP
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		if (s->protocol == of[i])
			return !s->tunnel && s->undecided_bytes == 0;
	return false;
}

static void never_answers(struct check *k, const struct ast_node *list, struct model_never *never, struct object o)
{
	struct diag *g;

	if (list == NULL)
		return;
	check_not_empty(k, list, o, NO_HINT);
	if (!never->chain)
		check_value(k, SEV_WARNING, "policy.no_effect", list, MP_ANSWERS_DIRECT, o, list->name);
	never->answers = arena_array(k->a, list->n, sizeof(void *));
	for (const struct ast_node *e = NULL;
	     never->answers != NULL && (e = list_next(k, list, e, AST_STRING, o)) != NULL;) {
		const struct model_service *s = names_need(k, &k->services, e, MP_NO_SERVICE, "policy.unknown_name", o);

		if (s == NULL || s->protocol == PROTO_NONE)
			continue;
		if (only_answers(s)) {
			never->answers[never->n_answers++] = s;
			continue;
		}
		g = check_value(k, SEV_ERROR, "policy.answer_only", e, s->tunnel ? MP_ANSWERS_TUNNEL : MP_ANSWERS_MORE,
				o, e->string);
		g->also = s->at;
	}
}

void check_nevers(struct check *k, const struct ast_node *node)
{
	struct object section = { MP_OBJ_SECTION, "never" };
	struct model *m = k->m;

	m->nevers = arena_array(k->a, node != NULL ? node->n : 0, sizeof(m->nevers[0]));
	for (const struct ast_node *c = NULL;
	     m->nevers != NULL && (c = list_next(k, node, c, AST_GROUP, section)) != NULL;) {
		struct model_never *one = &m->nevers[m->n_nevers++];
		struct object o = { MP_OBJ_NEVER, NULL };
		const struct ast_node *v[KEYS(never_keys)];

		o.name = arena_printf(k->a, "%u", (unsigned)c->number);
		*one = (struct model_never){ .classes = CLASS_ALL, .all_commands = true, .label = "", .at = c->at };
		if (!keys_read(k, c, never_keys, KEYS(never_keys), o, one, v))
			continue;
		one->from =
			end_read(k, c, v[NEVER_FROM], v[NEVER_FROM_ASSETS], &never_keys[NEVER_FROM], o, &one->sources);
		one->to = end_read(k, c, v[NEVER_TO], v[NEVER_TO_ASSETS], &never_keys[NEVER_TO], o, &one->destinations);
		if (one->chain && one->from != NULL && one->sources.n > 0) {
			check_value(k, SEV_WARNING, "policy.no_effect", v[NEVER_FROM_ASSETS], MP_FROM_ASSETS_CHAIN, o,
				    one->from->name);
			one->sources.n = 0;
		}
		never_answers(k, v[NEVER_ANSWERS], one, o);
		if (v[NEVER_COMMANDS] == NULL)
			continue;
		one->all_commands = false;
		one->classes = classes_of(k, v[NEVER_COMMANDS], NULL, o);
	}
}

void check_always(struct check *k, const struct ast_node *node)
{
	struct object section = { MP_OBJ_SECTION, "always" };
	struct model *m = k->m;

	m->always = arena_array(k->a, node != NULL ? node->n : 0, sizeof(m->always[0]));
	for (const struct ast_node *c = NULL;
	     m->always != NULL && (c = list_next(k, node, c, AST_GROUP, section)) != NULL;) {
		struct model_always *one = &m->always[m->n_always++];
		struct object o = { MP_OBJ_ALWAYS, arena_printf(k->a, "%u", (unsigned)c->number) };
		const struct ast_node *v[KEYS(always_keys)];

		*one = (struct model_always){ .purpose = "", .at = c->at };
		if (!keys_read(k, c, always_keys, KEYS(always_keys), o, one, v))
			continue;
		one->from = end_read(k, c, v[ALWAYS_FROM], v[ALWAYS_FROM_ASSETS], &always_keys[ALWAYS_FROM], o,
				     &one->sources);
		one->to = end_read(k, c, v[ALWAYS_TO], v[ALWAYS_TO_ASSETS], &always_keys[ALWAYS_TO], o,
				   &one->destinations);
		one->from = check_not_self(k, v[ALWAYS_FROM], one->from, o);
		one->to = check_not_self(k, v[ALWAYS_TO], one->to, o);
		if (v[ALWAYS_SERVICES] != NULL)
			one->n_services = check_services_named(k, v[ALWAYS_SERVICES], o, &one->services);
	}
}

void check_breaks(struct check *k, const struct ast_node *node)
{
	struct object section = { MP_OBJ_SECTION, "chain_break" };
	struct model *m = k->m;

	m->breaks = arena_array(k->a, node != NULL ? node->n : 0, sizeof(m->breaks[0]));
	for (const struct ast_node *c = NULL;
	     m->breaks != NULL && (c = list_next(k, node, c, AST_GROUP, section)) != NULL;) {
		struct model_chain_break *one = &m->breaks[m->n_breaks++];
		struct object o = { MP_OBJ_BREAK, arena_printf(k->a, "%zu", m->n_breaks) };
		const struct ast_node *v[KEYS(break_keys)];

		*one = (struct model_chain_break){ .reason = "", .at = c->at };
		if (!keys_read(k, c, break_keys, KEYS(break_keys), o, one, v))
			continue;
		if (v[BREAK_ASSET] != NULL)
			one->asset = names_need(k, &k->assets, v[BREAK_ASSET], MP_NO_ASSET, "policy.unknown_name", o);
	}
}
