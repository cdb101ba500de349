/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "appliance/box/netns.h"

int netns_own(struct err *e)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_set(e, -errno, "open the own network namespace") : fd;
}

int netns_enter(int nsfd, struct err *e)
{
	return setns(nsfd, CLONE_NEWNET) < 0 ? err_set(e, -errno, "enter a network namespace") : 0;
}

void netns_return(int nsfd)
{
	struct err e;

	if (netns_enter(nsfd, &e) < 0)
		abort();
}

int netns_socket(int nsfd, int homefd, int domain, int type, int protocol, const char *what, struct err *e)
{
	int r = netns_enter(nsfd, e), fd;

	if (r < 0)
		return r;
	fd = socket(domain, type | SOCK_CLOEXEC, protocol);
	r = -errno;
	netns_return(homefd);
	return fd < 0 ? err_set(e, r, "%s", what) : fd;
}

bool netns_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int netns_sysctl(const char *name, const char *value, struct err *e)
{
	char path[160];
	int fd, r = 0;

	if (snprintf(path, sizeof(path), "/proc/sys/net/%s", name) >= (int)sizeof(path))
		return err_set(e, -ENAMETOOLONG, "%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, -errno, "open %s", path);
	if (write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		r = err_set(e, -errno, "write %s to %s", value, path);
	close(fd);
	return r;
}

/* Makes the folder a shared mount, so that every mount namespace with /run sees the namespaces in
 * it. */
static int prepare_folder(struct err *e)
{
	if (mkdir(NETNS_FOLDER, 0755) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make %s", NETNS_FOLDER);
	if (mount("", NETNS_FOLDER, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return err_set(e, -errno, "share %s", NETNS_FOLDER);
	if (mount(NETNS_FOLDER, NETNS_FOLDER, "none", MS_BIND | MS_REC, NULL) < 0)
		return err_set(e, -errno, "bind %s", NETNS_FOLDER);
	if (mount("", NETNS_FOLDER, "none", MS_SHARED | MS_REC, NULL) < 0)
		return err_set(e, -errno, "share %s", NETNS_FOLDER);
	return 0;
}

/* Turns forwarding off in the new namespace, before anybody can use it. */
static int forwarding_off(struct err *e)
{
	int r = netns_sysctl("ipv4/ip_forward", "0", e);

	return r < 0 ? r : netns_sysctl("ipv6/conf/all/forwarding", "0", e);
}

static int make_netns(const char *path, struct err *e)
{
	int own = netns_own(e), fd, r;

	if (own < 0)
		return own;
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	if (fd < 0) {
		r = err_set(e, -errno, "make %s", path);
		close(own);
		return r;
	}
	close(fd);
	r = unshare(CLONE_NEWNET) < 0 ? err_set(e, -errno, "make a network namespace") : 0;
	if (r == 0) {
		struct err back;

		r = forwarding_off(e);
		if (r == 0 && mount("/proc/self/ns/net", path, "none", MS_BIND, NULL) < 0)
			r = err_set(e, -errno, "pin %s", path);
		/* If the return fails as well, the error of the return is reported, because it is
		 * the more serious one. */
		if (netns_enter(own, &back) < 0) {
			if (e != NULL)
				*e = back;
			r = back.code;
		}
	}
	if (r < 0)
		unlink(path);
	close(own);
	return r;
}

int netns_scratch(struct err *e)
{
	int own = netns_own(e), fd;

	if (own < 0)
		return own;
	fd = unshare(CLONE_NEWNET) < 0 ? err_set(e, -errno, "make a network namespace") : 0;
	if (fd == 0) {
		fd = forwarding_off(e);
		if (fd == 0)
			fd = netns_own(e);
		netns_return(own);
	}
	close(own);
	return fd;
}

/* Whether `path` is an empty file without a namespace. Such a file remains when the mount of a
 * namespace is lost. */
static bool stale(const char *path)
{
	struct statfs fs;
	struct stat st;

	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type != NSFS_MAGIC && stat(path, &st) == 0 &&
	       S_ISREG(st.st_mode) && st.st_size == 0;
}

static int path_of(const char *name, char path[128], struct err *e)
{
	if (*name == 0 || *name == '.' || strchr(name, '/') != NULL ||
	    snprintf(path, 128, "%s/%s", NETNS_FOLDER, name) >= 128)
		return err_set(e, -EINVAL, "name of a network namespace");
	return 0;
}

int netns_find(const char *name, struct err *e)
{
	char path[128];
	int r = path_of(name, path, e), fd;

	if (r < 0)
		return r;
	fd = stale(path) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(e, stale(path) ? -ENOENT : -errno, "open %s", path) : fd;
}

int netns_open(const char *name, bool *made, struct err *e)
{
	char path[128];
	struct stat st;
	int fd, r;

	*made = false;
	r = path_of(name, path, e);
	if (r < 0)
		return r;
	if (stale(path))
		unlink(path);
	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return err_set(e, -errno, "look at %s", path);
		r = prepare_folder(e);
		if (r < 0)
			return r;
		r = make_netns(path, e);
		if (r < 0)
			return r;
		*made = true;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(e, -errno, "open %s", path) : fd;
}

/* number of tries, a second in all. A killed daemon may have just started a role, which holds the
 * locks until its exec */
#define TRIES 50
/* the lock's netlink port. The kernel assigns process ids as ports first and negative numbers after
 * that; this number is neither */
#define PORT 0x53454b49u
#define LOCK_NAME "lock"

/* Tries to lock for a second. `once` returns 0, or -1 with errno; the errno `busy` means that
 * another process holds the lock. */
static int lock(int fd, int (*once)(int fd), int busy, const char *what, struct err *e)
{
	int r = once(fd);

	for (int i = 0; r < 0 && errno == busy && i < TRIES; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		r = once(fd);
	}
	if (r == 0)
		return 0;
	if (errno == busy)
		return err_set(e, -EBUSY, "lock of the %s", what);
	return err_set(e, -errno, "lock the %s", what);
}

static int by_flock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB);
}

static int by_port(int fd)
{
	const struct sockaddr_nl port = { .nl_family = AF_NETLINK, .nl_pid = PORT };

	return bind(fd, (const struct sockaddr *)&port, sizeof(port));
}

int lock_namespace(void *ctx, struct err *e)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK), r;

	if (fd < 0)
		return err_set(e, -errno, "lock the data namespace");
	r = lock(fd, by_port, EADDRINUSE, "data namespace", e);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int lock_folder(int fd, struct err *e)
{
	return lock(fd, by_flock, EWOULDBLOCK, "folder", e);
}

int lock_open_folder(int dirfd, struct err *e)
{
	int fd = openat(dirfd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), r;

	if (fd < 0)
		return err_set(e, -errno, "make the lock of the folder");
	r = lock_folder(fd, e);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}
