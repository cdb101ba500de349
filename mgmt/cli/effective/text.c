/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/effective/effective.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/json.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"
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

static bool overdue(const char *date)
{
	char today[16];
	time_t now = time(NULL);
	struct tm local;

	return strlen(date) == 10 && localtime_r(&now, &local) != NULL &&
	       strftime(today, sizeof(today), "%Y-%m-%d", &local) > 0 && strcmp(date, today) < 0;
}

/* Joins texts, or the objects' texts at that key, as "a, b"; owned by the caller, NULL: no
 * memory. */
static char *joined(const json_t *list, const char *key)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	for (size_t i = 0; to != NULL && i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		fprintf(to, "%s%s", i > 0 ? ", " : "", key != NULL ? js(one, key) : json_string_value(one));
	}
	if (to != NULL && fclose(to) == 0)
		return text;
	free(text);
	return NULL;
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

/* The times in which nobody watched. */
static void unwatched(struct cli *c, const json_t *list)
{
	char since[RENDER_TEXT], until[RENDER_TEXT];

	for (size_t i = 0; i < json_array_size(list); i++) {
		render_time(js(json_array_get(list, i), "since"), since);
		render_time(js(json_array_get(list, i), "until"), until);
		render_line(c, M_EFFECTIVE_UNWATCHED, since, until);
	}
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

/* For an observing conduit: how long it has been clean, and what it would have refused. */
static void observed(struct cli *c, const json_t *o)
{
	char since[RENDER_TEXT], last[RENDER_TEXT], *what = joined(ja(o, "reasons"), lang_name(c->lang));

	if (!json_is_object(o) || what == NULL) {
		free(what);
		return;
	}
	render_time(js(o, "since"), since);
	render_time(js(o, "last"), last);
	render_line(c, M_EFFECTIVE_CLEAN, ju(o, "clean_s") / 86400u, since);
	if (ju(o, "would_refuse") > 0)
		render_line(c, M_EFFECTIVE_WOULD, ju(o, "would_refuse"), last, what);
	unwatched(c, ja(o, "unwatched"));
	free(what);
}

/* What a conduit declares with heard_within, and what was heard. */
static void expected(struct cli *c, const json_t *k)
{
	bool silent = *js(k, "silent_since") != '\0';
	char span[RENDER_TEXT], last[RENDER_TEXT];

	if (ju(k, "heard_within_s") == 0)
		return;
	render_span(ju(k, "heard_within_s"), span);
	render_time(js(k, silent ? "silent_since" : "last_heard"), last);
	if (*last == '\0')
		snprintf(last, sizeof(last), "%s", message_format(M_EFFECTIVE_NEVER, c->lang));
	render_line(c, silent ? M_EFFECTIVE_SILENT : M_EFFECTIVE_EXPECTED, span, last);
}

/* The limits of a conduit's sessions: idle time and duration. */
static void lasting(struct cli *c, const json_t *k)
{
	char idle[RENDER_TEXT], session[RENDER_TEXT];

	render_span(ju(k, "idle_s"), idle);
	render_span(ju(k, "session_s"), session);
	if (ju(k, "idle_s") != 0)
		render_line(c, M_EFFECTIVE_IDLE, idle);
	if (ju(k, "session_s") != 0)
		render_line(c, M_EFFECTIVE_SESSION, session);
}

/* most conduits that are printed without an overview in front */
#define MANY 12u

/* The overview: a line for each conduit, before the details. */
static void summary(struct cli *c, const json_t *conduits)
{
	static const enum message heads[] = { M_COL_CONDUIT, M_COL_BETWEEN, M_COL_MODE,
					      M_COL_UNTIL,   M_COL_LAST,    M_COL_NAME };
	struct table *t = table_headed(sizeof(heads) / sizeof(heads[0]), 2, c->lang, heads);

	json_each(k, conduits) {
		table_cell(t, js(k, "name"));
		table_cellf(t, "%s -> %s", js(k, "from"), js(k, "to"));
		table_cell(t, js(k, "mode"));
		table_time(t, js(k, "until"), "-");
		table_time(t, js(k, "last_match"), "-");
		table_cell(t, js(k, "label"));
	}
	render_line(c, M_EFFECTIVE_MANY, json_array_size(conduits));
	table_wrap(t);
	(void)table_end(t, c->out, c->color);
}

/* Prints which box and time the output is about, because it is read later and elsewhere. */
static void head(struct cli *c, const json_t *effective)
{
	const json_t *site = json_object_get(effective, "site"), *g = json_object_get(effective, "generation");
	char when[RENDER_TEXT], generation[RENDER_TEXT], digest[RENDER_TEXT];

	message_print(c->out, c->lang, M_EFFECTIVE_HEAD);
	if (site != NULL) {
		render_time(js(effective, "time"), when);
		render_line(c, M_EFFECTIVE_SITE,
			    *js(site, "label") != '\0'	? js(site, "label")
			    : *js(site, "name") != '\0' ? js(site, "name")
							: "-",
			    js(effective, "host"));
		render_line(c, M_EFFECTIVE_TIME, when);
	}
	render_digest(js(g, "digest"), digest);
	render_generation(g, c->lang, generation);
	render_line(c, M_EFFECTIVE_GENERATION, ju(g, "number") > 0 ? generation : "-", digest);
	render_digest(js(effective, "tables_digest"), digest);
	if (*digest != '\0')
		render_line(c, M_EFFECTIVE_TABLES, digest);
	/* without a daemon there are no tables */
	else if (json_array_size(ja(effective, "tables")) > 0)
		render_line(c, M_EFFECTIVE_TABLES_DIFFER);
}

/* Warnings of `check` that were accepted, with the reason. */
static void accepts(struct cli *c, const json_t *k)
{
	const json_t *list = ja(k, "accept");

	for (size_t i = 0; i < json_array_size(list); i++)
		render_line(c, M_EFFECTIVE_ACCEPT, js(json_array_get(list, i), "warning"),
			    js(json_array_get(list, i), "reason"));
}

static void exception(struct cli *c, const json_t *k)
{
	const json_t *x = json_array_get(ja(k, "exception"), 0);

	if (x == NULL)
		return;
	render_line(c, M_EFFECTIVE_EXCEPTION, js(x, "applicant"), js(x, "reason"), js(x, "instead"),
		    js(x, "approved_by"));
	if (*js(x, "report") != '\0')
		render_line(c, M_EFFECTIVE_REPORT, js(x, "report"));
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
	char *text = names != NULL ? joined(names, NULL) : NULL;

	if (text != NULL)
		render_line(c, M_EFFECTIVE_NAMES, text);
	free(text);
}

static void conduit(struct cli *c, const struct effective_parts *parts, const json_t *k)
{
	const json_t *grants = ja(parts->grants, js(k, "name"));
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
	render_time(js(k, jb(k, "open") ? "closes" : "opens"), until);
	if ((*js(k, "within") != '\0' || !jb(k, "open")) && *until != '\0')
		render_line(c, jb(k, "open") ? M_EFFECTIVE_OPEN : M_EFFECTIVE_SHUT, until,
			    *js(k, "within") != '\0' ? js(k, "within") : "-");
	if (jb(k, "waits"))
		render_line(c, M_EFFECTIVE_WAITS);
	if (json_object_get(k, "last_match") != NULL) {
		last_match(k, c->lang, last);
		render_line(c, M_EFFECTIVE_LAST, last);
		unwatched(c, ja(k, "unwatched"));
	}
	observed(c, json_object_get(k, "observed"));
	if (denies_weak_tls(grants))
		message_print(c->out, c->lang, M_EFFECTIVE_WEAK_TLS);
	server_names(c, grants);
	expected(c, k);
	lasting(c, k);
	exception(c, k);
	accepts(c, k);
	if (effective_cells(c, ja(parts->cells, js(k, "name")), M_EFFECTIVE_PACKETS) > 0)
		commands(c, grants);
	else
		message_print(c->out, c->lang, M_EFFECTIVE_NO_CELLS);
}

static void limits(struct cli *c, const json_t *l)
{
	if (json_is_object(l))
		render_line(c, M_EFFECTIVE_LIMITS, ju(l, "sessions"), ju(l, "sessions_of_a_pair"),
			    ju(l, "few_per_second"), ju(l, "few_of_a_pair"), ju(l, "many_per_second"));
}

/* How long records are kept, as the journal tells. Without a daemon this is unknown, and nothing is
 * deleted. */
static void retention(struct cli *c, const json_t *effective)
{
	const json_t *r = json_object_get(effective, "retention");

	if (r == NULL)
		return;
	if (!json_is_object(r))
		render_line(c, M_EFFECTIVE_UNKNOWN_RETENTION);
	else if (ju(r, "keep_days") > 0)
		render_line(c, M_EFFECTIVE_RETENTION, ju(r, "keep_days"), ju(r, "delete_after_days"));
	else if (js_is(ja(effective, "generation"), "state", "waiting"))
		render_line(c, M_EFFECTIVE_TRIAL_RETENTION);
	else if (json_is_false(json_object_get(ja(effective, "clock"), "trusted")))
		render_line(c, M_EFFECTIVE_CLOCK_RETENTION);
	else
		render_line(c, M_EFFECTIVE_NO_RETENTION);
}

/* The site's statement about its records; a box of an earlier release has none. */
static void records(struct cli *c, const json_t *effective)
{
	const json_t *r = json_object_get(ja(effective, "site"), "records");

	if (json_is_object(r))
		render_line(c, M_EFFECTIVE_RECORDS, js(r, "purpose"), js(r, "responsible"));
	else if (json_is_null(r))
		render_line(c, M_EFFECTIVE_NO_RECORDS);
}

/* Whether passed sessions are recorded; an answer without a daemon does not have this. */
static void passed(struct cli *c, const json_t *effective)
{
	const json_t *p = json_object_get(effective, "record_passed");

	if (json_is_boolean(p))
		render_line(c, json_is_true(p) ? M_EFFECTIVE_PASSED : M_EFFECTIVE_NOT_PASSED);
}

static void organisations(struct cli *c, const json_t *list)
{
	json_each(o, list) {
		char *contacts = joined(ja(o, "contacts"), "contact"), *conduits = joined(ja(o, "conduits"), NULL);
		char until[RENDER_TEXT];

		render_time(js(o, "contract_until"), until);
		render_line(c, M_EFFECTIVE_ORGANISATION, js(o, "name"), js(o, "label"), js(o, "zone"),
			    *until != '\0' ? until : "-", contacts != NULL && *contacts != '\0' ? contacts : "-",
			    conduits != NULL && *conduits != '\0' ? conduits : "-");
		free(contacts);
		free(conduits);
	}
}

/* The parts that belong to no conduit. */
static void whole(struct cli *c, const json_t *effective)
{
	answers_print(c, ja(effective, "answers"), "interface", 0);
	reach_print(c, json_object_get(effective, "reach"));
	organisations(c, ja(effective, "organisations"));
}

bool effective_render(struct cli *c, const json_t *effective)
{
	const json_t *conduits = ja(effective, "conduits");
	bool part = json_object_get(effective, "filter") != NULL;
	struct effective_parts parts;

	if (!effective_parts_make(effective, &parts)) {
		effective_parts_free(&parts);
		return false;
	}
	head(c, effective);
	limits(c, ja(effective, "limits"));
	retention(c, effective);
	records(c, effective);
	passed(c, effective);
	if (part)
		render_line(c, M_EFFECTIVE_PART, json_array_size(conduits));
	else
		whole(c, effective);
	if (json_array_size(conduits) > MANY)
		summary(c, conduits);
	for (size_t i = 0; i < json_array_size(conduits); i++)
		conduit(c, &parts, json_array_get(conduits, i));
	(void)effective_cells(c, parts.strays, M_EFFECTIVE_STRAYS);
	effective_parts_free(&parts);
	if (!part)
		message_print(c->out, c->lang, M_EFFECTIVE_TAIL);
	return true;
}
