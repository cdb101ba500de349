/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/differ_place.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/evaluate.h"
#include "policy/ir/identity.h"
#include "policy/ir/ir.h"
#include "policy/space/intern.h"

struct ref {
	const struct command_table *t;
	const struct command_row *row;
};

struct comparison {
	const struct vocabulary *v;
	const struct function_info *f; /* the present function; NULL: its code has no name */
	uint32_t code;
	struct arena *scratch;
};

/* ---- one row inside another ------------------------------------------------------------------ */

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

/* Limits of values for protocols that write exactly the named addresses: then the addresses must be
 * equal too. */
static bool bound(const struct comparison *c, const struct ref *r, unsigned space)
{
	return changes_things(c) && !r->row->values.any && c->v->spaces[space].value_sizes != 0;
}

static const struct number_set *places_of(const struct ref *r, unsigned space)
{
	static const struct number_set any = { .any = true };

	return r->row->spaces_any ? &any : row_space(r->t, r->row, (uint8_t)space);
}

static bool space_within(const struct comparison *c, const struct ref *a, const struct ref *b, unsigned space)
{
	const struct number_set *sa = places_of(a, space), *sb = places_of(b, space);

	if (sa == NULL)
		return true;
	if (sb == NULL)
		return false;
	if (bound(c, b, space) && !ir_same_numbers(a->t, sa, b->t, sb))
		return false;
	return numbers_within(a, sa, b, sb, c->v->spaces[space].address_max);
}

static bool limits_nothing(const struct command_row *row)
{
	return row->spaces_any && row->values.any;
}

/* Whether row b allows all that row a allows. The caller compares their targets. */
static bool row_within(const struct comparison *c, const struct ref *a, const struct ref *b)
{
	bool all = a->row->spaces_any && !b->row->spaces_any;
	unsigned untold = c->f != NULL ? c->f->untold : UNTOLD_PLACE | UNTOLD_VALUE;

	/* Only b limits addresses, and the function's PDUs do not say which addresses they touch.
	 * So b refuses them all. */
	if (all && (untold & UNTOLD_PLACE) != 0)
		return false;
	/* Some of the function's requests touch no address and write nothing. The others do not say
	 * what they touch, so a row that limits addresses or values refuses them. */
	if ((untold & UNTOLD_AT_TIMES) != 0)
		return !limits_nothing(a->row) || limits_nothing(b->row);
	for (unsigned s = 0; s < c->v->n_spaces; s++)
		if ((c->f == NULL || (c->f->spaces >> s & 1) != 0) && !space_within(c, a, b, s))
			return false;
	if (!changes_things(c))
		return true;
	if (a->row->values.any && !b->row->values.any && (untold & UNTOLD_VALUE) != 0)
		return false;
	/* A request without an address either writes nothing, or writes something unknown. The
	 * second kind is refused by any limit of values, and row a has one. */
	if (c->f != NULL && c->f->spaces == 0 && !a->row->values.any)
		return true;
	return numbers_within(a, &a->row->values, b, &b->row->values, c->v->value_max);
}

/* ---- ends of ranges -------------------------------------------------------------------------- */

static void cut_at(uint64_t *cuts, size_t *n, const struct command_table *t, const struct number_set *s)
{
	for (uint32_t i = 0; i < s->n && !s->any; i++) {
		cuts[(*n)++] = t->ranges[s->first + i].lo;
		cuts[(*n)++] = t->ranges[s->first + i].hi + 1;
	}
}

/* ---- one row inside several ------------------------------------------------------------------ */

/*
 * Functions whose requests touch one run of addresses, or read one run and write another, and how
 * long a run can be. Several rows together allow what one row does if every such run, with every
 * value that may be written, is inside at least one of them. For other functions, it is not known
 * how the addresses of a request are spread over rows (wire/evaluate.h).
 */
static const struct one_run {
	enum protocol protocol;
	uint32_t code;
	/* addresses of the run, and of the run that is also written; 0: none */
	uint64_t most, also;
} one_runs[] = {
	{ PROTO_MODBUS, 1, 2000, 0 },	/* read_coils */
	{ PROTO_MODBUS, 2, 2000, 0 },	/* read_discrete_inputs */
	{ PROTO_MODBUS, 3, 125, 0 },	/* read_holding_registers */
	{ PROTO_MODBUS, 4, 125, 0 },	/* read_input_registers */
	{ PROTO_MODBUS, 5, 1, 0 },	/* write_single_coil */
	{ PROTO_MODBUS, 6, 1, 0 },	/* write_single_register */
	{ PROTO_MODBUS, 15, 1968, 0 },	/* write_multiple_coils */
	{ PROTO_MODBUS, 16, 123, 0 },	/* write_multiple_registers */
	{ PROTO_MODBUS, 22, 1, 0 },	/* mask_write_register */
	{ PROTO_MODBUS, 23, 125, 121 }, /* read_write_multiple_registers */
	{ PROTO_MODBUS, 24, 32, 0 },	/* read_fifo_queue */
};

/* steps; when they run out, the answer is "not certain" */
#define STEPS_MOST 4000000u

/* A row, and the rows that together should allow what it does. */
struct cover {
	const struct comparison *c;
	const struct one_run *run;
	unsigned space;
	uint64_t last_value;
	const struct ref *a, *b;
	size_t n_b;
	/* values of row `a`: one from each stretch of values between which no row distinguishes */
	const uint64_t *values;
	size_t n_values;
	uint64_t *firsts;	   /* first addresses of the runs to look at */
	const struct ref **having; /* rows that have the present runs */
	uint32_t steps;
};

static const struct one_run *one_run_of(const struct comparison *c)
{
	for (size_t i = 0; i < sizeof(one_runs) / sizeof(one_runs[0]) && c->f != NULL; i++)
		if (one_runs[i].protocol == c->v->protocol && one_runs[i].code == c->f->code)
			return &one_runs[i];
	return NULL;
}

/* The i-th stretch of consecutive addresses, from range *i on; *i moves behind it. */
static bool next_stretch(const struct cover *k, uint32_t *i, uint64_t *ret_lo, uint64_t *ret_hi)
{
	const struct number_set *s = places_of(k->a, k->space);
	uint64_t last = k->c->v->spaces[k->space].address_max;

	if (s == NULL || (s->any ? *i > 0 : *i >= s->n))
		return false;
	*ret_lo = s->any ? 0 : k->a->t->ranges[s->first + *i].lo;
	*ret_hi = s->any ? last : k->a->t->ranges[s->first + *i].hi;
	for ((*i)++; !s->any && *i < s->n && k->a->t->ranges[s->first + *i].lo == *ret_hi + 1; (*i)++)
		*ret_hi = k->a->t->ranges[s->first + *i].hi;
	return true;
}

/*
 * Chooses runs of `n` addresses in lo..hi that stand for all such runs: the first run, and each run
 * that is the first to go beyond a range of some row. A chosen run stands for all runs up to the
 * next chosen one. In between, a row can only begin to have the whole run, so no less is allowed.
 * *ret: the first addresses of these runs. Returns how many.
 */
static size_t firsts_in(const struct cover *k, uint64_t lo, uint64_t hi, uint64_t n, uint64_t *ret)
{
	size_t found = 0;

	ret[found++] = lo;
	for (size_t i = 0; i < k->n_b; i++) {
		const struct number_set *s = places_of(&k->b[i], k->space);

		for (uint32_t r = 0; s != NULL && !s->any && r < s->n; r++) {
			uint64_t last = k->b[i].t->ranges[s->first + r].hi;

			if (last + 2 > lo + n && last + 2 - n <= hi - (n - 1))
				ret[found++] = last + 2 - n;
		}
	}
	return found;
}

static bool has_run(const struct cover *k, const struct ref *r, uint64_t first, uint64_t n)
{
	const struct number_set *s = places_of(r, k->space);

	return s != NULL && number_covers(r->t, s, first, first + (n - 1));
}

/* Whether `n` values at most can be chosen so that each row of having[from..] lacks one of them. */
static bool none_has_all(struct cover *k, size_t from, size_t n_having, uint64_t n, const uint64_t **chosen,
			 size_t n_chosen)
{
	const struct ref *r;

	for (; from < n_having; from++) {
		size_t lacks = 0;

		r = k->having[from];
		while (lacks < n_chosen && number_in(r->t, &r->row->values, *chosen[lacks]))
			lacks++;
		if (lacks == n_chosen)
			break;
	}
	if (from == n_having)
		return true;
	r = k->having[from];
	for (size_t v = 0; n > 0 && v < k->n_values && k->steps < STEPS_MOST; v++) {
		k->steps++;
		if (number_in(r->t, &r->row->values, k->values[v]))
			continue;
		chosen[n_chosen] = &k->values[v];
		if (none_has_all(k, from + 1, n_having, n - 1, chosen, n_chosen + 1))
			return true;
	}
	return k->steps >= STEPS_MOST;
}

static bool has_values(const struct cover *k, const struct ref *r)
{
	size_t v = 0;

	while (v < k->n_values && number_in(r->t, &r->row->values, k->values[v]))
		v++;
	return v == k->n_values;
}

/* Whether some row has this run, and the run that is also written, with all values of `a`. */
static bool run_covered(struct cover *k, uint64_t first, uint64_t n, uint64_t also, uint64_t n_also)
{
	const uint64_t *chosen[16];
	size_t n_having = 0;
	bool limits = changes_things(k->c) && (k->c->f->untold & UNTOLD_VALUE) == 0;

	for (size_t i = 0; i < k->n_b; i++) {
		const struct ref *r = &k->b[i];

		k->steps++;
		if (!has_run(k, r, first, n) || (n_also > 0 && !has_run(k, r, also, n_also)))
			continue;
		if (!limits || has_values(k, r))
			return true;
		k->having[n_having++] = r;
	}
	/* With more rows than can be looked at, the answer is "not certain". */
	return n_having > 0 && n_having < sizeof(chosen) / sizeof(chosen[0]) &&
	       !none_has_all(k, 0, n_having, n_also > 0 ? n_also : n, chosen, 0);
}

/* The same for the runs that are also written: each together with this one. */
static bool also_covered(struct cover *k, uint64_t first, uint64_t n, uint64_t *firsts)
{
	uint64_t lo = 0, hi = 0;

	if (k->run->also == 0)
		return run_covered(k, first, n, 0, 0);
	for (uint32_t i = 0; next_stretch(k, &i, &lo, &hi);) {
		uint64_t m = hi - lo < k->run->also ? hi - lo + 1 : k->run->also;
		size_t n_firsts = firsts_in(k, lo, hi, m, firsts);

		for (size_t f = 0; f < n_firsts; f++)
			if (!run_covered(k, first, n, firsts[f], m) || k->steps >= STEPS_MOST)
				return false;
	}
	return true;
}

static bool runs_covered(struct cover *k, size_t firsts_most)
{
	uint64_t least = function_least(k->c->v, k->c->f, k->space), lo = 0, hi = 0;

	for (uint32_t i = 0; next_stretch(k, &i, &lo, &hi);) {
		uint64_t n = hi - lo < k->run->most ? hi - lo + 1 : k->run->most;
		size_t n_firsts;

		if (n < least && hi < k->c->v->spaces[k->space].address_max)
			continue;
		n_firsts = firsts_in(k, lo, hi, n, k->firsts);
		for (size_t f = 0; f < n_firsts; f++)
			if (!also_covered(k, k->firsts[f], n, k->firsts + firsts_most) || k->steps >= STEPS_MOST)
				return false;
	}
	return true;
}

/* Lists one value of each stretch, among those of `a`; a row without a limit has all values. */
static bool values_of(struct cover *k)
{
	uint64_t *list;
	size_t most = 1, n = 0;

	for (size_t i = 0; i <= k->n_b; i++)
		most += 2u * (i < k->n_b ? &k->b[i] : k->a)->row->values.n;
	list = arena_array(k->c->scratch, most, sizeof(*list));
	if (list == NULL)
		return false;
	list[n++] = 0;
	for (size_t i = 0; i <= k->n_b; i++) {
		const struct ref *r = i < k->n_b ? &k->b[i] : k->a;

		cut_at(list, &n, r->t, &r->row->values);
	}
	for (size_t i = 0; i < n; i++)
		if (list[i] <= k->last_value && number_in(k->a->t, &k->a->row->values, list[i]))
			list[k->n_values++] = list[i];
	k->values = list;
	return true;
}

/* Whether the row lies inside all rows of `b` together. */
static bool row_covered(const struct comparison *c, const struct ref *a, const struct ref *b, size_t n_b)
{
	struct cover k = { .c = c, .run = one_run_of(c), .a = a, .b = b, .n_b = n_b };
	size_t firsts_most = 1;

	if (k.run == NULL)
		return false;
	k.space = (unsigned)__builtin_ctzll(c->f->spaces);
	k.last_value = c->v->spaces[k.space].bits ? 1 : c->v->value_max;
	for (size_t i = 0; i < n_b; i++) {
		const struct number_set *s = places_of(&b[i], k.space);

		firsts_most += s != NULL ? s->n : 0;
	}
	k.firsts = arena_array(c->scratch, 2 * firsts_most, sizeof(*k.firsts));
	k.having = arena_array(c->scratch, n_b + 1, sizeof(struct ref *));
	return k.firsts != NULL && k.having != NULL && values_of(&k) && runs_covered(&k, firsts_most);
}

/* Whether every row of `a` lies inside some row of `b`, or inside several together. */
static bool places_within(const struct comparison *c, const struct ref *a, size_t n_a, const struct ref *b, size_t n_b)
{
	for (size_t i = 0; i < n_a; i++) {
		bool found = false;

		for (size_t k = 0; k < n_b && !found; k++)
			found = row_within(c, &a[i], &b[k]);
		if (!found && !row_covered(c, &a[i], b, n_b))
			return false;
	}
	return true;
}

/* ---- number by number ------------------------------------------------------------------------ */

static size_t cuts_of(const struct ref *list, size_t n_list, int dim)
{
	size_t n = 0;

	for (size_t i = 0; i < n_list; i++)
		n += 2u * (dim < 0 ? list[i].row->services.n : list[i].row->targets[dim].n);
	return n;
}

/* The sorted ends of the rows' ranges in one dimension (-1: services); NULL: no memory. */
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
	qsort(list, n, sizeof(*list), by_u64);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || list[i] != list[kept - 1])
			list[kept++] = list[i];
	*ret_n = kept;
	return list;
}

/* The rows whose targets include this number. A number for several devices must be named. */
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

/* The rows that let this code pass at all. */
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
