/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/report/tally.h"

#include <stdlib.h>
#include <string.h>

void tally_open(struct tally *t)
{
	t->rows = json_array();
	t->places = json_object();
}

json_t *tally_close(struct tally *t)
{
	json_t *rows = t->rows;

	json_decref(t->places);
	*t = (struct tally){ NULL, NULL };
	return rows;
}

static json_t *row_of(struct tally *t, const char *key, json_t *fresh)
{
	json_t *place = json_object_get(t->places, key);

	if (place == NULL && json_array_size(t->rows) >= TALLY_ROWS) {
		key = "";
		place = json_object_get(t->places, key);
		json_decref(fresh);
		fresh = place == NULL ? json_pack("{s:b}", "more", 1) : NULL;
	}
	if (place != NULL) {
		json_decref(fresh);
		return json_array_get(t->rows, (size_t)json_integer_value(place));
	}
	if (fresh == NULL ||
	    json_object_set_new(t->places, key, json_integer((json_int_t)json_array_size(t->rows))) < 0) {
		json_decref(fresh);
		return NULL;
	}
	(void)json_array_append_new(t->rows, fresh);
	return fresh;
}

static void grow(json_t *row, const char *key, unsigned long long n)
{
	(void)json_object_set_new(row, key, json_integer((json_int_t)(ju(row, key) + n)));
}

void tally_add(struct tally *t, const char *key, json_t *fresh, unsigned long long count, const char *when)
{
	json_t *row = row_of(t, key, fresh);

	if (row == NULL)
		return;
	grow(row, "count", count > 0 ? count : 1);
	grow(row, "records", 1);
	if (*js(row, "first") == '\0' || strcmp(when, js(row, "first")) < 0)
		(void)json_object_set_new(row, "first", json_text(when));
	if (strcmp(when, js(row, "last")) > 0)
		(void)json_object_set_new(row, "last", json_text(when));
}

struct counted {
	json_t *row; /* borrowed */
	unsigned long long count;
	size_t at; /* position of its first occurrence, which orders equal ones */
};

static int by_count(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->at > y->at ? 1 : -1;
}

void tally_sort(struct tally *t)
{
	size_t n = json_array_size(t->rows);
	struct counted *list = calloc(n > 0 ? n : 1, sizeof(*list));
	json_t *sorted = json_array();

	if (list == NULL || sorted == NULL) {
		free(list);
		json_decref(sorted);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		list[i].at = i;
		list[i].row = json_array_get(t->rows, i);
		list[i].count = ju(list[i].row, "count");
	}
	qsort(list, n, sizeof(*list), by_count);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append(sorted, list[i].row);
	free(list);
	json_decref(t->rows);
	t->rows = sorted;
}

void tally_keep(json_t *list, unsigned long long *more, const json_t *j)
{
	if (json_array_size(list) < TALLY_ROWS)
		(void)json_array_append_new(list, json_deep_copy(j));
	else
		++*more;
}
