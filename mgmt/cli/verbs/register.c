/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho register` and `sekisho exceptions`: registers of the present or a former policy. Each is
 * a list of rows from the box's answer (docs/json.md, register) with a table of its columns.
 * People, spreadsheets and programs get the same list.
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/addr.h"
#include "mgmt/cli/effective/effective.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/moment.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/picture/picture.h"

#define COLUMNS TABLE_COLUMNS
#define CELL 512

struct column {
	const char *key; /* member of a row; NULL = end of the columns */
	enum message head;
};

struct kind {
	const char *name;
	json_t *(*rows)(struct cli *c, const json_t *answer); /* NULL: the part's conduits */
	unsigned part;					      /* enum flow_part, for data flows */
	struct column columns[COLUMNS];
};

/* ---- rows ------------------------------------------------------------------------------------ */

static void put_text(json_t *to, const char *key, const char *text)
{
	(void)json_object_set_new(to, key, *text != '\0' ? json_string(text) : json_null());
}

static json_t *rows_zones(struct cli *c, const json_t *e)
{
	const json_t *zones = ja(e, "zones");
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(zones); i++)
		if (!js_is(json_array_get(zones, i), "name", "self"))
			(void)json_array_append(rows, json_array_get(zones, i));
	return rows;
}

static json_t *rows_conduits(struct cli *c, const json_t *e)
{
	return json_incref((json_t *)(uintptr_t)ja(e, "conduits"));
}

/* Whether one of the device's addresses is the asset's. */
static bool is_of(const json_t *device, const json_t *ranges)
{
	const json_t *own = ja(device, "addresses");
	struct addr_range have;
	struct addr a;

	for (size_t i = 0; i < json_array_size(own); i++)
		for (size_t k = 0; k < json_array_size(ranges); k++)
			if (addr_parse(json_string_value(json_array_get(own, i)), &a) &&
			    addr_range_parse(json_string_value(json_array_get(ranges, k)), &have) && addr_in(&a, &have))
				return true;
	return false;
}

/*
 * When an address of the asset was last heard, up to `then` ("": now). "": unknown, also for a
 * device that was heard before then and again later.
 */
static const char *last_seen(const json_t *asset, const json_t *devices, const char *then)
{
	const char *last = "";

	json_each(d, devices) {
		/* Times have one form in UTC, so text order is time order; for devices they are
		 * rounded up to whole seconds. */
		if (!is_of(d, ja(asset, "addresses")) || (*then != '\0' && strcmp(js(d, "first"), then) > 0))
			continue;
		if (*then != '\0' && strcmp(js(d, "last"), then) >= 0)
			return "";
		last = strcmp(js(d, "last"), last) > 0 ? js(d, "last") : last;
	}
	return last;
}

/* The journal tells what was heard; without a daemon, or without the right, nothing counts as
 * heard. */
static json_t *rows_assets(struct cli *c, const json_t *e)
{
	const struct msg_body question = { MSG_DEVICES, .devices = { .order = DEVICES_LIST, .reason = "" } };
	json_t *rows = json_deep_copy(ja(e, "assets"));
	const char *then = json_object_get(e, "as_it_was") != NULL ? js(e, "time") : "";
	struct box_answer heard = { 0 };
	int status;

	if (!box_absent(c) && !box_ask(c, &question, &heard, &status))
		heard.json = NULL;
	json_each(asset, rows) {
		const json_t *devices = heard.json != NULL ? ja(heard.json, "devices") : NULL;

		put_text(asset, "owner", js(json_find(ja(e, "zones"), "name", js(asset, "zone")), "owner"));
		put_text(asset, "last_seen", last_seen(asset, devices, then));
	}
	if (heard.json != NULL)
		box_answer_free(&heard);
	return rows;
}

/* The values of `key` in the conduits from or to the zone, each once. */
static json_t *conduits_of(const json_t *e, const char *zone, const char *key)
{
	const json_t *conduits = ja(e, "conduits");
	json_t *list = json_array(), *seen = json_object();

	json_each(k, conduits) {
		if ((!js_is(k, "from", zone) && !js_is(k, "to", zone)) || *js(k, key) == '\0' ||
		    json_object_get(seen, js(k, key)) != NULL)
			continue;
		(void)json_array_append(list, json_object_get(k, key));
		(void)json_object_set_new(seen, js(k, key), json_true());
	}
	json_decref(seen);
	return list;
}

/* One row for each line to a zone (its carrier, service and place). A zone without a line has one
 * row if an organisation is behind it or its class is `external`. */
static json_t *rows_connections(struct cli *c, const json_t *e)
{
	const json_t *zones = ja(e, "zones");
	json_t *rows = json_array();

	json_each(z, zones) {
		const json_t *lines = ja(z, "lines");
		const json_t *o = json_find(ja(e, "organisations"), "zone", js(z, "name"));
		size_t n = json_array_size(lines);

		for (size_t k = 0; (n > 0 || o != NULL || js_is(z, "class", "external")) && k < (n > 0 ? n : 1); k++) {
			const json_t *line = json_array_get(lines, k);
			json_t *row = json_object(), *contacts = json_array();

			for (size_t m = 0; m < json_array_size(ja(o, "contacts")); m++)
				(void)json_array_append(
					contacts, json_object_get(json_array_get(ja(o, "contacts"), m), "contact"));
			put_text(row, "zone", js(z, "name"));
			put_text(row, "label", js(z, "label"));
			put_text(row, "owner", js(z, "owner"));
			put_text(row, "organisation", *js(o, "label") != '\0' ? js(o, "label") : js(o, "name"));
			put_text(row, "contract_until", js(o, "contract_until"));
			(void)json_object_set_new(row, "contacts", contacts);
			put_text(row, "carrier", js(line, "carrier"));
			put_text(row, "service", js(line, "service"));
			put_text(row, "place", js(line, "place"));
			(void)json_object_set_new(row, "conduits", conduits_of(e, js(z, "name"), "name"));
			(void)json_object_set_new(row, "doors", conduits_of(e, js(z, "name"), "door"));
			(void)json_array_append_new(rows, row);
		}
	}
	return rows;
}

/* An exception has ended when it is shut for good. */
static json_t *rows_exceptions(struct cli *c, const json_t *e)
{
	static const char *const words[] = {
		"applicant", "reason", "instead", "rule", "effect", "approved_by", "report"
	};
	const json_t *conduits = ja(e, "conduits");
	json_t *rows = json_array();

	json_each(k, conduits) {
		const json_t *x = json_array_get(ja(k, "exception"), 0);
		bool ended = json_is_false(json_object_get(k, "open")) && *js(k, "opens") == '\0';
		json_t *row;

		if (x == NULL)
			continue;
		row = json_pack("{s:s, s:s, s:s, s:s}", "name", js(k, "name"), "label", js(k, "label"), "from",
				js(k, "from"), "to", js(k, "to"));
		put_text(row, "until", js(k, "until"));
		put_text(row, "state", !ended ? "in_force" : *js(x, "report") != '\0' ? "reported" : "report_owed");
		for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
			put_text(row, words[w], js(x, words[w]));
		(void)json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *rows_flows(const json_t *e, unsigned part)
{
	json_t *sheet = flow_sheet(e, (enum flow_part)part), *rows = json_incref(json_object_get(sheet, "conduits"));

	json_decref(sheet);
	return rows;
}

static json_t *rows_due(struct cli *c, const json_t *status)
{
	return json_incref((json_t *)(uintptr_t)ja(ja(status, "reviews"), "due"));
}

/* ---- registers ------------------------------------------------------------------------------- */

static const struct kind kinds[] = {
#define REGISTER(name, rows, part, ...) { name, rows, part, { __VA_ARGS__ } },
#define COLUMN(key, head) { key, head },
#include "mgmt/cli/verbs/register.def"
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define KIND_EXCEPTIONS 4u
#define KIND_DUE 5u

static size_t columns_of(const struct kind *k)
{
	size_t n = 0;

	while (n < COLUMNS && k->columns[n].key != NULL)
		n++;
	return n;
}

static void carried(FILE *to, const json_t *row, const json_t *list, enum lang l)
{
	char text[RENDER_TEXT * 4];

	for (size_t i = 0; i < json_array_size(list); i++) {
		flow_text(text, sizeof(text), row, json_array_get(list, i), l);
		fprintf(to, "%s%s", i > 0 ? "; " : "", text);
	}
}

/* A value as a cell: list entries separated by blanks, times by the local clock. Owned by the
 * caller; NULL: no memory. */
static char *cell_text(const json_t *row, const char *key, enum lang l)
{
	const json_t *list = ja(row, key);
	char when[RENDER_TEXT], *text = NULL;
	const char *said = js(row, key);
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	if (strlen(said) > 10 && said[10] == 'T' && strspn(said, "0123456789-") == 10) {
		render_time(said, when);
		said = when;
	}
	if (strcmp(key, "last_match") == 0 && json_object_get(row, key) != NULL)
		effective_last_use(row, l, to);
	else
		fputs(word_text(key, said, l), to);
	if (strcmp(key, "carries") == 0)
		carried(to, row, list, l);
	for (size_t i = 0; json_is_string(json_array_get(list, i)); i++)
		fprintf(to, "%s%s", i > 0 ? " " : "", json_string_value(json_array_get(list, i)));
	return text_closed(to, &text);
}

struct printed {
	struct cli *c;
	const struct kind *kind;
	const json_t *rows;
	const json_t *then; /* from as_it_was(); NULL = the present */
};

/* For a former time some values are unknown: when an asset was heard, or a conduit used. */
static char *printed_cell(const struct printed *p, size_t row, size_t column)
{
	const char *key = p->kind->columns[column].key;
	char *text = cell_text(json_array_get(p->rows, row), key, p->c->lang);

	if (text == NULL || *text != '\0' || p->then == NULL ||
	    (strcmp(key, "last_seen") != 0 && strcmp(key, "last_match") != 0))
		return text;
	free(text);
	return strdup(message_format(M_REGISTER_UNKNOWN, p->c->lang));
}

static void print_table(const struct printed *p)
{
	size_t n = columns_of(p->kind);
	struct table *t = table_new(n, 0);

	for (size_t i = 0; i < n; i++)
		table_cell(t, message_format(p->kind->columns[i].head, p->c->lang));
	table_head_done(t);
	table_wrap(t);
	for (size_t r = 0; r < json_array_size(p->rows); r++)
		for (size_t i = 0; i < n; i++) {
			char *text = printed_cell(p, r, i);

			table_cell(t, text != NULL && *text != '\0' ? text : "-");
			free(text);
		}
	if (!table_end(t, p->c->out, p->c->color))
		render_line(p->c, M_REGISTER_EMPTY);
}

static bool print_csv(FILE *to, void *ctx)
{
	const struct printed *p = ctx;
	size_t n = columns_of(p->kind);
	bool sound = true;

	for (size_t i = 0; i < n; i++)
		sound = csv_cell(to, message_format(p->kind->columns[i].head, p->c->lang), i == n - 1) && sound;
	for (size_t r = 0; r < json_array_size(p->rows); r++)
		for (size_t i = 0; i < n; i++) {
			char *text = printed_cell(p, r, i);

			sound = text != NULL && csv_cell(to, text, i == n - 1) && sound;
			free(text);
		}
	return sound;
}

static void keep_member(json_t *to, const json_t *row, const char *key)
{
	json_t *v = json_object_get(row, key);
	bool empty = v == NULL || (json_is_string(v) && json_string_length(v) == 0);

	(void)json_object_set(to, key, empty ? json_null() : v);
}

/* Each row with the values of its columns only. */
static json_t *rows_json(const struct printed *p)
{
	/* keys that belong to the column of the last use */
	static const char *const told[] = { "watched_since", "unwatched" };
	json_t *list = json_array();

	for (size_t r = 0; r < json_array_size(p->rows); r++) {
		json_t *row = json_object();

		for (size_t i = 0; i < columns_of(p->kind); i++)
			keep_member(row, json_array_get(p->rows, r), p->kind->columns[i].key);
		for (size_t i = 0; i < 2 && json_object_get(row, "last_match") != NULL; i++)
			keep_member(row, json_array_get(p->rows, r), told[i]);
		(void)json_array_append_new(list, row);
	}
	return list;
}

static void print_then(const struct printed *p, const json_t *answer)
{
	char at[RENDER_TEXT], since[RENDER_TEXT], until[RENDER_TEXT];

	render_time(js(answer, "time"), at);
	render_time(js(p->then, "since"), since);
	render_time(js(p->then, "until"), until);
	render_line(p->c, M_REGISTER_AS_IT_WAS, at, ju(ja(answer, "generation"), "number"), since,
		    *until != '\0' ? until : message_format(M_STILL, p->c->lang));
}

static int print_picture(const struct printed *p, const json_t *answer)
{
	char *svg = picture_flows(answer, (enum flow_part)p->kind->part, p->c->lang);

	if (svg == NULL)
		return cli_fail(p->c, CLI_CANNOT, M_CLI_NO_MEMORY);
	fputs(svg, p->c->out);
	free(svg);
	return CLI_YES;
}

static int print_register(const struct printed *p, const json_t *answer, const char *form, const char *csv)
{
	int code;

	if (csv != NULL) {
		code = csv_file(csv, print_csv, (void *)(uintptr_t)p);
		return code == 0 ? CLI_YES : cli_fail(p->c, CLI_CANNOT, M_DEVICES_FILE, csv, strerror(code));
	}
	if (strcmp(form, "svg") == 0)
		return print_picture(p, answer);
	if (strcmp(form, "csv") == 0)
		return fputs(CSV_MARK, p->c->out) >= 0 && print_csv(p->c->out, (void *)(uintptr_t)p)
			       ? CLI_YES
			       : cli_fail(p->c, CLI_CANNOT, M_CLI_NO_MEMORY);
	if (!p->c->json) {
		if (p->then != NULL)
			print_then(p, answer);
		print_table(p);
		return CLI_YES;
	}
	json_line(p->c->out, json_pack("{s:s, s:O?, s:O?, s:O*, s:o}", "register", p->kind->name, "generation",
				       json_object_get(answer, "generation"), "time", json_object_get(answer, "time"),
				       "as_it_was", p->then, "rows", rows_json(p)));
	return CLI_YES;
}

static int show(struct cli *c, const struct kind *kind, const char *form, const char *csv, uint64_t at)
{
	struct printed p = { c, kind, NULL, NULL };
	struct box_answer answer;
	bool standing, json = c->json;
	json_t *rows;
	int status;

	if (kind == &kinds[KIND_DUE] ? !box_status(c, &answer, &status)
				     : !effective_ask(c, at, &answer, &standing, &status))
		return status;
	/* an error is printed as it came */
	c->json = json && json_object_get(answer.json, "error") != NULL;
	if (!box_answer_done(c, &answer, &status)) {
		c->json = json;
		p.rows = rows = kind->rows != NULL ? kind->rows(c, answer.json) : rows_flows(answer.json, kind->part);
		p.then = ja(answer.json, "as_it_was");
		status = print_register(&p, answer.json, form, csv);
		json_decref(rows);
	}
	c->json = json;
	box_answer_free(&answer);
	return status;
}

/* ---- the verbs ------------------------------------------------------------------------------- */

static int shown(struct cli *c, const struct cli_args *a, const struct kind *kind)
{
	const char *form = a->values[OPT_REGISTER_TO] != NULL ? a->values[OPT_REGISTER_TO] : c->json ? "json" : "text";
	const char *then = a->values[OPT_REGISTER_AT];
	uint64_t at = 0;

	if (strcmp(form, "text") != 0 && strcmp(form, "json") != 0 && strcmp(form, "csv") != 0 &&
	    (strcmp(form, "svg") != 0 || kind->part == 0))
		return cli_fail(c, CLI_INVALID, M_REGISTER_FORM, form);
	if (then != NULL && kind == &kinds[KIND_DUE])
		return cli_fail(c, CLI_INVALID, M_REGISTER_NOW);
	if (then != NULL && (!moment_seconds(then, &at) || at == 0))
		return cli_fail(c, CLI_INVALID, M_HOLD_MOMENT, "--at", then);
	c->json = strcmp(form, "json") == 0;
	return show(c, kind, form, a->values[OPT_REGISTER_CSV], at);
}

int verb_register(struct cli *c, const struct cli_args *a)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(a->operands[0], kinds[i].name) == 0)
			return shown(c, a, &kinds[i]);
	return cli_fail(c, CLI_INVALID, M_REGISTER_WHICH, a->operands[0]);
}

int verb_exceptions(struct cli *c, const struct cli_args *a)
{
	return shown(c, a, &kinds[KIND_EXCEPTIONS]);
}
