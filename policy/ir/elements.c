/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/evaluate.h"
#include "appliance/wire/lasting.h"
#include "policy/ir/elements.h"
#include "policy/ir/lasting.h"
#include "policy/ir/limits.h"
#include "policy/ir/sets.h"

bool ir_together(const struct ir_permit *p)
{
	enum protocol k = protocols_next(&p->protocols, PROTO_NONE);

	while (k != PROTO_NONE && !protocol_is(k, PROTO_COMPANIONS))
		k = protocols_next(&p->protocols, k);
	return k != PROTO_NONE && p->lane != LANE_NONE && lane_kind_of(p->lane) == LANE_COMMANDS;
}

static bool may_subscribe(const struct command_table *t, const struct command_grant *g)
{
	const struct vocabulary *v = vocabulary_of((enum protocol)g->protocol);
	uint32_t code;

	for (size_t i = 0; i < sizeof(lasting_requests) / sizeof(lasting_requests[0]); i++) {
		struct number_range asks = { lasting_requests[i].code, lasting_requests[i].code };

		if (lasting_requests[i].protocol != g->protocol || g->shadow || v == NULL)
			continue;
		if (g->whole)
			return true;
		for (uint32_t k = 0; k < g->n_rows; k++)
			if (evaluate_passes(t, &t->rows[g->first_row + k], v, asks, CLASS_ALL, &code))
				return true;
	}
	return false;
}

bool ir_lasting(const struct ir *ir, uint32_t permit)
{
	const struct command_permit *p;
	struct lane l;

	/* a conduit that only observes would open sessions that no conduit allows */
	if (permit >= ir->table.n_permits || ir->permits[permit].observe || !lane_of(ir->permits[permit].lane, &l) ||
	    l.kind != LANE_COMMANDS)
		return false;
	p = &ir->table.permits[permit];
	for (uint32_t i = 0; i < p->n_grants; i++)
		if (may_subscribe(&ir->table, &ir->table.grants[p->first_grant + i]))
			return true;
	return false;
}

uint64_t ir_lasting_lanes(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_permits; i++)
		if (ir_lasting(ir, i))
			return LANES_LASTING;
	return 0;
}

void ir_limits_add(struct ir_limits *l, uint32_t limit)
{
	uint32_t at = 0;

	if ((limit & IR_LIMIT_S) == 0)
		return;
	while (at < l->n && l->list[at] < limit)
		at++;
	if (at < l->n && l->list[at] == limit)
		return;
	l->full = l->full || l->n == IR_LIMITS;
	if (l->full)
		return;
	memmove(&l->list[at + 1], &l->list[at], (l->n - at) * sizeof(l->list[0]));
	l->list[at] = limit;
	l->n++;
}

void ir_limits_add_all(struct ir_limits *l, const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		ir_limits_add(l, ir->permits[i].session);
		ir_limits_add(l, ir->permits[i].idle | IR_LIMIT_IDLE);
	}
}

uint32_t ir_label(const struct ir_permit *p, uint32_t id)
{
	return mark_make(id, p->lane, MARK_UNJUDGED) | (p->session != 0 ? MARK_AGES : 0) |
	       (p->idle != 0 ? MARK_IDLES : 0);
}

struct ir_maps ir_maps(const struct ir *ir)
{
	struct ir_maps maps = { .parts = 1 };
	uint32_t ranges[2] = { 0 };

	for (uint32_t i = 0; i < ir->n_cells; i++) {
		const struct ir_cell *c = &ir->cells[i];

		maps.layers = c->layer > maps.layers ? c->layer : maps.layers;
		if (c->layer == 0 && !ir_cell_exact(c) && ++ranges[c->src.lo.family == 6] == IR_PARTS_FROM)
			maps.parts = IR_PARTS;
	}
	return maps;
}

static uint32_t hash_address(uint32_t h, const struct addr *a)
{
	for (size_t i = 0; i < addr_len(a->family); i++)
		h = (h ^ a->b[i]) * 16777619u;
	return h;
}

/* The part of layer 0 that has this range: by its own bytes alone, so that it stays there whatever
 * else changes. */
static uint32_t part_of(const struct ir_cell *c, uint32_t parts)
{
	uint32_t h = hash_address(hash_address(2166136261u, &c->src.lo), &c->dst.lo);

	h = (h ^ c->lo) * 16777619u;
	return (h ^ h >> 16) % parts;
}

struct writer {
	const struct ir *ir;
	const uint32_t *ids;
	struct arena *a;
	struct ir_element *list;
	size_t n, room;
	uint32_t parts;
};

static struct ir_element *add_element(struct writer *w, enum ir_set set)
{
	struct ir_element *e = arena_grow(w->a, (void **)&w->list, &w->n, &w->room, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->set = set;
	e->iif = e->oif = UINT32_MAX;
	return e;
}

enum ir_set ir_set_of_cell(const struct ir_cell *c, uint32_t parts)
{
	bool six = c->src.lo.family == 6;

	if (c->layer > 0)
		return (enum ir_set)((six ? SET_UNTIL6 : SET_UNTIL4) + c->layer - 1);
	if (ir_cell_exact(c))
		return six ? SET_EXACT6 : SET_EXACT4;
	return (enum ir_set)((six ? SET_RANGE6 : SET_RANGE4) + part_of(c, parts));
}

static void add_cell(struct writer *w, const struct ir_cell *c)
{
	const struct ir_permit *p = &w->ir->permits[c->permit];
	struct ir_element *e = add_element(w, ir_set_of_cell(c, w->parts));

	if (e == NULL)
		return;
	e->iif = c->iif;
	e->oif = c->oif;
	e->src = c->src;
	e->dst = c->dst;
	e->l4proto = c->l4proto;
	e->lo = c->lo;
	e->hi = c->hi;
	e->data = ir_label(p, w->ids[c->permit]);
	e->until = p->until;
	e->line = c->line;
}

/* Adds the element of SET_LIVE for sessions of this permit whose packets come in at this interface
 * in this direction. */
static void add_live(struct writer *w, uint32_t permit, uint32_t interface, uint8_t direction, uint32_t line)
{
	const struct ir_permit *p = &w->ir->permits[permit];
	uint32_t mark = ir_label(p, w->ids[permit]), limited = mark & MARK_LIMITS;
	struct ir_element *e = add_element(w, SET_LIVE);

	if (e == NULL)
		return;
	e->iif = interface;
	e->direction = direction;
	e->mark_key = mark;
	/* A packet of a session with limits does not pass at once, because skeleton/sessions.c
	 * checks the limits first. */
	e->data = p->lane == LANE_NONE ? MARK_FAST | (limited != 0 ? MARK_REPLY : 0)
				       : (mark & ~MARK_LIMITS) | (direction == 1 ? MARK_REPLY : 0);
	e->until = p->until;
	e->line = line;
}

/* An interface at which packets of a permit come in, and their direction. */
struct side {
	uint32_t permit, interface, line;
	uint8_t direction;
};

static int side_order(const void *pa, const void *pb)
{
	const struct side *a = pa, *b = pb;

	if (a->permit != b->permit)
		return a->permit < b->permit ? -1 : 1;
	if (a->direction != b->direction)
		return a->direction < b->direction ? -1 : 1;
	if (a->interface != b->interface)
		return a->interface < b->interface ? -1 : 1;
	return (a->line > b->line) - (a->line < b->line);
}

static bool add_permit(struct writer *w, enum ir_set set, const struct side *s)
{
	struct ir_element *e = add_element(w, set);

	if (e == NULL)
		return false;
	e->mark_key = w->ids[s->permit];
	e->until = w->ir->permits[s->permit].until;
	e->line = s->line;
	return true;
}

static bool add_limit(struct writer *w, const struct side *s, uint32_t limit)
{
	struct ir_element *e = (limit & IR_LIMIT_S) != 0 ? add_element(w, SET_LIMITED) : NULL;

	if (e == NULL)
		return (limit & IR_LIMIT_S) == 0;
	e->mark_key = w->ids[s->permit];
	e->mark_key2 = limit;
	e->line = s->line;
	return true;
}

static bool add_lasting(struct writer *w, const struct side *s)
{
	struct ir_element *e = ir_lasting(w->ir, s->permit) ? add_element(w, SET_LIMITED) : NULL;

	if (e == NULL)
		return !arena_failed(w->a);
	e->mark_key = w->ids[s->permit];
	e->mark_key2 = LIMIT_LASTING;
	e->line = s->line;
	return true;
}

static bool add_permits(struct writer *w)
{
	size_t n = 2 * (size_t)w->ir->n_cells;
	struct side *sides = arena_array(w->a, n, sizeof(*sides));

	if (sides == NULL)
		return false;
	for (uint32_t i = 0; i < w->ir->n_cells; i++) {
		const struct ir_cell *c = &w->ir->cells[i];

		sides[2 * i] = (struct side){ c->permit, c->iif, c->line, 0 };
		sides[2 * i + 1] = (struct side){ c->permit, c->oif, c->line, 1 };
	}
	if (n > 1)
		qsort(sides, n, sizeof(*sides), side_order);
	for (size_t i = 0; i < n; i++) {
		const struct side *s = &sides[i], *before = i > 0 ? &sides[i - 1] : NULL;

		if ((before == NULL || before->permit != s->permit) &&
		    (!add_permit(w, SET_AGREE, s) ||
		     (ir_together(&w->ir->permits[s->permit]) && !add_permit(w, SET_TOGETHER, s)) ||
		     !add_lasting(w, s) || !add_limit(w, s, w->ir->permits[s->permit].session) ||
		     !add_limit(w, s, w->ir->permits[s->permit].idle | IR_LIMIT_IDLE)))
			return false;
		if (before == NULL || before->permit != s->permit || before->direction != s->direction ||
		    before->interface != s->interface)
			add_live(w, s->permit, s->interface, s->direction, s->line);
	}
	return true;
}

static int number_order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Sorted by set, then by the key in the kernel's byte order. */
static int element_order(const void *pa, const void *pb)
{
	const struct ir_element *a = pa, *b = pb;
	int c = number_order(a->set, b->set);

	c = c != 0 ? c : number_order(a->iif, b->iif);
	c = c != 0 ? c : number_order(a->oif, b->oif);
	c = c != 0 ? c : addr_cmp(&a->src.lo, &b->src.lo);
	c = c != 0 ? c : addr_cmp(&a->dst.lo, &b->dst.lo);
	c = c != 0 ? c : number_order(a->l4proto, b->l4proto);
	c = c != 0 ? c : number_order(a->lo, b->lo);
	c = c != 0 ? c : number_order(a->direction, b->direction);
	c = c != 0 ? c : number_order(a->mark_key, b->mark_key);
	return c != 0 ? c : number_order(a->mark_key2, b->mark_key2);
}

size_t ir_elements(const struct ir *ir, const uint32_t *ids, struct arena *a, struct ir_element **ret)
{
	struct writer w = { .ir = ir, .ids = ids, .a = a, .parts = ir_maps(ir).parts };
	uint64_t lanes = ir_lanes(ir);

	*ret = NULL;
	if (!add_permits(&w))
		return 0;
	for (uint32_t i = 0; i < ir->n_cells; i++)
		add_cell(&w, &ir->cells[i]);
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		struct ir_element *e = ir->interfaces[i].admin ? NULL : add_element(&w, SET_HOME);

		if (e != NULL)
			e->iif = i;
	}
	/* A reset may leave when the gate's lane is the session's. */
	for (uint32_t n = 1; n < LANE_CUT; n++) {
		struct ir_element *e;

		if ((lanes >> n & 1) == 0)
			continue;
		e = add_element(&w, SET_RESETS);
		if (e == NULL)
			return 0;
		e->mark_key = e->mark_key2 = mark_make(0, n, MARK_UNJUDGED);
	}
	if (arena_failed(a))
		return 0;
	if (w.n > 1)
		qsort(w.list, w.n, sizeof(*w.list), element_order);
	*ret = w.list;
	return w.n;
}
