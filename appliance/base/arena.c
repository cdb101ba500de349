/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN 65536u
#define ALIGN 16u

struct block {
	struct block *next;
	size_t size;
	size_t used;
	_Alignas(16) unsigned char data[];
};

struct arena {
	struct block *head;
	size_t budget;
	size_t taken; /* bytes asked from malloc */
	size_t used;
	bool failed;
};

struct arena *arena_new(size_t budget_bytes)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->budget = budget_bytes;
	return a;
}

void arena_free(struct arena *a)
{
	struct block *b, *next;

	if (a == NULL)
		return;
	for (b = a->head; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct block *b = a->head;
	size_t need, want;
	void *p;

	if (size > SIZE_MAX / 2) {
		a->failed = true;
		return NULL;
	}
	need = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (b == NULL || need > b->size - b->used) {
		want = need > BLOCK_MIN ? need : BLOCK_MIN;
		if (want > a->budget - a->taken) {
			a->failed = true;
			return NULL;
		}
		b = calloc(1, sizeof(*b) + want);
		if (b == NULL) {
			a->failed = true;
			return NULL;
		}
		b->size = want;
		b->next = a->head;
		a->head = b;
		a->taken += want;
	}
	p = b->data + b->used;
	b->used += need;
	a->used += need;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size) {
		a->failed = true;
		return NULL;
	}
	return arena_alloc(a, n * size);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

	if (p != NULL && n > 0)
		memcpy(p, s, n);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0)
		p = arena_alloc(a, (size_t)n + 1);
	if (p != NULL)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

void arena_fail(struct arena *a)
{
	a->failed = true;
}

bool arena_failed(const struct arena *a)
{
	return a->failed;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

void *arena_grow(struct arena *a, void **items, size_t *n, size_t *room, size_t size)
{
	if (*n == *room) {
		size_t more = *room ? *room * 2 : 8;
		void *p = arena_array(a, more, size);

		if (p == NULL)
			return NULL;
		if (*n > 0)
			memcpy(p, *items, *n * size);
		*items = p;
		*room = more;
	}
	return (unsigned char *)*items + (*n)++ * size;
}
