/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables for people: columns are aligned by terminal cells, with two spaces between them; the last
 * column is not padded. Owns copies of its texts (made safe for a terminal). If memory runs out, it
 * prints what it has and returns false; it never ends the program.
 */
#ifndef SEKISHO_MGMT_CLI_SCREEN_TABLE_H
#define SEKISHO_MGMT_CLI_SCREEN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "appliance/base/messages.h"

struct table;

#define TABLE_COLUMNS 14

/* `columns`: 1 to TABLE_COLUMNS; `indent`: spaces before each line. Owned by the caller. NULL when
 * memory is out, which all functions here accept. */
struct table *table_new(size_t columns, size_t indent);
/* As table_new, with a heading of one message for each column. */
struct table *table_headed(size_t columns, size_t indent, enum lang l, const enum message *heads);
void table_free(struct table *t);
void table_right(struct table *t, size_t column); /* aligns numbers to the right */
/* wraps the last column at the edge of the terminal */
void table_wrap(struct table *t);
/* Cells are added row by row. If `head` was called after the first row, that row is the heading.
 * NULL counts as "". */
void table_cell(struct table *t, const char *text);
void table_cellf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Makes the cells so far the heading, which is bold if colours are on. */
void table_head_done(struct table *t);
/* Adds a heading with one message for each column. */
void table_head(struct table *t, enum lang l, const enum message *heads);
size_t table_rows(const struct table *t); /* without the heading */
/* False when memory ran out, or writing failed. */
bool table_print(const struct table *t, FILE *to, bool color);
/* Prints the table, unless it has no rows, and frees it. False: it has none. */
bool table_end(struct table *t, FILE *to, bool color);

/*
 * Writes tables as CSV (RFC 4180), like the pages: with a byte order mark, which Excel needs for
 * Japanese, and without cells that a spreadsheet would treat as formulas. Pure but for the stream.
 */

#define CSV_MARK "\xef\xbb\xbf"

/* Writes a cell, and the comma or line end after it. False when memory is out. */
bool csv_cell(FILE *to, const char *text, bool last);
/* Writes a file; `rows` prints its rows. 0, or the errno. */
int csv_file(const char *file, bool (*rows)(FILE *to, void *ctx), void *ctx);

#endif
