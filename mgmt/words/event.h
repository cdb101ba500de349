/* SPDX-License-Identifier: Apache-2.0 */
/* An event (docs/json.md) in words: as one sentence, and the parts that this sentence and the lines
 * of `events` share. */
#ifndef SEKISHO_MGMT_WORDS_EVENT_H
#define SEKISHO_MGMT_WORDS_EVENT_H

#include <stdio.h>

#include "mgmt/state/read.h"

/* One sentence for people: who tried what with whom, what happened, and which line of the policy
 * decided. Owned by the caller; NULL when memory is out. Strings of the event are copied
 * unchanged. */
char *event_sentence(const json_t *event, enum lang l);

#define EVENT_END_TEXT 400

/* An end of a session: "10.30.1.13:502", or "RTG 4号機 (10.30.1.13:502)" if its label is known; ""
 * when the event has no such end. */
void event_end(const json_t *e, const char *key, char out[EVENT_END_TEXT]);
/* Prints the command as far as the event has it: " modbus write_single_register unit 1 holding
 * 400-401"; or nothing. */
void event_command(FILE *to, const json_t *e, enum lang l);
/* Prints the transport: "tcp", "icmp/8", or its number if it has no name. */
void event_transport(FILE *to, const json_t *e, enum lang l);
/* Prints the exceeded limit: "wrote 9 to holding 400; allowed 0 to 1"; or nothing. */
void event_limit(FILE *to, const json_t *e, enum lang l);
/* Prints the object of the event; known phrases in it are translated to `l`. */
void event_object(FILE *to, const json_t *e, enum lang l);
/* "dpi/0", or nothing. */
void event_process(FILE *to, const json_t *e);
/* Prints the gap: "10.3 ms"; or nothing when there was none. */
void event_gap(FILE *to, const json_t *e, enum lang l);

/*
 * Prints the reason why an order was refused, as a record has it. In records it is a sentence of
 * the catalogue in English, shortened to the room of a record. A known, complete sentence is
 * printed in language `l`, with its arguments unchanged; any other text is printed as it is.
 */
void refusal_print(FILE *to, enum lang l, const char *text);

/* The sessions of an answer by conduit, server and client: a new list, NULL = no memory. */
json_t *flows_sorted(const json_t *flows);

#endif
