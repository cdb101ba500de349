/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/lock.h"

#include <errno.h>
#include <sys/file.h>

static int lock(int fd, const char *what, struct err *e)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
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
