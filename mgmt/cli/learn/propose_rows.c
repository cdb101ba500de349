/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of `allow` in a proposal. Rows that differ in one list only become one row. */
#include "mgmt/cli/learn/proposal.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/notation.h"
#include "appliance/wire/operation.h"

#define NEXT_ROW "\n      "
/* addresses that one row of reads lists; written addresses are all listed */
#define PLACES_MAX 16384u

const char *proposal_collected(struct proposal *p, FILE *to, char **text)
{
	const char *kept = to != NULL && fclose(to) == 0 ? arena_strndup(p->arena, *text, strlen(*text)) : NULL;

	free(*text);
	if (kept == NULL)
		arena_fail(p->arena);
	return kept;
}

/* Prints "a,b" as "a", "b" in quotes. */
static void print_quoted(FILE *to, const char *list)
{
	fputc('"', to);
	for (; *list != '\0'; list++)
		*list == ',' ? (void)fputs("\", \"", to) : (void)fputc(*list, to);
	fputc('"', to);
}

static bool touches(const struct function_info *f)
{
	return f == NULL || f->spaces != 0 || (f->untold & UNTOLD_PLACE) != 0;
}

/* The acts of one row differ only in the address. They stay one row, because some requests need a
 * single row for everything. */
static size_t row_end(const struct act *acts, size_t n)
{
	size_t end = 1;

	while (end < n && acts[end].function == acts[0].function && acts[end].half == acts[0].half &&
	       memcmp(acts[end].targets, acts[0].targets, sizeof(acts[0].targets)) == 0)
		end++;
	return end;
}

/* Whether the row names addresses: all are known, and those that are only read are not too many. */
static bool has_places(const struct vocabulary *v, const struct act *acts, size_t n)
{
	const struct function_info *f = function_by_code(v, acts->function);
	bool some = false, exact = false;

	if (f == NULL || (f->untold & UNTOLD_PLACE) != 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (acts[i].unknown)
			return false;
		some |= acts[i].space != SPACE_NONE;
		exact |= acts[i].exact;
	}
	return some && (exact || n <= PLACES_MAX);
}

/* The request reads one address and writes another: the row allows both everywhere. */
static bool is_mixed(const struct vocabulary *v, const struct act *acts, size_t n)
{
	const struct function_info *f = function_by_code(v, acts->function);
	bool several = false;

	for (size_t i = 0; i < n; i++)
		several |= acts[i].turn > 0;
	return several && f != NULL && __builtin_popcount(f->classes) > 1;
}

static void print_comment(FILE *to, enum lang lang, enum message text, const char *word)
{
	if (to == NULL)
		return;
	message_print(to, lang, text, word);
	fputs(NEXT_ROW, to);
}

/* Prints a comment above the row for each data block or the like of which the row allows more than
 * was seen. True: there is such a comment. `to` NULL: only asks. */
static bool print_wide(FILE *to, enum lang lang, const struct vocabulary *v, const struct act *acts, size_t n)
{
	bool wide = false, places = has_places(v, acts, n);

	for (unsigned i = 0; i < v->n_targets; i++) {
		if (acts->targets[i] != LEARNT_NO_TARGET)
			continue;
		wide = true;
		print_comment(to, lang, M_LEARN_ANY_TARGET, lang == LANG_JA ? v->targets[i].ja : v->targets[i].one);
	}
	if (places && is_mixed(v, acts, n)) {
		wide = true;
		print_comment(to, lang, M_LEARN_MIXED, "");
	} else if (!places && touches(function_by_code(v, acts->function))) {
		wide = true;
		print_comment(to, lang, M_LEARN_ANY_PLACE, "");
	}
	return wide;
}

static int lowest_cmp(const void *x, const void *y)
{
	const struct number_range *a = x, *b = y;

	return a->lo != b->lo ? (a->lo > b->lo) - (a->lo < b->lo) : (a->hi > b->hi) - (a->hi < b->hi);
}

/*
 * The addresses of acts of one space, sorted. Adjoining addresses become a range, unless they are
 * paths to different things. Returns how many there are; 0: no act has such an address, or memory
 * is out, which the arena shows.
 */
static size_t places_of(const struct proposal *p, const struct vocabulary *v, size_t space, const struct act *acts,
			size_t n_acts, struct number_range **ret)
{
	const struct space_info *s = &v->spaces[space];
	bool is_path = s->named || s->parts[0].bits != 0;
	struct number_range *r = arena_array(p->arena, n_acts, sizeof(*r));
	size_t n = 0, last = 0;

	for (size_t i = 0; r != NULL && i < n_acts; i++)
		if (acts[i].space == space)
			r[n++] = (struct number_range){ acts[i].lowest, acts[i].highest };
	*ret = r;
	if (n == 0)
		return 0;
	qsort(r, n, sizeof(r[0]), lowest_cmp);
	for (size_t i = 1; i < n; i++) {
		if (r[i].lo > r[last].hi && (is_path || r[i].lo - r[last].hi > 1))
			r[++last] = r[i];
		else if (r[i].hi > r[last].hi)
			r[last].hi = r[i].hi;
	}
	return last + 1u;
}

static void print_places(FILE *to, const struct proposal *p, const struct space_info *s, const struct number_range *r,
			 size_t n)
{
	struct notation notation = notation_of_space(s);
	char text[NOTATION_TEXT];

	for (size_t i = 0; i < n; i++) {
		const char *name = s->named ? learnt_name_of(p->learnt, r[i].lo) : NULL;

		notation_text(&notation, r[i], text);
		fputs(i > 0 ? ", " : "", to);
		print_quoted(to, name != NULL ? name : text);
	}
}

/* A row to be. */
struct row {
	size_t place;	  /* among the rows */
	unsigned classes; /* CLASS_* of its functions */
	uint64_t seen;	  /* its operations */
	bool wide;	  /* it allows more than was seen */
	const char *note; /* the comments above it */
	/* its values of functions, of each target and of each space; "": no such list */
	const char **lists;
};

#define LISTS(v) (1u + (v)->n_targets + (v)->n_spaces)

static const char *key_of(const struct vocabulary *v, size_t list)
{
	if (list == 0)
		return "functions";
	return list <= v->n_targets ? v->targets[list - 1].key : v->spaces[list - 1 - v->n_targets].key;
}

/* The values of one list of a row, with a comment where a function's code says less than its
 * name. */
static void print_list(FILE *to, const struct proposal *p, const struct vocabulary *v, size_t list,
		       const struct act *acts, size_t n)
{
	const struct function_info *f = function_by_code(v, acts->function);
	char text[NOTATION_TEXT > CODE_TEXT ? NOTATION_TEXT : CODE_TEXT];

	if (list == 0) {
		code_text(v, acts->function, text);
		fprintf(to, "\"%s\"", f != NULL && f->code == f->last ? f->name : text);
		if (!p->cli->json && f != NULL && f->code != f->last)
			fprintf(to, " /* %s */", f->name);
	} else if (list <= v->n_targets) {
		uint32_t value = acts->targets[list - 1];
		struct notation notation = notation_of_target(&v->targets[list - 1]);

		if (value == LEARNT_NO_TARGET || value == LEARNT_IDLE_TARGET)
			return;
		notation_text(&notation, (struct number_range){ value, value }, text);
		print_quoted(to, text);
	} else if (has_places(v, acts, n)) {
		size_t space = list - 1 - v->n_targets;
		struct number_range *r;

		n = places_of(p, v, space, acts, n, &r);
		print_places(to, p, &v->spaces[space], r, n);
	}
}

/* Prints the names of tags at the row's addresses. */
static void print_tags(FILE *to, const struct proposal *p, const struct vocabulary *v, const struct act *acts, size_t n)
{
	for (uint8_t space = 0; space < v->n_spaces && has_places(v, acts, n); space++) {
		struct number_range *r;
		size_t ranges = places_of(p, v, space, acts, n, &r);

		if (ranges > 0)
			tag_names_print(p->tags, to, p->cli->lang, v, space, &acts->server, r, ranges, NEXT_ROW);
	}
}

/* The row of acts that differ only in the address. If memory runs out, the arena shows it. */
static void fill_row(struct proposal *p, const struct vocabulary *v, const struct act *acts, size_t n, struct row *ret)
{
	const struct function_info *f = function_by_code(v, acts->function);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	ret->classes = f != NULL ? f->classes : CLASS_ALL;
	for (size_t i = 0; i < n; i++)
		ret->seen += acts[i].turn == 0 ? acts[i].count : 0;
	ret->lists = arena_array(p->arena, LISTS(v), sizeof(*ret->lists));
	ret->wide = print_wide(p->cli->json ? NULL : to, p->cli->lang, v, acts, n);
	if (p->tags != NULL && to != NULL)
		print_tags(to, p, v, acts, n);
	ret->note = proposal_collected(p, to, &text);
	for (size_t i = 0; ret->lists != NULL && i < LISTS(v); i++) {
		to = open_memstream(&text, &size);
		if (to != NULL)
			print_list(to, p, v, i, acts, n);
		ret->lists[i] = proposal_collected(p, to, &text);
	}
}

/* What rows must have in common to be joined: everything but one list. */
struct rest {
	size_t n_lists, but;
};

static int rest_cmp(const void *x, const void *y, void *ctx)
{
	const struct row *a = x, *b = y;
	const struct rest *rest = ctx;
	int r = (int)a->wide - (int)b->wide;

	r = r != 0 ? r : (int)a->classes - (int)b->classes;
	r = r != 0 ? r : strcmp(a->note, b->note);
	for (size_t i = 0; i < rest->n_lists && r == 0; i++)
		r = i == rest->but ? (a->lists[i][0] == '\0') - (b->lists[i][0] == '\0')
				   : strcmp(a->lists[i], b->lists[i]);
	return r;
}

static int by_rest(const void *x, const void *y, void *ctx)
{
	const struct row *a = x, *b = y;
	int r = rest_cmp(x, y, ctx);

	return r != 0 ? r : (a->place > b->place) - (a->place < b->place);
}

static int by_place(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	return (a->place > b->place) - (a->place < b->place);
}

/*
 * Joins rows that differ in this list only, and have one; `what`: only those whose functions are of
 * these classes. The joined row allows what they allowed, and nothing else. Returns how many rows
 * are left.
 */
static size_t join_rows(struct proposal *p, struct row *rows, size_t n, size_t n_lists, size_t list, unsigned what)
{
	struct rest rest = { n_lists, list };
	size_t left = 0;

	qsort_r(rows, n, sizeof(*rows), by_rest, &rest);
	for (size_t i = 0, end; i < n; i = end) {
		bool joins = (rows[i].classes & ~what) == 0;
		uint64_t seen = rows[i].seen;
		char *text = NULL;
		size_t size;
		FILE *to = open_memstream(&text, &size);

		if (to != NULL)
			fputs(rows[i].lists[list], to);
		for (end = i + 1; to != NULL && joins && end < n && rest_cmp(&rows[i], &rows[end], &rest) == 0; end++) {
			fprintf(to, ", %s", rows[end].lists[list]);
			seen += rows[end].seen;
		}
		rows[left] = rows[i];
		rows[left].seen = seen;
		rows[left++].lists[list] = proposal_collected(p, to, &text);
	}
	return left;
}

/* Commands whose beginning was not seen are listed above the rows and make no row. */
static void print_halves(FILE *to, enum lang lang, const struct vocabulary *v, const struct act *acts, size_t n)
{
	for (size_t i = 0, rows; i < n; i += rows) {
		const struct function_info *f = function_by_code(v, acts[i].function);

		rows = row_end(acts + i, n - i);
		if (!acts[i].half)
			continue;
		fputs(NEXT_ROW, to);
		message_print(to, lang, M_LEARN_HALF, f != NULL ? f->name : "?");
	}
}

/* The rows for these acts, at least one of which makes a row. */
struct allowed proposal_rows(struct proposal *p, const struct act *acts, size_t n)
{
	const struct vocabulary *v = vocabulary_of(acts->protocol);
	struct allowed all = { .seen = arena_array(p->arena, n, sizeof(*all.seen)) };
	struct row *rows = arena_array(p->arena, n, sizeof(*rows));
	size_t n_rows = 0, size;
	char *text = NULL;
	FILE *to;

	if (rows == NULL || all.seen == NULL)
		return all;
	for (size_t i = 0, end; i < n; i += end) {
		end = row_end(acts + i, n - i);
		if (acts[i].half)
			continue;
		rows[n_rows].place = n_rows;
		fill_row(p, v, acts + i, end, &rows[n_rows++]);
	}
	for (size_t list = 1; list <= v->n_targets && !arena_failed(p->arena); list++)
		n_rows = join_rows(p, rows, n_rows, LISTS(v), list, CLASS_ALL);
	if (!arena_failed(p->arena))
		n_rows = join_rows(p, rows, n_rows, LISTS(v), 0, CLASS_READ);
	to = open_memstream(&text, &size);
	if (to == NULL || arena_failed(p->arena)) {
		(void)proposal_collected(p, to, &text);
		return all;
	}
	qsort(rows, n_rows, sizeof(*rows), by_place);
	if (!p->cli->json)
		print_halves(to, p->cli->lang, v, acts, n);
	for (size_t i = 0; i < n_rows; i++) {
		fprintf(to, "%s%s{", NEXT_ROW, rows[i].note);
		for (size_t k = 0; k < LISTS(v); k++)
			if (rows[i].lists[k][0] != '\0')
				fprintf(to, " %s = [%s];", key_of(v, k), rows[i].lists[k]);
		fputs(i + 1 < n_rows ? " }," : " }", to);
		if (!p->cli->json)
			fputc(ROW_COUNT, to);
		all.wide += rows[i].wide;
		all.seen[all.n++] = rows[i].seen;
	}
	all.text = proposal_collected(p, to, &text);
	return all;
}
