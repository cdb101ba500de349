/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/book.h"
#include "policy/ir/ir.h"

#include <stdlib.h>

static int by_first(const void *pa, const void *pb)
{
	const struct ir_book_line *a = pa, *b = pb;

	return addr_cmp(&a->range.lo, &b->range.lo);
}

static void add_lines(struct ir_book_line *list, uint32_t *n, const struct addr_range *ranges, uint32_t n_ranges,
		      uint32_t index)
{
	for (uint32_t i = 0; i < n_ranges; i++)
		list[(*n)++] = (struct ir_book_line){ ranges[i], index };
}

bool ir_book_make(const struct ir *ir, struct arena *a, struct ir_book *ret)
{
	size_t zones = 1, assets = 1;

	*ret = (struct ir_book){ 0 };
	for (uint32_t i = 0; i < ir->n_zones; i++)
		zones += ir->zones[i].n_ranges;
	for (uint32_t i = 0; i < ir->n_assets; i++)
		assets += ir->assets[i].n_ranges;
	ret->zones = arena_array(a, zones, sizeof(*ret->zones));
	ret->assets = arena_array(a, assets, sizeof(*ret->assets));
	if (ret->zones == NULL || ret->assets == NULL)
		return false;
	for (uint32_t i = 0; i < ir->n_zones; i++)
		add_lines(ret->zones, &ret->n_zones, ir->zones[i].ranges, ir->zones[i].n_ranges, i);
	for (uint32_t i = 0; i < ir->n_assets; i++)
		add_lines(ret->assets, &ret->n_assets, ir->assets[i].ranges, ir->assets[i].n_ranges, i);
	qsort(ret->zones, ret->n_zones, sizeof(*ret->zones), by_first);
	qsort(ret->assets, ret->n_assets, sizeof(*ret->assets), by_first);
	return true;
}

/* Ranges are rarely nested, so a few tries backwards find the nearest range that holds the
 * address. */
#define TRIES 16u

static uint32_t find(const struct ir_book_line *list, uint32_t n, const struct addr *a)
{
	uint32_t lo = 0, hi = n;

	if (a->family == 0)
		return UINT32_MAX;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (addr_cmp(&list[mid].range.lo, a) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (uint32_t k = 0; k < TRIES && lo > 0; k++)
		if (addr_in(a, &list[--lo].range))
			return list[lo].index;
	return UINT32_MAX;
}

uint32_t ir_book_zone(const struct ir_book *p, const struct addr *a)
{
	return find(p->zones, p->n_zones, a);
}

uint32_t ir_book_asset(const struct ir_book *p, const struct addr *a)
{
	return find(p->assets, p->n_assets, a);
}
