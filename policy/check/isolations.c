/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared isolations: what is cut, in the words of `sekisho isolate`, and which conduits
 * continue. */
#include <string.h>

#include "policy/check/check.h"

enum { I_CUT, I_KEEP };
static const struct key isolation_keys[] = {
	[I_CUT] = { "cut", AST_LISTS, true, .example = "cut = [\"zones office crane\"];" },
	[I_KEEP] = { "keep", .kinds = AST_LISTS },
	{ "label", AST_STRING, .use = KEY_TEXT, INTO(model_isolation, label) },
};

/* "zones office crane": each word of the list has a kind and one or two names. */
static const char *const kinds[] = { "asset ", "zone ", "zones " };

/* Looks up one name of a word. The word is at least as wide, so the message uses its place. */
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
		diag_hint(k->d, check_value(k, SEV_ERROR, "policy.isolation", e, MP_ISOLATION_CUT, o, e->string),
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
	if (list->n == 0)
		check_value(k, SEV_ERROR, "policy.empty_list", list, MP_EMPTY_LIST, o, list->name);
	one->cuts = arena_array(k->a, list->n, sizeof(void *));
	for (const struct ast_node *e = NULL;
	     one->cuts != NULL && (e = list_next(k, list, e, AST_STRING, o)) != NULL;) {
		one_cut(k, e, o);
		one->cuts[one->n_cuts++] = e->string;
	}
}

/* Whether `word` is the conduit's name, or the name it was expanded from: "basics" is
 * "basics/office" and "basics/tos". */
static bool is_named(const struct model_conduit *c, const char *word)
{
	size_t n = strlen(word);

	return strncmp(c->name, word, n) == 0 && (c->name[n] == '\0' || c->name[n] == '/');
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
		bool any = false;

		for (size_t i = 0; i < m->n_conduits; i++)
			if (is_named(&m->conduits[i], e->string))
				one->keep[i] = any = true;
		if (!any && known != NULL)
			check_near(k,
				   check_value(k, SEV_ERROR, "policy.unknown_name", e, MP_KEEP_UNKNOWN, o, e->string),
				   e->string, known, m->n_conduits);
	}
}

static void one_isolation(struct check *k, const struct ast_node *node, struct model_isolation *one)
{
	struct object o = { MP_OBJ_ISOLATION, node->name };
	const struct ast_node *v[KEYS(isolation_keys)];

	*one = (struct model_isolation){ .name = node->name, .label = "", .at = node->at };
	name_check(k, node->name, node->at, node->width);
	if (strcmp(node->name, "everything") == 0)
		check_say(k, SEV_ERROR, "policy.reserved", node->at, node->width, MP_ISOLATION_NAME, both_object(k, o),
			  both_same(""), both_same(""));
	if (!keys_read(k, node, isolation_keys, KEYS(isolation_keys), o, one, v))
		return;
	if (v[I_CUT] != NULL)
		read_cuts(k, v[I_CUT], one, o);
	if (v[I_KEEP] != NULL)
		read_keeps(k, v[I_KEEP], one, o);
}

void check_isolations(struct check *k, const struct ast_node *node)
{
	struct model *m = k->m;

	m->isolations = arena_array(k->a, node != NULL ? node->n : 0, sizeof(m->isolations[0]));
	for (const struct ast_node *c = node != NULL ? node->child : NULL; c != NULL && m->isolations != NULL;
	     c = c->next)
		one_isolation(k, c, &m->isolations[m->n_isolations++]);
}
