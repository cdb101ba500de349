/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name of a user number in a file like /etc/passwd: only a line of its own gives it.
 * LINK: appliance/role/who.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/role/who.h"

static char path[] = "/tmp/sekisho-who-XXXXXX";

static void file(const char *a, const char *b)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fprintf(f, "%s%s", a, b) >= 0);
	assert_int_equal(fclose(f), 0);
}

static bool is(unsigned long uid, const char *want)
{
	char name[64] = "";
	bool found = who_in(path, uid, name, sizeof(name));

	return want != NULL ? found && strcmp(name, want) == 0 : !found;
}

static void an_entry_of_its_number(void **state)
{
	(void)state;
	file("root:x:0:0:root:/root:/bin/bash\n", "tanaka:x:1001:1001:Tanaka,,,:/home/tanaka:/bin/bash");
	assert_true(is(0, "root"));
	assert_true(is(1001, "tanaka"));
	assert_true(is(1002, NULL));
	file("broken\ntanaka:x:\ntanaka:x:1001x:1001::/:/\n", "");
	assert_true(is(1001, NULL));
	assert_int_equal(unlink(path), 0);
	assert_true(is(0, NULL));
}

/* A full name is as long as its person likes, and its end looks like an entry of somebody else. At
 * every length: a reader in pieces would be misled at one of them. */
static void the_end_of_a_long_line_is_no_entry(void **state)
{
	static char line[2048];

	(void)state;
	for (size_t n = 400; n < 1200; n++) {
		int head = snprintf(line, sizeof(line), "tanaka:x:1001:1001:");

		memset(line + head, 'a', n);
		snprintf(line + (size_t)head + n, sizeof(line) - (size_t)head - n,
			 "suzuki:x:1002:1002::/home/tanaka:/bin/bash\n");
		file(line, "kato:x:1002:1002::/home/kato:/bin/bash\n");
		assert_true(is(1002, "kato"));
		assert_true(is(1001, "tanaka"));
	}
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_of_its_number),
		cmocka_unit_test(the_end_of_a_long_line_is_no_entry),
	};

	close(mkstemp(path));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
