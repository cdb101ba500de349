/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/wire/hours.h"

#define NAME "SEKISHO_SOCKET="

/*
 * The caller's SEKISHO_SOCKET when this program runs by sudo: sudo removes it for the program, but
 * has it in its own environment. Root cannot trust the caller, so the value counts only if it names
 * a socket that root has made.
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

void zone_of_site(const char *socket)
{
	char path[4096], rule[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%.*s" ZONE_FILE, (int)(strrchr(socket, '/') - socket + 1), socket);
	f = strchr(socket, '/') != NULL ? fopen(path, "re") : NULL;
	if (f == NULL)
		return;
	if (fgets(rule, sizeof(rule), f) != NULL)
		rule[strcspn(rule, "\n")] = '\0';
	fclose(f);
	people_zone(rule);
}

const char *environ_of(long pid, const char *name)
{
	static char text[65536];
	char path[40];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/environ", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	for (size_t at = 0; at < n; at += strlen(text + at) + 1)
		if (strncmp(text + at, name, strlen(name)) == 0)
			return text + at + strlen(name);
	return NULL;
}
