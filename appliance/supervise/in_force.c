/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which generation each permit of the workers' table comes from. While two generations are known, what both have still
 * belongs to the one in force; what lingers from an earlier one keeps its own. Records carry it, so that the journal reads
 * their numbers in the generation by which they were judged.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/supervise/in_force.h"
#include "appliance/supervise/supervise.h"
#include "appliance/tap/session.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/pairs.h"

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

/* What gates must know of the policy in force: between whom they may answer segments of no session. */

#define IPPROTO_TCP_NUMBER 6u
#define ELEMENTS_BUDGET (256u << 20)

static bool is_tcp_pair(const struct ir_element *x)
{
	return ir_set_cells(x->set) && x->l4proto == IPPROTO_TCP_NUMBER;
}

static int pairs_memfd(const struct policy *p)
{
	struct arena *a = arena_new(ELEMENTS_BUDGET);
	struct ir_element *x = NULL;
	size_t n = a != NULL ? ir_elements(p->ir, p->ids, a, &x) : 0, kept = 0;
	struct known_pair *list = calloc(n + 1, sizeof(*list));
	int fd;

	for (size_t i = 0; list != NULL && i < n; i++)
		if (is_tcp_pair(&x[i]))
			list[kept++] = (struct known_pair){
				.client = x[i].src, .server = x[i].dst, .lo = x[i].lo, .hi = x[i].hi
			};
	fd = list != NULL ? memfd_sealed("sekisho-pairs", list, kept * sizeof(*list)) : -1;
	free(list);
	arena_free(a);
	return fd;
}

void pairs_tell(struct supervisor *s, struct slot *gate)
{
	if (s->pairs_of != s->now) {
		if (s->pairs_fd >= 0)
			close(s->pairs_fd);
		s->pairs_fd = pairs_memfd(s->now);
		s->pairs_of = s->now;
	}
	/* Without it a gate answers no stray: they end by their own time-outs. */
	if (s->pairs_fd >= 0)
		role_send(s, gate, 0, &(struct msg_body){ .type = MSG_PAIRS }, &s->pairs_fd, 1);
}

/* Whether the tap hears of sessions that conduits let through: as the policy in force says, on trial as well. */

json_t *passed_json(const struct supervisor *s)
{
	int heard = s->passed_fd < 0 ? -1 : tap_sessions_heard(s->passed_fd);

	return heard < 0 ? json_null() : json_boolean(heard);
}

bool passed_differs(const struct supervisor *s)
{
	return s->passed_fd >= 0 && tap_sessions_heard(s->passed_fd) != (int)s->now->ir->record_passed;
}

void passed_follow(struct supervisor *s)
{
	struct err e = { 0 };

	/* Before the tap's first start there is nothing to set. */
	if (s->passed_fd < 0 || tap_sessions_hear(s->passed_fd, s->now->ir->record_passed, &e) == 0)
		return;
	say(s, M_PASSED_NOT_HEARD, e.text);
}
