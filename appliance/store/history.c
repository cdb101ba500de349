/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/generation.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"

/*
 * The file `history` of the store: one line for each generation, with spaces between the fields,
 * and %XX for characters that would end a field. Only the store reads and writes it; generation.c
 * decides about the states.
 */

#define TURN "in_force "

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
#define WHY(id, word) [id] = (word),
#include "appliance/wire/why.def"
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

#define MEANT_FIELD 1200u /* bytes; a space takes three when stored */

/* ---- texts as fields of a line --------------------------------------------------------------- */

/* "-" stands for an empty text, %XX for characters that would end the field. */

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

char *history_text(const struct generation_store *s, size_t *ret_n)
{
	char *text = malloc(HISTORY_MAX);
	size_t len = 0;

	for (size_t i = 0; text != NULL && i < s->n; i++) {
		const struct generation_record *g = &s->list[i];
		char hex[65], by[3 * BY_BYTES], comment[3 * COMMENT_BYTES], later_by[3 * BY_BYTES],
			later[3 * COMMENT_BYTES], meant[LANGUAGES][MEANT_FIELD];

		hex_text(g->digest, sizeof(g->digest), hex);
		field_put(g->by, by, sizeof(by));
		field_put(g->comment, comment, sizeof(comment));
		field_put(g->changed_by, later_by, sizeof(later_by));
		field_put(g->changed_comment, later, sizeof(later));
		for (int l = 0; l < LANGUAGES; l++)
			field_put(g->meant.text[l], meant[l], sizeof(meant[l]));
		len += (size_t)snprintf(text + len, HISTORY_MAX - len,
					"%" PRIu64 " %s %" PRIu64 " %s %s %" PRIu64 " %s %" PRIu64 " %s %" PRIu64
					" %s %s %s %s\n",
					g->number, hex, g->applied_ns, generation_state_name(g->state), by, g->before,
					generation_why_name(g->why), g->changed_ns, later_by, g->other, comment, later,
					meant[LANG_EN], meant[LANG_JA]);
	}
	for (size_t i = 0; text != NULL && i < s->n_turns; i++)
		len += (size_t)snprintf(text + len, HISTORY_MAX - len, TURN "%" PRIu64 " %" PRIu64 "\n", s->turns[i].ns,
					s->turns[i].number);
	*ret_n = len;
	return text;
}

int history_write(struct generation_store *s, struct err *e)
{
	size_t len;
	char *text = history_text(s, &len);
	int r;

	s->changes++;
	s->unsaved = true;
	if (text == NULL)
		return err_set(e, -ENOMEM, "history");
	if (s->in_the_way && file_aside(s->dirfd, "history") == 0)
		s->in_the_way = false;
	r = atomic_write(s->dirfd, "history", text, len, e);
	s->unsaved = r < 0;
	s->in_the_way = s->in_the_way && s->unsaved;
	free(text);
	return r;
}

bool history_number(const char *text, uint64_t *ret)
{
	char *end;

	if (text == NULL || !isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && *end == 0;
}

#define FIELDS 14u

/*
 * Parses one line: number, digest, time, state, who; then the generation that was in force before;
 * reason, time, person and other generation of the last change; comments; what the generation made
 * possible and impossible, in each language. False for anything else. Cuts the line in place.
 */
static bool parse_line(char *line, struct generation_record *g)
{
	char *field[FIELDS + 1], *rest = NULL;
	size_t n = 0;

	*g = (struct generation_record){ 0 };
	for (char *f = strtok_r(line, " ", &rest); f != NULL && n <= FIELDS; f = strtok_r(NULL, " ", &rest))
		field[n++] = f;
	return n == FIELDS && history_number(field[0], &g->number) && g->number != 0 && g->number != UINT64_MAX &&
	       hex_read(field[1], g->digest, sizeof(g->digest)) && history_number(field[2], &g->applied_ns) &&
	       state_by_name(field[3], &g->state) && field_take(field[4], g->by, sizeof(g->by)) &&
	       history_number(field[5], &g->before) && why_by_name(field[6], &g->why) &&
	       history_number(field[7], &g->changed_ns) && field_take(field[8], g->changed_by, sizeof(g->changed_by)) &&
	       history_number(field[9], &g->other) && field_take(field[10], g->comment, sizeof(g->comment)) &&
	       field_take(field[11], g->changed_comment, sizeof(g->changed_comment)) &&
	       field_take(field[12], g->meant.text[LANG_EN], sizeof(g->meant.text[LANG_EN])) &&
	       field_take(field[13], g->meant.text[LANG_JA], sizeof(g->meant.text[LANG_JA]));
}

/* Parses the fields of a turn, which follow its first word. */
static bool parse_turn(char *fields, struct generation_turn *t)
{
	char *rest = NULL, *ns = strtok_r(fields, " ", &rest), *number = strtok_r(NULL, " ", &rest);

	return history_number(ns, &t->ns) && history_number(number, &t->number) && strtok_r(NULL, " ", &rest) == NULL;
}

static bool take_line(struct generation_store *s, char *line, size_t most)
{
	bool turn = strncmp(line, TURN, strlen(TURN)) == 0;
	struct generation_record g;

	if (turn)
		return s->n_turns < TURNS_KEPT && parse_turn(line + strlen(TURN), &s->turns[s->n_turns++]);
	if (!parse_line(line, &g) || s->n >= most || (s->n > 0 && g.number <= s->list[s->n - 1].number))
		return false;
	s->list[s->n++] = g;
	return true;
}

bool history_take(struct generation_store *s, char *text, size_t most)
{
	char *rest, *line = strtok_r(text, "\n", &rest);

	while (line != NULL && take_line(s, line, most))
		line = strtok_r(NULL, "\n", &rest);
	if (line != NULL)
		s->n = s->n_turns = 0;
	return line == NULL;
}

int history_read(struct generation_store *s, struct err *e)
{
	uint8_t *text;
	size_t n;
	int r = file_read(s->dirfd, "history", HISTORY_MAX, &text, &n, e);

	if (r == -ENOENT)
		return 0;
	if (file_for_now(r))
		return r;
	s->damaged = r < 0 || !history_take(s, (char *)text, GENERATIONS_KEPT);
	if (r == 0)
		free(text);
	/* If the disk fails, the damaged file stays: the confirmed generation does not depend on
	 * it. */
	s->in_the_way = s->damaged && !s->looking && file_aside(s->dirfd, "history") < 0;
	if (s->n > 0)
		s->next = s->list[s->n - 1].number + 1;
	return 0;
}
