/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A region with a byte budget: allocate freely, free everything at once. Memory comes zeroed.
 * Exhaustion is a value (NULL), never an abort; `arena_failed` stays set so that a stage may check
 * once at its end.
 */
#ifndef SEKISHO_BASE_ARENA_H
#define SEKISHO_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(size_t budget_bytes); /* owned by the caller; NULL when memory is out */
void arena_free(struct arena *a);	      /* accepts NULL */
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t n, size_t size); /* overflow is a failure */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool arena_failed(const struct arena *a);
/* Marks the arena as failed, for a user whose allocation elsewhere failed. */
void arena_fail(struct arena *a);
size_t arena_used(const struct arena *a);

/*
 * A growing array inside an arena: *items points at *n items of `size` bytes with room for *room.
 * Returns the new, zeroed slot (and counts it) or NULL. Old storage stays in the arena, so earlier
 * pointers stay readable but stale.
 */
void *arena_grow(struct arena *a, void **items, size_t *n, size_t *room, size_t size);

#endif
