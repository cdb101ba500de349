/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wraps lines before the edge of a terminal. English breaks at spaces. Japanese breaks between any
 * two full-width characters, but no line begins with a closing bracket, a comma or a small kana,
 * none ends with an opening bracket, and no katakana word is cut. Pure; UTF-8.
 */
#ifndef SEKISHO_MGMT_CLI_SCREEN_WRAP_H
#define SEKISHO_MGMT_CLI_SCREEN_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* The width that every terminal has. */
#define WRAP_CELLS 80u

/* Writes a text as one paragraph, without a line end at its end. `at`: cells of the first line that
 * are taken already; further lines are indented by `hang`. A word that is longer than a line
 * exceeds it. */
void text_wrap(FILE *to, const char *text, size_t at, size_t hang);
/* The cell at which the value begins in " label value"; without a label, the indentation of the
 * line. */
size_t text_hang(const char *text);
/* Wraps a whole text line by line. Continuation lines are indented like their line; if an indented
 * line is " word  explanation", like the explanation. */
void text_wrap_all(FILE *to, const char *text);

/*
 * Text as shown on a terminal: its width in cells (full-width characters take two), and a copy
 * without control effects. Labels, names and messages come from policies and from the box; they
 * must not move the cursor, change colours or reverse the writing direction. Pure; UTF-8 in, UTF-8
 * out.
 */

/* The width of `s` in cells; invalid bytes count one each. */
size_t text_cells(const char *s);
/* A malloc'd copy, owned by the caller, in which controls, direction marks and invalid UTF-8 are
 * replaced by '?'. NULL counts as "". Returns NULL only when memory is out. */
char *text_safe(const char *s);

#endif
