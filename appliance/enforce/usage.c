/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "appliance/enforce/generation.h"
#include "appliance/enforce/usage.h"
#include "appliance/kernel/conntrack.h"
#include "appliance/wire/mark.h"

static int by_id(const void *a, const void *b)
{
	const struct kept_permit *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

bool usage_begin(const struct generation_held *now, const struct image *have, struct arena *a, struct usage *ret)
{
	const struct image_elements *el = now == NULL ? &have->elements[TABLE_LINGERING] : NULL;
	size_t n = now != NULL ? now->n_lingering : el->n;

	*ret = (struct usage){ .now = now, .kept = arena_array(a, n + 1, sizeof(*ret->kept)), .n_kept = n };
	if (now != NULL)
		ret->used = arena_array(a, now->ir.n_permits + 1u, sizeof(*ret->used));
	if (ret->kept == NULL || (now != NULL && ret->used == NULL))
		return false;
	for (size_t i = 0; i < n; i++)
		if (now != NULL)
			ret->kept[i].id = now->lingering[i].permit;
		else
			memcpy(&ret->kept[i].id, el->list[i].key, sizeof(ret->kept[i].id));
	if (n > 1)
		qsort(ret->kept, n, sizeof(*ret->kept), by_id);
	return true;
}

static struct kept_permit *find_kept(const struct usage *u, uint32_t id)
{
	const struct kept_permit key = { .id = id };

	return u->n_kept > 0 ? bsearch(&key, u->kept, u->n_kept, sizeof(key), by_id) : NULL;
}

void usage_restart(void *usage)
{
	struct usage *u = usage;

	if (u->now != NULL)
		memset(u->used, 0, u->now->ir.n_permits * sizeof(*u->used));
	for (size_t i = 0; i < u->n_kept; i++)
		u->kept[i].used = false;
}

int usage_note(const struct session *s, void *usage)
{
	struct usage *u = usage;
	uint32_t id = mark_permit(s->mark), index;
	struct kept_permit *k;

	if (s->ending)
		return 0;
	index = u->now != NULL ? generation_permit(u->now, id) : UINT32_MAX;
	k = index == UINT32_MAX ? find_kept(u, id) : NULL;
	if (index != UINT32_MAX)
		u->used[index] = true;
	else if (k != NULL)
		k->used = true;
	return 0;
}

bool usage_has(const struct usage *u, uint32_t id)
{
	uint32_t index = u->now != NULL ? generation_permit(u->now, id) : UINT32_MAX;
	const struct kept_permit *k = find_kept(u, id);

	return index != UINT32_MAX ? u->used[index] : k != NULL && k->used;
}
