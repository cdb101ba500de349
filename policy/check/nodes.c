/* SPDX-License-Identifier: Apache-2.0 */
/* Makes nodes for expanded text. */
#include <string.h>

#include "policy/check/written.h"

struct ast_node *node_like(struct written *w, const struct ast_node *like)
{
	struct ast_node *n = NULL;

	if (w->nodes < WRITTEN_MAX)
		n = arena_alloc(w->k->a, sizeof(*n));
	if (n == NULL && !w->full && !arena_failed(w->k->a))
		diag_add(w->k->d, SEV_ERROR, "policy.too_large", w->from, MP_WRITTEN_HERE, WRITTEN_MAX);
	w->nodes++;
	if (n == NULL) {
		w->full = true;
		return NULL;
	}
	*n = *like;
	n->next = NULL;
	return n;
}

struct ast_node *node_empty(struct written *w, const struct ast_node *like)
{
	struct ast_node *n = node_like(w, like);

	if (n != NULL) {
		n->n = 0;
		n->child = NULL;
	}
	return n;
}

struct ast_node *node_text(struct written *w, const struct ast_node *at, const char *name, const char *text)
{
	struct ast_node *n = node_like(w, at);

	if (n == NULL)
		return NULL;
	n->kind = AST_STRING;
	n->name = name;
	n->n = 0;
	n->child = NULL;
	n->string = text;
	return n;
}

void node_append(struct ast_node *parent, struct ast_node **last, struct ast_node *n)
{
	if (n == NULL)
		return;
	if (*last == NULL)
		parent->child = n;
	else
		(*last)->next = n;
	*last = n;
	parent->n++;
}

const struct ast_node *node_member(const struct ast_node *group, const char *name)
{
	for (const struct ast_node *c = group->kind == AST_GROUP ? group->child : NULL; c != NULL; c = c->next)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}
