/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/diag.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LEAST 32u /* first size of the list */

void diags_init(struct diags *d, struct arena *a)
{
	memset(d, 0, sizeof(*d));
	d->arena = a;
	d->folder = "";
	d->list = arena_array(a, LEAST, sizeof(struct diag *));
	d->room = d->list != NULL ? LEAST : 0;
	d->spare = arena_alloc(a, sizeof(*d->spare));
}

/* The catalogue's sentence in one language, in the arena; the bare format when memory is out, never
 * NULL. */
static const char *catalogue_sentence(struct arena *a, enum lang l, enum message m, va_list ap)
{
	va_list again;
	char *text = NULL;
	int n;

	va_copy(again, ap);
	n = message_vtext(NULL, 0, l, m, again);
	va_end(again);
	if (n >= 0)
		text = arena_alloc(a, (size_t)n + 1);
	if (text == NULL)
		return message_format(m, l);
	va_copy(again, ap);
	message_vtext(text, (size_t)n + 1, l, m, again);
	va_end(again);
	return text;
}

/* Room for one more in the list; false when it is full or memory is out. */
static bool has_room(struct diags *d)
{
	size_t room = d->room == 0 ? LEAST : d->room * 2;
	struct diag **list;

	if (d->n >= DIAG_KEPT)
		return false;
	if (d->n < d->room)
		return true;
	list = arena_array(d->arena, room, sizeof(struct diag *));
	if (list == NULL)
		return false;
	if (d->n > 0)
		memcpy(list, d->list, d->n * sizeof(struct diag *));
	d->list = list;
	d->room = room;
	return true;
}

/* The entry of a warning that can be replaced, or the spare entry. */
static struct diag *slot_without_memory(struct diags *d)
{
	struct diag *g = d->n < d->room && d->n < DIAG_KEPT ? d->spare : NULL;

	while (d->unsearched > 0)
		if (d->list[--d->unsearched]->severity == SEV_WARNING)
			return d->list[d->unsearched];
	if (g != NULL) {
		d->list[d->n++] = g;
		d->spare = NULL;
	}
	return g;
}

/* An entry for one more diagnostic. If there is no room, an error replaces a warning, so that what
 * stops the policy is not lost. NULL = counted only. */
static struct diag *diag_slot(struct diags *d, enum severity s)
{
	struct diag *g;

	if (s == SEV_ERROR)
		d->errors++;
	else
		d->warnings++;
	if (has_room(d)) {
		g = arena_alloc(d->arena, sizeof(*g));
		if (g != NULL) {
			d->list[d->n++] = g;
			d->unsearched = d->n;
			return g;
		}
	}
	return s == SEV_ERROR ? slot_without_memory(d) : NULL;
}

/* Receives diagnostics that are dropped, so that callers need no test. Nobody reads it. */
static struct diag scratch;

static struct diag *diag_entry(struct diags *d, enum severity s, const char *code, struct srcpos at)
{
	struct diag *g = diag_slot(d, s);

	if (g == NULL)
		g = &scratch;
	*g = (struct diag){ .severity = s, .code = code, .at = at, .width = 1, .text = { "", "" } };
	return g;
}

void diag_means(struct diags *d, struct diag *g, enum message m)
{
	static const struct {
		enum message of, hint;
	} fixed[] = {
#define HINT(of, hint) { of, hint },
#include "appliance/base/messages/hints.def"
	};

	g->sentence = (unsigned)m + 1;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (fixed[i].of == m)
			diag_hint(d, g, fixed[i].hint);
}

struct diag *diag_add(struct diags *d, enum severity s, const char *code, struct srcpos at, enum message m, ...)
{
	struct diag *g = diag_entry(d, s, code, at);
	va_list ap;

	if (g == &scratch)
		return g;
	diag_means(d, g, m);
	va_start(ap, m);
	g->text[LANG_EN] = catalogue_sentence(d->arena, LANG_EN, m, ap);
	g->text[LANG_JA] = catalogue_sentence(d->arena, LANG_JA, m, ap);
	va_end(ap);
	return g;
}

struct diag *diag_add_texts(struct diags *d, enum severity s, const char *code, struct srcpos at, const char *en,
			    const char *ja)
{
	struct diag *g = diag_entry(d, s, code, at);

	g->text[LANG_EN] = en;
	g->text[LANG_JA] = ja;
	return g;
}

void diag_hint(struct diags *d, struct diag *g, enum message m, ...)
{
	va_list ap;

	if (g == &scratch)
		return;
	va_start(ap, m);
	g->hint[LANG_EN] = catalogue_sentence(d->arena, LANG_EN, m, ap);
	g->hint[LANG_JA] = catalogue_sentence(d->arena, LANG_JA, m, ap);
	va_end(ap);
}

/* ---- order ----------------------------------------------------------------------------------- */

static const char *const by_weight[] = {
#define WARNING(code) "policy." code,
#include "appliance/base/warnings.def"
#undef WARNING
};
#define WEIGHTS (sizeof(by_weight) / sizeof(by_weight[0]))

static size_t diag_weight(const struct diag *g)
{
	size_t i = 0;

	if (g->severity == SEV_ERROR)
		return 0;
	while (i < WEIGHTS && strcmp(by_weight[i], g->code) != 0)
		i++;
	return 1 + i;
}

static int by_weight_and_place(const void *pa, const void *pb)
{
	const struct diag *a = *(const struct diag *const *)pa, *b = *(const struct diag *const *)pb;
	size_t wa = diag_weight(a), wb = diag_weight(b);
	int codes;

	if (wa != wb)
		return wa < wb ? -1 : 1;
	codes = a->severity == SEV_ERROR ? 0 : strcmp(a->code, b->code);
	if (codes != 0)
		return codes;
	if (a->severity == SEV_WARNING && a->sentence != b->sentence)
		return a->sentence < b->sentence ? -1 : 1;
	if (a->at.file != b->at.file)
		return a->at.file < b->at.file ? -1 : 1;
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	if (a->at.column != b->at.column)
		return a->at.column < b->at.column ? -1 : 1;
	return strcmp(a->text[LANG_EN], b->text[LANG_EN]);
}

void diags_sort(struct diags *d)
{
	if (d->n > 1)
		qsort(d->list, d->n, sizeof(struct diag *), by_weight_and_place);
	d->unsearched = d->n;
}

/* The number of edits between two words of at most WORD_MAX characters. A swap of neighbours is one
 * edit, a letter in the other case none. */
#define WORD_MAX 63

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t edits(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2], *spare;

	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = last[j - 1] + !same_letter(a[i - 1], b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]) &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[nb];
}

const char *word_nearest(const char *word, const char *const *known, size_t n)
{
	/* how many slips a word of this length may have */
	size_t len = strlen(word), best = len < 5 ? 1 : len < 9 ? 2 : 3;
	const char *ret = NULL;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	if (best > 3)
		best = 3;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(known[i]), e;

		if (other == 0 || other > WORD_MAX)
			continue;
		e = edits(word, len, known[i], other);
		/* A word with two slips must begin with the same letter, and must share a letter
		 * with the known word. */
		if (e >= 2 && !same_letter(word[0], known[i][0]))
			continue;
		if (e < len && e < other && (ret == NULL ? e <= best : e < best)) {
			ret = known[i];
			best = e;
		}
	}
	/* "modbus-tcp" for "modbus": one word begins with the other. */
	for (size_t i = 0; ret == NULL && i < n; i++) {
		size_t other = strlen(known[i]);

		if (other >= 4 && len >= 4 && strncasecmp(word, known[i], other < len ? other : len) == 0)
			ret = known[i];
	}
	return ret;
}
