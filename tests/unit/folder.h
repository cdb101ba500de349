/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder for each test, as cmocka set-up and tear-down. It is removed with all that the test
 * leaves in it.
 */
#ifndef SEKISHO_TESTS_UNIT_FOLDER_H
#define SEKISHO_TESTS_UNIT_FOLDER_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct folder {
	char path[64];
	int fd; /* of the folder */
};

static inline int setup(void **state)
{
	static struct folder f;

	snprintf(f.path, sizeof(f.path), "/tmp/sekisho-test-XXXXXX");
	if (mkdtemp(f.path) == NULL)
		return -1;
	f.fd = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &f;
	return f.fd < 0 ? -1 : 0;
}

static inline int teardown(void **state)
{
	struct folder *f = *state;
	char command[128];

	close(f->fd);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->path);
	return system(command);
}

#endif
