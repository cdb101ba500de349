/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a service's `allow` list: words, names and ranges turned into sets of codes by the protocol's vocabulary. */
#include <stdlib.h>
#include <string.h>

#include "policy/check/check.h"

/* The keys that every vocabulary has; those of its address spaces follow them. */
enum { ALLOW_COMMANDS, ALLOW_FUNCTIONS, ALLOW_UNITS, ALLOW_VALUES, ALLOW_SPACES, ALLOW_N = ALLOW_SPACES + SPACE_MAX };

static size_t allow_keys(const struct vocabulary *v, struct key ret[ALLOW_N])
{
	size_t n = ALLOW_SPACES;

	ret[ALLOW_COMMANDS] = (struct key){ "commands", .kinds = AST_LISTS };
	ret[ALLOW_FUNCTIONS] = (struct key){ "functions", .kinds = AST_LISTS };
	ret[ALLOW_UNITS] = (struct key){ "units", .kinds = AST_LISTS };
	ret[ALLOW_VALUES] = (struct key){ "values", .kinds = AST_LISTS };
	for (size_t i = 0; i < SPACE_MAX && v->spaces[i] != NULL; i++)
		ret[n++] = (struct key){ v->spaces[i], .kinds = AST_LISTS };
	return n;
}

#define DOCUMENTED 9999u /* how many a document's five digits can name */

struct numbers {
	struct number_range *list;
	size_t n;
};

/* "0-99", "400" */
static bool range_parse(const char *s, struct number_range *ret)
{
	uint64_t v[2] = { 0, 0 };
	unsigned i = 0;

	for (;;) {
		if (*s < '0' || *s > '9')
			return false;
		for (; *s >= '0' && *s <= '9'; s++) {
			v[i] = v[i] * 10 + (uint64_t)(*s - '0');
			if (v[i] > UINT32_MAX)
				return false;
		}
		if (*s == '\0')
			break;
		if (*s++ != '-' || i++ == 1)
			return false;
	}
	ret->lo = (uint32_t)v[0];
	ret->hi = (uint32_t)v[i];
	return ret->lo <= ret->hi;
}

/* Why a text is no number or range, when that can be told. */
static enum message number_fault(const char *text)
{
	size_t n = strcspn(text, "-");

	if (strpbrk(text, ", ;") != NULL && text[strspn(text, "0123456789-, ;")] == '\0')
		return MP_HINT_SEVERAL;
	if (n > 0 && text[n] == '-' && text[n + 1] != '\0' && text[strspn(text, "0123456789-")] == '\0')
		return MP_HINT_BACKWARDS;
	return MP_HINT_NUMBERS;
}

static bool range_of(struct check *k, const struct ast_node *node, const char *key, uint32_t max, struct object o,
		     struct number_range *ret)
{
	bool ok = true;
	char text[24];
	struct diag *g;

	if (node->kind == AST_NUMBER) {
		ok = node->number >= 0;
		ret->lo = ret->hi = ok ? (uint32_t)node->number : 0;
		snprintf(text, sizeof(text), "%lld", (long long)node->number);
	} else {
		ok = range_parse(node->string, ret);
	}
	if (ok && ret->hi <= max)
		return true;
	g = check_say(k, SEV_ERROR, "policy.range", node->value_at, node->value_width,
		      ok ? MP_RANGE_HIGH : MP_RANGE_BAD, both_object(k, o),
		      both_same(node->kind == AST_NUMBER ? text : node->string), both_same(key));
	diag_hint(k->d, g, ok || node->kind == AST_NUMBER ? MP_HINT_NUMBERS : number_fault(node->string), max);
	return false;
}

static int by_number(const void *pa, const void *pb)
{
	const struct number_range *a = pa, *b = pb;

	return a->lo < b->lo ? -1 : a->lo > b->lo;
}

static struct numbers ranges_of(struct check *k, const struct ast_node *list, uint32_t max, struct object o)
{
	struct numbers r = { arena_array(k->a, list->n, sizeof(*r.list)), 0 };
	size_t n = 0;

	for (const struct ast_node *c = NULL;
	     r.list != NULL && (c = list_next(k, list, c, AST_STRING | AST_NUMBER, o)) != NULL;)
		if (range_of(k, c, list->name, max, o, &r.list[r.n]))
			r.n++;
	if (r.n == 0)
		return r;
	qsort(r.list, r.n, sizeof(*r.list), by_number);
	for (size_t i = 1; i < r.n; i++) {
		if (r.list[i].lo <= r.list[n].hi || r.list[i].lo == r.list[n].hi + 1) {
			if (r.list[i].hi > r.list[n].hi)
				r.list[n].hi = r.list[i].hi;
		} else {
			r.list[++n] = r.list[i];
		}
	}
	r.n = n + 1;
	return r;
}

static void empty_list(struct check *k, const struct ast_node *list, struct object o)
{
	struct diag *g;

	if (list == NULL || list->n > 0)
		return;
	g = check_value(k, SEV_ERROR, "policy.empty_list", list, MP_EMPTY_LIST, o, list->name);
	diag_hint(k->d, g, MP_HINT_EMPTY_ALLOW);
}

unsigned classes_of(struct check *k, const struct ast_node *list, struct object o)
{
	unsigned ret = 0;

	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING, o)) != NULL;) {
		unsigned bit = command_class(c->string);

		if (bit == 0) {
			struct diag *g =
				check_value(k, SEV_ERROR, "policy.unknown_word", c, MP_NO_COMMAND, o, c->string);

			diag_hint(k->d, g, MP_HINT_ONE_OF, "read, write, control, program, diagnose");
			check_near(k, g, c->string, command_class_words, words_n(command_class_words));
		}
		ret |= bit;
	}
	empty_list(k, list, o);
	return ret;
}

static void named_functions(struct check *k, const struct ast_node *list, const struct vocabulary *v, struct object o,
			    uint64_t ret[4])
{
	const char *known[256];
	size_t n = 0;

	for (unsigned i = 0; i < v->n_functions && n < 256; i++)
		known[n++] = v->functions[i].name;
	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING | AST_NUMBER, o)) != NULL;) {
		const struct function_info *f = c->kind == AST_STRING ? function_by_name(v, c->string) : NULL;
		struct number_range codes;
		struct diag *g;

		if (f != NULL) {
			bit_set(ret, f->code);
		} else if (c->kind == AST_NUMBER || (c->string[0] >= '0' && c->string[0] <= '9')) {
			if (range_of(k, c, list->name, 255, o, &codes))
				for (uint32_t i = codes.lo; i <= codes.hi; i++)
					bit_set(ret, (uint8_t)i);
		} else {
			g = check_say(k, SEV_ERROR, "policy.unknown_function", c->value_at, c->value_width,
				      MP_NO_FUNCTION, both_object(k, o), both_same(c->string),
				      both_same(protocol_info(v->protocol)->name));
			check_near(k, g, c->string, known, n);
		}
	}
	empty_list(k, list, o);
}

/*
 * The codes whose every class is wanted; a function that reads and writes needs both. A word means what any server takes for
 * that: functions that servers frame otherwise must be named.
 */
static void class_functions(const struct vocabulary *v, unsigned classes, uint64_t ret[4])
{
	for (unsigned i = 0; i < v->n_functions; i++)
		if ((v->functions[i].classes & ~classes) == 0 && v->functions[i].framing != FRAMING_APART)
			bit_set(ret, v->functions[i].code);
}

static void row_functions(struct check *k, const struct ast_node *row, const struct ast_node *const *v,
			  const struct vocabulary *voc, struct object o, struct model_allow *a)
{
	unsigned classes;
	struct diag *g;

	if (v[ALLOW_COMMANDS] == NULL && v[ALLOW_FUNCTIONS] == NULL) {
		for (unsigned i = 0; i < voc->n_functions; i++)
			if (voc->functions[i].framing != FRAMING_APART)
				bit_set(a->functions, voc->functions[i].code);
		return;
	}
	classes = classes_of(k, v[ALLOW_COMMANDS], o);
	class_functions(voc, classes, a->functions);
	named_functions(k, v[ALLOW_FUNCTIONS], voc, o, a->functions);
	if (classes == 0 || (a->functions[0] | a->functions[1] | a->functions[2] | a->functions[3]) != 0)
		return;
	g = check_say(k, SEV_WARNING, "policy.no_effect", row->at, 1, MP_ROW_NOTHING, both_object(k, o),
		      both_same(protocol_info(voc->protocol)->name), both_same(""));
	diag_hint(k->d, g, MP_HINT_ROW_NOTHING);
}

static void row_units(struct check *k, const struct ast_node *list, const struct vocabulary *voc, struct object o,
		      struct model_allow *a)
{
	struct numbers units;

	if (list == NULL) {
		/* Unit 0 may be Modbus's broadcast: a write that reaches every device must be asked for by number. */
		a->units_any = true;
		memset(a->units, 0xff, sizeof(a->units));
		a->units[0] &= ~(uint64_t)1;
		return;
	}
	units = ranges_of(k, list, voc->unit_max < 255 ? voc->unit_max : 255, o);
	for (size_t i = 0; i < units.n; i++)
		for (uint32_t u = units.list[i].lo; u <= units.list[i].hi; u++)
			bit_set(a->units, (uint8_t)u);
	empty_list(k, list, o);
}

static void row_values(struct check *k, const struct ast_node *list, const struct vocabulary *voc, struct object o,
		       struct model_allow *a)
{
	struct numbers values;
	bool writes = false;

	a->values.any = list == NULL;
	if (list == NULL)
		return;
	values = ranges_of(k, list, voc->value_max, o);
	a->values.ranges = values.list;
	a->values.n = values.n;
	empty_list(k, list, o);
	for (unsigned i = 0; i < voc->n_functions; i++)
		writes = writes || ((voc->functions[i].classes & CLASS_WRITE) != 0 &&
				    bit_test(a->functions, voc->functions[i].code));
	if (!writes)
		check_say(k, SEV_WARNING, "policy.no_effect", list->at, list->width, MP_VALUES_USELESS,
			  both_object(k, o), both_same(""), both_same(""));
}

/* Some request with one of these codes passes the row. */
static bool any_passes(const struct model_allow *a, const struct vocabulary *voc, uint32_t lo, uint32_t hi)
{
	struct row_reach reach = row_reach_of(a);

	for (uint32_t code = lo; code <= hi && code <= 255; code++)
		if (bit_test(a->functions, (uint8_t)code) && function_within(voc, (uint8_t)code, &reach))
			return true;
	return false;
}

/* What was asked for by name and can never pass, and rows of which nothing can. */
static void row_effect(struct check *k, const struct ast_node *row, const struct ast_node *functions,
		       const struct vocabulary *voc, struct object o, const struct model_allow *a)
{
	static const uint64_t none[4] = { 0 };
	size_t before = k->d->warnings;
	struct diag *g;

	for (const struct ast_node *c = functions != NULL ? functions->child : NULL; c != NULL; c = c->next) {
		const struct function_info *f = c->kind == AST_STRING ? function_by_name(voc, c->string) : NULL;
		struct number_range codes = { 0, 0 };
		char text[24];

		if (f != NULL)
			codes.lo = codes.hi = f->code;
		else if (c->kind == AST_NUMBER)
			codes.lo = codes.hi = (uint32_t)c->number;
		else
			range_parse(c->string, &codes);
		if (any_passes(a, voc, codes.lo, codes.hi))
			continue;
		snprintf(text, sizeof(text), codes.lo == codes.hi ? "%u" : "%u-%u", codes.lo, codes.hi);
		g = check_say(k, SEV_WARNING, "policy.no_effect", c->value_at, c->value_width, MP_FUNCTION_USELESS,
			      both_object(k, o), both_same(f != NULL ? f->name : text), both_same(""));
		if (codes.lo > voc->code_max || codes.hi == 0)
			diag_hint(k->d, g, MP_HINT_FUNCTION_CODES, 1u, (unsigned)voc->code_max);
		else
			diag_hint(k->d, g, MP_HINT_FUNCTION_USELESS);
	}
	if (k->d->warnings > before || memcmp(a->functions, none, sizeof(none)) == 0 || any_passes(a, voc, 0, 255))
		return;
	g = check_say(k, SEV_WARNING, "policy.no_effect", row->at, 1, MP_ROW_NO_REQUEST, both_object(k, o),
		      both_same(""), both_same(""));
	diag_hint(k->d, g, MP_HINT_FUNCTION_USELESS);
}

/* Documents of devices count data from 1 and write the kind before it: 40001 is the first holding register. */
static void documents_numbers(struct check *k, const struct ast_node *list, uint32_t base, const struct numbers *r,
			      struct object o)
{
	struct diag *g;

	if (base == 0 || r->n == 0)
		return;
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].lo < base || r->list[i].hi >= base + DOCUMENTED)
			return;
	g = check_value(k, SEV_WARNING, "policy.address_style", list, MP_DOCUMENTS_NUMBERS, o, list->name);
	diag_hint(k->d, g, MP_HINT_DOCUMENTS_NUMBERS, r->list[0].lo, r->list[0].hi, r->list[0].lo - base,
		  r->list[0].hi - base);
}

static void one_row(struct check *k, const struct ast_node *row, const struct vocabulary *voc, struct object o,
		    struct model_allow *a)
{
	const struct ast_node *v[ALLOW_N];
	struct key keys[ALLOW_N];
	size_t n = allow_keys(voc, keys), errors = k->d->errors;

	*a = (struct model_allow){ .spaces_any = true, .at = row->at };
	if (!keys_read(k, row, keys, n, o, a, v))
		return;
	row_functions(k, row, v, voc, o, a);
	row_units(k, v[ALLOW_UNITS], voc, o, a);
	row_values(k, v[ALLOW_VALUES], voc, o, a);
	for (size_t i = 0; i < n - ALLOW_SPACES; i++) {
		const struct ast_node *list = v[ALLOW_SPACES + i];
		struct numbers r;

		if (list == NULL)
			continue;
		r = ranges_of(k, list, voc->address_max, o);
		a->spaces_any = false;
		a->spaces[i].ranges = r.list;
		a->spaces[i].n = r.n;
		empty_list(k, list, o);
		documents_numbers(k, list, voc->documented[i], &r, o);
	}
	if (k->d->errors == errors)
		row_effect(k, row, v[ALLOW_FUNCTIONS], voc, o, a);
}

void check_allows(struct check *k, const struct ast_node *list, struct model_service *s)
{
	struct object o = { MP_OBJ_ALLOW, s->name };

	s->allows = arena_array(k->a, list->n, sizeof(s->allows[0]));
	for (const struct ast_node *c = NULL; s->allows != NULL && (c = list_next(k, list, c, AST_GROUP, o)) != NULL;)
		one_row(k, c, vocabulary_of(s->protocol), o, &s->allows[s->n_allows++]);
}
