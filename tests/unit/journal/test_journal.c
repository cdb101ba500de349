/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record file: chained, and continued after any stop. The check without a daemon finds every
 * deletion, change, insertion and truncation. Floods are merged with exact counts.
 *
 * LINK: appliance/journal/closed.c appliance/journal/segment.c
 * LINK: appliance/journal/chain.c appliance/journal/search.c
 * LINK: appliance/journal/verify.c
 * LINK: appliance/journal/filter.c $(WIRE_SRC)
 * LINK: appliance/journal/flood.c appliance/base/err.c
 * LINK: appliance/base/sha256.c appliance/base/clock.c
 * LINK: appliance/base/json.c appliance/base/addr.c appliance/base/utf8.c appliance/base/bytes.c
 * LINK: appliance/base/memfd.c
 * LINK: appliance/journal/checkpoint.c
 * LIBS: jansson hogweed nettle zlib
 */
#include "appliance/journal/merge.h"
#include "appliance/journal/share.h"
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
#include "appliance/journal/search.h"
#include "appliance/journal/segment.h"
#include "appliance/journal/verify.h"
#include "tests/unit/folder.h"
#include "tests/unit/journal/look.h"

static void open_it(struct folder *f, struct journal *j, struct journal_recovery *found)
{
	struct err e = { 0 };

	assert_int_equal(journal_open(f->fd, j, found, &e), 0);
}

static void append(struct journal *j, int n)
{
	struct err e = { 0 };

	for (int i = 0; i < n; i++)
		assert_int_equal(journal_append(j, json_pack("{s:s, s:i}", "kind", "test", "count", i), &e), 0);
}

/* Opens the journal, appends n records, syncs and closes it. */
static void life(struct folder *f, int n)
{
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;

	open_it(f, &j, &found);
	assert_int_equal(found.torn_bytes, 0);
	assert_int_equal(found.missing, 0);
	append(&j, n);
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
}

static void check(struct folder *f, uint64_t faults, enum journal_fault first, uint64_t records)
{
	struct journal_report r;

	look(f, NULL, &r);
	assert_int_equal(r.faults, faults);
	if (faults > 0)
		assert_int_equal(r.list[0].what, first);
	if (records != UINT64_MAX)
		assert_int_equal(r.records, records);
}

/* The text of the only segment; the caller frees it. */
static char *segment_text(struct folder *f, size_t *ret_n)
{
	char name[48];
	struct stat st = { 0 };
	char *text;
	int fd;

	journal_segment_name(1, name);
	fd = openat(f->fd, name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	text = malloc((size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(read(fd, text, (size_t)st.st_size), st.st_size);
	text[st.st_size] = 0;
	*ret_n = (size_t)st.st_size;
	close(fd);
	return text;
}

static void write_segment(struct folder *f, const char *text, size_t n)
{
	char name[48];
	int fd;

	journal_segment_name(1, name);
	fd = openat(f->fd, name, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, n), (ssize_t)n);
	close(fd);
}

static void chain_goes_on_over_restarts(void **state)
{
	struct folder *f = *state;

	life(f, 5);
	life(f, 0);
	life(f, 7);
	check(f, 0, FAULT_NONE, 12);
}

static void empty_folder_is_whole(void **state)
{
	check(*state, 0, FAULT_NONE, 0);
}

static void torn_end_is_set_aside(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;
	size_t n;
	char *text;

	life(f, 4);
	text = segment_text(f, &n);
	/* Half a line behind four lines, as after a kill in the middle of a write. */
	for (size_t cut = 1; cut < 60; cut += 13) {
		char *longer = malloc(n + cut);

		assert_non_null(longer);
		memcpy(longer, text, n);
		memcpy(longer + n, text, cut);
		write_segment(f, longer, n + cut);
		check(f, 0, FAULT_NONE, 4);
		open_it(f, &j, &found);
		assert_int_equal(found.torn_bytes, cut);
		assert_int_equal(j.next_seq, 5);
		journal_close(&j);
		check(f, 0, FAULT_NONE, 4);
		free(longer);
	}
	free(text);
	open_it(f, &j, &found);
	append(&j, 2);
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
	check(f, 0, FAULT_NONE, 6);
}

static void unsynced_lines_still_count(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct journal j;

	open_it(f, &j, &found);
	append(&j, 3);
	close(j.fd); /* killed before any sync: there is no head yet */
	close(j.head_fd);
	free(j.marks);
	open_it(f, &j, &found);
	assert_int_equal(found.missing, 0);
	assert_int_equal(j.next_seq, 4);
	journal_close(&j);
	check(f, 0, FAULT_NONE, 3);
}

static void truncation_is_found(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;
	size_t n;
	char *text, *last;

	life(f, 6);
	text = segment_text(f, &n);
	text[n - 1] = 0;
	last = strrchr(text, '\n') + 1;
	write_segment(f, text, (size_t)(last - text)); /* the last line is missing completely */
	free(text);
	check(f, 1, FAULT_HEAD, 5);
	open_it(f, &j, &found);
	assert_int_equal(found.missing, 1);
	assert_int_equal(j.next_seq, 7); /* the number of the missing record is not given again */
	append(&j, 1);
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
	check(f, 1, FAULT_NUMBER, 6);
}

static unsigned left_open(struct folder *f)
{
	struct journal_report r;
	struct err e = { 0 };

	assert_int_equal(journal_verify(f->path, NULL, &r, &e), 0);
	assert_int_equal(r.faults, 0);
	return r.open;
}

/* Without its head a shortened journal looks valid: neither verify nor the next start may call it
 * complete. */
static void without_a_head_nothing_is_called_whole(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct journal j;
	size_t n;
	char *text, *last;

	open_it(f, &j, &found);
	assert_true(found.empty);
	journal_close(&j);
	assert_int_equal(unlinkat(f->fd, "head", 0), 0);
	life(f, 6);
	assert_int_equal(left_open(f), 0);
	text = segment_text(f, &n);
	text[n - 1] = 0;
	last = strrchr(text, '\n') + 1;
	write_segment(f, text, (size_t)(last - text));
	free(text);
	assert_int_equal(unlinkat(f->fd, "head", 0), 0);
	assert_int_equal(left_open(f), JOURNAL_END_OPEN);
	open_it(f, &j, &found);
	assert_true(found.headless);
	assert_false(found.empty || found.another_head);
	journal_close(&j);
	/* An empty head counts as none. */
	assert_int_equal(left_open(f), JOURNAL_END_OPEN);
	open_it(f, &j, &found);
	assert_true(found.headless);
	journal_close(&j);
}

static void write_head(struct folder *f, const char *text)
{
	int fd = openat(f->fd, "head", O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The head belongs to another journal: to a record that this one has, to a later one, or it is
 * missing. */
static void another_head_is_found(void **state)
{
	static const char hash[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	struct folder *f = *state;
	struct journal_recovery found;
	struct journal j;
	char text[96];

	life(f, 6);
	snprintf(text, sizeof(text), "4 %s\n", hash);
	write_head(f, text);
	check(f, 1, FAULT_ANOTHER, 6);
	open_it(f, &j, &found);
	assert_true(found.another_head);
	journal_close(&j);
	snprintf(text, sizeof(text), "9 %s\n", hash);
	write_head(f, text);
	check(f, 1, FAULT_HEAD, 6);
	/* There is no record 0: such a head does not mean that nothing was on the disk. */
	snprintf(text, sizeof(text), "0 %064d\n", 0);
	write_head(f, text);
	check(f, 1, FAULT_ANOTHER, 6);
	write_head(f, "rubbish\n");
	check(f, 1, FAULT_ANOTHER, 6);
	open_it(f, &j, &found);
	assert_true(found.another_head);
	journal_close(&j);
}

/* A head with a number that no journal reaches is invalid: the next number would be 0, or could not
 * be written in JSON, and later records would never be read. */
static void a_head_beyond_all_numbers(void **state)
{
	static const char hash[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	static const char *const numbers[] = { "18446744073709551615", "9223372036854775807", "1000000000000000001" };
	struct folder *f = *state;
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;
	char text[96];

	life(f, 3);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(text, sizeof(text), "%s %s\n", numbers[i], hash);
		write_head(f, text);
		check(f, 1, FAULT_ANOTHER, 3 + i);
		open_it(f, &j, &found);
		assert_true(found.another_head);
		assert_int_equal(found.missing, 0);
		assert_int_equal(j.next_seq, 4 + i);
		append(&j, 1);
		assert_int_equal(journal_sync(&j, &e), 0);
		journal_close(&j);
		check(f, 0, FAULT_NONE, 4 + i);
	}
}

/* A head that exists but cannot be read is not called missing. */
static void a_head_that_cannot_be_read(void **state)
{
	struct folder *f = *state;
	struct journal_report r;
	struct err e = { 0 };

	life(f, 3);
	assert_int_equal(unlinkat(f->fd, "head", 0), 0);
	assert_int_equal(symlinkat("elsewhere", f->fd, "head"), 0);
	assert_int_equal(journal_verify(f->path, NULL, &r, &e), -ELOOP);
	assert_non_null(strstr(e.text, "open head"));
	assert_int_equal(unlinkat(f->fd, "head", 0), 0);
	assert_int_equal(mkdirat(f->fd, "head", 0700), 0);
	assert_int_equal(journal_verify(f->path, NULL, &r, &e), -EISDIR);
}

/* Files with names that differ from those of segments are ignored, by the journal and by verify. */
static void names_that_are_not_ours(void **state)
{
	static const char *const names[] = { "events-7.log", "events-7.log.gz", "events-000000000000000000007.log",
					     "events-09223372036854775807.log", "events-18446744073709551615.log" };
	struct folder *f = *state;

	life(f, 3);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = openat(f->fd, names[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		close(fd);
		life(f, 1);
		check(f, 0, FAULT_NONE, 4 + i);
	}
}

static void a_missing_beginning_is_left_open(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;
	char name[48];

	open_it(f, &j, &found);
	append(&j, 3);
	j.size = JOURNAL_SEGMENT_BYTES; /* the next line begins a new file */
	append(&j, 3);
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
	assert_int_equal(left_open(f), 0);
	journal_segment_name(1, name);
	assert_int_equal(unlinkat(f->fd, name, 0), 0);
	assert_int_equal(left_open(f), JOURNAL_BEGIN_OPEN);
}

/* The last file is missing with its records, while the head is there. */
static void a_missing_last_file_is_found(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;
	char name[48];

	open_it(f, &j, &found);
	append(&j, 3);
	j.size = JOURNAL_SEGMENT_BYTES;
	append(&j, 3);
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
	journal_segment_name(4, name);
	assert_int_equal(unlinkat(f->fd, name, 0), 0);
	check(f, 1, FAULT_HEAD, 3);
	open_it(f, &j, &found);
	assert_int_equal(found.missing, 3);
	journal_close(&j);
}

static void every_edit_is_found(void **state)
{
	struct folder *f = *state;
	size_t n;
	char *text;

	life(f, 3);
	text = segment_text(f, &n);
	/* Any single byte is changed; bytes beside a newline only join two lines, which is a fault
	 * as well. */
	for (size_t at = 0; at + 1 < n; at += 3) {
		struct journal_report r;
		struct err e = { 0 };
		char old = text[at];

		text[at] = old == '7' ? '8' : '7';
		write_segment(f, text, n);
		assert_int_equal(journal_verify(f->path, NULL, &r, &e), 0);
		if (r.faults == 0)
			fail_msg("byte %zu of %zu was changed and nothing was found", at, n);
		text[at] = old;
	}
	write_segment(f, text, n);
	check(f, 0, FAULT_NONE, 3);
	free(text);
}

static void deletion_and_insertion_are_found(void **state)
{
	struct folder *f = *state;
	size_t n, first;
	char *text, *longer;

	life(f, 5);
	text = segment_text(f, &n);
	first = (size_t)(strchr(text, '\n') - text) + 1;
	/* The first line is missing. */
	write_segment(f, text + first, n - first);
	check(f, 1, FAULT_SEGMENT, UINT64_MAX);
	/* The second line is missing. */
	longer = malloc(2 * n);
	assert_non_null(longer);
	{
		size_t second = (size_t)(strchr(text + first, '\n') - text) + 1;

		memcpy(longer, text, first);
		memcpy(longer + first, text + second, n - second);
		write_segment(f, longer, first + n - second);
		check(f, 2, FAULT_NUMBER, 4);
	}
	/* A line stands twice. */
	memcpy(longer, text, first);
	memcpy(longer + first, text, n);
	write_segment(f, longer, first + n);
	{
		struct journal_report r;
		struct err e = { 0 };

		assert_int_equal(journal_verify(f->path, NULL, &r, &e), 0);
		assert_true(r.faults > 0);
	}
	free(longer);
	free(text);
}

static void edit_in_the_middle_is_left_for_verify(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct journal j;
	size_t n;
	char *text;

	life(f, 3);
	text = segment_text(f, &n);
	*strstr(text, "test") = 'T';
	write_segment(f, text, n);
	free(text);
	open_it(f, &j, &found);
	/* Recovery removes nothing that has valid lines behind it. */
	assert_int_equal(found.torn_bytes, 0);
	assert_int_equal(j.next_seq, 4);
	journal_close(&j);
	check(f, 1, FAULT_HASH, UINT64_MAX);
}

static void segments_are_chained(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;
	struct segment_file *list;
	size_t n;
	char name[48];

	open_it(f, &j, &found);
	append(&j, 3);
	j.size = JOURNAL_SEGMENT_BYTES; /* as if the file were full */
	append(&j, 3);
	j.size = JOURNAL_SEGMENT_BYTES;
	append(&j, 3);
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
	assert_int_equal(segment_list(f->fd, &list, &n, &e), 0);
	assert_int_equal(n, 3);
	assert_int_equal(list[1].first, 4);
	assert_int_equal(list[2].first, 7);
	free(list);
	check(f, 0, FAULT_NONE, 9);
	life(f, 1);
	check(f, 0, FAULT_NONE, 10);
	/* A whole segment disappears. */
	journal_segment_name(4, name);
	assert_int_equal(unlinkat(f->fd, name, 0), 0);
	check(f, 2, FAULT_SEGMENT, UINT64_MAX); /* the gap, and the link over it */
	/* If old segments were moved away, the records are complete from their first line on. */
	journal_segment_name(1, name);
	assert_int_equal(unlinkat(f->fd, name, 0), 0);
	check(f, 0, FAULT_NONE, 4);
}

/* Files with exchanged names: this is reported, and not that records are missing. */
static void names_are_exchanged(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct journal_report r;
	struct err e = { 0 };
	struct journal j;
	char one[48], seven[48];

	open_it(f, &j, &found);
	for (int i = 0; i < 3; i++) {
		append(&j, 3);
		journal_turn(&j);
	}
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
	journal_segment_name(1, one);
	journal_segment_name(7, seven);
	assert_int_equal(renameat(f->fd, one, f->fd, "aside"), 0);
	assert_int_equal(renameat(f->fd, seven, f->fd, one), 0);
	assert_int_equal(renameat(f->fd, "aside", f->fd, seven), 0);
	assert_int_equal(journal_verify(f->path, NULL, &r, &e), 0);
	assert_true(r.faults > 0);
	assert_int_equal(r.list[0].what, FAULT_SEGMENT);
	assert_string_equal(r.list[0].segment, one);
	assert_int_equal(r.list[0].line, 1);
	assert_int_equal(r.list[0].seq, 7);
	assert_int_equal(r.records, 9);
	assert_int_equal(r.first, 1);
	assert_int_equal(r.last, 9);
	assert_int_equal(r.open, 0);
}

static void reading_after_a_number(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;
	uint64_t next;
	json_t *list;

	open_it(f, &j, &found);
	append(&j, 700);
	j.size = JOURNAL_SEGMENT_BYTES;
	append(&j, 600);
	list = journal_read(&j, 0, 10, NULL, NULL, &next, &e);
	assert_int_equal(json_array_size(list), 10);
	assert_int_equal(next, 10);
	json_decref(list);
	list = journal_read(&j, 695, 10, NULL, NULL, &next, &e);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "seq")), 696);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 9), "seq")), 705);
	json_decref(list);
	for (uint64_t after = 0; after < 1300; after += 97) {
		list = journal_read(&j, after, 1, NULL, NULL, &next, &e);
		assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "seq")), after + 1);
		json_decref(list);
	}
	list = journal_read(&j, 1300, 10, NULL, NULL, &next, &e);
	assert_int_equal(json_array_size(list), 0);
	assert_int_equal(next, 1300);
	json_decref(list);
	journal_close(&j);
}

/* A question from behind the last number reads no earlier file: the test puts a folder in its
 * place, and reading it would be an error. */
static void reading_after_the_last_number(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;
	uint64_t next;
	json_t *list;
	char name[48];

	open_it(f, &j, &found);
	append(&j, 3);
	j.size = JOURNAL_SEGMENT_BYTES;
	append(&j, 3);
	journal_segment_name(1, name);
	assert_int_equal(unlinkat(f->fd, name, 0), 0);
	assert_int_equal(mkdirat(f->fd, name, 0700), 0);
	for (uint64_t after = UINT64_MAX; after > UINT64_MAX - 3; after--) {
		list = journal_read(&j, after, 10, NULL, NULL, &next, &e);
		assert_non_null(list);
		assert_int_equal(json_array_size(list), 0);
		assert_true(next == after);
		json_decref(list);
	}
	journal_close(&j);
}

struct waits {
	/* how often the search asked, and at which question nobody waits any more; 0 = somebody
	 * always waits */
	unsigned asked, leaves;
};

static bool gone(void *ctx)
{
	struct waits *w = ctx;

	return ++w->asked == w->leaves;
}

/* A search of many segments without a match stops when nobody waits for it any more, inside a
 * segment and between two, and reports nothing of what it found. */
static void left_off_while_it_reads(void **state)
{
	struct waits w = { 0 };
	const struct journal_patience p = { gone, &w };
	struct folder *f = *state;
	struct journal_recovery found;
	struct event_filter wanted = { 0 };
	struct line_filter filter;
	struct err e = { 0 };
	struct journal j;
	uint64_t next, whole = 0;
	unsigned all;
	json_t *list;

	open_it(f, &j, &found);
	for (unsigned i = 0; i < 6; i++) {
		append(&j, 4000);
		j.size = JOURNAL_SEGMENT_BYTES;
	}
	assert_true(event_filter_set(&wanted, FILTER_CONDUIT, "none of that name"));
	assert_true(line_filter_make(&wanted, &filter));
	list = journal_read(&j, 0, 10, &filter, &p, &whole, &e);
	assert_non_null(list);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	all = w.asked;
	assert_true(all > 2);
	for (unsigned at = 1; at <= all; at++) {
		w = (struct waits){ .leaves = at };
		next = 77;
		e.code = 0;
		assert_null(journal_read(&j, 0, 10, &filter, &p, &next, &e));
		assert_int_equal(e.code, -ECANCELED);
		assert_int_equal(w.asked, at);
	}
	w = (struct waits){ .leaves = all + 1 };
	list = journal_read(&j, 0, 10, &filter, &p, &next, &e);
	assert_non_null(list);
	assert_true(next == whole);
	json_decref(list);
	journal_close(&j);
}

/* The disk is full: the record is refused, the file stays as it is, and the journal goes on when
 * there is room again. */
static void full_disk_loses_nothing_written(void **state)
{
	struct folder *f = *state;
	struct rlimit old, tight;
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;

	signal(SIGXFSZ, SIG_IGN);
	open_it(f, &j, &found);
	append(&j, 3);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = old;
	tight.rlim_cur = j.size + 50; /* only a part of the next line fits */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	assert_true(journal_append(&j, json_pack("{s:s}", "kind", "refused"), &e) < 0);
	assert_true(journal_append(&j, json_pack("{s:s}", "kind", "refused"), &e) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	append(&j, 2);
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
	check(f, 0, FAULT_NONE, 5);
}

static void lines_that_are_none(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"{}",
		"{\"seq\":1}",
		"{\"seq\":1,\"prev\":\"\",\"hash\":\"\"}",
		"{\"seq\":99999999999999999999999999,\"a\":1}",
	};
	uint8_t zeros[32] = { 0 }, hash[32];
	uint64_t seq;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(journal_line_check(bad[i], strlen(bad[i]), zeros, hash, &seq), JOURNAL_LINE_FORM);
	assert_false(journal_segment_parse("events-.log", &seq));
	assert_false(journal_segment_parse("events-0.log", &seq));
	assert_false(journal_segment_parse("events-12.logx", &seq));
	assert_false(journal_segment_parse("events-99999999999999999999999.log", &seq));
	assert_true(journal_segment_parse("events-00000000000000000012.log", &seq));
	assert_int_equal(seq, 12);
}

/* ---- filters --------------------------------------------------------------------------------- */

static bool matches(enum event_filter_key key, const char *text, const char *line)
{
	struct event_filter asked = { 0 };
	struct line_filter f;

	assert_true(event_filter_set(&asked, key, text));
	assert_true(line_filter_make(&asked, &f));
	return line_filter_match(&f, line, strlen(line));
}

static void filters_match_whole_values(void **state)
{
	static const char line[] =
		"{\"seq\":7,\"time\":\"2026-11-20T08:10:11.123Z\",\"kind\":\"pdu\",\"severity\":\"warning\","
		"\"verdict\":"
		"\"deny\",\"conduit\":\"reads\",\"client\":\"10.1.1.1:40000\",\"server\":\"[2001:db8::5]:502\","
		"\"server_asset\":\"rtg04\",\"client_zone\":\"ops\",\"server_zone\":\"ot\",\"protocol\":\"modbus\","
		"\"in_clear\":true,\"reason\":\"modbus.value\",\"function\":6,\"function_name\":\"write_single_"
		"register\","
		"\"limit\":{\"what\":\"value\",\"at\":400,\"wrote\":9,\"allowed\":[\"0-1\"]},\"object\":"
		"\"\\\"conduit\\\":"
		"\\\"writes\\\"\"}";
	static const struct {
		enum event_filter_key key;
		const char *yes, *no;
	} rows[] = {
		{ FILTER_SINCE, "2026-11-20T08:10:11", "2026-11-20T08:10:12" },
		{ FILTER_CONDUIT, "reads", "read" },
		{ FILTER_CONDUIT, "reads", "writes" },
		{ FILTER_VERDICT, "deny", "allow" },
		{ FILTER_ZONE, "ops", "op" },
		{ FILTER_ZONE, "ot", "it" },
		{ FILTER_ASSET, "rtg04", "rtg0" },
		{ FILTER_HOST, "10.1.1.1", "10.1.1.2" },
		{ FILTER_HOST, "10.1.0.0/16", "10.2.0.0/16" },
		{ FILTER_HOST, "2001:db8::/32", "2001:db9::/32" },
		{ FILTER_SEVERITY, "warning", "serious" },
		{ FILTER_PROTOCOL, "modbus", "telnet" },
		{ FILTER_UNTIL, "2026-11-20T08:10:12", "2026-11-20T08:10:11" },
		{ FILTER_REASON, "modbus.value", "modbus.address" },
		{ FILTER_COMMAND, "write_single_register", "write_single_coil" },
		{ FILTER_COMMAND, "6", "16" },
		{ FILTER_COMMAND, "0x6", "0x60" },
		{ FILTER_COMMAND, "write", "read" },
		{ FILTER_COMMAND, "read_coils,diagnose,write_single_register", "read_coils,diagnose,5" },
		{ FILTER_VALUE, "9", "8" },
		{ FILTER_VALUE, "0-9", "0-8" },
		{ FILTER_VALUE, "9-70000", "10-70000" },
	};
	struct event_filter bad = { 0 };
	struct line_filter f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(matches(rows[i].key, rows[i].yes, line));
		assert_false(matches(rows[i].key, rows[i].no, line));
		assert_int_equal(matches(rows[i].key, rows[i].yes, "{\"seq\":8}"), false);
	}
	assert_true(matches(FILTER_PROTOCOL, FILTER_IN_CLEAR, line));
	assert_false(matches(FILTER_PROTOCOL, FILTER_IN_CLEAR,
			     "{\"protocol\":\"tls\",\"object\":\"\\\"in_clear\\\":true\"}"));
	assert_true(event_filter_set(&bad, FILTER_HOST, "ten"));
	assert_false(line_filter_make(&bad, &f));
	bad = (struct event_filter){ 0 };
	assert_true(event_filter_set(&bad, FILTER_PROTOCOL, "modbu"));
	assert_false(line_filter_make(&bad, &f));
}

static void values_of_a_span(void **state)
{
	static const char line[] = "{\"seq\":7,\"protocol\":\"slmp\",\"function\":335609855,\"wrote\":{\"low\":10,"
				   "\"high\":20},\"object\":\"\\\"wrote\\\":5\"}";

	(void)state;
	assert_true(matches(FILTER_VALUE, "10", line));
	assert_true(matches(FILTER_VALUE, "20", line));
	assert_true(matches(FILTER_VALUE, "0-10", line));
	assert_true(matches(FILTER_VALUE, "15", line));
	assert_true(matches(FILTER_VALUE, "0-9223372036854775799", line));
	assert_false(matches(FILTER_VALUE, "0-9", line));
	assert_false(matches(FILTER_VALUE, "5", line));
	assert_false(matches(FILTER_VALUE, "21-30", line));
	/* A code without a name; a part of it is another code. */
	assert_true(matches(FILTER_COMMAND, "0x1400ffff", line));
	assert_false(matches(FILTER_COMMAND, "0x1400fff", line));
	assert_false(matches(FILTER_COMMAND, "33560985", line));
	assert_false(matches(FILTER_COMMAND, "write", line));
	/* The same name is another command in another protocol: classes belong to a protocol. */
	assert_false(matches(FILTER_COMMAND, "write",
			     "{\"protocol\":\"telnet\",\"function_name\":\"write_single_register\"}"));
}

static void questions_that_are_none(void **state)
{
	static const struct {
		enum event_filter_key key;
		const char *text;
	} bad[] = {
		{ FILTER_REASON, "modbus.valu" },
		{ FILTER_REASON, "no conduit" },
		{ FILTER_COMMAND, "wrte" },
		{ FILTER_COMMAND, "write," },
		{ FILTER_COMMAND, ",write" },
		{ FILTER_COMMAND, "write,,read" },
		{ FILTER_COMMAND, "4294967296" },
		{ FILTER_COMMAND, "0x" },
		{ FILTER_COMMAND, "0xG" },
		{ FILTER_COMMAND, "-6" },
		{ FILTER_COMMAND, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17" },
		{ FILTER_VALUE, "-" },
		{ FILTER_VALUE, "9-" },
		{ FILTER_VALUE, "-9" },
		{ FILTER_VALUE, "9-8" },
		{ FILTER_VALUE, "0x9" },
		{ FILTER_VALUE, "9-8-7" },
		{ FILTER_VALUE, "9223372036854775808" },
		{ FILTER_VALUE, "99999999999999999999999" },
		{ FILTER_UNTIL, "2026-11-20" },
		{ FILTER_UNTIL, "yesterday" },
	};
	struct event_filter asked;
	struct line_filter f;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		asked = (struct event_filter){ 0 };
		assert_true(event_filter_set(&asked, bad[i].key, bad[i].text));
		if (line_filter_make(&asked, &f))
			fail_msg("%s is taken for one", bad[i].text);
	}
	asked = (struct event_filter){ 0 };
	assert_true(event_filter_set(&asked, FILTER_COMMAND, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"));
	assert_true(line_filter_make(&asked, &f));
}

/* ---- floods ---------------------------------------------------------------------------------- */

static struct event drop(uint8_t host, uint16_t port)
{
	struct event e = {
		.kind = EVENT_DROP, .verdict = EV_DENY, .count = 1, .conduit = EVENT_NO_CONDUIT, .l4proto = 6
	};

	e.client = (struct addr){ .family = 4, .b = { 10, 0, 0, host } };
	e.server = (struct addr){ .family = 4, .b = { 10, 1, 0, 1 } };
	e.server_port = port;
	return e;
}

static void floods_become_one_record_a_second(void **state)
{
	static struct merge m;
	struct event e = drop(1, 502), out;
	uint64_t written = 0, counted = 0, now = 5000000000ull;
	enum role from;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		now += 100000; /* 10,000 a second */
		e.client_port = (uint16_t)i;
		if (merge_in(&m, &e, ROLE_TAP, now, &out, &from)) {
			written++;
			counted += out.count;
		}
		while (merge_out(&m, now, false, &out, &from)) {
			written++;
			counted += out.count;
		}
	}
	while (merge_out(&m, now, true, &out, &from)) {
		written++;
		counted += out.count;
	}
	assert_int_equal(counted, 100000);
	assert_in_range(written, 10, 25);
	assert_int_equal(merge_due(&m), UINT64_MAX);
}

/* Whatever the mixture of records, the counts of all lines add up to the number of records. */
static void counts_are_exact(void **state)
{
	static struct merge m;
	unsigned seed = (unsigned)getpid();
	uint64_t in = 0, out_count = 0, now = 1;
	struct event out;
	enum role from;

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 200000; i++) {
		struct event e = drop((uint8_t)(rand() % 50), (uint16_t)(rand() % 80));

		e.kind = (uint8_t)(rand() % 3 == 0 ? EVENT_FLOW : rand() % 50 == 0 ? EVENT_ROLE : EVENT_DROP);
		e.count = (uint64_t)(rand() % 5 + 1);
		in += e.count;
		now += (uint64_t)(rand() % 1000000);
		if (merge_in(&m, &e, ROLE_TAP, now, &out, &from))
			out_count += out.count;
		if (rand() % 16 == 0)
			while (merge_out(&m, now, false, &out, &from))
				out_count += out.count;
	}
	while (merge_out(&m, now, true, &out, &from))
		out_count += out.count;
	assert_int_equal(in, out_count);
}

static void single_events_pass_at_once(void **state)
{
	static struct merge m;
	struct event e = drop(1, 502), out;
	enum role from;

	(void)state;
	assert_true(merge_in(&m, &e, ROLE_TAP, 1, &out, &from));
	assert_int_equal(out.count, 1);
	assert_false(merge_in(&m, &e, ROLE_TAP, 2, &out, &from));
	e.kind = EVENT_PDU;
	for (int i = 0; i < 10; i++)
		assert_true(merge_in(&m, &e, ROLE_DPI, 3, &out, &from));
	e.kind = EVENT_ROLE;
	for (int i = 0; i < 100; i++)
		assert_true(merge_in(&m, &e, ROLE_SUPERVISOR, 3, &out, &from));
}

/* ---- shares ---------------------------------------------------------------------------------- */

struct told {
	uint64_t lines, count, records, single_of_host;
};

static void take(struct told *t, const struct event *e, uint64_t records)
{
	t->lines++;
	t->count += e->count;
	t->records += records;
	t->single_of_host += records == 1 && e->client.b[0] == 10;
}

/* A stranger sends packets at full speed for an hour, each with a new address; a host on another
 * interface is refused sometimes. Every record of the host has a line of its own, the stranger's
 * have few lines, and every packet is counted. */
static void a_stranger_hides_nobody(void **state)
{
	static struct merge m;
	static struct shares s;
	struct told told = { 0 };
	uint64_t in = 0, refused = 0, now = 5000000000ull, records;
	unsigned seed = (unsigned)getpid();
	struct event out;
	enum role from;

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 3600 * 200; i++) {
		struct event e = drop(1, 502);

		now += 5000000;
		in++;
		if (i % 10000 == 0) {
			e.iif = 4;
			refused++;
		} else {
			e.iif = 3;
			e.client.b[0] = (uint8_t)(11 + rand() % 200);
			e.client.b[3] = (uint8_t)rand();
			e.server_port = (uint16_t)rand();
		}
		if (merge_in(&m, &e, ROLE_TAP, now, &out, &from) && share_in(&s, &out, from, now))
			take(&told, &out, 1);
		while (merge_out(&m, now, false, &out, &from))
			if (share_in(&s, &out, from, now))
				take(&told, &out, 1);
		while (share_out(&s, now, false, &out, &from, &records))
			take(&told, &out, records);
	}
	while (merge_out(&m, now, true, &out, &from))
		if (share_in(&s, &out, from, now))
			take(&told, &out, 1);
	while (share_out(&s, now, true, &out, &from, &records))
		take(&told, &out, records);
	assert_int_equal(told.count, in);
	assert_int_equal(told.single_of_host, refused);
	assert_int_equal(share_due(&s), UINT64_MAX);
	/* Two lines a second, and a sum every ten seconds, for 200 records a second. */
	print_message("%llu lines of %llu records\n", (unsigned long long)told.lines, (unsigned long long)told.records);
	assert_in_range(told.lines, 1000, 9000);
}

static void a_sum_says_what_is_common(void **state)
{
	static struct shares s;
	struct event e = drop(7, 502), out;
	uint64_t records, n = 0, now = 1;
	enum role from;

	(void)state;
	e.iif = 3;
	e.reason = 1;
	for (int i = 0; i < 1000; i++) {
		e.server_port = (uint16_t)(500 + i % 3);
		n += share_in(&s, &e, ROLE_TAP, now);
	}
	assert_int_equal(n, 50);
	assert_false(share_out(&s, now, false, &out, &from, &records));
	assert_true(share_out(&s, now + SHARE_SUM_NS, false, &out, &from, &records));
	assert_int_equal(records, 950);
	assert_int_equal(out.count, 950);
	assert_int_equal(addr_cmp(&out.client, &e.client), 0);
	assert_int_equal(out.server_port, 0);
	assert_int_equal(out.reason, 1);
	/* Records about the box itself have no share that could be used up. */
	e.kind = EVENT_DRIFT;
	for (int i = 0; i < 1000; i++)
		assert_true(share_in(&s, &e, ROLE_ENFORCE, now));
}

/*
 * A role that an attacker controls sends a thousand records a second for ten minutes, with any
 * host, interface, generation and kind. The lines of this role stay within its share, no count is
 * lost, and records of another role have lines of their own.
 */
static void a_role_that_lies(void **state)
{
	static const enum event_kind kinds[] = { EVENT_PDU, EVENT_FLOW, EVENT_COUNTS, EVENT_LOST };
	static struct shares s;
	uint64_t in = 0, honest = 0, lines[EVENT_KIND_COUNT] = { 0 }, counted = 0, now = 5000000000ull, records;
	unsigned seed = (unsigned)getpid();
	struct event out;
	enum role from;

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 600 * 1000; i++) {
		struct event e = { .kind = (uint8_t)kinds[(unsigned)rand() % 4], .count = 1 };
		bool single;

		now += 1000000;
		e.verdict = (uint8_t)((unsigned)rand() % EVENT_VERDICT_COUNT);
		e.reason = (uint16_t)((unsigned)rand() % 8);
		e.iif = (uint32_t)rand();
		e.generation.number = 1 + (uint32_t)rand() % 1000;
		e.client.family = 4;
		memcpy(e.client.b, &(uint32_t){ (uint32_t)rand() }, 4);
		e.value = event_counts_value(7, 60);
		single = share_in(&s, &e, ROLE_DPI, now);
		in++;
		lines[e.kind] += single;
		counted += single ? e.count : 0;
		if (i % 100000 == 0) {
			e = drop(1, 502);
			assert_true(share_in(&s, &e, ROLE_TAP, now));
			honest++;
		}
		while (i % 1000 == 0 && share_out(&s, now, false, &out, &from, &records)) {
			lines[out.kind]++;
			counted += out.count;
			/* For a sum the number of sessions is unknown. */
			if (out.kind == EVENT_COUNTS && records > 1)
				assert_int_equal(out.value, event_counts_value(0, 60));
		}
	}
	while (share_out(&s, now, true, &out, &from, &records)) {
		lines[out.kind]++;
		counted += out.count;
	}
	assert_int_equal(counted, in);
	assert_int_equal(honest, 6);
	print_message("commands and sessions %llu, counts %llu, lost %llu lines of %llu records\n",
		      (unsigned long long)lines[EVENT_PDU] + lines[EVENT_FLOW], (unsigned long long)lines[EVENT_COUNTS],
		      (unsigned long long)lines[EVENT_LOST], (unsigned long long)in);
	/* A burst, so many a second, and a sum in ten seconds of each kind. */
	assert_in_range(lines[EVENT_PDU] + lines[EVENT_FLOW], 1, 20000 + 600 * 100 + 2 * 61);
	assert_in_range(lines[EVENT_COUNTS], 1, 50000 + 600 * 14 + 61);
	assert_in_range(lines[EVENT_LOST], 1, 300 + 600 * 2 + 61);
}

/* The full tables of eight workers at one moment, and again twenty minutes later: each count has a
 * line of its own. */
static void honest_counts_stand_alone(void **state)
{
	static struct shares s;
	uint64_t now = 5000000000ull;

	(void)state;
	for (int round = 0; round < 4; round++, now += 1200ull * 1000000000u)
		for (uint32_t i = 0; i < 8 * 2049; i++) {
			const struct event e = { .kind = EVENT_COUNTS, .address = i, .count = 1 };

			assert_true(share_in(&s, &e, ROLE_DPI, now));
		}
	assert_int_equal(share_due(&s), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(chain_goes_on_over_restarts, setup, teardown),
		cmocka_unit_test_setup_teardown(empty_folder_is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(torn_end_is_set_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(unsynced_lines_still_count, setup, teardown),
		cmocka_unit_test_setup_teardown(truncation_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_head_nothing_is_called_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(another_head_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_head_beyond_all_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(a_head_that_cannot_be_read, setup, teardown),
		cmocka_unit_test_setup_teardown(names_that_are_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_beginning_is_left_open, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_last_file_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(every_edit_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(deletion_and_insertion_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(edit_in_the_middle_is_left_for_verify, setup, teardown),
		cmocka_unit_test_setup_teardown(segments_are_chained, setup, teardown),
		cmocka_unit_test_setup_teardown(names_are_exchanged, setup, teardown),
		cmocka_unit_test_setup_teardown(reading_after_a_number, setup, teardown),
		cmocka_unit_test_setup_teardown(reading_after_the_last_number, setup, teardown),
		cmocka_unit_test_setup_teardown(left_off_while_it_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(full_disk_loses_nothing_written, setup, teardown),
		cmocka_unit_test(lines_that_are_none),
		cmocka_unit_test(filters_match_whole_values),
		cmocka_unit_test(values_of_a_span),
		cmocka_unit_test(questions_that_are_none),
		cmocka_unit_test(floods_become_one_record_a_second),
		cmocka_unit_test(counts_are_exact),
		cmocka_unit_test(single_events_pass_at_once),
		cmocka_unit_test(a_stranger_hides_nobody),
		cmocka_unit_test(a_sum_says_what_is_common),
		cmocka_unit_test(a_role_that_lies),
		cmocka_unit_test(honest_counts_stand_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
