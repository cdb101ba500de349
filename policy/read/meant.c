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
	const char *of, *written, *wanted;
} rows[] = {
#define MEANT(kind, of, written, wanted) { kind, of, written, wanted },
#include "policy/read/meant.def"
#undef MEANT
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const char *const transports[] = { "tcp", "udp", "icmp" };
static const char *const months[] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"
};
static const char *const weekdays[] = { "月",  "火",  "水",  "木",  "金",  "土",  "日",
					"mon", "tue", "wed", "thu", "fri", "sat", "sun" };
static const char *const date_signs[] = { "/", ".", "-", "年", "月", "・" };
static const char *const ordinals[] = { "st", "nd", "rd", "th" };
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

static int hex_digit(char c)
{
	return is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* At most nine digits, so that no sum overflows; `exact`: exactly so many. */
static const char *take_number(const char *text, bool hex, size_t exact, struct values *v)
{
	size_t n = 0, most = exact > 0 ? exact : 9;
	uint64_t x = 0;

	while (n < most && (hex ? hex_digit(text[n]) >= 0 : is_digit(text[n])))
		x = x * (hex ? 16 : 10) + (uint64_t)hex_digit(text[n++]);
	if (n == 0 || (exact > 0 && n != exact) || v->n >= VALUES_MAX)
		return NULL;
	v->v[++v->n] = x;
	return text + n;
}

/* Skips the rest of an English day or month name behind its first letters. */
static const char *rest_of_word(const char *text)
{
	while (text != NULL && ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z'))
		text++;
	return text != NULL && *text == '.' && text[1] == ' ' ? text + 1 : text;
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

static bool is_either(char c, const char *two)
{
	return c != '\0' && strchr(two, c | 0x20) != NULL;
}

/* What one sign of a row takes of the text; NULL: no match. */
static const char *take(char sign, const char *text, struct values *v)
{
	size_t blank;

	switch (sign) {
	case '#':
		return take_number(text, false, 0, v);
	case '$':
		return take_number(text, true, 0, v);
	case '@':
		return take_number(text, false, 2, v);
	case '&':
		return take_number(text, false, 4, v);
	case 'T':
		return take_word(text, transports, N(transports), v);
	case 'M':
		return rest_of_word(take_word(text, months, N(months), v));
	case 'W':
		return rest_of_word(take_word(text, weekdays, N(weekdays), NULL));
	case 'O': {
		const char *behind = take_word(text, ordinals, N(ordinals), NULL);

		return behind != NULL ? behind : text;
	}
	case '^':
		text = take_word(*text == ' ' ? text + 1 : text, date_signs, N(date_signs), NULL);
		return text != NULL && *text == ' ' ? text + 1 : text;
	case 'D':
		blank = *text == ' ' ? 1 : 0;
		return strncmp(text + blank, "日", strlen("日")) == 0 ? text + blank + strlen("日") : text;
	case 'I':
		return is_either(*text, "ie") ? text + 1 : NULL;
	case 'Q':
		return is_either(*text, "qa") ? text + 1 : NULL;
	case '_':
		return *text == ' ' || *text == '_' ? text + 1 : text;
	case '>': /* words, without a further value */
		return strpbrk(text, ",;") == NULL ? text + strlen(text) : NULL;
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

/* The length of a month, counted from 1. */
static unsigned length_of(uint64_t y, uint64_t m)
{
	static const unsigned char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return m >= 1 && m <= 12 ? (unsigned)(lengths[m - 1] + (m == 2 && leap)) : 0;
}

/* Days since 1970-01-01 as a date, for years that a policy may name. */
static int date_of(uint64_t days, char *out, size_t size)
{
	unsigned y = 1970, m = 1;

	while (days >= length_of(y, m)) {
		days -= length_of(y, m);
		y += m == 12;
		m = m == 12 ? 1 : m + 1;
	}
	return snprintf(out, size, "%04u-%02u-%02u", y, m, (unsigned)days + 1);
}

/* A spreadsheet's serial day, counted from 1899-12-30. Only numbers from 1990 to 2099 are dates. */
static int serial(uint64_t n, char *out, size_t size)
{
	return n >= 32874 && n <= 73050 ? date_of(n - 25569, out, size) : -1;
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
	uint64_t n = which >= 1 && which <= v->n ? v->v[which] : 0, other = 0;
	char sign = *at, form;
	int width = 1;

	if (sign == '+' || sign == '-') {
		for (at++; is_digit(*at); at++)
			other = other * 10 + (uint64_t)(*at - '0');
		if (sign == '-' && n < other)
			return -1;
		n = sign == '+' ? n + other : n - other;
	}
	if (*at == ':') {
		width = at[1] - '0';
		at += 2;
	}
	form = *at;
	*p = strchr(at, '}') + 1;
	switch (form) {
	case 'x':
		return snprintf(out, size, "0x%" PRIx64, n);
	case 's': /* the last of a run of bytes; the other value is their number */
	case 'w': /* the last byte of a run of words */
		other = other >= 1 && other <= v->n ? v->v[other] * (form == 'w' ? 2 : 1) : 0;
		return other == 0 ? -1 : snprintf(out, size, "%" PRIu64, v->v[which] + other - 1);
	case 'y': /* a year of this century: a past one was hardly meant */
		return n < 20 || n > 99 ? -1 : snprintf(out, size, "20%02" PRIu64, n);
	case 'r': /* a year of the present era, whose name was left out */
		return n < 5 || n > 19 ? -1 : snprintf(out, size, "%04" PRIu64, n + 2018);
	case 'l': /* the last day of a month: this value is the year, the next one the month */
		width = which < v->n ? (int)length_of(n, v->v[which + 1]) : 0;
		return width == 0 ? -1 : snprintf(out, size, "%d", width);
	case 'p': /* an hour after noon */
		return snprintf(out, size, "%02" PRIu64, n < 12 ? n + 12 : n);
	case 'a':
		return snprintf(out, size, "%02" PRIu64, n == 12 ? 0 : n);
	case 't':
		return snprintf(out, size, "%s", n >= 1 && n <= N(transports) ? transports[n - 1] : "");
	case 'e':
		return serial(n, out, size);
	case 'm':
		width = which + 3 <= v->n ? mask_length(&v->v[which]) : -1;
		return width < 0 ? -1 : snprintf(out, size, "%d", width);
	default:
		return snprintf(out, size, "%0*" PRIu64, width, n);
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

bool meant_next(struct arena *a, enum meant kind, const char *plain, struct meant_word *w)
{
	struct values v;

	for (; w->row < ROWS; w->row++, w->rest = NULL) {
		const struct row *r = &rows[w->row];

		w->of = r->of;
		w->rest = w->rest != NULL ? w->rest : r->written;
		while (r->kind == kind && *w->rest != '\0') {
			const char *end = match(&w->rest, plain, &v);

			w->text = end != NULL && *end == '\0' ? wanted(a, r->wanted, &v) : NULL;
			if (w->text != NULL)
				return true;
		}
	}
	return false;
}

/* ---- one value, or several ------------------------------------------------------------------- */

/* "10.30.0.0/22 (cranes)": the text before the words in brackets. NULL: no brackets. */
static const char *without_words(struct arena *a, const char *plain)
{
	size_t n = strlen(plain);
	const char *open = strchr(plain, '(');

	if (n == 0 || plain[n - 1] != ')' || open == NULL || open == plain || strpbrk(open, ",;") != NULL)
		return NULL;
	return arena_strndup(a, plain, (size_t)(open - plain) - (open[-1] == ' '));
}

static const char *one(struct arena *a, enum meant kind, const char *plain, const struct meant_reader *r)
{
	const char *text = r->read(r->ctx, plain);
	struct meant_word w = { .row = 0 };
	const char *rest;
	char *on_one_line;

	while (text == NULL && meant_next(a, kind, plain, &w))
		text = r->read(r->ctx, w.text);
	if (text == NULL && (rest = without_words(a, plain)) != NULL)
		text = one(a, kind, rest, r);
	if (text != NULL || strchr(plain, ';') == NULL ||
	    (on_one_line = arena_strndup(a, plain, strlen(plain))) == NULL)
		return text;
	for (char *c = on_one_line; (c = strchr(c, ';')) != NULL;)
		*c = ' ';
	return one(a, kind, on_one_line, r);
}

/* The bytes of a separator at `p`, or 0. `blanks`: a blank, which may also be inside a value,
 * separates too. */
static size_t parting(enum meant kind, const char *p, bool blanks)
{
	static const char *const words[] = { " and ", " or ", "・", "及び", "および", "又は", "または",
					     "と",    ",",    ";",  "&",    "|",      "+",    " " };

	for (size_t i = 0; i < N(words) - !blanks; i++)
		if (strncmp(p, words[i], strlen(words[i])) == 0)
			return strlen(words[i]);
	if (*p != '/')
		return 0;
	/* not before a prefix length; before a mask only if the text is no valid mask */
	if (kind == MEANT_ADDRESS)
		return blanks && (p[1] == '.' || (is_digit(p[1]) && p[1 + strspn(p + 1, "0123456789")] == '.')) ? 1 : 0;
	if (kind == MEANT_NUMBER)
		return blanks && (p[1] | 0x20) >= 'a' && (p[1] | 0x20) <= 'z' ? 1 : 0;
	return kind == MEANT_COMMAND || kind == MEANT_FUNCTION ? 1 : 0;
}

/* "10.30.1.10,11" and "tcp/502,503": a value without a beginning takes that of the value before. */
static const char *carried(struct arena *a, enum meant kind, const char *piece, const char *before,
			   const struct meant_reader *r)
{
	size_t n = strlen(before);

	piece += *piece == '.';
	if (n == 0 || !is_digit(*piece) || piece[strspn(piece, "0123456789-")] != '\0')
		return NULL;
	while (n > 0 && (is_digit(before[n - 1]) || before[n - 1] == '-'))
		n--;
	for (size_t i = 0; i < n; i++)
		if (before[i] == '-') { /* from the last address of a range */
			before += i + 1;
			n -= i + 1;
			i = 0;
		}
	if (n == 0 || (kind == MEANT_ADDRESS && memchr(before, '/', n) != NULL))
		return NULL;
	piece = arena_printf(a, "%.*s%s", (int)n, before, piece);
	return piece != NULL ? one(a, kind, piece, r) : NULL;
}

/* "161,162/udp": a value without an end takes that of the last one. */
static const char *ended(struct arena *a, enum meant kind, const char *piece, const char *text,
			 const struct meant_reader *r)
{
	const char *slash = strrchr(text, '/');

	if (kind != MEANT_PORT || slash == NULL || is_digit(slash[1]) || strchr(piece, '/') != NULL)
		return NULL;
	piece = arena_printf(a, "%s%s", piece, slash);
	return piece != NULL ? one(a, kind, piece, r) : NULL;
}

static const char *several(struct arena *a, enum meant kind, const char *plain, bool blanks,
			   const struct meant_reader *r)
{
	const char *list = "", *before = "", *p = plain;
	unsigned n = 0;

	while (*p != '\0' && list != NULL) {
		const char *piece, *text = NULL;
		size_t len = 0, gap = parting(kind, p, blanks);

		if (gap > 0) {
			p += gap;
			continue;
		}
		while (p[len] != '\0' && parting(kind, p + len, blanks) == 0)
			len++;
		piece = arena_strndup(a, p, len);
		if (piece == NULL || ++n > PIECES_MAX)
			return NULL;
		text = carried(a, kind, piece, before, r);
		text = text != NULL ? text : ended(a, kind, piece, plain, r);
		text = text != NULL ? text : one(a, kind, piece, r);
		if (text == NULL)
			return NULL;
		list = arena_printf(a, "%s%s\"%s\"", list, n > 1 ? ", " : "", text);
		before = text;
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

/* Whether the date has a year of four digits and a month up to 12, as "2026-12-01". If not, the row
 * took the parts of the text in a wrong order. */
static bool is_near(const char *date)
{
	return strlen(date) == strlen("2026-12-01") && strcmp(date + 5, "13") < 0;
}

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
			if (said == NULL || (kind == MEANT_DATE && !is_near(said)))
				continue;
			text = said;
			*p = end;
		}
	return text;
}

/* The time of day of a serial number with a fraction: "46477.75". "" when there is none. */
static const char *part_of_day(struct arena *a, const char *begin, const char **p)
{
	uint64_t part = 0, all = 1, s;

	if (*p - begin != 5 || **p != '.' || !is_digit((*p)[1]) || strspn(begin, "0123456789") != 5)
		return "";
	for (++*p; is_digit(**p); ++*p)
		if (all < 1000000000u) {
			part = part * 10 + (uint64_t)(**p - '0');
			all *= 10;
		}
	s = (part * 86400u + all / 2) / all;
	return arena_printf(a, "T%02u:%02u:%02u", (unsigned)(s / 3600), (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}

/* Skips words that add nothing: the day of the week, 「まで」. */
static void pass_words(struct arena *a, const char **p)
{
	const char *before;

	do {
		before = *p;
		longest(a, MEANT_WEEKDAY, p);
	} while (*p != before);
}

static struct meant_time read_time(struct arena *a, const char *p)
{
	struct meant_time t = { NULL, "", "" };
	const char *begin;

	pass_words(a, &p);
	begin = p;
	t.day = longest(a, MEANT_DATE, &p);
	t.hour = part_of_day(a, begin, &p);
	pass_words(a, &p);
	if (t.hour[0] == '\0')
		t.hour = longest(a, MEANT_HOUR, &p);
	pass_words(a, &p);
	t.offset = longest(a, MEANT_OFFSET, &p);
	longest(a, MEANT_OFFSET, &p); /* "+09:00 (JST)" */
	pass_words(a, &p);
	if (*p != '\0' || t.day[0] == '\0')
		t.day = NULL;
	return t;
}

/* Converts 〇 to 九 and 十 to digits: 二十一 is 21, 二〇二六 is 2026. NULL: there are none. */
static const char *in_digits(struct arena *a, const char *text)
{
	static const char *const signs[] = { "〇", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十" };
	char *out = arena_alloc(a, strlen(text) + 1);
	size_t n = 0, found = 0;

	for (unsigned i = 0, in = 0; out != NULL && *text != '\0'; in = i < N(signs)) {
		for (i = 0; i < N(signs) && strncmp(text, signs[i], strlen(signs[i])) != 0; i++)
			;
		found += i < N(signs);
		if (i == N(signs)) {
			out[n++] = *text++;
			continue;
		}
		text += strlen(signs[i]);
		if (i < 10) {
			out[n++] = (char)('0' + i);
			continue;
		}
		if (!in) /* 十 alone, or before a digit */
			out[n++] = '1';
		for (i = 0; i < 10 && strncmp(text, signs[i], strlen(signs[i])) != 0; i++)
			;
		if (i == 10) /* nothing follows: 二十 */
			out[n++] = '0';
		i = 0;
	}
	return found > 0 ? out : NULL;
}

struct meant_time meant_time(struct arena *a, const char *text)
{
	const char *plain = meant_plain(a, text), *digits;
	struct meant_time t = { NULL, "", "" };

	if (plain == NULL)
		return t;
	t = read_time(a, plain);
	digits = t.day == NULL ? in_digits(a, plain) : NULL;
	return digits != NULL ? read_time(a, digits) : t;
}

const char *meant_when(struct arena *a, const char *text, bool whole)
{
	struct meant_time t = meant_time(a, text);

	if (t.day == NULL || !whole)
		return t.day;
	return arena_printf(a, "%s%s%s", t.day, t.hour[0] != '\0' ? t.hour : "T24:00:00",
			    t.offset[0] != '\0' ? t.offset : "+09:00");
}
