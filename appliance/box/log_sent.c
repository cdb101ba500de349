/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/json.h"
#include "appliance/box/companions.h"

#define LINE_MOST 8192u /* bytes of a record: journal/chain.h */
#define FILES_MOST 64u	/* unpacked files; the journal keeps 60 closed ones */
#define NOTE_MOST 32768u
#define TRIES 3u /* rsyslogd overwrites a note in place, so a read may see half of it */
#define NAME_MOST 48u
/* beginning of the name of a note; the inode of the file follows, then mostly ":" and a hash of the
 * file's beginning */
#define NOTE "imfile-state:"

struct file {
	uint64_t first;
	uint64_t inode, size;
	uint64_t read;	   /* bytes that rsyslogd has read, by the newest note */
	uint64_t noted_ns; /* 0 = there is no note of it */
	int fd;
};

struct looking {
	struct file files[FILES_MOST];
	size_t n;
	uint64_t packed; /* number of the oldest packed file, 0 = none */
};

static void name_of(uint64_t first, char out[NAME_MOST])
{
	snprintf(out, NAME_MOST, "events-%020" PRIu64 ".log", first);
}

/* Calls `each` for every entry of a folder until it returns something else than 0. */
static int each_name(int dirfd, int (*each)(void *ctx, int dirfd, const char *name, struct err *e), void *ctx,
		     struct err *e)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *x;

	if (d == NULL) {
		r = err_set(e, -errno, "list a folder");
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (x = readdir(d)) != NULL)
		r = each(ctx, dirfd, x->d_name, e);
	closedir(d);
	return r;
}

static int regular(int dirfd, const char *name, struct stat *st)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return -EBADMSG;
}

/* ---- files of records ------------------------------------------------------------------------ */

static int take_file(void *ctx, int dirfd, const char *name, struct err *e)
{
	struct looking *l = ctx;
	char plain[NAME_MOST];
	struct stat st;
	uint64_t first;
	size_t n;
	int fd;

	if (strncmp(name, "events-", 7) != 0)
		return 0;
	first = strtoull(name + 7, NULL, 10);
	name_of(first, plain);
	n = strlen(plain);
	if (first == 0 || strncmp(name, plain, n) != 0)
		return 0;
	if (strcmp(name + n, ".gz") == 0 && (l->packed == 0 || first < l->packed))
		l->packed = first;
	if (name[n] != '\0')
		return 0;
	if (l->n == FILES_MOST)
		return err_set(e, -EBADMSG, "more files of records than are left plain");
	fd = regular(dirfd, name, &st);
	if (fd == -ENOENT)
		return 0; /* the file was packed or deleted meanwhile */
	if (fd < 0)
		return err_set(e, fd, "open %s", name);
	l->files[l->n++] = (struct file){ .first = first, .inode = st.st_ino, .fd = fd };
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* ---- the notes of rsyslogd ------------------------------------------------------------------- */

/* Whether the note is about this file. The name is compared as well, because the inode may belong
 * to another file by now. */
static bool is_of(const json_t *note, const struct file *f)
{
	const char *path = json_string_value(json_object_get(note, "filename")), *slash;
	char name[NAME_MOST];

	name_of(f->first, name);
	slash = path != NULL ? strrchr(path, '/') : NULL;
	return path != NULL && strcmp(slash != NULL ? slash + 1 : path, name) == 0;
}

/* Reads a note. 1 = read; 0 = it is about another file, or was deleted; -EBADMSG = it is not
 * complete. */
static int read_note(int dirfd, const char *name, struct file *f)
{
	static char text[NOTE_MOST];
	struct stat st;
	int fd = regular(dirfd, name, &st), r = -EBADMSG;
	const json_t *offset;
	json_t *note = NULL;
	uint64_t at;
	ssize_t n;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	n = pread(fd, text, sizeof(text), 0);
	close(fd);
	if (n > 0 && (size_t)n < sizeof(text))
		note = json_loadb(text, (size_t)n, 0, NULL);
	offset = json_object_get(note, "curr_offs");
	at = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	if (json_is_integer(offset) && json_integer_value(offset) >= 0)
		r = is_of(note, f);
	/* Of two notes with the same time, the note with fewer bytes read is taken. */
	if (r == 1 && (at > f->noted_ns || (at == f->noted_ns && (uint64_t)json_integer_value(offset) < f->read))) {
		f->read = (uint64_t)json_integer_value(offset);
		f->noted_ns = at;
	}
	json_decref(note);
	return r;
}

static int take_note(void *ctx, int dirfd, const char *name, struct err *e)
{
	struct looking *l = ctx;
	char *end;
	uint64_t inode;

	if (strncmp(name, NOTE, strlen(NOTE)) != 0)
		return 0;
	inode = strtoull(name + strlen(NOTE), &end, 10);
	if (*end != '\0' && *end != ':')
		return 0;
	for (size_t i = 0; i < l->n; i++) {
		int r = -EBADMSG;

		for (unsigned k = 0; l->files[i].inode == inode && r < 0 && k < TRIES; k++)
			r = read_note(dirfd, name, &l->files[i]);
		if (l->files[i].inode == inode && r < 0)
			return err_set(e, r, "what rsyslogd has put down cannot be read");
	}
	return 0;
}

/* ---- records --------------------------------------------------------------------------------- */

/* Reads number and time of the record in these bytes; `time` may be NULL. False: there is no
 * record. */
static bool read_record(const char *line, size_t n, uint64_t *ret_seq, char *time)
{
	json_t *j = json_loadb(line, n, 0, NULL);
	const json_t *seq = json_object_get(j, "seq");
	const char *text = json_string_value(json_object_get(j, "time"));
	bool is = json_is_integer(seq) && json_integer_value(seq) > 0;

	if (is)
		*ret_seq = (uint64_t)json_integer_value(seq);
	if (is && time != NULL)
		snprintf(time, LOG_SENT_TIME, "%s", text != NULL ? text : "");
	json_decref(j);
	return is;
}

/* Finds the record that has the byte at position `at`. 1 = found; 0 = there is none, or its line is
 * not complete yet; or negative errno. */
static int record_at(const struct file *f, uint64_t at, uint64_t *ret_seq, char *time, struct err *e)
{
	uint64_t from = at > LINE_MOST ? at - LINE_MOST : 0;
	static char text[3 * LINE_MOST];
	ssize_t n = pread(f->fd, text, sizeof(text), (off_t)from);
	size_t begin = (size_t)(at - from);
	const char *end;

	if (n < 0)
		return err_set(e, -errno, "read records");
	while (begin > 0 && begin <= (size_t)n && text[begin - 1] != '\n')
		begin--;
	end = begin < (size_t)n ? memchr(text + begin, '\n', (size_t)n - begin) : NULL;
	if (end == NULL)
		return 0;
	return read_record(text + begin, (size_t)(end - text) - begin, ret_seq, time)
		       ? 1
		       : err_set(e, -EBADMSG, "no record in a file of records");
}

/* The number of the last complete record. If there is no complete record, the number before the
 * file's first record. */
static int last_of(const struct file *f, uint64_t *ret, struct err *e)
{
	static char text[2 * LINE_MOST];
	uint64_t from = f->size > sizeof(text) ? f->size - sizeof(text) : 0;
	ssize_t n = pread(f->fd, text, sizeof(text), (off_t)from);
	const char *end, *begin;

	*ret = f->first - 1;
	if (n < 0)
		return err_set(e, -errno, "read records");
	end = memrchr(text, '\n', (size_t)n);
	if (end == NULL)
		return 0;
	begin = memrchr(text, '\n', (size_t)(end - text));
	begin = begin != NULL ? begin + 1 : text;
	return read_record(begin, (size_t)(end - begin), ret, NULL)
		       ? 0
		       : err_set(e, -EBADMSG, "no record in a file of records");
}

/* ---- together -------------------------------------------------------------------------------- */

/* Adds the waiting records of one file. `last`: the number of its last record. */
static int add_waiting(const struct file *f, uint64_t last, struct log_sent *h, struct err *e)
{
	char time[LOG_SENT_TIME] = "";
	uint64_t seq = 0;
	int r = f->read >= f->size ? 0 : record_at(f, f->read, &seq, time, e);

	if (f->noted_ns > h->noted_ns)
		h->noted_ns = f->noted_ns;
	if (r != 1 || seq > last)
		return r < 0 ? r : 0;
	h->waiting += last - seq + 1;
	if (h->next == 0) {
		h->next = seq;
		memcpy(h->since, time, sizeof(h->since));
	}
	return 0;
}

static int read_folders(struct looking *l, int journal, int notes, struct log_sent *h, struct err *e)
{
	int r = each_name(journal, take_file, l, e);

	qsort(l->files, l->n, sizeof(l->files[0]), by_number);
	if (r == 0 && notes >= 0)
		r = each_name(notes, take_note, l, e);
	for (size_t i = 0; r == 0 && i < l->n; i++) {
		struct file *f = &l->files[i];
		struct stat st;

		/* The sizes are read after the notes, so that no note is ahead of its file. */
		if (fstat(f->fd, &st) < 0)
			return err_set(e, -errno, "look at records");
		f->size = (uint64_t)st.st_size;
		if (i + 1 < l->n)
			h->last = l->files[i + 1].first - 1;
		else
			r = last_of(f, &h->last, e);
		if (r == 0)
			r = add_waiting(f, h->last, h, e);
	}
	h->first = l->n > 0 ? l->files[0].first : 0;
	h->older = l->packed != 0 && (l->n == 0 || l->packed < h->first);
	return r;
}

int log_sent_look(int journal, int notes, struct log_sent *ret, struct err *e)
{
	struct looking l = { .n = 0 };
	int r;

	*ret = (struct log_sent){ .first = 0 };
	r = read_folders(&l, journal, notes, ret, e);
	for (size_t i = 0; i < l.n; i++)
		close(l.files[i].fd);
	return r;
}
