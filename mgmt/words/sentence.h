/* SPDX-License-Identifier: Apache-2.0 */
/* An event (docs/json.md) as one sentence for people: who tried what with whom, what happened, and
 * which line of the policy decided. */
#ifndef SEKISHO_MGMT_WORDS_SENTENCE_H
#define SEKISHO_MGMT_WORDS_SENTENCE_H

#include "appliance/base/json.h"
#include "appliance/base/messages.h"

/* Owned by the caller; NULL when memory is out. Strings of the event are copied unchanged. */
char *event_sentence(const json_t *event, enum lang l);

#endif
