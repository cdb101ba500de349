/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The locating scanner: reads policy text before libconfig does, because libconfig has no columns
 * and stops at its first syntax error. It expands `@include`, gives every setting and value its
 * place, recovers from errors and reports several in one run, and recognises the usual mistakes
 * (wrong encoding, full-width signs, trailing comma, forgotten bracket).
 *
 * Runs in the CLI and in the compile role, on whatever bytes the operator has. Everything is in the
 * arena given; files are read through the loader only. It never interprets keys and never
 * calls libconfig.
 */
#ifndef SEKISHO_POLICY_READ_SCAN_H
#define SEKISHO_POLICY_READ_SCAN_H

#include "policy/read/ast.h"
#include "policy/read/compilation.h"
#include "policy/read/load.h"

#define SCAN_DEPTH_MAX 24u	   /* nested brackets */
#define SCAN_INCLUDE_MAX 8u	   /* files inside files */
#define SCAN_FILES_MAX 512u	   /* texts of one policy */
#define SCAN_TOTAL_MAX (16u << 20) /* bytes with all includes expanded */
#define SCAN_NODES_MAX 600000u	   /* settings and elements */

/* A piece of the expanded text, to lead a line of it back to its file. */
struct scan_chunk {
	const char *text;
	size_t size;
	uint32_t file;
	uint32_t line; /* of its first byte */
};

struct scan_result {
	struct ast_node *root; /* group of the top-level settings; values are not filled in */
	struct scan_chunk *chunks;
	size_t n_chunks;
};

/*
 * Scans the text `name` and what it includes. New texts are appended to c->sources. False when
 * errors were found (they are in c->diags) or memory is out. The tree is complete only when true.
 */
bool scan_policy(struct compilation *c, const struct policy_loader *l, const char *name, struct scan_result *ret);

/* Loads a text into c->sources, or finds it there. 0 and the index, or a negative errno. */
int scan_load(struct compilation *c, const struct policy_loader *l, const char *name, uint32_t *ret_file);
/* Reports a text that could not be loaded; `at` is where it was asked for (line 0: by
 * the operator). */
void scan_load_failed(struct compilation *c, struct srcpos at, uint32_t width, const char *name, int code);
/* True for a relative path of plain components: no "..", no leading '/', no empty one. */
bool scan_name_confined(const char *name);

#endif
