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

/* Whether the worker may send verdicts to the kernel. A worker whose gate has given it up must not:
 * the gate has discarded waiting packets unread, and a verdict for all packets up to an id would
 * decide these, too. */
static bool may_say(const struct worker *w)
{
	return w->verdicts.forms && atomic_load_explicit(&w->ring->open, memory_order_acquire) != 0;
}

/* Whether one verdict decides all gathered packets: they have the same verdict, and no older packet
 * of the queue is undecided. */
static bool one_for_all(const struct verdicts *v, uint32_t n, uint32_t open)
{
	return n > 1 && v->same && open == n;
}

static bool say_each(const struct verdicts *v, const struct form_entry *e, uint32_t n)
{
	if (e->outcome == OUTCOME_DROP)
		return form_drop(v->fd, v->queue, e->id) == 0;
	return form_accept(v->fd, v->queue, e, n) == 0;
}

void verdicts_flush(struct worker *w)
{
	struct verdicts *v = &w->verdicts;
	uint32_t n = v->n, *open = open_of(v, v->queue), part;
	bool all = one_for_all(v, n, *open), said;

	v->n = 0;
	for (uint32_t at = 0; at < n; at += part) {
		const struct form_entry *e = &v->entries[at];

		part = all || n - at < FORM_MOST ? n - at : FORM_MOST;
		said = may_say(w) && (all ? form_upto(v->fd, v->queue, &v->all) == 0 : say_each(v, e, part));
		for (uint32_t i = 0; i < part; i++)
			tell(w, v->queue, &e[i], said);
	}
	*open -= n < *open ? n : *open;
}

/* Whether this verdict can be sent together with the gathered ones. */
static bool joins(const struct verdicts *v, int fd, uint16_t queue, uint32_t id, enum outcome o)
{
	const struct form_entry *last = &v->entries[v->n - 1];

	return v->n < VERDICTS_MOST && v->queue == queue && v->fd == fd && (int32_t)(id - last->id) > 0 &&
	       o != OUTCOME_DROP && last->outcome != OUTCOME_DROP;
}

/* Notes the common verdict. If QUIET and ACCEPT are mixed, all are sent as ACCEPT: the worker then
 * also gets acknowledgements of the quiet session, which does no harm. */
static void gather(struct verdicts *v, uint32_t id, enum outcome o, uint32_t permit)
{
	if (v->n == 0) {
		v->all = (struct form_entry){ id, permit, o };
		v->same = true;
		return;
	}
	v->all.id = id;
	if (v->all.outcome == OUTCOME_QUIET && o == OUTCOME_ACCEPT)
		v->all.outcome = o;
	v->same &= v->all.permit == permit &&
		   (o == v->all.outcome || (o == OUTCOME_QUIET && v->all.outcome == OUTCOME_ACCEPT));
}

void verdicts_decide(struct worker *w, int fd, uint16_t queue, uint32_t id, enum outcome o, uint32_t permit)
{
	struct verdicts *v = &w->verdicts;

	if (v->n > 0 && !joins(v, fd, queue, id, o))
		verdicts_flush(w);
	gather(v, id, o, permit);
	v->queue = queue;
	v->fd = fd;
	v->entries[v->n++] = (struct form_entry){ id, permit, o };
}
