/* SPDX-License-Identifier: Apache-2.0 */
/* never and chain_break: what must stay impossible, and which way round it is accepted. */
#include "policy/check/check.h"

enum { NEVER_FROM, NEVER_TO, NEVER_COMMANDS, NEVER_SCOPE, NEVER_LABEL, NEVER_N };
static const struct key never_keys[NEVER_N] = {
	[NEVER_FROM] = { "from", AST_STRING, true, "from = \"internet\";" },
	[NEVER_TO] = { "to", AST_STRING, true, "to = \"crane\";" },
	[NEVER_COMMANDS] = { "commands", AST_LISTS, false, NULL },
	[NEVER_SCOPE] = { "scope", AST_STRING, false, NULL },
	[NEVER_LABEL] = { "label", AST_STRING, false, NULL },
};
static const char *const scope_words[] = { "direct", "chain" };

enum { BREAK_ASSET, BREAK_REASON, BREAK_N };
static const struct key break_keys[BREAK_N] = {
	[BREAK_ASSET] = { "asset", AST_STRING, true, "asset = \"tos-db\";" },
	[BREAK_REASON] = { "reason", AST_STRING, true, NULL },
};

static const struct model_zone *never_zone(struct check *k, const struct ast_node *node, struct object o)
{
	return node != NULL ? names_need(k, &k->zones, node, MP_NO_ZONE, "policy.unknown_name", o) : NULL;
}

void check_nevers(struct check *k, const struct ast_node *node)
{
	struct object section = { MP_OBJ_SECTION, "never" };
	struct model *m = k->m;

	m->nevers = arena_array(k->a, node != NULL ? node->n : 0, sizeof(m->nevers[0]));
	for (const struct ast_node *c = NULL;
	     m->nevers != NULL && (c = list_next(k, node, c, AST_GROUP, section)) != NULL;) {
		struct model_never *one = &m->nevers[m->n_nevers++];
		struct object o = { MP_OBJ_NEVER, arena_printf(k->a, "%zu", m->n_nevers) };
		const struct ast_node *v[NEVER_N];

		*one = (struct model_never){ .classes = CLASS_ALL, .all_commands = true, .label = "", .at = c->at };
		if (!keys_read(k, c, never_keys, NEVER_N, o, v))
			continue;
		one->from = never_zone(k, v[NEVER_FROM], o);
		one->to = never_zone(k, v[NEVER_TO], o);
		one->chain = choice_of(k, v[NEVER_SCOPE], o, scope_words, 2, 0) == 1;
		one->label = text_of(k, v[NEVER_LABEL], o, "");
		if (v[NEVER_COMMANDS] == NULL)
			continue;
		one->all_commands = false;
		one->classes = classes_of(k, v[NEVER_COMMANDS], o);
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
		const struct ast_node *v[BREAK_N];

		*one = (struct model_chain_break){ .reason = "", .at = c->at };
		if (!keys_read(k, c, break_keys, BREAK_N, o, v))
			continue;
		if (v[BREAK_ASSET] != NULL)
			one->asset = names_need(k, &k->assets, v[BREAK_ASSET], MP_NO_ASSET, "policy.unknown_name", o);
		one->reason = text_needed(k, v[BREAK_REASON], o);
	}
}
