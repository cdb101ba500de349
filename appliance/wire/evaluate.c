/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/evaluate.h"

#include <stddef.h>

static bool target_allowed(const struct command_table *t, const struct number_set *s, const struct operation *o,
			   unsigned i)
{
	if (((o->idle >> i) & 1u) != 0)
		return true;
	return s->any ? ((o->broadcast >> i) & 1u) == 0 : number_in(t, s, o->targets[i]);
}

/* Whether the address is a part of a tag that the row allows. */
static bool within_allowed(const struct command_table *t, const struct number_set *s, const struct operation *o)
{
	for (uint8_t i = 0; i < o->n_within && i < WITHIN_MAX; i++)
		if (number_in(t, s, o->within[i]))
			return true;
	return false;
}

static bool place_allowed(const struct command_table *t, const struct command_row *row, const struct operation *o)
{
	const struct number_set *s;

	if (row->spaces_any)
		return true;
	if (o->place_unknown)
		return false;
	if (o->space == SPACE_NONE)
		return true;
	s = row_space(t, row, o->space);
	return s != NULL && o->count > 0 &&
	       (number_covers(t, s, o->first, o->first + (o->count - 1u)) || within_allowed(t, s, o));
}

/* Whether each written value has exactly the addresses of one value of the row. This is needed for
 * protocols in which clients choose the width of a value, because the row's limit applies to whole
 * values. */
static bool values_whole(const struct command_table *t, const struct command_row *row, const struct operation *o)
{
	const struct number_set *s = row->spaces_any ? NULL : row_space(t, row, o->space);
	uint64_t at = o->first, left = o->count;
	uint32_t i = 0;

	if (o->value_size == 0)
		return true;
	if (s == NULL || s->any)
		return false;
	for (uint32_t end = s->n; i < end;) {
		uint32_t mid = i + (end - i) / 2;

		if (t->ranges[s->first + mid].lo < at)
			i = mid + 1;
		else
			end = mid;
	}
	for (; left >= o->value_size; left -= o->value_size, at += o->value_size, i++)
		if (i == s->n || t->ranges[s->first + i].lo != at ||
		    t->ranges[s->first + i].hi - at != o->value_size - 1u)
			return false;
	return left == 0;
}

/* Whether the value in the device after the write can be known, and so be compared with the row's
 * values. */
static bool values_known(const struct command_table *t, const struct command_row *row, const struct operation *o)
{
	return o->values.form != VALUES_UNKNOWN && values_whole(t, row, o);
}

static bool values_allowed(const struct command_table *t, const struct command_row *row, const struct operation *o)
{
	if (row->values.any || o->values.form == VALUES_NONE)
		return true;
	if (!values_known(t, row, o))
		return false;
	for (uint32_t k = 0; k < o->values.n; k++)
		if (!number_in(t, &row->values, operation_value(&o->values, k)))
			return false;
	return true;
}

enum refusal evaluate_row(const struct command_table *t, const struct command_row *row, const struct operation *o,
			  uint32_t n, uint32_t *ret_operation, uint8_t *ret_target)
{
	*ret_target = 0;
	for (uint32_t i = 0; i < n; i++) {
		*ret_operation = i;
		if (!o[i].setup && !number_in(t, &row->services, o[i].service))
			return REFUSED_SERVICE;
	}
	for (uint32_t i = 0; i < n; i++)
		for (uint8_t k = 0; k < TARGET_MAX; k++) {
			*ret_operation = i;
			*ret_target = k;
			if (!target_allowed(t, &row->targets[k], &o[i], k))
				return REFUSED_TARGET;
		}
	for (uint32_t i = 0; i < n; i++) {
		*ret_operation = i;
		if (!place_allowed(t, row, &o[i]))
			return REFUSED_PLACE;
	}
	for (uint32_t i = 0; i < n; i++) {
		*ret_operation = i;
		if (!values_allowed(t, row, &o[i]))
			return REFUSED_VALUE;
	}
	*ret_operation = 0;
	return REFUSED_NOT;
}

/* Judges by one row an operation of which only the answer was seen. */
static enum refusal unseen_row(const struct command_table *t, const struct command_row *row, const struct operation *o)
{
	if (!number_in(t, &row->services, o->service))
		return REFUSED_SERVICE;
	for (uint8_t k = 0; k < TARGET_MAX; k++)
		if (!number_in(t, &row->targets[k], o->targets[k]))
			return REFUSED_TARGET;
	return REFUSED_NOT;
}

/* ---- the rows of a permit -------------------------------------------------------------------- */

/* The next grant of the protocol from *i on; NULL: there is none. */
static const struct command_grant *next_grant(const struct allowance *by, bool shadow, uint32_t *i)
{
	while (*i < by->permit->n_grants) {
		const struct command_grant *g = &by->table->grants[by->permit->first_grant + (*i)++];

		if (g->protocol == (uint16_t)by->v->protocol && g->shadow == shadow)
			return g;
	}
	return NULL;
}

/* The number of rows of a grant. A grant of the whole protocol counts as one row. */
static uint32_t rows_of(const struct command_grant *g)
{
	return g->whole ? 1 : g->n_rows;
}

/* Finds the row that allows the operations of one group, or else the row that came furthest in the
 * checks. `unseen`: there is one operation, of which only the answer was seen. */
static void best_row(const struct allowance *by, const struct operation *o, uint32_t n, bool unseen, bool shadow,
		     struct ruling *ret)
{
	const struct command_table *t = by->table;
	const struct command_grant *g;
	uint32_t choice = 0, at = 0;
	bool found = false;

	*ret = (struct ruling){ .refusal = REFUSED_SERVICE, .choice = NO_CHOICE };
	while (ret->refusal != REFUSED_NOT && (g = next_grant(by, shadow, &at)) != NULL)
		for (uint32_t k = 0; k < rows_of(g) && ret->refusal != REFUSED_NOT; k++, choice++) {
			const struct command_row *row = g->whole ? NULL : &t->rows[g->first_row + k];
			uint32_t operation = 0;
			uint8_t target = 0;
			enum refusal refusal = row == NULL ? REFUSED_NOT
					       : unseen	   ? unseen_row(t, row, o)
							   : evaluate_row(t, row, o, n, &operation, &target);

			if (found && refusal <= ret->refusal)
				continue;
			found = true;
			ret->refusal = refusal;
			ret->operation = operation;
			ret->target = target;
			ret->choice = choice < NO_CHOICE ? (uint16_t)choice : NO_CHOICE;
			ret->grant = g;
			ret->row = row;
		}
	ret->reason = ret->refusal == REFUSED_NOT ? R_ALLOWED : by->v->refused[ret->refusal];
}

static uint32_t group_end(const struct operation *o, uint32_t n, uint32_t first)
{
	uint32_t end = first + 1;

	while (end < n && o[end].group == o[first].group)
		end++;
	return end;
}

static void each_group(const struct allowance *by, const struct operation *o, uint32_t n, bool shadow,
		       struct ruling *ret)
{
	uint32_t end = group_end(o, n, 0);

	best_row(by, o, end, false, shadow, ret);
	for (uint32_t first = end; first < n && ret->refusal == REFUSED_NOT; first = end) {
		struct ruling group;

		end = group_end(o, n, first);
		best_row(by, o + first, end - first, false, shadow, &group);
		group.operation += first;
		if (group.refusal != REFUSED_NOT)
			*ret = group;
	}
}

void evaluate(const struct allowance *by, const struct operation *o, uint32_t n, struct ruling *ret)
{
	each_group(by, o, n, false, ret);
}

bool evaluate_shadows(const struct allowance *by, const struct operation *o, uint32_t n, struct ruling *ret)
{
	each_group(by, o, n, true, ret);
	return ret->grant != NULL;
}

void evaluate_unseen(const struct allowance *by, const struct operation *o, struct ruling *ret)
{
	best_row(by, o, 1, true, false, ret);
}

bool evaluate_allows_all(const struct allowance *by)
{
	const struct command_grant *g;
	uint32_t at = 0;

	do
		g = next_grant(by, false, &at);
	while (g != NULL && !g->whole);
	return g != NULL;
}

void evaluate_choice(const struct allowance *by, uint16_t choice, struct ruling *ret)
{
	uint32_t at = 0;

	ret->row = NULL;
	ret->grant = choice != NO_CHOICE ? next_grant(by, false, &at) : NULL;
	while (ret->grant != NULL && choice >= rows_of(ret->grant)) {
		choice = (uint16_t)(choice - rows_of(ret->grant));
		ret->grant = next_grant(by, false, &at);
	}
	if (ret->grant != NULL && !ret->grant->whole)
		ret->row = &by->table->rows[ret->grant->first_row + choice];
}

/* ---- which number exceeded which limit ------------------------------------------------------- */

static void allow_numbers(struct limit *l, const struct command_table *t, const struct number_set *s)
{
	for (uint32_t i = 0; s != NULL && i < s->n; i++)
		limit_allow(l, t->ranges[s->first + i].lo, t->ranges[s->first + i].hi);
}

/* Adds as allowed all values from 0 to `max` except `one`, which stands for several targets. */
static void limit_but(struct limit *l, uint32_t one, uint32_t max)
{
	if (one > 0)
		limit_allow(l, 0, one - 1u);
	if (one < max)
		limit_allow(l, one + 1u, max);
}

static void limit_place(struct limit *l, const struct command_table *t, const struct command_row *row,
			const struct operation *o)
{
	const struct number_set *s = row_space(t, row, o->space);
	uint64_t last = o->first + (o->count > 0 ? o->count - 1u : 0);

	l->at = o->first;
	/* Finds the first address outside by going from range to adjoining range: so there are as
	 * many steps as ranges, not as addresses. */
	for (uint32_t i = 0; s != NULL && i < s->n; i++) {
		const struct number_range *r = &t->ranges[s->first + i];

		if (l->at >= r->lo && l->at <= r->hi)
			l->at = r->hi < last ? r->hi + 1u : last;
	}
	allow_numbers(l, t, s);
}

static void limit_value(struct limit *l, const struct command_table *t, const struct command_row *row,
			const struct operation *o)
{
	allow_numbers(l, t, &row->values);
	for (uint32_t k = 0; k < o->values.n; k++) {
		l->at = o->first + (uint64_t)k * (o->value_size > 0 ? o->value_size : 1u);
		l->wrote = operation_value(&o->values, k);
		if (!number_in(t, &row->values, l->wrote))
			return;
	}
}

void evaluate_limit(const struct allowance *by, const struct operation *o, const struct ruling *ruling,
		    struct limit *ret)
{
	const struct command_table *t = by->table;
	const struct command_row *row = ruling->row;

	*ret = (struct limit){ .what = LIMIT_NONE };
	if (row == NULL)
		return;
	o += ruling->operation;
	switch (ruling->refusal) {
	case REFUSED_TARGET:
		ret->what = LIMIT_TARGET;
		ret->at = ruling->target;
		if (row->targets[ruling->target].any)
			limit_but(ret, o->targets[ruling->target], by->v->targets[ruling->target].max);
		allow_numbers(ret, t, &row->targets[ruling->target]);
		break;
	case REFUSED_PLACE:
		ret->what = o->place_unknown ? LIMIT_ADDRESS_UNTOLD : LIMIT_ADDRESS;
		if (!o->place_unknown)
			limit_place(ret, t, row, o);
		break;
	case REFUSED_VALUE:
		ret->what = values_known(t, row, o) ? LIMIT_VALUE : LIMIT_VALUE_UNTOLD;
		if (ret->what == LIMIT_VALUE_UNTOLD)
			allow_numbers(ret, t, &row->values);
		else
			limit_value(ret, t, row, o);
		break;
	case REFUSED_SERVICE:
	case REFUSED_NOT:
		break;
	}
}

/* ---- what a row can let through at all ------------------------------------------------------- */

/* Whether the row allows some value for a write to these addresses. */
static bool some_value(const struct command_table *t, const struct command_row *row, const struct space_info *space,
		       const struct number_set *places)
{
	if (row->values.any)
		return true;
	if (space->value_sizes == 0)
		return space->bits ? number_in(t, &row->values, 0) || number_in(t, &row->values, 1) : row->values.n > 0;
	for (uint32_t i = 0; places != NULL && row->values.n > 0 && i < places->n; i++) {
		const struct number_range *r = &t->ranges[places->first + i];

		/* True if the smallest allowed value fits into the bits of this range. */
		if (space_value(space, r->lo, r->hi) && t->ranges[row->values.first].lo >> (r->hi - r->lo + 1u) == 0)
			return true;
	}
	return false;
}

/* Whether `places` contains `least` consecutive addresses, or all addresses from one of them to the
 * end of the space. */
static bool some_run(const struct command_table *t, const struct number_set *places, uint64_t last, uint64_t least)
{
	if (places == NULL || places->any || least <= 1)
		return true;
	for (uint32_t i = 0; i < places->n; i++) {
		uint64_t lo = t->ranges[places->first + i].lo, most = last - lo;

		if (lo <= last && number_covers(t, places, lo, lo + (most < least - 1u ? most : least - 1u)))
			return true;
	}
	/* A start inside a range is never better than a start at its beginning, except for a run up
	 * to the end of the space. */
	return number_in(t, places, last);
}

/* Whether the function touches some space in which the row allows enough addresses and some value.
 * True also for a function without spaces. */
static bool touches_within(const struct command_table *t, const struct command_row *row, const struct vocabulary *v,
			   const struct function_info *f)
{
	bool writes = (f->classes & CLASS_WRITE) != 0;

	if (f->spaces == 0)
		return true;
	for (unsigned s = 0; s < v->n_spaces; s++) {
		const struct number_set *places = row->spaces_any ? NULL : row_space(t, row, (uint8_t)s);

		if (((f->spaces >> s) & 1u) == 0 || (!row->spaces_any && places == NULL) ||
		    !some_run(t, places, v->spaces[s].address_max, function_least(v, f, s)))
			continue;
		if (!writes || some_value(t, row, &v->spaces[s], places))
			return true;
	}
	return false;
}

static bool number_meets(const struct command_table *t, const struct number_set *s, uint64_t lo, uint64_t hi)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (t->ranges[s->first + i].lo <= hi && t->ranges[s->first + i].hi >= lo)
			return true;
	return s->any;
}

/* Whether the row allows some number of this target, or some value, that requests with this code
 * have. */
static bool within_reach(const struct command_table *t, const struct number_set *s, const struct vocabulary *v,
			 uint32_t code, uint8_t target)
{
	bool told = false;

	for (unsigned i = 0; i < v->n_reaches; i++) {
		const struct reach_info *r = &v->reaches[i];

		if (r->target != target || code < r->first || code > r->last)
			continue;
		if (r->lo > r->hi || (s->any ? !r->named : number_meets(t, s, r->lo, r->hi)))
			return true;
		told = true;
	}
	return !told && (s->any || s->n > 0 || target == REACH_VALUES);
}

/* Whether the row, if it names the function, allows any use of it. `f` NULL: a code without a name,
 * whose effect is not known. */
static bool function_passes(const struct command_table *t, const struct command_row *row, const struct vocabulary *v,
			    const struct function_info *f, uint32_t code)
{
	unsigned untold = f != NULL ? f->untold : UNTOLD_PLACE | UNTOLD_VALUE;

	if (((untold & UNTOLD_PLACE) != 0 && !row->spaces_any) || ((untold & UNTOLD_VALUE) != 0 && !row->values.any))
		return false;
	for (uint8_t i = 0; i < v->n_targets; i++)
		if (!within_reach(t, &row->targets[i], v, code, i))
			return false;
	return within_reach(t, &row->values, v, code, REACH_VALUES) && (f == NULL || touches_within(t, row, v, f));
}

/* Finds the lowest code of lo..hi that has no name, and passes. Codes between two functions have
 * the same numbers of targets, unless a function's neighbours differ in them. */
static bool unnamed_passes(const struct command_table *t, const struct command_row *row, const struct vocabulary *v,
			   uint64_t lo, uint64_t hi, uint64_t *ret)
{
	unsigned next = 0;

	for (*ret = lo; *ret <= hi;) {
		while (next < v->n_functions && v->functions[next].last < *ret)
			next++;
		if ((next == v->n_functions || v->functions[next].code > *ret) &&
		    function_passes(t, row, v, NULL, (uint32_t)*ret))
			return true;
		if (next == v->n_functions)
			return false;
		*ret = (uint64_t)v->functions[next].last + 1u;
	}
	return false;
}

/* Finds the lowest code of lo..hi that passes, where the row names all of them. */
static bool passes_between(const struct command_table *t, const struct command_row *row, const struct vocabulary *v,
			   uint64_t lo, uint64_t hi, unsigned classes, uint32_t *ret)
{
	uint64_t best = UINT64_MAX, code;

	for (unsigned i = 0; i < v->n_functions; i++) {
		const struct function_info *f = &v->functions[i];

		if (f->code <= hi && f->last >= lo && (f->classes & classes) != 0 &&
		    function_passes(t, row, v, f, f->code)) {
			best = f->code > lo ? f->code : lo;
			break;
		}
	}
	if (unnamed_passes(t, row, v, lo, hi, &code) && code < best)
		best = code;
	*ret = (uint32_t)best;
	return best != UINT64_MAX;
}

bool evaluate_passes(const struct command_table *t, const struct command_row *row, const struct vocabulary *v,
		     struct number_range codes, unsigned classes, uint32_t *ret)
{
	static const struct number_range all = { 0, UINT32_MAX };
	uint32_t n = row->services.any ? 1 : row->services.n;

	for (uint32_t i = 0; i < n; i++) {
		const struct number_range *r = row->services.any ? &all : &t->ranges[row->services.first + i];
		uint64_t lo = r->lo > codes.lo ? r->lo : codes.lo, hi = r->hi < codes.hi ? r->hi : codes.hi;

		lo = lo > v->code_first ? lo : v->code_first;
		hi = hi < v->code_last ? hi : v->code_last;
		if (lo <= hi && passes_between(t, row, v, lo, hi, classes, ret))
			return true;
	}
	return false;
}

uint32_t evaluate_passes_to(const struct command_table *t, const struct command_row *row, const struct vocabulary *v,
			    uint32_t code)
{
	const struct function_info *f = function_by_code(v, code);
	uint64_t hi = f != NULL ? f->last : v->code_last;

	for (unsigned i = 0; f == NULL && i < v->n_functions; i++)
		if (v->functions[i].code > code && v->functions[i].code <= hi)
			hi = v->functions[i].code - 1u;
	for (uint32_t i = 0; i < row->services.n; i++) {
		const struct number_range *r = &t->ranges[row->services.first + i];

		if (r->lo <= code && r->hi >= code && r->hi < hi)
			hi = r->hi;
	}
	return (uint32_t)(hi < v->code_last ? hi : v->code_last);
}
