/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Converts an event (docs/json.md) to EVE, the format of Suricata's events, for programs that
 * collect both. The event itself is in the member `sekisho`, because EVE has no fields for some of
 * its data. Pure.
 */
#ifndef SEKISHO_MGMT_WORDS_EVE_H
#define SEKISHO_MGMT_WORDS_EVE_H

#include <stddef.h>
#include <stdio.h>

#include "appliance/base/json.h"

/* Owned by the caller; NULL when memory is out. */
json_t *event_eve(const json_t *event);

/*
 * For rsyslogd, which gives each record line to sekisho-eve, and sends the program's answer
 * instead. Writes the answer to one line as rsyslog's mmexternal expects it: {"msg":TEXT}, where
 * TEXT is the record in `line` as EVE, like the output of `sekisho events --eve`. For a line that
 * is no record, or without memory, it writes {}, which means "leave it as it is", so no line
 * is lost.
 */
void eve_answer(const char *line, size_t n, FILE *to);

#endif
