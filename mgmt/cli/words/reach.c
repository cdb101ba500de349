/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"

#include <stdio.h>
#include <stdlib.h>

#include "mgmt/cli/screen/table.h"

void reach_print(struct cli *c, const json_t *reach)
{
	static const struct answer_row rows[] = {
#define ROWS_REACH
#include "mgmt/cli/words/answers.def"
	};

	if (!json_is_object(reach))
		return;
	fputc('\n', c->out);
	answer_print(c, rows, reach);
}

void reach_line(struct cli *c, const json_t *reach)
{
	static const struct answer_row rows[] = {
#define ROWS_REACH_SHORT
#include "mgmt/cli/words/answers.def"
	};

	if (!json_is_object(reach) || (jb(reach, "stands") && json_array_size(ja(reach, "peers")) == 0 &&
				       json_array_size(ja(reach, "terminals")) == 0 && ju(reach, "refused") == 0))
		return;
	fputc('\n', c->out);
	answer_print(c, rows, reach);
}

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
	static const enum message heads[] = { M_COL_INTERFACE, M_COL_HOSTS, M_COL_ANSWERED };
	struct table *t = table_headed(3, 2, c->lang, heads);

	table_wrap(t);
	table_right(t, 1);
	json_each(x, list) {
		const json_t *inner = ja(x, "answers"), *a = inner != NULL ? inner : x;

		if (ja(a, "ranges") == NULL)
			continue;
		table_cell(t, js(x, key));
		table_cellf(t, "%llu", ju(a, "count"));
		ranges_cell(c, t, ja(a, "ranges"), most);
	}
	if (table_rows(t) > 0)
		message_print(c->out, c->lang, M_ANSWERS_HEAD);
	(void)table_end(t, c->out, c->color);
}
