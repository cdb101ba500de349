/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only change that a restore makes to a text: card names. The text is the operator's own and
 * must keep its comments, so it is not parsed and rewritten; only comments, strings and words are
 * distinguished. When this misreads something, the box's compiler will name a card that does not
 * exist.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/backup/backup.h"

/* The token before the present one: the key `device`, that key with its sign (= or :), or another
 * one. */
enum before { BEFORE_OTHER, BEFORE_KEY, BEFORE_VALUE };

static bool word_sign(uint8_t ch)
{
	return isalnum(ch) || ch == '_' || ch == '-' || ch == '*';
}

static size_t up_to(struct bytes b, const char *end, size_t n)
{
	const uint8_t *at = memmem(b.p, b.left, end, n);

	return at != NULL ? (size_t)(at - b.p) + n : b.left;
}

/* The length from the opening quote to behind the closing one. */
static size_t string_size(struct bytes b)
{
	for (size_t i = 1; i < b.left; i++) {
		if (b.p[i] == '\\')
			i++;
		else if (b.p[i] == '"')
			return i + 1;
	}
	return b.left;
}

static size_t word_size(struct bytes b)
{
	size_t n = 1;

	while (n < b.left && word_sign(b.p[n]))
		n++;
	return n;
}

static bool comment(const struct bytes *b, size_t *ret_n)
{
	if (bytes_starts(b, "#", 1) || bytes_starts(b, "//", 2))
		*ret_n = up_to(*b, "\n", 1);
	else if (bytes_starts(b, "/*", 2))
		*ret_n = up_to(*b, "*/", 2);
	else
		return false;
	return true;
}

/* The new name for the quoted text, or NULL. */
static const char *renamed(struct card_places *p, struct bytes quoted)
{
	for (size_t i = 0; i < p->n; i++) {
		size_t n = strlen(p->list[i].was);

		if (quoted.left == n + 2 && quoted.p[n + 1] == '"' && memcmp(quoted.p + 1, p->list[i].was, n) == 0) {
			p->list[i].named = true;
			return p->list[i].is;
		}
	}
	return NULL;
}

static enum before next(enum before was, struct bytes piece)
{
	if (isspace(piece.p[0]))
		return was;
	if (was == BEFORE_KEY && piece.left == 1 && (piece.p[0] == '=' || piece.p[0] == ':'))
		return BEFORE_VALUE;
	return piece.left == 6 && memcmp(piece.p, "device", 6) == 0 ? BEFORE_KEY : BEFORE_OTHER;
}

char *cards_rename(struct card_places *p, struct bytes text, size_t *ret_n)
{
	enum before before = BEFORE_OTHER;
	char *out = NULL;
	FILE *to = open_memstream(&out, ret_n);

	while (to != NULL && text.left > 0) {
		const char *name = NULL;
		bool told = true;
		struct bytes piece;
		size_t n = 1;

		if (comment(&text, &n))
			told = false;
		else if (text.p[0] == '"')
			n = string_size(text);
		else if (word_sign(text.p[0]))
			n = word_size(text);
		bytes_take(&text, n, &piece);
		if (before == BEFORE_VALUE && piece.p[0] == '"' && piece.left >= 2)
			name = renamed(p, piece);
		if (name != NULL)
			fprintf(to, "\"%s\"", name);
		else
			fwrite(piece.p, 1, piece.left, to);
		if (told)
			before = next(before, piece);
	}
	if (to == NULL || fclose(to) != 0) {
		free(out);
		return NULL;
	}
	return out;
}
