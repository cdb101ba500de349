/* SPDX-License-Identifier: Apache-2.0 */
/* Translates what the journal reports about itself, in a record or in its status. */
#ifndef SEKISHO_MGMT_STATE_LOST_H
#define SEKISHO_MGMT_STATE_LOST_H

#include <stdio.h>

#include "appliance/base/messages.h"

/* Records have the phrases of appliance/wire/lost.def in English; these are printed in language
 * `l`. Names, numbers and all other text are printed unchanged. */
void lost_print(FILE *to, enum lang l, const char *object);
/* As lost_print, but returns the text: malloc'd, NULL = no memory. */
char *lost_text(enum lang l, const char *object);

#endif
