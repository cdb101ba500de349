/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/lock.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>

#define TRIES 50 /* a second: a role that a killed predecessor was just starting has its locks until it is executed */

static int lock(int fd, const char *what, struct err *e)
{
	int r = flock(fd, LOCK_EX | LOCK_NB);

	for (int i = 0; r < 0 && errno == EWOULDBLOCK && i < TRIES; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		r = flock(fd, LOCK_EX | LOCK_NB);
	}
	if (r == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(e, -EBUSY, "lock of the %s", what);
	return err_set(e, -errno, "lock the %s", what);
}

int lock_namespace(int nsfd, struct err *e)
{
	return lock(nsfd, "data namespace", e);
}

int lock_folder(int fd, struct err *e)
{
	return lock(fd, "folder", e);
}
