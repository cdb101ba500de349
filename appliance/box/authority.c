/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"

const char *const authority_words[AUTHORITIES] = { "ready", "absent", "unread", "link", "closed", "folder", "none" };

static enum authority unread(const char *path, int code, struct sentence *ret)
{
	if (code == ENOENT) {
		sentence_say(ret, M_CA_ABSENT, path);
		return AUTHORITY_ABSENT;
	}
	sentence_say(ret, M_CA_UNREAD, path, strerror(code));
	return AUTHORITY_UNREAD;
}

/* A program that is nobody in particular comes through all folders above. `path` is without links; cut while it is looked at. */
static enum authority passable(char *path, struct sentence *ret)
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
			return AUTHORITY_FOLDER;
	}
	return AUTHORITY_READY;
}

/* Of what was read: `r` negative when it was not. */
static enum authority certificate_in(int r, const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret)
{
	if (r < 0)
		return unread(path, -r, ret);
	if (memmem(*ret_text, *ret_n, "-----BEGIN CERTIFICATE-----", 27) != NULL)
		return AUTHORITY_READY;
	free(*ret_text);
	*ret_text = NULL;
	sentence_say(ret, M_CA_NONE, path);
	return AUTHORITY_NONE;
}

static enum authority certificate(const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret)
{
	return certificate_in(file_read(AT_FDCWD, path, AUTHORITY_MOST, ret_text, ret_n, NULL), path, ret_text, ret_n,
			      ret);
}

enum authority authority_look(const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret)
{
	char real[PATH_MAX];
	enum authority is;
	struct stat st;

	*ret_text = NULL;
	*ret_n = 0;
	if (lstat(path, &st) < 0 || realpath(path, real) == NULL)
		return unread(path, errno, ret);
	/* What it leads to may be another file tomorrow. */
	if (S_ISLNK(st.st_mode)) {
		sentence_say(ret, M_CA_LINK, path, real);
		return AUTHORITY_LINK;
	}
	if ((st.st_mode & S_IROTH) == 0) {
		sentence_say(ret, M_CA_CLOSED, path);
		return AUTHORITY_CLOSED;
	}
	is = passable(real, ret);
	return is == AUTHORITY_READY ? certificate(path, ret_text, ret_n, ret) : is;
}

enum authority certificate_read(int fd, const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret)
{
	ssize_t got = 0;

	*ret_n = 0;
	*ret_text = malloc(AUTHORITY_MOST);
	while (*ret_text != NULL && *ret_n < AUTHORITY_MOST &&
	       (got = pread(fd, *ret_text + *ret_n, AUTHORITY_MOST - *ret_n, (off_t)*ret_n)) > 0)
		*ret_n += (size_t)got;
	if (*ret_text == NULL || got < 0) {
		free(*ret_text);
		*ret_text = NULL;
	}
	return certificate_in(*ret_text == NULL ? -EIO : 0, path, ret_text, ret_n, ret);
}

bool authority_ready(const char *path, struct sentence *ret)
{
	uint8_t *text;
	size_t n;
	bool ready = authority_look(path, &text, &n, ret) == AUTHORITY_READY;

	free(text);
	return ready;
}
