/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/read/scanner.h"

#include <string.h>
#include <strings.h>

#include "appliance/base/utf8.h"

static bool current(const struct scan *s, struct utf8_char *ret)
{
	struct bytes b = bytes_of(s->cur->p, (size_t)(s->cur->end - s->cur->p));

	return utf8_next(&b, ret);
}

bool scan_fresh(struct scan *s, struct srcpos at)
{
	if (s->last.line == at.line && s->last.file == at.file)
		return false;
	s->last = at;
	return true;
}

bool scan_misfit(struct scan *s, struct srcpos at)
{
	return !s->broken && scan_fresh(s, at);
}

bool scan_breaks(struct scan *s, struct srcpos at)
{
	bool told = scan_misfit(s, at);

	s->broken = true;
	return told;
}

/* Whether an ASCII character is at the cursor: nearly all are. */
static inline bool is_ascii(const struct scan_cursor *k)
{
	return k->p < k->end && (uint8_t)*k->p < 0x80;
}

void scan_step(struct scan *s)
{
	struct scan_cursor *k = s->cur;
	struct utf8_char c;

	if (is_ascii(k) && *k->p != '\n') {
		k->p++;
		k->at.column++;
		return;
	}
	if (!current(s, &c))
		return;
	k->p += c.size;
	k->at.column++;
	if (c.cp == '\n') {
		k->at.line++;
		k->at.column = 1;
	}
}

/* Characters that make up nearly all of a text and need no further look. */
static bool is_plain(uint8_t c)
{
	return c == ' ' || c == '_' || c == '-' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* Skips all such characters; with `blanks` also spaces. */
static void step_plain(struct scan *s, bool blanks)
{
	struct scan_cursor *k = s->cur;
	const char *from = k->p;

	while (k->p < k->end && is_plain((uint8_t)*k->p) && (blanks || *k->p != ' '))
		k->p++;
	k->at.column += (uint32_t)(k->p - from);
}

char scan_peek(const struct scan *s)
{
	struct utf8_char c;
	char ascii;

	if (is_ascii(s->cur))
		return *s->cur->p;
	if (!current(s, &c))
		return 0;
	ascii = utf8_ascii_for(c.cp);
	return ascii != 0 ? ascii : 1;
}

char scan_sign(struct scan *s)
{
	struct scan_cursor *k = s->cur;
	struct utf8_char c;
	char ascii = scan_peek(s), shown[8] = "";
	struct diag *g;

	if (is_ascii(k))
		return ascii;
	if (!current(s, &c) || c.cp < 0x80 || ascii <= 1 || k->p < k->reported)
		return ascii;
	k->reported = k->p + c.size;
	s->last = k->at;
	memcpy(shown, k->p, c.size);
	if (ascii == ' ') {
		g = diag_add(&s->c->diags, SEV_ERROR, "policy.full_width", k->at,
			     c.cp == 0x3000 ? MP_WIDE_SPACE : MP_ODD_SPACE, c.cp);
		diag_hint(&s->c->diags, g, utf8_is_steering(c.cp) ? MP_HINT_REMOVE : MP_HINT_SPACE);
	} else {
		g = diag_add(&s->c->diags, SEV_ERROR, "policy.full_width", k->at, MP_WIDE_SIGN, shown);
		diag_hint(&s->c->diags, g, ascii == '"' ? MP_HINT_DOUBLE_QUOTE : MP_HINT_WIDE, (int)ascii);
	}
	return ascii;
}

static bool starts(const struct scan *s, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(s->cur->end - s->cur->p) >= n && memcmp(s->cur->p, with, n) == 0;
}

static void block_comment(struct scan *s)
{
	struct srcpos at = s->cur->at;
	struct diag *g;

	scan_step(s);
	scan_step(s);
	while (s->cur->p < s->cur->end && !starts(s, "*/"))
		scan_step(s);
	if (s->cur->p < s->cur->end) {
		scan_step(s);
		scan_step(s);
		return;
	}
	if (s->cur->reported == s->cur->end)
		return; /* already reported when looking ahead */
	s->cur->reported = s->cur->end;
	s->last = at;
	g = diag_add(&s->c->diags, SEV_ERROR, "policy.unclosed_comment", at, MP_COMMENT_OPEN);
	g->width = 2;
}

void scan_blank(struct scan *s)
{
	for (;;) {
		char c;

		while (s->cur->p < s->cur->end && *s->cur->p == ' ') {
			s->cur->p++;
			s->cur->at.column++;
		}
		c = scan_peek(s);
		if (c == '#' && *s->cur->p != '#')
			/* a full-width number sign: reported, and treated as a comment */
			scan_sign(s);
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
			scan_sign(s);
			scan_step(s);
		} else if (c == '#' || starts(s, "//")) {
			while (s->cur->p < s->cur->end && *s->cur->p != '\n') {
				scan_step(s);
				step_plain(s, true);
			}
		} else if (starts(s, "/*")) {
			block_comment(s);
		} else {
			return;
		}
	}
}

const char *scan_run(struct scan *s, const char *stops, uint32_t *ret_width)
{
	struct scan_cursor *k = s->cur, begin = *k;
	struct utf8_char c;
	bool wide = false;
	char *text, *out;

	step_plain(s, false);
	*ret_width = k->at.column - begin.at.column;
	while (current(s, &c)) {
		char ascii = scan_peek(s);

		if (strchr(" \t\r\n\f", ascii) != NULL || strchr(stops, ascii) != NULL || starts(s, "//") ||
		    starts(s, "/*"))
			break;
		wide = wide || (c.cp >= 0x80 && ascii > 1);
		scan_step(s);
		(*ret_width)++;
	}
	out = text = arena_alloc(s->c->arena, (size_t)(k->p - begin.p) + 1);
	if (text == NULL)
		return NULL;
	for (struct bytes b = bytes_of(begin.p, (size_t)(k->p - begin.p)); utf8_next(&b, &c);) {
		char ascii = c.cp < 0x80 ? (char)c.cp : utf8_ascii_for(c.cp);

		if (ascii != 0)
			*out++ = ascii;
		else
			for (unsigned i = 0; i < c.size; i++)
				*out++ = (char)(b.p - c.size)[i];
	}
	if (wide && begin.p >= begin.reported) {
		struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.full_width", begin.at, MP_WIDE_WORD);

		k->reported = k->p;
		s->last = begin.at;
		g->width = *ret_width;
		diag_hint(&s->c->diags, g, MP_HINT_WIDE_WORD, text);
	}
	return text;
}

/*
 * At a quote that seems to close the string begun at `from`: whether it is really the opening quote
 * of the next string. That is so if a word follows the quote at once, and the text since `from`
 * contains a sign that should follow the first string (';' or ',').
 */
static bool closed_by_another(const struct scan *s, const char *from)
{
	const char *next = s->cur->p + 1;
	size_t n = (size_t)(s->cur->p - from), sign = 0;

	while (sign < n && strchr(";,", from[sign]) == NULL)
		sign++;
	return next < s->cur->end && *next != '\n' && strchr(" \t\r;,)]}\"#/@", *next) == NULL && sign < n &&
	       sign > 0 && from[sign + 1] == ' ' && strchr(" =[(", s->cur->p[-1]) != NULL;
}

/* A string without its closing quote before `stop`: assumes that the signs at its end do not belong
 * to it. */
static void string_unclosed(struct scan *s, const struct scan_cursor *begin, const char *stop)
{
	struct diag *g;

	while (stop > begin->p + 1 && strchr(" \t\r;,)]}", stop[-1]) != NULL)
		stop--;
	*s->cur = *begin;
	while (s->cur->p < stop)
		scan_step(s);
	if (!scan_fresh(s, begin->at))
		return;
	g = diag_add(&s->c->diags, SEV_ERROR, "policy.unclosed_string", begin->at, MP_STRING_OPEN);
	g->width = s->cur->at.column - begin->at.column;
}

/* At a backslash: accepts libconfig's escapes, except for \x, which could hide any byte. */
static void escape(struct scan *s)
{
	struct srcpos at = s->cur->at;
	const char *p = s->cur->p;
	size_t left = (size_t)(s->cur->end - p);

	scan_step(s);
	if (left >= 2 && p[1] != '\0' && strchr("\"\\ntrf", p[1]) != NULL) {
		scan_step(s);
	} else if (scan_fresh(s, at)) {
		diag_add(&s->c->diags, SEV_ERROR, "policy.escape", at, MP_ESCAPE);
	}
}

struct bytes scan_string(struct scan *s, uint32_t *ret_width)
{
	struct scan_cursor begin = *s->cur;
	const char *from;

	scan_sign(s);
	begin.reported = s->cur->reported;
	scan_step(s);
	from = s->cur->p;
	while (s->cur->p < s->cur->end && *s->cur->p != '\n') {
		/* A full-width quote ends only a string that began with one: inside "..." it is
		 * text. */
		bool close = *s->cur->p == '"' || (*begin.p != '"' && scan_peek(s) == '"');

		if (close) {
			struct bytes text = bytes_of(from, (size_t)(s->cur->p - from));

			if (closed_by_another(s, from)) {
				string_unclosed(s, &begin, from + strcspn(from, ";,"));
				*ret_width = s->cur->at.column - begin.at.column;
				return bytes_of(from, (size_t)(s->cur->p - from));
			}
			scan_step(s); /* a quote of another script: the opening one was reported */
			*ret_width = s->cur->at.column - begin.at.column;
			return text;
		}
		if (*s->cur->p == '\\')
			escape(s);
		else
			scan_step(s);
		step_plain(s, true);
	}
	string_unclosed(s, &begin, s->cur->p);
	*ret_width = s->cur->at.column - begin.at.column;
	return bytes_of(from, s->cur->p > from ? (size_t)(s->cur->p - from) : 0);
}

/* ---- values without quotes ------------------------------------------------------------------- */

/* Values without quotes: numbers, truth values, and values whose quotes were forgotten. */

bool scan_is_name(const char *word)
{
	if (!((*word >= 'a' && *word <= 'z') || (*word >= 'A' && *word <= 'Z')))
		return false;
	if (strcasecmp(word, "true") == 0 ||
	    strcasecmp(word, "false") == 0) /* these are values to libconfig everywhere */
		return false;
	while ((*word >= 'a' && *word <= 'z') || (*word >= 'A' && *word <= 'Z') || (*word >= '0' && *word <= '9') ||
	       *word == '-' || *word == '_')
		word++;
	return *word == '\0';
}

/* Whole numbers as libconfig reads them, including the suffix L. */
static bool is_number(const char *w)
{
	const char *digits = "0123456789";
	size_t n;

	if (w[0] == '0' && (w[1] == 'x' || w[1] == 'X')) {
		w += 2;
		digits = "0123456789abcdefABCDEF";
	} else if (*w == '-' || *w == '+') {
		w++;
	}
	n = strspn(w, digits);
	if (n == 0)
		return false;
	return w[n] == '\0' || strcmp(w + n, "L") == 0 || strcmp(w + n, "LL") == 0;
}

/* libconfig silently cuts a number beyond 32 bits. */
static bool fits(const char *w)
{
	bool hex = w[0] == '0' && (w[1] == 'x' || w[1] == 'X');
	uint64_t v = 0;

	w += hex ? 2 : *w == '-' || *w == '+';
	for (; *w != '\0' && *w != 'L'; w++) {
		unsigned digit = *w <= '9' ? (unsigned)(*w - '0') : ((unsigned)*w | 0x20u) - 'a' + 10;

		v = v * (hex ? 16 : 10) + digit;
		if (v > INT32_MAX)
			return false;
	}
	return true;
}

static bool is_fraction(const char *w)
{
	const char *digits = "0123456789";
	size_t n;

	w += *w == '-' || *w == '+';
	n = strspn(w, digits);
	if (w[n] != '.' && w[n] != 'e' && w[n] != 'E')
		return false;
	n += 1;
	n += strspn(w + n, "0123456789eE+-");
	return w[n] == '\0';
}

static void accident(struct scan *s, struct srcpos at, uint32_t width, const char *w)
{
	struct diags *d = &s->c->diags;
	struct diag *g;

	if (!scan_fresh(s, at))
		return;
	if (*w == '\'') {
		g = diag_add(d, SEV_ERROR, "policy.quotes", at, MP_SINGLE_QUOTE);
	} else if (is_number(w)) {
		g = diag_add(d, SEV_ERROR, "policy.number", at, MP_NUMBER_BIG, w);
	} else if (is_fraction(w)) {
		g = diag_add(d, SEV_ERROR, "policy.number", at, MP_NUMBER_FRACTION, w);
	} else if (strcasecmp(w, "yes") == 0 || strcasecmp(w, "no") == 0 || strcasecmp(w, "on") == 0 ||
		   strcasecmp(w, "off") == 0) {
		g = diag_add(d, SEV_ERROR, "policy.unquoted", at, MP_UNQUOTED, w);
		diag_hint(d, g, MP_HINT_TRUTH);
	} else if (*w == '@' || *w == '\\') {
		g = diag_add(d, SEV_ERROR, "policy.syntax", at, MP_UNEXPECTED, (int)*w);
		diag_hint(d, g, *w == '@' ? MP_HINT_SETTING : MP_HINT_REMOVE);
	} else {
		g = diag_add(d, SEV_ERROR, "policy.unquoted", at, MP_UNQUOTED, w);
		if (strchr(w, '\\') != NULL)
			diag_hint(d, g, MP_HINT_ESCAPE);
		else
			diag_hint(d, g, MP_HINT_QUOTE, w);
	}
	g->width = width;
}

bool scan_scalar(struct scan *s, struct ast_node *node)
{
	struct srcpos at = s->cur->at;
	const char *w = scan_run(s, ";,{}()[]\"=#", &node->value_width);

	if (w == NULL) {
		s->stopped = true;
		return false;
	}
	if (node->value_width == 0)
		return false;
	node->kind = AST_STRING;
	if (is_number(w) && fits(w)) {
		const char *first = *w == '-' || *w == '+' ? w + 1 : w;

		node->kind = AST_NUMBER;
		if (first[0] == '0' && first[1] >= '0' && first[1] <= '9' && scan_fresh(s, at))
			diag_add(&s->c->diags, SEV_ERROR, "policy.number", at, MP_NUMBER_ZERO, w)->width =
				node->value_width;
	} else if (strcasecmp(w, "true") == 0 || strcasecmp(w, "false") == 0) {
		node->kind = AST_BOOL;
	} else {
		accident(s, at, node->value_width, w);
	}
	return true;
}
