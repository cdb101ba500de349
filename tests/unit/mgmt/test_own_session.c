/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SSH_CONNECTION, with its ends as the box writes them: used completely or not at all.
 *
 * LINK: appliance/wire/hours.c
 * LINK: mgmt/cli/devices/own_session.c mgmt/cli/socket.c
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>

#include "mgmt/cli/devices/devices.h"

static void ends_are_read(void **state)
{
	struct own_session s;

	(void)state;
	assert_true(own_session_read("198.51.100.7 50412 192.0.2.1 22", &s));
	assert_string_equal(s.peer, "198.51.100.7:50412");
	assert_string_equal(s.local, "192.0.2.1:22");
	assert_true(own_session_read("2001:db8::7 50412 2001:db8::1 22", &s));
	assert_string_equal(s.peer, "[2001:db8::7]:50412");
	assert_true(own_session_read("fe80::7%eth0 50412 fe80::1%eth0 22", &s));
	assert_string_equal(s.local, "[fe80::1]:22");
	assert_int_equal(setenv("SSH_CONNECTION", "198.51.100.8 1 192.0.2.1 22", 1), 0);
	assert_true(own_session(&s));
	assert_string_equal(s.peer, "198.51.100.8:1");
}

static void all_else_is_not(void **state)
{
	static const char *const texts[] = { "",
					     "x",
					     "198.51.100.7 50412 192.0.2.1",
					     "198.51.100.7 50412 192.0.2.1 22 more",
					     "198.51.100.7 5x 192.0.2.1 22",
					     "%eth0 5 192.0.2.1 22",
					     "a b c d" };
	struct own_session s;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(own_session_read(texts[i], &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_read),
		cmocka_unit_test(all_else_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
