/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records are checked while a journal writes, packs and deletes in the same folder. Whatever it
 * does, and before whichever file is opened, a valid journal is reported as valid.
 *
 * LINK: appliance/journal/verify.c appliance/journal/segment.c appliance/journal/chain.c
 * LINK: appliance/journal/closed.c
 * LINK: appliance/base/err.c appliance/base/sha256.c appliance/base/clock.c appliance/base/json.c
 * LINK: appliance/base/utf8.c
 * LINK: appliance/base/addr.c appliance/base/bytes.c appliance/base/memfd.c $(WIRE_SRC)
 * LINK: appliance/journal/checkpoint.c
 * LINK: appliance/journal/search.c appliance/journal/filter.c
 * LIBS: jansson hogweed nettle zlib
 */
#include "tests/unit/cmocka.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "appliance/base/sha256.h"
#include "appliance/journal/chain.h"
#include "appliance/journal/closed.h"
#include "appliance/journal/segment.h"
#include "appliance/journal/verify.h"
#include "tests/unit/folder.h"

#define FILES 3u
#define LINES 5u

/* ---- what happens beside --------------------------------------------------------------------- */

struct beside {
	struct folder *f;
	struct journal j;
	struct pack *pack;
	uint64_t oldest; /* number of the first record that still exists */
};

static struct beside beside;
static void (*happens)(struct beside *);
/* the step is done before this open (counted from now, 0 = before none), and before `times` in
 * all */
static unsigned opens_until, times;
/* one file that changes its name may be missing in a list of the folder */
static unsigned unseen;

int openat(int dirfd, const char *name, int flags, ...)
{
	va_list args;
	unsigned mode;

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, unsigned) : 0;
	va_end(args);
	if (opens_until > 0 && --opens_until == 0) {
		unsigned left = times > 0 ? times - 1 : 0;

		times = 0;
		happens(&beside); /* the step opens files as well */
		times = left;
		opens_until = left > 0 ? 1 : 0;
	}
	return (int)syscall(SYS_openat, dirfd, name, flags, mode);
}

struct dirent *readdir(DIR *d)
{
	struct dirent *entry = (struct dirent *)readdir64(d);

	if (entry != NULL && unseen > 0 && strncmp(entry->d_name, "events-", 7) == 0 && --unseen == 0)
		entry = (struct dirent *)readdir64(d);
	return entry;
}

static unsigned mixed; /* number of the next reads of the head that get a mixture of old and new */

static ssize_t half_written(char *p, size_t asked, ssize_t n)
{
	if (mixed == 0 || asked != 96 || n < 66 || n > 96)
		return n;
	mixed--;
	p[n - 2] = p[n - 2] == '0' ? '1' : '0';
	return n;
}

ssize_t read(int fd, void *p, size_t n)
{
	return half_written(p, n, syscall(SYS_read, fd, p, n));
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	return half_written(p, n, syscall(SYS_pread64, fd, p, n, at));
}

/* Nobody cuts the power in this test, so fsync does nothing. */
int fsync(int fd)
{
	(void)fd;
	return 0;
}

int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

static void append(struct journal *j, unsigned n)
{
	struct err e = { 0 };

	for (unsigned i = 0; i < n; i++)
		assert_int_equal(journal_append(j, json_pack("{s:s}", "kind", "test"), &e), 0);
	assert_int_equal(journal_sync(j, &e), 0);
}

static void one_act_of_packing(struct beside *b)
{
	struct err e = { 0 };

	assert_true(pack_step(&b->pack, b->f->fd, b->j.first, &e) >= 0);
}

static void all_is_packed(struct beside *b)
{
	struct err e = { 0 };

	while (pack_step(&b->pack, b->f->fd, b->j.first, &e) == 1)
		;
}

static void a_new_file_begins(struct beside *b)
{
	journal_turn(&b->j);
	append(&b->j, 2);
}

/* As the journal does it: the record is on the disk first, then the file is deleted. */
static void the_oldest_goes(struct beside *b)
{
	struct segment_file *list;
	struct err e = { 0 };
	struct segment *s;
	const char *line;
	uint8_t hash[32];
	char hex[65];
	bool whole;
	size_t n;

	assert_int_equal(segment_list(b->f->fd, &list, &n, &e), 0);
	if (n < 2) {
		free(list);
		return;
	}
	assert_int_equal(segment_open(b->f->fd, list[1].first, SEGMENT_EITHER, 0, &s, &e), 0);
	assert_int_equal(segment_line(s, &line, &n, &whole), 1);
	assert_true(journal_line_prev(line, n, hash));
	segment_close(s);
	hex_text(hash, sizeof(hash), hex);
	assert_int_equal(
		journal_append(&b->j,
			       json_pack("{s:s, s:s, s:s, s:{s:I, s:I, s:s}}", "kind", "lost", "code", "deleted",
					 "role", "journal", "deleted", "first", (json_int_t)list[0].first, "last",
					 (json_int_t)list[1].first - 1, "hash", hex),
			       &e),
		0);
	assert_int_equal(journal_sync(&b->j, &e), 0);
	pack_forget(&b->pack);
	assert_int_equal(keep_delete(b->f->fd, list[0].first, &e), 0);
	b->oldest = list[1].first;
	free(list);
}

/* ---- cases ----------------------------------------------------------------------------------- */

static void begin(struct folder *f)
{
	struct journal_recovery found;
	struct err e = { 0 };
	char command[160];

	snprintf(command, sizeof(command), "rm -f '%s'/*", f->path);
	assert_int_equal(system(command), 0);
	beside = (struct beside){ .f = f, .oldest = 1 };
	assert_int_equal(journal_open(f->fd, &beside.j, &found, &e), 0);
	for (unsigned i = 0; i < FILES; i++) {
		journal_turn(&beside.j);
		append(&beside.j, LINES);
	}
}

static void end(void)
{
	pack_forget(&beside.pack);
	journal_close(&beside.j);
}

static void sound(struct folder *f, const char *when, unsigned at)
{
	struct journal_report r;
	struct err e = { 0 };

	if (journal_verify(f->path, NULL, &r, &e) != 0)
		fail_msg("%s before open %u: %s", when, at, e.text);
	if (r.faults != 0)
		fail_msg("%s before open %u: %s in %s", when, at, journal_fault_word(r.list[0].what),
			 r.list[0].segment);
	assert_int_equal(r.open, 0);
	if (r.first > 1)
		assert_int_equal(r.deleted + 1, r.first);
	/* All records, except those that were written after the check looked. */
	assert_in_range(r.first, 1, beside.oldest);
	assert_true(r.last >= (uint64_t)FILES * LINES);
	assert_int_equal(r.records, r.last + 1 - r.first);
}

/* Checks the folder again and again. In the k-th check the step happens before the k-th open, and
 * before each following one, `most` times in all. `ready`: steps of packing before each check. */
static unsigned before_each_open(struct folder *f, const char *when, void (*what)(struct beside *), unsigned most,
				 unsigned ready)
{
	unsigned at = 1;

	for (bool reached = true; reached; at++) {
		begin(f);
		for (unsigned i = 0; i < ready; i++)
			one_act_of_packing(&beside);
		happens = what;
		times = most;
		opens_until = at;
		sound(f, when, at);
		reached = opens_until == 0 || times < most;
		opens_until = times = 0;
		sound(f, when, at);
		end();
	}
	return at;
}

static void beside_one_that_packs(void **state)
{
	struct folder *f = *state;
	unsigned acts = 0, both = 0;

	/* The number of steps that a file takes, and the steps between which both its forms exist:
	 * the check begins at each of them. */
	begin(f);
	for (struct segment_file *list = NULL; both < 2; acts++) {
		struct err e = { 0 };
		size_t n;

		one_act_of_packing(&beside);
		assert_int_equal(segment_list(f->fd, &list, &n, &e), 0);
		both = list[0].plain && list[0].packed ? both + 1 : both;
		free(list);
		assert_true(acts < 100);
	}
	end();
	for (unsigned ready = 0; ready <= 2 * acts; ready++) {
		assert_true(before_each_open(f, "an act of packing", one_act_of_packing, 1, ready) > FILES);
		before_each_open(f, "acts of packing", one_act_of_packing, 1000, ready);
		before_each_open(f, "packing", all_is_packed, 1, ready);
	}
}

static void beside_one_that_deletes(void **state)
{
	struct folder *f = *state;

	assert_true(before_each_open(f, "a deletion", the_oldest_goes, 1, 0) > FILES);
	before_each_open(f, "deletions", the_oldest_goes, FILES - 1, 0);
	before_each_open(f, "a deletion of packed ones", the_oldest_goes, FILES - 1, 100);
}

static void beside_one_that_writes(void **state)
{
	struct folder *f = *state;

	assert_true(before_each_open(f, "a new file", a_new_file_begins, 1, 0) > FILES);
	before_each_open(f, "new files", a_new_file_begins, 20, 0);
}

/* A file that changes its name while the folder is read may be listed under neither name. */
static void a_list_that_missed_one(void **state)
{
	struct folder *f = *state;

	begin(f);
	for (unsigned i = 1; i <= FILES; i++) {
		unseen = i;
		sound(f, "a list without one", i);
		assert_int_equal(unseen, 0);
	}
	end();
}

/* A deletion without a record is damage, whenever it happens. */
static void the_oldest_is_taken(struct beside *b)
{
	struct err e = { 0 };

	assert_int_equal(keep_delete(b->f->fd, 1, &e), 0);
}

/* A reader may get half of the old head and half of the new one. */
static void a_head_that_is_half_written(void **state)
{
	struct folder *f = *state;

	for (unsigned at = 0; at < 2; at++) {
		begin(f);
		mixed = at;
		sound(f, "a head half written, reads", at);
		assert_int_equal(mixed, 0);
		end();
	}
}

static void what_nobody_says_stays_open(void **state)
{
	struct folder *f = *state;
	struct journal_report r;
	struct err e = { 0 };
	unsigned open = 0;

	for (unsigned at = 1; at < 12; at++) {
		begin(f);
		happens = the_oldest_is_taken;
		times = 1;
		opens_until = at;
		assert_int_equal(journal_verify(f->path, NULL, &r, &e), 0);
		opens_until = 0;
		assert_int_equal(r.faults, 0);
		assert_int_equal(r.open, r.first > 1 ? JOURNAL_BEGIN_OPEN : 0);
		open += r.first > 1;
		end();
	}
	assert_in_range(open, 3, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(beside_one_that_packs, setup, teardown),
		cmocka_unit_test_setup_teardown(beside_one_that_deletes, setup, teardown),
		cmocka_unit_test_setup_teardown(beside_one_that_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_list_that_missed_one, setup, teardown),
		cmocka_unit_test_setup_teardown(a_head_that_is_half_written, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_says_stays_open, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
