/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login of a user number in a file like /etc/passwd. Unless there is exactly one entry with
 * that number and that name, the answer is nobody.
 * LINK: appliance/base/logins.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/logins.h"

static char path[] = "/tmp/sekisho-logins-XXXXXX";

static void file(const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static bool is(uint32_t uid, const char *want)
{
	char name[LOGIN_MOST + 1] = "";

	return login_of_uid(path, uid, name) ? want != NULL && strcmp(name, want) == 0 : want == NULL;
}

static bool number(const char *name, uint32_t want)
{
	uint32_t uid = 0;

	return login_of_name(path, name, &uid) ? uid == want : want == 0;
}

#define ROOT "root:x:0:0:root:/root:/bin/bash\n"
#define NOBODY "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
#define TANAKA "tanaka:x:1001:1001:Tanaka,,,:/home/tanaka:/bin/bash\n"

static void one_entry_of_its_number_and_its_name(void **state)
{
	(void)state;
	file(ROOT NOBODY TANAKA "suzuki:x:1002:1002::/home/suzuki:/bin/bash");
	assert_true(is(1001, "tanaka"));
	assert_true(is(1002, "suzuki"));
	assert_true(is(1003, NULL));
	assert_true(number("tanaka", 1001));
	assert_true(number("kato", 0));
	assert_true(number("", 0));
	assert_true(number("tanaka:x", 0));
}

static void never_root_nor_nobody_nor_one_of_our_own(void **state)
{
	(void)state;
	file(ROOT NOBODY
	     "toor:x:0:0::/root:/bin/bash\nsekisho-journal:x:61967:61967::/:/bin/sh\nall:x:4294967295:1::/:/bin/sh\n"
	     "first:x:61183:1::/:/bin/sh\nlast:x:65536:1::/:/bin/sh\ndynamic:x:61184:1::/:/bin/sh\nsixteen:x:65535:1::/"
	     ":/bin/sh\n");
	assert_true(is(0, NULL) && is(65534, NULL) && is(61967, NULL) && is(UINT32_MAX, NULL) && is(61184, NULL) &&
		    is(65535, NULL));
	assert_true(number("root", 0) && number("toor", 0) && number("nobody", 0) && number("sekisho-journal", 0) &&
		    number("all", 0));
	assert_true(is(61183, "first") && is(65536, "last"));
}

static void what_two_have_is_nobodys(void **state)
{
	(void)state;
	file(TANAKA "other:x:1001:1001::/:/bin/sh\nsuzuki:x:1002:1::/:/bin/sh\nsuzuki:x:1003:1::/:/bin/"
		    "sh\nkato:x:1004:1::/:/bin/sh\n");
	assert_true(is(1001, NULL) && is(1002, NULL) && is(1003, NULL) && is(1004, "kato"));
	assert_true(number("tanaka", 0) && number("other", 0) && number("suzuki", 0));
	/* A line that is there twice has no valid entry either. */
	file(TANAKA TANAKA);
	assert_true(is(1001, NULL) && number("tanaka", 0));
}

static void no_entry_from_within_another(void **state)
{
	char line[4096], long_name[64];

	(void)state;
	/* The full name of a user may be of any length. */
	memset(line, 'a', sizeof(line));
	snprintf(line + 3000, 200, "\n" TANAKA);
	memcpy(line, "mori:x:1005:1005:", 17);
	memcpy(line + 495, "tanaka", 6);
	file(line);
	assert_true(is(1001, "tanaka") && is(1005, "mori"));
	for (const char *const *t =
		     (const char *const[]){
			     "tanaka", "tanaka:x", "tanaka:x:", "tanaka:x:1001x:1:::", "tanaka:x:-1001:1:::",
			     "tanaka:x: 1001:1:::", "tanaka:x:01001001001:1:::", "tanaka:x:4294968297:1:::",
			     ":x:1001:1:::", "Tanaka Z:x:1001:1:::", "+tanaka:x:1001:1:::", "\n\n:::\n", "", NULL };
	     *t != NULL; t++) {
		file(*t);
		assert_true(is(1001, NULL));
		assert_true(number("tanaka", 0));
	}
	memset(long_name, 'b', sizeof(long_name));
	snprintf(long_name + 32, 32, ":x:1006:1:::\n");
	file(long_name);
	assert_true(is(1006, NULL));
	unlink(path);
	assert_true(is(1001, NULL) && number("tanaka", 0));
}

static void a_group_that_is_one_and_not_roots(void **state)
{
	uint32_t gid;

	(void)state;
	file("root:x:0:\nsekisho:x:998:tanaka\nsekisho-notify:x:61993:\n");
	assert_true(login_group(path, "sekisho", &gid));
	assert_int_equal(gid, 998);
	file("root:x:0:\nsekisho:x:0:tanaka\n");
	assert_false(login_group(path, "sekisho", &gid));
	file("sekisho:x:998:\nsekisho:x:999:\n");
	assert_false(login_group(path, "sekisho", &gid));
	file("sekisho-notify:x:61993:\n");
	assert_false(login_group(path, "sekisho", &gid));
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_entry_of_its_number_and_its_name),
		cmocka_unit_test(never_root_nor_nobody_nor_one_of_our_own),
		cmocka_unit_test(what_two_have_is_nobodys),
		cmocka_unit_test(no_entry_from_within_another),
		cmocka_unit_test(a_group_that_is_one_and_not_roots),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
