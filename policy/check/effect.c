/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/check/effect.h"

#include <stdio.h>
#include <string.h>

#include "appliance/wire/evaluate.h"
#include "appliance/wire/notation.h"
#include "policy/check/values.h"

struct effect {
	struct check *k;
	const struct ast_node *at; /* the row */
	const struct allow_nodes *nodes;
	const struct vocabulary *v;
	struct object o;
	struct command_row *row;
	struct number_set full; /* every number, each of them named */
};

static const struct number_set any = { .any = true };
static const struct number_range all_codes = { 0, UINT32_MAX };

/* Whether some request with one of these codes passes this row. */
static bool lets_pass(const struct effect *e, const struct command_row *row, struct number_range codes)
{
	uint32_t code;

	return evaluate_passes(&e->k->m->rows.t, row, e->v, codes, CLASS_ALL, &code);
}

static struct number_range codes_of_function(const struct function_info *f)
{
	return (struct number_range){ f->code, f->last };
}

static bool function_lets_pass(const struct effect *e, const struct command_row *row, const struct function_info *f)
{
	return lets_pass(e, row, codes_of_function(f));
}

/* The next code of the row, from *code on, that has no name. */
static bool unnamed_code(const struct effect *e, const struct command_row *row, uint64_t *code)
{
	for (uint32_t i = 0; i < row->services.n; i++) {
		const struct number_range *r = &e->k->m->rows.t.ranges[row->services.first + i];

		for (*code = r->lo; *code <= r->hi;) {
			const struct function_info *f = function_by_code(e->v, (uint32_t)*code);

			if (f == NULL)
				return true;
			*code = (uint64_t)f->last + 1u;
		}
	}
	return false;
}

/* ---- hints ----------------------------------------------------------------------------------- */

/* The numbers of a target, or the values, that requests of the function have; "" when any. */
static const char *numbers_reached(const struct effect *e, uint32_t code, unsigned target)
{
	struct notation n =
		target < e->v->n_targets ? notation_of_target(&e->v->targets[target]) : notation_plain(e->v->value_max);
	char one[NOTATION_TEXT];
	const char *text = "";

	for (unsigned i = 0; i < e->v->n_reaches && text != NULL; i++) {
		const struct reach_info *r = &e->v->reaches[i];

		if (r->target != target || code < r->first || code > r->last || r->lo > n.max)
			continue;
		notation_text(&n, (struct number_range){ r->lo, r->hi }, one);
		if (strstr(text, one) == NULL)
			text = arena_printf(e->k->a, "%s%s%s", text, text[0] != '\0' ? ", " : "", one);
	}
	return text != NULL ? text : "";
}

/* The key that keeps all requests of the function from passing: with any number of it, some would
 * pass. -1: there is no such key. */
static int blocking_key(const struct effect *e, const struct function_info *f)
{
	for (unsigned i = 0; i <= e->v->n_targets; i++) {
		struct command_row one = *e->row;

		*(i < e->v->n_targets ? &one.targets[i] : &one.values) = e->full;
		if (function_lets_pass(e, &one, f))
			return (int)(i < e->v->n_targets ? i : REACH_VALUES);
	}
	return -1;
}

static const char *key_of(const struct effect *e, int target)
{
	return target < (int)e->v->n_targets ? e->v->targets[target].key : "values";
}

/* Says which numbers some function of these codes has, if the row excludes all of them. */
static bool reach_hint(const struct effect *e, struct diag *g, struct number_range codes)
{
	for (unsigned i = 0; i < e->v->n_functions; i++) {
		const struct function_info *f = &e->v->functions[i];
		int key = f->code <= codes.hi && f->last >= codes.lo ? blocking_key(e, f) : -1;
		const char *text = key >= 0 ? numbers_reached(e, f->code, (unsigned)key) : "";

		if (text[0] == '\0')
			continue;
		diag_hint(e->k->d, g, MP_HINT_REACH, f->name, key_of(e, key), text);
		return true;
	}
	return false;
}

static void useless_hint(const struct effect *e, struct diag *g, struct number_range codes)
{
	if (!reach_hint(e, g, codes))
		diag_hint(e->k->d, g, MP_HINT_FUNCTION_USELESS, protocol_info(e->v->protocol)->name);
}

/* ---- functions ------------------------------------------------------------------------------- */

/* For a function that the row always refuses: how many consecutive addresses it needs at least in a
 * space of the row; 1 if it uses no such space. */
static uint32_t too_few(const struct effect *e, const struct function_info *f)
{
	uint32_t least = 1;

	for (uint32_t i = 0; i < e->row->n_spaces && f != NULL && least == 1; i++) {
		uint8_t space = e->k->m->rows.t.spaces[e->row->first_space + i].space;

		if ((f->spaces >> space & 1u) != 0)
			least = function_least(e->v, f, space);
	}
	return least;
}

/* Reports a row that refuses every request with one of these codes; `f` is the function of that
 * name, or NULL. */
static void function_useless(const struct effect *e, const struct ast_node *c, struct number_range codes,
			     const struct function_info *f)
{
	const struct function_info *one =
		f == NULL && codes.lo == codes.hi ? function_by_code(e->v, (uint32_t)codes.lo) : f;
	char text[2 * CODE_TEXT + 1], lo[CODE_TEXT], hi[CODE_TEXT], more[2 * CODE_TEXT + 1] = "";
	enum message m = MP_FUNCTION_USELESS;
	struct diag *g;

	code_text(e->v, codes.lo, lo);
	code_text(e->v, codes.hi, hi);
	snprintf(text, sizeof(text), codes.lo == codes.hi ? "%s" : "%s-%s", lo, hi);
	if (codes.lo > e->v->code_last || codes.hi < e->v->code_first) {
		m = MP_FUNCTION_NO_CODE;
		code_text(e->v, e->v->code_first, lo);
		code_text(e->v, e->v->code_last, hi);
		snprintf(more, sizeof(more), "%s-%s", lo, hi);
	} else if (too_few(e, one) > 1) {
		m = MP_FUNCTION_LEAST;
		snprintf(more, sizeof(more), "%u", (unsigned)too_few(e, one));
	}
	g = check_say(e->k, SEV_WARNING, "policy.no_effect", c->value_at, c->value_width, m, e->o,
		      f != NULL ? f->name : text, more);
	if (m == MP_FUNCTION_USELESS)
		useless_hint(e, g, codes);
}

/* Whether the function, or one that is the same to people, passes. */
static bool named_passes(const struct effect *e, const struct function_info *f)
{
	bool some = function_lets_pass(e, e->row, f);

	for (unsigned i = 0; i < e->v->n_siblings && !some; i++)
		some = e->v->siblings[i].code == f->code &&
		       lets_pass(e, e->row, (struct number_range){ e->v->siblings[i].other, e->v->siblings[i].other });
	return some;
}

static void functions_effect(const struct effect *e)
{
	const struct ast_node *functions = e->nodes->functions;
	struct notation plain = notation_of_codes(e->v);
	struct notation_mistake unused;

	for (const struct ast_node *c = functions != NULL ? functions->child : NULL; c != NULL; c = c->next) {
		const struct function_info *f = c->kind == AST_STRING ? function_by_name(e->v, c->string) : NULL;
		struct number_range codes = { 0, 0 };
		char number[24];

		if (f != NULL) {
			codes = codes_of_function(f);
		} else if (c->kind == AST_NUMBER) {
			snprintf(number, sizeof(number), c->hex ? "0x%llx" : "%llu", (unsigned long long)c->number);
			(void)notation_read(&plain, number, &codes, &unused);
		} else {
			(void)notation_read(&plain, c->string, &codes, &unused);
		}
		if (f != NULL ? !named_passes(e, f) : !lets_pass(e, e->row, codes))
			function_useless(e, c, codes, f);
	}
}

/* Reports a target that the row does not name, although some function of its words passes only if
 * the row names it. */
static void needed_targets(const struct effect *e)
{
	for (unsigned i = 0; i < e->v->n_functions; i++) {
		const struct function_info *f = &e->v->functions[i];
		int key;

		if (f->classes == 0 || !number_in(&e->k->m->rows.t, &e->row->services, f->code) ||
		    function_lets_pass(e, e->row, f))
			continue;
		key = blocking_key(e, f);
		if (key < 0 || key == (int)REACH_VALUES || !e->row->targets[key].any)
			continue;
		diag_hint(e->k->d,
			  check_say(e->k, SEV_WARNING, "policy.no_effect", e->at->at, 1, MP_TARGET_NEEDED, e->o,
				    key_of(e, key), f->name),
			  MP_HINT_REACH, f->name, key_of(e, key), numbers_reached(e, f->code, (unsigned)key));
		return;
	}
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void key_useless(const struct effect *e, const struct ast_node *list)
{
	check_say(e->k, SEV_WARNING, "policy.no_effect", list->at, list->width, MP_SPACE_USELESS, e->o, list->name, "");
}

/* Whether some request that would pass without the target has a number of it. */
static bool target_limits(const struct effect *e, unsigned target)
{
	struct command_row without = *e->row;
	uint64_t code;

	without.targets[target] = e->full;
	for (unsigned i = 0; i < e->v->n_functions; i++)
		if (function_has_target(e->v, e->v->functions[i].code, target) &&
		    function_lets_pass(e, &without, &e->v->functions[i]))
			return true;
	return unnamed_code(e, &without, &code) && function_has_target(e->v, (uint32_t)code, target);
}

/* Whether some request that passes the row touches its i-th space. */
static bool space_touched(const struct effect *e, uint32_t i)
{
	struct command_row one = *e->row;

	one.first_space += i;
	one.n_spaces = 1;
	for (unsigned f = 0; f < e->v->n_functions; f++)
		if ((e->v->functions[f].spaces >> e->k->m->rows.t.spaces[one.first_space].space & 1u) != 0 &&
		    function_lets_pass(e, &one, &e->v->functions[f]))
			return true;
	return false;
}

/* Whether the row refuses some request that would pass if it limited no addresses. */
static bool spaces_limit(const struct effect *e)
{
	struct command_row without = *e->row;
	uint64_t code;

	without.spaces_any = true;
	without.n_spaces = 0;
	for (unsigned i = 0; i < e->v->n_functions; i++) {
		const struct function_info *f = &e->v->functions[i];

		if (function_lets_pass(e, &without, f) &&
		    (!function_lets_pass(e, e->row, f) || (f->untold & UNTOLD_AT_TIMES) != 0))
			return true;
	}
	return unnamed_code(e, e->row, &code);
}

/* Whether some request that would pass without limits of values writes one. */
static bool values_limit(const struct effect *e)
{
	struct command_row without = *e->row;
	uint64_t code;

	without.values = any;
	for (unsigned i = 0; i < e->v->n_functions; i++) {
		const struct function_info *f = &e->v->functions[i];

		if (function_writes(e->v, f) && function_lets_pass(e, &without, f))
			return true;
	}
	return unnamed_code(e, e->row, &code);
}

/* Reports each key that limits nothing. */
static void keys_effect(const struct effect *e)
{
	bool some = false;

	for (uint32_t i = 0; i < e->row->n_spaces && !some; i++)
		some = space_touched(e, i);
	some = some || !spaces_limit(e);
	for (uint32_t i = 0; i < e->row->n_spaces && some; i++)
		if (!space_touched(e, i))
			key_useless(e, e->nodes->spaces[e->k->m->rows.t.spaces[e->row->first_space + i].space]);
	if (e->nodes->values != NULL && !values_limit(e))
		check_say(e->k, SEV_WARNING, "policy.no_effect", e->nodes->values->at, e->nodes->values->width,
			  MP_VALUES_USELESS, e->o, "", "");
	for (unsigned i = 0; i < e->v->n_targets; i++)
		if (e->nodes->targets[i] != NULL && !target_limits(e, i))
			key_useless(e, e->nodes->targets[i]);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Gives the row the usual number of a target that it does not name, if nothing passes otherwise. */
static void usual_targets(const struct effect *e)
{
	for (unsigned i = 0; i < e->v->n_reaches && !lets_pass(e, e->row, all_codes); i++) {
		const struct reach_info *r = &e->v->reaches[i];
		struct number_range numbers = { r->lo, r->hi };

		if (!r->named || r->target == REACH_VALUES || !e->row->targets[r->target].any ||
		    !rows_numbers(&e->k->m->rows, e->k->a, &numbers, 1, &e->row->targets[r->target]))
			continue;
		if (!lets_pass(e, e->row, all_codes))
			e->row->targets[r->target] = any;
	}
}

static void nothing_passes(const struct effect *e)
{
	struct diag *g =
		check_say(e->k, SEV_WARNING, "policy.no_effect", e->at->at, 1, MP_ROW_NO_REQUEST, e->o, "", "");

	for (uint32_t i = 0; i < e->row->services.n; i++)
		if (reach_hint(e, g, e->k->m->rows.t.ranges[e->row->services.first + i]))
			return;
	diag_hint(e->k->d, g, MP_HINT_FUNCTION_USELESS, protocol_info(e->v->protocol)->name);
}

void effect_of_row(struct check *k, const struct ast_node *row, const struct allow_nodes *nodes,
		   const struct vocabulary *v, struct object o, struct command_row *a)
{
	struct effect e = { .k = k, .at = row, .nodes = nodes, .v = v, .o = o, .row = a };
	struct number_range every = { 0, INT64_MAX };
	size_t before = k->d->warnings;

	if (!rows_numbers(&k->m->rows, k->a, &every, 1, &e.full))
		return;
	if (a->services.n > 0)
		usual_targets(&e);
	functions_effect(&e);
	if (k->d->warnings > before || a->services.n == 0)
		return;
	if (!lets_pass(&e, a, all_codes)) {
		nothing_passes(&e);
		return;
	}
	keys_effect(&e);
	needed_targets(&e);
}

void effect_of_rows(struct check *k, const struct vocabulary *v, struct object o, const struct model_service *s)
{
	struct effect e = { .k = k, .v = v, .o = o };

	for (size_t i = 0; i < s->n_allows; i++)
		for (unsigned n = 0; n < v->n_afters; n++) {
			const struct pair_info *p = &v->afters[n];
			struct number_range code = { p->code, p->code }, other = { p->other, p->other };
			bool before = false;

			if (!lets_pass(&e, &s->allows[i].row, code))
				continue;
			for (size_t j = 0; j < s->n_allows && !before; j++)
				before = lets_pass(&e, &s->allows[j].row, other);
			if (!before)
				check_say(k, SEV_WARNING, "policy.no_effect", s->allows[i].at, 1, MP_FUNCTION_AFTER, o,
					  function_by_code(v, p->code)->name, function_by_code(v, p->other)->name);
		}
}
