/* SPDX-License-Identifier: Apache-2.0 */
/* Why a command was refused, in numbers: "wrote 9 to holding 400; allowed 0 to 1". For event lines, `explain` and replay. */
#ifndef SEKISHO_MGMT_WORDS_LIMIT_H
#define SEKISHO_MGMT_WORDS_LIMIT_H

#include <stdio.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/wire/vocabulary.h"

/* `limit` is the object of docs/json.md, in the words of `v` (may be NULL), `space` the name of the address space. False when there is nothing to say. */
bool limit_text(FILE *to, const json_t *limit, const struct vocabulary *v, const char *space, enum lang l);

#endif
