/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/intern.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_of(const uint32_t *values, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++) {
		h = (h ^ values[i]) * 16777619u;
		h ^= h >> 15;
	}
	return h;
}

void interner_init(struct interner *in, struct arena *a)
{
	memset(in, 0, sizeof(*in));
	in->arena = a;
}

static void put_item(struct interner *in, uint32_t item)
{
	size_t at = in->items[item].hash & (in->n_slots - 1);

	while (in->slots[at] != 0)
		at = (at + 1) & (in->n_slots - 1);
	in->slots[at] = item + 1;
}

static bool widen(struct interner *in)
{
	size_t n = in->n_slots ? in->n_slots * 2 : 64;
	uint32_t *slots = arena_array(in->arena, n, sizeof(*slots));

	if (slots == NULL)
		return false;
	in->slots = slots;
	in->n_slots = n;
	for (size_t i = 0; i < in->n; i++)
		put_item(in, (uint32_t)i);
	return true;
}

bool intern(struct interner *in, const uint32_t *values, size_t n, uint32_t *ret, bool *is_new)
{
	uint32_t hash = hash_of(values, n);
	struct interned *item;
	uint32_t *copy;

	if (in->n * 2 >= in->n_slots && !widen(in))
		return false;
	for (size_t at = hash & (in->n_slots - 1); in->slots[at] != 0; at = (at + 1) & (in->n_slots - 1)) {
		item = &in->items[in->slots[at] - 1];
		if (item->hash == hash && item->n == n && memcmp(item->values, values, n * sizeof(*values)) == 0) {
			*ret = in->slots[at] - 1;
			if (is_new != NULL)
				*is_new = false;
			return true;
		}
	}
	copy = arena_array(in->arena, n, sizeof(*copy));
	item = arena_grow(in->arena, (void **)&in->items, &in->n, &in->room, sizeof(*in->items));
	if (copy == NULL || item == NULL)
		return false;
	memcpy(copy, values, n * sizeof(*values));
	*item = (struct interned){ .values = copy, .n = (uint32_t)n, .hash = hash };
	*ret = (uint32_t)(in->n - 1);
	put_item(in, *ret);
	if (is_new != NULL)
		*is_new = true;
	return true;
}

int by_u64(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return (a > b) - (a < b);
}

static int by_number(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return (a > b) - (a < b);
}

size_t distinct(uint32_t *list, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(list, n, sizeof(*list), by_number);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || list[i] != list[kept - 1])
			list[kept++] = list[i];
	return kept;
}
