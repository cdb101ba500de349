/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of leaked passphrases, in a real folder: what is found in it and what is not; a file
 * that is no such list; a list that is damaged at the start or later; a list that is replaced or
 * removed.
 * LINK: appliance/accounts/leaked.c appliance/wire/leaked.c appliance/base/sha256.c
 * LINK: appliance/base/bytes.c appliance/base/atomic_file.c appliance/base/err.c
 * LINK: appliance/base/memfd.c
 * LIBS: nettle
 */
#include "appliance/accounts/leaked.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/memfd.h"

#define MANY 20000u /* several blocks, and a short one at the end */

static char folder[] = "/tmp/sekisho-leaked-XXXXXX";
static int dirfd_;
static struct leaked l;

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, LEAKED_PREFIX);
}

/* Phrases "phrase 0" and so on; the caller frees it. */
static uint8_t *list_of(unsigned n, unsigned from, size_t *ret_n)
{
	size_t size = LEAKED_HEAD + (size_t)n * LEAKED_PREFIX;
	struct leaked_head head = { .count = n };
	uint8_t *p = malloc(size), chain[32];
	char phrase[32];

	assert_non_null(p);
	for (unsigned i = 0; i < n; i++) {
		snprintf(phrase, sizeof(phrase), "phrase %u", from + i);
		leaked_prefix(phrase, strlen(phrase), p + LEAKED_HEAD + (size_t)i * LEAKED_PREFIX);
	}
	qsort(p + LEAKED_HEAD, n, LEAKED_PREFIX, by_bytes);
	leaked_begin(n, chain);
	for (size_t at = LEAKED_HEAD; at < size; at += LEAKED_BLOCK)
		leaked_fold(chain, p + at, size - at < LEAKED_BLOCK ? size - at : LEAKED_BLOCK);
	leaked_end(chain, 0, head.digest);
	leaked_head_write(&head, p);
	*ret_n = size;
	return p;
}

static int take(const uint8_t *p, size_t n)
{
	int fd = memfd_sealed("leaked", p, n), r;

	assert_true(fd >= 0);
	r = leaked_take(&l, fd);
	close(fd);
	while (r == 0 && (r = leaked_step(&l, 1750000000)) == 1)
		r = 0;
	return r;
}

static int take_phrases(unsigned n, unsigned from)
{
	size_t size;
	uint8_t *p = list_of(n, from, &size);
	int fd = memfd_sealed("leaked", p, size), r = leaked_take(&l, fd);

	free(p);
	close(fd);
	while (r == 0 && l.in >= 0)
		if ((r = leaked_step(&l, 1750000000)) == 1)
			r = 0;
	return r;
}

static bool has(unsigned i)
{
	char phrase[32];
	bool damaged, found;

	snprintf(phrase, sizeof(phrase), "phrase %u", i);
	found = leaked_has(&l, phrase, &damaged);
	assert_false(damaged);
	return found;
}

static bool start(void)
{
	struct err e = { 0 };
	bool damaged;

	leaked_close(&l);
	assert_int_equal(leaked_open(&l, dirfd_, &damaged, &e), 0);
	return damaged;
}

static bool there(const char *name)
{
	struct stat st;

	return fstatat(dirfd_, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int setup(void **state)
{
	(void)state;
	l.fd = l.in = l.out = -1;
	if (mkdtemp(folder) == NULL)
		return 1;
	dirfd_ = open(folder, O_RDONLY | O_DIRECTORY);
	return dirfd_ < 0;
}

static int anew(void **state)
{
	(void)state;
	unlinkat(dirfd_, "leaked", 0);
	unlinkat(dirfd_, "leaked.by", 0);
	unlinkat(dirfd_, "leaked.damaged", 0);
	unlinkat(dirfd_, "leaked.damaged", AT_REMOVEDIR);
	return start();
}

static int teardown(void **state)
{
	anew(state);
	leaked_close(&l);
	close(dirfd_);
	return rmdir(folder);
}

static void each_is_found_and_nothing_else(void **state)
{
	static const unsigned sizes[] = { 1, 2, 3, 8191, 8192, 8193, MANY };

	(void)state;
	assert_false(has(0));
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		assert_int_equal(take_phrases(sizes[s], 0), 0);
		assert_int_equal(l.count, sizes[s]);
		for (unsigned again = 0; again < 2; again++) {
			for (unsigned i = 0; i < sizes[s]; i += sizes[s] < 100 ? 1 : 17)
				if (!has(i))
					fail_msg("%u of %u is not found", i, sizes[s]);
			for (unsigned i = 0; i < 500; i++)
				if (has(sizes[s] + i))
					fail_msg("%u of %u is found", sizes[s] + i, sizes[s]);
			/* The list is there after a restart of the role as well. */
			assert_false(start());
			assert_int_equal(l.loaded, 1750000000);
		}
	}
	assert_false(there(".leaked.new"));
}

/* The SHA-1 of "password", as public lists have it. */
static void a_prefix_is_the_beginning_of_its_sha1(void **state)
{
	static const uint8_t wanted[LEAKED_PREFIX] = { 0x5b, 0xaa, 0x61, 0xe4, 0xc9, 0xb9, 0x3f, 0x3f };
	uint8_t prefix[LEAKED_PREFIX];

	(void)state;
	leaked_prefix("password", 8, prefix);
	assert_memory_equal(prefix, wanted, sizeof(wanted));
}

/* A short list with one byte changed, for each byte, and one that is cut, at each length. */
static void what_is_no_list_is_not_taken(void **state)
{
	size_t n;
	uint8_t *p = list_of(3, 0, &n);
	int fd;

	(void)state;
	assert_int_equal(take_phrases(5, 100), 0);
	/* The time in the head (bytes 16 to 23) is set by the role; the digest covers it as
	 * well. */
	for (size_t i = 0; i < n; i++) {
		p[i] ^= 0x10;
		if (take(p, n) != -EBADMSG)
			fail_msg("byte %zu", i);
		p[i] ^= 0x10;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(take(p, i), -EBADMSG);
	/* Not sealed. */
	fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	assert_int_equal(leaked_take(&l, fd), -EBADMSG);
	close(fd);
	fd = open("/dev/zero", O_RDONLY);
	assert_int_equal(leaked_take(&l, fd), -EBADMSG);
	close(fd);
	/* The earlier list stays in use. */
	assert_int_equal(l.count, 5);
	assert_true(has(100));
	assert_false(there(".leaked.new"));
	free(p);
}

static void seal(uint8_t *p, size_t n, uint64_t count)
{
	struct leaked_head head = { .count = count };
	uint8_t chain[32];

	leaked_begin(count, chain);
	for (size_t at = LEAKED_HEAD; at < n; at += LEAKED_BLOCK)
		leaked_fold(chain, p + at, n - at < LEAKED_BLOCK ? n - at : LEAKED_BLOCK);
	leaked_end(chain, 0, head.digest);
	leaked_head_write(&head, p);
}

/* Two equal hashes, and two in the wrong order, inside a block and between two blocks: a search
 * would not find some hashes. */
static void order_is_strict(void **state)
{
	static const size_t at[] = { 0, 100, 8191, 8192, MANY - 2 };
	uint8_t other[LEAKED_PREFIX];

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		size_t n;
		uint8_t *p = list_of(MANY, 0, &n), *a = p + LEAKED_HEAD + at[i] * LEAKED_PREFIX, *b = a + LEAKED_PREFIX;

		memcpy(other, a, sizeof(other));
		memcpy(a, b, sizeof(other));
		seal(p, n, MANY);
		assert_int_equal(take(p, n), -EBADMSG);
		memcpy(b, other, sizeof(other));
		seal(p, n, MANY);
		assert_int_equal(take(p, n), -EBADMSG);
		free(p);
	}
	assert_int_equal(l.count, 0);
}

static void counts_have_bounds(void **state)
{
	size_t n;
	uint8_t *p = list_of(1, 0, &n);
	struct leaked_head head;

	(void)state;
	seal(p, LEAKED_HEAD, 0);
	assert_int_equal(take(p, LEAKED_HEAD), -EBADMSG);
	head = (struct leaked_head){ .count = LEAKED_MOST + 1 };
	leaked_head_write(&head, p);
	assert_false(leaked_head_read(p, LEAKED_HEAD + (uint64_t)head.count * LEAKED_PREFIX, &head));
	head = (struct leaked_head){ .count = LEAKED_MOST };
	leaked_head_write(&head, p);
	assert_true(leaked_head_read(p, LEAKED_BYTES_MOST, &head));
	/* So many prefixes that the number of their bytes overflows to a small one. */
	head = (struct leaked_head){ .count = UINT64_C(1) << 61 };
	leaked_head_write(&head, p);
	assert_false(leaked_head_read(p, LEAKED_HEAD, &head));
	free(p);
}

/* Any bit of the file is wrong; its end is missing; there is no file. Each damaged file is set
 * aside, and this is reported until another list is loaded. */
static void a_damaged_one_is_set_aside_at_a_start(void **state)
{
	size_t n = LEAKED_HEAD + 3 * LEAKED_PREFIX;

	(void)state;
	for (size_t i = 0; i <= n; i++) {
		uint8_t byte = 0;
		int fd;

		assert_int_equal(take_phrases(3, 0), 0);
		fd = openat(dirfd_, "leaked", O_RDWR);
		if (i < n) {
			assert_int_equal(pread(fd, &byte, 1, (off_t)i), 1);
			byte ^= 1;
			assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
		} else {
			assert_int_equal(ftruncate(fd, (off_t)n - 1), 0);
		}
		close(fd);
		if (!start())
			fail_msg("byte %zu", i);
		assert_true(l.damaged);
		assert_false(has(0));
		assert_true(there("leaked.damaged"));
		/* Reported at each start until another list is loaded. */
		assert_true(start());
		assert_true(l.damaged);
	}
	assert_int_equal(mkdirat(dirfd_, "leaked", 0700), 0);
	assert_true(start());
	assert_int_equal(leaked_remove(&l), 0);
	assert_false(l.damaged || there("leaked.damaged"));
	assert_int_equal(symlinkat("leaked", dirfd_, "leaked"), 0);
	assert_true(start());
	assert_int_equal(take_phrases(1, 0), 0);
	assert_false(l.damaged || there("leaked.damaged"));
}

/* The file is cut, and overwritten, while it is in use. */
static void a_damaged_one_is_set_aside_where_it_is_read(void **state)
{
	bool damaged = false;
	uint8_t zero[LEAKED_BLOCK] = { 0 };
	int fd;

	(void)state;
	for (unsigned how = 0; how < 2; how++) {
		assert_int_equal(take_phrases(MANY, 0), 0);
		fd = openat(dirfd_, "leaked", O_RDWR);
		if (how == 0)
			assert_int_equal(ftruncate(fd, LEAKED_HEAD), 0);
		else
			assert_int_equal(pwrite(fd, zero, sizeof(zero), LEAKED_HEAD + 6 * MANY / 2), sizeof(zero));
		close(fd);
		for (unsigned i = 0; i < MANY && !damaged; i++) {
			char phrase[32];

			snprintf(phrase, sizeof(phrase), "phrase %u", i);
			leaked_has(&l, phrase, &damaged);
		}
		assert_true(damaged && l.damaged && l.fd == -1 && there("leaked.damaged"));
		damaged = false;
	}
}

/* The old list counts until the last piece of the new one has come. A restart removes the pieces of
 * an incomplete list. */
static void another_counts_once_it_is_whole(void **state)
{
	size_t n;
	uint8_t *p = list_of(200000, 50, &n);
	int fd = memfd_sealed("leaked", p, n);

	(void)state;
	free(p);
	assert_int_equal(take_phrases(2, 0), 0);
	assert_int_equal(leaked_take(&l, fd), 0);
	assert_int_equal(leaked_take(&l, fd), -EBUSY);
	assert_int_equal(leaked_remove(&l), -EBUSY);
	assert_int_equal(leaked_step(&l, 1), 1);
	assert_true(has(0) && !has(50) && there(".leaked.new"));
	assert_false(start());
	assert_true(has(0) && !has(50) && !there(".leaked.new"));
	/* The power failed before the new file was removed or renamed. */
	close(openat(dirfd_, ".leaked.new", O_WRONLY | O_CREAT, 0600));
	assert_false(start());
	assert_false(there(".leaked.new"));
	assert_int_equal(leaked_take(&l, fd), 0);
	assert_int_equal(leaked_step(&l, 1), 1);
	assert_int_equal(leaked_step(&l, 2), 0);
	assert_true(!has(0) && has(50) && has(200049) && l.loaded == 2);
	close(fd);
	assert_int_equal(leaked_remove(&l), 0);
	assert_true(!has(50) && !there("leaked"));
	assert_int_equal(leaked_remove(&l), -ENOENT);
	assert_false(start());
	assert_int_equal(l.count, 0);
}

static void a_disk_that_takes_nothing(void **state)
{
	int real = l.dirfd;

	(void)state;
	assert_int_equal(take_phrases(2, 0), 0);
	l.dirfd = open("/proc/self", O_RDONLY | O_DIRECTORY);
	assert_true(take_phrases(3, 100) < 0);
	assert_true(has(0) && !has(100));
	close(l.dirfd);
	l.dirfd = real;
	assert_int_equal(take_phrases(3, 100), 0);
}

/* The person who loaded the list is known for this list alone, also over a restart; not for a list
 * that came without a name, and not if the file is damaged or of an older release. */
static void whose_order(void **state)
{
	char damaged[] = "1750000000 root\n\0x", long_one[200];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(take_phrases(3, 0), 0);
	assert_string_equal(l.by, "");
	leaked_ordered_by(&l, "sudo/佐藤");
	assert_string_equal(l.by, "sudo/佐藤");
	assert_false(start());
	assert_string_equal(l.by, "sudo/佐藤");
	/* Another list has come, and the power fails before the name of its person is written. */
	assert_int_equal(take_phrases(4, 0), 0);
	assert_string_equal(l.by, "");
	l.loaded = 1750000001;
	leaked_ordered_by(&l, "somebody");
	assert_false(start());
	assert_string_equal(l.by, "");
	memset(long_one, 'x', sizeof(long_one));
	memcpy(long_one, "1750000000 ", 11);
	for (unsigned i = 0; i < 5; i++) {
		static const char *const texts[] = { "", "1750000000", "1750000000 ", "17500000001 root", "root" };

		assert_int_equal(atomic_write(dirfd_, "leaked.by", texts[i], strlen(texts[i]), &e), 0);
		assert_false(start());
		assert_string_equal(l.by, "");
	}
	assert_int_equal(atomic_write(dirfd_, "leaked.by", damaged, sizeof(damaged), &e), 0);
	assert_false(start());
	assert_string_equal(l.by, "");
	for (size_t n = 11 + LEAKED_BY; n < sizeof(long_one); n += 40) {
		assert_int_equal(atomic_write(dirfd_, "leaked.by", long_one, n, &e), 0);
		assert_false(start());
		assert_string_equal(l.by, "");
	}
	assert_int_equal(atomic_write(dirfd_, "leaked.by", long_one, 11 + LEAKED_BY - 1, &e), 0);
	assert_false(start());
	assert_int_equal(strlen(l.by), LEAKED_BY - 1);
	assert_int_equal(leaked_remove(&l), 0);
	assert_string_equal(l.by, "");
	assert_false(there("leaked.by"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_is_the_beginning_of_its_sha1),
		cmocka_unit_test_setup(each_is_found_and_nothing_else, anew),
		cmocka_unit_test_setup(what_is_no_list_is_not_taken, anew),
		cmocka_unit_test_setup(order_is_strict, anew),
		cmocka_unit_test_setup(counts_have_bounds, anew),
		cmocka_unit_test_setup(a_damaged_one_is_set_aside_at_a_start, anew),
		cmocka_unit_test_setup(a_damaged_one_is_set_aside_where_it_is_read, anew),
		cmocka_unit_test_setup(another_counts_once_it_is_whole, anew),
		cmocka_unit_test_setup(a_disk_that_takes_nothing, anew),
		cmocka_unit_test_setup(whose_order, anew),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
