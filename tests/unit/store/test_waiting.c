/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which conduits wait for a trusted clock, by name, in a list with as many conduits as a policy may
 * have.
 *
 * LINK: appliance/store/in_force.c appliance/store/generation.c appliance/store/history.c
 * LINK: appliance/store/moment.c $(BASE_SRC) $(WIRE_SRC)
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "appliance/store/in_force.h"

#define NOW 1000u

/* A third of the conduits has ended, a third will end, a third has no end. */
static struct ir policy(uint32_t n)
{
	struct ir ir = { .conduits = calloc(n, sizeof(*ir.conduits)), .n_conduits = n };

	assert_non_null(ir.conduits);
	for (uint32_t i = 0; i < n; i++) {
		static const uint64_t ends[] = { NOW, NOW + 1, 0 };
		char *name = malloc(24);

		assert_non_null(name);
		snprintf(name, 24, "conduit-%u", i);
		ir.conduits[i].name = name;
		ir.conduits[i].until = ends[i % 3];
	}
	return ir;
}

static void policy_end(struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_conduits; i++)
		free((void *)(uintptr_t)ir->conduits[i].name);
	free(ir->conduits);
}

static json_t *shown(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		json_array_append_new(list, json_pack("{s:s}", "name", ir->conduits[i].name));
	return list;
}

static void those_whose_end_lies_ahead(void **state)
{
	struct ir ir = policy(7);
	json_t *names = waiting_names(&ir, NOW), *list = shown(&ir);

	(void)state;
	assert_int_equal(waiting_count(&ir, NOW), 2);
	assert_int_equal(json_array_size(names), 2);
	assert_string_equal(json_string_value(json_array_get(names, 0)), "conduit-1");
	assert_string_equal(json_string_value(json_array_get(names, 1)), "conduit-4");
	/* A conduit that the role enforce knows and this policy does not, and one without a
	 * name. */
	json_array_append_new(list, json_pack("{s:s}", "name", "conduit-11"));
	json_array_append_new(list, json_object());
	for (int waits = 0; waits < 2; waits++) {
		waiting_mark(&ir, NOW, waits != 0, list);
		for (size_t i = 0; i < json_array_size(list); i++) {
			json_t *is = json_object_get(json_array_get(list, i), "waits");

			assert_true(json_is_boolean(is));
			assert_int_equal(json_is_true(is), waits != 0 && i < 7 && i % 3 == 1);
		}
	}
	json_decref(names);
	json_decref(list);
	policy_end(&ir);
}

/* Processor time of one comparison in ns. */
static uint64_t takes(uint32_t n)
{
	struct ir ir = policy(n);
	json_t *list = shown(&ir);
	struct timespec from, to;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	waiting_mark(&ir, NOW, true, list);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	json_decref(list);
	policy_end(&ir);
	return (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000u + (uint64_t)to.tv_nsec - (uint64_t)from.tv_nsec;
}

/* Sixteen times as many conduits must not take 256 times as long, because the supervisor's thread
 * has other things to do. */
static void as_many_as_there_are(void **state)
{
	uint64_t few = UINT64_MAX, many = UINT64_MAX;

	(void)state;
	/* The smallest of several measurements: the first one touches fresh memory, and other
	 * processes run at the same time. */
	for (unsigned i = 0; i < 5; i++) {
		uint64_t a = takes(625), b = takes(10000);

		few = a < few ? a : few;
		many = b < many ? b : many;
	}
	if (many > 100 * few)
		fail_msg("625 conduits take %llu ns, 10,000 take %llu", (unsigned long long)few,
			 (unsigned long long)many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_whose_end_lies_ahead),
		cmocka_unit_test(as_many_as_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
