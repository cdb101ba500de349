/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/check/values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define FORM(form) (1u << (form))

/* A number or a range; `point`: one of its numbers has a point. */
struct written_range {
	const char *from, *to;
	double lo, hi;
	bool point;
};

/* The length of a number with an optional sign and an optional fraction; 0: there is none. */
static size_t number_length(const char *text, bool *point)
{
	size_t sign = text[0] == '-', n = strspn(text + sign, DIGITS), fraction;

	if (n == 0)
		return 0;
	n += sign;
	fraction = text[n] == '.' ? strspn(text + n + 1, DIGITS) : 0;
	*point = *point || fraction > 0;
	return fraction > 0 ? n + 1 + fraction : n;
}

static bool range_read(const char *text, struct written_range *ret)
{
	size_t n, m;

	*ret = (struct written_range){ .from = text, .to = text };
	n = number_length(text, &ret->point);
	if (n > 0 && text[n] == '-') {
		ret->to = text + n + 1;
		m = number_length(ret->to, &ret->point);
		n = m > 0 ? n + 1 + m : 0;
	}
	if (n == 0 || text[n] != '\0')
		return false;
	ret->lo = strtod(ret->from, NULL);
	ret->hi = strtod(ret->to, NULL);
	return ret->point || text[0] == '-' || ret->to[0] == '-';
}

/* ---- what the row's requests carry ----------------------------------------------------------- */

static bool set_meets(const struct command_table *t, const struct number_set *s, uint64_t lo, uint64_t hi)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (t->ranges[s->first + i].lo <= hi && t->ranges[s->first + i].hi >= lo)
			return true;
	return s->any;
}

bool function_writes(const struct vocabulary *v, const struct function_info *f)
{
	for (unsigned i = 0; i < v->n_reaches; i++)
		if (v->reaches[i].target == REACH_VALUES && f->code >= v->reaches[i].first &&
		    f->code <= v->reaches[i].last)
			return v->reaches[i].lo <= v->reaches[i].hi;
	/* a control command with an address sets the value there */
	return (f->untold & (UNTOLD_VALUE | UNTOLD_AT_TIMES)) != 0 ||
	       ((f->classes & (CLASS_WRITE | CLASS_CONTROL)) != 0 && f->spaces != 0);
}

/* The width of the values at the row's addresses; 0: they differ, or are not known. */
static unsigned width_of_places(const struct value_reader *r)
{
	const struct command_table *t = &r->k->m->rows.t;
	uint64_t width = 0;

	for (uint32_t i = 0; i < r->row->n_spaces && !r->row->spaces_any; i++) {
		const struct space_set *s = &t->spaces[r->row->first_space + i];

		for (uint32_t n = 0; n < s->numbers.n; n++) {
			const struct number_range *a = &t->ranges[s->numbers.first + n];
			uint64_t here = r->v->spaces[s->space].value_sizes != 0 ? a->hi - a->lo + 1u : 16;

			if (width != 0 && width != here)
				return 0;
			width = here;
		}
	}
	return width == 8 || width == 16 || width == 32 ? (unsigned)width : 0;
}

/* The forms of the values that requests of the row write, as bits of enum value_form. */
static unsigned forms_of_row(const struct value_reader *r)
{
	const struct command_table *t = &r->k->m->rows.t;
	unsigned forms = 0;

	for (unsigned i = 0; i < r->v->n_values; i++) {
		const struct value_info *w = &r->v->values[i];
		bool used = false;

		for (unsigned f = 0; f < r->v->n_functions && !used; f++)
			used = r->v->functions[f].code >= w->first && r->v->functions[f].code <= w->last &&
			       function_writes(r->v, &r->v->functions[f]) &&
			       (r->v->functions[f].untold & UNTOLD_VALUE) == 0 &&
			       set_meets(t, &r->row->services, r->v->functions[f].code, r->v->functions[f].last);
		if (used && (w->target == REACH_VALUES || set_meets(t, &r->row->targets[w->target], w->lo, w->hi)))
			forms |= FORM(w->form);
	}
	return forms;
}

/* ---- the numbers in requests ----------------------------------------------------------------- */

static uint32_t bits_of_float(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

#define FLOAT_SIGN 0x80000000u
#define FLOAT_INFINITE 0x7f800000u

/* Floating-point numbers rise with their bits from zero on, and fall with them below. */
static size_t as_floats(const struct written_range *w, struct number_range ret[VALUE_RANGES])
{
	uint32_t lo = bits_of_float(strtof(w->from, NULL)), hi = bits_of_float(strtof(w->to, NULL));
	size_t n = 0;

	if ((lo & ~FLOAT_SIGN) >= FLOAT_INFINITE || (hi & ~FLOAT_SIGN) >= FLOAT_INFINITE)
		return 0;
	if ((lo & FLOAT_SIGN) != 0)
		ret[n++] = (struct number_range){ (hi & FLOAT_SIGN) != 0 ? hi : FLOAT_SIGN, lo };
	if ((hi & FLOAT_SIGN) == 0)
		ret[n++] = (struct number_range){ (lo & FLOAT_SIGN) != 0 ? 0 : lo, hi };
	return n;
}

static size_t as_bits(const struct written_range *w, unsigned width, struct number_range ret[VALUE_RANGES])
{
	int64_t all = (int64_t)1 << width, half = all / 2, lo, hi;
	size_t n = 0;

	if (w->lo < (double)-half || w->hi >= (double)(w->lo < 0 ? half : all))
		return 0;
	lo = (int64_t)w->lo;
	hi = (int64_t)w->hi;
	if (lo < 0)
		ret[n++] = (struct number_range){ (uint64_t)(all + lo), (uint64_t)(all + (hi < 0 ? hi : -1)) };
	if (hi >= 0)
		ret[n++] = (struct number_range){ (uint64_t)(lo < 0 ? 0 : lo), (uint64_t)hi };
	return n;
}

/* ---- mistakes -------------------------------------------------------------------------------- */

/* The ranges as a policy may write them whatever the row is. */
static const char *ranges_text(struct check *k, const struct number_range *r, size_t n, bool hex)
{
	const char *text = "";

	for (size_t i = 0; i < n && text != NULL; i++) {
		const char *comma = i > 0 ? ", " : "";

		if (r[i].lo == r[i].hi)
			text = arena_printf(k->a, hex ? "%s%s\"0x%" PRIx64 "\"" : "%s%s\"%" PRIu64 "\"", text, comma,
					    r[i].lo);
		else
			text = arena_printf(
				k->a, hex ? "%s%s\"0x%" PRIx64 "-0x%" PRIx64 "\"" : "%s%s\"%" PRIu64 "-%" PRIu64 "\"",
				text, comma, r[i].lo, r[i].hi);
	}
	return text != NULL ? text : "";
}

static struct diag *refuse(const struct value_reader *r, const struct ast_node *node, const char *text, enum message m)
{
	return check_say(r->k, SEV_ERROR, "policy.range", node->value_at, node->value_width, m, r->o, text, "values");
}

/* A number with a point where values are whole: shows the whole numbers around it. */
static void refuse_point(const struct value_reader *r, const struct ast_node *node, const char *text,
			 struct written_range w, unsigned width)
{
	struct number_range around[VALUE_RANGES];
	struct diag *g = refuse(r, node, text, MP_VALUE_WHOLE);
	double lo = (double)(int64_t)w.lo, hi = (double)(int64_t)w.hi;
	size_t n;

	w.lo = lo > w.lo ? lo - 1 : lo;
	w.hi = hi < w.hi ? hi + 1 : hi;
	n = as_bits(&w, width, around);
	if (n > 0)
		diag_hint(r->k->d, g, MP_HINT_WRITE, ranges_text(r->k, around, n, false));
}

static void refuse_doubtful(const struct value_reader *r, const struct ast_node *node, const char *text,
			    const struct written_range *w)
{
	struct number_range a[VALUE_RANGES], b[VALUE_RANGES];
	struct diag *g = refuse(r, node, text, MP_VALUE_FORM);

	if (w->point) {
		diag_hint(r->k->d, g, MP_HINT_VALUE_FLOAT, ranges_text(r->k, a, as_floats(w, a), true));
		return;
	}
	diag_hint(r->k->d, g, MP_HINT_VALUE_BITS, ranges_text(r->k, a, as_bits(w, 16, a), false),
		  ranges_text(r->k, b, as_bits(w, 32, b), false));
}

/* ---- reading --------------------------------------------------------------------------------- */

static const char *text_of_value(const struct value_reader *r, const struct ast_node *node)
{
	const char *text =
		node->kind == AST_STRING ? node->string : arena_printf(r->k->a, "%" PRId64, (int64_t)node->number);

	return text != NULL ? text : "";
}

bool value_read(const struct value_reader *r, const struct ast_node *node, struct number_range ret[VALUE_RANGES],
		size_t *ret_n)
{
	const char *text = text_of_value(r, node);
	unsigned forms = forms_of_row(r), width = forms == FORM(VALUE_BITS_16)	 ? 16
						  : forms == FORM(VALUE_BITS_32) ? 32
						  : forms == FORM(VALUE_BY_SIZE) ? width_of_places(r)
										 : 0;
	struct written_range w;

	*ret_n = 0;
	if (!range_read(text, &w))
		return false;
	if (w.lo > w.hi) {
		diag_hint(r->k->d, refuse(r, node, text, MP_RANGE_BAD), MP_HINT_BACKWARDS);
		return true;
	}
	if (forms == FORM(VALUE_FLOAT) ||
	    (w.point && (forms == FORM(VALUE_BY_TYPE) || (forms == FORM(VALUE_BY_SIZE) && width == 32)))) {
		*ret_n = as_floats(&w, ret);
	} else if (width == 0) {
		refuse_doubtful(r, node, text, &w);
		return true;
	} else if (w.point) {
		refuse_point(r, node, text, w, width);
		return true;
	} else {
		*ret_n = as_bits(&w, width, ret);
	}
	if (*ret_n == 0) {
		struct diag *g = refuse(r, node, text, MP_RANGE_BAD);

		if (width > 0)
			diag_hint(r->k->d, g, MP_HINT_RANGE, -(1L << (width - 1u)), (1L << width) - 1L);
	}
	return true;
}

void value_is_raw(const struct value_reader *r, const struct ast_node *node, struct number_range value)
{
	const char *text = text_of_value(r, node), *meant;
	struct diag *g;

	if (forms_of_row(r) != FORM(VALUE_FLOAT) || node->hex || strchr(text, 'x') != NULL || value.hi == 0)
		return;
	meant = value.lo == value.hi ? arena_printf(r->k->a, "\"%" PRIu64 ".0\"", value.lo)
				     : arena_printf(r->k->a, "\"%" PRIu64 ".0-%" PRIu64 ".0\"", value.lo, value.hi);
	g = check_say(r->k, SEV_WARNING, "policy.no_effect", node->value_at, node->value_width, MP_VALUE_RAW, r->o,
		      text, "values");
	diag_hint(r->k->d, g, MP_HINT_WRITE, meant != NULL ? meant : "");
}
