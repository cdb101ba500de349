/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics as JSON, in the shape of docs/json.md: the same content as the printed form, for
 * programs. Owns nothing; knows only diag.h.
 */
#ifndef SEKISHO_BASE_DIAG_JSON_H
#define SEKISHO_BASE_DIAG_JSON_H

#include "appliance/base/diag.h"
#include "appliance/base/json.h"

/* {"diagnostics":[...],"errors":E,"warnings":W}; the diagnostics are sorted by place; E and W count
 * all of them, kept or not. A new reference, owned by the caller; NULL when memory is out. `s`
 * holds the `n` texts that places refer to. */
json_t *diags_json(struct diags *d, const struct source_text *s, size_t n, enum lang lang);

/* Adds the texts in every language to each entry of a list that diags_json made of `d`, whose order
 * has not changed since: "words": {"en": {"message", "hint"}, ...}. */
void diags_words(json_t *list, const struct diags *d);

#endif
