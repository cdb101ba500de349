/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the box's JSON (docs/json.md) without fear of what is missing, and the small texts that several verbs share.
 * Borrowed strings belong to the JSON object. Nothing here prints but render_diagnostics and render_line.
 */
#ifndef SEKISHO_MGMT_CLI_WORDS_RENDER_H
#define SEKISHO_MGMT_CLI_WORDS_RENDER_H

#include "mgmt/cli/cli.h"

#define RENDER_TEXT 64

const char *js(const json_t *o, const char *key);	 /* "" when absent or no string */
unsigned long long ju(const json_t *o, const char *key); /* 0 when absent, no number or negative */
bool jb(const json_t *o, const char *key);		 /* false when absent */
const json_t *ja(const json_t *o, const char *key);	 /* NULL when absent; json_array_size(NULL) is 0 */

/* "2026-11-20T08:10:11.123Z" as local time, "2026-11-20 17:10:11 JST"; other texts are copied, "" stays "". */
void render_time(const char *rfc3339, char out[RENDER_TEXT]);
/* A reason's word as a sentence in this language; unknown words stand for themselves. */
const char *render_reason(const char *word, enum lang l);
/* Of a worker: what its lanes are for. */
const char *render_kind(const char *word, enum lang l);
/* The first 12 digits of a digest. */
void render_digest(const char *hex, char out[RENDER_TEXT]);
/* "4 (confirmed)" of a generation object. */
/* How a generation came to its state, when and by whom; "" when it was the apply itself. */
#define WHY_TEXT 256
void render_why(const json_t *g, enum lang l, char out[WHY_TEXT]);
/* What was written beside the last change of its state, "" when that was its apply, whose comment is told already. */
const char *render_later_comment(const json_t *g);
const char *render_state(const char *state, enum lang l); /* "confirmed" in words for people */
/* "4 (confirmed)" */
void render_generation(const json_t *generation, enum lang l, char out[RENDER_TEXT]);
/* The diagnostics of an answer as located lines; returns how many there were. */
size_t render_diagnostics(struct cli *c, const json_t *diagnostics);
/* Prints one sentence of the catalogue as a line, safe for a terminal and wrapped at its edge. */
void render_line(struct cli *c, enum message m, ...);

#endif
