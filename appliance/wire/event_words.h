/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words and sentences of event.def, for code that writes events as JSON or shows them to
 * people. Pure tables; lang is "ja" or "en". Words are stable; a number out of range
 * gives "unknown".
 */
#ifndef SEKISHO_WIRE_EVENT_WORDS_H
#define SEKISHO_WIRE_EVENT_WORDS_H

#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"

/* NOTICE: normal operation. WARNING: a person should look into it. SERIOUS: somebody or something
 * works against the box. */
enum event_severity { EVENT_NOTICE, EVENT_WARNING, EVENT_SERIOUS, EVENT_SEVERITY_COUNT };

const char *event_kind_word(unsigned kind);
const char *event_verdict_word(unsigned verdict);
const char *event_severity_word(enum event_severity s);
/* NULL: events of this kind have no codes, or this code has no word. */
const char *event_code_word(unsigned kind, unsigned code);
enum event_severity event_severity(unsigned kind, unsigned code);
/*
 * Whether a role may send this event. So a compromised worker cannot record that a policy was
 * confirmed, that records were deleted or are missing, or who did something. Only the supervisor,
 * control, enforce and accounts may send texts; workers may send the name of a TLS server.
 */
bool event_said_by(enum role r, const struct event *e);

/* The numbers of words. For an unknown word: EVENT_NONE, EVENT_VERDICT_COUNT
 * and EVENT_SEVERITY_COUNT. */
unsigned event_kind_by_word(const char *word);
unsigned event_verdict_by_word(const char *word);
enum event_severity event_severity_by_word(const char *word);
/* The code of this word within a kind of events; 0 when there is none. */
unsigned event_code_by_word(unsigned kind, const char *word);

/* Texts for people. They take words and not numbers, because callers have the JSON. An unknown word
 * is returned as it is. */
const char *event_kind_text(const char *kind, const char *lang);
const char *event_verdict_text(const char *verdict, const char *lang);
const char *event_code_text(const char *kind, const char *code, const char *lang);
/* The sentence with its {places} unfilled; NULL when there is none. `code` and `verdict` may
 * be "". */
const char *event_box_sentence(const char *kind, const char *code, const char *lang);
const char *event_traffic_sentence(const char *verdict, bool answer, const char *lang);

#endif
