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
#include "mgmt/cli/preserve/take.h"

#define FILE_MOST (SEGMENT_MOST + (1u << 20))
#define FILES_MOST 4096u
#define NAME 64u

static bool time_left(uint64_t until_ns)
{
	return clock_mono().ns < until_ns;
}

/* What was being written when it was read ends behind its last whole line. */
static size_t whole_lines(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] != '\n')
		n--;
	return n;
}

/* 0, or an errno: what it is, a file of ours that is no link and not too large, is seen by the one who opened it. */
static int read_plain(int dirfd, const char *name, uint8_t **ret, size_t *ret_n)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), code = 0;
	struct stat st;
	size_t n = 0;

	*ret = NULL;
	*ret_n = 0;
	if (fd < 0)
		return errno;
	if (fstat(fd, &st) < 0)
		code = errno;
	else if (!S_ISREG(st.st_mode))
		code = EISDIR;
	else if (st.st_size > (off_t)FILE_MOST)
		code = EFBIG;
	else if ((*ret = malloc((size_t)st.st_size + 1)) == NULL)
		code = ENOMEM;
	while (code == 0 && n < (size_t)st.st_size) {
		ssize_t r = read(fd, *ret + n, (size_t)st.st_size - n);

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

/* `open`: a journal may be writing to it. -ENOENT is left to the caller, who may know it under another name. */
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
	/* It may have been packed since its name was read. */
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

/* What lies beside the segments and says something of them: signatures' key, the last record's number, torn ends, holds. */
static void take_beside(struct bundle *b, int dirfd)
{
	static const struct {
		const char *name;
		bool always; /* each journal has it */
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
