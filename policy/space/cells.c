/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/cells.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/check/port.h"
#include "policy/ir/ir.h"
#include "policy/ir/sets.h"
#include "policy/space/boxes.h"

#define SCRATCH_BUDGET (256u << 20)
/* pieces of a group that get memory of their own, which is given back before the next group */
#define GROUP_LARGE 4096u
/* boxes that cutting may touch: about a second in the worst case */
#define STEPS_MAX 60000000u

/*
 * A box before cutting. A bucket is a pair of interfaces, a family and a transport; boxes of
 * different buckets never overlap. Inside a bucket, boxes that always hold come before those with
 * `until`, `starts` or `within`.
 */
struct raw {
	uint64_t bucket;
	bool until;
	struct box box;
};

struct piece {
	uint32_t set;
	uint8_t layer;
	struct box box;
};

struct maker {
	const struct model *m;
	enum cells_form form;
	struct arena *a;       /* results */
	struct arena *scratch; /* memory that cells_make frees at its end */
	struct diags *d;
	struct cells *ret;
	bool *until; /* by pair */
	bool *told;  /* by conduit: it was reported for too many ends */
	struct interner sets;
	struct times *times; /* the distinct times of conduits */
	size_t n_times, times_room;
	uint32_t *time_of;	 /* by conduit */
	struct interner mixes;	 /* combinations of times that occur in one place */
	struct together **plans; /* by combination; in scratch */
	size_t n_plans, plans_room;
	struct raw *raw;
	size_t n_raw;
	size_t list_room;
	/* points of the present bucket that lie inside a range and have their own cells above it;
	 * sorted, in memory of this bucket only */
	struct box *laid;
	size_t n_laid;
	uint64_t *cost; /* by conduit: the number of its boxes and of cells that it is in */
	uint64_t steps;
	uint64_t beyond; /* cells above CELLS_MAX, which are only counted */
};

static bool out_of_memory(struct maker *k)
{
	if (k->cost != NULL)
		return costs_report(k->d, "policy.memory", k->m, k->cost, M_LOWER_MEMORY, 0, 0, 0);
	diag_add(k->d, SEV_ERROR, "policy.memory", (struct srcpos){ 0, 0, 0 }, M_LOWER_MEMORY);
	return false;
}

static bool too_large(struct maker *k, enum message m, uint64_t have, unsigned most)
{
	return costs_report(k->d, "policy.too_large", k->m, k->cost, m, have < UINT32_MAX ? (unsigned)have : UINT32_MAX,
			    most, 0);
}

static bool too_many_cells(struct maker *k)
{
	return too_large(k, M_LOWER_CELLS, k->ret->n + k->beyond, CELLS_MAX);
}

static const struct model_conduit *conduit_of(const struct maker *k, uint32_t pair)
{
	return &k->m->conduits[k->ret->pairs[pair].conduit];
}

/* Reported once for a conduit. */
static void say_too_many(struct maker *k, const struct model_conduit *c, enum message m, enum message hint)
{
	if (k->told[c->index])
		return;
	k->told[c->index] = true;
	diag_hint(k->d, diag_add(k->d, SEV_ERROR, "policy.too_many_ends", c->at, m, c->name, IR_LAYERS), hint);
}

/* If conduits over one place end at more different times than there are layers, the conduits that
 * end first would never be allowed. Reports those that end at `end`, unless that is past. */
static bool too_many_ends(struct maker *k, uint64_t end, const uint32_t *tags, size_t n_tags)
{
	for (size_t i = 0; i < n_tags; i++) {
		const struct model_conduit *c = conduit_of(k, tags[i]);

		if (c->until == end && !conduit_past(c, k->m->now))
			say_too_many(k, c, M_LOWER_TOO_MANY_ENDS, M_LOWER_TOO_MANY_ENDS_HINT);
	}
	return true;
}

/* The same for hours: reports every conduit with hours over that place, because the operator may
 * change any of them. */
static bool too_many_hours(struct maker *k, const uint32_t *tags, size_t n_tags)
{
	for (size_t i = 0; i < n_tags; i++) {
		const struct model_conduit *c = conduit_of(k, tags[i]);
		struct times t = conduit_times(c);

		if (times_open(&t))
			say_too_many(k, c, M_LOWER_TOO_MANY_HOURS, M_LOWER_TOO_MANY_HOURS_HINT);
	}
	return true;
}

/* ---- pairs and boxes ------------------------------------------------------------------------- */

static bool same_times(const struct times *a, const struct times *b)
{
	return a->starts == b->starts && a->until == b->until && a->within == b->within && a->door == b->door;
}

/* Numbers each distinct time once; "always" is not one. */
static bool number_times(struct maker *k)
{
	k->time_of = arena_array(k->scratch, k->m->n_conduits, sizeof(*k->time_of));
	if (k->time_of == NULL)
		return out_of_memory(k);
	for (size_t i = 0; i < k->m->n_conduits; i++) {
		struct times t = conduit_times(&k->m->conduits[i]), *slot;
		size_t n = 0;

		while (n < k->n_times && !same_times(&k->times[n], &t))
			n++;
		k->time_of[i] = (uint32_t)n;
		if (n < k->n_times || (!times_open(&t) && t.until == 0))
			continue;
		slot = arena_grow(k->scratch, (void **)&k->times, &k->n_times, &k->times_room, sizeof(*slot));
		if (slot == NULL)
			return out_of_memory(k);
		*slot = t;
	}
	return true;
}

static bool is_timed(const struct model_conduit *c)
{
	struct times t = conduit_times(c);

	return t.until != 0 || times_open(&t);
}

static bool make_pairs(struct maker *k)
{
	size_t most = 0;

	for (size_t i = 0; i < k->m->n_conduits; i++)
		most += k->m->conduits[i].n_services;
	k->until = arena_array(k->scratch, most, sizeof(*k->until));
	k->told = arena_array(k->scratch, k->m->n_conduits, sizeof(*k->told));
	k->ret->pairs = arena_array(k->a, most, sizeof(*k->ret->pairs));
	if (k->until == NULL || k->told == NULL || k->ret->pairs == NULL)
		return out_of_memory(k);
	for (size_t i = 0; i < k->m->n_conduits; i++) {
		const struct model_conduit *c = &k->m->conduits[i];

		for (size_t s = 0; s < c->n_services; s++) {
			k->until[k->ret->n_pairs] = is_timed(c);
			k->ret->pairs[k->ret->n_pairs++] =
				(struct cell_pair){ .conduit = (uint32_t)i, .service = c->services[s] };
		}
	}
	return true;
}

static size_t of_family(const struct addr_range *list, size_t n, uint8_t family)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += list[i].lo.family == family;
	return found;
}

/* At most UINT32_MAX, like both numbers. */
static uint64_t product(uint64_t a, uint64_t b)
{
	return a != 0 && b > UINT32_MAX / a ? UINT32_MAX : a * b;
}

/* The number of boxes that add_conduit will add; many more than BOXES_MAX may be too few. */
static uint64_t boxes_of(const struct model_conduit *c)
{
	uint64_t all = 0;

	for (uint8_t family = 4; family <= 6; family += 2) {
		uint64_t ports = 0;

		for (size_t s = 0; s < c->n_services; s++)
			for (size_t p = 0; p < c->services[s]->n_ports; p++) {
				struct number_range unused[2];
				uint8_t l4proto;

				ports += port_in_family(&c->services[s]->ports[p], family, &l4proto, unused);
			}
		all += product(ports, product(of_family(c->sources, c->n_sources, family),
					      of_family(c->destinations, c->n_destinations, family)));
	}
	return product(all, product(c->from->n_interfaces, c->to->n_interfaces));
}

/* Makes room for all boxes, unless they are too many. */
static bool make_room(struct maker *k)
{
	uint64_t all = 0;

	for (size_t i = 0; i < k->m->n_conduits; i++) {
		k->cost[i] = boxes_of(&k->m->conduits[i]);
		all += k->cost[i];
	}
	if (all > BOXES_MAX)
		return too_large(k, M_LOWER_BOXES, all, BOXES_MAX);
	k->raw = arena_array(k->scratch, all, sizeof(*k->raw));
	return k->raw != NULL || out_of_memory(k);
}

/* Adds all boxes of one conduit between two interfaces and two ranges; `pair` is the number of its
 * first pair. */
static void add_ranges(struct maker *k, const struct model_conduit *c, uint32_t pair, uint64_t way,
		       const struct addr_range *src, const struct addr_range *dst)
{
	struct span d[DIMS] = { span_of(src), span_of(dst), { 0, 0 } };
	uint8_t family = src->lo.family;

	for (size_t s = 0; s < c->n_services; s++) {
		const struct model_service *service = c->services[s];

		for (size_t p = 0; p < service->n_ports; p++) {
			struct number_range ports[2];
			uint8_t l4proto;
			size_t n = port_in_family(&service->ports[p], family, &l4proto, ports);

			for (size_t i = 0; i < n; i++) {
				struct raw *r = &k->raw[k->n_raw++];

				d[DIM_PORT] = (struct span){ ports[i].lo, ports[i].hi };
				r->bucket = way << 16 | (uint64_t)family << 8 | l4proto;
				r->until = is_timed(c);
				memcpy(r->box.d, d, sizeof(r->box.d));
				r->box.tag = pair + (uint32_t)s;
			}
		}
	}
}

static void add_conduit(struct maker *k, const struct model_conduit *c, uint32_t pair)
{
	const struct model_interface *first = k->m->box.interfaces;

	for (size_t i = 0; i < c->from->n_interfaces; i++)
		for (size_t o = 0; o < c->to->n_interfaces; o++) {
			uint64_t way = (uint64_t)(c->from->interfaces[i] - first) << 24 |
				       (uint64_t)(c->to->interfaces[o] - first);

			for (size_t x = 0; x < c->n_sources; x++)
				for (size_t y = 0; y < c->n_destinations; y++)
					if (c->sources[x].lo.family == c->destinations[y].lo.family)
						add_ranges(k, c, pair, way, &c->sources[x], &c->destinations[y]);
		}
}

/* A total order, so that the pieces' order does not depend on the C library's sort. */
static int raw_order(const void *pa, const void *pb)
{
	const struct raw *a = pa, *b = pb;

	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	if (a->until != b->until)
		return a->until ? 1 : -1;
	if (a->box.tag != b->box.tag)
		return a->box.tag < b->box.tag ? -1 : 1;
	return box_order(&a->box, &b->box);
}

/* ---- pieces and cells ------------------------------------------------------------------------ */

struct pieces {
	struct maker *k;
	struct arena *bucket; /* memory of this bucket */
	struct piece *list;
	size_t n, room;
	uint32_t *some; /* scratch: tags of one layer */
	size_t some_room;
	uint32_t *mix; /* scratch: times of one piece */
};

static bool add_piece(struct pieces *p, const struct span d[DIMS], const uint32_t *tags, size_t n_tags, uint8_t layer)
{
	bool granted = false;
	struct piece *q;

	for (size_t i = 0; i < n_tags; i++) {
		granted = granted || !conduit_of(p->k, tags[i])->shadow;
		p->k->cost[conduit_of(p->k, tags[i])->index]++;
	}
	if (!granted)
		return true;
	if (p->n == CELLS_MAX) {
		p->k->beyond++;
		return true;
	}
	q = arena_grow(p->bucket, (void **)&p->list, &p->n, &p->room, sizeof(*q));
	if (q == NULL || !intern(&p->k->sets, tags, n_tags, &q->set, NULL))
		return false;
	memcpy(q->box.d, d, sizeof(q->box.d));
	q->box.tag = 0;
	q->layer = layer;
	return true;
}

static bool take_base(void *ctx, const struct span d[DIMS], const uint32_t *tags, size_t n_tags)
{
	return add_piece(ctx, d, tags, n_tags, 0);
}

/* Which of these times hold together at some moment, computed once for each combination. NULL: no
 * memory. */
static const struct together *plan_of(struct maker *k, const uint32_t *mix, size_t n)
{
	struct times list[TOGETHER_MAX];
	struct together **slot;
	uint32_t at;
	bool is_new;

	if (!intern(&k->mixes, mix, n, &at, &is_new))
		return NULL;
	if (!is_new)
		return k->plans[at];
	slot = arena_grow(k->scratch, (void **)&k->plans, &k->n_plans, &k->plans_room, sizeof(struct together *));
	if (slot == NULL)
		return NULL;
	*slot = arena_alloc(k->scratch, sizeof(**slot));
	for (size_t i = 0; i < n && n <= TOGETHER_MAX; i++)
		list[i] = k->times[mix[i]];
	if (*slot == NULL || !together_make(list, n, &k->m->zone, IR_LAYERS, k->scratch, *slot))
		return NULL;
	return *slot;
}

/* The distinct times of these pairs that have a beginning or end; with `still` only those that are
 * not over. Returns how many. */
static size_t mix_of(const struct pieces *p, const uint32_t *tags, size_t n_tags, bool still)
{
	const struct maker *k = p->k;
	size_t n = 0;

	for (size_t i = 0; i < n_tags; i++)
		if (k->until[tags[i]] && !(still && conduit_past(conduit_of(k, tags[i]), k->m->now)))
			p->mix[n++] = k->time_of[k->ret->pairs[tags[i]].conduit];
	return distinct(p->mix, n);
}

/*
 * For a place with hours: a piece for each set of conduits that holds at some moment. Ended
 * conduits have pieces too, because a policy must give the same cells at any time. They lose their
 * pieces only where the policy would be refused otherwise.
 */
static bool take_hours(struct pieces *p, const struct span d[DIMS], const uint32_t *tags, size_t n_tags)
{
	const struct maker *k = p->k;
	const struct together *plan;
	size_t n_mix;

	p->mix = p->some + p->some_room / 2;
	n_mix = mix_of(p, tags, n_tags, false);
	plan = plan_of(p->k, p->mix, n_mix);
	if (plan != NULL && plan->too_many) {
		n_mix = mix_of(p, tags, n_tags, true);
		plan = plan_of(p->k, p->mix, n_mix);
	}
	if (plan == NULL)
		return false;
	if (plan->too_many)
		return too_many_hours(p->k, tags, n_tags);
	for (size_t s = 0; s < plan->n; s++) {
		size_t n = 0;

		for (size_t i = 0; i < n_tags; i++) {
			uint32_t time = k->time_of[k->ret->pairs[tags[i]].conduit];
			size_t at = 0;

			while (at < n_mix && p->mix[at] != time)
				at++;
			if (!k->until[tags[i]] || (at < n_mix && (plan->sets[s] >> at & 1) != 0))
				p->some[n++] = tags[i];
		}
		if (!add_piece(p, d, p->some, n, plan->layers[s]))
			return false;
	}
	return true;
}

static bool any_hours(const struct pieces *p, const uint32_t *tags, size_t n_tags)
{
	for (size_t i = 0; i < n_tags; i++) {
		struct times t = conduit_times(conduit_of(p->k, tags[i]));

		if (times_open(&t))
			return true;
	}
	return false;
}

/* Makes the layers from the last end to the first. The layer of an end holds everything that ends
 * at that time or later, or never. */
static bool take_ending(void *ctx, const struct span d[DIMS], const uint32_t *tags, size_t n_tags)
{
	struct pieces *p = ctx;
	uint64_t before = UINT64_MAX;

	if (2 * n_tags > p->some_room) {
		p->some = arena_array(p->bucket, 4 * n_tags, sizeof(*p->some));
		p->some_room = p->some != NULL ? 4 * n_tags : 0;
		if (p->some == NULL)
			return false;
	}
	if (any_hours(p, tags, n_tags))
		return take_hours(p, d, tags, n_tags);
	for (uint8_t layer = 1;; layer++) {
		uint64_t end = 0;
		size_t n = 0;

		for (size_t i = 0; i < n_tags; i++) {
			uint64_t until = conduit_of(p->k, tags[i])->until;

			if (until < before && until > end)
				end = until;
		}
		if (end == 0)
			return true;
		if (layer > IR_LAYERS)
			return too_many_ends(p->k, end, tags, n_tags);
		for (size_t i = 0; i < n_tags; i++) {
			uint64_t until = conduit_of(p->k, tags[i])->until;

			if (until == 0 || until >= end)
				p->some[n++] = tags[i];
		}
		if (!add_piece(p, d, p->some, n, layer))
			return false;
		before = end;
	}
}

static int piece_order(const void *pa, const void *pb)
{
	const struct piece *a = pa, *b = pb;

	if (a->set != b->set)
		return a->set < b->set ? -1 : 1;
	if (a->layer != b->layer)
		return a->layer < b->layer ? -1 : 1;
	return box_order(&a->box, &b->box);
}

static bool add_cell(struct maker *k, uint64_t bucket, uint8_t layer, uint32_t set, const struct box *b)
{
	uint8_t family = (uint8_t)(bucket >> 8);
	struct cell *c;

	if (k->ret->n == CELLS_MAX) {
		k->beyond++;
		return true;
	}
	c = arena_grow(k->a, (void **)&k->ret->list, &k->ret->n, &k->list_room, sizeof(*c));
	if (c == NULL)
		return out_of_memory(k);
	c->iif = (uint32_t)(bucket >> 40);
	c->oif = (uint32_t)(bucket >> 16) & 0xffffffu;
	c->layer = layer;
	c->l4proto = (uint8_t)bucket;
	c->lo = (uint16_t)b->d[DIM_PORT].lo;
	c->hi = (uint16_t)b->d[DIM_PORT].hi;
	c->src = range_of_span(b->d[DIM_SOURCE], family);
	c->dst = range_of_span(b->d[DIM_DESTINATION], family);
	c->set = set;
	return true;
}

/* Adds a cell, unless it is a single point, left over from cutting ranges, that has its own cell
 * already. */
static bool add_ground(struct maker *k, uint64_t bucket, uint8_t layer, uint32_t set, const struct box *b)
{
	if (layer == 0 && k->n_laid > 0 && box_is_point(b) &&
	    bsearch(b, k->laid, k->n_laid, sizeof(*b), box_order) != NULL)
		return true;
	return add_cell(k, bucket, layer, set, b);
}

/* Makes cells of the pieces of one set and layer; several pieces get the canonical form first. */
static bool add_group(struct maker *k, struct arena *memory, uint64_t bucket, uint8_t layer, const struct piece *p,
		      size_t n)
{
	struct arena *own = n >= GROUP_LARGE ? arena_new(SCRATCH_BUDGET) : NULL, *a = own != NULL ? own : memory;
	struct box *boxes, *form;
	size_t n_form = 0;
	bool ok = true;

	if (n == 1)
		return add_ground(k, bucket, layer, p[0].set, &p[0].box);
	boxes = arena_array(a, n, sizeof(*boxes));
	for (size_t i = 0; i < n && boxes != NULL; i++)
		boxes[i] = p[i].box;
	if (boxes == NULL || !boxes_canonical(boxes, n, a, &form, &n_form))
		ok = out_of_memory(k);
	for (size_t i = 0; i < n_form && ok; i++)
		ok = add_ground(k, bucket, layer, p[0].set, &form[i]);
	arena_free(own);
	return ok;
}

/* ---- single points over ranges --------------------------------------------------------------- */

/* Adds the cell of the point at points[at .. at + same), where the ranges over[from .. from + n)
 * apply too. */
static bool add_over(struct maker *k, const struct points_over *l, uint64_t bucket, size_t at, size_t same, size_t from,
		     size_t n)
{
	struct pieces p = { .k = k, .bucket = l->memory };
	uint32_t *tags = arena_array(l->memory, same + n, sizeof(*tags));

	if (tags == NULL)
		return false;
	for (size_t i = 0; i < same; i++)
		tags[i] = l->points[at + i].tag;
	for (size_t i = 0; i < n; i++)
		tags[same + i] = l->list[from + i].tag;
	if (!add_piece(&p, l->points[at].d, tags, distinct(tags, same + n), 0))
		return false;
	return p.n == 0 || add_cell(k, bucket, 0, p.list[0].set, &p.list[0].box);
}

/*
 * Takes the boxes of raw[0..n) that are a point inside some range: each such point becomes a cell.
 * The others are left in *boxes for normal cutting; they overlap no point.
 */
static bool lay_over(struct maker *k, struct arena *memory, const struct raw *raw, size_t n, struct box *boxes,
		     size_t *ret_n)
{
	struct points_over l = { .memory = memory };
	size_t from = 0, same = 0;

	for (size_t i = 0; i < n; i++)
		same += k->form == CELLS_OVER && box_is_point(&raw[i].box);
	l.points = arena_array(memory, same, sizeof(*l.points));
	l.ranges = boxes;
	if (l.points == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (k->form == CELLS_OVER && box_is_point(&raw[i].box))
			l.points[l.n_points++] = raw[i].box;
		else
			l.ranges[l.n_ranges++] = raw[i].box;
	if (l.n_points > 1)
		qsort(l.points, l.n_points, sizeof(*l.points), box_order);
	if (!points_find(&l))
		return false;
	*ret_n = l.n_ranges;
	k->laid = l.points;
	for (size_t at = 0; at < l.n_points; at += same) {
		size_t of = 0;

		for (same = 1; at + same < l.n_points && box_order(&l.points[at], &l.points[at + same]) == 0;)
			same++;
		while (from + of < l.n && l.list[from + of].point == at)
			of++;
		if (of > 0 && !add_over(k, &l, raw->bucket, at, same, from, of))
			return false;
		if (of > 0)
			l.points[k->n_laid++] = l.points[at];
		for (size_t i = 0; of == 0 && i < same; i++)
			boxes[(*ret_n)++] = l.points[at + i];
		from += of;
	}
	return true;
}

/* `ending`: only pieces in which something ends; otherwise only those of layer 0. */
static bool cut_boxes(struct maker *k, struct arena *memory, const struct raw *raw, size_t n, bool ending)
{
	struct pieces p = { .k = k, .bucket = memory };
	struct box_sink sink = { &p, ending ? take_ending : take_base };
	struct box *boxes = arena_array(memory, n, sizeof(*boxes));

	/* usually enough; many more are possible */
	p.list = arena_array(memory, n, sizeof(*p.list));
	p.room = n;
	if (boxes == NULL || p.list == NULL)
		return out_of_memory(k);
	for (size_t i = 0; ending && i < n; i++)
		boxes[i] = raw[i].box;
	if ((!ending && !lay_over(k, memory, raw, n, boxes, &n)) ||
	    !boxes_split(boxes, n, ending ? k->until : NULL, memory, &k->steps, &sink)) {
		if (arena_failed(memory) || arena_failed(k->scratch))
			return out_of_memory(k);
		k->beyond += k->beyond > 0 ? p.n : 0;
		return k->beyond > 0 ? too_many_cells(k) : too_large(k, M_LOWER_STEPS, k->ret->n + p.n, STEPS_MAX);
	}
	/* The policy is refused, so the pieces need no form. */
	if (k->beyond > 0) {
		k->beyond += p.n;
		return true;
	}
	if (p.n > 1)
		qsort(p.list, p.n, sizeof(*p.list), piece_order);
	for (size_t i = 0, first = 0; i < p.n; first = i) {
		while (i < p.n && p.list[i].set == p.list[first].set && p.list[i].layer == p.list[first].layer)
			i++;
		if (!add_group(k, memory, raw->bucket, p.list[first].layer, p.list + first, i - first))
			return false;
	}
	return true;
}

static bool cut_bucket(struct maker *k, const struct raw *raw, size_t n)
{
	struct arena *memory = arena_new(SCRATCH_BUDGET);
	size_t base = 0;
	bool ok;

	if (memory == NULL)
		return out_of_memory(k);
	while (base < n && !raw[base].until)
		base++;
	k->n_laid = 0;
	ok = (base == 0 || cut_boxes(k, memory, raw, base, false)) && (base == n || cut_boxes(k, memory, raw, n, true));
	arena_free(memory);
	return ok;
}

static int cell_order(const void *pa, const void *pb)
{
	const struct cell *a = pa, *b = pb;
	int c;

	if (a->layer != b->layer)
		return a->layer < b->layer ? -1 : 1;
	if (a->iif != b->iif)
		return a->iif < b->iif ? -1 : 1;
	if (a->oif != b->oif)
		return a->oif < b->oif ? -1 : 1;
	if (a->src.lo.family != b->src.lo.family)
		return a->src.lo.family < b->src.lo.family ? -1 : 1;
	if (a->l4proto != b->l4proto)
		return a->l4proto < b->l4proto ? -1 : 1;
	c = addr_cmp(&a->src.lo, &b->src.lo);
	if (c == 0)
		c = addr_cmp(&a->dst.lo, &b->dst.lo);
	c = c != 0 ? c : (a->lo > b->lo) - (a->lo < b->lo);
	/* Compares the upper corners of cells with the same lower corner. */
	c = c != 0 ? c : addr_cmp(&a->src.hi, &b->src.hi);
	c = c != 0 ? c : addr_cmp(&a->dst.hi, &b->dst.hi);
	c = c != 0 ? c : (a->hi > b->hi) - (a->hi < b->hi);
	/* The same box twice: with hours that never overlap. */
	return c != 0 ? c : (a->set > b->set) - (a->set < b->set);
}

/* Sets are numbered by their first cell. */
static bool number_sets(struct maker *k)
{
	uint32_t *number = arena_array(k->scratch, k->sets.n, sizeof(*number));
	size_t n = 0;

	k->ret->sets = arena_array(k->a, k->sets.n, sizeof(*k->ret->sets));
	if (number == NULL || k->ret->sets == NULL)
		return out_of_memory(k);
	for (size_t i = 0; i < k->ret->n; i++) {
		uint32_t old = k->ret->list[i].set;

		if (number[old] == 0) {
			const struct interned *from = &k->sets.items[old];
			uint32_t *values = arena_array(k->a, from->n, sizeof(*values));

			if (values == NULL)
				return out_of_memory(k);
			memcpy(values, from->values, from->n * sizeof(*values));
			k->ret->sets[n] = (struct interned){ .values = values, .n = from->n };
			number[old] = (uint32_t)++n;
		}
		k->ret->list[i].set = number[old] - 1;
	}
	k->ret->n_sets = n;
	return true;
}

static bool make(struct maker *k)
{
	uint32_t pair = 0;

	if (!number_times(k) || !make_pairs(k) || !make_room(k))
		return false;
	for (size_t i = 0; i < k->m->n_conduits; i++) {
		add_conduit(k, &k->m->conduits[i], pair);
		pair += (uint32_t)k->m->conduits[i].n_services;
	}
	if (k->n_raw > 1)
		qsort(k->raw, k->n_raw, sizeof(*k->raw), raw_order);
	for (size_t i = 0, first = 0; i < k->n_raw; first = i) {
		while (i < k->n_raw && k->raw[i].bucket == k->raw[first].bucket)
			i++;
		if (!cut_bucket(k, k->raw + first, i - first))
			return false;
	}
	if (k->beyond > 0)
		return too_many_cells(k);
	if (k->ret->n > 1)
		qsort(k->ret->list, k->ret->n, sizeof(*k->ret->list), cell_order);
	return number_sets(k);
}

bool cells_make(const struct model *m, enum cells_form form, struct arena *a, struct diags *d, struct cells *ret)
{
	struct maker k = { .m = m, .form = form, .a = a, .d = d, .ret = ret, .steps = STEPS_MAX };
	bool ok;

	memset(ret, 0, sizeof(*ret));
	k.scratch = arena_new(SCRATCH_BUDGET);
	if (k.scratch == NULL)
		return out_of_memory(&k);
	k.cost = arena_array(k.scratch, m->n_conduits, sizeof(*k.cost));
	interner_init(&k.sets, k.scratch);
	interner_init(&k.mixes, k.scratch);
	ok = k.cost != NULL ? make(&k) : out_of_memory(&k);
	arena_free(k.scratch);
	return ok;
}
