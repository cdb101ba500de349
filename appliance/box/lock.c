/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TRIES 50 /* a second: a role that a killed predecessor was just starting has its locks until it is executed */
#define PORT                                                                                                           \
	0x53454b49u /* above every process id, which the kernel gives to sockets first, and not of those that it takes then */
#define LOCK_NAME "lock"

/* `once`: 0, or -1 with errno, of which `busy` says that somebody has it. */
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

	(void)ctx;
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
