/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where policy texts come from: a folder of files, or a bundle of texts (appliance/base/bundle.h)
 * handed over by another process.
 */
#ifndef SEKISHO_POLICY_READ_LOAD_H
#define SEKISHO_POLICY_READ_LOAD_H

#include "appliance/base/arena.h"
#include "appliance/base/bundle.h"
#include "appliance/base/bytes.h"
#include "appliance/base/diag.h"

/* Where texts come from: a folder on disk (the CLI) or a bundle handed over (the compile role). */
struct policy_loader {
	void *ctx;
	/* `name` is relative and was already confined to the folder. *ret in the arena. 0, or
	 * negative errno (-EFBIG past SOURCE_MAX, -ENOENT). */
	int (*load)(void *ctx, const char *name, struct arena *a, struct source_text *ret);
};

#define SOURCE_MAX (4u << 20) /* bytes of one text */

/* A loader over the folder of `path`; *ret_main is the file's own name. Names in the arena. */
void loader_folder(const char *path, struct arena *a, struct policy_loader *ret, const char **ret_main);

/* False when malformed. The loader borrows the bytes and the arena. */
bool loader_bundle(struct bytes b, struct arena *a, struct policy_loader *ret, const char **ret_main);

/* Opens a confined name below the directory `at` step by step, following no link at all: for
 * kernels and sandboxes without openat2, where links inside the folder cannot be told from those
 * that lead out. A descriptor, or a negative errno. */
int load_open_walk(int at, const char *name);

#endif
