/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes tables as CSV (RFC 4180), like the pages: with a byte order mark, which Excel needs for
 * Japanese, and without cells that a spreadsheet would treat as formulas. Pure but for the stream.
 */
#ifndef SEKISHO_MGMT_CLI_SCREEN_CSV_H
#define SEKISHO_MGMT_CLI_SCREEN_CSV_H

#include <stdbool.h>
#include <stdio.h>

#define CSV_MARK "\xef\xbb\xbf"

/* Writes a cell, and the comma or line end after it. False when memory is out. */
bool csv_cell(FILE *to, const char *text, bool last);
/* Writes a file; `rows` prints its rows. 0, or the errno. */
int csv_file(const char *file, bool (*rows)(FILE *to, void *ctx), void *ctx);

#endif
