/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/setup/setup.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define KEPT_MOST 99u /* copies; only the last one is ever replaced */

static const char *kept_name(char before[40], const char *name, unsigned i)
{
	snprintf(before, 40, i == 1 ? "%.20s.before" : "%.20s.before.%u", name, i);
	return before;
}

int setup_unkeep(int dir, const char *name)
{
	char tried[40], before[40];
	unsigned last = 0;

	snprintf(tried, sizeof(tried), "%.20s.tried", name);
	if (renameat(dir, name, dir, tried) < 0)
		return -errno;
	while (last < KEPT_MOST && faccessat(dir, kept_name(before, name, last + 1), F_OK, 0) == 0)
		last++;
	if (last > 0 && renameat(dir, kept_name(before, name, last), dir, name) < 0)
		return -errno;
	return 0;
}

int setup_keep(int dir, const char *name)
{
	char before[40];

	for (unsigned i = 1; i <= KEPT_MOST; i++) {
		kept_name(before, name, i);
		if (renameat2(dir, name, dir, before, i < KEPT_MOST ? RENAME_NOREPLACE : 0) == 0 || errno == ENOENT)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return -errno;
}
