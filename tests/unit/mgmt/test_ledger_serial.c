/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms that wait to be reported one by one: each keeps its own serial number, over a restart and
 * when there was no room for the oldest; and how many were left out.
 *
 * LINK: mgmt/notify/ledger.c $(BASE_SRC) mgmt/state/read.c
 * LINK: appliance/wire/hours.c
 * LIBS: jansson nettle
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt/notify/ledger.h"
#include "mgmt/state/read.h"

#define NOW "2026-11-24T12:00:00.000Z"

static json_t *alarms(unsigned n, bool grave)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++) {
		char key[40];

		snprintf(key, sizeof(key), "fault %u", i);
		json_array_append_new(list, json_pack("{s:s, s:b, s:s, s:s, s:s}", "key", key, "grave", (int)grave,
						      "since", "", "en", "wrong", "ja", "異常"));
	}
	return list;
}

static void look_twice(struct ledger *l, unsigned n, bool grave)
{
	json_t *list = alarms(n, grave);

	ledger_look(l, list, NOW);
	ledger_look(l, list, NOW);
	json_decref(list);
}

static int folder(char path[])
{
	assert_non_null(mkdtemp(path));
	return open(path, O_RDONLY | O_DIRECTORY);
}

static void clean(int fd, const char *path)
{
	unlinkat(fd, "ledger", 0);
	close(fd);
	rmdir(path);
}

static void one_by_one(void **state)
{
	char path[] = "/tmp/test_ledger.XXXXXX";
	int fd = folder(path);
	struct ledger l;
	struct err e = { 0 };
	bool new_one;

	(void)state;
	assert_int_equal(ledger_open(fd, &l, &new_one), 0);
	assert_true(new_one);
	ledger_generation(&l, 7);
	look_twice(&l, 1, false);
	look_twice(&l, 0, false);
	ledger_record(&l, 55, NOW, "died", "終了");
	assert_int_equal(ledger_waiting(&l), 3);
	assert_string_equal(js(ledger_at(&l, 0), "what"), "begin");
	assert_string_equal(js(ledger_at(&l, 1), "what"), "end");
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(js(ledger_at(&l, i), "key"), "fault 0");
		assert_false(jb(ledger_at(&l, i), "grave"));
		assert_int_equal(ju(ledger_at(&l, i), "serial"), i + 1);
		assert_int_equal(ju(ledger_at(&l, i), "generation"), 7);
	}
	assert_string_equal(js(ledger_at(&l, 2), "key"), "record 55");
	assert_true(jb(ledger_at(&l, 2), "grave"));
	ledger_first_told(&l, 1000);
	assert_int_equal(ledger_save(fd, &l, &e), 0);
	json_decref(l.all);
	/* After a restart: alarms that were sent are not sent again, and the next one has the next
	 * serial number. */
	assert_int_equal(ledger_open(fd, &l, &new_one), 0);
	assert_false(new_one);
	assert_int_equal(ledger_waiting(&l), 2);
	assert_int_equal(ju(ledger_at(&l, 0), "serial"), 2);
	ledger_first_told(&l, 1001);
	ledger_first_told(&l, 1002);
	assert_null(ledger_at(&l, 0));
	ledger_record(&l, 56, NOW, "x", "x");
	assert_int_equal(ju(ledger_at(&l, 0), "serial"), 4);
	json_decref(l.all);
	clean(fd, path);
}

static void no_room(void **state)
{
	char path[] = "/tmp/test_ledger.XXXXXX";
	int fd = folder(path);
	struct ledger l;
	bool new_one;

	(void)state;
	assert_int_equal(ledger_open(fd, &l, &new_one), 0);
	look_twice(&l, LEDGER_WAITING_MOST + 5, true);
	assert_int_equal(ledger_waiting(&l), LEDGER_WAITING_MOST);
	assert_int_equal(ledger_dropped(&l), 5);
	for (unsigned i = 0; i < LEDGER_WAITING_MOST; i++)
		assert_int_equal(ju(ledger_at(&l, i), "serial"), i + 6);
	ledger_first_told(&l, 1000);
	assert_int_equal(ledger_dropped(&l), 0);
	json_decref(l.all);
	clean(fd, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_by_one),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
