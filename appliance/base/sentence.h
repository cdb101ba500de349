/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sentence of the message catalogue in every language. It is written when something happens, when
 * the language of the later reader is not known yet. It owns its text.
 */
#ifndef SEKISHO_BASE_SENTENCE_H
#define SEKISHO_BASE_SENTENCE_H

#include <stdarg.h>
#include <stdbool.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"

struct sentence {
	char text[LANGUAGES][800]; /* per enum lang; "" = nothing was said */
};

bool sentence_said(const struct sentence *s);
void sentence_forget(struct sentence *s);
void sentence_say(struct sentence *ret, enum message m, ...);
/* Afterwards `ap` may only be passed to va_end. */
void sentence_vsay(struct sentence *ret, enum message m, va_list ap);
/* {"en": ..., "ja": ...}, or null. The caller owns it. */
json_t *sentence_json(const struct sentence *s);

/* The sentence in every language, {"en": ..., "ja": ...}; the reader chooses. Owned by
 * the caller. */
json_t *json_sentence(enum message m, ...);

#endif
