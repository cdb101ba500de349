/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: one name for several services, assets or zones. A group may hold groups and patterns. */
#include <string.h>

#include "policy/check/keys.h"
#include "policy/check/written.h"

#define GROUPS_DEEP 16u /* nesting depth of groups */
#define ALL_KINDS ((1u << KINDS) - 1)

struct group {
	const struct ast_node *node;
	enum { UNREAD, OPEN, READ } state;
	unsigned deep;
	unsigned kinds; /* bits: the kinds that fit all its members */
	struct words of[KINDS];
};

void words_begin(struct written *w, struct words *list)
{
	*list = (struct words){ 0 };
	w->stamp++;
}

void words_add(struct written *w, enum kind kind, const char *name, struct words *list)
{
	struct thing *t = names_find(&w->things[kind], name);
	const char **slot;

	if (w->full || (t != NULL && t->stamp == w->stamp))
		return;
	if (t != NULL)
		t->stamp = w->stamp;
	slot = arena_grow(w->k->a, (void **)&list->list, &list->n, &list->room, sizeof(*slot));
	if (slot != NULL)
		*slot = name;
}

/* '*' matches any characters, or none. */
static bool matches(const char *pattern, const char *name)
{
	const char *star = NULL, *again = NULL;

	for (; *name != '\0'; name++) {
		if (*pattern == '*') {
			star = pattern++;
			again = name--;
		} else if (*pattern == *name) {
			pattern++;
		} else if (star != NULL) {
			pattern = star + 1;
			name = again++;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* "*" alone would match everything of every kind. */
static bool is_pattern(const char *word)
{
	return strchr(word, '*') != NULL && word[strspn(word, "*")] != '\0';
}

static void add_matching(struct written *w, const char *pattern, enum kind kind, struct words *list)
{
	const struct ast_node *section = w->sections[kind];

	for (const struct ast_node *c = section != NULL ? section->child : NULL; c != NULL; c = c->next)
		if (matches(pattern, c->name))
			words_add(w, kind, c->name, list);
}

static bool any_matches(const struct written *w, const char *pattern, enum kind kind)
{
	const struct ast_node *section = w->sections[kind];

	for (const struct ast_node *c = section != NULL ? section->child : NULL; c != NULL; c = c->next)
		if (matches(pattern, c->name))
			return true;
	return false;
}

static void member_unknown(struct written *w, const struct ast_node *word, struct object o)
{
	struct check *k = w->k;
	bool pattern = is_pattern(word->string);
	struct diag *g = check_value(k, SEV_ERROR, "policy.unknown_name", word,
				     pattern ? MP_GROUP_PATTERN : MP_GROUP_MEMBER, o, word->string);

	if (pattern || check_near(k, g, word->string, w->groups.names, w->groups.n))
		return;
	for (unsigned i = 0; i < KINDS; i++)
		if (check_near(k, g, word->string, w->things[i].names, w->things[i].n))
			return;
}

static void read_group(struct written *w, struct group *g, unsigned level);

/* The kinds that this member can be; 0 when an error was reported. */
static unsigned member_kinds(struct written *w, struct group *in, const struct ast_node *word, struct object o,
			     unsigned level)
{
	struct group *g = names_find(&w->groups, word->string);
	bool pattern = is_pattern(word->string);
	unsigned kinds = 0;
	struct diag *d;

	if (g != NULL && g->state == OPEN) {
		d = check_value(w->k, SEV_ERROR, "policy.group_loop", word, MP_GROUP_LOOP, o, word->string);
		d->also = g->node->at;
		return 0;
	}
	if (g != NULL) {
		read_group(w, g, level + 1);
		in->deep = g->deep >= in->deep ? g->deep + 1 : in->deep;
		if (level + in->deep <= GROUPS_DEEP)
			return g->kinds;
		d = check_value(w->k, SEV_ERROR, "policy.group_deep", word, MP_GROUP_DEEP, o, word->string);
		diag_hint(w->k->d, d, MP_HINT_GROUP_DEEP, GROUPS_DEEP);
		return 0;
	}
	for (unsigned i = 0; i < KINDS; i++)
		if (pattern ? any_matches(w, word->string, (enum kind)i)
			    : names_find(&w->things[i], word->string) != NULL)
			kinds |= 1u << i;
	if (kinds == 0)
		member_unknown(w, word, o);
	return kinds;
}

/* Narrows the group's kinds to those that fit every member. */
static void fit_kinds(struct written *w, struct group *in, const struct ast_node *word, struct object o, unsigned level)
{
	unsigned kinds = member_kinds(w, in, word, o, level);

	if (kinds == 0 || in->kinds == 0)
		return;
	if ((in->kinds & kinds) == 0) {
		check_hinted(w->k, SEV_ERROR, "policy.group_mixed", word, MP_GROUP_MIXED, o, word->string,
			     MP_HINT_GROUP_MIXED);
	}
	in->kinds &= kinds;
}

static void collect(struct written *w, struct group *in, enum kind kind, struct object o)
{
	struct words *list = &in->of[kind];

	words_begin(w, list);
	for (const struct ast_node *c = in->node->child; c != NULL; c = c->next) {
		const struct group *g = c->kind == AST_STRING ? names_find(&w->groups, c->string) : NULL;

		if (c->kind != AST_STRING)
			continue;
		if (g != NULL && g->state == READ)
			for (size_t i = 0; i < g->of[kind].n; i++)
				words_add(w, kind, g->of[kind].list[i], list);
		else if (is_pattern(c->string))
			add_matching(w, c->string, kind, list);
		else if (names_find(&w->things[kind], c->string) != NULL)
			words_add(w, kind, c->string, list);
	}
	w->nodes += list->n;
	if (w->nodes > WRITTEN_MAX && !w->full) {
		check_value(w->k, SEV_ERROR, "policy.too_large", in->node, MP_WRITTEN_MANY, o, "")->width =
			in->node->value_width;
		w->full = true;
	}
}

static void read_group(struct written *w, struct group *g, unsigned level)
{
	struct object o = { MP_OBJ_GROUP, g->node->name };

	if (g->state != UNREAD || level > GROUPS_DEEP)
		return;
	g->state = OPEN;
	g->kinds = ALL_KINDS;
	for (const struct ast_node *c = NULL; (c = list_next(w->k, g->node, c, AST_STRING, o)) != NULL;)
		fit_kinds(w, g, c, o, level);
	check_not_empty(w->k, g->node, o, NO_HINT);
	for (unsigned i = 0; i < KINDS; i++)
		if ((g->kinds & 1u << i) != 0)
			collect(w, g, (enum kind)i, o);
	g->state = READ;
}

/* Reports a group with the name of a zone, asset or service, because a name must have one
 * meaning. */
static bool name_is_free(struct written *w, const struct ast_node *node)
{
	for (unsigned i = 0; i < KINDS; i++) {
		const struct thing *t = names_find(&w->things[i], node->name);
		struct diag *g;

		if (t == NULL)
			continue;
		g = diag_add(w->k->d, SEV_ERROR, "policy.duplicate", node->at, MP_GROUP_TAKEN, node->name);
		g->width = node->width;
		g->also = t->node->at;
		return false;
	}
	return true;
}

/* Keeps the groups for questions by name; in the rest of the model they are expanded. */
static void keep_groups(struct check *k, const struct group *all, size_t n)
{
	k->m->groups = arena_array(k->a, n, sizeof(*k->m->groups));
	for (size_t i = 0; i < n && k->m->groups != NULL; i++) {
		const struct words *zones = &all[i].of[KIND_ZONE], *assets = &all[i].of[KIND_ASSET];

		k->m->groups[k->m->n_groups++] =
			(struct model_group){ all[i].node->name, zones->list, assets->list, zones->n, assets->n };
	}
}

void groups_read(struct written *w, const struct ast_node *node)
{
	struct check *k = w->k;
	size_t n = node != NULL ? node->n : 0;
	struct group *all = arena_array(k->a, n, sizeof(*all));
	struct object o = { MP_OBJ_SECTION, "groups" };

	if (!names_new(k, &w->groups, n) || all == NULL)
		return;
	n = 0;
	for (const struct ast_node *c = NULL; (c = list_next(k, node, c, AST_LISTS, o)) != NULL;) {
		name_check(k, c->name, c->at, c->width);
		if (!name_is_free(w, c))
			continue;
		all[n].node = c;
		names_put(&w->groups, c->name, &all[n++]);
	}
	if (!names_build(k, &w->groups))
		return;
	for (size_t i = 0; i < n; i++)
		read_group(w, &all[i], 1);
	keep_groups(k, all, n);
}

bool group_words(struct written *w, const struct ast_node *word, enum kind kind, struct object o, struct words *ret)
{
	static const enum message of[KINDS] = { MP_GROUP_NO_ZONES, MP_GROUP_NO_ASSETS, MP_GROUP_NO_SERVICES };
	const struct group *g = names_find(&w->groups, word->string);

	*ret = (struct words){ 0 };
	if (g == NULL)
		return false;
	*ret = g->of[kind];
	/* A group with an error of its own was reported already. */
	if (g->kinds != 0 && (g->kinds & 1u << kind) == 0)
		check_value(w->k, SEV_ERROR, "policy.group_kind", word, of[kind], o, word->string)->also = g->node->at;
	return true;
}
