/* SPDX-License-Identifier: Apache-2.0 */
/* Translates the reason why an order was refused, as a record has it. */
#ifndef SEKISHO_MGMT_WORDS_REFUSAL_H
#define SEKISHO_MGMT_WORDS_REFUSAL_H

#include <stdio.h>

#include "appliance/base/messages.h"

/*
 * In records, the reason is a sentence of the catalogue in English, shortened to the room of a
 * record. A known, complete sentence is printed in language `l`, with its arguments unchanged; any
 * other text is printed as it is.
 */
void refusal_print(FILE *to, enum lang l, const char *text);

#endif
