/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of an event (docs/json.md) for a terminal, without a newline. The caller owns them; NULL
 * when memory is out. */
#ifndef SEKISHO_MGMT_CLI_WORDS_EVENT_H
#define SEKISHO_MGMT_CLI_WORDS_EVENT_H

#include "mgmt/cli/cli.h"

/* For lists: time, number, verdict, ends, command, reason, conduit and line. */
char *event_line(const json_t *event, enum lang l);
/* For `explain`: the text of event_sentence(), safe for a terminal. */
char *event_told(const json_t *event, enum lang l);

#endif
