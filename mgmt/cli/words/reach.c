/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/render.h"

#include <stdio.h>
#include <stdlib.h>

#include "mgmt/cli/screen/table.h"

static void hosts(struct cli *c, const json_t *list)
{
	static const enum message heads[] = { M_COL_USE, M_COL_ADDRESS, M_COL_SERVICE, M_COL_LINE, M_COL_PACKETS };
	struct table *t = table_headed(sizeof(heads) / sizeof(heads[0]), 2, c->lang, heads);

	table_wrap(t);
	table_right(t, 3);
	table_right(t, 4);
	json_each(p, list) {
		/* Transport and format of the records, in the words of box.cfg. */
		if (js(p, "format")[0] != 0)
			table_cellf(t, "%s (%s, %s)", word_text("reach", js(p, "use"), c->lang), js(p, "transport"),
				    js(p, "format"));
		else
			table_cell(t, word_text("reach", js(p, "use"), c->lang));
		table_cell(t, js(p, "address"));
		table_cellf(t, "%s/%llu", js(p, "protocol"), ju(p, "port"));
		table_cellf(t, "box.cfg:%llu", ju(p, "line"));
		table_cellf(t, "%llu", ju(p, "packets"));
	}
	(void)table_end(t, c->out, c->color);
}

/* The reverse direction: from where the management is reached. */
static void enters(struct cli *c, const json_t *reach)
{
	const json_t *list = ja(reach, "terminals");

	if (json_array_size(list) == 0) {
		render_line(c,
			    json_is_true(json_object_get(reach, "anybody_enters")) ? M_REACH_ANYBODY : M_REACH_CLOSED);
		return;
	}
	render_line(c, M_REACH_TERMINALS);
	hosts(c, list);
	render_line(c, M_REACH_REFUSED_IN, ju(reach, "refused_in"));
}

void reach_print(struct cli *c, const json_t *reach)
{
	const json_t *list = ja(reach, "peers"), *others = ja(reach, "others");

	if (!json_is_object(reach))
		return;
	fputc('\n', c->out);
	if (!json_is_true(json_object_get(reach, "stands"))) {
		render_line(c, M_REACH_OPEN);
		return;
	}
	render_line(c, json_array_size(list) > 0 ? M_REACH_HEAD : M_REACH_NOBODY);
	if (json_array_size(list) > 0)
		hosts(c, list);
	render_line(c, M_REACH_REFUSED, ju(reach, "refused"));
	enters(c, reach);
	for (size_t i = 0; i < json_array_size(others); i++)
		render_line(c, M_REACH_OTHER, json_string_value(json_array_get(others, i)));
}

void reach_line(struct cli *c, const json_t *reach)
{
	if (!json_is_object(reach))
		return;
	if (json_is_true(json_object_get(reach, "stands")) && json_array_size(ja(reach, "peers")) == 0 &&
	    json_array_size(ja(reach, "terminals")) == 0 && ju(reach, "refused") == 0)
		return;
	fputc('\n', c->out);
	if (!json_is_true(json_object_get(reach, "stands")))
		render_line(c, M_REACH_OPEN);
	else
		render_line(c, M_REACH_LINE, json_array_size(ja(reach, "peers")), ju(reach, "refused"));
	if (json_array_size(ja(reach, "terminals")) > 0)
		render_line(c, M_REACH_LINE_IN, json_array_size(ja(reach, "terminals")), ju(reach, "refused_in"));
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
