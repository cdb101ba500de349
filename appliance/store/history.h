/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `history` of the store: one line a generation, fields between spaces, texts with %XX for what would end one. The
 * store alone reads and writes it; what a state means, and which one follows, is decided there.
 */
#ifndef SEKISHO_STORE_HISTORY_H
#define SEKISHO_STORE_HISTORY_H

#include "appliance/store/generation.h"

/*
 * Fills an empty store's list and `next`. A damaged file is said in `damaged` and set aside, at the latest when another is
 * written. 0 or negative errno.
 */
int history_read(struct generation_store *s, struct err *e);
/* The whole file anew; `unsaved` says whether it is on the disk. */
int history_write(struct generation_store *s, struct err *e);
/* A number of such a file: digits and nothing else. */
bool history_number(const char *text, uint64_t *ret);

#endif
