/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables as spreadsheets save them: comma-separated values (RFC 4180), one cell after the other, each with its place. The text is
 * UTF-8 (load.h sees to what is not), with or without a byte order mark, and any bytes at all are refused or read, never
 * misread. Borrows the text; cells are in the arena.
 */
#ifndef SEKISHO_POLICY_READ_CSV_H
#define SEKISHO_POLICY_READ_CSV_H

#include "appliance/base/arena.h"
#include "appliance/base/diag.h"

struct csv {
	struct arena *arena;
	const char *p, *end;
	struct srcpos at; /* of p */
	uint32_t row, column;
	bool begun; /* a row: behind a comma a cell follows, whatever comes */
};

/* Why a table cannot be read on from here. */
enum csv_fault {
	CSV_FINE,
	CSV_NOT_UTF8,
	CSV_CONTROL, /* a character that no cell has */
	CSV_OPEN,    /* a quote that nothing closes */
	CSV_QUOTE,   /* a quote inside of a cell that has none around it, or something behind the closing one */
	CSV_MEMORY,
};

struct csv_cell {
	const char *text;     /* without quotes, and without blanks around it; arena */
	struct srcpos at;     /* of what stands in the file */
	uint32_t width;	      /* characters, at least 1 */
	uint32_t row, column; /* from 1 */
	bool last;	      /* of its row */
};

void csv_begin(struct csv *c, const struct source_text *s, uint32_t file, struct arena *a);
/* The next cell. False at the end, or at a fault, with the place in *ret. */
bool csv_next(struct csv *c, struct csv_cell *ret, enum csv_fault *ret_fault);

/* The cell at a place of the text as spreadsheets name it: "C12", "AA7". */
#define CSV_CELL_TEXT 24u
void csv_cell_text(const struct source_text *s, struct srcpos at, char out[CSV_CELL_TEXT]);
/* By its name a file is such a table. */
bool csv_is_table(const char *name);
/* A spreadsheet would compute it. */
bool csv_is_formula(const char *cell);

#endif
