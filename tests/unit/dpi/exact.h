/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of bytes with nothing readable around them, so that the address sanitizer reports one byte
 * too many in front or behind. It also reports reading after the copy was given back, until the
 * memory is used again. The memory is allocated once, because allocating each copy would take a
 * third of a fuzzer's time. Without the sanitizer these are ordinary copies.
 */
#ifndef SEKISHO_TESTS_EXACT_H
#define SEKISHO_TESTS_EXACT_H

#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_ROOMS 8u
#define EXACT_MAX 131072u

/* Borrowed until exact_done; at most EXACT_ROOMS - 1 at a time. */
static inline const uint8_t *exact_copy(const void *p, size_t n)
{
	static uint8_t *rooms[EXACT_ROOMS];
	static unsigned turn;
	uint8_t **room = &rooms[turn++ % EXACT_ROOMS];

	if (n > EXACT_MAX)
		abort();
	if (*room == NULL) {
		*room = malloc(EXACT_MAX);
		if (*room == NULL)
			abort();
		ASAN_POISON_MEMORY_REGION(*room, EXACT_MAX);
	}
	ASAN_UNPOISON_MEMORY_REGION(*room, n);
	if (n > 0)
		memcpy(*room, p, n);
	return *room;
}

/* Gives back what exact_copy returned, with the same n. */
static inline void exact_done(const uint8_t *copy, size_t n)
{
	ASAN_POISON_MEMORY_REGION(copy, n);
}

#endif
