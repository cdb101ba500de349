/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides which permits keep their id in the next generation. A session carries a permit's id, and
 * the kernel lets the session pass while the id is live. So a permit may keep its id only if every
 * session that can carry the id is still allowed at least as much.
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "policy/ir/identity.h"
#include "policy/ir/ir.h"

/*
 * An index of a generation's cells by place. It finds the cells that meet a box without looking at
 * all cells. It is a binary tree; each part has the smallest box around its cells. It lives in the
 * caller's arena and borrows the generation.
 */

struct ir_near {
	const struct ir *ir;
	/* numbers of cells; the middle of a part is its root, and both halves are parts */
	uint32_t *cells;
	/* by position in `cells`: the smallest box around the part with that root */
	struct ir_cell *around;
	uint32_t n;
};

/* Sorts cells by kind, so that the boxes around most parts are small. */
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

/* IPv4 addresses sort before IPv6, so a box may span both. */
static void take_in(struct ir_cell *around, const struct ir_cell *c)
{
	widen(&around->src, &c->src);
	widen(&around->dst, &c->dst);
	around->lo = c->lo < around->lo ? c->lo : around->lo;
	around->hi = c->hi > around->hi ? c->hi : around->hi;
}

/* Halves the part again and again, alternately by source and destination. The recursion is as deep
 * as the tree. */
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

/* False: no memory. */
static bool ir_near_make(const struct ir *ir, struct arena *a, struct ir_near *ret)
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

/* Whether they have packets in common, ignoring interfaces and layers. */
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

/*
 * The first cell that meets `box` and is accepted by `wanted`; NULL when there is none, or when
 * *steps ran out. Each visited part costs one step.
 */
static const struct ir_cell *ir_near_find(const struct ir_near *t, const struct ir_cell *box,
					  bool (*wanted)(void *ctx, const struct ir_cell *cell), void *ctx,
					  uint64_t *steps)
{
	return find(&(struct search){ t, box, wanted, ctx, steps }, 0, t->n);
}

/* parts of the tree that are visited, at most. A permit that is undecided by then gets a new id,
 * which is always correct */
#define STEPS_MAX 20000000u
#define HOLES_BUDGET (256u << 20)
#define PIECES_MAX 16384u /* parts of one cell that are still to be covered */

/* ---- the place of a permit ------------------------------------------------------------------- */

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

static bool is_range(void *ctx, const struct ir_cell *x)
{
	const struct ir_cell *over = ctx;

	return x->layer == 0 && x->iif == over->iif && x->oif == over->oif;
}

/* For each cell the permit of the range that the cell lies over, or UINT32_MAX. The range has no
 * effect there, so the cell counts as part of the range's place. */
static bool find_holes(const struct ir *ir, struct arena *scratch, uint32_t *ret)
{
	struct ir ranges = *ir;
	struct ir_near near;

	ranges.cells = arena_array(scratch, ir->n_cells + 1u, sizeof(*ranges.cells));
	if (ranges.cells == NULL)
		return false;
	ranges.n_cells = 0;
	for (uint32_t i = 0; i < ir->n_cells; i++)
		if (!ir_cell_exact(&ir->cells[i]))
			ranges.cells[ranges.n_cells++] = ir->cells[i];
	if (!ir_near_make(&ranges, scratch, &near))
		return false;
	for (uint32_t i = 0; i < ir->n_cells; i++) {
		struct ir_cell *c = &ir->cells[i];
		uint64_t steps = UINT64_MAX;
		const struct ir_cell *under = ir_cell_exact(c) ? ir_near_find(&near, c, is_range, c, &steps) : NULL;

		ret[i] = under != NULL ? under->permit : UINT32_MAX;
	}
	return true;
}

static uint32_t *holes(const struct ir *ir, struct arena *a)
{
	struct arena *scratch = arena_new(HOLES_BUDGET);
	uint32_t *ret = arena_array(a, ir->n_cells + 1u, sizeof(*ret));
	bool found = scratch != NULL && ret != NULL && find_holes(ir, scratch, ret);

	arena_free(scratch);
	return found ? ret : NULL;
}

static bool places_make(const struct ir *ir, struct arena *a, const struct ir_place **ret)
{
	uint32_t *hole = holes(ir, a);
	size_t *size = arena_array(a, ir->n_permits, sizeof(*size));
	struct outbuf *out = arena_array(a, ir->n_permits, sizeof(*out));
	struct ir_place *places = arena_array(a, ir->n_permits + 1u, sizeof(*places));

	if (hole == NULL || size == NULL || out == NULL || places == NULL)
		return false;
	for (uint32_t i = 0; i < ir->n_cells; i++) {
		size[ir->cells[i].permit] += cell_size(ir, &ir->cells[i]);
		if (hole[i] != UINT32_MAX)
			size[hole[i]] += cell_size(ir, &ir->cells[i]);
	}
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		void *p = arena_alloc(a, size[i] + 1);

		if (p == NULL)
			return false;
		out[i] = outbuf_of(p, size[i]);
	}
	for (uint32_t i = 0; i < ir->n_cells; i++) {
		put_cell(&out[ir->cells[i].permit], ir, &ir->cells[i]);
		if (hole[i] != UINT32_MAX)
			put_cell(&out[hole[i]], ir, &ir->cells[i]);
	}
	for (uint32_t i = 0; i < ir->n_permits; i++)
		sha256(out[i].p, out[i].len, places[i].digest);
	*ret = places;
	return true;
}

bool ir_places(const struct ir *ir, struct arena *a, const struct ir_place **ret)
{
	if (ir->places != NULL) {
		*ret = ir->places;
		return true;
	}
	return places_make(ir, a, ret);
}

bool ir_places_keep(struct ir *ir, struct arena *a)
{
	struct arena *scratch = ir->places == NULL ? arena_new(HOLES_BUDGET) : NULL;
	const struct ir_place *made;
	struct ir_place *kept;

	if (scratch != NULL && places_make(ir, scratch, &made)) {
		kept = arena_array(a, ir->n_permits + 1u, sizeof(*kept));
		if (kept != NULL)
			memcpy(kept, made, ir->n_permits * sizeof(*kept));
		ir->places = kept;
	}
	arena_free(scratch);
	return ir->places != NULL;
}

/* ---- the rights of a permit ------------------------------------------------------------------ */

bool ir_same_numbers(const struct command_table *ta, const struct number_set *a, const struct command_table *tb,
		     const struct number_set *b)
{
	return a->any == b->any && a->n == b->n &&
	       (a->n == 0 || memcmp(&ta->ranges[a->first], &tb->ranges[b->first], a->n * sizeof(ta->ranges[0])) == 0);
}

bool ir_same_row(const struct command_table *ta, const struct command_row *a, const struct command_table *tb,
		 const struct command_row *b)
{
	if (a->spaces_any != b->spaces_any || a->n_spaces != b->n_spaces ||
	    !ir_same_numbers(ta, &a->services, tb, &b->services))
		return false;
	for (unsigned i = 0; i < TARGET_MAX; i++)
		if (!ir_same_numbers(ta, &a->targets[i], tb, &b->targets[i]))
			return false;
	for (uint32_t i = 0; i < a->n_spaces; i++) {
		const struct space_set *sa = &ta->spaces[a->first_space + i], *sb = &tb->spaces[b->first_space + i];

		if (sa->space != sb->space || !ir_same_numbers(ta, &sa->numbers, tb, &sb->numbers))
			return false;
	}
	return ir_same_numbers(ta, &a->values, tb, &b->values);
}

static bool same_grant(const struct command_table *ta, const struct command_grant *a, const struct command_table *tb,
		       const struct command_grant *b)
{
	if (a->protocol != b->protocol || a->whole != b->whole || a->shadow != b->shadow || a->lenient != b->lenient ||
	    a->undecided_bytes != b->undecided_bytes || a->n_rows != b->n_rows)
		return false;
	for (uint32_t i = 0; i < a->n_rows; i++)
		if (!ir_same_row(ta, &ta->rows[a->first_row + i], tb, &tb->rows[b->first_row + i]))
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

/* Whether limit `b` is none, or not shorter than `a`. */
static bool as_long(uint32_t a, uint32_t b)
{
	return b == 0 || (a != 0 && b >= a);
}

/* Whether permit `b` lets everything pass that permit `a` does, judged or not. */
static bool within(const struct ir *ia, uint32_t a, const struct ir *ib, uint32_t b)
{
	const struct ir_permit *pa = &ia->permits[a], *pb = &ib->permits[b];
	struct lane la, lb;

	if (pb->until != 0 && (pa->until == 0 || pb->until < pa->until))
		return false;
	/* Hours are not compared in detail: `b` must have the same ones, or no end. */
	if (pa->until == IR_SHUT && pb->until != 0 && memcmp(pa->identity, pb->identity, sizeof(pa->identity)) != 0)
		return false;
	if (!as_long(pa->idle, pb->idle) || !as_long(pa->session, pb->session))
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

/* ---- is the whole cell still covered? -------------------------------------------------------- */

struct cover {
	const struct ir *now, *next;
	struct ir_near near; /* the cells of `next` */
	/* by interface of `next`: the one of `now` with the same name, or UINT32_MAX */
	uint32_t *way;
	uint32_t *first,
		/* `sorted`: cells of `now` by permit; those of permit p begin at first[p] */
		*sorted;
	/* by permit of `next`: 1 + the permit of `now` for which as_much was last computed */
	uint32_t *asked;
	/* by permit of `next`: whether it allows at least as much as that permit of `now` */
	bool *as_much;
	struct ir_cell *pieces; /* what is still to be covered; room for PIECES_MAX */
	uint32_t from;		/* the present permit of `now` */
	uint8_t layer;		/* layer of its present cell */
	uint32_t iif, oif;	/* interfaces of that cell */
	uint64_t steps;
};

static bool allows_as_much(struct cover *c, uint32_t permit)
{
	if (c->asked[permit] != c->from + 1) {
		c->asked[permit] = c->from + 1;
		c->as_much[permit] = within(c->now, c->from, c->next, permit);
	}
	return c->as_much[permit];
}

/* Whether this cell of `next` may cover the present one. A cell of another layer may do so only in
 * layer 0, because cells there never end. */
static bool may_cover(void *ctx, const struct ir_cell *x)
{
	struct cover *c = ctx;

	return (x->layer == c->layer || x->layer == 0) && c->way[x->iif] == c->iif && c->way[x->oif] == c->oif &&
	       allows_as_much(c, x->permit);
}

/* Whether this cell of `next` lies over a covering range and allows less than the present
 * permit. */
static bool denies(void *ctx, const struct ir_cell *x)
{
	struct cover *c = ctx;

	return ir_cell_exact(x) && c->way[x->iif] == c->iif && c->way[x->oif] == c->oif &&
	       !allows_as_much(c, x->permit);
}

/* As may_cover, but for ranges only. They are tried first, because an exact cell over a range would
 * cut pieces from what the range covers whole. */
static bool may_cover_whole(void *ctx, const struct ir_cell *x)
{
	return !ir_cell_exact(x) && may_cover(ctx, x);
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

/* Pushes the parts of the piece outside of `x` in one dimension, and cuts the piece to the part
 * inside. */
static size_t cut_range(struct ir_cell *pieces, size_t n, struct ir_cell *piece, const struct addr_range *x,
			bool source)
{
	struct addr_range *mine = source ? &piece->src : &piece->dst, *part;

	if (addr_cmp(&mine->lo, &x->lo) < 0) {
		pieces[n] = *piece;
		part = source ? &pieces[n].src : &pieces[n].dst;
		part->hi = before(&x->lo);
		mine->lo = x->lo;
		n++;
	}
	if (addr_cmp(&mine->hi, &x->hi) > 0) {
		pieces[n] = *piece;
		part = source ? &pieces[n].src : &pieces[n].dst;
		part->lo = after(&x->hi);
		mine->hi = x->hi;
		n++;
	}
	return n;
}

/* Pushes the parts of the piece outside of `x`; at most six. */
static size_t cut(struct ir_cell *pieces, size_t n, struct ir_cell piece, const struct ir_cell *x)
{
	n = cut_range(pieces, n, &piece, &x->src, true);
	n = cut_range(pieces, n, &piece, &x->dst, false);
	if (piece.lo < x->lo) {
		pieces[n] = piece;
		pieces[n++].hi = (uint16_t)(x->lo - 1);
	}
	if (piece.hi > x->hi) {
		pieces[n] = piece;
		pieces[n++].lo = (uint16_t)(x->hi + 1);
	}
	return n;
}

static bool cell_covered(struct cover *c, const struct ir_cell *old)
{
	size_t n = 1;

	c->layer = old->layer;
	c->iif = old->iif;
	c->oif = old->oif;
	c->pieces[0] = *old;
	if (ir_near_find(&c->near, old, denies, c, &c->steps) != NULL || c->steps == 0)
		return false;
	while (n > 0) {
		struct ir_cell piece = c->pieces[--n];
		const struct ir_cell *x = ir_near_find(&c->near, &piece, may_cover_whole, c, &c->steps);

		if (x == NULL)
			x = ir_near_find(&c->near, &piece, may_cover, c, &c->steps);
		if (x == NULL || n + 6 > PIECES_MAX)
			return false;
		n = cut(c->pieces, n, piece, x);
	}
	return true;
}

/* Whether at least as much is allowed everywhere in the place of this permit of `now`. */
static bool permit_covered(struct cover *c, uint32_t from)
{
	c->from = from;
	for (uint32_t i = c->first[from]; i < c->first[from + 1]; i++)
		if (!cell_covered(c, &c->now->cells[c->sorted[i]]))
			return false;
	return true;
}

static void sort_to_permits(struct cover *c)
{
	const struct ir *now = c->now;

	for (uint32_t i = 0; i < now->n_cells; i++)
		c->first[now->cells[i].permit + 1]++;
	for (uint32_t i = 0; i < now->n_permits; i++)
		c->first[i + 1] += c->first[i];
	for (uint32_t i = now->n_cells; i-- > 0;)
		c->sorted[--c->first[now->cells[i].permit + 1]] = i;
	/* The loop has counted each entry down from its permit's end to its beginning, and the
	 * entries stand one place too high. */
	memmove(c->first, c->first + 1, now->n_permits * sizeof(*c->first));
	c->first[now->n_permits] = now->n_cells;
}

static bool cover_make(struct cover *c, struct arena *a)
{
	const struct ir *now = c->now, *next = c->next;

	c->way = arena_array(a, next->n_interfaces + 1u, sizeof(*c->way));
	c->first = arena_array(a, now->n_permits + 1u, sizeof(*c->first));
	c->sorted = arena_array(a, now->n_cells + 1u, sizeof(*c->sorted));
	c->asked = arena_array(a, next->n_permits + 1u, sizeof(*c->asked));
	c->as_much = arena_array(a, next->n_permits + 1u, sizeof(*c->as_much));
	c->pieces = arena_array(a, PIECES_MAX, sizeof(*c->pieces));
	if (c->way == NULL || c->first == NULL || c->sorted == NULL || c->asked == NULL || c->as_much == NULL ||
	    c->pieces == NULL || !ir_near_make(next, a, &c->near))
		return false;
	for (uint32_t i = 0; i < next->n_interfaces; i++) {
		c->way[i] = UINT32_MAX;
		for (uint32_t k = 0; k < now->n_interfaces; k++)
			if (strcmp(now->interfaces[k].name, next->interfaces[i].name) == 0)
				c->way[i] = k;
	}
	sort_to_permits(c);
	return true;
}

/* ---- which permit keeps which id ------------------------------------------------------------- */

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
	const struct ir_place *places;

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

/* Matches permits with equal places. This is done first, because it costs next to nothing and
 * leaves few permits for match_covered. */
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

/*
 * Matches the other permits. Permits of the same meaning allow the same. So it does not matter
 * which of them continues an old permit, and whether the old one is covered is computed only once.
 */
static bool match_covered(struct cover *c, struct arena *a, const struct known *old, bool *used,
			  const struct known *new, uint32_t *ret)
{
	for (uint32_t x = 0, y = 0; x < c->now->n_permits && y < c->next->n_permits;) {
		int order = same_meaning(&old[x], &new[y]);

		if (order > 0 || ret[new[y].permit] != UINT32_MAX) {
			y++;
		} else if (order < 0 || used[x]) {
			x++;
		} else if (c->pieces == NULL && !cover_make(c, a)) {
			return false;
		} else if (!permit_covered(c, old[x].permit)) {
			x++;
		} else {
			ret[new[y++].permit] = old[x++].permit;
		}
	}
	return true;
}

bool ir_carry_on(const struct ir *now, const struct ir *next, struct arena *a, uint32_t *ret)
{
	struct known *old = known_of(now, a), *new = known_of(next, a);
	bool *used = arena_array(a, now->n_permits + 1u, sizeof(*used));
	/* the rest is filled only when it is needed, which is rare */
	struct cover c = { .now = now, .next = next, .steps = STEPS_MAX };

	for (uint32_t i = 0; i < next->n_permits; i++)
		ret[i] = UINT32_MAX;
	if (old == NULL || new == NULL || used == NULL)
		return false;
	match_equal(old, now->n_permits, used, new, next->n_permits, ret);
	return match_covered(&c, a, old, used, new, ret);
}
