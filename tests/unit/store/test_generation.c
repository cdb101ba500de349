/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of generations: what is confirmed is what the next start loads, whatever happened in between.
 *
 * LINK: appliance/store/generation.c appliance/base/atomic_file.c appliance/base/clock.c appliance/base/err.c
 * LINK: appliance/base/sha256.c
 * LIBS: nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/store/generation.h"
#include "tests/unit/folder.h"

static uint64_t add(struct generation_store *s, uint8_t fill)
{
	struct err e = { 0 };
	uint8_t digest[32], bytes[100];
	uint64_t n;

	memset(digest, fill, sizeof(digest));
	memset(bytes, fill, sizeof(bytes));
	assert_int_equal(generation_add(s, bytes, sizeof(bytes), digest, "root", &n, &e), 0);
	return n;
}

static void reopen(struct folder *f, struct generation_store *s)
{
	struct err e = { 0 };

	generation_store_close(s);
	assert_int_equal(generation_store_open(f->fd, s, &e), 0);
}

static void empty_store(void **state)
{
	struct generation_store s;
	struct err e = { 0 };

	assert_int_equal(generation_store_open(((struct folder *)*state)->fd, &s, &e), 0);
	assert_int_equal(s.confirmed, 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(generation_previous(&s), 0);
	generation_store_close(&s);
}

static void confirmed_is_loaded_again(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };
	uint8_t *p;
	size_t n;

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	assert_int_equal(add(&s, 1), 1);
	assert_int_equal(generation_confirm(&s, 1, &e), 0);
	assert_int_equal(add(&s, 2), 2);
	assert_int_equal(generation_find(&s, 2)->state, GEN_WAITING);
	/* Power goes while 2 is on trial. */
	reopen(f, &s);
	assert_int_equal(s.confirmed, 1);
	assert_int_equal(generation_find(&s, 1)->state, GEN_CONFIRMED);
	assert_int_equal(generation_find(&s, 2)->state, GEN_REVERTED);
	assert_int_equal(s.gave_up, 2);
	assert_int_equal(generation_load(&s, 1, &p, &n, &e), 0);
	assert_int_equal(n, 100);
	assert_int_equal(p[99], 1);
	free(p);
	/* Numbers are never given twice. */
	assert_int_equal(add(&s, 3), 3);
	assert_string_equal(generation_find(&s, 3)->by, "root");
	generation_store_close(&s);
}

static void pointer_decides_over_history(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };
	int fd;

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	add(&s, 2);
	assert_int_equal(generation_confirm(&s, 1, &e), 0);
	/* The pointer was moved, the history not yet. */
	fd = openat(s.dirfd, "confirmed", O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, "2\n", 2), 2);
	close(fd);
	reopen(f, &s);
	assert_int_equal(s.confirmed, 2);
	assert_int_equal(generation_find(&s, 2)->state, GEN_CONFIRMED);
	assert_int_equal(generation_previous(&s), 1);
	generation_store_close(&s);
}

static void previous_skips_what_was_given_up(void **state)
{
	struct generation_store s;
	struct err e = { 0 };

	assert_int_equal(generation_store_open(((struct folder *)*state)->fd, &s, &e), 0);
	add(&s, 1);
	generation_confirm(&s, 1, &e);
	add(&s, 2);
	generation_mark(&s, 2, GEN_REVERTED, &e);
	add(&s, 3);
	generation_confirm(&s, 3, &e);
	assert_int_equal(generation_previous(&s), 1);
	/* Rolled back: 1 is confirmed, and before it there is nothing. */
	generation_confirm(&s, 1, &e);
	generation_mark(&s, 3, GEN_REVERTED, &e);
	assert_int_equal(generation_previous(&s), 0);
	assert_int_equal(generation_mark(&s, 77, GEN_REVERTED, &e), -ENOENT);
	assert_int_equal(generation_confirm(&s, 77, &e), -ENOENT);
	generation_store_close(&s);
}

static void history_is_bounded(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };
	uint8_t *p;
	size_t n;

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	generation_confirm(&s, 1, &e);
	for (uint8_t i = 2; i <= 120; i++)
		assert_int_equal(add(&s, i), i);
	assert_int_equal(s.n, GENERATIONS_KEPT);
	/* The confirmed one stays, however old. */
	assert_int_equal(generation_load(&s, 1, &p, &n, &e), 0);
	free(p);
	assert_int_equal(generation_load(&s, 60, &p, &n, &e), -ENOENT);
	reopen(f, &s);
	assert_int_equal(s.n, GENERATIONS_KEPT);
	assert_int_equal(s.next, 121);
	generation_store_close(&s);
}

static void overwrite(struct folder *f, const char *name, const char *text)
{
	int dirfd = openat(f->fd, "generations", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	close(dirfd);
}

static void damaged_history_begins_anew(void **state)
{
	static const char *const bad[] = { "1 zz 0 confirmed root\n", "x\n", "2 00 1 confirmed root\n" };
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	add(&s, 2);
	generation_confirm(&s, 2, &e);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		overwrite(f, "history", bad[i]);
		reopen(f, &s);
		assert_true(s.damaged);
		/* The box still boots what was confirmed. */
		assert_int_equal(s.confirmed, 2);
		assert_int_equal(s.n, 1);
		assert_int_equal(generation_find(&s, 2)->state, GEN_CONFIRMED);
		assert_int_equal(s.next, 3);
		reopen(f, &s);
		assert_false(s.damaged);
	}
	generation_store_close(&s);
}

static void damaged_pointer_confirms_nothing(void **state)
{
	static const char *const bad[] = { "", "0\n", "x\n", "99999999999999999999999\n" };
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	generation_confirm(&s, 1, &e);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		overwrite(f, "confirmed", bad[i]);
		reopen(f, &s);
		assert_true(s.damaged);
		assert_int_equal(s.confirmed, 0);
	}
	generation_store_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(empty_store, setup, teardown),
		cmocka_unit_test_setup_teardown(confirmed_is_loaded_again, setup, teardown),
		cmocka_unit_test_setup_teardown(pointer_decides_over_history, setup, teardown),
		cmocka_unit_test_setup_teardown(previous_skips_what_was_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(history_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_history_begins_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_pointer_confirms_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
