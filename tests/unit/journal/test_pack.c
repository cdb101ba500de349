/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed segments are packed, and can be read, checked and continued in either form. After a stop
 * at any step, one file of each is read and nothing is lost. A packed file that was changed is
 * found.
 *
 * LINK: appliance/journal/closed.c appliance/journal/segment.c appliance/journal/chain.c
 * LINK: appliance/journal/search.c appliance/journal/verify.c appliance/journal/filter.c
 * LINK: $(WIRE_SRC)
 * LINK: appliance/base/err.c appliance/base/sha256.c appliance/base/clock.c appliance/base/json.c
 * LINK: appliance/base/addr.c appliance/base/utf8.c appliance/base/bytes.c appliance/base/memfd.c
 * LINK: appliance/journal/checkpoint.c
 * LIBS: jansson hogweed nettle zlib
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/journal/chain.h"
#include "appliance/journal/closed.h"
#include "appliance/journal/search.h"
#include "appliance/journal/segment.h"
#include "appliance/journal/verify.h"
#include "tests/unit/folder.h"

#define FILES 3
#define LINES 700 /* records in a file: packing its text takes several steps */

static void write_files(struct folder *f, int files)
{
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;

	assert_int_equal(journal_open(f->fd, &j, &found, &e), 0);
	for (int i = 0; i < files * LINES; i++) {
		if (i % LINES == 0)
			j.size = JOURNAL_SEGMENT_BYTES; /* as if the file were full */
		assert_int_equal(journal_append(&j, json_pack("{s:s, s:i}", "kind", "test", "count", i), &e), 0);
	}
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
}

static uint64_t newest(struct folder *f)
{
	struct segment_file *list;
	struct err e = { 0 };
	uint64_t first;
	size_t n;

	assert_int_equal(segment_list(f->fd, &list, &n, &e), 0);
	first = n > 0 ? list[n - 1].first : 0;
	free(list);
	return first;
}

/* Makes steps until there are no more, at most `most`; returns their number. */
static int pack(struct folder *f, int most)
{
	struct pack *p = NULL;
	struct err e = { 0 };
	int n = 0, r = 1;

	while (n < most && (r = pack_step(&p, f->fd, newest(f), &e)) == 1)
		n++;
	assert_true(r >= 0);
	pack_forget(&p);
	return n;
}

static void whole(struct folder *f, uint64_t records)
{
	struct journal_report r;
	struct err e = { 0 };

	assert_int_equal(journal_verify(f->path, NULL, &r, &e), 0);
	assert_int_equal(r.faults, 0);
	assert_int_equal(r.open, 0);
	assert_int_equal(r.records, records);
}

static void count_forms(struct folder *f, unsigned *plain, unsigned *packed)
{
	struct segment_file *list;
	struct err e = { 0 };
	size_t n;

	*plain = *packed = 0;
	assert_int_equal(segment_list(f->fd, &list, &n, &e), 0);
	for (size_t i = 0; i < n; i++) {
		*plain += list[i].plain;
		*packed += list[i].packed;
	}
	free(list);
}

static void expect_forms(struct folder *f, unsigned plain, unsigned packed)
{
	unsigned a, b;

	count_forms(f, &a, &b);
	assert_int_equal(a, plain);
	assert_int_equal(b, packed);
}

static void read_all(struct folder *f, uint64_t records)
{
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;
	uint64_t next;

	assert_int_equal(journal_open(f->fd, &j, &found, &e), 0);
	assert_int_equal(found.torn_bytes + found.missing + found.headless + found.another_head, 0);
	assert_int_equal(j.next_seq, records + 1);
	for (uint64_t after = 0; after < records; after += 131) {
		json_t *list = journal_read(&j, after, 2, NULL, NULL, &next, &e);

		assert_non_null(list);
		assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "seq")), after + 1);
		json_decref(list);
	}
	journal_close(&j);
}

static void closed_ones_are_packed_and_read(void **state)
{
	struct folder *f = *state;
	struct stat st;
	char name[48], command[160];

	write_files(f, FILES);
	read_all(f, FILES * LINES);
	assert_true(pack(f, 1000) > 10);
	expect_forms(f, 1, FILES - 1);
	whole(f, FILES * LINES);
	read_all(f, FILES * LINES);
	/* An ordinary program can unpack the files, and they are small. */
	segment_packed_name(1, name);
	snprintf(command, sizeof(command), "test $(gzip -dc '%s/%s' | wc -l) = %d", f->path, name, LINES);
	assert_int_equal(system(command), 0);
	assert_int_equal(fstatat(f->fd, name, &st, 0), 0);
	assert_in_range(st.st_size, 1000, LINES * 100);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* The journal continues behind them. */
	write_files(f, 1);
	whole(f, (FILES + 1) * LINES);
	pack(f, 1000);
	expect_forms(f, 1, FILES);
	whole(f, (FILES + 1) * LINES);
}

/* If the newest file is packed as well, a new file is begun: nothing is written behind packed
 * bytes. */
static void the_newest_may_be_packed(void **state)
{
	struct folder *f = *state;
	struct pack *p = NULL;
	struct err e = { 0 };

	write_files(f, 2);
	while (pack_step(&p, f->fd, 0, &e) == 1)
		;
	expect_forms(f, 0, 2);
	read_all(f, 2 * LINES);
	whole(f, 2 * LINES);
	write_files(f, 1);
	expect_forms(f, 1, 2);
	whole(f, 3 * LINES);
}

/* Stopped after any number of steps, as by a kill or a power cut. */
static void stopped_at_any_act(void **state)
{
	struct folder *f = *state;
	unsigned plain, packed, both = 0;
	int acts;

	write_files(f, FILES);
	acts = pack(f, 1000);
	for (int stop = 0; stop <= acts; stop++) {
		char command[160];

		snprintf(command, sizeof(command), "rm -f '%s'/*", f->path);
		assert_int_equal(system(command), 0);
		write_files(f, FILES);
		pack(f, stop);
		whole(f, FILES * LINES);
		read_all(f, FILES * LINES);
		count_forms(f, &plain, &packed);
		assert_true(plain + packed == FILES || plain + packed == FILES + 1);
		both += plain + packed == FILES + 1;
		pack(f, 1000);
		expect_forms(f, 1, FILES - 1);
		assert_int_equal(faccessat(f->fd, "packed.new", F_OK, 0), -1);
		whole(f, FILES * LINES);
		read_all(f, FILES * LINES);
	}
	print_message("%d acts, both files after %u of them\n", acts, both);
	assert_true(both >= 2);
}

static void flip(struct folder *f, const char *name, off_t at, bool cut)
{
	int fd = openat(f->fd, name, O_RDWR | O_CLOEXEC);
	uint8_t b;

	assert_true(fd >= 0);
	if (cut) {
		assert_int_equal(ftruncate(fd, at), 0);
	} else {
		assert_int_equal(pread(fd, &b, 1, at), 1);
		b ^= 0x10;
		assert_int_equal(pwrite(fd, &b, 1, at), 1);
	}
	close(fd);
}

static uint64_t faults(struct folder *f)
{
	struct journal_report r;
	struct err e = { 0 };

	assert_int_equal(journal_verify(f->path, NULL, &r, &e), 0);
	return r.faults;
}

/* Whether this byte of the header only says when, by whom or how the file was packed. */
static bool says_nothing(off_t at)
{
	return at == 3 || (at >= 4 && at < 10);
}

/* Files of an older release that nobody else could read: files that may have to be forwarded are
 * readable by the group once the journal is open. */
static void plain_ones_are_for_the_group(void **state)
{
	struct folder *f = *state;
	struct segment_file *list;
	struct err e = { 0 };
	struct pack *p = NULL;
	unsigned plain = 0;
	size_t n;

	write_files(f, FILES + 3);
	for (int i = 0; i < 2; i++) {
		while (pack_step(&p, f->fd, LINES + 1, &e) == 1)
			;
		assert_int_equal(segment_list(f->fd, &list, &n, &e), 0);
		assert_int_equal(n, FILES + 3);
		for (size_t k = 0; k < n; k++) {
			char name[48];
			struct stat st;

			if (list[k].plain)
				journal_segment_name(list[k].first, name);
			else
				segment_packed_name(list[k].first, name);
			assert_int_equal(fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
			assert_int_equal(st.st_mode & 0777, list[k].plain ? 0640 : 0600);
			plain += list[k].plain;
			if (i == 0)
				assert_int_equal(fchmodat(f->fd, name, 0600, 0), 0);
		}
		free(list);
		read_all(f, (FILES + 3) * LINES);
	}
	assert_int_equal(plain, 2 * (FILES + 2));
}

static void every_touch_of_a_packed_one_is_found(void **state)
{
	struct folder *f = *state;
	struct stat st;
	unsigned tried = 0;
	char name[48];

	write_files(f, 2);
	pack(f, 1000);
	segment_packed_name(1, name);
	assert_int_equal(fstatat(f->fd, name, &st, 0), 0);
	for (off_t at = 0; at < st.st_size; at += at < 64 || at > st.st_size - 16 ? 1 : 997) {
		if (says_nothing(at))
			continue;
		flip(f, name, at, false);
		if (faults(f) == 0)
			fail_msg("byte %lld of %lld was changed and nothing was found", (long long)at,
				 (long long)st.st_size);
		flip(f, name, at, false);
		tried++;
	}
	assert_true(tried > 70);
	assert_int_equal(faults(f), 0);
	/* Bytes behind the end, and a missing end; the journal goes on all the same. */
	{
		int fd = openat(f->fd, name, O_WRONLY | O_APPEND | O_CLOEXEC);

		assert_int_equal(write(fd, "x", 1), 1);
		close(fd);
		assert_true(faults(f) > 0);
	}
	flip(f, name, st.st_size, true);
	assert_int_equal(faults(f), 0);
	flip(f, name, st.st_size - 3, true);
	assert_true(faults(f) > 0);
	flip(f, name, 5, true);
	assert_true(faults(f) > 0);
	write_files(f, 1);
	assert_true(faults(f) > 0);
}

/* Bytes that unpack to more than a segment can have are no segment; they are not unpacked to the
 * end. */
static void what_unpacks_to_too_much(void **state)
{
	struct folder *f = *state;
	struct segment *s;
	struct err e = { 0 };
	char command[200], name[48];
	const char *text;
	uint64_t lines = 0;
	size_t n;
	bool is_whole;
	int r;

	segment_packed_name(1, name);
	snprintf(command, sizeof(command), "head -c 100000000 /dev/zero | gzip -1 >'%s/%s'", f->path, name);
	assert_int_equal(system(command), 0);
	assert_int_equal(segment_open(f->fd, 1, SEGMENT_EITHER, 0, &s, &e), 0);
	while ((r = segment_line(s, &text, &n, &is_whole)) == 1)
		lines++;
	assert_int_equal(r, -EBADMSG);
	assert_int_equal(lines, 0);
	segment_close(s);
	assert_true(faults(f) > 0);
}

/* The packed file belongs to another journal: verify reports it, and packing replaces it by the
 * records of the plain file. */
static void both_that_differ(void **state)
{
	struct folder *f = *state;
	struct journal_report r;
	struct err e = { 0 };
	char command[240], plain[48], packed[48];

	write_files(f, 2);
	journal_segment_name(1, plain);
	segment_packed_name(1, packed);
	snprintf(command, sizeof(command), "cd '%s' && head -n 3 %s | gzip >%s", f->path, plain, packed);
	assert_int_equal(system(command), 0);
	assert_int_equal(journal_verify(f->path, NULL, &r, &e), 0);
	assert_int_equal(r.faults, 1);
	assert_int_equal(r.list[0].what, FAULT_TWICE);
	assert_int_equal(r.records, 2 * LINES);
	pack(f, 1000);
	expect_forms(f, 1, 1);
	whole(f, 2 * LINES);
}

/* A disk without room for a copy, or one that refuses the new name or the removal: the plain file
 * stays the segment. */
static void a_disk_that_refuses(void **state)
{
	struct folder *f = *state;
	struct rlimit old, tight;
	struct err e = { 0 };
	struct pack *p = NULL;
	char name[48];
	int r;

	signal(SIGXFSZ, SIG_IGN);
	write_files(f, 2);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	for (rlim_t room = 0; room < 20000; room += 4999) {
		tight = old;
		tight.rlim_cur = room;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
		while ((r = pack_step(&p, f->fd, newest(f), &e)) == 1)
			;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_true(r < 0);
		assert_null(p);
		expect_forms(f, 2, 0);
		assert_int_equal(faccessat(f->fd, "packed.new", F_OK, 0), -1);
		whole(f, 2 * LINES);
	}
	/* A folder has the name of the packed file, and cannot be replaced. */
	segment_packed_name(1, name);
	assert_int_equal(mkdirat(f->fd, name, 0700), 0);
	while ((r = pack_step(&p, f->fd, newest(f), &e)) == 1)
		;
	assert_true(r < 0);
	assert_int_equal(unlinkat(f->fd, name, AT_REMOVEDIR), 0);
	expect_forms(f, 2, 0);
	pack(f, 1000);
	expect_forms(f, 1, 1);
	whole(f, 2 * LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(closed_ones_are_packed_and_read, setup, teardown),
		cmocka_unit_test_setup_teardown(the_newest_may_be_packed, setup, teardown),
		cmocka_unit_test_setup_teardown(stopped_at_any_act, setup, teardown),
		cmocka_unit_test_setup_teardown(plain_ones_are_for_the_group, setup, teardown),
		cmocka_unit_test_setup_teardown(every_touch_of_a_packed_one_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(what_unpacks_to_too_much, setup, teardown),
		cmocka_unit_test_setup_teardown(both_that_differ, setup, teardown),
		cmocka_unit_test_setup_teardown(a_disk_that_refuses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
