/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? -errno : -EIO;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int atomic_write_mode(int dirfd, const char *name, const void *p, size_t n, mode_t mode, struct err *e)
{
	char beside[128];
	int fd, r;

	if (snprintf(beside, sizeof(beside), ".%s.new", name) >= (int)sizeof(beside))
		return err_set(e, -ENAMETOOLONG, "write %s", name);
	fd = openat(dirfd, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(e, -errno, "create %s", beside);
	/* fchmod, because a daemon's umask would clear the bits of others at open. */
	r = mode != 0600 && fchmod(fd, mode) < 0 ? -errno : write_all(fd, p, n);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, beside, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, beside, 0);
		return err_set(e, r, "write %s", name);
	}
	/* Without this a power cut may undo the rename. */
	if (fsync(dirfd) < 0)
		return err_set(e, -errno, "sync the folder of %s", name);
	return 0;
}

int atomic_write(int dirfd, const char *name, const void *p, size_t n, struct err *e)
{
	return atomic_write_mode(dirfd, name, p, n, 0600, e);
}

int file_read(int dirfd, const char *name, size_t max, uint8_t **ret, size_t *ret_n, struct err *e)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	size_t done = 0;
	uint8_t *p = NULL;
	int r = 0;

	*ret = NULL;
	*ret_n = 0;
	if (fd < 0)
		return err_set(e, -errno, "open %s", name);
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else if (st.st_size < 0 || (uint64_t)st.st_size > max)
		r = -EFBIG;
	else if ((p = malloc((size_t)st.st_size + 1)) == NULL)
		r = -ENOMEM;
	while (r == 0 && done < (size_t)st.st_size) {
		ssize_t n = pread(fd, p + done, (size_t)st.st_size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			r = n < 0 ? -errno : -EIO;
		else
			done += (size_t)n;
	}
	close(fd);
	if (r < 0 || p == NULL) {
		free(p);
		return err_set(e, r, "read %s", name);
	}
	p[done] = 0;
	*ret = p;
	*ret_n = done;
	return 0;
}

bool file_for_now(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -EINTR;
}

bool file_none(int r)
{
	return r == -EINVAL || r == -ELOOP || r == -EFBIG || r == -EISDIR || r == -ENXIO || r == -ENODEV;
}

int file_aside(int dirfd, const char *name)
{
	char aside[128];

	if (snprintf(aside, sizeof(aside), "%s.damaged", name) >= (int)sizeof(aside))
		return -ENAMETOOLONG;
	if (renameat(dirfd, name, dirfd, aside) == 0)
		return 0;
	/* A rename does not replace a folder by a file, a file by a folder, or a folder that is not
	 * empty. */
	if (unlinkat(dirfd, aside, 0) == 0 || unlinkat(dirfd, aside, AT_REMOVEDIR) == 0)
		return renameat(dirfd, name, dirfd, aside) < 0 ? -errno : 0;
	return -EEXIST;
}

int folder_open(int dirfd, const char *name, bool *ret_strange, struct err *e)
{
	int fd;

	*ret_strange = false;
	if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make the folder %s", name);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* The name is a file, or a link to nothing or to itself. */
	if (fd < 0 && (errno == ENOTDIR || errno == ENOENT || errno == ELOOP) && file_aside(dirfd, name) == 0 &&
	    mkdirat(dirfd, name, 0700) == 0) {
		*ret_strange = true;
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? err_set(e, -errno, "open the folder %s", name) : fd;
}
