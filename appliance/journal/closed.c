/* SPDX-License-Identifier: Apache-2.0 */
#define ZLIB_CONST
#include "appliance/journal/closed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "appliance/journal/search.h"
#include "appliance/journal/segment.h"

#define LEVEL 6
#define GZIP_WINDOW (15 + 16) /* zlib: the largest window, gzip format */
#define MEMORY 8
/* the file that is being packed: one at a time, under a name that no segment can have */
#define NEW_NAME "packed.new"

enum act { ACT_WRITE, ACT_SYNC, ACT_COMPARE, ACT_NAME, ACT_KEEP, ACT_REMOVE };

struct pack {
	enum act next;
	uint64_t first;
	/* the packed file has its final name already, because the last run stopped before it
	 * deleted the unpacked file */
	bool named;
	int from, to;
	bool deflating;
	z_stream z;
	gz_header header;
	struct segment *plain, *packed; /* in the last stage: both files are read and compared */
	uint8_t in[PACK_STEP_BYTES], out[PACK_STEP_BYTES];
};

static void forget_files(struct pack *p)
{
	if (p->from >= 0)
		close(p->from);
	if (p->to >= 0)
		close(p->to);
	if (p->deflating)
		deflateEnd(&p->z);
	segment_close(p->plain);
	segment_close(p->packed);
	p->from = p->to = -1;
	p->deflating = false;
	p->plain = p->packed = NULL;
}

void pack_forget(struct pack **p)
{
	if (*p == NULL)
		return;
	forget_files(*p);
	free(*p);
	*p = NULL;
}

void pack_drop(struct pack **p, int dirfd)
{
	pack_forget(p);
	unlinkat(dirfd, NEW_NAME, 0);
}

/* ---- beginning ------------------------------------------------------------------------------- */

/* A file that is longer than any segment is left alone: once it is packed, it could not be read. */
static bool too_long(int dirfd, uint64_t first)
{
	struct stat st;
	char name[48];

	journal_segment_name(first, name);
	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	       (uint64_t)st.st_size > SEGMENT_MOST;
}

/* Finds the oldest segment before `open` that has a plain file: 1 = found, 0 = none, or negative
 * errno. */
static int choose_segment(int dirfd, uint64_t open, struct segment_file *ret, struct err *e)
{
	struct segment_file *list;
	size_t n;
	int r = segment_list(dirfd, &list, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0 && (open == 0 || list[i].first < open); i++) {
		if (!list[i].plain || too_long(dirfd, list[i].first))
			continue;
		*ret = list[i];
		r = 1;
	}
	free(list);
	return r;
}

static int begin_write(struct pack *p, int dirfd, struct err *e)
{
	struct stat st;
	char name[48];

	journal_segment_name(p->first, name);
	p->from = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (p->from < 0 || fstat(p->from, &st) < 0)
		return err_set(e, -errno, "open %s", name);
	p->to = openat(dirfd, NEW_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->to < 0)
		return err_set(e, -errno, "make " NEW_NAME);
	p->deflating = deflateInit2(&p->z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
	/* 3 = Unix (RFC 1952, 2.3.1) */
	p->header = (gz_header){ .time = (uLong)st.st_mtim.tv_sec, .os = 3 };
	if (!p->deflating || deflateSetHeader(&p->z, &p->header) != Z_OK)
		return err_set(e, -ENOMEM, "pack %s", name);
	p->next = ACT_WRITE;
	return 1;
}

static int begin_compare(struct pack *p, int dirfd, struct err *e)
{
	int r = segment_open(dirfd, p->first, SEGMENT_PLAIN, 0, &p->plain, e);

	if (r < 0)
		return r;
	if (p->named) {
		r = segment_open(dirfd, p->first, SEGMENT_PACKED, 0, &p->packed, e);
	} else {
		int fd = openat(dirfd, NEW_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

		r = fd < 0 ? err_set(e, -errno, "open " NEW_NAME) : segment_open_packed(fd, &p->packed, e);
	}
	p->next = ACT_COMPARE;
	return r < 0 ? r : 1;
}

static int pack_begin(struct pack **ret, int dirfd, uint64_t open, struct err *e)
{
	struct segment_file file = { 0 };
	struct pack *p;
	int r = choose_segment(dirfd, open, &file, e);

	if (r <= 0)
		return r;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return err_set(e, -ENOMEM, "pack a segment of the journal");
	*ret = p;
	p->first = file.first;
	p->from = p->to = -1;
	p->named = file.packed;
	return p->named ? begin_compare(p, dirfd, e) : begin_write(p, dirfd, e);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static int put_packed(struct pack *p, struct err *e)
{
	size_t n = sizeof(p->out) - p->z.avail_out;
	ssize_t w = n > 0 ? write(p->to, p->out, n) : 0;

	if (w != (ssize_t)n)
		return err_set(e, w < 0 ? -errno : -ENOSPC, "write " NEW_NAME);
	return 0;
}

static int act_write(struct pack *p, struct err *e)
{
	ssize_t n = read(p->from, p->in, sizeof(p->in));
	int flush = n == 0 ? Z_FINISH : Z_NO_FLUSH, r = 0;

	if (n < 0)
		return err_set(e, -errno, "read a segment of the journal");
	p->z.next_in = p->in;
	p->z.avail_in = (uInt)n;
	do {
		p->z.next_out = p->out;
		p->z.avail_out = sizeof(p->out);
		if (deflate(&p->z, flush) == Z_STREAM_ERROR)
			return err_set(e, -EIO, "pack a segment of the journal");
		r = put_packed(p, e);
	} while (r == 0 && p->z.avail_out == 0);
	if (n == 0)
		p->next = ACT_SYNC;
	return r < 0 ? r : 1;
}

static int act_sync(struct pack *p, int dirfd, struct err *e)
{
	if (fsync(p->to) < 0)
		return err_set(e, -errno, "sync " NEW_NAME);
	forget_files(p);
	return begin_compare(p, dirfd, e);
}

static int act_compare(struct pack *p, int dirfd, struct err *e)
{
	int r = segment_same(p->plain, p->packed, PACK_STEP_BYTES);

	if (r == 1)
		return 1;
	forget_files(p);
	if (r == 0) {
		p->next = p->named ? ACT_KEEP : ACT_NAME;
		return 1;
	}
	if (r != -EBADMSG || !p->named)
		return err_set(e, r, "compare a packed segment of the journal");
	/* The packed file differs from its segment: it is replaced, because the unpacked file is
	 * the valid one. */
	p->named = false;
	return begin_write(p, dirfd, e);
}

static int act_name(struct pack *p, int dirfd, struct err *e)
{
	char name[48];

	segment_packed_name(p->first, name);
	if (renameat(dirfd, NEW_NAME, dirfd, name) < 0)
		return err_set(e, -errno, "make %s", name);
	p->next = ACT_KEEP;
	return 1;
}

static int act_remove(struct pack *p, int dirfd, struct err *e)
{
	char name[48];

	journal_segment_name(p->first, name);
	if (unlinkat(dirfd, name, 0) < 0)
		return err_set(e, -errno, "remove %s, which is packed", name);
	return 0;
}

static int act(struct pack *p, int dirfd, struct err *e)
{
	switch (p->next) {
	case ACT_WRITE:
		return act_write(p, e);
	case ACT_SYNC:
		return act_sync(p, dirfd, e);
	case ACT_COMPARE:
		return act_compare(p, dirfd, e);
	case ACT_NAME:
		return act_name(p, dirfd, e);
	case ACT_KEEP:
		/* The packed file's name is on the disk before the unpacked file is deleted. */
		if (fsync(dirfd) < 0)
			return err_set(e, -errno, "sync the journal's folder");
		p->next = ACT_REMOVE;
		return 1;
	case ACT_REMOVE:
		return act_remove(p, dirfd, e);
	}
	return -EINVAL;
}

int pack_step(struct pack **p, int dirfd, uint64_t open, struct err *e)
{
	int r = *p == NULL ? pack_begin(p, dirfd, open, e) : act(*p, dirfd, e);

	if (r == 1 || *p == NULL)
		return r;
	if (r < 0) {
		pack_drop(p, dirfd);
		return r;
	}
	pack_forget(p);
	return 1; /* there may be another segment */
}

/* ---- which file may be deleted, and when a new one begins ------------------------------------ */

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
