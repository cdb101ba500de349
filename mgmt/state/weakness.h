/* SPDX-License-Identifier: Apache-2.0 */
/* Describes weaknesses of TLS sessions in the reader's language. */
#ifndef SEKISHO_MGMT_STATE_WEAKNESS_H
#define SEKISHO_MGMT_STATE_WEAKNESS_H

#include "mgmt/state/read.h"

#define WEAKNESS_TEXT 400 /* bytes; enough for all weaknesses in either language */

/* "RC4, no forward secrecy", from the words in records; unknown words are copied. */
void weakness_text(const json_t *words, enum lang l, char out[WEAKNESS_TEXT]);

#endif
