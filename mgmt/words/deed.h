/* SPDX-License-Identifier: Apache-2.0 */
/* What was changed from outside, as a record tells it, in the reader's language. */
#ifndef SEKISHO_MGMT_WORDS_DEED_H
#define SEKISHO_MGMT_WORDS_DEED_H

#include <stdio.h>

#include "appliance/base/messages.h"

/*
 * Records keep the words of appliance/wire/deed.def and of `verify`'s differences in English, between names of tables,
 * chains and rules as nft writes them. Those words are said in `l`; names and rules stay as they are.
 */
void deed_print(FILE *to, enum lang l, const char *object);

#endif
