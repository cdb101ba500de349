/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moments as people write them, read in the same way as `date` reads them.
 *
 * LINK: appliance/wire/hours.c mgmt/cli/words/moment.c appliance/base/clock.c
 * LINK: appliance/base/duration.c
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <time.h>

#include "appliance/base/duration.h"
#include "mgmt/cli/words/moment.h"

static void moments(void **state)
{
	static const struct {
		const char *text, *said; /* NULL: refused */
	} cases[] = {
		{ "2027-03-31T09:00:00+09:00", "2027-03-31T00:00:00.000Z" },
		{ "2027-03-31T09:00+09:00", "2027-03-31T00:00:00.000Z" },
		{ "2027-03-31T09:00:00Z", "2027-03-31T09:00:00.000Z" },
		{ "2027-01-01T03:00:00-05:30", "2027-01-01T08:30:00.000Z" },
		{ "2027-01-01T00:30:00+09:00", "2026-12-31T15:30:00.000Z" },
		{ "2028-02-29T00:00:00Z", "2028-02-29T00:00:00.000Z" },
		{ "2027-03-31", "2027-03-30T15:00:00.000Z" },
		{ "1970-01-01", NULL },
		{ "2027-02-29", NULL },
		{ "2027-02-31", NULL },
		{ "2027-04-31T00:00:00Z", NULL },
		{ "2027-13-01", NULL },
		{ "2027-03-31T09:00:60Z", NULL },
		{ "2027-03-31T24:00:00Z", NULL },
		{ "2027-03-31T09:00:00", NULL },
		{ "2027-03-31T09:00:00Z ", NULL },
		{ "", NULL },
		{ "d", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[MOMENT_TEXT];

		print_message("%s\n", cases[i].text);
		assert_int_equal(moment_parse(cases[i].text, out), cases[i].said != NULL);
		if (cases[i].said != NULL)
			assert_string_equal(out, cases[i].said);
	}
}

/* The command line reads a span of time as a policy has it, and the other way round. */
static void spans(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int64_t seconds; /* -1: refused */
	} cases[] = {
		{ "90s", 1000, 90 },
		{ "30 s", 1000, 30 },
		{ "1 min", 1000, 60 },
		{ "10min", 1000, 600 },
		{ "30m", 1800, 1800 },
		{ "2 h", 7200, 7200 },
		{ "7d", 604800, 604800 },
		{ "0h", 0, 0 },
		{ "8d", 604800, -1 },
		{ "31 m", 1800, -1 },
		{ "99999999999999999999999999s", UINT64_MAX, -1 },
		{ "18446744073709551615s", UINT64_MAX / 10, -1 },
		{ "-1s", 1000, -1 },
		{ "1  s", 1000, -1 },
		{ "1 mins", 1000, -1 },
		{ "1 s ", 1000, -1 },
		{ "s", 1000, -1 },
		{ "10", 1000, -1 },
		{ "", 1000, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t n = 0;

		print_message("%s\n", cases[i].text);
		assert_int_equal(duration_parse(cases[i].text, cases[i].max, &n), cases[i].seconds >= 0);
		if (cases[i].seconds >= 0)
			assert_int_equal(n, cases[i].seconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(moments), cmocka_unit_test(spans) };

	/* Nine hours ahead of UTC, whatever the time zone of the machine is. */
	setenv("TZ", "JST-9", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
