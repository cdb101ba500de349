/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small texts that several verbs share, beside those that the pages have as well
 * (mgmt/state/read.h). Borrowed strings belong to the JSON object. Nothing here prints but
 * render_diagnostics and render_line.
 */
#ifndef SEKISHO_MGMT_CLI_WORDS_RENDER_H
#define SEKISHO_MGMT_CLI_WORDS_RENDER_H

#include "mgmt/cli/cli.h"
#include "mgmt/state/read.h"

/* A reason's word as a sentence in this language; unknown words stand for themselves. */
const char *render_reason(const char *word, enum lang l);
/* The first 12 digits of a digest. */
void render_digest(const char *hex, char out[RENDER_TEXT]);
/* "4 (confirmed)" of a generation object. */
/* How a generation came to its state, when and by whom; "" when it was the apply itself. */
#define WHY_TEXT 256
void render_why(const json_t *g, enum lang l, char out[WHY_TEXT]);
/* What was written beside the last change of its state, "" when that was its apply, whose comment
 * is told already. */
const char *render_later_comment(const json_t *g);
const char *render_state(const char *state, enum lang l); /* "confirmed" in words for people */
/* "4 (confirmed)" */
void render_generation(const json_t *generation, enum lang l, char out[RENDER_TEXT]);
/* The diagnostics of an answer as located lines; returns how many there were. */
size_t render_diagnostics(struct cli *c, const json_t *diagnostics);
/* Prints one sentence of the catalogue as a line, safe for a terminal and wrapped at its edge. */
void render_line(struct cli *c, enum message m, ...);

#endif
