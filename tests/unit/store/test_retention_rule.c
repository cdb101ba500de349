/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule for the journal, and whether the journal follows it: every difference is found, and a
 * missing answer is no difference.
 *
 * LINK: appliance/store/in_force.c appliance/store/generation.c appliance/store/history.c
 * LINK: appliance/store/moment.c $(BASE_SRC) $(WIRE_SRC)
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include "appliance/store/in_force.h"

static void of_the_confirmed_policy(void **state)
{
	const struct ir ir = { .keep_days = 400, .delete_after_days = 800 };
	struct msg_retention r = retention_now(&ir, 0, true);

	(void)state;
	assert_int_equal(r.keep_days, 400);
	assert_int_equal(r.delete_after_days, 800);
	r = retention_now(&ir, 7, true);
	assert_int_equal(r.keep_days, 0);
	assert_int_equal(r.delete_after_days, 0);
	/* If the clock may be wrong, nothing is deleted. */
	r = retention_now(&ir, 0, false);
	assert_int_equal(r.keep_days, 0);
	assert_int_equal(r.delete_after_days, 0);
}

static void against_its_word(void **state)
{
	static const struct msg_retention rules[] = { { 0, 0 }, { 400, 800 }, { 400, 801 }, { 399, 800 } };
	char is[RETENTION_TEXT], want[RETENTION_TEXT];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		json_t *says = json_pack("{s:i, s:i, s:s}", "keep_days", (int)rules[i].keep_days, "delete_after_days",
					 (int)rules[i].delete_after_days, "head", "00"),
		       *shown = retention_json(says);

		assert_int_equal(json_object_size(shown), 2);
		assert_int_equal(json_integer_value(json_object_get(shown, "keep_days")), rules[i].keep_days);
		assert_int_equal(json_integer_value(json_object_get(shown, "delete_after_days")),
				 rules[i].delete_after_days);
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(retention_differs(says, &rules[k], is, want), i != k);
		json_decref(shown);
		json_decref(says);
	}
	assert_string_equal(is, "keep_days 399, delete_after_days 800");
	assert_string_equal(want, "keep_days 400, delete_after_days 801");
}

static void no_word(void **state)
{
	json_t *other = json_pack("{s:i, s:s}", "keep_days", 400, "delete_after_days", "800");
	char is[RETENTION_TEXT], want[RETENTION_TEXT];
	const json_t *const says[] = { NULL, other };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		json_t *shown = retention_json(says[i]);

		assert_true(json_is_null(shown));
		assert_false(retention_differs(says[i], &(struct msg_retention){ 1, 2 }, is, want));
		json_decref(shown);
	}
	json_decref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_the_confirmed_policy),
		cmocka_unit_test(against_its_word),
		cmocka_unit_test(no_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
