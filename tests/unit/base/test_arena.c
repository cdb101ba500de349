/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/base/arena.c
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/base/arena.h"

static void memory_is_zeroed_and_aligned(void **state)
{
	struct arena *a = arena_new(1u << 20);

	(void)state;
	for (size_t size = 0; size < 200; size += 7) {
		unsigned char *p = arena_alloc(a, size);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
	assert_false(arena_failed(a));
	arena_free(a);
}

static void exhaustion_is_a_value_and_stays_known(void **state)
{
	struct arena *a = arena_new(200000);
	size_t n = 0;

	(void)state;
	while (arena_alloc(a, 1000) != NULL)
		n++;
	assert_true(n > 50 && n <= 200);
	assert_true(arena_failed(a));
	assert_null(arena_array(a, SIZE_MAX / 4, 8));
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_strndup(a, "x", SIZE_MAX));
	arena_free(a);
	arena_free(NULL);
}

static void growing_keeps_what_was_there(void **state)
{
	struct arena *a = arena_new(1u << 20);
	size_t n = 0, room = 0;
	void *items = NULL;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		unsigned *slot = arena_grow(a, &items, &n, &room, sizeof(*slot));

		assert_non_null(slot);
		assert_int_equal(*slot, 0);
		*slot = i;
	}
	assert_int_equal(n, 1000);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(((unsigned *)items)[i], i);
	arena_free(a);
}

static void texts(void **state)
{
	struct arena *a = arena_new(1u << 20);

	(void)state;
	assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(a, NULL, 0), "");
	assert_string_equal(arena_printf(a, "%s-%d", "x", 7), "x-7");
	assert_true(arena_used(a) > 0);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(exhaustion_is_a_value_and_stays_known),
		cmocka_unit_test(growing_keeps_what_was_there),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
