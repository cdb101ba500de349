/* SPDX-License-Identifier: Apache-2.0 */
/* confirm_needs: the conduits and assets that must be heard before a trial is confirmed. */
#include "policy/ir/needs.h"

#include <string.h>

#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/say.h"

static bool asset_named(const struct model *m, const char *word, bool *which)
{
	for (size_t i = 0; i < m->n_assets; i++)
		if (strcmp(m->assets[i].name, word) == 0)
			return which[i] = true;
	return false;
}

static void need_unknown(struct check *k, const struct ast_node *e, struct object o)
{
	const struct model *m = k->m;
	struct diag *g = check_value(k, SEV_ERROR, "policy.unknown_name", e, MP_NEED_UNKNOWN, o, e->string);
	const char **known = arena_array(k->a, m->n_conduits + m->n_assets, sizeof(*known));

	for (size_t i = 0; known != NULL && i < m->n_conduits; i++)
		known[i] = m->conduits[i].name;
	for (size_t i = 0; known != NULL && i < m->n_assets; i++)
		known[m->n_conduits + i] = m->assets[i].name;
	if (known != NULL)
		check_near(k, g, e->string, known, m->n_conduits + m->n_assets);
}

static size_t count_marked(const bool *list, size_t n)
{
	size_t marked = 0;

	for (size_t i = 0; i < n; i++)
		marked += list[i];
	return marked;
}

void check_confirm_needs(struct check *k, const struct ast_node *list)
{
	struct object o = { MP_OBJ_SECTION, "confirm_needs" };
	struct model *m = k->m;
	struct diag *g;

	if (list == NULL)
		return;
	check_not_empty(k, list, o, NO_HINT);
	m->needs_conduit = arena_array(k->a, m->n_conduits, sizeof(bool));
	m->needs_asset = arena_array(k->a, m->n_assets, sizeof(bool));
	if (m->needs_conduit == NULL || m->needs_asset == NULL)
		return;
	for (const struct ast_node *e = NULL; (e = list_next(k, list, e, AST_STRING, o)) != NULL;)
		/* of one name both are meant */
		if (!(conduits_named(m, e->string, m->needs_conduit) | asset_named(m, e->string, m->needs_asset)))
			need_unknown(k, e, o);
	if (count_marked(m->needs_conduit, m->n_conduits) + count_marked(m->needs_asset, m->n_assets) <= IR_NEEDS)
		return;
	g = check_value(k, SEV_ERROR, "policy.range", list, MP_NEEDS_MANY, o, "");
	diag_hint(k->d, g, MP_HINT_NEEDS_MANY, IR_NEEDS);
}
