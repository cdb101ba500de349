/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/learn/tags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "appliance/base/messages.h"
#include "appliance/wire/notation.h"
#include "mgmt/cli/screen/wrap.h"
#include "policy/read/csv.h"
#include "policy/read/read.h"

#define BUDGET (192u << 20)
#define PRINTED_MAX 64u /* names above one row */

enum column { COLUMN_ADDRESS, COLUMN_NAME, COLUMN_SERVER, COLUMNS };

static const char *const columns[COLUMNS] = { "address", "name", "server" };

struct tag_name {
	const char *address, *name;
	struct addr server; /* family 0: any */
	bool printed;
};

/* What an address means in one protocol. */
struct tag_place {
	struct number_range r;
	uint8_t space;
	struct tag_name *tag;
};

struct tag_names {
	struct arena *arena;
	struct tag_name *list;
	size_t n;
	/* by protocol, each made when it is first needed, and sorted */
	struct tag_places {
		struct tag_place *list;
		size_t n;
	} * of;
};

/* ---- the file -------------------------------------------------------------------------------- */

struct tag_file {
	struct cli *c;
	struct source_text text;
	uint32_t columns[COLUMNS]; /* from 1; 0: there is no such column */
};

/* Prints what is wrong with a cell; a message about a value gets it, too. */
static int wrong_cell(const struct tag_file *f, const struct csv_cell *cell, enum message m)
{
	char place[CSV_CELL_TEXT], *name = NULL;
	int status = CLI_INVALID;

	csv_cell_text(&f->text, cell->at, place);
	if (asprintf(&name, "%s %s", f->text.name, place) >= 0)
		status = cli_fail(f->c, CLI_INVALID, m, name, cell->text);
	free(name);
	return status;
}

static int wrong_text(const struct tag_file *f, const struct csv_cell *cell, enum csv_fault fault)
{
	if (fault == CSV_MEMORY)
		return cli_fail(f->c, CLI_CANNOT, M_CLI_NO_MEMORY);
	return wrong_cell(f, cell,
			  fault == CSV_NOT_UTF8	 ? MP_CSV_ENCODING
			  : fault == CSV_CONTROL ? MP_CSV_CONTROL
			  : fault == CSV_OPEN	 ? MP_CSV_OPEN
						 : MP_CSV_QUOTE);
}

/* The row of names; `cell` is its last one. */
static int check_columns(const struct tag_file *f, const struct csv_cell *cell)
{
	for (size_t i = 0; i < COLUMN_SERVER; i++)
		if (f->columns[i] == 0 && cell->column == 1 && strpbrk(cell->text, ";\t") != NULL)
			return cli_fail(f->c, CLI_INVALID, MP_CSV_SEPARATOR, f->text.name);
		else if (f->columns[i] == 0)
			return cli_fail(f->c, CLI_INVALID, MP_FLEET_COLUMN, f->text.name, columns[i]);
	return CLI_YES;
}

static int read_cells(struct tag_names *t, struct tag_file *f)
{
	struct tag_name tag = { 0 };
	enum csv_fault fault;
	struct csv_cell cell;
	struct csv csv;

	csv_begin(&csv, &f->text, 0, t->arena);
	while (csv_next(&csv, &cell, &fault)) {
		for (size_t i = 0; i < COLUMNS && cell.row == 1; i++)
			if (strcasecmp(cell.text, columns[i]) == 0)
				f->columns[i] = cell.column;
		if (cell.row == 1 && cell.last && check_columns(f, &cell) != CLI_YES)
			return CLI_INVALID;
		if (cell.row == 1)
			continue;
		if (cell.column == f->columns[COLUMN_ADDRESS])
			tag.address = cell.text;
		else if (cell.column == f->columns[COLUMN_NAME])
			tag.name = cell.text;
		else if (cell.column == f->columns[COLUMN_SERVER] && cell.text[0] != '\0' &&
			 !addr_parse(cell.text, &tag.server))
			return wrong_cell(f, &cell, MP_ADDRESS_BAD);
		if (!cell.last)
			continue;
		if (tag.address != NULL && tag.address[0] != '\0' && tag.name != NULL && tag.name[0] != '\0')
			t->list[t->n++] = tag;
		tag = (struct tag_name){ 0 };
	}
	if (fault != CSV_FINE)
		return wrong_text(f, &cell, fault);
	return cell.row == 1 && f->columns[COLUMN_NAME] == 0 ? check_columns(f, &cell) : CLI_YES;
}

struct tag_names *tag_names_read(struct cli *c, const char *path, int *ret_status)
{
	struct tag_file f = { .c = c };
	struct arena *a = arena_new(BUDGET);
	struct tag_names *t = a != NULL ? arena_alloc(a, sizeof(*t)) : NULL;
	struct policy_loader loader;
	const char *name;
	size_t rows = 2;
	int error;

	*ret_status = CLI_CANNOT;
	if (t != NULL)
		loader_folder(path, a, &loader, &name);
	error = t != NULL ? loader.load(loader.ctx, name, a, &f.text) : -ENOMEM;
	f.text.name = path;
	for (size_t i = 0; error == 0 && i < f.text.size; i++)
		rows += f.text.text[i] == '\n';
	if (error == 0) {
		*t = (struct tag_names){ .arena = a,
					 .list = arena_array(a, rows, sizeof(*t->list)),
					 .of = arena_array(a, protocols_end(), sizeof(*t->of)) };
		error = arena_failed(a) ? -ENOMEM : 0;
	}
	*ret_status = error != 0 ? cli_fail_file(c, CLI_CANNOT, path, -error) : read_cells(t, &f);
	if (*ret_status == CLI_YES)
		return t;
	arena_free(a);
	return NULL;
}

void tag_names_free(struct tag_names *t)
{
	if (t != NULL)
		arena_free(t->arena);
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* Whether a text is a number such as 40011 or 400011 of a protocol whose manuals write so: the first
 * digit says the space. */
static bool is_manuals(const struct vocabulary *v, const char *text)
{
	bool writes_so = false, begins_so = false;

	for (unsigned i = 0; i < v->n_spaces; i++) {
		writes_so |= v->spaces[i].documented != 0;
		begins_so |= v->spaces[i].documented / 10000u == (unsigned char)text[0] - (unsigned)'0';
	}
	return writes_so && begins_so && (strlen(text) == 5 || strlen(text) == 6) &&
	       text[strspn(text, "0123456789")] == '\0';
}

/* `keyed`: the key stood before the text. Then a number that manuals write without 0x is read as
 * theirs: X1F. */
static bool read_in(const struct vocabulary *v, const struct space_info *s, const char *text, bool keyed,
		    struct number_range *ret)
{
	struct notation n = notation_of_space(s);
	struct notation_mistake unused;
	uint64_t number;
	char hex[24];

	if (is_manuals(v, text)) {
		number = strtoul(text + 1, NULL, 10);
		*ret = (struct number_range){ number - 1u, number - 1u };
		return number > 0 && number <= s->address_max + 1u &&
		       s->documented / 10000u == (unsigned)(text[0] - '0');
	}
	if (notation_read(&n, text, ret, &unused))
		return true;
	return keyed && s->hex && snprintf(hex, sizeof(hex), "0x%s", text) < (int)sizeof(hex) &&
	       notation_read(&n, hex, ret, &unused);
}

/* False: no space of the protocol has such an address, or several have it. */
static bool find_place(const struct vocabulary *v, const char *text, struct tag_place *ret)
{
	size_t best = 0, found = 0;
	struct number_range r;

	for (uint8_t i = 0; i < v->n_spaces; i++) {
		const char *key = v->spaces[i].key, *rest = text + strlen(key);
		bool keyed = strncasecmp(text, key, strlen(key)) == 0;

		keyed = keyed && strlen(key) > best && read_in(v, &v->spaces[i], rest + strspn(rest, " :"), true, &r);
		if (!keyed && (best > 0 || !read_in(v, &v->spaces[i], text, false, &r)))
			continue;
		best = keyed ? strlen(key) : 0;
		found = keyed ? 1 : found + 1u;
		ret->space = i;
		ret->r = r;
	}
	return found == 1;
}

static int place_cmp(const void *x, const void *y)
{
	const struct tag_place *a = x, *b = y;

	if (a->space != b->space)
		return a->space < b->space ? -1 : 1;
	if (a->r.lo != b->r.lo)
		return a->r.lo < b->r.lo ? -1 : 1;
	return (a->tag > b->tag) - (a->tag < b->tag);
}

/* The places of all addresses in this protocol. */
static const struct tag_places *places_in(struct tag_names *t, const struct vocabulary *v)
{
	struct tag_places *p = &t->of[v->protocol];

	if (p->list != NULL)
		return p;
	p->list = arena_array(t->arena, t->n + 1u, sizeof(*p->list));
	for (size_t i = 0; p->list != NULL && i < t->n; i++) {
		p->list[p->n].tag = &t->list[i];
		p->n += find_place(v, t->list[i].address, &p->list[p->n]);
	}
	if (p->list != NULL && p->n > 1)
		qsort(p->list, p->n, sizeof(*p->list), place_cmp);
	return p;
}

/* ---- comments -------------------------------------------------------------------------------- */

static void print_name(FILE *to, const struct space_info *s, const struct tag_place *p, const char *next)
{
	struct notation n = notation_of_space(s);
	char *name = text_safe(p->tag->name), text[NOTATION_TEXT];

	notation_text(&n, p->r, text);
	fprintf(to, "# %s %s = %s%s", s->key, s->named ? p->tag->address : text, name != NULL ? name : "?", next);
	free(name);
	p->tag->printed = true;
}

void tag_names_print(struct tag_names *t, FILE *to, enum lang lang, const struct vocabulary *v, uint8_t space,
		     const struct addr *server, const struct number_range *ranges, size_t n, const char *next)
{
	const struct tag_places *places = places_in(t, v);
	unsigned long long printed = 0;

	for (size_t i = 0, k = 0; i < places->n; i++) {
		const struct tag_place *p = &places->list[i];

		if (p->space != space || (p->tag->server.family != 0 && addr_cmp(&p->tag->server, server) != 0))
			continue;
		while (k < n && ranges[k].hi < p->r.lo)
			k++;
		if (k < n && ranges[k].lo <= p->r.hi && printed++ < PRINTED_MAX)
			print_name(to, &v->spaces[space], p, next);
	}
	if (printed <= PRINTED_MAX)
		return;
	message_print(to, lang, M_LEARN_MORE_NAMES, printed - PRINTED_MAX);
	fputs(next, to);
}

void tag_names_count(const struct tag_names *t, uint64_t *ret_all, uint64_t *ret_printed)
{
	*ret_all = t->n;
	*ret_printed = 0;
	for (size_t i = 0; i < t->n; i++)
		*ret_printed += t->list[i].printed;
}
