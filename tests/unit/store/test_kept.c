/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of the earlier states of devices: what was stored is read again, a file of another form
 * is set aside and not used, and a device that is being given back stays in the file until it is
 * back.
 *
 * LINK: appliance/wire/hours.c
 * LINK: appliance/store/kept.c appliance/base/atomic_file.c appliance/base/err.c
 * LINK: appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/memfd.c appliance/base/sha256.c appliance/base/clock.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/store/kept.h"
#include "tests/unit/folder.h"

static void write_file(int dir, const char *text)
{
	int fd = openat(dir, "kept", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void found_again(void **state)
{
	int dir = ((struct folder *)*state)->fd;
	bool damaged = true;
	json_t *picture = json_pack("{s:[{s:s, s:b, s:[{s:s}]}]}", "links", "name", "eth0", "up", 1, "facts", "text",
				    "192.0.2.1/24");
	json_t *k = kept_load(dir, &damaged, NULL), *list;

	assert_non_null(k);
	assert_false(damaged);
	assert_null(kept_find(k, "eth0"));
	kept_spaces(k, "one", "two");
	kept_put(k, "eth0", KEPT_TAKEN, picture);
	kept_put(k, "eth1", KEPT_TAKEN, NULL);
	kept_left_out(k, "eth0", 7); /* the stored picture of the device stays */
	kept_put(k, "eth1", KEPT_RETIRED, NULL);
	assert_int_equal(kept_save(dir, k, NULL), 0);
	json_decref(k);
	k = kept_load(dir, &damaged, NULL);
	assert_false(damaged);
	assert_int_equal(kept_mark(kept_find(k, "eth0")), KEPT_RETIRED);
	assert_true(json_equal(json_object_get(kept_find(k, "eth0"), "picture"), picture));
	assert_int_equal(kept_left_out_by(kept_find(k, "eth0")), 7);
	/* the format of an earlier release */
	assert_int_equal(kept_left_out_by(kept_find(k, "eth1")), 0);
	assert_string_equal(json_string_value(json_object_get(k, "admin")), "two");
	list = kept_json(k);
	assert_int_equal(json_array_size(list), 2);
	json_decref(list);
	kept_put(k, "eth0", KEPT_RELEASED, NULL);
	assert_int_equal(kept_left_out_by(kept_find(k, "eth0")), 0);
	kept_going(k, "eth0");
	assert_true(json_is_true(json_object_get(json_object_get(kept_find(k, "eth0"), "picture"), "going")));
	kept_gone(k, "eth0");
	kept_gone(k, "eth1");
	assert_non_null(kept_find(k, "eth0"));
	assert_null(json_object_get(kept_find(k, "eth0"), "picture"));
	assert_null(kept_find(k, "eth1"));
	kept_tell_later(k, "eth0", "tanaka", 7);
	list = kept_untold(k);
	assert_string_equal(json_string_value(json_object_get(json_object_get(list, "eth0"), "by")), "tanaka");
	json_decref(list);
	list = kept_untold(k); /* this is reported only once */
	assert_int_equal(json_object_size(list), 0);
	json_decref(list);
	json_decref(k);
	json_decref(picture);
}

static void other_forms_are_set_aside(void **state)
{
	static const char *const wrong[] = {
		"",
		"{",
		"[]",
		"{\"version\": 2, \"devices\": {}}",
		"{\"version\": 1}",
		"{\"version\": 1, \"devices\": []}",
		"{\"version\": 1, \"devices\": {\"eth0\": 3}}",
		"{\"version\": 1, \"devices\": {\"eth0\": {\"mark\": \"mine\"}}}",
		"{\"version\": 1, \"devices\": {\"../x\": {\"mark\": \"taken\"}}}",
		"{\"version\": 1, \"devices\": {\"a name of 16 xx\": {\"mark\": \"taken\"}, \"a name of 17 xxx\": "
		"{\"mark\": \"taken\"}}}",
		"{\"version\": 1, \"devices\": {\"eth0\": {\"mark\": \"taken\", \"picture\": 1}}}",
		"{\"version\": 1, \"version\": 1, \"devices\": {}}",
	};
	int dir = ((struct folder *)*state)->fd;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		bool damaged = false;
		json_t *k;

		write_file(dir, wrong[i]);
		k = kept_load(dir, &damaged, NULL);
		assert_non_null(k);
		assert_true(damaged);
		assert_int_equal(json_object_size(json_object_get(k, "devices")), 0);
		assert_int_equal(faccessat(dir, "kept", F_OK, 0), -1);
		assert_int_equal(unlinkat(dir, "kept.damaged", 0), 0);
		json_decref(k);
	}
}

/* A file with one device. */
static void put_one(int dir)
{
	bool damaged;
	json_t *k = kept_load(dir, &damaged, NULL);

	kept_put(k, "eth0", KEPT_TAKEN, NULL);
	assert_int_equal(kept_save(dir, k, NULL), 0);
	json_decref(k);
}

/* If no more files can be opened, the file is left as it is, and nothing is assumed about it. */
static void left_where_it_cannot_be_opened_now(void **state)
{
	int dir = ((struct folder *)*state)->fd, next = dup(dir);
	struct rlimit all, few;
	struct err e = { 0 };
	bool damaged = true;
	json_t *k;

	put_one(dir);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = all;
	few.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	k = kept_load(dir, &damaged, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_null(k);
	assert_int_equal(e.code, -EMFILE);
	assert_false(damaged);
	k = kept_load(dir, &damaged, &e);
	assert_false(damaged);
	assert_non_null(kept_find(k, "eth0"));
	json_decref(k);
}

/* A file that may be valid is read by the next start. If something has to be written before, it is
 * set aside. */
static void left_where_it_cannot_be_read_now(void **state)
{
	int dir = ((struct folder *)*state)->fd;
	bool all_may = geteuid() == 0, damaged = false;
	json_t *k;

	put_one(dir);
	for (int written = 0; written < 2; written++) {
		assert_int_equal(fchmod(dir, 0777), 0);
		assert_int_equal(fchmodat(dir, "kept", 0, 0), 0);
		assert_true(!all_may || seteuid(65534) == 0);
		k = kept_load(dir, &damaged, NULL);
		assert_true(!all_may || seteuid(0) == 0);
		assert_true(damaged);
		assert_null(kept_find(k, "eth0"));
		assert_int_equal(faccessat(dir, "kept.damaged", F_OK, 0), -1);
		assert_int_equal(fchmodat(dir, "kept", 0600, 0), 0);
		if (written == 1) {
			assert_int_equal(kept_save(dir, k, NULL), 0);
			assert_int_equal(faccessat(dir, "kept.damaged", F_OK, 0), 0);
			assert_int_equal(kept_save(dir, k, NULL), 0);
		}
		json_decref(k);
		k = kept_load(dir, &damaged, NULL);
		assert_false(damaged);
		assert_int_equal(kept_find(k, "eth0") == NULL, written);
		json_decref(k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(other_forms_are_set_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(left_where_it_cannot_be_opened_now, setup, teardown),
		cmocka_unit_test_setup_teardown(left_where_it_cannot_be_read_now, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
