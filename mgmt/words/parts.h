/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of an event's JSON object as people read them: the line of `events` and the sentence
 * of `explain` share them. */
#ifndef SEKISHO_MGMT_WORDS_PARTS_H
#define SEKISHO_MGMT_WORDS_PARTS_H

#include <stdio.h>

#include "mgmt/state/read.h"

#define EVENT_END_TEXT 400

/* "10.30.1.13:502", "RTG 4号機 (10.30.1.13:502)" when its label is known; "" when there is no
 * such end. */
void event_end(const json_t *e, const char *key, char out[EVENT_END_TEXT]);
/* " modbus write_single_register unit 1 holding 400-401" as far as the event says it,
 * or nothing. */
void event_command(FILE *to, const json_t *e, enum lang l);
/* "tcp", "icmp/8", or the number of a transport that has no name. */
void event_transport(FILE *to, const json_t *e, enum lang l);
/* "wrote 9 to holding 400; allowed 0 to 1", or nothing. */
void event_limit(FILE *to, const json_t *e, enum lang l);
/* What it is about: the words in it that are known are said in `l`. */
void event_object(FILE *to, const json_t *e, enum lang l);
/* "dpi/0", or nothing. */
void event_process(FILE *to, const json_t *e);
/* "10.3 ms", or nothing when there was no gap. */
void event_gap(FILE *to, const json_t *e, enum lang l);

#endif
