/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/lock.h"

#include <errno.h>
#include <sys/file.h>

int lock_namespace(int nsfd, struct err *e)
{
	if (flock(nsfd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(e, -EBUSY, "lock of the data namespace");
	return err_set(e, -errno, "lock the data namespace");
}
