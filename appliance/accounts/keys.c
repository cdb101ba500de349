/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/accounts/child.h"

#define PROGRAM "sekisho-webauthn"

static void child(int program)
{
	char *const argv[] = { (char[]){ PROGRAM }, NULL }, *const no_env[] = { NULL };

	/* It begins with its socket alone. The two calls leave the program's own descriptor, which the kernel closes. */
	if ((program > CHILD_FD + 1 && close_range(CHILD_FD + 1, (unsigned)program - 1, 0) < 0) ||
	    close_range((unsigned)program + 1, ~0u, 0) < 0)
		_exit(1);
	execveat(program, "", argv, no_env, AT_EMPTY_PATH);
	_exit(127);
}

int keys_start(struct err *e)
{
	char path[PATH_MAX + sizeof(PROGRAM)], *name;
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	int low, fd, r;

	path[len > 0 ? len : 0] = 0;
	name = strrchr(path, '/');
	if (name == NULL)
		return err_set(e, -ENOENT, "find %s", PROGRAM);
	snprintf(name + 1, sizeof(PROGRAM), "%s", PROGRAM);
	low = open(path, O_PATH | O_CLOEXEC);
	fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, CHILD_FD + 1);
	r = fd < 0 ? err_set(e, -errno, "open %s", path) : child_start(child, fd, PROGRAM, e);
	if (low >= 0)
		close(low);
	if (fd >= 0)
		close(fd);
	return r;
}
