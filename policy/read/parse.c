/* SPDX-License-Identifier: Apache-2.0 */

#include <libconfig.h>
#include <stdio.h>
#include <string.h>

#include "policy/read/scanner.h"

/*
 * Replaces one function of libconfig. libconfig calls it for every setting that it reads: does the
 * group have one of that name? Its own version compares the name with all members, so ten thousand
 * assets would take seconds. But the scanner has already refused a text with two equal names in a
 * group, so the answer is always no. A program's definition comes before a library's; where it does
 * not, reading is slower with the same result.
 */
__attribute__((visibility("default"))) config_setting_t *config_setting_get_member(const config_setting_t *group,
										   const char *name)
{
	return NULL;
}

/*
 * The text that libconfig reads: the operator's own bytes, in the order of `@include`. A line end
 * follows each piece, because a piece may end in a comment.
 */
struct feed {
	const struct scan_chunk *chunks;
	size_t n;
	size_t at; /* bytes of the first chunk that were read */
};

static ssize_t feed_read(void *cookie, char *to, size_t room)
{
	struct feed *f = cookie;
	size_t n = 0;

	while (n < room && f->n > 0) {
		const struct scan_chunk *k = f->chunks;
		size_t take = k->size - f->at < room - n ? k->size - f->at : room - n;

		memcpy(to + n, k->text + f->at, take);
		n += take;
		f->at += take;
		if (n == room)
			break;
		to[n++] = '\n';
		f->at = 0;
		f->chunks++;
		f->n--;
	}
	return (ssize_t)n;
}

/* The place in its file of a line of the whole text. */
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

/* Whether the node and the setting have the same name. */
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

/* Fills in the values below `node`. Returns the first node where the two readers differ; NULL: they
 * agree. The scanner bounds the depth. */
static const struct ast_node *fill(struct arena *a, struct ast_node *node, config_setting_t *set)
{
	const struct ast_node *bad = NULL;
	unsigned i = 0;

	if (set == NULL || !kind_fits(node, config_setting_type(set)))
		return node;
	switch (node->kind) {
	case AST_STRING: {
		const char *v = config_setting_get_string(set);

		node->string = v != NULL ? arena_strndup(a, v, strlen(v)) : NULL;
		return node->string == NULL ? node : NULL;
	}
	case AST_NUMBER:
		node->number = config_setting_type(set) == CONFIG_TYPE_INT ? config_setting_get_int(set)
									   : config_setting_get_int64(set);
		node->hex = config_setting_get_format(set) == CONFIG_FORMAT_HEX;
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
	for (struct ast_node *c = node->child; c != NULL && bad == NULL; c = c->next, i++) {
		config_setting_t *twin = config_setting_get_elem(set, i);

		bad = twin != NULL && same_name(c, twin) ? fill(a, c, twin) : c;
	}
	return bad;
}

const struct ast_node *parse_policy(struct compilation *c, const struct policy_loader *l, const char *name)
{
	struct scan_result r;
	struct feed feed;
	const struct ast_node *bad = NULL;
	config_t cfg;
	FILE *text;
	bool ok;

	if (!scan_policy(c, l, name, &r))
		return NULL;
	feed = (struct feed){ r.chunks, r.n_chunks, 0 };
	text = fopencookie(&feed, "r", (cookie_io_functions_t){ .read = feed_read });
	if (text == NULL) {
		diag_add(&c->diags, SEV_ERROR, "policy.too_large", (struct srcpos){ 0 }, MP_MEMORY);
		return NULL;
	}
	config_init(&cfg);
	ok = config_read(&cfg, text) == CONFIG_TRUE;
	fclose(text);
	if (ok) {
		bad = fill(c->arena, r.root, config_root_setting(&cfg));
		if (bad != NULL && !arena_failed(c->arena))
			diag_add(&c->diags, SEV_ERROR, "policy.readers_differ", bad->at, MP_READERS_DIFFER);
	} else {
		diag_add(&c->diags, SEV_ERROR, "policy.readers_differ", origin(&r, (uint32_t)config_error_line(&cfg)),
			 MP_LIBCONFIG, config_error_text(&cfg));
	}
	config_destroy(&cfg);
	return ok && bad == NULL && !arena_failed(c->arena) ? r.root : NULL;
}
