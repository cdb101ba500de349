/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "appliance/base/atomic_file.h"

#define MOST (1u << 20) /* bytes: a system's whole collection of authorities is a quarter of it */

static bool unread(const char *path, int code, struct sentence *ret)
{
	if (code == ENOENT)
		sentence_say(ret, M_CA_ABSENT, path);
	else
		sentence_say(ret, M_CA_UNREAD, path, strerror(code));
	return false;
}

/* A program that is nobody in particular comes through all folders above. `path` is without links; cut while it is looked at. */
static bool passable(char *path, struct sentence *ret)
{
	for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		struct stat st;
		bool open;

		*at = '\0';
		open = stat(path, &st) == 0 && (st.st_mode & S_IXOTH) != 0;
		if (!open)
			sentence_say(ret, M_CA_FOLDER, path);
		*at = '/';
		if (!open)
			return false;
	}
	return true;
}

static bool certificate(const char *path, struct sentence *ret)
{
	uint8_t *text;
	size_t n;
	bool has;
	int r = file_read(AT_FDCWD, path, MOST, &text, &n, NULL);

	if (r < 0)
		return unread(path, -r, ret);
	has = memmem(text, n, "-----BEGIN CERTIFICATE-----", 27) != NULL;
	free(text);
	if (!has)
		sentence_say(ret, M_CA_NONE, path);
	return has;
}

bool authority_ready(const char *path, struct sentence *ret)
{
	char real[PATH_MAX];
	struct stat st;

	if (lstat(path, &st) < 0 || realpath(path, real) == NULL)
		return unread(path, errno, ret);
	/* What it leads to may be another file tomorrow. */
	if (S_ISLNK(st.st_mode)) {
		sentence_say(ret, M_CA_LINK, path, real);
		return false;
	}
	if ((st.st_mode & S_IROTH) == 0) {
		sentence_say(ret, M_CA_CLOSED, path);
		return false;
	}
	return passable(real, ret) && certificate(path, ret);
}
