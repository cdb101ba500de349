/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared isolations: what is cut, in the words of `sekisho isolate`, and which conduits
 * continue. */
#include <string.h>

#include "appliance/wire/attack.h"
#include "policy/check/keys.h"
#include "policy/check/written.h"

/* "zones office crane": each word of the list has a kind and one or two names. */
static const char *const kinds[] = { "asset ", "zone ", "zones " };

/* ---- written out ----------------------------------------------------------------------------- */

/* What one name of a word stands for: itself, or what is in its group. */
static struct words meant(struct written *w, const struct ast_node *word, const char *name, enum kind kind,
			  struct object o)
{
	struct ast_node one = *word;
	struct words of;

	one.string = name;
	if (!group_words(w, &one, kind, o, &of)) {
		words_begin(w, &of);
		words_add(w, kind, name, &of);
	}
	return of;
}

static bool names_group(const struct written *w, const char *name)
{
	return name != NULL && names_find(&w->groups, name) != NULL;
}

/* Writes a word that names groups as one word for each of their members. Other words stay. */
static void write_cut(struct written *w, const struct ast_node *e, struct object o, struct ast_node *list,
		      struct ast_node **last)
{
	const char *name = e->kind == AST_STRING ? strchr(e->string, ' ') : NULL, *first, *second = NULL;
	struct words of[2] = { { 0 }, { 0 } };
	enum kind kind;

	first = name != NULL ? name + 1 : NULL;
	if (first != NULL && strchr(first, ' ') != NULL) {
		second = strchr(first, ' ') + 1;
		first = arena_printf(w->k->a, "%.*s", (int)(second - 1 - first), first);
	}
	if (!names_group(w, first) && !names_group(w, second)) {
		node_append(list, last, node_like(w, e));
		return;
	}
	kind = strncmp(e->string, kinds[0], strlen(kinds[0])) == 0 ? KIND_ASSET : KIND_ZONE;
	of[0] = meant(w, e, first, kind, o);
	if (second != NULL)
		of[1] = meant(w, e, second, kind, o);
	for (size_t a = 0; a < of[0].n && !w->full; a++)
		for (size_t b = 0; b < (second != NULL ? of[1].n : 1) && !w->full; b++)
			node_append(list, last,
				    node_text(w, e, e->name,
					      arena_printf(w->k->a, "%.*s %s%s%s", (int)(name - e->string), e->string,
							   of[0].list[a], second != NULL ? " " : "",
							   second != NULL ? of[1].list[b] : "")));
}

static struct ast_node *write_cuts(struct written *w, const struct ast_node *cut, struct object o)
{
	struct ast_node *ret = node_empty(w, cut), *last = NULL;

	for (const struct ast_node *e = cut->child; e != NULL && ret != NULL; e = e->next)
		write_cut(w, e, o, ret, &last);
	return ret;
}

struct ast_node *isolations_write(struct written *w, const struct ast_node *section)
{
	struct ast_node *ret = node_empty(w, section), *last = NULL;

	for (const struct ast_node *c = section->child; c != NULL && ret != NULL; c = c->next) {
		struct ast_node *one = c->kind == AST_GROUP ? node_empty(w, c) : node_like(w, c), *end = NULL;

		w->from = c->at;
		for (const struct ast_node *set = c->child; set != NULL && c->kind == AST_GROUP && one != NULL;
		     set = set->next)
			node_append(one, &end,
				    strcmp(set->name, "cut") == 0 && (set->kind & AST_LISTS) != 0
					    ? write_cuts(w, set, (struct object){ MP_OBJ_ISOLATION, c->name })
					    : node_like(w, set));
		node_append(ret, &last, one);
	}
	return ret;
}

/* ---- read ------------------------------------------------------------------------------------ */

/* Checks that one name in a word of `cut` exists. A mistake is reported at the place of the whole
 * word. */
static void need(struct check *k, const struct names *of, const struct ast_node *at, const char *name, enum message m,
		 struct object o)
{
	struct ast_node one = *at;

	one.string = name;
	if (name != NULL)
		(void)names_need(k, of, &one, m, "policy.unknown_name", o);
}

static void one_cut(struct check *k, const struct ast_node *e, struct object o)
{
	unsigned i = 0;
	const char *name, *second;

	if (strcmp(e->string, "everything") == 0)
		return;
	while (i < 3 && strncmp(e->string, kinds[i], strlen(kinds[i])) != 0)
		i++;
	name = i < 3 ? e->string + strlen(kinds[i]) : "";
	second = strchr(name, ' ');
	if (name[0] == '\0' || (second != NULL) != (i == 2)) {
		check_hinted(k, SEV_ERROR, "policy.isolation", e, MP_ISOLATION_CUT, o, e->string,
			     MP_HINT_ISOLATION_CUT);
	} else if (i == 0) {
		need(k, &k->assets, e, name, MP_NO_ASSET, o);
	} else if (i == 1) {
		need(k, &k->zones, e, name, MP_NO_ZONE, o);
	} else {
		need(k, &k->zones, e, arena_printf(k->a, "%.*s", (int)(second - name), name), MP_NO_ZONE, o);
		need(k, &k->zones, e, second + 1, MP_NO_ZONE, o);
	}
}

static void read_cuts(struct check *k, const struct ast_node *list, struct model_isolation *one, struct object o)
{
	check_not_empty(k, list, o, NO_HINT);
	one->cuts = arena_array(k->a, list->n, sizeof(one->cuts[0]));
	for (const struct ast_node *e = NULL;
	     one->cuts != NULL && (e = list_next(k, list, e, AST_STRING, o)) != NULL;) {
		one_cut(k, e, o);
		one->cuts[one->n_cuts++].what = e->string;
	}
}

/* Whether `word` is the conduit's name, or the name it was expanded from: "basics" is
 * "basics/office" and "basics/tos". */
static bool is_named(const struct model_conduit *c, const char *word)
{
	size_t n = strlen(word);

	return strncmp(c->name, word, n) == 0 && (c->name[n] == '\0' || c->name[n] == '/');
}

bool conduits_named(const struct model *m, const char *word, bool *which)
{
	bool any = false;

	for (size_t i = 0; i < m->n_conduits; i++)
		if (is_named(&m->conduits[i], word))
			which[i] = any = true;
	return any;
}

static void read_keeps(struct check *k, const struct ast_node *list, struct model_isolation *one, struct object o)
{
	const struct model *m = k->m;
	const char **known = arena_array(k->a, m->n_conduits, sizeof(*known));

	one->keep = arena_array(k->a, m->n_conduits, sizeof(*one->keep));
	for (size_t i = 0; i < m->n_conduits && known != NULL; i++)
		known[i] = m->conduits[i].name;
	for (const struct ast_node *e = NULL;
	     one->keep != NULL && (e = list_next(k, list, e, AST_STRING, o)) != NULL;) {
		if (!conduits_named(m, e->string, one->keep) && known != NULL)
			check_near(k,
				   check_value(k, SEV_ERROR, "policy.unknown_name", e, MP_KEEP_UNKNOWN, o, e->string),
				   e->string, known, m->n_conduits);
	}
}

/* The address of a forged packet is not the one to cut, so no isolation is offered for it. */
static void read_alarms(struct check *k, const struct ast_node *list, struct model_isolation *one, struct object o)
{
	const char *known[ATTACK_CAUSES];

	for (unsigned i = 0; i < ATTACK_CAUSES; i++)
		known[i] = attack_word(i);
	check_not_empty(k, list, o, NO_HINT);
	for (const struct ast_node *e = NULL; (e = list_next(k, list, e, AST_STRING, o)) != NULL;) {
		unsigned cause = attack_by_word(e->string);

		if (cause == ATTACK_CAUSES)
			check_near(k,
				   check_value(k, SEV_ERROR, "policy.unknown_name", e, MP_ALARM_UNKNOWN, o, e->string),
				   e->string, known, ATTACK_CAUSES);
		else if (cause == ATTACK_SPOOFED)
			check_value(k, SEV_ERROR, "policy.isolation", e, MP_ALARM_FORGED, o, e->string);
		else
			one->on_alarm |= 1u << cause;
	}
}

static void one_isolation(struct check *k, const struct ast_node *node, struct model_isolation *one)
{
	struct object o = { MP_OBJ_ISOLATION, node->name };
	const struct ast_node *v[KEYS(isolation_keys)];

	*one = (struct model_isolation){ .name = node->name, .label = "", .at = node->at };
	name_check(k, node->name, node->at, node->width);
	if (strcmp(node->name, "everything") == 0)
		check_say(k, SEV_ERROR, "policy.reserved", node->at, node->width, MP_ISOLATION_NAME, o, "", "");
	if (!keys_read(k, node, isolation_keys, KEYS(isolation_keys), o, one, v))
		return;
	if (v[I_CUT] != NULL)
		read_cuts(k, v[I_CUT], one, o);
	if (v[I_KEEP] != NULL)
		read_keeps(k, v[I_KEEP], one, o);
	if (v[I_ON_ALARM] != NULL)
		read_alarms(k, v[I_ON_ALARM], one, o);
}

void check_isolations(struct check *k, const struct ast_node *node)
{
	struct model *m = k->m;

	m->isolations = arena_array(k->a, node != NULL ? node->n : 0, sizeof(m->isolations[0]));
	for (const struct ast_node *c = node != NULL ? node->child : NULL; c != NULL && m->isolations != NULL;
	     c = c->next)
		one_isolation(k, c, &m->isolations[m->n_isolations++]);
}
