/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/generation.h"

#include <errno.h>
#include <stdlib.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/columns.h"

/* The file `history` of the store. Only the store reads and writes it; generation.c decides about
 * the states. */

static const char *const state_names[] = {
	[GEN_WAITING] = "waiting",
	[GEN_CONFIRMED] = "confirmed",
	[GEN_REVERTED] = "reverted",
};

const char *generation_state_name(enum generation_state s)
{
	return (unsigned)s < 3 ? state_names[s] : "unknown";
}

static const char *const why_names[WHY_COUNT] = {
#define WHY(id, word) [id] = (word),
#include "appliance/wire/why.def"
};

const char *generation_why_name(enum generation_why w)
{
	return (unsigned)w < WHY_COUNT ? why_names[w] : "unknown";
}

#define G(column, member, kind) COLUMN(column, struct generation_record, member, kind, 0, 0)
static const struct column record_columns[] = {
	G("number", number, COLUMN_BITS),
	G("digest", digest, COLUMN_HEX),
	G("applied", applied_ns, COLUMN_BITS),
	COLUMN_ONE_OF("state", struct generation_record, state, state_names, 3),
	G("by", by, COLUMN_TEXT),
	G("before", before, COLUMN_BITS),
	COLUMN_ONE_OF("why", struct generation_record, why, why_names, WHY_COUNT),
	G("changed", changed_ns, COLUMN_BITS),
	G("changed_by", changed_by, COLUMN_TEXT),
	G("other", other, COLUMN_BITS),
	G("comment", comment, COLUMN_TEXT),
	G("changed_comment", changed_comment, COLUMN_TEXT),
	G("meant_en", meant.text[LANG_EN], COLUMN_TEXT),
	G("meant_ja", meant.text[LANG_JA], COLUMN_TEXT),
};
static const struct columns records = COLUMNS(record_columns, struct generation_record);

static const struct column turn_columns[] = {
	COLUMN("from", struct generation_turn, ns, COLUMN_BITS, 0, 0),
	COLUMN("number", struct generation_turn, number, COLUMN_BITS, 0, 0),
};
static const struct columns turns = COLUMNS(turn_columns, struct generation_turn);

static const struct column columns_of_history[] = {
	COLUMN_LIST("generations", struct generation_store, list, n, &records),
	COLUMN_LIST("in_force", struct generation_store, turns, n_turns, &turns),
};
static const struct columns history = COLUMNS(columns_of_history, struct generation_store);
static const struct columns_file file = { "history", "history", HISTORY_MAX, &history, NULL };

json_t *history_json(const struct generation_store *s)
{
	return columns_json(&history, s);
}

int history_write(struct generation_store *s, struct err *e)
{
	int r;

	s->changes++;
	s->unsaved = true;
	if (s->in_the_way && file_aside(s->dirfd, file.name) == 0)
		s->in_the_way = false;
	r = columns_save(&file, s->dirfd, s, e);
	s->unsaved = r < 0;
	s->in_the_way = s->in_the_way && s->unsaved;
	return r;
}

/* Whether the numbers rise, from 1. */
static bool numbers_rise(const struct generation_store *s)
{
	uint64_t last = 0;

	for (size_t i = 0; i < s->n; last = s->list[i++].number)
		if (s->list[i].number <= last || s->list[i].number == UINT64_MAX)
			return false;
	return true;
}

bool history_take(struct generation_store *s, const json_t *j, size_t most)
{
	if (columns_parse(&history, j, 0, s) && s->n <= most && numbers_rise(s))
		return true;
	s->n = s->n_turns = 0;
	return false;
}

int history_read(struct generation_store *s, struct err *e)
{
	uint8_t *text = NULL;
	size_t n;
	int r = file_read(s->dirfd, file.name, HISTORY_MAX, &text, &n, e);
	json_t *j;

	if (r == -ENOENT)
		return 0;
	if (file_for_now(r))
		return r;
	j = r == 0 ? json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	s->damaged = !history_take(s, j, GENERATIONS_KEPT);
	json_decref(j);
	free(text);
	/* If the disk fails, the damaged file stays: the confirmed generation does not depend on
	 * it. */
	s->in_the_way = s->damaged && !s->looking && file_aside(s->dirfd, file.name) < 0;
	if (s->n > 0)
		s->next = s->list[s->n - 1].number + 1;
	return 0;
}
