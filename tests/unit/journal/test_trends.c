/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts for charts over time: each is in its hour, before and after a restart, for 400 days and no
 * longer. The file never grows beyond its limit, whoever fills it. Wrong clocks and damaged files
 * destroy no more than they must.
 * LINK: appliance/journal/trends.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/clock.c appliance/base/memfd.c appliance/base/err.c
 * LINK: appliance/base/sha256.c
 * LINK: appliance/base/errno_text.c appliance/base/messages.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/journal/trends.h"

#define H 3600ull
#define D (24 * H)
#define NOW (20000 * D + 10 * H + 5) /* 10:00:05 of a day */

static char folder[] = "/tmp/sekisho-trends-XXXXXX";
static int dirfd_;
static struct trends t;

static int anew(void **state)
{
	(void)state;
	trends_close(&t);
	unlinkat(dirfd_, "trends", 0);
	unlinkat(dirfd_, "trends.damaged", 0);
	return trends_open(dirfd_, NOW - 500 * D, &t);
}

static void again(uint64_t wall_s)
{
	trends_save(&t);
	trends_close(&t);
	assert_int_equal(trends_open(dirfd_, wall_s, &t), 0);
}

/* The count `back` steps before the last one; -1 = there is no such series. */
static json_int_t at(bool days, int32_t east_s, uint64_t wall_s, const char *what, const char *of, size_t back)
{
	json_t *j = trends_json(&t, days, east_s, wall_s), *s;
	json_int_t n = -1;
	size_t i;

	assert_non_null(j);
	json_array_foreach(json_object_get(j, "series"), i, s) {
		const char *name = json_string_value(json_object_get(s, "of"));
		const json_t *v = json_object_get(s, "values");

		assert_int_equal(json_array_size(v), json_integer_value(json_object_get(j, "steps")));
		if (strcmp(json_string_value(json_object_get(s, "what")), what) == 0 &&
		    (name == NULL ? of == NULL : of != NULL && strcmp(name, of) == 0))
			n = json_integer_value(json_array_get(v, json_array_size(v) - 1 - back));
	}
	json_decref(j);
	return n;
}

static void what_is_counted_stands_in_its_hour_over_a_start(void **state)
{
	(void)state;
	trends_add(&t, TREND_SESSIONS, "a", NOW - 2 * H, 3);
	trends_add(&t, TREND_SESSIONS, "a", NOW - 2 * H + 60, 4);
	trends_add(&t, TREND_SESSIONS, "a", NOW, 5);
	trends_add(&t, TREND_REFUSED, "a", NOW, 9);
	trends_add(&t, TREND_P99_US, "", NOW - H, 80);
	trends_add(&t, TREND_P99_US, "", NOW - H, 70);
	trends_add(&t, TREND_P99_US, "", NOW - 3 * H, 60);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(at(false, 0, NOW, "sessions", "a", 0), 5);
		assert_int_equal(at(false, 0, NOW, "sessions", "a", 1), 0);
		assert_int_equal(at(false, 0, NOW, "sessions", "a", 2), 7);
		assert_int_equal(at(false, 0, NOW, "refused", "a", 0), 9);
		assert_int_equal(at(false, 0, NOW, "p99_us", NULL, 1), 80);
		assert_int_equal(at(true, 0, NOW, "sessions", "a", 0), 12);
		assert_int_equal(at(true, 0, NOW, "p99_us", NULL, 0), 80);
		again(NOW);
	}
	trends_add(&t, TREND_SESSIONS, "a", NOW, 1);
	assert_int_equal(at(false, 0, NOW, "sessions", "a", 0), 6);
	trends_add(&t, TREND_SESSIONS, "a", NOW, UINT64_MAX);
	assert_int_equal(at(false, 0, NOW, "sessions", "a", 0), UINT32_MAX);
}

/* Midnight in Tokyo is 15:00 UTC. */
static void days_begin_where_people_are(void **state)
{
	const uint64_t day = 20000 * D;

	(void)state;
	trends_add(&t, TREND_SERIOUS, "", day + 14 * H, 1);
	trends_add(&t, TREND_SERIOUS, "", day + 15 * H, 10);
	assert_int_equal(at(true, 0, day + 15 * H, "serious", NULL, 0), 11);
	assert_int_equal(at(true, 9 * 3600, day + 15 * H, "serious", NULL, 0), 10);
	assert_int_equal(at(true, 9 * 3600, day + 15 * H, "serious", NULL, 1), 1);
	assert_int_equal(at(true, -5 * 3600, day + 15 * H, "serious", NULL, 0), 11);
}

static void it_is_kept_for_400_days_and_no_longer(void **state)
{
	(void)state;
	trends_add(&t, TREND_SESSIONS, "a", NOW - 399 * D, 1);
	trends_add(&t, TREND_SESSIONS, "a", NOW - 398 * D, 2);
	assert_int_equal(at(true, 0, NOW, "sessions", "a", 399), 1);
	/* Its place in the ring is now used for the present hour. */
	trends_add(&t, TREND_SESSIONS, "a", NOW + D, 5);
	assert_int_equal(at(true, 0, NOW + D, "sessions", "a", 0), 5);
	assert_int_equal(at(true, 0, NOW + D, "sessions", "a", 399), 2);
	for (size_t i = 1; i < 399; i++)
		assert_int_equal(at(true, 0, NOW + D, "sessions", "a", i), 0);
	again(NOW + D);
	assert_int_equal(at(true, 0, NOW + 402 * D, "sessions", "a", 0), -1);
	trends_add(&t, TREND_SESSIONS, "a", NOW + 900 * D, 7);
	for (size_t i = 1; i < 400; i++)
		assert_int_equal(at(true, 0, NOW + 900 * D, "sessions", "a", i), 0);
}

static off_t size(void)
{
	struct stat st;

	assert_int_equal(fstatat(dirfd_, "trends", &st, 0), 0);
	return st.st_size;
}

/* More names than places: the others are counted without their names. Only names are lost, and the
 * file stays within its limit. A place is free again when its name did not come for 400 days. */
static void strangers_fill_no_more_than_their_places(void **state)
{
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 3 * TRENDS_SERIES; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		trends_add(&t, TREND_REFUSED, name, NOW, 1);
		trends_add(&t, TREND_SESSIONS, "", NOW, 1);
	}
	assert_int_equal(at(false, 0, NOW, "refused", "c0", 0), 1);
	assert_int_equal(at(false, 0, NOW, "refused", "c700", 0), -1);
	assert_int_equal(at(false, 0, NOW, "sessions", NULL, 0), 3 * TRENDS_SERIES);
	assert_in_range(at(false, 0, NOW, "refused", NULL, 0), 2 * TRENDS_SERIES, 2 * TRENDS_SERIES + TREND_COUNT + 1);
	again(NOW);
	assert_true(size() <= (off_t)TRENDS_BYTES);
	trends_add(&t, TREND_SERIOUS, "", NOW, 1);
	assert_int_equal(at(false, 0, NOW, "serious", NULL, 0), 1);
	trends_add(&t, TREND_REFUSED, "later", NOW + 401 * D, 4);
	assert_int_equal(at(false, 0, NOW + 401 * D, "refused", "later", 0), 4);
	for (size_t i = 1; i < TRENDS_RECENT; i++)
		assert_int_equal(at(false, 0, NOW + 401 * D, "refused", "later", i), 0);
	trends_add(&t, TREND_SESSIONS,
		   "a name of more than sixty-four bytes, which no conduit of a policy can have at all", NOW, 2);
	assert_int_equal(at(false, 0, NOW, "sessions", NULL, 0), 3 * TRENDS_SERIES + 2);
}

static void clocks_that_were_wrong(void **state)
{
	(void)state;
	trends_add(&t, TREND_SESSIONS, "a", NOW, 5);
	/* The clock goes two days ahead, and back. */
	trends_add(&t, TREND_SESSIONS, "a", NOW + 2 * D, 1);
	trends_add(&t, TREND_SESSIONS, "a", NOW, 2);
	trends_add(&t, TREND_SESSIONS, "a", NOW + H, 3);
	assert_int_equal(at(false, 0, NOW + H, "sessions", "a", 0), 3);
	assert_int_equal(at(false, 0, NOW + H, "sessions", "a", 1), 7);
	/* The clock goes ten years ahead, and back: earlier counts are gone, later ones are
	 * kept. */
	trends_add(&t, TREND_SESSIONS, "a", NOW + 3652 * D, 1);
	trends_add(&t, TREND_SESSIONS, "a", NOW + 2 * H, 4);
	assert_int_equal(at(false, 0, NOW + 2 * H, "sessions", "a", 0), 4);
	assert_int_equal(at(false, 0, NOW + 2 * H, "sessions", "a", 1), 0);
	again(NOW);
	assert_int_equal(at(false, 0, NOW + 2 * H, "sessions", "a", 0), 4);
}

static void marks_are_the_last_ones(void **state)
{
	json_t *j, *marks;

	(void)state;
	trends_add(&t, TREND_SESSIONS, "a", NOW, 5);
	trends_mark(&t, NOW - 20 * D, 1, false);
	trends_mark(&t, NOW - 10, 2, false);
	trends_mark(&t, NOW, 1, true);
	again(NOW);
	j = trends_json(&t, false, 0, NOW);
	marks = json_object_get(j, "marks");
	assert_int_equal(json_array_size(marks), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(marks, 0), "generation")), 2);
	assert_false(json_is_true(json_object_get(json_array_get(marks, 0), "back")));
	assert_true(json_is_true(json_object_get(json_array_get(marks, 1), "back")));
	json_decref(j);
	for (uint32_t i = 0; i < 2 * TRENDS_MARKS; i++)
		trends_mark(&t, NOW, i, false);
	again(NOW);
	j = trends_json(&t, false, 0, NOW);
	marks = json_object_get(j, "marks");
	assert_int_equal(json_array_size(marks), TRENDS_MARKS);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(marks, 0), "generation")), TRENDS_MARKS);
	json_decref(j);
	assert_int_equal(at(false, 0, NOW, "sessions", "a", 0), 5);
}

/* Whatever is damaged in the file: the counts begin anew, and the damaged file is kept beside
 * them. */
static void what_is_damaged_begins_anew(void **state)
{
	int fd;

	(void)state;
	trends_add(&t, TREND_SESSIONS, "a", NOW, 5);
	trends_save(&t);
	trends_close(&t);
	fd = openat(dirfd_, "trends", O_WRONLY);
	assert_int_equal(pwrite(fd, "?", 1, 3), 1);
	close(fd);
	assert_int_equal(trends_open(dirfd_, NOW, &t), 0);
	assert_int_equal(at(false, 0, NOW, "sessions", "a", 0), -1);
	assert_int_equal(faccessat(dirfd_, "trends.damaged", F_OK, 0), 0);
	trends_close(&t);
	unlinkat(dirfd_, "trends", 0);
	assert_int_equal(symlinkat("/dev/zero", dirfd_, "trends"), 0);
	assert_int_equal(trends_open(dirfd_, NOW, &t), 0);
	trends_add(&t, TREND_SESSIONS, "a", NOW, 5);
	assert_int_equal(at(false, 0, NOW, "sessions", "a", 0), 5);
	/* The file is cut off in the middle: the counts in front of the cut are read. */
	trends_save(&t);
	trends_close(&t);
	fd = openat(dirfd_, "trends", O_WRONLY);
	assert_int_equal(ftruncate(fd, 5000), 0);
	close(fd);
	assert_int_equal(trends_open(dirfd_, NOW, &t), 0);
	trends_add(&t, TREND_SESSIONS, "a", NOW, 2);
	assert_in_range(at(false, 0, NOW, "sessions", "a", 0), 2, 7);
}

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return 1;
	dirfd_ = open(folder, O_RDONLY | O_DIRECTORY);
	return dirfd_ < 0;
}

static int teardown(void **state)
{
	(void)state;
	trends_close(&t);
	unlinkat(dirfd_, "trends", 0);
	unlinkat(dirfd_, "trends.damaged", 0);
	close(dirfd_);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_counted_stands_in_its_hour_over_a_start, anew),
		cmocka_unit_test_setup(days_begin_where_people_are, anew),
		cmocka_unit_test_setup(it_is_kept_for_400_days_and_no_longer, anew),
		cmocka_unit_test_setup(strangers_fill_no_more_than_their_places, anew),
		cmocka_unit_test_setup(clocks_that_were_wrong, anew),
		cmocka_unit_test_setup(marks_are_the_last_ones, anew),
		cmocka_unit_test_setup(what_is_damaged_begins_anew, anew),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
