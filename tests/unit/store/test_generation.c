/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of generations: the next start loads the confirmed generation, whatever happened in
 * between; and the history tells what was in force at a past moment.
 *
 * LINK: appliance/store/generation.c appliance/store/history.c appliance/base/atomic_file.c
 * LINK: appliance/base/clock.c
 * LINK: appliance/base/err.c appliance/base/columns.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/memfd.c appliance/base/sha256.c appliance/base/utf8.c appliance/base/bytes.c
 * LIBS: nettle jansson
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/store/generation.h"
#include "tests/unit/folder.h"

static const struct generation_cause applied = { .why = WHY_APPLIED, .by = "root" };
static const struct generation_cause confirmed = { .why = WHY_CONFIRMED, .by = "root" };
static const struct generation_cause timed_out = { .why = WHY_TIMEOUT };
static const struct generation_cause rolled_back = { .why = WHY_ROLLBACK, .by = "tanaka", .comment = "100 % zurück\n" };

/* Adds a generation as an apply does: after the confirmation it is in force. */
static uint64_t add(struct generation_store *s, uint8_t fill)
{
	struct generation_cause c = applied;

	struct err e = { 0 };
	uint8_t digest[32], bytes[100];
	uint64_t n;

	c.other = s->confirmed;
	memset(digest, fill, sizeof(digest));
	memset(bytes, fill, sizeof(bytes));
	assert_int_equal(generation_add(s, bytes, sizeof(bytes), digest, &c, &n, &e), 0);
	return n;
}

static void reopen(struct folder *f, struct generation_store *s)
{
	struct err e = { 0 };

	generation_store_close(s);
	assert_int_equal(generation_store_open(f->fd, s, &e), 0);
}

static void overwrite(struct folder *f, const char *name, const char *text)
{
	int dirfd = openat(f->fd, "generations", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	close(dirfd);
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
	assert_int_equal(generation_confirm(&s, 1, &confirmed, &e), 0);
	assert_int_equal(add(&s, 2), 2);
	assert_int_equal(generation_find(&s, 2)->state, GEN_WAITING);
	/* The power fails while generation 2 is on trial. */
	reopen(f, &s);
	assert_int_equal(s.confirmed, 1);
	assert_int_equal(generation_find(&s, 1)->state, GEN_CONFIRMED);
	assert_int_equal(generation_find(&s, 2)->state, GEN_REVERTED);
	assert_int_equal(s.gave_up, 2);
	assert_int_equal(generation_load(&s, 1, &p, &n, &e), 0);
	assert_int_equal(n, 100);
	assert_int_equal(p[99], 1);
	free(p);
	/* No number is given twice. */
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
	assert_int_equal(generation_confirm(&s, 1, &confirmed, &e), 0);
	/* The pointer was written, the history was not yet. */
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
	generation_confirm(&s, 1, &confirmed, &e);
	add(&s, 2);
	generation_mark(&s, 2, GEN_REVERTED, &rolled_back, &e);
	add(&s, 3);
	generation_confirm(&s, 3, &confirmed, &e);
	assert_int_equal(generation_previous(&s), 1);
	assert_int_equal(generation_back(&s), 1);
	assert_int_equal(generation_step(&s, 0), 1);
	/* from a trial to the generation that it replaces */
	assert_int_equal(generation_step(&s, 4), 3);
	/* A rollback: 1 is confirmed, and there is none before it; sessions of 3 linger. */
	generation_confirm(&s, 1, &(struct generation_cause){ .why = WHY_ROLLBACK, .other = 3 }, &e);
	generation_mark(&s, 3, GEN_REVERTED, &rolled_back, &e);
	assert_int_equal(generation_previous(&s), 3);
	assert_int_equal(generation_back(&s), 0);
	assert_int_equal(generation_step(&s, 0), 3); /* the way back from the rollback leads to 3 */
	assert_int_equal(generation_mark(&s, 77, GEN_REVERTED, &rolled_back, &e), -ENOENT);
	assert_int_equal(generation_confirm(&s, 77, &confirmed, &e), -ENOENT);
	generation_store_close(&s);
}

static void back_goes_to_another_content(void **state)
{
	struct generation_store s;
	struct err e = { 0 };

	assert_int_equal(generation_store_open(((struct folder *)*state)->fd, &s, &e), 0);
	for (uint8_t i = 0; i < 4; i++) { /* contents 1, 2, 2, 2 */
		add(&s, i == 0 ? 1 : 2);
		generation_confirm(&s, i + 1u, &confirmed, &e);
	}
	assert_int_equal(generation_previous(&s), 3);
	assert_int_equal(generation_back(&s), 1);
	/* A rollback to 1, then 3: from 5 the way back leads to 1, which was in force, and not to
	 * 4, which was given up. */
	generation_confirm(&s, 1, &(struct generation_cause){ .why = WHY_ROLLBACK, .other = 4 }, &e);
	generation_mark(&s, 4, GEN_REVERTED, &rolled_back, &e);
	add(&s, 3);
	generation_confirm(&s, 5, &confirmed, &e);
	assert_int_equal(generation_back(&s), 1);
	generation_store_close(&s);
}

static void records_are_kept(void **state)
{
	static const struct sentence changes = { { "now possible: a\nand 4 more", "新たに可能: a\nほか 4 件" } };
	static const struct generation_cause said = { .why = WHY_APPLIED,
						      .by = "田中 一郎",
						      .comment = "- クレーン 100%\tswap %20",
						      .other = 9,
						      .meant = &changes };
	struct folder *f = *state;
	struct generation_store s;
	struct generation_record g;
	struct err e = { 0 };
	uint8_t digest[32] = { 1 };
	char full[400];
	uint64_t n;

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	assert_int_equal(generation_add(&s, "x", 1, digest, &said, &n, &e), 0);
	generation_confirm(&s, 1, &confirmed, &e);
	generation_mark(&s, 1, GEN_REVERTED, &rolled_back, &e);
	memset(full, 'x', sizeof(full) - 1);
	full[sizeof(full) - 1] = 0;
	/* a character that does not fit completely */
	memcpy(full + COMMENT_BYTES - 2, "\xe3\x81\x82", 3);
	assert_int_equal(
		generation_add(&s, "x", 1, digest, &(struct generation_cause){ .by = full, .comment = full }, &n, &e),
		0);
	generation_confirm(&s, 2, &confirmed, &e);
	reopen(f, &s);
	assert_false(s.damaged);
	g = *generation_find(&s, 1);
	assert_string_equal(g.by, "田中 一郎");
	assert_string_equal(g.comment, "- クレーン 100%?swap %20");
	assert_string_equal(g.changed_by, "tanaka");
	assert_string_equal(g.changed_comment, "100 % zurück?");
	assert_memory_equal(&g.meant, &changes, sizeof(changes));
	assert_int_equal(generation_find(&s, 2)->meant.text[LANG_JA][0], 0);
	assert_int_equal(g.why, WHY_ROLLBACK);
	assert_int_equal(g.before, 9);
	assert_int_equal(strlen(generation_find(&s, 2)->comment), COMMENT_BYTES - 2);
	generation_store_close(&s);
}

static void trials_are_told(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	assert_null(generation_last_trial(&s));
	add(&s, 1);
	generation_confirm(&s, 1, &applied, &e);
	assert_null(generation_last_trial(&s));
	add(&s, 2);
	generation_mark(&s, 2, GEN_REVERTED, &(struct generation_cause){ .why = WHY_TIMEOUT }, &e);
	assert_int_equal(generation_last_trial(&s)->number, 2);
	add(&s, 3);
	reopen(f, &s);
	assert_int_equal(generation_last_trial(&s)->number, 3);
	assert_int_equal(generation_last_trial(&s)->why, WHY_RESTART);
	assert_int_equal(generation_last_trial(&s)->other, 1);
	/* When this generation ended, the clock was years ahead. */
	s.list[2].changed_ns += 315360000000000000ull;
	add(&s, 4);
	generation_mark(&s, 4, GEN_REVERTED, &(struct generation_cause){ .why = WHY_TIMEOUT }, &e);
	assert_int_equal(generation_last_trial(&s)->number, 4);
	assert_int_equal(generation_last_trial(&s)->why, WHY_TIMEOUT);
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
	generation_confirm(&s, 1, &confirmed, &e);
	for (uint8_t i = 2; i <= 120; i++) {
		assert_int_equal(add(&s, i), i);
		assert_int_equal(generation_mark(&s, i, GEN_REVERTED, &timed_out, &e), 0);
	}
	assert_int_equal(s.n, GENERATIONS_KEPT);
	/* The confirmed generation stays, however old it is. */
	assert_int_equal(generation_load(&s, 1, &p, &n, &e), 0);
	free(p);
	assert_int_equal(generation_load(&s, 60, &p, &n, &e), -ENOENT);
	reopen(f, &s);
	assert_int_equal(s.n, GENERATIONS_KEPT);
	assert_int_equal(s.next, 121);
	generation_store_close(&s);
}

/* As many generations as are kept, with texts that take the most bytes: the file can be read. */
static void longest_history_is_read(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct sentence meant;
	char by[BY_BYTES], comment[COMMENT_BYTES];
	struct generation_cause c = { .why = WHY_ROLLBACK, .by = by, .comment = comment, .meant = &meant };
	uint8_t digest[32] = { 255 };
	struct err e = { 0 };
	uint64_t n;

	memset(by, '"', sizeof(by) - 1);
	memset(comment, '"', sizeof(comment) - 1);
	for (int l = 0; l < LANGUAGES; l++)
		memset(meant.text[l], '\n', sizeof(meant.text[l]) - 1);
	by[sizeof(by) - 1] = comment[sizeof(comment) - 1] = 0;
	meant.text[LANG_EN][sizeof(meant.text[LANG_EN]) - 1] = meant.text[LANG_JA][sizeof(meant.text[LANG_JA]) - 1] = 0;
	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	for (size_t i = 0; i < GENERATIONS_KEPT; i++) {
		assert_int_equal(generation_add(&s, "x", 1, digest, &c, &n, &e), 0);
		assert_int_equal(generation_mark(&s, n, GEN_REVERTED, &c, &e), 0);
	}
	while (s.n_turns < TURNS_KEPT)
		s.turns[s.n_turns++] = (struct generation_turn){ UINT64_MAX >> 1, UINT64_MAX >> 1 };
	assert_int_equal(history_write(&s, &e), 0);
	reopen(f, &s);
	assert_false(s.damaged);
	assert_true(s.n == GENERATIONS_KEPT && s.n_turns == TURNS_KEPT);
	assert_memory_equal(&s.list[0].meant, &meant, sizeof(meant));
	assert_string_equal(s.list[0].changed_comment, comment);
	generation_store_close(&s);
}

/* Applies that fail, however many, remove neither the generation on trial nor those to which one
 * could go back. */
static void failures_take_nothing_away(void **state)
{
	static const struct generation_cause failed = { .why = WHY_FAILED };
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };
	uint8_t *p;
	size_t n;

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	for (uint8_t i = 1; i <= 4; i++) {
		add(&s, i);
		generation_confirm(&s, i, &confirmed, &e);
	}
	assert_int_equal(add(&s, 5), 5); /* on trial */
	for (uint8_t i = 6; i <= 120; i++) {
		assert_int_equal(add(&s, i), i);
		assert_int_equal(generation_mark(&s, i, GEN_REVERTED, &failed, &e), 0);
	}
	assert_int_equal(s.n, GENERATIONS_KEPT);
	for (uint64_t i = 1; i <= 5; i++) {
		assert_non_null(generation_find(&s, i));
		assert_int_equal(generation_load(&s, i, &p, &n, &e), 0);
		free(p);
	}
	assert_int_equal(generation_back(&s), 3);
	/* A generation that comes into force takes the place of one that failed. */
	assert_int_equal(generation_mark(&s, 5, GEN_REVERTED, &timed_out, &e), 0);
	for (uint8_t i = 121; i <= 130; i++) {
		add(&s, i);
		generation_confirm(&s, i, &confirmed, &e);
	}
	assert_non_null(generation_find(&s, 5));
	assert_int_equal(s.n, GENERATIONS_KEPT);
	generation_store_close(&s);
}

/* A test of the room leaves nothing behind, and says in advance what an apply would find. */
static void room_is_tried(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };
	uint8_t bytes[4000] = { 1 };
	struct rlimit all, none;
	uint64_t next;
	int dirfd;

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	next = s.next;
	assert_int_equal(generation_try(&s, bytes, sizeof(bytes), &e), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	none = all;
	none.rlim_cur = sizeof(bytes) - 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_true(generation_try(&s, bytes, sizeof(bytes), &e) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_true(s.next == next && s.n == 1);
	dirfd = openat(f->fd, "generations", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(faccessat(dirfd, "gen-trying", F_OK, 0), -1);
	assert_int_equal(faccessat(dirfd, ".gen-trying.new", F_OK, 0), -1);
	close(dirfd);
	generation_store_close(&s);
}

static void damaged_history_begins_anew(void **state)
{
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define TOLD(number, digest, state, rest)                                                                              \
	"{\"number\":" number ",\"digest\":\"" digest "\",\"applied\":1,\"state\":\"" state                            \
	"\",\"by\":\"\",\"before\":0,\"why\":\"confirm\",\"changed\":1,\"changed_by\":\"\",\"other\":0,"               \
	"\"comment\":\"\",\"changed_comment\":\"\",\"meant_en\":\"\",\"meant_ja\":\"\"" rest "}"
#define HISTORY(list) "{\"generations\":[" list "],\"in_force\":[]}"
	static const char *const bad[] = {
		"x\n",
		"{}",
		HISTORY(TOLD("1", "zz", "confirmed", "")),
		HISTORY(TOLD("0", ZEROS, "confirmed", "")),
		HISTORY(TOLD("-1", ZEROS, "confirmed", "")),
		HISTORY(TOLD("1", ZEROS, "perhaps", "")),
		HISTORY(TOLD("1", ZEROS, "confirmed", ",\"more\":1")),
		HISTORY(TOLD("2", ZEROS, "confirmed", "") "," TOLD("2", ZEROS, "confirmed", "")),
		"{\"generations\":[],\"in_force\":[{\"from\":100}]}",
	};
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	add(&s, 2);
	generation_confirm(&s, 2, &confirmed, &e);
	/* only what makes each of the others bad is missing here */
	overwrite(f, "history", HISTORY(TOLD("1", ZEROS, "confirmed", "") "," TOLD("2", ZEROS, "confirmed", "")));
	reopen(f, &s);
	assert_true(!s.damaged && s.n == 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		overwrite(f, "history", bad[i]);
		reopen(f, &s);
		assert_true(s.damaged);
		/* The box still boots the confirmed generation. */
		assert_int_equal(s.confirmed, 2);
		assert_int_equal(s.n, 1);
		assert_int_equal(generation_find(&s, 2)->state, GEN_CONFIRMED);
		assert_int_equal(s.next, 3);
		reopen(f, &s);
		assert_false(s.damaged);
	}
	generation_store_close(&s);
}

/* Puts a folder with contents in the place of the file, so that no renaming can replace it. */
static void folder_instead(struct folder *f, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "generations/%s", name);
	unlinkat(f->fd, path, 0);
	assert_int_equal(mkdirat(f->fd, path, 0700), 0);
	snprintf(path, sizeof(path), "generations/%s/there", name);
	assert_int_equal(mkdirat(f->fd, path, 0700), 0);
}

static bool is_there(struct folder *f, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "generations/%s", name);
	return faccessat(f->fd, path, F_OK, 0) == 0;
}

static void damaged_pointer_confirms_nothing(void **state)
{
	static const char *const bad[] = { "", "0\n", "x\n", "1", "99999999999999999999999\n", NULL };
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	assert_false(s.lost);
	reopen(f, &s);
	assert_false(s.lost); /* nothing was confirmed yet */
	add(&s, 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		generation_confirm(&s, 2, &confirmed, &e);
		reopen(f, &s);
		assert_false(s.lost);
		assert_int_equal(s.confirmed, 2);
		if (bad[i] != NULL)
			overwrite(f, "confirmed", bad[i]);
		else
			unlinkat(f->fd, "generations/confirmed", 0);
		reopen(f, &s);
		assert_true(s.lost);
		assert_false(s.damaged);
		assert_int_equal(s.confirmed, 0);
		/* A way out: an existing generation can be confirmed again. */
		assert_int_equal(s.n, 2);
		assert_int_equal(generation_find(&s, 2)->state, GEN_CONFIRMED);
	}
	folder_instead(f, "confirmed");
	reopen(f, &s);
	assert_true(s.lost);
	assert_true(is_there(f, "confirmed.damaged/there"));
	assert_int_equal(generation_confirm(&s, 2, &confirmed, &e), 0);
	reopen(f, &s);
	assert_int_equal(s.confirmed, 2);
	generation_store_close(&s);
}

/* Objects that are no regular files; the numbers continue behind those of the existing files. */
static void store_of_other_things(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	add(&s, 2);
	add(&s, 3);
	generation_confirm(&s, 1, &confirmed, &e);
	folder_instead(f, "history");
	reopen(f, &s);
	assert_true(s.damaged);
	assert_false(s.lost);
	assert_int_equal(s.confirmed, 1);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.next, 4);
	assert_true(is_there(f, "history.damaged/there"));
	/* A history without the confirmed generation was cut short. */
	overwrite(f, "history", "{\"generations\":[],\"in_force\":[]}");
	reopen(f, &s);
	assert_true(s.damaged);
	assert_int_equal(s.next, 4);
	reopen(f, &s);
	assert_false(s.damaged);
	generation_store_close(&s);

	assert_int_equal(renameat(f->fd, "generations", f->fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("/nowhere/at/all", f->fd, "generations"), 0);
	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	assert_true(s.lost);
	assert_int_equal(add(&s, 1), 1);
	generation_store_close(&s);
}

#define NOT_ALLOWED 77

/* Opens the store in a child that cannot write to the disk; returns the step that it reached, 0 =
 * all. */
static int start_read_only(const char *path)
{
	struct generation_store s;
	struct err e = { 0 };
	uint8_t *p;
	size_t n;
	int fd;

	if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount(path, path, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
		return NOT_ALLOWED;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || mkdirat(fd, "another", 0700) == 0 || errno != EROFS)
		return NOT_ALLOWED;
	if (generation_store_open(fd, &s, &e) < 0)
		return 1;
	if (!s.damaged || s.lost || s.confirmed != 2 || s.next != 4)
		return 2;
	if (generation_load(&s, 2, &p, &n, &e) < 0 || n != 100)
		return 3;
	free(p);
	if (!s.unsaved || generation_save(&s, &e) == 0 || !s.unsaved)
		return 4;
	generation_store_close(&s);
	close(fd);
	return 0;
}

/* The pointer decides what is booted, also if a damaged history cannot be renamed; the history is
 * set aside when there is room. */
static void damaged_history_on_a_disk_that_takes_nothing(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };
	pid_t child;
	int status;

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	add(&s, 2);
	add(&s, 3);
	generation_confirm(&s, 2, &confirmed, &e);
	generation_store_close(&s);
	overwrite(f, "history", "x\n");
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(start_read_only(f->path));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != NOT_ALLOWED)
		assert_int_equal(WEXITSTATUS(status), 0);
	assert_false(is_there(f, "history.damaged"));

	/* Without a read-only mount: the name of the damaged file is in use, and stays so. */
	folder_instead(f, "history.damaged");
	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	assert_true(s.damaged && !s.lost && s.confirmed == 2);
	assert_false(s.unsaved || s.in_the_way); /* overwritten: it cannot be kept */
	reopen(f, &s);
	assert_false(s.damaged);

	assert_int_equal(unlinkat(f->fd, "generations/history.damaged/there", AT_REMOVEDIR), 0);
	overwrite(f, "history", "x\n");
	reopen(f, &s);
	assert_true(s.damaged && s.confirmed == 2);
	assert_true(is_there(f, "history.damaged"));
	generation_store_close(&s);
}

/* If no more files can be opened, the files are left as they are, and nothing is assumed about
 * them. */
static void files_that_cannot_be_opened_now(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct rlimit all, few;
	struct err e = { 0 };
	int next;

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	generation_confirm(&s, 1, &confirmed, &e);
	generation_store_close(&s);
	next = dup(f->fd);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = all;
	few.rlim_cur = (rlim_t)next + 1; /* one descriptor more, for the folder */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(generation_store_open(f->fd, &s, &e), -EMFILE);
	assert_int_equal(generation_store_look(f->fd, &s, &e), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_true(is_there(f, "history") && is_there(f, "confirmed"));
	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	assert_true(!s.damaged && !s.lost && s.confirmed == 1);
	generation_store_close(&s);
}

/* A pointer that this start cannot read: nothing is in force, and the next start finds the pointer
 * unchanged. */
static void pointer_that_cannot_be_read_now(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };
	bool all_may = geteuid() == 0;

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	generation_confirm(&s, 1, &confirmed, &e);
	generation_store_close(&s);
	assert_int_equal(fchmodat(f->fd, "generations/confirmed", 0, 0), 0);
	assert_int_equal(fchmodat(f->fd, "generations/history", 0644, 0), 0);
	assert_int_equal(fchmodat(f->fd, "generations", 0777, 0), 0);
	assert_int_equal(fchmod(f->fd, 0777), 0);
	assert_true(!all_may || seteuid(65534) == 0);
	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	assert_true(!all_may || seteuid(0) == 0);
	assert_true(s.lost && s.confirmed == 0);
	assert_true(is_there(f, "confirmed"));
	assert_false(is_there(f, "confirmed.damaged"));
	assert_int_equal(fchmodat(f->fd, "generations/confirmed", 0600, 0), 0);
	reopen(f, &s);
	assert_false(s.lost);
	assert_int_equal(s.confirmed, 1);
	generation_store_close(&s);
}

static void another_content_is_told(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	uint8_t digest[32];
	struct err e = { 0 };

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	add(&s, 1);
	memset(digest, 1, sizeof(digest));
	assert_true(generation_is(&s, 1, digest));
	digest[31] ^= 1;
	assert_false(generation_is(&s, 1, digest));
	generation_confirm(&s, 1, &confirmed, &e);
	unlinkat(f->fd, "generations/history", 0);
	reopen(f, &s);
	assert_true(generation_is(&s, 1, digest)); /* without a history the digest is unknown */
	generation_store_close(&s);
}

#define S 1000000000ull

/* Checks which generation was in force at this time, from when, and until when, in seconds of the
 * test's own clock. */
static void was(const struct generation_store *s, uint64_t at, uint64_t number, uint64_t since, uint64_t until)
{
	uint64_t from = 0, to = 0;

	assert_int_equal(generation_then(s, at * S, &from, &to), number);
	if (number == 0)
		return;
	assert_int_equal(from, since * S);
	assert_int_equal(to, until * S);
}

/* Puts a generation into force at this time. */
static void turn(struct generation_store *s, uint64_t number, uint64_t at)
{
	generation_turn(s, number);
	s->turns[s->n_turns - 1].ns = at * S;
}

static void what_was_in_force_then(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	was(&s, 100, 0, 0, 0);
	turn(&s, add(&s, 1), 100);
	turn(&s, add(&s, 2), 200);
	turn(&s, add(&s, 3), 300);
	/* A rollback, undone, and done again: the record of each generation only has the last
	 * time. */
	assert_int_equal(generation_confirm(&s, 2, &rolled_back, &e), 0);
	turn(&s, 2, 400);
	assert_int_equal(generation_confirm(&s, 3, &rolled_back, &e), 0);
	turn(&s, 3, 500);
	assert_int_equal(generation_confirm(&s, 2, &rolled_back, &e), 0);
	turn(&s, 2, 600);
	generation_turn(&s, 2); /* a start: no generation begins or ends */
	for (int again = 0; again < 2; again++) {
		assert_int_equal(s.n_turns, 6);
		was(&s, 99, 0, 0, 0);
		was(&s, 100, 1, 100, 200);
		was(&s, 199, 1, 100, 200);
		was(&s, 250, 2, 200, 300);
		was(&s, 399, 3, 300, 400);
		was(&s, 450, 2, 400, 500);
		was(&s, 599, 3, 500, 600);
		was(&s, 700, 2, 600, 0);
		/* so that it is written */
		assert_int_equal(generation_mark(&s, 1, GEN_CONFIRMED, &confirmed, &e), 0);
		reopen(f, &s);
	}
	/* A clock that is set back passes the times from 350 to 600 twice. */
	turn(&s, add(&s, 4), 350);
	was(&s, 340, 3, 300, 400);
	was(&s, 350, 0, 0, 0);
	was(&s, 599, 0, 0, 0);
	was(&s, 600, 4, 350, 0);
	generation_store_close(&s);
}

/* The time of a change that could not be written is unknown. The end of a trial by a restart is
 * known. */
static void turns_that_were_not_written(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	turn(&s, add(&s, 1), 100);
	assert_int_equal(generation_confirm(&s, 1, &confirmed, &e), 0);
	turn(&s, add(&s, 2), 200);
	assert_int_equal(generation_mark(&s, 2, GEN_WAITING, &applied, &e), 0);
	reopen(f, &s);
	assert_int_equal(s.gave_up, 2);
	turn(&s, 1, 300);
	was(&s, 250, 2, 200, 300);
	add(&s, 3);
	/* the history did not get this change */
	assert_int_equal(generation_confirm(&s, 3, &confirmed, &e), 0);
	reopen(f, &s);
	turn(&s, 3, 500);
	was(&s, 250, 2, 200, 300);
	was(&s, 400, 0, 0, 0);
	was(&s, 500, 3, 500, 0);
	generation_store_close(&s);
}

/* The oldest changes are dropped, and nothing is known about the time before the rest. */
static void turns_are_bounded(void **state)
{
	struct folder *f = *state;
	struct generation_store s;
	struct err e = { 0 };
	uint64_t one, other;

	assert_int_equal(generation_store_open(f->fd, &s, &e), 0);
	one = add(&s, 1);
	other = add(&s, 2);
	assert_int_equal(generation_confirm(&s, other, &confirmed, &e), 0);
	for (uint64_t i = 1; i <= TURNS_KEPT + 2; i++)
		turn(&s, i % 2 != 0 ? one : other, 100 * i);
	assert_int_equal(generation_mark(&s, one, GEN_CONFIRMED, &confirmed, &e), 0);
	reopen(f, &s);
	assert_int_equal(s.n_turns, TURNS_KEPT);
	was(&s, 299, 0, 0, 0);
	was(&s, 300, one, 300, 400);
	was(&s, 100 * (TURNS_KEPT + 2), other, 100 * (TURNS_KEPT + 2), 0);
	/* One invalid row: the whole history is set aside, and nothing is guessed. */
	overwrite(f, "history", "{\"generations\":[],\"in_force\":[{\"from\":1,\"number\":1},{\"from\":2}]}");
	reopen(f, &s);
	assert_true(s.damaged);
	assert_int_equal(s.n_turns, 0);
	generation_store_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(empty_store, setup, teardown),
		cmocka_unit_test_setup_teardown(confirmed_is_loaded_again, setup, teardown),
		cmocka_unit_test_setup_teardown(pointer_decides_over_history, setup, teardown),
		cmocka_unit_test_setup_teardown(previous_skips_what_was_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(back_goes_to_another_content, setup, teardown),
		cmocka_unit_test_setup_teardown(records_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(trials_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(history_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(longest_history_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_take_nothing_away, setup, teardown),
		cmocka_unit_test_setup_teardown(room_is_tried, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_history_begins_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_pointer_confirms_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(store_of_other_things, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_history_on_a_disk_that_takes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(files_that_cannot_be_opened_now, setup, teardown),
		cmocka_unit_test_setup_teardown(pointer_that_cannot_be_read_now, setup, teardown),
		cmocka_unit_test_setup_teardown(another_content_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_in_force_then, setup, teardown),
		cmocka_unit_test_setup_teardown(turns_that_were_not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(turns_are_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
