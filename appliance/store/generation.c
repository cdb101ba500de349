/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/generation.h"

#include <ctype.h>
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
#include "appliance/base/sha256.h"

#define LINE_MAX_BYTES 192u
#define HISTORY_MAX (LINE_MAX_BYTES * (GENERATIONS_KEPT + 1u))

static const char *const state_names[] = {
	[GEN_WAITING] = "waiting",
	[GEN_CONFIRMED] = "confirmed",
	[GEN_REVERTED] = "reverted",
};

const char *generation_state_name(enum generation_state s)
{
	return (unsigned)s < 3 ? state_names[s] : "unknown";
}

static bool state_by_name(const char *name, enum generation_state *ret)
{
	for (unsigned i = 0; i < 3; i++)
		if (strcmp(name, state_names[i]) == 0) {
			*ret = (enum generation_state)i;
			return true;
		}
	return false;
}

static bool hex_parse(const char *text, uint8_t out[32])
{
	for (size_t i = 0; i < 64; i++) {
		unsigned char c = (unsigned char)text[i];
		unsigned v;

		if (!isxdigit(c))
			return false;
		v = isdigit(c) ? (unsigned)(c - '0') : (unsigned)(tolower(c) - 'a') + 10u;
		out[i / 2] = (uint8_t)(i % 2 == 0 ? v << 4 : out[i / 2] | v);
	}
	return text[64] == 0;
}

static void sealed_name(uint64_t number, char out[40])
{
	snprintf(out, 40, "gen-%" PRIu64 ".sealed", number);
}

static int write_history(const struct generation_store *s, struct err *e)
{
	char *text = malloc(HISTORY_MAX);
	size_t len = 0;
	int r;

	if (text == NULL)
		return err_set(e, -ENOMEM, "history");
	for (size_t i = 0; i < s->n; i++) {
		const struct generation_record *g = &s->list[i];
		char hex[65];

		hex_text(g->digest, sizeof(g->digest), hex);
		len += (size_t)snprintf(text + len, HISTORY_MAX - len, "%" PRIu64 " %s %" PRIu64 " %s %s\n", g->number,
					hex, g->applied_ns, generation_state_name(g->state), g->by);
	}
	r = atomic_write(s->dirfd, "history", text, len, e);
	free(text);
	return r;
}

/* Digits and nothing else. */
static bool number(const char *text, uint64_t *ret)
{
	char *end;

	if (text == NULL || !isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && *end == 0;
}

/* One line: number, digest, time, state, who. False for anything else. Takes the line apart. */
static bool parse_line(char *line, struct generation_record *g)
{
	char *field[5], *rest;

	*g = (struct generation_record){ 0 };
	for (size_t i = 0; i < 5; i++) {
		field[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
		if (field[i] == NULL)
			return false;
	}
	snprintf(g->by, sizeof(g->by), "%s", field[4]);
	return number(field[0], &g->number) && g->number != 0 && g->number != UINT64_MAX && strlen(field[1]) == 64 &&
	       hex_parse(field[1], g->digest) && number(field[2], &g->applied_ns) && state_by_name(field[3], &g->state);
}

static int read_history(struct generation_store *s, struct err *e)
{
	uint8_t *text;
	size_t n;
	int r = file_read(s->dirfd, "history", HISTORY_MAX, &text, &n, e);
	char *rest, *line;

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	for (line = strtok_r((char *)text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		struct generation_record g;

		if (!parse_line(line, &g) || s->n >= GENERATIONS_KEPT ||
		    (s->n > 0 && g.number <= s->list[s->n - 1].number)) {
			s->n = 0;
			s->damaged = true;
			break;
		}
		s->list[s->n++] = g;
	}
	free(text);
	if (s->damaged && renameat(s->dirfd, "history", s->dirfd, "history.damaged") < 0)
		return err_set(e, -errno, "set the damaged history aside");
	if (s->n > 0)
		s->next = s->list[s->n - 1].number + 1;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct generation_record *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int read_confirmed(struct generation_store *s, struct err *e)
{
	uint8_t *text;
	size_t n;
	int r = file_read(s->dirfd, "confirmed", 64, &text, &n, e);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	text[strcspn((const char *)text, "\n")] = 0;
	if (!number((const char *)text, &s->confirmed) || s->confirmed == 0 || s->confirmed == UINT64_MAX) {
		s->confirmed = 0;
		s->damaged = true;
	}
	free(text);
	if (s->next <= s->confirmed)
		s->next = s->confirmed + 1;
	return 0;
}

/* What boot loads has a line, even when the history was lost. */
static bool complete(struct generation_store *s)
{
	if (s->confirmed == 0 || generation_find(s, s->confirmed) != NULL || s->n == GENERATIONS_KEPT)
		return false;
	memmove(&s->list[1], &s->list[0], s->n * sizeof(*s->list));
	s->list[0] = (struct generation_record){ .number = s->confirmed, .state = GEN_CONFIRMED, .by = "-" };
	s->n++;
	if (s->n > 1)
		qsort(s->list, s->n, sizeof(*s->list), by_number);
	return true;
}

int generation_store_open(int statefd, struct generation_store *s, struct err *e)
{
	bool changed;
	int r;

	*s = (struct generation_store){ .dirfd = -1, .next = 1 };
	if (mkdirat(statefd, "generations", 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make the folder of generations");
	s->dirfd = openat(statefd, "generations", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dirfd < 0)
		return err_set(e, -errno, "open the folder of generations");
	s->list = calloc(GENERATIONS_KEPT + 1, sizeof(*s->list));
	if (s->list == NULL) {
		r = err_set(e, -ENOMEM, "generations");
		goto fail;
	}
	r = read_history(s, e);
	if (r == 0)
		r = read_confirmed(s, e);
	if (r < 0)
		goto fail;
	changed = complete(s);
	for (size_t i = 0; i < s->n; i++) {
		/* The pointer decides: power may have gone between it and the history. */
		enum generation_state want = s->list[i].number == s->confirmed ? GEN_CONFIRMED
					     : s->list[i].state == GEN_WAITING ? GEN_REVERTED
									       : s->list[i].state;

		if (s->list[i].state == GEN_WAITING && want == GEN_REVERTED)
			s->gave_up = s->list[i].number;
		changed |= want != s->list[i].state;
		s->list[i].state = want;
	}
	if (changed && (r = write_history(s, e)) < 0)
		goto fail;
	return 0;
fail:
	generation_store_close(s);
	return r;
}

void generation_store_close(struct generation_store *s)
{
	free(s->list);
	if (s->dirfd >= 0)
		close(s->dirfd);
	*s = (struct generation_store){ .dirfd = -1 };
}

/* Forgets the oldest one that is not the confirmed one. */
static void forget_oldest(struct generation_store *s)
{
	for (size_t i = 0; i < s->n; i++) {
		char name[40];

		if (s->list[i].number == s->confirmed)
			continue;
		sealed_name(s->list[i].number, name);
		unlinkat(s->dirfd, name, 0);
		memmove(&s->list[i], &s->list[i + 1], (s->n - i - 1) * sizeof(*s->list));
		s->n--;
		return;
	}
}

int generation_add(struct generation_store *s, const void *p, size_t n, const uint8_t digest[32], const char *by,
		   uint64_t *ret, struct err *e)
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
	*g = (struct generation_record){ .number = s->next, .applied_ns = clock_wall_ns(), .state = GEN_WAITING };
	memcpy(g->digest, digest, sizeof(g->digest));
	snprintf(g->by, sizeof(g->by), "%s", by);
	for (char *c = g->by; *c != 0; c++)
		if (*c <= ' ' || *c > '~')
			*c = '_';
	if (g->by[0] == 0)
		snprintf(g->by, sizeof(g->by), "-");
	*ret = s->next++;
	return write_history(s, e);
}

int generation_mark(struct generation_store *s, uint64_t number, enum generation_state state, struct err *e)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].number == number) {
			s->list[i].state = state;
			return write_history(s, e);
		}
	return err_set(e, -ENOENT, "generation %" PRIu64, number);
}

int generation_confirm(struct generation_store *s, uint64_t number, struct err *e)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", number), r;

	if (generation_find(s, number) == NULL)
		return err_set(e, -ENOENT, "generation %" PRIu64, number);
	r = atomic_write(s->dirfd, "confirmed", text, (size_t)n, e);
	if (r < 0)
		return r;
	s->confirmed = number;
	return generation_mark(s, number, GEN_CONFIRMED, e);
}

int generation_load(const struct generation_store *s, uint64_t number, uint8_t **ret, size_t *ret_n, struct err *e)
{
	char name[40];

	sealed_name(number, name);
	return file_read(s->dirfd, name, GENERATION_MAX_BYTES, ret, ret_n, e);
}

const struct generation_record *generation_find(const struct generation_store *s, uint64_t number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].number == number)
			return &s->list[i];
	return NULL;
}

uint64_t generation_previous(const struct generation_store *s)
{
	for (size_t i = s->n; i > 0; i--)
		if (s->list[i - 1].number < s->confirmed && s->list[i - 1].state == GEN_CONFIRMED)
			return s->list[i - 1].number;
	return 0;
}
