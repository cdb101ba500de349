/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/answers.h"

#include <stdio.h>
#include <stdlib.h>

#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/words/render.h"

/* "10.30.0.10-10.30.0.19, 10.30.0.31 and 7 more" */
static void ranges_cell(struct cli *c, struct table *t, const json_t *ranges, size_t most)
{
	size_t n = json_array_size(ranges), shown = most > 0 && n > most ? most : n, size;
	char *text = NULL;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return;
	for (size_t i = 0; i < shown; i++)
		fprintf(to, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(ranges, i)));
	if (shown < n)
		message_print(to, c->lang, M_ANSWERS_MORE, n - shown);
	table_cell(t, fclose(to) == 0 ? text : "");
	free(text);
}

void answers_print(struct cli *c, const json_t *list, const char *key, size_t most)
{
	struct table *t = table_new(3, 2);

	table_cell(t, message_format(M_COL_INTERFACE, c->lang));
	table_cell(t, message_format(M_COL_HOSTS, c->lang));
	table_cell(t, message_format(M_COL_ANSWERED, c->lang));
	table_head_done(t);
	table_wrap(t);
	table_right(t, 1);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i), *inner = ja(x, "answers"), *a = inner != NULL ? inner : x;

		if (ja(a, "ranges") == NULL)
			continue;
		table_cell(t, js(x, key));
		table_cellf(t, "%llu", ju(a, "count"));
		ranges_cell(c, t, ja(a, "ranges"), most);
	}
	if (table_rows(t) > 0) {
		message_print(c->out, c->lang, M_ANSWERS_HEAD);
		table_print(t, c->out, c->color);
	}
	table_free(t);
}
