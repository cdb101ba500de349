/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor reports of the state: the generation in force, the history, and whether a
 * change is under way. */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/memfd.h"
#include "appliance/control/control.h"

#define UNSEAL_BUDGET (512u << 20)
#define PAST_MOST (GENERATIONS_KEPT * 4u)
#define PAST_BYTES (PAST_MOST * PAST_ROW_BYTES + TURNS_KEPT * TURN_ROW_BYTES)

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
	p->number = g->number;
	in_force_free(s->now);
	s->now = p;
	s->events.now = event_generation(p->number, p->ir->digest);
	return true;
}

static bool row(struct bytes *b, struct generation_record *ret)
{
	struct msg_past_row x;

	if (!msg_take_past_row(b, &x))
		return false;
	*ret = (struct generation_record){ .number = x.number,
					   .applied_ns = x.applied_ns,
					   .state = (enum generation_state)x.state,
					   .why = (enum generation_why)x.why,
					   .before = x.before,
					   .changed_ns = x.changed_ns,
					   .other = x.other };
	memcpy(ret->digest, x.digest, sizeof(ret->digest));
	memcpy(ret->by, x.by, sizeof(ret->by) - 1);
	memcpy(ret->comment, x.comment, sizeof(ret->comment) - 1);
	memcpy(ret->changed_by, x.changed_by, sizeof(ret->changed_by) - 1);
	memcpy(ret->changed_comment, x.changed_comment, sizeof(ret->changed_comment) - 1);
	memcpy(ret->meant.text, x.meant, sizeof(ret->meant.text));
	for (int l = 0; l < LANGUAGES; l++)
		ret->meant.text[l][sizeof(ret->meant.text[l]) - 1] = '\0';
	return true;
}

static bool turns(struct control *s, struct bytes *b, uint32_t n)
{
	struct msg_turn_row x;

	if (n > TURNS_KEPT)
		return false;
	for (s->store.n_turns = 0; s->store.n_turns < n && msg_take_turn_row(b, &x); s->store.n_turns++)
		s->store.turns[s->store.n_turns] = (struct generation_turn){ x.ns, x.number };
	return s->store.n_turns == n;
}

bool told_past(struct control *s, struct msg *m)
{
	size_t n = m->body.past.n, size, at = 0;
	struct generation_record *list = n <= PAST_MOST ? calloc(n + 1, sizeof(*list)) : NULL;
	uint8_t *p = NULL;
	struct bytes b;
	struct err e;
	bool whole;

	if (list == NULL || memfd_read(m->fds[0], PAST_BYTES, &p, &size, &e) < 0) {
		free(list);
		return false;
	}
	b = bytes_of(p, size);
	while (at < n && row(&b, &list[at]))
		at++;
	whole = at == n && turns(s, &b, m->body.past.turns);
	free(p);
	if (!whole) {
		free(list);
		return false;
	}
	free(s->store.list);
	s->store.list = list;
	s->store.n = n;
	return true;
}

bool told_standing(struct control *s, const struct msg *m)
{
	const struct msg_standing *t = &m->body.standing;

	if (s->now == NULL || s->store.list == NULL)
		return false;
	s->lang = (enum lang)t->lang;
	s->busy = t->busy != 0;
	s->changes = t->changes;
	s->trial = t->trial;
	s->step = t->step;
	s->trusted = t->trusted != 0;
	s->wanted = t->wanted;
	s->running = t->running;
	s->stands = true;
	return true;
}
