/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where policy texts come from: a folder of files, or a bundle of texts handed over by another process.
 *
 *   "SKSHBND1", u32 count, then per text: u16 length of the name, the name, u32 size, the text; big endian
 */
#ifndef SEKISHO_POLICY_READ_LOAD_H
#define SEKISHO_POLICY_READ_LOAD_H

#include "appliance/base/arena.h"
#include "appliance/base/bytes.h"
#include "appliance/base/diag.h"

/* Where texts come from: a folder on disk (the CLI) or a bundle handed over (the compile role). */
struct policy_loader {
	void *ctx;
	/* `name` is relative and was already confined to the folder. *ret in the arena. 0, or negative errno
	 * (-EFBIG past SOURCE_MAX, -ENOENT). */
	int (*load)(void *ctx, const char *name, struct arena *a, struct source_text *ret);
};

#define SOURCE_MAX (4u << 20) /* bytes of one text */

/* A loader over the folder of `path`; *ret_main is the file's own name. Names in the arena. */
void loader_folder(const char *path, struct arena *a, struct policy_loader *ret, const char **ret_main);

/* A bundle: the texts of one compilation as bytes, first the main text. For `apply`. Size by the first call with p NULL. */
size_t bundle_encode(const struct source_text *sources, size_t n, uint8_t *p, size_t size);
/* False when malformed. The loader borrows the bytes and the arena. */
bool loader_bundle(struct bytes b, struct arena *a, struct policy_loader *ret, const char **ret_main);

#define BUNDLE_MAGIC "SKSHBND1"
#define BUNDLE_MAGIC_SIZE 8u
#define BUNDLE_TEXTS_MAX 1024u

/* Opens a confined name below the directory `at` step by step, following no link at all: for kernels and sandboxes
 * without openat2, where links inside the folder cannot be told from those that lead out. A descriptor, or a negative
 * errno. */
int load_open_walk(int at, const char *name);

#endif
