/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/hold.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/columns.h"

#define FILE_DAMAGED "holds.damaged"

static json_t *end_json(uint64_t seconds)
{
	return seconds < HOLD_OPEN ? json_time(seconds * 1000000000ull) : json_null();
}

static json_t *hold_json(const struct hold *h)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "number", (json_int_t)h->number, "from",
			 end_json(h->from), "until", end_json(h->until), "placed", end_json(h->placed), "person",
			 json_text(h->person), "by", h->by[0] != 0 ? json_text(h->by) : json_null(), "reason",
			 json_text(h->reason));
}

json_t *holds_json(const struct holds *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->n; i++)
		json_array_append_new(list, hold_json(&h->list[i]));
	return list;
}

/* ---- the file -------------------------------------------------------------------------------- */

#define HOLD(member, kind, least, most) COLUMN(#member, struct hold, member, COLUMN_##kind, least, most)
static const struct column hold_table[] = { HOLD(number, NUMBER, 1, UINT32_MAX),
					    HOLD(from, NUMBER, 0, INT64_MAX),
					    HOLD(until, NUMBER, 0, INT64_MAX),
					    HOLD(placed, NUMBER, 0, INT64_MAX),
					    HOLD(by, TEXT, 0, 0),
					    HOLD(person, TEXT, 0, 0),
					    HOLD(reason, TEXT, 0, 0) };
static const struct columns hold_columns = COLUMNS(hold_table, struct hold);

static const struct column holds_table[] = { COLUMN("last", struct holds, last, COLUMN_NUMBER, 0, UINT32_MAX),
					     COLUMN_LIST("holds", struct holds, list, n, &hold_columns) };
static const struct columns holds_columns = COLUMNS(holds_table, struct holds);

static bool holds_are_sound(const void *holds)
{
	const struct holds *h = holds;

	for (size_t i = 0; i < h->n; i++)
		if (h->list[i].number > h->last || h->list[i].until < h->list[i].from)
			return false;
	return true;
}

static const struct columns_file holds_file = { "holds", "holds", 65536u, &holds_columns, holds_are_sound };

enum found { FOUND_NONE, FOUND_SOUND, FOUND_DAMAGED };

static enum found file_find(int dirfd, struct holds *ret)
{
	uint8_t *text = NULL;
	bool sound;
	size_t n;
	int r = file_read(dirfd, holds_file.name, holds_file.most, &text, &n, NULL);

	if (r == -ENOENT)
		return FOUND_NONE;
	sound = r == 0 && columns_read(&holds_file, text, n, ret);
	free(text);
	return sound ? FOUND_SOUND : FOUND_DAMAGED;
}

/* Adds a hold on everything unless there is one. When the list is full, the last hold that a person
 * placed is dropped: the new one covers it. */
static void hold_everything(struct holds *h)
{
	struct hold *all;

	for (size_t i = 0; i < h->n; i++)
		if (h->list[i].from == 0 && h->list[i].until == HOLD_OPEN)
			return;
	h->n -= h->n == HOLDS_MOST;
	all = holds_place(h);
	all->until = HOLD_OPEN;
	snprintf(all->reason, sizeof(all->reason), "the file of holds could not be read");
}

bool holds_load(const int *folders, size_t n, struct holds *ret)
{
	enum found found[HOLD_FOLDERS] = { FOUND_NONE };
	struct holds each[HOLD_FOLDERS] = { 0 };
	bool wrong = false;
	size_t of = 0;

	for (size_t i = 0; i < n; i++)
		found[i] = file_find(folders[i], &each[i]);
	/* The first copy is written first, so it is never the older one. If it is missing, the
	 * other copy shows that there was a list. */
	for (size_t i = n; i-- > 0;) {
		wrong |= found[i] == FOUND_DAMAGED || (i > 0 && found[i] != FOUND_NONE && found[0] == FOUND_NONE);
		if (found[i] == FOUND_SOUND)
			of = i;
	}
	*ret = found[of] == FOUND_SOUND ? each[of] : (struct holds){ 0 };
	if (wrong)
		hold_everything(ret);
	return wrong;
}

/* Keeps the damaged file for a later look, if that is possible. */
static void keep_damaged(int dirfd)
{
	struct holds ignored;
	uint8_t *text = NULL;
	size_t n;

	if (file_find(dirfd, &ignored) == FOUND_DAMAGED &&
	    file_read(dirfd, holds_file.name, holds_file.most, &text, &n, NULL) == 0)
		(void)atomic_write(dirfd, FILE_DAMAGED, text, n, NULL);
	free(text);
}

int holds_save(const int *folders, size_t n, const struct holds *h, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		keep_damaged(folders[i]);
		r = columns_save(&holds_file, folders[i], h, e);
	}
	return r;
}

/* ---- the list -------------------------------------------------------------------------------- */

struct hold *holds_place(struct holds *h)
{
	struct hold *o = &h->list[h->n];

	if (h->n == HOLDS_MOST || h->last == UINT32_MAX)
		return NULL;
	h->n++;
	*o = (struct hold){ .number = ++h->last, .placed = clock_wall_s() };
	return o;
}

const struct hold *holds_find(const struct holds *h, uint32_t number)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->list[i].number == number)
			return &h->list[i];
	return NULL;
}

bool holds_lift(struct holds *h, uint32_t number)
{
	const struct hold *found = holds_find(h, number);
	size_t at;

	if (found == NULL)
		return false;
	at = (size_t)(found - h->list);
	memmove(&h->list[at], &h->list[at + 1], (--h->n - at) * sizeof(h->list[0]));
	return true;
}

const struct hold *holds_cover(const struct holds *h, uint64_t from, uint64_t until)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct hold *o = &h->list[i];

		if ((until >= o->from || o->from - until <= HOLD_MARGIN) &&
		    (from <= o->until || from - o->until <= HOLD_MARGIN))
			return o;
	}
	return NULL;
}
