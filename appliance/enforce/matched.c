/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each permit last let a new session in: the kernel counts, and every comparison sees whether it counted on. The
 * moment is as exact as the comparisons are close.
 */
#include "appliance/enforce/matched.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/enforce/enforce.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/mark.h"
#include "policy/ir/ir.h"

#define USED_MOST 65536u /* conduits that are remembered by name; beyond it those of later policies begin anew */

static int by_permit(const void *pa, const void *pb)
{
	const struct match *a = pa, *b = pb;

	return (a->permit > b->permit) - (a->permit < b->permit);
}

static struct match *find(const struct matched *m, uint32_t permit)
{
	const struct match key = { .permit = permit };

	return m->n > 0 ? bsearch(&key, m->list, m->n, sizeof(*m->list), by_permit) : NULL;
}

/* One entry for each permit, with all that its elements counted. */
static void join(struct matched *m)
{
	size_t n = 0;

	if (m->n > 0)
		qsort(m->list, m->n, sizeof(*m->list), by_permit);
	for (size_t i = 0; i < m->n; i++) {
		struct match *last = n > 0 ? &m->list[n - 1] : NULL;

		if (last == NULL || last->permit != m->list[i].permit) {
			m->list[n++] = m->list[i];
			continue;
		}
		last->packets += m->list[i].packets;
		if (m->list[i].wall_ns > last->wall_ns)
			last->wall_ns = m->list[i].wall_ns;
	}
	m->n = n;
}

/* The permits that stand in the kernel now, each with what its elements counted; room for `more`. False when memory is out. */
static bool take(const struct image *have, size_t more, struct matched *ret)
{
	size_t room = more;

	for (unsigned s = SET_UNTIL4; s <= SET_RANGE6; s++)
		room += have->elements[s].n;
	ret->list = calloc(room + 1, sizeof(*ret->list));
	if (ret->list == NULL)
		return false;
	for (unsigned s = SET_UNTIL4; s <= SET_RANGE6; s++)
		for (size_t i = 0; i < have->elements[s].n; i++) {
			const struct image_element *el = &have->elements[s].list[i];

			ret->list[ret->n++] = (struct match){ .permit = mark_permit(el->data), .packets = el->packets };
		}
	join(ret);
	return true;
}

/* A permit whose end has come stands in the kernel no longer, and was used all the same. */
static void keep_ended(const struct matched *m, const struct generation_held *g, struct matched *now)
{
	size_t n = now->n;

	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].wall_ns != 0 && find(now, m->list[i].permit) == NULL &&
		    generation_permit(g, m->list[i].permit) != UINT32_MAX)
			now->list[n++] = (struct match){ .permit = m->list[i].permit, .wall_ns = m->list[i].wall_ns };
	now->n = n;
	if (n > 0)
		qsort(now->list, n, sizeof(*now->list), by_permit);
}

void matched_note(struct matched *m, const struct image *have, const struct generation_held *g, uint64_t wall_ns)
{
	struct matched now = { 0 };

	if (!take(have, m->n, &now))
		return;
	for (size_t i = 0; i < now.n; i++) {
		struct match *to = &now.list[i];
		const struct match *was = find(m, to->permit);

		/* What was counted before anybody looked was counted nobody knows when. */
		if (was != NULL)
			to->wall_ns = was->wall_ns;
		if (to->packets != (was != NULL ? was->packets : 0) && to->packets > 0 && (was != NULL || m->looked))
			to->wall_ns = wall_ns;
	}
	keep_ended(m, g, &now);
	free(m->list);
	m->list = now.list;
	m->n = now.n;
	m->looked = true;
}

void matched_carry(struct matched *m, const struct image *have, const struct image *want)
{
	struct matched now = { 0 };

	if (!take(want, m->n, &now))
		return;
	for (size_t i = 0; i < now.n; i++)
		now.list[i].packets = 0;
	/* Each element goes on from what its hosts and port had counted, under whatever permit. */
	for (unsigned s = SET_UNTIL4; s <= SET_RANGE6; s++)
		for (size_t i = 0; i < want->elements[s].n; i++) {
			const struct image_element *el = &want->elements[s].list[i],
						   *was = image_find(have, s, el->key, el->key_end);
			struct match *to = was != NULL ? find(&now, mark_permit(el->data)) : NULL;

			if (to != NULL)
				to->packets += was->packets;
		}
	for (size_t i = 0; i < m->n; i++)
		now.list[now.n++] = (struct match){ .permit = m->list[i].permit, .wall_ns = m->list[i].wall_ns };
	join(&now);
	free(m->list);
	m->list = now.list;
	m->n = now.n;
	m->looked = true;
}

uint64_t matched_last(const struct matched *m, uint32_t permit)
{
	const struct match *one = find(m, permit);

	return one != NULL ? one->wall_ns : 0;
}

static int by_name(const void *pa, const void *pb)
{
	const struct used_conduit *a = pa, *b = pb;

	return strcmp(a->name, b->name);
}

/* ... and the latest first. */
static int by_name_and_moment(const void *pa, const void *pb)
{
	const struct used_conduit *a = pa, *b = pb;
	int c = by_name(a, b);

	return c != 0 ? c : (a->wall_ns < b->wall_ns) - (a->wall_ns > b->wall_ns);
}

static int name_against(const void *name, const void *one)
{
	return strcmp(name, ((const struct used_conduit *)one)->name);
}

static uint64_t used_before(const struct matched *m, const char *name)
{
	const struct used_conduit *one =
		m->n_used > 0 ? bsearch(name, m->used, m->n_used, sizeof(*one), name_against) : NULL;

	return one != NULL ? one->wall_ns : 0;
}

uint64_t *matched_conduits(const struct matched *m, const struct generation_held *g)
{
	const struct command_table *t = &g->ir.table;
	uint64_t *last = calloc((size_t)g->ir.n_conduits + 1, sizeof(*last));

	for (uint32_t i = 0; last != NULL && i < g->ir.n_conduits; i++)
		last[i] = used_before(m, g->ir.conduits[i].name);
	for (uint32_t i = 0; last != NULL && i < g->ir.n_permits; i++) {
		const struct command_permit *p = commands_permit(t, i + 1);
		uint64_t at = matched_last(m, g->ids[i]);

		for (uint32_t k = 0; p != NULL && k < p->n_grants; k++) {
			uint32_t c = t->grants[p->first_grant + k].conduit;

			if (c < g->ir.n_conduits && at > last[c])
				last[c] = at;
		}
	}
	return last;
}

void matched_leave(struct matched *m, const struct generation_held *g)
{
	uint64_t *last = m->n_used < USED_MOST ? matched_conduits(m, g) : NULL;
	struct used_conduit *all = last != NULL ? calloc(m->n_used + g->ir.n_conduits + 1, sizeof(*all)) : NULL;
	size_t n = 0, kept = 0;

	for (uint32_t i = 0; all != NULL && i < g->ir.n_conduits; i++) {
		char *name = last[i] != 0 ? strdup(g->ir.conduits[i].name) : NULL;

		if (name != NULL)
			all[n++] = (struct used_conduit){ name, last[i] };
	}
	free(last);
	if (all == NULL)
		return;
	for (size_t i = 0; i < m->n_used; i++)
		all[n++] = m->used[i];
	if (n > 0)
		qsort(all, n, sizeof(*all), by_name_and_moment);
	for (size_t i = 0; i < n; i++)
		if (kept > 0 && by_name(&all[kept - 1], &all[i]) == 0)
			free(all[i].name);
		else
			all[kept++] = all[i];
	free(m->used);
	m->used = all;
	m->n_used = kept;
}
