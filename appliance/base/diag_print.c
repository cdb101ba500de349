/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics as a person reads them: place, sentence, line with carets below, hint. A policy text
 * could hold control sequences of a terminal, so control and direction characters and invalid UTF-8
 * are printed as '?'.
 */
#include <string.h>

#include "appliance/base/diag.h"
#include "appliance/base/utf8.h"

/* cells of a line that are shown; a longer line is cut around the column */
#define EXCERPT_CELLS 100u
#define LEAD_CELLS 60u /* shown before the column when the line is cut */

static struct bytes line_of(const struct source_text *s, uint32_t line)
{
	const char *p = s->text, *end = s->text + s->size, *nl;

	if (s->size >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3; /* a BOM is no character of the line */
	for (uint32_t i = 1; i < line; i++) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			return bytes_of("", 0);
		p = nl + 1;
	}
	nl = memchr(p, '\n', (size_t)(end - p));
	if (nl == NULL)
		nl = end;
	if (nl > p && nl[-1] == '\r')
		nl--;
	return bytes_of(p, (size_t)(nl - p));
}

static void put_char(FILE *to, const struct utf8_char *c, const uint8_t *p)
{
	if (c->cp == '\t')
		fputc(' ', to);
	else if (!c->valid || c->cp < 0x20 || (c->cp >= 0x7f && c->cp < 0xa0) || utf8_is_bidi(c->cp))
		fputc('?', to);
	else
		fwrite(p, 1, c->size, to);
}

static unsigned char_cells(const struct utf8_char *c)
{
	return !c->valid || c->cp == '\t' || utf8_is_bidi(c->cp) ? 1 : utf8_cells(c->cp);
}

/* Cells before character `column` (from 1) of the line. */
static unsigned cells_before(struct bytes line, uint32_t column)
{
	struct utf8_char c;
	unsigned n = 0;

	for (uint32_t i = 1; i < column && utf8_next(&line, &c); i++)
		n += char_cells(&c);
	return n;
}

/* The line and, when `width` is not 0, carets under `width` characters from `column`. */
static void excerpt(FILE *to, const struct source_text *s, const struct srcpos *at, uint32_t width)
{
	struct bytes line = line_of(s, at->line), rest = line;
	unsigned before = cells_before(line, at->column), skip = 0, pad = 0, under = 0, shown = 0;
	struct utf8_char c;
	uint32_t i = 1;

	if (before > EXCERPT_CELLS - 20)
		skip = before - LEAD_CELLS;
	fprintf(to, "%5u | ", at->line);
	if (skip > 0) {
		unsigned gone = 0;

		for (; gone < skip && utf8_next(&rest, &c); i++)
			gone += char_cells(&c);
		fputs("... ", to);
		pad = 4 + before - gone;
	} else {
		pad = before;
	}
	for (;; i++) {
		const uint8_t *p = rest.p;

		if (!utf8_next(&rest, &c))
			break;
		if (shown + char_cells(&c) > EXCERPT_CELLS) {
			fputs(" ...", to);
			break;
		}
		shown += char_cells(&c);
		if (i >= at->column && i - at->column < width)
			under += char_cells(&c);
		put_char(to, &c, p);
	}
	fputc('\n', to);
	if (width == 0)
		return;
	fprintf(to, "      | %*s^", (int)pad, "");
	for (unsigned k = 1; k < under; k++)
		fputc('~', to);
	fputc('\n', to);
}

static void put_clean(FILE *to, const char *text)
{
	struct bytes b = bytes_of(text, strlen(text));
	struct utf8_char c;

	for (const uint8_t *p = b.p; utf8_next(&b, &c); p = b.p)
		put_char(to, &c, p);
}

/* Prints the folder as typed (struct diags) and the name of the file in it. */
static void put_name(FILE *to, const char *folder, const char *name)
{
	put_clean(to, folder);
	put_clean(to, name);
	fputc(':', to);
}

/* Prints a sentence with unsafe characters replaced, because it may quote the policy text. `code`
 * may be NULL. */
static void put_text(FILE *to, enum lang l, enum message lead, const char *text, const char *code)
{
	message_print(to, l, lead, "");
	put_clean(to, text);
	if (code != NULL)
		fprintf(to, " [%s]", code);
	fputc('\n', to);
}

static void print_one(FILE *to, const char *folder, const struct diag *g, const struct source_text *sources, size_t n,
		      enum lang l)
{
	const struct source_text *s = g->at.file < n ? &sources[g->at.file] : NULL;
	const struct source_text *also = g->also.line != 0 && g->also.file < n ? &sources[g->also.file] : NULL;

	if (s != NULL)
		put_name(to, folder, s->name);
	if (s != NULL && g->at.line != 0)
		fprintf(to, "%u:%u:", g->at.line, g->at.column);
	if (s != NULL)
		fputc(' ', to);
	put_text(to, l, g->severity == SEV_ERROR ? MP_WORD_ERROR : MP_WORD_WARNING, g->text[l],
		 g->severity == SEV_WARNING ? g->code : NULL);
	if (s != NULL && g->at.line != 0)
		excerpt(to, s, &g->at, g->width == 0 ? 1 : g->width);
	if (also != NULL) {
		message_print(to, l, MP_WORD_ALSO);
		put_name(to, folder, also->name);
		fprintf(to, "%u:%u:\n", g->also.line, g->also.column);
		excerpt(to, also, &g->also, 0);
	}
	if (g->hint[l] != NULL)
		put_text(to, l, MP_WORD_HINT, g->hint[l], NULL);
}

#define PLACES_SHOWN 8u /* how many places of further warnings with the same text are listed */

/* "and 59 more like it: site.cfg:13, 14, 15, ..." for list[0..n-1]. */
static void print_others(FILE *to, const char *folder, struct diag *const *list, size_t n,
			 const struct source_text *sources, size_t n_sources, enum lang l)
{
	const char *file = NULL;

	message_print(to, l, MP_MORE_LIKE_IT, n);
	for (size_t i = 0; i < n && i < PLACES_SHOWN; i++) {
		const char *name = list[i]->at.file < n_sources ? sources[list[i]->at.file].name : "";

		fputs(i == 0 ? " " : ", ", to);
		if (file == NULL || strcmp(file, name) != 0)
			put_name(to, folder, name);
		fprintf(to, "%u", list[i]->at.line);
		file = name;
	}
	fputs(n > PLACES_SHOWN ? ", ...\n" : "\n", to);
}

static bool says_the_same(const struct diag *a, const struct diag *b)
{
	return a->sentence == b->sentence && strcmp(a->code, b->code) == 0;
}

void diags_print(FILE *to, struct diags *d, const struct source_text *sources, size_t n_sources, enum lang l)
{
	size_t i = 0, kept_errors = 0, next;

	diags_sort(d);
	while (kept_errors < d->n && d->list[kept_errors]->severity == SEV_ERROR)
		kept_errors++;
	for (; i < kept_errors && i < DIAG_SHOWN; i++)
		print_one(to, d->folder, d->list[i], sources, n_sources, l);
	if (d->errors > i) {
		message_print(to, l, MP_MORE_DIAGS, d->errors - i);
		fputc('\n', to);
	}
	for (i = kept_errors; i < d->n; i = next) {
		for (next = i + 1; next < d->n && says_the_same(d->list[next], d->list[i]);)
			next++;
		print_one(to, d->folder, d->list[i], sources, n_sources, l);
		if (next > i + 1)
			print_others(to, d->folder, d->list + i + 1, next - i - 1, sources, n_sources, l);
	}
}
