/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers with weak TLS: distinguished by address and port, removed when they were not seen for
 * long, silent while a review is valid, with a share for each conduit. They outlive a restart, and
 * no damaged file is accepted.
 *
 * LINK: appliance/journal/weak.c appliance/base/atomic_file.c appliance/base/columns.c
 * LINK: appliance/base/err.c appliance/base/sha256.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/bytes.c appliance/base/memfd.c appliance/base/clock.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/journal/weak.h"

#define NOW 1800000000ull
#define OLD 1u
#define RC4 16u

static struct weak_list l;

static void see(const char *address, uint16_t port, const char *conduit, uint32_t bits, uint64_t at, uint64_t sessions)
{
	struct weak_server s = {
		.port = port, .bits = bits, .first = at - 10, .last = at, .sessions = sessions, .reviewed = 7
	};

	if (*address != '\0')
		assert_true(addr_parse(address, &s.address));
	snprintf(s.conduit, sizeof(s.conduit), "%s", conduit);
	weak_see(&l, &s);
}

static size_t alarms(uint64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < l.n; i++)
		n += weak_is_alarm(&l.list[i], now);
	return n;
}

static int empty(void **state)
{
	(void)state;
	l = (struct weak_list){ 0 };
	return 0;
}

static void each_server_is_one(void **state)
{
	(void)state;
	see("10.0.0.1", 443, "a", OLD, NOW, 1);
	assert_true(l.changed);
	l.changed = false;
	see("10.0.0.1", 443, "b", OLD, NOW + 5, 7);
	assert_false(l.changed);
	assert_true(l.stale);
	see("10.0.0.1", 443, "b", RC4, NOW + 3, 1);
	assert_true(l.changed);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.list[0].first, NOW - 10);
	assert_int_equal(l.list[0].last, NOW + 5);
	assert_int_equal(l.list[0].sessions, 9);
	assert_int_equal(l.list[0].bits, OLD | RC4);
	assert_string_equal(l.list[0].conduit, "b");
	assert_int_equal(l.list[0].reviewed, 0);
	see("10.0.0.1", 8443, "a", OLD, NOW, 1);
	see("2001:db8::1", 443, "a", OLD, NOW, 1);
	see("", 0, "a", 0, NOW, 100);
	see("", 0, "b", 0, NOW, 1);
	see("", 0, "a", 0, NOW, UINT64_MAX);
	assert_int_equal(l.n, 5);
	assert_int_equal(l.list[3].sessions, WEAK_SESSIONS);
	assert_int_equal(alarms(NOW), 5);
}

static void it_is_over_when_nobody_saw_it(void **state)
{
	(void)state;
	see("10.0.0.1", 443, "a", OLD, NOW, 1);
	see("10.0.0.2", 443, "a", OLD, NOW + 100, 1);
	assert_int_equal(alarms(NOW + WEAK_OVER_S - 1), 2);
	assert_int_equal(alarms(NOW + WEAK_OVER_S), 1);
	/* a clock that went back does not end an alarm */
	assert_int_equal(alarms(NOW - 1000000), 2);
	weak_tidy(&l, NOW + WEAK_OVER_S);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.list[0].address.b[3], 2);
	assert_int_equal(l.list[1].last, 0);
	/* Seen again, the server counts as new. */
	see("10.0.0.1", 443, "a", OLD, NOW + WEAK_OVER_S + 50, 1);
	assert_int_equal(l.list[1].first, NOW + WEAK_OVER_S + 40);
}

static void a_review_holds_for_what_it_saw(void **state)
{
	(void)state;
	see("10.0.0.1", 443, "a", OLD, NOW, 1);
	see("10.0.0.2", 443, "a", OLD, NOW + 500, 1);
	see("", 0, "a", 0, NOW, 3);
	/* A review does not cover what was seen before or after it. */
	weak_review(&l, NOW - 1000, NOW - 10, NOW + 600);
	weak_review(&l, NOW + 501, NOW + 590, NOW + 600);
	assert_int_equal(alarms(NOW + 600), 3);
	weak_review(&l, NOW - 1000, NOW + 200, NOW + 600);
	assert_int_equal(alarms(NOW + 600), 1);
	/* The same weakness again changes nothing; another weakness does, and so does the passing
	 * of time. */
	see("10.0.0.1", 443, "a", OLD, NOW + 700, 1);
	assert_int_equal(alarms(NOW + 700), 1);
	see("10.0.0.1", 443, "a", RC4, NOW + 800, 1);
	assert_int_equal(alarms(NOW + 800), 2);
	weak_review(&l, NOW, NOW + 900, NOW + 900);
	assert_int_equal(alarms(NOW + 900), 0);
	for (uint64_t day = 1; day <= 90; day++) {
		assert_int_equal(alarms(NOW + 900 + day * 86400 - 1), 0);
		see("10.0.0.1", 443, "a", OLD, NOW + 900 + day * 86400 - 1, 1);
	}
	assert_int_equal(alarms(NOW + 900 + 90 * 86400), 1);
}

/* Adds an event that comes at this time to the list, as the role does it, with both clocks. */
static void hears(struct weak_steady *s, const char *address, uint64_t mono_s, uint64_t wall_s)
{
	if (weak_settled(s, (struct mono){ mono_s * 1000000000ull }, wall_s * 1000000000ull))
		weak_tidy(&l, wall_s);
	see(address, 443, "a", OLD, wall_s, 1);
}

/* The clock is years ahead for some minutes: no review is forgotten, and no alarm stays for
 * years. */
static void a_clock_that_was_ahead_for_a_while(void **state)
{
	const uint64_t ahead = 3650ull * 86400;
	struct weak_steady s = { 0 };

	(void)state;
	hears(&s, "10.0.0.1", 1000, NOW);
	weak_review(&l, NOW - 1000, NOW + 1000, NOW + 1000);
	hears(&s, "10.0.0.1", 10000, NOW + 9000);
	assert_int_equal(alarms(NOW + 9000), 0);
	for (uint64_t i = 0; i < 600; i += 60)
		hears(&s, "10.0.0.2", 10060 + i, NOW + ahead + i);
	weak_review(&l, NOW + ahead, NOW + ahead + 600, NOW + ahead + 600);
	l.beyond = 1;
	l.beyond_last = NOW + ahead;
	see("10.0.0.3", 443, "a", OLD, NOW + ahead, 1);
	hears(&s, "10.0.0.1", 11000, NOW + 10000);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.list[0].reviewed, NOW + 1000);
	/* An hour later no time lies in the future. The alarm ends when the server was not seen for
	 * long, and it can be reviewed. */
	hears(&s, "10.0.0.1", 15000, NOW + 14000);
	assert_int_equal(l.n, 3);
	for (size_t i = 0; i < l.n; i++)
		assert_true(l.list[i].first <= NOW + 14000 && l.list[i].last <= NOW + 14000 &&
			    l.list[i].reviewed <= NOW + 14000);
	assert_int_equal(l.beyond_last, NOW + 14000);
	assert_int_equal(alarms(NOW + 14000), 1);
	weak_review(&l, NOW, NOW + 14001, NOW + 14001);
	assert_int_equal(alarms(NOW + 14001), 0);
	assert_int_equal(l.beyond, 0);
	hears(&s, "10.0.0.1", 15000 + WEAK_OVER_S, NOW + 14000 + WEAK_OVER_S);
	assert_int_equal(l.n, 1);
}

/* The clock is years behind for some minutes: servers that were seen before are not taken to be of
 * that time. */
static void a_clock_that_stood_back_for_a_while(void **state)
{
	struct weak_steady s = { 0 };

	(void)state;
	hears(&s, "10.0.0.1", 1000, NOW);
	hears(&s, "10.0.0.1", 10000, NOW + 9000);
	hears(&s, "10.0.0.2", 10060, NOW / 2);
	hears(&s, "10.0.0.1", 10120, NOW + 9120);
	hears(&s, "10.0.0.1", 14000, NOW + 13000);
	assert_int_equal(l.list[0].last, NOW + 13000);
	assert_int_equal(l.list[0].first, NOW - 10);
}

static void every_conduit_has_its_part(void **state)
{
	char address[ADDR_TEXT], conduit[20];

	(void)state;
	for (unsigned n = 0; n < 1000; n++) {
		snprintf(address, sizeof(address), "10.1.%u.%u", n / 250, n % 250 + 1);
		see(address, 443, "internet", OLD, NOW + n, 2);
	}
	assert_int_equal(l.n, WEAK_BY_CONDUIT + 1);
	assert_int_equal(l.list[WEAK_BY_CONDUIT].address.family, 0);
	assert_int_equal(l.list[WEAK_BY_CONDUIT].port, 0);
	assert_int_equal(l.list[WEAK_BY_CONDUIT].sessions, 2 * (1000 - WEAK_BY_CONDUIT));
	assert_string_equal(l.list[WEAK_BY_CONDUIT].conduit, "internet");
	see("10.2.0.1", 443, "crane", OLD, NOW, 1);
	assert_int_equal(l.n, WEAK_BY_CONDUIT + 2);
	/* The whole list is full: sessions are still counted. */
	for (unsigned n = 0; l.n < WEAK_SERVERS; n++) {
		snprintf(conduit, sizeof(conduit), "c%u", n);
		see("", 0, conduit, 0, NOW, 1);
	}
	see("10.2.0.2", 443, "crane", OLD, NOW + 9, 4);
	assert_int_equal(l.n, WEAK_SERVERS);
	assert_int_equal(l.beyond, 4);
	see("10.2.0.1", 443, "crane", OLD, NOW + 9, 1);
	assert_int_equal(l.beyond, 4);
	weak_review(&l, NOW - 1000, NOW + 9, NOW + 10);
	assert_int_equal(l.beyond, 4);
	weak_review(&l, NOW - 1000, NOW + 10, NOW + 10);
	assert_int_equal(l.beyond, 0);
	see("10.2.0.2", 443, "crane", OLD, NOW + 9, 4);
	weak_tidy(&l, NOW + 2000 + WEAK_OVER_S);
	assert_int_equal(l.n, 0);
	assert_int_equal(l.beyond, 0);
}

static void it_outlives_a_restart(void **state)
{
	static struct weak_list before;
	char base[] = "/tmp/sekisho-weak-XXXXXX";
	struct err e = { 0 };
	bool damaged;
	int folder;

	(void)state;
	assert_non_null(mkdtemp(base));
	folder = open(base, O_RDONLY | O_DIRECTORY);
	weak_load(folder, &l, &damaged);
	assert_false(damaged || l.damaged || l.changed);
	see("10.0.0.1", 443, "a", OLD, NOW, 1);
	see("2001:db8::1", 8443, "港", RC4, NOW, 1);
	see("", 0, "a", 0, NOW, 1);
	weak_review(&l, NOW - 100, NOW + 1, NOW + 2);
	l.beyond = 3;
	l.beyond_last = NOW;
	assert_int_equal(columns_save(&weak_file, folder, &l, &e), 0);
	l.changed = l.stale = false;
	before = l;
	weak_load(folder, &l, &damaged);
	assert_false(damaged);
	assert_memory_equal(&before, &l, sizeof(l));
	/* A file that the role did not write is set aside, and this is known until somebody reviews
	 * the records. */
	for (unsigned i = 0; i < 6; i++) {
		static const char *const texts[] = {
			"",
			"{",
			"[]",
			"{\"form\":2,\"beyond\":0,\"beyond_last\":0,\"damaged\":false,\"servers\":[]}",
			"{\"form\":1,\"beyond\":-1,\"beyond_last\":0,\"damaged\":false,\"servers\":[]}",
			"{\"form\":1,\"beyond\":0,\"beyond_last\":0,\"damaged\":false,\"servers\":[{}]}"
		};

		assert_int_equal(atomic_write(folder, "weak", texts[i], strlen(texts[i]), &e), 0);
		weak_load(folder, &l, &damaged);
		assert_true(damaged && l.damaged && l.n == 0);
		assert_int_equal(columns_save(&weak_file, folder, &l, &e), 0);
		weak_load(folder, &l, &damaged);
		assert_false(damaged);
		assert_true(l.damaged);
	}
	weak_review(&l, NOW, NOW + 1, NOW + 1);
	assert_true(l.changed && !l.damaged);
	unlinkat(folder, "weak", 0);
	unlinkat(folder, "weak.damaged", 0);
	close(folder);
	assert_int_equal(rmdir(base), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup(each_server_is_one, empty),
					    cmocka_unit_test_setup(it_is_over_when_nobody_saw_it, empty),
					    cmocka_unit_test_setup(a_review_holds_for_what_it_saw, empty),
					    cmocka_unit_test_setup(a_clock_that_was_ahead_for_a_while, empty),
					    cmocka_unit_test_setup(a_clock_that_stood_back_for_a_while, empty),
					    cmocka_unit_test_setup(every_conduit_has_its_part, empty),
					    cmocka_unit_test_setup(it_outlives_a_restart, empty) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
