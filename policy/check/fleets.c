/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fleets: machines of one kind with the same members, in a table of the policy or of a spreadsheet.
 * Their assets are expanded here; whether the addresses fit is checked together with all assets.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/utf8.h"
#include "policy/check/keys.h"
#include "policy/check/written.h"
#include "policy/read/csv.h"

#define MACHINE_MAX 40u /* bytes of the name of a machine or member */
#define MEMBERS_MAX 32u
#define NOTES note_keys_end

/* What the cells of a machine hold, by their index: its name, label and notes; the addresses of its
 * members in the order of the policy; then the notes of each member. */
enum { CELL_NAME, CELL_LABEL, CELL_NOTES, CELL_MEMBERS = CELL_NOTES + NOTES };
#define CELLS_MAX (CELL_MEMBERS + MEMBERS_MAX * (1u + NOTES))

/* A cell of a table, or an element of a row in the policy. Nodes made from a cell get its
 * position. */
struct cell {
	const char *text; /* "" when empty */
	struct srcpos at;
	uint32_t width;
};

/* A machine as it was read. Its assets are made later, when all names are known. */
struct row {
	struct machine machine;
	struct cell *cells;
	bool again; /* an earlier machine has the same name */
};

struct reading {
	struct written *w;
	struct fleet *fleet;
	struct object o;
	const struct ast_node *label, *about; /* the label contains "{}"; NULL when absent */
	struct ast_node *assets, *last;
	size_t n; /* number of members */
	const char *members[MEMBERS_MAX];
	struct cell begin; /* the text that holds the machines */
	struct row *rows;
	size_t n_rows, room;
};

static struct diag *at_cell(struct reading *r, const struct cell *c, const char *code, enum message m, const char *word)
{
	return check_say(r->w->k, SEV_ERROR, code, c->at, c->width, m, r->o, word, "");
}

static size_t cells_n(const struct reading *r)
{
	return CELL_MEMBERS + r->n * (1 + NOTES);
}

static size_t cell_of_note(const struct reading *r, size_t member, unsigned note)
{
	return CELL_MEMBERS + r->n + member * NOTES + note;
}

static bool is_machine_name(const char *s)
{
	return ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')) && strlen(s) <= MACHINE_MAX &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] == '\0';
}

/* For "rtg07" the number "7"; a name without a number at its end is used whole. */
static const char *number_of_name(const char *name)
{
	size_t n = strlen(name);

	while (n > 0 && name[n - 1] >= '0' && name[n - 1] <= '9')
		n--;
	while (name[n] == '0' && name[n + 1] != '\0')
		n++;
	return name[n] != '\0' ? name + n : name;
}

static const char *label_of_machine(struct reading *r, const char *name, const struct cell *own)
{
	const char *form = r->label != NULL ? r->label->string : "", *gap = strstr(form, "{}");

	if (own->text[0] != '\0')
		return own->text;
	return gap == NULL
		       ? form
		       : arena_printf(r->w->k->a, "%.*s%s%s", (int)(gap - form), form, number_of_name(name), gap + 2);
}

static struct ast_node *placed(struct written *w, const struct cell *c, enum ast_kind kind, const char *name)
{
	struct ast_node like = {
		.kind = kind, .name = name, .at = c->at, .value_at = c->at, .width = c->width, .value_width = c->width
	};

	return node_like(w, &like);
}

/* The addresses of a cell, separated by blanks or ';'. */
static struct ast_node *addresses_of(struct written *w, const struct cell *c)
{
	struct ast_node *list = placed(w, c, AST_ARRAY, "addresses"), *last = NULL;

	for (const char *p = c->text; list != NULL && *(p += strspn(p, " \t;")) != '\0';) {
		size_t n = strcspn(p, " \t;");
		const char *one = arena_strndup(w->k->a, p, n);
		struct ast_node *text = one != NULL ? placed(w, c, AST_STRING, NULL) : NULL;

		if (text != NULL)
			text->string = one;
		node_append(list, &last, text);
		p += n;
	}
	return list;
}

/* Accepts the ways in which spreadsheets write days, "2032/3/31". */
static const char *day_of_cell(struct reading *r, const char *text)
{
	struct tm day = { 0 };
	const char *rest = strptime(text, "%Y/%m/%d", &day);

	if (rest == NULL || *rest != '\0')
		return text;
	return arena_printf(r->w->k->a, "%04d-%02d-%02d", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
}

/* A note from the member's own cell, its machine's, or `about`. */
static struct ast_node *note_of(struct reading *r, const struct row *row, size_t member, unsigned note)
{
	const struct cell *c = &row->cells[cell_of_note(r, member, note)];
	const struct ast_node *about = r->about != NULL ? node_member(r->about, r->members[member]) : NULL;
	struct ast_node *ret;

	if (c->text[0] == '\0')
		c = &row->cells[CELL_NOTES + note];
	if (c->text[0] == '\0') {
		about = about != NULL ? node_member(about, note_keys[note].name) : NULL;
		return about != NULL ? node_like(r->w, about) : NULL;
	}
	ret = placed(r->w, c, AST_STRING, note_keys[note].name);
	if (ret != NULL)
		ret->string = note == NOTE_SUPPORT ? day_of_cell(r, c->text) : c->text;
	return ret != NULL && ret->string != NULL ? ret : NULL;
}

static void add_asset(struct reading *r, const struct row *row, size_t member)
{
	struct written *w = r->w;
	const struct machine *m = &row->machine;
	const struct cell *c = &row->cells[CELL_MEMBERS + member];
	const char *name = arena_printf(w->k->a, "%s.%s", m->name, r->members[member]);
	struct ast_node *asset = placed(w, c, AST_GROUP, name), *last = NULL, *label;

	if (asset == NULL || name == NULL)
		return;
	asset->of_fleet = true;
	node_append(asset, &last, node_text(w, asset, "zone", r->fleet->zone));
	node_append(asset, &last, addresses_of(w, c));
	label = m->label[0] != '\0' ? placed(w, c, AST_STRING, "label") : NULL;
	if (label != NULL)
		label->string = arena_printf(w->k->a, "%s %s", m->label, r->members[member]);
	if (label == NULL || label->string != NULL)
		node_append(asset, &last, label);
	for (unsigned i = 0; i < NOTES; i++)
		node_append(asset, &last, note_of(r, row, member, i));
	node_append(r->assets, &r->last, asset);
}

static bool fine_cell(struct reading *r, const struct cell *c)
{
	if (csv_is_formula(c->text)) {
		at_cell(r, c, "policy.formula", MP_FLEET_FORMULA, c->text);
		return false;
	}
	if (utf8_is_plain(bytes_of(c->text, strlen(c->text))))
		return true;
	at_cell(r, c, "policy.text", MP_CSV_CONTROL, "");
	return false;
}

static bool fine_label(struct reading *r, const struct cell *c)
{
	if (!fine_cell(r, c))
		return false;
	if (strlen(c->text) <= TEXT_MAX)
		return true;
	diag_hint(r->w->k->d, at_cell(r, c, "policy.text", MP_TEXT_LONG, "label"), MP_HINT_TEXT_LONG, TEXT_MAX);
	return false;
}

static void read_machine(struct reading *r, const struct cell *cells)
{
	const struct cell *name = &cells[CELL_NAME];
	struct cell *kept = arena_array(r->w->k->a, cells_n(r), sizeof(*kept));
	bool good = fine_label(r, &cells[CELL_LABEL]);
	struct row *row;

	for (size_t i = 0; i < cells_n(r); i++)
		good &= i == CELL_LABEL || fine_cell(r, &cells[i]);
	if (!good || kept == NULL || r->w->full)
		return;
	if (!is_machine_name(name->text)) {
		struct diag *g = at_cell(r, name, "policy.name", MP_FLEET_NAME, name->text);

		diag_hint(r->w->k->d, g, MP_HINT_FLEET_NAME, MACHINE_MAX);
		return;
	}
	row = arena_grow(r->w->k->a, (void **)&r->rows, &r->n_rows, &r->room, sizeof(*row));
	if (row == NULL)
		return;
	memcpy(kept, cells, cells_n(r) * sizeof(*kept));
	*row = (struct row){ .machine = { name->text, label_of_machine(r, name->text, &cells[CELL_LABEL]) },
			     .cells = kept };
}

static int by_name(const void *a, const void *b)
{
	const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
	int order = strcmp(x->machine.name, y->machine.name);

	return order != 0 ? order : x < y ? -1 : x > y;
}

/* Adds the machines and their assets; of two with the same name only the first. */
static void add_machines(struct reading *r)
{
	struct row **sorted = arena_array(r->w->k->a, r->n_rows, sizeof(void *));
	struct machine *all = arena_array(r->w->k->a, r->n_rows, sizeof(*all));

	if (sorted == NULL || all == NULL || r->n_rows == 0)
		return;
	for (size_t i = 0; i < r->n_rows; i++)
		sorted[i] = &r->rows[i];
	qsort(sorted, r->n_rows, sizeof(struct row *), by_name);
	for (size_t i = 1; i < r->n_rows; i++)
		sorted[i]->again = strcmp(sorted[i]->machine.name, sorted[i - 1]->machine.name) == 0;
	r->fleet->machines = all;
	for (struct row *row = r->rows; row < r->rows + r->n_rows; row++) {
		if (row->again) {
			at_cell(r, &row->cells[CELL_NAME], "policy.duplicate", MP_TWICE, row->machine.name);
			continue;
		}
		all[r->fleet->n++] = row->machine;
		for (size_t i = 0; i < r->n && row->machine.label != NULL; i++)
			if (row->cells[CELL_MEMBERS + i].text[0] != '\0')
				add_asset(r, row, i);
	}
}

/* ---- rows in the policy ---------------------------------------------------------------------- */

static void read_rows(struct reading *r, const struct ast_node *rows)
{
	struct check *k = r->w->k;

	for (const struct ast_node *row = NULL; (row = list_next(k, rows, row, AST_LISTS, r->o)) != NULL;) {
		struct cell cells[CELLS_MAX];
		size_t n = 0;

		for (size_t i = 0; i < cells_n(r); i++)
			cells[i] = (struct cell){ "", row->value_at, 1 };
		for (const struct ast_node *c = NULL;
		     (c = list_next(k, row, c, AST_STRING, r->o)) != NULL && n < r->n + 1; n++)
			cells[n == 0 ? CELL_NAME : CELL_MEMBERS + n - 1] =
				(struct cell){ c->string, c->value_at, c->value_width };
		if (row->n == r->n + 1 && n == r->n + 1)
			read_machine(r, cells);
		else if (row->n != r->n + 1)
			check_value(k, SEV_ERROR, "policy.fleet", row, MP_FLEET_ROW, r->o,
				    arena_printf(k->a, "%zu", r->n));
	}
}

/* ---- a spreadsheet's table ------------------------------------------------------------------- */

struct table {
	struct csv csv;
	struct csv_cell cell;
	enum csv_fault fault;
	uint32_t columns[CELLS_MAX]; /* columns of the table, from 1; 0 = none */
};

static struct cell cell_of(const struct csv_cell *c)
{
	return (struct cell){ c->text, c->at, c->width };
}

static void report_fault(struct reading *r, const struct table *t)
{
	struct cell at = cell_of(&t->cell);

	if (t->fault == CSV_NOT_UTF8)
		at_cell(r, &at, "policy.encoding", MP_CSV_ENCODING, "");
	else if (t->fault == CSV_CONTROL)
		at_cell(r, &at, "policy.csv", MP_CSV_CONTROL, "");
	else if (t->fault == CSV_OPEN || t->fault == CSV_QUOTE)
		at_cell(r, &at, "policy.csv", t->fault == CSV_OPEN ? MP_CSV_OPEN : MP_CSV_QUOTE, "");
}

static unsigned note_called(const char *name)
{
	unsigned n = 0;

	while (n < NOTES && strcmp(name, note_keys[n].name) != 0)
		n++;
	return n;
}

/* The meaning of a column's name; SIZE_MAX: the column is ignored. */
static size_t column_use(const struct reading *r, const char *name)
{
	const char *dot = strchr(name, '.');

	if (strcmp(name, "name") == 0)
		return CELL_NAME;
	for (size_t i = 0; i < r->n; i++) {
		size_t n = strlen(r->members[i]);

		if (strcmp(name, r->members[i]) == 0)
			return CELL_MEMBERS + i;
		if (dot == name + n && memcmp(name, r->members[i], n) == 0 && note_called(dot + 1) < NOTES)
			return cell_of_note(r, i, note_called(dot + 1));
	}
	if (note_called(name) < NOTES)
		return CELL_NOTES + note_called(name);
	return strcmp(name, "label") == 0 ? CELL_LABEL : SIZE_MAX;
}

static bool read_header(struct reading *r, struct table *t, struct cell *first)
{
	size_t errors = r->w->k->d->errors;

	*first = (struct cell){ "", t->csv.at, 1 };
	while (csv_next(&t->csv, &t->cell, &t->fault)) {
		struct cell c = cell_of(&t->cell);
		size_t use = column_use(r, c.text);

		if (use != SIZE_MAX && t->columns[use] != 0)
			at_cell(r, &c, "policy.csv", MP_FLEET_COLUMN_TWICE, c.text);
		else if (use != SIZE_MAX)
			t->columns[use] = t->cell.column;
		if (t->cell.last)
			break;
	}
	if (t->fault != CSV_FINE)
		return false;
	if (t->cell.column == 1 && strpbrk(t->cell.text, ";\t") != NULL) {
		at_cell(r, first, "policy.csv", MP_CSV_SEPARATOR, "");
		return false;
	}
	for (size_t i = 0; i < CELL_MEMBERS + r->n; i++) {
		if (t->columns[i] != 0 || (i > CELL_NAME && i < CELL_MEMBERS))
			continue;
		at_cell(r, first, "policy.csv", MP_FLEET_COLUMN,
			i == CELL_NAME ? "name" : r->members[i - CELL_MEMBERS]);
	}
	return r->w->k->d->errors == errors;
}

/* Reads the next row's cells, sorted by meaning. False at the end. */
static bool read_row(struct reading *r, struct table *t, struct cell *cells, bool *ret_blank)
{
	struct cell none = { "", t->csv.at, 1 };

	*ret_blank = true;
	for (size_t i = 0; i < cells_n(r); i++)
		cells[i] = none;
	while (csv_next(&t->csv, &t->cell, &t->fault)) {
		*ret_blank &= t->cell.text[0] == '\0';
		for (size_t i = 0; i < cells_n(r); i++)
			if (t->columns[i] == t->cell.column)
				cells[i] = cell_of(&t->cell);
		if (t->cell.last)
			return true;
	}
	return false;
}

static void read_table(struct reading *r, const struct ast_node *from)
{
	struct check *k = r->w->k;
	struct cell cells[CELLS_MAX];
	struct table t = { 0 };
	uint32_t file = 0;
	bool blank;
	int error;

	if (!scan_name_confined(from->string)) {
		struct diag *g = diag_add(k->d, SEV_ERROR, "policy.include_outside", from->value_at, MP_INCLUDE_OUTSIDE,
					  from->string);

		g->width = from->value_width;
		return;
	}
	if (!csv_is_table(from->string)) {
		check_value(k, SEV_ERROR, "policy.fleet", from, MP_FLEET_FROM, r->o, from->string);
		return;
	}
	error = k->c->n_sources < SCAN_FILES_MAX ? scan_load(k->c, k->l, from->string, &file) : -EMFILE;
	if (error < 0) {
		scan_load_failed(k->c, from->value_at, from->value_width, from->string, error);
		return;
	}
	csv_begin(&t.csv, &k->c->sources[file], file, k->a);
	if (read_header(r, &t, &r->begin))
		while (read_row(r, &t, cells, &blank))
			if (!blank)
				read_machine(r, cells);
	report_fault(r, &t);
}

/* ---- a fleet --------------------------------------------------------------------------------- */

static void read_members(struct reading *r, const struct ast_node *list)
{
	struct check *k = r->w->k;

	check_not_empty(k, list, r->o, NO_HINT);
	check_fits(k, list, MEMBERS_MAX, r->o);
	for (const struct ast_node *c = NULL;
	     (c = list_next(k, list, c, AST_STRING, r->o)) != NULL && r->n < MEMBERS_MAX;) {
		bool twice = strcmp(c->string, "name") == 0 || strcmp(c->string, "label") == 0 ||
			     note_called(c->string) < NOTES;

		for (size_t i = 0; i < r->n && !twice; i++)
			twice = strcmp(r->members[i], c->string) == 0;
		if (!is_machine_name(c->string))
			diag_hint(k->d, check_value(k, SEV_ERROR, "policy.name", c, MP_FLEET_NAME, r->o, c->string),
				  MP_HINT_FLEET_NAME, MACHINE_MAX);
		else if (twice)
			check_value(k, SEV_ERROR, "policy.duplicate", c, MP_TWICE, r->o, c->string);
		r->members[r->n++] = c->string;
	}
}

static void read_about(struct reading *r, const struct ast_node *about)
{
	const struct ast_node *v[NOTES];

	for (const struct ast_node *c = about != NULL ? about->child : NULL; c != NULL; c = c->next) {
		size_t i = 0;

		while (i < r->n && strcmp(c->name, r->members[i]) != 0)
			i++;
		if (i == r->n)
			check_near(r->w->k,
				   check_say(r->w->k, SEV_ERROR, "policy.unknown_name", c->at, c->width, MP_FLEET_ABOUT,
					     r->o, c->name, ""),
				   c->name, r->members, r->n);
		keys_read(r->w->k, c, note_keys, NOTES, r->o, NULL, v);
	}
	r->about = about;
}

static void read_fleet(struct reading *r, const struct ast_node *node)
{
	const struct ast_node *v[KEYS(fleet_keys)];
	struct check *k = r->w->k;
	size_t errors = k->d->errors;

	r->w->from = node->at;
	r->fleet->node = node;
	name_check(k, node->name, node->at, node->width);
	if (!keys_read(k, node, fleet_keys, KEYS(fleet_keys), r->o, r->fleet, v) || v[FLEET_ZONE] == NULL ||
	    v[FLEET_MEMBERS] == NULL)
		return;
	r->label = v[FLEET_LABEL];
	text_of(k, r->label, r->o, "");
	r->fleet->zone = v[FLEET_ZONE]->string;
	r->fleet->members = v[FLEET_MEMBERS];
	if (names_find(&r->w->things[KIND_ZONE], r->fleet->zone) == NULL)
		check_near(k,
			   check_value(k, SEV_ERROR, "policy.unknown_name", v[FLEET_ZONE], MP_NO_ZONE, r->o,
				       r->fleet->zone),
			   r->fleet->zone, r->w->things[KIND_ZONE].names, r->w->things[KIND_ZONE].n);
	read_members(r, v[FLEET_MEMBERS]);
	read_about(r, v[FLEET_ABOUT]);
	if ((v[FLEET_FROM] == NULL) == (v[FLEET_ROWS] == NULL))
		check_say(k, SEV_ERROR, "policy.fleet", node->at, node->width, MP_FLEET_SOURCE, r->o, "", "");
	if (k->d->errors > errors)
		return;
	r->begin = (struct cell){ "", node->at, node->width };
	if (v[FLEET_FROM] != NULL)
		read_table(r, v[FLEET_FROM]);
	else
		read_rows(r, v[FLEET_ROWS]);
	add_machines(r);
	if (r->fleet->n == 0 && k->d->errors == errors)
		at_cell(r, &r->begin, "policy.fleet", MP_FLEET_NOTHING, "");
}

void fleets_read(struct written *w, const struct ast_node *node, struct ast_node *assets)
{
	size_t n = node != NULL ? node->n : 0;
	struct fleet *all = arena_array(w->k->a, n, sizeof(*all));
	struct ast_node *last = NULL;

	if (!names_new(w->k, &w->fleets, n) || all == NULL)
		return;
	for (struct ast_node *c = assets->child; c != NULL; c = c->next)
		last = c;
	n = 0;
	for (const struct ast_node *c = node != NULL ? node->child : NULL; c != NULL; c = c->next, n++) {
		struct reading r = {
			.w = w, .fleet = &all[n], .o = { MP_OBJ_FLEET, c->name }, .assets = assets, .last = last
		};

		names_put(&w->fleets, c->name, &all[n]);
		read_fleet(&r, c);
		last = r.last;
	}
	names_build(w->k, &w->fleets);
}

/* ---- assets in a list ------------------------------------------------------------------------ */

struct ast_node *assets_read(struct written *w, const struct ast_node *node)
{
	struct object o = { MP_OBJ_SECTION, "assets" };
	struct ast_node *ret = node_like(w, node), *last = NULL;

	if (ret == NULL || (node->kind & (AST_GROUP | AST_LIST)) == 0)
		return NULL;
	ret->kind = AST_GROUP;
	ret->n = 0;
	ret->child = NULL;
	if (node->kind == AST_GROUP) {
		for (const struct ast_node *c = node->child; c != NULL; c = c->next)
			node_append(ret, &last, node_like(w, c));
		return ret;
	}
	for (const struct ast_node *c = NULL; (c = list_next(w->k, node, c, AST_GROUP, o)) != NULL;) {
		const struct ast_node *name = node_member(c, "name");
		struct ast_node *asset = node_like(w, c), *end = NULL;

		if (asset == NULL)
			return NULL;
		if (name == NULL || name->kind != AST_STRING) {
			diag_add(w->k->d, SEV_ERROR, "policy.missing_key", c->at, MP_ASSET_UNNAMED);
			continue;
		}
		asset->name = name->string;
		asset->at = name->value_at;
		asset->width = name->value_width;
		asset->n = 0;
		asset->child = NULL;
		for (const struct ast_node *set = c->child; set != NULL; set = set->next)
			if (set != name)
				node_append(asset, &end, node_like(w, set));
		node_append(ret, &last, asset);
	}
	return ret;
}
