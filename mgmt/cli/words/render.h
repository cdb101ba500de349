/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small texts that several verbs share; texts that the pages use as well are in mgmt/state/read.h.
 * Borrowed strings belong to the JSON object. Only render_diagnostics and render_line print.
 */
#ifndef SEKISHO_MGMT_CLI_WORDS_RENDER_H
#define SEKISHO_MGMT_CLI_WORDS_RENDER_H

#include "mgmt/cli/cli.h"
#include "mgmt/state/read.h"

/* The sentence for a reason's word in this language; an unknown word is returned as it is. */
const char *render_reason(const char *word, enum lang l);
/* Why a scheduled backup was not stored; an unknown word is returned as it is. */
const char *render_carried(const char *word, enum lang l);
/* The first 12 digits of a digest. */
void render_digest(const char *hex, char out[RENDER_TEXT]);
/* How a generation got its state, when and by whom; "" when this was the apply itself. */
#define WHY_TEXT 256
void render_why(const json_t *g, enum lang l, char out[WHY_TEXT]);
/* The comment of the last change of its state; "" when that was the apply, whose comment is printed
 * elsewhere. */
const char *render_later_comment(const json_t *g);
const char *render_state(const char *state, enum lang l); /* "confirmed" in words for people */
/* "4 (confirmed)" */
void render_generation(const json_t *generation, enum lang l, char out[RENDER_TEXT]);
/* Prints the diagnostics of an answer with their places; returns their number. */
size_t render_diagnostics(struct cli *c, const json_t *diagnostics);
/* Prints one sentence of the catalogue as a line, safe for a terminal and wrapped at its edge. */
void render_line(struct cli *c, enum message m, ...);

#endif
