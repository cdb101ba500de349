/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of sentences about a command, from its JSON: its targets, its function, its addresses. */
#ifndef SEKISHO_MGMT_WORDS_COMMAND_H
#define SEKISHO_MGMT_WORDS_COMMAND_H

#include <stdio.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/wire/vocabulary.h"

/* The vocabulary of the command's protocol; NULL: it names none, or one of a later release. */
const struct vocabulary *command_words(const json_t *o);
/*
 * Prints the targets, each after `before`: "unit 1", "network 0, station 2". A target that means
 * the addressed device itself is left out. Returns how many were printed.
 */
unsigned command_targets(FILE *to, const json_t *o, const struct vocabulary *v, const char *before, enum lang l);
/* Prints the function: "write_single_register", or "function 66" if it has no name. */
void command_function(FILE *to, const json_t *o, const struct vocabulary *v, enum lang l);

/* The limit that a refused command exceeded: "wrote 9 to holding 400; allowed 0 to 1". For event
 * lines, `explain` and replay. */

/* `limit`: the object of docs/json.md, printed with the words of `v` (may be NULL); `space`: name
 * of the address space. False when there is nothing to print. */
bool limit_text(FILE *to, const json_t *limit, const struct vocabulary *v, const char *space, enum lang l);

#endif
