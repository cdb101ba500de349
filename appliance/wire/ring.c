/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/ring.h"

#include <string.h>
#include <sys/mman.h>

#include "appliance/wire/shared.h"

#define WORDS (64u / sizeof(uint64_t))

int ring_create(struct err *e)
{
	return shared_create("ring", sizeof(struct ring), e);
}

struct ring *ring_map(int fd, struct err *e)
{
	return shared_map("ring", fd, sizeof(struct ring), e);
}

void ring_unmap(struct ring *r)
{
	if (r != NULL)
		munmap(r, sizeof(*r));
}

bool ring_room(struct ring *r, uint32_t n)
{
	uint32_t used = atomic_load_explicit(&r->head, memory_order_relaxed) -
			atomic_load_explicit(&r->tail, memory_order_acquire);

	return used <= RING_ENTRIES && n <= RING_ENTRIES - used;
}

bool ring_push(struct ring *r, const void *entry64)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (!ring_room(r, 1))
		return false;
	memcpy(r->entries[head % RING_ENTRIES], entry64, sizeof(r->entries[0]));
	atomic_store_explicit(&r->head, head + 1u, memory_order_release);
	return true;
}

bool ring_pending(struct ring *r, uint32_t tail)
{
	return atomic_load_explicit(&r->head, memory_order_acquire) != tail;
}

enum ring_got ring_pop(struct ring *r, uint32_t *tail, void *entry64)
{
	uint32_t pending = atomic_load_explicit(&r->head, memory_order_acquire) - *tail;
	const volatile uint64_t *from;
	uint64_t copy[WORDS];

	if (pending == 0)
		return RING_EMPTY;
	if (pending > RING_ENTRIES)
		return RING_LIE;
	/* Volatile words: the worker may write while this reads, so every byte is read exactly once and only the copy is
	 * ever looked at. */
	from = (const volatile uint64_t *)(const void *)r->entries[*tail % RING_ENTRIES];
	for (size_t i = 0; i < WORDS; i++)
		copy[i] = from[i];
	memcpy(entry64, copy, sizeof(copy));
	(*tail)++;
	return RING_GOT;
}

void ring_consumed(struct ring *r, uint32_t tail)
{
	atomic_store_explicit(&r->tail, tail, memory_order_release);
}
