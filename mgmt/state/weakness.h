/* SPDX-License-Identifier: Apache-2.0 */
/* What is weak about TLS that was seen, in the reader's language. */
#ifndef SEKISHO_MGMT_STATE_WEAKNESS_H
#define SEKISHO_MGMT_STATE_WEAKNESS_H

#include "mgmt/state/read.h"

#define WEAKNESS_TEXT 400 /* all of them, in either language */

/* "RC4, no forward secrecy", of the words that records have; a word that is not known stays as
 * it is. */
void weakness_text(const json_t *words, enum lang l, char out[WEAKNESS_TEXT]);

#endif
