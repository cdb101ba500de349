/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends the decisions of the inspector to the kernel. It uses the worker's prepared messages, the
 * forms (worker/form.h), and decides several packets of one queue with one send. Each decision is
 * also reported to the gate through the ring, so that the gate can notice forgotten packets. The
 * gate sends verdicts that the worker may not send (the cut lane) or that the kernel did not take.
 * A worker whose gate has given it up sends nothing more.
 *
 * Owns its counts; the ring and descriptors are borrowed. No allocation.
 */
#include <time.h>
#include <unistd.h>

#include "appliance/worker/worker.h"

/* ---- the ring: entries, the heartbeat, and when to wake the gate ----------------------------- */

#define NAP_NS 50000 /* ns to sleep between looks at a full ring */
#define WAKE_AFTER (RING_ENTRIES / 2u)

void worker_wake_gate(struct worker *w)
{
	static const uint64_t one = 1;

	if (w->ring == NULL || w->unannounced == 0)
		return;
	w->unannounced = 0;
	w->told = 0;
	/* Whoever clears `waiting` has to wake the gate. If it is clear already, the gate is awake,
	 * and looks at the ring before it sleeps. */
	if (atomic_exchange(&w->ring->waiting, 0) != 0 && write(w->wake, &one, sizeof(one)) < 0)
		w->errors++;
}

void worker_beat(struct worker *w)
{
	uint32_t h = atomic_load_explicit(&w->ring->heartbeat, memory_order_relaxed) + 1u;

	/* 0 is skipped, because it means that the loop has not turned yet */
	atomic_store_explicit(&w->ring->heartbeat, h != 0 ? h : 1u, memory_order_release);
}

/* Waits until the gate has made room for n entries: nothing is overwritten or dropped. */
static void make_room(struct worker *w, uint32_t n)
{
	static const struct timespec nap = { .tv_nsec = NAP_NS };

	while (!ring_room(w->ring, n)) {
		w->ring_full++;
		w->unannounced++;
		worker_wake_gate(w);
		nanosleep(&nap, NULL);
		worker_beat(w);
	}
}

static void push(struct worker *w, const void *entry, bool told)
{
	ring_push(w->ring, entry);
	if (told)
		w->told++;
	else
		w->unannounced++;
	if (w->told + w->unannounced < WAKE_AFTER)
		return;
	w->unannounced++;
	worker_wake_gate(w);
}

void worker_push_two(struct worker *w, const void *entry64, const void *behind64)
{
	make_room(w, 2);
	push(w, entry64, false);
	push(w, behind64, false);
}

/* ---- verdicts -------------------------------------------------------------------------------- */

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

static void tell_gate(struct worker *w, uint16_t queue, const struct form_entry *d, bool said)
{
	const struct ring_entry e = { .kind = RING_VERDICT,
				      .outcome = (uint8_t)d->outcome,
				      .said = said,
				      .queue = queue,
				      .id = d->id,
				      .permit = d->permit };

	make_room(w, 1);
	push(w, &e, said);
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

	if (n == 0)
		return;
	v->n = 0;
	inspector_sends(w->inspector);
	for (uint32_t at = 0; at < n; at += part) {
		const struct form_entry *e = &v->entries[at];

		part = all || n - at < FORM_MOST ? n - at : FORM_MOST;
		said = may_say(w) && (all ? form_upto(v->fd, v->queue, &v->all) == 0 : say_each(v, e, part));
		for (uint32_t i = 0; i < part; i++)
			tell_gate(w, v->queue, &e[i], said);
	}
	inspector_sent(w->inspector);
	*open -= n < *open ? n : *open;
}

/* Whether this verdict can be sent together with the gathered ones. */
static bool verdict_joins(const struct verdicts *v, int fd, uint16_t queue, uint32_t id, enum outcome o)
{
	const struct form_entry *last = &v->entries[v->n - 1];

	return v->n < VERDICTS_MOST && v->queue == queue && v->fd == fd && (int32_t)(id - last->id) > 0 &&
	       o != OUTCOME_DROP && last->outcome != OUTCOME_DROP;
}

/* Notes the common verdict. If some are QUIET and some ACCEPT, all are sent as ACCEPT. Then the
 * worker also gets the acknowledgements of the quiet session, which does no harm. */
static void verdict_gather(struct verdicts *v, uint32_t id, enum outcome o, uint32_t permit)
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

	if (v->n > 0 && !verdict_joins(v, fd, queue, id, o))
		verdicts_flush(w);
	verdict_gather(v, id, o, permit);
	v->queue = queue;
	v->fd = fd;
	v->entries[v->n++] = (struct form_entry){ id, permit, o };
	inspector_decided(w->inspector);
}
