/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/devices/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mgmt/cli/cli.h"

#define NAME "SSH_CONNECTION="
#define LEVELS 32 /* ancestors of this process that are looked at */

static bool end_text(const char *address, const char *port, char out[OWN_SESSION_END])
{
	size_t n = strcspn(address, "%"); /* a link-local address is followed by its link */
	bool six = memchr(address, ':', n) != NULL;

	if (n == 0 || strspn(port, "0123456789") != strlen(port) || *port == '\0')
		return false;
	return snprintf(out, OWN_SESSION_END, six ? "[%.*s]:%s" : "%.*s:%s", (int)n, address, port) <
	       (int)OWN_SESSION_END;
}

bool own_session_read(const char *text, struct own_session *ret)
{
	char client[64], client_port[8], server[64], server_port[8], more;

	if (sscanf(text, "%63s %7s %63s %7s %c", client, client_port, server, server_port, &more) != 4)
		return false;
	return end_text(client, client_port, ret->peer) && end_text(server, server_port, ret->local);
}

static bool of_process(long pid, struct own_session *ret)
{
	const char *value = environ_of(pid, NAME);

	return value != NULL && own_session_read(value, ret);
}

/* 0 = none, or unknown. */
static long parent_of(long pid)
{
	char path[40], line[512];
	const char *rest;
	long parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	/* The name in parentheses may hold any character, also ')': the last one ends it. */
	rest = fgets(line, sizeof(line), f) != NULL ? strrchr(line, ')') : NULL;
	if (rest != NULL && strlen(rest) > 4) /* ") S 1234 ..." */
		parent = strtol(rest + 4, NULL, 10);
	fclose(f);
	return parent;
}

bool own_session(struct own_session *ret)
{
	const char *env = getenv("SSH_CONNECTION");
	long pid = (long)getppid();

	if (env != NULL && *env != '\0')
		return own_session_read(env, ret);
	for (int i = 0; i < LEVELS && pid > 1; i++, pid = parent_of(pid))
		if (of_process(pid, ret))
			return true;
	return false;
}
