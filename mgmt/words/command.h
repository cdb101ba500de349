/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of sentences about a command, from its JSON: whom it is for, its function,
 * its addresses. */
#ifndef SEKISHO_MGMT_WORDS_COMMAND_H
#define SEKISHO_MGMT_WORDS_COMMAND_H

#include <stdio.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/wire/vocabulary.h"

/* The words of the protocol that it names; NULL: it has none, or is of a release that
 * knows more. */
const struct vocabulary *command_words(const json_t *o);
/*
 * "unit 1", "network 0, station 2": each with `before` before it. What stands for the very device
 * that was spoken to is left out. Returns how many were printed.
 */
unsigned command_targets(FILE *to, const json_t *o, const struct vocabulary *v, const char *before, enum lang l);
/* "write_single_register", or "function 66" where it has no name. */
void command_function(FILE *to, const json_t *o, const struct vocabulary *v, enum lang l);

/* Why a command was refused, in numbers: "wrote 9 to holding 400; allowed 0 to 1". For event lines,
 * `explain` and replay. */

/* `limit` is the object of docs/json.md, in the words of `v` (may be NULL), `space` the name of the
 * address space. False when there is nothing to say. */
bool limit_text(FILE *to, const json_t *limit, const struct vocabulary *v, const char *space, enum lang l);

#endif
