/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/wire/ring.c appliance/base/err.c
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "appliance/wire/ring.h"

static int make(void **state)
{
	int fd = ring_create(NULL);

	*state = ring_map(fd, NULL);
	close(fd);
	return *state == NULL;
}

static int drop(void **state)
{
	ring_unmap(*state);
	return 0;
}

static void in_order(void **state)
{
	struct ring *r = *state;
	uint32_t tail = 0, next = 0;
	uint8_t e[64] = { 0 }, got[64];

	/* Several times round the ring, so that indexes wrap around; the counters start close to
	 * their maximum. */
	atomic_store(&r->head, UINT32_MAX - 100u);
	atomic_store(&r->tail, UINT32_MAX - 100u);
	tail = UINT32_MAX - 100u;
	for (uint32_t n = 0; n < 5 * RING_ENTRIES; n++) {
		memcpy(e, &n, sizeof(n));
		assert_true(ring_push(r, e));
		if (n % 7 != 6)
			continue;
		while (ring_pop(r, &tail, got) == RING_GOT) {
			uint32_t v;

			memcpy(&v, got, sizeof(v));
			assert_int_equal(v, next++);
		}
		ring_consumed(r, tail);
	}
}

static void full_never_overwrites(void **state)
{
	struct ring *r = *state;
	uint8_t e[64] = { 1 }, got[64];
	uint32_t tail = 0;

	for (uint32_t n = 0; n < RING_ENTRIES; n++) {
		assert_true(ring_room(r, 1));
		assert_true(ring_push(r, e));
	}
	e[0] = 2;
	assert_false(ring_room(r, 1));
	assert_false(ring_push(r, e));
	assert_int_equal(ring_pop(r, &tail, got), RING_GOT);
	assert_int_equal(got[0], 1);
	/* The entries are read but not given back yet: there is still no room. */
	assert_false(ring_push(r, e));
	ring_consumed(r, tail);
	assert_true(ring_room(r, 1));
	assert_false(ring_room(r, 2));
	assert_true(ring_push(r, e));
}

static void empty(void **state)
{
	uint32_t tail = 0;
	uint8_t got[64];

	assert_int_equal(ring_pop(*state, &tail, got), RING_EMPTY);
	assert_false(ring_pending(*state, tail));
}

/* The counters are in memory that the worker can write; the gate's own position is not. */
static void lying_counters(void **state)
{
	struct ring *r = *state;
	uint32_t tail = 10;
	uint8_t got[64];

	atomic_store(&r->head, 10u + RING_ENTRIES + 1u);
	assert_int_equal(ring_pop(r, &tail, got), RING_LIE);
	atomic_store(&r->head, 9); /* behind the reader */
	assert_int_equal(ring_pop(r, &tail, got), RING_LIE);
	atomic_store(&r->head, 11);
	atomic_store(&r->tail, 123456);
	assert_int_equal(ring_pop(r, &tail, got), RING_GOT);
	assert_int_equal(tail, 11);
	assert_int_equal(ring_pop(r, &tail, got), RING_EMPTY);
}

static void only_sealed_memory(void **state)
{
	int fd = memfd_create("ring", MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)sizeof(struct ring)), 0);
	/* the worker could shorten this file while the gate uses it */
	assert_null(ring_map(fd, NULL));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	ring_unmap(ring_map(fd, NULL));
	close(fd);
	fd = memfd_create("ring", MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_null(ring_map(fd, NULL)); /* too small */
	close(fd);
	fd = ring_create(NULL);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
}

#define MANY 200000u

static void *writer(void *p)
{
	struct ring *r = p;

	for (uint32_t n = 0; n < MANY;) {
		uint32_t e[16];

		for (unsigned i = 0; i < 16; i++)
			e[i] = n;
		if (ring_push(r, e))
			n++;
	}
	return NULL;
}

/* Two sides at the same time: every entry arrives once, complete and in order. */
static void two_sides(void **state)
{
	struct ring *r = *state;
	uint32_t tail = 0, next = 0;
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, writer, r), 0);
	while (next < MANY) {
		uint32_t e[16];

		if (ring_pop(r, &tail, e) != RING_GOT)
			continue;
		for (unsigned i = 0; i < 16; i++)
			assert_int_equal(e[i], next);
		next++;
		ring_consumed(r, tail);
	}
	pthread_join(t, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_order, make, drop),
		cmocka_unit_test_setup_teardown(full_never_overwrites, make, drop),
		cmocka_unit_test_setup_teardown(empty, make, drop),
		cmocka_unit_test_setup_teardown(lying_counters, make, drop),
		cmocka_unit_test(only_sealed_memory),
		cmocka_unit_test_setup_teardown(two_sides, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
