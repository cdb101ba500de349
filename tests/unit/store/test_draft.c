/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of the draft: what was saved is found again, and of one that was changed in any byte or cut anywhere nothing is believed, least of all an
 * approval.
 *
 * LINK: appliance/store/draft.c appliance/base/atomic_file.c appliance/base/err.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/memfd.c appliance/base/sha256.c appliance/base/clock.c appliance/base/bytes.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/store/draft.h"
#include "tests/unit/folder.h"

static struct draft approved(void)
{
	struct draft d = {
		.state = DRAFT_APPROVED, .revision = 7, .base = 3, .n_authors = 2, .saved_ns = 5, .decided_ns = 9
	};
	uint8_t *texts = malloc(5);

	memcpy(d.authors[0], "aoki", 5);
	memcpy(d.authors[1], "baba", 5);
	memcpy(d.by, "baba", 5);
	memcpy(d.decided_by, "chiba", 6);
	memcpy(d.comment, "港", 4);
	memcpy(texts, "\0\n\"}x", 5);
	draft_texts(&d, texts, 5);
	return d;
}

static void found_again(void **state)
{
	int dir = ((struct folder *)*state)->fd;
	struct draft d = approved(), back;
	struct err e;
	bool lost;

	assert_int_equal(draft_open(dir, &back, &lost, &e), 0);
	assert_true(!lost && back.state == DRAFT_NONE && back.revision == 0);
	assert_int_equal(draft_save(dir, &d, &e), 0);
	assert_int_equal(draft_open(dir, &back, &lost, &e), 0);
	assert_false(lost);
	assert_true(back.state == DRAFT_APPROVED && back.revision == 7 && back.base == 3 && back.n_authors == 2);
	assert_true(draft_has_author(&back, "aoki") && draft_has_author(&back, "baba") &&
		    !draft_has_author(&back, "chiba"));
	assert_string_equal(back.decided_by, "chiba");
	assert_string_equal(back.comment, "港");
	assert_int_equal(back.n_texts, 5);
	assert_memory_equal(back.texts, d.texts, 5);
	assert_memory_equal(back.digest, d.digest, 32);
	draft_free(&back);
	/* A discarded one keeps the number that must not be given again. */
	draft_free(&d);
	d.revision = 8;
	assert_int_equal(draft_save(dir, &d, &e), 0);
	assert_int_equal(draft_open(dir, &back, &lost, &e), 0);
	assert_true(!lost && back.state == DRAFT_NONE && back.revision == 8 && back.texts == NULL);
}

static size_t read_all(int dir, uint8_t *p, size_t size)
{
	int fd = openat(dir, "draft", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, p, size);

	assert_true(fd >= 0 && n > 0);
	close(fd);
	return (size_t)n;
}

static void write_all(int dir, const uint8_t *p, size_t n)
{
	int fd = openat(dir, "draft", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

static void nothing_of(int dir, const uint8_t *p, size_t n)
{
	struct draft back;
	struct err e;
	bool lost;

	write_all(dir, p, n);
	assert_int_equal(draft_open(dir, &back, &lost, &e), 0);
	assert_true(lost && back.state == DRAFT_NONE && back.texts == NULL && back.decided_by[0] == '\0');
}

static void no_byte_is_believed_that_was_changed(void **state)
{
	int dir = ((struct folder *)*state)->fd;
	struct draft d = approved();
	uint8_t file[4096];
	struct err e;
	size_t n;

	assert_int_equal(draft_save(dir, &d, &e), 0);
	draft_free(&d);
	n = read_all(dir, file, sizeof(file));
	for (size_t i = 0; i < n; i++) {
		nothing_of(dir, file, i);
		file[i] ^= 1;
		nothing_of(dir, file, n);
		file[i] ^= 1;
	}
	file[n] = 'x';
	nothing_of(dir, file, n + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(no_byte_is_believed_that_was_changed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
