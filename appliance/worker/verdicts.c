/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/verdicts.h"

#include "appliance/worker/form.h"
#include "appliance/worker/worker.h"

static uint32_t *open_of(struct verdicts *v, uint16_t queue)
{
	return &v->open[queue_lane(queue) % LANE_COUNT][queue_slot(queue)];
}

void verdicts_taken(struct verdicts *v, uint16_t queue)
{
	++*open_of(v, queue);
}

void verdicts_forget(struct verdicts *v, uint32_t lane)
{
	for (uint32_t slot = 0; slot < LANE_SLOTS; slot++)
		v->open[lane % LANE_COUNT][slot] = 0;
}

static void tell(struct worker *w, uint16_t queue, const struct form_entry *d, bool said)
{
	const struct ring_entry e = { .kind = RING_VERDICT,
				      .outcome = (uint8_t)d->outcome,
				      .said = said,
				      .queue = queue,
				      .id = d->id,
				      .permit = d->permit };

	worker_push(w, &e, said);
}

/* One verdict decides all when they share it and nothing older of their queue waits for another. */
static bool say(const struct worker *w, uint32_t n, uint32_t open)
{
	const struct verdicts *v = &w->verdicts;
	const struct form_entry *e = v->entries;

	/* Given up, it would speak over its gate, which throws away what waits unread: an older packet would go with it. */
	if (!v->forms || atomic_load_explicit(&w->ring->open, memory_order_acquire) == 0)
		return false;
	if (n > 1 && v->same && open == n)
		return form_upto(v->fd, v->queue, &e[n - 1]) == 0;
	if (e->outcome == OUTCOME_DROP)
		return form_drop(v->fd, v->queue, e->id) == 0;
	return form_accept(v->fd, v->queue, e, n) == 0;
}

void verdicts_flush(struct worker *w)
{
	struct verdicts *v = &w->verdicts;
	uint32_t n = v->n, *open = open_of(v, v->queue);
	bool said;

	if (n == 0)
		return;
	v->n = 0;
	said = say(w, n, *open);
	for (uint32_t i = 0; i < n; i++)
		tell(w, v->queue, &v->entries[i], said);
	*open -= n < *open ? n : *open;
}

/* True when this can be said together with what waits. */
static bool joins(const struct verdicts *v, int fd, uint16_t queue, uint32_t id, enum outcome o)
{
	const struct form_entry *last = &v->entries[v->n - 1];

	return v->n < FORM_MOST && v->queue == queue && v->fd == fd && (int32_t)(id - last->id) > 0 &&
	       o != OUTCOME_DROP && last->outcome != OUTCOME_DROP;
}

void verdicts_decide(struct worker *w, int fd, uint16_t queue, uint32_t id, enum outcome o, uint32_t permit)
{
	struct verdicts *v = &w->verdicts;

	if (v->n > 0 && !joins(v, fd, queue, id, o))
		verdicts_flush(w);
	v->same = v->n == 0 || (v->same && v->entries[0].outcome == o && v->entries[0].permit == permit);
	v->queue = queue;
	v->fd = fd;
	v->entries[v->n++] = (struct form_entry){ id, permit, o };
}
