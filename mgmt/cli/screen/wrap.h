/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that end before the edge of a terminal. English breaks at spaces; Japanese between any two
 * full-width characters, but no line begins with a closing bracket, a comma or a small kana, none
 * ends with an opening bracket, and no word of katakana is cut. Pure; UTF-8.
 */
#ifndef SEKISHO_MGMT_CLI_SCREEN_WRAP_H
#define SEKISHO_MGMT_CLI_SCREEN_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* What a person's terminal surely has. */
#define WRAP_CELLS 80u

/* Writes one line of text, without a line end at its end. `at` cells of the line are taken already;
 * lines after the first are indented by `hang`. A word that is longer than a line stands out
 * of it. */
void text_wrap(FILE *to, const char *text, size_t at, size_t hang);
/* Where the value of "  label       value" begins, in cells; without a label as far in as the line
 *                                   itself. */
size_t text_hang(const char *text);
/* A whole text of several lines, each wrapped, what follows indented as its line is. */
void text_wrap_all(FILE *to, const char *text);

/*
 * Text as a terminal shows it: how many cells it takes (full-width characters take two), and a copy
 * that cannot steer the terminal. Labels, names and messages come from policies and from the box;
 * neither may move the cursor, change colours or turn the direction of writing. Pure; UTF-8 in,
 * UTF-8 out.
 */

/* Cells of `s`; bytes that are not UTF-8 count one each. */
size_t text_cells(const char *s);
/* A malloc'd copy, owned by the caller, with controls, direction marks and bytes that are not UTF-8
 * replaced by '?';
 * NULL (read as "") gives "". NULL is returned only when memory is out. */
char *text_safe(const char *s);

#endif
