/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/box/sysctl.c appliance/base/err.c appliance/base/clock.c
 */
#include "tests/unit/cmocka.h"

#include "appliance/box/sysctl.h"

static void found_by_its_name(void **state)
{
	(void)state;
	assert_int_equal(reverse_path_in("TcpExt: SyncookiesSent IPReversePathFilter DelayedACKs\n"
					 "TcpExt: 1 4711 2\nIpExt: InNoRoutes\nIpExt: 9\n"),
			 4711);
	assert_int_equal(reverse_path_in("TcpExt: IPReversePathFilter\nTcpExt: 3"), 3);
	assert_int_equal(reverse_path_in("IpExt: InNoRoutes\nIpExt: 9\nTcpExt: A IPReversePathFilter\nTcpExt: 5 8\n"),
			 8);
}

static void nothing_that_does_not_stand_there(void **state)
{
	(void)state;
	assert_int_equal(reverse_path_in(""), 0);
	assert_int_equal(reverse_path_in("TcpExt: IPReversePathFilter"), 0);
	assert_int_equal(reverse_path_in("TcpExt: IPReversePathFilter\n"), 0);
	assert_int_equal(reverse_path_in("TcpExt: A IPReversePathFilter\nTcpExt: 1\nIpExt: 2 3\n"), 0);
	assert_int_equal(reverse_path_in("TcpExt: A B\nTcpExt: 1 2\nIpExt: IPReversePathFilter\nIpExt: 3\n"), 0);
	assert_int_equal(reverse_path_in("TcpExt: IPReversePathFilter\nIpExt: 3\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_by_its_name),
		cmocka_unit_test(nothing_that_does_not_stand_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
