/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/effective/cells.h"

#include <string.h>

#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/width.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/words/render.h"

#define INDENT 6u
#define END_TEXT 200u
#define ENDS_CELLS 52u /* what is left of a line for both ends */

static bool names(const json_t *cell, const char *conduit)
{
	const json_t *list = ja(cell, "conduits");

	for (size_t i = 0; i < json_array_size(list) && conduit != NULL; i++) {
		const char *one = json_string_value(json_array_get(list, i));

		if (one != NULL && strcmp(one, conduit) == 0)
			return true;
	}
	return conduit == NULL && json_array_size(list) == 0;
}

/* Cells that differ in nothing but their ends, their permit and their counter. */
static bool alike(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "in", "out", "protocol", "ports", "lane", "until" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(js(a, keys[i]), js(b, keys[i])) != 0)
			return false;
	return true;
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

static void group(struct cli *c, const json_t *cells, size_t first, const char *conduit)
{
	const json_t *like = json_array_get(cells, first);
	struct table *t = table_new(3, INDENT);

	table_cell(t, message_format(M_COL_PACKETS, c->lang));
	table_cell(t, message_format(M_COL_PERMIT, c->lang));
	table_cell(t, message_format(M_COL_ENDS, c->lang));
	table_head_done(t);
	table_right(t, 0);
	table_right(t, 1);
	table_wrap(t);
	for (size_t i = first; i < json_array_size(cells); i++)
		if (names(json_array_get(cells, i), conduit) && alike(json_array_get(cells, i), like))
			cell_row(t, json_array_get(cells, i));
	group_head(c, like);
	table_print(t, c->out, c->color);
	table_free(t);
}

static bool seen_before(const json_t *cells, size_t at, const char *conduit)
{
	for (size_t i = 0; i < at; i++)
		if (names(json_array_get(cells, i), conduit) &&
		    alike(json_array_get(cells, i), json_array_get(cells, at)))
			return true;
	return false;
}

size_t effective_cells(struct cli *c, const json_t *cells, const char *conduit, enum message head)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(cells); i++) {
		if (!names(json_array_get(cells, i), conduit))
			continue;
		if (n++ == 0)
			message_print(c->out, c->lang, head);
		if (!seen_before(cells, i, conduit))
			group(c, cells, i, conduit);
	}
	return n;
}
