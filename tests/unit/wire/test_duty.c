/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duty.def: the roles of people. The test has the rights of each role in a list of its own, written
 * by hand, so that a right that is given by a mistake in the table is noticed.
 * LINK: appliance/wire/duty.c appliance/base/messages.c appliance/base/errno_text.c
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/wire/duty.h"

/* Rights in the order of duty.h: state, rules, records, register of accounts; draft, approve,
 * apply, machine; accounts, log, backup, review; isolate, doors, alarms;
 * watch. */
static const struct {
	const char *word, *rights;
} expected[] = {
	{ "viewer", "11000000 0000 000 0" },
	{ "ot_author", "11101000 0000 000 0" },
	{ "approver", "11100100 0000 000 0" },
	{ "it_operator", "11100011 0000 111 0" },
	{ "account_manager", "10010000 1000 000 0" },
	{ "auditor", "11110000 0001 000 0" },
	{ "log_administrator", "10100000 0100 000 0" },
	{ "backup_operator", "10000000 0010 000 0" },
	{ "supervisor", "10000000 0000 111 0" },
	{ "display", "00000000 0000 000 1" },
};

static void every_role_has_its_rights_and_no_other(void **state)
{
	(void)state;
	assert_int_equal(DUTY_COUNT, sizeof(expected) / sizeof(expected[0]));
	for (unsigned d = 0; d < DUTY_COUNT; d++) {
		const char *at = expected[d].rights;

		assert_string_equal(duty_word(d), expected[d].word);
		assert_int_equal(duty_by_word(expected[d].word), d);
		for (unsigned r = 0; r < RIGHT_COUNT; r++, at++) {
			at += *at == ' ';
			assert_int_equal(duty_may(UINT32_C(1) << d, (enum right)r), *at == '1');
		}
		assert_int_equal(*at, 0);
	}
}

static void rights_add_up_and_nothing_else_gives_any(void **state)
{
	const uint32_t two = UINT32_C(1) << DUTY_VIEWER | UINT32_C(1) << DUTY_BACKUP;

	(void)state;
	assert_true(duty_may(two, RIGHT_READ_RULES));
	assert_true(duty_may(two, RIGHT_BACKUP));
	assert_false(duty_may(two, RIGHT_READ_EVENTS));
	assert_int_equal(duty_rights(0), 0);
	assert_int_equal(duty_rights(~DUTIES_ALL), 0);
	assert_int_equal(duty_rights(DUTIES_ALL), RIGHTS_ALL);
	assert_false(duty_may(DUTIES_ALL, RIGHT_COUNT));
	assert_int_equal(duty_by_word("root"), DUTY_COUNT);
	assert_int_equal(duty_by_word(""), DUTY_COUNT);
	assert_null(duty_word(DUTY_COUNT));
	assert_null(right_word(RIGHT_COUNT));
}

/* Separation of duties: a role that decides about a policy does not apply it, and the role that
 * gives rights has none of these. */
static void no_role_alone_changes_the_box_and_watches_itself(void **state)
{
	static const enum right apart[][2] = {
		{ RIGHT_EDIT, RIGHT_APPROVE },	     { RIGHT_APPROVE, RIGHT_APPLY },	 { RIGHT_EDIT, RIGHT_APPLY },
		{ RIGHT_ACCOUNTS, RIGHT_APPLY },     { RIGHT_ACCOUNTS, RIGHT_APPROVE },	 { RIGHT_LOG, RIGHT_APPLY },
		{ RIGHT_BACKUP, RIGHT_READ_EVENTS }, { RIGHT_BACKUP, RIGHT_READ_RULES }, { RIGHT_ACCOUNTS, RIGHT_LOG },
		{ RIGHT_REVIEW, RIGHT_APPLY },	     { RIGHT_REVIEW, RIGHT_EDIT },	 { RIGHT_REVIEW, RIGHT_LOG },
		{ RIGHT_REVIEW, RIGHT_ACCOUNTS },    { RIGHT_REVIEW, RIGHT_DOOR },
	};

	(void)state;
	for (unsigned d = 0; d < DUTY_COUNT; d++)
		for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
			assert_false(duty_may(UINT32_C(1) << d, apart[i][0]) &&
				     duty_may(UINT32_C(1) << d, apart[i][1]));
	/* An auditor may only record that they have reviewed the records. */
	for (unsigned r = RIGHT_EDIT; r < RIGHT_COUNT; r++)
		assert_int_equal(duty_may(UINT32_C(1) << DUTY_AUDITOR, (enum right)r), r == RIGHT_REVIEW);
}

static void names_are_there_in_both_languages_and_differ(void **state)
{
	(void)state;
	for (unsigned d = 0; d < DUTY_COUNT; d++)
		for (unsigned other = 0; other < d; other++)
			for (unsigned l = 0; l < LANGUAGES; l++)
				assert_string_not_equal(message_format(duty_name((enum duty)d), (enum lang)l),
							message_format(duty_name((enum duty)other), (enum lang)l));
	for (unsigned r = 0; r < RIGHT_COUNT; r++)
		assert_string_not_equal(message_format(right_name((enum right)r), LANG_EN),
					message_format(right_name((enum right)r), LANG_JA));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role_has_its_rights_and_no_other),
		cmocka_unit_test(rights_add_up_and_nothing_else_gives_any),
		cmocka_unit_test(no_role_alone_changes_the_box_and_watches_itself),
		cmocka_unit_test(names_are_there_in_both_languages_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
