/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/role_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define GRAIN 4096u

/* The reserve's size: less on a small disk. */
static uint64_t whole_of(int dirfd)
{
	struct statvfs s;
	uint64_t most;

	if (fstatvfs(dirfd, &s) < 0)
		return RESERVE_BYTES;
	most = (uint64_t)s.f_blocks * s.f_frsize / RESERVE_SHARE / GRAIN * GRAIN;
	if (most < GRAIN)
		return GRAIN;
	return most < RESERVE_BYTES ? most : RESERVE_BYTES;
}

static int open_file(struct reserve *r)
{
	struct stat s;
	int fd = openat(r->dirfd, "reserve", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), code;

	if (fd < 0 || fstat(fd, &s) < 0) {
		code = -errno;
		if (fd >= 0)
			close(fd);
		return code;
	}
	r->fd = fd;
	r->whole = whole_of(r->dirfd);
	/* The file's length does not prove that blocks are allocated, because a file may have
	 * holes. */
	r->size = (uint64_t)s.st_blocks * 512u >= (uint64_t)s.st_size ? (uint64_t)s.st_size : 0;
	return 0;
}

void reserve_begin(int dirfd, struct reserve *r)
{
	*r = (struct reserve){ .dirfd = dirfd, .fd = -1, .wanted = true };
	open_file(r); /* if this fails, it is tried again later */
}

void reserve_end(struct reserve *r)
{
	if (r->wanted && r->fd >= 0)
		close(r->fd);
	*r = (struct reserve){ .fd = -1 };
}

int reserve_build(struct reserve *r, struct err *e)
{
	int code = 0;

	if (!r->wanted || (r->fd >= 0 && r->size >= r->whole))
		return 0;
	if (r->fd < 0)
		code = open_file(r);
	if (code == 0 && fallocate(r->fd, 0, 0, (off_t)r->whole) < 0) {
		code = -errno;
		/* Some file systems keep what they allocated before the failure: it is given back
		 * for others. */
		if (ftruncate(r->fd, (off_t)r->size) < 0)
			code = -errno;
	}
	if (code == -EOPNOTSUPP || code == -ENOSYS) {
		reserve_end(r);
		return 0;
	}
	if (code < 0)
		return err_set(e, code, "make the journal's reserve");
	r->size = r->whole;
	return 0;
}

bool reserve_release(struct reserve *r)
{
	uint64_t left = r->size > RESERVE_PIECE ? r->size - RESERVE_PIECE : 0;

	if (!r->wanted || r->size == 0 || ftruncate(r->fd, (off_t)left) < 0)
		return false;
	r->size = left;
	return true;
}
