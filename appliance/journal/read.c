/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/journal/index.h"
#include "appliance/journal/segment.h"

#define ANSWER_BYTES (8u << 20) /* bytes of one answer; for more, the reader asks again */
/* bytes that one question may search, because nobody else gets an answer meanwhile */
#define LOOK_BYTES (32u << 20)
#define ASK_BYTES (1u << 20) /* bytes between two checks whether the reader still waits */
#define SKIP_BYTES 8192u     /* bytes that a segment counts as when its sketch rules it out */

struct reading {
	json_t *list;
	uint64_t after, next;
	size_t left, bytes; /* records and bytes that are still wanted */
	size_t look;	    /* bytes that may still be searched */
	const struct line_filter *filter;
	const struct journal_patience *patience;
	size_t ask_at; /* value of `look` at which to check for a stop */
	bool over;
};

/* Whether the reader has left; checked after every ASK_BYTES of search. */
static bool is_over(struct reading *r)
{
	if (r->patience != NULL && !r->over && r->look <= r->ask_at) {
		r->ask_at = r->look > ASK_BYTES ? r->look - ASK_BYTES : 0;
		r->over = r->patience->over(r->patience->ctx);
	}
	return r->over;
}

/* Handles a line of a segment. False when enough was read. */
static bool line(struct reading *r, const char *text, size_t n)
{
	json_t *record;
	uint64_t seq;

	/* The number is the first member, {"seq":N, so earlier lines are skipped without parsing
	 * them. */
	if (n < 8 || memcmp(text, "{\"seq\":", 7) != 0)
		return true;
	seq = strtoull(text + 7, NULL, 10);
	if (seq <= r->after)
		return true;
	if (r->left == 0 || r->bytes < n || r->look < n || is_over(r))
		return false;
	if (r->filter != NULL && !line_filter_match(r->filter, text, n)) {
		r->look -= n;
		r->next = seq;
		return true;
	}
	record = json_loadb(text, n, 0, NULL);
	if (record == NULL)
		return true;
	json_array_append_new(r->list, record);
	r->next = seq;
	r->left--;
	r->bytes -= n;
	return r->left > 0;
}

/* Reads one segment from `offset` on. 1 = enough, 0 = its end, negative errno. */
static int segment(const struct journal *j, uint64_t first, uint64_t offset, struct reading *r)
{
	struct segment *s;
	const char *text;
	size_t n;
	bool whole;
	int ret = segment_open(j->dirfd, first, SEGMENT_EITHER, offset, &s, NULL), got;

	if (s == NULL)
		return ret;
	while (ret == 0 && (got = segment_line(s, &text, &n, &whole)) != 0) {
		if (got < 0)
			ret = got;
		else if (whole && !line(r, text, n))
			ret = 1;
	}
	segment_close(s);
	/* Damage ends the segment: what is before it was returned, what is behind it cannot be
	 * read. verify reports it. */
	return ret == -EBADMSG ? 0 : ret;
}

/* The offset in the current segment at which to begin. */
static uint64_t offset_after(const struct journal *j, uint64_t after)
{
	uint64_t offset = 0;

	for (size_t i = 0; i < j->n_marks && j->marks[i].seq <= after; i++)
		offset = j->marks[i].offset;
	return offset;
}

/* Whether the sketch shows that no record of the closed segment list[i] matches. */
static bool ruled_out(const struct journal *j, const struct segment_file *list, size_t i, struct reading *r)
{
	uint64_t last = list[i + 1].first - 1;
	struct sketch s;

	if (j->index_key == NULL || r->filter == NULL || list[i].first == j->first || r->look < SKIP_BYTES ||
	    !index_read(j->dirfd, j->index_key, list[i].first, last, &s) || sketch_may(&s, r->filter))
		return false;
	r->look -= SKIP_BYTES;
	if (is_over(r))
		return true;
	r->next = last > r->next ? last : r->next;
	return true;
}

json_t *journal_read(struct journal *j, uint64_t after, uint32_t max, const struct line_filter *filter,
		     const struct journal_patience *p, uint64_t *ret_next, struct err *e)
{
	struct reading r = { .list = json_array(),
			     .after = after,
			     .next = after,
			     .left = max,
			     .bytes = ANSWER_BYTES,
			     .look = LOOK_BYTES,
			     .filter = filter,
			     .patience = p,
			     .ask_at = LOOK_BYTES };
	struct segment_file *list;
	size_t n, from = 0;
	int code = segment_list(j->dirfd, &list, &n, e);

	if (code < 0 || r.list == NULL) {
		json_decref(r.list);
		return NULL;
	}
	/* Finds the last segment that begins at or before the wanted record. */
	while (from + 1 < n && list[from + 1].first - 1 <= after)
		from++;
	for (size_t i = from; i < n && code == 0 && max > 0 && !r.over; i++) {
		if (i + 1 < n && ruled_out(j, list, i, &r))
			continue;
		code = segment(j, list[i].first, list[i].first == j->first ? offset_after(j, after) : 0, &r);
	}
	free(list);
	code = r.over ? -ECANCELED : code;
	if (code < 0) {
		err_set(e, code, "read the journal");
		json_decref(r.list);
		return NULL;
	}
	*ret_next = r.next;
	return r.list;
}
