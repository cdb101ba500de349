/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/screen/wrap.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/utf8.h"

static bool among(uint32_t cp, const char *set)
{
	struct bytes b = bytes_of(set, strlen(set));
	struct utf8_char ch;

	while (utf8_next(&b, &ch))
		if (ch.cp == cp)
			return true;
	return false;
}

static bool katakana(uint32_t cp)
{
	return cp >= 0x30a1 && cp <= 0x30ff && cp != 0x30fb; /* not the middle dot */
}

/* Whether a line may end between these two characters. */
static bool breaks(uint32_t before, uint32_t after, uint32_t behind_space)
{
	static const char no_start[] =
		"、。，．・：；？！）］｝」』】〕〉》ー～々ぁぃぅぇぉっゃゅょァィゥェォッャュョ)]},.:;?!";
	static const char no_end[] = "（［｛「『【〔〈《([{";

	if (after == ' ')
		/* a space belongs to the word before it and is not written at a line's end */
		return false;
	if (before == ' ')
		/* "7 日" stays together */
		return !(behind_space >= '0' && behind_space <= '9' && utf8_cells(after) == 2);
	if (katakana(before) && katakana(after))
		return false; /* inside a word */
	return (utf8_cells(before) == 2 || utf8_cells(after) == 2) && !among(after, no_start) && !among(before, no_end);
}

/* The bytes of `text` that fit into `room` cells, up to a place where a line may end; all of it, or
 * at least the first word. */
static size_t that_fit(const char *text, size_t room)
{
	struct bytes b = bytes_of(text, strlen(text));
	uint32_t before = 0, behind = 0;
	size_t cells = 0, at = 0, good = 0;
	struct utf8_char ch;

	while (utf8_next(&b, &ch)) {
		if (at > 0 && breaks(before, ch.cp, behind)) {
			if (cells > room && good > 0)
				return good;
			good = at;
			if (cells > room)
				return good;
		}
		if (ch.cp != ' ' && cells + utf8_cells(ch.cp) > room && good > 0)
			return good;
		cells += ch.valid ? utf8_cells(ch.cp) : 1u;
		at += ch.size;
		behind = before;
		before = ch.cp;
	}
	return at;
}

void text_wrap(FILE *to, const char *text, size_t at, size_t hang)
{
	while (*text != '\0') {
		size_t room = at < WRAP_CELLS ? WRAP_CELLS - at : 1, n = that_fit(text, room), shown = n;

		while (shown > 0 && text[shown - 1] == ' ')
			shown--;
		fprintf(to, "%.*s", (int)shown, text);
		text += n;
		if (*text == '\0')
			return;
		fprintf(to, "\n%*s", (int)hang, "");
		at = hang;
	}
}

#define LABEL_CELLS 16u /* longest label of a value */
#define TERM_CELLS 28u	/* longest word that an indented line of a help text explains */

/* Where the text behind the first gap of two spaces or more begins, if not beyond `most`. */
static size_t behind_gap(const char *text, size_t most)
{
	size_t lead = strspn(text, " ");
	const char *gap = strstr(text + lead, "  ");
	size_t cells;

	if (gap == NULL)
		return lead;
	cells = text_cells(text) - text_cells(gap + strspn(gap, " "));
	return cells <= most ? cells : lead;
}

size_t text_hang(const char *text)
{
	return behind_gap(text, LABEL_CELLS);
}

void text_wrap_all(FILE *to, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		char *line = strndup(text, n);

		if (line != NULL)
			text_wrap(to, line, 0, *line == ' ' ? behind_gap(line, TERM_CELLS) : 0);
		free(line);
		text += n;
		if (*text == '\n') {
			fputc('\n', to);
			text++;
		}
	}
}

size_t text_cells(const char *s)
{
	struct bytes b = bytes_of(s, strlen(s));
	struct utf8_char ch;
	size_t cells = 0;

	while (utf8_next(&b, &ch))
		cells += ch.valid ? utf8_cells(ch.cp) : 1u;
	return cells;
}

char *text_safe(const char *s)
{
	const char *text = s != NULL ? s : "";
	size_t size = strlen(text) + 1;
	char *out = malloc(size);

	if (out != NULL)
		utf8_plain(text, out, size);
	return out;
}
