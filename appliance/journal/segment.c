/* SPDX-License-Identifier: Apache-2.0 */
#define ZLIB_CONST
#include "appliance/journal/segment.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "appliance/base/sha256.h"
#include "appliance/journal/chain.h"

#define CHUNK 65536u
#define GZIP_WINDOW (15 + 16) /* zlib: the largest window, gzip format only */

/* ---- the list of segments -------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	const struct segment_file *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

void segment_packed_name(uint64_t first, char out[48])
{
	snprintf(out, 48, "events-%020" PRIu64 ".log.gz", first);
}

static bool parse_name(const char *name, struct segment_file *ret)
{
	size_t n = strlen(name);
	char plain[48];

	*ret = (struct segment_file){ 0 };
	if (n > 3 && n < sizeof(plain) && strcmp(name + n - 3, ".gz") == 0) {
		memcpy(plain, name, n - 3);
		plain[n - 3] = '\0';
		ret->packed = true;
		return journal_segment_parse(plain, &ret->first);
	}
	ret->plain = true;
	return journal_segment_parse(name, &ret->first);
}

/* Joins the two files of one segment into one entry. Keeps the order. */
static size_t join_files(struct segment_file *list, size_t n)
{
	size_t kept = 0;

	if (n > 0)
		qsort(list, n, sizeof(*list), by_number);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || list[kept - 1].first != list[i].first) {
			list[kept++] = list[i];
			continue;
		}
		list[kept - 1].plain |= list[i].plain;
		list[kept - 1].packed |= list[i].packed;
	}
	return kept;
}

int segment_list(int dirfd, struct segment_file **ret, size_t *ret_n, struct err *e)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	size_t room = 0, n = 0;

	*ret = NULL;
	*ret_n = 0;
	if (d == NULL) {
		int code = -errno;

		if (fd >= 0)
			close(fd);
		return err_set(e, code, "list the journal");
	}
	while ((entry = readdir(d)) != NULL) {
		struct segment_file one;

		if (!parse_name(entry->d_name, &one))
			continue;
		if (n == room) {
			struct segment_file *more = reallocarray(*ret, room == 0 ? 64 : room * 2, sizeof(**ret));

			if (more == NULL) {
				closedir(d);
				free(*ret);
				*ret = NULL;
				return err_set(e, -ENOMEM, "list the journal");
			}
			*ret = more;
			room = room == 0 ? 64 : room * 2;
		}
		(*ret)[n++] = one;
	}
	closedir(d);
	*ret_n = join_files(*ret, n);
	return 0;
}

int segment_written(int dirfd, const struct segment_file *file, uint64_t *ret, struct err *e)
{
	uint8_t header[8];
	struct stat st;
	char name[48];
	ssize_t n;
	int fd;

	journal_segment_name(file->first, name);
	if (file->plain) {
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_set(e, -errno, "age of %s", name);
		*ret = st.st_mtim.tv_sec > 0 ? (uint64_t)st.st_mtim.tv_sec : 0;
		return 0;
	}
	segment_packed_name(file->first, name);
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(e, -errno, "open %s", name);
	n = pread(fd, header, sizeof(header), 0);
	close(fd);
	if (n != (ssize_t)sizeof(header) || header[0] != 0x1f || header[1] != 0x8b)
		return err_set(e, -EBADMSG, "age of %s", name);
	*ret = (uint64_t)header[4] | (uint64_t)header[5] << 8 | (uint64_t)header[6] << 16 | (uint64_t)header[7] << 24;
	return 0;
}

void segment_began(int dirfd, uint64_t first, uint64_t *ret)
{
	struct segment *s = NULL;
	static const char mark[] = "\"time\":\"";
	const char *line = NULL, *at;
	struct tm tm = { 0 };
	char text[20] = "";
	bool whole;
	size_t n = 0;

	*ret = 0;
	if (segment_open(dirfd, first, SEGMENT_EITHER, 0, &s, NULL) < 0 || s == NULL)
		return;
	if (segment_line(s, &line, &n, &whole) == 1) {
		at = memmem(line, n, mark, sizeof(mark) - 1);
		if (at != NULL && n - (size_t)(at - line) >= sizeof(mark) + sizeof(text))
			memcpy(text, at + sizeof(mark) - 1, sizeof(text) - 1);
		if (strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) != NULL && timegm(&tm) > 0)
			*ret = (uint64_t)timegm(&tm);
	}
	segment_close(s);
}

uint64_t segment_plain_bytes(int dirfd, const struct segment_file *file)
{
	struct stat st;
	char name[48];

	journal_segment_name(file->first, name);
	if (!file->plain || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return (uint64_t)st.st_size;
}

/* ---- bytes of a segment ---------------------------------------------------------------------- */

struct segment {
	int fd;
	bool packed, ended; /* ended: the end of the gzip member was reached */
	uint64_t left;	    /* bytes that may still be unpacked */
	z_stream z;
	uint8_t in[CHUNK];

	/* Lines. */
	char text[CHUNK + JOURNAL_LINE_MAX + 1];
	size_t at, held;
	/* last: nothing more can be read; overlong: the present line is longer than any that a
	 * journal writes */
	bool last, overlong;
};

static int segment_begin(int fd, bool packed, struct segment **ret, struct err *e)
{
	struct segment *s = calloc(1, sizeof(*s));

	if (s == NULL || (packed && inflateInit2(&s->z, GZIP_WINDOW) != Z_OK)) {
		close(fd);
		free(s);
		return err_set(e, -ENOMEM, "read a segment of the journal");
	}
	s->fd = fd;
	s->packed = packed;
	s->left = SEGMENT_MOST;
	*ret = s;
	return 0;
}

int segment_open(int dirfd, uint64_t first, enum segment_form form, uint64_t offset, struct segment **ret,
		 struct err *e)
{
	bool packed = form == SEGMENT_PACKED;
	char name[48];
	int fd = -1;

	*ret = NULL;
	journal_segment_name(first, name);
	if (!packed)
		fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (packed || (fd < 0 && errno == ENOENT && form == SEGMENT_EITHER)) {
		packed = true;
		segment_packed_name(first, name);
		fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
		return err_set(e, -errno, "open %s", name);
	if (!packed && offset != 0 && lseek(fd, (off_t)offset, SEEK_SET) < 0) {
		int code = -errno;

		close(fd);
		return err_set(e, code, "read %s", name);
	}
	return segment_begin(fd, packed, ret, e);
}

int segment_open_packed(int fd, struct segment **ret, struct err *e)
{
	*ret = NULL;
	return segment_begin(fd, true, ret, e);
}

void segment_close(struct segment *s)
{
	if (s == NULL)
		return;
	if (s->packed)
		inflateEnd(&s->z);
	close(s->fd);
	free(s);
}

static ssize_t read_some(int fd, void *buf, size_t n)
{
	ssize_t r;

	do
		r = read(fd, buf, n);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* Reads more packed bytes when none are left. Their number, 0 = the file's end, or negative
 * errno. */
static ssize_t refill_packed(struct segment *s)
{
	ssize_t r;

	if (s->z.avail_in > 0)
		return 1;
	r = read_some(s->fd, s->in, sizeof(s->in));
	if (r > 0) {
		s->z.next_in = s->in;
		s->z.avail_in = (uInt)r;
	}
	return r;
}

static ssize_t unpack(struct segment *s, void *buf, size_t n)
{
	s->z.next_out = buf;
	s->z.avail_out = (uInt)n;
	while (s->z.avail_out == n && !s->ended) {
		ssize_t r = refill_packed(s);
		int what;

		if (r <= 0)
			return r < 0 ? r : -EBADMSG; /* the gzip member is cut off */
		what = inflate(&s->z, Z_NO_FLUSH);
		if (what == Z_MEM_ERROR)
			return -ENOMEM;
		if (what != Z_OK && what != Z_STREAM_END)
			return -EBADMSG;
		s->ended = what == Z_STREAM_END;
	}
	n -= s->z.avail_out;
	if (n > s->left)
		return -EBADMSG;
	s->left -= n;
	if (n == 0) {
		ssize_t r = refill_packed(s); /* nothing may follow the member's end */

		return r > 0 ? -EBADMSG : r;
	}
	return (ssize_t)n;
}

/* Reads up to n bytes; 0 = the end, or negative errno. */
static ssize_t segment_read(struct segment *s, void *buf, size_t n)
{
	ssize_t r;

	n = n > CHUNK ? CHUNK : n;
	if (s->packed)
		return unpack(s, buf, n);
	r = read_some(s->fd, buf, n);
	if (r > 0 && (uint64_t)r > s->left)
		return -EBADMSG;
	s->left -= r > 0 ? (uint64_t)r : 0;
	return r;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Takes a line out of the buffer. 1 = taken, 0 = more must be read first. */
static int cut_line(struct segment *s, const char **ret, size_t *ret_n)
{
	char *from = s->text + s->at, *end = s->held > 0 ? memchr(from, '\n', s->held) : NULL;

	if (end == NULL)
		return 0;
	*ret = from;
	*ret_n = s->overlong ? 0 : (size_t)(end - from);
	s->overlong = false;
	s->held -= (size_t)(end - from) + 1;
	s->at += (size_t)(end - from) + 1;
	return 1;
}

int segment_line(struct segment *s, const char **ret, size_t *ret_n, bool *ret_whole)
{
	*ret_whole = true;
	while (cut_line(s, ret, ret_n) == 0) {
		ssize_t r;

		if (s->last && s->held == 0 && !s->overlong)
			return 0;
		if (s->last) {
			*ret = s->text + s->at;
			*ret_n = s->overlong ? 0 : s->held;
			*ret_whole = s->overlong = false;
			s->held = 0;
			return 1;
		}
		if (s->held > JOURNAL_LINE_MAX) {
			s->overlong = true;
			s->held = 0;
		}
		memmove(s->text, s->text + s->at, s->held);
		s->at = 0;
		r = segment_read(s, s->text + s->held, CHUNK);
		if (r < 0)
			return (int)r;
		s->last = r == 0;
		s->held += (size_t)r;
	}
	return 1;
}

/* Fills the empty buffer and returns its bytes. 0 = the end. */
static ssize_t hold_bytes(struct segment *s)
{
	ssize_t r;

	if (s->held > 0)
		return 1;
	r = segment_read(s, s->text, CHUNK);
	s->at = 0;
	s->held = r > 0 ? (size_t)r : 0;
	return r;
}

int segment_same(struct segment *a, struct segment *b, uint64_t most)
{
	while (most > 0) {
		ssize_t x = hold_bytes(a), y = hold_bytes(b);
		size_t n = a->held < b->held ? a->held : b->held;

		if (x < 0 || y < 0)
			return (int)(x < 0 ? x : y);
		if (x == 0 || y == 0)
			return x == y ? 0 : -EBADMSG;
		if (memcmp(a->text + a->at, b->text + b->at, n) != 0)
			return -EBADMSG;
		a->at += n;
		a->held -= n;
		b->at += n;
		b->held -= n;
		most -= n < most ? n : most;
	}
	return 1;
}

int segment_whole(int dirfd, uint64_t first, char **ret, size_t *ret_n, struct err *e)
{
	size_t room = CHUNK, n = 0;
	struct segment *s;
	ssize_t r = segment_open(dirfd, first, SEGMENT_EITHER, 0, &s, e);
	char *text;

	*ret = NULL;
	*ret_n = 0;
	if (s == NULL)
		return (int)r;
	text = malloc(room + 1);
	while (text != NULL && (r = segment_read(s, text + n, room - n)) > 0) {
		n += (size_t)r;
		if (n == room) {
			char *more = realloc(text, room * 2 + 1);

			if (more == NULL)
				free(text);
			text = more;
			room *= 2;
		}
	}
	segment_close(s);
	if (text == NULL)
		return err_set(e, -ENOMEM, "read a segment of the journal");
	if (r < 0 && r != -EBADMSG) {
		free(text);
		return err_set(e, (int)r, "read a segment of the journal");
	}
	text[n] = '\0';
	*ret = text;
	*ret_n = n;
	return 0;
}

/* ---- the forms of a line, of a segment's name and of the head -------------------------------- */

/* The forms of a record's line, a segment's name and the head, without any file access. */

#define PREV_MARK ",\"prev\":\""
#define SEQ_MARK "{\"seq\":"

void journal_segment_name(uint64_t first, char out[48])
{
	snprintf(out, 48, "events-%020" PRIu64 ".log", first);
}

/* Reads a number in JSON's form: no sign, no leading zero. */
static const char *read_number(const char *p, const char *end, uint64_t *ret)
{
	const char *start = p;

	*ret = 0;
	while (p < end && isdigit((unsigned char)*p) && p - start < 20) {
		if (*ret > ((uint64_t)INT64_MAX - 9) / 10)
			return NULL;
		*ret = *ret * 10 + (uint64_t)(*p - '0');
		p++;
	}
	return p > start ? p : NULL;
}

bool journal_segment_parse(const char *name, uint64_t *ret)
{
	char as_ours[48];

	if (strncmp(name, "events-", 7) != 0 || read_number(name + 7, name + strlen(name), ret) == NULL || *ret == 0 ||
	    *ret > JOURNAL_SEQ_MOST)
		return false;
	/* Another way to write the same number is no valid name: the file would be listed, but
	 * could not be opened. */
	journal_segment_name(*ret, as_ours);
	return strcmp(name, as_ours) == 0;
}

enum journal_line journal_line_check(const char *line, size_t n, const uint8_t prev[32], uint8_t ret_hash[32],
				     uint64_t *ret_seq)
{
	/* Every line ends with ,"prev":"<64>" and ,"hash":"<64>"}. */
	const size_t hash_part = JOURNAL_TAIL - 1, prev_part = hash_part - 1;
	const char *end = line + n, *hash_at, *prev_at, *p;
	uint8_t said_prev[32], said[32];
	char *whole;
	size_t body;

	if (n < strlen(SEQ_MARK) + 1 + hash_part + prev_part || n > JOURNAL_LINE_MAX ||
	    memcmp(line, SEQ_MARK, strlen(SEQ_MARK)) != 0)
		return JOURNAL_LINE_FORM;
	hash_at = end - hash_part;
	prev_at = hash_at - prev_part;
	p = read_number(line + strlen(SEQ_MARK), prev_at, ret_seq);
	if (p == NULL || memcmp(hash_at, JOURNAL_HASH_MARK, strlen(JOURNAL_HASH_MARK)) != 0 ||
	    memcmp(end - 2, "\"}", 2) != 0 || memcmp(prev_at, PREV_MARK, strlen(PREV_MARK)) != 0 ||
	    hash_at[-1] != '"' || !hex_digits(hash_at + strlen(JOURNAL_HASH_MARK), said, sizeof(said)) ||
	    !hex_digits(prev_at + strlen(PREV_MARK), said_prev, sizeof(said_prev)))
		return JOURNAL_LINE_FORM;
	/* The hash covers the line as it was before the hash was added: a closing brace stood in
	 * its place. */
	body = (size_t)(hash_at - line);
	whole = malloc(body + 1);
	if (whole == NULL)
		return JOURNAL_LINE_FORM;
	memcpy(whole, line, body);
	whole[body] = '}';
	sha256_pair(said_prev, sizeof(said_prev), whole, body + 1, ret_hash);
	free(whole);
	if (memcmp(ret_hash, said, sizeof(said)) != 0)
		return JOURNAL_LINE_HASH;
	return memcmp(said_prev, prev, sizeof(said_prev)) == 0 ? JOURNAL_LINE_OK : JOURNAL_LINE_PREV;
}

bool journal_line_prev(const char *line, size_t n, uint8_t ret[32])
{
	const size_t hash_part = JOURNAL_TAIL - 1, prev_part = hash_part - 1;

	return n > hash_part + prev_part && hex_digits(line + n - hash_part - prev_part + strlen(PREV_MARK), ret, 32);
}

bool journal_head_parse(const char *text, size_t n, uint64_t *ret_seq, uint8_t ret_hash[32])
{
	const char *p = read_number(text, text + n, ret_seq);

	/* There is no record 0: a head with that number would accept any end of the log as
	 * complete. */
	return p != NULL && *ret_seq != 0 && *ret_seq <= JOURNAL_SEQ_MOST && (size_t)(text + n - p) >= 66 &&
	       p[0] == ' ' && hex_digits(p + 1, ret_hash, 32) && p[65] == '\n';
}
