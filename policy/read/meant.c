/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/read/meant.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "appliance/base/utf8.h"

#define VALUES_MAX 8u	/* numbers in one row */
#define PIECES_MAX 64u	/* values in one text */
#define WANTED_MAX 128u /* bytes of the suggested text */

static const struct row {
	enum meant kind;
	const char *written, *wanted;
} rows[] = {
#define MEANT(kind, written, wanted) { kind, written, wanted },
#include "policy/read/meant.def"
#undef MEANT
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const char *const transports[] = { "tcp", "udp", "icmp" };
static const char *const weekdays[] = { "月", "火", "水", "木", "金", "土", "日" };
static const char *const date_signs[] = { "/", ".", "-", "年", "月" };
#define N(list) (sizeof(list) / sizeof((list)[0]))

/* ---- signs ----------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A wave dash, a long-vowel mark behind a digit, or '~'. */
static bool is_dash(uint32_t cp, char before)
{
	return cp == '~' || cp == 0x301c || cp == 0xff5e || (cp == 0x30fc && is_digit(before));
}

/* Removes the quote that spreadsheets put before a text, and quotes that were copied along. */
static const char *without_quotes(char *text, size_t n)
{
	while (n > 0 && strchr(" '\"`;&", text[n - 1]) != NULL)
		text[--n] = '\0';
	return text + strspn(text, " '\"`;&");
}

const char *meant_plain(struct arena *a, const char *text)
{
	size_t size = strlen(text), n = 0;
	struct bytes b = bytes_of(text, size);
	char *out = arena_alloc(a, size + 1);
	bool blank = false, line = false;
	struct utf8_char c;

	while (out != NULL && utf8_next(&b, &c)) {
		char ascii = is_dash(c.cp, n > 0 ? out[n - 1] : ' ') ? '-'
			     : c.cp < 0x80			     ? (char)c.cp
								     : utf8_ascii_for(c.cp);

		/* full stops of a Japanese keyboard */
		if (c.cp == 0x3002 || c.cp == 0xff61)
			ascii = '.';
		if (ascii == ' ' || ascii == '\t' || ascii == '\n' || ascii == '\r') {
			blank = blank || utf8_cells(c.cp) > 0;
			line = line || ascii == '\n' || ascii == '\r';
			continue;
		}
		if (utf8_is_steering(c.cp))
			continue;
		if (line && n > 0 && strchr(",;", out[n - 1]) == NULL && ascii != ',' && ascii != ';')
			out[n++] = ';';
		else if (blank && n > 0 && strchr("-/:.,;", out[n - 1]) == NULL &&
			 (ascii == 0 || strchr("-/:.,;", ascii) == NULL))
			out[n++] = ' ';
		blank = line = false;
		if (ascii != 0)
			out[n++] = ascii;
		else
			for (unsigned i = 0; i < c.size; i++)
				out[n++] = text[size - b.left - c.size + i];
	}
	return out != NULL ? without_quotes(out, n) : NULL;
}

bool meant_everything(const char *plain)
{
	static const char *const words[] = { "any", "all", "*", "rest", "any any", "すべて", "全て", "全部", "任意" };

	for (size_t i = 0; i < N(words); i++)
		if (strcasecmp(plain, words[i]) == 0)
			return true;
	return false;
}

/* ---- a row against a text -------------------------------------------------------------------- */

struct values {
	uint64_t v[VALUES_MAX + 1];
	size_t n;
};

/* At most nine digits, so that no sum overflows; `exact`: exactly so many. */
static const char *take_number(const char *text, size_t exact, struct values *v)
{
	size_t n = 0, most = exact > 0 ? exact : 9;
	uint64_t x = 0;

	while (n < most && is_digit(text[n]))
		x = x * 10 + (uint64_t)(text[n++] - '0');
	if (n == 0 || (exact > 0 && n != exact) || v->n >= VALUES_MAX)
		return NULL;
	v->v[++v->n] = x;
	return text + n;
}

/* One of the words; its index is its value, if `v` is there. */
static const char *take_word(const char *text, const char *const *words, size_t n, struct values *v)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);

		if (strncasecmp(text, words[i], len) != 0 || (v != NULL && v->n >= VALUES_MAX))
			continue;
		if (v != NULL)
			v->v[++v->n] = i + 1;
		return text + len;
	}
	return NULL;
}

/* What one sign of a row takes of the text; NULL: no match. */
static const char *take(char sign, const char *text, struct values *v)
{
	size_t blank;

	switch (sign) {
	case '#':
		return take_number(text, 0, v);
	case '@':
		return take_number(text, 2, v);
	case '&':
		return take_number(text, 4, v);
	case 'T':
		return take_word(text, transports, N(transports), v);
	case 'W':
		return take_word(text, weekdays, N(weekdays), NULL);
	case '^':
		text = take_word(*text == ' ' ? text + 1 : text, date_signs, N(date_signs), NULL);
		return text != NULL && *text == ' ' ? text + 1 : text;
	case 'D':
		blank = *text == ' ' ? 1 : 0;
		return strncmp(text + blank, "日", strlen("日")) == 0 ? text + blank + strlen("日") : text;
	case '_':
		return *text == ' ' || *text == '_' ? text + 1 : text;
	default:
		return strncasecmp(text, &sign, 1) == 0 ? text + 1 : NULL;
	}
}

/* Returns the text behind what the notation matched; NULL: the notation does not match. *written
 * moves on to the row's next notation. */
static const char *match(const char **written, const char *text, struct values *v)
{
	const char *notation = *written;
	size_t n = strcspn(notation, "|");

	*written += n + (notation[n] == '|');
	v->n = 0;
	for (size_t i = 0; i < n && text != NULL; i++)
		text = take(notation[i], text, v);
	return text;
}

/* The prefix length of a mask of four numbers, written as a mask or a wildcard mask, or -1. */
static int mask_length(const uint64_t *octets)
{
	uint32_t mask = 0;
	unsigned len = 0;

	for (unsigned i = 0; i < 4; i++) {
		if (octets[i] > 255)
			return -1;
		mask = mask << 8 | (uint32_t)octets[i];
	}
	if ((mask & 0x80000000u) == 0 && mask != 0)
		mask = ~mask;
	while (len < 32 && (mask >> (31 - len) & 1u) != 0)
		len++;
	return len == 32 || (uint32_t)(mask << len) == 0 ? (int)len : -1;
}

/* Expands one {...} at *p and moves behind it. The length written, or -1: there is no such
 * value. */
static int fill(const char **p, const struct values *v, char *out, size_t size)
{
	const char *at = *p + 1;
	size_t which = (size_t)(*at++ - '0');
	uint64_t n = which >= 1 && which <= v->n ? v->v[which] : 0, more = 0;
	int width = 1;
	char form;

	if (*at == '+')
		for (at++; is_digit(*at); at++)
			more = more * 10 + (uint64_t)(*at - '0');
	if (*at == ':') {
		width = at[1] - '0';
		at += 2;
	}
	form = *at;
	*p = strchr(at, '}') + 1;
	switch (form) {
	case 't':
		return snprintf(out, size, "%s", n >= 1 && n <= N(transports) ? transports[n - 1] : "");
	case 'm':
		width = which + 3 <= v->n ? mask_length(&v->v[which]) : -1;
		return width < 0 ? -1 : snprintf(out, size, "%d", width);
	default:
		return snprintf(out, size, "%0*" PRIu64, width, n + more);
	}
}

static const char *wanted(struct arena *a, const char *form, const struct values *v)
{
	char out[WANTED_MAX];
	size_t n = 0;

	while (*form != '\0' && n + 1 < sizeof(out)) {
		int k;

		if (*form != '{') {
			out[n++] = *form++;
			continue;
		}
		k = fill(&form, v, out + n, sizeof(out) - n);
		if (k < 0 || (size_t)k >= sizeof(out) - n)
			return NULL;
		n += (size_t)k;
	}
	return arena_strndup(a, out, n);
}

/* ---- one value, or several ------------------------------------------------------------------- */

static const char *one(struct arena *a, enum meant kind, const char *plain, const struct meant_reader *r)
{
	const char *text = r->read(r->ctx, plain);
	struct values v;

	for (size_t i = 0; i < ROWS; i++)
		for (const char *written = rows[i].written; rows[i].kind == kind && text == NULL && *written != '\0';) {
			const char *end = match(&written, plain, &v),
				   *said = end != NULL && *end == '\0' ? wanted(a, rows[i].wanted, &v) : NULL;

			text = said != NULL ? r->read(r->ctx, said) : NULL;
		}
	return text;
}

/* Whether a sign separates two values. `blanks`: a blank does, which may also be inside a value. */
static bool parts(char c, bool blanks)
{
	return c == ',' || c == ';' || (c == ' ' && blanks);
}

/* "tcp/502,503": a port without a transport has that of the port before it. NULL: there is none, as
 * in "161,162/udp". */
static const char *with_transport(struct arena *a, const char *piece, const char *before)
{
	if (piece[strspn(piece, "0123456789-")] != '\0')
		return piece;
	return *before != '\0' ? arena_printf(a, "%.*s/%s", (int)strcspn(before, "/"), before, piece) : NULL;
}

static const char *several(struct arena *a, enum meant kind, const char *plain, bool blanks,
			   const struct meant_reader *r)
{
	bool named = kind == MEANT_PORT && plain[strspn(plain, "0123456789-,; ")] != '\0';
	const char *list = "", *text = "", *p = plain;
	unsigned n = 0;

	while (*p != '\0' && list != NULL) {
		const char *piece;
		size_t len = 0;

		if (parts(*p, blanks)) {
			p++;
			continue;
		}
		while (p[len] != '\0' && !parts(p[len], blanks))
			len++;
		piece = arena_strndup(a, p, len);
		if (piece != NULL && named)
			piece = with_transport(a, piece, text);
		text = piece != NULL && ++n <= PIECES_MAX ? one(a, kind, piece, r) : NULL;
		if (text == NULL)
			return NULL;
		list = arena_printf(a, "%s%s\"%s\"", list, n > 1 ? ", " : "", text);
		p += len;
	}
	return n > 1 && list != NULL ? arena_printf(a, "[%s]", list) : NULL;
}

const char *meant_value(struct arena *a, enum meant kind, const char *text, const struct meant_reader *r,
			bool *ret_several)
{
	const char *plain = meant_plain(a, text), *value = plain != NULL ? one(a, kind, plain, r) : NULL;

	*ret_several = false;
	if (value != NULL)
		return arena_printf(a, "\"%s\"", value);
	value = plain != NULL ? several(a, kind, plain, false, r) : NULL;
	if (value == NULL && plain != NULL)
		value = several(a, kind, plain, true, r);
	*ret_several = value != NULL;
	return value;
}

/* ---- points in time -------------------------------------------------------------------------- */

/* Finds the notation of this kind that matches the most at *p and moves behind it; "" when there is
 * none. */
static const char *longest(struct arena *a, enum meant kind, const char **p)
{
	const char *text = "", *begin = *p;
	struct values v;

	for (size_t i = 0; i < ROWS; i++)
		for (const char *written = rows[i].written; rows[i].kind == kind && *written != '\0';) {
			const char *end = match(&written, begin, &v), *said;

			if (end == NULL || end <= *p)
				continue;
			said = wanted(a, rows[i].wanted, &v);
			if (said == NULL)
				continue;
			text = said;
			*p = end;
		}
	return text;
}

struct meant_time meant_time(struct arena *a, const char *text)
{
	struct meant_time t = { NULL, "", "" };
	const char *p = meant_plain(a, text);

	if (p == NULL)
		return t;
	t.day = longest(a, MEANT_DATE, &p);
	longest(a, MEANT_WEEKDAY, &p);
	t.hour = longest(a, MEANT_HOUR, &p);
	t.offset = longest(a, MEANT_OFFSET, &p);
	longest(a, MEANT_WEEKDAY, &p);
	if (*p != '\0' || t.day[0] == '\0')
		t.day = NULL;
	return t;
}

const char *meant_when(struct arena *a, const char *text, bool whole)
{
	struct meant_time t = meant_time(a, text);

	if (t.day == NULL || !whole || t.hour[0] == '\0')
		return t.day;
	return arena_printf(a, "%s%s%s", t.day, t.hour, t.offset[0] != '\0' ? t.offset : "+09:00");
}
