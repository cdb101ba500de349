/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/row_sets.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/evaluate.h"

struct ref {
	const struct command_table *t;
	const struct command_row *row;
};

struct comparison {
	const struct vocabulary *v;
	const struct function_info *f; /* at hand; NULL: its code has no name */
	uint32_t code;
	struct arena *scratch;
};

/* ---- one row in another ------------------------------------------------------------------------------------------- */

static bool changes_things(const struct comparison *c)
{
	return c->f == NULL || (c->f->classes & ~(CLASS_READ | CLASS_DIAGNOSE)) != 0;
}

static bool numbers_within(const struct ref *a, const struct number_set *sa, const struct ref *b,
			   const struct number_set *sb, uint64_t most)
{
	if (sb->any)
		return true;
	if (sa->any)
		return number_covers(b->t, sb, 0, most);
	for (uint32_t i = 0; i < sa->n; i++)
		if (!number_covers(b->t, sb, a->t->ranges[sa->first + i].lo, a->t->ranges[sa->first + i].hi))
			return false;
	return true;
}

static bool same_numbers(const struct ref *a, const struct number_set *sa, const struct ref *b,
			 const struct number_set *sb)
{
	return sa->any == sb->any && sa->n == sb->n &&
	       (sa->n == 0 ||
		memcmp(a->t->ranges + sa->first, b->t->ranges + sb->first, sa->n * sizeof(*a->t->ranges)) == 0);
}

/* Limits of values that bind: a value then is one of just the addresses that a row names, so these have to be the same. */
static bool bound(const struct comparison *c, const struct ref *r, unsigned space)
{
	return changes_things(c) && !r->row->values.any && c->v->spaces[space].value_sizes != 0;
}

static bool space_within(const struct comparison *c, const struct ref *a, const struct ref *b, unsigned space)
{
	static const struct number_set any = { .any = true };
	const struct number_set *sa = a->row->spaces_any ? &any : row_space(a->t, a->row, (uint8_t)space),
				*sb = b->row->spaces_any ? &any : row_space(b->t, b->row, (uint8_t)space);

	if (sa == NULL)
		return true;
	if (sb == NULL)
		return false;
	if (bound(c, b, space) && !same_numbers(a, sa, b, sb))
		return false;
	return numbers_within(a, sa, b, sb, c->v->spaces[space].address_max);
}

/* But for targets: these were looked at. */
static bool row_within(const struct comparison *c, const struct ref *a, const struct ref *b)
{
	bool all = a->row->spaces_any && !b->row->spaces_any;

	/* What b refuses whatever it touches, for example as no PDU says what that is. */
	if (all && (c->f == NULL || (c->f->untold & UNTOLD_PLACE) != 0))
		return false;
	for (unsigned s = 0; s < c->v->n_spaces; s++)
		if ((c->f == NULL || (c->f->spaces >> s & 1) != 0) && !space_within(c, a, b, s))
			return false;
	if (!changes_things(c))
		return true;
	if (a->row->values.any && !b->row->values.any && (c->f == NULL || (c->f->untold & UNTOLD_VALUE) != 0))
		return false;
	return numbers_within(a, &a->row->values, b, &b->row->values, c->v->value_max);
}

/* Every row of `a` lies in some row of `b`. */
static bool places_within(const struct comparison *c, const struct ref *a, size_t n_a, const struct ref *b, size_t n_b)
{
	for (size_t i = 0; i < n_a; i++) {
		bool found = false;

		for (size_t k = 0; k < n_b && !found; k++)
			found = row_within(c, &a[i], &b[k]);
		if (!found)
			return false;
	}
	return true;
}

/* ---- number by number ---------------------------------------------------------------------------------------------- */

static int by_number(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return (a > b) - (a < b);
}

static void cut_at(uint64_t *cuts, size_t *n, const struct command_table *t, const struct number_set *s)
{
	for (uint32_t i = 0; i < s->n && !s->any; i++) {
		cuts[(*n)++] = t->ranges[s->first + i].lo;
		cuts[(*n)++] = t->ranges[s->first + i].hi + 1;
	}
}

static size_t cuts_of(const struct ref *list, size_t n_list, int dim)
{
	size_t n = 0;

	for (size_t i = 0; i < n_list; i++)
		n += 2u * (dim < 0 ? list[i].row->services.n : list[i].row->targets[dim].n);
	return n;
}

/* Where the rows' numbers begin and end in one dimension (-1: services), sorted; NULL when memory is out. */
static uint64_t *cuts(const struct comparison *c, const struct ref *a, size_t n_a, const struct ref *b, size_t n_b,
		      int dim, size_t *ret_n)
{
	uint64_t *list = arena_array(c->scratch,
				     1 + cuts_of(a, n_a, dim) + cuts_of(b, n_b, dim) +
					     (dim < 0 ? 2u * c->v->n_functions + 1u : 0),
				     sizeof(*list));
	size_t n = 0, kept = 0;

	if (list == NULL)
		return NULL;
	list[n++] = 0;
	if (dim < 0)
		list[n++] = c->v->code_first;
	for (size_t i = 0; i < n_a + n_b; i++) {
		const struct ref *r = i < n_a ? &a[i] : &b[i - n_a];

		cut_at(list, &n, r->t, dim < 0 ? &r->row->services : &r->row->targets[dim]);
	}
	for (unsigned i = 0; dim < 0 && i < c->v->n_functions; i++) {
		list[n++] = c->v->functions[i].code;
		list[n++] = (uint64_t)c->v->functions[i].last + 1;
	}
	qsort(list, n, sizeof(*list), by_number);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || list[i] != list[kept - 1])
			list[kept++] = list[i];
	*ret_n = kept;
	return list;
}

/* Those whose targets have this number. One that stands for more than itself has to be named. */
static size_t with_target(const struct ref *from, size_t n, unsigned dim, uint64_t number, bool broadcast,
			  struct ref *ret)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct number_set *s = &from[i].row->targets[dim];

		if (s->any ? !broadcast : number_in(from[i].t, s, number))
			ret[kept++] = from[i];
	}
	return kept;
}

static bool targets_within(const struct comparison *c, const struct ref *a, size_t n_a, const struct ref *b, size_t n_b,
			   unsigned dim)
{
	struct ref *a_here, *b_here;
	uint64_t *at;
	size_t n = 0;
	bool ok = true;

	if (n_a == 0)
		return true;
	if (dim >= c->v->n_targets)
		return places_within(c, a, n_a, b, n_b);
	at = cuts(c, a, n_a, b, n_b, (int)dim, &n);
	a_here = arena_array(c->scratch, n_a, sizeof(*a_here));
	b_here = arena_array(c->scratch, n_b + 1, sizeof(*b_here));
	if (at == NULL || a_here == NULL || b_here == NULL)
		return false;
	for (size_t i = 0; i < 2 * n && ok; i++) {
		bool broadcast = i % 2 != 0;

		if (at[i / 2] > c->v->targets[dim].max || (broadcast && !changes_things(c)))
			continue;
		ok = targets_within(c, a_here, with_target(a, n_a, dim, at[i / 2], broadcast, a_here), b_here,
				    with_target(b, n_b, dim, at[i / 2], broadcast, b_here), dim + 1);
	}
	return ok;
}

/* Those that let this code pass at all. */
static size_t with_code(const struct row_set *from, const struct vocabulary *v, uint32_t code, struct ref *ret)
{
	size_t kept = 0;
	uint32_t unused;

	for (size_t i = 0; i < from->n; i++)
		if (evaluate_passes(from->tables[i], from->rows[i], v, (struct number_range){ code, code }, CLASS_ALL,
				    &unused))
			ret[kept++] = (struct ref){ from->tables[i], from->rows[i] };
	return kept;
}

static size_t all_of(const struct row_set *from, struct ref *ret)
{
	for (size_t i = 0; i < from->n; i++)
		ret[i] = (struct ref){ from->tables[i], from->rows[i] };
	return from->n;
}

static unsigned place_of(const struct comparison *c)
{
	return c->f != NULL ? (unsigned)(c->f - c->v->functions) : c->v->n_functions;
}

bool row_set_within(const struct row_set *a, const struct row_set *b, const struct vocabulary *v, struct arena *scratch,
		    bool *ret_missing, uint32_t *ret_code)
{
	struct comparison c = { .v = v, .scratch = scratch };
	struct ref *ra = arena_array(scratch, a->n + 1, sizeof(*ra)), *rb = arena_array(scratch, b->n + 1, sizeof(*rb));
	uint64_t *at;
	size_t n = 0;
	bool ok = true;

	*ret_code = v->code_first;
	memset(ret_missing, 0, (v->n_functions + 1u) * sizeof(*ret_missing));
	if (b->whole)
		return true;
	if (a->whole) {
		for (unsigned i = 0; i <= v->n_functions; i++)
			ret_missing[i] = true;
		return false;
	}
	if (ra == NULL || rb == NULL)
		return false;
	at = cuts(&c, ra, all_of(a, ra), rb, all_of(b, rb), -1, &n);
	for (size_t i = 0; at != NULL && i < n; i++) {
		if (at[i] > v->code_last)
			break;
		c.code = (uint32_t)at[i];
		c.f = function_by_code(v, c.code);
		if (targets_within(&c, ra, with_code(a, v, c.code, ra), rb, with_code(b, v, c.code, rb), 0))
			continue;
		if (c.f == NULL && !ret_missing[v->n_functions])
			*ret_code = c.code;
		ret_missing[place_of(&c)] = true;
		ok = false;
	}
	return ok && at != NULL;
}
