/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many records wait for the log server, from files as the journal and rsyslogd write them. Torn
 * or foreign files, and files with false contents, give no answer.
 *
 * LINK: appliance/box/log_sent.c appliance/base/err.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c
 * LINK: appliance/base/memfd.c appliance/base/bytes.c appliance/base/sha256.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "appliance/box/companions.h"
#include "tests/unit/folder.h"

static void put(const struct folder *f, const char *name, const char *text, size_t n)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
}

#define LINES 100u

/* Writes the records `first` to `last`, each one second later; `at` gets the offset of each line,
 * and behind the last one the end. */
static void segment(const struct folder *f, uint64_t first, uint64_t last, size_t at[LINES + 1])
{
	static char text[LINES * 200];
	char name[48];
	size_t n = 0;

	for (uint64_t seq = first; seq <= last; seq++) {
		at[seq - first] = n;
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "{\"seq\":%" PRIu64 ",\"time\":\"2026-01-01T00:00:%02" PRIu64
				      ".000Z\",\"kind\":\"role\",\"hash\":\"00\"}\n",
				      seq, seq % 60);
	}
	at[last + 1 - first] = n;
	snprintf(name, sizeof(name), "events-%020" PRIu64 ".log", first);
	put(f, name, text, n);
}

/* A state file as rsyslog 8.2302 writes it. */
static void note_as(const struct folder *f, uint64_t first, uint64_t said_first, size_t offset, const char *hash)
{
	char name[48], text[400], file[128];
	struct stat st;

	snprintf(name, sizeof(name), "events-%020" PRIu64 ".log", first);
	assert_int_equal(fstatat(f->fd, name, &st, 0), 0);
	snprintf(file, sizeof(file), "imfile-state:%lld%s", (long long)st.st_ino, hash);
	snprintf(text, sizeof(text),
		 "{ \"filename\": \"\\/var\\/lib\\/sekisho\\/journal\\/events-%020" PRIu64
		 ".log\", \"prev_was_nl\": 0, \"curr_offs\": %zu, \"strt_offs\": 0 }",
		 said_first, offset);
	put(f, file, text, strlen(text));
}

static void note(const struct folder *f, uint64_t first, size_t offset)
{
	note_as(f, first, first, offset, ":0123456789abcdef");
}

/* The time of the state file, in seconds since 1970. */
static void date(const struct folder *f, uint64_t first, const char *hash, time_t s)
{
	const struct timespec times[2] = { { .tv_sec = s }, { .tv_sec = s } };
	char name[48], file[128];
	struct stat st;

	snprintf(name, sizeof(name), "events-%020" PRIu64 ".log", first);
	assert_int_equal(fstatat(f->fd, name, &st, 0), 0);
	snprintf(file, sizeof(file), "imfile-state:%lld%s", (long long)st.st_ino, hash);
	assert_int_equal(utimensat(f->fd, file, times, 0), 0);
}

static struct log_sent look(const struct folder *f)
{
	struct log_sent h;
	struct err e = { 0 };

	assert_int_equal(log_sent_look(f->fd, f->fd, &h, &e), 0);
	return h;
}

static void expect_waits(const struct log_sent *h, uint64_t waiting, uint64_t next, uint64_t last)
{
	assert_int_equal(h->waiting, waiting);
	assert_int_equal(h->next, next);
	assert_int_equal(h->last, last);
}

static void nothing_there(void **state)
{
	struct log_sent h = look(*state);

	expect_waits(&h, 0, 0, 0);
	assert_int_equal(h.first, 0);
	assert_string_equal(h.since, "");
	assert_false(h.older);
}

static void never_sent(void **state)
{
	const struct folder *f = *state;
	size_t at[LINES + 1];
	struct log_sent h;
	struct err e = { 0 };

	segment(f, 1, 40, at);
	h = look(f);
	expect_waits(&h, 40, 1, 40);
	assert_int_equal(h.noted_ns, 0);
	assert_string_equal(h.since, "2026-01-01T00:00:01.000Z");
	/* rsyslogd has no folder yet. */
	assert_int_equal(log_sent_look(f->fd, -1, &h, &e), 0);
	expect_waits(&h, 40, 1, 40);
}

/* Every offset in a file: at a line, inside one, at the end, beyond it. */
static void every_place(void **state)
{
	const struct folder *f = *state;
	size_t at[LINES + 1];
	struct log_sent h;

	segment(f, 7, 56, at);
	for (uint64_t k = 0; k < 50; k++) {
		note(f, 7, at[k]);
		h = look(f);
		expect_waits(&h, 50 - k, 7 + k, 56);
		assert_true(h.noted_ns > 0);
		note(f, 7, at[k] + 5);
		h = look(f);
		expect_waits(&h, 50 - k, 7 + k, 56);
	}
	note(f, 7, at[50]);
	h = look(f);
	expect_waits(&h, 0, 0, 56);
	note(f, 7, at[50] + 1000);
	h = look(f);
	expect_waits(&h, 0, 0, 56);
	/* A short file has no hash in its name. For a moment two state files exist, and the newer
	 * one counts. */
	note_as(f, 7, 7, at[49], "");
	date(f, 7, "", 2000000000);
	h = look(f);
	expect_waits(&h, 1, 56, 56);
	date(f, 7, "", 1000000000);
	h = look(f);
	expect_waits(&h, 0, 0, 56);
}

/* After a start rsyslogd does not read the files in their order. */
static void several_files(void **state)
{
	const struct folder *f = *state;
	size_t a[LINES + 1], b[LINES + 1], c[LINES + 1];
	struct log_sent h;

	segment(f, 1, 10, a);
	segment(f, 11, 30, b);
	segment(f, 31, 35, c);
	note(f, 11, b[20]);
	h = look(f);
	expect_waits(&h, 15, 1, 35);
	note(f, 1, a[10]);
	h = look(f);
	expect_waits(&h, 5, 31, 35);
	note(f, 31, c[4]);
	h = look(f);
	expect_waits(&h, 1, 35, 35);
	assert_string_equal(h.since, "2026-01-01T00:00:35.000Z");
	assert_false(h.older);
	/* being packed: the plain file counts */
	put(f, "events-00000000000000000001.log.gz", "x", 1);
	assert_false(look(f).older);
	unlinkat(f->fd, "events-00000000000000000001.log", 0);
	h = look(f);
	assert_true(h.older);
	assert_int_equal(h.first, 11);
	expect_waits(&h, 1, 35, 35);
}

/* The journal is just writing this line, or the line was torn off. */
static void a_line_that_is_not_whole(void **state)
{
	const struct folder *f = *state;
	size_t at[LINES + 1];
	struct log_sent h;
	int fd;

	segment(f, 1, 10, at);
	note(f, 1, at[10]);
	fd = openat(f->fd, "events-00000000000000000001.log", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "{\"seq\":11,\"ti", 13), 13);
	h = look(f);
	expect_waits(&h, 0, 0, 10);
	note(f, 1, at[9]);
	h = look(f);
	expect_waits(&h, 1, 10, 10);
	assert_int_equal(write(fd, "me\":\"2026-01-01T00:00:11.000Z\"}\n", 32), 32);
	close(fd);
	h = look(f);
	expect_waits(&h, 2, 10, 11);
}

static void expect_none(const struct folder *f)
{
	struct log_sent h;
	struct err e = { 0 };

	assert_int_equal(log_sent_look(f->fd, f->fd, &h, &e), -EBADMSG);
}

static void no_answer(void **state)
{
	static const char *const notes[] = {
		"", "{", "[]", "{}", "{ \"curr_offs\": -1 }", "{ \"curr_offs\": \"9\" }", "\xff"
	};
	const struct folder *f = *state;
	size_t at[LINES + 1];
	char name[48];
	struct log_sent h;
	struct stat st;

	segment(f, 1, 10, at);
	assert_int_equal(fstatat(f->fd, "events-00000000000000000001.log", &st, 0), 0);
	snprintf(name, sizeof(name), "imfile-state:%lld", (long long)st.st_ino);
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		put(f, name, notes[i], strlen(notes[i]));
		expect_none(f);
	}
	unlinkat(f->fd, name, 0);
	assert_int_equal(symlinkat("/dev/zero", f->fd, name), 0);
	{
		struct err e = { 0 };

		assert_true(log_sent_look(f->fd, f->fd, &h, &e) < 0);
	}
	unlinkat(f->fd, name, 0);
	/* A state file of another file that had the same inode; and one of an inode whose number
	 * begins in the same way. */
	note_as(f, 1, 2, at[10], "");
	h = look(f);
	expect_waits(&h, 10, 1, 10);
	snprintf(name, sizeof(name), "imfile-state:%lld0", (long long)st.st_ino);
	put(f, name, "{", 1);
	h = look(f);
	expect_waits(&h, 10, 1, 10);
	put(f, "events-00000000000000000011.log", "no record\n", 10);
	expect_none(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_there, setup, teardown),
		cmocka_unit_test_setup_teardown(never_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(every_place, setup, teardown),
		cmocka_unit_test_setup_teardown(several_files, setup, teardown),
		cmocka_unit_test_setup_teardown(a_line_that_is_not_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(no_answer, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
