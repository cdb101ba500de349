/* SPDX-License-Identifier: Apache-2.0 */
/* Why the oldest records stay, and what was left out on a full disk, as a record of the journal tells it, in the reader's language. */
#ifndef SEKISHO_MGMT_CLI_WORDS_LOST_H
#define SEKISHO_MGMT_CLI_WORDS_LOST_H

#include <stdio.h>

#include "appliance/base/messages.h"

/* Records keep the words of appliance/wire/lost.def in English; those are said in `l`. Names, numbers and whatever else is there stay as they are. */
void lost_print(FILE *to, enum lang l, const char *object);

#endif
