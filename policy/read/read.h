/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From texts to a tree: where policy texts come from (a folder of files, or a bundle of texts that
 * another process hands over, appliance/base/bundle.h), and how they are read.
 *
 * The values that libconfig reads from the operator's own bytes are the ones that are used. The
 * scanner (scanner.h) goes first, because libconfig stops at its first error and has no columns.
 * The scanner reports mistakes and gives each setting its place. A text without mistakes is then
 * read by libconfig. Both must have seen the same tree, with the same names, kinds and numbers of
 * members in the same order; otherwise the policy is refused.
 *
 * parse.c is the only module that includes libconfig. Nothing there opens files: libconfig is given
 * the included texts in the place of `@include`, so that it never follows one itself.
 */
#ifndef SEKISHO_POLICY_READ_READ_H
#define SEKISHO_POLICY_READ_READ_H

#include "appliance/base/bundle.h"
#include "appliance/base/bytes.h"
#include "policy/read/ast.h"
#include "policy/read/compilation.h"

/* Where texts come from: a folder on disk (the CLI) or a bundle handed over (the compile role). */
struct policy_loader {
	void *ctx;
	/* `name` is relative and was already confined to the folder. *ret in the arena. 0, or
	 * negative errno (-EFBIG past SOURCE_MAX, -ENOENT). */
	int (*load)(void *ctx, const char *name, struct arena *a, struct source_text *ret);
};

#define SOURCE_MAX (8u << 20) /* bytes of one text */

/* A loader over the folder of `path`; *ret_main is the file's own name. Names in the arena. */
void loader_folder(const char *path, struct arena *a, struct policy_loader *ret, const char **ret_main);

/* False when malformed. The loader borrows the bytes and the arena. */
bool loader_bundle(struct bytes b, struct arena *a, struct policy_loader *ret, const char **ret_main);

/* Opens a confined name below the directory `at`, one component at a time, and follows no link at
 * all. Used where openat2 is missing (an old kernel, a sandbox), because a link inside the folder
 * cannot be told there from a link that leads out. Returns a descriptor, or a negative errno. */
int load_open_walk(int at, const char *name);

#define SCAN_FILES_MAX 512u    /* texts of one policy */
#define SCAN_NODES_MAX 600000u /* settings and elements */

/* Loads a text into c->sources, or finds it there. 0 and the index, or a negative errno. */
int scan_load(struct compilation *c, const struct policy_loader *l, const char *name, uint32_t *ret_file);
/* Reports a text that could not be loaded; `at` is where it was asked for (line 0: by
 * the operator). */
void scan_load_failed(struct compilation *c, struct srcpos at, uint32_t width, const char *name, int code);
/* True for a relative path of plain components: no "..", no leading '/', no empty one. */
bool scan_name_confined(const char *name);

/* The settings of the text `name` with all includes, as one group in c->arena. NULL when there were
 * errors; they are in c->diags. Texts are appended to c->sources. */
const struct ast_node *parse_policy(struct compilation *c, const struct policy_loader *l, const char *name);

#endif
