/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/screen/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/screen/wrap.h"

struct table {
	size_t columns, indent;
	bool right[TABLE_COLUMNS], wrap;
	size_t width[TABLE_COLUMNS];
	char **cells;
	size_t n, room;
	size_t head; /* cells of the heading */
	bool failed;
};

struct table *table_new(size_t columns, size_t indent)
{
	struct table *t = columns >= 1 && columns <= TABLE_COLUMNS ? calloc(1, sizeof(*t)) : NULL;

	if (t != NULL) {
		t->columns = columns;
		t->indent = indent;
	}
	return t;
}

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void table_right(struct table *t, size_t column)
{
	if (t != NULL && column < t->columns)
		t->right[column] = true;
}

void table_wrap(struct table *t)
{
	if (t != NULL)
		t->wrap = true;
}

void table_cell(struct table *t, const char *text)
{
	char *copy;
	size_t cells;

	if (t == NULL || t->failed)
		return;
	if (t->n == t->room) {
		size_t room = t->room == 0 ? 64 : t->room * 2;
		char **more = reallocarray(t->cells, room, sizeof(*more));

		if (more == NULL) {
			t->failed = true;
			return;
		}
		t->cells = more;
		t->room = room;
	}
	copy = text_safe(text);
	if (copy == NULL) {
		t->failed = true;
		return;
	}
	cells = text_cells(copy);
	if (cells > t->width[t->n % t->columns])
		t->width[t->n % t->columns] = cells;
	t->cells[t->n++] = copy;
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		if (t != NULL)
			t->failed = true;
		return;
	}
	table_cell(t, text);
	free(text);
}

void table_head_done(struct table *t)
{
	if (t != NULL)
		t->head = t->n;
}

void table_head(struct table *t, enum lang l, const enum message *heads)
{
	for (size_t i = 0; t != NULL && i < t->columns; i++)
		table_cell(t, message_format(heads[i], l));
	table_head_done(t);
}

struct table *table_headed(size_t columns, size_t indent, enum lang l, const enum message *heads)
{
	struct table *t = table_new(columns, indent);

	table_head(t, l, heads);
	return t;
}

size_t table_rows(const struct table *t)
{
	return t == NULL ? 0 : (t->n - t->head + t->columns - 1) / t->columns;
}

static void pad(FILE *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fputc(' ', to);
}

/* Whether nothing follows cell i in this row. */
static bool row_ends(const struct table *t, size_t i)
{
	for (size_t k = i + 1; k < t->n && k % t->columns != 0; k++)
		if (t->cells[k][0] != '\0')
			return false;
	return true;
}

/* cells; a narrower last column is not wrapped, because it would be hard to read */
#define WRAP_LEAST 24u

/* The cell at which the last column begins. */
static size_t last_begins(const struct table *t)
{
	size_t at = t->indent;

	for (size_t i = 0; i + 1 < t->columns; i++)
		at += t->width[i] + 2;
	return at;
}

bool table_print(const struct table *t, FILE *to, bool color)
{
	size_t edge;

	if (t == NULL)
		return false;
	edge = last_begins(t);
	for (size_t i = 0; i < t->n; i++) {
		size_t column = i % t->columns;
		size_t gap = t->width[column] - text_cells(t->cells[i]);
		bool last = column + 1 == t->columns || i + 1 == t->n;
		bool bold = color && i < t->head, wrap = t->wrap && column + 1 == t->columns;

		if (column == 0)
			pad(to, t->indent);
		if (t->right[column] && !(t->cells[i][0] == '\0' && row_ends(t, i)))
			pad(to, gap);
		fputs(bold ? "\033[1m" : "", to);
		if (wrap && edge + WRAP_LEAST <= WRAP_CELLS)
			text_wrap(to, t->cells[i], edge, edge);
		else
			fputs(t->cells[i], to);
		fputs(bold ? "\033[0m" : "", to);
		if (last)
			fputc('\n', to);
		else if (!row_ends(t, i))
			pad(to, (t->right[column] ? 0 : gap) + 2);
	}
	return !t->failed && !ferror(to);
}

bool table_end(struct table *t, FILE *to, bool color)
{
	bool any = table_rows(t) > 0;

	if (any)
		(void)table_print(t, to, color);
	table_free(t);
	return any;
}

bool csv_cell(FILE *to, const char *text, bool last)
{
	char *safe = text_safe(text);
	size_t at;

	if (safe == NULL)
		return false;
	at = strspn(safe, " ");
	putc('"', to);
	if (safe[at] != '\0' && strchr("=+-@", safe[at]) != NULL)
		putc('\'', to);
	for (const char *s = safe; *s != '\0'; s++) {
		if (*s == '"')
			putc('"', to);
		putc(*s, to);
	}
	fputs(last ? "\"\r\n" : "\",", to);
	free(safe);
	return true;
}

int csv_file(const char *file, bool (*rows)(FILE *to, void *ctx), void *ctx)
{
	FILE *to = fopen(file, "we");
	bool sound = to != NULL && fputs(CSV_MARK, to) >= 0 && rows(to, ctx) && ferror(to) == 0;
	int code = errno != 0 ? errno : EIO;

	if (to != NULL && fclose(to) != 0 && sound)
		return errno;
	return sound ? 0 : code;
}
