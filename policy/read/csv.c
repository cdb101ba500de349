/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/read/csv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "appliance/base/utf8.h"

#define BOM "\xef\xbb\xbf"

/* The first character behind a byte order mark. */
static const char *first(const struct source_text *s)
{
	return s->size >= strlen(BOM) && memcmp(s->text, BOM, strlen(BOM)) == 0 ? s->text + strlen(BOM) : s->text;
}

void csv_begin(struct csv *c, const struct source_text *s, uint32_t file, struct arena *a)
{
	*c = (struct csv){
		.arena = a, .p = first(s), .end = s->text + s->size, .at = { file, 1, 1 }, .row = 1, .column = 1
	};
}

/* Moves on by one character. False: at the end, or no valid character. */
static bool step(struct csv *c)
{
	struct bytes b = bytes_of(c->p, (size_t)(c->end - c->p));
	struct utf8_char u;

	if (!utf8_next(&b, &u) || !u.valid)
		return false;
	if (*c->p == '\n') {
		c->at.line++;
		c->at.column = 1;
	} else {
		c->at.column++;
	}
	c->p = c->end - b.left;
	return true;
}

static bool is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

static bool at_row_end(const struct csv *c)
{
	return c->p < c->end && (*c->p == '\n' || (*c->p == '\r' && c->p + 1 < c->end && c->p[1] == '\n'));
}

/* Reads the characters between two quotes; a doubled quote stands for one. */
static enum csv_fault quoted(struct csv *c, char *out, size_t *n)
{
	step(c);
	for (;;) {
		const char *from;

		if (c->p == c->end)
			return CSV_OPEN;
		if (*c->p == '"' && (c->p + 1 == c->end || c->p[1] != '"'))
			break;
		if (is_control(*c->p))
			return CSV_CONTROL;
		if (*c->p == '"')
			step(c);
		from = c->p;
		if (!step(c))
			return CSV_NOT_UTF8;
		memcpy(out + *n, from, (size_t)(c->p - from));
		*n += (size_t)(c->p - from);
	}
	step(c);
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
		step(c);
	return c->p == c->end || *c->p == ',' || at_row_end(c) ? CSV_FINE : CSV_QUOTE;
}

static enum csv_fault plain(struct csv *c, char *out, size_t *n)
{
	while (c->p < c->end && *c->p != ',' && !at_row_end(c)) {
		const char *from = c->p;

		if (*c->p == '"')
			return CSV_QUOTE;
		if (is_control(*c->p))
			return CSV_CONTROL;
		if (!step(c))
			return CSV_NOT_UTF8;
		memcpy(out + *n, from, (size_t)(c->p - from));
		*n += (size_t)(c->p - from);
	}
	return CSV_FINE;
}

/* Removes blanks at both ends, including the full-width ones of Japanese input. */
static const char *trimmed(char *text, size_t n)
{
	static const char *const blanks[] = { " ", "\t", "\xe3\x80\x80", "\xc2\xa0" };
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
			size_t w = strlen(blanks[i]);

			if (n >= w && memcmp(text, blanks[i], w) == 0) {
				text += w;
				n -= w;
				again = true;
			}
			if (n >= w && memcmp(text + n - w, blanks[i], w) == 0) {
				n -= w;
				again = true;
			}
		}
	}
	text[n] = '\0';
	return text;
}

/* An upper bound for the bytes of this cell. */
static size_t most(const struct csv *c)
{
	const char *p = c->p;
	bool inside = p < c->end && *p == '"';

	for (p += inside; p < c->end; p++) {
		if (*p == '"')
			inside = !inside;
		else if (!inside && (*p == ',' || *p == '\n' || *p == '\r'))
			break;
	}
	return (size_t)(p - c->p);
}

bool csv_next(struct csv *c, struct csv_cell *ret, enum csv_fault *ret_fault)
{
	size_t n = 0;
	char *text;

	*ret = (struct csv_cell){ .text = "", .at = c->at, .width = 1, .row = c->row, .column = c->column };
	*ret_fault = CSV_FINE;
	if (c->p == c->end && !c->begun)
		return false;
	text = arena_alloc(c->arena, most(c) + 1);
	if (text == NULL) {
		*ret_fault = CSV_MEMORY;
		return false;
	}
	*ret_fault = c->p < c->end && *c->p == '"' ? quoted(c, text, &n) : plain(c, text, &n);
	if (*ret_fault != CSV_FINE) {
		ret->at = *ret_fault == CSV_OPEN ? ret->at : c->at;
		return false;
	}
	ret->text = trimmed(text, n);
	ret->width = c->at.line == ret->at.line && c->at.column > ret->at.column ? c->at.column - ret->at.column : 1;
	ret->last = c->p == c->end || at_row_end(c);
	c->begun = c->p < c->end && *c->p == ',';
	if (c->begun) {
		step(c);
		c->column++;
		return true;
	}
	if (c->p < c->end && *c->p == '\r')
		step(c);
	if (c->p < c->end)
		step(c);
	c->row++;
	c->column = 1;
	return true;
}

/* The cell's position in its row: the number of commas outside of quotes before it. */
static uint32_t column_at(const char *line, const char *end, uint32_t column)
{
	struct bytes b = bytes_of(line, (size_t)(end - line));
	struct utf8_char u;
	uint32_t ret = 1;
	bool inside = false;

	for (uint32_t i = 1; i < column && utf8_next(&b, &u) && u.cp != '\n'; i++) {
		inside ^= u.cp == '"';
		ret += u.cp == ',' && !inside;
	}
	return ret;
}

void csv_cell_text(const struct source_text *s, struct srcpos at, char out[CSV_CELL_TEXT])
{
	const char *line = first(s), *end = s->text + s->size;
	char back[CSV_CELL_TEXT] = "";
	uint32_t column;
	size_t n = 0, i = 0;

	for (uint32_t l = 1; l < at.line && line < end; l++) {
		const char *nl = memchr(line, '\n', (size_t)(end - line));

		line = nl != NULL ? nl + 1 : end;
	}
	for (column = column_at(line, end, at.column); column > 0; column = (column - 1) / 26)
		back[n++] = (char)('A' + (column - 1) % 26);
	while (n > 0)
		out[i++] = back[--n];
	snprintf(out + i, CSV_CELL_TEXT - i, "%u", at.line);
}

bool csv_is_table(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcasecmp(name + n - 4, ".csv") == 0;
}

bool csv_is_formula(const char *cell)
{
	static const char *const begins[] = { "=", "+", "-", "@", "＝", "＋", "－", "＠" };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (strncmp(cell, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}
