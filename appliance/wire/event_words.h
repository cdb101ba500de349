/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What event.def says about events, for who writes them as JSON and who reads them to people. Pure tables; lang is "ja" or
 * "en", as with reasons. Words are stable; what is out of range is called "unknown".
 */
#ifndef SEKISHO_WIRE_EVENT_WORDS_H
#define SEKISHO_WIRE_EVENT_WORDS_H

#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

/* NOTICE: the box does its work. WARNING: something needs a look. SERIOUS: somebody or something works against the box. */
enum event_severity { EVENT_NOTICE, EVENT_WARNING, EVENT_SERIOUS, EVENT_SEVERITY_COUNT };

const char *event_kind_word(unsigned kind);
const char *event_verdict_word(unsigned verdict);
const char *event_severity_word(enum event_severity s);
/* NULL: events of this kind have no codes, or this one says nothing. */
const char *event_code_word(unsigned kind, unsigned code);
enum event_severity event_severity(unsigned kind, unsigned code);
/*
 * Whether a role may send this: a worker that was taken over cannot write that a policy was confirmed, nor in the journal's name that records were
 * deleted or are missing, nor by whom something was done: texts come from the supervisor and enforce alone.
 */
bool event_said_by(enum role r, const struct event *e);

/* Words back to numbers: EVENT_NONE, EVENT_VERDICT_COUNT and EVENT_SEVERITY_COUNT when they are none. */
unsigned event_kind_by_word(const char *word);
unsigned event_verdict_by_word(const char *word);
enum event_severity event_severity_by_word(const char *word);
/* Of a kind that has codes; 0 when it is none. */
unsigned event_code_by_word(unsigned kind, const char *word);

/* For people; by word, since who reads has the JSON. Unknown words stand for themselves. */
const char *event_kind_text(const char *kind, const char *lang);
const char *event_verdict_text(const char *verdict, const char *lang);
const char *event_code_text(const char *kind, const char *code, const char *lang);
/* The sentence with its {places} unfilled; NULL when there is none. `code` and `verdict` may be "". */
const char *event_box_sentence(const char *kind, const char *code, const char *lang);
const char *event_traffic_sentence(const char *verdict, bool answer, const char *lang);

#endif
