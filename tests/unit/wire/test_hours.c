/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/wire/hours.c
 */
/*
 * Windows of time by the local clocks of a place, and the time of an open door. Times are written
 * in UTC. If the machine does not have the time zones, the C library is not asked: each case states
 * what the local clocks show.
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/wire/hours.h"

#define FRI 32u
#define SAT 64u

static uint64_t utc(const char *text)
{
	struct tm tm = { 0 };

	assert_non_null(strptime(text, "%Y-%m-%dT%H:%M", &tm));
	return (uint64_t)timegm(&tm);
}

static uint32_t day(const char *text)
{
	struct tm tm = { 0 };

	assert_non_null(strptime(text, "%Y-%m-%d", &tm));
	return (uint32_t)(timegm(&tm) / 86400);
}

static struct time_zone zone(const char *place)
{
	struct time_zone z;

	assert_true(time_zone_parse(time_zone_of(place) != NULL ? time_zone_of(place) : place, &z));
	return z;
}

static void is_open(const struct times *t, const struct time_zone *z, const char *at, const char *until)
{
	uint64_t end, next;

	assert_true(times_hold(t, z, utc(at), &end, &next));
	assert_int_equal(end, until != NULL ? utc(until) : 0);
}

static void is_shut(const struct times *t, const struct time_zone *z, const char *at, const char *from)
{
	uint64_t end, next;

	assert_false(times_hold(t, z, utc(at), &end, &next));
	assert_int_equal(next, from != NULL ? utc(from) : 0);
}

static void a_window_of_the_week(void **state)
{
	const uint32_t except[] = { day("2027-01-01") };
	const struct window w = { .days = FRI,
				  .from = 540,
				  .to = 1020,
				  .first = day("2026-12-04"),
				  .last = day("2027-03-26"),
				  .except = except,
				  .n_except = 1 };
	const struct times t = { .within = &w };
	struct time_zone z = zone("Asia/Tokyo");

	(void)state;
	is_shut(&t, &z, "2026-11-27T03:00", "2026-12-04T00:00"); /* a Friday before the first day */
	is_shut(&t, &z, "2026-12-03T23:59", "2026-12-04T00:00");
	is_open(&t, &z, "2026-12-04T00:00", "2026-12-04T08:00");
	is_open(&t, &z, "2026-12-04T07:59", "2026-12-04T08:00");
	is_shut(&t, &z, "2026-12-04T08:00", "2026-12-11T00:00");
	is_shut(&t, &z, "2026-12-25T08:00", "2027-01-08T00:00"); /* 1 January is excepted */
	is_shut(&t, &z, "2027-01-01T03:00", "2027-01-08T00:00");
	is_open(&t, &z, "2027-03-26T07:59", "2027-03-26T08:00");
	is_shut(&t, &z, "2027-03-26T08:00", NULL);
}

static void across_midnight(void **state)
{
	const struct window w = { .days = SAT, .from = 1320, .to = 240 }, all = { .days = FRI | SAT, .to = 1440 };
	const struct window always = { .days = WEEK_DAYS, .to = 1440 };
	const struct times t = { .within = &w }, whole = { .within = &all }, ever = { .within = &always };
	struct time_zone z = zone("Asia/Tokyo");
	uint64_t end, next;

	(void)state;
	is_shut(&t, &z, "2026-12-05T12:59", "2026-12-05T13:00");
	is_open(&t, &z, "2026-12-05T15:00", "2026-12-05T19:00"); /* the interval ends on Sunday */
	is_shut(&t, &z, "2026-12-05T19:00", "2026-12-12T13:00");
	/* the night of Friday is not included */
	is_shut(&t, &z, "2026-12-04T15:30", "2026-12-05T13:00");
	/* Two whole days are one interval: nothing ends at midnight. */
	is_open(&whole, &z, "2026-12-03T15:00", "2026-12-05T15:00");
	is_open(&whole, &z, "2026-12-04T15:00", "2026-12-05T15:00");
	/* Hours without an end have an end in the far future. */
	assert_true(times_hold(&ever, &z, utc("2026-12-04T15:00"), &end, &next));
	assert_true(end >= utc("2027-12-04T15:00"));
}

static void clocks_put_forward_and_back(void **state)
{
	const struct window night = { .days = WEEK_DAYS, .from = 60, .to = 240 };
	const struct window gap = { .days = WEEK_DAYS, .from = 120, .to = 180 },
			    before = { .days = WEEK_DAYS, .from = 60, .to = 150 },
			    behind = { .days = WEEK_DAYS, .from = 150, .to = 240 };
	const struct times t = { .within = &night }, g = { .within = &gap }, b = { .within = &before },
			   h = { .within = &behind };
	struct time_zone z = zone("Europe/Berlin"), south = zone("Australia/Sydney");

	(void)state;
	/* An ordinary night of three hours, one of two hours, one of four. */
	is_open(&t, &z, "2027-03-27T00:00", "2027-03-27T03:00");
	is_open(&t, &z, "2027-03-28T00:00", "2027-03-28T02:00");
	is_open(&t, &z, "2027-10-30T23:00", "2027-10-31T03:00");
	is_shut(&t, &z, "2027-10-31T03:00", "2027-11-01T00:00");
	/* The hours from two to three do not exist on that day in March: the next ones are on the
	 * day after. */
	is_shut(&g, &z, "2027-03-27T02:00", "2027-03-29T00:00");
	/* in October two o'clock comes once, and the interval ends when three o'clock comes
	 * first */
	is_open(&g, &z, "2027-10-31T00:00", "2027-10-31T02:00");
	/* Half past two is the moment of the change in March, and the first of two in October. The
	 * intervals meet without a gap and without an overlap. */
	is_open(&b, &z, "2027-03-28T00:30", "2027-03-28T01:00");
	is_open(&h, &z, "2027-03-28T01:00", "2027-03-28T02:00");
	is_open(&b, &z, "2027-10-31T00:00", "2027-10-31T00:30");
	is_open(&h, &z, "2027-10-31T00:30", "2027-10-31T03:00");
	is_shut(&b, &z, "2027-10-31T01:00", "2027-11-01T00:00"); /* after half past two */
	/* A place where the year begins in summer. */
	is_open(&t, &south, "2026-12-31T14:00", "2026-12-31T17:00");
	is_open(&t, &south, "2027-10-02T15:00", "2027-10-02T17:00");
	is_open(&t, &south, "2027-07-01T15:00", "2027-07-01T18:00");
}

static void a_start_and_an_end(void **state)
{
	const struct window w = { .days = FRI, .from = 540, .to = 1020 };
	struct times t = { .starts = utc("2026-12-04T03:00"), .until = utc("2026-12-11T03:00") };
	struct time_zone z = zone("Asia/Tokyo");

	(void)state;
	is_shut(&t, &z, "2026-12-04T02:59", "2026-12-04T03:00");
	is_open(&t, &z, "2026-12-04T03:00", "2026-12-11T03:00");
	is_shut(&t, &z, "2026-12-11T03:00", NULL);
	t.within = &w; /* from the middle of the first interval to the middle of the second */
	is_shut(&t, &z, "2026-11-27T03:00", "2026-12-04T03:00");
	is_open(&t, &z, "2026-12-04T03:00", "2026-12-04T08:00");
	is_open(&t, &z, "2026-12-11T01:00", "2026-12-11T03:00");
	is_shut(&t, &z, "2026-12-11T03:00", NULL);
	t.until = utc("2026-12-11T00:00"); /* the time at which the second interval would begin */
	is_shut(&t, &z, "2026-12-04T08:00", NULL);
}

/* A door adds nothing to the hours: with both, it is open until the first of them ends. */
static void a_door(void **state)
{
	const struct window w = { .days = FRI, .from = 540, .to = 1020 };
	uint64_t open = 0;
	struct times t = { .door = &open };
	struct time_zone z = zone("Asia/Tokyo");

	(void)state;
	assert_true(times_open(&t));
	is_shut(&t, &z, "2026-12-04T03:00", NULL);
	open = utc("2026-12-04T04:00");
	is_open(&t, &z, "2026-12-04T03:00", "2026-12-04T04:00");
	is_shut(&t, &z, "2026-12-04T04:00", NULL);
	t.within = &w;
	is_open(&t, &z, "2026-12-04T03:00", "2026-12-04T04:00");
	is_shut(&t, &z, "2026-12-03T23:00", "2026-12-04T00:00");
	open = utc("2026-12-04T09:00"); /* an hour longer than the window */
	is_open(&t, &z, "2026-12-04T03:00", "2026-12-04T08:00");
	is_shut(&t, &z, "2026-12-04T08:30", NULL);
	t.until = utc("2026-12-04T03:30");
	is_open(&t, &z, "2026-12-04T03:00", "2026-12-04T03:30");
}

static void what_is_no_zone(void **state)
{
	static const char *const bad[] = { "",
					   "JST",
					   "Tokyo/Asia",
					   "JST-9:60",
					   "JST-99",
					   "CET-1CEST",
					   "CET-1CEST,M3.5.0",
					   "CET-1CEST,M13.5.0,M10.5.0",
					   "JST-9 ",
					   "CET-1CEST,J60,J300",
					   "CET-1CEST,M3.0.0,M10.5.0",
					   "<+09-9" };
	struct time_zone z;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(time_zone_parse(bad[i], &z));
	for (size_t i = 0; time_zone_place(i) != NULL; i++)
		assert_true(time_zone_parse(time_zone_of(time_zone_place(i)), &z));
	z = zone("<+0530>-5:30");
	assert_int_equal(z.standard_s, 19800);
	assert_int_equal(time_zone_day(&z, utc("2026-12-03T18:29")), day("2026-12-03"));
	assert_int_equal(time_zone_day(&z, utc("2026-12-03T18:30")), day("2026-12-04"));
	assert_int_equal(time_zone_moment(&z, HOURS_DAY_MAX, 0), utc("2199-12-31T00:00") - 19800);
}

/* Whatever the machine's zone, people read times in the site's. */
static void times_for_people(void **state)
{
	char text[MOMENT_FOR_PEOPLE];
	struct tm day = { .tm_year = 126, .tm_mon = 10, .tm_mday = 20 };

	(void)state;
	setenv("TZ", "EST5", 1);
	tzset();
	moment_text(1795162211000000000u, text);
	assert_string_equal(text, "2026-11-20 03:10:11 EST");
	people_zone("JST-9");
	moment_text(1795162211000000000u, text);
	assert_string_equal(text, "2026-11-20 17:10:11 JST");
	minute_text(1795162200, text);
	assert_string_equal(text, "2026-11-20 17:10 JST");
	assert_int_equal(people_day(&day), 1795100400);
	people_zone("<+0530>-5:30");
	moment_text(1795162211000000000u, text);
	assert_string_equal(text, "2026-11-20 13:40:11 +0530");
	people_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	moment_text(1784793600000000000u, text);
	assert_string_equal(text, "2026-07-23 10:00:00 CEST");
	moment_text(1795162211000000000u, text);
	assert_string_equal(text, "2026-11-20 09:10:11 CET");
	/* A policy without a zone: that of the machine. */
	people_zone("");
	moment_text(1795162211000000000u, text);
	assert_string_equal(text, "2026-11-20 03:10:11 EST");
	people_utc();
	people_zone("JST-9");
	moment_text(1795162211000000000u, text);
	assert_string_equal(text, "2026-11-20 08:10:11 UTC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_of_the_week),
		cmocka_unit_test(across_midnight),
		cmocka_unit_test(clocks_put_forward_and_back),
		cmocka_unit_test(a_start_and_an_end),
		cmocka_unit_test(a_door),
		cmocka_unit_test(what_is_no_zone),
		cmocka_unit_test(times_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
