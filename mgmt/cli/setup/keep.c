/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/setup/keep.h"

#include <errno.h>
#include <stdio.h>

#define KEPT_MOST 99u /* the last of them is the only one that is ever replaced */

int setup_keep(int dir, const char *name)
{
	char before[40];

	for (unsigned i = 1; i <= KEPT_MOST; i++) {
		snprintf(before, sizeof(before), i == 1 ? "%.20s.before" : "%.20s.before.%u", name, i);
		if (renameat2(dir, name, dir, before, i < KEPT_MOST ? RENAME_NOREPLACE : 0) == 0 || errno == ENOENT)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return -errno;
}
