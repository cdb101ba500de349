/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates that sessions share: which are shared, when one is free again, and that none changes
 * while somebody uses it.
 *
 * LINK: appliance/worker/template.c
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/worker/template.h"

static struct once_template memory[ONCE_TEMPLATES];
static struct templates all;

static struct once_template asks(uint64_t what)
{
	return (struct once_template){ .permit = 1, .length = 12, .request = { what } };
}

static int setup(void **state)
{
	(void)state;
	templates_begin(&all, memory);
	return 0;
}

static void equal_ones_are_shared(void **state)
{
	struct once_template a = asks(1), b = asks(2), elsewhere = asks(1);
	uint32_t at = template_take(&all, &a), other = template_take(&all, &b);

	(void)state;
	elsewhere.permit = 2;
	assert_int_equal(template_take(&all, &a), at);
	assert_int_not_equal(other, at);
	assert_int_not_equal(template_take(&all, &elsewhere), at);
	template_drop(&all, at);
	assert_int_equal(template_take(&all, &a), at);
}

static void no_room_while_all_are_used(void **state)
{
	struct once_template more = asks(ONCE_TEMPLATES), one = asks(7);
	uint32_t at = ONCE_TEMPLATES;

	(void)state;
	for (uint32_t i = 0; i < ONCE_TEMPLATES; i++) {
		struct once_template t = asks(i);
		uint32_t place = template_take(&all, &t);

		assert_true(place < ONCE_TEMPLATES);
		at = i == 7 ? place : at;
	}
	assert_int_equal(template_take(&all, &more), ONCE_TEMPLATES);
	assert_int_equal(template_take(&all, &one), at);
	template_drop(&all, at);
	assert_int_equal(template_take(&all, &more), ONCE_TEMPLATES); /* one user is left */
	template_drop(&all, at);
	assert_int_equal(template_take(&all, &more), at);
	assert_memory_equal(&memory[at], &more, sizeof(more));
	assert_int_equal(template_take(&all, &one), ONCE_TEMPLATES);
}

/* Random users: as many as a plain count says, and each finds its own contents. */
static void as_a_plain_count(void **state)
{
	uint32_t users[1500] = { 0 }, places[1500], used = 0, seed = 1;

	(void)state;
	for (uint32_t n = 0; n < 200000; n++) {
		uint32_t what = (seed = seed * 1664525u + 1013904223u) >> 8, k = what % 1500;
		struct once_template t = asks(k);

		if ((what & 0x8000) != 0 && users[k] > 0) {
			template_drop(&all, places[k]);
			used -= --users[k] == 0;
			continue;
		}
		if (users[k] == 0 && used == ONCE_TEMPLATES) {
			assert_int_equal(template_take(&all, &t), ONCE_TEMPLATES);
			continue;
		}
		places[k] = template_take(&all, &t);
		assert_memory_equal(&memory[places[k]], &t, sizeof(t));
		used += users[k]++ == 0;
	}
	for (uint32_t k = 0; k < 1500; k++) {
		struct once_template t = asks(k);

		assert_true(users[k] == 0 || memcmp(&memory[places[k]], &t, sizeof(t)) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(equal_ones_are_shared, setup),
		cmocka_unit_test_setup(no_room_while_all_are_used, setup),
		cmocka_unit_test_setup(as_a_plain_count, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
