/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/journal/segment.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/preserve/take.h"
#include "mgmt/cli/words/render.h"

#define KEPT (64u << 20)   /* bytes of the disk that must stay free */
#define PLACE (256u << 10) /* bytes reserved for the list: more than 2000 files */

struct bundle {
	int dirfd, list; /* the folder; the list's file, with its reserved space */
	json_t *files, *missing;
	uint64_t bytes;
};

struct bundle *bundle_new(const char *path)
{
	struct bundle *b = calloc(1, sizeof(*b));
	int code = 0;

	if (b == NULL)
		return NULL;
	b->files = json_array();
	b->missing = json_array();
	b->dirfd = b->list = -1;
	if (mkdir(path, 0700) < 0 || (b->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0 ||
	    (b->list = openat(b->dirfd, BUNDLE_LIST, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		code = errno;
	/* Some file systems of memory sticks cannot reserve space: then the list is written without
	 * reserved space. */
	if (code == 0 && (code = posix_fallocate(b->list, 0, PLACE)) == EOPNOTSUPP)
		code = 0;
	if (code == 0)
		return b;
	if (b->list >= 0)
		unlinkat(b->dirfd, BUNDLE_LIST, 0);
	if (b->dirfd >= 0)
		rmdir(path);
	bundle_free(b);
	errno = code;
	return NULL;
}

void bundle_free(struct bundle *b)
{
	if (b == NULL)
		return;
	if (b->list >= 0)
		close(b->list);
	if (b->dirfd >= 0)
		close(b->dirfd);
	json_decref(b->files);
	json_decref(b->missing);
	free(b);
}

void bundle_miss(struct bundle *b, const char *name, enum message why)
{
	(void)json_array_append_new(b->missing,
				    json_pack("{s:o,s:s,s:s}", "file", json_text(name), "en",
					      message_format(why, LANG_EN), "ja", message_format(why, LANG_JA)));
}

void bundle_miss_code(struct bundle *b, const char *name, int code)
{
	static const struct {
		int code;
		enum message text;
	} known[] = { { ENOENT, M_FILE_ABSENT },       { ENOTDIR, M_FILE_NO_FOLDER },
		      { EACCES, M_FILE_NO_RIGHT },     { EPERM, M_FILE_NO_RIGHT },
		      { ENOSPC, M_PRESERVE_NO_ROOM },  { EDQUOT, M_PRESERVE_NO_ROOM },
		      { ELOOP, M_PRESERVE_NOT_PLAIN }, { EISDIR, M_PRESERVE_NOT_PLAIN },
		      { ENXIO, M_PRESERVE_NOT_PLAIN }, { EFBIG, M_PRESERVE_TOO_LARGE },
		      { ENOMEM, M_CLI_NO_MEMORY } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].code == code) {
			bundle_miss(b, name, known[i].text);
			return;
		}
	bundle_miss(b, name, M_PRESERVE_UNREADABLE);
}

int take_write(int dirfd, const char *name, const uint8_t *p, size_t n)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), code = 0;

	if (fd < 0)
		return errno;
	while (code == 0 && n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno != EINTR)
			code = errno;
		else if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	if (code == 0 && fdatasync(fd) < 0)
		code = errno;
	if (close(fd) < 0 && code == 0)
		code = errno;
	if (code != 0)
		unlinkat(dirfd, name, 0);
	return code;
}

/* The only folder that a name may begin with. */
static bool folder_of(struct bundle *b, const char *name)
{
	const char *slash = strchr(name, '/');
	char folder[128];

	if (slash == NULL)
		return true;
	if ((size_t)(slash - name) >= sizeof(folder))
		return false;
	memcpy(folder, name, (size_t)(slash - name));
	folder[slash - name] = '\0';
	return mkdirat(b->dirfd, folder, 0700) == 0 || errno == EEXIST;
}

bool bundle_put(struct bundle *b, const char *name, const void *p, size_t n)
{
	int code = folder_of(b, name) ? take_write(b->dirfd, name, p, n) : errno;
	uint8_t digest[32];
	char hex[65];

	if (code != 0) {
		bundle_miss_code(b, name, code);
		return false;
	}
	sha256(p, n, digest);
	hex_text(digest, sizeof(digest), hex);
	b->bytes += n;
	(void)json_array_append_new(
		b->files, json_pack("{s:o,s:I,s:s}", "file", json_text(name), "bytes", (json_int_t)n, "sha256", hex));
	return true;
}

bool bundle_put_json(struct bundle *b, const char *name, json_t *j)
{
	char *text = j != NULL ? json_dumps(j, JSON_INDENT(1)) : NULL;
	bool ok = false;

	if (text != NULL)
		ok = bundle_put(b, name, text, strlen(text));
	else
		bundle_miss(b, name, M_CLI_NO_MEMORY);
	free(text);
	json_decref(j);
	return ok;
}

/* Bytes that may still be written to this disk; the space that the box needs for its records is
 * left free. */
static uint64_t bundle_room(const struct bundle *b)
{
	struct statvfs v;
	uint64_t free_bytes;

	if (fstatvfs(b->dirfd, &v) < 0)
		return 0;
	free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return free_bytes > KEPT ? free_bytes - KEPT : 0;
}

const json_t *bundle_files(const struct bundle *b)
{
	return b->files;
}

const json_t *bundle_missing(const struct bundle *b)
{
	return b->missing;
}

uint64_t bundle_bytes(const struct bundle *b)
{
	return b->bytes;
}

bool bundle_close(struct bundle *b, uint8_t ret_digest[32])
{
	char *text = NULL;
	size_t n = 0, done = 0;
	FILE *to = open_memstream(&text, &n);
	bool ok = to != NULL;

	if (!ok)
		return false;
	json_each(f, b->files)
		fprintf(to, "%s  %s\n", json_string_value(json_object_get(f, "sha256")),
			json_string_value(json_object_get(f, "file")));
	ok = fclose(to) == 0;
	while (ok && done < n) {
		ssize_t w = write(b->list, text + done, n - done);

		ok = w > 0 || (w < 0 && errno == EINTR);
		done += w > 0 ? (size_t)w : 0;
	}
	ok = ok && ftruncate(b->list, (off_t)n) == 0 && fsync(b->list) == 0 && fsync(b->dirfd) == 0;
	if (ok)
		sha256(text, n, ret_digest);
	free(text);
	return ok;
}

bool bundle_beside(struct bundle *b, const char *name, const void *p, size_t n)
{
	int code = take_write(b->dirfd, name, p, n);

	errno = code;
	return code == 0 && fsync(b->dirfd) == 0;
}

/* ---- from their places ----------------------------------------------------------------------- */

#define FILE_MOST (SEGMENT_MOST + (1u << 20))
#define FILES_MOST 4096u
#define NAME 64u

static bool time_left(uint64_t until_ns)
{
	return clock_mono().ns < until_ns;
}

size_t take_whole_lines(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] != '\n')
		n--;
	return n;
}

int take_read(int fd, uint8_t **ret, size_t *ret_n)
{
	struct stat st;
	size_t n = 0;
	int code = 0;

	*ret = NULL;
	*ret_n = 0;
	if (fstat(fd, &st) < 0)
		code = errno;
	else if (!S_ISREG(st.st_mode))
		code = EISDIR;
	else if (st.st_size > (off_t)FILE_MOST)
		code = EFBIG;
	else if ((*ret = malloc((size_t)st.st_size + 1)) == NULL)
		code = ENOMEM;
	while (code == 0 && n < (size_t)st.st_size) {
		ssize_t r = pread(fd, *ret + n, (size_t)st.st_size - n, (off_t)n);

		if (r < 0 && errno != EINTR)
			code = errno;
		if (r == 0)
			break;
		n += r > 0 ? (size_t)r : 0;
	}
	close(fd);
	*ret_n = code == 0 ? n : 0;
	if (code != 0) {
		free(*ret);
		*ret = NULL;
	}
	return code;
}

static int read_plain(int dirfd, const char *name, uint8_t **ret, size_t *ret_n)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	*ret = NULL;
	*ret_n = 0;
	return fd < 0 ? errno : take_read(fd, ret, ret_n);
}

/* `open`: a journal may be writing to it. -ENOENT is left to the caller, who may know the file's
 * other name. */
static int bundle_take(struct bundle *b, int dirfd, const char *name, const char *as, bool open)
{
	uint8_t *p = NULL;
	size_t n = 0;
	int code = read_plain(dirfd, name, &p, &n);

	if (code == ENOENT)
		return -ENOENT;
	if (code != 0) {
		bundle_miss_code(b, as, code);
		return -code;
	}
	if (open)
		n = take_whole_lines(p, n);
	if (n > bundle_room(b)) {
		bundle_miss(b, as, M_PRESERVE_NO_ROOM);
		code = ENOSPC;
	} else if (!bundle_put(b, as, p, n))
		code = EIO;
	free(p);
	return -code;
}

static void take_segment(struct bundle *b, int dirfd, const struct segment_file *f, bool newest)
{
	char plain[48], packed[48], as[NAME];

	journal_segment_name(f->first, plain);
	segment_packed_name(f->first, packed);
	snprintf(as, sizeof(as), "journal/%s", plain);
	if (f->plain && bundle_take(b, dirfd, plain, as, newest) != -ENOENT)
		return;
	/* The file may have been packed since its name was read. */
	snprintf(as, sizeof(as), "journal/%s", packed);
	if (bundle_take(b, dirfd, packed, as, false) == -ENOENT)
		bundle_miss_code(b, as, ENOENT);
}

static void leave_segment(struct bundle *b, const struct segment_file *f)
{
	char name[48], as[NAME];

	if (f->plain)
		journal_segment_name(f->first, name);
	else
		segment_packed_name(f->first, name);
	snprintf(as, sizeof(as), "journal/%s", name);
	bundle_miss(b, as, M_REPORT_NO_TIME);
}

/* Takes the files that describe the segments: public key, last record's number, torn
 * ends, holds. */
static void take_beside(struct bundle *b, int dirfd)
{
	static const struct {
		const char *name;
		bool always; /* every journal has it */
	} files[] = { { "head", true }, { "checkpoint.pem", true }, { "holds", false }, { "holds.damaged", false } };
	char as[NAME + 16];
	struct dirent *d;
	size_t n = 0;
	DIR *dir;
	int fd;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(as, sizeof(as), "journal/%s", files[i].name);
		if (bundle_take(b, dirfd, files[i].name, as, false) == -ENOENT && files[i].always)
			bundle_miss_code(b, as, ENOENT);
	}
	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((d = readdir(dir)) != NULL && n < FILES_MOST) {
		if (strncmp(d->d_name, "torn-", 5) != 0 || strlen(d->d_name) >= NAME)
			continue;
		snprintf(as, sizeof(as), "journal/%.63s", d->d_name);
		(void)bundle_take(b, dirfd, d->d_name, as, false);
		n++;
	}
	closedir(dir);
}

void take_records(struct bundle *b, const char *folder, uint64_t until_ns)
{
	int dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct segment_file *list = NULL;
	struct err e = { 0 };
	size_t n = 0;

	if (dirfd < 0) {
		bundle_miss_code(b, "journal", errno);
		return;
	}
	take_beside(b, dirfd);
	if (segment_list(dirfd, &list, &n, &e) < 0)
		bundle_miss_code(b, "journal", -e.code);
	for (size_t i = n; i-- > 0;)
		if (time_left(until_ns))
			take_segment(b, dirfd, &list[i], i == n - 1);
		else
			leave_segment(b, &list[i]);
	if (n == 0 && e.code == 0)
		bundle_miss(b, "journal", M_PRESERVE_NO_RECORDS);
	free(list);
	close(dirfd);
}

void take_generations(struct bundle *b, const char *records, uint64_t until_ns)
{
	char path[PATH_MAX], as[NAME + 16];
	struct dirent *d;
	size_t n = 0;
	DIR *dir;

	if (snprintf(path, sizeof(path), "%s/../generations", records) >= (int)sizeof(path))
		return;
	dir = opendir(path);
	if (dir == NULL) {
		bundle_miss_code(b, "generations", errno);
		return;
	}
	while ((d = readdir(dir)) != NULL && n < FILES_MOST) {
		if (d->d_name[0] == '.' || strlen(d->d_name) >= NAME)
			continue;
		snprintf(as, sizeof(as), "generations/%.63s", d->d_name);
		if (!time_left(until_ns))
			bundle_miss(b, as, M_REPORT_NO_TIME);
		else
			(void)bundle_take(b, dirfd(dir), d->d_name, as, false);
		n++;
	}
	closedir(dir);
}

/* ---- without root ---------------------------------------------------------------------------- */

unsigned take_seconds(uint64_t until_ns)
{
	uint64_t now = clock_mono().ns;

	return until_ns > now + 1000000000u ? (unsigned)((until_ns - now) / 1000000000u) : 1;
}

bool take_segment_name(uint64_t first, const uint8_t *p, size_t n, char ret[48])
{
	bool packed = n >= 2 && p[0] == 0x1f && p[1] == 0x8b; /* RFC 1952, 2.3.1 */

	if (packed)
		segment_packed_name(first, ret);
	else
		journal_segment_name(first, ret);
	return packed;
}

/* Keeps a file that the box handed over. `as`: its name; NULL: a segment of the records, whose name
 * depends on its first bytes, because packed segments are named otherwise. */
static void keep_handed(struct bundle *b, int fd, const char *as, uint64_t first, bool newest)
{
	char file[48], name[NAME];
	uint8_t *p = NULL;
	size_t n = 0;
	int code = take_read(fd, &p, &n);

	if (as == NULL) {
		bool packed = take_segment_name(first, p, n, file);

		snprintf(name, sizeof(name), "journal/%s", file);
		as = name;
		if (newest && !packed)
			n = take_whole_lines(p, n);
	}
	if (code != 0)
		bundle_miss_code(b, as, code);
	else if (n > bundle_room(b))
		bundle_miss(b, as, M_PRESERVE_NO_ROOM);
	else
		(void)bundle_put(b, as, p, n);
	free(p);
}

static void take_handed(struct bundle *b, struct cli *c, struct msg_copy what, const char *as, bool newest, bool always,
			uint64_t until_ns)
{
	const struct msg_body question = { MSG_COPY, .copy = what };
	struct box_answer answer;
	char plain[48], name[NAME];
	int fd, status;

	journal_segment_name(what.first, plain);
	snprintf(name, sizeof(name), "journal/%s", plain);
	if (!box_request_file(c, &question, NULL, 0, take_seconds(until_ns), &answer, &fd, &status)) {
		bundle_miss(b, as != NULL ? as : name, M_PRESERVE_NO_ANSWER);
		return;
	}
	if (fd >= 0) {
		keep_handed(b, fd, as, what.first, newest);
		return;
	}
	if (answer.status != ANSWER_NO)
		bundle_miss(b, as != NULL ? as : name, M_PRESERVE_UNREADABLE);
	else if (always)
		bundle_miss_code(b, as != NULL ? as : name, ENOENT);
	box_answer_free(&answer);
}

void take_handed_records(struct bundle *b, struct cli *c, uint64_t until_ns)
{
	const struct msg_body list = { MSG_COPY, .copy = { .what = COPY_LIST } };
	struct box_answer answer;
	const json_t *all;
	int status;

	take_handed(b, c, (struct msg_copy){ .what = COPY_KEY }, "journal/checkpoint.pem", false, true, until_ns);
	take_handed(b, c, (struct msg_copy){ .what = COPY_HEAD }, "journal/head", false, true, until_ns);
	take_handed(b, c, (struct msg_copy){ .what = COPY_HOLDS }, "journal/holds", false, false, until_ns);
	bundle_miss(b, "journal/holds.damaged", M_PRESERVE_ROOTS);
	bundle_miss(b, "journal/torn-*", M_PRESERVE_ROOTS);
	if (!box_request(c, &list, NULL, 0, take_seconds(until_ns), &answer, &status)) {
		bundle_miss(b, "journal", M_PRESERVE_NO_ANSWER);
		return;
	}
	if (answer.status != CLI_YES) {
		bundle_miss(b, "journal", M_PRESERVE_UNREADABLE);
		box_answer_free(&answer);
		return;
	}
	all = ja(answer.json, "segments");
	for (size_t n = json_array_size(all), i = n; i-- > 0;) {
		uint64_t first = (uint64_t)json_integer_value(json_array_get(all, i));

		if (time_left(until_ns))
			take_handed(b, c, (struct msg_copy){ .what = COPY_SEGMENT, .first = first }, NULL, i == n - 1,
				    true, until_ns);
		else
			leave_segment(b, &(struct segment_file){ .first = first, .plain = true });
	}
	if (json_array_size(all) == 0)
		bundle_miss(b, "journal", M_PRESERVE_NO_RECORDS);
	box_answer_free(&answer);
}

void take_handed_policies(struct bundle *b, struct cli *c, uint64_t until_ns)
{
	struct box_answer history, shown;
	char as[NAME];
	int status;

	bundle_miss(b, "generations", M_PRESERVE_ROOTS);
	if (!box_request(c, &(struct msg_body){ .type = MSG_HISTORY }, NULL, 0, take_seconds(until_ns), &history,
			 &status)) {
		bundle_miss(b, "policies", M_PRESERVE_NO_ANSWER);
		return;
	}
	json_each(g, ja(history.json, "history")) {
		const struct msg_body show = { MSG_SHOW, .show = { .number = ju(g, "number") } };

		snprintf(as, sizeof(as), "policies/%llu.json", ju(g, "number"));
		if (!time_left(until_ns)) {
			bundle_miss(b, as, M_REPORT_NO_TIME);
		} else if (!box_request(c, &show, NULL, 0, take_seconds(until_ns), &shown, &status)) {
			bundle_miss(b, as, M_PRESERVE_NO_ANSWER);
		} else {
			if (shown.status == ANSWER_YES)
				(void)bundle_put_json(b, as, json_incref(shown.json));
			else
				bundle_miss(b, as, M_PRESERVE_UNREADABLE);
			box_answer_free(&shown);
		}
	}
	box_answer_free(&history);
}
