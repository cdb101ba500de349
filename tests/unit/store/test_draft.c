/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of the draft: what was saved is read again. Of a file with any byte changed, or cut
 * anywhere, nothing is used, least of all an approval. Also what an approval survives.
 *
 * LINK: appliance/store/draft.c appliance/base/atomic_file.c appliance/base/err.c
 * LINK: appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/memfd.c appliance/base/sha256.c appliance/base/clock.c
 * LINK: appliance/base/columns.c
 * LINK: appliance/base/bytes.c
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
	free(back.texts);
	/* A discarded draft keeps its number, which must not be given again. */
	free(d.texts);
	d = (struct draft){ .revision = 8 };
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
	free(d.texts);
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

/* A draft whose trial was not confirmed in time is stored with the number of that generation, and
 * is valid with this number only. */
static void a_trial_that_ran_out_is_found_again(void **state)
{
	int dir = ((struct folder *)*state)->fd;
	struct draft d = approved(), back;
	struct err e;
	bool lost;

	d.ran_out = 4;
	assert_int_equal(draft_save(dir, &d, &e), 0);
	assert_int_equal(draft_open(dir, &back, &lost, &e), 0);
	assert_true(!lost && back.state == DRAFT_APPROVED && back.ran_out == 4);
	free(back.texts);
	for (int i = 0; i < 3; i++) {
		struct draft wrong = d;

		wrong.state = i == 0 ? DRAFT_WRITTEN : i == 1 ? DRAFT_ASKED : DRAFT_APPROVED;
		if (i == 2)
			wrong.decided_by[0] = '\0';
		assert_int_equal(draft_save(dir, &wrong, &e), 0);
		assert_int_equal(draft_open(dir, &back, &lost, &e), 0);
		assert_true(lost && back.state == DRAFT_NONE && back.ran_out == 0);
	}
	draft_undecided(&d);
	assert_true(d.state == DRAFT_WRITTEN && d.ran_out == 0 && d.decided_by[0] == '\0' && d.decided_ns == 0);
	free(d.texts);
}

enum { BASE = 3, BECAME = 4, OTHER = 5 };

/* Whether an approval may stay valid, written a second time in a different way: its trial was not
 * confirmed in time, this happened once, and nothing else was applied. */
static bool outlives(const struct draft *d, const struct generation_record *g, uint64_t newest, uint64_t in_force)
{
	return d->state == DRAFT_APPLIED && g != NULL && g->state == GEN_REVERTED && g->why == WHY_TIMEOUT &&
	       d->decided_by[0] != '\0' && d->ran_out == 0 && in_force == BASE && newest == BECAME;
}

/* Every state of a draft, with everything that can have happened to its generation: an approval is
 * kept in one case only, and never appears. */
static void an_approval_outlives_one_end_alone(void **state)
{
	static const uint64_t numbers[] = { BASE, BECAME, OTHER };
	unsigned kept = 0, all = 0;

	(void)state;
	for (unsigned i = 0; i < DRAFT_STATES * 3 * WHY_COUNT * 2 * 3 * 3 * 3 * 2; i++) {
		unsigned x = i;
		enum draft_state was = (enum draft_state)(x % DRAFT_STATES);
		struct generation_record g = { .number = BECAME, .before = BASE };
		const struct generation_record *its;
		struct draft d = { .state = was, .revision = 7, .base = BASE };
		uint64_t newest, in_force;
		enum draft_turn turn;
		bool keeps;

		x /= DRAFT_STATES;
		g.state = (enum generation_state)(x % 3);
		x /= 3;
		g.why = (enum generation_why)(x % WHY_COUNT);
		x /= WHY_COUNT;
		if (x % 2 != 0)
			memcpy(d.decided_by, "chiba", 6);
		x /= 2;
		newest = numbers[x % 3];
		in_force = numbers[x / 3 % 3];
		d.ran_out = (uint64_t[]){ 0, BASE, BECAME }[x / 9 % 3];
		its = was == DRAFT_APPLIED && x / 27 == 0 ? &g : NULL;
		d.generation = was == DRAFT_APPLIED ? BECAME : 0;
		keeps = outlives(&d, its, newest, in_force);
		turn = draft_settle(&d, its, newest, in_force);
		all++;
		kept += turn == DRAFT_KEEPS;
		assert_true((turn == DRAFT_KEEPS) == keeps);
		if (turn == DRAFT_KEEPS) {
			assert_true(d.state == DRAFT_APPROVED && d.ran_out == BECAME && d.generation == 0 &&
				    d.base == BASE && d.decided_by[0] != '\0');
			/* Checked again, nothing changes. The next trial that is not confirmed ends
			 * the approval, and so does anything that is applied. */
			assert_int_equal(draft_settle(&d, NULL, BECAME, BASE), DRAFT_STAYS);
			d.state = DRAFT_APPLIED;
			d.generation = OTHER;
			g.number = OTHER;
			assert_int_equal(draft_settle(&d, &g, OTHER, BASE), DRAFT_FALLS);
			assert_true(d.state == DRAFT_WRITTEN && d.ran_out == 0 && d.decided_by[0] == '\0');
			continue;
		}
		/* A draft is only approved if it was approved before and is still based on the
		 * policy in force. */
		assert_true(d.state != DRAFT_APPROVED ||
			    (was == DRAFT_APPROVED && in_force == BASE && (d.ran_out == 0 || d.ran_out == newest)));
		assert_true(turn == DRAFT_STAYS ? d.state == was : d.state == DRAFT_WRITTEN && d.generation == 0);
		assert_true(turn == DRAFT_STAYS || d.decided_by[0] == '\0');
	}
	assert_true(kept == 1 && all > 1000);
}

/* An approval that is valid for one more attempt ends when anything is applied meanwhile, even if
 * the same policy is in force again afterwards. */
static void what_was_applied_since_ends_it(void **state)
{
	struct draft d = { .state = DRAFT_APPROVED, .revision = 7, .base = BASE, .ran_out = BECAME };

	(void)state;
	memcpy(d.decided_by, "chiba", 6);
	assert_int_equal(draft_settle(&d, NULL, BECAME, BASE), DRAFT_STAYS);
	assert_int_equal(draft_settle(&d, NULL, OTHER, BASE), DRAFT_FALLS);
	assert_true(d.state == DRAFT_WRITTEN && d.ran_out == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(no_byte_is_believed_that_was_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_trial_that_ran_out_is_found_again, setup, teardown),
		cmocka_unit_test(an_approval_outlives_one_end_alone),
		cmocka_unit_test(what_was_applied_since_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
