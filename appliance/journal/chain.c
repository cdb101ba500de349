/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/journal/segment.h"

/* group-readable: the program that sends records to the log server is in the group */
#define SEGMENT_MODE 0640

/* ---- recovery -------------------------------------------------------------------------------- */

static void mark_position(struct journal *j, uint64_t seq, uint64_t offset)
{
	if (seq % JOURNAL_MARK_EACH != 0 && j->n_marks > 0)
		return;
	if (j->n_marks == j->room_marks) {
		size_t room = j->room_marks == 0 ? 256 : j->room_marks * 2;
		struct journal_mark *more = reallocarray(j->marks, room, sizeof(*more));

		if (more == NULL)
			return; /* without the marks reading is slower, not wrong */
		j->marks = more;
		j->room_marks = room;
	}
	j->marks[j->n_marks++] = (struct journal_mark){ seq, offset };
}

struct head {
	uint64_t seq; /* 0 = none */
	uint8_t hash[32];
	/* there: the file is not empty; met: the log has the line of that number with that hash */
	bool there, met;
};

static struct head read_head(int fd)
{
	struct head h = { 0 };
	char text[96];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	h.there = n > 0;
	if (n <= 0 || !journal_head_parse(text, (size_t)n, &h.seq, h.hash))
		h.seq = 0;
	return h;
}

/*
 * Reads the current segment and returns the position where its last valid line ends. That line's
 * number and hash go to *j. An invalid line that valid ones follow is not a torn end but was
 * edited: it stays, and verify reports it.
 */
static size_t walk_segment(struct journal *j, const char *text, size_t n, struct head *head)
{
	size_t at = 0, sound = 0;

	while (at < n) {
		const char *end = memchr(text + at, '\n', n - at);
		enum journal_line what;
		uint8_t hash[32];
		uint64_t seq;

		if (end == NULL)
			break;
		what = journal_line_check(text + at, (size_t)(end - (text + at)), j->hash, hash, &seq);
		if (what == JOURNAL_LINE_OK || what == JOURNAL_LINE_PREV) {
			mark_position(j, seq, at);
			memcpy(j->hash, hash, sizeof(j->hash));
			j->next_seq = seq + 1;
			if (seq == head->seq)
				head->met = memcmp(hash, head->hash, sizeof(hash)) == 0;
			sound = (size_t)(end - text) + 1;
		}
		at = (size_t)(end - text) + 1;
	}
	return sound;
}

/* Stores the bytes in a file of their own. If the disk is full, that file is removed again. */
static int keep_aside(int dirfd, const char *name, const char *text, size_t n, struct err *e)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), code = 0;
	ssize_t w;

	if (fd < 0)
		return err_set(e, -errno, "make %s", name);
	w = write(fd, text, n);
	if (w != (ssize_t)n)
		code = w < 0 ? -errno : -ENOSPC;
	else if (fsync(fd) < 0 || fsync(dirfd) < 0)
		code = -errno;
	close(fd);
	if (code == 0)
		return 0;
	unlinkat(dirfd, name, 0);
	return err_set(e, code, "write %s", name);
}

/*
 * Moves what follows the last valid line to a file of its own and cuts the segment there. `cut`: if
 * that file cannot be written, bytes that are less than a line are deleted all the same.
 */
static int set_aside(struct journal *j, const char *text, size_t from, size_t n, bool cut, bool *ret_gone,
		     struct err *e)
{
	char name[80];
	int r;

	snprintf(name, sizeof(name), "torn-%020" PRIu64 "-%" PRIu64, j->next_seq, clock_wall_ns());
	r = keep_aside(j->dirfd, name, text + from, n - from, e);
	if (r < 0 && !(cut && n - from <= JOURNAL_LINE_MAX && memchr(text + from, '\n', n - from) == NULL))
		return r;
	*ret_gone = r < 0;
	if (ftruncate(j->fd, (off_t)from) < 0 || fsync(j->fd) < 0)
		return err_set(e, -errno, "cut the torn end of the journal");
	return 0;
}

static void close_segment(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
	j->first = 0;
	j->n_marks = 0;
}

static int open_segment(struct journal *j, uint64_t first, int flags, struct err *e)
{
	char name[48];

	journal_segment_name(first, name);
	close_segment(j);
	j->fd = openat(j->dirfd, name, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	if (j->fd < 0 || fchmod(j->fd, SEGMENT_MODE) < 0)
		return err_set(e, -errno, "open %s", name);
	j->first = first;
	j->size = 0;
	/* The folder is synced too: otherwise a power cut could lose the whole new file. */
	if ((flags & O_CREAT) != 0 && fsync(j->dirfd) < 0) {
		int code = -errno;

		close_segment(j);
		return err_set(e, code, "sync the journal's folder");
	}
	return 0;
}

/* Makes unpacked segments readable for the group, so that they can be sent to the log server; an
 * older release may have made them unreadable. One that cannot be opened is skipped; verify reports
 * it. */
static void let_group_read(int dirfd, const struct segment_file *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char name[48];
		struct stat st;
		int fd;

		if (!list[i].plain)
			continue;
		journal_segment_name(list[i].first, name);
		fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0)
			continue;
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) != SEGMENT_MODE)
			fchmod(fd, SEGMENT_MODE);
		close(fd);
	}
}

/* Reads one segment. An unpacked one becomes the current segment until the next is read; a packed
 * one is closed. Only the last one may have a torn end. */
static int take_segment(struct journal *j, const struct segment_file *file, bool last, bool cut, struct head *head,
			struct journal_recovery *found, struct err *e)
{
	size_t sound, n;
	char *text = NULL;
	off_t all = 0;
	int r = file->plain ? open_segment(j, file->first, 0, e) : 0;

	if (r == 0)
		r = segment_whole(j->dirfd, file->first, &text, &n, e);
	if (text == NULL)
		return r;
	if (!file->plain)
		close_segment(j);
	else
		all = lseek(j->fd, 0, SEEK_END);
	sound = walk_segment(j, text, n, head);
	/* Bytes beyond the largest possible segment are only counted, not kept. */
	if (last && file->plain && (off_t)sound < all) {
		found->torn_bytes += (uint64_t)all - sound;
		r = set_aside(j, text, sound, n, cut, &found->torn_gone, e);
	}
	j->size = sound;
	free(text);
	return r;
}

/* Compares the log with its head: the log must have the record of that number with the same hash.
 * `from`: the first line that was read. */
static void compare_head(struct journal *j, const struct head *head, uint64_t from, struct journal_recovery *found)
{
	bool lines = j->next_seq > 1;

	found->headless = lines && !head->there;
	found->empty = !lines && !head->there;
	if (head->there && head->seq == 0) {
		found->another_head = true;
	} else if (head->seq >= j->next_seq) {
		found->missing = head->seq + 1 - j->next_seq;
		j->next_seq = head->seq + 1; /* no number is given twice */
	} else if (head->seq >= from && !head->met) {
		found->another_head = true;
	}
}

static int open_chain(int dirfd, bool cut, struct journal *j, struct journal_recovery *ret, struct err *e)
{
	struct head head = { 0 };
	struct segment_file *list;
	uint64_t from = 1;
	size_t n;
	int r;

	*j = (struct journal){ .dirfd = dirfd, .fd = -1, .head_fd = -1, .next_seq = 1 };
	*ret = (struct journal_recovery){ 0 };
	r = segment_list(dirfd, &list, &n, e);
	if (r < 0)
		return r;
	j->head_fd = openat(dirfd, "head", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->head_fd < 0)
		r = err_set(e, -errno, "open the journal's head");
	else
		head = read_head(j->head_fd);
	if (n > 0)
		from = list[n > 1 ? n - 2 : 0].first;
	let_group_read(dirfd, list, n);
	/* The last two segments are read: if the newest has no valid line, the one before it gives
	 * the last hash, and the newest begins anew. */
	for (size_t i = n > 1 ? n - 2 : 0; i < n && r == 0; i++) {
		if (j->next_seq < list[i].first)
			j->next_seq = list[i].first;
		r = take_segment(j, &list[i], i + 1 == n, cut, &head, ret, e);
	}
	free(list);
	if (r == 0)
		compare_head(j, &head, from, ret);
	if (r < 0)
		journal_close(j);
	return r;
}

int journal_open(int dirfd, struct journal *j, struct journal_recovery *ret, struct err *e)
{
	return open_chain(dirfd, false, j, ret, e);
}

int journal_open_without_room(int dirfd, struct journal *j, struct journal_recovery *ret, struct err *e)
{
	return open_chain(dirfd, true, j, ret, e);
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	if (j->head_fd >= 0)
		close(j->head_fd);
	free(j->marks);
	*j = (struct journal){ .fd = -1, .head_fd = -1 };
}

/* ---- writing --------------------------------------------------------------------------------- */

static int new_segment(struct journal *j, struct err *e)
{
	int r = j->fd >= 0 ? journal_sync(j, e) : 0;

	return r < 0 ? r : open_segment(j, j->next_seq, O_CREAT, e);
}

/* Writes the whole line, or leaves the file as it was. */
static int write_line(struct journal *j, const char *line, size_t n, struct err *e)
{
	ssize_t w = write(j->fd, line, n);
	int code;

	if (w == (ssize_t)n) {
		j->size += n;
		return 0;
	}
	code = w < 0 ? -errno : -ENOSPC;
	if (w > 0 && ftruncate(j->fd, (off_t)j->size) < 0)
		code = -errno;
	return err_set(e, code, "write to the journal");
}

/* Adds the number, and the hash of the record before. False: no memory; the line is incomplete and
 * must not be written, because verify would report it. */
static bool put_links(const struct journal *j, json_t *record, json_t *o)
{
	return json_object_set_new(o, "seq", json_integer((json_int_t)j->next_seq)) == 0 &&
	       json_object_update(o, record) == 0 &&
	       json_object_set_new(o, "prev", json_hex(j->hash, sizeof(j->hash))) == 0;
}

/*
 * Makes the line of a record: adds number and "prev", then the hash over these bytes. The buffer
 * has its full size from the beginning, because a text that jansson itself enlarges lacks keys when
 * memory runs out.
 */
static char *make_line(const struct journal *j, json_t *record, uint8_t ret_hash[32], size_t *ret_n)
{
	char *line = malloc(JOURNAL_LINE_MAX + 1), hex[65];
	json_t *o = json_object();
	size_t n = 0;

	if (line != NULL && put_links(j, record, o))
		n = json_dumpb(o, line, JOURNAL_LINE_MAX, JSON_COMPACT);
	json_decref(o);
	if (n == 0 || n + JOURNAL_TAIL > JOURNAL_LINE_MAX) {
		free(line);
		return NULL;
	}
	sha256_pair(j->hash, sizeof(j->hash), line, n, ret_hash);
	hex_text(ret_hash, 32, hex);
	*ret_n = n - 1 + (size_t)snprintf(line + n - 1, JOURNAL_TAIL + 2, JOURNAL_HASH_MARK "%s\"}\n", hex);
	return line;
}

int journal_append(struct journal *j, json_t *record, struct err *e)
{
	uint8_t hash[32];
	size_t n = 0;
	char *line = NULL;
	int r = 0;

	if (j->fd < 0 || j->size >= JOURNAL_SEGMENT_BYTES)
		r = new_segment(j, e);
	if (r == 0 && (line = make_line(j, record, hash, &n)) == NULL)
		r = err_set(e, -ENOMEM, "line of the journal");
	if (r == 0)
		r = write_line(j, line, n, e);
	if (r == 0) {
		mark_position(j, j->next_seq, j->size - n);
		memcpy(j->hash, hash, sizeof(hash));
		j->next_seq++;
		j->last_wall_ns = clock_wall_ns();
		j->dirty = true;
	}
	free(line);
	json_decref(record);
	return r;
}

void journal_turn(struct journal *j)
{
	if (j->size > 0)
		j->size = JOURNAL_SEGMENT_BYTES;
}

int journal_sync(struct journal *j, struct err *e)
{
	char hex[65], text[96];
	ssize_t w;
	int n;

	if (!j->dirty)
		return 0;
	if (fdatasync(j->fd) < 0)
		return err_set(e, -errno, "sync the journal");
	hex_text(j->hash, sizeof(j->hash), hex);
	n = snprintf(text, sizeof(text), "%" PRIu64 " %s\n", j->next_seq - 1, hex);
	w = pwrite(j->head_fd, text, (size_t)n, 0);
	if (w >= 0 && w < n)
		return err_set(e, -ENOSPC, "write the journal's head");
	if (w < 0 || fdatasync(j->head_fd) < 0)
		return err_set(e, -errno, "write the journal's head");
	j->dirty = false;
	return 0;
}
