/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk below the folders of state. Nothing is on it before it is synced: where the power goes, a file that was not is empty, and the last rename counts or does not, as the
 * life draws. Every sync and every rename is a moment at which the power can go, before it and after it.
 */
#include "tests/life/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/life/life.h"
#include "tests/life/machine.h"

#define FAKE __attribute__((visibility("default")))

struct disk disk;

/* The rename whose folder was not synced yet: as it was before, -1 = nothing was there. */
static struct {
	bool open;
	int folder, before;
	char name[128];
} last;

static ino_t synced; /* the file whose bytes were synced last */

static ino_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static bool is_folder(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

static void forget(void)
{
	if (last.open && last.before >= 0)
		close(last.before);
	if (last.open)
		close(last.folder);
	last.open = false;
}

static void moment(void)
{
	if (++disk.moments == disk.off_at)
		life_power_lost();
}

FAKE int fsync(int fd)
{
	if (!life_inside())
		return (int)syscall(SYS_fsync, fd);
	if (machine.disk_full && !is_folder(fd)) {
		errno = ENOSPC;
		return -1;
	}
	moment();
	if (is_folder(fd))
		forget();
	else
		synced = inode_of(fd);
	moment();
	return 0;
}

FAKE int renameat(int from, const char *old, int to, const char *new)
{
	int fd;

	if (!life_inside())
		return (int)syscall(SYS_renameat2, from, old, to, new, 0);
	moment();
	fd = openat(from, old, O_RDWR | O_CLOEXEC);
	/* What was never synced has no bytes after the power has gone. */
	if (fd >= 0 && inode_of(fd) != synced)
		disk.unsynced++;
	if (fd >= 0)
		close(fd);
	forget();
	last.open = true;
	last.folder = fcntl(to, F_DUPFD_CLOEXEC, 3);
	last.before = openat(to, new, O_RDONLY | O_CLOEXEC);
	snprintf(last.name, sizeof(last.name), "%s", new);
	if (syscall(SYS_renameat2, from, old, to, new, 0) < 0) {
		int code = errno;

		forget();
		errno = code;
		return -1;
	}
	moment();
	return 0;
}

/* The bytes of `from` under the name again. */
static void put_back(void)
{
	char buf[4096];
	int to = openat(last.folder, last.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	off_t at = 0;
	ssize_t n;

	while (to >= 0 && (n = pread(last.before, buf, sizeof(buf), at)) > 0) {
		(void)!write(to, buf, (size_t)n);
		at += n;
	}
	if (to >= 0)
		close(to);
}

void disk_power_lost(bool renamed)
{
	if (last.open && !renamed) {
		(void)unlinkat(last.folder, last.name, 0);
		if (last.before >= 0)
			put_back();
	}
	forget();
	disk.off_at = 0;
}
