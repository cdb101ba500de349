/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer of the box for people, as rows of a .def: sentences, tables, and lists of them. Paths,
 * values and conditions are those of mgmt/cli/words/value.h. The rows stand in an array of struct
 * answer_row, which a row with END ends.
 */
#ifndef SEKISHO_MGMT_CLI_WORDS_ANSWER_H
#define SEKISHO_MGMT_CLI_WORDS_ANSWER_H

#include "mgmt/cli/cli.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/words/value.h"

struct answer_row {
	enum { ANSWER_END, ANSWER_LINE, ANSWER_PLAIN, ANSWER_EACH, ANSWER_TABLE, ANSWER_COLUMN, ANSWER_CALL } what;
	unsigned indent;
	bool right, wraps;
	const char *list, *when;
	enum message m;
	const char *args[VALUE_ARGS];
	void (*call)(struct cli *c, const json_t *root, const json_t *row);
};

/* A sentence, wrapped at the terminal's edge. */
#define LINE(when, m, ...) { ANSWER_LINE, 0, false, false, "", when, m, { __VA_ARGS__ }, NULL },
/* As LINE, for each member of the list. */
#define LINES(list, when, m, ...) { ANSWER_LINE, 0, false, false, list, when, m, { __VA_ARGS__ }, NULL },
/* A sentence with the line ends of its text. */
#define PLAIN(when, m, ...) { ANSWER_PLAIN, 0, false, false, "", when, m, { __VA_ARGS__ }, NULL },
/* The rows up to END, for each member of the list; for an object: once, for it. */
#define EACH(list, when) { ANSWER_EACH, 0, false, false, list, when, 0, { NULL }, NULL },
#define END { ANSWER_END, 0, false, false, "", "", 0, { NULL }, NULL },
/* A table with a row for each member of the list, and its columns, up to END; below the heading `m`
 * (0: none). Nothing for an empty list. */
#define TABLE(list, indent, m) { ANSWER_TABLE, indent, false, true, list, "", m, { NULL }, NULL },
/* As TABLE; its last column is not wrapped. */
#define TABLE_WIDE(list, indent, m) { ANSWER_TABLE, indent, false, false, list, "", m, { NULL }, NULL },
#define COLUMN(head, value) { ANSWER_COLUMN, 0, false, false, "", "", head, { value }, NULL },
/* A column of numbers. */
#define NUMBER(head, value) { ANSWER_COLUMN, 0, true, false, "", "", head, { value }, NULL },
/* Instead of the value of the column before, where the condition holds. */
#define INSTEAD(when, m, ...) { ANSWER_LINE, 0, false, false, "", when, m, { __VA_ARGS__ }, NULL },
/* What no row can say. */
#define CALL(when, function) { ANSWER_CALL, 0, false, false, "", when, 0, { NULL }, function },

void answer_print(struct cli *c, const struct answer_row *rows, const json_t *answer);
/* The headings of a table, and the text of a column for a row (malloc'd), for other forms of it. */
size_t answer_heads(const struct answer_row *table, enum message heads[TABLE_COLUMNS]);
char *answer_cell(const struct answer_row *column, const struct value_place *p);
/* Writes the first of `rows`, a table, as a file for spreadsheets. 0, or the errno. */
int answer_csv(const char *file, const struct answer_row *rows, const json_t *answer, enum lang l);

#endif
