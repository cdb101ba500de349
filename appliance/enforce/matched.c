/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each permit last let a new session in: the kernel counts, and every comparison sees whether it counted on. The
 * moment is as exact as the comparisons are close.
 */
#include "appliance/enforce/matched.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/enforce/enforce.h"
#include "appliance/wire/mark.h"
#include "policy/ir/ir.h"

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

/* The permits that stand in the kernel now, each with what its elements counted; room for `more`. False when memory is out. */
static bool take(const struct image *have, size_t more, struct matched *ret)
{
	size_t room = more, n = 0;

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
	if (ret->n > 0)
		qsort(ret->list, ret->n, sizeof(*ret->list), by_permit);
	for (size_t i = 0; i < ret->n; i++)
		if (n > 0 && ret->list[n - 1].permit == ret->list[i].permit)
			ret->list[n - 1].packets += ret->list[i].packets;
		else
			ret->list[n++] = ret->list[i];
	ret->n = n;
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
	*m = now;
	m->looked = true;
}

uint64_t matched_last(const struct matched *m, uint32_t permit)
{
	const struct match *one = find(m, permit);

	return one != NULL ? one->wall_ns : 0;
}
