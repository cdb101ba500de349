/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes the file `history` of the store. For generation.c alone. */
#ifndef SEKISHO_STORE_HISTORY_H
#define SEKISHO_STORE_HISTORY_H

#include "appliance/store/generation.h"

/* Writes the whole file. s->unsaved: it is not on the disk. 0 or negative errno. */
int history_write(struct generation_store *s, struct err *e);
/* Reads the file into an empty store: its list, turns and `next`. s->damaged: the file cannot be
 * read. It is then set aside, at the latest when a new one is written. 0 or negative errno. */
int history_read(struct generation_store *s, struct err *e);
/* Reads a number as such a file has it: decimal digits and nothing else. */
bool history_number(const char *text, uint64_t *ret);

#endif
