/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk below the folders of state. Bytes are on it only after a sync. When the power goes, a
 * rename that was not synced counts or does not count, as the test's random numbers say. A file
 * that takes the place of another before its bytes were synced is counted, because there must be
 * none. The power can go before and after every sync and every rename.
 */
#include "tests/life/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/life/life.h"
#include "tests/life/machine.h"

#define RENAMES 16u
#define FAKE __attribute__((visibility("default")))

struct disk disk;

/*
 * Renames whose folder was not synced yet, the oldest first; with the file that was there before,
 * -1 = none.
 */
static struct renamed {
	int folder, before;
	ino_t of; /* the folder */
	char name[128];
} list[RENAMES];
static unsigned n_list;

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

static void forget(unsigned i)
{
	if (list[i].before >= 0)
		close(list[i].before);
	close(list[i].folder);
	memmove(&list[i], &list[i + 1], (--n_list - i) * sizeof(list[0]));
}

static void folder_synced(int fd)
{
	ino_t folder = inode_of(fd);

	for (unsigned i = n_list; i > 0; i--)
		if (list[i - 1].of == folder)
			forget(i - 1);
}

static void moment(void)
{
	life_moment();
	if (++disk.moments == disk.off_at)
		life_power_lost();
}

static bool has_room(int fd)
{
	char link[40], path[300];
	ssize_t n;

	if (machine.disk_full || machine.no_room_for == NULL)
		return !machine.disk_full;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return strstr(path, machine.no_room_for) == NULL;
}

FAKE int fsync(int fd)
{
	if (!life_inside())
		return (int)syscall(SYS_fsync, fd);
	if (!is_folder(fd) && !has_room(fd)) {
		errno = ENOSPC;
		return -1;
	}
	moment();
	if (is_folder(fd))
		folder_synced(fd);
	else
		synced = inode_of(fd);
	moment();
	return 0;
}

FAKE int renameat(int from, const char *old, int to, const char *new)
{
	struct renamed *r;
	int fd;

	if (!life_inside())
		return (int)syscall(SYS_renameat2, from, old, to, new, 0);
	moment();
	fd = openat(from, old, O_RDWR | O_CLOEXEC);
	/* After a power failure a file that was never synced has no bytes. */
	if (fd >= 0 && inode_of(fd) != synced)
		disk.unsynced++;
	if (fd >= 0)
		close(fd);
	if (n_list == RENAMES)
		forget(0);
	r = &list[n_list++];
	*r = (struct renamed){ .folder = fcntl(to, F_DUPFD_CLOEXEC, 3),
			       .before = openat(to, new, O_RDONLY | O_CLOEXEC),
			       .of = inode_of(to) };
	snprintf(r->name, sizeof(r->name), "%s", new);
	if (syscall(SYS_renameat2, from, old, to, new, 0) < 0) {
		int code = errno;

		forget(n_list - 1);
		errno = code;
		return -1;
	}
	moment();
	return 0;
}

/* Puts back the file that was there before the rename. */
static void undo(const struct renamed *r)
{
	char buf[4096];
	off_t at = 0;
	ssize_t n;
	int to;

	(void)unlinkat(r->folder, r->name, 0);
	to = r->before >= 0 ? openat(r->folder, r->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	while (to >= 0 && (n = pread(r->before, buf, sizeof(buf), at)) > 0) {
		(void)!write(to, buf, (size_t)n);
		at += n;
	}
	if (to >= 0)
		close(to);
}

void disk_power_lost(bool renamed)
{
	while (n_list > 0) {
		if (!renamed)
			undo(&list[n_list - 1]);
		forget(n_list - 1);
	}
	disk.off_at = 0;
}
