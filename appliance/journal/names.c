/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET (256u << 20)

static void forget(struct named_generation *g)
{
	arena_free(g->arena);
	free(g->sealed);
	*g = (struct named_generation){ 0 };
}

int names_add(struct names *n, uint8_t *all, size_t size, size_t n_sealed, size_t n_map, struct bytes indexes,
	      struct err *e)
{
	struct named_generation g = { .sealed = all, .arena = arena_new(BUDGET) };
	struct bytes map;
	int r = -EBADMSG;

	if (g.arena == NULL || (g.ir = arena_alloc(g.arena, sizeof(*g.ir))) == NULL) {
		r = err_set(e, -ENOMEM, "names of a generation");
		goto fail;
	}
	if (n_sealed > size || n_map > size - n_sealed) {
		err_set(e, r, "names of a generation");
		goto fail;
	}
	r = ir_unseal(bytes_of(all, n_sealed), g.arena, g.ir, e);
	if (r < 0)
		goto fail;
	g.ids = arena_array(g.arena, (size_t)g.ir->n_permits + 1, sizeof(*g.ids));
	g.indexes = arena_array(g.arena, (size_t)g.ir->n_interfaces + 1, sizeof(*g.indexes));
	if (g.ids == NULL || g.indexes == NULL) {
		r = err_set(e, -ENOMEM, "names of a generation");
		goto fail;
	}
	map = bytes_of(all + n_sealed, n_map);
	for (uint32_t i = 0; i < g.ir->n_permits; i++)
		bytes_be32(&map, &g.ids[i]);
	for (uint32_t i = 0; i < g.ir->n_interfaces; i++)
		if (!bytes_be32(&indexes, &g.indexes[i]))
			break;
	if (n->n == NAMES_KEPT)
		forget(&n->list[--n->n]);
	memmove(&n->list[1], &n->list[0], n->n * sizeof(n->list[0]));
	n->list[0] = g;
	n->n++;
	return 0;
fail:
	forget(&g);
	return r;
}

/* The newest generation that has this permit, and its index there; else the newest of all. */
static const struct named_generation *generation_of(const struct names *n, uint32_t permit, uint32_t *index)
{
	*index = UINT32_MAX;
	for (size_t i = 0; permit != 0 && i < n->n; i++)
		for (uint32_t k = 0; k < n->list[i].ir->n_permits; k++)
			if (n->list[i].ids[k] == permit) {
				*index = k;
				return &n->list[i];
			}
	return n->n > 0 ? &n->list[0] : NULL;
}

/* The conduit that an event names, or the first that grants something under its permit. */
static uint32_t conduit_of(const struct ir *ir, const struct event *e, uint32_t permit_index)
{
	const struct command_permit *p;

	if (e->conduit < ir->n_conduits)
		return e->conduit;
	if (permit_index == UINT32_MAX)
		return UINT32_MAX;
	p = commands_permit(&ir->table, permit_index + 1);
	if (p == NULL || p->n_grants == 0 || ir->table.grants[p->first_grant].conduit >= ir->n_conduits)
		return UINT32_MAX;
	return ir->table.grants[p->first_grant].conduit;
}

void names_of_event(const struct names *n, const struct event *e, struct named *ret)
{
	uint32_t index, c;
	const struct named_generation *g = generation_of(n, e->permit, &index);

	*ret = (struct named){ .line = e->line };
	if (g == NULL)
		return;
	/* A permit that no generation here knows: a name would be a guess. */
	c = e->permit != 0 && index == UINT32_MAX ? UINT32_MAX : conduit_of(g->ir, e, index);
	if (c != UINT32_MAX) {
		const struct ir_conduit *conduit = &g->ir->conduits[c];

		ret->conduit = conduit->name;
		ret->file = conduit->file < g->ir->n_sources ? g->ir->sources[conduit->file].name : NULL;
		if (ret->line == 0)
			ret->line = conduit->line;
	}
	for (uint32_t i = 0; e->iif != 0 && i < n->list[0].ir->n_interfaces; i++)
		if (n->list[0].indexes[i] == e->iif)
			ret->interface = n->list[0].ir->interfaces[i].name;
}
