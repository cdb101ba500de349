/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables as spreadsheets save them: comma-separated values (RFC 4180), one cell after the other,
 * each with its place. The text is UTF-8 (load.h converts other encodings), with or without a byte
 * order mark. Any input is either read correctly or refused. Borrows the text; cells are in
 * the arena.
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
	bool begun; /* a row has begun: after a comma, a cell follows in any case */
};

/* Why the rest of a table cannot be read. */
enum csv_fault {
	CSV_FINE,
	CSV_NOT_UTF8,
	CSV_CONTROL, /* a character that no cell has */
	CSV_OPEN,    /* a quote that nothing closes */
	/* a quote inside an unquoted cell, or characters after the closing quote */
	CSV_QUOTE,
	CSV_MEMORY,
};

struct csv_cell {
	const char *text;     /* without quotes, and without blanks around it; arena */
	struct srcpos at;     /* where the cell begins in the file, its quotes included */
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
/* Whether the name of a file shows that it is such a table. */
bool csv_is_table(const char *name);
/* Whether a spreadsheet would treat the cell as a formula. */
bool csv_is_formula(const char *cell);

#endif
