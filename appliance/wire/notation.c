/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/notation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "appliance/wire/tag.h"

#define DIGEST_DIGITS 16

struct notation notation_plain(uint64_t max)
{
	return (struct notation){ .max = max, .n = 1 };
}

struct notation notation_of_codes(const struct vocabulary *v)
{
	return (struct notation){ .max = v->code_max, .n = 1, .codes = v };
}

static struct notation notation_of(uint64_t max, bool hex, const struct part_info parts[PARTS_MAX],
				   const struct number_names *const names[PARTS_MAX])
{
	struct notation n = { .max = max, .n = 1, .hex = hex };

	if (parts[0].what == NULL)
		return n;
	n.parts = parts;
	n.names = names;
	while (n.n < PARTS_MAX && parts[n.n].what != NULL)
		n.n++;
	return n;
}

struct notation notation_of_target(const struct target_info *t)
{
	return notation_of(t->max, t->hex, t->parts, t->names);
}

struct notation notation_of_space(const struct space_info *s)
{
	if (s->named)
		return (struct notation){ .max = s->address_max, .n = 1, .named = true, .digits = s->digits };
	return notation_of(s->address_max, s->hex, s->parts, s->names);
}

/* The number of bits of all parts after this one. */
static unsigned bits_below(const struct notation *n, unsigned part)
{
	unsigned bits = 0;

	for (unsigned i = part + 1; i < n->n; i++)
		bits += n->parts[i].bits;
	return bits;
}

uint64_t notation_part_max(const struct notation *n, unsigned part)
{
	return part == 0 ? n->max >> bits_below(n, 0) : ((uint64_t)1 << n->parts[part].bits) - 1u;
}

static const struct number_names *names_of(const struct notation *n, unsigned part)
{
	return n->names != NULL && part < n->n ? n->names[part] : NULL;
}

static const struct number_name *name_of(const struct number_names *names, uint64_t number)
{
	for (unsigned i = 0; names != NULL && i < names->n; i++)
		if (names->list[i].number == number)
			return &names->list[i];
	return NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
	const struct notation *n;
	const char *text, *at;
	unsigned below; /* bits below the number, if it is a manual's code */
	struct notation_mistake *wrong;
};

static bool wrong(struct reader *r, enum notation_fault fault, const char *from)
{
	*r->wrong = (struct notation_mistake){ .fault = fault, .at = (size_t)(from - r->text) };
	r->wrong->width = strcspn(from, ".-");
	return false;
}

static int digit_value(char c, unsigned base)
{
	int v = c >= '0' && c <= '9'   ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;

	return v < (int)base ? v : -1;
}

static const char *mark_of(const struct notation *n, unsigned part)
{
	const char *mark = n->parts != NULL && part < n->n ? n->parts[part].mark : NULL;

	return mark != NULL ? mark : "";
}

/* Whether what manuals write before a part is next. */
static bool is_marked(const struct reader *r, unsigned part)
{
	const char *mark = mark_of(r->n, part);

	return mark[0] != '\0' && strncasecmp(r->at, mark, strlen(mark)) == 0;
}

/* "i=85": the first part is left out and 0. Returns the length of what is written before the
 * second part then; 0: it is not so. */
static size_t without_first(const struct reader *r)
{
	const char *mark = mark_of(r->n, 1);
	size_t joint = strspn(mark, ";"), n = strlen(mark) - joint;

	return joint > 0 && strncasecmp(r->at, mark + joint, n) == 0 ? n : 0;
}

static bool is_code(const struct vocabulary *v, uint64_t code)
{
	for (unsigned i = 0; i < v->n_functions; i++)
		if (code >= v->functions[i].code && code <= v->functions[i].last)
			return true;
	return false;
}

/* Reads the code of a manual: four hexadecimal digits, without 0x unless they are too few for a
 * code of ours. Decimal digits that are a function's code are its code. */
static bool by_manual(struct reader *r, uint64_t *ret)
{
	const struct vocabulary *v = r->n->codes;
	bool hex = r->at[0] == '0' && (r->at[1] == 'x' || r->at[1] == 'X');
	const char *from = r->at + (hex ? 2 : 0);
	size_t n = strspn(from, "0123456789abcdefABCDEF");
	uint64_t code = 0, decimal = 0;

	if (v == NULL || !v->code_digits || (hex ? v->code_below == 0 || n == 0 || n > 4 : n != 4))
		return false;
	for (size_t i = 0; i < n; i++) {
		code = code << 4 | (uint64_t)digit_value(from[i], 16);
		decimal = decimal * 10 + (uint64_t)digit_value(from[i], 16);
	}
	if (!hex && strspn(from, "0123456789") == n && is_code(v, decimal))
		return false;
	r->at = from + n;
	r->below = v->code_below;
	*ret = code;
	return true;
}

/* Reads a name of this part. */
static bool by_name(struct reader *r, unsigned part, uint64_t *ret)
{
	const struct number_names *names = names_of(r->n, part);
	size_t len = strcspn(r->at, ".:");

	for (unsigned i = 0; names != NULL && i < names->n; i++)
		if (strlen(names->list[i].name) == len && memcmp(names->list[i].name, r->at, len) == 0) {
			r->at += len;
			*ret = names->list[i].number;
			return true;
		}
	return false;
}

static bool ends(const struct reader *r, unsigned part)
{
	const struct number_names *names = names_of(r->n, part);

	return *r->at == '\0' || *r->at == '.' || *r->at == '-' || is_marked(r, part + 1) ||
	       (names != NULL && *r->at == names->joint);
}

/* Reads one number of this part. A number beyond 64 bits is out of its range. */
static bool read_number(struct reader *r, unsigned part, uint64_t *ret)
{
	bool hex = r->at[0] == '0' && (r->at[1] == 'x' || r->at[1] == 'X'), high = false;
	const char *from = r->at;
	unsigned base = hex ? 16 : 10;
	uint64_t max, v = 0;

	if (by_name(r, part, ret) || by_manual(r, ret))
		return ends(r, part) || wrong(r, NOTATION_UNREADABLE, from);
	r->at += hex ? 2 : 0;
	if (digit_value(*r->at, r->n->hex ? 16 : base) < 0)
		return wrong(r, NOTATION_UNREADABLE, from);
	for (; digit_value(*r->at, base) >= 0; r->at++)
		high |= __builtin_mul_overflow(v, (uint64_t)base, &v) ||
			__builtin_add_overflow(v, (uint64_t)digit_value(*r->at, base), &v);
	if (r->n->hex && !hex)
		return wrong(r,
			     strspn(from, "0123456789abcdefABCDEF") == strcspn(from, ".-") ? NOTATION_DECIMAL
											   : NOTATION_UNREADABLE,
			     from);
	if (!ends(r, part))
		return wrong(r, NOTATION_UNREADABLE, from);
	if (part >= r->n->n)
		return wrong(r, r->n->n > 1 ? NOTATION_DEEP : NOTATION_UNREADABLE, from);
	max = notation_part_max(r->n, part);
	*ret = v;
	if (!high && v <= max)
		return true;
	wrong(r, NOTATION_HIGH, from);
	r->wrong->part = part;
	r->wrong->max = max;
	return false;
}

/* Whether the text looks like several numbers: it has a separator, and otherwise only characters of
 * numbers and ranges. */
static bool several(const char *text)
{
	return strpbrk(text, ", ;") != NULL && text[strspn(text, "0123456789abcdefABCDEFxX.-, ;")] == '\0' &&
	       digit_value(text[0], 10) >= 0;
}

/* Reads a thumbprint of `digits` hexadecimal digits. Its number is its first bits, as many as an
 * address has. */
static bool read_digits(const char *text, unsigned digits, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < digits; i++) {
		if (digit_value(text[i], 16) < 0)
			return false;
		if (i < DIGEST_DIGITS)
			v = v << 4 | (uint64_t)digit_value(text[i], 16);
	}
	*ret = v >> 1;
	return text[digits] == '\0';
}

/* Reads a name, or a thumbprint, or "#" and a digest, which is printed for an unknown name. */
static bool read_name(struct reader *r, struct number_range *ret)
{
	uint64_t v = 0;
	unsigned n = 0;

	if (r->text[0] != '#') {
		if (r->n->digits > 0 ? !read_digits(r->text, r->n->digits, &v)
				     : !tag_read(r->text, strlen(r->text), &v))
			return wrong(r, NOTATION_NO_NAME, r->text);
	} else {
		for (r->at = r->text + 1; digit_value(*r->at, 16) >= 0 && n < DIGEST_DIGITS; r->at++, n++)
			v = v << 4 | (uint64_t)digit_value(*r->at, 16);
		if (n != DIGEST_DIGITS || *r->at != '\0' || v > r->n->max)
			return wrong(r, NOTATION_NO_NAME, r->text);
	}
	*ret = (struct number_range){ v, v };
	return true;
}

bool notation_read(const struct notation *n, const char *text, struct number_range *ret,
		   struct notation_mistake *ret_wrong)
{
	struct reader r = { n, text, text, 0, ret_wrong };
	uint64_t lo, hi, above = 0;
	const char *from;
	unsigned below, manual;

	*ret_wrong = (struct notation_mistake){ .fault = NOTATION_GOOD };
	if (n->named)
		return read_name(&r, ret);
	if (several(text)) {
		wrong(&r, NOTATION_SEVERAL, text);
		r.wrong->width = strlen(text);
		return false;
	}
	for (unsigned part = 0;; part++) {
		if (part == 0 && without_first(&r) > 0) {
			r.at += without_first(&r);
			part = 1;
		} else if (is_marked(&r, part)) {
			r.at += strlen(mark_of(n, part));
		}
		from = r.at;
		if (!read_number(&r, part, &lo))
			return false;
		manual = r.below;
		below = bits_below(n, part) + manual;
		hi = lo;
		if (*r.at == '-') {
			r.at++;
			r.below = 0;
			if (!read_number(&r, part, &hi))
				return false;
			if (r.below != manual)
				return wrong(&r, NOTATION_UNREADABLE, from);
			if (*r.at != '\0')
				return wrong(&r, *r.at == '.' && n->n > 1 ? NOTATION_EARLY : NOTATION_UNREADABLE, from);
		}
		if (*r.at == '\0')
			break;
		above |= lo << below;
		r.at += !is_marked(&r, part + 1);
	}
	if (lo > hi) {
		wrong(&r, NOTATION_BACKWARDS, from);
		r.wrong->width = (size_t)(r.at - from);
		return false;
	}
	ret->lo = above | lo << below;
	ret->hi = above | hi << below | (((uint64_t)1 << below) - 1u);
	return true;
}

/* ---- printing -------------------------------------------------------------------------------- */

struct writer {
	const struct notation *n;
	char *out;
	size_t len;
};

static void put_text(struct writer *w, const char *before, const char *after)
{
	int n = snprintf(w->out + w->len, NOTATION_TEXT - w->len, "%s%s", before, after);

	w->len += n > 0 ? (size_t)n : 0;
	if (w->len >= NOTATION_TEXT)
		w->len = NOTATION_TEXT - 1;
}

static void put_number(struct writer *w, const char *before, uint64_t v)
{
	char number[24];

	snprintf(number, sizeof(number), w->n->hex ? "0x%" PRIx64 : "%" PRIu64, v);
	put_text(w, before, number);
}

/* The number of this part in `v`, which ends with part `last`. */
static uint64_t part_of(const struct notation *n, uint64_t v, unsigned last, unsigned part)
{
	v >>= bits_below(n, part) - bits_below(n, last);
	return part == 0 ? v : v & notation_part_max(n, part);
}

/* Prints one path: values a to b of this part, after the parts before it. */
static void path(struct writer *w, unsigned part, uint64_t a, uint64_t b)
{
	char before[2] = { w->len > 0 ? ',' : '\0', '\0' };

	for (unsigned i = 0; i <= part; i++) {
		const struct number_names *names = names_of(w->n, i);
		const struct number_name *name = i < part || a == b ? name_of(names, part_of(w->n, a, part, i)) : NULL;

		if (name != NULL)
			put_text(w, before, name->name);
		else
			put_number(w, before, part_of(w->n, a, part, i));
		before[0] = names != NULL ? names->joint : '.';
	}
	if (a != b)
		put_number(w, "-", part_of(w->n, b, part, part));
}

/* Prints a range: its whole blocks of this part as one path, and the partial blocks at both ends
 * with the next part. */
static void paths(struct writer *w, unsigned part, struct number_range r)
{
	unsigned below = bits_below(w->n, part);
	uint64_t inner = ((uint64_t)1 << below) - 1u, first = r.lo >> below, last = r.hi >> below;

	if (first == last && ((r.lo & inner) != 0 || (r.hi & inner) != inner)) {
		paths(w, part + 1, r);
		return;
	}
	if ((r.lo & inner) != 0) {
		paths(w, part + 1, (struct number_range){ r.lo, r.lo | inner });
		first++;
	}
	if ((r.hi & inner) != inner)
		last--;
	if (first <= last)
		path(w, part, first, last);
	if ((r.hi & inner) != inner)
		paths(w, part + 1, (struct number_range){ r.hi & ~inner, r.hi });
}

size_t notation_text(const struct notation *n, struct number_range r, char out[NOTATION_TEXT])
{
	struct writer w = { n, out, 0 };

	out[0] = '\0';
	if (r.hi > n->max)
		r.hi = n->max;
	if (r.lo > r.hi)
		r.lo = r.hi;
	if (n->named) {
		w.len = (size_t)snprintf(out, NOTATION_TEXT, "#%0*" PRIx64, DIGEST_DIGITS, r.lo);
		return w.len;
	}
	paths(&w, 0, r);
	return w.len;
}

void notation_form(const struct notation *n, char *out, size_t size)
{
	size_t len = 0;

	snprintf(out, size, "number");
	for (unsigned i = 0; n->parts != NULL && i < n->n && len < size; i++) {
		int k = snprintf(out + len, size - len, "%s%s", i > 0 ? "." : "", n->parts[i].what);

		len += k > 0 ? (size_t)k : 0;
	}
}
