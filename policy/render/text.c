/* SPDX-License-Identifier: Apache-2.0 */
/* The policy as text in the order in which it was read: one object a line. */
#include <string.h>

#include "policy/read/ast.h"
#include "policy/render/render.h"

static void put_string(FILE *to, const char *s)
{
	fputc('"', to);
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			fprintf(to, "\\x%02x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

/* Writes a value on one line. The scanner bounds the depth. */
static void put_value(FILE *to, const struct ast_node *n);

static void put_list(FILE *to, const struct ast_node *list, char open, char close)
{
	fputc(open, to);
	for (const struct ast_node *c = list->child; c != NULL; c = c->next) {
		put_value(to, c);
		if (c->next != NULL)
			fputs(", ", to);
	}
	fputc(close, to);
}

static void put_group(FILE *to, const struct ast_node *group, const char *name)
{
	fputs("{ ", to);
	if (name != NULL)
		fprintf(to, "name = \"%s\"; ", name);
	for (const struct ast_node *c = group->child; c != NULL; c = c->next) {
		fprintf(to, "%s = ", c->name);
		put_value(to, c);
		fputs("; ", to);
	}
	fputc('}', to);
}

static void put_value(FILE *to, const struct ast_node *n)
{
	switch (n->kind) {
	case AST_GROUP:
		put_group(to, n, NULL);
		return;
	case AST_LIST:
		put_list(to, n, '(', ')');
		return;
	case AST_ARRAY:
		put_list(to, n, '[', ']');
		return;
	case AST_STRING:
		put_string(to, n->string);
		return;
	case AST_NUMBER:
		fprintf(to, n->hex ? "0x%llx" : "%lld", (long long)n->number);
		return;
	case AST_BOOL:
		fputs(n->truth ? "true" : "false", to);
		return;
	}
}

/* Whether the name of an asset has a '.', as in a fleet. The name of a setting cannot have one, so
 * the assets are then written as a list. */
static bool names_in_a_list(const struct ast_node *section)
{
	for (const struct ast_node *c = section->child; c != NULL; c = c->next)
		if (c->name != NULL && strchr(c->name, '.') != NULL)
			return true;
	return false;
}

/* Writes a section of zones, assets or conduits, one line each. */
static bool put_section(FILE *to, const struct ast_node *n)
{
	bool list = n->kind == AST_LIST || names_in_a_list(n);

	if ((n->kind & (AST_GROUP | AST_LIST)) == 0 || n->child == NULL || (n->child->kind & AST_GROUP) == 0)
		return false;
	fprintf(to, "%s = %c\n", n->name, list ? '(' : '{');
	for (const struct ast_node *c = n->child; c != NULL; c = c->next) {
		fputs("  ", to);
		if (c->name != NULL && !list)
			fprintf(to, "%s = ", c->name);
		if (c->kind == AST_GROUP)
			put_group(to, c, list ? c->name : NULL);
		else
			put_value(to, c);
		fputs(!list ? ";\n" : c->next != NULL ? ",\n" : "\n", to);
	}
	fprintf(to, "%c;\n", list ? ')' : '}');
	return true;
}

void render_text(FILE *to, const struct ast_node *policy)
{
	for (const struct ast_node *c = policy->child; c != NULL; c = c->next) {
		if (put_section(to, c))
			continue;
		fprintf(to, "%s = ", c->name);
		put_value(to, c);
		fputs(";\n", to);
	}
}
