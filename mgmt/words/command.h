/* SPDX-License-Identifier: Apache-2.0 */
/* Commands in words: parts of sentences about one, from its JSON, and rows of commands that a
 * conduit grants. */
#ifndef SEKISHO_MGMT_WORDS_COMMAND_H
#define SEKISHO_MGMT_WORDS_COMMAND_H

#include <stdio.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/vocabulary.h"

/* The vocabulary of the command's protocol. NULL: the JSON names no protocol, or one of a later
 * release. */
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

/* The row of `allow` that lets a refused command pass, as a policy writes it: "{ functions =
 * ["write_single_register"]; units = ["1"]; holding = ["400"]; values = ["9"]; }". Values that the
 * record does not have are not bounded. Owned by the caller; NULL: the event is about no command,
 * or memory is out. */
char *row_needed(const json_t *event);
/* A row of commands that a conduit grants (docs/json.md, `effective`): "read_coils (1); coils 0-99,
 * no other address; units 1". */
void row_text(FILE *to, const json_t *row, enum protocol p, enum lang l);
/* The short form for maps: "all read commands" instead of the functions that these words mean in a
 * policy, and no hexadecimal code if the function has a name. */
void row_groups(FILE *to, const json_t *row, enum protocol p, enum lang l);
/* The command words that a grant lets pass; null where commands are not inspected. A new
 * reference. */
json_t *grant_commands(const json_t *grant);

#endif
