/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/effective/cells.h"

#include <stdlib.h>

#include "mgmt/cli/effective/parts.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/width.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/words/render.h"

#define INDENT 6u
#define END_TEXT 200u
#define ENDS_CELLS 52u /* what is left of a line for both ends */

/* Cells that differ in nothing but their ends, their permit and their counter have the same one. */
static char *group_key(const json_t *cell)
{
	static const char *const keys[] = { "in", "out", "protocol", "ports", "lane", "until" };
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		fprintf(to, "%s\n", js(cell, keys[i]));
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

/* "10.30.1.13 (RTG 4号機)" where all of it is one asset. */
static void end_text(const json_t *cell, const char *end, char out[END_TEXT])
{
	char key[32];
	const char *name;

	snprintf(key, sizeof(key), "%s_label", end);
	name = js(cell, key);
	if (*name == '\0') {
		snprintf(key, sizeof(key), "%s_asset", end);
		name = js(cell, key);
	}
	if (*name != '\0')
		snprintf(out, END_TEXT, "%s (%s)", js(cell, end), name);
	else
		snprintf(out, END_TEXT, "%s", js(cell, end));
}

/* Two ends that are too long for one line stand below each other. */
static void cell_row(struct table *t, const json_t *cell)
{
	char from[END_TEXT], to[END_TEXT];

	end_text(cell, "source", from);
	end_text(cell, "destination", to);
	table_cellf(t, "%llu", ju(cell, "packets"));
	table_cellf(t, "%llu", ju(cell, "permit"));
	if (text_cells(from) + 4 + text_cells(to) <= ENDS_CELLS) {
		table_cellf(t, "%s -> %s", from, to);
		return;
	}
	table_cellf(t, "%s ->", from);
	table_cell(t, "");
	table_cell(t, "");
	table_cellf(t, "  %s", to);
}

static void group_head(struct cli *c, const json_t *cell)
{
	const char *ports = js(cell, "ports");
	char what[80], until[RENDER_TEXT];

	snprintf(what, sizeof(what), "%s%s%s", js(cell, "protocol"), *ports != '\0' ? "/" : "", ports);
	render_time(js(cell, "until"), until);
	render_line(c, *until != '\0' ? M_EFFECTIVE_GROUP_UNTIL : M_EFFECTIVE_GROUP, js(cell, "in"), js(cell, "out"),
		    what, js(cell, "lane"), until);
}

static void group(struct cli *c, const json_t *cells)
{
	struct table *t = table_new(3, INDENT);

	table_cell(t, message_format(M_COL_PACKETS, c->lang));
	table_cell(t, message_format(M_COL_PERMIT, c->lang));
	table_cell(t, message_format(M_COL_ENDS, c->lang));
	table_head_done(t);
	table_right(t, 0);
	table_right(t, 1);
	table_wrap(t);
	for (size_t i = 0; i < json_array_size(cells); i++)
		cell_row(t, json_array_get(cells, i));
	group_head(c, json_array_get(cells, 0));
	(void)table_print(t, c->out, c->color);
	table_free(t);
}

/* In the order of their first cells; NULL: no memory. */
static json_t *groups_of(const json_t *cells)
{
	json_t *groups = json_object();
	bool good = groups != NULL;

	for (size_t i = 0; i < json_array_size(cells) && good; i++) {
		char *key = group_key(json_array_get(cells, i));

		good = key != NULL && effective_parts_add(groups, key, json_array_get(cells, i));
		free(key);
	}
	if (good)
		return groups;
	json_decref(groups);
	return NULL;
}

size_t effective_cells(struct cli *c, const json_t *cells, enum message head)
{
	json_t *groups = groups_of(cells), *one;
	const char *key;

	if (json_array_size(cells) > 0)
		message_print(c->out, c->lang, head);
	if (groups == NULL)
		message_print(c->err, c->lang, M_CLI_NO_MEMORY);
	json_object_foreach(groups, key, one)
	{
		group(c, one);
	}
	json_decref(groups);
	return json_array_size(cells);
}
