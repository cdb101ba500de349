/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/journal/segment.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/preserve/take.h"
#include "mgmt/cli/words/render.h"

#define FILE_MOST (SEGMENT_MOST + (1u << 20))
#define FILES_MOST 4096u
#define NAME 64u

static bool time_left(uint64_t until_ns)
{
	return clock_mono().ns < until_ns;
}

/* Cuts a file that was being written behind its last whole line. */
static size_t whole_lines(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] != '\n')
		n--;
	return n;
}

/* Reads an open file from its beginning, and closes it: 0, or an errno. Whoever opened the file has
 * checked that it is ours, no link, and not too large. */
static int read_open(int fd, uint8_t **ret, size_t *ret_n)
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
	*ret_n = n;
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
	return fd < 0 ? errno : read_open(fd, ret, ret_n);
}

/* `open`: a journal may be writing to it. -ENOENT is left to the caller, who may know the file's
 * other name. */
static int take(struct bundle *b, int dirfd, const char *name, const char *as, bool open)
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
		n = whole_lines(p, n);
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
	if (f->plain && take(b, dirfd, plain, as, newest) != -ENOENT)
		return;
	/* The file may have been packed since its name was read. */
	snprintf(as, sizeof(as), "journal/%s", packed);
	if (take(b, dirfd, packed, as, false) == -ENOENT)
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

/* Files beside the segments that describe them: public key, last record's number, torn ends,
 * holds. */
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
		if (take(b, dirfd, files[i].name, as, false) == -ENOENT && files[i].always)
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
		(void)take(b, dirfd, d->d_name, as, false);
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
			(void)take(b, dirfd(dir), d->d_name, as, false);
		n++;
	}
	closedir(dir);
}

/* ---- without root ---------------------------------------------------------------------------- */

static unsigned seconds_to(uint64_t until_ns)
{
	uint64_t now = clock_mono().ns;

	return until_ns > now + 1000000000u ? (unsigned)((until_ns - now) / 1000000000u) : 1;
}

/* Keeps a file that the box handed over. `as`: its name; NULL: a segment of the records, whose name
 * depends on its first bytes, because packed segments are named otherwise. */
static void keep_handed(struct bundle *b, int fd, const char *as, uint64_t first, bool newest)
{
	char plain[48], packed[48], name[NAME];
	uint8_t *p = NULL;
	size_t n = 0;
	int code = read_open(fd, &p, &n);

	if (as == NULL) {
		/* RFC 1952, 2.3.1 */
		bool is_packed = p != NULL && n >= 2 && p[0] == 0x1f && p[1] == 0x8b;

		journal_segment_name(first, plain);
		segment_packed_name(first, packed);
		snprintf(name, sizeof(name), "journal/%s", is_packed ? packed : plain);
		as = name;
		if (newest && p != NULL && !is_packed)
			n = whole_lines(p, n);
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
	if (!box_request_file(c, &question, NULL, 0, seconds_to(until_ns), &answer, &fd, &status)) {
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
	if (!box_request(c, &list, NULL, 0, seconds_to(until_ns), &answer, &status)) {
		bundle_miss(b, "journal", M_PRESERVE_NO_ANSWER);
		return;
	}
	if (status != CLI_YES) {
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
	const json_t *g;
	char as[NAME];
	int status;
	size_t i;

	bundle_miss(b, "generations", M_PRESERVE_ROOTS);
	if (!box_request(c, &(struct msg_body){ .type = MSG_HISTORY }, NULL, 0, seconds_to(until_ns), &history,
			 &status)) {
		bundle_miss(b, "policies", M_PRESERVE_NO_ANSWER);
		return;
	}
	json_array_foreach(ja(history.json, "history"), i, g)
	{
		const struct msg_body show = { MSG_SHOW, .show = { .number = ju(g, "number") } };

		snprintf(as, sizeof(as), "policies/%llu.json", ju(g, "number"));
		if (!time_left(until_ns)) {
			bundle_miss(b, as, M_REPORT_NO_TIME);
		} else if (!box_request(c, &show, NULL, 0, seconds_to(until_ns), &shown, &status)) {
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
