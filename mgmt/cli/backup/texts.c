/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/backup/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "mgmt/cli/words/render.h"
#include "policy/read/csv.h"

#define PATH_MOST 4096u
#define NAME_MOST 256u /* bytes, as in orders to the box */
#define TEXT_MOST (4u << 20)
#define BEFORE ".before"
#define ENDING ".cfg" /* ending of further texts, except for tables */

/* Whether each part of the path is a real name, and not "", "." or "..". */
static bool stays_inside(const char *name)
{
	size_t n;

	if (strlen(name) > NAME_MOST)
		return false;
	for (;; name += n + 1) {
		n = strcspn(name, "/");
		if (n == 0 || (n <= 2 && strspn(name, ".") >= n))
			return false;
		if (name[n] == '\0')
			return true;
	}
}

/* Whether the file may be written by its name. Other files lie beside the policy: for example, a
 * text that is a comment with a certificate in it could replace the certificate to which backups
 * are encrypted. */
static bool is_policy(const char *name)
{
	size_t n = strlen(name), m = strlen(ENDING);

	return (n > m && strcmp(name + n - m, ENDING) == 0) || csv_is_table(name);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* The file name of text i. The first text is the main one, whose name the caller gives. */
static const char *file_of(const json_t *sources, size_t i, const char *into)
{
	return i == 0 ? last_part(into) : js(json_array_get(sources, i), "name");
}

static int folder_of(const char *into)
{
	char path[PATH_MOST];

	if (snprintf(path, sizeof(path), "%s", into) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool texts_fit(struct cli *c, const json_t *sources, const char *into, int *ret_status)
{
	int dir = folder_of(into);

	if (dir < 0 || *last_part(into) == '\0') {
		*ret_status = cli_fail_file(c, CLI_INVALID, into, dir < 0 ? errno : EISDIR);
		if (dir >= 0)
			close(dir);
		return false;
	}
	close(dir);
	for (size_t i = 0; i < json_array_size(sources); i++) {
		const char *name = file_of(sources, i, into);

		if (!stays_inside(name) || (i > 0 && (!is_policy(name) || strcmp(name, last_part(into)) == 0))) {
			*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_INTO_NAME, name);
			return false;
		}
	}
	return true;
}

/* Opens the folder of `name`, made where missing; follows no link. A descriptor, or negative
 * errno. */
static int below(int dir, const char *name)
{
	const char *slash;
	int at = dup(dir);

	while (at >= 0 && (slash = strchr(name, '/')) != NULL) {
		char part[NAME_MOST + 1];
		int next;

		snprintf(part, sizeof(part), "%.*s", (int)(slash - name), name);
		if (mkdirat(at, part, 0755) < 0 && errno != EEXIST) {
			next = -errno;
			close(at);
			return next;
		}
		next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			next = -errno;
		close(at);
		at = next;
		name = slash + 1;
	}
	return at;
}

static bool says(int at, const char *name, const char *text, size_t n)
{
	uint8_t *there;
	size_t n_there;
	bool same;

	if (file_read(at, name, TEXT_MOST, &there, &n_there, NULL) < 0)
		return false;
	same = n_there == n && memcmp(there, text, n) == 0;
	free(there);
	return same;
}

/* Copies a file on a file system without hard links. */
static int copy(int at, const char *file, const char *to, mode_t mode)
{
	uint8_t *there;
	size_t n;
	struct err e;
	int r = file_read(at, file, TEXT_MOST, &there, &n, &e);

	if (r < 0)
		return r;
	r = atomic_write_mode(at, to, there, n, mode, &e);
	free(there);
	return r;
}

/* Gives the present file a second name, under which it is kept; a file that was kept before is
 * replaced. The present file also keeps its own name until it is replaced. *ret_mode is unchanged
 * when there is no file. */
static int keep_former(int at, const char *file, mode_t *ret_mode)
{
	char before[NAME_MOST + sizeof(BEFORE)], beside[sizeof(before) + 8];
	struct stat st;

	if (fstatat(at, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode))
		*ret_mode = st.st_mode & 0777;
	snprintf(before, sizeof(before), "%s" BEFORE, file);
	snprintf(beside, sizeof(beside), ".%s.new", before);
	if (unlinkat(at, beside, 0) < 0 && errno != ENOENT)
		return -errno;
	if (linkat(at, file, at, beside, 0) < 0) {
		if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
			return -errno;
		return copy(at, file, before, *ret_mode);
	}
	if (renameat(at, beside, at, before) < 0) {
		int r = -errno;

		unlinkat(at, beside, 0);
		return r;
	}
	unlinkat(at, beside, 0); /* if both names were one file, the rename did nothing */
	return 0;
}

static int put_file(int dir, const char *name, const char *text, size_t n)
{
	const char *file = last_part(name);
	int at = below(dir, name), r = 0;
	mode_t mode = 0600;
	struct err e;

	if (at < 0)
		return at;
	if (!says(at, file, text, n)) {
		r = keep_former(at, file, &mode);
		if (r == 0)
			r = atomic_write_mode(at, file, text, n, mode, &e);
	}
	close(at);
	return r;
}

int texts_write(struct cli *c, const json_t *sources, struct card_places *places, const char *into)
{
	int dir = folder_of(into), status = CLI_YES;

	if (dir < 0)
		return cli_fail_file(c, CLI_CANNOT, into, errno);
	for (size_t i = 0; i < json_array_size(sources) && status == CLI_YES; i++) {
		const char *name = file_of(sources, i, into), *said = js(json_array_get(sources, i), "text");
		size_t n = 0;
		char *text = cards_rename(places, bytes_of(said, strlen(said)), &n);
		int r = text == NULL ? -ENOMEM : put_file(dir, name, text, n);

		free(text);
		if (r < 0)
			status = cli_fail_file(c, CLI_CANNOT, name, -r);
	}
	close(dir);
	return status;
}
