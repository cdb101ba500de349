/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/journal/index.h"
#include "appliance/journal/segment.h"

/* The time of each file's last write; at most the time of the next file, and at most now. */
static int times_of(int dirfd, const struct segment_file *list, size_t n, uint64_t now, uint64_t *ret, struct err *e)
{
	uint64_t least = now;

	for (size_t i = n; i-- > 0;) {
		int r = segment_written(dirfd, &list[i], &ret[i], e);

		if (r < 0)
			return r;
		if (ret[i] > least)
			ret[i] = least;
		least = ret[i];
	}
	return 0;
}

/* The age of the oldest file in seconds: the difference to the clock, or the sum of the times
 * between files without long gaps, whichever is less. */
static uint64_t age(const uint64_t *times, size_t n, uint64_t now)
{
	uint64_t counted = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t gap = (i + 1 < n ? times[i + 1] : now) - times[i];

		counted += gap <= KEEP_GAP ? gap : 0;
	}
	return counted < now - times[0] ? counted : now - times[0];
}

static bool is_sound(const char *line, size_t n, uint64_t *ret_seq)
{
	uint8_t zeros[32] = { 0 }, hash[32];
	enum journal_line what = journal_line_check(line, n, zeros, hash, ret_seq);

	return what == JOURNAL_LINE_OK || what == JOURNAL_LINE_PREV;
}

/* The hash of the last record before the segment `first`: the "prev" of its first record. */
static int hash_before(int dirfd, uint64_t first, uint8_t ret[32], struct err *e)
{
	struct segment *s = NULL;
	const char *line;
	uint64_t seq = 0;
	bool whole = false, sound;
	size_t n;
	int r = segment_open(dirfd, first, SEGMENT_EITHER, 0, &s, e);

	if (s == NULL)
		return r;
	r = segment_line(s, &line, &n, &whole);
	sound = r == 1 && whole && is_sound(line, n, &seq) && seq == first && journal_line_prev(line, n, ret);
	segment_close(s);
	return sound ? 0 : err_set(e, -EBADMSG, "what follows the oldest records cannot be read; they stay");
}

int keep_due(int dirfd, uint64_t open, const struct keep_rule *rule, uint64_t now, struct keep_file *ret, struct err *e)
{
	uint32_t days = rule->delete_after_days == 0 ? 0 : rule->delete_after_days - 1;
	struct segment_file *list = NULL;
	uint64_t *times = NULL;
	size_t n;
	int r;

	if (rule->keep_days == 0 || days < rule->keep_days)
		return 0;
	r = segment_list(dirfd, &list, &n, e);
	if (r < 0)
		return r;
	if (n > 1 && list[0].first != open) {
		times = calloc(n, sizeof(*times));
		r = times == NULL ? err_set(e, -ENOMEM, "age of records") : times_of(dirfd, list, n, now, times, e);
		if (r == 0 && times != NULL && age(times, n, now) >= (uint64_t)days * KEEP_DAY) {
			*ret = (struct keep_file){ .first = list[0].first,
						   .last = list[1].first - 1,
						   .written = times[0] };
			r = segment_written(dirfd, &list[0], &ret->stamped, e);
			r = r < 0 ? r : hash_before(dirfd, list[1].first, ret->hash, e);
			r = r < 0 ? r : 1;
		}
	}
	free(times);
	free(list);
	return r;
}

int keep_delete(int dirfd, uint64_t first, struct err *e)
{
	char plain[48], packed[48];

	journal_segment_name(first, plain);
	segment_packed_name(first, packed);
	/* The packed file is deleted first, because the unpacked one is read while both exist. */
	if ((unlinkat(dirfd, packed, 0) < 0 && errno != ENOENT) || (unlinkat(dirfd, plain, 0) < 0 && errno != ENOENT))
		return err_set(e, -errno, "delete %s", plain);
	index_remove(dirfd, first);
	if (fsync(dirfd) < 0)
		return err_set(e, -errno, "sync the journal's folder");
	return 0;
}

bool keep_turns(int dirfd, uint64_t open, uint64_t now)
{
	struct segment_file *list;
	uint64_t began = 0;
	size_t n;

	if (open == 0 || segment_list(dirfd, &list, &n, NULL) < 0)
		return false;
	/* A file began when the one before it ended. When that time is unknown or in the future,
	 * the file may have any age. */
	if (n > 1 && list[n - 1].first == open && segment_written(dirfd, &list[n - 2], &began, NULL) < 0)
		began = 0;
	free(list);
	return began > now || now - began >= KEEP_DAY;
}
