/* SPDX-License-Identifier: Apache-2.0 */
/* Expands what is written once for many: conduits and statements between several zones, members of
 * a fleet, defaults. */
#include "policy/check/written.h"
#include "policy/check/keys.h"

#include <string.h>

static const char *text_in(const struct ast_node *group, const char *name)
{
	const struct ast_node *c = group != NULL ? node_member(group, name) : NULL;

	return c != NULL && c->kind == AST_STRING ? c->string : "";
}

static const char *label_of_thing(const struct check *k, const struct names *t, size_t i)
{
	return text_in(((const struct thing *)t->objects[i])->node, "label");
}

/* Adds a hint for a word that names nothing of this kind. */
static bool hint_thing(struct written *w, struct diag *g, enum kind kind, const char *word)
{
	return names_hint(w->k, &w->things[kind], g, word, label_of_thing);
}

/* ---- zones at an end ------------------------------------------------------------------------- */

/* `from` or `to`. */
struct side {
	const struct ast_node *node; /* NULL when absent */
	/* a list or a group: the zones' names go into the conduit's name */
	bool several;
	struct words zones;
};

static struct side side_of(struct written *w, const struct ast_node *group, const char *key, struct object o)
{
	struct side s = { .node = node_member(group, key) };
	const struct ast_node *first, *list;
	struct words of;

	if (s.node == NULL || (s.node->kind & (AST_STRING | AST_LISTS)) == 0)
		return s;
	list = s.node->kind == AST_STRING ? NULL : s.node;
	if (list == NULL && names_find(&w->groups, s.node->string) == NULL)
		return s;
	s.several = true;
	check_not_empty(w->k, list, o, NO_HINT);
	words_begin(w, &s.zones);
	first = list != NULL ? list_next(w->k, list, NULL, AST_STRING, o) : s.node;
	for (const struct ast_node *c = first; c != NULL;
	     c = list != NULL ? list_next(w->k, list, c, AST_STRING, o) : NULL) {
		if (!group_words(w, c, KIND_ZONE, o, &of)) {
			if (names_find(&w->things[KIND_ZONE], c->string) == NULL && strcmp(c->string, "self") != 0)
				(void)hint_thing(w,
						 check_value(w->k, SEV_ERROR, "policy.unknown_name", c, MP_NO_ZONE, o,
							     c->string),
						 KIND_ZONE, c->string);
			else
				words_add(w, KIND_ZONE, c->string, &s.zones);
		}
		for (size_t i = 0; i < of.n; i++)
			words_add(w, KIND_ZONE, of.list[i], &s.zones);
	}
	return s;
}

/* How many times this side expands the object. */
static size_t side_n(const struct side *s)
{
	return s->several ? s->zones.n : 1;
}

/* ---- hosts at an end ------------------------------------------------------------------------- */

/* A word of `sources` or `destinations`, with groups dissolved. */
struct host {
	const struct ast_node *at;
	const char *name; /* NULL: the element is no text and is used unchanged */
	const char *zone; /* zone of the asset; NULL: not an asset */
	bool own;	  /* ".plc": the member of each machine */
};

struct hosts {
	const struct ast_node *list; /* NULL when absent */
	struct host *all;
	size_t n, room;
};

static void add_host(struct written *w, struct hosts *h, const struct ast_node *at, const char *name,
		     const struct fleet *own)
{
	const struct thing *t = name != NULL ? names_find(&w->things[KIND_ASSET], name) : NULL;
	struct host *slot = arena_grow(w->k->a, (void **)&h->all, &h->n, &h->room, sizeof(*slot));

	if (slot != NULL)
		*slot = (struct host){ at, name,
				       own != NULL ? own->zone
				       : t != NULL ? text_in(t->node, "zone")
						   : NULL,
				       own != NULL };
}

/* Checks a word such as ".plc": the fleet of `each` must have that member. */
static void check_own(struct written *w, const struct ast_node *word, const struct fleet *each, struct object o)
{
	struct diag *g;

	if (each == NULL) {
		check_hinted(w->k, SEV_ERROR, "policy.unknown_name", word, MP_OWN_ALONE, o, word->string,
			     MP_HINT_OWN_ALONE);
		return;
	}
	for (const struct ast_node *m = each->members != NULL ? each->members->child : NULL; m != NULL; m = m->next)
		if (m->kind == AST_STRING && strcmp(m->string, word->string + 1) == 0)
			return;
	g = check_value(w->k, SEV_ERROR, "policy.unknown_name", word, MP_EACH_NO_MEMBER, o, word->string + 1);
	g->also = each->node->at;
}

/* The hosts that `key` lists for one side. If that side `s` has several zones, the zone of each
 * host must be known. */
static struct hosts hosts_of(struct written *w, const struct ast_node *group, const char *key, const struct side *s,
			     const struct fleet *each, struct object o)
{
	struct hosts h = { .list = node_member(group, key) };
	struct words of;

	if (h.list != NULL && (h.list->kind & AST_LISTS) == 0)
		h.list = NULL;
	for (const struct ast_node *c = h.list != NULL ? h.list->child : NULL; c != NULL; c = c->next) {
		struct diag *g;

		if (c->kind != AST_STRING) {
			add_host(w, &h, c, NULL, NULL);
			continue;
		}
		if (group_words(w, c, KIND_ASSET, o, &of)) {
			for (size_t i = 0; i < of.n; i++)
				add_host(w, &h, c, of.list[i], NULL);
			continue;
		}
		if (c->string[0] == '.') {
			check_own(w, c, each, o);
			add_host(w, &h, c, c->string, each);
			continue;
		}
		add_host(w, &h, c, c->string, NULL);
		if (!s->several || h.n == 0 || h.all[h.n - 1].zone != NULL)
			continue;
		g = check_value(w->k, SEV_ERROR, "policy.unknown_name", c, MP_SEVERAL_ADDRESS, o, c->string);
		(void)hint_thing(w, g, KIND_ASSET, c->string);
	}
	return h;
}

/* The hosts in this zone (NULL: all) as a list; NULL when there are none. A member such as ".plc"
 * becomes that of `machine`, if the machine has it. */
static struct ast_node *hosts_in(struct written *w, const struct hosts *h, const char *zone,
				 const struct machine *machine)
{
	struct ast_node *list = node_empty(w, h->list), *last = NULL;

	if (list == NULL)
		return NULL;
	for (size_t i = 0; i < h->n; i++) {
		const struct host *one = &h->all[i];
		const char *name = one->own && machine != NULL ? arena_printf(w->k->a, "%s%s", machine->name, one->name)
							       : one->name;

		if (one->own && (name == NULL || names_find(&w->things[KIND_ASSET], name) == NULL))
			continue;
		if (one->name == NULL)
			node_append(list, &last, node_like(w, one->at));
		else if (zone == NULL || (one->zone != NULL && strcmp(one->zone, zone) == 0))
			node_append(list, &last, node_text(w, one->at, NULL, name));
	}
	return list->n > 0 || h->list->n == 0 ? list : NULL;
}

/* ---- conduits -------------------------------------------------------------------------------- */

struct conduit {
	const struct ast_node *node;
	struct object o;
	struct side from, to;
	struct hosts sources, destinations;
	const struct ast_node *each;	 /* the setting `each`, or NULL */
	const struct fleet *fleet;	 /* the fleet of `each` */
	const struct ast_node *services; /* groups dissolved; NULL: unchanged */
};

/* The services with groups dissolved; NULL: there are no groups. */
static const struct ast_node *services_of(struct written *w, const struct ast_node *group, const char *key,
					  struct object o)
{
	const struct ast_node *list = node_member(group, key);
	struct ast_node *ret, *last = NULL;
	struct words of, all;
	bool any = false;

	for (const struct ast_node *c = list != NULL && (list->kind & AST_LISTS) != 0 ? list->child : NULL; c != NULL;
	     c = c->next)
		any |= c->kind == AST_STRING && names_find(&w->groups, c->string) != NULL;
	ret = any ? node_empty(w, list) : NULL;
	if (ret == NULL)
		return NULL;
	words_begin(w, &all);
	for (const struct ast_node *c = list->child; c != NULL; c = c->next) {
		if (c->kind != AST_STRING || !group_words(w, c, KIND_SERVICE, o, &of)) {
			node_append(ret, &last, node_like(w, c));
			continue;
		}
		for (size_t i = 0; i < of.n; i++) {
			size_t n = all.n;

			words_add(w, KIND_SERVICE, of.list[i], &all);
			if (all.n > n)
				node_append(ret, &last, node_text(w, c, NULL, of.list[i]));
		}
	}
	return ret;
}

/* One expansion of a conduit. */
struct instance {
	const struct machine *machine; /* NULL: not for a fleet */
	const char *from, *to;	       /* one zone each; NULL: unchanged */
	struct ast_node *sources, *destinations;
};

/* The name of an expansion: "basics", "basics/office", "basics/office/tos", "read/rtg07". */
static const char *name_of_instance(struct written *w, const char *name, const struct instance *i)
{
	const char *parts[] = { i->machine != NULL ? i->machine->name : NULL, i->from, i->to };

	for (size_t n = 0; n < sizeof(parts) / sizeof(parts[0]) && name != NULL; n++)
		if (parts[n] != NULL)
			name = arena_printf(w->k->a, "%s/%s", name, parts[n]);
	return name != NULL ? name : "";
}

static const char *label_of_zone(const struct written *w, const char *zone)
{
	const struct thing *t = zone != NULL ? names_find(&w->things[KIND_ZONE], zone) : NULL;

	return t != NULL ? text_in(t->node, "label") : "";
}

/* The conduit's label or name, followed by the labels of what was expanded. NULL: nothing is
 * added. */
static const char *label_of_instance(struct written *w, const struct ast_node *node, const struct instance *i)
{
	const char *parts[] = { i->machine != NULL ? i->machine->label : "", label_of_zone(w, i->from),
				label_of_zone(w, i->to) };
	const char *own = text_in(node, "label"), *label;
	bool any = false;

	label = own[0] != '\0' ? own : text_in(node, "name");
	for (size_t n = 0; n < sizeof(parts) / sizeof(parts[0]) && label != NULL; n++) {
		if (parts[n][0] == '\0')
			continue;
		label = arena_printf(w->k->a, "%s / %s", label, parts[n]);
		any = true;
	}
	return any ? label : NULL;
}

/* The expansion's value for a setting of the conduit; NULL: left out. */
static struct ast_node *setting_of(struct written *w, const struct conduit *c, const struct ast_node *set,
				   const struct instance *i, const char *label)
{
	if (strcmp(set->name, "name") == 0 && set->kind == AST_STRING)
		return node_text(w, set, set->name, name_of_instance(w, set->string, i));
	if (set == c->each)
		return NULL;
	if (set == c->from.node && i->from != NULL)
		return node_text(w, set, set->name, i->from);
	if (set == c->to.node && i->to != NULL)
		return node_text(w, set, set->name, i->to);
	if (set == c->sources.list)
		return i->sources;
	if (set == c->destinations.list)
		return i->destinations;
	if (c->services != NULL && strcmp(set->name, "services") == 0)
		return node_like(w, c->services);
	if (label != NULL && strcmp(set->name, "label") == 0 && set->kind == AST_STRING)
		return node_text(w, set, set->name, label);
	return node_like(w, set);
}

static void write_instance(struct written *w, const struct conduit *c, const struct instance *i,
			   const struct ast_node *defaults, struct ast_node *list, struct ast_node **last_conduit)
{
	struct ast_node *one = node_empty(w, c->node), *last = NULL;
	const char *label = label_of_instance(w, c->node, i);

	if (one == NULL)
		return;
	for (const struct ast_node *set = c->node->child; set != NULL; set = set->next)
		node_append(one, &last, setting_of(w, c, set, i, label));
	if (label != NULL && node_member(c->node, "label") == NULL)
		node_append(one, &last, node_text(w, c->node, "label", label));
	for (const struct ast_node *set = defaults != NULL ? defaults->child : NULL; set != NULL; set = set->next)
		if (node_member(c->node, set->name) == NULL)
			node_append(one, &last, node_like(w, set));
	node_append(list, last_conduit, one);
}

/* With several zones, checks that each has one of the named hosts. */
static bool hosts_everywhere(struct written *w, const struct conduit *c, const struct hosts *h, const struct side *s)
{
	bool good = true;

	for (size_t z = 0; z < s->zones.n && h->list != NULL; z++) {
		bool found = false;

		for (size_t i = 0; i < h->n && !found; i++)
			found = h->all[i].zone == NULL || strcmp(h->all[i].zone, s->zones.list[z]) == 0;
		if (found)
			continue;
		check_say(w->k, SEV_ERROR, "policy.outside_zone", h->list->value_at, h->list->value_width,
			  MP_SEVERAL_NONE, c->o, h->list->name, s->zones.list[z]);
		good = false;
	}
	return good;
}

/* The fleet that `each` names. */
static const struct fleet *fleet_of(struct written *w, const struct ast_node *each, struct object o)
{
	const struct fleet *f = each != NULL ? names_find(&w->fleets, each->string) : NULL;

	if (each != NULL && f == NULL)
		check_near(w->k,
			   check_value(w->k, SEV_ERROR, "policy.unknown_name", each, MP_EACH_NO_FLEET, o, each->string),
			   each->string, w->fleets.names, w->fleets.n);
	return f;
}

static bool has_own(const struct hosts *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->all[i].own)
			return true;
	return false;
}

/* False: the machine has none of the hosts of an end. */
static bool write_machine(struct written *w, const struct conduit *c, const struct machine *machine,
			  const struct ast_node *defaults, struct ast_node *list, struct ast_node **last)
{
	bool some = false;

	for (size_t a = 0; a < side_n(&c->from) && !w->full; a++) {
		for (size_t b = 0; b < side_n(&c->to) && !w->full; b++) {
			struct instance i = { .machine = machine,
					      .from = c->from.several ? c->from.zones.list[a] : NULL,
					      .to = c->to.several ? c->to.zones.list[b] : NULL };

			i.sources = c->sources.list != NULL ? hosts_in(w, &c->sources, i.from, machine) : NULL;
			i.destinations =
				c->destinations.list != NULL ? hosts_in(w, &c->destinations, i.to, machine) : NULL;
			if ((c->sources.list != NULL && i.sources == NULL) ||
			    (c->destinations.list != NULL && i.destinations == NULL))
				continue;
			write_instance(w, c, &i, defaults, list, last);
			some = true;
		}
	}
	return some;
}

static bool is_own_or_group(const struct written *w, const struct ast_node *word)
{
	return word->kind == AST_STRING && (word->string[0] == '.' || names_find(&w->groups, word->string) != NULL);
}

/* Whether the conduit is written out already: one zone at each end, no group and no fleet. */
static bool is_written(const struct written *w, const struct ast_node *node)
{
	static const char *const lists[] = { "sources", "destinations", "services" };

	for (const struct ast_node *set = node->child; set != NULL; set = set->next) {
		bool end = strcmp(set->name, "from") == 0 || strcmp(set->name, "to") == 0, list = false;

		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && (set->kind & AST_LISTS) != 0; i++)
			list = list || strcmp(set->name, lists[i]) == 0;
		if (strcmp(set->name, "each") == 0 || (end && (set->kind != AST_STRING || is_own_or_group(w, set))))
			return false;
		for (const struct ast_node *c = list ? set->child : NULL; c != NULL; c = c->next)
			if (is_own_or_group(w, c))
				return false;
	}
	return true;
}

static void write_conduit(struct written *w, const struct ast_node *node, const struct ast_node *defaults,
			  struct ast_node *list, struct ast_node **last)
{
	const char *name = text_in(node, "name");
	struct conduit c = { .node = node, .o = { MP_OBJ_CONDUIT, name } };
	size_t errors = w->k->d->errors;
	bool some = false;

	w->from = node->at;
	if (node->kind != AST_GROUP || (defaults == NULL && is_written(w, node))) {
		/* The copy shares the settings. */
		node_append(list, last, node_like(w, node));
		w->nodes += node->n;
		return;
	}
	c.each = node_member(node, "each");
	if (c.each != NULL && c.each->kind != AST_STRING)
		c.each = NULL; /* refused later, like any other wrong kind */
	c.fleet = fleet_of(w, c.each, c.o);
	if (c.each != NULL && c.fleet == NULL)
		return;
	c.from = side_of(w, node, "from", c.o);
	c.to = side_of(w, node, "to", c.o);
	c.sources = hosts_of(w, node, "sources", &c.from, c.fleet, c.o);
	c.destinations = hosts_of(w, node, "destinations", &c.to, c.fleet, c.o);
	c.services = services_of(w, node, "services", c.o);
	if (c.fleet != NULL && !has_own(&c.sources) && !has_own(&c.destinations) && c.fleet->members != NULL &&
	    c.fleet->members->child != NULL && c.fleet->members->child->kind == AST_STRING)
		check_value(w->k, SEV_ERROR, "policy.each", c.each, MP_EACH_ALIKE, c.o,
			    c.fleet->members->child->string);
	if (w->k->d->errors > errors || !hosts_everywhere(w, &c, &c.sources, &c.from) ||
	    !hosts_everywhere(w, &c, &c.destinations, &c.to))
		return; /* further errors would only follow from this one */
	for (size_t m = 0; m < (c.fleet != NULL ? c.fleet->n : 1); m++)
		some |= write_machine(w, &c, c.fleet != NULL ? &c.fleet->machines[m] : NULL, defaults, list, last);
	if (!some && c.fleet != NULL && c.fleet->n > 0 && !w->full)
		check_value(w->k, SEV_ERROR, "policy.each", c.each, MP_EACH_NOBODY, c.o, "");
}

/* ---- statements ------------------------------------------------------------------------------ */

/* An end of a statement: zones, or assets, which are expanded into one statement for each zone. */
struct end {
	struct side side;
	struct hosts hosts; /* if `hosts` has no list, the end names zones */
};

static void add_asset(struct written *w, const struct ast_node *word, const char *name, struct words *seen,
		      struct hosts *h)
{
	size_t n = seen->n;

	words_add(w, KIND_ASSET, name, seen);
	if (seen->n > n)
		add_host(w, h, word, name, NULL);
}

static struct end end_of(struct written *w, const struct ast_node *node, const char *zones, const char *assets,
			 struct object o)
{
	const struct ast_node *list = node_member(node, assets);
	struct end e = { .side = side_of(w, node, zones, o) };
	struct words of, seen;

	if (list == NULL || (list->kind & AST_LISTS) == 0 || e.side.node != NULL)
		/* it names both zones and assets, or has a wrong kind: refused later, when the
		 * statement is read */
		return e;
	check_not_empty(w->k, list, o, NO_HINT);
	e.hosts.list = list;
	e.side.several = true;
	words_begin(w, &seen);
	for (const struct ast_node *c = NULL; (c = list_next(w->k, list, c, AST_STRING, o)) != NULL;) {
		const struct names *known = &w->things[KIND_ASSET];

		if (group_words(w, c, KIND_ASSET, o, &of)) {
			for (size_t i = 0; i < of.n; i++)
				add_asset(w, c, of.list[i], &seen, &e.hosts);
			continue;
		}
		if (names_find(known, c->string) != NULL)
			add_asset(w, c, c->string, &seen, &e.hosts);
		else
			(void)hint_thing(
				w, check_value(w->k, SEV_ERROR, "policy.unknown_name", c, MP_NO_ASSET, o, c->string),
				KIND_ASSET, c->string);
	}
	words_begin(w, &e.side.zones);
	for (size_t i = 0; i < e.hosts.n; i++)
		words_add(w, KIND_ZONE, e.hosts.all[i].zone, &e.side.zones);
	return e;
}

/* The value for this end in the statement of its n-th zone; NULL: not a setting of this end. */
static struct ast_node *end_setting(struct written *w, const struct end *e, const struct ast_node *set, size_t n)
{
	if (!e->side.several || (set != e->side.node && set != e->hosts.list))
		return NULL;
	return set == e->hosts.list ? hosts_in(w, &e->hosts, e->side.zones.list[n], NULL)
				    : node_text(w, set, set->name, e->side.zones.list[n]);
}

/* `noun`: the kind of statement for messages; `services_key`: its key of services. */
static void write_statement(struct written *w, const struct ast_node *node, unsigned nth, enum message noun,
			    const char *services_key, struct ast_node *list, struct ast_node **last)
{
	struct object o = { noun, arena_printf(w->k->a, "%u", nth) };
	size_t errors = w->k->d->errors;
	struct end from = end_of(w, node, "from", "from_assets", o), to = end_of(w, node, "to", "to_assets", o);
	const struct ast_node *services = services_of(w, node, services_key, o);

	w->from = node->at;
	if (node->kind != AST_GROUP) {
		node_append(list, last, node_like(w, node));
		return;
	}
	if ((from.hosts.list != NULL || to.hosts.list != NULL) && w->k->d->errors > errors)
		return;
	for (size_t a = 0; a < side_n(&from.side) && !w->full; a++) {
		for (size_t b = 0; b < side_n(&to.side) && !w->full; b++) {
			struct ast_node *one = node_empty(w, node), *end = NULL;

			if (one == NULL)
				return;
			one->number = nth;
			for (const struct ast_node *set = node->child; set != NULL; set = set->next) {
				struct ast_node *n = end_setting(w, &from, set, a);

				n = n != NULL ? n : end_setting(w, &to, set, b);
				if (n == NULL && services != NULL && strcmp(set->name, services_key) == 0)
					n = node_like(w, services);
				node_append(one, &end, n != NULL ? n : node_like(w, set));
			}
			node_append(list, last, one);
		}
	}
}

/* ---- the whole policy ------------------------------------------------------------------------ */

/* NULL when there are none, or none that are valid. */
static const struct ast_node *defaults_of(struct written *w, const struct ast_node *root)
{
	const struct ast_node *node = node_member(root, "defaults"), *v[KEYS(default_keys)];
	struct model_conduit unread;

	if (node == NULL || node->kind != AST_GROUP)
		return NULL;
	keys_read(w->k, node, default_keys, KEYS(default_keys), (struct object){ MP_OBJ_SECTION, "defaults" }, &unread,
		  v);
	return node;
}

/* Reports equal names from a table or a list; those in a group were compared when it was read. */
static void report_twice(struct written *w, const struct names *t)
{
	uint32_t line = 0;

	for (size_t i = 1; i < t->n; i++) {
		const struct thing *a = t->objects[i - 1], *b = t->objects[i], *later = a > b ? a : b;
		struct diag *g;

		if (strcmp(t->names[i - 1], t->names[i]) != 0 || later->node->at.line == line)
			continue;
		/* of a machine with a repeated name one member is reported */
		line = later->node->at.line;
		g = diag_add(w->k->d, SEV_ERROR, "policy.duplicate", later->node->at, MP_DUPLICATE, t->names[i]);
		g->width = later->node->width;
		g->also = (later == a ? b : a)->node->at;
	}
}

static void things_read(struct written *w, enum kind kind, const struct ast_node *section)
{
	struct names *t = &w->things[kind];
	struct thing *all;
	size_t n = 0;

	if (section == NULL || section->kind != AST_GROUP)
		return;
	w->sections[kind] = section;
	all = arena_array(w->k->a, section->n, sizeof(*all));
	if (!names_new(w->k, t, section->n) || all == NULL)
		return;
	for (const struct ast_node *c = section->child; c != NULL; c = c->next, n++) {
		all[n].node = c;
		names_put(t, c->name, &all[n]);
	}
	if (names_build(w->k, t))
		report_twice(w, t);
}

/* `list` holds conduits, never or always statements. */
static struct ast_node *write_list(struct written *w, const struct ast_node *list, const struct ast_node *defaults)
{
	struct ast_node *ret = node_empty(w, list), *last = NULL;
	unsigned nth = 0;

	for (const struct ast_node *c = list->child; c != NULL && ret != NULL; c = c->next) {
		if (strcmp(list->name, "conduits") == 0)
			write_conduit(w, c, defaults, ret, &last);
		else if (strcmp(list->name, "never") == 0)
			write_statement(w, c, ++nth, MP_OBJ_NEVER, "answer_only", ret, &last);
		else
			write_statement(w, c, ++nth, MP_OBJ_ALWAYS, "services", ret, &last);
	}
	return ret;
}

const struct ast_node *write_out(struct check *k, const struct ast_node *root)
{
	struct written w = { .k = k, .from = root->at };
	const struct ast_node *groups = node_member(root, "groups"), *fleets = node_member(root, "fleets"), *defaults;
	const struct ast_node *named = node_member(root, "assets"), none = { .kind = AST_GROUP, .name = "assets" };
	struct ast_node *ret = node_empty(&w, root), *last = NULL, *assets = NULL;

	things_read(&w, KIND_ZONE, node_member(root, "zones"));
	if (named != NULL || fleets != NULL)
		assets = assets_read(&w, named != NULL ? named : &none);
	if (assets != NULL)
		fleets_read(&w, fleets != NULL && fleets->kind == AST_GROUP ? fleets : NULL, assets);
	things_read(&w, KIND_ASSET, assets);
	things_read(&w, KIND_SERVICE, node_member(root, "services"));
	groups_read(&w, groups != NULL && groups->kind == AST_GROUP ? groups : NULL);
	defaults = defaults_of(&w, root);
	for (const struct ast_node *c = root->child; c != NULL && ret != NULL; c = c->next) {
		bool several = strcmp(c->name, "conduits") == 0 || strcmp(c->name, "never") == 0 ||
			       strcmp(c->name, "always") == 0;

		if (c == groups || c == fleets || strcmp(c->name, "defaults") == 0)
			continue;
		if (c == named && assets != NULL) {
			node_append(ret, &last, assets);
			continue;
		}
		if (several && c->kind == AST_LIST)
			node_append(ret, &last, write_list(&w, c, defaults));
		else if (strcmp(c->name, "isolations") == 0 && c->kind == AST_GROUP)
			node_append(ret, &last, isolations_write(&w, c));
		else
			node_append(ret, &last, node_like(&w, c));
	}
	if (ret != NULL && named == NULL)
		node_append(ret, &last, assets);
	return ret;
}
