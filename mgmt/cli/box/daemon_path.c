/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/box/daemon_path.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool daemon_path(char ret[PATH_MAX])
{
	static const char *const places[] = { "sekishod", "../sbin/sekishod" };
	char own[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	own[n > 0 ? n : 0] = '\0';
	slash = strrchr(own, '/');
	for (size_t i = 0; slash != NULL && i < sizeof(places) / sizeof(places[0]); i++)
		if (snprintf(ret, PATH_MAX, "%.*s/%s", (int)(slash - own), own, places[i]) < PATH_MAX &&
		    access(ret, X_OK) == 0)
			return true;
	return false;
}
