/* SPDX-License-Identifier: Apache-2.0 */
/* A row of commands that a conduit grants (docs/json.md, `effective`), in words: "read_coils (1);
 * coils 0-99, no other address; units 1". */
#ifndef SEKISHO_MGMT_WORDS_ROW_H
#define SEKISHO_MGMT_WORDS_ROW_H

#include <stdio.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/wire/protocols.h"

void row_text(FILE *to, const json_t *row, enum protocol p, enum lang l);
/* The short form for maps: "all read commands" instead of the functions that these words mean in a
 * policy, and no hexadecimal code if the function has a name. */
void row_groups(FILE *to, const json_t *row, enum protocol p, enum lang l);
/* The command words that a grant lets pass; null where commands are not inspected. A new
 * reference. */
json_t *grant_commands(const json_t *grant);

#endif
