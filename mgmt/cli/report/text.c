/* SPDX-License-Identifier: Apache-2.0 */
/* A page for a terminal. */
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/report/report.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/state/read.h"

static bool line(FILE *to, const char *text, const char *before, const char *after)
{
	char *safe = text_safe(text);

	if (safe == NULL)
		return false;
	fputs(before, to);
	text_wrap(to, safe, 0, 0);
	fputs(after, to);
	free(safe);
	return true;
}

#define COLUMN 34u /* cells of a column beside others */

/* Whether a column is too wide for a terminal; the last one does not count, because it wraps. */
static bool wide(const json_t *head, const json_t *cells)
{
	size_t n = json_array_size(head), i;
	const json_t *v;

	json_array_foreach(cells, i, v)
	{
		if (i % n + 1 < n && text_cells(js(v, "text")) > COLUMN)
			return true;
	}
	return false;
}

/* Prints each row as several lines: "  Head: text". */
static bool listed(FILE *to, const json_t *head, const json_t *cells)
{
	size_t n = json_array_size(head), i;
	const json_t *v;
	bool ok = true;

	json_array_foreach(cells, i, v)
	{
		const char *label = json_string_value(json_array_get(head, i % n));
		char *safe = text_safe(js(v, "text"));

		fprintf(to, "%s%s: ", i % n == 0 ? "\n  " : "    ", label);
		if (safe != NULL)
			text_wrap(to, safe, text_cells(label) + (i % n == 0 ? 4 : 6), 6);
		putc('\n', to);
		ok = ok && safe != NULL;
		free(safe);
	}
	return ok;
}

static bool rows(FILE *to, const json_t *part, bool color)
{
	const json_t *head = ja(part, "head"), *cells = ja(part, "cells"), *v;
	struct table *t = table_new(json_array_size(head), 2);
	bool ok;
	size_t i;

	if (wide(head, cells)) {
		table_free(t);
		return listed(to, head, cells);
	}
	json_array_foreach(head, i, v)
	{
		table_cell(t, json_string_value(v));
	}
	table_head_done(t);
	table_wrap(t);
	json_array_foreach(cells, i, v)
	{
		table_cell(t, js(v, "text"));
	}
	ok = table_print(t, to, color);
	table_free(t);
	return ok;
}

bool page_text(const struct page *p, FILE *to, bool color)
{
	bool ok = p != NULL && !p->failed;
	const json_t *part;
	size_t i;

	if (p == NULL)
		return false;
	ok = line(to, p->title, color ? "\033[1m" : "", color ? "\033[0m\n" : "\n") && ok;
	json_array_foreach(p->parts, i, part)
	{
		const char *kind = js(part, "kind");

		if (strcmp(kind, "table") == 0)
			ok = rows(to, part, color) && ok;
		else if (strcmp(kind, "section") == 0)
			ok = line(to, js(part, "text"), color ? "\n\033[1m" : "\n", color ? "\033[0m\n" : "\n") && ok;
		else if (strcmp(kind, "blank") == 0)
			ok = line(to, js(part, "text"), "\n", ": ____________________\n") && ok;
		else
			ok = line(to, js(part, "text"), "", "\n") && ok;
	}
	return ok && ferror(to) == 0;
}
