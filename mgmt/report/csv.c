/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a page as CSV; a section's heading is a row of its own before its table. */
#include <string.h>

#include "mgmt/cli/screen/table.h"
#include "mgmt/report/page.h"
#include "mgmt/state/read.h"

static bool row(FILE *to, const json_t *list, size_t from, size_t n)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, from + i);

		ok = csv_cell(to, json_is_string(v) ? json_string_value(v) : js(v, "text"), i == n - 1) && ok;
	}
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
	fputs(CSV_MARK, to);
	json_array_foreach(p->parts, i, part)
	{
		const json_t *head = ja(part, "head"), *cells = ja(part, "cells");
		size_t n = json_array_size(head);

		if (strcmp(js(part, "kind"), "section") == 0)
			section = js(part, "text");
		if (n == 0)
			continue;
		ok = csv_cell(to, section, true) && ok;
		ok = row(to, head, 0, n) && ok;
		for (size_t k = 0; k + n <= json_array_size(cells); k += n)
			ok = row(to, cells, k, n) && ok;
	}
	return ok && ferror(to) == 0;
}
