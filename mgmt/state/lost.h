/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal says of itself, in a record or in its status, in the reader's language. */
#ifndef SEKISHO_MGMT_STATE_LOST_H
#define SEKISHO_MGMT_STATE_LOST_H

#include <stdio.h>

#include "appliance/base/messages.h"

/* Records keep the words of appliance/wire/lost.def in English; those are said in `l`. Names,
 * numbers and whatever else is there stay as they are. */
void lost_print(FILE *to, enum lang l, const char *object);
/* The same as a text: malloc'd, NULL = no memory. */
char *lost_text(enum lang l, const char *object);

#endif
