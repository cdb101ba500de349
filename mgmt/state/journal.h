/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal says in its own words, in the reader's language: about itself, in a record or in
 * its status, and about weaknesses of TLS. */
#ifndef SEKISHO_MGMT_STATE_JOURNAL_H
#define SEKISHO_MGMT_STATE_JOURNAL_H

#include <stdio.h>

#include "mgmt/state/read.h"

/* Records have the phrases of appliance/wire/lost.def in English; these are printed in language
 * `l`. Names, numbers and all other text are printed unchanged. */
void lost_print(FILE *to, enum lang l, const char *object);
/* As lost_print, but returns the text: malloc'd, NULL = no memory. */
char *lost_text(enum lang l, const char *object);

#define WEAKNESS_TEXT 400 /* bytes; enough for all weaknesses in either language */

/* "RC4, no forward secrecy", from the words in records; unknown words are copied. */
void weakness_text(const json_t *words, enum lang l, char out[WEAKNESS_TEXT]);

#endif
