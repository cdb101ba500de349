/* SPDX-License-Identifier: Apache-2.0 */
/* An event (docs/json.md) as one line of text, and as one sentence for people. Owned strings; NULL when memory is out. */
#ifndef SEKISHO_MGMT_CLI_WORDS_EVENT_H
#define SEKISHO_MGMT_CLI_WORDS_EVENT_H

#include "mgmt/cli/cli.h"

/* For lists: time, number, verdict, who, what, why, which conduit and line. No newline. Owned by the caller. */
char *event_line(const json_t *event, enum lang l);
/* For `explain`: who tried what with whom, what happened and because of which line of the policy. */
char *event_sentence(const json_t *event, enum lang l);

#endif
