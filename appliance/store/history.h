/* SPDX-License-Identifier: Apache-2.0 */
/* The file `history` of the store: for generation.c alone, which decides what is in it. */
#ifndef SEKISHO_STORE_HISTORY_H
#define SEKISHO_STORE_HISTORY_H

#include "appliance/store/generation.h"

/* Writes the whole file anew; `unsaved` says whether it is on the disk. 0 or negative errno. */
int history_write(struct generation_store *s, struct err *e);
/* Fills an empty store's list and `next`. A damaged file is said in `damaged` and set aside, at the
 * latest when another is written. 0 or negative errno. */
int history_read(struct generation_store *s, struct err *e);
/* A number of such a file: decimal digits and nothing else. */
bool history_number(const char *text, uint64_t *ret);

#endif
