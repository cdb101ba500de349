/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-compile, the only program of the daemon that contains the policy compiler. The supervisor
 * executes it with its channel for one policy text. It enters its sandbox before it reads the text.
 * No privileged program links the compiler.
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "appliance/role/roles.h"

int main(int argc, char **argv)
{
	struct stat st;

	if (argc != 1 || fstat(ROLE_FD_CONTROL, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		fprintf(stderr, "sekisho-compile is run by sekishod; to compile a policy by hand: sekisho compile\n");
		return 2;
	}
	/* the program was executed by a descriptor, so it has no name */
	prctl(PR_SET_NAME, "sekisho-compile");
	return role_compile();
}
