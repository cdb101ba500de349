/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/compile/commands.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "policy/space/intern.h"

struct writer {
	const struct model *m;
	const struct cells *cells;
	struct arena *a;
	struct command_table *t;
	size_t n_grants, grants_room, n_rows, rows_room, n_ranges, ranges_room;
	struct interner lists; /* number lists already in the pool */
	uint32_t *list_at;     /* by interned id: where in the pool */
	size_t n_list_at, list_at_room;
	uint32_t *rows_at; /* by service: first row + 1, 0 = not written yet */
};

static int range_order(const void *pa, const void *pb)
{
	const struct number_range *a = pa, *b = pb;

	return (a->lo > b->lo) - (a->lo < b->lo);
}

/* Sorted, with what touches or overlaps made one; in place. Returns how many are left. */
static size_t normalise(struct number_range *r, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(r, n, sizeof(*r), range_order);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && (r[kept - 1].hi == UINT32_MAX || r[i].lo <= r[kept - 1].hi + 1)) {
			if (r[i].hi > r[kept - 1].hi)
				r[kept - 1].hi = r[i].hi;
		} else {
			r[kept++] = r[i];
		}
	}
	return kept;
}

/* `r` is the caller's scratch and is sorted in place. */
static bool put_numbers(struct writer *w, bool any, struct number_range *r, size_t n, struct number_set *ret)
{
	uint32_t id, *at;
	bool is_new;

	*ret = (struct number_set){ .any = any };
	if (any || n == 0)
		return true;
	n = normalise(r, n);
	_Static_assert(sizeof(*r) == 2 * sizeof(uint32_t), "a range is two numbers");
	if (!intern(&w->lists, (const uint32_t *)r, 2 * n, &id, &is_new))
		return false;
	if (is_new) {
		at = arena_grow(w->a, (void **)&w->list_at, &w->n_list_at, &w->list_at_room, sizeof(*at));
		if (at == NULL)
			return false;
		*at = (uint32_t)w->n_ranges;
		for (size_t i = 0; i < n; i++) {
			struct number_range *slot =
				arena_grow(w->a, (void **)&w->t->ranges, &w->n_ranges, &w->ranges_room, sizeof(*slot));

			if (slot == NULL)
				return false;
			*slot = r[i];
		}
	}
	ret->first = w->list_at[id];
	ret->n = (uint32_t)n;
	return true;
}

/* A model's list stays as it is; the copy is sorted. */
static bool copy_numbers(struct writer *w, bool any, const struct number_range *r, size_t n, struct number_set *ret)
{
	struct number_range *copy = arena_array(w->a, n, sizeof(*copy));

	if (copy == NULL)
		return false;
	if (n > 0)
		memcpy(copy, r, n * sizeof(*copy));
	return put_numbers(w, any, copy, n, ret);
}

static bool put_rows(struct writer *w, const struct model_service *s, uint32_t *ret)
{
	uint32_t *at = &w->rows_at[s - w->m->services];

	if (*at == 0) {
		*at = (uint32_t)w->n_rows + 1;
		for (size_t i = 0; i < s->n_allows; i++) {
			const struct model_allow *allow = &s->allows[i];
			struct command_row row = { .units_any = allow->units_any,
						   .spaces_any = allow->spaces_any,
						   .line = allow->at.line,
						   .file = allow->at.file },
					   *slot;

			memcpy(row.functions, allow->functions, sizeof(row.functions));
			memcpy(row.units, allow->units, sizeof(row.units));
			for (unsigned x = 0; x < SPACE_MAX; x++)
				if (!copy_numbers(w, allow->spaces[x].any, allow->spaces[x].ranges, allow->spaces[x].n,
						  &row.spaces[x]))
					return false;
			if (!copy_numbers(w, allow->values.any, allow->values.ranges, allow->values.n, &row.values))
				return false;
			slot = arena_grow(w->a, (void **)&w->t->rows, &w->n_rows, &w->rows_room, sizeof(*slot));
			if (slot == NULL)
				return false;
			*slot = row;
		}
	}
	*ret = s->n_allows > 0 ? *at - 1 : 0;
	return true;
}

static bool put_grant(struct writer *w, const struct cell_pair *pair, bool observe)
{
	const struct model_conduit *c = &w->m->conduits[pair->conduit];
	struct command_grant *g = arena_grow(w->a, (void **)&w->t->grants, &w->n_grants, &w->grants_room, sizeof(*g));

	if (g == NULL)
		return false;
	g->conduit = pair->conduit;
	g->line = c->at.line;
	g->protocol = (uint16_t)pair->service->protocol;
	g->whole = pair->service->whole;
	g->shadow = c->shadow || (c->observe && !observe);
	g->lenient = pair->service->lenient;
	g->undecided_bytes = pair->service->undecided_bytes;
	if (g->whole)
		return true;
	g->n_rows = (uint32_t)pair->service->n_allows;
	return put_rows(w, pair->service, &g->first_row);
}

/* Cells sorted by permit: where each one's ports begin. */
static bool put_ports(struct writer *w)
{
	size_t *first = arena_array(w->a, w->cells->n_sets + 2, sizeof(*first));
	struct number_range *ports = arena_array(w->a, w->cells->n, sizeof(*ports));

	if (first == NULL || ports == NULL)
		return false;
	for (size_t i = 0; i < w->cells->n; i++)
		first[w->cells->list[i].set + 2]++;
	for (size_t i = 2; i < w->cells->n_sets + 2; i++)
		first[i] += first[i - 1];
	/* first[s + 1] is now where set s begins, and moves to its end while the ports are written. */
	for (size_t i = 0; i < w->cells->n; i++) {
		const struct cell *c = &w->cells->list[i];
		size_t *at = &first[c->set + 1];

		ports[*at] = (struct number_range){ c->lo, c->hi };
		/* Server ports are a matter of TCP and UDP; others leave a hole that is closed below. */
		if (c->l4proto != IPPROTO_TCP && c->l4proto != IPPROTO_UDP)
			ports[*at] = (struct number_range){ 1, 0 };
		++*at;
	}
	for (size_t s = 0; s < w->cells->n_sets; s++) {
		size_t begin = first[s], n = 0;

		for (size_t i = begin; i < first[s + 1]; i++)
			if (ports[i].lo <= ports[i].hi)
				ports[begin + n++] = ports[i];
		if (!put_numbers(w, false, ports + begin, n, &w->t->permits[s].ports))
			return false;
	}
	return true;
}

static bool put_digest(struct writer *w)
{
	size_t size = commands_size(w->t);
	uint8_t *p = arena_alloc(w->a, size);
	struct outbuf out = outbuf_of(p, size);

	if (p == NULL || !commands_encode(w->t, &out))
		return false;
	sha256(p, out.len, w->t->digest);
	return true;
}

bool commands_make(const struct model *m, const struct cells *cells, struct arena *a, struct ir *ir)
{
	struct writer w = { .m = m, .cells = cells, .a = a, .t = &ir->table };

	memset(w.t, 0, sizeof(*w.t));
	interner_init(&w.lists, a);
	w.rows_at = arena_array(a, m->n_services, sizeof(*w.rows_at));
	w.t->permits = arena_array(a, ir->n_permits, sizeof(*w.t->permits));
	if (w.rows_at == NULL || w.t->permits == NULL)
		return false;
	w.t->n_permits = ir->n_permits;
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		const struct ir_permit *from = &ir->permits[i];
		struct command_permit *p = &w.t->permits[i];

		p->permit = i + 1;
		p->lane = from->lane;
		p->observe = from->observe;
		p->midstream = from->midstream;
		p->first_grant = (uint32_t)w.n_grants;
		p->n_grants = cells->sets[i].n;
		for (uint32_t g = 0; g < p->n_grants; g++)
			if (!put_grant(&w, &cells->pairs[cells->sets[i].values[g]], from->observe))
				return false;
	}
	if (!put_ports(&w))
		return false;
	w.t->n_grants = (uint32_t)w.n_grants;
	w.t->n_rows = (uint32_t)w.n_rows;
	w.t->n_ranges = (uint32_t)w.n_ranges;
	return put_digest(&w);
}
