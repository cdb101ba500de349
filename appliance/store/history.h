/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes the file `history` of the store, for generation.c; and its text, by which the
 * supervisor tells control. */
#ifndef SEKISHO_STORE_HISTORY_H
#define SEKISHO_STORE_HISTORY_H

#include "appliance/store/generation.h"

#define HISTORY_LINE 4096u /* some characters take three bytes when stored */
#define HISTORY_TURN 64u
#define HISTORY_MAX (HISTORY_LINE * (GENERATIONS_KEPT + 1u) + HISTORY_TURN * TURNS_KEPT)

/* Writes the whole file. s->unsaved: it is not on the disk. 0 or negative errno. */
int history_write(struct generation_store *s, struct err *e);
/* Reads the file into an empty store: its list, turns and `next`. s->damaged: the file cannot be
 * read. It is then set aside, at the latest when a new one is written. 0 or negative errno. */
int history_read(struct generation_store *s, struct err *e);
/* The text of the file; malloc'd, NULL: no memory. */
char *history_text(const struct generation_store *s, size_t *ret_n);
/* Reads the text into an empty store whose list has room for `most`, and cuts it in place. False:
 * it is not valid, and the store is empty. */
bool history_take(struct generation_store *s, char *text, size_t most);
/* Reads a number as such a file has it: decimal digits and nothing else. */
bool history_number(const char *text, uint64_t *ret);

#endif
