/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/own_path.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool own_path(const char *name, char ret[PATH_MAX])
{
	char own[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	own[n > 0 ? n : 0] = '\0';
	slash = strrchr(own, '/');
	return slash != NULL && snprintf(ret, PATH_MAX, "%.*s/%s", (int)(slash - own), own, name) < PATH_MAX;
}
