/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/role/who.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_LOGIN 4294967295ul /* the kernel's login uid of a process without a login */

_Static_assert((uint32_t)NO_LOGIN == NO_TYPIST, "one number for both");
#define ABOVE_MOST 16 /* how many parent processes are looked at */

/* Reads a file of /proc as text; false when it is unreadable. */
static bool read_process(pid_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	n = fread(out, 1, size - 1, f);
	fclose(f);
	out[n] = 0;
	return n > 0;
}

/* The number behind `key` in a status text like "Uid:\t1000\t...". */
static bool status_number(const char *status, const char *key, unsigned long *ret)
{
	const char *at = strstr(status, key);
	char *end;

	if (at == NULL)
		return false;
	*ret = strtoul(at + strlen(key), &end, 10);
	return end != at + strlen(key);
}

/* The login user of a process of root. NO_LOGIN: there is no sign of another person, or root itself
 * has logged in. */
static unsigned long login_of_root(pid_t pid)
{
	char text[4096];
	unsigned long login, parent, user;

	if (read_process(pid, "loginuid", text, sizeof(text))) {
		login = strtoul(text, NULL, 10);
		if (login != NO_LOGIN)
			return login;
	}
	for (int i = 0; i < ABOVE_MOST && pid > 1 && read_process(pid, "status", text, sizeof(text)); i++) {
		if (status_number(text, "\nUid:\t", &user) && user != 0)
			return user;
		if (!status_number(text, "\nPPid:\t", &parent))
			break;
		pid = (pid_t)parent;
	}
	return NO_LOGIN;
}

static unsigned long login_of(pid_t pid, uid_t uid)
{
	unsigned long login = uid == 0 ? login_of_root(pid) : uid;

	return login != NO_LOGIN ? login : uid;
}

bool who_in(const char *file, unsigned long uid, char *out, size_t size)
{
	FILE *f = fopen(file, "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	/* Whole lines, however long: otherwise the rest of a long line, such as a person's full
	 * name, could pass for a line of its own. */
	while (f != NULL && !found && getline(&line, &room, f) >= 0) {
		char *rest, *name = strtok_r(line, ":", &rest), *end;

		if (name == NULL || rest == NULL || (rest = strchr(rest, ':')) == NULL)
			continue;
		found = strtoul(rest + 1, &end, 10) == uid && end != rest + 1 && *end == ':';
		if (found)
			snprintf(out, size, "%s", name);
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return found;
}

uint32_t who_typed(pid_t pid, uid_t uid)
{
	char text[64];
	unsigned long login;

	if (uid == 0)
		return (uint32_t)login_of_root(pid);
	/* After su or sudo -u, the login uid is still that of the person who logged in. */
	if (!read_process(pid, "loginuid", text, sizeof(text)))
		return NO_TYPIST;
	login = strtoul(text, NULL, 10);
	return login != NO_LOGIN ? (uint32_t)login : uid;
}

void who_name(pid_t pid, uid_t uid, char *out, size_t size)
{
	unsigned long login = login_of(pid, uid);

	if (!who_in("/etc/passwd", login, out, size))
		snprintf(out, size, "uid-%lu", login);
}
