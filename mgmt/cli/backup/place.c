/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/backup/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"

#define SECRETS "secrets"
#define BESIDE "secrets.new"

static int folder(int at, const char *name, struct err *e)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : err_set(e, -errno, "open %s", name);
}

/* ---- taking ---------------------------------------------------------------------------------- */

static void wipe(struct bytes parts[WHOLE_PARTS], uint8_t *owned[WHOLE_PARTS])
{
	for (unsigned i = 0; i < WHOLE_PARTS; i++) {
		if (owned[i] != NULL)
			explicit_bzero(owned[i], parts[i].left);
		free(owned[i]);
	}
}

/* Files are replaced by renames, so each is read as it was before or after, never in between. */
static int collect(const int dirs[3], struct bytes parts[WHOLE_PARTS], uint8_t *owned[WHOLE_PARTS], json_t *left_out,
		   const char **ret_name, struct err *e)
{
	for (unsigned i = 0; i < WHOLE_PARTS; i++) {
		const struct whole_row *row = &whole_rows[i];
		size_t n = 0;
		int r = dirs[row->folder] < 0 ? -ENOENT
					      : file_read(dirs[row->folder], row->name, row->most, &owned[i], &n, e);

		*ret_name = row->name;
		if (row->compulsory && (r == -ENOENT || (r == 0 && n == 0)))
			return -ENODATA;
		if (r < 0 && file_none(r) && row->folder == WHOLE_IN_SETTINGS)
			json_array_append_new(left_out, json_string(row->name));
		else if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0)
			parts[i] = bytes_of(owned[i], n);
	}
	return 0;
}

int place_collect(const char *state, const char *settings, struct whole *ret, json_t *left_out, const char **ret_name,
		  struct err *e)
{
	struct bytes parts[WHOLE_PARTS] = { 0 };
	uint8_t *owned[WHOLE_PARTS] = { 0 };
	int at = folder(AT_FDCWD, state, e);
	int dirs[3] = { -1, -1, open(settings, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	int r = at < 0 ? at : 0;

	*ret_name = state;
	*ret = (struct whole){ 0 };
	if (r == 0) {
		dirs[WHOLE_IN_ACCOUNTS] = openat(at, "accounts", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		dirs[WHOLE_IN_SECRETS] = openat(at, SECRETS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		r = collect(dirs, parts, owned, left_out, ret_name, e);
	}
	if (r == 0 && !whole_bundle(parts, ret))
		r = err_set(e, -ENOMEM, "accounts and keys");
	wipe(parts, owned);
	for (unsigned i = 0; i < 3; i++)
		if (dirs[i] >= 0)
			close(dirs[i]);
	return r;
}

/* ---- putting --------------------------------------------------------------------------------- */

int place_settings(const struct whole *w, const char *settings, json_t *put, json_t *stay, struct err *e)
{
	int dir = -1, r = 0;

	for (unsigned i = 0; i < WHOLE_PARTS && r == 0; i++) {
		const struct whole_row *row = &whole_rows[i];
		struct stat st;

		if (row->folder != WHOLE_IN_SETTINGS || w->parts[i].left == 0)
			continue;
		if (dir < 0 && (dir = folder(AT_FDCWD, settings, e)) < 0)
			return dir;
		if (fstatat(dir, row->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			json_array_append_new(stay, json_string(row->name));
			continue;
		}
		r = atomic_write_mode(dir, row->name, w->parts[i].p, w->parts[i].left, row->mode, e);
		if (r == 0)
			json_array_append_new(put, json_string(row->name));
	}
	if (dir >= 0)
		close(dir);
	return r;
}

static void removed(int at)
{
	int fd = openat(at, BESIDE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (unlinkat(fd, entry->d_name, 0) < 0)
			(void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	if (d != NULL)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	(void)unlinkat(at, BESIDE, AT_REMOVEDIR);
}

/* Makes the folder BESIDE and writes the secrets into it. It and its files get the owner of the
 * present folder SECRETS. */
static int filled(int at, const struct whole *w, struct err *e)
{
	struct stat st;
	int dir, r = 0;

	removed(at);
	if (fstatat(at, SECRETS, &st, AT_SYMLINK_NOFOLLOW) < 0 || mkdirat(at, BESIDE, 0700) < 0)
		return err_set(e, -errno, "make %s", BESIDE);
	dir = folder(at, BESIDE, e);
	if (dir < 0)
		return dir;
	for (unsigned i = 0; i < WHOLE_PARTS && r == 0; i++) {
		if (whole_rows[i].folder != WHOLE_IN_SECRETS || w->parts[i].left == 0)
			continue;
		r = atomic_write(dir, whole_rows[i].name, w->parts[i].p, w->parts[i].left, e);
		if (r == 0 && fchownat(dir, whole_rows[i].name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
			r = err_set(e, -errno, "owner of %s", whole_rows[i].name);
	}
	if (r == 0 && (fchown(dir, st.st_uid, st.st_gid) < 0 || fsync(dir) < 0))
		r = err_set(e, -errno, "owner of %s", BESIDE);
	close(dir);
	return r;
}

static int exchanged(int at, struct err *e)
{
	int code = 0;

	if (renameat2(at, BESIDE, at, SECRETS, RENAME_EXCHANGE) < 0) {
		code = -errno;
	} else if (fsync(at) < 0) {
		code = -errno;
		(void)renameat2(at, BESIDE, at, SECRETS, RENAME_EXCHANGE);
	}
	return code < 0 ? err_set(e, code, "exchange %s", SECRETS) : 0;
}

int place_secrets(const struct whole *w, const char *state, struct err *e)
{
	int at = folder(AT_FDCWD, state, e), r = at < 0 ? at : filled(at, w, e);

	if (r == 0)
		r = exchanged(at, e);
	if (at >= 0 && r < 0)
		removed(at);
	if (at >= 0)
		close(at);
	return r;
}

int place_back(const char *state, struct err *e)
{
	int at = folder(AT_FDCWD, state, e), r = at < 0 ? at : exchanged(at, e);

	if (at >= 0)
		close(at);
	return r;
}

void place_done(const char *state)
{
	int at = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return;
	removed(at);
	(void)fsync(at);
	close(at);
}
