/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/parse.h"

#include <libconfig.h>
#include <string.h>

#include "policy/scan.h"

/* The whole text with includes in place, each piece on lines of its own. */
static char *expanded(struct compilation *c, const struct scan_result *r)
{
	size_t n = 0;
	char *text, *p;

	for (size_t i = 0; i < r->n_chunks; i++)
		n += r->chunks[i].size + 1; /* bounded by SCAN_TOTAL_MAX and the number of includes */
	p = text = arena_alloc(c->arena, n + 1);
	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < r->n_chunks; i++) {
		memcpy(p, r->chunks[i].text, r->chunks[i].size);
		p += r->chunks[i].size;
		*p++ = '\n';
	}
	*p = '\0';
	return text;
}

/* Leads a line of the expanded text back to its file. */
static struct srcpos origin(const struct scan_result *r, uint32_t line)
{
	uint32_t first = 1;

	for (size_t i = 0; i < r->n_chunks; i++) {
		const struct scan_chunk *k = &r->chunks[i];
		uint32_t lines = 1;

		for (const char *p = k->text, *end = p + k->size; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
			lines++;
		if (line < first + lines)
			return (struct srcpos){ k->file, k->line + (line - first), 1 };
		first += lines;
	}
	return (struct srcpos){ 0 };
}

/* A node whose libconfig twin is to be read. */
static bool same_name(const struct ast_node *node, config_setting_t *set)
{
	const char *name = config_setting_name(set);

	return node->name == NULL ? name == NULL : name != NULL && strcmp(node->name, name) == 0;
}

static bool kind_fits(const struct ast_node *node, int type)
{
	switch (node->kind) {
	case AST_GROUP:
		return type == CONFIG_TYPE_GROUP;
	case AST_LIST:
		return type == CONFIG_TYPE_LIST;
	case AST_ARRAY:
		return type == CONFIG_TYPE_ARRAY;
	case AST_STRING:
		return type == CONFIG_TYPE_STRING;
	case AST_NUMBER:
		return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
	case AST_BOOL:
		return type == CONFIG_TYPE_BOOL;
	}
	return false;
}

/* Fills in the values below `node`. Returns the first node where the two readers differ, NULL when they agree. The
 * depth is bounded by the scanner's. */
static const struct ast_node *fill(struct arena *a, struct ast_node *node, config_setting_t *set)
{
	const struct ast_node *bad = NULL;
	unsigned i = 0;

	if (!kind_fits(node, config_setting_type(set)))
		return node;
	switch (node->kind) {
	case AST_STRING: {
		const char *v = config_setting_get_string(set);

		node->string = v != NULL ? arena_strndup(a, v, strlen(v)) : NULL;
		return node->string == NULL ? node : NULL;
	}
	case AST_NUMBER:
		node->number = config_setting_type(set) == CONFIG_TYPE_INT ? config_setting_get_int(set) :
									     config_setting_get_int64(set);
		return NULL;
	case AST_BOOL:
		node->truth = config_setting_get_bool(set) != 0;
		return NULL;
	case AST_GROUP:
	case AST_LIST:
	case AST_ARRAY:
		break;
	}
	if ((uint32_t)config_setting_length(set) != node->n)
		return node;
	for (struct ast_node *c = node->child; c != NULL && bad == NULL; c = c->next) {
		config_setting_t *twin = config_setting_get_elem(set, i++);

		bad = twin != NULL && same_name(c, twin) ? fill(a, c, twin) : c;
	}
	return bad;
}

const struct ast_node *parse_policy(struct compilation *c, const struct policy_loader *l, const char *name)
{
	struct scan_result r;
	const struct ast_node *bad = NULL;
	config_t cfg;
	char *text;
	bool ok;

	if (!scan_policy(c, l, name, &r))
		return NULL;
	text = expanded(c, &r);
	if (text == NULL)
		return NULL;
	config_init(&cfg);
	ok = config_read_string(&cfg, text) == CONFIG_TRUE;
	if (ok) {
		bad = fill(c->arena, r.root, config_root_setting(&cfg));
		if (bad != NULL && !arena_failed(c->arena))
			diag_add(&c->diags, SEV_ERROR, "policy.syntax", bad->at, MP_READERS_DIFFER);
	} else {
		diag_add(&c->diags, SEV_ERROR, "policy.syntax", origin(&r, (uint32_t)config_error_line(&cfg)), MP_LIBCONFIG,
			 config_error_text(&cfg));
	}
	config_destroy(&cfg);
	return ok && bad == NULL && !arena_failed(c->arena) ? r.root : NULL;
}
