/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an enforcer describes a request that was just answered: in a template, by which the kernel
 * recognises a repetition of the request, and the answer to it (appliance/wire/once.h). A
 * repetition has to be equal except for the bytes that may differ; its answer may be anything
 * except for the bytes that are prescribed. Pure.
 */
#ifndef SEKISHO_DPI_ONCE_H
#define SEKISHO_DPI_ONCE_H

#include <string.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/once.h"

/* Begins a template. `answer`: length of the answer in bytes. False: one of the two is too long. */
static inline bool once_begin(struct once_template *t, struct bytes request, size_t answer)
{
	size_t n = request.left;

	memset(t, 0, sizeof(*t));
	if (n == 0 || n > ONCE_REQUEST || answer == 0 || answer > ONCE_ANSWER)
		return false;
	t->length = (uint16_t)n;
	t->answer = (uint16_t)answer;
	memset(t->mask, 0xff, n);
	return bytes_copy(&request, (uint8_t *)t->request, n);
}

/* The `n` bytes of the request from `at` on may differ, and the answer repeats them from `to` on.
 * False: the template has no room for this. */
static inline bool once_repeats(struct once_template *t, size_t at, size_t to, size_t n)
{
	uint32_t k = 0;

	while (k < ONCE_REPEATS && t->repeats[k].any != 0)
		k++;
	if (n > ONCE_REPEATS - k || n > t->length || at > t->length - n || n > t->answer || t->answer - n < to ||
	    n > ONCE_HEAD || to > ONCE_HEAD - n)
		return false;
	memset((uint8_t *)t->mask + at, 0, n);
	for (uint32_t i = 0; i < n; i++)
		t->repeats[k + i] =
			(struct once_repeat){ .at = (uint8_t)(to + i), .from = (uint8_t)(at + i), .any = 0xff };
	return true;
}

/* The answer must have these `n` bytes from `at` on. False: the template has no room for this. */
static inline bool once_says(struct once_template *t, size_t at, const void *what, size_t n)
{
	if (n > ONCE_HEAD || at > ONCE_HEAD - n || n > t->answer || at > t->answer - n)
		return false;
	memcpy((uint8_t *)t->head + at, what, n);
	memset((uint8_t *)t->head_mask + at, 0xff, n);
	return true;
}

#endif
