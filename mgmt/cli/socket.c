/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/socket.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mgmt/cli/environ.h"

#define NAME "SEKISHO_SOCKET="

/*
 * sudo keeps the environment that it was started with, and runs this program without it. Whose word that is root does not
 * know, so it counts only when it leads to a socket that root itself made.
 */
static const char *before_sudo(void)
{
	const char *found;
	struct stat st;

	if (getenv("SUDO_UID") == NULL || geteuid() != 0)
		return NULL;
	found = environ_of(getppid(), NAME);
	return found != NULL && lstat(found, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == 0 ? found : NULL;
}

const char *socket_choose(const char *wish)
{
	const char *env = getenv("SEKISHO_SOCKET");

	if (wish != NULL)
		return wish;
	if (env != NULL && *env != '\0')
		return env;
	env = before_sudo();
	return env != NULL ? env : SOCKET_DEFAULT;
}
