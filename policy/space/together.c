/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/cells.h"

#include <stdlib.h>

#define DAY_S 86400u
/* seconds looked at before and after a named time: the day itself, a week, and one more day */
#define AROUND (9 * DAY_S)
/* a Monday in 2026, for the ordinary week: any week without named days has the same hours */
#define SOME_WEEK 1767571200u
#define STEPS_MAX 200000u

/* doors at one place, at most. Each combination of open doors is a set of its own, and four doors
 * make more sets than the kernel has layers */
#define DOORS_MEET 3u

struct walk {
	struct times list[TOGETHER_MAX]; /* with all doors open */
	const uint64_t *doors[DOORS_MEET];
	uint32_t behind[DOORS_MEET]; /* bit n: right number n is behind this door */
	unsigned n_doors;
	size_t n;
	const struct time_zone *z;
	struct arena *a;
	uint64_t *named; /* times */
	size_t n_named, named_room;
	uint32_t *tops; /* sets of all rights that hold at some time, with all doors open */
	size_t n_tops, tops_room;
	struct together *ret;
	size_t room;
	size_t steps;
};

static bool name(struct walk *w, uint64_t moment)
{
	uint64_t *at = arena_grow(w->a, (void **)&w->named, &w->n_named, &w->named_room, sizeof(*at));

	if (at == NULL)
		return false;
	*at = moment;
	return true;
}

static bool name_all(struct walk *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct times *t = &w->list[i];
		const struct window *x = t->within;

		if ((t->starts != 0 && !name(w, t->starts)) || (t->until != 0 && !name(w, t->until)))
			return false;
		if (x == NULL)
			continue;
		if ((x->first != 0 && !name(w, time_zone_moment(w->z, x->first, 0))) ||
		    (x->last != 0 && !name(w, time_zone_moment(w->z, x->last, DAY_MINUTES))))
			return false;
		for (uint32_t k = 0; k < x->n_except; k++)
			if (!name(w, time_zone_moment(w->z, x->except[k], 0)))
				return false;
	}
	return w->n_named > 0 || name(w, SOME_WEEK + AROUND);
}

static bool put_set(struct walk *w, uint32_t **list, size_t *n, size_t *room, uint32_t set)
{
	uint32_t *at;

	for (size_t i = 0; i < *n; i++)
		if ((*list)[i] == set)
			return true;
	if (*n == TOGETHER_SETS) {
		w->ret->too_many = true;
		return true;
	}
	at = arena_grow(w->a, (void **)list, n, room, sizeof(*at));
	if (at == NULL)
		return false;
	*at = set;
	return true;
}

/* Adds a set for each combination of open and shut doors: of the conduits in `open`, those that are
 * not behind a shut door. */
static bool put_all(struct walk *w, uint32_t open)
{
	for (uint32_t shut = 0; shut < 1u << w->n_doors; shut++) {
		uint32_t set = open;

		for (unsigned d = 0; d < w->n_doors; d++)
			if ((shut >> d & 1) != 0)
				set &= ~w->behind[d];
		if (set != 0 && !put_set(w, &w->ret->sets, &w->ret->n, &w->room, set))
			return false;
	}
	return true;
}

/* Adds the set of rights that hold at `moment`. Then, each time one of these rights ends, adds the
 * set of those that are left, as if nothing opened meanwhile. *ret: when something opens next; 0 =
 * never. */
static bool look(struct walk *w, uint64_t moment, uint64_t *ret)
{
	uint64_t ends[TOGETHER_MAX], next;
	uint32_t open = 0;

	*ret = 0;
	for (size_t i = 0; i < w->n; i++) {
		uint64_t ignored;

		ends[i] = 0;
		if (times_hold(&w->list[i], w->z, moment, &ends[i], &next)) {
			open |= 1u << i;
			ends[i] = ends[i] != 0 ? ends[i] : UINT64_MAX;
			next = 0;
			if (ends[i] != UINT64_MAX && times_hold(&w->list[i], w->z, ends[i], &ignored, &next))
				next = ends[i];
		}
		if (next > moment && (*ret == 0 || next < *ret))
			*ret = next;
	}
	if (open != 0 && !put_set(w, &w->tops, &w->n_tops, &w->tops_room, open))
		return false;
	while (open != 0) {
		uint64_t first = UINT64_MAX;

		if (!put_all(w, open))
			return false;
		for (size_t i = 0; i < w->n; i++)
			if ((open >> i & 1) != 0 && ends[i] < first)
				first = ends[i];
		if (first == UINT64_MAX)
			break;
		for (size_t i = 0; i < w->n; i++)
			if (ends[i] == first)
				open &= ~(1u << i);
	}
	return true;
}

static bool walk_all(struct walk *w)
{
	uint64_t at = 0, next;

	for (size_t i = 0; i < w->n_named; i++) {
		uint64_t from = w->named[i] > AROUND ? w->named[i] - AROUND : 0, to = w->named[i] + AROUND;

		for (at = from > at ? from : at; at <= to && !w->ret->too_many; at = next) {
			if (!look(w, at, &next))
				return false;
			w->ret->too_many |= ++w->steps > STEPS_MAX;
			if (next == 0)
				return true; /* nothing opens any more */
		}
	}
	return true;
}

static int by_size(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	int c = __builtin_popcount(a) - __builtin_popcount(b);

	return c != 0 ? c : (a > b) - (a < b);
}

/* Whether there is a time at which everything in both sets holds. */
static bool meet(const struct walk *w, uint32_t a, uint32_t b)
{
	for (size_t i = 0; i < w->n_tops; i++)
		if (((a | b) & ~w->tops[i]) == 0)
			return true;
	return false;
}

static bool give_layers(struct walk *w, unsigned layers)
{
	struct together *r = w->ret;

	r->layers = arena_array(w->a, r->n, sizeof(*r->layers));
	if (r->layers == NULL)
		return r->n == 0;
	if (r->n > 1)
		qsort(r->sets, r->n, sizeof(*r->sets), by_size);
	for (size_t i = 0; i < r->n; i++) {
		unsigned layer = 0;

		for (size_t k = 0; k < i; k++)
			if (r->layers[k] > layer &&
			    ((r->sets[k] & ~r->sets[i]) == 0 || meet(w, r->sets[k], r->sets[i])))
				layer = r->layers[k];
		r->layers[i] = (uint8_t)(layer + 1);
		r->too_many |= layer + 1 > layers;
	}
	return true;
}

/* False: more doors than can be distinguished. */
static bool put_behind(struct walk *w, const uint64_t *door, size_t right)
{
	unsigned d = 0;

	if (door == NULL)
		return true;
	while (d < w->n_doors && w->doors[d] != door)
		d++;
	if (d == DOORS_MEET)
		return false;
	if (d == w->n_doors)
		w->doors[w->n_doors++] = door;
	w->behind[d] |= 1u << right;
	return true;
}

bool together_make(const struct times *list, size_t n, const struct time_zone *z, unsigned layers, struct arena *a,
		   struct together *ret)
{
	struct walk w = { .n = n, .z = z, .a = a, .ret = ret };

	*ret = (struct together){ .too_many = n > TOGETHER_MAX };
	for (size_t i = 0; i < n && !ret->too_many; i++) {
		w.list[i] = list[i];
		w.list[i].door = NULL;
		ret->too_many = !put_behind(&w, list[i].door, i);
	}
	if (ret->too_many)
		return true;
	if (!name_all(&w))
		return false;
	qsort(w.named, w.n_named, sizeof(*w.named), by_u64);
	return walk_all(&w) && (ret->too_many || give_layers(&w, layers));
}
