/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/effective_text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/wire/vocabulary.h"
#include "mgmt/cli/render.h"
#include "mgmt/cli/table.h"
#include "mgmt/cli/width.h"

static bool names(const json_t *cell, const char *conduit)
{
	const json_t *list = ja(cell, "conduits");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *one = json_string_value(json_array_get(list, i));

		if (one != NULL && strcmp(one, conduit) == 0)
			return true;
	}
	return false;
}

static struct table *cell_table(struct cli *c)
{
	static const enum message heads[] = {
		M_COL_IN,    M_COL_OUT,	   M_COL_SOURCE, M_COL_DESTINATION, M_COL_TRANSPORT,
		M_COL_PORTS, M_COL_PERMIT, M_COL_LANE,	 M_COL_UNTIL,	    M_COL_PACKETS,
	};
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]), 4);

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, message_format(heads[i], c->lang));
	table_head_done(t);
	table_right(t, 6);
	table_right(t, 9);
	return t;
}

/* "10.30.1.13 (RTG 4号機)" where all of it is one asset. */
static void end_cell(struct table *t, const json_t *cell, const char *end)
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
		table_cellf(t, "%s (%s)", js(cell, end), name);
	else
		table_cell(t, js(cell, end));
}

static void cell_row(struct table *t, const json_t *cell)
{
	char until[RENDER_TEXT];

	render_time(js(cell, "until"), until);
	table_cell(t, js(cell, "in"));
	table_cell(t, js(cell, "out"));
	end_cell(t, cell, "source");
	end_cell(t, cell, "destination");
	table_cell(t, js(cell, "protocol"));
	table_cell(t, js(cell, "ports"));
	table_cellf(t, "%llu", ju(cell, "permit"));
	table_cell(t, js(cell, "lane"));
	table_cell(t, *until != '\0' ? until : "-");
	table_cellf(t, "%llu", ju(cell, "packets"));
}

/* "read_coils (1), 90" of a row's function codes. */
static void functions(struct cli *c, FILE *to, const json_t *row, const struct vocabulary *words)
{
	const json_t *list = ja(row, "functions");

	if (words != NULL && json_array_size(list) >= words->code_max) {
		fputs(message_format(M_EFFECTIVE_ANY_FUNCTION, c->lang), to);
		return;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		long long code = (long long)json_integer_value(json_array_get(list, i));
		const struct function_info *f =
			words != NULL && code >= 0 && code <= 255 ? function_by_code(words, (uint8_t)code) : NULL;

		if (f != NULL)
			fprintf(to, "%s%s (%lld)", i > 0 ? ", " : "", f->name, code);
		else
			fprintf(to, "%s%lld", i > 0 ? ", " : "", code);
	}
}

/* "; holding 0-99, no other address": a space that is not named is closed, which a reader must not have to know. */
static void addresses(struct cli *c, FILE *to, const json_t *row, const struct vocabulary *words)
{
	unsigned any = 0, spaces = 0, named = 0;

	for (unsigned i = 0; i < SPACE_MAX; i++) {
		spaces += words->spaces[i] != NULL;
		any += words->spaces[i] != NULL && strcmp(js(row, words->spaces[i]), "any") == 0;
	}
	if (spaces == 0)
		return;
	if (any == spaces) {
		fputs(message_format(M_EFFECTIVE_ANY_ADDRESS, c->lang), to);
		return;
	}
	for (unsigned i = 0; i < SPACE_MAX; i++)
		if (words->spaces[i] != NULL && *js(row, words->spaces[i]) != '\0')
			fprintf(to, "%s %s %s", named++ > 0 ? "," : ";", words->spaces[i], js(row, words->spaces[i]));
	fputs(message_format(M_EFFECTIVE_NO_OTHER, c->lang), to);
}

static void row_text(struct cli *c, FILE *to, const json_t *row, enum protocol p)
{
	const struct vocabulary *words = vocabulary_of(p);
	static const struct {
		const char *key;
		enum message text;
	} scalars[] = { { "units", M_EFFECTIVE_UNITS }, { "values", M_EFFECTIVE_VALUES } };

	functions(c, to, row, words);
	if (words != NULL)
		addresses(c, to, row, words);
	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++)
		if (*js(row, scalars[i].key) != '\0')
			message_print(to, c->lang, scalars[i].text,
				      strcmp(js(row, scalars[i].key), "any") == 0
					      ? message_format(M_EFFECTIVE_ANY, c->lang)
					      : js(row, scalars[i].key));
	fputs("  ", to);
	message_print(to, c->lang, M_EFFECTIVE_AT_LINE, js(row, "file"), ju(row, "line"));
}

/* "answers may have: transaction, padding" */
static void lenient_line(struct cli *c, const json_t *grant, struct table *t)
{
	const json_t *list = ja(grant, "lenient");
	char text[128], line[256];
	size_t n = 0;

	if (json_array_size(list) == 0)
		return;
	text[0] = '\0';
	for (size_t i = 0; i < json_array_size(list) && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i > 0 ? ", " : "",
				      json_string_value(json_array_get(list, i)));
	table_cell(t, js(grant, "protocol"));
	message_text(line, sizeof(line), c->lang, M_EFFECTIVE_LENIENT, text);
	table_cell(t, line);
}

/* One line a command row; identical lines of several permits are one. */
static void grant_lines(struct cli *c, const json_t *grant, struct table *t)
{
	enum protocol p = protocol_by_name(js(grant, "protocol"));
	const json_t *rows = ja(grant, "rows");

	lenient_line(c, grant, t);
	if (jb(grant, "whole")) {
		table_cell(t, js(grant, "protocol"));
		table_cell(t, message_format(protocol_info(p)->depth == DEPTH_TRANSPORT ? M_EFFECTIVE_UNREAD
											: M_EFFECTIVE_WHOLE,
					     c->lang));
		return;
	}
	for (size_t i = 0; i < json_array_size(rows); i++) {
		char *text = NULL;
		size_t size;
		FILE *to = open_memstream(&text, &size);

		if (to == NULL)
			return;
		row_text(c, to, json_array_get(rows, i), p);
		if (fclose(to) == 0) {
			table_cell(t, js(grant, "protocol"));
			table_cell(t, text);
		}
		free(text);
	}
}

/* The grant was already shown for this conduit: permits that cells share repeat them. */
static bool shown(const json_t *permits, size_t before, const char *conduit, const json_t *grant)
{
	for (size_t i = 0; i < before; i++) {
		const json_t *grants = ja(json_array_get(permits, i), "grants");

		for (size_t j = 0; j < json_array_size(grants); j++) {
			const json_t *g = json_array_get(grants, j);

			if (strcmp(js(g, "conduit"), conduit) == 0 && json_equal(g, grant))
				return true;
		}
	}
	return false;
}

static void commands(struct cli *c, const json_t *effective, const char *conduit)
{
	const json_t *permits = ja(effective, "permits");
	struct table *t = table_new(2, 4);

	for (size_t i = 0; i < json_array_size(permits); i++) {
		const json_t *grants = ja(json_array_get(permits, i), "grants");

		for (size_t j = 0; j < json_array_size(grants); j++) {
			const json_t *g = json_array_get(grants, j);

			if (strcmp(js(g, "conduit"), conduit) == 0 && !shown(permits, i, conduit, g))
				grant_lines(c, g, t);
		}
	}
	if (table_rows(t) > 0) {
		message_print(c->out, c->lang, M_EFFECTIVE_COMMANDS);
		table_print(t, c->out, c->color);
	}
	table_free(t);
}

static bool overdue(const char *date)
{
	char today[16];
	time_t now = time(NULL);
	struct tm local;

	return strlen(date) == 10 && localtime_r(&now, &local) != NULL &&
	       strftime(today, sizeof(today), "%Y-%m-%d", &local) > 0 && strcmp(date, today) < 0;
}

static void last_match(const json_t *k, enum lang l, char out[RENDER_TEXT])
{
	render_time(js(k, "last_match"), out);
	if (*out == '\0')
		snprintf(out, RENDER_TEXT, "%s", message_format(M_EFFECTIVE_NEVER, l));
}

/* More than this are hard to find one's way in. */
#define MANY 12u

/* All of them at a glance, before the particulars. */
static void summary(struct cli *c, const json_t *conduits)
{
	static const enum message heads[] = { M_COL_CONDUIT, M_COL_NAME,  M_COL_BETWEEN,
					      M_COL_MODE,    M_COL_UNTIL, M_COL_LAST };
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]), 2);

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, message_format(heads[i], c->lang));
	table_head_done(t);
	for (size_t i = 0; i < json_array_size(conduits); i++) {
		const json_t *k = json_array_get(conduits, i);
		char until[RENDER_TEXT], last[RENDER_TEXT];

		render_time(js(k, "until"), until);
		last_match(k, c->lang, last);
		table_cell(t, js(k, "name"));
		table_cell(t, js(k, "label"));
		table_cellf(t, "%s -> %s", js(k, "from"), js(k, "to"));
		table_cell(t, js(k, "mode"));
		table_cell(t, *until != '\0' ? until : "-");
		table_cell(t, last);
	}
	render_line(c, M_EFFECTIVE_MANY, json_array_size(conduits));
	table_print(t, c->out, c->color);
	table_free(t);
}

/* Of which box and moment it is true: what is printed is read later, elsewhere. */
static void dated(struct cli *c, const json_t *effective)
{
	const json_t *site = json_object_get(effective, "site");
	char when[RENDER_TEXT], generation[RENDER_TEXT];

	if (site == NULL)
		return;
	render_time(js(effective, "time"), when);
	render_generation(json_object_get(effective, "generation"), c->lang, generation);
	render_line(c, M_EFFECTIVE_DATED, *js(site, "label") != '\0' ? js(site, "label") : js(site, "name"),
		    js(effective, "host"), generation, when);
}

static void conduit(struct cli *c, const json_t *effective, const json_t *k)
{
	const json_t *cells = ja(effective, "cells");
	struct table *t = cell_table(c);
	char until[RENDER_TEXT], last[RENDER_TEXT];

	fputs(c->color ? "\n\033[1m" : "\n", c->out);
	render_line(c, M_EFFECTIVE_CONDUIT, js(k, "name"), js(k, "from"), js(k, "to"), js(k, "mode"), js(k, "file"),
		    ju(k, "line"));
	if (c->color)
		fputs("\033[0m", c->out);
	if (*js(k, "label") != '\0')
		render_line(c, M_EFFECTIVE_LABEL, js(k, "label"));
	render_line(c, M_EFFECTIVE_PURPOSE, js(k, "purpose"));
	render_line(c, M_EFFECTIVE_OWNER, js(k, "owner"), *js(k, "approved_by") != '\0' ? js(k, "approved_by") : "-");
	render_line(c, overdue(js(k, "review_by")) ? M_EFFECTIVE_OVERDUE : M_EFFECTIVE_REVIEW, js(k, "review_by"));
	render_time(js(k, "until"), until);
	if (*until != '\0')
		render_line(c, M_EFFECTIVE_UNTIL, until);
	if (json_object_get(k, "last_match") != NULL) {
		last_match(k, c->lang, last);
		render_line(c, M_EFFECTIVE_LAST, last);
	}
	for (size_t i = 0; i < json_array_size(cells); i++)
		if (names(json_array_get(cells, i), js(k, "name")))
			cell_row(t, json_array_get(cells, i));
	if (table_rows(t) > 0) {
		message_print(c->out, c->lang, M_EFFECTIVE_PACKETS);
		table_print(t, c->out, c->color);
		commands(c, effective, js(k, "name"));
	} else {
		message_print(c->out, c->lang, M_EFFECTIVE_NO_CELLS);
	}
	table_free(t);
}

static void limits(struct cli *c, const json_t *l)
{
	if (json_is_object(l))
		render_line(c, M_EFFECTIVE_LIMITS, (unsigned long long)ju(l, "sessions"),
			    (unsigned long long)ju(l, "sessions_of_a_pair"),
			    (unsigned long long)ju(l, "few_per_second"), (unsigned long long)ju(l, "few_of_a_pair"),
			    (unsigned long long)ju(l, "many_per_second"));
}

void effective_render(struct cli *c, const json_t *effective)
{
	const json_t *conduits = ja(effective, "conduits"), *cells = ja(effective, "cells");
	struct table *strays = cell_table(c);
	bool part = json_object_get(effective, "filter") != NULL;
	char digest[RENDER_TEXT], tables[RENDER_TEXT];

	render_digest(js(json_object_get(effective, "generation"), "digest"), digest);
	render_digest(js(effective, "tables_digest"), tables);
	render_line(c, M_EFFECTIVE_HEAD, digest, tables);
	dated(c, effective);
	limits(c, ja(effective, "limits"));
	if (part)
		render_line(c, M_EFFECTIVE_PART, json_array_size(conduits));
	if (json_array_size(conduits) > MANY)
		summary(c, conduits);
	for (size_t i = 0; i < json_array_size(conduits); i++)
		conduit(c, effective, json_array_get(conduits, i));
	for (size_t i = 0; i < json_array_size(cells); i++)
		if (json_array_size(ja(json_array_get(cells, i), "conduits")) == 0)
			cell_row(strays, json_array_get(cells, i));
	if (table_rows(strays) > 0) {
		message_print(c->out, c->lang, M_EFFECTIVE_STRAYS);
		table_print(strays, c->out, c->color);
	}
	table_free(strays);
	if (!part)
		message_print(c->out, c->lang, M_EFFECTIVE_TAIL);
}
