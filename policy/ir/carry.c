/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which permits of one generation go on in the next under the same id. Sessions carry a permit's id, and the kernel lets them
 * by as long as it is live: so an id may only go on when whatever could carry it is still allowed at least as much.
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "policy/ir/ir.h"

#define STEPS_MAX 20000000u /* comparisons of cells; what is not settled by then gets a new id, which is always right */
#define DEPTH_MAX 2000u	    /* pieces inside pieces */

/* ---- where a permit lies --------------------------------------------------------------------------------------------- */

static void put_range(struct outbuf *o, const struct addr_range *r)
{
	out_u8(o, r->lo.family);
	out_bytes(o, r->lo.b, sizeof(r->lo.b));
	out_bytes(o, r->hi.b, sizeof(r->hi.b));
}

static size_t cell_size(const struct ir *ir, const struct ir_cell *c)
{
	return 2u * 33u + 6u + strlen(ir->interfaces[c->iif].name) + strlen(ir->interfaces[c->oif].name) + 2u;
}

static void put_cell(struct outbuf *o, const struct ir *ir, const struct ir_cell *c)
{
	const char *in = ir->interfaces[c->iif].name, *out = ir->interfaces[c->oif].name;

	out_bytes(o, in, strlen(in) + 1);
	out_bytes(o, out, strlen(out) + 1);
	put_range(o, &c->src);
	put_range(o, &c->dst);
	out_u8(o, c->l4proto);
	out_be16(o, c->lo);
	out_be16(o, c->hi);
	out_u8(o, c->layer);
}

bool ir_places(const struct ir *ir, struct arena *a, struct ir_place **ret)
{
	size_t *size = arena_array(a, ir->n_permits, sizeof(*size));
	struct outbuf *out = arena_array(a, ir->n_permits, sizeof(*out));
	struct ir_place *places = arena_array(a, ir->n_permits, sizeof(*places));

	if (size == NULL || out == NULL || places == NULL)
		return false;
	for (uint32_t i = 0; i < ir->n_cells; i++)
		size[ir->cells[i].permit] += cell_size(ir, &ir->cells[i]);
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		void *p = arena_alloc(a, size[i] + 1);

		if (p == NULL)
			return false;
		out[i] = outbuf_of(p, size[i]);
	}
	for (uint32_t i = 0; i < ir->n_cells; i++)
		put_cell(&out[ir->cells[i].permit], ir, &ir->cells[i]);
	for (uint32_t i = 0; i < ir->n_permits; i++)
		sha256(out[i].p, out[i].len, places[i].digest);
	*ret = places;
	return true;
}

/* ---- what a permit allows -------------------------------------------------------------------------------------------- */

static bool same_numbers(const struct command_table *ta, const struct number_set *a, const struct command_table *tb,
			 const struct number_set *b)
{
	return a->any == b->any && a->n == b->n &&
	       (a->n == 0 || memcmp(&ta->ranges[a->first], &tb->ranges[b->first], a->n * sizeof(ta->ranges[0])) == 0);
}

static bool same_row(const struct command_table *ta, const struct command_row *a, const struct command_table *tb,
		     const struct command_row *b)
{
	if (a->spaces_any != b->spaces_any || a->n_spaces != b->n_spaces ||
	    !same_numbers(ta, &a->services, tb, &b->services))
		return false;
	for (unsigned i = 0; i < TARGET_MAX; i++)
		if (!same_numbers(ta, &a->targets[i], tb, &b->targets[i]))
			return false;
	for (uint32_t i = 0; i < a->n_spaces; i++) {
		const struct space_set *sa = &ta->spaces[a->first_space + i], *sb = &tb->spaces[b->first_space + i];

		if (sa->space != sb->space || !same_numbers(ta, &sa->numbers, tb, &sb->numbers))
			return false;
	}
	return same_numbers(ta, &a->values, tb, &b->values);
}

static bool same_grant(const struct command_table *ta, const struct command_grant *a, const struct command_table *tb,
		       const struct command_grant *b)
{
	if (a->protocol != b->protocol || a->whole != b->whole || a->shadow != b->shadow || a->lenient != b->lenient ||
	    a->undecided_bytes != b->undecided_bytes || a->n_rows != b->n_rows)
		return false;
	for (uint32_t i = 0; i < a->n_rows; i++)
		if (!same_row(ta, &ta->rows[a->first_row + i], tb, &tb->rows[b->first_row + i]))
			return false;
	return true;
}

static bool all_granted(const struct command_table *ta, uint32_t a, const struct command_table *tb, uint32_t b)
{
	const struct command_permit *pa = &ta->permits[a], *pb = &tb->permits[b];

	for (uint32_t i = 0; i < pa->n_grants; i++) {
		const struct command_grant *g = &ta->grants[pa->first_grant + i];
		bool found = g->shadow;

		for (uint32_t k = 0; k < pb->n_grants && !found; k++)
			found = same_grant(ta, g, tb, &tb->grants[pb->first_grant + k]);
		if (!found)
			return false;
	}
	return true;
}

/* Whatever permit `a` lets by, permit `b` lets by as well, judged or not. */
static bool within(const struct ir *ia, uint32_t a, const struct ir *ib, uint32_t b)
{
	const struct ir_permit *pa = &ia->permits[a], *pb = &ib->permits[b];
	struct lane la, lb;

	if (pb->until != 0 && (pa->until == 0 || pb->until < pa->until))
		return false;
	if (pb->lane == LANE_NONE)
		return true;
	if (!lane_of(pa->lane, &la) || !lane_of(pb->lane, &lb) || lb.when_down < la.when_down ||
	    lb.when_overloaded < la.when_overloaded || pb->midstream < pa->midstream)
		return false;
	if (pb->deny_weak_tls && !pa->deny_weak_tls && !pb->observe)
		return false;
	return pb->observe || (!pa->observe && all_granted(&ia->table, a, &ib->table, b));
}

/* ---- is all of a cell still covered? --------------------------------------------------------------------------------- */

struct cover {
	const struct ir *now, *next;
	struct arena *a;
	uint8_t *as_much;	   /* per permit of `next`: 0 = not asked yet, 1 = allows less, 2 = at least as much */
	uint32_t from, to;	   /* the permit of `now`, and the one of `next` that would carry it on */
	const struct ir_cell **by; /* what may cover the cell at hand */
	size_t n_by;
	uint64_t steps;
};

static bool step(struct cover *c)
{
	if (c->steps == 0)
		return false;
	c->steps--;
	return true;
}

static bool meet(const struct ir_cell *a, const struct ir_cell *b)
{
	return a->l4proto == b->l4proto && a->src.lo.family == b->src.lo.family && a->lo <= b->hi && b->lo <= a->hi &&
	       addr_cmp(&a->src.lo, &b->src.hi) <= 0 && addr_cmp(&b->src.lo, &a->src.hi) <= 0 &&
	       addr_cmp(&a->dst.lo, &b->dst.hi) <= 0 && addr_cmp(&b->dst.lo, &a->dst.hi) <= 0;
}

static struct addr before(const struct addr *a)
{
	struct addr b = *a;

	(void)addr_prev(a, &b);
	return b;
}

static struct addr after(const struct addr *a)
{
	struct addr b = *a;

	(void)addr_next(a, &b);
	return b;
}

static bool covered(struct cover *c, struct ir_cell piece, size_t at, unsigned depth);

/* What of the piece lies outside of `x` in one dimension; the piece is cut to what lies inside. */
static bool rest_covered(struct cover *c, struct ir_cell *piece, const struct addr_range *x, bool source, size_t at,
			 unsigned depth)
{
	struct addr_range *mine = source ? &piece->src : &piece->dst;
	struct ir_cell rest = *piece;
	struct addr_range *part = source ? &rest.src : &rest.dst;

	if (addr_cmp(&mine->lo, &x->lo) < 0) {
		part->hi = before(&x->lo);
		if (!covered(c, rest, at, depth))
			return false;
		mine->lo = x->lo;
	}
	rest = *piece;
	if (addr_cmp(&mine->hi, &x->hi) > 0) {
		part->lo = after(&x->hi);
		if (!covered(c, rest, at, depth))
			return false;
		mine->hi = x->hi;
	}
	return true;
}

static bool covered(struct cover *c, struct ir_cell piece, size_t at, unsigned depth)
{
	for (; at < c->n_by; at++) {
		const struct ir_cell *x = c->by[at];
		struct ir_cell rest;

		if (!step(c) || depth == DEPTH_MAX)
			return false;
		if (!meet(&piece, x))
			continue;
		if (!rest_covered(c, &piece, &x->src, true, at + 1, depth + 1) ||
		    !rest_covered(c, &piece, &x->dst, false, at + 1, depth + 1))
			return false;
		rest = piece;
		rest.hi = (uint16_t)(x->lo - 1);
		if (piece.lo < x->lo && !covered(c, rest, at + 1, depth + 1))
			return false;
		rest = piece;
		rest.lo = (uint16_t)(x->hi + 1);
		return piece.hi <= x->hi || covered(c, rest, at + 1, depth + 1);
	}
	return false;
}

static bool allows_as_much(struct cover *c, uint32_t permit)
{
	if (c->as_much[permit] == 0)
		c->as_much[permit] = permit == c->to || within(c->now, c->from, c->next, permit) ? 2 : 1;
	return c->as_much[permit] == 2;
}

static bool same_way(const struct cover *c, const struct ir_cell *a, const struct ir_cell *b)
{
	return strcmp(c->now->interfaces[a->iif].name, c->next->interfaces[b->iif].name) == 0 &&
	       strcmp(c->now->interfaces[a->oif].name, c->next->interfaces[b->oif].name) == 0;
}

static bool cell_covered(struct cover *c, const struct ir_cell *old)
{
	c->n_by = 0;
	for (uint32_t i = 0; i < c->next->n_cells; i++) {
		const struct ir_cell *x = &c->next->cells[i];

		if (!step(c))
			return false;
		/* Within a layer cells are disjoint; another layer than its own may cover it only when it never ends. */
		if ((x->layer == old->layer || x->layer == 0) && meet(old, x) && same_way(c, old, x) &&
		    allows_as_much(c, x->permit))
			c->by[c->n_by++] = x;
	}
	return covered(c, *old, 0, 0);
}

static bool carries(struct cover *c, uint32_t from, uint32_t to)
{
	c->from = from;
	c->to = to;
	memset(c->as_much, 0, c->next->n_permits);
	for (uint32_t i = 0; i < c->now->n_cells; i++)
		if (!step(c) || (c->now->cells[i].permit == from && !cell_covered(c, &c->now->cells[i])))
			return false;
	return true;
}

/* ---- who carries whom ------------------------------------------------------------------------------------------------ */

struct known {
	const uint8_t *identity, *place;
	uint32_t permit;
};

static int by_meaning(const void *pa, const void *pb)
{
	const struct known *a = pa, *b = pb;
	int c = memcmp(a->identity, b->identity, 32);

	c = c != 0 ? c : memcmp(a->place, b->place, 32);
	return c != 0 ? c : (a->permit > b->permit) - (a->permit < b->permit);
}

static struct known *known_of(const struct ir *ir, struct arena *a)
{
	struct known *k = arena_array(a, ir->n_permits + 1u, sizeof(*k));
	struct ir_place *places;

	if (k == NULL || !ir_places(ir, a, &places))
		return NULL;
	for (uint32_t i = 0; i < ir->n_permits; i++)
		k[i] = (struct known){ ir->permits[i].identity, places[i].digest, i };
	if (ir->n_permits > 1)
		qsort(k, ir->n_permits, sizeof(*k), by_meaning);
	return k;
}

static int same_meaning(const struct known *a, const struct known *b)
{
	return memcmp(a->identity, b->identity, 32);
}

/* What lies where it lay, first: that costs nothing and leaves little for the rest. */
static void match_equal(const struct known *old, uint32_t n_old, bool *used, const struct known *new, uint32_t n_new,
			uint32_t *ret)
{
	for (uint32_t x = 0, y = 0; x < n_old && y < n_new;) {
		int c = same_meaning(&old[x], &new[y]);

		c = c != 0 ? c : memcmp(old[x].place, new[y].place, 32);
		if (c == 0) {
			used[x] = true;
			ret[new[y].permit] = old[x].permit;
		}
		x += c <= 0;
		y += c >= 0;
	}
}

bool ir_carry_on(const struct ir *now, const struct ir *next, struct arena *a, uint32_t *ret)
{
	struct known *old = known_of(now, a), *new = known_of(next, a);
	bool *used = arena_array(a, now->n_permits + 1u, sizeof(*used));
	struct cover c = { .now = now, .next = next, .a = a, .steps = STEPS_MAX };

	for (uint32_t i = 0; i < next->n_permits; i++)
		ret[i] = UINT32_MAX;
	c.as_much = arena_array(a, next->n_permits + 1u, 1);
	c.by = arena_array(a, next->n_cells + 1u, sizeof(struct ir_cell *));
	if (old == NULL || new == NULL || used == NULL || c.as_much == NULL || c.by == NULL)
		return false;
	match_equal(old, now->n_permits, used, new, next->n_permits, ret);
	for (uint32_t x = 0, y = 0; x < now->n_permits && y < next->n_permits;) {
		int order = same_meaning(&old[x], &new[y]);

		if (order < 0) {
			x++;
			continue;
		}
		for (uint32_t k = x; order == 0 && k < now->n_permits && ret[new[y].permit] == UINT32_MAX && step(&c) &&
				     same_meaning(&old[k], &new[y]) == 0;
		     k++)
			if (!used[k] && carries(&c, old[k].permit, new[y].permit)) {
				used[k] = true;
				ret[new[y].permit] = old[k].permit;
			}
		y++;
	}
	return true;
}
