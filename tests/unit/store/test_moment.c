/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The latest recorded moment: read as it was written and in no other form, whichever byte is
 * damaged; and the rules by which a clock is trusted after a start, for every combination of facts.
 *
 * LINK: appliance/store/moment.c appliance/base/atomic_file.c appliance/base/err.c
 * LINK: appliance/base/sha256.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "appliance/store/moment.h"
#include "tests/unit/folder.h"

#define NOW 1800000000u
#define SECOND 1000000000ull

static void put(int dir, const void *p, size_t n)
{
	int fd = openat(dir, "clock", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

static void save(int dir, const struct moment *m)
{
	char text[MOMENT_TEXT];

	put(dir, text, moment_write(m, text));
}

static size_t get(int dir, uint8_t *p, size_t room)
{
	int fd = openat(dir, "clock", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, p, room) : -1;

	assert_true(n > 0 && (size_t)n < room);
	close(fd);
	return (size_t)n;
}

static void kept_whole_or_not_believed(void **state)
{
	int dir = ((struct folder *)*state)->fd;
	struct moment m = { .latest = NOW, .boot = "0b1e7b1c-5b0e-4f5f-8a52-6c0f7d8e9a01" }, back;
	uint8_t text[600], other[600];
	size_t n;

	assert_int_equal(moment_load(dir, &back), MOMENT_NONE);
	assert_int_equal(back.latest, 0);
	save(dir, &m);
	assert_int_equal(moment_load(dir, &back), MOMENT_READ);
	assert_int_equal(back.latest, NOW);
	assert_string_equal(back.boot, m.boot);
	n = get(dir, text, sizeof(text));
	/* Each byte changed, each length, and bytes behind the end. */
	for (size_t at = 0; at < n; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(other, text, n);
			other[at] ^= (uint8_t)(1u << bit);
			put(dir, other, n);
			assert_int_equal(moment_load(dir, &back), MOMENT_DAMAGED);
			assert_int_equal(back.latest, 0);
			assert_string_equal(back.boot, "");
		}
	for (size_t len = 0; len < n; len++) {
		put(dir, text, len);
		assert_int_equal(moment_load(dir, &back), MOMENT_DAMAGED);
	}
	memcpy(other, text, n);
	memset(other + n, '\n', sizeof(other) - n);
	put(dir, other, n + 1);
	assert_int_equal(moment_load(dir, &back), MOMENT_DAMAGED);
	put(dir, other, sizeof(other));
	assert_int_equal(moment_load(dir, &back), MOMENT_DAMAGED);
	/* The next moment that is written replaces it. */
	save(dir, &m);
	assert_int_equal(moment_load(dir, &back), MOMENT_READ);
	/* If the kernel has no id for its start, no two starts are taken for the same one. */
	m.boot[0] = 0;
	save(dir, &m);
	assert_int_equal(moment_load(dir, &back), MOMENT_READ);
	assert_string_equal(back.boot, "");
}

/* All combinations of facts; the test states the expected result in its own way. */
static void trusted_or_why_not(void **state)
{
	static const uint64_t moments[] = { 0, NOW - 1, NOW, NOW + 1, NOW + 86400u * 365 * 70 };
	unsigned trusted = 0, waits = 0;

	(void)state;
	for (unsigned i = 0; i < 3 * 5 * 5 * 2 * 2 * 2 * 3 * 4; i++) {
		unsigned k = i;
		struct clock_facts f = { .now = NOW };
		uint64_t least;
		enum clock_wait w;

		f.found = (enum moment_found)(k % 3), k /= 3;
		f.latest = moments[k % 5], k /= 5;
		f.policy = moments[k % 5], k /= 5;
		f.same_boot = k % 2, k /= 2;
		f.stands = k % 2, k /= 2;
		f.sources = k % 2, k /= 2;
		f.sync = (enum clock_sync)(k % 3), k /= 3;
		f.battery = k > 0;
		f.battery_s = (uint64_t[]){ 0, 946684800u, NOW - 3600 * 9, NOW + 86401u }[k];
		least = f.found == MOMENT_READ ? f.latest : f.policy;
		w = clock_judge(&f);
		trusted += w == CLOCK_TRUSTED;
		waits += w != CLOCK_TRUSTED;
		assert_true(w < CLOCK_WAITS);
		if (f.same_boot) {
			assert_int_equal(w, CLOCK_TRUSTED);
			continue;
		}
		if (least > NOW)
			assert_int_equal(w, CLOCK_WAITS_EARLIER);
		else if (f.sync == CLOCK_SYNC_YES || f.stands)
			assert_int_equal(w, CLOCK_TRUSTED);
		else if (f.sources)
			assert_int_equal(w, CLOCK_WAITS_SOURCE);
		else if (f.found == MOMENT_DAMAGED)
			assert_int_equal(w, CLOCK_WAITS_RECORD);
		else
			assert_int_equal(w, k == 1 || k == 3 ? CLOCK_WAITS_BATTERY : CLOCK_TRUSTED);
	}
	assert_true(trusted > 100 && waits > 100);
	for (unsigned w = 0; w < CLOCK_WAITS; w++)
		assert_non_null(clock_wait_words[w]);
	assert_null(clock_wait_words[CLOCK_WAITS]);
}

/* A clock that was wrong for less than an hour leaves no record of that, in either direction; one
 * that stays wrong does. */
static void a_wrong_hour_is_not_kept(void **state)
{
	const uint64_t minute = 60000000000ull, year = 365ull * 86400 * 1000000000u;
	struct clock_steady s = { 0 };
	uint64_t mono = 5 * minute, wall = NOW * 1000000000ull;
	unsigned written = 0;

	(void)state;
	for (unsigned i = 0; i <= 180; i++, mono += minute, wall += minute)
		written += clock_steady_due(&s, (struct mono){ mono }, wall);
	assert_int_equal(written, 3);
	for (int way = 0; way < 2; way++) {
		uint64_t wrong = way == 0 ? wall + 70 * year : wall - 10 * year;

		for (unsigned i = 0; i < 59; i++, mono += minute, wall += minute, wrong += minute)
			assert_false(clock_steady_due(&s, (struct mono){ mono }, wrong));
		for (unsigned i = 0; i < 60; i++, mono += minute, wall += minute)
			assert_false(clock_steady_due(&s, (struct mono){ mono }, wall));
		assert_true(clock_steady_due(&s, (struct mono){ mono }, wall));
		mono += minute, wall += minute;
	}
	wall += 70 * year;
	for (unsigned i = 0; i < 60; i++, mono += minute, wall += minute)
		assert_false(clock_steady_due(&s, (struct mono){ mono }, wall));
	assert_true(clock_steady_due(&s, (struct mono){ mono }, wall));
}

/* The kernel's state of the clock, once a second: what is reported, and when, while the source of
 * time goes away and comes back. */
static void a_source_that_comes_and_goes(void **state)
{
	const uint64_t second = 1000000000u, settles = FOLLOW_SETTLES_NS / second;
	struct clock_follow f = { 0 };
	uint64_t now = 7 * second;

	(void)state;
	/* The kernel may not be asked: nothing is known, however long this lasts. */
	for (unsigned i = 0; i < 1000; i++, now += second)
		assert_false(clock_follow_look(&f, CLOCK_SYNC_UNKNOWN, (struct mono){ now }, now + NOW));
	assert_int_equal(f.is, CLOCK_SYNC_UNKNOWN);
	for (unsigned round = 0; round < 3; round++) {
		enum clock_sync word = round % 2 == 0 ? CLOCK_SYNC_YES : CLOCK_SYNC_NO;
		uint64_t since = now + NOW;

		/* Reported once, after a minute, with the time at which it began. */
		for (unsigned i = 0; i < 3 * settles; i++, now += second)
			assert_int_equal(clock_follow_look(&f, word, (struct mono){ now }, now + NOW), i == settles);
		assert_int_equal(f.is, word);
		assert_int_equal(f.since_wall_ns, since);
		/* A state that lasts for a shorter time is not reported, whatever it is and however
		 * often it changes. */
		for (unsigned k = 0; k < 100; k++) {
			enum clock_sync other = k % 3 == 0	 ? CLOCK_SYNC_UNKNOWN
						: round % 2 == 0 ? CLOCK_SYNC_NO
								 : CLOCK_SYNC_YES;

			for (unsigned i = 0; i < settles; i++, now += second)
				assert_false(clock_follow_look(&f, other, (struct mono){ now }, now + NOW));
			assert_false(clock_follow_look(&f, word, (struct mono){ now }, now + NOW));
			now += second;
		}
		assert_int_equal(f.since_wall_ns, since);
	}
}

/* The settled state is kept over a restart of the daemon, but not of the machine; it is read only
 * in the form in which it was written. */
static void what_another_daemon_found(void **state)
{
	static const char boot[] = "0b1e7b1c-5b0e-4f5f-8a52-6c0f7d8e9a01";
	const struct mono now = { .ns = 1000 * SECOND };
	int dir = ((struct folder *)*state)->fd;
	struct clock_follow f = { .is = CLOCK_SYNC_NO, .since_wall_ns = NOW * SECOND }, back = { 0 };
	char text[600], other[600];
	ssize_t n;
	int fd;

	assert_false(clock_follow_load(dir, boot, &back));
	assert_int_equal(clock_follow_save(dir, boot, &f, NULL), 0);
	assert_false(clock_follow_load(dir, "another", &back));
	assert_false(clock_follow_load(dir, "", &back));
	assert_int_equal(back.is, CLOCK_SYNC_UNKNOWN);
	assert_true(clock_follow_load(dir, boot, &back));
	assert_int_equal(back.is, CLOCK_SYNC_NO);
	assert_int_equal(back.since_wall_ns, NOW * SECOND);
	/* The same state is not reported again, however long it lasts; another one is. */
	assert_false(clock_follow_look(&back, CLOCK_SYNC_NO, now, NOW * SECOND));
	assert_false(
		clock_follow_look(&back, CLOCK_SYNC_NO, (struct mono){ now.ns + 2 * FOLLOW_SETTLES_NS }, NOW * SECOND));
	assert_int_equal(back.since_wall_ns, NOW * SECOND);
	assert_false(clock_follow_look(&back, CLOCK_SYNC_YES, (struct mono){ now.ns + 3 * FOLLOW_SETTLES_NS }, 1));
	assert_true(clock_follow_look(&back, CLOCK_SYNC_YES, (struct mono){ now.ns + 4 * FOLLOW_SETTLES_NS }, 2));
	assert_int_equal(back.is, CLOCK_SYNC_YES);
	assert_int_equal(back.since_wall_ns, 1);
	assert_int_equal(clock_follow_save(dir, boot, &back, NULL), 0);
	back = (struct clock_follow){ .is = CLOCK_SYNC_UNKNOWN };
	assert_true(clock_follow_load(dir, boot, &back));
	assert_int_equal(back.is, CLOCK_SYNC_YES);
	/* A file with any byte changed (unless this gives another valid number), and of any other
	 * length, is not read. */
	fd = openat(dir, "clock-source", O_RDWR | O_CLOEXEC);
	n = read(fd, text, sizeof(text));
	assert_true(n > 0 && (size_t)n < sizeof(text));
	for (ssize_t at = 0; at < n; at++) {
		memcpy(other, text, (size_t)n);
		other[at] = '~';
		assert_int_equal(pwrite(fd, other, (size_t)n, 0), n);
		assert_false(clock_follow_load(dir, boot, &back));
	}
	for (ssize_t len = 0; len < n; len++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, text, (size_t)len, 0), len);
		assert_false(clock_follow_load(dir, boot, &back));
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept_whole_or_not_believed, setup, teardown),
		cmocka_unit_test(trusted_or_why_not),
		cmocka_unit_test(a_wrong_hour_is_not_kept),
		cmocka_unit_test(a_source_that_comes_and_goes),
		cmocka_unit_test_setup_teardown(what_another_daemon_found, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
