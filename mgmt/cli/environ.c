/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/environ.h"

#include <stdio.h>
#include <string.h>

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
