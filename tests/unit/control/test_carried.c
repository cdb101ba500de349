/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backups by schedule, in a real folder: what is due and overdue by the days of the schedule; a
 * failure rests for six hours, an absent stick does not; a changed schedule keeps the count; and a
 * clock that nobody trusts, or that was wrong, counts nothing.
 * LINK: appliance/control/carried.c appliance/control/tried.c appliance/control/note.c
 * LINK: appliance/base/atomic_file.c
 * LINK: appliance/base/clock.c appliance/base/err.c appliance/base/json.c appliance/base/sha256.c
 * LINK: appliance/base/utf8.c appliance/base/addr.c appliance/base/memfd.c
 * LINK: appliance/base/messages.c
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
#include "appliance/control/tried.h"
#include "appliance/control/watch.h"
#include "appliance/role/roles.h"

#define DAY 86400u
#define HOUR 3600u

static char folder[] = "/tmp/sekisho-carried-XXXXXX";
static struct control control;

uint64_t now_ns(void)
{
	return 1;
}

static uint64_t wall(void)
{
	return clock_wall_ns() / 1000000000u;
}

/* Begins as a new process does. */
static void begins(bool trusted)
{
	memset(&control, 0, sizeof(control));
	control.trusted = trusted;
	carried_open(&control);
	if (trusted)
		carried_due(&control);
}

/* Begins as on a new box, where nothing is scheduled. */
static void anew(void)
{
	unlinkat(CONTROL_FD_FOLDER, "carried", 0);
	begins(true);
}

static void scheduled(const char *text)
{
	carried_recorded(&control, MACHINE_BACKUP_SCHEDULED, text);
}

static json_t *row(const char *to)
{
	json_t *list = json_carried(&control), *found = NULL;

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "to")), to) == 0)
			found = json_incref(json_array_get(list, i));
	json_decref(list);
	return found;
}

static bool says(const char *to, const char *key)
{
	json_t *j = row(to);
	bool yes = json_is_true(json_object_get(j, key));

	json_decref(j);
	return yes;
}

static void due_after_its_days_and_overdue_after_twice(void **state)
{
	(void)state;
	for (unsigned days = 1; days <= CARRIED_DAYS_MOST; days += 6) {
		char text[32];

		anew();
		assert_null(row("stick"));
		snprintf(text, sizeof(text), "stick: every %u d", days);
		scheduled(text);
		assert_true(says("stick", "due") && !says("stick", "overdue"));
		assert_null(row("server"));
		/* No backup was carried since it was scheduled. */
		control.carried[CARRIED_STICK].since = wall() - 2 * days * DAY + 60;
		assert_false(says("stick", "overdue"));
		control.carried[CARRIED_STICK].since -= 60;
		assert_true(says("stick", "overdue"));
		carried_recorded(&control, MACHINE_BACKUP_CARRIED, "stick: a.backup, 7 bytes");
		assert_true(!says("stick", "due") && !says("stick", "overdue"));
		control.carried[CARRIED_STICK].at = wall() - days * DAY + HOUR;
		assert_false(says("stick", "due"));
		control.carried[CARRIED_STICK].at -= HOUR / 2; /* the timer comes each hour */
		assert_true(says("stick", "due") && !says("stick", "overdue"));
		control.carried[CARRIED_STICK].at = wall() - 2 * days * DAY;
		assert_true(says("stick", "due") && says("stick", "overdue"));
	}
}

static void a_failure_rests_and_an_absent_stick_does_not(void **state)
{
	(void)state;
	anew();
	scheduled("stick: every 1 d");
	scheduled("server: every 1 d");
	carried_recorded(&control, MACHINE_BACKUP_NOT_CARRIED, "stick: absent");
	carried_recorded(&control, MACHINE_BACKUP_NOT_CARRIED, "server: unreached");
	assert_true(says("stick", "due") && !says("server", "due"));
	control.carried[CARRIED_SERVER].failed = wall() - 6 * HOUR;
	assert_true(says("server", "due"));
	/* The clock was put back: the failure lies in the future. */
	control.carried[CARRIED_SERVER].failed = wall() + DAY;
	assert_true(says("server", "due"));
	carried_recorded(&control, MACHINE_BACKUP_CARRIED, "server: a.backup");
	assert_int_equal(control.carried[CARRIED_SERVER].why[0], '\0');
	assert_string_equal(control.carried[CARRIED_STICK].why, "absent");
}

static void the_count_outlives_a_process_and_a_changed_schedule(void **state)
{
	uint64_t at;

	(void)state;
	anew();
	scheduled("stick: every 1 d");
	scheduled("server: every 2 d");
	carried_recorded(&control, MACHINE_BACKUP_CARRIED, "server: a.backup");
	at = control.carried[CARRIED_SERVER].at;
	assert_true(at > 0);
	begins(true);
	assert_int_equal(control.carried[CARRIED_SERVER].at, at);
	assert_int_equal(control.carried[CARRIED_SERVER].days, 2);
	assert_int_equal(control.carried[CARRIED_STICK].days, 1);
	assert_int_equal(control.carried[CARRIED_STICK].at, 0);
	scheduled("server: every 31 d");
	assert_int_equal(control.carried[CARRIED_SERVER].at, at);
	scheduled("server: off");
	assert_null(row("server"));
	begins(true);
	assert_null(row("server"));
	assert_true(says("stick", "due"));
}

static void nobody_else_is_counted(void **state)
{
	static const char *const others[] = {
		"", "stick", "stick:every 1 d", "tape: every 1 d", ": every", "sticks: every 1 d", "stic: every 1 d"
	};

	(void)state;
	anew();
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		for (unsigned what = MACHINE_BACKUP_SCHEDULED; what <= MACHINE_BACKUP_NOT_CARRIED; what++)
			carried_recorded(&control, (uint8_t)what, others[i]);
	assert_null(row("stick"));
	scheduled("stick: every 32 d");
	assert_null(row("stick"));
	scheduled("stick: every 0 d");
	assert_null(row("stick"));
}

static void a_wrong_clock_and_a_damaged_file_count_nothing(void **state)
{
	char text[200] = "";
	ssize_t n;
	int fd;

	(void)state;
	anew();
	control.trusted = false;
	scheduled("stick: every 1 d");
	carried_recorded(&control, MACHINE_BACKUP_CARRIED, "stick: a.backup");
	assert_true(control.carried[CARRIED_STICK].since == 0 && control.carried[CARRIED_STICK].at == 0);
	control.trusted = true;
	carried_due(&control);
	assert_true(control.carried[CARRIED_STICK].since > 0 && !says("stick", "overdue"));
	/* Both noted times lie in the future. */
	control.carried[CARRIED_STICK].since = control.carried[CARRIED_STICK].at = wall() + 900 * DAY;
	carried_due(&control);
	assert_true(says("stick", "due") && !says("stick", "overdue"));
	assert_true(control.carried[CARRIED_STICK].since <= wall());
	/* Each bit of the file changed. */
	fd = openat(CONTROL_FD_FOLDER, "carried", O_RDWR | O_CLOEXEC);
	n = read(fd, text, sizeof(text));
	assert_true(n > 64);
	for (size_t bit = 0; bit < (size_t)n * 8; bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		assert_int_equal(pwrite(fd, text, (size_t)n, 0), n);
		begins(false);
		assert_int_equal(control.carried[CARRIED_STICK].days, 0);
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
	}
	close(fd);
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
	unlinkat(CONTROL_FD_FOLDER, "carried", 0);
	unlinkat(CONTROL_FD_FOLDER, "tried", 0);
	close(CONTROL_FD_FOLDER);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(due_after_its_days_and_overdue_after_twice),
		cmocka_unit_test(a_failure_rests_and_an_absent_stick_does_not),
		cmocka_unit_test(the_count_outlives_a_process_and_a_changed_schedule),
		cmocka_unit_test(nobody_else_is_counted),
		cmocka_unit_test(a_wrong_clock_and_a_damaged_file_count_nothing),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
