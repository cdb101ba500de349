/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/check/rows.h"

#include <stdlib.h>

struct command_row row_new(void)
{
	struct command_row row = { .values.any = true, .spaces_any = true };

	for (unsigned i = 0; i < TARGET_MAX; i++)
		row.targets[i].any = true;
	return row;
}

static int by_number(const void *pa, const void *pb)
{
	const struct number_range *a = pa, *b = pb;

	return (a->lo > b->lo) - (a->lo < b->lo);
}

size_t numbers_tidy(struct number_range *r, size_t n, bool apart)
{
	uint64_t touching = apart ? 0 : 1;
	size_t kept = 0;

	if (n > 1)
		qsort(r, n, sizeof(*r), by_number);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && (r[kept - 1].hi == UINT64_MAX || r[i].lo <= r[kept - 1].hi + touching)) {
			if (r[i].hi > r[kept - 1].hi)
				r[kept - 1].hi = r[i].hi;
		} else {
			r[kept++] = r[i];
		}
	}
	return kept;
}

static bool keep(struct model_rows *m, struct arena *a, const struct number_range *r, size_t n, struct number_set *ret)
{
	*ret = (struct number_set){ .n = (uint32_t)n };
	ret->first = ret->n > 0 ? (uint32_t)m->n_ranges : 0;
	for (uint32_t i = 0; i < ret->n; i++) {
		struct number_range *slot =
			arena_grow(a, (void **)&m->t.ranges, &m->n_ranges, &m->ranges_room, sizeof(*slot));

		if (slot == NULL)
			return false;
		*slot = r[i];
	}
	m->t.n_ranges = (uint32_t)m->n_ranges;
	return true;
}

bool rows_numbers(struct model_rows *m, struct arena *a, struct number_range *r, size_t n, struct number_set *ret)
{
	return keep(m, a, r, numbers_tidy(r, n, false), ret);
}

bool rows_space(struct model_rows *m, struct arena *a, struct command_row *row, uint8_t space,
		const struct number_range *r, size_t n)
{
	struct space_set *slot;

	row->spaces_any = false;
	if (n == 0)
		return true;
	slot = arena_grow(a, (void **)&m->t.spaces, &m->n_spaces, &m->spaces_room, sizeof(*slot));
	if (slot == NULL)
		return false;
	*slot = (struct space_set){ .space = space };
	if (row->n_spaces++ == 0)
		row->first_space = (uint32_t)(m->n_spaces - 1);
	m->t.n_spaces = (uint32_t)m->n_spaces;
	return keep(m, a, r, n, &slot->numbers);
}
