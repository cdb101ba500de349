/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/picture/legend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/protocols.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/state/read.h"
#include "mgmt/words/row.h"

static void put(struct legend *g, enum legend_kind kind, size_t arrow, const char *text, size_t n)
{
	if (g->n == g->room) {
		size_t room = g->room == 0 ? 64 : 2 * g->room;
		struct legend_line *lines = realloc(g->lines, room * sizeof(*lines));

		if (lines == NULL) {
			g->failed = true;
			return;
		}
		g->lines = lines;
		g->room = room;
	}
	g->lines[g->n] = (struct legend_line){ kind, arrow, strndup(text, n) };
	if (g->lines[g->n].text == NULL)
		g->failed = true;
	else
		g->n++;
}

void legend_add(struct legend *g, enum legend_kind kind, size_t arrow, const char *text)
{
	char *wrapped = NULL;
	size_t size;
	FILE *to = open_memstream(&wrapped, &size);

	if (to == NULL) {
		g->failed = true;
		return;
	}
	/* The edge is that of a terminal: what our lines are shorter is taken already. */
	text_wrap(to, text, WRAP_CELLS - LEGEND_CELLS, WRAP_CELLS - LEGEND_CELLS);
	if (fclose(to) != 0) {
		g->failed = true;
		free(wrapped);
		return;
	}
	for (const char *line = wrapped; *line != '\0';) {
		const char *end = line + strcspn(line, "\n");

		line += line != wrapped ? strspn(line, " ") : 0;
		put(g, kind, arrow, line, line < end ? (size_t)(end - line) : 0);
		line = *end != '\0' ? end + 1 : end;
	}
	free(wrapped);
}

void legend_free(struct legend *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->lines[i].text);
	free(g->lines);
	json_decref(g->grants);
	json_decref(g->packets);
}

/* "modbus: read_holding_registers (3); holding 0-99, no other address; units 1" */
static void grant(struct legend *g, size_t arrow, const json_t *one, const json_t *row, enum lang l)
{
	enum protocol p = protocol_by_name(js(one, "protocol"));
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL) {
		g->failed = true;
		return;
	}
	fprintf(to, "%s: ", js(one, "protocol"));
	if (row != NULL)
		row_text(to, row, p, l);
	else
		fputs(message_format(
			      protocol_info(p)->depth == DEPTH_TRANSPORT ? M_EFFECTIVE_UNREAD : M_EFFECTIVE_WHOLE, l),
		      to);
	if (fclose(to) == 0)
		legend_add(g, LEGEND_COMMAND, arrow, text);
	else
		g->failed = true;
	free(text);
}

/* Cells under several permits repeat what their conduit grants. */
static bool told(const struct legend *g, size_t first, const struct legend_line *line)
{
	for (size_t i = first; i < g->n; i++)
		if (&g->lines[i] != line && g->lines[i].kind == LEGEND_COMMAND &&
		    strcmp(g->lines[i].text, line->text) == 0)
			return true;
	return false;
}

static void commands(struct legend *g, size_t arrow, const json_t *grants, enum lang l)
{
	const json_t *one;
	size_t first = g->n, k, m;

	json_array_foreach(grants, k, one)
	{
		const json_t *rows = ja(one, "rows");
		size_t before = g->n;

		if (jb(one, "whole"))
			grant(g, arrow, one, NULL, l);
		else
			for (m = 0; m < json_array_size(rows); m++)
				grant(g, arrow, one, json_array_get(rows, m), l);
		/* Of a grant that was told already nothing is new, its first line included. */
		if (before > first && before < g->n && told(g, first, &g->lines[before]))
			while (g->n > before)
				free(g->lines[--g->n].text);
	}
}

bool legend_index(struct legend *g, const json_t *effective)
{
	const json_t *permits = ja(effective, "permits"), *cells = ja(effective, "cells"), *outer, *one;
	size_t i, k;

	g->grants = json_object();
	g->packets = json_object();
	json_array_foreach(permits, i, outer)
	{
		const json_t *list = ja(outer, "grants");

		json_array_foreach(list, k, one)
		{
			const char *name = js(one, "conduit");

			if (json_object_get(g->grants, name) == NULL)
				(void)json_object_set_new(g->grants, name, json_array());
			(void)json_array_append(json_object_get(g->grants, name), (json_t *)(uintptr_t)one);
		}
	}
	json_array_foreach(cells, i, outer)
	{
		const json_t *names = ja(outer, "conduits");

		json_array_foreach(names, k, one)
		{
			const char *name = json_string_value(one);
			json_int_t sum = name != NULL ? json_integer_value(json_object_get(g->packets, name)) : 0;

			if (name != NULL)
				(void)json_object_set_new(g->packets, name,
							  json_integer(sum + (json_int_t)ju(outer, "packets")));
		}
	}
	return g->grants != NULL && g->packets != NULL;
}

void legend_conduit(struct legend *g, size_t arrow, const json_t *k, enum lang l)
{
	json_t *head = json_sprintf("%s%s%s", js(k, "name"), *js(k, "label") != '\0' ? "  " : "", js(k, "label"));
	char until[RENDER_TEXT], *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	render_time(js(k, "until"), until);
	if (to != NULL) {
		message_print(to, l, M_PICTURE_DETAIL, js(k, "file"), ju(k, "line"), ju(g->packets, js(k, "name")));
		if (*until != '\0')
			message_print(to, l, M_PICTURE_UNTIL, until);
		if (jb(k, "waits"))
			fputs(message_format(M_PICTURE_WAITS, l), to);
	}
	if (to != NULL && fclose(to) == 0 && head != NULL) {
		legend_add(g, LEGEND_CONDUIT, arrow, json_string_value(head));
		legend_add(g, LEGEND_DETAIL, arrow, text);
		commands(g, arrow, json_object_get(g->grants, js(k, "name")), l);
	} else {
		g->failed = true;
	}
	json_decref(head);
	free(text);
}
