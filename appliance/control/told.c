/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor reports of the state: the generation in force, the history, and whether a
 * change is under way. */
#include <stdlib.h>

#include "appliance/base/memfd.h"
#include "appliance/control/control.h"
#include "appliance/control/facts.h"
#include "appliance/control/told.h"
#include "appliance/store/generation.h"
#include "appliance/wire/hours.h"
#include "policy/ir/seal.h"

#define UNSEAL_BUDGET (512u << 20)
#define PAST_MOST (GENERATIONS_KEPT + 1u) /* the store may have one more (generation.c) */

_Static_assert(SLOTS <= 64, "slots in the bits of `wanted` and `running`");

void in_force_free(struct in_force *p)
{
	if (p == NULL)
		return;
	arena_free(p->arena);
	free(p->ids);
	free(p);
}

/* Reads the id of each permit. */
static bool ids_read(struct in_force *p, struct bytes b, uint32_t n_ids)
{
	p->ids = n_ids == p->ir->n_permits * 4 ? calloc((size_t)p->ir->n_permits + 1, sizeof(*p->ids)) : NULL;
	for (uint32_t i = 0; p->ids != NULL && i < p->ir->n_permits; i++)
		if (!bytes_be32(&b, &p->ids[i]))
			return false;
	return p->ids != NULL;
}

struct in_force *in_force_read(int fd, uint32_t n_sealed, uint32_t n_ids)
{
	struct in_force *p = calloc(1, sizeof(*p));
	uint8_t *all = NULL;
	struct err e;
	size_t n = 0;
	bool ok;

	if (p == NULL)
		return NULL;
	p->arena = arena_new(UNSEAL_BUDGET);
	p->ir = p->arena != NULL ? arena_alloc(p->arena, sizeof(*p->ir)) : NULL;
	ok = p->ir != NULL && memfd_read(fd, GENERATION_MAX_BYTES, &all, &n, &e) == 0 && n_sealed <= n &&
	     ir_unseal(bytes_of(all, n_sealed), p->arena, p->ir, &e) == 0 &&
	     ids_read(p, bytes_of(all + n_sealed, n - n_sealed), n_ids);
	free(all);
	if (ok)
		return p;
	in_force_free(p);
	return NULL;
}

bool told_generation(struct control *s, struct msg *m)
{
	const struct msg_generation *g = &m->body.generation;
	struct in_force *p = in_force_read(m->fds[0], g->n_sealed, g->n_ids);

	if (p == NULL)
		return false;
	p->number = g->which.number;
	in_force_free(s->now);
	s->now = p;
	people_zone(p->ir->time_zone);
	s->events.now = event_generation(p->number, p->ir->digest);
	return true;
}

bool told_past(struct control *s, struct msg *m)
{
	json_t *j = json_of_memfd(m->fds[0], HISTORY_MAX);

	s->has_past = history_take(&s->store, j, PAST_MOST);
	json_decref(j);
	return s->has_past;
}

bool told_standing(struct control *s, struct msg *m)
{
	if (s->now == NULL || !s->has_past)
		return false;
	s->trusted = m->body.standing.clock_wait == CLOCK_TRUSTED;
	s->stands = true;
	facts_told(s, m);
	workers_say(s);
	return true;
}
