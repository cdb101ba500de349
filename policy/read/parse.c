/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/read/parse.h"

#include <libconfig.h>
#include <string.h>

#include "policy/read/scan.h"

/*
 * libconfig looks through all members of a group for each new one, so that ten thousand assets take it a second. Groups
 * larger than this are handed to it in slices, as a list of groups of SLICE members: brackets are put into the text
 * between members, on the lines that are there.
 */
#define SLICE 256u

struct writer {
	const struct scan_result *r;
	char *text;	 /* room for everything */
	size_t n;	 /* written */
	size_t chunk;	 /* being copied */
	size_t in_chunk; /* bytes of it that were copied */
	size_t copied;	 /* offset in the expanded text */
};

static void copy_until(struct writer *w, size_t offset)
{
	while (w->copied < offset && w->chunk < w->r->n_chunks) {
		const struct scan_chunk *k = &w->r->chunks[w->chunk];
		size_t take = k->size - w->in_chunk < offset - w->copied ? k->size - w->in_chunk : offset - w->copied;

		memcpy(w->text + w->n, k->text + w->in_chunk, take);
		w->n += take;
		w->copied += take;
		w->in_chunk += take;
		if (w->in_chunk == k->size && w->copied < offset) {
			w->text[w->n++] = '\n';
			w->copied++;
			w->chunk++;
			w->in_chunk = 0;
		}
	}
}

static void put(struct writer *w, const char *s)
{
	size_t n = strlen(s);

	memcpy(w->text + w->n, s, n);
	w->n += n;
}

static bool is_sliced(const struct ast_node *node)
{
	return node->kind == AST_GROUP && node->n > SLICE;
}

/* Copies the text up to the end of `node`, slicing the large groups in it. */
static void slice(struct writer *w, const struct ast_node *node, bool root)
{
	uint32_t i = 0;

	if (is_sliced(node)) {
		copy_until(w, node->open);
		put(w, root ? "sliced = ({" : "(");
	}
	for (const struct ast_node *c = node->child; c != NULL; c = c->next, i++) {
		if (is_sliced(node) && i > 0 && i % SLICE == 0) {
			copy_until(w, c->begin);
			put(w, "},{");
		}
		if (c->child != NULL)
			slice(w, c, false);
	}
	if (is_sliced(node)) {
		copy_until(w, root ? SIZE_MAX : (size_t)node->end + 1);
		put(w, root ? "})" : ")");
	}
}

/* The whole text with includes in place, each piece on lines of its own. */
static char *expanded(struct compilation *c, const struct scan_result *r)
{
	struct writer w = { .r = r };
	size_t n = SCAN_NODES_MAX / SLICE * 8 + 64; /* more than all brackets put in */

	for (size_t i = 0; i < r->n_chunks; i++)
		n += r->chunks[i].size + 1; /* bounded by SCAN_TOTAL_MAX and the number of includes */
	w.text = arena_alloc(c->arena, n);
	if (w.text == NULL)
		return NULL;
	slice(&w, r->root, true);
	copy_until(&w, SIZE_MAX);
	w.text[w.n] = '\0';
	return w.text;
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
	if (is_sliced(node))
		return type == CONFIG_TYPE_LIST;
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

static size_t length_of(const struct ast_node *node, config_setting_t *set)
{
	size_t n = (size_t)config_setting_length(set), ret = 0;

	if (!is_sliced(node))
		return n;
	for (unsigned i = 0; i < n; i++) {
		config_setting_t *part = config_setting_get_elem(set, i);

		if (part == NULL || config_setting_type(part) != CONFIG_TYPE_GROUP)
			return 0;
		ret += (size_t)config_setting_length(part);
	}
	return ret;
}

/* Fills in the values below `node`. Returns the first node where the two readers differ, NULL when they agree. The
 * depth is bounded by the scanner's. */
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
		return NULL;
	case AST_BOOL:
		node->truth = config_setting_get_bool(set) != 0;
		return NULL;
	case AST_GROUP:
	case AST_LIST:
	case AST_ARRAY:
		break;
	}
	if (length_of(node, set) != node->n)
		return node;
	for (struct ast_node *c = node->child; c != NULL && bad == NULL; c = c->next, i++) {
		config_setting_t *part = is_sliced(node) ? config_setting_get_elem(set, i / SLICE) : set, *twin;

		twin = part != NULL ? config_setting_get_elem(part, is_sliced(node) ? i % SLICE : i) : NULL;
		bad = twin != NULL && same_name(c, twin) ? fill(a, c, twin) : c;
	}
	return bad;
}

static config_setting_t *root_of(const config_t *cfg, const struct ast_node *root)
{
	return is_sliced(root) ? config_lookup(cfg, "sliced") : config_root_setting(cfg);
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
		bad = fill(c->arena, r.root, root_of(&cfg, r.root));
		if (bad != NULL && !arena_failed(c->arena))
			diag_add(&c->diags, SEV_ERROR, "policy.readers_differ", bad->at, MP_READERS_DIFFER);
	} else {
		diag_add(&c->diags, SEV_ERROR, "policy.readers_differ", origin(&r, (uint32_t)config_error_line(&cfg)),
			 MP_LIBCONFIG, config_error_text(&cfg));
	}
	config_destroy(&cfg);
	return ok && bad == NULL && !arena_failed(c->arena) ? r.root : NULL;
}
