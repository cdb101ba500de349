/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time of the last successful trial of a backup, in a real folder: after a month without a
 * success, a trial is overdue. Only a success begins a new month. The time outlives the process. A
 * damaged file, or a time in the future, begins a new month now.
 * LINK: appliance/control/tried.c appliance/control/note.c appliance/control/carried.c
 * LINK: appliance/base/atomic_file.c
 * LINK: appliance/base/clock.c
 * LINK: appliance/base/err.c appliance/base/json.c appliance/base/sha256.c appliance/base/utf8.c
 * LINK: appliance/base/addr.c appliance/base/memfd.c appliance/base/messages.c
 * LINK: appliance/base/errno_text.c appliance/base/bytes.c
 * LIBS: jansson nettle
 */
#include "appliance/control/control.h"
#include "appliance/control/ground.h"
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/control/tried.h"
#include "appliance/control/watch.h"
#include "appliance/role/roles.h"

#define DAY 86400u

static char folder[] = "/tmp/sekisho-tried-XXXXXX";
static struct control control;

uint64_t now_ns(void)
{
	return 1;
}

static uint64_t wall(void)
{
	return clock_wall_ns() / 1000000000u;
}

static void begins(bool trusted)
{
	memset(&control, 0, sizeof(control));
	control.trusted = trusted;
	tried_open(&control);
	tried_look(&control, now_ns());
}

static void file_says(const char *text)
{
	int fd = openat(CONTROL_FD_FOLDER, "tried", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void file_of(uint64_t seconds)
{
	uint8_t digest[32];
	char number[24], hex[65], text[100];

	snprintf(number, sizeof(number), "%" PRIu64, seconds);
	sha256(number, strlen(number), digest);
	hex_text(digest, sizeof(digest), hex);
	snprintf(text, sizeof(text), "%s %s\n", number, hex);
	file_says(text);
}

/* The days since the last success; -1 = nothing is said. */
static int64_t days(bool *ret_overdue)
{
	json_t *j = json_tried(&control);
	int64_t n = json_is_null(j) ? -1 : (int64_t)json_integer_value(json_object_get(j, "days"));

	*ret_overdue = json_is_true(json_object_get(j, "overdue"));
	json_decref(j);
	return n;
}

static void a_month_is_overdue(void **state)
{
	bool overdue;

	(void)state;
	for (unsigned n = 0; n < 100; n += 1) {
		file_of(wall() - n * DAY);
		begins(true);
		assert_int_equal(days(&overdue), n);
		assert_int_equal(overdue, n >= 31);
	}
}

static void only_a_success_counts_anew(void **state)
{
	static const char *const others[] = { "kita.backup: NOT the same", "", "same", ": same ", "kita: same: no" };
	bool overdue;

	(void)state;
	file_of(wall() - 40 * DAY);
	begins(true);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		tried_recorded(&control, others[i]);
		assert_int_equal(days(&overdue), 40);
	}
	tried_recorded(&control, "kita.backup: same");
	assert_true(days(&overdue) == 0 && !overdue);
	/* The next process knows of the trial, too. */
	begins(true);
	assert_true(days(&overdue) == 0 && !overdue);
}

static void what_is_no_time_counts_from_now(void **state)
{
	static const char *const bad[] = { "",	     "\n",    "x\n",
					   "-5\n",   "0\n",   "12",
					   "12\n\n", "12 \n", "99999999999999999999\n" };
	bool overdue;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		file_says(bad[i]);
		begins(true);
		assert_true(days(&overdue) == 0 && !overdue);
	}
	/* Each bit of it changed. */
	for (unsigned bit = 0; bit < 76 * 8; bit++) {
		char text[100] = "";
		int fd;

		file_of(wall() - 40 * DAY);
		fd = openat(CONTROL_FD_FOLDER, "tried", O_RDWR | O_CLOEXEC);
		assert_int_equal(read(fd, text, sizeof(text)), 76);
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		assert_int_equal(pwrite(fd, text, 76, 0), 76);
		close(fd);
		begins(true);
		assert_int_equal(days(&overdue), 0);
	}
	file_of(wall() + DAY);
	begins(true);
	assert_true(days(&overdue) == 0 && control.tried.since <= wall());
	unlinkat(CONTROL_FD_FOLDER, "tried", 0);
	begins(true);
	assert_int_equal(days(&overdue), 0);
	assert_int_equal(faccessat(CONTROL_FD_FOLDER, "tried", F_OK, 0), 0);
}

static void a_clock_that_nobody_trusts_judges_nothing(void **state)
{
	bool overdue;

	(void)state;
	file_of(wall() - 40 * DAY);
	begins(false);
	assert_int_equal(days(&overdue), -1);
	tried_recorded(&control, "kita.backup: same");
	assert_int_equal(days(&overdue), -1);
	control.trusted = true;
	tried_look(&control, UINT64_MAX);
	assert_int_equal(days(&overdue), 0);
}

static int begin(void **state)
{
	int fd;

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fd != CONTROL_FD_FOLDER) {
		(void)dup2(fd, CONTROL_FD_FOLDER);
		close(fd);
	}
	return fd < 0;
}

static int finish(void **state)
{
	(void)state;
	unlinkat(CONTROL_FD_FOLDER, "tried", 0);
	close(CONTROL_FD_FOLDER);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_month_is_overdue),
		cmocka_unit_test(only_a_success_counts_anew),
		cmocka_unit_test(what_is_no_time_counts_from_now),
		cmocka_unit_test(a_clock_that_nobody_trusts_judges_nothing),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
