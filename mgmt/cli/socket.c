/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "SEKISHO_SOCKET="

/*
 * sudo keeps the environment that it was started with, and runs this program without it. Whose word that is root does not
 * know, so it counts only when it leads to a socket that root itself made.
 */
static const char *before_sudo(void)
{
	static char text[65536];
	const char *found = NULL;
	char path[40];
	struct stat st;
	size_t n, len;
	FILE *f;

	if (getenv("SUDO_UID") == NULL || geteuid() != 0)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)getppid());
	f = fopen(path, "re");
	if (f == NULL)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	for (size_t at = 0; at < n && found == NULL; at += len + 1) {
		len = strlen(text + at);
		if (strncmp(text + at, NAME, strlen(NAME)) == 0)
			found = text + at + strlen(NAME);
	}
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
