/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
	/* The worker may write at the same time. So each word is read exactly once (volatile), and
	 * only the copy is used. */
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

#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

int shared_create(const char *name, size_t size, struct err *e)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return err_set(e, -errno, "memfd for a %s", name);
	if (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_SEAL) < 0) {
		r = err_set(e, -errno, "size of a %s", name);
		close(fd);
		return r;
	}
	return fd;
}

void *shared_map(const char *name, int fd, size_t size, struct err *e)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *p;

	if (seals < 0 || (seals & SIZE_SEALS) != SIZE_SEALS) {
		err_set(e, -EPERM, "%s is not sealed against change of size", name);
		return NULL;
	}
	if (fstat(fd, &st) < 0 || st.st_size != (off_t)size) {
		err_set(e, -EINVAL, "%s has the wrong size", name);
		return NULL;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		err_set(e, -errno, "map a %s", name);
		return NULL;
	}
	return p;
}

int pulse_create(struct err *e)
{
	return shared_create("pulse", sizeof(struct pulse), e);
}

struct pulse *pulse_map(int fd, struct err *e)
{
	return shared_map("pulse", fd, sizeof(struct pulse), e);
}
