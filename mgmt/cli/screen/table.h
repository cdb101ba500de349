/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables for people: columns aligned by terminal cells, two spaces between them, the last column
 * never padded. Owns copies of its texts (made safe for a terminal). A table that ran out of memory
 * prints what it has and says so through its return value; it never ends the program.
 */
#ifndef SEKISHO_MGMT_CLI_SCREEN_TABLE_H
#define SEKISHO_MGMT_CLI_SCREEN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "appliance/base/messages.h"

struct table;

#define TABLE_COLUMNS 12

/* `columns` 1 to TABLE_COLUMNS; `indent` spaces before each line. Owned by the caller; NULL when
 * memory is out, which every function here accepts. */
struct table *table_new(size_t columns, size_t indent);
void table_free(struct table *t);
void table_right(struct table *t, size_t column); /* numbers stand at the right edge */
/* the last column goes on below itself at the terminal's edge */
void table_wrap(struct table *t);
/* Cells come row by row; the first row is the heading when `head` was called with it complete. NULL
 * is "". */
void table_cell(struct table *t, const char *text);
void table_cellf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The cells so far are the heading: printed bold where `color` says so. */
void table_head_done(struct table *t);
/* ... which is a message for each column. */
void table_head(struct table *t, enum lang l, const enum message *heads);
size_t table_rows(const struct table *t); /* without the heading */
/* False when memory ran out on the way, or writing failed. */
bool table_print(const struct table *t, FILE *to, bool color);

#endif
