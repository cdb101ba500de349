/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of a page as CSV (RFC 4180), as the audit page writes it: a byte order mark, without which Excel takes Japanese for something
 * else, and no cell
 * that a spreadsheet would compute. A section's heading stands in a row of its own before its table.
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/report/parts.h"
#include "mgmt/cli/screen/width.h"
#include "mgmt/state/read.h"

static bool cell(FILE *to, const char *text)
{
	char *safe = text_safe(text);

	if (safe == NULL)
		return false;
	fputs("\"", to);
	if (strchr("=+-@", safe[strspn(safe, " ")]) != NULL && safe[strspn(safe, " ")] != '\0')
		putc('\'', to);
	for (const char *s = safe; *s != '\0'; s++) {
		if (*s == '"')
			putc('"', to);
		putc(*s, to);
	}
	fputs("\"", to);
	free(safe);
	return true;
}

static bool row(FILE *to, const json_t *list, size_t from, size_t n)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, from + i);

		if (i > 0)
			putc(',', to);
		ok = cell(to, json_is_string(v) ? json_string_value(v) : js(v, "text")) && ok;
	}
	fputs("\r\n", to);
	return ok;
}

bool page_csv(const struct page *p, FILE *to)
{
	bool ok = p != NULL && !p->failed;
	const char *section = "";
	const json_t *part;
	size_t i;

	if (p == NULL)
		return false;
	fputs("\xef\xbb\xbf", to);
	json_array_foreach(p->parts, i, part)
	{
		const json_t *head = ja(part, "head"), *cells = ja(part, "cells");
		size_t n = json_array_size(head);

		if (strcmp(js(part, "kind"), "section") == 0)
			section = js(part, "text");
		if (n == 0)
			continue;
		ok = cell(to, section) && ok;
		fputs("\r\n", to);
		ok = row(to, head, 0, n) && ok;
		for (size_t k = 0; k + n <= json_array_size(cells); k += n)
			ok = row(to, cells, k, n) && ok;
	}
	return ok && ferror(to) == 0;
}
