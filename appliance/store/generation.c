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

#define LINE_MAX_BYTES 2048u /* comments as they are stored take three bytes for some of theirs */
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

static const char *const why_names[WHY_COUNT] = {
	[WHY_APPLIED] = "apply",	 [WHY_CONFIRMED] = "confirm", [WHY_TIMEOUT] = "timeout",
	[WHY_RESTART] = "restart",	 [WHY_ROLLBACK] = "rollback", [WHY_CALLED_OFF] = "called_off",
	[WHY_TAKEN_OVER] = "taken_over", [WHY_FAILED] = "failed",
};

const char *generation_why_name(enum generation_why w)
{
	return (unsigned)w < WHY_COUNT ? why_names[w] : "unknown";
}

static bool why_by_name(const char *name, enum generation_why *ret)
{
	for (unsigned i = 0; i < WHY_COUNT; i++)
		if (strcmp(name, why_names[i]) == 0) {
			*ret = (enum generation_why)i;
			return true;
		}
	return false;
}

/* ---- texts as fields of a line: "-" is the empty one, %XX what would end a field --------------------------------- */

static void field_put(const char *text, char *out, size_t size)
{
	size_t n = 0;

	if (*text == 0 || strcmp(text, "-") == 0) {
		snprintf(out, size, "-");
		return;
	}
	for (; *text != 0 && n + 4 <= size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c == '%' || c == 0x7f)
			n += (size_t)snprintf(out + n, size - n, "%%%02x", c);
		else
			out[n++] = (char)c;
	}
	out[n] = 0;
}

static bool field_take(const char *field, char *out, size_t size)
{
	size_t n = 0;

	if (strcmp(field, "-") == 0)
		field = "";
	for (; *field != 0; field++) {
		unsigned c = (unsigned char)*field;

		if (n + 1 >= size)
			return false;
		if (c == '%') {
			char hex[3] = { field[1], field[1] != 0 ? field[2] : '\0', 0 };

			if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]))
				return false;
			c = (unsigned)strtoul(hex, NULL, 16);
			field += 2;
		}
		if (c == 0)
			return false;
		out[n++] = (char)c;
	}
	out[n] = 0;
	return true;
}

/* Cut at a whole letter, without signs that would change how the rest of a line is shown. */
static void text_keep(const char *text, char *out, size_t size)
{
	size_t n = text != NULL ? strlen(text) : 0;

	if (n >= size)
		n = size - 1;
	while (n > 0 && text != NULL && text[n] != 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
	out[n] = 0;
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

static bool no_room(int r)
{
	return r == -ENOSPC || r == -EDQUOT || r == -EROFS;
}

static int write_history(struct generation_store *s, struct err *e)
{
	char *text = malloc(HISTORY_MAX);
	size_t len = 0;
	int r;

	if (text == NULL)
		return err_set(e, -ENOMEM, "history");
	for (size_t i = 0; i < s->n; i++) {
		const struct generation_record *g = &s->list[i];
		char hex[65], by[3 * BY_BYTES], comment[3 * COMMENT_BYTES], later_by[3 * BY_BYTES],
			later[3 * COMMENT_BYTES];

		hex_text(g->digest, sizeof(g->digest), hex);
		field_put(g->by, by, sizeof(by));
		field_put(g->comment, comment, sizeof(comment));
		field_put(g->changed_by, later_by, sizeof(later_by));
		field_put(g->changed_comment, later, sizeof(later));
		len += (size_t)snprintf(text + len, HISTORY_MAX - len,
					"%" PRIu64 " %s %" PRIu64 " %s %s %" PRIu64 " %s %" PRIu64 " %s %" PRIu64
					" %s %s\n",
					g->number, hex, g->applied_ns, generation_state_name(g->state), by, g->before,
					generation_why_name(g->why), g->changed_ns, later_by, g->other, comment, later);
	}
	r = atomic_write(s->dirfd, "history", text, len, e);
	s->unsaved = r < 0;
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

#define FIELDS 12u
#define FIELDS_BEFORE 5u /* of lines that an earlier version wrote */

/*
 * One line: number, digest, time, state, who; then what was in force before, why it has its state, since when, by whom,
 * the other generation, comments. False for anything else. Takes the line apart.
 */
static bool parse_line(char *line, struct generation_record *g)
{
	char *field[FIELDS + 1], *rest = NULL;
	size_t n = 0;

	*g = (struct generation_record){ 0 };
	for (char *f = strtok_r(line, " ", &rest); f != NULL && n <= FIELDS; f = strtok_r(NULL, " ", &rest))
		field[n++] = f;
	if ((n != FIELDS && n != FIELDS_BEFORE) || !number(field[0], &g->number) || g->number == 0 ||
	    g->number == UINT64_MAX || strlen(field[1]) != 64 || !hex_parse(field[1], g->digest) ||
	    !number(field[2], &g->applied_ns) || !state_by_name(field[3], &g->state) ||
	    !field_take(field[4], g->by, sizeof(g->by)))
		return false;
	g->changed_ns = g->applied_ns;
	return n == FIELDS_BEFORE ||
	       (number(field[5], &g->before) && why_by_name(field[6], &g->why) && number(field[7], &g->changed_ns) &&
		field_take(field[8], g->changed_by, sizeof(g->changed_by)) && number(field[9], &g->other) &&
		field_take(field[10], g->comment, sizeof(g->comment)) &&
		field_take(field[11], g->changed_comment, sizeof(g->changed_comment)));
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
	s->list[0] = (struct generation_record){ .number = s->confirmed, .state = GEN_CONFIRMED };
	s->n++;
	if (s->n > 1)
		qsort(s->list, s->n, sizeof(*s->list), by_number);
	return true;
}

/* The last change of a record's state. */
static void change(struct generation_record *g, const struct generation_cause *c)
{
	g->why = c->why;
	g->changed_ns = clock_wall_ns();
	g->other = c->other;
	text_keep(c->by, g->changed_by, sizeof(g->changed_by));
	text_keep(c->comment, g->changed_comment, sizeof(g->changed_comment));
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

		if (s->list[i].state == GEN_WAITING && want == GEN_REVERTED) {
			s->gave_up = s->list[i].number;
			change(&s->list[i], &(struct generation_cause){ .why = WHY_RESTART, .other = s->confirmed });
		}
		changed |= want != s->list[i].state;
		s->list[i].state = want;
	}
	/* What a full disk does not take is known all the same, and found out again at the next start. */
	r = changed ? write_history(s, e) : 0;
	if (r == 0 || no_room(r))
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
	change(g, c);
	g->applied_ns = g->changed_ns;
	memcpy(g->digest, digest, sizeof(g->digest));
	memcpy(g->by, g->changed_by, sizeof(g->by));
	memcpy(g->comment, g->changed_comment, sizeof(g->comment));
	g->changed_comment[0] = 0;
	*ret = s->next++;
	return write_history(s, e);
}

int generation_mark(struct generation_store *s, uint64_t number, enum generation_state state,
		    const struct generation_cause *c, struct err *e)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].number == number) {
			int r;

			s->list[i].state = state;
			change(&s->list[i], c);
			r = write_history(s, e);
			return no_room(r) ? 0 : r;
		}
	return err_set(e, -ENOENT, "generation %" PRIu64, number);
}

/* On a full disk the file that is there takes a few bytes in its place; what follows the line's end is not read. */
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

int generation_confirm(struct generation_store *s, uint64_t number, const struct generation_cause *c, struct err *e)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", number), r;

	if (generation_find(s, number) == NULL)
		return err_set(e, -ENOENT, "generation %" PRIu64, number);
	r = write_pointer(s->dirfd, text, (size_t)n, e);
	if (r < 0)
		return r;
	s->confirmed = number;
	return generation_mark(s, number, GEN_CONFIRMED, c, e);
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

/* What was in force when it was applied; of a record that does not say, the newest confirmed one before it. */
static uint64_t before(const struct generation_store *s, const struct generation_record *g)
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
	return g->why == WHY_ROLLBACK && g->other != 0 ? g->other : before(s, g);
}

uint64_t generation_back(const struct generation_store *s)
{
	const struct generation_record *now = generation_find(s, s->confirmed), *g = now;

	while (g != NULL) {
		uint64_t last = g->number;

		g = generation_find(s, before(s, g));
		if (g == NULL || g->number >= last)
			return 0;
		if (g->state == GEN_CONFIRMED && memcmp(g->digest, now->digest, sizeof(g->digest)) != 0)
			return g->number;
	}
	return 0;
}

const struct generation_record *generation_last_trial(const struct generation_store *s)
{
	const struct generation_record *last = NULL;

	for (size_t i = 0; i < s->n; i++) {
		const struct generation_record *g = &s->list[i];

		/* What was applied at once, or is on trial still, had no trial that ended. */
		if (g->why == WHY_APPLIED || g->why == WHY_FAILED || g->why == WHY_ROLLBACK)
			continue;
		if (last == NULL || g->changed_ns >= last->changed_ns)
			last = g;
	}
	return last;
}
