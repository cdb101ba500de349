/* SPDX-License-Identifier: Apache-2.0 */
/* Why an order was refused, as a record tells it, in the reader's language. */
#ifndef SEKISHO_MGMT_WORDS_REFUSAL_H
#define SEKISHO_MGMT_WORDS_REFUSAL_H

#include <stdio.h>

#include "appliance/base/messages.h"

/*
 * Records keep such a sentence of the catalogue in English, and not more of it than has room. Where
 * it is one that is known, whole, it is said in `l`; what stands at its places stays as it is, and
 * so does any other text.
 */
void refusal_print(FILE *to, enum lang l, const char *text);

#endif
