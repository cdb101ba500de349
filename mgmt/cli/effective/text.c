/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/effective/effective.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/json.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/state/read.h"
#include "mgmt/words/command.h"

/*
 * The box's answer sorted by conduit: the cells and grants of each. Made in one pass, so that
 * printing takes time in proportion to the size of the site. Owns its lists; their entries belong
 * to the answer.
 */

struct effective_parts {
	json_t *cells; /* conduit -> array of its cells, in the answer's order */
	/* conduit -> array of {"permit", "grant"}: each of its grants with its permit */
	json_t *grants;
	json_t *strays; /* cells without a conduit */
};

/* Appends `one` to the array at `key` of `lists` (NULL: ignored), which is made when missing.
 * False: no memory. */
static bool effective_parts_add(json_t *lists, const char *key, json_t *one)
{
	json_t *list = json_object_get(lists, key);

	if (key == NULL)
		return true;
	if (list == NULL) {
		list = json_array();
		if (json_object_set_new(lists, key, list) != 0)
			return false;
	}
	return json_array_append(list, one) == 0;
}

static bool add_cell(struct effective_parts *p, json_t *cell)
{
	const json_t *names = ja(cell, "conduits");
	bool good = json_array_size(names) > 0 || json_array_append(p->strays, cell) == 0;

	for (size_t i = 0; i < json_array_size(names) && good; i++)
		good = effective_parts_add(p->cells, json_string_value(json_array_get(names, i)), cell);
	return good;
}

static bool add_grants(struct effective_parts *p, json_t *permit)
{
	const json_t *grants = ja(permit, "grants");
	bool good = true;

	for (size_t i = 0; i < json_array_size(grants) && good; i++) {
		json_t *grant = json_array_get(grants, i);
		json_t *one = json_pack("{s:O, s:O}", "permit", permit, "grant", grant);

		good = one != NULL && effective_parts_add(p->grants, js(grant, "conduit"), one);
		json_decref(one);
	}
	return good;
}

/* False: no memory. In both cases effective_parts_free must be called; the answer has to live until
 * then. */
static bool effective_parts_make(const json_t *effective, struct effective_parts *ret)
{
	const json_t *cells = ja(effective, "cells"), *permits = ja(effective, "permits");
	bool good;

	*ret = (struct effective_parts){ json_object(), json_object(), json_array() };
	good = ret->cells != NULL && ret->grants != NULL && ret->strays != NULL;
	for (size_t i = 0; i < json_array_size(cells) && good; i++)
		good = add_cell(ret, json_array_get(cells, i));
	for (size_t i = 0; i < json_array_size(permits) && good; i++)
		good = add_grants(ret, json_array_get(permits, i));
	return good;
}

static void effective_parts_free(struct effective_parts *p)
{
	json_decref(p->cells);
	json_decref(p->grants);
	json_decref(p->strays);
}

/* The packets that a conduit lets in, in the form of `effective`: grouped by interfaces, ports,
 * lane and end. */

#define INDENT 6u
#define END_TEXT 200u
#define ENDS_CELLS 52u /* cells of a line for both ends */

/* Cells that differ only in their ends, permit and counter have the same key. */
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
	return text_closed(to, &text);
}

/* "10.30.1.13 (RTG 4号機)" when one asset owns the whole range. */
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

/* Two ends that are too long for one line are printed below each other. */
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
	static const enum message heads[] = { M_COL_PACKETS, M_COL_PERMIT, M_COL_ENDS };
	struct table *t = table_headed(3, INDENT, c->lang, heads);

	table_right(t, 0);
	table_right(t, 1);
	table_wrap(t);
	for (size_t i = 0; i < json_array_size(cells); i++)
		cell_row(t, json_array_get(cells, i));
	group_head(c, json_array_get(cells, 0));
	(void)table_end(t, c->out, c->color);
}

/* The groups of cells, in the order of their first cells; NULL: no memory. */
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

/* Prints these cells below `head`. Returns their number; without any, prints nothing. */
static size_t effective_cells(struct cli *c, const json_t *cells, enum message head)
{
	json_t *groups = groups_of(cells), *one;
	const char *key;

	if (json_array_size(cells) > 0)
		message_print(c->out, c->lang, head);
	if (groups == NULL)
		message_print(c->err, c->lang, M_CLI_NO_MEMORY);
	json_object_foreach(groups, key, one) {
		group(c, one);
	}
	json_decref(groups);
	return json_array_size(cells);
}

/* "answers may have: transaction, padding" */
static void lenient_line(struct cli *c, const json_t *grant, struct table *t)
{
	const json_t *list = ja(grant, "lenient");
	char text[128], line[256];

	if (json_array_size(list) == 0)
		return;
	json_joined(list, ", ", text, sizeof(text));
	table_cell(t, js(grant, "protocol"));
	message_text(line, sizeof(line), c->lang, M_EFFECTIVE_LENIENT, text);
	table_cell(t, line);
}

/* Prints one line for each command row; equal lines of several permits once. */
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
		row_text(to, json_array_get(rows, i), p, c->lang);
		message_print(to, c->lang, M_EFFECTIVE_AT_LINE, js(json_array_get(rows, i), "file"),
			      ju(json_array_get(rows, i), "line"));
		if (fclose(to) == 0) {
			table_cell(t, js(grant, "protocol"));
			table_cell(t, text);
		}
		free(text);
	}
}

/* Whether a grant was printed: permits that share cells repeat a conduit's grants. */
static bool is_shown(const json_t *shown, const json_t *grant)
{
	for (size_t i = 0; i < json_array_size(shown); i++)
		if (json_equal(json_array_get(shown, i), grant))
			return true;
	return false;
}

static void commands(struct cli *c, const json_t *grants)
{
	struct table *t = table_new(2, 4);
	json_t *shown = json_array();

	for (size_t i = 0; i < json_array_size(grants); i++) {
		json_t *g = json_object_get(json_array_get(grants, i), "grant");

		if (is_shown(shown, g))
			continue;
		grant_lines(c, g, t);
		(void)json_array_append(shown, g); /* without memory, the grant is printed twice */
	}
	table_wrap(t);
	if (table_rows(t) > 0)
		message_print(c->out, c->lang, M_EFFECTIVE_COMMANDS);
	(void)table_end(t, c->out, c->color);
	json_decref(shown);
}

static void last_match(const json_t *k, enum lang l, char out[RENDER_TEXT])
{
	char since[RENDER_TEXT];

	render_time(js(k, "last_match"), out);
	if (*out != '\0')
		return;
	render_time(js(k, "watched_since"), since);
	if (*since == '\0')
		snprintf(out, RENDER_TEXT, "%s", message_format(M_EFFECTIVE_NEVER, l));
	else
		message_text(out, RENDER_TEXT, l, M_EFFECTIVE_NEVER_SINCE, since);
}

void effective_last_use(const json_t *conduit, enum lang l, FILE *to)
{
	const json_t *spans = ja(conduit, "unwatched");
	char last[RENDER_TEXT], since[RENDER_TEXT], until[RENDER_TEXT], text[RENDER_TEXT * 2 + 64];

	last_match(conduit, l, last);
	fputs(last, to);
	for (size_t i = 0; i < json_array_size(spans); i++) {
		render_time(js(json_array_get(spans, i), "since"), since);
		render_time(js(json_array_get(spans, i), "until"), until);
		message_text(text, sizeof(text), l, M_REGISTER_UNWATCHED, since, until);
		fprintf(to, "; %s", text);
	}
}

/* most conduits that are printed without an overview in front */
#define MANY 12u

static void last_print(struct cli *c, const json_t *conduit, const json_t *row)
{
	char last[RENDER_TEXT];

	last_match(conduit, c->lang, last);
	render_line(c, M_EFFECTIVE_LAST, last);
}

/* Whether a service of the conduit is TLS whose weak sessions are ended. */
static bool denies_weak_tls(const json_t *grants)
{
	json_each(one, grants)
		if (js_is(ja(one, "permit"), "weak_tls", "deny") && js_is(ja(one, "grant"), "protocol", "tls"))
			return true;
	return false;
}

/* The names of TLS servers that the conduit declares; NULL: none. */
static const json_t *names_of(const json_t *grants)
{
	json_each(one, grants)
		if (declares_servers(ja(one, "permit"), ja(one, "grant")))
			return ja(ja(one, "grant"), "names");
	return NULL;
}

static void server_names(struct cli *c, const json_t *grants)
{
	const json_t *names = names_of(grants);
	static const struct answer_row rows[] = { LINE("", M_EFFECTIVE_NAMES, "join:.") END };

	if (names != NULL)
		answer_print(c, rows, names);
}

static void conduit(struct cli *c, const struct effective_parts *parts, const json_t *k)
{
	const json_t *grants = ja(parts->grants, js(k, "name"));
	static const struct answer_row rows[] = {
#define ROWS_CONDUIT
#include "mgmt/cli/effective/effective.def"
	};
	static const struct answer_row limits[] = {
#define ROWS_CONDUIT_LIMITS
#include "mgmt/cli/effective/effective.def"
	};

	fputs(c->color ? "\n\033[1m" : "\n", c->out);
	render_line(c, M_EFFECTIVE_CONDUIT, js(k, "name"), js(k, "from"), js(k, "to"), js(k, "mode"), js(k, "file"),
		    ju(k, "line"));
	if (c->color)
		fputs("\033[0m", c->out);
	answer_print(c, rows, k);
	if (denies_weak_tls(grants))
		message_print(c->out, c->lang, M_EFFECTIVE_WEAK_TLS);
	server_names(c, grants);
	answer_print(c, limits, k);
	if (effective_cells(c, ja(parts->cells, js(k, "name")), M_EFFECTIVE_PACKETS) > 0)
		commands(c, grants);
	else
		message_print(c->out, c->lang, M_EFFECTIVE_NO_CELLS);
}

bool effective_render(struct cli *c, const json_t *effective)
{
	const json_t *conduits = ja(effective, "conduits");
	static const struct answer_row head[] = {
#define ROWS_HEAD
#include "mgmt/cli/effective/effective.def"
	};
	static const struct answer_row organisations[] = {
#define ROWS_ORGANISATIONS
#include "mgmt/cli/effective/effective.def"
	};
	static const struct answer_row summary[] = {
#define ROWS_SUMMARY
#include "mgmt/cli/effective/effective.def"
	};
	bool part = json_object_get(effective, "filter") != NULL;
	struct effective_parts parts;

	if (!effective_parts_make(effective, &parts)) {
		effective_parts_free(&parts);
		return false;
	}
	answer_print(c, head, effective);
	if (!part) {
		answers_print(c, ja(effective, "answers"), "interface", 0);
		reach_print(c, json_object_get(effective, "reach"));
		answer_print(c, organisations, effective);
	}
	if (json_array_size(conduits) > MANY)
		answer_print(c, summary, effective);
	for (size_t i = 0; i < json_array_size(conduits); i++)
		conduit(c, &parts, json_array_get(conduits, i));
	(void)effective_cells(c, parts.strays, M_EFFECTIVE_STRAYS);
	effective_parts_free(&parts);
	if (!part)
		message_print(c->out, c->lang, M_EFFECTIVE_TAIL);
	return true;
}
