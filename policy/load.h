/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where policy texts come from. `loader_folder` and `loader_bundle` are declared in compile.h, for every user of the
 * compiler; here is what they have in common: the shape of a bundle.
 *
 *   "SKSHBND1", u32 count, then per text: u16 length of the name, the name, u32 size, the text; big endian
 */
#ifndef SEKISHO_POLICY_LOAD_H
#define SEKISHO_POLICY_LOAD_H

#include "policy/compile.h"

#define BUNDLE_MAGIC "SKSHBND1"
#define BUNDLE_MAGIC_SIZE 8u
#define BUNDLE_TEXTS_MAX 1024u

/* Opens a confined name below the directory `at` step by step, following no link at all: for kernels and sandboxes
 * without openat2, where links inside the folder cannot be told from those that lead out. A descriptor, or a negative
 * errno. */
int load_open_walk(int at, const char *name);

#endif
