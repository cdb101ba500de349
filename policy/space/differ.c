/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/differ.h"

#include <stdlib.h>
#include <string.h>

#include "policy/check/port.h"
#include "policy/ir/identity.h"
#include "policy/ir/ir.h"
#include "policy/space/boxes.h"
#include "policy/space/differ_place.h"
#include "policy/space/intern.h"
#include "policy/space/joint.h"

#define STEPS_MAX 400000000u
#define SCRATCH_BUDGET ((size_t)1 << 30)
#define BOXES_MOST 2000000u

struct raw {
	uint64_t bucket; /* input interface << 40 | output << 16 | family << 8 | protocol */
	struct box box;	 /* tag: the pair */
};

struct piece {
	uint32_t said; /* index of a sentence */
	uint8_t family, l4proto;
	struct box box;
};

struct differing {
	const struct model *side[2];
	uint64_t now;
	struct arena *a, *scratch;
	struct differ_pair *pairs;
	size_t n_pairs, pairs_room;
	bool *wanted; /* by pair: the other policy has no equal conduit */
	struct raw *raw;
	size_t n_raw, raw_room;
	uint64_t steps;
	struct interner sets; /* sets of pairs that overlap somewhere */
	struct differ_found *found;
	size_t n_found, found_room; /* by set */
	struct differ_sentences *said;
	struct piece *pieces;
	size_t n_pieces, pieces_room;
	const struct raw *at; /* the first of the present bucket */
};

/* ---- pairs and boxes ------------------------------------------------------------------------- */

/* Numbers interfaces by name: those of the old policy first, then those that only the new one
 * has. */
static uint32_t interface_number(const struct differing *k, const struct model_interface *i)
{
	const struct model_box *old = &k->side[0]->box, *new = &k->side[1]->box;

	for (size_t n = 0; n < old->n_interfaces; n++)
		if (strcmp(old->interfaces[n].name, i->name) == 0)
			return (uint32_t)n;
	return (uint32_t)(old->n_interfaces + (size_t)(i - new->interfaces));
}

static bool add_box(struct differing *k, uint64_t way, const struct addr_range *src, const struct addr_range *dst,
		    const struct ir_port *port, uint32_t pair)
{
	uint8_t family = src->lo.family, l4proto;
	struct number_range ports[2];
	size_t n = port_in_family(port, family, &l4proto, ports);

	for (size_t i = 0; i < n; i++) {
		struct raw *r = k->n_raw < BOXES_MOST
					? arena_grow(k->scratch, (void **)&k->raw, &k->n_raw, &k->raw_room, sizeof(*r))
					: NULL;

		if (r == NULL)
			return false;
		r->bucket = way << 16 | (uint64_t)family << 8 | l4proto;
		r->box = (struct box){ { span_of(src), span_of(dst), { ports[i].lo, ports[i].hi } }, pair };
	}
	return true;
}

static bool add_ways(struct differing *k, const struct model_conduit *c, const struct model_service *s, uint32_t pair)
{
	for (size_t i = 0; i < c->from->n_interfaces * c->to->n_interfaces; i++) {
		uint64_t in = interface_number(k, c->from->interfaces[i / c->to->n_interfaces]),
			 out = interface_number(k, c->to->interfaces[i % c->to->n_interfaces]);

		for (size_t x = 0; x < c->n_sources; x++)
			for (size_t y = 0; y < c->n_destinations; y++)
				for (size_t p = 0; p < s->n_ports; p++)
					if (c->sources[x].lo.family == c->destinations[y].lo.family &&
					    !add_box(k, in << 24 | out, &c->sources[x], &c->destinations[y],
						     &s->ports[p], pair))
						return false;
	}
	return true;
}

static bool add_conduit(struct differing *k, unsigned side, const struct model_conduit *c, bool wanted)
{
	for (size_t i = 0; i < c->n_services; i++) {
		struct differ_pair *p =
			arena_grow(k->scratch, (void **)&k->pairs, &k->n_pairs, &k->pairs_room, sizeof(*p));

		if (p == NULL)
			return false;
		*p = (struct differ_pair){ side, wanted, k->side[side], c, c->services[i] };
		if (!add_ways(k, c, c->services[i], (uint32_t)k->n_pairs - 1))
			return false;
	}
	return true;
}

/* ---- conduits of the same meaning, however they are written ---------------------------------- */

static bool same_ranges(const struct addr_range *a, size_t n_a, const struct addr_range *b, size_t n_b)
{
	for (size_t i = 0; i < n_a && n_a == n_b; i++)
		if (addr_cmp(&a[i].lo, &b[i].lo) != 0 || addr_cmp(&a[i].hi, &b[i].hi) != 0)
			return false;
	return n_a == n_b;
}

static bool same_sides(const struct model_zone *a, const struct model_zone *b)
{
	for (size_t i = 0; i < a->n_interfaces && a->n_interfaces == b->n_interfaces; i++)
		if (strcmp(a->interfaces[i]->name, b->interfaces[i]->name) != 0)
			return false;
	return a->n_interfaces == b->n_interfaces;
}

static bool same_service(const struct model *ma, const struct model_service *a, const struct model *mb,
			 const struct model_service *b)
{
	if (a->protocol != b->protocol || a->whole != b->whole || a->lenient != b->lenient ||
	    a->undecided_bytes != b->undecided_bytes || a->n_ports != b->n_ports || a->n_allows != b->n_allows)
		return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (a->ports[i].l4proto != b->ports[i].l4proto || a->ports[i].lo != b->ports[i].lo ||
		    a->ports[i].hi != b->ports[i].hi)
			return false;
	for (size_t i = 0; i < a->n_allows; i++)
		if (!ir_same_row(&ma->rows.t, &a->allows[i].row, &mb->rows.t, &b->allows[i].row))
			return false;
	return true;
}

static bool same_names(const struct model_conduit *a, const struct model_conduit *b)
{
	for (size_t i = 0; i < a->n_servers && a->n_servers == b->n_servers; i++)
		if (strcmp(a->servers[i].name, b->servers[i].name) != 0)
			return false;
	return a->n_servers == b->n_servers;
}

static bool same_door(const struct model_door *a, const struct model_door *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a->name, b->name) == 0;
}

static bool same_conduit(const struct model *ma, const struct model_conduit *a, const struct model *mb,
			 const struct model_conduit *b)
{
	struct times ta = conduit_times(a), tb = conduit_times(b);

	for (enum joint s = 0; s < JOINTS; s++)
		if (joint_rank(a, s) != joint_rank(b, s))
			return false;
	if (a->until != b->until || a->starts != b->starts || !differ_same_hours(ma, ta.within, mb, tb.within) ||
	    !same_door(a->door, b->door) || a->observe != b->observe || a->shadow != b->shadow ||
	    a->n_services != b->n_services || !same_names(a, b) || !same_sides(a->from, b->from) ||
	    !same_sides(a->to, b->to) || !same_ranges(a->sources, a->n_sources, b->sources, b->n_sources) ||
	    !same_ranges(a->destinations, a->n_destinations, b->destinations, b->n_destinations))
		return false;
	for (size_t i = 0; i < a->n_services; i++)
		if (!same_service(ma, a->services[i], mb, b->services[i]))
			return false;
	return true;
}

/* ---- conduits that matter -------------------------------------------------------------------- */

/* Whether the conduit can let anything pass from now on: it has not ended, and is no shadow. */
static bool matters(const struct differing *k, const struct model_conduit *c)
{
	return !c->shadow && !conduit_past(c, k->now);
}

static int by_name(const void *pa, const void *pb)
{
	const struct model_conduit *const *a = pa, *const *b = pb;

	return strcmp((*a)->name, (*b)->name);
}

static const struct model_conduit **sorted(const struct model *m, struct arena *a)
{
	const struct model_conduit **list = arena_array(a, m->n_conduits + 1, sizeof(struct model_conduit *));

	for (size_t i = 0; i < m->n_conduits && list != NULL; i++)
		list[i] = &m->conduits[i];
	if (list != NULL && m->n_conduits > 1)
		qsort(list, m->n_conduits, sizeof(struct model_conduit *), by_name);
	return list;
}

static bool add_all(struct differing *k)
{
	const struct model_conduit **old = sorted(k->side[0], k->scratch), **new = sorted(k->side[1], k->scratch);
	size_t x = 0, y = 0, n_old = k->side[0]->n_conduits, n_new = k->side[1]->n_conduits;

	if (old == NULL || new == NULL)
		return false;
	while (x < n_old || y < n_new) {
		int order = x == n_old ? 1 : y == n_new ? -1 : strcmp(old[x]->name, new[y]->name);
		bool same = order == 0 && same_conduit(k->side[0], old[x], k->side[1], new[y]);

		if (order <= 0 && matters(k, old[x]) && !add_conduit(k, 0, old[x], !same))
			return false;
		if (order >= 0 && matters(k, new[y]) && !add_conduit(k, 1, new[y], !same))
			return false;
		x += order <= 0;
		y += order >= 0;
	}
	k->wanted = arena_array(k->scratch, k->n_pairs + 1, sizeof(*k->wanted));
	for (size_t i = 0; i < k->n_pairs && k->wanted != NULL; i++)
		k->wanted[i] = k->pairs[i].wanted;
	return k->wanted != NULL;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static bool take_piece(void *ctx, const struct span d[DIMS], const uint32_t *tags, size_t n_tags)
{
	struct differing *k = ctx;
	bool any = false, is_new;
	uint32_t set;

	for (size_t i = 0; i < n_tags; i++)
		any = any || k->wanted[tags[i]];
	if (!any)
		return true;
	if (!intern(&k->sets, tags, n_tags, &set, &is_new))
		return false;
	if (is_new) {
		struct differ_found *f =
			arena_grow(k->scratch, (void **)&k->found, &k->n_found, &k->found_room, sizeof(*f));

		if (f == NULL || !differ_find(k->said, k->pairs, tags, n_tags, k->now, f))
			return false;
	}
	for (uint32_t i = 0; i < k->found[set].n; i++) {
		struct piece *p =
			arena_grow(k->scratch, (void **)&k->pieces, &k->n_pieces, &k->pieces_room, sizeof(*p));

		if (p == NULL)
			return false;
		*p = (struct piece){
			k->found[set].said[i], (uint8_t)(k->at->bucket >> 8), (uint8_t)k->at->bucket, { .tag = 0 }
		};
		memcpy(p->box.d, d, sizeof(p->box.d));
	}
	return true;
}

static int by_bucket(const void *pa, const void *pb)
{
	const struct raw *a = pa, *b = pb;

	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	return (a->box.tag > b->box.tag) - (a->box.tag < b->box.tag);
}

static bool cut_bucket(struct differing *k, size_t first, size_t n)
{
	struct box_sink sink = { k, take_piece };
	struct arena *memory;
	struct box *boxes;
	bool any = false, ok;

	for (size_t i = 0; i < n; i++)
		any = any || k->wanted[k->raw[first + i].box.tag];
	if (!any)
		return true;
	memory = arena_new(SCRATCH_BUDGET);
	boxes = memory != NULL ? arena_array(memory, n, sizeof(*boxes)) : NULL;
	for (size_t i = 0; i < n && boxes != NULL; i++)
		boxes[i] = k->raw[first + i].box;
	k->at = &k->raw[first];
	ok = boxes != NULL && boxes_split(boxes, n, k->wanted, memory, &k->steps, &sink);
	arena_free(memory);
	return ok;
}

static bool cut_all(struct differing *k)
{
	if (k->n_raw > 1)
		qsort(k->raw, k->n_raw, sizeof(*k->raw), by_bucket);
	for (size_t i = 0, first = 0; i < k->n_raw; first = i) {
		while (i < k->n_raw && k->raw[i].bucket == k->raw[first].bucket)
			i++;
		if (!cut_bucket(k, first, i - first))
			return false;
	}
	return true;
}

/* ---- sentences ------------------------------------------------------------------------------- */

static int by_said(const void *pa, const void *pb)
{
	const struct piece *a = pa, *b = pb;

	if (a->said != b->said)
		return a->said < b->said ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return (a->l4proto > b->l4proto) - (a->l4proto < b->l4proto);
}

struct uniting {
	struct arena *a;
	struct box *list;
	size_t n, room;
};

static bool unite(void *ctx, const struct span d[DIMS], const uint32_t *tags, size_t n_tags)
{
	struct uniting *u = ctx;
	struct box *b = arena_grow(u->a, (void **)&u->list, &u->n, &u->room, sizeof(*b));

	if (b != NULL)
		memcpy(b->d, d, sizeof(b->d));
	return b != NULL;
}

/* Equal pieces between several interfaces are joined, and so are adjacent ones. */
static bool places(struct differing *k, const struct piece *p, size_t n, struct differ_place **ret, size_t *ret_n,
		   size_t *room)
{
	struct arena *memory = arena_new(SCRATCH_BUDGET);
	struct uniting u = { .a = memory };
	struct box_sink sink = { &u, unite };
	struct box *boxes = memory != NULL ? arena_array(memory, n, sizeof(*boxes)) : NULL, *form = NULL;
	size_t n_form = 0;
	bool ok;

	for (size_t i = 0; i < n && boxes != NULL; i++)
		boxes[i] = p[i].box;
	ok = boxes != NULL && boxes_split(boxes, n, NULL, memory, &k->steps, &sink) &&
	     boxes_canonical(u.list, u.n, memory, &form, &n_form);
	for (size_t i = 0; i < n_form && ok; i++) {
		struct differ_place *q = arena_grow(k->a, (void **)ret, ret_n, room, sizeof(*q));

		ok = q != NULL;
		if (ok)
			*q = (struct differ_place){ range_of_span(form[i].d[DIM_SOURCE], p->family),
						    range_of_span(form[i].d[DIM_DESTINATION], p->family), p->l4proto,
						    (uint16_t)form[i].d[DIM_PORT].lo,
						    (uint16_t)form[i].d[DIM_PORT].hi };
	}
	arena_free(memory);
	return ok;
}

static bool sentences(struct differing *k, struct differ_line **ret, size_t *ret_n)
{
	size_t room = 0, end = 0;

	if (k->n_pieces > 1)
		qsort(k->pieces, k->n_pieces, sizeof(*k->pieces), by_said);
	for (size_t i = 0; i < k->n_pieces; i = end) {
		struct differ_place *list = NULL;
		struct differ_line *line = arena_grow(k->a, (void **)ret, ret_n, &room, sizeof(*line));
		size_t n = 0, list_room = 0;

		if (line == NULL)
			return false;
		for (size_t first = i; end < k->n_pieces && k->pieces[end].said == k->pieces[i].said; first = end) {
			while (end < k->n_pieces && by_said(&k->pieces[end], &k->pieces[first]) == 0)
				end++;
			if (!places(k, &k->pieces[first], end - first, &list, &n, &list_room))
				return false;
		}
		*line = *differ_sentence(k->said, k->pieces[i].said);
		line->list = list;
		line->n = n;
	}
	return true;
}

/* Sorts by kind, packets first; within a kind what becomes possible stands first; then the order is
 * that of the conduits. */
static int by_weight(const void *pa, const void *pb)
{
	const struct differ_line *a = pa, *b = pb;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->comes != b->comes)
		return a->comes ? -1 : 1;
	if (a->by->index != b->by->index)
		return a->by->index < b->by->index ? -1 : 1;
	if (strcmp(a->what, b->what) != 0)
		return strcmp(a->what, b->what);
	if (a->since != b->since)
		return a->since < b->since ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

bool differ(const struct model *old, const struct model *new, uint64_t now, struct arena *a, struct differ_line **ret,
	    size_t *ret_n)
{
	struct differing k = { .side = { old, new }, .now = now, .a = a, .steps = STEPS_MAX };
	bool ok = false;

	*ret = NULL;
	*ret_n = 0;
	k.scratch = arena_new(SCRATCH_BUDGET);
	k.said = k.scratch != NULL ? differ_sentences_new(a, k.scratch) : NULL;
	if (k.said != NULL) {
		interner_init(&k.sets, k.scratch);
		ok = add_all(&k) && cut_all(&k) && sentences(&k, ret, ret_n) && !arena_failed(k.scratch);
	}
	arena_free(k.scratch);
	if (ok && *ret_n > 1)
		qsort(*ret, *ret_n, sizeof(**ret), by_weight);
	return ok && !arena_failed(a);
}
