/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in the folder of a setup are kept under another name, and a second setup removes none of
 * them.
 *
 * LINK: mgmt/cli/setup/keep.c
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mgmt/cli/setup/setup.h"

static void lay(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void lies(int dir, const char *name, const char *text)
{
	char got[20] = { 0 };
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(text));
	assert_string_equal(got, text);
	close(fd);
	assert_int_equal(unlinkat(dir, name, 0), 0);
}

static void the_first_stays(void **state)
{
	char folder[] = "/tmp/sekisho-keep-XXXXXX";
	int dir;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_int_equal(setup_keep(dir, "box.cfg"), 0); /* nothing lies there */
	for (int i = 1; i <= 3; i++) {
		char text[20];

		snprintf(text, sizeof(text), "a = %d;\n", i);
		lay(dir, "box.cfg", text);
		assert_int_equal(setup_keep(dir, "box.cfg"), 0);
	}
	lies(dir, "box.cfg.before", "a = 1;\n");
	lies(dir, "box.cfg.before.2", "a = 2;\n");
	lies(dir, "box.cfg.before.3", "a = 3;\n");
	close(dir);
	assert_int_equal(rmdir(folder), 0); /* and the folder has nothing else */
}

/* Files of a failed setup are set aside, and the earlier files are back. If there were none, there
 * are none again. */
static void what_was_not_kept_goes_aside(void **state)
{
	char folder[] = "/tmp/sekisho-keep-XXXXXX";
	int dir;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	for (int i = 1; i <= 3; i++) {
		char text[20];

		snprintf(text, sizeof(text), "a = %d;\n", i);
		assert_int_equal(setup_keep(dir, "box.cfg"), 0);
		lay(dir, "box.cfg", text);
	}
	assert_int_equal(setup_unkeep(dir, "box.cfg"), 0);
	lies(dir, "box.cfg.tried", "a = 3;\n");
	lies(dir, "box.cfg", "a = 2;\n");
	lies(dir, "box.cfg.before", "a = 1;\n");
	lay(dir, "site.cfg", "b = 1;\n");
	assert_int_equal(setup_unkeep(dir, "site.cfg"), 0);
	lies(dir, "site.cfg.tried", "b = 1;\n");
	assert_int_equal(setup_unkeep(dir, "site.cfg"), -ENOENT);
	close(dir);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_stays),
		cmocka_unit_test(what_was_not_kept_goes_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
