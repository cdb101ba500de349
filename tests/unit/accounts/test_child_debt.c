/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open questions to a child of the role accounts: a child that does not answer is reported as hung
 * after a while, one that answers slowly is not, and an answer that nobody asked for is reported.
 *
 * LINK: appliance/accounts/child.c appliance/base/err.c appliance/base/errno_text.c
 * LINK: appliance/base/messages.c
 */
#include "tests/unit/cmocka.h"

#include "appliance/accounts/child.h"

#define LONG CHILD_NS

static struct mono at(uint64_t ns)
{
	return (struct mono){ ns };
}

static void who_owes_nothing_never_hangs(void **state)
{
	struct child_debt d = { 0 };

	(void)state;
	assert_false(child_hangs(&d, at(10 * LONG)));
	child_asked(&d, at(10 * LONG));
	assert_false(child_hangs(&d, at(10 * LONG - 1)));
	assert_false(child_hangs(&d, at(11 * LONG - 1)));
	assert_true(child_answered(&d, at(11 * LONG - 1)));
	assert_false(child_hangs(&d, at(100 * LONG)));
}

static void who_does_not_answer_hangs(void **state)
{
	struct child_debt d = { 0 };

	(void)state;
	child_asked(&d, at(5));
	/* Later questions do not make this one younger. */
	child_asked(&d, at(LONG));
	assert_false(child_hangs(&d, at(LONG + 4)));
	assert_true(child_hangs(&d, at(LONG + 5)));
}

static void who_answers_slowly_does_not(void **state)
{
	struct child_debt d = { 0 };

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		child_asked(&d, at(0));
	for (uint64_t i = 1; i <= 4; i++) {
		assert_false(child_hangs(&d, at(i * (LONG - 1))));
		assert_true(child_answered(&d, at(i * (LONG - 1))));
	}
	assert_false(child_hangs(&d, at(100 * LONG)));
}

static void an_answer_that_nobody_asked_for(void **state)
{
	struct child_debt d = { 0 };

	(void)state;
	assert_false(child_answered(&d, at(1)));
	child_asked(&d, at(2));
	assert_true(child_answered(&d, at(3)));
	assert_false(child_answered(&d, at(4)));
	assert_false(child_hangs(&d, at(100 * LONG)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_owes_nothing_never_hangs),
		cmocka_unit_test(who_does_not_answer_hangs),
		cmocka_unit_test(who_answers_slowly_does_not),
		cmocka_unit_test(an_answer_that_nobody_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
