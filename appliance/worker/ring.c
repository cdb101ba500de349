/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's end of the ring: entries, the heartbeat, and when to wake the gate. */
#include "appliance/worker/worker.h"

#include <time.h>
#include <unistd.h>

#define NAP_NS 50000 /* ns to sleep between looks at a full ring */
#define WAKE_AFTER (RING_ENTRIES / 2u)

void worker_wake_gate(struct worker *w)
{
	static const uint64_t one = 1;

	if (w->ring == NULL || w->unannounced == 0)
		return;
	w->unannounced = 0;
	w->told = 0;
	/* The process that clears `waiting` wakes the gate. A gate that is awake looks at the ring
	 * before it sleeps. */
	if (atomic_exchange(&w->ring->waiting, 0) != 0 && write(w->wake, &one, sizeof(one)) < 0)
		w->errors++;
}

void worker_beat(struct worker *w)
{
	uint32_t h = atomic_load_explicit(&w->ring->heartbeat, memory_order_relaxed) + 1u;

	/* 0 is left out, because it means that the loop has not turned yet */
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

void worker_push(struct worker *w, const void *entry64, bool told)
{
	make_room(w, 1);
	push(w, entry64, told);
}

void worker_push_two(struct worker *w, const void *entry64, const void *behind64)
{
	make_room(w, 2);
	push(w, entry64, false);
	push(w, behind64, false);
}
