/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/learn/tags.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "appliance/base/messages.h"
#include "appliance/wire/notation.h"
#include "appliance/wire/operation.h"
#include "mgmt/cli/screen/wrap.h"
#include "policy/read/csv.h"
#include "policy/read/read.h"

#define BUDGET (192u << 20)
#define PRINTED_MAX 64u /* names above one row */

enum column { COLUMN_ADDRESS, COLUMN_NAME, COLUMN_SERVER, COLUMNS };

static const char *const columns[COLUMNS] = { "address", "name", "server" };

struct tag_name {
	const char *cells[COLUMNS]; /* NULL: there is no such cell */
	bool printed;
};

/* What an address means in one protocol. */
struct tag_place {
	struct number_range r;
	uint8_t space; /* SPACE_NONE: nothing */
};

struct tag_names {
	struct arena *arena;
	struct tag_name *list;
	size_t n;
	struct tag_place **of; /* by protocol, as long as the list; made when first needed */
};

static int read_cells(struct cli *c, struct tag_names *t, const struct source_text *text)
{
	static const enum message faults[] = {
		[CSV_NOT_UTF8] = MP_CSV_ENCODING, [CSV_CONTROL] = MP_CSV_CONTROL, [CSV_OPEN] = MP_CSV_OPEN,
		[CSV_QUOTE] = MP_CSV_QUOTE,	  [CSV_MEMORY] = M_CLI_NO_MEMORY,
	};
	char place[CSV_CELL_TEXT], where[PATH_MAX + CSV_CELL_TEXT];
	uint32_t at[COLUMNS] = { 0 }; /* from 1; 0: there is no such column */
	struct tag_name tag = { 0 };
	enum csv_fault fault;
	struct csv_cell cell;
	struct csv csv;

	csv_begin(&csv, text, 0, t->arena);
	while (csv_next(&csv, &cell, &fault)) {
		for (size_t i = 0; i < COLUMNS; i++)
			if (cell.row == 1 && strcasecmp(cell.text, columns[i]) == 0)
				at[i] = cell.column;
			else if (cell.row > 1 && cell.column == at[i] && cell.text[0] != '\0')
				tag.cells[i] = cell.text;
		if (!cell.last)
			continue;
		if (tag.cells[COLUMN_ADDRESS] != NULL && tag.cells[COLUMN_NAME] != NULL)
			t->list[t->n++] = tag;
		tag = (struct tag_name){ 0 };
	}
	if (fault != CSV_FINE) {
		csv_cell_text(text, cell.at, place);
		snprintf(where, sizeof(where), "%s %s", text->name, place);
		return cli_fail(c, CLI_INVALID, faults[fault], where);
	}
	for (size_t i = 0; i < COLUMN_SERVER; i++)
		if (at[i] == 0)
			return cli_fail(c, CLI_INVALID, MP_FLEET_COLUMN, text->name, columns[i]);
	return CLI_YES;
}

struct tag_names *tag_names_read(struct cli *c, const char *path, int *ret_status)
{
	struct arena *a = arena_new(BUDGET);
	struct tag_names *t = a != NULL ? arena_alloc(a, sizeof(*t)) : NULL;
	struct source_text text = { 0 };
	struct policy_loader loader;
	const char *name;
	size_t rows = 1;
	int error = -ENOMEM;

	if (t != NULL) {
		loader_folder(path, a, &loader, &name);
		error = loader.load(loader.ctx, name, a, &text);
	}
	if (error == 0) {
		for (size_t i = 0; i < text.size; i++)
			rows += text.text[i] == '\n';
		text.name = path;
		t->arena = a;
		t->list = arena_array(a, rows, sizeof(*t->list));
		t->of = arena_array(a, protocols_end(), sizeof(struct tag_place *));
		error = arena_failed(a) ? -ENOMEM : 0;
	}
	*ret_status = error != 0 ? cli_fail_file(c, CLI_CANNOT, path, -error) : read_cells(c, t, &text);
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

/* Whether a text is a number such as 40011 or 400011 of a protocol whose manuals write so: the
 * first digit says the space. */
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

/* Finds no place if no space of the protocol has such an address, or several have it. */
static void find_place(const struct vocabulary *v, const char *text, struct tag_place *ret)
{
	size_t best = 0, found = 0;
	struct number_range r;

	for (uint8_t i = 0; i < v->n_spaces; i++) {
		const char *key = v->spaces[i].key;
		size_t n = strncasecmp(text, key, strlen(key)) == 0 ? strlen(key) : 0;
		bool keyed = n > best && read_in(v, &v->spaces[i], text + n + strspn(text + n, " :"), true, &r);

		if (!keyed && (best > 0 || !read_in(v, &v->spaces[i], text, false, &r)))
			continue;
		best = keyed ? n : 0;
		found = keyed ? 1 : found + 1u;
		ret->space = i;
		ret->r = r;
	}
	if (found != 1)
		ret->space = SPACE_NONE;
}

/* What all addresses mean in this protocol; NULL: no memory. */
static const struct tag_place *places_in(struct tag_names *t, const struct vocabulary *v)
{
	struct tag_place **p = &t->of[v->protocol];

	if (*p != NULL)
		return *p;
	*p = arena_array(t->arena, t->n + 1u, sizeof(**p));
	for (size_t i = 0; *p != NULL && i < t->n; i++)
		find_place(v, t->list[i].cells[COLUMN_ADDRESS], &(*p)[i]);
	return *p;
}

/* Equal: they have an address in common. */
static int range_cmp(const void *x, const void *y)
{
	const struct number_range *a = x, *b = y;

	return a->hi < b->lo ? -1 : a->lo > b->hi;
}

static bool is_of(const struct tag_name *tag, const struct addr *server)
{
	struct addr a;

	return tag->cells[COLUMN_SERVER] == NULL ||
	       (addr_parse(tag->cells[COLUMN_SERVER], &a) && addr_cmp(&a, server) == 0);
}

void tag_names_print(struct tag_names *t, FILE *to, enum lang lang, const struct vocabulary *v, uint8_t space,
		     const struct addr *server, const struct number_range *ranges, size_t n, const char *next)
{
	const struct tag_place *places = places_in(t, v);
	const struct space_info *s = &v->spaces[space];
	struct notation notation = notation_of_space(s);
	unsigned long long printed = 0;
	char text[NOTATION_TEXT];

	for (size_t i = 0; places != NULL && i < t->n; i++) {
		struct tag_name *tag = &t->list[i];
		char *name;

		if (places[i].space != space || bsearch(&places[i].r, ranges, n, sizeof(*ranges), range_cmp) == NULL ||
		    !is_of(tag, server) || printed++ >= PRINTED_MAX)
			continue;
		notation_text(&notation, places[i].r, text);
		name = text_safe(tag->cells[COLUMN_NAME]);
		fprintf(to, "# %s %s = %s%s", s->key, s->named ? tag->cells[COLUMN_ADDRESS] : text,
			name != NULL ? name : "?", next);
		free(name);
		tag->printed = true;
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
