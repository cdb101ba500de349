/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which generation each permit of the workers' table comes from. While two generations are known, what both have still
 * belongs to the one in force; what lingers from an earlier one keeps its own. Records carry it, so that the journal reads
 * their numbers in the generation by which they were judged.
 */
#include <errno.h>
#include <stdlib.h>

#include "appliance/supervise/passed.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/commands.h"

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_permit(const void *a, const void *b)
{
	const struct stamp *x = a, *y = b;

	return (x->permit > y->permit) - (x->permit < y->permit);
}

static struct event_generation generation_of(const struct policy *p)
{
	return event_generation(p->number, p->ir->digest);
}

static const struct stamp *stamp_of(const struct stamps *s, uint32_t permit)
{
	const struct stamp key = { .permit = permit };

	return s->n > 0 ? bsearch(&key, s->list, s->n, sizeof(*s->list), by_permit) : NULL;
}

/* The permits of an image, in its order. */
static int permits_of(const uint8_t *image, size_t n, struct stamps *ret)
{
	size_t size = (COMMANDS_MEMORY(n) + 15) / 16 * 16;
	void *memory = aligned_alloc(16, size);
	struct command_table t = { 0 };
	int r = -ENOMEM;

	if (memory == NULL)
		return r;
	if (!commands_decode(bytes_of(image, n), memory, size, &t)) {
		r = -EBADMSG;
	} else if ((ret->list = calloc((size_t)t.n_permits + 1, sizeof(*ret->list))) != NULL) {
		for (uint32_t i = 0; i < t.n_permits; i++)
			ret->list[i].permit = t.permits[i].permit;
		ret->n = t.n_permits;
		r = 0;
	}
	free(memory);
	return r;
}

int stamps_make(const struct stamps *old, const uint8_t *image, size_t n, const struct policy *p, bool in_force,
		struct stamps *ret)
{
	uint32_t n_ids = p != NULL ? p->ir->n_permits : 0, *ids = calloc((size_t)n_ids + 1, sizeof(*ids));
	int r = ids != NULL ? permits_of(image, n, ret) : -ENOMEM;

	for (uint32_t i = 0; ids != NULL && i < n_ids; i++)
		ids[i] = p->ids[i];
	if (ids != NULL && n_ids > 0)
		qsort(ids, n_ids, sizeof(*ids), by_number);
	for (uint32_t i = 0; r == 0 && i < ret->n; i++) {
		struct stamp *to = &ret->list[i];
		const struct stamp *was = stamp_of(old, to->permit);
		bool has = n_ids > 0 && bsearch(&to->permit, ids, n_ids, sizeof(*ids), by_number) != NULL;

		if (has && (in_force || was == NULL))
			to->of = generation_of(p);
		else if (was != NULL)
			to->of = was->of;
	}
	free(ids);
	return r;
}

/* To everybody who decides or notices something without a table. */
static void tell(struct supervisor *s, unsigned slot)
{
	struct msg_body m = { .type = MSG_IN_FORCE };

	if (!slot_alive(&s->slots[slot]) || s->now == NULL)
		return;
	m.in_force.now = generation_of(s->now);
	role_send(s, &s->slots[slot], 0, &m, NULL, 0);
}

void in_force_tell_one(struct supervisor *s, const struct slot *sl)
{
	if (sl->role == ROLE_ENFORCE)
		clock_tell(s);
	if (sl->role == ROLE_TAP)
		passed_follow(s);
	if (sl->role == ROLE_GATE && slot_alive(sl))
		pairs_tell(s, &s->slots[sl - s->slots]);
	if (sl->role == ROLE_TAP || sl->role == ROLE_ENFORCE || sl->role == ROLE_GATE)
		tell(s, (unsigned)(sl - s->slots));
}

void in_force_tell(struct supervisor *s)
{
	s->events.now = generation_of(s->now);
	for (unsigned i = 0; i < SLOTS; i++)
		in_force_tell_one(s, &s->slots[i]);
}
