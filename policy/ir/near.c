/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/near.h"

#include <stdlib.h>

/* Cells of one kind stand together, so that the boxes around parts are small where most of them differ. */
static int kind_order(const struct ir_cell *a, const struct ir_cell *b)
{
	if (a->iif != b->iif)
		return a->iif < b->iif ? -1 : 1;
	if (a->oif != b->oif)
		return a->oif < b->oif ? -1 : 1;
	return (a->l4proto > b->l4proto) - (a->l4proto < b->l4proto);
}

static int by_source(const void *pa, const void *pb, void *ctx)
{
	const struct ir_cell *cells = ctx, *a = &cells[*(const uint32_t *)pa], *b = &cells[*(const uint32_t *)pb];
	int c = kind_order(a, b);

	c = c != 0 ? c : addr_cmp(&a->src.lo, &b->src.lo);
	c = c != 0 ? c : addr_cmp(&a->dst.lo, &b->dst.lo);
	return c != 0 ? c : (a->lo > b->lo) - (a->lo < b->lo);
}

static int by_destination(const void *pa, const void *pb, void *ctx)
{
	const struct ir_cell *cells = ctx, *a = &cells[*(const uint32_t *)pa], *b = &cells[*(const uint32_t *)pb];
	int c = kind_order(a, b);

	c = c != 0 ? c : addr_cmp(&a->dst.lo, &b->dst.lo);
	c = c != 0 ? c : addr_cmp(&a->src.lo, &b->src.lo);
	return c != 0 ? c : (a->lo > b->lo) - (a->lo < b->lo);
}

static void widen(struct addr_range *r, const struct addr_range *by)
{
	if (addr_cmp(&by->lo, &r->lo) < 0)
		r->lo = by->lo;
	if (addr_cmp(&by->hi, &r->hi) > 0)
		r->hi = by->hi;
}

/* A family comes before the other in the order of addresses, so a box may have both. */
static void take_in(struct ir_cell *around, const struct ir_cell *c)
{
	widen(&around->src, &c->src);
	widen(&around->dst, &c->dst);
	around->lo = c->lo < around->lo ? c->lo : around->lo;
	around->hi = c->hi > around->hi ? c->hi : around->hi;
}

/* Halves it again and again, by sources and by destinations in turn. The depth is that of halving. */
static void halve(struct ir_near *t, uint32_t lo, uint32_t hi, bool source)
{
	uint32_t mid = lo + (hi - lo) / 2;

	if (lo >= hi)
		return;
	if (hi - lo > 1)
		qsort_r(t->cells + lo, hi - lo, sizeof(*t->cells), source ? by_source : by_destination, t->ir->cells);
	t->around[mid] = t->ir->cells[t->cells[mid]];
	halve(t, lo, mid, !source);
	halve(t, mid + 1, hi, !source);
	if (lo < mid)
		take_in(&t->around[mid], &t->around[lo + (mid - lo) / 2]);
	if (mid + 1 < hi)
		take_in(&t->around[mid], &t->around[mid + 1 + (hi - mid - 1) / 2]);
}

bool ir_near_make(const struct ir *ir, struct arena *a, struct ir_near *ret)
{
	*ret = (struct ir_near){ .ir = ir, .n = ir->n_cells };
	ret->cells = arena_array(a, ir->n_cells + 1u, sizeof(*ret->cells));
	ret->around = arena_array(a, ir->n_cells + 1u, sizeof(*ret->around));
	if (ret->cells == NULL || ret->around == NULL)
		return false;
	for (uint32_t i = 0; i < ret->n; i++)
		ret->cells[i] = i;
	halve(ret, 0, ret->n, true);
	return true;
}

static bool touch(const struct ir_cell *a, const struct ir_cell *b)
{
	return a->lo <= b->hi && b->lo <= a->hi && addr_cmp(&a->src.lo, &b->src.hi) <= 0 &&
	       addr_cmp(&b->src.lo, &a->src.hi) <= 0 && addr_cmp(&a->dst.lo, &b->dst.hi) <= 0 &&
	       addr_cmp(&b->dst.lo, &a->dst.hi) <= 0;
}

/* They have packets in common, whatever their interfaces and layers. */
static bool ir_cells_meet(const struct ir_cell *a, const struct ir_cell *b)
{
	return a->l4proto == b->l4proto && a->src.lo.family == b->src.lo.family && touch(a, b);
}

struct search {
	const struct ir_near *t;
	const struct ir_cell *box;
	bool (*wanted)(void *ctx, const struct ir_cell *cell);
	void *ctx;
	uint64_t *steps;
};

static const struct ir_cell *find(const struct search *s, uint32_t lo, uint32_t hi)
{
	uint32_t mid = lo + (hi - lo) / 2;
	const struct ir_cell *cell, *found;

	if (lo >= hi || *s->steps == 0)
		return NULL;
	(*s->steps)--;
	if (!touch(s->box, &s->t->around[mid]))
		return NULL;
	cell = &s->t->ir->cells[s->t->cells[mid]];
	if (ir_cells_meet(s->box, cell) && s->wanted(s->ctx, cell))
		return cell;
	found = find(s, lo, mid);
	return found != NULL ? found : find(s, mid + 1, hi);
}

const struct ir_cell *ir_near_find(const struct ir_near *t, const struct ir_cell *box,
				   bool (*wanted)(void *ctx, const struct ir_cell *cell), void *ctx, uint64_t *steps)
{
	return find(&(struct search){ t, box, wanted, ctx, steps }, 0, t->n);
}
