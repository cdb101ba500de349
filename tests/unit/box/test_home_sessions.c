/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of /proc/net/tcp and tcp6: established sessions between two machines and nothing else.
 *
 * LINK: appliance/box/home_sessions_line.c appliance/base/addr.c
 */
#include "tests/unit/cmocka.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "appliance/box/home_sessions.h"

/* An address as the kernel prints it: words in the byte order of this machine. */
static void hex_of(const char *address, char out[40])
{
	uint32_t words[4];
	int n = strchr(address, ':') != NULL ? 4 : 1;

	assert_int_equal(inet_pton(n == 4 ? AF_INET6 : AF_INET, address, words), 1);
	for (int i = 0; i < n; i++)
		snprintf(out + 8 * i, 9, "%08X", words[i]);
}

static bool read_line(const char *local, const char *peer, const char *state, struct home_session *ret)
{
	char line[200], a[40], b[40];

	hex_of(local, a);
	hex_of(peer, b);
	snprintf(line, sizeof(line),
		 "  12: %s:0016 %s:C4F4 %s 00000000:00000000 02:000A7D55 00000000     0        0 20203 2\n", a, b,
		 state);
	return home_session_read(line, ret);
}

static void expect_addr(const struct addr *a, const char *text)
{
	char out[ADDR_TEXT];

	addr_text(a, out);
	assert_string_equal(out, text);
}

static void sessions_are_read(void **state)
{
	struct home_session r;

	(void)state;
	assert_true(read_line("192.0.2.1", "198.51.100.7", "01", &r));
	expect_addr(&r.local, "192.0.2.1");
	expect_addr(&r.peer, "198.51.100.7");
	assert_int_equal(r.local_port, 22);
	assert_int_equal(r.peer_port, 50420);
	assert_true(read_line("2001:db8::1", "2001:db8::7", "01", &r));
	expect_addr(&r.peer, "2001:db8::7");
	assert_true(read_line("::ffff:192.0.2.1", "::ffff:198.51.100.7", "01", &r));
	expect_addr(&r.local, "192.0.2.1");
	assert_int_equal(r.peer.family, 4);
}

static void all_else_is_not(void **state)
{
	static const char *const lines[] = {
		"",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
		"  0: 0100007F:1F90 00000000:0000",
		"  0: 010200C0:16 076433C6 01 x",
		"  0: 010200C0:0016 076433C6:1FFFF 01 x",
		"  0: 010200C:0016 076433C6:C4F4 01 x",
		"  0: 010200C0:0016 076433C6:C4F4x 01 x",
		"  0: 010200C0010200C0:0016 076433C6:C4F4 01 x",
	};
	struct home_session r;

	(void)state;
	for (unsigned s = 2; s < 13; s++) {
		char word[8];

		snprintf(word, sizeof(word), "%02X", s);
		assert_false(read_line("192.0.2.1", "198.51.100.7", word, &r));
	}
	assert_false(read_line("127.0.0.1", "127.0.0.1", "01", &r));
	assert_false(read_line("::1", "::1", "01", &r));
	assert_false(read_line("::ffff:127.0.0.1", "::ffff:127.0.0.1", "01", &r));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(home_session_read(lines[i], &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_are_read),
		cmocka_unit_test(all_else_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
