/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interning of number lists: equal lists get the same small id. Ids count from 0 in the order in
 * which lists were first seen. Used for the sets of conduits that apply on cells, and to see
 * whether something was reported before. Everything lives in the arena given.
 */
#ifndef SEKISHO_POLICY_SPACE_INTERN_H
#define SEKISHO_POLICY_SPACE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"

struct interned {
	const uint32_t *values; /* arena */
	uint32_t n;
	uint32_t hash;
};

struct interner {
	struct arena *arena; /* borrowed */
	struct interned *items;
	size_t n, room;
	uint32_t *slots; /* item index + 1, 0 = free; n_slots is a power of two */
	size_t n_slots;
};

void interner_init(struct interner *in, struct arena *a);
/* The id of `values` (copied when new). False when the arena is exhausted. *is_new may be NULL. */
bool intern(struct interner *in, const uint32_t *values, size_t n, uint32_t *ret, bool *is_new);

/* The order of uint64_t, for qsort. */
int by_u64(const void *pa, const void *pb);
/* Sorts the numbers and drops repeated ones. Returns how many are left. */
size_t distinct(uint32_t *list, size_t n);

#endif
