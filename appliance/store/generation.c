/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/generation.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/utf8.h"
#define TRYING "gen-trying" /* file of a write test; nobody reads it */

static void sealed_name(uint64_t number, char out[40])
{
	snprintf(out, 40, "gen-%" PRIu64 ".sealed", number);
}

static bool no_room(int r)
{
	return r == -ENOSPC || r == -EDQUOT || r == -EROFS;
}

static int by_number(const void *a, const void *b)
{
	const struct generation_record *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* Reads decimal digits and nothing else. */
static bool number_read(const char *text, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && *end == 0;
}

/* Reads the number. The line must have its end: a line that is cut off would give another
 * number. */
static bool pointer_parse(char *text, uint64_t *ret)
{
	size_t n = strcspn(text, "\n");
	bool whole = text[n] == '\n';

	text[n] = 0;
	return whole && number_read(text, ret) && *ret != 0 && *ret != UINT64_MAX;
}

static bool was_confirmed(const struct generation_store *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].state == GEN_CONFIRMED)
			return true;
	return false;
}

/* Reads the pointer `confirmed`, after the history. The pointer counts as lost if it is damaged, or
 * if it is missing although the history has a confirmed generation. */
static int read_confirmed(struct generation_store *s, struct err *e)
{
	uint8_t *text;
	size_t n;
	int r = file_read(s->dirfd, "confirmed", 64, &text, &n, e);

	if (file_for_now(r))
		return r;
	s->lost = r == -ENOENT ? was_confirmed(s) : r < 0 || !pointer_parse((char *)text, &s->confirmed);
	free(text);
	if (s->lost)
		s->confirmed = 0;
	/* The file is kept under another name only if it is damaged. Otherwise the next start may
	 * be able to read it. */
	if (s->lost && (r == 0 || file_none(r)) && !s->looking)
		(void)file_aside(s->dirfd, "confirmed");
	if (s->next <= s->confirmed)
		s->next = s->confirmed + 1;
	return 0;
}

/* Gives new generations numbers above the highest file: a file without a line in the history is
 * still a policy of the site, and is not replaced. */
static void number_behind(struct generation_store *s)
{
	int fd = openat(s->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (d == NULL && fd >= 0)
		close(fd);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		char *end = strstr(entry->d_name, ".sealed");
		uint64_t number;

		if (strncmp(entry->d_name, "gen-", 4) != 0 || end == NULL)
			continue;
		*end = 0;
		if (number_read(entry->d_name + 4, &number) && number >= s->next && number < UINT64_MAX)
			s->next = number + 1;
	}
	if (d != NULL)
		closedir(d);
}

/* Adds a record of the confirmed generation if the history lacks it. True: it was added. */
static bool complete_history(struct generation_store *s)
{
	if (s->confirmed == 0 || generation_find(s, s->confirmed) != NULL || s->n == GENERATIONS_KEPT)
		return false;
	memmove(&s->list[1], &s->list[0], s->n * sizeof(*s->list));
	s->list[0] = (struct generation_record){ .number = s->confirmed, .state = GEN_CONFIRMED };
	s->n++;
	if (s->n > 1)
		qsort(s->list, s->n, sizeof(*s->list), by_number);
	s->damaged = true;
	return true;
}

static int read_store(struct generation_store *s, bool *ret_completed, struct err *e)
{
	int r = history_read(s, e);

	*ret_completed = false;
	if (r == 0)
		r = read_confirmed(s, e);
	if (r < 0)
		return r;
	*ret_completed = complete_history(s);
	if (s->damaged || s->lost)
		number_behind(s);
	return 0;
}

/* Notes the last change of a record's state. */
static void note_change(struct generation_record *g, const struct generation_cause *c)
{
	g->why = c->why;
	g->changed_ns = clock_wall_ns();
	g->other = c->other;
	utf8_plain(c->by != NULL ? c->by : "", g->changed_by, sizeof(g->changed_by));
	utf8_plain(c->comment != NULL ? c->comment : "", g->changed_comment, sizeof(g->changed_comment));
}

int generation_store_look(int statefd, struct generation_store *s, struct err *e)
{
	bool completed;
	int r;

	*s = (struct generation_store){ .dirfd = -1, .next = 1, .looking = true };
	s->dirfd = openat(statefd, "generations", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dirfd < 0)
		return err_set(e, -errno, "open the folder of generations");
	r = read_store(s, &completed, e);
	if (r < 0)
		generation_store_close(s);
	return r;
}

int generation_store_open(int statefd, struct generation_store *s, struct err *e)
{
	bool changed, strange;
	int r;

	*s = (struct generation_store){ .dirfd = -1, .next = 1 };
	s->dirfd = folder_open(statefd, "generations", &strange, e);
	if (s->dirfd < 0)
		return s->dirfd;
	r = read_store(s, &changed, e);
	if (r < 0)
		goto fail;
	s->lost |= strange;
	for (size_t i = 0; i < s->n; i++) {
		/* The pointer decides, because a power cut may have come between writing it and the
		 * history. */
		enum generation_state want = s->list[i].number == s->confirmed ? GEN_CONFIRMED
					     : s->list[i].state == GEN_WAITING ? GEN_REVERTED
									       : s->list[i].state;

		if (s->list[i].state == GEN_WAITING && want == GEN_REVERTED) {
			s->gave_up = s->list[i].number;
			note_change(&s->list[i],
				    &(struct generation_cause){ .why = WHY_RESTART, .other = s->confirmed });
		}
		changed |= want != s->list[i].state;
		s->list[i].state = want;
	}
	/* If the last turn is of another generation, the confirmed one came into force by a change
	 * that is missing in the turns. */
	if (s->n_turns > 0 && s->turns[s->n_turns - 1].number != s->confirmed &&
	    s->turns[s->n_turns - 1].number != s->gave_up)
		s->turns[s->n_turns - 1].number = 0;
	/* If the changed states cannot be saved, they are valid in memory nevertheless, and the
	 * next start changes them again. */
	if (changed)
		(void)history_write(s, e);
	return 0;
fail:
	generation_store_close(s);
	return r;
}

int generation_save(struct generation_store *s, struct err *e)
{
	return s->unsaved ? history_write(s, e) : 0;
}

void generation_store_close(struct generation_store *s)
{
	if (s->dirfd >= 0)
		close(s->dirfd);
	*s = (struct generation_store){ .dirfd = -1 };
}

/* The record to forget first. It is never the confirmed generation or the one on trial. With
 * `failed` it is a generation that never came into force, because repeated failures must not push
 * out policies to which somebody could go back. */
static bool oldest(const struct generation_store *s, bool failed, size_t *ret)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct generation_record *g = &s->list[i];

		if (g->number == s->confirmed || g->state == GEN_WAITING ||
		    (failed && (g->state != GEN_REVERTED || g->why != WHY_FAILED)))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

static void forget_oldest(struct generation_store *s)
{
	char name[40];
	size_t i;

	if (!oldest(s, true, &i) && !oldest(s, false, &i))
		return;
	sealed_name(s->list[i].number, name);
	unlinkat(s->dirfd, name, 0);
	memmove(&s->list[i], &s->list[i + 1], (s->n - i - 1) * sizeof(*s->list));
	s->n--;
}

int generation_add(struct generation_store *s, const void *p, size_t n, const uint8_t digest[32],
		   const struct generation_cause *c, uint64_t *ret, struct err *e)
{
	struct generation_record *g;
	char name[40];
	int r;

	if (n > GENERATION_MAX_BYTES)
		return err_set(e, -EFBIG, "a generation of %zu bytes", n);
	sealed_name(s->next, name);
	r = atomic_write(s->dirfd, name, p, n, e);
	if (r < 0)
		return r;
	if (s->n >= GENERATIONS_KEPT)
		forget_oldest(s);
	g = &s->list[s->n++];
	*g = (struct generation_record){ .number = s->next, .state = GEN_WAITING, .before = c->other };
	note_change(g, c);
	g->applied_ns = g->changed_ns;
	memcpy(g->digest, digest, sizeof(g->digest));
	memcpy(g->by, g->changed_by, sizeof(g->by));
	memcpy(g->comment, g->changed_comment, sizeof(g->comment));
	g->changed_comment[0] = 0;
	if (c->meant != NULL)
		g->meant = *c->meant;
	*ret = s->next++;
	return history_write(s, e);
}

int generation_try(struct generation_store *s, const void *p, size_t n, struct err *e)
{
	int r;

	if (n > GENERATION_MAX_BYTES)
		return err_set(e, -EFBIG, "a generation of %zu bytes", n);
	r = atomic_write(s->dirfd, TRYING, p, n, e);
	/* The history is written again as a test of the room for a new line. */
	if (r == 0 && s->n > 0)
		r = history_write(s, e);
	unlinkat(s->dirfd, TRYING, 0);
	return r;
}

int generation_mark(struct generation_store *s, uint64_t number, enum generation_state state,
		    const struct generation_cause *c, struct err *e)
{
	struct err line;

	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].number == number) {
			s->list[i].state = state;
			note_change(&s->list[i], c);
			/* The pointer decides, so a failed write of the line is no failure here.
			 * The line is written later. */
			(void)history_write(s, &line);
			return 0;
		}
	return err_set(e, -ENOENT, "generation %" PRIu64, number);
}

/* Writes the pointer. On a full disk the existing file is overwritten in place; bytes after the
 * line's end are ignored. */
static int write_pointer(int dirfd, const char *text, size_t n, struct err *e)
{
	int r = atomic_write(dirfd, "confirmed", text, n, e), fd;

	if (!no_room(r))
		return r;
	fd = openat(dirfd, "confirmed", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return r;
	if (pwrite(fd, text, n, 0) == (ssize_t)n && fsync(fd) == 0)
		r = 0;
	close(fd);
	return r;
}

/* Restores the pointer. A failed write may still have reached the disk, and the next start would
 * load a policy that is not in force. */
static void pointer_back(const struct generation_store *s)
{
	char text[32];
	struct err e;
	int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", s->confirmed);

	if (s->confirmed != 0)
		(void)write_pointer(s->dirfd, text, (size_t)n, &e);
	else
		(void)unlinkat(s->dirfd, "confirmed", 0);
}

int generation_confirm(struct generation_store *s, uint64_t number, const struct generation_cause *c, struct err *e)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", number), r;

	if (generation_find(s, number) == NULL)
		return err_set(e, -ENOENT, "generation %" PRIu64, number);
	r = write_pointer(s->dirfd, text, (size_t)n, e);
	if (r < 0) {
		pointer_back(s);
		return r;
	}
	s->confirmed = number;
	return generation_mark(s, number, GEN_CONFIRMED, c, e);
}

void generation_turn(struct generation_store *s, uint64_t number)
{
	struct err line;

	if (s->n_turns > 0 && s->turns[s->n_turns - 1].number == number)
		return;
	if (s->n_turns == TURNS_KEPT)
		memmove(&s->turns[0], &s->turns[1], --s->n_turns * sizeof(s->turns[0]));
	s->turns[s->n_turns++] = (struct generation_turn){ clock_wall_ns(), number };
	(void)history_write(s, &line);
}

uint64_t generation_then(const struct generation_store *s, uint64_t ns, uint64_t *ret_since, uint64_t *ret_until)
{
	size_t first = 0, last = 0;

	while (first < s->n_turns && s->turns[first].ns <= ns)
		first++;
	for (size_t i = 0; i < s->n_turns; i++)
		if (s->turns[i].ns <= ns)
			last = i + 1;
	if (first == 0 || first != last)
		return 0;
	*ret_since = s->turns[first - 1].ns;
	*ret_until = first < s->n_turns ? s->turns[first].ns : 0;
	return s->turns[first - 1].number;
}

int generation_load(const struct generation_store *s, uint64_t number, uint8_t **ret, size_t *ret_n, struct err *e)
{
	char name[40];

	sealed_name(number, name);
	return file_read(s->dirfd, name, GENERATION_MAX_BYTES, ret, ret_n, e);
}

bool generation_is(const struct generation_store *s, uint64_t number, const uint8_t digest[32])
{
	static const uint8_t unknown[32];
	const struct generation_record *g = generation_find(s, number);

	return g == NULL || memcmp(g->digest, unknown, sizeof(unknown)) == 0 ||
	       memcmp(g->digest, digest, sizeof(g->digest)) == 0;
}

const struct generation_record *generation_find(const struct generation_store *s, uint64_t number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].number == number)
			return &s->list[i];
	return NULL;
}

/* The generation that was in force when this one was applied. An old record without this field: the
 * newest confirmed generation before it. */
static uint64_t generation_before(const struct generation_store *s, const struct generation_record *g)
{
	if (g->before != 0)
		return g->before;
	for (size_t i = s->n; i > 0; i--)
		if (s->list[i - 1].number < g->number && s->list[i - 1].state == GEN_CONFIRMED)
			return s->list[i - 1].number;
	return 0;
}

uint64_t generation_previous(const struct generation_store *s)
{
	const struct generation_record *g = generation_find(s, s->confirmed);

	if (g == NULL)
		return 0;
	return g->why == WHY_ROLLBACK && g->other != 0 ? g->other : generation_before(s, g);
}

uint64_t generation_back(const struct generation_store *s)
{
	const struct generation_record *now = generation_find(s, s->confirmed), *g = now;

	while (g != NULL) {
		uint64_t last = g->number;

		g = generation_find(s, generation_before(s, g));
		if (g == NULL || g->number >= last)
			return 0;
		if (g->state == GEN_CONFIRMED && memcmp(g->digest, now->digest, sizeof(g->digest)) != 0)
			return g->number;
	}
	return 0;
}

uint64_t generation_step(const struct generation_store *s, uint64_t trial)
{
	const struct generation_record *now = generation_find(s, s->confirmed), *from;

	if (trial != 0)
		return s->confirmed;
	if (now == NULL || now->why != WHY_ROLLBACK)
		return generation_back(s);
	from = generation_find(s, now->other);
	return from != NULL && (from->state == GEN_CONFIRMED || from->why == WHY_ROLLBACK) ? from->number : 0;
}

const struct generation_record *generation_last_trial(const struct generation_store *s)
{
	const struct generation_record *last = NULL;

	for (size_t i = 0; i < s->n; i++) {
		const struct generation_record *g = &s->list[i];

		/* These generations had no trial that has ended: they were applied without one, are
		 * on trial, failed before it, or were put into force by a rollback. */
		if (g->why == WHY_APPLIED || g->why == WHY_FAILED || g->why == WHY_ROLLBACK)
			continue;
		/* There is one trial at a time, so the trial that began last ended last, whatever
		 * times a wrong clock has left. */
		if (last == NULL || g->number > last->number)
			last = g;
	}
	return last;
}
