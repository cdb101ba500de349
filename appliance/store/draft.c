/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/columns.h"
#include "appliance/base/json_each.h"
#include "appliance/base/sha256.h"
#include "appliance/base/utf8.h"

#define NAME "draft"
#define LINE 65u /* bytes: the digest in hex and a line end */
#define HEAD_MOST 16384u
#define FILE_MOST (LINE + HEAD_MOST + CHANGE_TEXTS_MOST)

static const char *const states[DRAFT_STATES] = { [DRAFT_NONE] = "none",
						  [DRAFT_WRITTEN] = "draft",
						  [DRAFT_ASKED] = "asked",
						  [DRAFT_APPROVED] = "approved",
						  [DRAFT_APPLIED] = "applied" };

const char *draft_state_name(enum draft_state s)
{
	return states[s];
}

void draft_undecided(struct draft *d)
{
	d->state = DRAFT_WRITTEN;
	d->decided_by[0] = d->decision[0] = '\0';
	d->decided_ns = d->ran_out = 0;
}

/* Whether a draft can be applied again after its trial ran out: it was approved, this was its first
 * trial, its base is in force again, and nothing was applied meanwhile. */
static bool may_be_tried_again(const struct draft *d, const struct generation_record *g, uint64_t newest,
			       uint64_t in_force)
{
	return g->why == WHY_TIMEOUT && d->decided_by[0] != '\0' && d->ran_out == 0 && d->base == in_force &&
	       g->number == newest;
}

enum draft_turn draft_settle(struct draft *d, const struct generation_record *g, uint64_t newest, uint64_t in_force)
{
	bool asked = d->state == DRAFT_ASKED || d->state == DRAFT_APPROVED;

	if (d->state == DRAFT_APPLIED && (g == NULL || g->state == GEN_REVERTED)) {
		/* If the generation is still in force, the draft counts as applied until another
		 * one is. */
		if (g != NULL && g->why == WHY_TIMEOUT && g->number == in_force)
			return DRAFT_STAYS;
		if (g != NULL && may_be_tried_again(d, g, newest, in_force)) {
			d->state = DRAFT_APPROVED;
			d->ran_out = g->number;
			d->generation = 0;
			return DRAFT_KEEPS;
		}
		draft_undecided(d);
		d->generation = 0;
		return DRAFT_FALLS;
	}
	if (!asked || (d->base == in_force && (d->ran_out == 0 || d->ran_out == newest)))
		return DRAFT_STAYS;
	draft_undecided(d);
	return DRAFT_FALLS;
}

void draft_texts(struct draft *d, uint8_t *texts, size_t n)
{
	free(d->texts);
	d->texts = texts;
	d->n_texts = n;
	sha256(texts, n, d->digest);
}

bool draft_has_author(const struct draft *d, const char *name)
{
	for (uint32_t i = 0; i < d->n_authors; i++)
		if (strcmp(d->authors[i], name) == 0)
			return true;
	return false;
}

/* ---- the members of the head ----------------------------------------------------------------- */

static json_t *authors_put(const void *draft)
{
	const struct draft *d = draft;
	json_t *list = json_array();

	for (uint32_t i = 0; i < d->n_authors; i++)
		json_array_append_new(list, json_text(d->authors[i]));
	return json_list_whole(list, d->n_authors);
}

static bool authors_take(const json_t *list, void *draft)
{
	struct draft *d = draft;

	if (!json_is_array(list) || json_array_size(list) > DRAFT_AUTHORS)
		return false;
	json_each_at(i, v, list) {
		size_t n = json_string_length(v);

		if (n == 0 || n >= BY_BYTES)
			return false;
		memcpy(d->authors[i], json_string_value(v), n + 1);
	}
	d->n_authors = (uint32_t)json_array_size(list);
	return true;
}

static json_t *comment_put(const void *text)
{
	return json_text(text);
}

/* An older release may have kept control characters in a comment. */
static bool comment_take(const json_t *j, void *ret)
{
	if (!json_is_string(j) || json_string_length(j) >= COMMENT_BYTES)
		return false;
	utf8_plain(json_string_value(j), ret, COMMENT_BYTES);
	return true;
}

#define NUMBER(member, least) COLUMN(#member, struct draft, member, COLUMN_NUMBER, least, INT64_MAX)
#define TEXT(member) COLUMN(#member, struct draft, member, COLUMN_TEXT, 0, 0)
#define COMMENT(member) COLUMN_BY(#member, struct draft, member, comment_put, comment_take)
static const struct column head_table[] = { COLUMN_ONE_OF("state", struct draft, state, states, DRAFT_STATES),
					    NUMBER(revision, 0), NUMBER(base, 0), NUMBER(generation, 0),
					    COLUMN_OF_ROW("authors", authors_put, authors_take), TEXT(by),
					    TEXT(decided_by), COMMENT(comment), COMMENT(decision), NUMBER(saved_ns, 0),
					    NUMBER(decided_ns, 0),
					    /* Written only if it is needed, so that an older
					     * release can read all other drafts. */
					    NUMBER(ran_out, 1) };

/* The columns of a head, with `ran_out` or without it. */
static struct columns head_columns(bool ran_out)
{
	return (struct columns){ head_table, sizeof(head_table) / sizeof(head_table[0]) - !ran_out,
				 sizeof(struct draft) };
}

/* ---- writing --------------------------------------------------------------------------------- */

int draft_save(int statefd, const struct draft *d, struct err *e)
{
	const struct columns columns = head_columns(d->ran_out != 0);
	json_t *j = columns_json(&columns, d);
	char *head = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
	size_t n_head = head != NULL ? strlen(head) : 0, n = LINE + n_head + 1 + d->n_texts;
	uint8_t *file = head != NULL ? malloc(n) : NULL, digest[32];
	int r;

	json_decref(j);
	if (file == NULL) {
		free(head);
		return err_set(e, -ENOMEM, "draft");
	}
	/* A line end replaces the head's closing zero. */
	memcpy(file + LINE, head, n_head + 1);
	file[LINE + n_head] = '\n';
	if (d->n_texts > 0)
		memcpy(file + LINE + n_head + 1, d->texts, d->n_texts);
	sha256(file + LINE, n - LINE, digest);
	hex_text(digest, sizeof(digest), (char *)file);
	file[LINE - 1] = '\n';
	r = atomic_write(statefd, NAME, file, n, e);
	free(file);
	free(head);
	return r;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Whether the parts fit together: a draft has an author, texts and a revision, an applied one has a
 * generation, and one that may be tried once more has an approver. */
static bool makes_sense(const struct draft *d)
{
	bool there = d->state != DRAFT_NONE;

	return there == (d->n_texts > 0) && (!there || (d->n_authors > 0 && d->revision > 0)) &&
	       (d->state != DRAFT_APPLIED || d->generation > 0) &&
	       (d->ran_out == 0 ||
		((d->state == DRAFT_APPROVED || d->state == DRAFT_APPLIED) && d->decided_by[0] != '\0'));
}

static int draft_parse(const uint8_t *file, size_t n, struct draft *ret)
{
	const uint8_t *line = n > LINE ? file + LINE : NULL, *end;
	uint8_t digest[32], *texts;
	struct columns columns;
	char hex[65];
	json_error_t why;
	json_t *j;
	bool ok;

	end = line != NULL ? memchr(line, '\n', n - LINE) : NULL;
	if (end == NULL || file[LINE - 1] != '\n')
		return -EBADMSG;
	sha256(line, n - LINE, digest);
	hex_text(digest, sizeof(digest), hex);
	if (memcmp(hex, file, LINE - 1) != 0)
		return -EBADMSG;
	j = json_loadb((const char *)line, (size_t)(end - line), JSON_REJECT_DUPLICATES, &why);
	if (j == NULL)
		return json_error_code(&why) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
	ret->n_texts = n - (size_t)(end + 1 - file);
	columns = head_columns(json_object_get(j, "ran_out") != NULL);
	ok = columns_parse(&columns, j, 0, ret) && makes_sense(ret);
	json_decref(j);
	texts = ok && ret->n_texts > 0 ? malloc(ret->n_texts) : NULL;
	if (!ok || (ret->n_texts > 0 && texts == NULL))
		return ok ? -ENOMEM : -EBADMSG;
	if (texts != NULL) {
		memcpy(texts, end + 1, ret->n_texts);
		draft_texts(ret, texts, ret->n_texts);
	}
	return 0;
}

int draft_open(int statefd, struct draft *ret, bool *ret_lost, struct err *e)
{
	uint8_t *file = NULL;
	size_t n = 0;
	int r;

	*ret = (struct draft){ 0 };
	*ret_lost = false;
	r = file_read(statefd, NAME, FILE_MOST, &file, &n, e);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = draft_parse(file, n, ret);
	free(file);
	if (r == 0)
		return 0;
	*ret = (struct draft){ 0 };
	if (file_for_now(r))
		return r;
	*ret_lost = true;
	/* The file is kept under another name only if it is damaged. Otherwise the next start may
	 * be able to read it. The box works without a draft, even if a damaged one cannot
	 * be moved. */
	if (r == -EBADMSG || file_none(r))
		file_aside(statefd, NAME);
	return 0;
}
